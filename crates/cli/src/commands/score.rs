//! `score`: findings against the truth of a synthetic log.

use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, Result};
use ringleader_engine::score::{Clusters, Figures, Graded, Score, Share, Tally};

use super::Done;
use crate::terminal::{count, grouped, safe};

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const OFF: &str = "\x1b[0m";

pub(super) fn score(truth: &Path, findings: &Path, log: Option<&Path>, incident: bool, json: bool) -> Result<Done> {
    if incident || ringleader_engine::score::incident::is_incident(truth) {
        return of_incident(truth, findings, log, json);
    }
    let score = ringleader_engine::score::score(truth, findings, log).context("cannot score")?;
    let mut to = anstream::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut to, &score)?;
        writeln!(to)?;
    } else {
        print(&score, &mut to)?;
    }
    Ok(Done::Clean)
}

fn of_incident(truth: &Path, findings: &Path, log: Option<&Path>, json: bool) -> Result<Done> {
    let score = ringleader_engine::score::incident::score(truth, findings, log).context("cannot score")?;
    let mut to = anstream::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut to, &score)?;
        writeln!(to)?;
        return Ok(Done::Clean);
    }
    let (found, peer) = (&score.findings, score.baseline.as_ref());
    let mut table = Table { to: &mut to, baseline: peer.is_some() };
    table.head("Edges")?;
    for (class, it) in &found.edges {
        let peer = peer.map(|peer| peer.edges.get(class).copied().unwrap_or_default());
        table.number(&format!("{class}: in the truth"), it.truth, None)?;
        table.share(&format!("{class}: precision"), it.precision, peer.map(|it| it.precision))?;
        table.share(&format!("{class}: recall"), it.recall, peer.map(|it| it.recall))?;
        table.share(&format!("{class}: F1"), it.f1, peer.map(|it| it.f1))?;
    }
    table.share("mean of F1", found.edge_macro_f1, peer.map(|it| it.edge_macro_f1))?;
    table.share("calibration error", found.edge_calibration_error, None)?;
    table.head("Hosts")?;
    for (class, it) in &found.hosts {
        let peer = peer.map(|peer| peer.hosts.get(class).copied().unwrap_or_default());
        table.number(&format!("{class}: in the truth"), it.truth, None)?;
        table.share(&format!("{class}: F1"), it.f1, peer.map(|it| it.f1))?;
    }
    table.share("mean of F1", found.host_macro_f1, peer.map(|it| it.host_macro_f1))?;
    table.share("calibration error", found.host_calibration_error, None)?;
    table.number(
        "clean for want of telemetry",
        found.clean_without_telemetry,
        peer.map(|it| it.clean_without_telemetry),
    )?;
    table.number("clean, and taken", found.clean_but_taken, peer.map(|it| it.clean_but_taken))?;
    table.share("missed by alerts: F1", found.missed_by_alerts.f1, None)?;
    table.head("First")?;
    table.number("patient zero right", found.patient_zero_right, peer.map(|it| it.patient_zero_right))?;
    table.number("way in right, or rightly unknown", found.entries_right, None)?;
    table.number("way in wrong", found.entries_wrong, None)?;
    for (kind, all) in &found.examples {
        writeln!(table.to, "{DIM}{}:{OFF} {}", safe(kind), safe(&all.join("; ")))?;
    }
    Ok(Done::Clean)
}

/// What a line is called, and where its figure is.
type Named<S, T> = (&'static str, fn(&S) -> T);

/// A line: what is measured, in the findings, by the baseline.
struct Table<'a, W> {
    to: &'a mut W,
    baseline: bool,
}

