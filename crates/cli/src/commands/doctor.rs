//! `doctor`: what these logs can and cannot show.

use std::collections::BTreeMap;
use std::io::Write as _;

use anyhow::{Context as _, Result};
use ringleader_engine::analyze::{AnalyzeConfig, HostHealth, analyze};
use ringleader_engine::collect::{Progress as _, collect};
use ringleader_model::Timestamp;
use ringleader_model::findings::SourceSummary;
use ringleader_pipeline::label::episode::Knowledge;
use serde_json::json;

use super::{Done, collect_config, inputs, now};
use crate::args::ReadArgs;
use crate::progress::Bar;
use crate::terminal::{count, grouped, safe, short};

/// A host that logged nothing for this long, at the end of a run that others were still logging in, fell silent.
const SILENCE_MICROS: i64 = 6 * 3_600_000_000;
/// Clocks before and after these are wrong.
const OLDEST: Timestamp = Timestamp::from_secs(946_684_800);
const AHEAD_MICROS: i64 = 86_400_000_000;
/// Hosts told one by one.
const TOLD: usize = 20;

pub(super) fn doctor(read: &ReadArgs, as_json: bool) -> Result<Done> {
    let inputs = inputs(read)?;
    let config = collect_config(read)?;
    let bar = Bar::new();
    let collected = collect(&inputs, &config, &bar).context("reading ended early")?;
    bar.stage("connect");
    let knowledge = Knowledge::built_in();
    let analysis = AnalyzeConfig { threads: config.threads, memory: config.memory, processes: false };
    let analyzed = analyze(&collected, &knowledge, &analysis, &bar)?;
    bar.finish();
    let advice = advice(&collected.sources, &analyzed.health, analyzed.has_alerts);
    let mut out = anstream::stdout().lock();
    if as_json {
        let hosts: BTreeMap<&String, _> = analyzed.health.iter().map(|(host, it)| (host, host_json(it))).collect();
        serde_json::to_writer_pretty(
            &mut out,
            &json!({ "sources": collected.sources, "hosts": hosts, "advice": advice }),
        )?;
        writeln!(out)?;
        return Ok(Done::Clean);
    }
    sources(&mut out, &collected.sources)?;
    hosts(&mut out, &analyzed.health)?;
    writeln!(out, "\nWhat can be concluded")?;
    for line in advice {
        writeln!(out, "  {}", safe(&line))?;
    }
    Ok(Done::Clean)
}

fn sources(out: &mut impl std::io::Write, sources: &[SourceSummary]) -> Result<()> {
    let mut by_format: BTreeMap<&str, (u64, u64, u64)> = BTreeMap::new();
    for it in sources {
        let slot = by_format.entry(it.format.as_deref().unwrap_or("not recognised")).or_default();
        *slot = (slot.0 + 1, slot.1 + it.read, slot.2 + it.rejected);
    }
    writeln!(out, "{:26} {:>8} {:>12} {:>10}", "format", "sources", "events", "rejected")?;
    for (format, (n, read, rejected)) in by_format {
        writeln!(out, "{format:26} {:>8} {:>12} {:>10}", grouped(n), grouped(read), grouped(rejected))?;
    }
    for it in sources.iter().filter(|it| it.rejected > 0).take(TOLD) {
        for (reason, n) in &it.reasons {
            writeln!(out, "  {}: {} × {}", short(&it.source, 60), grouped(*n), safe(reason))?;
        }
    }
    Ok(())
}

