//! a host's episodes that show nothing by themselves → those that may be a part of an intrusion there.
//!
//! Deliberately absent: whether they are. It is told when the gangs are known: `assemble::remnants`.

use std::collections::{BTreeMap, HashSet};

use ringleader_pipeline::connect::boundary::Role;
use ringleader_pipeline::connect::episodes::Episode;
use ringleader_pipeline::connect::link::base_name;
use ringleader_pipeline::connect::{HostGraph, ParentStatus};
use ringleader_pipeline::label::episode::{Host, Labeller, Words};
use ringleader_pipeline::merge::Sketch;
use ringleader_pipeline::merge::record::{EpisodeRecord, Tie};
use ringleader_pipeline::merge::remnant::{NEAR, near};

/// A host that loses more than one link in so many leaves remnants.
const LOSSY: u64 = 100;
/// Remnants that are kept of one host, and the processes of the largest.
const REMNANTS: usize = 1 << 14;
const REMNANT_NODES: usize = 64;

/// Groups whose first episodes on a host began within this time came together, microseconds; each with so many next ones.
const ARRIVED: i64 = 120_000_000;
const ARRIVALS: usize = 4;

/// What the host's services started, one activity at a time: an intruder in one of them starts several.
pub(crate) struct Beside<'e> {
    loses: bool,
    /// By service: when processes of intrusions started below it.
    intrusions: BTreeMap<u32, Vec<i64>>,
    /// By service: when intrusions began below it, of what group, and the path of the entry.
    begun: BTreeMap<u32, Vec<(i64, u128, u128)>>,
    /// By group: when its first intrusion began, and the path of the entry.
    arrived: BTreeMap<u128, (i64, u128)>,
    /// What keeps one container, with the time of the first intrusion in it.
    containers: BTreeMap<u32, i64>,
    /// Those that show nothing.
    plain: Vec<&'e Episode>,
}

impl<'e> Beside<'e> {
    /// `missing` of `links` to ordinary parents are lost.
    pub(crate) fn new(missing: u64, links: u64) -> Self {
        Self {
            loses: missing * LOSSY > links,
            intrusions: BTreeMap::new(),
            begun: BTreeMap::new(),
            arrived: BTreeMap::new(),
            containers: BTreeMap::new(),
            plain: Vec::new(),
        }
    }

    pub(crate) fn add_intrusion(
        &mut self,
        words: &mut Words<'_>,
        graph: &HostGraph,
        episode: &Episode,
        record: &EpisodeRecord,
    ) {
        let starts = || episode.members.iter().filter_map(|it| graph.processes[*it as usize].start).map(|it| it.0);
        if let Some(shim) = shim(words, graph, episode)
            && let Some(first) = starts().min()
        {
            self.containers.entry(shim).and_modify(|it| *it = first.min(*it)).or_insert(first);
        }
        let entry = record.nodes.iter().find(|it| it.path != 0 && it.start.is_some());
        if let Some((start, path)) = entry.and_then(|it| Some((it.start?, it.path))) {
            self.arrived.entry(record.group).and_modify(|it| *it = (start, path).min(*it)).or_insert((start, path));
        }
        let Some(service) = service(words, graph, episode) else { return };
        self.intrusions.entry(service).or_default().extend(starts());
        if let Some((start, path)) = record.nodes.first().and_then(|it| Some((it.start?, it.path))) {
            self.begun.entry(service).or_default().push((start, record.group, path));
        }
    }

    pub(crate) fn add_plain(&mut self, episode: &'e Episode) {
        if episode.members.len() <= REMNANT_NODES {
            self.plain.push(episode);
        }
    }

    pub(crate) fn start_together(&mut self, sketch: &mut Sketch, host: u64) {
        for begun in self.begun.values_mut() {
            begun.sort_unstable();
            for pair in begun.windows(2).filter(|it| it[1].0 - it[0].0 <= NEAR && it[0].1 != it[1].1) {
                sketch.start_together((pair[0].1, pair[0].2), (pair[1].1, pair[1].2), host);
            }
        }
    }

    pub(crate) fn arrive_together(&self, sketch: &mut Sketch, host: u64) {
        let mut all: Vec<(i64, u128, u128)> = self.arrived.iter().map(|(group, it)| (it.0, *group, it.1)).collect();
        all.sort_unstable();
        for (at, a) in all.iter().enumerate() {
            for b in all[at + 1..].iter().take(ARRIVALS).take_while(|it| it.0 - a.0 <= ARRIVED) {
                sketch.arrive_together((a.1, a.2), (b.1, b.2), host);
            }
        }
    }

