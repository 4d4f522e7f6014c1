//! Tetragon's export (JSON) → processes with their own ids, connections, and files that its kprobes name.

use std::borrow::Cow;

use ringleader_model::time::TimeDefaults;
use ringleader_model::{Activity, Event, EventClass, Field, Malformed, Timestamp};
use serde_json::Value;

use super::{Format, Framing, Reader, Record, Sink, SourceContext, json};

pub struct Tetragon;

/// The keys of one event, one of them at the top of every record.
const KINDS: &[&str] = &[
    "process_exec",
    "process_exit",
    "process_connect",
    "process_close",
    "process_accept",
    "process_listen",
    "process_kprobe",
    "process_tracepoint",
    "process_uprobe",
    "process_lsm",
    "process_loader",
];

impl Format for Tetragon {
    fn name(&self) -> &'static str {
        "tetragon"
    }
    fn summary(&self) -> &'static str {
        "Cilium Tetragon export: process_exec, process_exit, connections and kprobes of Kubernetes nodes"
    }
    fn framing(&self) -> Framing {
        Framing::Json
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        json::first_object(head).is_some_and(|it| kind(&it).is_some_and(|(_, inner)| inner.get("process").is_some()))
    }
    fn reader(&self, _context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Events)
    }
}

fn kind(row: &Value) -> Option<(&'static str, &Value)> {
    KINDS.iter().find_map(|kind| Some((*kind, row.get(kind)?)))
}

struct Events;

impl Reader for Events {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let row = json::object(record.bytes)?;
        let Some((kind, inner)) = kind(&row) else {
            return Ok(()); // rate limits, and kinds that are younger than this reader
        };
        let process =
            inner.get("process").filter(|it| it.is_object()).ok_or(Malformed::new("missing field `process`"))?;
        let Some((class, activity)) = meaning(kind, inner, process) else {
            return Ok(());
        };
        let mut event = Event::new(class, activity);
        let started = json::text(process, "start_time");
        let time = json::text(&row, "time").or_else(|| json::text(inner, "time")).or_else(|| started.clone());
        let time = time.ok_or(Malformed::new("missing field `time`"))?;
        let parsed = parse(&time).ok_or_else(|| super::plain::bad_time(&time))?;
        (event.time, event.utc_offset_minutes) = (Some(parsed), Some(0));
        event.host = json::text(&row, "node_name");
        event.pid = json::number(process, "pid");
        if activity == Activity::Launch && event.pid.is_none() {
            return Err(Malformed::new("missing or invalid field `pid`"));
        }
        event.set(Field::ProcessGuid, json::text(process, "exec_id"));
        event.set(Field::FilePath, json::text(process, "binary"));
        event.set(Field::CmdLine, command_line(process));
        event.set(Field::ProcessStart, started.as_deref().and_then(parse));
        event.set(Field::Cwd, json::text(process, "cwd"));
        event.set(Field::User, json::at(process, &["user", "name"]).or_else(|| json::text(process, "uid")));
        event.set(Field::ParentGuid, json::text(process, "parent_exec_id"));
        if let Some(parent) = inner.get("parent").filter(|it| json::number(it, "pid").is_some_and(|pid| pid != 0)) {
            event.ppid = json::number(parent, "pid");
            event.set(Field::ParentName, json::text(parent, "binary"));
            event.set(Field::ParentCmdLine, command_line(parent));
            event.set(Field::ParentStart, json::text(parent, "start_time").as_deref().and_then(parse));
        }
        let container = json::at(process, &["pod", "container", "id"]);
        let container = container.map(|it| it.split_once("://").map_or(it.to_string(), |(_, id)| id.to_owned()));
        event.set(Field::Container, container.map(Cow::Owned).or_else(|| json::text(process, "docker")));
        event.set(Field::Image, json::at(process, &["pod", "container", "image", "name"]));
        let pod = (json::at(process, &["pod", "namespace"]), json::at(process, &["pod", "name"]));
        if let (Some(namespace), Some(name)) = pod {
            event.set(Field::Detail, format!("pod {namespace}/{name}"));
        }
        event.set(Field::ExitCode, json::text(inner, "status"));
        event.set(Field::State, json::text(inner, "signal"));
        match class {
            EventClass::Network => network(&mut event, kind, inner),
            EventClass::File => event.set(Field::TargetPath, arguments(inner).find_map(path)),
            _ => {}
        }
        sink.emit(&event);
        Ok(())
    }
}

fn meaning(kind: &str, inner: &Value, process: &Value) -> Option<(EventClass, Activity)> {
    Some(match kind {
        // What ran before Tetragon did, it read from /proc.
        "process_exec" if json::text(process, "flags").is_some_and(|it| it.contains("procFS")) => {
            (EventClass::Process, Activity::Snapshot)
        }
        "process_exec" => (EventClass::Process, Activity::Launch),
        "process_exit" => (EventClass::Process, Activity::Terminate),
        "process_connect" | "process_accept" => (EventClass::Network, Activity::Open),
        "process_close" => (EventClass::Network, Activity::Close),
        "process_listen" => (EventClass::Network, Activity::Listen),
        "process_kprobe" | "process_lsm" => {
            let function = json::text(inner, "function_name")?;
            let socket = arguments(inner).any(|it| it.get("sock_arg").is_some() || it.get("sockaddr_arg").is_some());
            let file = arguments(inner).any(|it| path(it).is_some());
            match function.as_ref() {
                it if socket && it.contains("connect") => (EventClass::Network, Activity::Open),
                it if socket && it.contains("close") => (EventClass::Network, Activity::Close),
                // The mask of the permission that was asked for: 2 to write, 4 to read.
                "security_file_permission" | "security_mmap_file" if file => {
                    let write = arguments(inner).any(|it| json::number(it, "int_arg") == Some(2));
                    (EventClass::File, if write { Activity::Modify } else { Activity::Read })
                }
                it if file && it.contains("unlink") => (EventClass::File, Activity::Delete),
                it if file && (it.contains("write") || it.contains("truncate")) => (EventClass::File, Activity::Modify),
                it if file && (it.contains("read") || it.contains("open") || it.contains("fd_install")) => {
                    (EventClass::File, Activity::Read)
                }
                _ => return None,
            }
        }
        _ => return None,
    })
}

