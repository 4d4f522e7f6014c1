//! Findings → the Parquet tables: episodes, members, processes, repairs, behaviours.

use std::borrow::Cow;
use std::io::{self, Write};

use ringleader_model::EventId;
use ringleader_model::findings::{BehaviourRow, EpisodeRow, Findings, MemberRow, ProcessRow, RepairRow, Text};

use crate::mask::{mask, mask_template};
use crate::table::{Column, Get, write};
use crate::{Options, Report};

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

pub(crate) struct Episodes;

impl Report for Episodes {
    fn file(&self) -> &'static str {
        "episodes.parquet"
    }
    fn summary(&self) -> &'static str {
        "one row per episode in a campaign: its host, entry, way in, campaign and gang"
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
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
        write(&findings.episodes, &columns, |it| (it.host.clone(), it.episode_id.clone()), out)
    }
}

pub(crate) struct Members;

impl Report for Members {
    fn file(&self) -> &'static str {
        "members.parquet"
    }
    fn summary(&self) -> &'static str {
        "one row per event in a campaign: where it stands in the input, its parent, its episode"
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
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
        write(&findings.members, &columns, |it| (it.host.clone(), it.time, it.event_id), out)
    }
}

pub(crate) struct Processes;

impl Report for Processes {
    fn file(&self) -> &'static str {
        "processes.parquet"
    }
    fn summary(&self) -> &'static str {
        "with --processes: one row per process event read, in a campaign or not, and how its parent was found"
    }
    fn applies(&self, findings: &Findings) -> bool {
        findings.processes.is_some()
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
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
        let rows = findings.processes.as_deref().unwrap_or_default();
        write(rows, &columns, |it| (it.host.clone(), it.time, it.event_id), out)
    }
}

pub(crate) struct Repairs;

impl Report for Repairs {
    fn file(&self) -> &'static str {
        "repairs.parquet"
    }
    fn summary(&self) -> &'static str {
        "one row per inferred process: what proves it, and how surely it ran"
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
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
        write(&findings.repairs, &columns, |it| (it.host.clone(), it.episode_id.clone(), it.node_id.clone()), out)
    }
}

pub(crate) struct Behaviours;

impl Report for Behaviours {
    fn file(&self) -> &'static str {
        "behaviours.parquet"
    }
    fn summary(&self) -> &'static str {
        "one row per event and behaviour, with its ATT&CK technique"
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
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
        let key = |it: &BehaviourRow| (it.host.clone(), it.time, it.event_id, it.behaviour.clone());
        write(&findings.behaviours, &columns, key, out)
    }
}
