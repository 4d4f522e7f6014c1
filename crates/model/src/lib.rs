//! The nouns. No I/O, no clock, no threads.
//!
//! One word per idea, in code, columns and reports alike:
//!
//! | word | meaning |
//! |---|---|
//! | event | one log record, normalised; says where it came from |
//! | process | one program image running on one host |
//! | boundary | a process whose children are separate activities: init, sshd's listener, cron |
//! | episode | the subtree below a boundary; time never splits it |
//! | template | a command line with its volatile parts typed: `wget -O <path:tmp> <url>` |
//! | indicator | an IOC with its context: downloaded, connected, written, executed, killed |
//! | signature | what makes a graph recognisable on any host |
//! | campaign | the graphs that one signature joins: one merged graph, one bot variant |
//! | gang | the campaigns that one group runs |
//! | behaviour | something seen in a process graph, with an ATT&CK technique |
//! | attack method | how they got in |
//! | network role | what a network alert says of a process: C2, download source, pool |

pub mod event;
pub mod findings;
pub mod hash;
pub mod indicator;
pub mod outcome;
pub mod tables;
pub mod time;
pub mod trend;

pub use event::{Activity, Event, EventClass, EventId, Field, SensorRole};
pub use indicator::{Context, Indicator, IndicatorKind};
pub use outcome::{Malformed, Outcome, Problem};
pub use tables::{Rows, Tables};
pub use time::Timestamp;
