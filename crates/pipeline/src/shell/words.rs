//! a command's nodes → its words, and the script that the words hold. Deliberately absent: globs, arithmetic, and
//! splitting what a variable holds.

use tree_sitter::Node;

use super::Reader;
use crate::extract::base_name;

impl Reader {
    /// The words of a command, quotes removed, known variables in place.
    pub(super) fn words(&self, command: Node<'_>, source: &str) -> Vec<String> {
        let mut cursor = command.walk();
        let mut words: Vec<String> = Vec::new();
        let mut end = 0;
        for child in command.named_children(&mut cursor) {
            // a word that goes on in the next line
            let joins = matches!(source.get(end..child.start_byte()), Some("\\\n" | "\\\r\n")) && end > 0;
            end = child.end_byte();
            if joins && let Some(last) = words.last_mut() {
                last.push_str(&self.text_of(child, source));
                continue;
            }
            match child.kind() {
                "variable_assignment" | "file_redirect" | "herestring_redirect" | "heredoc_redirect" | "comment" => {}
                "command_name" => {
                    // `$CMD x`, and ${IFS} between words
                    let name = self.text_of(child, source);
                    if name.trim().is_empty() {
                        continue;
                    }
                    if is_expanded(child) {
                        words.extend(name.split_ascii_whitespace().map(str::to_owned));
                    } else {
                        words.push(name);
                    }
                }
                _ => words.push(self.text_of(child, source)),
            }
        }
        words
    }

    /// A word's text: what is not known stays as it is written.
    pub(super) fn text_of(&self, node: Node<'_>, source: &str) -> String {
        let mut out = String::new();
        self.expand(node, source, &mut out, 0);
        out
    }

    /// A word's text if all of it is known.
    pub(super) fn literal(&self, node: Node<'_>, source: &str) -> Option<String> {
        let mut out = String::new();
        self.expand(node, source, &mut out, 0).then_some(out)
    }

    /// Appends the node's text; false if some of it is not known.
    fn expand(&self, node: Node<'_>, source: &str, out: &mut String, level: usize) -> bool {
        let raw = source.get(node.byte_range()).unwrap_or_default();
        if level > 16 || out.len() > super::MAX_SCRIPT {
            out.push_str(raw);
            return false;
        }
        match node.kind() {
            "word" | "number" | "variable_name" | "special_variable_name" | "extglob_pattern" | "regex" => {
                unescape_word(raw, out);
                true
            }
            "raw_string" => {
                out.push_str(raw.strip_prefix('\'').and_then(|it| it.strip_suffix('\'')).unwrap_or(raw));
                true
            }
            "ansi_c_string" => {
                let inner = raw.strip_prefix("$'").and_then(|it| it.strip_suffix('\'')).unwrap_or(raw);
                unescape_c(inner, out);
                true
            }
            "string_content" => {
                unescape_string(raw, out);
                true
            }
            "string" | "concatenation" | "command_name" | "translated_string" => self.parts(node, source, out, level),
            "simple_expansion" => self.variable(raw.trim_start_matches('$'), raw, None, out),
            "expansion" => {
                let inner = raw.strip_prefix("${").and_then(|it| it.strip_suffix('}')).unwrap_or(raw);
                let (name, default) = match inner.split_once(":-") {
                    Some((name, default)) => (name, Some(default)),
                    None => (inner, None),
                };
                self.variable(name, raw, default, out)
            }
            "command_substitution" => match self.printed(node, source) {
                Some(text) => {
                    out.push_str(text.trim_end_matches('\n'));
                    true
                }
                None => {
                    out.push_str(raw);
                    false
                }
            },
            _ => {
                out.push_str(raw);
                false
            }
        }
    }

    /// The children, and what stands between them: the grammar leaves blanks in strings out.
    fn parts(&self, node: Node<'_>, source: &str, out: &mut String, level: usize) -> bool {
        let mut known = true;
        let quoted = node.kind() == "string";
        let mut at = node.start_byte();
        let mut cursor = node.walk();
        for child in node.children(&mut cursor) {
            if child.start_byte() > at {
                out.push_str(source.get(at..child.start_byte()).unwrap_or_default());
            }
            at = child.end_byte();
            if child.is_named() {
                known &= self.expand(child, source, out, level + 1);
                continue;
            }
            let mark = quoted && child.kind() == "\"" || node.kind() == "translated_string" && child.kind() == "$";
            if !mark {
                out.push_str(source.get(child.byte_range()).unwrap_or_default());
            }
        }
        known
    }

    fn variable(&self, name: &str, raw: &str, default: Option<&str>, out: &mut String) -> bool {
        match (self.variables.get(name), default) {
            (Some(value), _) => {
                out.push_str(value);
                true
            }
            (None, _) if name == "IFS" => {
                out.push(' ');
                true
            }
            (None, Some(default)) if !default.contains(['$', '`']) => {
                out.push_str(default.trim_matches(['"', '\'']));
                true
            }
            _ => {
                out.push_str(raw);
                false
            }
        }
    }
}

fn is_expanded(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).any(|it| {
        let mut inner = it.walk();
        matches!(it.kind(), "simple_expansion" | "expansion" | "command_substitution")
            || it.kind() == "concatenation"
                && it.named_children(&mut inner).any(|it| matches!(it.kind(), "simple_expansion" | "expansion"))
    })
}

