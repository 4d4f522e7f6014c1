//! Process graphs → behaviours: what was seen in them, each with an ATT&CK technique. Two mechanisms: Sigma rules
//! for what one process shows (`knowledge/behaviours`), tree patterns for what takes several. Deliberately
//! absent: any verdict on a host, and who did it.

mod command;
mod correlate;
mod deeds;
mod fetch;
mod load;
pub(crate) mod paths;
mod rules;
mod sigma;
mod source;
mod tree;
mod witness;

pub mod episode;
pub mod methods;
pub mod network;

mod archives_then_sends;
mod brute_forces_ssh;
mod compiles_then_runs;
mod deletes_itself;
mod downloads_then_runs;
mod installs_from_web;
mod kills_rivals;
mod lateral_known_hosts_ssh;
mod overwrites_copied_program;
mod persists_dropped_file;
mod replaces_ssh_keys;
mod sweeps_hosts;
mod system_reconnaissance;
mod tries_many_architectures;
mod turns_off_defences;
mod writes_then_runs;

use serde::Serialize;
use smallvec::SmallVec;

use command::{Command, commands};
use correlate::Correlations;
use deeds::DeedRules;
use load::{Loaded, RuleText};
use sigma::Rules;
use source::Place;
use tree::Scene;
pub use tree::{Node, Tree};
pub(crate) use witness::Hints;

/// How much a behaviour weighs by itself. From `High` on it is alarm grade: it makes an episode suspicious.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
    pub const fn is_alarm(self) -> bool {
        matches!(self, Self::High | Self::Critical)
    }
}

/// What it takes to see a behaviour: one process, or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Single,
    Tree,
}

/// How far a behaviour is trusted. `Trial` is computed and not alarmed on; `Retired` is no longer looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Maturity {
    Trial,
    Stable,
    Retired,
}

/// Something that can be seen in a process graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Behaviour {
    /// What is seen; reads after "the host …".
    pub id: String,
    pub title: String,
    /// ATT&CK technique, `T1105` or `T1059.004`. Empty where a user's rule names none.
    pub technique: String,
    /// All that it may be a sign of, the most exact first.
    pub techniques: Vec<String>,
    pub severity: Severity,
    pub kind: Kind,
    pub maturity: Maturity,
}

/// Index into [`Behaviours::all`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct BehaviourId(pub u16);

/// One process, with as much as the log says of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessView<'a> {
    pub file_path: Option<&'a str>,
    pub cmd_line: Option<&'a str>,
    pub parent_file_path: Option<&'a str>,
    pub parent_cmd_line: Option<&'a str>,
    pub user: Option<&'a str>,
    pub cwd: Option<&'a str>,
    pub hashes: Option<&'a str>,
    pub windows: bool,
}

/// A behaviour seen in a tree, and the nodes that show it, in order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    pub behaviour: BehaviourId,
    pub nodes: Vec<usize>,
}

/// A rule that can't be used, or only in part, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RuleProblem {
    pub name: String,
    pub what: String,
    /// Looked for all the same.
    pub used: bool,
}

/// A behaviour that only several processes show together.
pub(crate) trait Pattern: Sync {
    /// What is seen, `snake_case`; also its fixture folder.
    fn id(&self) -> &'static str;
    /// One sentence without a full stop, for lists and reports.
    fn title(&self) -> &'static str;
    fn technique(&self) -> &'static str;
    /// All that it may be a sign of, the most exact first.
    fn techniques(&self) -> &'static [&'static str] {
        &[]
    }
    fn severity(&self) -> Severity;
    fn maturity(&self) -> Maturity {
        Maturity::Stable
    }
    /// What the commands of one node add towards it, as bits of its own meaning; of files and connections nothing.
    fn signs(&self, commands: &[Command<'_>]) -> u64;
    /// Whether nodes whose signs add up to these can show it.
    fn may_show(&self, signs: u64) -> bool {
        signs != 0
    }
    /// Evidence of each time it is seen: node indices in order. Linear in the scene's steps and nodes.
    fn find(&self, scene: &Scene<'_, '_>) -> Vec<Vec<usize>>;
}

/// Every pattern, by name.
const PATTERNS: &[&dyn Pattern] = &[
    &archives_then_sends::ArchivesThenSends,
    &brute_forces_ssh::BruteForcesSsh,
    &compiles_then_runs::CompilesThenRuns,
    &deletes_itself::DeletesItself,
    &downloads_then_runs::DownloadsThenRuns,
    &installs_from_web::InstallsFromWeb,
    &kills_rivals::KillsRivals,
    &lateral_known_hosts_ssh::LateralKnownHostsSsh,
    &overwrites_copied_program::OverwritesCopiedProgram,
    &persists_dropped_file::PersistsDroppedFile,
    &replaces_ssh_keys::ReplacesSshKeys,
    &sweeps_hosts::SweepsHosts,
    &system_reconnaissance::SystemReconnaissance,
    &tries_many_architectures::TriesManyArchitectures,
    &turns_off_defences::TurnsOffDefences,
    &writes_then_runs::WritesThenRuns,
];

/// What the commands of some nodes add towards each pattern.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Signs([u64; PATTERNS.len()]);

impl Signs {
    /// Of nodes whose files or connections are known: any pattern may be shown.
    pub(crate) const UNKNOWN: Self = Self([u64::MAX; PATTERNS.len()]);

    /// Of one command line. Ask once per distinct line.
    pub(crate) fn of(line: &str, windows: bool) -> Self {
        let commands = commands(line, windows);
        Self(std::array::from_fn(|at| PATTERNS[at].signs(&commands)))
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(all, more)| *all |= more);
    }

    /// Whether any pattern can be shown.
    pub(crate) fn may_show(&self) -> bool {
        (0..PATTERNS.len()).any(|at| self.may_show_pattern(at))
    }

    fn may_show_pattern(&self, at: usize) -> bool {
        PATTERNS[at].may_show(self.0[at])
    }
}

