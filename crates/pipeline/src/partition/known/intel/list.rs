//! A plain list, a value a line (or a table whose first column is the value) → what stands on it.

use ringleader_model::IndicatorKind;

use super::{Item, Read};
use crate::extract::Extractor;
use crate::extract::host::is_domain;

/// Of one line; what comes after is no value.
const MAX_LINE: usize = 2048;

pub(super) fn read(text: &str, confidence: u8, extractor: &Extractor) -> Read {
    let mut read = Read::default();
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) || line.starts_with("//") {
            continue;
        }
        if line.len() > MAX_LINE {
            read.skip("lines too long for a value");
            continue;
        }
        let cell = line.split([',', '\t']).next().unwrap_or(line).trim().trim_matches('"').trim_start_matches('\'');
        // As people write what nobody should click.
        let value = cell.replace("hxxp", "http").replace("[.]", ".").replace("(.)", ".").replace("[:]", ":");
        let value = value.split(" #").next().unwrap_or_default().trim();
        found.clear();
        extractor.extract(value, &mut found);
        // The value as a whole before what else may be seen in it.
        let kind = found.iter().find(|it| it.value.eq_ignore_ascii_case(value)).or(found.first());
        let item = match kind {
            Some(it) => (it.kind, it.value.clone()),
            None if is_domain(value) => (IndicatorKind::Domain, value.to_ascii_lowercase()),
            None if value.starts_with('/') && value.len() > 1 => (IndicatorKind::FilePath, value.to_owned()),
            None => {
                read.skip("lines that are no value");
                continue;
            }
        };
        read.items.push(Item { whose: None, kind: item.0, value: item.1, confidence, from: None, until: None });
    }
    read
}
