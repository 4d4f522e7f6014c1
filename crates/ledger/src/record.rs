//! A run's findings → the ledger, and the warnings that come of it. All of it is written, or nothing; a run that is
//! recorded twice is recorded once.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::findings::{ComputedGang, Findings, Warning};
use ringleader_model::hash::hash128;
use ringleader_model::{IndicatorKind, Timestamp};
use sqlx::AnyConnection;

use crate::decisions::decided;
use crate::error::{Result, WAIT_SECONDS};
use crate::lineage::{Lineage, lineage};
use crate::memory::{FactKind, FactMemory, GangMemory, GangObserved, Observed, Place, observe};
use crate::outbox::{Message, put};
use crate::recall;
use crate::seen::Seen;
use crate::sql::{exec, json, number, rows};
use crate::store::{Ledger, Written};
use crate::warn::{News, Settings, in_order, warn};

const DAY: i64 = 86_400_000_000;
/// Never, for an indicator's end.
pub(crate) const NEVER: i64 = 253_370_764_800_000_000;
/// Host names kept with a fact.
const NAMES: usize = 8;
/// Values by which one gang is known again.
const MAX_FEATURES: usize = 20_000;
/// Parts of a signature that are kept of a campaign.
const MAX_SIGNATURE: usize = 64;

/// Whose run, and when.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// Of what it read: the same input twice is one run.
    pub run_id: String,
    pub at: Timestamp,
    /// Of hosts that no place speaks of.
    pub tenant: String,
}

impl RunRecord {
    /// Of the findings of a run.
    pub fn of(findings: &Findings, at: Timestamp, tenant: &str) -> Self {
        let mut parts = vec![findings.summary.events_read.to_string(), findings.run.knowledge_sha256.clone()];
        parts.extend(findings.run.inputs.iter().map(|it| it.sha256.clone()));
        parts.extend(findings.summary.sources.iter().map(|it| format!("{} {} {}", it.source, it.read, it.rejected)));
        for gang in &findings.computed {
            let times = gang.features.iter().flat_map(|it| [it.first_seen, it.last_seen]).flatten().map(|it| it.0);
            parts.push(format!("{:?} {}", times.clone().min(), gang.campaigns.join(" ")));
        }
        Self { run_id: format!("{:032x}", hash128(parts.join("\n").as_bytes(), 0x701)), at, tenant: tenant.to_owned() }
    }
}

#[derive(Debug, Clone, Default)]
pub struct Recorded {
    /// Most urgent first.
    pub warnings: Vec<Warning>,
    pub lineage: Vec<Lineage>,
    /// It had been recorded before: nothing was added.
    pub again: bool,
}

impl Ledger {
    /// Records what a run found. `compose`: the messages that its warnings make; they are put into the outbox with it.
    pub fn record(
        &mut self,
        run: &RunRecord,
        findings: &Findings,
        seen: &Seen,
        settings: &Settings,
        compose: &dyn Fn(&[Warning]) -> Vec<Message>,
    ) -> Result<Recorded> {
        self.write(async |db| record(db, run, findings, seen, settings, compose).await)
    }

    /// Which hosts are whose, and where; what stood there before is gone.
    pub fn set_places(&mut self, places: &[Place]) -> Result<()> {
        self.write(async |db| {
            exec(db, "DELETE FROM places", []).await?;
            for it in places {
                let sql = "INSERT INTO places (pattern, tenant, region, sector, service) VALUES ($1, $2, $3, $4, $5)
                           ON CONFLICT (pattern) DO NOTHING";
                let Place { pattern, tenant, region, sector, service } = it;
                exec(db, sql, [pattern.into(), tenant.into(), region.into(), sector.into(), service.into()]).await?;
            }
            Ok(())
        })
    }

    /// How long a writer waits for another.
    pub const fn patience_seconds() -> u64 {
        WAIT_SECONDS
    }
}

