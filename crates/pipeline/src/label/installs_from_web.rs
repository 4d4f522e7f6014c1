//! Downloaded from a named host, then run.

use super::command::Command;
use super::fetch::may_flow;
use super::tree::Scene;
use super::{Pattern, Severity};

/// A program or script is downloaded from a named host and run.
///
/// # Looks for
/// The same as `downloads_then_runs`, where nothing about the download is a bot's way.
/// # Why it matters
/// Administrators install software so, and so do bots that own a domain: evidence beside others.
/// # Stays quiet on
/// What runs under a package manager.
/// # Evidence
/// The downloading node, the running node.
/// # Source
/// ATT&CK T1105.
pub(super) struct InstallsFromWeb;

impl Pattern for InstallsFromWeb {
    fn id(&self) -> &'static str {
        "installs_from_web"
    }
    fn title(&self) -> &'static str {
        "Downloads a program from a named host, then runs it"
    }
    fn technique(&self) -> &'static str {
        "T1105"
    }
    fn severity(&self) -> Severity {
        Severity::Medium
    }
    fn signs(&self, commands: &[Command<'_>]) -> u64 {
        may_flow(commands).into()
    }
    fn find(&self, scene: &Scene<'_, '_>) -> Vec<Vec<usize>> {
        scene.flows().iter().filter(|flow| !flow.hostile).map(|flow| flow.nodes.clone()).collect()
    }
}
