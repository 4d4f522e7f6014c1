//! a row of one topic → an event.

use std::borrow::Cow;

use ringleader_model::time::{Parsed, TimeDefaults};
use ringleader_model::{Activity, Event, EventClass, Field, Malformed, SensorRole, Timestamp};

use super::super::fields::{Fields, address, bounded};
use super::{Topic, alert, chain};

pub(super) fn read<'a>(
    topic: Topic,
    row: &'a dyn Fields,
    times: &TimeDefaults,
) -> Result<Option<Event<'a>>, Malformed> {
    let (class, activity) = match topic {
        Topic::Process => (EventClass::Process, Activity::Launch),
        Topic::ProcessSnapshot => (EventClass::Process, Activity::Snapshot),
        Topic::Network => (EventClass::Network, connection(row)),
        Topic::PortSnapshot => (EventClass::Network, Activity::Listen),
        Topic::Session => (EventClass::Network, Activity::Traffic),
        Topic::DnsQuery | Topic::Dns | Topic::LocalDns => (EventClass::Network, Activity::Query),
        Topic::Login => (EventClass::Authentication, Activity::Logon),
        Topic::Crack => (EventClass::Authentication, Activity::LogonFailed),
        Topic::Http => (EventClass::Http, Activity::Request),
        Topic::Alert | Topic::NetBlock | Topic::Rasp => (EventClass::Detection, Activity::Alert),
        Topic::FileProtect => (EventClass::File, Activity::Modify),
        Topic::Other => return Ok(None),
    };
    let mut event = Event::new(class, activity);
    let (time, offset) = time(topic, row, times)?;
    (event.time, event.utc_offset_minutes) = (Some(time), offset);
    event.host = row.any(&["uuid", "host_uuid", "instance_id"]);
    event.tenant = row.any(&["owner_id", "user_id", "aliUid", "ali_uid"]);
    event.set(Field::OwnerId, event.tenant.clone());
    event.set(Field::HostIp, row.any(&["host_ip", "ip", "intranet_ip"]));
    event.set(Field::InternetIp, row.field("internet_ip"));
    event.set(Field::Container, row.any(&["container_id", "dockercontainerid"]));
    event.set(Field::Image, row.any(&["container_image_name", "dockerimagename"]));
    match topic {
        Topic::Process | Topic::ProcessSnapshot => process(topic, row, times, &mut event)?,
        Topic::Network | Topic::PortSnapshot => network(topic, row, times, &mut event),
        Topic::Session => {
            event.sensor_role = SensorRole::Network;
            ends(row, &mut event);
            event.set(Field::Direction, direction(row));
            event.set(Field::Protocol, row.any(&["l4_proto", "proto"]));
        }
        Topic::DnsQuery | Topic::Dns | Topic::LocalDns => dns(topic, row, &mut event),
        Topic::Login | Topic::Crack => login(row, &mut event),
        Topic::Http => http(row, &mut event),
        Topic::Alert => alert::read(row, &mut event),
        Topic::NetBlock => block(row, &mut event),
        Topic::Rasp => rasp(row, &mut event),
        Topic::FileProtect => {
            event.pid = row.number(&["pid"]);
            event.set(Field::FilePath, row.any(&["proc_path", "proc_name"]));
            event.set(Field::CmdLine, row.any(&["cmdline", "cmd_line"]));
            event.set(Field::TargetPath, row.field("file_path"));
            event.set(Field::Detail, row.any(&["rule_name", "operation"]));
        }
        Topic::Other => {}
    }
    Ok(Some(event))
}

/// Event time: `start_time` in seconds, else the time that SLS keeps. In the snapshots of version 1, `start_time` is
/// the *process's* start.
fn time(topic: Topic, row: &dyn Fields, times: &TimeDefaults) -> Result<Parsed, Malformed> {
    let own = if topic == Topic::ProcessSnapshot && is_version_1(row) { None } else { row.field("start_time") };
    let text = own
        .or_else(|| row.any(&["time", "cur_time", "request_datetime", "scan_time", "logTime", "timestamp", "__time__"]))
        .ok_or(Malformed::new("missing time"))?;
    moment(&text, times).ok_or_else(|| super::super::plain::bad_time(&text))
}