async fn record(
    db: &mut AnyConnection,
    run: &RunRecord,
    findings: &Findings,
    seen: &Seen,
    settings: &Settings,
    compose: &dyn Fn(&[Warning]) -> Vec<Message>,
) -> Written<Recorded> {
    if let Some(row) = rows(db, "SELECT run FROM runs WHERE run_id = $1", [(&run.run_id).into()]).await?.first() {
        let stored = rows(db, "SELECT body FROM warnings WHERE run = $1", [number(row, 0)?.into()]).await?;
        let mut warnings = stored.iter().map(|row| json(row, 0)).collect::<sqlx::Result<Vec<Warning>>>()?;
        warnings.sort_by(in_order);
        return Ok(Recorded { warnings, lineage: Vec::new(), again: true });
    }
    let decided = decided(db).await?;
    let registry = recall::registry(db).await?;
    let lineage = lineage(&registry.features, &findings.computed);
    let mut superseded = registry.superseded;
    for it in lineage.iter().filter(|it| it.kind == "merge") {
        superseded.insert(it.other.clone(), it.gang.clone());
        superseded.values_mut().filter(|at| **at == it.other).for_each(|at| at.clone_from(&it.gang));
    }
    let raw = recall::raw(db).await?;
    let mut memory = recall::memory(db, &raw, &superseded, &decided, run.at.0).await?;
    memory.parts.extend(lineage.iter().filter(|it| it.kind == "split").map(|it| it.gang.clone()));
    let places = recall::places_of(db, &run.tenant).await?;
    let observed = observe(findings, seen, &places);
    let news = warn(&memory, &observed, settings);

    let number_of = i64::try_from(memory.runs).unwrap_or(i64::MAX).saturating_add(1);
    let sql = "INSERT INTO runs (run, run_id, at, first_seen, last_seen, gangs, warnings) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let (gangs, warnings) = (observed.gangs.len() as u64, news.len() as u64);
    let values = [
        number_of.into(),
        (&run.run_id).into(),
        run.at.0.into(),
        observed.first.into(),
        observed.last.into(),
        gangs.into(),
        warnings.into(),
    ];
    exec(db, sql, values).await?;
    for gang in &findings.computed {
        computed(db, gang, number_of).await?;
    }
    rented_again(db, &findings.computed).await?;
    for it in &lineage {
        let sql = "INSERT INTO lineage (run, kind, gang_id, other, reason) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (kind, gang_id, other) DO NOTHING";
        let values = [number_of.into(), it.kind.into(), (&it.gang).into(), (&it.other).into(), (&it.reason).into()];
        exec(db, sql, values).await?;
        if it.kind == "merge" {
            exec(db, "UPDATE gangs SET superseded_by = $1 WHERE gang_id = $2", [(&it.gang).into(), (&it.other).into()])
                .await?;
        }
    }
    write_campaigns(db, findings).await?;
    let told = told(&news);
    for (id, seen) in &observed.gangs {
        let nothing = GangMemory::default();
        let folded = memory.gangs.get(id).unwrap_or(&nothing);
        let own = raw.get(id).unwrap_or(&nothing);
        write_gang(db, id, seen, own, folded, number_of, settings, &told).await?;
    }
    write_warnings(db, &news, number_of, run.at.0, &observed).await?;
    let warnings: Vec<Warning> = news.into_iter().map(|it| it.warning).collect();
    for message in compose(&warnings) {
        put(db, &message).await?;
    }
    Ok(Recorded { warnings, lineage, again: false })
}

/// (gang, kind, value) of what the news told of.
fn told(news: &[News]) -> BTreeSet<(String, FactKind, String)> {
    let of = |it: &News| {
        let gang = it.warning.gang_id.as_deref().unwrap_or_default().to_owned();
        it.told.iter().map(move |(kind, value)| (gang.clone(), *kind, value.clone())).collect::<Vec<_>>()
    };
    news.iter().flat_map(of).collect()
}

const EARLIER: &str = "INSERT INTO gangs (gang_id, first_seen, last_seen, first_run, last_run, back_at, superseded_by)
    VALUES ($1, $2, $3, $4, $4, $5, '')
    ON CONFLICT (gang_id) DO UPDATE SET
        first_seen = CASE WHEN excluded.first_seen < gangs.first_seen THEN excluded.first_seen ELSE gangs.first_seen END,
        last_seen = CASE WHEN excluded.last_seen > gangs.last_seen THEN excluded.last_seen ELSE gangs.last_seen END,
        back_at = CASE WHEN excluded.back_at > gangs.back_at THEN excluded.back_at ELSE gangs.back_at END,
        last_run = excluded.last_run";

