//! alerts, flows and requests of network sensors → what they say of which values; joined to processes by label.
//!
//! A network role is an attribute of the process node: what its network side was used for.

pub mod beacon;
pub mod flow;
pub mod roles;
pub mod sums;
pub mod thresholds;

use std::collections::{BTreeSet, HashMap};

use ringleader_model::{Context, EventClass, Field, Indicator, IndicatorKind, Timestamp};

use super::episode::member;
use crate::collect::rows::{Bucket, Row};
use crate::merge::record::MemberRecord;
use crate::merge::stop::is_private;

/// Signals kept of one run, the earliest by record id; the rest is counted. Alerts of a day of a cloud fit.
pub const SIGNALS: usize = 1 << 20;
/// Signals about one value that are looked at.
const PER_VALUE: usize = 64;
/// The longest payload that is looked at.
const PAYLOAD: usize = 16 << 10;

macro_rules! roles {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// What a process's network side was used for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum NetworkRole { $($variant),+ }
        impl NetworkRole {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $name),+ } }
            pub fn from_name(name: &str) -> Option<Self> {
                // What a shell calls back to is its controller.
                let name = if name == "reverse_shell" { "c2" } else { name };
                Self::ALL.iter().copied().find(|it| it.name() == name)
            }
            pub fn from_code(code: u8) -> Option<Self> { Self::ALL.get(usize::from(code)).copied() }
        }
    };
}

roles!(
    C2 = "c2",
    DownloadSource = "download_source",
    MiningPool = "mining_pool",
    Scan = "scan",
    BruteForce = "brute_force",
    Exploit = "exploit",
    Ddos = "ddos",
    Lateral = "lateral_movement",
    Exfiltration = "exfiltration",
    Alert = "alert",
);

/// One thing that a network sensor said.
#[derive(Debug, Clone)]
pub struct Signal {
    pub role: NetworkRole,
    pub time: Option<Timestamp>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub payload: String,
    pub cve: Option<String>,
    /// An alert, as opposed to a plain flow or request.
    pub alert: bool,
    pub values: BTreeSet<String>,
    pub member: MemberRecord,
}

/// Everything that network sensors said, by value and by victim.
#[derive(Debug, Default)]
pub struct Signals {
    list: Vec<Signal>,
    by_value: HashMap<String, Vec<u32>>,
    by_target: HashMap<String, Vec<u32>>,
    pub dropped: u64,
}

