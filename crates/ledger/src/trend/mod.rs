//! A period → what the ledger holds of it and of the period before, summed up. Deliberately absent: how it is shown.

mod churn;
mod sum;

use std::collections::BTreeMap;

use ringleader_model::Timestamp;
use ringleader_model::findings::Warning;
use ringleader_model::trend::{Day, Length, MethodFacts, Period, Trend};
use sqlx::AnyConnection;

use crate::decided::Decided;
use crate::decisions::decided;
use crate::error::Result;
use crate::memory::{Memory, Places};
use crate::recall;
use crate::sql::{count, json, number, rows, text};
use crate::store::Ledger;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Asked {
    pub period: Period,
    /// Of this gang alone.
    pub gang: Option<String>,
    /// What the knowledge says of methods.
    pub methods: BTreeMap<String, MethodFacts>,
}

/// One row of `activity`, counted to the gang that stands.
#[derive(Debug, Clone)]
struct Did {
    gang: String,
    day: Day,
    host: String,
    method: String,
    episodes: u64,
    events: u64,
}

/// Everything that a report is summed from.
struct Held {
    activity: Vec<Did>,
    days: Option<(Day, Day)>,
    memory: Memory,
    decided: Decided,
    places: Places,
    /// Sent ones, with their day.
    warnings: Vec<(Day, Warning)>,
    /// Gangs that were found to be part of others: day, who was taken in, by whom.
    merged: Vec<(Day, String, String)>,
    runs: u64,
}

impl Ledger {
    /// The calendar's period that holds the latest activity, or the one that begins on that day.
    pub fn period(&mut self, length: Length, from: Option<Day>) -> Result<Option<Period>> {
        if let Some(from) = from {
            return Ok(Some(Period::from(length, from)));
        }
        let held = self.read(async |db| held_days(db).await)?;
        Ok(held.map(|it| Period::around(length, it.1)))
    }

    /// Who has this gang now: whoever took it in, through all steps.
    pub fn standing(&mut self, gang: &str) -> Result<String> {
        let decided = self.decided()?;
        let superseded = self.read(async |db| recall::superseded(db).await)?;
        Ok(decided.standing(superseded.get(gang).map_or(gang, String::as_str)).to_owned())
    }

    pub fn trend(&mut self, asked: &Asked) -> Result<Trend> {
        let held = self.read(async |db| held(db, &asked.period).await)?;
        Ok(sum::sum(asked, &held))
    }
}

async fn held_days(db: &mut AnyConnection) -> sqlx::Result<Option<(Day, Day)>> {
    let ends = |it: &[sqlx::any::AnyRow]| it.first().map(|row| text(row, 0)).transpose();
    let first = ends(&rows(db, "SELECT day FROM activity ORDER BY day LIMIT 1", []).await?)?;
    let last = ends(&rows(db, "SELECT day FROM activity ORDER BY day DESC LIMIT 1", []).await?)?;
    Ok(first.as_deref().and_then(Day::parse).zip(last.as_deref().and_then(Day::parse)))
}

async fn held(db: &mut AnyConnection, period: &Period) -> sqlx::Result<Held> {
    let decided = match decided(db).await {
        Ok(it) => it,
        Err(crate::store::Stopped::Database(error)) => return Err(error),
        // Decisions that contradict each other are told by `ledger check`; nothing is shown as decided then.
        Err(crate::store::Stopped::Refused(_)) => Decided::default(),
    };
    let superseded = recall::superseded(db).await?;
    let raw = recall::raw(db).await?;
    let memory = recall::memory(db, &raw, &superseded, &decided, 0).await?;
    let standing = |gang: &str| decided.standing(superseded.get(gang).map_or(gang, String::as_str)).to_owned();
    let (from, to) = (period.before.to_string(), period.to.to_string());
    let sql = "SELECT gang_id, day, host, method, episodes, events FROM activity WHERE day >= $1 AND day < $2
               ORDER BY gang_id, day, host, method";
    let mut activity = Vec::new();
    for row in rows(db, sql, [from.into(), to.into()]).await? {
        let gang = standing(&text(&row, 0)?);
        let Some(day) = Day::parse(&text(&row, 1)?) else { continue };
        if decided.dismissed.contains_key(&gang) {
            continue;
        }
        let (host, method) = (text(&row, 2)?, text(&row, 3)?);
        activity.push(Did { gang, day, host, method, episodes: count(&row, 4)?, events: count(&row, 5)? });
    }
    let (from, to) = (period.from.start().0, period.to.start().0);
    let sql = "SELECT body, seen FROM warnings WHERE seen >= $1 AND seen < $2 AND held = 0 ORDER BY warning_id";
    let mut warnings = Vec::new();
    for row in rows(db, sql, [from.into(), to.into()]).await? {
        let mut warning: Warning = json(&row, 0)?;
        let day = Day::of(warning.time.unwrap_or(Timestamp(number(&row, 1)?)));
        warning.gang_id = warning.gang_id.map(|it| standing(&it).as_str().into());
        warnings.push((day, warning));
    }
    let sql = "SELECT runs.last_seen, lineage.other, lineage.gang_id FROM lineage JOIN runs ON runs.run = lineage.run
               WHERE lineage.kind = 'merge' AND runs.last_seen >= $1 AND runs.last_seen < $2
               ORDER BY runs.last_seen, lineage.other";
    let mut merged = Vec::new();
    for row in rows(db, sql, [from.into(), to.into()]).await? {
        merged.push((Day::of(Timestamp(number(&row, 0)?)), text(&row, 1)?, standing(&text(&row, 2)?)));
    }
    let sql = "SELECT COUNT(*) FROM runs WHERE last_seen >= $1 AND first_seen < $2";
    let runs = rows(db, sql, [from.into(), to.into()]).await?.first().map_or(Ok(0), |row| count(row, 0))?;
    let places = recall::places_of(db, "").await?;
    let days = held_days(db).await?;
    Ok(Held { activity, days, memory, decided, places, warnings, merged, runs })
}

#[cfg(test)]
mod tests;
