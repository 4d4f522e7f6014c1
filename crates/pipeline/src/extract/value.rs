//! one word, and what its place in the command says of it → indicators. Deliberately absent: deciding the place
//! (`command`).

use std::net::{IpAddr, Ipv4Addr};

use ringleader_model::{Context, Indicator, IndicatorKind};

use super::path::{is_executable_place, is_volatile, is_writable_place, path_in};
use super::url::{self, Host, Scheme, Url};
use super::{host, identifier, wallet};

/// What the place of a word says of the values in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Role {
    pub context: Context,
    /// The word names a host, so a name under a public suffix is one.
    pub host: bool,
    /// The word is a downloader's argument, so `host/path` is a URL.
    pub url: bool,
    pub path: PathRole,
    /// A miner's user.
    pub wallet: bool,
    /// The word is a version: four numbers are no address.
    pub version: bool,
    /// The word names a file: a name under a public suffix is none of a host.
    pub file: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathRole {
    /// Worth naming only where payloads are put.
    Mention,
    /// An absolute path, or a relative one with a directory.
    As(Context),
    /// As well a bare name: `sh x`.
    Name(Context),
}

impl Role {
    pub(crate) const fn new(context: Context) -> Self {
        Self { context, host: false, url: false, path: PathRole::Mention, wallet: false, version: false, file: false }
    }
    pub(crate) const fn host(context: Context) -> Self {
        Self { host: true, ..Self::new(context) }
    }
    pub(crate) const fn url(context: Context) -> Self {
        Self { url: true, ..Self::new(context) }
    }
    pub(crate) const fn file(context: Context) -> Self {
        Self { file: true, ..Self::new(context) }
    }
    pub(crate) const fn path(self, path: PathRole) -> Self {
        Self { path, ..self }
    }
}

/// Collects what was found in one layer of a text.
pub(crate) struct Found<'o> {
    pub out: &'o mut Vec<Indicator>,
    pub decoded: bool,
    /// The whole text: what writes to `authorized_keys` may stand far from the key.
    pub whole: &'o str,
    /// What is asked of the whole text, once.
    pub asked: Asked,
}

#[derive(Default)]
pub(crate) struct Asked {
    authorized_keys: Option<bool>,
    /// `rm+-rf+/tmp/x`
    form: Option<bool>,
}

