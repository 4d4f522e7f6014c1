//! An episode's downloads → which of them come to nothing in it.
//!
//! What a bot only asks for is not thereby its own: others plant addresses, and everybody tests the way out. Deliberately
//! absent: whether it matters (`facts` weighs it against what the episode does use).

use super::work::Work;
use crate::collect::rows::Bucket;
use crate::connect::{HostGraph, text};
use crate::label::command::{Command, base_name, commands};
use crate::label::fetch::{Download, download};
use crate::label::tree::is_windows_path;

/// Downloads and commands of one episode that are looked at.
const DOWNLOADS: usize = 64;
const COMMANDS: usize = 2048;
/// A shorter name stands in other words too often.
const TELLING_NAME: usize = 3;

/// What becomes of what a node downloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    /// The answer goes to the null device.
    ThrownAway,
    /// It is saved, and nothing that was logged touches the file again.
    Untouched,
    /// It is run, changed, handed on, or no download at all.
    Used,
}

/// By node. Cost: downloads × commands, both bounded.
pub(super) fn uses(bucket: &Bucket, graph: &HostGraph, nodes: &[Work]) -> Vec<Use> {
    let mut uses = vec![Use::Used; nodes.len()];
    let fetches = |it: &Work| it.said.indicators.iter().any(|it| it.context == ringleader_model::Context::Downloaded);
    if !nodes.iter().any(fetches) {
        return uses;
    }
    let image = |it: &Work| it.process.and_then(|at| text(bucket, graph.processes[at as usize].file_path));
    let parsed: Vec<Vec<Command<'_>>> = nodes
        .iter()
        .scan(0, |seen, it| {
            let windows = is_windows_path(image(it).unwrap_or(&it.said.text));
            let found = if *seen < COMMANDS { commands(&it.said.text, windows) } else { Vec::new() };
            *seen += found.len();
            Some(found)
        })
        .collect();
    let touched = |file: &str| {
        let name = base_name(file);
        name.len() < TELLING_NAME
            || nodes.iter().filter_map(image).any(|it| base_name(it).eq_ignore_ascii_case(name))
            || parsed.iter().flatten().any(|it| it.mentions(name) && !passes_over(it) && download(it).is_none())
    };
    let mut left = DOWNLOADS;
    for at in (0..nodes.len()).filter(|at| fetches(&nodes[*at])) {
        let found: Vec<Download> = parsed[at].iter().filter_map(download).take(left).collect();
        left -= found.len();
        let of = |it: &Download| match it.target.as_deref() {
            Some(file) if is_null(file) => Use::ThrownAway,
            Some(file) if !touched(file) => Use::Untouched,
            _ => Use::Used,
        };
        uses[at] = found.iter().map(of).max().unwrap_or(Use::Used);
    }
    uses
}

fn is_null(file: &str) -> bool {
    matches!(file, "/dev/null" | "/dev/zero") || file.eq_ignore_ascii_case("nul") || file.eq_ignore_ascii_case("$null")
}

/// It names a file without making use of it.
fn passes_over(command: &Command<'_>) -> bool {
    const LOOKING: &[&str] = &[
        "rm", "unlink", "shred", "del", "grep", "egrep", "sed", "pkill", "killall", "ls", "stat", "test", "[", "echo",
    ];
    command.is(LOOKING)
}