fn unescape_word(raw: &str, out: &mut String) {
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('\n') | None => {}
                Some(c) => out.push(c),
            },
            c => out.push(c),
        }
    }
}

fn unescape_string(raw: &str, out: &mut String) {
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some('"' | '\\' | '$' | '`')) => out.extend(chars.next()),
            ('\\', Some('\n')) => {
                chars.next();
            }
            _ => out.push(c),
        }
    }
}

/// The escapes of `$'…'`, `echo -e` and `printf`.
pub(super) fn unescape_c(raw: &str, out: &mut String) {
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(c) = rest.chars().next() else {
            out.push('\\');
            return;
        };
        let number = |from: usize, most: usize, radix: u32| {
            let digits = rest[from..].bytes().take(most).take_while(|b| (*b as char).is_digit(radix)).count();
            let code = u32::from_str_radix(&rest[from..from + digits], radix).ok().and_then(char::from_u32);
            code.map(|it| (from + digits, it))
        };
        let found = match c {
            'n' => Some((1, '\n')),
            't' => Some((1, '\t')),
            'r' => Some((1, '\r')),
            'a' | 'b' | 'e' | 'f' | 'v' => Some((1, ' ')),
            '\\' | '\'' | '"' => Some((1, c)),
            'x' => number(1, 2, 16),
            'u' => number(1, 4, 16),
            '0' => number(0, 4, 8),
            '1'..='7' => number(0, 3, 8),
            _ => None,
        };
        match found {
            Some((taken, plain)) => {
                out.push(plain);
                rest = &rest[taken..];
            }
            None => out.push('\\'),
        }
    }
    out.push_str(rest);
}

/// Programs that run the rest of their line.
const WRAPPERS: &[&str] = &[
    "sudo", "doas", "nohup", "setsid", "env", "busybox", "nice", "ionice", "time", "exec", "command", "builtin",
    "stdbuf", "timeout", "toybox", "chroot", "unshare",
];

/// The words from the program on that a wrapper runs.
fn unwrapped(words: &[String]) -> &[String] {
    let mut rest = words;
    for _ in 0..8 {
        let Some(first) = rest.first() else { break };
        let name = base_name(first);
        if !WRAPPERS.contains(&name) {
            break;
        }
        let mut skip = 1;
        while let Some(word) = rest.get(skip) {
            let takes_value = name == "sudo" && matches!(word.as_str(), "-u" | "-g")
                || name == "nice" && word == "-n"
                || name == "chroot" && !word.starts_with('-');
            if takes_value {
                skip += 2;
                if name == "chroot" {
                    skip -= 1;
                    break;
                }
            } else if word.starts_with('-')
                || word.contains('=') && name == "env"
                || word.starts_with(|c: char| c.is_ascii_digit())
            {
                skip += 1;
            } else {
                break;
            }
        }
        rest = rest.get(skip..).unwrap_or_default();
    }
    rest
}

fn is_shell(word: &str) -> bool {
    matches!(base_name(word), "sh" | "bash" | "dash" | "ash" | "zsh" | "ksh")
}

/// The script that the words hold: after `sh -c` or `eval`, or in a file that the script wrote before.
pub(super) fn script<'f>(words: &[String], file: impl Fn(&str) -> Option<&'f str>) -> Option<String> {
    let words = unwrapped(words);
    let first = words.first()?;
    let name = base_name(first);
    if name == "eval" {
        return (words.len() > 1).then(|| words[1..].join(" "));
    }
    if is_shell(first) || name == "su" {
        for (at, word) in words.iter().enumerate().skip(1) {
            if word.starts_with('-') && !word.starts_with("--") && word.ends_with('c') {
                return words.get(at + 1).cloned();
            }
            if !word.starts_with(['-', '+']) && name != "su" {
                return file(word).map(str::to_owned);
            }
        }
        return None;
    }
    if matches!(name, "." | "source") {
        return file(words.get(1)?).map(str::to_owned);
    }
    file(first).map(str::to_owned)
}

/// Whether the command is a shell without a script of its own.
pub(super) fn reads_stdin(text: &str) -> bool {
    let words: Vec<String> = text.split_ascii_whitespace().map(str::to_owned).collect();
    let words = unwrapped(&words);
    words.first().is_some_and(|it| is_shell(it))
        && (words[1..].iter().all(|it| it.starts_with('-') && !it.ends_with('c'))
            || words.get(1).is_some_and(|it| it == "-s"))
}

/// The command that `xargs` or `find -exec` runs.
pub(super) fn runs(words: &[String]) -> Option<&[String]> {
    let words = unwrapped(words);
    let name = base_name(words.first()?);
    let rest = match name {
        "xargs" => {
            let mut at = 1;
            while let Some(word) = words.get(at).filter(|it| it.starts_with('-')) {
                at += if matches!(word.as_str(), "-I" | "-n" | "-P" | "-L" | "-d" | "-s" | "-a") { 2 } else { 1 };
            }
            words.get(at..)?
        }
        "find" => {
            let from = words.iter().position(|it| matches!(it.as_str(), "-exec" | "-execdir" | "-ok"))? + 1;
            let rest = &words[from..];
            let to = rest.iter().position(|it| it == ";" || it == "+").unwrap_or(rest.len());
            &rest[..to]
        }
        _ => return None,
    };
    (!rest.is_empty()).then_some(rest)
}
