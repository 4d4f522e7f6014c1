//! Where it runs. The stages know nothing of it.

pub mod analyze;
pub mod assemble;
mod beside;
pub mod buckets;
pub mod collect;
pub mod drafts;
pub mod excerpts;
mod handed;
#[cfg(feature = "lake")]
pub mod lake;
pub mod network;
pub mod records;
pub mod runs;
pub mod score;
pub mod sensors;
pub mod simulate;
pub mod sources;
pub mod spread;
pub mod store;
pub mod wire;

use std::io;
use std::time::Instant;

use ringleader_model::Tables;
use ringleader_model::findings::{Findings, Timing};
use ringleader_pipeline::label::episode::Knowledge;

use analyze::{AnalyzeConfig, Analyzed};
use assemble::Known;
pub use buckets::Buckets;
use collect::{CollectConfig, Progress};
use excerpts::Spool;
use sources::Input;
use wire::{Summed, Wire};

/// What a run needs besides its inputs.
pub struct Config {
    pub collect: CollectConfig,
    /// A row for every process event, in a campaign or not.
    pub processes: bool,
    pub known: Known,
}

/// Everything a run made but the rows of its tables: the findings, and how well the logs could have shown them.
pub struct Run {
    pub findings: Findings,
    pub analyzed: Analyzed,
}

/// The main job on files. Read this function first: every stage in order.
///
/// bytes ─collect→ events ─connect→ processes, episodes ─extract→ indicators ─label→ behaviours, methods, roles
/// ─merge→ sketch → campaigns (repaired) ─partition→ gangs → findings. `analyze` runs connect to merge, bucket by
/// bucket; `assemble` takes the views of the one folded sketch. Rows go to `tables` host after host.
pub fn run(
    inputs: &[Input],
    knowledge: &Knowledge,
    config: &Config,
    progress: &dyn Progress,
    tables: &mut dyn Tables,
) -> io::Result<Run> {
    let start = Instant::now();
    let (inputs, spool, _held) = spool_stdin(inputs)?;
    progress.stage("collect");
    let wire = Wire::default();
    let collected = collect::collect_with(&inputs, &config.collect, progress, Some(&wire))?;
    let collected = Summed { collected: &collected, wire: &wire };
    let mut timings = vec![timing("collect", start)];
    let mut run = conclude(&collected, knowledge, config, &spool, progress, &mut timings, tables)?;
    timings.push(timing("whole", start));
    run.findings.run.timings = timings;
    Ok(run)
}

/// From host buckets on: the same for files and for a lake.
pub fn conclude(
    buckets: &dyn Buckets,
    knowledge: &Knowledge,
    config: &Config,
    spool: &Spool,
    progress: &dyn Progress,
    timings: &mut Vec<Timing>,
    tables: &mut dyn Tables,
) -> io::Result<Run> {
    let start = Instant::now();
    progress.stage("analyze");
    let analysis =
        AnalyzeConfig { threads: config.collect.threads, memory: config.collect.memory, processes: config.processes };
    let analyzed = analyze::analyze(buckets, knowledge, &analysis, progress)?;
    timings.push(timing("analyze", start));
    let start = Instant::now();
    progress.stage("assemble");
    let findings = assemble::assemble(&analyzed, buckets, knowledge, &config.known, spool, tables)?;
    timings.push(timing("assemble", start));
    Ok(Run { findings, analyzed })
}

fn timing(stage: &str, since: Instant) -> Timing {
    Timing { stage: stage.to_owned(), milliseconds: u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX) }
}

/// Standard input cannot be read twice: it is kept in a file for as long as its records may be quoted.
fn spool_stdin(inputs: &[Input]) -> io::Result<(Vec<Input>, Spool, Option<tempfile::TempPath>)> {
    if !inputs.contains(&Input::Stdin) {
        return Ok((inputs.to_vec(), Spool::default(), None));
    }
    let mut file = tempfile::NamedTempFile::new()?;
    io::copy(&mut io::stdin().lock(), &mut file)?;
    let path = file.into_temp_path();
    let spooled = Input::Spooled(path.to_path_buf());
    let inputs = inputs.iter().map(|it| if *it == Input::Stdin { spooled.clone() } else { it.clone() }).collect();
    Ok((inputs, Spool { stdin: Some(path.to_path_buf()) }, Some(path)))
}
