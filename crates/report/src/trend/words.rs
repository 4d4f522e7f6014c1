//! What a trend report says, in English and Chinese. What logs and analysts say is never translated.

use ringleader_model::trend::*;

use crate::mask::mask;
use crate::messages::Lang;
use crate::number::grouped;

/// Longest value of a log that is shown.
const MAX_VALUE: usize = 90;

#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    pub trend: &'a Trend,
    pub lang: Lang,
}

impl<'a> Words<'a> {
    pub(super) fn say(&self, en: &'a str, zh: &'a str) -> &'a str {
        if self.lang == Lang::Zh { zh } else { en }
    }

    /// `April 2026`, `the second quarter of 2026`, or from day to day.
    pub(super) fn period(&self) -> String {
        let it = &self.trend.period;
        self.span(it.length, it.from, it.last(), Period::around(it.length, it.from).from == it.from)
    }

    pub(super) fn before(&self) -> String {
        let it = &self.trend.period;
        let calendar = Period::around(it.length, it.before).from == it.before;
        self.span(it.length, it.before, Day(it.from.0 - 1), calendar)
    }

    fn span(&self, length: Length, from: Day, last: Day, calendar: bool) -> String {
        const MONTHS: [&str; 12] = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        let text = from.to_string();
        let number = |from: usize, to: usize| text.get(from..to).and_then(|it| it.parse::<usize>().ok()).unwrap_or(1);
        let (year, month) = (number(0, 4), number(5, 7).clamp(1, 12));
        let zh = self.lang == Lang::Zh;
        match length {
            Length::Month if calendar && zh => format!("{year} 年 {month} 月"),
            Length::Month if calendar => format!("{} {year}", MONTHS[month - 1]),
            Length::Quarter if calendar && zh => format!("{year} 年第 {} 季度", month.div_ceil(3)),
            Length::Quarter if calendar => format!("Q{} {year}", month.div_ceil(3)),
            _ if zh => format!("{from} 至 {last}"),
            _ => format!("{from} to {last}"),
        }
    }

    pub(super) fn gang(&self, id: &str) -> String {
        let named = self.trend.gangs.iter().find(|it| it.gang_id == id).and_then(|it| it.name.as_deref());
        let short = id.get(..8).unwrap_or(id);
        match named {
            Some(name) => cut(name, 40),
            None if self.lang == Lang::Zh => format!("团伙 {short}"),
            None => format!("gang {short}"),
        }
    }

    pub(super) fn method(&self, id: &str) -> String {
        if id.is_empty() {
            return self.say("way in not known", "入侵方式未知").to_owned();
        }
        let name = self.trend.methods.iter().find(|it| it.method == id).map(|it| it.facts.name.as_str());
        match name {
            Some(name) if !name.is_empty() => cut(name, 60),
            _ => cut(id, 60),
        }
    }

    pub(super) fn standing(&self, it: Standing) -> &'a str {
        match it {
            Standing::New => self.say("new", "新出现"),
            Standing::Back => self.say("back", "再现"),
            Standing::Active => self.say("active", "活跃"),
            Standing::Gone => self.say("gone", "消失"),
        }
    }

    pub(super) fn property(&self, it: Property) -> &'a str {
        match it {
            Property::Sector => self.say("Sector", "行业"),
            Property::Region => self.say("Region", "地域"),
            Property::Service => self.say("Service", "服务"),
            Property::Tenant => self.say("Tenant", "租户"),
        }
    }

    /// What happened, without whose it was.
    pub(super) fn moment(&self, it: &Moment) -> String {
        let zh = self.lang == Lang::Zh;
        let hosts = grouped(it.hosts);
        let method = || self.method(&it.what);
        match it.kind {
            MomentKind::NewGang if it.what.is_empty() && zh => format!("首次出现，本期 {hosts} 台主机"),
            MomentKind::NewGang if it.what.is_empty() => format!("first seen; {hosts} hosts in the period"),
            MomentKind::NewGang if zh => format!("首次出现，经由“{}”，本期 {hosts} 台主机", method()),
            MomentKind::NewGang => format!("first seen, by {}; {hosts} hosts in the period", method()),
            MomentKind::NewMethod if zh => format!("率先使用新方式“{}”，本期 {hosts} 台主机", method()),
            MomentKind::NewMethod => format!("is the first to come in by {}; {hosts} hosts in the period", method()),
            MomentKind::FirstUse if zh => format!("开始使用“{}”，本期 {hosts} 台主机", method()),
            MomentKind::FirstUse => format!("takes up {}; {hosts} hosts in the period", method()),
            MomentKind::Surge if zh => format!("激增：单日 {hosts} 台新主机"),
            MomentKind::Surge => format!("surges: {hosts} new hosts in a day"),
            MomentKind::Back if zh => "沉寂后再现".to_owned(),
            MomentKind::Back => "is back after a silence".to_owned(),
            MomentKind::NewPlatform if zh => format!("首次出现在新平台：{}", cut(&it.what, 40)),
            MomentKind::NewPlatform => format!("comes to another platform: {}", cut(&it.what, 40)),
            MomentKind::NewRegion if zh => format!("波及新地域：{}", cut(&it.what, 40)),
            MomentKind::NewRegion => format!("reaches another region: {}", cut(&it.what, 40)),
            MomentKind::NewTenant if zh => "波及新租户".to_owned(),
            MomentKind::NewTenant => "reaches another tenant".to_owned(),
            MomentKind::SensorFirst if zh => format!("先在诱饵上出现，早于生产环境 {}", cut(&it.what, 40)),
            MomentKind::SensorFirst => format!("was on a decoy {} before production", cut(&it.what, 40)),
            MomentKind::Merged if zh => format!("{} 被查明属于该团伙", self.gang(&it.what)),
            MomentKind::Merged => format!("{} turns out to be part of it", self.gang(&it.what)),
        }
    }

    pub(super) fn warning(&self, kind: &str) -> String {
        let zh = match kind {
            "new_gang" => "新团伙",
            "new_method" => "新攻击方法",
            "first_use" => "首次使用已知方法",
            "new_behaviour" => "新行为",
            "new_infrastructure" => "新基础设施",
            "new_platform" => "新平台",
            "new_tenant" => "波及新租户",
            "new_region" => "波及新地域",
            "surge" => "数量激增",
            "dormant_back" => "沉寂后再现",
            "sensor_first" => "先现于诱饵",
            _ => "",
        };
        if self.lang == Lang::Zh && !zh.is_empty() { zh.to_owned() } else { kind.replace('_', " ") }
    }

    /// `+12 (+40%)`; nothing where the ledger does not reach back.
    pub(super) fn change(&self, now: u64, before: u64) -> String {
        if !self.trend.compares() {
            return String::new();
        }
        change(now, before)
    }

    /// The report in a few sentences.
    pub(super) fn summary(&self) -> Vec<String> {
        let trend = self.trend;
        let zh = self.lang == Lang::Zh;
        let mut out = Vec::new();
        let (gangs, hosts) = (grouped(trend.active.0), grouped(trend.now.hosts));
        let (before, than) = (grouped(trend.before.hosts), self.before());
        out.push(match (zh, trend.gang.is_some(), trend.compares()) {
            (true, false, true) => format!("{gangs} 个团伙入侵了 {hosts} 台主机；{than}为 {before} 台。"),
            (true, true, true) => format!("该团伙入侵了 {hosts} 台主机；{than}为 {before} 台。"),
            (true, false, false) => format!("{gangs} 个团伙入侵了 {hosts} 台主机。"),
            (true, true, false) => format!("该团伙入侵了 {hosts} 台主机。"),
            (false, false, true) => format!("{gangs} gangs broke into {hosts} hosts; in {than} it was {before}."),
            (false, true, true) => format!("The gang broke into {hosts} hosts; in {than} it was {before}."),
            (false, false, false) => format!("{gangs} gangs broke into {hosts} hosts."),
            (false, true, false) => format!("The gang broke into {hosts} hosts."),
        });
        let names = |of: Standing| -> Vec<String> {
            trend.gangs.iter().filter(|it| it.standing == of).map(|it| self.gang(&it.gang_id)).collect()
        };
        if trend.gang.is_none() {
            let (new, back, gone) = (names(Standing::New), names(Standing::Back), names(Standing::Gone));
            let mut told = |list: &[String], en: [&str; 2], zh_word: &str| {
                if !list.is_empty() {
                    let all = self.listed(list);
                    out.push(match (zh, list.len()) {
                        (true, _) => format!("{zh_word}：{all}。"),
                        (false, 1) => format!("{all} {}.", en[0]),
                        (false, _) => format!("{all} {}.", en[1]),
                    });
                }
            };
            told(&new, ["is new", "are new"], "新出现");
            told(&back, ["is back", "are back"], "再现");
            told(&gone, ["was not seen any more", "were not seen any more"], "未再出现");
        }
        if !trend.moves.is_empty() {
            // Method by method: a wave of one is one sentence.
            let mut methods: Vec<&str> = trend.moves.iter().map(|it| it.to.as_str()).collect();
            methods.sort_unstable();
            methods.dedup();
            for method in methods.into_iter().take(4) {
                let who = trend.moves.iter().filter(|it| it.to == method);
                let who: Vec<String> = who
                    .map(|it| {
                        let since = it.since.to_string();
                        let day = since.get(5..).unwrap_or_default();
                        match (zh, trend.gang.is_some()) {
                            (_, true) => since,
                            (true, false) => format!("{}（{day}）", self.gang(&it.gang_id)),
                            (false, false) => format!("{} ({day})", self.gang(&it.gang_id)),
                        }
                    })
                    .collect();
                let (name, list) = (self.method(method), self.listed(&who));
                out.push(match (zh, trend.gang.is_some()) {
                    (true, true) => format!("自 {list} 起以新的方式入侵：{name}。"),
                    (true, false) => format!("换用“{name}”入侵：{list}。"),
                    (false, true) => format!("A way in that is new to it, from {list} on: {name}."),
                    (false, false) => format!("Took up another way in, {name}: {list}."),
                });
            }
        }
        out
    }

    fn listed(&self, items: &[String]) -> String {
        if self.lang == Lang::Zh {
            return items.join("、");
        }
        match items {
            [] => String::new(),
            [one] => one.clone(),
            [front @ .., last] => format!("{} and {last}", front.join(", ")),
        }
    }
}

/// `+12 (+40%)`, whole percents, half up.
pub(super) fn change(now: u64, before: u64) -> String {
    let sign = match now.cmp(&before) {
        std::cmp::Ordering::Less => "−",
        std::cmp::Ordering::Equal => "±",
        std::cmp::Ordering::Greater => "+",
    };
    let by = now.abs_diff(before);
    if before == 0 || by == 0 {
        return format!("{sign}{}", grouped(by));
    }
    let percent = (u128::from(by) * 200 / u128::from(before)).div_ceil(2);
    format!("{sign}{} ({sign}{percent}%)", grouped(by))
}

pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// An indicator that no program takes for a link, without secrets.
pub(super) fn defanged(kind: &str, value: &str) -> String {
    let value = cut(&mask(value), MAX_VALUE);
    match kind {
        "url" | "domain" | "ip" | "ip_port" | "paste" | "email" | "image" => {
            value.replace("http", "hxxp").replace('.', "[.]").replace('@', "[at]")
        }
        // Keys and hashes are told by their beginning; `trend.json` has them whole.
        _ => cut(&value, 44),
    }
}
