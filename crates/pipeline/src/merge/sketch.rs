//! episodes → the mergeable, compressed form of any number of graphs.
//!
//! Keyed relations, not trees: features; groups (the feature sets of episodes) with their nodes as template paths;
//! the background as template paths alone. Merging is union plus integer sum, min, max and bottom-k by hash.

use std::collections::BTreeMap;
use std::sync::Arc;

use ringleader_model::hash::{fold64, hash64, hash128};
use ringleader_model::{Context, IndicatorKind, Timestamp};
use serde::{Deserialize, Serialize};

use super::background::Background;
use super::distinct::Distinct;

/// Per episode, at most this many distinct nodes and features are kept; the rest is counted as *other*.
pub const NODES_PER_EPISODE: usize = 512;
pub const FEATURES_PER_EPISODE: usize = 64;
/// Kept per sketch, smallest keyed hash first. Whatever is in the smallest `N` of a union is in the smallest `N`
/// of each part, so truncation commutes with merging; no attacker can choose what is dropped.
pub const GROUPS: usize = 1 << 18;
pub const FEATURES: usize = 1 << 20;
pub const NODES_PER_GROUP: usize = 1024;
pub const HABITS_PER_GROUP: usize = 256;
const EXAMPLES: usize = 3;

pub type Key = u128;

/// What one episode adds. Borrowed or owned by the caller; nothing of it is kept but what the sketch copies.
#[derive(Debug, Clone, Default)]
pub struct EpisodeFacts {
    pub id: u128,
    pub host: u64,
    pub tenant: u64,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    pub nodes: Vec<NodeFacts>,
    pub features: Vec<Feature>,
    /// Enough was seen in it to call it an attack.
    pub suspicious: bool,
    pub honeypot: bool,
    /// Method index and confidence, where the way in is known.
    pub method: Option<(u16, u16)>,
    pub n_processes: u64,
    pub n_inferred: u64,
    pub n_indicator_edges: u64,
}

/// Thirds of a host's log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Part {
    Early,
    #[default]
    Middle,
    Late,
}

impl Part {
    /// `None`: some time is not known.
    pub fn of(time: Option<Timestamp>, first: Option<Timestamp>, last: Option<Timestamp>) -> Self {
        let (Some(time), Some(first), Some(last)) = (time, first, last) else { return Self::Middle };
        let third = last.0.saturating_sub(first.0) / 3;
        match time.0.saturating_sub(first.0) {
            since if since < third => Self::Early,
            since if since >= third.saturating_mul(2) => Self::Late,
            _ => Self::Middle,
        }
    }
}

#[derive(Debug, Clone, Default)]
pub struct NodeFacts {
    /// The chain of templates from the entry down to it.
    pub path: Key,
    pub parent: Option<Key>,
    pub template: Arc<str>,
    pub sample: Arc<str>,
    /// No start event was logged.
    pub inferred: bool,
    /// What is above it was lost: its path does not start at the entry.
    pub fragment: bool,
    pub time: Option<Timestamp>,
    /// In which part of its host's log.
    pub part: Part,
    pub behaviours: Vec<u16>,
    pub network_roles: Vec<u8>,
}

/// What an episode adds of which nothing but numbers is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BackgroundFacts {
    pub n_processes: u64,
    pub n_inferred: u64,
    /// Distinct indicators.
    pub n_features: u64,
    pub n_indicator_edges: u64,
}

/// An indicator of the episode, in the strongest context it stands in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Feature {
    pub kind: IndicatorKind,
    pub value: String,
    pub context: Context,
}

impl Feature {
    pub fn key(&self) -> Key {
        feature_key(self.kind, &self.value)
    }
}

pub fn feature_key(kind: IndicatorKind, value: &str) -> Key {
    hash128(value.as_bytes(), 0x100 + kind as u64)
}

/// How far a feature recognises: one variant of a bot, one group's infrastructure, or only a habit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Reach {
    /// Joins episodes into a campaign.
    Variant,
    /// Joins campaigns into a gang, and episodes that show nothing better.
    Infrastructure,
    /// Supports.
    Habit,
}

