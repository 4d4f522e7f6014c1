//! The owner's keys out, a stranger's in.

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
    fn find(&self, scene: &Scene<'_, '_>) -> Vec<Vec<usize>> {
        let (mut cleared, mut written) = (Vec::new(), Vec::new());
        for step in &scene.steps {
            let command = &step.command;
            let about_keys = command.operands().any(|arg| {
                let arg = arg.trim_end_matches(['/', '*']);
                arg.ends_with(".ssh") || arg.ends_with("authorized_keys")
            });
            if about_keys && command.is(&["rm", "chattr", "lockr", "unlink"]) {
                cleared.push(step.node);
            }
            let key = command.mentions("ssh-rsa ") || command.mentions("ssh-ed25519 ") || command.mentions("ssh-rsa");
            let into = command.writes.iter().any(|path| path.contains("authorized_keys"));
            let tee = command.is(&["tee"]) && command.mentions("authorized_keys");
            if (key && into) || tee {
                written.push(step.node);
            }
        }
        if cleared.is_empty() || written.is_empty() {
            return Vec::new();
        }
        vec![evidence(cleared.into_iter().chain(written))]
    }
}
