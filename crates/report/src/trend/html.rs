//! numbers → one page: offline, without a script, light or dark as the reader has it, and ready to be printed. Deliberately
//! absent: anything that a log says but as escaped text.

use std::fmt::Write as _;
use std::io;

use ringleader_model::trend::queries::queries;
use ringleader_model::trend::*;

use super::canvas::{dark_rules, hex};
use super::charts::{self, Legend, MAX_GANGS};
use super::words::{Words, change, defanged};
use crate::escape;
use crate::mask::mask;
use crate::messages::Lang;
use crate::number::grouped;

const STYLE: &str = include_str!("style.css");
const DARK: &str = ":root{color-scheme:dark;--bg:#0f141b;--ink:#e6ebf1;--dim:#9aa6b4;--line:#29323d;--soft:#19212b;--accent:#ff8a6b;--new:#ffca63;--new-bg:#372b10}";
/// Rows of a table on the page; `trend.json` has all.
pub(super) const MAX_ROWS: usize = 60;

pub(super) fn page(trend: &Trend, lang: Lang) -> io::Result<String> {
    let words = Words { trend, lang };
    let style = format!("{STYLE}@media screen and (prefers-color-scheme:dark){{{DARK}{}}}", dark_rules());
    let title = heading(&words);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src {}; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"dark light\">\n<title>{}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n",
        lang.name(),
        crate::html::hash(&style),
        safe(&title),
    );
    top(&words, &title, &mut out);
    if trend.now.hosts == 0 && trend.before.hosts == 0 {
        let text = words.say(
            "The ledger holds no activity in these days. It fills with each `ringleader run` or `analyze` that is given --ledger.",
            "账本中没有这段时间的活动。每次带 --ledger 的 `ringleader run` 或 `analyze` 都会写入。",
        );
        write!(out, "<section><p>{text}</p></section>").expect("a String takes all");
    } else {
        let parts = [activity, timeline, methods, moves, infrastructure, one_gang, victims];
        parts.iter().try_for_each(|part| part(&words, &mut out))?;
    }
    limits(&words, &mut out);
    write!(
        out,
        "<footer>{}</footer>\n</main>\n</body>\n</html>\n",
        words.say(
            "Made by Ringleader from its ledger. Victims are counted and never named.",
            "由 Ringleader 根据账本生成。受害主机只计数，不具名。"
        )
    )
    .expect("a String takes all");
    Ok(out)
}

/// Text of a log or of an analyst, as it may stand in the page.
fn safe(text: &str) -> String {
    escape::html(&mask(text))
}

pub(super) fn heading(words: &Words<'_>) -> String {
    let period = words.period();
    match (&words.trend.gang, words.lang) {
        (Some(gang), Lang::En) => format!("{}: {period}", words.gang(gang)),
        (Some(gang), Lang::Zh) => format!("{}：{period}", words.gang(gang)),
        (None, Lang::En) => format!("Gangs in {period}"),
        (None, Lang::Zh) => format!("{period}团伙趋势"),
    }
}

