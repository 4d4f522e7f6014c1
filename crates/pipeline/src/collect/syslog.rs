//! A syslog line → its header and message. Shared by the formats whose records travel in syslog.

use ringleader_model::time::TimeDefaults;
use ringleader_model::{Malformed, Timestamp};

/// The parts of a syslog line, RFC 3164 or 5424, with or without `<PRI>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) time: Timestamp,
    pub(crate) utc_offset_minutes: Option<i16>,
    pub(crate) host: Option<&'a str>,
    /// Without its path: `sshd`, `CRON`.
    pub(crate) program: &'a str,
    pub(crate) pid: Option<u32>,
    pub(crate) message: &'a str,
}

/// Reads `Mar  2 10:11:12 host sshd[17]: …`, `2024-03-02T10:11:12.5+00:00 host sshd[17]: …` and
/// `1 2024-03-02T10:11:12Z host sshd 17 - - …`.
pub(crate) fn parse<'a>(line: &'a str, defaults: &TimeDefaults) -> Option<Line<'a>> {
    let line = without_priority(line);
    if let Some(rest) = line.strip_prefix("1 ") {
        return rfc5424(rest, defaults);
    }
    let (time, utc_offset_minutes, rest) = time(line, defaults)?;
    let (host, rest) = word(rest)?;
    let rest = rest.trim_start();
    let end = rest.find([':', '[', ' ']).unwrap_or(rest.len());
    let program = &rest[..end];
    let (pid, message) = match rest[end..].strip_prefix('[') {
        Some(rest) => {
            let (pid, rest) = rest.split_once(']')?;
            (pid.parse().ok(), rest)
        }
        None => (None, &rest[end..]),
    };
    let message = message.strip_prefix(':').unwrap_or(message).trim();
    Some(Line { time, utc_offset_minutes, host: Some(host), program: base(program), pid, message })
}

/// Why a line could not be parsed.
pub(crate) fn malformed(line: &str) -> Malformed {
    let b = without_priority(line).as_bytes();
    let dated = b.len() > 15 && b[3] == b' ' && b[6] == b' ' && b[9] == b':' && b[12] == b':';
    Malformed::new(if dated { "a date or time that does not exist" } else { "not a syslog line" })
}

/// The host of a syslog header, whatever follows it.
pub(crate) fn host(header: &str) -> Option<&str> {
    let any_year = TimeDefaults { year: 2000, ..TimeDefaults::default() };
    parse(header, &any_year)?.host
}

fn rfc5424<'a>(rest: &'a str, defaults: &TimeDefaults) -> Option<Line<'a>> {
    let (stamp, rest) = word(rest)?;
    let (time, utc_offset_minutes) = Timestamp::parse(stamp, defaults)?;
    let (host, rest) = word(rest)?;
    let (program, rest) = word(rest)?;
    let (pid, rest) = word(rest)?;
    let (_message_id, rest) = word(rest)?;
    let message = structured_data(rest.trim_start())?;
    Some(Line {
        time,
        utc_offset_minutes,
        host: (host != "-").then_some(host),
        program: base(program),
        pid: pid.parse().ok(),
        message: message.strip_prefix('\u{feff}').unwrap_or(message).trim(),
    })
}

/// What follows `-` or `[id key="value \] …"][…]`.
fn structured_data(rest: &str) -> Option<&str> {
    if let Some(rest) = rest.strip_prefix('-') {
        return Some(rest);
    }
    let bytes = rest.as_bytes();
    let mut at = 0;
    while bytes.get(at) == Some(&b'[') {
        loop {
            match bytes.get(at)? {
                b'\\' => at += 2,
                b']' => break,
                _ => at += 1,
            }
        }
        at += 1;
    }
    (at > 0).then(|| rest.get(at..)).flatten()
}

fn time<'a>(line: &'a str, defaults: &TimeDefaults) -> Option<(Timestamp, Option<i16>, &'a str)> {
    if let Some((time, rest)) = Timestamp::parse_syslog(line, defaults) {
        return Some((time, None, rest));
    }
    let (stamp, rest) = word(line)?;
    let (time, offset) = Timestamp::parse(stamp, defaults).filter(|_| stamp.len() > 10)?;
    Some((time, offset, rest))
}

fn without_priority(line: &str) -> &str {
    line.strip_prefix('<')
        .and_then(|rest| rest.split_once('>'))
        .filter(|(digits, _)| digits.len() <= 3 && digits.bytes().all(|b| b.is_ascii_digit()))
        .map_or(line, |(_, rest)| rest)
}

fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn base(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expect: Option<(&str, &str, Option<u32>, &str)>) {
        let defaults = TimeDefaults { year: 2024, ..TimeDefaults::default() };
        let got = parse(line, &defaults);
        assert_eq!(got.map(|it| (it.host.unwrap_or(""), it.program, it.pid, it.message)), expect, "{line}");
        if let Some(got) = got {
            assert_eq!(got.time.to_string(), "2024-03-02T10:11:12.000000Z", "{line}");
        }
    }

    #[test]
    fn headers_old_and_new() {
        check("Mar  2 10:11:12 web1 sshd[17]: hello: you", Some(("web1", "sshd", Some(17), "hello: you")));
        check("<38>Mar  2 10:11:12 web1 sudo:     root : x", Some(("web1", "sudo", None, "root : x")));
        check("2024-03-02T12:11:12+02:00 web1 /usr/sbin/cron[1]: x", Some(("web1", "cron", Some(1), "x")));
        check("<34>1 2024-03-02T10:11:12Z web1 sshd 17 ID47 - x", Some(("web1", "sshd", Some(17), "x")));
        check("1 2024-03-02T10:11:12Z - sshd 17 - [a b=\"\\]\"][c] x", Some(("", "sshd", Some(17), "x")));
    }

    #[test]
    fn what_is_no_syslog() {
        for line in [
            "",
            "Mar",
            "hello world",
            "1 2024",
            "Mar  2 10:11:12",
            "Xyz  2 10:11:12 a b: c",
            "1 2024-03-02T10:11:12Z h p 1 - [a\\",
        ] {
            check(line, None);
        }
    }
}
