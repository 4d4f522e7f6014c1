//! rows → a period's numbers. Pure: the same rows give the same numbers, and each is a count over them.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::Timestamp;
use ringleader_model::findings::WarningKind;
use ringleader_model::trend::*;

use super::{Asked, Did, Held, churn};
use crate::memory::{FactKind, FactMemory, GangMemory};

/// Moments of one report.
const MAX_MOMENTS: usize = 2000;

pub(super) fn sum(asked: &Asked, held: &Held) -> Trend {
    let period = asked.period;
    let of_gang = |gang: &str| asked.gang.as_deref().is_none_or(|it| it == gang);
    let (rows, shapes): (Vec<&Did>, Vec<&Did>) = held
        .activity
        .iter()
        .filter(|it| of_gang(&it.gang))
        .partition(|it| asked.gang.is_some() || is_signed(held, &it.gang));
    let shapes: Vec<&Did> = shapes.into_iter().filter(|it| period.has(it.day)).collect();
    let now: Vec<&Did> = rows.iter().filter(|it| period.has(it.day)).copied().collect();
    let before: Vec<&Did> = rows.iter().filter(|it| period.had(it.day)).copied().collect();
    let whose = |rows: &[&Did]| rows.iter().map(|it| it.gang.clone()).collect::<BTreeSet<String>>();
    let (gangs_now, gangs_before) = (whose(&now), whose(&before));
    let mut ids: BTreeSet<String> = gangs_now.union(&gangs_before).cloned().collect();
    ids.extend(asked.gang.clone());
    let mut gangs: Vec<GangTrend> = ids.iter().filter_map(|id| gang(asked, held, id, &now, &before)).collect();
    gangs.sort_by(|a, b| {
        let weight = |it: &GangTrend| (it.now.hosts, it.before.hosts);
        weight(b).cmp(&weight(a)).then(a.gang_id.cmp(&b.gang_id))
    });
    let first_uses = first_uses(held);
    Trend {
        period,
        gang: asked.gang.clone(),
        held: held.days,
        runs: held.runs,
        by_shape: ByShape { groups: whose(&shapes).len() as u64, hosts: counts(&shapes).hosts },
        now: counts(&now),
        before: counts(&before),
        active: (gangs_now.len() as u64, gangs_before.len() as u64),
        methods: methods(asked, held, &now, &before, &first_uses),
        moves: moves(held, &period, &gangs),
        churn: churn::churn(held, &period, &|gang| of_gang(gang)),
        victims: victims(held, &now, &before),
        timeline: timeline(held, &period, &gangs, &first_uses),
        warnings: warnings(asked, held),
        gangs,
    }
}

/// Whether it ever showed a server, a file, a key or a wallet of its own.
fn is_signed(held: &Held, gang: &str) -> bool {
    held.memory.gangs.get(gang).is_some_and(|it| it.facts.keys().any(|it| it.0 == FactKind::Infrastructure))
}

fn counts<'a>(rows: impl IntoIterator<Item = &'a &'a Did>) -> Counts {
    let (mut hosts, mut days) = (BTreeSet::new(), BTreeSet::new());
    let mut counts = Counts::default();
    for it in rows {
        hosts.insert(&*it.host);
        days.insert(it.day);
        counts.episodes += it.episodes;
        counts.events += it.events;
    }
    Counts { hosts: hosts.len() as u64, days: days.len() as u64, ..counts }
}

fn day_of(micros: i64) -> Day {
    Day::of(Timestamp(micros))
}

fn hosts_by<'a>(rows: impl Iterator<Item = &'a &'a Did>) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut hosts: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for it in rows {
        hosts.entry(&it.method).or_default().insert(&it.host);
    }
    hosts
}

