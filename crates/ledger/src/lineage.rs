//! known values of gangs + gangs as computed now → which are new, which came out of another, which took another in, and
//! why. Pure.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::findings::{ComputedGang, Strength};

/// Values that a reason names.
const NAMED: usize = 3;

/// By gang: (kind, value) of what it is known by.
pub type Features = BTreeMap<String, BTreeSet<(String, String)>>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lineage {
    /// merge or split
    pub kind: &'static str,
    pub gang: String,
    /// merge: whom it took in; split: whose part it was
    pub other: String,
    pub reason: String,
}

/// What became of gangs since. `known`: every gang ever recorded, some of them with nothing that still holds.
pub(crate) fn lineage(known: &Features, now: &[ComputedGang]) -> Vec<Lineage> {
    let mut found = Vec::new();
    let here: BTreeSet<&str> = now.iter().map(|it| &*it.gang_id).collect();
    let mut with: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for (gang, features) in known {
        for (kind, value) in features {
            with.entry((kind, value)).or_default().push(gang);
        }
    }
    for gang in now {
        let own = || gang.features.iter().filter(|it| it.strength != Strength::Weak);
        let mut shared: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for it in own() {
            for other in with.get(&(it.kind.name(), &*it.value)).into_iter().flatten() {
                shared.entry(other).or_default().push(&it.value);
            }
        }
        for other in &gang.supersedes {
            let reason = shared
                .get(&**other)
                .map_or_else(|| "their campaigns are linked now".to_owned(), |it| format!("both have {}", listed(it)));
            found.push(Lineage { kind: "merge", gang: gang.gang_id.to_string(), other: other.to_string(), reason });
        }
        if known.contains_key(&*gang.gang_id) {
            continue;
        }
        // New by id, and yet with values of a gang that goes on under its own.
        let from = shared.iter().filter(|it| here.contains(*it.0) || known.contains_key(*it.0));
        let from = from.filter(|it| !gang.supersedes.iter().any(|other| &**other == *it.0));
        // One value of many may be shared by chance, or be re-rented.
        let from =
            from.filter(|it| it.1.len() * 2 >= own().count()).max_by_key(|it| (it.1.len(), std::cmp::Reverse(*it.0)));
        if let Some((other, values)) = from {
            let reason = format!("nothing links them now; it was known by {}", listed(values));
            found.push(Lineage { kind: "split", gang: gang.gang_id.to_string(), other: (*other).to_owned(), reason });
        }
    }
    found
}

fn listed(values: &[&str]) -> String {
    let shown: Vec<&str> = values.iter().take(NAMED).copied().collect();
    match values.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringleader_model::IndicatorKind;
    use ringleader_model::findings::ComputedFeature;

    fn now(id: &str, supersedes: &[&str], values: &[&str]) -> ComputedGang {
        let feature = |it: &&str| ComputedFeature {
            kind: IndicatorKind::Domain,
            value: (*it).into(),
            strength: Strength::Medium,
            hosts: 1,
            first_seen: None,
            last_seen: None,
        };
        ComputedGang {
            gang_id: id.into(),
            campaigns: Vec::new(),
            supersedes: supersedes.iter().map(|it| (*it).into()).collect(),
            features: values.iter().map(feature).collect(),
        }
    }

    #[test]
    fn merges_and_splits_have_reasons() {
        let of = |values: &[&str]| values.iter().map(|it| ("domain".to_owned(), (*it).to_owned())).collect();
        let known = Features::from([("a".to_owned(), of(&["x", "y"])), ("b".to_owned(), of(&["z"]))]);
        let told = |now: &[ComputedGang]| -> Vec<String> {
            lineage(&known, now)
                .iter()
                .map(|it| format!("{} {} {}: {}", it.gang, it.kind, it.other, it.reason))
                .collect()
        };
        assert_eq!(told(&[now("a", &["b"], &["x", "z"])]), ["a merge b: both have z"]);
        assert_eq!(
            told(&[now("a", &[], &["x"]), now("n", &[], &["y"])]),
            ["n split a: nothing links them now; it was known by y"]
        );
        assert_eq!(told(&[now("n", &[], &["new"]), now("a", &[], &["x"])]), Vec::<String>::new());
        // One old address among three values of its own makes no part of another.
        assert_eq!(told(&[now("n", &[], &["y", "n1", "n2"])]), Vec::<String>::new());
    }
}
