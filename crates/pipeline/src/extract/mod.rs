//! text → indicators, decoded layers, templates. Deliberately absent: looking anything up, judging what an indicator
//! is worth (`merge`), and running anything.
//!
//! A text is read three times, each time once: `deobfuscate` undoes what hides words, `lex` and `command` find what
//! each program did with its arguments while `value` finds the indicators in them, and `decode` looks for text within
//! the text, which is then read the same way.

mod args;
mod command;
pub mod decode;
mod deobfuscate;
pub(crate) mod host;
mod identifier;
mod idn;
mod lex;
mod line;
mod local;
mod names;
mod network;
mod path;
mod random;
pub mod template;
mod tools;
mod turned;
mod url;
mod value;
mod wallet;

use std::borrow::Cow;

pub use deobfuscate::deobfuscate;
pub use host::is_public_ip;
use ringleader_model::{Context, Indicator};
pub(crate) use tools::base_name;

use command::Scan;
use value::Found;

/// What is read of one text; the rest is not looked at.
pub const MAX_TEXT: usize = 8 << 20;
/// No more indicators than this are taken from one text.
pub const MAX_FOUND: usize = 65_536;

/// Finds indicators in command lines, scripts, payloads, any text.
#[derive(Debug, Clone, Default)]
pub struct Extractor(());

impl Extractor {
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces `out` by the text's indicators, sorted, each once.
    ///
    /// A value with a context of its own is not also `mentioned`; what the text itself makes or runs it does not
    /// count as a rival's where it removes it; `decoded` means that no layer shows the value in the clear.
    pub fn extract(&self, text: &str, out: &mut Vec<Indicator>) {
        self.extract_with_layers(text, out);
    }

    /// The same; gives the text's decoded layers, outermost first: at most `decode::MAX_DEPTH` deep and
    /// `decode::MAX_DECODED` long together.
    pub fn extract_with_layers(&self, text: &str, out: &mut Vec<Indicator>) -> Vec<String> {
        out.clear();
        let text = clipped(text, MAX_TEXT);
        let unmarked = deobfuscate::is_unmarked(text);
        let clear = if unmarked { Cow::Borrowed(text) } else { plain(text) };
        let layers = layers_of(&clear, unmarked);
        scan(&clear, false, out);
        for layer in &layers {
            scan(&plain(layer), true, out);
        }
        settle(out);
        layers
    }

    /// The decoded layers alone.
    pub fn decoded(&self, text: &str) -> Vec<String> {
        layers_of(&plain(clipped(text, MAX_TEXT)), false)
    }
}

/// Without obfuscation, names as DNS has them.
fn plain(text: &str) -> Cow<'_, str> {
    match deobfuscate(text) {
        Cow::Borrowed(text) => idn::to_ascii(text),
        Cow::Owned(text) => match idn::to_ascii(&text) {
            Cow::Borrowed(_) => Cow::Owned(text),
            Cow::Owned(text) => Cow::Owned(text),
        },
    }
}

fn layers_of(text: &str, unmarked: bool) -> Vec<String> {
    let mut layers: Vec<String> = Vec::new();
    let mut budget = decode::MAX_DECODED;
    decode::layers(text, unmarked, &mut budget, &mut layers);
    let mut from = 0;
    for _ in 1..decode::MAX_DEPTH {
        let to = layers.len();
        for at in from..to {
            let mut inner = Vec::new();
            decode::layers(&plain(&layers[at]), false, &mut budget, &mut inner);
            inner.retain(|it| !layers.contains(it));
            layers.append(&mut inner);
        }
        if layers.len() == to {
            break;
        }
        from = to;
    }
    layers
}

/// The indicators of each line, numbered from 1.
pub fn lines<'a>(extractor: &'a Extractor, text: &'a str) -> impl Iterator<Item = (u64, Vec<Indicator>)> + 'a {
    (1..).zip(text.lines()).map(|(number, line)| {
        let mut found = Vec::new();
        extractor.extract(line, &mut found);
        (number, found)
    })
}

/// `text` is without obfuscation.
fn scan(text: &str, decoded: bool, out: &mut Vec<Indicator>) {
    let mut found = Found { out, decoded, whole: text, asked: value::Asked::default() };
    Scan::new(&mut found).text(text, None, 0);
}

fn clipped(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

/// Sorts, and keeps of each value what says most.
fn settle(out: &mut Vec<Indicator>) {
    if out.len() < 2 {
        return;
    }
    out.sort_unstable();
    let mut kept = 0;
    let mut start = 0;
    while start < out.len() {
        let mut end = start + 1;
        while end < out.len() && out[end].kind == out[start].kind && out[end].value == out[start].value {
            end += 1;
        }
        let group = &out[start..end];
        let own = group.iter().any(|it| !matches!(it.context, Context::Mentioned | Context::Killed));
        let only_mentioned = group.iter().all(|it| it.context == Context::Mentioned);
        let in_clear = group.iter().any(|it| !it.decoded);
        let mut last = None;
        for at in start..end {
            let context = out[at].context;
            let keep = match context {
                Context::Mentioned => only_mentioned,
                Context::Killed => !own,
                _ => true,
            };
            if keep && last != Some(context) {
                last = Some(context);
                out.swap(kept, at);
                out[kept].decoded = !in_clear;
                kept += 1;
            }
        }
        start = end;
    }
    out.truncate(kept);
}

#[cfg(test)]
mod tests;
