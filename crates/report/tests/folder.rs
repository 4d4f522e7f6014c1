//! The whole folder, written from the sample: its schemas, its snapshots, and what must never be in it.

// Helpers of tests are tests too.
#![allow(clippy::unwrap_used)]

mod sample;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ringleader_model::findings::{Decoy, DecoyGroup, DecoySight, DecoyStanding, Findings, Honeynet, Labelled};
use ringleader_model::{Rows, Tables as _, Timestamp};
use ringleader_report::{Folder, Lang, OUTPUTS, Options, Output};
use serde_json::Value;

/// Files of other tools' making; the rest have a language or are no text.
const SNAPSHOTS: &[&str] = &[
    "blocklist.txt",
    "campaigns.jsonl",
    "dead_letter.jsonl",
    "evidence.jsonl",
    "fleet.jsonl",
    "gangs.json",
    "indicators.csv",
    "misp.json",
    "navigator.json",
    "report.md",
    "containment.json",
    "incident.md",
    "spread.dot",
    "spread.json",
    "spread.svg",
    "stix.json",
    "summary.json",
    "timeline.csv",
    "timeline.svg",
    "warnings.jsonl",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Rows where there are gangs that they could be of.
fn write(findings: &Findings, dir: &Path, lang: Lang) -> Vec<PathBuf> {
    let rows = if findings.gangs.is_empty() { Rows::default() } else { sample::rows() };
    let mut folder = Folder::new(dir, false);
    rows.give(&mut folder).unwrap();
    folder.write(findings, &Options { lang }).unwrap()
}

fn folder(findings: &Findings, lang: Lang) -> BTreeMap<String, Vec<u8>> {
    let dir = tempfile::tempdir().unwrap();
    let paths = write(findings, dir.path(), lang);
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let files: BTreeMap<_, _> = paths.iter().map(|path| (name(path), fs::read(path).unwrap())).collect();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), files.len(), "no partial file is left");
    files
}

fn honeynet() -> Honeynet {
    let label = Labelled { host: "web-1".into(), decoy: "pot-1".into(), method: "solr".into(), ..Labelled::default() };
    let sight = DecoySight { host: "pot-1".into(), first_seen: Some(Timestamp(1)), ..DecoySight::default() };
    let group = DecoyGroup {
        standing: DecoyStanding::Both,
        decoys: vec![sight],
        lead_seconds: Some(-3),
        labelled: vec![label],
        ..DecoyGroup::default()
    };
    let groups = vec![group, DecoyGroup::default()];
    Honeynet { decoys: vec![Decoy { host: "pot-1".into(), ..Decoy::default() }], groups, production_only: 2 }
}

#[test]
fn json_files_keep_their_schema() {
    let schemas = root().join("docs/schemas");
    let mut checked = 0;
    let mut decoys = sample::sample();
    decoys.honeynet = Some(honeynet());
    for findings in [sample::sample(), sample::empty(), Findings::default(), decoys] {
        for (name, bytes) in folder(&findings, Lang::En) {
            let Some((stem, kind)) = name.split_once('.').filter(|it| it.1.starts_with("json")) else { continue };
            let schema = fs::read_to_string(schemas.join(format!("{stem}.schema.json"))).expect(&name);
            let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
            let text = String::from_utf8(bytes).unwrap();
            let values: Vec<Value> = match kind {
                "json" => vec![serde_json::from_str(&text).unwrap()],
                _ => text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
            };
            for value in values {
                let errors: Vec<_> =
                    schema.iter_errors(&value).map(|it| format!("{}: {it}", it.instance_path())).collect();
                assert!(errors.is_empty(), "{name}: {errors:#?}");
                checked += 1;
            }
        }
    }
    assert!(checked > 40, "{checked}");
    for entry in fs::read_dir(schemas).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let stem = name.split_once('.').unwrap().0;
        assert!(OUTPUTS.iter().any(|it| it.file().starts_with(&format!("{stem}.json"))), "{name} describes nothing");
    }
}

