//! (provider, event id, named values) → event, for every envelope that Windows events come in.
//!
//! Deliberately absent: the envelopes (`evtx`, `windows_json`, `windows_log_analytics`) and their record times.

use std::borrow::Cow;

use ringleader_model::time::{Parsed, TimeDefaults};
use ringleader_model::{Activity, Event, EventClass, Field, Malformed, Timestamp};

use super::fields::{Fields, address, bounded, host_name};

/// One event, out of its envelope.
pub(crate) struct WindowsEvent<'a> {
    /// Provider or, where the export dropped it, channel.
    pub source: &'a str,
    pub id: u32,
    pub host: Option<Cow<'a, str>>,
    /// The record's own time; an error where it is written but cannot be.
    pub time: Result<Option<Parsed>, Malformed>,
    pub record_id: Option<Cow<'a, str>>,
    /// The process that wrote the record: the sensor itself for Sysmon and Security, PowerShell for 4104.
    pub writer_pid: Option<u32>,
    pub writer: Option<Cow<'a, str>>,
    pub data: &'a dyn Fields,
}

enum Source {
    Sysmon,
    Security,
    ServiceControl,
    PowerShell,
    TaskScheduler,
    OpenSsh,
}

fn source(name: &str) -> Option<Source> {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix("/operational").unwrap_or(&name);
    Some(match name {
        "microsoft-windows-sysmon" | "linux-sysmon" => Source::Sysmon,
        "microsoft-windows-security-auditing" | "security" => Source::Security,
        "service control manager" | "system" => Source::ServiceControl,
        "microsoft-windows-powershell" => Source::PowerShell,
        "microsoft-windows-taskscheduler" => Source::TaskScheduler,
        "openssh" => Source::OpenSsh,
        _ => return None,
    })
}

/// The event, or `None` for what we do not model.
pub(crate) fn read<'a>(it: &WindowsEvent<'a>, times: &TimeDefaults) -> Result<Option<Event<'a>>, Malformed> {
    let Some(source) = source(it.source) else { return Ok(None) };
    let sysmon = matches!(source, Source::Sysmon);
    let event = match source {
        Source::Sysmon => sysmon_event(it.id, it.data)?,
        Source::Security => security_event(it.id, it.data)?,
        Source::ServiceControl => service_event(it),
        Source::PowerShell => powershell_event(it),
        Source::TaskScheduler => task_event(it.id, it.data),
        Source::OpenSsh => ssh_event(it.data),
    };
    let Some(mut event) = event else { return Ok(None) };
    let time = if sysmon { sysmon_time(it, times)? } else { it.time.clone()? };
    let (time, offset) = time.ok_or(Malformed::new("missing time"))?;
    (event.time, event.utc_offset_minutes) = (Some(time), offset);
    event.source_event_id.clone_from(&it.record_id);
    if let Some(name) = &it.host {
        event.host = host_name(name).map(Cow::Owned);
        if name.contains('.') && event.host.as_deref() != Some(name) && event.get(Field::Detail).is_none() {
            event.set(Field::Detail, format!("host {name}"));
        }
    }
    Ok(Some(event))
}

/// Sysmon's `UtcTime` is when it happened, the record's time when it was written or collected. Where the two are
/// hours apart, an exporter wrote local time as UTC: then all channels follow the record's time, so that the host's
/// events keep their order.
fn sysmon_time(it: &WindowsEvent<'_>, times: &TimeDefaults) -> Result<Option<Parsed>, Malformed> {
    const FAR: u64 = 10 * 60 * 1_000_000;
    let utc = TimeDefaults { utc_offset_minutes: 0, ..*times };
    let happened = match it.data.field("UtcTime") {
        Some(text) => Some(Timestamp::parse(&text, &utc).ok_or_else(|| super::plain::bad_time(&text))?),
        None => None,
    };
    match (happened, &it.time) {
        (Some((utc, _)), Ok(Some((written, offset)))) if utc.0.abs_diff(written.0) > FAR => {
            Ok(Some((*written, *offset)))
        }
        (Some((utc, _)), _) => Ok(Some((utc, Some(0)))),
        (None, time) => time.clone(),
    }
}

