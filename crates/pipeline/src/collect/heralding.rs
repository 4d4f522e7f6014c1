//! Heralding session JSON → the connection, and each name and password that was tried.
//!
//! Deliberately absent: a logon that worked. Heralding lets no one in.

use ringleader_model::{Activity, Event, EventClass, Field, Malformed, SensorRole};
use serde_json::Value;

use super::json::text;
use super::json_format::{JsonFormat, Out};
use super::{SourceContext, wire};

/// The most attempts that are taken from one session; beyond, the record is also rejected.
const MAX_TRIED: usize = 1000;

/// One JSON object a session.
pub const HERALDING: JsonFormat = JsonFormat {
    name: "heralding",
    summary: "Heralding credential honeypot JSON: session_id, source_ip, protocol, auth_attempts",
    mark: r#""auth_attempts""#,
    recognizes: |it| {
        ["session_id", "source_ip", "num_auth_attempts", "auth_attempts"].iter().all(|key| it.get(key).is_some())
    },
    read,
};

fn read(it: &Value, context: &SourceContext, out: &mut Out<'_>) -> Result<(), Malformed> {
    let start = |class, activity| -> Result<Event<'_>, Malformed> {
        let mut event = wire::event_at(class, activity, it, &["timestamp"], context)?;
        event.sensor_role = SensorRole::Honeypot;
        event.set(Field::Session, text(it, "session_id"));
        event.set(Field::SrcIp, text(it, "source_ip"));
        event.set(Field::SrcPort, text(it, "source_port"));
        event.set(Field::DstIp, text(it, "destination_ip"));
        event.set(Field::DstPort, text(it, "destination_port"));
        event.set(Field::Protocol, text(it, "protocol"));
        event.set(Field::Direction, "inbound");
        Ok(event)
    };
    let mut event = start(EventClass::Network, Activity::Open)?;
    event.source_event_id = text(it, "session_id");
    out.emit(&event);
    let tried = it.get("auth_attempts").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for attempt in tried.iter().take(MAX_TRIED) {
        let mut event = start(EventClass::Authentication, Activity::LogonFailed)?;
        if let Some((time, offset)) = text(attempt, "timestamp").and_then(|it| wire::parse_time(&it, context)) {
            (event.time, event.utc_offset_minutes) = (Some(time), offset);
        }
        for (field, key) in [(Field::User, "username"), (Field::Password, "password")] {
            if let Some(value) = attempt.get(key).and_then(Value::as_str) {
                event.put(field, wire::cap(value));
            }
        }
        out.emit(&event);
    }
    if tried.len() > MAX_TRIED {
        return Err(Malformed::new("more than 1,000 attempts in one session"));
    }
    Ok(())
}
