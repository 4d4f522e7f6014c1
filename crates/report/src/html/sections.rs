//! The sections around the gangs: the answer, what is new, the spread, the data's quality, and the page for nothing.

use std::io::{self, Write};

use ringleader_model::findings::{Findings, Grade, Verdict, WarningKind};

use super::safe;
use crate::markdown::nothing_lines;
use crate::messages::Msg;
use crate::number::{count, grouped, minute, percent};
use crate::view::{View, words};

const LISTED: usize = 100;

pub(super) fn header(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let Findings { summary, run, .. } = view.findings;
    let answer = view.answer(|number| format!("<b>{number}</b>"));
    let links = [
        ("gangs", Msg::Gangs, !view.findings.gangs.is_empty()),
        ("spread", Msg::Spread, view.findings.spread.is_some()),
        ("quality", Msg::DataQuality, true),
    ];
    write!(out, "<header class=\"top\"><div class=\"bar\"><span class=\"mark\">Ringleader</span><nav>")?;
    for (id, label, _) in links.iter().filter(|it| it.2) {
        write!(out, "<a href=\"#{id}\">{}</a>", view.say(*label))?;
    }
    write!(
        out,
        "</nav><span class=\"muted\">{}</span><button id=\"theme\" title=\"{}\" aria-label=\"{}\">◐</button></div><h1>",
        safe(&run.version),
        view.say(Msg::Theme),
        view.say(Msg::Theme)
    )?;
    for (n, sentence) in answer.iter().enumerate() {
        write!(out, "<span{}>{sentence}</span> ", if n == 0 { "" } else { " class=\"next\"" })?;
    }
    let repaired = grouped(view.repaired(Grade::Structural) + view.repaired(Grade::Statistical));
    let folded =
        Msg::FoldedInto.with(view.lang, &[&grouped(summary.nodes_edges_before), &grouped(summary.nodes_edges_after)]);
    out.write_all(b"</h1><dl class=\"tiles\">")?;
    for (label, value) in [
        (Msg::EventsRead, grouped(summary.events_read)),
        (Msg::Hosts, grouped(summary.hosts)),
        (Msg::Processes, grouped(summary.processes)),
        (Msg::Folded, folded),
        (Msg::Campaigns, grouped(summary.campaigns)),
        (Msg::Repaired, repaired),
        (Msg::Rejected, grouped(summary.events_rejected)),
    ] {
        write!(out, "<div><dt>{}</dt><dd>{value}</dd></div>", view.say(label))?;
    }
    out.write_all(b"</dl>")?;
    warnings(view, out)?;
    out.write_all(b"</header>\n")
}

fn warnings(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let warnings = &view.findings.warnings;
    if warnings.is_empty() {
        return Ok(());
    }
    let open = if warnings.len() <= 4 { " open" } else { "" };
    write!(
        out,
        "<details class=\"news\"{open}><summary>{} ({})</summary><ul class=\"plain\">",
        view.say(Msg::Warnings),
        warnings.len()
    )?;
    for it in warnings.iter().take(LISTED) {
        let kind = match it.kind {
            WarningKind::NewGang => Msg::WarningNewGang,
            WarningKind::NewMethod => Msg::WarningNewMethod,
            WarningKind::FirstUse => Msg::WarningFirstUse,
            WarningKind::NewBehaviour => Msg::WarningNewBehaviour,
            WarningKind::NewInfrastructure => Msg::WarningNewInfrastructure,
            WarningKind::NewPlatform => Msg::WarningNewPlatform,
            WarningKind::NewTenant => Msg::WarningNewTenant,
            WarningKind::NewRegion => Msg::WarningNewRegion,
            WarningKind::Surge => Msg::WarningSurge,
            WarningKind::DormantBack => Msg::WarningDormantBack,
            WarningKind::SensorFirst => Msg::WarningSensorFirst,
        };
        let time = it.time.map(minute).unwrap_or_default();
        write!(
            out,
            "<li class=\"row\"><span class=\"tag new\">{}</span><span class=\"grow\">{}</span><small>{time}</small></li>",
            view.say(kind),
            safe(&it.text)
        )?;
    }
    out.write_all(b"</ul></details>")
}

