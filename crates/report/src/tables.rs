//! The columns of the Parquet tables: episodes, members, processes, repairs, behaviours. Deliberately absent: who holds
//! their rows, since nobody does.

use std::borrow::Cow;

use ringleader_model::EventId;
use ringleader_model::findings::{BehaviourRow, EpisodeRow, MemberRow, ProcessRow, RepairRow, Text};

use crate::mask::{mask, mask_template};
use crate::partial::Partial;
use crate::table::{Column, Get, Table};

/// A table's file, and what is in it.
pub struct TableFile {
    pub(crate) file: &'static str,
    pub(crate) summary: &'static str,
}

fn text(it: &Text) -> Option<Cow<'_, str>> {
    Some(Cow::Borrowed(it))
}

fn maybe(it: &Option<Text>) -> Option<Cow<'_, str>> {
    it.as_deref().map(Cow::Borrowed)
}

fn id(it: Option<EventId>) -> Option<Cow<'static, str>> {
    it.map(|it| Cow::Owned(it.to_string()))
}

/// `name: required kind = getter`, a column a line.
macro_rules! columns {
    ($row:ty; $($name:literal $required:ident $kind:ident $get:expr),+ $(,)?) => {
        vec![$(Column::<$row> { name: $name, required: columns!(@ $required), get: Get::$kind($get) }),+]
    };
    (@ always) => { true };
    (@ maybe) => { false };
}

pub(crate) const EPISODES: TableFile = TableFile {
    file: "episodes.parquet",
    summary: "one row per episode in a campaign: its host, entry, way in, campaign and gang",
};

pub(crate) fn episodes(out: Partial) -> Table<EpisodeRow, Partial> {
    let columns = columns![EpisodeRow;
        "episode_id" always Text |it| text(&it.episode_id),
        "host" always Text |it| text(&it.host),
        "entry" maybe Text |it| it.entry.as_deref().map(mask),
        "intrusion_id" maybe Text |it| maybe(&it.intrusion_id),
        "campaign_id" always Text |it| text(&it.campaign_id),
        "gang_id" maybe Text |it| maybe(&it.gang_id),
        "method" maybe Text |it| maybe(&it.method),
        "cve" maybe Text |it| maybe(&it.cve),
        "confidence" maybe Share |it| it.confidence,
        "abstained_because" maybe Text |it| maybe(&it.abstained_because),
        "signature_kind" always Text |it| text(&it.signature_kind),
    ];
    Table::new(columns, |a, b| (&a.host, &a.episode_id) <= (&b.host, &b.episode_id), out)
}

pub(crate) const MEMBERS: TableFile = TableFile {
    file: "members.parquet",
    summary: "one row per event in a campaign: where it stands in the input, its parent, its episode",
};

pub(crate) fn members(out: Partial) -> Table<MemberRow, Partial> {
    let columns = columns![MemberRow;
        "host" always Text |it| text(&it.host),
        "event_id" always Text |it| id(Some(it.event_id)),
        "source_event_id" maybe Text |it| maybe(&it.source_event_id),
        "source" always Text |it| text(&it.source),
        "offset" always Int |it| Some(it.offset),
        "length" always Int |it| Some(it.length),
        "time" maybe Time |it| it.time,
        "pid" maybe Int |it| it.pid.map(u64::from),
        "process_uid" maybe Text |it| maybe(&it.process_uid),
        "parent_event_id" maybe Text |it| id(it.parent_event_id),
        "ancestor_event_id" maybe Text |it| id(it.ancestor_event_id),
        "parent_status" always Text |it| Some(it.parent_status.name().into()),
        "episode_id" always Text |it| text(&it.episode_id),
        "campaign_id" always Text |it| text(&it.campaign_id),
        "gang_id" maybe Text |it| maybe(&it.gang_id),
    ];
    Table::new(columns, |a, b| (&a.host, a.time, a.event_id) <= (&b.host, b.time, b.event_id), out)
}

