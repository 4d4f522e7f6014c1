//! Findings → what the reports for people have in common: look-ups, and the answer in a few sentences.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::findings::{
    Campaign, Evidence, Findings, Gang, GangActivity, Grade, MethodClass, Novelty, Repaired, Strength,
};

use crate::messages::{Lang, Msg};
use crate::number::{count, grouped};

/// Findings, indexed once.
pub(crate) struct View<'a> {
    pub(crate) findings: &'a Findings,
    pub(crate) lang: Lang,
    evidence: BTreeMap<&'a str, &'a Evidence>,
    campaigns: BTreeMap<&'a str, &'a Campaign>,
    activity: BTreeMap<&'a str, &'a GangActivity>,
    repairs: BTreeMap<&'a str, Vec<&'a Repaired>>,
    alerted: Option<BTreeSet<&'a str>>,
}

impl<'a> View<'a> {
    pub(crate) fn new(findings: &'a Findings, lang: Lang) -> Self {
        let mut repairs: BTreeMap<&str, Vec<&Repaired>> = BTreeMap::new();
        for it in &findings.repaired {
            repairs.entry(&it.campaign_id).or_default().push(it);
        }
        Self {
            findings,
            lang,
            evidence: findings.evidence.iter().map(|it| (it.evidence_id.as_ref(), it)).collect(),
            campaigns: findings.campaigns.iter().map(|it| (it.campaign_id.as_ref(), it)).collect(),
            activity: findings.activity.iter().map(|it| (it.gang_id.as_ref(), it)).collect(),
            repairs,
            alerted: findings.alerted_hosts.as_ref().map(|hosts| hosts.iter().map(AsRef::as_ref).collect()),
        }
    }

    pub(crate) fn say(&self, message: Msg) -> &'static str {
        message.text(self.lang)
    }
    pub(crate) fn evidence(&self, id: &str) -> Option<&'a Evidence> {
        self.evidence.get(id).copied()
    }
    pub(crate) fn activity(&self, gang: &str) -> Option<&'a GangActivity> {
        self.activity.get(gang).copied()
    }
    pub(crate) fn campaigns(&self, gang: &'a Gang) -> impl Iterator<Item = &'a Campaign> {
        gang.campaigns.iter().filter_map(|id| self.campaigns.get(id.as_ref()).copied())
    }
    pub(crate) fn repairs(&self, gang: &'a Gang) -> impl Iterator<Item = &'a Repaired> {
        gang.campaigns.iter().filter_map(|id| self.repairs.get(id.as_ref())).flatten().copied()
    }
    /// `false` where the input held no alerts: then there is nothing to miss.
    pub(crate) fn is_unalerted(&self, host: &str) -> bool {
        self.alerted.as_ref().is_some_and(|hosts| !hosts.contains(host))
    }

    /// The answer: who and where, what the alerts missed, what was repaired. Numbers pass through `mark`.
    pub(crate) fn answer(&self, mark: impl Fn(String) -> String) -> Vec<String> {
        let gangs = &self.findings.gangs;
        if gangs.is_empty() {
            return vec![self.say(Msg::AnswerNothing).to_owned()];
        }
        let hosts: BTreeSet<&str> = gangs.iter().flat_map(|it| &it.who.hosts).map(AsRef::as_ref).collect();
        let say = |message: Msg, values: &[u64]| {
            let values: Vec<String> = values.iter().map(|it| mark(grouped(*it))).collect();
            message.with(self.lang, &values.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let first = if gangs.len() == 1 { Msg::AnswerGang } else { Msg::AnswerGangs };
        let mut out = vec![say(first, &[count(gangs.len()), count(hosts.len())])];
        out.push(match self.alerted {
            Some(_) => say(Msg::AnswerUnalerted, &[count(hosts.iter().filter(|it| self.is_unalerted(it)).count())]),
            None => self.say(Msg::AnswerNoAlerts).to_owned(),
        });
        let (proven, by_siblings) = (self.repaired(Grade::Structural), self.repaired(Grade::Statistical));
        out.push(if proven + by_siblings == 0 {
            self.say(Msg::AnswerNotRepaired).to_owned()
        } else {
            say(Msg::AnswerRepaired, &[proven + by_siblings, proven, by_siblings])
        });
        out
    }

    /// How many processes were repaired.
    pub(crate) fn repaired(&self, grade: Grade) -> u64 {
        self.findings.repaired.iter().filter(|it| it.grade == grade).map(|it| it.times).sum()
    }
}

/// `downloads_then_runs` → `downloads then runs`.
pub(crate) fn words(id: &str) -> String {
    id.replace('_', " ")
}

pub(crate) fn class(class: MethodClass) -> Msg {
    match class {
        MethodClass::WeakPassword => Msg::ClassWeakPassword,
        MethodClass::StolenKey => Msg::ClassStolenKey,
        MethodClass::ExposedService => Msg::ClassExposedService,
        MethodClass::Exploit => Msg::ClassExploit,
        MethodClass::SupplyChain => Msg::ClassSupplyChain,
        MethodClass::Lateral => Msg::ClassLateral,
        MethodClass::Unknown => Msg::ClassUnknown,
    }
}

pub(crate) fn novelty(novelty: Novelty) -> Msg {
    match novelty {
        Novelty::Known => Msg::NoveltyKnown,
        Novelty::Variant => Msg::NoveltyVariant,
        Novelty::New => Msg::NoveltyNew,
    }
}

pub(crate) fn strength(strength: Strength) -> Msg {
    match strength {
        Strength::Strong => Msg::StrengthStrong,
        Strength::Medium => Msg::StrengthMedium,
        Strength::Weak => Msg::StrengthWeak,
    }
}

/// The tactics, in the order of the matrix: where [`crate::attack`] points.
pub(crate) const TACTICS: [Msg; 14] = [
    Msg::TacticReconnaissance,
    Msg::TacticResourceDevelopment,
    Msg::TacticInitialAccess,
    Msg::TacticExecution,
    Msg::TacticPersistence,
    Msg::TacticPrivilegeEscalation,
    Msg::TacticDefenseEvasion,
    Msg::TacticCredentialAccess,
    Msg::TacticDiscovery,
    Msg::TacticLateralMovement,
    Msg::TacticCollection,
    Msg::TacticCommandAndControl,
    Msg::TacticExfiltration,
    Msg::TacticImpact,
];
