//! Warnings that wait in the ledger's outbox → messages to chats, mail, webhooks and SIEMs. At least once: what was taken
//! is marked, what was not is tried again, later and later, and in the end given up and kept. Deliberately absent: what
//! is worth a warning (the ledger), and the clock (whoever calls brings it).

mod channels;
mod config;
mod http;
mod note;
mod send;
mod sign;

pub use config::{Channel, Config, Kind, Lang};
pub use note::{Note, compose, sample};
pub use send::{Report, send, test};

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Failure {
    pub what: String,
    pub again: Again,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// It will never be taken as it is.
    Never,
    Later,
    /// Not before so many seconds.
    After(u64),
}

impl Failure {
    pub(crate) fn never(what: impl Into<String>) -> Self {
        Self { what: what.into(), again: Again::Never }
    }
    pub(crate) fn later(what: impl Into<String>) -> Self {
        Self { what: what.into(), again: Again::Later }
    }
}
