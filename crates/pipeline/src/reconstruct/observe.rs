//! events of one bucket → what they say of hosts and of pairs of hosts, summed so that ten million flows stay small.
//!
//! Merging is union, sum, minimum and bottom-k by time and id, so the split does not matter. Deliberately absent: any
//! verdict, and whether a name and an address are one host (`identity`).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use ringleader_model::findings::Text;
use ringleader_model::{Activity, EventClass, EventId, Field, SensorRole};

use super::flows::{Call, Flows};
use super::remote::{self, Drop, RemoteRun};
use super::rules::Rules;
use crate::collect::artefacts::kind;
use crate::collect::rows::{Bucket, Row, Sym};
use crate::label::methods::{Methods, Stage};

/// Where an observation stands: it is quoted from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ref {
    pub id: EventId,
    pub source: u32,
    pub offset: u64,
    pub length: u32,
}

/// Flows of one pair are told apart by ten minutes, enough for a window that grows by hours.
pub(super) const SLOT: i64 = 600 * 1_000_000;
/// References kept for one observation.
const REFS: usize = 3;
/// Programs kept of one bucket of hosts, command lines of one program, alerts, connections for the clocks.
const MAX_PROGRAMS: usize = 500_000;
const MAX_COMMANDS: usize = 6;
const MAX_ALERTS: usize = 100_000;
pub(super) const MAX_PAIRS: usize = 50_000;
const MAX_HTTP: usize = 10_000;
/// What one ten minutes of one pair costs is small, and a flood of pairs must not take the machine.
const MAX_FLOWS: usize = 4_000_000;
/// Servers outside, callers of one before it counts as popular, and addresses in commands.
pub(super) const MAX_SERVERS: usize = 50_000;
pub(super) const MAX_CALLERS: usize = 2_000;
const MAX_FETCHES: usize = 100_000;

/// First and last time, and how often.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// `None`: only without a time.
    pub first: Option<i64>,
    pub last: Option<i64>,
    pub count: u64,
    /// Earliest first.
    pub refs: Vec<(i64, Ref)>,
}

impl Seen {
    pub(super) fn add(&mut self, time: Option<i64>, count: u64, at: Ref) {
        if let Some(time) = time {
            self.first = Some(self.first.map_or(time, |it| it.min(time)));
            self.last = Some(self.last.map_or(time, |it| it.max(time)));
        }
        self.count = self.count.saturating_add(count);
        self.keep((time.unwrap_or(i64::MAX), at));
    }

    fn keep(&mut self, it: (i64, Ref)) {
        if self.refs.len() == REFS && self.refs.last().is_some_and(|last| *last <= it) {
            return;
        }
        if let Err(place) = self.refs.binary_search(&it) {
            self.refs.insert(place, it);
            self.refs.truncate(REFS);
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = [self.last, other.last].into_iter().flatten().max();
        self.count = self.count.saturating_add(other.count);
        other.refs.into_iter().for_each(|it| self.keep(it));
    }

    pub fn places(&self) -> impl Iterator<Item = Ref> {
        self.refs.iter().map(|it| it.1)
    }
}

/// A host as a record names it: an address or a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FlowKey {
    pub src: Text,
    pub dst: Text,
    pub port: u16,
    pub slot: i64,
    /// The host whose clock the time is of; empty for a network sensor.
    pub reporter: Text,
    /// The program at the calling end, where it is none of the system's.
    pub program: Option<Text>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flow {
    pub seen: Seen,
    pub answered: u64,
    pub refused: u64,
    /// Bytes of the largest record, both ways.
    pub bytes: u64,
}

/// Who called a server outside, and first when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Server {
    /// With whether the time is of its own clock.
    pub callers: BTreeMap<(Text, bool), Seen>,
    /// So many called it that it says nothing of anybody.
    pub popular: bool,
}

