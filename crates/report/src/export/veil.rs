//! The fleet's names, addresses and users → a veil over every text that leaves: below TLP:RED each is a pseudonym.
//! Deliberately absent: knowing all that could tell of a victim. What is hidden is what the findings name as a host, an
//! address or a user of the fleet, the parts of host names, and every address that no router forwards.
//!
//! A pseudonym is keyed by what the whole findings hold, so that within one export it is stable, and whoever guesses a name
//! cannot check the guess. Nothing random: the same findings give the same bytes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::Regex;
use sha2::{Digest as _, Sha256};

use super::harm::{self, is_public};

/// Hex digits of a pseudonym: two of a million hosts share one with a chance of about a half; then both still are hidden.
const DIGITS: usize = 10;
/// Shorter names stand in every text by chance: they are hidden where a host stands, and stay within other text.
const MIN_NAME: usize = 3;
/// From this length on, what has a digit or a mark in it is hidden within longer words too: `web-014` in `web-014x.log`.
const MIN_PART: usize = 5;
/// Users taken from texts; the rest of a flood is hidden where a home folder stands only.
const MAX_USERS: usize = 1 << 16;
/// What a host may be called and every other command line says anyway: it tells of nobody, and hiding it would spoil every
/// URL or path.
const PLAIN_WORDS: &[&str] = &[
    "admin",
    "apache",
    "api",
    "app",
    "bash",
    "bin",
    "busybox",
    "cache",
    "centos",
    "client",
    "cloud",
    "cmd",
    "com",
    "cron",
    "curl",
    "data",
    "debian",
    "default",
    "dev",
    "dns",
    "docker",
    "etc",
    "exe",
    "file",
    "ftp",
    "git",
    "home",
    "host",
    "http",
    "https",
    "java",
    "kubernetes",
    "lib",
    "linux",
    "local",
    "localhost",
    "log",
    "logs",
    "mail",
    "mysql",
    "net",
    "nginx",
    "node",
    "nohup",
    "opt",
    "perl",
    "php",
    "postgres",
    "proc",
    "proxy",
    "python",
    "redis",
    "root",
    "server",
    "service",
    "shell",
    "shm",
    "sshd",
    "ssh",
    "sudo",
    "sys",
    "system",
    "systemd",
    "tcp",
    "test",
    "tmp",
    "ubuntu",
    "udp",
    "unix",
    "user",
    "usr",
    "var",
    "web",
    "wget",
    "windows",
    "www",
];
/// Accounts that every system has.
const PLAIN_USERS: &[&str] = &[
    "admin",
    "administrator",
    "all",
    "apache",
    "appuser",
    "centos",
    "daemon",
    "debian",
    "default",
    "docker",
    "ec2-user",
    "elasticsearch",
    "ftp",
    "git",
    "guest",
    "hadoop",
    "jenkins",
    "mysql",
    "nginx",
    "nobody",
    "oracle",
    "pi",
    "postgres",
    "public",
    "redis",
    "root",
    "service",
    "sshd",
    "system",
    "test",
    "tomcat",
    "ubuntu",
    "user",
    "weblogic",
    "www",
    "www-data",
];

static USERS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r#"(?i)(?:/home/|/export/home/|/Users/|\\Users\\|\\Documents and Settings\\)(?P<user>[^/\\\s"'`;:|&<>(){}\[\],*?$%]{2,64})"#,
        r"(?i)(?-u:\b)(?:ssh|scp|sftp|rsync)\s(?:[^|;&]{0,200}?[\s])?(?P<user>[a-z_][\w.-]{1,63})@",
        r#"(?i)"(?:user|user_name|username|TargetUserName|SubjectUserName|account)"\s*:\s*"(?P<user>[^"\\]{2,64})""#,
        r"(?i)(?-u:\b)(?:accepted|failed) (?:password|publickey) for (?:invalid user )?(?P<user>[a-z_][\w.-]{1,63}) from ",
        r"(?-u:\b)(?:AUID|UID|acct)=.(?P<user>[a-z_][\w.-]{1,63}).",
    ]
    .iter()
    .map(|it| Regex::new(it).expect("patterns are tested"))
    .collect()
});

