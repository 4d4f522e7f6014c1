//! Bytes from the wire → text fields: payloads, HTTP requests, times of JSON records.
//!
//! Deliberately absent: strictness. What attackers send is seldom well formed, and is kept as it came.

use std::borrow::Cow;

use ringleader_model::{Activity, Event, EventClass, Field, Malformed, Timestamp};
use serde_json::Value;

use super::SourceContext;
use super::json::any;

/// The longest text that a field keeps of a payload, request, or command; the rest stays in the raw record.
pub(crate) const MAX_TEXT: usize = 64 << 10;
/// The most header lines that one request may have; the rest is taken for its body.
const MAX_HEADERS: usize = 256;

/// An event with the time that the first of the keys gives, as text, or as seconds, milliseconds … since 1970.
pub(crate) fn event_at<'a>(
    class: EventClass,
    activity: Activity,
    it: &Value,
    keys: &[&str],
    context: &SourceContext,
) -> Result<Event<'a>, Malformed> {
    let mut event = Event::new(class, activity);
    let text = any(it, keys).ok_or(Malformed::new("missing time"))?;
    let (time, offset) = parse_time(&text, context).ok_or_else(|| super::plain::bad_time(&text))?;
    (event.time, event.utc_offset_minutes) = (Some(time), offset);
    Ok(event)
}

pub(crate) fn parse_time(text: &str, context: &SourceContext) -> Option<(Timestamp, Option<i16>)> {
    Timestamp::parse(text, &context.times)
        .or_else(|| Timestamp::parse_clf(text))
        .or_else(|| Timestamp::from_epoch_text(text.trim()).map(|time| (time, Some(0))))
}

/// The text, cut at `MAX_TEXT`.
pub(crate) fn cap<'a>(text: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
    match text.into() {
        text if text.len() <= MAX_TEXT => text,
        Cow::Borrowed(text) => Cow::Borrowed(&text[..text.floor_char_boundary(MAX_TEXT)]),
        Cow::Owned(mut text) => {
            text.truncate(text.floor_char_boundary(MAX_TEXT));
            Cow::Owned(text)
        }
    }
}

/// A payload as text: what is no printable UTF-8 becomes `\xNN`. A backslash stands for itself, so that shell
/// text in a payload stays as it was sent. Line breaks and tabs are kept.
pub(crate) fn printable(bytes: &[u8]) -> Cow<'_, str> {
    use std::fmt::Write as _;
    let shown = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
    if let Ok(text) = std::str::from_utf8(bytes)
        && text.chars().all(shown)
    {
        return cap(text);
    }
    // A byte becomes at most four, so this much is enough to fill the field.
    let bytes = &bytes[..bytes.len().min(MAX_TEXT)];
    let mut out = String::with_capacity(bytes.len() * 2);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if shown(c) {
                out.push(c);
            } else {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(out, "\\x{byte:02x}");
                }
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    cap(out)
}

/// One HTTP request as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HttpRequest<'a> {
    pub(crate) method: &'a [u8],
    pub(crate) target: &'a [u8],
    /// The header lines, without the blank one.
    pub(crate) headers: &'a [u8],
    pub(crate) body: &'a [u8],
    /// How many bytes of the input the request takes.
    pub(crate) length: usize,
}

impl<'a> HttpRequest<'a> {
    /// The request at the front of the bytes, up to the next one. `None`: no request line stands there.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let line_end = line_end(bytes, 0);
        let (method, target) = request_line(&bytes[..line_end])?;
        let mut at = line_end;
        let mut body = bytes.len();
        let mut lines = 0;
        let mut header_end = bytes.len();
        while at < bytes.len() {
            let next = self::line_end(bytes, at);
            if bytes[at..next].trim_ascii().is_empty() || lines == MAX_HEADERS {
                (header_end, body) = (at, if lines == MAX_HEADERS { at } else { next });
                break;
            }
            // A request without a blank line behind it, and the next one.
            if request_line(&bytes[at..next]).is_some() {
                (header_end, body) = (at, at);
                break;
            }
            lines += 1;
            at = next;
        }
        let headers = &bytes[line_end.min(header_end)..header_end];
        let end = body_end(bytes, body, headers);
        Some(Self { method, target, headers, body: &bytes[body..end], length: end })
    }

    /// Whether the first bytes can be those of a request: so far, a method.
    pub(crate) fn may_start(bytes: &[u8]) -> bool {
        let method = &bytes[..memchr::memchr(b' ', &bytes[..bytes.len().min(33)]).unwrap_or(bytes.len())];
        method.len() <= 32 && method.iter().all(|it| it.is_ascii_uppercase() || matches!(it, b'-' | b'_'))
    }

    /// The first header of that name, without surrounding space.
    pub(crate) fn header(&self, name: &str) -> Option<&'a [u8]> {
        header(self.headers, name)
    }

    /// Sets the fields of an event.
    pub(crate) fn fill<'e>(&self, event: &mut Event<'e>)
    where
        'a: 'e,
    {
        event.set(Field::Method, printable(self.method));
        event.set(Field::Url, printable(self.target));
        event.set(Field::HttpHost, self.header("host").map(printable));
        event.set(Field::UserAgent, self.header("user-agent").map(printable));
        event.set(Field::Referrer, self.header("referer").map(printable));
        event.set(Field::Headers, printable(self.headers.trim_ascii_end()));
        event.set(Field::Body, printable(self.body));
    }
}

