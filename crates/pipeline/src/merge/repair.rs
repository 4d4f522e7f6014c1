//! a gang's steps + its episodes on one host → the processes that ran there and were not logged.
//!
//! The second pass: against what all hosts show together, host by host. Observed evidence is never altered, and repairs are
//! never counted back. Where an optional step and a lost one look alike, nothing is claimed.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::findings::{Grade, ParentStatus};
use ringleader_model::hash::hash64;

use super::campaigns::Campaign;
use super::record::{EpisodeRecord, NodeRecord};
use super::sketch::{Key, is_told};
use super::steps::Steps;
use crate::connect::link::base_name;

/// Fewer comparable episodes than this prove nothing.
const LEAST_SIBLINGS: u64 = 3;
/// Claims are made from this confidence on (thousandths).
const REPORT_STRUCTURAL: u64 = 850;
const REPORT_STATISTICAL: u64 = 900;
const ONE: u64 = 1000;
/// Of two command lines that could both be meant, one is told alone from this share on.
const ALONE: u64 = 900;
/// Alternatives are told as one pattern until this share of them is covered.
const COVERED: u64 = 970;
/// Steps up from a lost process that are told too.
const UP: usize = 6;
/// What another episode of the host shows within this time is not missing, microseconds.
const AROUND: i64 = 120_000_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    pub node: Key,
    pub parent_node: Option<Key>,
    pub template: String,
    pub file_path: Option<String>,
    pub grade: Grade,
    pub child_event: Option<u128>,
    pub parent_event: Option<u128>,
    pub siblings: u64,
    pub support: u64,
    pub confidence_permille: u16,
    pub not_before: Option<i64>,
    pub not_after: Option<i64>,
}

/// An episode, and the campaign that it is in.
pub type Instance<'a> = (&'a EpisodeRecord, &'a Campaign);

/// What is missing from each of one gang's episodes on one host, in their order. `fleet` is the share of events that
/// hosts lose, in thousandths.
///
/// Cost: O(nodes of the episodes × steps below each).
pub fn repairs(steps: &Steps<'_>, of_host: &[Instance<'_>], fleet: u64) -> Vec<Vec<Repair>> {
    let mut seen = Seen::of(of_host);
    let mut all: Vec<Vec<Repair>> = Vec::new();
    // What is proven comes first: what one episode proves, another must not suppose.
    for (record, _) in of_host {
        let mut mend = Mend { steps, record, loss: Loss::of(record, fleet), seen: &mut seen, found: Vec::new() };
        mend.structural();
        all.push(mend.found);
    }
    for ((record, campaign), found) in of_host.iter().zip(&mut all) {
        let known = std::mem::take(found);
        let mut mend = Mend { steps, record, loss: Loss::of(record, fleet), seen: &mut seen, found: known };
        mend.statistical(campaign);
        *found = mend.found;
        found.sort_by_key(|it| (it.node, it.child_event));
    }
    all
}

/// When each command line ran on the host, and with which event; claimed ones too, without event.
#[derive(Default)]
struct Seen {
    all: Times,
    /// Those below no logged process: each may be what is missing elsewhere.
    loose: Times,
}

type Times = BTreeMap<u64, Vec<(i64, Option<u128>)>>;

