//! campaigns → which of them are a fleet's own routine: the same work again and again, wherever it is installed.
//!
//! A backup that prunes shadow copies and a hardening script that sets immutable bits show what intruders show. What
//! tells them apart: nothing signs them, they came in by no way, nothing of them runs from where intruders keep their
//! files, and what they show recurs on every host for as long as the log is, no more often where something else was
//! found than elsewhere. Command lines are judged, not graphs: a lossy sensor breaks one routine into many shapes.

use std::collections::{BTreeMap, BTreeSet};

use super::background::Background;
use super::campaigns::{Campaign, first_path};
use super::distinct::Distinct;
use super::sketch::{Key, NodeStat};
use crate::label::paths::is_dropzone;

/// Once on a host may be anything; so may a single host.
const HOSTS: u64 = 3;
/// In tenths.
const TIMES_A_HOST: u64 = 15;
/// How much of the log's time it goes on for at least, in thousandths: it was there before, and it stays.
const SPAN: i64 = 850;
/// It is there from the start: of a hundred hosts that show it late in their logs, so many show it early as well. What
/// comes to one host after another does not.
const FROM_THE_START: u64 = 65;
const EVERYWHERE: u64 = 85;
const MANY_HOSTS: u64 = 8;
/// It goes with intrusions where they are found on its hosts half as often again as on all hosts, and a tenth more.
const OFTEN: u64 = 1500;
const MORE: u64 = 100;
/// Where campaigns that something signs show it a quarter as often, it may be theirs.
const SIGNED: u64 = 4;
/// How much of what a campaign shows recurs like that, in thousandths: some of its steps come less often.
const MOSTLY: u64 = 700;
/// Intruders show more than one thing at a time.
const BEHAVIOURS: usize = 4;
/// A way in that is surer than its mere place in the process tree, in thousandths.
const SURE: u64 = 860;

/// A command line that shows something, wherever it was run.
#[derive(Default)]
struct Shown {
    hosts: Distinct<64>,
    times: u64,
    signed: u64,
    first: Option<i64>,
    last: Option<i64>,
    early: Distinct<32>,
    late: Distinct<32>,
}

/// What shows nothing by itself is ordinary where it ran so many times as often without any suspicion, ...
const ORDINARY: u64 = 2;
/// ... and a campaign is where that holds for so much of it, in thousandths.
const MOSTLY_ORDINARY: u64 = 900;

/// Tells which nodes are ordinary elsewhere.
pub(super) fn mark_ordinary(campaigns: &mut [Campaign], background: &Background) {
    let kept = background.kept();
    for campaign in campaigns {
        let is_ordinary = |(path, node): (&Key, &NodeStat)| {
            let elsewhere = kept.get(path).copied().unwrap_or(0);
            let shows = !node.behaviours.is_empty() || !node.network_roles.is_empty();
            (!shows && node.observed > 0 && elsewhere >= node.observed * ORDINARY).then_some(*path)
        };
        campaign.ordinary = campaign.nodes.iter().filter_map(is_ordinary).collect();
    }
}

/// Takes the hostility from what is routine, and from what is ordinary; `fleet` is how many hosts there are.
pub(super) fn settle(campaigns: &mut [Campaign], fleet: u64) {
    for campaign in campaigns.iter_mut().filter(|it| it.hostile && it.signature.is_empty() && it.honeypot == 0) {
        campaign.hostile = !is_ordinary(campaign);
    }
    let first = campaigns.iter().filter_map(|it| it.first).min();
    let last = campaigns.iter().filter_map(|it| it.last).max();
    let (Some(first), Some(last)) = (first, last) else { return };
    let mut taken: Distinct<1024> = Distinct::default();
    let mut shown: BTreeMap<String, Shown> = BTreeMap::new();
    for campaign in campaigns.iter().filter(|it| it.hostile) {
        let signed = !campaign.signature.is_empty();
        if signed {
            taken.merge(&campaign.hosts);
        }
        for node in campaign.nodes.values().filter(|it| !it.behaviours.is_empty()) {
            let it = shown.entry(shape(&node.template)).or_default();
            if signed {
                it.signed += node.observed;
                continue;
            }
            it.hosts.merge(&node.hosts);
            it.times += node.observed;
            it.first = super::sketch::earlier(it.first, node.first);
            it.last = it.last.max(node.last);
            it.early.merge(&node.early);
            it.late.merge(&node.late);
        }
    }
    let usual = (taken.count() * 1000).checked_div(fleet).unwrap_or(0);
    let goes_with = usual * OFTEN / 1000 + MORE;
    let whole = last.saturating_sub(first) / 1_000_000 * SPAN;
    let apart = |it: &Shown| it.hosts.share_in(&taken) <= goes_with;
    shown.retain(|_, it| it.recurs(whole) && (apart(it) || it.was_everywhere()));
    for campaign in campaigns.iter_mut().filter(|it| it.hostile && may_be_routine(it)) {
        let times = |routine: bool| -> u64 {
            let showing = campaign.nodes.values().filter(|it| !it.behaviours.is_empty());
            showing.filter(|it| !routine || shown.contains_key(&shape(&it.template))).map(|it| it.observed).sum()
        };
        let (routine, all) = (times(true), times(false));
        campaign.hostile = routine == 0 || routine * 1000 < all * MOSTLY;
    }
}

