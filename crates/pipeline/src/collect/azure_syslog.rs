//! Syslog as Azure Log Analytics exports it (JSON with `SyslogMessage`) → the event of the message inside: Sysmon for
//! Linux, auoms or auditd, sshd and its neighbours.

use ringleader_model::time::TimeDefaults;
use ringleader_model::{Event, Malformed, Timestamp};
use serde_json::Value;

use super::{Format, Framing, Reader, Record, Sink, SourceContext, auditd, json, sshd_auth, sysmon_linux};

pub struct AzureSyslog;

impl Format for AzureSyslog {
    fn name(&self) -> &'static str {
        "azure_syslog"
    }
    fn summary(&self) -> &'static str {
        "Azure Log Analytics Syslog table as JSON, with Sysmon for Linux, auoms or sshd messages inside"
    }
    fn framing(&self) -> Framing {
        Framing::Json
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        json::first_object(head).is_some_and(|it| {
            it.get("SyslogMessage").is_some_and(Value::is_string)
                && ["Computer", "HostName", "ProcessName"].iter().any(|key| it.get(key).is_some())
        })
    }
    fn reader(&self, context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Rows { times: context.times })
    }
}

struct Rows {
    times: TimeDefaults,
}

impl Reader for Rows {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let row = json::object(record.bytes)?;
        let message = json::text(&row, "SyslogMessage").ok_or(Malformed::new("missing field `SyslogMessage`"))?;
        if let Some(mut event) = of_message(&row, &message, &self.times)? {
            event.host = event.host.or_else(|| json::any(&row, &["Computer", "HostName"]));
            event.set(ringleader_model::Field::HostIp, json::text(&row, "HostIP"));
            sink.emit(&event);
        }
        Ok(())
    }
}

fn of_message<'a>(row: &'a Value, message: &'a str, times: &TimeDefaults) -> Result<Option<Event<'a>>, Malformed> {
    if let Some(at) = sysmon_linux::start(message) {
        return sysmon_linux::of_xml(&message[at..]);
    }
    if let Some(head) = auditd::fields::header(message) {
        let time = Timestamp::from_epoch_text(head.time).ok_or(Malformed::new("unreadable time"))?;
        return Ok(auditd::single(&head, time));
    }
    let Some(program) = json::text(row, "ProcessName") else { return Ok(None) };
    let Some(mut event) = sshd_auth::of_message(&program, json::number(row, "ProcessID"), message) else {
        return Ok(None);
    };
    // EventTime is the message's own time; TimeGenerated may be when it was taken in.
    let time = json::any(row, &["EventTime", "TimeGenerated"]).ok_or(Malformed::new("missing field `EventTime`"))?;
    let (time, offset) = Timestamp::parse(&time, times).ok_or_else(|| super::plain::bad_time(&time))?;
    (event.time, event.utc_offset_minutes) = (Some(time), offset);
    Ok(Some(event))
}

#[cfg(test)]
mod tests {
    use super::super::testing::read_all;
    use super::*;

    fn row(program: &str, message: &str) -> String {
        serde_json::json!({"Computer": "WEB1", "EventTime": "2024-05-11T18:10:21Z", "SyslogMessage": message, "ProcessName": program, "ProcessID": "7", "HostIP": "192.0.2.5"}).to_string()
    }

    #[test]
    fn a_path_probe_is_no_process_and_the_exec_after_it_is_one() {
        let auoms = |rest: &str| {
            row(
                "auoms",
                &format!(
                    "type=AUOMS_EXECVE audit(1715451021.986:84): SchemaVersion=\"1\" node=WEB1 arch=x86_64 syscall=execve syscall_r=59 {rest} redactors= containerid="
                ),
            )
        };
        let probe = auoms(
            "success=no exit=-2 ppid=13 pid=17 auid=4294967295 user=tomcat uid=1001 tty=(none) ses=\"-1\" exe=\"/usr/bin/java\" cwd=\"/\" name=\"/usr/local/bin/sh\" nametype=UNKNOWN path_name=[\"/usr/local/bin/sh\"] path_mode=[\"\"] proctitle=/usr/bin/java -jar success=yes a.jar",
        );
        let exec = auoms(
            "success=yes exit=0 ppid=13 pid=17 auid=4294967295 user=tomcat uid=1001 tty=(none) ses=\"-1\" exe=\"/bin/dash\" cwd=\"/\" name=\"/bin/sh\" nametype=NORMAL argc=3 cmdline=\"sh -c \"echo \"a\" | sh redactors= x\"\"",
        );
        let got = read_all(&AzureSyslog, format!("{probe}\n{exec}\n").as_bytes());
        assert_eq!(
            got,
            [
                "process_activity other 2024-05-11T18:10:21.986000Z host=WEB1 pid=Some(17) ppid=Some(13) id=1715451021.986:84 status=\"failed\" \
                 file_path=\"/usr/local/bin/sh\" process_cmd_line=\"/usr/bin/java -jar success=yes a.jar\" exit_code=\"-2\" \
                 process_file_path=\"/usr/bin/java\" user_name=\"tomcat\" host_ip=\"192.0.2.5\"",
                "process_activity launch 2024-05-11T18:10:21.986000Z host=WEB1 pid=Some(17) ppid=Some(13) id=1715451021.986:84 \
                 process_cmd_line=\"sh -c \\\"echo \\\"a\\\" | sh redactors= x\\\"\" working_directory=\"/\" \
                 process_file_path=\"/bin/dash\" user_name=\"tomcat\" host_ip=\"192.0.2.5\"",
            ]
        );
    }

    #[test]
    fn messages_of_sshd_and_of_others() {
        let log = row("sshd", "Accepted password for root from 192.0.2.1 port 50 ssh2")
            + "\n"
            + &row("kernel", "hello")
            + "\n{\"SyslogMessage\":3}";
        assert!(AzureSyslog.recognizes(log.as_bytes()));
        let got = read_all(&AzureSyslog, log.as_bytes());
        assert!(
            got[0].starts_with("authentication logon 2024-05-11T18:10:21.000000Z host=WEB1 pid=Some(7)"),
            "{got:?}"
        );
        assert_eq!(got.len(), 1, "{got:?}");
    }
}
