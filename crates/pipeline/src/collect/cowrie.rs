//! Cowrie JSON (2017 to now) → the session, its logons, the commands typed in it, what they fetched.
//!
//! Deliberately absent: the fake file system's own doings, key exchange, terminal sizes.

use ringleader_model::{Activity, Event, EventClass, Field, Malformed, SensorRole};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::SourceContext;
use super::json::{any, text};
use super::json_format::{JsonFormat, Out};
use super::wire;

/// SSH and Telnet honeypot.
pub const COWRIE: JsonFormat = JsonFormat {
    name: "cowrie",
    summary: "Cowrie SSH and Telnet honeypot, JSON of 2017 to now",
    mark: r#""cowrie."#,
    recognizes: |it| text(it, "eventid").is_some_and(|id| id.starts_with("cowrie.")),
    read,
};

fn read(it: &Value, context: &SourceContext, out: &mut Out<'_>) -> Result<(), Malformed> {
    let id = text(it, "eventid").ok_or(Malformed::new("missing field `eventid`"))?;
    let Some(what) = id.strip_prefix("cowrie.") else {
        return Err(Malformed::new("not a Cowrie event"));
    };
    let start = |class, activity| -> Result<Event<'_>, Malformed> {
        let mut event = wire::event_at(class, activity, it, &["timestamp", "@timestamp"], context)?;
        event.sensor_role = SensorRole::Honeypot;
        event.host = text(it, "sensor");
        event.set(Field::Session, text(it, "session"));
        event.set(Field::SrcIp, text(it, "src_ip"));
        Ok(event)
    };
    match what {
        "session.connect" => {
            let mut event = start(EventClass::Network, Activity::Open)?;
            event.set(Field::SrcPort, text(it, "src_port"));
            event.set(Field::DstIp, text(it, "dst_ip"));
            event.set(Field::DstPort, text(it, "dst_port"));
            event.set(Field::Protocol, text(it, "protocol"));
            event.set(Field::Direction, "inbound");
            out.emit(&event);
            // The session stands for the server's child that serves it: its commands hang from it, by its id.
            let mut event = start(EventClass::Process, Activity::Launch)?;
            let telnet = text(it, "protocol").is_some_and(|it| it.eq_ignore_ascii_case("telnet"));
            event.set(Field::ProcessGuid, text(it, "session"));
            event.set(Field::FilePath, if telnet { "/usr/sbin/telnetd" } else { "/usr/sbin/sshd" });
            event.set(Field::CmdLine, if telnet { "telnetd: honeypot session" } else { "sshd: honeypot session" });
            out.emit(&event);
        }
        "session.closed" => {
            let mut event = start(EventClass::Network, Activity::Close)?;
            event.set(Field::Protocol, text(it, "protocol"));
            out.emit(&event);
        }
        "login.success" | "login.failed" | "client.fingerprint" => {
            let activity = match what {
                "login.success" => Activity::Logon,
                "login.failed" => Activity::LogonFailed,
                _ => Activity::Other,
            };
            let mut event = start(EventClass::Authentication, activity)?;
            put(&mut event, Field::User, it, "username");
            put(&mut event, Field::Password, it, "password");
            event.set(Field::Protocol, text(it, "protocol"));
            event.set(Field::Detail, any(it, &["key", "fingerprint"]));
            out.emit(&event);
        }
        "command.input" | "command.success" | "command.failed" => {
            let Some(input) = text(it, "input") else { return Ok(()) };
            let mut event = start(EventClass::Process, Activity::Launch)?;
            if let Some(session) = text(it, "session") {
                event.set(Field::ProcessGuid, command_guid(&session, &input));
                event.set(Field::ParentGuid, session);
            }
            event.put(Field::CmdLine, wire::cap(input));
            if what == "command.failed" {
                event.set(Field::Detail, "command not found");
            }
            out.emit(&event);
        }
        "session.file_download" | "session.file_upload" => {
            let mut event = start(EventClass::File, Activity::Create)?;
            event.set(Field::Url, text(it, "url").map(wire::cap));
            event.set(Field::Hash, text(it, "shasum").filter(|it| !is_empty_file(it)));
            // `outfile` is the honeypot's own store: a path that no attacker wrote.
            event.set(Field::TargetPath, any(it, &["destfile", "filename"]));
            event.set(Field::Detail, text(it, "outfile"));
            out.emit(&event);
        }
        "session.file_download.failed" => {
            let mut event = start(EventClass::Network, Activity::Other)?;
            event.set(Field::Url, text(it, "url").map(wire::cap));
            event.set(Field::State, "failed");
            out.emit(&event);
        }
        "direct-tcpip.request" | "tunnelproxy-tcpip.request" => {
            let mut event = start(EventClass::Network, Activity::Open)?;
            event.set(Field::SrcPort, text(it, "src_port"));
            let target = text(it, "dst_ip");
            let named = target.as_ref().is_some_and(|it| it.parse::<std::net::IpAddr>().is_err());
            event.set(if named { Field::DstHost } else { Field::DstIp }, target);
            event.set(Field::DstPort, text(it, "dst_port"));
            event.set(Field::Direction, "outbound");
            event.set(Field::Detail, "tunnel asked for");
            out.emit(&event);
        }
        "direct-tcpip.data" => {
            let mut event = start(EventClass::Network, Activity::Traffic)?;
            event.set(Field::DstIp, text(it, "dst_ip"));
            event.set(Field::DstPort, text(it, "dst_port"));
            event.set(Field::Direction, "outbound");
            event.set(Field::Body, text(it, "data").map(|it| wire::cap(bare(&it).to_owned())));
            out.emit(&event);
        }
        "client.version" => {
            let mut event = start(EventClass::Network, Activity::Other)?;
            event.set(Field::UserAgent, text(it, "version").map(|it| bare(&it).to_owned()));
            out.emit(&event);
        }
        "telnet.exploit_attempt" | "telnet.exploit_success" => {
            let mut event = start(EventClass::Detection, Activity::Alert)?;
            event.set(
                Field::Rule,
                if what.ends_with("success") { "telnet exploit, successful" } else { "telnet exploit" },
            );
            event.set(Field::Cve, text(it, "cve"));
            event.set(Field::NetworkRole, "exploit");
            event.set(Field::Detail, text(it, "value").map(wire::cap));
            out.emit(&event);
        }
        _ => {}
    }
    Ok(())
}

