//! campaigns → gangs: the campaigns that one group runs.
//!
//! Exclusive infrastructure, keys and wallets join; habits and likeness only support; rivals count against. Every
//! membership is explained by its links, and near misses are kept.

mod attach;
mod family;
pub mod known;
mod renewal;

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::IndicatorKind;
use ringleader_model::hash::hash128;

use crate::merge::campaigns::{Campaign, Campaigns, is_rare_literal};
use crate::merge::distinct::Distinct;
use crate::merge::sketch::{FeatureStat, Key, Reach, Sketch, Together};
use crate::merge::stop::names_private;

/// Two campaigns are one gang's from this weight on.
pub const THRESHOLD: i64 = 600;
/// All habits together stay below the threshold: they never join alone.
const HABITS_AT_MOST: i64 = 350;
const NEAR_MISS: i64 = 300;
/// One habit.
const HABIT: i64 = 120;
/// One campaign ran what the other had put on the same host.
const HANDED: i64 = 650;
/// The same on hardly any of their hosts, of a file that both have on others: two gangs on one host.
const HANDED_ONCE: i64 = 400;
/// Hosts of the smaller one, of a hundred, on which it did.
const HANDED_HOSTS: u64 = 50;
/// One service started episodes of both within seconds, on several hosts; on a single one, it may be a coincidence.
const TOGETHER: i64 = 650;
const TOGETHER_ONCE: i64 = 400;
/// Hosts to which both came at one time, and their share of a hundred of the smaller one's.
const ARRIVED: u64 = 3;
const ARRIVED_SHARE: u64 = 60;
/// A file that both run from one and the same odd place.
const RARE: i64 = 330;
/// A value that this many campaigns share says less of each pair; beyond it, pairs are not even compared.
const COMPARED: usize = 64;

#[derive(Debug, Clone, Default)]
pub struct Gang {
    pub id: u128,
    /// Indices into `Campaigns::list`, ascending.
    pub campaigns: Vec<usize>,
    pub links: Vec<Link>,
    pub near_misses: Vec<Link>,
    /// Former gangs that this one continues or joins.
    pub supersedes: Vec<u128>,
    /// Gangs that share a kit.
    pub family: Option<u128>,
}

/// Why two campaigns are (or nearly are) of one gang.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub from: usize,
    pub to: usize,
    pub weight: i64,
    /// The shared features with what each contributed, heaviest first.
    pub because: Vec<(Key, i64)>,
    pub together: Option<Burst>,
    /// Where nothing but likeness attached `from`: its nodes that `to`'s gang has as well.
    pub alike: Vec<Key>,
}

/// Both began at once, on so many hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Burst {
    pub hosts: u64,
    /// One service started both; else both came to the host at one time.
    pub one_service: bool,
    /// An entry of each.
    pub entries: [(usize, Key); 2],
}

impl Burst {
    fn weight(&self) -> i64 {
        if self.hosts > 1 { TOGETHER } else { TOGETHER_ONCE }
    }
}

/// What an earlier run called its gangs: id → keys of signature features. An explicit input.
pub type Registry = BTreeMap<u128, BTreeSet<Key>>;

/// Cost: O(shared values × campaigns that share them).
pub fn partition(sketch: &Sketch, campaigns: &Campaigns, registry: &Registry) -> Vec<Gang> {
    let hostile: Vec<usize> = (0..campaigns.list.len()).filter(|it| campaigns.list[*it].hostile).collect();
    let links = links(sketch, campaigns, &hostile);
    let mut root: BTreeMap<usize, usize> = hostile.iter().map(|it| (*it, *it)).collect();
    // Heaviest first; a link that rivalry weighed down below the threshold joins nothing.
    let mut strong: Vec<&Link> = links.iter().filter(|it| it.weight >= THRESHOLD).collect();
    strong.sort_by_key(|it| (-it.weight, it.from, it.to));
    for link in &strong {
        let (a, b) = (find(&mut root, link.from), find(&mut root, link.to));
        root.insert(a.max(b), a.min(b));
    }
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for campaign in &hostile {
        members.entry(find(&mut root, *campaign)).or_default().push(*campaign);
    }
    let mut attached = renewal::renew(sketch, campaigns, &mut members, false);
    attached.extend(attach::attach(sketch, campaigns, &mut members));
    attached.extend(renewal::renew(sketch, campaigns, &mut members, true));
    let mut gangs: Vec<Gang> = members
        .into_values()
        .map(|campaigns_of| {
            let of = |it: &&Link| campaigns_of.contains(&it.from) || campaigns_of.contains(&it.to);
            Gang {
                id: derive_id(sketch, campaigns, &campaigns_of),
                links: strong.iter().copied().chain(&attached).filter(of).cloned().collect(),
                near_misses: links
                    .iter()
                    .filter(|it| it.weight < THRESHOLD && it.weight >= NEAR_MISS)
                    .filter(|it| campaigns_of.contains(&it.from) != campaigns_of.contains(&it.to))
                    .cloned()
                    .collect(),
                campaigns: campaigns_of,
                supersedes: Vec::new(),
                family: None,
            }
        })
        .collect();
    inherit(sketch, campaigns, registry, &mut gangs);
    gangs.sort_by_key(|it| it.id);
    family::name(campaigns, &mut gangs);
    gangs
}