/// By what a gang is known again, and how long that holds.
async fn computed(db: &mut AnyConnection, gang: &ComputedGang, run: i64) -> Written<()> {
    let id: &str = &gang.gang_id;
    let first = gang.features.iter().filter_map(|it| it.first_seen).min().map_or(0, |it| it.0);
    let last = gang.features.iter().filter_map(|it| it.last_seen).max().map_or(first, |it| it.0);
    if gang.features.is_empty() {
        // Known by its shape alone: its times come with what was observed.
        exec(db, "INSERT INTO gangs (gang_id, first_seen, last_seen, first_run, last_run, back_at, superseded_by) VALUES ($1, 9000000000000000000, 0, $2, $2, 0, '') ON CONFLICT (gang_id) DO UPDATE SET last_run = excluded.last_run", [id.into(), run.into()]).await?;
    } else {
        exec(db, EARLIER, [id.into(), first.into(), last.into(), run.into(), 0i64.into()]).await?;
    }
    let mut features: Vec<_> = gang.features.iter().collect();
    features.sort_by_key(|it| (it.strength, std::cmp::Reverse(it.hosts)));
    let sql = "SELECT kind, value, valid_from, last_seen FROM indicators WHERE gang_id = $1";
    let mut spans: BTreeMap<(String, String), (i64, i64)> = BTreeMap::new();
    for row in rows(db, sql, [id.into()]).await? {
        let key = (crate::sql::text(&row, 0)?, crate::sql::text(&row, 1)?);
        let span = (number(&row, 2)?, number(&row, 3)?);
        let it = spans.entry(key).or_insert(span);
        *it = (*it).max(span);
    }
    for it in features.into_iter().take(MAX_FEATURES) {
        let (first, last) = (it.first_seen.map_or(first, |it| it.0), it.last_seen.map_or(last, |it| it.0));
        let lasts = lasts(it.kind);
        let until = |last: i64| lasts.map_or(NEVER, |days| last.saturating_add(days * DAY));
        let span = spans.get(&(it.kind.name().to_owned(), it.value.to_string()));
        // Longer silent than it holds: who comes now may be another, and it is another span of time.
        let (from, last) = match span {
            Some((from, before)) if first <= until(*before) => ((*from).min(first), last.max(*before)),
            _ => (first, last),
        };
        if let Some((old, _)) = span.filter(|it| it.0 > from) {
            let sql = "DELETE FROM indicators WHERE gang_id = $1 AND kind = $2 AND value = $3 AND valid_from = $4";
            exec(db, sql, [id.into(), it.kind.name().into(), (&*it.value).into(), (*old).into()]).await?;
        }
        let sql = "INSERT INTO indicators (gang_id, kind, value, valid_from, last_seen, valid_until, strength, hosts)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (gang_id, kind, value, valid_from) DO UPDATE SET last_seen = excluded.last_seen,
                valid_until = excluded.valid_until, strength = excluded.strength,
                hosts = CASE WHEN excluded.hosts > indicators.hosts THEN excluded.hosts ELSE indicators.hosts END";
        let values = [
            id.into(),
            it.kind.name().into(),
            (&*it.value).into(),
            from.into(),
            last.into(),
            until(last).into(),
            it.strength.name().into(),
            it.hosts.into(),
        ];
        exec(db, sql, values).await?;
    }
    Ok(())
}

/// Days that an indicator still says something after it was last seen; `None`: nobody else can come to have it.
fn lasts(kind: IndicatorKind) -> Option<i64> {
    use IndicatorKind as K;
    match kind {
        K::Ip | K::IpPort | K::Url => Some(30),
        K::Domain | K::Pool | K::Paste => Some(90),
        _ => None,
    }
}

