//! times of calls → whether a timer made them, and its period. It bears jitter, pauses and calls that were not seen.
//!
//! A timer's gaps lie around one value or, where calls are missing, around its multiples; and none is much shorter. Calls that
//! come at random, or as people make them, are often close together. Integers only. Deliberately absent: whether it is
//! anything bad: clocks, monitoring and updates are timers too.

use super::thresholds::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rhythm {
    /// Microseconds.
    pub period: i64,
    /// Half of the gaps are within so many percent of the period, or of a multiple.
    pub spread_percent: i64,
    /// Check-ins: calls in quick succession are one.
    pub calls: usize,
}

/// `times`: earliest first.
pub fn rhythm(times: &[i64]) -> Option<Rhythm> {
    if times.len() < BEACON_CALLS {
        return None;
    }
    let gaps = check_ins(times);
    let calls = gaps.len() + 1;
    let period = quantile(&gaps, 50)?;
    if calls < BEACON_CALLS || !(BEACON_SHORTEST..=BEACON_LONGEST).contains(&period) {
        return None;
    }
    let mut off: Vec<i64> = Vec::with_capacity(gaps.len());
    let mut lengths: Vec<i64> = Vec::with_capacity(gaps.len());
    for gap in &gaps {
        let times = (gap.saturating_add(period / 2) / period).max(1);
        if times <= BEACON_MULTIPLE {
            off.push((gap / times - period).abs());
            lengths.push(gap / times);
        }
    }
    // Mostly pauses: no rhythm.
    if off.len() * 4 < gaps.len() * 3 {
        return None;
    }
    let spread_percent = (quantile(&off, 50)?).saturating_mul(100) / period;
    let close = gaps.iter().filter(|it| it.saturating_mul(100) < period * BEACON_CLOSE_PERCENT).count();
    let tail_percent = (quantile(&off, 75)?).saturating_mul(100) / period;
    let tight = spread_percent <= BEACON_TIGHT_PERCENT
        && tail_percent <= BEACON_TAIL_PERCENT
        && close * BEACON_CLOSE_ONE_IN <= gaps.len();
    let loose = spread_percent <= BEACON_LOOSE_PERCENT
        && calls >= BEACON_CALLS_JITTER
        && close * BEACON_CLOSE_ONE_IN_LOOSE <= gaps.len();
    (tight || loose).then_some(Rhythm { period: quantile(&lengths, 50)?, spread_percent, calls })
}

/// Gaps between check-ins: several connections at once are one.
fn check_ins(times: &[i64]) -> Vec<i64> {
    let gaps: Vec<i64> = times.windows(2).map(|it| it[1].saturating_sub(it[0])).collect();
    let at_once = quantile(&gaps, 90).unwrap_or(0) / 30;
    let mut last = times[0];
    let mut kept = Vec::with_capacity(gaps.len());
    for time in &times[1..] {
        let gap = time.saturating_sub(last);
        if gap > at_once {
            kept.push(gap);
            last = *time;
        }
    }
    kept
}

pub(super) fn quantile(values: &[i64], percent: usize) -> Option<i64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get((values.len().saturating_sub(1)) * percent / 100).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A generator that is good enough for tests, from its seed.
    struct Random(u64);
    impl Random {
        fn below(&mut self, n: i64) -> i64 {
            self.0 = ringleader_model::hash::hash64(&self.0.to_le_bytes());
            (self.0 % n as u64) as i64
        }
    }

    /// Of a hundred seeds, how many have a rhythm.
    fn share(make: impl Fn(&mut Random) -> Vec<i64>) -> usize {
        (0..100).filter(|seed| rhythm(&make(&mut Random(*seed))).is_some()).count()
    }

    fn timer(random: &mut Random, calls: usize, period: i64, jitter_percent: i64, missing_percent: i64) -> Vec<i64> {
        let mut now = 0;
        let mut times = Vec::new();
        for _ in 0..calls {
            now += period - period * jitter_percent / 100 * random.below(1000) / 1000;
            if random.below(100) >= missing_percent {
                times.push(now);
            }
        }
        times
    }

    #[test]
    fn timers_with_jitter_and_missing_calls_are_told() {
        const MINUTE: i64 = 60_000_000;
        for (jitter, missing, calls) in [(0, 0, 10), (0, 30, 20), (20, 0, 30), (20, 30, 60), (50, 0, 60), (50, 30, 90)]
        {
            let told = share(|it| timer(it, calls, MINUTE, jitter, missing));
            assert!(told >= 95, "jitter {jitter}, missing {missing}: {told}");
        }
        // Three connections at each check-in, and a night's pause.
        let told = share(|it| {
            let ticks = timer(it, 16, MINUTE, 5, 0);
            let after = |at: &i64| if *at > 8 * MINUTE { at + 600 * MINUTE } else { *at };
            ticks.iter().flat_map(|at| [after(at), after(at) + 400_000, after(at) + 900_000]).collect()
        });
        assert!(told >= 95, "{told}");
    }

    #[test]
    fn calls_at_random_and_sessions_of_people_have_none() {
        for calls in [8, 12, 20, 30, 60] {
            let random = share(|it| {
                let mut times: Vec<i64> = (0..calls).map(|_| it.below(3_600_000_000)).collect();
                times.sort_unstable();
                times
            });
            assert!(random <= 4, "{calls}: {random}");
        }
        let people = share(|it| {
            let mut now = 0;
            let mut times = Vec::new();
            for _ in 0..12 {
                now += 60_000_000 + it.below(1_800_000_000);
                for _ in 0..1 + it.below(8) {
                    now += 500_000 + it.below(20_000_000);
                    times.push(now);
                }
            }
            times
        });
        assert!(people <= 2, "{people}");
    }

    #[test]
    fn hostile_times_do_no_harm() {
        assert_eq!(rhythm(&[]), None);
        assert_eq!(rhythm(&[5; 64]), None);
        assert!(rhythm(&[0; 7]).is_none());
    }
}
