//! A fleet for some days: its hosts, its flows, and who does what. Random numbers come from a seed alone.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use ringleader_model::hash::hash64;
use ringleader_pipeline::label::network::NetworkRole;
use ringleader_pipeline::label::network::flow::{At, Flow, Outcome, Proto};

pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;
pub(crate) const DAYS: i64 = 4;
pub(crate) const HOSTS: usize = 60;

pub(crate) struct World {
    pub(crate) random: Random,
    pub(crate) flows: Vec<Flow>,
    /// Callers that behaviours or alerts speak against.
    pub(crate) suspicious: BTreeSet<IpAddr>,
    pub(crate) truth: BTreeSet<(IpAddr, NetworkRole)>,
    /// Of a truth: what kind of it, for the table of kinds.
    pub(crate) kinds: Vec<(IpAddr, NetworkRole, &'static str)>,
    /// Flows of one process of an intrusion that fetches, as its host's own sensor logs them.
    pub(crate) fetched: Vec<Flow>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: Random(seed),
            flows: Vec::new(),
            suspicious: BTreeSet::new(),
            truth: BTreeSet::new(),
            kinds: Vec::new(),
            fetched: Vec::new(),
        }
    }

    pub(crate) fn claim(&mut self, src: IpAddr, role: NetworkRole, kind: &'static str) {
        self.suspicious.insert(src);
        self.truth.insert((src, role));
        self.kinds.push((src, role, kind));
    }

    pub(crate) fn call(&mut self, src: IpAddr, dst: IpAddr, to: To, time: i64, bytes: (u64, u64)) {
        let outcome = if bytes.1 > 0 { Outcome::Answered } else { Outcome::Dead };
        let at = At { event: self.flows.len() as u128 + 1, ..At::default() };
        self.flows.push(Flow {
            src,
            dst,
            port: to.0,
            src_port: 32_768 + (self.random.below(28_000)) as u16,
            proto: to.1,
            time: Some(time),
            sent: Some(bytes.0),
            received: Some(bytes.1),
            outcome,
            count: 1,
            at,
        });
    }

    /// A few flows are not seen: sensors drop packets.
    pub(crate) fn lose(&mut self, percent: u64) {
        let Self { random, flows, .. } = self;
        flows.retain(|_| !random.chance(percent));
    }
}

#[derive(Clone, Copy)]
pub(crate) struct To(pub(crate) u16, pub(crate) Proto);
pub(crate) const fn tcp(port: u16) -> To {
    To(port, Proto::Tcp)
}
pub(crate) const fn udp(port: u16) -> To {
    To(port, Proto::Udp)
}

/// A host of the fleet.
pub(crate) fn own(n: usize) -> IpAddr {
    Ipv4Addr::new(10, 20, (n / 200) as u8, (n % 200 + 1) as u8).into()
}

pub(crate) struct Random(u64);
impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        hash64(&self.0.to_le_bytes())
    }
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }
    pub(crate) fn within(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to - from)
    }
    pub(crate) fn time(&mut self, from: i64, to: i64) -> i64 {
        from + self.below((to - from).max(1) as u64) as i64
    }
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
    /// Any address of the internet.
    pub(crate) fn outside(&mut self) -> IpAddr {
        loop {
            let ip = Ipv4Addr::from_bits(self.next() as u32);
            let first = ip.octets()[0];
            if !ip.is_private() && first > 0 && first < 224 && first != 127 && ip.octets()[3] != 255 {
                return ip.into();
            }
        }
    }
    /// Around a value, long-tailed: half to double, sometimes ten times.
    pub(crate) fn around(&mut self, value: u64) -> u64 {
        let half = value / 2;
        if self.chance(5) { value * 10 } else { half + self.below(value + half + 1) }
    }
}
