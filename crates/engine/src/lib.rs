//! Where it runs. The stages know nothing of it.

pub mod analyze;
pub mod assemble;
pub mod buckets;
pub mod collect;
pub mod excerpts;
pub mod sources;
pub mod store;
