//! Microsoft Defender's advanced-hunting tables (`Device*Events`), as rows or in the streaming envelope → events.
//!
//! Deliberately absent: mail and cloud-app tables.

use std::borrow::Cow;

use ringleader_model::time::TimeDefaults;
use ringleader_model::{Activity, Event, EventClass, Field, Malformed, Timestamp};
use serde_json::Value;

use super::fields::{Fields, address, bounded, host_name};
use super::{Format, Framing, Reader, Record, Sink, SourceContext};

pub struct M365Defender;

impl Format for M365Defender {
    fn name(&self) -> &'static str {
        "m365_defender"
    }
    fn summary(&self) -> &'static str {
        "Microsoft Defender advanced hunting (DeviceProcessEvents and its kin) as JSON, rows or streamed"
    }
    fn framing(&self) -> Framing {
        Framing::Json
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        super::json::first_object(head).is_some_and(|it| {
            let row = row(&it);
            ["Timestamp", "ActionType", "DeviceName"].iter().all(|key| row.get(key).is_some())
        })
    }
    fn reader(&self, context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Rows { times: context.times })
    }
}

struct Rows {
    times: TimeDefaults,
}

/// The row itself, or `properties` of the envelope that event hubs and storage accounts receive.
fn row(value: &Value) -> &Value {
    value.get("properties").filter(|it| it.get("ActionType").is_some()).unwrap_or(value)
}

impl Reader for Rows {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let value = super::json::object(record.bytes)?;
        let row = row(&value);
        let action = row.field("ActionType").ok_or(Malformed::new("missing field `ActionType`"))?;
        let (class, activity) = match &*action {
            "ProcessCreated" => (EventClass::Process, Activity::Launch),
            "ConnectionSuccess"
            | "ConnectionFailed"
            | "ConnectionRequest"
            | "ConnectionAttempt"
            | "InboundConnectionAccepted" => (EventClass::Network, Activity::Open),
            "ListeningConnectionCreated" => (EventClass::Network, Activity::Listen),
            "FileCreated" => (EventClass::File, Activity::Create),
            "FileModified" | "FileRenamed" => (EventClass::File, Activity::Modify),
            "FileDeleted" => (EventClass::File, Activity::Delete),
            "LogonSuccess" => (EventClass::Authentication, Activity::Logon),
            "LogonFailed" => (EventClass::Authentication, Activity::LogonFailed),
            // Whatever a process of the device did: it proves the process.
            _ if row.number(&["InitiatingProcessId"]).is_some() => (EventClass::Process, Activity::Other),
            _ => return Ok(()),
        };
        let mut event = Event::new(class, activity);
        let time = row.field("Timestamp").ok_or(Malformed::new("missing time"))?;
        let (time, offset) = Timestamp::parse(&time, &self.times).ok_or_else(|| super::plain::bad_time(&time))?;
        (event.time, event.utc_offset_minutes) = (Some(time), offset);
        event.host = row.field("DeviceName").and_then(|it| host_name(&it)).map(Cow::Owned);
        event.source_event_id = row.field("ReportId");
        event.tenant = value.field("tenantId");
        if activity == Activity::Launch {
            launched(row, &mut event)?
        } else {
            initiating(row, &mut event)
        }
        match class {
            EventClass::Network => {
                // Local and remote, whoever opened it.
                let inbound = matches!(&*action, "InboundConnectionAccepted" | "ConnectionAttempt");
                let (local, remote) = (["LocalIP", "LocalPort"], ["RemoteIP", "RemotePort"]);
                let (from, to) = if inbound { (remote, local) } else { (local, remote) };
                event.set(Field::Direction, if inbound { "inbound" } else { "outbound" });
                event.set(Field::SrcIp, row.field(from[0]).map(address));
                event.set(Field::SrcPort, row.field(from[1]));
                event.set(Field::DstIp, row.field(to[0]).map(address));
                event.set(Field::DstPort, row.field(to[1]));
                event.set(Field::Protocol, row.field("Protocol").map(|it| it.to_ascii_lowercase()));
                event.set(Field::Url, row.field("RemoteUrl"));
                if action == "ConnectionFailed" {
                    event.set(Field::State, "failed");
                }
            }
            EventClass::File => {
                event.set(Field::TargetPath, path(row, "FolderPath", "FileName"));
                event.set(Field::Hash, row.any(&["SHA256", "SHA1", "MD5"]));
                event.set(Field::Url, row.field("FileOriginUrl"));
            }
            EventClass::Authentication => {
                event.set(Field::User, user(row, ""));
                event.set(Field::LogonType, row.field("LogonType"));
                event.set(Field::SrcIp, row.field("RemoteIP").map(address));
                event.set(Field::SrcPort, row.field("RemotePort"));
                event.set(Field::Workstation, row.field("RemoteDeviceName"));
                event.set(Field::Protocol, row.field("Protocol"));
                event.set(Field::Session, row.field("LogonId"));
            }
            _ if activity == Activity::Other => {
                let more = row.field("AdditionalFields").unwrap_or_default();
                event.set(Field::Detail, bounded(&format!("{action} {more}"), 8192).trim().to_owned());
            }
            _ => {}
        }
        sink.emit(&event);
        Ok(())
    }
}

