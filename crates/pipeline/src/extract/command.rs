//! one pipeline → what each of its commands did with its arguments. Deliberately absent: what an argument is made of
//! (`value`), running anything.

use ringleader_model::{Context, IndicatorKind};
use smallvec::SmallVec;

use super::args::{Args, bare};
use super::lex::{self, Command, Lexer, Pipeline, Word};
use super::line::{cron, header_value, line_end};
use super::local::image;
use super::tools::{self, Tool, base_name};
use super::value::{Found, PathRole, Role};

/// Quoted text within quoted text is followed this deep.
pub(super) const MAX_NESTING: usize = 6;

const INTERESTING: u16 =
    lex::DOT | lex::SLASH | lex::COLON | lex::AT | lex::BACKSLASH | lex::SPACED | lex::SUBSTITUTION | lex::LONG;

/// A command without what stands before it: `sudo`, `busybox`, `nohup`, assignments.
#[derive(Clone, Copy)]
struct Resolved {
    tool: Option<Tool>,
    name: usize,
    /// Behind the last word.
    last: usize,
    call: Option<(u32, u32)>,
}

/// The key before the value in JSON or a configuration.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Pool,
    Wallet,
    Image,
    None,
}

pub(crate) struct Scan<'f, 'o> {
    pub found: &'f mut Found<'o>,
    pub(super) key: Key,
}

impl<'f, 'o> Scan<'f, 'o> {
    pub(crate) fn new(found: &'f mut Found<'o>) -> Self {
        Self { found, key: Key::None }
    }

    /// Reads a text as commands. `inherit`: what the command around it does, where it stands in one.
    pub(crate) fn text(&mut self, text: &str, inherit: Option<Context>, depth: usize) {
        let mut lexer = Lexer::new(text, depth > 0);
        let mut pipeline = Pipeline::default();
        loop {
            if let Some(at) = lexer.line_start() {
                lexer.skip_to(self.line(text, at, depth > 0));
            }
            if !lexer.next(&mut pipeline) {
                return;
            }
            self.pipeline(text, &pipeline, inherit, depth);
        }
    }

    /// What only a line's start can be: a cron entry, a header. Gives where the line's command starts.
    fn line(&mut self, text: &str, at: usize, nested: bool) -> usize {
        let bytes = text.as_bytes();
        match bytes[at] {
            b'*' | b'@' | b'0'..=b'9' => {
                let end = line_end(text, at, nested);
                if let Some((entry, command)) = cron(&text[at..end]) {
                    self.found.emit(IndicatorKind::Cron, entry, Context::Configured);
                    return at + command;
                }
                at
            }
            // a unit's command
            b'E' => match text[at..].strip_prefix("ExecSt").and_then(|it| it.find('=').filter(|it| *it < 12)) {
                Some(sign) => {
                    let command = at + "ExecSt".len() + sign + 1;
                    let marks = text.as_bytes()[command..].iter().take_while(|b| b"-@:+! ".contains(b)).count();
                    command + marks
                }
                None => at,
            },
            b'U' | b'u' => {
                let end = line_end(text, at, nested);
                if let Some(agent) = header_value(&text[at..end], "user-agent") {
                    self.found.emit(IndicatorKind::UserAgent, agent, Context::Mentioned);
                }
                at
            }
            _ => at,
        }
    }

    fn pipeline(&mut self, text: &str, pipeline: &Pipeline, inherit: Option<Context>, depth: usize) {
        let words = &pipeline.words;
        let mut commands: SmallVec<[Resolved; 6]> = SmallVec::new();
        let mut kills = false;
        for command in &pipeline.commands {
            let resolved = self.resolve(text, words, *command);
            kills |= resolved.tool == Some(Tool::Kill);
            commands.push(resolved);
        }
        let echoes = commands.len() > 1 && commands.iter().any(|it| it.tool == Some(Tool::Echo));
        let into_accounts =
            echoes && commands.iter().skip(1).any(|it| base_name(bare(text, words[it.name])) == "chpasswd");
        let into_crontab = commands.iter().skip(1).any(|it| it.tool == Some(Tool::Crontab));
        for at in 0..commands.len() {
            let command = commands[at];
            // AssemblyVersion("1.0.0.0")
            if let Some((start, end)) = command.call
                && bare(text, words[command.name]).starts_with(|c: char| c.is_ascii_digit())
                && text[start as usize..end as usize].to_ascii_lowercase().ends_with("version")
            {
                continue;
            }
            let inherit = match command.call {
                Some((start, end)) => call_context(&text[start as usize..end as usize]).or(inherit),
                None => inherit,
            };
            // What is looked for in order to be killed.
            let inherit = match kills && matches!(command.tool, Some(Tool::Pattern | Tool::Plain) | None) {
                true => Some(Context::Killed),
                false => inherit,
            };
            if into_accounts && command.tool == Some(Tool::Echo) {
                for word in &words[command.name + 1..command.last] {
                    for line in bare(text, *word).split(['\n', ' ']) {
                        if let Some((name, _)) = line.split_once(':') {
                            self.account(name, Context::Configured);
                        }
                    }
                }
            }
            if inherit == Some(Context::Connected) && command.call.is_some() {
                let (first, last) = (words[command.name], words[command.last - 1]);
                self.host_comma_port(&text[first.start as usize..last.end as usize]);
            }
            self.command(text, words, command, inherit, into_crontab, depth);
        }
    }

