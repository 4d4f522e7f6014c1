//! Labelled lines → how well indicators are found, by kind and on the level of hosts, beside plain regular expressions.
//!
//! ```text
//! cargo run --release -p ringleader-pipeline --example indicators_score -- [--wrong] [--found FOUND.ndjson] [FILE]
//! ```
//!
//! `FILE`: `fixtures/indicators/labelled.ndjson` unless named. `--wrong`: every line that was read wrongly.
//! `--found`: what another program found in the same lines, in the form that `ringleader extract` prints.

mod baseline;
mod score;

use std::process::ExitCode;

use ringleader_pipeline::extract::Extractor;
use score::{Found, Score};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let mut file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/indicators/labelled.ndjson").to_owned();
    let (mut wrong, mut other) = (false, None);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--wrong" => wrong = true,
            "--found" => other = Some(args.next().ok_or("--found needs a file")?),
            _ => file = arg,
        }
    }
    let read = |path: &str| std::fs::read_to_string(path).map_err(|it| format!("{path}: {it}"));
    let lines = score::lines(&read(&file)?)?;
    println!(
        "{} lines, {} of them traps, {} indicators",
        lines.len(),
        lines.iter().filter(|it| it.trap).count(),
        lines.iter().map(|it| it.expect.len()).sum::<usize>()
    );
    if let Some(other) = other {
        let found = score::found_elsewhere(&read(&other)?)?;
        let score = Score::of(&lines, |number, _| found.get(&number).cloned().unwrap_or_default());
        return print(&other, &score, wrong);
    }
    print("ringleader", &score::of_extractor(&lines, &Extractor::new()), wrong)?;
    let plain = baseline::Plain::new().map_err(|it| it.to_string())?;
    let score = Score::of(&lines, |_, text| {
        plain.extract(text).into_iter().map(|(kind, value)| Found { kind, value, context: None }).collect()
    });
    print("plain regular expressions", &score, false)
}

fn print(name: &str, score: &Score, wrong: bool) -> Result<(), String> {
    println!("\n{name}\n{score}");
    if wrong {
        for line in &score.wrong {
            println!("{line}");
        }
    }
    Ok(())
}
