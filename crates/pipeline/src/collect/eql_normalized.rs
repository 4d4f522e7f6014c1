//! Endgame's normalised Sysmon events, the JSON array that eqllib ships → events.
//!
//! Deliberately absent: a host (the records name none: give one), registry and image loads.

use std::borrow::Cow;

use ringleader_model::{Activity, Event, EventClass, Field, Malformed, Timestamp};

use super::fields::{Fields, address};
use super::{Format, Framing, Reader, Record, Sink, SourceContext};

pub struct EqlNormalized;

impl Format for EqlNormalized {
    fn name(&self) -> &'static str {
        "eql_normalized"
    }
    fn summary(&self) -> &'static str {
        "Endgame's normalised endpoint events (EQL), a JSON array: process, network, file"
    }
    fn framing(&self) -> Framing {
        Framing::Json
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        super::json::first_object(head).is_some_and(|it| {
            ["event_type", "timestamp", "unique_pid", "process_name"].iter().all(|key| it.get(key).is_some())
        })
    }
    fn reader(&self, _context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Eql)
    }
}

struct Eql;

impl Reader for Eql {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let it = super::json::object(record.bytes)?;
        let subtype = it.any(&["subtype", "event_subtype_full"]).unwrap_or_default();
        let kind = it.field("event_type").ok_or(Malformed::new("missing field `event_type`"))?;
        let mut event = match (&*kind, &*subtype) {
            ("process", "create") => Event::new(EventClass::Process, Activity::Launch),
            ("process", "terminate") => Event::new(EventClass::Process, Activity::Terminate),
            ("network", _) => Event::new(EventClass::Network, Activity::Open),
            ("file", "delete") => Event::new(EventClass::File, Activity::Delete),
            ("file", "modify") => Event::new(EventClass::File, Activity::Modify),
            ("file", _) => Event::new(EventClass::File, Activity::Create),
            _ => return Ok(()),
        };
        event.time = Some(it.field("timestamp").and_then(|it| filetime(&it)).ok_or(Malformed::new("unreadable time"))?);
        event.host = it.any(&["hostname", "host_name"]).and_then(|it| super::fields::host_name(&it)).map(Cow::Owned);
        event.pid = it.number(&["pid"]);
        if event.class == EventClass::Process && event.pid.is_none() {
            return Err(Malformed::new("missing or invalid field `pid`"));
        }
        event.set(Field::FilePath, it.any(&["process_path", "process_name"]));
        event.set(Field::ProcessGuid, it.field("unique_pid"));
        event.set(Field::User, it.any(&["user", "user_name"]));
        match event.class {
            EventClass::Process => {
                event.ppid = it.number(&["ppid"]);
                event.set(Field::CmdLine, it.field("command_line"));
                event.set(Field::ParentName, it.any(&["parent_process_path", "parent_process_name"]));
                event.set(Field::ParentGuid, it.field("unique_ppid"));
                event.set(Field::Session, it.field("logon_id"));
                event.set(Field::Hash, it.any(&["sha256", "md5"]));
            }
            EventClass::Network => {
                event.set(Field::Direction, if subtype == "incoming" { "inbound" } else { "outbound" });
                event.set(Field::Protocol, it.field("protocol"));
                event.set(Field::SrcIp, it.field("source_address").map(address));
                event.set(Field::SrcPort, it.field("source_port"));
                event.set(Field::DstIp, it.field("destination_address").map(address));
                event.set(Field::DstPort, it.field("destination_port"));
            }
            _ => event.set(Field::TargetPath, it.any(&["file_path", "file_name"])),
        }
        sink.emit(&event);
        Ok(())
    }
}

/// 100-nanosecond steps since 1601.
fn filetime(text: &str) -> Option<Timestamp> {
    const EPOCH: i64 = 11_644_473_600_000_000;
    let steps: i64 = text.parse().ok().filter(|it| *it > 0)?;
    Some(Timestamp(steps / 10 - EPOCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filetimes() {
        assert_eq!(filetime("131883571822010000").unwrap().to_string(), "2018-12-04T00:33:02.201000Z");
        assert_eq!(filetime("0"), None);
        assert_eq!(filetime("x"), None);
    }

    #[test]
    fn the_public_sample_is_read() {
        let Some(folder) = super::super::testing::samples() else { return };
        let Ok(input) = std::fs::read(folder.join("eqllib/normalized-T1117-AtomicRed-regsvr32.json")) else { return };
        assert!(EqlNormalized.recognizes(&input[..input.len().min(super::super::framing::HEAD)]));
        let shown = super::super::testing::read_all(&EqlNormalized, &input);
        assert_eq!(shown.len(), 5, "{shown:#?}");
    }
}