impl Found<'_> {
    pub(crate) fn emit(&mut self, kind: IndicatorKind, value: impl Into<String>, context: Context) {
        // A hostile line could name millions; what is beyond this many is noise.
        if self.out.len() < super::MAX_FOUND {
            self.out.push(Indicator { kind, value: value.into(), context, decoded: self.decoded });
        }
    }

    fn is_form(&mut self) -> bool {
        let whole = self.whole.as_bytes();
        *self.asked.form.get_or_insert_with(|| memchr::memmem::find(whole, b"+/").is_some())
    }

    fn writes_keys(&mut self) -> bool {
        let whole = self.whole;
        *self.asked.authorized_keys.get_or_insert_with(|| whole.contains("authorized_keys"))
    }

    /// One word without its quotes.
    pub(crate) fn atom(&mut self, text: &str, role: Role) {
        if let Some(at) = dev_tcp(text) {
            self.dev_tcp(&text[at..]);
            return;
        }
        if self.path(text, role) {
            return;
        }
        self.candidates(text, role);
    }

    /// Whether the text runs `ftp`, which is what its `open` is then said to.
    pub(super) fn names_ftp(&self) -> bool {
        memchr::memmem::find(self.whole.as_bytes(), b"ftp").is_some()
    }

    /// Whether the whole word is a path.
    pub(crate) fn path(&mut self, text: &str, role: Role) -> bool {
        let Some(path) = path_in(
            text,
            matches!(role.path, PathRole::Name(_) | PathRole::As(_)),
            matches!(role.path, PathRole::Name(_)),
        ) else {
            return false;
        };
        // a request's `rm+-rf+/tmp/x`: the decoded layer shows the path
        if memchr::memchr(b'+', path.as_bytes()).is_some() && self.is_form() {
            return true;
        }
        if path.starts_with("\\\\")
            && let Some(host) = unc_host(path)
        {
            self.endpoint(host, None, Context::Connected);
        }
        let context = match role.path {
            PathRole::Mention if is_volatile(path) => role.context,
            PathRole::Mention => return true,
            PathRole::As(context) | PathRole::Name(context) => context,
        };
        let worth = match context {
            Context::Executed => is_executable_place(path, text.starts_with("./")),
            Context::Written | Context::Killed => is_writable_place(path),
            _ => true,
        };
        if worth {
            // a path from JSON has its backslashes doubled
            let value = match path.strip_prefix("\\\\") {
                _ if !path.contains("\\\\") => path.to_owned(),
                Some(rest) => format!("\\\\{}", rest.replace("\\\\", "\\")),
                None => path.replace("\\\\", "\\"),
            };
            self.emit(IndicatorKind::FilePath, value, context);
        }
        true
    }

    /// Every URL, host, address, hash, wallet … that stands anywhere in the word.
    pub(crate) fn candidates(&mut self, text: &str, role: Role) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            if !RUN[bytes[at] as usize] {
                at += 1;
                continue;
            }
            let start = at;
            let mut dotted = false;
            while at < bytes.len() && RUN[bytes[at] as usize] {
                dotted |= bytes[at] == b'.';
                at += 1;
            }
            match bytes.get(at) {
                Some(b':') => {
                    if bytes[at + 1..].starts_with(b"//")
                        && let Some(found) = url::at(text, at)
                    {
                        at = found.end;
                        self.url(&found, role);
                        continue;
                    }
                    if at - start <= 4
                        && let Some(end) = self.ipv6(text, start, role)
                    {
                        at = end;
                        continue;
                    }
                }
                Some(b'@') => {
                    if let Some(end) = self.email(text, start, at, role) {
                        at = end;
                        continue;
                    }
                }
                _ => {}
            }
            if start >= 2
                && &bytes[start - 2..start] == b"::"
                && !role.version
                && let Some(end) = self.ipv6(text, start - 2, role)
            {
                at = end;
                continue;
            }
            if (dotted || role.host || role.url)
                && let Some(end) = self.host(text, start, at, role)
            {
                at = end.max(at);
                continue;
            }
            if at - start >= 26 || bytes[start..at].starts_with(b"AAAA") {
                at = self.tokens(text, start, at, role).max(at);
            }
        }
    }

    pub(crate) fn url(&mut self, url: &Url<'_>, role: Role) {
        let context = match url.kind {
            Scheme::Pool | Scheme::Lookup | Scheme::Endpoint if role.context == Context::Mentioned => {
                Context::Connected
            }
            _ => role.context,
        };
        match url.kind {
            Scheme::Url | Scheme::Lookup => {
                self.emit(IndicatorKind::Url, url.value(), context);
                if let Some(id) = url::paste(url.host_text, url.rest) {
                    self.emit(IndicatorKind::Paste, id, context);
                }
            }
            Scheme::Pool => {
                self.pool_user(url.authority);
                if let Some(port) = url.port {
                    self.pool(url.host, port, context);
                    return;
                }
            }
            Scheme::Endpoint => {}
        }
        self.endpoint(url.host, url.port, context);
    }

    /// The host, and with the port where it is an address.
    pub(crate) fn endpoint(&mut self, host: Host<'_>, port: Option<u16>, context: Context) {
        match host {
            Host::Ip(IpAddr::V4(ip)) => {
                let text = quad_text(ip);
                if let Some(port) = port {
                    self.emit(IndicatorKind::IpPort, format!("{text}:{port}"), context);
                }
                self.emit(IndicatorKind::Ip, text, context);
            }
            Host::Ip(IpAddr::V6(ip)) => {
                self.emit(IndicatorKind::Ip, ip.to_string(), context);
                if let Some(port) = port {
                    self.emit(IndicatorKind::IpPort, format!("[{ip}]:{port}"), context);
                }
            }
            Host::Domain(name) => self.emit(IndicatorKind::Domain, name.to_ascii_lowercase(), context),
            Host::Local(_) => {}
        }
    }

    pub(crate) fn pool(&mut self, host: Host<'_>, port: u16, context: Context) {
        let name = match host {
            Host::Ip(IpAddr::V6(ip)) => format!("[{ip}]"),
            Host::Ip(ip) => ip.to_string(),
            Host::Domain(name) => name.to_ascii_lowercase(),
            Host::Local(_) => return,
        };
        self.emit(IndicatorKind::Pool, format!("{name}:{port}"), context);
        self.endpoint(host, Some(port), context);
    }

    /// The wallet of `wallet.rig@pool:port`.
    fn pool_user(&mut self, authority: &str) {
        if let Some((user, _)) = authority.rsplit_once('@') {
            self.tokens(user, 0, user.len(), Role { wallet: true, ..Role::new(Context::Configured) });
        }
    }

    /// `host:port` or `scheme://host:port` where a miner takes its pool.
    pub(crate) fn pool_text(&mut self, text: &str, context: Context) -> bool {
        let rest = text.find("://").map_or(text, |at| &text[at + 3..]);
        let Some((host, port)) = rest.rsplit_once(':') else { return false };
        let digits = port.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 || digits > 5 || !matches!(port.as_bytes().get(digits), None | Some(b'/' | b'#')) {
            return false;
        }
        let (Ok(port), host) = (port[..digits].parse::<u16>(), host.rsplit('@').next().unwrap_or(host)) else {
            return false;
        };
        match url::host_of(host) {
            Some(host @ (Host::Ip(_) | Host::Domain(_))) if port > 0 => {
                self.pool_user(rest);
                self.pool(host, port, context);
                true
            }
            _ => false,
        }
    }

    fn ipv6(&mut self, text: &str, start: usize, role: Role) -> Option<usize> {
        let bytes = text.as_bytes();
        let length =
            bytes[start..].iter().take(48).take_while(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.')).count();
        let mut end = start + length;
        if bytes.get(end).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
            || (start > 0 && RUN[bytes[start - 1] as usize])
        {
            return None;
        }
        while end > start && matches!(bytes[end - 1], b'.')
            || (end > start + 1 && bytes[end - 1] == b':' && bytes[end - 2] != b':')
        {
            end -= 1;
        }
        let ip = host::ipv6(&text[start..end])?;
        let close = bytes.get(end) == Some(&b']') && start > 0 && bytes[start - 1] == b'[';
        let port = close.then(|| port_at(bytes, end + 1)).flatten();
        self.endpoint(Host::Ip(IpAddr::V6(ip)), port.map(|it| it.0), role.context);
        Some(port.map_or(end, |it| it.1))
    }

    /// `user@host`: an e-mail address, or a login where the role says so.
    fn email(&mut self, text: &str, start: usize, sign: usize, role: Role) -> Option<usize> {
        let bytes = text.as_bytes();
        if role.host || role.url {
            return None;
        }
        let length = bytes[sign + 1..].iter().take_while(|b| RUN[**b as usize]).count();
        let end = trim_end(bytes, sign + 1, sign + 1 + length);
        let (local, domain) = (&text[start..sign], &text[sign + 1..end]);
        let after = bytes.get(end).copied();
        let ok = local.as_bytes()[0].is_ascii_alphanumeric()
            && !matches!(after, Some(b':' | b'/' | b'@'))
            && (start == 0 || !matches!(bytes[start - 1], b'/' | b'@'))
            && host::is_bare_domain(domain, None, after);
        ok.then(|| {
            self.emit(IndicatorKind::Email, text[start..end].to_ascii_lowercase(), role.context);
            self.emit(IndicatorKind::Domain, domain.to_ascii_lowercase(), role.context);
            end
        })
    }

    /// An address or a domain in the run; gives where what it took ends.
    fn host(&mut self, text: &str, start: usize, run_end: usize, role: Role) -> Option<usize> {
        let bytes = text.as_bytes();
        let end = trim_end(bytes, start, run_end);
        if end == start {
            return None;
        }
        let before = start.checked_sub(1).map(|at| bytes[at]);
        let named = role.host || role.url;
        // mx.example.net[192.0.2.25]:25
        let bracketed = before == Some(b'[') && bytes.get(end) == Some(&b']');
        let port = port_at(bytes, end + usize::from(bracketed));
        let after =
            bytes.get(end).copied().filter(|b| *b != b'[' || !bytes.get(end + 1).is_some_and(u8::is_ascii_digit));
        if bytes[start].is_ascii_digit() {
            let quad = bytes[start..end].iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
            if let Some(ip) = host::dotted_quad(&bytes[start..start + quad]) {
                let rest = &bytes[start + quad..end];
                let range = rest.first() == Some(&b'-') && rest[1..].iter().all(|b| b.is_ascii_digit() || *b == b'.');
                if !(rest.is_empty() || range)
                    || role.version
                    || !named && self.is_release(text, start)
                    || role.host && !role.url && is_network(&bytes[start + quad..])
                    || ip.octets()[0] == 255
                    || !(named || is_address_place(text, start, start + quad))
                {
                    return Some(run_end);
                }
                if role.url
                    && matches!(bytes.get(port.map_or(end, |it| it.1)), Some(b'/' | b'?'))
                    && let Some(url) = url::schemeless(text, start)
                {
                    self.url(&url, role);
                    return Some(url.end);
                }
                self.endpoint(Host::Ip(IpAddr::V4(ip)), port.map(|it| it.0), role.context);
                if let Some(last) = rest.get(1..).and_then(host::dotted_quad) {
                    self.endpoint(Host::Ip(IpAddr::V4(last)), None, role.context);
                }
                return Some(port.map_or(end, |it| it.1));
            }
            if named
                && matches!(before, None | Some(b'@'))
                && !host::is_short_version(&bytes[start..end])
                && let Some(ip) = host::number_address(&text[start..end])
            {
                let ip = Host::Ip(IpAddr::V4(ip));
                if role.url
                    && matches!(bytes.get(port.map_or(end, |it| it.1)), Some(b'/' | b'?'))
                    && let Some(url) = url::schemeless(text, start)
                {
                    self.url(&url, role);
                    return Some(url.end);
                }
                self.endpoint(ip, port.map(|it| it.0), role.context);
                return Some(port.map_or(end, |it| it.1));
            }
        }
        // `-h192.0.2.1`
        if bytes[start] == b'-'
            && bytes.get(start + 1).is_some_and(u8::is_ascii_alphabetic)
            && host::dotted_quad(&bytes[start + 2..end]).is_some()
        {
            return self.host(text, start + 2, run_end, Role { host: true, ..role });
        }
        let name = &text[start..end];
        if !name.contains('.') {
            return None;
        }
        let is_name = if named && matches!(before, None | Some(b'@' | b'=')) {
            host::is_domain(name) && (role.host || matches!(after, Some(b'/' | b':')) || !host::ends_like_a_file(name))
        } else {
            let in_word = before.is_some_and(|b| !b.is_ascii()) && goes_on(&text[..start]);
            let in_path = after == Some(b'/') && before == Some(b'/');
            !role.file && !in_word && !in_path && host::is_bare_domain(name, before, after)
        };
        if !is_name {
            return None;
        }
        if role.url
            && matches!(bytes.get(port.map_or(end, |it| it.1)), Some(b'/' | b'?'))
            && let Some(url) = url::schemeless(text, start)
        {
            self.url(&url, role);
            return Some(url.end);
        }
        self.endpoint(Host::Domain(name), None, role.context);
        Some(port.map_or(end, |it| it.1))
    }

    /// Hashes, wallets and keys in a long run; gives where what it took ends.
    fn tokens(&mut self, text: &str, start: usize, end: usize, role: Role) -> usize {
        let bytes = text.as_bytes();
        if KEY_HEADS.iter().any(|head| text[start..].starts_with(head)) {
            let length =
                bytes[start..].iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')).count();
            let padding = bytes[start + length..].iter().take(2).take_while(|b| **b == b'=').count();
            if length >= 64 {
                let context = if self.writes_keys() { Context::Configured } else { role.context };
                self.emit(IndicatorKind::SshKey, &text[start..start + length + padding], context);
                return start + length + padding;
            }
        }
        let joined = |at: Option<&u8>| at.is_some_and(|b| matches!(b, b'+' | b'/' | b'='));
        let mut at = start;
        for token in text[start..end].split(['.', '-', '_']) {
            let (from, to) = (at, at + token.len());
            at = to + 1;
            if token.len() < 26 {
                continue;
            }
            if let Some(wallet) = wallet::wallet(token, role.wallet) {
                let context =
                    if role.context == Context::Mentioned && role.wallet { Context::Configured } else { role.context };
                let value = if wallet.starts_with("0x") { wallet.to_ascii_lowercase() } else { wallet.to_owned() };
                self.emit(IndicatorKind::Wallet, value, context);
            } else if is_hash(token.as_bytes())
                && !self.is_identifier(text, from, to)
                && !(joined(bytes.get(to)) && joined(from.checked_sub(1).and_then(|it| bytes.get(it))))
            {
                self.emit(IndicatorKind::Hash, token.to_ascii_lowercase(), role.context);
            }
        }
        end
    }

    /// `text` is a part of the whole, in which what stands before it says what it is.
    fn is_identifier(&self, text: &str, from: usize, to: usize) -> bool {
        let place = (text.as_ptr() as usize).checked_sub(self.whole.as_ptr() as usize);
        match place.filter(|at| self.whole.get(*at..).is_some_and(|it| it.starts_with(text))) {
            Some(at) => identifier::is_identifier(self.whole, at + from, at + to),
            None => identifier::is_identifier(text, from, to),
        }
    }

    /// `Version=4.0.0.0`, `"version": "4.0.0.0"`.
    fn is_release(&self, text: &str, start: usize) -> bool {
        let place = (text.as_ptr() as usize).checked_sub(self.whole.as_ptr() as usize);
        let head = place.and_then(|at| self.whole.as_bytes().get(at.saturating_sub(16)..at + start));
        let head = head.filter(|it| it.ends_with(&text.as_bytes()[..start])).unwrap_or(&text.as_bytes()[..start]);
        let marks = head.iter().rev().take_while(|b| matches!(b, b'"' | b'\'' | b' ' | b'=' | b':' | b'(')).count();
        let word = &head[..head.len() - marks];
        marks > 0 && word.len() >= 7 && word[word.len() - 7..].eq_ignore_ascii_case(b"version")
    }

    fn dev_tcp(&mut self, text: &str) {
        // awk's /inet/tcp/<own port>/host/port
        let mut parts = text.split('/').skip(if text.starts_with("/inet/") { 4 } else { 3 });
        let (Some(host), Some(port)) = (parts.next(), parts.next()) else { return };
        let digits = port.bytes().take_while(u8::is_ascii_digit).count();
        if let Some(host) = url::host_of(host) {
            self.endpoint(host, port[..digits].parse().ok(), Context::Connected);
        }
    }
}

