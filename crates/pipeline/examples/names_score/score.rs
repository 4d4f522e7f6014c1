//! knowledge of gangs, lists of others → how often a simulated gang gets its name, and an unknown one none.
//!
//! Three questions, from easy to hard. *Shown in part*: a gang shows half of what its file says, so what is asked is what is known.
//! *Held back*: of each gang's facts, from its file and from public lists, a random half is forgotten, and the gang shows both
//! halves. *Unknown*: a gang whose file and list are taken away shows its facts; others are invented.

// Each of the two that use it uses a part.
#![allow(dead_code)]

#[path = "simulate.rs"]
mod simulate;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ringleader_pipeline::partition::known::{Fact, FactKind, Kind, Known, KnownGangs};
use simulate::{Gang, Random};

/// At most so many facts of a public list.
const LISTED: usize = 150;
/// A gang shows at most so many.
const SHOWN: usize = 16;

/// Files of public lists, and whose they are. Those of nobody known are gangs that must get no name.
const LISTS: &[(&str, Option<&str>)] = &[
    ("ioc_maltrail/elf_h2miner.txt", Some("kinsing")),
    ("ioc_maltrail/elf_teamtnt.txt", Some("teamtnt")),
    ("ioc_maltrail/m8220_miner.txt", Some("gang_8220")),
    ("ioc_maltrail/watchdog_miner.txt", Some("watchdog")),
    ("ioc_maltrail/sysrvhello_miner.txt", Some("sysrv")),
    ("ioc_maltrail/redtail_miner.txt", Some("redtail")),
    ("ioc_maltrail/elf_xorddos.txt", Some("xorddos")),
    ("ioc_maltrail/elf_groundhog.txt", Some("xorddos")),
    ("ioc_maltrail/elf_abcbot.txt", Some("abcbot")),
    ("ioc_maltrail/elf_kaiji.txt", Some("kaiji")),
    ("ioc_maltrail/elf_perfctl.txt", Some("perfctl")),
    ("ioc_maltrail/migo_miner.txt", Some("migo")),
    ("ioc_maltrail/z0miner.txt", Some("z0miner")),
    ("ioc_maltrail/systemd_miner.txt", Some("systemdminer")),
    ("ioc_maltrail/wannamine.txt", Some("wannamine")),
    ("ioc_maltrail/lemonduck_miner.txt", Some("lemonduck")),
    ("ioc_maltrail/pcastle_miner.txt", Some("lemonduck")),
    ("ioc_maltrail/elf_kaiten.txt", Some("tsunami")),
    ("ioc_maltrail/elf_skidmap.txt", Some("skidmap")),
    ("ioc_maltrail/prometei.txt", Some("prometei")),
    ("ioc_maltrail/elf_freakout.txt", Some("freakout")),
    ("ioc_maltrail/elf_moobot.txt", Some("moobot")),
    ("ioc_maltrail/mykings_miner.txt", Some("mykings")),
    ("ioc_maltrail/elf_billgates.txt", Some("billgates")),
    ("ioc_maltrail/elf_dofloo.txt", Some("dofloo")),
    ("ioc_maltrail/elf_fritzfrog.txt", Some("fritzfrog")),
    ("ioc_maltrail/meris.txt", None),
    ("ioc_maltrail/androxgh0st.txt", None),
];

/// How often, of how many.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Share(pub(crate) usize, pub(crate) usize);

impl Share {
    fn add(&mut self, right: bool) {
        self.0 += usize::from(right);
        self.1 += 1;
    }

    pub(crate) fn value(self) -> f64 {
        self.0 as f64 / self.1.max(1) as f64
    }
}

#[derive(Debug, Default)]
pub(crate) struct Score {
    /// Gangs that got their own name first.
    pub(crate) named: Share,
    /// Gangs that got no other's, whether or not their own.
    pub(crate) not_mistaken: Share,
    /// Who missed, how often: truth → what was said.
    pub(crate) missed: BTreeMap<String, usize>,
}

/// The lists in `folder`, by whose they are; those of nobody by their file.
pub(crate) fn lists(folder: &Path) -> BTreeMap<String, (bool, Vec<Fact>)> {
    let mut lists: BTreeMap<String, (bool, Vec<Fact>)> = BTreeMap::new();
    for (file, whose) in LISTS {
        let Ok(text) = std::fs::read_to_string(folder.join(file)) else { continue };
        let list = lists.entry(whose.unwrap_or(file).to_owned()).or_insert((whose.is_some(), Vec::new()));
        list.1.extend(text.lines().flat_map(facts));
        let mut seen = BTreeSet::new();
        list.1.retain(|it| seen.insert((it.kind, it.value.clone())));
        list.1.truncate(LISTED);
    }
    lists
}

/// A line of a list: a URL, an address with or without a port, a domain, or a part of a URL.
fn facts(line: &str) -> Vec<Fact> {
    let line = line.split('#').next().unwrap_or_default().trim();
    let (host, part) = match line.split_once("://").map(|it| it.1) {
        Some(rest) => rest.find('/').map_or((rest, ""), |at| rest.split_at(at)),
        None if line.starts_with('/') => ("", line),
        None => (line, ""),
    };
    let mut facts = Vec::new();
    if host.ends_with(|it: char| it.is_ascii_digit()) {
        facts.push(Fact::new(FactKind::Address, host));
    } else if host.contains('.') {
        facts.push(Fact::new(FactKind::Domain, host.to_ascii_lowercase()));
    }
    if part.len() >= 6 {
        facts.push(Fact::new(FactKind::UrlPart, part));
    }
    facts
}

