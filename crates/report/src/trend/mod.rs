//! A period's numbers → a page for people (offline, without a script), the same as Markdown, and as JSON. Deliberately
//! absent: the clock and hosts' names. The same numbers give the same bytes.

mod canvas;
mod charts;
mod html;
mod markdown;
mod words;

use std::io::{self, Write};
use std::path::Path;

use ringleader_model::trend::Trend;

use crate::escape::{self, Shape};
use crate::messages::Lang;

/// Its files, in the order in which they are written.
pub const FILES: [&str; 3] = ["trend.html", "trend.md", "trend.json"];

/// Writes the three files into a folder, which is made.
pub fn write(trend: &Trend, lang: Lang, dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    let [html, markdown, json] = FILES.map(|it| dir.join(it));
    std::fs::write(html, html::page(trend, lang)?)?;
    std::fs::write(markdown, markdown::text(trend, lang))?;
    let mut out = Vec::new();
    escape::json(trend, &mut out, Shape::Pretty)?;
    out.write_all(b"\n")?;
    std::fs::write(json, out)
}

#[cfg(test)]
mod tests;
