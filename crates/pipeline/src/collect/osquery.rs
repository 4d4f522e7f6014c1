//! osquery's results log (event, snapshot and batch form) → processes and sockets, whatever the queries are called.
//!
//! Deliberately absent: tables without processes or addresses.

use std::borrow::Cow;

use ringleader_model::{Activity, Event, EventClass, Field, Malformed, Timestamp};
use serde_json::Value;

use super::{Format, Framing, Reader, Record, Sink, SourceContext, json};

/// Rows of one snapshot that are read.
const MAX_ROWS: usize = 1 << 20;

pub struct Osquery;

impl Format for Osquery {
    fn name(&self) -> &'static str {
        "osquery"
    }
    fn summary(&self) -> &'static str {
        "osquery results log: process_events, socket_events, processes, process_open_sockets"
    }
    fn framing(&self) -> Framing {
        Framing::Json
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        json::first_object(head).is_some_and(|it| {
            it.get("hostIdentifier").is_some()
                && ["columns", "snapshot", "diffResults"].iter().any(|key| it.get(key).is_some())
        })
    }
    fn reader(&self, _context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Results)
    }
}

struct Results;

impl Reader for Results {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let result = json::object(record.bytes)?;
        let logged = json::text(&result, "unixTime").as_deref().and_then(Timestamp::from_epoch_text);
        if let Some(row) = result.get("columns") {
            // A row that left a table's difference is no event; the end of a process is not told by it.
            if json::text(&result, "action").as_deref() != Some("removed")
                && let Some(event) = of_row(&result, row, logged, false)?
            {
                sink.emit(&event);
            }
            return Ok(());
        }
        let snapshot = result.get("snapshot").and_then(Value::as_array);
        let rows = snapshot.or_else(|| result.get("diffResults")?.get("added")?.as_array());
        let Some(rows) = rows else { return Ok(()) };
        if rows.len() > MAX_ROWS {
            return Err(Malformed::new("more rows than the limit of a million"));
        }
        let length = u32::try_from(record.bytes.len()).unwrap_or(u32::MAX);
        for row in rows {
            match of_row(&result, row, logged, snapshot.is_some()) {
                Ok(Some(event)) => {
                    // The rows share a record, so each is its own content, with what the record says of all.
                    let host = event.host.as_deref().unwrap_or("");
                    let content = format!("{host} {} {row}", event.time.map_or(0, |it| it.0));
                    sink.emit_at(&event, record.offset, length, content.as_bytes());
                }
                Ok(None) => {}
                Err(why) => sink.reject_at(record.offset, row.to_string().as_bytes(), why),
            }
        }
        Ok(())
    }
}

fn of_row<'a>(
    result: &'a Value,
    row: &'a Value,
    logged: Option<Timestamp>,
    snapshot: bool,
) -> Result<Option<Event<'a>>, Malformed> {
    let get = |key: &str| json::text(row, key);
    let socket = get("remote_address").is_some() || get("local_port").is_some();
    let process = get("path").is_some() || get("cmdline").is_some();
    if get("pid").is_none() || !(socket || process) {
        return Ok(None);
    }
    let call = get("syscall").or_else(|| get("event_type"));
    let (class, activity) = match call.as_deref() {
        _ if socket => (EventClass::Network, socket_activity(row)),
        Some("fork" | "vfork" | "clone" | "clone3") => (EventClass::Process, Activity::Other),
        Some("exit" | "exit_group") => (EventClass::Process, Activity::Terminate),
        _ if snapshot => (EventClass::Process, Activity::Snapshot),
        _ => (EventClass::Process, Activity::Launch),
    };
    let mut event = Event::new(class, activity);
    event.time = get("time").as_deref().and_then(Timestamp::from_epoch_text).filter(|it| it.0 > 0).or(logged);
    if event.time.is_none() {
        return Err(Malformed::new("missing field `unixTime`"));
    }
    event.host = json::text(result, "hostIdentifier");
    event.source_event_id = get("eid");
    event.pid = json::number(row, "pid");
    if activity == Activity::Launch && event.pid.is_none() {
        return Err(Malformed::new("missing or invalid field `pid`"));
    }
    // Unknown parents are -1, 0 or empty.
    event.ppid = json::number(row, "parent").filter(|it| *it != 0);
    event.set(Field::FilePath, get("path"));
    event.set(Field::CmdLine, get("cmdline"));
    event.set(Field::Cwd, get("cwd"));
    event.set(Field::User, json::any(row, &["username", "uid"]));
    event.set(
        Field::ProcessStart,
        get("start_time").as_deref().and_then(Timestamp::from_epoch_text).filter(|it| it.0 > 0),
    );
    event.set(Field::ExitCode, get("exit_code").filter(|_| activity == Activity::Terminate));
    event.set(Field::Container, json::any(row, &["container_id", "cid"]).filter(|it| it.len() >= 12));
    if activity == Activity::Other {
        event.put(Field::State, "fork");
    }
    if socket {
        let inbound = get("action").as_deref() == Some("accept");
        let (local, remote) = ((get("local_address"), get("local_port")), (get("remote_address"), get("remote_port")));
        let (src, dst) = if inbound { (remote, local) } else { (local, remote) };
        event.set(Field::SrcIp, src.0.filter(|it| known_address(it)));
        event.set(Field::SrcPort, src.1.filter(|it| it != "0"));
        event.set(Field::DstIp, dst.0.filter(|it| known_address(it)));
        event.set(Field::DstPort, dst.1.filter(|it| it != "0"));
        event.set(Field::Protocol, get("protocol").map(protocol));
        event.set(Field::State, json::any(row, &["status", "state"]));
        if activity != Activity::Listen {
            event.put(Field::Direction, if inbound { "inbound" } else { "outbound" });
        }
    }
    Ok(Some(event))
}

