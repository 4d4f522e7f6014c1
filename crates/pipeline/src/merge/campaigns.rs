//! sketch → campaigns: the groups that one signature joins, as one merged graph each.
//!
//! Variant features join. Likeness and infrastructure only attach a group to one campaign, never fuse two; ties
//! abstain. A view: pure, in the order of keys, recomputed at will.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::IndicatorKind;
use ringleader_model::hash::{hash64, hash128};

use super::distinct::Distinct;
use super::sketch::{Group, Key, NodeStat, Reach, Sketch};
use super::stop::StopList;

/// A group is attached by likeness where this much of the templates of both is shared (thousandths).
const LIKENESS: u64 = 600;
/// A campaign is hostile where at least this share of its hosts shows something suspicious (thousandths).
const HOSTILE: u64 = 500;
/// Groups of one value that are compared to see whether they share anything else.
const COMPARED: usize = 16;

/// One bot variant: the groups that one signature joins.
#[derive(Debug, Clone, Default)]
pub struct Campaign {
    pub id: u128,
    pub groups: Vec<Key>,
    /// Keys of the features that joined the groups, and those only one group has; ascending.
    pub signature: Vec<Key>,
    /// Everything its groups carry, stopped values excepted.
    pub features: Vec<Key>,
    pub stopped: Vec<(Key, &'static str)>,
    pub hostile: bool,
    pub episodes: u64,
    pub suspicious: u64,
    pub honeypot: u64,
    pub hosts: Distinct<1024>,
    pub suspicious_hosts: Distinct<1024>,
    pub tenants: Distinct<64>,
    pub nodes: BTreeMap<Key, NodeStat>,
    /// Those that ran elsewhere far more often without any suspicion: they say nothing of who it is.
    pub ordinary: BTreeSet<Key>,
    /// Paths that do not start at the entry, and the node that each really is.
    pub aligned: BTreeMap<Key, Key>,
    pub methods: BTreeMap<u16, (u64, u64)>,
    pub first: Option<i64>,
    pub last: Option<i64>,
    pub examples: Vec<u128>,
    pub other_nodes: u64,
}

#[derive(Debug, Clone, Default)]
pub struct Campaigns {
    /// In order of id.
    pub list: Vec<Campaign>,
    pub of_group: BTreeMap<Key, usize>,
    /// Values that join nothing, with the reason.
    pub stopped: BTreeMap<Key, &'static str>,
}

/// Cost: O(features of groups) to join; attaching compares a group only with campaigns that share a template.
pub fn campaigns(sketch: &Sketch, list: &StopList) -> Campaigns {
    let stopped = stopped(sketch, list);
    let keys: Vec<Key> = sketch.groups.keys().copied().collect();
    let at: BTreeMap<Key, usize> = keys.iter().copied().zip(0..).collect();
    let mut join = UnionFind::new(keys.len());
    let strong = |key: &Key, least: Reach| {
        !stopped.contains_key(key)
            && sketch.features.get(key).and_then(super::sketch::FeatureStat::reach) == Some(least)
    };
    // 1. Variant features join.
    let mut first_with: BTreeMap<Key, usize> = BTreeMap::new();
    let mut joined = vec![false; keys.len()];
    for (index, group) in sketch.groups.values().enumerate() {
        for feature in group.features.iter().filter(|it| strong(it, Reach::Variant)) {
            joined[index] = true;
            join.union(*first_with.entry(*feature).or_insert(index), index);
        }
    }
    // 2. Groups without one attach by infrastructure, else by likeness, to one campaign; else they found their own.
    let bare: Vec<usize> = (0..keys.len()).filter(|it| !joined[*it]).collect();
    attach_by_infrastructure(sketch, &keys, &bare, &mut joined, &mut join, &|it| strong(it, Reach::Infrastructure));
    let rest: Vec<usize> = bare.into_iter().filter(|it| !joined[*it]).collect();
    let rest = join_by_rare_literals(sketch, &keys, rest, &stopped, &mut joined, &mut join);
    attach_by_likeness(sketch, &keys, &rest, &joined, &mut join);

    let mut by_root: BTreeMap<usize, Vec<Key>> = BTreeMap::new();
    for key in &keys {
        by_root.entry(join.find(at[key])).or_default().push(*key);
    }
    let mut list: Vec<Campaign> = by_root.into_values().map(|groups| campaign(sketch, groups, &stopped)).collect();
    super::routine::mark_ordinary(&mut list, &sketch.background);
    super::routine::settle(&mut list, sketch.counts.hosts);
    list.sort_by_key(|it| it.id);
    let of_group = list.iter().zip(0..).flat_map(|(it, at)| it.groups.iter().map(move |key| (*key, at))).collect();
    Campaigns { list, of_group, stopped }
}

fn stopped(sketch: &Sketch, list: &StopList) -> BTreeMap<Key, &'static str> {
    let mut stopped: BTreeMap<Key, &'static str> =
        sketch.features.iter().filter_map(|(key, feature)| Some((*key, list.why(feature)?))).collect();
    // A site of pastes is told by its paths, whatever it is called: many parties use it, one paste is one party's.
    let mut pastes: BTreeSet<String> = BTreeSet::new();
    for feature in sketch.features.values().filter(|it| it.kind() == IndicatorKind::Url) {
        let path = feature.value.split("://").nth(1).and_then(|it| it.split_once('/')).map_or("", |it| it.1);
        if ["raw/", "paste/", "p/raw/", "view/raw/"].iter().any(|it| path.starts_with(it)) {
            pastes.extend(super::stop::host_of(IndicatorKind::Url, &feature.value));
        }
    }
    for (key, feature) in &sketch.features {
        if matches!(feature.kind(), IndicatorKind::Domain | IndicatorKind::Ip | IndicatorKind::IpPort)
            && super::stop::host_of(feature.kind(), &feature.value).is_some_and(|it| pastes.contains(&it))
        {
            stopped.entry(*key).or_insert("a paste site, by its paths");
        }
    }
    // Without it, its groups share nothing: a value that many unrelated graphs happen to touch.
    let mut groups_of: BTreeMap<Key, Vec<&Group>> = BTreeMap::new();
    for group in sketch.groups.values() {
        for feature in group.features.iter().filter(|it| !stopped.contains_key(it)) {
            groups_of.entry(*feature).or_default().push(group);
        }
    }
    for (feature, groups) in groups_of {
        if groups.len() >= 4 && share_nothing_else(feature, &groups) {
            stopped.insert(feature, "without it, its groups share nothing");
        }
    }
    stopped
}

