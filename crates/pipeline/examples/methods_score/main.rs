//! Labelled payloads → how well attack methods are told, as written and varied, beside a plain search for their paths.
//!
//! ```text
//! cargo run --release -p ringleader-pipeline --example methods_score -- [--wrong] [--methods DIR] [FILE...]
//! ```
//!
//! `FILE`: the files of `fixtures/methods_score` unless named. `--wrong`: every payload that was answered wrongly or
//! not at all. `--methods`: files that replace or add to the shipped knowledge.

mod baseline;
mod cases;
mod mutate;
mod score;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use cases::{Case, Expect};
use ringleader_pipeline::label::methods::{Methods, payload_of_line};
use score::{Answer, Score};

const FILES: &[&str] = &["tuned.txt", "held_out.txt", "other_exploits.txt", "ordinary.txt"];

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
    let (mut wrong, mut files, mut own) = (false, Vec::new(), Vec::new());
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--wrong" => wrong = true,
            "--methods" => own = folder(&args.next().ok_or("--methods needs a folder")?)?,
            _ => files.push(arg),
        }
    }
    if files.is_empty() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/methods_score");
        files = FILES.iter().map(|it| format!("{root}/{it}")).collect();
    }
    let methods = Methods::with_files(&own);
    for problem in &methods.problems {
        eprintln!("{}: {}", problem.source, problem.what);
    }
    let methods = methods.value;
    let plain = baseline::Plain::new(&methods);
    let mut whole = Whole::default();
    for file in &files {
        let text = std::fs::read_to_string(file).map_err(|it| format!("{file}: {it}"))?;
        let cases = cases::read(&text).map_err(|it| format!("{file}: {it}"))?;
        let name = Path::new(file).file_stem().map_or(file.as_str().into(), |it| it.to_string_lossy());
        whole.file(&name, &cases, &methods, &plain, wrong);
    }
    whole.print();
    Ok(())
}

fn folder(path: &str) -> Result<Vec<(String, String)>, String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|it| format!("{path}: {it}"))? {
        let file = entry.map_err(|it| format!("{path}: {it}"))?.path();
        if file.extension().is_some_and(|it| it == "yml") {
            let text = std::fs::read_to_string(&file).map_err(|it| format!("{}: {it}", file.display()))?;
            files.push((file.display().to_string(), text));
        }
    }
    files.sort();
    Ok(files)
}

#[derive(Default)]
struct Whole {
    all: Score,
    all_plain: Score,
    lines: usize,
    nanos: u128,
}

impl Whole {
    fn file(&mut self, name: &str, cases: &[Case], methods: &Methods, plain: &baseline::Plain, wrong: bool) {
        let answer = |text: &str| {
            let payload = payload_of_line(text);
            methods.identify(&payload).first().map(|it| Answer {
                method: methods.get(it.method).id.clone(),
                permille: it.confidence_permille,
                stage: it.stage,
            })
        };
        let (mut written, mut varied, mut by_kind) = (Score::default(), Score::default(), Vec::new());
        let (mut plain_written, mut plain_varied) = (Score::default(), Score::default());
        for case in cases {
            let text = case.text(0);
            let started = Instant::now();
            let found = answer(&text);
            self.nanos += started.elapsed().as_nanos();
            self.lines += 1;
            written.add(&case.at, &case.expect, case.stage, found.clone(), true);
            self.all.add(&case.at, &case.expect, case.stage, found, true);
            let found = plain.identify(&text);
            plain_written.add(&case.at, &case.expect, case.stage, found.clone(), true);
            self.all_plain.add(&case.at, &case.expect, case.stage, found, true);
            for it in mutate::all(case) {
                let at = format!("{} {}", case.at, it.kind);
                let expect = Expect::clone(&case.expect);
                let found = answer(&it.text);
                varied.add(&at, &expect, None, found.clone(), it.whole);
                kind(&mut by_kind, it.kind).add(&at, &expect, None, found.clone(), it.whole);
                self.all.add(&at, &expect, None, found, it.whole);
                let found = plain.identify(&it.text);
                plain_varied.add(&at, &expect, None, found.clone(), it.whole);
                self.all_plain.add(&at, &expect, None, found, it.whole);
            }
        }
        println!("{name}");
        println!("  as written     {}", written.line());
        println!("  varied         {}", varied.line());
        println!("  plain, written {}", plain_written.line());
        println!("  plain, varied  {}", plain_varied.line());
        if by_kind.iter().any(|(_, it): &(&str, Score)| it.is_below(950, 20)) {
            for (kind, score) in by_kind.iter().filter(|(_, it)| it.is_below(950, 20)) {
                println!("    {kind:<24} {}", score.line());
            }
        }
        if wrong {
            for it in written.missed.iter().chain(&varied.missed) {
                println!("    {it}");
            }
        }
    }

    fn print(&self) {
        println!("all            {}", self.all.line());
        println!("all, plain     {}", self.all_plain.line());
        println!("confidence, answers, share right");
        for (from, answers, right) in self.all.calibration() {
            println!("  {from:>4}..{:<4} {answers:>6}  {}", from + 99, score::share(right, answers));
        }
        if self.lines > 0 {
            println!("{} ns for a payload", self.nanos / self.lines as u128);
        }
    }
}

fn kind<'a>(all: &'a mut Vec<(&'static str, Score)>, kind: &'static str) -> &'a mut Score {
    let at = all.iter().position(|it| it.0 == kind).unwrap_or_else(|| {
        all.push((kind, Score::default()));
        all.len() - 1
    });
    &mut all[at].1
}
