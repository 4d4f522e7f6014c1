//! `allow`: what is honest here, until when, and why.

use std::io::Write as _;

use anyhow::{Result, bail};
use ringleader_ledger::{Allowable, What};
use ringleader_model::Timestamp;
use ringleader_model::time::TimeDefaults;
use serde_json::json;

use super::show;
use super::with_ledger::{decide, look, open};
use crate::args_ledger::{AllowCommand, AllowValueArgs, LedgerArgs};
use crate::commands::{Done, now};
use crate::terminal::{count, short};

pub(in crate::commands) fn allow(command: &AllowCommand) -> Result<Done> {
    match command {
        AllowCommand::Indicator(args) => add(Allowable::Indicator, args),
        AllowCommand::Template(args) => add(Allowable::Template, args),
        AllowCommand::HostGroup(args) => add(Allowable::HostGroup, args),
        AllowCommand::List { all, ledger } => list(*all, ledger),
        AllowCommand::Remove { entry, decide: args } => {
            let mut ledger = look(&args.by.ledger)?;
            let decided = ledger.decided()?;
            let number: Option<i64> = entry.parse().ok();
            let found = decided.allowed.iter().rev().find(|it| Some(it.seq) == number || it.value == *entry);
            let Some(found) = found else {
                bail!("nothing of the allow-list is {entry}: `ringleader allow list` shows it");
            };
            decide(&mut ledger, args, What::Undo { decision: found.seq })
        }
    }
}

fn add(what: Allowable, args: &AllowValueArgs) -> Result<Done> {
    let until = until(&args.until)?;
    let value = args.value.trim().to_owned();
    if what == Allowable::HostGroup && value.bytes().all(|it| it == b'*') {
        bail!("{value} would allow every host: name some of them");
    }
    let mut ledger = open(&args.decide.by.ledger)?;
    decide(&mut ledger, &args.decide, What::Allow { what, value, until })
}

/// A day counts to its end.
fn until(text: &str) -> Result<Timestamp> {
    match Timestamp::parse(text, &TimeDefaults::default()) {
        Some((time, Some(_))) => Ok(time),
        Some((time, None)) if text.trim().len() == 10 => Ok(Timestamp(time.0 + 86_400_000_000 - 1)),
        _ => bail!("--until {text}: write a day as 2026-06-30, or a time as 2026-06-30T12:00:00Z"),
    }
}

fn list(all: bool, args: &LedgerArgs) -> Result<Done> {
    let mut ledger = look(args)?;
    let (decided, now) = (ledger.decided()?, now());
    let entries: Vec<_> = decided.allowed.iter().filter(|it| all || it.until > now).collect();
    if args.json {
        let rows: Vec<_> = entries
            .iter()
            .map(|it| {
                json!({ "decision": it.seq, "what": it.what.name(), "value": it.value, "until": it.until.to_string(),
                    "ended": it.until <= now, "why": it.why })
            })
            .collect();
        return show::json(&rows);
    }
    let mut to = anstream::stdout().lock();
    for it in &entries {
        let ended = if it.until <= now { "ended" } else { "until" };
        writeln!(
            to,
            "{:>5}  {:<10} {:<60} {ended} {}  {}",
            it.seq,
            it.what.name(),
            short(&it.value, 60),
            it.until.day(),
            short(&it.why, 60)
        )?;
    }
    writeln!(to, "{}", count(entries.len() as u64, "entry", "entries"))?;
    Ok(Done::Clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_counts_to_its_end() {
        assert_eq!(until("2026-06-30").unwrap().day(), "2026-06-30");
        assert!(until("2026-06-30").unwrap() > until("2026-06-30T23:59:59Z").unwrap());
        assert!(until("2026-06-30T12:00").is_err());
        assert!(until("soon").unwrap_err().to_string().contains("2026-06-30"));
    }
}
