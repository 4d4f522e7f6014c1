//! An episode → its background, if one look at each of its texts shows that nothing in it is worth a second.
//!
//! Deliberately absent: any judgement of its own. It says "plain" only where the long way would come to the same.

use ringleader_model::IndicatorKind;

use super::words::Words;
use super::work::{path_below, path_of};
use super::{Host, Labeller, RECORDED_NODES, feature_hash};
use crate::connect::HostGraph;
use crate::connect::episodes::Episode;
use crate::label::{Signs, tree};
use crate::merge::sketch::{BackgroundFacts, Key};

/// Working memory, kept from episode to episode.
#[derive(Default)]
pub(super) struct Scratch {
    /// Where in its episode a process of the host stands.
    place: Vec<u32>,
    spots: Vec<Spot>,
    features: Vec<u64>,
}

/// Of one node: its path, and that of the node above; 0 where it is no part of a path.
#[derive(Clone, Copy)]
struct Spot {
    path: Key,
    above: Option<Key>,
    fragment: bool,
}

impl Scratch {
    /// The template paths of the episode that was seen last.
    pub(super) fn paths(&self) -> impl Iterator<Item = Key> + '_ {
        self.spots.iter().map(|it| it.path).filter(|it| *it != 0)
    }
}

impl Labeller<'_> {
    pub(super) fn plain(
        &mut self,
        words: &mut Words<'_>,
        graph: &HostGraph,
        episode: &Episode,
        host: &Host<'_>,
    ) -> Option<BackgroundFacts> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let plain = self.look(&mut scratch, words, graph, episode, host);
        self.scratch = scratch;
        plain
    }

    fn look(
        &mut self,
        scratch: &mut Scratch,
        words: &mut Words<'_>,
        graph: &HostGraph,
        episode: &Episode,
        host: &Host<'_>,
    ) -> Option<BackgroundFacts> {
        let members = &episode.members[..episode.members.len().min(RECORDED_NODES)];
        scratch.place.resize(scratch.place.len().max(graph.processes.len()), 0);
        scratch.spots.clear();
        scratch.features.clear();
        let strings = &words.bucket().strings;
        let mut facts = BackgroundFacts::default();
        let mut notable = false;
        let mut script = false;
        for (at, member) in members.iter().enumerate() {
            let process = &graph.processes[*member as usize];
            if process.honeypot || !process.deeds.is_empty() {
                return None;
            }
            let image = words.image(process.file_path);
            let brief = words.brief(self, process);
            if brief.joins || (brief.has_features && !host.signals.is_empty()) {
                return None;
            }
            notable |= brief.notable;
            script |= !process.inferred && brief.script;
            facts.n_indicator_edges += u64::from(brief.n_indicators);
            if brief.has_features {
                scratch.features.extend(&words.said(self, process).features);
            }
            if image.foreign {
                scratch.features.push(feature_hash(IndicatorKind::FilePath, strings.hash(process.file_path)));
            }
            let parent = process.parent.and_then(|it| {
                let place = scratch.place[it as usize] as usize;
                (place < at && members[place] == it).then(|| scratch.spots[place])
            });
            let session = image.session;
            let fragment =
                parent.is_some_and(|it| it.fragment) || (process.inferred && process.cmd_line == 0 && !session);
            let above = parent.and_then(|it| if it.path == 0 { it.above } else { Some(it.path) });
            let path = match above {
                _ if session => 0,
                Some(above) => path_below(above, brief.template_hash),
                None if fragment => path_of(None, words.said(self, process), true),
                None => brief.root,
            };
            if host.hits.at_start(process) || self.shows(words, graph, process, brief.hides) {
                return None;
            }
            scratch.place[*member as usize] = at as u32;
            scratch.spots.push(Spot { path, above, fragment });
            if process.inferred {
                facts.n_inferred += 1;
            } else {
                facts.n_processes += 1;
            }
        }
        if notable && (script && facts.n_processes <= 1 || self.may_show(words, graph, members)) {
            return None;
        }
        if scratch.features.len() > 1 {
            scratch.features.sort_unstable();
            scratch.features.dedup();
        }
        facts.n_features = scratch.features.len() as u64;
        Some(facts)
    }

    /// Whether the commands of these processes together can show a tree pattern.
    fn may_show(&mut self, words: &mut Words<'_>, graph: &HostGraph, members: &[u32]) -> bool {
        let mut signs = Signs::default();
        for member in members {
            let process = &graph.processes[*member as usize];
            // Of an unlogged process the image is all that is known to have run.
            let sym = if process.inferred || process.cmd_line == 0 { process.file_path } else { process.cmd_line };
            let windows = tree::is_windows_path(words.text(process.file_path).or(words.text(sym)).unwrap_or(""));
            signs.add(words.text_said(self, sym).signs(windows));
        }
        signs.may_show()
    }
}
