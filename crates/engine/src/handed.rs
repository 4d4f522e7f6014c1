//! a host's records → which episodes ran a file that another one had put there: what persistence starts is traced
//! through what was written, across boundaries.
//!
//! The last one that put it there before the run is meant: on a host that two gangs took, each may write the same name.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::{Context, IndicatorKind};
use ringleader_pipeline::connect::boundary::is_system_path;
use ringleader_pipeline::connect::link::base_name;
use ringleader_pipeline::label::episode::own_folder;
use ringleader_pipeline::merge::Sketch;
use ringleader_pipeline::merge::record::{EpisodeRecord, NodeRecord};

/// Everybody runs what lies there, whoever put it there.
const EVERYBODYS: &[&str] = &[
    "/bin/",
    "/sbin/",
    "/usr/bin/",
    "/usr/sbin/",
    "/lib/",
    "/lib64/",
    "/usr/lib/",
    "/usr/libexec/",
    "/etc/update-motd.d/",
    "/etc/cron.hourly/0anacron",
];
/// A name that is shorter is no name.
const NAME: usize = 4;

/// When, and by which group.
type Puts<'r> = BTreeMap<&'r str, BTreeSet<(i64, u128)>>;

pub(crate) fn hand_over(sketch: &mut Sketch, records: &[EpisodeRecord], host: u64) {
    if records.len() < 2 {
        return;
    }
    let (files, folders) = puts(records);
    let mut handed: BTreeSet<(u128, u128, &str)> = BTreeSet::new();
    for record in records {
        for (path, time) in record.nodes.iter().flat_map(ran) {
            if EVERYBODYS.iter().any(|it| path.starts_with(it)) {
                continue;
            }
            let last = |puts: &Puts<'_>, name: &str| last_before(puts.get(name)?, record.group, time);
            // A relative path is the same file by its name.
            let by_name = || Some(base_name(path)).filter(|it| it.len() >= NAME && is_relative(path));
            let by_file = last(&files, path).or_else(|| last(&files, by_name()?));
            let by_folder = own_folder(path).and_then(|it| last(&folders, it));
            for from in [by_file, by_folder].into_iter().flatten() {
                handed.insert((from, record.group, path));
            }
        }
    }
    for (a, b, path) in handed {
        sketch.hand(a, b, path, host);
    }
}

/// Who put it there last, before the group itself did; if it did, what it runs is its own.
fn last_before(puts: &BTreeSet<(i64, u128)>, group: u128, run: i64) -> Option<u128> {
    let own = puts.iter().find(|it| it.1 == group).map_or(run, |it| it.0.min(run));
    puts.range(..=(own, u128::MAX)).rev().map(|it| it.1).find(|it| *it != group)
}

/// The files that were put on the host, by path and by name; and the folders of their own that they lie in, or that
/// something was run from.
fn puts(records: &[EpisodeRecord]) -> (Puts<'_>, Puts<'_>) {
    let (mut files, mut folders) = (Puts::new(), Puts::new());
    for record in records {
        for node in &record.nodes {
            let put = (node.start.unwrap_or(i64::MIN), record.group);
            for (kind, context, path) in &node.indicators {
                if *kind != IndicatorKind::FilePath || !matches!(context, Context::Written | Context::Downloaded) {
                    continue;
                }
                files.entry(path).or_default().insert(put);
                if !is_system_path(path) {
                    files.entry(base_name(path)).or_default().insert(put);
                }
                if let Some(folder) = own_folder(path) {
                    folders.entry(folder).or_default().insert(put);
                }
            }
            for folder in ran(node).filter_map(|it| own_folder(it.0)) {
                folders.entry(folder).or_default().insert(put);
            }
        }
    }
    (files, folders)
}

/// `./x`, `a/x`, and `x` that no program of a system is called.
fn is_relative(path: &str) -> bool {
    !path.starts_with(['/', '\\', '~', '%', '$']) && path.get(1..2) != Some(":") && !is_system_path(path)
}

/// Programs and scripts that the process ran, and when.
fn ran(node: &NodeRecord) -> impl Iterator<Item = (&str, i64)> {
    let scripts = node.indicators.iter().filter(|it| it.0 == IndicatorKind::FilePath && it.1 == Context::Executed);
    // An image of which only the name is known may lie anywhere.
    let image = node.file_path.as_deref().filter(|it| it.contains(['/', '\\']));
    let paths = image.into_iter().chain(scripts.map(|it| it.2.as_str()));
    paths.map(|it| (it, node.start.unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use ringleader_model::findings::ParentStatus;

    use super::*;

    fn record(group: u128, start: i64, indicators: &[(Context, &str)]) -> EpisodeRecord {
        let node = NodeRecord {
            path: group,
            template: 0,
            fragment: false,
            uid: String::new(),
            parent: None,
            inferred: false,
            status: ParentStatus::Observed,
            parent_event: None,
            ancestor_event: None,
            file_path: Some("/bin/sh".to_owned()),
            start: Some(start),
            end: None,
            behaviours: Vec::new(),
            network_roles: Vec::new(),
            network: None,
            indicators: indicators.iter().map(|it| (IndicatorKind::FilePath, it.0, it.1.to_owned())).collect(),
            members: Vec::new(),
        };
        EpisodeRecord { group, nodes: vec![node], ..EpisodeRecord::default() }
    }

    fn handed(records: &[EpisodeRecord]) -> Vec<(u128, u128)> {
        let mut sketch = Sketch::default();
        hand_over(&mut sketch, records, 1);
        sketch.handed.keys().copied().collect()
    }

    #[test]
    fn who_wrote_it_last_handed_it_over() {
        use Context::{Executed, Written};
        let one = record(1, 10, &[(Written, "/tmp/kdev")]);
        let other = record(2, 20, &[(Written, "/tmp/kdev")]);
        let cron = record(3, 30, &[(Executed, "/tmp/kdev")]);
        assert_eq!(handed(&[one.clone(), cron.clone()]), [(1, 3)]);
        assert_eq!(handed(&[one.clone(), other, cron]), [(2, 3)], "two gangs use one name");
        let early = record(3, 5, &[(Executed, "/tmp/kdev")]);
        assert!(handed(&[one, early]).is_empty(), "it was not there yet");
    }

    #[test]
    fn to_run_the_same_is_no_hand_over() {
        use Context::{Executed, Written};
        let both = |group, start| record(group, start, &[(Executed, "/etc/cron.hourly/0anacron")]);
        assert!(handed(&[both(1, 10), both(2, 20)]).is_empty());
        let replaced = record(1, 10, &[(Written, "/bin/sh")]);
        assert!(handed(&[replaced, record(2, 20, &[])]).is_empty(), "everybody runs a shell");
    }

    #[test]
    fn what_runs_from_an_intruders_folder_is_its() {
        let one = record(1, 10, &[(Context::Executed, "/root/.x/a/init")]);
        let cron = record(2, 20, &[(Context::Executed, "/root/.x/a/upd")]);
        assert_eq!(handed(&[one, cron]), [(1, 2)]);
    }
}
