//! small gangs → the larger one that each is a part of. Gangs never fuse by it.
//!
//! What a lossy sensor left of an intrusion may show no infrastructure at all: it attaches to the one gang whose graphs it
//! is a part of. Some intrusions have an infrastructure of their own: one attaches where it uses files that its gang alone
//! names so, since a kit is anyone's. Of several gangs that could be meant, the one that was active then; else none.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::{Context, IndicatorKind};

use super::{Link, THRESHOLD};
use crate::connect::boundary::is_system_path;
use crate::label::episode::own_folder;
use crate::label::paths::is_dropzone;
use crate::merge::campaigns::{Campaign, Campaigns, says_something};
use crate::merge::distinct::Distinct;
use crate::merge::sketch::{FeatureStat, Key, Sketch, is_told};

/// Likeness that attaches a campaign without infrastructure, in thousandths.
const ALIKE: u64 = 600;
/// The same, where the names of its files are the gang's.
const ALIKE_BY_NAME: u64 = 400;
/// Files and folders, of those that only intruders make, that both name alike; of a single one, more has to be alike.
const NAMES: usize = 2;
/// Who is nearly as alike as the best could be meant as well, in thousandths of it.
const RIVAL: u64 = 900;
/// Infrastructure that is seen on no more hosts than this was made for them; a few more, where the gang that it might
/// be of has this many times as many.
const ONE_OFF_HOSTS: u64 = 2;
const FEW_HOSTS: u64 = 5;
const SMALLER: u64 = 4;
/// A template that fewer of a hundred of its hosts show says little of a gang.
const CORE: u64 = 20;
/// `/tmp/a` is no name, `/tmp/tide` is.
const SHORT_NAME: usize = 4;
/// A shorter file name of a URL may be anyone's.
const TELLING_NAME: usize = 5;
/// One or two command lines that are this long together are no scrap.
const TELLING_BYTES: usize = 48;

/// A gang, as far as likeness goes.
pub(super) struct Shape<'a> {
    pub(super) templates: BTreeMap<&'a str, Key>,
    /// Those that many of its hosts show: the others are what differs from host to host.
    pub(super) core: BTreeSet<&'a str>,
    /// Files and folders that only an intruder makes, and what its files are called where they are fetched from.
    pub(super) names: BTreeSet<&'a str>,
    /// It has infrastructure of its own.
    pub(super) signed: bool,
    pub(super) hosts: u64,
    pub(super) first: i64,
    pub(super) last: i64,
}

pub(super) fn attach(sketch: &Sketch, campaigns: &Campaigns, members: &mut BTreeMap<usize, Vec<usize>>) -> Vec<Link> {
    let shapes: BTreeMap<usize, Shape<'_>> =
        members.iter().map(|(gang, of)| (*gang, Shape::of(sketch, campaigns, of))).collect();
    let mut with: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (gang, shape) in shapes.iter().filter(|it| it.1.signed && it.1.hosts > ONE_OFF_HOSTS) {
        shape.templates.keys().for_each(|it| with.entry(it).or_default().push(*gang));
    }
    let mut links = Vec::new();
    let mut into: BTreeMap<usize, usize> = BTreeMap::new();
    for (small, shape) in shapes.iter().filter(|it| it.1.is_small()) {
        let mut shared: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for template in shape.templates.keys() {
            for gang in with.get(template).into_iter().flatten().filter(|it| shape.is_small_beside(&shapes[it])) {
                shared.entry(*gang).or_default().push(template);
            }
        }
        let Some((gang, likeness)) = shape.part_of(&shapes, &shared) else { continue };
        let common: BTreeSet<&str> = shared[&gang].iter().copied().collect();
        // Of a few hosts, it may be a part of a larger one itself; no circle comes of it, as each is far larger.
        let mut gang = gang;
        while let Some(larger) = into.get(&gang) {
            gang = *larger;
        }
        let in_common = |it: &usize| templates(&campaigns.list[*it]).filter(|it| common.contains(it.1)).count();
        // The campaign of the gang that has most of it; of several, the first.
        let to = members[&gang].iter().copied().max_by_key(|it| (in_common(it), std::cmp::Reverse(*it)));
        let (Some(to), Some(moved)) = (to, members.remove(small)) else { continue };
        let alike: Vec<Key> = shape.templates.iter().filter(|it| common.contains(*it.0)).map(|it| *it.1).collect();
        let weight = THRESHOLD + i64::try_from(likeness.saturating_sub(ALIKE) / 4).unwrap_or(0);
        links.push(Link { from: moved[0], to, weight, because: Vec::new(), together: None, alike });
        into.insert(*small, gang);
        let all = members.entry(gang).or_default();
        all.extend(moved);
        all.sort_unstable();
    }
    links
}

