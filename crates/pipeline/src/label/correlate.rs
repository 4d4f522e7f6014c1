//! Matches of rules on one host, in time order → the user's correlations that they complete: so many, of so many values,
//! together or in order, within a span of time. Deliberately absent: counting across hosts.

use ringleader_model::Timestamp;
use rsigma_eval::event::Event;
use rsigma_eval::{CompiledRule, CorrelationConfig, CorrelationEngine, TimestampFallback, evaluate_rule};
use rsigma_parser::{CorrelationRule, SigmaRule};

use super::source::{self, Os, Place};
use super::{BehaviourId, RuleProblem};

/// Groups that one host's correlations tell apart before the oldest are forgotten.
const MAX_GROUPS: usize = 10_000;
/// Matches remembered of one group.
const MAX_GROUP_ENTRIES: usize = 10_000;

/// A rule whose matches are counted.
pub(super) struct Counted {
    pub(super) rule: SigmaRule,
    pub(super) compiled: CompiledRule,
    pub(super) place: Place,
    pub(super) os: Os,
}

#[derive(Default)]
pub(super) struct Correlations {
    counted: Vec<Counted>,
    /// With the file's name.
    list: Vec<(CorrelationRule, BehaviourId, String)>,
}

impl Correlations {
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn count(&mut self, mut it: Counted) {
        // A match is known by its rule's id.
        let id = it.rule.id.clone().or_else(|| it.rule.name.clone());
        it.rule.id.clone_from(&id);
        it.compiled.id = id;
        self.counted.push(it);
    }

    pub(super) fn add(&mut self, rule: CorrelationRule, behaviour: BehaviourId, name: &str) {
        self.list.push((rule, behaviour, name.to_owned()));
    }

    /// Drops what can't be worked out, once all rules are known, and tells of it.
    pub(super) fn settle(&mut self, problems: &mut Vec<RuleProblem>) {
        let names = |id: &Option<String>, name: &Option<String>, it: &str| {
            id.as_deref() == Some(it) || name.as_deref() == Some(it)
        };
        let other: Vec<(Option<String>, Option<String>)> =
            self.list.iter().map(|(it, ..)| (it.id.clone(), it.name.clone())).collect();
        let counted = &self.counted;
        let wrong = |rule: &CorrelationRule| -> Option<String> {
            for named in &rule.rules {
                let known = counted.iter().find(|it| names(&it.rule.id, &it.rule.name, named));
                if known.is_none() && !other.iter().any(|(id, name)| names(id, name, named)) {
                    return Some(format!("counts the rule `{named}`, which is not there or not looked for"));
                }
                let lacks = |field: &&String| known.is_some_and(|it| !source::is_held(it.place, field));
                let renamed = |field: &&String| rule.aliases.iter().any(|it| it.alias == **field);
                if let Some(field) = rule.group_by.iter().filter(|it| !renamed(it)).find(lacks) {
                    return Some(format!("groups by what is not kept of an event: `{field}`"));
                }
            }
            let mut engine = CorrelationEngine::new(config());
            engine.add_correlation(rule).err().map(|it| it.to_string())
        };
        self.list.retain(|(rule, _, name)| match wrong(rule) {
            None => true,
            Some(what) => {
                problems.push(RuleProblem { name: name.clone(), what, used: false });
                false
            }
        });
    }

    /// What watches one host. Its events come in time order.
    pub(super) fn watch(&self) -> Watch<'_> {
        let mut engine = CorrelationEngine::new(config());
        for it in &self.counted {
            // Both compiled when they were read.
            let _ = engine.add_rule(&it.rule);
        }
        for (rule, ..) in &self.list {
            let _ = engine.add_correlation(rule);
        }
        Watch { rules: self, engine }
    }
}

fn config() -> CorrelationConfig {
    CorrelationConfig {
        timestamp_fallback: TimestampFallback::Skip,
        max_state_entries: MAX_GROUPS,
        max_group_entries: Some(MAX_GROUP_ENTRIES),
        ..CorrelationConfig::default()
    }
}

pub(super) struct Watch<'r> {
    rules: &'r Correlations,
    engine: CorrelationEngine,
}

impl Watch<'_> {
    /// The correlations that this event completes.
    pub(super) fn see(
        &mut self,
        event: &impl Event,
        place: Place,
        is_of: impl Fn(Os) -> bool,
        time: Timestamp,
    ) -> Vec<u16> {
        let counted = self.rules.counted.iter().filter(|it| it.place == place && is_of(it.os));
        let matches: Vec<_> = counted.filter_map(|it| evaluate_rule(&it.compiled, event)).collect();
        if matches.is_empty() {
            return Vec::new();
        }
        let results = self.engine.process_with_detections(event, matches, time.0.div_euclid(1_000_000));
        let mut found: Vec<u16> = results
            .iter()
            .filter(|it| it.is_correlation())
            .filter_map(|it| {
                let named = |rule: &&(CorrelationRule, BehaviourId, String)| {
                    rule.0.title == it.header.rule_title && rule.0.id == it.header.rule_id
                };
                self.rules.list.iter().find(named).map(|it| it.1.0)
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}
