//! `gang`: what is remembered of gangs, and what analysts decide of them.

use std::collections::BTreeMap;
use std::io::Write as _;

use anyhow::{Result, bail};
use ringleader_ledger::{CampaignRef, Decided, FactKind, Ledger, Listed, What};
use ringleader_model::hash::hash128;
use serde_json::{Value, json};

use super::show::{self, day, minute, short_id};
use super::with_ledger::{decide, decide_by, look, open};
use crate::args_ledger::{GangCommand, LedgerArgs};
use crate::commands::{Done, now};
use crate::terminal::{count, safe, short};

/// Lines of each kind that `show` prints.
const SHOWN: usize = 12;
const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const OFF: &str = "\x1b[0m";

pub(in crate::commands) fn gang(command: &GangCommand) -> Result<Done> {
    match command {
        GangCommand::List { all, ledger } => list(*all, ledger),
        GangCommand::Show { gang, ledger } => show_one(gang, ledger),
        GangCommand::Log { ledger } => log(ledger),
        GangCommand::Name { gang, name, alias, why, by } => {
            let mut ledger = look(&by.ledger)?;
            let gang = ledger.find_gang(gang)?;
            let what = if *alias {
                What::AliasGang { gang, alias: name.clone() }
            } else {
                What::NameGang { gang, name: name.clone() }
            };
            decide_by(&mut ledger, by, why, what)
        }
        GangCommand::Merge { into, gangs, decide: args } => {
            let mut ledger = look(&args.by.ledger)?;
            let into = ledger.find_gang(into)?;
            let gangs = gangs.iter().map(|it| Ok(ledger.find_gang(it)?)).collect::<Result<Vec<_>>>()?;
            decide(&mut ledger, args, What::MergeGangs { into, gangs })
        }
        GangCommand::Split { gang, campaigns, decide: args } => {
            let mut ledger = look(&args.by.ledger)?;
            let gang = ledger.find_gang(gang)?;
            let campaigns = campaigns_of(&mut ledger, &gang, campaigns)?;
            let seed = format!("{gang}\n{}\n{campaigns:?}", now());
            let new_gang = format!("{:032x}", hash128(seed.as_bytes(), 0x702));
            decide(&mut ledger, args, What::SplitGang { gang, new_gang, campaigns })
        }
        GangCommand::Dismiss { gang, decide: args } => {
            let mut ledger = look(&args.by.ledger)?;
            let gang = ledger.find_gang(gang)?;
            decide(&mut ledger, args, What::DismissGang { gang })
        }
        GangCommand::Confirm { gang, method, decide: args } => {
            let mut ledger = look(&args.by.ledger)?;
            let gang = ledger.find_gang(gang)?;
            let used = ledger.registry()?.methods;
            if !used.get(&gang).is_some_and(|it| it.contains(method)) {
                let methods = used.get(&gang).into_iter().flatten().cloned().collect::<Vec<_>>().join(", ");
                bail!("{} was not seen to use {method}; seen were: {methods}", short_id(&gang));
            }
            decide(&mut ledger, args, What::ConfirmMethod { gang, method: method.clone() })
        }
        GangCommand::Undo { decision, decide: args } => {
            let mut ledger = open(&args.by.ledger)?;
            decide(&mut ledger, args, What::Undo { decision: *decision })
        }
    }
}

fn campaigns_of(ledger: &mut Ledger, gang: &str, asked: &[String]) -> Result<Vec<CampaignRef>> {
    let all = ledger.campaigns(gang)?;
    let mut found = Vec::new();
    for text in asked {
        let matching: Vec<_> = all.iter().filter(|it| it.campaign.starts_with(&text.to_lowercase())).collect();
        match matching[..] {
            [one] => found.push(one.clone()),
            [] => {
                bail!("{} has no campaign {text}: `ringleader gang show {}` lists them", short_id(gang), short_id(gang))
            }
            _ => bail!("several campaigns start with {text}: write more of the id"),
        }
    }
    found.sort_by(|a, b| a.campaign.cmp(&b.campaign));
    found.dedup();
    if found.len() == all.len() {
        bail!("that is all that {} has: nothing would be left of it", short_id(gang));
    }
    Ok(found)
}

/// What became of it: nothing, or who has it now, or that it was dismissed.
fn status(it: &Listed, decided: &Decided) -> String {
    if !it.superseded_by.is_empty() {
        return format!("part of {}", short_id(&it.superseded_by));
    }
    if let Some((into, _)) = decided.merged.get(&it.gang_id) {
        return format!("merged into {}", short_id(into));
    }
    if decided.dismissed.contains_key(&it.gang_id) {
        return "dismissed".to_owned();
    }
    "active".to_owned()
}

