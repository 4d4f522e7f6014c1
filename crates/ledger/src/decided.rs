//! decisions, oldest first → what holds now, or why they contradict each other. Deliberately absent: the clock (entries
//! of the allow-list carry their end), and whether a gang exists.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::Timestamp;

use crate::decision::{Allowable, CampaignRef, Decision, What, refused};
use crate::error::Result;

/// What holds once every decision was taken, and some taken back. The number beside a thing is the decision that says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decided {
    pub names: BTreeMap<String, (String, i64)>,
    /// Former names are aliases too.
    pub aliases: BTreeMap<String, Vec<(String, i64)>>,
    /// gang → the one that took it in
    pub merged: BTreeMap<String, (String, i64)>,
    pub splits: Vec<Split>,
    pub dismissed: BTreeMap<String, i64>,
    /// (gang, method)
    pub confirmed: BTreeMap<(String, String), i64>,
    pub allowed: Vec<Allowed>,
    pub cases: BTreeMap<i64, Case>,
    /// decision → the one that took it back
    pub undone: BTreeMap<i64, i64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    pub gang: String,
    pub new_gang: String,
    pub campaigns: Vec<CampaignRef>,
    pub seq: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    pub what: Allowable,
    pub value: String,
    pub until: Timestamp,
    pub why: String,
    pub seq: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    pub title: String,
    pub gangs: Vec<String>,
    pub hosts: Vec<String>,
    pub opened: Timestamp,
    pub by: String,
    /// When, who, what.
    pub notes: Vec<(Timestamp, String, String)>,
    /// The outcome, and the decision.
    pub closed: Option<(String, i64)>,
}

impl Decided {
    /// Every decision in force, in order. One that contradicts an earlier one ends it: that one's number stands in the
    /// error's text.
    pub fn of(decisions: &[Decision]) -> Result<Self> {
        let undone = undone(decisions);
        let mut it = Self { undone, ..Self::default() };
        for decision in decisions {
            if !it.undone.contains_key(&decision.seq) {
                it.take(decision)?;
            }
        }
        Ok(it)
    }