    /// Finds the program behind wrappers, keywords and assignments; reports a wrapper that is itself a dropped file.
    fn resolve(&mut self, text: &str, words: &[Word], command: Command) -> Resolved {
        let last = command.last as usize;
        let mut at = command.first as usize;
        let none = |name| Resolved { tool: None, name, last, call: command.call };
        while at < last {
            let word = words[at];
            if word.class & (lex::OUT | lex::IN) != 0 {
                at += 1;
                continue;
            }
            let name = bare(text, word);
            // a log's name for what follows
            if name.len() <= 24 && name.ends_with(':') && at + 1 < last && is_command_label(name) {
                at += 1;
                continue;
            }
            // `cmd=wget http://…` and `/x.php?a=b&c=wget http://…` in a decoded request
            if word.class & (lex::EQUALS | lex::QUESTION) != 0
                && at + 1 < last
                && let Some(tool) = parameter_tool(name)
            {
                return Resolved { tool: Some(tool), name: at, last, call: command.call };
            }
            if word.class & lex::EQUALS != 0 && is_assignment(name) {
                at += 1;
                continue;
            }
            let base = if word.class & (lex::SLASH | lex::BACKSLASH) == 0 { name } else { base_name(name) };
            let tool = tools::tool(base.as_bytes());
            // a program of a well-known name in a place of its own is another program
            let tool = tool.filter(|it| {
                *it != Tool::Plain
                    || word.class & lex::SLASH == 0
                    || tools::is_standard_folder(name)
                    || tools::is_system_program(name)
            });
            let rest = at + 1;
            match tool {
                Some(Tool::Keyword) => at = rest,
                Some(Tool::Wrapper | Tool::Wrapper1 | Tool::Xargs) => {
                    if word.class & lex::SLASH != 0 {
                        self.found.path(name, Role::new(Context::Executed).path(PathRole::As(Context::Executed)));
                    }
                    let next = skip_options(text, words, rest, last, name, tool);
                    if next >= last {
                        return Resolved { tool, name: at, last, call: command.call };
                    }
                    at = next;
                }
                // the quotes of `sh -c '…'` are often lost in logs
                Some(Tool::Interpreter)
                    if rest + 1 < last
                        && is_shell(base)
                        && is_dash_c(bare(text, words[rest]))
                        && words[rest + 1].class & lex::QUOTED == 0 =>
                {
                    at = rest + 1;
                }
                _ => return Resolved { tool, name: at, last, call: command.call },
            }
        }
        none(command.first as usize)
    }

