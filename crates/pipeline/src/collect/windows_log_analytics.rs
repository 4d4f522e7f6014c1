//! Azure Log Analytics tables `SecurityEvent`, `WindowsEvent` and `Event`, as JSON or CSV → events.

use std::borrow::Cow;

use ringleader_model::time::{Parsed, TimeDefaults};
use ringleader_model::{Malformed, Timestamp};
use serde_json::Value;

use super::fields::{Fields, Header};
use super::windows_events::{self, WindowsEvent};
use super::{Format, Framing, Reader, Record, Sink, SourceContext};

pub struct LogAnalyticsJson;

impl Format for LogAnalyticsJson {
    fn name(&self) -> &'static str {
        "windows_log_analytics"
    }
    fn summary(&self) -> &'static str {
        "Windows events from Azure Log Analytics (SecurityEvent, WindowsEvent) as JSON"
    }
    fn framing(&self) -> Framing {
        Framing::Json
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        super::json::first_object(head).is_some_and(|it| is_table(&|key| it.get(key).is_some()))
    }
    fn reader(&self, context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Json { times: context.times })
    }
}

pub struct LogAnalyticsCsv;

impl Format for LogAnalyticsCsv {
    fn name(&self) -> &'static str {
        "windows_log_analytics_csv"
    }
    fn summary(&self) -> &'static str {
        "Windows events from Azure Log Analytics (SecurityEvent, WindowsEvent) as CSV with a header line"
    }
    fn framing(&self) -> Framing {
        Framing::Quoted
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        Header::find(head, is_table).is_some()
    }
    fn reader(&self, context: &SourceContext, head: &[u8]) -> Box<dyn Reader> {
        Box::new(Csv { times: context.times, header: Header::find(head, is_table) })
    }
}

fn is_table(has: &dyn Fn(&str) -> bool) -> bool {
    has("EventID") && has("Computer") && has("TimeGenerated")
}

struct Json {
    times: TimeDefaults,
}

struct Csv {
    times: TimeDefaults,
    header: Option<Header>,
}

impl Reader for Json {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        emit(&super::json::object(record.bytes)?, &self.times, sink)
    }
}

impl Reader for Csv {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let header = self.header.as_ref().ok_or(Malformed::new("no header line"))?;
        match header.row(record.bytes)? {
            Some(row) => emit(&row, &self.times, sink),
            None => Ok(()),
        }
    }
}

fn emit(row: &dyn Fields, times: &TimeDefaults, sink: &mut dyn Sink) -> Result<(), Malformed> {
    let nested = row.field("EventData").and_then(|it| event_data(&it));
    let data = Both { nested: nested.as_ref(), row };
    // SecurityEvent has neither provider nor channel in the older exports; its rows are all of one provider.
    let source = row.any(&["Provider", "EventSourceName", "Source", "Channel", "EventLog"]);
    let event = WindowsEvent {
        source: source.as_deref().unwrap_or("Security"),
        id: row.number(&["EventID"]).ok_or(Malformed::new("missing or invalid event id"))?,
        host: row.field("Computer"),
        time: row.any(&["TimeCreated", "TimeCreatedUtc", "TimeGenerated"]).map(|it| time(&it, times)).transpose(),
        record_id: row.any(&["_ItemId", "EventRecordId", "EventOriginId"]),
        writer_pid: row.number(&["SystemProcessId"]),
        writer: row.any(&["SystemUserId", "UserName"]),
        data: &data,
    };
    if let Some(event) = windows_events::read(&event, times)? {
        sink.emit(&event);
    }
    Ok(())
}

/// The event's own values: in the columns (SecurityEvent), or in the column `EventData` (WindowsEvent, Event).
struct Both<'a> {
    nested: Option<&'a Value>,
    row: &'a dyn Fields,
}

impl Fields for Both<'_> {
    fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        self.nested.and_then(|it| it.field(name)).or_else(|| self.row.field(name))
    }
}

/// `EventData` as a JSON object, or as the XML of table `Event`: `<Data Name="Image">…</Data>`.
fn event_data(text: &str) -> Option<Value> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).ok();
    }
    let mut values = serde_json::Map::new();
    for element in text.split("<Data Name=\"").skip(1) {
        if let Some((name, rest)) = element.split_once("\">")
            && let Some((value, _)) = rest.split_once("</Data>")
        {
            values.insert(name.to_owned(), windows_events::unescape(value).into());
        }
    }
    (!values.is_empty()).then_some(Value::Object(values))
}

/// Log Analytics keeps UTC. Its portal writes `1/15/2019, 5:24:24.010 AM`, its API RFC 3339.
fn time(text: &str, times: &TimeDefaults) -> Result<Parsed, Malformed> {
    let utc = TimeDefaults { utc_offset_minutes: 0, ..*times };
    Timestamp::parse(text, &utc)
        .or_else(|| Timestamp::parse(&portal(text)?, &utc))
        .map(|(time, _)| (time, Some(0)))
        .ok_or_else(|| super::plain::bad_time(text))
}

fn portal(text: &str) -> Option<String> {
    let (date, clock) = text.split_once(", ")?;
    let mut date = date.split('/').map(str::parse::<u32>);
    let (month, day, year) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let (clock, half) = clock.split_once(' ')?;
    let (hour, rest) = clock.split_once(':')?;
    let hour = hour.parse::<u32>().ok()? % 12 + if half.eq_ignore_ascii_case("pm") { 12 } else { 0 };
    Some(format!("{year:04}-{month:02}-{day:02} {hour:02}:{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portals_times_are_read() {
        for (text, expect) in [
            ("1/15/2024, 5:24:24.010 AM", "2024-01-15T05:24:24.010000Z"),
            ("12/1/2024, 12:00:01.000 AM", "2024-12-01T00:00:01.000000Z"),
            ("12/1/2024, 12:00:01.000 PM", "2024-12-01T12:00:01.000000Z"),
        ] {
            assert_eq!(time(text, &TimeDefaults::default()).unwrap().0.to_string(), expect);
        }
        assert!(time("13/40/2024, 5:24 AM", &TimeDefaults::default()).is_err());
    }

    #[test]
    fn the_public_sample_is_read() {
        let Some(folder) = super::super::testing::samples() else { return };
        let Ok(input) = std::fs::read(folder.join("msticpy/processes_on_host.csv")) else { return };
        let shown = super::super::testing::read_all(&LogAnalyticsCsv, &input);
        assert_eq!(shown.len(), 363);
        assert!(
            shown.iter().all(|it| it.starts_with("process_activity launch") && it.contains("host=msticalertswin1"))
        );
    }
}
