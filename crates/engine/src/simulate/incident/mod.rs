//! seed → the logs of one incident on one network, and what is true of it: who scanned, attacked, took whom, who was
//! first and how it got in.
//!
//! A network does its work while a worm goes through it; part of what should be logged is not. Everything is drawn
//! from the seed. Memory grows with hosts and with the worm's calls, not with records. docs/simulate.md has the files.
//! Deliberately absent: anything that the reconstruction knows. Names, programs and habits here are the generator's.

mod logs;
mod network;
mod truth;
mod work;
mod worm;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::path::Path;

use logs::{About, Call, Logs, Start};
use network::Network;
use truth::Truth;
use worm::Strain;

use super::random::Random;

/// 2026-03-02T06:00:00Z
const START: i64 = 1_772_431_200_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// With more flows than this for each process, ordinary calls are the wire's alone to log.
const MANY_FLOWS: u64 = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worm {
    /// Windows shares: an exploit, or stolen passwords and a service.
    Smb,
    /// Guessed passwords, or keys that lie about.
    Ssh,
    /// Caches that anybody may write to, and cron.
    Redis,
}

#[derive(Debug, Clone)]
pub struct Config {
    pub seed: u64,
    pub hosts: u64,
    pub worm: Worm,
    /// Of a thousand records, those that nobody has: half of it whole hosts and subnets.
    pub missing_permille: u32,
    /// How far the clocks of some hosts are off at most.
    pub skew_secs: u32,
    /// Of a thousand hosts, those on which the worm's way in works.
    pub weak_permille: u32,
    /// Of a thousand taken hosts, those that are alerted.
    pub alerted_permille: u32,
    /// Records of ordinary work, about.
    pub events: u64,
    /// Flows for each process of ordinary work.
    pub flows_per_process: u64,
    /// How long the log is.
    pub hours: u64,
}

impl Config {
    pub fn new(seed: u64, hosts: u64, worm: Worm) -> Self {
        Self {
            seed,
            hosts: hosts.clamp(20, 20_000),
            worm,
            missing_permille: 0,
            skew_secs: 120,
            weak_permille: 300,
            alerted_permille: 400,
            events: hosts * 240,
            flows_per_process: 2,
            hours: 6,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub written: u64,
    pub lost: u64,
    pub flows: u64,
    pub processes: u64,
    pub hosts: u64,
    pub taken: u64,
    pub edges: u64,
}

/// What comes next, and of whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    /// A host's ordinary work.
    Work(u32),
    /// Somebody comes in from outside.
    Entry,
    /// A taken host looks for the next one; so many calls are left.
    Scan(u32, u16),
    Attack(u32, u32),
    /// Taken now, by whom.
    Taken(u32, Option<u32>),
    /// A taken host calls its server.
    Beacon(u32),
    /// The scanner asks the next host.
    Sweep(u32, u32),
    /// The monitor asks the next host.
    Poll(u32, u32),
    /// An administrator logs on somewhere.
    Visit(u32),
    /// The configuration tool runs on the next host.
    Deploy(u32, u32),
    /// Guesses from outside that come to nothing.
    Noise,
    /// A wrong alert.
    FalseAlarm,
}

struct World<'a> {
    config: &'a Config,
    network: Network,
    strain: Strain,
    logs: Logs,
    truth: Truth,
    random: Random,
    due: BinaryHeap<Reverse<(i64, u64, Act)>>,
    made: u64,
    end: i64,
    /// Mean wait between two pieces of a host's work.
    wait: u64,
    /// No more hosts are taken than this.
    most: u64,
    taken: u64,
}