/// Seconds, milliseconds or text; text names no zone and stands in the export's own.
fn moment(text: &str, times: &TimeDefaults) -> Option<Parsed> {
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return Timestamp::from_epoch_text(text).map(|time| (time, None));
    }
    Timestamp::parse(text, times)
}

fn is_version_1(row: &dyn Fields) -> bool {
    row.any(&["proc_start_time", "proc_path", "proc_name", "host_ip", "instance_id"]).is_none()
}

fn process<'a>(
    topic: Topic,
    row: &'a dyn Fields,
    times: &TimeDefaults,
    event: &mut Event<'a>,
) -> Result<(), Malformed> {
    event.pid = row.number(&["pid"]);
    event.ppid = row.number(&["ppid"]);
    if event.pid.is_none() {
        return Err(Malformed::new("missing or invalid field `pid`"));
    }
    // `filepath` of version 1 is the whole path; `path` is that of its snapshots.
    event.set(
        Field::FilePath,
        row.any(&["proc_path", "filepath", "file_path", "path", "proc_name", "filename", "file_name", "name"]),
    );
    event.set(Field::CmdLine, row.field("cmdline"));
    event.set(
        Field::ParentName,
        row.any(&[
            "parent_proc_path",
            "pfilepath",
            "parent_file_path",
            "parent_proc_name",
            "pfilename",
            "parent_file_name",
            "pname",
            "pcomm",
        ]),
    );
    event.set(Field::ParentCmdLine, row.any(&["parent_cmd_line", "pcmdline"]));
    event.set(Field::User, row.any(&["username", "uid_name", "user", "euid_name"]));
    event.set(Field::Session, row.field("sid"));
    event.set(Field::Cwd, row.field("cwd"));
    event.set(Field::Tty, row.field("tty"));
    event.set(Field::Hash, row.field("md5"));
    set_chain(row, event);
    let mut start = row.any(&["proc_start_time", "pid_start_time"]);
    if topic == Topic::ProcessSnapshot && is_version_1(row) {
        start = row.field("start_time");
    }
    let start = start.and_then(|it| moment(&it, times));
    let parent_start = row.field("parent_proc_start_time").and_then(|it| moment(&it, times));
    // The start is text without a zone. A start-up row is written as the process starts, so a start in the future
    // says how far the text's zone lies from the one that was assumed; nothing can start after it was seen.
    const SLACK: i64 = 120 * 1_000_000;
    let seen = event.time.unwrap_or_default().0;
    let ahead = start.map_or(0, |(start, _)| start.0 - seen);
    let zone = if topic == Topic::Process && ahead > SLACK { quarters(ahead) } else { 0 };
    let believable =
        |it: Option<Parsed>| it.map(|(time, _)| Timestamp(time.0 - zone)).filter(|it| it.0 - seen <= SLACK && it.0 > 0);
    event.set(Field::ProcessStart, believable(start).filter(|it| it.0 != seen));
    event.set(Field::ParentStart, believable(parent_start));
    Ok(())
}

/// The nearest whole quarter of an hour.
fn quarters(micros: i64) -> i64 {
    const QUARTER: i64 = 15 * 60 * 1_000_000;
    (micros + QUARTER / 2).div_euclid(QUARTER) * QUARTER
}

fn set_chain<'a>(row: &'a dyn Fields, event: &mut Event<'a>) {
    let chain = row.field("cmd_chain").and_then(|it| chain::ancestry(&it, event.pid, event.ppid));
    event.set(Field::Chain, chain);
}

fn ends<'a>(row: &'a dyn Fields, event: &mut Event<'a>) {
    event.set(Field::SrcIp, row.field("src_ip").map(address));
    event.set(Field::SrcPort, row.field("src_port"));
    event.set(Field::DstIp, row.any(&["dst_ip", "dest_ip"]).map(address));
    event.set(Field::DstPort, row.any(&["dst_port", "dest_port"]));
}

fn direction(row: &dyn Fields) -> Option<&'static str> {
    match &*row.any(&["net_connect_dir", "dir", "in_out"])? {
        "in" => Some("inbound"),
        "out" => Some("outbound"),
        _ => None,
    }
}

const STATES: [&str; 11] = [
    "closed",
    "listen",
    "syn_sent",
    "syn_recv",
    "established",
    "close_wait",
    "closing",
    "fin_wait1",
    "fin_wait2",
    "time_wait",
    "delete_tcb",
];

