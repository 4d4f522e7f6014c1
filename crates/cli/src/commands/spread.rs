//! `spread`: files → one incident, host to host.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use ringleader_engine::Config;
use ringleader_engine::collect::Progress as _;
use ringleader_engine::sources::Input;
use ringleader_model::Timestamp;
use ringleader_model::findings::{Spread, Verdict};
use ringleader_model::time::TimeDefaults;
use ringleader_pipeline::reconstruct::{Question, Rules, spell};
use ringleader_report::Folder;
use serde::Deserialize;

use super::run::{describe, knowledge, known, lang, with_sensors};
use super::{Done, collect_config, inputs};
use crate::args::SpreadArgs;
use crate::progress::Bar;
use crate::terminal::{count, grouped, safe, short};

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const RED: &str = "\x1b[31m";
const OFF: &str = "\x1b[0m";
/// Hosts and discrepancies that are told one by one.
const TOLD: usize = 12;

/// `case.toml`. Everything may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Case {
    /// For people.
    #[allow(dead_code, reason = "the file's own title")]
    name: String,
    /// More inputs (artefacts, alerts, the asset list), relative to the file.
    inputs: Vec<PathBuf>,
    /// Hosts, addresses, paths, hashes, names of programs.
    seeds: Vec<String>,
    start: Option<String>,
    end: Option<String>,
    /// Hosts that scan or administer.
    known_good: Vec<String>,
    /// Programs that are no malware.
    good_paths: Vec<String>,
    /// host → verdict
    decided: BTreeMap<String, String>,
}

