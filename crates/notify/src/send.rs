//! The outbox → the channels, within each one's limits. A channel that fails waits longer each time, and holds up no
//! other; nothing that its receiver did not take is marked as sent.

use ringleader_ledger::{Ledger, Waiting};
use ringleader_model::Timestamp;

use crate::channels::deliver;
use crate::config::{Channel, Config};
use crate::note::{Note, sample};
use crate::{Again, Failure};

/// Attempts before a message is given up: with the waits between them, about two days.
const ATTEMPTS: u64 = 12;
const FIRST_WAIT_SECONDS: i64 = 30;
const LONGEST_WAIT_SECONDS: i64 = 6 * 3600;
/// Messages that are looked at, and that one post holds, at most.
const AT_ONCE: u64 = 200;
const IN_ONE: usize = 40;

/// What came of one channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub channel: String,
    pub sent: u64,
    /// Posts that carried them.
    pub posts: u64,
    pub given_up: u64,
    pub error: Option<String>,
    /// Nothing more was sent: the minute is full, or it is night.
    pub waits_because: Option<&'static str>,
}

/// Sends what may be sent now.
pub fn send(
    ledger: &mut Ledger,
    config: &Config,
    clock: &dyn Fn() -> Timestamp,
) -> ringleader_ledger::Result<Vec<Report>> {
    config.channels.iter().map(|it| one(ledger, it, clock)).collect()
}

/// Sends a message that says that it is a test, past the outbox.
pub fn test(channel: &Channel, now: Timestamp) -> Result<(), Failure> {
    deliver(channel, &[sample(channel, now)], &[format!("test-{}", now.0)], now)
}

fn one(ledger: &mut Ledger, channel: &Channel, clock: &dyn Fn() -> Timestamp) -> ringleader_ledger::Result<Report> {
    let mut report = Report { channel: channel.name.clone(), ..Report::default() };
    loop {
        let now = clock();
        let minute_ago = Timestamp(now.0 - 60_000_000);
        if ledger.posts_since(&channel.name, minute_ago)? >= channel.per_minute {
            report.waits_because = Some("the minute is full");
            return Ok(report);
        }
        let due = ledger.due(&channel.name, now, AT_ONCE)?;
        let mut notes: Vec<(Waiting, Note)> = Vec::new();
        for it in due {
            match serde_json::from_str::<Note>(&it.message.body) {
                Ok(note) => notes.push((it, note)),
                Err(_) => {
                    ledger.failed(&[it.message.message_id], "its content cannot be read", now, None)?;
                    report.given_up += 1;
                }
            }
        }
        if channel.is_quiet(now) {
            let all = notes.len();
            notes.retain(|it| it.1.warning.rank >= channel.urgent_rank);
            if notes.is_empty() && all > 0 {
                report.waits_because = Some("quiet hours");
            }
        }
        if notes.is_empty() {
            return Ok(report);
        }
        // Few are read one by one, many as a digest.
        let n = if notes.len() >= channel.digest { notes.len().min(IN_ONE) } else { 1 };
        notes.truncate(n);
        let ids: Vec<String> = notes.iter().map(|it| it.0.message.message_id.clone()).collect();
        let attempts = notes.iter().map(|it| it.0.attempts).max().unwrap_or(0) + 1;
        let texts: Vec<Note> = notes.into_iter().map(|it| it.1).collect();
        match deliver(channel, &texts, &ids, now) {
            Ok(()) => {
                // Posts of one channel are told apart by their time.
                ledger.sent(&ids, Timestamp(clock().0.max(now.0 + 1)))?;
                report.sent += ids.len() as u64;
                report.posts += 1;
            }
            Err(failure) => {
                let again = match failure.again {
                    Again::Never => None,
                    _ if attempts >= ATTEMPTS => None,
                    Again::Later => Some(wait(attempts)),
                    Again::After(seconds) => Some(i64::try_from(seconds).unwrap_or(0).clamp(1, LONGEST_WAIT_SECONDS)),
                };
                let at = again.map(|seconds| Timestamp(now.0 + seconds * 1_000_000));
                ledger.failed(&ids, &failure.what, now, at)?;
                report.error = Some(failure.what);
                if at.is_none() {
                    report.given_up += ids.len() as u64;
                    continue;
                }
                return Ok(report);
            }
        }
    }
}

