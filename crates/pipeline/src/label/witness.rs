//! A compiled rule → texts that must stand in the event, or the rule can't match: its *witnesses*. Few command lines
//! hold all that a rule needs, and only then it is asked. Deliberately absent: whether a rule matches. A part that
//! proves nothing (a negation, a number, a missing field) asks for nothing, and a rule of such parts is always asked.

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::{Anchored, MatchKind, dfa, nfa};
use regex_syntax::hir::{Class, Hir, HirKind};
use rsigma_eval::matcher::GroupMode;
use rsigma_eval::{CompiledDetection, CompiledDetectionItem, CompiledMatcher, CompiledRule};
use rsigma_parser::{ConditionExpr, Quantifier, SelectorPattern};
use smallvec::SmallVec;

/// The fields that a process view answers to; a witness of another field is never seen.
pub(super) const FIELDS: [&str; 6] =
    ["Image", "CommandLine", "ParentImage", "ParentCommandLine", "User", "CurrentDirectory"];
/// A keyword may stand in any of them.
const ANY_FIELD: u8 = (1 << FIELDS.len()) - 1;
/// Ways in which one rule can match that are told apart; of a rule with more, less is asked.
const MAX_WAYS: usize = 32;
/// Needs that are looked for in one way; more are rarely needed to rule it out.
const MAX_NEEDS: usize = 3;
/// Shorter texts stand in every other line: they are looked for only where a way needs nothing better.
const TELLING: usize = 3;

const MAX_DFA_TEXTS: usize = 2000;

/// One of these must stand in the event: (bit per field, lower-case ASCII text).
type Need = Vec<(u8, String)>;
/// All of these must be met. None: nothing is known of this way.
type Way = Vec<Need>;

/// What a text says for the rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Hints {
    /// All needs of a way of the rule are met where the text stands in the field: (bit per field, rule).
    whole: SmallVec<[(u8, u16); 2]>,
    /// Some are, and other fields can meet the others: (bit per field, way, bit per need).
    part: SmallVec<[(u8, u16, u8); 2]>,
}

impl Hints {
    /// The text says nothing for any rule, in whatever field.
    pub(crate) fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.part.is_empty()
    }
}

struct IndexedWay {
    rule: u16,
    /// By need: the fields that can meet it.
    fields: SmallVec<[u8; MAX_NEEDS]>,
}

/// The witnesses of many rules, found in one pass over a text.
pub(super) struct Index {
    automaton: Searcher,
    /// By pattern of the automaton.
    says: Vec<Vec<(u8, u16, u8)>>,
    ways: Vec<IndexedWay>,
    /// Rules that are always asked.
    pub(super) open: Vec<u16>,
}

