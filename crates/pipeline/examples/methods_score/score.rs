//! answers → precision, recall, share wrong, and how far confidence can be believed. Integers throughout.

use std::collections::BTreeMap;

use ringleader_pipeline::label::methods::Stage;

use super::cases::Expect;

#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) method: String,
    pub(super) permille: u16,
    pub(super) stage: Stage,
}

#[derive(Default)]
pub(super) struct Score {
    /// method → (payloads, right)
    recall: BTreeMap<String, (u32, u32)>,
    /// method → (answers, right)
    precision: BTreeMap<String, (u32, u32)>,
    /// bucket of confidence → (answers, right)
    buckets: BTreeMap<u16, (u32, u32)>,
    nothing: (u32, u32),
    /// (with a stage, right)
    stages: (u32, u32),
    attacks_claimed: u32,
    pub(super) missed: Vec<String>,
}

impl Score {
    /// `whole`: the payload still holds what shows the method; of others only a wrong answer counts.
    pub(super) fn add(&mut self, at: &str, expect: &Expect, stage: Option<Stage>, got: Option<Answer>, whole: bool) {
        let right = match (expect, &got) {
            (Expect::Method(expect), Some(got)) => *expect == got.method,
            (Expect::Nothing, None) => true,
            _ => false,
        };
        match expect {
            Expect::Method(expect) if whole || got.is_some() => {
                let of = self.recall.entry(expect.clone()).or_default();
                of.0 += 1;
                of.1 += u32::from(right);
            }
            Expect::Method(_) => return,
            Expect::Nothing => {
                self.nothing.0 += 1;
                self.nothing.1 += u32::from(right);
                self.attacks_claimed += u32::from(got.as_ref().is_some_and(|it| it.stage == Stage::Attacked));
            }
        }
        if let Some(got) = &got {
            let of = self.precision.entry(got.method.clone()).or_default();
            of.0 += 1;
            of.1 += u32::from(right);
            let of = self.buckets.entry(got.permille / 100 * 100).or_default();
            of.0 += 1;
            of.1 += u32::from(right);
            if let (Some(stage), true) = (stage, right) {
                self.stages.0 += 1;
                self.stages.1 += u32::from(stage == got.stage);
                if stage != got.stage {
                    self.missed.push(format!("{at}: {} rather than {}", got.stage.name(), stage.name()));
                }
            }
        }
        if !right {
            let got = got.map_or("nothing".to_owned(), |it| format!("WRONG {} {}", it.method, it.permille));
            self.missed.push(format!("{at}: {got}"));
        }
    }

    fn macro_permille(by: &BTreeMap<String, (u32, u32)>) -> u32 {
        let sum: u32 = by.values().map(|(all, right)| right * 1000 / (*all).max(1)).sum();
        sum / u32::try_from(by.len().max(1)).unwrap_or(1)
    }

    fn answers(&self) -> (u32, u32) {
        self.precision.values().fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1))
    }

    pub(super) fn is_below(&self, recall: u32, wrong: u32) -> bool {
        let (answers, right) = self.answers();
        !self.recall.is_empty() && Self::macro_permille(&self.recall) < recall
            || (answers - right) * 1000 > wrong * answers.max(1)
    }

    pub(super) fn line(&self) -> String {
        let (answers, right) = self.answers();
        let payloads: u32 = self.recall.values().map(|it| it.0).sum();
        let mut out = String::new();
        if payloads > 0 {
            out += &format!(
                "{} methods, {payloads} payloads: top-1 macro recall {}, precision {}; ",
                self.recall.len(),
                permille(Self::macro_permille(&self.recall)),
                permille(Self::macro_permille(&self.precision)),
            );
        }
        out += &format!("{answers} answers, wrong {}", share(answers - right, answers));
        if self.nothing.0 > 0 {
            let (all, quiet) = self.nothing;
            out += &format!("; {all} to leave alone: {} named, {} as attacks", all - quiet, self.attacks_claimed);
        }
        if self.stages.0 > 0 {
            out += &format!("; stage right {}", share(self.stages.1, self.stages.0));
        }
        out
    }

    /// (from permille, answers, right)
    pub(super) fn calibration(&self) -> impl Iterator<Item = (u16, u32, u32)> {
        self.buckets.iter().map(|(from, (answers, right))| (*from, *answers, *right))
    }
}

pub(super) fn share(part: u32, of: u32) -> String {
    (part * 1000).checked_div(of).map_or_else(|| "-".to_owned(), permille)
}

fn permille(it: u32) -> String {
    format!("{}.{:03}", it / 1000, it % 1000)
}
