//! Public samples whose techniques are known, and a log without any attack → docs/behaviours-measured.md on standard
//! output: `behaviours_measured SAMPLES [BACKGROUND-LOG]`.
//!
//! A technique is named where a behaviour has it among its own, or has one of its sub-techniques. Truth comes from the
//! names of files and from what stands beside them; it is not in this program, a few names of scenes aside.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ringleader_engine::buckets::Buckets as _;
use ringleader_engine::collect::{CollectConfig, Quiet, collect};
use ringleader_engine::sources::Input;
use ringleader_pipeline::connect::episodes::episodes;
use ringleader_pipeline::connect::{graphs, sort};
use ringleader_pipeline::label::episode::{Host, Knowledge, Labeller, Words};
use ringleader_pipeline::label::methods::MethodIdx;
use ringleader_pipeline::label::network::Signals;
use ringleader_pipeline::label::{Behaviour, BehaviourId};
use ringleader_pipeline::merge::Sketch;

/// What was seen in some inputs.
#[derive(Default)]
struct Seen {
    events: u64,
    /// Attack methods that requests are, by name.
    methods: BTreeSet<String>,
    /// By behaviour: in how many episodes, or by rows that belong to none.
    times: BTreeMap<BehaviourId, u64>,
}

fn look(knowledge: &Knowledge, path: &Path) -> Seen {
    let config = CollectConfig {
        threads: 2,
        memory: 1 << 30,
        format: None,
        host: None,
        tenant: String::new(),
        times: Default::default(),
    };
    let collected = collect(&[Input::Path(path.to_owned())], &config, &Quiet).expect("samples can be read");
    let mut seen = Seen { events: collected.events(), ..Seen::default() };
    let mut labeller = Labeller::new(knowledge);
    let signals = Signals::default();
    for at in 0..collected.n_buckets() {
        let mut bucket = collected.load(at).expect("memory holds samples");
        sort(&mut bucket);
        let mut words = Words::new(&bucket);
        for graph in graphs(&bucket, &|_| 0) {
            let hits = labeller.hits(&bucket, &graph);
            let mut found: Vec<BehaviourId> = hits.loose(&graph).collect();
            let host = Host {
                name: bucket.strings.get(graph.host),
                addresses: BTreeSet::new(),
                signals: &signals,
                hits,
                missing: 0,
                links: 0,
            };
            for episode in episodes(&graph, &bucket) {
                found.extend(labeller.behaviours(&mut words, &graph, &episode, &host, true));
            }
            for record in labeller.label_loose(&bucket, &graph, &host, &mut Sketch::default()) {
                if let Some(method) = &record.method {
                    seen.methods.insert(knowledge.methods.get(MethodIdx(method.method)).id.clone());
                }
                let shown: BTreeSet<u16> = record.nodes.into_iter().flat_map(|it| it.behaviours).collect();
                found.extend(shown.into_iter().map(BehaviourId));
            }
            for it in found {
                *seen.times.entry(it).or_default() += 1;
            }
        }
    }
    seen
}

/// A sample, and the techniques that are to be named in it.
struct Sample {
    path: PathBuf,
    techniques: BTreeSet<String>,
}

/// Numbers that ATT&CK gave anew since the samples were recorded.
const RENUMBERED: [(&str, &str); 5] = [
    ("T1050", "T1543.003"),
    ("T1103", "T1546.010"),
    ("T1117", "T1218.010"),
    ("T1121", "T1218.009"),
    ("T1035", "T1569.002"),
];

/// Scenes whose names say what happens in words.
const SCENES: [(&str, &str); 7] = [
    ("binary_padding", "T1027.001"),
    ("arp_cache", "T1018"),
    ("log4shell", "T1190"),
    ("privileged-pod-nsenter", "T1611"),
    ("GoldenSAML", "T1606.002"),
    ("procdump_lsass", "T1003.001"),
    ("com_wsman", "T1021.006"),
];

