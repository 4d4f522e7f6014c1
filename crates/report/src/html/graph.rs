//! A merged graph → SVG: a tidy tree from left to right. Deliberately absent: scripts, styles and links inside it.
//!
//! Source of the layout: Reingold and Tilford, "Tidier Drawings of Trees", 1981, turned on its side: subtrees are
//! placed as close as their outlines allow, a parent stands midway between its first and last child.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ringleader_model::findings::Campaign;

use super::safe;
use crate::attack::tactic;
use crate::number::grouped;

/// Processes in one drawing; the rest are counted. Those that show a behaviour, and many, come first.
pub(crate) const MAX_NODES: usize = 80;

/// What a page shows without scrolling; boxes are as wide as fits it, within reason.
const PAGE: i64 = 960;
const NARROW: i64 = 150;
const WIDE: i64 = 250;
const HEIGHT: i64 = 66;
const GAP: i64 = 36;
const ROW: i64 = HEIGHT + 12;
const MARGIN: i64 = 4;
/// Hundredths of a pixel that a character of a monospaced line takes.
const CHARACTER: i64 = 668;
const LINES: usize = 3;

/// Where each kept node stands: its index in the campaign, its column, and its middle.
pub(crate) struct Placed {
    pub(crate) index: usize,
    /// Index into the same list.
    parent: Option<usize>,
    depth: i64,
    y: i64,
}

/// The kept nodes, parents before children, placed.
pub(crate) fn layout(campaign: &Campaign) -> Vec<Placed> {
    let parents = parents(campaign);
    let kept = keep(campaign, &parents);
    let position: BTreeMap<usize, usize> = kept.iter().enumerate().map(|(at, index)| (*index, at)).collect();
    let parent: Vec<Option<usize>> =
        kept.iter().map(|index| parents[*index].and_then(|it| position.get(&it).copied())).collect();
    // The last list holds the roots, under one parent that is not drawn.
    let mut children = vec![Vec::new(); kept.len() + 1];
    for (at, parent) in parent.iter().enumerate() {
        children[parent.unwrap_or(kept.len())].push(at);
    }
    let mut outline: Vec<Vec<(i64, i64)>> = vec![Vec::new(); kept.len() + 1];
    let mut offset = vec![0i64; kept.len()];
    // Children stand after their parents, so going backwards meets them first.
    let order = std::iter::once(kept.len()).chain(0..kept.len()).collect::<Vec<_>>();
    for at in order.into_iter().rev() {
        outline[at] = place(&children[at], &mut offset, &mut outline);
    }
    let top = outline[kept.len()].iter().map(|it| it.0).min().unwrap_or(0);
    let mut out: Vec<Placed> = Vec::with_capacity(kept.len());
    for (at, index) in kept.iter().enumerate() {
        let (depth, y) = parent[at].map_or((0, MARGIN + HEIGHT / 2 - top), |it| (out[it].depth + 1, out[it].y));
        out.push(Placed { index: *index, parent: parent[at], depth, y: y + offset[at] });
    }
    out
}

/// Sets the children's offsets to their parent, and returns the outline of the whole, by depth, relative to the parent.
fn place(children: &[usize], offset: &mut [i64], outline: &mut [Vec<(i64, i64)>]) -> Vec<(i64, i64)> {
    let mut below: Vec<(i64, i64)> = Vec::new();
    for child in children {
        let own = std::mem::take(&mut outline[*child]);
        let shift = below.iter().zip(&own).map(|(before, it)| before.1 - it.0 + ROW).max().unwrap_or(0);
        offset[*child] = shift;
        for (depth, (low, high)) in own.into_iter().enumerate() {
            match below.get_mut(depth) {
                Some(it) => *it = (it.0.min(low + shift), it.1.max(high + shift)),
                None => below.push((low + shift, high + shift)),
            }
        }
    }
    let (first, last) = (children.first(), children.last());
    let middle = first.zip(last).map_or(0, |(first, last)| (offset[*first] + offset[*last]) / 2);
    for child in children {
        offset[*child] -= middle;
    }
    std::iter::once((0, 0)).chain(below.into_iter().map(|(low, high)| (low - middle, high - middle))).collect()
}

/// A parent that is not an earlier node is none: whatever the findings say, the drawing ends.
fn parents(campaign: &Campaign) -> Vec<Option<usize>> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut out = Vec::with_capacity(campaign.nodes.len());
    for (index, node) in campaign.nodes.iter().enumerate() {
        out.push(node.parent.as_deref().and_then(|it| seen.get(it).copied()));
        seen.entry(&node.node_id).or_insert(index);
    }
    out
}

