//! what a gang shows → whom it may be, and why. Abstains where two are meant nearly as much.
//!
//! Facts speak as witnesses do: the chance that all err is the product of their chances. Those of one group hang together, so
//! each further one counts less. A name needs two groups, or something unique: one hired server or one file's name names
//! nobody. What is killed is a rival's, and says nothing of the gang.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ringleader_model::{Context, IndicatorKind};

use super::fact::Group;
use super::knowledge::spelled;
use super::{Fact, FactKind, Kind, Known, KnownGangs, Place};
use crate::merge::sketch::reach;

/// A name is suggested from this likelihood on, thousandths.
pub const LEAST: u16 = 650;
const MOST: u32 = 990;
/// A group of facts is a witness from this on, thousandths.
const WITNESS: u32 = 250;
/// So many servers that nobody else is known by are no accident.
const SERVERS: usize = 3;
/// The other is meant nearly as much, where its chance to be wrong is not this many times larger.
const APART: u64 = 3;
/// Below this, thousandths, it is no rival.
const RIVAL: u32 = 400;
/// Ways in and habits support; they are anyone's.
const SUPPORT: u32 = 50;
const SUPPORTS: usize = 4;
/// Of one command line.
const MAX_COMMAND: usize = 16 * 1024;
const FOLDERS: usize = 16;
/// Programs whose arguments are what is fought or looked for, not what is had.
const AGAINST: &[&str] = &[
    "pkill",
    "killall",
    "kill",
    "taskkill",
    "taskkill.exe",
    "grep",
    "egrep",
    "fgrep",
    "pgrep",
    "pidof",
    "rm",
    "rmdir",
    "unlink",
    "shred",
    "del",
    "sed",
    "awk",
    "find",
    "ls",
    "stat",
    "test",
    "[",
    "chattr",
    "userdel",
    "deluser",
    "apt",
    "apt-get",
    "yum",
    "iptables",
];
/// Words that turn any command against something.
const AGAINST_WORDS: &[&str] = &["/delete", "delete", "stop", "disable", "rmi"];

/// What a gang shows.
#[derive(Debug, Clone, Default)]
pub struct Shown<'a> {
    /// With the contexts in which this gang has it.
    pub indicators: Vec<(IndicatorKind, &'a str, Vec<Context>)>,
    /// Command lines, or templates of them.
    pub commands: Vec<&'a str>,
    /// Ids.
    pub methods: Vec<&'a str>,
    pub behaviours: Vec<&'a str>,
    /// When it was active, microseconds.
    pub first: Option<i64>,
    pub last: Option<i64>,
}