fn share_nothing_else(feature: Key, groups: &[&Group]) -> bool {
    let sets: Vec<(BTreeSet<Key>, BTreeSet<u64>)> = groups
        .iter()
        .take(COMPARED)
        .map(|it| (it.features.iter().copied().filter(|key| *key != feature).collect(), templates(it)))
        .collect();
    (0..sets.len())
        .all(|a| (a + 1..sets.len()).all(|b| sets[a].0.is_disjoint(&sets[b].0) && sets[a].1.is_disjoint(&sets[b].1)))
}

/// Hashes of the templates that say something: a bare `bash` or `ls` is in every graph.
fn templates(group: &Group) -> BTreeSet<u64> {
    group
        .nodes
        .values()
        .filter(|it| super::sketch::is_told(&it.template) && says_something(&it.template))
        .map(|it| hash64(it.template.as_bytes()))
        .collect()
}

/// A bare `bash` or `ls` is in every graph; a program that no system keeps there is not.
pub(crate) fn says_something(template: &str) -> bool {
    template.contains(' ') && !template.starts_with('<')
        || (template.contains(['/', '\\']) && !crate::connect::boundary::is_system_path(template))
}

fn attach_by_infrastructure(
    sketch: &Sketch,
    keys: &[Key],
    bare: &[usize],
    joined: &mut [bool],
    join: &mut UnionFind,
    strong: &dyn Fn(&Key) -> bool,
) {
    let mut campaigns_with: BTreeMap<Key, BTreeSet<usize>> = BTreeMap::new();
    for (index, key) in keys.iter().enumerate().filter(|(index, _)| joined[*index]) {
        let root = join.find(index);
        for feature in sketch.groups[key].features.iter().filter(|it| strong(it)) {
            campaigns_with.entry(*feature).or_default().insert(root);
        }
    }
    // Decided for all before any is attached: the order must not matter.
    let mut decided: Vec<(usize, usize)> = Vec::new();
    let mut first_with: BTreeMap<Key, usize> = BTreeMap::new();
    let mut among_themselves: Vec<(usize, usize)> = Vec::new();
    for index in bare {
        let own: Vec<Key> = sketch.groups[&keys[*index]].features.iter().filter(|it| strong(it)).copied().collect();
        let mut shared: BTreeMap<usize, u64> = BTreeMap::new();
        for root in own.iter().filter_map(|it| campaigns_with.get(it)).flatten() {
            *shared.entry(*root).or_default() += 1;
        }
        match unique_best(&shared) {
            Some((root, _)) => decided.push((*index, root)),
            // No variant of the same infrastructure is known: such groups are a campaign by that infrastructure.
            None if shared.is_empty() => {
                for feature in &own {
                    among_themselves.push((*first_with.entry(*feature).or_insert(*index), *index));
                }
                joined[*index] |= !own.is_empty();
            }
            None => joined[*index] = true,
        }
    }
    for (index, root) in decided {
        joined[index] = true;
        join.union(root, index);
    }
    for (a, b) in among_themselves {
        join.union(a, b);
    }
}

