//! one pair of a suspicious caller → whether it reports to somebody, by the clock.

use super::{About, Found, Kind};
use crate::label::network::NetworkRole;
use crate::label::network::beacon::{quantile, rhythm};
use crate::label::network::flow::Proto;
use crate::label::network::sums::{Pair, Talks};
use crate::label::network::thresholds::*;

pub(super) fn of(pair: &Pair, talks: &Talks, about: &About<'_>) -> Option<Found> {
    if pair.proto == Proto::Icmp || ORDINARY.contains(&pair.port) || !about.may_be_theirs(&pair.dst) {
        return None;
    }
    let span = talks.last()?.saturating_sub(talks.first()?);
    let sizes: Vec<i64> =
        talks.answered.calls.iter().filter(|it| it.bytes != u32::MAX).map(|it| it.bytes.into()).collect();
    if span < BEACON_SPAN || quantile(&sizes, 50).is_some_and(|it| it > BEACON_BYTES) {
        return None;
    }
    let rhythm = rhythm(&talks.times())?;
    let mut it = Found::new(NetworkRole::C2, Kind::Beacon, pair, talks);
    it.confidence_permille = match (rhythm.spread_percent <= BEACON_TIGHT_PERCENT, talks.is_answered()) {
        (true, true) => 800,
        (_, false) => 550,
        (false, true) => 650,
    };
    it.why = format!(
        "{} check-ins at port {}, one in {} s, within {}%",
        rhythm.calls,
        pair.port,
        rhythm.period / 1_000_000,
        rhythm.spread_percent
    );
    Some(it)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::super::{Fleet, roles};
    use super::*;

    fn beacon(to: &str) -> Traffic {
        let mut it = Traffic::default();
        (0..40).for_each(|n| _ = it.call(to, n * 60 * SECOND + n % 5 * SECOND, 300, 200));
        it
    }

    #[test]
    fn only_of_a_suspicious_caller_and_never_of_clocks() {
        assert_eq!(beacon("203.0.113.4:443").roles(true), [(NetworkRole::C2, Kind::Beacon, false)]);
        assert_eq!(beacon("203.0.113.4:443").roles(false), []);
        assert_eq!(beacon("203.0.113.4:u123").roles(true), []);
        // Health checks of one's own, unless it is a process of the intrusion that makes them.
        assert_eq!(beacon("10.0.0.9:8080").roles(true), []);
        let about = About { suspicious: true, of_process: true, ..About::default() };
        assert_eq!(beacon("10.0.0.9:8080").found(&about).len(), 1);
    }

    #[test]
    fn what_the_quiet_part_of_the_fleet_calls_is_nobodys() {
        let settled = beacon("203.0.113.4:443").0.settle();
        let told = |quiet: u64, loud: u64| {
            let mut fleet = Fleet::default();
            let service = (settled.pairs[0].0.dst, 443);
            fleet.add(service, false, quiet);
            fleet.add(service, true, loud);
            let about = About { suspicious: true, fleet: Some(&fleet), ..About::default() };
            !roles(&settled.pairs, super::super::Kept::ALL, &about).is_empty()
        };
        assert!(told(0, 1) && told(1, 1) && told(3, 50));
        assert!(!told(2, 1) && !told(40, 3));
    }
}
