//! Spread → `containment.json`: what to do, for review.

use std::io::{self, Write};

use ringleader_model::findings::Findings;

use crate::escape::{Shape, json};
use crate::mask::masked;
use crate::{Options, Report};

pub(crate) struct ContainmentJson;

impl Report for ContainmentJson {
    fn file(&self) -> &'static str {
        "containment.json"
    }
    fn summary(&self) -> &'static str {
        "what to isolate, reset, block, collect and clean, in order, as commands for review"
    }
    fn applies(&self, findings: &Findings) -> bool {
        findings.spread.is_some()
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let Some(spread) = &findings.spread else { return Ok(()) };
        json(&masked(&spread.containment)?, out, Shape::Pretty)?;
        out.write_all(b"\n")
    }
}
