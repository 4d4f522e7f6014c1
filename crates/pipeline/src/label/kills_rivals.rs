//! Other bots' processes, killed by name.

use std::collections::BTreeSet;

use super::command::Command;
use super::tree::{Scene, evidence};
use super::{Pattern, Severity};

/// Processes of other bots and miners are killed, or whatever holds a miner's port.
///
/// # Looks for
/// `pkill`, `killall`, `kill` behind `ps | grep`, or `grep` and `kill` as siblings: one name that only rivals have, or
/// eight different names.
/// # Why it matters
/// A miner wants the processor for itself. Names here are the *rivals'*, never the bot's own.
/// # Stays quiet on
/// A service restarted by killing it by name; a handful of them in a deployment script.
/// # Evidence
/// The nodes that name what is killed, the nodes that kill.
/// # Source
/// ATT&CK T1489, T1496.
pub(super) struct KillsRivals;

/// Names that appear in kill lists and nowhere on a healthy host.
const RIVALS: &[&str] = &[
    "kdevtmpfsi",
    "kinsing",
    "xmrig",
    "xmr-stak",
    "minerd",
    "cnrig",
    "cryptonight",
    "stratum",
    "kthreaddi",
    "watchbog",
    "ddgs",
    "qw3xt",
    "sysrv",
    "watchdogs",
    "kerberods",
    "khugepageds",
    "ksoftirqds",
    "wntkyg",
    "nanominer",
    "ccminer",
    "ethminer",
    "lolminer",
    "phoenixminer",
    "teamredminer",
    "pwnrig",
    "solrd",
    "hezb",
    "dbused",
    "biosetjenkins",
    "loligang",
    "sustse",
    "mirai",
    "dvrhelper",
    "moneroocean",
    "supportxmr",
    "minexmr",
    "nanopool",
    "c3pool",
    "donate-level",
    "sysguard",
    ":3333",
    ":14444",
    "tsm32",
    "tsm64",
    "crypto-pool",
    "perfctl",
    "perfcc",
];
const MANY: usize = 8;

fn kills_by_name(command: &Command<'_>) -> bool {
    command.is(&["pkill", "killall", "taskkill", "skill"])
}

fn finds_by_name(command: &Command<'_>) -> bool {
    command.is(&["grep", "egrep", "pgrep", "fgrep", "awk"]) && !command.has_arg("-v")
}

impl Pattern for KillsRivals {
    fn id(&self) -> &'static str {
        "kills_rivals"
    }
    fn title(&self) -> &'static str {
        "Kills the processes of other bots and miners"
    }
    fn technique(&self) -> &'static str {
        "T1489"
    }
    fn severity(&self) -> Severity {
        Severity::High
    }
    fn signs(&self, commands: &[Command<'_>]) -> u64 {
        let kills = commands.iter().any(|it| kills_by_name(it) || it.is(&["kill"]));
        let names = commands.iter().any(|it| kills_by_name(it) || finds_by_name(it));
        u64::from(kills) | u64::from(names) << 1
    }
    fn may_show(&self, signs: u64) -> bool {
        signs & 0b11 == 0b11
    }
    fn find(&self, scene: &Scene<'_, '_>) -> Vec<Vec<usize>> {
        let (mut named, mut killing, mut known) = (Vec::new(), Vec::new(), false);
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for step in &scene.steps {
            let command = &step.command;
            let by_name = kills_by_name(command);
            let by_grep = finds_by_name(command);
            if by_name || command.is(&["kill"]) {
                killing.push(step.node);
            }
            if !(by_name || by_grep) {
                continue;
            }
            let rival = command.operands().any(|arg| {
                let arg = arg.to_ascii_lowercase();
                RIVALS.iter().any(|name| arg.contains(name))
            });
            if rival || by_name {
                named.push(step.node);
                known |= rival;
                names.extend(
                    command
                        .operands()
                        .filter(|arg| arg.len() > 2 && !arg.starts_with('/') && arg.parse::<i64>().is_err())
                        .take(8),
                );
            }
        }
        if killing.is_empty() || !(known || names.len() >= MANY) {
            return Vec::new();
        }
        vec![evidence(named.into_iter().chain(killing))]
    }
}
