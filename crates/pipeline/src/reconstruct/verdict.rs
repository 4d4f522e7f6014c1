//! what was seen of hosts and between them → the points of each host's verdict, until nothing changes.
//!
//! A rule counts once for a host, with its best evidence. Deliberately absent: floats, and rules that are not in
//! `knowledge/spread/rules.yml`.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::findings::Verdict;

use super::Input;
use super::clock::Clocks;
use super::identity::{Host, Hosts};
use super::observe::{Ref, SLOT, address};
use super::pairs::{Pair, Pairs};
use super::seeds::{AROUND, Case, Why, places, since_snapshot};

/// What a host does before anybody sees the malware on it is the malware's for this long.
const EARLIER: i64 = 10 * 60 * 1_000_000;
/// That many hosts on one port are a sweep.
const SWEEP: usize = 5;
/// And that many services, each on that many hosts, are a scanner's.
const SERVICES: usize = 4;

#[derive(Debug, Clone)]
pub(super) struct Mark {
    pub points: i32,
    pub text: String,
    pub places: Vec<Ref>,
    pub time: Option<i64>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Judged {
    /// By rule.
    pub marks: BTreeMap<&'static str, Mark>,
    /// When it was the malware's at the latest.
    pub first: Option<i64>,
    /// From when on its calls are the malware's.
    pub since: Option<i64>,
    /// Something ran or acted there.
    pub acted: bool,
    /// Its processes are logged over the whole window.
    pub watched: bool,
    pub good: bool,
    /// An analyst's word: taken, or not.
    pub decided: Option<bool>,
}

impl Judged {
    pub(super) fn points(&self, prior: i32) -> i32 {
        prior + self.marks.values().map(|it| it.points).sum::<i32>()
    }
}

pub(super) struct State {
    pub hosts: Vec<Judged>,
    pub prior: i32,
    pub taken: i32,
    pub ports: BTreeSet<u16>,
    /// Those that the malware itself sweeps or passes itself on over: there a bare call is a scan.
    pub swept: BTreeSet<u16>,
    /// What a small call of a host comes to, in bytes, on the ports that malware spreads over.
    pub probes: BTreeMap<Host, u64>,
}

/// So many taken hosts call one server outside before it is theirs.
const SHARED: usize = 3;
/// More bytes than this are more than a greeting and a banner.
const TALK: u64 = 1_500;
/// So many connections within ten minutes are more than a probe.
const MANY: u64 = 3;

impl State {
    pub(super) fn is_taken(&self, host: Host) -> bool {
        let by_sum = |it: &Judged| it.acted && it.points(self.prior) >= self.taken;
        self.hosts.get(host).is_some_and(|it| it.decided.unwrap_or_else(|| by_sum(it)))
    }
    /// Whether more was said than a probe of this caller says: bytes where they are logged, else connections.
    pub(super) fn talks(&self, from: Host, contact: &super::pairs::Contact) -> bool {
        let refused = contact.answered == 0 && contact.refused > 0;
        if refused {
            return false;
        }
        if contact.bytes > 0 {
            let probe = self.probes.get(&from).copied().unwrap_or(0);
            return contact.bytes >= TALK || (probe > 0 && contact.bytes >= TALK / 3 && contact.bytes >= probe * 4);
        }
        contact.most >= MANY
    }
    pub(super) fn all_taken(&self) -> Vec<Host> {
        (0..self.hosts.len()).filter(|it| self.is_taken(*it)).collect()
    }
}

struct Judge<'a> {
    input: &'a Input<'a>,
    hosts: &'a Hosts,
    clocks: &'a Clocks,
    case: &'a Case,
    pairs: &'a Pairs,
    state: State,
}

/// Rounds in which one host's verdict may change another's: a worm's path is no longer than that.
const ROUNDS: usize = 64;

