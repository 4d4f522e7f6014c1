//! sorted runs → one sorted sequence: packed, in memory up to a ceiling, beyond it on disk. Deliberately absent: what the
//! items are.
//!
//! Reading holds one item and one block of each run, so its memory depends on the number of runs and not on what is in
//! them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A block is packed once it is this long; a longer item has one of its own.
const BLOCK: usize = 64 << 10;
/// Of zstd: the fastest that packs repeated texts.
const LEVEL: i32 = 1;

/// What is sorted.
pub trait Item: Serialize + DeserializeOwned {
    type Key<'a>: Ord
    where
        Self: 'a;
    fn key(&self) -> Self::Key<'_>;
}

/// Runs of items, each sorted by key.
pub struct Runs<T> {
    ceiling: usize,
    held: usize,
    spilled: u64,
    file: Option<File>,
    runs: Vec<Vec<Block>>,
    items: PhantomData<fn() -> T>,
}

/// One run, not yet placed. Made without the lock that adding takes.
pub struct Packed<T> {
    blocks: Vec<PackedBlock>,
    items: PhantomData<fn() -> T>,
}

struct PackedBlock {
    bytes: Vec<u8>,
    unpacked: usize,
}

struct Block {
    place: Place,
    unpacked: usize,
}

enum Place {
    Memory(Vec<u8>),
    Disk { at: u64, length: usize },
}

impl<T> Default for Runs<T> {
    /// In memory alone.
    fn default() -> Self {
        Self::new(usize::MAX)
    }
}

impl<T> Runs<T> {
    /// Blocks beyond `ceiling` bytes go to a temporary file.
    pub fn new(ceiling: usize) -> Self {
        Self { ceiling, held: 0, spilled: 0, file: None, runs: Vec::new(), items: PhantomData }
    }

    pub fn spilled_bytes(&self) -> u64 {
        self.spilled
    }
}

impl<T: Item> Runs<T> {
    /// Sorts and packs. Items of equal keys keep their order.
    pub fn pack(mut items: Vec<T>) -> io::Result<Packed<T>> {
        items.sort_by(|a, b| a.key().cmp(&b.key()));
        let mut packed = Packed { blocks: Vec::new(), items: PhantomData };
        let mut packer = zstd::bulk::Compressor::new(LEVEL)?;
        let mut open = Vec::with_capacity(BLOCK);
        for item in items {
            postcard::to_io(&item, &mut open).map_err(io::Error::other)?;
            if open.len() >= BLOCK {
                packed.blocks.push(PackedBlock { bytes: packer.compress(&open)?, unpacked: open.len() });
                open.clear();
            }
        }
        if !open.is_empty() {
            packed.blocks.push(PackedBlock { bytes: packer.compress(&open)?, unpacked: open.len() });
        }
        Ok(packed)
    }

    /// Of equal keys, those of the run that was added first come first.
    pub fn add(&mut self, run: Packed<T>) -> io::Result<()> {
        let mut blocks = Vec::with_capacity(run.blocks.len());
        for PackedBlock { bytes, unpacked } in run.blocks {
            blocks.push(Block { place: self.place(bytes)?, unpacked });
        }
        if !blocks.is_empty() {
            self.runs.push(blocks);
        }
        Ok(())
    }

    fn place(&mut self, mut bytes: Vec<u8>) -> io::Result<Place> {
        if bytes.len() <= self.ceiling.saturating_sub(self.held) {
            bytes.shrink_to_fit();
            self.held += bytes.len();
            return Ok(Place::Memory(bytes));
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        let (at, length) = (self.spilled, bytes.len());
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&bytes)?;
        self.spilled += length as u64;
        Ok(Place::Disk { at, length })
    }

    /// Everything, sorted.
    pub fn merged(&self) -> io::Result<Merged<'_, T>> {
        let unpacker = Unpacker { runs: self, unpacker: zstd::bulk::Decompressor::new()? };
        let mut merged = Merged { heads: BinaryHeap::new(), unpacker };
        for at in 0..self.runs.len() {
            let mut cursor = Cursor { run: at, block: 0, bytes: Vec::new(), at: 0 };
            if let Some(item) = merged.unpacker.read(&mut cursor)? {
                merged.heads.push(Reverse(Head { item, cursor }));
            }
        }
        Ok(merged)
    }

    fn load(&self, block: &Block, unpacker: &mut zstd::bulk::Decompressor<'_>) -> io::Result<Vec<u8>> {
        match &block.place {
            Place::Memory(bytes) => unpacker.decompress(bytes, block.unpacked),
            Place::Disk { at, length } => {
                let mut file = self.file.as_ref().ok_or_else(|| io::Error::other("no spill file"))?;
                file.seek(SeekFrom::Start(*at))?;
                let mut bytes = vec![0; *length];
                file.read_exact(&mut bytes)?;
                unpacker.decompress(&bytes, block.unpacked)
            }
        }
    }
}