    fn command(
        &mut self,
        text: &str,
        words: &[Word],
        command: Resolved,
        inherit: Option<Context>,
        into_crontab: bool,
        depth: usize,
    ) {
        let context = inherit.unwrap_or(Context::Mentioned);
        let name = words[command.name];
        let name_text = bare(text, name);
        let mut args = Args { text, words, at: command.name + 1, last: command.last };
        if command.tool.is_some_and(|it| it == Tool::Plain || tools::is_standard_folder(name_text))
            && name.class & !(lex::SLASH | lex::DOT | lex::LONG) == 0
        {
            // the system's own, as `resolve` saw
        } else if command.call.is_none() || command.tool.is_some() {
            self.program(text, name, name_text, context, inherit.is_some(), depth);
        } else {
            self.word(text, name, call_role(context), depth);
        }
        let tool = match command.tool {
            Some(tool) => tool,
            None if name.class & (lex::OUT | lex::IN) != 0 => Tool::Plain,
            None => Tool::Miner,
        };
        match tool {
            Tool::Curl => self.curl(&mut args, depth),
            Tool::Wget => self.wget(&mut args, depth),
            Tool::Download => self.download(&mut args, name_text, depth),
            Tool::Tftp | Tool::FtpGet => self.tftp(&mut args, tool, depth),
            Tool::Connect => self.connect(&mut args, name_text, depth),
            Tool::Ssh => self.ssh(&mut args, depth),
            Tool::Scp => {
                // `scp -t x` is the receiving end
                let receives = args.clone().any(|it| bare(text, it) == "-t");
                let path = if receives { PathRole::As(Context::Written) } else { PathRole::Mention };
                for word in args.by_ref() {
                    let arg = bare(text, word);
                    let remote = arg.contains(':') && !arg.starts_with('-') && !arg.contains(":\\");
                    let role = if remote { Role::host(Context::Connected) } else { Role::new(context).path(path) };
                    self.word(text, word, role, depth);
                }
            }
            Tool::Socat => self.socat(&mut args, depth),
            Tool::Kill => self.all(&mut args, Role::new(Context::Killed).path(PathRole::As(Context::Killed)), depth),
            Tool::Remove => self.remove(&mut args, depth),
            Tool::Chmod => self.chmod(&mut args, context, depth),
            Tool::Interpreter => self.interpreter(&mut args, name_text, context, depth),
            Tool::Java => self.java(&mut args, context, depth),
            Tool::Copy => self.copy(&mut args, context, depth),
            Tool::Write => self.all(&mut args, Role::new(context).path(PathRole::As(Context::Written)), depth),
            Tool::Dd => {
                for word in args.by_ref() {
                    let written = bare(text, word).starts_with("of=");
                    let path = if written { PathRole::As(Context::Written) } else { PathRole::Mention };
                    self.word(text, word, Role::new(context).path(path), depth);
                }
            }
            Tool::Echo => self.echo(&mut args, context, into_crontab, depth),
            Tool::Pattern => self.pattern(&mut args, context, depth),
            Tool::UserAdd | Tool::UserDelete => self.user(&mut args, tool, depth),
            Tool::Net => self.net(&mut args, depth),
            Tool::Crontab => self.all(&mut args, Role::new(context), depth),
            Tool::Docker => self.docker(&mut args, context, depth),
            Tool::Git => self.git(&mut args, depth),
            Tool::Firewall => self.firewall(&mut args, context, depth),
            Tool::Kubectl => self.kubectl(&mut args, context, depth),
            Tool::PowerShell => self.powershell(&mut args, context, depth),
            Tool::Plain | Tool::Wrapper | Tool::Wrapper1 | Tool::Xargs | Tool::Keyword => {
                self.plain(&mut args, name_text, context, depth);
            }
            Tool::Miner => self.miner(&mut args, context, depth),
        }
        self.before_name(text, words, command, depth);
    }

    /// The word that names the program.
    fn program(&mut self, text: &str, word: Word, name: &str, context: Context, inherited: bool, depth: usize) {
        if word.class & (lex::OUT | lex::IN) != 0 {
            return self.redirect(text, word, depth);
        }
        if word.class & lex::SPACED != 0 && word.class & lex::QUOTED != 0 && !has_drive(name) {
            return self.word(text, word, Role::new(context), depth);
        }
        if word.class & (lex::SLASH | lex::BACKSLASH) != 0
            && word.class & (lex::SUBSTITUTION | lex::COLON | lex::AT) == 0
            || has_drive(name)
        {
            // Mozilla/5.0 and text/html are no programs
            let runs =
                !inherited && !name.ends_with('/') && (name.starts_with(['/', '.', '~', '%']) || name.contains('\\'));
            let role = match inherited {
                true => call_role(context),
                false if runs => Role::new(context).path(PathRole::As(Context::Executed)),
                false => Role::new(context),
            };
            if self.found.path(name, role) {
                return;
            }
        }
        self.word(text, word, Role::new(context), depth);
    }

    /// Assignments and redirections before the program's name.
    fn before_name(&mut self, text: &str, words: &[Word], command: Resolved, depth: usize) {
        for at in (0..command.name).rev() {
            let word = words[at];
            let name = bare(text, word);
            if word.class & (lex::OUT | lex::IN) != 0 {
                self.redirect(text, word, depth);
                continue;
            }
            if word.class & lex::EQUALS == 0 || !is_assignment(name) {
                break;
            }
            // POOL=host:port
            if word.class & lex::COLON != 0
                && let Some((key, value)) = name.split_once('=')
                && key.to_ascii_lowercase().contains("pool")
                && self.found.pool_text(value.trim_matches(['"', '\'']), Context::Configured)
            {
                continue;
            }
            let role = if name.starts_with("LD_PRELOAD=") {
                Role::new(Context::Executed).path(PathRole::As(Context::Executed))
            } else {
                Role::new(Context::Mentioned)
            };
            self.word(text, word, role, depth);
        }
    }

