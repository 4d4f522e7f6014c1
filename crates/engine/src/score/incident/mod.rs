//! the truth of a simulated incident, a findings folder → how right the reconstruction is. docs/score.md says what the
//! figures mean.
//!
//! Counts are kept beside shares, so that many incidents can be summed. Deliberately absent: anything of the product
//! but its file format.

mod naive;
mod truth;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::Path;

use ringleader_model::findings::{EdgeClass, Permille, Spread, Verdict};
use serde::{Deserialize, Serialize};

use super::{Share, share};
pub use truth::is_incident;
use truth::{Claims, Names, Truth};

/// Of one class: how many were claimed, were true, and are both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Class {
    pub right: u64,
    pub found: u64,
    pub truth: u64,
    pub precision: Share,
    pub recall: Share,
    pub f1: Share,
}

impl Class {
    fn settle(&mut self) {
        self.precision = share(self.right as f64, self.found as f64);
        self.recall = share(self.right as f64, self.truth as f64);
        let sum = self.found + self.truth;
        self.f1 = share(2.0 * self.right as f64, sum as f64);
    }
    fn add(&mut self, other: &Self) {
        (self.right, self.found, self.truth) =
            (self.right + other.right, self.found + other.found, self.truth + other.truth);
    }
}

/// Claims of about one confidence: how many, the sum of it in thousandths, how many were right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Decile {
    pub claims: u64,
    pub thousandths: u64,
    pub right: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct IncidentFigures {
    pub incidents: u64,
    /// By scanned, attacked, compromised.
    pub edges: BTreeMap<String, Class>,
    pub edge_macro_f1: Share,
    /// By verdict.
    pub hosts: BTreeMap<String, Class>,
    pub host_macro_f1: Share,
    /// Of hosts that count as compromised, and of compromised edges.
    pub host_deciles: [Decile; 10],
    pub edge_deciles: [Decile; 10],
    pub host_calibration_error: Share,
    pub edge_calibration_error: Share,
    pub patient_zero_right: u64,
    /// Incidents whose way in left a record; those where it is named; those where none is claimed and none left a record.
    pub entries_logged: u64,
    pub entries_right: u64,
    pub entries_wrong: u64,
    /// Hosts called clean of which no record of their own was read: must be none.
    pub clean_without_telemetry: u64,
    /// Hosts called clean that were taken.
    pub clean_but_taken: u64,
    /// Taken hosts that no alert named, and those that are told as such.
    pub missed_by_alerts: Class,
    /// What was judged wrongly, by kind: a few of each.
    pub examples: BTreeMap<String, Vec<String>>,
}

impl IncidentFigures {
    pub fn pool(&mut self, other: &Self) {
        self.incidents += other.incidents;
        for (name, it) in &other.edges {
            self.edges.entry(name.clone()).or_default().add(it);
        }
        for (name, it) in &other.hosts {
            self.hosts.entry(name.clone()).or_default().add(it);
        }
        for (to, from) in [(&mut self.host_deciles, &other.host_deciles), (&mut self.edge_deciles, &other.edge_deciles)]
        {
            for (to, from) in to.iter_mut().zip(from) {
                to.claims += from.claims;
                to.thousandths += from.thousandths;
                to.right += from.right;
            }
        }
        self.patient_zero_right += other.patient_zero_right;
        self.entries_logged += other.entries_logged;
        self.entries_right += other.entries_right;
        self.entries_wrong += other.entries_wrong;
        self.clean_without_telemetry += other.clean_without_telemetry;
        self.clean_but_taken += other.clean_but_taken;
        self.missed_by_alerts.add(&other.missed_by_alerts);
        self.settle();
    }

    fn settle(&mut self) {
        let mean = |all: &mut BTreeMap<String, Class>| {
            all.values_mut().for_each(Class::settle);
            let of: Vec<f64> = all.values().filter(|it| it.truth > 0).filter_map(|it| it.f1).collect();
            share(of.iter().sum(), of.len() as f64)
        };
        self.edge_macro_f1 = mean(&mut self.edges);
        self.host_macro_f1 = mean(&mut self.hosts);
        self.missed_by_alerts.settle();
        let error = |all: &[Decile; 10]| {
            let claims: u64 = all.iter().map(|it| it.claims).sum();
            let off: f64 = all.iter().map(|it| (it.thousandths as f64 / 1000.0 - it.right as f64).abs()).sum();
            share(off, claims as f64)
        };
        self.host_calibration_error = error(&self.host_deciles);
        self.edge_calibration_error = error(&self.edge_deciles);
    }

