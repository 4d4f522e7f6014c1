//! a stage of a pipeline → what it would print, where the script itself writes it. Deliberately absent: every program
//! whose output depends on anything else.

use base64::Engine as _;
use tree_sitter::Node;

use super::words::unescape_c;
use super::{MAX_SCRIPT, Reader};
use crate::extract::base_name;

impl Reader {
    /// What the statement prints, given what it reads.
    pub(super) fn output(&self, node: Node<'_>, source: &str, input: Option<&str>) -> Option<String> {
        match node.kind() {
            "command" => {
                let given = self.given(node, source);
                self.command_output(node, source, given.as_deref().or(input))
            }
            "redirected_statement" => {
                let given = self.given(node, source);
                let body = node.child_by_field_name("body")?;
                match body.kind() {
                    "command" => self.command_output(body, source, given.as_deref().or(input)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// What `$(…)` or backquotes stand for.
    pub(super) fn printed(&self, node: Node<'_>, source: &str) -> Option<String> {
        let mut cursor = node.walk();
        let mut statements = node.named_children(&mut cursor).filter(|it| it.kind() != "comment");
        let only = statements.next()?;
        if statements.next().is_some() {
            return None;
        }
        if only.kind() != "pipeline" {
            return self.output(only, source, None);
        }
        let mut cursor = only.walk();
        let mut input: Option<String> = None;
        for (at, stage) in only.named_children(&mut cursor).enumerate() {
            if at > 0 && input.is_none() || at > 16 {
                return None;
            }
            input = self.output(stage, source, input.as_deref());
        }
        input
    }

    /// A here-document or here-string.
    pub(super) fn given(&self, node: Node<'_>, source: &str) -> Option<String> {
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            match child.kind() {
                "herestring_redirect" => return self.literal(child.named_child(0)?, source),
                "heredoc_redirect" => {
                    let mut inner = child.walk();
                    let body = child.named_children(&mut inner).find(|it| it.kind() == "heredoc_body")?;
                    return source.get(body.byte_range()).map(str::to_owned);
                }
                "command" if node.kind() == "redirected_statement" => {
                    if let Some(given) = self.given(child, source) {
                        return Some(given);
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn command_output(&self, node: Node<'_>, source: &str, input: Option<&str>) -> Option<String> {
        let mut cursor = node.walk();
        let mut words = Vec::new();
        for child in node.named_children(&mut cursor) {
            if matches!(
                child.kind(),
                "variable_assignment" | "file_redirect" | "herestring_redirect" | "heredoc_redirect"
            ) {
                continue;
            }
            words.push(self.literal(child, source)?);
        }
        let mut words = words.as_slice();
        while words.first().is_some_and(|it| matches!(base_name(it), "busybox" | "command" | "builtin")) {
            words = &words[1..];
        }
        let (first, args) = words.split_first()?;
        let out = match base_name(first) {
            "echo" => {
                let flags =
                    args.iter().take_while(|it| matches!(it.as_str(), "-n" | "-e" | "-ne" | "-en" | "-E")).count();
                let text = args[flags..].join(" ");
                if args[..flags].iter().any(|it| it.contains('e')) {
                    let mut plain = String::new();
                    unescape_c(&text, &mut plain);
                    plain
                } else {
                    text
                }
            }
            "printf" => {
                let (format, values) = args.split_first()?;
                let mut plain = String::new();
                unescape_c(format, &mut plain);
                let mut values = values.iter();
                while let Some(at) = plain.find("%s").or_else(|| plain.find("%b")) {
                    let value = values.next().map_or("", String::as_str);
                    if value.contains("%s") || value.contains("%b") {
                        return None;
                    }
                    plain.replace_range(at..at + 2, value);
                }
                plain
            }
            "cat" | "tee" if args.iter().all(|it| it == "-") || base_name(first) == "tee" => input?.to_owned(),
            "cat" => self.files.get(args.first()?)?.clone(),
            "base64" if args.iter().any(|it| matches!(it.as_str(), "-d" | "--decode" | "-D" | "-di" | "-i")) => {
                base64(input?)?
            }
            "openssl"
                if args.iter().any(|it| it == "-d") && args.iter().any(|it| it == "base64" || it == "-base64") =>
            {
                base64(input?)?
            }
            "xxd" if args.iter().any(|it| it.starts_with("-r")) => hex(input?)?,
            "rev" => input?.lines().map(|it| it.chars().rev().collect::<String>()).collect::<Vec<_>>().join("\n"),
            _ => return None,
        };
        (out.len() <= MAX_SCRIPT).then_some(out)
    }
}

fn base64(text: &str) -> Option<String> {
    let plain: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace() && *b != b'=').collect();
    let bytes = base64::engine::general_purpose::STANDARD_NO_PAD.decode(&plain).ok()?;
    String::from_utf8(bytes).ok()
}

fn hex(text: &str) -> Option<String> {
    let digits: Vec<u32> =
        text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    let bytes = digits.chunks_exact(2).map(|it| (it[0] * 16 + it[1]) as u8).collect();
    String::from_utf8(bytes).ok()
}
