//! truth, repairs → which claimed processes truly ran and were lost.
//!
//! A repair is matched with at most one lost process of a gang, and each lost process with at most one repair:
//! *structural*, the nearest lost process on the true way up from the claimed child whose path and command line fit the
//! claim; *statistical*, the earliest lost process on the claim's host, within its times, in the incident of its nearest
//! logged ancestor, that fits. Structural repairs choose first.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;
use std::path::Path;

use ringleader_model::hash::ByHash;
use serde::Serialize;

use super::claims::Repair;
use super::measure::Lost;
use super::truth::{self, BotEvent, Id, Incident, Row};
use super::{EXAMPLES, Share, share};

/// Sibling incidents that must show a step before its absence can be told.
const SIBLINGS: usize = 3;

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Repairs {
    pub lost: u64,
    pub structural: Graded,
    pub statistical: Graded,
    /// Claims of some that are wrong, by what is wrong.
    pub examples: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Graded {
    pub claims: u64,
    pub right: u64,
    pub precision: Share,
    /// Of the claims that at least three siblings support.
    pub supported: u64,
    pub supported_right: u64,
    pub supported_precision: Share,
    /// Lost processes of gangs whose step at least three other incidents of the gang show: those with a logged child are
    /// `structural`, the others `statistical`; and how many of them any repair found.
    pub lost: u64,
    pub lost_found: u64,
    pub recall: Share,
    /// Expected calibration error over deciles of confidence.
    pub calibration_error: Share,
    pub deciles: Vec<Decile>,
    /// Why the others are wrong.
    pub nothing_lost: u64,
    /// The right program, but not the command line.
    pub other_command_line: u64,
    pub other_program: u64,
    pub outside_its_times: u64,
    pub twice: u64,
    /// The lost process is no bot's: neither right nor wrong.
    pub benign: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Decile {
    pub from: f64,
    pub claims: u64,
    pub right: u64,
    pub confidence: Share,
    pub right_share: Share,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Right(usize),
    NothingLost,
    OtherCommandLine,
    OtherProgram,
    OutsideItsTimes,
    Twice,
    Benign,
}

struct LostBot {
    event: Id,
    incident: usize,
    step: Box<str>,
    time: Option<i64>,
    file_path: String,
    cmd_line: String,
    found: bool,
}

/// Takes the truth row by row, then the table of bots.
pub(crate) struct Mend<'a> {
    repairs: &'a [Repair],
    /// Claimed children: what is truly above them.
    children: HashMap<Id, Option<Id>, ByHash>,
    /// Lost processes of gangs with a logged child.
    proven: HashSet<Id, ByHash>,
}

impl<'a> Mend<'a> {
    pub(crate) fn new(repairs: &'a [Repair]) -> Self {
        let children = repairs.iter().filter_map(|it| it.child).map(|it| (it, None)).collect();
        Self { repairs, children, proven: HashSet::default() }
    }

    pub(crate) fn add(&mut self, row: &Row<'_>) {
        if row.lost || row.bot.is_none() {
            return;
        }
        if let Some(above) = self.children.get_mut(&row.event) {
            *above = row.above();
        }
        if row.status == "missing" {
            self.proven.extend(row.parent);
        }
    }

    /// `None` where the truth has no table of bots.
    pub(crate) fn finish(
        self,
        path: &Path,
        incidents: Option<&BTreeMap<Box<str>, Incident>>,
        lost: &Lost,
    ) -> io::Result<Option<Repairs>> {
        let Some(incidents) = incidents else { return Ok(None) };
        let list: Vec<&Incident> = incidents.values().collect();
        let numbers: BTreeMap<&str, usize> = incidents.keys().enumerate().map(|(at, it)| (&**it, at)).collect();
        let mut parents: HashMap<Id, Option<usize>, ByHash> =
            self.repairs.iter().filter_map(|it| it.parent).map(|it| (it, None)).collect();
        let mut shown: BTreeMap<(Box<str>, Box<str>), BTreeSet<usize>> = BTreeMap::new();
        let mut bots: Vec<LostBot> = Vec::new();
        let there = truth::for_each_bot(path, |it: BotEvent<'_>| {
            let Some(incident) = numbers.get(it.incident).copied() else { return };
            if let Some(parent) = parents.get_mut(&it.event) {
                *parent = Some(incident);
            }
            if lost.contains_key(&it.event) {
                bots.push(LostBot {
                    event: it.event,
                    incident,
                    step: it.step.into(),
                    time: it.time.map(|it| it.0),
                    file_path: it.file_path,
                    cmd_line: it.cmd_line.split_whitespace().collect::<Vec<_>>().join(" "),
                    found: false,
                });
            } else {
                shown.entry((list[incident].gang.clone(), it.step.into())).or_default().insert(incident);
            }
        })?;
        if !there {
            return Ok(None);
        }
        bots.sort_by_key(|it| (it.time, it.event));
        let mut matching = Matching {
            by_id: bots.iter().enumerate().map(|(at, it)| (it.event, at)).collect(),
            by_host: BTreeMap::new(),
            bots,
            lost,
            children: &self.children,
            parents: &parents,
        };
        for (at, it) in matching.bots.iter().enumerate() {
            matching.by_host.entry(&list[it.incident].host).or_default().push(at);
        }
        let mut repairs = Repairs { lost: matching.bots.len() as u64, ..Repairs::default() };
        let mut structural: Vec<(&Repair, Verdict)> = Vec::new();
        let mut statistical = Vec::new();
        for it in self.repairs.iter().filter(|it| it.structural) {
            structural.push((it, matching.structural(it)));
        }
        for it in self.repairs.iter().filter(|it| !it.structural) {
            statistical.push((it, matching.statistical(it)));
        }
        repairs.structural = graded(&structural);
        repairs.statistical = graded(&statistical);
        for (claim, verdict) in structural.iter().chain(&statistical) {
            let what = match verdict {
                Verdict::NothingLost => "nothing lost",
                Verdict::OtherCommandLine => "another command line",
                Verdict::OtherProgram => "another program",
                Verdict::OutsideItsTimes => "outside its times",
                Verdict::Twice => "twice",
                Verdict::Right(_) | Verdict::Benign => continue,
            };
            let grade = if claim.structural { "structural" } else { "statistical" };
            let list = repairs.examples.entry(format!("{grade}, {what}")).or_default();
            if list.len() < EXAMPLES {
                let path = claim.file_path.as_deref().unwrap_or("-");
                list.push(format!("{}: {path} | {} ({})", claim.host, claim.template, claim.confidence));
            }
        }
        for it in &matching.bots {
            let key = (list[it.incident].gang.clone(), it.step.clone());
            let others = shown.get(&key).map_or(0, |shown| shown.len() - usize::from(shown.contains(&it.incident)));
            if others < SIBLINGS {
                continue;
            }
            let proven = self.proven.contains(&it.event);
            let graded = if proven { &mut repairs.structural } else { &mut repairs.statistical };
            graded.lost += 1;
            graded.lost_found += u64::from(it.found);
        }
        for graded in [&mut repairs.structural, &mut repairs.statistical] {
            graded.recall = share(graded.lost_found as f64, graded.lost as f64);
        }
        Ok(Some(repairs))
    }
}