fn state<'a>(row: &'a dyn Fields) -> Option<Cow<'a, str>> {
    let text = row.field("status")?;
    let word = text.parse::<usize>().ok().and_then(|n| STATES.get(n.checked_sub(1)?));
    Some(word.map_or(text, |word| Cow::Borrowed(*word)))
}

fn connection(row: &dyn Fields) -> Activity {
    match (row.field("type").as_deref(), state(row).as_deref()) {
        (Some("listen"), _) | (None, Some("listen")) => Activity::Listen,
        (None, Some("closed" | "delete_tcb")) => Activity::Close,
        _ => Activity::Open,
    }
}

fn network<'a>(topic: Topic, row: &'a dyn Fields, times: &TimeDefaults, event: &mut Event<'a>) {
    ends(row, event);
    event.pid = row.number(&["pid"]);
    event.ppid = row.number(&["ppid"]);
    event.set(Field::FilePath, row.any(&["proc_path", "proc_name"]));
    event.set(Field::CmdLine, row.field("cmdline"));
    event.set(Field::ParentName, row.any(&["parent_proc_path", "parent_proc_name"]));
    event.set(Field::User, row.field("username"));
    event.set(Field::Direction, direction(row));
    let protocol = row.any(&["connection_type", "proto"]);
    event.set(Field::Protocol, protocol.map(|it| it.trim_end_matches(['4', '6']).to_owned()));
    event.set(Field::State, state(row));
    if topic == Topic::Network {
        set_chain(row, event);
        let start = row.field("proc_start_time").and_then(|it| moment(&it, times));
        let seen = event.time.unwrap_or_default();
        event.set(Field::ProcessStart, start.map(|it| it.0).filter(|it| *it < seen));
    }
}

fn dns<'a>(topic: Topic, row: &'a dyn Fields, event: &mut Event<'a>) {
    event.set(Field::Query, row.any(&["domain", "query_name", "qname"]));
    if topic == Topic::DnsQuery {
        event.pid = row.number(&["pid"]);
        event.ppid = row.number(&["ppid"]);
        event.set(Field::CmdLine, row.field("cmdline"));
        event.set(Field::FilePath, row.any(&["proc_path", "proc_name"]));
        set_chain(row, event);
        return;
    }
    event.sensor_role = SensorRole::Network;
    ends(row, event);
    event.set(Field::Answers, row.any(&["answer", "answer_rdata", "answer_rda"]));
    event.set(Field::State, row.field("rcode"));
    event.set(Field::Direction, direction(row));
    if topic == Topic::LocalDns {
        event.source_event_id = row.field("id");
        if event.host.is_none() {
            event.host = row.any(&["host", "hostname"]);
        }
    }
}

fn login<'a>(row: &'a dyn Fields, event: &mut Event<'a>) {
    event.pid = row.number(&["pid"]);
    event.set(Field::User, row.any(&["username", "warn_user"]));
    event.set(Field::SrcIp, row.any(&["src_ip", "warn_ip"]).map(address));
    event.set(Field::SrcPort, row.field("src_port"));
    event.set(Field::DstIp, row.any(&["dst_ip", "host_ip", "ip"]).map(address));
    event.set(Field::DstPort, row.any(&["dst_port", "warn_port"]));
    // Like rows of one minute are merged into one.
    event.set(Field::Count, row.any(&["login_count", "warn_count"]));
    event.set(Field::State, row.field("status"));
    let kind = row.any(&["login_type", "warn_type"]);
    event.set(Field::Protocol, kind.as_deref().and_then(protocol));
    event.set(Field::LogonType, kind);
}

fn protocol(login_type: &str) -> Option<&'static str> {
    Some(match login_type.to_ascii_uppercase().as_str() {
        "SSH" | "SSHLOGIN" => "ssh",
        "RDP" | "RDPLOGIN" => "rdp",
        "IPC" | "IPCLOGIN" => "smb",
        "SQLSERVER" => "mssql",
        "MYSQL" => "mysql",
        "FTP" => "ftp",
        _ => return None,
    })
}

