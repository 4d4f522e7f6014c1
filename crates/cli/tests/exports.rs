//! `export`, as a user types it: of the demo's findings nothing of the fleet leaves below TLP:RED.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use serde_json::Value;

fn ringleader(dir: &Path, arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringleader"));
    command.current_dir(dir).args(arguments.split(' ')).env("NO_COLOR", "1").output().unwrap()
}

fn good(dir: &Path, arguments: &str) -> String {
    let output = ringleader(dir, arguments);
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn bad(dir: &Path, arguments: &str) -> String {
    let output = ringleader(dir, arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments}");
    String::from_utf8(output.stderr).unwrap()
}

fn rows(path: &Path) -> Vec<String> {
    let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
    reader.get_row_iter(None).unwrap().map(|it| it.unwrap().to_string()).collect()
}

/// Whatever is the fleet's, from files that no export is made from but one.
fn victims(findings: &Path) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    let mut host = |name: &str| {
        let name = name.to_lowercase();
        out.extend(
            name.split_once('.').filter(|_| name.parse::<std::net::IpAddr>().is_err()).map(|it| it.0.to_owned()),
        );
        out.insert(name);
    };
    for name in ["episodes.parquet", "members.parquet", "repairs.parquet"] {
        let reader = SerializedFileReader::new(fs::File::open(findings.join(name)).unwrap()).unwrap();
        for row in reader.get_row_iter(None).unwrap() {
            let row = row.unwrap();
            let (_, it) = row.get_column_iter().find(|it| it.0 == "host").unwrap();
            if let parquet::record::Field::Str(text) = it {
                host(text);
            }
        }
    }
    let gangs: Value = serde_json::from_slice(&fs::read(findings.join("gangs.json")).unwrap()).unwrap();
    for name in gangs.as_array().unwrap().iter().flat_map(|it| it["who"]["hosts"].as_array().unwrap()) {
        host(name.as_str().unwrap());
    }
    for line in fs::read_to_string(findings.join("fleet.jsonl")).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        host(line["host"].as_str().unwrap());
        for it in line["addresses"].as_array().unwrap() {
            host(it.as_str().unwrap());
            host(&it.as_str().unwrap().replace('.', "-"));
        }
    }
    // The sample has a file that is named after what it holds, and a host after the file: a word of every URL.
    assert!(out.remove("http"), "{out:?}");
    out
}

/// Whether a name stands in a text: an address not within a longer one, a name not before further digits.
fn stands(text: &str, name: &str) -> bool {
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let is_address = name.parse::<std::net::IpAddr>().is_ok();
    text.match_indices(name).any(|(at, _)| {
        let next = text[at + name.len()..].chars().next();
        let last = text[..at].chars().next_back();
        !digit(next) && !(is_address && (digit(last) || last == Some('.')))
    })
}

#[test]
fn nothing_of_the_demos_fleet_leaves_below_red() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    good(dir, "demo --out findings");
    let findings = dir.join("findings");
    let victims = victims(&findings);
    assert!(victims.len() > 40, "{victims:?}");
    for tlp in ["clear", "green", "amber", "amber+strict", "red"] {
        good(dir, &format!("export all --out findings --tlp {tlp} --to shared"));
        let mut found = BTreeSet::new();
        let mut files = 0;
        for entry in fs::read_dir(dir.join("shared")).unwrap() {
            let path = entry.unwrap().path();
            files += 1;
            let text = match path.extension().is_some_and(|it| it == "parquet") {
                true => rows(&path).join("\n"),
                false => fs::read_to_string(&path).unwrap(),
            };
            let text = text.to_lowercase();
            let leaks: Vec<&String> = victims.iter().filter(|it| stands(&text, it)).collect();
            assert!(tlp == "red" || leaks.is_empty(), "{} at {tlp}: {leaks:?}", path.display());
            assert!(tlp == "red" || !text.contains("/home/") || text.contains("/home/user-"), "{}", path.display());
            found.extend(leaks.into_iter().cloned());
        }
        assert!(files >= 15, "{files}");
        assert!(tlp != "red" || found.len() >= 20, "red names victims: {found:?}");
    }
    // What the run itself wrote for others.
    for name in ["stix.json", "misp.json", "navigator.json", "blocklist.txt"] {
        let text = fs::read_to_string(findings.join(name)).unwrap().to_lowercase();
        let leaks: Vec<&String> = victims.iter().filter(|it| stands(&text, it)).collect();
        assert!(leaks.is_empty(), "{name}: {leaks:?}");
        assert!(text == fs::read_to_string(findings.join(name)).unwrap().to_lowercase());
    }
    good(dir, "export stix misp navigator blocklist --out findings --to again");
    for name in ["stix.json", "misp.json", "navigator.json", "blocklist.txt"] {
        assert!(fs::read(findings.join(name)).unwrap() == fs::read(dir.join("again").join(name)).unwrap(), "{name}");
    }

    // One gang, on standard output, and what is told where there is none.
    let gangs: Value = serde_json::from_slice(&fs::read(findings.join("gangs.json")).unwrap()).unwrap();
    let id = gangs[0]["gang_id"].as_str().unwrap();
    let one: Value =
        serde_json::from_str(&good(dir, &format!("export stix --out findings --gang {} --to -", &id[..8]))).unwrap();
    let sets = one["objects"].as_array().unwrap().iter().filter(|it| it["type"] == "intrusion-set").count();
    assert_eq!(sets, 1);
    assert!(bad(dir, "export stix --out findings --gang nobody --to -").contains("is called nobody"));
    assert!(bad(dir, "export stix misp --out findings --to -").contains("one format, not 2"));
    assert!(bad(dir, "export excel --out findings").contains("no export is called `excel`"));
    assert!(bad(dir, "export stix --out nowhere").contains("findings folder"));
    assert!(bad(dir, "export stix --tlp white").contains("amber+strict"));

    // What was shared names the gang elsewhere, by what it said of it.
    good(dir, "run findings/logs --year 2026 --intel again/stix.json --intel-confidence 90 --out named");
    let named: Value = serde_json::from_slice(&fs::read(dir.join("named/gangs.json")).unwrap()).unwrap();
    let told = |it: &&Value| {
        it["suggestions"]
            .as_array()
            .is_some_and(|it| it.iter().any(|it| it["because"].to_string().contains("says stix.json (")))
    };
    assert!(named.as_array().unwrap().iter().filter(told).count() >= 2, "{named:#}");
}

#[test]
fn formats_are_listed() {
    let dir = tempfile::tempdir().unwrap();
    let text = good(dir.path(), "export --list");
    assert!(text.lines().count() >= 15, "{text}");
    let list: Value = serde_json::from_str(&good(dir.path(), "export --list --json")).unwrap();
    assert!(list.as_array().unwrap().iter().all(|it| text.contains(it["file"].as_str().unwrap())));
}
