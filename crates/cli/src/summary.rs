//! The answer in a screenful: who, how, what; and how well the logs could have shown it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;

use anyhow::Result;
use ringleader_engine::Run;
use ringleader_model::findings::{Findings, Gang, Grade, Text};
use ringleader_model::{Indicator, IndicatorKind};
use ringleader_pipeline::label::episode::Knowledge;

use crate::terminal::{count, grouped, safe, short};

/// Gangs that are told one by one.
const TOLD: usize = 5;
const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const RED: &str = "\x1b[31m";
const OFF: &str = "\x1b[0m";

pub(crate) fn print(run: &Run, out: &Path) -> Result<()> {
    let mut to = anstream::stdout().lock();
    let findings = &run.findings;
    let summary = &findings.summary;
    writeln!(
        to,
        "{} from {} on {}; {} rejected, {} twice",
        count(summary.events_read, "event", "events"),
        count(summary.sources.iter().filter(|it| it.read > 0).count() as u64, "source", "sources"),
        count(summary.hosts, "host", "hosts"),
        grouped(summary.events_rejected),
        grouped(summary.events_duplicate),
    )?;
    if findings.gangs.is_empty() {
        nothing(&mut to, run)?;
    } else {
        let infected: BTreeSet<&Text> = findings.gangs.iter().flat_map(|it| &it.who.hosts).collect();
        writeln!(
            to,
            "{BOLD}{RED}{}{OFF}{BOLD} on {}{OFF}, {}; {} nodes and edges became {}",
            count(findings.gangs.len() as u64, "gang", "gangs"),
            count(infected.len() as u64, "host", "hosts"),
            count(findings.campaigns.len() as u64, "campaign", "campaigns"),
            grouped(summary.nodes_edges_before),
            grouped(summary.nodes_edges_after),
        )?;
        for gang in findings.gangs.iter().take(TOLD) {
            tell(&mut to, gang)?;
        }
        if findings.gangs.len() > TOLD {
            writeln!(to, "  … and {} more in the report", grouped((findings.gangs.len() - TOLD) as u64))?;
        }
        missed(&mut to, findings, &infected)?;
        repaired(&mut to, findings)?;
    }
    rejected(&mut to, findings)?;
    writeln!(to, "{DIM}Report:{OFF} {}", out.join("report.html").display())?;
    if let Some(gang) = findings.gangs.first() {
        let id = &gang.gang_id[..8];
        writeln!(to, "{DIM}Next:{OFF}   ringleader explain {id} --out {}", out.display())?;
    }
    Ok(())
}

fn tell(to: &mut impl std::io::Write, gang: &Gang) -> Result<()> {
    writeln!(
        to,
        "\n{BOLD}{}{OFF}  {}  {DIM}confidence {:.2}{OFF}",
        safe(&gang.name),
        count(gang.who.hosts.len() as u64, "host", "hosts"),
        gang.confidence.to_f64()
    )?;
    let who = strongest(gang, 3);
    writeln!(
        to,
        "  who   {}",
        if who.is_empty() { "no indicator: known by what it runs".to_owned() } else { who.join("   ") }
    )?;
    let how: Vec<String> = gang
        .how
        .iter()
        .take(3)
        .map(|it| {
            format!(
                "{}{} ({} hosts, {:.2})",
                it.method,
                it.cve.as_deref().map(|it| format!(" {it}")).unwrap_or_default(),
                it.hosts,
                it.confidence.to_f64()
            )
        })
        .collect();
    writeln!(
        to,
        "  how   {}",
        if how.is_empty() {
            "unknown: no record shows the way in".to_owned()
        } else {
            safe(&how.join(", ")).into_owned()
        }
    )?;
    let what: Vec<&str> = gang.what.behaviours.iter().take(6).map(|it| &*it.id).collect();
    writeln!(to, "  what  {}", safe(&what.join(", ")))?;
    let roles: Vec<String> = gang
        .what
        .network_roles
        .iter()
        .filter_map(|it| Some(format!("{} {}", it.role, short(it.values.first()?, 40))))
        .take(3)
        .collect();
    if !roles.is_empty() {
        writeln!(to, "  net   {}", roles.join("   "))?;
    }
    Ok(())
}

/// The values that say most, each kind once before any twice.
fn strongest(gang: &Gang, n: usize) -> Vec<String> {
    const ORDER: [&str; 8] = ["wallet", "ssh_key", "url", "ip_port", "hash", "domain", "ip", "file_path"];
    ORDER
        .iter()
        .filter_map(|kind| Some(format!("{kind} {}", short(&gang.who.indicators.get(*kind)?.first()?.value, 48))))
        .take(n)
        .collect()
}

fn missed(to: &mut impl std::io::Write, findings: &Findings, infected: &BTreeSet<&Text>) -> Result<()> {
    let Some(alerted) = &findings.alerted_hosts else { return Ok(()) };
    let alerted: BTreeSet<&Text> = alerted.iter().collect();
    let missed: Vec<&str> = infected.iter().filter(|it| !alerted.contains(**it)).map(|it| &***it).collect();
    if missed.is_empty() {
        writeln!(to, "\nEvery one of these hosts was named by an alert.")?;
    } else {
        let names: Vec<String> = missed.iter().take(6).map(|it| short(it, 24)).collect();
        let more = if missed.len() > 6 { " …" } else { "" };
        writeln!(
            to,
            "\n{BOLD}{} that no alert named:{OFF} {}{more}",
            count(missed.len() as u64, "host", "hosts"),
            names.join(", ")
        )?;
    }
    Ok(())
}