/// It was suspected for where it ran, and all that it ran is run elsewhere all the time.
fn is_ordinary(campaign: &Campaign) -> bool {
    if campaign.nodes.values().any(|it| !it.behaviours.is_empty() || !it.network_roles.is_empty()) {
        return false;
    }
    let all: u64 = campaign.nodes.values().map(|it| it.observed).sum();
    let ordinary: u64 = campaign.ordinary.iter().map(|it| campaign.nodes[it].observed).sum();
    all > 0 && ordinary * 1000 >= all * MOSTLY_ORDINARY
}

/// The command line without its numbers: what runs daily writes the day into its file names.
fn shape(template: &str) -> String {
    let mut shape = String::with_capacity(template.len());
    for letter in template.chars() {
        match letter {
            '0'..='9' if shape.ends_with('#') => {}
            '0'..='9' => shape.push('#'),
            _ => shape.push(letter),
        }
    }
    shape
}

impl Shown {
    fn recurs(&self, whole: i64) -> bool {
        let hosts = self.hosts.count();
        let span = self.last.zip(self.first).map_or(0, |(last, first)| last.saturating_sub(first));
        hosts >= HOSTS
            && self.times * 10 >= hosts * TIMES_A_HOST
            && self.times >= self.signed * SIGNED
            && span / 1000 >= whole
            && self.early.count() * 100 >= self.late.count() * FROM_THE_START
    }

    /// On many hosts from the start on: then it is no matter what else came to them later.
    fn was_everywhere(&self) -> bool {
        self.hosts.count() >= MANY_HOSTS && self.early.count() * 100 >= self.late.count() * EVERYWHERE
    }
}

fn may_be_routine(it: &Campaign) -> bool {
    it.signature.is_empty()
        && it.honeypot == 0
        && !it.methods.values().any(|(episodes, sum)| *sum >= episodes * SURE)
        && it.nodes.values().flat_map(|it| it.behaviours.keys()).collect::<BTreeSet<_>>().len() <= BEHAVIOURS
        && !it.nodes.values().any(|it| is_dropzone(first_path(&it.template)) || is_dropzone(first_path(&it.sample)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000;

    fn campaign(template: &str, hosts: std::ops::Range<u64>, times: u64, signed: bool) -> Campaign {
        let mut it = Campaign { hostile: true, first: Some(0), last: Some(24 * HOUR), ..Campaign::default() };
        let mut node = NodeStat { template: template.into(), observed: times, ..NodeStat::default() };
        for host in hosts {
            let hash = ringleader_model::hash::hash64(&host.to_le_bytes());
            it.hosts.insert(hash);
            node.hosts.insert(hash);
        }
        node.behaviours.insert(1, times);
        (node.first, node.last) = (Some(0), Some(24 * HOUR));
        (node.early, node.late) = (Distinct::default(), Distinct::default());
        for host in 0..node.hosts.count() {
            let hash = ringleader_model::hash::hash64(&host.to_le_bytes());
            node.early.insert(hash);
            node.late.insert(hash);
        }
        it.nodes.insert(1, node);
        if signed {
            it.signature.push(1);
        }
        it
    }

    fn check(campaigns: Vec<Campaign>, expect: &[bool]) {
        let mut campaigns = campaigns;
        settle(&mut campaigns, 100);
        assert_eq!(campaigns.iter().map(|it| it.hostile).collect::<Vec<_>>(), expect);
    }

    const PRUNE: &str = "vssadmin delete shadows /for=D: /oldest";

    #[test]
    fn what_every_host_does_all_day_is_routine_however_it_was_broken() {
        check(vec![campaign(PRUNE, 0..40, 300, false), campaign(PRUNE, 0..2, 2, false)], &[false, false]);
    }

    #[test]
    fn once_on_a_host_signed_from_a_drop_zone_or_where_intruders_are_is_none() {
        check(vec![campaign(PRUNE, 0..40, 40, false)], &[true]);
        check(vec![campaign(PRUNE, 0..40, 300, true)], &[true]);
        check(vec![campaign("/tmp/.x/prune", 0..40, 300, false)], &[true]);
        check(vec![campaign("wget <url>", 0..6, 20, true), campaign(PRUNE, 0..6, 100, false)], &[true, true]);
    }

    #[test]
    fn a_day_in_a_file_name_makes_no_other_work() {
        let of = |day: u64| campaign(&format!("bcp orders out orders_{day}.csv"), day % 5..day % 5 + 1, 2, false);
        check((0..60).map(of).collect(), &[false; 60]);
    }

    #[test]
    fn what_runs_everywhere_without_suspicion_is_ordinary_where_it_ran_beside_an_intruder() {
        let mut traced = campaign("run-parts /etc/cron.hourly", 0..3, 30, false);
        traced.nodes.get_mut(&1).unwrap().behaviours.clear();
        let judged = |elsewhere: u64, campaign: &Campaign| {
            let mut background = Background::default();
            background.add(1, elsewhere);
            let mut all = vec![campaign.clone()];
            mark_ordinary(&mut all, &background);
            settle(&mut all, 100);
            all[0].hostile
        };
        assert!(!judged(1000, &traced));
        assert!(judged(10, &traced), "hardly anybody else runs it");
        let mut signed = traced.clone();
        signed.signature.push(1);
        assert!(judged(1000, &signed));
    }
}
