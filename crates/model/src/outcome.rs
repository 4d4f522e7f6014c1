//! Bad data is data: what was left out travels beside the result.

use serde::Serialize;

/// A result together with what was left out of it.
#[must_use]
#[derive(Debug, Default, Clone)]
pub struct Outcome<T> {
    /// Always usable: built from everything that could be read.
    pub value: T,
    /// What was left out, in input order.
    pub problems: Vec<Problem>,
}

/// One thing that was left out, with its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    pub source: String,
    /// Byte offset of the record, where there is one.
    pub offset: u64,
    pub what: String,
}

/// Why one record could not be read. Lowercase, no full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(pub std::borrow::Cow<'static, str>);

impl Malformed {
    pub const fn new(what: &'static str) -> Self {
        Self(std::borrow::Cow::Borrowed(what))
    }
}

impl From<String> for Malformed {
    fn from(what: String) -> Self {
        Self(what.into())
    }
}

impl From<&'static str> for Malformed {
    fn from(what: &'static str) -> Self {
        Self(what.into())
    }
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}
