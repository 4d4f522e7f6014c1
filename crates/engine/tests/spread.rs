//! The incident of the story, from logs that we wrote: the picture, the lists, the discrepancies, the first host.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ringleader_engine::Config;
use ringleader_engine::assemble::Known;
use ringleader_engine::collect::Quiet;
use ringleader_engine::sources::Input;
use ringleader_model::Rows;
use ringleader_model::findings::{EdgeClass, Spread, Verdict};
use ringleader_pipeline::label::episode::Knowledge;
use ringleader_pipeline::reconstruct::{Question, Rules};

fn incident(inputs: &[PathBuf], question: &Question) -> Spread {
    static KNOWLEDGE: OnceLock<Knowledge> = OnceLock::new();
    let knowledge = KNOWLEDGE.get_or_init(Knowledge::built_in);
    let inputs: Vec<Input> = inputs.iter().cloned().map(Input::Path).collect();
    let config = Config { collect: common::collect_config(2, 256 << 20), processes: false, known: Known::default() };
    let mut rows = Rows::default();
    let rules = Rules::built_in();
    let run =
        ringleader_engine::spread::spread(&inputs, knowledge, &config, question, &rules, &Quiet, &mut rows).unwrap();
    let spread = run.findings.spread.unwrap();
    if std::env::var_os("RINGLEADER_SHOW").is_some() {
        show(&spread);
        println!("{:#?}", run.findings.summary.sources);
    }
    let ids: BTreeSet<&str> = run.findings.evidence.iter().map(|it| &*it.evidence_id).collect();
    let claimed =
        spread.hosts.iter().flat_map(|it| &it.evidence_ids).chain(spread.edges.iter().flat_map(|it| &it.evidence_ids));
    claimed.for_each(|it| assert!(ids.contains(&**it), "{it} has no evidence"));
    spread
}

fn show(spread: &Spread) {
    println!("window {:?}", spread.window);
    for it in &spread.hosts {
        println!(
            "host {} {:?} {} alerted={} missed={} {:?} {:?}",
            it.host,
            it.verdict,
            it.confidence.to_f64(),
            it.alerted,
            it.missed_by_alerts,
            it.first_seen.map(|it| it.to_string()),
            it.method
        );
        for reason in &it.reasons {
            println!("       {:+} {} {}", reason.points, reason.rule, reason.text);
        }
    }
    for it in &spread.edges {
        println!(
            "edge {} -> {} {:?} {} {:?} {:?} {:?}",
            it.from,
            it.to,
            it.class,
            it.confidence.to_f64(),
            it.observations,
            it.method,
            it.first_seen.map(|it| it.to_string())
        );
    }
    for it in &spread.patient_zero {
        println!("zero {} {} {:?} {:#?}", it.host, it.likelihood.to_f64(), it.entry, it.look_at);
    }
    for it in &spread.discrepancies {
        println!("but {} {:?} {}", it.kind, it.host, it.text);
    }
    for it in &spread.lists {
        println!("list {} {:?}", it.list, it.hosts);
    }
    println!("clocks {:?}", spread.clocks);
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/incident")
}

fn story() -> Vec<PathBuf> {
    vec![fixtures().join("logs"), fixtures().join("artefacts")]
}

/// `from to`, sorted.
fn of_class(spread: &Spread, classes: &[EdgeClass]) -> Vec<String> {
    let mut edges: Vec<String> = spread
        .edges
        .iter()
        .filter(|it| classes.contains(&it.class))
        .map(|it| format!("{} {}", it.from, it.to))
        .collect();
    edges.sort();
    edges
}

fn list<'a>(spread: &'a Spread, name: &str) -> Vec<&'a str> {
    spread.lists.iter().find(|it| &*it.list == name).unwrap().hosts.iter().map(|it| &**it).collect()
}

