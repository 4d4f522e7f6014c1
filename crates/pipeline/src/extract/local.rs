//! arguments of programs that work on their own host → indicators. Deliberately absent: finding the program (`command`).

use ringleader_model::{Context, IndicatorKind};
use smallvec::SmallVec;

use super::args::{Args, bare, long_value, short_flags};
use super::command::{Key, Scan, call_role, is_dash_c, is_shell, key_of};
use super::lex::{self, Word};
use super::line::cron;
use super::tools::{Tool, base_name, takes_files};
use super::value::{PathRole, Role};

impl Scan<'_, '_> {
    pub(super) fn remove(&mut self, args: &mut Args<'_>, depth: usize) {
        let role = Role::file(Context::Killed).path(PathRole::As(Context::Killed));
        while let Some(word) = args.next() {
            if word.class & (lex::OUT | lex::IN) != 0 {
                self.redirect(args.text, word, depth);
            } else {
                self.word(args.text, word, role, depth);
            }
        }
    }

    pub(super) fn chmod(&mut self, args: &mut Args<'_>, context: Context, depth: usize) {
        let mut runs = None;
        while let Some(word) = args.next() {
            let arg = bare(args.text, word);
            match runs {
                None if arg.starts_with('-') && !arg.contains('x') => {}
                None => runs = Some(makes_executable(arg)),
                Some(runs) => {
                    let path = if runs { PathRole::Name(Context::Executed) } else { PathRole::Mention };
                    self.word(args.text, word, Role::file(context).path(path), depth);
                }
            }
        }
    }

    pub(super) fn interpreter(&mut self, args: &mut Args<'_>, name: &str, context: Context, depth: usize) {
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

    pub(super) fn java(&mut self, args: &mut Args<'_>, context: Context, depth: usize) {
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

    pub(super) fn copy(&mut self, args: &mut Args<'_>, context: Context, depth: usize) {
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
                self.word(args.text, source, Role::file(context), depth);
            }
        }
        if let Some(target) = last {
            let path = if count > 1 { PathRole::As(Context::Written) } else { PathRole::Mention };
            self.word(args.text, target, Role::file(context).path(path), depth);
        }
    }