impl Signals {
    /// In: signals in any order. The answer is that of the sorted list.
    pub fn new(mut list: Vec<Signal>) -> Self {
        list.sort_by_key(|it| it.member.event);
        list.dedup_by(|a, b| a.member.event == b.member.event);
        let dropped = list.len().saturating_sub(SIGNALS) as u64;
        list.truncate(SIGNALS);
        let mut it = Self { dropped, ..Self::default() };
        for (at, signal) in (0u32..).zip(&list) {
            for value in &signal.values {
                it.by_value.entry(value.clone()).or_default().push(at);
            }
            if let Some(to) = &signal.to {
                it.by_target.entry(to.clone()).or_default().push(at);
            }
        }
        it.list = list;
        it
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Signals that name the value.
    pub fn about(&self, value: &str) -> impl Iterator<Item = &Signal> {
        self.by_value.get(value).into_iter().flatten().take(PER_VALUE).map(|at| &self.list[*at as usize])
    }

    /// Requests and exploit alerts that reached one of the addresses within the time before `first`.
    pub fn inbound(&self, addresses: &BTreeSet<String>, first: Option<Timestamp>, within_micros: i64) -> Vec<&Signal> {
        let near = |time: Option<Timestamp>| match (time, first) {
            (Some(time), Some(first)) => (-5_000_000..=within_micros).contains(&(first.0 - time.0)),
            _ => false,
        };
        let to = addresses.iter().filter_map(|it| self.by_target.get(it)).flatten();
        to.map(|at| &self.list[*at as usize])
            .filter(|it| (!it.payload.is_empty() || it.cve.is_some()) && near(it.time))
            .take(PER_VALUE)
            .collect()
    }
}

/// What a network sensor's record says, if it says anything that can be joined: alerts, and requests.
pub fn signal(bucket: &Bucket, row: &Row) -> Option<Signal> {
    let role = bucket.text(row, Field::NetworkRole).and_then(NetworkRole::from_name);
    let alert = row.class == EventClass::Detection;
    if !alert && row.class != EventClass::Http {
        return None;
    }
    let own = |field| bucket.text(row, field).map(str::to_owned);
    let role = role.unwrap_or(if alert { NetworkRole::Alert } else { NetworkRole::Exploit });
    // A plain request is only of use as a way in: it names nothing bad by itself.
    let values = if alert
        && !matches!(role, NetworkRole::Scan | NetworkRole::BruteForce | NetworkRole::Alert | NetworkRole::Exploit)
    {
        values(bucket, row)
    } else {
        BTreeSet::new()
    };
    Some(Signal {
        role,
        time: row.time,
        from: own(Field::SrcIp),
        to: own(Field::DstIp),
        payload: payload(bucket, row),
        cve: own(Field::Cve),
        alert,
        values,
        member: member(bucket, row),
    })
}

/// What an alert is about, in one value: the URL, else the peer.
pub fn subject(bucket: &Bucket, row: &Row) -> Option<String> {
    [Field::Url, Field::Query, Field::DstHost, Field::DstIp, Field::SrcIp, Field::TargetPath]
        .iter()
        .find_map(|field| bucket.text(row, *field))
        .map(str::to_owned)
}

/// The values by which a record can be joined: the URL, its host, the remote address, the name asked for.
pub fn values(bucket: &Bucket, row: &Row) -> BTreeSet<String> {
    let mut values = BTreeSet::new();
    if let Some(url) = bucket.text(row, Field::Url) {
        values.insert(url.to_owned());
        values.extend(crate::merge::stop::host_of(IndicatorKind::Url, url).filter(|_| url.contains("://")));
    }
    for field in [Field::Query, Field::DstHost, Field::HttpHost] {
        if let Some(name) = bucket.text(row, field) {
            values.insert(name.trim_end_matches('.').to_ascii_lowercase());
        }
    }
    if let Some(ip) = bucket.text(row, Field::DstIp) {
        values.insert(ip.to_owned());
    }
    values
}

/// The values by which an indicator can be joined.
pub fn values_of(indicator: &Indicator) -> Vec<String> {
    match indicator.kind {
        IndicatorKind::Url | IndicatorKind::IpPort | IndicatorKind::Pool => {
            let host = crate::merge::stop::host_of(indicator.kind, &indicator.value);
            std::iter::once(indicator.value.clone()).chain(host).collect()
        }
        IndicatorKind::Domain | IndicatorKind::Ip | IndicatorKind::Hash => vec![indicator.value.clone()],
        _ => Vec::new(),
    }
}

/// Ports that every host talks to: names, time.
const ORDINARY_PORTS: &[&str] = &["53", "123", "67", "68", "137", "138", "5353", "1900"];

/// Services of one's own network: who connects to them there has a target, or does his work.
const LATERAL_PORTS: &[&str] =
    &["22", "23", "135", "139", "389", "445", "3306", "3389", "5432", "5985", "5986", "6379"];

/// What a process did on the network and to files, as indicators.
pub fn deed_indicators(bucket: &Bucket, row: &Row) -> Vec<Indicator> {
    let make = |kind, value: String, context| Indicator { kind, value, context, decoded: false };
    let mut found = Vec::new();
    match row.class {
        EventClass::Network if bucket.text(row, Field::Direction) != Some("inbound") => {
            let port = bucket.text(row, Field::DstPort).unwrap_or("");
            if let Some(ip) = bucket.text(row, Field::DstIp)
                && !ORDINARY_PORTS.contains(&port)
                && !(LATERAL_PORTS.contains(&port) && is_private(ip))
                && ip
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|it| !it.is_loopback() && !it.is_unspecified() && !it.is_multicast())
            {
                found.push(make(IndicatorKind::Ip, ip.to_owned(), Context::Connected));
                if !port.is_empty() && port != "0" {
                    found.push(make(IndicatorKind::IpPort, join_host_port(ip, port), Context::Connected));
                }
            }
            if let Some(name) = bucket.text(row, Field::Query).or_else(|| bucket.text(row, Field::DstHost))
                && name.contains('.')
            {
                found.push(make(
                    IndicatorKind::Domain,
                    name.trim_end_matches('.').to_ascii_lowercase(),
                    Context::Connected,
                ));
            }
        }
        EventClass::File => {
            if let Some(path) = bucket.text(row, Field::TargetPath) {
                found.push(make(IndicatorKind::FilePath, path.to_owned(), Context::Written));
            }
            if let Some(url) = bucket.text(row, Field::Url) {
                found.push(make(IndicatorKind::Url, url.to_owned(), Context::Downloaded));
                if let Some(host) = crate::merge::stop::host_of(IndicatorKind::Url, url) {
                    let kind = if host.parse::<std::net::IpAddr>().is_ok() {
                        IndicatorKind::Ip
                    } else {
                        IndicatorKind::Domain
                    };
                    found.push(make(kind, host, Context::Downloaded));
                }
            }
            if let Some(hash) = bucket.text(row, Field::Hash) {
                found.push(make(IndicatorKind::Hash, hash.to_ascii_lowercase(), Context::Downloaded));
            }
        }
        EventClass::Detection => {
            if let Some(url) = bucket.text(row, Field::Url) {
                found.push(make(IndicatorKind::Url, url.to_owned(), Context::Downloaded));
            }
            if let Some(ip) = bucket.text(row, Field::DstIp) {
                found.push(make(IndicatorKind::Ip, ip.to_owned(), Context::Connected));
            }
        }
        _ => {}
    }
    found
}

fn join_host_port(ip: &str, port: &str) -> String {
    if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
}

/// The text of a request, as one would send it: request line, headers, body; bounded.
pub fn payload(bucket: &Bucket, row: &Row) -> String {
    payload_of(&(bucket, row))
}

/// The same of what is being read.
pub fn payload_of(it: &impl flow::Fields) -> String {
    let mut out = String::new();
    if let Some(url) = it.field(Field::Url) {
        out.push_str(it.field(Field::Method).unwrap_or("GET"));
        out.push(' ');
        out.push_str(url);
        out.push('\n');
        for (name, field) in [("Host", Field::HttpHost), ("User-Agent", Field::UserAgent), ("Referer", Field::Referrer)]
        {
            if let Some(value) = it.field(field) {
                out.push_str(name);
                out.push_str(": ");
                out.push_str(value);
                out.push('\n');
            }
        }
    }
    for field in [Field::Headers, Field::Body] {
        if let Some(text) = it.field(field) {
            out.push_str(text);
            out.push('\n');
        }
    }
    if out.len() > PAYLOAD {
        out.truncate(out.floor_char_boundary(PAYLOAD));
    }
    out
}