/// One of these stands in every text in which [`USERS`] find any: a text without is done at the speed of a scan.
static HINTS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let hints =
        ["/home/", "users", "settings\\", "ssh", "scp", "sftp", "rsync", "user", "account", " for ", "uid=", "acct="];
    AhoCorasick::builder().ascii_case_insensitive(true).build(hints).expect("hints are few")
});

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Host,
    Network,
    Address,
    User,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Network => "network",
            Self::Address => "addr",
            Self::User => "user",
        }
    }
}

/// What must not be named, while it is gathered. Order does not matter.
#[derive(Default)]
pub(crate) struct Names {
    /// name → what it is, and which name it is another spelling of
    names: BTreeMap<String, (Kind, String)>,
    accounts: BTreeSet<String>,
    users: BTreeSet<String>,
    hidden: Sha256,
}

impl Names {
    /// A host of the fleet, by whatever it is called, and its addresses.
    pub(crate) fn host(&mut self, name: &str, addresses: &[impl AsRef<str>]) {
        let whole = name.trim().to_lowercase();
        self.hidden.update(whole.as_bytes());
        self.hidden.update([0]);
        for address in addresses {
            self.address(address.as_ref());
        }
        if whole.parse::<IpAddr>().is_ok() {
            self.address(&whole);
            return;
        }
        if whole.is_empty() {
            return;
        }
        self.name(&whole, Kind::Host, &whole);
        // `web-01.corp.example`: the label alone is the same host, what follows is the network's name.
        let mut rest = whole.as_str();
        if let Some((label, above)) = rest.split_once('.') {
            self.name(label, Kind::Host, &whole);
            rest = above;
            while rest.contains('.') && !harm::is_anybodys(rest) {
                self.name(rest, Kind::Network, rest);
                rest = rest.split_once('.').map_or("", |it| it.1);
            }
        }
    }

    pub(crate) fn address(&mut self, address: &str) {
        let Ok(ip) = address.trim().parse::<IpAddr>() else { return };
        if ip.is_loopback() || ip.is_unspecified() {
            return;
        }
        let text = ip.to_string();
        self.hidden.update(text.as_bytes());
        self.hidden.update([1]);
        if ip.is_ipv4() {
            // As clouds name their machines: `ip-10-20-0-17`.
            self.name(&text.replace('.', "-"), Kind::Address, &text);
        }
        self.name(&text, Kind::Address, &text);
    }

    fn name(&mut self, name: &str, kind: Kind, same_as: &str) {
        if name.len() >= MIN_NAME && !PLAIN_WORDS.contains(&name) && !name.bytes().all(|b| b.is_ascii_digit()) {
            self.names.entry(name.to_owned()).or_insert_with(|| (kind, same_as.to_owned()));
        }
    }

    /// An account that an intruder made: no user of the fleet.
    pub(crate) fn intruders_account(&mut self, name: &str) {
        self.accounts.insert(name.to_lowercase());
    }

    /// Users whom a raw line or a command names.
    pub(crate) fn users_in(&mut self, text: &str) {
        if !HINTS.is_match(text) {
            return;
        }
        for user in USERS.iter().flat_map(|it| it.captures_iter(text)).filter_map(|it| it.name("user")) {
            let user = user.as_str().to_lowercase();
            if self.users.len() < MAX_USERS && is_personal(&user) {
                self.users.insert(user);
            }
        }
    }

    /// What nobody outside can know, for the key.
    pub(crate) fn secret(&mut self, text: &str) {
        self.hidden.update(text.as_bytes());
        self.hidden.update([2]);
    }

