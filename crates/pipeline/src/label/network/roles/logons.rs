//! logons that a host's own log tells of, or a sensor that reads the protocol → who guessed at it, and who got in.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ringleader_model::{Activity, EventClass, Field};

use super::{Found, Kind, PLACES};
use crate::collect::rows::{Bucket, Row, Sym};
use crate::label::network::NetworkRole;
use crate::label::network::beacon::rhythm;
use crate::label::network::flow::{At, Proto, address};
use crate::label::network::sums::CALLS;
use crate::label::network::thresholds::{GUESS_RHYTHM, LOGONS_FAILED, LOGONS_SUCCESS_AFTER};

/// Addresses that are told apart on one host; the first in their own order stay.
pub const SOURCES: usize = 4096;

#[derive(Default)]
struct From {
    /// Failures in a row, and the most of them.
    run: u64,
    failed: u64,
    /// Of the first failures.
    times: Vec<i64>,
    /// Accounts that were tried: one, or more.
    users: BTreeSet<Sym>,
    first: Option<i64>,
    last: Option<i64>,
    places: Vec<(Option<i64>, At)>,
    success: Option<(Option<i64>, At)>,
}

/// In: rows of one host, earliest first. Out: one role for each address that guessed.
pub fn guessed<'b>(bucket: &'b Bucket, rows: impl Iterator<Item = &'b Row>) -> Vec<Found> {
    let mut by_source: BTreeMap<IpAddr, From> = BTreeMap::new();
    for row in rows.filter(|it| it.class == EventClass::Authentication) {
        let Some(src) = bucket.text(row, Field::SrcIp).and_then(address) else { continue };
        if !matches!(row.activity, Activity::Logon | Activity::LogonFailed)
            || (by_source.len() >= SOURCES && !by_source.contains_key(&src))
        {
            continue;
        }
        let it = by_source.entry(src).or_default();
        let time = row.time.map(|it| it.0);
        let at = At::new(row.id, row.place);
        it.first = [it.first, time].into_iter().flatten().min();
        it.last = [it.last, time].into_iter().flatten().max();
        if row.activity == Activity::LogonFailed {
            let count = bucket.text(row, Field::Count).and_then(|it| it.parse().ok()).unwrap_or(1u64).max(1);
            it.run = it.run.saturating_add(count);
            it.failed = it.failed.max(it.run);
            it.times.extend(time.filter(|_| it.times.len() < CALLS));
            if it.users.len() < 2 {
                it.users.insert(bucket.sym(row, Field::User));
            }
            if it.places.len() < PLACES - 1 {
                it.places.push((time, at));
            }
        } else {
            if it.run >= LOGONS_SUCCESS_AFTER && it.success.is_none() {
                it.success = Some((time, at));
            }
            // Who gets in between is at work, and mistypes.
            it.run = 0;
        }
    }
    let told = |(src, it): (IpAddr, From)| {
        let succeeded = it.success.is_some();
        // One account, by the clock: a job whose password was changed.
        let by_clock = rhythm(&it.times).is_some_and(|it| it.period > GUESS_RHYTHM);
        if it.failed < LOGONS_FAILED || (it.users.len() < 2 && by_clock) {
            return None;
        }
        let got_in = if succeeded { "; then one got in" } else { "" };
        Some(Found {
            role: NetworkRole::BruteForce as u8,
            kind: Kind::Logons,
            src,
            dst: None,
            port: 0,
            proto: Proto::Tcp,
            calls: it.failed,
            targets: 1,
            first: it.first,
            last: it.last,
            succeeded,
            confidence_permille: if it.users.len() > 1 || it.failed >= 5 * LOGONS_FAILED { 900 } else { 700 },
            why: format!("{} logons in a row from {src} failed{got_in}", it.failed),
            places: it.places.into_iter().chain(it.success).collect(),
        })
    };
    by_source.into_iter().filter_map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::rows::Place;
    use ringleader_model::{Event, EventId, Timestamp};

    fn told(users: &[&str], gap: i64, failed: i64, then_in: bool) -> Vec<(u64, bool)> {
        let mut bucket = Bucket::default();
        for n in 0..=failed {
            let activity = if n < failed { Activity::LogonFailed } else { Activity::Logon };
            if n == failed && !then_in {
                continue;
            }
            let mut event = Event::new(EventClass::Authentication, activity);
            event.time = Some(Timestamp(n * gap));
            event.set(Field::SrcIp, "203.0.113.4");
            event.set(Field::User, users[n as usize % users.len()]);
            bucket.push(&event, EventId(n as u128), "web1", Place::default());
        }
        guessed(&bucket, bucket.rows.iter()).iter().map(|it| (it.calls, it.succeeded)).collect()
    }

    #[test]
    fn guesses_are_told_with_the_one_that_got_in_and_stale_passwords_are_not() {
        assert_eq!(told(&["root", "admin"], 2_000_000, 40, false), [(40, false)]);
        assert_eq!(told(&["root", "admin"], 2_000_000, 40, true), [(40, true)]);
        assert_eq!(told(&["root"], 300_000, 40, true), [(40, true)]);
        assert_eq!(told(&["backup"], 300_000_000, 40, false), []);
        assert_eq!(told(&["ann"], 4_000_000, 4, true), []);
    }
}
