//! A compiled rule → texts of which one must stand in the event, or the rule can't match: its *witnesses*. Most
//! command lines hold no witness of any rule, and then no rule is asked. Deliberately absent: whether a rule
//! matches. A part that proves nothing (a negation, a number, a missing field) makes its rule open: always asked.

use aho_corasick::{AhoCorasick, MatchKind};
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
/// A rule with more witnesses than this is cheaper to ask than to index.
const MAX_WITNESSES: usize = 4096;

/// One of these must stand in the event: (bit per field, lower-case ASCII text).
type Witnesses = Vec<(u8, String)>;

/// Which rules a text can speak for, by field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Hints(SmallVec<[(u8, u16); 4]>);

impl Hints {
    /// Bit per field in which the text speaks for any rule.
    pub(super) fn fields(&self) -> u8 {
        self.0.iter().fold(0, |all, (fields, _)| all | fields)
    }

    /// Rules that the text speaks for where it stands in the field with this index.
    pub(super) fn rules(&self, field: usize) -> impl Iterator<Item = u16> + '_ {
        self.0.iter().filter(move |(fields, _)| fields & 1 << field != 0).map(|(_, rule)| *rule)
    }
}

/// The witnesses of many rules, found in one pass over a text.
pub(super) struct Index {
    automaton: AhoCorasick,
    /// By pattern of the automaton: the fields, and the rules it stands for.
    speaks_for: Vec<Vec<(u8, u16)>>,
    /// Rules without witnesses.
    pub(super) open: Vec<u16>,
    n_rules: u16,
}

impl Index {
    pub(super) fn new<'r>(rules: impl Iterator<Item = &'r CompiledRule>) -> Self {
        let mut by_text: std::collections::BTreeMap<String, Vec<(u8, u16)>> = std::collections::BTreeMap::new();
        let (mut open, mut n_rules) = (Vec::new(), 0);
        for (at, rule) in (0u16..).zip(rules) {
            n_rules = at + 1;
            match of_rule(rule).filter(|it| it.len() <= MAX_WITNESSES) {
                Some(witnesses) => {
                    for (fields, text) in witnesses.into_iter().filter(|it| it.0 != 0) {
                        by_text.entry(text).or_default().push((fields, at));
                    }
                }
                None => open.push(at),
            }
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .build(by_text.keys())
            .expect("rules are bounded in number and length");
        Self { automaton, speaks_for: by_text.into_values().collect(), open, n_rules }
    }

    /// Cost: one pass over the text. Outside ASCII, letters have more forms than two: every rule is asked.
    pub(super) fn hints(&self, text: &str) -> Hints {
        if !text.is_ascii() {
            return Hints((0..self.n_rules).map(|it| (ANY_FIELD, it)).collect());
        }
        let mut out: SmallVec<[(u8, u16); 4]> = SmallVec::new();
        for found in self.automaton.find_overlapping_iter(text) {
            for hint in &self.speaks_for[found.pattern().as_usize()] {
                if !out.contains(hint) {
                    out.push(*hint);
                }
            }
        }
        Hints(out)
    }
}

fn of_rule(rule: &CompiledRule) -> Option<Witnesses> {
    any(rule.conditions.iter().map(|it| of_condition(rule, it)))
}

fn of_condition(rule: &CompiledRule, condition: &ConditionExpr) -> Option<Witnesses> {
    match condition {
        ConditionExpr::And(parts) => best(parts.iter().map(|it| of_condition(rule, it))),
        ConditionExpr::Or(parts) => any(parts.iter().map(|it| of_condition(rule, it))),
        ConditionExpr::Not(_) => None,
        ConditionExpr::Identifier(name) => of_detection(rule.detections.get(name)?),
        ConditionExpr::Selector { quantifier, pattern } => {
            let named = |name: &str| match pattern {
                SelectorPattern::Them => true,
                SelectorPattern::Pattern(pattern) => {
                    pattern.strip_suffix('*').map_or(name == pattern, |front| name.starts_with(front))
                }
            };
            let several = rule.detections.iter().filter(|(name, _)| named(name)).map(|(_, it)| of_detection(it));
            match quantifier {
                Quantifier::Any => any(several),
                Quantifier::Count(1..) => any(several),
                // Which ones it means is the engine's business; one that it does not mean proves nothing.
                Quantifier::All | Quantifier::Count(0) => None,
            }
        }
    }
}

fn of_detection(detection: &CompiledDetection) -> Option<Witnesses> {
    match detection {
        CompiledDetection::AllOf(items) => best(items.iter().map(of_item)),
        CompiledDetection::AnyOf(parts) => any(parts.iter().map(of_detection)),
        CompiledDetection::And(parts) => best(parts.iter().map(of_detection)),
        CompiledDetection::Keywords(matcher) => of_matcher(matcher, ANY_FIELD),
        CompiledDetection::ArrayMatch { .. } | CompiledDetection::Conditional { .. } => None,
    }
}

fn of_item(item: &CompiledDetectionItem) -> Option<Witnesses> {
    if item.exists.is_some() {
        return None;
    }
    let fields = match &item.field {
        Some(name) => FIELDS.iter().position(|it| it == name).map_or(0, |at| 1 << at),
        None => ANY_FIELD,
    };
    of_matcher(&item.matcher, fields)
}

