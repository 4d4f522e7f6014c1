//! text → pipelines of commands of words, near enough to shell for any text. Deliberately absent: the real grammar
//! (`shell`), expansion, and any judgement of what a word means (`command`).

use smallvec::SmallVec;

/// A word and what bytes it has. Offsets are into the lexed text.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Word {
    pub start: u32,
    pub end: u32,
    pub class: u16,
}

pub(crate) const DOT: u16 = 1;
pub(crate) const SLASH: u16 = 1 << 1;
pub(crate) const COLON: u16 = 1 << 2;
pub(crate) const AT: u16 = 1 << 3;
pub(crate) const BACKSLASH: u16 = 1 << 4;
pub(crate) const EQUALS: u16 = 1 << 5;
/// Blanks or operators; in a word, only inside quotes.
pub(crate) const SPACED: u16 = 1 << 6;
pub(crate) const QUOTED: u16 = 1 << 7;
/// `$(…)` or backquotes.
pub(crate) const SUBSTITUTION: u16 = 1 << 8;
/// 24 bytes or longer: may be a key, hash or wallet.
pub(crate) const LONG: u16 = 1 << 9;
/// The word follows `>`, `>>` or `&>`.
pub(crate) const OUT: u16 = 1 << 10;
/// The word follows `<`, `<<` or `<<<`.
pub(crate) const IN: u16 = 1 << 11;
pub(crate) const QUESTION: u16 = 1 << 12;
/// Ends a plain run of a word.
const STOP: u16 = 1 << 15;

static CLASS: [u16; 256] = {
    let mut table = [0u16; 256];
    let mut b = 0usize;
    while b < 256 {
        table[b] = match b as u8 {
            b'.' => DOT,
            b'/' => SLASH,
            b':' => COLON,
            b'@' => AT,
            b'=' => EQUALS,
            b'?' => QUESTION,
            b'\\' => BACKSLASH | STOP,
            b'"' | b'\'' => QUOTED | STOP,
            b'`' | b'$' => STOP,
            b' ' | b'\t' | b'\r' | b'\n' | b';' | b'|' | b'&' | b'(' | b')' | b'<' | b'>' | 0 => SPACED | STOP,
            _ => 0,
        };
        b += 1;
    }
    table
};

/// A simple command: some words, and the name before `(` that it is an argument of.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Command {
    pub first: u32,
    pub last: u32,
    pub call: Option<(u32, u32)>,
}

#[derive(Debug, Default)]
pub(crate) struct Pipeline {
    pub words: SmallVec<[Word; 32]>,
    pub commands: SmallVec<[Command; 6]>,
}

