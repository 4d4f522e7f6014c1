//! `run`: files → findings, in one go.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use ringleader_engine::assemble::Known;
use ringleader_engine::collect::Progress;
use ringleader_engine::excerpts::Spool;
use ringleader_engine::sensors::{SensorMap, Watch};
use ringleader_engine::sources::Input;
use ringleader_engine::{Config, Run};
use ringleader_model::Tables;
use ringleader_model::findings::{Findings, Gang, InputDigest};
use ringleader_pipeline::label::episode::Knowledge;
use ringleader_pipeline::label::{Behaviours, RuleProblem};
use ringleader_pipeline::partition::known::{Given, KnownGangs};
use ringleader_report::Folder;
use sha2::{Digest as _, Sha256};

use super::ledger::Session;
use super::methods::with_own;
use super::{Done, collect_config, inputs, now};
use crate::args::{Lang, OutputArgs, RunArgs};
use crate::progress::Bar;
use crate::summary;

pub(super) fn run(args: &RunArgs) -> Result<Done> {
    let mut inputs = inputs(&args.read)?;
    // An alert in a file is one more input: it is joined to the processes that it speaks of.
    if let Some(alert) = &args.alert
        && Path::new(alert).is_file()
    {
        inputs.push(Input::parse(alert));
    }
    let knowledge = knowledge(&args.output)?;
    let mut session = Session::open(&args.record)?;
    let config = Config {
        collect: collect_config(&args.read)?,
        processes: args.output.processes,
        known: session.known(&args.output)?,
    };
    let bar = Bar::new();
    let mut folder = Folder::new(&args.output.out, args.output.processes);
    let job = |tables: &mut dyn Tables| ringleader_engine::run(&inputs, &knowledge, &config, &bar, tables);
    let map = sensors(&args.output)?;
    let mut run =
        with_sensors(&mut folder, map.as_ref(), |tables| session.watch(tables, job)).context("the run ended early")?;
    bar.stage("report");
    describe(&mut run.findings, &inputs, &args.output, &knowledge);
    // What was found is written even where it cannot be remembered.
    let recorded = session.record(&mut run, &args.read.tenant);
    let recorded = recorded.and_then(|()| session.notices(&run, &args.read.tenant, &args.output));
    let done = finish(run, folder, &args.output, args.alert.as_deref(), &knowledge, &bar)?;
    recorded.map(|()| done)
}

/// The map of decoys, where one is given.
pub(super) fn sensors(output: &OutputArgs) -> Result<Option<SensorMap>> {
    let Some(path) = &output.sensors else { return Ok(None) };
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the sensors {}", path.display()))?;
    let map = SensorMap::parse(&text).map_err(anyhow::Error::msg);
    map.map(Some).with_context(|| format!("{}: not a map of sensors", path.display()))
}

/// Runs, and notes what decoys saw of it.
pub(super) fn with_sensors(
    tables: &mut dyn Tables,
    map: Option<&SensorMap>,
    run: impl FnOnce(&mut dyn Tables) -> std::io::Result<Run>,
) -> std::io::Result<Run> {
    let Some(map) = map else { return run(tables) };
    let mut watch = Watch::new(tables, map);
    let mut found = run(&mut watch)?;
    found.findings.honeynet = Some(watch.done(&found.findings));
    Ok(found)
}

/// Writes the folder, then says what is in it.
pub(super) fn finish(
    run: Run,
    folder: Folder,
    output: &OutputArgs,
    alert: Option<&str>,
    knowledge: &Knowledge,
    bar: &Bar,
) -> Result<Done> {
    let options = ringleader_report::Options { lang: lang(output.lang) };
    folder
        .write(&run.findings, &options)
        .with_context(|| format!("cannot write the findings to {}", output.out.display()))?;
    bar.finish();
    if output.json {
        ringleader_report::escape::json(
            &run.findings.summary,
            &mut std::io::stdout().lock(),
            ringleader_report::escape::Shape::Pretty,
        )?;
    } else {
        summary::print(&run, &output.out)?;
        if let Some(alert) = alert {
            summary::alert(&run, alert, knowledge)?;
        }
    }
    let found = output.fail_on_findings && !run.findings.gangs.is_empty();
    Ok(if found { Done::Found } else { Done::Clean })
}

pub(super) fn lang(lang: Lang) -> ringleader_report::Lang {
    match lang {
        Lang::En => ringleader_report::Lang::En,
        Lang::Zh => ringleader_report::Lang::Zh,
    }
}

/// What ships with the program, and the user's own rules; what cannot be used of them is told, reason by reason.
pub(super) fn knowledge(output: &OutputArgs) -> Result<Knowledge> {
    let methods = with_own(output.methods.as_deref())?;
    let mut knowledge = Knowledge { methods, ..Knowledge::built_in() };
    if let Some(folder) = &output.rules {
        let (behaviours, problems) = with_rules(folder)?;
        for line in told(&behaviours, &problems) {
            anstream::eprintln!("{}", crate::terminal::safe(&line));
        }
        knowledge.behaviours = behaviours;
    }
    if !output.intel.is_empty() {
        knowledge.gangs = with_intel(&output.intel, output.intel_confidence)?;
    }
    Ok(knowledge)
}

