//! what one caller did to each service → network roles, each with what speaks for it and the records that show it.
//!
//! A scan, guessing and a flood show in the traffic alone. What an intruder's other traffic looks like (a beacon, an upload, a
//! session on the next host) is what honest programs do too: of a caller that shows nothing else there is no role for it.
//! Deliberately absent: which process it was (`engine`'s `assemble/roles`), and alerts, which say it themselves.

mod brute_force;
mod c2;
mod ddos;
mod download_source;
mod exfiltration;
mod lateral;
pub mod logons;
mod mining_pool;
mod scan;

use std::net::IpAddr;

use ringleader_model::hash::{fold64, hash64};
use serde::{Deserialize, Serialize};

use super::NetworkRole;
use super::flow::{At, Proto, is_internal};
use super::sums::{Bounded, Pair, Settled, Talks};
use super::thresholds::{LOGIN, PREVALENT, PREVALENT_INSIDE};

/// Roles told of one caller; the weightiest, by calls.
pub const ROLES_OF_ONE: usize = 64;
/// Records told of one role.
pub const PLACES: usize = 3;

/// A role of one caller's traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Code of a `NetworkRole`.
    pub role: u8,
    /// What kind of it: `horizontal`, `beacon`, `one_way` …
    pub kind: Kind,
    pub src: IpAddr,
    /// The one service it is about, where it is about one.
    pub dst: Option<IpAddr>,
    pub port: u16,
    pub proto: Proto,
    pub calls: u64,
    /// Addresses, or ports, that it is about.
    pub targets: u64,
    pub first: Option<i64>,
    pub last: Option<i64>,
    /// A guess got in, as far as the traffic shows.
    pub succeeded: bool,
    pub confidence_permille: u16,
    /// In words, with the figures.
    pub why: String,
    pub places: Vec<(Option<i64>, At)>,
}

macro_rules! kinds {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Kind { $($variant),+ }
        impl Kind {
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $name),+ } }
        }
    };
}
kinds!(
    Horizontal = "horizontal",
    Vertical = "vertical",
    Guesses = "guesses",
    Spray = "spray",
    Logons = "logons",
    Calls = "calls",
    OneWay = "one_way",
    Beacon = "beacon",
    Upload = "upload",
    Session = "session",
    Stratum = "stratum",
    Fetch = "fetch",
);

impl Found {
    fn new(role: NetworkRole, kind: Kind, pair: &Pair, talks: &Talks) -> Self {
        Self {
            role: role as u8,
            kind,
            src: pair.src,
            dst: Some(pair.dst),
            port: pair.port,
            proto: pair.proto,
            calls: talks.count(),
            targets: 1,
            first: talks.first(),
            last: talks.last(),
            succeeded: false,
            confidence_permille: 700,
            why: String::new(),
            places: talks.places(),
        }
    }

    /// Of several services together.
    fn of_many(role: NetworkRole, kind: Kind, pairs: &[&(Pair, Talks)]) -> Option<Self> {
        let (pair, talks) = pairs.first()?;
        let mut it = Self::new(role, kind, pair, talks);
        it.calls = pairs.iter().map(|it| it.1.count()).sum();
        it.first = pairs.iter().filter_map(|it| it.1.first()).min();
        it.last = pairs.iter().filter_map(|it| it.1.last()).max();
        it.places = pairs.iter().flat_map(|it| it.1.places()).collect();
        it.places.sort_unstable_by_key(|(time, at)| (time.unwrap_or(i64::MAX), *at));
        it.places.truncate(PLACES);
        Some(it)
    }

    pub fn role(&self) -> Option<NetworkRole> {
        NetworkRole::from_code(self.role)
    }

    /// Whether the traffic shows it by itself, whoever the caller is.
    pub fn stands_alone(&self) -> bool {
        matches!(self.role(), Some(NetworkRole::Scan | NetworkRole::BruteForce | NetworkRole::Ddos))
    }

    /// Whether it is said of one service, and that is the fleet's. What stands alone is no less so for that.
    pub fn is_routine(&self, fleet: &Fleet) -> bool {
        let least = if self.role() == Some(NetworkRole::Lateral) { PREVALENT_INSIDE } else { PREVALENT };
        !self.stands_alone() && self.dst.is_some_and(|it| fleet.is_routine(&it, self.port, least))
    }
}

