//! Findings → `indicators.csv`, safe to open in a spreadsheet.

use std::io::{self, Write};

use ringleader_model::Timestamp;
use ringleader_model::findings::Findings;

use crate::mask::mask;
use crate::{Options, Report, escape};

pub(crate) struct Indicators;

impl Report for Indicators {
    fn file(&self) -> &'static str {
        "indicators.csv"
    }
    fn summary(&self) -> &'static str {
        "every indicator of a campaign, with its strength, context, hosts and times"
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record([
            "indicator",
            "kind",
            "strength",
            "context",
            "gang",
            "campaign",
            "hosts",
            "first_seen",
            "last_seen",
        ])?;
        let time = |time: Option<Timestamp>| time.map(|it| it.to_string()).unwrap_or_default();
        for row in &findings.indicators {
            csv.write_record([
                escape::csv(&mask(&row.indicator)).as_ref(),
                row.kind.name(),
                row.strength.name(),
                row.context.name(),
                &escape::csv(row.gang_id.as_deref().unwrap_or_default()),
                &escape::csv(&row.campaign_id),
                &row.hosts.to_string(),
                &time(row.first_seen),
                &time(row.last_seen),
            ])?;
        }
        csv.flush()
    }
}