fn techniques(pattern: &dyn Pattern) -> Vec<String> {
    let more = pattern.techniques().iter().filter(|it| **it != pattern.technique());
    std::iter::once(pattern.technique()).chain(more.copied()).map(str::to_owned).collect()
}

/// Evidence kept of one behaviour in one tree; the rest repeats it.
const MAX_FOUND: usize = 16;
/// Nodes named in one piece of evidence.
const MAX_EVIDENCE: usize = 64;

/// Everything that is looked for: the patterns, our own rules, then the user's.
pub struct Behaviours {
    all: Vec<Behaviour>,
    rules: Rules,
    /// Of rows that start no process.
    deeds: DeedRules,
    correlations: Correlations,
    /// Whether a rule asks for what only the start event holds.
    late: bool,
}

impl Behaviours {
    /// What ships with the program. Compiling it takes some milliseconds: do it once.
    pub fn built_in() -> Self {
        Self::with_rules(&[]).0
    }

    /// The same, and a user's own rules, given as (file name without ending, YAML text). A rule that can't be
    /// used is told and costs itself alone.
    pub fn with_rules(yaml_texts: &[(String, String)]) -> (Self, Vec<RuleProblem>) {
        let mut all: Vec<_> = PATTERNS
            .iter()
            .map(|pattern| Behaviour {
                id: pattern.id().to_owned(),
                title: pattern.title().to_owned(),
                technique: pattern.technique().to_owned(),
                techniques: techniques(*pattern),
                severity: pattern.severity(),
                kind: Kind::Tree,
                maturity: pattern.maturity(),
            })
            .collect();
        let own = rules::RULES.iter().map(|(name, text)| RuleText { name, text });
        let added = yaml_texts.iter().map(|(name, text)| RuleText { name, text });
        let texts: Vec<_> = own.chain(added).collect();
        let mut problems = Vec::new();
        let Loaded { rules, correlations } = load::load(&texts, &mut all, &mut problems);
        let (of_processes, of_rows): (Vec<_>, Vec<_>) = rules.into_iter().partition(|it| it.place == Place::Process);
        let late = of_processes.iter().any(|it| load::asks_late(&it.compiled));
        let (rules, deeds) = (Rules::new(of_processes), DeedRules::new(of_rows.into_iter()));
        (Self { all, rules, deeds, correlations, late }, problems)
    }

    pub fn all(&self) -> &[Behaviour] {
        &self.all
    }

    pub fn get(&self, id: BehaviourId) -> Option<&Behaviour> {
        self.all.get(usize::from(id.0))
    }

    /// What a text says for the rules. Ask once per distinct text.
    pub(crate) fn hints(&self, text: &str) -> Hints {
        self.rules.hints(text)
    }

    /// The rules that could match a process whose image, command line, parent's image and command line, and user have
    /// these hints.
    pub(crate) fn candidates(&self, hints: [Option<&Hints>; 5]) -> SmallVec<[u16; 8]> {
        let [image, cmd_line, parent_image, parent_cmd_line, user] = hints;
        self.rules.candidates(&[image, cmd_line, parent_image, parent_cmd_line, user, None])
    }

    /// Whether a rule asks for what only a process's start event holds.
    pub(crate) fn asks_late(&self) -> bool {
        self.late
    }

    /// What one process shows by itself, of the candidates alone.
    pub(crate) fn of_process_among(&self, candidates: &[u16], view: &ProcessView<'_>) -> Vec<BehaviourId> {
        self.rules.matching_of(candidates, view)
    }

    pub fn by_name(&self, name: &str) -> Option<BehaviourId> {
        let index = self.all.iter().position(|it| it.id == name)?;
        u16::try_from(index).ok().map(BehaviourId)
    }

    /// What one process shows by itself, in ascending order. Ask once per distinct view.
    pub fn of_process(&self, view: &ProcessView<'_>) -> Vec<BehaviourId> {
        self.rules.matching(view)
    }

    /// What several processes of one episode show together, ordered by behaviour, then by evidence. At most
    /// sixteen times each, with at most 64 nodes.
    pub fn of_tree(&self, tree: &Tree<'_>) -> Vec<Found> {
        self.of_tree_with(tree, &Signs::UNKNOWN)
    }

    /// The same, with the signs of all nodes at hand: patterns that can't be shown aren't looked for.
    pub(crate) fn of_tree_with(&self, tree: &Tree<'_>, signs: &Signs) -> Vec<Found> {
        let scene = Scene::new(tree);
        let mut out = Vec::new();
        for (index, pattern) in (0u16..).zip(PATTERNS) {
            if pattern.maturity() == Maturity::Retired {
                continue;
            }
            if !signs.may_show_pattern(usize::from(index)) {
                debug_assert!(pattern.find(&scene).is_empty(), "{} without its signs", pattern.id());
                continue;
            }
            let mut seen = pattern.find(&scene);
            seen.iter_mut().for_each(|nodes| nodes.truncate(MAX_EVIDENCE));
            seen.sort();
            seen.dedup();
            let found = seen.into_iter().take(MAX_FOUND);
            out.extend(found.map(|nodes| Found { behaviour: BehaviourId(index), nodes }));
        }
        out
    }
}

#[cfg(test)]
mod cases;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod user_rules;