impl Index {
    pub(super) fn new<'r>(rules: impl Iterator<Item = &'r CompiledRule>) -> Self {
        let mut by_text: std::collections::BTreeMap<String, Vec<(u8, u16, u8)>> = std::collections::BTreeMap::new();
        let (mut open, mut ways) = (Vec::new(), Vec::new());
        for (rule, compiled) in (0u16..).zip(rules) {
            let known = of_rule(compiled);
            if known.iter().any(Vec::is_empty) || ways.len() + known.len() > usize::from(u16::MAX) {
                open.push(rule);
                continue;
            }
            for way in known {
                let at = ways.len() as u16;
                ways.push(IndexedWay {
                    rule,
                    fields: way.iter().map(|it| it.iter().fold(0, |a, b| a | b.0)).collect(),
                });
                for (bit, need) in way.into_iter().enumerate() {
                    for (fields, text) in need.into_iter().filter(|it| it.0 != 0) {
                        by_text.entry(text).or_default().push((fields, at, 1 << bit));
                    }
                }
            }
        }
        let automaton = Searcher::new(by_text.keys());
        Self { automaton, says: by_text.into_values().collect(), ways, open }
    }

    /// Cost: one pass over the text. Outside ASCII, letters have more forms than two: all that are taken for one of
    /// ASCII become that.
    pub(super) fn hints(&self, text: &str) -> Hints {
        if !text.is_ascii() {
            return self.hints_of_ascii(&text.to_lowercase().replace('ſ', "s"));
        }
        self.hints_of_ascii(text)
    }

    fn hints_of_ascii(&self, text: &str) -> Hints {
        let mut seen: SmallVec<[u32; 8]> = SmallVec::new();
        let mut met: SmallVec<[(u8, u16, u8); 8]> = SmallVec::new();
        self.automaton.each(text.as_bytes(), |pattern| {
            if seen.contains(&pattern) {
                return;
            }
            seen.push(pattern);
            for hint in &self.says[pattern as usize] {
                match met.iter_mut().find(|it| (it.0, it.1) == (hint.0, hint.1)) {
                    Some(known) => known.2 |= hint.2,
                    None => met.push(*hint),
                }
            }
        });
        self.settle(&met)
    }

    fn settle(&self, met: &[(u8, u16, u8)]) -> Hints {
        let mut out = Hints::default();
        for (fields, way, _) in met {
            let it = &self.ways[usize::from(*way)];
            for field in (0..FIELDS.len()).map(|it| 1u8 << it).filter(|it| fields & it != 0) {
                let bits = met.iter().filter(|it| it.1 == *way && it.0 & field != 0).fold(0, |all, it| all | it.2);
                let open = || it.fields.iter().enumerate().filter(|(bit, _)| bits & 1 << bit == 0);
                if open().count() == 0 {
                    if !out.whole.contains(&(field, it.rule)) {
                        out.whole.push((field, it.rule));
                    }
                } else if open().all(|(_, fields)| fields & !field != 0) && !out.part.contains(&(field, *way, bits)) {
                    out.part.push((field, *way, bits));
                }
            }
        }
        out
    }

    /// Rules whose needs are met by what stands in the fields, ascending.
    pub(super) fn candidates(&self, view: &[Option<&Hints>; FIELDS.len()]) -> SmallVec<[u16; 8]> {
        let fields = || view.iter().enumerate().filter_map(|(at, hints)| Some((1u8 << at, (*hints)?)));
        let mut out: SmallVec<[u16; 8]> = SmallVec::from_slice(&self.open);
        for (field, hints) in fields() {
            out.extend(hints.whole.iter().filter(|it| it.0 & field != 0).map(|it| it.1));
            for (_, way, _) in hints.part.iter().filter(|it| it.0 & field != 0) {
                let met = fields().fold(0, |all, (field, hints)| all | met(hints, *way, field));
                let it = &self.ways[usize::from(*way)];
                if (0..it.fields.len()).all(|bit| met & 1 << bit != 0) {
                    out.push(it.rule);
                }
            }
        }
        out.sort_unstable();
        out.dedup();
        out
    }
}

/// Finds texts in a text. A loop of our own over the automaton's states: most texts hold something, and a search that
/// stops at each and starts again costs more than to read.
enum Searcher {
    /// The faster one takes more room, which counts only with thousands of a user's rules.
    Fast(dfa::DFA),
    Small(nfa::contiguous::NFA),
}

impl Searcher {
    fn new<'t>(texts: impl ExactSizeIterator<Item = &'t String>) -> Self {
        const WHY: &str = "rules are bounded in number and length";
        if texts.len() <= MAX_DFA_TEXTS {
            let mut builder = dfa::Builder::new();
            builder.ascii_case_insensitive(true).match_kind(MatchKind::Standard);
            return Self::Fast(builder.build(texts).expect(WHY));
        }
        let mut builder = nfa::contiguous::Builder::new();
        builder.ascii_case_insensitive(true).match_kind(MatchKind::Standard);
        Self::Small(builder.build(texts).expect(WHY))
    }

    /// Which texts stand in it; one that stands in it twice is told twice.
    fn each(&self, text: &[u8], found: impl FnMut(u32)) {
        match self {
            Self::Fast(automaton) => each(automaton, text, found),
            Self::Small(automaton) => each(automaton, text, found),
        }
    }
}

fn each<A: Automaton>(automaton: &A, text: &[u8], mut found: impl FnMut(u32)) {
    let start: Option<StateID> = automaton.start_state(Anchored::No).ok();
    let Some(mut state) = start else { return };
    for byte in text {
        state = automaton.next_state(Anchored::No, state, *byte);
        if automaton.is_special(state) && automaton.is_match(state) {
            for nth in 0..automaton.match_len(state) {
                found(automaton.match_pattern(state, nth).as_u32());
            }
        }
    }
}

