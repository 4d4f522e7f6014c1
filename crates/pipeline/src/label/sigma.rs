//! A process → the Sigma rules it matches. Deliberately absent: how rules are read (`load`), and every log source but
//! process creation (`deeds`).

use std::borrow::Cow;

use rsigma_eval::evaluate_rule;
use rsigma_eval::event::{Event, EventValue};
use smallvec::SmallVec;

use super::load::Rule;
use super::source::Os;
use super::witness::{self, Hints, Index};
use super::{BehaviourId, ProcessView};

/// Of a command line, what the rules look at. The longest that Linux can start is 2 MiB; what tells a bot
/// stands in its front.
const MAX_FIELD_BYTES: usize = 64 << 10;

/// Compiled rules, and the index that tells which of them are worth asking.
pub(super) struct Rules {
    rules: Vec<Rule>,
    index: Index,
}

impl Rules {
    pub(super) fn new(rules: Vec<Rule>) -> Self {
        let index = Index::new(rules.iter().map(|it| &it.compiled));
        Self { rules, index }
    }

    /// What a text says for the rules. Ask once per distinct text.
    pub(super) fn hints(&self, text: &str) -> Hints {
        self.index.hints(front(text))
    }

    /// The rules that could match a process whose fields hold texts with these hints.
    pub(super) fn candidates(&self, fields: &[Option<&Hints>; witness::FIELDS.len()]) -> SmallVec<[u16; 8]> {
        self.index.candidates(fields)
    }

    /// The behaviour of a candidate, if it is for such a host.
    #[cfg(test)]
    pub(super) fn name_for(&self, candidate: u16, windows: bool) -> Option<BehaviourId> {
        let view = ProcessView { windows, ..ProcessView::default() };
        let rule = &self.rules[usize::from(candidate)];
        view.is_of(rule.os).then_some(rule.behaviour)
    }

    /// In ascending order, each once.
    pub(super) fn matching(&self, view: &ProcessView<'_>) -> Vec<BehaviourId> {
        let hints = view.fields().map(|it| Some(self.hints(it?)));
        self.matching_of(&self.candidates(&std::array::from_fn(|at| hints[at].as_ref())), view)
    }

    /// The same, of the candidates alone.
    pub(super) fn matching_of(&self, candidates: &[u16], view: &ProcessView<'_>) -> Vec<BehaviourId> {
        let mut found: Vec<BehaviourId> = candidates
            .iter()
            .map(|it| &self.rules[usize::from(*it)])
            .filter(|it| view.is_of(it.os))
            .filter(|it| evaluate_rule(&it.compiled, view).is_some())
            .map(|it| it.behaviour)
            .collect();
        found.sort_unstable();
        debug_assert_eq!(found, self.matching_all(view), "{view:?}");
        found
    }

    /// The same, with every rule asked.
    fn matching_all(&self, view: &ProcessView<'_>) -> Vec<BehaviourId> {
        let rules = self.rules.iter().filter(|it| view.is_of(it.os));
        rules.filter(|it| evaluate_rule(&it.compiled, view).is_some()).map(|it| it.behaviour).collect()
    }
}

/// The front of a field, as far as the rules look.
pub(super) fn front(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_FIELD_BYTES)]
}

/// Where macOS keeps what no other system has.
pub(super) fn is_mac_path(path: &str) -> bool {
    const PLACES: [&str; 5] = ["/Users/", "/Applications/", "/System/", "/Library/", "/Volumes/"];
    const TOOLS: [&str; 18] = [
        "osascript",
        "launchctl",
        "dscl",
        "dseditgroup",
        "security",
        "spctl",
        "csrutil",
        "sw_vers",
        "system_profiler",
        "screencapture",
        "networksetup",
        "scutil",
        "hdiutil",
        "PlistBuddy",
        "sysadminctl",
        "tmutil",
        "mdfind",
        "xattr",
    ];
    PLACES.iter().any(|it| path.starts_with(it)) || TOOLS.contains(&path.rsplit('/').next().unwrap_or_default())
}

impl ProcessView<'_> {
    /// Whether a rule for that system is for this process. A Linux host never pays for Windows rules.
    pub(super) fn is_of(&self, os: Os) -> bool {
        match os {
            Os::Any => true,
            Os::Windows => self.windows,
            Os::Linux => !self.windows,
            Os::Mac => !self.windows && [self.file_path, self.parent_file_path].into_iter().flatten().any(is_mac_path),
        }
    }

    fn fields(&self) -> [Option<&str>; witness::FIELDS.len()] {
        [self.file_path, self.cmd_line, self.parent_file_path, self.parent_cmd_line, self.user, self.cwd]
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.fields().into_iter().flatten().map(front)
    }
}

/// Borrowed through and through: looking at an event allocates nothing.
impl Event for ProcessView<'_> {
    fn get_field(&self, path: &str) -> Option<EventValue<'_>> {
        if path == "Hashes" {
            return self.hashes.map(|it| EventValue::Str(Cow::Borrowed(front(it))));
        }
        let field = witness::FIELDS.iter().position(|it| *it == path)?;
        self.fields()[field].map(|value| EventValue::Str(Cow::Borrowed(front(value))))
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
