//! one line of the plain process log → its row, in one pass over the bytes.
//!
//! Reads the shape that exporters write: one flat object of texts, whole numbers and nulls. Deliberately absent:
//! everything else (nesting, fractions, signs, duplicates) and every complaint. `None` is no verdict: serde reads
//! the line then, and where a row comes back, it is the one that serde would have read.

use std::borrow::Cow;

use super::{Row, Scalar};

pub(super) fn row(line: &str) -> Option<Row<'_>> {
    // Without control characters, the only white space between tokens is the space.
    if line.bytes().fold(u8::MAX, u8::min) < b' ' {
        return None;
    }
    let mut scan = Scan { line, at: 0 };
    let mut row = [const { None }; KEYS.len()];
    let mut usual = 0;
    scan.token(b'{')?;
    loop {
        let nth = scan.key(usual)?;
        let value = scan.value()?;
        usual = nth + 1;
        // A key that we do not know is passed over, as often as it comes.
        if let Some(place) = row.get_mut(nth)
            && place.replace(value).is_some()
        {
            return None;
        }
        if scan.token(b',').is_none() {
            break;
        }
    }
    scan.token(b'}')?;
    (scan.at == line.len()).then_some(())?;
    let [id, time, host, file_path, cmd_line, pid, ppid, parent] = row;
    Some(Row {
        id: scalar(id),
        time: text(time)??,
        host: text(host)?,
        file_path: text(file_path)?,
        cmd_line: text(cmd_line)?,
        pid: scalar(pid),
        ppid: scalar(ppid),
        parent: text(parent)?,
    })
}

/// In the usual order, each as it usually stands.
const KEYS: [&str; 8] = [
    r#""id":"#,
    r#""time":"#,
    r#""host":"#,
    r#""file_path":"#,
    r#""cmd_line":"#,
    r#""pid":"#,
    r#""ppid":"#,
    r#""parent":"#,
];

enum Value<'a> {
    Text(Cow<'a, str>),
    Number(i64),
    Null,
}