    pub(super) fn redirect(&mut self, text: &str, word: Word, depth: usize) {
        let role = if word.class & lex::OUT != 0 {
            Role::new(Context::Mentioned).path(PathRole::As(Context::Written))
        } else {
            Role::new(Context::Mentioned)
        };
        self.word(text, word, role, depth);
    }

    /// Whether no value can be in the word, whatever its place.
    pub(super) fn is_dull(&self, word: Word) -> bool {
        word.class & (INTERESTING | lex::OUT | lex::IN) == 0 && self.key == Key::None
    }

    /// Any word: its quoted parts, its substitutions, and what is left.
    pub(super) fn word(&mut self, text: &str, word: Word, role: Role, depth: usize) {
        let class = word.class;
        let named = role.host || role.url || matches!(role.path, PathRole::Name(_)) || self.key != Key::None;
        if class & INTERESTING == 0 && !named {
            return;
        }
        // A path outside of the places that are worth a mention: most words of most lines.
        const ONLY_PATH: u16 = lex::DOT | lex::SLASH | lex::LONG;
        if class == lex::COLON && text.as_bytes()[word.end as usize - 1] == b':' && !named {
            return;
        }
        if class & !ONLY_PATH == 0
            && role.path == PathRole::Mention
            && !named
            && matches!(text.as_bytes()[word.start as usize..word.end as usize], [b'/', next, ..] if !matches!(next, b't' | b'v' | b'd' | b'/'))
        {
            return;
        }
        let role = if class & lex::OUT != 0 { role.path(PathRole::As(Context::Written)) } else { role };
        let role = if class & lex::IN != 0 { role.path(PathRole::Mention) } else { role };
        let whole = &text[word.start as usize..word.end as usize];
        if class & (lex::QUOTED | lex::SUBSTITUTION) == 0 {
            if self.key != Key::None {
                self.keyed(whole, role);
            } else {
                self.found.atom(whole, role);
            }
            return;
        }
        // A whole quoted word is one value.
        let inner = bare(text, word);
        if class & lex::SUBSTITUTION == 0 && !inner.contains(['"', '\'']) {
            return self.quoted(inner, role, depth, true);
        }
        self.pieces(whole, role, depth);
    }

    /// The content of quotes: one value, or text of its own.
    pub(super) fn quoted(&mut self, inner: &str, role: Role, depth: usize, whole: bool) {
        if self.key != Key::None {
            self.keyed(inner, role);
            return;
        }
        let spaced = inner.bytes().any(|b| {
            matches!(
                b,
                b' ' | b'\t' | b'\n' | b';' | b'|' | b'&' | b'(' | b')' | b'<' | b'>' | b'`' | b'\\' | b'"' | b'\''
            )
        });
        if !spaced || depth >= MAX_NESTING || has_drive(inner) && !inner.contains(' ') {
            if whole || inner.starts_with("/inet/") || inner.starts_with("/dev/") {
                self.found.atom(inner, role);
            } else {
                self.found.candidates(inner, role);
            }
            return;
        }
        if role.path != PathRole::Mention && self.found.path(inner, role) {
            return;
        }
        let inherit = (role.context != Context::Mentioned).then_some(role.context);
        self.text(inner, inherit, depth + 1);
    }