/// Where a graph shows no infrastructure at all, a file that it runs from a place that only its makers would choose
/// joins it to others that run the same.
fn join_by_rare_literals(
    sketch: &Sketch,
    keys: &[Key],
    rest: Vec<usize>,
    stopped: &BTreeMap<Key, &'static str>,
    joined: &mut [bool],
    join: &mut UnionFind,
) -> Vec<usize> {
    let mut first_with: BTreeMap<Key, usize> = BTreeMap::new();
    let mut left = Vec::new();
    for index in rest {
        let habits = &sketch.groups[&keys[index]].habits;
        let rare = habits
            .iter()
            .filter(|it| !stopped.contains_key(it))
            .filter(|it| sketch.features.get(it).is_some_and(is_rare_literal));
        let mut any = false;
        for feature in rare {
            any = true;
            join.union(*first_with.entry(*feature).or_insert(index), index);
        }
        joined[index] |= any;
        if !any {
            left.push(index);
        }
    }
    left
}

/// `C:\Windows\SpeechsTracing\Microsoft\spoolsv.exe`, not `/tmp/a`: executed, deep enough, in no folder where anything
/// may lie, and not drawn at random.
pub(crate) fn is_rare_literal(feature: &super::sketch::FeatureStat) -> bool {
    const ANYTHING: &[&str] = &[
        "/tmp/",
        "/var/tmp/",
        "/dev/shm/",
        "/home/",
        "/root/",
        "/data/",
        "/mnt/",
        "\\temp\\",
        "\\users\\",
        "\\appdata\\",
    ];
    let path = feature.value.as_str();
    let lower = path.to_ascii_lowercase();
    feature.kind() == IndicatorKind::FilePath
        && feature.contexts().any(|it| it == ringleader_model::Context::Executed)
        && path.split(['/', '\\']).filter(|it| !it.is_empty()).count() >= 4
        && !ANYTHING.iter().any(|it| lower.starts_with(it) || (it.starts_with('\\') && lower.contains(it)))
        && !crate::extract::template::template(path).contains('<')
}

