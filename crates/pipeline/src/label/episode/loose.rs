//! Requests, payloads and scripts that belong to no process → episodes of their own, one for each host and source
//! address.

use std::collections::BTreeMap;
use std::rc::Rc;

use ringleader_model::hash::{hash64, hash128};
use ringleader_model::{Activity, EventClass, Field};

use super::facts::facts;
use super::record::member;
use super::said::Said;
use super::traffic;
use super::work::Work;
use super::{Host, Labeller, RECORDED_ROWS};
use crate::collect::rows::{Bucket, Row};
use crate::connect::episodes::Episode;
use crate::connect::{HostGraph, ParentStatus};
use crate::label::methods::{self, MethodMatch, Stage};
use crate::label::network;
use crate::merge::Sketch;
use crate::merge::record::{EpisodeRecord, MethodRecord, NodeRecord};

/// Characters of a payload that are kept.
const PAYLOAD: usize = 2048;

impl Labeller<'_> {
    /// Requests, payloads and scripts that belong to no process: an episode for each host and source address.
    pub fn label_loose(
        &mut self,
        bucket: &Bucket,
        graph: &HostGraph,
        host: &Host<'_>,
        sketch: &mut Sketch,
    ) -> Vec<EpisodeRecord> {
        let mut by_source: BTreeMap<String, Vec<(u32, Option<MethodMatch>, String)>> = BTreeMap::new();
        for at in &graph.loose {
            let row = &bucket.rows[*at as usize];
            let honeypot = row.sensor_role == ringleader_model::SensorRole::Honeypot;
            let shows = !host.hits.of(*at).is_empty();
            let (payload, script) = match row.class {
                EventClass::Http | EventClass::Network => (network::payload(bucket, row), None),
                EventClass::Process => {
                    let script = bucket
                        .text(row, Field::Body)
                        .or_else(|| if honeypot { bucket.text(row, Field::CmdLine) } else { None });
                    match script {
                        None if shows => (told(bucket, row), None),
                        script => (String::new(), script.map(str::to_owned)),
                    }
                }
                _ if shows => (told(bucket, row), None),
                _ => continue,
            };
            let source = bucket.text(row, Field::SrcIp).map_or_else(
                || format!("{:016x}", hash64(script.as_deref().unwrap_or(&payload).as_bytes())),
                str::to_owned,
            );
            if let Some(script) = script {
                by_source.entry(source).or_default().push((*at, None, script));
            } else if !payload.is_empty() {
                let found = self.identify(&payload).iter().find(|it| it.stage == Stage::Attacked).cloned();
                let unknown = found.is_none() && methods::shape(&payload).is_some();
                if found.is_some() || unknown || shows {
                    by_source.entry(source).or_default().push((*at, found, payload));
                }
            }
        }
        by_source
            .into_iter()
            .filter_map(|(source, rows)| self.loose_episode(bucket, graph, host, &source, &rows, sketch))
            .collect()
    }

    fn loose_episode(
        &mut self,
        bucket: &Bucket,
        graph: &HostGraph,
        host: &Host<'_>,
        source: &str,
        rows: &[(u32, Option<MethodMatch>, String)],
        sketch: &mut Sketch,
    ) -> Option<EpisodeRecord> {
        let mut nodes: Vec<Work> = Vec::new();
        let mut best: Option<(MethodMatch, u32)> = None;
        let mut honeypot = false;
        let mut row_of: Vec<Option<u32>> = Vec::new();
        for (at, found, payload) in rows.iter().take(RECORDED_ROWS) {
            let row = &bucket.rows[*at as usize];
            honeypot |= row.sensor_role == ringleader_model::SensorRole::Honeypot;
            let root = nodes.len();
            let template = match found {
                Some(found) => format!("<request:{}>", self.knowledge.methods.get(found.method).id),
                // One line is a command; several are a script.
                None if row.class == EventClass::Process && !payload.contains('\n') => {
                    crate::extract::template::template(payload)
                }
                None if row.class == EventClass::Process => "<script>".to_owned(),
                None if row.class == EventClass::Http => "<request>".to_owned(),
                None if row.class == EventClass::Network => "<request>".to_owned(),
                None => format!("<event:{}>", row.activity.name().replace('_', "-")),
            };
            let mut indicators = Vec::new();
            self.knowledge.extractor.extract(payload, &mut indicators);
            let text: String = payload.chars().take(PAYLOAD).collect();
            let said = Said::known(&text, hash64(payload.as_bytes()), &template, indicators);
            let behaviours = host.hits.of(*at).iter().copied().collect();
            nodes.push(Work { inferred: false, behaviours, ..Work::unprocessed(Rc::new(said), None, row.time) });
            row_of.push(Some(*at));
            if row.class == EventClass::Process && !matches!(row.activity, Activity::Service) {
                self.expand(&mut nodes, root, payload);
            } else if matches!(row.class, EventClass::Http | EventClass::Network) {
                for script in self.knowledge.extractor.decoded(payload).into_iter().chain(commands_in(payload)) {
                    self.expand(&mut nodes, root, &script);
                }
            }
            row_of.resize(nodes.len(), None);
            if let Some(found) = found
                && best.as_ref().is_none_or(|(it, _)| it.confidence_permille < found.confidence_permille)
            {
                best = Some((found.clone(), *at));
            }
        }
        self.trees(bucket, graph, &mut nodes, honeypot);
        let alerted = self.network_roles(bucket, graph, &mut nodes, host);
        let suspicious = alerted || best.is_some() || self.is_suspicious(&nodes, false);
        let first_row = bucket.rows[rows[0].0 as usize];
        let id = hash128(source.as_bytes(), hash64(host.name.as_bytes()) ^ 17);
        let episode = Episode { id, members: vec![], boundary: None };
        let mut facts = facts(bucket, graph, &episode, &nodes, suspicious, honeypot);
        facts.method = best.as_ref().map(|(it, _)| (it.method.0, it.confidence_permille));
        let records: Vec<NodeRecord> = nodes
            .into_iter()
            .zip(row_of)
            .map(|(it, row)| NodeRecord {
                path: it.path,
                template: it.said.template_hash,
                fragment: it.fragment,
                uid: format!("inferred-{:032x}", hash128(&it.path.to_le_bytes(), id as u64)),
                parent: it.parent.map(|at| at as u32),
                inferred: it.inferred,
                status: ParentStatus::Observed,
                parent_event: None,
                ancestor_event: None,
                file_path: None,
                start: it.time.map(|it| it.0),
                end: None,
                behaviours: it.behaviours.into_iter().collect(),
                network: traffic::told(it.told),
                network_roles: it.roles.into_iter().map(|(role, value)| (role as u8, value)).collect(),
                indicators: it.said.indicators.iter().map(|it| (it.kind, it.context, it.value.clone())).collect(),
                members: row.map(|at| member(bucket, &bucket.rows[at as usize])).into_iter().collect(),
            })
            .collect();
        let method = best.map(|(it, at)| MethodRecord {
            method: it.method.0,
            confidence_permille: it.confidence_permille,
            // A request by itself shows what was tried.
            succeeded: false,
            why: it.matched,
            evidence: vec![member(bucket, &bucket.rows[at as usize])],
            from: bucket.text(&bucket.rows[at as usize], Field::SrcIp).map(str::to_owned),
        });
        let group = sketch.add(facts)?;
        Some(EpisodeRecord {
            id,
            group,
            host: host.name.to_owned(),
            entry: Some(first_row.id.0),
            honeypot,
            suspicious,
            alerted,
            nodes: records,
            abstained_because: method.is_none().then(|| "no_evidence".to_owned()),
            method,
            host_missing: host.missing,
            host_links: host.links,
            ..EpisodeRecord::default()
        })
    }
}

/// What is known of a row that is neither request nor script, in one line.
fn told(bucket: &Bucket, row: &Row) -> String {
    let fields = bucket.fields(row).iter().filter(|(field, _)| *field != Field::SrcPort && *field != Field::Session);
    let parts: Vec<String> =
        fields.map(|(field, sym)| format!("{}={}", field.name(), bucket.strings.get(*sym))).collect();
    parts.join(" ").chars().take(PAYLOAD).collect()
}

/// Shell text inside a request: what stands behind the usual injection marks.
fn commands_in(payload: &str) -> Vec<String> {
    let decoded = methods::normalize::normalize(payload);
    let starts = ["wget ", "curl ", "/bin/sh", "/bin/bash", "busybox ", "powershell", "cmd.exe", "cd /tmp", "cd /var"];
    let Some(at) = starts.iter().filter_map(|it| decoded.find(it)).min() else { return Vec::new() };
    vec![decoded[at..].chars().take(4096).collect()]
}
