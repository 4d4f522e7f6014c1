//! `list`: what is built in.

use std::io::Write as _;
use std::path::Path;

use anyhow::Result;
use ringleader_pipeline::collect::FORMATS;
use ringleader_pipeline::label::Behaviours;
use ringleader_pipeline::partition::known::KnownGangs;
use serde_json::{Value, json};

use super::Done;
use crate::args::Listed;
use crate::terminal::safe;

pub(super) fn list(what: Listed, rules: Option<&Path>, methods: Option<&Path>, as_json: bool) -> Result<Done> {
    let (columns, rows): (&[&str], Vec<Vec<String>>) = match what {
        Listed::Formats => (
            &["name", "summary"],
            FORMATS.iter().map(|it| vec![it.name().to_owned(), it.summary().to_owned()]).collect(),
        ),
        Listed::Behaviours => {
            let (behaviours, problems) = match rules {
                Some(folder) => super::run::with_rules(folder)?,
                None => (Behaviours::built_in(), Vec::new()),
            };
            let known = behaviours.all().iter();
            let known = known
                .map(|it| vec![it.id.clone(), it.technique.clone(), it.severity.name().to_owned(), it.title.clone()]);
            let told = problems.into_iter().map(|it| {
                let what = if it.used { "limited" } else { "not used" };
                vec![it.name, String::new(), what.to_owned(), it.what.replace('\n', " ")]
            });
            (&["id", "technique", "severity", "title"], known.chain(told).collect())
        }
        Listed::Methods => {
            let methods = super::methods::with_own(methods)?;
            let rows = methods.all().iter();
            let rows = rows.map(|it| {
                vec![it.id.clone(), it.class.name().to_owned(), it.cve.clone().unwrap_or_default(), it.name.clone()]
            });
            (&["id", "class", "cve", "name"], rows.collect())
        }
        Listed::Gangs => {
            let known = KnownGangs::builtin();
            let rows = known.all().iter().map(|it| {
                let names: Vec<&str> = std::iter::once(&it.name).chain(&it.names).map(String::as_str).collect();
                let references = it.references.iter().map(|it| format!("{} {}", it.publisher, it.year));
                vec![
                    it.id.clone(),
                    it.kind.name().to_owned(),
                    names.join(", "),
                    it.platforms.join(", "),
                    references.collect::<Vec<_>>().join("; "),
                ]
            });
            (&["id", "kind", "names", "platforms", "references"], rows.collect())
        }
    };
    let mut out = std::io::stdout().lock();
    if as_json {
        let list: Vec<Value> = rows
            .iter()
            .map(|row| {
                columns
                    .iter()
                    .zip(row)
                    .map(|(key, it)| ((*key).to_owned(), json!(it)))
                    .collect::<serde_json::Map<_, _>>()
                    .into()
            })
            .collect();
        serde_json::to_writer_pretty(&mut out, &list)?;
        writeln!(out)?;
        return Ok(Done::Clean);
    }
    let widths: Vec<usize> =
        (0..columns.len()).map(|at| rows.iter().map(|row| row[at].len()).max().unwrap_or(0)).collect();
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(it, width)| format!("{it:width$}")).collect();
        writeln!(out, "{}", safe(cells.join("  ").trim_end()))?;
    }
    Ok(Done::Clean)
}