/// An address that a gang shows now, and another one showed before: the other's time with it has ended.
async fn rented_again(db: &mut AnyConnection, now: &[ComputedGang]) -> Written<()> {
    let mut whose: BTreeMap<(IndicatorKind, &str), (BTreeSet<&str>, i64)> = BTreeMap::new();
    for gang in now {
        for it in gang.features.iter().filter(|it| lasts(it.kind).is_some()) {
            let Some(first) = it.first_seen else { continue };
            let entry = whose.entry((it.kind, &it.value)).or_insert_with(|| (BTreeSet::new(), first.0));
            entry.0.insert(&gang.gang_id);
            entry.1 = entry.1.min(first.0);
        }
    }
    for ((kind, value), (gangs, first)) in whose {
        // Whoever shows it together with others has not taken it from them.
        let [gang] = gangs.into_iter().collect::<Vec<_>>()[..] else { continue };
        let sql = "UPDATE indicators SET valid_until = $1 WHERE kind = $2 AND value = $3 AND gang_id <> $4
                   AND valid_until > $1 AND last_seen < $1";
        exec(db, sql, [first.into(), kind.name().into(), value.into(), gang.into()]).await?;
    }
    Ok(())
}

async fn write_campaigns(db: &mut AnyConnection, findings: &Findings) -> Written<()> {
    for campaign in &findings.campaigns {
        let Some(gang) = &campaign.gang_id else { continue };
        let first = campaign.nodes.iter().filter_map(|it| it.first_seen).min().map_or(0, |it| it.0);
        let last = campaign.nodes.iter().filter_map(|it| it.last_seen).max().map_or(first, |it| it.0);
        let signature = campaign.signature.iter().filter(|it| &*it.kind != "structure").take(MAX_SIGNATURE);
        let signature: Vec<(&str, &str)> = signature.map(|it| (&*it.kind, &*it.value)).collect();
        let signature = serde_json::to_string(&signature).unwrap_or_else(|_| "[]".to_owned());
        let sql = "INSERT INTO campaigns (campaign_id, gang_id, first_seen, last_seen, signature)
            VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (campaign_id) DO UPDATE SET gang_id = excluded.gang_id, last_seen = excluded.last_seen,
                signature = excluded.signature";
        let values = [(&*campaign.campaign_id).into(), (&**gang).into(), first.into(), last.into(), signature.into()];
        exec(db, sql, values).await?;
    }
    Ok(())
}

