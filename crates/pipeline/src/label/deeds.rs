//! A row that starts no process → the Sigma rules it matches: files, connections, requests, script blocks, logons,
//! services. Deliberately absent: processes (`sigma`), and what takes several rows (`correlate`).

use std::borrow::Cow;
use std::collections::BTreeMap;

use ringleader_model::Field;
use rsigma_eval::Engine;
use rsigma_eval::event::{Event, EventValue};

use super::load::Rule;
use super::source::{self, Os, Place, RowKind};
use crate::collect::rows::{Bucket, Row};

/// Rules by what they look at.
#[derive(Default)]
pub(super) struct DeedRules {
    engines: BTreeMap<(RowKind, Os), Engine>,
    /// Whether a rule tells rows apart by the port that a client happened to get.
    pub(super) asks_ports: bool,
}

impl DeedRules {
    pub(super) fn new(rules: impl Iterator<Item = Rule>) -> Self {
        let mut engines: BTreeMap<(RowKind, Os), Engine> = BTreeMap::new();
        let mut asks_ports = false;
        for mut rule in rules {
            if let Place::Row(kind) = rule.place {
                asks_ports |= source::asks(&rule.compiled, &["SourcePort", "IpPort", "src_port"]);
                // What a result is told from another by.
                rule.compiled.id = Some(rule.behaviour.0.to_string());
                engines.entry((kind, rule.os)).or_default().add_compiled_rule(rule.compiled);
            }
        }
        Self { engines, asks_ports }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.engines.is_empty()
    }

    /// Whether any rule looks at rows of this kind.
    pub(super) fn looks_at(&self, kind: RowKind) -> bool {
        self.engines.range((kind, Os::Any)..=(kind, Os::Mac)).next().is_some()
    }

    /// In ascending order, each once.
    pub(super) fn matching(&self, bucket: &Bucket, row: &Row, kind: RowKind) -> Vec<u16> {
        let view = RowView { bucket, row, kind };
        let mut found: Vec<u16> = self
            .engines
            .range((kind, Os::Any)..=(kind, Os::Mac))
            .filter(|((_, os), _)| view.is_of(*os))
            .flat_map(|(_, engine)| engine.evaluate(&view))
            .filter_map(|it| it.header.rule_id?.parse().ok())
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// A row, as rules of one kind see it.
#[derive(Clone, Copy)]
pub(super) struct RowView<'b> {
    pub(super) bucket: &'b Bucket,
    pub(super) row: &'b Row,
    pub(super) kind: RowKind,
}

impl RowView<'_> {
    /// Paths tell the system; where there is none, the row may be of any.
    pub(super) fn is_of(&self, os: Os) -> bool {
        let text = |field| self.bucket.text(self.row, field);
        let Some(path) = text(Field::FilePath).or_else(|| text(Field::TargetPath)) else { return true };
        match os {
            Os::Any => true,
            Os::Windows => path.contains('\\') || !path.contains('/'),
            Os::Linux => !path.contains('\\'),
            Os::Mac => super::sigma::is_mac_path(path),
        }
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.bucket.fields(self.row).iter().map(|(_, sym)| super::sigma::front(self.bucket.strings.get(*sym)))
    }
}

impl Event for RowView<'_> {
    fn get_field(&self, path: &str) -> Option<EventValue<'_>> {
        match source::value(self.bucket, self.row, self.kind, path)? {
            EventValue::Str(Cow::Borrowed(text)) => Some(EventValue::Str(super::sigma::front(text).into())),
            other => Some(other),
        }
    }
    fn any_string_value(&self, pred: &dyn Fn(&str) -> bool) -> bool {
        self.texts().any(pred)
    }
    fn all_string_values(&self) -> Vec<Cow<'_, str>> {
        self.texts().map(Cow::Borrowed).collect()
    }
    fn visit_string_values(&self, visit: &mut dyn FnMut(&str)) {
        self.texts().for_each(visit);
    }
    /// Only asked for where a result should carry its event, and ours never does.
    fn to_json(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
}
