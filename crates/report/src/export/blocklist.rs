//! → what may be blocked: `blocklist.txt`, a value a line, and `blocklist.csv`, each entry with whose it is, since when, and how
//! surely. Deliberately absent: whatever could block the defender (see `harm`), and weaker indicators unless asked for.

use std::collections::BTreeSet;
use std::io::{self, Write};

use ringleader_model::{IndicatorKind, Timestamp};

use super::Export;
use super::shared::Shared;
use crate::escape;

/// What a list without ports can hold.
fn is_listed(kind: IndicatorKind) -> bool {
    matches!(kind, IndicatorKind::Ip | IndicatorKind::Domain | IndicatorKind::Url)
}

pub(super) struct Plain;

impl Export for Plain {
    fn name(&self) -> &'static str {
        "blocklist"
    }
    fn file(&self) -> &'static str {
        "blocklist.txt"
    }
    fn summary(&self) -> &'static str {
        "strong public addresses, domains and URLs of the gangs, a value a line"
    }
    fn write(&self, shared: &Shared, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let values: BTreeSet<(IndicatorKind, &str)> =
            shared.blockable().map(|(_, it)| (it.kind, &*it.value)).filter(|it| is_listed(it.0)).collect();
        writeln!(out, "# {}", shared.tlp.label())?;
        for (_, value) in values {
            writeln!(out, "{value}")?;
        }
        Ok(())
    }
}

pub(super) struct Sheet;

impl Export for Sheet {
    fn name(&self) -> &'static str {
        "blocklist_csv"
    }
    fn file(&self) -> &'static str {
        "blocklist.csv"
    }
    fn summary(&self) -> &'static str {
        "the same with ports, and for each entry the gang, first and last seen, confidence"
    }
    fn write(&self, shared: &Shared, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record([
            "value",
            "kind",
            "gang_id",
            "gang",
            "strength",
            "confidence",
            "hosts",
            "first_seen",
            "last_seen",
            "tlp",
        ])?;
        let time = |it: Option<Timestamp>| it.map(|it| it.to_string()).unwrap_or_default();
        for (gang, it) in shared.blockable() {
            csv.write_record([
                escape::csv(&it.value).as_ref(),
                it.kind.name(),
                &escape::csv(&gang.id),
                &escape::csv(&gang.name),
                it.strength.name(),
                &it.confidence(gang).to_string(),
                &it.hosts.to_string(),
                &time(it.first),
                &time(it.last),
                shared.tlp.label(),
            ])?;
        }
        csv.flush()
    }
}
