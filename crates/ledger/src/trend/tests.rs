//! A ledger that was written by hand → its report, number by number; and each number again by the SQL that the report
//! prints.

use ringleader_model::findings::{Findings, Gang, How, IndicatorRow, MethodClass, Novelty, Permille, Strength, Who};
use ringleader_model::trend::*;
use ringleader_model::{Context, IndicatorKind, Timestamp};

use super::*;
use crate::record::RunRecord;
use crate::seen::{Done, GangSeen, Seen};
use crate::warn::Settings;
use crate::{Place, What};

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

struct Act<'a> {
    gang: &'a str,
    host: &'a str,
    method: &'a str,
    server: &'a str,
}

/// One day's run.
fn record(ledger: &mut Ledger, on: &str, acts: &[Act<'_>]) {
    let at = Timestamp(day(on).start().0 + 3_600_000_000);
    let mut findings = Findings::default();
    let mut seen = Seen::default();
    for it in acts {
        if !findings.gangs.iter().any(|gang| &*gang.gang_id == it.gang) {
            let of: Vec<&Act<'_>> = acts.iter().filter(|other| other.gang == it.gang).collect();
            let mut methods: Vec<&str> = of.iter().map(|it| it.method).filter(|it| !it.is_empty()).collect();
            methods.sort_unstable();
            methods.dedup();
            let how = |it: &&str| How {
                method: (*it).into(),
                class: MethodClass::Exploit,
                cve: None,
                confidence: Permille::new(900),
                novelty: Novelty::Known,
                hosts: 1,
                succeeded_hosts: 0,
                first_seen: Some(at),
                evidence_ids: Vec::new(),
            };
            findings.gangs.push(Gang {
                gang_id: it.gang.into(),
                who: Who {
                    hosts: of.iter().map(|it| it.host.into()).collect(),
                    first_seen: Some(at),
                    last_seen: Some(at),
                    ..Who::default()
                },
                how: methods.iter().map(how).collect(),
                ..Gang::default()
            });
        }
        if !it.server.is_empty() {
            findings.indicators.push(IndicatorRow {
                indicator: it.server.into(),
                kind: IndicatorKind::Domain,
                strength: Strength::Strong,
                gang_id: Some(it.gang.into()),
                hosts: 1,
                first_seen: Some(at),
                last_seen: Some(at),
                context: Context::Downloaded,
                campaign_id: "c".into(),
            });
        }
        let of: &mut GangSeen = seen.gangs.entry(it.gang.into()).or_default();
        of.hosts.insert(it.host.into(), Some((at.0, at.0)));
        of.methods.entry(it.method.into()).or_default().insert(it.host.into());
        let methods = of.activity.entry((day(on), it.host.into())).or_default();
        methods.insert(it.method.into(), Done { episodes: 2, events: 10 });
    }
    let run = RunRecord { run_id: format!("run of {on}"), at, tenant: String::new() };
    ledger.record(&run, &findings, &seen, &Settings::default(), &|_| Vec::new()).unwrap();
}

fn act<'a>(gang: &'a str, host: &'a str, method: &'a str, server: &'a str) -> Act<'a> {
    Act { gang, host, method, server }
}

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const C: &str = "cccccccccccccccccccccccccccccccc";
const D: &str = "dddddddddddddddddddddddddddddddd";

fn two_months(dir: &tempfile::TempDir) -> Ledger {
    let mut ledger = Ledger::open(&dir.path().join("l.db").to_string_lossy()).unwrap();
    let place = |pattern: &str, region: &str, sector: &str| Place {
        pattern: pattern.to_owned(),
        region: region.to_owned(),
        sector: sector.to_owned(),
        ..Place::default()
    };
    ledger.set_places(&[place("shop-*", "eu", "retail"), place("lab-*", "us", "")]).unwrap();
    record(&mut ledger, "2026-03-01", &[act(A, "shop-1", "redis", "one.example"), act(C, "lab-9", "ssh", "c.example")]);
    record(&mut ledger, "2026-03-20", &[act(A, "shop-2", "redis", "one.example")]);
    record(
        &mut ledger,
        "2026-04-02",
        &[act(A, "shop-1", "redis", "two.example"), act(A, "lab-1", "redis", "two.example")],
    );
    record(
        &mut ledger,
        "2026-04-09",
        &[act(A, "shop-3", "solr", "two.example"), act(A, "shop-4", "solr", "two.example")],
    );
    // A shape alone: it is in no number but its own.
    record(&mut ledger, "2026-04-15", &[act(D, "web-7", "ssh", ""), act(D, "web-8", "ssh", "")]);
    record(&mut ledger, "2026-04-20", &[act(B, "web-1", "ssh", "one.example"), act(B, "web-2", "", "one.example")]);
    ledger
}

fn asked(gang: Option<&str>) -> Asked {
    let solr = MethodFacts {
        name: "Solr".to_owned(),
        cve: Some("CVE-2019-0193".to_owned()),
        disclosed: Some(day("2026-03-30")),
    };
    Asked {
        period: Period::from(Length::Month, day("2026-04-01")),
        gang: gang.map(str::to_owned),
        methods: [("solr".to_owned(), solr)].into(),
    }
}

#[test]
fn a_months_numbers_are_those_of_its_rows() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = two_months(&dir);
    assert_eq!(ledger.period(Length::Month, None).unwrap(), Some(asked(None).period));
    let trend = ledger.trend(&asked(None)).unwrap();
    assert_eq!(trend.held, Some((day("2026-03-01"), day("2026-04-20"))));
    assert!(trend.compares());
    assert_eq!((trend.active, trend.runs), ((2, 2), 4));
    assert_eq!(trend.by_shape, ByShape { groups: 1, hosts: 2 });
    assert_eq!(trend.now, Counts { hosts: 6, episodes: 12, events: 60, days: 3 });
    assert_eq!(trend.before, Counts { hosts: 3, episodes: 6, events: 30, days: 2 });
    let gangs: Vec<_> =
        trend.gangs.iter().map(|it| (&it.gang_id[..1], it.standing, it.now.hosts, it.before.hosts)).collect();
    assert_eq!(gangs, [("a", Standing::Active, 4, 2), ("b", Standing::New, 2, 0), ("c", Standing::Gone, 0, 1)]);
    assert_eq!(trend.gangs[0].days[8], DayCounts { hosts: 2, episodes: 4, method: "solr".to_owned() });
    assert_eq!(trend.gangs[0].methods, [("redis".to_owned(), 2, 2), ("solr".to_owned(), 2, 0)]);

    let solr = trend.methods.iter().find(|it| it.method == "solr").unwrap();
    assert_eq!((solr.new, solr.days_after_disclosure, solr.hosts), (true, Some(10), (2, 0)));
    let ssh = trend.methods.iter().find(|it| it.method == "ssh").unwrap();
    assert_eq!((ssh.new, ssh.first_gang.as_str(), ssh.gangs), (false, C, (1, 1)));
    assert_eq!(
        trend.moves,
        [Move {
            gang_id: A.into(),
            from: Some("redis".into()),
            to: "solr".into(),
            since: day("2026-04-09"),
            hosts: 2,
            left: 0
        }]
    );

    assert_eq!(trend.gangs[0].indicators, Lives { alive: 1, new: 1, gone: 1 });
    // one.example is alive as a value: another gang has it now.
    assert_eq!(trend.churn.kinds["domain"], Lives { alive: 2, new: 1, gone: 1 });
    let reused: Vec<_> =
        trend.churn.reused.iter().map(|it| (it.value.as_str(), &it.earlier[..1], &it.later[..1])).collect();
    assert_eq!(reused, [("one.example", "a", "b")]);

    let of = |by: Property| trend.victims.iter().find(|it| it.by == by).unwrap().rows.clone();
    assert_eq!(of(Property::Region), [("eu".into(), 3, 2), ("us".into(), 1, 1), (String::new(), 2, 0)]);
    assert_eq!(of(Property::Sector), [("retail".into(), 3, 2), (String::new(), 3, 1)]);

    let moments: Vec<_> = trend.timeline.iter().map(|it| (it.day.to_string(), &it.gang_id[..1], it.kind)).collect();
    assert!(moments.contains(&("2026-04-09".to_owned(), "a", MomentKind::NewMethod)), "{moments:?}");
    assert!(moments.contains(&("2026-04-20".to_owned(), "b", MomentKind::NewGang)));
    let text = serde_json::to_string(&trend).unwrap();
    assert!(!text.contains("shop-1") && !text.contains("web-1"), "no host has a name in a report");
    assert_eq!(text, serde_json::to_string(&ledger.trend(&asked(None)).unwrap()).unwrap());
}

