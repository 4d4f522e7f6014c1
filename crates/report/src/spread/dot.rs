//! Spread → `spread.dot`: the picture for Graphviz, in the colours that responders know: red solid taken, brown dotted
//! attacked without success, black dotted scanned.

use std::fmt::Write as _;
use std::io::{self, Write};

use ringleader_model::findings::{EdgeClass, Findings};

use super::fan::{Line, Node, lines};
use crate::mask::mask;
use crate::{Options, Report, escape};

/// Beyond so many edges `dot`'s layers take minutes: springs take a second.
const LAYERS: usize = 800;

pub(crate) struct Dot;

impl Report for Dot {
    fn file(&self) -> &'static str {
        "spread.dot"
    }
    fn summary(&self) -> &'static str {
        "the same incident as a picture for Graphviz"
    }
    fn applies(&self, findings: &Findings) -> bool {
        findings.spread.is_some()
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let Some(spread) = &findings.spread else { return Ok(()) };
        let lines = lines(spread);
        let mut text = String::from("digraph G {\n");
        if lines.len() > LAYERS {
            text.push_str("\ngraph[layout=\"sfdp\" overlap=\"prism\" outputorder=\"edgesfirst\"]\n");
        }
        let groups: [(&str, &[EdgeClass]); 3] = [
            ("style=\"dotted\" color=\"brown\"", &[EdgeClass::AttackedFailed, EdgeClass::AttackedUnknown]),
            ("style=\"solid\" color=\"red\"", &[EdgeClass::Compromised]),
            ("style=\"dotted\" color=\"black\"", &[EdgeClass::Scanned]),
        ];
        for (style, classes) in groups {
            let of_class: Vec<&Line> = lines.iter().filter(|it| classes.contains(&it.class)).collect();
            if of_class.is_empty() {
                continue;
            }
            let _ = writeln!(text, "\nedge[{style}]");
            for line in of_class {
                let _ = writeln!(text, "    {} -> {}", node(&line.from), node(&line.to));
            }
        }
        // A host that an alert names and nothing else does stands alone.
        let drawn = |host: &str| spread.edges.iter().any(|it| &*it.from == host || &*it.to == host);
        let alone: Vec<&str> = spread
            .hosts
            .iter()
            .filter(|it| it.verdict == ringleader_model::findings::Verdict::Compromised && !drawn(&it.host))
            .map(|it| &*it.host)
            .collect();
        if !alone.is_empty() {
            text.push('\n');
        }
        for host in alone {
            let _ = writeln!(text, "    {}", quoted(&[host], false));
        }
        text.push_str("\n}\n");
        out.write_all(text.as_bytes())
    }
}

fn node(node: &Node) -> String {
    let (named, more) = node.named();
    quoted(&named.iter().map(|it| &***it).collect::<Vec<_>>(), more > 0)
}

/// A quoted id of DOT: only `"` and `\` act in it, and `\n` between hosts is ours. What a name has of them is shown by
/// look-alikes, since DOT also reads `\N`, `\G` and HTML entities inside labels.
fn quoted(hosts: &[&str], more: bool) -> String {
    let mut parts: Vec<String> = hosts.iter().map(|it| dot(it)).collect();
    if more {
        parts.push("...".to_owned());
    }
    format!("\"{}\"", parts.join("\\n"))
}

fn dot(text: &str) -> String {
    let masked = mask(text);
    let safe = escape::visible(&masked);
    safe.chars()
        .map(|c| match c {
            '"' => '\u{201d}',
            '\\' => '\u{29f5}',
            '&' => '\u{ff06}',
            '<' => '\u{2039}',
            '>' => '\u{203a}',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_stays_inside_its_quotes() {
        let got = quoted(&["a\"]; evil -> \"b", "c\\", "d\n<b>&amp;"], true);
        assert_eq!(got.matches('"').count(), 2, "{got}");
        assert_eq!(got.matches('\\').count(), 3, "{got}");
        assert!(!got.contains(['<', '>', '&', '\n']), "{got}");
    }
}
