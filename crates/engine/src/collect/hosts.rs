//! the host as a record names it → its one name, and what is derived from that. Deliberately absent: whether two
//! names are one machine (that takes all events of a bucket).

use ringleader_model::hash::hash64;

use super::UNKNOWN_HOST;
use crate::store::bucket_of;

pub(super) struct Host {
    named: String,
    /// In lower case, without the root's dot.
    pub(super) name: String,
    pub(super) hash: u64,
    /// Among the hosts' buckets.
    pub(super) bucket: usize,
}

impl Host {
    fn of(named: &str) -> Self {
        let mut name = named.trim().trim_end_matches('.').to_ascii_lowercase();
        if name.is_empty() {
            UNKNOWN_HOST.clone_into(&mut name);
        }
        Self { named: named.to_owned(), hash: hash64(name.as_bytes()), bucket: bucket_of(&name), name }
    }
}

/// Remembers what was worked out for the latest names. A name's place follows from its hash, and a later one takes it
/// over: that bounds it, and a fleet fits.
pub(super) struct Hosts(Vec<Option<Host>>);

impl Hosts {
    const PLACES: u64 = 4096;
    /// No host name is longer; what is, is not kept.
    const LONGEST: usize = 253;

    pub(super) fn new() -> Self {
        Self((0..Self::PLACES + 1).map(|_| None).collect())
    }

    pub(super) fn get(&mut self, named: &str) -> &Host {
        // The last place is for those that are too long, which would be a lot of memory together.
        let fits = named.len() <= Self::LONGEST;
        let place = if fits { hash64(named.as_bytes()) % Self::PLACES } else { Self::PLACES };
        let place = &mut self.0[place as usize];
        if place.as_ref().is_none_or(|it| it.named != named) {
            *place = None;
        }
        place.get_or_insert_with(|| Host::of(named))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_one_name_however_it_is_spelled() {
        let mut hosts = Hosts::new();
        for (named, name) in
            [("WS5.Corp.", "ws5.corp"), (" ws5.corp", "ws5.corp"), ("..", UNKNOWN_HOST), ("", UNKNOWN_HOST)]
        {
            let host = hosts.get(named);
            assert_eq!((&*host.name, host.bucket), (name, bucket_of(name)));
        }
    }

    #[test]
    fn more_names_than_places_are_each_told() {
        let mut hosts = Hosts::new();
        for _ in 0..2 {
            for n in 0..3 * Hosts::PLACES {
                assert_eq!(hosts.get(&format!("H{n}")).name, format!("h{n}"));
            }
            for long in ["A".repeat(300), "B".repeat(300)] {
                assert_eq!(hosts.get(&long).name, long.to_lowercase());
            }
        }
    }
}