struct Matching<'a> {
    bots: Vec<LostBot>,
    by_id: HashMap<Id, usize, ByHash>,
    /// In time order.
    by_host: BTreeMap<&'a str, Vec<usize>>,
    lost: &'a Lost,
    children: &'a HashMap<Id, Option<Id>, ByHash>,
    parents: &'a HashMap<Id, Option<usize>, ByHash>,
}

impl Matching<'_> {
    fn take(&mut self, at: usize) -> Verdict {
        self.bots[at].found = true;
        Verdict::Right(at)
    }

    fn structural(&mut self, claim: &Repair) -> Verdict {
        let mut above = claim.child.and_then(|it| self.children.get(&it)).copied().flatten();
        let mut verdict = Verdict::NothingLost;
        for _ in 0..10_000 {
            let Some((event, next)) = above.and_then(|it| self.lost.get(&it).map(|next| (it, *next))) else { break };
            match self.by_id.get(&event) {
                Some(at) if fits(claim, &self.bots[*at]) => {
                    if !self.bots[*at].found {
                        return self.take(*at);
                    }
                    verdict = Verdict::Twice;
                }
                Some(_) if verdict == Verdict::Twice => {}
                // The nearest one says what the claim should have been.
                Some(at) if matches!(verdict, Verdict::NothingLost | Verdict::Benign) => {
                    let program = is_program(claim, &self.bots[*at]);
                    verdict = if program { Verdict::OtherCommandLine } else { Verdict::OtherProgram };
                }
                None if verdict == Verdict::NothingLost => verdict = Verdict::Benign,
                _ => {}
            }
            above = next;
        }
        verdict
    }

    fn statistical(&mut self, claim: &Repair) -> Verdict {
        let incident = claim.parent.and_then(|it| self.parents.get(&it)).copied().flatten();
        let within = |it: &LostBot| {
            it.time.is_none_or(|time| {
                claim.not_before.is_none_or(|from| from <= time) && claim.not_after.is_none_or(|until| time <= until)
            })
        };
        let mut verdict = Verdict::NothingLost;
        for at in self.by_host.get(claim.host.as_str()).into_iter().flatten() {
            let bot = &self.bots[*at];
            if !fits(claim, bot) || incident.is_some_and(|it| it != bot.incident) {
                continue;
            }
            if !within(bot) {
                if verdict == Verdict::NothingLost {
                    verdict = Verdict::OutsideItsTimes;
                }
            } else if bot.found {
                verdict = Verdict::Twice;
            } else {
                return self.take(*at);
            }
        }
        verdict
    }
}

/// Whether the claim's path and template are those of the process; an empty one says nothing.
fn fits(claim: &Repair, bot: &LostBot) -> bool {
    is_program(claim, bot) && (claim.template.is_empty() || template_fits(&claim.template, &bot.cmd_line))
}

fn is_program(claim: &Repair, bot: &LostBot) -> bool {
    let base = bot.file_path.rsplit(['/', '\\']).next().unwrap_or_default();
    let is = |path: &str| path == bot.file_path || (!path.contains(['/', '\\']) && path == base);
    claim.file_path.as_deref().is_none_or(is)
}