/// Groups that nothing strong joins attach to the one campaign they are most like; what is like none founds a
/// campaign by structure, which later ones may attach to. The fullest graphs come first: the others are what a
/// lossy sensor left of them.
fn attach_by_likeness(sketch: &Sketch, keys: &[Key], rest: &[usize], joined: &[bool], join: &mut UnionFind) {
    let mut sets: BTreeMap<usize, BTreeSet<u64>> = BTreeMap::new();
    for index in (0..keys.len()).filter(|it| joined[*it]) {
        sets.entry(join.find(index)).or_default().extend(templates(&sketch.groups[&keys[index]]));
    }
    let mut with: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (root, set) in &sets {
        for template in set {
            with.entry(*template).or_default().push(*root);
        }
    }
    let mut order: Vec<(std::cmp::Reverse<usize>, Key, usize, BTreeSet<u64>)> = rest
        .iter()
        .map(|index| {
            let set = templates(&sketch.groups[&keys[*index]]);
            (std::cmp::Reverse(set.len()), keys[*index], *index, set)
        })
        .collect();
    order.sort_unstable();
    for (_, _, index, own) in order {
        let mut shared: BTreeMap<usize, u64> = BTreeMap::new();
        for root in own.iter().filter_map(|it| with.get(it)).flatten() {
            *shared.entry(*root).or_default() += 1;
        }
        let alike: BTreeMap<usize, u64> = shared
            .into_iter()
            .map(|(root, n)| {
                let union = own.len() as u64 + sets[&root].len() as u64 - n;
                // A part of a larger graph is alike where nearly all of it is in there and it is no mere scrap.
                let contained = if n >= 3 { n * 1000 / own.len() as u64 * 3 / 4 } else { 0 };
                (root, (n * 1000 / union.max(1)).max(contained))
            })
            .filter(|(_, likeness)| *likeness >= LIKENESS)
            .collect();
        if let Some((root, _)) = unique_best(&alike) {
            join.union_under(root, index);
        } else if alike.is_empty() {
            for template in &own {
                with.entry(*template).or_default().push(index);
            }
            sets.insert(index, own);
        }
    }
}

/// The best candidate; `None` on a tie.
fn unique_best(scores: &BTreeMap<usize, u64>) -> Option<(usize, u64)> {
    let best = scores.values().copied().max()?;
    let mut with_best = scores.iter().filter(|(_, score)| **score == best);
    let (root, _) = with_best.next()?;
    with_best.next().is_none().then_some((*root, best))
}

fn campaign(sketch: &Sketch, groups: Vec<Key>, stopped: &BTreeMap<Key, &'static str>) -> Campaign {
    let mut it = Campaign::default();
    let mut features: BTreeSet<Key> = BTreeSet::new();
    for key in &groups {
        let group = &sketch.groups[key];
        features.extend(group.features.iter().chain(&group.habits));
        it.episodes += group.episodes;
        it.suspicious += group.suspicious;
        it.honeypot += group.honeypot;
        it.hosts.merge(&group.hosts);
        it.suspicious_hosts.merge(&group.suspicious_hosts);
        it.tenants.merge(&group.tenants);
        it.other_nodes += group.other_nodes;
        it.first = super::sketch::earlier(it.first, group.first);
        it.last = it.last.max(group.last);
        for (method, (n, sum)) in &group.methods {
            let slot = it.methods.entry(*method).or_default();
            *slot = (slot.0 + n, slot.1 + sum);
        }
        for (path, node) in &group.nodes {
            it.nodes.entry(*path).or_default().merge(node);
        }
        it.examples.extend(&group.examples);
    }
    it.examples.sort_unstable();
    it.examples.truncate(3);
    it.stopped = features.iter().filter_map(|key| Some((*key, *stopped.get(key)?))).collect();
    it.features = features.iter().copied().filter(|key| !stopped.contains_key(key)).collect();
    for least in [Reach::Variant, Reach::Infrastructure] {
        if it.signature.is_empty() {
            it.signature = it
                .features
                .iter()
                .copied()
                .filter(|key| sketch.features.get(key).and_then(|it| it.reach()) == Some(least))
                .collect();
        }
    }
    it.hostile = it.suspicious_hosts.count() * 1000 >= it.hosts.count() * HOSTILE;
    it.id = id(sketch, &it, &groups);
    it.groups = groups;
    align(&mut it);
    it
}

/// From the signature's earliest feature, so that new data does not rename a campaign; by structure, from the
/// smallest group.
fn id(sketch: &Sketch, campaign: &Campaign, groups: &[Key]) -> u128 {
    let earliest = campaign
        .signature
        .iter()
        .filter_map(|key| Some((sketch.features.get(key)?.first.unwrap_or(i64::MAX), *key)))
        .min()
        .map_or_else(|| groups.iter().copied().min().unwrap_or(0), |(_, key)| key);
    hash128(&earliest.to_le_bytes(), 0x300)
}

