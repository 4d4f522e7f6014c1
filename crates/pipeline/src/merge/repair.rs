//! campaign + one of its episodes → the processes that ran there and were not logged.
//!
//! The second pass: against the merged graph, episode by episode. Never counted back.

use std::collections::BTreeSet;

use ringleader_model::findings::{Grade, ParentStatus};

use super::campaigns::Campaign;
use super::record::EpisodeRecord;
use super::sketch::Key;

/// Fewer comparable episodes than this prove nothing.
const LEAST_SIBLINGS: u64 = 3;
/// A statistical repair is reported from this confidence on (thousandths).
const REPORT: u64 = 500;
const ONE: u64 = 1000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    pub node: Key,
    pub parent_node: Option<Key>,
    pub template: String,
    pub file_path: Option<String>,
    pub grade: Grade,
    pub child_event: Option<u128>,
    pub parent_event: Option<u128>,
    pub siblings: u64,
    pub support: u64,
    pub confidence_permille: u16,
    pub not_before: Option<i64>,
    pub not_after: Option<i64>,
}

/// Everything that is missing from the episode. Optional steps are not invented: a step that half of the complete
/// siblings skip has a confidence of a half at most.
///
/// Cost: O(nodes of the campaign).
pub fn repairs(campaign: &Campaign, episode: &EpisodeRecord) -> Vec<Repair> {
    let loss = Loss::of(campaign, episode);
    let mut found = structural(campaign, episode, &loss);
    let present: BTreeSet<Key> =
        episode.nodes.iter().map(|it| campaign.resolve(it.path)).chain(found.iter().map(|it| it.node)).collect();
    for (path, node) in &campaign.nodes {
        if node.fragment || node.observed == 0 || present.contains(path) {
            continue;
        }
        // Comparable episodes are those that show what is above it; for an entry, all of them.
        let siblings = match node.parent {
            None => campaign.episodes,
            Some(parent) if present.contains(&parent) => {
                campaign.nodes.get(&parent).map_or(0, |it| it.episodes).max(node.episodes)
            }
            Some(_) => continue,
        };
        if siblings < LEAST_SIBLINGS {
            continue;
        }
        let confidence = loss.ran_unseen(node.episodes, siblings);
        if confidence < REPORT {
            continue;
        }
        let above = episode.nodes.iter().find(|it| Some(campaign.resolve(it.path)) == node.parent);
        found.push(Repair {
            node: *path,
            parent_node: node.parent,
            template: node.template.clone(),
            file_path: None,
            grade: Grade::Statistical,
            child_event: None,
            parent_event: above.and_then(|it| it.members.first()).map(|it| it.event),
            siblings,
            support: node.episodes,
            confidence_permille: u16::try_from(confidence).unwrap_or(1000),
            not_before: above.and_then(|it| it.start),
            not_after: above.and_then(|it| it.end),
        });
    }
    found.sort_by_key(|it| (it.node, it.child_event));
    found
}

/// An unlogged parent that a logged child proves. Not a fork that never exec'd, nor a process from before the log.
fn structural(campaign: &Campaign, episode: &EpisodeRecord, loss: &Loss) -> Vec<Repair> {
    let mut found = Vec::new();
    for (index, node) in episode.nodes.iter().enumerate().filter(|(_, it)| it.inferred && it.members.is_empty()) {
        let child = episode
            .nodes
            .iter()
            .find(|it| it.parent == Some(index as u32) && !it.inferred && it.status == ParentStatus::Missing);
        let Some(child) = child else { continue };
        let path = campaign.resolve(node.path);
        let known = campaign.nodes.get(&path);
        let support = known.map_or(0, |it| it.episodes);
        let aligned = known.is_some_and(|it| it.observed > 0);
        // The child's own record names a parent that was never logged. What can be wrong is that it had started
        // before the log, or never exec'd: less likely the more the host is known to lose.
        let confidence = if aligned { 990 } else { 900 + loss.host / 12 };
        found.push(Repair {
            node: path,
            parent_node: known.and_then(|it| it.parent),
            template: known.map_or_else(String::new, |it| it.template.clone()),
            file_path: node.file_path.clone(),
            grade: Grade::Structural,
            child_event: child.members.first().map(|it| it.event),
            parent_event: child.ancestor_event,
            siblings: campaign.episodes,
            support,
            confidence_permille: u16::try_from(confidence.min(ONE)).unwrap_or(1000),
            not_before: None,
            not_after: child.start,
        });
    }
    found
}

/// Loss rates in thousandths, from links whose parent's event is missing.
struct Loss {
    host: u64,
    fleet: u64,
}

impl Loss {
    fn of(campaign: &Campaign, episode: &EpisodeRecord) -> Self {
        let observed: u64 = campaign.nodes.values().map(|it| it.observed).sum();
        let inferred: u64 = campaign.nodes.values().map(|it| it.inferred).sum();
        // One lost link in none seen is not "no loss": add-one smoothing.
        let rate = |missing: u64, all: u64| ((missing * ONE + ONE / 2) / (all + 1)).min(950);
        Self { host: rate(episode.host_missing, episode.host_links), fleet: rate(inferred, observed + inferred) }
    }

    /// The probability (thousandths) that a step ran where it was not seen. `q`, the share of episodes that really
    /// run it, is the share that shows it, corrected for what sensors lose; then Bayes: it ran and was lost, or it
    /// did not run.
    fn ran_unseen(&self, support: u64, siblings: u64) -> u64 {
        let shown = (support + 1) * ONE / (siblings + 2);
        let q = (shown * ONE / (ONE - self.fleet).max(1)).min(995);
        let ran_and_lost = q * self.host;
        let did_not_run = (ONE - q) * ONE;
        ran_and_lost * ONE / (ran_and_lost + did_not_run).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_half_of_the_siblings_skip_is_not_invented() {
        let loss = Loss { host: 300, fleet: 300 };
        assert!(loss.ran_unseen(50, 100) < 500, "{}", loss.ran_unseen(50, 100));
        assert!(loss.ran_unseen(70, 100) > 900, "all that were not lost show it: {}", loss.ran_unseen(70, 100));
        let lossless = Loss { host: 1, fleet: 1 };
        assert!(lossless.ran_unseen(97, 100) < 100, "a sensor that loses nothing has seen that it did not run");
    }
}
