//! Findings → the files of one JSON object a line: campaigns, evidence, warnings, dead letters.

use std::io::{self, Write};

use ringleader_model::findings::Findings;
use serde::Serialize;

use crate::escape::{Shape, json};
use crate::mask::masked;
use crate::{Options, Report};

fn lines<T: Serialize>(items: &[T], out: &mut dyn Write) -> io::Result<()> {
    for item in items {
        json(&masked(item)?, out, Shape::Line)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

pub(crate) struct Campaigns;

impl Report for Campaigns {
    fn file(&self) -> &'static str {
        "campaigns.jsonl"
    }
    fn summary(&self) -> &'static str {
        "one merged process graph a line, with its signature and what was kept out of it"
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        lines(&findings.campaigns, out)
    }
}

pub(crate) struct EvidenceLines;

impl Report for EvidenceLines {
    fn file(&self) -> &'static str {
        "evidence.jsonl"
    }
    fn summary(&self) -> &'static str {
        "what every claim points to: the source, the offset, the raw line"
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        lines(&findings.evidence, out)
    }
}

pub(crate) struct NetworkRoles;

impl Report for NetworkRoles {
    fn file(&self) -> &'static str {
        "network_roles.jsonl"
    }
    fn summary(&self) -> &'static str {
        "what the network side of hosts and processes was used for, a line each"
    }
    fn applies(&self, findings: &Findings) -> bool {
        !findings.network_roles.is_empty()
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        lines(&findings.network_roles, out)
    }
}

pub(crate) struct Warnings;

impl Report for Warnings {
    fn file(&self) -> &'static str {
        "warnings.jsonl"
    }
    fn summary(&self) -> &'static str {
        "what is new: a gang, a method, infrastructure, a surge"
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        lines(&findings.warnings, out)
    }
}

pub(crate) struct Fleet;

impl Report for Fleet {
    fn file(&self) -> &'static str {
        "fleet.jsonl"
    }
    fn summary(&self) -> &'static str {
        "every monitored host and its own addresses: what exports must not name"
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        lines(&findings.fleet, out)
    }
}

/// The one file that is not masked: its records are verbatim, so that they can be mended and read again.
pub(crate) struct DeadLetters;

impl Report for DeadLetters {
    fn file(&self) -> &'static str {
        "dead_letter.jsonl"
    }
    fn summary(&self) -> &'static str {
        "every record that could not be read, verbatim and unmasked, with its place and the reason"
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        for letter in &findings.rejected {
            json(letter, out, Shape::Line)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }
}