fn top(words: &Words<'_>, title: &str, out: &mut String) {
    let trend = words.trend;
    let period = &trend.period;
    let zh = words.lang == Lang::Zh;
    let kicker = if trend.gang.is_some() {
        words.say("Ringleader · gang report", "Ringleader · 团伙报告")
    } else {
        words.say("Ringleader · trend report", "Ringleader · 趋势报告")
    };
    let when = if zh {
        format!(
            "{} 至 {}，与 {} 至 {} 相比。时间均为 UTC。",
            period.from,
            period.last(),
            period.before,
            Day(period.from.0 - 1)
        )
    } else {
        format!(
            "{} to {}, beside {} to {}. All times UTC.",
            period.from,
            period.last(),
            period.before,
            Day(period.from.0 - 1)
        )
    };
    write!(out, "<header><p class=\"kicker\">{kicker}</p><h1>{}</h1><p class=\"when\">{when}", safe(title))
        .expect("a String takes all");
    if let (Some(_), Some(gang)) = (&trend.gang, trend.gangs.first()) {
        let aliases =
            if gang.aliases.is_empty() { String::new() } else { format!(" · {}", safe(&gang.aliases.join(", "))) };
        write!(
            out,
            "<br>{} <code>{}</code>{aliases} · {} {} · {} {}",
            words.say("id", "编号"),
            safe(&gang.gang_id),
            words.say("first seen", "首次出现"),
            gang.first_seen,
            words.say("last seen", "最近出现"),
            gang.last_seen,
        )
        .expect("a String takes all");
    }
    out.push_str("</p><div class=\"lead\">");
    for it in words.summary() {
        write!(out, "<p>{}</p>", safe(&it)).expect("a String takes all");
    }
    out.push_str("</div><dl class=\"tiles\">");
    for (name, value, change) in tiles(words) {
        write!(out, "<div><dt>{name}</dt><dd>{value}<small>{change}</small></dd></div>").expect("a String takes all");
    }
    out.push_str("</dl></header>\n");
}

/// Name, number, how it changed.
pub(super) fn tiles<'a>(words: &Words<'a>) -> Vec<(&'a str, String, String)> {
    let trend = words.trend;
    let lives = all_lives(trend);
    let new = trend.gangs.iter().filter(|it| it.standing == Standing::New).count();
    let mut tiles = Vec::new();
    let mut tile = |en, zh, now: u64, change: String| tiles.push((words.say(en, zh), grouped(now), change));
    if trend.gang.is_none() {
        tile("Active gangs", "活跃团伙", trend.active.0, words.change(trend.active.0, trend.active.1));
        tile("New gangs", "新团伙", new as u64, String::new());
    } else {
        tile("Days with activity", "活动天数", trend.now.days, words.change(trend.now.days, trend.before.days));
    }
    tile("Hosts", "受害主机", trend.now.hosts, words.change(trend.now.hosts, trend.before.hosts));
    tile("Episodes", "活动片段", trend.now.episodes, words.change(trend.now.episodes, trend.before.episodes));
    tile("Changed way in", "换用入侵方式", trend.moves.len() as u64, String::new());
    let came = if words.lang == Lang::Zh {
        format!("新增 {}，消失 {}", grouped(lives.new), grouped(lives.gone))
    } else {
        format!("{} new, {} gone", grouped(lives.new), grouped(lives.gone))
    };
    tile("Indicators in use", "在用指标", lives.alive, came);
    tiles
}

pub(super) fn all_lives(trend: &Trend) -> Lives {
    trend.churn.kinds.values().fold(Lives::default(), |a, b| Lives {
        alive: a.alive + b.alive,
        new: a.new + b.new,
        gone: a.gone + b.gone,
    })
}

fn section(out: &mut String, title: &str, note: &str) {
    write!(out, "<section><h2>{title}</h2>").expect("a String takes all");
    if !note.is_empty() {
        write!(out, "<p class=\"note\">{note}</p>").expect("a String takes all");
    }
}

fn figure(out: &mut String, svg: &str, legend: &Legend) {
    write!(out, "<figure>{svg}").expect("a String takes all");
    if !legend.is_empty() {
        out.push_str("<figcaption class=\"legend\">");
        for (name, colour) in legend {
            write!(
                out,
                "<span><svg class=\"chart\" viewBox=\"0 0 12 12\" aria-hidden=\"true\"><rect width=\"12\" height=\"12\" rx=\"3\" fill=\"{}\"/></svg>{}</span>",
                hex(*colour),
                safe(name)
            )
            .expect("a String takes all");
        }
        out.push_str("</figcaption>");
    }
    out.push_str("</figure>\n");
}

