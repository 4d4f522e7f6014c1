//! → DOT: the heaviest gangs and their strongest indicators as a picture for Graphviz. A picture of everything would show nothing:
//! what is left out is said in it.

use std::io::{self, Write};

use super::Export;
use super::graph::{Draws, Key, Node, draw};
use super::shared::Shared;
use crate::escape;

const GANGS: usize = 60;
/// Of one gang.
const SIGNS: usize = 12;
const LABEL: usize = 48;

pub(super) struct Dot;

impl Export for Dot {
    fn name(&self) -> &'static str {
        "dot"
    }
    fn file(&self) -> &'static str {
        "gangs.dot"
    }
    fn summary(&self) -> &'static str {
        "a picture of the heaviest gangs and their strongest indicators, for Graphviz"
    }
    fn write(&self, shared: &Shared, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let (gangs, all) = (shared.gangs.len().min(GANGS), shared.gangs.len());
        writeln!(out, "digraph ringleader {{")?;
        writeln!(out, "    graph [layout=\"sfdp\" overlap=\"prism\" outputorder=\"edgesfirst\" labelloc=\"t\"]")?;
        writeln!(
            out,
            "    graph [label={}]",
            quoted(
                &format!("{}: {gangs} of {all} gangs, up to {SIGNS} indicators and hosts each", shared.tlp.label()),
                usize::MAX
            )
        )?;
        writeln!(
            out,
            "    node [fontname=\"sans-serif\" fontsize=10 style=\"filled\" fillcolor=\"white\"]\n    edge [fontsize=8 color=\"#78909c\"]"
        )?;
        draw(shared, GANGS, SIGNS, &mut Writer { out })?;
        writeln!(out, "}}")
    }
}

struct Writer<'o> {
    out: &'o mut (dyn Write + Send),
}

impl<'s> Draws<'s> for Writer<'_> {
    fn node(&mut self, node: Node<'s>) -> io::Result<()> {
        let looks = match node.key.0 {
            "gang" => "shape=\"doubleoctagon\" fillcolor=\"#ffcdd2\" fontsize=14",
            "campaign" => "shape=\"octagon\" fillcolor=\"#ffebee\"",
            "method" => "shape=\"house\" fillcolor=\"#fff3e0\"",
            "technique" => "shape=\"note\" fillcolor=\"#e8eaf6\"",
            "host" => "shape=\"box\" fillcolor=\"#e3f2fd\"",
            _ => "shape=\"ellipse\" fillcolor=\"#f1f8e9\"",
        };
        writeln!(self.out, "    {} [label={} {looks}]", id(&node.key), quoted(&node.label, LABEL))
    }
    fn edge(&mut self, from: &Key<'s>, to: &Key<'s>, what: &str) -> io::Result<()> {
        writeln!(self.out, "    {} -> {} [label=\"{what}\"]", id(from), id(to))
    }
}

fn id(key: &Key<'_>) -> String {
    quoted(&format!("{} {}", key.0, key.1), usize::MAX)
}

/// A quoted id of DOT: only `"` and `\` act in it, and in labels `\N`, `\G` and HTML entities: shown by look-alikes.
fn quoted(text: &str, most: usize) -> String {
    let text = escape::visible(text);
    let mut out = String::from("\"");
    for (n, c) in text.chars().enumerate() {
        if n == most {
            out.push('…');
            break;
        }
        out.push(match c {
            '"' => '\u{201d}',
            '\\' => '\u{29f5}',
            '&' => '\u{ff06}',
            '<' => '\u{2039}',
            '>' => '\u{203a}',
            c => c,
        });
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_stays_inside_its_quotes() {
        let got = quoted("a\"]; evil -> \"b\\\n<b>&amp;", 100);
        assert_eq!(got.matches('"').count(), 2, "{got}");
        assert!(!got.contains(['\\', '<', '>', '&', '\n']), "{got}");
        assert_eq!(quoted("abc", 2), "\"ab…\"");
    }
}