    /// What the key is made of, in the order it was given.
    pub(crate) fn veil(mut self) -> Veil {
        for user in std::mem::take(&mut self.users) {
            if !self.accounts.contains(&user) && user.len() >= MIN_NAME {
                self.names.entry(user.clone()).or_insert((Kind::User, user));
            }
        }
        let key: [u8; 32] = self.hidden.finalize().into();
        let (names, kinds): (Vec<String>, Vec<(Kind, String)>) = self.names.into_iter().unzip();
        let automaton =
            AhoCorasick::builder().ascii_case_insensitive(true).build(&names).ok().filter(|_| !names.is_empty());
        let shown = kinds.iter().map(|(kind, same)| pseudonym(&key, *kind, same)).collect();
        let anywhere =
            names.iter().zip(&kinds).map(|(name, (kind, _))| *kind == Kind::Host && is_telling(name)).collect();
        let kinds = kinds.into_iter().map(|it| it.0).collect();
        Veil { hides: true, key, automaton, names, kinds, shown, anywhere, accounts: self.accounts }
    }
}

/// Whether a user's name can be somebody's.
fn is_personal(user: &str) -> bool {
    !PLAIN_USERS.contains(&user)
        && !user.starts_with('<')
        && !user.contains("***")
        && user.chars().any(char::is_alphabetic)
}

/// Not a word that could stand within another by chance.
fn is_telling(name: &str) -> bool {
    name.len() >= MIN_PART && name.chars().any(|c| !c.is_alphabetic())
}

fn pseudonym(key: &[u8; 32], kind: Kind, name: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(key);
    hasher.update(kind.word());
    hasher.update([0]);
    hasher.update(name);
    let mut out = format!("{}-", kind.word());
    out.extend(
        hasher
            .finalize()
            .iter()
            .flat_map(|it| [it >> 4, it & 15])
            .take(DIGITS)
            .map(|it| char::from(b"0123456789abcdef"[usize::from(it)])),
    );
    out
}

/// Hides what is the fleet's; at TLP:RED it hides nothing.
pub(crate) struct Veil {
    hides: bool,
    key: [u8; 32],
    automaton: Option<AhoCorasick>,
    names: Vec<String>,
    kinds: Vec<Kind>,
    shown: Vec<String>,
    /// Whether it is hidden within longer words too.
    anywhere: Vec<bool>,
    /// Intruders' own, which stay.
    accounts: BTreeSet<String>,
}

impl Veil {
    /// For TLP:RED.
    pub(crate) fn lifted(mut self) -> Self {
        self.hides = false;
        self
    }

    /// A host, where a host stands.
    pub(crate) fn host(&self, name: &str) -> String {
        if !self.hides {
            return name.to_owned();
        }
        let name = name.trim().to_lowercase();
        match self.names.binary_search(&name) {
            Ok(at) => self.shown[at].clone(),
            Err(_) => pseudonym(&self.key, Kind::Host, &name),
        }
    }

    /// Any text: pseudonyms instead of what is the fleet's.
    pub(crate) fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !self.hides {
            return Cow::Borrowed(text);
        }
        let spans = self.spans(text);
        if spans.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for (start, end, shown) in spans {
            out.push_str(&text[at..start]);
            out.push_str(&shown);
            at = end;
        }
        out.push_str(&text[at..]);
        Cow::Owned(out)
    }

    /// Whether a text says anything of the fleet.
    pub(crate) fn touches(&self, text: &str) -> bool {
        self.hides && !self.spans(text).is_empty()
    }

    /// Whether an address is a host's of the fleet, at any level.
    pub(crate) fn is_own(&self, address: &str) -> bool {
        let found = self.names.binary_search_by(|it| it.as_str().cmp(address));
        found.is_ok_and(|at| matches!(self.kinds[at], Kind::Address | Kind::Host))
    }

    /// What is hidden: in order, none within another, each at character boundaries.
    fn spans<'s>(&'s self, text: &str) -> Vec<(usize, usize, Cow<'s, str>)> {
        let mut found: Vec<(usize, usize, Cow<'s, str>)> = Vec::new();
        if let Some(automaton) = &self.automaton {
            for it in automaton.find_overlapping_iter(text) {
                let at = it.pattern().as_usize();
                if stands_alone(text, it.start(), it.end(), self.kinds[at], self.anywhere[at]) {
                    found.push((it.start(), it.end(), Cow::Borrowed(&*self.shown[at])));
                }
            }
        }
        for (start, end, ip) in addresses(text) {
            let tells =
                !is_public(ip) && !ip.is_loopback() && !ip.is_unspecified() && !ip.is_multicast() && !is_broadcast(ip);
            if tells {
                found.push((start, end, Cow::Owned(pseudonym(&self.key, Kind::Address, &ip.to_string()))));
            }
        }
        if text.contains(['/', '\\', '@']) && HINTS.is_match(text) {
            for user in USERS.iter().take(2).flat_map(|it| it.captures_iter(text)).filter_map(|it| it.name("user")) {
                let name = user.as_str().to_lowercase();
                if is_personal(&name)
                    && !self.accounts.contains(&name)
                    && !name.starts_with("host-")
                    && !name.starts_with("user-")
                    && !name.starts_with("addr-")
                {
                    found.push((user.start(), user.end(), Cow::Owned(pseudonym(&self.key, Kind::User, &name))));
                }
            }
        }
        // Leftmost, then longest.
        found.sort_by_key(|it| (it.0, std::cmp::Reverse(it.1)));
        let mut end = 0;
        found.retain(|it| {
            let apart = it.0 >= end;
            if apart {
                end = it.1;
            }
            apart
        });
        found
    }
}