fn header<'a>(headers: &'a [u8], name: &str) -> Option<&'a [u8]> {
    headers.split(|it| *it == b'\n').find_map(|line| {
        let colon = memchr::memchr(b':', line)?;
        line[..colon].trim_ascii().eq_ignore_ascii_case(name.as_bytes()).then(|| line[colon + 1..].trim_ascii())
    })
}

/// `METHOD target HTTP/1.1`. The target may hold spaces and any bytes: exploits do.
pub(crate) fn request_line(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.trim_ascii_end();
    let space = memchr::memchr(b' ', &line[..line.len().min(33)])?;
    let method = &line[..space];
    let named = space > 1 && method.iter().all(|it| it.is_ascii_uppercase() || matches!(it, b'-' | b'_'));
    let version = memchr::memrchr(b' ', line).filter(|at| *at > space)?;
    let versioned = line[version + 1..].len() >= 6 && line[version + 1..version + 6].eq_ignore_ascii_case(b"HTTP/");
    (named && versioned).then(|| (method, line[space..version].trim_ascii()))
}

/// Where a request's body ends. `Content-Length` counts where the next request, or nothing, follows; where it
/// lies (a file whose line breaks were changed, a smuggled request), the next request line ends the body.
fn body_end(bytes: &[u8], body: usize, headers: &[u8]) -> usize {
    let told = header(headers, "content-length").and_then(|it| std::str::from_utf8(it).ok()?.parse::<usize>().ok());
    let told = told.and_then(|it| body.checked_add(it)).filter(|it| *it <= bytes.len());
    if let Some(end) = told.filter(|it| starts_request(&bytes[*it..])) {
        return end;
    }
    let mut at = body;
    while at < bytes.len() {
        let next = line_end(bytes, at);
        if request_line(&bytes[at..next]).is_some() {
            return at;
        }
        at = next;
    }
    bytes.len()
}

/// Whether a request, or nothing, stands there. Looks no further than it must: a million lying lengths may all
/// point to the same long line.
fn starts_request(bytes: &[u8]) -> bool {
    let blank = bytes.iter().take(64).take_while(|it| it.is_ascii_whitespace()).count();
    let near = &bytes[blank..];
    let may = HttpRequest::may_start(near) && near.len() > 2;
    near.is_empty() || (may && request_line(&near[..line_end(&near[..near.len().min(MAX_TEXT)], 0)]).is_some())
}

/// The start of the next line.
fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |it| at + it + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &[u8], expect: &[(&str, &str, &str)]) {
        let mut at = 0;
        let mut got = Vec::new();
        while let Some(request) = HttpRequest::parse(input[at..].trim_ascii_start()) {
            at = input.len() - input[at..].trim_ascii_start().len() + request.length;
            let [method, target, body] = [request.method, request.target, request.body].map(printable);
            got.push((method.into_owned(), target.into_owned(), body.trim_end().to_owned()));
        }
        let expect: Vec<_> =
            expect.iter().map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned())).collect();
        assert_eq!(got, expect, "{}", printable(input));
    }

    #[test]
    fn requests_follow_each_other() {
        check(
            b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nx=1GET /b HTTP/1.0\r\n\r\n",
            &[("POST", "/a", "x=1"), ("GET", "/b", "")],
        );
        check(b"GET /a HTTP/1.1\nHost: a\nGET /b HTTP/1.1\n", &[("GET", "/a", ""), ("GET", "/b", "")]);
    }

    #[test]
    fn a_content_length_that_lies_is_not_believed() {
        for length in ["99", "1", "-1", "99999999999999999999", "x"] {
            check(
                format!("POST /a HTTP/1.1\nContent-Length: {length}\n\nx=12\n\nGET /b HTTP/1.1\n").as_bytes(),
                &[("POST", "/a", "x=12"), ("GET", "/b", "")],
            );
        }
    }

    #[test]
    fn targets_keep_their_spaces_and_bytes() {
        check(b"GET /sh?cd /tmp;wget x\xff HTTP/1.1", &[("GET", r"/sh?cd /tmp;wget x\xff", "")]);
        check(b"\x16\x03\x01 GET / HTTP/1.1", &[]);
        check(b"get / HTTP/1.1", &[]);
        check(b"", &[]);
    }

    #[test]
    fn payloads_become_text() {
        assert_eq!(printable(b"a\\b\x00\xc3\xa4\xff\n"), "a\\b\\x00\u{e4}\\xff\n");
        assert_eq!(printable(&vec![b'\x01'; MAX_TEXT * 2]).len(), MAX_TEXT);
        assert!(cap("\u{e4}".repeat(MAX_TEXT)).len() <= MAX_TEXT);
    }
}
