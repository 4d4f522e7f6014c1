//! arguments of programs that talk to other hosts → indicators. Deliberately absent: finding the program (`command`).

use std::net::IpAddr;

use ringleader_model::{Context, IndicatorKind};
use smallvec::SmallVec;

use super::args::{Args, bare, long_value, short_flags, short_value};
use super::command::{MAX_NESTING, Scan};
use super::host;
use super::lex;
use super::line::header_value;
use super::tools::{Tool, base_name};
use super::url;
use super::value::{PathRole, Role};

impl Scan<'_, '_> {
    pub(super) fn curl(&mut self, args: &mut Args<'_>, depth: usize) {
        let get = Role::url(Context::Downloaded);
        while let Some(word) = args.next() {
            let arg = bare(args.text, word);
            if !arg.starts_with('-') {
                self.word(args.text, word, get, depth);
                continue;
            }
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
                    // what is sent: `-d @/tmp/x`, `-F f=@/tmp/x`
                    let sent = bare(args.text, value);
                    let file = sent.split_once('@').filter(|it| it.0.is_empty() || it.0.ends_with('='));
                    if !file.is_some_and(|it| self.found.path(it.1, Role::new(Context::Mentioned))) {
                        self.word(args.text, value, Role::new(Context::Mentioned), depth);
                    }
                }
            } else {
                self.word(args.text, word, get, depth);
            }
        }
    }

    pub(super) fn wget(&mut self, args: &mut Args<'_>, depth: usize) {
        let get = Role::url(Context::Downloaded);
        let mut folder: Option<&str> = None;
        let mut names: SmallVec<[&str; 2]> = SmallVec::new();
        while let Some(word) = args.next() {
            let arg = bare(args.text, word);
            if !arg.starts_with('-') {
                if arg.contains('/') {
                    names.push(arg);
                }
                self.word(args.text, word, get, depth);
                continue;
            }
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
    pub(super) fn download(&mut self, args: &mut Args<'_>, name: &str, depth: usize) {
        let name = base_name(name).to_ascii_lowercase();
        let name = name.strip_suffix(".exe").unwrap_or(&name);
        let takes_target = matches!(name, "certutil" | "bitsadmin" | "lwp-download" | "esentutl" | "uclient-fetch");
        // Package managers take names; only a URL is a download.
        let role = match name {
            "pip" | "pip2" | "pip3" | "npm" | "yarn" | "gem" | "cargo" | "yum" | "dnf" => {
                Role::file(Context::Downloaded)
            }
            "go" | "rpm" | "msiexec" | "regsvr32" | "mshta" | "wmic" | "hh" | "cmstp" => {
                Role::new(Context::Downloaded).path(PathRole::Mention)
            }
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

    pub(super) fn tftp(&mut self, args: &mut Args<'_>, tool: Tool, depth: usize) {
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
    pub(super) fn connect(&mut self, args: &mut Args<'_>, name: &str, depth: usize) {
        let name = base_name(name);
        // Whether a host answers is asked of famous ones: that makes it nobody's infrastructure.
        let asks =
            matches!(name, "ping" | "ping6" | "fping" | "traceroute" | "tracert" | "tracepath" | "mtr" | "whois");
        let role = Role::host(if asks { Context::Mentioned } else { Context::Connected });
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
            if let Some(script) = arg.strip_prefix("-s:") {
                self.found.path(script, Role::new(Context::Mentioned));
            } else if arg.starts_with('-') {
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

    pub(super) fn host_and_port(&mut self, host: &str, port: &str) {
        let ip = match url::host_of(host) {
            Some(url::Host::Ip(ip)) if !host.contains(':') && !host::is_short_version(host.as_bytes()) => Some(ip),
            _ => host::ipv6(host).map(IpAddr::V6),
        };
        if let (Some(ip), Ok(port)) = (ip, port.parse::<u16>())
            && port > 0
        {
            self.found.endpoint(url::Host::Ip(ip), Some(port), Context::Connected);
        }
    }

    /// `connect(("192.0.2.1", 4444))`.
    pub(super) fn host_comma_port(&mut self, args: &str) {
        let quote = |c: char| matches!(c, '"' | '\'' | '\\' | ' ');
        if let Some((host, rest)) = args.split_once(',') {
            let port = rest.trim_start_matches(quote);
            let digits = port.bytes().take_while(u8::is_ascii_digit).count();
            self.host_and_port(host.trim_matches(quote), &port[..digits]);
        }
    }

    pub(super) fn ssh(&mut self, args: &mut Args<'_>, depth: usize) {
        while let Some(word) = args.next() {
            let arg = bare(args.text, word);
            if let Some(letters) = arg.strip_prefix('-') {
                // the last of joined ones may take a value: -fNR
                let joined = (1..=5).contains(&letters.len()) && letters.bytes().all(|b| b.is_ascii_alphabetic());
                let takes = arg == "-pw"
                    || joined
                        && !matches!(arg, "-ssh" | "-batch")
                        && arg.ends_with([
                            'i', 'p', 'o', 'l', 'L', 'R', 'D', 'F', 'J', 'b', 'c', 'E', 'e', 'I', 'm', 'O', 'Q', 'S',
                            'W', 'w', 'M', 'P',
                        ]);
                if takes && let Some(value) = args.next() {
                    self.word(args.text, value, Role::new(Context::Connected), depth);
                }
                continue;
            }
            self.word(args.text, word, Role::host(Context::Connected), depth);
            break;
        }
        // what runs over there
        self.inner_command(args, depth);
    }

    pub(super) fn socat(&mut self, args: &mut Args<'_>, depth: usize) {
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

    pub(super) fn git(&mut self, args: &mut Args<'_>, depth: usize) {
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

    pub(super) fn agent(&mut self, value: &str) {
        if !value.trim().is_empty() && value.len() <= 512 {
            self.found.emit(IndicatorKind::UserAgent, value.trim(), Context::Configured);
        }
    }

    pub(super) fn header(&mut self, value: &str, depth: usize) {
        match header_value(value, "user-agent") {
            Some(agent) => self.agent(agent),
            None => {
                if depth < MAX_NESTING {
                    self.text(value, None, depth + 1);
                }
            }
        }
    }
}
