//! an episode that was cut off by what the sensor lost, next to an intrusion → whether it is a part of it.
//!
//! Two things must hold: the gang does all that the remnant shows, and such remnants stand next to that gang's episodes
//! far more often than chance puts them there. A view: remnants stay in the background's counts.

use std::collections::BTreeMap;

use super::background::BACKGROUND_PATHS;
use super::record::{EpisodeRecord, Tie};
use super::sketch::{Key, Sketch};

/// What ran within this time of an intruder's process is next to it, microseconds.
pub const NEAR: i64 = 5_000_000;
/// Of a hundred remnants that are taken for a gang's, so many may stand there by chance (thousandths).
const BY_CHANCE: u64 = 100;
/// Paths that are counted of one gang.
const PATHS: usize = 1 << 16;

/// When the processes of some episodes started, ascending.
pub fn node_times<'r>(records: impl Iterator<Item = &'r EpisodeRecord>) -> Vec<i64> {
    let mut times: Vec<i64> =
        records.flat_map(|it| &it.nodes).filter(|it| !it.members.is_empty()).filter_map(|it| it.start).collect();
    times.sort_unstable();
    times.dedup();
    times
}

/// Whether any of the times (ascending) is near.
pub fn near(times: &[i64], time: i64) -> bool {
    let from = times.partition_point(|it| *it < time.saturating_sub(NEAR));
    times.get(from).is_some_and(|it| *it <= time.saturating_add(NEAR))
}

pub fn is_near(times: &[i64], record: &EpisodeRecord) -> bool {
    record.nodes.iter().filter_map(|it| it.start).any(|it| near(times, it))
}

/// How long it was near any of the times (ascending), microseconds.
fn covered(times: &[i64]) -> i64 {
    let gaps = times.windows(2).map(|it| (it[1] - it[0]).min(2 * NEAR)).sum::<i64>();
    if times.is_empty() { 0 } else { gaps + 2 * NEAR }
}

/// What the gang's other episodes do not show: so many next to it, on so many hosts, are no chance if hardly any stand
/// elsewhere.
const LEAST_STRANGE: u64 = 3;
const STRANGE_HOSTS: u64 = 3;
/// What would not have been there so often before the gang came tells nothing by its absence.
const LEAST_EXPECTED: u64 = 2;
/// So many hosts of a gang that run a file which hardly any other host runs.
const OWN_HOSTS: u64 = 4;

/// How often the paths of remnants stand next to one gang's episodes, and how often on a host where it was.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    next: Counted,
    there: Counted,
}

/// Paths, and the time in which they were counted: microseconds of all hosts together.
#[derive(Debug, Clone, Default)]
struct Counted {
    paths: BTreeMap<Key, OfPath>,
    time: i64,
    /// Of it, how long the gang had not come yet.
    before: i64,
    hosts: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct OfPath {
    times: u64,
    hosts: u64,
    /// The number of the last host.
    last: u64,
    /// How often it was there before the gang was.
    before: u64,
}

/// On hosts where a gang was, so many of a path are no chance.
const LEAST_THERE: u64 = 8;

impl Beside {
    /// Adds what the gang did on one host, whose log began then and is so long.
    pub fn host(&mut self, times: &[i64], began: i64, logged: i64) {
        let before = times.first().map_or(0, |it| it.saturating_sub(began)).clamp(0, logged);
        self.there.before = self.there.before.saturating_add(before);
        self.next.time = self.next.time.saturating_add(covered(times));
        self.there.time = self.there.time.saturating_add(logged);
        self.next.hosts += 1;
        self.there.hosts += 1;
    }

    /// Adds a remnant on such a host; `times` as above.
    pub fn add(&mut self, remnant: &EpisodeRecord, times: &[i64]) {
        let start = remnant.nodes.iter().filter_map(|it| it.start).min().unwrap_or(i64::MAX);
        let is_before = times.first().is_some_and(|it| start < it.saturating_sub(NEAR));
        self.there.add(remnant, is_before);
        if is_near(times, remnant) {
            self.next.add(remnant, is_before);
        }
    }

