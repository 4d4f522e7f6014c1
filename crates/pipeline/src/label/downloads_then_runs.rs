//! Downloaded by a bot's means, then run.

use super::command::Command;
use super::fetch::may_flow;
use super::tree::Scene;
use super::{Pattern, Severity};

/// A program is downloaded from a bare address, or into a place for everyone, and run.
///
/// # Looks for
/// wget, curl, tftp, ftpget, certutil, bitsadmin, PowerShell or a renamed copy of one; then a run of the file, or an
/// interpreter that reads the download through a pipe or a substitution; in one line or in several processes.
/// The download is from an IP address or from a hidden folder, through busybox, tftp or a Windows tool that
/// is not meant for it, or unencrypted into a folder that everyone may write to.
/// # Why it matters
/// The usual first step of a bot after it got in.
/// # Stays quiet on
/// What runs under a package manager; downloads from this host; software installed from a named host over https
/// (that is `installs_from_web`).
/// # Evidence
/// The downloading node, the running node.
/// # Source
/// ATT&CK T1105, T1059.004.
pub(super) struct DownloadsThenRuns;

impl Pattern for DownloadsThenRuns {
    fn id(&self) -> &'static str {
        "downloads_then_runs"
    }
    fn title(&self) -> &'static str {
        "Downloads a program the way bots do, then runs it"
    }
    fn technique(&self) -> &'static str {
        "T1105"
    }
    fn severity(&self) -> Severity {
        Severity::High
    }
    fn signs(&self, commands: &[Command<'_>]) -> u64 {
        may_flow(commands).into()
    }
    fn find(&self, scene: &Scene<'_, '_>) -> Vec<Vec<usize>> {
        scene.flows().iter().filter(|flow| flow.hostile).map(|flow| flow.nodes.clone()).collect()
    }
}
