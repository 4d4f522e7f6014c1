//! Where the events of a run come from: this run's own store, or a lake.

use std::io;

use ringleader_model::findings::{DeadLetter, SourceSummary};
use ringleader_pipeline::collect::rows::Bucket;

use crate::collect::{ALL_BUCKETS, Collected};

/// Host buckets, then as many of network sensors.
pub trait Buckets: Sync {
    fn n_buckets(&self) -> usize {
        ALL_BUCKETS
    }
    /// The events of one bucket. Called once for each.
    fn load(&self, bucket: usize) -> io::Result<Bucket>;
    /// By source number.
    fn sources(&self) -> &[SourceSummary];
    /// The format of each source, as an index into `FORMATS`.
    fn formats(&self) -> &[u32];
    fn rejected(&self) -> &[DeadLetter];
}

impl Buckets for Collected {
    fn load(&self, bucket: usize) -> io::Result<Bucket> {
        let mut loaded = Bucket::default();
        for block in self.store.take(bucket)? {
            loaded.load(&block).map_err(io::Error::other)?;
        }
        Ok(loaded)
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
