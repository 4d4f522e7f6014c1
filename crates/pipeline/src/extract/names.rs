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

fn key(name: &[u8]) -> Option<[u64; 3]> {
    if name.is_empty() || name.len() > LONGEST {
        return None;
    }
    let mut bytes = [0u8; LONGEST + 1];
    // a name and the same with a NUL behind it are two
    bytes[LONGEST] = name.len() as u8;
    bytes[..name.len()].copy_from_slice(name);
    bytes.make_ascii_lowercase();
    let word = |at: usize| bytes[at..].first_chunk().map_or(0, |it| u64::from_le_bytes(*it));
    Some([word(0), word(8), word(16)])
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