/// What the shipped files say, and half of it is seen.
pub(crate) fn shown_in_part(seeds: u64) -> Score {
    let known = KnownGangs::builtin();
    let mut score = Score::default();
    for seed in 0..seeds {
        for (at, it) in known.all().iter().enumerate() {
            let mut random = Random(seed * 1000 + at as u64);
            let gang = gang(it, &it.facts, it.facts.len().div_ceil(2), known.all(), &mut random);
            judge(&known, &gang, it, &mut score);
        }
    }
    score
}

/// Half of what files and lists say is forgotten; a gang shows all of it. `listed`: those alone that a public list is about.
pub(crate) fn held_back(lists: &BTreeMap<String, (bool, Vec<Fact>)>, listed: bool, seeds: u64) -> Score {
    let mut score = Score::default();
    for seed in 0..seeds {
        let mut random = Random(seed);
        let pools = pools(lists);
        let known = KnownGangs::of(pools.iter().map(|it| forget_half(it, &mut random)).collect());
        for it in pools.iter().filter(|it| !listed || lists.contains_key(&it.id)) {
            let gang = gang(it, &it.facts, it.facts.len(), &pools, &mut random);
            judge(&known, &gang, it, &mut score);
        }
    }
    score
}

/// Nobody knows it: one that is known is taken away, a list of nobody, or an invention.
pub(crate) fn unknown(lists: &BTreeMap<String, (bool, Vec<Fact>)>, seeds: u64) -> Score {
    let mut score = Score::default();
    let pools = pools(lists);
    let whole = KnownGangs::of(pools.clone());
    for seed in 0..seeds {
        let mut random = Random(seed + 77);
        for (at, it) in pools.iter().enumerate() {
            let others: Vec<Known> =
                pools.iter().enumerate().filter(|other| other.0 != at).map(|it| it.1.clone()).collect();
            let gang = gang(it, &it.facts, it.facts.len(), &others, &mut random);
            let without = KnownGangs::of(others);
            judge_unknown(&without, &gang, it, &mut score);
            let invented = Known { id: "invented".into(), runs: Vec::new(), methods: Vec::new(), ..it.clone() };
            let gang = self::gang(&invented, &[], 0, &pools, &mut random);
            judge_unknown(&whole, &gang, &invented, &mut score);
        }
        for (file, (_, facts)) in lists.iter().filter(|it| !it.1.0) {
            let nobody = Known { id: file.clone(), runs: Vec::new(), facts: facts.clone(), ..pools[0].clone() };
            let gang = gang(&nobody, facts, facts.len(), &pools, &mut random);
            judge_unknown(&whole, &gang, &nobody, &mut score);
        }
    }
    score
}

/// Of each known one what its file and its lists say.
fn pools(lists: &BTreeMap<String, (bool, Vec<Fact>)>) -> Vec<Known> {
    let mut pools = KnownGangs::builtin().all().to_vec();
    for it in &mut pools {
        let mut have: BTreeSet<(FactKind, String)> = it.facts.iter().map(|it| (it.kind, it.value.clone())).collect();
        let listed = lists.get(&it.id).into_iter().flat_map(|it| &it.1);
        it.facts.extend(listed.filter(|it| have.insert((it.kind, it.value.clone()))).cloned());
    }
    pools
}

fn forget_half(known: &Known, random: &mut Random) -> Known {
    let mut facts = known.facts.clone();
    random.shuffle(&mut facts);
    facts.truncate(facts.len().div_ceil(2));
    Known { facts, ..known.clone() }
}

/// A gang that shows `n` of the facts, within reason.
fn gang(it: &Known, facts: &[Fact], n: usize, all: &[Known], random: &mut Random) -> Gang {
    let mut facts = facts.to_vec();
    random.shuffle(&mut facts);
    facts.truncate(n.min(SHOWN));
    let mut gang = Gang::of(it, &facts, random);
    let others: Vec<&Known> = all.iter().filter(|other| other.id != it.id).collect();
    gang.disguise(&others, random);
    gang
}

fn judge(known: &KnownGangs, gang: &Gang, truth: &Known, score: &mut Score) {
    let naming = known.suggest(&gang.shown());
    let said: Vec<&Known> = naming.suggestions.iter().map(|it| &known.all()[it.known]).collect();
    // Gangs and families answer two questions.
    let first = said.iter().find(|it| it.kind == truth.kind);
    let right = first.is_some_and(|it| it.id == truth.id);
    let mistaken = said.iter().any(|it| it.id != truth.id && !fits(it, truth));
    score.named.add(right);
    score.not_mistaken.add(!mistaken);
    if !right || mistaken {
        let said: Vec<&str> = said.iter().map(|it| it.id.as_str()).collect();
        let why = if naming.undecided.is_empty() { "" } else { ", undecided" };
        *score.missed.entry(format!("{}: said [{}]{why}", truth.id, said.join(" "))).or_default() += 1;
    }
}

fn judge_unknown(known: &KnownGangs, gang: &Gang, truth: &Known, score: &mut Score) {
    let naming = known.suggest(&gang.shown());
    let said: Vec<&Known> = naming.suggestions.iter().map(|it| &known.all()[it.known]).collect();
    let wrong: Vec<&str> = said.iter().filter(|it| !fits(it, truth)).map(|it| it.id.as_str()).collect();
    score.not_mistaken.add(wrong.is_empty());
    if !wrong.is_empty() {
        *score.missed.entry(format!("{}: said [{}]", truth.id, wrong.join(" "))).or_default() += 1;
    }
}

/// A family that the gang is known to run is no mistake.
fn fits(said: &Known, truth: &Known) -> bool {
    said.kind == Kind::Family && truth.runs.contains(&said.id)
}
