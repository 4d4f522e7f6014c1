//! A burst of questions about the host.

use std::collections::BTreeMap;

use super::command::Command;
use super::tree::{Scene, evidence};
use super::{Pattern, Severity};

/// One parent asks for many different facts about the host within minutes.
///
/// # Looks for
/// Five kinds of question (kernel, processor, memory, who, network, disks, processes, tasks, domain …) among the
/// children of one process, or in one command line; within ten minutes where times are known.
/// # Why it matters
/// A bot looks at what it caught: how many cores to mine on, whether it is a honeypot.
/// # Stays quiet on
/// The greeting that is built at every login; monitoring agents, which ask one thing at a time for hours.
/// # Evidence
/// The asking nodes.
/// # Source
/// ATT&CK T1082, T1033, T1057.
pub(super) struct SystemReconnaissance;

const KINDS: usize = 5;
const WITHIN_MICROS: i64 = 600_000_000;
/// Build the greeting, or watch the host for its owner.
const WATCHERS: &[&str] = &[
    "run-parts",
    "landscape-sysinfo",
    "zabbix_agentd",
    "collectd",
    "telegraf",
    "node_exporter",
    "sosreport",
    "sos",
    "ansible",
];

impl Pattern for SystemReconnaissance {
    fn id(&self) -> &'static str {
        "system_reconnaissance"
    }
    fn title(&self) -> &'static str {
        "Asks many questions about the host in a row"
    }
    fn technique(&self) -> &'static str {
        "T1082"
    }
    fn techniques(&self) -> &'static [&'static str] {
        &["T1082", "T1033", "T1057", "T1083", "T1016", "T1049", "T1087"]
    }
    fn severity(&self) -> Severity {
        Severity::Low
    }
    fn signs(&self, commands: &[Command<'_>]) -> u64 {
        commands.iter().filter_map(question).fold(0, |all, kind| all | 1 << kind)
    }
    fn may_show(&self, signs: u64) -> bool {
        signs.count_ones() as usize >= KINDS
    }
    fn find(&self, scene: &Scene<'_, '_>) -> Vec<Vec<usize>> {
        // (kind, node, start) of each question, by the asking parent.
        let mut asked: BTreeMap<usize, Vec<(u8, usize, Option<i64>)>> = BTreeMap::new();
        let mut quiet = vec![false; scene.tree.nodes.len()];
        for (index, node) in scene.tree.nodes.iter().enumerate() {
            let line = node.file_path.or(node.cmd_line).unwrap_or_default();
            let above = node.parent.is_some_and(|parent| quiet.get(parent).copied().unwrap_or(false));
            quiet[index] = above || WATCHERS.iter().any(|name| line.contains(name));
        }
        for step in scene.steps.iter().filter(|step| !quiet[step.node]) {
            let Some(kind) = question(&step.command) else { continue };
            let node = &scene.tree.nodes[step.node];
            // Shells in between are no askers: `sh -c uname` is asked by what started the shell.
            // What has no known parent, a honeypot's lines say, belongs to the one session that the tree is.
            let asker = node.parent.filter(|parent| *parent < step.node).unwrap_or(usize::MAX);
            asked.entry(asker).or_default().push((kind, step.node, node.start.map(|it| it.0)));
        }
        asked.into_values().filter_map(|asked| burst(&asked)).map(evidence).collect()
    }
}

/// The first window with enough kinds. Linear: the window's edges only move forward.
fn burst(asked: &[(u8, usize, Option<i64>)]) -> Option<Vec<usize>> {
    let mut counts = [0usize; 16];
    let mut from = 0;
    for (to, &(kind, _, time)) in asked.iter().enumerate() {
        counts[usize::from(kind)] += 1;
        while let (Some(time), Some(first)) = (time, asked[from].2)
            && time - first > WITHIN_MICROS
        {
            counts[usize::from(asked[from].0)] -= 1;
            from += 1;
        }
        if counts.iter().filter(|count| **count > 0).count() >= KINDS {
            return Some(asked[from..=to].iter().map(|it| it.1).collect());
        }
    }
    None
}

/// What a command asks about.
fn question(command: &Command<'_>) -> Option<u8> {
    let reads = |part: &str| {
        command.is(&["cat", "grep", "head", "more", "less", "egrep", "awk", "tail"]) && command.mentions(part)
    };
    let kinds: [&[&str]; 12] = [
        &["uname", "arch", "ver", "sw_vers"],
        &["nproc", "lscpu"],
        &["free", "vmstat"],
        &["whoami", "id", "groups"],
        &["w", "who", "last", "lastlog", "users", "quser", "qwinsta"],
        &["hostname", "hostnamectl", "uptime", "systeminfo", "lsb_release"],
        &["ifconfig", "ip", "ipconfig", "arp", "route"],
        &["df", "lsblk", "fdisk"],
        &["ps", "top", "pstree", "tasklist", "qprocess"],
        &["lspci", "dmidecode", "nvidia-smi", "lshw"],
        &["netstat", "ss", "nltest", "net", "net1"],
        &["dmesg", "lsmod", "env", "printenv", "set"],
    ];
    if reads("/proc/cpuinfo") {
        return Some(1);
    }
    if reads("/proc/meminfo") {
        return Some(2);
    }
    if reads("/etc/passwd") {
        return Some(3);
    }
    if reads("/etc/issue") || reads("-release") || reads("/proc/version") {
        return Some(5);
    }
    if command.is(&["crontab"]) && command.has_arg("-l") {
        return Some(12);
    }
    // `ip link set` changes, `net start` starts.
    if command.is(&["ip"]) && !command.operands().next().is_some_and(|it| it.starts_with('a') || it.starts_with('r')) {
        return None;
    }
    if command.is(&["net", "net1"])
        && !(command.mentions("group") || command.mentions("view") || command.mentions("user"))
    {
        return None;
    }
    let index = kinds.iter().position(|names| command.is(names))?;
    u8::try_from(index).ok()
}
