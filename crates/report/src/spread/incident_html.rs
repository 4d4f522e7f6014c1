//! Spread → `incident.html`: the same for a browser, offline, with the picture in it. Deliberately absent: scripts.

use std::fmt::Write as _;
use std::io::{self, Write};

use base64::Engine as _;
use ringleader_model::findings::Findings;
use sha2::{Digest as _, Sha256};

use super::story::{Block, Part, tell};
use super::{svg, timeline_svg};
use crate::mask::mask;
use crate::{Options, Report, escape};

pub(crate) struct IncidentHtml;

const STYLE: &str = include_str!("incident.css");

impl Report for IncidentHtml {
    fn file(&self) -> &'static str {
        "incident.html"
    }
    fn summary(&self) -> &'static str {
        "the incident for people, with its picture: offline, self-contained, safe"
    }
    fn applies(&self, findings: &Findings) -> bool {
        findings.spread.is_some()
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let Some(spread) = &findings.spread else { return Ok(()) };
        let mut text = String::new();
        page(spread, &mut text).map_err(io::Error::other)?;
        out.write_all(text.as_bytes())
    }
}

fn page(spread: &ringleader_model::findings::Spread, out: &mut String) -> std::fmt::Result {
    let hash = |text: &str| base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text.as_bytes()));
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>The incident</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>The incident</h1>\n",
        hash(STYLE)
    )?;
    let mut open = false;
    for block in tell(spread) {
        let sentence = matches!(block, Block::Sentence(_) | Block::Commands(_));
        if open && !sentence {
            writeln!(out, "</ul>")?;
        } else if !open && sentence {
            writeln!(out, "<ul>")?;
        }
        open = sentence;
        match &block {
            Block::Heading(title) => writeln!(out, "<h2>{title}</h2>")?,
            Block::Picture => writeln!(out, "<figure>{}</figure>", svg::draw(spread))?,
            Block::InTime => writeln!(out, "<figure>{}</figure>", timeline_svg::draw(spread))?,
            Block::Sentence(it) => {
                write!(out, "<li>")?;
                for part in &it.parts {
                    match part {
                        Part::Ours(text) => write!(out, "{}", escape::html(text))?,
                        Part::Log(text) if text.is_empty() => {}
                        Part::Log(text) => write!(out, "<span class=\"log\">{}</span>", safe(text))?,
                    }
                }
                if !it.evidence_ids.is_empty() {
                    let ids: Vec<&str> = it.evidence_ids.iter().map(|it| it.get(..8).unwrap_or(it)).collect();
                    write!(out, " <small>{}</small>", safe(&ids.join(" ")))?;
                }
                writeln!(out, "</li>")?;
            }
            Block::Commands(all) => {
                for command in all.iter().take(8) {
                    writeln!(out, "<li class=\"command\"><code>{}</code></li>", safe(command))?;
                }
            }
            Block::Table(table) => {
                writeln!(out, "<div class=\"table\"><table><thead><tr>")?;
                table.head.iter().try_for_each(|it| write!(out, "<th>{it}</th>"))?;
                writeln!(out, "</tr></thead><tbody>")?;
                for row in &table.rows {
                    let class = row.iter().find(|it| {
                        matches!(it.as_str(), "compromised" | "attacked" | "attacked_failed" | "attacked_unknown")
                    });
                    write!(out, "<tr class=\"{}\">", class.map_or("", |it| it.as_str()))?;
                    row.iter().try_for_each(|it| write!(out, "<td>{}</td>", safe(it)))?;
                    writeln!(out, "</tr>")?;
                }
                writeln!(out, "</tbody></table></div>")?;
                if table.left_out > 0 {
                    writeln!(out, "<p>{} more in spread.json.</p>", table.left_out)?;
                }
            }
        }
    }
    if open {
        writeln!(out, "</ul>")?;
    }
    writeln!(out, "</main>\n</body>\n</html>")
}

fn safe(text: &str) -> String {
    escape::html(&mask(text))
}
