//! a row of a CSV or a JSON object, whatever its columns are called → values by any of their usual names.
//!
//! Names are compared in lower case with `_` for space, dot and dash; a nested object's names are joined to its own.
//! Deliberately absent: types. Everything is text.

use std::cell::RefCell;

use ringleader_model::Malformed;
use ringleader_model::event::is_null;

/// The longest header that is looked at.
const MAX_COLUMNS: usize = 256;

#[derive(Debug)]
pub(super) struct Columns {
    delimiter: u8,
    line: Vec<u8>,
    names: Vec<String>,
    /// Lists of names that were asked for, by where they lie, and the columns that have one of them: a reader asks for the
    /// same lists at each of millions of rows.
    asked: RefCell<Vec<Asked>>,
}

/// Where a list of names lies, and the columns that have one of them.
type Asked = ((usize, usize), Vec<u16>);

/// The values of one row.
#[derive(Debug)]
pub(super) enum Cells<'t> {
    Csv(&'t Columns, csv::StringRecord),
    Json(Vec<(String, String)>),
}

/// The rows of a CSV, or JSON objects.
pub(super) struct Table {
    /// Of a CSV.
    columns: Option<Columns>,
}

/// Whether the names of a table are those of a kind, by whether it has any of some names.
type Fits = fn(&dyn Fn(&[&str]) -> bool) -> bool;

impl Table {
    pub(super) fn csv(head: &[u8]) -> Self {
        Self { columns: Columns::of(head) }
    }
    pub(super) fn json() -> Self {
        Self { columns: None }
    }

    pub(super) fn is_csv(head: &[u8], fits: Fits) -> bool {
        Columns::of(head).is_some_and(|it| fits(&|names| it.has(names)))
    }
    pub(super) fn is_json(head: &[u8], fits: Fits) -> bool {
        let Some(value) = super::super::json::first_object(head) else { return false };
        let cells = Cells::of_json(&value);
        fits(&|names| cells.has(names))
    }

    /// The values of a record; `None` for a header.
    pub(super) fn cells(&self, record: &[u8]) -> Result<Option<Cells<'_>>, Malformed> {
        match &self.columns {
            Some(columns) => columns.row(record),
            None => Ok(Some(Cells::of_json(&super::super::json::object(record)?))),
        }
    }
}

fn normal(name: &str) -> String {
    let name = name.trim().trim_matches(['"', '\u{feff}', '@']).to_lowercase();
    name.chars().map(|c| if matches!(c, ' ' | '-' | '.') { '_' } else { c }).collect()
}

impl Columns {
    fn of(head: &[u8]) -> Option<Self> {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let line = head.split(|b| *b == b'\n').find(|line| !line.trim_ascii().is_empty())?.trim_ascii();
        if matches!(line.first(), Some(b'{' | b'[' | b'<' | b'#')) || line.len() > 16 << 10 {
            return None;
        }
        let delimiter = *[b'\t', b',', b';', b'|'].iter().find(|it| line.contains(it))?;
        let names: Vec<String> = super::super::plain::fields(line, delimiter)?.iter().map(normal).collect();
        (names.len() <= MAX_COLUMNS).then(|| Self { delimiter, line: line.to_vec(), names, asked: RefCell::default() })
    }

    fn has(&self, names: &[&str]) -> bool {
        self.names.iter().any(|it| names.contains(&&**it))
    }

    /// The row; `None` for the header itself.
    fn row(&self, record: &[u8]) -> Result<Option<Cells<'_>>, Malformed> {
        if record.strip_prefix(b"\xef\xbb\xbf").unwrap_or(record) == self.line {
            return Ok(None);
        }
        let values =
            super::super::plain::fields(record, self.delimiter).ok_or(Malformed::new("not a delimited record"))?;
        if values.len() > self.names.len() {
            return Err(Malformed::new("more fields than the header has"));
        }
        if values.len() + 1 < self.names.len() {
            return Err(Malformed::new("fewer fields than the header has"));
        }
        Ok(Some(Cells::Csv(self, values)))
    }

    /// The first column of these names that says something.
    fn find<'r>(&self, values: &'r csv::StringRecord, names: &[&str]) -> Option<&'r str> {
        let key = (names.as_ptr() as usize, names.len());
        let mut asked = self.asked.borrow_mut();
        let at = asked.iter().position(|it| it.0 == key).unwrap_or_else(|| {
            let of = names.iter().filter_map(|name| self.names.iter().position(|it| it == name));
            asked.push((key, of.filter_map(|it| u16::try_from(it).ok()).collect()));
            asked.len() - 1
        });
        let said = |column: &u16| values.get(usize::from(*column)).map(str::trim).filter(|it| !is_null(it));
        asked[at].1.iter().find_map(said)
    }
}

impl Cells<'_> {
    fn of_json(value: &serde_json::Value) -> Self {
        let mut cells = Vec::new();
        let Some(object) = value.as_object() else { return Self::Json(cells) };
        for (name, value) in object.iter().take(MAX_COLUMNS) {
            let name = normal(name);
            match value {
                serde_json::Value::Object(inner) => {
                    for (part, value) in inner.iter().take(MAX_COLUMNS) {
                        cells.extend(text(value).map(|it| (format!("{name}_{}", normal(part)), it)));
                    }
                }
                value => cells.extend(text(value).map(|it| (name, it))),
            }
        }
        Self::Json(cells)
    }

    fn has(&self, names: &[&str]) -> bool {
        match self {
            Self::Csv(columns, _) => columns.has(names),
            Self::Json(cells) => cells.iter().any(|it| names.contains(&&*it.0)),
        }
    }

    /// The first of these names that says something.
    pub(super) fn get(&self, names: &'static [&'static str]) -> Option<&str> {
        match self {
            Self::Csv(columns, values) => columns.find(values, names),
            Self::Json(cells) => names.iter().find_map(|name| {
                let found = cells.iter().find(|it| it.0 == *name)?;
                (!is_null(&found.1)).then_some(&*found.1)
            }),
        }
    }
}

fn text(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::Array(all) => {
            let all: Vec<String> =
                all.iter().take(64).filter_map(|it| super::super::json::scalar(it).map(|it| it.into_owned())).collect();
            Some(all.join(","))
        }
        serde_json::Value::Object(_) => None,
        value => super::super::json::scalar(value).map(|it| it.into_owned()),
    }
}

/// A time as any exporter writes it: text, or seconds, milliseconds or microseconds since 1970.
pub(super) fn moment(
    text: &str,
    times: &ringleader_model::time::TimeDefaults,
) -> Result<ringleader_model::time::Parsed, Malformed> {
    use ringleader_model::Timestamp;
    if text.len() >= 9 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return Timestamp::from_epoch_text(text).map(|it| (it, None)).ok_or(Malformed::new("unreadable time"));
    }
    Timestamp::parse(text, times).ok_or(()).or_else(|()| match super::find_time(text, times) {
        super::Found::Time(it) => Ok(it),
        super::Found::Impossible => Err(Malformed::new("a date or time that does not exist")),
        super::Found::None => Err(super::super::plain::bad_time(text)),
    })
}