/// A larger file is no intelligence that anybody looked at.
const MAX_INTEL: u64 = 256 << 20;

/// What others say beside what ships; what cannot be used of it is told.
fn with_intel(files: &[PathBuf], confidence: u8) -> Result<KnownGangs> {
    let mut texts = Vec::new();
    for path in files {
        let size = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?.len();
        if size > MAX_INTEL {
            anyhow::bail!("{}: {size} bytes; at most {MAX_INTEL} are read", path.display());
        }
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        texts.push((name, String::from_utf8_lossy(&bytes).into_owned()));
    }
    let given: Vec<Given<'_>> = texts.iter().map(|(source, text)| Given { source, text, confidence }).collect();
    let known = KnownGangs::with_intel(&[], &given);
    for it in &known.problems {
        anstream::eprintln!("{}", crate::terminal::safe(&format!("intel {}: {}", it.source, it.what)));
    }
    Ok(known.value)
}

/// Names that are given for each reason; `list behaviours --rules` has them all.
const NAMED: usize = 3;

/// How many of the user's rules are looked for, and why others are not.
fn told(behaviours: &Behaviours, problems: &[RuleProblem]) -> Vec<String> {
    let built_in = Behaviours::built_in().all().len();
    let mut out =
        vec![format!("rules: {} added to the {built_in} that are built in", behaviours.all().len() - built_in)];
    let mut reasons: BTreeMap<(bool, &str), Vec<&str>> = BTreeMap::new();
    for it in problems {
        // What differs from rule to rule stands behind the colon.
        let reason = it.what.split(": ").next().unwrap_or(&it.what);
        reasons.entry((it.used, reason)).or_default().push(&it.name);
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(reason, names)| (std::cmp::Reverse(names.len()), *reason));
    for ((used, reason), names) in reasons {
        let what = if used { "limited" } else { "not used" };
        let more = if names.len() > NAMED { ", ..." } else { "" };
        out.push(format!("  {} {what}: {reason} ({}{more})", names.len(), names[..names.len().min(NAMED)].join(", ")));
    }
    out
}

pub(super) fn with_rules(folder: &Path) -> Result<(Behaviours, Vec<RuleProblem>)> {
    let folder = folder.to_owned();
    let mut texts = Vec::new();
    for file in ringleader_engine::sources::walk(&[Input::Path(folder.clone())], &mut Vec::new()) {
        let Input::Path(path) = file else { continue };
        if path.extension().is_some_and(|it| it == "yml" || it == "yaml") {
            // Whatever stands in the folder is told, and never ends the run.
            let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            texts.push((name, text));
        }
    }
    if texts.is_empty() {
        anyhow::bail!("{}: no Sigma rules (*.yml) in there", folder.display());
    }
    Ok(Behaviours::with_rules(&texts))
}

pub(super) fn known(registry: Option<&Path>) -> Result<Known> {
    let Some(path) = registry else { return Ok(Known::default()) };
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the registry {}", path.display()))?;
    let gangs: Vec<Gang> = serde_json::from_str(&text)
        .with_context(|| format!("{}: not the gangs.json of an earlier run", path.display()))?;
    Ok(Known::of(&gangs))
}

/// What may differ from run to run.
pub(super) fn describe(findings: &mut Findings, inputs: &[Input], output: &OutputArgs, knowledge: &Knowledge) {
    findings.run.version = env!("CARGO_PKG_VERSION").to_owned();
    findings.run.arguments = std::env::args().skip(1).collect();
    findings.run.started = Some(now());
    findings.run.peak_memory_bytes = peak_memory();
    findings.run.knowledge_sha256 = knowledge_digest(knowledge);
    findings.run.registry_sha256 = output.registry.as_deref().and_then(|it| digest(it).ok()).map(|it| it.1);
    findings.run.inputs = inputs
        .iter()
        .filter_map(|it| match it {
            Input::Path(path) if path.is_file() => {
                let (length, sha256) = digest(path).ok()?;
                Some(InputDigest { source: path.display().to_string().into(), length, sha256 })
            }
            _ => None,
        })
        .collect();
}

fn digest(path: &Path) -> std::io::Result<(u64, String)> {
    let mut file = std::fs::File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut length = 0;
    loop {
        let n = std::io::Read::read(&mut file, &mut buffer)?;
        if n == 0 {
            return Ok((length, hex(&hasher.finalize())));
        }
        length += n as u64;
        hasher.update(&buffer[..n]);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|it| format!("{it:02x}")).collect()
}

/// Everything the labels come from, in the order in which it is listed.
fn knowledge_digest(knowledge: &Knowledge) -> String {
    let mut hasher = Sha256::new();
    for it in knowledge.behaviours.all() {
        hasher.update(format!("{it:?}\n"));
    }
    for it in knowledge.methods.all() {
        hasher.update(format!("{it:?}\n"));
    }
    for it in knowledge.gangs.all() {
        hasher.update(format!("{it:?}\n"));
    }
    hex(&hasher.finalize())
}

/// The process's peak so far.
pub(super) fn peak_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find(|it| it.starts_with("VmHWM:"))?;
    line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()?.checked_mul(1024)
}

/// For commands that only look.
pub(super) fn no_spool() -> Spool {
    Spool::default()
}
