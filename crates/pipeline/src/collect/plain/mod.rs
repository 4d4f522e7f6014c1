//! The plainest process log: NDJSON, CSV or TSV with `id, time, host, file_path, cmd_line, pid, ppid, parent`.

use std::borrow::Cow;

use ringleader_model::{Activity, Event, EventClass, Field, Malformed, Timestamp};
use serde::Deserialize;

use super::{Format, Framing, Reader, Record, Sink, SourceContext};

mod scan;

/// One JSON object a line.
pub struct PlainNdjson;

impl Format for PlainNdjson {
    fn name(&self) -> &'static str {
        "plain_ndjson"
    }
    fn summary(&self) -> &'static str {
        "Plain process log as NDJSON: id, time, host, file_path, cmd_line, pid, ppid, parent"
    }
    fn framing(&self) -> Framing {
        Framing::Lines { stateless: true }
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        super::json::first_object(head).is_some_and(|it| {
            ["time", "pid", "ppid"].iter().all(|key| it.get(key).is_some())
                && (it.get("cmd_line").is_some() || it.get("file_path").is_some())
        })
    }
    fn reader(&self, context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Ndjson { context: context.clone() })
    }
}

struct Ndjson {
    context: SourceContext,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(Debug, PartialEq))]
struct Row<'a> {
    #[serde(borrow, default)]
    id: Option<Scalar<'a>>,
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(borrow, default)]
    host: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    file_path: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    cmd_line: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pid: Option<Scalar<'a>>,
    #[serde(borrow, default)]
    ppid: Option<Scalar<'a>>,
    #[serde(borrow, default)]
    parent: Option<Cow<'a, str>>,
}

/// Exporters write numbers as numbers or as text.
#[derive(Deserialize)]
#[cfg_attr(test, derive(Debug, PartialEq))]
#[serde(untagged)]
enum Scalar<'a> {
    Number(i64),
    #[serde(borrow)]
    Text(Cow<'a, str>),
}

impl<'a> Scalar<'a> {
    fn into_text(self) -> Cow<'a, str> {
        match self {
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Text(text) => text,
        }
    }
    fn pid(&self) -> Option<u32> {
        match self {
            Self::Number(number) => u32::try_from(*number).ok(),
            Self::Text(text) => super::json::parse_u32(text),
        }
    }
}

fn parse(text: &str) -> Result<Row<'_>, Malformed> {
    serde_json::from_str(text).map_err(|error| {
        if error.is_eof() {
            Malformed::new("JSON ends in the middle of a value")
        } else {
            Malformed::new("not a plain process record")
        }
    })
}

impl Reader for Ndjson {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let text = super::text::decode(record.bytes);
        let row = scan::row(&text).map_or_else(|| parse(&text), Ok)?;
        let mut event = Event::new(EventClass::Process, Activity::Launch);
        let time = Timestamp::parse(&row.time, &self.context.times).ok_or_else(|| bad_time(&row.time))?;
        (event.time, event.utc_offset_minutes) = (Some(time.0), time.1);
        event.source_event_id = row.id.map(Scalar::into_text);
        event.host = row.host;
        event.pid = row.pid.as_ref().and_then(Scalar::pid);
        event.ppid = row.ppid.as_ref().and_then(Scalar::pid);
        if event.pid.is_none() {
            return Err(Malformed::new("missing or invalid field `pid`"));
        }
        event.set(Field::FilePath, row.file_path);
        event.set(Field::CmdLine, row.cmd_line);
        event.set(Field::ParentName, row.parent);
        sink.emit(&event);
        Ok(())
    }
}

/// CSV or TSV with a header line.
pub struct PlainDelimited;

impl Format for PlainDelimited {
    fn name(&self) -> &'static str {
        "plain_csv"
    }
    fn summary(&self) -> &'static str {
        "Plain process log as CSV or TSV with a header line"
    }
    fn framing(&self) -> Framing {
        Framing::Quoted
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        header(head).is_some()
    }
    fn reader(&self, context: &SourceContext, head: &[u8]) -> Box<dyn Reader> {
        Box::new(Delimited { context: context.clone(), header: header(head) })
    }
}

struct Delimited {
    context: SourceContext,
    header: Option<Header>,
}

struct Header {
    delimiter: u8,
    line: Vec<u8>,
    columns: Vec<String>,
}

fn header(head: &[u8]) -> Option<Header> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let line = head.split(|b| *b == b'\n').find(|line| !line.trim_ascii().is_empty())?.trim_ascii();
    let delimiter = *[b'\t', b',', b';'].iter().find(|it| line.contains(it))?;
    let columns: Vec<String> = fields(line, delimiter)?.iter().map(|it| it.trim().to_ascii_lowercase()).collect();
    let has = |name: &str| columns.iter().any(|it| it == name);
    (has("time") && has("pid") && has("ppid") && (has("cmd_line") || has("file_path"))).then(|| Header {
        delimiter,
        line: line.to_vec(),
        columns,
    })
}

