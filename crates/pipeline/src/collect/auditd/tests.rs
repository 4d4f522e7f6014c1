use super::super::testing::{read_all, samples};
use super::*;

const HEAD: &str = "arch=c000003e syscall=59 success=yes exit=0 a0=1 a1=2 items=2 ppid=10 pid=11 auid=1000 uid=0 tty=pts0 ses=3 \
                    comm=\"sh\" exe=\"/bin/dash\" key=(null)";

fn line(kind: &str, serial: u64, body: &str) -> String {
    format!("type={kind} msg=audit(1700000000.123:{serial}): {body}\n")
}

fn check(log: &str, expect: &[&str]) {
    let got = read_all(&Auditd, log.as_bytes());
    assert_eq!(got.len(), expect.len(), "{got:#?}");
    for (got, expect) in got.iter().zip(expect) {
        assert!(got.contains(expect), "{got}\nlacks {expect}");
    }
}

#[test]
fn interleaved_and_out_of_order_records_find_their_event() {
    let log = [
        line("EXECVE", 1, "argc=2 a0=\"sh\" a1=\"x.sh\""),
        line("SYSCALL", 2, &HEAD.replace("pid=11", "pid=12")),
        line("PROCTITLE", 2, "proctitle=6C73"),
        line("EOE", 1, ""),
        line("CWD", 1, "cwd=\"/tmp\""),
        line("EXECVE", 2, "argc=1 a0=\"ls\""),
        line("SYSCALL", 1, HEAD),
    ];
    let expect = [
        "pid=Some(11) ppid=Some(10) id=1700000000.123:1 process_cmd_line=\"sh x.sh\" working_directory=\"/tmp\"",
        "cmd_line=\"ls\"",
    ];
    check(&log.concat(), &expect);
    let mut backwards = log.to_vec();
    backwards.reverse();
    let got = read_all(&Auditd, backwards.concat().as_bytes());
    assert!(got[0].contains("sh x.sh") && got[1].contains("\"ls\""), "{got:#?}");
}

#[test]
fn long_arguments_come_in_parts_and_over_several_records() {
    let log = [
        line("SYSCALL", 1, HEAD),
        line("EXECVE", 1, "argc=3 a0=\"sh\" a1=\"-c\" a2_len=12 a2[0]=6563"),
        line("EXECVE", 1, "a2[1]=686F a2[2]=2078"),
    ];
    check(
        &log.concat(),
        &[
            "launch 2023-11-14T22:13:20.123000Z host=- pid=Some(11) ppid=Some(10) id=1700000000.123:1 process_cmd_line=\"sh -c echo x\"",
        ],
    );
    // With the last record lost, the process title says as much; it is marked either way.
    let lost = log[..2].concat() + &line("PROCTITLE", 1, "proctitle=7368002D63006563686F2078");
    check(&lost, &["process_cmd_line=\"sh -c echo x\" status=\"incomplete\""]);
    check(&log[..2].concat(), &["process_cmd_line=\"sh -c ec\" status=\"incomplete\""]);
}

#[test]
fn lost_records_leave_what_is_known() {
    check(
        &line("SYSCALL", 1, HEAD),
        &[
            "launch 2023-11-14T22:13:20.123000Z host=- pid=Some(11) ppid=Some(10) id=1700000000.123:1 process_file_path=\"/bin/dash\"",
        ],
    );
    check(
        &line("EXECVE", 1, "argc=1 a0=\"ls\""),
        &[
            "other 2023-11-14T22:13:20.123000Z host=- pid=None ppid=None id=1700000000.123:1 process_cmd_line=\"ls\" status=\"incomplete\"",
        ],
    );
    check(&(line("PATH", 1, "item=0 name=\"/x\"") + &line("CWD", 1, "cwd=\"/\"")), &[]);
}

#[test]
fn a_failed_exec_is_no_process() {
    let log = line("SYSCALL", 1, &HEAD.replace("success=yes exit=0", "success=no exit=-2"))
        + &line("PATH", 1, "item=0 name=\"/usr/local/bin/wget\" nametype=UNKNOWN");
    check(
        &log,
        &[
            "process_activity other 2023-11-14T22:13:20.123000Z host=- pid=Some(11) ppid=Some(10) id=1700000000.123:1 status=\"failed\" file_path=\"/usr/local/bin/wget\"",
        ],
    );
}

#[test]
fn connections_of_every_family() {
    let connect = HEAD.replace("syscall=59 success=yes exit=0", "syscall=42 success=no exit=-115");
    let to = |address: &str| line("SYSCALL", 1, &connect) + &line("SOCKADDR", 1, &format!("saddr={address}"));
    check(
        &to("020001BBC633640A0000000000000000"),
        &[
            "network_activity open 2023-11-14T22:13:20.123000Z host=- pid=Some(11) ppid=Some(10) id=1700000000.123:1 direction=\"outbound\" dst_ip=\"198.51.100.10\" dst_port=\"443\" status=\"in_progress\"",
        ],
    );
    let mapped = format!("0A00005000000000{}FFFFC6336401", "0".repeat(20));
    check(&to(&mapped), &["dst_ip=\"198.51.100.1\" dst_port=\"80\""]);
    check(&to(&mapped[..40]), &[]);
    check(&to("01002F72756E2F782E736F636B00"), &[]);
    check(&to("02"), &[]);
}

