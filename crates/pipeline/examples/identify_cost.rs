//! What `identify` costs per ordinary request and per exploit, in nanoseconds:
//! `cargo run --release -p ringleader-pipeline --example identify_cost`

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use ringleader_pipeline::label::methods::{Methods, normalize};

fn main() {
    let started = Instant::now();
    let methods = Methods::builtin();
    println!("builtin(): {} methods in {:?}", methods.all().len(), started.elapsed());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/methods");
    let (mut ordinary, mut hostile) = (Vec::new(), Vec::new());
    for folder in std::fs::read_dir(root).expect("the fixtures are there") {
        let folder = folder.expect("a folder").path();
        let kind = if folder.ends_with("benign") { &mut ordinary } else { &mut hostile };
        for file in std::fs::read_dir(&folder).expect("a folder") {
            let text = std::fs::read(file.expect("a file").path()).expect("a file");
            kind.push(String::from_utf8_lossy(&text).into_owned());
        }
    }
    let lines: Vec<String> = ordinary.iter().map(|it| it.lines().next().unwrap_or("").to_owned()).collect();
    for (name, texts) in
        [("ordinary request line", lines), ("ordinary request, headers and body", ordinary), ("exploit", hostile)]
    {
        let bytes: usize = texts.iter().map(String::len).sum();
        // The best of many short rounds: a busy machine only ever adds to it.
        let timed = |work: &dyn Fn(&str) -> usize| {
            let round = || {
                let started = Instant::now();
                for text in &texts {
                    black_box(work(black_box(text)));
                }
                started.elapsed().as_nanos()
            };
            (0..2000).map(|_| round()).min().unwrap_or(0) / texts.len() as u128
        };
        let identify = timed(&|text| methods.identify(text).len());
        let normalized = timed(&|text| normalize(text).len());
        println!(
            "{name}: {identify} ns (of it normalize {normalized} ns), {} bytes on average, {} texts",
            bytes / texts.len(),
            texts.len()
        );
    }
}
