//! a payload's text → the methods it is an instance of.
//!
//! One automaton over all methods' most telling literals and rare words says for nearly every request of a web log:
//! none of them. For the rest a second one finds all literals, and the likeness of token n-grams to the
//! skeletons of the methods that they point at is weighed.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::grams::{self, GAP, Rarity, Skeleton, Token};
use super::normalize::normalize;
use super::{Method, MethodIdx, MethodMatch, Stage, shape};

/// Below this nothing is said.
pub(super) const ANSWERS_FROM: u16 = 500;
/// Literals, nothing to run, and otherwise little like the exploit: a search for it, a page about it.
const MENTIONED_BELOW: u16 = 300;
/// Likeness that speaks for itself where a literal is missing.
const LIKE_FROM: u16 = 900;
/// Rare words shorter than this point at too much.
const MIN_HINT: usize = 8;
/// Per method, the longest.
const MAX_HINTS: usize = 8;
const QUOTE: usize = 96;

/// Ordinary requests, so that what they share with exploits weighs little.
const ORDINARY: &str = include_str!("ordinary.txt");

#[derive(Debug, Clone, Copy)]
enum Use {
    Must { method: u16, group: u16, literal: u16 },
    Attack { method: u16, literal: u16 },
    Unless { method: u16 },
    Hint { method: u16 },
}

pub(super) struct Texts {
    /// What of each method no ordinary text has: its most telling group of `must`, and its rare words.
    anchors: AhoCorasick,
    literals: AhoCorasick,
    /// By pattern.
    uses: Vec<Vec<Use>>,
    /// By method.
    skeletons: Vec<Vec<Skeleton>>,
}

/// What of one method was found in a text.
#[derive(Default)]
struct Found {
    /// group → (literal, where it ends)
    must: BTreeMap<u16, (u16, usize)>,
    attack: Option<(u16, usize)>,
    unless: bool,
    hint: bool,
    /// Asked for, and not only spoken of: a literal stands in the path, or one with its `=` among the parameters.
    requested: bool,
}

impl Found {
    /// Whether the likeness is worth its cost.
    fn worth_weighing(&self, method: &Method) -> bool {
        let complete = self.must.len() == method.must.len();
        let signs = self.must.len() + usize::from(self.attack.is_some()) + usize::from(self.hint);
        !self.unless && (complete || signs >= 2)
    }
}

/// Requests of those who attack nobody, normalised.
pub(super) fn ordinary() -> impl Iterator<Item = String> {
    ORDINARY.lines().filter(|line| !line.is_empty()).map(normalize)
}

impl Texts {
    pub(super) fn new(methods: &[Method]) -> Self {
        let mut rarity = Rarity::default();
        let ordinary: Vec<String> = ordinary().collect();
        for text in &ordinary {
            rarity.add(&grams::grams(&grams::tokens(text)), true);
        }
        let ordinary = ordinary.join("\n");
        let texts: Vec<Vec<String>> =
            methods.iter().map(|it| it.requests.iter().map(|it| open(it)).collect()).collect();
        let by_request: Vec<Vec<Vec<u64>>> = texts
            .iter()
            .map(|requests| requests.iter().map(|text| grams::grams(&grams::tokens(text))).collect())
            .collect();
        for requests in &by_request {
            let mut all: Vec<u64> = requests.iter().flatten().copied().collect();
            all.sort_unstable();
            all.dedup();
            rarity.add(&all, false);
        }
        let skeletons = by_request
            .iter()
            .map(|requests| requests.iter().map(|grams| Skeleton::new(grams, &rarity)).collect())
            .collect();
        let patterns = patterns(methods, &texts, &ordinary);
        let is_anchor = |it: &Use| match *it {
            Use::Must { method, group, .. } => anchor_group(&methods[usize::from(method)], &ordinary) == Some(group),
            Use::Attack { .. } | Use::Unless { .. } => false,
            Use::Hint { .. } => true,
        };
        let anchors = patterns.iter().filter(|(_, uses)| uses.iter().any(is_anchor)).map(|(text, _)| text);
        // The automaton that every text passes through is the fast and large one.
        let anchors = automaton(AhoCorasickKind::DFA, anchors);
        let literals = automaton(AhoCorasickKind::ContiguousNFA, patterns.keys());
        Self { anchors, literals, uses: patterns.into_values().collect(), skeletons }
    }