    /// Whether the remnant, or any path of it, is the gang's: not there by chance. `held`: the gang does all that it shows;
    /// `logged` is how long the hosts' logs are together.
    pub fn owns(&self, remnant: &EpisodeRecord, is_next: bool, held: bool, ordinary: &Ordinary, logged: i64) -> bool {
        if held {
            return remnant.nodes.iter().filter(|it| !it.inferred && !self.there.was_before(it.path)).any(|it| {
                is_next && self.next.owns(it.path, (1, 1), ordinary, logged)
                    || self.there.owns(it.path, (LEAST_THERE, 1), ordinary, logged)
            });
        }
        // That it starts there, again and again, is all that speaks for it.
        // A session is the same for everyone.
        let Some(entry) = remnant.nodes.iter().find(|it| !it.inferred && it.path != 0) else { return false };
        // What goes with a kind of host goes with it before the gang comes as well.
        let came_with_it = remnant.tie == Tie::Comrade || self.there.came_with_it(entry.path);
        came_with_it
            && (is_next && self.next.owns(entry.path, (LEAST_STRANGE, STRANGE_HOSTS), ordinary, logged)
                || remnant.tie == Tie::Own && self.there.owns(entry.path, (LEAST_THERE, OWN_HOSTS), ordinary, logged))
    }
}

impl Counted {
    /// Beyond a bound, only the smallest keys are counted.
    fn add(&mut self, remnant: &EpisodeRecord, is_before: bool) {
        for node in remnant.nodes.iter().filter(|it| !it.inferred) {
            let of = self.paths.entry(node.path).or_default();
            of.times += 1;
            of.before += u64::from(is_before);
            if of.hosts == 0 || of.last != self.hosts {
                of.hosts += 1;
                of.last = self.hosts;
            }
        }
        while self.paths.len() > PATHS {
            self.paths.pop_last();
        }
    }

    /// How often a path is there before the gang is, and how often it would be if it had nothing to do with it; `None` where
    /// that is too seldom to tell.
    fn before(&self, path: Key) -> Option<(u128, u128)> {
        let of = self.paths.get(&path)?;
        let expected = u128::from(of.times) * self.before.max(0) as u128 / self.time.max(1) as u128;
        (expected >= u128::from(LEAST_EXPECTED)).then_some((u128::from(of.before), expected))
    }

    /// Whether it is there half as often at least as if it had nothing to do with the gang.
    fn was_before(&self, path: Key) -> bool {
        self.before(path).is_some_and(|(seen, expected)| seen * 2 >= expected)
    }

    /// Whether it is hardly there, where it would be if it had nothing to do with the gang.
    fn came_with_it(&self, path: Key) -> bool {
        self.before(path).is_some_and(|(seen, expected)| seen * 10 <= expected)
    }

    /// `least`: times, and hosts.
    fn owns(&self, path: Key, least: (u64, u64), ordinary: &Ordinary, logged: i64) -> bool {
        let here = self.paths.get(&path).filter(|it| it.times >= least.0 && it.hosts >= least.1);
        let Some(here) = here.map(|it| it.times) else { return false };
        let Some(all) = ordinary.count(path) else { return false };
        let elsewhere = u128::from(all.saturating_sub(here));
        let (time, rest) = (self.time.max(1) as u128, (logged - self.time).max(1) as u128);
        // Were they strewn by chance, so many of those elsewhere would tell of so many here.
        elsewhere * time * 1000 <= u128::from(here) * rest * u128::from(BY_CHANCE)
    }
}

/// How often each path is in the background, as far as it was kept.
#[derive(Default)]
pub struct Ordinary {
    kept: BTreeMap<Key, u64>,
}

impl Ordinary {
    pub fn of(sketch: &Sketch) -> Self {
        Self { kept: sketch.background.kept() }
    }

