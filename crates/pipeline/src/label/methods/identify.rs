//! a payload's text → the methods it is an instance of.
//!
//! One automaton over all methods' literals and rare words says which methods to look at, and for nearly every
//! request of a web log says: none. For those, the likeness of token n-grams to the method's skeletons is weighed.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::grams::{self, GAP, Rarity, Skeleton, Token};
use super::normalize::normalize;
use super::{Method, MethodIdx, MethodMatch, Stage};

/// Below this nothing is said.
pub(super) const ANSWERS_FROM: u16 = 500;
/// Literals, nothing to run, and otherwise little like the exploit: a search for it, a page about it.
const MENTIONED_BELOW: u16 = 300;
/// Likeness that speaks for itself where a literal is missing.
const LIKE_FROM: u16 = 600;
/// Rare words shorter than this point at too much.
const MIN_HINT: usize = 6;
const QUOTE: usize = 96;

/// Ordinary requests, so that what they share with exploits weighs little.
const ORDINARY: &str = include_str!("ordinary.txt");

#[derive(Debug, Clone, Copy)]
enum Use {
    Must { method: u16, group: u16, literal: u16 },
    Attack { method: u16, literal: u16 },
    Hint { method: u16 },
}

pub(super) struct Texts {
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
    hint: bool,
}

impl Found {
    /// Whether the likeness is worth its cost.
    fn worth_weighing(&self, method: &Method) -> bool {
        let complete = self.must.len() == method.must.len();
        complete || usize::from(!self.must.is_empty()) + usize::from(self.attack.is_some()) + usize::from(self.hint) >= 2
    }
}

impl Texts {
    pub(super) fn new(methods: &[Method]) -> Self {
        let mut rarity = Rarity::default();
        for line in ORDINARY.lines().filter(|line| !line.is_empty()) {
            rarity.add(&grams::grams(&grams::tokens(&normalize(line))), true);
        }
        let texts: Vec<Vec<String>> = methods.iter().map(|it| it.requests.iter().map(|it| open(it)).collect()).collect();
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
        let patterns = patterns(methods, &texts, &rarity);
        let literals = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::DFA))
            .match_kind(MatchKind::Standard)
            .build(patterns.keys())
            .expect("a few thousand short literals fit an automaton");
        Self { literals, uses: patterns.into_values().collect(), skeletons }
    }

    pub(super) fn identify(&self, methods: &[Method], payload: &str) -> Vec<MethodMatch> {
        let text = normalize(payload);
        let mut found: BTreeMap<u16, Found> = BTreeMap::new();
        for hit in self.literals.find_overlapping_iter(&text) {
            for &it in &self.uses[hit.pattern().as_usize()] {
                match it {
                    Use::Must { method, group, literal } => {
                        found.entry(method).or_default().must.entry(group).or_insert((literal, hit.end()));
                    }
                    Use::Attack { method, literal } => {
                        found.entry(method).or_default().attack.get_or_insert((literal, hit.end()));
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
        let mut judged: Vec<(usize, MethodMatch)> = found
            .iter()
            .filter_map(|(&method, found)| self.judge(methods, method, found, &grams, &text))
            .collect();
        // The more exact literals win a tie, then the id.
        judged.sort_by_key(|(exact, it)| (std::cmp::Reverse((it.confidence_permille, *exact)), it.method));
        judged.into_iter().map(|(_, it)| it).collect()
    }

    fn judge(
        &self,
        methods: &[Method],
        at: u16,
        found: &Found,
        grams: &[u64],
        text: &str,
    ) -> Option<(usize, MethodMatch)> {
        let method = &methods[usize::from(at)];
        let skeletons = &self.skeletons[usize::from(at)];
        let like = skeletons.iter().map(|it| it.contained_permille(grams)).max().unwrap_or(0);
        let attacked = found.attack.is_some() || method.attack.is_empty();
        let exact: usize = found
            .must
            .iter()
            .map(|(&group, &(literal, _))| method.must[usize::from(group)][usize::from(literal)].normalized.len())
            .sum();
        let confidence = if found.must.len() == method.must.len() {
            if like < MENTIONED_BELOW && !attacked {
                return None;
            }
            let exactness = u16::try_from(exact.min(40)).unwrap_or(40) / 2;
            450 + like / 5 * 2 + exactness + if attacked { 100 } else { 0 }
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

fn patterns(methods: &[Method], texts: &[Vec<String>], rarity: &Rarity) -> BTreeMap<String, Vec<Use>> {
    let mut patterns: BTreeMap<String, Vec<Use>> = BTreeMap::new();
    for (at, method) in (0u16..).zip(methods) {
        for (group, literals) in (0u16..).zip(&method.must) {
            for (literal, it) in (0u16..).zip(literals) {
                patterns.entry(it.normalized.clone()).or_default().push(Use::Must { method: at, group, literal });
            }
        }
        for (literal, it) in (0u16..).zip(&method.attack) {
            patterns.entry(it.normalized.clone()).or_default().push(Use::Attack { method: at, literal });
        }
        for token in texts[usize::from(at)].iter().flat_map(|text| grams::tokens(text)) {
            let Token::Word(word) = token else { continue };
            let rare = grams::grams(&[token]).iter().all(|&gram| rarity.seen(gram) == 1);
            if word.len() >= MIN_HINT && rare {
                patterns.entry(word.to_owned()).or_default().push(Use::Hint { method: at });
            }
        }
    }
    patterns
}

/// The literal where it stands, with a little of what surrounds it.
fn quote(text: &str, end: usize, length: usize) -> String {
    let length = length.min(QUOTE);
    let around = (QUOTE - length) / 2;
    let from = text.floor_char_boundary(end.saturating_sub(length + around / 2));
    let to = text.ceil_char_boundary((end + around).min(text.len()));
    text[from..to].replace(|c: char| c.is_control(), " ")
}