fn sysmon_event<'a>(id: u32, data: &'a dyn Fields) -> Result<Option<Event<'a>>, Malformed> {
    let mut event = match id {
        1 => Event::new(EventClass::Process, Activity::Launch),
        3 => Event::new(EventClass::Network, Activity::Open),
        5 => Event::new(EventClass::Process, Activity::Terminate),
        11 => Event::new(EventClass::File, Activity::Create),
        22 => Event::new(EventClass::Network, Activity::Query),
        23 | 26 => Event::new(EventClass::File, Activity::Delete),
        _ => return Ok(None),
    };
    event.pid = data.number(&["ProcessId"]);
    event.set(Field::FilePath, data.field("Image").filter(|it| it != "<unknown process>"));
    event.set(Field::ProcessGuid, guid(data, &["ProcessGuid"]));
    // Some nxlog versions lose `ProcessId` to a field of their own; the GUID says as much.
    if matches!(id, 1 | 5) && event.pid.is_none() && event.get(Field::ProcessGuid).is_none() {
        return Err(Malformed::new("neither `ProcessId` nor `ProcessGuid`"));
    }
    event.set(Field::User, data.field("User"));
    match id {
        1 => {
            event.ppid = data.number(&["ParentProcessId"]);
            event.set(Field::CmdLine, data.field("CommandLine"));
            event.set(Field::Cwd, data.field("CurrentDirectory"));
            event.set(Field::Session, data.field("LogonId"));
            event.set(Field::Hash, data.field("Hashes"));
            event.set(Field::ParentName, data.field("ParentImage"));
            event.set(Field::ParentCmdLine, data.field("ParentCommandLine"));
            event.set(Field::ParentGuid, guid(data, &["ParentProcessGuid"]));
        }
        3 => {
            let initiated = data.field("Initiated").is_none_or(|it| it.eq_ignore_ascii_case("true"));
            event.set(Field::Direction, if initiated { "outbound" } else { "inbound" });
            event.set(Field::Protocol, data.field("Protocol"));
            event.set(Field::SrcIp, data.field("SourceIp").map(address));
            event.set(Field::SrcPort, data.field("SourcePort"));
            event.set(Field::DstIp, data.field("DestinationIp").map(address));
            event.set(Field::DstPort, data.field("DestinationPort"));
            event.set(Field::DstHost, data.field("DestinationHostname"));
        }
        22 => {
            event.set(Field::Query, data.field("QueryName"));
            event.set(Field::Answers, data.field("QueryResults").map(|it| answers(&it)));
            event.set(Field::State, data.field("QueryStatus"));
        }
        11 | 23 | 26 => {
            event.set(Field::TargetPath, data.field("TargetFilename"));
            event.set(Field::Hash, data.field("Hashes"));
        }
        _ => {}
    }
    Ok(Some(event))
}

/// `type:  5 cdn.evil.example;::ffff:192.0.2.1;` → `cdn.evil.example,192.0.2.1`
fn answers(results: &str) -> String {
    let parts: Vec<Cow<'_, str>> = results
        .split(';')
        .map(str::trim)
        .filter_map(|part| match part.strip_prefix("type:") {
            Some(rest) => rest.trim().split_once(' ').map(|(_, name)| Cow::Borrowed(name.trim())),
            None => (!part.is_empty()).then(|| address(Cow::Borrowed(part))),
        })
        .collect();
    parts.join(",")
}

/// GUIDs as Sysmon itself writes them, `{…}` in lower case; a GUID of zeros is none.
fn guid(data: &dyn Fields, names: &[&str]) -> Option<String> {
    let text = data.any(names)?;
    let inner = text.trim().trim_start_matches('{').trim_end_matches('}');
    if inner.is_empty() || inner.bytes().all(|b| matches!(b, b'0' | b'-')) {
        return None;
    }
    Some(format!("{{{}}}", inner.to_ascii_lowercase()))
}

