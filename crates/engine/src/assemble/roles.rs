//! what the network shows, and the records of intrusions → network roles, joined to processes: by the log's own process,
//! else by host, service and time, else by what a process names, else to a host alone. What the quiet part of the fleet
//! calls as well is nobody's role.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ringleader_model::findings::*;
use ringleader_model::{Context, Timestamp};
use ringleader_pipeline::label::network::NetworkRole;
use ringleader_pipeline::label::network::flow::{At, is_internal};
use ringleader_pipeline::label::network::roles::{About, Fleet, Found, Kept, roles};
use ringleader_pipeline::label::network::sums::{Pair, Settled, Talks};
use ringleader_pipeline::merge::record::{EpisodeRecord, MemberRecord, NodeRecord};
use ringleader_pipeline::merge::stop::host_of;

use super::seen::Examples;
use super::{Assembly, hex};
use crate::analyze::Analyzed;

/// Roles told one by one; the rest is counted.
const ROWS: usize = 1 << 16;
/// Addresses that intrusions name, which are looked for behind NATs and proxies.
const NAMED: usize = 1 << 16;
/// Microseconds between what two sensors say of one connection.
const NEAR: i64 = 300_000_000;
/// Calls at one port that make a process the one that scans it.
const CALLS_OF_A_SCAN: usize = 3;

/// What is asked while hosts pass by.
pub(super) struct Roles<'a> {
    wire: &'a Settled,
    of_wire: Fleet,
    of_hosts: &'a Fleet,
    addresses: BTreeMap<&'a str, Vec<IpAddr>>,
    owner: BTreeMap<IpAddr, &'a str>,
    /// Name → addresses that look-ups gave.
    resolved: BTreeMap<&'a str, Vec<IpAddr>>,
    /// Addresses that processes of intrusions name: by which hosts, and the first process.
    named: BTreeMap<IpAddr, Named>,
    done: BTreeSet<IpAddr>,
    left_out: u64,
}

struct Named {
    hosts: BTreeSet<Text>,
    by: Whose,
}

/// A process of an intrusion.
#[derive(Clone)]
struct Whose {
    host: Text,
    uid: Text,
    file_path: Option<Text>,
    episode: Text,
    campaign: usize,
    path: u128,
    gang: Option<usize>,
}

impl<'a> Roles<'a> {
    pub(super) fn of(analyzed: &'a Analyzed) -> Self {
        let network = &analyzed.network;
        let mut addresses: BTreeMap<&str, Vec<IpAddr>> = BTreeMap::new();
        let mut owner = BTreeMap::new();
        if !network.wire.pairs.is_empty() {
            for (address, host) in &analyzed.own_addresses {
                if let (Ok(ip), Some(host)) = (address.parse::<IpAddr>(), host) {
                    addresses.entry(host).or_default().push(ip.to_canonical());
                    owner.insert(ip.to_canonical(), host.as_str());
                }
            }
        }
        let mut resolved: BTreeMap<&str, Vec<IpAddr>> = BTreeMap::new();
        for (ip, names) in &network.wire.names {
            for name in names {
                resolved.entry(name).or_default().push(*ip);
            }
        }
        let is_suspicious = |ip: &IpAddr| owner.get(ip).is_some_and(|it| network.suspicious.contains(*it));
        Self {
            wire: &network.wire,
            of_wire: Fleet::of(&network.wire, is_suspicious),
            of_hosts: &network.fleet,
            addresses,
            owner,
            resolved,
            named: BTreeMap::new(),
            done: BTreeSet::new(),
            left_out: 0,
        }
    }

    fn is_routine(&self, it: &Found) -> bool {
        it.is_routine(self.of_hosts) || it.is_routine(&self.of_wire)
    }

