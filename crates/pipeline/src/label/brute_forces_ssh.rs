//! Many logins tried over SSH.

use std::collections::BTreeSet;

use super::command::{Command, base_name};
use super::tree::{Scene, evidence};
use super::{Pattern, Severity};

/// Passwords are guessed on other hosts' SSH.
///
/// # Looks for
/// hydra, medusa, ncrack or patator on ssh; `sshpass` on five targets or with five passwords; or one program that is no
/// SSH client connected to port 22 of twenty addresses.
/// # Why it matters
/// How a bot spreads, and how its host comes to be reported for abuse.
/// # Stays quiet on
/// ssh, ansible, git and rsync on many hosts; monitoring that checks port 22.
/// # Evidence
/// The guessing nodes.
/// # Source
/// ATT&CK T1110.001.
pub(super) struct BruteForcesSsh;

const TOOLS: &[&str] = &["hydra", "medusa", "ncrack", "patator", "crowbar", "sshbrute", "brutespray"];
const CLIENTS: &[&str] = &[
    "ssh",
    "scp",
    "sftp",
    "rsync",
    "git",
    "ansible",
    "ansible-playbook",
    "python3",
    "nagios",
    "check_ssh",
    "prometheus",
    "blackbox_exporter",
    "zabbix_server",
    "salt-ssh",
    "pssh",
    "pdsh",
    "clush",
    "haproxy",
    "mosh",
];
const TARGETS: usize = 5;
const ADDRESSES: usize = 20;

impl Pattern for BruteForcesSsh {
    fn id(&self) -> &'static str {
        "brute_forces_ssh"
    }
    fn title(&self) -> &'static str {
        "Guesses SSH passwords of other hosts"
    }
    fn technique(&self) -> &'static str {
        "T1110.001"
    }
    fn severity(&self) -> Severity {
        Severity::High
    }
    fn signs(&self, commands: &[Command<'_>]) -> u64 {
        commands.iter().any(|it| it.is(TOOLS) || it.is(&["sshpass"])).into()
    }
    fn find(&self, scene: &Scene<'_, '_>) -> Vec<Vec<usize>> {
        let mut out = Vec::new();
        let (mut passing, mut tried) = (Vec::new(), BTreeSet::new());
        for step in &scene.steps {
            let command = &step.command;
            if command.is(TOOLS) && (command.mentions("ssh") || command.mentions(":22")) {
                out.push(vec![step.node]);
            }
            if command.is(&["sshpass"]) {
                passing.push(step.node);
                let target = command.args().find(|arg| arg.contains('@')).unwrap_or_default().to_owned();
                let password = command.args().find(|arg| arg.starts_with("-p")).unwrap_or_default().to_owned();
                tried.insert((target, password));
            }
        }
        if tried.len() >= TARGETS {
            out.push(evidence(passing));
        }
        for (index, node) in scene.tree.nodes.iter().enumerate().filter(|(_, node)| node.connects.len() >= ADDRESSES) {
            let program = base_name(node.file_path.unwrap_or_default());
            let targets: BTreeSet<_> = node.connects.iter().filter_map(|to| to.strip_suffix(":22")).collect();
            if targets.len() >= ADDRESSES && !CLIENTS.contains(&program) {
                out.push(vec![index]);
            }
        }
        out
    }
}
