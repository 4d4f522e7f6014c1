//! What a period came to, beside the one before: the nouns of a trend report, and the calendar that it needs. Deliberately
//! absent: names of hosts. A report that leaves the house counts victims and shows none.

pub mod queries;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::Timestamp;
use crate::time::days;

/// A day of the calendar, UTC: days since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i64);

impl Day {
    pub const MICROS: i64 = 86_400_000_000;

    pub fn of(time: Timestamp) -> Self {
        Self(time.0.div_euclid(Self::MICROS))
    }
    /// `2026-03-01`, and whatever follows it.
    pub fn parse(text: &str) -> Option<Self> {
        let part = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
        let dashes = text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
        if !dashes {
            return None;
        }
        let day = Self(days(part(0, 4)?, part(5, 7)?, part(8, 10)?)?);
        // The 31st of a month that has none is another day.
        (day.to_string() == text.get(..10)?).then_some(day)
    }
    /// Its first moment.
    pub fn start(self) -> Timestamp {
        Timestamp(self.0.saturating_mul(Self::MICROS))
    }
    fn parts(self) -> (i64, i64, i64) {
        let text = self.to_string();
        let part = |from: usize, to: usize| text.get(from..to).and_then(|it| it.parse().ok()).unwrap_or(1);
        (part(0, 4), part(5, 7), part(8, 10))
    }
    /// So many months on; where the month is shorter, its last day.
    pub fn months_on(self, months: i64) -> Self {
        let (year, month, day) = self.parts();
        let at = year * 12 + month - 1 + months;
        let (year, month) = (at.div_euclid(12), at.rem_euclid(12) + 1);
        let next = if month == 12 { days(year + 1, 1, 1) } else { days(year, month + 1, 1) };
        let (Some(first), Some(next)) = (days(year, month, 1), next) else { return self };
        Self((first + day - 1).min(next - 1))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.start().day())
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Length {
    Week,
    Month,
    Quarter,
}

/// Days, and as many or the same months before them. `to` is the first day after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Period {
    pub length: Length,
    pub before: Day,
    pub from: Day,
    pub to: Day,
}

impl Period {
    pub fn from(length: Length, from: Day) -> Self {
        let (before, to) = match length {
            Length::Week => (Day(from.0 - 7), Day(from.0 + 7)),
            Length::Month => (from.months_on(-1), from.months_on(1)),
            Length::Quarter => (from.months_on(-3), from.months_on(3)),
        };
        Self { length, before, from, to }
    }
    /// The calendar's own week (from Monday), month or quarter that has this day.
    pub fn around(length: Length, day: Day) -> Self {
        let (_, month, of_month) = day.parts();
        let first = Day(day.0 - of_month + 1);
        let from = match length {
            // 1970-01-01 was a Thursday.
            Length::Week => Day(day.0 - (day.0 + 3).rem_euclid(7)),
            Length::Month => first,
            Length::Quarter => first.months_on(-((month - 1) % 3)),
        };
        Self::from(length, from)
    }
    pub fn days(&self) -> impl Iterator<Item = Day> + use<> {
        (self.from.0..self.to.0).map(Day)
    }
    pub fn last(&self) -> Day {
        Day(self.to.0 - 1)
    }
    pub fn has(&self, day: Day) -> bool {
        (self.from..self.to).contains(&day)
    }
    pub fn had(&self, day: Day) -> bool {
        (self.before..self.from).contains(&day)
    }
}

/// What one gang, one method or all of them came to in some days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Distinct.
    pub hosts: u64,
    pub episodes: u64,
    pub events: u64,
    /// On which there was activity.
    pub days: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Never seen before the period.
    New,
    /// Seen earlier, but not in the period before.
    Back,
    /// Seen in both.
    Active,
    /// Seen in the period before, and not in this one.
    Gone,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trend {
    pub period: Period,
    /// Of one gang alone.
    pub gang: Option<String>,
    /// The first and last day of which the ledger holds activity.
    pub held: Option<(Day, Day)>,
    /// Runs whose logs reach into the period.
    pub runs: u64,
    pub now: Counts,
    pub before: Counts,
    /// Gangs with activity: now, before.
    pub active: (u64, u64),
    /// Most hosts first.
    pub gangs: Vec<GangTrend>,
    /// Groups without a server, a key or a wallet, which are left out of every number but these.
    pub by_shape: ByShape,
    pub methods: Vec<MethodTrend>,
    pub moves: Vec<Move>,
    pub churn: Churn,
    pub victims: Vec<Victims>,
    /// In order of time.
    pub timeline: Vec<Moment>,
    /// Warnings of the period: kind → how many.
    pub warnings: BTreeMap<String, u64>,
}

impl Trend {
    /// Whether the ledger reaches back far enough to compare.
    pub fn compares(&self) -> bool {
        self.held.is_some_and(|it| it.0 <= self.period.before)
    }
}