pub(super) fn judge(input: &Input<'_>, hosts: &Hosts, clocks: &Clocks, case: &Case, pairs: &Pairs) -> State {
    let state = State {
        hosts: vec![Judged::default(); hosts.list.len()],
        prior: input.rules.prior,
        taken: input.rules.taken,
        ports: pairs.ports.clone(),
        swept: pairs.ports.clone(),
        probes: probes(pairs),
    };
    let mut it = Judge { input, hosts, clocks, case, pairs, state };
    it.known_good();
    it.decided();
    it.own_signs();
    it.watched();
    it.ports();
    let order = it.state.all_taken();
    let mut queue: BTreeSet<Host> = order.into_iter().collect();
    for _ in 0..ROUNDS {
        it.sweeps();
        it.sources();
        it.ports();
        queue.extend(it.state.all_taken());
        let before = it.total();
        for host in std::mem::take(&mut queue) {
            it.spread_from(host);
        }
        if it.total() == before {
            break;
        }
    }
    it.quiet();
    it.state
}

impl Judge<'_> {
    fn total(&self) -> usize {
        self.state.hosts.iter().map(|it| it.marks.len()).sum()
    }

    fn mark(&mut self, host: Host, rule: &'static str, more: &str, time: Option<i64>, places: Vec<Ref>) {
        let points = self.input.rules.points(rule);
        let says = self.input.rules.says(rule);
        let text = if more.is_empty() { says.to_owned() } else { format!("{says}: {more}") };
        let acted =
            !matches!(rule, "alerted" | "exploit_was_tried" | "nothing_ran" | "known_good" | "logon_from_taken_host");
        let judged = &mut self.state.hosts[host];
        judged.acted |= acted;
        if acted && let Some(time) = time {
            judged.first = Some(judged.first.map_or(time, |it| it.min(time)));
            let since = time - EARLIER;
            judged.since = Some(judged.since.map_or(since, |it| it.min(since)));
        }
        let mark = judged.marks.entry(rule).or_insert_with(|| Mark { points, text, places: Vec::new(), time });
        mark.time = [mark.time, time].into_iter().flatten().min();
        mark.places.extend(places);
        mark.places.sort_unstable();
        mark.places.dedup();
        mark.places.truncate(6);
    }

    fn known_good(&mut self) {
        for (label, asset) in &self.input.observed.assets {
            let role = asset.role.as_deref().unwrap_or("").to_lowercase();
            let words: Vec<&str> = role.split(|c: char| !c.is_alphanumeric()).collect();
            let fits = |it: &String| words.contains(&it.as_str()) || (!it.is_ascii() && role.contains(it.as_str()));
            if let Some(host) = self.hosts.find(label, None)
                && (self.input.rules.scanner_roles.iter().any(fits) || self.input.rules.admin_roles.iter().any(fits))
            {
                self.state.hosts[host].good = true;
            }
        }
        for label in &self.input.question.known_good {
            if let Some(host) = self.hosts.find(&label.as_str().into(), None) {
                self.state.hosts[host].good = true;
                self.mark(host, "known_good", "", None, Vec::new());
            }
        }
    }

    /// Their word goes before the sum, and what follows from it follows.
    fn decided(&mut self) {
        for (label, verdict) in &self.input.question.decided {
            if let Some(host) = self.hosts.find(&label.as_str().into(), None) {
                self.state.hosts[host].decided = Some(*verdict == Verdict::Compromised);
            }
        }
    }

    /// What a host's own logs and files say.
    fn own_signs(&mut self) {
        let observed = self.input.observed;
        for ((label, path), program) in &observed.programs {
            let why = self.case.bad(path, program);
            let strange = why.is_none()
                && self.input.rules.masquerades(path)
                && !self.input.question.good_paths.contains(&**path);
            if (why.is_none() && !strange) || program.lay {
                continue;
            }
            let Some(host) = self.hosts.find(label, program.seen.first) else { continue };
            let right = |it: i64| self.clocks.right(host, it);
            let (first, last) = (program.seen.first.map(right), program.seen.last.map(right));
            let inside = match (first, last, self.case.window) {
                (Some(first), Some(last), Some((start, end))) => first <= end && last >= start,
                _ => true,
            };
            if !inside {
                continue;
            }
            let rule = match why {
                Some(Why::Named) => "ran_known_bad",
                Some(Why::Same) => "ran_same_program",
                None => "masquerades",
            };
            // A snapshot shows what may have started any time since the one before.
            let since = if program.started { None } else { first };
            self.mark(host, rule, &program.path, first, places(program));
            if let Some(time) = since {
                let start = self.case.window.map_or(time - AROUND, |it| it.0);
                let before = observed.telemetry.get(label).and_then(|it| since_snapshot(&it.snapshot_slots, time));
                let since = before.unwrap_or(start).max(start).min(time);
                let judged = &mut self.state.hosts[host];
                judged.since = Some(judged.since.map_or(since, |it| it.min(since)));
            }
        }
        for (label, target, exploit) in observed.tried.keys() {
            let Some(host) = self.hosts.find(label, None) else { continue };
            let tried = &observed.tried[&(label.clone(), target.clone(), *exploit)];
            let file = tried.file.as_deref().unwrap_or("a log");
            self.mark(host, "left_by_malware", file, tried.seen.first, tried.seen.places().collect());
            if tried.seen.first.is_none()
                && let Some((start, _)) = self.case.window
            {
                // It wrote without times: any of its calls in the window may be the malware's.
                let judged = &mut self.state.hosts[host];
                let since = judged.first.map_or(start, |first| (first - AROUND).max(start));
                judged.since = Some(judged.since.map_or(since, |it| it.min(since)));
            }
        }
        for at in &self.case.gangs {
            let gang = &self.input.gangs[*at];
            let Some(host) = self.hosts.find(&gang.host, gang.first) else { continue };
            let first = gang.first.map(|it| self.clocks.right(host, it));
            if self.case.holds(first) || self.case.holds(gang.last.map(|it| self.clocks.right(host, it))) {
                let id = gang.gang_id.get(..8).unwrap_or(&gang.gang_id).to_owned();
                self.mark(host, "in_gang", &format!("gang {id}"), first, gang.refs.clone());
            }
        }
        for (host, alerts) in &self.case.alerts {
            let inside: Vec<_> = alerts.iter().filter(|it| self.case.holds(it.time)).collect();
            if let Some(first) = inside.first() {
                let time = inside.iter().filter_map(|it| it.time).min();
                let title = first.title.to_string();
                self.mark(*host, "alerted", &title, time, inside.iter().map(|it| it.at).take(3).collect());
            }
        }
    }

    /// Hosts whose processes are logged in most of the window.
    fn watched(&mut self) {
        let Some((start, end)) = self.case.window else { return };
        for (label, telemetry) in &self.input.observed.telemetry {
            let Some(host) = self.hosts.find(label, None) else { continue };
            let ahead = self.clocks.ahead.get(&host).map_or(0, |it| it.0);
            let (from, to) = ((start + ahead).div_euclid(SLOT), (end + ahead).div_euclid(SLOT));
            // The log itself may end before the window does.
            let to = to.min(self.input.observed.last.map_or(to, |it| it.div_euclid(SLOT)));
            let from = from.max(self.input.observed.first.map_or(from, |it| it.div_euclid(SLOT)));
            let all = (to - from + 1).max(1);
            let slots = telemetry.process_slots.range(from..=to).count() as i64;
            let snapshots = telemetry.snapshot_slots.range(from..=to).count() as i64;
            // Snapshots come by the hour; a host at rest starts little.
            let edges = telemetry.process_slots.range(from..=to);
            let (first, last) = (edges.clone().next().copied(), edges.clone().next_back().copied());
            let spans = first.zip(last).is_some_and(|(first, last)| (last - first) * 3 >= all * 2 && slots * 6 >= all);
            self.state.hosts[host].watched |= spans || snapshots * 12 >= all;
        }
    }

    /// Ports of the incident: those its logs name, those it sweeps, those on which taken hosts called others just before
    /// these were taken.
    fn ports(&mut self) {
        let taken = self.state.all_taken();
        let mut found = self.state.ports.clone();
        let mut swept = self.state.swept.clone();
        for from in &taken {
            let mut reach: BTreeMap<u16, usize> = BTreeMap::new();
            for (to, pair) in self.pairs.from(*from) {
                for (port, contact) in &pair.contacts {
                    let since = self.state.hosts[*from].since;
                    if since.zip(contact.seen.last).is_some_and(|(since, last)| last < since)
                        || self.pairs.is_others(*from, contact)
                    {
                        continue;
                    }
                    *reach.entry(*port).or_default() += usize::from(!contact.before);
                    let passed = self.state.hosts[to]
                        .first
                        .is_some_and(|first| contact.last_before(first).is_some_and(|it| first - it <= AROUND));
                    if passed && self.state.is_taken(to) && !contact.before && pair.remote.is_empty() {
                        swept.insert(*port);
                    }
                }
                let services =
                    pair.remote.iter().map(|it| method_port(&it.method)).chain(pair.drops.iter().map(|_| 445));
                found.extend(services);
                for (service, logons) in &pair.logons {
                    if logons.failed >= 3 || (self.state.is_taken(to) && logons.succeeded > 0) {
                        found.extend(
                            self.input.rules.ports.iter().filter(|it| *it.1.service == **service).map(|it| *it.0),
                        );
                    }
                }
            }
            // Who asks for every service is a scanner, taken or not: that tells no port.
            let many: Vec<u16> = reach.into_iter().filter(|it| it.1 >= SWEEP).map(|it| it.0).collect();
            if many.len() < SERVICES {
                swept.extend(many);
            }
        }
        if swept.contains(&445) && self.input.rules.ports.contains_key(&139) {
            swept.insert(139);
        }
        found.extend(&swept);
        (self.state.ports, self.state.swept) = (found, swept);
    }

    /// Calls of a taken host.
    fn spread_from(&mut self, from: Host) {
        let since = self.state.hosts[from].since;
        let shown = self.hosts.list[from].shown.clone();
        let pairs = self.pairs;
        for (to, pair) in pairs.from(from) {
            let after = |time: Option<i64>| since.zip(time).is_none_or(|(since, time)| time >= since);
            if let Some(tried) = &pair.exploit {
                let places: Vec<Ref> = tried.seen.places().collect();
                let time = tried.seen.first.or_else(|| contact_time(pair, &self.state.ports, since));
                self.mark(to, "exploit_was_tried", &format!("by {shown}"), time, places.clone());
                if tried.succeeded && !tried.failed {
                    self.mark(to, "exploit_said_success", &format!("{shown} wrote it"), time, places);
                }
            }
            if let Some(seen) = pair.fetched.as_ref().filter(|it| after(it.first) && !it.refs.is_empty()) {
                self.mark(to, "fetched_from_taken_host", &format!("from {shown}"), seen.first, seen.places().collect());
            }
            if let Some(seen) = pair.back.as_ref().filter(|it| after(it.first)) {
                self.mark(to, "called_back", &shown, seen.first, seen.places().collect());
            }
            for (port, contact) in &pair.contacts {
                let theirs = pairs.is_others(from, contact)
                    || pairs.is_scanners(from, pair)
                    || (contact.before && contact.by_malware.is_empty());
                if !theirs
                    && self.state.swept.contains(port)
                    && after(contact.seen.last)
                    && self.state.talks(from, contact)
                {
                    let time = contact.calls().iter().map(|it| it.0).find(|it| after(Some(*it)));
                    let more = format!("by {shown}, which said more to it on port {port} than a probe says");
                    self.mark(to, "exploit_was_tried", &more, time, contact.seen.places().collect());
                }
            }
            for alert in pair.alerts.iter().filter(|it| after(it.time)) {
                self.mark(to, "exploit_was_tried", &format!("by {shown}, {}", alert.title), alert.time, vec![alert.at]);
            }
            for run in pair.remote.iter().filter(|it| after(it.time)) {
                let time = run.time.map(|it| self.clocks.right(to, it));
                self.mark(
                    to,
                    "run_from_taken_host",
                    &format!("{shown} by {}: {}", run.method, run.what),
                    time,
                    vec![run.at],
                );
            }
            for drop in pair.drops.iter().filter(|it| after(it.time)) {
                self.mark(
                    to,
                    "exploit_was_tried",
                    &format!("{shown} copied {} here", drop.path),
                    drop.time,
                    vec![drop.at],
                );
                self.dropped(to, &drop.path, drop.time);
            }
            for (service, logons) in &pair.logons {
                if logons.succeeded > 0 && after(logons.first_success) {
                    let rule = if logons.failed >= 3 { "attacked_then_logged_on" } else { "logon_from_taken_host" };
                    self.mark(
                        to,
                        rule,
                        &format!("{shown} by {service}"),
                        logons.first_success,
                        logons.seen.places().collect(),
                    );
                } else if logons.failed >= 3 && after(logons.seen.last) {
                    self.mark(
                        to,
                        "exploit_was_tried",
                        &format!("{shown} guessed passwords of {service}"),
                        logons.seen.first,
                        logons.seen.places().collect(),
                    );
                }
            }
        }
    }

    /// A program that was copied here ran.
    fn dropped(&mut self, host: Host, path: &str, time: Option<i64>) {
        let Some(known) = self.hosts.list.get(host) else { return };
        let labels: Vec<_> = known.names.iter().chain(&known.addresses).cloned().collect();
        for label in labels {
            let Some(program) = self.input.observed.programs.get(&(label, path.into())) else { continue };
            let ran = program.seen.last.zip(time).is_none_or(|(last, dropped)| last >= dropped);
            if ran && !program.lay {
                let first = program.seen.first.map(|it| self.clocks.right(host, it));
                self.mark(host, "dropped_then_ran", path, first, places(program));
            }
        }
    }

    /// Hosts that sweep the incident's ports.
    fn sweeps(&mut self) {
        let taken: BTreeSet<Host> = self.state.all_taken().into_iter().collect();
        if taken.is_empty() {
            return;
        }
        let earliest = taken.iter().filter_map(|it| self.state.hosts[*it].since).min();
        let mut called: BTreeMap<Host, i64> = BTreeMap::new();
        for from in &taken {
            let since = self.state.hosts[*from].since;
            let pairs = self.pairs;
            for (to, pair) in pairs.from(*from) {
                for (port, contact) in pair.contacts.iter().filter(|it| !pairs.is_others(*from, it.1)) {
                    let time = contact.calls().iter().map(|it| it.0.max(since.unwrap_or(it.0))).min();
                    let after = since.zip(contact.seen.last).is_none_or(|(since, last)| last >= since);
                    if let Some(time) = time.filter(|_| {
                        after
                            && self.state.ports.contains(port)
                            && contact.refused <= contact.answered.max(contact.seen.count / 2)
                    }) {
                        let known = called.entry(to).or_insert(time);
                        *known = (*known).min(time);
                    }
                }
            }
        }
        let mut sources: Vec<Host> = self.pairs.all.keys().map(|it| it.0).collect();
        sources.dedup();
        for host in sources {
            if taken.contains(&host) || self.state.hosts[host].good || !is_inner(self.hosts, host) {
                continue;
            }
            let mut fresh: BTreeMap<u16, Vec<(i64, Vec<Ref>)>> = BTreeMap::new();
            let mut usual: BTreeMap<u16, usize> = BTreeMap::new();
            for (_, pair) in self.pairs.from(host) {
                for (port, contact) in &pair.contacts {
                    match contact.seen.first {
                        Some(first) if !contact.before => {
                            fresh.entry(*port).or_default().push((first, contact.seen.places().take(1).collect()));
                        }
                        _ => *usual.entry(*port).or_default() += 1,
                    }
                }
            }
            // A scanner asks for every service, and asked before.
            let many = fresh.iter().filter(|it| it.1.len() >= SWEEP).count();
            if many >= SERVICES {
                continue;
            }
            let ports = self.state.ports.clone();
            for (port, mut targets) in fresh.into_iter().filter(|it| ports.contains(&it.0)) {
                targets.sort();
                let start = called.get(&host).copied();
                let after = targets.iter().filter(|it| start.is_some_and(|start| it.0 >= start)).count();
                let places: Vec<Ref> = targets.iter().flat_map(|it| it.1.iter().copied()).take(3).collect();
                let was_usual = usual.get(&port).copied().unwrap_or(0);
                // What it called before anybody called it is no worm's.
                let own = targets.len() - after;
                if after >= SWEEP && after > was_usual * 2 && own * 4 <= after {
                    let first = targets.iter().find(|it| start.is_some_and(|start| it.0 >= start)).map(|it| it.0);
                    self.mark(host, "spreads_after_contact", &format!("{after} hosts on port {port}"), first, places);
                } else if targets.len() >= SWEEP
                    && targets.len() > was_usual * 3
                    && earliest.is_none_or(|it| targets[0].0 >= it - AROUND)
                {
                    self.mark(
                        host,
                        "spreads",
                        &format!("{} hosts on port {port}", targets.len()),
                        Some(targets[0].0),
                        places,
                    );
                }
            }
        }
    }

    /// What callers do shows them too: what they made others run, with what program they called.
    fn sources(&mut self) {
        let pairs = self.pairs;
        for ((from, to), pair) in &pairs.all {
            if self.state.hosts[*from].good || !is_inner(self.hosts, *from) {
                continue;
            }
            let target = self.hosts.list[*to].shown.clone();
            for run in &pair.remote {
                let bad = run.path.as_ref().is_some_and(|it| self.case.paths.contains_key(it));
                if bad || self.case.from_remote_runs {
                    let more = format!("{} on {target} by {}", run.what, run.method);
                    self.mark(*from, "made_others_run", &more, run.time, vec![run.at]);
                }
            }
            for drop in &pair.drops {
                if self.case.paths.contains_key(&drop.path) || self.case.from_remote_runs {
                    self.mark(
                        *from,
                        "made_others_run",
                        &format!("{} was copied to {target}", drop.path),
                        drop.time,
                        vec![drop.at],
                    );
                }
            }
            for (port, contact) in &pair.contacts {
                if let Some(program) = &contact.program
                    && self.input.rules.ports.contains_key(port)
                    && (self.case.from_remote_runs || self.case.paths.contains_key(program))
                {
                    self.mark(
                        *from,
                        "strange_program_calls_out",
                        program,
                        contact.calls().first().map(|it| it.0),
                        contact.seen.places().collect(),
                    );
                }
            }
        }
        self.passed_on();
        self.servers();
    }

    /// Servers outside that taken hosts called once they were taken, and hardly anybody else: who else calls them?
    fn servers(&mut self) {
        let observed = self.input.observed;
        for ((_, address, port), server) in &observed.servers {
            if server.popular || server.callers.len() < SHARED {
                continue;
            }
            let mut callers: BTreeMap<Host, (i64, Vec<Ref>)> = BTreeMap::new();
            for ((label, own), seen) in &server.callers {
                let (Some(first), Some(host)) = (seen.first, self.hosts.find(label, seen.first)) else { continue };
                let first = if *own { self.clocks.right(host, first) } else { first };
                let known = callers.entry(host).or_insert_with(|| (first, seen.places().collect()));
                known.0 = known.0.min(first);
            }
            let inside = |time: i64| self.case.holds(Some(time));
            let taken = |host: Host, time: i64| {
                let judged = &self.state.hosts[host];
                self.state.is_taken(host)
                    && !judged.marks.keys().all(|it| matches!(*it, "calls_incident_server" | "alerted"))
                    && judged.first.is_none_or(|first| time >= first - EARLIER)
            };
            let n_taken = callers.iter().filter(|(host, it)| inside(it.0) && taken(**host, it.0)).count();
            if n_taken < SHARED {
                continue;
            }
            let mut new: Vec<(Host, i64, Vec<Ref>)> = Vec::new();
            let mut others = 0;
            for (host, (time, places)) in callers {
                if self.state.hosts[host].good || !inside(time) || !is_inner(self.hosts, host) {
                    others += 1;
                } else if !self.state.hosts[host].marks.contains_key("calls_incident_server") {
                    let known = taken(host, time);
                    // Nobody is known to have called it before: it counts only where most are known to be taken.
                    others += usize::from(!known);
                    // Who was not seen attacked has to share it with more: two hosts may call one vendor by chance.
                    if known || n_taken > SHARED || self.state.hosts[host].marks.contains_key("exploit_was_tried") {
                        new.push((host, time, places));
                    }
                }
            }
            if others > n_taken * 2 {
                continue;
            }
            for (host, time, places) in new {
                self.mark(host, "calls_incident_server", &format!("{address}:{port}"), Some(time), places);
            }
        }
    }

    /// Who alone had called at least two hosts just before they were taken, and whose processes nobody logs.
    fn passed_on(&mut self) {
        let mut callers: BTreeMap<Host, Vec<Host>> = BTreeMap::new();
        let mut into: BTreeMap<Host, Vec<Host>> = BTreeMap::new();
        for (from, to) in self.pairs.all.keys() {
            into.entry(*to).or_default().push(*from);
        }
        for victim in self.state.all_taken() {
            let Some(first) = self.state.hosts[victim].first else { continue };
            let near = |from: &&Host| {
                let pair = &self.pairs.all[&(**from, victim)];
                pair.contacts.iter().any(|(port, contact)| {
                    self.state.ports.contains(port)
                        && !contact.before
                        && contact.last_before(first).is_some_and(|it| first - it <= EARLIER)
                })
            };
            let called: Vec<Host> = into.get(&victim).into_iter().flatten().filter(near).copied().collect();
            if let [only] = called.as_slice()
                && !self.state.is_taken(*only)
            {
                callers.entry(*only).or_default().push(victim);
            }
        }
        for (caller, victims) in callers {
            let judged = &self.state.hosts[caller];
            if victims.len() < 2 || judged.good || judged.watched || !is_inner(self.hosts, caller) {
                continue;
            }
            let first = victims
                .iter()
                .filter_map(|it| self.pairs.all[&(caller, *it)].contacts.values().filter_map(|it| it.seen.first).min())
                .min();
            let places: Vec<Ref> = victims
                .iter()
                .flat_map(|it| super::pairs::places(&self.pairs.all[&(caller, *it)], &self.state.ports))
                .take(4)
                .collect();
            let names: Vec<String> = victims.iter().take(5).map(|it| self.hosts.list[*it].shown.to_string()).collect();
            self.mark(caller, "passed_it_on", &names.join(", "), first, places);
        }
    }

    /// A host that is watched and where nothing of it ran.
    fn quiet(&mut self) {
        const RAN: [&str; 8] = [
            "ran_known_bad",
            "ran_same_program",
            "masquerades",
            "in_gang",
            "run_from_taken_host",
            "dropped_then_ran",
            "strange_program_calls_out",
            "fetched_from_taken_host",
        ];
        for host in 0..self.state.hosts.len() {
            let judged = &self.state.hosts[host];
            if judged.watched && !judged.marks.is_empty() && !RAN.iter().any(|it| judged.marks.contains_key(it)) {
                self.mark(host, "nothing_ran", "", None, Vec::new());
            }
        }
    }
}

