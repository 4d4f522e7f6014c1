//! An alert as people pass it on, a mail or a chat message that names hosts → a detection for each.
//!
//! Deliberately absent: understanding the text. A title is a line that speaks of an alert, a host is an address (or a
//! name behind `host:`) near it.

use ringleader_model::time::{Parsed, TimeDefaults};
use ringleader_model::{Activity, Event, EventClass, Field, Malformed, SensorRole};

use super::super::fields::bounded;
use super::super::{Format, Framing, Reader, Record, Sink, SourceContext};
use super::{Found, find_addresses, find_time};

pub struct AlertText;

/// A message is short; longer texts are reports, and name hosts that nothing happened to.
const MAX_LENGTH: usize = 16 << 10;
/// Words of alerts, in the languages that we have seen them in.
const WORDS: &[&str] = &[
    "告警",
    "报警",
    "异常事件",
    "木马",
    "病毒",
    "入侵",
    "沦陷",
    "alert",
    "anomaly",
    "trojan",
    "malware",
    "virus",
    "ransom",
    "infected",
    "compromised",
    "backdoor",
    "intrusion",
];

impl Format for AlertText {
    fn name(&self) -> &'static str {
        "alert_text"
    }
    fn summary(&self) -> &'static str {
        "An alert as a mail or chat message that names the hosts"
    }
    fn framing(&self) -> Framing {
        Framing::Whole
    }
    /// Most of its lines name a host or an alert. What `--alert` names is read so in any case.
    fn recognizes(&self, head: &[u8]) -> bool {
        if head.len() >= MAX_LENGTH
            || head.contains(&0)
            || matches!(head.trim_ascii_start().first(), Some(b'{' | b'[' | b'<' | b'#'))
        {
            return false;
        }
        let text = super::super::text::decode(head);
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
        let (mut hosts, mut words) = (0, 0);
        for line in &lines {
            hosts += usize::from(!find_addresses(line).is_empty());
            words += usize::from(speaks_of_alert(line));
        }
        let both = lines.iter().filter(|it| speaks_of_alert(it) || !find_addresses(it).is_empty()).count();
        hosts > 0 && words > 0 && lines.len() <= 100 && both * 2 >= lines.len() && !looks_like_a_log(&lines)
    }
    /// A file that is called an alert and names a host is one, however it is written.
    fn recognizes_named(&self, name: &str, head: &[u8]) -> bool {
        let name = super::file_name(name);
        let text = name.ends_with(".txt") || name.ends_with(".eml") || name.ends_with(".md") || !name.contains('.');
        let named = name.contains("alert") || name.contains("mail") || name.contains("告警");
        let open = !head.contains(&0) && !matches!(head.trim_ascii_start().first(), Some(b'{' | b'[' | b'<'));
        named
            && text
            && open
            && head.len() < MAX_LENGTH
            && super::super::recognize(head).is_none_or(|it| matches!(it.name(), "alert_text" | "worm_log"))
            && super::lines(head).any(|it| !find_addresses(&it).is_empty() || named_host(&it).is_some())
    }
    fn reader(&self, context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Text { times: context.times })
    }
}

/// Logs of programs start every line alike: with a time or a tag.
fn looks_like_a_log(lines: &[&str]) -> bool {
    let tagged = lines
        .iter()
        .filter(|it| it.contains(" kernel:") || it.contains("]: ") || it.contains("\" ") && it.contains("HTTP/"));
    tagged.count() * 2 > lines.len()
}

fn speaks_of_alert(line: &str) -> bool {
    let low = line.to_lowercase();
    WORDS.iter().any(|it| low.contains(it))
}

struct Text {
    times: TimeDefaults,
}

