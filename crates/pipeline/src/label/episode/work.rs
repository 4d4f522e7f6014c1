//! An episode's processes → nodes that are being labelled: what each says, shows, and where it stands in the chain of
//! templates.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use ringleader_model::hash::{fold64, hash64, hash128};
use ringleader_model::{Field, Timestamp};

use super::said::Said;
use super::words::{Around, Words};
use super::{Labeller, RECORDED_NODES};
use crate::connect::episodes::Episode;
use crate::connect::{HostGraph, Process};
use crate::label::ProcessView;
use crate::label::network::NetworkRole;
use crate::merge::record::Told;
use crate::merge::sketch::Key;

/// Commands of one script that become nodes.
const SCRIPT_NODES: usize = 256;

/// A node while it is being labelled.
pub(super) struct Work {
    pub(super) process: Option<u32>,
    pub(super) parent: Option<usize>,
    pub(super) said: Rc<Said>,
    pub(super) behaviours: BTreeSet<u16>,
    pub(super) roles: BTreeSet<(NetworkRole, String)>,
    pub(super) told: BTreeSet<Told>,
    pub(super) inferred: bool,
    pub(super) fragment: bool,
    /// 0: a session, which is no part of a path.
    pub(super) path: Key,
    pub(super) parent_path: Option<Key>,
    pub(super) time: Option<Timestamp>,
    /// It removes a security agent: what it names is the agent vendor's, whoever runs it.
    pub(super) vendors: bool,
}

impl Work {
    /// A node that no process was logged for.
    pub(super) fn unprocessed(said: Rc<Said>, parent: Option<(usize, &Self)>, time: Option<Timestamp>) -> Self {
        let parent_path = parent.and_then(|(_, it)| it.path_below());
        Self {
            process: None,
            parent: parent.map(|it| it.0),
            path: path_of(parent_path, &said, false),
            said,
            behaviours: BTreeSet::new(),
            roles: BTreeSet::new(),
            told: BTreeSet::new(),
            inferred: true,
            fragment: parent.is_some_and(|(_, it)| it.fragment),
            parent_path,
            time,
            vendors: false,
        }
    }

    /// The path that its children's go on from.
    fn path_below(&self) -> Option<Key> {
        if self.path == 0 { self.parent_path } else { Some(self.path) }
    }
}

/// Seed of a path's hash; a path of which the beginning was lost is another one.
pub(super) const ROOT: u64 = 30;
const LOST_ROOT: u64 = 31;

/// The chain of templates from the entry down; only where it begins can something above have been lost.
pub(super) fn path_of(parent: Option<Key>, said: &Said, lost_above: bool) -> Key {
    match parent {
        Some(parent) => path_below(parent, said.template_hash),
        None if lost_above => hash128(said.template.as_bytes(), LOST_ROOT),
        None => said.root,
    }
}

pub(super) fn path_below(parent: Key, template_hash: u64) -> Key {
    hash128(&parent.to_le_bytes(), template_hash ^ ROOT)
}

