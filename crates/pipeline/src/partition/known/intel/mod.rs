//! Intelligence of others (STIX bundles, MISP events, plain lists) → known gangs, families and lists, each fact with who says so and how
//! surely. Deliberately absent: fetching any of it, and believing what everybody shares.

mod list;
mod misp;
mod stix;

use std::collections::BTreeMap;
use std::sync::Arc;

use ringleader_model::{IndicatorKind, Problem};

use super::knowledge::value;
use super::{Fact, FactKind, Kind, Known, Reference};
use crate::extract::Extractor;
use crate::extract::host::is_public_ip;
use crate::merge::stop::{host_of, is_everybodys};

/// Facts of one source; what goes beyond is counted.
const MAX_FACTS: usize = 200_000;
/// Gangs, families and lists of one source.
const MAX_NAMES: usize = 2048;
const MAX_NAME: usize = 120;
/// A path of a URL is a habit from this length on; shorter ones are anybody's.
const LONG_PATH: usize = 12;

/// One source, as text.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// Who says so, for people: a file's name.
    pub source: &'a str,
    pub text: &'a str,
    /// How far it is trusted as a whole, 0 to 100.
    pub confidence: u8,
}

/// What one source says of one value.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Item {
    /// `None`: it stands on the list, and that is all.
    whose: Option<(String, Kind)>,
    kind: IndicatorKind,
    value: String,
    /// 0 to 100.
    confidence: u8,
    /// Days since 1970.
    from: Option<i64>,
    until: Option<i64>,
}

/// What was read of one source.
#[derive(Debug, Default)]
struct Read {
    items: Vec<Item>,
    /// Why something was not used → how often.
    skipped: BTreeMap<&'static str, u64>,
}

impl Read {
    fn skip(&mut self, why: &'static str) {
        *self.skipped.entry(why).or_default() += 1;
    }
}

/// Adds what a source says. A gang that is known under that name learns it; others are new.
pub(super) fn absorb(known: &mut Vec<Known>, given: &Given<'_>, extractor: &Extractor, problems: &mut Vec<Problem>) {
    let problem = |what: String| Problem { source: given.source.to_owned(), offset: 0, what };
    let mut read = match given.text.trim_start().as_bytes().first() {
        Some(b'{' | b'[') => match serde_json::from_str(given.text) {
            Ok(json) if stix::is_bundle(&json) => stix::read(&json, given.confidence, extractor),
            Ok(json) if misp::is_event(&json) => misp::read(&json, given.confidence),
            Ok(_) => return problems.push(problem("JSON, but neither a STIX bundle nor a MISP event".to_owned())),
            Err(error) => return problems.push(problem(format!("damaged: {error}"))),
        },
        _ => list::read(given.text, given.confidence, extractor),
    };
    let source: Arc<str> = given.source.into();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (place, it) in known.iter().enumerate() {
        for name in std::iter::once(&it.name).chain(&it.names) {
            places.entry(plain(name)).or_insert(place);
        }
    }
    let (mut facts, mut names) = (0, 0);
    for item in std::mem::take(&mut read.items) {
        let (name, kind) = item.whose.clone().unwrap_or_else(|| (given.source.to_owned(), Kind::List));
        let name: String = name.chars().filter(|it| !it.is_control()).take(MAX_NAME).collect();
        let found = facts_of(&item);
        if found.is_empty() {
            read.skip("values that tell nobody apart: private, shared by many, or of no kind that is asked for");
            continue;
        }
        let key = if kind == Kind::List { format!("list {name}") } else { plain(&name) };
        let place = match places.get(&key) {
            Some(place) => *place,
            None if names >= MAX_NAMES => {
                read.skip("of more names than one source may give");
                continue;
            }
            None => {
                names += 1;
                places.insert(key, known.len());
                let it = new(&name, kind, given.source, known.len());
                known.push(it);
                known.len() - 1
            }
        };
        for (kind, value) in found {
            if facts >= MAX_FACTS {
                read.skip("beyond the facts that one source may give");
                continue;
            }
            facts += 1;
            let confidence = u16::from(item.confidence.min(100)) * 10;
            let fact = Fact {
                from: item.from,
                until: item.until,
                confidence,
                source: Some(source.clone()),
                ..Fact::new(kind, value)
            };
            known[place].facts.push(fact);
        }
    }
    for (why, n) in read.skipped {
        problems.push(problem(format!("{n} not used: {why}")));
    }
    if facts == 0 {
        problems.push(problem("nothing in it can be asked for".to_owned()));
    }
    for it in known {
        // What is known already is not known twice: the shipped fact stands, or of two that were told the surer.
        it.facts.sort_by(|a, b| {
            (a.kind, &a.value, a.source.is_some(), std::cmp::Reverse(a.confidence)).cmp(&(
                b.kind,
                &b.value,
                b.source.is_some(),
                std::cmp::Reverse(b.confidence),
            ))
        });
        it.facts.dedup_by(|a, b| (a.kind, &a.value) == (b.kind, &b.value));
    }
}

