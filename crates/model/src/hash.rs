//! The one hash of the project: stable across runs, machines and versions.

use std::hash::{BuildHasherDefault, Hasher};

use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128_with_seed};

/// Keyed, so that the writer of a log cannot choose what truncation drops.
pub const KEY: u64 = 0x5269_6e67_6c65_6164;

pub fn hash64(bytes: &[u8]) -> u64 {
    xxh3_64_with_seed(bytes, KEY)
}

pub fn hash128(bytes: &[u8], seed: u64) -> u128 {
    xxh3_128_with_seed(bytes, KEY ^ seed)
}

/// Folds a list of hashes into one; the order matters.
pub fn fold64(parts: impl IntoIterator<Item = u64>) -> u64 {
    parts.into_iter().fold(KEY, |seed, part| xxh3_64_with_seed(&part.to_le_bytes(), seed))
}

/// For maps whose keys are hashes already, or small numbers of our own making.
pub type ByHash = BuildHasherDefault<KeyIsHash>;

#[derive(Default)]
pub struct KeyIsHash(u64);

impl Hasher for KeyIsHash {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash64(bytes);
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }
    /// A small number is no hash: it is spread first.
    fn write_u32(&mut self, n: u32) {
        self.0 = u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    fn write_u128(&mut self, n: u128) {
        self.0 = n as u64;
    }
}