    /// A word of several parts: `"$(curl x)"`, `{"Image":"alpine","Cmd":["sh"]}`.
    fn pieces(&mut self, whole: &str, role: Role, depth: usize) {
        let bytes = whole.as_bytes();
        let (mut at, mut plain) = (0, 0);
        while at < bytes.len() {
            let close = match bytes[at] {
                quote @ (b'"' | b'\'') => closing(bytes, at, quote),
                b'`' => memchr::memchr(b'`', &bytes[at + 1..]).map(|it| at + 1 + it),
                b'$' if bytes.get(at + 1) == Some(&b'(') => closing_parenthesis(bytes, at + 1),
                _ => None,
            };
            let Some(close) = close else {
                at += 1;
                continue;
            };
            if plain < at {
                self.piece(&whole[plain..at], role);
            }
            match bytes[at] {
                b'"' | b'\'' => {
                    let inner = &whole[at + 1..close];
                    let after = bytes[close + 1..].iter().find(|b| !b.is_ascii_whitespace());
                    if after == Some(&b':')
                        && let Some(key) = key_of(inner)
                    {
                        self.key = key;
                    } else {
                        // an item of a list is a value of its own
                        let item = (at == 0 || matches!(bytes[at - 1], b',' | b'[' | b'{' | b':' | b'=' | b' '))
                            && matches!(after, None | Some(b',' | b']' | b'}'));
                        self.quoted(inner, role, depth, item);
                    }
                }
                _ => {
                    let from = at + if bytes[at] == b'`' { 1 } else { 2 };
                    if depth < MAX_NESTING {
                        let inherit = (role.context == Context::Killed).then_some(Context::Killed);
                        self.text(&whole[from..close], inherit, depth + 1);
                    }
                }
            }
            at = close + 1;
            plain = at;
        }
        if plain < bytes.len() {
            self.piece(&whole[plain..], role);
        }
    }

    /// What stands between quotes and substitutions is a part of a value: never a whole path.
    fn piece(&mut self, text: &str, role: Role) {
        if !text.bytes().all(|b| matches!(b, b':' | b',' | b'[' | b']' | b'{' | b'}' | b' ')) {
            self.key = Key::None;
            self.found.candidates(text, role);
        }
    }

    pub(super) fn keyed(&mut self, value: &str, role: Role) {
        match std::mem::replace(&mut self.key, Key::None) {
            Key::Pool => {
                if !self.found.pool_text(value, Context::Connected) {
                    self.found.candidates(value, role);
                }
            }
            Key::Wallet => self.found.candidates(value, Role { wallet: true, ..Role::new(Context::Configured) }),
            Key::Image => {
                match image(value) {
                    Some(image) => self.found.emit(IndicatorKind::Image, image, Context::Executed),
                    // a program's image is a file
                    None => self.found.atom(value, role),
                }
            }
            Key::None => {}
        }
    }

    /// What is left of the arguments is a command of its own.
    pub(super) fn inner_command(&mut self, args: &mut Args<'_>, depth: usize) {
        match args.rest() {
            Some(rest) if depth < MAX_NESTING => {
                self.text(rest, None, depth + 1);
                args.at = args.last;
            }
            _ => self.all(args, Role::new(Context::Mentioned), depth),
        }
    }

    pub(super) fn all(&mut self, args: &mut Args<'_>, role: Role, depth: usize) {
        let text = args.text;
        for word in args.by_ref() {
            self.word(text, word, role, depth);
        }
    }
}

/// What a function does with its arguments.
fn call_context(name: &str) -> Option<Context> {
    let mut parts = name.rsplit(['.', ':', '>', '=', '$']);
    let last = parts.next().unwrap_or(name);
    // TCPSocket.new
    let last = if matches!(last, "new" | "open") {
        parts.next().filter(|it| it.ends_with("Socket")).unwrap_or(last)
    } else {
        last
    };
    if last.len() > 32 || !last.is_ascii() {
        return None;
    }
    match last.to_ascii_lowercase().as_str() {
        "urlopen"
        | "urlretrieve"
        | "downloadstring"
        | "downloadfile"
        | "downloaddata"
        | "downloadstringasync"
        | "openread"
        | "file_get_contents"
        | "getstore"
        | "curl_init"
        | "invoke-webrequest"
        | "invoke-restmethod"
        | "iwr"
        | "irm"
        | "getstringasync"
        | "loadxml" => Some(Context::Downloaded),
        "get" | "download"
            if ["requests.", "wget.", "lwp", "http.", "urllib"]
                .iter()
                .any(|it| name.to_ascii_lowercase().contains(it)) =>
        {
            Some(Context::Downloaded)
        }
        "connect"
        | "connect_ex"
        | "fsockopen"
        | "pfsockopen"
        | "tcpclient"
        | "tcpsocket"
        | "udpclient"
        | "connectasync"
        | "beginconnect"
        | "socket"
        | "create_connection"
        | "stream_socket_client"
        | "inet_aton"
        | "inet_addr"
        | "sockaddr_in" => Some(Context::Connected),
        "file_put_contents" | "writealltext" | "writeallbytes" | "savetofile" => Some(Context::Written),
        _ => None,
    }
}