fn is_broadcast(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(ip) if ip.is_broadcast())
}

/// Whether what was found is the name, and not a part of another one.
fn stands_alone(text: &str, start: usize, end: usize, kind: Kind, anywhere: bool) -> bool {
    let (Some(before), Some(after)) = (text.get(..start), text.get(end..)) else { return false };
    let (last, next) = (before.chars().next_back(), after.chars().next());
    if kind == Kind::Address {
        let goes_on = |rest: &str| {
            let mut rest = rest.chars();
            let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
            match rest.next() {
                Some('.') => digit(rest.next()),
                c => digit(c),
            }
        };
        let reversed: String = before.chars().rev().take(2).collect();
        return !goes_on(after) && !goes_on(&reversed);
    }
    if anywhere {
        // `web-1` in `web-10` is another host, and one that may be nobody's.
        let number_goes_on =
            text[..end].ends_with(|c: char| c.is_ascii_digit()) && next.is_some_and(|c| c.is_ascii_digit());
        return !number_goes_on;
    }
    !last.is_some_and(char::is_alphanumeric) && !next.is_some_and(char::is_alphanumeric)
}

/// Every address that stands in a text.
fn addresses(text: &str) -> Vec<(usize, usize, IpAddr)> {
    let mut out = Vec::new();
    let bytes = text.as_bytes();
    let part = |b: u8| b.is_ascii_hexdigit() || b == b'.' || b == b':';
    let mut at = 0;
    while at < bytes.len() {
        if !part(bytes[at]) {
            at += 1;
            continue;
        }
        let end = bytes[at..].iter().position(|b| !part(*b)).map_or(bytes.len(), |n| at + n);
        let run = &text[at..end];
        if run.len() >= 3 && run.contains([':', '.']) {
            whole_or_parts(run, at, &mut out);
        }
        at = end;
    }
    out
}

/// A run of digits, points and colons: an address as a whole, or several, with ports between.
fn whole_or_parts(run: &str, offset: usize, out: &mut Vec<(usize, usize, IpAddr)>) {
    let trimmed = run.trim_end_matches([':', '.']);
    if let Ok(ip) = trimmed.parse::<IpAddr>() {
        out.push((offset, offset + trimmed.len(), ip));
        return;
    }
    let mut at = offset;
    for piece in run.split(':') {
        let digits = piece.trim_matches(|c: char| !c.is_ascii_digit());
        if let Ok(ip) = digits.parse::<IpAddr>() {
            let start = at + piece.find(digits).unwrap_or(0);
            out.push((start, start + digits.len(), ip));
        } else {
            // `1.10.0.0.1.2`: any four numbers in it may be meant.
            quads(piece, at, out);
        }
        at += piece.len() + 1;
    }
}

