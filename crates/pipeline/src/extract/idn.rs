//! names in other scripts → Punycode, as DNS and its logs have them: so a look-alike shows. Deliberately absent:
//! case folding beyond one-to-one, and any judgement of scripts.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::host;

/// Writes each dotted name that has letters beyond ASCII the way DNS has it. Borrowed where there is none.
pub(super) fn to_ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut out = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = bytes[at..].iter().position(|b| !b.is_ascii()) {
        let odd = at + found;
        // In a URL any script may be a host's; alone, text without spaces between words would run into the name.
        let head = bytes[..odd].iter().rev().take(MAX_NAME).take_while(|b| is_name_byte(**b)).count();
        let mut start = odd - head;
        let in_url = bytes[..start].ends_with(b"://") || bytes[..start].ends_with(b"@");
        let joins = |c: char| {
            c.is_ascii_alphanumeric()
                || matches!(c, '-' | '.')
                || !c.is_ascii() && c.is_alphabetic() && (in_url || c < '\u{590}')
        };
        let end =
            text[odd..].char_indices().take(MAX_NAME).find(|(_, c)| !joins(*c)).map_or(text.len(), |(at, _)| odd + at);
        let end = if end - start > MAX_NAME { text.floor_char_boundary(start + MAX_NAME) } else { end };
        start += text[start..end].len() - text[start..end].trim_start_matches(['.', '-']).len();
        if let Some(name) = text.get(start..end).map(|it| it.trim_end_matches(['.', '-']))
            && name.contains('.')
            && let Some(plain) = name_to_ascii(name)
            && host::is_domain(&plain)
        {
            out.push_str(&text[copied..start]);
            out.push_str(&plain);
            copied = start + name.len();
        }
        at = end.max(odd + text[odd..].chars().next().map_or(1, char::len_utf8)).max(copied);
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')
}

/// Of a name, in bytes as written.
const MAX_NAME: usize = 253;
/// Of a label, in characters: longer ones fit no DNS name, and encoding costs their square.
const MAX_LABEL: usize = 63;

fn name_to_ascii(name: &str) -> Option<String> {
    let mut out = String::with_capacity(name.len() + 8);
    for (at, label) in name.split('.').enumerate() {
        if at > 0 {
            out.push('.');
        }
        if label.is_ascii() {
            out.push_str(label);
        } else {
            let _ = write!(out, "xn--{}", punycode(label)?);
        }
    }
    Some(out)
}

/// RFC 3492, section 6.3.
fn punycode(label: &str) -> Option<String> {
    let chars: Vec<u32> = label.chars().flat_map(char::to_lowercase).map(u32::from).take(MAX_LABEL + 1).collect();
    if chars.len() > MAX_LABEL {
        return None;
    }
    let mut out: String = chars.iter().filter(|c| **c < 0x80).filter_map(|c| char::from_u32(*c)).collect();
    let basic = out.len() as u32;
    if basic > 0 {
        out.push('-');
    }
    let (mut n, mut delta, mut bias, mut done) = (0x80u32, 0u32, 72u32, basic);
    while (done as usize) < chars.len() {
        let next = chars.iter().copied().filter(|c| *c >= n).min()?;
        delta = delta.checked_add((next - n).checked_mul(done + 1)?)?;
        n = next;
        for c in &chars {
            delta += u32::from(*c < n);
            if *c == n {
                let mut q = delta;
                let mut k = 36;
                loop {
                    let t = k.max(bias + 1).saturating_sub(bias).clamp(1, 26);
                    if q < t {
                        break;
                    }
                    out.push(digit(t + (q - t) % (36 - t)));
                    q = (q - t) / (36 - t);
                    k += 36;
                }
                out.push(digit(q));
                bias = adapt(delta, done + 1, done == basic);
                delta = 0;
                done += 1;
            }
        }
        (delta, n) = (delta + 1, n + 1);
    }
    Some(out)
}

fn digit(value: u32) -> char {
    char::from(if value < 26 { b'a' + value as u8 } else { b'0' + (value - 26) as u8 })
}

fn adapt(delta: u32, points: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / points;
    let mut k = 0;
    while delta > 455 {
        delta /= 35;
        k += 36;
    }
    k + 36 * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_as_dns_has_it() {
        for (text, want) in [
            ("http://bücher.example/x", "http://xn--bcher-kva.example/x"),
            ("curl http://\u{435}vil.example.com/x", "curl http://xn--vil-qdd.example.com/x"),
            ("http://例え.example/", "http://xn--r8jz45g.example/"),
            ("visit bücher.example.", "visit xn--bcher-kva.example."),
            ("BÜCHER.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(to_ascii(text), want, "{text}");
        }
    }

    #[test]
    fn what_is_no_name_stays() {
        for text in
            ["für alles", "主机evil.example下载", "a.ü", "ü.", "…", "é", "http://evil.example/文", "x\u{202e}gpj.exe"]
        {
            assert_eq!(to_ascii(text), text, "{text}");
        }
        let long = "ü".repeat(5_000) + ".example";
        let _ = to_ascii(&long);
    }
}
