//! Findings, thing by thing → [`Shared`]. First everything that must not be named, then, through the veil that it makes, what leaves.

use std::collections::BTreeMap;

use ringleader_model::findings::{Campaign, Evidence, Findings, FleetHost, Gang, GangIndicator, Spread, Text};
use ringleader_model::{IndicatorKind, Timestamp};

use super::shared::{Choice, LeftOut, Shared, SharedCampaign, SharedGang, Sign, Step, Way};
use super::veil::{Names, Veil};
use crate::mask::{mask, mask_template};
use crate::{attack, escape};

/// Enough characters that an id is meant.
const PREFIX: usize = 6;

/// The first look: names.
#[derive(Default)]
pub(super) struct Look {
    names: Names,
}

impl Look {
    pub(super) fn fleet(&mut self, host: &FleetHost) {
        self.names.host(&mask(&host.host), &host.addresses);
    }
    pub(super) fn gang(&mut self, gang: &Gang) {
        for host in &gang.who.hosts {
            self.names.host(&mask(host), &[] as &[&str]);
        }
        for it in gang.who.indicators.get("account").into_iter().flatten() {
            self.names.intruders_account(&mask(&it.value));
        }
    }
    pub(super) fn evidence(&mut self, it: &Evidence) {
        self.names.secret(&it.evidence_id);
        self.names.secret(it.record_sha256.as_deref().unwrap_or_default());
        if let Some(excerpt) = &it.excerpt {
            self.names.users_in(&mask(excerpt));
        }
    }
    pub(super) fn campaign(&mut self, it: &Campaign) {
        for text in it.nodes.iter().filter_map(|it| it.sample.as_deref()) {
            self.names.users_in(&mask(text));
        }
    }
    pub(super) fn spread(&mut self, spread: &Spread) {
        for it in &spread.hosts {
            self.names.host(&mask(&it.host), &it.addresses);
            for name in &it.names {
                self.names.host(&mask(name), &[] as &[&str]);
            }
        }
    }
}

/// The second look: what leaves.
pub(super) struct Gather {
    veil: Veil,
    choice: Choice,
    shared: Shared,
    /// gang → its place
    places: BTreeMap<Text, usize>,
    /// Values that a CSV spells otherwise: (place, kind, spelling) → place among its signs.
    spelled: BTreeMap<(usize, IndicatorKind, String), usize>,
}

impl Gather {
    pub(super) fn of(findings: &Findings, choice: &Choice) -> Shared {
        let mut look = Look::default();
        findings.fleet.iter().for_each(|it| look.fleet(it));
        findings.gangs.iter().for_each(|it| look.gang(it));
        findings.evidence.iter().for_each(|it| look.evidence(it));
        findings.campaigns.iter().for_each(|it| look.campaign(it));
        findings.spread.iter().for_each(|it| look.spread(it));
        let mut it = Self::new(look, choice);
        findings.gangs.iter().for_each(|gang| it.gang(gang));
        findings.campaigns.iter().for_each(|campaign| it.campaign(campaign));
        for row in &findings.indicators {
            if let Some(gang) = &row.gang_id {
                it.seen(gang, row.kind, &mask(&row.indicator), row.first_seen, row.last_seen);
            }
        }
        it.finish()
    }

    pub(super) fn new(look: Look, choice: &Choice) -> Self {
        let veil = look.names.veil();
        let veil = if choice.tlp.names_victims() { veil.lifted() } else { veil };
        let shared = Shared { tlp: choice.tlp, min_strength: Some(choice.min_strength), ..Shared::default() };
        Self { veil, choice: choice.clone(), shared, places: BTreeMap::new(), spelled: BTreeMap::new() }
    }

    fn is_chosen(&self, gang: &Gang) -> bool {
        let chosen = |it: &String| {
            *it == gang.name || **it == *gang.gang_id || (it.len() >= PREFIX && gang.gang_id.starts_with(it.as_str()))
        };
        self.choice.gangs.is_empty() || self.choice.gangs.iter().any(chosen)
    }

    /// Without secrets and victims.
    fn text(&mut self, text: &str) -> String {
        let masked = mask(text);
        let out = self.veil.text(&masked).into_owned();
        self.shared.left_out.hidden += u64::from(out != masked);
        out
    }

