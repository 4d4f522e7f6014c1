//! Findings → bytes, a file per output. Deliberately absent: the clock, the network, and any judgement. What is
//! written is what was found; two runs over the same findings write the same bytes (`run.json` aside).
//!
//! Everything that came out of a log is hostile: each output passes it through [`escape`] for where it will be shown,
//! and through [`mask`] for the secrets in it.

#![forbid(unsafe_code)]

mod attack;
mod blocklist;
pub mod escape;
mod html;
mod indicators;
mod json;
mod lines;
mod markdown;
pub mod mask;
pub mod messages;
mod misp;
mod navigator;
mod number;
mod stix;
mod table;
mod tables;
mod timeline;
mod view;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

pub use messages::Lang;
use ringleader_model::findings::Findings;

/// What the reader chose.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Of the reports for people; the files for machines have no language.
    pub lang: Lang,
}

/// One output file.
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

/// Every output, in the order of the contract.
pub const REPORTS: &[&dyn Report] = &[
    &json::Summary,
    &json::Run,
    &json::Gangs,
    &lines::Campaigns,
    &tables::Episodes,
    &tables::Members,
    &tables::Processes,
    &tables::Repairs,
    &tables::Behaviours,
    &indicators::Indicators,
    &lines::EvidenceLines,
    &json::SpreadJson,
    &timeline::Timeline,
    &lines::Warnings,
    &lines::DeadLetters,
    &stix::Stix,
    &misp::Misp,
    &navigator::Navigator,
    &blocklist::Blocklist,
    &markdown::Markdown,
    &html::Html,
];

/// Writes every file that applies; returns their paths in the order of [`REPORTS`].
///
/// A file appears whole or not at all (written beside its place, then renamed). A file of an earlier run that no
/// longer applies is removed, so that the folder never mixes two runs.
pub fn write_all(findings: &Findings, dir: &Path, options: &Options) -> io::Result<Vec<PathBuf>> {
    fs::create_dir_all(dir).map_err(|error| at(dir, &error))?;
    let mut written = Vec::new();
    for report in REPORTS {
        let path = dir.join(report.file());
        if report.applies(findings) {
            replace(&path, |out| report.write(findings, options, out)).map_err(|error| at(&path, &error))?;
            written.push(path);
        } else if path.exists() {
            fs::remove_file(&path).map_err(|error| at(&path, &error))?;
        }
    }
    Ok(written)
}

fn replace(path: &Path, write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>) -> io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let result = (|| {
        let mut out = BufWriter::with_capacity(1 << 16, File::create(&partial)?);
        write(&mut out)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&partial, path)
    })();
    if result.is_err() {
        // The first error is the one to tell; that the remains could not be removed adds nothing.
        let _ = fs::remove_file(&partial);
    }
    result
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
