//! Windows events as JSON: nxlog's and winlogbeat's flat form, winlogbeat's nested one, and evtx_dump's → events.

use std::borrow::Cow;

use ringleader_model::time::{Parsed, TimeDefaults};
use ringleader_model::{Malformed, Timestamp};
use serde_json::Value;

use super::fields::Fields;
use super::windows_events::{self, WindowsEvent};
use super::{Format, Framing, Reader, Record, Sink, SourceContext};

pub struct WindowsJson;

impl Format for WindowsJson {
    fn name(&self) -> &'static str {
        "windows_json"
    }
    fn summary(&self) -> &'static str {
        "Windows event logs as JSON, from nxlog, winlogbeat or evtx_dump: Sysmon, Security, System, PowerShell"
    }
    fn framing(&self) -> Framing {
        Framing::Json
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        super::json::first_object(head).is_some_and(|it| envelope(&it).is_some())
    }
    fn reader(&self, context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Json { times: context.times })
    }
}

struct Json {
    times: TimeDefaults,
}

impl Reader for Json {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let value = super::json::object(record.bytes)?;
        let event = match envelope(&value).ok_or(Malformed::new("no Windows event in the JSON object"))? {
            Envelope::Flat => flat(&value, &self.times)?,
            Envelope::Winlog(inner) => winlog(&value, inner, &self.times)?,
            Envelope::Event(inner) => xml_shaped(inner, &self.times)?,
        };
        if let Some(event) = windows_events::read(&event, &self.times)? {
            sink.emit(&event);
        }
        Ok(())
    }
}

enum Envelope<'v> {
    /// All values beside each other.
    Flat,
    /// `winlog` of winlogbeat 7 and later, or the whole record of winlogbeat 6.
    Winlog(&'v Value),
    /// `Event` with `System` and `EventData`, as the XML has them.
    Event(&'v Value),
}

fn envelope(value: &Value) -> Option<Envelope<'_>> {
    if let Some(inner) = value.get("Event").filter(|it| it.pointer("/System/EventID").is_some()) {
        return Some(Envelope::Event(inner));
    }
    if let Some(inner) = value.get("winlog").filter(|it| it.get("event_id").is_some()) {
        return Some(Envelope::Winlog(inner));
    }
    let has = |key: &str| value.get(key).is_some();
    if has("event_id") && has("event_data") && has("computer_name") {
        return Some(Envelope::Winlog(value));
    }
    let flat = has("EventID") && (has("Channel") || has("SourceName")) && (has("Hostname") || has("Computer"));
    flat.then_some(Envelope::Flat)
}

fn flat<'v>(value: &'v Value, times: &TimeDefaults) -> Result<WindowsEvent<'v>, Malformed> {
    Ok(WindowsEvent {
        source: text(value, &["SourceName", "ProviderName", "Channel"]),
        id: id(value, "EventID")?,
        // `host` is the collector that forwarded the record.
        host: value.any(&["Hostname", "Computer"]),
        time: flat_time(value, times),
        record_id: value.any(&["RecordNumber", "EventRecordID"]),
        writer_pid: value.number(&["ExecutionProcessID"]).filter(|pid| *pid != 0),
        writer: value.field("AccountName").map(|user| match value.field("Domain") {
            Some(domain) => Cow::Owned(format!("{domain}\\{user}")),
            None => user,
        }),
        data: value,
    })
}

/// nxlog writes `EventTime` in local time without a zone, and logstash `@timestamp` in UTC when the record arrives,
/// seconds later. The two together give the zone: the offset is the whole number of quarter hours between them.
fn flat_time(value: &Value, times: &TimeDefaults) -> Result<Option<Parsed>, Malformed> {
    const QUARTER: i64 = 15 * 60 * 1_000_000;
    const EARLY: i64 = 5_000_000;
    let happened = time(value, &["TimeCreated", "EventTime"], times)?;
    let arrived = time(value, &["@timestamp", "EventReceivedTime"], times)?;
    Ok(match (happened, arrived) {
        (Some(it @ (_, Some(_))), _) => Some(it),
        (Some((local, None)), Some((arrived, Some(_)))) => {
            let local = local.0 + i64::from(times.utc_offset_minutes) * 60_000_000;
            let ahead = arrived.0 - local;
            let zone = (ahead + EARLY).div_euclid(QUARTER) * QUARTER;
            // A record that arrived many minutes late does not tell the zone.
            if ahead - zone < QUARTER / 2 && zone.abs() <= 14 * 4 * QUARTER {
                Some((Timestamp(local + zone), None))
            } else {
                Some((arrived, Some(0)))
            }
        }
        (happened, arrived) => happened.or(arrived),
    })
}

