//! Pages of numbers that were written by hand, some of them by somebody with bad intentions.

use std::collections::BTreeMap;

use ringleader_model::trend::*;

use super::*;
use crate::messages::Lang;

const HOSTILE: &str = "</text></svg><script>alert(1)</script>\" onload=\"x\u{202e}](http://evil.example)|`";

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

fn gang(id: &str, name: Option<&str>, standing: Standing, hosts: (u64, u64)) -> GangTrend {
    let counts = |hosts: u64| Counts { hosts, episodes: hosts * 2, events: hosts * 20, days: hosts.min(3) };
    GangTrend {
        gang_id: id.to_owned(),
        name: name.map(str::to_owned),
        aliases: Vec::new(),
        standing,
        first_seen: day("2026-04-03"),
        last_seen: day("2026-04-28"),
        now: counts(hosts.0),
        before: counts(hosts.1),
        days: (0..30)
            .map(|n| DayCounts { hosts: hosts.0 * (n % 3) / 9, episodes: 1, method: "redis".into() })
            .collect(),
        methods: vec![("redis".to_owned(), hosts.0, hosts.1)],
        behaviours: vec![Fact {
            value: "kills_rivals".into(),
            first_seen: day("2026-04-03"),
            last_seen: day("2026-04-28"),
            hosts: 3,
        }],
        platforms: vec!["unix".into()],
        indicators: Lives { alive: 2, new: 1, gone: 1 },
        lifelines: vec![Lifeline {
            kind: "url".into(),
            value: format!("http://evil.example/{HOSTILE}"),
            first_seen: day("2026-03-20"),
            last_seen: day("2026-04-20"),
            hosts: 4,
        }],
    }
}

fn trend() -> Trend {
    let (a, b) = ("a".repeat(32), "b".repeat(32));
    let method = |id: &str, new: bool| MethodTrend {
        method: id.to_owned(),
        facts: MethodFacts {
            name: if id.is_empty() { String::new() } else { format!("The {id} method") },
            cve: new.then(|| "CVE-2019-0193".to_owned()),
            disclosed: None,
        },
        hosts: (9, 4),
        gangs: (2, 1),
        first_seen: day("2026-04-09"),
        new,
        days_after_disclosure: new.then_some(12),
        first_gang: a.clone(),
    };
    let moment = |on: &str, kind: MomentKind, what: &str| Moment {
        day: day(on),
        gang_id: a.clone(),
        kind,
        what: what.to_owned(),
        hosts: 7,
    };
    Trend {
        period: Period::from(Length::Month, day("2026-04-01")),
        gang: None,
        held: Some((day("2026-03-01"), day("2026-04-30"))),
        runs: 30,
        now: Counts { hosts: 21, episodes: 42, events: 420, days: 28 },
        before: Counts { hosts: 14, episodes: 28, events: 280, days: 20 },
        active: (2, 1),
        gangs: vec![gang(&a, Some(HOSTILE), Standing::Active, (18, 14)), gang(&b, None, Standing::New, (9, 0))],
        methods: vec![method("redis", false), method("solr", true), method("", false)],
        moves: vec![Move {
            gang_id: a.clone(),
            from: Some("redis".into()),
            to: "solr".into(),
            since: day("2026-04-09"),
            hosts: 9,
            left: 2,
        }],
        by_shape: ByShape { groups: 3, hosts: 5 },
        churn: Churn {
            kinds: [("url".to_owned(), Lives { alive: 4, new: 2, gone: 1 })].into(),
            days: (0..30).map(|n| (n % 4, n % 3)).collect(),
            median_life: Some(9),
            reused: vec![Reuse {
                kind: "domain".into(),
                value: "one.example".into(),
                earlier: a.clone(),
                earlier_last: day("2026-03-20"),
                later: b.clone(),
                later_first: day("2026-04-20"),
            }],
            more_reused: 0,
        },
        victims: vec![
            Victims { by: Property::Region, rows: vec![("eu".into(), 12, 9), (String::new(), 9, 5)] },
            Victims { by: Property::Tenant, rows: vec![("shop & co".into(), 12, 9), (String::new(), 9, 5)] },
        ],
        timeline: vec![
            moment("2026-04-03", MomentKind::NewGang, "redis"),
            moment("2026-04-09", MomentKind::NewMethod, "solr"),
            moment("2026-04-19", MomentKind::Surge, ""),
        ],
        warnings: BTreeMap::from([("new_method".to_owned(), 1)]),
    }
}

#[test]
fn nothing_that_a_name_says_is_more_than_text() {
    for lang in [Lang::En, Lang::Zh] {
        for one in [false, true] {
            let mut trend = trend();
            trend.gang = one.then(|| trend.gangs[0].gang_id.clone());
            let page = html::page(&trend, lang).unwrap();
            assert!(!page.contains("<script") && !page.contains("onload=\"x") && !page.contains('\u{202e}'));
            assert!(!page.contains(" style=") && !page.contains("href"), "the page's policy allows neither");
            assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
            assert!(!page.contains("evil.example"), "addresses are no links");
            assert!(page.contains("default-src 'none'; style-src 'sha256-"));
            let text = markdown::text(&trend, lang);
            assert!(!text.contains("](http") && !text.contains("\n<") && !text.contains('\u{202e}'));
            assert!(!page.contains("shop &amp; co") && !text.contains("shop & co"), "tenants are counted");
        }
    }
}

#[test]
fn the_same_numbers_give_the_same_bytes_and_every_number_is_there() {
    let trend = trend();
    let page = html::page(&trend, Lang::En).unwrap();
    assert_eq!(page, html::page(&trend, Lang::En).unwrap());
    for text in [
        "Gangs in April 2026",
        "+7 (+50%)",
        "12 days",
        "CVE-2019-0193",
        "lived 9 days or less",
        "gang bbbbbbbb",
        "not known",
    ] {
        assert!(page.contains(text), "{text}");
    }
    let zh = html::page(&trend, Lang::Zh).unwrap();
    for text in ["2026 年 4 月团伙趋势", "升降", "入侵方式的迁移", "统计方法与局限", "lang=\"zh\""]
    {
        assert!(zh.contains(text), "{text}");
    }
}

#[test]
fn without_a_period_before_nothing_is_compared() {
    let mut trend = trend();
    trend.held = Some((day("2026-04-01"), day("2026-04-30")));
    let page = html::page(&trend, Lang::En).unwrap();
    assert!(!page.contains("+50%") && page.contains("rise and fall are not told"));
    trend.now = Counts::default();
    trend.before = Counts::default();
    assert!(html::page(&trend, Lang::En).unwrap().contains("holds no activity in these days"));
}

#[test]
fn changes_are_written_with_their_sign() {
    assert_eq!(words::change(12, 8), "+4 (+50%)");
    assert_eq!(words::change(2, 3), "−1 (−33%)");
    assert_eq!(words::change(5, 0), "+5");
    assert_eq!(words::change(5, 5), "±0");
    assert_eq!(words::change(3, 2), "+1 (+50%)");
}

#[test]
fn the_three_files_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("out");
    write(&trend(), Lang::En, &to).unwrap();
    for file in FILES {
        assert!(std::fs::metadata(to.join(file)).unwrap().len() > 1000, "{file}");
    }
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(to.join("trend.json")).unwrap()).unwrap();
    assert_eq!(json["period"]["from"], "2026-04-01");
}
