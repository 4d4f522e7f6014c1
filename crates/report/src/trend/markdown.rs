//! numbers → Markdown: the tables of the page. What a log or an analyst says stands in code spans.

use std::fmt::Write as _;

use ringleader_model::trend::queries::queries;
use ringleader_model::trend::*;

use super::html::{MAX_ROWS, disclosure, heading, tiles, told_limits, victim_rows};
use super::words::{Words, defanged};
use crate::escape::markdown;
use crate::mask::mask;
use crate::messages::Lang;
use crate::number::grouped;

pub(super) fn text(trend: &Trend, lang: Lang) -> String {
    let words = Words { trend, lang };
    let safe = |text: &str| markdown(&mask(text));
    let gang = |id: &str| safe(&words.gang(id));
    let method = |id: &str| safe(&words.method(id));
    let mut out = String::new();
    let period = &trend.period;
    line(&mut out, &format!("# {}\n", plain(&heading(&words))));
    line(&mut out, &format!("{} – {} ({} – {})\n", period.from, period.last(), period.before, Day(period.from.0 - 1)));
    for it in words.summary() {
        line(&mut out, &format!("{}\n", plain(&it)));
    }
    let rows = tiles(&words).into_iter().map(|(name, value, by)| vec![name.to_owned(), value, by]);
    table(&mut out, &["", "#", ""], rows);

    if trend.gang.is_none() {
        line(&mut out, &format!("## {}\n", words.say("Rise and fall", "升降")));
        let heads = [
            words.say("Gang", "团伙"),
            "",
            words.say("#Hosts", "#主机"),
            words.say("#Before", "#上期"),
            words.say("#Change", "#变化"),
            words.say("#Episodes", "#片段"),
            words.say("First seen", "首次出现"),
        ];
        let rows = trend.gangs.iter().take(MAX_ROWS).map(|it| {
            vec![
                gang(&it.gang_id),
                words.standing(it.standing).to_owned(),
                grouped(it.now.hosts),
                grouped(it.before.hosts),
                words.change(it.now.hosts, it.before.hosts),
                grouped(it.now.episodes),
                it.first_seen.to_string(),
            ]
        });
        table(&mut out, &heads, rows);
    }
    if !trend.timeline.is_empty() {
        line(&mut out, &format!("## {}\n", words.say("Timeline", "时间线")));
        for it in trend.timeline.iter().take(MAX_ROWS) {
            line(&mut out, &format!("- {} {} {}", it.day, gang(&it.gang_id), plain(&words.moment(it))));
        }
        out.push('\n');
    }
    line(&mut out, &format!("## {}\n", words.say("Ways in", "入侵方式")));
    let heads = [
        words.say("Method", "方式"),
        "CVE",
        words.say("#Hosts", "#主机"),
        words.say("#Before", "#上期"),
        words.say("#Gangs", "#团伙"),
        words.say("First use seen", "首次所见"),
        words.say("New", "新"),
        words.say("#After disclosure", "#距公布"),
    ];
    let rows = trend.methods.iter().take(MAX_ROWS).map(|it| {
        let first = if it.method.is_empty() { String::new() } else { it.first_seen.to_string() };
        vec![
            method(&it.method),
            it.facts.cve.as_deref().map(plain).unwrap_or_default(),
            grouped(it.hosts.0),
            grouped(it.hosts.1),
            grouped(it.gangs.0),
            first,
            if it.new { words.say("yes", "是").to_owned() } else { String::new() },
            disclosure(&words, it),
        ]
    });
    table(&mut out, &heads, rows);
    if !trend.moves.is_empty() {
        line(&mut out, &format!("## {}\n", words.say("From method to method", "入侵方式的迁移")));
        let heads = [
            words.say("Gang", "团伙"),
            words.say("From", "原方式"),
            words.say("To", "新方式"),
            words.say("Since", "始于"),
            words.say("#Hosts by the new one", "#新方式主机"),
            words.say("#By the former, since", "#其后原方式主机"),
        ];
        let rows = trend.moves.iter().take(MAX_ROWS).map(|it| {
            let from = it.from.as_deref().map_or_else(|| words.say("not known", "未知").to_owned(), &method);
            vec![gang(&it.gang_id), from, method(&it.to), it.since.to_string(), grouped(it.hosts), grouped(it.left)]
        });
        table(&mut out, &heads, rows);
    }
    line(&mut out, &format!("## {}\n", words.say("Infrastructure", "基础设施")));
    let heads = [
        words.say("Kind", "类型"),
        words.say("#In use", "#在用"),
        words.say("#New", "#新增"),
        words.say("#Gone", "#消失"),
    ];
    let rows = trend.churn.kinds.iter().filter(|it| *it.1 != Lives::default());
    table(
        &mut out,
        &heads,
        rows.map(|(kind, it)| vec![plain(kind), grouped(it.alive), grouped(it.new), grouped(it.gone)]),
    );
    for it in &trend.churn.reused {
        let value = markdown(&defanged(&it.kind, &it.value));
        line(
            &mut out,
            &format!(
                "- {value}: {} ({}) → {} ({})",
                gang(&it.earlier),
                it.earlier_last,
                gang(&it.later),
                it.later_first
            ),
        );
    }
    if let (Some(_), Some(it)) = (&trend.gang, trend.gangs.first()) {
        line(&mut out, &format!("\n## {}\n", words.say("What it is known by", "识别依据")));
        let heads = [
            words.say("Indicator", "指标"),
            words.say("Kind", "类型"),
            words.say("First seen", "首次出现"),
            words.say("Last seen", "最近出现"),
        ];
        let rows = it.lifelines.iter().map(|it| {
            let value = markdown(&defanged(&it.kind, &it.value));
            vec![value, plain(&it.kind), it.first_seen.to_string(), it.last_seen.to_string()]
        });
        table(&mut out, &heads, rows);
    }
    line(&mut out, &format!("\n## {}\n", words.say("Victims", "受害情况")));
    for it in &trend.victims {
        let heads = [words.property(it.by), words.say("#Hosts", "#主机"), words.say("#Before", "#上期")];
        let rows = victim_rows(&words, it).into_iter().take(MAX_ROWS);
        table(&mut out, &heads, rows.map(|(name, now, before)| vec![safe(&name), grouped(now), grouped(before)]));
    }
    line(&mut out, &format!("## {}\n", words.say("How this was counted, and what it cannot say", "统计方法与局限")));
    for it in told_limits(&words) {
        line(&mut out, &format!("- {}", plain(&it)));
    }
    line(&mut out, &format!("\n### {}\n", words.say("The same numbers from the ledger", "从账本复算")));
    for it in queries(period) {
        line(&mut out, &format!("{}:\n\n```sql\n{}\n```\n", words.say(it.en, it.zh), it.sql));
    }
    out
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("a String takes all");
}

/// A sentence of ours with names in it: what could be markup is escaped.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in crate::escape::visible(&mask(text)).chars() {
        if "\\`*_[]<>#|~&!".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn table(out: &mut String, heads: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let names: Vec<&str> = heads.iter().map(|it| it.trim_start_matches('#')).collect();
    let rules: Vec<&str> = heads.iter().map(|it| if it.starts_with('#') { "--:" } else { "---" }).collect();
    line(out, &format!("| {} |\n| {} |", names.join(" | "), rules.join(" | ")));
    for row in rows {
        line(out, &format!("| {} |", row.join(" | ")));
    }
    out.push('\n');
}
