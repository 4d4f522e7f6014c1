//! Messages that wait, are sent, or are given up. At least once: a message leaves the outbox only after its receiver
//! took it, so whoever dies in between sends it again, with the same `message_id`. Deliberately absent: sending
//! (`notify`), and the clock.

use ringleader_model::Timestamp;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::error::Result;
use crate::sql::{count, exec, number, rows, text};
use crate::store::{Ledger, Written};

/// Messages that wait for one channel; beyond it, the oldest go to the dead letters.
const MAX_WAITING: u64 = 10_000;
/// Longest error that is kept.
const MAX_ERROR: usize = 500;
/// Days after which what was sent is forgotten.
const KEPT_DAYS: i64 = 90;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Of its content: the same twice is one.
    pub message_id: String,
    pub channel: String,
    /// What a channel makes its own words from; the ledger does not look into it.
    pub body: String,
    pub created: Timestamp,
    pub not_before: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub message: Message,
    pub attempts: u64,
    pub error: String,
}

/// Of one channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    pub channel: String,
    pub waiting: u64,
    pub sent: u64,
    pub dead: u64,
    /// Of what waits, the latest.
    pub error: String,
}

impl Ledger {
    /// Puts messages into the outbox, all or none.
    pub fn post(&mut self, messages: &[Message]) -> Result<()> {
        self.write(async |db| {
            for it in messages {
                put(db, it).await?;
            }
            Ok(())
        })
    }

    /// What may be sent now, oldest first.
    pub fn due(&mut self, channel: &str, now: Timestamp, most: u64) -> Result<Vec<Waiting>> {
        self.read(async |db| {
            let sql = "SELECT message_id, channel, body, created, not_before, attempts, error FROM outbox
                       WHERE channel = $1 AND sent = 0 AND not_before <= $2 ORDER BY created, message_id LIMIT $3";
            let found = rows(db, sql, [channel.into(), now.0.into(), most.into()]).await?;
            found.iter().map(waiting).collect()
        })
    }

    /// How many posts a channel took since: a digest of several messages is one post, with one time.
    pub fn posts_since(&mut self, channel: &str, since: Timestamp) -> Result<u64> {
        self.read(async |db| {
            let sql = "SELECT COUNT(DISTINCT sent) FROM outbox WHERE channel = $1 AND sent > $2";
            rows(db, sql, [channel.into(), since.0.into()]).await?.first().map_or(Ok(0), |row| count(row, 0))
        })
    }

    /// The receiver took them.
    pub fn sent(&mut self, ids: &[String], at: Timestamp) -> Result<()> {
        self.write(async |db| {
            for id in ids {
                exec(db, "UPDATE outbox SET sent = $1, error = '' WHERE message_id = $2", [at.0.into(), id.into()])
                    .await?;
            }
            let old = at.0.saturating_sub(KEPT_DAYS * 86_400_000_000);
            exec(db, "DELETE FROM outbox WHERE sent > 0 AND sent < $1", [old.into()]).await?;
            Ok(())
        })
    }

    /// The receiver did not take them: they wait until `again`, or (`None`) are given up.
    pub fn failed(&mut self, ids: &[String], error: &str, now: Timestamp, again: Option<Timestamp>) -> Result<()> {
        let error: String = error.chars().take(MAX_ERROR).collect();
        self.write(async |db| {
            for id in ids {
                let sql = "UPDATE outbox SET attempts = attempts + 1, error = $1, not_before = $2 WHERE message_id = $3 AND sent = 0";
                exec(db, sql, [(&error).into(), again.unwrap_or(now).0.into(), id.into()]).await?;
                if again.is_none() {
                    bury(db, id, now).await?;
                }
            }
            Ok(())
        })
    }

    /// What was given up, latest first.
    pub fn dead(&mut self, most: u64) -> Result<Vec<Waiting>> {
        self.read(async |db| {
            let sql = "SELECT message_id, channel, body, created, died, attempts, error FROM dead_letters
                       ORDER BY died DESC, message_id LIMIT $1";
            let found = rows(db, sql, [most.into()]).await?;
            found.iter().map(waiting).collect()
        })
    }

    /// Dead letters of a channel go back into the outbox; how many.
    pub fn revive(&mut self, channel: &str, now: Timestamp) -> Result<u64> {
        self.write(async |db| {
            let sql = "INSERT INTO outbox (message_id, channel, body, created, not_before, attempts, sent, error)
                SELECT message_id, channel, body, created, $1, 0, 0, '' FROM dead_letters WHERE channel = $2
                ON CONFLICT (message_id) DO NOTHING";
            let revived = exec(db, sql, [now.0.into(), channel.into()]).await?;
            exec(db, "DELETE FROM dead_letters WHERE channel = $1", [channel.into()]).await?;
            Ok(revived)
        })
    }