fn gang(asked: &Asked, held: &Held, id: &str, now: &[&Did], before: &[&Did]) -> Option<GangTrend> {
    let period = asked.period;
    let memory = held.memory.gangs.get(id)?;
    let own = |rows: &[&Did]| -> Vec<Did> { rows.iter().filter(|it| it.gang == id).map(|it| (*it).clone()).collect() };
    let (now, before) = (own(now), own(before));
    let (now, before): (Vec<&Did>, Vec<&Did>) = (now.iter().collect(), before.iter().collect());
    let first_seen = day_of(memory.first_seen);
    let standing = match (now.is_empty(), before.is_empty()) {
        (true, _) => Standing::Gone,
        (false, false) => Standing::Active,
        (false, true) if first_seen >= period.from => Standing::New,
        (false, true) => Standing::Back,
    };
    let days = period.days().map(|day| {
        let rows: Vec<&&Did> = now.iter().filter(|it| it.day == day).collect();
        let all = counts(rows.iter().copied());
        let by = hosts_by(rows.iter().copied());
        let most =
            by.iter().max_by_key(|(method, hosts)| (!method.is_empty(), hosts.len(), std::cmp::Reverse(**method)));
        DayCounts { hosts: all.hosts, episodes: all.episodes, method: most.map_or("", |it| it.0).to_owned() }
    });
    let (by_now, by_before) = (hosts_by(now.iter()), hosts_by(before.iter()));
    let names: BTreeSet<&str> = by_now.keys().chain(by_before.keys()).copied().collect();
    let number = |it: Option<&BTreeSet<&str>>| it.map_or(0, |it| it.len() as u64);
    let mut methods: Vec<(String, u64, u64)> =
        names.iter().map(|it| ((*it).to_owned(), number(by_now.get(it)), number(by_before.get(it)))).collect();
    methods.sort_by(|a, b| (b.1, b.2).cmp(&(a.1, a.2)).then(a.0.cmp(&b.0)));
    let aliases = held.decided.aliases.get(id).into_iter().flatten().map(|it| it.0.clone()).collect();
    Some(GangTrend {
        gang_id: id.to_owned(),
        name: held.decided.name(id).map(str::to_owned),
        aliases,
        standing,
        first_seen,
        last_seen: day_of(memory.last_seen),
        now: counts(now.iter()),
        before: counts(before.iter()),
        days: days.collect(),
        methods,
        behaviours: facts(memory, FactKind::Behaviour),
        platforms: facts(memory, FactKind::Platform).into_iter().map(|it| it.value).collect(),
        indicators: churn::lives(memory, &period),
        lifelines: if asked.gang.is_some() { churn::lifelines(memory, &period) } else { Vec::new() },
    })
}

/// Most hosts first.
fn facts(memory: &GangMemory, kind: FactKind) -> Vec<Fact> {
    let of_kind = memory.facts.iter().filter(|it| it.0.0 == kind);
    let mut facts: Vec<Fact> = of_kind
        .map(|((_, value), it)| Fact {
            value: value.clone(),
            first_seen: day_of(it.first_seen),
            last_seen: day_of(it.last_seen),
            hosts: it.hosts,
        })
        .collect();
    facts.sort_by(|a, b| b.hosts.cmp(&a.hosts).then(a.value.cmp(&b.value)));
    facts
}

/// method → its first use by any gang, and whose that was.
fn first_uses(held: &Held) -> BTreeMap<String, (Day, String)> {
    let mut first: BTreeMap<String, (Day, String)> = BTreeMap::new();
    for (gang, method, it) in methods_of(held) {
        let use_ = (day_of(it.first_seen), gang.to_owned());
        let slot = first.entry(method.to_owned()).or_insert_with(|| use_.clone());
        if use_ < *slot {
            *slot = use_;
        }
    }
    first
}

fn methods_of(held: &Held) -> impl Iterator<Item = (&str, &str, &FactMemory)> {
    let standing = held.memory.gangs.iter().filter(|it| !held.decided.dismissed.contains_key(it.0));
    let standing = standing.filter(|it| is_signed(held, it.0));
    standing.flat_map(|(gang, memory)| {
        let methods = memory.facts.iter().filter(|it| it.0.0 == FactKind::Method);
        methods.map(move |((_, method), it)| (gang.as_str(), method.as_str(), it))
    })
}

