//! connections, in any order → what each caller did to each service, summed: counts, bytes, when, and the earliest calls.
//!
//! Merging is sum, minimum, maximum and bottom-k, so the split does not matter. What is beyond the bound goes by a keyed
//! hash of the pair, whole: what stays is exact, and how many went is known, so that the number of targets can still be
//! told. A record that was delivered twice counts twice. Deliberately absent: what it means (`roles`).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::net::IpAddr;

use ringleader_model::hash::{fold64, hash64};
use serde::{Deserialize, Serialize};

use super::flow::{At, Flow, Outcome, Proto};

/// Pairs of caller and service kept of one run: those that were answered, and those that were not.
pub const ANSWERED: usize = 1 << 18;
pub const DEAD: usize = 1 << 17;
/// Calls of one pair of which the time is kept: the earliest.
pub const CALLS: usize = 64;

/// Who called which service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Pair {
    pub src: IpAddr,
    pub dst: IpAddr,
    pub port: u16,
    pub proto: Proto,
}

impl Pair {
    fn hash(&self) -> u64 {
        let bits = |ip: IpAddr| match ip {
            IpAddr::V4(it) => u128::from(it.to_bits()),
            IpAddr::V6(it) => it.to_bits(),
        };
        let (src, dst) = (bits(self.src), bits(self.dst));
        let halves = [src as u64, (src >> 64) as u64, dst as u64, (dst >> 64) as u64];
        let rest = u64::from(self.port) << 8 | self.proto as u64;
        hash64(&fold64(halves.into_iter().chain([rest, 0x6e65_7477])).to_le_bytes())
    }
}

/// When, and how many bytes went both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Call {
    pub time: i64,
    /// `u32::MAX`: the sensor does not say.
    pub bytes: u32,
}

/// Everything one caller did to one service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Talk {
    pub count: u64,
    pub sent: u64,
    pub received: u64,
    /// Calls of which the sensor tells the bytes.
    pub measured: u64,
    pub last: i64,
    /// Earliest first.
    pub calls: Vec<Call>,
    pub first_at: Option<(i64, At)>,
    /// Bytes, minus its time, record: of the largest the earliest.
    pub largest: Option<(u64, i64, At)>,
}

impl Talk {
    fn add(&mut self, flow: &Flow) {
        self.count = self.count.saturating_add(flow.count);
        let bytes = flow.bytes();
        if let Some(bytes) = bytes {
            self.measured += 1;
            self.sent = self.sent.saturating_add(flow.sent.unwrap_or(0));
            self.received = self.received.saturating_add(flow.received.unwrap_or(0));
            let time = flow.time.unwrap_or(i64::MAX);
            self.largest = self.largest.max(Some((bytes, time.saturating_neg(), flow.at)));
        }
        let first = (flow.time.unwrap_or(i64::MAX), flow.at);
        self.first_at = Some(self.first_at.map_or(first, |it| it.min(first)));
        if let Some(time) = flow.time {
            self.last = if self.calls.is_empty() { time } else { self.last.max(time) };
            let bytes = bytes.map_or(u32::MAX, |it| u32::try_from(it).unwrap_or(u32::MAX - 1));
            self.call(Call { time, bytes });
        }
    }

    fn call(&mut self, call: Call) {
        if self.calls.len() == CALLS && self.calls.last().is_some_and(|it| *it <= call) {
            return;
        }
        if self.calls.capacity() == 0 {
            self.calls.reserve_exact(1);
        }
        let at = self.calls.partition_point(|it| *it <= call);
        self.calls.insert(at, call);
        self.calls.truncate(CALLS);
    }

    pub fn merge(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.sent = self.sent.saturating_add(other.sent);
        self.received = self.received.saturating_add(other.received);
        self.measured += other.measured;
        self.last = match (self.calls.is_empty(), other.calls.is_empty()) {
            (true, _) => other.last,
            (_, true) => self.last,
            _ => self.last.max(other.last),
        };
        other.calls.into_iter().for_each(|it| self.call(it));
        self.first_at = [self.first_at, other.first_at].into_iter().flatten().min();
        self.largest = self.largest.max(other.largest);
    }

    pub fn first(&self) -> Option<i64> {
        self.calls.first().map(|it| it.time)
    }
    /// The last call's time.
    pub fn ended(&self) -> Option<i64> {
        (!self.calls.is_empty()).then_some(self.last)
    }
}

/// The `most` keys with the smallest hashes. A key that stays was never gone, so what it sums is whole.
#[derive(Debug, Clone)]
pub(super) struct Bounded<K, V> {
    pub(super) map: HashMap<K, V>,
    most: usize,
    /// Hashes from here on are refused.
    bar: u64,
}

