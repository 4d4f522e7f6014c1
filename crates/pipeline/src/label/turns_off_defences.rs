//! One defence after the other.

use std::collections::BTreeMap;

use super::command::Command;
use super::tree::{Scene, evidence};
use super::{Pattern, Severity};

/// Several different kinds of defence are turned off in one episode.
///
/// # Looks for
/// Two of: firewall or SELinux; logging or audit; a security agent; the watchdog of the kernel; the shell's history.
/// # Why it matters
/// Each alone may be an administrator's choice; together they make a host blind.
/// # Stays quiet on
/// Firewall and SELinux turned off together, which cluster installers ask for.
/// # Evidence
/// One node for each kind.
/// # Source
/// ATT&CK T1562.001, T1562.004.
pub(super) struct TurnsOffDefences;

const AGENTS: &[&str] = &[
    "aegis",
    "aliyun",
    "cloudmonitor",
    "yunsuo",
    "qcloud",
    "stargate",
    "barad",
    "ydservice",
    "hostguard",
    "bcm-agent",
    "falcon-sensor",
    "wazuh",
    "ossec",
    "clamav",
    "clamd",
    "crowdstrike",
    "sophos",
    "mdatp",
    "windefend",
    "sense",
    "mssense",
    "cbdaemon",
    "osquery",
    "falco",
];
const LOGGERS: &[&str] = &["rsyslog", "syslog", "auditd", "eventlog", "sysmon", "systemd-journald"];
const FENCES: &[&str] = &["firewalld", "ufw", "iptables", "apparmor", "mpssvc", "nftables"];

impl Pattern for TurnsOffDefences {
    fn id(&self) -> &'static str {
        "turns_off_defences"
    }
    fn title(&self) -> &'static str {
        "Turns off one defence after the other"
    }
    fn technique(&self) -> &'static str {
        "T1562.001"
    }
    fn severity(&self) -> Severity {
        Severity::High
    }
    fn signs(&self, commands: &[Command<'_>]) -> u64 {
        commands.iter().filter_map(turned_off).fold(0, |all, kind| all | 1 << kind as u8)
    }
    fn may_show(&self, signs: u64) -> bool {
        signs.count_ones() >= 2
    }
    fn find(&self, scene: &Scene<'_, '_>) -> Vec<Vec<usize>> {
        let mut off = BTreeMap::new();
        for step in scene.steps.iter().filter(|step| !scene.packaged[step.node]) {
            if let Some(kind) = turned_off(&step.command) {
                off.entry(kind).or_insert(step.node);
            }
        }
        if off.len() < 2 {
            return Vec::new();
        }
        vec![evidence(off.into_values())]
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Defence {
    Fence,
    Log,
    Agent,
    Watchdog,
    History,
}

fn turned_off(command: &Command<'_>) -> Option<Defence> {
    let named = |names: &[&str]| {
        command.args().any(|arg| {
            let arg = arg.to_ascii_lowercase();
            names.iter().any(|name| arg.contains(name))
        })
    };
    let is_off = match &*command.program_in_small() {
        "systemctl" => command.has_arg("stop") || command.has_arg("disable") || command.has_arg("mask"),
        "service" | "/etc/init.d" | "sc" | "net" => command.has_arg("stop") || command.has_arg("delete"),
        "chkconfig" => command.has_arg("off"),
        "pkill" | "killall" | "taskkill" => true,
        _ => false,
    };
    if is_off {
        return if named(AGENTS) {
            Some(Defence::Agent)
        } else if named(LOGGERS) {
            Some(Defence::Log)
        } else if named(FENCES) {
            Some(Defence::Fence)
        } else {
            None
        };
    }
    if command.is(&["setenforce"]) && command.has_arg("0")
        || command.is(&["iptables"]) && (command.has_arg("-F") || command.has_arg("--flush"))
        || command.is(&["ufw"]) && command.has_arg("disable")
        || command.is(&["netsh"]) && command.mentions("off")
    {
        return Some(Defence::Fence);
    }
    if command.is(&["auditctl"]) && (command.has_arg("-D") || command.has_arg("-e0")) {
        return Some(Defence::Log);
    }
    // An agent's uninstaller, run from its folder.
    if (command.path().contains("uninstall") || command.mentions("uninstall.sh"))
        && AGENTS.iter().any(|name| command.text().to_ascii_lowercase().contains(name))
    {
        return Some(Defence::Agent);
    }
    if command.mentions("nmi_watchdog=0") || (command.mentions("nmi_watchdog") && command.is(&["echo"])) {
        return Some(Defence::Watchdog);
    }
    if command.writes.iter().any(|path| path == "/proc/sys/kernel/nmi_watchdog") {
        return Some(Defence::Watchdog);
    }
    let forgets = command.is(&["unset"]) && command.has_arg("HISTFILE")
        || command.is(&["export", "set"]) && (command.mentions("HISTFILE=/dev/null") || command.mentions("HISTSIZE=0"))
        || command.is(&["history"]) && command.has_arg("-c");
    forgets.then_some(Defence::History)
}