fn quads(piece: &str, offset: usize, out: &mut Vec<(usize, usize, IpAddr)>) {
    let mut starts = vec![0];
    starts.extend(piece.match_indices('.').map(|it| it.0 + 1));
    // Long runs of numbers are object identifiers and the like.
    if !(4..=12).contains(&starts.len()) {
        return;
    }
    for (nth, start) in starts.iter().enumerate().take(starts.len() - 3) {
        let end = starts.get(nth + 4).map_or(piece.len(), |it| it - 1);
        if let Ok(ip) = piece[*start..end].parse::<IpAddr>() {
            out.push((offset + start, offset + end, ip));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn veil() -> Veil {
        let mut names = Names::default();
        names.host("web-014.corp.example", &["10.20.0.17", "203.0.113.200"]);
        names.host("gitlab", &[] as &[&str]);
        names.host("http", &[] as &[&str]);
        names.host("Win-APP04", &["fd00::17"]);
        names.secret("the lines");
        names.users_in("Accepted password for alice.k from 10.20.0.9 port 22 ssh2");
        names.intruders_account("hild3u");
        names.users_in("cat /home/hild3u/x /home/bob/y");
        names.veil()
    }

    #[test]
    fn what_is_the_fleets_is_hidden_wherever_it_stands() {
        let veil = veil();
        for text in [
            "scp /etc/passwd WEB-014:/tmp",
            "http://e.test/up.php?h=web-014",
            "/tmp/web-014x.tar",
            "ping 10.20.0.17:80",
            "curl http://ip-10-20-0-17.ec2/",
            "nc 203.0.113.200 1",
            "git clone gitlab:/x",
            "x.corp.example",
            "win-app04$",
            "ssh fd00::17 id",
            "su - alice.k",
            "cat /home/carol/.ssh/id_rsa",
            r"C:\Users\dave\x.exe",
            "ssh -p 22 erin@198.51.100.7",
            "nmap 192.168.7.0/24",
            "1.10.99.99.1",
            "[fe80::1]:22",
        ] {
            let hidden = veil.text(text);
            assert!(veil.touches(text), "{text}");
            for name in [
                "web-014",
                "10.20.0.17",
                "10-20-0-17",
                "203.0.113.200",
                "gitlab",
                "corp.example",
                "app04",
                "fd00",
                "alice",
                "carol",
                "dave",
                "erin",
                "192.168",
                "10.99",
                "fe80",
            ] {
                assert!(!hidden.to_lowercase().contains(name), "{text} → {hidden}");
            }
        }
    }

    #[test]
    fn what_is_the_attackers_or_nobodys_stays() {
        let veil = veil();
        for text in [
            "http://198.51.100.7/x.sh",
            "web-0145",
            "203.0.113.20",
            "203.0.113.2001",
            "gitlabs",
            "useradd hild3u; ls /home/hild3u",
            "/home/ubuntu/x",
            "ssh root@198.51.100.7",
            "127.0.0.1:80 0.0.0.0",
            "version 1.2.3",
            "aa:bb:cc",
        ] {
            assert_eq!(veil.text(text), text);
        }
    }

    #[test]
    fn a_host_has_one_pseudonym_under_all_its_names_and_another_in_other_findings() {
        let veil = veil();
        assert_eq!(veil.host("WEB-014"), veil.host("web-014.corp.example"));
        assert_eq!(veil.text("web-014"), veil.host("web-014"));
        assert_ne!(veil.host("http"), "http");
        let mut others = Names::default();
        others.host("web-014.corp.example", &["10.20.0.17"]);
        others.secret("other lines");
        assert_ne!(others.veil().host("web-014"), veil.host("web-014"));
        assert!(veil.is_own("10.20.0.17") && !veil.is_own("198.51.100.7"));
        assert_eq!(veil.lifted().text("web-014"), "web-014");
    }

    proptest! {
        #[test]
        fn any_text_is_cut_at_characters_and_hiding_twice_is_hiding_once(a in any::<String>(), b in any::<String>()) {
            let veil = veil();
            let text = format!("{a} web-014 {b} 10.20.0.17 {a} /home/{b}/x");
            let once = veil.text(&text).into_owned();
            prop_assert!(!once.contains("web-014") && !once.contains("10.20.0.17"), "{}", once);
            prop_assert_eq!(veil.text(&once).into_owned(), once.clone());
        }
    }
}
