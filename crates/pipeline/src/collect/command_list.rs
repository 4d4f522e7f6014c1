//! Commands, one a line → an event each: Cowrie's `CMD:` lines, with or without its text log around them, and
//! shell histories with times.
//!
//! Deliberately absent: plain lists of commands (they are scripts, see `shell_script`; `--format` can say otherwise).

use std::borrow::Cow;

use ringleader_model::time::TimeDefaults;
use ringleader_model::{Activity, Event, EventClass, Field, Malformed, SensorRole, Timestamp};

use super::{Format, Framing, Reader, Record, Sink, SourceContext};

pub struct CommandList;

impl Format for CommandList {
    fn name(&self) -> &'static str {
        "command_list"
    }
    fn summary(&self) -> &'static str {
        "Commands, one a line: Cowrie's CMD lines or text log, or a shell history with #times"
    }
    fn framing(&self) -> Framing {
        Framing::Lines { stateless: false }
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        let lines = head.split(|b| *b == b'\n').map(|it| it.trim_ascii()).filter(|it| !it.is_empty()).take(200);
        let (mut marked, mut times, mut all) = (0, 0, 0);
        for line in lines {
            let text = super::text::decode(&line[..line.len().min(4096)]);
            all += 1;
            marked += usize::from(marked_command(&text).is_some());
            times += usize::from(history_time(&text).is_some());
        }
        // Cowrie's text log has many lines that are no commands; a history has a time before each.
        (marked > 0 && (marked * 2 > all || head.starts_with(b"20"))) || (times > 0 && times * 3 >= all)
    }
    fn reader(&self, context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Lines { times: context.times, time: None, marked: false })
    }
}

struct Lines {
    times: TimeDefaults,
    /// The time that a history wrote for the next command.
    time: Option<Timestamp>,
    /// Whether the list is a honeypot's: what it does not mark is no command.
    marked: bool,
}

impl Reader for Lines {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let text = super::text::decode(record.bytes);
        let mut event = Event::new(EventClass::Process, Activity::Other);
        event.put(Field::State, "command");
        if let Some(found) = marked_command(&text) {
            self.marked = true;
            event.sensor_role = SensorRole::Honeypot;
            event.set(Field::CmdLine, found.command.trim().to_owned());
            event.set(Field::Session, found.session);
            event.set(Field::SrcIp, found.peer);
            if let Some((time, offset)) = found.time.and_then(|it| Timestamp::parse(it, &self.times)) {
                (event.time, event.utc_offset_minutes) = (Some(time), offset);
            }
            if event.get(Field::CmdLine).is_some() {
                sink.emit(&event);
            }
            return Ok(());
        }
        if let Some(time) = history_time(&text) {
            self.time = Some(time);
            return Ok(());
        }
        if self.marked || in_cowrie_log(&text) {
            return Ok(());
        }
        event.put(Field::CmdLine, text.trim());
        // A command of several lines stands under one time.
        match self.time {
            Some(time) => {
                event.time = Some(time);
                let content = format!("{} {}", time.0, text.trim());
                let length = u32::try_from(record.bytes.len()).unwrap_or(u32::MAX);
                sink.emit_at(&event, record.offset, length, content.as_bytes());
            }
            None => sink.emit(&event),
        }
        Ok(())
    }
}

struct Marked<'a> {
    command: Cow<'a, str>,
    time: Option<&'a str>,
    session: Option<&'a str>,
    peer: Option<&'a str>,
}