/// What is known of a caller besides its traffic.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    /// Something else speaks against it: behaviours, an alert.
    pub suspicious: bool,
    /// The traffic is that of one process of an intrusion, and not all of a host's.
    pub of_process: bool,
    /// That process fetches: a downloader.
    pub fetches: bool,
    /// Who else talks to a service.
    pub fleet: Option<&'a Fleet>,
}

impl About<'_> {
    fn is_routine(&self, pair: &Pair) -> bool {
        self.fleet.is_some_and(|it| it.is_routine(&pair.dst, pair.port, PREVALENT))
    }

    /// Whether the address may be an intruder's: outside, or named by its process.
    fn may_be_theirs(&self, ip: &IpAddr) -> bool {
        self.of_process || !is_internal(ip)
    }
}

/// Which services the fleet talks to: how many hosts that show nothing, how many that do.
#[derive(Debug, Clone)]
pub struct Fleet(Bounded<(IpAddr, u16), (u64, u64)>);

/// Services that are known of the fleet.
pub const SERVICES: usize = 1 << 18;

impl Default for Fleet {
    fn default() -> Self {
        Self(Bounded::new(SERVICES))
    }
}

fn service_hash(service: &(IpAddr, u16)) -> u64 {
    let bits = match service.0 {
        IpAddr::V4(it) => u128::from(it.to_bits()),
        IpAddr::V6(it) => it.to_bits(),
    };
    hash64(&fold64([bits as u64, (bits >> 64) as u64, u64::from(service.1), 0x666c_6565]).to_le_bytes())
}

impl Fleet {
    /// Of the wire: each caller is a host.
    pub fn of(settled: &Settled, is_suspicious: impl Fn(&IpAddr) -> bool) -> Self {
        let mut it = Self::default();
        for caller in settled.callers() {
            let suspicious = is_suspicious(&caller[0].0.src);
            let mut last = None;
            for (pair, talks) in caller.iter().filter(|it| it.1.is_answered()) {
                if last.replace((pair.dst, pair.port)) != Some((pair.dst, pair.port)) && talks.count() > 0 {
                    it.add((pair.dst, pair.port), suspicious, 1);
                }
            }
        }
        it.settle()
    }

    pub fn add(&mut self, service: (IpAddr, u16), suspicious: bool, hosts: u64) {
        let Some(slot) = self.0.entry(service, service_hash(&service), service_hash) else { return };
        if suspicious {
            slot.1 += hosts;
        } else {
            slot.0 += hosts;
        }
    }

    pub fn merge(&mut self, other: Self) {
        self.0.merge(other.0, service_hash, |mine, theirs| {
            mine.0 += theirs.0;
            mine.1 += theirs.1;
        });
    }

    /// Nothing is added any more: beyond the bound, the same services stay whatever the order.
    pub fn settle(mut self) -> Self {
        self.0.cut(service_hash);
        self
    }

    /// Several hosts that show nothing talk to it, and not mostly those that do.
    pub fn is_routine(&self, dst: &IpAddr, port: u16, least: u64) -> bool {
        self.0.map.get(&(*dst, port)).is_some_and(|(quiet, loud)| *quiet >= least && quiet.saturating_mul(2) >= *loud)
    }
}

/// What the sums left of all pairs, of a million.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    pub answered: u64,
    pub dead: u64,
}

impl Kept {
    pub const ALL: Self = Self { answered: 1_000_000, dead: 1_000_000 };

    pub fn of(settled: &Settled) -> Self {
        Self { answered: settled.answered_kept, dead: settled.dead_kept }
    }
    fn scale(n: usize, kept: u64) -> u64 {
        (n as u64).saturating_mul(1_000_000) / kept.max(1)
    }
}