/// The nodes to draw, in their order; each with its ancestors.
fn keep(campaign: &Campaign, parents: &[Option<usize>]) -> Vec<usize> {
    let nodes = &campaign.nodes;
    if nodes.len() <= MAX_NODES {
        return (0..nodes.len()).collect();
    }
    let mut ranked: Vec<usize> = (0..nodes.len()).collect();
    ranked.sort_by_key(|it| {
        let node = &nodes[*it];
        let shows = !node.behaviours.is_empty() || !node.network_roles.is_empty();
        (!shows, std::cmp::Reverse(node.observed_count.saturating_add(node.inferred_count)), *it)
    });
    let mut kept = vec![false; nodes.len()];
    let mut room = MAX_NODES;
    for index in ranked {
        let path: Vec<usize> =
            std::iter::successors(Some(index), |it| parents[*it]).take_while(|it| !kept[*it]).take(room + 1).collect();
        if path.len() <= room {
            room -= path.len();
            path.into_iter().for_each(|it| kept[it] = true);
        }
    }
    (0..nodes.len()).filter(|it| kept[*it]).collect()
}

/// The drawing. `first` is the number of its first node in the gang's data; `technique` finds a behaviour's.
pub(crate) fn svg(
    campaign: &Campaign,
    first: usize,
    label: &str,
    technique: impl Fn(&str) -> Option<String>,
) -> String {
    let placed = layout(campaign);
    let columns = placed.iter().map(|it| it.depth).max().unwrap_or(0) + 1;
    let box_width = ((PAGE - 2 * MARGIN - GAP * (columns - 1)) / columns).clamp(NARROW, WIDE);
    let left = |it: &Placed| MARGIN + it.depth * (box_width + GAP);
    let line = usize::try_from((box_width - 18) * 100 / CHARACTER).unwrap_or(20);
    let width = columns * (box_width + GAP) - GAP + 2 * MARGIN;
    let height = placed.iter().map(|it| it.y).max().unwrap_or(0) + HEIGHT / 2 + MARGIN;
    let mut out = String::new();
    let mut draw = |text: std::fmt::Arguments<'_>| out.write_fmt(text).expect("a String takes all");
    draw(format_args!(
        "<svg class=\"graph\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">",
        safe(label)
    ));
    for it in &placed {
        let Some(parent) = it.parent.map(|parent| &placed[parent]) else { continue };
        let kind = if campaign.nodes[it.index].observed_count == 0 { "edge inferred" } else { "edge" };
        let (start, end) = (left(parent) + box_width, left(it));
        let middle = end - GAP / 2;
        draw(format_args!(
            "<path class=\"{kind}\" d=\"M{start} {from} C{middle} {from} {middle} {to} {end} {to}\"/>",
            from = parent.y,
            to = it.y
        ));
    }
    for (at, it) in placed.iter().enumerate() {
        let node = &campaign.nodes[it.index];
        let kind = if node.observed_count == 0 { "node inferred" } else { "node" };
        let (x, y) = (left(it), it.y - HEIGHT / 2);
        let full = safe(&node.template);
        draw(format_args!(
            "<g class=\"{kind}\" data-n=\"{}\" tabindex=\"0\" role=\"button\" transform=\"translate({x} {y})\"><title>{full}</title>\
             <rect width=\"{box_width}\" height=\"{HEIGHT}\" rx=\"7\"/>",
            first + at
        ));
        for (n, text) in wrapped(&node.template, line).iter().enumerate() {
            draw(format_args!("<text x=\"9\" y=\"{}\">{}</text>", 16 + 13 * n, crate::escape::html(text)));
        }
        let mut x = 14;
        for behaviour in node.behaviours.iter().take(8) {
            let tactic = technique(behaviour).and_then(|it| tactic(&it));
            let colour = tactic.map_or("tx".to_owned(), |it| format!("t{it}"));
            draw(format_args!(
                "<circle class=\"{colour}\" cx=\"{x}\" cy=\"56\" r=\"4\"><title>{}</title></circle>",
                safe(behaviour)
            ));
            x += 11;
        }
        let inferred =
            if node.inferred_count > 0 { format!(" +{}", grouped(node.inferred_count)) } else { String::new() };
        let observed = if node.observed_count > 0 { grouped(node.observed_count) } else { String::new() };
        if let Some(role) = node.network_roles.first() {
            // Cut to what the counts leave: six pixels a character, seven a digit.
            let taken = 18 + 7 * i64::try_from(observed.len() + inferred.len()).unwrap_or(i64::MAX / 14);
            let room = usize::try_from((box_width - x - taken) / 6).unwrap_or(0);
            let role = super::cut(&crate::view::words(role), room.saturating_sub(1));
            draw(format_args!("<text class=\"role\" x=\"{x}\" y=\"60\">{}</text>", safe(&role)));
        }
        draw(format_args!(
            "<text class=\"count\" x=\"{}\" y=\"60\">{observed}<tspan class=\"plus\">{inferred}</tspan></text></g>",
            box_width - 9
        ));
    }
    draw(format_args!("</svg>"));
    out
}