impl Labeller<'_> {
    pub(super) fn nodes(&mut self, words: &mut Words<'_>, graph: &HostGraph, episode: &Episode) -> Vec<Work> {
        let mut at_of: HashMap<u32, usize> = HashMap::new();
        let mut nodes: Vec<Work> = Vec::with_capacity(episode.members.len());
        for member in episode.members.iter().take(RECORDED_NODES) {
            let process = &graph.processes[*member as usize];
            let parent = process.parent.and_then(|it| at_of.get(&it).copied());
            let said = words.said(self, process).clone();
            // A session says nothing of the bot: what runs in it has the same path whether it was logged or not.
            let session = process.honeypot && process.parent.is_none() || words.image(process.file_path).session;
            let above = parent.map(|it| &nodes[it]);
            let fragment =
                above.is_some_and(|it| it.fragment) || (process.inferred && process.cmd_line == 0 && !session);
            let parent_path = above.and_then(Work::path_below);
            let path = if session { 0 } else { path_of(parent_path, &said, fragment) };
            let mut behaviours = BTreeSet::new();
            self.show_process(words, graph, process, &said, &mut behaviours);
            at_of.insert(*member, nodes.len());
            nodes.push(Work {
                process: Some(*member),
                parent,
                said,
                behaviours,
                roles: BTreeSet::new(),
                told: BTreeSet::new(),
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

    /// What a process shows by itself, and by what its command line hides.
    fn show_process(
        &mut self,
        words: &mut Words<'_>,
        graph: &HostGraph,
        process: &Process,
        said: &Said,
        behaviours: &mut BTreeSet<u16>,
    ) {
        if process.inferred && process.cmd_line == 0 {
            return;
        }
        let around = Around::of(graph, process);
        let candidates = words.candidates(self, &around, process.cmd_line);
        if candidates.is_empty() && said.layers.is_empty() {
            return;
        }
        let strings = &words.bucket().strings;
        let syms = [around.file_path, around.parent_path, around.parent_cmd_line, around.user];
        let mut key = fold64(syms.map(|it| strings.hash(it)));
        let mut view = ProcessView {
            file_path: words.text(around.file_path),
            cmd_line: words.text(process.cmd_line),
            parent_file_path: words.text(around.parent_path),
            parent_cmd_line: words.text(around.parent_cmd_line),
            user: words.text(around.user),
            windows: strings.get(around.file_path).contains('\\'),
            ..ProcessView::default()
        };
        if self.knowledge.behaviours.asks_late()
            && let Some(start) = process.starts.first()
        {
            let bucket = words.bucket();
            let row = &bucket.rows[*start as usize];
            (view.cwd, view.hashes) = (bucket.text(row, Field::Cwd), bucket.text(row, Field::Hash));
            let late = [Field::Cwd, Field::Hash].map(|it| strings.hash(bucket.sym(row, it)));
            key = fold64([key, late[0], late[1]]);
        }
        if !candidates.is_empty() {
            behaviours.extend(self.show_among(key ^ said.hash, &candidates, &view).iter());
        }
        for layer in &said.layers {
            view.cmd_line = Some(layer);
            behaviours.extend(self.show(key ^ hash64(layer.as_bytes()), &view).iter());
        }
    }

    /// Whether a process shows anything by itself.
    pub(super) fn shows(&mut self, words: &mut Words<'_>, graph: &HostGraph, process: &Process, hides: bool) -> bool {
        if process.inferred && process.cmd_line == 0 {
            return false;
        }
        if !hides && words.candidates(self, &Around::of(graph, process), process.cmd_line).is_empty() {
            return false;
        }
        let said = words.said(self, process).clone();
        let mut behaviours = BTreeSet::new();
        self.show_process(words, graph, process, &said, &mut behaviours);
        !behaviours.is_empty()
    }

    /// What a script, or a honeypot's line of several commands, would run: inferred nodes.
    pub(super) fn expand_scripts(&mut self, nodes: &mut Vec<Work>, honeypot: bool) {
        for at in 0..nodes.len() {
            let said = nodes[at].said.clone();
            if !nodes[at].inferred && said.is_worth_reading(honeypot) {
                self.expand(nodes, at, &said.text);
            }
        }
    }

    pub(super) fn expand(&mut self, nodes: &mut Vec<Work>, at: usize, script: &str) {
        let Some(commands) = self.would_run(script) else { return };
        let first = nodes.len();
        for command in commands.iter().take(SCRIPT_NODES) {
            let parent = command.parent.filter(|it| *it < SCRIPT_NODES).map_or(at, |it| first + it);
            let said = self.say(&command.text);
            let view = ProcessView {
                file_path: Some(&command.argv0),
                cmd_line: Some(&command.text),
                ..ProcessView::default()
            };
            let behaviours = self.show(said.hash.rotate_left(7), &view).iter().copied().collect();
            let node = Work::unprocessed(said, Some((parent, &nodes[parent])), nodes[at].time);
            nodes.push(Work { behaviours, ..node });
        }
    }
}
