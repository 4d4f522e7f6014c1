//! Where it runs. The stages know nothing of it.

pub mod collect;
pub mod sources;
pub mod store;