fn security_event<'a>(id: u32, data: &'a dyn Fields) -> Result<Option<Event<'a>>, Malformed> {
    use {Activity as A, EventClass as C};
    let mut event = match id {
        4688 => Event::new(C::Process, A::Launch),
        4689 => Event::new(C::Process, A::Terminate),
        4624 => Event::new(C::Authentication, A::Logon),
        4625 => Event::new(C::Authentication, A::LogonFailed),
        4634 | 4647 => Event::new(C::Authentication, A::Logoff),
        // Credentials used *from* this host; the logon itself is the other host's 4624.
        4648 => Event::new(C::Authentication, A::Other),
        4697 => Event::new(C::Process, A::Service),
        4698 | 4702 => Event::new(C::Process, A::Other),
        // Most objects are of no interest, and there are very many.
        4656 | 4663 if data.field("ObjectName").is_some_and(|it| is_sensitive(&it)) => Event::new(C::File, A::Read),
        // A remote desktop was refused for want of the right to use it.
        4825 => Event::new(C::Authentication, A::LogonFailed),
        5140 | 5142..=5145 => Event::new(C::File, A::Share),
        5156 => Event::new(C::Network, A::Open),
        _ => return Ok(None),
    };
    match id {
        4688 => {
            event.pid = data.number(&["NewProcessId"]);
            if event.pid.is_none() {
                return Err(Malformed::new("missing or invalid field `NewProcessId`"));
            }
            event.ppid = data.number(&["ProcessId", "CreatorProcessId"]);
            event.set(Field::FilePath, data.field("NewProcessName"));
            event.set(Field::CmdLine, data.any(&["CommandLine", "ProcessCommandLine"]));
            event.set(Field::ParentName, data.field("ParentProcessName"));
            // Where the target is written, the process runs under another account than its creator.
            event.set(Field::User, account(data, "Target").or_else(|| account(data, "Subject")));
            event.set(Field::Session, session(data, "TargetLogonId").or_else(|| session(data, "SubjectLogonId")));
        }
        4689 => {
            event.pid = data.number(&["ProcessId"]);
            if event.pid.is_none() {
                return Err(Malformed::new("missing or invalid field `ProcessId`"));
            }
            event.set(Field::FilePath, data.field("ProcessName"));
            event.set(Field::ExitCode, data.any(&["Status", "ExitStatus"]));
            event.set(Field::User, account(data, "Subject"));
        }
        4624 | 4625 | 4648 => {
            event.set(Field::User, account(data, "Target"));
            event.set(Field::LogonType, data.field("LogonType"));
            event.set(Field::SrcIp, data.field("IpAddress").map(address));
            event.set(Field::SrcPort, data.field("IpPort").filter(|it| it != "0"));
            event.set(Field::Workstation, data.field("WorkstationName"));
            event.set(Field::Protocol, data.field("AuthenticationPackageName"));
            event.set(Field::Session, session(data, "TargetLogonId"));
            event.pid = data.number(&["ProcessId"]).filter(|pid| *pid != 0);
            event.set(Field::FilePath, data.field("ProcessName"));
            if id == 4625 {
                event.set(Field::State, data.any(&["SubStatus", "Status"]));
            }
            if id == 4648 {
                event.set(Field::DstHost, data.field("TargetServerName"));
                event.set(Field::Session, session(data, "SubjectLogonId"));
                let by = account(data, "Subject").map(|it| format!("explicit credentials, used by {it}"));
                event.set(Field::Detail, by);
            }
        }
        4634 | 4647 => {
            event.set(Field::User, account(data, "Target"));
            event.set(Field::LogonType, data.field("LogonType"));
            event.set(Field::Session, session(data, "TargetLogonId"));
        }
        4697 => {
            event.set(Field::ServiceName, data.field("ServiceName"));
            event.set(Field::CmdLine, data.field("ServiceFileName"));
            event.set(Field::User, account(data, "Subject"));
            event.set(Field::Session, session(data, "SubjectLogonId"));
        }
        4698 | 4702 => {
            let content = data.any(&["TaskContent", "TaskContentNew"]);
            event.set(Field::ServiceName, data.field("TaskName"));
            event.set(Field::CmdLine, content.as_deref().and_then(task_command));
            event.set(Field::Body, content.map(|it| bounded(&it, MAX_BODY).to_owned()));
            event.set(Field::User, account(data, "Subject"));
            event.set(Field::Session, session(data, "SubjectLogonId"));
            event.set(Field::Detail, if id == 4698 { "scheduled task created" } else { "scheduled task updated" });
        }
        4656 | 4663 => {
            event.pid = data.number(&["ProcessId"]);
            event.set(Field::FilePath, data.field("ProcessName"));
            event.set(Field::TargetPath, data.field("ObjectName"));
            event.set(Field::User, account(data, "Subject"));
            event.set(Field::State, data.field("AccessMask"));
        }
        4825 => {
            let user = data.field("AccountName");
            event.set(
                Field::User,
                match data.field("AccountDomain") {
                    Some(domain) => user.map(|it| format!("{domain}\\{it}")),
                    None => user.map(Cow::into_owned),
                },
            );
            event.set(Field::SrcIp, data.field("ClientAddress").map(address));
            // As a refused password for a remote desktop is logged.
            event.set(Field::LogonType, "10");
        }
        5142..=5144 => {
            event.set(Field::Share, data.field("ShareName"));
            event.set(Field::TargetPath, data.any(&["ShareLocalPath", "NewPath", "OldPath"]));
            event.set(Field::User, account(data, "Subject"));
            event.set(Field::Session, session(data, "SubjectLogonId"));
            let what = if id == 5142 {
                "share created"
            } else if id == 5143 {
                "share changed"
            } else {
                "share deleted"
            };
            event.set(Field::Detail, what);
        }
        5140 | 5145 => {
            event.set(Field::Share, data.field("ShareName"));
            event.set(Field::TargetPath, data.field("RelativeTargetName"));
            event.set(Field::SrcIp, data.field("IpAddress").map(address));
            event.set(Field::SrcPort, data.field("IpPort"));
            event.set(Field::User, account(data, "Subject"));
            event.set(Field::Session, session(data, "SubjectLogonId"));
            event.set(Field::State, data.field("AccessMask"));
        }
        5156 => {
            event.pid = data.number(&["ProcessID", "ProcessId"]);
            event.set(Field::FilePath, data.field("Application"));
            let inbound = data.field("Direction").is_some_and(|it| it == "%%14592");
            event.set(Field::Direction, if inbound { "inbound" } else { "outbound" });
            event.set(Field::Protocol, data.field("Protocol").map(protocol));
            event.set(Field::SrcIp, data.field("SourceAddress").map(address));
            event.set(Field::SrcPort, data.field("SourcePort"));
            event.set(Field::DstIp, data.field("DestAddress").map(address));
            event.set(Field::DstPort, data.field("DestPort"));
        }
        _ => {}
    }
    Ok(Some(event))
}