/// The downloader or shell that a form's last value starts with.
fn parameter_tool(word: &str) -> Option<Tool> {
    let at = word.rfind(['=', '?', '&'])? + 1;
    tools::tool(base_name(&word[at..]).as_bytes()).filter(|it| {
        matches!(
            it,
            Tool::Curl | Tool::Wget | Tool::Download | Tool::Tftp | Tool::FtpGet | Tool::Interpreter | Tool::PowerShell
        )
    })
}

/// A downloading call's second argument is the file it writes.
pub(super) fn call_role(context: Context) -> Role {
    let path = match context {
        Context::Downloaded | Context::Written => PathRole::As(Context::Written),
        Context::Killed => PathRole::As(Context::Killed),
        _ => PathRole::Mention,
    };
    Role { host: context == Context::Connected, ..Role::new(context) }.path(path)
}

pub(super) fn key_of(name: &str) -> Option<Key> {
    match name {
        "url" | "pool" | "pool_address" | "server" | "daemon-address" => Some(Key::Pool),
        "user" | "wallet" | "wallet_address" | "username" => Some(Key::Wallet),
        "Image" | "image" => Some(Key::Image),
        _ => None,
    }
}

/// `C:\`.
fn has_drive(text: &str) -> bool {
    matches!(text.as_bytes(), [drive, b':', b'\\', ..] if drive.is_ascii_alphabetic())
}

fn is_command_label(text: &str) -> bool {
    const LABELS: &[&str] = &["commandline:", "processcommandline:", "command:", "cmdline:", "cmd:", "proctitle:"];
    LABELS.iter().any(|it| text.eq_ignore_ascii_case(it))
}

fn is_assignment(text: &str) -> bool {
    text.find('=').is_some_and(|at| {
        at > 0
            && text.as_bytes()[..at].iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
            && !text.as_bytes()[0].is_ascii_digit()
    })
}

pub(super) fn is_shell(name: &str) -> bool {
    matches!(name, "sh" | "bash" | "dash" | "ash" | "zsh" | "ksh" | "csh" | "tcsh" | "fish")
}

/// `-c`, `-lc`, `-ec` …
pub(super) fn is_dash_c(arg: &str) -> bool {
    arg.len() <= 5 && arg.starts_with('-') && !arg.starts_with("--") && arg.ends_with('c')
}

/// Skips the options of a wrapper; gives where the command that it runs starts.
fn skip_options(text: &str, words: &[Word], mut at: usize, last: usize, name: &str, tool: Option<Tool>) -> usize {
    let name = base_name(name);
    let mut positional = usize::from(tool == Some(Tool::Wrapper1));
    while at < last {
        let arg = bare(text, words[at]);
        let takes_value = match name {
            "sudo" => matches!(arg, "-u" | "-g" | "-p" | "-C" | "-h" | "-U"),
            "xargs" | "parallel" => matches!(arg, "-I" | "-n" | "-P" | "-L" | "-d" | "-s" | "-a" | "-j"),
            "env" => matches!(arg, "-u" | "-C" | "-S"),
            "nice" => arg == "-n",
            "ionice" => matches!(arg, "-c" | "-n"),
            "timeout" => matches!(arg, "-s" | "-k"),
            "nsenter" => matches!(arg, "-t"),
            "watch" => arg == "-n",
            "sshpass" => matches!(arg, "-p" | "-f"),
            "strace" => matches!(arg, "-e" | "-o" | "-p"),
            _ => false,
        };
        if takes_value {
            at += 2;
        } else if arg.starts_with('-') && arg.len() > 1
            || (arg.len() == 2 && arg.starts_with('/'))
            || words[at].class & lex::EQUALS != 0 && is_assignment(arg)
            || words[at].class & (lex::OUT | lex::IN) != 0
            || (name == "xargs" || name == "nice" || name == "setsid") && arg.bytes().all(|b| b.is_ascii_digit())
        {
            at += 1;
        } else if positional > 0 {
            positional -= 1;
            at += 1;
        } else {
            break;
        }
    }
    at.min(last)
}

fn closing(bytes: &[u8], at: usize, quote: u8) -> Option<usize> {
    let mut from = at + 1;
    loop {
        let close = memchr::memchr(quote, bytes.get(from..)?).map(|it| from + it)?;
        let slashes = bytes[at + 1..close].iter().rev().take_while(|b| **b == b'\\').count();
        if quote == b'\'' || slashes.is_multiple_of(2) {
            return Some(close);
        }
        from = close + 1;
    }
}

fn closing_parenthesis(bytes: &[u8], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    let mut quote = 0u8;
    for (at, byte) in bytes.iter().enumerate().skip(open) {
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
    None
}
