//! `case`: what a team works on.

use std::io::Write as _;

use anyhow::{Result, bail};
use ringleader_ledger::{Case, What};
use serde_json::{Value, json};

use super::show::{self, minute, short_id};
use super::with_ledger::{decide_by, look, open};
use crate::args_ledger::{CaseCommand, LedgerArgs};
use crate::commands::Done;
use crate::terminal::{count, safe, short};

pub(in crate::commands) fn case(command: &CaseCommand) -> Result<Done> {
    match command {
        CaseCommand::Open { title, gangs, hosts, by } => {
            let mut ledger = open(&by.ledger)?;
            let gangs = gangs.iter().map(|it| Ok(ledger.find_gang(it)?)).collect::<Result<Vec<_>>>()?;
            decide_by(&mut ledger, by, "", What::OpenCase { title: title.clone(), gangs, hosts: hosts.clone() })
        }
        CaseCommand::List { all, ledger } => list(*all, ledger),
        CaseCommand::Show { case, ledger } => show_one(*case, ledger),
        CaseCommand::Note { case, text, by } => {
            let mut ledger = look(&by.ledger)?;
            decide_by(&mut ledger, by, "", What::NoteCase { case: *case, text: text.clone() })
        }
        CaseCommand::Close { case, outcome, by } => {
            let mut ledger = look(&by.ledger)?;
            decide_by(&mut ledger, by, "", What::CloseCase { case: *case, outcome: outcome.clone() })
        }
    }
}

fn page(id: i64, it: &Case) -> Value {
    let notes: Vec<Value> =
        it.notes.iter().map(|(at, who, text)| json!({ "at": at.to_string(), "who": who, "text": text })).collect();
    json!({
        "case": id,
        "title": it.title,
        "opened": it.opened.to_string(),
        "by": it.by,
        "gangs": it.gangs,
        "hosts": it.hosts,
        "notes": notes,
        "outcome": it.closed.as_ref().map(|it| &it.0),
    })
}

fn list(all: bool, args: &LedgerArgs) -> Result<Done> {
    let decided = look(args)?.decided()?;
    let cases: Vec<_> = decided.cases.iter().filter(|it| all || it.1.closed.is_none()).collect();
    if args.json {
        let rows: Vec<Value> = cases.iter().map(|it| page(*it.0, it.1)).collect();
        return show::json(&rows);
    }
    let mut to = anstream::stdout().lock();
    for (id, it) in &cases {
        let state = if it.closed.is_some() { "closed" } else { "open" };
        let about: Vec<&str> =
            it.gangs.iter().map(|it| short_id(it)).chain(it.hosts.iter().map(String::as_str)).collect();
        writeln!(
            to,
            "{id:>5}  {:<40} {state:<6} {}  {}",
            short(&it.title, 40),
            minute(it.opened.0),
            short(&about.join(", "), 60)
        )?;
    }
    writeln!(to, "{}", count(cases.len() as u64, "case", "cases"))?;
    Ok(Done::Clean)
}

fn show_one(id: i64, args: &LedgerArgs) -> Result<Done> {
    let decided = look(args)?.decided()?;
    let Some(it) = decided.cases.get(&id) else {
        bail!("there is no case {id}: `ringleader case list --all` shows them");
    };
    if args.json {
        return show::json(&page(id, it));
    }
    let mut to = anstream::stdout().lock();
    writeln!(to, "\x1b[1mcase {id}: {}\x1b[0m  by {}, {}", safe(&it.title), safe(&it.by), minute(it.opened.0))?;
    for gang in &it.gangs {
        let name = decided.name(gang).unwrap_or_default();
        writeln!(to, "  gang {} {}", short_id(gang), safe(name))?;
    }
    for host in &it.hosts {
        writeln!(to, "  host {}", safe(host))?;
    }
    for (at, who, text) in &it.notes {
        writeln!(to, "  {}  {}: {}", minute(at.0), safe(who), safe(text))?;
    }
    if let Some((outcome, _)) = &it.closed {
        writeln!(to, "  closed: {}", safe(outcome))?;
    }
    Ok(Done::Clean)
}
