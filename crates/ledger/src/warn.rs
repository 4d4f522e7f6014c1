//! memory + what a run observed → warnings: what is new, most urgent first. Pure: the same memory and the same
//! observation give the same warnings. Deliberately absent: the clock, SQL, and what is told to whom (`notify`).
//!
//! Nothing is told of one host: chance, a mistake of ours or a test looks like news there. At the second host it is
//! told, once. What a gang was seen to do up to the run that announced it is no news.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::Timestamp;
use ringleader_model::findings::{Text, Warning, WarningKind};
use ringleader_model::hash::hash128;

use crate::memory::{FactKind, FactObserved, GangMemory, GangObserved, Memory, Observed};

const DAY: i64 = 86_400_000_000;
/// From so many hosts on, something is told.
const HOSTS: u64 = 2;
/// Values that one warning names.
const NAMED: usize = 5;
/// A surge: at least so many new hosts in a day, so many times the mean, over so many days.
const SURGE_HOSTS: u64 = 8;
const SURGE_TIMES: u64 = 3;
const SURGE_DAYS: i64 = 14;
/// Before that many days of history, there is no mean.
const SURGE_AFTER: i64 = 5;
/// A behaviour is new where the gang's earlier hosts would have shown it, but for so many chances in a million.
const CHANCE: u64 = 1_000;
/// And where three of four of today's hosts show it, so many at least; of a gang that was watched on so many days.
const BEHAVIOUR_HOSTS: u64 = 3;
const BEHAVIOUR_DAYS: usize = 14;

#[derive(Debug, Clone)]
pub struct Settings {
    /// Warnings a day that come to an analyst's desk; the others are held.
    pub budget: usize,
    /// Days without a sign after which a gang counts as dormant.
    pub dormant_days: i64,
}

/// Warnings a day that are sent, and days of silence after which a gang that is back is told.
const BUDGET: usize = 20;
const DORMANT_DAYS: i64 = 14;

impl Default for Settings {
    fn default() -> Self {
        Self { budget: BUDGET, dormant_days: DORMANT_DAYS }
    }
}

/// A warning, and the facts that it told of.
#[derive(Debug, Clone)]
pub struct News {
    pub warning: Warning,
    pub told: Vec<(FactKind, String)>,
}

/// Everything that is new, most urgent first; what the day's budget has no room for is held.
pub fn warn(memory: &Memory, observed: &Observed, settings: &Settings) -> Vec<News> {
    let mut news = Vec::new();
    for (id, seen) in &observed.gangs {
        let look = Look { id, seen, known: memory.gangs.get(id), memory, observed, settings };
        // What comes with every host of a long story (a return, a surge) is told once.
        news.extend(look.all().into_iter().filter(|it| !memory.warned.contains_key(&*it.warning.warning_id)));
    }
    news.sort_by(|a, b| in_order(&a.warning, &b.warning));
    let room = settings.budget.saturating_sub(memory.given_today);
    let mut given = 0;
    for it in &mut news {
        // A behaviour alone is on trial: in simulated months most of them meant nothing. It is written, and sent to nobody.
        it.warning.held = it.warning.kind == WarningKind::NewBehaviour || given >= room;
        given += usize::from(!it.warning.held);
    }
    news
}

/// Most urgent first.
pub(crate) fn in_order(a: &Warning, b: &Warning) -> std::cmp::Ordering {
    b.rank.cmp(&a.rank).then_with(|| (&a.gang_id, a.kind, &a.warning_id).cmp(&(&b.gang_id, b.kind, &b.warning_id)))
}

/// Of a kind, of a gang, about something: given once.
pub(crate) fn warning_id(kind: WarningKind, gang: &str, about: &str) -> String {
    format!("{:032x}", hash128(format!("{}\n{gang}\n{about}", kind.name()).as_bytes(), 0x601))
}

/// One gang, and all that is known around it.
struct Look<'a> {
    id: &'a str,
    seen: &'a GangObserved,
    known: Option<&'a GangMemory>,
    memory: &'a Memory,
    observed: &'a Observed,
    settings: &'a Settings,
}

