//! `ledger`: what it holds, whether it is whole, and copies of it.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use ringleader_ledger::{Place, SCHEMA};
use serde_json::json;

use super::show::{self, day, minute};
use super::with_ledger::{look, open};
use crate::args_ledger::{LedgerArgs, LedgerCommand};
use crate::commands::Done;
use crate::terminal::{count, grouped, safe, short};

/// Rows of a file of places.
const MAX_PLACES: usize = 100_000;

pub(in crate::commands) fn admin(command: &LedgerCommand) -> Result<Done> {
    match command {
        LedgerCommand::Status { ledger } => status(ledger),
        LedgerCommand::Migrate { ledger } => {
            let ledger = open(ledger)?;
            anstream::println!("{}: schema {SCHEMA}, as this program needs it", safe(ledger.at()));
            Ok(Done::Clean)
        }
        LedgerCommand::Check { ledger } => check(ledger),
        LedgerCommand::Backup { to, ledger } => {
            look(ledger)?.backup(to)?;
            anstream::println!("copied to {}", to.display());
            Ok(Done::Clean)
        }
        LedgerCommand::Places { file, ledger } => places(file.as_deref(), ledger),
    }
}

fn status(args: &LedgerArgs) -> Result<Done> {
    let mut ledger = look(args)?;
    let at = ledger.at().to_owned();
    let (gangs, decisions) = (ledger.gangs()?, ledger.decisions()?);
    let (runs, outbox, places) = (ledger.runs(5)?, ledger.outbox()?, ledger.places()?);
    let latest = runs.first().map_or(0, |it| it.run);
    if args.json {
        let runs: Vec<_> = runs
            .iter()
            .map(|it| json!({ "run": it.run, "at": minute(it.at), "gangs": it.gangs, "warnings": it.warnings }))
            .collect();
        return show::json(&json!({ "ledger": at, "schema": SCHEMA, "runs": latest, "gangs": gangs.len(),
            "decisions": decisions.len(), "places": places.len(), "latest": runs }));
    }
    let mut to = anstream::stdout().lock();
    writeln!(to, "{}, schema {SCHEMA}", safe(&at))?;
    writeln!(
        to,
        "{}, {}, {}, {}",
        count(u64::try_from(latest).unwrap_or(0), "run", "runs"),
        count(gangs.len() as u64, "gang", "gangs"),
        count(decisions.len() as u64, "decision", "decisions"),
        count(places.len() as u64, "place", "places"),
    )?;
    for it in &runs {
        writeln!(
            to,
            "  run {:<6} {}  logs of {} to {}: {}, {}",
            it.run,
            minute(it.at),
            day(it.first_seen),
            day(it.last_seen),
            count(it.gangs, "gang", "gangs"),
            count(it.warnings, "warning", "warnings"),
        )?;
    }
    for it in &outbox {
        let error = if it.error.is_empty() { String::new() } else { format!(": {}", short(&it.error, 60)) };
        writeln!(
            to,
            "  channel {}: {} wait, {} sent, {} given up{error}",
            safe(&it.channel),
            grouped(it.waiting),
            grouped(it.sent),
            grouped(it.dead)
        )?;
    }
    Ok(Done::Clean)
}

fn check(args: &LedgerArgs) -> Result<Done> {
    let mut ledger = look(args)?;
    let found = ledger.check()?;
    if !found.is_empty() {
        let told: Vec<&str> = found.iter().take(3).map(String::as_str).collect();
        bail!("{} is damaged: {}; put a backup in its place", ledger.at(), told.join("; "));
    }
    let decisions = ledger.decisions()?;
    if let Some(gap) = (1..).zip(&decisions).find(|(n, it)| *n != it.seq) {
        bail!("decision {} is missing: put a backup in place of {}", gap.0, ledger.at());
    }
    ledger.decided().context("the decisions contradict each other")?;
    anstream::println!(
        "{}: whole, and its {} hold together",
        safe(ledger.at()),
        count(decisions.len() as u64, "decision", "decisions")
    );
    Ok(Done::Clean)
}

fn places(file: Option<&Path>, args: &LedgerArgs) -> Result<Done> {
    let Some(file) = file else {
        let places = look(args)?.places()?;
        if args.json {
            return show::json(&places);
        }
        let mut to = anstream::stdout().lock();
        for it in &places {
            let cells = [(&it.pattern, 40), (&it.tenant, 20), (&it.region, 16), (&it.sector, 16), (&it.service, 16)];
            let cells = cells.map(|(text, wide)| format!("{:<wide$}", short(text, wide)));
            writeln!(to, "{}", cells.join(" ").trim_end())?;
        }
        writeln!(to, "{}", count(places.len() as u64, "place", "places"))?;
        return Ok(Done::Clean);
    };
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let places = parse(&text).with_context(|| file.display().to_string())?;
    let mut ledger = open(args)?;
    ledger.set_places(&places)?;
    anstream::println!("{} taken from {}", count(places.len() as u64, "place", "places"), file.display());
    Ok(Done::Clean)
}

/// `pattern,tenant,region,sector,service`; a heading, empty lines and lines that start with # say nothing, and the cells at
/// the end may be left out.
fn parse(text: &str) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    for (n, line) in (1..).zip(text.lines()) {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        match cells[..] {
            [""] | ["pattern", ..] => {}
            [first, ..] if first.starts_with('#') => {}
            [pattern, _, ..] if !pattern.is_empty() && cells.len() <= 5 => {
                let cell = |at: usize| cells.get(at).copied().unwrap_or_default().to_owned();
                places.push(Place {
                    pattern: cell(0),
                    tenant: cell(1),
                    region: cell(2),
                    sector: cell(3),
                    service: cell(4),
                });
            }
            _ => bail!("line {n}: not pattern,tenant,region,sector,service"),
        }
        if places.len() > MAX_PLACES {
            bail!("more than {MAX_PLACES} places");
        }
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_line_by_line() {
        let places = parse("pattern,tenant,region\n# ours\nshop-*, shop, eu\n\nci-*,ci\nx-*,,,retail,web\n").unwrap();
        let row = |it: &Place| [&it.pattern, &it.tenant, &it.region, &it.sector, &it.service].map(String::clone);
        assert_eq!(row(&places[0]), ["shop-*", "shop", "eu", "", ""]);
        assert_eq!(row(&places[1]), ["ci-*", "ci", "", "", ""]);
        assert_eq!(row(&places[2]), ["x-*", "", "", "retail", "web"]);
        let error = parse("a,b,c,d,e,f").unwrap_err().to_string();
        assert_eq!(error, "line 1: not pattern,tenant,region,sector,service");
    }
}
