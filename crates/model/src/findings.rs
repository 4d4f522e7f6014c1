//! What a run found: the types behind each file of the findings folder. Deliberately absent: how they are written
//! (crate `report`) and how they are found; and in [`Findings`] the rows of the tables, which go through [`crate::Tables`].
//!
//! `hosts` is a count, except where a list of names is the point: `Who::hosts` and `Spread::hosts`. Rows share their
//! repeated texts (`Text`), so a million rows cost the rows alone. Whoever fills these sorts them: every list has one
//! order, named beside it, because the same findings must be the same bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::event::EventId;
use crate::indicator::{Context, IndicatorKind, names};
use crate::time::{TimeDefaults, Timestamp};

/// A text that many rows share.
pub type Text = Arc<str>;

/// Everything that one run found but the rows of its tables: its size is that of the fleet and of what was found, not of
/// the log.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    pub summary: Summary,
    pub run: RunInfo,
    /// By weight, heaviest first; then by id.
    pub gangs: Vec<Gang>,
    /// By id.
    pub campaigns: Vec<Campaign>,
    /// What `repairs.parquet` adds up to. By campaign, then node, then grade.
    pub repaired: Vec<Repaired>,
    /// By kind, then value, then context, then gang, then campaign.
    pub indicators: Vec<IndicatorRow>,
    /// By id.
    pub evidence: Vec<Evidence>,
    /// By host, then role, then peer.
    pub network_roles: Vec<NetworkRoleRow>,
    /// By time, then id.
    pub warnings: Vec<Warning>,
    /// By id: the gangs before any decision was applied.
    pub computed: Vec<ComputedGang>,
    /// Where an incident was reconstructed.
    pub spread: Option<Spread>,
    /// Where a map of sensors was given: what decoys saw, and production after them.
    pub honeynet: Option<Honeynet>,
    /// By source, then offset.
    pub rejected: Vec<DeadLetter>,
    /// By gang.
    pub activity: Vec<GangActivity>,
    /// By host: everything that was monitored, and is named to nobody else.
    pub fleet: Vec<FleetHost>,
    /// Hosts that an alert of the input named, sorted. `None`: the input held no alerts at all.
    pub alerted_hosts: Option<Vec<Text>>,
    /// What was looked for, in the words of the registries: `label → count`. Shown above all where nothing was found.
    pub looked_for: BTreeMap<String, u64>,
}

/// `summary.json`. The two node and edge counts are over everything read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub events_read: u64,
    pub events_rejected: u64,
    pub events_duplicate: u64,
    /// By source, then format.
    pub sources: Vec<SourceSummary>,
    pub hosts: u64,
    pub processes: u64,
    pub episodes: u64,
    pub nodes_edges_before: u64,
    pub nodes_edges_after: u64,
    pub campaigns: u64,
    pub gangs: u64,
}

/// One source as one format.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSummary {
    pub source: Text,
    /// Null where no format recognised it.
    pub format: Option<Text>,
    pub read: u64,
    pub rejected: u64,
    /// Why records were rejected, and how many for each reason.
    pub reasons: BTreeMap<String, u64>,
}

/// `run.json`: what may differ from run to run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInfo {
    pub version: String,
    pub arguments: Vec<String>,
    pub inputs: Vec<InputDigest>,
    pub knowledge_sha256: String,
    /// Null where the run started without a registry of known gangs.
    pub registry_sha256: Option<String>,
    pub started: Option<Timestamp>,
    /// In the order the stages ran.
    pub timings: Vec<Timing>,
    pub peak_memory_bytes: Option<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputDigest {
    pub source: Text,
    pub length: u64,
    pub sha256: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    pub stage: String,
    pub milliseconds: u64,
}

/// An element of `gangs.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gang {
    pub gang_id: Text,
    /// For people: what the analyst called it, else derived from the earliest feature.
    pub name: String,
    /// Names that others may have given it: those of `suggestions`, families marked as such.
    pub known_as: Vec<String>,
    /// Whom it may be, of those known, and why; likeliest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suggestions: Vec<NameSuggestion>,
    /// The kit it shares with other gangs.
    pub family: Option<String>,
    pub confidence: Permille,
    /// Ids of the gangs that this one took in.
    pub supersedes: Vec<Text>,
    pub who: Who,
    /// Surest first.
    pub how: Vec<How>,
    pub what: What,
    /// Campaign ids, sorted.
    pub campaigns: Vec<Text>,
    /// Why these campaigns are one gang.
    pub links: Vec<Link>,
    /// What was nearly joined, and was not.
    pub near_misses: Vec<NearMiss>,
}

