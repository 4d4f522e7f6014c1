//! What a user's folder of Sigma rules can hold: every log source and modifier that applies, correlations, filters, and
//! what does not work. For tests.

use super::cases::{Line, seen};
use super::episode::{Knowledge, Labeller};
use super::*;

fn rule(source: &str, detection: &str, more: &str) -> String {
    format!("title: A rule of a user\nlogsource:\n{source}\ndetection:\n{detection}\nlevel: high\n{more}")
}

fn knowledge(texts: &[(&str, String)]) -> (Knowledge, Vec<RuleProblem>) {
    let texts: Vec<_> = texts.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect();
    let (behaviours, problems) = Behaviours::with_rules(&texts);
    (Knowledge { behaviours, ..Knowledge::built_in() }, problems)
}

fn lines(text: &str) -> Vec<Line> {
    text.lines().filter(|it| !it.trim().is_empty()).map(|it| serde_json::from_str(it).unwrap()).collect()
}

/// Each rule's text with events in which it is to be seen, and others in which it is not: all rules are read together.
fn check(cases: &[(String, Vec<String>, Vec<String>)]) {
    let texts: Vec<_> = cases.iter().zip(0..).map(|(it, at)| (format!("mine_{at}"), it.0.clone())).collect();
    let (behaviours, problems) = Behaviours::with_rules(&texts);
    assert_eq!(problems, []);
    let knowledge = Knowledge { behaviours, ..Knowledge::built_in() };
    let mut labeller = Labeller::new(&knowledge);
    let mut wrong = Vec::new();
    for ((text, yes, no), (name, _)) in cases.iter().zip(&texts) {
        let own = |it: &String| it == name || it.strip_prefix(name.as_str()).is_some_and(|it| it.starts_with('_'));
        for (events, expected) in yes.iter().map(|it| (it, true)).chain(no.iter().map(|it| (it, false))) {
            let seen = seen(&knowledge, &mut labeller, &lines(events));
            if seen.iter().any(own) != expected {
                wrong.push(format!("expected {expected}: {text}\n{events}\nsaw {seen:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

const PROCESS: &str = "    category: process_creation";

#[test]
fn every_log_source_that_is_read_can_be_asked() {
    let cases = [
        (
            "    category: file_event\n    product: linux",
            "TargetFilename|endswith: '.service'",
            r#"["file_activity","create",{"file_path":"/etc/systemd/system/x.service"}]"#,
        ),
        (
            "    category: file_delete\n    product: windows",
            "TargetFilename|endswith: '.evtx'",
            r#"["file_activity","delete",{"file_path":"C:\\\\x.evtx"}]"#,
        ),
        (
            "    category: network_connection\n    product: linux",
            "DestinationPort: 3333",
            r#"["network_activity","open",{"dst_ip":"192.0.2.1","dst_port":"3333","process_file_path":"/x"}]"#,
        ),
        (
            "    category: network_connection",
            "DestinationIp|cidr: '192.0.2.0/24'",
            r#"["network_activity","open",{"dst_ip":"192.0.2.1","dst_port":"1"}]"#,
        ),
        (
            "    category: dns_query",
            "QueryName|endswith: '.evil.example'",
            r#"["network_activity","query",{"query_hostname":"a.evil.example"}]"#,
        ),
        (
            "    category: webserver",
            "cs-uri-query|contains: 'union select'\n        sc-status: 200",
            r#"["http_activity","request",{"url":"/a?q=1 union select 2","http_status":"200"}]"#,
        ),
        (
            "    category: proxy",
            "c-useragent|startswith: 'evil'",
            r#"["http_activity","request",{"http_user_agent":"evil/1","url":"/"}]"#,
        ),
        (
            "    category: ps_script\n    product: windows",
            "ScriptBlockText|contains|all:\n            - 'New-Object'\n            - 'Net.Sockets'",
            r#"["process_activity","other",{"detail":"script block 1 of 1","http_body":"New-Object Net.Sockets.TCPClient"}]"#,
        ),
        (
            "    service: security\n    product: windows",
            "EventID: 4625\n        LogonType: 3",
            r#"["authentication","logon_failed",{"logon_type":"3","user_name":"C\\\\a"}]"#,
        ),
        (
            "    service: system\n    product: windows",
            "EventID: 7045\n        ServiceName|re: '^[a-z]{4}$'",
            r#"["process_activity","service_created",{"service_name":"abcd","process_cmd_line":"x"}]"#,
        ),
    ];
    let cases: Vec<_> = cases
        .iter()
        .map(|(source, detection, event)| {
            let text = rule(source, &format!("    s:\n        {detection}\n    condition: s"), "");
            let event = event.replace("\\\\", "\\");
            let other = r#"{"event":["network_activity","listen",{"dst_port":"80"}]}"#.to_owned();
            (text, vec![format!("{{\"event\":{event}}}")], vec![other])
        })
        .collect();
    check(&cases);
}

#[test]
fn modifiers_work_as_sigma_says() {
    let cases = [
        ("CommandLine|contains|all: ['aa', 'bb']", "xaay bb", "xaay"),
        ("CommandLine|startswith: 'aa'", "AA b", "b aa"),
        ("CommandLine|base64offset|contains: 'http:/'", "echo aHR0cDovL2E=", "echo aHR0"),
        ("CommandLine|wide|base64offset|contains: 'IEX'", "x SQBFAFgA", "x SUVY"),
        ("CommandLine|windash|contains: ' -enc '", "p /enc x", "p enc x"),
        ("CommandLine|cased|contains: 'Abc'", "x Abc", "x abc"),
        ("CommandLine|re|i: 'a+B$'", "xAAb", "xc"),
        ("CommandLine: 'wget*http*'", "wget -q HTTP://x", "curl http://x"),
        ("Image|endswith: '/x'\n        User: null", "a", ""),
        ("ParentImage|fieldref: Image", "", ""),
    ];
    let line = |cmd: &str, parent: &str| {
        serde_json::json!({"file_path": "/x", "cmd_line": cmd, "parent_file_path": parent}).to_string()
    };
    let cases: Vec<_> = cases
        .iter()
        .map(|(detection, yes, no)| {
            let text = rule(PROCESS, &format!("    s:\n        {detection}\n    condition: s"), "");
            let no = if no.is_empty() { vec![] } else { vec![line(no, "/p")] };
            if detection.contains("fieldref") {
                (text, vec![line("a", "/x")], vec![line("a", "/y")])
            } else {
                (text, vec![line(yes, "/p")], no)
            }
        })
        .collect();
    check(&cases);
}

#[test]
fn correlations_count_on_one_host() {
    let base = rule(
        "    service: security\n    product: windows",
        "    s:\n        EventID: 4625\n    condition: s",
        "name: refused\n",
    );
    let many = format!(
        "{base}---\ntitle: Many refused\ncorrelation:\n    type: event_count\n    rules: [refused]\n    group-by: [IpAddress]\n    \
         timespan: 1m\n    condition:\n        gte: 3\nlevel: high\n"
    );
    let refused = |ip: &str, start: i64| {
        format!(
            r#"{{"start":{start},"event":["authentication","logon_failed",{{"logon_type":"3","user_name":"a","src_ip":"{ip}"}}]}}"#
        )
    };
    let three = |ips: [&str; 3], step: i64| -> String {
        ips.iter().zip(0..).map(|(ip, at)| refused(ip, at * step) + "\n").collect()
    };
    // Of other groups; too far apart.
    let not = vec![three(["192.0.2.1", "192.0.2.2", "192.0.2.1"], 5), three(["192.0.2.1"; 3], 50)];

    let step = |name: &str, word: &str| {
        rule(
            PROCESS,
            &format!("    s:\n        CommandLine|contains: '{word}'\n    condition: s"),
            &format!("name: {name}\n"),
        )
    };
    let ordered = format!(
        "{}---\n{}---\ntitle: One after the other\ncorrelation:\n    type: temporal_ordered\n    rules: [first, second]\n    group-by: \
         [User]\n    timespan: 1m\nlevel: medium\n",
        step("first", "alpha"),
        step("second", "beta")
    );
    let run = |words: [&str; 2]| -> String {
        words.iter().map(|it| format!("{{\"file_path\":\"/x\",\"cmd_line\":\"x {it}\"}}\n")).collect()
    };
    check(&[
        (many, vec![three(["192.0.2.1"; 3], 5)], not),
        (ordered, vec![run(["alpha", "beta"])], vec![run(["beta", "alpha"])]),
    ]);
}

#[test]
fn filters_leave_out_what_they_say() {
    let mine = rule(
        PROCESS,
        "    s:\n        CommandLine|contains: 'curl'\n    condition: s",
        "id: 6f1c1c2e-0000-4000-8000-000000000001\n",
    );
    let filter = "title: Not by the backup\nlogsource:\n    category: process_creation\nfilter:\n    rules: [6f1c1c2e-0000-4000-8000-000000000001]\n    f:\n        User: backup\n    condition: not f\n";
    let line = |user: &str| {
        let fields = serde_json::json!({"process_file_path": "/x", "process_cmd_line": "curl a", "user_name": user});
        format!("{{\"event\":[\"process_activity\",\"launch\",{fields}]}}")
    };
    check(&[(format!("{mine}---\n{filter}"), vec![line("root")], vec![line("backup")])]);
}

#[test]
fn what_cannot_work_is_told_and_costs_itself_alone() {
    let process = |detection: &str| rule(PROCESS, &format!("    s:\n        {detection}\n    condition: s"), "");
    let (knowledge, problems) = knowledge(&[
        ("everything", process("CommandLine: '*'")),
        ("nothing", rule(PROCESS, "    s:\n        CommandLine|contains: 'x y z'\n    condition: not s", "")),
        ("half", process("CommandLine|contains: 'e'")),
        ("endless", process("CommandLine|re: '(a{1000}){1000}'")),
        ("backtracks", process("CommandLine|re: '(a+)+$'")),
        ("looks_around", process("CommandLine|re: 'a(?=b)'")),
        ("registry", rule("    category: registry_set\n    product: windows", "    s:\n        TargetObject: x\n    condition: s", "")),
        ("unheld", process("OriginalFileName: 'x.exe'")),
        ("unheld_in_part", process("Image|endswith: '/q'\n    o:\n        OriginalFileName: 'x.exe'").replace("condition: s", "condition: s or o")),
        ("lonely", "title: t\ncorrelation:\n    type: event_count\n    rules: [nobody]\n    timespan: 1m\n    condition:\n        gte: 2\n".to_owned()),
        ("no_rule", "just: text\n".to_owned()),
        ("not_yaml", "\u{1}: [".to_owned()),
    ]);
    let told = |name: &str| problems.iter().find(|it| it.name == name).map(|it| (it.used, it.what.as_str()));
    assert_eq!(told("everything"), Some((false, "matches whatever is logged")));
    assert_eq!(told("nothing"), Some((false, "matches whatever is logged")));
    let half = told("half").unwrap();
    assert!(half.0 && half.1.contains("of 100 ordinary processes"), "{half:?}");
    assert_eq!(knowledge.behaviours.all().iter().find(|it| it.id == "half").unwrap().severity, Severity::Low);
    assert_eq!(told("registry"), Some((false, "log source category `registry_set` is not looked at")));
    assert_eq!(told("unheld"), Some((false, "needs what is not kept of an event: `OriginalFileName`")));
    assert_eq!(told("unheld_in_part"), None);
    assert_eq!(told("lonely"), Some((false, "counts the rule `nobody`, which is not there or not looked for")));
    for name in ["endless", "looks_around", "no_rule", "not_yaml"] {
        assert!(told(name).is_some_and(|it| !it.0), "{name}: {:?}", told(name));
    }
    // A pattern that would take others for ever.
    let line = format!(r#"{{"file_path":"/x","cmd_line":"{}!"}}"#, "a".repeat(60_000));
    let start = std::time::Instant::now();
    let seen = seen(&knowledge, &mut Labeller::new(&knowledge), &lines(&line));
    assert!(!seen.contains(&"backtracks".to_owned()) && start.elapsed().as_secs() < 20);
}

#[test]
fn rules_for_one_system_are_not_asked_of_another() {
    let text = |product: &str| {
        rule(
            &format!("{PROCESS}\n    product: {product}"),
            "    s:\n        CommandLine|contains: 'needle'\n    condition: s",
            "",
        )
    };
    let line = |image: &str| serde_json::json!({"file_path": image, "cmd_line": "x needle"}).to_string();
    let places = [("linux", "/usr/bin/x"), ("windows", "C:\\x.exe"), ("macos", "/Applications/X.app/x")];
    let cases: Vec<_> = places
        .iter()
        .enumerate()
        .map(|(at, (product, _))| {
            // Of a Unix program nobody knows for sure that it is not Linux'.
            let is_for = |other: usize| at == other || (*product == "linux" && other == 2);
            let of = |wanted: bool| (0..3).filter(|it| is_for(*it) == wanted).map(|it| line(places[it].1)).collect();
            (text(product), of(true), of(false))
        })
        .collect();
    check(&cases);
}