/// The small calls of those that call many: the lowest tenth of what they say.
fn probes(pairs: &Pairs) -> BTreeMap<Host, u64> {
    let mut all: BTreeMap<Host, Vec<u64>> = BTreeMap::new();
    for ((from, _), pair) in &pairs.all {
        all.entry(*from).or_default().extend(pair.contacts.values().map(|it| it.bytes).filter(|it| *it > 0));
    }
    let low = |mut it: Vec<u64>| {
        it.sort_unstable();
        it.get(it.len() / 10).copied()
    };
    all.into_iter().filter(|it| it.1.len() >= SWEEP).filter_map(|(host, it)| Some((host, low(it)?))).collect()
}

fn contact_time(pair: &Pair, ports: &BTreeSet<u16>, since: Option<i64>) -> Option<i64> {
    let spans = pair.contacts.iter().filter(|it| ports.contains(it.0)).flat_map(|it| &it.1.spans);
    spans.filter(|it| since.is_none_or(|since| it.1 >= since)).map(|it| it.0).min()
}

pub(super) fn method_port(method: &str) -> u16 {
    match method {
        "winrm_exec" => 5985,
        "wmi_exec" | "remote_scheduled_task" => 135,
        _ => 445,
    }
}

/// Of one's own network: a name, or a private address.
pub(super) fn is_inner(hosts: &Hosts, host: Host) -> bool {
    let known = &hosts.list[host];
    !known.names.is_empty()
        || known.addresses.iter().filter_map(|it| address(it)).any(|it| super::observe::is_internal(&it))
}