impl<K: Eq + Hash + Copy, V: Default> Bounded<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self { map: HashMap::new(), most, bar: u64::MAX }
    }

    pub(super) fn entry(&mut self, key: K, hash: u64, of: impl Fn(&K) -> u64) -> Option<&mut V> {
        if hash >= self.bar {
            return None;
        }
        if self.map.len() >= self.most + self.most / 4 && !self.map.contains_key(&key) {
            self.cut(&of);
            if hash >= self.bar {
                return None;
            }
        }
        Some(self.map.entry(key).or_default())
    }

    pub(super) fn merge(&mut self, other: Self, of: impl Fn(&K) -> u64, mut add: impl FnMut(&mut V, V)) {
        self.bar = self.bar.min(other.bar);
        let bar = self.bar;
        self.map.retain(|key, _| of(key) < bar);
        // Each key by itself: the order does not show.
        other.map.into_iter().for_each(|(key, value)| {
            if let Some(known) = self.entry(key, of(&key), &of) {
                add(known, value);
            }
        });
    }

    pub(super) fn cut(&mut self, of: impl Fn(&K) -> u64) {
        if self.map.len() <= self.most {
            return;
        }
        let mut hashes: Vec<u64> = self.map.keys().map(&of).collect();
        let (_, bar, _) = hashes.select_nth_unstable(self.most);
        self.bar = *bar;
        self.map.retain(|key, _| of(key) < *bar);
    }
}

/// The sums of one run, or of a part of it.
#[derive(Debug, Clone)]
pub struct Sums {
    answered: Bounded<Pair, Talk>,
    dead: Bounded<Pair, Talk>,
    names: Bounded<IpAddr, BTreeSet<Box<str>>>,
    pub flows: u64,
}

/// Addresses of which the names are kept that look-ups gave, and names of one.
pub const NAMES: usize = 1 << 16;
const NAMES_OF_ONE: usize = 4;

fn address_hash(ip: &IpAddr) -> u64 {
    match ip {
        IpAddr::V4(it) => hash64(&it.octets()),
        IpAddr::V6(it) => hash64(&it.octets()),
    }
}

impl Default for Sums {
    fn default() -> Self {
        Self::with_room(ANSWERED, DEAD)
    }
}

impl Sums {
    pub fn with_room(answered: usize, dead: usize) -> Self {
        Self { answered: Bounded::new(answered), dead: Bounded::new(dead), names: Bounded::new(NAMES), flows: 0 }
    }

    pub fn is_empty(&self) -> bool {
        self.flows == 0 && self.names.map.is_empty()
    }

    pub fn add(&mut self, flow: &Flow) {
        self.flows += 1;
        let pair = Pair { src: flow.src, dst: flow.dst, port: flow.port, proto: flow.proto };
        let side = if flow.outcome == Outcome::Dead { &mut self.dead } else { &mut self.answered };
        if let Some(talk) = side.entry(pair, pair.hash(), Pair::hash) {
            talk.add(flow);
        }
    }

    /// A look-up of a name, and what it gave.
    pub fn looked_up(&mut self, name: &str, answers: &str) {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let word = |c: char| !(c.is_ascii_hexdigit() || c == '.' || c == ':');
        for ip in answers.split(word).filter_map(|it| it.parse::<IpAddr>().ok()) {
            if let Some(names) = self.names.entry(ip, address_hash(&ip), address_hash)
                && name.len() <= 253
            {
                names.insert(name.as_str().into());
                if names.len() > NAMES_OF_ONE {
                    names.pop_last();
                }
            }
        }
    }

    pub fn merge(&mut self, other: Self) {
        self.flows += other.flows;
        self.names.merge(other.names, address_hash, |mine, theirs| {
            mine.extend(theirs);
            while mine.len() > NAMES_OF_ONE {
                mine.pop_last();
            }
        });
        self.answered.merge(other.answered, Pair::hash, Talk::merge);
        self.dead.merge(other.dead, Pair::hash, Talk::merge);
    }

    /// Everything, by caller.
    pub fn settle(mut self) -> Settled {
        self.answered.cut(Pair::hash);
        self.dead.cut(Pair::hash);
        self.names.cut(address_hash);
        let names = self.names.map.into_iter().collect();
        let kept = |bar: u64| if bar == u64::MAX { 1_000_000 } else { ((u128::from(bar) * 1_000_000) >> 64) as u64 };
        let (dead_kept, answered_kept) = (kept(self.dead.bar).max(1), kept(self.answered.bar).max(1));
        let mut pairs: HashMap<Pair, Talks> = HashMap::with_capacity(self.answered.map.len());
        self.answered.map.into_iter().for_each(|(pair, talk)| pairs.entry(pair).or_default().answered = talk);
        self.dead.map.into_iter().for_each(|(pair, talk)| pairs.entry(pair).or_default().dead = talk);
        let mut pairs: Vec<(Pair, Talks)> = pairs.into_iter().collect();
        pairs.sort_unstable_by_key(|it| it.0);
        Settled { pairs, dead_kept, answered_kept, names, flows: self.flows }
    }
}

/// What was answered of it, and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Talks {
    pub answered: Talk,
    pub dead: Talk,
}