/// As `to_string`, which formatting makes several times as slow; every hostile line has an address.
fn quad_text(ip: Ipv4Addr) -> String {
    let mut text = String::with_capacity(15);
    for (at, octet) in ip.octets().into_iter().enumerate() {
        if at > 0 {
            text.push('.');
        }
        for unit in [100, 10, 1] {
            if octet >= unit || unit == 1 {
                text.push(char::from(b'0' + octet / unit % 10));
            }
        }
    }
    text
}

const KEY_HEADS: &[&str] = &["AAAAB3NzaC1", "AAAAC3NzaC1", "AAAAE2VjZHNh", "AAAAGnNrLX", "AAAAInNrLW"];

static RUN: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0usize;
    while b < 256 {
        table[b] = (b as u8).is_ascii_alphanumeric() || matches!(b as u8, b'.' | b'-' | b'_');
        b += 1;
    }
    table
};

fn trim_end(bytes: &[u8], start: usize, mut end: usize) -> usize {
    while end > start && !bytes[end - 1].is_ascii_alphanumeric() {
        end -= 1;
    }
    end
}

/// `:port` at `at`, and where it ends.
fn port_at(bytes: &[u8], at: usize) -> Option<(u16, usize)> {
    if bytes.get(at) != Some(&b':') {
        return None;
    }
    let digits = bytes[at + 1..].iter().take(6).take_while(|b| b.is_ascii_digit()).count();
    let end = at + 1 + digits;
    if digits == 0
        || digits > 5
        || bytes.get(end).is_some_and(|b| {
            b.is_ascii_alphanumeric() || *b == b'.' && bytes.get(end + 1).is_some_and(u8::is_ascii_digit)
        })
    {
        return None;
    }
    let port = bytes[at + 1..end].iter().fold(0u32, |value, digit| value * 10 + u32::from(digit - b'0'));
    u16::try_from(port).ok().filter(|port| *port > 0).map(|port| (port, end))
}

