//! short name → value, whatever its case. Deliberately absent: names longer than 23 bytes, and removal.

/// A fixed table of short names: three words are compared, not bytes, since every command of every line is looked up.
pub(super) struct Names<T> {
    slots: Vec<Option<([u64; 3], T)>>,
}

const LONGEST: usize = 23;

impl<T: Copy> Names<T> {
    /// Of two equal names the first counts.
    pub(super) fn new<'n>(names: impl Iterator<Item = (&'n str, T)>) -> Self {
        let names: Vec<_> = names.collect();
        let mut table = Self { slots: vec![None; (names.len() * 4).next_power_of_two()] };
        for (name, value) in names {
            let Some(key) = key(name.as_bytes()) else { continue };
            let mut at = table.place(&key);
            while table.slots[at].is_some_and(|it| it.0 != key) {
                at = (at + 1) % table.slots.len();
            }
            table.slots[at].get_or_insert((key, value));
        }
        table
    }

    pub(super) fn get(&self, name: &[u8]) -> Option<T> {
        let key = key(name)?;
        let mut at = self.place(&key);
        while let Some((held, value)) = self.slots[at] {
            if held == key {
                return Some(value);
            }
            at = (at + 1) % self.slots.len();
        }
        None
    }

    /// The names are ours, so nobody can make them meet; a keyed hash would only cost time.
    fn place(&self, key: &[u64; 3]) -> usize {
        let mixed = key[0].wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ key[1].wrapping_mul(0xc2b2_ae3d_27d4_eb4f)
            ^ key[2].wrapping_mul(0x1656_67b1_9e37_79f9);
        (mixed >> 40) as usize & (self.slots.len() - 1)
    }
}

/// The name in lower case in three words, with its length in the last byte: a name and the same with a NUL behind it
/// are two. Overlapping loads in place of copying: this is done for every command of every line.
fn key(name: &[u8]) -> Option<[u64; 3]> {
    let length = name.len();
    if length == 0 || length > LONGEST {
        return None;
    }
    let word = |at: usize| name.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |it| u64::from_le_bytes(*it));
    let half =
        |at: usize| name.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |it| u64::from(u32::from_le_bytes(*it)));
    let parts = match length {
        1..4 => [u64::from(name[0]) | u64::from(name[length / 2]) << 8 | u64::from(name[length - 1]) << 16, 0, 0],
        4..8 => [half(0) | half(length - 4) << 32, 0, 0],
        8..16 => [word(0), word(length - 8), 0],
        _ => [word(0), word(8), word(length - 8) >> 8],
    };
    let [a, b, c] = parts.map(lower);
    Some([a, b, c | (length as u64) << 56])
}

/// Eight bytes at once: `A` to `Z` get the bit that makes them small.
fn lower(word: u64) -> u64 {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let low = word & !HIGH;
    let from_a = low + 0x3f3f_3f3f_3f3f_3f3f; // 0x80 - 'A'
    let beyond_z = low + 0x2525_2525_2525_2525; // 0x80 - 'Z' - 1
    let capital = from_a & !beyond_z & HIGH & !word;
    word | capital >> 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_the_first_counts() {
        let names = Names::new(
            [("wget", 1), ("a-name-of-24-bytes-exactly", 2), ("xmrig", 3), ("wget", 4), ("abcdefghijklmnopqrstuvw", 5)]
                .into_iter(),
        );
        assert_eq!(names.get(b"WGet"), Some(1));
        assert_eq!(names.get(b"xmrig"), Some(3));
        assert_eq!(names.get(b"abcdefghijklmnopqrstuvw"), Some(5));
        for name in [&b"wge"[..], b"wgetx", b"", b"a-name-of-24-bytes-exactly", b"abcdefghijklmnopqrstuvwx", b"wget\0"]
        {
            assert_eq!(names.get(name), None);
        }
    }
}