fn new(name: &str, kind: Kind, source: &str, nth: usize) -> Known {
    let slug: String =
        name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(60).collect();
    let id = format!("intel_{}_{nth}", slug.trim_matches('_'));
    Known {
        id,
        name: name.to_owned(),
        names: Vec::new(),
        kind,
        since: String::new(),
        platforms: Vec::new(),
        methods: Vec::new(),
        behaviours: Vec::new(),
        runs: Vec::new(),
        habits: Vec::new(),
        facts: Vec::new(),
        references: vec![Reference { title: source.to_owned(), publisher: source.to_owned(), year: 0 }],
    }
}

/// `8220 Gang` and `8220-gang` are one.
fn plain(name: &str) -> String {
    name.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// What may be asked for of a value.
fn facts_of(item: &Item) -> Vec<(FactKind, String)> {
    let text = item.value.trim();
    let mut out: Vec<(FactKind, &str)> = Vec::new();
    let host = host_of(item.kind, text);
    let server = host.as_deref().filter(|host| !is_everybodys(host)).map(|host| {
        let is_address = host.parse::<std::net::IpAddr>().is_ok();
        (if is_address { FactKind::Address } else { FactKind::Domain }, host)
    });
    let server = server.filter(|it| it.0 == FactKind::Domain || is_public_ip(it.1));
    match item.kind {
        IndicatorKind::Ip | IndicatorKind::Domain => out.extend(server),
        IndicatorKind::IpPort | IndicatorKind::Pool => {
            let rest = text.split_once("://").map_or(text, |it| it.1);
            out.extend(server.map(|it| if it.0 == FactKind::Address { (it.0, rest) } else { it }));
        }
        IndicatorKind::Url | IndicatorKind::Paste => {
            out.extend(server);
            let rest = text.split_once("://").map_or(text, |it| it.1);
            let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default();
            let path = path.split(['?', '#']).next().unwrap_or_default();
            if path.len() >= LONG_PATH {
                out.push((FactKind::UrlPart, path));
            }
        }
        IndicatorKind::Hash => out.push((FactKind::Hash, text)),
        IndicatorKind::FilePath if text.contains(['/', '\\']) => out.push((FactKind::Path, text)),
        IndicatorKind::FilePath => out.push((FactKind::File, text)),
        IndicatorKind::Wallet => out.push((FactKind::Wallet, text)),
        IndicatorKind::SshKey => out.push((FactKind::SshKey, text.get(..256).unwrap_or(text))),
        IndicatorKind::Email => out.push((FactKind::Email, text)),
        IndicatorKind::Account => out.push((FactKind::Account, text)),
        IndicatorKind::UserAgent => out.push((FactKind::UserAgent, text)),
        IndicatorKind::Image => out.push((FactKind::Image, text)),
        IndicatorKind::Cron => {}
    }
    out.into_iter().filter_map(|(kind, text)| Some((kind, value(kind, text).ok()?))).collect()
}

/// RFC 3339 or seconds since 1970 → the day.
fn day(text: &str) -> Option<i64> {
    use ringleader_model::Timestamp;
    use ringleader_model::time::TimeDefaults;
    let time =
        Timestamp::parse(text, &TimeDefaults::default()).map(|it| it.0).or_else(|| Timestamp::from_epoch_text(text));
    time.map(|it| it.0.div_euclid(86_400_000_000))
}

#[cfg(test)]
mod tests;
