//! The owner's keys out, a stranger's in.

use super::command::Command;
use super::tree::{Scene, evidence};
use super::{Pattern, Severity};

/// The SSH keys of an account are removed or unlocked, and another is written.
///
/// # Looks for
/// `rm` or `chattr -i` of `.ssh` or of authorized_keys, and a public key written into authorized_keys; or the key
/// written and then locked with `chattr +i`.
/// # Why it matters
/// The owner is locked out, the bot stays in. The key names the gang.
/// # Stays quiet on
/// Keys that are only added, as provisioning does.
/// # Evidence
/// The removing or locking node, the writing node.
/// # Source
/// ATT&CK T1098.004.
pub(super) struct ReplacesSshKeys;

fn clears_keys(command: &Command<'_>) -> bool {
    let about_keys = |arg: &str| {
        let arg = arg.trim_end_matches(['/', '*']);
        arg.ends_with(".ssh") || arg.ends_with("authorized_keys")
    };
    command.is(&["rm", "chattr", "lockr", "unlink"]) && command.operands().any(about_keys)
}

fn writes_key(command: &Command<'_>) -> bool {
    let key = command.mentions("ssh-rsa") || command.mentions("ssh-ed25519 ");
    let into = command.writes.iter().any(|path| path.contains("authorized_keys"));
    (key && into) || (command.is(&["tee"]) && command.mentions("authorized_keys"))
}

impl Pattern for ReplacesSshKeys {
    fn id(&self) -> &'static str {
        "replaces_ssh_keys"
    }
    fn title(&self) -> &'static str {
        "Replaces an account's SSH keys, or locks one in"
    }
    fn technique(&self) -> &'static str {
        "T1098.004"
    }
    fn severity(&self) -> Severity {
        Severity::High
    }
    fn signs(&self, commands: &[Command<'_>]) -> u64 {
        let (clears, writes) = (commands.iter().any(clears_keys), commands.iter().any(writes_key));
        u64::from(clears) | u64::from(writes) << 1
    }
    fn may_show(&self, signs: u64) -> bool {
        signs & 0b11 == 0b11
    }
    fn find(&self, scene: &Scene<'_, '_>) -> Vec<Vec<usize>> {
        let (mut cleared, mut written) = (Vec::new(), Vec::new());
        for step in &scene.steps {
            let command = &step.command;
            if clears_keys(command) {
                cleared.push(step.node);
            }
            if writes_key(command) {
                written.push(step.node);
            }
        }
        if cleared.is_empty() || written.is_empty() {
            return Vec::new();
        }
        vec![evidence(cleared.into_iter().chain(written))]
    }
}