fn launched<'a>(row: &'a Value, event: &mut Event<'a>) -> Result<(), Malformed> {
    event.pid = row.number(&["ProcessId"]);
    if event.pid.is_none() {
        return Err(Malformed::new("missing or invalid field `ProcessId`"));
    }
    event.ppid = row.number(&["InitiatingProcessId"]);
    event.set(Field::FilePath, path(row, "FolderPath", "FileName"));
    event.set(Field::CmdLine, row.field("ProcessCommandLine"));
    event.set(Field::ProcessStart, moment(row, "ProcessCreationTime").filter(|it| Some(*it) != event.time));
    event.set(Field::User, user(row, ""));
    event.set(Field::Session, row.field("LogonId"));
    event.set(Field::Hash, row.any(&["SHA256", "SHA1", "MD5"]));
    event.set(Field::ParentName, path(row, "InitiatingProcessFolderPath", "InitiatingProcessFileName"));
    event.set(Field::ParentCmdLine, row.field("InitiatingProcessCommandLine"));
    event.set(Field::ParentStart, moment(row, "InitiatingProcessCreationTime"));
    Ok(())
}

fn initiating<'a>(row: &'a Value, event: &mut Event<'a>) {
    event.pid = row.number(&["InitiatingProcessId"]).filter(|pid| *pid != 0);
    event.ppid = row.number(&["InitiatingProcessParentId"]);
    event.set(Field::FilePath, path(row, "InitiatingProcessFolderPath", "InitiatingProcessFileName"));
    event.set(Field::CmdLine, row.field("InitiatingProcessCommandLine"));
    event.set(Field::ProcessStart, moment(row, "InitiatingProcessCreationTime"));
    event.set(Field::ParentName, row.field("InitiatingProcessParentFileName"));
    event.set(Field::ParentStart, moment(row, "InitiatingProcessParentCreationTime"));
    event.set(Field::User, user(row, "InitiatingProcess"));
}

/// `FolderPath` holds the file's name too in most tables, but not in all exports.
fn path<'a>(row: &'a Value, folder: &str, file: &str) -> Option<Cow<'a, str>> {
    let (folder, file) = match (row.field(folder), row.field(file)) {
        (Some(folder), Some(file)) => (folder, file),
        (folder, file) => return folder.or(file),
    };
    if folder.to_lowercase().ends_with(&file.to_lowercase()) {
        return Some(folder);
    }
    let separator = if folder.contains('/') { '/' } else { '\\' };
    Some(Cow::Owned(format!("{}{separator}{file}", folder.trim_end_matches(separator))))
}

fn user(row: &Value, role: &str) -> Option<String> {
    let name = row.field(&format!("{role}AccountName"))?;
    Some(match row.field(&format!("{role}AccountDomain")) {
        Some(domain) => format!("{domain}\\{name}"),
        None => name.into_owned(),
    })
}

fn moment(row: &Value, name: &str) -> Option<Timestamp> {
    let utc = TimeDefaults::default();
    row.field(name).and_then(|it| Timestamp::parse(&it, &utc)).map(|(time, _)| time)
}