impl Look<'_> {
    fn all(&self) -> Vec<News> {
        let announced = self.memory.warned.get(&warning_id(WarningKind::NewGang, self.id, ""));
        let since = match (announced, self.known) {
            (Some(since), _) => *since,
            // A part of a known gang: what it did as part of the other is no news.
            (None, known) if self.memory.parts.contains(self.id) => {
                known.map_or(self.observed.last, |it| it.first_seen)
            }
            _ => return self.new_gang().into_iter().chain(self.sensor_first()).collect(),
        };
        let mut news = self.methods(since);
        let behaviours = self.behaviours(since);
        match news.first_mut() {
            // Another way in brings other tools: that is one piece of news.
            Some(method) => method.told.extend(behaviours.into_iter().flat_map(|it| it.told)),
            None => news.extend(behaviours),
        }
        news.extend(self.infrastructure(since));
        for (kind, fact, least) in [
            (WarningKind::NewPlatform, FactKind::Platform, HOSTS),
            (WarningKind::NewTenant, FactKind::Tenant, 1),
            (WarningKind::NewRegion, FactKind::Region, 1),
        ] {
            for (value, it) in self.fresh(fact, since, least) {
                let name = &self.seen.name;
                let text = match kind {
                    WarningKind::NewPlatform => format!("{name} now runs on {value}"),
                    WarningKind::NewTenant => format!("{name} has reached the tenant {value}"),
                    _ => format!("{name} has reached the region {value}"),
                };
                news.push(self.news(kind, value, text, it, vec![value.into()], vec![(fact, value.to_owned())]));
            }
        }
        news.extend(self.sensor_first());
        news.extend(self.back());
        news.extend(self.surge());
        news
    }

    /// Host → when it was first seen, in this run or before.
    fn hosts(&self) -> BTreeMap<&str, i64> {
        let mut all: BTreeMap<&str, i64> = self.seen.hosts.iter().map(|(host, it)| (host.as_str(), it.0)).collect();
        for (host, (first, _)) in self.known.iter().flat_map(|it| &it.hosts) {
            let at = all.entry(host).or_insert(*first);
            *at = (*at).min(*first);
        }
        all
    }

    fn new_gang(&self) -> Option<News> {
        let hosts = self.hosts();
        if !self.seen.signed || (hosts.len() as u64) < HOSTS {
            return None;
        }
        let mut times: Vec<i64> = hosts.values().copied().collect();
        times.sort_unstable();
        let methods = self.seen.facts.keys().filter(|it| it.0 == FactKind::Method).map(|it| it.1.as_str());
        let values = self.seen.facts.iter().filter(|it| it.0.0 == FactKind::Infrastructure);
        let mut values: Vec<_> = values.filter(|it| is_news(&it.0.1)).collect();
        values.sort_by_key(|it| (std::cmp::Reverse(it.1.hosts), &it.0.1));
        let subject: Vec<Text> =
            methods.chain(values.iter().map(|it| it.0.1.as_str())).take(NAMED).map(Text::from).collect();
        let text = format!("{} is new, on {} hosts", self.seen.name, hosts.len());
        let fact = FactObserved {
            first: times.get(1).copied().unwrap_or(self.seen.first),
            hosts: hosts.len() as u64,
            evidence: self.seen.evidence.clone(),
            ..FactObserved::default()
        };
        // All that it shows is told with it.
        Some(self.news(WarningKind::NewGang, "", text, &fact, subject, self.seen.facts.keys().cloned().collect()))
    }

    /// Facts that began after `since`, stand on enough hosts, and were not told yet.
    fn fresh(&self, kind: FactKind, since: i64, least: u64) -> Vec<(&str, &FactObserved)> {
        let of_kind = self.seen.facts.iter().filter(|it| it.0.0 == kind);
        let fresh = of_kind.filter(|((_, value), fact)| {
            let before = self.known.and_then(|it| it.has(kind, value));
            let first = before.map_or(fact.first, |it| it.first_seen.min(fact.first));
            let named: BTreeSet<&str> = fact
                .names
                .keys()
                .map(String::as_str)
                .chain(before.into_iter().flat_map(|it| it.names.iter().map(String::as_str)))
                .collect();
            let hosts = fact.hosts.max(before.map_or(0, |it| it.hosts)).max(named.len() as u64);
            first > since && hosts >= least && !before.is_some_and(|it| it.told)
        });
        fresh.map(|((_, value), fact)| (value.as_str(), fact)).collect()
    }

    fn methods(&self, since: i64) -> Vec<News> {
        let mut news = Vec::new();
        for (method, fact) in self.fresh(FactKind::Method, since, HOSTS) {
            let used = |gang: &GangMemory| gang.has(FactKind::Method, method).is_some();
            let key = (FactKind::Method, method.to_owned());
            let others = self.memory.gangs.iter().any(|(id, it)| id != self.id && used(it))
                || self.observed.gangs.iter().any(|(id, it)| id != self.id && it.facts.contains_key(&key));
            let (kind, how) = if fact.unheard_of || !others {
                (WarningKind::NewMethod, "which no gang was known to use")
            } else {
                (WarningKind::FirstUse, "which others use")
            };
            let text = format!("{} takes up {method}, {how}", self.seen.name);
            news.push(self.news(kind, method, text, fact, vec![method.into()], vec![key]));
        }
        news
    }

    /// Where the gang's earlier hosts had the chance to show it: an optional step turns up late by itself.
    fn behaviours(&self, since: i64) -> Option<News> {
        let known = self.known.filter(|it| it.days.len() >= BEHAVIOUR_DAYS)?;
        let earlier = known.hosts.len() as u64;
        let now = (self.seen.hosts.len() as u64).max(1);
        let fresh: Vec<_> = self
            .fresh(FactKind::Behaviour, since, BEHAVIOUR_HOSTS)
            .into_iter()
            .filter(|(_, fact)| fact.hosts * 4 >= now * 3)
            .filter(|(_, fact)| {
                // Half of the share seen now, as a cautious guess at how many hosts show it.
                let misses = 1_000_000 - (fact.hosts.min(now) * 500_000 / now);
                let chance = (0..earlier.min(1000)).fold(1_000_000u64, |all, _| all * misses / 1_000_000);
                chance < CHANCE
            })
            .collect();
        let first = fresh.iter().min_by_key(|it| it.1.first)?;
        let names: Vec<&str> = fresh.iter().map(|it| it.0).collect();
        let text = format!("{} does what it did not do before: {}", self.seen.name, listed(&names));
        let told = names.iter().map(|it| (FactKind::Behaviour, (*it).to_owned())).collect();
        let subject = names.iter().take(NAMED).map(|it| Text::from(*it)).collect();
        Some(self.news(WarningKind::NewBehaviour, names.first()?, text, first.1, subject, told))
    }

    fn infrastructure(&self, since: i64) -> Option<News> {
        let mut fresh = self.fresh(FactKind::Infrastructure, since, HOSTS);
        let told = fresh.iter().map(|it| (FactKind::Infrastructure, it.0.to_owned())).collect();
        // Another page of a known server is no news.
        fresh.retain(|it| is_news(it.0));
        fresh.sort_by_key(|it| (std::cmp::Reverse(it.1.hosts), it.0));
        let first = fresh.iter().min_by_key(|it| it.1.first)?;
        let names: Vec<&str> = fresh.iter().map(|it| it.0).collect();
        let values: Vec<&str> = names.iter().map(|it| it.split_once(' ').map_or(*it, |it| it.1)).collect();
        let text = format!("{} uses new infrastructure: {}", self.seen.name, listed(&values));
        let mut fact = first.1.clone();
        fact.hosts = fresh.iter().map(|it| it.1.hosts).max().unwrap_or(0);
        let subject = names.iter().take(NAMED).map(|it| Text::from(*it)).collect();
        Some(self.news(WarningKind::NewInfrastructure, names.first()?, text, &fact, subject, told))
    }

    /// On a decoy, and then on a host that is none. The two are two hosts.
    fn sensor_first(&self) -> Option<News> {
        let of_kind = |it: &(FactKind, String)| it.0 == FactKind::Decoy;
        let seen = self.seen.facts.iter().filter(|it| of_kind(it.0)).map(|it| (it.0.1.as_str(), it.1.first));
        let known = self.known.into_iter().flat_map(|it| &it.facts).filter(|it| of_kind(it.0));
        let mut decoys: BTreeMap<&str, i64> = BTreeMap::new();
        for (host, first) in seen.chain(known.map(|it| (it.0.1.as_str(), it.1.first_seen))) {
            let at = decoys.entry(host).or_insert(first);
            *at = (*at).min(first);
        }
        let (decoy, on_decoy) = decoys.iter().map(|it| (*it.0, *it.1)).min_by_key(|it| (it.1, it.0))?;
        let hosts = self.hosts();
        let production: Vec<i64> = hosts.iter().filter(|it| !decoys.contains_key(*it.0)).map(|it| *it.1).collect();
        let first = production.iter().copied().min().filter(|it| *it > on_decoy)?;
        let minutes = (first - on_decoy) / 60_000_000;
        let lead = match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
            (0, 0, minutes) => format!("{minutes} min"),
            (0, hours, minutes) => format!("{hours} h {minutes} min"),
            (days, hours, _) => format!("{days} d {hours} h"),
        };
        let text = format!("{} was on the decoy {decoy} {lead} before production", self.seen.name);
        let fact = FactObserved {
            first,
            hosts: production.len() as u64,
            evidence: self.seen.evidence.clone(),
            ..FactObserved::default()
        };
        let told = decoys.keys().map(|it| (FactKind::Decoy, (*it).to_owned())).collect();
        Some(self.news(WarningKind::SensorFirst, "", text, &fact, vec![decoy.into(), lead.into()], told))
    }

    /// After a long silence, and on the second host since.
    fn back(&self) -> Option<News> {
        let known = self.known?;
        let silent = self.seen.first - known.last_seen;
        let back_at = if silent > self.settings.dormant_days * DAY { self.seen.first } else { known.back_at };
        if back_at == 0 {
            return None;
        }
        let mut since: BTreeMap<&str, i64> = self.seen.hosts.iter().map(|(host, it)| (host.as_str(), it.0)).collect();
        for (host, (_, last)) in known.hosts.iter().filter(|it| it.1.1 >= back_at) {
            since.entry(host).or_insert(*last);
        }
        if (since.len() as u64) < HOSTS {
            return None;
        }
        let mut times: Vec<i64> = since.values().copied().collect();
        times.sort_unstable();
        let fact = FactObserved {
            first: times.get(1).copied().unwrap_or(back_at),
            hosts: since.len() as u64,
            evidence: self.seen.evidence.clone(),
            ..FactObserved::default()
        };
        let text =
            format!("{} is back, after more than {} days without a sign", self.seen.name, self.settings.dormant_days);
        let about = Timestamp(back_at).day();
        Some(self.news(WarningKind::DormantBack, &about, text, &fact, Vec::new(), Vec::new()))
    }

    /// Many more new hosts than on the days before.
    fn surge(&self) -> Option<News> {
        let known = self.known?;
        let today = self.seen.last.div_euclid(DAY);
        let age = today - known.first_seen.div_euclid(DAY);
        if age < SURGE_AFTER {
            return None;
        }
        let new = self
            .seen
            .hosts
            .iter()
            .filter(|(host, it)| it.0.div_euclid(DAY) == today && !known.hosts.contains_key(*host));
        let new = new.count() as u64;
        let mut days: BTreeMap<i64, u64> = BTreeMap::new();
        for (first, _) in known.hosts.values() {
            let day = first.div_euclid(DAY);
            if day >= today - SURGE_DAYS && day < today {
                *days.entry(day).or_default() += 1;
            }
        }
        let (sum, most) = (days.values().sum::<u64>(), days.values().copied().max().unwrap_or(0));
        let length = age.clamp(1, SURGE_DAYS) as u64;
        if new < SURGE_HOSTS || new * length < sum * SURGE_TIMES || new <= most {
            return None;
        }
        // A surge that goes on is one.
        let about = |day: i64| Timestamp(day * DAY).day();
        let told = (1..=3)
            .any(|ago| self.memory.warned.contains_key(&warning_id(WarningKind::Surge, self.id, &about(today - ago))));
        if told {
            return None;
        }
        let fact = FactObserved {
            first: self.seen.last,
            hosts: new,
            evidence: self.seen.evidence.clone(),
            ..FactObserved::default()
        };
        let usual = sum / length;
        let text = format!("{} took {new} new hosts in a day, where {usual} were usual", self.seen.name);
        Some(self.news(WarningKind::Surge, &about(today), text, &fact, Vec::new(), Vec::new()))
    }

    fn news(
        &self,
        kind: WarningKind,
        about: &str,
        text: String,
        fact: &FactObserved,
        subject: Vec<Text>,
        told: Vec<(FactKind, String)>,
    ) -> News {
        let evidence = if fact.evidence.is_empty() { &self.seen.evidence } else { &fact.evidence };
        let warning = Warning {
            warning_id: warning_id(kind, self.id, about).into(),
            kind,
            gang_id: Some(self.id.into()),
            time: Some(Timestamp(fact.first)),
            text,
            evidence_ids: evidence.clone(),
            rank: base(kind) + u16::try_from(fact.hosts.max(1).ilog2().min(9)).unwrap_or(9),
            subject,
            hosts: fact.hosts,
            to_do: to_do(kind).to_owned(),
            held: false,
        };
        News { warning, told }
    }
}

