//! processes of one host → each one's parent, how the link was made, and what became of the parent's event.

use std::collections::HashMap;

use ringleader_model::Timestamp;
use ringleader_model::hash::ByHash;
use smallvec::SmallVec;

use super::boundary::{self, Role};
use super::{HostGraph, How, ParentStatus, Process, Uid, spread};
use crate::collect::rows::{Bucket, Sym};

/// A parent's start may be logged this much after its child's: sensors flush out of order.
const LATE_MICROS: i64 = 2_000_000;
/// How far back, in starts of one pid, an earlier image of an exec'ing process is looked for.
const EXEC_LOOK_BACK: usize = 4;
/// A fork that never exec'd sits this close, in pids and in time, to the logged process it was forked from.
const FORK_PIDS: u32 = 16;
const FORK_MICROS: i64 = 5_000_000;
/// Links that a host's loss is estimated from, and the fewest that tell anything.
const LOSS_SAMPLE: usize = 2000;
const LOSS_LINKS: usize = 20;
/// A lost process ran at most this long after the shell that started it.
const SOURCE_MICROS: i64 = 3_000_000;

/// Links every process of the graph; adds an inferred process for each parent that must have run and was not logged.
pub(super) fn link(graph: &mut HostGraph, names: &mut Names<'_>) {
    let bucket = names.bucket;
    let mut table = Table::of(graph);
    let logged = graph.processes.len();
    let found: Vec<Option<(u32, How)>> = (0..logged).map(|index| find(graph, names, &table, index)).collect();
    table.lossy = loses_events(graph, names, &table, &found);
    let mut inferred: HashMap<u64, u32, ByHash> = HashMap::default();
    for (index, found) in found.into_iter().enumerate() {
        match found {
            Some((parent, how)) if !makes_cycle(graph, index as u32, parent) => {
                let status = if graph.processes[parent as usize].inferred {
                    unlogged_status(graph, bucket, &table, index, parent)
                } else {
                    ParentStatus::Observed
                };
                let process = &mut graph.processes[index];
                (process.parent, process.how, process.status) = (Some(parent), how, status);
            }
            _ => unlogged_parent(graph, names, &table, &mut inferred, index),
        }
    }
    for index in 0..graph.processes.len() {
        if graph.processes[index].status != ParentStatus::Observed {
            graph.processes[index].ancestor = logged_ancestor(graph, index);
        }
    }
}

/// What was found out about the names of a bucket's programs: few, and asked for at every process.
pub(super) struct Names<'b> {
    bucket: &'b Bucket,
    roles: HashMap<Sym, Option<Role>, ByHash>,
    /// An image and what its child calls its parent.
    same: HashMap<u64, bool, ByHash>,
}

impl<'b> Names<'b> {
    pub(super) fn new(bucket: &'b Bucket) -> Self {
        Self { bucket, roles: HashMap::default(), same: HashMap::default() }
    }

    /// The role of the program of this name, wherever its file lies.
    fn role(&mut self, name: Sym) -> Option<Role> {
        *self.roles.entry(name).or_insert_with(|| boundary::role_of_name(self.bucket.strings.get(name)))
    }

    /// As `agrees`.
    fn agree(&mut self, process: &Process, name: Sym) -> bool {
        let image = process.file_path;
        let same = self.same.entry(spread(image, name)).or_insert_with(|| {
            let strings = &self.bucket.strings;
            image != 0 && is_named(base_name(strings.get(image)), base_name(strings.get(name)))
        });
        *same || agrees(self.bucket, process, name)
    }
}

struct Table {
    guids: HashMap<Sym, u32, ByHash>,
    /// (pid, start, process), sorted: the latest earlier start is a binary search away.
    starts: Vec<(u32, Option<Timestamp>, u32)>,
    /// The pid of the first process that was logged: on Linux, pids count up from there.
    first_pid: Option<u32>,
    /// The sensor lost so much of this host that a parent without an event is more likely lost than never logged.
    lossy: bool,
}