/// Four numbers stand in many places; here only where an address may.
fn is_address_place(text: &str, start: usize, end: usize) -> bool {
    let bytes = text.as_bytes();
    let (head, tail) = (&bytes[..start], &bytes[end..]);
    let before_ok = match head {
        [] => true,
        [.., b'/', b'/'] => true,
        // tcp/192.0.2.1/4444, ReverseShell/192.0.2.1/4444, but not Chrome/120.0.0.0
        [rest @ .., b'/'] => {
            tail.first() == Some(&b'/') && tail.get(1).is_some_and(u8::is_ascii_digit) && !rest.is_empty()
                || rest.is_empty()
        }
        // ==1.2.3.4 pins a version
        [.., b'=', b'='] | [.., b'~', b'='] | [.., b'>', b'='] | [.., b'r', b'v', b':'] => false,
        [.., b'\\'] => true,
        [.., last] => !last.is_ascii_alphanumeric() && !matches!(last, b'_' | b'-' | b'.' | b'$' | b'^'),
    };
    let after_ok = match tail {
        [b'/', digit, ..] if digit.is_ascii_digit() => {
            // a network is no host
            let digits = tail[1..].iter().take_while(|b| b.is_ascii_digit()).count();
            digits > 2 || tail.get(1 + digits) == Some(&b'/') || &tail[1..1 + digits] == b"32"
        }
        [b'+' | b'~' | b'*' | b'(', ..] => false,
        [b'.', next, ..] => !next.is_ascii_alphanumeric(),
        [next, ..] => !next.is_ascii_alphanumeric() && *next != b'_',
        [] => true,
    };
    before_ok && after_ok
}

