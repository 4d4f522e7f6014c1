//! what hosts' own logs tell of the network, beside their episodes → who calls what, who guessed at whom, which hosts show
//! anything. Host by host; deliberately absent: any role (`assemble/roles`).

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use ringleader_model::EventClass;
use ringleader_pipeline::collect::rows::{Bucket, Row};
use ringleader_pipeline::connect::HostGraph;
use ringleader_pipeline::label::network::flow::Flow;
use ringleader_pipeline::label::network::roles::{Fleet, Found, logons};
use ringleader_pipeline::label::network::sums::Settled;

/// Services that one host is known to call; the first in their own order.
const CALLED: usize = 4096;
/// Guessers told of one host: those that got in, then those that tried most.
const GUESSERS: usize = 8;

#[derive(Default)]
pub struct NetworkSide {
    /// Connections of sensors on the wire, by caller.
    pub wire: Settled,
    /// By what hosts' own sensors log.
    pub fleet: Fleet,
    /// Host → who guessed at its logons.
    pub guessed: BTreeMap<String, Vec<Found>>,
    pub suspicious: BTreeSet<String>,
}

impl NetworkSide {
    pub(crate) fn merge(&mut self, other: Self) {
        self.fleet.merge(other.fleet);
        self.guessed.extend(other.guessed);
        self.suspicious.extend(other.suspicious);
    }

    pub(crate) fn host(&mut self, bucket: &Bucket, graph: &HostGraph, name: &str, suspicious: bool) {
        let row = |it: &u32| &bucket.rows[*it as usize];
        let deeds = graph.processes.iter().flat_map(|it| &it.deeds).map(row);
        let loose = graph.loose.iter().map(row);
        let connections = |it: &&Row| it.class == EventClass::Network;
        let own = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let mut called: BTreeSet<(IpAddr, u16)> = BTreeSet::new();
        for flow in deeds.chain(loose.clone()).filter(connections).filter_map(|it| Flow::of_host(bucket, it, own)) {
            called.insert((flow.dst, flow.port));
            if called.len() > CALLED {
                called.pop_last();
            }
        }
        for service in called {
            self.fleet.add(service, suspicious, 1);
        }
        let mut guessed = logons::guessed(bucket, loose);
        if !guessed.is_empty() {
            guessed.sort_by(|a, b| (b.succeeded, b.calls, a.src).cmp(&(a.succeeded, a.calls, b.src)));
            guessed.truncate(GUESSERS);
            self.guessed.entry(name.to_owned()).or_default().extend(guessed);
        }
        if suspicious {
            self.suspicious.insert(name.to_owned());
        }
    }
}
