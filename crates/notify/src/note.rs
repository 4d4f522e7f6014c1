//! A warning → words for people, in English or Chinese. Plain text: each channel makes it safe for what it is shown in.
//! Addresses are written so that no chat makes a link of them: `hxxp://evil[.]example`.

use ringleader_ledger::Message;
use ringleader_model::Timestamp;
use ringleader_model::findings::{Warning, WarningKind};
use ringleader_model::hash::hash128;
use ringleader_report::escape::visible;
use serde::{Deserialize, Serialize};

use crate::config::{Channel, Config, Lang};

/// Longest value, name or text that is told.
const MAX_TEXT: usize = 160;
/// Values that are told of one warning.
const MAX_VALUES: usize = 5;

/// What waits in the outbox: a warning, and how its gang is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub gang: String,
    pub warning: Warning,
}

/// The messages that warnings make: one for each channel that takes them. What is held is sent to nobody.
pub fn compose(config: &Config, warnings: &[Warning], name: &dyn Fn(&str) -> String, at: Timestamp) -> Vec<Message> {
    let mut messages = Vec::new();
    for warning in warnings.iter().filter(|it| !it.held) {
        let gang = name(warning.gang_id.as_deref().unwrap_or_default());
        let note = Note { gang, warning: warning.clone() };
        let Ok(body) = serde_json::to_string(&note) else { continue };
        for channel in config.channels.iter().filter(|it| it.takes(warning.kind, warning.rank)) {
            let id = hash128(format!("{}\n{}", channel.name, warning.warning_id).as_bytes(), 0x703);
            messages.push(Message {
                message_id: format!("{id:032x}"),
                channel: channel.name.clone(),
                body: body.clone(),
                created: at,
                not_before: at,
            });
        }
    }
    messages
}

/// What `notify test` sends.
pub fn sample(channel: &Channel, now: Timestamp) -> Note {
    let text = match channel.lang {
        Lang::En => "a test of this channel: nothing happened",
        Lang::Zh => "通道测试，无需处理",
    };
    Note {
        gang: text.to_owned(),
        warning: Warning {
            warning_id: format!("test-{}", now.0).into(),
            kind: WarningKind::NewInfrastructure,
            gang_id: None,
            time: Some(now),
            text: text.to_owned(),
            evidence_ids: Vec::new(),
            rank: 1,
            subject: vec!["domain evil.example".into()],
            hosts: 0,
            to_do: String::new(),
            held: false,
        },
    }
}

/// One warning in words: a heading, and lines below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    pub head: String,
    pub lines: Vec<String>,
}

pub(crate) fn title(lang: Lang, notes: &[Note]) -> String {
    match (lang, notes) {
        (_, [one]) => words(lang, one).head,
        (Lang::En, all) => format!("Ringleader: {} warnings", all.len()),
        (Lang::Zh, all) => format!("Ringleader：{} 条预警", all.len()),
    }
}

pub(crate) fn words(lang: Lang, note: &Note) -> Words {
    let it = &note.warning;
    let gang = cut(&note.gang);
    let zh = lang == Lang::Zh;
    let head = format!("{}{}{gang}", kind(lang, it.kind), if zh { "：" } else { ": " });
    let mut lines = Vec::new();
    let values: Vec<String> = it.subject.iter().take(MAX_VALUES).map(|it| cut(&defanged(it))).collect();
    if !values.is_empty() {
        lines.push(values.join(if zh { "，" } else { ", " }));
    }
    let time =
        it.time.map(|it| it.to_string()).and_then(|it| it.get(..16).map(|it| it.replace('T', " "))).unwrap_or_default();
    if it.hosts > 0 {
        lines.push(if zh {
            format!("主机 {} 台，{time} UTC", it.hosts)
        } else {
            format!("hosts: {}, {time} UTC", it.hosts)
        });
    }
    let to_do = if zh { to_do_zh(it.kind).to_owned() } else { it.to_do.clone() };
    if !it.to_do.is_empty() {
        lines.push(if zh { format!("建议：{to_do}") } else { format!("to do: {to_do}") });
    }
    if let Some(id) = &it.gang_id {
        let short: String = id.chars().take(8).collect();
        lines.push(format!("ringleader gang show {short}"));
    }
    Words { head: format!("[{}] {head}", it.rank), lines }
}

fn kind(lang: Lang, kind: WarningKind) -> &'static str {
    use WarningKind as K;
    match (lang, kind) {
        (Lang::En, K::NewGang) => "new gang",
        (Lang::En, K::NewMethod) => "new method",
        (Lang::En, K::FirstUse) => "first use of a known method",
        (Lang::En, K::NewBehaviour) => "new behaviour",
        (Lang::En, K::NewInfrastructure) => "new infrastructure",
        (Lang::En, K::NewPlatform) => "new platform",
        (Lang::En, K::NewTenant) => "new tenant",
        (Lang::En, K::NewRegion) => "new region",
        (Lang::En, K::Surge) => "surge",
        (Lang::En, K::DormantBack) => "back after a silence",
        (Lang::En, K::SensorFirst) => "on a decoy first",
        (Lang::Zh, K::NewGang) => "新团伙",
        (Lang::Zh, K::NewMethod) => "新攻击方法",
        (Lang::Zh, K::FirstUse) => "首次使用已知方法",
        (Lang::Zh, K::NewBehaviour) => "新行为",
        (Lang::Zh, K::NewInfrastructure) => "新基础设施",
        (Lang::Zh, K::NewPlatform) => "新平台",
        (Lang::Zh, K::NewTenant) => "波及新租户",
        (Lang::Zh, K::NewRegion) => "波及新地域",
        (Lang::Zh, K::Surge) => "数量激增",
        (Lang::Zh, K::DormantBack) => "沉寂后再现",
        (Lang::Zh, K::SensorFirst) => "先现于诱饵",
    }
}