    /// `suspicious`: when processes of the host's intrusions started, ascending; `records`: what they are.
    pub(crate) fn remnants(
        mut self,
        words: &mut Words<'_>,
        graph: &HostGraph,
        labeller: &mut Labeller<'_>,
        about: &Host<'_>,
        suspicious: &[i64],
        records: &[EpisodeRecord],
    ) -> Vec<EpisodeRecord> {
        self.intrusions.values_mut().for_each(|it| it.sort_unstable());
        let done = records.iter().filter(|it| it.suspicious).flat_map(|it| &it.nodes).filter(|it| !it.inferred);
        let mut done: HashSet<u64> = done.map(|it| it.template).collect();
        let mut found: Vec<EpisodeRecord> = Vec::new();
        // What began a container for an intrusion, before what ran in it.
        let begun = |shim: u32| {
            let start = graph.processes[shim as usize].start?.0;
            let first = self.containers.get(&shim)?;
            (start <= *first && first - start <= NEAR).then_some(start)
        };
        let mut starters: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (at, process) in (0u32..).zip(&graph.processes).filter(|_| !self.containers.is_empty()) {
            // Boundaries are in no episode.
            if !process.starts.is_empty()
                && let Some(shim) = shim_of(words, graph, at)
                && begun(shim).is_some_and(|it| process.start.is_some_and(|start| near(&[it], start.0)))
            {
                starters.entry(shim).or_default().push(at);
            }
        }
        for (shim, mut members) in starters {
            // Parents come first.
            members.sort_unstable_by_key(|it| (*it != shim, *it));
            let boundary = graph.processes[members[0] as usize].parent;
            let starter = Episode { id: Episode::id_of(&graph.processes[members[0] as usize]), members, boundary };
            found.push(EpisodeRecord { tie: Tie::Container, ..labeller.remnant(words, graph, &starter, about) });
        }
        let mut apart = Vec::new();
        for episode in self.plain {
            let is_near = |times: &[i64]| is_near(times, graph, episode);
            let container = shim(words, graph, episode).and_then(begun);
            let tie = if container.is_some_and(|it| near(&[it], start_of(graph, episode))) {
                Tie::Container
            } else if is_cut_off(graph, episode) && is_near(suspicious) {
                if labeller.runs_own_file(words, graph, episode) { Tie::Own } else { Tie::Alike }
            } else if service(words, graph, episode)
                .and_then(|it| self.intrusions.get(&it))
                .is_some_and(|it| is_near(it))
            {
                Tie::Comrade
            } else {
                apart.push(episode);
                continue;
            };
            if found.len() < REMNANTS {
                let record = labeller.remnant(words, graph, episode, about);
                done.extend(record.nodes.iter().filter(|it| !it.inferred && tie == Tie::Alike).map(|it| it.template));
                found.push(EpisodeRecord { tie, ..record });
            }
        }
        // What does the same as they do at another time, or runs a file of its own.
        for episode in apart {
            let tie = if labeller.runs_own_file(words, graph, episode) {
                Tie::Own
            } else if self.loses
                && is_cut_off(graph, episode)
                && (labeller.names_something(words, graph, episode)
                    || labeller.all_templates(words, graph, episode, &mut |it| done.contains(&it)))
            {
                Tie::Alike
            } else {
                continue;
            };
            if found.len() < REMNANTS {
                found.push(EpisodeRecord { tie, ..labeller.remnant(words, graph, episode, about) });
            }
        }
        found
    }
}

/// The service that started the episode, where all that it starts is of one kind: init's and cron's is not.
fn service(words: &mut Words<'_>, graph: &HostGraph, episode: &Episode) -> Option<u32> {
    let service = episode.boundary?;
    let role = words.role(graph.processes[service as usize].file_path);
    matches!(role, None | Some(Role::WebServer | Role::AppServer | Role::Database)).then_some(service)
}

/// What keeps the one container that the episode runs in.
fn shim(words: &mut Words<'_>, graph: &HostGraph, episode: &Episode) -> Option<u32> {
    shim_of(words, graph, episode.boundary?)
}

/// The process itself, if it keeps one container, or what it starts that container for.
fn shim_of(words: &mut Words<'_>, graph: &HostGraph, at: u32) -> Option<u32> {
    let process = &graph.processes[at as usize];
    match base_name(words.bucket().strings.get(process.file_path)) {
        "runc" | "crun" | "docker-runc" => {
            let above = process.parent?;
            is_shim(words, graph, above).then_some(above)
        }
        _ => is_shim(words, graph, at).then_some(at),
    }
}

fn is_shim(words: &Words<'_>, graph: &HostGraph, at: u32) -> bool {
    let name = base_name(words.bucket().strings.get(graph.processes[at as usize].file_path));
    name.contains("containerd-shim") || name == "conmon"
}

/// Whether something above the episode was lost.
fn is_cut_off(graph: &HostGraph, episode: &Episode) -> bool {
    let entry = &graph.processes[episode.members[0] as usize];
    entry.inferred || matches!(entry.status, ParentStatus::Missing | ParentStatus::Forked | ParentStatus::Reparented)
}

fn start_of(graph: &HostGraph, episode: &Episode) -> i64 {
    episode.members.iter().filter_map(|it| graph.processes[*it as usize].start).map(|it| it.0).min().unwrap_or(i64::MIN)
}

fn is_near(times: &[i64], graph: &HostGraph, episode: &Episode) -> bool {
    let starts = episode.members.iter().filter_map(|it| graph.processes[*it as usize].start);
    starts.into_iter().any(|it| near(times, it.0))
}
