//! Helpers that the JSON formats share.

use std::borrow::Cow;

use ringleader_model::Malformed;
use serde_json::Value;

/// The record as a JSON object.
pub fn object(record: &[u8]) -> Result<Value, Malformed> {
    let text = super::text::decode(record);
    match serde_json::from_str::<Value>(&text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(Malformed::new("not a JSON object")),
        Err(error) if error.is_eof() => Err(Malformed::new("JSON ends in the middle of a value")),
        Err(error) => Err(Malformed::from(format!("invalid JSON: {}", kind(&error)))),
    }
}

/// The first JSON object of an input, even where the head cuts the second one off.
pub fn first_object(head: &[u8]) -> Option<Value> {
    super::framing::frame(super::Framing::Json, head)
        .filter_map(Result::ok)
        .take(4)
        .find_map(|record| object(record.bytes).ok())
}

/// Text, number or boolean at `key` as text; empty and missing are `None`.
pub fn text<'v>(value: &'v Value, key: &str) -> Option<Cow<'v, str>> {
    scalar(value.get(key)?)
}

/// The first of several names that is there.
pub fn any<'v>(value: &'v Value, keys: &[&str]) -> Option<Cow<'v, str>> {
    keys.iter().find_map(|key| text(value, key))
}

/// Text, number or boolean behind a path of keys.
pub fn at<'v>(value: &'v Value, path: &[&str]) -> Option<Cow<'v, str>> {
    scalar(path.iter().try_fold(value, |value, key| value.get(key))?)
}

/// An unsigned number, written as a number, as decimal text or as `0x` hex.
pub fn number(value: &Value, key: &str) -> Option<u32> {
    parse_u32(&text(value, key)?)
}

pub fn parse_u32(text: &str) -> Option<u32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.trim().parse().ok(),
    }
}

pub fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
        _ => None,
    }
}

/// serde's message without the position, which names a line inside the record and would split the counts.
fn kind(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}