/// A known gang or family that this one may be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameSuggestion {
    /// An id of `list gangs`.
    pub known: Text,
    pub name: String,
    /// gang or family
    pub kind: Text,
    pub likelihood: Permille,
    /// The facts that fit, heaviest first.
    pub because: Vec<String>,
    /// Methods and behaviours that fit as well.
    pub support: Vec<Text>,
    pub evidence_ids: Vec<Text>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// By kind name; strongest first, then by value.
    pub indicators: BTreeMap<Text, Vec<GangIndicator>>,
    /// The servers it ran, and what each was for.
    pub infrastructure: Vec<Infrastructure>,
    /// Names, sorted.
    pub hosts: Vec<Text>,
    pub first_seen: Option<Timestamp>,
    pub last_seen: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GangIndicator {
    pub value: Text,
    pub strength: Strength,
    pub contexts: Vec<Context>,
    pub hosts: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Infrastructure {
    pub kind: IndicatorKind,
    pub value: Text,
    /// c2, download_source, mining_pool …; sorted.
    pub roles: Vec<Text>,
    pub hosts: u64,
}

fn is_none(n: &u64) -> bool {
    *n == 0
}

/// One way in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct How {
    /// An id of `list methods`.
    pub method: Text,
    pub class: MethodClass,
    pub cve: Option<Text>,
    pub confidence: Permille,
    pub novelty: Novelty,
    pub hosts: u64,
    /// Of them, those on which it is shown to have got in; on the others it was tried, or is what fits best.
    #[serde(default, skip_serializing_if = "is_none")]
    pub succeeded_hosts: u64,
    pub first_seen: Option<Timestamp>,
    pub evidence_ids: Vec<Text>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct What {
    /// By id.
    pub behaviours: Vec<GangBehaviour>,
    /// By role.
    pub network_roles: Vec<GangNetworkRole>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GangBehaviour {
    pub id: Text,
    /// ATT&CK, as `T1105` or `T1059.004`.
    pub technique: Option<Text>,
    pub hosts: u64,
    pub evidence_ids: Vec<Text>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GangNetworkRole {
    /// c2, download_source, mining_pool, scan, brute_force …
    pub role: Text,
    /// Addresses or names that play it, sorted.
    pub values: Vec<Text>,
    pub hosts: u64,
    pub evidence_ids: Vec<Text>,
}

/// How what the network shows was joined to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinedBy {
    /// The host's own sensor logged it with its process.
    Process,
    /// Host, service and time.
    FiveTuple,
    /// What a process of the intrusion names or called; the caller's address may be a NAT's or a proxy's.
    Indicator,
    /// The host's address alone: no process is known.
    Address,
}

/// A line of `network_roles.jsonl`: what the network side of a host, and of a process where one is known, was used for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkRoleRow {
    /// c2, download_source, mining_pool, scan, brute_force …
    pub role: Text,
    /// horizontal, vertical, guesses, spray, beacon …; `alert` where an alert says it.
    pub kind: Text,
    /// The host it is said of; an address where no log of its own is known.
    pub host: Text,
    /// The other end; null where there are many.
    pub peer: Option<Text>,
    /// Of the called service.
    pub port: Option<u16>,
    /// Whether the host called, or was called.
    pub inbound: bool,
    pub calls: u64,
    /// Addresses or ports that were tried.
    pub targets: u64,
    pub first_seen: Option<Timestamp>,
    pub last_seen: Option<Timestamp>,
    /// A guess got in.
    pub succeeded: bool,
    pub confidence: Permille,
    pub joined_by: JoinedBy,
    /// What to know of the join: a NAT, a proxy.
    pub note: Option<Text>,
    pub process_uid: Option<Text>,
    pub file_path: Option<Text>,
    pub episode_id: Option<Text>,
    pub campaign_id: Option<Text>,
    pub gang_id: Option<Text>,
    /// In words, with the figures.
    pub why: String,
    pub evidence_ids: Vec<Text>,
}

/// Why two campaigns are one gang: the weight reached the threshold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Campaign id.
    pub from: Text,
    /// Campaign id.
    pub to: Text,
    pub weight: i64,
    pub threshold: i64,
    pub evidence_ids: Vec<Text>,
}

