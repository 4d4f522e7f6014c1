//! What several of these commands print: JSON, times, short ids.

use std::io::Write as _;

use anyhow::Result;
use ringleader_model::Timestamp;
use ringleader_report::escape::{self, Shape};
use serde::Serialize;

use crate::commands::Done;

pub(super) fn json(value: &impl Serialize) -> Result<Done> {
    let mut out = std::io::stdout().lock();
    escape::json(value, &mut out, Shape::Pretty)?;
    writeln!(out)?;
    Ok(Done::Clean)
}

pub(super) fn short_id(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// To the minute; what is not known is a dash.
pub(super) fn minute(micros: i64) -> String {
    if micros <= 0 {
        return "-".to_owned();
    }
    let text = Timestamp(micros).to_string();
    text.get(..16).unwrap_or(&text).replace('T', " ")
}

pub(super) fn day(micros: i64) -> String {
    if micros <= 0 || micros >= 253_370_764_800_000_000 { "-".to_owned() } else { Timestamp(micros).day() }
}
