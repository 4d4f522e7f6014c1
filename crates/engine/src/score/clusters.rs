//! two labellings of the same things → how well one finds the other: pairs, adjusted Rand index, B-cubed.
//!
//! Sources: Hubert and Arabie, "Comparing partitions", 1985; Bagga and Baldwin, "Algorithms for scoring coreference
//! chains", 1998.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Share, share};

/// `null` where there is nothing to divide by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Clusters {
    pub things: u64,
    pub pair_precision: Share,
    pub pair_recall: Share,
    pub pair_f1: Share,
    pub ari: Share,
    pub b_cubed_precision: Share,
    pub b_cubed_recall: Share,
    pub b_cubed_f1: Share,
}

/// Of each thing: its true cluster and the found one.
pub(super) fn compare(things: impl IntoIterator<Item = (u64, u64)>) -> Clusters {
    let mut cells: BTreeMap<(u64, u64), u64> = BTreeMap::new();
    for thing in things {
        *cells.entry(thing).or_default() += 1;
    }
    let (mut truth, mut found) = (BTreeMap::<u64, u64>::new(), BTreeMap::<u64, u64>::new());
    for ((a, b), n) in &cells {
        *truth.entry(*a).or_default() += n;
        *found.entry(*b).or_default() += n;
    }
    let all: u64 = truth.values().sum();
    if all == 0 {
        return Clusters::default();
    }
    let pairs = |n: u64| n as f64 * (n.saturating_sub(1)) as f64 / 2.0;
    let both: f64 = cells.values().map(|it| pairs(*it)).sum();
    let in_truth: f64 = truth.values().map(|it| pairs(*it)).sum();
    let in_found: f64 = found.values().map(|it| pairs(*it)).sum();
    let by_chance = if all > 1 { in_truth * in_found / pairs(all) } else { 0.0 };
    let at_most = (in_truth + in_found) / 2.0;
    // Both put everything together, or everything apart.
    let ari = if at_most == by_chance { 1.0 } else { (both - by_chance) / (at_most - by_chance) };
    let mean = |sizes: &BTreeMap<u64, u64>, of: fn(&(u64, u64)) -> u64| {
        cells.iter().map(|(cell, n)| (n * n) as f64 / sizes[&of(cell)] as f64).sum::<f64>()
    };
    let (pair_precision, pair_recall) = (share(both, in_found), share(both, in_truth));
    let b_cubed_precision = share(mean(&found, |it| it.1), all as f64);
    let b_cubed_recall = share(mean(&truth, |it| it.0), all as f64);
    Clusters {
        things: all,
        pair_precision,
        pair_recall,
        pair_f1: f1(pair_precision, pair_recall),
        ari: share(ari, 1.0),
        b_cubed_precision,
        b_cubed_recall,
        b_cubed_f1: f1(b_cubed_precision, b_cubed_recall),
    }
}

pub(crate) fn f1(precision: Share, recall: Share) -> Share {
    let (p, r) = (precision?, recall?);
    share(2.0 * p * r, p + r).or(Some(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: Share, want: f64) {
        assert!((found.unwrap() - want).abs() < 1e-5, "{found:?} is not {want}");
    }

    /// Manning, Raghavan and Schütze, "Introduction to Information Retrieval", figure 16.4: three clusters of 17
    /// points of three classes; TP 20, FP 20, FN 24, TN 72.
    #[test]
    fn the_textbook_example_gives_the_textbook_values() {
        let clusters = [[5, 1, 0], [1, 4, 1], [2, 0, 3]];
        let things = (0u64..).zip(clusters).flat_map(|(found, row)| {
            (0u64..).zip(row).flat_map(move |(truth, n)| std::iter::repeat_n((truth, found), n))
        });
        let score = compare(things);
        assert_eq!(score.things, 17);
        close(score.pair_precision, 20.0 / 40.0);
        close(score.pair_recall, 20.0 / 44.0);
        close(score.pair_f1, 2.0 * 20.0 / (2.0 * 20.0 + 20.0 + 24.0));
        // (20 - 40·44/136) / (42 - 40·44/136)
        close(score.ari, (20.0 - 1760.0 / 136.0) / (42.0 - 1760.0 / 136.0));
    }

    /// Amigó et al., "A comparison of extrinsic clustering evaluation metrics", 2009: precision and recall of an item
    /// are shares of its cluster and of its class.
    #[test]
    fn b_cubed_is_the_mean_over_items() {
        let score = compare([(0, 0), (0, 0), (0, 1), (1, 1), (1, 1)]);
        close(score.b_cubed_precision, (1.0 + 1.0 + 1.0 / 3.0 + 2.0 / 3.0 + 2.0 / 3.0) / 5.0);
        close(score.b_cubed_recall, (2.0 / 3.0 + 2.0 / 3.0 + 1.0 / 3.0 + 1.0 + 1.0) / 5.0);
    }

    #[test]
    fn equal_ones_are_perfect_and_strangers_are_nought() {
        let score = compare([(0, 7), (0, 7), (1, 3), (2, 9)]);
        assert_eq!((score.ari, score.pair_f1, score.b_cubed_f1), (Some(1.0), Some(1.0), Some(1.0)));
        close(compare([(0, 0), (0, 1), (1, 0), (1, 1)]).ari, -0.5);
        assert_eq!(compare([(0, 0), (0, 1)]).pair_precision, None);
        assert_eq!(compare([]).ari, None);
    }

    /// The same figures, thing by thing and pair by pair.
    #[test]
    fn the_quick_way_equals_the_slow_way() {
        let mut state = 1u64;
        for _ in 0..50 {
            let things: Vec<(u64, u64)> = (0..30)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (state >> 33) % 5 * 100 + (state >> 45) % 4
                })
                .map(|it| (it / 100, it % 100))
                .collect();
            let (mut both, mut truth, mut found, mut all) = (0.0, 0.0, 0.0, 0.0);
            for (at, a) in things.iter().enumerate() {
                for b in &things[..at] {
                    all += 1.0;
                    both += f64::from(u8::from(a == b));
                    truth += f64::from(u8::from(a.0 == b.0));
                    found += f64::from(u8::from(a.1 == b.1));
                }
            }
            let count = |same: &dyn Fn(&(u64, u64)) -> bool| things.iter().filter(|it| same(it)).count() as f64;
            let precision: f64 = things.iter().map(|a| count(&|b| a == b) / count(&|b| a.1 == b.1)).sum();
            let score = compare(things.iter().copied());
            close(score.pair_precision, both / found);
            close(score.ari, (both - truth * found / all) / ((truth + found) / 2.0 - truth * found / all));
            close(score.b_cubed_precision, precision / 30.0);
        }
    }
}