/// Two campaigns that were not joined, and what was short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NearMiss {
    /// Campaign of this gang.
    pub from: Text,
    /// Campaign of another.
    pub to: Text,
    /// The other one's gang.
    pub gang_id: Option<Text>,
    pub weight: i64,
    pub threshold: i64,
    pub why: String,
    pub evidence_ids: Vec<Text>,
}

/// A line of `campaigns.jsonl`: one merged graph.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Campaign {
    pub campaign_id: Text,
    /// Null only where the campaign is not judged hostile.
    pub gang_id: Option<Text>,
    pub signature: Vec<SignaturePart>,
    /// Parents before children.
    pub nodes: Vec<Node>,
    /// Values that were kept out of the signature.
    pub stopped: Vec<Stopped>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignaturePart {
    /// An indicator kind, `literal`, or `structure`.
    pub kind: Text,
    pub value: Text,
}

/// One process of the merged graph.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    pub node_id: Text,
    /// Node id of the parent; null for an entry.
    pub parent: Option<Text>,
    pub template: Text,
    /// One raw command line that the template stands for.
    pub sample: Option<Text>,
    pub observed_count: u64,
    pub inferred_count: u64,
    pub hosts: u64,
    /// Behaviour ids, sorted.
    pub behaviours: Vec<Text>,
    /// Network roles, sorted.
    pub network_roles: Vec<Text>,
    pub first_seen: Option<Timestamp>,
    pub last_seen: Option<Timestamp>,
    /// A few raw records that show it (observed) or prove it (inferred).
    pub evidence_ids: Vec<Text>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    pub kind: Text,
    pub value: Text,
    pub why: String,
    pub hosts: u64,
    pub tenants: u64,
}

/// A row of `episodes.parquet`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpisodeRow {
    pub episode_id: Text,
    pub host: Text,
    /// The process that the episode hangs from, as text.
    pub entry: Option<Text>,
    pub intrusion_id: Option<Text>,
    pub campaign_id: Text,
    pub gang_id: Option<Text>,
    pub method: Option<Text>,
    pub cve: Option<Text>,
    /// Of the method.
    pub confidence: Option<Permille>,
    pub abstained_because: Option<Text>,
    pub signature_kind: Text,
}

/// A row of `members.parquet`: one event of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    pub host: Text,
    pub event_id: EventId,
    pub source_event_id: Option<Text>,
    pub source: Text,
    pub offset: u64,
    pub length: u64,
    pub time: Option<Timestamp>,
    pub pid: Option<u32>,
    pub process_uid: Option<Text>,
    pub parent_event_id: Option<EventId>,
    /// The nearest ancestor that evidence supports, where the parent is not known.
    pub ancestor_event_id: Option<EventId>,
    pub parent_status: ParentStatus,
    pub episode_id: Text,
    pub campaign_id: Text,
    pub gang_id: Option<Text>,
}

/// A row of `processes.parquet`: one process event, in a campaign or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessRow {
    pub host: Text,
    pub event_id: EventId,
    pub source_event_id: Option<Text>,
    pub source: Text,
    pub offset: u64,
    pub length: u64,
    pub time: Option<Timestamp>,
    pub pid: Option<u32>,
    pub process_uid: Option<Text>,
    pub parent_event_id: Option<EventId>,
    pub ancestor_event_id: Option<EventId>,
    pub parent_status: ParentStatus,
    pub episode_id: Option<Text>,
    pub campaign_id: Option<Text>,
    pub gang_id: Option<Text>,
    /// How the link to the parent was made: guid, pid, lineage …
    pub how: Text,
}

/// A row of `repairs.parquet`: one inferred process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairRow {
    pub host: Text,
    pub episode_id: Text,
    pub campaign_id: Text,
    pub node_id: Text,
    pub parent_node_id: Option<Text>,
    pub template: Text,
    pub file_path: Option<Text>,
    pub grade: Grade,
    /// The logged child that proves it (structural).
    pub child_event_id: Option<EventId>,
    /// Its nearest logged ancestor.
    pub parent_event_id: Option<EventId>,
    /// Comparable episodes …
    pub siblings: u64,
    /// … of which so many show it.
    pub support: u64,
    /// The probability that it ran in this episode.
    pub confidence: Permille,
    pub not_before: Option<Timestamp>,
    pub not_after: Option<Timestamp>,
}

