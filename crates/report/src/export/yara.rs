//! → YARA rules for scripts: what the gangs' droppers say, word for word.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::Export;
use super::draft::Draft;
use super::shared::{Shared, SharedGang};
use crate::escape::visible;

/// Of one string; scripts may break a line anywhere after it.
const MAX_STRING: usize = 200;

pub(super) struct Yara;

impl Export for Yara {
    fn name(&self) -> &'static str {
        "yara"
    }
    fn file(&self) -> &'static str {
        "ringleader.yar"
    }
    fn summary(&self) -> &'static str {
        "drafts of YARA rules for scripts: URLs, wallets, keys and paths of each gang"
    }
    fn write(&self, shared: &Shared, out: &mut (dyn Write + Send)) -> io::Result<()> {
        for line in shared.head() {
            writeln!(out, "// {line}")?;
        }
        for gang in &shared.gangs {
            let draft = Draft::of(shared, gang);
            if !draft.words.is_empty() {
                out.write_all(rule(shared, gang, &draft).as_bytes())?;
            }
        }
        Ok(())
    }
}

fn rule(shared: &Shared, gang: &SharedGang, draft: &Draft<'_>) -> String {
    let mut out = String::new();
    let (first, last) = gang.times();
    let _ = writeln!(out, "\nrule ringleader_{}\n{{\n    meta:", gang.short());
    let meta = [
        ("author", "Ringleader"),
        ("gang", &gang.name),
        ("gang_id", &gang.id),
        ("tlp", shared.tlp.label()),
        ("first_seen", &first.to_string()),
        ("last_seen", &last.to_string()),
    ];
    for (key, value) in meta {
        let _ = writeln!(out, "        {key} = \"{}\"", string(&visible(value)));
    }
    let _ = writeln!(out, "    strings:");
    let (mut alone, mut together) = (0, 0);
    for word in &draft.words {
        let (kind, n) = if draft.telling.contains(word) { ("alone", &mut alone) } else { ("with", &mut together) };
        *n += 1;
        let end = (0..=MAX_STRING.min(word.len())).rev().find(|at| word.is_char_boundary(*at)).unwrap_or(0);
        let _ = writeln!(out, "        ${kind}{n} = \"{}\" ascii", string(&word[..end]));
    }
    let needs = match together {
        0 => None,
        1 => Some("all of ($with*)"),
        _ => Some("2 of ($with*)"),
    };
    let any = (alone > 0).then_some("any of ($alone*)");
    let condition: Vec<&str> = any.into_iter().chain(needs).collect();
    let _ = writeln!(out, "    condition:\n        filesize < 1MB and ({})\n}}", condition.join(" or "));
    out
}

/// Between quotes: what is no plain ASCII is written as its bytes.
fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        match b {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(b));
            }
            b' '..=b'~' => out.push(char::from(b)),
            b => {
                let _ = write!(out, "\\x{b:02x}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_cannot_be_left() {
        assert_eq!(string("a\"}\\\né"), "a\\\"}\\\\\\x0a\\xc3\\xa9");
    }
}
