//! A process → the Sigma rules it matches. Deliberately absent: correlations and filters (what needs several
//! events is a tree pattern), and every log source but process creation.

use std::borrow::Cow;

use rsigma_eval::event::{Event, EventValue};
use rsigma_eval::{CompiledRule, compile_rule, evaluate_rule};
use rsigma_parser::{Level, LogSource, SigmaRule, Status, parse_sigma_yaml};
use smallvec::SmallVec;

use super::witness::{self, Hints, Index};
use super::{Behaviour, BehaviourId, Kind, Maturity, ProcessView, RuleProblem, Severity};

/// Of a command line, what the rules look at. The longest that Linux can start is 2 MiB; what tells a bot
/// stands in its front.
const MAX_FIELD_BYTES: usize = 64 << 10;
/// A rule text longer than this is refused: SigmaHQ's longest has 30 kB.
const MAX_RULE_BYTES: usize = 1 << 20;

/// One text as it comes from a folder: `name` is the file's name without its ending.
#[derive(Debug, Clone, Copy)]
pub(super) struct RuleText<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

struct Rule {
    behaviour: BehaviourId,
    compiled: CompiledRule,
    /// A Linux host never pays for Windows rules, nor the other way round.
    linux: bool,
    windows: bool,
}

/// Compiled rules, and the index that tells which of them are worth asking.
pub(super) struct Rules {
    rules: Vec<Rule>,
    index: Index,
}

impl Rules {
    /// Reads and compiles the rules. Each that can be used is appended to `all`; its index there is its id.
    pub(super) fn compile(texts: &[RuleText<'_>], all: &mut Vec<Behaviour>, problems: &mut Vec<RuleProblem>) -> Self {
        let mut rules = Vec::new();
        for text in texts {
            let mut refuse = |what: String| problems.push(RuleProblem { name: text.name.to_owned(), what });
            if text.text.len() > MAX_RULE_BYTES {
                refuse(format!("longer than {MAX_RULE_BYTES} bytes"));
                continue;
            }
            let collection = match parse_sigma_yaml(text.text) {
                Ok(collection) => collection,
                Err(error) => {
                    refuse(error.to_string());
                    continue;
                }
            };
            collection.errors.iter().for_each(|error| refuse(error.clone()));
            if !collection.correlations.is_empty() || !collection.filters.is_empty() {
                refuse("correlations and filters are not supported".to_owned());
            }
            for (nth, rule) in (1..).zip(&collection.rules) {
                let id = if nth == 1 { text.name.to_owned() } else { format!("{}_{nth}", text.name) };
                match compile(rule, &id, all) {
                    Ok((behaviour, compiled)) => {
                        // A retired rule keeps its name for old reports, and is no longer looked for.
                        if behaviour.maturity != Maturity::Retired {
                            let product = compiled.logsource.product.as_deref();
                            let (linux, windows) = (product != Some("windows"), product != Some("linux"));
                            let behaviour = BehaviourId(all.len() as u16);
                            rules.push(Rule { behaviour, compiled, linux, windows });
                        }
                        all.push(behaviour);
                    }
                    Err(what) => refuse(what),
                }
            }
        }
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
            .filter(|it| if view.windows { it.windows } else { it.linux })
            .filter(|it| evaluate_rule(&it.compiled, view).is_some())
            .map(|it| it.behaviour)
            .collect();
        found.sort_unstable();
        debug_assert_eq!(found, self.matching_all(view), "{view:?}");
        found
    }

    /// The same, with every rule asked.
    fn matching_all(&self, view: &ProcessView<'_>) -> Vec<BehaviourId> {
        let rules = self.rules.iter().filter(|it| if view.windows { it.windows } else { it.linux });
        rules.filter(|it| evaluate_rule(&it.compiled, view).is_some()).map(|it| it.behaviour).collect()
    }
}

fn compile(rule: &SigmaRule, id: &str, all: &[Behaviour]) -> Result<(Behaviour, CompiledRule), String> {
    if all.iter().any(|it| it.id == id) {
        return Err(format!("the name `{id}` is taken"));
    }
    applies(&rule.logsource)?;
    u16::try_from(all.len()).map_err(|_| "more than 65535 rules".to_owned())?;
    let mut compiled = compile_rule(rule).map_err(|error| error.to_string())?;
    compiled.include_event = false;
    let behaviour = Behaviour {
        id: id.to_owned(),
        title: rule.title.clone(),
        technique: technique(&rule.tags),
        severity: match rule.level {
            Some(Level::Critical) => Severity::Critical,
            Some(Level::High) => Severity::High,
            Some(Level::Medium) => Severity::Medium,
            Some(Level::Low | Level::Informational) | None => Severity::Low,
        },
        kind: Kind::Single,
        // Whoever adds a rule without a status wants to hear of it.
        maturity: match rule.status {
            Some(Status::Stable | Status::Test) | None => Maturity::Stable,
            Some(Status::Experimental) => Maturity::Trial,
            Some(Status::Deprecated | Status::Unsupported) => Maturity::Retired,
        },
    };
    Ok((behaviour, compiled))
}

fn applies(source: &LogSource) -> Result<(), String> {
    match source.category.as_deref() {
        Some("process_creation") => {}
        Some(other) => return Err(format!("log source category `{other}` is not looked at")),
        None => return Err("the log source names no category".to_owned()),
    }
    match source.product.as_deref() {
        None | Some("linux" | "windows") => Ok(()),
        Some(other) => Err(format!("product `{other}` is not looked at")),
    }
}

/// The most exact technique among the tags; empty where the rule names none.
fn technique(tags: &[String]) -> String {
    let named = |tag: &String| {
        let rest = tag.to_ascii_uppercase().strip_prefix("ATTACK.T")?.to_owned();
        rest.starts_with(|c: char| c.is_ascii_digit()).then(|| format!("T{rest}"))
    };
    // The first of the longest: a sub-technique says more than its technique.
    tags.iter().filter_map(named).rev().max_by_key(String::len).unwrap_or_default()
}

/// The front of a field, as far as the rules look.
fn front(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_FIELD_BYTES)]
}

impl ProcessView<'_> {
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
