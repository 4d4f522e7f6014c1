//! DShield web honeypot JSON → HTTP requests.
//!
//! Deliberately absent: the query string, which this honeypot strips; pair it with a packet sensor.

use ringleader_model::{Activity, EventClass, Field, Malformed, SensorRole};
use serde_json::Value;

use super::json::{any, text};
use super::json_format::{JsonFormat, Out};
use super::{SourceContext, wire};

/// One JSON object a request.
pub const DSHIELD_WEB: JsonFormat = JsonFormat {
    name: "dshield_web",
    summary: "DShield web honeypot JSON: sip, method, url, headers, data",
    mark: r#""sip""#,
    recognizes: |it| {
        ["sip", "method", "url", "time"].iter().all(|key| it.get(key).is_some())
            && it.get("headers").is_some_and(Value::is_object)
    },
    read,
};

fn read(it: &Value, context: &SourceContext, out: &mut Out<'_>) -> Result<(), Malformed> {
    let mut event = wire::event_at(EventClass::Http, Activity::Request, it, &["time"], context)?;
    event.sensor_role = SensorRole::Honeypot;
    event.set(Field::SrcIp, text(it, "sip"));
    event.set(Field::DstIp, text(it, "dip"));
    event.set(Field::Direction, "inbound");
    event.set(Field::Method, text(it, "method"));
    event.set(Field::Url, text(it, "url").map(wire::cap));
    event.set(Field::UserAgent, any(it, &["useragent", "user_agent"]).map(wire::cap));
    if let Some(Value::Object(headers)) = it.get("headers") {
        let header = |name: &str| {
            headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, it)| super::json::scalar(it))
        };
        event.set(Field::HttpHost, header("host"));
        event.set(Field::Referrer, header("referer").map(wire::cap));
        if event.get(Field::UserAgent).is_none() {
            event.set(Field::UserAgent, header("user-agent").map(wire::cap));
        }
        let line = |(key, it): (&String, &Value)| Some(format!("{key}: {}", super::json::scalar(it)?));
        event.set(Field::Headers, wire::cap(headers.iter().take(256).filter_map(line).collect::<Vec<_>>().join("\n")));
    }
    event.set(Field::Body, text(it, "data").map(wire::cap));
    out.emit(&event);
    Ok(())
}
