//! The nodes of an episode → what their network side was used for, and what several of them show together.

use std::collections::BTreeSet;

use ringleader_model::findings::JoinedBy;
use ringleader_model::{Context, EventClass, Field, IndicatorKind};

use super::record::member;
use super::traffic;
use super::work::Work;
use super::{Host, Labeller, RECORDED_ROWS};
use crate::collect::rows::Bucket;
use crate::connect::{HostGraph, text};
use crate::label::network::{self, NetworkRole};
use crate::label::{Node, Signs, Tree, tree};
use crate::merge::record::Told;

/// Alerts told of one process.
const TOLD: usize = 64;

impl Labeller<'_> {
    /// What several nodes show together, noted at the one that completes it.
    pub(super) fn trees(&self, bucket: &Bucket, graph: &HostGraph, nodes: &mut [Work], honeypot: bool) {
        let signs = signs(bucket, graph, nodes);
        if !signs.may_show() {
            return;
        }
        let connects: Vec<Vec<String>> = nodes.iter().map(|it| connections(bucket, graph, it.process)).collect();
        let tree = Tree {
            nodes: nodes
                .iter()
                .zip(&connects)
                .map(|(it, connects)| Node {
                    parent: it.parent,
                    file_path: it.process.and_then(|at| text(bucket, graph.processes[at as usize].file_path)),
                    cmd_line: (!it.inferred || it.process.is_none()).then_some(&*it.said.text),
                    start: it.time,
                    inferred: it.inferred,
                    indicators: &it.said.indicators,
                    files_written: it.process.map(|at| files_written(bucket, graph, at)).unwrap_or_default(),
                    connects: connects.iter().map(String::as_str).collect(),
                    honeypot,
                })
                .collect(),
        };
        let found = self.knowledge.behaviours.of_tree_with(&tree, &signs);
        drop(tree);
        for it in found {
            if let Some(node) = it.nodes.last() {
                nodes[*node].behaviours.insert(it.behaviour.0);
            }
        }
    }

    /// Alerts and flows of network sensors, joined by the log's own pid, else by host, address and time, else by
    /// indicator alone. Returns whether an alert named something of this episode.
    pub(super) fn network_roles(
        &self,
        bucket: &Bucket,
        graph: &HostGraph,
        nodes: &mut [Work],
        host: &Host<'_>,
    ) -> bool {
        let mut alerted = false;
        for node in nodes.iter_mut() {
            let mut values: BTreeSet<String> = BTreeSet::new();
            if let Some(at) = node.process {
                for deed in graph.processes[at as usize].deeds.iter().take(RECORDED_ROWS) {
                    let row = &bucket.rows[*deed as usize];
                    if row.class == EventClass::Detection {
                        alerted = true;
                        if let Some(role) = bucket.text(row, Field::NetworkRole).and_then(NetworkRole::from_name) {
                            let value = network::subject(bucket, row).unwrap_or_default();
                            let alert = member(bucket, row);
                            node.told.insert(Told {
                                role: role as u8,
                                value: value.clone(),
                                joined: JoinedBy::Process,
                                alert,
                            });
                            node.roles.insert((role, value));
                        }
                    }
                    if !host.signals.is_empty() {
                        values.extend(network::values(bucket, row));
                    }
                }
            }
            if host.signals.is_empty() {
                continue;
            }
            values.extend(
                node.said.indicators.iter().filter(|it| it.context != Context::Killed).flat_map(network::values_of),
            );
            for value in &values {
                for signal in host.signals.about(value) {
                    if host.may_be_of(signal) {
                        let ends = [signal.from.as_deref(), signal.to.as_deref()];
                        let process = node.process.map(|it| &graph.processes[it as usize]);
                        let by_call = host.is_end_of(signal)
                            && process.is_some_and(|it| traffic::called(bucket, it, &ends, signal.time.map(|it| it.0)));
                        let joined = if by_call { JoinedBy::FiveTuple } else { JoinedBy::Indicator };
                        let (role, alert) = (signal.role as u8, signal.member.clone());
                        if node.told.len() < TOLD {
                            node.told.insert(Told { role, value: value.clone(), joined, alert });
                        }
                        node.roles.insert((signal.role, value.clone()));
                        alerted |= signal.alert;
                    }
                }
            }
        }
        alerted
    }

    /// What the host's own log shows of a process's network side: whom a reverse shell or a miner talks to.
    pub(super) fn own_roles(&self, bucket: &Bucket, graph: &HostGraph, nodes: &mut [Work]) {
        let id = |name: &str| self.knowledge.behaviours.by_name(name).map(|it| it.0);
        let kinds = [
            (id("opens_reverse_shell"), NetworkRole::C2),
            (id("starts_miner"), NetworkRole::MiningPool),
            (id("downloads_then_runs"), NetworkRole::DownloadSource),
        ];
        for at in 0..nodes.len() {
            for (behaviour, role) in kinds {
                if !behaviour.is_some_and(|it| nodes[at].behaviours.contains(&it)) {
                    continue;
                }
                let wanted = if role == NetworkRole::DownloadSource { Context::Downloaded } else { Context::Connected };
                let named: Vec<String> = nodes[at]
                    .said
                    .indicators
                    .iter()
                    .filter(|it| {
                        it.context == wanted
                            && matches!(it.kind, IndicatorKind::IpPort | IndicatorKind::Url | IndicatorKind::Pool)
                    })
                    .map(|it| it.value.clone())
                    .collect();
                // A shell's connection is its own, or that of what it started.
                let below: Vec<String> = if role == NetworkRole::C2 {
                    let of = |it: &Work| connections(bucket, graph, it.process);
                    nodes.iter().filter(|it| it.parent == Some(at)).flat_map(of).chain(of(&nodes[at])).collect()
                } else {
                    Vec::new()
                };
                nodes[at].roles.extend(named.into_iter().chain(below).map(|it| (role, it)));
            }
        }
    }
}

