//! What is remembered of gangs, and what a run observed of them: the nouns that warnings are made from. Deliberately
//! absent: SQL (`record`), and any judgement (`warn`).

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::findings::{Findings, Strength, Text};
use ringleader_model::trend::Day;
use ringleader_model::{IndicatorKind, Timestamp};

use crate::seen::{Done, Pattern, Seen};

/// Evidence kept of one fact.
const MAX_EVIDENCE: usize = 4;
/// Facts of one kind and one gang that a run brings.
const MAX_FACTS: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FactKind {
    Method,
    Behaviour,
    /// Kind and value, with a space between.
    Infrastructure,
    Platform,
    Tenant,
    Region,
    /// A host that is there to be attacked.
    Decoy,
}

impl FactKind {
    pub const ALL: [Self; 7] =
        [Self::Method, Self::Behaviour, Self::Infrastructure, Self::Platform, Self::Tenant, Self::Region, Self::Decoy];

    pub fn name(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Behaviour => "behaviour",
            Self::Infrastructure => "infrastructure",
            Self::Platform => "platform",
            Self::Tenant => "tenant",
            Self::Region => "region",
            Self::Decoy => "decoy",
        }
    }
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// Everything that is remembered, by the gangs that stand: what was merged or superseded is counted to who took it in.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    pub runs: u64,
    pub gangs: BTreeMap<String, GangMemory>,
    /// Warnings that were given, and how far the logs went that gave them.
    pub warned: BTreeMap<String, i64>,
    /// Of today, and not held back.
    pub given_today: usize,
    /// Gangs that came out of others: they are no news.
    pub parts: BTreeSet<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GangMemory {
    pub first_seen: i64,
    pub last_seen: i64,
    /// When it came back after a long silence; 0: it did not.
    pub back_at: i64,
    /// First and last time.
    pub hosts: BTreeMap<String, (i64, i64)>,
    pub facts: BTreeMap<(FactKind, String), FactMemory>,
    /// day → hosts, events
    pub days: BTreeMap<String, (u64, u64)>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FactMemory {
    pub first_seen: i64,
    pub last_seen: i64,
    pub hosts: u64,
    /// The first few.
    pub names: BTreeSet<String>,
    /// A warning told of it.
    pub told: bool,
}

impl GangMemory {
    /// Adds what was remembered of a gang that this one took in.
    pub(crate) fn merge(&mut self, other: Self) {
        if self.first_seen == 0 {
            *self = other;
            return;
        }
        self.first_seen = self.first_seen.min(other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
        self.back_at = self.back_at.max(other.back_at);
        for (host, (first, last)) in other.hosts {
            let it = self.hosts.entry(host).or_insert((first, last));
            *it = (it.0.min(first), it.1.max(last));
        }
        for (key, fact) in other.facts {
            self.facts.entry(key).or_default().merge(&fact);
        }
        for (day, (hosts, events)) in other.days {
            let it = self.days.entry(day).or_default();
            *it = (it.0.max(hosts), it.1.max(events));
        }
    }

    pub fn has(&self, kind: FactKind, value: &str) -> Option<&FactMemory> {
        self.facts.get(&(kind, value.to_owned()))
    }
}

impl FactMemory {
    pub(crate) fn merge(&mut self, other: &Self) {
        let first = if self.first_seen == 0 { other.first_seen } else { self.first_seen.min(other.first_seen) };
        self.first_seen = first;
        self.last_seen = self.last_seen.max(other.last_seen);
        self.names.extend(other.names.iter().cloned());
        self.told |= other.told;
        self.hosts = self.hosts.max(other.hosts).max(self.names.len() as u64);
    }
}

/// What one run saw.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    pub first: i64,
    pub last: i64,
    pub gangs: BTreeMap<String, GangObserved>,
}

#[derive(Debug, Clone, Default)]
pub struct GangObserved {
    pub name: String,
    pub hosts: BTreeMap<String, (i64, i64)>,
    pub facts: BTreeMap<(FactKind, String), FactObserved>,
    pub days: BTreeMap<String, (u64, u64)>,
    /// day, host → method (empty: not known) → what was done
    pub activity: BTreeMap<(Day, Text), BTreeMap<Text, Done>>,
    pub first: i64,
    pub last: i64,
    /// It has infrastructure, a key, a wallet: not only the shape of its graphs.
    pub signed: bool,
    /// What shows that it is one gang.
    pub evidence: Vec<Text>,
    pub campaigns: Vec<Text>,
}

#[derive(Debug, Clone, Default)]
pub struct FactObserved {
    pub first: i64,
    pub last: i64,
    pub hosts: u64,
    /// By name, where the run told them: first time.
    pub names: BTreeMap<String, i64>,
    pub evidence: Vec<Text>,
    /// The method resembles nothing known.
    pub unheard_of: bool,
}

/// Whose the hosts of a pattern are, where they stand, and what they do. What is empty is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Place {
    pub pattern: String,
    pub tenant: String,
    pub region: String,
    pub sector: String,
    pub service: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlaceRef<'a> {
    pub tenant: &'a str,
    pub region: &'a str,
    pub sector: &'a str,
    pub service: &'a str,
}