/// Groups of the period that are known by the shape of their graphs alone: chance and routine look like that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ByShape {
    pub groups: u64,
    pub hosts: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GangTrend {
    pub gang_id: String,
    /// As analysts call it; none: it has no name yet.
    pub name: Option<String>,
    pub aliases: Vec<String>,
    pub standing: Standing,
    pub first_seen: Day,
    pub last_seen: Day,
    pub now: Counts,
    pub before: Counts,
    /// One for each day of the period.
    pub days: Vec<DayCounts>,
    /// Hosts by method, now and before; most now first. An empty method: not known.
    pub methods: Vec<(String, u64, u64)>,
    pub behaviours: Vec<Fact>,
    pub platforms: Vec<String>,
    pub indicators: Lives,
    /// The longest lived first; only of a report on one gang.
    pub lifelines: Vec<Lifeline>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DayCounts {
    pub hosts: u64,
    pub episodes: u64,
    /// By which most of its hosts were entered.
    pub method: String,
}

/// Something that a gang was seen to do or be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    pub value: String,
    pub first_seen: Day,
    pub last_seen: Day,
    pub hosts: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MethodTrend {
    pub method: String,
    pub facts: MethodFacts,
    /// Hosts, now and before.
    pub hosts: (u64, u64),
    pub gangs: (u64, u64),
    pub first_seen: Day,
    /// No gang was seen to use it before the period, and the ledger is older than its first use.
    pub new: bool,
    /// From disclosure to its first use here; only of what is new, and where the knowledge has a date.
    pub days_after_disclosure: Option<i64>,
    /// By whom it was used first.
    pub first_gang: String,
}

/// What the knowledge says of a method.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MethodFacts {
    pub name: String,
    pub cve: Option<String>,
    pub disclosed: Option<Day>,
}

/// A gang took up another method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Move {
    pub gang_id: String,
    /// What most of its hosts were entered by before; none: nothing is known of it.
    pub from: Option<String>,
    pub to: String,
    /// First use.
    pub since: Day,
    /// Hosts by the new method and by the former one from then on.
    pub hosts: u64,
    pub left: u64,
}

/// How many of a gang's indicators are in use, came, and went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Lives {
    pub alive: u64,
    pub new: u64,
    /// Last seen in the period before.
    pub gone: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lifeline {
    pub kind: String,
    pub value: String,
    pub first_seen: Day,
    pub last_seen: Day,
    pub hosts: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Churn {
    /// kind → lives
    pub kinds: BTreeMap<String, Lives>,
    /// New and last seen, a day of the period.
    pub days: Vec<(u64, u64)>,
    /// Days from first to last sight of those that went in the period or before it: the middle one.
    pub median_life: Option<u64>,
    pub reused: Vec<Reuse>,
    /// Beyond those that are listed.
    pub more_reused: u64,
}

/// A value that another gang showed before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reuse {
    pub kind: String,
    pub value: String,
    pub earlier: String,
    pub earlier_last: Day,
    pub later: String,
    pub later_first: Day,
}

/// Victims by one property of theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Victims {
    pub by: Property,
    /// Value → distinct hosts now, before; most now first. What is not known has the empty value.
    pub rows: Vec<(String, u64, u64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Property {
    Sector,
    Region,
    Service,
    Tenant,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Moment {
    pub day: Day,
    pub gang_id: String,
    pub kind: MomentKind,
    /// The method, the other gang, how many hosts.
    pub what: String,
    pub hosts: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MomentKind {
    NewGang,
    /// Which no gang was known to use.
    NewMethod,
    /// Which others use.
    FirstUse,
    Surge,
    Back,
    NewPlatform,
    NewRegion,
    NewTenant,
    SensorFirst,
    Merged,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    #[test]
    fn the_calendar_has_short_months_and_leap_years() {
        assert_eq!(day("2026-01-31").months_on(1), day("2026-02-28"));
        assert_eq!(day("2024-01-31").months_on(1), day("2024-02-29"));
        assert_eq!(day("2026-01-15").months_on(-1), day("2025-12-15"));
        assert_eq!(day("2026-12-01").months_on(1), day("2027-01-01"));
        assert_eq!(Day::parse("2026-02-30"), None);
        assert_eq!(Day::parse("yesterday"), None);
        assert_eq!(Day::parse("2026é01-01"), None);
    }

    #[test]
    fn a_period_is_that_of_the_calendar_or_begins_where_it_is_told() {
        let check = |period: Period, before: &str, from: &str, to: &str| {
            assert_eq!((period.before, period.from, period.to), (day(before), day(from), day(to)));
        };
        check(Period::around(Length::Month, day("2026-03-17")), "2026-02-01", "2026-03-01", "2026-04-01");
        check(Period::around(Length::Quarter, day("2026-05-31")), "2026-01-01", "2026-04-01", "2026-07-01");
        // A Monday.
        check(Period::around(Length::Week, day("2026-03-08")), "2026-02-23", "2026-03-02", "2026-03-09");
        check(Period::from(Length::Month, day("2026-03-15")), "2026-02-15", "2026-03-15", "2026-04-15");
        assert_eq!(Period::from(Length::Week, day("2026-03-02")).days().count(), 7);
    }
}
