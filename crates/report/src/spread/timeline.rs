//! Spread → `timeline.csv`: what happened to which host, in time order, with the columns that Timesketch reads.

use std::io::{self, Write};

use ringleader_model::findings::Findings;

use crate::mask::mask;
use crate::{Options, Report, escape};

pub(crate) struct Timeline;

impl Report for Timeline {
    fn file(&self) -> &'static str {
        "timeline.csv"
    }
    fn summary(&self) -> &'static str {
        "the same incident in time order, as Timesketch reads it"
    }
    fn applies(&self, findings: &Findings) -> bool {
        findings.spread.is_some()
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(["message", "datetime", "timestamp_desc", "host", "evidence_ids"])?;
        for it in findings.spread.iter().flat_map(|it| &it.timeline) {
            csv.write_record([
                &*escape::csv(&mask(&it.message)),
                &it.time.to_string(),
                &*escape::csv(&it.description),
                &*escape::csv(&mask(&it.host)),
                &*escape::csv(&it.evidence_ids.join(" ")),
            ])?;
        }
        csv.flush()
    }
}
