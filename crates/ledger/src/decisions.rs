//! The ledger's decisions: taken, listed, taken back. A row is added or nothing is.

use ringleader_model::Timestamp;
use ringleader_model::hash::hash128;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use crate::decided::{Decided, admit};
use crate::decision::{Decision, MAX_TEXT, What, refused};
use crate::error::{Error, Result};
use crate::store::{Ledger, Written};

/// Decisions that one ledger holds.
pub(crate) const MAX_DECISIONS: usize = 1_000_000;

/// A decision, and whether it was taken just now. `false`: it stood already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub decision: Decision,
    pub new: bool,
}

impl Ledger {
    /// Takes a decision. The same words again while they hold change nothing, so whoever is not sure may ask twice.
    pub fn decide(&mut self, who: &str, why: &str, at: Timestamp, what: What) -> Result<Taken> {
        for (name, text) in [("the name of who decides", who), ("the reason", why)] {
            if text.chars().count() > MAX_TEXT || text.chars().any(char::is_control) {
                return Err(refused(format!("{name} is too long, or has control characters in it")));
            }
        }
        if who.trim().is_empty() {
            return Err(refused("who decides? give a name with --who"));
        }
        self.write(async |db| {
            let all = decisions(db).await?;
            let holds = Decided::of(&all)?;
            let standing = all.iter().rev().find(|it| it.what.is_same(&what) && !holds.undone.contains_key(&it.seq));
            if let Some(it) = standing.filter(|it| stands(it, &what, at)) {
                return Ok(Taken { decision: it.clone(), new: false });
            }
            if all.len() >= MAX_DECISIONS {
                return Err(refused(format!("the ledger holds {MAX_DECISIONS} decisions, which is the most")).into());
            }
            let seq = all.last().map_or(0, |it| it.seq) + 1;
            let body = serde_json::to_string(&what).map_err(|error| refused(error.to_string()))?;
            let decision_id = format!("{:032x}", hash128(format!("{seq}\n{who}\n{why}\n{body}").as_bytes(), 0x700));
            let decision =
                Decision { seq, decision_id, at, who: who.to_owned(), why: why.to_owned(), what: what.clone() };
            admit(&all, &decision)?;
            sqlx::query(
                "INSERT INTO decisions (seq, decision_id, at, who, why, kind, body) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(decision.seq)
            .bind(decision.decision_id.clone())
            .bind(decision.at.0)
            .bind(decision.who.clone())
            .bind(decision.why.clone())
            .bind(decision.what.kind())
            .bind(body)
            .execute(&mut *db)
            .await?;
            Ok(Taken { decision, new: true })
        })
    }

    /// All of them, oldest first.
    pub fn decisions(&mut self) -> Result<Vec<Decision>> {
        self.read(async |db| decisions(db).await)
    }

    /// What holds now.
    pub fn decided(&mut self) -> Result<Decided> {
        Decided::of(&self.decisions()?)
    }
}

/// Whether saying the same again means the same: a note said twice is two notes, an entry that ended is taken anew.
fn stands(it: &Decision, what: &What, now: Timestamp) -> bool {
    match what {
        What::Allow { until, .. } => *until > now,
        What::NoteCase { .. } => it.at == now,
        What::OpenCase { .. } => it.at == now,
        _ => true,
    }
}

pub(crate) async fn decisions(db: &mut AnyConnection) -> sqlx::Result<Vec<Decision>> {
    let rows =
        sqlx::query("SELECT seq, decision_id, at, who, why, body FROM decisions ORDER BY seq").fetch_all(db).await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> sqlx::Result<Decision> {
    let body: String = row.try_get("body")?;
    let what = serde_json::from_str(&body).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(Decision {
        seq: row.try_get("seq")?,
        decision_id: row.try_get("decision_id")?,
        at: Timestamp(row.try_get("at")?),
        who: row.try_get("who")?,
        why: row.try_get("why")?,
        what,
    })
}

/// Within a turn: what holds.
pub(crate) async fn decided(db: &mut AnyConnection) -> Written<Decided> {
    Ok(Decided::of(&decisions(db).await?).map_err(|error| Error::Refused(error.to_string()))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> What {
        What::NameGang { gang: "a".to_owned(), name: name.to_owned() }
    }

    #[test]
    fn the_same_words_twice_are_one_decision_and_a_contradiction_leaves_no_row() {
        let dir = tempfile::tempdir().unwrap();
        let mut it = Ledger::open(&dir.path().join("l.db").to_string_lossy()).unwrap();
        let now = Timestamp::from_secs(1_800_000_000);
        assert!(it.decide("ann", "seen before", now, named("Rake")).unwrap().new);
        let again = it.decide("bob", "me too", now, named("Rake")).unwrap();
        assert_eq!((again.new, again.decision.who.as_str()), (false, "ann"));
        let other = What::NameGang { gang: "b".to_owned(), name: "rake".to_owned() };
        assert!(matches!(it.decide("ann", "", now, other), Err(Error::Refused(_))));
        it.decide("ann", "wrong", now, What::Undo { decision: 1 }).unwrap();
        assert!(it.decided().unwrap().names.is_empty());
        // Taken back, the same words are new again.
        assert!(it.decide("ann", "right after all", now, named("Rake")).unwrap().new);
        let seqs: Vec<i64> = it.decisions().unwrap().iter().map(|it| it.seq).collect();
        assert_eq!(seqs, [1, 2, 3]);
        assert!(it.decide(" ", "", now, named("x")).is_err());
    }
}
