//! campaigns → their merged graphs, and the indicators of those that are a gang's.

use std::collections::BTreeSet;

use ringleader_model::Timestamp;
use ringleader_model::findings::*;
use ringleader_pipeline::label::BehaviourId;
use ringleader_pipeline::label::network::NetworkRole;

use super::{Assembly, hex, strength};

impl Assembly<'_> {
    pub(super) fn campaign_list(&mut self) {
        for at in 0..self.campaigns.list.len() {
            if !self.shown(at) || !self.told.contains(&at) {
                continue;
            }
            let campaign = &self.campaigns.list[at];
            let signature = campaign
                .signature
                .iter()
                .filter_map(|it| self.feature(it))
                .map(|it| SignaturePart { kind: it.kind().name().into(), value: it.value.as_str().into() });
            let mut signature: Vec<SignaturePart> = signature.collect();
            signature.sort_by(|a, b| (&a.kind, &a.value).cmp(&(&b.kind, &b.value)));
            if signature.is_empty() {
                signature.push(SignaturePart { kind: "structure".into(), value: hex(campaign.groups[0]) });
            }
            let mut stopped: Vec<Stopped> = campaign
                .stopped
                .iter()
                .filter_map(|(key, why)| {
                    let it = self.feature(key)?;
                    it.reach()?;
                    Some(Stopped {
                        kind: it.kind().name().into(),
                        value: it.value.as_str().into(),
                        why: (*why).to_owned(),
                        hosts: it.hosts.count(),
                        tenants: it.tenants.count(),
                    })
                })
                .collect();
            stopped.sort_by(|a, b| (&a.kind, &a.value).cmp(&(&b.kind, &b.value)));
            let graph = campaign.graph();
            let (campaign_id, gang_id) = (hex(campaign.id), self.gang_of.get(&at).map(|it| hex(self.gangs[*it].id)));
            let mut nodes = Vec::with_capacity(graph.len());
            for (key, it) in graph {
                let claim = format!("campaign {}: {}", &campaign_id[..8], it.template);
                let seen = self.node_evidence.remove(&(at, key)).unwrap_or_default();
                let evidence_ids = self.evidence_of(&seen, "node", &claim, None, 10);
                nodes.push(Node {
                    node_id: hex(key),
                    parent: it.parent.map(hex),
                    template: it.template.as_str().into(),
                    sample: (!it.sample.is_empty()).then(|| it.sample.as_str().into()),
                    observed_count: it.observed,
                    inferred_count: it.inferred,
                    hosts: it.hosts.count(),
                    behaviours: it
                        .behaviours
                        .keys()
                        .filter_map(|it| self.knowledge.behaviours.get(BehaviourId(*it)))
                        .map(|it| it.id.as_str().into())
                        .collect(),
                    network_roles: it
                        .network_roles
                        .keys()
                        .chain(self.node_roles.get(&(at, key)).into_iter().flatten())
                        .collect::<BTreeSet<_>>()
                        .into_iter()
                        .filter_map(|it| NetworkRole::from_code(*it))
                        .map(|it| it.name().into())
                        .collect(),
                    first_seen: it.first.map(Timestamp),
                    last_seen: it.last.map(Timestamp),
                    evidence_ids,
                });
            }
            self.findings.campaigns.push(Campaign { campaign_id, gang_id, signature, nodes, stopped });
        }
        self.findings.campaigns.sort_by(|a, b| a.campaign_id.cmp(&b.campaign_id));
    }

    pub(super) fn indicators(&mut self) {
        let mut rows = Vec::new();
        for (at, campaign) in self.campaigns.list.iter().enumerate().filter(|(at, _)| self.gang_of.contains_key(at)) {
            for feature in campaign.features.iter().filter_map(|it| self.feature(it)) {
                let Some(reach) = feature.reach() else { continue };
                let Some(context) = feature.contexts().next() else { continue };
                if self.decided.allowed.contains(&feature.value) {
                    continue;
                }
                rows.push(IndicatorRow {
                    indicator: feature.value.as_str().into(),
                    kind: feature.kind(),
                    strength: strength(reach),
                    context,
                    gang_id: self.gang_of.get(&at).map(|it| hex(self.gangs[*it].id)),
                    campaign_id: hex(campaign.id),
                    hosts: feature.hosts.count(),
                    first_seen: feature.first.map(Timestamp),
                    last_seen: feature.last.map(Timestamp),
                });
            }
        }
        rows.sort_by(|a, b| {
            (&a.gang_id, &a.campaign_id, a.kind, &a.indicator).cmp(&(&b.gang_id, &b.campaign_id, b.kind, &b.indicator))
        });
        self.findings.indicators = rows;
    }
}