/// Items in order, whatever run they are of.
pub struct Merged<'r, T: Item> {
    heads: BinaryHeap<Reverse<Head<T>>>,
    unpacker: Unpacker<'r, T>,
}

struct Unpacker<'r, T> {
    runs: &'r Runs<T>,
    unpacker: zstd::bulk::Decompressor<'static>,
}

/// The next item of a run.
struct Head<T: Item> {
    item: T,
    cursor: Cursor,
}

/// Where a run is read.
struct Cursor {
    run: usize,
    /// The next block.
    block: usize,
    bytes: Vec<u8>,
    at: usize,
}

impl<T: Item> Merged<'_, T> {
    pub fn peek(&self) -> Option<&T> {
        self.heads.peek().map(|it| &it.0.item)
    }

    /// The next item where `wanted`, else `None`.
    pub fn next_if(&mut self, wanted: impl FnOnce(&T) -> bool) -> io::Result<Option<T>> {
        if self.peek().is_some_and(wanted) { self.next() } else { Ok(None) }
    }

    #[expect(clippy::should_implement_trait, reason = "reading can fail")]
    pub fn next(&mut self) -> io::Result<Option<T>> {
        let Some(mut head) = self.heads.peek_mut() else { return Ok(None) };
        // In place: the same run mostly has the next one too.
        Ok(Some(match self.unpacker.read(&mut head.0.cursor)? {
            Some(next) => std::mem::replace(&mut head.0.item, next),
            None => PeekMut::pop(head).0.item,
        }))
    }
}

impl<T: Item> Unpacker<'_, T> {
    fn read(&mut self, cursor: &mut Cursor) -> io::Result<Option<T>> {
        if cursor.at == cursor.bytes.len() {
            let Some(block) = self.runs.runs[cursor.run].get(cursor.block) else { return Ok(None) };
            cursor.bytes = self.runs.load(block, &mut self.unpacker)?;
            (cursor.block, cursor.at) = (cursor.block + 1, 0);
        }
        let rest = &cursor.bytes[cursor.at..];
        let (item, left) = postcard::take_from_bytes(rest).map_err(io::Error::other)?;
        cursor.at += rest.len() - left.len();
        Ok(Some(item))
    }
}

impl<T: Item> Ord for Head<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.item.key().cmp(&other.item.key()).then(self.cursor.run.cmp(&other.cursor.run))
    }
}
impl<T: Item> PartialOrd for Head<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T: Item> PartialEq for Head<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl<T: Item> Eq for Head<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Word(String, u32);

    impl Item for Word {
        type Key<'a> = &'a str;
        fn key(&self) -> &str {
            &self.0
        }
    }

    fn read(runs: &Runs<Word>) -> Vec<Word> {
        let mut merged = runs.merged().unwrap();
        std::iter::from_fn(|| merged.next().unwrap()).collect()
    }

    /// Words of many lengths; every tenth run is empty, and one item is longer than a block.
    fn words() -> Vec<Vec<Word>> {
        let word =
            |run: u32, n: u32| Word(format!("{:x}", ringleader_model::hash::hash64(&n.to_le_bytes()) % 5000), run);
        let mut runs: Vec<Vec<Word>> =
            (0..30).map(|run| (0..run % 10 * 800).map(|n| word(run, n * 31 + run)).collect()).collect();
        runs[3].push(Word("long ".repeat(BLOCK), 3));
        runs
    }

    #[test]
    fn runs_come_back_as_one_sorted_sequence_from_memory_and_from_disk() {
        // A stable sort of all, run after run, is what is meant.
        let mut expect: Vec<Word> = words().concat();
        expect.sort_by(|a, b| a.key().cmp(b.key()));
        for ceiling in [0, 100, 20_000, usize::MAX] {
            let mut runs = Runs::new(ceiling);
            for run in words() {
                runs.add(Runs::pack(run).unwrap()).unwrap();
            }
            assert_eq!(runs.spilled_bytes() > 0, ceiling != usize::MAX, "{ceiling}");
            assert!(runs.held <= ceiling);
            assert!(read(&runs) == expect, "{ceiling}");
            assert!(read(&runs) == expect, "they can be read twice");
        }
    }

    #[test]
    fn the_next_one_is_taken_only_where_it_is_wanted() {
        let mut runs = Runs::new(0);
        runs.add(Runs::pack(vec![Word("b".into(), 1), Word("a".into(), 2)]).unwrap()).unwrap();
        let mut merged = runs.merged().unwrap();
        assert_eq!(merged.next_if(|it| it.0 == "b").unwrap(), None);
        assert_eq!(merged.next_if(|it| it.0 == "a").unwrap(), Some(Word("a".into(), 2)));
        assert_eq!(merged.peek().map(|it| &*it.0), Some("b"));
        assert_eq!((merged.next().unwrap().map(|it| it.1), merged.next().unwrap()), (Some(1), None));
    }
}