/// `CMD: uname -a`, the same as a JSON string, or at the end of a line of Cowrie's text log:
/// `2021-02-03T04:05:06.7Z [HoneyPotSSHTransport,12,192.0.2.1] CMD: uname -a`.
fn marked_command(line: &str) -> Option<Marked<'_>> {
    let line = line.trim();
    if let Some(command) = line.strip_prefix("CMD: ").or_else(|| line.strip_prefix("CMD:")) {
        return Some(Marked { command: Cow::Borrowed(command), time: None, session: None, peer: None });
    }
    if line.starts_with("\"CMD:") {
        let command: String = serde_json::from_str(line).ok()?;
        let command = command.strip_prefix("CMD:")?.trim_start().to_owned();
        return Some(Marked { command: Cow::Owned(command), time: None, session: None, peer: None });
    }
    if !in_cowrie_log(line) {
        return None;
    }
    let (front, command) = line.split_once("] CMD: ")?;
    let (time, source) = front.split_once(" [")?;
    let mut parts = source.rsplit(',');
    let peer = parts.next().filter(|it| it.parse::<std::net::IpAddr>().is_ok());
    let session = parts.next().filter(|it| !it.is_empty() && it.bytes().all(|b| b.is_ascii_digit()));
    Some(Marked { command: Cow::Borrowed(command), time: Some(time), session, peer })
}

fn in_cowrie_log(line: &str) -> bool {
    line.starts_with("20")
        && line.split_once(" [").is_some_and(|(time, _)| Timestamp::parse(time, &TimeDefaults::default()).is_some())
}

/// `#1700000000`, as bash writes it with HISTTIMEFORMAT.
fn history_time(line: &str) -> Option<Timestamp> {
    let digits = line.trim().strip_prefix('#')?;
    (digits.len() == 10 && digits.bytes().all(|b| b.is_ascii_digit()))
        .then(|| Timestamp::from_epoch_text(digits))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::super::testing::read_all;
    use super::*;

    fn check(log: &str, expect: &[&str]) {
        assert!(CommandList.recognizes(log.as_bytes()), "{log}");
        assert_eq!(read_all(&CommandList, log.as_bytes()), expect, "{log}");
    }

    #[test]
    fn marks_quoted_and_bare() {
        check(
            "\"CMD: echo \\\"a\\\\x20b\\\"\"\n\"CMD: \"\n\"something else\"\n\"CMD: w\"\n",
            &[
                "process_activity other - host=- pid=None ppid=None id=- status=\"command\" process_cmd_line=\"echo \\\"a\\\\x20b\\\"\"",
                "process_activity other - host=- pid=None ppid=None id=- status=\"command\" process_cmd_line=\"w\"",
            ],
        );
        check(
            "CMD: ls",
            &["process_activity other - host=- pid=None ppid=None id=- status=\"command\" process_cmd_line=\"ls\""],
        );
    }

    #[test]
    fn cowries_text_log() {
        check(
            "2021-02-03T04:05:06.789Z [HoneyPotSSHTransport,12,192.0.2.1] login attempt [root/x] succeeded\n2021-02-03T04:05:07+0000 [SSHChannel session (0) on SSHService b'ssh-connection' on HoneyPotSSHTransport,12,192.0.2.1] CMD: uname -a\n",
            &[
                "process_activity other 2021-02-03T04:05:07.000000Z host=- pid=None ppid=None id=- status=\"command\" process_cmd_line=\"uname -a\" session_uid=\"12\" src_ip=\"192.0.2.1\"",
            ],
        );
    }

    #[test]
    fn a_history_with_times() {
        check(
            "#1700000000\ncurl x\n#1700000001\nls\n",
            &[
                "process_activity other 2023-11-14T22:13:20.000000Z host=- pid=None ppid=None id=- status=\"command\" process_cmd_line=\"curl x\"",
                "process_activity other 2023-11-14T22:13:21.000000Z host=- pid=None ppid=None id=- status=\"command\" process_cmd_line=\"ls\"",
            ],
        );
    }

    #[test]
    fn what_is_no_list_of_commands() {
        for text in [
            "",
            "ls -l\nid\n",
            "# 1700000000\n",
            "#17000000001\n",
            "CMDS: x\n",
            "a CMD: b\n",
            "\"CMD: cut",
            "2021-02-03T04:05:06Z [x] y\n",
        ] {
            assert!(!CommandList.recognizes(text.as_bytes()), "{text}");
        }
    }
}