fn of_matcher(matcher: &CompiledMatcher, fields: u8) -> Option<Witnesses> {
    let all = |parts: &[CompiledMatcher]| best(parts.iter().map(|it| of_matcher(it, fields)));
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
            if *mode == GroupMode::All { best(parts) } else { any(parts) }
        }
        CompiledMatcher::AnyOf(parts) => some(parts),
        CompiledMatcher::AllOf(parts) => all(parts),
        CompiledMatcher::CaseInsensitiveGroup { children, mode } => {
            if *mode == GroupMode::All { all(children) } else { some(children) }
        }
        _ => None,
    }
}

fn literal(text: &str, fields: u8) -> Option<Witnesses> {
    (!text.is_empty() && text.is_ascii()).then(|| vec![(fields, text.to_ascii_lowercase())])
}

fn of_pattern(pattern: &str, fields: u8) -> Option<Witnesses> {
    of_hir(&regex_syntax::parse(pattern).ok()?, fields)
}

/// Depth is bounded by the parser's own nesting limit.
fn of_hir(hir: &Hir, fields: u8) -> Option<Witnesses> {
    match hir.kind() {
        HirKind::Literal(it) => literal(std::str::from_utf8(&it.0).ok()?, fields),
        HirKind::Capture(it) => of_hir(&it.sub, fields),
        HirKind::Repetition(it) if it.min > 0 => of_hir(&it.sub, fields),
        HirKind::Alternation(parts) => any(parts.iter().map(|it| of_hir(it, fields))),
        HirKind::Concat(parts) => {
            // Literals and letters in either case make runs; whatever else stands between ends one.
            let mut runs = vec![String::new()];
            let mut others = Vec::new();
            for part in parts {
                match letters(part) {
                    Some(text) => runs.last_mut()?.push_str(&text),
                    None => {
                        others.push(of_hir(part, fields));
                        runs.push(String::new());
                    }
                }
            }
            best(runs.iter().map(|it| literal(it, fields)).chain(others))
        }
        _ => letters(hir).and_then(|it| literal(&it, fields)),
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

/// Each part may be the one that matches: all their witnesses count. Nothing to choose from proves nothing.
fn any(parts: impl Iterator<Item = Option<Witnesses>>) -> Option<Witnesses> {
    let parts: Vec<Witnesses> = parts.collect::<Option<_>>()?;
    (!parts.is_empty()).then(|| parts.concat())
}

/// Every part must match: the one that is seen least often is enough. Long texts are rare, and few are better than
/// many.
fn best(parts: impl Iterator<Item = Option<Witnesses>>) -> Option<Witnesses> {
    let rarity = |it: &Witnesses| {
        let shortest = it.iter().map(|it| it.1.len()).min().unwrap_or(usize::MAX);
        (shortest.min(6), std::cmp::Reverse(it.len()), shortest)
    };
    parts.flatten().max_by_key(rarity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsigma_eval::compile_rule;
    use rsigma_parser::parse_sigma_yaml;

    fn check(detection: &str, expect: &[(u8, &str)]) {
        let yaml = format!("title: t\nlogsource:\n  category: process_creation\ndetection:\n{detection}\n");
        let rule = compile_rule(&parse_sigma_yaml(&yaml).unwrap().rules[0]).unwrap();
        let got = of_rule(&rule).map(|mut it| {
            it.sort();
            it
        });
        let expect: Vec<(u8, String)> = expect.iter().map(|it| (it.0, it.1.to_owned())).collect();
        assert_eq!(got.unwrap_or_default(), expect, "{detection}");
    }

    #[test]
    fn a_rule_is_known_by_its_rarest_part() {
        check("  s:\n    Image|endswith: '/Wget'\n    CommandLine|contains: 'x'\n  condition: s", &[(1, "/wget")]);
        check("  s:\n    CommandLine|contains: ['abc', 'DEF']\n  condition: s", &[(2, "abc"), (2, "def")]);
        check("  s:\n    CommandLine|contains|all: ['ab', 'longer']\n  condition: s", &[(2, "longer")]);
        check("  a:\n    Image: '/x/y'\n  b:\n    User: 'root'\n  condition: a or b", &[(1, "/x/y"), (16, "root")]);
        check("  a_1:\n    Image: '/x/y'\n  a_2:\n    User: 'me'\n  condition: 1 of a_*", &[(1, "/x/y"), (16, "me")]);
        check("  a:\n    Image: '/x/y'\n  n:\n    User: 'root'\n  condition: a and not n", &[(1, "/x/y")]);
    }

    #[test]
    fn a_pattern_is_known_by_what_it_must_hold() {
        check("  s:\n    CommandLine|re: '(?i)base64\\s+(-d|--decode)'\n  condition: s", &[(2, "base64")]);
        check("  s:\n    CommandLine|re: 'x(abc|def)+y'\n  condition: s", &[(2, "abc"), (2, "def")]);
    }

    #[test]
    fn what_proves_nothing_is_always_asked() {
        check("  n:\n    User: 'root'\n  condition: not n", &[]);
        check("  a:\n    Image: '/x/y'\n  b:\n    User: null\n  condition: a or b", &[]);
        check("  s:\n    CommandLine|re: '[0-9]*'\n  condition: s", &[]);
    }
}