fn find(root: &mut BTreeMap<usize, usize>, at: usize) -> usize {
    let mut at = at;
    while root[&at] != at {
        let up = root[&root[&at]];
        root.insert(at, up);
        at = up;
    }
    at
}

/// Every pair of hostile campaigns that shares something, with its weight.
fn links(sketch: &Sketch, campaigns: &Campaigns, hostile: &[usize]) -> Vec<Link> {
    let mut with: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
    for at in hostile {
        for feature in &campaigns.list[*at].features {
            with.entry(*feature).or_default().push(*at);
        }
    }
    let mut pairs: BTreeMap<(usize, usize), Vec<(Key, i64)>> = BTreeMap::new();
    for (feature, sharers) in with.iter().filter(|(_, it)| it.len() > 1) {
        let Some(weight) = sketch.features.get(feature).and_then(weight) else { continue };
        for (n, a) in sharers.iter().take(COMPARED).enumerate() {
            // A chain is enough to join them all; all pairs would only repeat it.
            for b in sharers.iter().skip(n + 1).take(if sharers.len() > 8 { 1 } else { 8 }) {
                pairs.entry((*a, *b)).or_default().push((*feature, weight));
            }
        }
    }
    let hostile: BTreeSet<usize> = hostile.iter().copied().collect();
    let mut hand_overs: BTreeMap<(usize, usize), Vec<(Key, &Distinct<16>)>> = BTreeMap::new();
    for ((a, b), handed) in &sketch.handed {
        let of = |key: &Key| campaigns.of_group.get(key).copied().filter(|it| hostile.contains(it));
        if let (Some(a), Some(b)) = (of(a), of(b))
            && a != b
        {
            let key = crate::merge::sketch::feature_key(IndicatorKind::FilePath, &handed.path);
            hand_overs.entry((a.min(b), a.max(b))).or_default().push((key, &handed.hosts));
        }
    }
    for ((a, b), handed) in hand_overs {
        let weight = handed_weight(sketch, [&campaigns.list[a], &campaigns.list[b]], &handed);
        // However many files: it is one hand-over.
        pairs.entry((a, b)).or_default().push((handed[0].0, weight));
    }
    let together = together(sketch, campaigns, &hostile);
    for pair in together.keys() {
        pairs.entry(*pair).or_default();
    }
    pairs
        .into_iter()
        .map(|((from, to), mut because)| {
            let together = together.get(&(from, to)).copied();
            let burst = together.map_or(0, |it| it.weight());
            because.sort_by_key(|(key, weight)| (-weight, *key));
            let is_habit = |it: &&(Key, i64)| {
                let reach = sketch.features.get(&it.0).and_then(FeatureStat::reach);
                it.1 != HANDED && it.1 != HANDED_ONCE && it.1 != RARE && reach == Some(Reach::Habit)
            };
            let habits: i64 = because.iter().filter(is_habit).map(|it| it.1).sum();
            let hard: i64 = because.iter().filter(|it| !is_habit(it)).map(|it| it.1).sum();
            let likeness = likeness(&campaigns.list[from], &campaigns.list[to]);
            let weight = hard + burst + (habits + likeness).min(HABITS_AT_MOST);
            Link { from, to, weight, because, together, alike: Vec::new() }
        })
        .collect()
}

/// What a hand-over weighs: on one of many hosts, two that use one name may have met.
fn handed_weight(sketch: &Sketch, of: [&Campaign; 2], handed: &[(Key, &Distinct<16>)]) -> i64 {
    let mut hosts: Distinct<16> = Distinct::default();
    handed.iter().for_each(|it| hosts.merge(it.1));
    let smaller = of[0].hosts.count().min(of[1].hosts.count());
    let often = hosts.count() > 1 && hosts.count() * 100 >= smaller.min(16) * HANDED_HOSTS;
    // Nothing else is called so: it is this very file.
    let own =
        |it: &&(Key, &Distinct<16>)| sketch.features.get(&it.0).is_none_or(|known| known.hosts.count() <= it.1.count());
    if often || handed.iter().any(|it| own(&it)) { HANDED } else { HANDED_ONCE }
}