/// The repairs of one node of a campaign, on whatever hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    pub campaign_id: Text,
    pub node_id: Text,
    pub grade: Grade,
    pub template: Text,
    pub times: u64,
    /// Of each the highest.
    pub support: u64,
    pub siblings: u64,
    pub confidence: Permille,
}

impl Repaired {
    /// Of one repair.
    pub fn of(row: &RepairRow) -> Self {
        Self {
            campaign_id: row.campaign_id.clone(),
            node_id: row.node_id.clone(),
            grade: row.grade,
            template: row.template.clone(),
            times: 1,
            support: row.support,
            siblings: row.siblings,
            confidence: row.confidence,
        }
    }
    /// Adds what is of the same node and grade.
    pub fn merge(&mut self, other: &Self) {
        self.times += other.times;
        self.support = self.support.max(other.support);
        self.siblings = self.siblings.max(other.siblings);
        self.confidence = self.confidence.max(other.confidence);
    }
}

/// A row of `behaviours.parquet`: one event and one behaviour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BehaviourRow {
    pub host: Text,
    pub event_id: EventId,
    pub time: Option<Timestamp>,
    pub behaviour: Text,
    pub technique: Option<Text>,
    pub episode_id: Option<Text>,
    pub campaign_id: Option<Text>,
    pub gang_id: Option<Text>,
}

/// A row of `indicators.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndicatorRow {
    pub indicator: Text,
    pub kind: IndicatorKind,
    pub strength: Strength,
    pub context: Context,
    pub gang_id: Option<Text>,
    pub campaign_id: Text,
    pub hosts: u64,
    pub first_seen: Option<Timestamp>,
    pub last_seen: Option<Timestamp>,
}

/// A line of `evidence.jsonl`: what a claim points to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub evidence_id: Text,
    /// In words, for people.
    pub claim: String,
    /// What is claimed: behaviour, method, link, network_role, membership, node, near_miss …
    pub kind: Text,
    pub event_ids: Vec<EventId>,
    pub source: Option<Text>,
    pub offset: Option<u64>,
    pub length: Option<u64>,
    pub record_sha256: Option<Text>,
    /// The raw line, or the part of it that matters.
    pub excerpt: Option<Text>,
    /// The rule, pattern or method that says so.
    pub rule: Option<Text>,
    pub basis: Basis,
    pub weight: i64,
}

/// A line of `warnings.jsonl`: something new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    pub warning_id: Text,
    pub kind: WarningKind,
    pub gang_id: Option<Text>,
    pub time: Option<Timestamp>,
    pub text: String,
    pub evidence_ids: Vec<Text>,
    /// Most urgent first: 100 at most.
    #[serde(default)]
    pub rank: u16,
    /// What it is about: the method, the behaviours, the addresses …; the first few.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subject: Vec<Text>,
    /// That show it.
    #[serde(default)]
    pub hosts: u64,
    /// For people: what to do about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub to_do: String,
    /// Beyond what one day may bring to an analyst's desk: it is told here, and sent to nobody.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
}

/// `honeynet.json`: what decoys saw, and what of it is in production.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Honeynet {
    /// Decoys on which something was seen, by host.
    pub decoys: Vec<Decoy>,
    /// What was on a decoy: on both with the longest lead first, then on decoys alone.
    pub groups: Vec<DecoyGroup>,
    /// Gangs and lone campaigns that were in production alone.
    pub production_only: u64,
}

/// One host that is there to be attacked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decoy {
    pub host: Text,
    /// As the map calls it.
    pub name: Text,
    /// What it plays: `redis`, `an old Solr`.
    pub pretends: Text,
    pub first_seen: Option<Timestamp>,
    pub episodes: u64,
}

