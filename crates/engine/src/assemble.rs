//! sketch + records → findings: campaigns, gangs, repairs, and the evidence of every claim.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::findings::*;
use ringleader_model::hash::hash128;
use ringleader_model::{EventId, IndicatorKind, Timestamp};
use ringleader_pipeline::label::BehaviourId;
use ringleader_pipeline::label::episode::Knowledge;
use ringleader_pipeline::label::network::NetworkRole;
use ringleader_pipeline::merge::campaigns::{self, Campaigns};
use ringleader_pipeline::merge::record::{EpisodeRecord, MemberRecord, NodeRecord};
use ringleader_pipeline::merge::repair::repairs;
use ringleader_pipeline::merge::sketch::{FeatureStat, Key, Reach, earlier};
use ringleader_pipeline::merge::stop::StopList;
use ringleader_pipeline::partition::{self, Registry};

use crate::analyze::Analyzed;
use crate::buckets::Buckets;
use crate::excerpts::{Spool, quote};

use crate::collect::UNKNOWN_HOST;

/// Best examples of each claim.
const EXAMPLES: usize = 3;

/// What an earlier run found, where the user gave it.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub registry: Registry,
    /// gang → methods it is known to use
    pub methods: BTreeMap<u128, BTreeSet<String>>,
}

impl Known {
    /// From the gangs of an earlier run.
    pub fn of(gangs: &[Gang]) -> Self {
        let mut known = Self::default();
        for gang in gangs {
            let Ok(id) = u128::from_str_radix(&gang.gang_id, 16) else { continue };
            let keys = gang.who.indicators.iter().flat_map(|(kind, values)| {
                let kind = IndicatorKind::from_name(kind);
                values
                    .iter()
                    .filter_map(move |it| Some(ringleader_pipeline::merge::sketch::feature_key(kind?, &it.value)))
            });
            known.registry.insert(id, keys.collect());
            known.methods.insert(id, gang.how.iter().map(|it| it.method.to_string()).collect());
        }
        known
    }
}

/// Everything the report is made of.
pub fn assemble(
    analyzed: &Analyzed,
    buckets: &dyn Buckets,
    knowledge: &Knowledge,
    known: &Known,
    spool: &Spool,
) -> Findings {
    let list = StopList::builtin().with_own(analyzed.own_addresses.keys().cloned());
    let campaigns = campaigns::campaigns(&analyzed.sketch, &list);
    let gangs = partition::partition(&analyzed.sketch, &campaigns, &known.registry);
    let mut gang_of: BTreeMap<usize, usize> = BTreeMap::new();
    for (at, gang) in gangs.iter().enumerate() {
        gang_of.extend(gang.campaigns.iter().map(|it| (*it, at)));
    }
    let mut it = Assembly {
        analyzed,
        knowledge,
        campaigns: &campaigns,
        gangs: &gangs,
        gang_of,
        sources: buckets.sources().iter().map(|it| it.source.clone()).collect(),
        evidence: BTreeMap::new(),
        findings: Findings::default(),
        seen: gangs.iter().map(|_| GangSeen::default()).collect(),
        node_evidence: BTreeMap::new(),
    };
    it.episodes();
    it.gangs(known);
    it.campaign_list();
    it.indicators();
    it.summary(buckets);
    it.quote(buckets, spool);
    it.findings
}

/// What the records of one gang's episodes add up to.
#[derive(Default)]
struct GangSeen {
    hosts: BTreeSet<Text>,
    behaviours: BTreeMap<u16, Seen>,
    roles: BTreeMap<u8, (Seen, BTreeSet<Text>)>,
    methods: BTreeMap<u16, (Seen, u64, u64, Option<i64>)>,
    /// feature → where it stands
    features: BTreeMap<Key, Seen>,
    times: Vec<(i64, Text)>,
    from: BTreeSet<Text>,
}

/// Hosts, and the examples with the smallest event ids.
#[derive(Default)]
struct Seen {
    hosts: BTreeSet<Text>,
    examples: BTreeMap<u128, (MemberRecord, bool)>,
}

