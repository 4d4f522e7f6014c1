//! A simulated month, day by day with a ledger → how many changes are told at the second host, how many warnings are
//! right, how many come a day, whether gangs keep their ids; beside a baseline that tells of every unseen indicator.
//!
//! `cargo run --release -p ringleader-cli --no-default-features --features ledger --example warnings_score -- [SEED …]`

#[path = "../../src/commands/ledger/known.rs"]
mod known;
mod score;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;

use ringleader_engine::Config;
use ringleader_engine::collect::{CollectConfig, Quiet};
use ringleader_engine::simulate::month::{Month, month};
use ringleader_engine::sources::Input;
use ringleader_ledger::{Ledger, RunRecord, Settings, Watch};
use ringleader_model::findings::{Findings, Warning};
use ringleader_model::time::TimeDefaults;
use ringleader_model::{IndicatorKind, Rows, Timestamp};
use ringleader_pipeline::label::episode::Knowledge;

use score::{Given, Score};

const DAY: i64 = 86_400_000_000;
/// 2026-03-01T00:00:00Z, when the simulated month begins.
const START: i64 = 1_772_323_200_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut seeds: Vec<u64> = std::env::args().skip(1).filter_map(|it| it.parse().ok()).collect();
    if seeds.is_empty() {
        seeds.push(1);
    }
    let mut all = Score::default();
    for seed in &seeds {
        let score = play(*seed)?;
        println!("seed {seed}\n{score}");
        all.add(&score);
    }
    if seeds.len() > 1 {
        println!("all {} months\n{all}", seeds.len());
    }
    Ok(())
}

fn play(seed: u64) -> Result<Score, Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let written = month(&Month { seed, ..Month::default() }, dir.path())?;
    let truth = truth(&written.truth)?;
    let knowledge = Knowledge::built_in();
    let settings = Settings::default();
    let mut ledger = Ledger::open(&dir.path().join("month.db").to_string_lossy())?;
    let mut given = Vec::new();
    let mut baseline = Vec::new();
    let mut seen_before: BTreeSet<String> = BTreeSet::new();
    let mut ids: Vec<BTreeMap<String, String>> = Vec::new();
    let mut explained: BTreeSet<String> = BTreeSet::new();
    for (day, log) in (0u64..).zip(&written.days) {
        let registry = ledger.registry()?;
        let now = Timestamp(START + (day as i64 + 1) * DAY);
        let config = Config {
            collect: CollectConfig {
                threads: 2,
                memory: 1 << 30,
                format: None,
                host: None,
                tenant: String::new(),
                times: TimeDefaults::default(),
            },
            processes: false,
            known: known::known(&registry, &ledger.decided()?, now),
        };
        let mut rows = Rows::default();
        let mut watch = Watch::new(&mut rows, []);
        let run = ringleader_engine::run(&[Input::Path(log.clone())], &knowledge, &config, &Quiet, &mut watch)?;
        let seen = watch.done();
        let record = RunRecord::of(&run.findings, now, "");
        let recorded = ledger.record(&record, &run.findings, &seen, &settings, &|_| Vec::new())?;
        let of = whose(&rows, &truth);
        if std::env::var_os("SHOW").is_some() {
            show(day, &run.findings, &recorded.warnings, &of);
        }
        explained.extend(recorded.lineage.iter().flat_map(|it| [it.gang.clone(), it.other.clone()]));
        given.extend(recorded.warnings.iter().map(|it| of_warning(it, day, &of)));
        baseline.extend(unseen(&run.findings, &mut seen_before, day, &of));
        ids.push(of.iter().map(|(id, gang)| (id.clone(), gang.clone())).collect());
    }
    Ok(Score::of(&written.changes, &given, &baseline, &ids, &explained, written.days.len() as u64))
}

/// event → gang
fn truth(path: &Path) -> Result<BTreeMap<String, String>, Box<dyn Error>> {
    let text = std::fs::read_to_string(path)?;
    let row = |line: &str| {
        let mut cells = line.split('\t');
        let (event, gang) = (cells.next()?, cells.next()?);
        (gang != "-").then(|| (event.to_owned(), gang.to_owned()))
    };
    Ok(text.lines().filter_map(row).collect())
}

/// Gang id → whose most of its events are; where most are nobody's, that is `-`.
fn whose(rows: &Rows, truth: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut counts: BTreeMap<String, BTreeMap<&str, u64>> = BTreeMap::new();
    for row in &rows.members {
        let (Some(gang), Some(event)) = (&row.gang_id, &row.source_event_id) else { continue };
        let whose = truth.get(&**event).map_or("-", String::as_str);
        *counts.entry(gang.to_string()).or_default().entry(whose).or_default() += 1;
    }
    let most = |it: BTreeMap<&str, u64>| it.into_iter().max_by_key(|it| it.1).map_or("-", |it| it.0).to_owned();
    counts.into_iter().map(|(id, it)| (id, most(it))).collect()
}

fn of_warning(warning: &Warning, day: u64, of: &BTreeMap<String, String>) -> Given {
    let id = warning.gang_id.as_deref().unwrap_or_default();
    Given { kind: warning.kind, gang: of.get(id).cloned().unwrap_or_else(|| "-".to_owned()), day, held: warning.held }
}

/// What a script of an analyst would tell: every value that was not seen before, of the kinds that one blocks.
fn unseen(
    findings: &Findings,
    before: &mut BTreeSet<String>,
    day: u64,
    of: &BTreeMap<String, String>,
) -> Vec<(String, u64)> {
    use IndicatorKind as K;
    let mut told = Vec::new();
    for row in &findings.indicators {
        let blocks = matches!(row.kind, K::Url | K::Domain | K::Ip | K::IpPort | K::Hash | K::Wallet | K::SshKey);
        let Some(gang) = row.gang_id.as_deref().filter(|_| blocks) else { continue };
        if before.insert(format!("{} {}", row.kind.name(), row.indicator)) {
            told.push((of.get(gang).cloned().unwrap_or_else(|| "-".to_owned()), day));
        }
    }
    told
}

/// For whoever wants to see why.
fn show(day: u64, findings: &Findings, warnings: &[Warning], of: &BTreeMap<String, String>) {
    for gang in &findings.gangs {
        let methods: Vec<String> = gang.how.iter().map(|it| format!("{} {}", it.method, it.hosts)).collect();
        println!(
            "day {day}: {} {} is {}; {} hosts, {} campaigns, {methods:?}",
            &gang.gang_id[..8],
            if gang.who.indicators.is_empty() { "(bare)" } else { "" },
            of.get(&*gang.gang_id).map_or("-", String::as_str),
            gang.who.hosts.len(),
            gang.campaigns.len(),
        );
    }
    let asked = std::env::var("SHOW").unwrap_or_default();
    for gang in findings.computed.iter().filter(|it| of.get(&*it.gang_id).is_some_and(|it| *it == asked)) {
        println!("  {} supersedes {:?}", &gang.gang_id[..8], gang.supersedes);
        for it in &gang.features {
            println!("    {} {} on {}", it.kind.name(), it.value, it.hosts);
        }
    }
    for it in warnings {
        let whose = it.gang_id.as_deref().and_then(|it| of.get(it)).map_or("-", String::as_str);
        println!("  warning {} {} ({whose}): {}", it.rank, it.kind.name(), it.text);
    }
}
