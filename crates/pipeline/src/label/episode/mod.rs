//! one connected episode → what it adds to the sketch, and its record for the findings.
//!
//! Most episodes show nothing and join nothing: `plain` sees that by looking at each distinct text once (`words`,
//! `said`). The others are worked out node by node (`work`, `roles`, `facts`, `record`, `way_in`); what belongs to
//! no process makes episodes of its own (`loose`).

mod facts;
mod hints;
mod hits;
mod idle;
mod loose;
mod plain;
mod record;
mod roles;
mod said;
mod traced;
mod traffic;
mod way_in;
mod words;
mod work;

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use ringleader_model::hash::{ByHash, hash64};
use ringleader_model::{Context, Indicator, IndicatorKind};

use super::methods::{MethodMatch, Methods};
use super::network::{self, Signals};
use super::{BehaviourId, Behaviours, ProcessView, Severity};
use crate::connect::episodes::Episode;
use crate::connect::{HostGraph, Process, boundary};
use crate::extract::Extractor;
use crate::merge::record::EpisodeRecord;
use crate::merge::sketch::{Feature, Reach, reach};
use crate::merge::{Sketch, stop};
use crate::partition::known::KnownGangs;
use crate::shell;

pub use hits::Hits;
pub use record::{member, process_uid};
use said::Said;
pub use traced::{Traced, own_folder};
pub use words::Words;

/// So many behaviours that honest people show as well are an intruder's, within so many microseconds.
const MEDIUM_AT_ONCE: usize = 3;
/// From a server of one's own network, people fetch and run what they run.
const FETCHES: &[&str] =
    &["downloads_then_runs", "fetches_with_system_tool", "runs_remote_script", "hidden_powershell"];
const AT_ONCE: i64 = 120_000_000;
/// Distinct values a labeller remembers before it starts anew.
const REMEMBERED: usize = 1 << 17;
/// Commands of a script that is remembered.
const REMEMBERED_COMMANDS: usize = 16;
/// Nodes of one episode that are recorded one by one; a flood beyond it is counted.
const RECORDED_NODES: usize = 20_000;
/// Rows of one process that are recorded.
const RECORDED_ROWS: usize = 64;

/// Everything that labels are made from. Made once, shared by threads.
pub struct Knowledge {
    pub extractor: Extractor,
    pub behaviours: Behaviours,
    pub methods: Methods,
    /// Labels nothing: names are suggested in the end.
    pub gangs: KnownGangs,
}

impl Knowledge {
    pub fn built_in() -> Self {
        Self {
            extractor: Extractor::new(),
            behaviours: Behaviours::built_in(),
            methods: Methods::builtin(),
            gangs: KnownGangs::builtin(),
        }
    }
}

/// Labels episodes; one a thread.
pub struct Labeller<'k> {
    knowledge: &'k Knowledge,
    said: HashMap<u64, Rc<Said>, ByHash>,
    met: Met,
    hints: hints::HintBook,
    scripts: HashMap<u64, Rc<[shell::Command]>, ByHash>,
    shown: HashMap<u64, Rc<[u16]>, ByHash>,
    identified: HashMap<u64, Rc<[MethodMatch]>, ByHash>,
    scratch: plain::Scratch,
}

/// Which texts came lately, as far as their places were not taken by others.
struct Met(Vec<u32>);

impl Default for Met {
    fn default() -> Self {
        Self(vec![0; 1 << Self::BITS])
    }
}

impl Met {
    const BITS: u32 = 18;

    /// Whether it came before; it has now. A rare mistake costs room or time, never an answer.
    fn again(&mut self, hash: u64) -> bool {
        let place = &mut self.0[(hash >> (64 - Self::BITS)) as usize];
        std::mem::replace(place, hash as u32) == hash as u32
    }
}

impl<'k> Labeller<'k> {
    pub fn new(knowledge: &'k Knowledge) -> Self {
        Self {
            knowledge,
            said: HashMap::default(),
            met: Met::default(),
            hints: hints::HintBook::default(),
            scripts: HashMap::default(),
            shown: HashMap::default(),
            identified: HashMap::default(),
            scratch: plain::Scratch::default(),
        }
    }