fn http<'a>(row: &'a dyn Fields, event: &mut Event<'a>) {
    event.sensor_role = SensorRole::Network;
    ends(row, event);
    event.set(Field::Method, row.any(&["request_method", "method"]));
    event.set(Field::Url, row.any(&["request_uri", "uri"]));
    event.set(Field::HttpHost, row.field("host"));
    event.set(Field::Status, row.any(&["status", "ret_code"]));
    event.set(Field::UserAgent, row.any(&["http_user_agent", "user_agent"]));
    event.set(Field::Referrer, row.any(&["referer", "http_referer"]));
    event.set(Field::BytesOut, row.any(&["response_content_length", "content_length"]));
    let client = row.any(&["http_x_forward_for", "x_forward_for"]);
    event.set(Field::Headers, client.map(|it| format!("X-Forwarded-For: {it}")));
}

/// What one payload may bring along.
const MAX_BODY: usize = 256 << 10;

fn block<'a>(row: &'a dyn Fields, event: &mut Event<'a>) {
    ends(row, event);
    event.pid = row.number(&["pid"]);
    event.set(Field::Rule, row.any(&["rule_type", "func"]));
    event.set(Field::FilePath, row.field("proc_path"));
    event.set(Field::CmdLine, row.any(&["cmd", "cmdline"]));
    event.set(Field::State, row.field("final_action"));
    let payload = row.field("payload").map(|hex| match super::super::text::unhex(&hex) {
        Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        None => hex.into_owned(),
    });
    let payload = row.field("decode_payload").map(Cow::into_owned).or(payload);
    event.set(Field::Body, payload.map(|it| bounded(&it, MAX_BODY).to_owned()));
}

fn rasp<'a>(row: &'a dyn Fields, event: &mut Event<'a>) {
    ends(row, event);
    event.set(Field::Rule, row.field("type").map(|it| format!("rasp-{it}")));
    event.set(Field::Method, row.field("request_method"));
    event.set(Field::Url, row.field("url"));
    event.set(Field::Headers, row.field("headers"));
    event.set(Field::Body, row.any(&["request_body", "payload"]).map(|it| bounded(&it, MAX_BODY).to_owned()));
    event.set(Field::Detail, row.any(&["data", "param"]).map(|it| bounded(&it, MAX_BODY).to_owned()));
    event.set(Field::State, row.any(&["final_action", "rule_action"]));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(row: serde_json::Value, expect: Option<&str>) {
        let event = read(Topic::Process, &row, &TimeDefaults::default()).unwrap().unwrap();
        let got = event.get(Field::ProcessStart).map(|it| Timestamp(it.parse().unwrap()).to_string());
        assert_eq!(got.as_deref(), expect, "{row}");
    }

    #[test]
    fn a_start_in_chinese_time_is_moved_to_its_zone() {
        // 1722501940 is 08:45:40 in UTC, 16:45:40 in China.
        check(
            serde_json::json!({"pid":"5","start_time":"1722501940","proc_start_time":"2024-08-01 16:45:39"}),
            Some("2024-08-01T08:45:39.000000Z"),
        );
        check(serde_json::json!({"pid":"5","start_time":"1722501940","proc_start_time":"2024-08-01 16:45:40"}), None);
        check(
            serde_json::json!({"pid":"5","start_time":"1722501940","proc_start_time":"2024-08-01 08:40:00"}),
            Some("2024-08-01T08:40:00.000000Z"),
        );
        check(serde_json::json!({"pid":"5","start_time":"1722501940","proc_start_time":"N/A"}), None);
    }

    #[test]
    fn the_zone_that_was_given_is_used() {
        let china = TimeDefaults { utc_offset_minutes: 480, year: 2024 };
        let row = serde_json::json!({"pid":"5","start_time":"1722501940","proc_start_time":"2024-08-01 16:45:30",
            "parent_proc_start_time":"2024-07-12 19:45:19"});
        let event = read(Topic::Process, &row, &china).unwrap().unwrap();
        assert_eq!(event.get(Field::ProcessStart), Some("1722501930000000"));
        assert_eq!(event.get(Field::ParentStart), Some("1720784719000000"));
    }

    #[test]
    fn a_start_that_cannot_be_moved_is_dropped() {
        let row = serde_json::json!({"pid":"5","uuid":"u","proc_path":"/x","start_time":"1722501940",
            "proc_start_time":"2024-08-02 16:45:39"});
        let event = read(Topic::ProcessSnapshot, &row, &TimeDefaults::default()).unwrap().unwrap();
        assert_eq!(event.get(Field::ProcessStart), None);
    }
}
