//! Falco's alerts (JSON) → detections that name the process, its parent and what it touched.

use ringleader_model::time::TimeDefaults;
use ringleader_model::{Activity, Event, EventClass, Field, Malformed, Timestamp};
use serde_json::Value;

use super::{Format, Framing, Reader, Record, Sink, SourceContext, json};

pub struct Falco;

impl Format for Falco {
    fn name(&self) -> &'static str {
        "falco"
    }
    fn summary(&self) -> &'static str {
        "Falco alerts as JSON: rule, priority, and the process with its parent and container"
    }
    fn framing(&self) -> Framing {
        Framing::Json
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        json::first_object(head).is_some_and(|it| {
            it.get("rule").is_some_and(Value::is_string)
                && it.get("priority").is_some()
                && it.get("output_fields").is_some_and(Value::is_object)
        })
    }
    fn reader(&self, context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Alerts { times: context.times })
    }
}

struct Alerts {
    times: TimeDefaults,
}

impl Reader for Alerts {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let alert = json::object(record.bytes)?;
        let fields = alert.get("output_fields").unwrap_or(&Value::Null);
        let get = |key: &str| json::text(fields, key);
        let mut event = Event::new(EventClass::Detection, Activity::Alert);
        event.set(Field::Rule, json::text(&alert, "rule"));
        if event.get(Field::Rule).is_none() {
            return Err(Malformed::new("missing field `rule`"));
        }
        let time =
            json::any(&alert, &["time"]).or_else(|| get("evt.time")).ok_or(Malformed::new("missing field `time`"))?;
        let parsed =
            Timestamp::parse(&time, &self.times).or_else(|| Some((Timestamp::from_epoch_text(&time)?, Some(0))));
        let (time, offset) = parsed.ok_or_else(|| super::plain::bad_time(&time))?;
        (event.time, event.utc_offset_minutes) = (Some(time), offset);
        event.host = json::text(&alert, "hostname").or_else(|| get("k8s.node.name"));
        event.source_event_id = json::text(&alert, "uuid");
        event.pid = json::number(fields, "proc.pid");
        event.ppid = json::number(fields, "proc.ppid").filter(|it| *it != 0);
        event.set(Field::Severity, json::text(&alert, "priority"));
        event.set(Field::Technique, techniques(&alert));
        event.set(Field::FilePath, json::any(fields, &["proc.exepath", "proc.exe", "proc.name"]));
        event.set(Field::CmdLine, get("proc.cmdline"));
        event.set(Field::ParentName, json::any(fields, &["proc.pexepath", "proc.pexe", "proc.pname"]));
        event.set(Field::ParentCmdLine, get("proc.pcmdline"));
        event.set(Field::Cwd, get("proc.cwd"));
        event.set(Field::Tty, get("proc.tty").filter(|it| it != "0"));
        event.set(Field::User, json::any(fields, &["user.name", "user.uid"]));
        event.set(Field::Container, get("container.id").filter(|it| it != "host"));
        let image = get("container.image.repository").map(|it| match get("container.image.tag") {
            Some(tag) => format!("{it}:{tag}"),
            None => it.into_owned(),
        });
        event.set(Field::Image, image);
        if let Some(name) = get("fd.name") {
            match name.split_once("->") {
                Some((from, to)) => {
                    let (from, to) = (endpoint(from), endpoint(to));
                    event.set(Field::SrcIp, from.map(|it| it.0.to_owned()));
                    event.set(Field::SrcPort, from.map(|it| it.1.to_owned()));
                    event.set(Field::DstIp, to.map(|it| it.0.to_owned()));
                    event.set(Field::DstPort, to.map(|it| it.1.to_owned()));
                }
                None => event.set(Field::TargetPath, name),
            }
        }
        event.set(Field::Detail, json::text(&alert, "output"));
        sink.emit(&event);
        Ok(())
    }
}

/// The ATT&CK techniques among the tags, joined by commas.
fn techniques(alert: &Value) -> Option<String> {
    let tags = alert.get("tags")?.as_array()?.iter().filter_map(Value::as_str);
    let found: Vec<&str> = tags
        .filter(|it| {
            it.strip_prefix('T').is_some_and(|it| it.len() >= 4 && it.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
        })
        .collect();
    (!found.is_empty()).then(|| found.join(","))
}

/// `192.0.2.1:80`, `[2001:db8::1]:80` or `2001:db8::1:80`.
fn endpoint(text: &str) -> Option<(&str, &str)> {
    let (ip, port) = text.trim().rsplit_once(':')?;
    let ip = ip.trim_start_matches('[').trim_end_matches(']');
    (ip.parse::<std::net::IpAddr>().is_ok() && port.parse::<u16>().is_ok()).then_some((ip, port))
}

#[cfg(test)]
mod tests {
    use super::super::testing::read_all;
    use super::*;

    #[test]
    fn an_alert_with_nulls_a_connection_and_a_container() {
        let log = r#"{"hostname":"node1","output":"22:09:57.82: Notice x","output_fields":{"container.id":"d34690e67a3a","container.image.repository":"example/app","container.image.tag":null,"evt.time":1690409397827858816,"fd.name":"192.0.2.7:63352->198.51.100.1:22","proc.cmdline":"sh -c id","proc.name":"sh","proc.pid":6461,"proc.pname":"runc","proc.tty":0,"user.name":"root"},"priority":"Notice","rule":"Terminal shell in container","source":"syscall","tags":["T1059","container"],"time":"2023-07-26T22:09:57.827858816Z"}
{"output_fields":{"fd.name":"/etc/shadow"},"rule":"r","priority":"Warning","time":"nonsense"}
{"output_fields":{"fd.name":"/etc/shadow","evt.time":1690409397827858816,"container.id":"host"},"rule":"r","priority":"Warning"}"#;
        assert!(Falco.recognizes(log.as_bytes()));
        assert_eq!(
            read_all(&Falco, log.as_bytes()),
            [
                "detection_finding alert 2023-07-26T22:09:57.827858Z host=node1 pid=Some(6461) ppid=None id=- finding_title=\"Terminal shell in container\" severity=\"Notice\" attack_technique=\"T1059\" process_file_path=\"sh\" process_cmd_line=\"sh -c id\" parent_file_path=\"runc\" user_name=\"root\" container_uid=\"d34690e67a3a\" container_image=\"example/app\" src_ip=\"192.0.2.7\" src_port=\"63352\" dst_ip=\"198.51.100.1\" dst_port=\"22\" detail=\"22:09:57.82: Notice x\"",
                "REJECTED at 504: unreadable time",
                "detection_finding alert 2023-07-26T22:09:57.827858Z host=- pid=None ppid=None id=- finding_title=\"r\" severity=\"Warning\" file_path=\"/etc/shadow\"",
            ]
        );
    }
}
