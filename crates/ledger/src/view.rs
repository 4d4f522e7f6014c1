//! Findings as computed → findings as shown where hosts are allowed. Names, merges, splits and dismissals are applied
//! where the findings are put together, since they change what is counted; this is what is left for afterwards.

use std::collections::BTreeSet;

use ringleader_model::findings::{Findings, Text};

use crate::decided::Decided;
use crate::decision::Allowable;
use crate::error::Result;
use crate::seen::Pattern;
use crate::store::Ledger;

/// Takes hosts of the allow-list out of every gang, and gangs that were seen nowhere else out of the findings.
pub fn without_hosts(findings: &mut Findings, patterns: &[String]) {
    if patterns.is_empty() {
        return;
    }
    let patterns: Vec<Pattern> = patterns.iter().map(|it| Pattern::new(it)).collect();
    let mut gone: BTreeSet<Text> = BTreeSet::new();
    for gang in &mut findings.gangs {
        let before = gang.who.hosts.len();
        gang.who.hosts.retain(|host| !patterns.iter().any(|it| it.holds(host)));
        if before > 0 && gang.who.hosts.is_empty() {
            gone.insert(gang.gang_id.clone());
        }
    }
    findings.gangs.retain(|it| !gone.contains(&it.gang_id));
    findings.activity.retain(|it| !gone.contains(&it.gang_id));
    findings.indicators.retain(|it| !it.gang_id.as_ref().is_some_and(|it| gone.contains(it)));
    findings.warnings.retain(|it| !it.gang_id.as_ref().is_some_and(|it| gone.contains(it)));
    for campaign in &mut findings.campaigns {
        if campaign.gang_id.as_ref().is_some_and(|it| gone.contains(it)) {
            campaign.gang_id = None;
        }
    }
    findings.summary.gangs = findings.gangs.len() as u64;
}

impl Ledger {
    /// The one gang that is called so, by a name, an alias, or the first characters of its id.
    pub fn find_gang(&mut self, text: &str) -> Result<String> {
        let refused = |text: String| Err(crate::error::Error::Refused(text));
        let decided = self.decided()?;
        let same = |it: &str| it.to_lowercase() == text.to_lowercase();
        let named = decided.names.iter().filter(|it| same(&it.1.0)).map(|it| it.0);
        let aliased = decided.aliases.iter().filter(|it| it.1.iter().any(|it| same(&it.0))).map(|it| it.0);
        let called: BTreeSet<&String> = named.chain(aliased).collect();
        if let [one] = called.into_iter().collect::<Vec<_>>()[..] {
            return Ok(one.clone());
        }
        let id = text.strip_prefix("gang ").unwrap_or(text).to_lowercase();
        if id.len() < 4 || !id.bytes().all(|it| it.is_ascii_hexdigit()) {
            return refused(format!("no gang is called {text}: `ringleader gang list` has their names and ids"));
        }
        let mut found: BTreeSet<String> = self.gangs()?.into_iter().map(|it| it.gang_id).collect();
        found.extend(decided.splits.iter().map(|it| it.new_gang.clone()));
        found.retain(|it| it.starts_with(&id));
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => {
                refused(format!("the ledger knows no gang {text}: `ringleader gang list` has those that it knows"))
            }
            (Some(_), Some(_)) => refused(format!("several gangs start with {text}: write more of the id")),
        }
    }
}

impl Decided {
    /// Patterns of hosts that are allowed at that time.
    pub fn allowed_hosts(&self, now: ringleader_model::Timestamp) -> Vec<String> {
        self.allowed_at(now).filter(|it| it.what == Allowable::HostGroup).map(|it| it.value.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringleader_model::findings::{Campaign, Gang, Who};

    #[test]
    fn a_gang_that_was_seen_on_allowed_hosts_alone_is_not_shown() {
        let gang = |id: &str, hosts: &[&str]| Gang {
            gang_id: id.into(),
            who: Who { hosts: hosts.iter().map(|it| (*it).into()).collect(), ..Who::default() },
            ..Gang::default()
        };
        let mut findings = Findings {
            gangs: vec![gang("a", &["ci-1", "ci-2"]), gang("b", &["ci-1", "web-1"])],
            campaigns: vec![Campaign { gang_id: Some("a".into()), ..Campaign::default() }],
            ..Findings::default()
        };
        without_hosts(&mut findings, &["ci-*".to_owned()]);
        assert_eq!(findings.gangs.len(), 1);
        assert_eq!(findings.gangs[0].who.hosts.len(), 1);
        assert_eq!(findings.campaigns[0].gang_id, None);
    }
}
