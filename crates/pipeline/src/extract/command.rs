//! one pipeline → what each of its commands did with its arguments. Deliberately absent: what an argument is made of
//! (`value`), running anything.

use ringleader_model::{Context, IndicatorKind};
use smallvec::SmallVec;

use super::lex::{self, Command, Lexer, Pipeline, Word};
use super::tools::{self, Tool, base_name};
use super::url;
use super::value::{Found, PathRole, Role};

/// Quoted text within quoted text is followed this deep.
const MAX_NESTING: usize = 6;

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
enum Key {
    Pool,
    Wallet,
    Image,
    None,
}

pub(crate) struct Scan<'f, 'o> {
    pub found: &'f mut Found<'o>,
    key: Key,
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
        let into_accounts = commands.iter().skip(1).any(|it| base_name(bare(text, words[it.name])) == "chpasswd");
        let into_crontab = commands.iter().skip(1).any(|it| it.tool == Some(Tool::Crontab));
        for at in 0..commands.len() {
            let command = commands[at];
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
            if word.class & lex::EQUALS != 0 && is_assignment(name) {
                at += 1;
                continue;
            }
            let tool = tools::tool(base_name(name).as_bytes());
            // a program of a well-known name in a place of its own is another program
            let tool =
                tool.filter(|it| *it != Tool::Plain || word.class & lex::SLASH == 0 || tools::is_system_program(name));
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
                        && is_shell(base_name(name))
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
        if command.call.is_none() || command.tool.is_some() {
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
                while let Some(word) = args.next() {
                    let arg = bare(text, word);
                    let remote = arg.contains(':') && !arg.starts_with('-') && !arg.contains(":\\");
                    let role = if remote { Role::host(Context::Connected) } else { Role::new(context) };
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
                while let Some(word) = args.next() {
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
        if word.class & lex::SPACED != 0 && word.class & lex::QUOTED != 0 && !name.contains(":\\") {
            return self.word(text, word, Role::new(context), depth);
        }
        if word.class & (lex::SLASH | lex::BACKSLASH) != 0
            && word.class & (lex::SUBSTITUTION | lex::COLON | lex::AT) == 0
            || name.contains(":\\")
        {
            // Mozilla/5.0 and text/html are no programs
            let runs = !inherited && (name.starts_with(['/', '.', '~', '%']) || name.contains('\\'));
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
                continue;
            }
            if word.class & lex::EQUALS == 0 || !is_assignment(name) {
                break;
            }
            let role = if name.starts_with("LD_PRELOAD=") {
                Role::new(Context::Executed).path(PathRole::As(Context::Executed))
            } else {
                Role::new(Context::Mentioned)
            };
            self.word(text, word, role, depth);
        }
    }

    fn redirect(&mut self, text: &str, word: Word, depth: usize) {
        let role = if word.class & lex::OUT != 0 {
            Role::new(Context::Mentioned).path(PathRole::As(Context::Written))
        } else {
            Role::new(Context::Mentioned)
        };
        self.word(text, word, role, depth);
    }

    /// Any word: its quoted parts, its substitutions, and what is left.
    fn word(&mut self, text: &str, word: Word, role: Role, depth: usize) {
        let class = word.class;
        const INTERESTING: u16 =
            lex::DOT | lex::SLASH | lex::COLON | lex::AT | lex::BACKSLASH | lex::SPACED | lex::SUBSTITUTION | lex::LONG;
        let named = role.host || role.url || matches!(role.path, PathRole::Name(_)) || self.key != Key::None;
        if class & INTERESTING == 0 && !named {
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
    fn quoted(&mut self, inner: &str, role: Role, depth: usize, whole: bool) {
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
        if !spaced || depth >= MAX_NESTING || inner.contains(":\\") && !inner.contains(' ') {
            if whole {
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

    fn keyed(&mut self, value: &str, role: Role) {
        match std::mem::replace(&mut self.key, Key::None) {
            Key::Pool => {
                if !self.found.pool_text(value, Context::Connected) {
                    self.found.candidates(value, role);
                }
            }
            Key::Wallet => self.found.candidates(value, Role { wallet: true, ..Role::new(Context::Configured) }),
            Key::Image => {
                if let Some(image) = image(value) {
                    self.found.emit(IndicatorKind::Image, image, Context::Executed);
                }
            }
            Key::None => {}
        }
    }

    fn all(&mut self, args: &mut Args<'_>, role: Role, depth: usize) {
        while let Some(word) = args.next() {
            self.word(args.text, word, role, depth);
        }
    }

    fn curl(&mut self, args: &mut Args<'_>, depth: usize) {
        let get = Role::url(Context::Downloaded);
        while let Some(word) = args.next() {
            let arg = bare(args.text, word);
            let flag = short_flags(arg);
            if let Some(value) = long_value(arg, "--output", args) {
                self.path_value(value, Context::Written);
            } else if let Some(value) = long_value(arg, "--user-agent", args) {
                self.agent(value);
            } else if let Some(value) = long_value(arg, "--header", args) {
                self.header(value, depth);
            } else if let Some(value) = long_value(arg, "--proxy", args) {
                self.found.candidates(value, Role::host(Context::Connected));
            } else if flag.is_some_and(|it| it.ends_with('o')) {
                if let Some(value) = args.next() {
                    self.word(
                        args.text,
                        value,
                        Role::new(Context::Mentioned).path(PathRole::As(Context::Written)),
                        depth,
                    );
                }
            } else if flag.is_some_and(|it| it.ends_with('A')) {
                if let Some(value) = args.next() {
                    self.agent(bare(args.text, value));
                }
            } else if flag.is_some_and(|it| it.ends_with('H')) {
                if let Some(value) = args.next() {
                    self.header(bare(args.text, value), depth);
                }
            } else if flag.is_some_and(|it| it.ends_with('x')) {
                if let Some(value) = args.next() {
                    self.word(args.text, value, Role::host(Context::Connected), depth);
                }
            } else if flag.is_some_and(|it| it.ends_with(['d', 'F', 'b', 'e', 'T', 'u', 'm', 'w', 'X', 'r']))
                || arg.starts_with("--data")
            {
                if !arg.contains('=')
                    && let Some(value) = args.next()
                {
                    self.word(args.text, value, Role::new(Context::Mentioned), depth);
                }
            } else {
                self.word(args.text, word, get, depth);
            }
        }
    }

    fn wget(&mut self, args: &mut Args<'_>, depth: usize) {
        let get = Role::url(Context::Downloaded);
        let mut folder: Option<&str> = None;
        let mut names: SmallVec<[&str; 2]> = SmallVec::new();
        while let Some(word) = args.next() {
            let arg = bare(args.text, word);
            let flag = short_flags(arg);
            if let Some(value) =
                long_value(arg, "--output-document", args).or_else(|| long_value(arg, "--output-file", args))
            {
                self.path_value(value, Context::Written);
            } else if let Some(value) = long_value(arg, "--user-agent", args) {
                self.agent(value);
            } else if let Some(value) = long_value(arg, "--header", args) {
                self.header(value, depth);
            } else if let Some(value) = long_value(arg, "--directory-prefix", args) {
                folder = Some(value);
            } else if let Some(value) = short_value(flag, 'O', args).or_else(|| short_value(flag, 'o', args)) {
                self.path_value(value, Context::Written);
            } else if let Some(value) = short_value(flag, 'U', args) {
                self.agent(value);
            } else if let Some(value) = short_value(flag, 'P', args) {
                folder = Some(value);
            } else if flag.is_some_and(|it| matches!(it, "t" | "T" | "e" | "w" | "Q")) {
                args.next();
            } else {
                if !arg.starts_with('-') && arg.contains('/') {
                    names.push(arg);
                }
                self.word(args.text, word, get, depth);
            }
        }
        // `wget -P /tmp http://h/x` writes /tmp/x
        if let Some(folder) = folder.filter(|it| it.starts_with('/')) {
            for name in names {
                let name = base_name(name.split(['?', '#']).next().unwrap_or_default());
                if !name.is_empty() && !name.contains('.') | name.contains(|c: char| c.is_ascii_alphabetic()) {
                    self.path_value(&format!("{}/{name}", folder.trim_end_matches('/')), Context::Written);
                }
            }
        }
    }

    /// Downloaders whose target is the next positional argument (certutil, bitsadmin) or an option (PowerShell).
    fn download(&mut self, args: &mut Args<'_>, name: &str, depth: usize) {
        let name = base_name(name).to_ascii_lowercase();
        let name = name.strip_suffix(".exe").unwrap_or(&name);
        let takes_target = matches!(name, "certutil" | "bitsadmin" | "lwp-download" | "esentutl" | "uclient-fetch");
        // Package managers take names; only a URL is a download.
        let role = match name {
            "pip" | "pip2" | "pip3" | "npm" | "yarn" | "gem" | "go" | "cargo" | "rpm" | "yum" | "dnf" | "msiexec"
            | "regsvr32" | "mshta" | "wmic" | "hh" | "cmstp" => Role::new(Context::Downloaded).path(PathRole::Mention),
            _ => Role::url(Context::Downloaded),
        };
        let mut got = false;
        while let Some(word) = args.next() {
            let arg = bare(args.text, word);
            let lower = arg.to_ascii_lowercase();
            if matches!(lower.as_str(), "-outfile" | "-destination" | "-o" | "--output" | "-out") {
                if let Some(value) = args.next() {
                    self.word(
                        args.text,
                        value,
                        Role::new(Context::Mentioned).path(PathRole::As(Context::Written)),
                        depth,
                    );
                }
            } else if matches!(lower.as_str(), "-useragent") {
                if let Some(value) = args.next() {
                    self.agent(bare(args.text, value));
                }
            } else if takes_target && got && !arg.contains("://") {
                let role = Role::new(Context::Mentioned).path(PathRole::Name(Context::Written));
                self.word(args.text, word, role, depth);
            } else if name == "regsvr32" || name == "msiexec" {
                let role = role.path(PathRole::As(Context::Executed));
                let arg_path = arg.strip_prefix("/i:").unwrap_or(arg);
                if arg_path.len() != arg.len() {
                    self.found.atom(arg_path, role);
                } else {
                    self.word(args.text, word, role, depth);
                }
            } else {
                got |= arg.contains("://");
                self.word(args.text, word, role, depth);
            }
        }
    }

    fn tftp(&mut self, args: &mut Args<'_>, tool: Tool, depth: usize) {
        let mut host = false;
        let written = Role::new(Context::Mentioned).path(PathRole::Name(Context::Written));
        while let Some(word) = args.next() {
            let arg = bare(args.text, word);
            match arg {
                "-l" | "-r" | "get" | "-u" | "-p" | "-P" | "-c" | "-g" | "-i" => {
                    if matches!(arg, "-r" | "-l" | "get") && tool == Tool::Tftp {
                        if let Some(value) = args.next() {
                            self.word(args.text, value, written, depth);
                        }
                    } else if matches!(arg, "-u" | "-p" | "-P") {
                        args.next();
                    }
                }
                _ if arg.starts_with('-') => {}
                _ if !host => {
                    host = true;
                    self.word(args.text, word, Role::host(Context::Downloaded), depth);
                }
                _ if tool == Tool::FtpGet && host => {
                    // local, then remote
                    self.word(args.text, word, written, depth);
                    while args.next().is_some() {}
                }
                _ => self.word(args.text, word, Role::new(Context::Mentioned), depth),
            }
        }
    }

    /// `nc h p`, `telnet h p`, `ping h`, `redis-cli -h h -p p`.
    fn connect(&mut self, args: &mut Args<'_>, name: &str, depth: usize) {
        let role = Role::host(Context::Connected);
        let name = base_name(name);
        if name == "openssl" && args.peek().is_none_or(|it| bare(args.text, *it) != "s_client") {
            return self.all(args, Role { version: true, ..Role::new(Context::Mentioned) }, depth);
        }
        let options_first = matches!(
            name,
            "redis-cli" | "mysql" | "mysqldump" | "psql" | "mongo" | "mongosh" | "openssl" | "frpc" | "chisel"
        );
        let many = matches!(
            name,
            "nmap" | "masscan" | "zmap" | "hydra" | "medusa" | "fping" | "whois" | "ping" | "host" | "dig" | "nslookup"
        );
        let mut host: Option<&str> = None;
        let mut port: Option<&str> = None;
        while let Some(word) = args.next() {
            let arg = bare(args.text, word);
            if word.class & (lex::OUT | lex::IN) != 0 {
                self.redirect(args.text, word, depth);
                continue;
            }
            if matches!(
                arg,
                "-h" | "--host"
                    | "-connect"
                    | "-s"
                    | "--server"
                    | "-i"
                    | "-e"
                    | "-c"
                    | "-w"
                    | "-p"
                    | "--port"
                    | "-q"
                    | "-I"
                    | "-P"
                    | "-L"
                    | "-l"
                    | "-W"
                    | "-t"
                    | "-f"
                    | "-X"
                    | "-x"
                    | "-o"
                    | "-O"
                    | "-a"
                    | "-u"
                    | "-U"
                    | "-d"
            ) || (arg.starts_with('-')
                && arg.ends_with(['e', 'p'])
                && arg.len() <= 6
                && matches!(name, "nc" | "ncat" | "netcat"))
            {
                let takes_host = matches!(arg, "-h" | "--host" | "-connect" | "-s" | "--server");
                if let Some(&next) = args.peek() {
                    let value = bare(args.text, next);
                    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
                    if takes_host && !digits {
                        args.next();
                        host = host.or(Some(value));
                        self.word(args.text, next, role, depth);
                    } else if matches!(arg, "-p" | "--port") && digits && options_first {
                        args.next();
                        port = Some(value);
                    } else if (digits && !matches!(arg, "-l" | "-u" | "-x" | "-t"))
                        || value.contains('/') && !value.contains(':')
                    {
                        args.next();
                        self.word(args.text, next, Role::new(Context::Mentioned), depth);
                    }
                }
                continue;
            }
            if arg.starts_with('-') {
                self.word(args.text, word, Role::new(Context::Connected), depth);
            } else if host.is_none() && (!options_first || arg.contains([':', '.'])) {
                host = Some(arg).filter(|it| it.contains(['.', ':']) || !many);
                self.word(args.text, word, role, depth);
            } else if port.is_none() && arg.bytes().all(|b| b.is_ascii_digit()) {
                port = Some(arg);
            } else {
                self.word(args.text, word, if many { role } else { Role::new(Context::Mentioned) }, depth);
            }
        }
        if let (Some(host), Some(port)) = (host, port) {
            self.host_and_port(host, port);
        }
    }

    fn host_and_port(&mut self, host: &str, port: &str) {
        if let (Some(url::Host::Ip(ip)), Ok(port)) = (url::host_of(host), port.parse::<u16>())
            && port > 0
            && !host.contains(':')
        {
            self.found.endpoint(url::Host::Ip(ip), Some(port), Context::Connected);
        }
    }

    /// `connect(("192.0.2.1", 4444))`.
    fn host_comma_port(&mut self, args: &str) {
        let quote = |c: char| matches!(c, '"' | '\'' | '\\' | ' ');
        if let Some((host, rest)) = args.split_once(',') {
            let port = rest.trim_start();
            let digits = port.bytes().take_while(u8::is_ascii_digit).count();
            self.host_and_port(host.trim_matches(quote), &port[..digits]);
        }
    }

    fn ssh(&mut self, args: &mut Args<'_>, depth: usize) {
        while let Some(word) = args.next() {
            let arg = bare(args.text, word);
            if arg.starts_with('-') {
                if arg.len() == 2
                    && arg.ends_with([
                        'i', 'p', 'o', 'l', 'L', 'R', 'D', 'F', 'J', 'b', 'c', 'E', 'e', 'I', 'm', 'O', 'Q', 'S', 'W',
                        'w', 'M',
                    ])
                    && let Some(value) = args.next()
                {
                    self.word(args.text, value, Role::new(Context::Connected), depth);
                }
                continue;
            }
            self.word(args.text, word, Role::host(Context::Connected), depth);
            break;
        }
        // what runs over there
        if let Some(rest) = args.rest() {
            self.text(rest, None, (depth + 1).min(MAX_NESTING));
            args.at = args.last;
        }
    }

    fn socat(&mut self, args: &mut Args<'_>, depth: usize) {
        while let Some(word) = args.next() {
            let arg = bare(args.text, word);
            let kind = arg.split(':').next().unwrap_or_default().to_ascii_lowercase();
            if kind.starts_with("tcp")
                || kind.starts_with("udp")
                || kind.starts_with("openssl")
                || kind.starts_with("socks")
                || kind.starts_with("ssl")
            {
                let rest = arg.get(kind.len() + 1..).unwrap_or_default();
                if !kind.contains("listen") && !kind.ends_with("-l") {
                    self.found.candidates(rest.split(',').next().unwrap_or_default(), Role::host(Context::Connected));
                }
            } else {
                self.word(args.text, word, Role::new(Context::Mentioned), depth);
            }
        }
    }

    fn remove(&mut self, args: &mut Args<'_>, depth: usize) {
        let role = Role::new(Context::Killed).path(PathRole::As(Context::Killed));
        while let Some(word) = args.next() {
            if word.class & (lex::OUT | lex::IN) != 0 {
                self.redirect(args.text, word, depth);
            } else {
                self.word(args.text, word, role, depth);
            }
        }
    }

    fn chmod(&mut self, args: &mut Args<'_>, context: Context, depth: usize) {
        let mut runs = None;
        while let Some(word) = args.next() {
            let arg = bare(args.text, word);
            match runs {
                None if arg.starts_with('-') && !arg.contains('x') => {}
                None => runs = Some(makes_executable(arg)),
                Some(runs) => {
                    let path = if runs { PathRole::Name(Context::Executed) } else { PathRole::Mention };
                    self.word(args.text, word, Role::new(context).path(path), depth);
                }
            }
        }
    }

    fn interpreter(&mut self, args: &mut Args<'_>, name: &str, context: Context, depth: usize) {
        let shell = is_shell(base_name(name));
        let mut script = false;
        while let Some(word) = args.next() {
            let arg = bare(args.text, word);
            if word.class & (lex::OUT | lex::IN) != 0 {
                self.redirect(args.text, word, depth);
            } else if !script && is_dash_c(arg) || matches!(arg, "-e" | "-r") && !shell {
                script = true;
                if let Some(code) = args.next() {
                    self.word(args.text, code, Role::new(context).path(PathRole::As(Context::Executed)), depth);
                }
            } else if arg.starts_with('-') || arg.starts_with('+') {
                if arg == "-m" {
                    script = true;
                }
                self.word(args.text, word, Role::new(context), depth);
            } else if script {
                self.word(args.text, word, Role::new(context), depth);
            } else {
                script = true;
                // `rundll32 x.dll,Entry`
                let path = arg.split(',').next().unwrap_or(arg);
                let role = Role::new(context).path(PathRole::Name(Context::Executed));
                if path.len() != arg.len() {
                    self.found.path(path, role);
                } else {
                    self.word(args.text, word, role, depth);
                }
            }
        }
    }

    fn java(&mut self, args: &mut Args<'_>, context: Context, depth: usize) {
        while let Some(word) = args.next() {
            let arg = bare(args.text, word);
            if arg == "-jar" {
                if let Some(jar) = args.next() {
                    self.word(args.text, jar, Role::new(context).path(PathRole::Name(Context::Executed)), depth);
                }
            } else if matches!(arg, "-cp" | "-classpath" | "--class-path") {
                args.next();
            } else if word.class & (lex::COLON | lex::AT | lex::SPACED) != 0
                || arg.bytes().any(|b| b.is_ascii_digit())
                || !arg.starts_with('-') && arg.contains('/')
            {
                self.word(args.text, word, Role::new(context), depth);
            }
        }
    }

    fn copy(&mut self, args: &mut Args<'_>, context: Context, depth: usize) {
        let mut last: Option<Word> = None;
        let mut count = 0;
        while let Some(word) = args.next() {
            if word.class & (lex::OUT | lex::IN) != 0 {
                self.redirect(args.text, word, depth);
                continue;
            }
            if bare(args.text, word).starts_with('-') {
                continue;
            }
            count += 1;
            if let Some(source) = last.replace(word) {
                self.word(args.text, source, Role::new(context), depth);
            }
        }
        if let Some(target) = last {
            let path = if count > 1 { PathRole::As(Context::Written) } else { PathRole::Mention };
            self.word(args.text, target, Role::new(context).path(path), depth);
        }
    }

    fn echo(&mut self, args: &mut Args<'_>, context: Context, into_crontab: bool, depth: usize) {
        let text = args.text;
        let start = args.at;
        let mut into = None;
        while let Some(word) = args.next() {
            if word.class & lex::OUT != 0 {
                into = Some(bare(text, word));
            }
        }
        // names sent nowhere block the rival's pool
        let blocks = into.is_some_and(|it| it.ends_with("/etc/hosts"))
            && args.words[start.min(args.last)..args.last].iter().any(|it| {
                let value = bare(text, *it);
                value.starts_with("127.0.0.1") || value.starts_with("0.0.0.0")
            });
        let context = if blocks { Context::Killed } else { context };
        let accounts = into.is_some_and(|it| matches!(it, "/etc/passwd" | "/etc/shadow"));
        args.at = start;
        let first = args.words.get(start).filter(|_| start < args.last).copied();
        // `echo */5 * * * * cmd`, unquoted
        if let Some(first) = first
            && (into_crontab || into.is_some_and(|it| it.contains("cron")))
            && first.class & lex::QUOTED == 0
            && let Some(entry) = args.rest().and_then(|rest| cron(rest.split('>').next().unwrap_or(rest)))
        {
            self.found.emit(IndicatorKind::Cron, entry.0, Context::Configured);
        }
        while let Some(word) = args.next() {
            if word.class & (lex::OUT | lex::IN) != 0 {
                self.redirect(text, word, depth);
                continue;
            }
            let value = bare(text, word);
            if accounts && let Some((name, _)) = value.split_once(":") {
                self.account(name, Context::Configured);
            }
            self.word(text, word, Role { host: blocks, ..Role::new(context) }, depth);
        }
    }

    /// `echo user:password | chpasswd` is seen by the caller as a pipeline; the account stands in the echo.
    fn account(&mut self, name: &str, context: Context) {
        let ok = !name.is_empty()
            && name.len() <= 32
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'$'))
            && !name.starts_with(['-', '$'])
            && name.bytes().any(|b| b.is_ascii_alphabetic());
        if ok {
            self.found.emit(IndicatorKind::Account, name, context);
        }
    }

    /// Patterns are never commands; with `-v` what they match is spared.
    fn pattern(&mut self, args: &mut Args<'_>, context: Context, depth: usize) {
        let start = args.at;
        let mut spares = false;
        while let Some(word) = args.next() {
            spares |= short_flags(bare(args.text, word)).is_some_and(|it| it.contains('v'));
        }
        args.at = start;
        let context = if spares { Context::Mentioned } else { context };
        while let Some(word) = args.next() {
            if word.class & (lex::OUT | lex::IN) != 0 {
                self.redirect(args.text, word, depth);
                continue;
            }
            if word.class & lex::SUBSTITUTION != 0 {
                self.word(args.text, word, Role::new(context), depth);
                continue;
            }
            let value = bare(args.text, word);
            let path = if context == Context::Killed { PathRole::As(Context::Killed) } else { PathRole::Mention };
            for part in value.split(['|', '(', ')', ' ']).filter(|it| it.len() > 3) {
                self.found.atom(part, Role::new(context).path(path));
            }
        }
    }

    fn user(&mut self, args: &mut Args<'_>, tool: Tool, depth: usize) {
        let mut name = None;
        while let Some(word) = args.next() {
            let arg = bare(args.text, word);
            if word.class & (lex::OUT | lex::IN) != 0 {
                self.redirect(args.text, word, depth);
            } else if arg.starts_with('-') {
                let takes = short_flags(arg).is_some_and(|it| {
                    it.ends_with(['u', 'g', 'G', 'd', 's', 'p', 'c', 'e', 'f', 'k', 'K', 'b', 'h', 'L', 'l', 'R'])
                }) && tool == Tool::UserAdd
                    || matches!(
                        arg,
                        "--home"
                            | "--shell"
                            | "--uid"
                            | "--gid"
                            | "--gecos"
                            | "--password"
                            | "--groups"
                            | "--ingroup"
                            | "--comment"
                            | "--home-dir"
                    );
                if takes && !matches!(arg, "-D" | "-H") {
                    args.next();
                }
            } else if name.is_none() {
                name = Some(arg);
            }
        }
        if let Some(name) = name {
            self.account(name, if tool == Tool::UserDelete { Context::Killed } else { Context::Configured });
        }
    }

    /// Windows: `net user name pass /add`.
    fn net(&mut self, args: &mut Args<'_>, depth: usize) {
        let verb = args.next().map(|it| bare(args.text, it).to_ascii_lowercase()).unwrap_or_default();
        let start = args.at;
        let (mut adds, mut deletes) = (false, false);
        let mut names: SmallVec<[&str; 4]> = SmallVec::new();
        while let Some(word) = args.next() {
            let arg = bare(args.text, word);
            adds |= arg.eq_ignore_ascii_case("/add");
            deletes |= arg.eq_ignore_ascii_case("/delete") || arg.eq_ignore_ascii_case("/del");
            if !arg.starts_with('/') {
                names.push(arg);
            }
        }
        match verb.as_str() {
            "user" if adds || deletes => {
                if let Some(name) = names.first() {
                    self.account(name, if adds { Context::Configured } else { Context::Killed });
                }
            }
            "localgroup" | "group" if adds => {
                if let Some(name) = names.get(1) {
                    self.account(name, Context::Configured);
                }
            }
            _ => {
                args.at = start;
                let role = if verb == "use" || verb == "view" {
                    Role::new(Context::Connected)
                } else {
                    Role::new(Context::Mentioned)
                };
                self.all(args, role, depth);
            }
        }
    }

    fn docker(&mut self, args: &mut Args<'_>, context: Context, depth: usize) {
        let mut verb = None;
        while let Some(word) = args.next() {
            let arg = bare(args.text, word);
            if matches!(arg, "-H" | "--host" | "--context" | "-n" | "--namespace") {
                if let Some(value) = args.next() {
                    self.word(args.text, value, Role::host(Context::Connected), depth);
                }
            } else if arg.starts_with('-') {
                self.word(args.text, word, Role::host(Context::Connected), depth);
            } else if matches!(arg, "pull" | "run" | "create") {
                verb = Some(if arg == "pull" { Context::Downloaded } else { Context::Executed });
                break;
            } else if !matches!(arg, "image" | "images" | "container" | "content") {
                break;
            }
        }
        let Some(verb) = verb else { return self.all(args, Role::new(context), depth) };
        while let Some(word) = args.next() {
            let arg = bare(args.text, word);
            if arg.starts_with('-') {
                const BARE: &[&str] = &[
                    "--rm",
                    "--privileged",
                    "--detach",
                    "--interactive",
                    "--tty",
                    "--init",
                    "--quiet",
                    "--all-tags",
                    "--disable-content-trust",
                    "--plain-http",
                ];
                let takes = if arg.starts_with("--") {
                    !arg.contains('=') && !BARE.contains(&arg)
                } else {
                    arg.ends_with(['v', 'p', 'e', 'u', 'w', 'h', 'l', 'm', 'c', 'a'])
                };
                if takes && let Some(value) = args.next() {
                    self.word(args.text, value, Role::new(context), depth);
                }
                continue;
            }
            if let Some(image) = image(arg) {
                self.found.emit(IndicatorKind::Image, image, verb);
            }
            break;
        }
        // what runs in the container
        if let Some(rest) = args.rest() {
            self.text(rest, None, (depth + 1).min(MAX_NESTING));
            args.at = args.last;
        }
    }

    fn git(&mut self, args: &mut Args<'_>, depth: usize) {
        let gets = args
            .clone()
            .any(|it| matches!(bare(args.text, it), "clone" | "fetch" | "pull" | "submodule" | "ls-remote"));
        let context = if gets { Context::Downloaded } else { Context::Mentioned };
        while let Some(word) = args.next() {
            let arg = bare(args.text, word);
            let remote = gets && (arg.contains('@') || arg.contains("://"));
            let role = if remote { Role::host(context) } else { Role::new(context) };
            self.word(args.text, word, role, depth);
        }
    }

    fn firewall(&mut self, args: &mut Args<'_>, context: Context, depth: usize) {
        let blocks = args.clone().any(|it| {
            matches!(
                bare(args.text, it).to_ascii_lowercase().as_str(),
                "drop" | "reject" | "deny" | "blackhole" | "action=block"
            )
        });
        self.all(args, Role::new(if blocks { Context::Killed } else { context }), depth);
    }

    fn kubectl(&mut self, args: &mut Args<'_>, context: Context, depth: usize) {
        while let Some(word) = args.next() {
            let arg = bare(args.text, word);
            if let Some(image) = long_value(arg, "--image", args).and_then(image) {
                self.found.emit(IndicatorKind::Image, image, Context::Executed);
            } else if matches!(arg, "-s" | "--server") {
                if let Some(value) = args.next() {
                    self.word(args.text, value, Role::host(Context::Connected), depth);
                }
            } else if matches!(arg, "-f" | "--filename") {
                if let Some(value) = args.next() {
                    self.word(args.text, value, Role::url(Context::Downloaded), depth);
                }
            } else {
                self.word(args.text, word, Role::new(context), depth);
            }
        }
    }

    fn powershell(&mut self, args: &mut Args<'_>, context: Context, depth: usize) {
        while let Some(word) = args.next() {
            let arg = bare(args.text, word);
            if arg.len() >= 3 && arg.starts_with('-') && "-file".starts_with(&arg.to_ascii_lowercase()) {
                if let Some(value) = args.next() {
                    self.word(args.text, value, Role::new(context).path(PathRole::Name(Context::Executed)), depth);
                }
            } else if arg.len() >= 2
                && arg.starts_with('-')
                && "-command".starts_with(&arg.to_ascii_lowercase())
                && args.peek().is_some_and(|it| it.class & lex::QUOTED == 0)
            {
                if let Some(rest) = args.rest() {
                    self.text(rest, None, (depth + 1).min(MAX_NESTING));
                }
                return;
            } else {
                self.word(args.text, word, Role::new(context), depth);
            }
        }
    }

    fn plain(&mut self, args: &mut Args<'_>, name: &str, context: Context, depth: usize) {
        // `find … -exec cmd`
        if base_name(name) == "find" {
            while let Some(word) = args.next() {
                if matches!(bare(args.text, word), "-exec" | "-execdir" | "-ok") {
                    if let Some(rest) = args.rest() {
                        self.text(rest, None, (depth + 1).min(MAX_NESTING));
                    }
                    return;
                }
                self.word(args.text, word, Role::new(context), depth);
            }
            return;
        }
        if base_name(name) == "chpasswd" {
            return self.all(args, Role::new(context), depth);
        }
        self.values(args, context, depth);
    }

    /// An unknown program may be a renamed miner: `-o pool -u wallet`.
    fn miner(&mut self, args: &mut Args<'_>, context: Context, depth: usize) {
        while let Some(word) = args.next() {
            let arg = bare(args.text, word);
            if arg.starts_with('-') {
                let (flag, value) = match arg.split_once('=') {
                    Some((flag, value)) => (flag, Some(value)),
                    None => (arg, None),
                };
                match flag {
                    "-o" | "--url" | "--pool" | "-pool" | "-P" | "-S" | "--server" | "-s" | "--algo-pool"
                    | "-epool" | "-zpool" => match value {
                        Some(value) if self.found.pool_text(value, Context::Connected) => continue,
                        Some(_) => {}
                        None => {
                            if let Some(next) = args.peek().copied() {
                                let value = bare(args.text, next);
                                if self.found.pool_text(value, Context::Connected) {
                                    args.next();
                                    continue;
                                }
                            }
                        }
                    },
                    "-u" | "--user" | "--wallet" | "-w" | "-wal" | "-ewal" | "--coinbase-addr" => {
                        let role = Role { wallet: true, ..Role::new(Context::Configured) };
                        match value {
                            Some(value) => {
                                self.found.candidates(value, role);
                                continue;
                            }
                            None => {
                                if let Some(value) = args.next() {
                                    self.word(args.text, value, role, depth);
                                }
                                continue;
                            }
                        }
                    }
                    _ => {}
                }
            }
            self.value(args, word, context, depth);
        }
    }

    fn values(&mut self, args: &mut Args<'_>, context: Context, depth: usize) {
        while let Some(word) = args.next() {
            self.value(args, word, context, depth);
        }
    }

    /// An argument whose option is not known: the word before may still say that it is a version, or a key.
    fn value(&mut self, args: &mut Args<'_>, word: Word, context: Context, depth: usize) {
        if word.class & (lex::OUT | lex::IN) != 0 {
            return self.redirect(args.text, word, depth);
        }
        let before = args.at.checked_sub(2).and_then(|at| args.words.get(at)).map(|it| bare(args.text, *it));
        let version = word.class & lex::DOT != 0
            && before.is_some_and(|it| {
                let it = it.trim_end_matches([':', '=']);
                it.len() <= 24
                    && (matches!(it, "-V" | "v")
                        || ["version", "ver", "release"].iter().any(|name| it.to_ascii_lowercase().ends_with(name)))
            });
        let role = if context == Context::Mentioned { Role::new(context) } else { call_role(context) };
        // `"url": "pool:3333"`
        let value = bare(args.text, word);
        if word.class & lex::COLON != 0
            && let Some(key) = value.strip_suffix(':').map(|it| it.trim_matches(['"', '\'', '{', ','])).and_then(key_of)
        {
            self.key = key;
            return;
        }
        if self.key != Key::None {
            let value = value.trim_matches([',', '"', '\'', '}', ']']);
            return self.keyed(value, role);
        }
        self.word(args.text, word, Role { version, ..role }, depth);
    }

    fn agent(&mut self, value: &str) {
        if !value.trim().is_empty() && value.len() <= 512 {
            self.found.emit(IndicatorKind::UserAgent, value.trim(), Context::Configured);
        }
    }

    fn header(&mut self, value: &str, depth: usize) {
        match header_value(value, "user-agent") {
            Some(agent) => self.agent(agent),
            None => {
                if depth < MAX_NESTING {
                    self.text(value, None, depth + 1);
                }
            }
        }
    }

    fn path_value(&mut self, value: &str, context: Context) {
        self.found.path(value, Role::new(Context::Mentioned).path(PathRole::As(context)));
    }
}

/// The arguments of one command, in order.
#[derive(Clone)]
struct Args<'a> {
    text: &'a str,
    words: &'a [Word],
    at: usize,
    last: usize,
}

impl<'a> Args<'a> {
    fn peek(&self) -> Option<&'a Word> {
        self.words.get(self.at).filter(|_| self.at < self.last)
    }
    /// The text of all that is left.
    fn rest(&self) -> Option<&'a str> {
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
fn bare(text: &str, word: Word) -> &str {
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

/// What a function does with its arguments.
fn call_context(name: &str) -> Option<Context> {
    let last = name.rsplit(['.', ':', '>']).next().unwrap_or(name);
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

/// A downloading call's second argument is the file it writes.
fn call_role(context: Context) -> Role {
    let path = match context {
        Context::Downloaded | Context::Written => PathRole::As(Context::Written),
        Context::Killed => PathRole::As(Context::Killed),
        _ => PathRole::Mention,
    };
    Role { host: context == Context::Connected, ..Role::new(context) }.path(path)
}

fn key_of(name: &str) -> Option<Key> {
    match name {
        "url" | "pool" | "pool_address" | "server" | "daemon-address" => Some(Key::Pool),
        "user" | "wallet" | "wallet_address" | "username" => Some(Key::Wallet),
        "Image" | "image" => Some(Key::Image),
        _ => None,
    }
}

/// A container image reference.
fn image(text: &str) -> Option<&str> {
    let ok = (2..=255).contains(&text.len())
        && text.bytes().all(|b| {
            b.is_ascii_lowercase()
                || b.is_ascii_digit()
                || b.is_ascii_uppercase()
                || matches!(b, b'.' | b'-' | b'_' | b'/' | b':' | b'@')
        })
        && text.as_bytes()[0].is_ascii_alphanumeric()
        && !text.contains("://");
    ok.then_some(text)
}

fn is_assignment(text: &str) -> bool {
    text.find('=').is_some_and(|at| {
        at > 0
            && text.as_bytes()[..at].iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
            && !text.as_bytes()[0].is_ascii_digit()
    })
}

fn is_shell(name: &str) -> bool {
    matches!(name, "sh" | "bash" | "dash" | "ash" | "zsh" | "ksh" | "csh" | "tcsh" | "fish")
}

/// `-c`, `-lc`, `-ec` …
fn is_dash_c(arg: &str) -> bool {
    arg.len() <= 5 && arg.starts_with('-') && !arg.starts_with("--") && arg.ends_with('c')
}

fn makes_executable(mode: &str) -> bool {
    match mode.as_bytes() {
        [b'0'..=b'7', ..] => {
            mode.len() <= 5
                && mode.bytes().all(|b| b.is_ascii_digit())
                && mode.bytes().rev().take(3).any(|b| b & 1 == 1)
        }
        _ => mode.split(',').any(|it| {
            it.rsplit(['+', '=']).next().is_some_and(|bits| bits.len() < it.len() && bits.contains(['x', 's']))
        }),
    }
}

/// The letters of `-abc`.
fn short_flags(arg: &str) -> Option<&str> {
    arg.strip_prefix('-').filter(|it| !it.is_empty() && !it.starts_with('-') && it.len() <= 24)
}

/// The value of `--name=value` or `--name value`.
fn long_value<'a>(arg: &'a str, name: &str, args: &mut Args<'a>) -> Option<&'a str> {
    let rest = arg.strip_prefix(name)?;
    match rest.strip_prefix('=') {
        Some(value) => Some(value.trim_matches(['"', '\''])),
        None if rest.is_empty() => args.next().map(|it| bare(args.text, it)),
        None => None,
    }
}

/// The value of a short option that takes one: `-qO x`, `-qOx`.
fn short_value<'a>(flags: Option<&'a str>, name: char, args: &mut Args<'a>) -> Option<&'a str> {
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

fn header_value<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let head = line.get(..name.len())?;
    let value = line[name.len()..].strip_prefix(':')?.trim();
    (head.eq_ignore_ascii_case(name) && !value.is_empty() && value.len() <= 512).then_some(value)
}

fn line_end(text: &str, at: usize, nested: bool) -> usize {
    let rest = &text[at..];
    let mut end = memchr::memchr2(b'\n', b'\r', rest.as_bytes()).unwrap_or(rest.len());
    if nested && let Some(escaped) = rest[..end].find("\\n") {
        end = escaped;
    }
    at + end
}

/// A cron line, white space normalised, and where its command starts.
pub(crate) fn cron(line: &str) -> Option<(String, usize)> {
    let bytes = line.as_bytes();
    let mut at = 0;
    let mut fields: SmallVec<[&str; 6]> = SmallVec::new();
    let wanted = if bytes.first() == Some(&b'@') { 1 } else { 5 };
    while fields.len() < wanted {
        let start = at;
        while bytes.get(at).is_some_and(|b| !matches!(b, b' ' | b'\t')) {
            at += 1;
        }
        let field = line.get(start..at)?;
        if !is_cron_field(field, wanted == 1) || at - start > 64 {
            return None;
        }
        fields.push(field);
        let blanks = bytes[at..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        if blanks == 0 {
            return None;
        }
        at += blanks;
    }
    if wanted == 5 && !fields.iter().any(|it| it.starts_with('*')) {
        return None;
    }
    let command = line[at..].trim_end();
    if command.is_empty() || command.starts_with(['*', '=', ')']) || !command.bytes().any(|b| b.is_ascii_alphabetic()) {
        return None;
    }
    let mut entry = fields.join(" ");
    for word in command.split_ascii_whitespace() {
        entry.push(' ');
        entry.push_str(word);
    }
    entry.truncate(entry.floor_char_boundary(MAX_CRON));
    // the system's table has a user before the command
    let user = ["root ", "www-data ", "nobody ", "daemon "].iter().find(|it| command.starts_with(**it));
    Some((entry, at + user.map_or(0, |it| it.len())))
}

const MAX_CRON: usize = 1024;

fn is_cron_field(field: &str, named: bool) -> bool {
    if named {
        return matches!(
            field,
            "@reboot" | "@yearly" | "@annually" | "@monthly" | "@weekly" | "@daily" | "@midnight" | "@hourly"
        );
    }
    let bytes = field.as_bytes();
    !bytes.is_empty()
        && (matches!(bytes[0], b'*' | b'0'..=b'9') || bytes.len() == 3 && bytes.iter().all(u8::is_ascii_alphabetic))
        && bytes.iter().all(|b| {
            b.is_ascii_digit() || matches!(b, b'*' | b'/' | b',' | b'-') || b.is_ascii_alphabetic() && bytes.len() >= 3
        })
        && !(bytes[0] == b'*' && bytes.len() > 1 && bytes[1] != b'/')
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