    fn say(&mut self, cmd: &str) -> Rc<Said> {
        self.say_hashed(cmd, hash64(cmd.as_bytes()))
    }

    fn say_hashed(&mut self, cmd: &str, hash: u64) -> Rc<Said> {
        // Two texts of one hash are not taken for each other: the second is not remembered.
        match self.said.get(&hash) {
            Some(said) if *said.text == *cmd => return said.clone(),
            _ => {}
        }
        let said = Rc::new(Said::of(self.knowledge, cmd, hash));
        // Most lines of a fleet are never run again: only what comes a second time is worth its room.
        if self.met.again(hash) {
            if self.said.len() >= REMEMBERED {
                self.said.clear();
            }
            self.said.entry(hash).or_insert_with(|| said.clone());
        }
        said
    }

    /// What one process shows by itself; `key` stands for everything in the view.
    fn show(&mut self, key: u64, view: &ProcessView<'_>) -> Rc<[u16]> {
        self.show_once(key, |behaviours| behaviours.of_process(view))
    }

    /// The same, with the rules at hand that could match.
    fn show_among(&mut self, key: u64, candidates: &[u16], view: &ProcessView<'_>) -> Rc<[u16]> {
        self.show_once(key, |behaviours| behaviours.of_process_among(candidates, view))
    }

    fn show_once(&mut self, key: u64, look: impl FnOnce(&Behaviours) -> Vec<BehaviourId>) -> Rc<[u16]> {
        if let Some(shown) = self.shown.get(&key) {
            return shown.clone();
        }
        if self.shown.len() >= REMEMBERED {
            self.shown.clear();
        }
        let shown: Rc<[u16]> = look(&self.knowledge.behaviours).into_iter().map(|it| it.0).collect();
        self.shown.insert(key, shown.clone());
        shown
    }

    /// The commands that a script would run; `None` where it is no more than the one that it is.
    fn would_run(&mut self, script: &str) -> Option<Rc<[shell::Command]>> {
        let key = hash64(script.as_bytes());
        let commands = match self.scripts.get(&key) {
            Some(known) => known.clone(),
            None => {
                let commands: Rc<[shell::Command]> = shell::would_run(script).into();
                // A long one is rare, and would take room.
                if commands.len() <= REMEMBERED_COMMANDS {
                    if self.scripts.len() >= REMEMBERED / 32 {
                        self.scripts.clear();
                    }
                    self.scripts.insert(key, commands.clone());
                }
                commands
            }
        };
        (commands.len() != 1 || commands[0].text != script).then_some(commands)
    }

    /// The methods that a payload is an instance of.
    pub fn identify(&mut self, payload: &str) -> Rc<[MethodMatch]> {
        let key = hash64(payload.as_bytes());
        if let Some(found) = self.identified.get(&key) {
            return found.clone();
        }
        if self.identified.len() >= REMEMBERED / 8 {
            self.identified.clear();
        }
        let found: Rc<[MethodMatch]> = self.knowledge.methods.identify(payload).into();
        self.identified.insert(key, found.clone());
        found
    }

