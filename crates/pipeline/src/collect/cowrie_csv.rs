//! CSV of Cowrie sessions, one a row → the connection, and how many logons were tried and worked.
//!
//! Deliberately absent: commands, names and passwords, which the summary does not have.

use std::borrow::Cow;

use ringleader_model::{Activity, Event, EventClass, Field, Malformed, SensorRole, Timestamp};

use super::json_format::Out;
use super::plain::{bad_time, fields};
use super::{Format, Framing, Reader, Record, Sink, SourceContext};

/// Session summaries with a header line.
pub struct CowrieCsv;

impl Format for CowrieCsv {
    fn name(&self) -> &'static str {
        "cowrie_csv"
    }
    fn summary(&self) -> &'static str {
        "Cowrie session summaries as CSV: session_id, start_time, src_ip, login_success, login_failed"
    }
    fn framing(&self) -> Framing {
        Framing::Quoted
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        header(head).is_some()
    }
    fn reader(&self, context: &SourceContext, head: &[u8]) -> Box<dyn Reader> {
        Box::new(Sessions { context: context.clone(), header: header(head) })
    }
}

struct Sessions {
    context: SourceContext,
    header: Option<Header>,
}

struct Header {
    line: Vec<u8>,
    columns: Vec<String>,
}

fn header(head: &[u8]) -> Option<Header> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let line = head.split(|it| *it == b'\n').next()?.trim_ascii();
    let columns: Vec<String> = fields(line, b',')?.iter().map(|it| it.trim().to_owned()).collect();
    let needed = ["session_id", "start_time", "src_ip", "login_success", "login_failed"];
    let all = needed.iter().all(|name| columns.iter().any(|it| it == name));
    all.then(|| Header { line: line.to_vec(), columns })
}

impl Reader for Sessions {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let header = self.header.as_ref().ok_or(Malformed::new("no header line"))?;
        if record.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(record.bytes) == header.line {
            return Ok(());
        }
        let row = fields(record.bytes, b',').ok_or(Malformed::new("not a delimited record"))?;
        if row.len() != header.columns.len() {
            return Err(Malformed::new("not as many fields as the header has"));
        }
        let get = |name: &str| {
            header.columns.iter().position(|it| it == name).and_then(|at| row.get(at)).filter(|it| !it.is_empty())
        };
        // The end alone is known of a session that another file began.
        let begun = get("start_time");
        let time = begun.or_else(|| get("end_time")).ok_or(Malformed::new("missing field `start_time`"))?;
        let (time, offset) = Timestamp::parse(time, &self.context.times).ok_or_else(|| bad_time(time))?;
        let start = |class, activity| {
            let mut event = Event::new(class, activity);
            event.sensor_role = SensorRole::Honeypot;
            (event.time, event.utc_offset_minutes) = (Some(time), offset);
            event.source_event_id = get("session_id").map(Cow::Borrowed);
            event.host = get("sensor").map(Cow::Borrowed);
            for (field, name) in [
                (Field::Session, "session_id"),
                (Field::SrcIp, "src_ip"),
                (Field::SrcPort, "src_port"),
                (Field::DstIp, "dst_ip"),
                (Field::DstPort, "dst_port"),
                (Field::Protocol, "protocol"),
            ] {
                event.set(field, get(name));
            }
            event.set(Field::Direction, "inbound");
            event
        };
        let mut out = Out::new(record, sink);
        out.emit(&start(EventClass::Network, if begun.is_some() { Activity::Open } else { Activity::Close }));
        for (name, activity) in [("login_success", Activity::Logon), ("login_failed", Activity::LogonFailed)] {
            if let Some(count) = get(name).and_then(super::json::parse_u32).filter(|it| *it > 0) {
                let mut event = start(EventClass::Authentication, activity);
                event.set(Field::Count, count);
                out.emit(&event);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::read_all;
    use super::*;

    const HEADER: &str = "session_id,start_time,src_ip,src_port,dst_port,protocol,login_success,login_failed\n";

    #[test]
    fn logons_are_counted_in_events_of_their_own() {
        let log = format!("{HEADER}8ec4f36c6df7,2025-02-18T05:25:41.286469Z,192.0.2.9,28080,22,ssh,1,3\n");
        let got = read_all(&CowrieCsv, log.as_bytes());
        assert_eq!(got.len(), 3);
        assert!(got[1].starts_with("authentication logon ") && got[1].ends_with(r#"count="1""#), "{}", got[1]);
        assert!(got[2].starts_with("authentication logon_failed ") && got[2].ends_with(r#"count="3""#), "{}", got[2]);
    }

    #[test]
    fn a_short_row_is_rejected() {
        let got = read_all(&CowrieCsv, format!("{HEADER}8ec4,2025-02-18T05:25:41Z,192.0\n").as_bytes());
        assert!(got[0].starts_with("REJECTED"), "{got:?}");
    }
}
