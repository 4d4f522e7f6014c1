//! one caller's pairs → whether it guesses at logins, and whether a guess got in.

use std::collections::BTreeMap;

use super::{About, Found, Kind};
use crate::label::network::NetworkRole;
use crate::label::network::beacon::{quantile, rhythm};
use crate::label::network::flow::Proto;
use crate::label::network::sums::{Pair, Talk, Talks};
use crate::label::network::thresholds::*;

pub(super) fn find(pairs: &[(Pair, Talks)], about: &About<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    let mut sprayed: BTreeMap<u16, Vec<&(Pair, Talks)>> = BTreeMap::new();
    for it in pairs {
        let (pair, talks) = it;
        let login = LOGIN.contains(&pair.port) || (about.suspicious && LOGIN_OF_APPS.contains(&pair.port));
        if !login || pair.proto != Proto::Tcp || !talks.is_answered() {
            continue;
        }
        if let Some(guesses) = guesses(pair, talks) {
            found.push(guesses);
        } else if is_small(&talks.answered) {
            sprayed.entry(pair.port).or_default().push(it);
        }
    }
    found.extend(sprayed.into_values().filter_map(|it| spray(&it)));
    found
}

fn guesses(pair: &Pair, talks: &Talks) -> Option<Found> {
    let talk = &talks.answered;
    let within = if LOGIN.contains(&pair.port) { GUESS_SPREAD_PERCENT } else { GUESS_SPREAD_APPS_PERCENT };
    let alike = alike_percent(talk, within);
    if talk.count.saturating_mul(alike) < GUESS_TRIES * 100 || alike < 50 || !is_small(talk) {
        return None;
    }
    let times: Vec<i64> = talk.calls.iter().map(|it| it.time).collect();
    let gaps: Vec<i64> = times.windows(2).map(|it| it[1].saturating_sub(it[0])).collect();
    let gap = quantile(&gaps, 50)?;
    // One record of many attempts has no gaps to look at.
    if gap > GUESS_GAP || rhythm(&times).is_some_and(|it| it.period > GUESS_RHYTHM && it.spread_percent <= 2) {
        return None;
    }
    let mut it = Found::new(NetworkRole::BruteForce, Kind::Guesses, pair, talks);
    it.succeeded = got_in(talk);
    it.confidence_permille = if LOGIN.contains(&pair.port) { 850 } else { 650 };
    it.why = format!(
        "{} short sessions alike on port {}, {} s apart{}",
        talk.count,
        pair.port,
        gap / 1_000_000,
        if it.succeeded { "; a longer one after them got in" } else { "" }
    );
    Some(it)
}

/// Some guesses at each of many servers.
fn spray(pairs: &[&(Pair, Talks)]) -> Option<Found> {
    let pair = &pairs.first()?.0;
    let calls: u64 = pairs.iter().map(|it| it.1.answered.count).sum();
    let servers = pairs.len() as u64;
    if servers < SPRAY_SERVERS || calls < servers * SPRAY_TRIES || !LOGIN.contains(&pair.port) {
        return None;
    }
    let close = pairs.iter().filter(|it| {
        let times: Vec<i64> = it.1.answered.calls.iter().map(|it| it.time).collect();
        let gaps: Vec<i64> = times.windows(2).map(|it| it[1].saturating_sub(it[0])).collect();
        quantile(&gaps, 50).is_some_and(|it| it <= GUESS_GAP)
    });
    if close.count() * 2 < pairs.len() {
        return None;
    }
    let mut it = Found::of_many(NetworkRole::BruteForce, Kind::Spray, pairs)?;
    it.dst = None;
    it.targets = servers;
    it.why = format!("{calls} short sessions on port {} of {servers} servers", pair.port);
    Some(it)
}

fn sizes(talk: &Talk) -> Vec<i64> {
    talk.calls.iter().map(|it| it.bytes).filter(|it| *it != u32::MAX).map(i64::from).collect()
}

/// Where the sensor tells no bytes, nothing speaks against it.
fn is_small(talk: &Talk) -> bool {
    quantile(&sizes(talk), 50).is_none_or(|it| it as u64 <= GUESS_BYTES)
}

/// Of a hundred calls, how many are about as large as the middle one.
fn alike_percent(talk: &Talk, within_percent: u64) -> u64 {
    let sizes = sizes(talk);
    let Some(median) = quantile(&sizes, 50) else { return 100 };
    let alike = sizes.iter().filter(|it| it.abs_diff(median) * 100 <= median as u64 * within_percent).count();
    alike as u64 * 100 / sizes.len() as u64
}

/// The largest session is far larger than a guess, and came after many of them.
fn got_in(talk: &Talk) -> bool {
    let (Some((bytes, time, _)), Some(median)) = (talk.largest, quantile(&sizes(talk), 50)) else { return false };
    let after = talk.calls.get(SUCCESS_AFTER - 1).is_some_and(|it| it.time <= time.saturating_neg());
    let median = median as u64;
    after && bytes >= median.saturating_mul(SUCCESS_TIMES) && bytes >= median.saturating_add(SUCCESS_BYTES)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn guesses(n: i64, gap: i64, last: u64) -> Traffic {
        let mut it = Traffic::default();
        for at in 0..n {
            it.call("192.0.2.8:22", at * gap + at % 3 * gap / 5, 1500 + at as u64 % 300, 2000);
        }
        it.call("192.0.2.8:22", n * gap, last, last);
        it
    }

    #[test]
    fn guesses_are_told_and_the_session_that_got_in() {
        assert_eq!(guesses(80, SECOND, 1500).roles(false), [(NetworkRole::BruteForce, Kind::Guesses, false)]);
        assert_eq!(guesses(80, SECOND, 60_000).roles(false), [(NetworkRole::BruteForce, Kind::Guesses, true)]);
    }

    #[test]
    fn checks_and_work_are_no_guesses() {
        assert_eq!(guesses(80, 60 * SECOND, 1500).roles(false), []);
        let mut work = Traffic::default();
        for at in 0..80u64 {
            work.call("192.0.2.8:22", at as i64 * SECOND, 3000 + at * 90_000 % 700_000, 20_000 + at * 7919 % 90_000);
        }
        assert_eq!(work.roles(false), []);
    }

    #[test]
    fn a_few_guesses_at_each_of_many_servers() {
        let mut it = Traffic::default();
        for n in 1..30 {
            for at in 0..5 {
                it.call(&format!("192.0.2.{n}:3389"), (n * 5 + at) * SECOND, 1200, 1400);
            }
        }
        assert_eq!(it.roles(false), [(NetworkRole::BruteForce, Kind::Spray, false)]);
    }
}