/// Names and passwords stand as they were tried: `-` and `null` are tried too.
fn put<'a>(event: &mut Event<'a>, field: Field, it: &'a Value, key: &str) {
    if let Some(value) = text(it, key) {
        event.put(field, wire::cap(value));
    }
}

/// The honeypot runs nothing, so a command has no pid. Its id is made from the session and the text alone:
/// `command.success` and `command.failed` repeat `command.input` some milliseconds later, and are the same
/// process; no state is kept, so a file may be cut anywhere. A command typed twice in a session is one process
/// with two records.
fn command_guid(session: &str, input: &str) -> String {
    let words: Vec<&str> = input.split_whitespace().collect();
    format!("{session}/{:016x}", xxh3_64(words.join(" ").as_bytes()))
}

/// Older versions wrote Python's own notation: `b'SSH-2.0-Go'`, the quotes included.
fn bare(version: &str) -> &str {
    let inner = version.trim_matches('"');
    inner.strip_prefix("b'").and_then(|it| it.strip_suffix('\'')).unwrap_or(inner)
}

/// The SHA-256 of nothing: an upload that never sent a byte.
fn is_empty_file(hash: &str) -> bool {
    hash.starts_with("e3b0c44298fc1c149afbf4c8996fb924")
}

#[cfg(test)]
mod tests {
    use super::super::testing::read_all;
    use super::*;

    fn line(eventid: &str, rest: &str) -> String {
        format!(
            "{{\"eventid\":\"cowrie.{eventid}\",\"timestamp\":\"2021-05-01T14:52:18.426335Z\",\"session\":\"d65ce9027c3f\",\
             \"src_ip\":\"198.51.100.7\",\"sensor\":\"pot1\"{rest}}}\n"
        )
    }

    #[test]
    fn a_command_and_the_answer_to_it_are_one_process() {
        let log = line("command.input", r#","input":"ls  -l""#) + &line("command.failed", r#","input":"ls -l ""#);
        let got = read_all(&COWRIE, log.as_bytes());
        let guid = |line: &str| line.split("process_uid=").nth(1).unwrap().split(' ').next().unwrap().to_owned();
        assert_eq!(guid(&got[0]), guid(&got[1]));
        assert!(got[0].contains(r#"parent_uid="d65ce9027c3f""#), "{}", got[0]);
    }

    #[test]
    fn an_empty_upload_has_no_hash() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let log = line("session.file_upload", &format!(r#","filename":"x.sh","shasum":"{empty}""#));
        assert!(!read_all(&COWRIE, log.as_bytes())[0].contains("file_hash"));
    }

    #[test]
    fn what_is_cut_or_odd_costs_itself_alone() {
        let log = line("command.input", r#","input":["not","text"]"#)
            + &line("login.failed", r#","username":"-","password":123456,"message":["a","b"]"#)
            + "{\"eventid\":\"cowrie.command.input\",\"inp";
        let got = read_all(&COWRIE, log.as_bytes());
        assert_eq!(got.len(), 2, "{got:?}");
        assert!(got[0].contains(r#"user_name="-" password="123456""#), "{}", got[0]);
        assert!(got[1].contains("JSON ends in the middle"), "{}", got[1]);
    }

    #[test]
    fn public_samples_are_read() {
        let Some(folder) = super::super::testing::samples() else { return };
        for (file, expect) in [("compx520_cowrie_multisensor.json", 164), ("deroux_cowrie.json.2021-05-03", 16)] {
            let got = read_all(&COWRIE, &std::fs::read(folder.join("cowrie").join(file)).unwrap());
            assert!(!got.iter().any(|it| it.starts_with("REJECTED")), "{file}");
            assert_eq!(got.len(), expect, "{file}");
        }
    }
}
