//! How well gangs get their names: `cargo run --release -p ringleader-pipeline --example names_score [SEEDS]`.
//!
//! Public lists are read from `RINGLEADER_SAMPLES`, else `../shared/data`; without them the shipped files alone are asked.

mod score;

use std::path::PathBuf;

use score::Score;

fn main() {
    let seeds = std::env::args().nth(1).and_then(|it| it.parse().ok()).unwrap_or(25);
    let folder = std::env::var_os("RINGLEADER_SAMPLES")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")), PathBuf::from);
    let lists = score::lists(&folder);
    let listed: usize = lists.values().map(|it| it.1.len()).sum();
    println!("{} public lists, {listed} facts of them; {seeds} seeds", lists.len());
    print(
        "shown in part: half of what is known is seen (what is asked is what is known)",
        &score::shown_in_part(seeds),
    );
    print("held back: half of what is shown was forgotten", &score::held_back(&lists, false, seeds));
    print("held back, of those with a public list", &score::held_back(&lists, true, seeds));
    print("unknown: taken away, or invented", &score::unknown(&lists, seeds));
}

fn print(what: &str, score: &Score) {
    println!("\n{what}");
    if score.named.1 > 0 {
        println!("  named rightly, first   {:.3}  ({} of {})", score.named.value(), score.named.0, score.named.1);
    }
    let kept = score.not_mistaken;
    println!("  not taken for another  {:.3}  ({} of {})", kept.value(), kept.0, kept.1);
    let mut missed: Vec<(&String, &usize)> = score.missed.iter().collect();
    missed.sort_by_key(|it| std::cmp::Reverse(*it.1));
    for (who, times) in missed.into_iter().take(20) {
        println!("    {times:>4}  {who}");
    }
}