    /// Takes one more, or says what stands against it.
    fn take(&mut self, decision: &Decision) -> Result<()> {
        let seq = decision.seq;
        match &decision.what {
            What::NameGang { gang, name } => {
                self.is_free(gang)?;
                self.is_unused(name, gang)?;
                if let Some((old, by)) = self.names.insert(gang.clone(), (name.clone(), seq))
                    && old != *name
                {
                    self.aliases.entry(gang.clone()).or_default().push((old, by));
                }
            }
            What::AliasGang { gang, alias } => {
                self.is_free(gang)?;
                self.is_unused(alias, gang)?;
                self.aliases.entry(gang.clone()).or_default().push((alias.clone(), seq));
            }
            What::MergeGangs { into, gangs } => {
                self.is_free(into)?;
                for gang in gangs {
                    if gang == into {
                        return Err(refused(format!("{} cannot take in itself", short(gang))));
                    }
                    self.is_free(gang)?;
                    if let Some(split) = self.splits.iter().find(|it| {
                        (it.gang == *gang && it.new_gang == *into) || (it.gang == *into && it.new_gang == *gang)
                    }) {
                        return Err(refused(format!(
                            "decision {} cut these two apart: take it back first (`ringleader gang undo {}`)",
                            split.seq, split.seq
                        )));
                    }
                    self.merged.insert(gang.clone(), (into.clone(), seq));
                }
            }
            What::SplitGang { gang, new_gang, campaigns } => {
                self.is_free(gang)?;
                for it in campaigns {
                    let cut = self.splits.iter().find(|split| {
                        split.gang == *gang && split.campaigns.iter().any(|other| other.campaign == it.campaign)
                    });
                    if let Some(split) = cut {
                        return Err(refused(format!(
                            "campaign {} was already cut out of {} by decision {}",
                            short(&it.campaign),
                            short(gang),
                            split.seq
                        )));
                    }
                }
                self.splits.push(Split {
                    gang: gang.clone(),
                    new_gang: new_gang.clone(),
                    campaigns: campaigns.clone(),
                    seq,
                });
            }
            What::DismissGang { gang } => {
                self.is_free(gang)?;
                self.dismissed.insert(gang.clone(), seq);
            }
            What::ConfirmMethod { gang, method } => {
                self.is_free(gang)?;
                self.confirmed.insert((gang.clone(), method.clone()), seq);
            }
            What::Allow { what, value, until } => {
                let now = decision.at;
                if *until <= now {
                    return Err(refused(format!("{until} has passed: nothing would be allowed")));
                }
                let standing = self.allowed.iter().find(|it| it.what == *what && it.value == *value && it.until > now);
                if let Some(it) = standing {
                    return Err(refused(format!(
                        "{} {value} is already allowed until {} by decision {}: take it back first (`ringleader allow remove {}`)",
                        what.name(),
                        it.until,
                        it.seq,
                        it.seq
                    )));
                }
                self.allowed.push(Allowed {
                    what: *what,
                    value: value.clone(),
                    until: *until,
                    why: decision.why.clone(),
                    seq,
                });
            }
            What::OpenCase { title, gangs, hosts } => {
                let case = Case {
                    title: title.clone(),
                    gangs: gangs.clone(),
                    hosts: hosts.clone(),
                    opened: decision.at,
                    by: decision.who.clone(),
                    notes: Vec::new(),
                    closed: None,
                };
                self.cases.insert(seq, case);
            }
            What::NoteCase { case, text } => {
                self.open_case(*case)?.notes.push((decision.at, decision.who.clone(), text.clone()));
            }
            What::CloseCase { case, outcome } => self.open_case(*case)?.closed = Some((outcome.clone(), seq)),
            // `undone` has seen to it.
            What::Undo { .. } => {}
        }
        Ok(())
    }

    /// Neither taken in by another gang nor dismissed.
    fn is_free(&self, gang: &str) -> Result<()> {
        if let Some((into, by)) = self.merged.get(gang) {
            return Err(refused(format!(
                "{} was taken in by {} in decision {by}: take that back first (`ringleader gang undo {by}`), or speak of {}",
                short(gang),
                short(into),
                short(into)
            )));
        }
        if let Some(by) = self.dismissed.get(gang) {
            return Err(refused(format!(
                "{} was dismissed by decision {by}: take that back first (`ringleader gang undo {by}`)",
                short(gang)
            )));
        }
        Ok(())
    }

    fn is_unused(&self, name: &str, gang: &str) -> Result<()> {
        let same = |it: &str| it.to_lowercase() == name.to_lowercase();
        let named = self.names.iter().find(|(id, it)| *id != gang && same(&it.0)).map(|it| (it.0, it.1.1));
        let aliased = self.aliases.iter().filter(|it| it.0 != gang);
        let aliased = aliased.flat_map(|(id, all)| all.iter().map(move |it| (id, it)));
        let aliased = aliased.filter(|it| same(&it.1.0)).map(|it| (it.0, it.1.1)).next();
        match named.or(aliased) {
            Some((other, by)) => Err(refused(format!(
                "{} is already called {name}, by decision {by}: choose another name, or merge the two",
                short(other)
            ))),
            None => Ok(()),
        }
    }

    fn open_case(&mut self, case: i64) -> Result<&mut Case> {
        let Some(it) = self.cases.get_mut(&case) else { return Err(refused(format!("there is no case {case}"))) };
        if let Some((_, by)) = &it.closed {
            return Err(refused(format!(
                "case {case} was closed by decision {by}: take that back to go on (`ringleader gang undo {by}`)"
            )));
        }
        Ok(it)
    }

