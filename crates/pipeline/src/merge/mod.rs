//! labelled episodes → one sketch → campaigns, repaired.
//!
//! Everything that must scale is a `Sketch` with one `merge`: associative, commutative, with an empty element. So
//! the answer does not depend on how the input was split or ordered, to the byte. What is known only after merging
//! (stop-values, campaigns, merged graphs) is a view: a pure function of sketch and knowledge, never fed back.

pub mod background;
pub mod campaigns;
pub mod distinct;
pub mod record;
pub mod remnant;
pub mod repair;
mod routine;
pub mod sketch;
pub mod steps;
pub mod stop;

pub use campaigns::{Campaign, Campaigns, campaigns};
pub use sketch::{EpisodeFacts, Sketch};
