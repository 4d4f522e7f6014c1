//! One audit line → its header and its `key=value` pairs. Values follow audit's "encoded" rule.

use std::borrow::Cow;

use ringleader_model::event::is_null;

use super::super::{syslog, text};

/// What stands before the pairs of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header<'a> {
    /// `node=`, else the host of a syslog header around the record.
    pub(crate) host: Option<&'a str>,
    /// The record type by name; the kernel's own numbers are translated.
    pub(crate) kind: &'a str,
    /// Seconds and milliseconds, as written.
    pub(crate) time: &'a str,
    pub(crate) serial: u64,
    /// The record without what a syslog daemon wrote in front of it.
    pub(crate) record: &'a str,
    /// The pairs.
    pub(crate) body: &'a str,
}

/// How far into a line its header may reach: host names and syslog tags are short.
const MAX_HEADER: usize = 512;

/// Reads `[syslog header] [node=NAME] type=TYPE [msg=]audit(SECONDS.MILLIS:SERIAL): …`.
pub(crate) fn header(line: &str) -> Option<Header<'_>> {
    let at = line.find("audit(").filter(|at| *at < MAX_HEADER)?;
    let (front, tail) = line.split_at(at);
    let front = front.strip_suffix("msg=").unwrap_or(front);
    let kind_at = word_at(front, "type=")?;
    let kind = front[kind_at + 5..].trim();
    if kind.is_empty() || kind.contains(char::is_whitespace) {
        return None;
    }
    let before = &front[..kind_at];
    let (start, mut host) = match word_at(before, "node=") {
        Some(node_at) => (node_at, Some(before[node_at + 5..].trim())),
        None => (kind_at, None),
    };
    let prefix = &line[..start];
    if host.is_none() && !prefix.trim().is_empty() {
        host = syslog::host(prefix);
    }
    let (stamp, body) = tail["audit(".len()..].split_once(')')?;
    let (time, serial) = stamp.split_once(':')?;
    Some(Header {
        host: host.filter(|it| !is_null(it)),
        kind: kind_name(kind),
        time,
        serial: serial.parse().ok()?,
        record: &line[start..],
        body: body.strip_prefix(':').unwrap_or(body),
    })
}

fn word_at(text: &str, word: &str) -> Option<usize> {
    let at = text.rfind(word)?;
    (at == 0 || text[..at].ends_with(char::is_whitespace)).then_some(at)
}

/// Kernel messages that no daemon translated carry numbers.
fn kind_name(kind: &str) -> &str {
    match kind {
        "1100" => "USER_AUTH",
        "1105" => "USER_START",
        "1106" => "USER_END",
        "1112" => "USER_LOGIN",
        "1113" => "USER_LOGOUT",
        "1114" => "ADD_USER",
        "1115" => "DEL_USER",
        "1123" => "USER_CMD",
        "1130" => "SERVICE_START",
        "1300" => "SYSCALL",
        "1302" => "PATH",
        "1306" => "SOCKADDR",
        "1307" => "CWD",
        "1309" => "EXECVE",
        "1318" => "OBJ_PID",
        "1320" => "EOE",
        "1327" => "PROCTITLE",
        other => other,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair<'a> {
    pub(crate) key: &'a str,
    pub(crate) raw: &'a str,
    quoted: bool,
}

/// The pairs of a body. Words without `=` (`user pid=…`, `avc: denied`) are passed over.
pub(crate) fn pairs(body: &str) -> Vec<Pair<'_>> {
    let mut out = Vec::new();
    let mut rest = body;
    loop {
        rest = rest.trim_start_matches(is_space);
        if rest.is_empty() {
            return out;
        }
        let end = rest.find(|c: char| c == '=' || is_space(c)).unwrap_or(rest.len());
        if !rest[end..].starts_with('=') {
            rest = &rest[end..];
            continue;
        }
        let key = rest[..end].trim_start_matches(['(', '{', '\'']);
        let value = &rest[end + 1..];
        let (raw, quoted, used) = match value.as_bytes().first() {
            Some(b'"') => delimited(value, value[1..].find('"')),
            // The second level, `msg='op=… exe="…"'`: accounts in it may hold anything but come encoded, so the
            // last quote of the record closes it. An enriched record's second half stands behind 0x1d.
            Some(b'\'') => {
                let half = value.find('\x1d').unwrap_or(value.len());
                delimited(&value[..half], value[1..half].rfind('\''))
            }
            Some(b'[') => delimited(value, value.find("] ").map(|at| at - 1).or_else(|| value[1..].rfind(']'))),
            _ => {
                let end = value.find(is_space).unwrap_or(value.len());
                (&value[..end], false, end)
            }
        };
        out.push(Pair { key, raw: if quoted { raw } else { bare(raw) }, quoted });
        rest = &value[used..];
    }
}

