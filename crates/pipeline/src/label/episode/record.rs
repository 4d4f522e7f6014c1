//! A labelled episode → its record: places and ids, for the findings.

use ringleader_model::hash::hash128;

use super::traffic;
use super::work::Work;
use super::{Host, RECORDED_ROWS};
use crate::collect::rows::{Bucket, Row};
use crate::connect::episodes::Episode;
use crate::connect::{HostGraph, ParentStatus, Process, text};
use crate::merge::record::{EpisodeRecord, MemberRecord, NodeRecord};

pub(super) fn record(
    bucket: &Bucket,
    graph: &HostGraph,
    episode: &Episode,
    nodes: Vec<Work>,
    host: &Host<'_>,
    suspicious: bool,
) -> EpisodeRecord {
    let event_of = |process: &Process| process.starts.first().map(|it| bucket.rows[*it as usize].id.0);
    let nodes: Vec<NodeRecord> = nodes
        .into_iter()
        .map(|it| {
            let process = it.process.map(|at| &graph.processes[at as usize]);
            let parent = process.and_then(|it| it.parent).map(|at| &graph.processes[at as usize]);
            let ancestor = process.and_then(|it| it.ancestor).map(|at| &graph.processes[at as usize]);
            let status = process.map_or(ParentStatus::Observed, |it| it.status);
            NodeRecord {
                path: it.path,
                template: it.said.template_hash,
                fragment: it.fragment,
                uid: process.map_or_else(
                    || format!("inferred-{:032x}", hash128(&it.path.to_le_bytes(), episode.id as u64)),
                    |it| process_uid(bucket, it),
                ),
                parent: it.parent.map(|at| at as u32),
                inferred: it.inferred,
                status,
                parent_event: parent.filter(|it| !it.inferred).and_then(event_of),
                ancestor_event: ancestor.and_then(event_of),
                file_path: process.and_then(|it| text(bucket, it.file_path)).map(str::to_owned),
                start: it.time.map(|it| it.0),
                end: process.and_then(|it| it.end).map(|it| it.0),
                behaviours: it.behaviours.into_iter().collect(),
                network: traffic::of(bucket, process, it.told, host, suspicious),
                network_roles: it.roles.into_iter().map(|(role, value)| (role as u8, value)).collect(),
                indicators: it.said.indicators.iter().map(|it| (it.kind, it.context, it.value.clone())).collect(),
                members: process
                    .map(|it| it.starts.iter().chain(it.deeds.iter().take(RECORDED_ROWS)))
                    .into_iter()
                    .flatten()
                    .map(|at| member(bucket, &bucket.rows[*at as usize]))
                    .collect(),
            }
        })
        .collect();
    let entry = &graph.processes[episode.members[0] as usize];
    EpisodeRecord {
        id: episode.id,
        group: 0,
        host: host.name.to_owned(),
        entry: event_of(entry),
        nodes,
        host_missing: host.missing,
        host_links: host.links,
        ..EpisodeRecord::default()
    }
}

/// The sensor's GUID, else derived from the first event.
pub fn process_uid(bucket: &Bucket, process: &Process) -> String {
    match text(bucket, process.guid) {
        Some(guid) if !process.inferred => guid.to_owned(),
        _ => process.uid.to_string(),
    }
}

/// Where a row stands, for whoever must find it again.
pub fn member(bucket: &Bucket, row: &Row) -> MemberRecord {
    MemberRecord {
        event: row.id.0,
        own_id: bucket.source_event_id(row).map(str::to_owned),
        source: row.place.source,
        offset: row.place.offset,
        length: row.place.length,
        time: row.time.map(|it| it.0),
        pid: row.pid,
    }
}
