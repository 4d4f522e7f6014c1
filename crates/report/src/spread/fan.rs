//! edges → what is drawn: a sweep's leaves become one node. Deliberately absent: places and colours.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::findings::{EdgeClass, Spread, Text};

/// Up to so many scanned hosts of one scanner stand alone; of more, so many are named.
const ALONE: usize = 3;

/// A node of the picture: a host, or hosts that one other only scanned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Node {
    Host(Text),
    /// By address, then name.
    Fan(Vec<Text>),
}

impl Node {
    /// The hosts that are named, and how many are not.
    pub(crate) fn named(&self) -> (Vec<&Text>, usize) {
        match self {
            Self::Host(host) => (vec![host], 0),
            Self::Fan(hosts) => (hosts.iter().take(ALONE).collect(), hosts.len().saturating_sub(ALONE)),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub from: Node,
    pub to: Node,
    pub class: EdgeClass,
    /// How it was done, where one method says it.
    pub method: Option<Text>,
}

/// Lines in the order of the edges; fans where their first member stood.
pub(crate) fn lines(spread: &Spread) -> Vec<Line> {
    let mut touched: BTreeMap<&Text, usize> = BTreeMap::new();
    for edge in &spread.edges {
        for end in [&edge.from, &edge.to] {
            *touched.entry(end).or_default() += usize::from(edge.class != EdgeClass::Scanned || *end == edge.from);
        }
    }
    // Scanned, and nothing else: no caller, not attacked by anybody.
    let mut leaves: BTreeMap<&Text, BTreeSet<&Text>> = BTreeMap::new();
    for edge in spread.edges.iter().filter(|it| it.class == EdgeClass::Scanned && touched[&it.to] == 0) {
        leaves.entry(&edge.from).or_default().insert(&edge.to);
    }
    leaves.retain(|_, it| it.len() > ALONE);
    let mut done: BTreeSet<&Text> = BTreeSet::new();
    let mut all = Vec::new();
    for edge in &spread.edges {
        let fan = leaves.get(&edge.from).filter(|it| edge.class == EdgeClass::Scanned && it.contains(&edge.to));
        let to = match fan {
            Some(fan) => {
                if !done.insert(&edge.from) {
                    continue;
                }
                let mut hosts: Vec<Text> = fan.iter().map(|it| (*it).clone()).collect();
                hosts.sort_by(|a, b| order(a).cmp(&order(b)));
                Node::Fan(hosts)
            }
            None => Node::Host(edge.to.clone()),
        };
        let method = if fan.is_some() { None } else { edge.method.clone() };
        all.push(Line { from: Node::Host(edge.from.clone()), to, class: edge.class, method });
    }
    all
}

/// Addresses by number, names after them.
pub(crate) fn order(host: &str) -> (bool, Option<std::net::IpAddr>, &str) {
    let ip = host.parse().ok();
    (ip.is_none(), ip, host)
}