fn scalar(value: Option<Value<'_>>) -> Option<Scalar<'_>> {
    match value? {
        Value::Text(text) => Some(Scalar::Text(text)),
        Value::Number(number) => Some(Scalar::Number(number)),
        Value::Null => None,
    }
}

/// The outer `None`: a number, where only text may stand.
fn text(value: Option<Value<'_>>) -> Option<Option<Cow<'_, str>>> {
    match value {
        Some(Value::Text(text)) => Some(Some(text)),
        Some(Value::Number(_)) => None,
        Some(Value::Null) | None => Some(None),
    }
}

struct Scan<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.line.as_bytes()[self.at..]
    }

    fn spaces(&mut self) {
        while self.rest().first() == Some(&b' ') {
            self.at += 1;
        }
    }

    fn token(&mut self, token: u8) -> Option<()> {
        self.spaces();
        (*self.rest().first()? == token).then(|| self.at += 1)
    }

    /// Which of `KEYS` stands here, and its colon; their number for any other. Where it is the usual one, its bytes are
    /// only compared.
    fn key(&mut self, usual: usize) -> Option<usize> {
        if let Some(key) = KEYS.get(usual)
            && self.rest().starts_with(key.as_bytes())
        {
            self.at += key.len();
            return Some(usual);
        }
        self.token(b'"')?;
        let length = self.rest().iter().position(|it| matches!(it, b'"' | b'\\'))?;
        let key = &self.rest()[..length];
        self.at += length;
        self.token(b'"')?;
        self.token(b':')?;
        Some(KEYS.iter().position(|it| it.as_bytes()[1..it.len() - 2] == *key).unwrap_or(KEYS.len()))
    }

    fn value(&mut self) -> Option<Value<'a>> {
        self.spaces();
        match *self.rest().first()? {
            b'"' => self.text().map(Value::Text),
            b'0'..=b'9' => self.number().map(Value::Number),
            _ => {
                self.at += self.rest().strip_prefix(b"null").map(|_| 4)?;
                Some(Value::Null)
            }
        }
    }

    fn text(&mut self) -> Option<Cow<'a, str>> {
        let open = self.at;
        let mut at = open + 1;
        let mut escaped = false;
        loop {
            at += memchr::memchr2(b'"', b'\\', self.line.as_bytes().get(at..)?)?;
            if self.line.as_bytes()[at] == b'"' {
                break;
            }
            escaped = true;
            at += 2;
        }
        self.at = at + 1;
        if escaped {
            return serde_json::from_str(self.line.get(open..=at)?).ok().map(Cow::Owned);
        }
        self.line.get(open + 1..at).map(Cow::Borrowed)
    }

    /// Up to 18 digits, which no `i64` is too small for. What follows decides whether it was the whole number.
    fn number(&mut self) -> Option<i64> {
        let digits = self.rest().iter().take_while(|it| it.is_ascii_digit());
        let (n, length) = digits.fold((0i64, 0usize), |(n, length), digit| {
            (n.wrapping_mul(10).wrapping_add(i64::from(digit - b'0')), length + 1)
        });
        let leads_with_zero = self.rest()[0] == b'0' && length > 1;
        self.at += length;
        (length <= 18 && !leads_with_zero).then_some(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whether it was read without serde; if so, as serde reads it.
    fn check(line: &str) -> bool {
        let Some(row) = row(line) else { return false };
        assert_eq!(serde_json::from_str::<Row<'_>>(line).ok(), Some(row), "{line}");
        true
    }

    #[test]
    fn what_exporters_write_needs_no_serde() {
        for line in [
            r#"{"id":"a","time":"2026-03-01","host":"h","file_path":"/x","cmd_line":"x y","pid":5,"ppid":1,"parent":"-"}"#,
            r#"{ "time" : "2026-03-01" , "pid" : "5", "ppid":0, "id": 17, "host": null, "more": "1", "n": 2 }"#,
            r#"{"cmd_line":"sh -c \"a\\b\" \u6728\ud83d\ude00","time":"木","file_path":"C:\\x"}"#,
            r#"{"time":"","pid":999999999999999999}"#,
            r#"{"parent":"p","ppid":1,"pid":2,"more":1,"more":null,"cmd_line":"c","time":"t","id":3}"#,
        ] {
            assert!(check(line), "{line}");
        }
    }

    #[test]
    fn what_is_not_plain_is_left_to_serde() {
        for line in [
            "",
            "{",
            "{}",
            "[]",
            r#"{"time":"x"} "#,
            r#"{"time":"x",}"#,
            r#"{"time":"x"}}"#,
            r#"{"time":5}"#,
            r#"{"time":null}"#,
            r#"{"time":"x","pid":01}"#,
            r#"{"time":"x","pid":1.0}"#,
            r#"{"time":"x","pid":-1}"#,
            r#"{"time":"x","pid":1e3}"#,
            r#"{"time":"x","pid":9223372036854775808}"#,
            r#"{"time":"x","pid":true}"#,
            r#"{"time":"x","time":"x"}"#,
            r#"{"time":"x","host":null,"host":"x"}"#,
            r#"{"time":"x","host":{"name":"x"}}"#,
            r#"{"t\u0069me":"x"}"#,
            r#"{"time":"\x"}"#,
            r#"{"time":"\ud800"}"#,
            r#"{"time":"x\"#,
            r#"{"time":"x\""#,
            "{\"time\":\"a\u{1}b\"}",
            "{\"time\":\t\"a\"}",
        ] {
            assert!(!check(line), "{line}");
        }
    }

    /// JSON of every kind, most of it plain.
    fn value() -> impl Strategy<Value = String> {
        let quoted = |text: String| serde_json::to_string(&text).unwrap();
        prop_oneof![
            4 => any::<String>().prop_map(quoted),
            4 => "[ -~]{0,20}".prop_map(quoted),
            2 => any::<u32>().prop_map(|it| it.to_string()),
            1 => any::<i64>().prop_map(|it| it.to_string()),
            1 => any::<f64>().prop_map(|it| it.to_string()),
            1 => "[0-9]{1,21}",
            1 => r#""[\\"a-fu0-9]{0,9}""#,
            1 => r#"null|true|nul|\{\}|\[1\]|\{"a":"b"\}|"#,
        ]
    }

    fn line() -> impl Strategy<Value = String> {
        let key = r#""(id|time|host|file_path|cmd_line|pid|ppid|parent|more|ti\\u006de)""#;
        let separator = prop_oneof![9 => Just(","), 1 => Just(" , "), 1 => Just(",,"), 1 => Just("\t,")];
        let fields = proptest::collection::vec((key, " ?: ?", value(), separator), 0..7);
        (fields, any::<bool>(), any::<prop::sample::Index>(), "[ -~]?").prop_map(|(fields, damaged, at, byte)| {
            let mut line = r#"{"time":"2026-03-01""#.to_owned();
            for (key, colon, value, separator) in fields {
                line.extend([separator, &key, &colon, &value]);
            }
            line.push('}');
            let at = at.index(line.len());
            if damaged && line.is_char_boundary(at) && line.is_char_boundary(at + 1) {
                line.replace_range(at..=at, &byte);
            }
            line
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn a_row_is_the_one_that_serde_reads(line in line()) {
            check(&line);
        }
    }
}
