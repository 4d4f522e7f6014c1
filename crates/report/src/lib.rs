//! Findings → bytes, a file per output. Deliberately absent: the clock, the network, and any judgement. What is
//! written is what was found; two runs over the same findings write the same bytes (`run.json` aside).
//!
//! Everything that came out of a log is hostile: each output passes it through [`escape`] for where it will be shown,
//! and through [`mask`] for the secrets in it.

#![forbid(unsafe_code)]

mod attack;
pub mod escape;
pub mod export;
mod folder;
mod honeynet;
mod html;
mod indicators;
mod json;
mod lines;
mod markdown;
pub mod mask;
pub mod messages;
mod number;
mod partial;
mod spread;
mod table;
mod tables;
pub mod trend;
mod view;

use std::io::{self, Write};

pub use folder::Folder;
pub use messages::Lang;
use ringleader_model::findings::Findings;
pub use tables::TableFile;

/// What the reader chose.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Of the reports for people; the files for machines have no language.
    pub lang: Lang,
}

/// One output file that is made of the findings.
pub trait Report: Sync {
    /// Its name in the findings folder.
    fn file(&self) -> &'static str;
    /// One sentence, for `--help` and the generated table.
    fn summary(&self) -> &'static str;
    /// Whether these findings have such a file at all.
    fn applies(&self, _findings: &Findings) -> bool {
        true
    }
    fn write(&self, findings: &Findings, options: &Options, out: &mut (dyn Write + Send)) -> io::Result<()>;
}

/// One output file.
pub enum Output {
    Report(&'static dyn Report),
    /// For other tools, at the level of [`export::Choice::default`].
    Export(&'static dyn export::Export),
    /// Its rows come before the findings are known: see [`Folder`].
    Table(TableFile),
}

impl Output {
    /// Its name in the findings folder.
    pub fn file(&self) -> &'static str {
        match self {
            Self::Report(it) => it.file(),
            Self::Export(it) => it.file(),
            Self::Table(it) => it.file,
        }
    }
    /// One sentence, for `--help` and the generated table.
    pub fn summary(&self) -> &'static str {
        match self {
            Self::Report(it) => it.summary(),
            Self::Export(it) => it.summary(),
            Self::Table(it) => it.summary,
        }
    }
}

/// Every output, in the order of the contract.
pub const OUTPUTS: &[Output] = &[
    Output::Report(&json::Summary),
    Output::Report(&json::Run),
    Output::Report(&json::Gangs),
    Output::Report(&lines::Campaigns),
    Output::Table(tables::EPISODES),
    Output::Table(tables::MEMBERS),
    Output::Table(tables::PROCESSES),
    Output::Table(tables::REPAIRS),
    Output::Table(tables::BEHAVIOURS),
    Output::Report(&indicators::Indicators),
    Output::Report(&lines::NetworkRoles),
    Output::Report(&lines::EvidenceLines),
    Output::Report(&json::SpreadJson),
    Output::Report(&spread::Dot),
    Output::Report(&spread::Svg),
    Output::Report(&spread::Timeline),
    Output::Report(&spread::TimelineSvg),
    Output::Report(&spread::ContainmentJson),
    Output::Report(&spread::IncidentMarkdown),
    Output::Report(&spread::IncidentHtml),
    Output::Report(&lines::Warnings),
    Output::Report(&json::HoneynetJson),
    Output::Report(&lines::DeadLetters),
    Output::Report(&lines::Fleet),
    Output::Export(export::STIX),
    Output::Export(export::MISP),
    Output::Export(export::NAVIGATOR),
    Output::Export(export::BLOCKLIST),
    Output::Report(&markdown::Markdown),
    Output::Report(&html::Html),
];