fn base(kind: WarningKind) -> u16 {
    match kind {
        WarningKind::NewMethod => 90,
        WarningKind::FirstUse => 85,
        WarningKind::NewGang => 80,
        WarningKind::SensorFirst => 88,
        WarningKind::DormantBack | WarningKind::Surge => 75,
        WarningKind::NewTenant => 70,
        WarningKind::NewRegion | WarningKind::NewPlatform => 65,
        WarningKind::NewInfrastructure => 60,
        WarningKind::NewBehaviour => 45,
    }
}

fn to_do(kind: WarningKind) -> &'static str {
    match kind {
        WarningKind::NewMethod | WarningKind::FirstUse => {
            "find what is open to this method and close it; look for the gang's other signs on hosts of that kind"
        }
        WarningKind::NewGang => "block its infrastructure, clean its hosts, and close the way in; then name it",
        WarningKind::DormantBack => "check that its old infrastructure is still blocked; compare what it does now",
        WarningKind::SensorFirst => {
            "use what the decoy recorded: block what it fetched, and close its way in before further hosts follow"
        }
        WarningKind::Surge => "see what the new hosts have in common, and close that first",
        WarningKind::NewTenant => "tell the tenant, with the hosts and the way in",
        WarningKind::NewRegion => "look in that region for hosts with the same way in",
        WarningKind::NewPlatform => "look on that platform for the gang's infrastructure and files",
        WarningKind::NewInfrastructure => "block it, and look for it in flows and DNS of the last days",
        WarningKind::NewBehaviour => "read the raw lines; see whether the cleaning instructions still hold",
    }
}