    /// Labels one episode of a host and adds it to the sketch. A record where something in it can join others.
    /// What an intruder had put there is suspicious, whatever it shows.
    pub fn label(
        &mut self,
        words: &mut Words<'_>,
        graph: &HostGraph,
        episode: &Episode,
        host: &Host<'_>,
        traced: &mut Traced,
        sketch: &mut Sketch,
    ) -> Option<EpisodeRecord> {
        let traces = traced.leads_to(self, words, graph, episode);
        if !traces && let Some(plain) = self.plain(words, graph, episode, host) {
            sketch.add_background(&plain, self.scratch.paths());
            return None;
        }
        let bucket = words.bucket();
        let (nodes, honeypot, alerted) = self.worked_out(words, graph, episode, host, false);
        let managed = episode
            .boundary
            .is_some_and(|it| words.role(graph.processes[it as usize].file_path) == Some(boundary::Role::Agent));
        let suspicious = traces || alerted || self.is_suspicious(&nodes, managed);
        let mut facts = facts::facts(bucket, graph, episode, &nodes, suspicious, honeypot);
        let joins = |it: &Feature| reach(it.kind, &it.value, it.context).is_some_and(|it| it <= Reach::Infrastructure);
        if !suspicious && !honeypot && !facts.features.iter().any(joins) {
            sketch.add(facts);
            return None;
        }
        let mut record = record::record(bucket, graph, episode, nodes, host, suspicious);
        record.suspicious = suspicious;
        record.honeypot = honeypot;
        record.alerted = alerted;
        if suspicious || honeypot {
            self.way_in(bucket, graph, episode, host, &mut record, &mut facts);
        }
        record.group = sketch.add(facts)?;
        traced.add(&record);
        Some(record)
    }

    /// The record of an episode that went to the background: it may be what a lossy sensor left of an intrusion.
    pub fn remnant(
        &mut self,
        words: &mut Words<'_>,
        graph: &HostGraph,
        episode: &Episode,
        host: &Host<'_>,
    ) -> EpisodeRecord {
        let nodes = self.nodes(words, graph, episode);
        record::record(words.bucket(), graph, episode, nodes, host, false)
    }

    /// Whether a command line of the episode holds an indicator of any kind.
    pub fn names_something(&mut self, words: &mut Words<'_>, graph: &HostGraph, episode: &Episode) -> bool {
        logged(graph, episode).any(|it| words.brief(self, it).n_indicators > 0)
    }

    /// Whether the episode runs or writes a file that is no program of the system.
    pub fn runs_own_file(&mut self, words: &mut Words<'_>, graph: &HostGraph, episode: &Episode) -> bool {
        let own = |it: &Indicator| {
            it.kind == IndicatorKind::FilePath
                && matches!(it.context, Context::Executed | Context::Written)
                && !boundary::is_system_path(&it.value)
        };
        if logged(graph, episode).any(|it| words.image(it.file_path).foreign) {
            return true;
        }
        self.names_something(words, graph, episode)
            && logged(graph, episode).any(|it| words.said(self, it).indicators.iter().any(own))
    }

    /// Whether every logged command line of the episode has a template, by its hash, that passes.
    pub fn all_templates(
        &mut self,
        words: &mut Words<'_>,
        graph: &HostGraph,
        episode: &Episode,
        pass: &mut dyn FnMut(u64) -> bool,
    ) -> bool {
        logged(graph, episode).all(|it| pass(words.brief(self, it).template_hash))
    }

    /// What one episode shows. `label` passes over an episode that can show nothing of alarm grade; `thorough` does
    /// not, for whoever measures behaviours by themselves.
    pub fn behaviours(
        &mut self,
        words: &mut Words<'_>,
        graph: &HostGraph,
        episode: &Episode,
        host: &Host<'_>,
        thorough: bool,
    ) -> BTreeSet<BehaviourId> {
        if !thorough && self.plain(words, graph, episode, host).is_some() {
            return BTreeSet::new();
        }
        let nodes = self.worked_out(words, graph, episode, host, thorough).0;
        nodes.iter().flat_map(|it| &it.behaviours).map(|it| BehaviourId(*it)).collect()
    }

