//! what a sensor and the road from it do to a log → which events are missed, late, doubled, or told by a wrong clock.
//!
//! Each decision is a hash of the seed and of the event or host that it is about: no fault changes what happens, nor
//! what another fault does. Deliberately absent: losing single events (`Loss`), which belongs to how long they live.

use super::random::scatter;

const HOUR_MILLIS: i64 = 3_600_000;
/// Seconds of a host that are counted at once: scenes overlap, so time does not only run forward.
const SECONDS: usize = 16;
/// Of the events of a disordered log, how many are late by more than moments.
const LATE_PERMILLE: u64 = 100;

#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// Of all events, those sent twice.
    pub duplicate_permille: u32,
    /// How late an event comes at most.
    pub disorder_secs: u32,
    /// How far a host's clock is off at most, either way.
    pub skew_secs: u32,
    /// Events a second of one host that its sensor keeps; 0: all.
    pub rate_limit: u32,
    /// Of all hosts, those that are silent for an hour.
    pub outage_permille: u32,
    /// Of all Linux hosts, those whose pids come round after 4,096.
    pub small_pids_permille: u32,
}

/// `below(bound)` of a hash.
pub(super) fn drawn(seed: u64, of: u64, what: u64, bound: u64) -> u64 {
    let hash = scatter(scatter(seed ^ scatter(what)) ^ of);
    ((u128::from(hash) * u128::from(bound)) >> 64) as u64
}

impl Faults {
    /// What a host's clock shows too much.
    pub(super) fn skew_millis(&self, seed: u64, host: &str) -> i64 {
        if self.skew_secs == 0 {
            return 0;
        }
        let most = i64::from(self.skew_secs) * 1000;
        let name = host.bytes().fold(0u64, |hash, byte| scatter(hash ^ u64::from(byte)));
        drawn(seed, name, 0x5c3e, most as u64 * 2 + 1) as i64 - most
    }

    /// How long after its time an event reaches the log. Most come in moments, some when their batch is sent again.
    pub(super) fn delay_millis(&self, seed: u64, event: u64) -> i64 {
        if self.disorder_secs == 0 {
            return 0;
        }
        let most = u64::from(self.disorder_secs) * 1000;
        let late = drawn(seed, event, 0x1a7e, 1000) < LATE_PERMILLE;
        drawn(seed, event, 0x1a7f, if late { most } else { most.min(2000) } + 1) as i64
    }

    /// How long after the event its copy comes, if it has one.
    pub(super) fn copy_after_millis(&self, seed: u64, event: u64) -> Option<i64> {
        (drawn(seed, event, 0xd0b1e, 1000) < u64::from(self.duplicate_permille))
            .then(|| drawn(seed, event, 0xd0b1f, 30_000) as i64)
    }
}

/// Of one host: what its sensor misses however long a process lives.
#[derive(Debug, Default)]
pub(super) struct Sensor {
    silent: Option<(i64, i64)>,
    limit: u32,
    /// Second and events in it, at the second's low bits.
    seconds: Vec<(i64, u32)>,
}

impl Sensor {
    pub(super) fn new(faults: &Faults, host_seed: u64, start_millis: i64, span_millis: u64) -> Self {
        let silent = (drawn(host_seed, 0, 0x0f0f, 1000) < u64::from(faults.outage_permille)).then(|| {
            let room = span_millis.saturating_sub(HOUR_MILLIS as u64).max(1);
            let from = start_millis + drawn(host_seed, 0, 0x0f10, room) as i64;
            (from, from + HOUR_MILLIS)
        });
        let seconds = if faults.rate_limit > 0 { vec![(i64::MIN, 0); SECONDS] } else { Vec::new() };
        Self { silent, limit: faults.rate_limit, seconds }
    }

    /// Whether an event of that time goes by unseen; counts it if not.
    pub(super) fn misses(&mut self, time_millis: i64) -> bool {
        if self.silent.is_some_and(|(from, to)| (from..to).contains(&time_millis)) {
            return true;
        }
        if self.limit == 0 {
            return false;
        }
        let second = time_millis.div_euclid(1000);
        let entry = &mut self.seconds[second.rem_euclid(SECONDS as i64) as usize];
        if entry.0 < second {
            *entry = (second, 0);
        }
        entry.1 += 1;
        entry.0 == second && entry.1 > self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sensor_keeps_so_many_a_second_and_is_silent_for_an_hour() {
        let faults = Faults { rate_limit: 3, ..Faults::default() };
        let mut sensor = Sensor::new(&faults, 1, 0, 86_400_000);
        let kept = |sensor: &mut Sensor, second: i64| (0..5).filter(|it| !sensor.misses(second * 1000 + it)).count();
        assert_eq!((kept(&mut sensor, 8), kept(&mut sensor, 9)), (3, 3));
        let faults = Faults { outage_permille: 1000, ..Faults::default() };
        let mut sensor = Sensor::new(&faults, 1, 0, 86_400_000);
        let missed = (0..86_400).filter(|it| sensor.misses(it * 1000)).count();
        assert_eq!(missed, 3600);
    }

    #[test]
    fn clocks_are_off_either_way_and_delays_are_mostly_short() {
        let faults = Faults { skew_secs: 60, disorder_secs: 600, ..Faults::default() };
        let skews: Vec<i64> = (0..200).map(|it| faults.skew_millis(1, &format!("web-{it}"))).collect();
        assert!(skews.iter().all(|it| it.abs() <= 60_000));
        assert!(skews.iter().any(|it| *it > 20_000) && skews.iter().any(|it| *it < -20_000));
        let late = (0..10_000).filter(|it| faults.delay_millis(1, *it) > 2000).count();
        assert!((700..1300).contains(&late), "{late}");
        assert_eq!((Faults::default().skew_millis(1, "a"), Faults::default().delay_millis(1, 1)), (0, 0));
    }
}
