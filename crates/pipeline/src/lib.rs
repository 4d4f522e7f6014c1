//! The verbs, pure, in the order they run. Nothing here opens a file, reads a clock or starts a thread.

pub mod collect;
pub mod connect;
pub mod extract;
mod knowledge;
pub mod label;
pub mod merge;
pub mod partition;
pub mod reconstruct;
pub mod shell;
