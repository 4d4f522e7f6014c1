//! one connected episode → its facts (for the sketch) and its record (for the findings).
//!
//! Every expensive look is taken once per distinct value: a labeller remembers what it saw.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use ringleader_model::hash::{fold64, hash64, hash128};
use ringleader_model::{Context, EventClass, Field, Indicator, IndicatorKind, Timestamp};

use super::methods::entry::{Role as EntryRole, entry_role};
use super::methods::{Evidence, LogonKind, MethodMatch, Methods, Stage};
use super::network::{self, NetworkRole, Signals};
use super::{Behaviours, Node, ProcessView, Severity, Tree};
use crate::collect::rows::{Bucket, Row, Sym};
use crate::connect::boundary::{self, Role};
use crate::connect::episodes::Episode;
use crate::connect::{HostGraph, ParentStatus, Process, text};
use crate::extract::Extractor;
use crate::merge::record::{EpisodeRecord, MemberRecord, MethodRecord, NodeRecord};
use crate::merge::sketch::{EpisodeFacts, Feature, NodeFacts};
use crate::shell;

/// Distinct values a labeller remembers before it starts anew.
const REMEMBERED: usize = 1 << 18;
/// Nodes of one episode that are recorded one by one; a flood beyond it is counted.
const RECORDED_NODES: usize = 20_000;
/// Rows of one process that are recorded.
const RECORDED_ROWS: usize = 64;
/// A logon or request this long before an episode can be its way in.
const WAY_IN_MICROS: i64 = 120_000_000;
/// A process that talks to more addresses than this goes through them.
const SWEPT: usize = 8;
/// Commands of one script that become nodes.
const SCRIPT_NODES: usize = 256;

/// Everything that labels are made from. Made once, shared by threads.
pub struct Knowledge {
    pub extractor: Extractor,
    pub behaviours: Behaviours,
    pub methods: Methods,
}

impl Knowledge {
    pub fn built_in() -> Self {
        Self { extractor: Extractor::new(), behaviours: Behaviours::built_in(), methods: Methods::builtin() }
    }
}

/// What one distinct command line says by itself.
struct Said {
    /// The command line itself.
    text: String,
    /// 64 bits of it, by which it is remembered.
    hash: u64,
    template: String,
    indicators: Vec<Indicator>,
    /// What it hides in base64, hex and the like.
    layers: Vec<String>,
}

/// Labels episodes; one a thread.
pub struct Labeller<'k> {
    knowledge: &'k Knowledge,
    said: HashMap<u64, Rc<Said>, ByHash>,
    shown: HashMap<u64, Rc<[u16]>, ByHash>,
    identified: HashMap<u64, Rc<[MethodMatch]>, ByHash>,
    /// What the tree patterns found, by the commands of the tree.
    trees: HashMap<u64, Rc<[(u16, u32)]>, ByHash>,
}

type ByHash = std::hash::BuildHasherDefault<KeyIsHash>;

/// Keys are hashes already.
#[derive(Default)]
struct KeyIsHash(u64);

impl std::hash::Hasher for KeyIsHash {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash64(bytes);
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }
}

/// A labelled episode; without a record where nothing in it can join anything.
pub struct Labelled {
    pub facts: EpisodeFacts,
    pub record: Option<EpisodeRecord>,
}

/// A node while it is being labelled.
struct Work {
    process: Option<u32>,
    parent: Option<usize>,
    said: Rc<Said>,
    behaviours: BTreeSet<u16>,
    roles: BTreeSet<(NetworkRole, String)>,
    inferred: bool,
    fragment: bool,
    path: u128,
    parent_path: Option<u128>,
    time: Option<Timestamp>,
    /// It removes a security agent: what it names is the agent vendor's, whoever runs it.
    vendors: bool,
}

impl<'k> Labeller<'k> {
    pub fn new(knowledge: &'k Knowledge) -> Self {
        Self {
            knowledge,
            said: HashMap::default(),
            shown: HashMap::default(),
            identified: HashMap::default(),
            trees: HashMap::default(),
        }
    }

    fn say(&mut self, cmd: &str) -> Rc<Said> {
        self.say_hashed(cmd, hash64(cmd.as_bytes()))
    }

    fn say_hashed(&mut self, cmd: &str, hash: u64) -> Rc<Said> {
        // Two texts of one hash are not taken for each other: the second is not remembered.
        match self.said.get(&hash) {
            Some(said) if said.text == cmd => return said.clone(),
            _ => {}
        }
        if self.said.len() >= REMEMBERED {
            self.said.clear();
        }
        let mut indicators = Vec::new();
        self.knowledge.extractor.extract(cmd, &mut indicators);
        let layers = self.knowledge.extractor.decoded(cmd);
        let template = crate::extract::template::template(cmd);
        let said = Rc::new(Said { text: cmd.to_owned(), hash, template, indicators, layers });
        self.said.entry(hash).or_insert_with(|| said.clone());
        said
    }

