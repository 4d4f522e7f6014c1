//! campaigns → which of them are a fleet's own routine: the same work again and again, wherever it is installed.
//!
//! A backup that prunes shadow copies and a hardening script that sets immutable bits show what intruders show. What
//! tells them apart: nothing signs them, they came in by no way, nothing of them runs from where intruders keep their
//! files, and they are no more frequent where something else was found than elsewhere.

use std::collections::BTreeSet;

use super::campaigns::{Campaign, first_path};
use super::distinct::Distinct;
use crate::label::paths::is_dropzone;

/// Once on a host may be anything; so may a single host.
const HOSTS: u64 = 3;
const TIMES_A_HOST: u64 = 3;
/// How much of the log's time it goes on for at least, in thousandths: it was there before, and it stays.
const SPAN: i64 = 850;
/// It goes with intrusions where they are found on its hosts half as often again as on all hosts, and a tenth more.
const OFTEN: u64 = 1500;
const MORE: u64 = 100;
/// A way in that is surer than its mere place in the process tree, in thousandths.
const SURE: u64 = 600;
/// Intruders show more than one thing at a time.
const BEHAVIOURS: usize = 3;

pub(super) fn settle(campaigns: &mut [Campaign], fleet: u64) {
    let first = campaigns.iter().filter_map(|it| it.first).min();
    let last = campaigns.iter().filter_map(|it| it.last).max();
    let (Some(first), Some(last)) = (first, last) else { return };
    let mut taken: Distinct<1024> = Distinct::default();
    campaigns.iter().filter(|it| it.hostile && !it.signature.is_empty()).for_each(|it| taken.merge(&it.hosts));
    let usual = (taken.count() * 1000).checked_div(fleet).unwrap_or(0);
    let goes_with = usual * OFTEN / 1000 + MORE;
    for campaign in campaigns.iter_mut().filter(|it| it.hostile) {
        let recurs = campaign.hosts.count() >= HOSTS && campaign.episodes >= campaign.hosts.count() * TIMES_A_HOST;
        if recurs
            && is_unsigned(campaign)
            && lasts(campaign, last.saturating_sub(first))
            && campaign.hosts.share_in(&taken) <= goes_with
        {
            campaign.hostile = false;
        }
    }
}

fn is_unsigned(it: &Campaign) -> bool {
    it.signature.is_empty()
        && it.honeypot == 0
        && !it.methods.values().any(|(episodes, sum)| *sum >= episodes * SURE)
        && it.nodes.values().flat_map(|it| it.behaviours.keys()).collect::<BTreeSet<_>>().len() <= BEHAVIOURS
        && !it.nodes.values().any(|it| is_dropzone(first_path(&it.template)) || is_dropzone(first_path(&it.sample)))
}

fn lasts(it: &Campaign, log: i64) -> bool {
    let own = it.last.zip(it.first).map_or(0, |(last, first)| last.saturating_sub(first));
    own / 1000 >= log / 1_000_000 * SPAN
}
