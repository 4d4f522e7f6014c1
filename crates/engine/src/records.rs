//! What is kept of every episode (and, where asked for, of every process event) until the campaigns are known, and in which
//! order it comes back: host after host. Deliberately absent: where it waits, which is [`crate::runs`]'s.

use ringleader_model::findings::{ParentStatus, ProcessRow, Text};
use ringleader_model::{EventId, Timestamp};
use ringleader_pipeline::connect::How;
use ringleader_pipeline::merge::record::{EpisodeRecord, MemberRecord};
use serde::{Deserialize, Serialize};

use crate::runs::{Item, Runs};

/// The part of `--memory` that waiting records may take, and waiting process events as much again.
pub const SHARE: usize = 16;

/// Episodes that went to a group, by host, then by first event.
pub type Records = Runs<EpisodeRecord>;

impl Item for EpisodeRecord {
    type Key<'a> = (&'a str, Option<i64>, u128);
    fn key(&self) -> Self::Key<'_> {
        (&self.host, self.nodes.iter().filter_map(|it| it.start).min(), self.id)
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
    pub member: MemberRecord,
    pub uid: String,
    pub parent_event: Option<u128>,
    pub ancestor_event: Option<u128>,
    /// A code of `ParentStatus`.
    pub status: u8,
    pub episode: Option<u128>,
    /// Index into [`HOW`].
    pub how: u8,
}

const HOW: [How; 6] = [How::None, How::Guid, How::PidAndImage, How::Pid, How::PidLate, How::Inferred];

pub fn code_of(how: How) -> u8 {
    HOW.iter().position(|it| *it == how).unwrap_or(0) as u8
}

impl Item for ProcessRecord {
    type Key<'a> = (&'a str, Option<i64>, u128);
    fn key(&self) -> Self::Key<'_> {
        (&self.host, self.member.time, self.member.event)
    }
}

impl ProcessRecord {
    /// Its row, in no campaign as yet.
    pub fn row(self, host: Text, source: Text) -> ProcessRow {
        let member = self.member;
        ProcessRow {
            host,
            event_id: EventId(member.event),
            source_event_id: member.own_id.map(Into::into),
            source,
            offset: member.offset,
            length: u64::from(member.length),
            time: member.time.map(Timestamp),
            pid: member.pid,
            process_uid: Some(self.uid.into()),
            parent_event_id: self.parent_event.map(EventId),
            ancestor_event_id: self.ancestor_event.map(EventId),
            parent_status: ParentStatus::from_code(self.status).unwrap_or(ParentStatus::Unresolved),
            episode_id: self.episode.map(|it| format!("{it:032x}").into()),
            campaign_id: None,
            gang_id: None,
            how: HOW.get(usize::from(self.how)).map_or("none", |it| it.name()).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_link_has_its_code() {
        for how in HOW {
            assert_eq!(HOW[usize::from(code_of(how))], how);
            // A new way belongs in the list: this stops compiling.
            match how {
                How::None | How::Guid | How::PidAndImage | How::Pid | How::PidLate | How::Inferred => {}
            }
        }
        for status in ParentStatus::ALL {
            assert_eq!(ParentStatus::from_code(*status as u8), Some(*status));
        }
    }
}