/// Seconds, doubling.
fn wait(attempts: u64) -> i64 {
    let doubled = FIRST_WAIT_SECONDS << attempts.saturating_sub(1).min(20);
    doubled.min(LONGEST_WAIT_SECONDS)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::channels::testing::{OK, server};
    use crate::note::compose;
    use crate::note::tests::note;

    fn config(url: &str, more: &str) -> Config {
        let text = format!("[[channel]]\nname = 'ops'\nkind = 'webhook'\nurl = '{url}'\nallow_internal = true\n{more}");
        Config::parse(&text).unwrap()
    }

    fn ledger(dir: &tempfile::TempDir) -> Ledger {
        Ledger::open(&dir.path().join("l.db").to_string_lossy()).unwrap()
    }

    fn post(ledger: &mut Ledger, config: &Config, n: usize) {
        let warnings: Vec<_> = (0..n)
            .map(|it| {
                let mut warning = note("x").warning;
                warning.warning_id = format!("w{it}").into();
                warning.rank = 50;
                warning
            })
            .collect();
        ledger.post(&compose(config, &warnings, &|_| "Rake".to_owned(), Timestamp(1))).unwrap();
    }

    /// A clock that goes on by a second with each look.
    fn clock(from: i64) -> impl Fn() -> Timestamp {
        let at = Cell::new(from);
        move || {
            at.set(at.get() + 1);
            Timestamp::from_secs(at.get())
        }
    }

    #[test]
    fn many_are_one_digest_and_few_are_messages_of_their_own() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = ledger(&dir);
        let (url, asked) = server(OK);
        let config = config(&url, "digest = 3");
        post(&mut ledger, &config, 4);
        let report = send(&mut ledger, &config, &clock(100)).unwrap();
        assert_eq!((report[0].sent, report[0].posts), (4, 1));
        let body: serde_json::Value = serde_json::from_str(&asked.join().unwrap().body).unwrap();
        assert_eq!(body["warnings"].as_array().unwrap().len(), 4);
        assert_eq!(ledger.outbox().unwrap()[0].waiting, 0);
    }

    #[test]
    fn what_fails_waits_longer_each_time_and_is_given_up_in_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = ledger(&dir);
        // Nobody listens there.
        let config = config("http://127.0.0.1:1", "");
        post(&mut ledger, &config, 1);
        let mut now = 1000;
        let mut waits = Vec::new();
        for _ in 0..ATTEMPTS {
            let report = send(&mut ledger, &config, &clock(now)).unwrap();
            assert!(report[0].error.is_some());
            let Some(due) =
                (now..now + 50_000).find(|it| !ledger.due("ops", Timestamp::from_secs(*it), 1).unwrap().is_empty())
            else {
                break;
            };
            waits.push(due - now);
            now = due;
        }
        assert!(waits.windows(2).all(|it| it[0] <= it[1]) && waits[0] <= 32, "{waits:?}");
        let dead = ledger.dead(10).unwrap();
        assert_eq!((dead.len(), dead[0].attempts), (1, ATTEMPTS));
    }

    #[test]
    fn a_full_minute_and_the_night_are_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = ledger(&dir);
        let (url, asked) = server(OK);
        let minute = config(&url, "per_minute = 1");
        post(&mut ledger, &minute, 2);
        let report = send(&mut ledger, &minute, &clock(100)).unwrap();
        assert_eq!((report[0].sent, report[0].waits_because), (1, Some("the minute is full")));
        asked.join().unwrap();
        let (url, _asked) = server(OK);
        let night = config(&url, "quiet = '00:00-23:59'");
        let report = send(&mut ledger, &night, &clock(1000)).unwrap();
        assert_eq!((report[0].sent, report[0].waits_because), (0, Some("quiet hours")));
        assert_eq!(ledger.outbox().unwrap()[0].waiting, 1);
    }
}
