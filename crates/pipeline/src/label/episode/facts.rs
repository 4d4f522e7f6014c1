//! A labelled episode → what it adds to the sketch.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::hash::hash64;
use ringleader_model::{Context, EventClass, Field, Indicator, IndicatorKind};

use super::RECORDED_ROWS;
use super::idle::{self, Use};
use super::work::Work;
use crate::collect::rows::{Bucket, Sym};
use crate::connect::episodes::Episode;
use crate::connect::{HostGraph, boundary, text};
use crate::label::network::{self, NetworkRole};
use crate::merge::sketch::{EpisodeFacts, Feature, NodeFacts, Part};

/// A process that talks to more addresses than this goes through them; so does an episode that names as many of its own
/// network, beside the networks (`10.0.0.0/8`), which are no hosts.
const SWEPT: usize = 8;

/// Hosts that one command line names, of those that are looked at.
const NAMED: usize = 256;

/// Hosts that one and the same command line was run against, where they are many, are targets as well.
fn drop_targets(features: &mut BTreeMap<(IndicatorKind, String), Context>, nodes: &[Work]) {
    let mut hosts: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
    for node in nodes {
        let connected = node.said.indicators.iter().filter(|it| it.context == Context::Connected);
        let named = connected.filter(|it| it.kind != IndicatorKind::Pool);
        let named = named.filter_map(|it| crate::merge::stop::host_of(it.kind, &it.value));
        hosts.entry(node.said.template_hash).or_default().extend(named.take(NAMED));
    }
    let targets: BTreeSet<String> = hosts.into_values().filter(|it| it.len() >= SWEPT).flatten().collect();
    if !targets.is_empty() {
        features.retain(|(kind, value), context| {
            *context != Context::Connected
                || crate::merge::stop::host_of(*kind, value).is_none_or(|it| !targets.contains(&it))
        });
    }
}

/// An episode that names many addresses of its own network goes through them: they are targets.
fn drop_sweep(features: &mut BTreeMap<(IndicatorKind, String), Context>) {
    let private = |kind: IndicatorKind, value: &str| {
        crate::merge::stop::host_of(kind, value).filter(|it| crate::merge::stop::is_private(it))
    };
    let hosts: BTreeSet<String> = features.keys().filter_map(|(kind, value)| private(*kind, value)).collect();
    if hosts.len() >= SWEPT {
        features.retain(|(kind, value), _| private(*kind, value).is_none());
    }
}

/// A file that nothing touches again may still be the bot's: its run may be what the sensor lost. Where the episode uses
/// another download, or leaves those of several hosts, they may as well be anybody's.
fn keep_untouched(features: &mut BTreeMap<(IndicatorKind, String), Context>, untouched: &[&Indicator]) {
    let uses_another = features.iter().any(|((kind, _), it)| *kind == IndicatorKind::Url && *it == Context::Downloaded);
    let hosts = untouched.iter().filter_map(|it| crate::merge::stop::host_of(it.kind, &it.value));
    if !uses_another && hosts.collect::<BTreeSet<_>>().len() == 1 {
        for it in untouched {
            features.insert((it.kind, it.value.clone()), it.context);
        }
    }
}

/// Whether the process went through many addresses: those are targets, not infrastructure.
fn sweeps(bucket: &Bucket, graph: &HostGraph, process: Option<u32>) -> bool {
    let Some(at) = process else { return false };
    let rows = graph.processes[at as usize].deeds.iter().take(RECORDED_ROWS).map(|it| &bucket.rows[*it as usize]);
    let targets: BTreeSet<Sym> = rows.map(|row| bucket.sym(row, Field::DstIp)).filter(|it| *it != 0).collect();
    targets.len() > SWEPT
}

