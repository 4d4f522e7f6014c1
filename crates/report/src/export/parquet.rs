//! → every indicator as Parquet: a row per gang and value. Opens in DuckDB, pandas, Spark.

use std::borrow::Cow;
use std::io::{self, Write};

use ringleader_model::findings::Permille;

use super::Export;
use super::shared::{Shared, SharedGang, Sign};
use crate::table::{Column, Get, Table};

/// Rows given to the table at a time.
const BATCH: usize = 1 << 13;

pub(super) struct Parquet;

#[derive(Clone, Copy)]
struct Row<'s> {
    shared: &'s Shared,
    gang: &'s SharedGang,
    sign: &'s Sign,
}

impl Export for Parquet {
    fn name(&self) -> &'static str {
        "parquet"
    }
    fn file(&self) -> &'static str {
        "indicators.parquet"
    }
    fn summary(&self) -> &'static str {
        "every indicator with its gang, contexts, times and confidence, for DuckDB, pandas and the like"
    }
    fn write(&self, shared: &Shared, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let mut table = Table::new(columns(), |_, _| true, out);
        let rows = shared.gangs.iter().flat_map(|gang| gang.signs.iter().map(move |sign| Row { shared, gang, sign }));
        let mut waiting = Vec::with_capacity(BATCH);
        for row in rows {
            waiting.push(row);
            if waiting.len() == BATCH {
                table.push(std::mem::take(&mut waiting))?;
            }
        }
        table.push(waiting)?;
        table.finish()?.flush()
    }
}

fn columns<'s>() -> Vec<Column<Row<'s>>> {
    let text = |name, get| Column { name, required: true, get: Get::Text(get) };
    vec![
        text("indicator", |row: &Row<'s>| Some(Cow::Borrowed(&*row.sign.value))),
        text("kind", |row: &Row<'s>| Some(row.sign.kind.name().into())),
        text("strength", |row: &Row<'s>| Some(row.sign.strength.name().into())),
        text("contexts", |row: &Row<'s>| Some(row.sign.contexts().collect::<Vec<_>>().join(" ").into())),
        text("gang_id", |row: &Row<'s>| Some(Cow::Borrowed(&*row.gang.id))),
        text("gang", |row: &Row<'s>| Some(Cow::Borrowed(&row.gang.name))),
        Column {
            name: "confidence",
            required: true,
            get: Get::Share(|row: &Row<'s>| Some(Permille::new(row.sign.confidence(row.gang) * 10))),
        },
        Column { name: "hosts", required: true, get: Get::Int(|row: &Row<'s>| Some(row.sign.hosts)) },
        Column { name: "first_seen", required: false, get: Get::Time(|row: &Row<'s>| row.sign.first) },
        Column { name: "last_seen", required: false, get: Get::Time(|row: &Row<'s>| row.sign.last) },
        Column {
            name: "blockable",
            required: true,
            get: Get::Int(|row: &Row<'s>| Some(u64::from(row.sign.blockable))),
        },
        text("tlp", |row: &Row<'s>| Some(row.shared.tlp.label().into())),
    ]
}