    /// What one host's intrusions did, and the host itself.
    pub(super) fn host(&mut self, all: &mut Assembly<'_>, host: &Text, shown: &[(EpisodeRecord, usize)]) {
        let nodes =
            || shown.iter().flat_map(|(record, campaign)| record.nodes.iter().map(move |it| (record, *campaign, it)));
        let mut known: BTreeSet<(u8, Option<IpAddr>, u16)> = BTreeSet::new();
        for (record, campaign, node) in nodes().filter(|it| it.2.network.is_some()) {
            let whose = Whose::of(all, record, campaign, node);
            let Some(network) = &node.network else { continue };
            for found in &network.found {
                if !self.is_routine(found) {
                    known.insert((found.role, found.dst, found.port));
                    self.tell(all, host, found, JoinedBy::Process, Some(&whose), None);
                }
            }
            for told in &network.told {
                self.tell_alert(all, host, told, &whose);
            }
        }
        let suspicious = all.analyzed.network.suspicious.contains(&**host);
        let addresses = self.addresses.get(&**host).cloned().unwrap_or_default();
        if suspicious && !self.wire.pairs.is_empty() {
            self.note_named(all, host, nodes());
        }
        for address in addresses {
            self.done.insert(address);
            let about = About { suspicious, fleet: Some(&self.of_wire), ..About::default() };
            for found in roles(self.wire.of(&address), Kept::of(self.wire), &about) {
                if self.is_routine(&found) || known.contains(&(found.role, found.dst, found.port)) {
                    continue;
                }
                let by_call = nodes().find(|it| it.2.network.as_ref().is_some_and(|it| calls(&it.called, &found)));
                let by_name = || found.dst.and_then(|dst| nodes().find(|it| self.names(it.2, &dst)));
                let (joined, node) = match by_call {
                    Some(it) => (JoinedBy::FiveTuple, Some(it)),
                    None => by_name().map_or((JoinedBy::Address, None), |it| (JoinedBy::Indicator, Some(it))),
                };
                let whose = node.map(|(record, campaign, node)| Whose::of(all, record, campaign, node));
                self.tell(all, host, &found, joined, whose.as_ref(), None);
            }
        }
    }

    /// Whether a command of the process names the address, or a name that led to it.
    fn names(&self, node: &NodeRecord, dst: &IpAddr) -> bool {
        named_by(node)
            .any(|it| it.parse() == Ok(*dst) || self.resolved.get(it.as_str()).is_some_and(|it| it.contains(dst)))
    }

