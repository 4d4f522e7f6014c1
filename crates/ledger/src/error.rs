//! What a database says → what a person can do about it.

use sqlx::migrate::MigrateError;

/// Why the ledger could not do what was asked. Nothing was changed where one is returned.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "the ledger {at} is in use by another run, and stayed so for {seconds} s; nothing was changed: run the same command again when that one is done"
    )]
    Locked { at: String, seconds: u64 },
    #[error("no room is left for the ledger {at}; nothing was changed: make room and run the same command again")]
    Full { at: String },
    #[error(
        "{at} is damaged, or is no ledger ({what}): put a backup in its place (`ringleader ledger backup` makes them), or move it away to start a new one"
    )]
    Damaged { at: String, what: String },
    #[error(
        "the ledger {at} was made by a newer version of ringleader (its schema is {found}, this program knows {known}); nothing was changed: use that version"
    )]
    Newer { at: String, found: i64, known: i64 },
    #[error("the ledger {at} may only be read ({what}): write to a copy, or change its permissions")]
    ReadOnly { at: String, what: String },
    #[error("there is no ledger at {at}: `ringleader run … --ledger {at}` makes one, and so does a first decision")]
    Absent { at: String },
    #[error("cannot open the ledger {at}: {what}")]
    Open { at: String, what: String },
    #[error("the ledger {at}: {what}")]
    Other { at: String, what: String },
    /// A decision that contradicts another, or speaks of what is not there.
    #[error("{0}")]
    Refused(String),
}

pub type Result<T> = std::result::Result<T, Error>;

/// How long a writer waits for another one.
pub(crate) const WAIT_SECONDS: u64 = 10;

pub(crate) fn told(at: &str, error: sqlx::Error) -> Error {
    let at = at.to_owned();
    let what = error.to_string();
    match &error {
        sqlx::Error::Database(it) => {
            let code = it.code().unwrap_or_default();
            // SQLite's codes are numbers (the low byte is the kind); PostgreSQL's have five characters.
            match (code.len(), code.parse::<i64>().ok().map(|it| it & 0xff), &*code) {
                (5, _, "55P03" | "57014" | "40P01") | (..5, Some(5 | 6), _) => {
                    Error::Locked { at, seconds: WAIT_SECONDS }
                }
                (5, _, "53100") | (..5, Some(13), _) => Error::Full { at },
                (..5, Some(11 | 26), _) => Error::Damaged { at, what: it.message().to_owned() },
                (..5, Some(8), _) => Error::ReadOnly { at, what: it.message().to_owned() },
                (..5, Some(14), _) => Error::Open { at, what: it.message().to_owned() },
                _ => Error::Other { at, what: it.message().to_owned() },
            }
        }
        sqlx::Error::Migrate(it) => match &**it {
            MigrateError::Execute(_) | MigrateError::ExecuteMigration(..) => Error::Other { at, what },
            _ => Error::Damaged { at, what },
        },
        sqlx::Error::Configuration(_) => Error::Open { at, what },
        sqlx::Error::Io(it) if it.kind() == std::io::ErrorKind::StorageFull => Error::Full { at },
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) => Error::Open { at, what },
        _ => Error::Other { at, what },
    }
}

pub(crate) fn told_of_migration(at: &str, error: MigrateError, known: i64) -> Error {
    match error {
        MigrateError::VersionMissing(found) => Error::Newer { at: at.to_owned(), found, known },
        MigrateError::Execute(inner) | MigrateError::ExecuteMigration(inner, _) => told(at, inner),
        other => Error::Damaged { at: at.to_owned(), what: other.to_string() },
    }
}
