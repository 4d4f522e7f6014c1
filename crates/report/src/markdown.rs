//! Findings → `report.md`: the answer in plain text. Whatever a log said stands in a code span.

use std::fmt::Write as _;
use std::io::{self, Write};

use ringleader_model::findings::{Findings, Gang, Strength, Text};

use crate::mask::mask;
use crate::messages::Msg;
use crate::number::{count, grouped, minute, percent};
use crate::view::{View, class, novelty};
use crate::{Options, Report, escape};

/// Gangs told in full, hosts and indicators of each; the rest are counted.
const GANGS: usize = 200;
const LISTED: usize = 40;

pub(crate) struct Markdown;

impl Report for Markdown {
    fn file(&self) -> &'static str {
        "report.md"
    }
    fn summary(&self) -> &'static str {
        "the answer for people, as text"
    }
    fn write(&self, findings: &Findings, options: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let view = View::new(findings, options.lang);
        let mut text = String::new();
        page(&view, &mut text).map_err(io::Error::other)?;
        out.write_all(text.as_bytes())
    }
}

fn say(text: &str) -> String {
    escape::markdown(&mask(text))
}

fn list<'a>(items: impl IntoIterator<Item = &'a Text>) -> String {
    items.into_iter().map(|it| say(it)).collect::<Vec<_>>().join(", ")
}

fn page(view: &View<'_>, out: &mut String) -> std::fmt::Result {
    let findings = view.findings;
    writeln!(out, "# {}\n", view.say(Msg::Title))?;
    writeln!(out, "{}\n", view.answer(|number| format!("**{number}**")).join(" "))?;
    if findings.gangs.is_empty() {
        nothing(view, out)?;
    }
    if !findings.warnings.is_empty() {
        writeln!(out, "## {}\n", view.say(Msg::Warnings))?;
        for warning in findings.warnings.iter().take(LISTED) {
            writeln!(out, "- {}: {}", warning.kind.name(), say(&warning.text))?;
        }
        writeln!(out)?;
    }
    for gang in findings.gangs.iter().take(GANGS) {
        self::gang(view, gang, out)?;
    }
    if findings.gangs.len() > GANGS {
        let more = grouped(count(findings.gangs.len() - GANGS));
        writeln!(out, "{}\n", Msg::More.with(view.lang, &[&more, "gangs.json"]))?;
    }
    honeynet(view, out)?;
    quality(view, out)?;
    writeln!(out, "{}", view.say(Msg::Footer))
}

fn honeynet(view: &View<'_>, out: &mut String) -> std::fmt::Result {
    let Some(honeynet) = &view.findings.honeynet else { return Ok(()) };
    writeln!(out, "## {}\n", view.say(Msg::Honeynet))?;
    for group in honeynet.groups.iter().take(LISTED) {
        let lines = crate::honeynet::lines(view, honeynet, group, &say);
        writeln!(
            out,
            "- {}: {}: {}",
            say(&crate::honeynet::name(view, group)),
            view.say(crate::honeynet::standing(group)),
            lines.join("; ")
        )?;
    }
    writeln!(out)
}

