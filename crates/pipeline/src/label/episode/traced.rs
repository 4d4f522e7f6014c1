//! what suspicious episodes of a host put there → later episodes that run it. Persistence is traced through what was
//! written, across boundaries: cron is never how they got in.
//!
//! Deliberately absent: programs of the system, and files that an intruder merely ran.

use std::collections::HashSet;

use ringleader_model::hash::hash64;
use ringleader_model::{Context, IndicatorKind};

use super::Labeller;
use super::words::Words;
use crate::connect::HostGraph;
use crate::connect::boundary::is_system_path;
use crate::connect::episodes::Episode;
use crate::label::paths::is_dropzone;
use crate::merge::record::EpisodeRecord;

/// Paths that are remembered of one host.
const PATHS: usize = 1 << 14;
/// Paths of one cron entry.
const ENTRY_PATHS: usize = 4;

/// Files and folders that intruders made, of one host, in the order of time.
#[derive(Default)]
pub struct Traced {
    files: HashSet<u64>,
    folders: HashSet<u64>,
    /// Files among the programs of the system.
    programs: HashSet<u64>,
}

impl Traced {
    /// Remembers what a suspicious episode put on the host.
    pub(super) fn add(&mut self, record: &EpisodeRecord) {
        if !record.suspicious || record.honeypot {
            return;
        }
        for node in &record.nodes {
            if let Some(image) = node.file_path.as_deref().filter(|it| is_dropzone(it)) {
                self.put(image);
            }
            for (kind, context, path) in &node.indicators {
                match (kind, context) {
                    (IndicatorKind::FilePath, Context::Written | Context::Downloaded) => self.put(path),
                    (IndicatorKind::FilePath, Context::Executed) if is_dropzone(path) => self.put(path),
                    // What a cron entry names will be run.
                    (IndicatorKind::Cron, Context::Configured) => {
                        let paths = path.split([' ', ';', '&', '|', '>', '(', ')', '"', '\'']);
                        let own =
                            paths.filter(|it| it.starts_with('/') && !is_system_path(it) && !it.starts_with("/dev/"));
                        own.take(ENTRY_PATHS).for_each(|it| self.put(it));
                    }
                    _ => {}
                }
            }
        }
    }

    fn put(&mut self, path: &str) {
        if self.files.len() + self.programs.len() >= PATHS {
            return;
        }
        if is_system_path(path) {
            self.programs.insert(hash64(path.as_bytes()));
            return;
        }
        self.files.insert(hash64(path.as_bytes()));
        if let Some(folder) = own_folder(path) {
            self.folders.insert(hash64(folder.as_bytes()));
        }
    }

    fn has(&self, path: &str) -> bool {
        self.files.contains(&hash64(path.as_bytes()))
            || own_folder(path).is_some_and(|it| self.folders.contains(&hash64(it.as_bytes())))
    }

    /// Whether the episode runs what was put there before.
    pub(super) fn leads_to(
        &self,
        labeller: &mut Labeller<'_>,
        words: &mut Words<'_>,
        graph: &HostGraph,
        episode: &Episode,
    ) -> bool {
        if self.files.is_empty() && self.programs.is_empty() {
            return false;
        }
        episode.members.iter().take(super::RECORDED_NODES).any(|at| {
            let process = &graph.processes[*at as usize];
            let image = words.text(process.file_path).unwrap_or("");
            if words.image(process.file_path).foreign && self.has(image)
                || !self.programs.is_empty() && self.programs.contains(&hash64(image.as_bytes()))
            {
                return true;
            }
            words.brief(labeller, process).has_features
                && words.said(labeller, process).indicators.iter().any(|it| {
                    it.kind == IndicatorKind::FilePath && it.context == Context::Executed && self.has(&it.value)
                })
        })
    }
}

/// The folder of a file, where it is one that intruders make, and not one that everybody uses.
pub fn own_folder(path: &str) -> Option<&str> {
    let at = path.rfind(['/', '\\'])?;
    Some(&path[..at]).filter(|it| is_dropzone(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_and_its_hidden_folder_are_remembered_and_a_folder_of_everyone_is_not() {
        let mut traced = Traced::default();
        traced.put("/root/.x/a/init");
        traced.put("/tmp/ab");
        assert!(traced.has("/root/.x/a/init") && traced.has("/root/.x/a/upd") && traced.has("/tmp/ab"));
        assert!(!traced.has("/root/.x/b/upd") && !traced.has("/tmp/other") && !traced.has("upd"));
    }
}
