//! A system program's file, filled with something else.

use std::collections::HashMap;

use super::command::Command;
use super::paths::is_dropzone;
use super::tree::{Scene, evidence};
use super::{Pattern, Severity};

/// A system program is copied, the copy is overwritten, and run.
///
/// # Looks for
/// `cp /bin/… X`, then output redirected into `X`, with or without a run of `X`, outside the system's folders.
/// # Why it matters
/// The copy keeps the permission to run where `chmod` is missing: `cp /bin/busybox x; cat bot > x; ./x`.
/// # Stays quiet on
/// Copies that are only run, and scripts written by a redirection.
/// # Evidence
/// The copying node, the overwriting node, the running node.
/// # Source
/// ATT&CK T1036.003, T1222.002.
pub(super) struct OverwritesCopiedProgram;

/// Where a system program is copied to, if it goes where no program belongs.
fn copies_program<'c>(command: &'c Command<'_>) -> Option<&'c str> {
    let (from, to) = (command.operands().next()?, command.operands().last()?);
    let copies = command.is(&["cp"])
        && (from.starts_with("/bin/") || from.starts_with("/usr/bin/") || from == "$SHELL")
        && (is_dropzone(to) || !to.starts_with('/'));
    copies.then_some(to)
}

impl Pattern for OverwritesCopiedProgram {
    fn id(&self) -> &'static str {
        "overwrites_copied_program"
    }
    fn title(&self) -> &'static str {
        "Fills the copy of a system program with another program"
    }
    fn technique(&self) -> &'static str {
        "T1036.003"
    }
    fn severity(&self) -> Severity {
        Severity::High
    }
    fn signs(&self, commands: &[Command<'_>]) -> u64 {
        commands.iter().any(|it| copies_program(it).is_some()).into()
    }
    fn find(&self, scene: &Scene<'_, '_>) -> Vec<Vec<usize>> {
        let mut copied: HashMap<&str, usize> = HashMap::new();
        let mut filled: HashMap<&str, [usize; 2]> = HashMap::new();
        let mut out = Vec::new();
        for step in &scene.steps {
            let command = &step.command;
            if let Some(to) = copies_program(command) {
                copied.insert(to, step.node);
            }
            for target in &command.writes {
                if let Some(&copy) = copied.get(target.as_ref()) {
                    filled.insert(target.as_ref(), [copy, step.node]);
                }
            }
            let path = command.path().strip_prefix("./").unwrap_or(command.path());
            if let Some(&[copy, fill]) = filled.get(path) {
                out.push(evidence([copy, fill, step.node]));
            }
        }
        out
    }
}