/// Writes the case's logs into `folder`, and its truth: `truth`, and the tables beside it (`score::beside`).
pub fn write(config: &Config, folder: &Path, truth: Option<&Path>) -> io::Result<Counts> {
    let network = Network::new(config);
    let logs = Logs::create(folder, config.missing_permille, &network, config.seed)?;
    let n = network.hosts.len() as u64;
    let mut random = Random::new(config.seed ^ 0x0c_a5e);
    let span = config.hours as i64 * HOUR;
    let pieces = config.events / (1 + config.flows_per_process).max(1);
    let mut world = World {
        config,
        strain: Strain::new(config, &mut random),
        truth: Truth::new(network.hosts.len()),
        network,
        logs,
        due: BinaryHeap::new(),
        made: 0,
        end: START + span,
        wait: (span as u64).saturating_mul(n) / pieces.max(1),
        most: (n / 6).clamp(4, 400),
        taken: 0,
        random,
    };
    world.plan(span);
    while let Some(Reverse((time, _, act))) = world.due.pop() {
        if time > world.end {
            break;
        }
        world.act(time, act)?;
    }
    world.last_alert()?;
    let logs = world.logs.finish()?;
    let mut counts = Counts {
        written: logs.written,
        lost: logs.lost,
        flows: logs.flows,
        processes: logs.processes,
        hosts: n,
        taken: world.taken,
        edges: world.truth.edges.len() as u64,
    };
    if let Some(path) = truth {
        counts.edges = world.truth.write(path, config, &world.network, &world.strain, &logs)?;
    }
    Ok(counts)
}

impl World<'_> {
    fn plan(&mut self, span: i64) {
        for at in 0..self.network.hosts.len() as u32 {
            let wait = self.network.hosts[at as usize].random.below(self.wait.max(1));
            self.later(START + wait as i64, Act::Work(at));
        }
        let entry = START + span / 3 + self.random.below((span / 6) as u64) as i64;
        self.later(entry, Act::Entry);
        let of = |role| -> Vec<u32> {
            (0u32..).zip(&self.network.hosts).filter(|it| it.1.role == role).map(|it| it.0).collect()
        };
        let (scanners, monitors, jumps) =
            (of(network::Role::Scanner), of(network::Role::Monitor), of(network::Role::Jump));
        for at in scanners {
            // Some scan all day, some begin amid the incident.
            let begin = if self.random.permille(500) { START } else { entry + self.random.below(40) as i64 * MINUTE };
            self.later(begin, Act::Sweep(at, 0));
        }
        for at in monitors {
            let begin = START + self.random.below(60_000) as i64;
            self.later(begin, Act::Poll(at, 0));
        }
        for (n, at) in jumps.into_iter().enumerate() {
            let begin = START + self.random.below(20) as i64 * MINUTE;
            self.later(begin, Act::Visit(at));
            // The first one deploys something to many hosts while the worm runs.
            if n == 0 {
                let again = entry + self.random.below(60) as i64 * MINUTE;
                self.later(again, Act::Deploy(at, 0));
                self.later(START + 20 * MINUTE, Act::Deploy(at, 0));
            }
        }
        self.later(START + 5 * MINUTE, Act::Noise);
        for _ in 0..1 + self.config.hosts / 150 {
            let time = entry + self.random.below(90) as i64 * MINUTE - 10 * MINUTE;
            self.later(time, Act::FalseAlarm);
        }
    }

    fn later(&mut self, time: i64, act: Act) {
        self.made += 1;
        self.due.push(Reverse((time, self.made, act)));
    }

    fn act(&mut self, time: i64, act: Act) -> io::Result<()> {
        match act {
            Act::Work(at) => self.work(time, at),
            Act::Entry => self.entry(time),
            Act::Scan(from, left) => self.scan(time, from, left),
            Act::Attack(from, to) => self.attack(time, from, to),
            Act::Taken(at, by) => self.taken(time, at, by),
            Act::Beacon(at) => self.beacon(time, at),
            Act::Sweep(at, n) => self.sweep(time, at, n),
            Act::Poll(at, n) => self.poll(time, at, n),
            Act::Visit(at) => self.visit(time, at),
            Act::Deploy(at, n) => self.deploy(time, at, n),
            Act::Noise => self.noise(time),
            Act::FalseAlarm => self.false_alarm(time),
        }
    }

    /// One connection between two hosts, as the wire's sensors and both ends log it.
    #[allow(clippy::too_many_arguments, reason = "a connection: ends, port, outcome, bytes, program")]
    fn call(
        &mut self,
        time: i64,
        from: u32,
        to: u32,
        port: u16,
        state: &'static str,
        bytes: (u64, u64),
        image: &str,
        about: About,
    ) -> io::Result<()> {
        let src_port = self.network.hosts[from as usize].source_port();
        let (a, b) = (&self.network.hosts[from as usize], &self.network.hosts[to as usize]);
        let call = Call { src: &a.address, src_port, dst: &b.address, port, state, sent: bytes.0, received: bytes.1 };
        let seen = !self.network.blind[a.subnet] || !self.network.blind[b.subnet];
        self.logs.flow(time, &call, seen, about)?;
        // Where there is much traffic, hosts log what the worm does and leave the rest to the wire.
        if about.is_none() && self.config.flows_per_process > MANY_FLOWS {
            return Ok(());
        }
        self.logs.connect(time, from, a, image, &call, false, about)?;
        if state == "SF" || state == "S1" {
            let service = if b.windows { "System" } else { "/usr/sbin/server" };
            self.logs.connect(time + 2, to, b, service, &call, true, about)?;
        }
        Ok(())
    }

    /// A call to or from outside: the border's sensor sees it where the subnet's does.
    #[allow(clippy::too_many_arguments, reason = "a connection: ends, port, outcome, bytes, program")]
    fn outside(
        &mut self,
        time: i64,
        at: u32,
        other: &str,
        port: u16,
        inbound: bool,
        state: &'static str,
        bytes: (u64, u64),
        image: &str,
    ) -> io::Result<()> {
        let src_port = self.network.hosts[at as usize].source_port();
        let host = &self.network.hosts[at as usize];
        let (src, dst) = if inbound { (other, host.address.as_str()) } else { (host.address.as_str(), other) };
        let call = Call { src, src_port, dst, port, state, sent: bytes.0, received: bytes.1 };
        self.logs.flow(time, &call, !self.network.blind[host.subnet], None)?;
        let theirs = image != self.strain.path && self.config.flows_per_process > MANY_FLOWS;
        if !theirs && (!inbound || state == "SF") {
            self.logs.connect(time, at, host, image, &call, inbound, None)?;
        }
        Ok(())
    }

    /// A program starts on a host; its pid comes back.
    #[allow(clippy::too_many_arguments, reason = "a program: where, when, what, under what")]
    fn run(
        &mut self,
        time: i64,
        at: u32,
        image: &str,
        command: &str,
        parent: &str,
        ppid: u32,
        user: &str,
        hash: &str,
        about: About,
    ) -> io::Result<u32> {
        let pid = self.network.hosts[at as usize].next_pid();
        let host = &self.network.hosts[at as usize];
        self.logs.start(time, at, host, &Start { image, command, pid, parent, ppid, user, hash }, about)?;
        Ok(pid)
    }
}