    pub(super) fn identify(&self, methods: &[Method], payload: &str) -> Vec<MethodMatch> {
        let text = normalize(payload);
        if !self.anchors.is_match(&text) {
            return Vec::new();
        }
        let paths = paths(&text);
        let mut found: BTreeMap<u16, Found> = BTreeMap::new();
        for hit in self.literals.find_overlapping_iter(&text) {
            for &it in &self.uses[hit.pattern().as_usize()] {
                match it {
                    Use::Must { method, group, literal } => {
                        let found = found.entry(method).or_default();
                        found.must.entry(group).or_insert((literal, hit.end()));
                        found.requested |= paths.iter().any(|it| it.asks_for(&text, hit.range()));
                    }
                    Use::Attack { method, literal } => {
                        found.entry(method).or_default().attack.get_or_insert((literal, hit.end()));
                    }
                    Use::Unless { method } => {
                        found.entry(method).or_default().unless = true;
                    }
                    Use::Hint { method } => {
                        found.entry(method).or_default().hint = true;
                    }
                }
            }
        }
        found.retain(|&method, found| found.worth_weighing(&methods[usize::from(method)]));
        if found.is_empty() {
            return Vec::new();
        }
        let grams = grams::grams(&grams::tokens(&text));
        let read = Read { text: &text, grams: &grams, runs: shape::runs_something(&text) };
        let mut judged: Vec<(usize, MethodMatch)> =
            found.iter().filter_map(|(&method, found)| self.judge(methods, method, found, &read)).collect();
        // The more exact literals win a tie, then the id.
        judged.sort_by_key(|(exact, it)| (std::cmp::Reverse((it.confidence_permille, *exact)), it.method));
        judged.into_iter().map(|(_, it)| it).collect()
    }

    /// The first anchor in a text.
    #[cfg(test)]
    pub(super) fn anchored_by(&self, payload: &str) -> Option<String> {
        let text = normalize(payload);
        self.anchors.find(&text).map(|hit| text[hit.range()].to_owned())
    }

    fn judge(&self, methods: &[Method], at: u16, found: &Found, read: &Read<'_>) -> Option<(usize, MethodMatch)> {
        let &Read { text, grams, .. } = read;
        let method = &methods[usize::from(at)];
        let skeletons = &self.skeletons[usize::from(at)];
        let like = skeletons.iter().map(|it| it.contained_permille(grams)).max().unwrap_or(0);
        let attacked = found.attack.is_some() || method.attack.is_empty() || read.runs;
        let requested = found.requested;
        let exact: usize = found
            .must
            .iter()
            .map(|(&group, &(literal, _))| method.must[usize::from(group)][usize::from(literal)].normalized.len())
            .sum();
        let confidence = if found.must.len() == method.must.len() {
            if like < MENTIONED_BELOW && !attacked && !requested {
                return None;
            }
            let exactness = u16::try_from(exact.min(40)).unwrap_or(40) / 2;
            450 + like / 5 * 2 + exactness + if attacked { 100 } else { 0 } + if requested { 60 } else { 0 }
        } else if attacked && like >= LIKE_FROM {
            like / 4 * 3
        } else {
            0
        };
        if confidence < ANSWERS_FROM {
            return None;
        }
        let mut matched: Vec<String> = found
            .must
            .iter()
            .map(|(&group, &(literal, end))| {
                quote(text, end, method.must[usize::from(group)][usize::from(literal)].normalized.len())
            })
            .collect();
        if let Some((literal, end)) = found.attack {
            matched.push(quote(text, end, method.attack[usize::from(literal)].normalized.len()));
        }
        matched.push(format!("{}.{}% of its known form", like / 10, like % 10));
        matched.dedup();
        Some((
            exact,
            MethodMatch {
                method: MethodIdx(at),
                confidence_permille: confidence.min(980),
                stage: if attacked { Stage::Attacked } else { Stage::Probed },
                matched,
            },
        ))
    }
}

/// A payload, as every method looks at it.
struct Read<'a> {
    text: &'a str,
    grams: &'a [u64],
    /// Something in it would be run.
    runs: bool,
}

/// Where a request's path and its parameters stand in a normalised text.
struct Asked {
    from: usize,
    path_end: usize,
    end: usize,
}

impl Asked {
    fn asks_for(&self, text: &str, hit: std::ops::Range<usize>) -> bool {
        let within = self.from < hit.end && hit.end <= self.end;
        within && (hit.end <= self.path_end || text[hit].contains('='))
    }
}