    pub(super) fn gang(&mut self, gang: &Gang) {
        if !self.is_chosen(gang) {
            return;
        }
        let mut signs = Vec::new();
        for (kind, indicators) in &gang.who.indicators {
            let Some(kind) = IndicatorKind::from_name(kind) else { continue };
            signs.extend(indicators.iter().filter_map(|it| self.sign(kind, it)));
        }
        signs.sort_by(|a, b| (a.kind, &a.value).cmp(&(b.kind, &b.value)));
        signs.dedup_by(|a, b| (a.kind, &a.value) == (b.kind, &b.value));
        let place = self.shared.gangs.len();
        for (at, it) in signs.iter().enumerate() {
            let spelled = escape::csv(&it.value);
            if spelled != *it.value {
                self.spelled.insert((place, it.kind, spelled.into_owned()), at);
            }
        }
        let techniques = attack::techniques(gang).into_iter().map(str::to_owned).collect();
        let ways = gang.how.iter().map(|it| Way {
            method: self.text(&it.method),
            cve: it.cve.as_deref().filter(|it| is_cve(it)).map(str::to_owned),
        });
        let ways = ways.collect();
        let shared = SharedGang {
            id: gang.gang_id.clone(),
            name: self.text(&gang.name),
            known_as: gang.known_as.iter().map(|it| self.text(it)).collect(),
            family: gang.family.as_deref().map(|it| self.text(it)),
            confidence: gang.confidence,
            first: gang.who.first_seen,
            last: gang.who.last_seen,
            hosts: gang.who.hosts.iter().map(|it| self.veil.host(&mask(it))).collect(),
            ways,
            techniques,
            behaviours: gang.what.behaviours.iter().map(|it| it.id.clone()).collect(),
            signs,
            campaigns: Vec::new(),
        };
        self.places.insert(gang.gang_id.clone(), place);
        self.shared.gangs.push(shared);
    }

    fn sign(&mut self, kind: IndicatorKind, it: &GangIndicator) -> Option<Sign> {
        let masked = mask(&it.value);
        if self.veil.touches(&masked) {
            self.shared.left_out.of_victims += 1;
            return None;
        }
        let is_own = super::harm::host_of(kind, &masked).is_some_and(|host| {
            let spelled = host.parse::<std::net::IpAddr>().map_or_else(|_| host.to_lowercase(), |it| it.to_string());
            self.veil.is_own(&spelled)
        });
        let value = if masked == *it.value { it.value.clone() } else { masked.into() };
        Some(Sign::new(kind, value, it.strength, &it.contexts, it.hosts, is_own))
    }

    pub(super) fn campaign(&mut self, campaign: &Campaign) {
        let Some(place) = campaign.gang_id.as_ref().and_then(|it| self.places.get(it)).copied() else { return };
        // A signature with something of the fleet in it would be another one.
        let kept = campaign
            .signature
            .iter()
            .map(|it| (it.kind.clone(), mask(&it.value)))
            .filter(|it| !self.veil.touches(&it.1));
        let signature = kept.map(|it| (it.0, it.1.into_owned())).collect();
        let mut steps = Vec::with_capacity(campaign.nodes.len());
        for node in &campaign.nodes {
            let template = self.veil.text(&mask_template(&node.template)).into_owned();
            steps.push(Step { id: node.node_id.clone(), parent: node.parent.clone(), template, hosts: node.hosts });
        }
        self.shared.gangs[place].campaigns.push(SharedCampaign { id: campaign.campaign_id.clone(), signature, steps });
    }

    /// When a gang had an indicator, its value as it is.
    fn seen(
        &mut self,
        gang: &str,
        kind: IndicatorKind,
        value: &str,
        first: Option<Timestamp>,
        last: Option<Timestamp>,
    ) {
        let Some(place) = self.places.get(gang).copied() else { return };
        let signs = &mut self.shared.gangs[place].signs;
        if let Ok(at) = signs.binary_search_by(|it| (it.kind, &*it.value).cmp(&(kind, value))) {
            widen(&mut signs[at], first, last);
        }
    }

    /// The same, as `indicators.csv` spells it.
    pub(super) fn seen_spelled(
        &mut self,
        gang: &str,
        kind: IndicatorKind,
        spelled: &str,
        first: Option<Timestamp>,
        last: Option<Timestamp>,
    ) {
        let Some(place) = self.places.get(gang).copied() else { return };
        match self.spelled.get(&(place, kind, spelled.to_owned())).copied() {
            Some(at) => widen(&mut self.shared.gangs[place].signs[at], first, last),
            None => self.seen(gang, kind, spelled, first, last),
        }
    }

    pub(super) fn finish(mut self) -> Shared {
        for gang in &mut self.shared.gangs {
            gang.campaigns.sort_by(|a, b| a.id.cmp(&b.id));
            for it in &mut gang.signs {
                it.first = it.first.or(gang.first);
                it.last = it.last.or(gang.last).max(it.first);
            }
        }
        if self.choice.tlp.names_victims() {
            self.shared.left_out = LeftOut::default();
        }
        self.shared
    }
}

fn widen(sign: &mut Sign, first: Option<Timestamp>, last: Option<Timestamp>) {
    sign.first = [sign.first, first].into_iter().flatten().min();
    sign.last = sign.last.max(last);
}

/// `CVE-2017-9841`: all else is no CVE, whatever a knowledge file says.
fn is_cve(text: &str) -> bool {
    let digits = |it: &str| !it.is_empty() && it.len() <= 10 && it.bytes().all(|b| b.is_ascii_digit());
    text.strip_prefix("CVE-")
        .and_then(|it| it.split_once('-'))
        .is_some_and(|(year, n)| year.len() == 4 && digits(year) && digits(n))
}