    /// `None` where it is not known.
    fn count(&self, path: Key) -> Option<u64> {
        let full = self.kept.len() >= BACKGROUND_PATHS;
        let dropped = full && self.kept.last_key_value().is_some_and(|it| *it.0 < path);
        if dropped { None } else { Some(self.kept.get(&path).copied().unwrap_or(0)) }
    }
}

#[cfg(test)]
mod tests {
    use ringleader_model::findings::ParentStatus;

    use super::super::record::NodeRecord;
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn remnant(path: Key, start: i64) -> EpisodeRecord {
        let node = NodeRecord {
            path,
            template: 1,
            fragment: true,
            uid: String::new(),
            parent: None,
            inferred: false,
            status: ParentStatus::Missing,
            parent_event: None,
            ancestor_event: None,
            file_path: None,
            start: Some(start),
            end: None,
            behaviours: Vec::new(),
            network_roles: Vec::new(),
            network: None,
            indicators: Vec::new(),
            members: Vec::new(),
        };
        EpisodeRecord { nodes: vec![node], ..EpisodeRecord::default() }
    }

    #[test]
    fn near_is_five_seconds_either_way() {
        let times = [100 * SECOND, 200 * SECOND];
        assert!(near(&times, 95 * SECOND) && near(&times, 105 * SECOND) && near(&times, 196 * SECOND));
        assert!(!near(&times, 94 * SECOND) && !near(&times, 106 * SECOND) && !near(&[], 0));
        assert_eq!(covered(&[0, SECOND, 100 * SECOND]), 21 * SECOND);
    }

    #[test]
    fn what_stands_there_as_often_as_chance_has_it_is_not_the_gangs() {
        let mut sketch = Sketch::default();
        let mut beside = Beside::default();
        // A gang was seen for a hundredth of the time: ten of a thousand are next to it by chance, ten of ten are not.
        let times: Vec<i64> = (0..100).map(|it| it * 1000 * SECOND).collect();
        beside.host(&times, 0, 20_000 * SECOND);
        for n in 0..10 {
            beside.add(&remnant(7, n), &times);
            beside.add(&remnant(8, n), &times);
        }
        sketch.background.add(7, 1000);
        sketch.background.add(8, 10);
        let ordinary = Ordinary::of(&sketch);
        assert!(!beside.owns(&remnant(7, 0), true, true, &ordinary, 100_000 * SECOND));
        assert!(beside.owns(&remnant(8, 0), true, true, &ordinary, 100_000 * SECOND));
        assert!(!beside.owns(&remnant(9, 0), true, true, &ordinary, 100_000 * SECOND), "never seen beside it");
    }

    #[test]
    fn what_was_there_before_the_gang_came_is_not_its() {
        let sketch = Sketch::default();
        let mut beside = Beside::default();
        // On each of five hosts the gang comes after half of the log. One file ran all day, the other from then on.
        for _ in 0..5 {
            let times = [5000 * SECOND];
            beside.host(&times, 0, 10_000 * SECOND);
            for n in 0..10 {
                beside.add(&EpisodeRecord { tie: Tie::Own, ..remnant(7, n * 1000 * SECOND) }, &times);
                beside.add(&EpisodeRecord { tie: Tie::Own, ..remnant(8, (5100 + n * 400) * SECOND) }, &times);
            }
        }
        let ordinary = Ordinary::of(&sketch);
        let owns = |path: Key| {
            let remnant = EpisodeRecord { tie: Tie::Own, ..remnant(path, 9000 * SECOND) };
            beside.owns(&remnant, false, false, &ordinary, 500_000 * SECOND)
        };
        assert!(!owns(7) && owns(8));
        let held = |path: Key| beside.owns(&remnant(path, 5000 * SECOND), true, true, &ordinary, 500_000 * SECOND);
        assert!(!held(7), "even where an episode of the gang shows it once");
        assert!(!owns(0), "a session is everybody's");
    }
}
