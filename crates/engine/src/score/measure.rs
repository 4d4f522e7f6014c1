//! truth, claims → figures of links, events and incidents. One pass over the truth, whatever its size.
//!
//! Memory: what `Claims` holds, about 30 bytes for each lost event, and a little for each incident.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ringleader_model::hash::ByHash;
use serde::Serialize;

use super::claims::Claims;
use super::clusters::{Clusters, compare};
use super::truth::{Id, Incident, Row};
use super::{EXAMPLES, Share, share};

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Figures {
    /// `None` where nothing is said of links.
    pub links: Option<Links>,
    pub events: Events,
    pub incidents: Incidents,
    pub gangs: Gangs,
    pub per_gang: Vec<PerGang>,
    /// Source ids of some events that were judged wrongly, by what is wrong.
    pub examples: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Links {
    #[serde(flatten)]
    pub all: Tally,
    pub right_share: Share,
    pub wrong_share: Share,
    pub by_how: BTreeMap<String, Tally>,
    pub by_truth: BTreeMap<String, Tally>,
    /// True status, then the status in the findings: events.
    pub statuses: BTreeMap<String, BTreeMap<String, u64>>,
    /// Of events whose parent's status is told.
    pub status_right_share: Share,
    /// Where the parent has no event, by true status: the nearest ancestor that has one.
    pub ancestors: BTreeMap<String, Tally>,
    /// Events of the log that are not in the findings.
    pub absent: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub events: u64,
    /// The true parent, or none where none was logged.
    pub right: u64,
    /// Another event.
    pub wrong: u64,
    /// None, where the true parent was logged.
    pub missed: u64,
}

impl Tally {
    fn add(&mut self, found: Option<Id>, truth: Option<Id>) {
        self.events += 1;
        match found {
            _ if found == truth => self.right += 1,
            Some(_) => self.wrong += 1,
            None => self.missed += 1,
        }
    }
}

/// "Bot": a member of any gang.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Events {
    pub logged: u64,
    pub bot: u64,
    pub found: u64,
    pub bot_found: u64,
    pub precision: Share,
    pub recall: Share,
    /// Means over the true gangs; precision is that of the found gangs in which a true gang is the largest.
    pub macro_precision: Share,
    pub macro_recall: Share,
    pub benign_swallowed: u64,
    pub benign_swallowed_per_100_000: Share,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Incidents {
    /// Those of which at least one event was logged.
    pub logged: u64,
    pub assigned: u64,
    pub all: Clusters,
    /// Means over the true gangs of their incidents' B-cubed.
    pub macro_b_cubed_precision: Share,
    pub macro_b_cubed_recall: Share,
    /// `None` where the truth has no table of incidents.
    pub without_one_off: Option<Clusters>,
    pub one_off: Option<OneOff>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct OneOff {
    pub incidents: u64,
    /// Their found gang is, without them, mostly of their own gang.
    pub attached: u64,
    /// Mostly of another.
    pub wrong: u64,
    /// In no gang, or one that nothing else is in.
    pub alone: u64,
    pub attached_share: Share,
    pub wrong_share: Share,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Gangs {
    pub truth: u64,
    pub found: u64,
    /// Found gangs without an event of any true gang.
    pub of_benign_only: u64,
    /// Found gangs in which a second true gang has a whole incident, or a twentieth of the members.
    pub fused: u64,
    /// True gangs whose incidents are assigned to several found gangs.
    pub torn: u64,
    pub fused_which: Vec<(String, Vec<String>)>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PerGang {
    pub gang: String,
    pub events: u64,
    pub precision: Share,
    pub recall: Share,
    pub incidents: u64,
    pub unassigned: u64,
    /// Found gangs that its incidents are assigned to.
    pub pieces: u64,
    pub b_cubed_precision: Share,
    pub b_cubed_recall: Share,
}

/// Lost events, and what is above each.
pub(crate) type Lost = HashMap<Id, Option<Id>, ByHash>;

/// The nearest logged event of the true lineage above.
pub(crate) fn nearest_logged(above: Option<Id>, lost: &Lost) -> Option<Id> {
    let mut at = above;
    // No lineage is this deep; a truth that runs in circles must not hold us.
    for _ in 0..10_000 {
        match at.and_then(|it| lost.get(&it)) {
            Some(next) => at = *next,
            None => return at,
        }
    }
    None
}

struct Seen {
    name: Box<str>,
    gang: usize,
    events: u64,
    /// By found gang.
    found: BTreeMap<u32, u64>,
}

/// Takes the truth row by row, and says at the end how the claims did.
pub(crate) struct Measure<'a> {
    claims: &'a Claims,
    figures: Figures,
    incident_numbers: BTreeMap<Box<str>, usize>,
    incidents: Vec<Seen>,
    gang_numbers: BTreeMap<Box<str>, usize>,
    gang_events: Vec<(u64, u64)>,
    /// By found gang: events of no true gang.
    benign: Vec<u64>,
}

impl<'a> Measure<'a> {
    pub(crate) fn new(claims: &'a Claims) -> Self {
        let figures = Figures { links: claims.links.as_ref().map(|_| Links::default()), ..Figures::default() };
        Self {
            claims,
            figures,
            incident_numbers: BTreeMap::new(),
            incidents: Vec::new(),
            gang_numbers: BTreeMap::new(),
            gang_events: Vec::new(),
            benign: vec![0; claims.gangs.len()],
        }
    }

    pub(crate) fn add(&mut self, row: &Row<'_>, lost: &Lost) {
        if row.lost {
            return;
        }
        self.link(row, lost);
        let events = &mut self.figures.events;
        let found = self.claims.members.get(&row.event).copied();
        events.logged += 1;
        events.found += u64::from(found.is_some());
        let Some(bot) = row.bot else {
            if let Some(found) = found {
                events.benign_swallowed += 1;
                self.benign[found as usize] += 1;
                self.example("benign_swallowed", row.text);
            }
            return;
        };
        events.bot += 1;
        events.bot_found += u64::from(found.is_some());
        let next = self.gang_numbers.len();
        let gang = self.gang_numbers.get(bot.gang).copied().unwrap_or_else(|| {
            self.gang_numbers.insert(bot.gang.into(), next);
            self.gang_events.push((0, 0));
            next
        });
        self.gang_events[gang].0 += 1;
        self.gang_events[gang].1 += u64::from(found.is_some());
        let incident = self.incident_numbers.get(bot.incident).copied().unwrap_or_else(|| {
            self.incident_numbers.insert(bot.incident.into(), self.incidents.len());
            self.incidents.push(Seen { name: bot.incident.into(), gang, events: 0, found: BTreeMap::new() });
            self.incidents.len() - 1
        });
        let incident = &mut self.incidents[incident];
        incident.events += 1;
        match found {
            Some(found) => *incident.found.entry(found).or_default() += 1,
            None => self.example(&format!("bot_missed, {}", bot.gang), row.text),
        }
    }

    fn example(&mut self, what: &str, event: &str) {
        let list = match self.figures.examples.get_mut(what) {
            Some(list) => list,
            None => self.figures.examples.entry(what.to_owned()).or_default(),
        };
        if list.len() < EXAMPLES {
            list.push(event.to_owned());
        }
    }

    fn link(&mut self, row: &Row<'_>, lost: &Lost) {
        let (Some(claimed), Some(links)) = (&self.claims.links, &mut self.figures.links) else { return };
        let link = claimed.get(row.event);
        links.absent += u64::from(link.is_none());
        let found = link.filter(|it| it.is_parent).and_then(|it| it.up);
        let truth = row.logged_parent();
        let name = |number: u8| claimed.names.get(number as usize).map_or("", |it| it);
        let (how, status) = link.map_or(("absent", "absent"), |it| (name(it.how), name(it.status)));
        let mut one = Tally::default();
        one.add(found, truth);
        for tally in [&mut links.all, entry(&mut links.by_how, how), entry(&mut links.by_truth, row.status)] {
            tally.add(found, truth);
        }
        *entry(entry(&mut links.statuses, row.status), status) += 1;
        if truth.is_none() {
            let above = nearest_logged(row.above(), lost);
            let found = link.filter(|it| !it.is_parent).and_then(|it| it.up);
            entry(&mut links.ancestors, row.status).add(found, above);
            if found.is_some() && found != above {
                self.example(&format!("ancestor_wrong, {} by {how}", row.status), row.text);
            }
        }
        if one.right == 0 {
            let what = if one.wrong > 0 { "wrong" } else { "missed" };
            let what = format!("link_{what}, {} by {how}", row.status);
            self.example(&what, row.text);
        }
    }

    /// `known`: the truth's table of incidents.
    pub(crate) fn finish(mut self, known: Option<&BTreeMap<Box<str>, Incident>>) -> Figures {
        if let Some(links) = &mut self.figures.links {
            links.right_share = share(links.all.right as f64, links.all.events as f64);
            links.wrong_share = share(links.all.wrong as f64, links.all.events as f64);
            let same = links.statuses.iter().filter_map(|(truth, found)| found.get(truth)).sum::<u64>();
            // The baseline tells no status.
            let told = links.statuses.values().flatten().filter(|it| !it.0.is_empty()).map(|it| it.1).sum::<u64>();
            links.status_right_share = share(same as f64, told as f64);
        }
        let assigned: Vec<Option<u32>> = self.incidents.iter().map(|it| largest(&it.found)).collect();
        // By found gang: events of each true gang.
        let mut held: Vec<BTreeMap<usize, u64>> = vec![BTreeMap::new(); self.claims.gangs.len()];
        for incident in &self.incidents {
            for (found, events) in &incident.found {
                *held[*found as usize].entry(incident.gang).or_default() += events;
            }
        }
        self.incident_figures(&assigned, known);
        self.gang_figures(&assigned, &held);
        let per_gang = &self.figures.per_gang;
        let incidents = &mut self.figures.incidents;
        incidents.macro_b_cubed_precision = mean(per_gang.iter().map(|it| it.b_cubed_precision));
        incidents.macro_b_cubed_recall = mean(per_gang.iter().map(|it| it.b_cubed_recall));
        let events = &mut self.figures.events;
        events.precision = share(events.bot_found as f64, events.found as f64);
        events.recall = share(events.bot_found as f64, events.bot as f64);
        events.macro_precision = mean(per_gang.iter().map(|it| it.precision));
        events.macro_recall = mean(per_gang.iter().map(|it| it.recall));
        let benign = (events.logged - events.bot) as f64;
        events.benign_swallowed_per_100_000 = share(events.benign_swallowed as f64 * 100_000.0, benign);
        self.figures
    }

    /// Unassigned incidents are clusters of their own.
    fn labels<'b>(&'b self, assigned: &'b [Option<u32>]) -> impl Iterator<Item = (&'b Seen, (u64, u64))> {
        let own = self.claims.gangs.len() as u64;
        let labels = assigned.iter().zip(0u64..).map(move |(it, at)| it.map_or(own + at, u64::from));
        self.incidents.iter().zip(labels).map(|(incident, label)| (incident, (incident.gang as u64, label)))
    }

    fn incident_figures(&mut self, assigned: &[Option<u32>], known: Option<&BTreeMap<Box<str>, Incident>>) {
        let all = compare(self.labels(assigned).map(|it| it.1));
        let is_one_off = |it: &Seen| known.and_then(|known| known.get(&it.name)).is_some_and(|it| it.one_off);
        let without_one_off =
            known.map(|_| compare(self.labels(assigned).filter(|it| !is_one_off(it.0)).map(|it| it.1)));
        let one_off = known.map(|_| {
            let mut one_off = OneOff::default();
            let mut inside: BTreeMap<u32, BTreeMap<usize, u64>> = BTreeMap::new();
            for (incident, found) in self.incidents.iter().zip(assigned) {
                if let Some(found) = found {
                    *inside.entry(*found).or_default().entry(incident.gang).or_default() += 1;
                }
            }
            for (incident, found) in self.incidents.iter().zip(assigned).filter(|it| is_one_off(it.0)) {
                one_off.incidents += 1;
                let mut others = found.and_then(|it| inside.get(&it)).cloned().unwrap_or_default();
                if let Some(own) = others.get_mut(&incident.gang) {
                    *own -= 1;
                }
                others.retain(|_, it| *it > 0);
                match largest(&others) {
                    None => one_off.alone += 1,
                    Some(gang) if gang == incident.gang => one_off.attached += 1,
                    Some(_) => one_off.wrong += 1,
                }
            }
            one_off.attached_share = share(one_off.attached as f64, one_off.incidents as f64);
            one_off.wrong_share = share(one_off.wrong as f64, one_off.incidents as f64);
            one_off
        });
        self.figures.incidents = Incidents {
            logged: self.incidents.len() as u64,
            assigned: assigned.iter().flatten().count() as u64,
            all,
            without_one_off,
            one_off,
            ..Incidents::default()
        };
    }

    fn gang_figures(&mut self, assigned: &[Option<u32>], held: &[BTreeMap<usize, u64>]) {
        let mut names = vec![String::new(); self.gang_numbers.len()];
        for (name, number) in &self.gang_numbers {
            names[*number] = name.to_string();
        }
        let main: Vec<Option<usize>> = held.iter().map(largest).collect();
        // A second gang is in it with a whole incident, or with a twentieth of the members.
        let mut fused: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for incident in &self.incidents {
            for (found, events) in &incident.found {
                let found = *found as usize;
                if *events == incident.events && main[found] != Some(incident.gang) {
                    fused.entry(found).or_default().insert(incident.gang);
                }
            }
        }
        for (found, held) in held.iter().enumerate() {
            let members = held.values().sum::<u64>() + self.benign[found];
            for (gang, events) in held {
                if main[found] != Some(*gang) && events * 20 >= members {
                    fused.entry(found).or_default().insert(*gang);
                }
            }
        }
        // B-cubed of single incidents.
        let mut cells: BTreeMap<(u64, u64), u64> = BTreeMap::new();
        let (mut truth, mut found) = (BTreeMap::<u64, u64>::new(), BTreeMap::<u64, u64>::new());
        for (_, cell) in self.labels(assigned) {
            *cells.entry(cell).or_default() += 1;
            *truth.entry(cell.0).or_default() += 1;
            *found.entry(cell.1).or_default() += 1;
        }
        let mut per_gang = Vec::new();
        for (gang, name) in names.iter().enumerate() {
            let (events, events_found) = self.gang_events[gang];
            let own: Vec<usize> = (0..held.len()).filter(|it| main[*it] == Some(gang)).collect();
            let inside: u64 = own.iter().filter_map(|it| held[*it].get(&gang)).sum();
            let members: u64 = own.iter().map(|it| held[*it].values().sum::<u64>() + self.benign[*it]).sum();
            let mine = || self.incidents.iter().zip(assigned).filter(|it| it.0.gang == gang);
            let incidents = mine().count() as u64;
            let own_cells = || cells.iter().filter(|it| it.0.0 == gang as u64);
            let mean = |of: &dyn Fn(&(u64, u64)) -> u64| {
                let sum: f64 = own_cells().map(|(cell, n)| (n * n) as f64 / of(cell) as f64).sum();
                share(sum, incidents as f64)
            };
            per_gang.push(PerGang {
                gang: name.clone(),
                events,
                precision: share(inside as f64, members as f64),
                recall: share(events_found as f64, events as f64),
                incidents,
                unassigned: mine().filter(|it| it.1.is_none()).count() as u64,
                pieces: mine().filter_map(|it| *it.1).collect::<BTreeSet<_>>().len() as u64,
                b_cubed_precision: mean(&|cell| found[&cell.1]),
                b_cubed_recall: mean(&|cell| truth[&cell.0]),
            });
        }
        per_gang.sort_by(|a, b| a.gang.cmp(&b.gang));
        self.figures.gangs = Gangs {
            truth: names.len() as u64,
            found: self.claims.gangs.len() as u64,
            of_benign_only: held.iter().filter(|it| it.is_empty()).count() as u64,
            fused: fused.len() as u64,
            torn: per_gang.iter().filter(|it| it.pieces > 1).count() as u64,
            fused_which: fused
                .iter()
                .map(|(found, others)| {
                    let all = main[*found].iter().chain(others);
                    (self.claims.gangs[*found].to_string(), all.map(|it| names[*it].clone()).collect())
                })
                .collect(),
        };
        self.figures.per_gang = per_gang;
    }
}

/// An entry by name, without a copy of the name where it is there.
fn entry<'m, T: Default>(map: &'m mut BTreeMap<String, T>, name: &str) -> &'m mut T {
    if !map.contains_key(name) {
        map.insert(name.to_owned(), T::default());
    }
    map.get_mut(name).expect("it was put there if it was not")
}

/// The key with most; of equals the first.
fn largest<K: Copy + Ord>(counts: &BTreeMap<K, u64>) -> Option<K> {
    counts.iter().max_by_key(|it| (*it.1, std::cmp::Reverse(*it.0))).map(|it| *it.0)
}

fn mean(shares: impl Iterator<Item = Share>) -> Share {
    let known: Vec<f64> = shares.flatten().collect();
    share(known.iter().sum(), known.len() as f64)
}