#[test]
fn the_schema_refuses_what_is_not_the_contract() {
    let schema = fs::read_to_string(root().join("docs/schemas/summary.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let mut summary: Value = serde_json::from_slice(&folder(&sample::sample(), Lang::En)["summary.json"]).unwrap();
    assert!(schema.is_valid(&summary));
    summary["gangs"] = (-1).into();
    assert!(!schema.is_valid(&summary));
}

/// `RINGLEADER_BLESS=1` writes them anew; the diff is then read.
#[test]
fn the_sample_is_written_as_before() {
    let expected = root().join("fixtures/report/sample");
    let files = folder(&sample::sample(), Lang::En);
    for name in SNAPSHOTS {
        let path = expected.join(name);
        if std::env::var_os("RINGLEADER_BLESS").is_some() {
            fs::create_dir_all(&expected).unwrap();
            fs::write(&path, &files[*name]).unwrap();
        }
        let before = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let now = String::from_utf8(files[*name].clone()).unwrap();
        let line = before.lines().zip(now.lines()).position(|(a, b)| a != b);
        assert!(before == now, "{name} differs at line {line:?}");
    }
}

#[test]
fn the_same_findings_are_the_same_bytes() {
    for lang in Lang::ALL {
        assert_eq!(folder(&sample::sample(), *lang), folder(&sample::sample(), *lang));
    }
}

#[test]
fn secrets_leave_in_no_file_but_the_dead_letters() {
    for lang in Lang::ALL {
        for (name, bytes) in folder(&sample::sample(), *lang) {
            let secret = sample::SECRET.as_bytes();
            assert!(!bytes.windows(secret.len()).any(|it| it == secret), "{name}");
        }
    }
}

#[test]
fn nothing_from_a_log_acts_in_a_text_file() {
    for lang in Lang::ALL {
        for (name, bytes) in folder(&sample::sample(), *lang) {
            let Ok(text) = String::from_utf8(bytes) else { continue };
            if name.ends_with(".parquet") {
                continue;
            }
            let acts: Vec<char> = text.chars().filter(|c| *c != '\n' && ringleader_report::escape::acts(*c)).collect();
            assert!(acts.is_empty(), "{name}: {acts:?}");
        }
    }
}

#[test]
fn the_page_has_our_script_alone_and_loads_nothing() {
    for lang in Lang::ALL {
        for findings in [sample::sample(), sample::empty()] {
            let page = String::from_utf8(folder(&findings, *lang)["report.html"].clone()).unwrap();
            let scripts: Vec<&str> = page.split("<script").skip(1).filter(|it| it.starts_with('>')).collect();
            assert_eq!(scripts.len(), 1, "one script runs");
            assert!(
                page.split("<script")
                    .skip(2)
                    .all(|it| it.starts_with('>') || it.starts_with(" type=\"application/json\""))
            );
            assert!(
                !page.contains("<img")
                    && !page.contains("<iframe")
                    && !page.contains("<link")
                    && !page.contains("<svg/")
            );
            assert!(!page.contains(" style=") && !page.contains(" onerror=\"") && !page.contains("<a href=\"http"));
            let policy = page.split("Content-Security-Policy\" content=\"").nth(1).unwrap().split('"').next().unwrap();
            assert!(policy.starts_with("default-src 'none'; script-src 'sha256-") && !policy.contains("unsafe"));
        }
    }
}

#[test]
fn the_page_stays_readable_with_a_thousand_gangs() {
    let Some(Output::Report(html)) = OUTPUTS.iter().find(|it| it.file() == "report.html") else { panic!("no page") };
    let mut page = Vec::new();
    html.write(&sample::many(1000), &Options::default(), &mut page).unwrap();
    let text = String::from_utf8(page).unwrap();
    assert_eq!(text.matches("<template data-g=").count(), 999);
    assert!(text.len() < 24 << 20, "{}", text.len());
}

#[test]
fn no_private_address_is_blocked() {
    let files = folder(&sample::sample(), Lang::En);
    let list = String::from_utf8(files["blocklist.txt"].clone()).unwrap();
    assert!(list.contains("115.159.189.241") && list.contains("wml.1103bye.xyz"), "{list}");
    assert!(!list.contains("192.168.") && !list.contains("script"), "{list}");
}

#[test]
fn a_file_that_no_longer_applies_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let there = |file: &str| dir.path().join(file).exists();
    Folder::new(dir.path(), true).write(&sample::sample(), &Options::default()).unwrap();
    assert!(there("spread.json") && there("processes.parquet"));
    write(&sample::empty(), dir.path(), Lang::En);
    assert!(!there("spread.json") && !there("processes.parquet"));
}

#[test]
fn a_run_that_ends_early_leaves_the_folder_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    write(&sample::sample(), dir.path(), Lang::En);
    let files = || {
        let files = fs::read_dir(dir.path()).unwrap().map(|it| it.unwrap().path());
        files.map(|it| (it.clone(), fs::read(it).unwrap())).collect::<BTreeMap<_, _>>()
    };
    let before = files();
    let mut folder = Folder::new(dir.path(), true);
    // More than a row group: some of it is on disk by now.
    let episode = sample::rows().episodes.swap_remove(0);
    folder.episodes(vec![episode; 150_000]).unwrap();
    assert_eq!(files().len(), before.len() + 1);
    drop(folder);
    assert!(files() == before);
}

#[test]
fn every_output_is_described_once() {
    let mut names: Vec<_> = OUTPUTS.iter().map(|it| it.file()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), OUTPUTS.len());
    let docs = fs::read_to_string(root().join("docs/findings.md")).unwrap();
    for report in OUTPUTS {
        assert!(!report.summary().is_empty() && !report.summary().ends_with('.'));
        assert!(docs.contains(&format!("## `{}`", report.file())), "docs/findings.md lacks {}", report.file());
    }
}