impl Seen {
    fn of(of_host: &[Instance<'_>]) -> Self {
        let mut seen = Self::default();
        for (record, _) in of_host {
            for node in record.nodes.iter().filter(|it| !it.inferred) {
                let Some(start) = node.start else { continue };
                let ran = (start, node.members.first().map(|it| it.event));
                seen.all.entry(node.template).or_default().push(ran);
                let above = node.parent.and_then(|it| record.nodes.get(it as usize));
                if above.is_none_or(|it| it.inferred) {
                    seen.loose.entry(node.template).or_default().push(ran);
                }
            }
        }
        seen.all.values_mut().chain(seen.loose.values_mut()).for_each(|it| it.sort_unstable());
        seen
    }

    fn claim(&mut self, template: &str, time: i64) {
        for times in [&mut self.all, &mut self.loose] {
            let times = times.entry(hash64(template.as_bytes())).or_default();
            let at = times.partition_point(|it| it.0 <= time);
            times.insert(at, (time, None));
        }
    }
}

/// The last one within the span.
fn within(times: &Times, template: &str, from: i64, until: i64) -> Option<(i64, Option<u128>)> {
    let times = times.get(&hash64(template.as_bytes()))?;
    times.iter().rev().find(|it| (from..=until).contains(&it.0)).copied()
}

struct Mend<'m, 'a> {
    steps: &'m Steps<'a>,
    record: &'m EpisodeRecord,
    loss: Loss,
    seen: &'m mut Seen,
    found: Vec<Repair>,
}

/// The command lines that a lost process may have had, most likely first, with their shares in thousandths.
struct Alternatives<'a> {
    list: Vec<(Key, &'a str, u64)>,
    /// Episodes that show the child below a logged parent.
    support: u64,
    siblings: u64,
    /// That there was an event to lose.
    lost: u64,
}

impl<'a> Mend<'_, 'a> {
    /// Unlogged parents that logged children prove.
    fn structural(&mut self) {
        let nodes = &self.record.nodes;
        for (index, node) in nodes.iter().enumerate().filter(|(_, it)| it.inferred && it.members.is_empty()) {
            let children: Vec<&NodeRecord> = nodes
                .iter()
                .filter(|it| it.parent == Some(index as u32) && !it.inferred && it.status == ParentStatus::Missing)
                .collect();
            let Some(child) = children.first() else { continue };
            let name = base_name(node.file_path.as_deref().unwrap_or(""));
            let Some(it) = self.alternatives(&children.iter().map(|it| it.template).collect::<Vec<_>>(), name) else {
                continue;
            };
            let (template, share) = told(&it.list);
            let confidence = it.lost * share / ONE;
            if confidence < REPORT_STRUCTURAL {
                continue;
            }
            let path = it.list[0].0;
            let before = child.start.unwrap_or(i64::MAX);
            self.seen.claim(&template, before);
            let place = self.found.len();
            self.found.push(Repair {
                node: path,
                parent_node: self.steps.get(path).and_then(|it| it.parent),
                template,
                file_path: node.file_path.clone(),
                grade: Grade::Structural,
                child_event: child.members.first().map(|it| it.event),
                parent_event: child.ancestor_event,
                siblings: it.siblings,
                support: it.support,
                confidence_permille: permille(confidence),
                not_before: None,
                not_after: child.start,
            });
            if share >= ALONE && it.list[0].2 >= ALONE {
                let parent = self.upwards(path, before, confidence);
                let claim = &mut self.found[place];
                claim.parent_event = claim.parent_event.or(parent);
            }
        }
    }

