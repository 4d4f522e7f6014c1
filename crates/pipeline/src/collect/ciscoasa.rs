//! Cisco ASA honeypot JSON → HTTP requests and other payloads.
//!
//! Deliberately absent: bodies, which this honeypot logs only in parts.

use ringleader_model::{Activity, EventClass, Field, Malformed, SensorRole};
use serde_json::Value;

use super::json::text;
use super::json_format::{JsonFormat, Out};
use super::{SourceContext, access_log, wire};

/// One JSON object a line.
pub const CISCOASA: JsonFormat = JsonFormat {
    name: "ciscoasa",
    summary: "Cisco ASA honeypot JSON: src_ip, payload_printable",
    mark: r#""payload_printable""#,
    recognizes: |it| {
        ["timestamp", "src_ip", "payload_printable"].iter().all(|key| it.get(key).is_some_and(Value::is_string))
            && it.get("event_type").is_none()
    },
    read,
};

fn read(it: &Value, context: &SourceContext, out: &mut Out<'_>) -> Result<(), Malformed> {
    let payload = text(it, "payload_printable").unwrap_or_default();
    // A request stands in quotes, the answer's status behind it: `"GET /+CSCOE+/logon.html HTTP/1.1" 302 -`.
    let request = access_log::quoted(&payload).filter(|(line, _)| wire::request_line(line.as_bytes()).is_some());
    let (class, activity) = match request {
        Some(_) => (EventClass::Http, Activity::Request),
        None => (EventClass::Network, Activity::Traffic),
    };
    let mut event = wire::event_at(class, activity, it, &["timestamp"], context)?;
    event.sensor_role = SensorRole::Honeypot;
    event.set(Field::SrcIp, text(it, "src_ip"));
    event.set(Field::Direction, "inbound");
    match request {
        Some((line, rest)) => {
            access_log::request(&mut event, line.into_owned().into());
            event.set(Field::Status, rest.split_whitespace().next().map(str::to_owned));
        }
        None => event.set(Field::Body, wire::cap(payload.clone())),
    }
    out.emit(&event);
    Ok(())
}
