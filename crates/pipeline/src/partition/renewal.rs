//! gangs → those that are one gang's waves: one kit, the same names, and each begins as another ends.
//!
//! Who renews all of its infrastructure leaves nothing that two waves share, save what it brings and what it calls
//! that. Two parties may share a kit and its names as well, but they do not take turns: of waves that run at one time,
//! neither is the other's renewal, and where several could be meant none is.

use std::collections::{BTreeMap, BTreeSet};

use super::attach::Shape;
use super::{Link, THRESHOLD};
use crate::merge::campaigns::Campaigns;
use crate::merge::sketch::{Key, Sketch};

/// How much of all templates of two waves both have, in thousandths.
const SAME_KIT: u64 = 700;
/// Of two that name no files of their own.
const SAME_KIT_UNNAMED: u64 = 800;
/// Files and folders that both name alike.
const NAMES: usize = 2;
/// A kit is more than this.
const TEMPLATES: usize = 8;

/// `small` ones too: before what has its own infrastructure is attached to its gang, it would be taken for a wave.
pub(super) fn renew(
    sketch: &Sketch,
    campaigns: &Campaigns,
    members: &mut BTreeMap<usize, Vec<usize>>,
    small: bool,
) -> Vec<Link> {
    let shapes: BTreeMap<usize, Shape<'_>> = members
        .iter()
        .map(|(gang, of)| (*gang, Shape::of(sketch, campaigns, of)))
        .filter(|(_, it)| it.signed && it.core.len() >= TEMPLATES && (small || !it.is_small()))
        .collect();
    let next = successors(&shapes);
    let mut links = Vec::new();
    let mut into: BTreeMap<usize, usize> = BTreeMap::new();
    for (before, after) in next {
        let (Some(from), Some(to)) = (members.get(&after), members.get(&before)) else { continue };
        let (own, other) = (&shapes[&after].templates, &shapes[&before].templates);
        let alike: Vec<Key> = own.iter().filter(|it| other.contains_key(it.0)).map(|it| *it.1).collect();
        let weight = THRESHOLD + (alike.len() as i64).min(THRESHOLD);
        links.push(Link { from: from[0], to: to[0], weight, because: Vec::new(), together: None, alike });
        into.insert(after, before);
    }
    for (after, before) in &into {
        // The first wave takes them all.
        let mut first = *before;
        while let Some(earlier) = into.get(&first) {
            first = *earlier;
        }
        let moved = members.remove(after).unwrap_or_default();
        let all = members.entry(first).or_default();
        all.extend(moved);
        all.sort_unstable();
    }
    links
}

/// Each wave with the one that renews it, where just one does and it renews no other.
fn successors(shapes: &BTreeMap<usize, Shape<'_>>) -> Vec<(usize, usize)> {
    let mut with: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (gang, shape) in shapes {
        shape.core.iter().for_each(|it| with.entry(it).or_default().push(*gang));
    }
    let mut shared: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    // What every kit has tells none from another.
    for gangs in with.into_values().filter(|it| it.len() <= super::COMPARED) {
        for (at, a) in gangs.iter().enumerate() {
            gangs[at + 1..].iter().for_each(|b| *shared.entry((*a, *b)).or_default() += 1);
        }
    }
    let mut after: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut before: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut at_once: BTreeSet<usize> = BTreeSet::new();
    for ((a, b), n) in shared {
        if !same_kit(&shapes[&a], &shapes[&b], n) {
            continue;
        }
        let (early, late) = if begins(&shapes[&a], a) <= begins(&shapes[&b], b) { (a, b) } else { (b, a) };
        if follows(&shapes[&early], &shapes[&late]) {
            after.entry(early).or_default().push(late);
            before.entry(late).or_default().push(early);
        } else {
            at_once.extend([a, b]);
        }
    }
    let nearest = |list: Option<&Vec<usize>>, last: bool| {
        let list = list?.iter().copied();
        let at = |it: &usize| begins(&shapes[it], *it);
        if last { list.max_by_key(at) } else { list.min_by_key(at) }
    };
    after
        .keys()
        .filter_map(|early| {
            let late = nearest(after.get(early), false)?;
            let mutual = nearest(before.get(&late), true) == Some(*early);
            (mutual && !at_once.contains(early) && !at_once.contains(&late)).then_some((*early, late))
        })
        .collect()
}

fn begins(shape: &Shape<'_>, at: usize) -> (i64, usize) {
    (shape.first, at)
}

fn same_kit(a: &Shape<'_>, b: &Shape<'_>, shared: u64) -> bool {
    let all = (a.core.len() + b.core.len()) as u64 - shared;
    let likeness = shared * 1000 / all.max(1);
    let unnamed = a.names.is_empty() && b.names.is_empty();
    match unnamed {
        true => likeness >= SAME_KIT_UNNAMED,
        false => likeness >= SAME_KIT && a.names.intersection(&b.names).count() >= NAMES,
    }
}

/// It begins when a good part of the other's time is over, or later: what a wave left behind runs on for long.
fn follows(early: &Shape<'_>, late: &Shape<'_>) -> bool {
    late.first.saturating_sub(early.first) >= early.last.saturating_sub(early.first) / 3 && late.first > early.first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(
        names: &'static [&'static str],
        templates: &'static [&'static str],
        first: i64,
        last: i64,
    ) -> Shape<'static> {
        Shape {
            templates: templates.iter().zip(0u128..).map(|(text, key)| (*text, key)).collect(),
            core: templates.iter().copied().collect(),
            names: names.iter().copied().collect(),
            signed: true,
            hosts: 9,
            first,
            last,
        }
    }

    const KIT: &[&str] = &["a 1", "b 1", "c 1", "d 1", "e 1", "f 1", "g 1", "h 1", "i 1", "j 1"];
    const OTHER: &[&str] = &["a 1", "b 1", "c 1", "d 1", "e 1", "f 1", "v 1", "w 1", "x 1", "y 1"];
    const NAMED: &[&str] = &["/tmp/.k/kd", "/tmp/.k"];

    fn check(shapes: Vec<Shape<'static>>, expect: &[(usize, usize)]) {
        assert_eq!(successors(&shapes.into_iter().enumerate().collect()), expect);
    }

    #[test]
    fn waves_take_turns() {
        check(vec![shape(NAMED, KIT, 0, 50), shape(NAMED, KIT, 40, 90), shape(NAMED, KIT, 80, 120)], &[(0, 1), (1, 2)]);
    }

    #[test]
    fn two_parties_with_one_kit_do_not() {
        check(vec![shape(NAMED, KIT, 0, 100), shape(NAMED, KIT, 10, 100)], &[]);
        // A third one could be either's renewal.
        check(vec![shape(NAMED, KIT, 0, 50), shape(NAMED, KIT, 5, 50), shape(NAMED, KIT, 60, 90)], &[]);
    }

    #[test]
    fn a_copy_has_names_of_its_own_and_another_kit_is_another() {
        check(vec![shape(NAMED, KIT, 0, 50), shape(&["/tmp/.q/kd", "/tmp/.q"], KIT, 40, 90)], &[]);
        check(vec![shape(NAMED, KIT, 0, 50), shape(NAMED, OTHER, 40, 90)], &[]);
    }
}
