//! `knowledge/gangs/` and what a gang shows → the names that others may have given it, with a likelihood and why.
//!
//! A view: pure, and recomputed at will. A name is suggested, never decided. Deliberately absent: joining gangs because they bear
//! one name, and fetching anybody's list.

mod fact;
mod intel;
mod knowledge;
mod page;
mod weigh;

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::AhoCorasick;
use include_dir::{Dir, include_dir};
use ringleader_model::Outcome;

pub use fact::{Fact, FactKind};
pub use intel::Given;
pub use weigh::{LEAST, Naming, Reason, Seen, Shown, Suggestion};

/// Beyond it, a user's further files are refused.
const MAX_KNOWN: usize = 4096;

/// A gang is a group that acts; a family is a kit that several may run; a list is what somebody collected, of whomever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Gang,
    Family,
    List,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gang => "gang",
            Self::Family => "family",
            Self::List => "list",
        }
    }
}

/// One gang or family, as its file says.
#[derive(Debug, Clone)]
pub struct Known {
    pub id: String,
    pub name: String,
    /// Other names.
    pub names: Vec<String>,
    pub kind: Kind,
    /// When it was first told of in public: a year, or a year and a month.
    pub since: String,
    pub platforms: Vec<String>,
    /// Ids of `list methods`.
    pub methods: Vec<String>,
    /// Ids of `list behaviours`.
    pub behaviours: Vec<String>,
    /// Ids of the families that it runs.
    pub runs: Vec<String>,
    /// What it is known to do, for people.
    pub habits: Vec<String>,
    pub facts: Vec<Fact>,
    pub references: Vec<Reference>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    pub title: String,
    pub publisher: String,
    pub year: u16,
}

/// Which fact of whom: places in `KnownGangs::all` and `Known::facts`.
type Place = (u32, u32);

/// Everything known about gangs. Made once, shared by threads.
pub struct KnownGangs {
    known: Vec<Known>,
    /// What is asked for as a whole.
    whole: BTreeMap<(FactKind, String), Vec<Place>>,
    /// Beginnings of SSH keys.
    keys: Vec<(String, Place)>,
    urls: Parts,
    commands: Parts,
}

/// Texts that are looked for within others.
struct Parts {
    automaton: Option<AhoCorasick>,
    places: Vec<Vec<Place>>,
}

impl Parts {
    fn new(known: &[Known], kind: FactKind) -> Self {
        let mut by_text: BTreeMap<&str, Vec<Place>> = BTreeMap::new();
        for (place, fact) in facts(known).filter(|it| it.1.kind == kind) {
            by_text.entry(&fact.value).or_default().push(place);
        }
        // Too large for an automaton is nothing that a knowledge of files could be; then nothing is found.
        let automaton = (!by_text.is_empty()).then(|| AhoCorasick::new(by_text.keys()).ok()).flatten();
        Self { automaton, places: by_text.into_values().collect() }
    }

    /// Each place once, where `fits` accepts the text before and after.
    fn find(&self, text: &str, fits: impl Fn(&str, &str, &str) -> bool) -> BTreeSet<Place> {
        let mut found = BTreeSet::new();
        if let Some(automaton) = &self.automaton {
            for it in automaton.find_overlapping_iter(text) {
                let (before, rest) = (text.get(..it.start()), text.get(it.start()..it.end()));
                if let (Some(before), Some(part), Some(after)) = (before, rest, text.get(it.end()..))
                    && fits(before, part, after)
                {
                    found.extend(self.places[it.pattern()].iter().copied());
                }
            }
        }
        found
    }
}

fn facts(known: &[Known]) -> impl Iterator<Item = (Place, &Fact)> {
    known.iter().zip(0..).flat_map(|(it, gang)| it.facts.iter().zip(0..).map(move |(fact, at)| ((gang, at), fact)))
}

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../knowledge/gangs");

impl KnownGangs {
    /// The shipped knowledge.
    pub fn builtin() -> Self {
        Self::with_files(&[]).value
    }

    /// The shipped knowledge and the user's own files (name, text); one of the same id replaces the shipped one. A file that
    /// can't be read is left out, and said.
    pub fn with_files(files: &[(String, String)]) -> Outcome<Self> {
        let read = crate::knowledge::read(&SHIPPED, files, (MAX_KNOWN, "known gangs"), knowledge::parse, |it| &it.id);
        Outcome { value: Self::of(read.value), problems: read.problems }
    }

    /// The same, and what others say: STIX bundles, MISP events, plain lists. What can't be used of them is said.
    pub fn with_intel(files: &[(String, String)], intel: &[Given<'_>]) -> Outcome<Self> {
        let Outcome { value: Self { mut known, .. }, mut problems } = Self::with_files(files);
        let extractor = crate::extract::Extractor::new();
        for given in intel {
            intel::absorb(&mut known, given, &extractor, &mut problems);
        }
        Outcome { value: Self::of(known), problems }
    }

    /// Of what is at hand, in this order.
    pub fn of(mut known: Vec<Known>) -> Self {
        share(&mut known);
        let mut whole: BTreeMap<(FactKind, String), Vec<Place>> = BTreeMap::new();
        let mut keys = Vec::new();
        for (place, fact) in facts(&known) {
            match fact.kind {
                FactKind::UrlPart | FactKind::Command => {}
                FactKind::SshKey => keys.push((fact.value.clone(), place)),
                kind => whole.entry((kind, fact.value.clone())).or_default().push(place),
            }
        }
        let (urls, commands) = (Parts::new(&known, FactKind::UrlPart), Parts::new(&known, FactKind::Command));
        Self { known, whole, keys, urls, commands }
    }

    /// In order of id.
    pub fn all(&self) -> &[Known] {
        &self.known
    }

    pub fn fact(&self, place: (u32, u32)) -> Option<&Fact> {
        self.known.get(place.0 as usize)?.facts.get(place.1 as usize)
    }

    /// The generated page.
    pub fn markdown(&self) -> String {
        page::markdown(&self.known)
    }
}

/// Notes of each fact how many of its kind have it: what several gangs are known by tells less of each.
fn share(known: &mut [Known]) {
    let mut holders: BTreeMap<(Kind, FactKind, String), BTreeSet<usize>> = BTreeMap::new();
    for (at, it) in known.iter().enumerate() {
        for fact in &it.facts {
            holders.entry((it.kind, fact.kind, fact.value.clone())).or_default().insert(at);
        }
    }
    for it in known {
        for fact in &mut it.facts {
            let n = holders.get(&(it.kind, fact.kind, fact.value.clone())).map_or(1, BTreeSet::len);
            fact.holders = u16::try_from(n).unwrap_or(u16::MAX);
        }
    }
}

#[cfg(test)]
mod tests;
