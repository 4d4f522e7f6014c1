//! gangs as computed, and what analysts decided → gangs as shown. A view: what was computed stays what it is, and the
//! next run computes it again. Deliberately absent: where decisions are kept, and whether they contradict each other.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::Timestamp;
use ringleader_model::findings::{ComputedFeature, ComputedGang, Text};
use ringleader_pipeline::merge::campaigns::{Campaign, Campaigns};
use ringleader_pipeline::merge::sketch::{FeatureStat, Key, Sketch};
use ringleader_pipeline::merge::stop::is_private;
use ringleader_pipeline::partition::Gang;

use super::{hex, strength};

/// What holds. Empty: nothing was decided.
#[derive(Debug, Clone, Default)]
pub struct Decided {
    pub names: BTreeMap<u128, String>,
    /// Further names.
    pub aliases: BTreeMap<u128, Vec<String>>,
    /// gang → the gang that takes it in
    pub merged: BTreeMap<u128, u128>,
    /// In the order they were decided.
    pub splits: Vec<Split>,
    pub dismissed: BTreeSet<u128>,
    /// Values of indicators that are shown as nobody's.
    pub allowed: BTreeSet<String>,
    /// Templates of commands that are honest here.
    pub templates: BTreeSet<String>,
}

/// Campaigns that are cut out of a gang.
#[derive(Debug, Clone, Default)]
pub struct Split {
    pub gang: u128,
    pub new_gang: u128,
    pub campaigns: BTreeSet<u128>,
    /// Of their signatures: a campaign grows, and then its id may be another.
    pub features: BTreeSet<Key>,
}

impl Split {
    /// Its id, or at least half of its signature.
    fn holds(&self, campaign: &Campaign) -> bool {
        let shared = campaign.signature.iter().filter(|it| self.features.contains(it)).count();
        self.campaigns.contains(&campaign.id) || (shared > 0 && shared * 2 >= campaign.signature.len())
    }
}

impl Decided {
    /// Splits first, then merges, then what is not hostile.
    pub(super) fn apply(&self, sketch: &Sketch, campaigns: &Campaigns, gangs: Vec<Gang>) -> Vec<Gang> {
        let mut of: BTreeMap<u128, Gang> = gangs.into_iter().map(|it| (it.id, it)).collect();
        for split in &self.splits {
            let Some(gang) = of.get_mut(&split.gang) else { continue };
            let (cut, rest): (Vec<usize>, Vec<usize>) =
                gang.campaigns.iter().partition(|it| split.holds(&campaigns.list[**it]));
            if cut.is_empty() {
                continue;
            }
            let links = std::mem::take(&mut gang.links);
            let inside = |all: &[usize], it: &&ringleader_pipeline::partition::Link| {
                all.contains(&it.from) && all.contains(&it.to)
            };
            let mut made = Gang {
                id: split.new_gang,
                links: links.iter().filter(|it| inside(&cut, it)).cloned().collect(),
                near_misses: links.iter().filter(|it| !inside(&cut, it) && !inside(&rest, it)).cloned().collect(),
                family: gang.family,
                ..Gang::default()
            };
            gang.links = links.into_iter().filter(|it| inside(&rest, &it)).collect();
            made.campaigns = cut;
            gang.campaigns = rest;
            if gang.campaigns.is_empty() {
                of.remove(&split.gang);
            }
            take_in(&mut of, made);
        }
        for (gang, into) in &self.merged {
            if let Some(it) = of.remove(gang).filter(|_| gang != into) {
                let mut it = it;
                it.id = *into;
                it.supersedes.push(*gang);
                take_in(&mut of, it);
            }
        }
        for id in &self.dismissed {
            of.remove(id);
        }
        for gang in of.values_mut() {
            gang.campaigns.retain(|it| !self.is_allowed(sketch, &campaigns.list[*it]));
        }
        of.into_values().filter(|it| !it.campaigns.is_empty()).collect()
    }

    /// Everything that makes it one campaign is allowed, or every command that makes it suspicious.
    fn is_allowed(&self, sketch: &Sketch, campaign: &Campaign) -> bool {
        let of = |key: &Key| sketch.features.get(key).is_some_and(|it| self.allowed.contains(&it.value));
        if !self.allowed.is_empty() && !campaign.signature.is_empty() && campaign.signature.iter().all(of) {
            return true;
        }
        let mut shows = campaign.nodes.values().filter(|it| !it.behaviours.is_empty()).peekable();
        !self.templates.is_empty() && shows.peek().is_some() && shows.all(|it| self.templates.contains(&it.template))
    }
}

/// Under its id, with whoever has that id already.
fn take_in(of: &mut BTreeMap<u128, Gang>, it: Gang) {
    let into = of.entry(it.id).or_insert_with(|| Gang { id: it.id, family: it.family, ..Gang::default() });
    into.campaigns.extend(it.campaigns);
    into.campaigns.sort_unstable();
    into.campaigns.dedup();
    into.links.extend(it.links);
    let members = into.campaigns.clone();
    into.near_misses.extend(it.near_misses);
    into.near_misses.retain(|it| members.contains(&it.from) != members.contains(&it.to));
    into.supersedes.extend(it.supersedes);
    into.supersedes.sort_unstable();
    into.supersedes.dedup();
}