/// Bit per need of a way that a text meets where it stands in a field.
fn met(hints: &Hints, way: u16, field: u8) -> u8 {
    hints.part.iter().filter(|it| it.1 == way && it.0 & field != 0).fold(0, |all, it| all | it.2)
}

/// The ways in which a rule can match.
fn of_rule(rule: &CompiledRule) -> Vec<Way> {
    any(rule.conditions.iter().map(|it| of_condition(rule, it)))
}

fn unknown() -> Vec<Way> {
    vec![Vec::new()]
}

fn of_condition(rule: &CompiledRule, condition: &ConditionExpr) -> Vec<Way> {
    match condition {
        ConditionExpr::And(parts) => all(parts.iter().map(|it| of_condition(rule, it))),
        ConditionExpr::Or(parts) => any(parts.iter().map(|it| of_condition(rule, it))),
        ConditionExpr::Not(_) => unknown(),
        ConditionExpr::Identifier(name) => rule.detections.get(name).map_or_else(unknown, of_detection),
        ConditionExpr::Selector { quantifier, pattern } => {
            let named = |name: &str| match pattern {
                SelectorPattern::Them => true,
                SelectorPattern::Pattern(pattern) => {
                    pattern.strip_suffix('*').map_or(name == pattern, |front| name.starts_with(front))
                }
            };
            // By name: the ways of a rule should not depend on a map's order.
            let mut several: Vec<_> = rule.detections.iter().filter(|(name, _)| named(name)).collect();
            several.sort_by_key(|it| it.0);
            match quantifier {
                Quantifier::Any | Quantifier::Count(1..) => any(several.into_iter().map(|(_, it)| of_detection(it))),
                // Which ones it means is the engine's business; one that it does not mean proves nothing.
                Quantifier::All | Quantifier::Count(0) => unknown(),
            }
        }
    }
}

fn of_detection(detection: &CompiledDetection) -> Vec<Way> {
    match detection {
        CompiledDetection::AllOf(items) => all(items.iter().map(of_item)),
        CompiledDetection::AnyOf(parts) => any(parts.iter().map(of_detection)),
        CompiledDetection::And(parts) => all(parts.iter().map(of_detection)),
        CompiledDetection::Keywords(matcher) => of_matcher(matcher, ANY_FIELD),
        CompiledDetection::ArrayMatch { .. } | CompiledDetection::Conditional { .. } => unknown(),
    }
}

fn of_item(item: &CompiledDetectionItem) -> Vec<Way> {
    // What is fetched only where a rule is asked can't tell whether to ask it.
    let late = item.field.as_deref().is_some_and(|it| matches!(it, "CurrentDirectory" | "Hashes"));
    if item.exists.is_some() || late {
        return unknown();
    }
    let fields = match &item.field {
        Some(name) => FIELDS.iter().position(|it| it == name).map_or(0, |at| 1 << at),
        None => ANY_FIELD,
    };
    of_matcher(&item.matcher, fields)
}

fn of_matcher(matcher: &CompiledMatcher, fields: u8) -> Vec<Way> {
    let every = |parts: &[CompiledMatcher]| all(parts.iter().map(|it| of_matcher(it, fields)));
    let some = |parts: &[CompiledMatcher]| any(parts.iter().map(|it| of_matcher(it, fields)));
    match matcher {
        CompiledMatcher::Exact { value, .. }
        | CompiledMatcher::Contains { value, .. }
        | CompiledMatcher::StartsWith { value, .. }
        | CompiledMatcher::EndsWith { value, .. } => literal(value, fields),
        CompiledMatcher::AhoCorasickSet { needles, .. } => any(needles.iter().map(|it| literal(it, fields))),
        CompiledMatcher::Regex(regex) => of_pattern(regex.as_str(), fields),
        CompiledMatcher::RegexSetMatch { set, mode } => {
            let parts = set.patterns().iter().map(|it| of_pattern(it, fields));
            if *mode == GroupMode::All { all(parts) } else { any(parts) }
        }
        CompiledMatcher::AnyOf(parts) => some(parts),
        CompiledMatcher::AllOf(parts) => every(parts),
        CompiledMatcher::CaseInsensitiveGroup { children, mode } => {
            if *mode == GroupMode::All {
                every(children)
            } else {
                some(children)
            }
        }
        _ => unknown(),
    }
}

