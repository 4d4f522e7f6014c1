//! How many distinct things there were, in bounded space: exact while they are few, estimated above.

use serde::{Deserialize, Serialize};

/// The `K` smallest hashes. Union and truncation commute, so merging is associative and commutative.
/// Source: Bar-Yossef et al., "Counting Distinct Elements in a Data Stream", RANDOM 2002 (k minimum values).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distinct<const K: usize> {
    /// Ascending.
    smallest: Vec<u64>,
}

impl<const K: usize> Distinct<K> {
    pub fn insert(&mut self, hash: u64) {
        if let Err(at) = self.smallest.binary_search(&hash)
            && at < K
        {
            self.smallest.insert(at, hash);
            self.smallest.truncate(K);
        }
    }

    pub fn merge(&mut self, other: &Self) {
        if self.smallest.is_empty() {
            self.smallest.clone_from(&other.smallest);
            return;
        }
        for hash in &other.smallest {
            self.insert(*hash);
        }
    }

    /// Exact below `K`, else within about `1/sqrt(K)`; integers only.
    pub fn count(&self) -> u64 {
        let n = self.smallest.len() as u64;
        match self.smallest.last() {
            Some(largest) if self.smallest.len() >= K && *largest > 0 => {
                let estimate = (u128::from(n) - 1) * (u128::from(u64::MAX) + 1) / u128::from(*largest);
                u64::try_from(estimate).unwrap_or(u64::MAX).max(n)
            }
            _ => n,
        }
    }

    /// How many of a thousand of these are in the other too, as far as both samples reach.
    pub fn share_in<const L: usize>(&self, other: &Distinct<L>) -> u64 {
        let reach = self.reach().min(other.reach());
        let seen = || self.smallest.iter().take_while(|it| **it <= reach);
        (seen().filter(|it| other.contains(**it)).count() as u64 * 1000).checked_div(seen().count() as u64).unwrap_or(0)
    }

    /// All hashes up to this one are known.
    fn reach(&self) -> u64 {
        self.smallest.last().copied().filter(|_| self.smallest.len() >= K).unwrap_or(u64::MAX)
    }

    pub fn contains(&self, hash: u64) -> bool {
        self.smallest.binary_search(&hash).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringleader_model::hash::hash64;

    #[test]
    fn exact_while_few_close_when_many() {
        let mut few = Distinct::<64>::default();
        for n in 0..50u32 {
            few.insert(hash64(&n.to_le_bytes()));
            few.insert(hash64(&n.to_le_bytes()));
        }
        assert_eq!(few.count(), 50);
        let mut many = Distinct::<1024>::default();
        for n in 0..100_000u32 {
            many.insert(hash64(&n.to_le_bytes()));
        }
        assert!((90_000..110_000).contains(&many.count()), "{}", many.count());
    }
}
