//! Azure Monitor's `VMConnection` table as JSON: a process and its peer, summed over a minute → events.

use std::borrow::Cow;

use ringleader_model::time::TimeDefaults;
use ringleader_model::{Activity, Event, EventClass, Field, Malformed, Timestamp};

use super::fields::{Fields, address, host_name};
use super::{Format, Framing, Reader, Record, Sink, SourceContext};

pub struct VmConnection;

impl Format for VmConnection {
    fn name(&self) -> &'static str {
        "vm_connection"
    }
    fn summary(&self) -> &'static str {
        "Azure Monitor VMConnection rows as JSON: which process talked to which peer, by the minute"
    }
    fn framing(&self) -> Framing {
        Framing::Json
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        super::json::first_object(head).is_some_and(|it| {
            ["TimeGenerated", "Computer", "ProcessName", "SourceIp", "DestinationIp", "Direction"]
                .iter()
                .all(|key| it.get(key).is_some())
        })
    }
    fn reader(&self, context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Rows { times: context.times })
    }
}

struct Rows {
    times: TimeDefaults,
}

impl Reader for Rows {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let it = super::json::object(record.bytes)?;
        let time = it.field("TimeGenerated").ok_or(Malformed::new("missing time"))?;
        let (time, offset) = Timestamp::parse(&time, &self.times).ok_or_else(|| super::plain::bad_time(&time))?;
        let mut event = Event::new(EventClass::Network, Activity::Traffic);
        (event.time, event.utc_offset_minutes) = (Some(time), offset);
        event.host = it.field("Computer").and_then(|it| host_name(&it)).map(Cow::Owned);
        // No pid: a row is all processes of one name. `ConnectionId` names the flow and recurs every minute.
        event.set(Field::FilePath, it.field("ProcessName"));
        event.set(Field::Direction, it.field("Direction"));
        event.set(Field::Protocol, it.field("Protocol"));
        event.set(Field::SrcIp, it.field("SourceIp").map(address));
        event.set(Field::DstIp, it.field("DestinationIp").map(address));
        event.set(Field::DstPort, it.field("DestinationPort"));
        event.set(Field::DstHost, it.any(&["RemoteDnsCanonicalNames", "RemoteDnsQuestions"]));
        event.set(Field::BytesOut, it.field("BytesSent"));
        event.set(Field::BytesIn, it.field("BytesReceived"));
        event.set(Field::Count, it.field("LinksEstablished").filter(|it| it != "0"));
        if it.field("LinksFailed").is_some_and(|it| it != "0") {
            event.set(Field::State, "failed");
        }
        // Azure's own threat intelligence, where it matched.
        event.set(Field::Detail, it.any(&["MaliciousIp", "IndicatorThreatType"]));
        sink.emit(&event);
        Ok(())
    }
}
