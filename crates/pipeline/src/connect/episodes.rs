//! a host's processes → episodes: the subtrees below boundaries.
//!
//! Deliberately absent: time. An episode that runs for weeks is one episode.

use std::collections::HashMap;

use ringleader_model::hash::{ByHash, hash128};

use super::boundary::{Role, is_boundary, role_of_image, role_of_name};
use super::{HostGraph, Process, Uid};
use crate::collect::rows::{Bucket, Sym};

/// A process that had this many children in this many bursts is a boundary, whatever it is called.
const LEARNED_CHILDREN: usize = 12;
const LEARNED_BURSTS: usize = 6;
/// Children further apart than this are of different bursts.
const BURST_GAP_MICROS: i64 = 600_000_000;

/// One activity on the host. Every process is in exactly one episode, or is a boundary and in none.
#[derive(Debug, Clone)]
pub struct Episode {
    pub id: u128,
    /// Processes, parents before children; the first is the entry.
    pub members: Vec<u32>,
    /// The boundary above it, where there is one.
    pub boundary: Option<u32>,
}

impl Episode {
    /// The id of the episode that a process is the entry of.
    pub fn id_of(entry: &Process) -> u128 {
        // The entry may be inferred, and another entry may be inferred from the same child: the tag keeps them apart.
        let tag = u64::from(matches!(entry.uid, Uid::Inferred(_)));
        hash128(&entry.uid.number().to_le_bytes(), 16 + tag)
    }
}

/// Cuts the host's forest at its boundaries.
///
/// Cost: O(n). The order of episodes is that of their entries.
pub fn episodes(graph: &HostGraph, bucket: &Bucket) -> Vec<Episode> {
    let n = graph.processes.len();
    let roles = roles(graph, bucket);
    let children = children(&graph.processes);
    let boundary: Vec<bool> = (0..n)
        .map(|at| {
            let parent_role = match graph.processes[at].parent {
                Some(parent) => roles[parent as usize],
                None => role_of_name(bucket.strings.get(graph.processes[at].parent_name)),
            };
            // A honeypot's session is one visitor's: nothing in it stands for several activities.
            !graph.processes[at].honeypot
                && (is_boundary(roles[at], parent_role)
                    || learned(graph, bucket, &children, at)
                    || opens_sessions(graph, bucket, &children, at))
        })
        .collect();
    let mut episodes = Vec::new();
    for at in 0..n {
        let above = graph.processes[at].parent;
        let enters = above.is_none_or(|it| boundary[it as usize]);
        if boundary[at] || !enters {
            continue;
        }
        let mut members = vec![at as u32];
        let mut next = 0;
        while let Some(parent) = members.get(next).copied() {
            next += 1;
            members.extend(children.of(parent).iter().filter(|child| !boundary[**child as usize]));
        }
        episodes.push(Episode { id: Episode::id_of(&graph.processes[at]), members, boundary: above });
    }
    episodes
}

fn roles(graph: &HostGraph, bucket: &Bucket) -> Vec<Option<Role>> {
    let mut known: HashMap<Sym, Option<Role>, ByHash> = HashMap::default();
    graph
        .processes
        .iter()
        .map(|it| *known.entry(it.file_path).or_insert_with(|| role_of_image(bucket.strings.get(it.file_path))))
        .collect()
}

/// Children by parent, in one allocation.
struct Children {
    starts: Vec<u32>,
    list: Vec<u32>,
}

impl Children {
    fn of(&self, parent: u32) -> &[u32] {
        &self.list[self.starts[parent as usize] as usize..self.starts[parent as usize + 1] as usize]
    }
}

fn children(processes: &[Process]) -> Children {
    let mut starts = vec![0u32; processes.len() + 2];
    for parent in processes.iter().filter_map(|it| it.parent) {
        starts[parent as usize + 2] += 1;
    }
    for at in 2..starts.len() {
        starts[at] += starts[at - 1];
    }
    let mut list = vec![0u32; *starts.last().unwrap_or(&0) as usize];
    for (at, parent) in (0u32..).zip(processes.iter().map(|it| it.parent)) {
        if let Some(parent) = parent {
            let slot = &mut starts[parent as usize + 1];
            list[*slot as usize] = at;
            *slot += 1;
        }
    }
    starts.pop();
    Children { starts, list }
}