pub(super) fn nothing(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let lines = nothing_lines(view);
    let (lead, rest) = lines.split_first().map_or(("", &[][..]), |(lead, rest)| (lead.as_str(), rest));
    write!(
        out,
        "<main class=\"wide\"><section class=\"card calm\"><p class=\"lead\">{lead}</p><div class=\"two\"><div><h3>{}</h3><ul>",
        view.say(Msg::NothingHowWell)
    )?;
    for line in rest {
        // Our own words; the back quotes in them mark a command.
        let mut parts = line.split('`');
        write!(out, "<li>{}", parts.next().unwrap_or_default())?;
        while let (Some(code), text) = (parts.next(), parts.next()) {
            write!(out, "<code>{code}</code>{}", text.unwrap_or_default())?;
        }
        out.write_all(b"</li>")?;
    }
    write!(out, "</ul></div><div><h3>{}</h3><dl class=\"tiles\">", view.say(Msg::NothingLookedFor))?;
    for (what, n) in &view.findings.looked_for {
        write!(out, "<div><dt>{}</dt><dd>{}</dd></div>", safe(what), grouped(*n))?;
    }
    out.write_all(b"</dl></div></div></section></main>\n")
}

pub(super) fn spread(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let Some(spread) = &view.findings.spread else { return Ok(()) };
    write!(
        out,
        "<section class=\"wide\" id=\"spread\"><div class=\"card\"><h3>{} <small class=\"muted\">{}</small></h3><ul class=\"verdicts\">",
        view.say(Msg::Spread),
        view.say(Msg::SpreadVerdictsHint)
    )?;
    for verdict in Verdict::ALL {
        let n = spread.hosts.iter().filter(|it| it.verdict == *verdict).count();
        if n > 0 {
            write!(
                out,
                "<li class=\"{}\"><b>{}</b> {}</li>",
                verdict.name(),
                grouped(count(n)),
                words(verdict.name())
            )?;
        }
    }
    out.write_all(b"</ul><div class=\"two\"><div>")?;
    write!(out, "<h4>{}</h4><ul class=\"plain\">", view.say(Msg::PatientZero))?;
    for it in spread.patient_zero.iter().take(5) {
        let entry = it.entry.as_ref().map(|it| {
            let from = it.source.as_deref().map(|it| format!(" ← <code>{}</code>", safe(it))).unwrap_or_default();
            format!("{}{from} {}", safe(&words(&it.method)), percent(it.confidence))
        });
        let look: Vec<_> = it.look_at.iter().take(5).map(|it| safe(it)).collect();
        write!(
            out,
            "<li><code class=\"big\">{}</code><small>{} {}</small><small>{}</small>",
            safe(&it.host),
            view.say(Msg::Likelihood),
            percent(it.likelihood),
            entry.unwrap_or_default()
        )?;
        if !look.is_empty() {
            write!(out, "<small>{}: {}</small>", view.say(Msg::LookAt), look.join("; "))?;
        }
        out.write_all(b"</li>")?;
    }
    write!(out, "</ul></div><div><h4>{}</h4><ul class=\"plain\">", view.say(Msg::Discrepancies))?;
    for it in spread.discrepancies.iter().take(LISTED / 5) {
        write!(
            out,
            "<li><span class=\"tag\">{}</span> <code>{}</code> {}</li>",
            safe(&words(&it.kind)),
            safe(it.host.as_deref().unwrap_or_default()),
            safe(&it.text)
        )?;
    }
    out.write_all(b"</ul></div></div>")?;
    let titles = [Msg::Hosts, Msg::Verdict, Msg::Confidence, Msg::Method, Msg::FirstSeen];
    table_head(view, &titles, out)?;
    for it in spread.hosts.iter().take(LISTED) {
        let missed = if it.missed_by_alerts {
            format!(" <span class=\"tag new\">{}</span>", view.say(Msg::MissedByAlerts))
        } else {
            String::new()
        };
        write!(
            out,
            "<tr><td><code>{}</code>{missed}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            safe(&it.host),
            words(it.verdict.name()),
            percent(it.confidence),
            safe(&words(it.method.as_deref().unwrap_or_default())),
            it.first_seen.map(minute).unwrap_or_default()
        )?;
    }
    out.write_all(b"</tbody></table>")?;
    more(view, spread.hosts.len(), "spread.json", out)?;
    out.write_all(b"</div></section>\n")
}