pub(crate) const PROCESSES: TableFile = TableFile {
    file: "processes.parquet",
    summary: "with --processes: one row per process event read, in a campaign or not, and how its parent was found",
};

pub(crate) fn processes(out: Partial) -> Table<ProcessRow, Partial> {
    let columns = columns![ProcessRow;
        "host" always Text |it| text(&it.host),
        "event_id" always Text |it| id(Some(it.event_id)),
        "source_event_id" maybe Text |it| maybe(&it.source_event_id),
        "source" always Text |it| text(&it.source),
        "offset" always Int |it| Some(it.offset),
        "length" always Int |it| Some(it.length),
        "time" maybe Time |it| it.time,
        "pid" maybe Int |it| it.pid.map(u64::from),
        "process_uid" maybe Text |it| maybe(&it.process_uid),
        "parent_event_id" maybe Text |it| id(it.parent_event_id),
        "ancestor_event_id" maybe Text |it| id(it.ancestor_event_id),
        "parent_status" always Text |it| Some(it.parent_status.name().into()),
        "episode_id" maybe Text |it| maybe(&it.episode_id),
        "campaign_id" maybe Text |it| maybe(&it.campaign_id),
        "gang_id" maybe Text |it| maybe(&it.gang_id),
        "how" always Text |it| text(&it.how),
    ];
    Table::new(columns, |a, b| (&a.host, a.time, a.event_id) <= (&b.host, b.time, b.event_id), out)
}

pub(crate) const REPAIRS: TableFile = TableFile {
    file: "repairs.parquet",
    summary: "one row per inferred process: what proves it, and how surely it ran",
};

pub(crate) fn repairs(out: Partial) -> Table<RepairRow, Partial> {
    let columns = columns![RepairRow;
        "host" always Text |it| text(&it.host),
        "episode_id" always Text |it| text(&it.episode_id),
        "campaign_id" always Text |it| text(&it.campaign_id),
        "node_id" always Text |it| text(&it.node_id),
        "parent_node_id" maybe Text |it| maybe(&it.parent_node_id),
        "template" always Text |it| Some(mask_template(&it.template)),
        "file_path" maybe Text |it| maybe(&it.file_path),
        "grade" always Text |it| Some(it.grade.name().into()),
        "child_event_id" maybe Text |it| id(it.child_event_id),
        "parent_event_id" maybe Text |it| id(it.parent_event_id),
        "siblings" always Int |it| Some(it.siblings),
        "support" always Int |it| Some(it.support),
        "confidence" always Share |it| Some(it.confidence),
        "not_before" maybe Time |it| it.not_before,
        "not_after" maybe Time |it| it.not_after,
    ];
    Table::new(columns, |a, b| (&a.host, &a.episode_id, &a.node_id) <= (&b.host, &b.episode_id, &b.node_id), out)
}

pub(crate) const BEHAVIOURS: TableFile =
    TableFile { file: "behaviours.parquet", summary: "one row per event and behaviour, with its ATT&CK technique" };

pub(crate) fn behaviours(out: Partial) -> Table<BehaviourRow, Partial> {
    let columns = columns![BehaviourRow;
        "host" always Text |it| text(&it.host),
        "event_id" always Text |it| id(Some(it.event_id)),
        "time" maybe Time |it| it.time,
        "behaviour" always Text |it| text(&it.behaviour),
        "technique" maybe Text |it| maybe(&it.technique),
        "episode_id" maybe Text |it| maybe(&it.episode_id),
        "campaign_id" maybe Text |it| maybe(&it.campaign_id),
        "gang_id" maybe Text |it| maybe(&it.gang_id),
    ];
    Table::new(
        columns,
        |a, b| (&a.host, a.time, a.event_id, &a.behaviour) <= (&b.host, b.time, b.event_id, &b.behaviour),
        out,
    )
}