/// A gang, or a campaign that is no gang's, as decoys saw it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecoyGroup {
    pub gang_id: Option<Text>,
    /// That decoys and production show, or decoys alone.
    pub campaigns: Vec<Text>,
    pub standing: DecoyStanding,
    /// Most urgent to read first: by first sight. Hosts of `decoys`.
    pub decoys: Vec<DecoySight>,
    pub production_hosts: u64,
    pub production_first: Option<Timestamp>,
    /// From the first sight on a decoy to the first in production; below zero: production was first.
    pub lead_seconds: Option<i64>,
    /// Production's episodes whose way in no log shows, and the decoy that shows it of the same graph.
    pub labelled: Vec<Labelled>,
    /// Beyond those that are listed.
    pub more_labelled: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecoyStanding {
    /// A warning, with its lead.
    Both,
    /// On decoys alone, with servers, keys or wallets of its own: it may come.
    EarlyNews,
    /// On decoys alone, and nothing of its own.
    #[default]
    Noise,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecoySight {
    pub host: Text,
    pub first_seen: Option<Timestamp>,
    pub episodes: u64,
    pub method: Option<Text>,
    pub cve: Option<Text>,
}

/// Inferred: the same graph as on the decoy, so the same way in, as surely as the decoy's was told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labelled {
    pub host: Text,
    pub episode_id: Text,
    pub campaign_id: Text,
    pub decoy: Text,
    pub method: Text,
    pub cve: Option<Text>,
    pub confidence: Permille,
}

/// A gang as it was computed, before any decision: by this the next run knows it again. In no file of the folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComputedGang {
    pub gang_id: Text,
    /// Campaign ids, sorted.
    pub campaigns: Vec<Text>,
    pub supersedes: Vec<Text>,
    /// By kind, then value.
    pub features: Vec<ComputedFeature>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComputedFeature {
    pub kind: IndicatorKind,
    pub value: Text,
    pub strength: Strength,
    pub hosts: u64,
    pub first_seen: Option<Timestamp>,
    pub last_seen: Option<Timestamp>,
}

/// `spread.json`: one incident, host to host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// By host.
    pub hosts: Vec<SpreadHost>,
    /// By time, then ends.
    pub edges: Vec<SpreadEdge>,
    /// Likeliest first.
    pub patient_zero: Vec<PatientZero>,
    pub discrepancies: Vec<Discrepancy>,
    /// Null where nothing that speaks of the incident has a time.
    #[serde(default)]
    pub window: Option<SpreadWindow>,
    /// Views of the observations, as a responder asks for them.
    #[serde(default)]
    pub lists: Vec<SpreadList>,
    /// Clocks that run apart, by host.
    #[serde(default)]
    pub clocks: Vec<ClockSkew>,
    /// `timeline.csv`. By time, then host.
    #[serde(skip)]
    pub timeline: Vec<SpreadMoment>,
    /// `containment.json`.
    #[serde(skip)]
    pub containment: Containment,
}

/// The time that an incident was looked for in, and why it is that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpreadWindow {
    pub start: Timestamp,
    pub end: Timestamp,
    /// What it started from and what it grew by, in words.
    pub because: Vec<String>,
}

/// Hosts that one question asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpreadList {
    pub list: Text,
    /// The question, in words.
    pub says: String,
    pub hosts: Vec<Text>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockSkew {
    pub host: Text,
    /// How far its clock is ahead of the others'.
    pub ahead_seconds: i64,
    /// Connections that both ends logged.
    pub pairs: u64,
}

/// One weight in a verdict, for it or against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// A rule of `knowledge/spread/rules.yml`.
    pub rule: Text,
    /// Tenths of a ban: 10 makes it ten times as likely, -10 a tenth.
    pub points: i32,
    pub text: String,
    pub evidence_ids: Vec<Text>,
}

/// A line of `timeline.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpreadMoment {
    /// The host's clock put right.
    pub time: Timestamp,
    pub host: Text,
    /// What kind of moment it is, as Timesketch shows it.
    pub description: Text,
    pub message: String,
    pub evidence_ids: Vec<Text>,
}

