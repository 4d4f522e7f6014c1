//! Spread → `timeline.csv`: what happened to which host, in time order.

use std::borrow::Cow;
use std::io::{self, Write};

use ringleader_model::Timestamp;
use ringleader_model::findings::{Findings, Spread, Text};

use crate::mask::mask;
use crate::{Options, Report, escape};

/// One line. Hosts and edges without a time come last, since their place is not known.
struct Moment<'a> {
    time: Option<Timestamp>,
    what: Cow<'static, str>,
    from: &'a str,
    to: &'a str,
    method: &'a str,
    confidence: f64,
    observations: String,
    evidence_ids: &'a [Text],
}

pub(crate) struct Timeline;

impl Report for Timeline {
    fn file(&self) -> &'static str {
        "timeline.csv"
    }
    fn summary(&self) -> &'static str {
        "the same incident in time order, a line for each host and edge"
    }
    fn applies(&self, findings: &Findings) -> bool {
        findings.spread.is_some()
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(["time", "what", "from", "to", "method", "confidence", "observations", "evidence_ids"])?;
        for it in findings.spread.iter().flat_map(moments) {
            csv.write_record([
                it.time.map(|time| time.to_string()).unwrap_or_default().as_str(),
                &it.what,
                &escape::csv(&mask(it.from)),
                &escape::csv(&mask(it.to)),
                &escape::csv(it.method),
                &it.confidence.to_string(),
                &escape::csv(&it.observations),
                &escape::csv(&it.evidence_ids.join(" ")),
            ])?;
        }
        csv.flush()
    }
}

fn moments(spread: &Spread) -> Vec<Moment<'_>> {
    let hosts = spread.hosts.iter().map(|it| Moment {
        time: it.first_seen,
        what: format!("host_{}", it.verdict.name()).into(),
        from: "",
        to: &it.host,
        method: it.method.as_deref().unwrap_or_default(),
        confidence: it.confidence.to_f64(),
        observations: String::new(),
        evidence_ids: &it.evidence_ids,
    });
    let edges = spread.edges.iter().map(|it| Moment {
        time: it.first_seen,
        what: format!("edge_{}", it.class.name()).into(),
        from: &it.from,
        to: &it.to,
        method: it.method.as_deref().unwrap_or_default(),
        confidence: it.confidence.to_f64(),
        observations: it.observations.join(" "),
        evidence_ids: &it.evidence_ids,
    });
    let mut all: Vec<_> = edges.chain(hosts).collect();
    all.sort_by_key(|it| (it.time.is_none(), it.time, it.to, it.from));
    all
}