pub(super) fn spread(args: &SpreadArgs) -> Result<Done> {
    let mut inputs = inputs(&args.read)?;
    let mut question = Question::default();
    if let Some(path) = &args.case {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the case {}", path.display()))?;
        let case: Case = toml::from_str(&text).with_context(|| format!("{}: not a case file", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        for input in &case.inputs {
            let input = folder.join(input);
            if !input.exists() {
                bail!("{}: the case names it, and there is no such file or folder", input.display());
            }
            inputs.push(Input::Path(input));
        }
        question = asked(&case, &collect_config(&args.read)?.times).with_context(|| path.display().to_string())?;
    }
    for alert in &args.alert {
        if Path::new(alert).is_file() {
            inputs.push(Input::parse(alert));
        } else {
            question.seeds.push(alert.clone());
        }
    }
    let knowledge = knowledge(&args.output)?;
    let config = Config {
        collect: collect_config(&args.read)?,
        processes: args.output.processes,
        known: known(args.output.registry.as_deref())?,
    };
    let bar = Bar::new();
    let mut folder = Folder::new(&args.output.out, args.output.processes);
    let rules = Rules::built_in();
    let map = super::run::sensors(&args.output)?;
    let job = |tables: &mut dyn ringleader_model::Tables| {
        ringleader_engine::spread::spread(&inputs, &knowledge, &config, &question, &rules, &bar, tables)
    };
    let mut run = with_sensors(&mut folder, map.as_ref(), job).context("the run ended early")?;
    bar.stage("report");
    describe(&mut run.findings, &inputs, &args.output, &knowledge);
    let options = ringleader_report::Options { lang: lang(args.output.lang) };
    folder
        .write(&run.findings, &options)
        .with_context(|| format!("cannot write the findings to {}", args.output.out.display()))?;
    bar.finish();
    let Some(spread) = &run.findings.spread else { bail!("no incident was made") };
    if args.output.json {
        let mut out = std::io::stdout().lock();
        ringleader_report::escape::json(spread, &mut out, ringleader_report::escape::Shape::Pretty)?;
        writeln!(out)?;
    } else {
        print(spread, &run.findings.summary, &args.output.out)?;
    }
    let found = args.output.fail_on_findings && spread.hosts.iter().any(|it| it.verdict == Verdict::Compromised);
    Ok(if found { Done::Found } else { Done::Clean })
}

fn asked(case: &Case, times: &TimeDefaults) -> Result<Question> {
    let time = |text: &Option<String>| -> Result<Option<i64>> {
        let Some(text) = text else { return Ok(None) };
        let parsed = Timestamp::parse(text, times).with_context(|| format!("no time: {text}"))?;
        Ok(Some(parsed.0.0))
    };
    let window = match (time(&case.start)?, time(&case.end)?) {
        (Some(start), Some(end)) if start < end => Some((start, end)),
        (None, None) => None,
        _ => bail!("`start` and `end` go together, the earlier one first"),
    };
    let mut decided = BTreeMap::new();
    for (host, verdict) in &case.decided {
        let verdict = Verdict::from_name(verdict).with_context(|| {
            let all: Vec<&str> = Verdict::ALL.iter().map(|it| it.name()).collect();
            format!("no verdict `{verdict}`: one of {}", all.join(", "))
        })?;
        decided.insert(host.to_ascii_lowercase(), verdict);
    }
    Ok(Question {
        seeds: case.seeds.clone(),
        window,
        known_good: case.known_good.iter().map(|it| it.to_ascii_lowercase()).collect(),
        good_paths: case.good_paths.iter().map(|it| spell(it)).collect(),
        decided,
    })
}

fn print(spread: &Spread, summary: &ringleader_model::findings::Summary, out: &Path) -> Result<()> {
    let mut to = anstream::stdout().lock();
    writeln!(
        to,
        "{} from {}; {} rejected",
        count(summary.events_read, "event", "events"),
        count(summary.sources.iter().filter(|it| it.read > 0).count() as u64, "source", "sources"),
        grouped(summary.events_rejected),
    )?;
    if let Some(window) = &spread.window {
        writeln!(to, "{DIM}From {} to {}:{OFF}", window.start, window.end)?;
        for why in window.because.iter().take(4) {
            writeln!(to, "  {}", safe(why))?;
        }
    }
    let of = |verdict: Verdict| spread.hosts.iter().filter(move |it| it.verdict == verdict);
    let taken = of(Verdict::Compromised).count() as u64;
    writeln!(to, "\n{BOLD}{RED}{} taken{OFF}", count(taken, "host", "hosts"))?;
    let mut hosts: Vec<_> = of(Verdict::Compromised).collect();
    hosts.sort_by_key(|it| (it.first_seen.is_none(), it.first_seen));
    for host in hosts.iter().take(TOLD) {
        let by = spread
            .edges
            .iter()
            .find(|it| it.to == host.host && it.class == ringleader_model::findings::EdgeClass::Compromised)
            .map_or_else(String::new, |it| format!(" from {}", safe(&it.from)));
        let method = host.method.as_ref().map_or_else(String::new, |it| format!(" by {}", safe(it)));
        let missed = if host.missed_by_alerts { format!("  {RED}never alerted{OFF}") } else { String::new() };
        let time = host
            .first_seen
            .map_or_else(|| "-".to_owned(), |it| it.to_string().get(..19).unwrap_or_default().to_owned());
        writeln!(to, "  {time}  {}{by}{method}  {}{missed}", short(&host.host, 40), percent(host.confidence))?;
    }
    if hosts.len() > TOLD {
        writeln!(to, "  … and {} more", grouped((hosts.len() - TOLD) as u64))?;
    }
    for (verdict, word) in [
        (Verdict::Attacked, "attacked"),
        (Verdict::Scanned, "scanned"),
        (Verdict::AlertedOnly, "alerted only"),
        (Verdict::CleanAsSeen, "clean as far as seen"),
        (Verdict::Unknown, "unknown: no telemetry"),
    ] {
        let names: Vec<String> = of(verdict).take(5).map(|it| short(&it.host, 40)).collect();
        if !names.is_empty() {
            let n = of(verdict).count();
            let more = if n > names.len() {
                format!(" and {} more", grouped((n - names.len()) as u64))
            } else {
                String::new()
            };
            writeln!(to, "{} {word}: {}{more}", grouped(n as u64), names.join(", "))?;
        }
    }
    if let Some(zero) = spread.patient_zero.first() {
        writeln!(to, "\n{BOLD}First:{OFF} {} ({})", safe(&zero.host), percent(zero.likelihood))?;
        match &zero.entry {
            Some(entry) => {
                let from = entry.source.as_ref().map_or_else(|| "an unknown source".into(), |it| safe(it));
                writeln!(to, "  in by {} from {from} ({})", safe(&entry.method), percent(entry.confidence))?;
            }
            None => {
                writeln!(to, "  how it got in is in none of these logs. Look at:")?;
                for place in &zero.look_at {
                    writeln!(to, "  - {}", safe(place))?;
                }
            }
        }
    }
    if !spread.discrepancies.is_empty() {
        writeln!(to, "\n{BOLD}What does not fit{OFF}")?;
        for it in spread.discrepancies.iter().take(TOLD) {
            writeln!(to, "  {}", short(&it.text, 220))?;
        }
    }
    writeln!(to, "\n{DIM}Report:{OFF} {}", out.join("incident.html").display())?;
    writeln!(to, "{DIM}To do:{OFF}  {}", out.join("containment.json").display())?;
    Ok(())
}

fn percent(confidence: ringleader_model::findings::Permille) -> String {
    format!("{}%", confidence.thousandths() / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_says_what_is_known() {
        let text = "seeds = ['192.168.0.3']\nstart = \"2018-09-30T00:00:00Z\"\nend = \"2018-09-30T06:00:00Z\"\nknown_good = [\"Scanner1\"]\n[decided]\nWEB1 = \"compromised\"\n";
        let question = asked(&toml::from_str(text).unwrap(), &TimeDefaults::default()).unwrap();
        assert_eq!(question.decided["web1"], Verdict::Compromised);
        assert!(question.known_good.contains("scanner1") && question.window.is_some());
        for bad in ["start = \"2018-09-30\"", "[decided]\na = \"bad\"", "start = \"x\"\nend = \"y\""] {
            assert!(asked(&toml::from_str(bad).unwrap(), &TimeDefaults::default()).is_err(), "{bad}");
        }
    }
}