pub(crate) struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The text stood in quotes: `\n` is a line's end, `\"` a quote of the outer text.
    nested: bool,
    at_line_start: bool,
    /// Names before open parentheses.
    calls: SmallVec<[Option<(u32, u32)>; 8]>,
    /// No such quote follows: found out once, or a text full of apostrophes would cost its square.
    no_more: [bool; 4],
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str, nested: bool) -> Self {
        let bytes = text.as_bytes();
        // In a Windows path `\n` is the start of a name.
        let nested = nested && !memchr::memchr_iter(b':', bytes).any(|at| bytes.get(at + 1) == Some(&b'\\'));
        Self { bytes, at: 0, nested, at_line_start: true, calls: SmallVec::new(), no_more: [false; 4] }
    }

    /// Where the next pipeline will be read from.
    pub(crate) fn skip_to(&mut self, at: usize) {
        self.at = at.max(self.at).min(self.bytes.len());
    }

    /// Skips blanks and separators; where a line starts here, gives its offset.
    pub(crate) fn line_start(&mut self) -> Option<usize> {
        loop {
            match self.bytes.get(self.at)? {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\n' => {
                    self.at_line_start = true;
                    self.at += 1;
                }
                b'\\' if self.escaped_break() => {
                    self.at_line_start |= self.bytes[self.at + 1] != b't';
                    self.at += 2;
                }
                _ => return std::mem::take(&mut self.at_line_start).then_some(self.at),
            }
        }
    }

    fn escaped_break(&self) -> bool {
        self.nested && matches!(self.bytes.get(self.at + 1), Some(b'n' | b'r' | b't'))
    }

    /// Reads one pipeline into the cleared `into`; false at the end of the text.
    pub(crate) fn next(&mut self, into: &mut Pipeline) -> bool {
        into.words.clear();
        into.commands.clear();
        let mut first = 0;
        let mut redirect = 0u16;
        let bytes = self.bytes;
        while let Some(&byte) = bytes.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\r' | 0 => self.at += 1,
                b'\n' => {
                    self.at_line_start = true;
                    self.at += 1;
                    if self.end_command(into, &mut first) | !into.commands.is_empty() {
                        return true;
                    }
                }
                b';' => {
                    self.at += 1;
                    if self.end_command(into, &mut first) | !into.commands.is_empty() {
                        return true;
                    }
                }
                b'|' => {
                    self.at += 1;
                    let ended = self.end_command(into, &mut first);
                    if bytes.get(self.at) == Some(&b'|') {
                        self.at += 1;
                        if ended || !into.commands.is_empty() {
                            return true;
                        }
                    } else if bytes.get(self.at) == Some(&b'&') {
                        self.at += 1;
                    }
                }
                b'&' => {
                    self.at += 1;
                    match bytes.get(self.at) {
                        Some(b'>') => {} // &> file
                        next => {
                            if next == Some(&b'&') {
                                self.at += 1;
                            }
                            if self.end_command(into, &mut first) | !into.commands.is_empty() {
                                return true;
                            }
                        }
                    }
                }
                b'(' => {
                    let call =
                        into.words.last().filter(|it| it.end as usize == self.at && into.words.len() > first as usize);
                    let call = call.map(|it| (it.start, it.end)).or_else(|| self.calls.last().copied().flatten());
                    self.at += 1;
                    let ended = self.end_command(into, &mut first) || !into.commands.is_empty();
                    if self.calls.len() < MAX_CALLS {
                        self.calls.push(call);
                    }
                    if ended {
                        return true;
                    }
                }
                b')' => {
                    self.at += 1;
                    let ended = self.end_command(into, &mut first) || !into.commands.is_empty();
                    self.calls.pop();
                    if ended {
                        return true;
                    }
                }
                b'<' if self.is_tag() => {
                    let close = memchr::memchr(b'>', &bytes[self.at..]).map_or(bytes.len(), |it| self.at + it + 1);
                    self.at = close;
                    if self.end_command(into, &mut first) | !into.commands.is_empty() {
                        return true;
                    }
                }
                b'<' | b'>' => redirect = self.redirect(into, first),
                b'\\' if self.escaped_break() => {
                    let line = bytes[self.at + 1] != b't';
                    self.at += 2;
                    if line {
                        self.at_line_start = true;
                        if self.end_command(into, &mut first) | !into.commands.is_empty() {
                            return true;
                        }
                    }
                }
                b'\\' if matches!(bytes.get(self.at + 1), Some(b'\n')) => self.at += 2,
                b'\\' if self.nested && matches!(bytes.get(self.at + 1), Some(b'"' | b'\'')) => self.at += 2,
                _ => {
                    let mut word = self.word();
                    word.class |= std::mem::take(&mut redirect);
                    if into.words.len() < MAX_WORDS {
                        into.words.push(word);
                    } else if self.end_command(into, &mut first) {
                        return true;
                    }
                }
            }
        }
        self.end_command(into, &mut first) | !into.commands.is_empty()
    }

    fn end_command(&self, into: &mut Pipeline, first: &mut u32) -> bool {
        let last = into.words.len() as u32;
        if last == *first {
            return false;
        }
        into.commands.push(Command { first: *first, last, call: self.calls.last().copied().flatten() });
        *first = last;
        true
    }

    /// Takes `>`, `>>`, `2>&1`, `<<-`, `<>` …; what the next word then is.
    fn redirect(&mut self, into: &mut Pipeline, first: u32) -> u16 {
        let bytes = self.bytes;
        // the 2 of `2>`
        if into.words.len() > first as usize
            && let Some(word) = into.words.last()
            && word.end as usize == self.at
            && bytes[word.start as usize..self.at].iter().all(u8::is_ascii_digit)
        {
            into.words.pop();
        }
        // `=>` and `->` are code
        if bytes[self.at] == b'>' && self.at > 0 && matches!(bytes[self.at - 1], b'=' | b'-') {
            self.at += 1;
            return 0;
        }
        // `>=2.0.0.1` compares
        if bytes.get(self.at + 1) == Some(&b'=') {
            let number = bytes[self.at + 2..].iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
            self.at += 2 + number;
            return 0;
        }
        let mut out = false;
        while let Some(b'<' | b'>' | b'-' | b'|') = bytes.get(self.at) {
            // `->`, `=>` and comparisons are code, `<-` too; only `<<-` has a dash here
            if bytes[self.at] == b'|' && !out {
                break;
            }
            if bytes[self.at] == b'-' && bytes[self.at - 1] != b'<' || bytes[self.at] == b'<' && out {
                break;
            }
            out |= bytes[self.at] == b'>';
            self.at += 1;
        }
        if bytes.get(self.at) == Some(&b'&') {
            self.at += 1;
            let digits = bytes[self.at..].iter().take_while(|b| b.is_ascii_digit() || **b == b'-').count();
            if digits > 0 {
                self.at += digits;
                return 0;
            }
        }
        if bytes.get(self.at) == Some(&b'(') {
            return 0; // <(command)
        }
        if out { OUT } else { IN }
    }

    /// `<string>` or `</a href="x">`, as markup has it.
    fn is_tag(&self) -> bool {
        let rest = &self.bytes[self.at + 1..];
        if !matches!(rest.first(), Some(b'a'..=b'z' | b'A'..=b'Z' | b'/' | b'!' | b'?')) {
            return false;
        }
        let rest = &rest[..rest.len().min(200)];
        match rest.iter().position(|b| matches!(b, b'>' | b';' | b'|' | b'&' | b'\n' | b'<')) {
            // <user@host>
            Some(end) if rest[..end].contains(&b'@') && !rest[..end].contains(&b' ') => false,
            // an attribute may hold a URL
            Some(end) if rest[end] == b'>' && memchr::memmem::find(&rest[..end], b"://").is_some() => false,
            Some(end) => rest[end] == b'>' && !matches!(rest[end - usize::from(end > 0)], b' ' | b'\t' | b'-'),
            None => false,
        }
    }

    fn word(&mut self) -> Word {
        let bytes = self.bytes;
        let start = self.at;
        let mut class = 0u16;
        let mut at = start;
        loop {
            // four at a time: most words are longer
            while let Some(block) = bytes[at..].first_chunk::<4>() {
                let found = block.map(|byte| CLASS[byte as usize]);
                let all = found[0] | found[1] | found[2] | found[3];
                if all & STOP != 0 {
                    break;
                }
                class |= all;
                at += 4;
            }
            while let Some(found) = bytes.get(at).map(|byte| CLASS[*byte as usize]).filter(|it| it & STOP == 0) {
                class |= found;
                at += 1;
            }
            let Some(&byte) = bytes.get(at) else { break };
            match byte {
                b'"' | b'\'' => match self.closing_quote(at) {
                    Some(close) => {
                        class |= QUOTED;
                        for inner in &bytes[at + 1..close] {
                            class |= CLASS[*inner as usize];
                        }
                        at = close + 1;
                    }
                    None => at += 1,
                },
                b'`' => match self.find(b'`', 2, at + 1) {
                    Some(close) => {
                        class |= SUBSTITUTION;
                        at = close + 1;
                    }
                    None => at += 1,
                },
                b'$' => match bytes.get(at + 1) {
                    Some(b'(') => match self.closing_parenthesis(at + 1) {
                        Some(close) => {
                            class |= SUBSTITUTION;
                            at = close + 1;
                        }
                        None => {
                            at += 1;
                            if at > start + 1 {
                                break;
                            }
                        }
                    },
                    Some(b'{') => {
                        let close = bytes[at..].iter().take(MAX_BRACES).position(|b| *b == b'}');
                        let close = close.map_or(at + 2, |it| at + it + 1);
                        for inner in &bytes[at..close] {
                            class |= CLASS[*inner as usize] & !SPACED;
                        }
                        at = close;
                    }
                    _ => at += 1,
                },
                b'\\' => match bytes.get(at + 1) {
                    Some(b'\n' | b'\r') => break,
                    Some(b'n' | b'r' | b't' | b'"' | b'\'') if self.nested => break,
                    _ => {
                        class |= BACKSLASH;
                        at = next_char(bytes, at + 1);
                    }
                },
                // a URL with (brackets) in it
                b'(' if class & (COLON | SLASH) == COLON | SLASH
                    && memchr::memmem::find(&bytes[start.max(at.saturating_sub(MAX_BEFORE))..at], b"://").is_some()
                    && super::url::closed(&bytes[at..]).is_some() =>
                {
                    at += super::url::closed(&bytes[at..]).unwrap_or(1);
                }
                // `&` joins the parts of a query
                b'&' if class & QUESTION != 0
                    && bytes.get(at + 1).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_') =>
                {
                    at += 1;
                }
                _ => break,
            }
        }
        // Whatever it was, a word takes at least one character.
        if at == start {
            at = next_char(bytes, start);
        }
        self.at = at.min(bytes.len());
        if self.at - start >= 24 {
            class |= LONG;
        }
        Word { start: start as u32, end: self.at as u32, class: class & !STOP }
    }

    fn find(&mut self, byte: u8, slot: usize, from: usize) -> Option<usize> {
        if self.no_more[slot] {
            return None;
        }
        let found = self.bytes.get(from..).and_then(|rest| memchr::memchr(byte, rest)).map(|at| from + at);
        self.no_more[slot] = found.is_none();
        found
    }

    fn closing_quote(&mut self, at: usize) -> Option<usize> {
        let bytes = self.bytes;
        let quote = bytes[at];
        if quote == b'\'' {
            // don't, user's
            if at > 0
                && bytes[at - 1].is_ascii_alphanumeric()
                && matches!(bytes.get(at + 1), Some(b's' | b't' | b'r' | b'v' | b'l' | b'd' | b'm'))
                && bytes.get(at + 2).is_none_or(|b| !b.is_ascii_alphanumeric() || matches!(b, b'e' | b'l'))
            {
                return None;
            }
            return self.find(b'\'', 0, at + 1);
        }
        let mut from = at + 1;
        loop {
            let close = self.find(b'"', 1, from)?;
            let slashes = bytes[at + 1..close].iter().rev().take_while(|b| **b == b'\\').count();
            let ends_path = matches!(bytes.get(close + 1), None | Some(b' ')) && bytes.get(at + 2) == Some(&b':');
            if slashes.is_multiple_of(2) || ends_path {
                return Some(close);
            }
            from = close + 1;
        }
    }

    /// The `)` of the `(` at `open`.
    fn closing_parenthesis(&mut self, open: usize) -> Option<usize> {
        if self.no_more[3] {
            return None;
        }
        let mut depth = 0usize;
        let mut quote = 0u8;
        for (at, byte) in self.bytes.iter().enumerate().skip(open) {
            match byte {
                b'\'' | b'"' if quote == 0 => quote = *byte,
                b'\'' | b'"' if quote == *byte => quote = 0,
                b'(' if quote == 0 => depth += 1,
                b')' if quote == 0 => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(at);
                    }
                }
                _ => {}
            }
        }
        self.no_more[3] = true;
        None
    }
}