/// Which hosts are whose, and where they stand: the first pattern that holds.
#[derive(Debug, Clone, Default)]
pub struct Places {
    places: Vec<(Pattern, Place)>,
    /// Of hosts that no pattern speaks of.
    pub tenant: String,
}

impl Places {
    pub fn new(rows: impl IntoIterator<Item = Place>, tenant: &str) -> Self {
        let places = rows.into_iter().map(|it| (Pattern::new(&it.pattern), it)).collect();
        Self { places, tenant: tenant.to_owned() }
    }

    /// What is known of a host; the pattern is empty.
    pub(crate) fn place(&self, host: &str) -> PlaceRef<'_> {
        let found = self.places.iter().find(|it| it.0.holds(host)).map(|it| &it.1);
        let of = |field: fn(&Place) -> &String| found.map_or("", |it| field(it).as_str());
        let tenant = of(|it| &it.tenant);
        PlaceRef {
            tenant: if tenant.is_empty() { &self.tenant } else { tenant },
            region: of(|it| &it.region),
            sector: of(|it| &it.sector),
            service: of(|it| &it.service),
        }
    }
}

/// What a run's findings and rows say of each gang.
pub fn observe(findings: &Findings, seen: &Seen, places: &Places) -> Observed {
    let mut observed = Observed::default();
    for gang in &findings.gangs {
        let first = gang.who.first_seen.map_or(0, |it| it.0);
        let last = gang.who.last_seen.map_or(first, |it| it.0);
        let nothing = Default::default();
        let rows = seen.gangs.get(&gang.gang_id).unwrap_or(&nothing);
        let mut it = GangObserved {
            name: gang.name.clone(),
            first,
            last,
            days: rows.days.iter().map(|(day, it)| (day.clone(), (it.0.len() as u64, it.1))).collect(),
            activity: rows.activity.clone(),
            campaigns: gang.campaigns.clone(),
            ..GangObserved::default()
        };
        for host in gang.who.hosts.iter().chain(rows.hosts.keys()) {
            let times = rows.hosts.get(host).copied().flatten().unwrap_or((first, last));
            it.hosts.insert(host.to_string(), times);
        }
        let mut add = |kind: FactKind, value: &str, fact: FactObserved| {
            if it.facts.len() < MAX_FACTS * FactKind::ALL.len() {
                it.facts.insert((kind, value.to_owned()), fact);
            }
        };
        for how in &gang.how {
            let names = rows.methods.get(&how.method).into_iter().flatten();
            let names =
                names.map(|host| (host.to_string(), rows.hosts.get(host).copied().flatten().map_or(first, |it| it.0)));
            let names: BTreeMap<String, i64> = names.collect();
            let fact = FactObserved {
                first: how.first_seen.map_or(first, |it| it.0),
                last,
                hosts: how.hosts.max(names.len() as u64),
                names,
                evidence: few(&how.evidence_ids),
                unheard_of: how.novelty == ringleader_model::findings::Novelty::New,
            };
            add(FactKind::Method, &how.method, fact);
        }
        for behaviour in &gang.what.behaviours {
            let names = rows.behaviours.get(&behaviour.id).into_iter().flatten();
            let names: BTreeMap<String, i64> =
                names.map(|(host, at)| (host.to_string(), at.unwrap_or(first))).collect();
            let fact = FactObserved {
                first: names.values().copied().min().unwrap_or(first),
                last,
                hosts: behaviour.hosts.max(names.len() as u64),
                names,
                evidence: few(&behaviour.evidence_ids),
                unheard_of: false,
            };
            add(FactKind::Behaviour, &behaviour.id, fact);
        }
        let mut whose: BTreeMap<(FactKind, &str), BTreeMap<String, i64>> = BTreeMap::new();
        for host in gang.who.hosts.iter().chain(rows.hosts.keys()) {
            let PlaceRef { tenant, region, .. } = places.place(host);
            let time = rows.hosts.get(host).copied().flatten().map_or(first, |it| it.0);
            for (kind, value) in [(FactKind::Tenant, tenant), (FactKind::Region, region)] {
                if !value.is_empty() {
                    whose.entry((kind, value)).or_default().insert(host.to_string(), time);
                }
            }
        }
        for ((kind, value), names) in whose {
            let first = names.values().copied().min().unwrap_or(first);
            add(kind, value, FactObserved { first, last, hosts: names.len() as u64, names, ..FactObserved::default() });
        }
        it.evidence = gang.how.first().map(|it| few(&it.evidence_ids)).unwrap_or_default();
        if it.evidence.is_empty() {
            it.evidence = gang.what.behaviours.first().map(|it| few(&it.evidence_ids)).unwrap_or_default();
        }
        observed.gangs.insert(gang.gang_id.to_string(), it);
    }
    infrastructure(findings, &mut observed);
    decoys(findings, &mut observed);
    platforms(findings, &mut observed);
    observed.first = observed.gangs.values().map(|it| it.first).min().unwrap_or(0);
    observed.last = observed.gangs.values().map(|it| it.last).max().unwrap_or(0);
    observed
}

