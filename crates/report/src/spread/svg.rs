//! Spread → `spread.svg`: the picture without Graphviz. Hosts in columns, each one step from who was first; the colours
//! are those of `spread.dot`. Beautiful at ten hosts, readable at five thousand: leaves of one host fold into one node,
//! and beyond `MANY` hosts each is drawn with its strongest edge alone, which the picture says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write};

use ringleader_model::findings::{EdgeClass, Findings, Spread, Text, Verdict};

use super::fan::{Line, Node, lines, order};
use crate::mask::mask;
use crate::{Options, Report, escape};

/// Beyond this many nodes, only the tree is drawn.
const MANY: usize = 60;
/// Leaves of one host and one class that stand alone in a large picture, in a larger one, and in one still larger.
const LEAVES: [usize; 2] = [6, 1];
/// Beyond this many nodes the picture is folded further, in the end down to who took whom.
const FOLDED: usize = 260;
/// Wider pictures are not made smaller to fit a page: nobody could read them.
const LARGE: usize = 2_000;
/// Letters that a box holds.
const LETTERS: usize = 31;
/// Rows of one column before the rest is told in words.
const TALLEST: usize = 400;

const ROW: usize = 46;
const BOX: usize = 30;
const COLUMN: usize = 284;
const WIDTH: usize = 228;
const TOP: usize = 70;
const LEFT: usize = 24;

pub(crate) struct Svg;

impl Report for Svg {
    fn file(&self) -> &'static str {
        "spread.svg"
    }
    fn summary(&self) -> &'static str {
        "the same incident as a picture, drawn without Graphviz"
    }
    fn applies(&self, findings: &Findings) -> bool {
        findings.spread.is_some()
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let Some(spread) = &findings.spread else { return Ok(()) };
        out.write_all(draw(spread).as_bytes())
    }
}

fn rank(class: EdgeClass) -> u8 {
    match class {
        EdgeClass::Compromised => 0,
        EdgeClass::AttackedFailed | EdgeClass::AttackedUnknown => 1,
        EdgeClass::Scanned => 2,
    }
}

/// Nodes that lines touch.
fn touched(all: &[Line]) -> usize {
    all.iter().flat_map(|it| [&it.from, &it.to]).collect::<BTreeSet<_>>().len()
}

/// Each node with its strongest edge; more leaves of one host and one class than that folded. How many edges are left
/// out.
fn tree(all: Vec<Line>, most: usize) -> (Vec<Line>, usize) {
    let before = all.len();
    let mut best: BTreeMap<Node, Line> = BTreeMap::new();
    for line in all {
        match best.get(&line.to) {
            Some(known) if rank(known.class) <= rank(line.class) => {}
            _ => {
                best.insert(line.to.clone(), line);
            }
        }
    }
    let left_out = before - best.len();
    let callers: BTreeSet<Node> = best.values().map(|it| it.from.clone()).collect();
    let mut leaves: BTreeMap<(Node, u8), Vec<Line>> = BTreeMap::new();
    let mut kept = Vec::new();
    for (to, line) in best {
        if callers.contains(&to) {
            kept.push(line);
        } else {
            leaves.entry((line.from.clone(), rank(line.class))).or_default().push(line);
        }
    }
    for ((from, _), group) in leaves {
        if group.len() <= most {
            kept.extend(group);
            continue;
        }
        let class = group[0].class;
        let mut hosts: Vec<Text> = Vec::new();
        for line in group {
            match line.to {
                Node::Host(host) => hosts.push(host),
                Node::Fan(all) => hosts.extend(all),
            }
        }
        hosts.sort_by(|a, b| order(a).cmp(&order(b)));
        kept.push(Line { from, to: Node::Fan(hosts), class, method: None });
    }
    (kept, left_out)
}

