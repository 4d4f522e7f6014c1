//! `identify`: payloads → attack methods, a line of NDJSON for each.

use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Result;
use ringleader_pipeline::label::methods::payload_of_line;
use serde::Serialize;

use super::Done;
use super::extract::each_line;
use super::methods::with_own;

#[derive(Serialize)]
struct Identified<'a> {
    line: u64,
    /// `null` where nothing is likely enough.
    method: Option<&'a str>,
    cve: Option<&'a str>,
    class: Option<&'a str>,
    stage: Option<&'a str>,
    confidence: f64,
    evidence: Vec<String>,
    /// For a hostile payload that resembles nothing known.
    new_method: Option<String>,
    alternatives: Vec<&'a str>,
}

pub(super) fn identify(file: Option<&Path>, own: Option<&Path>) -> Result<Done> {
    let methods = with_own(own)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    each_line(file, &mut |line, text, _| {
        if text.trim().is_empty() {
            return Ok(());
        }
        let payload = payload_of_line(text);
        let found = methods.identify(&payload);
        let best = found.first();
        let method = best.map(|it| methods.get(it.method));
        let answer = Identified {
            line,
            method: method.map(|it| it.id.as_str()),
            cve: method.and_then(|it| it.cve.as_deref()),
            class: method.map(|it| it.class.name()),
            stage: best.map(|it| it.stage.name()),
            confidence: best.map_or(0.0, |it| f64::from(it.confidence_permille) / 1000.0),
            evidence: best.map(|it| it.matched.clone()).unwrap_or_default(),
            new_method: if best.is_none() { methods.shape(&payload).map(|it| it.provisional_name) } else { None },
            alternatives: found.iter().skip(1).take(3).map(|it| methods.get(it.method).id.as_str()).collect(),
        };
        serde_json::to_writer(&mut out, &answer)?;
        out.write_all(b"\n")?;
        Ok(())
    })?;
    out.flush()?;
    Ok(Done::Clean)
}
