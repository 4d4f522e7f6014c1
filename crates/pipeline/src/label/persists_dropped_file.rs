//! Made to come back from where bots put things.

use super::command::Command;
use super::paths::is_dropzone;
use super::tree::Scene;
use super::{Pattern, Severity};

/// Something in a temporary or hidden folder, or just downloaded, is made to start again by itself.
///
/// # Looks for
/// A cron line, a unit, rc.local, a profile or a scheduled task that names a path in such a folder, or a path that a
/// download in the same episode was run from.
/// # Why it matters
/// It comes back after a restart. The path is the bot's own.
/// # Stays quiet on
/// Scheduled work that runs installed programs.
/// # Evidence
/// The nodes that downloaded and ran it where they are known, the node that makes it start.
/// # Source
/// ATT&CK T1053.003, T1543.002, T1037.004, T1546.004.
pub(super) struct PersistsDroppedFile;

const STARTERS: &[&str] = &[
    "/etc/cron",
    "/var/spool/cron",
    "/etc/systemd/system",
    "/lib/systemd/system",
    "/etc/rc.local",
    "/etc/rc.d/",
    "/etc/init.d/",
    "/etc/inittab",
    ".bashrc",
    ".bash_profile",
    "/.profile",
    "/etc/profile",
    "/etc/ld.so.preload",
    "/etc/update-motd.d",
];

impl Pattern for PersistsDroppedFile {
    fn id(&self) -> &'static str {
        "persists_dropped_file"
    }
    fn title(&self) -> &'static str {
        "Makes a dropped file start again by itself"
    }
    fn technique(&self) -> &'static str {
        "T1053.003"
    }
    fn severity(&self) -> Severity {
        Severity::High
    }
    fn signs(&self, commands: &[Command<'_>]) -> u64 {
        commands.iter().any(persists).into()
    }
    fn find(&self, scene: &Scene<'_, '_>) -> Vec<Vec<usize>> {
        let mut out = Vec::new();
        for step in &scene.steps {
            let Some(text) = started_text(scene, step.from, &step.command) else { continue };
            let mut words =
                text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | '|' | '=' | '>' | '&'));
            let flow =
                scene.flows().iter().take(64).find(|flow| flow.path.len() > 3 && text.contains(flow.path.as_str()));
            if let Some(flow) = flow {
                out.push(flow.nodes.iter().copied().chain([step.node]).collect());
            } else if words.any(|word| is_dropzone(word) && !STARTERS.iter().any(|place| word.contains(place))) {
                out.push(vec![step.node]);
            }
        }
        out.iter_mut().for_each(Vec::dedup);
        out
    }
}

fn starts(path: &str) -> bool {
    STARTERS.iter().any(|place| path.contains(place))
}

fn creates_task(command: &Command<'_>) -> bool {
    command.is(&["schtasks"]) && command.args().any(|arg| arg.eq_ignore_ascii_case("/create"))
}

fn writes_crontab(command: &Command<'_>) -> bool {
    command.is(&["crontab"]) && !command.has_arg("-l") && !command.has_arg("-r") && !command.has_arg("-e")
}

/// Whether a command makes the system start something.
fn persists(command: &Command<'_>) -> bool {
    creates_task(command)
        || writes_crontab(command)
        || command.is(&["tee", "cp", "mv", "ln", "install"]) && command.operands().any(starts)
        || command.writes.iter().any(|path| starts(path))
}

/// The text that a command makes the system start, if that is what it does.
fn started_text(scene: &Scene<'_, '_>, from: Option<usize>, command: &Command<'_>) -> Option<String> {
    let piped = || from.and_then(|at| scene.steps.get(at)).map(|step| step.command.text());
    if creates_task(command) {
        return Some(command.text());
    }
    // `(crontab -l; echo "…") | crontab -`: the pipe's last command wrote the new line.
    if writes_crontab(command) {
        return Some(format!("{} {}", piped().unwrap_or_default(), command.text()));
    }
    if command.is(&["tee"]) && command.operands().any(starts) {
        return piped();
    }
    if command.is(&["cp", "mv", "ln", "install"]) && command.operands().last().is_some_and(starts) {
        return command.operands().next().map(str::to_owned);
    }
    command
        .writes
        .iter()
        .any(|path| starts(path))
        .then(|| format!("{} {}", piped().unwrap_or_default(), command.text()))
}