/// `/24` behind four numbers, but not `/32`.
fn is_network(tail: &[u8]) -> bool {
    let digits = tail.iter().skip(1).take_while(|b| b.is_ascii_digit()).count();
    tail.first() == Some(&b'/')
        && (1..=2).contains(&digits)
        && &tail[1..1 + digits] != b"32"
        && tail.get(1 + digits) != Some(&b'/')
}

/// Whether the text ends in a letter of a script that puts spaces between words: what follows is the word's rest.
fn goes_on(head: &str) -> bool {
    head.chars().next_back().is_some_and(|c| c < '\u{590}' && c.is_alphabetic())
}

/// The host of `\\host\share`, `\\host@80\dav`.
fn unc_host(path: &str) -> Option<Host<'_>> {
    let host = path[2..].split('\\').next()?;
    let host = host.split('@').next()?;
    url::host_of(host).filter(|it| matches!(it, Host::Ip(_) | Host::Domain(_)))
}

fn is_hash(token: &[u8]) -> bool {
    if !matches!(token.len(), 32 | 40 | 64) {
        return false;
    }
    let (mut digits, mut upper, mut lower) = (0, 0, 0);
    let mut kinds = 0u32;
    for byte in token {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'a'..=b'f' => lower += 1,
            b'A'..=b'F' => upper += 1,
            _ => return false,
        }
        kinds |= 1 << (*byte as char).to_digit(16).unwrap_or(0);
    }
    digits > 0 && upper + lower > 0 && (upper == 0 || lower == 0) && kinds.count_ones() >= 6
}