#[allow(clippy::too_many_arguments)]
async fn write_gang(
    db: &mut AnyConnection,
    id: &str,
    seen: &GangObserved,
    own: &GangMemory,
    folded: &GangMemory,
    run: i64,
    settings: &Settings,
    told: &BTreeSet<(String, FactKind, String)>,
) -> Written<()> {
    let silent = folded.last_seen > 0 && seen.first - folded.last_seen > settings.dormant_days * DAY;
    let back_at = if silent { seen.first } else { 0 };
    exec(db, EARLIER, [id.into(), seen.first.into(), seen.last.into(), run.into(), back_at.into()]).await?;
    for (host, (first, last)) in &seen.hosts {
        let sql = "INSERT INTO gang_hosts (gang_id, host, first_seen, last_seen) VALUES ($1, $2, $3, $4)
            ON CONFLICT (gang_id, host) DO UPDATE SET
                first_seen = CASE WHEN excluded.first_seen < gang_hosts.first_seen THEN excluded.first_seen ELSE gang_hosts.first_seen END,
                last_seen = CASE WHEN excluded.last_seen > gang_hosts.last_seen THEN excluded.last_seen ELSE gang_hosts.last_seen END";
        exec(db, sql, [id.into(), host.into(), (*first).into(), (*last).into()]).await?;
    }
    for (day, (hosts, events)) in &seen.days {
        let sql = "INSERT INTO gang_days (gang_id, day, hosts, events) VALUES ($1, $2, $3, $4)
            ON CONFLICT (gang_id, day) DO UPDATE SET
                hosts = CASE WHEN excluded.hosts > gang_days.hosts THEN excluded.hosts ELSE gang_days.hosts END,
                events = CASE WHEN excluded.events > gang_days.events THEN excluded.events ELSE gang_days.events END";
        exec(db, sql, [id.into(), day.into(), (*hosts).into(), (*events).into()]).await?;
    }
    for ((day, host), methods) in &seen.activity {
        let key = || [id.into(), day.to_string().into(), (&**host).into()];
        if methods.keys().any(|it| !it.is_empty()) {
            // An earlier run that saw less of that day did not know the way in.
            exec(db, "DELETE FROM activity WHERE gang_id = $1 AND day = $2 AND host = $3 AND method = ''", key())
                .await?;
        }
        for (method, done) in methods {
            let sql = "INSERT INTO activity (gang_id, day, host, method, episodes, events) VALUES ($1, $2, $3, $4, $5, $6)
                ON CONFLICT (gang_id, day, host, method) DO UPDATE SET
                    episodes = CASE WHEN excluded.episodes > activity.episodes THEN excluded.episodes ELSE activity.episodes END,
                    events = CASE WHEN excluded.events > activity.events THEN excluded.events ELSE activity.events END";
            let [gang, day, host] = key();
            let values = [gang, day, host, (&**method).into(), done.episodes.into(), done.events.into()];
            exec(db, sql, values).await?;
        }
    }
    for ((kind, value), fact) in &seen.facts {
        let mut it = own.facts.get(&(*kind, value.clone())).cloned().unwrap_or_default();
        it.merge(&FactMemory {
            first_seen: fact.first,
            last_seen: fact.last,
            hosts: fact.hosts,
            names: fact.names.keys().take(NAMES).cloned().collect(),
            told: told.contains(&(id.to_owned(), *kind, value.clone())),
        });
        let names: Vec<&String> = it.names.iter().take(NAMES).collect();
        let names = serde_json::to_string(&names).unwrap_or_else(|_| "[]".to_owned());
        let sql = "INSERT INTO facts (gang_id, kind, value, first_seen, last_seen, hosts, host_names, told)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (gang_id, kind, value) DO UPDATE SET first_seen = excluded.first_seen,
                last_seen = excluded.last_seen, hosts = excluded.hosts, host_names = excluded.host_names,
                told = excluded.told";
        let values = [
            id.into(),
            kind.name().into(),
            value.into(),
            it.first_seen.into(),
            it.last_seen.into(),
            it.hosts.into(),
            names.into(),
            i64::from(it.told).into(),
        ];
        exec(db, sql, values).await?;
        if matches!(kind, FactKind::Method | FactKind::Behaviour) {
            let mut days: BTreeMap<String, u64> = BTreeMap::new();
            for at in fact.names.values() {
                *days.entry(Timestamp(*at).day()).or_default() += 1;
            }
            for (day, hosts) in days {
                let sql = "INSERT INTO fact_days (gang_id, kind, value, day, hosts) VALUES ($1, $2, $3, $4, $5)
                    ON CONFLICT (gang_id, kind, value, day) DO UPDATE SET
                        hosts = CASE WHEN excluded.hosts > fact_days.hosts THEN excluded.hosts ELSE fact_days.hosts END";
                exec(db, sql, [id.into(), kind.name().into(), value.into(), day.into(), hosts.into()]).await?;
            }
        }
    }
    Ok(())
}

async fn write_warnings(db: &mut AnyConnection, news: &[News], run: i64, at: i64, observed: &Observed) -> Written<()> {
    for it in news {
        let gang = it.warning.gang_id.as_deref().unwrap_or_default();
        let seen = observed.gangs.get(gang).map_or(observed.last, |it| it.last);
        let body = serde_json::to_string(&it.warning).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let sql = "INSERT INTO warnings (warning_id, run, at, seen, kind, gang_id, held, body)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (warning_id) DO NOTHING";
        let values = [
            (&*it.warning.warning_id).into(),
            run.into(),
            at.into(),
            seen.into(),
            it.warning.kind.name().into(),
            gang.into(),
            i64::from(it.warning.held).into(),
            body.into(),
        ];
        exec(db, sql, values).await?;
    }
    Ok(())
}