/// A template in at most [`LINES`] lines, masked and visible, cut with `…`. Wide characters count twice.
fn wrapped(template: &str, width: usize) -> Vec<String> {
    let masked = crate::mask::mask_template(template);
    let text = crate::escape::visible(&masked);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for c in text.chars() {
        let wide = if u32::from(c) >= 0x2e80 { 2 } else { 1 };
        if used + wide > width {
            if lines.len() == LINES {
                if let Some(last) = lines.last_mut() {
                    last.pop();
                    last.push('…');
                }
                break;
            }
            // A word that would be cut moves to the next line, where it is short enough.
            let last = lines.last_mut().map(std::mem::take).unwrap_or_default();
            let (front, rest) = match last.rfind(' ').filter(|at| last.len() - at < width / 2) {
                Some(at) => (last[..at].to_owned(), last[at + 1..].to_owned()),
                None => (last, String::new()),
            };
            lines.pop();
            lines.push(front);
            used = rest.chars().map(|c| if u32::from(c) >= 0x2e80 { 2 } else { 1 }).sum();
            lines.push(rest);
        }
        used += wide;
        if let Some(last) = lines.last_mut() {
            last.push(c);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ringleader_model::findings::Node;

    fn campaign(parents: &[Option<usize>]) -> Campaign {
        let node = |(n, parent): (usize, &Option<usize>)| Node {
            node_id: n.to_string().into(),
            parent: parent.map(|it| it.to_string().into()),
            template: format!("p{n}").into(),
            observed_count: n as u64,
            ..Node::default()
        };
        Campaign { nodes: parents.iter().enumerate().map(node).collect(), ..Campaign::default() }
    }

    proptest! {
        #[test]
        fn no_two_boxes_overlap_and_children_stand_right_of_parents(
            parents in proptest::collection::vec(proptest::option::of(0usize..160), 0..200)
        ) {
            let campaign = campaign(&parents);
            let placed = layout(&campaign);
            prop_assert!(placed.len() <= MAX_NODES);
            prop_assert_eq!(placed.len(), parents.len().min(placed.len()));
            for (n, a) in placed.iter().enumerate() {
                prop_assert!(a.y >= MARGIN + HEIGHT / 2, "in the picture");
                if let Some(parent) = a.parent {
                    prop_assert!(parent < n && placed[parent].depth + 1 == a.depth);
                }
                for b in &placed[..n] {
                    prop_assert!(a.depth != b.depth || (a.y - b.y).abs() >= ROW);
                }
            }
        }
    }

    #[test]
    fn a_parent_stands_midway() {
        let placed = layout(&campaign(&[None, Some(0), Some(0), Some(0)]));
        assert_eq!(placed[0].y, placed[2].y);
        assert_eq!(placed[3].y - placed[1].y, 2 * ROW);
    }

    #[test]
    fn a_cycle_and_a_long_chain_end() {
        assert_eq!(layout(&campaign(&[Some(1), Some(0)])).len(), 2);
        let chain: Vec<_> = (0..100_000usize).map(|n| n.checked_sub(1)).collect();
        assert!(layout(&campaign(&chain)).len() <= MAX_NODES);
    }

    #[test]
    fn long_templates_are_wrapped_and_cut() {
        assert_eq!(wrapped("ls", 30), ["ls"]);
        let lines = wrapped(&"word ".repeat(40), 30);
        assert!(lines.len() == LINES && lines[LINES - 1].ends_with('…'));
        assert!(wrapped(&"宽".repeat(100), 30).iter().all(|it| it.chars().count() <= 16));
    }
}
