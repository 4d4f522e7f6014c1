//! events of one host → processes, their parents, and episodes.
//!
//! Deliberately absent: labels, indicators, other hosts. A link is only made where evidence supports it; what is
//! missing becomes an inferred process, never a wrong link.

pub mod boundary;
pub mod episodes;
pub mod link;

use std::collections::HashMap;

pub use ringleader_model::findings::ParentStatus;
use ringleader_model::hash::ByHash;
use ringleader_model::{Activity, EventClass, Field, Timestamp};
use smallvec::{SmallVec, smallvec};

use crate::collect::rows::{Bucket, Row, Sym};

/// How far apart two sensors' clocks may put the start of one process.
const SAME_START_MICROS: i64 = 2_000_000;

/// One program image that ran on the host, in start order.
#[derive(Debug, Clone)]
pub struct Process {
    /// The process's name in the findings: the sensor's GUID, else the id of its first event; an inferred one is
    /// derived from its child.
    pub uid: Uid,
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    pub pid: Option<u32>,
    pub ppid: Option<u32>,
    pub file_path: Sym,
    pub cmd_line: Sym,
    pub parent_name: Sym,
    pub parent_cmd_line: Sym,
    pub user: Sym,
    pub guid: Sym,
    pub parent_guid: Sym,
    /// Rows that are evidence of it: its start events first, then what it did. Indices into the bucket.
    pub starts: SmallVec<[u32; 2]>,
    pub deeds: Vec<u32>,
    /// Index of the parent process in the host's list; may be an inferred one.
    pub parent: Option<u32>,
    pub how: How,
    pub status: ParentStatus,
    /// The nearest ancestor that evidence supports, where the parent has no event.
    pub ancestor: Option<u32>,
    /// No start event of its own was logged.
    pub inferred: bool,
    pub honeypot: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Uid {
    Event(u128),
    /// Derived from the child (or deed) that proves it.
    Inferred(u128),
}

impl Uid {
    pub fn number(self) -> u128 {
        match self {
            Self::Event(id) | Self::Inferred(id) => id,
        }
    }
}

impl std::fmt::Display for Uid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Event(id) => write!(f, "{id:032x}"),
            Self::Inferred(id) => write!(f, "inferred-{id:032x}"),
        }
    }
}

/// How the link to the parent was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// No link.
    None,
    /// The sensor's own unique id of the parent.
    Guid,
    /// The latest earlier start of the parent pid, its image equal to the one the event names.
    PidAndImage,
    /// The same, where the event names no parent image.
    Pid,
    /// The parent's start was logged a moment after the child's.
    PidLate,
    /// The parent has no event; it is known from what its child says of it.
    Inferred,
}

impl How {
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Guid => "guid",
            Self::PidAndImage => "pid_and_image",
            Self::Pid => "pid",
            Self::PidLate => "pid_late",
            Self::Inferred => "inferred",
        }
    }
}

/// Everything one host logged, connected.
#[derive(Debug, Default)]
pub struct HostGraph {
    pub host: Sym,
    pub tenant: Sym,
    /// Ordered by start; inferred processes behind the logged ones. Every parent index points into it.
    pub processes: Vec<Process>,
    /// Rows that belong to no process: flows, web requests, logons, alerts. In time order.
    pub loose: Vec<u32>,
    /// Rows that repeat another one to the letter.
    pub duplicates: u64,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
}

/// Connects the events of every host of a bucket, host by host.
///
/// In: the bucket's rows in any order, duplicates allowed. Out: one graph a host, in order of the hosts' names.
/// Cost: O(n) where rows are nearly in time order (the sort finds the runs), else O(n log n); O(n) memory.
/// Source: King and Chen, "Backtracking Intrusions", SOSP 2003.
///
/// ```
/// use ringleader_model::{Activity, Event, EventClass, EventId, Timestamp};
/// use ringleader_pipeline::collect::rows::{Bucket, Place};
/// use ringleader_pipeline::connect::connect;
///
/// let mut bucket = Bucket::default();
/// for (n, pid, ppid) in [(1, 10, 1), (2, 11, 10)] {
///     let mut event = Event::new(EventClass::Process, Activity::Launch);
///     (event.time, event.pid, event.ppid) = (Some(Timestamp(n)), Some(pid), Some(ppid));
///     bucket.push(&event, EventId(n as u128), "web1", Place::default());
/// }
/// let graphs = connect(&mut bucket, &|_| 0);
/// assert_eq!(graphs[0].processes[1].parent, Some(0));
/// ```
pub fn connect(bucket: &mut Bucket, format_of_source: &dyn Fn(u32) -> u32) -> Vec<HostGraph> {
    sort(bucket);
    graphs(bucket, format_of_source).collect()
}