/// Why what is not named is not, as far as a look into the sample showed.
const WHY: [(&str, &str); 4] = [
    ("zeek_logs", "network logs do not show what ran on the host"),
    ("Network_share_manipulation", "its commands list shares, which is T1135 and named so"),
    (
        "WS_Management_listener_enumeration",
        "its records are handles to devices, and no other record says what asked for them",
    ),
    ("T1546.010", "the value stands in a file that is imported, which no event shows"),
];

/// Techniques as an author of a mapping calls them.
const CALLED: [(&str, &str); 22] = [
    ("Account Access Removal", "T1531"),
    ("Account Discovery", "T1087"),
    ("Automated Collection", "T1119"),
    ("Brute Force", "T1110"),
    ("Command and Scripting Interpreter", "T1059"),
    ("Data Destruction", "T1485"),
    ("Data Encrypted for Impact", "T1486"),
    ("Data Staged", "T1074"),
    ("Data from Local System", "T1005"),
    ("Deobfuscate/Decode Files or Information", "T1140"),
    ("File and Directory Discovery", "T1083"),
    ("Indicator Removal", "T1070"),
    ("Masquerading", "T1036"),
    ("Modify Authentication Process", "T1556"),
    ("Obfuscated Files or Information", "T1027"),
    ("Password Policy Discovery", "T1201"),
    ("Process Discovery", "T1057"),
    ("Process Injection", "T1055"),
    ("Scheduled Task/Job", "T1053"),
    ("System Information Discovery", "T1082"),
    ("System Network Connections Discovery", "T1049"),
    ("System Owner/User Discovery", "T1033"),
];

/// Sessions of a honeypot with an author's mapping, command by command → how many of the techniques that stand beside
/// commands are named in the sessions.
fn honeypot(knowledge: &Knowledge, text: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut wanted = BTreeSet::new();
    let mut shown = BTreeSet::new();
    let folder = std::env::temp_dir().join(format!("ringleader-measured-{}", std::process::id()));
    for session in text.split("Session ID:").skip(1) {
        let rows: Vec<Vec<&str>> = session.lines().skip(1).map(|it| it.split('\t').collect()).collect();
        // The author's summary of a session names no commands.
        let rows: Vec<&Vec<&str>> = rows.iter().filter(|it| it.len() >= 3 && !it[0].starts_with('-')).collect();
        wanted
            .extend(CALLED.iter().filter(|it| rows.iter().any(|row| row[2].trim() == it.0)).map(|it| it.1.to_owned()));
        let mut log = "{\"id\":\"0\",\"time\":\"2020-01-01 00:00:00\",\"host\":\"pot\",\"file_path\":\"/bin/bash\",\"cmd_line\":\"bash\",\"pid\":1000,\"ppid\":1,\"parent\":\"/usr/sbin/sshd\"}\n".to_owned();
        for (at, row) in (1..).zip(&rows) {
            let line = serde_json::json!({
                "id": at.to_string(), "time": format!("2020-01-01 00:{:02}:{:02}", at / 60 % 60, at % 60), "host": "pot",
                "file_path": "", "cmd_line": row[0], "pid": 1000 + at, "ppid": 1000, "parent": "/bin/bash",
            });
            let _ = writeln!(log, "{line}");
        }
        if std::fs::write(&folder, log).is_ok() {
            let seen = look(knowledge, &folder);
            let of = seen.times.keys().filter_map(|it| knowledge.behaviours.get(*it));
            shown.extend(of.flat_map(|it| it.techniques.clone()));
        }
    }
    let _ = std::fs::remove_file(&folder);
    (wanted, shown)
}

/// `T1021.002` and the like, wherever they stand in a text.
fn numbers(text: &str) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for (at, _) in text.match_indices('T') {
        let rest = &text[at + 1..];
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        if digits(rest) != 4 || !rest.starts_with('1') {
            continue;
        }
        let sub = rest.get(4..8).filter(|it| it.starts_with('.') && digits(&it[1..]) == 3 && digits(&rest[5..]) == 3);
        let number = format!("T{}{}", &rest[..4], sub.unwrap_or_default());
        let new = RENUMBERED.iter().find(|it| it.0 == number).map(|it| it.1.to_owned());
        out.insert(new.unwrap_or(number));
    }
    out
}

