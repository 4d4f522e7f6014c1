//! Dionaea JSON → connections, and each name and password that was tried.
//!
//! Deliberately absent: the protocols' own details, but for the commands of an FTP session.

use ringleader_model::{Activity, Event, EventClass, Field, Malformed, SensorRole};
use serde_json::Value;

use super::json::{at, scalar, text};
use super::json_format::{JsonFormat, Out};
use super::{SourceContext, wire};

/// The most credentials, or commands, that are taken from one connection; beyond, the record is also rejected.
const MAX_TRIED: usize = 1000;

/// One JSON object a connection, as lines or in an array.
pub const DIONAEA: JsonFormat = JsonFormat {
    name: "dionaea",
    summary: "Dionaea honeypot JSON: connection, src_ip, dst_port, credentials",
    mark: r#""connection""#,
    recognizes: |it| {
        ["protocol", "transport", "type"].iter().all(|key| at(it, &["connection", key]).is_some())
            && it.get("src_ip").is_some()
    },
    read,
};

fn read(it: &Value, context: &SourceContext, out: &mut Out<'_>) -> Result<(), Malformed> {
    let start = |class, activity| -> Result<Event<'_>, Malformed> {
        let mut event = wire::event_at(class, activity, it, &["timestamp"], context)?;
        event.sensor_role = SensorRole::Honeypot;
        event.set(Field::SrcIp, text(it, "src_ip"));
        event.set(Field::SrcPort, text(it, "src_port"));
        event.set(Field::DstIp, text(it, "dst_ip"));
        event.set(Field::DstPort, text(it, "dst_port"));
        event.set(Field::Protocol, at(it, &["connection", "transport"]));
        event.set(Field::ServiceName, at(it, &["connection", "protocol"]));
        event.set(
            Field::Direction,
            if at(it, &["connection", "type"]).as_deref() == Some("connect") { "outbound" } else { "inbound" },
        );
        Ok(event)
    };
    let tried = credentials(it.get("credentials"));
    if tried.is_empty() {
        let mut event = start(EventClass::Network, Activity::Open)?;
        event.set(Field::Detail, ftp_commands(it).map(wire::cap));
        out.emit(&event);
        return Ok(());
    }
    for (user, password) in tried.iter().take(MAX_TRIED) {
        // Some of its services let everyone in, and the log does not say: an attempt is all that is known.
        let mut event = start(EventClass::Authentication, Activity::LogonFailed)?;
        if let Some(user) = user {
            event.put(Field::User, wire::cap(user.as_str()));
        }
        if let Some(password) = password {
            event.put(Field::Password, wire::cap(password.as_str()));
        }
        out.emit(&event);
    }
    if tried.len() > MAX_TRIED {
        return Err(Malformed::new("more than 1,000 credentials in one connection"));
    }
    Ok(())
}

/// Two lists side by side, or a list of pairs. An empty password was tried, too.
fn credentials(value: Option<&Value>) -> Vec<(Option<String>, Option<String>)> {
    let word = |it: &Value| it.as_str().map(str::to_owned).or_else(|| scalar(it).map(Into::into));
    match value {
        Some(Value::Array(pairs)) => {
            pairs.iter().map(|it| (it.get("username").and_then(word), it.get("password").and_then(word))).collect()
        }
        Some(lists) => {
            let list = |key: &str| lists.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let (users, passwords) = (list("username"), list("password"));
            let pair = |n: usize| (users.get(n).and_then(word), passwords.get(n).and_then(word));
            (0..users.len().max(passwords.len())).map(pair).collect()
        }
        None => Vec::new(),
    }
}

fn ftp_commands(it: &Value) -> Option<String> {
    let commands = it.get("ftp")?.get("commands")?;
    let (names, arguments) = (commands.get("command")?.as_array()?, commands.get("arguments")?.as_array()?);
    let line = |(name, argument): (&Value, &Value)| {
        Some(format!("{} {}", name.as_str()?, argument.as_str().unwrap_or_default()).trim_end().to_owned())
    };
    Some(names.iter().zip(arguments).take(MAX_TRIED).filter_map(line).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::read_all;
    use super::*;

    #[test]
    fn each_pair_is_an_attempt() {
        let log = r#"[{"connection":{"protocol":"mssqld","transport":"tcp","type":"accept"},"dst_ip":"198.51.100.2","dst_port":1433,"src_ip":"192.0.2.1","src_port":5,"timestamp":"2025-02-12T08:46:20.049061","credentials":{"password":["","-"],"username":["sa","sa"]}}
,
{"connection":{"protocol":"smbd","transport":"tcp","type":"accept"},"dst_port":445,"src_ip":"192.0.2.1","timestamp":"2025-02-12T08:46:20.049061"}]"#;
        let got = read_all(&DIONAEA, log.as_bytes());
        assert_eq!(got.len(), 3, "{got:#?}");
        assert!(got[0].contains(r#"user_name="sa" password="""#), "{}", got[0]);
        assert!(got[1].contains(r#"user_name="sa" password="-""#), "{}", got[1]);
        assert!(got[2].starts_with("network_activity open"), "{}", got[2]);
    }

    #[test]
    fn a_flood_of_credentials_is_cut_and_told() {
        let tried = vec![r#""x""#; MAX_TRIED + 1].join(",");
        let log = format!(
            r#"{{"connection":{{"protocol":"mssqld","transport":"tcp","type":"accept"}},"src_ip":"192.0.2.1","timestamp":"2025-02-12T08:46:20","credentials":{{"username":[{tried}]}}}}"#
        );
        let got = read_all(&DIONAEA, log.as_bytes());
        assert_eq!(got.len(), MAX_TRIED + 1);
        assert!(got[MAX_TRIED].starts_with("REJECTED"), "{}", got[MAX_TRIED]);
    }
}