/// The same of a bucket that is sorted, host after host: only one graph need be held.
pub fn graphs<'b>(
    bucket: &'b Bucket,
    format_of_source: &'b dyn Fn(u32) -> u32,
) -> impl Iterator<Item = HostGraph> + 'b {
    let mut start = 0;
    let mut names = link::Names::new(bucket);
    std::iter::from_fn(move || {
        let first = bucket.rows.get(start)?;
        let same = |row: &&Row| row.host == first.host && row.tenant == first.tenant;
        let end = start + bucket.rows[start..].iter().take_while(same).count();
        let mut graph = processes(bucket, start, end, format_of_source);
        link::link(&mut graph, &mut names);
        start = end;
        Some(graph)
    })
}

/// By tenant, host name, time, id: the order in which everything downstream is decided.
pub fn sort(bucket: &mut Bucket) {
    let mut rows = std::mem::take(&mut bucket.rows);
    let strings = &bucket.strings;
    // Names are ranked once, so that a comparison of rows touches no text.
    let mut names: Vec<Sym> = rows.iter().flat_map(|row| [row.host, row.tenant]).collect();
    names.sort_unstable();
    names.dedup();
    names.sort_by(|a, b| strings.get(*a).cmp(strings.get(*b)));
    let mut rank = vec![0u32; strings.len() + 1];
    for (at, sym) in (0u32..).zip(&names) {
        rank[*sym as usize] = at;
    }
    let group = |row: &Row| (rank[row.tenant as usize], rank[row.host as usize]);
    // Hosts apart first: within one, rows are nearly in order, which the sort makes use of.
    let order = by_group(&rows, group);
    arrange(&mut rows, order);
    let same_host = |a: &Row, b: &Row| group(a) == group(b);
    for rows in rows.chunk_by_mut(same_host) {
        rows.sort_by_key(|it| (it.time, it.id, it.place));
    }
    bucket.rows = rows;
}

/// Row numbers by group, in each as they came.
fn by_group(rows: &[Row], group: impl Fn(&Row) -> (u32, u32)) -> Vec<u32> {
    let mut numbers: HashMap<u64, u32, ByHash> = HashMap::default();
    let mut groups: Vec<((u32, u32), u32)> = Vec::new();
    // Of each row, the group that was met nth.
    let mut nth: Vec<u32> = Vec::with_capacity(rows.len());
    for row in rows {
        let key = group(row);
        let number = *numbers.entry(spread(key.0, key.1)).or_insert_with(|| {
            groups.push((key, 0));
            groups.len() as u32 - 1
        });
        groups[number as usize].1 += 1;
        nth.push(number);
    }
    let mut sorted: Vec<u32> = (0..groups.len() as u32).collect();
    sorted.sort_unstable_by_key(|it| groups[*it as usize].0);
    let mut start = 0;
    for number in sorted {
        start += std::mem::replace(&mut groups[number as usize].1, start);
    }
    let mut order = vec![0; rows.len()];
    for (at, number) in (0u32..).zip(nth) {
        let slot = &mut groups[number as usize].1;
        order[*slot as usize] = at;
        *slot += 1;
    }
    order
}

/// Puts the row `order[n]` at place `n`, without room for a second copy of the rows.
fn arrange(rows: &mut [Row], mut order: Vec<u32>) {
    for start in 0..rows.len() {
        let first = rows[start];
        let mut at = start;
        // Around the circle of places that follow from each other; what was done points to itself.
        loop {
            let from = std::mem::replace(&mut order[at], at as u32) as usize;
            if from == start {
                rows[at] = first;
                break;
            }
            rows[at] = rows[from];
            at = from;
        }
    }
}

/// Two numbers as one, spread over all its bits: no two pairs have the same.
fn spread(a: u32, b: u32) -> u64 {
    (u64::from(a) << 32 | u64::from(b)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32)
}

/// Rows `from..to`, all of one host, in time order → its processes, unlinked.
fn processes(bucket: &Bucket, from: usize, to: usize, format_of_source: &dyn Fn(u32) -> u32) -> HostGraph {
    let rows = &bucket.rows;
    let mut graph = HostGraph { host: rows[from].host, tenant: rows[from].tenant, ..HostGraph::default() };
    graph.first = rows[from..to].iter().find_map(|row| row.time);
    graph.last = rows[to - 1].time;
    graph.processes.reserve_exact(to - from);
    let mut latest = Latest::default();
    latest.pids.reserve(to - from);
    latest.starts.reserve_exact(to - from);
    // Records of several sensors do not come in one order: starts are read first, then deeds find their process.
    let mut deeds: Vec<u32> = Vec::new();
    for at in from..to {
        let row = &rows[at];
        if at > from && rows[at - 1].id == row.id {
            graph.duplicates += 1;
            continue;
        }
        if row.class == EventClass::Process && matches!(row.activity, Activity::Launch | Activity::Snapshot) {
            start_process(bucket, at as u32, &mut graph, &mut latest, format_of_source);
        } else {
            deeds.push(at as u32);
        }
    }
    if !deeds.is_empty() {
        latest.starts.sort_unstable();
    }
    for at in deeds {
        match owner(bucket, &rows[at as usize], &mut graph, &mut latest) {
            Some(index) => attach(&mut graph.processes[index as usize], &rows[at as usize], at),
            None => graph.loose.push(at),
        }
    }
    graph
}

