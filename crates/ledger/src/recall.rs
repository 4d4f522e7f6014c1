//! tables → what is remembered. Deliberately absent: writing (`record`).

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::findings::Warning;
use sqlx::AnyConnection;

use crate::decided::Decided;
use crate::decision::CampaignRef;
use crate::error::Result;
use crate::lineage::{Features, Lineage};
use crate::memory::{FactKind, FactMemory, GangMemory, Memory, Place, Places};
use crate::sql::{count, json, number, rows, text};
use crate::store::Ledger;

const DAY: i64 = 86_400_000_000;

/// By what the next run knows gangs again.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    /// Every gang that was ever computed. What one is known by may have run out, or be counted to who took it in; its id is
    /// never given again.
    pub features: Features,
    /// gang → methods
    pub methods: BTreeMap<String, BTreeSet<String>>,
    /// Gang → who took it in, through all steps.
    pub superseded: BTreeMap<String, String>,
}

/// One line of `gang list`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    pub gang_id: String,
    pub memory: GangMemory,
    pub superseded_by: String,
}

/// An indicator, and how long it was its gang's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndicatorSpan {
    pub kind: String,
    pub value: String,
    pub strength: String,
    pub valid_from: i64,
    pub last_seen: i64,
    pub valid_until: i64,
    pub hosts: u64,
}

/// A run that was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    pub run: i64,
    pub at: i64,
    pub first_seen: i64,
    pub last_seen: i64,
    pub gangs: u64,
    pub warnings: u64,
}

impl Ledger {
    /// What a run must know to know gangs again.
    pub fn registry(&mut self) -> Result<Registry> {
        self.read(async |db| registry(db).await)
    }

    /// Every gang as it was recorded, by id; nothing is merged.
    pub fn gangs(&mut self) -> Result<Vec<Listed>> {
        self.read(async |db| {
            let superseded = superseded(db).await?;
            let listed = raw(db).await?.into_iter().map(|(gang_id, memory)| {
                let superseded_by = superseded.get(&gang_id).cloned().unwrap_or_default();
                Listed { gang_id, memory, superseded_by }
            });
            Ok(listed.collect())
        })
    }

    /// Latest first.
    pub fn indicators(&mut self, gang: &str, most: u64) -> Result<Vec<IndicatorSpan>> {
        self.read(async |db| {
            let sql = "SELECT kind, value, strength, valid_from, last_seen, valid_until, hosts FROM indicators
                       WHERE gang_id = $1 ORDER BY last_seen DESC, kind, value LIMIT $2";
            let found = rows(db, sql, [gang.into(), most.into()]).await?;
            let span = |row| {
                Ok(IndicatorSpan {
                    kind: text(row, 0)?,
                    value: text(row, 1)?,
                    strength: text(row, 2)?,
                    valid_from: number(row, 3)?,
                    last_seen: number(row, 4)?,
                    valid_until: number(row, 5)?,
                    hosts: count(row, 6)?,
                })
            };
            found.iter().map(span).collect()
        })
    }

    /// Campaigns of a gang, with their signatures.
    pub fn campaigns(&mut self, gang: &str) -> Result<Vec<CampaignRef>> {
        self.read(async |db| {
            let sql = "SELECT campaign_id, signature FROM campaigns WHERE gang_id = $1 ORDER BY campaign_id";
            let found = rows(db, sql, [gang.into()]).await?;
            found.iter().map(|row| Ok(CampaignRef { campaign: text(row, 0)?, signature: json(row, 1)? })).collect()
        })
    }

    /// Merges and splits that runs came to, oldest first; the number is the run.
    pub fn lineages(&mut self) -> Result<Vec<(i64, Lineage)>> {
        self.read(async |db| {
            let sql = "SELECT run, kind, gang_id, other, reason FROM lineage ORDER BY run, gang_id, other";
            let found = rows(db, sql, []).await?;
            let one = |row| {
                let kind = if text(row, 1)? == "merge" { "merge" } else { "split" };
                Ok((
                    number(row, 0)?,
                    Lineage { kind, gang: text(row, 2)?, other: text(row, 3)?, reason: text(row, 4)? },
                ))
            };
            found.iter().map(one).collect()
        })
    }

