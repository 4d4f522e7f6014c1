//! What the tests of whole runs share.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ringleader_engine::Config;
use ringleader_engine::analyze::Analyzed;
use ringleader_engine::assemble::Known;
use ringleader_engine::collect::{CollectConfig, Quiet};
use ringleader_engine::sources::Input;
use ringleader_model::Rows;
use ringleader_model::findings::{Findings, SourceSummary};
use ringleader_model::time::TimeDefaults;
use ringleader_pipeline::label::episode::Knowledge;

/// A run and all its rows.
pub(crate) struct Run {
    pub(crate) findings: Findings,
    pub(crate) rows: Rows,
    pub(crate) analyzed: Analyzed,
}

pub(crate) fn collect_config(threads: usize, memory: usize) -> CollectConfig {
    CollectConfig {
        threads,
        memory,
        format: None,
        host: None,
        tenant: String::new(),
        times: TimeDefaults { utc_offset_minutes: 0, year: 2019 },
    }
}

pub(crate) fn run_with(inputs: &[PathBuf], threads: usize, memory: usize) -> Run {
    run_config(inputs, collect_config(threads, memory), true)
}

pub(crate) fn run_config(inputs: &[PathBuf], collect: CollectConfig, processes: bool) -> Run {
    // Made once: compiling every rule takes a second or more.
    static KNOWLEDGE: OnceLock<Knowledge> = OnceLock::new();
    let knowledge = KNOWLEDGE.get_or_init(Knowledge::built_in);
    let inputs: Vec<Input> = inputs.iter().cloned().map(Input::Path).collect();
    let config = Config { collect, processes, known: Known::default() };
    let mut rows = Rows::default();
    let run = ringleader_engine::run(&inputs, knowledge, &config, &Quiet, &mut rows).unwrap();
    Run { findings: run.findings, rows, analyzed: run.analyzed }
}

pub(crate) fn run(input: &Path) -> Run {
    run_with(&[input.to_owned()], 2, 64 << 20)
}

/// Every file of the findings folder, `run.json` excepted.
pub(crate) fn written(findings: &Findings, rows: &Rows) -> BTreeMap<String, Vec<u8>> {
    let dir = tempfile::tempdir().unwrap();
    let mut folder = ringleader_report::Folder::new(dir.path(), true);
    rows.clone().give(&mut folder).unwrap();
    let paths = folder.write(findings, &ringleader_report::Options::default()).unwrap();
    let name = |it: &PathBuf| it.file_name().unwrap().to_string_lossy().into_owned();
    paths.iter().filter(|it| name(it) != "run.json").map(|it| (name(it), std::fs::read(it).unwrap())).collect()
}

/// The one source whose name ends so.
pub(crate) fn source<'r>(run: &'r Run, end: &str) -> &'r SourceSummary {
    let mut found = run.findings.summary.sources.iter().filter(|it| it.source.ends_with(end));
    let names: Vec<&str> = run.findings.summary.sources.iter().map(|it| &*it.source).collect();
    let first = found.next().unwrap_or_else(|| panic!("no source ends with {end}: {names:?}"));
    assert!(found.next().is_none(), "several sources end with {end}: {names:?}");
    first
}

/// Format, records read, records rejected by reason.
pub(crate) fn told(run: &Run, end: &str) -> String {
    let it = source(run, end);
    let reasons: Vec<String> = it.reasons.iter().map(|(why, n)| format!("{n} × {why}")).collect();
    assert_eq!(it.reasons.values().sum::<u64>(), it.rejected, "{end}: the reasons are not all there");
    let format = it.format.as_deref().unwrap_or("no format");
    format!("{format}: {} read; {}", it.read, if reasons.is_empty() { "-".to_owned() } else { reasons.join(", ") })
}

/// One line of the plainest process log.
pub(crate) fn line(id: &str, time: &str, host: &str, cmd_line: &str, pid: u32, ppid: u32, parent: &str) -> String {
    let file_path = cmd_line.split(' ').next().unwrap_or("");
    let record = serde_json::json!({
        "id": id, "time": time, "host": host, "file_path": file_path, "cmd_line": cmd_line, "pid": pid, "ppid": ppid,
        "parent": parent,
    });
    format!("{record}\n")
}

/// The public samples, where they are; a test that asks without them is skipped, and says so.
pub(crate) fn samples() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = std::env::var_os("RINGLEADER_SAMPLES").map_or_else(|| root.join("../shared/data"), Into::into);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no samples");
    None
}