fn few(ids: &[Text]) -> Vec<Text> {
    ids.iter().take(MAX_EVIDENCE).cloned().collect()
}

/// Whether a value is somebody's own: what many use, and what is chosen by habit, is no news.
fn is_own(kind: IndicatorKind, strength: Strength) -> bool {
    use IndicatorKind as K;
    strength != Strength::Weak
        && matches!(
            kind,
            K::Url | K::Domain | K::Ip | K::IpPort | K::Hash | K::Wallet | K::SshKey | K::Email | K::Paste | K::Image
        )
}

fn infrastructure(findings: &Findings, observed: &mut Observed) {
    for row in &findings.indicators {
        let Some(gang) = row.gang_id.as_deref().and_then(|it| observed.gangs.get_mut(it)) else { continue };
        if !is_own(row.kind, row.strength) || is_private(&row.indicator) {
            continue;
        }
        gang.signed = true;
        let value = format!("{} {}", row.kind.name(), row.indicator);
        if gang.facts.len() >= MAX_FACTS * FactKind::ALL.len() {
            continue;
        }
        let time = |it: Option<Timestamp>, or: i64| it.map_or(or, |it| it.0);
        let (first, last) = (time(row.first_seen, gang.first), time(row.last_seen, gang.last));
        let fact = gang.facts.entry((FactKind::Infrastructure, value)).or_insert_with(|| FactObserved {
            first,
            last,
            ..FactObserved::default()
        });
        fact.first = fact.first.min(first);
        fact.last = fact.last.max(last);
        fact.hosts = fact.hosts.max(row.hosts);
    }
}

/// On which decoys each gang was seen.
fn decoys(findings: &Findings, observed: &mut Observed) {
    for group in findings.honeynet.iter().flat_map(|it| &it.groups) {
        let Some(gang) = group.gang_id.as_deref().and_then(|it| observed.gangs.get_mut(it)) else { continue };
        for it in &group.decoys {
            let Some(first) = it.first_seen else { continue };
            let names = BTreeMap::from([(it.host.to_string(), first.0)]);
            let (last, hosts) = (gang.last, 1);
            let fact = FactObserved { first: first.0, last, hosts, names, ..FactObserved::default() };
            gang.facts.insert((FactKind::Decoy, it.host.to_string()), fact);
        }
    }
}

