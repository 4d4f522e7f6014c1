//! Where it runs. The stages know nothing of it.

pub mod buckets;
pub mod collect;
#[cfg(feature = "lake")]
pub mod lake;
pub mod sources;
pub mod store;

pub use buckets::Buckets;
