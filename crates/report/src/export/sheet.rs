//! → every indicator as a CSV that a spreadsheet may open: no cell is a formula.

use std::io::{self, Write};

use ringleader_model::Timestamp;

use super::Export;
use super::shared::Shared;
use crate::escape;

pub(super) struct Csv;

impl Export for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }
    fn file(&self) -> &'static str {
        "indicators-shared.csv"
    }
    fn summary(&self) -> &'static str {
        "every indicator with its gang, contexts, times and confidence, for spreadsheets"
    }
    fn write(&self, shared: &Shared, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record([
            "indicator",
            "kind",
            "strength",
            "contexts",
            "gang_id",
            "gang",
            "confidence",
            "hosts",
            "first_seen",
            "last_seen",
            "blockable",
            "tlp",
        ])?;
        let time = |it: Option<Timestamp>| it.map(|it| it.to_string()).unwrap_or_default();
        for gang in &shared.gangs {
            let (id, name) = (escape::csv(&gang.id), escape::csv(&gang.name));
            for it in &gang.signs {
                csv.write_record([
                    escape::csv(&it.value).as_ref(),
                    it.kind.name(),
                    it.strength.name(),
                    &it.contexts().collect::<Vec<_>>().join(" "),
                    &id,
                    &name,
                    &it.confidence(gang).to_string(),
                    &it.hosts.to_string(),
                    &time(it.first),
                    &time(it.last),
                    if it.blockable { "yes" } else { "no" },
                    shared.tlp.label(),
                ])?;
            }
        }
        csv.flush()
    }
}