    /// What may have been above these command lines, under the name that their records give.
    fn alternatives(&self, children: &[u64], name: &str) -> Option<Alternatives<'a>> {
        let (mut support, mut siblings, mut lost) = (0, 0, 0);
        let mut of_child: Vec<BTreeMap<Key, u64>> = Vec::new();
        for child in children {
            let mut edges: BTreeMap<Key, u64> = BTreeMap::new();
            let mut unlogged = 0;
            for start in self.steps.starts(*child) {
                match (start.above, start.unlogged) {
                    (Some((path, above)), _) if is_named(above.template, name) => {
                        *edges.entry(path).or_default() += start.times;
                    }
                    (_, Some(above)) if is_named(above, name) => unlogged += start.times,
                    _ => {}
                }
            }
            let logged: u64 = edges.values().sum();
            if logged == 0 {
                continue;
            }
            lost = lost.max(self.loss.lost_of(logged, unlogged));
            of_child.push(edges);
            if logged > support {
                (support, siblings) = (logged, logged + unlogged);
                // What is best known is asked first.
                let last = of_child.len() - 1;
                of_child.swap(0, last);
            }
        }
        let mut of_child = of_child.into_iter();
        let first = of_child.next()?;
        let mut scores: BTreeMap<Key, u128> =
            first.into_iter().map(|(path, times)| (path, u128::from(times) << 20)).collect();
        for edges in of_child {
            for (path, score) in &mut scores {
                let runs = self.steps.get(*path).map_or(1, |it| it.observed.max(1));
                let times = edges.get(path).copied().unwrap_or(0);
                *score = *score * u128::from(times * 100 + 1) / u128::from(runs * 100 + 1);
            }
        }
        let sum: u128 = scores.values().sum();
        if sum == 0 {
            return None;
        }
        // Paths of one command line are one alternative; its likeliest path stands for it.
        let mut by_text: BTreeMap<&str, (u128, Key, u128)> = BTreeMap::new();
        for (path, score) in scores {
            let Some(step) = self.steps.get(path) else { continue };
            let slot = by_text.entry(step.template).or_insert((0, path, 0));
            slot.0 += score;
            if score > slot.2 {
                (slot.1, slot.2) = (path, score);
            }
        }
        let mut list: Vec<(Key, &str, u64)> =
            by_text.into_iter().map(|(text, it)| (it.1, text, (it.0 * u128::from(ONE) / sum) as u64)).collect();
        list.sort_by_key(|it| (std::cmp::Reverse(it.2), it.0));
        (support >= LEAST_SIBLINGS).then_some(Alternatives { list, support, siblings, lost })
    }

    /// Above a lost process: the event of the one that started it, or claims for those that were lost as well.
    fn upwards(&mut self, path: Key, before: i64, mut confidence: u64) -> Option<u128> {
        let mut at = path;
        for n in 0..UP {
            let (up, step) =
                self.steps.get(at).and_then(|it| it.parent).and_then(|it| Some((it, self.steps.get(it)?)))?;
            if !is_told(step.template) || step.fragment || step.observed < LEAST_SIBLINGS {
                return None;
            }
            // How long the lost process had been running is not known.
            if let Some((_, event)) = within(&self.seen.all, step.template, i64::MIN, before.saturating_add(AROUND)) {
                return event.filter(|_| n == 0);
            }
            let support = self.steps.get(at).map_or(0, |it| it.observed);
            confidence = confidence * self.loss.lost_of(support, 1) / ONE;
            if confidence < REPORT_STATISTICAL {
                return None;
            }
            self.seen.claim(step.template, before);
            self.found.push(Repair {
                node: up,
                parent_node: step.parent,
                template: step.template.to_owned(),
                file_path: None,
                grade: Grade::Statistical,
                child_event: None,
                parent_event: None,
                siblings: support.max(step.episodes),
                support,
                confidence_permille: permille(confidence),
                not_before: None,
                not_after: Some(before),
            });
            at = up;
        }
        None
    }

    /// What runs below a step on the other hosts, and is not here.
    fn statistical(&mut self, campaign: &Campaign) {
        let nodes = &self.record.nodes;
        let times = || nodes.iter().filter_map(|it| it.start);
        let (Some(first), Some(last)) = (times().min(), times().max()) else { return };
        let (from, until) = (first.saturating_sub(AROUND), last.saturating_add(AROUND));
        let mut present: BTreeSet<Key> = BTreeSet::new();
        let mut work: Vec<(Key, u64, Option<usize>)> = Vec::new();
        for (at, node) in nodes.iter().enumerate().filter(|(_, it)| !it.inferred) {
            if let Some(path) = self.steps.whole_path(node, campaign.resolve(node.path))
                && present.insert(path)
            {
                work.push((path, ONE, Some(at)));
            }
        }
        let claimed: Vec<(Key, u64)> =
            self.found.iter().map(|it| (it.node, u64::from(it.confidence_permille))).collect();
        for (path, confidence) in claimed {
            if present.insert(path) {
                work.push((path, confidence, None));
            }
        }
        let mut next = 0;
        while let Some((path, sure, at)) = work.get(next).copied() {
            next += 1;
            let siblings = self.steps.get(path).map_or(0, |it| it.episodes);
            if siblings < LEAST_SIBLINGS {
                continue;
            }
            let above = at.map(|it| &nodes[it]);
            // When a lost process started, and so what it started, is not known.
            let (from, until) = if above.is_some() { (from, until) } else { (i64::MIN, i64::MAX) };
            for (child, step) in self.steps.below(path) {
                let support = step.episodes.min(siblings);
                let confidence = sure * self.loss.ran_unseen(support, siblings) / ONE;
                if support < LEAST_SIBLINGS
                    || confidence < REPORT_STATISTICAL
                    || present.contains(&child)
                    || !is_told(step.template)
                    || within(&self.seen.loose, step.template, from, until).is_some()
                {
                    continue;
                }
                let time = above.and_then(|it| it.start).unwrap_or(last);
                self.seen.claim(step.template, time);
                present.insert(child);
                work.push((child, confidence, None));
                self.found.push(Repair {
                    node: child,
                    parent_node: Some(path),
                    template: step.template.to_owned(),
                    file_path: None,
                    grade: Grade::Statistical,
                    child_event: None,
                    parent_event: above.and_then(|it| it.members.first()).map(|it| it.event),
                    siblings,
                    support,
                    confidence_permille: permille(confidence),
                    not_before: above.and_then(|it| it.start),
                    not_after: above.and_then(|it| it.end),
                });
            }
        }
    }
}