fn hosts(out: &mut impl std::io::Write, health: &BTreeMap<String, HostHealth>) -> Result<()> {
    if health.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{:28} {:>10} {:>10} {:>6}  {:19}  {:19}", "host", "events", "processes", "lost", "first", "last")?;
    let mut worst: Vec<(&String, &HostHealth)> = health.iter().collect();
    worst.sort_by_key(|(name, it)| (std::cmp::Reverse(loss(it)), (*name).clone()));
    for (name, it) in worst.iter().take(TOLD) {
        let time = |it: Option<Timestamp>| it.map_or_else(|| "-".to_owned(), |it| it.to_string()[..19].to_owned());
        let lost = if it.links == 0 { "-".to_owned() } else { format!("{}%", loss(it)) };
        writeln!(
            out,
            "{:28} {:>10} {:>10} {lost:>6}  {:19}  {:19}",
            short(name, 28),
            grouped(it.events),
            grouped(it.processes),
            time(it.first),
            time(it.last)
        )?;
    }
    if health.len() > TOLD {
        writeln!(out, "… and {} more hosts that lost no more than these", grouped((health.len() - TOLD) as u64))?;
    }
    Ok(())
}

/// Percent of links whose parent's event was lost.
fn loss(it: &HostHealth) -> u64 {
    (it.missing * 100).checked_div(it.links).unwrap_or(0)
}

fn host_json(it: &HostHealth) -> serde_json::Value {
    json!({
        "events": it.events, "processes": it.processes, "links": it.links, "parents_lost": it.missing,
        "without_command_line": it.without_command_line, "first": it.first, "last": it.last,
        "longest_silence_seconds": it.longest_silence / 1_000_000,
    })
}

/// Sentences for a responder, the gravest first.
fn advice(sources: &[SourceSummary], health: &BTreeMap<String, HostHealth>, has_alerts: bool) -> Vec<String> {
    let mut advice = Vec::new();
    let unread: Vec<&SourceSummary> = sources.iter().filter(|it| it.format.is_none() && it.rejected > 0).collect();
    if !unread.is_empty() {
        advice.push(format!(
            "{} could not be read at all: nothing in them counts here",
            count(unread.len() as u64, "source", "sources")
        ));
    }
    let processes: u64 = health.values().map(|it| it.processes).sum();
    if processes == 0 {
        advice.push(
            "no process events: what ran on the hosts cannot be seen, only what reached them over the network"
                .to_owned(),
        );
    } else {
        let (links, missing) = health.values().fold((0, 0), |sum, it| (sum.0 + it.links, sum.1 + it.missing));
        match (missing * 100).checked_div(links) {
            None => advice.push("no parent links: these logs name no parents, so each process stands alone".to_owned()),
            Some(0) => advice.push("hardly any process event was lost: what is not there most likely did not run".to_owned()),
            Some(percent) => advice.push(format!(
                "at least {percent}% of process events were lost ({} parents are named and not logged): a missing step proves nothing on one host",
                grouped(missing)
            )),
        }
        let mute: u64 = health.values().map(|it| it.without_command_line).sum();
        if mute * 5 > processes {
            advice.push(format!(
                "{} of {} processes have no command line: turn on command line logging to see indicators",
                grouped(mute),
                grouped(processes)
            ));
        }
    }
    if !has_alerts {
        advice.push("no alerts among the inputs: what alerts missed cannot be told".to_owned());
    }
    let end = health.values().filter_map(|it| it.last).filter(|it| it.0 <= now().0 + AHEAD_MICROS).max();
    let mut silent: Vec<&str> = Vec::new();
    for (name, it) in health {
        if it.first.is_some_and(|it| it < OLDEST) {
            advice.push(format!(
                "{name}: its clock says {}: times before 2000 are wrong",
                it.first.map(|it| it.day()).unwrap_or_default()
            ));
        }
        if it.last.is_some_and(|it| it.0 > now().0 + AHEAD_MICROS) {
            advice.push(format!("{name}: its clock is ahead, at {}", it.last.map(|it| it.day()).unwrap_or_default()));
        }
        if let (Some(end), Some(last)) = (end, it.last)
            && end.0 - last.0 > SILENCE_MICROS
            && it.processes > 0
        {
            silent.push(name);
        }
    }
    if !silent.is_empty() {
        let names: Vec<String> = silent.iter().take(8).map(|it| short(it, 32)).collect();
        advice.push(format!(
            "{} fell silent more than 6 hours before the logs end: {}",
            count(silent.len() as u64, "host", "hosts"),
            names.join(", ")
        ));
    }
    advice
}
