//! Process nodes → a scene: the tree with every command line read once, which all patterns share.

use std::cell::OnceCell;

use ringleader_model::indicator::Indicator;
use ringleader_model::time::Timestamp;

use super::command::{Command, base_name, commands};
use super::fetch::{Flow, flows};

/// One process as the patterns see it.
#[derive(Debug, Clone, Default)]
pub struct Node<'a> {
    /// Index of the parent, which stands before its children. An index that does not is taken as none.
    pub parent: Option<usize>,
    pub file_path: Option<&'a str>,
    pub cmd_line: Option<&'a str>,
    pub start: Option<Timestamp>,
    pub inferred: bool,
    /// What the extractor found in the command line. May be empty.
    pub indicators: &'a [Indicator],
    pub files_written: Vec<&'a str>,
    /// `ip:port`.
    pub connects: Vec<&'a str>,
    pub honeypot: bool,
}

/// One episode. Parents stand before their children, and siblings in the order they started.
#[derive(Debug, Clone, Default)]
pub struct Tree<'a> {
    pub nodes: Vec<Node<'a>>,
}

/// Commands read of one tree; of a larger one, the first. A bot's whole life takes a few hundred.
const MAX_STEPS: usize = 200_000;

/// One simple command that a node ran, or would have its shell run.
#[derive(Debug, Clone)]
pub(crate) struct Step<'t> {
    pub(crate) node: usize,
    pub(crate) command: Command<'t>,
    /// The step whose output this one reads.
    pub(crate) from: Option<usize>,
}

/// A tree, and its commands in order.
pub(crate) struct Scene<'t, 'a> {
    pub(crate) tree: &'t Tree<'a>,
    pub(crate) steps: Vec<Step<'t>>,
    /// Whether a package manager or a provisioning tool stands above the node.
    pub(crate) packaged: Vec<bool>,
    flows: OnceCell<Vec<Flow>>,
}

/// Under these a download that is run, or a new account, is their daily work.
const PACKAGERS: &[&str] = &[
    "apt",
    "apt-get",
    "dpkg",
    "rpm",
    "yum",
    "dnf",
    "zypper",
    "apk",
    "pacman",
    "unattended-upgrade",
    "snapd",
    "puppet",
];

impl<'t, 'a> Scene<'t, 'a> {
    /// Cost: one pass over the nodes and their text, at most `MAX_STEPS` commands.
    pub(crate) fn new(tree: &'t Tree<'a>) -> Self {
        let mut steps: Vec<Step<'t>> = Vec::new();
        let mut packaged = Vec::with_capacity(tree.nodes.len());
        for (node, it) in tree.nodes.iter().enumerate() {
            let own = it.file_path.is_some_and(|path| PACKAGERS.contains(&base_name(path)));
            packaged.push(own || it.parent.is_some_and(|parent| packaged.get(parent).copied().unwrap_or(false)));
            if steps.len() >= MAX_STEPS {
                continue;
            }
            let Some(line) = it.cmd_line.or(it.file_path) else { continue };
            let offset = steps.len();
            let windows = is_windows(it);
            steps.extend(commands(line, windows).into_iter().map(|command| {
                let from = command.from.map(|index| index + offset);
                Step { node, command, from }
            }));
        }
        Self { tree, steps, packaged, flows: OnceCell::new() }
    }

    /// What was downloaded here and run here; worked out once for the patterns that ask.
    pub(crate) fn flows(&self) -> &[Flow] {
        self.flows.get_or_init(|| flows(self))
    }

    /// The paths that a step runs: the program, or the script that it gives to an interpreter; and for a node's
    /// own image, the path that the sensor saw.
    pub(crate) fn runs<'s>(&self, step: &'s Step<'t>) -> impl Iterator<Item = &'s str> {
        let command = &step.command;
        let script = if command.is_interpreter() { command.operands().next() } else { None };
        [Some(command.path()), script].into_iter().flatten()
    }
}

pub(crate) fn is_windows(node: &Node<'_>) -> bool {
    is_windows_path(node.file_path.or(node.cmd_line).unwrap_or_default())
}

pub(crate) fn is_windows_path(text: &str) -> bool {
    let b = text.trim_start_matches('"').as_bytes();
    text.starts_with("\\\\") || (b.len() > 2 && b[0].is_ascii_alphabetic() && b[1] == b':' && b[2] == b'\\')
}

/// Evidence in order, each node once.
pub(crate) fn evidence(nodes: impl IntoIterator<Item = usize>) -> Vec<usize> {
    let mut nodes: Vec<_> = nodes.into_iter().collect();
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}