/// `None`: it weighs nothing (a mention, a rival's).
pub fn reach(kind: IndicatorKind, value: &str, context: Context) -> Option<Reach> {
    use Context::{Configured, Connected, Downloaded, Executed, Killed, Mentioned, Written};
    use IndicatorKind as K;
    match (kind, context) {
        // Whoever writes down another's wallet does not thereby own it.
        (_, Killed | Mentioned) => None,
        // A private address is some host of the victim's own network: more than one gang comes by it.
        (K::Ip | K::IpPort, Downloaded | Connected | Configured) if super::stop::names_private(kind, value) => {
            Some(Reach::Habit)
        }
        (K::Wallet | K::SshKey, _) => Some(Reach::Infrastructure),
        (K::Url | K::Paste, Downloaded | Connected | Executed | Configured) => Some(Reach::Variant),
        (K::Hash, Downloaded | Executed | Written) => Some(Reach::Variant),
        (K::IpPort, Connected | Downloaded | Configured) => Some(Reach::Variant),
        (K::Domain | K::Ip, Downloaded | Connected | Configured) => Some(Reach::Infrastructure),
        (K::Email, _) => Some(Reach::Infrastructure),
        // Many mine at one pool.
        (K::Pool, _) => Some(Reach::Habit),
        (K::Image, Downloaded | Executed) => Some(Reach::Variant),
        (K::FilePath, Executed | Written | Downloaded) | (K::Cron | K::UserAgent | K::Account, _) => Some(Reach::Habit),
        _ => None,
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureStat {
    pub kind: u8,
    pub value: String,
    /// Bit per `Context`.
    pub contexts: u8,
    pub episodes: u64,
    pub suspicious: u64,
    pub hosts: Distinct<256>,
    /// Hosts on which at least one of its episodes is suspicious: a bot's lesser episodes look like nothing.
    pub suspicious_hosts: Distinct<256>,
    pub tenants: Distinct<16>,
    pub first: Option<i64>,
    pub last: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStat {
    pub parent: Option<Key>,
    pub template: String,
    /// The raw command line with the smallest hash.
    pub sample: String,
    pub observed: u64,
    pub inferred: u64,
    /// Episodes that show it.
    pub episodes: u64,
    pub fragment: bool,
    pub hosts: Distinct<64>,
    /// Hosts that show it in the first third of their logs, and in the last: what intruders bring comes in between.
    pub early: Distinct<32>,
    pub late: Distinct<32>,
    pub behaviours: BTreeMap<u16, u64>,
    pub network_roles: BTreeMap<u8, u64>,
    pub first: Option<i64>,
    pub last: Option<i64>,
}

/// The episodes with one set of features.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Keys of the features that make the group, ascending. Empty: joined by structure.
    pub features: Vec<Key>,
    /// Keys of what its episodes have besides: habits, which support and never join.
    pub habits: std::collections::BTreeSet<Key>,
    pub episodes: u64,
    pub suspicious: u64,
    pub honeypot: u64,
    pub hosts: Distinct<1024>,
    pub suspicious_hosts: Distinct<1024>,
    pub tenants: Distinct<64>,
    pub nodes: BTreeMap<Key, NodeStat>,
    /// method → (episodes, sum of confidence)
    pub methods: BTreeMap<u16, (u64, u64)>,
    pub first: Option<i64>,
    pub last: Option<i64>,
    /// Episode ids with the smallest hashes.
    pub examples: Vec<u128>,
    /// Nodes left out of episodes that had too many.
    pub other_nodes: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub events: u64,
    pub duplicates: u64,
    pub hosts: u64,
    pub processes: u64,
    pub inferred: u64,
    pub parent_edges: u64,
    /// Indicators of each episode, as nodes of its graph.
    pub indicators: u64,
    pub indicator_edges: u64,
    pub episodes: u64,
    pub background_episodes: u64,
}

/// A file that passed from one group's episode to another's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handed {
    pub hosts: Distinct<16>,
    /// The path with the smallest hash.
    pub path: String,
}

/// Episodes of two groups that began at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Together {
    /// Where one service started them: an intruder in it ran both.
    pub hosts: Distinct<16>,
    /// Where both came first at one time.
    pub arrived: Distinct<16>,
    /// An entry of each, in the order of the groups: the smallest pair of paths.
    pub entries: Option<(Key, Key)>,
}

