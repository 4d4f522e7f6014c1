//! What is kept of every episode (and, where asked for, of every process event) until the campaigns are known, and in which
//! order it comes back: host after host. Deliberately absent: where it waits, which is [`crate::runs`]'s.

use ringleader_model::findings::{ParentStatus, ProcessRow, Text};
use ringleader_model::{EventId, Timestamp};
use ringleader_pipeline::merge::record::EpisodeRecord;
use serde::{Deserialize, Serialize};

use crate::runs::{Item, Runs};

/// The part of `--memory` that waiting records may take, and waiting process events as much again.
pub const SHARE: usize = 16;

/// Episodes that went to a group, by host, then by first event.
pub type Records = Runs<EpisodeRecord>;

impl Item for EpisodeRecord {
    type Key = (String, Option<i64>, u128);
    fn key(&self) -> Self::Key {
        (self.host.clone(), self.nodes.iter().filter_map(|it| it.start).min(), self.id)
    }
}

impl Records {
    /// Adds one part's records; they need not be sorted.
    pub fn add_run(&mut self, records: Vec<EpisodeRecord>) -> std::io::Result<()> {
        self.add(Self::pack(records)?)
    }
}

/// One process event: its row, but for what is known only in the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessRecord {
    pub host: String,
    pub event: u128,
    pub own_id: Option<String>,
    pub source: u32,
    pub offset: u64,
    pub length: u32,
    pub time: Option<i64>,
    pub pid: Option<u32>,
    pub uid: String,
    pub parent_event: Option<u128>,
    pub ancestor_event: Option<u128>,
    pub status: ParentStatus,
    pub episode: Option<u128>,
    pub how: String,
}

impl Item for ProcessRecord {
    type Key = (String, Option<i64>, u128);
    fn key(&self) -> Self::Key {
        (self.host.clone(), self.time, self.event)
    }
}

impl ProcessRecord {
    /// Its row, in no campaign as yet.
    pub fn row(self, host: Text, source: Text) -> ProcessRow {
        ProcessRow {
            host,
            event_id: EventId(self.event),
            source_event_id: self.own_id.map(Into::into),
            source,
            offset: self.offset,
            length: u64::from(self.length),
            time: self.time.map(Timestamp),
            pid: self.pid,
            process_uid: Some(self.uid.into()),
            parent_event_id: self.parent_event.map(EventId),
            ancestor_event_id: self.ancestor_event.map(EventId),
            parent_status: self.status,
            episode_id: self.episode.map(|it| format!("{it:032x}").into()),
            campaign_id: None,
            gang_id: None,
            how: self.how.into(),
        }
    }
}