/// Where a fact was found: a place in `Shown::indicators` or `Shown::commands`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seen {
    Indicator(usize),
    Command(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    pub kind: FactKind,
    /// The fact, as it is known.
    pub fact: String,
    pub seen: Seen,
    /// Thousandths, by itself.
    pub weight: u32,
    pub expired: bool,
    /// How many are known by it.
    pub holders: u16,
    /// Who says so, and how surely (thousandths), where it is not the shipped knowledge.
    pub source: Option<(Arc<str>, u16)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// Place in `KnownGangs::all`.
    pub known: usize,
    /// Thousandths.
    pub likelihood: u16,
    /// Heaviest first.
    pub because: Vec<Reason>,
    /// Methods and behaviours that fit.
    pub support: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Naming {
    /// One gang at most, and any number of families: likeliest first.
    pub suggestions: Vec<Suggestion>,
    /// Those that could each be meant, so that none is.
    pub undecided: Vec<usize>,
}

/// The heaviest fact that each sighting fits, of one known gang.
type Sightings = BTreeMap<Seen, (u32, Place, bool)>;

struct Candidate {
    suggestion: Suggestion,
    /// The chance to be wrong, millionths.
    miss: u64,
    unique: bool,
    named: bool,
}

impl KnownGangs {
    /// Cost: O(text shown), and a little for each fact found.
    pub fn suggest(&self, shown: &Shown<'_>) -> Naming {
        let mut found: BTreeMap<u32, Sightings> = BTreeMap::new();
        let mut note = |seen: Seen, place: Place| {
            let Some(fact) = self.fact(place) else { return };
            let (weight, expired) = fact.weight(shown.first, shown.last);
            let slot = found.entry(place.0).or_default().entry(seen).or_insert((weight, place, expired));
            if (weight, slot.1) > (slot.0, place) {
                *slot = (weight, place, expired);
            }
        };
        for (at, (kind, value, contexts)) in shown.indicators.iter().enumerate() {
            if contexts.iter().any(|it| is_its_own(*kind, value, *it)) {
                self.indicator(*kind, value, &mut |place| note(Seen::Indicator(at), place));
            }
        }
        for (at, command) in shown.commands.iter().enumerate() {
            for part in deeds(command) {
                self.command(part, &mut |place| note(Seen::Command(at), place));
            }
        }
        let candidates = found.into_iter().map(|(at, it)| self.candidate(at as usize, &it, shown)).collect();
        decide(&self.known, candidates)
    }

    /// Whether any fact fits an indicator.
    pub fn knows(&self, kind: IndicatorKind, value: &str) -> bool {
        let mut known = false;
        self.indicator(kind, value, &mut |_| known = true);
        known
    }

    fn indicator(&self, kind: IndicatorKind, value: &str, note: &mut dyn FnMut(Place)) {
        match kind {
            IndicatorKind::Wallet => self.whole(FactKind::Wallet, value, note),
            IndicatorKind::Hash => self.whole(FactKind::Hash, &value.to_ascii_lowercase(), note),
            IndicatorKind::Email => self.whole(FactKind::Email, &value.to_ascii_lowercase(), note),
            IndicatorKind::Account => self.whole(FactKind::Account, value, note),
            IndicatorKind::UserAgent => self.whole(FactKind::UserAgent, value, note),
            IndicatorKind::Image => self.image(&value.to_ascii_lowercase(), note),
            IndicatorKind::SshKey => {
                self.keys.iter().filter(|it| value.starts_with(it.0.as_str())).for_each(|it| note(it.1));
            }
            IndicatorKind::Ip | IndicatorKind::IpPort | IndicatorKind::Domain | IndicatorKind::Pool => {
                self.server(value, note);
            }
            IndicatorKind::Url | IndicatorKind::Paste => {
                let rest = value.split_once("://").map_or(value, |it| it.1);
                let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default();
                // A part that ends within a name is another name.
                let whole = |_: &str, part: &str, after: &str| part.ends_with('/') || !goes_on(after);
                self.urls.find(path, whole).into_iter().for_each(&mut *note);
                let name = path.split(['?', '#']).next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
                self.whole(FactKind::File, &spelled(name), note);
            }
            IndicatorKind::FilePath => self.path(value, note),
            IndicatorKind::Cron => {}
        }
    }

    fn whole(&self, kind: FactKind, value: &str, note: &mut dyn FnMut(Place)) {
        if let Some(places) = self.whole.get(&(kind, value.to_owned())) {
            places.iter().for_each(|it| note(*it));
        }
    }

    /// With any tag or none.
    fn image(&self, value: &str, note: &mut dyn FnMut(Place)) {
        let plain = value.split_once('@').map_or(value, |it| it.0);
        let untagged = plain.rsplit_once(':').filter(|it| !it.1.contains('/')).map_or(plain, |it| it.0);
        self.whole(FactKind::Image, untagged.strip_prefix("docker.io/").unwrap_or(untagged), note);
    }

    /// A server by name and by each name above it, or by address with and without port.
    fn server(&self, value: &str, note: &mut dyn FnMut(Place)) {
        let value = value.split_once("://").map_or(value, |it| it.1);
        self.whole(FactKind::Address, value, note);
        let host = value.split_once(':').map_or(value, |it| it.0);
        if host != value {
            self.whole(FactKind::Address, host, note);
        }
        let mut name = host;
        for _ in 0..FOLDERS {
            self.whole(FactKind::Domain, name, note);
            let Some((_, above)) = name.split_once('.') else { break };
            name = above;
        }
    }

    /// A file by its path and by each folder above it, or by its name.
    fn path(&self, value: &str, note: &mut dyn FnMut(Place)) {
        let value = spelled(value);
        let mut path = value.as_str();
        for _ in 0..FOLDERS {
            self.whole(FactKind::Path, path, note);
            let Some(at) = path.rfind(['/', '\\']).filter(|at| *at > 0) else { break };
            path = path.get(..at).unwrap_or_default();
        }
        self.whole(FactKind::File, value.rsplit(['/', '\\']).next().unwrap_or_default(), note);
    }

    fn command(&self, part: &str, note: &mut dyn FnMut(Place)) {
        let whole = |before: &str, part: &str, after: &str| {
            let starts_inside = before.ends_with(|it: char| it.is_alphanumeric()) && begins_word(part);
            let ends_inside = part.ends_with(|it: char| it.is_alphanumeric()) && goes_on(after);
            !starts_inside && !ends_inside
        };
        self.commands.find(part, whole).into_iter().for_each(&mut *note);
        // What it is called that runs.
        let program = part.split_ascii_whitespace().next().unwrap_or_default().trim_matches(['"', '\'']);
        let name = spelled(program);
        self.whole(FactKind::File, name.rsplit(['/', '\\']).next().unwrap_or_default(), note);
    }

    fn candidate(&self, at: usize, sightings: &Sightings, shown: &Shown<'_>) -> Candidate {
        let known = &self.known[at];
        // The same fact, seen twice, is one fact.
        let mut facts: BTreeMap<Place, (u32, Seen, bool)> = BTreeMap::new();
        for (seen, (weight, place, expired)) in sightings {
            facts.entry(*place).or_insert((*weight, *seen, *expired));
        }
        let found: Vec<(&Fact, u32, Seen, bool)> =
            facts.into_iter().filter_map(|(place, it)| Some((self.fact(place)?, it.0, it.1, it.2))).collect();
        let mut because: Vec<Reason> = Vec::new();
        let (mut unique, mut servers) = (false, BTreeSet::new());
        let mut groups: BTreeMap<Group, Vec<u32>> = BTreeMap::new();
        for (fact, weight, seen, expired) in &found {
            unique |= fact.is_unique();
            if fact.kind.group() == Group::Server && fact.holders <= 1 && !expired {
                servers.insert(server(&fact.value));
            }
            groups.entry(witness(fact, found.iter().map(|it| it.0))).or_default().push(*weight);
            because.push(Reason {
                kind: fact.kind,
                fact: fact.value.clone(),
                seen: *seen,
                weight: *weight,
                expired: *expired,
                holders: fact.holders,
                source: fact.source.clone().map(|it| (it, fact.confidence)),
            });
        }
        because.sort_by(|a, b| (b.weight, &a.fact, a.seen).cmp(&(a.weight, &b.fact, b.seen)));
        let mut miss: u64 = 1_000_000;
        let mut witnesses = 0;
        for weights in groups.values_mut() {
            weights.sort_unstable_by(|a, b| b.cmp(a));
            let mut of_group: u64 = 1_000_000;
            for (weight, n) in weights.iter().zip(0..) {
                of_group = of_group * u64::from(1000 - (*weight * 2 / (2 + n)).min(999)) / 1000;
            }
            witnesses += usize::from(1_000_000 - of_group >= u64::from(WITNESS) * 1000);
            miss = miss * of_group / 1_000_000;
        }
        let support = support(known, shown);
        for _ in &support {
            miss = miss * u64::from(1000 - SUPPORT) / 1000;
        }
        let miss = miss.max(u64::from(1000 - MOST) * 100);
        let likelihood = u16::try_from((1000 - miss.div_ceil(1000)).min(u64::from(MOST))).unwrap_or(0);
        let named = likelihood >= LEAST && (unique || witnesses >= 2 || servers.len() >= SERVERS);
        // Standing on a list is a fact, and names nobody.
        let named = named || (known.kind == Kind::List && !because.is_empty());
        Candidate { suggestion: Suggestion { known: at, likelihood, because, support }, miss, unique, named }
    }
}

/// The group that a fact speaks for. A command line or a URL that names a file or a server says it again.
fn witness<'f>(fact: &Fact, found: impl Iterator<Item = &'f Fact>) -> Group {
    let own = fact.kind.group();
    if matches!(own, Group::Identity | Group::Server | Group::File) {
        return own;
    }
    let word = |it: &Fact| match it.kind {
        FactKind::Path => it.value.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase(),
        _ => it.value.trim_matches('/').to_ascii_lowercase(),
    };
    let said = word(fact);
    let earlier = |it: &&Fact| it.kind.group() < own && it.kind.group() != Group::Identity;
    let same = |it: &&Fact| {
        let named = word(it);
        !named.is_empty() && (said.contains(&named) || named.contains(&said))
    };
    found.filter(earlier).filter(same).map(|it| it.kind.group()).min().unwrap_or(own)
}

