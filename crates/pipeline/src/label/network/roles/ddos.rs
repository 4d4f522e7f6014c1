//! one pair, or all ports of one target → whether the caller floods it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{About, Found, Kind};
use crate::label::network::NetworkRole;
use crate::label::network::flow::{Proto, is_internal};
use crate::label::network::sums::{Pair, Talk, Talks};
use crate::label::network::thresholds::*;

pub(super) fn of(pair: &Pair, talks: &Talks, about: &About<'_>) -> Option<Found> {
    calls(pair, talks, about).or_else(|| one_way(pair, talks, about))
}

/// Calls a second: of the earliest ones, and of all.
fn rate(talk: &Talk) -> u64 {
    let per_second = |calls: u64, from: i64, to: i64| {
        let micros = u64::try_from(to.saturating_sub(from)).unwrap_or(u64::MAX).max(1);
        calls.saturating_mul(1_000_000) / micros
    };
    let (Some(first), Some(last)) = (talk.calls.first(), talk.calls.last()) else { return 0 };
    per_second(talk.calls.len() as u64, first.time, last.time).max(per_second(talk.count, first.time, talk.last))
}

fn calls(pair: &Pair, talks: &Talks, about: &About<'_>) -> Option<Found> {
    let dead = talks.dead.count >= FLOOD_CALLS && rate(&talks.dead) >= FLOOD_RATE;
    let answered = &talks.answered;
    let alive = about.suspicious
        && !about.is_routine(pair)
        && answered.count >= FLOOD_CALLS_ALIVE
        && rate(answered) >= FLOOD_RATE_ALIVE
        && answered.sent.saturating_add(answered.received) <= answered.measured.saturating_mul(SCAN_REPLY * 4);
    if (!dead && !alive) || ORDINARY.contains(&pair.port) {
        return None;
    }
    let mut it = Found::new(NetworkRole::Ddos, Kind::Calls, pair, talks);
    let talk = if dead { &talks.dead } else { answered };
    it.confidence_permille = if dead { 850 } else { 600 };
    it.why = format!("{} calls at port {}, {} a second, none of them of any use", talk.count, pair.port, rate(talk));
    Some(it)
}

fn one_way(pair: &Pair, talks: &Talks, about: &About<'_>) -> Option<Found> {
    let sent = talks.answered.sent.saturating_add(talks.dead.sent);
    let received = talks.answered.received.saturating_add(talks.dead.received);
    let flood = matches!(pair.proto, Proto::Udp | Proto::Icmp)
        && sent >= FLOOD_BYTES
        && received.saturating_mul(FLOOD_BACK) <= sent
        && !is_internal(&pair.dst)
        && !ONE_WAY.contains(&pair.port)
        && !about.is_routine(pair);
    if !flood {
        return None;
    }
    let mut it = Found::new(NetworkRole::Ddos, Kind::OneWay, pair, talks);
    it.why = format!("{sent} bytes sent to port {} without a connection, {received} came back", pair.port);
    Some(it)
}

/// A flood at random ports.
pub(super) fn at_random_ports(pairs: &[(Pair, Talks)]) -> Vec<Found> {
    let mut by_host: BTreeMap<IpAddr, Vec<&(Pair, Talks)>> = BTreeMap::new();
    for it in pairs.iter().filter(|it| it.1.dead.count > 0 && it.0.proto == Proto::Udp && !is_internal(&it.0.dst)) {
        by_host.entry(it.0.dst).or_default().push(it);
    }
    let flood = |pairs: Vec<&(Pair, Talks)>| {
        let dead: u64 = pairs.iter().map(|it| it.1.dead.count).sum();
        let sent: u64 = pairs.iter().map(|it| it.1.dead.sent).sum();
        let mut it = Found::of_many(NetworkRole::Ddos, Kind::Calls, &pairs)?;
        let span = it.last?.saturating_sub(it.first?).max(1_000_000) / 1_000_000;
        if pairs.len() < 10 || dead < FLOOD_CALLS || sent < dead * FLOOD_PACKET || dead / (span as u64) < FLOOD_RATE {
            return None;
        }
        (it.port, it.targets) = (0, pairs.len() as u64);
        it.why = format!("{dead} datagrams at {} ports of one address, {sent} bytes, no answer", pairs.len());
        Some(it)
    };
    by_host.into_values().filter_map(flood).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn floods_are_told_and_retries_and_streams_are_not() {
        let flood = |gap: i64| {
            let mut it = Traffic::default();
            (0..3000).for_each(|n| _ = it.call("203.0.113.9:80", n * gap, 60, 0));
            it.roles(false)
        };
        assert_eq!(flood(SECOND / 500), [(NetworkRole::Ddos, Kind::Calls, false)]);
        assert_eq!(flood(10 * SECOND), []);
        let stream = |received: u64| {
            let mut it = Traffic::default();
            it.call("203.0.113.9:u27015", 0, 90 << 20, received);
            it.roles(false)
        };
        assert_eq!(stream(0), [(NetworkRole::Ddos, Kind::OneWay, false)]);
        assert_eq!(stream(2 << 20), []);
    }

    #[test]
    fn a_flood_at_random_ports_is_no_scan() {
        let mut it = Traffic::default();
        for n in 0..4000i64 {
            it.call(&format!("203.0.113.9:u{}", 1 + n * 7919 % 65_000), n * 1000, 512, 0);
        }
        assert_eq!(it.roles(false), [(NetworkRole::Ddos, Kind::Calls, false)]);
    }
}