impl Table {
    fn of(graph: &HostGraph) -> Self {
        let guids =
            graph.processes.iter().zip(0u32..).filter(|(it, _)| it.guid != 0).map(|(it, at)| (it.guid, at)).collect();
        let mut starts: Vec<_> =
            graph.processes.iter().zip(0u32..).filter_map(|(it, at)| Some((it.pid?, it.start, at))).collect();
        starts.sort_unstable();
        Self { guids, starts, first_pid: graph.processes.iter().find_map(|it| it.pid), lossy: false }
    }
}

/// Programs that run others as they are, with an event of their own, are missed only where their event was lost.
fn loses_events(graph: &HostGraph, names: &mut Names<'_>, table: &Table, found: &[Option<(u32, How)>]) -> bool {
    let bucket = names.bucket;
    let mut execs = |it: &Process| {
        let name = base_name(bucket.strings.get(it.parent_name));
        it.ppid.is_some_and(|it| it > 1) && !name.is_empty() && !is_shell(name) && names.role(it.parent_name).is_none()
    };
    let (mut links, mut lost) = (0, 0);
    for (process, found) in graph.processes.iter().zip(found).filter(|(it, _)| execs(it)).take(LOSS_SAMPLE) {
        let before_log = matches!((process.ppid, table.first_pid), (Some(ppid), Some(first)) if ppid < first);
        links += usize::from(found.is_some() || !before_log);
        lost += usize::from(found.is_none() && !before_log);
    }
    links >= LOSS_LINKS && lost * 20 >= links
}

fn find(graph: &HostGraph, names: &mut Names<'_>, table: &Table, index: usize) -> Option<(u32, How)> {
    let child = &graph.processes[index];
    if child.parent_guid != 0 {
        // The sensor knows its own ids: where it names one that was not logged, the pid must not guess another.
        let parent = table.guids.get(&child.parent_guid).copied().filter(|it| *it as usize != index);
        return parent.map(|it| (it, How::Guid));
    }
    let ppid = child.ppid?;
    if child.pid == Some(ppid) {
        return None;
    }
    let end = table.starts.partition_point(|it| (it.0, it.1) <= (ppid, child.start));
    let earlier = table.starts[..end].iter().rev().take_while(|it| it.0 == ppid).take(EXEC_LOOK_BACK);
    let named = (child.parent_name != 0).then_some(child.parent_name);
    let mut newest = None;
    for (_, _, at) in earlier {
        let candidate = &graph.processes[*at as usize];
        if *at as usize == index || ended_before(candidate, child.start) {
            continue;
        }
        match named {
            None => return Some((*at, How::Pid)),
            Some(name) if names.agree(candidate, name) => return Some((*at, How::PidAndImage)),
            // Another image with this pid: an exec of the same process is searched for further back, a reused
            // pid is not.
            Some(_) if newest.is_none_or(|it: u32| graph.processes[it as usize].ppid == candidate.ppid) => {
                newest = Some(*at);
            }
            Some(_) => break,
        }
    }
    let (_, start, at) = *table.starts.get(end).filter(|it| it.0 == ppid)?;
    let late = start?.0 - child.start?.0 <= LATE_MICROS;
    let candidate = &graph.processes[at as usize];
    let named_so = named.is_some_and(|name| names.agree(candidate, name));
    (late && named_so && at as usize != index).then_some((at, How::PidLate))
}

fn ended_before(process: &Process, time: Option<Timestamp>) -> bool {
    matches!((process.end, time), (Some(end), Some(time)) if end.0 + LATE_MICROS < time.0)
}

/// Whether the process is the image that its child calls its parent. Sensors name it by path, by file name, by
/// the kernel's 15 characters, or by what stands in argv[0].
fn agrees(bucket: &Bucket, process: &Process, name: Sym) -> bool {
    let name = base_name(bucket.strings.get(name));
    let of = |sym: Sym| if sym == 0 { "" } else { bucket.strings.get(sym) };
    let image = base_name(of(process.file_path));
    let argv0 = base_name(of(process.cmd_line).split_ascii_whitespace().next().unwrap_or(""));
    is_named(image, name)
        || is_named(argv0.trim_start_matches('-').trim_end_matches(':'), name)
        || (image.is_empty() && argv0.is_empty())
}