impl<'a> Shape<'a> {
    pub(super) fn of(sketch: &'a Sketch, campaigns: &'a Campaigns, of: &[usize]) -> Self {
        let list = || of.iter().map(|it| &campaigns.list[*it]);
        let features = || list().flat_map(|it| &it.features).filter_map(|it| sketch.features.get(it));
        let files = features().filter(|it| it.kind() == IndicatorKind::FilePath && is_chosen(it));
        let files = files.map(|it| it.value.as_str()).flat_map(|it| [Some(it), own_folder(it)]).flatten();
        let mut hosts = Distinct::<1024>::default();
        let mut shown: BTreeMap<&str, Distinct<64>> = BTreeMap::new();
        for campaign in list() {
            hosts.merge(&campaign.hosts);
            for (key, text) in templates(campaign) {
                shown.entry(text).or_default().merge(&campaign.nodes[&key].hosts);
            }
        }
        let hosts = hosts.count();
        shown.retain(|_, it| it.count() * 100 >= hosts * CORE);
        Self {
            templates: list().flat_map(templates).map(|(key, text)| (text, key)).collect(),
            core: shown.into_keys().collect(),
            names: files.chain(features().filter_map(fetched_name)).collect(),
            signed: list().any(|it| !it.signature.is_empty()),
            hosts,
            first: list().filter_map(|it| it.first).min().unwrap_or(i64::MIN),
            last: list().filter_map(|it| it.last).max().unwrap_or(i64::MAX),
        }
    }

    /// It may be a part of some other.
    pub(super) fn is_small(&self) -> bool {
        !self.signed || self.hosts <= FEW_HOSTS
    }

    /// It may be a part of the other.
    fn is_small_beside(&self, other: &Self) -> bool {
        !self.signed || self.hosts <= ONE_OFF_HOSTS || self.hosts * SMALLER <= other.hosts
    }

    /// The one gang that it is a part of, and how alike they are.
    fn part_of(&self, shapes: &BTreeMap<usize, Self>, shared: &BTreeMap<usize, Vec<&str>>) -> Option<(usize, u64)> {
        let own = self.templates.len() as u64;
        let names = |gang: &usize| self.names.intersection(&shapes[gang].names).count();
        let least = |names: usize| if self.signed && names >= NAMES { ALIKE_BY_NAME } else { ALIKE };
        let mut scores: Vec<(u64, usize, usize)> = shared
            .iter()
            .map(|(gang, common)| (score(own, shapes[gang].templates.len() as u64, common), names(gang), *gang))
            .filter(|it| it.0 >= least(it.1) && (!self.signed || it.1 > 0))
            .collect();
        // Names tell gangs of one kit apart.
        let most = scores.iter().map(|it| it.1).max()?;
        scores.retain(|it| it.1 * 10 >= most * 8);
        let best = scores.iter().map(|it| it.0).max()?;
        scores.retain(|it| it.0 * 1000 >= best * RIVAL);
        scores.sort_unstable_by_key(|it| (self.apart(&shapes[&it.2]), it.2));
        let (likeness, _, gang) = scores[0];
        let rival = scores.get(1).map(|it| self.apart(&shapes[&it.2]));
        (rival.is_none_or(|it| it > self.apart(&shapes[&gang]))).then_some((gang, likeness))
    }

    /// How long before or after the other's time it was, microseconds; 0 within it.
    fn apart(&self, other: &Self) -> i64 {
        other.first.saturating_sub(self.last).max(self.first.saturating_sub(other.last)).max(0)
    }
}