/// Where two campaigns began at once, and an entry of each.
type Begun = (Together, [(usize, Key); 2]);

/// Pairs of campaigns that began at once: one service started both, or both came together to most hosts of the smaller.
fn together(sketch: &Sketch, campaigns: &Campaigns, hostile: &BTreeSet<usize>) -> BTreeMap<(usize, usize), Burst> {
    let mut pairs: BTreeMap<(usize, usize), Begun> = BTreeMap::new();
    let of = |key: &Key| campaigns.of_group.get(key).copied().filter(|it| hostile.contains(it));
    for ((a, b), together) in &sketch.together {
        let (Some(a), Some(b), Some(entries)) = (of(a), of(b), together.entries) else { continue };
        if a != b {
            let entries = [(a, entries.0), (b, entries.1)];
            let pair = pairs.entry((a.min(b), a.max(b))).or_insert_with(|| (Together::default(), entries));
            pair.0.hosts.merge(&together.hosts);
            pair.0.arrived.merge(&together.arrived);
        }
    }
    let burst = |((a, b), (together, entries)): ((usize, usize), Begun)| {
        let arrived = together.arrived.count();
        let smaller = campaigns.list[a].hosts.count().min(campaigns.list[b].hosts.count()).min(16);
        if arrived >= ARRIVED && arrived * 100 >= smaller * ARRIVED_SHARE {
            return Some(((a, b), Burst { hosts: arrived, one_service: false, entries }));
        }
        let hosts = together.hosts.count();
        (hosts > 0).then_some(((a, b), Burst { hosts, one_service: true, entries }))
    };
    pairs.into_iter().filter_map(burst).collect()
}

/// What a shared value weighs. A key or a wallet is its owner's alone; an address is re-rented; a name is chosen.
fn weight(feature: &FeatureStat) -> Option<i64> {
    feature.reach()?;
    Some(match feature.kind() {
        // A host of ours that both went on to attack makes no two worms one gang.
        IndicatorKind::Ip | IndicatorKind::IpPort if names_private(feature.kind(), &feature.value) => HABIT,
        IndicatorKind::Wallet | IndicatorKind::SshKey => 1000,
        IndicatorKind::Hash | IndicatorKind::Paste | IndicatorKind::Url => 800,
        IndicatorKind::IpPort | IndicatorKind::Domain => 650,
        // One address may be rented out again, or be a host that both took: something else must agree.
        IndicatorKind::Ip => 550,
        IndicatorKind::Email => 500,
        IndicatorKind::Pool => 200,
        IndicatorKind::Image => 300,
        // Two files in places that only their makers would choose are no accident.
        IndicatorKind::FilePath if is_rare_literal(feature) => RARE,
        IndicatorKind::UserAgent | IndicatorKind::Cron | IndicatorKind::Account | IndicatorKind::FilePath => HABIT,
    })
}

/// How much of their templates two campaigns share, up to 200.
fn likeness(a: &Campaign, b: &Campaign) -> i64 {
    let set = |it: &Campaign| -> BTreeSet<String> { attach::templates(it).map(|it| it.1.to_owned()).collect() };
    let (a, b) = (set(a), set(b));
    let shared = a.intersection(&b).count();
    let all = a.len() + b.len() - shared;
    (shared * 200).checked_div(all).unwrap_or(0) as i64
}

/// From the earliest feature of any of its campaigns: new data after it does not rename the gang.
fn derive_id(sketch: &Sketch, campaigns: &Campaigns, members: &[usize]) -> u128 {
    let earliest = members
        .iter()
        .flat_map(|it| &campaigns.list[*it].signature)
        .filter_map(|key| Some((sketch.features.get(key)?.first.unwrap_or(i64::MAX), *key)))
        .min();
    let seed = earliest.map_or_else(|| members.iter().map(|it| campaigns.list[*it].id).min().unwrap_or(0), |it| it.1);
    hash128(&seed.to_le_bytes(), 0x400)
}

/// What a gang of now and a known one have in common.
#[derive(Debug, Clone, Copy, Default)]
struct Claim {
    hard: i64,
    habits: i64,
}

