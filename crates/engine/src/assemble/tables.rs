//! records, host after host → the rows of the tables, and what is seen of each gang. One host's records are in memory at
//! a time.

use std::collections::BTreeMap;
use std::io;

use ringleader_model::findings::*;
use ringleader_model::hash::hash128;
use ringleader_model::{EventId, Rows, Tables, Timestamp};
use ringleader_pipeline::label::BehaviourId;
use ringleader_pipeline::merge::record::{EpisodeRecord, MemberRecord, NodeRecord};
use ringleader_pipeline::merge::repair::{Instance, Repair, repairs};

use super::remnants::Remnants;
use super::roles::Roles;
use super::seen::shown_by;
use super::{Assembly, Group, hex, technique};
use crate::records::ProcessRecord;
use crate::runs::Merged;

/// Process rows handed on at a time.
const BATCH: usize = 1 << 13;

/// (campaign, node, grade) → what its repairs add up to
type Sums = BTreeMap<(Text, Text, Grade), Repaired>;

impl Assembly<'_> {
    /// Every host once, in order.
    pub(super) fn hosts(&mut self, tables: &mut dyn Tables) -> io::Result<()> {
        let analyzed = self.analyzed;
        let mut records = analyzed.records.merged()?;
        let mut processes = analyzed.processes.as_ref().map(|it| it.merged()).transpose()?;
        let mut sums = Sums::new();
        let remnants = Remnants::of(self)?;
        let mut roles = Roles::of(analyzed);
        loop {
            let of_records = records.peek().map(|it| &it.host);
            let of_processes = processes.as_ref().and_then(|it| it.peek()).map(|it| &it.host);
            let Some(host) = of_records.into_iter().chain(of_processes).min().cloned() else { break };
            let mut of_host = Vec::new();
            while let Some(record) = records.next_if(|it| it.host == host)? {
                of_host.push(record);
            }
            let shown = remnants.attached(self, of_host);
            let name: Text = host.into();
            let rows = self.host(&name, &shown, &mut sums);
            roles.host(self, &name, &shown);
            if let Some(processes) = &mut processes {
                self.processes(processes, &name, &rows.members, tables)?;
            }
            rows.give(tables)?;
        }
        roles.rest(self);
        self.findings.repaired = sums.into_values().collect();
        Ok(())
    }

    fn host(&mut self, host: &Text, shown: &[(EpisodeRecord, usize)], sums: &mut Sums) -> Rows {
        let mut rows = Rows::default();
        let ways_in = self.ways_in(shown);
        for (record, campaign) in shown {
            let gang = self.gang_of.get(campaign).copied();
            let ids = Ids {
                host: host.clone(),
                episode_id: hex(record.id),
                campaign_id: hex(self.campaigns.list[*campaign].id),
                gang_id: gang.map(|it| hex(self.gangs[it].id)),
            };
            let way_in = gang.and_then(|it| ways_in.get(&it).copied());
            rows.episodes.push(self.episode(record, *campaign, gang, way_in, &ids));
            self.members(record, &ids, &mut rows);
            self.note(record, *campaign, gang, host);
            self.told.insert(*campaign);
        }
        self.repairs(host, shown, &mut rows);
        for row in &rows.repairs {
            let sum = Repaired::of(row);
            let key = (sum.campaign_id.clone(), sum.node_id.clone(), sum.grade);
            sums.entry(key).and_modify(|it| it.merge(&sum)).or_insert(sum);
        }
        rows.episodes.sort_by(|a, b| a.episode_id.cmp(&b.episode_id));
        rows.members.sort_by_key(|it| (it.time, it.event_id));
        rows.members.dedup_by_key(|it| it.event_id);
        rows.behaviours.sort_by(|a, b| (a.time, a.event_id, &a.behaviour).cmp(&(b.time, b.event_id, &b.behaviour)));
        rows.repairs.sort_by(|a, b| {
            (&a.episode_id, &a.node_id, a.child_event_id).cmp(&(&b.episode_id, &b.node_id, b.child_event_id))
        });
        rows
    }

    /// The way in of an intrusion (a gang on a host) is that of its best explained episode: what cron started again was
    /// not let in by cron.
    fn ways_in(&self, shown: &[(EpisodeRecord, usize)]) -> BTreeMap<usize, (u16, u16)> {
        let mut best: BTreeMap<usize, (u16, u16)> = BTreeMap::new();
        for (record, campaign) in shown {
            let (Some(gang), Some(method)) = (self.gang_of.get(campaign), &record.method) else { continue };
            let slot = best.entry(*gang).or_insert((method.method, 0));
            if (method.confidence_permille, std::cmp::Reverse(method.method)) > (slot.1, std::cmp::Reverse(slot.0)) {
                *slot = (method.method, method.confidence_permille);
            }
        }
        best
    }

    fn episode(
        &self,
        record: &EpisodeRecord,
        campaign: usize,
        gang: Option<usize>,
        way_in: Option<(u16, u16)>,
        ids: &Ids,
    ) -> EpisodeRow {
        let method = way_in.or_else(|| record.method.as_ref().map(|it| (it.method, it.confidence_permille)));
        let known = method.map(|(at, _)| &self.knowledge.methods.all()[usize::from(at)]);
        EpisodeRow {
            episode_id: ids.episode_id.clone(),
            host: ids.host.clone(),
            entry: record.entry.map(hex),
            intrusion_id: gang.map(|it| hex(intrusion(&ids.host, self.gangs[it].id))),
            campaign_id: ids.campaign_id.clone(),
            gang_id: ids.gang_id.clone(),
            method: known.map(|it| it.id.as_str().into()),
            cve: known.and_then(|it| it.cve.as_deref()).map(Into::into),
            confidence: method.map(|(_, confidence)| Permille::new(confidence)),
            abstained_because: if method.is_some() {
                None
            } else {
                record.abstained_because.as_deref().map(Into::into)
            },
            signature_kind: self.signature_kind(campaign),
        }
    }

    fn signature_kind(&self, campaign: usize) -> Text {
        let first = self.campaigns.list[campaign].signature.first().and_then(|it| self.feature(it));
        first.map_or("structure", |it| it.kind().name()).into()
    }

    fn members(&self, record: &EpisodeRecord, ids: &Ids, rows: &mut Rows) {
        for node in &record.nodes {
            rows.members.extend(node.members.iter().map(|it| self.member(it, node, ids)));
            let Some(member) = node.members.first() else { continue };
            for known in node.behaviours.iter().filter_map(|it| self.knowledge.behaviours.get(BehaviourId(*it))) {
                rows.behaviours.push(BehaviourRow {
                    host: ids.host.clone(),
                    event_id: EventId(member.event),
                    time: member.time.map(Timestamp),
                    behaviour: known.id.as_str().into(),
                    technique: technique(&known.technique),
                    episode_id: Some(ids.episode_id.clone()),
                    campaign_id: Some(ids.campaign_id.clone()),
                    gang_id: ids.gang_id.clone(),
                });
            }
        }
    }

    fn member(&self, member: &MemberRecord, node: &NodeRecord, ids: &Ids) -> MemberRow {
        let ancestor = if node.parent_event.is_none() { node.ancestor_event } else { None };
        MemberRow {
            host: ids.host.clone(),
            event_id: EventId(member.event),
            source_event_id: member.own_id.as_deref().map(Into::into),
            source: self.source(member.source),
            offset: member.offset,
            length: u64::from(member.length),
            time: member.time.map(Timestamp),
            pid: member.pid,
            process_uid: Some(node.uid.as_str().into()),
            parent_event_id: node.parent_event.map(EventId),
            ancestor_event_id: ancestor.map(EventId),
            parent_status: node.status,
            episode_id: ids.episode_id.clone(),
            campaign_id: ids.campaign_id.clone(),
            gang_id: ids.gang_id.clone(),
        }
    }

    /// Gang by gang: what one episode misses, another of the host may show.
    fn repairs(&self, host: &Text, shown: &[(EpisodeRecord, usize)], rows: &mut Rows) {
        let mut of_group: BTreeMap<Group, Vec<usize>> = BTreeMap::new();
        for (at, (_, campaign)) in shown.iter().enumerate() {
            of_group.entry(self.group_of(*campaign)).or_default().push(at);
        }
        for (group, of) in of_group {
            let instances: Vec<Instance<'_>> =
                of.iter().map(|it| (&shown[*it].0, &self.campaigns.list[shown[*it].1])).collect();
            let found = repairs(&self.steps[&group], &instances, self.loss);
            for ((record, campaign), found) in instances.into_iter().zip(found) {
                let row = |it: Repair| RepairRow {
                    host: host.clone(),
                    episode_id: hex(record.id),
                    campaign_id: hex(campaign.id),
                    node_id: hex(it.node),
                    parent_node_id: it.parent_node.map(hex),
                    template: it.template.into(),
                    file_path: it.file_path.map(Into::into),
                    grade: it.grade,
                    child_event_id: it.child_event.map(EventId),
                    parent_event_id: it.parent_event.map(EventId),
                    siblings: it.siblings,
                    support: it.support,
                    confidence: Permille::new(it.confidence_permille),
                    not_before: it.not_before.map(Timestamp),
                    not_after: it.not_after.map(Timestamp),
                };
                rows.repairs.extend(found.into_iter().map(row));
            }
        }
    }

    /// Adds one record to what is said of its campaign's nodes and of its gang.
    fn note(&mut self, record: &EpisodeRecord, campaign: usize, gang: Option<usize>, host: &Text) {
        let view = &self.campaigns.list[campaign];
        for node in &record.nodes {
            // An inferred node is evidenced by what it was inferred from: the node above it that was logged.
            if let Some(examples) = self.node_evidence.get_mut(&(campaign, view.resolve(node.path)))
                && let Some(shown) = shown_by(record, node)
            {
                examples.add(shown, node.inferred);
            }
        }
        if let Some(gang) = gang {
            self.seen[gang].note(record, host);
        }
    }

    /// The process events of one host, those of its campaigns marked.
    fn processes(
        &self,
        records: &mut Merged<'_, ProcessRecord>,
        host: &Text,
        members: &[MemberRow],
        tables: &mut dyn Tables,
    ) -> io::Result<()> {
        let of_event: BTreeMap<EventId, &MemberRow> = members.iter().map(|it| (it.event_id, it)).collect();
        let mut rows = Vec::new();
        while let Some(record) = records.next_if(|it| *it.host == **host)? {
            let source = self.source(record.member.source);
            let mut row = record.row(host.clone(), source);
            if let Some(member) = of_event.get(&row.event_id) {
                (row.campaign_id, row.gang_id) = (Some(member.campaign_id.clone()), member.gang_id.clone());
            }
            rows.push(row);
            if rows.len() == BATCH {
                tables.processes(std::mem::take(&mut rows))?;
            }
        }
        tables.processes(rows)
    }
}

struct Ids {
    host: Text,
    episode_id: Text,
    campaign_id: Text,
    gang_id: Option<Text>,
}

fn intrusion(host: &str, gang: u128) -> u128 {
    hash128(host.as_bytes(), gang as u64 ^ 0x700)
}