impl Seen {
    fn add(&mut self, host: &Text, member: Option<&MemberRecord>, inferred: bool) {
        self.hosts.insert(host.clone());
        if let Some(member) = member {
            self.examples.insert(member.event, (member.clone(), inferred));
            while self.examples.len() > EXAMPLES {
                self.examples.pop_last();
            }
        }
    }
}

struct Assembly<'a> {
    analyzed: &'a Analyzed,
    knowledge: &'a Knowledge,
    campaigns: &'a Campaigns,
    gangs: &'a [partition::Gang],
    gang_of: BTreeMap<usize, usize>,
    sources: Vec<Text>,
    evidence: BTreeMap<Text, Evidence>,
    findings: Findings,
    seen: Vec<GangSeen>,
    node_evidence: BTreeMap<(usize, Key), Seen>,
}

fn hex(id: u128) -> Text {
    format!("{id:032x}").into()
}

impl Assembly<'_> {
    fn feature(&self, key: &Key) -> Option<&FeatureStat> {
        self.analyzed.sketch.features.get(key)
    }

    /// A campaign is shown where it is hostile, or where at least something in it is suspicious.
    fn shown(&self, campaign: usize) -> bool {
        let it = &self.campaigns.list[campaign];
        it.hostile || it.suspicious > 0
    }

    fn source(&self, source: u32) -> Text {
        self.sources.get(source as usize).cloned().unwrap_or_else(|| "".into())
    }

    fn episodes(&mut self) {
        let methods = self.intrusion_methods();
        for record in &self.analyzed.records {
            let Some(campaign) = self.campaigns.of_group.get(&record.group).copied().filter(|it| self.shown(*it))
            else {
                continue;
            };
            let gang = self.gang_of.get(&campaign).copied();
            let host: Text = record.host.as_str().into();
            let (episode_id, campaign_id) = (hex(record.id), hex(self.campaigns.list[campaign].id));
            let gang_id = gang.map(|it| hex(self.gangs[it].id));
            let intrusion = gang.map(|it| intrusion(&record.host, self.gangs[it].id));
            let method = intrusion
                .and_then(|it| methods.get(&it).copied())
                .or_else(|| record.method.as_ref().map(|it| (it.method, it.confidence_permille)));
            let known_method = method.map(|(at, _)| &self.knowledge.methods.all()[usize::from(at)]);
            self.findings.episodes.push(EpisodeRow {
                episode_id: episode_id.clone(),
                host: host.clone(),
                entry: record.entry.map(hex),
                intrusion_id: intrusion.map(hex),
                campaign_id: campaign_id.clone(),
                gang_id: gang_id.clone(),
                method: known_method.map(|it| it.id.as_str().into()),
                cve: known_method.and_then(|it| it.cve.as_deref()).map(Into::into),
                confidence: method.map(|(_, confidence)| Permille::new(confidence)),
                abstained_because: if method.is_some() {
                    None
                } else {
                    record.abstained_because.as_deref().map(Into::into)
                },
                signature_kind: self.signature_kind(campaign),
            });
            let ids = Ids { host, episode_id, campaign_id, gang_id };
            self.members(record, &ids);
            self.repairs(record, campaign, &ids);
            self.note(record, campaign, gang, &ids);
        }
        let by_host_and_time =
            |a: &MemberRow, b: &MemberRow| (&a.host, a.time, a.event_id).cmp(&(&b.host, b.time, b.event_id));
        self.findings.members.sort_by(by_host_and_time);
        self.findings.members.dedup_by(|b, a| a.event_id == b.event_id);
        self.findings.episodes.sort_by(|a, b| (&a.host, &a.episode_id).cmp(&(&b.host, &b.episode_id)));
        self.findings.behaviours.sort_by(|a, b| {
            (&a.host, a.time, a.event_id, &a.behaviour).cmp(&(&b.host, b.time, b.event_id, &b.behaviour))
        });
        self.findings.repairs.sort_by(|a, b| {
            (&a.host, &a.episode_id, &a.node_id, a.child_event_id).cmp(&(
                &b.host,
                &b.episode_id,
                &b.node_id,
                b.child_event_id,
            ))
        });
    }

    /// The way in of an intrusion is that of its best explained episode: what cron started again was not let in by cron.
    fn intrusion_methods(&self) -> BTreeMap<u128, (u16, u16)> {
        let mut best: BTreeMap<u128, (u16, u16)> = BTreeMap::new();
        for record in &self.analyzed.records {
            let Some(gang) = self.campaigns.of_group.get(&record.group).and_then(|it| self.gang_of.get(it)) else {
                continue;
            };
            if let Some(method) = &record.method {
                let slot = best.entry(intrusion(&record.host, self.gangs[*gang].id)).or_insert((method.method, 0));
                if (method.confidence_permille, std::cmp::Reverse(method.method)) > (slot.1, std::cmp::Reverse(slot.0))
                {
                    *slot = (method.method, method.confidence_permille);
                }
            }
        }
        best
    }

    fn signature_kind(&self, campaign: usize) -> Text {
        let first = self.campaigns.list[campaign].signature.first().and_then(|it| self.feature(it));
        first.map_or("structure", |it| it.kind().name()).into()
    }

    fn members(&mut self, record: &EpisodeRecord, ids: &Ids) {
        for node in &record.nodes {
            for member in &node.members {
                let row = self.member(member, Some(node), ids);
                self.findings.members.push(row);
            }
            for behaviour in &node.behaviours {
                let (Some(member), Some(known)) =
                    (node.members.first(), self.knowledge.behaviours.get(BehaviourId(*behaviour)))
                else {
                    continue;
                };
                self.findings.behaviours.push(BehaviourRow {
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

    fn member(&self, member: &MemberRecord, node: Option<&NodeRecord>, ids: &Ids) -> MemberRow {
        MemberRow {
            host: ids.host.clone(),
            event_id: EventId(member.event),
            source_event_id: member.own_id.as_deref().map(Into::into),
            source: self.source(member.source),
            offset: member.offset,
            length: u64::from(member.length),
            time: member.time.map(Timestamp),
            pid: member.pid,
            process_uid: node.map(|it| it.uid.as_str().into()),
            parent_event_id: node.and_then(|it| it.parent_event).map(EventId),
            ancestor_event_id: node
                .filter(|it| it.parent_event.is_none())
                .and_then(|it| it.ancestor_event)
                .map(EventId),
            parent_status: node.map_or(ParentStatus::Unresolved, |it| it.status),
            episode_id: ids.episode_id.clone(),
            campaign_id: ids.campaign_id.clone(),
            gang_id: ids.gang_id.clone(),
        }
    }

    fn repairs(&mut self, record: &EpisodeRecord, campaign: usize, ids: &Ids) {
        for it in repairs(&self.campaigns.list[campaign], record) {
            self.findings.repairs.push(RepairRow {
                host: ids.host.clone(),
                episode_id: ids.episode_id.clone(),
                campaign_id: ids.campaign_id.clone(),
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
            });
        }
    }

    /// Adds one record to what is said of its gang.
    fn note(&mut self, record: &EpisodeRecord, campaign: usize, gang: Option<usize>, ids: &Ids) {
        let view = &self.campaigns.list[campaign];
        for node in &record.nodes {
            // An inferred node is evidenced by what it was inferred from: the node above it that was logged.
            let shown = shown_by(record, node);
            let key = view.resolve(node.path);
            self.node_evidence.entry((campaign, key)).or_default().add(&ids.host, shown, node.inferred);
        }
        let Some(gang) = gang else { return };
        let seen = &mut self.seen[gang];
        // A script that was handed in ran on no host that is known.
        if record.host != UNKNOWN_HOST {
            seen.hosts.insert(ids.host.clone());
        }
        for node in &record.nodes {
            let shown = shown_by(record, node);
            for behaviour in &node.behaviours {
                seen.behaviours.entry(*behaviour).or_default().add(&ids.host, shown, node.inferred);
            }
            for (role, value) in &node.network_roles {
                let slot = seen.roles.entry(*role).or_default();
                slot.0.add(&ids.host, node.members.last().or(shown), node.inferred);
                if !value.is_empty() {
                    slot.1.insert(value.as_str().into());
                }
            }
            for (kind, _, value) in &node.indicators {
                let key = ringleader_pipeline::merge::sketch::feature_key(*kind, value);
                seen.features.entry(key).or_default().add(&ids.host, shown, node.inferred);
            }
            seen.times.extend(node.members.first().and_then(|it| it.time).map(|it| (it, ids.host.clone())));
        }
        if let Some(method) = &record.method {
            let slot = seen.methods.entry(method.method).or_default();
            slot.1 += u64::from(method.confidence_permille);
            slot.2 += 1;
            let first = record.nodes.iter().filter_map(|it| it.start).min();
            slot.3 = earlier(slot.3, first);
            slot.0.hosts.insert(ids.host.clone());
            for member in &method.evidence {
                slot.0.add(&ids.host, Some(member), false);
            }
            seen.from.extend(method.from.as_deref().map(Into::into));
        }
    }

    fn evidence_of(&mut self, seen: &Seen, kind: &str, claim: &str, rule: Option<&str>, weight: i64) -> Vec<Text> {
        let examples: Vec<(MemberRecord, bool)> = seen.examples.values().cloned().collect();
        let mut ids: Vec<Text> = examples
            .iter()
            .map(|(member, inferred)| self.prove(member, *inferred, kind, claim, rule, weight))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn prove(
        &mut self,
        member: &MemberRecord,
        inferred: bool,
        kind: &str,
        claim: &str,
        rule: Option<&str>,
        weight: i64,
    ) -> Text {
        let id = hex(hash128(format!("{kind}\n{claim}\n{:032x}", member.event).as_bytes(), 0x500));
        if !self.evidence.contains_key(&id) {
            let source = self.source(member.source);
            self.evidence.insert(
                id.clone(),
                Evidence {
                    evidence_id: id.clone(),
                    claim: claim.to_owned(),
                    kind: kind.into(),
                    event_ids: vec![EventId(member.event)],
                    source: Some(source),
                    offset: Some(member.offset),
                    length: Some(u64::from(member.length)),
                    record_sha256: None,
                    excerpt: None,
                    rule: rule.map(Into::into),
                    basis: if inferred { Basis::Inferred } else { Basis::Observed },
                    weight,
                },
            );
        }
        id
    }

    fn gangs(&mut self, known: &Known) {
        for at in 0..self.gangs.len() {
            let seen = std::mem::take(&mut self.seen[at]);
            let gang = self.gang(at, &seen);
            let id = self.gangs[at].id;
            self.warn(&gang, known.methods.get(&id));
            self.findings.activity.push(activity(&gang.gang_id, &seen.times));
            self.findings.gangs.push(gang);
        }
        // The heaviest first: hosts, then campaigns.
        self.findings.gangs.sort_by(|a, b| {
            (b.who.hosts.len(), b.campaigns.len(), &a.gang_id).cmp(&(a.who.hosts.len(), a.campaigns.len(), &b.gang_id))
        });
        self.findings.activity.sort_by(|a, b| a.gang_id.cmp(&b.gang_id));
    }

    fn gang(&mut self, at: usize, seen: &GangSeen) -> Gang {
        let gang = &self.gangs[at];
        let gang_id = hex(gang.id);
        let name = format!("gang {}", &gang_id[..8]);
        let members = gang.campaigns.clone();
        let list = &self.campaigns.list;
        let mut hosts = ringleader_pipeline::merge::distinct::Distinct::<1024>::default();
        let mut suspicious = hosts.clone();
        for it in &members {
            hosts.merge(&list[*it].hosts);
            suspicious.merge(&list[*it].suspicious_hosts);
        }
        let signed = members.iter().any(|it| !list[*it].signature.is_empty());
        let most = if signed { 990 } else { 700 };
        let confidence = Permille::new(Permille::ratio(suspicious.count(), hosts.count()).thousandths().min(most));
        let features: BTreeSet<Key> = members.iter().flat_map(|it| list[*it].features.iter().copied()).collect();
        let first = members.iter().filter_map(|it| list[*it].first).min();
        let last = members.iter().filter_map(|it| list[*it].last).max();
        let (indicators, infrastructure) = self.who(&features, seen);
        let how = self.how(&name, seen);
        let what = self.what(&name, seen);
        let links = gang.links.iter().map(|it| self.link(it, seen)).collect();
        let near_misses = gang.near_misses.iter().map(|it| self.near_miss(it, &members, seen)).collect();
        Gang {
            gang_id,
            name,
            known_as: Vec::new(),
            family: None,
            confidence,
            supersedes: gang.supersedes.iter().copied().map(hex).collect(),
            who: Who {
                indicators,
                infrastructure,
                hosts: seen.hosts.iter().cloned().collect(),
                first_seen: first.map(Timestamp),
                last_seen: last.map(Timestamp),
            },
            how,
            what,
            campaigns: members.iter().map(|it| hex(self.campaigns.list[*it].id)).collect(),
            links,
            near_misses,
        }
    }

    fn who(
        &self,
        features: &BTreeSet<Key>,
        seen: &GangSeen,
    ) -> (BTreeMap<Text, Vec<GangIndicator>>, Vec<Infrastructure>) {
        let mut indicators: BTreeMap<Text, Vec<GangIndicator>> = BTreeMap::new();
        let mut infrastructure = Vec::new();
        for feature in features.iter().filter_map(|it| self.feature(it)) {
            let Some(reach) = feature.reach() else { continue };
            let value: Text = feature.value.as_str().into();
            indicators.entry(feature.kind().name().into()).or_default().push(GangIndicator {
                value: value.clone(),
                strength: strength(reach),
                contexts: feature.contexts().collect(),
                hosts: feature.hosts.count(),
            });
            if matches!(feature.kind(), IndicatorKind::Ip | IndicatorKind::Domain | IndicatorKind::Pool) {
                let roles = seen
                    .roles
                    .iter()
                    .filter(|(_, (_, values))| values.iter().any(|it| **it == *value))
                    .filter_map(|(role, _)| NetworkRole::from_code(*role))
                    .map(|it| it.name().into())
                    .collect();
                infrastructure.push(Infrastructure {
                    kind: feature.kind(),
                    value,
                    roles,
                    hosts: feature.hosts.count(),
                });
            }
        }
        for values in indicators.values_mut() {
            values.sort_by(|a, b| {
                (a.strength as u8, std::cmp::Reverse(a.hosts), &a.value).cmp(&(
                    b.strength as u8,
                    std::cmp::Reverse(b.hosts),
                    &b.value,
                ))
            });
        }
        infrastructure.sort_by(|a, b| {
            (std::cmp::Reverse(a.hosts), a.kind, &a.value).cmp(&(std::cmp::Reverse(b.hosts), b.kind, &b.value))
        });
        (indicators, infrastructure)
    }

    fn how(&mut self, name: &str, seen: &GangSeen) -> Vec<How> {
        let mut how: Vec<How> = Vec::new();
        for (at, (examples, sum, n, first)) in &seen.methods {
            let method = self.knowledge.methods.all()[usize::from(*at)].clone();
            let claim = format!("{name} gets in by {}", method.name);
            let evidence_ids = self.evidence_of(examples, "method", &claim, Some(&method.id), 100);
            how.push(How {
                method: method.id.as_str().into(),
                class: MethodClass::from_name(method.class.name()).unwrap_or(MethodClass::Unknown),
                cve: method.cve.as_deref().map(Into::into),
                confidence: Permille::new(u16::try_from(sum / (*n).max(1)).unwrap_or(0)),
                novelty: Novelty::Known,
                hosts: examples.hosts.len() as u64,
                first_seen: first.map(Timestamp),
                evidence_ids,
            });
        }
        how.sort_by(|a, b| (b.hosts, b.confidence, &a.method).cmp(&(a.hosts, a.confidence, &b.method)));
        how
    }

    fn what(&mut self, name: &str, seen: &GangSeen) -> What {
        let mut what = What::default();
        for (at, examples) in &seen.behaviours {
            let Some(behaviour) = self.knowledge.behaviours.get(BehaviourId(*at)).cloned() else { continue };
            let claim = format!("{name}: {}", behaviour.title);
            what.behaviours.push(GangBehaviour {
                id: behaviour.id.as_str().into(),
                technique: technique(&behaviour.technique),
                hosts: examples.hosts.len() as u64,
                evidence_ids: self.evidence_of(examples, "behaviour", &claim, Some(&behaviour.id), 50),
            });
        }
        for (code, (examples, values)) in &seen.roles {
            let Some(role) = NetworkRole::from_code(*code) else { continue };
            let claim = format!("{name}: a process's network side is {}", role.name());
            what.network_roles.push(GangNetworkRole {
                role: role.name().into(),
                values: values.iter().take(64).cloned().collect(),
                hosts: examples.hosts.len() as u64,
                evidence_ids: self.evidence_of(examples, "network_role", &claim, None, 60),
            });
        }
        what.behaviours.sort_by(|a, b| (b.hosts, &a.id).cmp(&(a.hosts, &b.id)));
        what.network_roles.sort_by(|a, b| (b.hosts, &a.role).cmp(&(a.hosts, &b.role)));
        what
    }

    fn shared(&mut self, link: &partition::Link, seen: &GangSeen) -> Vec<Text> {
        let mut ids = Vec::new();
        for (key, weight) in link.because.iter().take(8) {
            let Some(feature) = self.feature(key) else { continue };
            let claim = format!(
                "campaigns {} and {} share {} {}",
                &hex(self.campaigns.list[link.from].id)[..8],
                &hex(self.campaigns.list[link.to].id)[..8],
                feature.kind().name(),
                feature.value
            );
            if let Some(examples) = seen.features.get(key) {
                let mut more = self.evidence_of(examples, "link", &claim, None, *weight);
                ids.append(&mut more);
            }
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn link(&mut self, link: &partition::Link, seen: &GangSeen) -> Link {
        Link {
            from: hex(self.campaigns.list[link.from].id),
            to: hex(self.campaigns.list[link.to].id),
            weight: link.weight,
            threshold: partition::THRESHOLD,
            evidence_ids: self.shared(link, seen),
        }
    }

    fn near_miss(&mut self, link: &partition::Link, members: &[usize], seen: &GangSeen) -> NearMiss {
        let (from, to) = if members.contains(&link.from) { (link.from, link.to) } else { (link.to, link.from) };
        let shared: Vec<String> = link
            .because
            .iter()
            .take(3)
            .filter_map(|(key, _)| self.feature(key))
            .map(|it| format!("{} {}", it.kind().name(), it.value))
            .collect();
        NearMiss {
            from: hex(self.campaigns.list[from].id),
            to: hex(self.campaigns.list[to].id),
            gang_id: self.gang_of.get(&to).map(|it| hex(self.gangs[*it].id)),
            weight: link.weight,
            threshold: partition::THRESHOLD,
            why: format!("only {} in common", shared.join(", ")),
            evidence_ids: self.shared(link, seen),
        }
    }

    fn warn(&mut self, gang: &Gang, known: Option<&BTreeSet<String>>) {
        let mut add = |kind: WarningKind, text: String, evidence_ids: Vec<Text>| {
            self.findings.warnings.push(Warning {
                warning_id: hex(hash128(format!("{}\n{}\n{text}", kind.name(), gang.gang_id).as_bytes(), 0x600)),
                kind,
                gang_id: Some(gang.gang_id.clone()),
                time: gang.who.first_seen,
                text,
                evidence_ids,
            });
        };
        match known {
            None => {
                let evidence = gang.how.first().map(|it| it.evidence_ids.clone());
                let evidence = evidence.or_else(|| gang.what.behaviours.first().map(|it| it.evidence_ids.clone()));
                add(
                    WarningKind::NewGang,
                    format!("{} is new, on {} hosts", gang.name, gang.who.hosts.len()),
                    evidence.unwrap_or_default(),
                );
            }
            Some(methods) => {
                for how in gang.how.iter().filter(|it| !methods.contains(&*it.method)) {
                    add(
                        WarningKind::NewMethod,
                        format!("{} takes up {}", gang.name, how.method),
                        how.evidence_ids.clone(),
                    );
                }
            }
        }
        self.findings.warnings.sort_by(|a, b| a.warning_id.cmp(&b.warning_id));
    }

    fn campaign_list(&mut self) {
        for at in 0..self.campaigns.list.len() {
            if !self.shown(at) {
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

    fn indicators(&mut self) {
        let mut rows = Vec::new();
        for (at, campaign) in self.campaigns.list.iter().enumerate().filter(|(at, _)| self.gang_of.contains_key(at)) {
            for feature in campaign.features.iter().filter_map(|it| self.feature(it)) {
                let Some(reach) = feature.reach() else { continue };
                let Some(context) = feature.contexts().next() else { continue };
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

    fn summary(&mut self, buckets: &dyn Buckets) {
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
        if let Some(mut rows) = self.analyzed.processes.clone() {
            let of_event: BTreeMap<EventId, (&Text, &Option<Text>)> =
                self.findings.members.iter().map(|it| (it.event_id, (&it.campaign_id, &it.gang_id))).collect();
            for row in &mut rows {
                if let Some((campaign, gang)) = of_event.get(&row.event_id) {
                    (row.campaign_id, row.gang_id) = (Some((*campaign).clone()), (*gang).clone());
                }
            }
            self.findings.processes = Some(rows);
        }
    }

    fn quote(&mut self, buckets: &dyn Buckets, spool: &Spool) {
        let mut wanted: BTreeMap<Text, Vec<(u64, u64)>> = BTreeMap::new();
        for it in self.evidence.values() {
            if let (Some(source), Some(offset), Some(length)) = (&it.source, it.offset, it.length) {
                wanted.entry(source.clone()).or_default().push((offset, length));
            }
        }
        wanted.retain(|source, _| buckets.is_unchanged(source));
        let quoted = quote(&wanted, spool);
        for it in self.evidence.values_mut() {
            if let (Some(source), Some(offset), Some(length)) = (&it.source, it.offset, it.length)
                && let Some(found) = quoted.get(&(source.clone(), offset, length))
            {
                it.record_sha256 = Some(found.sha256.clone());
                it.excerpt = Some(found.excerpt.clone());
            }
        }
        self.findings.evidence = std::mem::take(&mut self.evidence).into_values().collect();
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

struct Ids {
    host: Text,
    episode_id: Text,
    campaign_id: Text,
    gang_id: Option<Text>,
}

fn intrusion(host: &str, gang: u128) -> u128 {
    hash128(host.as_bytes(), gang as u64 ^ 0x700)
}

/// The node's own first record, else that of the nearest node above it, else of a child.
fn shown_by<'r>(record: &'r EpisodeRecord, node: &'r NodeRecord) -> Option<&'r MemberRecord> {
    let mut at = node;
    for _ in 0..64 {
        if let Some(member) = at.members.first() {
            return Some(member);
        }
        match at.parent.and_then(|it| record.nodes.get(it as usize)) {
            Some(above) => at = above,
            None => break,
        }
    }
    let own = record.nodes.iter().position(|it| std::ptr::eq(it, node))? as u32;
    record.nodes.iter().find(|it| it.parent == Some(own)).and_then(|it| it.members.first())
}

fn technique(text: &str) -> Option<Text> {
    (!text.is_empty()).then(|| text.into())
}

fn strength(reach: Reach) -> Strength {
    match reach {
        Reach::Variant => Strength::Strong,
        Reach::Infrastructure => Strength::Medium,
        Reach::Habit => Strength::Weak,
    }
}

/// Events per hour, or per day where they span more than four.
fn activity(gang_id: &Text, times: &[(i64, Text)]) -> GangActivity {
    const HOUR: i64 = 3_600_000_000;
    let first = times.iter().map(|it| it.0).min().unwrap_or(0);
    let last = times.iter().map(|it| it.0).max().unwrap_or(0);
    let (step, width) = if last - first > 96 * HOUR { (Step::Day, 24 * HOUR) } else { (Step::Hour, HOUR) };
    let mut buckets: BTreeMap<i64, (u64, BTreeSet<&Text>)> = BTreeMap::new();
    for (time, host) in times {
        let slot = buckets.entry(time.div_euclid(width) * width).or_default();
        slot.0 += 1;
        slot.1.insert(host);
    }
    GangActivity {
        gang_id: gang_id.clone(),
        step,
        buckets: buckets
            .into_iter()
            .map(|(start, (events, hosts))| ActivityBucket {
                start: Timestamp(start),
                events,
                hosts: hosts.len() as u64,
            })
            .collect(),
    }
}