/// Every role of one caller, the weightiest first.
///
/// In: all pairs of one caller. Cost: O(n log n) of them.
pub fn roles(pairs: &[(Pair, Talks)], kept: Kept, about: &About<'_>) -> Vec<Found> {
    let mut found = scan::find(pairs, kept, about);
    let scanned = |dst: &IpAddr| found.iter().any(|it| it.kind == Kind::Vertical && it.dst == Some(*dst));
    let mut more = brute_force::find(pairs, about);
    for (pair, talks) in pairs.iter().filter(|it| !scanned(&it.0.dst)) {
        more.extend(ddos::of(pair, talks, about));
        if !about.suspicious {
            continue;
        }
        let pool = mining_pool::of(pair, talks, about);
        if pool.is_none() {
            // Logins by the clock are guesses or checks.
            more.extend(c2::of(pair, talks, about).filter(|_| !LOGIN.contains(&pair.port)));
            more.extend(download_source::of(pair, talks, about));
        }
        more.extend(pool);
        more.extend(exfiltration::of(pair, talks));
        more.extend(lateral::of(pair, talks));
    }
    more.extend(ddos::at_random_ports(pairs));
    found.extend(more);
    found.retain(|it| about.fleet.is_none_or(|fleet| !it.is_routine(fleet)));
    // Who floods a host at any port does not look for open ones; who guesses at a service does not move on by it.
    let flooded: Vec<IpAddr> = of_role(&found, NetworkRole::Ddos).filter_map(|it| it.dst).collect();
    found.retain(|it| it.kind != Kind::Vertical || it.dst.is_none_or(|it| !flooded.contains(&it)));
    let guessed: Vec<(Option<IpAddr>, u16)> = found
        .iter()
        .filter(|it| it.role() == Some(NetworkRole::BruteForce) && !it.succeeded)
        .map(|it| (if it.kind == Kind::Spray { None } else { it.dst }, it.port))
        .collect();
    found.retain(|it| {
        it.role() != Some(NetworkRole::Lateral)
            || !guessed.contains(&(it.dst, it.port)) && !guessed.contains(&(None, it.port))
    });
    found.sort_by(|a, b| (a.role, b.calls, a.dst, a.port).cmp(&(b.role, a.calls, b.dst, b.port)));
    found.truncate(ROLES_OF_ONE);
    found
}

fn of_role(found: &[Found], role: NetworkRole) -> impl Iterator<Item = &Found> {
    found.iter().filter(move |it| it.role() == Some(role))
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use crate::label::network::flow::{Flow, Outcome, address};
    use crate::label::network::sums::Sums;

    /// Calls of one caller, by hand.
    #[derive(Default)]
    pub(crate) struct Traffic(pub Sums, pub u128);

    impl Traffic {
        /// `dst:port`, microseconds, bytes sent and received; answered where something came back.
        pub(crate) fn call(&mut self, to: &str, time: i64, sent: u64, received: u64) -> &mut Self {
            self.1 += 1;
            let (dst, port) = to.rsplit_once(':').expect("address:port");
            let (port, proto) = match port.strip_prefix('u') {
                Some(port) => (port, Proto::Udp),
                None => (port, Proto::Tcp),
            };
            self.0.add(&Flow {
                src: address("10.0.0.5").expect("an address"),
                dst: address(dst).expect("an address"),
                port: port.parse().expect("a port"),
                src_port: 50_000,
                proto,
                time: Some(time),
                sent: Some(sent),
                received: Some(received),
                outcome: if received > 0 { Outcome::Answered } else { Outcome::Dead },
                count: 1,
                at: At { event: self.1, ..At::default() },
            });
            self
        }

        pub(crate) fn roles(self, suspicious: bool) -> Vec<(NetworkRole, Kind, bool)> {
            self.found(&About { suspicious, ..About::default() })
                .iter()
                .map(|it| (it.role().expect("a role"), it.kind, it.succeeded))
                .collect()
        }

        pub(crate) fn found(self, about: &About<'_>) -> Vec<Found> {
            let settled = self.0.settle();
            let found = roles(&settled.pairs, Kept::of(&settled), about);
            assert!(found.iter().all(|it| !it.why.is_empty() && !it.places.is_empty()), "{found:#?}");
            found
        }
    }

    pub(crate) const SECOND: i64 = 1_000_000;
}
