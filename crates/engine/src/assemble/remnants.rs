//! remnants → the campaigns that they are a part of, host after host. What is decided by: `merge::remnant`.

use std::collections::BTreeMap;
use std::io;

use ringleader_pipeline::merge::record::EpisodeRecord;
use ringleader_pipeline::merge::remnant::{Beside, Ordinary, is_near, node_times};

use super::{Assembly, Group};
use crate::records::Records;

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
                it.beside.entry(*group).or_default().host(&done.times, logged_of(assembly, &of_host[0].host));
            }
            for remnant in of_host.iter().filter(|it| it.is_remnant()) {
                for (group, done) in &doings {
                    if remnant.comrade || assembly.steps[group].hold(remnant) {
                        it.beside.entry(*group).or_default().add(remnant, is_near(&done.times, remnant));
                    }
                }
            }
        })?;
        Ok(it)
    }

    /// The records of a host that are shown, with their campaigns.
    pub(super) fn attached(&self, assembly: &Assembly<'_>, of_host: Vec<EpisodeRecord>) -> Vec<(EpisodeRecord, usize)> {
        // Most hosts have none, and are not looked at any closer.
        let any = of_host.iter().any(EpisodeRecord::is_remnant);
        let doings = if any { doings(assembly, &of_host) } else { BTreeMap::new() };
        let campaign_of = |record: &EpisodeRecord| {
            if !record.is_remnant() {
                let campaign = assembly.campaigns.of_group.get(&record.group).copied();
                return campaign.filter(|it| assembly.shown(*it));
            }
            let mut owners = doings.iter().filter(|(group, done)| {
                let is_near = is_near(&done.times, record);
                let beside = self.beside.get(group).filter(|_| record.comrade || assembly.steps[group].hold(record));
                beside.is_some_and(|it| it.owns(record, is_near, &self.ordinary, self.logged))
            });
            // Two gangs that could both be meant: neither is claimed.
            let (_, only) = owners.next().filter(|_| owners.next().is_none())?;
            let start = record.nodes.iter().filter_map(|it| it.start).min().unwrap_or(0);
            only.starts.iter().min_by_key(|it| (it.0.abs_diff(start), it.1)).map(|it| it.1)
        };
        of_host.into_iter().filter_map(|it| campaign_of(&it).map(|at| (it, at))).collect()
    }
}

/// How long the host's log is, microseconds.
fn logged_of(assembly: &Assembly<'_>, host: &str) -> i64 {
    let health = assembly.analyzed.health.get(host);
    health.and_then(|it| Some(it.last?.0 - it.first?.0)).unwrap_or(0)
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