impl<W: Write> Table<'_, W> {
    fn head(&mut self, what: &str) -> Result<()> {
        let peer = if self.baseline { "baseline" } else { "" };
        Ok(writeln!(self.to, "\n{BOLD}{what:<44}{OFF}{DIM}{:>14}{peer:>14}{OFF}", "findings")?)
    }

    fn row(&mut self, what: &str, findings: &str, baseline: Option<String>) -> Result<()> {
        let line = format!("  {what:<42}{findings:>14}{:>14}", baseline.unwrap_or_default());
        Ok(writeln!(self.to, "{}", line.trim_end())?)
    }

    fn share(&mut self, what: &str, findings: Share, baseline: Option<Share>) -> Result<()> {
        self.row(what, &shown(findings), baseline.map(shown))
    }

    fn number(&mut self, what: &str, findings: u64, baseline: Option<u64>) -> Result<()> {
        self.row(what, &grouped(findings), baseline.map(grouped))
    }

    fn clusters(&mut self, what: &str, findings: &Clusters, baseline: Option<&Clusters>) -> Result<()> {
        self.head(&format!("{what}, {}", count(findings.things, "incident", "incidents")))?;
        let rows: [Named<Clusters, Share>; 7] = [
            ("adjusted Rand index", |it| it.ari),
            ("pairs: precision", |it| it.pair_precision),
            ("pairs: recall", |it| it.pair_recall),
            ("pairs: F1", |it| it.pair_f1),
            ("B-cubed: precision", |it| it.b_cubed_precision),
            ("B-cubed: recall", |it| it.b_cubed_recall),
            ("B-cubed: F1", |it| it.b_cubed_f1),
        ];
        for (name, of) in rows {
            self.share(name, of(findings), baseline.map(of))?;
        }
        Ok(())
    }
}

fn shown(share: Share) -> String {
    share.map_or_else(|| "-".to_owned(), |it| format!("{it:.4}"))
}

fn print(score: &Score, to: &mut impl Write) -> Result<()> {
    let (found, peer) = (&score.findings, score.baseline.as_ref());
    let mut table = Table { to, baseline: peer.is_some() };
    links(&mut table, found, peer)?;
    let of = |get: fn(&Figures) -> Share| (get(found), peer.map(get));
    let numbers = |get: fn(&Figures) -> u64| (get(found), peer.map(get));
    table.head(&format!("Events, {} logged, {} of bots", grouped(found.events.logged), grouped(found.events.bot)))?;
    for (name, (findings, baseline)) in [
        ("precision", of(|it| it.events.precision)),
        ("recall", of(|it| it.events.recall)),
        ("precision, mean of gangs", of(|it| it.events.macro_precision)),
        ("recall, mean of gangs", of(|it| it.events.macro_recall)),
        ("benign swallowed, per 100,000", of(|it| it.events.benign_swallowed_per_100_000)),
    ] {
        table.share(name, findings, baseline)?;
    }
    let (findings, baseline) = numbers(|it| it.events.benign_swallowed);
    table.number("benign swallowed", findings, baseline)?;
    table.clusters("Incidents", &found.incidents.all, peer.map(|it| &it.incidents.all))?;
    let (findings, baseline) = numbers(|it| it.incidents.assigned);
    table.number("in any gang", findings, baseline)?;
    if let Some(one_off) = found.incidents.one_off.filter(|it| it.incidents > 0) {
        if let Some(rest) = &found.incidents.without_one_off {
            let peer = peer.and_then(|it| it.incidents.without_one_off.as_ref());
            table.clusters("Without one-off infrastructure", rest, peer)?;
        }
        let peer = peer.and_then(|it| it.incidents.one_off);
        table.head(&format!("One-off infrastructure, {}", count(one_off.incidents, "incident", "incidents")))?;
        table.share("attached to their gang", one_off.attached_share, peer.map(|it| it.attached_share))?;
        table.share("attached to a wrong one", one_off.wrong_share, peer.map(|it| it.wrong_share))?;
        table.number("alone", one_off.alone, peer.map(|it| it.alone))?;
    }
    table.head(&format!("Gangs, {} in truth", grouped(found.gangs.truth)))?;
    for (name, (findings, baseline)) in [
        ("found", numbers(|it| it.gangs.found)),
        ("of benign events only", numbers(|it| it.gangs.of_benign_only)),
        ("fused", numbers(|it| it.gangs.fused)),
        ("torn", numbers(|it| it.gangs.torn)),
    ] {
        table.number(name, findings, baseline)?;
    }
    gangs(found, table.to)?;
    if let Some(repairs) = &score.repairs {
        writeln!(
            table.to,
            "\n{BOLD}{:<44}{OFF}{DIM}{:>14}{:>14}{OFF}",
            format!("Repairs, {} lost of bots", grouped(repairs.lost)),
            "structural",
            "statistical"
        )?;
        let (a, b) = (&repairs.structural, &repairs.statistical);
        let rows: [Named<Graded, Share>; 4] = [
            ("precision", |it| it.precision),
            ("precision, three siblings", |it| it.supported_precision),
            ("recall, three siblings", |it| it.recall),
            ("calibration error", |it| it.calibration_error),
        ];
        for (name, of) in rows {
            table.share(name, of(a), Some(of(b)))?;
        }
        let rows: [Named<Graded, u64>; 9] = [
            ("claims", |it| it.claims),
            ("right", |it| it.right),
            ("wrong: nothing was lost", |it| it.nothing_lost),
            ("wrong: the command line alone", |it| it.other_command_line),
            ("wrong: another program was lost", |it| it.other_program),
            ("wrong: lost outside its times", |it| it.outside_its_times),
            ("wrong: claimed twice", |it| it.twice),
            ("not judged: no bot's", |it| it.benign),
            ("lost, three siblings", |it| it.lost),
        ];
        for (name, of) in rows {
            table.number(name, of(a), Some(of(b)))?;
        }
    }
    let it = &score.compression;
    writeln!(
        table.to,
        "\n{BOLD}Compression{OFF}  {} nodes and edges became {}: {} to 1",
        grouped(it.before),
        grouped(it.after),
        it.ratio.map_or_else(|| "-".to_owned(), |it| format!("{it:.1}"))
    )?;
    for what in &score.not_measured {
        writeln!(table.to, "{DIM}not measured:{OFF} {}", safe(what))?;
    }
    Ok(())
}

