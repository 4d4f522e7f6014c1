//! What ordinary processes ran: template path → how often. It shows what merging saves, and joins nothing.
//!
//! Merging sums. Only the smallest keys are kept: keys are keyed hashes, so no attacker can choose what is dropped,
//! and whatever is among the smallest of a union is among the smallest of each part.

use std::collections::{BTreeMap, HashMap};

use ringleader_model::hash::ByHash;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::sketch::Key;

/// Paths kept of a run.
pub const BACKGROUND_PATHS: usize = 1 << 18;

/// Holds up to twice what is kept, so that it is seldom cut down; whoever looks sees what is kept.
#[derive(Debug, Clone, Default)]
pub struct Background(HashMap<Key, u64, ByHash>);

impl Background {
    pub fn add(&mut self, path: Key, n: u64) {
        *self.0.entry(path).or_default() += n;
        if self.0.len() >= 2 * BACKGROUND_PATHS {
            self.trim();
        }
    }

    pub fn merge(&mut self, mut other: Self) {
        if other.0.len() > self.0.len() {
            std::mem::swap(self, &mut other);
        }
        other.0.into_iter().for_each(|(path, n)| self.add(path, n));
    }

    /// How many paths are kept.
    pub fn len(&self) -> usize {
        self.0.len().min(BACKGROUND_PATHS)
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is kept, in order.
    pub fn kept(&self) -> BTreeMap<Key, u64> {
        let mut all: Vec<(Key, u64)> = self.0.iter().map(|(path, n)| (*path, *n)).collect();
        all.sort_unstable();
        all.truncate(BACKGROUND_PATHS);
        all.into_iter().collect()
    }

    fn trim(&mut self) {
        let mut paths: Vec<Key> = self.0.keys().copied().collect();
        let (_, last, _) = paths.select_nth_unstable(BACKGROUND_PATHS - 1);
        let last = *last;
        self.0.retain(|path, _| *path <= last);
    }
}

/// As far as it is kept.
impl PartialEq for Background {
    fn eq(&self, other: &Self) -> bool {
        self.kept() == other.kept()
    }
}

impl Eq for Background {}

impl Serialize for Background {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.kept().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Background {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(BTreeMap::deserialize(deserializer)?.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_paths_stay_however_they_came() {
        let spread = |n: u64| ringleader_model::hash::hash128(&n.to_le_bytes(), 0);
        let n = 3 * BACKGROUND_PATHS as u64;
        let mut whole = Background::default();
        let (mut odd, mut even) = (Background::default(), Background::default());
        for at in 0..n {
            whole.add(spread(at), 1);
            if at % 2 == 0 { &mut even } else { &mut odd }.add(spread(at), 1);
        }
        odd.merge(even);
        assert_eq!((odd.len(), whole.len()), (BACKGROUND_PATHS, BACKGROUND_PATHS));
        assert_eq!(odd, whole);
    }
}