    fn note_named<'r>(
        &mut self,
        all: &Assembly<'_>,
        host: &Text,
        nodes: impl Iterator<Item = (&'r EpisodeRecord, usize, &'r NodeRecord)>,
    ) {
        for (record, campaign, node) in nodes {
            for name in named_by(node) {
                let direct = name.parse::<IpAddr>().ok();
                let looked_up = self.resolved.get(name.as_str()).cloned().unwrap_or_default();
                for ip in direct.into_iter().chain(looked_up).filter(|it| !is_internal(it)) {
                    if self.named.len() >= NAMED && !self.named.contains_key(&ip) {
                        continue;
                    }
                    let by = || Named { hosts: BTreeSet::new(), by: Whose::of(all, record, campaign, node) };
                    self.named.entry(ip).or_insert_with(by).hosts.insert(host.clone());
                }
            }
        }
    }

    /// Callers that are no host of an intrusion: what shows in the traffic alone, and what is an intrusion's behind a NAT.
    pub(super) fn rest(mut self, all: &mut Assembly<'_>) {
        let wire = self.wire;
        for caller in wire.callers().filter(|it| !it.is_empty()) {
            let src = caller[0].0.src;
            if self.done.contains(&src) {
                continue;
            }
            let owner = self.owner.get(&src).copied();
            let host: Text = owner.map_or_else(|| src.to_string().into(), Into::into);
            let suspicious = owner.is_some_and(|it| all.analyzed.network.suspicious.contains(it));
            let about = About { suspicious, fleet: Some(&self.of_wire), ..About::default() };
            let outside = owner.is_none() && !is_internal(&src);
            for found in roles(caller, Kept::of(wire), &about) {
                // Everybody who is on the internet is scanned: of callers outside, only who got in matters.
                if !self.is_routine(&found) && (!outside || found.succeeded) {
                    self.tell(all, &host, &found, JoinedBy::Address, None, None);
                }
            }
            if owner.is_none() {
                self.behind(all, caller);
            }
        }
        for (host, guessed) in &all.analyzed.network.guessed {
            for found in guessed {
                self.tell_logons(all, &host.as_str().into(), found);
            }
        }
        let rows = &mut all.findings.network_roles;
        rows.sort_by(|a, b| {
            let key = |it: &NetworkRoleRow| {
                (it.host.clone(), it.role.clone(), it.peer.clone(), it.port, it.process_uid.clone())
            };
            (key(a), &a.why, &a.evidence_ids).cmp(&(key(b), &b.why, &b.evidence_ids))
        });
        rows.dedup();
        let lost = wire.lost_per_million();
        for (what, n) in
            [("network roles beyond the limit", self.left_out), ("network pairs left out, of a million", lost)]
        {
            if n > 0 {
                all.findings.looked_for.insert(what.to_owned(), n);
            }
        }
    }

    /// A caller that is no known host calls what an intrusion names: a NAT or proxy in front of it.
    fn behind(&mut self, all: &mut Assembly<'_>, caller: &[(Pair, Talks)]) {
        let theirs: Vec<(Pair, Talks)> =
            caller.iter().filter(|it| self.named.contains_key(&it.0.dst)).cloned().collect();
        let about = About { suspicious: true, of_process: true, fleet: Some(&self.of_wire), ..About::default() };
        for found in roles(&theirs, Kept::of(self.wire), &about) {
            let Some(named) = found.dst.and_then(|it| self.named.get(&it)) else { continue };
            if self.is_routine(&found) {
                continue;
            }
            let note = match named.hosts.len() {
                1 => format!("the caller {} is no address of this host that is known: a NAT or proxy", found.src),
                n => format!(
                    "the caller {} is no known host's address: a NAT or proxy; {n} hosts name this peer",
                    found.src
                ),
            };
            let (whose, host) = (named.by.clone(), named.by.host.clone());
            self.tell(all, &host, &found, JoinedBy::Indicator, Some(&whose), Some(note));
        }
    }

    fn tell(
        &mut self,
        all: &mut Assembly<'_>,
        host: &Text,
        found: &Found,
        joined_by: JoinedBy,
        whose: Option<&Whose>,
        note: Option<String>,
    ) {
        let Some(role) = found.role() else { return };
        let peer = found.dst.map(|it| spell(&it, found.port));
        let mut examples = Examples::default();
        for (time, at) in &found.places {
            examples.add(&record_of(*at, *time), joined_by == JoinedBy::Indicator);
        }
        let confidence = match joined_by {
            JoinedBy::Indicator => found.confidence_permille.min(600),
            _ => found.confidence_permille,
        };
        if let Some(whose) = whose {
            whose.give(all, role, peer.as_deref(), found.dst, &examples);
        }
        if all.findings.network_roles.len() >= ROWS {
            self.left_out += 1;
            return;
        }
        let claim = format!("{host}: {}: {}", role.name(), found.why);
        let evidence_ids = all.evidence_of(&examples, "network_role", &claim, Some(found.kind.name()), 60);
        let row = NetworkRoleRow {
            role: role.name().into(),
            kind: found.kind.name().into(),
            host: host.clone(),
            peer: peer.map(Into::into),
            port: (found.port != 0).then_some(found.port),
            inbound: false,
            calls: found.calls,
            targets: found.targets,
            first_seen: found.first.map(Timestamp),
            last_seen: found.last.map(Timestamp),
            succeeded: found.succeeded,
            confidence: Permille::new(confidence),
            joined_by,
            note: note.map(Into::into),
            process_uid: None,
            file_path: None,
            episode_id: None,
            campaign_id: None,
            gang_id: None,
            why: found.why.clone(),
            evidence_ids,
        };
        all.findings.network_roles.push(Whose::sign(whose, all, row));
    }

    fn tell_alert(
        &mut self,
        all: &mut Assembly<'_>,
        host: &Text,
        told: &ringleader_pipeline::merge::record::Told,
        whose: &Whose,
    ) {
        let Some(role) = NetworkRole::from_code(told.role) else { return };
        if all.findings.network_roles.len() >= ROWS {
            self.left_out += 1;
            return;
        }
        let mut examples = Examples::default();
        examples.add(&told.alert, false);
        let claim = format!("{host}: an alert says {} of {}", role.name(), told.value);
        let evidence_ids = all.evidence_of(&examples, "network_role", &claim, Some("alert"), 60);
        let time = told.alert.time.map(Timestamp);
        let confidence = match told.joined {
            JoinedBy::Process => 900,
            JoinedBy::FiveTuple => 850,
            _ => 600,
        };
        let note = (told.joined == JoinedBy::Indicator).then(|| "joined by indicator only".into());
        let row = NetworkRoleRow {
            role: role.name().into(),
            kind: "alert".into(),
            host: host.clone(),
            peer: (!told.value.is_empty()).then(|| told.value.as_str().into()),
            port: None,
            inbound: false,
            calls: 1,
            targets: 1,
            first_seen: time,
            last_seen: time,
            succeeded: false,
            confidence: Permille::new(confidence),
            joined_by: told.joined,
            note,
            process_uid: None,
            file_path: None,
            episode_id: None,
            campaign_id: None,
            gang_id: None,
            why: format!("an alert says so of {}", told.value),
            evidence_ids,
        };
        all.findings.network_roles.push(Whose::sign(Some(whose), all, row));
    }

    /// Somebody guessed at the host's logons.
    fn tell_logons(&mut self, all: &mut Assembly<'_>, host: &Text, found: &Found) {
        self.tell(all, host, found, JoinedBy::Address, None, None);
        if let Some(row) = all.findings.network_roles.last_mut().filter(|it| it.why == found.why) {
            (row.inbound, row.peer) = (true, Some(found.src.to_string().into()));
        }
    }
}

