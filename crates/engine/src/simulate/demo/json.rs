//! names and values → one JSON object.

use super::super::ndjson::push_escaped;

#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Text(&'a str),
    Number(i64),
    /// JSON as it stands.
    Json(&'a str),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}
impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}
impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

pub(super) fn object(fields: &[(&str, Value<'_>)]) -> String {
    let mut out = String::from("{");
    for (at, (name, value)) in fields.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push('"');
        push_escaped(name, &mut out);
        out.push_str("\":");
        match value {
            Value::Text(text) => {
                out.push('"');
                push_escaped(text, &mut out);
                out.push('"');
            }
            Value::Number(number) => out.push_str(&number.to_string()),
            Value::Json(text) => out.push_str(text),
        }
    }
    out.push('}');
    out
}

pub(super) fn strings<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::from("[");
    for (at, item) in items.into_iter().enumerate() {
        out.push_str(if at > 0 { ",\"" } else { "\"" });
        push_escaped(item, &mut out);
        out.push('"');
    }
    out.push(']');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_escaping_is_escaped() {
        let list = strings(["a", "\t"]);
        let text = object(&[("a", "C:\\x \"y\"\n".into()), ("n", (-3).into()), ("l", Value::Json(&list))]);
        assert_eq!(text, r#"{"a":"C:\\x \"y\"\n","n":-3,"l":["a","\t"]}"#);
    }
}
