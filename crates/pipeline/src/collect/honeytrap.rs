//! Honeytrap JSON → the first payload of each connection: an HTTP request, or bytes on a port.
//!
//! Deliberately absent: the proxied side of a connection, and what the honeypot itself fetched.

use ringleader_model::{Activity, Event, EventClass, Field, Malformed, SensorRole};
use serde_json::Value;

use super::json::{any, object, text};
use super::json_format::Out;
use super::wire::{self, HttpRequest};
use super::{Format, Framing, Reader, Record, Sink, SourceContext};

/// The most payload bytes that are decoded of one connection.
const MAX_PAYLOAD: usize = 1 << 20;

/// One object of all attacks, or an attack a line.
pub struct Honeytrap;

impl Format for Honeytrap {
    fn name(&self) -> &'static str {
        "honeytrap"
    }
    fn summary(&self) -> &'static str {
        "Honeytrap low-interaction honeypot, JSON with payloads in hex"
    }
    fn framing(&self) -> Framing {
        Framing::Json
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        let head = head.trim_ascii_start();
        head.starts_with(b"{")
            && memchr::memmem::find(&head[..head.len().min(4096)], b"\"attack_connection\"").is_some()
    }
    fn reader(&self, context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Attacks { context: context.clone() })
    }
}

struct Attacks {
    context: SourceContext,
}

impl Reader for Attacks {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        // `{"attacks":[` with an attack a line behind it is cut at its lines: what opens and closes the list
        // hangs on the first and last record.
        let bytes = unlisted(record.bytes);
        if bytes.is_empty() {
            return Ok(());
        }
        let it = object(bytes).or_else(|_| object(record.bytes))?;
        let mut out = Out::new(record, sink);
        match it.get("attacks") {
            Some(Value::Array(attacks)) => {
                for attack in attacks {
                    if let Err(why) = read(attack, &self.context, &mut out) {
                        out.reject(why);
                    }
                }
                Ok(())
            }
            _ => read(&it, &self.context, &mut out),
        }
    }
}

/// The record without the list's own brackets: `{"attacks":[{…},` is `{…}`, and `]}` is nothing.
fn unlisted(record: &[u8]) -> &[u8] {
    let opened = || {
        let rest = record.strip_prefix(b"{")?.trim_ascii_start().strip_prefix(b"\"attacks\"")?.trim_ascii_start();
        Some(rest.strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"[")?.trim_ascii_start())
    };
    let Some(rest) = opened() else {
        return if matches!(record, b"}" | b"]}") { &[] } else { record };
    };
    let closed = rest.strip_suffix(b"}").map(<[u8]>::trim_ascii_end).and_then(|it| it.strip_suffix(b"]")).is_some();
    if closed { record } else { rest.strip_suffix(b",").unwrap_or(rest).trim_ascii_end() }
}

fn read(it: &Value, context: &SourceContext, out: &mut Out<'_>) -> Result<(), Malformed> {
    let connection = it.get("attack_connection").ok_or(Malformed::new("missing field `attack_connection`"))?;
    let hex = connection.get("payload").and_then(|it| it.get("data_hex")).and_then(Value::as_str).unwrap_or_default();
    let hex = hex.get(..hex.len().min(MAX_PAYLOAD * 2)).ok_or(Malformed::new("payload is not hex"))?;
    let payload = super::text::unhex(hex).ok_or(Malformed::new("payload is not hex"))?;
    let request = HttpRequest::parse(payload.trim_ascii_start());
    let (class, activity) = match &request {
        Some(_) => (EventClass::Http, Activity::Request),
        None if payload.is_empty() => (EventClass::Network, Activity::Open),
        None => (EventClass::Network, Activity::Traffic),
    };
    let mut event: Event<'_> = wire::event_at(class, activity, it, &["@timestamp", "start_time"], context)?;
    event.sensor_role = SensorRole::Honeypot;
    event.set(Field::SrcIp, text(connection, "remote_ip"));
    event.set(Field::SrcPort, text(connection, "remote_port"));
    event.set(Field::DstIp, text(connection, "local_ip"));
    event.set(Field::DstPort, text(connection, "local_port"));
    event.set(Field::Protocol, any(connection, &["protocol"]));
    event.set(Field::Direction, "inbound");
    if !payload.is_empty() {
        event.set(Field::BytesIn, payload.len().to_string());
    }
    match &request {
        Some(request) => request.fill(&mut event),
        None => event.set(Field::Body, wire::printable(&payload)),
    }
    // An attack is the same event in a list and on a line of its own.
    out.emit_part(&event, it.to_string().as_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::read_all;
    use super::*;

    fn attack(hex: &str) -> String {
        format!(
            r#"{{ "@timestamp": "2025-02-18T04:23:26Z", "attack_connection": {{ "protocol": "tcp", "remote_ip": "192.0.2.5", "remote_port": 47344, "local_ip": "198.51.100.5", "local_port": 8728, "payload": {{ "length": 1, "data_hex": "{hex}" }} }} }}"#
        )
    }

    #[test]
    fn every_shape_of_the_list_gives_the_same() {
        let [a, b] = [attack(""), attack("474554202f6120485454502f312e300d0a0d0a")];
        let lines = read_all(&Honeytrap, format!("{a}\n{b}\n").as_bytes());
        assert_eq!(lines.len(), 2, "{lines:#?}");
        assert!(lines[1].starts_with("http_activity request") && lines[1].contains(r#"url="/a""#), "{}", lines[1]);
        for list in [
            format!("{{\"attacks\":[\n{a},\n{b}\n]}}"),
            format!("{{\"attacks\":[{a},{b}]}}"),
            format!("{{\n  \"attacks\": [\n    {a},\n    {b}\n  ]\n}}"),
            format!("{{ \"attacks\" : [\n{a}\n,\n{b}\n]\n}}\n"),
        ] {
            assert!(Honeytrap.recognizes(list.as_bytes()));
            assert_eq!(read_all(&Honeytrap, list.as_bytes()), lines, "{list}");
        }
    }

    #[test]
    fn bytes_are_escaped_and_bad_hex_is_rejected() {
        assert!(read_all(&Honeytrap, attack("0300412a").as_bytes())[0].contains(r#"http_body="\\x03\\x00A*""#));
        assert!(read_all(&Honeytrap, attack("030").as_bytes())[0].contains("payload is not hex"));
        assert!(read_all(&Honeytrap, attack("\u{e4}").as_bytes())[0].contains("payload is not hex"));
    }
}