    /// `key` stands for everything in the view.
    fn show(&mut self, key: u64, view: &ProcessView<'_>) -> Rc<[u16]> {
        if let Some(shown) = self.shown.get(&key) {
            return shown.clone();
        }
        if self.shown.len() >= REMEMBERED {
            self.shown.clear();
        }
        let shown: Rc<[u16]> = self.knowledge.behaviours.of_process(view).into_iter().map(|it| it.0).collect();
        self.shown.insert(key, shown.clone());
        shown
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

    /// Labels one episode of a host.
    pub fn label(&mut self, bucket: &Bucket, graph: &HostGraph, episode: &Episode, host: &Host<'_>) -> Labelled {
        let mut nodes = self.nodes(bucket, graph, episode);
        let notable = nodes.iter().any(|it| !it.behaviours.is_empty() || it.said.indicators.iter().any(is_notable));
        let honeypot = nodes.iter().any(|it| it.process.is_some_and(|at| graph.processes[at as usize].honeypot));
        let has_deeds =
            nodes.iter().any(|it| it.process.is_some_and(|at| !graph.processes[at as usize].deeds.is_empty()));
        let mut alerted = false;
        if notable || honeypot || has_deeds {
            if honeypot || !has_children_logged(&nodes) {
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
        let suspicious = alerted || self.is_suspicious(&nodes);
        let plain = !notable && !honeypot && !suspicious;
        let mut facts = facts(bucket, graph, episode, &nodes, suspicious, honeypot, !plain);
        let joins = suspicious
            || honeypot
            || facts.features.iter().any(|it| {
                crate::merge::sketch::reach(it.kind, it.context)
                    .is_some_and(|it| it <= crate::merge::sketch::Reach::Infrastructure)
            });
        if !joins {
            return Labelled { facts, record: None };
        }
        let mut record = self.record(bucket, graph, episode, nodes, host);
        record.suspicious = suspicious;
        record.honeypot = honeypot;
        record.alerted = alerted;
        if suspicious || honeypot {
            self.way_in(bucket, graph, episode, host, &mut record, &mut facts);
        }
        Labelled { facts, record: Some(record) }
    }

    fn nodes(&mut self, bucket: &Bucket, graph: &HostGraph, episode: &Episode) -> Vec<Work> {
        let mut at_of: HashMap<u32, usize> = HashMap::new();
        let mut nodes: Vec<Work> = Vec::with_capacity(episode.members.len());
        for member in episode.members.iter().take(RECORDED_NODES) {
            let process = &graph.processes[*member as usize];
            let parent = process.parent.and_then(|it| at_of.get(&it).copied());
            let file_path = bucket.strings.get(process.file_path);
            let cmd_line = bucket.strings.get(process.cmd_line);
            let said = if !cmd_line.is_empty() {
                self.say_hashed(cmd_line, bucket.strings.hash(process.cmd_line))
            } else if process.inferred {
                self.say(&format!("{} <unlogged>", if file_path.is_empty() { "unknown" } else { file_path }))
            } else {
                self.say_hashed(file_path, bucket.strings.hash(process.file_path))
            };
            let role = boundary::role_of_image(file_path);
            // A session says nothing of the bot: what runs in it has the same path whether it was logged or not.
            let session =
                process.honeypot && process.parent.is_none() || matches!(role, Some(Role::SshDaemon | Role::Cron));
            let above = parent.map(|it| &nodes[it]);
            let fragment =
                above.is_some_and(|it| it.fragment) || (process.inferred && process.cmd_line == 0 && !session);
            let parent_path = above.and_then(|it| if it.path == 0 { it.parent_path } else { Some(it.path) });
            let path =
                if session { 0 } else { path_of(parent_path, &said.template, fragment && parent_path.is_none()) };
            let mut behaviours = BTreeSet::new();
            if !process.inferred || process.cmd_line != 0 {
                let parent_process = process.parent.map(|it| &graph.processes[it as usize]);
                let or_own =
                    |own: Sym, of: fn(&Process) -> Sym| if own != 0 { own } else { parent_process.map_or(0, of) };
                let parent_path = or_own(process.parent_name, |it| it.file_path);
                let parent_cmd = or_own(process.parent_cmd_line, |it| it.cmd_line);
                let syms = [process.file_path, parent_path, parent_cmd, process.user];
                let around = fold64(syms.map(|it| bucket.strings.hash(it)));
                // What a command line hides runs as well.
                let mut view = ProcessView {
                    file_path: text(bucket, process.file_path),
                    cmd_line: text(bucket, process.cmd_line),
                    parent_file_path: text(bucket, parent_path),
                    parent_cmd_line: text(bucket, parent_cmd),
                    user: text(bucket, process.user),
                    cwd: None,
                    windows: file_path.contains('\\'),
                };
                behaviours.extend(self.show(around ^ said.hash, &view).iter());
                for layer in &said.layers {
                    view.cmd_line = Some(layer);
                    behaviours.extend(self.show(around ^ hash64(layer.as_bytes()), &view).iter());
                }
            }
            at_of.insert(*member, nodes.len());
            nodes.push(Work {
                process: Some(*member),
                parent,
                said,
                behaviours,
                roles: BTreeSet::new(),
                inferred: process.inferred,
                fragment,
                path,
                parent_path,
                time: process.start,
                vendors: false,
            });
        }
        nodes
    }

    /// What a script, or a honeypot's line of several commands, would run: inferred nodes.
    fn expand_scripts(&mut self, nodes: &mut Vec<Work>, honeypot: bool) {
        for at in 0..nodes.len() {
            let said = nodes[at].said.clone();
            let cmd = said.text.as_str();
            let several = cmd.contains([';', '|', '\n', '&']) || cmd.contains("$(") || cmd.contains(" -c ");
            if nodes[at].inferred || !(honeypot || cmd.contains("base64") || cmd.len() > 24) || !several {
                continue;
            }
            self.expand(nodes, at, cmd);
        }
    }

    fn expand(&mut self, nodes: &mut Vec<Work>, at: usize, script: &str) {
        let commands = shell::would_run(script);
        if commands.len() == 1 && commands[0].text == script {
            return;
        }
        let first = nodes.len();
        for command in commands.iter().take(SCRIPT_NODES) {
            let parent = command.parent.filter(|it| *it < SCRIPT_NODES).map_or(at, |it| first + it);
            let said = self.say(&command.text);
            let above = &nodes[parent];
            let parent_path = if above.path == 0 { above.parent_path } else { Some(above.path) };
            let path = path_of(parent_path, &said.template, false);
            let view = ProcessView {
                file_path: Some(&command.argv0),
                cmd_line: Some(&command.text),
                ..ProcessView::default()
            };
            let behaviours = self.show(said.hash.rotate_left(7), &view).iter().copied().collect();
            nodes.push(Work {
                process: None,
                parent: Some(parent),
                said,
                behaviours,
                roles: BTreeSet::new(),
                inferred: true,
                fragment: nodes[at].fragment,
                path,
                parent_path,
                time: nodes[at].time,
                vendors: false,
            });
        }
    }

    fn trees(&mut self, bucket: &Bucket, graph: &HostGraph, nodes: &mut [Work], honeypot: bool) {
        // The patterns read commands, files and connections alone: equal trees show equal behaviours.
        let deeds = nodes.iter().any(|it| it.process.is_some_and(|at| !graph.processes[at as usize].deeds.is_empty()));
        let key = fold64(nodes.iter().flat_map(|it| {
            let file_path = it.process.map_or(0, |at| bucket.strings.hash(graph.processes[at as usize].file_path));
            [it.said.hash, file_path, it.parent.map_or(u64::MAX, |it| it as u64), u64::from(it.inferred)]
        }));
        if !deeds && let Some(found) = self.trees.get(&key) {
            for (behaviour, node) in found.iter() {
                nodes[*node as usize].behaviours.insert(*behaviour);
            }
            return;
        }
        let connects: Vec<Vec<String>> = nodes.iter().map(|it| connections(bucket, graph, it.process)).collect();
        let tree = Tree {
            nodes: nodes
                .iter()
                .zip(&connects)
                .map(|(it, connects)| Node {
                    parent: it.parent,
                    file_path: it.process.and_then(|at| text(bucket, graph.processes[at as usize].file_path)),
                    cmd_line: (!it.inferred || it.process.is_none()).then_some(it.said.text.as_str()),
                    start: it.time,
                    inferred: it.inferred,
                    indicators: &it.said.indicators,
                    files_written: it.process.map(|at| files_written(bucket, graph, at)).unwrap_or_default(),
                    connects: connects.iter().map(String::as_str).collect(),
                    honeypot,
                })
                .collect(),
        };
        let found = self.knowledge.behaviours.of_tree(&tree);
        drop(tree);
        let found: Rc<[(u16, u32)]> =
            found.iter().filter_map(|it| Some((it.behaviour.0, u32::try_from(*it.nodes.last()?).ok()?))).collect();
        for (behaviour, node) in found.iter() {
            nodes[*node as usize].behaviours.insert(*behaviour);
        }
        if !deeds {
            if self.trees.len() >= REMEMBERED / 4 {
                self.trees.clear();
            }
            self.trees.insert(key, found);
        }
    }

    /// Alerts and flows of network sensors, joined by the log's own pid, else by host, address and time, else by
    /// indicator alone. Returns whether an alert named something of this episode.
    fn network_roles(&mut self, bucket: &Bucket, graph: &HostGraph, nodes: &mut [Work], host: &Host<'_>) -> bool {
        let mut alerted = false;
        for node in nodes.iter_mut() {
            let mut values: BTreeSet<String> = BTreeSet::new();
            if let Some(at) = node.process {
                for deed in graph.processes[at as usize].deeds.iter().take(RECORDED_ROWS) {
                    let row = &bucket.rows[*deed as usize];
                    if row.class == EventClass::Detection {
                        alerted = true;
                        if let Some(role) = bucket.text(row, Field::NetworkRole).and_then(NetworkRole::from_name) {
                            node.roles.insert((role, network::subject(bucket, row).unwrap_or_default()));
                        }
                    }
                    values.extend(network::values(bucket, row));
                }
            }
            values.extend(
                node.said.indicators.iter().filter(|it| it.context != Context::Killed).flat_map(network::values_of),
            );
            for value in &values {
                for signal in host.signals.about(value) {
                    if host.may_be_of(signal) {
                        node.roles.insert((signal.role, value.clone()));
                        alerted |= signal.alert;
                    }
                }
            }
        }
        alerted
    }

    /// What the host's own log shows of a process's network side: whom a reverse shell or a miner talks to.
    fn own_roles(&self, bucket: &Bucket, graph: &HostGraph, nodes: &mut [Work]) {
        let id = |name: &str| self.knowledge.behaviours.by_name(name).map(|it| it.0);
        let kinds = [
            (id("opens_reverse_shell"), NetworkRole::C2),
            (id("starts_miner"), NetworkRole::MiningPool),
            (id("downloads_then_runs"), NetworkRole::DownloadSource),
        ];
        for at in 0..nodes.len() {
            for (behaviour, role) in kinds {
                if !behaviour.is_some_and(|it| nodes[at].behaviours.contains(&it)) {
                    continue;
                }
                let wanted = if role == NetworkRole::DownloadSource { Context::Downloaded } else { Context::Connected };
                let named: Vec<String> = nodes[at]
                    .said
                    .indicators
                    .iter()
                    .filter(|it| {
                        it.context == wanted
                            && matches!(it.kind, IndicatorKind::IpPort | IndicatorKind::Url | IndicatorKind::Pool)
                    })
                    .map(|it| it.value.clone())
                    .collect();
                // A shell's connection is its own, or that of what it started.
                let below: Vec<String> = if role == NetworkRole::C2 {
                    let of = |it: &Work| connections(bucket, graph, it.process);
                    nodes.iter().filter(|it| it.parent == Some(at)).flat_map(of).chain(of(&nodes[at])).collect()
                } else {
                    Vec::new()
                };
                nodes[at].roles.extend(named.into_iter().chain(below).map(|it| (role, it)));
            }
        }
    }

    fn is_suspicious(&self, nodes: &[Work]) -> bool {
        let mut medium = BTreeSet::new();
        for behaviour in nodes.iter().flat_map(|it| &it.behaviours) {
            match self.knowledge.behaviours.get(super::BehaviourId(*behaviour)).map(|it| it.severity) {
                Some(Severity::High | Severity::Critical) => return true,
                Some(Severity::Medium) => {
                    medium.insert(*behaviour);
                }
                _ => {}
            }
        }
        medium.len() >= 3
    }

    fn record(
        &self,
        bucket: &Bucket,
        graph: &HostGraph,
        episode: &Episode,
        nodes: Vec<Work>,
        host: &Host<'_>,
    ) -> EpisodeRecord {
        let event_of = |process: &Process| process.starts.first().map(|it| bucket.rows[*it as usize].id.0);
        let nodes: Vec<NodeRecord> = nodes
            .into_iter()
            .map(|it| {
                let process = it.process.map(|at| &graph.processes[at as usize]);
                let parent = process.and_then(|it| it.parent).map(|at| &graph.processes[at as usize]);
                let ancestor = process.and_then(|it| it.ancestor).map(|at| &graph.processes[at as usize]);
                let status = process.map_or(ParentStatus::Observed, |it| it.status);
                NodeRecord {
                    path: it.path,
                    fragment: it.fragment,
                    uid: process.map_or_else(
                        || format!("inferred-{:032x}", hash128(&it.path.to_le_bytes(), episode.id as u64)),
                        |it| process_uid(bucket, it),
                    ),
                    parent: it.parent.map(|at| at as u32),
                    inferred: it.inferred,
                    status,
                    parent_event: parent.filter(|it| !it.inferred).and_then(event_of),
                    ancestor_event: ancestor.and_then(event_of),
                    file_path: process.and_then(|it| text(bucket, it.file_path)).map(str::to_owned),
                    start: it.time.map(|it| it.0),
                    end: process.and_then(|it| it.end).map(|it| it.0),
                    behaviours: it.behaviours.into_iter().collect(),
                    network_roles: it.roles.into_iter().map(|(role, value)| (role as u8, value)).collect(),
                    indicators: it.said.indicators.iter().map(|it| (it.kind, it.context, it.value.clone())).collect(),
                    members: process
                        .map(|it| it.starts.iter().chain(it.deeds.iter().take(RECORDED_ROWS)))
                        .into_iter()
                        .flatten()
                        .map(|at| member(bucket, &bucket.rows[*at as usize]))
                        .collect(),
                }
            })
            .collect();
        let entry = &graph.processes[episode.members[0] as usize];
        EpisodeRecord {
            id: episode.id,
            group: 0,
            host: host.name.to_owned(),
            entry: event_of(entry),
            nodes,
            host_missing: host.missing,
            host_links: host.links,
            ..EpisodeRecord::default()
        }
    }

    /// How they got in: text of requests, the chain back to the entry, logons; fused, or told why not.
    fn way_in(
        &mut self,
        bucket: &Bucket,
        graph: &HostGraph,
        episode: &Episode,
        host: &Host<'_>,
        record: &mut EpisodeRecord,
        facts: &mut EpisodeFacts,
    ) {
        let entry = &graph.processes[episode.members[0] as usize];
        let first = record.nodes.iter().filter_map(|it| it.start).min().map(Timestamp);
        let commands: Vec<&str> = episode
            .members
            .iter()
            .take(16)
            .filter_map(|it| text(bucket, graph.processes[*it as usize].cmd_line))
            .collect();
        // The entry itself, or what is above it: the service that ran the attacker's command.
        let above = episode.boundary.or(entry.parent).map(|it| &graph.processes[it as usize]);
        let role_of = |it: &Process| entry_role(text(bucket, it.file_path), text(bucket, it.cmd_line));
        let named = entry_role(text(bucket, entry.parent_name), text(bucket, entry.parent_cmd_line));
        // A shell is what was started, not what was entered.
        let service = |it: Option<EntryRole>| it.filter(|it| !matches!(it, EntryRole::UserShell | EntryRole::Init));
        let role = service(role_of(entry)).or_else(|| service(above.and_then(role_of))).or_else(|| service(named));
        // Cron starts again what someone let in: it speaks for no method, and contradicts none.
        let speaks = role.filter(|it| !matches!(it, EntryRole::Cron));
        let by_chain = speaks.map(|it| self.knowledge.methods.by_entry(it, &commands)).unwrap_or_default();
        let mut evidence = Evidence::default();
        let mut rows: Vec<u32> = Vec::new();
        let mut from = None;
        let mut by_text: Vec<MethodMatch> = Vec::new();
        for command in commands.iter().take(8) {
            by_text.extend(self.identify(command).iter().filter(|it| it.stage == Stage::Attacked).cloned());
        }
        let near = |time: Option<Timestamp>| match (time, first) {
            (Some(time), Some(first)) => (-5_000_000..=WAY_IN_MICROS).contains(&(first.0 - time.0)),
            _ => true,
        };
        let session = entry.starts.first().and_then(|it| bucket.text(&bucket.rows[*it as usize], Field::Session));
        for at in &graph.loose {
            let row = &bucket.rows[*at as usize];
            match row.class {
                EventClass::Authentication => {
                    let same_session = session.is_some() && bucket.text(row, Field::Session) == session;
                    if !same_session && (session.is_some() && record.honeypot || !near(row.time)) {
                        continue;
                    }
                    if !same_session
                        && !matches!(
                            role,
                            Some(EntryRole::SshSession | EntryRole::TelnetSession | EntryRole::RdpSession)
                        )
                    {
                        continue;
                    }
                    let count = bucket.text(row, Field::Count).and_then(|it| it.parse().ok()).unwrap_or(1u32);
                    if row.activity == ringleader_model::Activity::LogonFailed {
                        evidence.failed_logons_before = evidence.failed_logons_before.saturating_add(count);
                    } else if row.activity == ringleader_model::Activity::Logon {
                        let key = bucket.text(row, Field::LogonType).is_some_and(|it| it.contains("key"));
                        evidence.logon = Some(if key { LogonKind::PublicKey } else { LogonKind::Password });
                        from = bucket.text(row, Field::SrcIp).map(str::to_owned);
                    }
                    rows.push(*at);
                }
                EventClass::Http | EventClass::Detection if near(row.time) => {
                    let payload = network::payload(bucket, row);
                    let ties = commands.iter().any(|it| super::methods::ties_to_command(&payload, it) >= 500);
                    let cve = bucket.text(row, Field::Cve);
                    let by_cve = cve.and_then(|cve| self.by_cve(cve));
                    // A log without bodies shows a POST that was answered with success, and not what was in it.
                    let served = bucket.text(row, Field::Method).is_some_and(|it| it.eq_ignore_ascii_case("POST"))
                        && bucket.text(row, Field::Status).is_some_and(|it| it.starts_with('2'));
                    let attacked = |it: &&MethodMatch| it.stage == Stage::Attacked || served;
                    let found = self.identify(&payload).iter().find(attacked).cloned().or(by_cve);
                    if let Some(mut found) = found {
                        found.stage = Stage::Attacked;
                        if evidence
                            .inbound_request_match
                            .as_ref()
                            .is_none_or(|it| ties || it.confidence_permille < found.confidence_permille)
                        {
                            evidence.inbound_request_match = Some(found);
                            evidence.payload_matches_command |= ties;
                            from = bucket.text(row, Field::SrcIp).map(str::to_owned);
                        }
                        rows.push(*at);
                    }
                }
                _ => {}
            }
        }
        for signal in host.signals.inbound(&host.addresses, first, WAY_IN_MICROS) {
            let ties = commands.iter().any(|it| super::methods::ties_to_command(&signal.payload, it) >= 500);
            let by_cve = signal.cve.as_deref().and_then(|cve| self.by_cve(cve));
            let found =
                self.identify(&signal.payload).iter().find(|it| it.stage == Stage::Attacked).cloned().or(by_cve);
            if let Some(found) = found {
                evidence.inbound_request_match.get_or_insert(found);
                evidence.payload_matches_command |= ties;
                record.others.push(signal.member.clone());
                from = from.or_else(|| signal.from.clone());
            }
        }
        rows.truncate(RECORDED_ROWS);
        let mut members: Vec<MemberRecord> = rows.iter().map(|it| member(bucket, &bucket.rows[*it as usize])).collect();
        match self.knowledge.methods.fuse(&by_text, &by_chain, &evidence) {
            Ok(fused) => {
                facts.method = Some((fused.method.0, fused.confidence_permille));
                let shown = entry.starts.first().map(|it| member(bucket, &bucket.rows[*it as usize]));
                members.extend(record.others.iter().cloned().chain(shown));
                members.dedup();
                record.method = Some(MethodRecord {
                    method: fused.method.0,
                    confidence_permille: fused.confidence_permille,
                    why: fused.why,
                    evidence: members,
                    from,
                });
            }
            Err(why) => record.abstained_because = Some(why.name().to_owned()),
        }
    }

    fn by_cve(&self, cve: &str) -> Option<MethodMatch> {
        let found = (0u16..).zip(self.knowledge.methods.all()).find(|(_, it)| {
            it.cve.as_deref().is_some_and(|it| it.eq_ignore_ascii_case(cve))
                || it.names.iter().any(|it| it.eq_ignore_ascii_case(cve))
        })?;
        Some(MethodMatch {
            method: super::methods::MethodIdx(found.0),
            confidence_permille: 700,
            stage: Stage::Attacked,
            matched: vec![format!("an alert names {cve}")],
        })
    }

    /// Requests, payloads and scripts that belong to no process: an episode for each host and source address.
    pub fn label_loose(&mut self, bucket: &Bucket, graph: &HostGraph, host: &Host<'_>) -> Vec<Labelled> {
        let mut by_source: BTreeMap<String, Vec<(u32, Option<MethodMatch>, String)>> = BTreeMap::new();
        for at in &graph.loose {
            let row = &bucket.rows[*at as usize];
            let honeypot = row.sensor_role == ringleader_model::SensorRole::Honeypot;
            let (payload, script) = match row.class {
                EventClass::Http | EventClass::Network => (network::payload(bucket, row), None),
                EventClass::Process => {
                    let script = bucket
                        .text(row, Field::Body)
                        .or_else(|| if honeypot { bucket.text(row, Field::CmdLine) } else { None });
                    (String::new(), script.map(str::to_owned))
                }
                _ => continue,
            };
            let source = bucket.text(row, Field::SrcIp).map_or_else(
                || format!("{:016x}", hash64(script.as_deref().unwrap_or(&payload).as_bytes())),
                str::to_owned,
            );
            if let Some(script) = script {
                by_source.entry(source).or_default().push((*at, None, script));
            } else if !payload.is_empty() {
                let found = self.identify(&payload).iter().find(|it| it.stage == Stage::Attacked).cloned();
                let unknown = found.is_none() && super::methods::shape(&payload).is_some();
                if found.is_some() || unknown {
                    by_source.entry(source).or_default().push((*at, found, payload));
                }
            }
        }
        by_source.into_iter().map(|(source, rows)| self.loose_episode(bucket, graph, host, &source, &rows)).collect()
    }

    fn loose_episode(
        &mut self,
        bucket: &Bucket,
        graph: &HostGraph,
        host: &Host<'_>,
        source: &str,
        rows: &[(u32, Option<MethodMatch>, String)],
    ) -> Labelled {
        let mut nodes: Vec<Work> = Vec::new();
        let mut best: Option<(MethodMatch, u32)> = None;
        let mut honeypot = false;
        let mut row_of: Vec<Option<u32>> = Vec::new();
        for (at, found, payload) in rows.iter().take(RECORDED_ROWS) {
            let row = &bucket.rows[*at as usize];
            honeypot |= row.sensor_role == ringleader_model::SensorRole::Honeypot;
            let root = nodes.len();
            let template = match found {
                Some(found) => format!("<request:{}>", self.knowledge.methods.get(found.method).id),
                // One line is a command; several are a script.
                None if row.class == EventClass::Process && !payload.contains('\n') => {
                    crate::extract::template::template(payload)
                }
                None if row.class == EventClass::Process => "<script>".to_owned(),
                None => "<request>".to_owned(),
            };
            let mut indicators = Vec::new();
            self.knowledge.extractor.extract(payload, &mut indicators);
            let path = path_of(None, &template, false);
            nodes.push(Work {
                process: None,
                parent: None,
                said: Rc::new(Said {
                    text: payload.chars().take(2048).collect(),
                    hash: hash64(payload.as_bytes()),
                    template,
                    indicators,
                    layers: Vec::new(),
                }),
                behaviours: BTreeSet::new(),
                roles: BTreeSet::new(),
                inferred: false,
                fragment: false,
                path,
                parent_path: None,
                time: row.time,
                vendors: false,
            });
            row_of.push(Some(*at));
            if row.class == EventClass::Process {
                self.expand(&mut nodes, root, payload);
            } else {
                for script in self.knowledge.extractor.decoded(payload).into_iter().chain(commands_in(payload)) {
                    self.expand(&mut nodes, root, &script);
                }
            }
            row_of.resize(nodes.len(), None);
            if let Some(found) = found
                && best.as_ref().is_none_or(|(it, _)| it.confidence_permille < found.confidence_permille)
            {
                best = Some((found.clone(), *at));
            }
        }
        self.trees(bucket, graph, &mut nodes, honeypot);
        let alerted = self.network_roles(bucket, graph, &mut nodes, host);
        let suspicious = alerted || best.is_some() || self.is_suspicious(&nodes);
        let first_row = bucket.rows[rows[0].0 as usize];
        let id = hash128(source.as_bytes(), hash64(host.name.as_bytes()) ^ 17);
        let episode = Episode { id, members: vec![], boundary: None };
        let mut facts = facts(bucket, graph, &episode, &nodes, suspicious, honeypot, true);
        facts.method = best.as_ref().map(|(it, _)| (it.method.0, it.confidence_permille));
        let records: Vec<NodeRecord> = nodes
            .into_iter()
            .zip(row_of)
            .map(|(it, row)| NodeRecord {
                path: it.path,
                fragment: it.fragment,
                uid: format!("inferred-{:032x}", hash128(&it.path.to_le_bytes(), id as u64)),
                parent: it.parent.map(|at| at as u32),
                inferred: it.inferred,
                status: ParentStatus::Observed,
                parent_event: None,
                ancestor_event: None,
                file_path: None,
                start: it.time.map(|it| it.0),
                end: None,
                behaviours: it.behaviours.into_iter().collect(),
                network_roles: it.roles.into_iter().map(|(role, value)| (role as u8, value)).collect(),
                indicators: it.said.indicators.iter().map(|it| (it.kind, it.context, it.value.clone())).collect(),
                members: row.map(|at| member(bucket, &bucket.rows[at as usize])).into_iter().collect(),
            })
            .collect();
        let method = best.map(|(it, at)| MethodRecord {
            method: it.method.0,
            confidence_permille: it.confidence_permille,
            why: it.matched,
            evidence: vec![member(bucket, &bucket.rows[at as usize])],
            from: bucket.text(&bucket.rows[at as usize], Field::SrcIp).map(str::to_owned),
        });
        let record = EpisodeRecord {
            id,
            host: host.name.to_owned(),
            entry: Some(first_row.id.0),
            honeypot,
            suspicious,
            alerted,
            nodes: records,
            abstained_because: method.is_none().then(|| "no_evidence".to_owned()),
            method,
            host_missing: host.missing,
            host_links: host.links,
            ..EpisodeRecord::default()
        };
        Labelled { facts, record: Some(record) }
    }
}

/// Whether an indicator is reason enough to look at the whole tree.
fn is_notable(it: &Indicator) -> bool {
    match it.kind {
        IndicatorKind::FilePath => {
            it.context == Context::Killed || (it.context == Context::Executed && !boundary::is_system_path(&it.value))
        }
        _ => it.context != Context::Mentioned,
    }
}

/// What is known of the host while its episodes are labelled.
pub struct Host<'a> {
    pub name: &'a str,
    pub addresses: BTreeSet<String>,
    pub signals: &'a Signals,
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

/// The chain of templates from the entry down.
fn path_of(parent: Option<u128>, template: &str, lost_above: bool) -> u128 {
    let seed = if lost_above { 31 } else { 30 };
    match parent {
        Some(parent) => hash128(&parent.to_le_bytes(), hash64(template.as_bytes()) ^ seed),
        None => hash128(template.as_bytes(), seed),
    }
}

fn has_children_logged(nodes: &[Work]) -> bool {
    nodes.iter().filter(|it| !it.inferred).count() > 1
}

/// Shell text inside a request: what stands behind the usual injection marks.
fn commands_in(payload: &str) -> Vec<String> {
    let decoded = super::methods::normalize::normalize(payload);
    let starts = ["wget ", "curl ", "/bin/sh", "/bin/bash", "busybox ", "powershell", "cmd.exe", "cd /tmp", "cd /var"];
    let Some(at) = starts.iter().filter_map(|it| decoded.find(it)).min() else { return Vec::new() };
    vec![decoded[at..].chars().take(4096).collect()]
}

/// The sensor's GUID, else derived from the first event.
pub fn process_uid(bucket: &Bucket, process: &Process) -> String {
    match text(bucket, process.guid) {
        Some(guid) if !process.inferred => guid.to_owned(),
        _ => process.uid.to_string(),
    }
}

pub(crate) fn member(bucket: &Bucket, row: &Row) -> MemberRecord {
    MemberRecord {
        event: row.id.0,
        own_id: bucket.source_event_id(row).map(str::to_owned),
        source: row.place.source,
        offset: row.place.offset,
        length: row.place.length,
        time: row.time.map(|it| it.0),
        pid: row.pid,
    }
}

fn connections(bucket: &Bucket, graph: &HostGraph, process: Option<u32>) -> Vec<String> {
    let Some(at) = process else { return Vec::new() };
    graph.processes[at as usize]
        .deeds
        .iter()
        .take(RECORDED_ROWS)
        .map(|it| &bucket.rows[*it as usize])
        .filter(|row| row.class == EventClass::Network)
        .filter_map(|row| {
            Some(format!("{}:{}", bucket.text(row, Field::DstIp)?, bucket.text(row, Field::DstPort).unwrap_or("0")))
        })
        .collect()
}

/// An episode that names many addresses of its own network goes through them: they are targets.
fn drop_sweep(features: &mut BTreeMap<(IndicatorKind, String), Context>) {
    let private = |kind: IndicatorKind, value: &str| {
        crate::merge::stop::host_of(kind, value).filter(|it| crate::merge::stop::is_private(it))
    };
    let hosts: BTreeSet<String> = features.keys().filter_map(|(kind, value)| private(*kind, value)).collect();
    if hosts.len() > SWEPT {
        features.retain(|(kind, value), _| private(*kind, value).is_none());
    }
}

/// Whether the process went through many addresses: those are targets, not infrastructure.
fn sweeps(bucket: &Bucket, graph: &HostGraph, process: Option<u32>) -> bool {
    let Some(at) = process else { return false };
    let rows = graph.processes[at as usize].deeds.iter().take(RECORDED_ROWS).map(|it| &bucket.rows[*it as usize]);
    let targets: BTreeSet<Sym> = rows.map(|row| bucket.sym(row, Field::DstIp)).filter(|it| *it != 0).collect();
    targets.len() > SWEPT
}

fn files_written<'b>(bucket: &'b Bucket, graph: &HostGraph, process: u32) -> Vec<&'b str> {
    graph.processes[process as usize]
        .deeds
        .iter()
        .take(RECORDED_ROWS)
        .map(|it| &bucket.rows[*it as usize])
        .filter(|row| row.class == EventClass::File)
        .filter_map(|row| bucket.text(row, Field::TargetPath))
        .collect()
}

fn facts(
    bucket: &Bucket,
    graph: &HostGraph,
    episode: &Episode,
    nodes: &[Work],
    suspicious: bool,
    honeypot: bool,
    full: bool,
) -> EpisodeFacts {
    let mut features: BTreeMap<(IndicatorKind, String), Context> = BTreeMap::new();
    let mut killed: BTreeSet<(IndicatorKind, &str)> = BTreeSet::new();
    let mut n_indicator_edges = 0;
    for node in nodes {
        n_indicator_edges += node.said.indicators.len() as u64;
        if node.vendors {
            continue;
        }
        // A plain episode's features join nothing: only their number is of use.
        for it in node.said.indicators.iter().filter(|_| full) {
            if it.context == Context::Killed {
                killed.insert((it.kind, &it.value));
                continue;
            }
            let context = features.entry((it.kind, it.value.clone())).or_insert(it.context);
            *context = (*context).min(it.context);
        }
        // The image itself, where no system keeps its programs.
        if let Some(path) = node.process.and_then(|at| text(bucket, graph.processes[at as usize].file_path))
            && path.contains(['/', '\\'])
            && !boundary::is_system_path(path)
        {
            features.entry((IndicatorKind::FilePath, path.to_owned())).or_insert(Context::Executed);
        }
        if !suspicious && !honeypot {
            continue;
        }
        let mines = node.roles.iter().any(|it| it.0 == NetworkRole::MiningPool);
        let swept = mines || sweeps(bucket, graph, node.process);
        for row in node.process.iter().flat_map(|at| graph.processes[*at as usize].deeds.iter().take(RECORDED_ROWS)) {
            if swept && bucket.rows[*row as usize].class == EventClass::Network {
                continue;
            }
            for it in network::deed_indicators(bucket, &bucket.rows[*row as usize]) {
                n_indicator_edges += 1;
                features.entry((it.kind, it.value)).or_insert(it.context);
            }
        }
    }
    // Many mine at one pool: only the wallet is somebody's own.
    let pools: BTreeSet<String> = features
        .keys()
        .filter(|(kind, _)| *kind == IndicatorKind::Pool)
        .filter_map(|(kind, value)| crate::merge::stop::host_of(*kind, value))
        .collect();
    features.retain(|(kind, value), _| {
        *kind == IndicatorKind::Pool || crate::merge::stop::host_of(*kind, value).is_none_or(|it| !pools.contains(&it))
    });
    // What it kills belongs to its rivals, unless it runs it itself.
    features
        .retain(|(kind, value), context| *context == Context::Executed || !killed.contains(&(*kind, value.as_str())));
    drop_sweep(&mut features);
    let times = || nodes.iter().filter_map(|it| it.time);
    EpisodeFacts {
        id: episode.id,
        host: hash64(bucket.strings.get(graph.host).as_bytes()),
        tenant: hash64(bucket.strings.get(graph.tenant).as_bytes()),
        first: times().min(),
        last: times().max(),
        n_processes: nodes.iter().filter(|it| !it.inferred).count() as u64,
        n_inferred: nodes.iter().filter(|it| it.inferred).count() as u64,
        n_indicator_edges,
        features: features.into_iter().map(|((kind, value), context)| Feature { kind, value, context }).collect(),
        nodes: nodes
            .iter()
            .filter(|it| it.path != 0)
            .map(|it| NodeFacts {
                path: it.path,
                parent: it.parent_path,
                template: if full { it.said.template.clone() } else { String::new() },
                sample: if full { it.said.text.chars().take(1024).collect() } else { String::new() },
                inferred: it.inferred,
                fragment: it.fragment,
                time: it.time,
                behaviours: it.behaviours.iter().copied().collect(),
                network_roles: it.roles.iter().map(|(role, _)| *role as u8).collect(),
            })
            .collect(),
        suspicious,
        honeypot,
        method: None,
    }
}
