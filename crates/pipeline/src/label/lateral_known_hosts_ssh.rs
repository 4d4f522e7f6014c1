//! From host to host along the keys that lie around.

use super::command::Command;
use super::tree::{Scene, evidence};
use super::{Pattern, Severity};

/// Hosts are looked up in SSH's own files and shell histories, then logged in to without a question.
///
/// # Looks for
/// A read of known_hosts, of an ssh configuration or of a shell history, and an ssh that neither checks host keys nor
/// asks (`StrictHostKeyChecking=no`, `BatchMode=yes`), in one line or in one episode.
/// # Why it matters
/// Worms such as Kinsing and Sysrv take every host that this one may log in to.
/// # Stays quiet on
/// Automation that turns host key checks off but knows its hosts; `ssh-keygen -R`.
/// # Evidence
/// The reading nodes, the nodes that log in.
/// # Source
/// ATT&CK T1021.004, T1552.004.
pub(super) struct LateralKnownHostsSsh;

const LISTS: &[&str] = &["known_hosts", ".ssh/config", ".bash_history", ".ssh/*", "id_rsa"];

fn reads_list(command: &Command<'_>) -> bool {
    command.is(&["cat", "grep", "egrep", "awk", "cut", "find", "sort", "strings", "tail", "head", "locate"])
        && LISTS.iter().any(|list| command.mentions(list))
}

fn logs_in_unseen(command: &Command<'_>) -> bool {
    command.is(&["ssh", "scp"])
        && command.mentions("StrictHostKeyChecking=no")
        && (command.mentions("BatchMode=yes") || command.mentions("http") || command.mentions("ConnectTimeout"))
}

impl Pattern for LateralKnownHostsSsh {
    fn id(&self) -> &'static str {
        "lateral_known_hosts_ssh"
    }
    fn title(&self) -> &'static str {
        "Logs in to every host found in SSH's own files"
    }
    fn technique(&self) -> &'static str {
        "T1021.004"
    }
    fn severity(&self) -> Severity {
        Severity::High
    }
    fn signs(&self, commands: &[Command<'_>]) -> u64 {
        let (reads, logins) = (commands.iter().any(reads_list), commands.iter().any(logs_in_unseen));
        u64::from(reads) | u64::from(logins) << 1
    }
    fn may_show(&self, signs: u64) -> bool {
        signs & 0b11 == 0b11
    }
    fn find(&self, scene: &Scene<'_, '_>) -> Vec<Vec<usize>> {
        let (mut reads, mut logins) = (Vec::new(), Vec::new());
        for step in &scene.steps {
            let command = &step.command;
            if reads_list(command) {
                reads.push(step.node);
            }
            if logs_in_unseen(command) {
                logins.push(step.node);
            }
        }
        if reads.is_empty() || logins.is_empty() {
            return Vec::new();
        }
        vec![evidence(reads.into_iter().chain(logins))]
    }
}
