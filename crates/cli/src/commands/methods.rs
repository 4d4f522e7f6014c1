//! `methods draft`, and the user's own methods: files in the form of `knowledge/methods`.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use ringleader_engine::collect::CollectConfig;
use ringleader_engine::sources::{Input, walk};
use ringleader_model::Timestamp;
use ringleader_model::time::TimeDefaults;
use ringleader_pipeline::label::methods::Methods;
use ringleader_pipeline::label::methods::draft::Draft;
use serde_json::{Value, json};

use super::{Done, resources, this_year};
use crate::args::{MethodsCommand, ResourceArgs};
use crate::progress::Bar;
use crate::terminal::safe;

/// A method's file is small; what is larger is something else.
const MAX_FILE: u64 = 64 << 10;
/// Drafts that do not work, told with their reasons.
const TOLD: usize = 8;

/// What ships with the program, and the user's own; what cannot be used of them is told.
pub(super) fn with_own(folder: Option<&Path>) -> Result<Methods> {
    let Some(folder) = folder else { return Ok(Methods::builtin()) };
    if !folder.exists() {
        bail!("--methods {}: no such folder", folder.display());
    }
    let mut files = Vec::new();
    for file in walk(&[Input::Path(folder.to_owned())], &mut Vec::new()) {
        let Input::Path(path) = file else { continue };
        let Some(kind) = path.extension().filter(|it| *it == "yml" || *it == "yaml") else { continue };
        let length = std::fs::metadata(&path).map_or(0, |it| it.len());
        if length > MAX_FILE {
            anstream::eprintln!("{}", safe(&format!("methods: {}: larger than {MAX_FILE} bytes", path.display())));
            continue;
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = path.display().to_string();
        files.push((if kind == "yaml" { format!("{name}.yml") } else { name }, text));
    }
    files.sort();
    let before = Methods::builtin().all().len();
    let read = Methods::with_files(&files);
    let line =
        format!("methods: {} files, {} methods more than built in", files.len(), read.value.all().len() - before);
    anstream::eprintln!("{}", safe(&line));
    for problem in &read.problems {
        anstream::eprintln!("{}", safe(&format!("  not used: {}: {}", problem.source, problem.what)));
    }
    Ok(read.value)
}

pub(super) fn methods(command: &MethodsCommand) -> Result<Done> {
    let MethodsCommand::Draft { inputs, from, out, methods, least, json, resources } = command;
    let mut paths: Vec<Input> = inputs.iter().map(|it| Input::parse(it)).collect();
    if let Some(findings) = from {
        paths.extend(read_before(findings)?);
    }
    for input in &paths {
        if let Input::Path(path) = input
            && !path.exists()
        {
            bail!("{}: no such file or folder", path.display());
        }
    }
    let bar = Bar::new();
    let known = with_own(methods.as_deref())?;
    let (drafts, sources) = ringleader_engine::drafts::drafts(&paths, &known, &config(resources)?, &bar)?;
    bar.finish();
    let left_out = drafts.left_out;
    let (drafts, refused) = drafts.finish();
    let drafts: Vec<Draft> = drafts.into_iter().filter(|it| it.count >= *least).collect();
    std::fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    for draft in &drafts {
        let path = out.join(format!("{}.yml", draft.id));
        std::fs::write(&path, &draft.text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let read: u64 = sources.iter().map(|it| it.read).sum();
    let mut to = anstream::stdout().lock();
    if *json {
        let of = |it: &Draft| {
            json!({
                "id": it.id, "count": it.count, "senders": it.senders, "targets": it.targets,
                "first_seen": it.first.map(Timestamp), "last_seen": it.last.map(Timestamp),
                "file": out.join(format!("{}.yml", it.id)),
            })
        };
        let refused: Vec<Value> = refused.iter().map(|(id, why)| json!({"id": id, "why": why})).collect();
        let drafts: Vec<Value> = drafts.iter().map(of).collect();
        let all = json!({"events_read": read, "drafts": drafts, "refused": refused, "left_out": left_out});
        serde_json::to_writer_pretty(&mut to, &all)?;
        writeln!(to)?;
        return Ok(Done::Clean);
    }
    writeln!(to, "{} drafts of {read} records in {}", drafts.len(), out.display())?;
    for it in &drafts {
        let line = format!("  {}  {} times, from {} addresses, at {} hosts", it.id, it.count, it.senders, it.targets);
        writeln!(to, "{}", safe(&line))?;
    }
    for (id, why) in refused.iter().take(TOLD) {
        writeln!(to, "{}", safe(&format!("  no draft of {id}: {why}")))?;
    }
    if refused.len() > TOLD {
        writeln!(to, "  and {} more without a draft", refused.len() - TOLD)?;
    }
    if left_out > 0 {
        writeln!(to, "  {left_out} requests were beyond the limit of places")?;
    }
    if !drafts.is_empty() {
        writeln!(to, "Next:   look at each, name it, put it in a folder of yours, and give that as `--methods`:")?;
        writeln!(to, "        ringleader run LOGS --methods my-methods --out findings")?;
    }
    Ok(Done::Clean)
}

/// The logs that findings were made from, those that are still there.
fn read_before(findings: &Path) -> Result<Vec<Input>> {
    let path = findings.join("summary.json");
    let text = std::fs::read_to_string(&path).with_context(|| {
        format!("{} is not there: is {} the findings folder of a run (`--out`)?", path.display(), findings.display())
    })?;
    let summary: Value = serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?;
    let sources = summary.get("sources").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut files: BTreeSet<PathBuf> = BTreeSet::new();
    for source in sources.iter().filter_map(|it| it.get("source")?.as_str()) {
        // `archive!member`
        let whole = PathBuf::from(source);
        let packed = source.split_once('!').map(|it| PathBuf::from(it.0));
        match [Some(whole), packed].into_iter().flatten().find(|it| it.is_file()) {
            Some(file) => _ = files.insert(file),
            None => anstream::eprintln!("{}", safe(&format!("{source} is not there any more"))),
        }
    }
    if files.is_empty() {
        bail!("none of the logs of {} is still there", findings.display());
    }
    Ok(files.into_iter().map(Input::Path).collect())
}

fn config(args: &ResourceArgs) -> Result<CollectConfig> {
    let (threads, memory) = resources(args)?;
    Ok(CollectConfig {
        threads,
        memory,
        format: None,
        host: None,
        tenant: String::new(),
        times: TimeDefaults { utc_offset_minutes: 0, year: this_year() },
    })
}
