//! Labelled lines and what was found in them → precision and recall. Deliberately absent: finding anything.
//!
//! Shared with the test that holds the figures.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ringleader_model::Indicator;
use ringleader_pipeline::extract::Extractor;
use serde::Deserialize;

/// A line of the labelled file.
#[derive(Deserialize)]
pub(crate) struct Line {
    /// What the line is there for.
    pub(crate) about: String,
    /// It holds what looks like an indicator and is none.
    pub(crate) trap: bool,
    pub(crate) text: String,
    /// `[kind, value]`, or `[kind, value, context]` where the context is part of the answer.
    pub(crate) expect: Vec<Vec<String>>,
}

#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) kind: String,
    pub(crate) value: String,
    pub(crate) context: Option<String>,
}

#[derive(Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) right: usize,
    pub(crate) wrong: usize,
    pub(crate) missed: usize,
}

impl Counts {
    fn add(&mut self, want: &BTreeSet<Key>, got: &BTreeSet<Key>) {
        self.right += want.intersection(got).count();
        self.wrong += got.difference(want).count();
        self.missed += want.difference(got).count();
    }
    pub(crate) fn precision(self) -> f64 {
        share(self.right, self.wrong)
    }
    pub(crate) fn recall(self) -> f64 {
        share(self.right, self.missed)
    }
}

/// 1 where there is nothing to divide by: nothing was said, so nothing was wrong.
fn share(right: usize, other: usize) -> f64 {
    if right + other == 0 { 1.0 } else { right as f64 / (right + other) as f64 }
}

type Key = (String, String);

#[derive(Default)]
pub(crate) struct Score {
    /// Every kind.
    pub(crate) all: Counts,
    /// Domains and addresses: the host of a URL is listed as one of them.
    pub(crate) hosts: Counts,
    pub(crate) kinds: BTreeMap<String, Counts>,
    pub(crate) topics: BTreeMap<String, Counts>,
    /// Of the indicators that were found and whose context is labelled: how many have it.
    pub(crate) contexts: (usize, usize),
    /// Lines without any fault.
    pub(crate) clean: usize,
    pub(crate) lines: usize,
    pub(crate) wrong: Vec<String>,
}

impl Score {
    pub(crate) fn of(lines: &[Line], mut find: impl FnMut(usize, &str) -> Vec<Found>) -> Self {
        let mut score = Self { lines: lines.len(), ..Self::default() };
        for (number, line) in (1..).zip(lines) {
            let found = find(number, &line.text);
            score.line(number, line, &found);
        }
        score
    }

    fn line(&mut self, number: usize, line: &Line, found: &[Found]) {
        let want: BTreeSet<Key> = line.expect.iter().map(|it| (it[0].clone(), it[1].clone())).collect();
        let got: BTreeSet<Key> = found.iter().map(|it| (it.kind.clone(), it.value.clone())).collect();
        self.all.add(&want, &got);
        self.topics.entry(line.about.clone()).or_default().add(&want, &got);
        let hosts = |set: &BTreeSet<Key>| {
            set.iter().filter(|it| matches!(it.0.as_str(), "ip" | "domain")).cloned().collect::<BTreeSet<_>>()
        };
        self.hosts.add(&hosts(&want), &hosts(&got));
        let kinds: BTreeSet<&String> = want.iter().chain(&got).map(|it| &it.0).collect();
        for kind in kinds {
            let of = |set: &BTreeSet<Key>| set.iter().filter(|it| &it.0 == kind).cloned().collect::<BTreeSet<_>>();
            self.kinds.entry(kind.clone()).or_default().add(&of(&want), &of(&got));
        }
        let mut contexts = Vec::new();
        for label in line.expect.iter().filter(|it| it.len() > 2) {
            let same: Vec<_> = found.iter().filter(|it| it.kind == label[0] && it.value == label[1]).collect();
            if same.is_empty() || same.iter().all(|it| it.context.is_none()) {
                continue;
            }
            self.contexts.1 += 1;
            if same.iter().any(|it| it.context.as_deref() == Some(&label[2])) {
                self.contexts.0 += 1;
            } else {
                contexts.push(format!("{}:{} is {}", label[0], label[1], label[2]));
            }
        }
        self.clean += usize::from(want == got);
        if want != got || !contexts.is_empty() {
            let list = |name: &str, items: Vec<String>| match items.is_empty() {
                true => String::new(),
                false => format!("\n    {name}: {}", items.join(" ; ")),
            };
            let joined = |keys: Vec<&Key>| keys.iter().map(|it| format!("{}:{}", it.0, it.1)).collect();
            self.wrong.push(format!(
                "{number} ({}) {:?}{}{}{}",
                line.about,
                line.text,
                list("missed", joined(want.difference(&got).collect())),
                list("not there", joined(got.difference(&want).collect())),
                list("context", contexts)
            ));
        }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |f: &mut fmt::Formatter<'_>, name: &str, it: &Counts| {
            writeln!(
                f,
                "{name:<16} precision {:.4}  recall {:.4}  right {:>4}  wrong {:>3}  missed {:>3}",
                it.precision(),
                it.recall(),
                it.right,
                it.wrong,
                it.missed
            )
        };
        row(f, "hosts", &self.hosts)?;
        row(f, "all kinds", &self.all)?;
        for (kind, counts) in &self.kinds {
            row(f, &format!("  {kind}"), counts)?;
        }
        for (topic, counts) in &self.topics {
            row(f, &format!("  of {topic}"), counts)?;
        }
        if self.contexts.1 > 0 {
            writeln!(f, "contexts         {} of {} as labelled", self.contexts.0, self.contexts.1)?;
        }
        write!(f, "lines            {} of {} without a fault", self.clean, self.lines)
    }
}

pub(crate) fn lines(text: &str) -> Result<Vec<Line>, String> {
    (1..)
        .zip(text.lines())
        .map(|(number, row)| {
            let line: Line = serde_json::from_str(row).map_err(|it| format!("line {number}: {it}"))?;
            match line.expect.iter().all(|it| (2..=3).contains(&it.len())) {
                true => Ok(line),
                false => Err(format!("line {number}: an indicator is [kind, value] or [kind, value, context]")),
            }
        })
        .collect()
}

pub(crate) fn of_extractor(lines: &[Line], extractor: &Extractor) -> Score {
    let mut out: Vec<Indicator> = Vec::new();
    Score::of(lines, |_, text| {
        extractor.extract(text, &mut out);
        out.iter()
            .map(|it| Found {
                kind: it.kind.name().to_owned(),
                value: it.value.clone(),
                context: Some(it.context.name().to_owned()),
            })
            .collect()
    })
}

/// What `ringleader extract`, or a program that prints the same form, found: by line.
#[allow(dead_code)] // the test has no other program
pub(crate) fn found_elsewhere(text: &str) -> Result<BTreeMap<usize, Vec<Found>>, String> {
    #[derive(Deserialize)]
    struct Row {
        line: usize,
        indicators: Vec<Item>,
    }
    #[derive(Deserialize)]
    struct Item {
        kind: String,
        value: String,
        context: Option<String>,
    }
    let mut found = BTreeMap::new();
    for (number, row) in (1..).zip(text.lines()) {
        let row: Row = serde_json::from_str(row).map_err(|it| format!("line {number}: {it}"))?;
        let items = row
            .indicators
            .into_iter()
            .map(|it| Found { kind: it.kind, value: it.value, context: it.context })
            .collect();
        found.insert(row.line, items);
    }
    Ok(found)
}