fn winlog<'v>(outer: &'v Value, inner: &'v Value, times: &TimeDefaults) -> Result<WindowsEvent<'v>, Malformed> {
    let data = inner.get("event_data").unwrap_or(&Value::Null);
    let writer = inner.get("user");
    Ok(WindowsEvent {
        source: text(inner, &["provider_name", "source_name", "channel", "log_name"]),
        id: id(inner, "event_id")?,
        host: inner.field("computer_name").or_else(|| super::json::at(outer, &["host", "name"])),
        time: time(outer, &["@timestamp"], times),
        record_id: inner.any(&["record_id", "record_number"]),
        writer_pid: super::json::at(inner, &["process", "pid"]).and_then(|it| super::json::parse_u32(&it)),
        writer: writer.and_then(|user| {
            let name = user.field("name")?;
            Some(match user.field("domain") {
                Some(domain) => Cow::Owned(format!("{domain}\\{name}")),
                None => name,
            })
        }),
        data,
    })
}

/// The JSON that mirrors a Windows event's XML.
pub(crate) fn xml_shaped<'v>(event: &'v Value, times: &TimeDefaults) -> Result<WindowsEvent<'v>, Malformed> {
    let system = event.get("System").ok_or(Malformed::new("Windows event without `System`"))?;
    let attribute = |element: &str, name: &str| {
        let element = system.get(element)?;
        super::json::at(element, &["#attributes", name]).or_else(|| super::json::at(element, &[name]))
    };
    let source = ["/Provider/#attributes/Name", "/Provider/Name", "/Channel"];
    let written = attribute("TimeCreated", "SystemTime");
    let data = event.get("EventData").filter(|it| it.is_object());
    Ok(WindowsEvent {
        source: source.iter().find_map(|path| system.pointer(path)?.as_str()).unwrap_or_default(),
        id: id(system, "EventID")?,
        host: system.field("Computer"),
        time: written.map(|it| parse(&it, times)).transpose(),
        record_id: system.field("EventRecordID"),
        writer_pid: attribute("Execution", "ProcessID").and_then(|it| super::json::parse_u32(&it)),
        writer: attribute("Security", "UserID"),
        data: data.unwrap_or(&Value::Null),
    })
}

/// A number, its text, or the text of an element that has attributes.
fn id(value: &Value, key: &str) -> Result<u32, Malformed> {
    super::json::number(value, key)
        .or_else(|| super::json::parse_u32(&super::json::at(value, &[key, "#text"])?))
        .ok_or(Malformed::new("missing or invalid event id"))
}

fn text<'v>(value: &'v Value, keys: &[&str]) -> &'v str {
    keys.iter().find_map(|key| value.get(*key)?.as_str()).unwrap_or_default()
}

fn time(value: &Value, keys: &[&str], times: &TimeDefaults) -> Result<Option<Parsed>, Malformed> {
    value.any(keys).map(|it| parse(&it, times)).transpose()
}

fn parse(text: &str, times: &TimeDefaults) -> Result<Parsed, Malformed> {
    Timestamp::parse(text, times).ok_or_else(|| super::plain::bad_time(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(event_time: &str, arrived: &str, expect: &str) {
        let value = serde_json::json!({"EventTime": event_time, "@timestamp": arrived});
        let got = flat_time(&value, &TimeDefaults::default()).unwrap().unwrap().0;
        assert_eq!(got.to_string(), expect, "{event_time} {arrived}");
    }

    #[test]
    fn local_time_and_arrival_give_the_zone() {
        check("2024-08-06 11:56:04", "2024-08-06T15:56:07.158Z", "2024-08-06T15:56:04.000000Z");
        check("2024-08-06 23:56:04", "2024-08-06T15:56:07.158Z", "2024-08-06T15:56:04.000000Z");
        // The collector's clock is a second behind.
        check("2024-08-06 15:56:08", "2024-08-06T15:56:07.158Z", "2024-08-06T15:56:08.000000Z");
        // Eleven minutes late: the zone cannot be told from the delay.
        check("2024-08-06 15:45:00", "2024-08-06T15:56:07.158Z", "2024-08-06T15:56:07.158000Z");
    }
}