impl Server {
    pub(super) fn merge(&mut self, other: Self) {
        self.popular |= other.popular;
        for (caller, seen) in other.callers {
            self.callers.entry(caller).or_default().merge(seen);
        }
        self.settle();
    }
    fn settle(&mut self) {
        self.popular |= self.callers.len() > MAX_CALLERS;
        if self.popular {
            self.callers.clear();
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Program {
    pub seen: Seen,
    /// Seen starting, not only running in a snapshot.
    pub started: bool,
    pub hashes: BTreeSet<Text>,
    pub commands: BTreeSet<Text>,
    pub parents: BTreeSet<Text>,
    /// As logged, the first by order.
    pub path: Text,
    /// It only lay there (Amcache).
    pub lay: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Logons {
    pub seen: Seen,
    pub succeeded: u64,
    pub failed: u64,
    /// First success.
    pub first_success: Option<i64>,
    pub by_key: bool,
    pub users: BTreeSet<Text>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alert {
    pub time: Option<i64>,
    /// The host that it is about, as it names it.
    pub host: Option<Text>,
    pub title: Text,
    pub src: Option<Text>,
    pub dst: Option<Text>,
    pub port: Option<u16>,
    pub path: Option<Text>,
    pub hash: Option<Text>,
    pub cve: Option<Text>,
    pub role: Option<Text>,
    pub at: Ref,
}

/// A line of the malware's own log, summed over repeats.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tried {
    pub seen: Seen,
    pub ports: BTreeSet<u16>,
    pub succeeded: bool,
    pub failed: bool,
    pub file: Option<Text>,
    pub sample: Option<Text>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HttpAttack {
    pub time: Option<i64>,
    pub host: Text,
    pub src: Option<Text>,
    pub method: Text,
    pub confidence: u16,
    pub at: Ref,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Telemetry {
    /// Ten-minute slots in which it logged processes.
    pub process_slots: BTreeSet<i64>,
    /// Times of process snapshots, by slot.
    pub snapshot_slots: BTreeSet<i64>,
    pub any: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asset {
    pub role: Option<Text>,
    pub owner: Option<Text>,
    pub criticality: Option<Text>,
}

/// One connection as one reporter saw it: (src, src port, dst, dst port).
type Pair = (Text, u16, Text, u16);

/// Everything the logs say that an incident could be made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    pub flows: BTreeMap<FlowKey, Flow>,
    /// (host, path in one spelling)
    pub programs: BTreeMap<(Text, Text), Program>,
    /// (host, from, service)
    pub logons: BTreeMap<(Text, Text, Text, i64), Logons>,
    pub alerts: BTreeSet<Alert>,
    /// (host, target, whether of the exploit)
    pub tried: BTreeMap<(Text, Text, bool), Tried>,
    pub remote: BTreeSet<RemoteRun>,
    pub drops: BTreeSet<Drop>,
    pub http: BTreeSet<HttpAttack>,
    /// (address, name) → first and last time that the name had it.
    pub claims: BTreeMap<(Text, Text), Seen>,
    pub telemetry: BTreeMap<Text, Telemetry>,
    pub assets: BTreeMap<Text, Asset>,
    /// By hash of the connection, so that what is dropped does not depend on order: reporter → time.
    pub pairs: BTreeMap<(u64, Pair), BTreeMap<Text, i64>>,
    /// (host, key)
    pub keys: BTreeMap<(Text, Text), Seen>,
    /// By hash, so that what is dropped does not depend on order: (address, port) outside.
    pub servers: BTreeMap<(u64, Text, u16), Server>,
    /// (host, address inside): a command there fetched something from it.
    pub fetches: BTreeMap<(Text, Text), Seen>,
    /// Hosts that agents or artefacts report from.
    pub reporters: BTreeSet<Text>,
    pub first: Option<i64>,
    pub last: Option<i64>,
    /// What did not fit.
    pub dropped: u64,
}

impl Observed {
    pub fn merge(&mut self, other: Self) {
        for (key, it) in other.flows {
            self.add_flow(key, it);
        }
        for (key, it) in other.programs {
            self.programs.entry(key).or_default().merge(it);
        }
        for (key, it) in other.logons {
            self.logons.entry(key).or_default().merge(it);
        }
        for (key, it) in other.tried {
            let to = self.tried.entry(key).or_default();
            to.seen.merge(it.seen);
            to.ports.extend(it.ports);
            to.succeeded |= it.succeeded;
            to.failed |= it.failed;
            to.file = [to.file.take(), it.file].into_iter().flatten().min();
            to.sample = [to.sample.take(), it.sample].into_iter().flatten().min();
        }
        for (key, it) in other.claims {
            self.claims.entry(key).or_default().merge(it);
        }
        for (host, it) in other.telemetry {
            let to = self.telemetry.entry(host).or_default();
            to.process_slots.extend(it.process_slots);
            to.snapshot_slots.extend(it.snapshot_slots);
            to.any += it.any;
        }
        for (host, it) in other.assets {
            let to = self.assets.entry(host).or_default();
            to.role = to.role.take().or(it.role);
            to.owner = to.owner.take().or(it.owner);
            to.criticality = to.criticality.take().or(it.criticality);
        }
        for (key, it) in other.pairs {
            for (reporter, time) in it {
                self.add_pair(key.clone(), reporter, time);
            }
        }
        for (key, it) in other.keys {
            self.keys.entry(key).or_default().merge(it);
        }
        for (key, it) in other.servers {
            self.servers.entry(key).or_default().merge(it);
        }
        while self.servers.len() > MAX_SERVERS {
            self.servers.pop_last();
        }
        for (key, it) in other.fetches {
            self.fetches.entry(key).or_default().merge(it);
        }
        self.alerts.extend(other.alerts);
        self.remote.extend(other.remote);
        self.drops.extend(other.drops);
        self.http.extend(other.http);
        self.reporters.extend(other.reporters);
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = [self.last, other.last].into_iter().flatten().max();
        self.dropped += other.dropped;
    }

    pub(super) fn add_flow(&mut self, key: FlowKey, it: Flow) {
        if self.flows.len() >= MAX_FLOWS && !self.flows.contains_key(&key) {
            self.dropped += 1;
            return;
        }
        let to = self.flows.entry(key).or_default();
        to.seen.merge(it.seen);
        to.answered += it.answered;
        to.refused += it.refused;
        to.bytes = to.bytes.max(it.bytes);
    }

    pub(super) fn add_pair(&mut self, key: (u64, Pair), reporter: Text, time: i64) {
        let known = self.pairs.entry(key).or_default().entry(reporter).or_insert(time);
        *known = (*known).min(time);
        if self.pairs.len() > MAX_PAIRS {
            self.pairs.pop_last();
        }
    }
}

impl Program {
    fn merge(&mut self, it: Self) {
        self.seen.merge(it.seen);
        self.started |= it.started;
        self.hashes.extend(it.hashes);
        self.commands.extend(it.commands);
        self.parents.extend(it.parents);
        self.path = if self.path.is_empty() { it.path } else { self.path.clone().min(it.path) };
        self.lay &= it.lay;
        while self.commands.len() > MAX_COMMANDS {
            self.commands.pop_last();
        }
        while self.hashes.len() > MAX_COMMANDS {
            self.hashes.pop_last();
        }
    }
}

impl Logons {
    fn merge(&mut self, it: Self) {
        self.seen.merge(it.seen);
        self.succeeded += it.succeeded;
        self.failed += it.failed;
        self.first_success = [self.first_success, it.first_success].into_iter().flatten().min();
        self.by_key |= it.by_key;
        self.users.extend(it.users);
        while self.users.len() > MAX_COMMANDS {
            self.users.pop_last();
        }
    }
}

/// An address in its one spelling; `None` for what no host on a network can have.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    let ip: IpAddr = text.trim().split('%').next()?.parse().ok()?;
    let ip = match ip {
        IpAddr::V6(it) => it.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    };
    let link_local = match ip {
        IpAddr::V4(it) => it.is_broadcast() || it.is_link_local() || it.octets()[0] == 0,
        IpAddr::V6(it) => it.segments()[0] & 0xffc0 == 0xfe80,
    };
    (!ip.is_loopback() && !ip.is_unspecified() && !ip.is_multicast() && !link_local).then_some(ip)
}

/// Whether an address is one's own network's.
pub(super) fn is_internal(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(it) => it.is_private() || (it.octets()[0] == 100 && it.octets()[1] & 0xc0 == 64),
        IpAddr::V6(it) => it.segments()[0] & 0xfe00 == 0xfc00,
    }
}

/// One path, one spelling: Windows paths in lower case, with a drive, without quotes and device names.
pub fn spell(path: &str) -> String {
    let path = path.trim().trim_matches('"');
    if path.starts_with('/') || !(path.contains('\\') || path.to_ascii_lowercase().ends_with(".exe")) {
        return path.to_owned();
    }
    let low = path.to_lowercase().replace('/', "\\").replace("\\\\", "\\");
    let low = low.strip_prefix("\\??\\").or_else(|| low.strip_prefix("\\?\\")).unwrap_or(&low);
    match low.strip_prefix("\\device\\harddiskvolume").and_then(|it| it.split_once('\\')) {
        Some((_, rest)) => format!("c:\\{rest}"),
        None => low.replace("%systemroot%", "c:\\windows").replace("%windir%", "c:\\windows"),
    }
}

/// The events of one bucket, looked at in turn.
pub fn observe(bucket: &Bucket, rules: &Rules, methods: &Methods) -> Observed {
    let mut it = Looking {
        bucket,
        methods,
        out: Observed::default(),
        texts: HashMap::new(),
        ips: HashMap::new(),
        flows: Flows::new(rules),
        fetched: HashMap::new(),
        payloads: HashMap::new(),
    };
    for row in &bucket.rows {
        it.row(row);
    }
    remote::find(bucket, &mut it.out);
    it.done()
}

struct Looking<'a> {
    bucket: &'a Bucket,
    methods: &'a Methods,
    out: Observed,
    texts: HashMap<Sym, Text>,
    ips: HashMap<Sym, Option<(Text, bool)>>,
    flows: Flows<'a>,
    /// Command → the addresses inside that it fetches from.
    fetched: HashMap<Sym, Vec<Text>>,
    payloads: HashMap<u64, Option<(Text, u16)>>,
}

pub(super) fn place(row: &Row) -> Ref {
    Ref { id: row.id, source: row.place.source, offset: row.place.offset, length: row.place.length }
}

impl Looking<'_> {
    fn text(&mut self, sym: Sym) -> Text {
        let strings = &self.bucket.strings;
        self.texts.entry(sym).or_insert_with(|| Arc::from(strings.get(sym))).clone()
    }

    fn field(&mut self, row: &Row, field: Field) -> Option<Text> {
        match self.bucket.sym(row, field) {
            0 => None,
            sym => Some(self.text(sym)),
        }
    }

    /// The address in a field, in its one spelling, and whether it is internal.
    fn ip(&mut self, row: &Row, field: Field) -> Option<(Text, bool)> {
        let sym = self.bucket.sym(row, field);
        let strings = &self.bucket.strings;
        self.ips
            .entry(sym)
            .or_insert_with(|| address(strings.get(sym)).map(|ip| (Arc::from(ip.to_string()), is_internal(&ip))))
            .clone()
    }

    fn port(&self, row: &Row, field: Field) -> Option<u16> {
        self.bucket.text(row, field)?.parse().ok()
    }

    fn row(&mut self, row: &Row) {
        let state = self.bucket.text(row, Field::State).unwrap_or("");
        if state == kind::ASSET {
            return self.asset(row);
        }
        if let Some(time) = row.time {
            self.out.first = Some(self.out.first.map_or(time.0, |it| it.min(time.0)));
            self.out.last = Some(self.out.last.map_or(time.0, |it| it.max(time.0)));
        }
        let of_host = row.sensor_role != SensorRole::Network;
        let host = self.text(row.host);
        if of_host {
            if !self.out.reporters.contains(&host) {
                self.out.reporters.insert(host.clone());
            }
            self.own_addresses(row, &host);
            let telemetry = self.out.telemetry.entry(host.clone()).or_default();
            telemetry.any += 1;
            if let Some(time) = row.time
                && row.class == EventClass::Process
            {
                match row.activity {
                    Activity::Launch => {
                        telemetry.process_slots.insert(time.0.div_euclid(SLOT));
                    }
                    Activity::Snapshot => {
                        telemetry.snapshot_slots.insert(time.0.div_euclid(SLOT));
                    }
                    _ => {}
                }
            }
        } else if let Some((ip, _)) = self.ip(row, Field::HostIp)
            && !matches!(row.class, EventClass::Detection)
        {
            self.out.claims.entry((ip, host.clone())).or_default().add(row.time.map(|it| it.0), 1, place(row));
        }
        match row.class {
            EventClass::Process => self.process(row, &host),
            EventClass::Network => self.network(row, &host, of_host),
            EventClass::Authentication => self.logon(row, &host),
            EventClass::Detection => self.alert(row, &host, of_host),
            EventClass::Http => self.http(row, &host, of_host),
            EventClass::File => {
                if state == kind::AUTHORIZED_KEY
                    && let Some(key) = self.field(row, Field::Detail)
                {
                    self.out.keys.entry((host, key)).or_default().add(row.time.map(|it| it.0), 1, place(row));
                }
            }
        }
    }

    fn own_addresses(&mut self, row: &Row, host: &Text) {
        let outbound = self.bucket.text(row, Field::Direction) == Some("outbound");
        let own = match row.class {
            // Windows writes the service's end as the source of a datagram's answer: only calls to services tell.
            EventClass::Network if self.port(row, Field::DstPort).is_none_or(|it| it < 32768) => {
                if outbound {
                    Some(Field::SrcIp)
                } else {
                    Some(Field::DstIp)
                }
            }
            _ => None,
        };
        let inbound = self.bucket.text(row, Field::Direction) == Some("inbound");
        for field in own.filter(|_| outbound || inbound).into_iter().chain([Field::HostIp]) {
            if let Some((ip, internal)) = self.ip(row, field)
                && (internal || field == Field::HostIp)
                && *ip != **host
            {
                self.out.claims.entry((ip, host.clone())).or_default().add(row.time.map(|it| it.0), 1, place(row));
            }
        }
    }

    fn asset(&mut self, row: &Row) {
        let host = self.text(row.host);
        let asset = Asset {
            role: self.field(row, Field::ServiceName),
            owner: self.field(row, Field::User),
            criticality: self.field(row, Field::Severity),
        };
        let addresses = self.bucket.text(row, Field::Answers).unwrap_or("");
        for ip in addresses.split(',').filter_map(address) {
            let ip: Text = Arc::from(ip.to_string());
            if *ip != *host {
                self.out.claims.entry((ip, host.clone())).or_default().add(None, 1, place(row));
            }
        }
        self.out.assets.insert(host, asset);
    }

    fn process(&mut self, row: &Row, host: &Text) {
        let state = self.bucket.text(row, Field::State).unwrap_or("");
        let trace = state == kind::PREFETCH || state == kind::AMCACHE;
        if state == "command" {
            return self.history(row, host);
        }
        if !matches!(row.activity, Activity::Launch | Activity::Snapshot) && !trace {
            return;
        }
        let command = self.bucket.text(row, Field::CmdLine);
        let logged = self.bucket.text(row, Field::FilePath);
        let path = match (logged, command) {
            (Some(path), Some(command)) if !path.contains(['/', '\\']) => {
                let first = first_word(command);
                if first.contains(['/', '\\']) && first.to_lowercase().contains(&path.to_lowercase()) {
                    first
                } else {
                    path
                }
            }
            (Some(path), _) => path,
            (None, Some(command)) => first_word(command),
            (None, None) => return,
        };
        if let Some(command) = command
            && row.activity == Activity::Launch
            && command.contains("://")
        {
            let sym = self.bucket.sym(row, Field::CmdLine);
            let from = self.fetched.entry(sym).or_insert_with(|| fetched_from(command));
            for address in from {
                let key = (host.clone(), address.clone());
                if self.out.fetches.len() < MAX_FETCHES || self.out.fetches.contains_key(&key) {
                    self.out.fetches.entry(key).or_default().add(row.time.map(|it| it.0), 1, place(row));
                }
            }
        }
        let key = (host.clone(), Arc::from(spell(path)));
        if self.out.programs.len() >= MAX_PROGRAMS && !self.out.programs.contains_key(&key) {
            self.out.dropped += 1;
            return;
        }
        let hash = self.field(row, Field::Hash);
        let parent = self.field(row, Field::ParentName);
        let program = self.out.programs.entry(key).or_insert_with(|| Program {
            path: path.into(),
            lay: true,
            ..Program::default()
        });
        program.lay &= state == kind::AMCACHE;
        program.started |= row.activity == Activity::Launch || state == kind::PREFETCH;
        program.seen.add(row.time.map(|it| it.0), 1, place(row));
        if program.hashes.len() < MAX_COMMANDS {
            program.hashes.extend(hash.iter().flat_map(|it| it.split(',')).map(hash_of));
        }
        if let Some(command) = command
            && !program.commands.contains(command)
        {
            program.commands.insert(Arc::from(cut(command, 512)));
            if program.commands.len() > MAX_COMMANDS {
                program.commands.pop_last();
            }
        }
        if let Some(parent) = parent
            && program.parents.len() < MAX_COMMANDS
        {
            program.parents.insert(parent);
        }
    }

    /// `ssh root@10.0.0.9` in a shell's history is a call.
    fn history(&mut self, row: &Row, host: &Text) {
        let Some(command) = self.bucket.text(row, Field::CmdLine) else { return };
        let mut words = command.split_whitespace();
        if !words.any(|it| matches!(it.rsplit('/').next(), Some("ssh" | "scp" | "sftp" | "rsync" | "ssh-copy-id"))) {
            return;
        }
        for word in words.filter(|it| !it.starts_with('-')).take(16) {
            let target = word.rsplit('@').next().unwrap_or(word).split(':').next().unwrap_or("");
            if let Some(ip) = address(target) {
                let time = row.time.map(|it| it.0);
                let key = FlowKey {
                    src: host.clone(),
                    dst: Arc::from(ip.to_string()),
                    port: 22,
                    slot: slot(time),
                    reporter: host.clone(),
                    program: None,
                };
                let mut flow = Flow::default();
                flow.seen.add(time, 1, place(row));
                self.out.add_flow(key, flow);
            }
        }
    }

    fn network(&mut self, row: &Row, host: &Text, of_host: bool) {
        let state = self.bucket.text(row, Field::State).unwrap_or("");
        let time = row.time.map(|it| it.0);
        if state == kind::SCAN_LOG || state == kind::EXPLOIT_LOG {
            return self.tried(row, host, state == kind::EXPLOIT_LOG);
        }
        if matches!(row.activity, Activity::Query | Activity::Listen) {
            return;
        }
        if state == kind::KNOWN_HOST {
            return;
        }
        let bucket = self.bucket;
        let (Some(dst), Some(port)) = (bucket.text(row, Field::DstIp), self.port(row, Field::DstPort)) else { return };
        let own = of_host && bucket.text(row, Field::Direction) != Some("inbound");
        let Some(src) = bucket.text(row, Field::SrcIp).or_else(|| own.then_some(&**host)) else { return };
        let number = |field| bucket.text(row, field).and_then(|it| it.parse::<u64>().ok());
        self.flows.add(&Call {
            src,
            src_port: self.port(row, Field::SrcPort),
            dst,
            port,
            time,
            state,
            bytes: number(Field::BytesOut).unwrap_or(0).saturating_add(number(Field::BytesIn).unwrap_or(0)),
            count: number(Field::Count).unwrap_or(1).max(1),
            program: if of_host { bucket.text(row, Field::FilePath) } else { None },
            reporter: of_host.then_some(&**host),
            at: place(row),
        });
    }

    fn tried(&mut self, row: &Row, host: &Text, exploit: bool) {
        let Some((dst, _)) = self.ip(row, Field::DstIp) else { return };
        let (file, sample) = (self.field(row, Field::TargetPath), self.field(row, Field::Detail));
        let port = self.port(row, Field::DstPort);
        let outcome = self.bucket.text(row, Field::Rule);
        let tried = self.out.tried.entry((host.clone(), dst, exploit)).or_default();
        tried.seen.add(row.time.map(|it| it.0), 1, place(row));
        tried.ports.extend(port);
        tried.succeeded |= outcome == Some("success");
        tried.failed |= outcome == Some("failed");
        tried.file = [tried.file.take(), file].into_iter().flatten().min();
        tried.sample = [tried.sample.take(), sample].into_iter().flatten().min();
    }

    fn logon(&mut self, row: &Row, host: &Text) {
        let succeeded = match row.activity {
            Activity::Logon => true,
            Activity::LogonFailed => false,
            _ => return,
        };
        let Some((src, _)) = self.ip(row, Field::SrcIp) else { return };
        let user = self.field(row, Field::User);
        // A machine's own account is the domain at work.
        if user.as_deref().is_some_and(|it| it.ends_with('$')) {
            return;
        }
        let protocol = self.bucket.text(row, Field::Protocol).unwrap_or("").to_ascii_lowercase();
        let kind = self.bucket.text(row, Field::LogonType).unwrap_or("").to_ascii_lowercase();
        let service = match (&*protocol, &*kind) {
            ("ssh", _) | (_, "ssh" | "sshlogin") => "ssh",
            ("rdp", _) | (_, "10" | "rdp") => "rdp",
            ("smb", _) | (_, "3" | "ipc") => "smb",
            ("mssql", _) => "mssql",
            ("mysql" | "ftp" | "telnet", _) => &protocol,
            (_, "publickey" | "password" | "keyboard-interactive/pam" | "keyboard-interactive") => "ssh",
            _ if self.port(row, Field::DstPort) == Some(22) => "ssh",
            _ if self.port(row, Field::DstPort) == Some(3389) => "rdp",
            _ => "other",
        };
        let host = if row.sensor_role == SensorRole::Network {
            match self.ip(row, Field::DstIp) {
                Some((ip, _)) => ip,
                None => return,
            }
        } else {
            host.clone()
        };
        let detail = self.bucket.text(row, Field::Detail).unwrap_or("");
        let by_key = kind.contains("publickey") || detail.contains("publickey");
        let time = row.time.map(|it| it.0);
        let count = self.bucket.text(row, Field::Count).and_then(|it| it.parse().ok()).unwrap_or(1u64).max(1);
        let logons = self.out.logons.entry((host, src, service.into(), slot(time))).or_default();
        logons.seen.add(time, count, place(row));
        if succeeded {
            logons.succeeded += count;
            logons.first_success = [logons.first_success, time].into_iter().flatten().min();
            logons.by_key |= by_key;
        } else {
            logons.failed += count;
        }
        if logons.users.len() < MAX_COMMANDS {
            logons.users.extend(user);
        }
    }

    fn alert(&mut self, row: &Row, host: &Text, of_host: bool) {
        if self.out.alerts.len() >= MAX_ALERTS {
            self.out.dropped += 1;
            return;
        }
        let own = self.ip(row, Field::HostIp).map(|it| it.0);
        let named = self.field(row, Field::DstHost).map(|it| Text::from(it.to_ascii_lowercase()));
        if let (Some(ip), Some(name)) = (&own, &named) {
            self.out.claims.entry((ip.clone(), name.clone())).or_default().add(row.time.map(|it| it.0), 1, place(row));
        }
        let title = self.field(row, Field::Rule).unwrap_or_else(|| Arc::from("alert"));
        let (path, hash) = (
            self.field(row, Field::FilePath).or_else(|| self.bucket.text(row, Field::TargetPath).map(Arc::from)),
            self.field(row, Field::Hash),
        );
        let alert = Alert {
            time: row.time.map(|it| it.0),
            host: named.or(own).or_else(|| of_host.then(|| host.clone())),
            title,
            src: self.ip(row, Field::SrcIp).map(|it| it.0),
            dst: self.ip(row, Field::DstIp).map(|it| it.0),
            port: self.port(row, Field::DstPort),
            path,
            hash: hash.map(|it| hash_of(&it)),
            cve: self.field(row, Field::Cve),
            role: self.field(row, Field::NetworkRole),
            at: place(row),
        };
        self.out.alerts.insert(alert);
    }

    fn http(&mut self, row: &Row, host: &Text, of_host: bool) {
        let part = |field| self.bucket.text(row, field).unwrap_or("");
        let url = part(Field::Url);
        let payload = format!(
            "{} {} HTTP/1.1\n{}\nUser-Agent: {}\nReferer: {}\n\n{}",
            part(Field::Method),
            url,
            cut(part(Field::Headers), 4096),
            part(Field::UserAgent),
            part(Field::Referrer),
            cut(part(Field::Body), 16 << 10)
        );
        let hash = ringleader_model::hash::hash64(payload.as_bytes());
        if self.payloads.len() > 200_000 && !self.payloads.contains_key(&hash) {
            self.out.dropped += 1;
            return;
        }
        let methods = self.methods;
        let found = self.payloads.entry(hash).or_insert_with(|| {
            let found = methods.identify(&payload).into_iter().find(|it| it.stage == Stage::Attacked)?;
            Some((Arc::from(&*methods.get(found.method).id), found.confidence_permille))
        });
        let Some((method, confidence)) = found.clone() else { return };
        let host = match self.ip(row, Field::DstIp) {
            Some((ip, _)) if !of_host => ip,
            _ => host.clone(),
        };
        if self.out.http.len() < MAX_HTTP {
            let src = self.ip(row, Field::SrcIp).map(|it| it.0);
            self.out.http.insert(HttpAttack {
                time: row.time.map(|it| it.0),
                host,
                src,
                method,
                confidence,
                at: place(row),
            });
        }
    }

    fn done(self) -> Observed {
        let mut out = self.out;
        out.merge(self.flows.done());
        out
    }
}

/// The addresses inside that a command's URLs name.
fn fetched_from(command: &str) -> Vec<Text> {
    let mut found = Vec::new();
    for rest in command.split("://").skip(1).take(8) {
        let host = match rest.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or(""),
            None => rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).next().unwrap_or(""),
        };
        if let Some(ip) = address(host).filter(is_internal) {
            found.push(Arc::from(ip.to_string()));
        }
    }
    found
}

