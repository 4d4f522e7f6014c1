//! records, one after another → what their gang is seen to do. Deliberately absent: anything that grows with the records.
//!
//! Records come host after host, so that hosts are counted without a set of them.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::findings::{ActivityBucket, GangActivity, Step, Text};
use ringleader_model::{Context, Timestamp};
use ringleader_pipeline::merge::record::{EpisodeRecord, MemberRecord, NodeRecord};
use ringleader_pipeline::merge::sketch::{Key, earlier, feature_key};

use crate::collect::UNKNOWN_HOST;

/// Best examples of each claim.
const EXAMPLES: usize = 3;
/// Values told of one network role.
const ROLE_VALUES: usize = 64;

/// What the records of one gang's episodes add up to.
#[derive(Default)]
pub(super) struct GangSeen {
    pub(super) hosts: Vec<Text>,
    pub(super) behaviours: BTreeMap<u16, Seen>,
    pub(super) roles: BTreeMap<u8, Role>,
    pub(super) methods: BTreeMap<u16, Method>,
    /// Where the values stand that links speak of.
    pub(super) features: BTreeMap<Key, Examples>,
    /// Values that known gangs have as well, with what this gang did with them.
    pub(super) known: BTreeMap<Key, (BTreeSet<Context>, Examples)>,
    /// Values of its infrastructure: whether they have a role is asked in the end.
    addresses: BTreeSet<Text>,
    pub(super) activity: Activity,
}

/// A network role, and whom it is said of.
#[derive(Default)]
pub(super) struct Role {
    pub(super) seen: Seen,
    /// The first in their own order.
    pub(super) values: BTreeSet<Text>,
    /// Those of the gang's infrastructure.
    pub(super) addresses: BTreeSet<Text>,
}

#[derive(Default)]
pub(super) struct Method {
    pub(super) seen: Seen,
    /// Hosts on which it is shown to have got in.
    pub(super) succeeded: Seen,
    /// Of the confidences, thousandths.
    pub(super) sum: u64,
    pub(super) times: u64,
    pub(super) first: Option<i64>,
}

/// How many hosts, and the best examples.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) hosts: u64,
    last: Option<Text>,
    pub(super) examples: Examples,
}

/// Those with the smallest event ids, and whether they were inferred.
#[derive(Default)]
pub(super) struct Examples(pub(super) BTreeMap<u128, (MemberRecord, bool)>);

impl Examples {
    pub(super) fn add(&mut self, member: &MemberRecord, inferred: bool) {
        if self.0.len() == EXAMPLES && self.0.last_key_value().is_some_and(|it| *it.0 < member.event) {
            return;
        }
        self.0.insert(member.event, (member.clone(), inferred));
        if self.0.len() > EXAMPLES {
            self.0.pop_last();
        }
    }
}

impl Seen {
    fn on(&mut self, host: &Text) {
        if self.last.as_ref() != Some(host) {
            self.hosts += 1;
            self.last = Some(host.clone());
        }
    }

    fn add(&mut self, host: &Text, member: Option<&MemberRecord>, inferred: bool) {
        self.on(host);
        if let Some(member) = member {
            self.examples.add(member, inferred);
        }
    }
}

impl GangSeen {
    /// `links`, `known` and `addresses`: of which values it will be asked where they stand, and what they are.
    pub(super) fn new(
        links: impl IntoIterator<Item = Key>,
        known: impl IntoIterator<Item = Key>,
        addresses: BTreeSet<Text>,
    ) -> Self {
        let features = links.into_iter().map(|it| (it, Examples::default())).collect();
        let known = known.into_iter().map(|it| (it, Default::default())).collect();
        Self { features, known, addresses, ..Self::default() }
    }

    /// Adds a role that the network shows; the values it is said of, in different words.
    pub(super) fn role(&mut self, role: u8, host: &Text, values: [Option<&str>; 2], shown: &Examples) {
        let slot = self.roles.entry(role).or_default();
        slot.seen.on(host);
        for (member, inferred) in shown.0.values() {
            slot.seen.examples.add(member, *inferred);
        }
        for value in values.into_iter().flatten() {
            slot.addresses.extend(self.addresses.get(value).cloned());
        }
        slot.say(values[0].unwrap_or(""));
    }

    /// Adds one record.
    pub(super) fn note(&mut self, record: &EpisodeRecord, host: &Text) {
        // A script that was handed in ran on no host that is known.
        if record.host != UNKNOWN_HOST && self.hosts.last() != Some(host) {
            self.hosts.push(host.clone());
        }
        for node in &record.nodes {
            let shown = shown_by(record, node);
            for behaviour in &node.behaviours {
                self.behaviours.entry(*behaviour).or_default().add(host, shown, node.inferred);
            }
            for (role, value) in &node.network_roles {
                let slot = self.roles.entry(*role).or_default();
                slot.seen.add(host, node.members.last().or(shown), node.inferred);
                if let Some(address) = self.addresses.get(value.as_str()) {
                    slot.addresses.insert(address.clone());
                }
                slot.say(value);
            }
            if let Some(member) = shown {
                for (kind, context, value) in &node.indicators {
                    let key = feature_key(*kind, value);
                    if let Some(examples) = self.features.get_mut(&key) {
                        examples.add(member, node.inferred);
                    }
                    // What it fights is no evidence of who it is.
                    if !matches!(context, Context::Killed | Context::Mentioned)
                        && let Some((contexts, examples)) = self.known.get_mut(&key)
                    {
                        contexts.insert(*context);
                        examples.add(member, node.inferred);
                    }
                }
            }
            if let Some(time) = node.members.first().and_then(|it| it.time) {
                self.activity.add(time, host);
            }
        }
        if let Some(method) = &record.method {
            let slot = self.methods.entry(method.method).or_default();
            slot.sum += u64::from(method.confidence_permille);
            slot.times += 1;
            slot.first = earlier(slot.first, record.nodes.iter().filter_map(|it| it.start).min());
            slot.seen.on(host);
            if method.succeeded {
                slot.succeeded.on(host);
            }
            for member in &method.evidence {
                slot.seen.examples.add(member, false);
            }
        }
    }
}

