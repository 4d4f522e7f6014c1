//! `extract`: text → indicators, a line of NDJSON for each line, written before the next input is waited for.

use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use anyhow::{Context as _, Result};
use ringleader_model::Indicator;
use ringleader_pipeline::collect::text::decode;
use ringleader_pipeline::extract::Extractor;
use serde::Serialize;

use super::Done;

/// A longer line is read in pieces of this size; its number stays.
const LINE: u64 = 8 << 20;

#[derive(Serialize)]
struct Line<'a> {
    line: u64,
    indicators: &'a [Indicator],
}

pub(super) fn extract(file: Option<&Path>) -> Result<Done> {
    let extractor = Extractor::new();
    let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    let mut found = Vec::new();
    each_line(file, &mut |line, text, more| {
        found.clear();
        extractor.extract(text, &mut found);
        serde_json::to_writer(&mut out, &Line { line, indicators: &found })?;
        out.write_all(b"\n")?;
        if !more {
            out.flush()?;
        }
        Ok(())
    })?;
    out.flush()?;
    Ok(Done::Clean)
}

type Visit<'a> = &'a mut dyn FnMut(u64, &str, bool) -> Result<()>;

/// Visits lines (numbered from 1) of a file, or of standard input; and tells whether more of it is at hand already, so
/// that `tail -f log | ringleader extract` answers at once.
pub(super) fn each_line(file: Option<&Path>, visit: Visit<'_>) -> Result<()> {
    let input: Box<dyn Read> = match file {
        None => Box::new(std::io::stdin().lock()),
        Some(path) if path == Path::new("-") => Box::new(std::io::stdin().lock()),
        Some(path) => Box::new(std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?),
    };
    let mut reader = BufReader::with_capacity(1 << 20, input);
    let mut bytes = Vec::new();
    let mut line = 1;
    loop {
        bytes.clear();
        if reader.by_ref().take(LINE).read_until(b'\n', &mut bytes)? == 0 {
            return Ok(());
        }
        let ended = bytes.last() == Some(&b'\n');
        let text = decode(bytes.trim_ascii_end());
        visit(line, &text, !reader.buffer().is_empty())?;
        line += u64::from(ended);
    }
}