pub(super) fn draw(spread: &Spread) -> String {
    let mut all = lines(spread);
    let mut left_out = 0;
    let mut unseen = 0;
    for most in LEAVES {
        if touched(&all) > if most == LEAVES[0] { MANY } else { FOLDED } {
            let (folded, more) = tree(all, most);
            (all, left_out) = (folded, left_out + more);
        }
    }
    if touched(&all) > FOLDED {
        let of = |line: &Line| if let Node::Fan(hosts) = &line.to { hosts.len() } else { 1 };
        unseen = all.iter().filter(|it| it.class == EdgeClass::Scanned).map(of).sum();
        all.retain(|it| it.class != EdgeClass::Scanned);
    }
    let columns = columns(spread, &all);
    let mut at: BTreeMap<&Node, (usize, usize)> = BTreeMap::new();
    let tallest = columns.iter().map(|it| it.len().min(TALLEST)).max().unwrap_or(0);
    let mut hidden = 0;
    let width = (LEFT * 2 + columns.len().saturating_sub(1) * COLUMN + WIDTH).max(760);
    for (x, column) in columns.iter().enumerate() {
        hidden += column.len().saturating_sub(TALLEST);
        let shown = column.len().min(TALLEST);
        // What does not fit a screen begins where one looks first.
        let offset = if width > LARGE { 0 } else { (tallest - shown) * ROW / 2 };
        for (y, node) in column.iter().take(TALLEST).enumerate() {
            at.insert(node, (LEFT + x * COLUMN, TOP + offset + y * ROW));
        }
    }
    let height = TOP + tallest.max(1) * ROW + 30;
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\"{} width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"who scanned, attacked and took whom\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n<defs>",
        // A page shows it at its own size, and scrolls.
        if width > LARGE { " class=\"large\"" } else { "" },
    );
    for (name, colour) in [("t", "#c62828"), ("a", "#8b4513"), ("s", "#333333")] {
        let _ = write!(
            out,
            "<marker id=\"{name}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerUnits=\"userSpaceOnUse\" markerWidth=\"9\" markerHeight=\"9\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"{colour}\"/></marker>"
        );
    }
    out.push_str("</defs>\n");
    legend(spread, left_out, unseen, hidden, &mut out);
    // The strongest last, so that it lies on top.
    let mut order: Vec<&Line> = all.iter().collect();
    order.sort_by_key(|it| std::cmp::Reverse(rank(it.class)));
    for line in order {
        if let (Some(from), Some(to)) = (at.get(&line.from), at.get(&line.to)) {
            edge(line, *from, *to, &mut out);
        }
    }
    let verdicts: BTreeMap<&Text, (Verdict, bool)> =
        spread.hosts.iter().map(|it| (&it.host, (it.verdict, it.missed_by_alerts))).collect();
    let zero = spread.patient_zero.first().map(|it| &it.host);
    for (node, place) in &at {
        self::node(node, *place, &verdicts, zero, &mut out);
    }
    out.push_str("</svg>\n");
    out
}

/// Steps from who was first (or from whom nobody called), each column ordered by its callers' places.
fn columns(spread: &Spread, all: &[Line]) -> Vec<Vec<Node>> {
    let mut step: BTreeMap<&Node, usize> = BTreeMap::new();
    let called: BTreeSet<&Node> = all.iter().filter(|it| it.class == EdgeClass::Compromised).map(|it| &it.to).collect();
    let mut open: Vec<&Node> = all.iter().map(|it| &it.from).filter(|it| !called.contains(it)).collect();
    open.sort();
    open.dedup();
    if open.is_empty()
        && let Some(first) = all.first()
    {
        open.push(&first.from);
    }
    open.iter().for_each(|it| {
        step.insert(it, 0);
    });
    // First along who took whom, then along the rest.
    for taken in [true, false] {
        let mut queue: std::collections::VecDeque<&Node> = step.keys().copied().collect();
        let mut out: BTreeMap<&Node, Vec<&Node>> = BTreeMap::new();
        for line in all.iter().filter(|it| !taken || it.class == EdgeClass::Compromised) {
            out.entry(&line.from).or_default().push(&line.to);
        }
        while let Some(node) = queue.pop_front() {
            let next = step[node] + 1;
            for to in out.get(node).into_iter().flatten() {
                if !step.contains_key(to) {
                    step.insert(to, next);
                    queue.push_back(to);
                }
            }
        }
    }
    let mut columns: Vec<Vec<Node>> = Vec::new();
    let mut alone: Vec<Node> = spread
        .hosts
        .iter()
        .filter(|it| matches!(it.verdict, Verdict::Compromised | Verdict::AlertedOnly))
        .map(|it| Node::Host(it.host.clone()))
        .filter(|it| !step.contains_key(it))
        .collect();
    // A path of a worm may be longer than a page is wide: what is too far stands in the last column.
    for (node, at) in step {
        let at = at.min(24);
        while columns.len() <= at {
            columns.push(Vec::new());
        }
        columns[at].push(node.clone());
    }
    if columns.is_empty() {
        columns.push(Vec::new());
    }
    let mut place: BTreeMap<Node, usize> = BTreeMap::new();
    for column in &mut columns {
        let key = |node: &Node| {
            let callers: Vec<usize> =
                all.iter().filter(|it| it.to == *node).filter_map(|it| place.get(&it.from).copied()).collect();
            let middle =
                if callers.is_empty() { usize::MAX } else { callers.iter().sum::<usize>() * 16 / callers.len() };
            (middle, named_order(node))
        };
        let mut keyed: Vec<((usize, Named), Node)> = column.drain(..).map(|it| (key(&it), it)).collect();
        keyed.sort();
        for (y, (_, node)) in keyed.into_iter().enumerate() {
            place.insert(node.clone(), y);
            column.push(node);
        }
    }
    alone.truncate(40);
    columns[0].extend(alone);
    columns
}

/// Addresses by number, names after them.
type Named = (bool, Option<std::net::IpAddr>, String);

fn named_order(node: &Node) -> Named {
    let (named, _) = node.named();
    let (name, ip, text) = order(named.first().map_or("", |it| it));
    (name, ip, text.to_owned())
}