impl Claim {
    fn weight(self) -> i64 {
        self.hard + self.habits.min(HABITS_AT_MOST)
    }
}

/// A gang keeps the id of the known one that it is linked to as two campaigns of one gang are; others that are linked to it
/// as strongly are superseded. Where nothing is linked so, one that is nearly so, and no other's, lends its id: habits that
/// join nothing may still say who goes on. A known id
/// is never given to two, nor to a gang that has nothing in common with it.
fn inherit(sketch: &Sketch, campaigns: &Campaigns, registry: &Registry, gangs: &mut [Gang]) {
    let mut known_with: BTreeMap<Key, Vec<u128>> = BTreeMap::new();
    for (id, features) in registry {
        for feature in features {
            known_with.entry(*feature).or_default().push(*id);
        }
    }
    let mut claims: Vec<(i64, u128, usize)> = Vec::new();
    let mut weak: Vec<(i64, u128, usize)> = Vec::new();
    // Known by their shape alone: from the same shape comes the same id.
    let mut bare: BTreeSet<usize> = BTreeSet::new();
    for (at, gang) in gangs.iter().enumerate() {
        let own: BTreeSet<Key> = gang.campaigns.iter().flat_map(|it| &campaigns.list[*it].features).copied().collect();
        let mut shared: BTreeMap<u128, Claim> = BTreeMap::new();
        if own.is_empty() {
            bare.insert(at);
        }
        for key in &own {
            let Some(feature) = sketch.features.get(key) else { continue };
            let Some(weight) = weight(feature) else { continue };
            let is_habit = feature.reach() == Some(Reach::Habit) && weight != RARE;
            let Some(ids) = known_with.get(key) else { continue };
            // What several known gangs have tells them apart the less.
            let each = weight / ids.len() as i64;
            for id in ids {
                let claim = shared.entry(*id).or_default();
                *if is_habit { &mut claim.habits } else { &mut claim.hard } += each;
            }
        }
        for (id, claim) in shared {
            let weight = claim.weight();
            if weight >= THRESHOLD {
                claims.push((weight, id, at));
            } else if weight >= NEAR_MISS || id == gang.id {
                weak.push((weight, id, at));
            }
        }
    }
    let order = |a: &(i64, u128, usize), b: &(i64, u128, usize)| b.0.cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2));
    claims.sort_by(order);
    weak.sort_by(order);
    let mut taken: BTreeSet<u128> = BTreeSet::new();
    let mut named: BTreeSet<usize> = BTreeSet::new();
    for (_, id, at) in claims {
        if !taken.insert(id) {
            continue;
        }
        if named.insert(at) {
            gangs[at].id = id;
        } else {
            gangs[at].supersedes.push(id);
        }
    }
    for (_, id, at) in weak {
        if !taken.contains(&id) && named.insert(at) {
            taken.insert(id);
            gangs[at].id = id;
        }
    }
    // What fell apart has its first feature in common, and with it the id that both would derive.
    for (at, gang) in gangs.iter_mut().enumerate() {
        if !named.contains(&at) {
            let first = gang.campaigns.iter().map(|it| campaigns.list[*it].id).min().unwrap_or(0);
            let is_known = |id: u128| registry.contains_key(&id) && !bare.contains(&at);
            while is_known(gang.id) || !taken.insert(gang.id) {
                gang.id = hash128(&gang.id.to_le_bytes(), 0x401 ^ first as u64);
            }
        }
        gang.supersedes.sort_unstable();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringleader_model::hash::hash64;

    /// Two campaigns on ten hosts each that came to so many of them at one time.
    fn gangs(arrived: u64) -> usize {
        let mut sketch = Sketch::default();
        for host in 0..arrived {
            sketch.arrive_together((1, 11), (2, 12), hash64(&host.to_le_bytes()));
        }
        let campaign = |id: u128| {
            let mut it = Campaign { id, hostile: true, groups: vec![id], ..Campaign::default() };
            (0..10u64).for_each(|host| it.hosts.insert(hash64(&host.to_le_bytes())));
            it
        };
        let campaigns = Campaigns {
            list: vec![campaign(1), campaign(2)],
            of_group: BTreeMap::from([(1, 0), (2, 1)]),
            ..Campaigns::default()
        };
        partition(&sketch, &campaigns, &Registry::default()).len()
    }

    #[test]
    fn what_comes_to_most_hosts_at_one_time_is_one_intrusion() {
        assert_eq!(gangs(8), 1);
        assert_eq!(gangs(3), 2, "on a few of many hosts two may meet");
    }
}