    pub(super) fn echo(&mut self, args: &mut Args<'_>, context: Context, into_crontab: bool, depth: usize) {
        let text = args.text;
        let start = args.at;
        let mut into = None;
        for word in args.by_ref() {
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
        // `echo open h>s&echo get x>>s&ftp -s:s`
        let mut opens = first.is_some_and(|it| bare(text, it).eq_ignore_ascii_case("open")) && self.found.names_ftp();
        for word in args.by_ref().skip(usize::from(opens)) {
            if word.class & (lex::OUT | lex::IN) != 0 {
                self.redirect(text, word, depth);
                continue;
            }
            if std::mem::take(&mut opens) {
                self.word(text, word, Role::host(Context::Downloaded), depth);
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
    pub(super) fn account(&mut self, name: &str, context: Context) {
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
    pub(super) fn pattern(&mut self, args: &mut Args<'_>, context: Context, depth: usize) {
        let start = args.at;
        let mut spares = false;
        let text = args.text;
        if context == Context::Killed {
            for word in args.by_ref() {
                spares |= short_flags(bare(text, word)).is_some_and(|it| it.contains('v'));
            }
        }
        args.at = start;
        let context = if spares { Context::Mentioned } else { context };
        while let Some(word) = args.next() {
            if word.class & (lex::OUT | lex::IN) != 0 {
                self.redirect(args.text, word, depth);
                continue;
            }
            if self.is_dull(word) {
                continue;
            }
            if word.class & lex::SUBSTITUTION != 0 {
                self.word(args.text, word, Role::new(context), depth);
                continue;
            }
            let value = bare(args.text, word);
            let path = if context == Context::Killed { PathRole::As(Context::Killed) } else { PathRole::Mention };
            // awk's own connections
            if word.class & (lex::SLASH | lex::QUOTED) == lex::SLASH | lex::QUOTED
                && let Some(at) = value.find("/inet/")
            {
                self.found.atom(&value[at..], Role::new(context));
            }
            for part in value.split(['|', '(', ')', ' ']).map(|it| it.trim_end_matches('\\')).filter(|it| it.len() > 3)
            {
                self.found.atom(part, Role::new(context).path(path));
            }
        }
    }

    pub(super) fn user(&mut self, args: &mut Args<'_>, tool: Tool, depth: usize) {
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
    pub(super) fn net(&mut self, args: &mut Args<'_>, depth: usize) {
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

    pub(super) fn docker(&mut self, args: &mut Args<'_>, context: Context, depth: usize) {
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
        self.inner_command(args, depth);
    }

    pub(super) fn firewall(&mut self, args: &mut Args<'_>, context: Context, depth: usize) {
        let blocks = args.clone().any(|it| {
            matches!(
                bare(args.text, it).to_ascii_lowercase().as_str(),
                "drop" | "reject" | "deny" | "blackhole" | "action=block"
            )
        });
        self.all(args, Role::new(if blocks { Context::Killed } else { context }), depth);
    }

    pub(super) fn kubectl(&mut self, args: &mut Args<'_>, context: Context, depth: usize) {
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

    pub(super) fn powershell(&mut self, args: &mut Args<'_>, context: Context, depth: usize) {
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
                return self.inner_command(args, depth);
            } else {
                self.word(args.text, word, Role::new(context), depth);
            }
        }
    }

    pub(super) fn plain(&mut self, args: &mut Args<'_>, name: &str, context: Context, depth: usize) {
        // `find … -exec cmd`
        if base_name(name) == "find" {
            while let Some(word) = args.next() {
                if matches!(bare(args.text, word), "-exec" | "-execdir" | "-ok") {
                    return self.inner_command(args, depth);
                }
                self.word(args.text, word, Role::new(context), depth);
            }
            return;
        }
        if base_name(name) == "chpasswd" {
            return self.all(args, Role::new(context), depth);
        }
        let mut files = None;
        while let Some(word) = args.next() {
            if self.is_dull(word) {
                continue;
            }
            if word.class & (lex::DOT | lex::QUOTED | lex::SUBSTITUTION | lex::OUT | lex::IN | lex::COLON) == lex::DOT
                && self.key == Key::None
                && *files.get_or_insert_with(|| takes_files(name))
            {
                let role = if context == Context::Mentioned { Role::new(context) } else { call_role(context) };
                self.word(args.text, word, Role { file: true, ..role }, depth);
                continue;
            }
            self.value(args, word, context, depth);
        }
    }

    /// An unknown program may be a renamed miner: `-o pool -u wallet`.
    pub(super) fn miner(&mut self, args: &mut Args<'_>, context: Context, depth: usize) {
        while let Some(word) = args.next() {
            let dull = self.is_dull(word);
            if args.text.as_bytes()[word.start as usize] == b'-' {
                // the options below start with one of these
                let letter =
                    args.text.as_bytes()[word.start as usize + 1..word.end as usize].iter().find(|b| **b != b'-');
                if dull && !letter.is_some_and(|b| b"oupwPSsaezc".contains(b)) {
                    continue;
                }
                let arg = bare(args.text, word);
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
            if !dull {
                self.value(args, word, context, depth);
            }
        }
    }

    /// An argument whose option is not known: the word before may still say that it is a version, or a key.
    pub(super) fn value(&mut self, args: &mut Args<'_>, word: Word, context: Context, depth: usize) {
        if word.class & (lex::OUT | lex::IN) != 0 {
            return self.redirect(args.text, word, depth);
        }
        let version = word.class & lex::DOT != 0
            && args.text.as_bytes()[word.start as usize].is_ascii_digit()
            && args
                .at
                .checked_sub(2)
                .and_then(|at| args.words.get(at))
                .is_some_and(|it| says_version(bare(args.text, *it)));
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

    pub(super) fn path_value(&mut self, value: &str, context: Context) {
        self.found.path(value, Role::new(Context::Mentioned).path(PathRole::As(context)));
    }
}

fn says_version(word: &str) -> bool {
    let word = word.trim_end_matches([':', '=']);
    word.len() <= 24
        && (matches!(word, "-V" | "v")
            || RELEASED.contains(&word.to_ascii_lowercase().as_str())
            || ["version", "ver", "release"].iter().any(|it| word.to_ascii_lowercase().ends_with(it)))
}

/// What is followed by the number of its release.
const RELEASED: &[&str] = &[
    "jre",
    "jdk",
    "java",
    "openjdk",
    "openssl",
    "nginx",
    "apache",
    "php",
    "perl",
    "kernel",
    "linux",
    "firefox",
    "chrome",
    "chromium",
    "docker",
    "mysql",
    "postgresql",
    "build",
    "firmware",
    "update",
    "patch",
    "upgrade",
    "revision",
];

/// A container image reference.
pub(super) fn image(text: &str) -> Option<&str> {
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