fn list(all: bool, args: &LedgerArgs) -> Result<Done> {
    let mut ledger = look(args)?;
    let decided = ledger.decided()?;
    let mut gangs = ledger.gangs()?;
    // A gang that was cut out, and not seen since, is known by the decision alone.
    let known: Vec<String> = gangs.iter().map(|it| it.gang_id.clone()).collect();
    let cut = decided.splits.iter().filter(|it| !known.contains(&it.new_gang));
    gangs.extend(cut.map(|it| Listed { gang_id: it.new_gang.clone(), ..Listed::default() }));
    gangs.retain(|it| {
        all || (status(it, &decided) == "active" && !it.memory.hosts.is_empty()) || decided.name(&it.gang_id).is_some()
    });
    gangs.sort_by(|a, b| b.memory.last_seen.cmp(&a.memory.last_seen).then(a.gang_id.cmp(&b.gang_id)));
    if args.json {
        let rows: Vec<Value> = gangs.iter().map(|it| brief(it, &decided)).collect();
        return show::json(&rows);
    }
    let mut to = anstream::stdout().lock();
    for it in &gangs {
        let name = decided.name(&it.gang_id).map_or_else(|| format!("gang {}", short_id(&it.gang_id)), str::to_owned);
        let status = status(it, &decided);
        writeln!(
            to,
            "{DIM}{}{OFF}  {BOLD}{:<28}{OFF} {:>6}  {} to {}{}",
            short_id(&it.gang_id),
            short(&name, 28),
            it.memory.hosts.len(),
            day(it.memory.first_seen),
            day(it.memory.last_seen),
            if status == "active" { String::new() } else { format!("  {status}") },
        )?;
    }
    writeln!(to, "{}", count(gangs.len() as u64, "gang", "gangs"))?;
    Ok(Done::Clean)
}

fn brief(it: &Listed, decided: &Decided) -> Value {
    let aliases: Vec<&str> = decided.aliases.get(&it.gang_id).into_iter().flatten().map(|it| it.0.as_str()).collect();
    json!({
        "gang_id": it.gang_id,
        "name": decided.name(&it.gang_id),
        "aliases": aliases,
        "status": status(it, decided),
        "hosts": it.memory.hosts.len(),
        "first_seen": day(it.memory.first_seen),
        "last_seen": day(it.memory.last_seen),
    })
}

fn facts(it: &Listed, kind: FactKind) -> Vec<Value> {
    let of = it.memory.facts.iter().filter(|it| it.0.0 == kind);
    of.map(|((_, value), fact)| {
        json!({
            "value": value,
            "hosts": fact.hosts,
            "first_seen": minute(fact.first_seen),
            "last_seen": minute(fact.last_seen),
        })
    })
    .collect()
}

