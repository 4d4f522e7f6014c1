//! the truth of a synthetic log, the findings of a run → how right they are. docs/score.md says what the figures mean.
//!
//! Measurement, not a stage: nothing here is used by a run, and floats are fine.

mod baseline;
mod claims;
mod clusters;
pub mod incident;
mod measure;
mod repairs;
mod truth;

use std::fs::File;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use claims::Claims;
pub use clusters::Clusters;
pub use measure::{Figures, Tally};
use measure::{Lost, Measure};
use repairs::Mend;
pub use repairs::{Graded, Repairs};
pub use truth::beside;

/// Examples kept of each kind of error.
const EXAMPLES: usize = 5;

/// From 0 to 1, to six places; `None` where there is nothing to divide by.
pub type Share = Option<f64>;

fn share(part: f64, whole: f64) -> Share {
    (whole > 0.0).then(|| (part / whole * 1e6).round() / 1e6)
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Score {
    pub findings: Figures,
    /// An analyst's script on the same log.
    pub baseline: Option<Figures>,
    pub repairs: Option<Repairs>,
    pub compression: Compression,
    /// What could not be measured, and what it takes.
    pub not_measured: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Compression {
    pub before: u64,
    pub after: u64,
    pub ratio: Share,
}

/// Measures a findings folder against the truth; `log` is for the baseline.
pub fn score(truth: &Path, findings: &Path, log: Option<&Path>) -> io::Result<Score> {
    let mut not_measured = Vec::new();
    let compression = compression(findings)?;
    let claims = Claims::read(findings)?;
    if claims.links.is_none() {
        not_measured
            .push("parent links: the findings have no processes.parquet; `run --processes` writes it".to_owned());
    }
    if claims.without_id > 0 {
        not_measured.push(format!("{} events without an id of their source", claims.without_id));
    }
    let peer = log.map(baseline::claims).transpose()?;
    if peer.is_none() {
        not_measured.push("the baseline: give the log as `--log`".to_owned());
    }
    let incidents = truth::incidents(truth)?;
    let mut lost = Lost::default();
    truth::for_each_event(truth, |row| {
        if row.lost {
            lost.insert(row.event, row.above());
        }
    })?;
    let mut measures: Vec<Measure<'_>> = std::iter::once(&claims).chain(&peer).map(Measure::new).collect();
    let mut mend = Mend::new(&claims.repairs);
    truth::for_each_event(truth, |row| {
        for measure in &mut measures {
            measure.add(row, &lost);
        }
        mend.add(row);
    })?;
    let repairs = mend.finish(truth, incidents.as_ref(), &lost)?;
    if repairs.is_none() {
        let (a, b) = (beside(truth, "incidents"), beside(truth, "bots"));
        not_measured.push(format!("repairs, one-off incidents: {} and {} are not there", a.display(), b.display()));
    }
    let mut figures = measures.into_iter().map(|it| it.finish(incidents.as_ref()));
    Ok(Score {
        findings: figures.next().unwrap_or_default(),
        baseline: figures.next(),
        repairs,
        compression,
        not_measured,
    })
}

fn compression(findings: &Path) -> io::Result<Compression> {
    #[derive(Deserialize)]
    struct Summary {
        nodes_edges_before: u64,
        nodes_edges_after: u64,
    }
    let path = findings.join("summary.json");
    let in_file = |what: String| io::Error::other(format!("{}: {what}; is this a findings folder?", path.display()));
    let file = File::open(&path).map_err(|error| in_file(error.to_string()))?;
    let it: Summary = serde_json::from_reader(io::BufReader::new(file)).map_err(|error| in_file(error.to_string()))?;
    let (before, after) = (it.nodes_edges_before, it.nodes_edges_after);
    Ok(Compression { before, after, ratio: share(before as f64, after as f64) })
}
