//! names and addresses, with the times that each name had an address → hosts. Deliberately absent: any verdict.
//!
//! An address belongs to the name that claimed it at the time. Where two names claim one address at the same time,
//! it is a host of its own and the clash is told.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::findings::Text;

use super::observe::{Observed, Seen, address, is_internal};

/// A host's place in `Hosts`.
pub(super) type Host = usize;
/// First and last time; `None` where only a list without times says so.
type Span = Option<(i64, i64)>;
type Owners = Vec<(Span, Host)>;
type Claimed<'a> = BTreeMap<Host, (Span, &'a Seen)>;

#[derive(Debug, Clone, Default)]
pub(super) struct Hosts {
    pub list: Vec<Known>,
    by_name: BTreeMap<Text, Host>,
    /// address → who had it, from when to when
    by_address: BTreeMap<Text, Owners>,
    /// address → the names that had it at once
    pub clashes: BTreeMap<Text, (Vec<Text>, Vec<super::observe::Ref>)>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// What it is called: its name, or its address where the name is only a number that a cloud gave it.
    pub shown: Text,
    pub names: BTreeSet<Text>,
    pub addresses: BTreeSet<Text>,
}

/// Claims that end this close to each other's start are one lease handed on.
const HANDED_ON: i64 = 60 * 1_000_000;