impl Role {
    fn say(&mut self, value: &str) {
        let full = self.values.len() == ROLE_VALUES && self.values.last().is_some_and(|it| &**it < value);
        if value.is_empty() || full || self.values.contains(value) {
            return;
        }
        self.values.insert(value.into());
        if self.values.len() > ROLE_VALUES {
            self.values.pop_last();
        }
    }
}

/// The node's own first record, else that of the nearest node above it, else of a child.
pub(super) fn shown_by<'r>(record: &'r EpisodeRecord, node: &'r NodeRecord) -> Option<&'r MemberRecord> {
    let mut at = node;
    for _ in 0..64 {
        if let Some(member) = at.members.first() {
            return Some(member);
        }
        match at.parent.and_then(|it| record.nodes.get(it as usize)) {
            Some(above) => at = above,
            None => break,
        }
    }
    let own = record.nodes.iter().position(|it| std::ptr::eq(it, node))? as u32;
    record.nodes.iter().find(|it| it.parent == Some(own)).and_then(|it| it.members.first())
}

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
/// Beyond this, activity is told by the day.
const BY_THE_HOUR: i64 = 96 * HOUR;

/// Events per hour, or per day where they span more than four.
#[derive(Default)]
pub(super) struct Activity {
    span: Option<(i64, i64)>,
    /// Empty once the span is too long.
    hours: BTreeMap<i64, Bin>,
    days: BTreeMap<i64, Bin>,
}

#[derive(Default)]
struct Bin {
    events: u64,
    hosts: u64,
    last: Option<Text>,
}

impl Activity {
    fn add(&mut self, time: i64, host: &Text) {
        let (first, last) = self.span.map_or((time, time), |it| (it.0.min(time), it.1.max(time)));
        self.span = Some((first, last));
        self.days.entry(time.div_euclid(DAY) * DAY).or_default().add(host);
        if self.is_long() {
            self.hours.clear();
        } else {
            self.hours.entry(time.div_euclid(HOUR) * HOUR).or_default().add(host);
        }
    }

    fn is_long(&self) -> bool {
        self.span.is_some_and(|(first, last)| last.saturating_sub(first) > BY_THE_HOUR)
    }

    pub(super) fn of(&self, gang_id: &Text) -> GangActivity {
        let (step, bins) = if self.is_long() { (Step::Day, &self.days) } else { (Step::Hour, &self.hours) };
        let bucket =
            |(start, it): (&i64, &Bin)| ActivityBucket { start: Timestamp(*start), events: it.events, hosts: it.hosts };
        GangActivity { gang_id: gang_id.clone(), step, buckets: bins.iter().map(bucket).collect() }
    }
}

impl Bin {
    fn add(&mut self, host: &Text) {
        self.events += 1;
        if self.last.as_ref() != Some(host) {
            self.hosts += 1;
            self.last = Some(host.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(event: u128) -> MemberRecord {
        MemberRecord { event, own_id: None, source: 0, offset: 0, length: 1, time: None, pid: None }
    }

    #[test]
    fn the_smallest_event_ids_are_the_examples_whatever_the_order() {
        for order in [[1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [3, 5, 1, 4, 2]] {
            let mut seen = Seen::default();
            for event in order {
                seen.add(&"web1".into(), Some(&member(event)), event == 2);
            }
            assert_eq!(seen.hosts, 1);
            let kept: Vec<(u128, bool)> = seen.examples.0.iter().map(|(event, it)| (*event, it.1)).collect();
            assert_eq!(kept, [(1, false), (2, true), (3, false)]);
        }
    }

    #[test]
    fn a_role_tells_its_first_values() {
        let mut role = Role::default();
        for n in (0..200).rev().chain(0..200) {
            role.say(&format!("{n:03}"));
        }
        role.say("");
        assert!(role.values.iter().map(|it| &**it).eq((0..ROLE_VALUES).map(|n| format!("{n:03}"))));
    }

    #[test]
    fn activity_is_by_the_hour_until_it_spans_more_than_four_days() {
        let told = |times: &[(i64, &str)]| {
            let mut activity = Activity::default();
            times.iter().for_each(|(time, host)| activity.add(*time, &(*host).into()));
            let it = activity.of(&"g".into());
            (it.step, it.buckets.iter().map(|it| (it.start.0, it.events, it.hosts)).collect::<Vec<_>>())
        };
        assert_eq!(told(&[]), (Step::Hour, vec![]));
        let few = [(HOUR, "a"), (HOUR + 1, "a"), (97 * HOUR, "a"), (HOUR, "b"), (-1, "b")];
        let mut within = few.to_vec();
        within.truncate(4);
        assert_eq!(told(&within), (Step::Hour, vec![(HOUR, 3, 2), (97 * HOUR, 1, 1)]));
        // The last one makes it long, and nothing that came before is lost.
        assert_eq!(told(&few), (Step::Day, vec![(-DAY, 1, 1), (0, 3, 2), (4 * DAY, 1, 1)]));
    }
}
