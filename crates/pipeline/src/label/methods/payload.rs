//! a line of input (raw request, URL, command, access log, NDJSON of any sensor) → the payload to be judged.
//!
//! Deliberately absent: decoding (`normalize`), and the collectors' own field tables, which logs in whole files take.

use std::borrow::Cow;

use serde_json::Value;

/// Fields of an object that are looked at, and how deep.
const MAX_FIELDS: usize = 512;
const MAX_DEPTH: usize = 6;

/// Names under which logs keep the parts of a request, lower case, the surest first.
const RAW: &[&str] = &["payload", "payload_printable", "raw_request", "raw", "request_raw", "http_request"];
const METHOD: &[&str] = &["method", "http_method", "request_method", "verb", "cs-method", "requestmethod"];
const TARGET: &[&str] = &[
    "uri",
    "url",
    "request_uri",
    "requesturi",
    "http_url",
    "original",
    "path",
    "target",
    "cs-uri-stem",
    "request_url",
    "full",
    "uri_path",
    "request_path",
];
const QUERY: &[&str] = &["query", "query_string", "querystring", "cs-uri-query", "uri_query", "args"];
const BODY: &[&str] = &[
    "body",
    "request_body",
    "http_request_body",
    "http_request_body_printable",
    "post_data",
    "postdata",
    "post_body",
    "content",
    "data",
    "requestbody",
];
const HEADERS: &[(&str, &[&str])] = &[
    ("Host", &["host", "hostname", "http_host", "cs-host"]),
    ("User-Agent", &["user_agent", "useragent", "http_user_agent", "cs(user-agent)", "user-agent"]),
    ("Referer", &["referer", "referrer", "http_referer", "http_refer", "cs(referer)"]),
    ("Cookie", &["cookie", "cookies", "cs(cookie)"]),
    ("Content-Type", &["content_type", "http_content_type", "request_content_type"]),
    ("X-Forwarded-For", &["x_forwarded_for", "xff", "http_x_forwarded_for"]),
];
const ALL_HEADERS: &[&str] = &["headers", "request_headers", "http_headers", "header"];

/// The payload in one line of input. Of an object that has no known field the text itself is the payload.
pub fn payload_of_line(line: &str) -> Cow<'_, str> {
    let text = line.trim();
    if text.starts_with('{')
        && let Ok(value) = serde_json::from_str::<Value>(text)
    {
        return of_object(&value).map_or(Cow::Borrowed(line), Cow::Owned);
    }
    // A raw request on one line: its line breaks are written out.
    if text.contains("\\r\\n") {
        Cow::Owned(text.replace("\\r\\n", "\r\n"))
    } else if text.contains("\\n") && text.contains(" HTTP/") && starts_with_verb(text) {
        Cow::Owned(text.replace("\\n", "\n"))
    } else {
        Cow::Borrowed(line)
    }
}

fn starts_with_verb(text: &str) -> bool {
    let verb = text.split(' ').next().unwrap_or("");
    (3..=9).contains(&verb.len()) && verb.bytes().all(|b| b.is_ascii_uppercase())
}

fn of_object(object: &Value) -> Option<String> {
    let fields = fields(object);
    let string = |names: &[&str]| {
        names.iter().find_map(|name| {
            let found = fields.iter().find(|(key, value)| key == name && value.is_string());
            found.and_then(|(_, value)| value.as_str())
        })
    };
    if let Some(raw) = string(RAW) {
        return Some(raw.to_owned());
    }
    let method = string(METHOD).filter(|it| starts_with_verb(&it.to_ascii_uppercase()));
    let target = string(TARGET)?;
    // A payload may well be an object with a `url` in it: then the whole of it counts too.
    let mut out = format!("{} {target}", method.unwrap_or("GET"));
    if let Some(query) = string(QUERY).filter(|it| !it.is_empty() && !target.contains('?')) {
        out.push('?');
        out.push_str(query.trim_start_matches('?'));
    }
    out.push_str(" HTTP/1.1");
    for (header, names) in HEADERS {
        if let Some(value) = string(names) {
            line(&mut out, header, value);
        }
    }
    for headers in ALL_HEADERS.iter().flat_map(|name| fields.iter().filter(move |(key, _)| key == name)) {
        write_headers(&mut out, headers.1);
    }
    out.push_str("\r\n\r\n");
    match BODY.iter().find_map(|name| fields.iter().find(|(key, _)| key == name)) {
        Some((_, Value::String(body))) => out.push_str(body),
        Some((_, body @ (Value::Object(_) | Value::Array(_)))) => out.push_str(&body.to_string()),
        _ => {}
    }
    if method.is_none() {
        out.push('\n');
        out.push_str(&object.to_string());
    }
    Some(out)
}