pub(super) fn facts(
    bucket: &Bucket,
    graph: &HostGraph,
    episode: &Episode,
    nodes: &[Work],
    suspicious: bool,
    honeypot: bool,
) -> EpisodeFacts {
    let mut features: BTreeMap<(IndicatorKind, String), Context> = BTreeMap::new();
    let mut killed: BTreeSet<(IndicatorKind, &str)> = BTreeSet::new();
    let mut n_indicator_edges = 0;
    let uses = idle::uses(bucket, graph, nodes);
    let mut untouched: Vec<&Indicator> = Vec::new();
    for (node, becomes) in nodes.iter().zip(uses) {
        n_indicator_edges += node.said.indicators.len() as u64;
        if node.vendors {
            continue;
        }
        for it in &node.said.indicators {
            if it.context == Context::Killed {
                killed.insert((it.kind, &it.value));
                continue;
            }
            if becomes != Use::Used && it.context == Context::Downloaded {
                if becomes == Use::Untouched {
                    untouched.push(it);
                }
                features.entry((it.kind, it.value.clone())).or_insert(Context::Mentioned);
                continue;
            }
            let context = features.entry((it.kind, it.value.clone())).or_insert(it.context);
            *context = (*context).min(it.context);
        }
        // The image itself, where no system keeps its programs.
        if let Some(path) = node.process.and_then(|at| text(bucket, graph.processes[at as usize].file_path))
            && path.contains(['/', '\\'])
            && !boundary::is_system_path(path)
        {
            features.entry((IndicatorKind::FilePath, path.to_owned())).or_insert(Context::Executed);
        }
        if !suspicious && !honeypot {
            continue;
        }
        let mines = node.roles.iter().any(|it| it.0 == NetworkRole::MiningPool);
        let swept = mines || sweeps(bucket, graph, node.process);
        for row in node.process.iter().flat_map(|at| graph.processes[*at as usize].deeds.iter().take(RECORDED_ROWS)) {
            if swept && bucket.rows[*row as usize].class == EventClass::Network {
                continue;
            }
            for it in network::deed_indicators(bucket, &bucket.rows[*row as usize]) {
                n_indicator_edges += 1;
                features.entry((it.kind, it.value)).or_insert(it.context);
            }
        }
    }
    keep_untouched(&mut features, &untouched);
    // Many mine at one pool: only the wallet is somebody's own.
    let pools: BTreeSet<String> = features
        .keys()
        .filter(|(kind, _)| *kind == IndicatorKind::Pool)
        .filter_map(|(kind, value)| crate::merge::stop::host_of(*kind, value))
        .collect();
    features.retain(|(kind, value), _| {
        *kind == IndicatorKind::Pool || crate::merge::stop::host_of(*kind, value).is_none_or(|it| !pools.contains(&it))
    });
    // What it kills belongs to its rivals, unless it runs it itself.
    features
        .retain(|(kind, value), context| *context == Context::Executed || !killed.contains(&(*kind, value.as_str())));
    drop_sweep(&mut features);
    drop_targets(&mut features, nodes);
    let times = || nodes.iter().filter_map(|it| it.time);
    EpisodeFacts {
        id: episode.id,
        host: hash64(bucket.strings.get(graph.host).as_bytes()),
        tenant: hash64(bucket.strings.get(graph.tenant).as_bytes()),
        first: times().min(),
        last: times().max(),
        n_processes: nodes.iter().filter(|it| !it.inferred).count() as u64,
        n_inferred: nodes.iter().filter(|it| it.inferred).count() as u64,
        n_indicator_edges,
        features: features.into_iter().map(|((kind, value), context)| Feature { kind, value, context }).collect(),
        nodes: nodes
            .iter()
            .filter(|it| it.path != 0)
            .map(|it| NodeFacts {
                path: it.path,
                parent: it.parent_path,
                template: it.said.template.clone(),
                sample: it.said.sample(),
                inferred: it.inferred,
                fragment: it.fragment,
                time: it.time,
                part: Part::of(it.time, graph.first, graph.last),
                behaviours: it.behaviours.iter().copied().collect(),
                network_roles: it.roles.iter().map(|(role, _)| *role as u8).collect(),
            })
            .collect(),
        suspicious,
        honeypot,
        method: None,
    }
}