/// A template as docs/findings.md has it: `<kind>` or `<kind:detail>` is one or more characters, `\<` a `<`.
fn template_fits(template: &str, text: &str) -> bool {
    // Literal pieces, with a wildcard between two.
    let mut pieces = vec![String::new()];
    let mut rest = template;
    while let Some(letter) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("\\<") {
            pieces.last_mut().expect("it starts with one").push('<');
            rest = after;
        } else if let Some(length) = placeholder(rest) {
            pieces.push(String::new());
            rest = &rest[length..];
        } else {
            pieces.last_mut().expect("it starts with one").push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    let (first, last) = (pieces[0].as_str(), pieces[pieces.len() - 1].as_str());
    if pieces.len() == 1 {
        return first == text;
    }
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    // The earliest place for each piece leaves the most room for the others.
    for piece in &pieces[1..pieces.len() - 1] {
        let Some(one) = rest.chars().next().map(char::len_utf8) else { return false };
        let Some(at) = rest[one..].find(piece.as_str()) else { return false };
        rest = &rest[one + at + piece.len()..];
    }
    rest.strip_suffix(last).is_some_and(|it| !it.is_empty())
}

/// The length of the placeholder that the text starts with.
fn placeholder(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('<')?;
    let end = inside.find('>')?;
    let kind = inside[..end].split(':').next().unwrap_or_default();
    let named = kind.bytes().next().is_some_and(|it| it.is_ascii_lowercase())
        && kind.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || matches!(it, b'_' | b'-'));
    named.then_some(end + 2)
}

fn graded(claims: &[(&Repair, Verdict)]) -> Graded {
    let mut graded = Graded { claims: claims.len() as u64, ..Graded::default() };
    let mut sums = [0.0; 10];
    let mut deciles: Vec<Decile> = (0..10).map(|n| Decile { from: f64::from(n) / 10.0, ..Decile::default() }).collect();
    for (claim, verdict) in claims {
        let right = matches!(verdict, Verdict::Right(_));
        match verdict {
            Verdict::Right(_) => graded.right += 1,
            Verdict::NothingLost => graded.nothing_lost += 1,
            Verdict::OtherCommandLine => graded.other_command_line += 1,
            Verdict::OtherProgram => graded.other_program += 1,
            Verdict::OutsideItsTimes => graded.outside_its_times += 1,
            Verdict::Twice => graded.twice += 1,
            Verdict::Benign => {
                graded.benign += 1;
                continue;
            }
        }
        if claim.support >= SIBLINGS as u64 {
            graded.supported += 1;
            graded.supported_right += u64::from(right);
        }
        let at = ((claim.confidence * 10.0) as usize).min(9);
        sums[at] += claim.confidence;
        deciles[at].claims += 1;
        deciles[at].right += u64::from(right);
    }
    let judged = (graded.claims - graded.benign) as f64;
    let mut error = 0.0;
    for (decile, sum) in deciles.iter_mut().zip(sums) {
        decile.confidence = share(sum, decile.claims as f64);
        decile.right_share = share(decile.right as f64, decile.claims as f64);
        error += (sum - decile.right as f64).abs();
    }
    deciles.retain(|it| it.claims > 0);
    graded.deciles = deciles;
    graded.calibration_error = share(error, judged);
    graded.precision = share(graded.right as f64, judged);
    graded.supported_precision = share(graded.supported_right as f64, graded.supported as f64);
    graded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_stand_for_what_they_say() {
        for (template, text, want) in [
            ("curl -o <path> <url>", "curl -o /tmp/x http://192.0.2.1/a b", true),
            ("curl -o <path>", "curl -o ", false),
            ("sh -c a\\<b <n:3>c", "sh -c a<b 12c", true),
            ("id", "id -u", false),
            ("<a><b>", "x", false),
            ("<a><b>", "xy", true),
            ("a <x> b <y>", "a 1 b 2 b 3", true),
            ("<A> x", "<A> x", true),
            ("é<x>", "éé", true),
        ] {
            assert_eq!(template_fits(template, text), want, "{template} on {text}");
        }
    }

    #[test]
    fn calibration_weighs_the_deciles() {
        let claim = |confidence, support| Repair { confidence, support, ..Repair::default() };
        let (a, b, c) = (claim(0.95, 3), claim(0.93, 1), claim(0.5, 9));
        let claims =
            [(&a, Verdict::Right(0)), (&b, Verdict::NothingLost), (&c, Verdict::Right(1)), (&c, Verdict::Benign)];
        let graded = graded(&claims);
        // |1.88 - 1| and |0.5 - 1|, of three claims.
        assert_eq!(graded.calibration_error, Some(0.46));
        assert_eq!((graded.claims, graded.right, graded.nothing_lost, graded.benign), (4, 2, 1, 1));
        assert_eq!((graded.precision, graded.supported_precision), (Some(0.666667), Some(1.0)));
        assert_eq!(graded.deciles.iter().map(|it| it.claims).collect::<Vec<_>>(), [1, 2]);
    }
}
