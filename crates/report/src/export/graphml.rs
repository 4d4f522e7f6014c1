//! → GraphML: the whole graph of gangs and what they have, for networkx, Gephi, yEd.

use std::io::{self, Write};

use super::Export;
use super::graph::{Draws, Key, Node, draw};
use super::shared::Shared;
use crate::escape;

/// Name, of what, and type of each attribute; its id is its place.
const KEYS: [(&str, &str, &str); 8] = [
    ("kind", "node", "string"),
    ("value", "node", "string"),
    ("label", "node", "string"),
    ("hosts", "node", "long"),
    ("confidence", "node", "int"),
    ("first_seen", "node", "string"),
    ("last_seen", "node", "string"),
    ("what", "edge", "string"),
];

pub(super) struct GraphMl;

impl Export for GraphMl {
    fn name(&self) -> &'static str {
        "graphml"
    }
    fn file(&self) -> &'static str {
        "gangs.graphml"
    }
    fn summary(&self) -> &'static str {
        "the graph of gangs, campaigns, methods, techniques, indicators and hosts, for networkx and Gephi"
    }
    fn write(&self, shared: &Shared, out: &mut (dyn Write + Send)) -> io::Result<()> {
        writeln!(
            out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">"
        )?;
        writeln!(out, "<desc>{}</desc>", xml(&shared.head().join("; ")))?;
        for (id, (name, of, kind)) in KEYS.iter().enumerate() {
            writeln!(out, "<key id=\"d{id}\" for=\"{of}\" attr.name=\"{name}\" attr.type=\"{kind}\"/>")?;
        }
        writeln!(out, "<graph id=\"ringleader\" edgedefault=\"directed\">")?;
        draw(shared, usize::MAX, usize::MAX, &mut Writer { out })?;
        writeln!(out, "</graph>\n</graphml>")
    }
}

struct Writer<'o> {
    out: &'o mut (dyn Write + Send),
}

impl<'s> Draws<'s> for Writer<'_> {
    fn node(&mut self, node: Node<'s>) -> io::Result<()> {
        let (kind, value) = (node.key.0, xml(&node.key.1));
        write!(self.out, "<node id=\"{kind} {value}\"><data key=\"d0\">{kind}</data><data key=\"d1\">{value}</data>")?;
        write!(self.out, "<data key=\"d2\">{}</data>", xml(&node.label))?;
        if let Some(hosts) = node.hosts {
            write!(self.out, "<data key=\"d3\">{hosts}</data>")?;
        }
        if let Some(confidence) = node.confidence {
            write!(self.out, "<data key=\"d4\">{confidence}</data>")?;
        }
        for (key, text) in [("d5", &node.first), ("d6", &node.last)] {
            if !text.is_empty() {
                write!(self.out, "<data key=\"{key}\">{text}</data>")?;
            }
        }
        writeln!(self.out, "</node>")
    }
    fn edge(&mut self, from: &Key<'s>, to: &Key<'s>, what: &str) -> io::Result<()> {
        writeln!(
            self.out,
            "<edge source=\"{} {}\" target=\"{} {}\"><data key=\"d7\">{what}</data></edge>",
            from.0,
            xml(&from.1),
            to.0,
            xml(&to.1)
        )
    }
}

/// As HTML, without the two characters that XML forbids.
pub(super) fn xml(text: &str) -> String {
    escape::html(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}
