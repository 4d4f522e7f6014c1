//! remnants and scraps → the campaigns that they are a part of, host after host. What is decided by: `merge::remnant`.
//!
//! A scrap is suspicious by itself, but cut off, and without anything that tells whose it is: its likes from several gangs
//! with one kit make one campaign by structure. On its own host it can be told: there, one gang does just that.

use std::collections::BTreeMap;
use std::io;

use ringleader_model::findings::ParentStatus;
use ringleader_pipeline::merge::record::{EpisodeRecord, NodeRecord, Tie};
use ringleader_pipeline::merge::remnant::{Beside, Ordinary, is_near, node_times};

use super::{Assembly, Group};
use crate::records::Records;

/// A scrap that begins so soon after or before an episode is left of the same intrusion, microseconds.
const LEFT: u64 = 60_000_000;

/// How often remnants stand next to each gang's episodes, of all hosts.
#[derive(Default)]
pub(super) struct Remnants {
    beside: BTreeMap<Group, Beside>,
    ordinary: Ordinary,
    /// Microseconds of all hosts' logs together.
    logged: i64,
}

/// What one gang did on one host.
struct Doings {
    times: Vec<i64>,
    /// When each of its episodes began, and its campaign.
    starts: Vec<(i64, usize)>,
    /// Something there tells that it is this gang.
    signed: bool,
}

impl Doings {
    /// The campaign of the episode that began nearest, and how far from it.
    fn nearest(&self, record: &EpisodeRecord) -> Option<(u64, usize)> {
        let start = record.nodes.iter().filter_map(|it| it.start).min().unwrap_or(0);
        self.starts.iter().map(|it| (it.0.abs_diff(start), it.1)).min()
    }
}

/// The campaign of the episode that began nearest, of whatever gang.
fn nearest(doings: &BTreeMap<Group, Doings>, record: &EpisodeRecord) -> Option<usize> {
    Some(doings.values().filter_map(|it| it.nearest(record)).min()?.1)
}

impl Remnants {
    /// A first pass over the records, host after host.
    pub(super) fn of(assembly: &Assembly<'_>) -> io::Result<Self> {
        if !assembly.analyzed.has_remnants {
            return Ok(Self::default());
        }
        let logged = assembly.analyzed.health.keys().map(|it| logged_of(assembly, it)).sum();
        let ordinary = Ordinary::of(&assembly.analyzed.sketch);
        let mut it = Self { beside: BTreeMap::new(), ordinary, logged };
        for_each_host(&assembly.analyzed.records, |of_host| {
            let doings = doings(assembly, &of_host);
            for (group, done) in &doings {
                let host = &of_host[0].host;
                it.beside.entry(*group).or_default().host(
                    &done.times,
                    began(assembly, host),
                    logged_of(assembly, host),
                );
            }
            for remnant in of_host.iter().filter(|it| it.is_remnant() && it.tie != Tie::Container) {
                for (group, done) in &doings {
                    it.beside.entry(*group).or_default().add(remnant, &done.times);
                }
            }
        })?;
        Ok(it)
    }

    /// The records of a host that are shown, with their campaigns.
    pub(super) fn attached(&self, assembly: &Assembly<'_>, of_host: Vec<EpisodeRecord>) -> Vec<(EpisodeRecord, usize)> {
        // Most hosts have none, and are not looked at any closer.
        let any = of_host.iter().any(|it| it.is_remnant() || is_scrap(assembly, it));
        let doings = if any { doings(assembly, &of_host) } else { BTreeMap::new() };
        let campaign_of = |record: &EpisodeRecord| {
            if !record.is_remnant() {
                let campaign = assembly.campaigns.of_group.get(&record.group).copied();
                let campaign = campaign.filter(|it| assembly.shown(*it))?;
                return Some(owner_of_scrap(assembly, &doings, record, campaign).unwrap_or(campaign));
            }
            if record.tie == Tie::Container {
                return nearest(&doings, record);
            }
            let mut owners = doings.iter().filter(|(group, done)| {
                let is_near = is_near(&done.times, record);
                // What a comrade does is its own: it is not asked whether the gang does it.
                let held = record.tie != Tie::Comrade && assembly.steps[group].hold(record);
                let beside = self.beside.get(group);
                beside.is_some_and(|it| it.owns(record, is_near, held, &self.ordinary, self.logged))
            });
            // Two gangs that could both be meant: neither is claimed.
            let (_, only) = owners.next().filter(|_| owners.next().is_none())?;
            Some(only.nearest(record)?.1)
        };
        of_host.into_iter().filter_map(|it| campaign_of(&it).map(|at| (it, at))).collect()
    }
}

