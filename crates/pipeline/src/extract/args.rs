//! words → options and their values. Deliberately absent: which options a program has.

use super::lex::{self, Word};

/// The arguments of one command, in order.
#[derive(Clone)]
pub(super) struct Args<'a> {
    pub(super) text: &'a str,
    pub(super) words: &'a [Word],
    pub(super) at: usize,
    pub(super) last: usize,
}

impl<'a> Args<'a> {
    pub(super) fn peek(&self) -> Option<&'a Word> {
        self.words.get(self.at).filter(|_| self.at < self.last)
    }
    /// The text of all that is left.
    pub(super) fn rest(&self) -> Option<&'a str> {
        let first = self.peek()?;
        let last = self.words.get(self.last - 1)?;
        self.text.get(first.start as usize..last.end as usize)
    }
}

impl Iterator for Args<'_> {
    type Item = Word;
    fn next(&mut self) -> Option<Word> {
        let word = self.peek().copied();
        self.at += usize::from(word.is_some());
        word
    }
}

/// The word without quotes around it.
pub(super) fn bare(text: &str, word: Word) -> &str {
    let whole = &text[word.start as usize..word.end as usize];
    if word.class & lex::QUOTED == 0 {
        return whole;
    }
    for quote in ['"', '\''] {
        if let Some(inner) = whole.strip_prefix(quote).and_then(|it| it.strip_suffix(quote)) {
            return inner;
        }
    }
    whole
}

/// The letters of `-abc`.
pub(super) fn short_flags(arg: &str) -> Option<&str> {
    arg.strip_prefix('-').filter(|it| !it.is_empty() && !it.starts_with('-') && it.len() <= 24)
}

/// The value of `--name=value` or `--name value`.
pub(super) fn long_value<'a>(arg: &'a str, name: &str, args: &mut Args<'a>) -> Option<&'a str> {
    let rest = arg.strip_prefix(name)?;
    match rest.strip_prefix('=') {
        Some(value) => Some(value.trim_matches(['"', '\''])),
        None if rest.is_empty() => args.next().map(|it| bare(args.text, it)),
        None => None,
    }
}

/// The value of a short option that takes one: `-qO x`, `-qOx`.
pub(super) fn short_value<'a>(flags: Option<&'a str>, name: char, args: &mut Args<'a>) -> Option<&'a str> {
    let flags = flags?;
    let at = flags.find(name)?;
    if at > 4 || !flags[..at].bytes().all(|b| b.is_ascii_alphabetic()) {
        return None;
    }
    match &flags[at + 1..] {
        "" => args.next().map(|it| bare(args.text, it)),
        value => Some(value),
    }
}
