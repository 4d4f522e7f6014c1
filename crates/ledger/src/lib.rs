//! Memory across runs, and what analysts decided. Findings → a ledger; a ledger and findings → warnings, and findings as
//! decided. Deliberately absent: anything that changes what a run computes: names, merges and allow-lists are a view.

mod decided;
mod decision;
mod decisions;
mod error;
mod lineage;
mod memory;
mod notices;
mod outbox;
mod recall;
mod record;
mod seen;
mod sql;
mod store;
mod trend;
mod view;
mod warn;

pub use decided::{Allowed, Case, Decided, Split};
pub use decision::{Allowable, CampaignRef, Decision, What};
pub use decisions::Taken;
pub use error::{Error, Result};
pub use lineage::{Features, Lineage};
pub use memory::{
    FactKind, FactMemory, FactObserved, GangMemory, GangObserved, Memory, Observed, Place, Places, observe,
};
pub use notices::{GangNotice, HostNotice, Notice, notices};
pub use outbox::{Message, Status, Waiting};
pub use recall::{IndicatorSpan, Listed, Registry, RunRow};
pub use record::{Recorded, RunRecord};
pub use seen::{Done, GangSeen, Seen, Watch};
pub use store::{Ledger, SCHEMA};
pub use trend::Asked;
pub use view::without_hosts;
pub use warn::{News, Settings, warn};