fn is_space(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\x1d'
}

/// A value between two delimiters; one that is never closed runs to the end.
fn delimited(value: &str, length: Option<usize>) -> (&str, bool, usize) {
    match length {
        Some(length) => (&value[1..=length], true, length + 2),
        None => (&value[1..], true, value.len()),
    }
}

/// `res=success'`, and `(hostname=?, addr=?)` of old kernels, without the punctuation around them.
fn bare(raw: &str) -> &str {
    let raw = raw.trim_end_matches([',', '\'']);
    if raw.contains('(') { raw } else { raw.trim_end_matches(')') }
}

pub(crate) fn raw<'a>(pairs: &[Pair<'a>], key: &str) -> Option<&'a str> {
    pairs.iter().find(|it| it.key == key).map(|it| it.raw).filter(|it| !is_null(it))
}

pub(crate) fn number(pairs: &[Pair<'_>], key: &str) -> Option<u32> {
    raw(pairs, key)?.parse().ok()
}

/// A value that is written as hex where it holds a blank, a quote or a byte that is no ASCII.
pub(crate) fn decoded<'a>(pairs: &[Pair<'a>], key: &str) -> Option<Cow<'a, str>> {
    let pair = pairs.iter().find(|it| it.key == key)?;
    if !pair.quoted && is_null(pair.raw) {
        return None;
    }
    let value = match bytes(pair) {
        Cow::Borrowed(_) => Cow::Borrowed(pair.raw),
        Cow::Owned(bytes) => Cow::Owned(text::decode(&bytes).into_owned()),
    };
    Some(value).filter(|it| !it.is_empty())
}

/// The value's bytes: literal in quotes, else hex where it can be.
pub(crate) fn bytes<'a>(pair: &Pair<'a>) -> Cow<'a, [u8]> {
    if !pair.quoted
        && !pair.raw.is_empty()
        && let Some(bytes) = text::unhex(pair.raw)
    {
        return Cow::Owned(bytes);
    }
    Cow::Borrowed(pair.raw.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_with_and_without_what_others_put_in_front() {
        let check = |line: &'static str, host: Option<&str>, kind: &str, body: &str| {
            let head = header(line).unwrap();
            assert_eq!((head.host, head.kind, head.time, head.serial), (host, kind, "1700000000.123", 7), "{line}");
            assert_eq!(head.body.trim(), body, "{line}");
        };
        check("type=CWD msg=audit(1700000000.123:7): cwd=\"/\"", None, "CWD", "cwd=\"/\"");
        check("node=web1 type=CWD msg=audit(1700000000.123:7): a=1", Some("web1"), "CWD", "a=1");
        check("Nov 14 22:13:20 web2 audispd: type=CWD msg=audit(1700000000.123:7): a=1", Some("web2"), "CWD", "a=1");
        check("type=1300 audit(1700000000.123:7): arch=c000003e", None, "SYSCALL", "arch=c000003e");
        for line in ["", "type=X", "type=X msg=audit(1", "type=X msg=audit(1.2:x): a", "mytype=X msg=audit(1.2:3): a"] {
            assert_eq!(header(line), None, "{line}");
        }
    }

    #[test]
    fn values_are_literal_in_quotes_and_hex_outside() {
        let it = pairs("argc=2 a0=\"6c73\" a1=6C73202D6C tty=(none) key=(null) x=\"open");
        assert_eq!(decoded(&it, "a0").as_deref(), Some("6c73"));
        assert_eq!(decoded(&it, "a1").as_deref(), Some("ls -l"));
        assert_eq!((raw(&it, "tty"), raw(&it, "key"), raw(&it, "x")), (None, None, Some("open")));
    }

    #[test]
    fn the_second_level_and_its_old_spellings() {
        let it = pairs("user pid=1 msg='op=login acct=\"root\" addr=192.0.2.1 res=failed'\x1dUID=\"root\"");
        let inner = pairs(raw(&it, "msg").unwrap());
        assert_eq!((raw(&inner, "acct"), raw(&inner, "res")), (Some("root"), Some("failed")));
        assert_eq!(raw(&it, "UID"), Some("root"));
        let old = pairs(
            "PAM: accounting acct=root : exe=\"/usr/sbin/crond\" (hostname=?, addr=?, terminal=cron res=success)",
        );
        assert_eq!((raw(&old, "terminal"), raw(&old, "res"), raw(&old, "addr")), (Some("cron"), Some("success"), None));
    }

    #[test]
    fn nothing_panics_on_broken_pairs() {
        for body in ["=", "a=", "a=\"", "a='", "a=[", "a=[]", "é=é", "a=\"é", "'", "a=] ", "a=[x] b", "=\u{1d}="] {
            for pair in pairs(body) {
                let _ = decoded(&[pair], pair.key);
            }
        }
    }
}