/// Ports of one address, and names below one, are one server.
fn server(value: &str) -> &str {
    let host = value.split(':').next().unwrap_or_default();
    if host.ends_with(|it: char| it.is_ascii_digit()) {
        return host;
    }
    host.rmatch_indices('.').nth(1).and_then(|(at, _)| host.get(at + 1..)).unwrap_or(host)
}

fn support(known: &Known, shown: &Shown<'_>) -> Vec<String> {
    let methods = known.methods.iter().filter(|it| shown.methods.contains(&it.as_str()));
    let behaviours = known.behaviours.iter().filter(|it| shown.behaviours.contains(&it.as_str()));
    methods.chain(behaviours).take(SUPPORTS).cloned().collect()
}

/// The best gang, where no other could be meant as well; and the families.
fn decide(known: &[Known], mut candidates: Vec<Candidate>) -> Naming {
    candidates.sort_by_key(|it| (!it.named, it.miss, it.suggestion.known));
    let mut naming = Naming::default();
    let (lists, candidates): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|it| known[it.suggestion.known].kind == Kind::List);
    naming.suggestions.extend(lists.into_iter().map(|it| it.suggestion));
    let (gangs, families): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|it| known[it.suggestion.known].kind == Kind::Gang);
    if let Some(best) = gangs.iter().find(|it| it.named) {
        let rivals: Vec<usize> = gangs.iter().filter(|it| rivals(best, it)).map(|it| it.suggestion.known).collect();
        if rivals.is_empty() {
            naming.suggestions.push(best.suggestion.clone());
        } else {
            naming.undecided.push(best.suggestion.known);
            naming.undecided.extend(rivals);
        }
    }
    // One gang may run several kits; but one sighting is no evidence of two.
    for (at, it) in families.iter().enumerate().filter(|it| it.1.named) {
        let seen: BTreeSet<Seen> = it.suggestion.because.iter().map(|it| it.seen).collect();
        let same = |other: &&Candidate| other.suggestion.because.iter().any(|it| seen.contains(&it.seen));
        let others = families.iter().enumerate().filter(|other| other.0 != at).map(|it| it.1).filter(same);
        let others: Vec<&Candidate> = others.collect();
        if others.iter().any(|other| rivals(it, other)) {
            naming.undecided.push(it.suggestion.known);
        } else if !others.iter().any(|other| other.named && rivals(other, it)) {
            naming.suggestions.push(it.suggestion.clone());
        }
    }
    naming.suggestions.sort_by_key(|it| (std::cmp::Reverse(it.likelihood), it.known));
    naming.undecided.sort_unstable();
    naming.undecided.dedup();
    naming
}