fn literal(text: &str, fields: u8) -> Vec<Way> {
    if text.is_empty() || !text.is_ascii() {
        return unknown();
    }
    vec![vec![vec![(fields, text.to_ascii_lowercase())]]]
}

fn of_pattern(pattern: &str, fields: u8) -> Vec<Way> {
    regex_syntax::parse(pattern).map_or_else(|_| unknown(), |it| of_hir(&it, fields))
}

/// Depth is bounded by the parser's own nesting limit.
fn of_hir(hir: &Hir, fields: u8) -> Vec<Way> {
    match hir.kind() {
        HirKind::Capture(it) => of_hir(&it.sub, fields),
        HirKind::Repetition(it) if it.min > 0 => of_hir(&it.sub, fields),
        HirKind::Alternation(parts) => any(parts.iter().map(|it| of_hir(it, fields))),
        HirKind::Concat(parts) => {
            // Literals and letters in either case make runs; whatever else stands between ends one.
            let mut known = Vec::new();
            let mut run = String::new();
            for part in parts {
                match letters(part) {
                    Some(text) => run.push_str(&text),
                    None => {
                        known.push(literal(&std::mem::take(&mut run), fields));
                        known.push(of_hir(part, fields));
                    }
                }
            }
            known.push(literal(&run, fields));
            all(known.into_iter())
        }
        _ => letters(hir).map_or_else(unknown, |it| literal(&it, fields)),
    }
}

/// Text that a piece of a pattern stands for, letters in either case. Letters outside ASCII that fold to one of it
/// are left out: a text with such a letter is never looked up here.
fn letters(hir: &Hir) -> Option<String> {
    match hir.kind() {
        HirKind::Literal(it) => std::str::from_utf8(&it.0).ok().map(str::to_ascii_lowercase),
        HirKind::Class(Class::Unicode(class)) => {
            let ascii = class.ranges().iter().filter(|it| it.start().is_ascii());
            one_letter(ascii.map(|it| (it.start(), it.end())))
        }
        HirKind::Class(Class::Bytes(class)) => {
            one_letter(class.ranges().iter().map(|it| (char::from(it.start()), char::from(it.end()))))
        }
        _ => None,
    }
}

fn one_letter(ranges: impl Iterator<Item = (char, char)>) -> Option<String> {
    let ranges: Vec<(char, char)> = ranges.collect();
    let [(upper, upper_end), (lower, lower_end)] = ranges[..] else { return None };
    let pair = upper == upper_end && lower == lower_end && lower.is_ascii_lowercase();
    (pair && upper.to_ascii_lowercase() == lower).then(|| lower.to_string())
}

/// Any part may be the one that matches: each brings its ways. Those with one need are one way together.
fn any(parts: impl Iterator<Item = Vec<Way>>) -> Vec<Way> {
    let (single, mut ways): (Vec<Way>, Vec<Way>) = parts.flatten().partition(|way| way.len() == 1);
    if !single.is_empty() {
        let mut need: Need = single.into_iter().flatten().flatten().collect();
        need.sort();
        need.dedup();
        ways.push(vec![need]);
    }
    if ways.is_empty() || ways.iter().any(Vec::is_empty) {
        return unknown();
    }
    if ways.len() > MAX_WAYS {
        // One need of each way, so that there is one way of one need.
        ways = vec![vec![ways.into_iter().filter_map(|way| way.into_iter().max_by_key(rarity)).flatten().collect()]];
    }
    ways
}

/// Every part must match: each way of one goes with each way of the others.
fn all(parts: impl Iterator<Item = Vec<Way>>) -> Vec<Way> {
    let mut parts: Vec<Vec<Way>> = parts.collect();
    parts.sort_by_key(Vec::len);
    let mut ways = unknown();
    for part in parts {
        // To leave a part out asks for less, which is always allowed.
        if ways.len() * part.len() > MAX_WAYS {
            break;
        }
        ways = ways.iter().flat_map(|way| part.iter().map(move |more| [&way[..], more].concat())).collect();
    }
    for way in &mut ways {
        way.sort_by_key(|need| std::cmp::Reverse(rarity(need)));
        way.truncate(MAX_NEEDS);
        while way.len() > 1 && way.last().is_some_and(|it| rarity(it).0 < TELLING) {
            way.pop();
        }
    }
    ways
}