fn connections(bucket: &Bucket, graph: &HostGraph, process: Option<u32>) -> Vec<String> {
    let Some(at) = process else { return Vec::new() };
    graph.processes[at as usize]
        .deeds
        .iter()
        .take(RECORDED_ROWS)
        .map(|it| &bucket.rows[*it as usize])
        .filter(|row| row.class == EventClass::Network)
        .filter_map(|row| {
            Some(format!("{}:{}", bucket.text(row, Field::DstIp)?, bucket.text(row, Field::DstPort).unwrap_or("0")))
        })
        .collect()
}

fn files_written<'b>(bucket: &'b Bucket, graph: &HostGraph, process: u32) -> Vec<&'b str> {
    graph.processes[process as usize]
        .deeds
        .iter()
        .take(RECORDED_ROWS)
        .map(|it| &bucket.rows[*it as usize])
        .filter(|row| row.class == EventClass::File)
        .filter_map(|row| bucket.text(row, Field::TargetPath))
        .collect()
}

/// What the commands of the nodes add up to.
fn signs(bucket: &Bucket, graph: &HostGraph, nodes: &[Work]) -> Signs {
    let mut all = Signs::default();
    for node in nodes {
        let process = node.process.map(|at| &graph.processes[at as usize]);
        if process.is_some_and(|it| !it.deeds.is_empty()) {
            return Signs::UNKNOWN;
        }
        let file_path = process.and_then(|it| text(bucket, it.file_path));
        let windows = tree::is_windows_path(file_path.unwrap_or(&node.said.text));
        match process.filter(|it| it.inferred) {
            // Of an unlogged process the image is all that is known to have run.
            Some(_) => all.add(&Signs::of(file_path.unwrap_or_default(), windows)),
            None => all.add(node.said.signs(windows)),
        }
    }
    all
}
