//! A simulated fleet with everything that misleads at once: copy-cats, rivals, planted values, a gang that is everywhere,
//! servers of one-off use, Windows hosts, honest work that looks like a bot's. No gangs fuse and nothing honest is taken.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::fs::File;
use std::io::BufWriter;

use common::{collect_config, run_config};
use ringleader_engine::score::{Score, beside, score};
use ringleader_engine::simulate::{self, Config, Extras, Loss, Truth};
use ringleader_report::{Folder, Options};

fn scored(config: &Config) -> Score {
    let dir = tempfile::tempdir().unwrap();
    let (log, truth, out) = (dir.path().join("log.ndjson"), dir.path().join("truth.tsv"), dir.path().join("out"));
    let create = |path: &std::path::Path| BufWriter::new(File::create(path).unwrap());
    let (mut events, mut incidents, mut bots) =
        (create(&truth), create(&beside(&truth, "incidents")), create(&beside(&truth, "bots")));
    let tables = Truth { events: &mut events, incidents: &mut incidents, bots: &mut bots };
    let mut written = create(&log);
    simulate::write(config, &mut written, Some(tables)).unwrap();
    drop((written, events, incidents, bots));
    let run = run_config(&[log], collect_config(2, 256 << 20), true);
    let mut folder = Folder::new(&out, true);
    run.rows.give(&mut folder).unwrap();
    folder.write(&run.findings, &Options::default()).unwrap();
    score(&truth, &out, None).unwrap()
}

#[test]
fn what_misleads_fuses_no_gangs_and_takes_nothing_honest() {
    let score = scored(&Config {
        seed: 77,
        events: 120_000,
        hosts: Some(48),
        one_off_permille: 100,
        windows_permille: 300,
        herrings: true,
        extras: Extras { copycats: true, rivals: true, widespread: true, planted: 40 },
        ..Config::default()
    });
    let found = &score.findings;
    assert_eq!(found.gangs.fused, 0, "{:?}", found.gangs.fused_which);
    assert_eq!(found.links.as_ref().unwrap().all.wrong, 0);
    let share = |it: Option<f64>| it.unwrap();
    assert!(share(found.events.precision) >= 0.99, "{:?}", found.events);
    assert!(share(found.events.recall) >= 0.97, "{:?}", found.events);
    let incidents = found.incidents.without_one_off.unwrap();
    assert!(share(incidents.ari) >= 0.96, "{incidents:?}");
    assert_eq!(found.incidents.one_off.unwrap().wrong, 0);
}

#[test]
fn a_routine_that_a_lossy_sensor_broke_is_still_one() {
    let score = scored(&Config {
        seed: 78,
        events: 60_000,
        hosts: Some(24),
        loss: Loss { permille: 300, short_lived: true },
        herrings: true,
        ..Config::default()
    });
    let events = &score.findings.events;
    assert!(events.precision.unwrap() >= 0.99, "{events:?}");
    assert_eq!(score.findings.gangs.fused, 0);
}
