//! The same bot for every processor.

use std::collections::BTreeMap;

use super::fetch::download;
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
    fn find(&self, scene: &Scene<'_, '_>) -> Vec<Vec<usize>> {
        let (mut tried, mut hostile) = (BTreeMap::new(), false);
        for step in &scene.steps {
            if let Some(download) = download(&step.command) {
                let named = architecture(url_file_name(&download.url))
                    .or_else(|| download.target.as_deref().and_then(architecture));
                if let Some(name) = named {
                    hostile |= download.hostile;
                    tried.entry(name).or_insert(step.node);
                }
            } else if step.command.path().contains('/')
                && !step.command.path().starts_with("/usr/")
                && let Some(name) = architecture(step.command.path())
            {
                hostile = true;
                tried.entry(name).or_insert(step.node);
            }
        }
        if tried.len() < DIFFERENT || !hostile {
            return Vec::new();
        }
        vec![evidence(tried.into_values())]
    }
}

/// The architecture that a file's name ends in.
fn architecture(name: &str) -> Option<&'static str> {
    let end = name.rsplit(['.', '-', '/']).next()?;
    ARCHITECTURES.iter().copied().find(|it| it.eq_ignore_ascii_case(end))
}
