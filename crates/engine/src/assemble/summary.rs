//! What was read, what is new, and how well it could have been seen.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::findings::*;
use ringleader_model::hash::hash128;

use super::{Assembly, hex};
use crate::buckets::Buckets;

impl Assembly<'_> {
    pub(super) fn warn(&mut self, gang: &Gang, known: Option<&BTreeSet<String>>) {
        let mut add = |kind: WarningKind, rank: u16, text: String, evidence_ids: Vec<Text>| {
            self.findings.warnings.push(Warning {
                warning_id: hex(hash128(format!("{}\n{}\n{text}", kind.name(), gang.gang_id).as_bytes(), 0x600)),
                kind,
                gang_id: Some(gang.gang_id.clone()),
                time: gang.who.first_seen,
                text,
                evidence_ids,
                rank,
                subject: Vec::new(),
                hosts: gang.who.hosts.len() as u64,
                to_do: String::new(),
                held: false,
            });
        };
        match known {
            None => {
                let evidence = gang.how.first().map(|it| it.evidence_ids.clone());
                let evidence = evidence.or_else(|| gang.what.behaviours.first().map(|it| it.evidence_ids.clone()));
                add(
                    WarningKind::NewGang,
                    80,
                    format!("{} is new, on {} hosts", gang.name, gang.who.hosts.len()),
                    evidence.unwrap_or_default(),
                );
            }
            Some(methods) => {
                for how in gang.how.iter().filter(|it| !methods.contains(&*it.method)) {
                    add(
                        WarningKind::NewMethod,
                        90,
                        format!("{} takes up {}", gang.name, how.method),
                        how.evidence_ids.clone(),
                    );
                }
            }
        }
        self.findings.warnings.sort_by(|a, b| a.warning_id.cmp(&b.warning_id));
    }

    /// Every host that logged or was named by an address of its own.
    fn fleet(&self) -> Vec<FleetHost> {
        let mut hosts: BTreeMap<&str, Vec<Text>> =
            self.analyzed.health.keys().map(|it| (it.as_str(), Vec::new())).collect();
        for (address, host) in &self.analyzed.own_addresses {
            hosts.entry(host.as_deref().unwrap_or(address)).or_default().push(address.as_str().into());
        }
        hosts.into_iter().map(|(host, addresses)| FleetHost { host: host.into(), addresses }).collect()
    }

    pub(super) fn summary(&mut self, buckets: &dyn Buckets) {
        let counts = &self.analyzed.sketch.counts;
        let after: u64 = self
            .campaigns
            .list
            .iter()
            .map(|it| {
                let nodes = (it.nodes.len() - it.aligned.len()) as u64;
                let edges = it.nodes.values().filter(|it| it.parent.is_some()).count() as u64;
                nodes + edges + 2 * (it.features.len() + it.stopped.len()) as u64
            })
            .sum();
        let background = 2 * self.analyzed.sketch.background.len() as u64;
        let sources = by_name(buckets.sources());
        self.findings.summary = Summary {
            events_read: sources.iter().map(|it| it.read).sum(),
            events_rejected: sources.iter().map(|it| it.rejected).sum(),
            events_duplicate: counts.duplicates,
            sources,
            hosts: counts.hosts,
            processes: counts.processes,
            episodes: counts.episodes,
            nodes_edges_before: counts.processes
                + counts.inferred
                + counts.indicators
                + counts.parent_edges
                + counts.indicator_edges,
            nodes_edges_after: after + background,
            campaigns: self.findings.campaigns.len() as u64,
            gangs: self.findings.gangs.len() as u64,
        };
        self.findings.fleet = self.fleet();
        self.findings.rejected = buckets.rejected().to_vec();
        self.findings.rejected.sort_by(|a, b| {
            (&a.source, a.offset, a.length, &a.reason).cmp(&(&b.source, b.offset, b.length, &b.reason))
        });
        self.findings.alerted_hosts =
            self.analyzed.has_alerts.then(|| self.analyzed.alerted_hosts.iter().map(|it| it.as_str().into()).collect());
        self.findings.looked_for = BTreeMap::from([
            ("behaviours".to_owned(), self.knowledge.behaviours.all().len() as u64),
            ("methods".to_owned(), self.knowledge.methods.all().len() as u64),
            ("formats".to_owned(), ringleader_pipeline::collect::FORMATS.len() as u64),
        ]);
    }
}

/// Sources in order of their names and formats. What has both in common is one.
fn by_name(sources: &[SourceSummary]) -> Vec<SourceSummary> {
    let mut merged: BTreeMap<(&Text, &Option<Text>), SourceSummary> = BTreeMap::new();
    for it in sources {
        let named = || SourceSummary { source: it.source.clone(), format: it.format.clone(), ..Default::default() };
        let sum = merged.entry((&it.source, &it.format)).or_insert_with(named);
        sum.read += it.read;
        sum.rejected += it.rejected;
        for (reason, n) in &it.reasons {
            *sum.reasons.entry(reason.clone()).or_default() += n;
        }
    }
    merged.into_values().collect()
}