/// Finds, for each path whose upper part was lost, the node that it really is: the only whole path with the same
/// template (and under a parent of the same name, where the fragment knows it).
fn align(campaign: &mut Campaign) {
    let mut whole: BTreeMap<&str, Vec<Key>> = BTreeMap::new();
    for (path, node) in campaign.nodes.iter().filter(|(_, node)| !node.fragment) {
        whole.entry(node.template.as_str()).or_default().push(*path);
    }
    let mut aligned = BTreeMap::new();
    for (path, node) in campaign.nodes.iter().filter(|(_, node)| node.fragment && node.observed > 0) {
        let parent_name = node.parent.and_then(|it| campaign.nodes.get(&it)).map(|it| first_word(&it.template));
        let mut candidates = whole.get(node.template.as_str()).cloned().unwrap_or_default();
        if candidates.len() > 1
            && let Some(name) = parent_name
        {
            candidates.retain(|it| {
                let above = campaign.nodes.get(it).and_then(|it| it.parent).and_then(|it| campaign.nodes.get(&it));
                above.is_some_and(|it| first_word(&it.template) == name)
            });
        }
        if let [only] = candidates[..] {
            aligned.insert(*path, only);
            // The lost parent is then the whole path's parent.
            if let (Some(lost), Some(above)) = (node.parent, campaign.nodes.get(&only).and_then(|it| it.parent))
                && campaign.nodes.get(&lost).is_some_and(|it| it.fragment && it.observed == 0)
            {
                aligned.entry(lost).or_insert(above);
            }
        }
    }
    campaign.aligned = aligned;
}

/// The program that a command line names, as it names it.
pub(super) fn first_path(template: &str) -> &str {
    template.split(' ').next().unwrap_or(template)
}

pub(crate) fn first_word(template: &str) -> &str {
    crate::connect::link::base_name(first_path(template))
}

impl Campaign {
    /// The node that a path of an episode stands for.
    pub fn resolve(&self, path: Key) -> Key {
        self.aligned.get(&path).copied().unwrap_or(path)
    }

    /// The merged graph: fragments folded into the nodes that they really are. Parents before children.
    pub fn graph(&self) -> Vec<(Key, NodeStat)> {
        let mut folded: BTreeMap<Key, NodeStat> = BTreeMap::new();
        for (path, node) in &self.nodes {
            let to = self.resolve(*path);
            let mut node = node.clone();
            if to != *path
                && let Some(whole) = self.nodes.get(&to)
            {
                (node.parent, node.template, node.fragment) = (whole.parent, whole.template.clone(), false);
            } else {
                node.parent = node.parent.map(|it| self.resolve(it));
            }
            folded.entry(to).or_default().merge(&node);
        }
        let mut done: BTreeSet<Key> = BTreeSet::new();
        let mut ordered = Vec::with_capacity(folded.len());
        for start in folded.keys() {
            let mut chain = Vec::new();
            let mut at = Some(*start);
            while let Some(key) =
                at.filter(|key| folded.contains_key(key) && !done.contains(key) && !chain.contains(key))
            {
                chain.push(key);
                at = folded[&key].parent;
            }
            for key in chain.into_iter().rev() {
                done.insert(key);
                ordered.push((key, folded[&key].clone()));
            }
        }
        ordered
    }
}

struct UnionFind {
    parent: Vec<usize>,
}

impl UnionFind {
    fn new(n: usize) -> Self {
        Self { parent: (0..n).collect() }
    }
    fn find(&mut self, at: usize) -> usize {
        let mut root = at;
        while self.parent[root] != root {
            root = self.parent[root];
        }
        let mut at = at;
        while self.parent[at] != root {
            at = std::mem::replace(&mut self.parent[at], root);
        }
        root
    }
    /// The smaller root stays: the answer does not depend on the order of unions.
    fn union(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        self.parent[a.max(b)] = a.min(b);
    }
    /// Keeps `root` as the root.
    fn union_under(&mut self, root: usize, member: usize) {
        let (root, member) = (self.find(root), self.find(member));
        self.parent[member] = root;
    }
}