pub(super) fn quality(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let summary = &view.findings.summary;
    write!(
        out,
        "<section class=\"wide\" id=\"quality\"><div class=\"card\"><h3>{} <small class=\"muted\">{} {} · {} {} · {} {}</small></h3>",
        view.say(Msg::DataQuality),
        view.say(Msg::Read),
        grouped(summary.events_read),
        view.say(Msg::Rejected),
        grouped(summary.events_rejected),
        view.say(Msg::Duplicates),
        grouped(summary.events_duplicate)
    )?;
    table_head(view, &[Msg::Source, Msg::Format, Msg::Read, Msg::Rejected, Msg::Reasons], out)?;
    for it in summary.sources.iter().take(LISTED) {
        let format = match &it.format {
            Some(format) => safe(format),
            None => format!("<span class=\"tag hot\">{}</span>", view.say(Msg::NotRecognised)),
        };
        let reasons: Vec<_> =
            it.reasons.iter().take(10).map(|(why, n)| format!("{} × {}", grouped(*n), safe(why))).collect();
        write!(
            out,
            "<tr><td><code>{}</code></td><td>{format}</td><td class=\"num\">{}</td><td class=\"num\">{}</td><td>{}</td></tr>",
            safe(&it.source),
            grouped(it.read),
            grouped(it.rejected),
            reasons.join("<br>")
        )?;
    }
    out.write_all(b"</tbody></table>")?;
    more(view, summary.sources.len(), "summary.json", out)?;
    write!(out, "<h4>{}</h4>", view.say(Msg::RejectedRecords))?;
    let rejected = &view.findings.rejected;
    if rejected.is_empty() {
        write!(out, "<p class=\"muted\">{}</p></div></section>", view.say(Msg::NoneRejected))?;
        return Ok(());
    }
    table_head(view, &[Msg::Source, Msg::Offset, Msg::Reasons, Msg::Record], out)?;
    for it in rejected.iter().take(LISTED / 2) {
        let record = it.record.as_deref().or(it.record_hex.as_deref()).unwrap_or_default();
        let record: String = record.chars().take(240).collect();
        write!(
            out,
            "<tr><td><code>{}</code></td><td class=\"num\">{}</td><td>{}</td><td><code class=\"record\">{}</code></td></tr>",
            safe(&it.source),
            grouped(it.offset),
            safe(&it.reason),
            safe(&record)
        )?;
    }
    out.write_all(b"</tbody></table>")?;
    let shown = rejected.len().min(LISTED / 2);
    if rejected.len() > shown {
        let text = Msg::More.with(view.lang, &[&grouped(count(rejected.len() - shown)), "dead_letter.jsonl"]);
        write!(out, "<p class=\"muted\">{text}</p>")?;
    }
    out.write_all(b"</div></section>\n")
}

fn table_head(view: &View<'_>, titles: &[Msg], out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"<table><thead><tr>")?;
    for title in titles {
        let number = matches!(title, Msg::Read | Msg::Rejected | Msg::Offset);
        write!(out, "<th{}>{}</th>", if number { " class=\"num\"" } else { "" }, view.say(*title))?;
    }
    out.write_all(b"</tr></thead><tbody>")
}

fn more(view: &View<'_>, n: usize, file: &str, out: &mut dyn Write) -> io::Result<()> {
    match n.checked_sub(LISTED) {
        Some(left @ 1..) => {
            write!(out, "<p class=\"muted\">{}</p>", Msg::More.with(view.lang, &[&grouped(count(left)), file]))
        }
        _ => Ok(()),
    }
}