/// The fields of one delimited record.
pub(crate) fn fields(record: &[u8], delimiter: u8) -> Option<csv::StringRecord> {
    let text = super::text::decode(record);
    // Most records have no quote, and a CSV reader costs more to make than a record to read.
    if !text.is_empty() && memchr::memchr3(b'"', b'\r', b'\n', text.as_bytes()).is_none() {
        return Some(text.split(char::from(delimiter)).collect::<Vec<_>>().into());
    }
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    reader.records().next()?.ok()
}

impl Reader for Delimited {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let Some(header) = &self.header else {
            return Err(Malformed::new("no header line"));
        };
        if record.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(record.bytes) == header.line {
            return Ok(());
        }
        let row = fields(record.bytes, header.delimiter).ok_or(Malformed::new("not a delimited record"))?;
        if row.len() > header.columns.len() {
            return Err(Malformed::new("more fields than the header has"));
        }
        let get = |name: &str| {
            header.columns.iter().position(|it| it == name).and_then(|at| row.get(at)).filter(|it| !it.is_empty())
        };
        let time = get("time").ok_or(Malformed::new("missing field `time`"))?;
        let mut event = Event::new(EventClass::Process, Activity::Launch);
        let (time, offset) = Timestamp::parse(time, &self.context.times).ok_or_else(|| bad_time(time))?;
        (event.time, event.utc_offset_minutes) = (Some(time), offset);
        event.source_event_id = get("id").map(Cow::Borrowed);
        event.host = get("host").map(Cow::Borrowed);
        event.pid = get("pid").and_then(super::json::parse_u32);
        event.ppid = get("ppid").and_then(super::json::parse_u32);
        if event.pid.is_none() {
            return Err(Malformed::new("missing or invalid field `pid`"));
        }
        event.set(Field::FilePath, get("file_path"));
        event.set(Field::CmdLine, get("cmd_line"));
        event.set(Field::ParentName, get("parent"));
        sink.emit(&event);
        Ok(())
    }
}

/// One reason for every time that cannot be, so that the counts stay readable.
pub(crate) fn bad_time(text: &str) -> Malformed {
    if text.len() >= 10 && text.as_bytes()[..4].iter().all(u8::is_ascii_digit) {
        Malformed::new("a date or time that does not exist")
    } else {
        Malformed::new("unreadable time")
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::read_all;
    use super::*;

    #[test]
    fn the_seeds_own_table() {
        let table = "id\ttime\tfile_path\tcmd_line\tpid\tppid\tparent\n\
                     1\t2019-11-04 08:21:40.27281\t/usr/sbin/sshd\tsshd\t27288\t1\tsshd\n";
        assert!(PlainDelimited.recognizes(table.as_bytes()));
        assert_eq!(
            read_all(&PlainDelimited, table.as_bytes()),
            ["process_activity launch 2019-11-04T08:21:40.272810Z host=- pid=Some(27288) ppid=Some(1) id=1 \
              process_file_path=\"/usr/sbin/sshd\" process_cmd_line=\"sshd\" parent_file_path=\"sshd\""]
        );
    }

    #[test]
    fn fields_are_the_same_with_and_without_quotes() {
        let check = |record: &str, expect: &[&str]| {
            assert_eq!(fields(record.as_bytes(), b',').unwrap().iter().collect::<Vec<_>>(), expect, "{record}");
        };
        check("a, b,,c ", &["a", " b", "", "c "]);
        check("a,\" b\",\"\",c ", &["a", " b", "", "c "]);
        check(",", &["", ""]);
        check("\"\",\"\"", &["", ""]);
        check("用户,x", &["用户", "x"]);
    }

    #[test]
    fn a_bad_record_costs_itself_alone() {
        let log = concat!(
            r#"{"id":"a","time":"2018-09-31T08:00:00Z","host":"h","file_path":"/x","cmd_line":"x","pid":5,"ppid":1,"parent":"init"}"#,
            "\n{\"id\":\"b\",\"time\":\"2018-0\n",
            r#"{"id":"c","time":"2018-09-30T08:00:00Z","host":"h","file_path":"/x","cmd_line":"x","pid":"6","ppid":1,"parent":"-"}"#,
        );
        let got = read_all(&PlainNdjson, log.as_bytes());
        assert_eq!(got[0], "REJECTED at 0: a date or time that does not exist");
        assert!(got[1].starts_with("REJECTED at 117: JSON ends"), "{}", got[1]);
        assert!(got[2].contains("id=c") && !got[2].contains("parent_file_path"), "{}", got[2]);
    }
}
