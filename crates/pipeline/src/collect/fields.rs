//! one record → values by name, whether it came as JSON or as CSV. Deliberately absent: what the names mean.

use std::borrow::Cow;

use ringleader_model::Malformed;
use ringleader_model::event::is_null;
use serde_json::Value;

/// A flat record. Null marks read as absent.
pub(crate) trait Fields {
    /// The value as text; nested JSON as JSON text.
    fn field(&self, name: &str) -> Option<Cow<'_, str>>;

    /// The first of several names that has a value.
    fn any(&self, names: &[&str]) -> Option<Cow<'_, str>> {
        names.iter().find_map(|name| self.field(name))
    }

    /// A number: decimal, or hex behind `0x`.
    fn number(&self, names: &[&str]) -> Option<u32> {
        self.any(names).and_then(|text| super::json::parse_u32(&text))
    }
}

impl Fields for Value {
    fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        let text = match self.get(name)? {
            nested @ (Value::Object(_) | Value::Array(_)) => Cow::Owned(nested.to_string()),
            value => super::json::scalar(value)?,
        };
        (!is_null(&text)).then_some(text)
    }
}

/// The header line of a CSV or TSV.
pub(crate) struct Header {
    delimiter: u8,
    line: Vec<u8>,
    columns: Vec<String>,
}

impl Header {
    /// The header, where the columns are those that `accepts` wants.
    pub(crate) fn find(head: &[u8], accepts: impl Fn(&dyn Fn(&str) -> bool) -> bool) -> Option<Self> {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let line = head.split(|b| *b == b'\n').find(|line| !line.trim_ascii().is_empty())?.trim_ascii();
        if line.first() == Some(&b'{') {
            return None;
        }
        let delimiter = *[b'\t', b',', b';'].iter().find(|it| line.contains(it))?;
        // The portals of Azure write `TimeGenerated [UTC]`.
        let columns: Vec<String> = super::plain::fields(line, delimiter)?
            .iter()
            .map(|it| it.trim().trim_end_matches(" [UTC]").to_owned())
            .collect();
        accepts(&|name| columns.iter().any(|it| it == name)).then(|| Self { delimiter, line: line.to_vec(), columns })
    }

    /// The row of a record; `None` for the header itself.
    pub(crate) fn row(&self, record: &[u8]) -> Result<Option<Row<'_>>, Malformed> {
        if record.strip_prefix(b"\xef\xbb\xbf").unwrap_or(record) == self.line {
            return Ok(None);
        }
        let values = super::plain::fields(record, self.delimiter).ok_or(Malformed::new("not a delimited record"))?;
        match values.len().cmp(&self.columns.len()) {
            std::cmp::Ordering::Greater => Err(Malformed::new("more fields than the header has")),
            std::cmp::Ordering::Less => Err(Malformed::new("fewer fields than the header has")),
            std::cmp::Ordering::Equal => Ok(Some(Row { columns: &self.columns, values })),
        }
    }
}

pub(crate) struct Row<'h> {
    columns: &'h [String],
    values: csv::StringRecord,
}

impl Fields for Row<'_> {
    fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        let at = self.columns.iter().position(|it| it == name)?;
        self.values.get(at).filter(|it| !is_null(it)).map(Cow::Borrowed)
    }
}

/// One name for one host: the first label in lower case, because agents write `WS5`, `ws5` and `WS5.corp.example`
/// for the same machine. An address stays whole.
pub(crate) fn host_name(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('.');
    if is_null(text) {
        return None;
    }
    if text.parse::<std::net::IpAddr>().is_ok() {
        return Some(text.to_owned());
    }
    text.split('.').find(|label| !label.is_empty()).map(str::to_lowercase)
}

/// An address in its usual spelling: `::ffff:192.0.2.1` and `0:0:0:0:0:0:0:1` are `192.0.2.1` and `::1`. Text that is
/// no address stays as it stands.
pub(crate) fn address(text: Cow<'_, str>) -> Cow<'_, str> {
    match text.trim().parse::<std::net::IpAddr>() {
        Ok(ip) => {
            let usual = ip.to_canonical().to_string();
            if usual == text { text } else { Cow::Owned(usual) }
        }
        Err(_) => text,
    }
}

/// The front of a text, at most `limit` bytes, cut between characters.
pub(crate) fn bounded(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_has_one_name() {
        for spelling in ["WS5", "ws5.corp.example", "WS5.corp.example."] {
            assert_eq!(host_name(spelling).as_deref(), Some("ws5"));
        }
        assert_eq!(host_name("192.0.2.7").as_deref(), Some("192.0.2.7"));
        assert_eq!(host_name("-"), None);
        assert_eq!(host_name("..."), None);
    }

    #[test]
    fn addresses_are_spelled_one_way() {
        assert_eq!(address("::ffff:192.0.2.1".into()), "192.0.2.1");
        assert_eq!(address("0:0:0:0:0:0:0:1".into()), "::1");
        assert_eq!(address("LOCAL".into()), "LOCAL");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(bounded("挖矿", 4), "挖");
        assert_eq!(bounded("abc", 9), "abc");
    }

    #[test]
    fn csv_rows_must_fit_their_header() {
        let header = Header::find(b"a,TimeGenerated [UTC]\n", |has| has("TimeGenerated")).unwrap();
        assert!(header.row(b"a,TimeGenerated [UTC]").unwrap().is_none());
        assert_eq!(header.row(b"1,-").unwrap().unwrap().any(&["TimeGenerated", "a"]).as_deref(), Some("1"));
        assert!(header.row(b"1,2,3").is_err());
        assert!(header.row(b"1").is_err());
    }
}