/// `technique: T1021` and `sub-technique: "006"`, one below the other.
fn of_yaml(text: &str) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    let mut technique = "";
    for line in text.lines().map(|it| it.trim().trim_start_matches("- ")) {
        if let Some(it) = line.strip_prefix("technique:") {
            technique = it.trim();
        } else if let Some(it) = line.strip_prefix("sub-technique:") {
            let sub = it.trim().trim_matches(['"', '\'']);
            out.insert(if sub.is_empty() { technique.to_owned() } else { format!("{technique}.{sub}") });
        }
    }
    out
}

fn samples(root: &Path) -> Vec<Sample> {
    let mut out = Vec::new();
    let folders = [
        "otrf_lateral",
        "otrf_linux_auditd",
        "otrf_log4shell_linux",
        "otrf_m365",
        "otrf_zeek_tsv",
        "evtx_mitre",
        "eqllib",
        "tetragon/book",
        "cowrie",
    ];
    for folder in folders {
        let Ok(files) = std::fs::read_dir(root.join(folder)) else { continue };
        let mut files: Vec<PathBuf> = files.filter_map(|it| Some(it.ok()?.path())).collect();
        files.sort();
        let names: Vec<String> = files.iter().map(|it| name(it)).collect();
        for (path, own) in files.iter().zip(&names) {
            if own.ends_with(".yaml") || own == "TRUTH.json" || own.ends_with(".txt") {
                continue;
            }
            let stem = own.split('.').next().unwrap_or_default();
            let beside = names.iter().position(|it| it.contains(&format!("_{stem}.truth.yaml")));
            let mut techniques = numbers(own);
            techniques.extend(SCENES.iter().filter(|it| own.contains(it.0)).map(|it| it.1.to_owned()));
            if let Some(at) = beside {
                techniques.extend(of_yaml(&std::fs::read_to_string(&files[at]).unwrap_or_default()));
            }
            if own.contains("atomic-red-team") {
                techniques.extend(numbers(&unpacked(path)));
            }
            if !techniques.is_empty() {
                out.push(Sample { path: path.clone(), techniques });
            }
        }
    }
    out
}

