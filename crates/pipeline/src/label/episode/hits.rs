//! The rows of a host → the rules and correlations that they match, by row. Processes by themselves are not asked here
//! (`work`), only for what a correlation counts.

use std::collections::BTreeMap;

use ringleader_model::hash::fold64;
use ringleader_model::{EventClass, Field};
use smallvec::SmallVec;

use super::Labeller;
use super::words::Around;
use super::work::Work;
use crate::collect::rows::Bucket;
use crate::connect::{HostGraph, Process, text};
use crate::label::deeds::RowView;
use crate::label::source::{self, Place};
use crate::label::{BehaviourId, ProcessView};

/// By row: behaviours that it shows.
#[derive(Debug, Default)]
pub struct Hits(BTreeMap<u32, SmallVec<[u16; 2]>>);

impl Hits {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn of(&self, row: u32) -> &[u16] {
        self.0.get(&row).map_or(&[], |it| it)
    }

    /// All that rows of no process show.
    pub fn loose(&self, graph: &HostGraph) -> impl Iterator<Item = BehaviourId> {
        graph.loose.iter().flat_map(|it| self.of(*it)).map(|it| BehaviourId(*it))
    }

    /// Whether the process completes a correlation as it starts.
    pub(super) fn at_start(&self, process: &Process) -> bool {
        !self.0.is_empty() && process.starts.iter().any(|it| self.0.contains_key(it))
    }

    pub(super) fn add_to(&self, nodes: &mut [Work], graph: &HostGraph) {
        if self.0.is_empty() {
            return;
        }
        for node in nodes {
            let Some(at) = node.process else { continue };
            let process = &graph.processes[at as usize];
            node.behaviours.extend(process.starts.iter().chain(&process.deeds).flat_map(|it| self.of(*it)));
        }
    }
}

impl Labeller<'_> {
    /// What the rows of a host show. Asked once a host, before its episodes are labelled.
    pub fn hits(&mut self, bucket: &Bucket, graph: &HostGraph) -> Hits {
        let mut hits = Hits::default();
        let behaviours = &self.knowledge.behaviours;
        if !behaviours.deeds.is_empty() {
            let deeds = graph.processes.iter().flat_map(|it| &it.deeds);
            for at in deeds.chain(&graph.loose) {
                let row = &bucket.rows[*at as usize];
                for kind in source::kinds(bucket, row).iter().filter(|it| behaviours.deeds.looks_at(**it)) {
                    // Rows repeat themselves, ports and times aside.
                    let port = |field| field == Field::SrcPort && !behaviours.deeds.asks_ports;
                    let telling = bucket.fields(row).iter().filter(|(field, _)| !is_volatile(*field) && !port(*field));
                    let mut key = fold64([*kind as u64, row.activity as u64, 0, 0]);
                    for (field, sym) in telling {
                        key = fold64([key, *field as u64, bucket.strings.hash(*sym), 1]);
                    }
                    let found = self.show_once(key, |it| {
                        it.deeds.matching(bucket, row, *kind).into_iter().map(BehaviourId).collect()
                    });
                    if !found.is_empty() {
                        hits.0.entry(*at).or_default().extend_from_slice(&found);
                    }
                }
            }
        }
        self.correlate(bucket, graph, &mut hits);
        hits
    }

    fn correlate(&mut self, bucket: &Bucket, graph: &HostGraph, hits: &mut Hits) {
        let behaviours = &self.knowledge.behaviours;
        if behaviours.correlations.is_empty() {
            return;
        }
        let mut watch = behaviours.correlations.watch();
        // In time order: rows are sorted so, and their numbers with them.
        let starts = graph.processes.iter().filter_map(|it| Some((*it.starts.first()?, Some(it))));
        let deeds = graph.processes.iter().flat_map(|it| &it.deeds).chain(&graph.loose).map(|it| (*it, None));
        let mut rows: Vec<(u32, Option<&Process>)> = starts.chain(deeds).collect();
        rows.sort_by_key(|it| it.0);
        for (at, process) in rows {
            let row = &bucket.rows[at as usize];
            let Some(time) = row.time else { continue };
            if row.class == EventClass::Process
                && let Some(process) = process
            {
                let view = view(bucket, graph, process);
                let found = watch.see(&view, Place::Process, |os| view.is_of(os), time);
                add(hits, at, &found);
                continue;
            }
            for kind in source::kinds(bucket, row) {
                let view = RowView { bucket, row, kind: *kind };
                let found = watch.see(&view, Place::Row(*kind), |os| view.is_of(os), time);
                add(hits, at, &found);
            }
        }
    }
}

fn add(hits: &mut Hits, at: u32, found: &[u16]) {
    if !found.is_empty() {
        hits.0.entry(at).or_default().extend_from_slice(found);
    }
}

/// Everything that is known of a process.
fn view<'b>(bucket: &'b Bucket, graph: &HostGraph, process: &Process) -> ProcessView<'b> {
    let around = Around::of(graph, process);
    let start = process.starts.first().map(|it| &bucket.rows[*it as usize]);
    let file_path = text(bucket, around.file_path);
    ProcessView {
        file_path,
        cmd_line: text(bucket, process.cmd_line),
        parent_file_path: text(bucket, around.parent_path),
        parent_cmd_line: text(bucket, around.parent_cmd_line),
        user: text(bucket, around.user),
        cwd: start.and_then(|it| bucket.text(it, Field::Cwd)),
        hashes: start.and_then(|it| bucket.text(it, Field::Hash)),
        windows: file_path.is_some_and(|it| it.contains('\\')),
    }
}

/// What no rule asks for, and tells rows apart that are alike.
fn is_volatile(field: Field) -> bool {
    matches!(field, Field::ProcessGuid | Field::ParentGuid | Field::ProcessStart | Field::BytesIn | Field::BytesOut)
}