/// What a file is called where it is fetched from.
fn fetched_name(feature: &FeatureStat) -> Option<&str> {
    if feature.kind() != IndicatorKind::Url || !feature.contexts().any(|it| it == Context::Downloaded) {
        return None;
    }
    let path = feature.value.split_once("://")?.1.split(['?', '#']).next()?;
    let name = path.rsplit_once('/')?.1;
    (name.len() >= TELLING_NAME).then_some(name)
}

/// A file that it brought and ran; of what it only wrote to, one where nothing but an intruder's lies.
fn is_chosen(feature: &FeatureStat) -> bool {
    let path = feature.value.as_str();
    let may = |it: Context| match it {
        Context::Downloaded | Context::Executed => !is_system_path(path),
        Context::Written | Context::Configured => is_dropzone(path),
        _ => false,
    };
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.len() >= SHORT_NAME && name.len() < path.len() && !path.contains("/.ssh") && feature.contexts().any(may)
}

/// How much of `own` templates a gang shares, in thousandths: of both together, or nearly all of the smaller one where
/// what is shared is no mere scrap.
fn score(own: u64, of_gang: u64, common: &[&str]) -> u64 {
    let n = common.len() as u64;
    let telling = n >= 3 || common.iter().map(|it| it.len()).sum::<usize>() >= TELLING_BYTES;
    let contained = if telling { n * 750 / own.max(1) } else { 0 };
    (n * 1000 / (own + of_gang - n).max(1)).max(contained)
}

/// Templates that say something, with their nodes.
pub(super) fn templates(campaign: &Campaign) -> impl Iterator<Item = (Key, &str)> {
    let told = |text: &str| is_told(text) && says_something(text);
    let nodes = campaign.nodes.iter().filter(|it| !campaign.ordinary.contains(it.0));
    nodes.map(|(key, it)| (*key, it.template.as_str())).filter(move |it| told(it.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::sketch::{NodeStat, feature_key};
    use crate::partition::{Registry, partition};
    use ringleader_model::hash::hash64;

    fn feature(sketch: &mut Sketch, kind: IndicatorKind, value: &str, context: Context) -> Key {
        let key = feature_key(kind, value);
        sketch.features.entry(key).or_insert_with(|| FeatureStat {
            kind: kind as u8,
            value: value.into(),
            contexts: 1 << context as u8,
            episodes: 1,
            suspicious: 1,
            hosts: Distinct::default(),
            suspicious_hosts: Distinct::default(),
            tenants: Distinct::default(),
            first: Some(0),
            last: Some(1),
        });
        key
    }

    /// A campaign with a server of its own, on so many hosts, with the kit and the names of all others.
    fn campaign(sketch: &mut Sketch, id: u128, hosts: std::ops::Range<u64>, time: i64) -> Campaign {
        let mut it = Campaign { id, hostile: true, first: Some(time), last: Some(time), ..Campaign::default() };
        hosts.for_each(|host| it.hosts.insert(hash64(&host.to_le_bytes())));
        it.suspicious_hosts = it.hosts.clone();
        let url = format!("http://192.0.2.{id}/x");
        it.signature = vec![feature(sketch, IndicatorKind::Url, &url, Context::Downloaded)];
        it.features.clone_from(&it.signature);
        for name in ["/tmp/.kit/first", "/tmp/.kit/second"] {
            it.features.push(feature(sketch, IndicatorKind::FilePath, name, Context::Executed));
        }
        for n in 0..6u128 {
            let template = format!("/tmp/.kit/first --step {n} --and more of it");
            it.nodes.insert(n, NodeStat { template, observed: 1, hosts: Distinct::default(), ..NodeStat::default() });
        }
        it
    }

    #[test]
    fn a_part_of_a_part_goes_where_that_went() {
        let mut sketch = Sketch::default();
        let list = vec![
            campaign(&mut sketch, 1, 0..4, 90),
            campaign(&mut sketch, 2, 100..101, 90),
            campaign(&mut sketch, 3, 200..240, 0),
        ];
        let campaigns = Campaigns { list, ..Campaigns::default() };
        let gangs = partition(&sketch, &campaigns, &Registry::default());
        let members: Vec<&[usize]> = gangs.iter().map(|it| it.campaigns.as_slice()).collect();
        assert_eq!(members, [&[0, 1, 2]]);
        assert_eq!(gangs[0].links.len(), 2);
    }
}
