//! When each indicator was first and last seen → how many came, went, and went over to another gang. An indicator is in use
//! from its first sight to its last.

use std::collections::BTreeMap;

use ringleader_model::Timestamp;
use ringleader_model::trend::{Churn, Day, Lifeline, Lives, Period, Reuse};

use super::Held;
use crate::memory::{FactKind, FactMemory, GangMemory};

const MAX_REUSED: usize = 40;
const MAX_LIFELINES: usize = 40;

/// Kind and value.
type Key<'a> = (&'a str, &'a str);
/// From when to when a gang showed it, and which.
type Shown<'a> = ((Day, Day), &'a str);

fn infrastructure(memory: &GangMemory) -> impl Iterator<Item = (Key<'_>, &FactMemory)> {
    let own = memory.facts.iter().filter(|it| it.0.0 == FactKind::Infrastructure);
    own.map(|((_, value), it)| (value.split_once(' ').unwrap_or(("", value)), it))
}

fn life(it: &FactMemory) -> (Day, Day) {
    (Day::of(Timestamp(it.first_seen)), Day::of(Timestamp(it.last_seen)))
}

fn add(lives: &mut Lives, (first, last): (Day, Day), period: &Period) {
    lives.alive += u64::from(first < period.to && last >= period.from);
    lives.new += u64::from(period.has(first));
    lives.gone += u64::from(period.had(last));
}

pub(super) fn lives(memory: &GangMemory, period: &Period) -> Lives {
    let mut lives = Lives::default();
    infrastructure(memory).for_each(|it| add(&mut lives, life(it.1), period));
    lives
}

pub(super) fn lifelines(memory: &GangMemory, period: &Period) -> Vec<Lifeline> {
    let mut lines: Vec<Lifeline> = infrastructure(memory)
        .map(|((kind, value), it)| {
            let (first_seen, last_seen) = life(it);
            Lifeline { kind: kind.to_owned(), value: value.to_owned(), first_seen, last_seen, hosts: it.hosts }
        })
        .filter(|it| it.first_seen < period.to && it.last_seen >= period.before)
        .collect();
    let length = |it: &Lifeline| it.last_seen.0 - it.first_seen.0;
    lines.sort_by(|a, b| {
        (b.hosts, length(b)).cmp(&(a.hosts, length(a))).then((&a.kind, &a.value).cmp(&(&b.kind, &b.value)))
    });
    lines.truncate(MAX_LIFELINES);
    lines.sort_by(|a, b| {
        (a.first_seen, a.last_seen, &a.kind, &a.value).cmp(&(b.first_seen, b.last_seen, &b.kind, &b.value))
    });
    lines
}

pub(super) fn churn(held: &Held, period: &Period, asked: &dyn Fn(&str) -> bool) -> Churn {
    let mut churn = Churn { days: period.days().map(|_| (0, 0)).collect(), ..Churn::default() };
    // A value that two gangs show is one value.
    let mut whose: BTreeMap<Key<'_>, Vec<Shown<'_>>> = BTreeMap::new();
    for (gang, memory) in held.memory.gangs.iter().filter(|it| !held.decided.dismissed.contains_key(it.0)) {
        for (key, it) in infrastructure(memory) {
            whose.entry(key).or_default().push((life(it), gang));
        }
    }
    let mut ended = Vec::new();
    for ((kind, value), mut gangs) in whose {
        gangs.sort();
        let own = gangs.iter().filter(|it| asked(it.1)).map(|it| it.0);
        let Some((first, last)) = own.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else { continue };
        add(churn.kinds.entry(kind.to_owned()).or_default(), (first, last), period);
        let at = |day: Day| usize::try_from(day.0 - period.from.0).ok().filter(|_| period.has(day));
        if let Some(it) = at(first).and_then(|at| churn.days.get_mut(at)) {
            it.0 += 1;
        }
        if let Some(it) = at(last).and_then(|at| churn.days.get_mut(at)) {
            it.1 += 1;
        }
        // What was seen on the last days may live on.
        if last < period.last() && last >= period.before {
            ended.push(u64::try_from(last.0 - first.0 + 1).unwrap_or(0));
        }
        for pair in gangs.windows(2) {
            let ((_, earlier_last), earlier) = pair[0];
            let ((later_first, _), later) = pair[1];
            if period.has(later_first) && later_first > pair[0].0.0 && (asked(earlier) || asked(later)) {
                churn.reused.push(Reuse {
                    kind: kind.to_owned(),
                    value: value.to_owned(),
                    earlier: earlier.to_owned(),
                    earlier_last,
                    later: later.to_owned(),
                    later_first,
                });
            }
        }
    }
    ended.sort_unstable();
    churn.median_life = ended.get(ended.len() / 2).copied();
    churn.more_reused = churn.reused.len().saturating_sub(MAX_REUSED) as u64;
    churn.reused.sort_by(|a, b| (a.later_first, &a.kind, &a.value).cmp(&(b.later_first, &b.kind, &b.value)));
    churn.reused.truncate(MAX_REUSED);
    churn
}