fn methods(
    asked: &Asked,
    held: &Held,
    now: &[&Did],
    before: &[&Did],
    first: &BTreeMap<String, (Day, String)>,
) -> Vec<MethodTrend> {
    let period = asked.period;
    let (by_now, by_before) = (hosts_by(now.iter()), hosts_by(before.iter()));
    let names: BTreeSet<&str> = by_now.keys().chain(by_before.keys()).copied().collect();
    let gangs = |rows: &[&Did], method: &str| {
        rows.iter().filter(|it| it.method == method).map(|it| &*it.gang).collect::<BTreeSet<_>>().len() as u64
    };
    let mut methods: Vec<MethodTrend> = names
        .into_iter()
        .map(|method| {
            let number = |it: &BTreeMap<&str, BTreeSet<&str>>| it.get(method).map_or(0, |it| it.len() as u64);
            let facts = asked.methods.get(method).cloned().unwrap_or_default();
            let rows = now.iter().chain(before).filter(|it| it.method == method);
            let seen = || (rows.map(|it| it.day).min().unwrap_or(period.before), String::new());
            let (first_seen, first_gang) = first.get(method).cloned().unwrap_or_else(seen);
            // What was there when the ledger began may be much older.
            let known = !method.is_empty() && held.days.is_some_and(|it| it.0 < first_seen);
            let new = known && period.has(first_seen);
            let late = facts.disclosed.filter(|_| new).map(|it| first_seen.0 - it.0);
            MethodTrend {
                method: method.to_owned(),
                facts,
                hosts: (number(&by_now), number(&by_before)),
                gangs: (gangs(now, method), gangs(before, method)),
                first_seen,
                new,
                days_after_disclosure: late,
                first_gang,
            }
        })
        .collect();
    methods.sort_by(|a, b| b.hosts.cmp(&a.hosts).then(a.method.cmp(&b.method)));
    methods
}

/// Gangs that took up a method in the period, which they were not born with.
fn moves(held: &Held, period: &Period, gangs: &[GangTrend]) -> Vec<Move> {
    let mut moves = Vec::new();
    for gang in gangs {
        let Some(memory) = held.memory.gangs.get(&gang.gang_id) else { continue };
        for ((kind, method), it) in &memory.facts {
            let since = day_of(it.first_seen);
            if *kind != FactKind::Method || !period.has(since) || since <= gang.first_seen {
                continue;
            }
            let rows = held.activity.iter().filter(|it| it.gang == gang.gang_id);
            let (earlier, later): (Vec<&Did>, Vec<&Did>) = rows.partition(|it| it.day < since);
            let (earlier, later) = (hosts_by(earlier.iter()), hosts_by(later.iter()));
            let main = earlier.iter().filter(|it| !it.0.is_empty() && *it.0 != method);
            let from = main.max_by_key(|it| (it.1.len(), std::cmp::Reverse(*it.0))).map(|it| *it.0);
            let number = |method: &str| later.get(method).map_or(0, |it| it.len() as u64);
            moves.push(Move {
                gang_id: gang.gang_id.clone(),
                from: from.map(str::to_owned),
                to: method.clone(),
                since,
                hosts: number(method),
                left: from.map_or(0, number),
            });
        }
    }
    moves.sort_by(|a, b| (a.since, &a.gang_id, &a.to).cmp(&(b.since, &b.gang_id, &b.to)));
    moves
}