fn gang(view: &View<'_>, gang: &Gang, out: &mut String) -> std::fmt::Result {
    let who = &gang.who;
    writeln!(out, "## {}: {}\n", view.say(Msg::Gang), say(&gang.name))?;
    let seen = [who.first_seen, who.last_seen].map(|it| it.map(minute).unwrap_or_default()).join(" – ");
    let hosts = Msg::HostsCount.with(view.lang, &[&grouped(count(who.hosts.len()))]);
    writeln!(
        out,
        "{} · {hosts} · {} {} · {seen}\n",
        say(&gang.gang_id),
        view.say(Msg::Confidence),
        percent(gang.confidence)
    )?;
    if !gang.known_as.is_empty() {
        let names: Vec<_> = gang.known_as.iter().map(|it| say(it)).collect();
        writeln!(out, "{}: {}\n", view.say(Msg::KnownAs), names.join(", "))?;
    }
    writeln!(out, "**{}**\n", view.say(Msg::Who))?;
    for it in who.infrastructure.iter().take(LISTED) {
        writeln!(out, "- {} {}: {}", it.kind.name(), say(&it.value), list(&it.roles))?;
    }
    for (kind, indicators) in &who.indicators {
        let strong = indicators.iter().filter(|it| it.strength == Strength::Strong);
        for it in strong.take(LISTED) {
            writeln!(out, "- {} {}", say(kind), say(&it.value))?;
        }
    }
    writeln!(out, "- {}: {}", view.say(Msg::Hosts), list(who.hosts.iter().take(LISTED)))?;
    if who.hosts.len() > LISTED {
        let more = grouped(count(who.hosts.len() - LISTED));
        writeln!(out, "- {}", Msg::More.with(view.lang, &[&more, "gangs.json"]))?;
    }
    writeln!(out, "\n**{}**\n", view.say(Msg::How))?;
    if gang.how.is_empty() {
        writeln!(out, "{}", view.say(Msg::NoMethod))?;
    }
    for it in &gang.how {
        let cve = it.cve.as_deref().map(|it| format!(" {}", say(it))).unwrap_or_default();
        writeln!(
            out,
            "- {}{cve} ({}, {}), {}, {}: {}",
            say(&it.method),
            view.say(class(it.class)),
            view.say(novelty(it.novelty)),
            percent(it.confidence),
            Msg::HostsCount.with(view.lang, &[&grouped(it.hosts)]),
            list(&it.evidence_ids)
        )?;
        let first = it.evidence_ids.first().and_then(|id| view.evidence(id));
        if let Some(excerpt) = first.and_then(|it| it.excerpt.as_deref()) {
            writeln!(out, "  - {}", say(excerpt))?;
        }
    }
    writeln!(out, "\n**{}**\n", view.say(Msg::What))?;
    for it in &gang.what.behaviours {
        let technique = it.technique.as_deref().map(|it| format!(" {}", say(it))).unwrap_or_default();
        let hosts = Msg::HostsCount.with(view.lang, &[&grouped(it.hosts)]);
        writeln!(out, "- {}{technique}, {hosts}: {}", say(&it.id), list(&it.evidence_ids))?;
    }
    for it in &gang.what.network_roles {
        writeln!(out, "- {}: {}", say(&it.role), list(&it.values))?;
    }
    writeln!(out, "\n**{}**\n", view.say(Msg::Links))?;
    if gang.links.is_empty() {
        writeln!(out, "{}", view.say(Msg::NoLinks))?;
    }
    for it in &gang.links {
        let weight = Msg::WeightOf.with(view.lang, &[&it.weight.to_string(), &it.threshold.to_string()]);
        writeln!(out, "- {} ↔ {}: {weight}: {}", say(&it.from), say(&it.to), list(&it.evidence_ids))?;
    }
    for it in &gang.near_misses {
        let weight = Msg::WeightOf.with(view.lang, &[&it.weight.to_string(), &it.threshold.to_string()]);
        let label = view.say(Msg::NearMisses);
        writeln!(out, "- {label}: {} ↔ {}: {weight}: {}", say(&it.from), say(&it.to), say(&it.why))?;
    }
    writeln!(out)
}

fn nothing(view: &View<'_>, out: &mut String) -> std::fmt::Result {
    for line in nothing_lines(view) {
        writeln!(out, "- {line}")?;
    }
    writeln!(out, "\n## {}\n", view.say(Msg::NothingLookedFor))?;
    for (what, n) in &view.findings.looked_for {
        writeln!(out, "- {} {}", grouped(*n), say(what))?;
    }
    writeln!(out)
}

/// What a run that found nothing can say for itself. Our own words and numbers only.
pub(crate) fn nothing_lines(view: &View<'_>) -> Vec<String> {
    let summary = &view.findings.summary;
    let say = |message: Msg, n: u64| message.with(view.lang, &[&grouped(n)]);
    let unknown = summary.sources.iter().filter(|it| it.format.is_none()).count();
    let mut out = vec![
        Msg::NothingLead
            .with(view.lang, &[&grouped(summary.events_read), &grouped(summary.hosts), &grouped(summary.processes)]),
        match summary.processes {
            0 => view.say(Msg::NothingNoProcesses).to_owned(),
            n => say(Msg::NothingProcesses, n),
        },
        match summary.events_rejected {
            0 => view.say(Msg::NothingAllRead).to_owned(),
            n => say(Msg::NothingRejected, n),
        },
    ];
    if unknown > 0 {
        out.push(say(Msg::NothingUnknown, count(unknown)));
    }
    out.push(view.say(Msg::NothingNotClean).to_owned());
    out.push(view.say(Msg::NothingNext).to_owned());
    out
}

fn quality(view: &View<'_>, out: &mut String) -> std::fmt::Result {
    let titles = [Msg::Source, Msg::Format, Msg::Read, Msg::Rejected, Msg::Reasons].map(|it| view.say(it));
    writeln!(out, "## {}\n\n| {} |\n|---|---|---:|---:|---|", view.say(Msg::DataQuality), titles.join(" | "))?;
    for it in &view.findings.summary.sources {
        let reasons: Vec<_> = it.reasons.iter().map(|(why, n)| format!("{} × {}", grouped(*n), say(why))).collect();
        let format = it.format.as_deref().map_or_else(|| view.say(Msg::NotRecognised).to_owned(), say);
        let numbers = [it.read, it.rejected].map(grouped).join(" | ");
        writeln!(out, "| {} | {format} | {numbers} | {} |", say(&it.source), reasons.join(", "))?;
    }
    writeln!(out)
}
