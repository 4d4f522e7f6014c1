//! changes that are true, and warnings that were given → recall, precision, delay, warnings a day, ids that stayed.
//!
//! A change is met by a warning of its kind, about its gang, in the run of the day on which its second host shows it:
//! that run is the earliest that could. A warning is right if it meets a change (up to two days late), and no earlier one
//! met it. A change of kit shows servers that were not seen before, too, and behaviours: one warning of each is right.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ringleader_engine::simulate::month::{Change, ChangeKind};
use ringleader_model::findings::WarningKind;

/// Days after the second host's in which a warning still counts as right.
const LATE: u64 = 2;

/// A warning that was given.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub kind: WarningKind,
    /// Whose it truly is.
    pub gang: String,
    pub day: u64,
    pub held: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Score {
    months: u64,
    changes: u64,
    /// In the run of the second host's day.
    met: u64,
    met_late: u64,
    delays: Vec<u64>,
    given: u64,
    right: u64,
    held: u64,
    held_right: u64,
    most_a_day: u64,
    days: u64,
    by_kind: BTreeMap<&'static str, (u64, u64)>,
    wrong: BTreeMap<String, u64>,
    base_met: u64,
    base_given: u64,
    base_right: u64,
    base_most: u64,
    pairs: u64,
    kept: u64,
    unexplained: u64,
    missed: Vec<String>,
}

/// What a warning of this kind may be about.
fn meets(kind: WarningKind, change: ChangeKind) -> bool {
    use ChangeKind as C;
    use WarningKind as W;
    matches!(
        (kind, change),
        (W::NewGang, C::NewGang)
            | (W::NewMethod | W::FirstUse, C::NewMethod)
            | (W::NewInfrastructure, C::NewInfrastructure | C::NewMethod)
            | (W::NewBehaviour, C::NewMethod)
            | (W::Surge, C::Surge)
            | (W::DormantBack, C::DormantBack)
    )
}

/// The kind that is due for a change: others only add to it.
fn is_due(kind: WarningKind, change: ChangeKind) -> bool {
    meets(kind, change)
        && (change != ChangeKind::NewMethod || matches!(kind, WarningKind::NewMethod | WarningKind::FirstUse))
}

fn name(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::NewGang => "new gang",
        ChangeKind::NewMethod => "method",
        ChangeKind::NewInfrastructure => "infrastructure",
        ChangeKind::Surge => "surge",
        ChangeKind::DormantBack => "back",
    }
}

impl Score {
    pub(crate) fn of(
        changes: &[Change],
        given: &[Given],
        baseline: &[(String, u64)],
        ids: &[BTreeMap<String, String>],
        explained: &BTreeSet<String>,
        days: u64,
    ) -> Self {
        let mut it = Self { months: 1, days, changes: changes.len() as u64, ..Self::default() };
        for change in changes {
            let due =
                given.iter().filter(|w| w.gang == change.gang && is_due(w.kind, change.kind) && w.day >= change.day);
            let first = due.map(|w| w.day).filter(|day| *day <= change.second_host_day + LATE).min();
            let kind = it.by_kind.entry(name(change.kind)).or_default();
            kind.1 += 1;
            match first {
                Some(day) => {
                    let delay = day.saturating_sub(change.second_host_day);
                    it.met += u64::from(delay == 0);
                    kind.0 += u64::from(delay == 0);
                    it.met_late += 1;
                    it.delays.push(delay);
                }
                None => it.missed.push(format!("{} of {} on day {}", name(change.kind), change.gang, change.day)),
            }
            let shown = |(gang, day): &(String, u64)| {
                gang == change.gang && (change.day..=change.second_host_day).contains(day)
            };
            it.base_met += u64::from(baseline.iter().any(shown));
        }
        let mut used: BTreeSet<(usize, WarningKind)> = BTreeSet::new();
        let mut a_day: BTreeMap<u64, u64> = BTreeMap::new();
        for warning in given {
            let about = changes.iter().position(|change| {
                meets(warning.kind, change.kind)
                    && warning.gang == change.gang
                    && (change.day..=change.second_host_day + LATE).contains(&warning.day)
            });
            // Two servers of two waves may be told on one day; the same change twice is not right twice.
            let right = about.is_some_and(|at| used.insert((at, warning.kind)));
            it.held += u64::from(warning.held);
            if warning.held {
                it.held_right += u64::from(right);
                continue;
            }
            it.given += 1;
            it.right += u64::from(right);
            *a_day.entry(warning.day).or_default() += 1;
            if !right {
                *it.wrong.entry(format!("{} ({})", warning.kind.name(), warning.gang)).or_default() += 1;
            }
        }
        it.most_a_day = a_day.values().copied().max().unwrap_or(0);
        let mut base_day: BTreeMap<u64, u64> = BTreeMap::new();
        for (gang, day) in baseline {
            let near =
                |change: &&Change| change.gang == gang && (change.day..=change.second_host_day + LATE).contains(day);
            it.base_given += 1;
            it.base_right += u64::from(changes.iter().any(|change| near(&change)));
            *base_day.entry(*day).or_default() += 1;
        }
        it.base_most = base_day.values().copied().max().unwrap_or(0);
        it.ids(ids, explained);
        it
    }

