//! a host's events in the lake → its processes as a tree, as `connect` links them: what was seen, what was inferred.
//!
//! Deliberately absent: how it is drawn. Nothing recurses: a hostile log makes chains of any length.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::Timestamp;
use ringleader_pipeline::collect::rows::Bucket;
use ringleader_pipeline::connect::{HostGraph, ParentStatus, Process, connect};

use super::super::{Lake, Window};
use super::question::{of_host, quoted};
use super::{Answer, Bounds, Cell, Column, HuntError};

/// Events of one host that are put together.
const MAX_EVENTS: usize = 8_000_000;
/// Names under which a host is looked for.
const NAMES: usize = 64;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TreeConfig {
    pub host: String,
    /// What started within; and whatever it hangs from.
    pub window: Window,
    /// Only branches on which this stands: part of a path or command, in any case.
    pub about: Option<String>,
    pub pid: Option<u32>,
    /// Nodes that are handed on; those left are counted.
    pub nodes: Option<usize>,
}

/// Trees of one host, or of several that bear the name in different tenants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// The names it has in the lake.
    pub hosts: Vec<String>,
    /// Parents before children, in order of start.
    pub nodes: Vec<TreeNode>,
    /// Processes of the host, shown or not.
    pub processes: usize,
    /// Nodes that there was no room for.
    pub left: usize,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TreeNode {
    pub host: String,
    pub depth: usize,
    /// The last of its parent's children; of each ancestor the same, root first.
    pub last: Vec<bool>,
    pub uid: String,
    pub parent_uid: Option<String>,
    /// Of its start, where that was logged.
    pub event_id: Option<String>,
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    pub pid: Option<u32>,
    pub ppid: Option<u32>,
    pub account: Option<String>,
    pub file_path: Option<String>,
    pub cmd_line: Option<String>,
    /// It must have run, and its start was not logged.
    pub inferred: bool,
    /// What is known of its parent's event.
    pub parent_status: &'static str,
    /// How the link to the parent was made.
    pub link: &'static str,
    /// So many siblings in a row were this one to the letter, without children; it stands for all.
    pub alike: usize,
}

/// Depth up to which `last` is kept: what is drawn of it has a width.
const DRAWN: usize = 64;

impl Lake {
    /// A host's processes as they hang together.
    pub fn tree(&self, config: &TreeConfig, bounds: &Bounds) -> Result<Tree, HuntError> {
        let names = self.names_of(&config.host, bounds)?;
        let mut tree = Tree::default();
        if names.is_empty() {
            return Ok(tree);
        }
        // What a process hangs from may have started long before: only the end of the window bounds what is read.
        let buckets = self.buckets(Window { since: None, until: config.window.until })?;
        let formats = crate::Buckets::formats(&buckets);
        let mut bucket = buckets.load_hosts(&names, MAX_EVENTS)?;
        crate::analyze::unify_hosts(&mut bucket);
        let format_of = |source: u32| formats.get(source as usize).copied().unwrap_or(u32::MAX);
        let graphs = connect(&mut bucket, &format_of);
        tree.hosts = names.into_iter().collect();
        for graph in &graphs {
            add(&mut tree, &bucket, graph, config);
        }
        Ok(tree)
    }

    /// The names in the lake that the name given may mean.
    fn names_of(&self, host: &str, bounds: &Bounds) -> Result<BTreeSet<String>, HuntError> {
        let mut names = Names::default();
        // An address may stand in anybody's flows: here only the host that bears it counts.
        let is = match host.parse::<std::net::IpAddr>() {
            Ok(_) => format!("(host_uid = {0} OR host_ip = {0})", quoted(&host.to_lowercase())),
            Err(_) => of_host(host),
        };
        let sql = format!(
            "SELECT DISTINCT host_uid FROM events WHERE host_uid IS NOT NULL AND sensor_role <> 'network_sensor' AND {is}"
        );
        self.ask(&sql, None, &Bounds { rows: Some(NAMES), ..*bounds }, &mut names)?;
        Ok(names.0)
    }
}

#[derive(Default)]
struct Names(BTreeSet<String>);

