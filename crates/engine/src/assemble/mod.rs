//! sketch + records → findings: campaigns, gangs, repairs, and the evidence of every claim.
//!
//! The rows of the tables go out host after host; what is kept is bounded by the sketch and by the number of hosts.

mod campaigns;
mod decided;
mod evidence;
mod gangs;
mod names;
mod remnants;
mod roles;
mod seen;
mod summary;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use ringleader_model::findings::*;
use ringleader_model::{IndicatorKind, Tables};
use ringleader_pipeline::label::episode::Knowledge;
use ringleader_pipeline::merge::campaigns::{self as merged, Campaigns};
use ringleader_pipeline::merge::sketch::{FeatureStat, Key, Reach, feature_key};
use ringleader_pipeline::merge::steps::Steps;
use ringleader_pipeline::merge::stop::StopList;
use ringleader_pipeline::partition::{self, Registry};

use crate::analyze::Analyzed;
use crate::buckets::Buckets;
use crate::excerpts::Spool;
pub use decided::{Decided, Split};
use seen::{Examples, GangSeen};

/// What an earlier run found, where the user gave it.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub registry: Registry,
    /// gang → methods it is known to use
    pub methods: BTreeMap<u128, BTreeSet<String>>,
    /// What analysts decided since.
    pub decided: Decided,
}

impl Known {
    /// From the gangs of an earlier run.
    pub fn of(gangs: &[Gang]) -> Self {
        let mut known = Self::default();
        for gang in gangs {
            let Ok(id) = u128::from_str_radix(&gang.gang_id, 16) else { continue };
            let keys = gang.who.indicators.iter().flat_map(|(kind, values)| {
                let kind = IndicatorKind::from_name(kind);
                values.iter().filter_map(move |it| Some(feature_key(kind?, &it.value)))
            });
            known.registry.insert(id, keys.collect());
            known.methods.insert(id, gang.how.iter().map(|it| it.method.to_string()).collect());
        }
        known
    }
}

/// Everything the report is made of; the rows go to `tables`.
pub fn assemble(
    analyzed: &Analyzed,
    buckets: &dyn Buckets,
    knowledge: &Knowledge,
    known: &Known,
    spool: &Spool,
    tables: &mut dyn Tables,
) -> io::Result<Findings> {
    let list = StopList::builtin().with_own(analyzed.own_addresses.keys().cloned());
    let campaigns = merged::campaigns(&analyzed.sketch, &list);
    let computed = partition::partition(&analyzed.sketch, &campaigns, &known.registry);
    let as_computed = decided::computed(&analyzed.sketch, &campaigns, &computed);
    let gangs = known.decided.apply(&analyzed.sketch, &campaigns, computed);
    let mut it = Assembly::new(analyzed, knowledge, &campaigns, &gangs, &known.decided, buckets);
    it.findings.computed = as_computed;
    it.hosts(tables)?;
    it.forget_untold();
    it.gangs(known);
    it.campaign_list();
    it.indicators();
    it.summary(buckets);
    it.quote(buckets, spool);
    Ok(it.findings)
}

struct Assembly<'a> {
    analyzed: &'a Analyzed,
    knowledge: &'a Knowledge,
    campaigns: &'a Campaigns,
    gangs: &'a [partition::Gang],
    decided: &'a Decided,
    /// campaign → gang
    gang_of: BTreeMap<usize, usize>,
    steps: BTreeMap<Group, Steps<'a>>,
    /// Of a thousand events, how many the hosts' sensors lose.
    loss: u64,
    sources: Vec<Text>,
    evidence: BTreeMap<Text, Evidence>,
    findings: Findings,
    /// Campaigns that episodes are in. All of another's may have gone where the rest of their intrusions is.
    told: BTreeSet<usize>,
    seen: Vec<GangSeen>,
    /// (campaign, node of its merged graph) → what shows it
    node_evidence: BTreeMap<(usize, Key), Examples>,
    /// (campaign, node of its merged graph) → roles that the network shows
    node_roles: BTreeMap<(usize, Key), BTreeSet<u8>>,
}

impl<'a> Assembly<'a> {
    fn new(
        analyzed: &'a Analyzed,
        knowledge: &'a Knowledge,
        campaigns: &'a Campaigns,
        gangs: &'a [partition::Gang],
        decided: &'a Decided,
        buckets: &dyn Buckets,
    ) -> Self {
        let mut it = Self {
            analyzed,
            knowledge,
            campaigns,
            gangs,
            decided,
            gang_of: BTreeMap::new(),
            steps: BTreeMap::new(),
            loss: loss(analyzed),
            sources: buckets.sources().iter().map(|it| it.source.clone()).collect(),
            evidence: BTreeMap::new(),
            findings: Findings::default(),
            told: BTreeSet::new(),
            seen: Vec::new(),
            node_evidence: BTreeMap::new(),
            node_roles: BTreeMap::new(),
        };
        for (at, gang) in gangs.iter().enumerate() {
            it.gang_of.extend(gang.campaigns.iter().map(|it| (*it, at)));
        }
        for (at, gang) in gangs.iter().enumerate() {
            let of = gang.campaigns.iter().map(|it| &campaigns.list[*it]);
            it.steps.insert(Group::Gang(at), Steps::of(of));
        }
        it.seen = gangs.iter().map(|gang| it.to_see(gang)).collect();
        for (at, campaign) in campaigns.list.iter().enumerate().filter(|(_, it)| is_shown(it)) {
            if !it.gang_of.contains_key(&at) {
                it.steps.insert(Group::Alone(at), Steps::of(std::iter::once(campaign)));
            }
            let nodes = campaign.nodes.keys().map(|path| ((at, campaign.resolve(*path)), Examples::default()));
            it.node_evidence.extend(nodes);
        }
        it
    }

    fn feature(&self, key: &Key) -> Option<&'a FeatureStat> {
        self.analyzed.sketch.features.get(key)
    }

    fn group_of(&self, campaign: usize) -> Group {
        self.gang_of.get(&campaign).map_or(Group::Alone(campaign), |it| Group::Gang(*it))
    }

    /// Whether anything tells whose it is.
    fn is_signed(&self, group: Group) -> bool {
        let signed = |it: &usize| !self.campaigns.list[*it].signature.is_empty();
        match group {
            Group::Gang(at) => self.gangs[at].campaigns.iter().any(signed),
            Group::Alone(at) => signed(&at),
        }
    }

    fn shown(&self, campaign: usize) -> bool {
        is_shown(&self.campaigns.list[campaign])
    }

    fn source(&self, source: u32) -> Text {
        self.sources.get(source as usize).cloned().unwrap_or_else(|| "".into())
    }
}

/// Whose steps are looked at together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Gang(usize),
    /// A campaign of no gang.
    Alone(usize),
}

fn loss(analyzed: &Analyzed) -> u64 {
    let (missing, links) = analyzed.health.values().fold((0, 0), |sum, it| (sum.0 + it.missing, sum.1 + it.links));
    missing * 1000 / links.max(1)
}

/// A campaign is shown where it is hostile, or where at least something in it is suspicious.
fn is_shown(campaign: &merged::Campaign) -> bool {
    campaign.hostile || campaign.suspicious > 0
}

fn hex(id: u128) -> Text {
    format!("{id:032x}").into()
}

fn technique(text: &str) -> Option<Text> {
    (!text.is_empty()).then(|| text.into())
}

fn strength(reach: Reach) -> Strength {
    match reach {
        Reach::Variant => Strength::Strong,
        Reach::Infrastructure => Strength::Medium,
        Reach::Habit => Strength::Weak,
    }
}
