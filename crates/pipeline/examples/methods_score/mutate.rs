//! a payload → the same attack sent in other ways: encoded, reordered, padded, cut, logged.
//!
//! Only what leaves the attack the same to the server, or to whoever logs it, is varied.

use super::cases::Case;

pub(super) struct Varied {
    pub(super) kind: &'static str,
    pub(super) text: String,
    /// Whether what shows the method may still be there: a log without bodies can lose it.
    pub(super) whole: bool,
}

const VERBS: &[&str] = &["GET", "POST", "PUT", "HEAD", "MOVE", "DELETE", "PATCH", "OPTIONS"];

#[derive(Clone)]
struct Request {
    verb: String,
    path: String,
    query: Option<String>,
    headers: Vec<(String, String)>,
    body: String,
}

impl Request {
    fn parse(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let mut words = lines.next()?.splitn(2, ' ');
        let verb = words.next().filter(|it| VERBS.contains(it))?.to_owned();
        let target = words.next()?;
        let target = target.rsplit_once(" HTTP/").map_or(target, |it| it.0);
        let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let headers = lines.filter_map(|it| it.split_once(": ")).map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
        Some(Self { verb, path: path.to_owned(), query: query.map(str::to_owned), headers, body: body.to_owned() })
    }

    fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|it| it.0.eq_ignore_ascii_case(name)).map(|it| it.1.as_str())
    }

    fn write(&self, version: &str, newline: &str) -> String {
        let mut out = format!("{} {} {version}", self.verb, self.target());
        for (name, value) in &self.headers {
            out += newline;
            out += &format!("{name}: {value}");
        }
        out + newline + newline + &self.body
    }

    fn is_form(&self) -> bool {
        !self.body.is_empty()
            && self.body.contains('=')
            && !self.body.trim_start().starts_with(['{', '<', '[', '-'])
            && !self.body.contains('\n')
    }
}

/// `%hh` for all but letters, digits and what separates parameters; with `all` letters too, in mixed case.
pub(super) fn percent(text: &str, all: bool) -> String {
    let mut out = String::new();
    for (at, byte) in text.bytes().enumerate() {
        let kept = if all {
            b"/?&=+%;".contains(&byte)
        } else {
            byte.is_ascii_alphanumeric() || b"-_.~/?&=+%;".contains(&byte)
        };
        if kept {
            out.push(char::from(byte));
        } else if at % 2 == 0 {
            out += &format!("%{byte:02x}");
        } else {
            out += &format!("%{byte:02X}");
        }
    }
    // What was encoded already stays as it is.
    if all { text_with_escapes(text, &out) } else { out }
}

/// Encoding letters would spoil `%2e`: such a text is left.
fn text_with_escapes(text: &str, encoded: &str) -> String {
    if text.contains('%') { text.to_owned() } else { encoded.to_owned() }
}

fn reversed(parameters: &str) -> Option<String> {
    let parts: Vec<&str> = parameters.split('&').collect();
    let plain = parts.len() > 1 && parts.iter().all(|it| it.contains('='));
    plain.then(|| parts.into_iter().rev().collect::<Vec<_>>().join("&"))
}

/// Behind the first part of the path.
fn after_first(path: &str, put: &str) -> Option<String> {
    let at = path.strip_prefix('/')?.find('/')? + 1;
    Some(format!("{}{put}{}", &path[..at], &path[at..]))
}