fn victims(held: &Held, now: &[&Did], before: &[&Did]) -> Vec<Victims> {
    let hosts = |rows: &[&Did]| rows.iter().map(|it| it.host.clone()).collect::<BTreeSet<String>>();
    let (now, before) = (hosts(now), hosts(before));
    let mut victims: BTreeMap<Property, BTreeMap<String, (u64, u64)>> = BTreeMap::new();
    // A decoy is nobody's loss.
    let decoys: BTreeSet<&str> = held
        .memory
        .gangs
        .values()
        .flat_map(|it| it.facts.keys())
        .filter(|it| it.0 == FactKind::Decoy)
        .map(|it| it.1.as_str())
        .collect();
    for host in now.union(&before).filter(|it| !decoys.contains(it.as_str())) {
        let place = held.places.place(host);
        for (by, value) in [
            (Property::Sector, place.sector),
            (Property::Region, place.region),
            (Property::Service, place.service),
            (Property::Tenant, place.tenant),
        ] {
            let it = victims.entry(by).or_default().entry(value.to_owned()).or_default();
            it.0 += u64::from(now.contains(host));
            it.1 += u64::from(before.contains(host));
        }
    }
    let sorted = |(by, rows): (Property, BTreeMap<String, (u64, u64)>)| {
        let mut rows: Vec<(String, u64, u64)> = rows.into_iter().map(|(value, it)| (value, it.0, it.1)).collect();
        // What is not known stands last.
        rows.sort_by(|a, b| (a.0.is_empty(), b.1, b.2, &a.0).cmp(&(b.0.is_empty(), a.1, a.2, &b.0)));
        Victims { by, rows }
    };
    victims.into_iter().map(sorted).collect()
}

fn warnings(asked: &Asked, held: &Held) -> BTreeMap<String, u64> {
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    for (_, it) in &held.warnings {
        if asked.gang.is_none() || it.gang_id.as_deref() == asked.gang.as_deref() {
            *kinds.entry(it.kind.name().to_owned()).or_default() += 1;
        }
    }
    kinds
}

fn timeline(held: &Held, period: &Period, gangs: &[GangTrend], first: &BTreeMap<String, (Day, String)>) -> Vec<Moment> {
    let known: BTreeMap<&str, &GangTrend> = gangs.iter().map(|it| (&*it.gang_id, it)).collect();
    let mut moments = Vec::new();
    for gang in gangs {
        let main = gang.methods.iter().find(|it| !it.0.is_empty() && it.1 > 0).map_or("", |it| &it.0);
        if gang.standing == Standing::New {
            moments.push(Moment {
                day: gang.first_seen,
                gang_id: gang.gang_id.clone(),
                kind: MomentKind::NewGang,
                what: main.to_owned(),
                hosts: gang.now.hosts,
            });
        }
    }
    for (gang, method, it) in methods_of(held) {
        let day = day_of(it.first_seen);
        let Some(gang) = known.get(gang).filter(|it| period.has(day) && it.first_seen < day) else { continue };
        let by = first.get(method).is_some_and(|it| it.0 < day || it.1 != gang.gang_id);
        moments.push(Moment {
            day,
            gang_id: gang.gang_id.clone(),
            kind: if by { MomentKind::FirstUse } else { MomentKind::NewMethod },
            what: method.to_owned(),
            hosts: gang.methods.iter().find(|it| it.0 == method).map_or(0, |it| it.1),
        });
    }
    for (day, it) in &held.warnings {
        let kind = match it.kind {
            WarningKind::Surge => MomentKind::Surge,
            WarningKind::DormantBack => MomentKind::Back,
            WarningKind::SensorFirst => MomentKind::SensorFirst,
            WarningKind::NewPlatform => MomentKind::NewPlatform,
            WarningKind::NewRegion => MomentKind::NewRegion,
            WarningKind::NewTenant => MomentKind::NewTenant,
            _ => continue,
        };
        let Some(gang) = it.gang_id.as_deref().filter(|it| known.contains_key(it) && period.has(*day)) else {
            continue;
        };
        // Whose tenant it was is nobody else's business.
        // Nor is a decoy's name the reader's.
        let what = match kind {
            MomentKind::NewTenant => String::new(),
            MomentKind::SensorFirst => it.subject.get(1).map(|it| it.to_string()).unwrap_or_default(),
            _ => it.subject.join(", "),
        };
        moments.push(Moment { day: *day, gang_id: gang.to_owned(), kind, what, hosts: it.hosts });
    }
    for (day, other, into) in &held.merged {
        if known.contains_key(&**into) {
            let (gang_id, what) = (into.clone(), other.clone());
            moments.push(Moment { day: *day, gang_id, kind: MomentKind::Merged, what, hosts: 0 });
        }
    }
    moments.sort();
    moments.dedup();
    moments.truncate(MAX_MOMENTS);
    moments
}
