//! campaigns of one gang → its steps: which command line starts which, and how often. A view.
//!
//! Deliberately absent: hosts and times. Steps are told apart by their path, the chain of templates from the entry down.

use std::collections::{BTreeMap, HashMap};

use ringleader_model::hash::{ByHash, hash64};

use super::campaigns::{Campaign, first_word, says_something};
use super::record::{EpisodeRecord, NodeRecord};
use super::sketch::{Key, is_told};
use crate::connect::link::base_name;

/// The merged graphs of all campaigns of a gang as one.
#[derive(Debug, Default)]
pub struct Steps<'a> {
    nodes: BTreeMap<Key, Step<'a>>,
    /// Paths that end in a command line, by the hash of its template.
    by_template: HashMap<u64, Vec<Key>, ByHash>,
    children: BTreeMap<Key, Vec<Key>>,
}

#[derive(Debug, Clone)]
pub struct Step<'a> {
    pub template: &'a str,
    pub parent: Option<Key>,
    /// What is above it was lost.
    pub fragment: bool,
    pub observed: u64,
    /// Episodes that show it.
    pub episodes: u64,
}

/// One way in which a command line was started.
pub struct Start<'s, 'a> {
    /// The node above, where its command line is known.
    pub above: Option<(Key, &'s Step<'a>)>,
    /// The program above, where only that is known.
    pub unlogged: Option<&'a str>,
    pub times: u64,
}

impl<'a> Steps<'a> {
    pub fn of(campaigns: impl Iterator<Item = &'a Campaign>) -> Self {
        let mut steps = Self::default();
        for (path, node) in campaigns.flat_map(|it| &it.nodes) {
            let step = steps.nodes.entry(*path).or_insert_with(|| Step {
                template: &node.template,
                parent: node.parent,
                fragment: node.fragment,
                observed: 0,
                episodes: 0,
            });
            step.observed += node.observed;
            step.episodes += node.episodes;
        }
        for (path, step) in steps.nodes.iter().filter(|(_, it)| it.observed > 0) {
            steps.by_template.entry(hash64(step.template.as_bytes())).or_default().push(*path);
            if let Some(parent) = step.parent {
                steps.children.entry(parent).or_default().push(*path);
            }
        }
        steps
    }

    pub fn get(&self, path: Key) -> Option<&Step<'a>> {
        self.nodes.get(&path)
    }

    /// The steps that were seen right below a path.
    pub fn below(&self, path: Key) -> impl Iterator<Item = (Key, &Step<'a>)> {
        self.children.get(&path).into_iter().flatten().filter_map(|it| Some((*it, self.nodes.get(it)?)))
    }

    /// How a command line was started.
    pub fn starts(&self, template: u64) -> impl Iterator<Item = Start<'_, 'a>> {
        self.by_template.get(&template).into_iter().flatten().filter_map(|it| self.nodes.get(it)).map(|step| {
            let above = step.parent.and_then(|it| Some((it, self.nodes.get(&it)?)));
            Start {
                above: above.filter(|(_, it)| is_told(it.template) && it.observed > 0),
                unlogged: above.filter(|(_, it)| !is_told(it.template)).map(|it| first_word(it.1.template)),
                times: step.observed,
            }
        })
    }

    /// The path from the entry on that a node stands on; of a fragment, the only one that ends in its command line.
    pub fn whole_path(&self, node: &NodeRecord, resolved: Key) -> Option<Key> {
        if self.nodes.get(&resolved).is_some_and(|it| !it.fragment && it.observed > 0) {
            return Some(resolved);
        }
        let mut whole = self.by_template.get(&node.template)?.iter().filter(|it| !self.nodes[it].fragment);
        let only = whole.next()?;
        whole.next().is_none().then_some(*only)
    }

    /// Whether the gang does all that the episode shows, under a program of the same name, and it says something.
    pub fn hold(&self, record: &EpisodeRecord) -> bool {
        let mut says = false;
        for node in record.nodes.iter().filter(|it| !it.inferred) {
            let Some(paths) = self.by_template.get(&node.template) else { return false };
            says |= paths.iter().any(|it| says_something(self.nodes[it].template));
            let above = node.parent.and_then(|it| record.nodes.get(it as usize)).filter(|it| it.inferred);
            let name = base_name(above.and_then(|it| it.file_path.as_deref()).unwrap_or(""));
            let as_there = |path: &Key| {
                let parent = self.nodes[path].parent.and_then(|it| self.nodes.get(&it));
                parent.is_none_or(|it| first_word(it.template) == name)
            };
            if !name.is_empty() && !paths.iter().any(as_there) {
                return false;
            }
        }
        says
    }
}
