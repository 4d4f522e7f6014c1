//! Spread → the incident as sentences and tables, each with its evidence: what a manager reads first, what a responder
//! reads next. Deliberately absent: markup. What a log said is kept apart from our own words, and escaped where it is shown.

use std::collections::BTreeMap;

use ringleader_model::findings::{EdgeClass, Spread, Text, Verdict};

use crate::number::percent;

/// A piece of a sentence.
pub(super) enum Part {
    Ours(String),
    /// Out of a log.
    Log(String),
}

pub(super) struct Sentence {
    pub parts: Vec<Part>,
    pub evidence_ids: Vec<Text>,
}

pub(super) struct Table {
    pub head: Vec<&'static str>,
    /// Cells out of logs; the last column is evidence ids.
    pub rows: Vec<Vec<String>>,
    pub left_out: usize,
}

pub(super) enum Block {
    Heading(&'static str),
    Sentence(Sentence),
    Table(Table),
    /// The picture of who took whom stands here.
    Picture,
    /// The picture of when.
    InTime,
    Commands(Vec<String>),
}

/// Rows of a table, evidence ids of a sentence or a row, commands of one step.
const ROWS: usize = 500;
/// What does not fit, of one kind.
const OF_KIND: usize = 12;
const IDS: usize = 6;

macro_rules! say {
    ($ids:expr; $($part:expr),+ $(,)?) => {
        Block::Sentence(Sentence { parts: vec![$($part),+], evidence_ids: $ids.iter().take(IDS).cloned().collect() })
    };
}

fn ours(text: impl Into<String>) -> Part {
    Part::Ours(text.into())
}
fn log(text: impl AsRef<str>) -> Part {
    Part::Log(text.as_ref().to_owned())
}

fn hosts(n: usize) -> String {
    if n == 1 { "1 host".to_owned() } else { format!("{n} hosts") }
}

pub(super) fn tell(spread: &Spread) -> Vec<Block> {
    let mut out = Vec::new();
    summary(spread, &mut out);
    first(spread, &mut out);
    out.push(Block::Heading("The picture"));
    out.push(Block::Picture);
    out.push(Block::Heading("In time"));
    out.push(Block::InTime);
    alerts(spread, &mut out);
    act(spread, &mut out);
    table(spread, &mut out);
    edges(spread, &mut out);
    lists(spread, &mut out);
    window(spread, &mut out);
    out
}

fn with(spread: &Spread, verdict: Verdict) -> Vec<&ringleader_model::findings::SpreadHost> {
    spread.hosts.iter().filter(|it| it.verdict == verdict).collect()
}

fn summary(spread: &Spread, out: &mut Vec<Block>) {
    out.push(Block::Heading("In short"));
    let none: Vec<Text> = Vec::new();
    let taken = with(spread, Verdict::Compromised);
    if taken.is_empty() {
        out.push(say!(none; ours("No host shows that it was taken. That is not the same as clean: see below what could not be seen.")));
    } else {
        let ids: Vec<Text> = taken.iter().filter_map(|it| it.evidence_ids.first().cloned()).collect();
        let mut parts = vec![ours(format!("{} taken: ", hosts(taken.len())))];
        for (at, host) in taken.iter().take(12).enumerate() {
            parts.push(ours(if at > 0 { ", " } else { "" }));
            parts.push(log(&host.host));
        }
        parts.push(ours(if taken.len() > 12 { format!(" and {} more.", taken.len() - 12) } else { ".".to_owned() }));
        out.push(Block::Sentence(Sentence { parts, evidence_ids: ids.into_iter().take(IDS).collect() }));
    }
    for (verdict, words) in [
        (Verdict::Attacked, "attacked; no log shows that the attack succeeded"),
        (Verdict::Scanned, "scanned only"),
        (Verdict::AlertedOnly, "alerted, with nothing else against them"),
        (Verdict::CleanAsSeen, "clean as far as their logs can show"),
        (Verdict::Unknown, "unknown: no telemetry that could tell"),
    ] {
        let found = with(spread, verdict);
        if !found.is_empty() {
            let ids: Vec<Text> = found.iter().filter_map(|it| it.evidence_ids.first().cloned()).collect();
            out.push(say!(ids; ours(format!("{} {words}.", hosts(found.len())))));
        }
    }
}

fn first(spread: &Spread, out: &mut Vec<Block>) {
    out.push(Block::Heading("Who was first, and how it got in"));
    let none: Vec<Text> = Vec::new();
    let Some(zero) = spread.patient_zero.first() else {
        out.push(say!(none; ours("No host was taken, as far as the logs show.")));
        return;
    };
    let ids = spread.hosts.iter().find(|it| it.host == zero.host).map(|it| it.evidence_ids.clone()).unwrap_or_default();
    out.push(
        say!(ids; log(&zero.host), ours(format!(" was first, with a likelihood of {}.", percent(zero.likelihood)))),
    );
    match &zero.entry {
        Some(entry) => {
            let ids: Vec<Text> = spread
                .edges
                .iter()
                .find(|it| it.to == zero.host && Some(&it.from) == entry.source.as_ref())
                .map(|it| it.evidence_ids.clone())
                .unwrap_or_default();
            let source = entry.source.as_ref().map_or_else(|| ours(", from where is not known"), |_| ours(" from "));
            let from = entry.source.as_ref().map_or_else(|| ours(""), log);
            out.push(say!(ids; ours("It got in by "), log(&entry.method), source, from, ours(format!(" ({}).", percent(entry.confidence)))));
        }
        None => {
            out.push(say!(none; ours("How it got in is unknown: no log that was given shows it. Look at:")));
            for place in &zero.look_at {
                out.push(say!(none; log(place)));
            }
        }
    }
    for other in spread.patient_zero.iter().skip(1) {
        let ids =
            spread.hosts.iter().find(|it| it.host == other.host).map(|it| it.evidence_ids.clone()).unwrap_or_default();
        out.push(
            say!(ids; ours("Less likely: "), log(&other.host), ours(format!(" ({}).", percent(other.likelihood)))),
        );
    }
}

fn alerts(spread: &Spread, out: &mut Vec<Block>) {
    out.push(Block::Heading("What the alerts missed, and what does not fit"));
    if spread.discrepancies.is_empty() {
        let none: Vec<Text> = Vec::new();
        out.push(say!(none; ours("Nothing.")));
    }
    let mut of_kind: BTreeMap<&str, usize> = BTreeMap::new();
    for it in &spread.discrepancies {
        *of_kind.entry(&it.kind).or_default() += 1;
    }
    let mut told: BTreeMap<&str, usize> = BTreeMap::new();
    for it in &spread.discrepancies {
        let told = told.entry(&it.kind).or_default();
        *told += 1;
        if *told <= OF_KIND {
            out.push(say!(it.evidence_ids; ours(format!("{}: ", it.kind.replace('_', " "))), log(&it.text)));
        } else if *told == OF_KIND + 1 {
            let more = of_kind.get(&*it.kind).map_or(0, |it| it - OF_KIND);
            let none: Vec<Text> = Vec::new();
            out.push(say!(none; ours(format!("{}: {more} more, in spread.json.", it.kind.replace('_', " ")))));
        }
    }
}

fn act(spread: &Spread, out: &mut Vec<Block>) {
    out.push(Block::Heading("What to do, in this order"));
    let none: Vec<Text> = Vec::new();
    out.push(say!(none; ours("Commands are for review. Nothing was run. containment.json has all of it.")));
    for step in spread.containment.isolate.iter().take(50) {
        let breaks = step.breaks.as_ref().map_or_else(|| ours(""), |_| ours(" It breaks: "));
        let what = step.breaks.as_ref().map_or_else(|| ours(""), log);
        out.push(say!(step.evidence_ids; ours(format!("{}. Isolate ", step.order)), log(&step.host), ours(": "), log(&step.because), ours("."), breaks, what));
        out.push(Block::Commands(step.commands.clone()));
    }
    let groups = [
        ("Reset ", &spread.containment.reset_credentials),
        ("Block ", &spread.containment.block),
        ("Collect ", &spread.containment.collect),
        ("Then ", &spread.containment.clean_up),
    ];
    for (verb, steps) in groups {
        for step in steps.iter().take(30) {
            let on = step.host.as_ref().map_or_else(|| ours(""), |_| ours(" on "));
            let host = step.host.as_ref().map_or_else(|| ours(""), log);
            out.push(say!(step.evidence_ids; ours(verb), log(&step.what), on, host, ours(": "), log(&step.because), ours(".")));
            out.push(Block::Commands(step.commands.clone()));
        }
        if steps.len() > 30 {
            out.push(say!(none; ours(format!("{} more in containment.json.", steps.len() - 30))));
        }
    }
}

fn ids_of(ids: &[Text]) -> String {
    ids.iter().take(3).map(|it| it.get(..8).unwrap_or(it)).collect::<Vec<_>>().join(" ")
}

fn table(spread: &Spread, out: &mut Vec<Block>) {
    out.push(Block::Heading("Hosts"));
    let mut hosts: Vec<&ringleader_model::findings::SpreadHost> = spread.hosts.iter().collect();
    hosts.sort_by(|a, b| (a.verdict, super::fan::order(&a.host)).cmp(&(b.verdict, super::fan::order(&b.host))));
    let rows: Vec<Vec<String>> = hosts
        .iter()
        .take(ROWS)
        .map(|it| {
            vec![
                it.host.to_string(),
                it.verdict.name().to_owned(),
                percent(it.confidence),
                it.first_seen.map_or_else(String::new, |it| it.to_string().get(..19).unwrap_or_default().to_owned()),
                it.method.as_ref().map_or_else(String::new, |it| it.to_string()),
                if it.alerted {
                    "alerted"
                } else if it.missed_by_alerts {
                    "missed"
                } else {
                    ""
                }
                .to_owned(),
                it.reasons
                    .iter()
                    .take(3)
                    .map(|it| format!("{:+} {}", it.points, it.text))
                    .collect::<Vec<_>>()
                    .join("; "),
                ids_of(&it.evidence_ids),
            ]
        })
        .collect();
    let head = vec!["host", "verdict", "sure", "first seen (UTC)", "method", "alerts", "because", "evidence"];
    out.push(Block::Table(Table { head, left_out: spread.hosts.len().saturating_sub(rows.len()), rows }));
}

fn edges(spread: &Spread, out: &mut Vec<Block>) {
    out.push(Block::Heading("Who called whom"));
    let mut edges: Vec<&ringleader_model::findings::SpreadEdge> = spread.edges.iter().collect();
    edges.sort_by_key(|it| (it.class == EdgeClass::Scanned, it.first_seen.is_none(), it.first_seen));
    let rows: Vec<Vec<String>> = edges
        .iter()
        .take(ROWS)
        .map(|it| {
            vec![
                it.from.to_string(),
                it.to.to_string(),
                it.class.name().to_owned(),
                percent(it.confidence),
                it.first_seen.map_or_else(String::new, |it| it.to_string().get(..19).unwrap_or_default().to_owned()),
                it.method.as_ref().map_or_else(String::new, |it| it.to_string()),
                it.observations.iter().map(|it| it.to_string()).collect::<Vec<_>>().join(" "),
                ids_of(&it.evidence_ids),
            ]
        })
        .collect();
    let head = vec!["from", "to", "class", "sure", "first seen (UTC)", "method", "observed", "evidence"];
    out.push(Block::Table(Table { head, left_out: spread.edges.len().saturating_sub(rows.len()), rows }));
}

fn lists(spread: &Spread, out: &mut Vec<Block>) {
    out.push(Block::Heading("The lists"));
    let none: Vec<Text> = Vec::new();
    for list in &spread.lists {
        let shown: Vec<String> = list.hosts.iter().take(40).map(|it| it.to_string()).collect();
        let more = if list.hosts.len() > 40 { format!(" and {} more", list.hosts.len() - 40) } else { String::new() };
        let hosts = if shown.is_empty() { ours("none") } else { log(shown.join(", ")) };
        out.push(say!(none; ours(format!("{}: ", list.says)), hosts, ours(more)));
    }
}

fn window(spread: &Spread, out: &mut Vec<Block>) {
    out.push(Block::Heading("What was looked at"));
    let none: Vec<Text> = Vec::new();
    match &spread.window {
        Some(it) => {
            let short = |time: ringleader_model::Timestamp| time.to_string().get(..19).unwrap_or_default().to_owned();
            out.push(say!(none; ours(format!("From {} to {} UTC:", short(it.start), short(it.end)))));
            for why in &it.because {
                out.push(say!(none; log(why)));
            }
        }
        None => out.push(say!(none; ours("All times: nothing that speaks of the incident has one."))),
    }
    for clock in &spread.clocks {
        out.push(say!(none; ours("The clock of "), log(&clock.host), ours(format!(" is {} seconds ahead; its times are put right.", clock.ahead_seconds))));
    }
}