/// An unknown application server is a boundary too: long-lived, with many children in unrelated bursts, and installed
/// by the system, as far as its place is known. Of one that started before the log, only the name is.
fn learned(graph: &HostGraph, bucket: &Bucket, children: &Children, at: usize) -> bool {
    let own = children.of(at as u32);
    if own.len() < LEARNED_CHILDREN {
        return false;
    }
    let process = &graph.processes[at];
    let image = bucket.strings.get(process.file_path);
    let before_log = process.inferred && process.parent.is_none();
    let located = image.contains(['/', '\\']);
    if image.is_empty() || if located { !super::boundary::is_system_path(image) } else { !before_log } {
        return false;
    }
    let base = super::link::base_name(image).to_ascii_lowercase();
    // A shell's children are one session's; an interpreter that was there before the log may well be a server.
    let is_a = |names: &[&str]| names.iter().any(|it| base.trim_end_matches(".exe").starts_with(it));
    let shell = SHELLS.contains(&base.trim_start_matches('-').trim_end_matches(".exe"));
    if shell && !(before_log && base == "busybox") || (is_a(INTERPRETERS) && !before_log) {
        return false;
    }
    let mut times: Vec<i64> = own.iter().filter_map(|it| graph.processes[*it as usize].start).map(|it| it.0).collect();
    times.sort_unstable();
    times.windows(2).filter(|pair| pair[1] - pair[0] > BURST_GAP_MICROS).count() + 1 >= LEARNED_BURSTS
}

/// One program that is many: as the one that people log in through, each child is a session.
fn opens_sessions(graph: &HostGraph, bucket: &Bucket, children: &Children, at: usize) -> bool {
    let text = |sym: Sym| bucket.strings.get(sym);
    if super::link::base_name(text(graph.processes[at].file_path)) != "busybox" {
        return false;
    }
    children.of(at as u32).iter().map(|it| &graph.processes[*it as usize]).any(|it| {
        super::link::base_name(text(it.file_path)) == "login"
            || matches!(text(it.cmd_line), "-sh" | "-ash" | "/bin/login")
    })
}

const SHELLS: &[&str] = &[
    "sh",
    "bash",
    "dash",
    "zsh",
    "ksh",
    "ash",
    "fish",
    "csh",
    "tcsh",
    "busybox",
    "cmd",
    "powershell",
    "pwsh",
    "su",
    "sudo",
];
const INTERPRETERS: &[&str] = &["python", "perl", "ruby", "php", "wscript", "cscript"];

#[cfg(test)]
mod tests {
    use super::super::connect;
    use super::*;
    use crate::collect::rows::Place;
    use ringleader_model::{Activity, Event, EventClass, EventId, Field, Timestamp};

    #[test]
    fn each_ssh_session_is_an_episode_of_its_own() {
        let mut bucket = Bucket::default();
        let log = [
            (10, 1, "/usr/sbin/sshd", "systemd"),
            (11, 10, "/usr/sbin/sshd", "sshd"),
            (12, 11, "/bin/bash", "sshd"),
            (13, 12, "/usr/bin/wget", "bash"),
            (14, 10, "/usr/sbin/sshd", "sshd"),
            (15, 14, "/bin/bash", "sshd"),
            (16, 1, "/usr/bin/updatedb", "systemd"),
        ];
        for (n, (pid, ppid, image, parent)) in (1i64..).zip(log) {
            let mut event = Event::new(EventClass::Process, Activity::Launch);
            (event.time, event.pid, event.ppid) = (Some(Timestamp(n)), Some(pid), Some(ppid));
            event.set(Field::FilePath, image);
            event.set(Field::ParentName, parent);
            bucket.push(&event, EventId(n as u128), "h", Place::default());
        }
        let graphs = connect(&mut bucket, &|_| 0);
        let got: Vec<Vec<u32>> = episodes(&graphs[0], &bucket).into_iter().map(|it| it.members).collect();
        assert_eq!(got, [vec![1, 2, 3], vec![4, 5], vec![6]]);
    }
}