const TAKEN: [&str; 5] = ["10.0.3.19", "192.168.0.3", "192.168.0.4", "192.168.4.4", "192.168.4.19"];
/// Of the sweep by 10.0.3.19.
const SWEPT: [u8; 20] = [1, 2, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 20, 21, 22, 23, 24, 25, 26];

fn check_picture(spread: &Spread) {
    assert_eq!(
        of_class(spread, &[EdgeClass::Compromised]),
        ["192.168.0.3 192.168.0.4", "192.168.0.4 192.168.4.19", "192.168.0.4 192.168.4.4", "192.168.4.4 10.0.3.19"]
    );
    assert_eq!(
        of_class(spread, &[EdgeClass::AttackedFailed, EdgeClass::AttackedUnknown]),
        [
            "192.168.0.3 192.168.0.6",
            "192.168.0.4 192.168.0.201",
            "192.168.4.19 192.168.4.227",
            "192.168.4.4 192.168.4.227"
        ]
    );
    let mut scanned: Vec<String> = SWEPT.iter().map(|it| format!("10.0.3.19 10.0.3.{it}")).collect();
    scanned.extend(
        ["192.168.0.4 192.168.0.109", "192.168.0.4 192.168.0.13", "192.168.0.4 192.168.0.7"].map(str::to_owned),
    );
    scanned.sort();
    assert_eq!(of_class(spread, &[EdgeClass::Scanned]), scanned);
}

#[test]
fn the_story_as_it_was_told() {
    let spread = incident(&story(), &Question::default());
    check_picture(&spread);
    assert_eq!(list(&spread, "connected"), ["10.0.3.19", "192.168.0.3", "192.168.0.4", "192.168.4.4", "192.168.4.19"]);
    let called = list(&spread, "scanned_or_attacked");
    assert_eq!(called.len(), 4 + 3 + 3 + SWEPT.len());
    assert_eq!(list(&spread, "executed"), TAKEN);
    assert_eq!(list(&spread, "open_not_exploited"), ["10.0.3.1", "10.0.3.2", "192.168.0.7", "192.168.0.13"]);
    let told = |kind: &str| -> Vec<&str> {
        spread.discrepancies.iter().filter(|it| &*it.kind == kind).filter_map(|it| it.host.as_deref()).collect()
    };
    assert_eq!(told("alerted_without_evidence"), ["192.168.4.10"]);
    assert_eq!(told("taken_not_alerted"), ["192.168.4.19"]);
    let verdict = |host: &str| spread.hosts.iter().find(|it| &*it.host == host).map(|it| it.verdict);
    assert_eq!(verdict("192.168.4.10"), Some(Verdict::AlertedOnly));
    assert_eq!(verdict("192.168.0.6"), Some(Verdict::Attacked));
    assert_eq!(verdict("192.168.4.227"), Some(Verdict::Attacked));
    assert_eq!(verdict("192.168.0.13"), Some(Verdict::Scanned));
    // The administrator and the scanner are not of it.
    assert_eq!(verdict("192.168.0.30"), Some(Verdict::CleanAsSeen));
    assert_eq!(verdict("192.168.0.40"), Some(Verdict::CleanAsSeen));
    let zero = &spread.patient_zero[0];
    assert_eq!((&*zero.host, &zero.entry), ("192.168.0.3", &None));
    assert!(zero.likelihood.thousandths() > 800 && zero.look_at.len() >= 3, "{zero:?}");
}

#[test]
fn an_asset_list_gives_roles_and_changes_no_verdict() {
    let mut inputs = story();
    inputs.push(fixtures().join("assets.csv"));
    let spread = incident(&inputs, &Question::default());
    check_picture(&spread);
    let host = |shown: &str| spread.hosts.iter().find(|it| &*it.host == shown).unwrap();
    assert_eq!(host("192.168.0.3").role.as_deref(), Some("development server"));
    assert!(host("192.168.0.3").names.iter().any(|it| &**it == "dev-app-1"));
    let first = &spread.containment.isolate[1];
    assert_eq!((&*first.host, first.breaks.is_some()), ("192.168.0.4", true));
}

