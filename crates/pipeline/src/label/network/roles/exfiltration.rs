//! one pair of a suspicious caller → whether it carried data out.

use std::collections::BTreeSet;

use super::{Found, Kind};
use crate::label::network::NetworkRole;
use crate::label::network::flow::{Proto, is_internal};
use crate::label::network::sums::{Pair, Talks};
use crate::label::network::thresholds::*;

const DAY: i64 = 86_400_000_000;

pub(super) fn of(pair: &Pair, talks: &Talks) -> Option<Found> {
    let talk = &talks.answered;
    let days: BTreeSet<i64> = talk.calls.iter().map(|it| it.time.div_euclid(DAY)).collect();
    let carries = pair.proto == Proto::Tcp
        && !is_internal(&pair.dst)
        && talk.sent >= EXFIL_BYTES
        && talk.sent >= talk.received.saturating_mul(EXFIL_TIMES)
        && days.len() < EXFIL_DAYS;
    if !carries {
        return None;
    }
    let mut it = Found::new(NetworkRole::Exfiltration, Kind::Upload, pair, talks);
    it.why = format!("{} bytes sent to port {}, {} received", talk.sent, pair.port, talk.received);
    Some(it)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn much_goes_out_of_a_suspicious_caller_once() {
        let told = |to: &str, sent: u64, received: u64, days: i64, suspicious: bool| {
            let mut it = Traffic::default();
            (0..days).for_each(|day| _ = it.call(to, day * DAY, sent, received));
            it.roles(suspicious)
        };
        let upload = [(NetworkRole::Exfiltration, Kind::Upload, false)];
        assert_eq!(told("203.0.113.5:443", 80 << 20, 1 << 20, 1, true), upload);
        assert_eq!(told("203.0.113.5:443", 80 << 20, 1 << 20, 1, false), []);
        assert_eq!(told("203.0.113.5:443", 80 << 20, 70 << 20, 1, true), []);
        assert_eq!(told("203.0.113.5:443", 80 << 20, 1 << 20, 5, true), []);
        assert_eq!(told("10.0.0.5:443", 80 << 20, 1 << 20, 1, true), []);
    }
}