#[derive(Default)]
struct Latest {
    /// guid → process
    guids: HashMap<Sym, u32, ByHash>,
    /// pid → latest process with it
    pids: HashMap<u32, u32, ByHash>,
    /// (pid, start, process), sorted after the starts were read
    starts: Vec<(u32, Option<Timestamp>, u32)>,
    /// (pid, image) → process that only its deeds prove
    unlogged: HashMap<(u32, Sym), u32>,
}

fn start_process(
    bucket: &Bucket,
    at: u32,
    graph: &mut HostGraph,
    latest: &mut Latest,
    format_of_source: &dyn Fn(u32) -> u32,
) {
    let row = &bucket.rows[at as usize];
    let fields = bucket.fields(row);
    let (mut guid, mut file_path, mut cmd_line, mut user) = (0, 0, 0, 0);
    let (mut parent_guid, mut parent_name, mut parent_cmd_line) = (0, 0, 0);
    for (field, sym) in fields {
        match field {
            Field::ProcessGuid => guid = *sym,
            Field::FilePath => file_path = *sym,
            Field::CmdLine => cmd_line = *sym,
            Field::ParentName => parent_name = *sym,
            Field::ParentCmdLine => parent_cmd_line = *sym,
            Field::User => user = *sym,
            Field::ParentGuid => parent_guid = *sym,
            _ => {}
        }
    }
    // Sensors have given one id to two processes: the pid must agree as well.
    let same_guid = latest.guids.get(&guid).copied().filter(|it| {
        let known = graph.processes[*it as usize].pid;
        guid != 0 && (known == row.pid || known.is_none() || row.pid.is_none())
    });
    let twin = same_guid.or_else(|| other_sensors_twin(bucket, row, cmd_line, graph, latest, format_of_source));
    if let Some(index) = twin {
        let process = &mut graph.processes[index as usize];
        process.starts.push(at);
        for (slot, sym) in [
            (&mut process.file_path, file_path),
            (&mut process.cmd_line, cmd_line),
            (&mut process.parent_name, parent_name),
            (&mut process.parent_cmd_line, parent_cmd_line),
            (&mut process.user, user),
            (&mut process.guid, guid),
            (&mut process.parent_guid, parent_guid),
        ] {
            if *slot == 0 {
                *slot = sym;
            }
        }
        process.ppid = process.ppid.or(row.ppid);
        if guid != 0 {
            latest.guids.insert(guid, index);
        }
        return;
    }
    let index = graph.processes.len() as u32;
    let snapshot = row.activity == Activity::Snapshot;
    let own_start = || bucket.text(row, Field::ProcessStart).and_then(|it| it.parse().ok()).map(Timestamp);
    let start = if snapshot { own_start().or(row.time) } else { row.time };
    graph.processes.push(Process {
        uid: Uid::Event(row.id.0),
        start,
        end: None,
        pid: row.pid,
        ppid: row.ppid,
        file_path,
        cmd_line,
        parent_name,
        parent_cmd_line,
        user,
        guid,
        parent_guid,
        starts: smallvec![at],
        deeds: Vec::new(),
        parent: None,
        how: How::None,
        status: ParentStatus::Unresolved,
        ancestor: None,
        inferred: false,
        honeypot: row.sensor_role == ringleader_model::SensorRole::Honeypot,
    });
    if guid != 0 {
        latest.guids.insert(guid, index);
    }
    if let Some(pid) = row.pid {
        latest.pids.insert(pid, index);
        latest.starts.push((pid, start, index));
    }
}