/// Its text, where it is packed once.
fn unpacked(path: &Path) -> String {
    let mut text = String::new();
    ringleader_engine::sources::open(
        &Input::Path(path.to_owned()),
        &mut |mut stream| {
            let mut bytes = Vec::new();
            let _ = std::io::Read::read_to_end(&mut stream.bytes, &mut bytes);
            text.push_str(&String::from_utf8_lossy(&bytes));
        },
        &mut Vec::new(),
    );
    text
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn names(behaviour: &Behaviour, technique: &str) -> bool {
    behaviour
        .techniques
        .iter()
        .any(|it| it == technique || it.strip_prefix(technique).is_some_and(|it| it.starts_with('.')))
}

const HEAD: &str = "# Behaviours, measured

Public samples whose technique is known from their names or from what stands beside them, none of which is in this
project. A technique is *named* where a behaviour that is seen has it, or one of its sub-techniques. A file counts once for
each of its techniques.

How often something alarms that should not: episodes that show a behaviour of alarm grade, for each million events of a log in which
nobody attacks. The test `benign_commands_raise_no_alarm` asks the same of `fixtures/label/benign*.ndjson`, some 2,700 processes of
package managers, builds, administrators, servers and Windows hosts, each of which counts once: none may alarm.

Known misses of single ways to hide stand on the page of each behaviour.

This page is made by `cargo run --release -p ringleader-engine --no-default-features --example behaviours_measured -- SAMPLES
LOG`, where LOG comes from `ringleader simulate --bots 0`: a fleet at work, and nobody who attacks it.

";

fn main() {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [root, log @ ..] = &arguments[..] else {
        eprintln!("usage: behaviours_measured SAMPLES [BACKGROUND-LOG]");
        std::process::exit(2);
    };
    let knowledge = Knowledge::built_in();
    let mut page = HEAD.to_owned();
    let mut misses = String::new();
    let (mut named, mut all) = (0, 0);
    page.push_str("| sample | technique | named by |\n|---|---|---|\n");
    for sample in samples(root) {
        let seen = look(&knowledge, &sample.path);
        let shown: Vec<&Behaviour> = seen.times.keys().filter_map(|it| knowledge.behaviours.get(*it)).collect();
        for technique in &sample.techniques {
            let by: Vec<&str> = shown.iter().filter(|it| names(it, technique)).map(|it| it.id.as_str()).collect();
            // A request is an exploit by what it holds: that is said by its method.
            let methods: Vec<String> = seen.methods.iter().filter(|_| technique == "T1190").cloned().collect();
            let by: Vec<&str> = by.into_iter().chain(methods.iter().map(String::as_str)).collect();
            all += 1;
            named += u32::from(!by.is_empty());
            let listed = by.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
            let cell = if by.is_empty() { "-" } else { &listed };
            let _ = writeln!(page, "| {} | {technique} | {cell} |", name(&sample.path).replace('|', "_"));
            if by.is_empty() {
                let ids: Vec<&str> = shown.iter().map(|it| it.id.as_str()).collect();
                let why = WHY.iter().find(|it| name(&sample.path).contains(it.0) || technique == it.0);
                let why = why.map_or("", |it| it.1);
                let _ = writeln!(
                    misses,
                    "- {}, {technique}: {why}{}{} events, seen: {}",
                    name(&sample.path),
                    if why.is_empty() { "" } else { "; " },
                    seen.events,
                    if ids.is_empty() { "nothing".to_owned() } else { ids.join(", ") }
                );
            }
        }
    }
    let share = f64::from(named) / f64::from(all.max(1));
    let _ = writeln!(page, "\n{named} of {all} are named: {share:.3}.\n");
    page.push_str("Sessions of a honeypot, with an author's word for each single command:\n\n| sample | technique | named by |\n|---|---|---|\n");
    (named, all) = (0, 0);
    let mapped = std::fs::read_to_string(root.join("cowrie/compx520_commands_mapped.txt")).unwrap_or_default();
    let (wanted, shown) = honeypot(&knowledge, &mapped);
    for technique in &wanted {
        let by = shown.iter().find(|it| *it == technique || it.starts_with(&format!("{technique}.")));
        let _ = writeln!(
            page,
            "| compx520_commands_mapped.txt | {technique} | {} |",
            by.map_or("-", |_| "behaviours of its sessions")
        );
        all += 1;
        named += u32::from(by.is_some());
        if by.is_none() {
            let _ =
                writeln!(misses, "- compx520_commands_mapped.txt, {technique}: an author's word for single commands");
        }
    }
    let share = f64::from(named) / f64::from(all.max(1));
    let _ = writeln!(page, "\n{named} of {all} are named: {share:.3}.\n");
    if !misses.is_empty() {
        let _ = writeln!(page, "Not named, and what is seen instead:\n\n{misses}");
    }
    for log in log {
        let seen = look(&knowledge, log);
        let graded = |alarm: bool| {
            let of = seen.times.iter().filter_map(|(it, n)| Some((knowledge.behaviours.get(*it)?, n)));
            let mut list: Vec<String> = Vec::new();
            let mut sum = 0;
            for (it, n) in of.filter(|it| it.0.severity.is_alarm() == alarm) {
                sum += n;
                list.push(format!("`{}` {n}", it.id));
            }
            (sum, if list.is_empty() { "none".to_owned() } else { list.join(", ") })
        };
        let ((alarms, of), (remarks, which)) = (graded(true), graded(false));
        let rate = alarms as f64 * 1e6 / seen.events.max(1) as f64;
        let _ = writeln!(
            page,
            "## A fleet at work\n\n{} events without an attack. Episodes that show a behaviour of alarm grade: {alarms}, {rate:.2} a million events ({of}). Of \
             low or medium grade: {remarks} ({which}).",
            seen.events
        );
    }
    print!("{page}");
}