pub(super) fn slot(time: Option<i64>) -> i64 {
    time.map_or(i64::MIN, |it| it.div_euclid(SLOT))
}

pub(super) fn cut(text: &str, limit: usize) -> &str {
    crate::collect::fields::bounded(text, limit)
}

pub(super) fn first_word(command: &str) -> &str {
    let command = command.trim_start();
    match command.strip_prefix('"') {
        Some(rest) => rest.split('"').next().unwrap_or(rest),
        None => command.split_whitespace().next().unwrap_or(""),
    }
}

/// `SHA256=ab…`, `AB…` → `ab…`
fn hash_of(text: &str) -> Text {
    Arc::from(text.rsplit('=').next().unwrap_or(text).trim().to_ascii_lowercase())
}

/// A program of the system, or of an installed product.
pub(super) fn is_usual(path: &str) -> bool {
    let path = spell(path);
    if path.starts_with('/') {
        return crate::connect::boundary::is_system_path(&path);
    }
    [
        "c:\\windows\\system32\\",
        "c:\\windows\\syswow64\\",
        "c:\\program files",
        "c:\\windowsazure\\",
        "c:\\packages\\plugins\\",
        "c:\\programdata\\microsoft\\windows defender\\",
        "c:\\windows\\explorer.exe",
        "c:\\windows\\adws\\",
        "c:\\windows\\servicing\\",
        "c:\\windows\\winsxs\\",
        "c:\\windows\\microsoft.net\\",
    ]
    .iter()
    .any(|it| path.starts_with(it))
        || !path.contains('\\')
}

/// Whether a connection was answered, as sensors word it; `None` where they don't say.
pub(super) fn outcome(state: &str) -> Option<bool> {
    let low = state.to_ascii_lowercase();
    match &*low {
        "" => None,
        "established" | "estab" | "sf" | "s1" | "s2" | "s3" | "rsto" | "rstr" | "close_wait" | "time_wait"
        | "fin_wait1" | "fin_wait2" | "fin_wait_1" | "fin_wait_2" | "last_ack" | "closing" | "allowed" | "allow"
        | "accept" | "accepted" | "success" | "ok" | "open" | "established_closed" => Some(true),
        "syn_sent" | "syn-sent" | "syn_recv" | "s0" | "sh" | "shr" | "rej" | "rstos0" | "rstrh" | "denied" | "deny"
        | "drop" | "dropped" | "blocked" | "block" | "reject" | "rejected" | "refused" | "failed" | "fail"
        | "timeout" | "reset" | "closed" | "no_reply" => Some(false),
        _ => None,
    }
}
