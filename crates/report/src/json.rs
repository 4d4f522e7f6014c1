//! Findings → the JSON documents: summary, run, gangs, spread.

use std::io::{self, Write};

use ringleader_model::findings::Findings;
use serde::Serialize;

use crate::escape::{Shape, json};
use crate::mask::masked;
use crate::{Options, Report};

/// Pretty JSON, masked, with a line end.
fn document(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    json(&masked(value)?, out, Shape::Pretty)?;
    out.write_all(b"\n")
}

pub(crate) struct Summary;

impl Report for Summary {
    fn file(&self) -> &'static str {
        "summary.json"
    }
    fn summary(&self) -> &'static str {
        "counts: what was read, rejected, and found"
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        document(&findings.summary, out)
    }
}

pub(crate) struct Run;

impl Report for Run {
    fn file(&self) -> &'static str {
        "run.json"
    }
    fn summary(&self) -> &'static str {
        "what may differ from run to run: version, arguments, digests, timings, memory"
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        document(&findings.run, out)
    }
}

pub(crate) struct Gangs;

impl Report for Gangs {
    fn file(&self) -> &'static str {
        "gangs.json"
    }
    fn summary(&self) -> &'static str {
        "every gang: who, how, what, its campaigns, and why they are one gang"
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        document(&findings.gangs, out)
    }
}

pub(crate) struct HoneynetJson;

impl Report for HoneynetJson {
    fn file(&self) -> &'static str {
        "honeynet.json"
    }
    fn summary(&self) -> &'static str {
        "what decoys saw, what of it is in production and how much later, and the ways in that decoys tell"
    }
    fn applies(&self, findings: &Findings) -> bool {
        findings.honeynet.is_some()
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        document(&findings.honeynet, out)
    }
}

pub(crate) struct SpreadJson;

impl Report for SpreadJson {
    fn file(&self) -> &'static str {
        "spread.json"
    }
    fn summary(&self) -> &'static str {
        "one incident, host to host: verdicts, edges, patient zero, discrepancies"
    }
    fn applies(&self, findings: &Findings) -> bool {
        findings.spread.is_some()
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        document(&findings.spread, out)
    }
}