#[test]
fn what_an_analyst_decided_goes_before_the_sum() {
    let decide = |host: &str, verdict: Verdict| Question {
        decided: [(host.to_owned(), verdict)].into_iter().collect(),
        ..Question::default()
    };
    // Attacked, and nobody watched it: who was there says that it is taken.
    let spread = incident(&story(), &decide("192.168.4.227", Verdict::Compromised));
    let host = spread.hosts.iter().find(|it| &*it.host == "192.168.4.227").unwrap();
    assert_eq!((host.verdict, host.confidence.thousandths()), (Verdict::Compromised, 1000));
    assert!(host.reasons.iter().any(|it| &*it.rule == "decided"));
    assert!(of_class(&spread, &[EdgeClass::Compromised]).iter().any(|it| it.ends_with(" 192.168.4.227")));
    assert!(spread.containment.isolate.iter().any(|it| &*it.host == "192.168.4.227"));
    // And that one was a test machine.
    let spread = incident(&story(), &decide("10.0.3.19", Verdict::CleanAsSeen));
    let host = spread.hosts.iter().find(|it| &*it.host == "10.0.3.19").unwrap();
    assert_eq!(host.verdict, Verdict::CleanAsSeen);
    assert!(spread.containment.isolate.iter().all(|it| &*it.host != "10.0.3.19"));
}

#[test]
fn with_the_way_in_logged_it_is_named() {
    for inbound in [vec!["inbound"], vec!["inbound/border.csv"]] {
        let mut inputs = story();
        inputs.extend(inbound.iter().map(|it| fixtures().join(it)));
        let spread = incident(&inputs, &Question::default());
        let zero = &spread.patient_zero[0];
        let entry = zero.entry.as_ref().unwrap();
        assert_eq!(
            (&*zero.host, &*entry.method, entry.source.as_deref()),
            ("192.168.0.3", "eternalblue", Some("203.0.113.66"))
        );
    }
}

/// The public samples, where they are.
fn samples() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("RINGLEADER_SAMPLES").map_or(beside, Into::into);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no samples");
    None
}

/// File, method, verdict of the target: as the operator's console in each truth file tells. Source and target are
/// WORKSTATION5 and WORKSTATION6 in all of them.
const LATERAL: [(&str, &str, Verdict); 7] = [
    ("covenant_psremoting_command", "winrm_exec", Verdict::Compromised),
    ("covenant_com_wsman_automation", "winrm_exec", Verdict::Compromised),
    ("covenant_sharpwmi_create_dcerpc_wmi", "wmi_exec", Verdict::Compromised),
    ("schtask_create", "remote_scheduled_task", Verdict::Compromised),
    // Copied, and never run.
    ("covenant_copy_smb_CreateRequest", "smb_service_exec", Verdict::Attacked),
    ("covenant_sharpsc_create_dcerpc_smb_svcctl", "smb_service_exec", Verdict::Compromised),
    ("empire_psremoting_stager", "winrm_exec", Verdict::Compromised),
];