    /// Latest first.
    pub fn runs(&mut self, most: u64) -> Result<Vec<RunRow>> {
        self.read(async |db| {
            let sql = "SELECT run, at, first_seen, last_seen, gangs, warnings FROM runs ORDER BY run DESC LIMIT $1";
            let found = rows(db, sql, [most.into()]).await?;
            let one = |row| {
                Ok(RunRow {
                    run: number(row, 0)?,
                    at: number(row, 1)?,
                    first_seen: number(row, 2)?,
                    last_seen: number(row, 3)?,
                    gangs: count(row, 4)?,
                    warnings: count(row, 5)?,
                })
            };
            found.iter().map(one).collect()
        })
    }

    /// Latest first.
    pub fn warnings(&mut self, gang: &str, most: u64) -> Result<Vec<Warning>> {
        self.read(async |db| {
            let sql = "SELECT body FROM warnings WHERE gang_id = $1 ORDER BY run DESC, warning_id LIMIT $2";
            rows(db, sql, [gang.into(), most.into()]).await?.iter().map(|row| json(row, 0)).collect()
        })
    }

    /// The same, to be asked; `tenant`: of hosts that no place speaks of.
    pub fn placed(&mut self, tenant: &str) -> Result<Places> {
        self.read(async |db| places_of(db, tenant).await)
    }

    /// Which hosts are whose, and where.
    pub fn places(&mut self) -> Result<Vec<Place>> {
        self.read(async |db| places(db).await)
    }
}

pub(crate) async fn places(db: &mut AnyConnection) -> sqlx::Result<Vec<Place>> {
    let mut found = Vec::new();
    for row in rows(db, "SELECT pattern, tenant, region, sector, service FROM places", []).await? {
        found.push(Place {
            pattern: text(&row, 0)?,
            tenant: text(&row, 1)?,
            region: text(&row, 2)?,
            sector: text(&row, 3)?,
            service: text(&row, 4)?,
        });
    }
    // The longest pattern says most; the first that holds is taken.
    found.sort_by(|a, b| b.pattern.len().cmp(&a.pattern.len()).then(a.pattern.cmp(&b.pattern)));
    Ok(found)
}

/// gang → who took it in, through all steps.
pub(crate) async fn superseded(db: &mut AnyConnection) -> sqlx::Result<BTreeMap<String, String>> {
    let mut direct = BTreeMap::new();
    for row in rows(db, "SELECT gang_id, superseded_by FROM gangs WHERE superseded_by <> ''", []).await? {
        direct.insert(text(&row, 0)?, text(&row, 1)?);
    }
    let last = |from: &str| {
        let (mut at, mut steps) = (from, 0);
        while let Some(next) = direct.get(at)
            && steps <= direct.len()
        {
            (at, steps) = (next, steps + 1);
        }
        at.to_owned()
    };
    Ok(direct.keys().map(|it| (it.clone(), last(it))).collect())
}

pub(crate) async fn registry(db: &mut AnyConnection) -> sqlx::Result<Registry> {
    let superseded = superseded(db).await?;
    // Time is that of the logs: a ledger that rested for a month is as old as its latest run.
    let now = rows(db, "SELECT last_seen FROM runs ORDER BY last_seen DESC LIMIT 1", []).await?;
    let now = now.first().map_or(Ok(0), |row| number(row, 0))?;
    let mut found = Registry::default();
    for row in rows(db, "SELECT gang_id FROM gangs", []).await? {
        found.features.insert(text(&row, 0)?, BTreeSet::new());
    }
    for row in rows(db, "SELECT gang_id, kind, value FROM indicators WHERE valid_until >= $1", [now.into()]).await? {
        let gang = text(&row, 0)?;
        let gang = superseded.get(&gang).cloned().unwrap_or(gang);
        found.features.entry(gang).or_default().insert((text(&row, 1)?, text(&row, 2)?));
    }
    for row in rows(db, "SELECT gang_id, value FROM facts WHERE kind = 'method'", []).await? {
        let gang = text(&row, 0)?;
        let gang = superseded.get(&gang).cloned().unwrap_or(gang);
        found.methods.entry(gang).or_default().insert(text(&row, 1)?);
    }
    found.superseded = superseded;
    Ok(found)
}