/// What the next run must know of these to know them again.
pub(super) fn computed(sketch: &Sketch, campaigns: &Campaigns, gangs: &[Gang]) -> Vec<ComputedGang> {
    let one = |gang: &Gang| {
        let keys: BTreeSet<Key> =
            gang.campaigns.iter().flat_map(|it| campaigns.list[*it].features.iter().copied()).collect();
        // Another network has another host at that address, and tomorrow's lease is another's: it tells nobody again.
        let lasts = |it: &&FeatureStat| !is_private(host_of(&it.value));
        let features = keys.iter().filter_map(|it| sketch.features.get(it)).filter(lasts).filter_map(|it| {
            Some(ComputedFeature {
                kind: it.kind(),
                value: it.value.as_str().into(),
                strength: strength(it.reach()?),
                hosts: it.hosts.count(),
                first_seen: it.first.map(Timestamp),
                last_seen: it.last.map(Timestamp),
            })
        });
        let mut features: Vec<ComputedFeature> = features.collect();
        features.sort_by(|a, b| (a.kind, &a.value).cmp(&(b.kind, &b.value)));
        let mut members: Vec<Text> = gang.campaigns.iter().map(|it| hex(campaigns.list[*it].id)).collect();
        members.sort_unstable();
        ComputedGang {
            gang_id: hex(gang.id),
            campaigns: members,
            supersedes: gang.supersedes.iter().copied().map(hex).collect(),
            features,
        }
    };
    let mut all: Vec<ComputedGang> = gangs.iter().map(one).collect();
    all.sort_by(|a, b| a.gang_id.cmp(&b.gang_id));
    all
}

/// The host of a URL or of an address with its port; else the value itself.
fn host_of(value: &str) -> &str {
    let rest = value.split_once("://").map_or(value, |it| it.1);
    let rest = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let rest = rest.rsplit_once('@').map_or(rest, |it| it.1);
    if let Some(inner) = rest.strip_prefix('[') {
        return inner.split(']').next().unwrap_or(inner);
    }
    match rest.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') && port.bytes().all(|it| it.is_ascii_digit()) => host,
        _ => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringleader_pipeline::partition::Link;

    fn campaign(id: u128, signature: &[Key]) -> Campaign {
        Campaign { id, signature: signature.to_vec(), hostile: true, ..Campaign::default() }
    }

    fn gang(id: u128, campaigns: &[usize]) -> Gang {
        let links = campaigns.windows(2).map(|it| Link {
            from: it[0],
            to: it[1],
            weight: 900,
            because: Vec::new(),
            together: None,
            alike: Vec::new(),
        });
        Gang { id, campaigns: campaigns.to_vec(), links: links.collect(), ..Gang::default() }
    }

    fn check(decided: &Decided, expect: &[(u128, &[usize])]) {
        let list = vec![campaign(10, &[1, 2]), campaign(11, &[3, 4]), campaign(12, &[5]), campaign(13, &[6])];
        let campaigns = Campaigns { list, ..Campaigns::default() };
        let gangs = vec![gang(100, &[0, 1]), gang(200, &[2]), gang(300, &[3])];
        let shown = decided.apply(&Sketch::default(), &campaigns, gangs);
        let shown: Vec<(u128, Vec<usize>)> = shown.into_iter().map(|it| (it.id, it.campaigns)).collect();
        let expect: Vec<(u128, Vec<usize>)> = expect.iter().map(|it| (it.0, it.1.to_vec())).collect();
        assert_eq!(shown, expect);
    }

    #[test]
    fn a_value_has_a_host() {
        assert_eq!(host_of("http://10.0.0.1:8080/a"), "10.0.0.1");
        assert_eq!(host_of("10.0.0.1:22"), "10.0.0.1");
        assert_eq!(host_of("http://[fd00::1]:80/"), "fd00::1");
        assert_eq!(host_of("fd00::1"), "fd00::1");
        assert_eq!(host_of("/tmp/x"), "");
    }

    #[test]
    fn merges_splits_and_dismissals_show() {
        check(&Decided::default(), &[(100, &[0, 1]), (200, &[2]), (300, &[3])]);
        let merged = Decided { merged: BTreeMap::from([(200, 100)]), ..Decided::default() };
        check(&merged, &[(100, &[0, 1, 2]), (300, &[3])]);
        // The gang that takes in was not seen this time: the other one stands for it.
        let merged = Decided { merged: BTreeMap::from([(200, 900)]), ..Decided::default() };
        check(&merged, &[(100, &[0, 1]), (300, &[3]), (900, &[2])]);
        let dismissed = Decided { dismissed: BTreeSet::from([300]), ..Decided::default() };
        check(&dismissed, &[(100, &[0, 1]), (200, &[2])]);
        let split = |campaigns: &[u128], features: &[Key]| Decided {
            splits: vec![Split {
                gang: 100,
                new_gang: 150,
                campaigns: campaigns.iter().copied().collect(),
                features: features.iter().copied().collect(),
            }],
            ..Decided::default()
        };
        check(&split(&[11], &[]), &[(100, &[0]), (150, &[1]), (200, &[2]), (300, &[3])]);
        // The campaign grew, and its id with it.
        check(&split(&[999], &[3]), &[(100, &[0]), (150, &[1]), (200, &[2]), (300, &[3])]);
        check(&split(&[10, 11], &[]), &[(150, &[0, 1]), (200, &[2]), (300, &[3])]);
    }
}
