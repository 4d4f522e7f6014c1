//! gangs of campaigns, and what is seen of them → who, how, what, and why they are one.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::findings::*;
use ringleader_model::{IndicatorKind, Timestamp};
use ringleader_pipeline::label::BehaviourId;
use ringleader_pipeline::label::network::NetworkRole;
use ringleader_pipeline::merge::distinct::Distinct;
use ringleader_pipeline::merge::sketch::{FeatureStat, Key};
use ringleader_pipeline::partition;

use super::seen::GangSeen;
use super::{Assembly, Known, hex, strength, technique};

/// Values that are told of one link.
const SHARED: usize = 8;

impl Assembly<'_> {
    /// What will be asked of the records of a gang.
    pub(super) fn to_see(&self, gang: &partition::Gang) -> GangSeen {
        let links = gang.links.iter().chain(&gang.near_misses);
        let features = gang.campaigns.iter().flat_map(|it| &self.campaigns.list[*it].features);
        let features: Vec<(Key, &FeatureStat)> = features.filter_map(|it| Some((*it, self.feature(it)?))).collect();
        let known = features.iter().filter(|it| self.knowledge.gangs.knows(it.1.kind(), &it.1.value));
        GangSeen::new(
            links.flat_map(|it| it.because.iter().take(SHARED).map(|it| it.0)),
            known.map(|it| it.0),
            features.iter().filter(|it| is_address(it.1)).map(|it| it.1.value.as_str().into()).collect(),
        )
    }

    /// What was computed of campaigns that no episode is in any more.
    pub(super) fn forget_untold(&mut self) {
        let ids: BTreeSet<Text> = self.told.iter().map(|it| hex(self.campaigns.list[*it].id)).collect();
        for gang in &mut self.findings.computed {
            gang.campaigns.retain(|it| ids.contains(it));
        }
        self.findings.computed.retain(|it| !it.campaigns.is_empty());
    }

    pub(super) fn gangs(&mut self, known: &Known) {
        for at in 0..self.gangs.len() {
            if !self.gangs[at].campaigns.iter().any(|it| self.told.contains(it)) {
                continue;
            }
            let seen = std::mem::take(&mut self.seen[at]);
            let gang = self.gang(at, &seen);
            let id = self.gangs[at].id;
            self.warn(&gang, known.methods.get(&id));
            self.findings.activity.push(seen.activity.of(&gang.gang_id));
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
        let name = self.decided.names.get(&gang.id).cloned().unwrap_or_else(|| format!("gang {}", &gang_id[..8]));
        let members: Vec<usize> = gang.campaigns.iter().copied().filter(|it| self.told.contains(it)).collect();
        let list = &self.campaigns.list;
        let mut hosts = Distinct::<1024>::default();
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
        let suggestions = self.suggestions(&name, &members, &how, &what, (first, last), seen);
        let told = |it: &&partition::Link| self.told.contains(&it.from) && self.told.contains(&it.to);
        let links: Vec<&partition::Link> = gang.links.iter().filter(told).collect();
        let near_misses: Vec<&partition::Link> = gang.near_misses.iter().filter(told).collect();
        let links = links.into_iter().map(|it| self.link(it, seen)).collect();
        let near_misses = near_misses.into_iter().map(|it| self.near_miss(it, &members, seen)).collect();
        Gang {
            gang_id,
            name,
            known_as: self.known_as(gang.id, &suggestions),
            suggestions,
            family: gang.family.map(|it| hex(it)[..8].to_string()),
            confidence,
            supersedes: gang.supersedes.iter().copied().map(hex).collect(),
            who: Who {
                indicators,
                infrastructure,
                hosts: seen.hosts.clone(),
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

    /// What analysts called it besides, then whom it may be.
    fn known_as(&self, gang: u128, suggestions: &[NameSuggestion]) -> Vec<String> {
        let decided = self.decided.aliases.get(&gang).into_iter().flatten().cloned();
        decided.chain(super::names::known_as(&self.knowledge.gangs, suggestions)).collect()
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
            if self.decided.allowed.contains(&feature.value) {
                continue;
            }
            let value: Text = feature.value.as_str().into();
            indicators.entry(feature.kind().name().into()).or_default().push(GangIndicator {
                value: value.clone(),
                strength: strength(reach),
                contexts: feature.contexts().collect(),
                hosts: feature.hosts.count(),
            });
            if is_address(feature) {
                let roles = seen
                    .roles
                    .iter()
                    .filter(|(_, it)| it.addresses.contains(&value))
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
        for (at, it) in &seen.methods {
            let method = self.knowledge.methods.all()[usize::from(*at)].clone();
            let claim = format!("{name} gets in by {}", method.name);
            let evidence_ids = self.evidence_of(&it.seen.examples, "method", &claim, Some(&method.id), 100);
            how.push(How {
                method: method.id.as_str().into(),
                class: MethodClass::from_name(method.class.name()).unwrap_or(MethodClass::Unknown),
                cve: method.cve.as_deref().map(Into::into),
                confidence: Permille::new(u16::try_from(it.sum / it.times.max(1)).unwrap_or(0)),
                novelty: Novelty::Known,
                hosts: it.seen.hosts,
                succeeded_hosts: it.succeeded.hosts,
                first_seen: it.first.map(Timestamp),
                evidence_ids,
            });
        }
        how.sort_by(|a, b| (b.hosts, b.confidence, &a.method).cmp(&(a.hosts, a.confidence, &b.method)));
        how
    }

    fn what(&mut self, name: &str, seen: &GangSeen) -> What {
        let mut what = What::default();
        for (at, it) in &seen.behaviours {
            let Some(behaviour) = self.knowledge.behaviours.get(BehaviourId(*at)).cloned() else { continue };
            let claim = format!("{name}: {}", behaviour.title);
            what.behaviours.push(GangBehaviour {
                id: behaviour.id.as_str().into(),
                technique: technique(&behaviour.technique),
                hosts: it.hosts,
                evidence_ids: self.evidence_of(&it.examples, "behaviour", &claim, Some(&behaviour.id), 50),
            });
        }
        for (code, it) in &seen.roles {
            let Some(role) = NetworkRole::from_code(*code) else { continue };
            let claim = format!("{name}: a process's network side is {}", role.name());
            what.network_roles.push(GangNetworkRole {
                role: role.name().into(),
                values: it.values.iter().cloned().collect(),
                hosts: it.seen.hosts,
                evidence_ids: self.evidence_of(&it.seen.examples, "network_role", &claim, None, 60),
            });
        }
        what.behaviours.sort_by(|a, b| (b.hosts, &a.id).cmp(&(a.hosts, &b.id)));
        what.network_roles.sort_by(|a, b| (b.hosts, &a.role).cmp(&(a.hosts, &b.role)));
        what
    }

    fn shared(&mut self, link: &partition::Link, seen: &GangSeen) -> Vec<Text> {
        let mut ids = Vec::new();
        for (key, weight) in link.because.iter().take(SHARED) {
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
        for path in link.alike.iter().take(SHARED) {
            let Some(node) = self.campaigns.list[link.from].nodes.get(path) else { continue };
            let claim = format!(
                "campaign {} is a part of the graphs of {}'s gang: it ran {}",
                &hex(self.campaigns.list[link.from].id)[..8],
                &hex(self.campaigns.list[link.to].id)[..8],
                node.template
            );
            let key = (link.from, self.campaigns.list[link.from].resolve(*path));
            if let Some(examples) = self.node_evidence.remove(&key) {
                ids.append(&mut self.evidence_of(&examples, "link", &claim, None, link.weight));
                self.node_evidence.insert(key, examples);
            }
        }
        for (burst, (campaign, path)) in
            link.together.iter().flat_map(|it| it.entries.iter().map(move |entry| (it, entry)))
        {
            let [from, to] = [link.from, link.to].map(|it| hex(self.campaigns.list[it].id)[..8].to_owned());
            let hosts = burst.hosts;
            let claim = if burst.one_service {
                format!("one service started episodes of campaigns {from} and {to} within seconds, on {hosts} hosts")
            } else {
                format!("campaigns {from} and {to} came at one time to {hosts} hosts")
            };
            let key = (*campaign, self.campaigns.list[*campaign].resolve(*path));
            if let Some(examples) = self.node_evidence.remove(&key) {
                ids.append(&mut self.evidence_of(&examples, "link", &claim, None, link.weight));
                self.node_evidence.insert(key, examples);
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
            why: match link.together {
                Some(it) if shared.is_empty() && it.one_service => {
                    format!("one service started both at once on {} hosts", it.hosts)
                }
                Some(it) if shared.is_empty() => format!("both came at one time to {} hosts", it.hosts),
                _ => format!("only {} in common", shared.join(", ")),
            },
            evidence_ids: self.shared(link, seen),
        }
    }
}

fn is_address(feature: &FeatureStat) -> bool {
    matches!(feature.kind(), IndicatorKind::Ip | IndicatorKind::Domain | IndicatorKind::Pool)
}
