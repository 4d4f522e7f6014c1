//! events → host buckets, in memory up to a ceiling, beyond it on disk.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::RangeInclusive;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ringleader_model::hash::hash64;
use ringleader_model::{Event, EventId};
use ringleader_pipeline::collect::recent::Recent;
use ringleader_pipeline::collect::rows::{BlockWriter, Place};

/// The memory of a block: large against the strings that every block of a bucket repeats, and small enough to be asked
/// for in one piece.
const BLOCK: RangeInclusive<usize> = 16 << 10..=128 << 10;

/// Enough that one bucket of a big run fits in memory many times over.
pub const BUCKETS: usize = 64;

/// The bucket of a host. A short name and its fully qualified one share it, so that they can become one host.
pub fn bucket_of(host: &str) -> usize {
    let label = if host.parse::<std::net::IpAddr>().is_ok() { host } else { host.split('.').next().unwrap_or(host) };
    (hash64(label.as_bytes()) % BUCKETS as u64) as usize
}

/// Sealed blocks of every bucket. Shared by all collectors.
pub struct Store {
    ceiling: usize,
    held: AtomicUsize,
    spilled: AtomicUsize,
    inner: Mutex<Inner>,
}

struct Inner {
    buckets: Vec<Vec<Block>>,
    file: Option<File>,
    end: u64,
}

enum Block {
    Memory(Vec<u8>),
    Disk { at: u64, length: usize },
}

impl Store {
    /// `n` buckets; blocks beyond `ceiling` bytes go to a temporary file.
    pub fn new(n: usize, ceiling: usize) -> Self {
        let inner = Inner { buckets: (0..n).map(|_| Vec::new()).collect(), file: None, end: 0 };
        Self { ceiling, held: AtomicUsize::new(0), spilled: AtomicUsize::new(0), inner: Mutex::new(inner) }
    }

    pub fn add(&self, bucket: usize, block: Vec<u8>) -> io::Result<()> {
        if block.is_empty() {
            return Ok(());
        }
        let mut inner = self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if self.held.load(Ordering::Relaxed) + block.len() <= self.ceiling {
            self.held.fetch_add(block.len(), Ordering::Relaxed);
            inner.buckets[bucket].push(Block::Memory(block));
            return Ok(());
        }
        if inner.file.is_none() {
            inner.file = Some(tempfile::tempfile()?);
        }
        let (at, length) = (inner.end, block.len());
        let file = inner.file.as_mut().ok_or_else(|| io::Error::other("no spill file"))?;
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&block)?;
        inner.end += length as u64;
        self.spilled.fetch_add(length, Ordering::Relaxed);
        inner.buckets[bucket].push(Block::Disk { at, length });
        Ok(())
    }

    /// Takes a bucket's blocks out; their memory is the caller's.
    pub fn take(&self, bucket: usize) -> io::Result<Vec<Vec<u8>>> {
        let mut inner = self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let blocks = std::mem::take(&mut inner.buckets[bucket]);
        let mut taken = Vec::with_capacity(blocks.len());
        for block in blocks {
            taken.push(match block {
                Block::Memory(bytes) => {
                    self.held.fetch_sub(bytes.len(), Ordering::Relaxed);
                    bytes
                }
                Block::Disk { at, length } => {
                    let file = inner.file.as_mut().ok_or_else(|| io::Error::other("no spill file"))?;
                    file.seek(SeekFrom::Start(at))?;
                    let mut bytes = vec![0; length];
                    file.read_exact(&mut bytes)?;
                    bytes
                }
            });
        }
        Ok(taken)
    }

    /// Takes one block of a bucket out, so that no more than that is in memory. Blocks come in no particular order.
    pub fn pop(&self, bucket: usize) -> io::Result<Option<Vec<u8>>> {
        let mut inner = self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match inner.buckets[bucket].pop() {
            None => Ok(None),
            Some(Block::Memory(bytes)) => {
                self.held.fetch_sub(bytes.len(), Ordering::Relaxed);
                Ok(Some(bytes))
            }
            Some(Block::Disk { at, length }) => {
                let file = inner.file.as_mut().ok_or_else(|| io::Error::other("no spill file"))?;
                file.seek(SeekFrom::Start(at))?;
                let mut bytes = vec![0; length];
                file.read_exact(&mut bytes)?;
                Ok(Some(bytes))
            }
        }
    }

    pub fn spilled_bytes(&self) -> usize {
        self.spilled.load(Ordering::Relaxed)
    }
}

/// One collector's open blocks.
pub struct Writers<'a> {
    store: &'a Store,
    open: Vec<BlockWriter>,
    recent: Recent,
    /// What this collector may hold open, all in all and a block.
    share: usize,
    full: usize,
    since_check: usize,
}

impl<'a> Writers<'a> {
    pub fn new(store: &'a Store, n: usize, share: usize) -> Self {
        let room = (share / 2 / n).clamp(*BLOCK.start(), *BLOCK.end());
        let open = (0..n).map(|_| BlockWriter::with_room(room)).collect();
        // With so much left that most events fit.
        Self { store, open, recent: Recent::default(), share, full: room - room / 16, since_check: 0 }
    }

    /// Adds an event to a bucket; seals blocks where they hold too much. Host and tenant have been resolved.
    pub fn push(
        &mut self,
        bucket: usize,
        event: &Event<'_>,
        id: EventId,
        named: [&str; 2],
        place: Place,
    ) -> io::Result<()> {
        let writer = &mut self.open[bucket];
        writer.push(event, id, named, place, &mut self.recent);
        if writer.len() > self.full {
            return self.store.add(bucket, writer.seal());
        }
        self.since_check += 1;
        if self.since_check >= 4096 {
            self.since_check = 0;
            if self.open.iter().map(BlockWriter::footprint).sum::<usize>() > self.share {
                return self.seal();
            }
        }
        Ok(())
    }

    pub fn seal(&mut self) -> io::Result<()> {
        for (bucket, writer) in self.open.iter_mut().enumerate() {
            if !writer.is_empty() {
                self.store.add(bucket, writer.seal())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_the_ceiling_comes_back_from_disk() {
        let store = Store::new(2, 10);
        store.add(0, b"12345678".to_vec()).unwrap();
        store.add(0, b"abcdefgh".to_vec()).unwrap();
        store.add(1, b"ABCDEFGH".to_vec()).unwrap();
        assert_eq!(store.spilled_bytes(), 16);
        assert_eq!(store.take(1).unwrap(), [b"ABCDEFGH"]);
        assert_eq!(store.take(0).unwrap(), [b"12345678", b"abcdefgh"]);
    }

    #[test]
    fn a_short_name_and_its_full_one_share_a_bucket() {
        assert_eq!(bucket_of("web1"), bucket_of("web1.corp.example"));
    }
}
