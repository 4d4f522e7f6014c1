//! From host to host along the keys that lie around.

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
    fn find(&self, scene: &Scene<'_, '_>) -> Vec<Vec<usize>> {
        let (mut reads, mut logins) = (Vec::new(), Vec::new());
        for step in &scene.steps {
            let command = &step.command;
            let reader = command
                .is(&["cat", "grep", "egrep", "awk", "cut", "find", "sort", "strings", "tail", "head", "locate"]);
            if reader && LISTS.iter().any(|list| command.mentions(list)) {
                reads.push(step.node);
            }
            if command.is(&["ssh", "scp"])
                && command.mentions("StrictHostKeyChecking=no")
                && (command.mentions("BatchMode=yes") || command.mentions("http") || command.mentions("ConnectTimeout"))
            {
                logins.push(step.node);
            }
        }
        if reads.is_empty() || logins.is_empty() {
            return Vec::new();
        }
        vec![evidence(reads.into_iter().chain(logins))]
    }
}
