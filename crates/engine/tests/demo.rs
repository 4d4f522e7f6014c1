//! The shipped sample against its own truth: who, on which hosts, and how they got in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ringleader_engine::assemble::Known;
use ringleader_engine::collect::{CollectConfig, Quiet};
use ringleader_engine::sources::Input;
use ringleader_engine::{Config, run, simulate};
use ringleader_model::Rows;
use ringleader_model::time::TimeDefaults;
use ringleader_pipeline::label::episode::Knowledge;

fn config() -> Config {
    Config {
        collect: CollectConfig {
            threads: 2,
            memory: 256 << 20,
            format: None,
            host: None,
            tenant: String::new(),
            times: TimeDefaults { utc_offset_minutes: 0, year: 2026 },
        },
        processes: false,
        known: Known::default(),
    }
}

#[test]
fn the_demos_gangs_are_found_and_kept_apart() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/demo");
    let truth: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.join("TRUTH.json")).unwrap()).unwrap();
    let inputs: Vec<Input> = ["alibaba", "auth", "fleet", "honeypot", "network", "seeds", "web", "windows"]
        .iter()
        .map(|it| Input::Path(folder.join(it)))
        .collect();
    let config = config();
    let mut rows = Rows::default();
    let found = run(&inputs, &Knowledge::built_in(), &config, &Quiet, &mut rows).unwrap().findings;
    assert_eq!(found.summary.events_rejected, 0, "{:?}", found.summary.sources);

    // host as logged → the gang that took it
    let mut gang_of: BTreeMap<String, &str> = BTreeMap::new();
    let mut clean: BTreeSet<&str> = BTreeSet::new();
    for gang in truth["gangs"].as_array().unwrap() {
        for it in gang["intrusions"].as_array().unwrap() {
            let host = it["host_in_log"].as_str().unwrap().to_lowercase();
            gang_of.insert(host.split('.').next().unwrap().to_owned(), gang["name"].as_str().unwrap());
        }
    }
    clean.extend(truth["clean_hosts"].as_array().unwrap().iter().filter_map(|it| it.as_str()));
    let (mut precision, mut recall) = (0.0, 0.0);
    let gangs = truth["gangs"].as_array().unwrap();
    for gang in gangs {
        let name = gang["name"].as_str().unwrap();
        let own: BTreeSet<&str> =
            gang_of.iter().filter(|(_, it)| **it == name).map(|(host, _)| host.as_str()).collect();
        // The found gang that holds most of it.
        let best = found
            .gangs
            .iter()
            .max_by_key(|it| it.who.hosts.iter().filter(|host| own.contains(&***host)).count())
            .unwrap();
        let hosts: Vec<&str> = best
            .who
            .hosts
            .iter()
            .map(|it| &**it)
            .filter(|it| gang_of.contains_key(*it) || clean.contains(it))
            .collect();
        let right = hosts.iter().filter(|it| own.contains(*it)).count() as f64;
        precision += right / hosts.len() as f64;
        recall += right / own.len() as f64;
        let method = gang["method"].as_str().unwrap();
        let how: Vec<&str> = best.how.iter().map(|it| &*it.method).collect();
        println!(
            "{name}: {} of {} hosts, {} others; how {how:?}, truly {method}",
            right,
            own.len(),
            hosts.len() as f64 - right
        );
        assert_eq!(how.first(), Some(&method), "{name}");
    }
    let n = gangs.len() as f64;
    println!(
        "hosts of gangs: macro precision {:.3}, macro recall {:.3}; {} gangs found of {n}",
        precision / n,
        recall / n,
        found.gangs.len()
    );
    assert!(precision / n >= 0.99 && recall / n >= 0.95, "precision {precision} recall {recall} over {n}");
    let taken: BTreeSet<&str> = found.gangs.iter().flat_map(|it| &it.who.hosts).map(|it| &**it).collect();
    let swallowed: Vec<&&str> = clean.iter().filter(|it| taken.contains(**it)).collect();
    assert!(swallowed.is_empty(), "clean hosts called taken: {swallowed:?}");
    assert!(!rows.repairs.is_empty());
    assert_eq!(found.repaired.iter().map(|it| it.times).sum::<u64>(), rows.repairs.len() as u64);
    // Every claim points to a line that is there.
    assert!(found.evidence.iter().all(|it| it.record_sha256.is_some()), "evidence without its record");

    // What was written after a real incident bears that worm's name; what was invented bears nobody's.
    let named: Vec<&[String]> = found.gangs.iter().map(|it| &*it.known_as).filter(|it| !it.is_empty()).collect();
    assert_eq!(named.len(), 1, "{named:?}");
    assert_eq!(named[0][0], "WannaMine");
    let evidence: BTreeSet<&str> = found.evidence.iter().map(|it| &*it.evidence_id).collect();
    for it in found.gangs.iter().flat_map(|it| &it.suggestions) {
        assert!(!it.evidence_ids.is_empty() && it.evidence_ids.iter().all(|id| evidence.contains(&**id)), "{it:?}");
    }
}

#[test]
fn invented_gangs_bear_nobodys_name() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.ndjson");
    let simulated = simulate::Config { seed: 11, events: 80_000, bot_permille: 100, ..simulate::Config::default() };
    simulate::write(&simulated, &mut std::fs::File::create(&log).unwrap(), None).unwrap();
    let mut rows = Rows::default();
    let found = run(&[Input::Path(log)], &Knowledge::built_in(), &config(), &Quiet, &mut rows).unwrap().findings;
    assert!(found.gangs.len() > 3, "{} gangs", found.gangs.len());
    let named: Vec<_> = found.gangs.iter().flat_map(|it| &it.suggestions).collect();
    assert!(named.is_empty(), "{named:#?}");
}