pub(super) fn all(case: &Case) -> Vec<Varied> {
    let mut out = Vec::new();
    let mut add = |kind, text: Option<String>, whole| {
        if let Some(text) = text {
            out.push(Varied { kind, text, whole });
        }
    };
    for seed in 1..=3 {
        add("other choices", Some(case.text(seed)), true);
    }
    let text = case.text(7);
    let Some(request) = Request::parse(&text) else {
        raw(&text, &mut add);
        return out;
    };
    let with = |change: &dyn Fn(&mut Request) -> Option<()>| {
        let mut other = request.clone();
        change(&mut other).map(|()| other.write("HTTP/1.1", "\r\n"))
    };
    add("line feeds alone", Some(request.write("HTTP/1.1", "\n")), true);
    add("one line, escaped", Some(request.write("HTTP/1.1", "\\r\\n")), true);
    add("HTTP/1.0", Some(request.write("HTTP/1.0", "\r\n")), true);
    add("HTTP/2 in the log", Some(request.write("HTTP/2.0", "\r\n")), true);
    let host = request.header("Host").unwrap_or("192.0.2.80:8443").to_owned();
    add(
        "absolute URI",
        with(&|it| {
            it.path = format!("http://{host}{}", it.path);
            Some(())
        }),
        true,
    );
    add(
        "encoded",
        with(&|it| {
            it.path = percent(&it.path, false);
            it.query = it.query.as_deref().map(|it| percent(it, false));
            if it.is_form() {
                it.body = percent(&it.body, false);
            }
            Some(())
        }),
        true,
    );
    add(
        "all encoded, mixed hex",
        with(&|it| {
            it.path = percent(&it.path, true);
            it.query = it.query.as_deref().map(|it| percent(it, true));
            if it.is_form() {
                it.body = percent(&it.body, true);
            }
            Some(())
        }),
        true,
    );
    add(
        "encoded twice",
        with(&|it| {
            it.path = percent(&it.path, true).replace('%', "%25");
            it.query = it.query.as_deref().map(|it| percent(it, false).replace('%', "%25"));
            Some(())
        }),
        true,
    );
    add(
        "names of headers in lower case",
        with(&|it| {
            for header in &mut it.headers {
                header.0.make_ascii_lowercase();
            }
            Some(())
        }),
        true,
    );
    if case.any_case {
        add(
            "path in upper case",
            with(&|it| {
                it.path.make_ascii_uppercase();
                Some(())
            }),
            true,
        );
    }
    add(
        "parameters turned round",
        with(&|it| {
            let query = it.query.as_deref().and_then(reversed);
            let form = it.is_form().then(|| reversed(&it.body)).flatten();
            if query.is_none() && form.is_none() {
                return None;
            }
            if query.is_some() {
                it.query = query;
            }
            if let Some(form) = form {
                it.body = form;
            }
            Some(())
        }),
        true,
    );
    add(
        "JSON written anew",
        with(&|it| {
            it.body = json(&it.body)?.0;
            Some(())
        }),
        true,
    );
    add(
        "JSON with blanks",
        with(&|it| {
            it.body = json(&it.body)?.1;
            Some(())
        }),
        true,
    );
    add(
        "junk headers",
        with(&|it| {
            it.headers.insert(0, ("X-Forwarded-For".to_owned(), "198.51.100.99".to_owned()));
            it.headers.push(("Accept-Language".to_owned(), "en-US,en;q=0.5".to_owned()));
            it.headers.push(("Cookie".to_owned(), "_ga=GA1.2.33.44; theme=dark".to_owned()));
            it.headers
                .push(("User-Agent".to_owned(), "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101".to_owned()));
            Some(())
        }),
        true,
    );
    add(
        "junk parameters",
        with(&|it| {
            it.query = match it.query.take() {
                Some(query) if query.contains('=') && !query.starts_with(['-', '%', '+']) => {
                    Some(format!("v=9&{query}&utm_source=a&t=17"))
                }
                Some(_) => return None,
                None => Some("utm_source=a&t=17".to_owned()),
            };
            if it.is_form() {
                it.body = format!("z9=1&{}&zz=3", it.body);
            }
            Some(())
        }),
        true,
    );
    add(
        "/./",
        with(&|it| {
            it.path = after_first(&it.path, "/.")?;
            Some(())
        }),
        true,
    );
    add(
        "//",
        with(&|it| {
            it.path = after_first(&it.path, "/")?;
            Some(())
        }),
        true,
    );
    add(
        ";x in the path",
        with(&|it| {
            // Behind a step up it would be another path.
            if it.path.contains("..") || it.path.to_ascii_lowercase().contains("%2") || it.path.contains("%%") {
                return None;
            }
            it.path = after_first(&it.path, ";x=1")?;
            Some(())
        }),
        true,
    );
    add(
        "/a/../",
        with(&|it| {
            it.path = format!("/a/..{}", it.path);
            Some(())
        }),
        true,
    );
    if !request.body.is_empty() {
        add(
            "chunked",
            with(&|it| {
                it.headers.retain(|it| !it.0.eq_ignore_ascii_case("Content-Length"));
                it.headers.push(("Transfer-Encoding".to_owned(), "chunked".to_owned()));
                it.body = chunked(&it.body);
                Some(())
            }),
            true,
        );
        add(
            "without its body",
            with(&|it| {
                it.body.clear();
                Some(())
            }),
            false,
        );
    }
    let agent = request.header("User-Agent").unwrap_or("-");
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    add(
        "access log",
        Some(format!(
            "198.51.100.200 - - [04/Mar/2024:09:12:44 +0000] \"{} {} HTTP/1.1\" 404 153 \"{}\" \"{}\"",
            request.verb,
            quoted(&request.target()),
            quoted(request.header("Referer").unwrap_or("-")),
            quoted(agent),
        )),
        false,
    );
    let headers: serde_json::Map<String, serde_json::Value> =
        request.headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    add("fields of JSON", Some(serde_json::json!({
        "ts": "2024-03-04T09:12:44Z", "src_ip": "198.51.100.200", "method": request.verb, "uri": request.target(),
        "headers": headers, "body": request.body, "status": 404,
    }).to_string()), true);
    add("payload in JSON", Some(serde_json::json!({"payload": request.write("HTTP/1.1", "\r\n")}).to_string()), true);
    add("curl", curl(&request, &host), true);
    out
}

