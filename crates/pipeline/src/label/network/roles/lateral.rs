//! one pair of a suspicious caller → whether it went on to the next host.

use super::{Found, Kind};
use crate::label::network::NetworkRole;
use crate::label::network::flow::{Proto, is_internal};
use crate::label::network::sums::{Pair, Talks};
use crate::label::network::thresholds::*;

pub(super) fn of(pair: &Pair, talks: &Talks) -> Option<Found> {
    let talk = &talks.answered;
    let bytes = talk.sent.saturating_add(talk.received);
    let went = pair.proto == Proto::Tcp
        && (is_internal(&pair.src) || pair.src.is_unspecified())
        && is_internal(&pair.dst)
        && REMOTE_CONTROL.contains(&pair.port)
        && talk.count > 0
        && (talk.measured == 0 || bytes / talk.measured >= LATERAL_BYTES);
    if !went {
        return None;
    }
    let mut it = Found::new(NetworkRole::Lateral, Kind::Session, pair, talks);
    it.confidence_permille = 600;
    it.why = format!("{} sessions on port {} of a host of the same network", talk.count, pair.port);
    Some(it)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_session_on_another_host_of_ones_own() {
        let told = |to: &str, bytes: u64, suspicious: bool| {
            let mut it = Traffic::default();
            it.call(to, 0, bytes, bytes);
            it.roles(suspicious)
        };
        assert_eq!(told("10.0.0.9:445", 9000, true), [(NetworkRole::Lateral, Kind::Session, false)]);
        assert_eq!(told("10.0.0.9:445", 9000, false), []);
        assert_eq!(told("10.0.0.9:445", 200, true), []);
        assert_eq!(told("10.0.0.9:443", 9000, true), []);
        assert_eq!(told("203.0.113.9:445", 9000, true), []);
    }
}