/// The sketch. `Sketch::default()` is the empty element of `merge`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sketch {
    pub counts: Counts,
    pub features: BTreeMap<Key, FeatureStat>,
    pub groups: BTreeMap<Key, Group>,
    /// Two groups (smaller key first) of which one ran, on the same host, a file that the other had put there.
    pub handed: BTreeMap<(Key, Key), Handed>,
    /// The same, of which episodes began at once.
    pub together: BTreeMap<(Key, Key), Together>,
    /// Template paths of everything that carries no feature and shows nothing.
    pub background: Background,
}

impl Sketch {
    /// Adds one episode; returns the key of the group it went to, `None` for the background.
    pub fn add(&mut self, mut facts: EpisodeFacts) -> Option<Key> {
        self.counts.add(&BackgroundFacts {
            n_processes: facts.n_processes,
            n_inferred: facts.n_inferred,
            n_features: facts.features.len() as u64,
            n_indicator_edges: facts.n_indicator_edges,
        });
        let key = group_key(&mut facts);
        let Some((key, features)) = key else {
            self.counts.background_episodes += 1;
            facts.nodes.iter().for_each(|it| self.background.add(it.path, 1));
            return None;
        };
        for feature in &facts.features {
            self.add_feature(feature, &facts);
        }
        let group = self.groups.entry(key).or_default();
        group.features = features;
        group.add(&facts);
        self.trim();
        Some(key)
    }

    /// Adds an episode that shows nothing and joins nothing; `paths` are those of its nodes.
    pub fn add_background(&mut self, facts: &BackgroundFacts, paths: impl Iterator<Item = Key>) {
        self.counts.add(facts);
        self.counts.background_episodes += 1;
        paths.for_each(|path| self.background.add(path, 1));
    }

    /// Notes that a file passed between two groups on a host.
    pub fn hand(&mut self, a: Key, b: Key, path: &str, host: u64) {
        let handed = self.handed.entry((a.min(b), a.max(b))).or_default();
        handed.hosts.insert(host);
        handed.path = smaller(std::mem::take(&mut handed.path), path);
        trim(&mut self.handed, GROUPS);
    }

    /// Notes that one service of a host started episodes of two groups at once; with the path of each one's entry.
    pub fn start_together(&mut self, a: (Key, Key), b: (Key, Key), host: u64) {
        self.begin_together(a, b).hosts.insert(host);
        trim(&mut self.together, GROUPS);
    }

    /// Notes that two groups came to a host at one time, whatever started them.
    pub fn arrive_together(&mut self, a: (Key, Key), b: (Key, Key), host: u64) {
        self.begin_together(a, b).arrived.insert(host);
        trim(&mut self.together, GROUPS);
    }

    fn begin_together(&mut self, a: (Key, Key), b: (Key, Key)) -> &mut Together {
        let (a, b) = (a.min(b), a.max(b));
        let together = self.together.entry((a.0, b.0)).or_default();
        let entries = (a.1, b.1);
        together.entries = Some(together.entries.map_or(entries, |it| it.min(entries)));
        together
    }