impl Whose {
    fn of(all: &Assembly<'_>, record: &EpisodeRecord, campaign: usize, node: &NodeRecord) -> Self {
        Self {
            host: record.host.as_str().into(),
            uid: node.uid.as_str().into(),
            file_path: node.file_path.as_deref().map(Into::into),
            episode: hex(record.id),
            campaign,
            path: node.path,
            gang: all.gang_of.get(&campaign).copied(),
        }
    }

    /// The role is its campaign's node's, and its gang's.
    fn give(
        &self,
        all: &mut Assembly<'_>,
        role: NetworkRole,
        peer: Option<&str>,
        dst: Option<IpAddr>,
        shown: &Examples,
    ) {
        let node = all.campaigns.list[self.campaign].resolve(self.path);
        all.node_roles.entry((self.campaign, node)).or_default().insert(role as u8);
        if let Some(gang) = self.gang {
            let address = dst.map(|it| it.to_string());
            all.seen[gang].role(role as u8, &self.host, [peer, address.as_deref()], shown);
        }
    }

    fn sign(whose: Option<&Self>, all: &Assembly<'_>, row: NetworkRoleRow) -> NetworkRoleRow {
        let Some(it) = whose else { return row };
        NetworkRoleRow {
            process_uid: Some(it.uid.clone()),
            file_path: it.file_path.clone(),
            episode_id: Some(it.episode.clone()),
            campaign_id: Some(hex(all.campaigns.list[it.campaign].id)),
            gang_id: it.gang.map(|at| hex(all.gangs[at].id)),
            ..row
        }
    }
}

/// Hosts and addresses that a process itself used.
fn named_by(node: &NodeRecord) -> impl Iterator<Item = String> {
    let used = node.indicators.iter().filter(|it| !matches!(it.1, Context::Killed | Context::Mentioned));
    used.filter_map(|(kind, _, value)| {
        host_of(*kind, value).or_else(|| {
            matches!(kind, ringleader_model::IndicatorKind::Ip | ringleader_model::IndicatorKind::Domain)
                .then(|| value.clone())
        })
    })
}

/// Whether a process called the service at that time; of a scan, that port of several addresses.
fn calls(called: &[(IpAddr, u16, Option<i64>, Option<i64>)], found: &Found) -> bool {
    let overlaps = |first: Option<i64>, last: Option<i64>| match (first, last, found.first, found.last) {
        (Some(a), Some(b), Some(c), Some(d)) => a.saturating_sub(NEAR) <= d && c.saturating_sub(NEAR) <= b,
        _ => false,
    };
    let of = |it: &&(IpAddr, u16, Option<i64>, Option<i64>)| {
        (found.dst.is_none_or(|dst| dst == it.0)) && (found.port == 0 || found.port == it.1) && overlaps(it.2, it.3)
    };
    let least = if found.dst.is_some() && found.port != 0 { 1 } else { CALLS_OF_A_SCAN };
    called.iter().filter(of).take(least).count() == least
}

fn record_of(at: At, time: Option<i64>) -> MemberRecord {
    MemberRecord {
        event: at.event,
        own_id: None,
        source: at.source,
        offset: at.offset,
        length: at.length,
        time,
        pid: None,
    }
}

fn spell(ip: &IpAddr, port: u16) -> String {
    match (ip, port) {
        (_, 0) => ip.to_string(),
        (IpAddr::V6(_), _) => format!("[{ip}]:{port}"),
        (IpAddr::V4(_), _) => format!("{ip}:{port}"),
    }
}