fn legend(spread: &Spread, left_out: usize, unseen: usize, hidden: usize, out: &mut String) {
    let items =
        [("#c62828", "", "taken"), ("#8b4513", "2 4", "attacked, no success seen"), ("#333333", "2 4", "scanned")];
    for ((colour, dash, text), x) in items.into_iter().zip([LEFT, LEFT + 110, LEFT + 350]) {
        let _ = writeln!(
            out,
            "<line x1=\"{x}\" y1=\"24\" x2=\"{}\" y2=\"24\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dash}\"/><text x=\"{}\" y=\"28\" fill=\"#333\">{text}</text>",
            x + 34,
            x + 42
        );
    }
    let count = |verdict: Verdict| spread.hosts.iter().filter(|it| it.verdict == verdict).count();
    let mut words = format!(
        "{} taken, {} attacked, {} scanned",
        count(Verdict::Compromised),
        count(Verdict::Attacked),
        count(Verdict::Scanned)
    );
    if left_out > 0 {
        let _ = write!(words, "; {left_out} weaker edges are not drawn");
    }
    if unseen > 0 {
        let _ = write!(words, "; {unseen} that were only scanned are not drawn");
    }
    if hidden > 0 {
        let _ = write!(words, "; {hidden} nodes are not drawn");
    }
    let _ = writeln!(out, "<text x=\"{LEFT}\" y=\"52\" fill=\"#5b6472\">{words}</text>");
}

fn edge(line: &Line, from: (usize, usize), to: (usize, usize), out: &mut String) {
    let (colour, dash, wide, marker) = match line.class {
        EdgeClass::Compromised => ("#c62828", "", "2.2", "t"),
        EdgeClass::AttackedFailed | EdgeClass::AttackedUnknown => ("#8b4513", "2 4", "1.6", "a"),
        EdgeClass::Scanned => ("#333333", "2 4", "1.2", "s"),
    };
    let (y1, y2) = (from.1 + BOX / 2, to.1 + BOX / 2);
    let path = if to.0 > from.0 {
        let (x1, x2) = (from.0 + WIDTH, to.0 - 3);
        let bend = (x2 - x1) / 2;
        format!("M{x1} {y1}C{} {y1} {} {y2} {x2} {y2}", x1 + bend, x2 - bend)
    } else {
        // Back, or within a column: around the right side.
        let (x1, x2) = (from.0 + WIDTH, to.0 + WIDTH + 3);
        let far = x1.max(x2) + 46;
        format!("M{x1} {y1}C{far} {y1} {far} {y2} {x2} {y2}")
    };
    let title =
        line.method.as_ref().map_or_else(|| line.class.name().to_owned(), |it| format!("{}, {it}", line.class.name()));
    let _ = writeln!(
        out,
        "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{wide}\" stroke-dasharray=\"{dash}\" marker-end=\"url(#{marker})\"><title>{}</title></path>",
        escape::html(&mask(&title))
    );
}

fn node(
    node: &Node,
    (x, y): (usize, usize),
    verdicts: &BTreeMap<&Text, (Verdict, bool)>,
    zero: Option<&Text>,
    out: &mut String,
) {
    let (named, more) = node.named();
    let of = named.first().and_then(|it| verdicts.get(it)).copied();
    let (fill, stroke) = match of.map(|it| it.0) {
        Some(Verdict::Compromised) => ("#fdecea", "#c62828"),
        Some(Verdict::Attacked) => ("#faf0e6", "#8b4513"),
        Some(Verdict::AlertedOnly) => ("#fff8d6", "#b58900"),
        _ => ("#f4f5f7", "#8a929e"),
    };
    let first = zero.is_some_and(|it| matches!(node, Node::Host(host) if host == it));
    let label = |shown: usize| {
        let parts = named.iter().take(shown).enumerate();
        let parts: Vec<String> = parts.map(|(at, it)| if at == 0 { (**it).to_string() } else { tail(it) }).collect();
        match more + named.len() - parts.len() {
            0 => parts.join(", "),
            more => format!("{} and {more} more", parts.join(", ")),
        }
    };
    let full = label(named.len());
    // Rather fewer names than a number that is cut.
    let fits = (1..=named.len()).rev().map(label).find(|it| it.chars().count() <= LETTERS);
    let label = fits.unwrap_or_else(|| short(&label(1), LETTERS));
    let _ = write!(
        out,
        "<g><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{BOX}\" rx=\"7\" fill=\"{fill}\" stroke=\"{stroke}\" stroke-width=\"{}\"/><text x=\"{}\" y=\"{}\" fill=\"#1d2129\">{}</text>",
        escape::html(&mask(&full)),
        if first { 3 } else { 1 },
        x + 10,
        y + 20,
        escape::html(&mask(&label))
    );
    let tag = if first {
        "first"
    } else if of.is_some_and(|it| it.1) {
        "no alert"
    } else {
        ""
    };
    if !tag.is_empty() {
        let _ = write!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" font-size=\"10\" fill=\"{stroke}\">{tag}</text>",
            x + WIDTH - 6,
            y - 3
        );
    }
    out.push_str("</g>\n");
}

/// `10.0.3.2` → `.2`, as in "10.0.3.1, .2, .7 and 243 more".
fn tail(host: &str) -> String {
    match host.parse::<std::net::Ipv4Addr>() {
        Ok(ip) => format!(".{}", ip.octets()[3]),
        Err(_) => host.to_owned(),
    }
}

fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}
