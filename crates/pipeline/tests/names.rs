//! Simulated gangs get their names, unknown ones none, as the example `names_score` measures: the figures of `docs/gangs.md` hold.

#[path = "../examples/names_score/score.rs"]
mod score;

use std::path::PathBuf;

fn samples() -> PathBuf {
    std::env::var_os("RINGLEADER_SAMPLES")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")), PathBuf::from)
}

#[test]
fn a_gang_that_shows_half_of_what_is_known_is_named() {
    let score = score::shown_in_part(5);
    assert!(score.named.value() >= 0.95, "{score:#?}");
    assert!(score.not_mistaken.value() >= 0.99, "{score:#?}");
}

#[test]
fn an_unknown_gang_is_not_named() {
    let score = score::unknown(&score::lists(&samples()), 3);
    assert!(score.not_mistaken.value() >= 0.98, "{score:#?}");
}

#[test]
fn a_gang_is_named_though_half_of_its_facts_were_held_back() {
    let lists = score::lists(&samples());
    if lists.is_empty() {
        println!("skipped: no samples");
        return;
    }
    let score = score::held_back(&lists, true, 5);
    assert!(score.named.value() >= 0.95, "{score:#?}");
    assert!(score.not_mistaken.value() >= 0.98, "{score:#?}");
}