    /// By channel.
    pub fn outbox(&mut self) -> Result<Vec<Status>> {
        self.read(async |db| {
            let mut found: std::collections::BTreeMap<String, Status> = std::collections::BTreeMap::new();
            let sql = "SELECT channel, COUNT(*) FROM outbox WHERE sent = 0 GROUP BY channel";
            for row in rows(db, sql, []).await? {
                found.entry(text(&row, 0)?).or_default().waiting = count(&row, 1)?;
            }
            let sql = "SELECT channel, COUNT(*) FROM outbox WHERE sent > 0 GROUP BY channel";
            for row in rows(db, sql, []).await? {
                found.entry(text(&row, 0)?).or_default().sent = count(&row, 1)?;
            }
            for row in rows(db, "SELECT channel, COUNT(*) FROM dead_letters GROUP BY channel", []).await? {
                found.entry(text(&row, 0)?).or_default().dead = count(&row, 1)?;
            }
            let sql = "SELECT channel, error FROM outbox WHERE sent = 0 AND error <> '' ORDER BY not_before";
            for row in rows(db, sql, []).await? {
                found.entry(text(&row, 0)?).or_default().error = text(&row, 1)?;
            }
            Ok(found.into_iter().map(|(channel, it)| Status { channel, ..it }).collect())
        })
    }
}

/// Within a turn. What was put there before, sent or not, stays as it is.
pub(crate) async fn put(db: &mut AnyConnection, it: &Message) -> Written<()> {
    let sql = "INSERT INTO outbox (message_id, channel, body, created, not_before, attempts, sent, error)
        VALUES ($1, $2, $3, $4, $5, 0, 0, '') ON CONFLICT (message_id) DO NOTHING";
    let values =
        [(&it.message_id).into(), (&it.channel).into(), (&it.body).into(), it.created.0.into(), it.not_before.0.into()];
    exec(db, sql, values).await?;
    let sql = "SELECT COUNT(*) FROM outbox WHERE channel = $1 AND sent = 0";
    let waiting = rows(db, sql, [(&it.channel).into()]).await?.first().map_or(Ok(0), |row| count(row, 0))?;
    if waiting > MAX_WAITING {
        let sql = "SELECT message_id FROM outbox WHERE channel = $1 AND sent = 0 ORDER BY created, message_id LIMIT 1";
        for row in rows(db, sql, [(&it.channel).into()]).await? {
            let id = text(&row, 0)?;
            exec(db, "UPDATE outbox SET error = 'too many wait' WHERE message_id = $1", [(&id).into()]).await?;
            bury(db, &id, it.created).await?;
        }
    }
    Ok(())
}

/// A row of either table; of a dead letter, the time to wait for is when it died.
fn waiting(row: &AnyRow) -> sqlx::Result<Waiting> {
    let message = Message {
        message_id: text(row, 0)?,
        channel: text(row, 1)?,
        body: text(row, 2)?,
        created: Timestamp(number(row, 3)?),
        not_before: Timestamp(number(row, 4)?),
    };
    Ok(Waiting { message, attempts: count(row, 5)?, error: text(row, 6)? })
}

/// From the outbox to the dead letters.
async fn bury(db: &mut AnyConnection, id: &str, now: Timestamp) -> Written<()> {
    let sql = "INSERT INTO dead_letters (message_id, channel, body, created, died, attempts, error)
        SELECT message_id, channel, body, created, $1, attempts, error FROM outbox WHERE message_id = $2 AND sent = 0
        ON CONFLICT (message_id) DO NOTHING";
    exec(db, sql, [now.0.into(), id.into()]).await?;
    exec(db, "DELETE FROM outbox WHERE message_id = $1 AND sent = 0", [id.into()]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_waits_until_it_is_taken_or_given_up() {
        let dir = tempfile::tempdir().unwrap();
        let mut it = Ledger::open(&dir.path().join("l.db").to_string_lossy()).unwrap();
        let at = Timestamp::from_secs;
        let message = |id: &str| Message {
            message_id: id.to_owned(),
            channel: "ops".to_owned(),
            body: "{}".to_owned(),
            created: at(1),
            not_before: at(10),
        };
        it.post(&[message("a"), message("b"), message("a")]).unwrap();
        assert_eq!(it.due("ops", at(9), 10).unwrap(), []);
        let ids = |due: Vec<Waiting>| due.into_iter().map(|it| it.message.message_id).collect::<Vec<_>>();
        assert_eq!(ids(it.due("ops", at(10), 10).unwrap()), ["a", "b"]);
        it.sent(&["a".to_owned()], at(11)).unwrap();
        // Posted again, it is not sent again.
        it.post(&[message("a")]).unwrap();
        assert_eq!(ids(it.due("ops", at(12), 10).unwrap()), ["b"]);
        it.failed(&["b".to_owned()], "500", at(12), Some(at(20))).unwrap();
        assert_eq!(ids(it.due("ops", at(19), 10).unwrap()), [] as [&str; 0]);
        it.failed(&["b".to_owned()], "gone", at(20), None).unwrap();
        let dead = it.dead(10).unwrap();
        assert_eq!((dead[0].attempts, dead[0].error.as_str()), (2, "gone"));
        let status = it.outbox().unwrap();
        assert_eq!((status[0].waiting, status[0].sent, status[0].dead), (0, 1, 1));
        assert_eq!(it.revive("ops", at(30)).unwrap(), 1);
        assert_eq!(ids(it.due("ops", at(30), 10).unwrap()), ["b"]);
        assert_eq!(it.posts_since("ops", at(0)).unwrap(), 1);
    }
}
