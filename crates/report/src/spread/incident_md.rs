//! Spread → `incident.md`: the incident for people, as text. Whatever a log said stands in a code span.

use std::fmt::Write as _;
use std::io::{self, Write};

use ringleader_model::findings::Findings;

use super::story::{Block, Part, tell};
use crate::mask::mask;
use crate::{Options, Report, escape};

pub(crate) struct IncidentMarkdown;

impl Report for IncidentMarkdown {
    fn file(&self) -> &'static str {
        "incident.md"
    }
    fn summary(&self) -> &'static str {
        "the incident for people, as text: each sentence with its evidence"
    }
    fn applies(&self, findings: &Findings) -> bool {
        findings.spread.is_some()
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let Some(spread) = &findings.spread else { return Ok(()) };
        let mut text = String::from("# The incident\n");
        for block in tell(spread) {
            self::block(&block, &mut text).map_err(io::Error::other)?;
        }
        out.write_all(text.as_bytes())
    }
}

fn say(text: &str) -> String {
    escape::markdown(&mask(text))
}

fn block(block: &Block, out: &mut String) -> std::fmt::Result {
    match block {
        Block::Heading(title) => writeln!(out, "\n## {title}\n"),
        Block::Picture => writeln!(out, "![who took whom](spread.svg)\n"),
        Block::InTime => writeln!(out, "![when](timeline.svg)\n"),
        Block::Sentence(it) => {
            write!(out, "- ")?;
            for part in &it.parts {
                match part {
                    Part::Ours(text) => write!(out, "{text}")?,
                    Part::Log(text) if text.is_empty() => {}
                    Part::Log(text) => write!(out, "{}", say(text))?,
                }
            }
            if !it.evidence_ids.is_empty() {
                let ids: Vec<&str> = it.evidence_ids.iter().map(|it| it.get(..8).unwrap_or(it)).collect();
                write!(out, " [evidence {}]", ids.join(", "))?;
            }
            writeln!(out)
        }
        Block::Table(table) => {
            writeln!(out, "| {} |\n|{}", table.head.join(" | "), "---|".repeat(table.head.len()))?;
            for row in &table.rows {
                let cells: Vec<String> =
                    row.iter().map(|it| if it.is_empty() { String::new() } else { say(it) }).collect();
                writeln!(out, "| {} |", cells.join(" | "))?;
            }
            if table.left_out > 0 {
                writeln!(out, "\n{} more in spread.json.", table.left_out)?;
            }
            Ok(())
        }
        Block::Commands(all) => {
            for command in all.iter().take(8) {
                writeln!(out, "  - {}", say(command))?;
            }
            Ok(())
        }
    }
}
