//! Scores of simulated incidents, `missing=score.json …`, → docs/incident-measured.md on standard output.
#![allow(clippy::unwrap_used, reason = "a tool of this repository: what goes wrong ends it")]

use std::collections::BTreeMap;

use ringleader_engine::score::Share;
use ringleader_engine::score::incident::{Class, IncidentFigures, IncidentScore};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap();
    let mut ours: BTreeMap<u32, IncidentFigures> = BTreeMap::new();
    let mut naive: BTreeMap<u32, IncidentFigures> = BTreeMap::new();
    for argument in arguments {
        let (missing, path) = argument.split_once('=').unwrap();
        let missing: u32 = missing.parse().unwrap();
        let score: IncidentScore =
            serde_json::from_reader(std::io::BufReader::new(std::fs::File::open(path).unwrap())).unwrap();
        ours.entry(missing).or_default().pool(&score.findings);
        naive.entry(missing).or_default().pool(&score.baseline.unwrap());
    }
    println!("# Simulated incidents, measured\n");
    println!("Made by `tools/incident-accuracy`: {what}. Nothing was given to start from but the alerts.");
    println!(
        "Figures are of all incidents together, as [score.md](score.md) has them; in brackets the naive join in time order.\n"
    );
    print!("| |");
    ours.keys().for_each(|it| print!(" {}% missing |", it / 10));
    print!("\n|---|");
    ours.keys().for_each(|_| print!("---|"));
    println!();
    let row = |name: &str, of: &dyn Fn(&IncidentFigures) -> String, peer: bool| {
        print!("| {name} |");
        for (missing, it) in &ours {
            let beside = if peer { format!(" ({})", of(&naive[missing])) } else { String::new() };
            print!(" {}{beside} |", of(it));
        }
        println!();
    };
    let share = |it: Share| it.map_or_else(|| "-".to_owned(), |it| format!("{it:.3}"));
    let class = |all: &BTreeMap<String, Class>, name: &str| share(all.get(name).and_then(|it| it.f1));
    row("incidents", &|it| it.incidents.to_string(), false);
    row("edges, mean F1 of classes", &|it| share(it.edge_macro_f1), true);
    for name in ["compromised", "attacked", "scanned"] {
        row(&format!("edges, {name}: F1"), &|it| class(&it.edges, name), true);
    }
    row("verdicts of hosts, mean F1 of classes", &|it| share(it.host_macro_f1), true);
    for name in ["compromised", "attacked", "scanned", "alerted_only", "clean_as_seen", "unknown"] {
        row(&format!("verdicts, {name}: F1"), &|it| class(&it.hosts, name), true);
    }
    row("calibration error of compromised hosts", &|it| share(it.host_calibration_error), false);
    row("calibration error of compromised edges", &|it| share(it.edge_calibration_error), false);
    row("patient zero right", &|it| of(it.patient_zero_right, it.incidents), true);
    row("way in right, or rightly unknown", &|it| of(it.entries_right, it.incidents), false);
    row("way in wrong", &|it| of(it.entries_wrong, it.incidents), false);
    row("clean for want of telemetry", &|it| it.clean_without_telemetry.to_string(), true);
    row("clean, and taken", &|it| it.clean_but_taken.to_string(), true);
    row("taken and never alerted, told: F1", &|it| share(it.missed_by_alerts.f1), false);
    println!(
        "\nAn edge or a verdict that no record shows is not asked for. The generator and these rules were made in one house: \
         a network of another kind will come to other figures."
    );
}

fn of(part: u64, whole: u64) -> String {
    format!("{:.2}", part as f64 / whole.max(1) as f64)
}
