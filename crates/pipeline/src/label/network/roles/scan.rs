//! one caller's pairs → whether it looks for services: one port of many addresses, or many ports of one.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{About, Found, Kept, Kind};
use crate::label::network::NetworkRole;
use crate::label::network::flow::Proto;
use crate::label::network::sums::{Pair, Talks};
use crate::label::network::thresholds::*;

pub(super) fn find(pairs: &[(Pair, Talks)], kept: Kept, about: &About<'_>) -> Vec<Found> {
    let mut by_port: BTreeMap<(u16, Proto), Vec<&(Pair, Talks)>> = BTreeMap::new();
    let mut by_host: BTreeMap<IpAddr, Vec<&(Pair, Talks)>> = BTreeMap::new();
    for it in pairs.iter().filter(|it| !ORDINARY.contains(&it.0.port)) {
        by_port.entry((it.0.port, it.0.proto)).or_default().push(it);
        if it.0.proto != Proto::Icmp {
            by_host.entry(it.0.dst).or_default().push(it);
        }
    }
    let dead_pairs = pairs.iter().filter(|it| !it.1.is_answered()).count();
    let mut found: Vec<Found> =
        by_port.into_values().filter_map(|it| horizontal(&it, dead_pairs, kept, about)).collect();
    found.extend(by_host.into_values().filter_map(|it| vertical(&it, kept)));
    found
}

fn count(pairs: &[&(Pair, Talks)], kept: Kept) -> (u64, u64) {
    let answered = pairs.iter().filter(|it| it.1.is_answered()).count();
    (Kept::scale(answered, kept.answered), Kept::scale(pairs.len() - answered, kept.dead))
}

fn horizontal(pairs: &[&(Pair, Talks)], dead_pairs: usize, kept: Kept, about: &About<'_>) -> Option<Found> {
    if pairs.len() < SCAN_LEAST {
        return None;
    }
    let pair = &pairs.first()?.0;
    let (alive, dead) = count(pairs, kept);
    let targets = alive + dead;
    let mut it = Found::of_many(NetworkRole::Scan, Kind::Horizontal, pairs)?;
    let visits = it.calls / (pairs.len() as u64).max(1);
    let mostly_dead = dead * 100 >= targets * SCAN_DEAD_PERCENT;
    let dead_here = pairs.iter().filter(|it| !it.1.is_answered()).count();
    let known = pair.port < 1024 || LOGIN.contains(&pair.port) || LOGIN_OF_APPS.contains(&pair.port);
    let one_port = dead_here as u64 * 100 >= dead_pairs as u64 * SCAN_ONE_PORT_PERCENT;
    let looks = targets >= SCAN_TARGETS && mostly_dead && visits <= SCAN_VISITS && (known || one_port);
    let measured: u64 = pairs.iter().map(|it| it.1.answered.measured).sum();
    let bytes: u64 = pairs.iter().map(|it| it.1.answered.sent.saturating_add(it.1.answered.received)).sum();
    let idle = bytes <= measured.saturating_mul(SCAN_REPLY);
    let passes = targets >= SCAN_TARGETS_ALIVE && visits <= SCAN_VISITS && idle && about.suspicious;
    if !looks && !passes {
        return None;
    }
    it.dst = None;
    it.targets = targets;
    it.confidence_permille = if !looks {
        600
    } else if targets >= SCAN_TARGETS_ALIVE {
        950
    } else {
        800
    };
    it.why = format!("{targets} addresses tried on port {}, {dead} of them gave no answer", pair.port);
    Some(it)
}

fn vertical(pairs: &[&(Pair, Talks)], kept: Kept) -> Option<Found> {
    let (alive, dead) = count(pairs, kept);
    let targets = alive + dead;
    if pairs.len() < SCAN_LEAST || dead < SCAN_PORTS || dead * 100 < targets * SCAN_DEAD_PERCENT {
        return None;
    }
    let mut it = Found::of_many(NetworkRole::Scan, Kind::Vertical, pairs)?;
    if it.calls / (pairs.len() as u64).max(1) > SCAN_VISITS {
        return None;
    }
    it.port = 0;
    it.targets = targets;
    it.confidence_permille = if targets >= SCAN_TARGETS_ALIVE { 950 } else { 800 };
    it.why = format!("{targets} ports of one address tried, {dead} of them gave no answer");
    Some(it)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn many_dead_addresses_on_one_port_are_a_scan_and_many_servers_are_not() {
        let scan = |received: u64| {
            let mut it = Traffic::default();
            for n in 1..60 {
                it.call(&format!("198.51.100.{n}:23"), n * SECOND, 60, if n % 10 == 0 { 90 } else { received });
            }
            it.roles(false)
        };
        assert_eq!(scan(0), [(NetworkRole::Scan, Kind::Horizontal, false)]);
        assert_eq!(scan(5000), []);
    }

    #[test]
    fn many_dead_ports_of_one_address_are_a_scan_and_a_swarm_is_not() {
        let mut ports = Traffic::default();
        (1..200).for_each(|n| _ = ports.call(&format!("192.0.2.7:{n}"), n * SECOND / 10, 0, 0));
        assert_eq!(ports.roles(false), [(NetworkRole::Scan, Kind::Vertical, false)]);
        let mut swarm = Traffic::default();
        for n in 1..200i64 {
            let port = if n % 7 == 0 { 6881 } else { 20_000 + n * 131 % 30_000 };
            swarm.call(&format!("203.0.113.{n}:u{port}"), n * SECOND, 100, if n % 3 == 0 { 4000 } else { 0 });
        }
        assert_eq!(swarm.roles(true), []);
    }

    #[test]
    fn what_was_left_out_of_the_sums_counts() {
        let mut it = Traffic(crate::label::network::sums::Sums::with_room(50, 50), 0);
        for n in 0..2000 {
            it.call(&format!("198.51.{}.{}:22", n / 250, 1 + n % 250), n * SECOND, 40, 0);
        }
        let found = it.found(&About::default());
        assert!(found.len() == 1 && (1200..3200).contains(&found[0].targets), "{found:#?}");
    }
}
