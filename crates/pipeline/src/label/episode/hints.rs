//! What texts say for the rules → the rules that could match a process with such texts. Many texts say the same, so
//! it is worked out once for each combination that occurs. Deliberately absent: whether a rule matches.

use std::collections::HashMap;
use std::rc::Rc;

use ringleader_model::hash::ByHash;

use super::REMEMBERED;
use crate::label::{Behaviours, Hints};

/// The distinct hints that a labeller met, numbered, and what follows from their combinations.
#[derive(Default)]
pub(super) struct HintBook {
    ids: HashMap<Hints, u32>,
    /// By number; what stands first is `NOTHING`.
    list: Vec<Hints>,
    candidates: HashMap<u128, Rc<[u16]>, ByHash>,
}

/// Distinct hints that are numbered. Rules are few, and so are their combinations in one text.
const NUMBERED: usize = 1 << 16;

impl HintBook {
    /// No text, or one that speaks for no rule.
    pub(super) const NOTHING: u32 = 0;
    /// One that got no number.
    const UNNUMBERED: u32 = 1 << 24;

    pub(super) fn id(&mut self, hints: &Hints) -> u32 {
        if hints.is_empty() {
            return Self::NOTHING;
        }
        if let Some(id) = self.ids.get(hints) {
            return *id;
        }
        if self.list.len() >= NUMBERED {
            return Self::UNNUMBERED;
        }
        if self.list.is_empty() {
            self.list.push(Hints::default());
        }
        let id = self.list.len() as u32;
        self.list.push(hints.clone());
        self.ids.insert(hints.clone(), id);
        id
    }

    /// The rules that could match where image, command line, parent's image and command line, and user say this.
    /// `None` where one of them got no number.
    pub(super) fn candidates(&mut self, behaviours: &Behaviours, ids: [u32; 5]) -> Option<Rc<[u16]>> {
        if ids.contains(&Self::UNNUMBERED) {
            return None;
        }
        let packed = ids.iter().fold(0u128, |all, id| all << 24 | u128::from(*id));
        // An odd factor keeps different keys apart, and spreads them.
        let key = packed.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).rotate_left(64);
        if let Some(known) = self.candidates.get(&key) {
            return Some(known.clone());
        }
        if self.candidates.len() >= REMEMBERED {
            self.candidates.clear();
        }
        let hints = ids.map(|id| self.list.get(id as usize).filter(|it| !it.is_empty()));
        let found: Rc<[u16]> = behaviours.candidates(hints).as_slice().into();
        self.candidates.insert(key, found.clone());
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combinations_are_told_apart_by_their_places() {
        let behaviours = Behaviours::built_in();
        let mut book = HintBook::default();
        let texts =
            ["/usr/bin/wget", "/bin/sh", "nginx: worker process", "java -jar x", "/tmp/x", "root", "curl x | sh"];
        let hints = texts.map(|it| behaviours.hints(it));
        for _ in 0..2 {
            for a in &hints {
                for b in &hints {
                    for c in &hints {
                        let ids = [book.id(a), book.id(b), book.id(c), HintBook::NOTHING, book.id(a)];
                        let want = behaviours.candidates([Some(a), Some(b), Some(c), None, Some(a)]);
                        assert_eq!(book.candidates(&behaviours, ids).unwrap()[..], want[..]);
                    }
                }
            }
        }
        assert_eq!(book.id(&Hints::default()), HintBook::NOTHING);
        assert_eq!(book.candidates(&behaviours, [HintBook::UNNUMBERED; 5]), None);
    }
}