/// The requests in a normalised text: at the start of a line, or quoted as logs have it.
fn paths(text: &str) -> Vec<Asked> {
    const VERBS: &[&str] = &["get", "post", "put", "head", "move", "delete", "patch", "options"];
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split('\n').take(4) {
        let head = &line.as_bytes()[..line.len().min(1024)];
        let quoted = memchr::memchr_iter(b'"', head).take(8).map(|at| at + 1);
        for at in std::iter::once(0).chain(quoted) {
            let rest = &line[at..];
            let target = match VERBS.iter().find_map(|verb| rest.strip_prefix(verb)) {
                Some(target) if target.starts_with('/') || target.starts_with(" http") => target,
                None if rest.starts_with("http://") || rest.starts_with("https://") => &rest[7..],
                _ => continue,
            };
            let from = start + line.len() - target.len();
            let ends = ["http/1", "http/2", "\""].into_iter().filter_map(|it| target.find(it));
            let end = ends.min().unwrap_or(target.len());
            let path = target[..end].find('?').unwrap_or(end);
            // The verb is a part of what is asked for (`put/`).
            found.push(Asked { from, path_end: from + path, end: from + end });
            break;
        }
        start += line.len() + 1;
    }
    found
}

fn automaton<'a>(kind: AhoCorasickKind, patterns: impl Iterator<Item = &'a String>) -> AhoCorasick {
    AhoCorasick::builder()
        .kind(Some(kind))
        .match_kind(MatchKind::Standard)
        .build(patterns)
        .expect("a few thousand short literals fit an automaton")
}

/// The group of `must` that the fewest ordinary texts have: none in our own, then the longest literals.
fn anchor_group(method: &Method, ordinary: &str) -> Option<u16> {
    let rank = |group: &[super::Literal]| {
        let seen = group.iter().any(|it| ordinary.contains(&it.normalized));
        (!seen, group.iter().map(|it| it.normalized.len()).min())
    };
    (0u16..).zip(&method.must).max_by_key(|(at, group)| (rank(group), std::cmp::Reverse(*at))).map(|(at, _)| at)
}

/// A skeleton's text, its `{{…}}` as gaps.
fn open(request: &str) -> String {
    let mut out = String::with_capacity(request.len());
    let mut rest = request;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((_, after)) = after.split_once("}}") else { break };
        out.push_str(before);
        out.push(GAP);
        rest = after;
    }
    out.push_str(rest);
    normalize(&out)
}

fn patterns(methods: &[Method], texts: &[Vec<String>], ordinary: &str) -> BTreeMap<String, Vec<Use>> {
    let mut patterns: BTreeMap<String, Vec<Use>> = BTreeMap::new();
    for (at, method) in (0u16..).zip(methods) {
        for (group, literals) in (0u16..).zip(&method.must) {
            for (literal, it) in (0u16..).zip(literals) {
                patterns.entry(it.normalized.clone()).or_default().push(Use::Must { method: at, group, literal });
            }
        }
        for it in &method.unless {
            patterns.entry(it.normalized.clone()).or_default().push(Use::Unless { method: at });
        }
        for (literal, it) in (0u16..).zip(&method.attack) {
            patterns.entry(it.normalized.clone()).or_default().push(Use::Attack { method: at, literal });
        }
    }
    for (word, method) in hints(texts, ordinary) {
        patterns.entry(word.to_owned()).or_default().push(Use::Hint { method });
    }
    patterns
}

/// The long words that stand in one method's skeletons only, and nowhere in an ordinary text.
fn hints<'a>(texts: &'a [Vec<String>], ordinary: &str) -> Vec<(&'a str, u16)> {
    let mut methods_of: BTreeMap<&str, BTreeSet<u16>> = BTreeMap::new();
    for (at, requests) in (0u16..).zip(texts) {
        for token in requests.iter().flat_map(|text| grams::tokens(text)) {
            if let Token::Word(word) = token
                && word.len() >= MIN_HINT
            {
                methods_of.entry(word).or_default().insert(at);
            }
        }
    }
    let mut by_method: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for (word, methods) in methods_of {
        if let (1, Some(&only)) = (methods.len(), methods.first())
            && !ordinary.contains(word)
        {
            by_method.entry(only).or_default().push(word);
        }
    }
    let mut hints = Vec::new();
    for (method, mut words) in by_method {
        words.sort_by_key(|word| (std::cmp::Reverse(word.len()), *word));
        hints.extend(words.into_iter().take(MAX_HINTS).map(|word| (word, method)));
    }
    hints
}

/// The literal where it stands, with a little of what surrounds it.
fn quote(text: &str, end: usize, length: usize) -> String {
    let length = length.min(QUOTE);
    let around = (QUOTE - length) / 2;
    let from = text.floor_char_boundary(end.saturating_sub(length + around / 2));
    let to = text.ceil_char_boundary((end + around).min(text.len()));
    text[from..to].replace(|c: char| c.is_control(), " ")
}
