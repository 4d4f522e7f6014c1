//! a program that an alert names → whether it is everybody's, so that the alert says nothing of others that run it.
//!
//! Malware comes to a host at some time; what many hosts have run ever since their logs begin, with few alerts about it,
//! is a program of the place. Deliberately absent: lists of good programs.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::findings::Text;

use super::Input;
use super::observe::{Program, SLOT, spell};

/// Fewer hosts than this are no "everybody".
const HOSTS: usize = 5;
/// Whom a program calls on ports that malware spreads over, before it counts as spreading.
const CALLS: usize = 3;

#[derive(Debug, Default)]
pub(super) struct Everyday {
    pub paths: BTreeSet<Text>,
    pub hashes: BTreeSet<Text>,
}

impl Everyday {
    /// Of the programs that alerts name.
    pub(super) fn of(input: &Input<'_>) -> Self {
        let mut it = Self::default();
        let (Some(start), Some(end)) = (input.observed.first, input.observed.last) else { return it };
        let mut named: BTreeMap<Text, BTreeSet<&Text>> = BTreeMap::new();
        let mut hashes: BTreeMap<&Text, BTreeSet<&Text>> = BTreeMap::new();
        for alert in &input.observed.alerts {
            let Some(host) = &alert.host else { continue };
            if let Some(path) = &alert.path {
                named.entry(spell(path).into()).or_default().insert(host);
            }
            if let Some(hash) = &alert.hash {
                hashes.entry(hash).or_default().insert(host);
            }
        }
        let mut runs: BTreeMap<&Text, Vec<(&Text, &Program)>> = BTreeMap::new();
        for ((host, path), program) in &input.observed.programs {
            let by_hash = program.hashes.iter().filter_map(|it| hashes.get(it)).flatten();
            let by_hash: Vec<&Text> = by_hash.copied().collect();
            if named.contains_key(path) || !by_hash.is_empty() {
                named.entry(path.clone()).or_default().extend(by_hash);
                runs.entry(path).or_default().push((host, program));
            }
        }
        let spreads = spreading(input);
        for (path, on) in runs {
            let alerted = named.get(path).map_or(0, BTreeSet::len);
            if on.len() < HOSTS || alerted * 3 > on.len() || spreads.contains(path) {
                continue;
            }
            let early = |program: &Program| program.seen.first.is_some_and(|it| (it - start) * 4 <= end - start);
            let old = on.iter().filter(|it| early(it.1) && it.1.started).count();
            let first = on.iter().filter_map(|it| it.1.seen.first).min();
            // In the first tenth of all logs already, and on a good part of its hosts in the first quarter.
            let from_the_start = first.is_some_and(|it| (it - start) * 10 <= end - start) && end - start >= 6 * SLOT;
            if from_the_start && old * 4 >= on.len() {
                it.paths.insert(path.clone());
                it.hashes.extend(on.iter().flat_map(|it| it.1.hashes.iter().cloned()));
            }
        }
        it
    }
}

/// Programs that call several hosts inside on ports that malware spreads over.
fn spreading(input: &Input<'_>) -> BTreeSet<Text> {
    let mut called: BTreeMap<&Text, BTreeSet<&Text>> = BTreeMap::new();
    for key in input.observed.flows.keys() {
        if let Some(program) = &key.program
            && input.rules.ports.contains_key(&key.port)
        {
            let called = called.entry(program).or_default();
            if called.len() < CALLS {
                called.insert(&key.dst);
            }
        }
    }
    called.into_iter().filter(|it| it.1.len() >= CALLS).map(|it| it.0.clone()).collect()
}