fn protocol(number: Cow<'_, str>) -> Cow<'_, str> {
    match &*number {
        "6" => "tcp".into(),
        "17" => "udp".into(),
        "1" => "icmp".into(),
        _ => number,
    }
}

fn service_event<'a>(it: &WindowsEvent<'a>) -> Option<Event<'a>> {
    if it.id != 7045 {
        return None;
    }
    let mut event = Event::new(EventClass::Process, Activity::Service);
    event.set(Field::ServiceName, it.data.field("ServiceName"));
    event.set(Field::CmdLine, it.data.field("ImagePath"));
    event.set(Field::User, it.writer.clone());
    Some(event)
}

/// What one script block or task may bring along.
const MAX_BODY: usize = 256 << 10;

fn powershell_event<'a>(it: &WindowsEvent<'a>) -> Option<Event<'a>> {
    if it.id != 4104 {
        return None;
    }
    let mut event = Event::new(EventClass::Process, Activity::Other);
    event.pid = it.writer_pid;
    event.set(Field::User, it.writer.clone());
    event.set(Field::Body, it.data.field("ScriptBlockText").map(|text| bounded(&text, MAX_BODY).to_owned()));
    event.set(Field::TargetPath, it.data.field("Path"));
    let part = |name| it.data.field(name).unwrap_or(Cow::Borrowed("1"));
    event.set(Field::Detail, format!("script block {} of {}", part("MessageNumber"), part("MessageTotal")));
    Some(event)
}

fn task_event<'a>(id: u32, data: &'a dyn Fields) -> Option<Event<'a>> {
    let what = match id {
        106 => "scheduled task registered",
        140 => "scheduled task updated",
        141 => "scheduled task deleted",
        129 | 200 => "scheduled task started",
        _ => return None,
    };
    let mut event = Event::new(EventClass::Process, Activity::Other);
    event.pid = data.number(&["ProcessID"]).filter(|pid| *pid != 0);
    event.set(Field::ServiceName, data.any(&["TaskName", "Name"]));
    event.set(Field::CmdLine, data.any(&["Path", "ActionName"]));
    event.set(Field::User, data.any(&["UserContext", "UserName"]));
    event.set(Field::Detail, what);
    Some(event)
}

/// Objects from which passwords are taken, or by which other hosts gain control.
fn is_sensitive(object: &str) -> bool {
    const PARTS: [&str; 5] = ["\\lsass.exe", "\\wsman\\", "\\ntds.dit", "\\sam\\domains", "\\policy\\secrets"];
    let object = object.to_ascii_lowercase();
    PARTS.iter().any(|it| object.contains(it))
}

