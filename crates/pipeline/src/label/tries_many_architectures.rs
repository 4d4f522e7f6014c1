//! The same bot for every processor.

use std::collections::BTreeMap;

use super::command::Command;
use super::fetch::{Download, download};
use super::paths::url_file_name;
use super::tree::{Scene, evidence};
use super::{Pattern, Severity};

/// The same program is fetched or run for several processor architectures.
///
/// # Looks for
/// Three architectures in the names of what is downloaded or run in one episode: `bot.mips`, `bot.arm7`, `bot.x86` …
/// # Why it matters
/// Mirai and its children do not know where they landed, and try all.
/// # Stays quiet on
/// Release jobs that build or upload for several architectures: they name the host's own tools, not downloads.
/// # Evidence
/// One node for each architecture.
/// # Source
/// ATT&CK T1105, T1584.005.
pub(super) struct TriesManyArchitectures;

const ARCHITECTURES: &[&str] = &[
    "arm", "arm4", "arm4l", "arm5", "arm5l", "arm6", "arm6l", "arm7", "arm7l", "armv4l", "armv5l", "armv6l", "armv7l",
    "aarch64", "mips", "mpsl", "mipsel", "ppc", "powerpc", "sh4", "spc", "sparc", "m68k", "arc", "x86", "i586", "i686",
    "x86_64", "x86_32", "x64", "amd64", "arm64", "i486",
];
const DIFFERENT: usize = 3;

impl Pattern for TriesManyArchitectures {
    fn id(&self) -> &'static str {
        "tries_many_architectures"
    }
    fn title(&self) -> &'static str {
        "Fetches or runs one program for many architectures"
    }
    fn technique(&self) -> &'static str {
        "T1105"
    }
    fn severity(&self) -> Severity {
        Severity::High
    }
    fn signs(&self, commands: &[Command<'_>]) -> u64 {
        let bit = |name: &str| ARCHITECTURES.iter().position(|it| *it == name).map_or(0, |at| 1 << at);
        commands.iter().filter_map(|it| named(it, download(it).as_ref())).fold(0, |all, name| all | bit(name))
    }
    fn may_show(&self, signs: u64) -> bool {
        signs.count_ones() as usize >= DIFFERENT
    }
    fn find(&self, scene: &Scene<'_, '_>) -> Vec<Vec<usize>> {
        let (mut tried, mut hostile) = (BTreeMap::new(), false);
        for step in &scene.steps {
            let download = download(&step.command);
            if let Some(name) = named(&step.command, download.as_ref()) {
                hostile |= download.is_none_or(|it| it.hostile);
                tried.entry(name).or_insert(step.node);
            }
        }
        if tried.len() < DIFFERENT || !hostile {
            return Vec::new();
        }
        vec![evidence(tried.into_values())]
    }
}

/// The architecture of what a command downloads, or else runs.
fn named(command: &Command<'_>, download: Option<&Download>) -> Option<&'static str> {
    let path = command.path();
    match download {
        Some(it) => architecture(url_file_name(&it.url)).or_else(|| it.target.as_deref().and_then(architecture)),
        None if path.contains('/') && !path.starts_with("/usr/") => architecture(path),
        None => None,
    }
}

/// The architecture that a file's name ends in.
fn architecture(name: &str) -> Option<&'static str> {
    let end = name.rsplit(['.', '-', '/']).next()?;
    ARCHITECTURES.iter().copied().find(|it| it.eq_ignore_ascii_case(end))
}
