//! a gang's indicators, commands and habits → whom it may be of those known, each fact with the records that show it.

use ringleader_model::findings::{How, NameSuggestion, Permille, What};
use ringleader_pipeline::merge::sketch::Key;
use ringleader_pipeline::partition::known::{Kind, KnownGangs, Reason, Seen, Shown};

use super::Assembly;
use super::seen::GangSeen;

/// Facts that are told of one name.
const TOLD: usize = 12;
/// Command lines of one gang that are looked at: those that most of its processes ran.
const COMMANDS: usize = 4096;

/// Names for people; a family's is not the gang's own.
pub(super) fn known_as(known: &KnownGangs, suggestions: &[NameSuggestion]) -> Vec<String> {
    let mut names = Vec::new();
    for it in suggestions {
        match known.all().iter().find(|known| *known.id == *it.known) {
            Some(known) if known.kind == Kind::Gang => {
                names.push(known.name.clone());
                names.extend(known.names.iter().cloned());
            }
            Some(known) if known.kind == Kind::List => {}
            _ => names.push(format!("{} (family)", it.name)),
        }
    }
    names
}

impl Assembly<'_> {
    pub(super) fn suggestions(
        &mut self,
        name: &str,
        members: &[usize],
        how: &[How],
        what: &What,
        (first, last): (Option<i64>, Option<i64>),
        seen: &GangSeen,
    ) -> Vec<NameSuggestion> {
        let (knowledge, campaigns) = (self.knowledge, self.campaigns);
        let mut indicators = Vec::new();
        let mut keys = Vec::new();
        for (key, (contexts, _)) in seen.known.iter().filter(|it| !it.1.0.is_empty()) {
            if let Some(feature) = self.feature(key) {
                indicators.push((feature.kind(), feature.value.as_str(), contexts.iter().copied().collect()));
                keys.push(*key);
            }
        }
        let mut nodes: Vec<(u64, usize, Key, &str)> = Vec::new();
        for campaign in members {
            for (path, node) in &campaigns.list[*campaign].nodes {
                let text = if node.sample.is_empty() { &node.template } else { &node.sample };
                nodes.push((node.observed, *campaign, *path, text));
            }
        }
        nodes.sort_by_key(|it| (std::cmp::Reverse(it.0), it.1, it.2));
        nodes.truncate(COMMANDS);
        let shown = Shown {
            indicators,
            commands: nodes.iter().map(|it| it.3).collect(),
            methods: how.iter().map(|it| &*it.method).collect(),
            behaviours: what.behaviours.iter().map(|it| &*it.id).collect(),
            first,
            last,
        };
        let naming = knowledge.gangs.suggest(&shown);
        let mut suggestions = Vec::new();
        for it in naming.suggestions {
            let known = &knowledge.gangs.all()[it.known];
            let mut evidence_ids = Vec::new();
            for reason in it.because.iter().take(TOLD) {
                let what = if known.kind == Kind::List { "is on the list" } else { "may be" };
                let claim = format!("{name} {what} {}: {}", known.name, told(reason));
                let weight = i64::from(reason.weight);
                let more = match reason.seen {
                    Seen::Indicator(at) => seen
                        .known
                        .get(&keys[at])
                        .map(|(_, examples)| self.evidence_of(examples, "known_as", &claim, Some(&known.id), weight)),
                    Seen::Command(at) => {
                        let (_, campaign, path, _) = nodes[at];
                        let key = (campaign, campaigns.list[campaign].resolve(path));
                        self.node_evidence.remove(&key).map(|examples| {
                            let ids = self.evidence_of(&examples, "known_as", &claim, Some(&known.id), weight);
                            self.node_evidence.insert(key, examples);
                            ids
                        })
                    }
                };
                evidence_ids.extend(more.into_iter().flatten());
            }
            evidence_ids.sort_unstable();
            evidence_ids.dedup();
            suggestions.push(NameSuggestion {
                known: known.id.as_str().into(),
                name: known.name.clone(),
                kind: known.kind.name().into(),
                likelihood: Permille::new(it.likelihood),
                because: it.because.iter().take(TOLD).map(told).collect(),
                support: it.support.iter().map(|it| it.as_str().into()).collect(),
                evidence_ids,
            });
        }
        suggestions
    }
}

fn told(reason: &Reason) -> String {
    let mut text = format!("{} {}", reason.kind.name(), reason.fact);
    if reason.expired {
        text.push_str(", expired");
    }
    if let Some((source, confidence)) = &reason.source {
        text.push_str(&format!(", says {source} ({}%)", confidence / 10));
    }
    if reason.holders > 1 {
        text.push_str(&format!(", known of {}", reason.holders));
    }
    text
}