fn links<W: Write>(table: &mut Table<'_, W>, found: &Figures, peer: Option<&Figures>) -> Result<()> {
    let Some(links) = &found.links else { return Ok(()) };
    let peer = peer.and_then(|it| it.links.as_ref());
    table.head(&format!("Parent links, {}", count(links.all.events, "event", "events")))?;
    let fine = |it: Share| it.map_or_else(|| "-".to_owned(), |it| format!("{it:.6}"));
    table.row("right", &fine(links.right_share), peer.map(|it| fine(it.right_share)))?;
    table.row("wrong", &fine(links.wrong_share), peer.map(|it| fine(it.wrong_share)))?;
    table.number("wrong", links.all.wrong, peer.map(|it| it.all.wrong))?;
    table.number("missed", links.all.missed, peer.map(|it| it.all.missed))?;
    table.share("parent status right", links.status_right_share, None)?;
    let counts = |it: &Tally| (grouped(it.events), grouped(it.right), grouped(it.wrong), grouped(it.missed));
    writeln!(table.to, "  {DIM}{:<26}{:>12}{:>12}{:>10}{:>10}{OFF}", "", "events", "right", "wrong", "missed")?;
    let by_truth = links.by_truth.iter().map(|it| ("truth: ", it));
    let by_how = links.by_how.iter().map(|it| ("how: ", it));
    let ancestors = links.ancestors.iter().map(|it| ("ancestor: ", it));
    for (what, (name, tally)) in by_truth.chain(by_how).chain(ancestors) {
        let (events, right, wrong, missed) = counts(tally);
        writeln!(table.to, "  {:<26}{events:>12}{right:>12}{wrong:>10}{missed:>10}", safe(&format!("{what}{name}")))?;
    }
    Ok(())
}

fn gangs(found: &Figures, to: &mut impl Write) -> Result<()> {
    writeln!(
        to,
        "  {DIM}{:<18}{:>8}{:>10}{:>8}{:>11}{:>7}{:>8}{:>12}{OFF}",
        "", "events", "precision", "recall", "incidents", "alone", "pieces", "B-cubed"
    )?;
    for it in &found.per_gang {
        writeln!(
            to,
            "  {:<18}{:>8}{:>10}{:>8}{:>11}{:>7}{:>8}{:>12}",
            safe(&it.gang),
            grouped(it.events),
            shown(it.precision),
            shown(it.recall),
            grouped(it.incidents),
            grouped(it.unassigned),
            grouped(it.pieces),
            format!("{}/{}", tenth(it.b_cubed_precision), tenth(it.b_cubed_recall)),
        )?;
    }
    for (gang, of) in &found.gangs.fused_which {
        writeln!(to, "  fused: {} holds {}", safe(&crate::terminal::short(gang, 12)), safe(&of.join(", ")))?;
    }
    Ok(())
}

fn tenth(share: Share) -> String {
    share.map_or_else(|| "-".to_owned(), |it| format!("{it:.2}"))
}