fn to_do_zh(kind: WarningKind) -> &'static str {
    use WarningKind as K;
    match kind {
        K::NewMethod | K::FirstUse => "排查并关闭可被该方法利用的入口，在同类主机上查找该团伙的其他痕迹",
        K::NewGang => "封堵其基础设施，清理受害主机，关闭入口，然后为其命名",
        K::SensorFirst => "利用诱饵的记录：封堵其下载源，在更多主机受害前关闭同一入口",
        K::DormantBack => "确认其旧基础设施仍被封堵，并对比其当前行为",
        K::Surge => "找出新增主机的共同点，优先关闭该入口",
        K::NewTenant => "通知该租户，并附上主机与入侵方式",
        K::NewRegion => "在该地域排查具有相同入口的主机",
        K::NewPlatform => "在该平台上查找该团伙的基础设施与文件",
        K::NewInfrastructure => "立即封堵，并在近几日的流量与 DNS 中回查",
        K::NewBehaviour => "查看原始日志，确认清理方案是否仍然有效",
    }
}

fn cut(text: &str) -> String {
    let text = visible(text);
    if text.chars().count() <= MAX_TEXT {
        return text.into_owned();
    }
    text.chars().take(MAX_TEXT - 1).chain(['…']).collect()
}

/// No program takes it for a link.
fn defanged(text: &str) -> String {
    let (kind, value) = text.split_once(' ').unwrap_or(("", text));
    match kind {
        "url" | "domain" | "ip" | "ip_port" | "paste" | "email" | "image" => {
            let value = value.replace("http", "hxxp").replace('.', "[.]").replace('@', "[at]");
            format!("{kind} {value}")
        }
        _ => text.to_owned(),
    }
}

/// For channels with some Markdown, whose dialects differ and whose escapes do not agree: what could be markup is shown
/// by a look-alike.
pub(crate) fn unmarked(text: &str) -> String {
    text.chars()
        .map(|it| match it {
            '*' => '＊',
            '_' => '＿',
            '`' => '＇',
            '[' => '［',
            ']' => '］',
            '(' => '（',
            ')' => '）',
            '<' => '＜',
            '>' => '＞',
            '#' => '＃',
            '@' => '＠',
            '!' => '！',
            '|' => '｜',
            '~' => '～',
            '\\' => '＼',
            '&' => '＆',
            other => other,
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const HOSTILE: &str = "x](http://evil.example) **b** <img src=x> @all \u{202e}`|=\\ \r\nDATA";

    pub(crate) fn note(gang: &str) -> Note {
        let channel = &Config::parse("[[channel]]\nname='a'\nkind='slack'\nurl='https://x.test'").unwrap().channels[0];
        let mut note = sample(channel, Timestamp::from_secs(1_800_000_000));
        note.gang = gang.to_owned();
        note.warning.hosts = 3;
        note.warning.gang_id = Some("0123456789abcdef".into());
        note.warning.to_do = "block it".to_owned();
        note
    }

    #[test]
    fn words_are_in_both_languages_and_link_to_nothing() {
        let en = words(Lang::En, &note("Rake"));
        assert_eq!(en.head, "[1] new infrastructure: Rake");
        assert_eq!(en.lines[0], "domain evil[.]example");
        assert_eq!(en.lines[3], "ringleader gang show 01234567");
        let zh = words(Lang::Zh, &note("Rake"));
        assert_eq!(zh.head, "[1] 新基础设施：Rake");
        assert!(zh.lines[2].starts_with("建议："));
        let hostile = words(Lang::En, &note(HOSTILE));
        assert!(!hostile.head.chars().any(ringleader_report::escape::acts));
        let shown = unmarked(&hostile.head);
        assert!(!shown.contains(['*', '[', '(', '<', '@', '`', '|']), "{shown}");
    }

    #[test]
    fn a_channel_gets_what_it_asked_for_and_nothing_held() {
        let text = "[[channel]]\nname='a'\nkind='slack'\nurl='https://x.test'\nleast_rank=50\n[[channel]]\nname='b'\nkind='slack'\nurl='https://x.test'\nkinds=['surge']";
        let config = Config::parse(text).unwrap();
        let mut low = note("x").warning;
        low.rank = 10;
        let mut high = low.clone();
        high.rank = 60;
        let mut held = high.clone();
        held.held = true;
        let messages = compose(&config, &[low, high.clone(), held], &|_| "Rake".to_owned(), Timestamp(5));
        assert_eq!(messages.iter().map(|it| it.channel.as_str()).collect::<Vec<_>>(), ["a"]);
        assert_eq!(messages[0].message_id, compose(&config, &[high], &|_| String::new(), Timestamp(9))[0].message_id);
    }
}
