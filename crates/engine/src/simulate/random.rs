//! seed → numbers. Integers only, so that a seed gives the same bytes on every machine. Deliberately absent: any
//! claim to secrecy.

/// A small fast generator (wyrand's construction).
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(scatter(seed))
    }
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0xa076_1d64_78bd_642f);
        let wide = u128::from(self.0) * u128::from(self.0 ^ 0xe703_7ed1_a0b4_28db);
        (wide >> 64) as u64 ^ wide as u64
    }
    /// Below `bound`; 0 where `bound` is 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }
    /// From `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }
    pub(super) fn permille(&mut self, chance: u32) -> bool {
        self.below(1000) < u64::from(chance)
    }
    /// A waiting time with this mean: exponential, drawn as straight lines between powers of two.
    pub(super) fn wait(&mut self, mean: u64) -> u64 {
        const LN_2: u128 = 45_426;
        let drawn = self.next() | 1;
        let halvings = u128::from(drawn.leading_zeros());
        let rest = u128::from((drawn << drawn.leading_zeros() << 1) >> 48);
        let halves = (halvings << 16) + (0xffff - rest);
        u64::try_from((halves * LN_2 * u128::from(mean)) >> 32).unwrap_or(u64::MAX)
    }
}

/// A one-to-one map of 64 bits that leaves no visible order.
pub(super) fn scatter(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// The n-th event's id: one-to-one on 40 bits, so ids are unique and their order says nothing.
pub(super) fn event_id(n: u64, seed: u64) -> u64 {
    const MASK: u64 = (1 << 40) - 1;
    let value = (n ^ scatter(seed)) & MASK;
    let value = value.wrapping_mul(0x00_9e37_79b1) & MASK;
    let value = value ^ (value >> 21);
    let value = value.wrapping_mul(0x00_85eb_ca77) & MASK;
    value ^ (value >> 19)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn event_ids_are_unique_and_out_of_order() {
        let ids: Vec<u64> = (0..100_000).map(|n| event_id(n, 7)).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        assert!(ids.iter().all(|id| *id < 1 << 40));
        assert!(!ids.is_sorted());
    }

    #[test]
    fn waits_have_their_mean() {
        let mut random = Random::new(1);
        let sum: u64 = (0..100_000).map(|_| random.wait(1000)).sum();
        assert!((95_000_000..108_000_000).contains(&sum), "{sum}");
    }

    #[test]
    fn between_reaches_both_ends() {
        let mut random = Random::new(3);
        let drawn: BTreeSet<u64> = (0..1000).map(|_| random.between(4, 6)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [4, 5, 6]);
    }
}
