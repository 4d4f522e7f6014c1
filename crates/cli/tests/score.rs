//! `simulate`, `run`, `score`: as a user types them.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::process::{Command, Output};

use serde_json::Value;

fn ringleader(dir: &std::path::Path, arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringleader"));
    command.current_dir(dir).args(arguments.split(' ')).env("NO_COLOR", "1").output().unwrap()
}

fn good(dir: &std::path::Path, arguments: &str) -> String {
    let output = ringleader(dir, arguments);
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn bad(dir: &std::path::Path, arguments: &str) -> String {
    let output = ringleader(dir, arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_simulated_log_is_run_and_scored() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    good(dir, "simulate --events 60000 --seed 3 --loss 200 --one-off 100 --out l.ndjson --truth l.truth.tsv");
    let log = std::fs::read(dir.join("l.ndjson")).unwrap();
    assert_eq!(log.iter().filter(|it| **it == b'\n').count(), 60_000);
    assert_eq!(good(dir, "simulate --events 60000 --seed 3 --loss 200 --one-off 100 --out -").as_bytes(), log);
    good(dir, "run l.ndjson --processes --out f");

    let score: Value = serde_json::from_str(&good(dir, "score l.truth.tsv f --log l.ndjson --json")).unwrap();
    let number = |path: &str| score.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("no {path}"));
    assert_eq!(number("/findings/events/logged"), 60_000.0);
    assert_eq!((number("/findings/links/events"), number("/findings/links/absent")), (60_000.0, 0.0));
    // What holds of every version worth the name.
    assert!(number("/findings/links/right_share") >= number("/baseline/links/right_share"));
    assert!(number("/findings/events/precision") > number("/baseline/events/precision"));
    assert!(number("/findings/events/recall") > 0.5);
    assert!(number("/repairs/lost") > 100.0);
    let incidents = std::fs::read_to_string(dir.join("l.truth.incidents.tsv")).unwrap();
    assert!(number("/findings/incidents/logged") <= incidents.lines().count() as f64);

    let text = good(dir, "score l.truth.tsv f --log l.ndjson");
    for what in ["Parent links, 60,000 events", "baseline", "adjusted Rand index", "Repairs,", "Compression", "burrow"]
    {
        assert!(text.contains(what), "no {what} in {text}");
    }
    assert!(!text.contains('\x1b'));
}

#[test]
fn what_is_asked_wrongly_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    assert!(bad(dir, "simulate --out log --truth log").contains("over the log"));
    assert!(bad(dir, "simulate --out log --loss 1000").contains("900"));
    assert!(bad(dir, "score nowhere nothing").contains("is this a findings folder?"));
}