/// Where `/dev/tcp/…` or `/dev/udp/…` starts.
fn dev_tcp(text: &str) -> Option<usize> {
    let at = match text.as_bytes() {
        [b'/', b'd', ..] => 0,
        [b'/', b'i', ..] => return ["/inet/tcp/", "/inet/udp/"].iter().any(|it| text.starts_with(it)).then_some(0),
        bytes => memchr::memchr(b'=', bytes)? + 1,
    };
    ["/dev/tcp/", "/dev/udp/"].iter().any(|it| text[at..].starts_with(it)).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, role: Role) -> Vec<String> {
        let mut out = Vec::new();
        Found { out: &mut out, decoded: false, whole: text, asked: Asked::default() }.atom(text, role);
        out.sort();
        out.iter().map(|it| format!("{}:{}", it.kind.name(), it.value)).collect()
    }

    #[test]
    fn four_numbers_are_not_always_an_address() {
        let role = Role::new(Context::Mentioned);
        for text in [
            "v1.2.3.4",
            "Chrome/120.0.0.0",
            "lib-1.2.3.4.jar",
            "pkg==1.2.3.4",
            "1.2.3.4.5",
            "5.4.0-1.2.3.4-generic",
            "10.0.0.0/8",
            "255.255.255.0",
            "1.3.6.1.4.1",
            "x1.2.3.4",
            "1.2.3.4_5",
            "1.2.3.4beta",
        ] {
            assert_eq!(found(text, role), Vec::<String>::new(), "{text}");
        }
        for text in [
            "192.0.2.1",
            "192.0.2.1.",
            "(192.0.2.1)",
            "host=192.0.2.1",
            "192.0.2.1/32",
            "//192.0.2.1/share",
            "tcp/192.0.2.1/4444",
            "-h192.0.2.1",
            "192.0.2.1-254",
            "[192.0.2.1]",
        ] {
            assert_eq!(found(text, role), ["ip:192.0.2.1"], "{text}");
        }
        assert_eq!(found("192.0.2.1:80", role), ["ip:192.0.2.1", "ip_port:192.0.2.1:80"]);
        assert_eq!(found("192.0.2.1:99999", role), ["ip:192.0.2.1"]);
    }

    #[test]
    fn an_address_reads_as_it_does_anywhere() {
        for ip in [[0, 0, 0, 0], [10, 100, 9, 255], [192, 0, 2, 1], [101, 110, 205, 250]] {
            let ip = Ipv4Addr::from(ip);
            assert_eq!(quad_text(ip), ip.to_string());
        }
    }

    #[test]
    fn a_downloader_takes_hosts_without_a_scheme() {
        let role = Role::url(Context::Downloaded);
        assert_eq!(found("192.0.2.4/x.sh", role), ["url:http://192.0.2.4/x.sh", "ip:192.0.2.4"]);
        assert_eq!(
            found("evil.example:8080/s.txt", role),
            ["url:http://evil.example:8080/s.txt", "domain:evil.example"]
        );
        assert_eq!(found("get.evil.example", role), ["domain:get.evil.example"]);
        assert_eq!(found("install.sh", role), Vec::<String>::new());
        assert_eq!(found("0x7f000001/x", role), ["url:http://0x7f000001/x", "ip:127.0.0.1"]);
    }

    #[test]
    fn paths_by_their_place() {
        let mention = Role::new(Context::Mentioned);
        assert_eq!(found("/tmp/pty1", mention), ["file_path:/tmp/pty1"]);
        for text in [
            "/etc/passwd",
            "/tmp",
            "/tmp/*",
            "/var/run/docker.sock",
            "/tmp/.X11-unix/X0",
            "/bin:/usr/bin:/tmp",
            "/tmp/$x",
        ] {
            assert_eq!(found(text, mention), Vec::<String>::new(), "{text}");
        }
        let run = mention.path(PathRole::Name(Context::Executed));
        assert_eq!(found("./x86_64", run), ["file_path:x86_64"]);
        assert_eq!(found("mtr.sh", run), ["file_path:mtr.sh"]);
        assert_eq!(found("/usr/bin/ujuyfa5", run), ["file_path:/usr/bin/ujuyfa5"]);
        for text in ["/usr/bin/python3", "sh", "/dev/null", "*", "$x", "777", "-x", "/"] {
            assert_eq!(found(text, run), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn hashes_are_whole_tokens() {
        let role = Role::new(Context::Mentioned);
        assert_eq!(found("D41D8CD98F00B204E9800998ECF8427E", role), ["hash:d41d8cd98f00b204e9800998ecf8427e"]);
        assert_eq!(found("md5:d41d8cd98f00b204e9800998ecf8427e,x", role), ["hash:d41d8cd98f00b204e9800998ecf8427e"]);
        for text in [
            "d41d8cd98f00b204e9800998ecf8427",
            "00000000000000000000000000000000",
            "12345678901234567890123456789012",
            "d41d8cd98f00b204e9800998ecf8427g",
            "d41d8cd98f00b204E9800998ECF8427E",
        ] {
            assert_eq!(found(text, role), Vec::<String>::new(), "{text}");
        }
    }
}
