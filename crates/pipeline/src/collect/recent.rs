//! text → its place among the latest texts, for as long as it keeps it.
//!
//! Logs say the same few thousand things over and over, in every host bucket. Looking them up in each bucket's own
//! table would miss the cache several times a value; this table is shared by the buckets of a thread and stays in the
//! cache. Deliberately absent: long texts, and any promise to remember.

/// The latest short texts.
pub struct Recent {
    places: Vec<Entry>,
    latest: u32,
}

/// A text and when it came, on two cache lines.
#[derive(Clone)]
#[repr(align(128))]
struct Entry {
    stamp: u32,
    length: u8,
    text: [u8; Recent::LONGEST],
}

/// Where a text stands. The same text has the same mark until another takes its place; no mark is given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) place: u16,
    pub(super) stamp: u32,
}

impl Default for Recent {
    fn default() -> Self {
        let empty = Entry { stamp: 0, length: 0, text: [0; Self::LONGEST] };
        Self { places: vec![empty; Self::PLACES], latest: 0 }
    }
}

impl Recent {
    pub(super) const PLACES: usize = 1 << 12;
    const LONGEST: usize = 123;

    /// The mark of a text, which takes its place now if it did not have it. `None` where it is too long.
    pub(super) fn mark(&mut self, text: &str, hash: u64) -> Option<Mark> {
        let text = text.as_bytes();
        let length = u8::try_from(text.len()).ok().filter(|it| usize::from(*it) <= Self::LONGEST)?;
        // The other end of the hash tells strings apart in a bucket's table.
        let place = (hash >> 52) as u16;
        let entry = &mut self.places[usize::from(place)];
        if entry.length != length || entry.text[..text.len()] != *text || entry.stamp == 0 {
            // After four billion changes nothing changes any more.
            self.latest = self.latest.checked_add(1)?;
            (entry.stamp, entry.length) = (self.latest, length);
            entry.text[..text.len()].copy_from_slice(text);
        }
        Some(Mark { place, stamp: entry.stamp })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_of_one_text() {
        let mut recent = Recent::default();
        let first = recent.mark("runc", 7).unwrap();
        assert_eq!(recent.mark("runc", 7), Some(first));
        // The same place, since the hash is the same.
        let other = recent.mark("runc init", 7).unwrap();
        assert_eq!(other.place, first.place);
        let again = recent.mark("runc", 7).unwrap();
        assert!(first != other && other != again && again != first);
        assert!(recent.mark("run", 7).unwrap() != again);
        assert!(recent.mark("", u64::MAX).unwrap().stamp > 0);
        assert_eq!(recent.mark(&"x".repeat(124), 7), None);
        assert!(recent.mark(&"x".repeat(123), 7).is_some());
    }

    #[test]
    fn when_the_stamps_are_used_up_no_mark_is_given_twice() {
        let mut recent = Recent { latest: u32::MAX - 1, ..Recent::default() };
        let last = recent.mark("a", 0);
        assert!(last.is_some());
        assert_eq!(recent.mark("b", 0), None);
        assert_eq!(recent.mark("a", 0), last);
    }
}
