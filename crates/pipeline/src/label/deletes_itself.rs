//! Run, then removed.

use std::collections::HashMap;

use super::command::Command;
use super::paths::is_dropzone;
use super::tree::Scene;
use super::{Pattern, Severity};

/// A program removes its own file, or is removed after it was started.
///
/// # Looks for
/// `rm` of `$0`; or a program run from a temporary or hidden folder, and later `rm` of the same path.
/// # Why it matters
/// A bot lives on in memory, and leaves no file to find.
/// # Stays quiet on
/// Build tools and provisioning, which remove the folder, not the program they ran; scripts given to an interpreter.
/// # Evidence
/// The running node, the removing node.
/// # Source
/// ATT&CK T1070.004.
pub(super) struct DeletesItself;

const REMOVERS: &[&str] = &["rm", "unlink", "shred", "del"];

fn is_itself(arg: &str) -> bool {
    matches!(arg, "$0" | "${0}" | "%0" | "%~f0")
}

fn is_dropped(path: &str) -> bool {
    is_dropzone(path) || path.starts_with("./")
}

impl Pattern for DeletesItself {
    fn id(&self) -> &'static str {
        "deletes_itself"
    }
    fn title(&self) -> &'static str {
        "Removes a program's file while or after it runs"
    }
    fn technique(&self) -> &'static str {
        "T1070.004"
    }
    fn severity(&self) -> Severity {
        Severity::Medium
    }
    fn signs(&self, commands: &[Command<'_>]) -> u64 {
        let removes = |it: &&Command<'_>| it.is(REMOVERS);
        commands.iter().filter(removes).any(|it| it.operands().any(|arg| is_itself(arg) || is_dropped(arg))).into()
    }
    fn find(&self, scene: &Scene<'_, '_>) -> Vec<Vec<usize>> {
        let mut ran: HashMap<&str, usize> = HashMap::new();
        let mut out = Vec::new();
        for step in &scene.steps {
            let command = &step.command;
            if scene.packaged[step.node] {
                continue;
            }
            if command.is(REMOVERS) {
                for arg in command.operands() {
                    if is_itself(arg) {
                        out.push(vec![step.node]);
                    } else if let Some(&node) = ran.get(arg) {
                        out.push(if node == step.node { vec![node] } else { vec![node, step.node] });
                    }
                }
                continue;
            }
            let image = scene.tree.nodes[step.node].file_path.unwrap_or_default();
            for path in [command.path(), image] {
                if is_dropped(path) {
                    ran.entry(path).or_insert(step.node);
                }
            }
        }
        out
    }
}