fn is_named(it: &str, name: &str) -> bool {
    !it.is_empty() && (it.eq_ignore_ascii_case(name) || (name.len() == 15 && it.len() > 15 && it.starts_with(name)))
}

/// The last component of a path, Unix or Windows.
pub fn base_name(path: &str) -> &str {
    let name = memchr::memrchr2(b'/', b'\\', path.as_bytes()).map_or(path, |at| &path[at + 1..]);
    name.trim_matches('"')
}

/// Following parents from `parent` must not lead back to `child`. Only links between equal or disordered times
/// can, so the walk is short; it is bounded all the same.
fn makes_cycle(graph: &HostGraph, child: u32, parent: u32) -> bool {
    let mut at = parent;
    for _ in 0..10_000 {
        if at == child {
            return true;
        }
        let node = &graph.processes[at as usize];
        if node.start < graph.processes[child as usize].start {
            return false;
        }
        match node.parent {
            Some(up) => at = up,
            None => return false,
        }
    }
    true
}

/// What became of the start of a parent that only its deeds prove.
fn unlogged_status(graph: &HostGraph, bucket: &Bucket, table: &Table, index: usize, parent: u32) -> ParentStatus {
    let child = &graph.processes[index];
    let name = if child.parent_name != 0 { child.parent_name } else { graph.processes[parent as usize].file_path };
    let role = boundary::role_of_name(bucket.strings.get(name));
    if started_before_log(graph, table, index, role) { ParentStatus::BeforeLog } else { ParentStatus::Missing }
}

fn unlogged_parent(
    graph: &mut HostGraph,
    names: &mut Names<'_>,
    table: &Table,
    inferred: &mut HashMap<u64, u32, ByHash>,
    index: usize,
) {
    let bucket = names.bucket;
    let child = &graph.processes[index];
    let role = names.role(child.parent_name);
    match child.ppid {
        Some(0) => graph.processes[index].status = ParentStatus::Root,
        None if child.parent_guid == 0 && child.parent_name == 0 => {}
        // A process cannot be its own parent: the record is wrong, and says nothing of the true one.
        ppid if ppid.is_some() && ppid == child.pid => {}
        Some(1) => {
            // Adopted, unless init is what starts such a thing, or the record itself says who the parent is.
            let says_init = child.parent_name == 0 || role == Some(Role::Init);
            let image = bucket.strings.get(child.file_path);
            let service = boundary::is_system_path(image) || image.is_empty();
            graph.processes[index].status =
                if says_init && service { ParentStatus::BeforeLog } else { ParentStatus::Reparented };
        }
        ppid => {
            let forked_from = ppid.and_then(|ppid| fork_source(graph, bucket, table, index, ppid));
            let before_log = || started_before_log(graph, table, index, role);
            let status = if forked_from.is_some() {
                ParentStatus::Forked
            } else if before_log() {
                ParentStatus::BeforeLog
            } else {
                ParentStatus::Missing
            };
            let named = if child.parent_guid == 0 { child.parent_name } else { child.parent_guid };
            let key = spread(ppid.unwrap_or(0), named);
            let above = forked_from.or_else(|| {
                // Where much is lost, the shell that did start it is as likely lost itself.
                let lost = status == ParentStatus::Missing && !table.lossy;
                ppid.filter(|_| lost).and_then(|ppid| likely_source(graph, bucket, table, index, ppid))
            });
            let parent = *inferred.entry(key).or_insert_with(|| add_inferred(graph, index, ppid, above));
            let child = &mut graph.processes[index];
            child.status = status;
            // A reused pid: the stranger inferred for an earlier child is another process.
            child.parent = Some(parent);
            child.how = How::Inferred;
        }
    }
}