#[test]
fn decisions_are_seen_in_the_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = two_months(&dir);
    let what = What::MergeGangs { into: A.into(), gangs: vec![B.into()] };
    ledger.decide("ann", "one key", Timestamp(1), what).unwrap();
    ledger.decide("ann", "", Timestamp(2), What::NameGang { gang: A.into(), name: "Rake".into() }).unwrap();
    ledger.decide("ann", "a scanner of ours", Timestamp(3), What::DismissGang { gang: C.into() }).unwrap();
    let trend = ledger.trend(&asked(None)).unwrap();
    assert_eq!(trend.gangs.len(), 1);
    assert_eq!((trend.gangs[0].name.as_deref(), trend.gangs[0].now.hosts), (Some("Rake"), 6));
    assert!(trend.churn.reused.is_empty(), "a gang does not take over from itself");
}

#[test]
fn a_report_on_one_gang_has_that_one_alone() {
    let dir = tempfile::tempdir().unwrap();
    let trend = two_months(&dir).trend(&asked(Some(B))).unwrap();
    assert_eq!(trend.gangs.iter().map(|it| &*it.gang_id).collect::<Vec<_>>(), [B]);
    assert_eq!((trend.now.hosts, trend.gangs[0].lifelines.len()), (2, 1));
    // It was not new: another gang had used it.
    assert!(trend.methods.iter().all(|it| !it.new));
}