fn raw(text: &str, add: &mut dyn FnMut(&'static str, Option<String>, bool)) {
    add("payload in JSON", Some(serde_json::json!({"payload": text, "dst_port": 6379}).to_string()), true);
    add("line breaks of a terminal", Some(text.replace('\n', "\r\n")), true);
    add("one line, escaped", Some(text.replace('\n', "\\r\\n")), true);
}

/// In the order of the names, close together; and with blanks.
fn json(body: &str) -> Option<(String, String)> {
    let value: serde_json::Value = serde_json::from_str(body).ok()?;
    // A name given twice is the exploit of some, and would be lost.
    let marks = |text: &str| text.bytes().filter(|&it| it == b'"').count();
    let whole = value.is_object() && marks(&value.to_string()) >= marks(body);
    whole.then(|| (value.to_string(), serde_json::to_string_pretty(&value).unwrap_or_default()))
}

fn chunked(body: &str) -> String {
    let mut out = String::new();
    let mut rest = body;
    let mut size = 7;
    while !rest.is_empty() {
        let at = rest.ceil_char_boundary(size.min(rest.len()));
        out += &format!("{at:x}\r\n{}\r\n", &rest[..at]);
        rest = &rest[at..];
        size = size * 3 % 41 + 5;
    }
    out + "0\r\n\r\n"
}

fn curl(request: &Request, host: &str) -> Option<String> {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let mut out = format!("curl -sk -X {} {}", request.verb, quoted(&format!("http://{host}{}", request.target())));
    for (name, value) in request.headers.iter().filter(|it| !it.0.eq_ignore_ascii_case("Content-Length")) {
        out += &format!(" -H {}", quoted(&format!("{name}: {value}")));
    }
    if !request.body.is_empty() {
        out += &format!(" --data-raw {}", quoted(&request.body));
    }
    (!request.body.contains('\n')).then_some(out)
}