    fn example(&mut self, kind: String, what: String) {
        let all = self.examples.entry(kind).or_default();
        if all.len() < super::EXAMPLES {
            all.push(what);
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct IncidentScore {
    pub findings: IncidentFigures,
    /// The naive join, in time order, of the same flows and alerts.
    pub baseline: Option<IncidentFigures>,
}

/// Measures a findings folder of `spread` against the truth of `simulate --incident`; `case` is the folder of logs, for
/// the baseline.
pub fn score(truth: &Path, findings: &Path, case: Option<&Path>) -> io::Result<IncidentScore> {
    let truth = Truth::read(truth)?;
    let path = findings.join("spread.json");
    let in_file = |what: String| io::Error::other(format!("{}: {what}; was it made with `spread`?", path.display()));
    let file = File::open(&path).map_err(|error| in_file(error.to_string()))?;
    let spread: Spread =
        serde_json::from_reader(io::BufReader::new(file)).map_err(|error| in_file(error.to_string()))?;
    let baseline = case.map(|it| naive::claims(it, &truth)).transpose()?.map(|it| measure(&truth, &it));
    Ok(IncidentScore { findings: measure(&truth, &claims(&spread, &truth.names)), baseline })
}

/// What the findings claim, in the truth's names.
fn claims(spread: &Spread, names: &Names) -> Claims {
    let mut claims = Claims::default();
    let mut known: BTreeMap<&str, String> = BTreeMap::new();
    for host in &spread.hosts {
        let labels = [&host.host].into_iter().chain(&host.addresses).chain(&host.names);
        let own = labels.into_iter().find_map(|it| names.find(it)).unwrap_or_else(|| host.host.to_string());
        let verdict = match host.verdict {
            Verdict::Attacked => "attacked",
            other => other.name(),
        };
        claims.verdicts.insert(own.clone(), (verdict.to_owned(), host.confidence));
        known.insert(&host.host, own);
    }
    let of = |label: &str| known.get(label).cloned().or_else(|| names.find(label)).unwrap_or_else(|| label.to_owned());
    for edge in &spread.edges {
        let class = match edge.class {
            EdgeClass::Scanned => "scanned",
            EdgeClass::AttackedFailed | EdgeClass::AttackedUnknown => "attacked",
            EdgeClass::Compromised => "compromised",
        };
        claims.edges.insert((of(&edge.from), of(&edge.to)), (class, edge.confidence));
    }
    claims.zero = spread.patient_zero.first().map(|it| of(&it.host));
    claims.entry = spread
        .patient_zero
        .first()
        .and_then(|it| it.entry.as_ref())
        .map(|it| (it.method.to_string(), it.source.as_deref().map(of)));
    let told = spread.discrepancies.iter().filter(|it| &*it.kind == "taken_not_alerted");
    claims.not_alerted = told.filter_map(|it| it.host.as_deref()).map(of).collect();
    claims
}

fn decile(all: &mut [Decile; 10], confidence: Permille, right: bool) {
    let at = usize::from(confidence.thousandths() / 100).min(9);
    all[at].claims += 1;
    all[at].thousandths += u64::from(confidence.thousandths());
    all[at].right += u64::from(right);
}

fn measure(truth: &Truth, claims: &Claims) -> IncidentFigures {
    let mut it = IncidentFigures { incidents: 1, ..IncidentFigures::default() };
    for ((from, to), edge) in truth.edges.iter().filter(|it| it.1.records > 0) {
        it.edges.entry(edge.class.clone()).or_default().truth += 1;
        let claimed = claims.edges.get(&(from.clone(), to.clone())).map(|it| it.0);
        if claimed == Some(&edge.class) {
            it.edges.entry(edge.class.clone()).or_default().right += 1;
        } else {
            let kind = format!("edge: {} as {}", edge.class, claimed.unwrap_or("none"));
            it.example(kind, format!("{from} {to}"));
        }
    }
    for ((from, to), (class, sure)) in &claims.edges {
        // The way in is counted by itself.
        if !truth.hosts.contains_key(from) {
            continue;
        }
        let known = truth.edges.get(&(from.clone(), to.clone()));
        let right = known.is_some_and(|it| it.class == *class);
        if *class == "compromised" {
            decile(&mut it.edge_deciles, *sure, right);
        }
        // True, though no record of it is left: neither found nor missed.
        if !(right && known.is_some_and(|it| it.records == 0)) {
            it.edges.entry((*class).to_owned()).or_default().found += 1;
        }
        if known.is_none() {
            it.example(format!("edge: none as {class}"), format!("{from} {to}"));
        }
    }
    for (host, of) in &truth.hosts {
        let (claimed, sure) =
            claims.verdicts.get(host).cloned().unwrap_or_else(|| ("unknown".to_owned(), Permille::default()));
        let state = truth.state(host);
        it.hosts.entry(state.to_owned()).or_default().truth += 1;
        let class = it.hosts.entry(claimed.clone()).or_default();
        class.found += 1;
        class.right += u64::from(claimed == state);
        if claimed != state {
            it.example(format!("host: {state} as {claimed}"), host.clone());
        }
        if claimed == "compromised" {
            decile(&mut it.host_deciles, sure, state == "compromised");
        }
        if claimed == "clean_as_seen" {
            it.clean_without_telemetry += u64::from(of.records == 0);
            it.clean_but_taken += u64::from(of.state == "compromised");
        }
    }
    it.patient_zero_right = u64::from(claims.zero.as_ref() == Some(&truth.zero));
    match (&truth.entry, &claims.entry) {
        (None, None) => it.entries_right += 1,
        (Some(true_way), Some(claimed)) if claimed.0 == true_way.0 && claimed.1.as_ref() == Some(&true_way.1) => {
            it.entries_right += 1;
        }
        (_, Some(_)) => it.entries_wrong += 1,
        _ => {}
    }
    it.entries_logged = u64::from(truth.entry.is_some());
    let missed: BTreeSet<&String> =
        truth.hosts.iter().filter(|it| it.1.state == "compromised" && !it.1.alerted).map(|it| it.0).collect();
    it.missed_by_alerts = Class {
        right: claims.not_alerted.iter().filter(|it| missed.contains(it)).count() as u64,
        found: claims.not_alerted.len() as u64,
        truth: missed.len() as u64,
        ..Class::default()
    };
    it.settle();
    it
}