/// A hash for a program, from its path.
fn hash_of(path: &str, seed: u64) -> String {
    let mut text = String::with_capacity(64);
    for n in 0..4 {
        let part = ringleader_model::hash::fold64([ringleader_model::hash::hash64(path.as_bytes()), seed, n]);
        text.push_str(&format!("{part:016x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(config: &Config) -> Vec<(String, Vec<u8>)> {
        let dir = tempfile::tempdir().unwrap();
        write(config, &dir.path().join("case"), Some(&dir.path().join("t.tsv"))).unwrap();
        let mut files = Vec::new();
        for folder in [dir.path().to_owned(), dir.path().join("case")] {
            for entry in std::fs::read_dir(folder).unwrap().filter_map(Result::ok) {
                if entry.path().is_file() {
                    files.push((entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()));
                }
            }
        }
        files.sort();
        files
    }

    #[test]
    fn a_seed_gives_the_same_bytes_and_another_gives_others() {
        let config = Config::new(7, 40, Worm::Ssh);
        let first = files(&config);
        assert_eq!(first, files(&config));
        assert_ne!(first, files(&Config { seed: 8, ..config }));
        assert_eq!(first.len(), 10);
    }

    #[test]
    fn what_is_missing_is_missing_and_the_truth_stays() {
        let whole = Config::new(3, 120, Worm::Smb);
        let part = Config { missing_permille: 600, ..whole.clone() };
        let dir = tempfile::tempdir().unwrap();
        let a = write(&whole, &dir.path().join("a"), None).unwrap();
        let b = write(&part, &dir.path().join("b"), None).unwrap();
        assert_eq!((a.lost, a.taken > 3), (0, true));
        let share = b.lost * 1000 / (b.lost + b.written);
        assert!((480..720).contains(&share), "{share}");
        assert!(b.taken > 3 && b.edges > 20, "{b:?}");
    }
}
