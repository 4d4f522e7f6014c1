//! the connections of one process of an intrusion → its network roles, before the fleet is asked; and what alerts say.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use ringleader_model::{Activity, EventClass, Field};

use super::Host;
use crate::collect::rows::Bucket;
use crate::connect::link::base_name;
use crate::connect::{Process, text};
use crate::label::network::flow::{self, Flow};
use crate::label::network::roles::{About, Kept, roles};
use crate::label::network::sums::Sums;
use crate::merge::record::{NodeNetwork, Told};

/// Connections of one process that are summed, its services that are told, and pairs kept of it.
const ROWS: usize = 1 << 20;
const SERVICES: usize = 64;
const PAIRS: usize = 1 << 14;

/// Programs whose errand is to fetch.
const FETCHERS: &[&str] = &[
    "curl",
    "wget",
    "tftp",
    "ftp",
    "ftpget",
    "ncftpget",
    "aria2c",
    "axel",
    "lwp-download",
    "fetch",
    "bitsadmin",
    "certutil",
];

pub(super) fn of(
    bucket: &Bucket,
    process: Option<&Process>,
    told: BTreeSet<Told>,
    host: &Host<'_>,
    suspicious: bool,
) -> Option<Box<NodeNetwork>> {
    let mut network = NodeNetwork { told: told.into_iter().collect(), ..NodeNetwork::default() };
    if let Some(process) = process.filter(|_| suspicious) {
        connections(bucket, process, host, &mut network);
    }
    (network != NodeNetwork::default()).then(|| Box::new(network))
}

/// Of a node that no process was logged for.
pub(super) fn told(told: BTreeSet<Told>) -> Option<Box<NodeNetwork>> {
    (!told.is_empty()).then(|| Box::new(NodeNetwork { told: told.into_iter().collect(), ..NodeNetwork::default() }))
}

fn connections(bucket: &Bucket, process: &Process, host: &Host<'_>, network: &mut NodeNetwork) {
    let rows = process.deeds.iter().map(|it| &bucket.rows[*it as usize]);
    let mut sums = Sums::with_room(PAIRS, PAIRS);
    let own = host.addresses.iter().find_map(|it| flow::address(it)).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let rows = || rows.clone().filter(|it| it.class == EventClass::Network).take(ROWS);
    // Some sensors log a connection twice, when it is opened and when it is closed; some once.
    let mut opened: BTreeSet<(IpAddr, u16, u16)> = BTreeSet::new();
    for closed in [false, true] {
        for row in rows().filter(|it| (it.activity == Activity::Close) == closed) {
            let Some(flow) = Flow::of_host(bucket, row, own) else { continue };
            let call = (flow.dst, flow.port, flow.src_port);
            if closed && opened.contains(&call) {
                continue;
            }
            if !closed && opened.len() < PAIRS {
                opened.insert(call);
            }
            // It may have several addresses, and is one caller.
            sums.add(&Flow { src: own, ..flow });
        }
    }
    if sums.is_empty() {
        return;
    }
    let settled = sums.settle();
    let name = text(bucket, process.file_path).map(|it| base_name(it).to_ascii_lowercase()).unwrap_or_default();
    let fetches = FETCHERS.contains(&name.trim_end_matches(".exe"));
    let about = About { suspicious: true, of_process: true, fetches, fleet: None };
    network.found = roles(&settled.pairs, Kept::of(&settled), &about);
    let mut called: BTreeMap<(IpAddr, u16), (Option<i64>, Option<i64>)> = BTreeMap::new();
    for (pair, talks) in &settled.pairs {
        called.entry((pair.dst, pair.port)).or_insert((talks.first(), talks.last()));
    }
    network.called = called.into_iter().take(SERVICES).map(|((ip, port), (a, b))| (ip, port, a, b)).collect();
}

/// How an alert of a sensor on the wire is about a process: it called that address, or its command names it.
pub(super) fn called(bucket: &Bucket, process: &Process, addresses: &[Option<&str>], time: Option<i64>) -> bool {
    let near = |row: Option<i64>| match (row, time) {
        (Some(row), Some(time)) => row.abs_diff(time) <= NEAR,
        _ => false,
    };
    process.deeds.iter().take(super::RECORDED_ROWS).map(|it| &bucket.rows[*it as usize]).any(|row| {
        row.class == EventClass::Network
            && near(row.time.map(|it| it.0))
            && bucket.text(row, Field::DstIp).is_some_and(|it| addresses.contains(&Some(it)))
    })
}

/// Microseconds between what two sensors say of one connection: long ones are logged when they end.
pub(crate) const NEAR: u64 = 300_000_000;