/// Whether a command line may be that of the program: it is its first word, or a script that its first words run.
fn is_named(text: &str, program: &str) -> bool {
    program.is_empty() || text.split(' ').take(3).any(|it| base_name(it).trim_start_matches('-') == program)
}

fn permille(confidence: u64) -> u16 {
    u16::try_from(confidence.min(ONE)).unwrap_or(1000)
}

/// What can be said of the command line, and how likely it is right: the likeliest one, or a pattern for those that are
/// likely.
fn told(list: &[(Key, &str, u64)]) -> (String, u64) {
    let (_, best, share) = list[0];
    if share >= ALONE {
        return (best.to_owned(), share);
    }
    let mut covered = 0;
    let some: Vec<&str> = list
        .iter()
        .take_while(|it| {
            let more = covered < COVERED;
            covered += if more { it.2 } else { 0 };
            more
        })
        .map(|it| it.1)
        .collect();
    match pattern(&some) {
        Some(pattern) => (pattern, covered.min(ONE)),
        None => (best.to_owned(), share),
    }
}

/// The words that all begin with, `<text>`, and the words that all end with.
fn pattern(texts: &[&str]) -> Option<String> {
    let words: Vec<Vec<&str>> = texts.iter().map(|it| it.split(' ').collect()).collect();
    let shortest = words.iter().map(Vec::len).min()?;
    let same = |at: &dyn Fn(&[&str]) -> String| {
        let first = at(&words[0]);
        words.iter().all(|it| at(it) == first)
    };
    let mut head = 0;
    while head < shortest && same(&|it: &[&str]| it[head].to_owned()) {
        head += 1;
    }
    // Every one has a word left that differs.
    let head = head.min(shortest - 1);
    let mut tail = 0;
    while head + tail + 1 < shortest && same(&|it: &[&str]| it[it.len() - 1 - tail].to_owned()) {
        tail += 1;
    }
    // One program under two spellings: what it runs tells it.
    if head == 0 && tail < 2 {
        return None;
    }
    let one = &words[0];
    let mut parts: Vec<&str> = one[..head].to_vec();
    parts.push("<text>");
    parts.extend(&one[one.len() - tail..]);
    Some(parts.join(" "))
}

/// The host's loss, in thousandths.
struct Loss {
    host: u64,
    fleet: u64,
}

/// What is short-lived is lost so many times as often as others.
const SHORT_LIVED: u64 = 2;
const MOST_LOST: u64 = 950;
/// Links that tell a host's own loss.
const TELLING_LINKS: u64 = 50;

impl Loss {
    fn of(record: &EpisodeRecord, fleet: u64) -> Self {
        // Few links say little: the rest is taken from the fleet.
        let links = record.host_links.max(TELLING_LINKS);
        let host = (record.host_missing * ONE + (links - record.host_links) * fleet) / links;
        Self { host: host.min(MOST_LOST), fleet: fleet.min(MOST_LOST) }
    }

    /// Of the times that a parent was not logged, how often its event was lost, and it was no fork without one: for
    /// `logged` times that it was logged, so many more are lost, give or take what chance does. A short-lived process is
    /// lost more often than others.
    fn lost_of(&self, logged: u64, unlogged: u64) -> u64 {
        let host = (self.host * SHORT_LIVED).min(MOST_LOST);
        let expected = logged * host / (ONE - host);
        let chance = 2 * expected.isqrt() + 2;
        if self.host == 0 || expected + chance == 0 {
            return 0;
        }
        if unlogged <= expected + chance { self.some() } else { expected * ONE / unlogged }
    }