    /// A true gang keeps its id if the gang that holds most of it today is that of when it was last seen.
    fn ids(&mut self, days: &[BTreeMap<String, String>], explained: &BTreeSet<String>) {
        let mut last: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for day in days {
            let mut now: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
            for (id, gang) in day.iter().filter(|it| it.1 != "-") {
                now.entry(gang).or_default().insert(id);
            }
            for (gang, ids) in now {
                if let Some(before) = last.get_mut(gang) {
                    self.pairs += 1;
                    if ids.iter().any(|it| before.contains(it)) {
                        self.kept += 1;
                    } else if !ids.iter().any(|it| explained.contains(*it)) {
                        self.unexplained += 1;
                    }
                    before.extend(ids);
                } else {
                    last.insert(gang, ids);
                }
            }
        }
    }

    pub(crate) fn add(&mut self, it: &Self) {
        self.months += it.months;
        self.changes += it.changes;
        self.met += it.met;
        self.met_late += it.met_late;
        self.delays.extend(&it.delays);
        self.given += it.given;
        self.right += it.right;
        self.held += it.held;
        self.held_right += it.held_right;
        self.most_a_day = self.most_a_day.max(it.most_a_day);
        self.days += it.days;
        for (kind, (met, all)) in &it.by_kind {
            let slot = self.by_kind.entry(kind).or_default();
            *slot = (slot.0 + met, slot.1 + all);
        }
        for (kind, n) in &it.wrong {
            *self.wrong.entry(kind.clone()).or_default() += n;
        }
        self.base_met += it.base_met;
        self.base_given += it.base_given;
        self.base_right += it.base_right;
        self.base_most = self.base_most.max(it.base_most);
        self.pairs += it.pairs;
        self.kept += it.kept;
        self.unexplained += it.unexplained;
        self.missed.extend(it.missed.iter().cloned());
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mean = ratio(self.delays.iter().sum(), self.delays.len() as u64);
        writeln!(
            f,
            "  recall at the second host   {:.3} ({} of {})",
            ratio(self.met, self.changes),
            self.met,
            self.changes
        )?;
        writeln!(
            f,
            "  recall within two days      {:.3}, mean delay {mean:.2} days",
            ratio(self.met_late, self.changes)
        )?;
        for (kind, (met, all)) in &self.by_kind {
            writeln!(f, "    {kind:<16} {met} of {all}")?;
        }
        writeln!(
            f,
            "  precision                   {:.3} ({} of {})",
            ratio(self.right, self.given),
            self.right,
            self.given
        )?;
        writeln!(
            f,
            "  warnings a day              {:.1}, at most {}; {} held, {} of them right",
            ratio(self.given, self.days),
            self.most_a_day,
            self.held,
            self.held_right
        )?;
        writeln!(
            f,
            "  gangs that keep their ids   {:.3} ({} of {} days), {} unexplained",
            ratio(self.kept, self.pairs),
            self.kept,
            self.pairs,
            self.unexplained
        )?;
        writeln!(
            f,
            "  baseline, unseen indicators recall {:.3}, precision {:.3}, {:.1} a day, at most {}",
            ratio(self.base_met, self.changes),
            ratio(self.base_right, self.base_given),
            ratio(self.base_given, self.days),
            self.base_most
        )?;
        for it in &self.missed {
            writeln!(f, "  missed: {it}")?;
        }
        for (it, n) in &self.wrong {
            writeln!(f, "  not right: {n} × {it}")?;
        }
        Ok(())
    }
}
