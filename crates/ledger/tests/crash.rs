//! A process that is killed at a random moment loses no decision and no message, takes no decision twice, and sends twice
//! only what it was sending.

#![allow(clippy::unwrap_used, reason = "all of this is a test")]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use ringleader_ledger::{Ledger, Message, What};
use ringleader_model::Timestamp;

const LEDGER: &str = "RINGLEADER_CRASH_LEDGER";
const FROM: &str = "RINGLEADER_CRASH_FROM";
const OUT: &str = "RINGLEADER_CRASH_OUT";
const ROUNDS: u64 = 15;

/// Runs a test of this file in a process of its own, kills it after a while, and returns what it said.
fn killed(test: &str, variables: &[(&str, &str)], after: Duration) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .envs(variables.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(after);
    child.kill().unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    child.wait().unwrap();
    said
}

/// Milliseconds, from short to long, and never the same.
fn moment(round: u64) -> Duration {
    Duration::from_millis(40 + (round * 7919) % 160)
}

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").unwrap();
    out.flush().unwrap();
}

#[test]
fn decides_until_it_is_killed() {
    let Ok(at) = std::env::var(LEDGER) else { return };
    let from: u64 = std::env::var(FROM).unwrap().parse().unwrap();
    let mut ledger = Ledger::open(&at).unwrap();
    for n in from.. {
        let what = What::NameGang { gang: format!("g{n}"), name: format!("name {n}") };
        ledger.decide("ann", "a test", Timestamp::from_secs(1_800_000_000 + n as i64), what).unwrap();
        say(&format!("took {n}"));
    }
}

#[test]
fn no_decision_is_lost_and_none_is_taken_twice() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().join("l.db").to_string_lossy().into_owned();
    Ledger::open(&at).unwrap().close();
    // The next that nobody was told of: it may have been taken all the same, and is asked for again.
    let mut from = 0u64;
    for round in 0..ROUNDS {
        let said = killed("decides_until_it_is_killed", &[(LEDGER, &at), (FROM, &from.to_string())], moment(round));
        for line in said.lines() {
            // The last line may be half a line.
            if let Some(n) =
                line.rsplit("took ").next().and_then(|it| it.parse::<u64>().ok()).filter(|_| said.ends_with('\n'))
            {
                from = from.max(n + 1);
            }
        }
        let mut ledger = Ledger::open(&at).unwrap();
        assert_eq!(ledger.check().unwrap(), Vec::<String>::new());
        let decisions = ledger.decisions().unwrap();
        assert!(decisions.len() as u64 >= from && decisions.len() as u64 <= from + 1, "{} of {from}", decisions.len());
        for (n, it) in (0u64..).zip(&decisions) {
            assert_eq!(it.seq, n as i64 + 1);
            assert_eq!(it.what, What::NameGang { gang: format!("g{n}"), name: format!("name {n}") });
        }
        ledger.decided().unwrap();
    }
    assert!(from > ROUNDS, "the children took {from} decisions: they were killed before they began");
}

#[test]
fn sends_until_it_is_killed() {
    let (Ok(at), Ok(out)) = (std::env::var(LEDGER), std::env::var(OUT)) else { return };
    let mut ledger = Ledger::open(&at).unwrap();
    let mut receiver = std::fs::OpenOptions::new().create(true).append(true).open(out).unwrap();
    let now = Timestamp::from_secs(1_800_000_000);
    loop {
        for it in ledger.due("ops", now, 3).unwrap() {
            let id = it.message.message_id;
            writeln!(receiver, "{id}").unwrap();
            ledger.sent(&[id], now).unwrap();
        }
    }
}

#[test]
fn no_message_is_lost() {
    const MESSAGES: usize = 600;
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().join("l.db").to_string_lossy().into_owned();
    let out = dir.path().join("received").to_string_lossy().into_owned();
    let message = |n: usize| Message {
        message_id: format!("m{n:04}"),
        channel: "ops".to_owned(),
        body: "{}".to_owned(),
        created: Timestamp(n as i64),
        not_before: Timestamp(0),
    };
    let messages: Vec<Message> = (0..MESSAGES).map(message).collect();
    Ledger::open(&at).unwrap().post(&messages).unwrap();
    let mut kills = 0;
    let mut waiting = MESSAGES as u64;
    while waiting > 0 && kills < 200 {
        killed("sends_until_it_is_killed", &[(LEDGER, &at), (OUT, &out)], moment(kills));
        kills += 1;
        let mut ledger = Ledger::open(&at).unwrap();
        assert_eq!(ledger.check().unwrap(), Vec::<String>::new());
        waiting = ledger.outbox().unwrap()[0].waiting;
    }
    let mut received: BTreeMap<String, u64> = BTreeMap::new();
    for line in std::fs::read_to_string(&out).unwrap().lines() {
        *received.entry(line.to_owned()).or_default() += 1;
    }
    assert_eq!(received.len(), MESSAGES);
    let twice: u64 = received.values().map(|it| it - 1).sum();
    assert!(twice <= kills, "{twice} came again after {kills} kills");
}

#[test]
fn who_finds_the_ledger_locked_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().join("l.db").to_string_lossy().into_owned();
    Ledger::open(&at).unwrap().close();
    let mut holder = Ledger::open(&at).unwrap();
    holder.hold_for_test().unwrap();
    let mut other = Ledger::open(&at).unwrap();
    other.be_impatient_for_test().unwrap();
    let what = What::DismissGang { gang: "g".to_owned() };
    let error = other.decide("ann", "x", Timestamp::from_secs(1), what).unwrap_err().to_string();
    assert!(error.contains("in use by another run") && error.contains("run the same command again"), "{error}");
}
