//! `report` and `--sensors`: days of runs with a ledger, as a user types them.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(feature = "ledger")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn ringleader(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringleader"));
    command.current_dir(dir).args(arguments).env("NO_COLOR", "1").env("RINGLEADER_WHO", "test").output().unwrap()
}

fn good(dir: &Path, arguments: &str) -> String {
    let output = ringleader(dir, &arguments.split(' ').collect::<Vec<_>>());
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn bad(dir: &Path, arguments: &str) -> String {
    let output = ringleader(dir, &arguments.split(' ').collect::<Vec<_>>());
    assert_eq!(output.status.code(), Some(2), "{arguments}");
    String::from_utf8(output.stderr).unwrap()
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn days_of_runs_come_to_a_report_and_decoys_are_early() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    good(dir, "simulate --month 3 --hosts 60 --events 9000 --seed 5 --out logs");
    assert!(bad(dir, "simulate --month 3 --out -").contains("cannot go to standard output"));
    std::fs::write(dir.join("sensors.toml"), "[[sensor]]\nname = 'farm'\nhosts = ['*1', '*3', '*5']\n").unwrap();
    std::fs::write(dir.join("places.csv"), "*2,shop,eu,retail,web\n*4,,us,,\n").unwrap();
    good(dir, "ledger places places.csv --ledger l.db");
    for day in ["01", "02", "03"] {
        good(dir, &format!("run logs/day-{day}.ndjson --ledger l.db --sensors sensors.toml --out f{day}"));
    }

    // Every decoy is one by the map, and what hit both has a lead, or production was first.
    let mut both = 0;
    for day in ["f01", "f02", "f03"] {
        let honeynet = json(&dir.join(day).join("honeynet.json"));
        for it in honeynet["decoys"].as_array().unwrap() {
            assert!(it["host"].as_str().unwrap().ends_with(['1', '3', '5']) && it["name"] == "farm", "{it}");
        }
        for it in honeynet["groups"].as_array().unwrap() {
            assert_eq!(it["standing"] == "both", it["production_hosts"].as_u64().unwrap() > 0, "{it}");
            both += u32::from(it["standing"] == "both");
        }
        assert!(std::fs::read_to_string(dir.join(day).join("report.html")).unwrap().contains("id=\"honeynet\""));
    }
    assert!(both > 0);
    let warnings =
        ["f01", "f02", "f03"].map(|it| std::fs::read_to_string(dir.join(it).join("warnings.jsonl")).unwrap());
    assert!(warnings.iter().any(|it| it.contains("sensor_first")), "{warnings:?}");

    // Each tenant reads of its own hosts.
    std::fs::write(dir.join("whose.csv"), "*2,shop\n*4,bank\n*6,clinic\n*8,games\n").unwrap();
    good(dir, "ledger places whose.csv --ledger n.db");
    good(dir, "run logs/day-03.ndjson --ledger n.db --out n");
    let ends = [("shop", '2'), ("bank", '4'), ("clinic", '6'), ("games", '8')];
    let gangs = json(&dir.join("n/gangs.json"));
    let hosts: Vec<&str> = gangs
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|it| it["who"]["hosts"].as_array().unwrap())
        .map(|it| it.as_str().unwrap())
        .collect();
    let mut notices = 0;
    for (tenant, end) in ends {
        let own: Vec<&&str> = hosts.iter().filter(|it| it.ends_with(end)).collect();
        let path = dir.join(format!("n/notices/{tenant}.md"));
        assert_eq!(path.exists(), !own.is_empty(), "{tenant}");
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        notices += 1;
        assert!(own.iter().all(|it| text.contains(**it)), "{tenant}");
        for other in hosts.iter().filter(|it| !it.ends_with(end)) {
            assert!(!text.contains(*other), "{tenant} reads of {other}");
        }
        for (other, _) in ends.iter().filter(|it| it.0 != tenant) {
            assert!(!text.contains(other), "{tenant} reads of {other}");
        }
    }
    assert!(notices > 1, "{hosts:?}");

    let told = good(dir, "report --period week --from 2026-03-01 --ledger l.db --out a");
    assert!(told.starts_with("2026-03-01 to 2026-03-07: ") && told.contains("rise and fall are not told"), "{told}");
    good(dir, "report --period week --from 2026-03-01 --ledger l.db --out b");
    for file in ["trend.html", "trend.md", "trend.json"] {
        assert_eq!(std::fs::read(dir.join("a").join(file)).unwrap(), std::fs::read(dir.join("b").join(file)).unwrap());
    }
    // The same numbers as the findings that were recorded.
    let trend = json(&dir.join("a/trend.json"));
    assert_eq!(trend["now"]["days"], 3);
    let episodes = trend["now"]["episodes"].as_u64().unwrap();
    assert!(episodes > 0 && trend["now"]["hosts"].as_u64().unwrap() <= 60);
    let of_gangs: u64 =
        trend["gangs"].as_array().unwrap().iter().map(|it| it["now"]["episodes"].as_u64().unwrap()).sum();
    assert_eq!(of_gangs, episodes);
    // A run that is read again changes nothing.
    good(dir, "run logs/day-02.ndjson --ledger l.db --sensors sensors.toml --out f02b");
    good(dir, "report --period week --from 2026-03-01 --ledger l.db --out c");
    assert_eq!(trend, json(&dir.join("c/trend.json")));

    let known = |it: &&Value| it["indicators"]["alive"].as_u64().unwrap() > 0;
    let id = trend["gangs"].as_array().unwrap().iter().find(known).unwrap()["gang_id"].as_str().unwrap();
    good(dir, &format!("gang name {id} Knot --ledger l.db"));
    good(dir, "report --period week --from 2026-03-01 --gang Knot --lang zh --ledger l.db --out k");
    let page = std::fs::read_to_string(dir.join("k/trend.html")).unwrap();
    assert!(page.contains("<h1>Knot：2026-03-01 至 2026-03-07</h1>") && page.contains("识别依据"));
    assert_eq!(json(&dir.join("k/trend.json"))["gangs"].as_array().unwrap().len(), 1);
}

#[test]
fn what_is_wrong_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    assert!(bad(dir, "report --ledger absent.db").contains("there is no ledger at absent.db"));
    good(dir, "ledger migrate --ledger l.db");
    assert!(bad(dir, "report --ledger l.db").contains("holds no activity by day yet"));
    assert!(bad(dir, "report --ledger l.db --from yesterday").contains("write it as 2026-04-01"));
    std::fs::write(dir.join("bad.toml"), "[[sensor]]\nname = 'a'\nhosts = ['*']\n").unwrap();
    std::fs::write(dir.join("log.ndjson"), "{}\n").unwrap();
    let told = bad(dir, "run log.ndjson --sensors bad.toml");
    assert!(told.contains("not a map of sensors") && told.contains("every host a decoy"), "{told}");
}