    /// The nodes of an episode with what they show; whether a honeypot logged it, and an alert named it.
    fn worked_out(
        &mut self,
        words: &mut Words<'_>,
        graph: &HostGraph,
        episode: &Episode,
        host: &Host<'_>,
        thorough: bool,
    ) -> (Vec<work::Work>, bool, bool) {
        let bucket = words.bucket();
        let mut nodes = self.nodes(words, graph, episode);
        host.hits.add_to(&mut nodes, graph);
        let notable = nodes.iter().any(|it| !it.behaviours.is_empty() || it.said.notable);
        let process = |it: &work::Work| it.process.map(|at| &graph.processes[at as usize]);
        let honeypot = nodes.iter().any(|it| process(it).is_some_and(|it| it.honeypot));
        let has_deeds = nodes.iter().any(|it| process(it).is_some_and(|it| !it.deeds.is_empty()));
        let mut alerted = false;
        if notable || honeypot || has_deeds || thorough {
            if honeypot || nodes.iter().filter(|it| !it.inferred).count() <= 1 {
                self.expand_scripts(&mut nodes, honeypot);
            }
            self.trees(bucket, graph, &mut nodes, honeypot);
            alerted = self.network_roles(bucket, graph, &mut nodes, host);
            self.own_roles(bucket, graph, &mut nodes);
        }
        let removes_agent = self.knowledge.behaviours.by_name("disables_security_agent").map(|it| it.0);
        for node in &mut nodes {
            node.vendors = removes_agent.is_some_and(|it| node.behaviours.contains(&it));
        }
        (nodes, honeypot, alerted)
    }

    /// `managed`: what manages the host started it, and then much that intruders do is somebody's work.
    fn is_suspicious(&self, nodes: &[work::Work], managed: bool) -> bool {
        let mut medium: Vec<(i64, u16)> = Vec::new();
        for node in nodes {
            let inside = fetches_inside(node);
            for behaviour in &node.behaviours {
                let Some(known) = self.knowledge.behaviours.get(BehaviourId(*behaviour)) else { continue };
                let milder = managed || inside && FETCHES.contains(&known.id.as_str());
                match known.severity {
                    Severity::Critical => return true,
                    Severity::High if !milder => return true,
                    Severity::High | Severity::Medium => {
                        medium.push((node.time.map_or(0, |it| it.0), *behaviour));
                    }
                    Severity::Low => {}
                }
            }
        }
        // People do such things as well, one at a time.
        medium.sort_unstable();
        (0..medium.len()).any(|from| {
            let soon = medium[from..].iter().take_while(|it| it.0 - medium[from].0 <= AT_ONCE);
            soon.map(|it| it.1).collect::<BTreeSet<_>>().len() >= MEDIUM_AT_ONCE
        })
    }
}

/// Whether everything that the command line names is in the network itself.
fn fetches_inside(node: &work::Work) -> bool {
    let hosts = || node.said.indicators.iter().filter_map(|it| stop::host_of(it.kind, &it.value));
    hosts().next().is_some() && hosts().all(|it| stop::is_private(&it))
}

fn logged<'g>(graph: &'g HostGraph, episode: &Episode) -> impl Iterator<Item = &'g Process> {
    episode.members.iter().map(|it| &graph.processes[*it as usize]).filter(|it| !it.inferred)
}

/// What is known of the host while its episodes are labelled.
pub struct Host<'a> {
    pub name: &'a str,
    pub addresses: BTreeSet<String>,
    pub signals: &'a Signals,
    /// What its rows show that start no process.
    pub hits: Hits,
    pub missing: u64,
    pub links: u64,
}

impl Host<'_> {
    /// Whether the sensor may have seen this very host: its address is known and on either end, or unknown.
    fn may_be_of(&self, signal: &network::Signal) -> bool {
        self.addresses.is_empty()
            || signal.from.as_ref().is_some_and(|it| self.addresses.contains(it))
            || signal.to.as_ref().is_some_and(|it| self.addresses.contains(it))
            || (signal.from.is_none() && signal.to.is_none())
    }
}

impl Host<'_> {
    /// Whether its address is known to be on either end.
    fn is_end_of(&self, signal: &network::Signal) -> bool {
        [&signal.from, &signal.to].into_iter().flatten().any(|it| self.addresses.contains(it))
    }
}

/// The number by which an indicator is told from others of an episode.
fn feature_hash(kind: IndicatorKind, value_hash: u64) -> u64 {
    value_hash ^ (kind as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn indicator_hash(it: &Indicator) -> u64 {
    feature_hash(it.kind, hash64(it.value.as_bytes()))
}
