//! one pair of a suspicious caller → whether it mines at a pool: a pool's port, little said, for long.

use super::{About, Found, Kind};
use crate::label::network::NetworkRole;
use crate::label::network::flow::Proto;
use crate::label::network::sums::{Pair, Talks};
use crate::label::network::thresholds::*;

pub(super) fn of(pair: &Pair, talks: &Talks, about: &About<'_>) -> Option<Found> {
    let talk = &talks.answered;
    let mines = pair.proto == Proto::Tcp
        && POOL.contains(&pair.port)
        && talk.count > 0
        && talk.count <= SCAN_TARGETS
        && about.may_be_theirs(&pair.dst)
        // Work comes in as jobs of some hundred bytes: neither a download nor an upload.
        && talk.received < EXFIL_BYTES
        && talk.sent < EXFIL_BYTES
        && (talk.measured == 0 || (talk.sent > 0 && talk.received < talk.sent.saturating_mul(20)));
    if !mines {
        return None;
    }
    let mut it = Found::new(NetworkRole::MiningPool, Kind::Stratum, pair, talks);
    it.confidence_permille = 550;
    it.why = format!("{} connections to a pool's port, {}", talk.count, pair.port);
    Some(it)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_pools_port_of_a_suspicious_caller() {
        let told = |to: &str, received: u64, suspicious: bool| {
            let mut it = Traffic::default();
            it.call(to, 0, 40_000, received).call(to, 9000 * SECOND, 60_000, received);
            it.roles(suspicious)
        };
        assert_eq!(told("203.0.113.7:3333", 90_000, true), [(NetworkRole::MiningPool, Kind::Stratum, false)]);
        assert_eq!(told("203.0.113.7:3333", 90_000, false), []);
        assert_eq!(told("203.0.113.7:3333", 90 << 20, true), []);
        assert_eq!(told("10.0.0.7:3333", 90_000, true), []);
    }
}