fn add_inferred(graph: &mut HostGraph, child: usize, ppid: Option<u32>, forked_from: Option<u32>) -> u32 {
    let index = graph.processes.len() as u32;
    let child = &graph.processes[child];
    let uid = Uid::Inferred(ringleader_model::hash::hash128(&child.uid.number().to_le_bytes(), 2));
    let honeypot = child.honeypot;
    let (start, file_path, cmd_line) = (child.start, child.parent_name, child.parent_cmd_line);
    let guid = child.parent_guid;
    graph.processes.push(Process {
        uid,
        start,
        end: None,
        pid: ppid,
        ppid: None,
        file_path,
        cmd_line,
        parent_name: 0,
        parent_cmd_line: 0,
        user: 0,
        guid,
        parent_guid: 0,
        starts: SmallVec::new(),
        deeds: Vec::new(),
        parent: forked_from,
        how: if forked_from.is_some() { How::Inferred } else { How::None },
        status: if forked_from.is_some() { ParentStatus::Observed } else { ParentStatus::Unresolved },
        ancestor: None,
        inferred: true,
        honeypot,
    });
    index
}

/// What most likely started a lost parent: the shell with the next lower pid, a moment before; only where all
/// shells of that moment are of one tree, so that it cannot be another activity's.
fn likely_source(graph: &HostGraph, bucket: &Bucket, table: &Table, index: usize, ppid: u32) -> Option<u32> {
    let child = &graph.processes[index];
    let from = table.starts.partition_point(|it| it.0 < ppid.saturating_sub(FORK_PIDS));
    let to = table.starts.partition_point(|it| it.0 < ppid);
    let mut shells = table.starts[from..to]
        .iter()
        .rev()
        .filter(|(_, start, _)| match (start, child.start) {
            (Some(start), Some(time)) => (0..=SOURCE_MICROS).contains(&(time.0 - start.0)),
            _ => false,
        })
        .map(|(_, _, at)| *at)
        .filter(|at| *at as usize != index)
        .filter(|at| is_shell(base_name(bucket.strings.get(graph.processes[*at as usize].file_path))));
    let nearest = shells.next()?;
    let tree = root(graph, nearest);
    shells.take(16).all(|it| root(graph, it) == tree).then_some(nearest)
}

/// The topmost process that is known above one; boundaries and what they are part of are not asked here, so two
/// activities below one service count as one only if nothing tells them apart.
fn root(graph: &HostGraph, at: u32) -> u32 {
    let mut at = at;
    for _ in 0..64 {
        match graph.processes[at as usize].parent {
            Some(up) if !graph.processes[up as usize].inferred => at = up,
            _ => break,
        }
    }
    at
}

/// The logged process that the unlogged parent was forked from: the same image, shortly before, with a pid just
/// below.
fn fork_source(graph: &HostGraph, bucket: &Bucket, table: &Table, index: usize, ppid: u32) -> Option<u32> {
    let child = &graph.processes[index];
    let from = table.starts.partition_point(|it| it.0 < ppid.saturating_sub(FORK_PIDS));
    let to = table.starts.partition_point(|it| it.0 < ppid);
    table.starts[from..to]
        .iter()
        .rev()
        .filter(|(_, start, _)| match (start, child.start) {
            (Some(start), Some(time)) => (0..=FORK_MICROS).contains(&(time.0 - start.0)),
            _ => false,
        })
        .map(|(_, _, at)| *at)
        .filter(|at| *at as usize != index)
        .map(|at| (at, &graph.processes[at as usize]))
        // Where the record does not name the parent: what forks and does not exec is a shell.
        .find(|(_, it)| match child.parent_name {
            0 => is_shell(base_name(bucket.strings.get(it.file_path))),
            name => agrees(bucket, it, name),
        })
        // Daemons fork for each session. Of other programs, a lost event looks the same as a fork without one: where
        // events are lost, neither is claimed.
        .filter(|(_, it)| !table.lossy || boundary::role_of_image(bucket.strings.get(it.file_path)).is_some())
        .map(|(at, _)| at)
}

