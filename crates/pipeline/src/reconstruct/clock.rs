//! connections that both ends logged → how far each host's clock is ahead. Deliberately absent: drift within a case.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::identity::{Host, Hosts};
use super::observe::Observed;

/// What stands for the network sensors' clock.
const SENSOR: Host = usize::MAX;
/// Below this, a difference is how long a connection takes and how a sensor writes times.
const APART: i64 = 5 * 1_000_000;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Clocks {
    /// host → microseconds ahead, and how many connections say so. Only those that run apart.
    pub(super) ahead: BTreeMap<Host, (i64, u64)>,
    /// Hosts whose clocks were compared with each other's, or with the sensors'.
    pub(super) compared: BTreeSet<Host>,
}

impl Clocks {
    pub(super) fn of(observed: &Observed, hosts: &Hosts) -> Self {
        let mut between: BTreeMap<(Host, Host), Vec<i64>> = BTreeMap::new();
        for times in observed.pairs.values() {
            let seen: Vec<(Host, i64)> = times
                .iter()
                .filter_map(|(reporter, time)| {
                    let host = if reporter.is_empty() { SENSOR } else { hosts.find(reporter, None)? };
                    Some((host, *time))
                })
                .collect();
            for (at, (a, time_a)) in seen.iter().enumerate() {
                for (b, time_b) in &seen[at + 1..] {
                    if a != b {
                        let (key, ahead) =
                            if a < b { ((*a, *b), time_b - time_a) } else { ((*b, *a), time_a - time_b) };
                        between.entry(key).or_default().push(ahead);
                    }
                }
            }
        }
        // (a, b) → how far b is ahead of a.
        let links: BTreeMap<(Host, Host), (i64, u64)> = between
            .into_iter()
            .map(|(key, mut all)| {
                all.sort_unstable();
                (key, (all[all.len() / 2], all.len() as u64))
            })
            .collect();
        let mut next: BTreeMap<Host, Vec<(Host, i64, u64)>> = BTreeMap::new();
        for ((a, b), (ahead, n)) in &links {
            next.entry(*a).or_default().push((*b, *ahead, *n));
            next.entry(*b).or_default().push((*a, -*ahead, *n));
        }
        let mut ahead: BTreeMap<Host, (i64, u64)> = BTreeMap::new();
        let mut compared = BTreeSet::new();
        let mut done = BTreeSet::new();
        let starts: Vec<Host> = [SENSOR].into_iter().chain(next.keys().copied()).collect();
        for start in starts {
            if done.contains(&start) || !next.contains_key(&start) {
                continue;
            }
            let mut group = vec![(start, 0, 0)];
            let mut queue = VecDeque::from([(start, 0i64)]);
            done.insert(start);
            while let Some((host, offset)) = queue.pop_front() {
                for (to, by, n) in &next[&host] {
                    if done.insert(*to) {
                        group.push((*to, offset + by, *n));
                        queue.push_back((*to, offset + by));
                    }
                }
            }
            // The sensor is right, else most hosts are.
            let mut offsets: Vec<i64> = group.iter().map(|it| it.1).collect();
            offsets.sort_unstable();
            let right = if start == SENSOR { 0 } else { offsets[(offsets.len() - 1) / 2] };
            // Two that differ do not say which of them is right.
            if start == SENSOR || group.len() > 2 {
                compared.extend(group.iter().map(|it| it.0).filter(|it| *it != SENSOR));
            }
            for (host, offset, n) in group {
                if host != SENSOR && (offset - right).abs() >= APART {
                    ahead.insert(host, (offset - right, n.max(1)));
                }
            }
        }
        Self { ahead, compared }
    }

    /// A time of a host's own clock, put right.
    pub(super) fn right(&self, host: Host, time: i64) -> i64 {
        time - self.ahead.get(&host).map_or(0, |it| it.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_a_day_ahead_is_seen_from_the_other_ends() {
        let mut observed = Observed::default();
        let day = 86_400_000_000;
        for (n, (a, b, ahead)) in [("h1", "h2", 0), ("h1", "h3", day), ("h2", "h3", day)].into_iter().enumerate() {
            observed.reporters.extend([a.into(), b.into()]);
            let pair = (a.into(), 50_000, b.into(), 445);
            observed.pairs.insert((n as u64, pair), BTreeMap::from([(a.into(), 1000), (b.into(), 1000 + ahead)]));
        }
        let hosts = Hosts::of(&observed);
        let clocks = Clocks::of(&observed, &hosts);
        let h3 = hosts.find(&"h3".into(), None).unwrap();
        assert_eq!(clocks.ahead, BTreeMap::from([(h3, (day, 1))]));
        assert_eq!(clocks.right(h3, day + 5), 5);
    }
}
