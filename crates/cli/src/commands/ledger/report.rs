//! `report`: what a period came to, from the ledger → a page, Markdown and JSON.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use ringleader_ledger::Asked;
use ringleader_model::trend::{Day, Length, MethodFacts, Trend};
use ringleader_pipeline::label::episode::Knowledge;

use super::with_ledger::look;
use crate::args_ledger::{PeriodLength, ReportArgs};
use crate::commands::{Done, run};
use crate::terminal::{count, safe};

pub(in crate::commands) fn report(args: &ReportArgs) -> Result<Done> {
    let from = args.from.as_deref().map(day).transpose()?;
    let length = match args.period {
        PeriodLength::Week => Length::Week,
        PeriodLength::Month => Length::Month,
        PeriodLength::Quarter => Length::Quarter,
    };
    let mut ledger = look(&args.ledger)?;
    let Some(period) = ledger.period(length, from)? else {
        bail!(
            "{} holds no activity by day yet: `ringleader run … --ledger` writes it, for each day that a log has",
            safe(ledger.at())
        );
    };
    let gang = match &args.gang {
        Some(gang) => {
            let gang = ledger.find_gang(gang)?;
            Some(ledger.standing(&gang)?)
        }
        None => None,
    };
    let trend = ledger.trend(&Asked { period, gang, methods: methods() })?;
    ringleader_report::trend::write(&trend, run::lang(args.lang), &args.out)
        .with_context(|| format!("cannot write the report to {}", args.out.display()))?;
    if args.ledger.json {
        return super::show::json(&trend);
    }
    told(&trend);
    anstream::println!("{}", args.out.join("trend.html").display());
    Ok(Done::Clean)
}

fn day(text: &str) -> Result<Day> {
    Day::parse(text).filter(|_| text.len() == 10).with_context(|| format!("--from {text}: write it as 2026-04-01"))
}

/// What the knowledge says of each method.
fn methods() -> BTreeMap<String, MethodFacts> {
    let knowledge = Knowledge::built_in();
    let facts = knowledge.methods.all().iter().map(|it| {
        let facts = MethodFacts { name: it.name.clone(), cve: it.cve.clone(), disclosed: it.disclosed };
        (it.id.clone(), facts)
    });
    facts.collect()
}

fn told(trend: &Trend) {
    anstream::println!(
        "{} to {}: {} on {}; {} on {} in the time before",
        trend.period.from,
        trend.period.last(),
        count(trend.active.0, "gang", "gangs"),
        count(trend.now.hosts, "host", "hosts"),
        count(trend.active.1, "gang", "gangs"),
        count(trend.before.hosts, "host", "hosts"),
    );
    if !trend.compares() {
        anstream::println!("the ledger does not hold the whole time before: rise and fall are not told");
    }
}