/// What the SSH server of Windows writes: one sentence an event, as on other systems.
fn ssh_event<'a>(data: &'a dyn Fields) -> Option<Event<'a>> {
    let text = data.field("payload")?;
    let word_after = |text: &str, mark: &str| {
        let rest = &text[text.find(mark)? + mark.len()..];
        rest.split(' ').next().map(|it| it.trim_end_matches('.').to_owned())
    };
    let mut event = if text.starts_with("Server listening on ") {
        Event::new(EventClass::Network, Activity::Listen)
    } else if text.starts_with("Accepted ") {
        Event::new(EventClass::Authentication, Activity::Logon)
    } else if text.starts_with("Failed ") {
        Event::new(EventClass::Authentication, Activity::LogonFailed)
    } else {
        return None;
    };
    event.set(Field::FilePath, "sshd.exe");
    event.set(Field::SrcPort, word_after(&text, " port "));
    if event.class == EventClass::Authentication {
        event.set(Field::User, word_after(&text, " for invalid user ").or_else(|| word_after(&text, " for ")));
        event.set(Field::SrcIp, word_after(&text, " from "));
        event.set(Field::LogonType, if text.contains("publickey") { "publickey" } else { "password" });
        event.set(Field::Protocol, "ssh");
    }
    Some(event)
}

/// `DOMAIN\user`, as Sysmon writes it.
fn account(data: &dyn Fields, role: &str) -> Option<String> {
    let user = data.field(&format!("{role}UserName"))?;
    match data.field(&format!("{role}DomainName")) {
        Some(domain) => Some(format!("{domain}\\{user}")),
        None => Some(user.into_owned()),
    }
}

fn session<'a>(data: &'a dyn Fields, name: &str) -> Option<Cow<'a, str>> {
    data.field(name).filter(|it| it != "0x0" && it != "0")
}

/// The first command of a task's XML, with its arguments. The XML may itself be escaped.
fn task_command(content: &str) -> Option<String> {
    let text = if content.contains("&lt;") { Cow::Owned(unescape(content)) } else { Cow::Borrowed(content) };
    let element = |name: &str| {
        let start = text.find(&format!("<{name}>"))? + name.len() + 2;
        let end = start + text[start..].find(&format!("</{name}>"))?;
        Some(unescape(text[start..end].trim()))
    };
    let command = element("Command")?;
    Some(match element("Arguments") {
        Some(arguments) if !arguments.is_empty() => format!("{command} {arguments}"),
        _ => command,
    })
}

pub(crate) fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tasks_command_is_read_escaped_or_not() {
        let plain = "<Exec><Command>cmd.exe</Command><Arguments>/c a &amp; b</Arguments></Exec>";
        assert_eq!(task_command(plain).as_deref(), Some("cmd.exe /c a & b"));
        let escaped = "&lt;Exec&gt;&lt;Command&gt;x.exe&lt;/Command&gt;&lt;/Exec&gt;";
        assert_eq!(task_command(escaped).as_deref(), Some("x.exe"));
        assert_eq!(task_command("<Command>cut"), None);
    }

    #[test]
    fn dns_answers_lose_their_decoration() {
        assert_eq!(answers("type:  5 cdn.evil.example;::ffff:192.0.2.1;"), "cdn.evil.example,192.0.2.1");
    }

    #[test]
    fn the_ssh_servers_sentences_are_read() {
        let read = |text: &str| {
            let data = serde_json::json!({ "payload": text });
            ssh_event(&data).map(|it| {
                let fields = it.fields().map(|(field, text)| format!("{}={text}", field.name()));
                format!("{} {}", it.activity.name(), fields.collect::<Vec<_>>().join(" "))
            })
        };
        assert_eq!(
            read("Server listening on 0.0.0.0 port 22.").as_deref(),
            Some("listen process_file_path=sshd.exe src_port=22")
        );
        let failed = read("Failed password for invalid user admin from 192.0.2.7 port 5123 ssh2").unwrap();
        assert!(failed.contains("user_name=admin src_ip=192.0.2.7 logon_type=password"), "{failed}");
        assert_eq!(read("Received signal 15; terminating."), None);
        assert!(is_sensitive("\\Device\\HarddiskVolume2\\Windows\\System32\\LSASS.EXE") && !is_sensitive("C:\\a.txt"));
    }

    #[test]
    fn a_guid_has_one_spelling() {
        let data = serde_json::json!({"a": "49A15388-281E", "b": "{00000000-0000}"});
        assert_eq!(guid(&data, &["a"]).as_deref(), Some("{49a15388-281e}"));
        assert_eq!(guid(&data, &["b"]), None);
    }
}