/// Long texts are rare, and one is met less often than one of many.
fn rarity(need: &Need) -> (usize, std::cmp::Reverse<usize>, usize) {
    let shortest = need.iter().map(|it| it.1.len()).min().unwrap_or(usize::MAX);
    (shortest.min(6), std::cmp::Reverse(need.len()), shortest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsigma_eval::compile_rule;
    use rsigma_parser::parse_sigma_yaml;

    /// Needs of a way are joined by `&`, texts of a need by `|`, ways by `, `.
    fn check(detection: &str, expect: &str) {
        let yaml = format!("title: t\nlogsource:\n  category: process_creation\ndetection:\n{detection}\n");
        let rule = compile_rule(&parse_sigma_yaml(&yaml).unwrap().rules[0]).unwrap();
        let need = |it: &Need| it.iter().map(|(fields, text)| format!("{fields}:{text}")).collect::<Vec<_>>().join("|");
        let way = |it: &Way| it.iter().map(need).collect::<Vec<_>>().join("&");
        let mut got: Vec<String> = of_rule(&rule).iter().map(way).collect();
        got.sort();
        assert_eq!(got.join(", "), expect, "{detection}");
    }

    #[test]
    fn a_rule_needs_all_its_parts() {
        check("  s:\n    Image|endswith: '/Wget'\n    CommandLine|contains: 'x'\n  condition: s", "1:/wget");
        check("  s:\n    CommandLine|contains: ['abc', 'DEF']\n  condition: s", "2:abc|2:def");
        check("  s:\n    CommandLine|contains|all: ['ab', 'longer']\n  condition: s", "2:longer");
        check("  a:\n    Image: '/x/y'\n  b:\n    User: 'root'\n  condition: a or b", "1:/x/y|16:root");
        check("  a_1:\n    Image: '/x/y'\n  a_2:\n    User: 'me'\n  condition: 1 of a_*", "1:/x/y|16:me");
        check("  a:\n    Image: '/x/y'\n  n:\n    User: 'root'\n  condition: a and not n", "1:/x/y");
    }

    #[test]
    fn a_pattern_needs_what_it_must_hold() {
        check("  s:\n    CommandLine|re: '(?i)base64\\s+(-d|--decode)'\n  condition: s", "2:base64");
        check("  s:\n    CommandLine|re: '(nc\\s.*-e|socat\\s.*exec)'\n  condition: s", "2:nc, 2:socat&2:exec");
    }

    #[test]
    fn what_proves_nothing_is_always_asked() {
        check("  n:\n    User: 'root'\n  condition: not n", "");
        check("  a:\n    Image: '/x/y'\n  b:\n    User: null\n  condition: a or b", "");
        check("  s:\n    CommandLine|re: '[0-9]*'\n  condition: s", "");
    }

    #[test]
    fn both_automata_find_what_stands_in_a_text() {
        let few: Vec<String> = ["he", "she", "hers", "/tmp/", "sh"].map(str::to_owned).to_vec();
        let many: Vec<String> = few.iter().cloned().chain((0..MAX_DFA_TEXTS).map(|n| format!("<{n}>"))).collect();
        let (fast, small) = (Searcher::new(few.iter()), Searcher::new(many.iter()));
        assert!(matches!((&fast, &small), (Searcher::Fast(_), Searcher::Small(_))));
        for text in ["", "uSHERs", "/TMP/she.sh", "s", "nothing of it", "shshshe"] {
            let of = |searcher: &Searcher| {
                let mut found = Vec::new();
                searcher.each(text.as_bytes(), |it| found.push(it as usize));
                found.sort_unstable();
                found.dedup();
                found
            };
            let lower = text.to_ascii_lowercase();
            let expect: Vec<usize> = (0..few.len()).filter(|at| lower.contains(&few[*at])).collect();
            assert_eq!(of(&fast), expect, "{text}");
            assert_eq!(of(&small), expect, "{text}");
        }
    }
}
