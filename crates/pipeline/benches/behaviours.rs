//! Cost of the behaviours, per process and per tree node: `cargo bench -p ringleader-pipeline --bench behaviours`.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::path::Path;

use ringleader_pipeline::label::{Behaviours, Node, ProcessView, Tree};

type Line = (Option<String>, Option<String>);

/// Seconds on the processor, so that what else runs on the machine does not count.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|it| it.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e9
}

/// Image and command line of every fixture below a folder.
fn read(path: &Path, out: &mut Vec<Line>) {
    if path.is_dir() {
        let mut files: Vec<_> = std::fs::read_dir(path).unwrap().map(|it| it.unwrap().path()).collect();
        files.sort();
        files.iter().for_each(|file| read(file, out));
    } else if path.extension().is_some_and(|it| it == "ndjson") {
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |of: &serde_json::Value, name: &str| of[name].as_str().map(str::to_owned);
            let several = value["processes"].as_array().into_iter().flatten();
            for it in std::iter::once(&value).chain(several).filter(|it| it["cmd_line"].is_string()) {
                out.push((text(it, "file_path"), text(it, "cmd_line")));
            }
        }
    }
}

fn measure(what: &str, behaviours: &Behaviours, lines: &[Line]) {
    let views: Vec<_> = lines
        .iter()
        .map(|(image, line)| ProcessView {
            file_path: image.as_deref(),
            cmd_line: line.as_deref(),
            parent_file_path: Some("/bin/bash"),
            parent_cmd_line: Some("-bash"),
            windows: image.as_deref().is_some_and(|it| it.contains('\\')),
            ..ProcessView::default()
        })
        .collect();
    let rounds = 200_000 / views.len().max(1);
    let start = cpu_seconds();
    let seen: usize =
        (0..rounds).map(|_| views.iter().map(|it| black_box(behaviours.of_process(it)).len()).sum::<usize>()).sum();
    let rate = (rounds * views.len()) as f64 / (cpu_seconds() - start);
    println!("{what}: {rate:.0} processes/s ({} distinct, {} matches a round)", views.len(), seen / rounds.max(1));

    let node = |index: usize, line: &'_ Line| -> (Option<usize>, Option<String>, Option<String>) {
        ((index > 0).then(|| (index - 1) / 4), line.0.clone(), line.1.clone())
    };
    let owned: Vec<_> = lines.iter().enumerate().map(|(index, line)| node(index, line)).collect();
    let nodes = owned.iter().map(|(parent, image, line)| Node {
        parent: *parent,
        file_path: image.as_deref(),
        cmd_line: line.as_deref(),
        ..Node::default()
    });
    let tree = Tree { nodes: nodes.collect() };
    let start = cpu_seconds();
    for _ in 0..rounds {
        black_box(behaviours.of_tree(&tree));
    }
    let rate = (rounds * lines.len()) as f64 / (cpu_seconds() - start);
    println!("{what}: {rate:.0} tree nodes/s");
}

fn main() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/label");
    let start = cpu_seconds();
    let behaviours = Behaviours::built_in();
    println!("{} behaviours compiled in {:.3} s", behaviours.all().len(), cpu_seconds() - start);
    let mut benign = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(&fixtures).unwrap().map(|it| it.unwrap().path()).collect();
    files.retain(|it| it.file_name().is_some_and(|it| it.to_string_lossy().starts_with("benign")));
    files.sort();
    files.iter().for_each(|it| read(it, &mut benign));
    measure("benign", &behaviours, &benign);
    let mut all = Vec::new();
    read(&fixtures, &mut all);
    measure("all fixtures", &behaviours, &all);
}
