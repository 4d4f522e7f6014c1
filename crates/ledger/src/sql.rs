//! Short forms for statements: values bound in order, rows read by position.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

pub(crate) enum Value {
    Text(String),
    Number(i64),
}

impl From<&str> for Value {
    fn from(it: &str) -> Self {
        // PostgreSQL's text has no NUL.
        Self::Text(it.replace('\0', "\u{fffd}"))
    }
}
impl From<String> for Value {
    fn from(it: String) -> Self {
        it.as_str().into()
    }
}
impl From<&String> for Value {
    fn from(it: &String) -> Self {
        it.as_str().into()
    }
}
impl From<i64> for Value {
    fn from(it: i64) -> Self {
        Self::Number(it)
    }
}
impl From<u64> for Value {
    fn from(it: u64) -> Self {
        Self::Number(i64::try_from(it).unwrap_or(i64::MAX))
    }
}

fn bound<const N: usize>(
    sql: &'static str,
    values: [Value; N],
) -> sqlx::query::Query<'static, sqlx::Any, sqlx::any::AnyArguments> {
    let mut query = sqlx::query(sql);
    for value in values {
        query = match value {
            Value::Text(it) => query.bind(it),
            Value::Number(it) => query.bind(it),
        };
    }
    query
}

/// How many rows it changed.
pub(crate) async fn exec<const N: usize>(
    db: &mut AnyConnection,
    sql: &'static str,
    values: [Value; N],
) -> sqlx::Result<u64> {
    Ok(bound(sql, values).execute(db).await?.rows_affected())
}

pub(crate) async fn rows<const N: usize>(
    db: &mut AnyConnection,
    sql: &'static str,
    values: [Value; N],
) -> sqlx::Result<Vec<AnyRow>> {
    bound(sql, values).fetch_all(db).await
}

pub(crate) fn text(row: &AnyRow, at: usize) -> sqlx::Result<String> {
    row.try_get(at)
}

pub(crate) fn number(row: &AnyRow, at: usize) -> sqlx::Result<i64> {
    row.try_get(at)
}

pub(crate) fn count(row: &AnyRow, at: usize) -> sqlx::Result<u64> {
    Ok(u64::try_from(number(row, at)?).unwrap_or(0))
}

/// Something that was put there as JSON.
pub(crate) fn json<T: serde::de::DeserializeOwned>(row: &AnyRow, at: usize) -> sqlx::Result<T> {
    serde_json::from_str(&text(row, at)?).map_err(|error| sqlx::Error::Decode(error.into()))
}
