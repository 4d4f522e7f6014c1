//! host buckets, whichever engine holds them → one bucket's events at a time.

use std::io;

use ringleader_model::findings::{DeadLetter, SourceSummary};
use ringleader_pipeline::collect::rows::Bucket;
use ringleader_pipeline::label::network::sums::Sums;

use crate::collect::{ALL_BUCKETS, Collected};

/// Events by host bucket, and where they came from. Buckets can be loaded by several threads at once.
pub trait Buckets: Sync {
    fn n_buckets(&self) -> usize;
    /// The events of one bucket, in no particular order, duplicates included. A bucket of `Collected` can be
    /// loaded once: its memory becomes the caller's.
    fn load(&self, bucket: usize) -> io::Result<Bucket>;
    /// The same, in the memory of an earlier bucket where the engine can.
    fn load_into(&self, bucket: usize, room: &mut Bucket) -> io::Result<()> {
        *room = self.load(bucket)?;
        Ok(())
    }
    /// By source number.
    fn sources(&self) -> &[SourceSummary];
    /// The format of each source, as an index into `FORMATS`; `u32::MAX` where none recognised it.
    fn formats(&self) -> &[u32];
    fn rejected(&self) -> &[DeadLetter];
    /// Flows that a tap took: they are in no bucket.
    fn tapped(&self) -> u64 {
        0
    }
    /// The sums of flows of the wire, where a tap made them as they were read. Can be taken once.
    fn wire(&self) -> Option<Sums> {
        None
    }
    /// Whether a source still holds what was read: only then are its records quoted.
    fn is_unchanged(&self, _source: &str) -> bool {
        true
    }
}

impl Buckets for Collected {
    fn n_buckets(&self) -> usize {
        ALL_BUCKETS
    }
    fn load(&self, bucket: usize) -> io::Result<Bucket> {
        Bucket::of(self.store.take(bucket)?).map_err(io::Error::other)
    }
    fn load_into(&self, bucket: usize, room: &mut Bucket) -> io::Result<()> {
        room.refill(self.store.take(bucket)?).map_err(io::Error::other)
    }
    fn sources(&self) -> &[SourceSummary] {
        &self.sources
    }
    fn formats(&self) -> &[u32] {
        &self.formats
    }
    fn rejected(&self) -> &[DeadLetter] {
        &self.rejected
    }
}