impl Talks {
    pub fn first(&self) -> Option<i64> {
        [self.answered.first(), self.dead.first()].into_iter().flatten().min()
    }
    pub fn last(&self) -> Option<i64> {
        [self.answered.ended(), self.dead.ended()].into_iter().flatten().max()
    }
    pub fn count(&self) -> u64 {
        self.answered.count.saturating_add(self.dead.count)
    }
    pub fn is_answered(&self) -> bool {
        self.answered.count > 0
    }
    /// When it was called, earliest first.
    pub fn times(&self) -> Vec<i64> {
        let mut times: Vec<i64> = self.answered.calls.iter().chain(&self.dead.calls).map(|it| it.time).collect();
        times.sort_unstable();
        times.truncate(CALLS);
        times
    }
    /// Records that show it: the first of each kind, the largest.
    pub fn places(&self) -> Vec<(Option<i64>, At)> {
        let first = [&self.answered, &self.dead].into_iter().filter_map(|it| it.first_at);
        let mut places: Vec<(Option<i64>, At)> = first.map(|(time, at)| (known(time), at)).collect();
        if let Some((_, time, at)) = self.answered.largest
            && places.iter().all(|it| it.1 != at)
        {
            places.push((known(time.saturating_neg()), at));
        }
        places
    }
}

fn known(time: i64) -> Option<i64> {
    (time != i64::MAX).then_some(time)
}

/// Sums that nothing is added to any more.
#[derive(Debug, Clone)]
pub struct Settled {
    /// By caller.
    pub pairs: Vec<(Pair, Talks)>,
    /// Of a million pairs, how many are kept.
    pub dead_kept: u64,
    pub answered_kept: u64,
    /// Address → the first of the names that led to it, in their own order.
    pub names: BTreeMap<IpAddr, BTreeSet<Box<str>>>,
    pub flows: u64,
}

impl Default for Settled {
    fn default() -> Self {
        Sums::with_room(1, 1).settle()
    }
}

impl Settled {
    pub fn callers(&self) -> impl Iterator<Item = &[(Pair, Talks)]> {
        self.pairs.chunk_by(|a, b| a.0.src == b.0.src)
    }

    pub fn of(&self, src: &IpAddr) -> &[(Pair, Talks)] {
        let start = self.pairs.partition_point(|it| it.0.src < *src);
        let length = self.pairs[start..].partition_point(|it| it.0.src == *src);
        &self.pairs[start..start + length]
    }

    /// Of a million pairs, how many had to go.
    pub fn lost_per_million(&self) -> u64 {
        1_000_000 - self.dead_kept.min(self.answered_kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn flow(n: u64) -> Flow {
        let dst = Ipv4Addr::from_bits(0xc000_0200 + (n % 997) as u32);
        Flow {
            src: Ipv4Addr::new(10, 0, 0, (n % 7) as u8).into(),
            dst: dst.into(),
            port: (n % 3) as u16,
            src_port: 40_000,
            proto: Proto::Tcp,
            time: (!n.is_multiple_of(11)).then_some((n * 7919 % 100_003) as i64),
            sent: (!n.is_multiple_of(5)).then_some(n % 300),
            received: (!n.is_multiple_of(5)).then_some(n % 77),
            outcome: if n.is_multiple_of(2) { Outcome::Dead } else { Outcome::Answered },
            count: 1,
            at: At { event: u128::from(n), ..At::default() },
        }
    }

    #[test]
    fn the_split_and_the_order_do_not_matter_even_beyond_the_bound() {
        let flows: Vec<Flow> = (0..30_000).map(flow).collect();
        let whole = |flows: &mut dyn Iterator<Item = &Flow>| {
            let mut sums = Sums::with_room(300, 200);
            flows.for_each(|it| sums.add(it));
            sums
        };
        let one = whole(&mut flows.iter()).settle();
        assert!(one.pairs.len() <= 500 && one.dead_kept < 100_000, "{} {}", one.pairs.len(), one.dead_kept);
        let back = whole(&mut flows.iter().rev()).settle();
        assert_eq!(one.pairs, back.pairs);
        for parts in [2, 5, 13] {
            let mut sums = Sums::with_room(300, 200);
            for part in (0..parts).rev() {
                sums.merge(whole(&mut flows.iter().skip(part).step_by(parts)));
            }
            let many = sums.settle();
            assert_eq!(one.pairs, many.pairs, "{parts} parts");
            assert_eq!((one.dead_kept, one.flows), (many.dead_kept, many.flows));
        }
    }

    #[test]
    fn a_caller_is_found_with_all_it_called() {
        let mut sums = Sums::default();
        (0..2000).map(flow).for_each(|it| sums.add(&it));
        let settled = sums.settle();
        let all: usize = settled.callers().map(<[_]>::len).sum();
        assert_eq!((all, settled.lost_per_million()), (settled.pairs.len(), 0));
        for caller in settled.callers() {
            assert_eq!(settled.of(&caller[0].0.src), caller);
        }
        assert!(settled.of(&Ipv4Addr::new(10, 9, 9, 9).into()).is_empty());
    }
}