    /// Through merges to the gang that stands for it. Bounded: a gang that was taken in takes in none.
    pub fn standing<'a>(&'a self, gang: &'a str) -> &'a str {
        let mut at = gang;
        let mut seen = BTreeSet::new();
        while let Some((into, _)) = self.merged.get(at)
            && seen.insert(at)
        {
            at = into;
        }
        at
    }

    pub fn name(&self, gang: &str) -> Option<&str> {
        self.names.get(gang).map(|it| it.0.as_str())
    }

    /// Entries of the allow-list in force at that time.
    pub fn allowed_at(&self, now: Timestamp) -> impl Iterator<Item = &Allowed> {
        self.allowed.iter().filter(move |it| it.until > now)
    }
}

/// What is taken back, unless that is taken back itself. An undo always comes later than what it speaks of.
fn undone(decisions: &[Decision]) -> BTreeMap<i64, i64> {
    let mut undone = BTreeMap::new();
    for decision in decisions.iter().rev() {
        if let What::Undo { decision: target } = decision.what
            && !undone.contains_key(&decision.seq)
        {
            undone.insert(target, decision.seq);
        }
    }
    undone
}

/// What `next` would mean: an error where it contradicts what holds, or where something that holds rests on what it
/// takes back.
pub(crate) fn admit(decisions: &[Decision], next: &Decision) -> Result<()> {
    next.what.check()?;
    if let What::Undo { decision: target } = next.what {
        if !decisions.iter().any(|it| it.seq == target) {
            return Err(refused(format!("there is no decision {target}")));
        }
        let before = undone(decisions);
        if let Some(by) = before.get(&target) {
            return Err(refused(format!("decision {target} was already taken back, by decision {by}")));
        }
        let all: Vec<Decision> = decisions.iter().chain([next]).cloned().collect();
        // Whoever no longer stands is who rested on it.
        let after = undone(&all);
        let mut it = Decided { undone: after, ..Decided::default() };
        for decision in &all {
            if it.undone.contains_key(&decision.seq) {
                continue;
            }
            if let Err(error) = rests_on(decisions, decision, target).and_then(|()| it.take(decision)) {
                if decision.seq == next.seq {
                    return Err(error);
                }
                return Err(refused(format!(
                    "decision {} ({}) rests on decision {target}: take that back first",
                    decision.seq,
                    decision.what.told()
                )));
            }
        }
        return Ok(());
    }
    let mut it = Decided::of(decisions)?;
    it.take(next)
}

/// A gang that was cut out exists only as long as that holds.
fn rests_on(decisions: &[Decision], decision: &Decision, target: i64) -> Result<()> {
    let made = decisions.iter().find(|it| it.seq == target).and_then(|it| match &it.what {
        What::SplitGang { new_gang, .. } => Some(new_gang),
        _ => None,
    });
    let Some(made) = made.filter(|_| decision.seq != target) else { return Ok(()) };
    let speaks = match &decision.what {
        What::NameGang { gang, .. }
        | What::AliasGang { gang, .. }
        | What::SplitGang { gang, .. }
        | What::DismissGang { gang }
        | What::ConfirmMethod { gang, .. } => gang == made,
        What::MergeGangs { into, gangs } => into == made || gangs.contains(made),
        What::OpenCase { gangs, .. } => gangs.contains(made),
        _ => false,
    };
    if speaks { Err(refused("it speaks of what would be gone")) } else { Ok(()) }
}