/// The boundary after the character that starts at `at`.
fn next_char(bytes: &[u8], at: usize) -> usize {
    let mut next = (at + 1).min(bytes.len());
    while next < bytes.len() && bytes[next] & 0xc0 == 0x80 {
        next += 1;
    }
    next
}

/// How far before a bracket a URL's `://` is looked for.
const MAX_BEFORE: usize = 512;
const MAX_CALLS: usize = 64;
/// More words than this in one pipeline are read as another one.
const MAX_WORDS: usize = 4096;
const MAX_BRACES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: &[&[&[&str]]]) {
        let mut lexer = Lexer::new(text, false);
        let mut pipeline = Pipeline::default();
        let mut got: Vec<Vec<Vec<&str>>> = Vec::new();
        while lexer.next(&mut pipeline) {
            let words = |it: &Command| {
                pipeline.words[it.first as usize..it.last as usize]
                    .iter()
                    .map(|it| &text[it.start as usize..it.end as usize])
                    .collect()
            };
            got.push(pipeline.commands.iter().map(words).collect());
        }
        assert_eq!(got, want, "{text}");
    }

    #[test]
    fn pipelines_commands_words() {
        check("cd /tmp; wget x|sh & ls", &[&[&["cd", "/tmp"]], &[&["wget", "x"], &["sh"]], &[&["ls"]]]);
        check("a && b || c\nd", &[&[&["a"]], &[&["b"]], &[&["c"]], &[&["d"]]]);
        check("sh -c 'a; b' 2>&1 >/tmp/x", &[&[&["sh", "-c", "'a; b'", "/tmp/x"]]]);
        check("kill $(ps | grep x)", &[&[&["kill", "$(ps | grep x)"]]]);
        check("u.open('x').read()", &[&[&["u.open"]], &[&["'x'"]], &[&[".read"]]]);
        check("<string>wget x</string>", &[&[&["wget", "x"]]]);
        check("curl http://h/?a=1&b=2 & ls", &[&[&["curl", "http://h/?a=1&b=2"]], &[&["ls"]]]);
        check("don't open \"it", &[&[&["don't", "open", "\"it"]]]);
        check("", &[]);
        check(" ;;|&() ", &[]);
    }

    #[test]
    fn a_call_is_remembered_for_its_arguments() {
        let text = "x.DownloadString('u')";
        let mut lexer = Lexer::new(text, false);
        let mut pipeline = Pipeline::default();
        assert!(lexer.next(&mut pipeline) && pipeline.commands[0].call.is_none());
        assert!(lexer.next(&mut pipeline));
        let (start, end) = pipeline.commands[0].call.unwrap();
        assert_eq!(&text[start as usize..end as usize], "x.DownloadString");
    }
}