/// A heading that begins with `#` is of numbers.
fn table(
    out: &mut String,
    heads: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
    left_out: usize,
    words: &Words<'_>,
) {
    out.push_str("<table><thead><tr>");
    let class = |head: &str| if head.starts_with('#') { " class=\"n\"" } else { "" };
    for head in heads {
        write!(out, "<th{}>{}</th>", class(head), head.trim_start_matches('#')).expect("a String takes all");
    }
    out.push_str("</tr></thead><tbody>");
    for row in rows {
        out.push_str("<tr>");
        for (cell, head) in row.iter().zip(heads) {
            write!(out, "<td{}>{cell}</td>", class(head)).expect("a String takes all");
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table>\n");
    if left_out > 0 {
        let more = if words.lang == Lang::Zh {
            format!("另有 {left_out} 行，见 trend.json。")
        } else {
            format!("{left_out} more are in trend.json.")
        };
        write!(out, "<p class=\"note\">{more}</p>").expect("a String takes all");
    }
}

fn activity(words: &Words<'_>, out: &mut String) -> io::Result<()> {
    let trend = words.trend;
    let one = trend.gang.is_some();
    section(
        out,
        words.say("Activity", "活动"),
        words.say(
            "Hosts on which a gang was active, each day. A host with two gangs counts for both.",
            "每日有团伙活动的主机数。一台主机上有两个团伙时，分别计入。",
        ),
    );
    let (svg, legend) = charts::activity(words)?;
    figure(out, &svg, if one { const { &Legend::new() } } else { &legend });
    if one {
        out.push_str("</section>\n");
        return Ok(());
    }
    write!(out, "<h3>{}</h3>", words.say("Rise and fall", "升降")).expect("a String takes all");
    let note = if trend.compares() {
        words.say(
            "Wide bars: hosts in this period; thin grey ones: in the period before.",
            "粗条为本期主机数，灰色细条为上期。",
        )
    } else {
        words.say("The ledger does not reach back far enough to compare.", "账本尚不足以与上期比较。")
    };
    write!(out, "<p class=\"note\">{note}</p>").expect("a String takes all");
    figure(out, &charts::rise(words)?, &Legend::new());
    let heads = [
        words.say("Gang", "团伙"),
        "",
        words.say("#Hosts", "#主机"),
        words.say("#Before", "#上期"),
        words.say("#Change", "#变化"),
        words.say("#Episodes", "#片段"),
        words.say("Most often by", "主要入侵方式"),
        words.say("First seen", "首次出现"),
    ];
    let rows = trend.gangs.iter().take(MAX_ROWS).map(|it| {
        let method = it.methods.iter().find(|it| !it.0.is_empty());
        vec![
            format!("<b>{}</b>", safe(&words.gang(&it.gang_id))),
            standing(words, it.standing),
            grouped(it.now.hosts),
            grouped(it.before.hosts),
            words.change(it.now.hosts, it.before.hosts),
            grouped(it.now.episodes),
            method.map_or_else(|| words.say("not known", "未知").to_owned(), |it| safe(&words.method(&it.0))),
            format!("<span class=\"d\">{}</span>", it.first_seen),
        ]
    });
    table(out, &heads, rows, trend.gangs.len().saturating_sub(MAX_ROWS), words);
    out.push_str("</section>\n");
    Ok(())
}

fn standing(words: &Words<'_>, it: Standing) -> String {
    let class = match it {
        Standing::New => " new",
        Standing::Back => " back",
        Standing::Active | Standing::Gone => "",
    };
    format!("<span class=\"tag{class}\">{}</span>", words.standing(it))
}

fn timeline(words: &Words<'_>, out: &mut String) -> io::Result<()> {
    let trend = words.trend;
    section(
        out,
        words.say("Timeline", "时间线"),
        words.say(
            "A lane for each gang; a day is as tall as the root of its hosts, in the colour of its most frequent way in. Dots mark the first sight of a gang and surges, triangles a new way in.",
            "每个团伙一行；柱高为当日主机数的平方根，颜色为当日主要入侵方式。圆点为首次出现或激增，三角为换用入侵方式。",
        ),
    );
    let (svg, legend) = charts::timeline(words)?;
    figure(out, &svg, &legend);
    let active = trend.gangs.iter().filter(|it| it.now.hosts > 0).count();
    if active > MAX_GANGS {
        let more = active - MAX_GANGS;
        let text = if words.lang == Lang::Zh {
            format!("另有 {more} 个团伙未画出。")
        } else {
            format!("{more} more gangs are not drawn.")
        };
        write!(out, "<p class=\"note\">{text}</p>").expect("a String takes all");
    }
    if !trend.timeline.is_empty() {
        out.push_str("<ul class=\"events\">");
        for it in trend.timeline.iter().take(MAX_ROWS) {
            write!(
                out,
                "<li><span class=\"d\">{}</span><span><b>{}</b> {}</span></li>",
                it.day,
                safe(&words.gang(&it.gang_id)),
                safe(&words.moment(it))
            )
            .expect("a String takes all");
        }
        out.push_str("</ul>");
    }
    out.push_str("</section>\n");
    Ok(())
}

fn methods(words: &Words<'_>, out: &mut String) -> io::Result<()> {
    let trend = words.trend;
    section(
        out,
        words.say("Ways in", "入侵方式"),
        words.say(
            "Hosts by the method that let a gang in. A method is new where no gang was seen to use it before, and the ledger is older than its first use; then the days since its CVE was published are told.",
            "按入侵方式统计的主机数。仅当此前无团伙使用、且账本早于其首次使用时，才称为新方式，并给出距 CVE 公布的天数。",
        ),
    );
    figure(out, &charts::methods(words)?, &Legend::new());
    let heads = [
        words.say("Method", "方式"),
        "CVE",
        words.say("#Hosts", "#主机"),
        words.say("#Before", "#上期"),
        words.say("#Gangs", "#团伙"),
        words.say("First use seen", "首次所见"),
        words.say("#After disclosure", "#距公布"),
    ];
    let rows = trend.methods.iter().take(MAX_ROWS).map(|it| {
        let new =
            if it.new { format!(" <span class=\"tag new\">{}</span>", words.say("new", "新")) } else { String::new() };
        let first = if it.method.is_empty() {
            String::new()
        } else {
            format!("<span class=\"d\">{}</span><small>{}</small>", it.first_seen, safe(&words.gang(&it.first_gang)))
        };
        vec![
            format!("<b>{}</b>{new}", safe(&words.method(&it.method))),
            it.facts.cve.as_deref().map(safe).unwrap_or_default(),
            grouped(it.hosts.0),
            grouped(it.hosts.1),
            grouped(it.gangs.0),
            first,
            disclosure(words, it),
        ]
    });
    table(out, &heads, rows, trend.methods.len().saturating_sub(MAX_ROWS), words);
    out.push_str("</section>\n");
    Ok(())
}

pub(super) fn disclosure(words: &Words<'_>, it: &MethodTrend) -> String {
    let unknown = || words.say("not known", "未知").to_owned();
    match (it.days_after_disclosure, it.new, &it.facts.cve) {
        (Some(days), _, _) if words.lang == Lang::Zh => format!("{days} 天"),
        (Some(days), _, _) => format!("{days} days"),
        (None, true, Some(_)) => unknown(),
        _ => String::new(),
    }
}

fn moves(words: &Words<'_>, out: &mut String) -> io::Result<()> {
    let trend = words.trend;
    if trend.moves.is_empty() {
        return Ok(());
    }
    section(
        out,
        words.say("From method to method", "入侵方式的迁移"),
        words.say(
            "Gangs that took up a way in which they were not seen to use before. From: the way by which most of their earlier hosts were entered.",
            "本期换用新入侵方式的团伙。“原方式”为此前多数主机的入侵方式。",
        ),
    );
    let heads = [
        words.say("Gang", "团伙"),
        words.say("From → to", "原方式 → 新方式"),
        words.say("Since", "始于"),
        words.say("#Hosts by the new one", "#新方式主机"),
        words.say("#By the former, since", "#其后原方式主机"),
    ];
    let rows = trend.moves.iter().take(MAX_ROWS).map(|it| {
        let from = it.from.as_deref().map_or_else(|| words.say("not known", "未知").to_owned(), |it| words.method(it));
        vec![
            format!("<b>{}</b>", safe(&words.gang(&it.gang_id))),
            format!("{}<span class=\"arrow\">→</span><b>{}</b>", safe(&from), safe(&words.method(&it.to))),
            format!("<span class=\"d\">{}</span>", it.since),
            grouped(it.hosts),
            grouped(it.left),
        ]
    });
    table(out, &heads, rows, trend.moves.len().saturating_sub(MAX_ROWS), words);
    out.push_str("</section>\n");
    Ok(())
}

fn infrastructure(words: &Words<'_>, out: &mut String) -> io::Result<()> {
    let trend = words.trend;
    let life = match (trend.churn.median_life, words.lang) {
        (Some(days), Lang::En) => format!(" Half of those that ended lived {days} days or less."),
        (Some(days), Lang::Zh) => format!("已消失者的寿命中位数为 {days} 天。"),
        (None, _) => String::new(),
    };
    let note = words.say(
        "Servers, addresses, files, keys and wallets from their first sight to their last. Blue: new on that day; red: seen for the last time.",
        "服务器、地址、文件、密钥与钱包从首次到最后一次出现。蓝色为当日新增，红色为当日最后出现。",
    );
    section(out, words.say("Infrastructure", "基础设施"), &format!("{note}{life}"));
    figure(out, &charts::churn(words)?, &Legend::new());
    let heads = [
        words.say("Kind", "类型"),
        words.say("#In use", "#在用"),
        words.say("#New", "#新增"),
        words.say("#Gone", "#消失"),
    ];
    let rows = trend
        .churn
        .kinds
        .iter()
        .filter(|it| *it.1 != Lives::default())
        .map(|(kind, it)| vec![safe(kind), grouped(it.alive), grouped(it.new), grouped(it.gone)]);
    table(out, &heads, rows, 0, words);
    if !trend.churn.reused.is_empty() {
        write!(out, "<h3>{}</h3>", words.say("Another gang showed it first", "先由其他团伙使用"))
            .expect("a String takes all");
        let heads = [
            words.say("Indicator", "指标"),
            words.say("Before", "此前"),
            words.say("Last seen there", "当时最后出现"),
            words.say("Now", "现在"),
            words.say("Since", "始于"),
        ];
        let rows = trend.churn.reused.iter().map(|it| {
            vec![
                format!(
                    "<code>{}</code><small>{}</small>",
                    escape::html(&defanged(&it.kind, &it.value)),
                    safe(&it.kind)
                ),
                safe(&words.gang(&it.earlier)),
                format!("<span class=\"d\">{}</span>", it.earlier_last),
                safe(&words.gang(&it.later)),
                format!("<span class=\"d\">{}</span>", it.later_first),
            ]
        });
        table(out, &heads, rows, usize::try_from(trend.churn.more_reused).unwrap_or(usize::MAX), words);
    }
    out.push_str("</section>\n");
    Ok(())
}

/// What only a report on one gang has.
fn one_gang(words: &Words<'_>, out: &mut String) -> io::Result<()> {
    let (Some(_), Some(gang)) = (&words.trend.gang, words.trend.gangs.first()) else { return Ok(()) };
    if !gang.lifelines.is_empty() {
        section(
            out,
            words.say("What it is known by", "识别依据"),
            words.say(
                "Indicators that most hosts showed, from first to last sight; shaded is this period. Written so that no program takes them for links.",
                "出现主机最多的指标及其首末时间；阴影为本期。写法不会被识别为链接。",
            ),
        );
        figure(out, &charts::lifelines(words, &gang.lifelines)?, &Legend::new());
        out.push_str("</section>\n");
    }
    if !gang.behaviours.is_empty() {
        section(out, words.say("What it does on a host", "主机行为"), "");
        let heads = [
            words.say("Behaviour", "行为"),
            words.say("#Hosts, at most, in a run", "#单次运行主机数"),
            words.say("First seen", "首次出现"),
            words.say("Last seen", "最近出现"),
        ];
        let rows = gang.behaviours.iter().take(MAX_ROWS).map(|it| {
            vec![
                safe(&it.value.replace('_', " ")),
                grouped(it.hosts),
                format!("<span class=\"d\">{}</span>", it.first_seen),
                format!("<span class=\"d\">{}</span>", it.last_seen),
            ]
        });
        table(out, &heads, rows, gang.behaviours.len().saturating_sub(MAX_ROWS), words);
        out.push_str("</section>\n");
    }
    Ok(())
}

fn victims(words: &Words<'_>, out: &mut String) -> io::Result<()> {
    section(
        out,
        words.say("Victims", "受害情况"),
        words.say(
            "Hosts by what the list of places says of them (<code>ringleader ledger places</code>), without decoys. Tenants are counted and not named.",
            "按资产清单（<code>ringleader ledger places</code>）统计的主机数，不含诱饵。租户只计数，不具名。",
        ),
    );
    out.push_str("<div class=\"cols\">");
    for it in &words.trend.victims {
        out.push_str("<div>");
        let heads = [
            words.property(it.by),
            words.say("#Hosts", "#主机"),
            words.say("#Before", "#上期"),
            words.say("#Change", "#变化"),
        ];
        let rows = victim_rows(words, it);
        let left_out = rows.len().saturating_sub(MAX_ROWS);
        let cells = rows.into_iter().take(MAX_ROWS).map(|(name, now, before)| {
            let by = if words.trend.compares() { change(now, before) } else { String::new() };
            vec![safe(&name), grouped(now), grouped(before), by]
        });
        table(out, &heads, cells, left_out, words);
        out.push_str("</div>");
    }
    out.push_str("</div></section>\n");
    Ok(())
}

/// Tenants are one row.
pub(super) fn victim_rows(words: &Words<'_>, it: &Victims) -> Vec<(String, u64, u64)> {
    let unknown = || words.say("not known", "未知").to_owned();
    if it.by != Property::Tenant {
        let named = |it: &(String, u64, u64)| (if it.0.is_empty() { unknown() } else { it.0.clone() }, it.1, it.2);
        return it.rows.iter().map(named).collect();
    }
    let known: Vec<&(String, u64, u64)> = it.rows.iter().filter(|it| !it.0.is_empty()).collect();
    let count = |of: fn(&(String, u64, u64)) -> u64| known.iter().filter(|it| of(it) > 0).count() as u64;
    let mut rows = Vec::new();
    if !known.is_empty() {
        rows.push((
            words.say("tenants with a victim", "有受害主机的租户").to_owned(),
            count(|it| it.1),
            count(|it| it.2),
        ));
    }
    rows.extend(
        it.rows
            .iter()
            .filter(|it| it.0.is_empty())
            .map(|it| (words.say("hosts of no known tenant", "租户未知的主机").to_owned(), it.1, it.2)),
    );
    rows
}

/// How it was counted, and what it cannot say.
pub(super) fn told_limits(words: &Words<'_>) -> Vec<String> {
    let trend = words.trend;
    let zh = words.lang == Lang::Zh;
    let mut out = Vec::new();
    out.push(match (trend.held, zh) {
        (Some((first, last)), false) => format!(
            "The ledger holds activity from {first} to {last}; {} runs reach into the period. Days without a run have no activity here, which is not the same as a quiet day.",
            grouped(trend.runs)
        ),
        (Some((first, last)), true) => format!(
            "账本包含 {first} 至 {last} 的活动；本期涉及 {} 次运行。没有运行的日子显示为无活动，并不等于平静。",
            grouped(trend.runs)
        ),
        (None, false) => "The ledger holds no activity by day yet.".to_owned(),
        (None, true) => "账本尚无逐日活动。".to_owned(),
    });
    let (groups, hosts) = (grouped(trend.by_shape.groups), grouped(trend.by_shape.hosts));
    if trend.by_shape.groups > 0 {
        out.push(if zh {
            format!("另有 {groups} 个仅凭图形状归组者（涉及 {hosts} 台主机），没有服务器、密钥或钱包，可能是巧合或例行任务，不计入上述任何数字。")
        } else {
            format!("{groups} further groups, on {hosts} hosts, are known by the shape of their graphs alone, without a server, a key or a wallet. Chance and routine look like that: they are in none of these numbers.")
        });
    }
    if !trend.compares() {
        out.push(
            words
                .say(
                    "It does not hold the whole period before: rise and fall are not told.",
                    "账本不含完整的上期，故不给出升降。",
                )
                .to_owned(),
        );
    }
    for (en, zh) in [
        (
            "A host counts once for each gang and period. Only hosts whose logs were read can be counted: these are numbers of this fleet, and not of the internet.",
            "每台主机对每个团伙每期只计一次。只能统计已读取日志的主机：这是本机群的数字，而非互联网的数字。",
        ),
        (
            "The way in is told where the logs show it. Where they do not, it stands as not known, and is not shared out among the others.",
            "仅在日志可证明时给出入侵方式；否则计为未知，不分摊到其他方式。",
        ),
        (
            "First seen means first seen by this ledger. What was there when it began may be older.",
            "“首次出现”指账本首次所见；账本开始时已存在者可能更早。",
        ),
        (
            "An indicator is in use from its first sight to its last, also on days between on which nobody showed it. What was seen in the last days may still live.",
            "指标自首次至最后一次出现均视为在用，包括其间未出现的日子；近日出现者可能仍在使用。",
        ),
        (
            "Several runs over one day: of each host the largest count of episodes and events is kept, so that reading a log twice changes nothing.",
            "同一天多次运行时，每台主机保留最大的片段数与事件数，重复读取同一日志不会改变结果。",
        ),
        (
            "Merges, names and dismissals are those decided when the report was made; all periods are counted by them.",
            "合并、命名与排除以生成报告时的决定为准，并适用于所有时段。",
        ),
    ] {
        out.push(words.say(en, zh).to_owned());
    }
    if !trend.warnings.is_empty() {
        let list: Vec<String> = trend.warnings.iter().map(|(kind, n)| format!("{} {n}", words.warning(kind))).collect();
        out.push(format!(
            "{}{}",
            words.say("Warnings that were sent in the period: ", "本期已发出的预警："),
            list.join(words.say(", ", "，"))
        ));
    }
    out
}

fn limits(words: &Words<'_>, out: &mut String) {
    section(out, words.say("How this was counted, and what it cannot say", "统计方法与局限"), "");
    out.push_str("<ul class=\"limits\">");
    for it in told_limits(words) {
        write!(out, "<li>{}</li>", safe(&it)).expect("a String takes all");
    }
    write!(
        out,
        "</ul><h3>{}</h3><p class=\"note\">{}</p><dl class=\"sql\">",
        words.say("The same numbers from the ledger", "从账本复算"),
        words.say(
            "SQL over the ledger's own tables. Gangs that were merged or dismissed stand there by their own ids. trend.json beside this page has every number.",
            "以下 SQL 直接查询账本。已合并或排除的团伙在表中仍为原编号。全部数字见同目录 trend.json。",
        )
    )
    .expect("a String takes all");
    for it in queries(&words.trend.period) {
        write!(out, "<dt>{}</dt><dd><code>{}</code></dd>", words.say(it.en, it.zh), escape::html(&it.sql))
            .expect("a String takes all");
    }
    out.push_str("</dl></section>\n");
}