fn short(id: &str) -> String {
    id.chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(it: &str) -> String {
        it.to_owned()
    }

    /// Takes them one after another; of the last, what stands against it.
    fn told(all: Vec<What>) -> Option<String> {
        let mut taken: Vec<Decision> = Vec::new();
        let count = all.len();
        for (n, what) in all.into_iter().enumerate() {
            let seq = taken.len() as i64 + 1;
            let decision = Decision {
                seq,
                decision_id: seq.to_string(),
                at: Timestamp::from_secs(seq),
                who: text("ann"),
                why: text("because"),
                what,
            };
            match admit(&taken, &decision) {
                Ok(()) => taken.push(decision),
                Err(error) if n + 1 == count => return Some(error.to_string()),
                Err(error) => panic!("{error}"),
            }
        }
        Decided::of(&taken).unwrap();
        None
    }

    fn name(gang: &str, name: &str) -> What {
        What::NameGang { gang: text(gang), name: text(name) }
    }
    fn merge(into: &str, gang: &str) -> What {
        What::MergeGangs { into: text(into), gangs: vec![text(gang)] }
    }
    fn dismiss(gang: &str) -> What {
        What::DismissGang { gang: text(gang) }
    }
    fn undo(decision: i64) -> What {
        What::Undo { decision }
    }
    fn split(gang: &str, new_gang: &str, campaign: &str) -> What {
        let campaigns = vec![CampaignRef { campaign: text(campaign), signature: Vec::new() }];
        What::SplitGang { gang: text(gang), new_gang: text(new_gang), campaigns }
    }
    fn allow(until: i64) -> What {
        let until = Timestamp::from_secs(until);
        What::Allow { what: Allowable::Indicator, value: text("192.0.2.1"), until }
    }

    #[test]
    fn what_contradicts_is_told_with_the_decision_that_it_contradicts() {
        let check = |all: Vec<What>, part: &str| {
            let told = told(all).expect("a contradiction");
            assert!(told.contains(part), "{told}");
        };
        check(vec![name("a", "Rake"), name("b", "rake")], "a is already called rake, by decision 1");
        check(vec![merge("a", "b"), merge("c", "b")], "b was taken in by a in decision 1");
        check(vec![merge("a", "b"), merge("b", "a")], "b was taken in by a");
        check(vec![merge("a", "a")], "cannot take in itself");
        check(vec![dismiss("a"), name("a", "x")], "dismissed by decision 1");
        check(vec![split("a", "n", "c1"), merge("a", "n")], "decision 1 cut these two apart");
        check(vec![split("a", "n", "c1"), split("a", "m", "c1")], "already cut out of a by decision 1");
        check(vec![allow(100), allow(200)], "already allowed until");
        check(vec![allow(1)], "has passed");
        check(vec![name("a", "x"), undo(1), undo(1)], "already taken back, by decision 2");
        check(vec![undo(1)], "there is no decision 1");
        check(vec![name("a", "\u{1b}[2J")], "control characters");
        check(vec![What::NoteCase { case: 4, text: text("x") }], "no case 4");
    }

    #[test]
    fn what_others_rest_on_is_not_taken_back() {
        let told = told(vec![split("a", "n", "c1"), name("n", "Offshoot"), undo(1)]).unwrap();
        assert_eq!(told, "decision 2 (n is called Offshoot) rests on decision 1: take that back first");
    }

    #[test]
    fn what_is_taken_back_holds_no_more_and_holds_again_when_that_is_taken_back() {
        assert_eq!(told(vec![merge("a", "b"), undo(1), merge("c", "b")]), None);
        assert_eq!(told(vec![dismiss("a"), undo(1), name("a", "x")]), None);
        let again = told(vec![dismiss("a"), undo(1), undo(2), name("a", "x")]).unwrap();
        assert!(again.contains("dismissed by decision 1"), "{again}");
        assert_eq!(told(vec![allow(100), undo(1), allow(200)]), None);
    }

    #[test]
    fn an_entry_of_the_allow_list_ends() {
        let until = Timestamp::from_secs(100);
        let allowed = Allowed { what: Allowable::Indicator, value: text("x"), until, why: String::new(), seq: 1 };
        let decided = Decided { allowed: vec![allowed], ..Decided::default() };
        assert_eq!(decided.allowed_at(Timestamp::from_secs(99)).count(), 1);
        assert_eq!(decided.allowed_at(until).count(), 0);
    }
}