fn network<'a>(event: &mut Event<'a>, kind: &str, inner: &'a Value) {
    if event.activity == Activity::Listen {
        event.set(Field::SrcIp, json::text(inner, "ip"));
        event.set(Field::SrcPort, json::text(inner, "port"));
        event.set(Field::Protocol, protocol(json::text(inner, "protocol")));
        return;
    }
    let socket = arguments(inner).find_map(|it| it.get("sock_arg").or_else(|| it.get("sockaddr_arg")));
    let from = socket.unwrap_or(inner);
    event.set(Field::SrcIp, json::any(from, &["source_ip", "saddr"]));
    event.set(Field::SrcPort, json::any(from, &["source_port", "sport"]));
    event.set(Field::DstIp, json::any(from, &["destination_ip", "daddr", "addr"]));
    event.set(Field::DstPort, json::any(from, &["destination_port", "dport", "port"]));
    event.set(Field::DstHost, from.get("destination_names").and_then(|it| json::scalar(it.get(0)?)));
    event.set(Field::Protocol, protocol(json::text(from, "protocol")));
    let stats = inner.get("stats").unwrap_or(&Value::Null);
    event.set(Field::BytesOut, json::text(stats, "bytes_sent"));
    event.set(Field::BytesIn, json::text(stats, "bytes_received"));
    event.put(Field::Direction, if kind == "process_accept" { "inbound" } else { "outbound" });
}

/// `IPPROTO_TCP` and `TCP` → `tcp`.
fn protocol(text: Option<Cow<'_, str>>) -> Option<String> {
    text.map(|it| it.trim_start_matches("IPPROTO_").to_ascii_lowercase())
}

fn arguments(inner: &Value) -> impl Iterator<Item = &Value> {
    inner.get("args").and_then(Value::as_array).into_iter().flatten()
}

/// A file argument's path; its leading slash is missing in old exports.
fn path(argument: &Value) -> Option<String> {
    let path = json::at(argument, &["file_arg", "path"]).or_else(|| json::at(argument, &["path_arg", "path"]))?;
    Some(if path.starts_with('/') { path.into_owned() } else { format!("/{path}") })
}

/// The binary and its arguments. Tetragon puts those that hold a blank in double quotes, itself.
fn command_line(process: &Value) -> Option<String> {
    let binary = json::text(process, "binary")?;
    Some(match json::text(process, "arguments") {
        Some(arguments) => format!("{binary} {arguments}"),
        None => binary.into_owned(),
    })
}

/// RFC 3339 with nine digits.
fn parse(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text, &TimeDefaults::default()).map(|it| it.0)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{read_all, samples};
    use super::*;

    #[test]
    fn what_ran_before_tetragon_is_a_snapshot_and_its_exits_have_signals() {
        let process = r#"{"exec_id":"bjoxOjE=","pid":7,"uid":0,"binary":"/bin/sh","arguments":"-c \"id; ls\"","flags":"FLAGS","start_time":"2024-01-02T03:04:05.123456789Z","parent_exec_id":"bjowOjE="}"#;
        let log = format!(
            "{{\"process_exec\":{{\"process\":{},\"parent\":{{\"pid\":0,\"binary\":\"<kernel>\"}}}},\"node_name\":\"n1\",\"time\":\"2024-01-02T03:04:06Z\"}}\n\
             {{\"process_exit\":{{\"process\":{process},\"signal\":\"SIGKILL\",\"status\":9}},\"node_name\":\"n1\",\"time\":\"2024-01-02T03:04:07Z\"}}\n\
             {{\"rate_limit_info\":{{}},\"time\":\"x\"}}\n{{\"process_exec\":{{}}}}\n",
            process.replace("FLAGS", "procFS auid"),
        );
        assert!(Tetragon.recognizes(log.as_bytes()));
        let process = "pid=Some(7) ppid=None id=- process_uid=\"bjoxOjE=\" process_file_path=\"/bin/sh\" process_cmd_line=\"/bin/sh -c \\\"id; ls\\\"\" process_created_time=\"1704164645123456\" user_name=\"0\" parent_uid=\"bjowOjE=\"";
        assert_eq!(
            read_all(&Tetragon, log.as_bytes()),
            [
                format!("process_activity snapshot 2024-01-02T03:04:06.000000Z host=n1 {process}"),
                format!(
                    "process_activity terminate 2024-01-02T03:04:07.000000Z host=n1 {process} exit_code=\"9\" status=\"SIGKILL\""
                ),
                "REJECTED at 613: missing field `process`".to_owned(),
            ]
        );
    }

    #[test]
    fn the_public_samples() {
        let Some(folder) = samples() else { return };
        let mut files: Vec<_> =
            std::fs::read_dir(folder.join("tetragon/book")).unwrap().map(|it| it.unwrap().path()).collect();
        files.push(folder.join("tetragon/events.json"));
        let mut events = 0;
        for file in files {
            let input = std::fs::read(&file).unwrap();
            assert!(Tetragon.recognizes(&input), "{}", file.display());
            let got = read_all(&Tetragon, &input);
            assert!(got.iter().all(|it| !it.contains("REJECTED")), "{got:?}");
            events += got.len();
        }
        assert_eq!(events, 24);
    }
}