impl Answer for Names {
    fn columns(&mut self, _: &[Column]) -> std::io::Result<()> {
        Ok(())
    }
    fn row(&mut self, cells: &[Cell<'_>]) -> std::io::Result<()> {
        if let [Cell::Text(name)] = cells {
            self.0.insert(name.clone().into_owned());
        }
        Ok(())
    }
}

/// Adds one host's processes, as far as they are asked for and there is room.
fn add(tree: &mut Tree, bucket: &Bucket, graph: &HostGraph, config: &TreeConfig) {
    let processes = &graph.processes;
    tree.processes += processes.len();
    let wanted = wanted(bucket, graph, config);
    let mut children: BTreeMap<Option<u32>, Vec<u32>> = BTreeMap::new();
    for (at, process) in (0u32..).zip(processes) {
        if wanted[at as usize] {
            children.entry(process.parent).or_default().push(at);
        }
    }
    let started = |it: &u32| (began(graph, bucket, *it), *it);
    for list in children.values_mut() {
        list.sort_by_cached_key(started);
    }
    // What is still to do: a process, its depth, whether siblings follow, how many are like it.
    let mut stack: Vec<(u32, usize, bool, usize)> = Vec::new();
    let push = |of: Option<u32>, depth: usize, stack: &mut Vec<(u32, usize, bool, usize)>| {
        let groups = alike(processes, &children, children.get(&of).map_or(&[], Vec::as_slice));
        let n = groups.len();
        stack.extend(groups.into_iter().enumerate().rev().map(|(nth, (at, same))| (at, depth, nth + 1 == n, same)));
    };
    push(None, 0, &mut stack);
    let mut last: Vec<bool> = Vec::new();
    while let Some((at, depth, is_last, same)) = stack.pop() {
        push(Some(at), depth + 1, &mut stack);
        if config.nodes.is_some_and(|it| tree.nodes.len() >= it) {
            tree.left += same;
            continue;
        }
        last.truncate(depth.min(DRAWN));
        if depth < DRAWN {
            last.push(is_last);
        }
        tree.nodes.push(node(bucket, graph, at, depth, &last, same));
    }
}

/// Which processes are shown: those that are asked for, what they hang from, and, where something of a branch is
/// asked for, what hangs from them.
fn wanted(bucket: &Bucket, graph: &HostGraph, config: &TreeConfig) -> Vec<bool> {
    let processes = &graph.processes;
    let about = config.about.as_ref().map(|it| it.to_lowercase());
    let mut all = vec![false; processes.len()];
    let mut meant = vec![false; processes.len()];
    for (at, process) in processes.iter().enumerate() {
        let time = began(graph, bucket, at as u32);
        let in_time = (config.window.since.is_none() && config.window.until.is_none())
            || time.is_some_and(|it| {
                config.window.since.is_none_or(|since| since <= it)
                    && config.window.until.is_none_or(|until| it < until)
            });
        let named = about.as_ref().is_none_or(|about| {
            [process.file_path, process.cmd_line]
                .iter()
                .any(|it| bucket.strings.get(*it).to_lowercase().contains(about))
        });
        let by_pid = config.pid.is_none_or(|it| process.pid == Some(it));
        meant[at] = in_time && named && by_pid;
    }
    let focused = config.about.is_some() || config.pid.is_some();
    for at in 0..processes.len() {
        if meant[at] {
            mark_above(processes, at, &mut all);
        } else if focused && is_below(processes, at, &meant) {
            all[at] = true;
        }
    }
    all
}

/// Marks a process and all that it hangs from; stops where that was done before.
fn mark_above(processes: &[Process], at: usize, all: &mut [bool]) {
    let mut next = Some(at as u32);
    while let Some(at) = next {
        // Something marked hangs from what is marked: `connect` makes no cycles, and this would end on one.
        if std::mem::replace(&mut all[at as usize], true) {
            return;
        }
        next = processes[at as usize].parent;
    }
}

/// Levels up to which a branch belongs to what is asked for.
const BELOW: usize = 64;

fn is_below(processes: &[Process], at: usize, meant: &[bool]) -> bool {
    let above = std::iter::successors(processes[at].parent, |it| processes[*it as usize].parent);
    above.take(BELOW).any(|it| meant[it as usize])
}

/// When it started; one that was inferred, before the first that it did.
fn began(graph: &HostGraph, bucket: &Bucket, at: u32) -> Option<Timestamp> {
    let process = &graph.processes[at as usize];
    process.start.or_else(|| process.deeds.iter().filter_map(|it| bucket.rows[*it as usize].time).min())
}

/// Siblings in a row that are alike and have no children stand for one another.
fn alike(processes: &[Process], children: &BTreeMap<Option<u32>, Vec<u32>>, list: &[u32]) -> Vec<(u32, usize)> {
    let mut groups: Vec<(u32, usize)> = Vec::new();
    let is_leaf = |it: u32| !children.contains_key(&Some(it));
    for at in list {
        if let Some((first, n)) = groups.last_mut() {
            let (a, b) = (&processes[*first as usize], &processes[*at as usize]);
            let same = (a.cmd_line, a.file_path, a.user, a.inferred) == (b.cmd_line, b.file_path, b.user, b.inferred);
            if same && is_leaf(*first) && is_leaf(*at) {
                *n += 1;
                continue;
            }
        }
        groups.push((*at, 1));
    }
    groups
}

fn node(bucket: &Bucket, graph: &HostGraph, at: u32, depth: usize, last: &[bool], alike: usize) -> TreeNode {
    let process = &graph.processes[at as usize];
    let text = |sym| ringleader_pipeline::connect::text(bucket, sym).map(str::to_owned);
    let uid = |it: &Process| it.uid.to_string();
    TreeNode {
        host: bucket.strings.get(graph.host).to_owned(),
        depth,
        last: last.to_vec(),
        uid: uid(process),
        parent_uid: process.parent.map(|it| uid(&graph.processes[it as usize])),
        event_id: process.starts.first().map(|it| bucket.rows[*it as usize].id.to_string()),
        start: began(graph, bucket, at),
        end: process.end,
        pid: process.pid,
        ppid: process.ppid,
        account: text(process.user),
        file_path: text(process.file_path),
        cmd_line: text(process.cmd_line),
        inferred: process.inferred,
        parent_status: if process.parent.is_none() && process.status == ParentStatus::Observed {
            ParentStatus::Unresolved.name()
        } else {
            process.status.name()
        },
        link: process.how.name(),
        alike,
    }
}

#[cfg(test)]
mod tests {
    use ringleader_model::{Activity, Event, EventClass, EventId, Field};
    use ringleader_pipeline::collect::rows::Place;

