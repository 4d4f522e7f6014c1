//! Labelled lines, scored as the example `indicators_score` does: the figures of `docs/indicators.md` hold.

#[path = "../examples/indicators_score/score.rs"]
mod score;

use ringleader_pipeline::extract::Extractor;
use score::Score;

fn scored(file: &str, least: usize) -> Score {
    let path = format!("{}/../../fixtures/indicators/{file}", env!("CARGO_MANIFEST_DIR"));
    let lines = score::lines(&std::fs::read_to_string(path).expect("the fixture")).expect("labelled lines");
    assert!(lines.len() >= least);
    let traps = lines.iter().filter(|it| it.trap).count();
    assert!(traps * 100 >= lines.len() * 45, "{traps} traps");
    let mut texts: Vec<&str> = lines.iter().map(|it| it.text.as_str()).collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), lines.len(), "each line once");
    score::of_extractor(&lines, &Extractor::new())
}

fn check(file: &str, least: usize) {
    let score = scored(file, least);
    let told = format!("{score}\n{}", score.wrong.join("\n"));
    assert!(score.hosts.precision() >= 0.995 && score.hosts.recall() >= 0.99, "{told}");
    assert!(score.all.precision() >= 0.985 && score.all.recall() >= 0.985, "{told}");
    assert!(score.contexts.0 * 100 >= score.contexts.1 * 98, "{told}");
}

#[test]
fn labelled_lines_are_read_as_an_analyst_reads_them() {
    check("labelled.ndjson", 600);
}