fn show_one(text: &str, args: &LedgerArgs) -> Result<Done> {
    let mut ledger = look(args)?;
    let id = ledger.find_gang(text)?;
    let decided = ledger.decided()?;
    let it = ledger.gangs()?.into_iter().find(|it| it.gang_id == id);
    let it = it.unwrap_or_else(|| Listed { gang_id: id.clone(), ..Listed::default() });
    let campaigns = ledger.campaigns(&id)?;
    let indicators = ledger.indicators(&id, 200)?;
    let warnings = ledger.warnings(&id, 50)?;
    let lineage: Vec<_> = ledger.lineages()?.into_iter().filter(|(_, it)| it.gang == id || it.other == id).collect();
    let speaks = |what: &What| serde_json::to_string(what).is_ok_and(|it| it.contains(&id));
    let decisions: Vec<_> = ledger.decisions()?.into_iter().filter(|it| speaks(&it.what)).collect();
    if args.json {
        let mut page = brief(&it, &decided);
        if let Value::Object(page) = &mut page {
            let kinds = FactKind::ALL.map(|kind| (kind.name().to_owned(), Value::from(facts(&it, kind))));
            page.insert("facts".to_owned(), Value::Object(kinds.into_iter().collect()));
            let spans = indicators.iter().map(|it| {
                json!({ "kind": it.kind, "value": it.value, "strength": it.strength, "hosts": it.hosts,
                    "valid_from": minute(it.valid_from), "last_seen": minute(it.last_seen), "valid_until": day(it.valid_until) })
            });
            page.insert("indicators".to_owned(), spans.collect());
            page.insert("campaigns".to_owned(), campaigns.iter().map(|it| it.campaign.clone()).collect());
            let days: BTreeMap<&String, Value> =
                it.memory.days.iter().map(|(day, it)| (day, json!({"hosts": it.0, "events": it.1}))).collect();
            page.insert("days".to_owned(), serde_json::to_value(days)?);
            let lineage = lineage.iter().map(|(run, it)| {
                json!({ "run": run, "kind": it.kind, "gang": it.gang, "other": it.other, "reason": it.reason })
            });
            page.insert("lineage".to_owned(), lineage.collect());
            page.insert("decisions".to_owned(), serde_json::to_value(&decisions)?);
            page.insert("warnings".to_owned(), serde_json::to_value(&warnings)?);
        }
        return show::json(&page);
    }
    let mut to = anstream::stdout().lock();
    let name = decided.name(&id).map_or_else(|| format!("gang {}", short_id(&id)), str::to_owned);
    writeln!(to, "{BOLD}{}{OFF}  {DIM}{id}{OFF}  {}", safe(&name), status(&it, &decided))?;
    let aliases: Vec<&str> = decided.aliases.get(&id).into_iter().flatten().map(|it| it.0.as_str()).collect();
    if !aliases.is_empty() {
        writeln!(to, "  also {}", safe(&aliases.join(", ")))?;
    }
    writeln!(
        to,
        "  {}, from {} to {}",
        count(it.memory.hosts.len() as u64, "host", "hosts"),
        minute(it.memory.first_seen),
        minute(it.memory.last_seen)
    )?;
    for kind in FactKind::ALL {
        let of: Vec<_> = it.memory.facts.iter().filter(|it| it.0.0 == kind).collect();
        if of.is_empty() || kind == FactKind::Infrastructure {
            continue;
        }
        writeln!(to, "{DIM}{}{OFF}", kind.name())?;
        for ((_, value), fact) in of.iter().take(SHOWN) {
            let confirmed = decided.confirmed.contains_key(&(id.clone(), value.clone()));
            let note = if confirmed { ", confirmed" } else { "" };
            let since = day(fact.first_seen);
            writeln!(to, "  {:<40} {}, since {since}{note}", short(value, 40), count(fact.hosts, "host", "hosts"))?;
        }
        more(&mut to, of.len())?;
    }
    if !indicators.is_empty() {
        writeln!(to, "{DIM}known by{OFF}")?;
        for it in indicators.iter().take(SHOWN) {
            let until = if day(it.valid_until) == "-" {
                String::new()
            } else {
                format!(", holds until {}", day(it.valid_until))
            };
            writeln!(
                to,
                "  {:<10} {:<60} {} to {}{until}",
                it.kind,
                short(&it.value, 60),
                day(it.valid_from),
                day(it.last_seen)
            )?;
        }
        more(&mut to, indicators.len())?;
    }
    if !campaigns.is_empty() {
        writeln!(to, "{DIM}campaigns{OFF}")?;
        for it in campaigns.iter().take(SHOWN) {
            let first = it.signature.first().map_or("by structure", |it| it.1.as_str());
            writeln!(to, "  {}  {}", short_id(&it.campaign), short(first, 70))?;
        }
        more(&mut to, campaigns.len())?;
    }
    for (run, it) in lineage.iter().take(SHOWN) {
        let verb = if it.kind == "merge" { "took in" } else { "came out of" };
        let line = format!("{} {verb} {} in run {run}: {}", short_id(&it.gang), short_id(&it.other), it.reason);
        writeln!(to, "  {}", short(&line, 140))?;
    }
    for it in decisions.iter().rev().take(SHOWN) {
        let undone = decided.undone.get(&it.seq).map(|by| format!(" (taken back by {by})")).unwrap_or_default();
        let line = format!("{} by {}: {}", it.what.told(), it.who, it.why);
        writeln!(to, "  decision {}: {}{undone}", it.seq, short(&line, 140))?;
    }
    for it in warnings.iter().take(SHOWN) {
        let time = it.time.map_or(0, |it| it.0);
        writeln!(to, "  {}  {}", minute(time), short(&it.text, 120))?;
    }
    Ok(Done::Clean)
}

fn more(to: &mut impl std::io::Write, n: usize) -> Result<()> {
    if n > SHOWN {
        writeln!(to, "  … and {} more", n - SHOWN)?;
    }
    Ok(())
}

fn log(args: &LedgerArgs) -> Result<Done> {
    let mut ledger = look(args)?;
    let decisions = ledger.decisions()?;
    if args.json {
        return show::json(&decisions);
    }
    let decided = ledger.decided()?;
    let mut to = anstream::stdout().lock();
    for it in decisions.iter().rev() {
        let undone =
            decided.undone.get(&it.seq).map(|by| format!(" {DIM}(taken back by {by}){OFF}")).unwrap_or_default();
        let why = if it.why.is_empty() { String::new() } else { format!(": {}", short(&it.why, 60)) };
        writeln!(
            to,
            "{:>5}  {}  {:<12} {}{why}{undone}",
            it.seq,
            minute(it.at.0),
            short(&it.who, 12),
            short(&it.what.told(), 90)
        )?;
    }
    writeln!(to, "{}", count(decisions.len() as u64, "decision", "decisions"))?;
    Ok(Done::Clean)
}
