//! Shared gangs → the graph that GraphML and DOT draw: gangs, campaigns, ways in, techniques, indicators, hosts, and who has what.
//! Nodes come before their edges; what several have stands once.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io;

use ringleader_model::IndicatorKind;

use super::shared::{Shared, SharedCampaign, SharedGang, Sign};
use crate::attack;

/// A node's key: what kind of thing it is, and which.
pub(super) type Key<'s> = (&'static str, Cow<'s, str>);

pub(super) struct Node<'s> {
    pub(super) key: Key<'s>,
    pub(super) label: Cow<'s, str>,
    pub(super) hosts: Option<u64>,
    pub(super) confidence: Option<u16>,
    pub(super) first: String,
    pub(super) last: String,
}

pub(super) trait Draws<'s> {
    fn node(&mut self, node: Node<'s>) -> io::Result<()>;
    fn edge(&mut self, from: &Key<'s>, to: &Key<'s>, what: &str) -> io::Result<()>;
}

pub(super) fn sign_key(sign: &Sign) -> Key<'_> {
    (kind_word(sign.kind), Cow::Borrowed(&sign.value))
}

const fn kind_word(kind: IndicatorKind) -> &'static str {
    kind.name()
}

/// Draws everything, or of each gang no more indicators than `most`, the strongest first.
pub(super) fn draw<'s>(shared: &'s Shared, gangs: usize, most: usize, to: &mut dyn Draws<'s>) -> io::Result<()> {
    let mut drawn: BTreeSet<Key<'s>> = BTreeSet::new();
    for gang in shared.gangs.iter().take(gangs) {
        self::gang(gang, most, &mut drawn, to)?;
    }
    Ok(())
}

fn plain<'s>(key: Key<'s>, label: Cow<'s, str>) -> Node<'s> {
    Node { key, label, hosts: None, confidence: None, first: String::new(), last: String::new() }
}

fn gang<'s>(
    gang: &'s SharedGang,
    most: usize,
    drawn: &mut BTreeSet<Key<'s>>,
    to: &mut dyn Draws<'s>,
) -> io::Result<()> {
    let time = |it: Option<ringleader_model::Timestamp>| it.map(|it| it.to_string()).unwrap_or_default();
    // A picture has no room for them.
    let processes = most == usize::MAX;
    let me: Key<'s> = ("gang", Cow::Borrowed(&gang.id));
    to.node(Node {
        hosts: Some(gang.hosts.len() as u64),
        confidence: Some(gang.confidence.thousandths() / 10),
        first: time(gang.first),
        last: time(gang.last),
        ..plain(me.clone(), Cow::Borrowed(&gang.name))
    })?;
    for it in &gang.campaigns {
        let key: Key<'s> = ("campaign", Cow::Borrowed(&it.id));
        if drawn.insert(key.clone()) {
            to.node(plain(key.clone(), Cow::Borrowed(&it.id)))?;
        }
        to.edge(&me, &key, "runs")?;
        if processes {
            self::processes(it, &key, to)?;
        }
    }
    for it in gang.behaviours.iter().filter(|_| processes) {
        let key: Key<'s> = ("behaviour", Cow::Borrowed(it));
        if drawn.insert(key.clone()) {
            to.node(plain(key.clone(), Cow::Borrowed(it)))?;
        }
        to.edge(&me, &key, "does")?;
    }
    for it in &gang.ways {
        let key: Key<'s> = ("method", Cow::Borrowed(&it.method));
        if drawn.insert(key.clone()) {
            to.node(plain(key.clone(), Cow::Borrowed(it.cve.as_deref().unwrap_or(&it.method))))?;
        }
        to.edge(&me, &key, "enters_by")?;
    }
    for id in &gang.techniques {
        let key: Key<'s> = ("technique", Cow::Borrowed(id));
        if drawn.insert(key.clone()) {
            let name = attack::technique(id).map_or(id.as_str(), |it| it.0);
            to.node(plain(key.clone(), Cow::Borrowed(name)))?;
        }
        to.edge(&me, &key, "uses")?;
    }
    let mut signs: Vec<&Sign> = gang.signs.iter().filter(|it| it.is_used()).collect();
    if signs.len() > most {
        signs.sort_by_key(|it| (it.strength, std::cmp::Reverse(it.hosts)));
        signs.truncate(most);
    }
    for it in signs {
        let key = sign_key(it);
        if drawn.insert(key.clone()) {
            let node = plain(key.clone(), Cow::Borrowed(&*it.value));
            to.node(Node {
                hosts: Some(it.hosts),
                confidence: Some(it.confidence(gang)),
                first: time(it.first),
                last: time(it.last),
                ..node
            })?;
        }
        to.edge(&me, &key, "has")?;
    }
    for host in gang.hosts.iter().take(most) {
        let key: Key<'s> = ("host", Cow::Borrowed(host));
        if drawn.insert(key.clone()) {
            to.node(plain(key.clone(), Cow::Borrowed(host)))?;
        }
        to.edge(&me, &key, "came_to")?;
    }
    Ok(())
}

/// The merged process graph of a campaign: parents come before their children.
fn processes<'s>(campaign: &'s SharedCampaign, key: &Key<'s>, to: &mut dyn Draws<'s>) -> io::Result<()> {
    let named = |id: &'s str| -> Key<'s> { ("process", Cow::Owned(format!("{} {id}", campaign.id))) };
    let mut there: BTreeSet<&str> = BTreeSet::new();
    for it in campaign.steps.iter().filter(|it| !it.id.is_empty()) {
        if !there.insert(&it.id) {
            continue;
        }
        let me = named(&it.id);
        to.node(Node { hosts: Some(it.hosts), ..plain(me.clone(), Cow::Borrowed(&it.template)) })?;
        match it.parent.as_deref().filter(|it| there.contains(it)) {
            Some(parent) => to.edge(&named(parent), &me, "starts")?,
            None => to.edge(key, &me, "starts")?,
        }
    }
    Ok(())
}