impl Hosts {
    pub(super) fn of(observed: &Observed) -> Self {
        let mut hosts = Self::default();
        let short = short_names(observed);
        let mut claims: BTreeMap<&Text, Vec<(&Text, &Seen)>> = BTreeMap::new();
        for ((ip, name), seen) in &observed.claims {
            claims.entry(ip).or_default().push((name, seen));
        }
        let named = observed.claims.keys().map(|it| &it.1).chain(&observed.reporters).chain(observed.assets.keys());
        for name in named {
            hosts.by_name_or_new(&short, name);
        }
        for (ip, claimed) in claims {
            let mut by_host: Claimed<'_> = BTreeMap::new();
            for (name, seen) in claimed {
                let host = hosts.by_name_or_new(&short, name);
                let span = seen.first.zip(seen.last);
                let known = by_host.entry(host).or_insert((span, seen));
                known.0 = match (known.0, span) {
                    (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
                    // The asset list has no times: it counts where nothing else does.
                    (a, b) => a.or(b),
                };
            }
            // Who only the asset list names has it unless somebody was seen with it: then it is one more name of that one.
            if by_host.values().any(|it| it.0.is_some()) {
                let listed: Vec<Host> = by_host.iter().filter(|it| it.1.0.is_none()).map(|it| *it.0).collect();
                by_host.retain(|_, it| it.0.is_some());
                if let (Some(owner), 1) = (by_host.keys().next().copied(), by_host.len()) {
                    listed.into_iter().for_each(|it| hosts.rename(it, owner));
                }
            }
            let clash = by_host.iter().any(|(a, x)| {
                by_host.iter().any(|(b, y)| {
                    a != b
                        && match (x.0, y.0) {
                            (Some(x), Some(y)) => x.0 < y.1 - HANDED_ON && y.0 < x.1 - HANDED_ON,
                            _ => true,
                        }
                })
            });
            if clash {
                let names = by_host.keys().map(|it| hosts.list[*it].shown.clone()).collect();
                let refs = by_host.values().flat_map(|it| it.1.places().take(1)).collect();
                hosts.clashes.insert(ip.clone(), (names, refs));
                continue;
            }
            for (host, (span, _)) in by_host {
                hosts.list[host].addresses.insert(ip.clone());
                hosts.by_address.entry(ip.clone()).or_default().push((span, host));
            }
        }
        // Where no log calls a host by a name that people gave it, addresses are what everybody speaks of.
        let speaks = |it: &Text| address(it).is_none() && !is_opaque(it);
        let seen_named = observed.claims.iter().any(|it| it.1.first.is_some() && speaks(&it.0.1));
        let by_name = seen_named || observed.reporters.iter().any(speaks);
        for host in &mut hosts.list {
            let private: Vec<&Text> =
                host.addresses.iter().filter(|it| address(it).is_some_and(|it| is_internal(&it))).collect();
            let named = host.names.iter().find(|it| speaks(it));
            if let (true, Some(name)) = (by_name, named) {
                if !speaks(&host.shown) {
                    host.shown = name.clone();
                }
            } else if let [only] = private.as_slice() {
                host.shown = (*only).clone();
            }
        }
        hosts
    }

    fn by_name_or_new(&mut self, short: &BTreeMap<Text, Text>, name: &Text) -> Host {
        let key = short.get(name).unwrap_or(name);
        if let Some(host) = self.by_name.get(key).copied() {
            self.list[host].names.insert(name.clone());
            self.by_name.insert(name.clone(), host);
            return host;
        }
        let host = self.list.len();
        let mut known = Known { shown: key.clone(), ..Known::default() };
        if address(name).is_some() {
            known.addresses.insert(name.clone());
            self.by_address.entry(name.clone()).or_default().push((None, host));
        } else {
            known.names.insert(name.clone());
        }
        self.list.push(known);
        self.by_name.insert(key.clone(), host);
        self.by_name.insert(name.clone(), host);
        host
    }

    /// What was listed under a name of its own is another host's: its names are that one's.
    fn rename(&mut self, from: Host, to: Host) {
        if from == to || !self.list[from].addresses.is_empty() {
            return;
        }
        let names = std::mem::take(&mut self.list[from].names);
        for name in self.by_name.values_mut().filter(|it| **it == from) {
            *name = to;
        }
        self.list[to].names.extend(names);
    }

    /// The host of a name or an address at a time; a new one where nobody has it.
    pub(super) fn at(&mut self, label: &Text, time: Option<i64>) -> Host {
        if let Some(host) = self.find(label, time) {
            return host;
        }
        let host = self.list.len();
        let mut known = Known { shown: label.clone(), ..Known::default() };
        if address(label).is_some() {
            known.addresses.insert(label.clone());
        } else {
            known.names.insert(label.clone());
        }
        self.list.push(known);
        self.by_name.insert(label.clone(), host);
        host
    }

    pub(super) fn find(&self, label: &Text, time: Option<i64>) -> Option<Host> {
        // Who was seen with the address goes before a file that is named after it.
        let owners = self.by_address.get(label).map(Vec::as_slice).unwrap_or_default();
        let distance = |span: Option<(i64, i64)>| match (span, time) {
            (Some((first, last)), Some(time)) => (first - time).max(time - last).max(0),
            (None, _) => i64::MAX,
            _ => 0,
        };
        let owner = owners.iter().min_by_key(|it| (distance(it.0), it.1)).map(|it| it.1);
        owner.or_else(|| self.by_name.get(label).copied()).or_else(|| {
            let first = label.split('.').next().filter(|it| address(label).is_none() && !it.is_empty())?;
            self.by_name.get(first).copied()
        })
    }
}

/// `web1.corp.example` is `web1` where no other domain has a `web1`.
fn short_names(observed: &Observed) -> BTreeMap<Text, Text> {
    let mut by_first: BTreeMap<&str, BTreeSet<&Text>> = BTreeMap::new();
    let names = observed.claims.keys().map(|it| &it.1).chain(&observed.reporters).chain(observed.assets.keys());
    for name in names.filter(|it| address(it).is_none()) {
        by_first.entry(name.split('.').next().unwrap_or(name)).or_default().insert(name);
    }
    let mut short = BTreeMap::new();
    for (first, names) in by_first {
        let long: Vec<&&Text> = names.iter().filter(|it| it.contains('.')).collect();
        if long.len() <= 1 {
            short.extend(long.into_iter().map(|it| ((*it).clone(), Text::from(first))));
        }
    }
    short
}

/// `i-0abc…`, a UUID, a long number: what a cloud calls a machine.
fn is_opaque(name: &str) -> bool {
    let hex = name.bytes().filter(u8::is_ascii_hexdigit).count();
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    let letters = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    letters
        && ((name.starts_with("i-") && name.len() > 8 && digits > 1)
            || (name.len() >= 20 && (hex * 10 >= name.len() * 8 || digits * 3 > name.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(first: i64, last: i64) -> Seen {
        Seen { first: Some(first), last: Some(last), count: 1, refs: Vec::new() }
    }

    #[test]
    fn an_address_is_handed_on_and_a_clash_is_told() {
        let hour = 3600 * 1_000_000;
        let mut observed = Observed::default();
        for (ip, name, from, to) in [
            ("10.0.0.5", "ws1.corp.example", 0, 5),
            ("10.0.0.5", "ws2", 7, 9),
            ("10.0.0.6", "a", 0, 5),
            ("10.0.0.6", "b", 2, 9),
            ("10.0.0.7", "i-0a1b2c3d4e5f", 0, 9),
        ] {
            observed.claims.insert((ip.into(), name.into()), seen(from * hour, to * hour));
        }
        let mut hosts = Hosts::of(&observed);
        let mut at = |ip: &str, t: i64| {
            let host = hosts.at(&ip.into(), Some(t * hour));
            hosts.list[host].shown.to_string()
        };
        assert_eq!(at("10.0.0.5", 1), "ws1");
        assert_eq!(at("10.0.0.5", 8), "ws2");
        assert_eq!(at("ws1.corp.example", 1), "ws1");
        assert_eq!(at("10.0.0.6", 3), "10.0.0.6");
        assert_eq!(at("10.0.0.7", 3), "10.0.0.7");
        assert_eq!(hosts.clashes.len(), 1);
        assert_eq!(hosts.clashes[&Text::from("10.0.0.6")].0.len(), 2);
    }
}
