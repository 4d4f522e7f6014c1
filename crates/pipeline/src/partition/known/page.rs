//! known gangs → the page of the documentation.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Known;

const HEAD: &str = "# Known gangs and families

Whom `known_as` may name, from public reports. One file each in `knowledge/gangs/`; this page is made from them
(`RINGLEADER_BLESS=1 cargo test -p ringleader-pipeline --lib known` writes it anew).

A gang is a group that acts; a family is a kit that several groups may run. A name is *suggested*, with a likelihood and the facts
that speak for it. It takes two kinds of facts (servers, parts of URLs, files, commands …), three servers, or one that is its
owner's alone (a wallet, a key, a file that nobody else is known to use). An address or a domain that had expired counts less, a fact
that several are known by is divided among them, what a bot kills says nothing of it, and where two gangs are meant nearly as
much, neither is named. Known infrastructure has been re-rented or seized since: these lists are evidence, no blocklist.

How well it works is measured on simulated gangs, by `cargo run --release -p ringleader-pipeline --example names_score`; a test holds
these figures. A gang that shows a random half of what its file says, among common names, killed rivals and other gangs'
servers, is named first in 95 of 100 cases; that asks what is known, so it is the easy question. Where a random half of every gang's
facts was forgotten, those of its file and those of a public list together, and the gang shows both halves, it is named in 95 of 100,
of those that a public list is about. Another's name is given to 2 of 100 at most, and to as few of those that nobody knows: taken
away from the knowledge, or invented. Simulated gangs draw their facts as if one were as likely as the other, which real ones don't.

";

pub(super) fn markdown(known: &[Known]) -> String {
    let mut out = HEAD.to_owned();
    out.push_str("| id | name | other names | kind | since | platforms |\n|---|---|---|---|---|---|\n");
    for it in known {
        let _ = writeln!(
            out,
            "| [`{0}`](#{0}) | {1} | {2} | {3} | {4} | {5} |",
            it.id,
            it.name,
            it.names.join(", "),
            it.kind.name(),
            it.since,
            it.platforms.join(", ")
        );
    }
    for it in known {
        let _ = writeln!(out, "\n## {}\n", it.id);
        let _ = write!(out, "{}", it.name);
        if !it.names.is_empty() {
            let _ = write!(out, " ({})", it.names.join(", "));
        }
        let _ = writeln!(out, ", a {} first told of in {}.\n", it.kind.name(), it.since);
        it.habits.iter().for_each(|habit| {
            let _ = writeln!(out, "- {habit}");
        });
        for (what, ids) in [("Ways in", &it.methods), ("Behaviours", &it.behaviours), ("Runs", &it.runs)] {
            if !ids.is_empty() {
                let ids: Vec<String> = ids.iter().map(|it| format!("`{it}`")).collect();
                let _ = writeln!(out, "- {what}: {}", ids.join(", "));
            }
        }
        // How many of each; the values stand in the file.
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        it.facts.iter().for_each(|it| *counts.entry(it.kind.name()).or_default() += 1);
        let counts: Vec<String> = counts.iter().map(|(what, n)| format!("{} {n}", what.replace('_', " "))).collect();
        let _ = writeln!(out, "- Facts: {}", counts.join(", "));
        for it in &it.references {
            let _ = writeln!(out, "- Source: *{}*, {}, {}", it.title, it.publisher, it.year);
        }
    }
    out
}
