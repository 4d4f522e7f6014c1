//! Memory across runs, and what analysts decided. Findings → a ledger; a ledger and findings → warnings, and findings as
//! decided. Deliberately absent: anything that changes what a run computes: names, merges and allow-lists are a view.

mod decided;
mod decision;
mod decisions;
mod error;
mod store;

pub use decided::{Allowed, Case, Decided, Split};
pub use decision::{Allowable, CampaignRef, Decision, What};
pub use decisions::Taken;
pub use error::{Error, Result};
pub use store::{Ledger, SCHEMA};