/// Whether it tells of a server, a key or a wallet: pages and ports follow from those.
fn is_news(infrastructure: &str) -> bool {
    let kind = infrastructure.split(' ').next().unwrap_or_default();
    matches!(kind, "domain" | "ip" | "hash" | "wallet" | "ssh_key" | "email" | "paste" | "image")
}

fn listed(values: &[&str]) -> String {
    let shown: Vec<&str> = values.iter().take(NAMED).copied().collect();
    match values.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::FactMemory;

    const NOW: i64 = 100 * DAY;

    fn gang(hosts: &[&str], facts: &[(FactKind, &str, u64)]) -> GangObserved {
        let fact = |hosts: u64| FactObserved { first: NOW, last: NOW, hosts, ..FactObserved::default() };
        GangObserved {
            name: "rake".to_owned(),
            hosts: hosts.iter().map(|it| ((*it).to_owned(), (NOW, NOW))).collect(),
            facts: facts.iter().map(|(kind, value, hosts)| ((*kind, (*value).to_owned()), fact(*hosts))).collect(),
            first: NOW,
            last: NOW,
            signed: true,
            ..GangObserved::default()
        }
    }

    /// A gang of twenty hosts that was announced ten days ago.
    fn memory(last_seen: i64) -> Memory {
        let hosts = (0..20).map(|n| (format!("old-{n}"), (NOW - 10 * DAY + n * 3600, last_seen)));
        let known = GangMemory {
            first_seen: NOW - 40 * DAY,
            last_seen,
            hosts: hosts.collect(),
            days: (0..20).map(|n| (n.to_string(), (2, 9))).collect(),
            ..GangMemory::default()
        };
        Memory {
            runs: 10,
            gangs: BTreeMap::from([("g".to_owned(), known)]),
            warned: BTreeMap::from([(warning_id(WarningKind::NewGang, "g", ""), NOW - 9 * DAY)]),
            ..Memory::default()
        }
    }

    fn told(memory: &Memory, seen: GangObserved) -> Vec<WarningKind> {
        let observed = Observed { first: seen.first, last: seen.last, gangs: BTreeMap::from([("g".to_owned(), seen)]) };
        warn(memory, &observed, &Settings::default()).iter().map(|it| it.warning.kind).collect()
    }

    #[test]
    fn a_decoy_that_was_hit_before_production_is_told_once_with_its_lead() {
        let with_decoy = |hosts: &[&str]| {
            let mut it = gang(hosts, &[]);
            let first = NOW - 5 * 3_600_000_000;
            let fact = FactObserved { first, last: NOW, hosts: 1, ..FactObserved::default() };
            it.facts.insert((FactKind::Decoy, "pot-1".to_owned()), fact);
            it.hosts.insert("pot-1".to_owned(), (first, NOW));
            it
        };
        let kinds = |hosts: &[&str], memory: &Memory| -> Vec<(WarningKind, String)> {
            let gangs = BTreeMap::from([("new".to_owned(), with_decoy(hosts))]);
            let observed = Observed { first: NOW, last: NOW, gangs };
            let news = warn(memory, &observed, &Settings::default());
            news.into_iter().map(|it| (it.warning.kind, it.warning.text)).collect()
        };
        let mut memory = Memory::default();
        assert!(kinds(&[], &memory).iter().all(|it| it.0 != WarningKind::SensorFirst), "a decoy alone");
        let told = kinds(&["web-1"], &memory);
        let it = told.iter().find(|it| it.0 == WarningKind::SensorFirst).unwrap();
        assert_eq!(it.1, "rake was on the decoy pot-1 5 h 0 min before production");
        memory.warned.insert(warning_id(WarningKind::SensorFirst, "new", ""), NOW);
        assert!(kinds(&["web-1"], &memory).iter().all(|it| it.0 != WarningKind::SensorFirst));
    }

    #[test]
    fn a_gang_is_told_at_its_second_host_and_not_by_its_shape_alone() {
        let fresh = Memory::default();
        assert_eq!(told(&fresh, gang(&["a"], &[])), []);
        assert_eq!(told(&fresh, gang(&["a", "b"], &[])), [WarningKind::NewGang]);
        assert_eq!(told(&fresh, GangObserved { signed: false, ..gang(&["a", "b"], &[]) }), []);
        // The first host was seen by an earlier run.
        let known = GangMemory { hosts: BTreeMap::from([("a".to_owned(), (1, 1))]), ..GangMemory::default() };
        let once = Memory { gangs: BTreeMap::from([("g".to_owned(), known)]), ..Memory::default() };
        assert_eq!(told(&once, gang(&["b"], &[])), [WarningKind::NewGang]);
        let part = Memory { parts: BTreeSet::from(["g".to_owned()]), ..Memory::default() };
        assert_eq!(told(&part, gang(&["a", "b"], &[])), []);
    }

    #[test]
    fn a_method_is_new_to_all_or_to_this_gang_and_is_told_once() {
        let method = (FactKind::Method, "redis_cron_write", 2);
        let one = (FactKind::Method, "redis_cron_write", 1);
        let mut memory = memory(NOW - DAY);
        assert_eq!(told(&memory, gang(&["a", "b"], &[method])), [WarningKind::NewMethod]);
        assert_eq!(told(&memory, gang(&["a", "b"], &[one])), []);
        let fact = FactMemory { first_seen: 1, hosts: 3, ..FactMemory::default() };
        let key = (FactKind::Method, "redis_cron_write".to_owned());
        let other = GangMemory { facts: BTreeMap::from([(key.clone(), fact)]), ..GangMemory::default() };
        memory.gangs.insert("other".to_owned(), other);
        assert_eq!(told(&memory, gang(&["a", "b"], &[method])), [WarningKind::FirstUse]);
        let fact = FactMemory { first_seen: NOW - DAY, hosts: 2, told: true, ..FactMemory::default() };
        memory.gangs.get_mut("g").unwrap().facts.insert(key.clone(), fact);
        assert_eq!(told(&memory, gang(&["a", "b"], &[method])), []);
        // It did so before it was announced.
        let fact = FactMemory { first_seen: NOW - 30 * DAY, hosts: 2, ..FactMemory::default() };
        memory.gangs.get_mut("g").unwrap().facts.insert(key, fact);
        assert_eq!(told(&memory, gang(&["a", "b"], &[method])), []);
    }

    #[test]
    fn a_behaviour_is_new_where_earlier_hosts_would_have_shown_it() {
        let all = [(FactKind::Behaviour, "kills_rivals", 4)];
        let hosts = ["a", "b", "c", "d"];
        assert_eq!(told(&memory(NOW - DAY), gang(&hosts, &all)), [WarningKind::NewBehaviour]);
        // On two hosts of twenty, chance may have hidden it.
        let many: Vec<String> = (0..20).map(|n| format!("h{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let mut memory = memory(NOW - DAY);
        let rare = [(FactKind::Behaviour, "kills_rivals", 2)];
        assert!(!told(&memory, gang(&many, &rare)).contains(&WarningKind::NewBehaviour));
        // With a new way in, it is part of that news.
        memory.gangs.get_mut("g").unwrap().back_at = 0;
        let both = [all[0], (FactKind::Method, "log4shell", 2)];
        assert_eq!(told(&memory, gang(&hosts, &both)), [WarningKind::NewMethod]);
    }

    #[test]
    fn servers_are_news_and_pages_are_not() {
        let memory = memory(NOW - DAY);
        let facts = [
            (FactKind::Infrastructure, "domain evil.example", 2),
            (FactKind::Infrastructure, "url http://evil.example/a", 2),
        ];
        assert_eq!(told(&memory, gang(&["a", "b"], &facts)), [WarningKind::NewInfrastructure]);
        assert_eq!(told(&memory, gang(&["a", "b"], &facts[1..])), []);
    }

    #[test]
    fn a_silence_and_a_surge_are_told() {
        assert_eq!(told(&memory(NOW - 20 * DAY), gang(&["a", "b"], &[])), [WarningKind::DormantBack]);
        assert_eq!(told(&memory(NOW - 20 * DAY), gang(&["a"], &[])), []);
        let many: Vec<String> = (0..30).map(|n| format!("h{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(told(&memory(NOW - DAY), gang(&many, &[])), [WarningKind::Surge]);
        assert_eq!(told(&memory(NOW - DAY), gang(&many[..6], &[])), []);
    }

    #[test]
    fn what_the_day_has_no_room_for_is_held() {
        let memory = Memory { given_today: 19, ..Memory::default() };
        let gangs = (0..3).map(|n| (format!("g{n}"), gang(&["a", "b"], &[]))).collect();
        let news = warn(&memory, &Observed { first: NOW, last: NOW, gangs }, &Settings::default());
        assert_eq!(news.iter().map(|it| it.warning.held).collect::<Vec<_>>(), [false, true, true]);
    }
}