/// `containment.json`: what to do, for review. Nothing of it is run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Containment {
    /// In the order to do it.
    pub isolate: Vec<Isolate>,
    pub reset_credentials: Vec<ToDo>,
    pub block: Vec<ToDo>,
    pub collect: Vec<ToDo>,
    pub clean_up: Vec<ToDo>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Isolate {
    pub order: u64,
    pub host: Text,
    pub addresses: Vec<Text>,
    pub because: String,
    /// What stops working, as the asset list says.
    pub breaks: Option<String>,
    pub commands: Vec<String>,
    pub evidence_ids: Vec<Text>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToDo {
    pub what: String,
    pub host: Option<Text>,
    pub because: String,
    pub commands: Vec<String>,
    pub evidence_ids: Vec<Text>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpreadHost {
    pub host: Text,
    pub addresses: Vec<Text>,
    pub verdict: Verdict,
    pub confidence: Permille,
    pub alerted: bool,
    pub missed_by_alerts: bool,
    pub first_seen: Option<Timestamp>,
    pub method: Option<Text>,
    pub evidence_ids: Vec<Text>,
    /// Other names of it.
    #[serde(default)]
    pub names: Vec<Text>,
    /// As the asset list says.
    #[serde(default)]
    pub role: Option<Text>,
    #[serde(default)]
    pub owner: Option<Text>,
    #[serde(default)]
    pub criticality: Option<Text>,
    /// What the verdict is the sum of, heaviest first.
    #[serde(default)]
    pub reasons: Vec<Reason>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpreadEdge {
    pub from: Text,
    pub to: Text,
    pub class: EdgeClass,
    /// contacted, port_open, exploit_tried, executed, alerted; sorted.
    pub observations: Vec<Text>,
    pub first_seen: Option<Timestamp>,
    pub method: Option<Text>,
    pub confidence: Permille,
    pub evidence_ids: Vec<Text>,
    /// Where the protocol has ports; sorted.
    #[serde(default)]
    pub ports: Vec<u16>,
    #[serde(default)]
    pub reasons: Vec<Reason>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientZero {
    pub host: Text,
    pub likelihood: Permille,
    pub entry: Option<WayIn>,
    /// Where to look next, in words.
    pub look_at: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayIn {
    pub method: Text,
    /// The address or host it came from.
    pub source: Option<Text>,
    pub confidence: Permille,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discrepancy {
    pub kind: Text,
    pub host: Option<Text>,
    pub text: String,
    pub evidence_ids: Vec<Text>,
}

/// A line of `dead_letter.jsonl`: a record that could not be read, verbatim.
///
/// Bytes that are not UTF-8 stand in `record_hex`; then `record` is null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    pub source: Text,
    pub format: Option<Text>,
    pub offset: u64,
    pub length: u64,
    pub reason: Text,
    pub record: Option<String>,
    pub record_hex: Option<String>,
}

impl DeadLetter {
    /// `record` may be the front of the record only; `length` says how long it was.
    pub fn new(source: Text, format: Option<Text>, offset: u64, length: u64, reason: Text, record: &[u8]) -> Self {
        let text = std::str::from_utf8(record).ok().map(str::to_owned);
        let hex = if text.is_none() { Some(hex(record)) } else { None };
        Self { source, format, offset, length, reason, record: text, record_hex: hex }
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)] as char, DIGITS[usize::from(b & 15)] as char]).collect()
}

/// A line of `fleet.jsonl`: a monitored host, and the addresses that logs gave as its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetHost {
    /// An address that several hosts claim stands for itself.
    pub host: Text,
    /// Sorted.
    pub addresses: Vec<Text>,
}

/// When a gang was active: counts over equal steps of time. Empty steps may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GangActivity {
    pub gang_id: Text,
    pub step: Step,
    /// By start.
    pub buckets: Vec<ActivityBucket>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityBucket {
    pub start: Timestamp,
    pub events: u64,
    pub hosts: u64,
}

/// Thousandths, 0 to 1000: exact and ordered, where a float is neither. Written as `0.873`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Permille(u16);

impl Permille {
    pub const ONE: Self = Self(1000);

    /// Values above 1000 are 1000.
    pub const fn new(thousandths: u16) -> Self {
        Self(if thousandths > 1000 { 1000 } else { thousandths })
    }
    /// `part / whole`, rounded down; 0 where `whole` is 0.
    pub fn ratio(part: u64, whole: u64) -> Self {
        let n = (u128::from(part) * 1000).checked_div(u128::from(whole)).unwrap_or(0);
        Self::new(u16::try_from(n).unwrap_or(1000))
    }
    pub const fn thousandths(self) -> u16 {
        self.0
    }
    pub fn to_f64(self) -> f64 {
        f64::from(self.0) / 1000.0
    }
}

impl Serialize for Permille {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.to_f64())
    }
}

impl<'de> Deserialize<'de> for Permille {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        if !(0.0..=1.0).contains(&value) {
            return Err(serde::de::Error::custom("not between 0 and 1"));
        }
        // In range by the check above, so the cast is exact.
        Ok(Self((value * 1000.0).round() as u16))
    }
}