#[test]
fn files_are_found_by_their_role() {
    let call = |n: u32, rest: &str| {
        line("SYSCALL", 1, &HEAD.replace("syscall=59", &format!("syscall={n}")).replace("a0=1 a1=2", rest))
    };
    let paths = line("CWD", 1, "cwd=\"/tmp\"") + &line("PATH", 1, "item=0 name=\"/tmp\" nametype=PARENT");
    let check = |log: String, expect: &str| check(&(log + &paths), &[expect]);
    check(
        call(257, "a0=ffffff9c a1=2 a2=241") + &line("PATH", 1, "item=1 name=\"x.sh\" nametype=CREATE"),
        "file_activity create 2023-11-14T22:13:20.123000Z host=- pid=Some(11) ppid=Some(10) id=1700000000.123:1 file_path=\"/tmp/x.sh\"",
    );
    check(
        call(257, "a0=5 a1=2 a2=1") + &line("PATH", 1, "item=1 name=\"x.sh\" nametype=NORMAL"),
        "file_activity modify 2023-11-14T22:13:20.123000Z host=- pid=Some(11) ppid=Some(10) id=1700000000.123:1 file_path=\"x.sh\"",
    );
    check(call(87, "a0=5") + &line("PATH", 1, "item=1 name=\"/var/log/wtmp\" nametype=DELETE"), "file_activity delete");
}

#[test]
fn one_attempt_to_log_in_is_one_failure() {
    let body = |op: &str| {
        format!(
            "pid=5 uid=0 auid=4294967295 ses=4294967295 msg='op={op} acct=\"root\" exe=\"/usr/sbin/sshd\" hostname=? addr=192.0.2.7 terminal=ssh res=failed'"
        )
    };
    let log = line("USER_AUTH", 1, &body("PAM:authentication")) + &line("USER_LOGIN", 2, &body("login"));
    check(
        &log,
        &[
            "authentication other",
            "authentication logon_failed 2023-11-14T22:13:20.123000Z host=- pid=Some(5) ppid=None id=1700000000.123:2 process_file_path=\"/usr/sbin/sshd\" user_name=\"root\" src_ip=\"192.0.2.7\" tty=\"ssh\" detail=\"login\"",
        ],
    );
}

#[test]
fn the_window_is_bounded_and_its_oldest_event_leaves_first() {
    let mut log = line("EXECVE", 0, "argc=1 a0=\"first\"");
    for serial in 1..=u64::try_from(MAX_OPEN).unwrap() {
        log += &line("CWD", serial, "cwd=\"/\"");
    }
    // Too late: the event has left the window without it.
    log += &line("SYSCALL", 0, HEAD);
    check(&log, &["process_cmd_line=\"first\" status=\"incomplete\"", "launch"]);
}

#[test]
fn what_is_no_audit_record_is_rejected_with_its_place() {
    check(
        "type=CWD msg=audit(1700000000.1:1): cwd=\"/\"\nhello\n\0\0\0\ntype=X msg=audit(x.1:1): a\n",
        &["REJECTED at 44: not an audit record", "REJECTED at 54: unreadable time"],
    );
    assert!(
        !Auditd.recognizes(b"")
            && !Auditd.recognizes(b"\0\0\n")
            && !Auditd.recognizes(b"prose of audit(1.2:3): things\nand more")
    );
}

#[test]
fn any_cut_of_a_log_is_read() {
    let log = line("SYSCALL", 1, HEAD)
        + &line("EXECVE", 1, "argc=3 a0=\"sh\" a1[0]=\"\u{e9}\" a1[1]=41 a4294967295[4294967295]=41");
    for end in 0..log.len() {
        if log.is_char_boundary(end) {
            let _ = read_all(&Auditd, &log.as_bytes()[..end]);
        }
    }
}

#[test]
fn the_public_samples() {
    let Some(folder) = samples() else { return };
    let read = |name: &str| read_all(&Auditd, &std::fs::read(folder.join(name)).unwrap());
    let kinds = |got: &[String]| {
        let mut kinds = std::collections::BTreeMap::new();
        for line in got {
            *kinds.entry(line.split(' ').take(2).collect::<Vec<_>>().join(" ")).or_insert(0) += 1;
        }
        format!("{kinds:?}")
    };
    let azure = read("msticpy/auditd_log.txt");
    assert_eq!(
        kinds(&azure),
        "{\"authentication logoff\": 18, \"authentication logon_failed\": 191, \"authentication other\": 204, \
         \"process_activity launch\": 146, \"process_activity other\": 32}",
    );
    // The same three events, whatever order or losses they came with.
    for name in ["normal", "lost_messages", "out_of_order"] {
        let got = read(&format!("auditd_libaudit/testdata__{name}.log"));
        assert_eq!(kinds(&got), "{\"network_activity open\": 1, \"process_activity launch\": 2}", "{name}");
        assert!(
            got[1].contains("grep --color=auto mapping") && got[2].contains("cat securitybeat"),
            "{name}: {got:#?}"
        );
    }
}