/// `other` could be meant as well as `best`.
fn rivals(best: &Candidate, other: &Candidate) -> bool {
    let stands = u32::from(other.suggestion.likelihood) >= RIVAL && (other.unique || !best.unique);
    other.suggestion.known != best.suggestion.known && stands && other.miss <= best.miss.saturating_mul(APART)
}

/// It has it, and does not merely fight or name it.
fn is_its_own(kind: IndicatorKind, value: &str, context: Context) -> bool {
    match context {
        Context::Killed | Context::Mentioned => false,
        Context::Configured => true,
        context => reach(kind, value, context).is_some(),
    }
}

/// The parts of a command line that do something, those against something excepted.
fn deeds(command: &str) -> impl Iterator<Item = &str> {
    let mut end = command.len().min(MAX_COMMAND);
    while !command.is_char_boundary(end) {
        end -= 1;
    }
    let command = command.get(..end).unwrap_or_default();
    command.split([';', '\n']).flat_map(|it| it.split("&&")).map(str::trim).filter(|part| {
        let mut words = part.split(|it: char| it.is_ascii_whitespace() || matches!(it, '|' | '(' | '`' | '"' | '\''));
        let name = |word: &str| word.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        !part.is_empty() && !words.any(|it| AGAINST.contains(&name(it).as_str()) || AGAINST_WORDS.contains(&it))
    })
}

/// A name goes on here.
fn goes_on(after: &str) -> bool {
    after.starts_with(|it: char| it.is_alphanumeric())
}

fn begins_word(part: &str) -> bool {
    part.starts_with(|it: char| it.is_alphanumeric())
}
