//! rows on their way to the folder → which hosts each gang was seen on, when, and doing what. Rows pass through as they
//! are, but for hosts on the allow-list: there, nothing is anybody's.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use ringleader_model::findings::{BehaviourRow, EpisodeRow, MemberRow, ProcessRow, RepairRow, Text};
use ringleader_model::trend::Day;
use ringleader_model::{Tables, Timestamp};

/// Hosts kept of one gang; beyond it they are not told apart.
const MAX_HOSTS: usize = 1 << 17;
/// Hosts kept of one fact.
const MAX_FACT_HOSTS: usize = 256;
/// Days of hosts kept of one gang.
const MAX_ACTIVITY: usize = 1 << 20;
/// Methods of one gang on one host and day.
const MAX_METHODS: usize = 8;

/// What the rows of a run add up to.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub gangs: BTreeMap<Text, GangSeen>,
}

#[derive(Debug, Clone, Default)]
pub struct GangSeen {
    /// First and last time, where known.
    pub hosts: BTreeMap<Text, Option<(i64, i64)>>,
    /// method → hosts
    pub methods: BTreeMap<Text, BTreeSet<Text>>,
    /// behaviour → host → first time, where known
    pub behaviours: BTreeMap<Text, BTreeMap<Text, Option<i64>>>,
    /// day → hosts, events
    pub days: BTreeMap<String, (BTreeSet<Text>, u64)>,
    /// day, host → method (empty: not known) → what was done
    pub activity: BTreeMap<(Day, Text), BTreeMap<Text, Done>>,
}

/// What a gang did on one host on one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// That began on it.
    pub episodes: u64,
    pub events: u64,
}

impl GangSeen {
    fn member(&mut self, host: &Text, time: Option<Timestamp>) {
        let full = self.hosts.len() >= MAX_HOSTS && !self.hosts.contains_key(host);
        if full {
            return;
        }
        let times = self.hosts.entry(host.clone()).or_default();
        let Some(time) = time else { return };
        *times = Some(times.map_or((time.0, time.0), |it| (it.0.min(time.0), it.1.max(time.0))));
        let day = self.days.entry(time.day()).or_default();
        day.0.insert(host.clone());
        day.1 += 1;
    }

    fn did(&mut self, host: &Text, time: Option<Timestamp>, method: Text, begins: bool) {
        let Some(time) = time else { return };
        let key = (Day::of(time), host.clone());
        if self.activity.len() >= MAX_ACTIVITY && !self.activity.contains_key(&key) {
            return;
        }
        let methods = self.activity.entry(key).or_default();
        if methods.len() >= MAX_METHODS && !methods.contains_key(&method) {
            return;
        }
        let done = methods.entry(method).or_default();
        done.events += 1;
        done.episodes += u64::from(begins);
    }
}

/// Passes rows on, and notes what they say of gangs.
pub struct Watch<'a> {
    inner: &'a mut dyn Tables,
    allowed: Vec<Pattern>,
    seen: Seen,
    /// Of the host whose rows come: episode → its way in, and whether it was counted. Episodes come before their events.
    episodes: BTreeMap<Text, (Text, bool)>,
}

impl<'a> Watch<'a> {
    /// `allowed`: patterns of host names on which nothing is anybody's.
    pub fn new(inner: &'a mut dyn Tables, allowed: impl IntoIterator<Item = String>) -> Self {
        Self {
            inner,
            allowed: allowed.into_iter().map(|it| Pattern::new(&it)).collect(),
            seen: Seen::default(),
            episodes: BTreeMap::new(),
        }
    }

    pub fn done(self) -> Seen {
        self.seen
    }

    fn of<'b>(&'b mut self, host: &str, gang: &mut Option<Text>) -> Option<&'b mut GangSeen> {
        if gang.is_some() && self.allowed.iter().any(|it| it.holds(host)) {
            *gang = None;
        }
        Some(self.seen.gangs.entry(gang.clone()?).or_default())
    }
}