names!(
    /// How well an indicator tells its gang from all others.
    Strength { Strong = "strong", Medium = "medium", Weak = "weak" }
);
names!(
    MethodClass {
        WeakPassword = "weak_password",
        StolenKey = "stolen_key",
        ExposedService = "exposed_service",
        Exploit = "exploit",
        SupplyChain = "supply_chain",
        Lateral = "lateral",
        Unknown = "unknown",
    }
);
names!(
    /// Whether the method resembles a known one. `new`: like nothing known, named by its own shape.
    Novelty { Known = "known", Variant = "variant", New = "new" }
);
names!(
    ParentStatus {
        Observed = "observed",
        /// Its event was lost.
        Missing = "missing",
        BeforeLog = "before_log",
        Reparented = "reparented",
        /// A fork that never exec'd; wins over missing.
        Forked = "forked",
        Root = "root",
        Unresolved = "unresolved",
    }
);
names!(
    /// `structural`: a child proves it. `statistical`: only siblings do.
    Grade { Structural = "structural", Statistical = "statistical" }
);
names!(Basis { Observed = "observed", Inferred = "inferred" });
names!(
    WarningKind {
        NewGang = "new_gang",
        /// A method that no gang was known to use.
        NewMethod = "new_method",
        /// A method that others use, and this gang did not.
        FirstUse = "first_use",
        NewBehaviour = "new_behaviour",
        NewInfrastructure = "new_infrastructure",
        NewPlatform = "new_platform",
        NewTenant = "new_tenant",
        NewRegion = "new_region",
        Surge = "surge",
        /// After a long silence.
        DormantBack = "dormant_back",
        /// On a decoy before it was in production.
        SensorFirst = "sensor_first",
    }
);
names!(
    Verdict {
        Compromised = "compromised",
        Attacked = "attacked",
        Scanned = "scanned",
        AlertedOnly = "alerted_only",
        CleanAsSeen = "clean_as_seen",
        Unknown = "unknown",
    }
);
names!(
    /// What was seen of one host, or of two. Verdicts, edge classes and colours are views of these.
    Observation {
        Contacted = "contacted",
        PortOpen = "port_open",
        ExploitTried = "exploit_tried",
        Executed = "executed",
        Alerted = "alerted",
        /// Something that the malware left on the host.
        Artefact = "artefact",
    }
);
names!(
    EdgeClass {
        Compromised = "compromised",
        AttackedFailed = "attacked_failed",
        AttackedUnknown = "attacked_unknown",
        Scanned = "scanned",
    }
);
names!(Step { Hour = "hour", Day = "day" });

macro_rules! read_by_name {
    ($($name:ident),+) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                Self::from_name(&name).ok_or_else(|| serde::de::Error::custom(format!("no such {}: {name}", stringify!($name))))
            }
        }
    )+};
}
read_by_name!(
    Strength,
    MethodClass,
    Novelty,
    ParentStatus,
    Grade,
    Basis,
    WarningKind,
    Verdict,
    EdgeClass,
    Step,
    IndicatorKind,
    Context
);

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parsed = Timestamp::parse(&text, &TimeDefaults::default());
        parsed.map(|(time, _)| time).ok_or_else(|| serde::de::Error::custom(format!("no time: {text}")))
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| serde::de::Error::custom(format!("no event id: {text}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousandths_are_bounded_and_exact() {
        assert_eq!(Permille::ratio(2, 3).thousandths(), 666);
        assert_eq!(Permille::ratio(5, 3), Permille::ONE);
        assert_eq!(Permille::ratio(5, 0), Permille::default());
        assert_eq!(Permille::ratio(u64::MAX, u64::MAX), Permille::ONE);
        assert!((Permille::new(873).to_f64() - 0.873).abs() < f64::EPSILON);
    }

    #[test]
    fn a_rejected_record_is_kept_verbatim_whatever_its_bytes() {
        let letter = |bytes: &[u8]| DeadLetter::new("a".into(), None, 0, 2, "no json".into(), bytes);
        assert_eq!(letter(b"{x").record.as_deref(), Some("{x"));
        assert_eq!((letter(b"\xff\x0a").record, letter(b"\xff\x0a").record_hex.as_deref()), (None, Some("ff0a")));
    }
}