    use super::*;

    /// pid, ppid, command; a second apart.
    fn tree(events: &[(u32, u32, &str)], config: &TreeConfig) -> Tree {
        let mut bucket = Bucket::default();
        for (n, (pid, ppid, line)) in (1i64..).zip(events) {
            let mut event = Event::new(EventClass::Process, Activity::Launch);
            (event.time, event.pid, event.ppid) = (Some(Timestamp::from_secs(n)), Some(*pid), Some(*ppid));
            event.set(Field::CmdLine, *line);
            event.set(Field::FilePath, line.split(' ').next());
            bucket.push(&event, EventId(n as u128), "web1", Place::default());
        }
        let graphs = connect(&mut bucket, &|_| 0);
        let mut tree = Tree::default();
        for graph in &graphs {
            add(&mut tree, &bucket, graph, config);
        }
        tree
    }

    fn lines(tree: &Tree) -> Vec<String> {
        let line =
            |it: &TreeNode| format!("{}{} ×{}", " ".repeat(it.depth), it.cmd_line.as_deref().unwrap_or("?"), it.alike);
        tree.nodes.iter().map(line).collect()
    }

    const EVENTS: [(u32, u32, &str); 6] = [
        (10, 1, "/bin/sh"),
        (11, 10, "/bin/ls a"),
        (12, 10, "/bin/ls a"),
        (13, 10, "/bin/sh -c x"),
        (14, 13, "/usr/bin/wget x"),
        (20, 1, "/usr/sbin/cron"),
    ];

    #[test]
    fn parents_stand_before_children_and_what_is_alike_is_one() {
        let all = tree(&EVENTS, &TreeConfig::default());
        let shell: Vec<String> = lines(&all).into_iter().filter(|it| !it.contains('?')).collect();
        assert!(shell.join("\n").contains("/bin/ls a ×2"), "{shell:?}");
        let at = |text: &str| shell.iter().position(|it| it.contains(text)).unwrap();
        assert!(at("/bin/sh ×") < at("ls a") && at("ls a") < at("sh -c") && at("sh -c") < at("wget"), "{shell:?}");
        let cut = tree(&EVENTS, &TreeConfig { nodes: Some(2), ..TreeConfig::default() });
        assert_eq!(cut.nodes.len(), 2);
        assert_eq!(cut.nodes.iter().map(|it| it.alike).sum::<usize>() + cut.left, all.processes);
    }

    #[test]
    fn a_branch_is_shown_with_what_it_hangs_from_and_what_hangs_from_it() {
        let config = TreeConfig { about: Some("SH -C".into()), ..TreeConfig::default() };
        let lines = lines(&tree(&EVENTS, &config)).join("\n");
        assert!(lines.contains("wget") && lines.contains("/bin/sh ×"), "{lines}");
        assert!(!lines.contains("ls a") && !lines.contains("cron"), "{lines}");
        let at = |secs: i64| Some(Timestamp::from_secs(secs));
        let window = Window { since: at(5), until: at(6) };
        let lines = self::lines(&tree(&EVENTS, &TreeConfig { window, ..TreeConfig::default() })).join("\n");
        assert!(lines.contains("wget") && lines.contains("sh -c") && !lines.contains("cron"), "{lines}");
    }

    #[test]
    fn a_chain_of_any_length_ends() {
        let events: Vec<(u32, u32, &str)> = (2..30_000).map(|it| (it, it - 1, "/bin/x")).collect();
        let tree = tree(&events, &TreeConfig::default());
        assert!(tree.nodes.len() >= 29_998);
        assert!(tree.nodes.iter().all(|it| it.last.len() <= DRAWN));
    }
}