/// Every gang by its own id.
pub(crate) async fn raw(db: &mut AnyConnection) -> sqlx::Result<BTreeMap<String, GangMemory>> {
    let mut gangs: BTreeMap<String, GangMemory> = BTreeMap::new();
    for row in rows(db, "SELECT gang_id, first_seen, last_seen, back_at FROM gangs", []).await? {
        let memory = GangMemory {
            first_seen: number(&row, 1)?,
            last_seen: number(&row, 2)?,
            back_at: number(&row, 3)?,
            ..GangMemory::default()
        };
        gangs.insert(text(&row, 0)?, memory);
    }
    for row in rows(db, "SELECT gang_id, host, first_seen, last_seen FROM gang_hosts", []).await? {
        if let Some(it) = gangs.get_mut(&text(&row, 0)?) {
            it.hosts.insert(text(&row, 1)?, (number(&row, 2)?, number(&row, 3)?));
        }
    }
    let sql = "SELECT gang_id, kind, value, first_seen, last_seen, hosts, host_names, told FROM facts";
    for row in rows(db, sql, []).await? {
        let (Some(it), Some(kind)) = (gangs.get_mut(&text(&row, 0)?), FactKind::from_name(&text(&row, 1)?)) else {
            continue;
        };
        let fact = FactMemory {
            first_seen: number(&row, 3)?,
            last_seen: number(&row, 4)?,
            hosts: count(&row, 5)?,
            names: json(&row, 6)?,
            told: number(&row, 7)? != 0,
        };
        it.facts.insert((kind, text(&row, 2)?), fact);
    }
    for row in rows(db, "SELECT gang_id, day, hosts, events FROM gang_days", []).await? {
        if let Some(it) = gangs.get_mut(&text(&row, 0)?) {
            it.days.insert(text(&row, 1)?, (count(&row, 2)?, count(&row, 3)?));
        }
    }
    Ok(gangs)
}

/// What is remembered, counted to the gangs that stand. `at`: now, for the day's budget.
pub(crate) async fn memory(
    db: &mut AnyConnection,
    raw: &BTreeMap<String, GangMemory>,
    superseded: &BTreeMap<String, String>,
    decided: &Decided,
    at: i64,
) -> sqlx::Result<Memory> {
    let mut memory = Memory::default();
    for (id, it) in raw {
        let standing = superseded.get(id).unwrap_or(id);
        memory.gangs.entry(decided.standing(standing).to_owned()).or_default().merge(it.clone());
    }
    let today = at.div_euclid(DAY) * DAY;
    for row in rows(db, "SELECT warning_id, seen, at, held FROM warnings", []).await? {
        memory.warned.insert(text(&row, 0)?, number(&row, 1)?);
        let given = number(&row, 3)? == 0 && (today..today + DAY).contains(&number(&row, 2)?);
        memory.given_today += usize::from(given);
    }
    for row in rows(db, "SELECT gang_id FROM lineage WHERE kind = 'split'", []).await? {
        memory.parts.insert(text(&row, 0)?);
    }
    memory.parts.extend(decided.splits.iter().map(|it| it.new_gang.clone()));
    for row in rows(db, "SELECT COUNT(*) FROM runs", []).await? {
        memory.runs = count(&row, 0)?;
    }
    Ok(memory)
}

pub(crate) async fn places_of(db: &mut AnyConnection, tenant: &str) -> sqlx::Result<Places> {
    Ok(Places::new(places(db).await?, tenant))
}