/// One process seen by two sensors: the same pid and command line within two seconds, from another format. A
/// snapshot is of a process that already runs: the same pid and image, however long ago it started.
fn other_sensors_twin(
    bucket: &Bucket,
    row: &Row,
    cmd_line: Sym,
    graph: &HostGraph,
    latest: &Latest,
    format_of_source: &dyn Fn(u32) -> u32,
) -> Option<u32> {
    let index = *latest.pids.get(&row.pid?)?;
    let process = &graph.processes[index as usize];
    if row.activity == Activity::Snapshot {
        let same = process.file_path == bucket.sym(row, Field::FilePath) || process.cmd_line == cmd_line;
        return same.then_some(index);
    }
    let other = &bucket.rows[*process.starts.last()? as usize];
    let near = row.time?.0.abs_diff(process.start?.0) <= SAME_START_MICROS as u64;
    // One sensor's two starts of a pid are two programs (exec); two sensors' are one. They are told by their
    // formats, or by only one of them giving ids of its own.
    let other_sensor = format_of_source(other.place.source) != format_of_source(row.place.source)
        || (process.guid == 0) != (bucket.sym(row, Field::ProcessGuid) == 0);
    let agree = process.cmd_line == cmd_line
        || process.cmd_line == 0
        || cmd_line == 0
        || same_words(bucket.strings.get(process.cmd_line), bucket.strings.get(cmd_line));
    (near && other_sensor && agree).then_some(index)
}

/// Sensors quote arguments differently.
fn same_words(a: &str, b: &str) -> bool {
    let bare = |text: &'_ str| -> Vec<u8> { text.bytes().filter(|c| !matches!(c, b'"' | b'\'' | b' ')).collect() };
    a.len().abs_diff(b.len()) <= 16 && bare(a) == bare(b)
}

/// The process that an event is about. An event that names a process no start of which was logged proves it: it
/// becomes an inferred one.
fn owner(bucket: &Bucket, row: &Row, graph: &mut HostGraph, latest: &mut Latest) -> Option<u32> {
    let guid = bucket.sym(row, Field::ProcessGuid);
    if guid != 0
        && let Some(index) = latest.guids.get(&guid)
    {
        return Some(*index);
    }
    // A honeypot's downloads and connections name their session, whose own process carries it as its id.
    if guid == 0
        && row.pid.is_none()
        && matches!(row.class, EventClass::File | EventClass::Network)
        && let Some(index) =
            latest.guids.get(&bucket.sym(row, Field::Session)).filter(|_| bucket.sym(row, Field::Session) != 0)
    {
        return Some(*index);
    }
    let file_path = bucket.sym(row, Field::FilePath);
    if let Some(pid) = row.pid {
        let end = latest.starts.partition_point(|it| (it.0, it.1) <= (pid, row.time));
        let candidate = end.checked_sub(1).map(|at| latest.starts[at]).filter(|it| it.0 == pid);
        if let Some((_, _, index)) = candidate {
            let process = &graph.processes[index as usize];
            let names = |sym: Sym| link::base_name(bucket.strings.get(sym));
            if file_path == 0 || process.file_path == 0 || names(process.file_path) == names(file_path) {
                return Some(index);
            }
        }
    }
    if let Some(index) = row.pid.and_then(|pid| latest.unlogged.get(&(pid, file_path))) {
        return Some(*index);
    }
    let host_process =
        matches!(row.class, EventClass::Process | EventClass::Network | EventClass::File | EventClass::Detection);
    if !host_process || (guid == 0 && (row.pid.is_none() || file_path == 0)) {
        return None;
    }
    let index = graph.processes.len() as u32;
    graph.processes.push(Process {
        uid: Uid::Inferred(ringleader_model::hash::hash128(&row.id.0.to_le_bytes(), 1)),
        start: None,
        end: None,
        pid: row.pid,
        ppid: row.ppid,
        file_path,
        cmd_line: bucket.sym(row, Field::CmdLine),
        parent_name: bucket.sym(row, Field::ParentName),
        parent_cmd_line: bucket.sym(row, Field::ParentCmdLine),
        user: bucket.sym(row, Field::User),
        guid,
        parent_guid: bucket.sym(row, Field::ParentGuid),
        starts: SmallVec::new(),
        deeds: Vec::new(),
        parent: None,
        how: How::None,
        status: ParentStatus::Unresolved,
        ancestor: None,
        inferred: true,
        honeypot: row.sensor_role == ringleader_model::SensorRole::Honeypot,
    });
    if guid != 0 {
        latest.guids.insert(guid, index);
    }
    if let Some(pid) = row.pid {
        latest.unlogged.insert((pid, file_path), index);
    }
    Some(index)
}

fn attach(process: &mut Process, row: &Row, at: u32) {
    if row.class == EventClass::Process && row.activity == Activity::Terminate {
        process.end = row.time;
    }
    process.deeds.push(at);
}

/// The text of a symbol, `None` for none.
pub fn text(bucket: &Bucket, sym: Sym) -> Option<&str> {
    (sym != 0).then(|| bucket.strings.get(sym))
}