    fn add_feature(&mut self, feature: &Feature, facts: &EpisodeFacts) {
        let stat = self.features.entry(feature.key()).or_insert_with(|| FeatureStat {
            kind: feature.kind as u8,
            value: feature.value.clone(),
            contexts: 0,
            episodes: 0,
            suspicious: 0,
            hosts: Distinct::default(),
            suspicious_hosts: Distinct::default(),
            tenants: Distinct::default(),
            first: None,
            last: None,
        });
        stat.contexts |= 1 << feature.context as u8;
        stat.episodes += 1;
        stat.suspicious += u64::from(facts.suspicious || facts.honeypot);
        stat.hosts.insert(facts.host);
        if facts.suspicious || facts.honeypot {
            stat.suspicious_hosts.insert(facts.host);
        }
        stat.tenants.insert(facts.tenant);
        stat.first = earlier(stat.first, facts.first.map(|it| it.0));
        stat.last = stat.last.max(facts.last.map(|it| it.0));
    }

    /// The law: associative and commutative, whatever the parts.
    pub fn merge(mut self, other: Self) -> Self {
        self.counts = self.counts.plus(&other.counts);
        for (key, stat) in other.features {
            match self.features.entry(key) {
                std::collections::btree_map::Entry::Vacant(slot) => {
                    slot.insert(stat);
                }
                std::collections::btree_map::Entry::Occupied(mut slot) => slot.get_mut().merge(&stat),
            }
        }
        for (key, group) in other.groups {
            match self.groups.entry(key) {
                std::collections::btree_map::Entry::Vacant(slot) => {
                    slot.insert(group);
                }
                std::collections::btree_map::Entry::Occupied(mut slot) => slot.get_mut().merge(group),
            }
        }
        for (pair, other) in other.handed {
            let handed = self.handed.entry(pair).or_default();
            handed.hosts.merge(&other.hosts);
            handed.path = smaller(std::mem::take(&mut handed.path), &other.path);
        }
        for (pair, other) in other.together {
            let together = self.together.entry(pair).or_default();
            together.hosts.merge(&other.hosts);
            together.arrived.merge(&other.arrived);
            together.entries = match (together.entries, other.entries) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        self.background.merge(other.background);
        self.trim();
        self
    }

    /// Keys are keyed hashes: the smallest stay.
    fn trim(&mut self) {
        trim(&mut self.groups, GROUPS);
        trim(&mut self.features, FEATURES);
        trim(&mut self.handed, GROUPS);
        trim(&mut self.together, GROUPS);
    }

    /// Episodes that were dropped with their groups.
    pub fn episodes_dropped(&self) -> u64 {
        let kept: u64 = self.groups.values().map(|it| it.episodes).sum();
        self.counts.episodes - self.counts.background_episodes - kept
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_allocvec(self).expect("a sketch is plain data, which always serialises")
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, postcard::Error> {
        postcard::from_bytes(bytes)
    }
}

fn trim<K: Ord, V>(map: &mut BTreeMap<K, V>, limit: usize) {
    while map.len() > limit {
        map.pop_last();
    }
}

/// The earlier of two times, where either is known.
pub fn earlier(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Which group an episode belongs to: by its variant features, else its infrastructure, else, where it is
/// suspicious all the same, by what it ran. An episode that shows nothing is background.
fn group_key(facts: &mut EpisodeFacts) -> Option<(Key, Vec<Key>)> {
    facts.features.sort_unstable();
    facts.features.dedup_by(|b, a| a.kind == b.kind && a.value == b.value);
    if facts.features.len() > FEATURES_PER_EPISODE {
        facts.features.sort_by_key(Feature::key);
        facts.features.truncate(FEATURES_PER_EPISODE);
    }
    let with = |least: Reach| -> Vec<Key> {
        let mut keys: Vec<Key> = facts
            .features
            .iter()
            .filter(|it| reach(it.kind, &it.value, it.context).is_some_and(|it| it <= least))
            .map(Feature::key)
            .collect();
        keys.sort_unstable();
        keys
    };
    let strong = with(Reach::Infrastructure);
    if !strong.is_empty() {
        let bytes: Vec<u8> = strong.iter().flat_map(|it| it.to_le_bytes()).collect();
        return Some((hash128(&bytes, 0x200), strong));
    }
    if !facts.suspicious && !facts.honeypot {
        return None;
    }
    // Files are named at random too often to tell one shape from another; they are kept as habits.
    // So are addresses of the network that it goes through.
    let varies = |it: &&Feature| it.kind == IndicatorKind::FilePath || super::stop::names_private(it.kind, &it.value);
    let habits = facts.features.iter().filter(|it| !varies(it));
    let mut habits: Vec<Key> =
        habits.filter(|it| reach(it.kind, &it.value, it.context) == Some(Reach::Habit)).map(Feature::key).collect();
    habits.sort_unstable();
    let shown = facts.nodes.iter().filter(|it| !it.inferred || is_told(&it.template));
    let mut templates: Vec<u64> = shown.map(|it| hash64(it.template.as_bytes())).collect();
    templates.sort_unstable();
    templates.dedup();
    if templates.is_empty() {
        return None;
    }
    let bytes: Vec<u8> = habits.iter().flat_map(|it| it.to_le_bytes()).collect();
    let shape = fold64(templates.into_iter().chain([hash64(&bytes)]));
    Some((hash128(&shape.to_le_bytes(), 0x201), Vec::new()))
}

/// Whether a command line is known: logged, or read in a script; not only that some process was there.
pub(crate) fn is_told(template: &str) -> bool {
    !template.ends_with("<unlogged>")
}

impl Group {
    fn add(&mut self, facts: &EpisodeFacts) {
        self.episodes += 1;
        self.suspicious += u64::from(facts.suspicious);
        self.honeypot += u64::from(facts.honeypot);
        self.hosts.insert(facts.host);
        if facts.suspicious || facts.honeypot {
            self.suspicious_hosts.insert(facts.host);
        }
        self.tenants.insert(facts.tenant);
        self.first = earlier(self.first, facts.first.map(|it| it.0));
        self.last = self.last.max(facts.last.map(|it| it.0));
        if let Some((method, confidence)) = facts.method {
            let slot = self.methods.entry(method).or_default();
            *slot = (slot.0 + 1, slot.1 + u64::from(confidence));
        }
        self.examples.push(facts.id);
        self.trim_examples();
        let habit = |it: &&Feature| reach(it.kind, &it.value, it.context) == Some(Reach::Habit);
        self.habits.extend(facts.features.iter().filter(habit).map(Feature::key));
        self.trim_habits();
        let mut seen = std::collections::BTreeSet::new();
        for node in &facts.nodes {
            let first_here = seen.insert(node.path);
            if seen.len() > NODES_PER_EPISODE {
                self.other_nodes += 1;
                continue;
            }
            self.nodes.entry(node.path).or_default().add(node, facts.host, first_here);
        }
        trim(&mut self.nodes, NODES_PER_GROUP);
    }

    fn merge(&mut self, other: Self) {
        self.episodes += other.episodes;
        self.suspicious += other.suspicious;
        self.honeypot += other.honeypot;
        self.hosts.merge(&other.hosts);
        self.suspicious_hosts.merge(&other.suspicious_hosts);
        self.tenants.merge(&other.tenants);
        self.first = earlier(self.first, other.first);
        self.last = self.last.max(other.last);
        for (method, (n, sum)) in other.methods {
            let slot = self.methods.entry(method).or_default();
            *slot = (slot.0 + n, slot.1 + sum);
        }
        self.examples.extend(other.examples);
        self.trim_examples();
        self.habits.extend(other.habits);
        self.trim_habits();
        self.other_nodes += other.other_nodes;
        for (path, node) in other.nodes {
            self.nodes.entry(path).or_default().merge(&node);
        }
        trim(&mut self.nodes, NODES_PER_GROUP);
    }

    fn trim_habits(&mut self) {
        while self.habits.len() > HABITS_PER_GROUP {
            self.habits.pop_last();
        }
    }

    fn trim_examples(&mut self) {
        self.examples.sort_unstable();
        self.examples.dedup();
        self.examples.truncate(EXAMPLES);
    }
}

impl NodeStat {
    fn add(&mut self, node: &NodeFacts, host: u64, first_here: bool) {
        if self.observed + self.inferred == 0 {
            self.parent = node.parent;
            self.template = node.template.to_string();
            self.fragment = node.fragment;
        }
        self.sample = smaller(std::mem::take(&mut self.sample), &node.sample);
        if node.inferred {
            self.inferred += 1;
        } else {
            self.observed += 1;
        }
        self.episodes += u64::from(first_here);
        self.hosts.insert(host);
        match node.part {
            Part::Early => self.early.insert(host),
            Part::Middle => {}
            Part::Late => self.late.insert(host),
        }
        for behaviour in &node.behaviours {
            *self.behaviours.entry(*behaviour).or_default() += 1;
        }
        for role in &node.network_roles {
            *self.network_roles.entry(*role).or_default() += 1;
        }
        self.first = earlier(self.first, node.time.map(|it| it.0));
        self.last = self.last.max(node.time.map(|it| it.0));
    }

    /// A path is the hash of its templates, so parent, template and fragment are equal on both sides.
    pub fn merge(&mut self, other: &Self) {
        if self.observed + self.inferred == 0 {
            self.clone_from(other);
            return;
        }
        self.sample = smaller(std::mem::take(&mut self.sample), &other.sample);
        self.observed += other.observed;
        self.inferred += other.inferred;
        self.episodes += other.episodes;
        self.hosts.merge(&other.hosts);
        self.early.merge(&other.early);
        self.late.merge(&other.late);
        for (behaviour, n) in &other.behaviours {
            *self.behaviours.entry(*behaviour).or_default() += n;
        }
        for (role, n) in &other.network_roles {
            *self.network_roles.entry(*role).or_default() += n;
        }
        self.first = earlier(self.first, other.first);
        self.last = self.last.max(other.last);
    }
}

/// One of two texts, the same one whatever the order.
fn smaller(a: String, b: &str) -> String {
    if a.is_empty() || (!b.is_empty() && (hash64(b.as_bytes()), b) < (hash64(a.as_bytes()), a.as_str())) {
        b.to_owned()
    } else {
        a
    }
}

impl FeatureStat {
    fn merge(&mut self, other: &Self) {
        self.contexts |= other.contexts;
        self.episodes += other.episodes;
        self.suspicious += other.suspicious;
        self.hosts.merge(&other.hosts);
        self.suspicious_hosts.merge(&other.suspicious_hosts);
        self.tenants.merge(&other.tenants);
        self.first = earlier(self.first, other.first);
        self.last = self.last.max(other.last);
    }

    pub fn kind(&self) -> IndicatorKind {
        IndicatorKind::from_code(self.kind).unwrap_or(IndicatorKind::FilePath)
    }

    pub fn contexts(&self) -> impl Iterator<Item = Context> + '_ {
        Context::ALL.iter().copied().filter(|it| self.contexts & (1 << *it as u8) != 0)
    }

    /// The furthest reach of any context it stood in.
    pub fn reach(&self) -> Option<Reach> {
        self.contexts().filter_map(|context| reach(self.kind(), &self.value, context)).min()
    }
}

impl Counts {
    /// Adds one episode.
    fn add(&mut self, facts: &BackgroundFacts) {
        self.episodes += 1;
        self.processes += facts.n_processes;
        self.inferred += facts.n_inferred;
        self.indicators += facts.n_features;
        self.indicator_edges += facts.n_indicator_edges;
    }

    fn plus(&self, other: &Self) -> Self {
        Self {
            events: self.events + other.events,
            duplicates: self.duplicates + other.duplicates,
            hosts: self.hosts + other.hosts,
            processes: self.processes + other.processes,
            inferred: self.inferred + other.inferred,
            parent_edges: self.parent_edges + other.parent_edges,
            indicators: self.indicators + other.indicators,
            indicator_edges: self.indicator_edges + other.indicator_edges,
            episodes: self.episodes + other.episodes,
            background_episodes: self.background_episodes + other.background_episodes,
        }
    }
}
