//! What is remembered of one episode until the campaigns are known: places and ids, not texts.

use std::net::IpAddr;

use ringleader_model::findings::{JoinedBy, ParentStatus};
use ringleader_model::{Context, IndicatorKind};
use serde::{Deserialize, Serialize};

use super::sketch::Key;
use crate::label::network::roles::Found;

/// One episode that went to a group, or (group 0) a remnant: next to one that did, and cut off by what the sensor lost
/// or plain by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpisodeRecord {
    pub id: u128,
    pub group: Key,
    pub host: String,
    pub entry: Option<u128>,
    pub honeypot: bool,
    pub suspicious: bool,
    /// Of a remnant: what ties it to an intrusion.
    pub tie: Tie,
    pub nodes: Vec<NodeRecord>,
    /// Records of the episode that are no process: web requests, logons, alerts tied to it.
    pub others: Vec<MemberRecord>,
    pub method: Option<MethodRecord>,
    pub abstained_because: Option<String>,
    /// An alert of another product named this host in this episode.
    pub alerted: bool,
    /// Links of the whole host to ordinary processes, and those whose parent's event was lost: its loss rate.
    pub host_missing: u64,
    pub host_links: u64,
}

/// Why an episode that shows nothing may be a part of an intrusion.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tie {
    /// It does what the intruder does.
    #[default]
    Alike,
    /// One service started it right beside an intrusion.
    Comrade,
    /// It began the container that the intrusion is in.
    Container,
    /// It runs a file that is no program of the system's.
    Own,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRecord {
    pub path: Key,
    /// Of the text of its template.
    pub template: u64,
    pub fragment: bool,
    pub uid: String,
    /// Index into the episode's nodes.
    pub parent: Option<u32>,
    pub inferred: bool,
    pub status: ParentStatus,
    pub parent_event: Option<u128>,
    pub ancestor_event: Option<u128>,
    pub file_path: Option<String>,
    pub start: Option<i64>,
    pub end: Option<i64>,
    pub behaviours: Vec<u16>,
    /// Network role, and what it is said of: an address, a URL.
    pub network_roles: Vec<(u8, String)>,
    /// What it did on the network, where it did anything and the episode is suspicious.
    pub network: Option<Box<NodeNetwork>>,
    pub indicators: Vec<(IndicatorKind, Context, String)>,
    /// Start events first, then deeds.
    pub members: Vec<MemberRecord>,
}

/// The network side of one process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeNetwork {
    /// What its connections show.
    pub found: Vec<Found>,
    /// What alerts say of it.
    pub told: Vec<Told>,
    /// Services it called, and from when to when.
    pub called: Vec<(IpAddr, u16, Option<i64>, Option<i64>)>,
}

/// An alert that is about a process.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Told {
    /// Code of a network role.
    pub role: u8,
    pub value: String,
    pub joined: JoinedBy,
    pub alert: MemberRecord,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MemberRecord {
    pub event: u128,
    pub own_id: Option<String>,
    pub source: u32,
    pub offset: u64,
    pub length: u32,
    pub time: Option<i64>,
    pub pid: Option<u32>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodRecord {
    pub method: u16,
    pub confidence_permille: u16,
    /// It is shown that it got in, and not only that it was tried.
    pub succeeded: bool,
    pub why: Vec<String>,
    /// The records that show it: the request, the logon, the entry's first command.
    pub evidence: Vec<MemberRecord>,
    /// The address it came from, where a record says.
    pub from: Option<String>,
}

impl EpisodeRecord {
    /// It went to no group.
    pub fn is_remnant(&self) -> bool {
        self.group == 0
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_allocvec(self).expect("a record is plain data, which always serialises")
    }
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, postcard::Error> {
        postcard::from_bytes(bytes)
    }
}