    /// Where next to nothing is lost, this one is not either.
    fn some(&self) -> u64 {
        (self.host * 50).min(ONE)
    }

    /// The probability (thousandths) that a step ran where it was not seen. How many episodes really run it is not
    /// known: each share is weighed by how well it explains what was seen; that all run it counts as much as all other
    /// shares together.
    fn ran_unseen(&self, support: u64, siblings: u64) -> u64 {
        // More episodes than this do not make it surer: they are not independent.
        const MOST: u64 = 400;
        const SHARES: u32 = 20;
        let (support, siblings) =
            if siblings > MOST { (support * MOST / siblings, MOST) } else { (support, siblings.max(1)) };
        let seen = 1.0 - self.fleet as f64 / 1000.0;
        let lost = self.host as f64 / 1000.0;
        let best = (support as f64 / siblings as f64).clamp(0.001, 0.999);
        let (mut all, mut ran) = (0.0, 0.0);
        for share in 1..=SHARES {
            let q = f64::from(share) / f64::from(SHARES);
            let prior = if share == SHARES { 0.5 } else { 0.5 / f64::from(SHARES - 1) };
            let shows = (q * seen).clamp(0.001, 0.999);
            let explains = power(shows / best, support) * power((1.0 - shows) / (1.0 - best), siblings - support);
            all += prior * explains * (q * lost + 1.0 - q);
            ran += prior * explains * q * lost;
        }
        if all > 0.0 { (ran / all * 1000.0) as u64 } else { 0 }
    }
}

/// By multiplication alone, so that the bits are the same everywhere.
fn power(base: f64, times: u64) -> f64 {
    let (mut result, mut base, mut times) = (1.0, base, times);
    while times > 0 {
        if times % 2 == 1 {
            result *= base;
        }
        base *= base;
        times /= 2;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_half_of_the_siblings_skip_is_not_invented() {
        let loss = Loss { host: 300, fleet: 300 };
        assert!(loss.ran_unseen(50, 100) < 500, "{}", loss.ran_unseen(50, 100));
        assert!(loss.ran_unseen(70, 100) > 900, "all that were not lost show it: {}", loss.ran_unseen(70, 100));
        assert!(loss.ran_unseen(280, 400) > 950, "{}", loss.ran_unseen(280, 400));
        let lossless = Loss { host: 0, fleet: 0 };
        assert!(lossless.ran_unseen(97, 100) < 100, "a sensor that loses nothing has seen that it did not run");
    }

    #[test]
    fn a_parent_that_never_has_an_event_is_a_fork() {
        let loss = Loss { host: 300, fleet: 300 };
        assert_eq!(loss.lost_of(70, 30), 1000);
        assert!(loss.lost_of(0, 30) < 100, "{}", loss.lost_of(0, 30));
        assert_eq!(loss.lost_of(50, 50), 1000, "what is short-lived is lost more often");
        assert!(loss.lost_of(10, 90) < 500);
        assert_eq!(Loss { host: 0, fleet: 0 }.lost_of(70, 1), 0);
    }

    #[test]
    fn alternatives_are_told_by_what_they_have_in_common() {
        assert_eq!(pattern(&["sh -c ps aux | grep a", "sh -c ps aux | grep b"]).unwrap(), "sh -c ps aux | grep <text>");
        assert_eq!(pattern(&["sh -c x", "sh -c a b x"]).unwrap(), "sh -c <text>");
        assert_eq!(pattern(&["bash a.sh now", "bash b.sh now"]).unwrap(), "bash <text> now");
        assert_eq!(pattern(&["sh", "sh -c x"]), None);
        assert_eq!(pattern(&["sh -c a | b", "/bin/sh -c a | b"]).unwrap(), "<text> -c a | b");
        assert_eq!(told(&[(1, "sh -c a", 950), (2, "sh -c b", 50)]), ("sh -c a".to_owned(), 950));
        assert_eq!(told(&[(1, "sh -c a", 600), (2, "sh -c b", 400)]), ("sh -c <text>".to_owned(), 1000));
    }
}
