//! observations of many hosts → one incident: who was scanned, attacked, taken; by whom, when, how; who was first.
//!
//! `observe` sums events, `identity` makes hosts of names and addresses, `clock` puts their clocks right, `seeds` says
//! what is the malware's and how far the window reaches, `pairs` lays observations between hosts, `verdict` adds up the
//! points of `knowledge/spread/rules.yml` until nothing changes, `edges` names who took whom, `origin` looks for the
//! first host and its way in, `tell` says where the alerts and the evidence differ, `contain` what to do.
//! Deliberately absent: I/O, drawing, and any verdict of "not attacked" that rests on missing evidence.

mod clock;
mod contain;
mod edges;
mod everyday;
mod flows;
mod identity;
mod observe;
mod origin;
mod pairs;
mod remote;
pub mod rules;
mod seeds;
mod tell;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::event::EventId;
use ringleader_model::findings::{Basis, Evidence, Spread, Text, Verdict};
use ringleader_model::hash::hash128;

pub use flows::Flows;
pub use observe::{Observed, Ref, observe, spell};
pub use rules::Rules;

/// What an analyst starts from, knows already, or has decided.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// Hosts, addresses, paths, hashes, names of programs: what the case is about.
    pub seeds: Vec<String>,
    /// Microseconds; else it is found.
    pub window: Option<(i64, i64)>,
    /// Hosts that scan or administer, by name or address.
    pub known_good: BTreeSet<String>,
    /// Paths that are no malware.
    pub good_paths: BTreeSet<String>,
    /// Verdicts that an analyst gave.
    pub decided: BTreeMap<String, Verdict>,
}

/// What the main job found of one gang on one host.
#[derive(Debug, Clone, Default)]
pub struct GangOnHost {
    pub gang_id: Text,
    pub host: Text,
    pub first: Option<i64>,
    pub last: Option<i64>,
    pub method: Option<Text>,
    /// Of the method, thousandths.
    pub confidence: u16,
    pub refs: Vec<Ref>,
    /// What the gang's graphs hold: paths, hashes, addresses.
    pub indicators: BTreeSet<String>,
}

/// Everything that an incident is made of.
pub struct Input<'a> {
    pub observed: &'a Observed,
    /// Heaviest gang first.
    pub gangs: &'a [GangOnHost],
    pub question: &'a Question,
    pub rules: &'a Rules,
    /// Names of sources, by number.
    pub sources: &'a [Text],
}

/// The incident and what its claims point to.
pub struct Reconstructed {
    pub spread: Spread,
    /// By id; without excerpts, which are read back from the sources.
    pub evidence: Vec<Evidence>,
}

pub fn reconstruct(input: &Input<'_>) -> Reconstructed {
    let mut hosts = identity::Hosts::of(input.observed);
    let clocks = clock::Clocks::of(input.observed, &hosts);
    let mut proof = Proof { sources: input.sources, all: BTreeMap::new() };
    let case = seeds::open(input, &mut hosts, &clocks);
    let pairs = pairs::lay(input, &mut hosts, &clocks, &case);
    let state = verdict::judge(input, &hosts, &clocks, &case, &pairs);
    let edges = edges::draw(input, &hosts, &clocks, &pairs, &state);
    let spread = tell::tell(input, &hosts, &clocks, &case, &pairs, &state, &edges, &mut proof);
    Reconstructed { spread, evidence: proof.all.into_values().collect() }
}

/// Claims with their evidence, each once.
pub(crate) struct Proof<'a> {
    sources: &'a [Text],
    all: BTreeMap<Text, Evidence>,
}

impl Proof<'_> {
    /// One piece of evidence for each place; returns their ids.
    fn add(
        &mut self,
        claim: &str,
        kind: &str,
        rule: Option<&str>,
        points: i32,
        places: impl IntoIterator<Item = Ref>,
    ) -> Vec<Text> {
        let mut ids = Vec::new();
        for at in places {
            let id: EventId = EventId(hash128(format!("spread|{kind}|{claim}|{}", at.id).as_bytes(), 7));
            let id: Text = id.to_string().into();
            ids.push(id.clone());
            self.all.entry(id.clone()).or_insert_with(|| Evidence {
                evidence_id: id,
                claim: claim.to_owned(),
                kind: kind.into(),
                event_ids: vec![at.id],
                source: self.sources.get(at.source as usize).cloned(),
                offset: Some(at.offset),
                length: Some(u64::from(at.length)),
                record_sha256: None,
                excerpt: None,
                rule: rule.map(Into::into),
                basis: Basis::Observed,
                weight: i64::from(points),
            });
        }
        ids.sort();
        ids.dedup();
        ids
    }
}

/// `2018-09-30 01:10:11`, for sentences.
pub(crate) fn moment(time: i64) -> String {
    let text = ringleader_model::Timestamp(time).to_string();
    text.get(..19).unwrap_or(&text).replace('T', " ")
}
