//! Files packed, and the package sent away.

use super::command::{Command, base_name};
use super::tree::{Scene, evidence};
use super::{Pattern, Severity};

/// An archive is made and then handed to a program that sends it to a bare address or a stranger's storage.
///
/// # Looks for
/// `tar`, `zip`, `7z`, `rar` with an output; then `curl -T`, `curl -F`, `scp`, `nc`, `rclone`, `ftp` or `mega-put` that names
/// the same file and a public address, or a service where anyone can leave files.
/// # Why it matters
/// It is how data leaves: packed once, sent once.
/// # Stays quiet on
/// Backups to private addresses and to named hosts; uploads of a build.
/// # Evidence
/// The archiver, the sender.
/// # Source
/// ATT&CK T1560.001, T1041.
pub(super) struct ArchivesThenSends;

const ARCHIVERS: &[&str] = &["tar", "zip", "7z", "7za", "rar", "gzip"];
const SENDERS: &[&str] =
    &["curl", "scp", "nc", "ncat", "rclone", "ftp", "mega-put", "megacopy", "wget", "sftp", "rsync"];
const DROPS: [&str; 10] = [
    "transfer.sh",
    "file.io",
    "bashupload.com",
    "anonfile",
    "gofile.io",
    "mega",
    "0x0.st",
    "temp.sh",
    "catbox.moe",
    "api.telegram.org",
];
const PACKS: u64 = 1;
const SENDS: u64 = 2;
/// Archives of one episode that are watched for.
const MAX_ARCHIVES: usize = 32;

const ENDINGS: [&str; 8] = [".tar", ".tgz", ".tar.gz", ".gz", ".zip", ".7z", ".rar", ".tar.bz2"];

fn archive<'c>(command: &'c Command<'_>) -> Option<&'c str> {
    let words = || command.words.iter().map(AsRef::as_ref);
    let packs = command.is(ARCHIVERS) && !(words().any(|it: &str| it.starts_with("-x") || it.starts_with('x')));
    words().find(|it| packs && ENDINGS.iter().any(|end| it.ends_with(end)))
}

/// Whether it sends to someone who is no neighbour.
fn sends(command: &Command<'_>) -> bool {
    command.is(SENDERS)
        && command.words.iter().any(|it| {
            let it: &str = it.as_ref();
            DROPS.iter().any(|drop| it.contains(drop)) || has_public_address(it)
        })
}

fn has_public_address(word: &str) -> bool {
    word.split(|c: char| !c.is_ascii_digit() && c != '.').any(|it| {
        it.parse::<std::net::Ipv4Addr>()
            .is_ok_and(|it| !(it.is_private() || it.is_loopback() || it.is_link_local() || it.is_unspecified()))
    })
}

impl Pattern for ArchivesThenSends {
    fn id(&self) -> &'static str {
        "archives_then_sends"
    }
    fn title(&self) -> &'static str {
        "Packs files and sends the package away"
    }
    fn technique(&self) -> &'static str {
        "T1560.001"
    }
    fn severity(&self) -> Severity {
        Severity::Low
    }
    fn signs(&self, commands: &[Command<'_>]) -> u64 {
        commands
            .iter()
            .fold(0, |all, it| all | if archive(it).is_some() { PACKS } else { 0 } | if sends(it) { SENDS } else { 0 })
    }
    fn may_show(&self, signs: u64) -> bool {
        signs & (PACKS | SENDS) == PACKS | SENDS
    }
    fn find(&self, scene: &Scene<'_, '_>) -> Vec<Vec<usize>> {
        let mut made: Vec<(&str, usize)> = Vec::new();
        let mut found = Vec::new();
        for step in &scene.steps {
            if let Some(path) = archive(&step.command) {
                if made.len() < MAX_ARCHIVES {
                    made.push((path, step.node));
                }
            } else if sends(&step.command) {
                let named = |path: &str| step.command.words.iter().any(|it| it.contains(base_name(path)));
                if let Some((_, archiver)) = made.iter().find(|it| named(it.0)) {
                    found.push(evidence([*archiver, step.node]));
                }
            }
        }
        found
    }
}