fn is_shell(name: &str) -> bool {
    matches!(name, "sh" | "bash" | "dash" | "ash" | "zsh" | "ksh" | "busybox")
}

/// Whether the unlogged parent ran before the log began: a service by name, or a pid that was given out before
/// the first logged one (Linux counts pids up and wraps).
fn started_before_log(graph: &HostGraph, table: &Table, index: usize, role: Option<Role>) -> bool {
    let child = &graph.processes[index];
    if role.is_some_and(Role::runs_long) {
        return true;
    }
    match (child.ppid, child.pid, table.first_pid) {
        (Some(ppid), Some(pid), Some(first)) if pid >= first => ppid < first,
        _ => false,
    }
}

fn logged_ancestor(graph: &HostGraph, index: usize) -> Option<u32> {
    let mut at = graph.processes[index].parent?;
    for _ in 0..64 {
        let node = &graph.processes[at as usize];
        if !node.inferred {
            return Some(at);
        }
        at = node.parent?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::connect;
    use super::*;
    use crate::collect::rows::Place;
    use ringleader_model::{Activity, Event, EventClass, EventId, Field};

    /// Rows `time pid ppid image parent`, a line each; expects `pid<-parent pid(status)` for each, in time order.
    fn check(log: &str, expect: &str) {
        let mut bucket = Bucket::default();
        for (n, line) in (1u128..).zip(log.lines()) {
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            let mut event = Event::new(EventClass::Process, Activity::Launch);
            event.time = Some(Timestamp::from_millis(words[0].parse().unwrap()));
            event.pid = words[1].parse().ok();
            event.ppid = words[2].parse().ok();
            event.set(Field::FilePath, words[3]);
            event.set(Field::ParentName, words[4]);
            bucket.push(&event, EventId(n), "h", Place::default());
        }
        let graph = &connect(&mut bucket, &|_| 0)[0];
        let got: Vec<String> = graph
            .processes
            .iter()
            .filter(|it| !it.inferred)
            .map(|it| {
                let parent = it.parent.map(|at| &graph.processes[at as usize]);
                let pid = parent.filter(|it| !it.inferred).and_then(|it| it.pid);
                let name = parent.map_or("-", |it| bucket.strings.get(it.file_path));
                format!(
                    "{}<-{}({} {name})",
                    it.pid.unwrap_or(0),
                    pid.map_or("-".into(), |it| it.to_string()),
                    it.status.name()
                )
            })
            .collect();
        assert_eq!(got.join(" "), expect);
    }

    #[test]
    fn a_reused_pid_is_a_new_process() {
        check(
            "0 10 1 /bin/bash init\n1000 11 10 /bin/sh bash\n2000 10 1 /usr/bin/python3 init\n3000 12 10 /bin/ls python3",
            "10<--(before_log -) 11<-10(observed /bin/bash) 10<--(before_log -) 12<-10(observed /usr/bin/python3)",
        );
    }

    #[test]
    fn a_parent_of_another_image_is_a_stranger() {
        check("0 100 1 /bin/bash init\n1000 101 100 /bin/ls perl", "100<--(before_log -) 101<--(missing perl)");
    }

    #[test]
    fn a_fork_that_never_execd_hangs_from_its_source() {
        check("0 100 1 /bin/bash init\n1000 102 101 /usr/bin/wget bash", "100<--(before_log -) 102<--(forked bash)");
    }

    #[test]
    fn cycles_and_own_parents_are_roots() {
        check("0 5 5 /bin/a a", "5<--(unresolved -)");
        check("0 5 6 /bin/a b\n0 6 5 /bin/b a", "5<-6(observed /bin/b) 6<--(missing a)");
    }

    #[test]
    fn a_parent_logged_a_moment_late_is_found() {
        check("100 11 10 /bin/ls bash\n101 10 1 /bin/bash init", "11<-10(observed /bin/bash) 10<--(before_log -)");
    }
}