fn repaired(to: &mut impl std::io::Write, findings: &Findings) -> Result<()> {
    let n = |grade: Grade| findings.repaired.iter().filter(|it| it.grade == grade).map(|it| it.times).sum::<u64>();
    let (structural, statistical) = (n(Grade::Structural), n(Grade::Statistical));
    if structural + statistical > 0 {
        writeln!(
            to,
            "Repaired: {} that sensors lost ({} proven by a child, {} by siblings)",
            count(structural + statistical, "process", "processes"),
            grouped(structural),
            grouped(statistical)
        )?;
    }
    Ok(())
}

/// A run without a gang is an answer: what was looked for, and how well the logs could have shown it.
fn nothing(to: &mut impl std::io::Write, run: &Run) -> Result<()> {
    let findings = &run.findings;
    let of = |key: &str| findings.looked_for.get(key).copied().unwrap_or(0);
    writeln!(to, "{BOLD}No gang found.{OFF}")?;
    writeln!(
        to,
        "Looked for {} behaviours, {} attack methods and shared indicators in {} of {}.",
        of("behaviours"),
        of("methods"),
        count(findings.summary.episodes, "episode", "episodes"),
        count(findings.summary.processes, "process", "processes"),
    )?;
    let (mut links, mut missing, mut processes, mut mute) = (0, 0, 0, 0);
    for it in run.analyzed.health.values() {
        links += it.links;
        missing += it.missing;
        processes += it.processes;
        mute += it.without_command_line;
    }
    if processes == 0 {
        writeln!(to, "These logs hold no process events: what ran on the hosts cannot be seen in them.")?;
    } else {
        if let Some(lost) = (missing * 100).checked_div(links) {
            writeln!(to, "At least {lost}% of process events were lost (parents that are named and not logged).")?;
        }
        if mute > 0 {
            writeln!(
                to,
                "{} of {} processes have no command line: what they did cannot be seen.",
                grouped(mute),
                grouped(processes)
            )?;
        }
    }
    writeln!(to, "`ringleader doctor` on the same inputs says more.")?;
    Ok(())
}

fn rejected(to: &mut impl std::io::Write, findings: &Findings) -> Result<()> {
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for (reason, n) in findings.summary.sources.iter().flat_map(|it| &it.reasons) {
        *reasons.entry(reason).or_default() += n;
    }
    if reasons.is_empty() {
        return Ok(());
    }
    let mut list: Vec<(&str, u64)> = reasons.into_iter().collect();
    list.sort_by_key(|it| (std::cmp::Reverse(it.1), it.0));
    let text: Vec<String> =
        list.iter().take(3).map(|(reason, n)| format!("{} × {}", grouped(*n), short(reason, 48))).collect();
    writeln!(to, "{DIM}Rejected:{OFF} {} (kept in dead_letter.jsonl)", text.join(", "))?;
    Ok(())
}

/// What an alert has to do with: its values in gangs, and the hosts beyond it.
pub(crate) fn alert(run: &Run, alert: &str, knowledge: &Knowledge) -> Result<()> {
    let mut to = anstream::stdout().lock();
    let text = if Path::new(alert).is_file() {
        String::from_utf8_lossy(&std::fs::read(alert)?).into_owned()
    } else {
        alert.to_owned()
    };
    let mut indicators: Vec<Indicator> = Vec::new();
    knowledge.extractor.extract(&text, &mut indicators);
    let mut values: BTreeSet<String> = indicators.iter().map(|it| it.value.clone()).collect();
    values.extend(indicators.iter().filter_map(|it| ringleader_pipeline::merge::stop::host_of(it.kind, &it.value)));
    values.extend((!Path::new(alert).is_file()).then(|| alert.to_owned()));
    writeln!(
        to,
        "\n{BOLD}The alert{OFF} names {}",
        values.iter().take(6).map(|it| short(it, 48)).collect::<Vec<_>>().join(", ")
    )?;
    let mut any = false;
    for gang in &run.findings.gangs {
        let shared: Vec<String> = gang
            .who
            .indicators
            .iter()
            .flat_map(|(kind, list)| list.iter().map(move |it| (kind, it)))
            .filter(|(_, it)| values.contains(&*it.value))
            .map(|(kind, it)| format!("{kind} {}", short(&it.value, 48)))
            .collect();
        let hosts: Vec<&Text> = gang.who.hosts.iter().filter(|it| values.contains(&***it)).collect();
        if shared.is_empty() && hosts.is_empty() {
            continue;
        }
        any = true;
        let because: Vec<String> =
            shared.into_iter().chain(hosts.iter().map(|it| format!("host {}", short(it, 32)))).take(3).collect();
        writeln!(
            to,
            "  It is {BOLD}{}{OFF} ({}): {} in all, from {}",
            safe(&gang.name),
            because.join(", "),
            count(gang.who.hosts.len() as u64, "host", "hosts"),
            gang.who.first_seen.map_or_else(|| "an unknown time".to_owned(), |it| it.to_string()),
        )?;
    }
    if !any {
        let kinds: BTreeSet<&str> =
            indicators.iter().map(|it| it.kind.name()).chain([IndicatorKind::FilePath.name()]).collect();
        writeln!(
            to,
            "  No gang in these logs has any of it (looked for {}).",
            kinds.into_iter().collect::<Vec<_>>().join(", ")
        )?;
    }
    Ok(())
}