fn socket_activity(row: &Value) -> Activity {
    match json::any(row, &["action", "syscall", "state"]).as_deref() {
        Some("bind" | "listen" | "LISTEN") => Activity::Listen,
        Some("connect" | "accept" | "accept4") => Activity::Open,
        _ => Activity::Traffic,
    }
}

fn known_address(address: &str) -> bool {
    !matches!(address, "0.0.0.0" | "::" | "unknown")
}

fn protocol(number: Cow<'_, str>) -> Cow<'_, str> {
    match number.as_ref() {
        "6" => Cow::Borrowed("tcp"),
        "17" => Cow::Borrowed("udp"),
        _ => number,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::read_all;
    use super::*;

    fn check(log: &str, expect: &[&str]) {
        assert!(Osquery.recognizes(log.as_bytes()));
        assert_eq!(read_all(&Osquery, log.as_bytes()), expect);
    }

    #[test]
    fn a_process_whose_parent_is_unknown() {
        check(
            r#"{"name":"pack_x_process_events","hostIdentifier":"web1","unixTime":1700000001,"action":"added","columns":{"pid":"30219","path":"/usr/bin/curl","cmdline":"curl evil.example","parent":"-1","time":"1700000000","uid":"0","syscall":"execve"}}"#,
            &[
                "process_activity launch 2023-11-14T22:13:20.000000Z host=web1 pid=Some(30219) ppid=None id=- process_file_path=\"/usr/bin/curl\" process_cmd_line=\"curl evil.example\" user_name=\"0\"",
            ],
        );
    }

    #[test]
    fn sockets_and_snapshots() {
        check(
            r#"{"name":"s","hostIdentifier":"web1","unixTime":"1700000001","action":"added","columns":{"action":"connect","pid":"7","path":"/x","status":"succeeded","protocol":"6","local_address":"0.0.0.0","local_port":"0","remote_address":"192.0.2.1","remote_port":"443"}}
{"name":"p","hostIdentifier":"web1","unixTime":1700000001,"action":"snapshot","snapshot":[{"pid":"1","path":"/sbin/init","cmdline":"init","parent":"0","start_time":"1699999999"},{"a":"b"}]}
{"name":"p","hostIdentifier":"web1","unixTime":1700000001,"action":"removed","columns":{"pid":"1","path":"/x"}}"#,
            &[
                "network_activity open 2023-11-14T22:13:21.000000Z host=web1 pid=Some(7) ppid=None id=- process_file_path=\"/x\" dst_ip=\"192.0.2.1\" dst_port=\"443\" protocol_name=\"tcp\" status=\"succeeded\" direction=\"outbound\"",
                "process_activity snapshot 2023-11-14T22:13:21.000000Z host=web1 pid=Some(1) ppid=None id=- process_file_path=\"/sbin/init\" process_cmd_line=\"init\" process_created_time=\"1699999999000000\"",
            ],
        );
    }
}