impl Tables for Watch<'_> {
    fn episodes(&mut self, mut rows: Vec<EpisodeRow>) -> io::Result<()> {
        self.episodes.clear();
        for row in &mut rows {
            let (host, method) = (row.host.clone(), row.method.clone());
            self.episodes.insert(row.episode_id.clone(), (method.clone().unwrap_or_default(), false));
            if let Some(seen) = self.of(&host, &mut row.gang_id)
                && let Some(method) = method
            {
                let hosts = seen.methods.entry(method).or_default();
                if hosts.len() < MAX_FACT_HOSTS {
                    hosts.insert(host);
                }
            }
        }
        self.inner.episodes(rows)
    }
    fn members(&mut self, mut rows: Vec<MemberRow>) -> io::Result<()> {
        for row in &mut rows {
            let (host, time) = (row.host.clone(), row.time);
            let (method, counted) = self.episodes.get(&row.episode_id).cloned().unwrap_or_default();
            if let Some(seen) = self.of(&host, &mut row.gang_id) {
                seen.member(&host, time);
                seen.did(&host, time, method, !counted);
            }
            if time.is_some()
                && let Some(it) = self.episodes.get_mut(&row.episode_id)
            {
                it.1 = true;
            }
        }
        self.inner.members(rows)
    }
    fn processes(&mut self, mut rows: Vec<ProcessRow>) -> io::Result<()> {
        for row in &mut rows {
            let host = row.host.clone();
            self.of(&host, &mut row.gang_id);
        }
        self.inner.processes(rows)
    }
    fn repairs(&mut self, rows: Vec<RepairRow>) -> io::Result<()> {
        self.inner.repairs(rows)
    }
    fn behaviours(&mut self, mut rows: Vec<BehaviourRow>) -> io::Result<()> {
        for row in &mut rows {
            let (host, time, behaviour) = (row.host.clone(), row.time.map(|it| it.0), row.behaviour.clone());
            if let Some(seen) = self.of(&host, &mut row.gang_id) {
                let hosts = seen.behaviours.entry(behaviour).or_default();
                if hosts.len() < MAX_FACT_HOSTS || hosts.contains_key(&host) {
                    let first = hosts.entry(host).or_default();
                    *first = match (*first, time) {
                        (Some(a), Some(b)) => Some(a.min(b)),
                        (a, b) => a.or(b),
                    };
                }
            }
        }
        self.inner.behaviours(rows)
    }
}

/// A host name in which `*` stands for any characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    parts: Vec<String>,
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        Self { parts: text.to_lowercase().split('*').map(str::to_owned).collect() }
    }

    /// Greedy from the left, so linear in the parts.
    pub(crate) fn holds(&self, host: &str) -> bool {
        let host = host.to_lowercase();
        let (Some(first), Some(last)) = (self.parts.first(), self.parts.last()) else { return false };
        if self.parts.len() == 1 {
            return host == *first;
        }
        let Some(rest) = host.strip_prefix(first.as_str()) else { return false };
        let Some(mut rest) = rest.strip_suffix(last.as_str()) else { return false };
        for part in &self.parts[1..self.parts.len() - 1] {
            let Some(at) = rest.find(part.as_str()) else { return false };
            rest = &rest[at + part.len()..];
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringleader_model::tables::Rows;

    #[test]
    fn patterns_hold_for_whole_names() {
        let check = |pattern: &str, host: &str, expect: bool| {
            assert_eq!(Pattern::new(pattern).holds(host), expect, "{pattern} {host}");
        };
        check("ci-*", "ci-01", true);
        check("ci-*", "Ci-01", true);
        check("ci-*", "web-ci-01", false);
        check("*-test", "a-test", true);
        check("a*a", "a", false);
        check("a*b*c", "axxbyyc", true);
        check("a*b*c", "axxc", false);
        check("*", "anything", true);
        check("web", "web-1", false);
        check("*é*", "caféx", true);
    }

    #[test]
    fn on_an_allowed_host_nothing_is_anybodys() {
        let row = |host: &str| BehaviourRow {
            host: host.into(),
            event_id: ringleader_model::EventId(1),
            time: Some(Timestamp(5)),
            behaviour: "kills_rivals".into(),
            technique: None,
            episode_id: None,
            campaign_id: None,
            gang_id: Some("g".into()),
        };
        let mut rows = Rows::default();
        let mut watch = Watch::new(&mut rows, ["ci-*".to_owned()]);
        watch.behaviours(vec![row("ci-1"), row("web-1")]).unwrap();
        let seen = watch.done();
        assert_eq!(seen.gangs["g"].behaviours["kills_rivals"].keys().map(|it| &**it).collect::<Vec<_>>(), ["web-1"]);
        assert_eq!(rows.behaviours[0].gang_id, None);
        assert_eq!(rows.behaviours[1].gang_id.as_deref(), Some("g"));
    }
}