/// Nothing tells whose it is, and it may be what several do that run one kit: something above it was lost, or its whole gang is
/// known by its structure alone.
fn is_scrap(assembly: &Assembly<'_>, record: &EpisodeRecord) -> bool {
    let Some(campaign) = assembly.campaigns.of_group.get(&record.group) else { return false };
    assembly.campaigns.list[*campaign].signature.is_empty()
        && (is_cut_off(record) || !assembly.is_signed(assembly.group_of(*campaign)))
}

fn is_cut_off(record: &EpisodeRecord) -> bool {
    let cut_off =
        |it: &NodeRecord| matches!(it.status, ParentStatus::Missing | ParentStatus::Forked | ParentStatus::Reparented);
    let above_is_lost = || record.nodes.first().is_some_and(|it| it.inferred);
    above_is_lost() || record.nodes.iter().find(|it| !it.inferred).is_some_and(cut_off)
}

/// The campaign that a scrap goes to: of the one gang on its host that does all it shows, or that it was left alone right
/// beside; unless its own gang is there.
fn owner_of_scrap(
    assembly: &Assembly<'_>,
    doings: &BTreeMap<Group, Doings>,
    record: &EpisodeRecord,
    campaign: usize,
) -> Option<usize> {
    if !is_scrap(assembly, record) {
        return None;
    }
    let own = assembly.group_of(campaign);
    let the_one = |is: &dyn Fn(&Group, &Doings) -> bool| {
        let mut those = doings.iter().filter(|(group, done)| done.signed && (**group == own || is(group, done)));
        those.next().filter(|_| those.next().is_none())
    };
    let held = the_one(&|group, _| assembly.steps[group].hold(record));
    let beside = || the_one(&|_, done| done.nearest(record).is_some_and(|it| it.0 <= LEFT));
    let (group, only) = held.or_else(|| beside().filter(|_| is_cut_off(record)))?;
    if *group == own { None } else { Some(only.nearest(record)?.1) }
}

/// How long the host's log is, microseconds.
fn logged_of(assembly: &Assembly<'_>, host: &str) -> i64 {
    let health = assembly.analyzed.health.get(host);
    health.and_then(|it| Some(it.last?.0 - it.first?.0)).unwrap_or(0)
}

/// When its log began.
fn began(assembly: &Assembly<'_>, host: &str) -> i64 {
    assembly.analyzed.health.get(host).and_then(|it| it.first).map_or(0, |it| it.0)
}

/// What each gang did there, where there are remnants at all.
fn doings(assembly: &Assembly<'_>, of_host: &[EpisodeRecord]) -> BTreeMap<Group, Doings> {
    let mut of_group: BTreeMap<Group, Vec<(&EpisodeRecord, usize)>> = BTreeMap::new();
    for record in of_host {
        if let Some(campaign) = assembly.campaigns.of_group.get(&record.group).copied()
            && let group @ Group::Gang(_) = assembly.group_of(campaign)
        {
            of_group.entry(group).or_default().push((record, campaign));
        }
    }
    let doings = |of: Vec<(&EpisodeRecord, usize)>| Doings {
        times: node_times(of.iter().map(|it| it.0)),
        signed: of.iter().any(|it| !assembly.campaigns.list[it.1].signature.is_empty()),
        starts: of
            .iter()
            .filter_map(|(record, campaign)| Some((record.nodes.iter().filter_map(|it| it.start).min()?, *campaign)))
            .collect(),
    };
    of_group.into_iter().map(|(group, of)| (group, doings(of))).collect()
}

fn for_each_host(records: &Records, mut f: impl FnMut(Vec<EpisodeRecord>)) -> io::Result<()> {
    let mut records = records.merged()?;
    while let Some(host) = records.peek().map(|it| it.host.clone()) {
        let mut of_host = Vec::new();
        while let Some(record) = records.next_if(|it| it.host == host)? {
            of_host.push(record);
        }
        f(of_host);
    }
    Ok(())
}