#[test]
fn real_lateral_movement_is_told_as_it_was() {
    let Some(folder) = samples() else { return };
    let mut wrong = Vec::new();
    println!("| case | edge | method | verdict | confidence |\n|---|---|---|---|---|");
    for (file, method, verdict) in LATERAL {
        let path = folder.join("otrf_lateral").join(format!("{file}.zip"));
        if !path.exists() {
            continue;
        }
        let spread = incident(&[path], &Question::default());
        let target = spread.hosts.iter().find(|it| it.host.starts_with("workstation6"));
        let edge =
            spread.edges.iter().find(|it| it.from.starts_with("workstation5") && it.to.starts_with("workstation6"));
        let got = (edge.and_then(|it| it.method.as_deref()), target.map(|it| it.verdict));
        println!(
            "| {file} | {} | {} | {} | {} |",
            edge.map_or("none".to_owned(), |it| format!("{} → {}", it.from, it.to)),
            got.0.unwrap_or("-"),
            got.1.map_or("-", Verdict::name),
            target.map_or(0.0, |it| it.confidence.to_f64())
        );
        if got != (Some(method), Some(verdict)) {
            wrong.push(format!("{file}: {got:?}"));
        }
        // The domain controller and the collector of events stand by.
        for other in &spread.hosts {
            if !other.host.starts_with("workstation")
                && matches!(other.verdict, Verdict::Compromised | Verdict::Attacked)
            {
                wrong.push(format!("{file}: {} is {}", other.host, other.verdict.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_real_log4shell_has_its_way_in() {
    let Some(folder) = samples() else { return };
    let spread = incident(&[folder.join("otrf_log4shell_linux")], &Question::default());
    let zero = &spread.patient_zero[0];
    let entry = zero.entry.as_ref().unwrap();
    assert_eq!((&*zero.host, &*entry.method, entry.source.as_deref()), ("ubuntu5", "log4shell", Some("192.168.2.6")));
    assert_eq!(of_class(&spread, &[EdgeClass::Compromised]), ["192.168.2.6 ubuntu5"]);
}

#[test]
fn a_network_log_alone_calls_nobody_clean() {
    let Some(folder) = samples() else { return };
    let spread = incident(&[folder.join("otrf_apt29")], &Question::default());
    assert!(spread.hosts.iter().all(|it| it.verdict != Verdict::CleanAsSeen), "no host has telemetry of its own");
}

fn write(dir: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

const HEAD: &str = "time,src_ip,src_port,dst_ip,dst_port,protocol,state,host\n";
const ALERT: &str = "time,host_ip,alert_name,file_path\n2018-09-30 01:10:00,10.0.0.1,Trojan,C:\\x\\y\\bad.exe\n";

fn process(time: &str, host: &str, path: &str) -> String {
    let path = path.replace('\\', "\\\\");
    format!(
        "{{\"time\":\"{time}\",\"host\":\"{host}\",\"file_path\":\"{path}\",\"cmd_line\":\"{path}\",\"pid\":7,\"ppid\":4,\"parent\":\"x\"}}\n"
    )
}

#[test]
fn a_clock_a_day_ahead_is_put_right() {
    let dir = tempfile::tempdir().unwrap();
    let flows = format!(
        "{HEAD}2018-09-30 01:05:00,10.0.0.1,50001,10.0.0.2,445,tcp,ESTABLISHED,10.0.0.1\n2018-10-01 01:05:00,10.0.0.1,50001,10.0.0.2,445,tcp,ESTABLISHED,10.0.0.2\n\
         2018-09-30 01:06:00,10.0.0.1,50002,10.0.0.3,445,tcp,ESTABLISHED,10.0.0.1\n2018-09-30 01:06:00,10.0.0.1,50002,10.0.0.3,445,tcp,ESTABLISHED,10.0.0.3\n"
    );
    let processes = process("2018-09-30 01:00:00", "10.0.0.1", "C:\\x\\y\\bad.exe")
        + &process("2018-10-01 01:05:20", "10.0.0.2", "C:\\x\\y\\bad.exe");
    write(dir.path(), &[("flows.csv", &flows), ("p.ndjson", &processes), ("alerts.csv", ALERT)]);
    let spread = incident(&[dir.path().to_owned()], &Question::default());
    assert_eq!(
        spread.clocks.iter().map(|it| (&*it.host, it.ahead_seconds)).collect::<Vec<_>>(),
        [("10.0.0.2", 86_400)]
    );
    assert_eq!(of_class(&spread, &[EdgeClass::Compromised]), ["10.0.0.1 10.0.0.2"]);
    assert_eq!(&*spread.patient_zero[0].host, "10.0.0.1");
}

#[test]
fn two_hosts_with_one_address_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let row = |time: &str, host: &str, to: &str| format!("{time},10.0.0.9,50001,{to},445,tcp,ESTABLISHED,{host}\n");
    let mut flows = HEAD.replace("host\n", "host,direction\n");
    for (time, host) in [
        ("2018-09-30 01:00:00", "a"),
        ("2018-09-30 01:20:00", "b"),
        ("2018-09-30 01:40:00", "a"),
        ("2018-09-30 02:00:00", "b"),
    ] {
        flows.push_str(&row(time, host, "10.0.0.5").replace('\n', ",outbound\n"));
    }
    let alert = ALERT.replace("10.0.0.1", "10.0.0.9");
    write(dir.path(), &[("flows.csv", &flows), ("alerts.csv", &alert)]);
    let spread = incident(&[dir.path().to_owned()], &Question::default());
    let clash = spread.discrepancies.iter().find(|it| &*it.kind == "address_clash").unwrap();
    assert!(clash.text.contains("a and b"), "{}", clash.text);
}

#[test]
fn hostile_names_act_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let evil = r#"ws1\"];evil->\"x<script>alert(1)</script>=cmd|' /C calc'!A0"#;
    let processes = process("2018-09-30 01:00:00", evil, "C:\\x\\y\\bad.exe")
        + &process("2018-09-30 01:00:00", "10.0.0.1", "C:\\x\\y\\bad.exe");
    write(dir.path(), &[("p.ndjson", &processes), ("alerts.csv", ALERT)]);
    let inputs = [Input::Path(dir.path().to_owned())];
    let config = Config { collect: common::collect_config(2, 256 << 20), processes: false, known: Known::default() };
    let mut rows = Rows::default();
    let knowledge = Knowledge::built_in();
    let run = ringleader_engine::spread::spread(
        &inputs,
        &knowledge,
        &config,
        &Question::default(),
        &Rules::built_in(),
        &Quiet,
        &mut rows,
    )
    .unwrap();
    let files = common::written(&run.findings, &rows);
    let text = |name: &str| String::from_utf8(files[name].clone()).unwrap();
    assert_eq!(text("spread.dot").matches('"').count() % 2, 0);
    assert!(!text("spread.dot").contains("\"];evil"), "{}", text("spread.dot"));
    for name in ["spread.svg", "timeline.svg", "incident.html"] {
        assert!(!text(name).contains("<script"), "{name}");
    }
    assert!(text("timeline.csv").lines().skip(1).all(|it| !it.starts_with(['=', '+', '@'])));
    assert!(!text("incident.md").contains("\n<script"));
}

#[test]
fn without_telemetry_nobody_is_clean() {
    let dir = tempfile::tempdir().unwrap();
    let mut flows = String::from("time,src_ip,src_port,dst_ip,dst_port,protocol,state\n");
    for n in 2..30 {
        flows.push_str(&format!("2018-09-30 01:05:{n:02},10.0.0.1,50001,10.0.0.{n},445,tcp,SYN_SENT\n"));
    }
    let processes = process("2018-09-30 01:00:00", "10.0.0.1", "C:\\x\\y\\bad.exe");
    write(dir.path(), &[("flows.csv", &flows), ("p.ndjson", &processes), ("alerts.csv", ALERT)]);
    let spread = incident(&[dir.path().to_owned()], &Question::default());
    assert!(spread.hosts.iter().all(|it| it.verdict != Verdict::CleanAsSeen));
    assert_eq!(of_class(&spread, &[EdgeClass::Scanned]).len(), 28);
}

#[test]
fn the_split_of_the_inputs_does_not_matter() {
    let whole = incident(&story(), &Question::default());
    let mut inputs: Vec<PathBuf> = Vec::new();
    for folder in [
        "logs",
        "artefacts/192.168.0.4",
        "artefacts/192.168.4.4",
        "artefacts/10.0.3.19",
        "artefacts/192.168.4.19",
        "artefacts/192.168.0.30",
        "artefacts/192.168.0.3",
    ] {
        inputs.push(fixtures().join(folder));
    }
    inputs.reverse();
    let other = incident(&inputs, &Question::default());
    assert_eq!(serde_json::to_string(&whole).unwrap(), serde_json::to_string(&other).unwrap());
}

/// `RINGLEADER_SPREAD="logs folder" RINGLEADER_SPREAD_OUT=folder cargo test -p ringleader-engine --test spread -- --ignored` writes
/// the findings of inputs that are named by hand.
#[test]
#[ignore = "looks at inputs that are named by hand"]
fn what_inputs_come_to() {
    let named = std::env::var("RINGLEADER_SPREAD").unwrap_or_default();
    let inputs: Vec<Input> = named.split_whitespace().map(Input::parse).collect();
    let seeds = std::env::var("RINGLEADER_SPREAD_SEEDS").unwrap_or_default();
    let question = Question { seeds: seeds.split_whitespace().map(str::to_owned).collect(), ..Question::default() };
    let config = Config { collect: common::collect_config(2, 256 << 20), processes: false, known: Known::default() };
    let mut rows = Rows::default();
    let run = ringleader_engine::spread::spread(
        &inputs,
        &Knowledge::built_in(),
        &config,
        &question,
        &Rules::built_in(),
        &Quiet,
        &mut rows,
    )
    .unwrap();
    show(run.findings.spread.as_ref().unwrap());
    println!("{:#?}", run.findings.run.timings);
    if let Some(out) = std::env::var_os("RINGLEADER_SPREAD_OUT") {
        let folder = ringleader_report::Folder::new(Path::new(&out), false);
        folder.write(&run.findings, &ringleader_report::Options::default()).unwrap();
    }
}

/// The edges of the story's own drawing, style by style; the sweep's node is called as it is there.
#[test]
fn the_drawing_is_the_storys_node_for_node() {
    let inputs: Vec<Input> = story().into_iter().map(Input::Path).collect();
    let config = Config { collect: common::collect_config(2, 256 << 20), processes: false, known: Known::default() };
    let mut rows = Rows::default();
    let (knowledge, rules) = (Knowledge::built_in(), Rules::built_in());
    let run = ringleader_engine::spread::spread(
        &inputs,
        &knowledge,
        &config,
        &Question::default(),
        &rules,
        &Quiet,
        &mut rows,
    )
    .unwrap();
    let files = common::written(&run.findings, &rows);
    let dot = String::from_utf8(files["spread.dot"].clone()).unwrap();
    let mut style = "";
    let mut got: BTreeSet<(&str, &str)> = BTreeSet::new();
    for line in dot.lines().map(str::trim) {
        match line.strip_prefix("edge[") {
            Some(rest) => style = rest.trim_end_matches(']'),
            None if line.contains("->") => {
                got.insert((style, line));
            }
            None => {}
        }
    }
    let (failed, taken, scanned) =
        (r#"style="dotted" color="brown""#, r#"style="solid" color="red""#, r#"style="dotted" color="black""#);
    let expect: BTreeSet<(&str, &str)> = [
        (failed, r#""192.168.0.3" -> "192.168.0.6""#),
        (failed, r#""192.168.0.4" -> "192.168.0.201""#),
        (failed, r#""192.168.4.4" -> "192.168.4.227""#),
        (failed, r#""192.168.4.19" -> "192.168.4.227""#),
        (taken, r#""192.168.0.4" -> "192.168.4.4""#),
        (taken, r#""192.168.0.4" -> "192.168.4.19""#),
        (taken, r#""192.168.0.3" -> "192.168.0.4""#),
        (taken, r#""192.168.4.4" -> "10.0.3.19""#),
        (scanned, r#""192.168.0.4" -> "192.168.0.7""#),
        (scanned, r#""192.168.0.4" -> "192.168.0.13""#),
        (scanned, r#""192.168.0.4" -> "192.168.0.109""#),
        (scanned, r#""10.0.3.19" -> "10.0.3.1\n10.0.3.2\n10.0.3.7\n...""#),
    ]
    .into();
    assert_eq!(got, expect, "{dot}");
}