/// A host of some network of ours: a victim, or what a gang made of one.
pub(crate) fn is_private(value: &str) -> bool {
    let rest = value.split_once("://").map_or(value, |it| it.1);
    let rest = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = match rest.strip_prefix('[') {
        Some(inner) => inner.split(']').next().unwrap_or(inner),
        None => rest.rsplit_once(':').filter(|it| !it.0.contains(':')).map_or(rest, |it| it.0),
    };
    match host.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(it)) => {
            it.is_private()
                || it.is_link_local()
                || it.is_loopback()
                || (it.octets()[0] == 100 && (it.octets()[1] & 0xc0) == 64)
        }
        Ok(std::net::IpAddr::V6(it)) => it.is_unique_local() || it.is_unicast_link_local() || it.is_loopback(),
        Err(_) => false,
    }
}

/// What its commands run on, by how they write a path.
fn platforms(findings: &Findings, observed: &mut Observed) {
    for campaign in &findings.campaigns {
        let Some(gang) = campaign.gang_id.as_deref().and_then(|it| observed.gangs.get_mut(it)) else { continue };
        for node in campaign.nodes.iter().filter(|it| it.observed_count > 0) {
            let Some(platform) = platform(node.sample.as_deref().unwrap_or(&node.template)) else { continue };
            let first = node.first_seen.map_or(gang.first, |it| it.0);
            let last = gang.last;
            let fact = gang.facts.entry((FactKind::Platform, platform.to_owned())).or_insert_with(|| FactObserved {
                first,
                last,
                ..FactObserved::default()
            });
            fact.hosts = fact.hosts.max(node.hosts);
            fact.first = fact.first.min(first);
            if fact.evidence.is_empty() {
                fact.evidence = few(&node.evidence_ids);
            }
        }
        // What shows the infrastructure is the campaign that has it: its first nodes.
        let shown: Vec<Text> = campaign.nodes.iter().flat_map(|it| it.evidence_ids.first()).take(2).cloned().collect();
        for part in &campaign.signature {
            let key = (FactKind::Infrastructure, format!("{} {}", part.kind, part.value));
            if let Some(fact) = gang.facts.get_mut(&key)
                && fact.evidence.is_empty()
            {
                fact.evidence = shown.clone();
            }
        }
    }
}

fn platform(command: &str) -> Option<&'static str> {
    let command = command.trim_start_matches(['"', '\'']);
    let bytes = command.as_bytes();
    let drive = bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':' && bytes[2] == b'\\';
    if drive || command.starts_with(r"\\") || command.split_whitespace().next()?.to_lowercase().ends_with(".exe") {
        return Some("windows");
    }
    command.starts_with('/').then_some("unix")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_is_told_by_its_paths() {
        assert_eq!(platform(r#""C:\Windows\System32\cmd.exe" /c x"#), Some("windows"));
        assert_eq!(platform("powershell.exe -enc x"), Some("windows"));
        assert_eq!(platform("/bin/sh -c x"), Some("unix"));
        assert_eq!(platform("curl http://x"), None);
        assert_eq!(platform(""), None);
    }

    #[test]
    fn a_private_address_is_nobodys_infrastructure() {
        assert!(is_private("10.20.0.1") && is_private("http://10.20.0.1:80/x") && is_private("[fd00::1]:80"));
        assert!(!is_private("192.0.2.1") && !is_private("evil.example:80") && !is_private("2001:db8::1"));
    }

    #[test]
    fn hosts_are_whose_the_first_pattern_says() {
        let row = |pattern: &str, tenant: &str, region: &str| Place {
            pattern: pattern.to_owned(),
            tenant: tenant.to_owned(),
            region: region.to_owned(),
            ..Place::default()
        };
        let places = Places::new([row("shop-*", "shop", "eu"), row("*", "", "us")], "us-all");
        let of = |host: &str| (places.place(host).tenant, places.place(host).region);
        assert_eq!(of("shop-1"), ("shop", "eu"));
        assert_eq!(of("web-1"), ("us-all", "us"));
    }
}
