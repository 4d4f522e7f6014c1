//! What holds for every behaviour: it fires and stays quiet as its fixtures say, and the registries are whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ringleader_model::time::Timestamp;
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Line {
    parent: Option<usize>,
    file_path: Option<String>,
    cmd_line: Option<String>,
    parent_file_path: Option<String>,
    parent_cmd_line: Option<String>,
    #[serde(default)]
    files_written: Vec<String>,
    #[serde(default)]
    connects: Vec<String>,
    /// Seconds.
    start: Option<i64>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn lines(path: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{path:?}: {error}: {line}")))
        .collect()
}

fn tree(lines: &[Line]) -> Tree<'_> {
    let nodes = lines.iter().map(|line| Node {
        parent: line.parent,
        file_path: line.file_path.as_deref(),
        cmd_line: line.cmd_line.as_deref(),
        start: line.start.map(Timestamp::from_secs),
        files_written: line.files_written.iter().map(String::as_str).collect(),
        connects: line.connects.iter().map(String::as_str).collect(),
        ..Node::default()
    });
    Tree { nodes: nodes.collect() }
}

fn view<'a>(line: &'a Line, parent: Option<&'a Line>) -> ProcessView<'a> {
    let node = Node { file_path: line.file_path.as_deref(), cmd_line: line.cmd_line.as_deref(), ..Node::default() };
    ProcessView {
        file_path: node.file_path,
        cmd_line: node.cmd_line,
        parent_file_path: line.parent_file_path.as_deref().or_else(|| parent?.file_path.as_deref()),
        parent_cmd_line: line.parent_cmd_line.as_deref().or_else(|| parent?.cmd_line.as_deref()),
        user: None,
        cwd: None,
        windows: tree::is_windows(&node),
    }
}

/// Names of everything that is seen in a fixture.
fn seen(behaviours: &Behaviours, lines: &[Line]) -> Vec<String> {
    let mut ids: Vec<_> = lines
        .iter()
        .flat_map(|line| behaviours.of_process(&view(line, line.parent.map(|parent| &lines[parent]))))
        .chain(behaviours.of_tree(&tree(lines)).into_iter().map(|found| found.behaviour))
        .collect();
    ids.sort();
    ids.dedup();
    ids.into_iter().map(|id| behaviours.get(id).unwrap().id.clone()).collect()
}

fn fixtures() -> Vec<(String, String, PathBuf)> {
    let mut out = Vec::new();
    for folder in std::fs::read_dir(root().join("fixtures/label")).unwrap().map(|it| it.unwrap().path()) {
        if !folder.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path()) {
            if file.extension().is_some_and(|it| it == "in") {
                let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
                out.push((name(&folder), name(&file), file));
            }
        }
    }
    out.sort();
    out
}

#[test]
fn every_fixture_fires_or_stays_quiet_as_it_says() {
    let behaviours = Behaviours::built_in();
    let mut wrong = Vec::new();
    for (id, case, path) in fixtures() {
        if behaviours.by_name(&id).is_none() {
            continue;
        }
        let seen = seen(&behaviours, &lines(&path));
        if seen.contains(&id) == case.starts_with("quiet_") {
            wrong.push(format!("{id}/{case}: saw {seen:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_behaviour_has_fixtures_and_says_what_it_is() {
    let (behaviours, problems) = Behaviours::with_rules(&[]);
    assert_eq!(problems, []);
    let mut cases: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (id, case, _) in fixtures() {
        cases.entry(id).or_default().push(case);
    }
    let kinds = |kind| behaviours.all().iter().filter(|it| it.kind == kind).count();
    assert!(behaviours.all().len() >= 30 && kinds(Kind::Tree) >= 8);
    for behaviour in behaviours.all() {
        let id = &behaviour.id;
        let of = cases.get(id).unwrap_or_else(|| panic!("no fixtures/label/{id}"));
        assert!(of.iter().any(|case| case.starts_with("fires_")), "{id} has no fires_ fixture");
        assert!(of.iter().any(|case| case.starts_with("quiet_")), "{id} has no quiet_ fixture");
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
    let behaviours = Behaviours::built_in();
    let lines = lines(&root().join("fixtures/label/benign.ndjson"));
    let (mut alarms, mut remarks) = (Vec::new(), 0);
    for line in &lines {
        let single = behaviours.of_process(&view(line, None)).into_iter();
        let alone = Line {
            parent: None,
            cmd_line: line.cmd_line.clone(),
            file_path: line.file_path.clone(),
            parent_file_path: None,
            parent_cmd_line: None,
            files_written: Vec::new(),
            connects: Vec::new(),
            start: None,
        };
        let several = behaviours.of_tree(&tree(std::slice::from_ref(&alone))).into_iter().map(|found| found.behaviour);
        for behaviour in single.chain(several).filter_map(|id| behaviours.get(id)) {
            remarks += 1;
            if behaviour.severity.is_alarm() {
                alarms.push(format!("{}: {:?}", behaviour.id, line.cmd_line));
            }
        }
    }
    println!(
        "{} benign command lines, {remarks} remarks of low or medium weight, {} alarms",
        lines.len(),
        alarms.len()
    );
    assert!(lines.len() >= 300);
    assert!(alarms.is_empty(), "\n{}", alarms.join("\n"));
}