fn line(out: &mut String, name: &str, value: &str) {
    out.push_str("\r\n");
    out.push_str(name);
    out.push_str(": ");
    out.push_str(value);
}

fn write_headers(out: &mut String, headers: &Value) {
    match headers {
        Value::String(text) => {
            out.push_str("\r\n");
            out.push_str(text);
        }
        Value::Object(map) => {
            for (name, value) in map.iter().take(MAX_FIELDS) {
                match value {
                    Value::String(value) => line(out, name, value),
                    Value::Array(values) => {
                        values.iter().take(8).filter_map(Value::as_str).for_each(|value| line(out, name, value));
                    }
                    _ => {}
                }
            }
        }
        Value::Array(list) => {
            for it in list.iter().take(MAX_FIELDS) {
                match (it.get("name").and_then(Value::as_str), it.get("value").and_then(Value::as_str)) {
                    (Some(name), Some(value)) => line(out, name, value),
                    _ => {
                        if let Some(text) = it.as_str() {
                            out.push_str("\r\n");
                            out.push_str(text);
                        }
                    }
                }
            }
        }
        _ => {}
    }
}

/// (name without what it stands under, value), the outermost first. Not into headers or a body: their names are free.
fn fields(object: &Value) -> Vec<(String, &Value)> {
    let mut found: Vec<(String, &Value)> = Vec::new();
    let mut level = vec![object];
    for _ in 0..MAX_DEPTH {
        let mut next = Vec::new();
        for map in level.into_iter().filter_map(Value::as_object) {
            for (key, value) in map {
                if found.len() >= MAX_FIELDS {
                    return found;
                }
                let name = key.rsplit('.').next().unwrap_or(key).to_ascii_lowercase();
                if value.is_object() && !ALL_HEADERS.contains(&name.as_str()) && !BODY.contains(&name.as_str()) {
                    next.push(value);
                }
                found.push((name, value));
            }
        }
        level = next;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_however_a_log_keeps_it() {
        let expect = "POST /run HTTP/1.1\r\nHost: a.test\r\n\r\nx=1";
        for line in [
            r"POST /run HTTP/1.1\r\nHost: a.test\r\n\r\nx=1",
            r#"{"payload":"POST /run HTTP/1.1\r\nHost: a.test\r\n\r\nx=1"}"#,
            r#"{"method":"POST","uri":"/run","headers":{"Host":"a.test"},"body":"x=1"}"#,
            r#"{"event_type":"http","http":{"hostname":"a.test","http_method":"POST","url":"/run","http_request_body_printable":"x=1"}}"#,
            r#"{"http.request.method":"POST","url.original":"/run","host":"a.test","http.request.body.content":"x=1"}"#,
            r#"{"request":{"method":"POST","url":"/run","headers":[{"name":"Host","value":"a.test"}],"body":"x=1"}}"#,
        ] {
            assert_eq!(payload_of_line(line), expect, "{line}");
        }
    }

    #[test]
    fn what_is_no_log_stays_as_it_is() {
        for line in ["", "wget http://192.0.2.1/a", r#"{"size":1,"script":"x"}"#, "{", "\u{0}", r"C:\new\table"] {
            assert_eq!(payload_of_line(line), line);
        }
        assert_eq!(payload_of_line(r"GET / HTTP/1.1\nHost: a"), "GET / HTTP/1.1\nHost: a");
        let own = payload_of_line(r#"{"params":{"url":"http://a.test/","_template":"b"}}"#).into_owned();
        assert!(own.contains("\"_template\""), "{own}");
    }

    #[test]
    fn depth_and_number_are_bounded() {
        let deep = "{\"a\":".repeat(60) + "{\"uri\":\"/x\"}" + &"}".repeat(60);
        assert_eq!(payload_of_line(&deep), deep);
        let wide =
            serde_json::Value::Object((0..5000).map(|n| (format!("k{n}"), Value::from(n))).collect()).to_string();
        assert_eq!(payload_of_line(&wide), wide);
    }
}
