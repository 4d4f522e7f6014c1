//! A process → the Sigma rules it matches. Deliberately absent: correlations and filters (what needs several
//! events is a tree pattern), and every log source but process creation.

use std::borrow::Cow;

use rsigma_eval::event::{Event, EventValue};
use rsigma_eval::{CompiledRule, Engine, compile_rule};
use rsigma_parser::{Level, LogSource, SigmaRule, Status, parse_sigma_yaml};

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

/// Compiled rules, apart by product, so that a Linux host never pays for Windows rules.
pub(super) struct Rules {
    linux: Engine,
    windows: Engine,
}

impl Rules {
    /// Reads and compiles the rules. Each that can be used is appended to `all`; its index there is its id.
    pub(super) fn compile(texts: &[RuleText<'_>], all: &mut Vec<Behaviour>, problems: &mut Vec<RuleProblem>) -> Self {
        let (mut linux, mut windows) = (Vec::new(), Vec::new());
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
                            if product != Some("windows") {
                                linux.push(compiled.clone());
                            }
                            if product != Some("linux") {
                                windows.push(compiled);
                            }
                        }
                        all.push(behaviour);
                    }
                    Err(what) => refuse(what),
                }
            }
        }
        Self { linux: engine(linux), windows: engine(windows) }
    }

    /// In ascending order, each once.
    pub(super) fn matching(&self, view: &ProcessView<'_>) -> Vec<BehaviourId> {
        let engine = if view.windows { &self.windows } else { &self.linux };
        let results = engine.evaluate(view);
        let mut ids: Vec<_> = results
            .iter()
            .filter_map(|result| result.header.rule_id.as_deref()?.parse().ok().map(BehaviourId))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

fn engine(rules: Vec<CompiledRule>) -> Engine {
    let mut engine = Engine::new();
    engine.extend_compiled_rules(rules);
    engine
}

/// The compiled rule carries our index in place of its own id, so that a match needs no table to be told.
fn compile(rule: &SigmaRule, id: &str, all: &[Behaviour]) -> Result<(Behaviour, CompiledRule), String> {
    if all.iter().any(|it| it.id == id) {
        return Err(format!("the name `{id}` is taken"));
    }
    applies(&rule.logsource)?;
    let index = u16::try_from(all.len()).map_err(|_| "more than 65535 rules".to_owned())?;
    let mut compiled = compile_rule(rule).map_err(|error| error.to_string())?;
    compiled.id = Some(index.to_string());
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
    fn texts(&self) -> impl Iterator<Item = &str> {
        [self.file_path, self.cmd_line, self.parent_file_path, self.parent_cmd_line, self.user, self.cwd]
            .into_iter()
            .flatten()
            .map(front)
    }
}

/// Borrowed through and through: looking at an event allocates nothing.
impl Event for ProcessView<'_> {
    fn get_field(&self, path: &str) -> Option<EventValue<'_>> {
        let value = match path {
            "Image" => self.file_path,
            "CommandLine" => self.cmd_line,
            "ParentImage" => self.parent_file_path,
            "ParentCommandLine" => self.parent_cmd_line,
            "User" => self.user,
            "CurrentDirectory" => self.cwd,
            _ => None,
        };
        value.map(|value| EventValue::Str(Cow::Borrowed(front(value))))
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