impl Reader for Text {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        if record.bytes.len() > MAX_LENGTH * 4 {
            return Err(Malformed::new("alert text longer than the limit of 64 KiB"));
        }
        let text = super::super::text::decode(record.bytes);
        let mut time: Option<Parsed> = None;
        let mut title: Option<String> = None;
        let mut path: Option<&str> = None;
        let mut any = false;
        let mut offset = record.offset;
        for raw in text.split_inclusive('\n') {
            let at = offset;
            offset += raw.len() as u64;
            let line = bounded(raw.trim(), 2048);
            if line.is_empty() {
                continue;
            }
            match find_time(line, &self.times) {
                Found::Time(it) => time = Some(it),
                // The hosts count all the same.
                Found::Impossible => {
                    let why = Malformed::new("a date or time that does not exist");
                    sink.reject_at(at, bounded(raw, 512).as_bytes(), why);
                    time = None;
                }
                Found::None => {}
            }
            path = windows_path(line).or(path);
            if speaks_of_alert(line) {
                title = Some(bounded(line, 256).to_owned());
            }
            let hosts = find_addresses(line).into_iter().map(|it| (Field::HostIp, it.ip.to_string()));
            for (field, host) in hosts.chain(named_host(line)) {
                let mut event = Event::new(EventClass::Detection, Activity::Alert);
                event.sensor_role = SensorRole::Network;
                if let Some((time, offset)) = time {
                    (event.time, event.utc_offset_minutes) = (Some(time), offset);
                }
                event.set(Field::Rule, title.clone().unwrap_or_else(|| bounded(line, 256).to_owned()));
                event.set(field, host.clone());
                event.set(Field::FilePath, path);
                event.set(Field::Detail, line);
                any = true;
                let content = format!("{line}|{host}|{}", title.as_deref().unwrap_or(""));
                sink.emit_at(&event, at, u32::try_from(raw.len()).unwrap_or(0), content.as_bytes());
            }
        }
        if any { Ok(()) } else { Err(Malformed::new("no host in the alert's text")) }
    }
}

/// `C:\Windows\SpeechsTracing\Microsoft\svchost.exe` inside a line.
fn windows_path(line: &str) -> Option<&str> {
    let at = line.find(":\\").filter(|at| *at > 0 && line.as_bytes()[at - 1].is_ascii_alphabetic())?;
    let rest = &line[at - 1..];
    let end = rest.find(['"', '<', '>', '|', '\t', ',', '，', '。', '；']).unwrap_or(rest.len());
    let path = rest[..end].trim();
    (path.len() > 4).then_some(path)
}

/// `host: web1`, `主机:web1`
fn named_host(line: &str) -> Option<(Field, String)> {
    let (label, value) = line.split_once([':', '：'])?;
    let label = label.trim().to_lowercase();
    let value = value.trim();
    let named = matches!(&*label, "host" | "hostname" | "computer" | "machine" | "asset" | "主机" | "主机名" | "资产");
    let is_name = !value.is_empty()
        && value.len() <= 253
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    (named && is_name && value.parse::<std::net::IpAddr>().is_err()).then(|| (Field::DstHost, value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::read_all;
    use super::*;

    #[test]
    fn a_chat_message_names_five_hosts() {
        let text = "2018年9月31日 上午\n安骑士主机异常事件:木马程序\n192.168.0.3\n安骑士主机异常事件:DDoS木马\n192.168.0.4,192.168.4.4,192.168.4.10,10.0.3.19都有告警\n";
        assert!(AlertText.recognizes(text.as_bytes()));
        let got = read_all(&AlertText, text.as_bytes());
        assert!(got[0].contains("does not exist"), "{got:#?}");
        assert_eq!(got.len(), 6, "{got:#?}");
        assert!(got[1].contains("host_ip=\"192.168.0.3\"") && got[1].contains("木马程序"), "{got:#?}");
    }

    #[test]
    fn prose_and_logs_are_no_alert() {
        for text in [
            "# The Trojan\n192.0.2.1 is its server\n",
            "This is about malware.\nIt has many lines.\nOne more of them.\nAnd a server at 192.0.2.1.\nAnd so on.\nAnd on.\n",
            "Sep 30 10:00:00 web1 sshd[1]: alert 192.0.2.1\n",
        ] {
            assert!(!AlertText.recognizes(text.as_bytes()), "{text}");
        }
    }
}