#[test]
fn an_earlier_schema_is_brought_up_to_date_and_says_that_it_holds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().join("old.db").to_string_lossy().into_owned();
    let mut ledger = Ledger::open(&at).unwrap();
    ledger
        .raw(
            "DROP TABLE activity; DELETE FROM _sqlx_migrations WHERE version = 2;
        ALTER TABLE places DROP COLUMN sector; ALTER TABLE places DROP COLUMN service;
        INSERT INTO places (pattern, tenant, region) VALUES ('a-*', 't', 'eu')",
        )
        .unwrap();
    ledger.close();
    let mut ledger = Ledger::open(&at).unwrap();
    assert_eq!(ledger.places().unwrap()[0].sector, "");
    assert_eq!(ledger.period(Length::Month, None).unwrap(), None);
    let trend = ledger.trend(&asked(None)).unwrap();
    assert!(trend.gangs.is_empty() && !trend.compares());
}

#[test]
fn the_printed_queries_give_the_printed_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = two_months(&dir);
    let trend = ledger.trend(&asked(None)).unwrap();
    let mut cells = |n: usize| -> Vec<Vec<String>> {
        let query = &queries::queries(&trend.period)[n];
        let sql = query.sql.clone();
        let rows = ledger.read(async |db| sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(db).await).unwrap();
        let cell = |row: &sqlx::any::AnyRow, at: usize| {
            use sqlx::Row as _;
            row.try_get::<i64, _>(at).map(|it| it.to_string()).or_else(|_| row.try_get::<String, _>(at)).unwrap()
        };
        rows.iter().map(|row| (0..sqlx::Row::len(row)).map(|at| cell(row, at)).collect()).collect()
    };
    let text = |it: &[u64]| it.iter().map(u64::to_string).collect::<Vec<_>>();
    let now = trend.now;
    assert_eq!(cells(0), [text(&[trend.active.0, now.hosts, now.episodes, now.events])]);
    for row in cells(1) {
        let gang = trend.gangs.iter().find(|it| it.gang_id == row[0]).unwrap();
        assert_eq!(row[1..], text(&[gang.now.hosts, gang.now.episodes, gang.now.events]));
    }
    assert_eq!(cells(2).len() as u64, now.days);
    for row in cells(3) {
        let method = trend.methods.iter().find(|it| it.method == row[0]).unwrap();
        assert_eq!(row[1..], text(&[method.hosts.0, method.gangs.0]));
    }
    let first: BTreeMap<String, String> = cells(4).into_iter().map(|it| (it[0].clone(), it[1].clone())).collect();
    for it in trend.methods.iter().filter(|it| !it.method.is_empty()) {
        assert_eq!(Day::of(Timestamp(first[&it.method].parse().unwrap())), it.first_seen);
    }
    let lives = trend.churn.kinds.values().fold(Lives::default(), |a, b| Lives {
        alive: a.alive + b.alive,
        new: a.new + b.new,
        gone: a.gone + b.gone,
    });
    assert_eq!(cells(5), [text(&[lives.alive, lives.new, lives.gone])]);
    let warned: Vec<Vec<String>> = trend.warnings.iter().map(|(kind, n)| vec![kind.clone(), n.to_string()]).collect();
    assert_eq!(cells(6), warned);
}
