//! observations → what was seen between two hosts, within the window, by ports that malware spreads over.
//! Deliberately absent: which of the two is bad.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::findings::Text;

use super::Input;
use super::clock::Clocks;
use super::identity::{Host, Hosts};
use super::observe::{Alert, Logons, Ref, Seen, Tried};
use super::remote::{Drop, RemoteRun};
use super::seeds::Case;

/// So many services of one host, and so many such hosts, are what a scanner asks for.
const SERVICES: usize = 4;
/// Spans of contact kept for one pair and port.
const SPANS: usize = 64;
/// What a call made another host run starts within this time of it.
const PROMPT: i64 = 60 * 1_000_000;
/// And what it has to fetch for it, within this.
const BACK: i64 = 3 * 60 * 1_000_000;

#[derive(Debug, Clone, Default)]
pub(super) struct Contact {
    pub seen: Seen,
    pub answered: u64,
    pub refused: u64,
    /// Ten-minute spans, clocks put right, earliest first.
    pub spans: Vec<(i64, i64)>,
    /// Also before the window: it is what these two always do.
    pub before: bool,
    /// A program of no system folder at the calling end.
    pub program: Option<Text>,
    /// Spans in which the malware's program was at the calling end.
    pub by_malware: Vec<(i64, i64)>,
    /// Bytes of the largest connection, and most connections of ten minutes that one reporter saw.
    pub bytes: u64,
    pub most: u64,
}

impl Contact {
    /// Those that are the malware's, where that is told, else all.
    pub(super) fn calls(&self) -> &[(i64, i64)] {
        if self.by_malware.is_empty() { &self.spans } else { &self.by_malware }
    }

    /// The last time that they spoke at or before a time.
    pub(super) fn last_before(&self, time: i64) -> Option<i64> {
        self.calls().iter().rev().find(|it| it.0 <= time).map(|it| it.1.min(time))
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Pair {
    pub contacts: BTreeMap<u16, Contact>,
    /// The caller's own scan log names the other.
    pub scan: Option<Tried>,
    /// And its exploit log.
    pub exploit: Option<Tried>,
    pub remote: Vec<RemoteRun>,
    pub drops: Vec<Drop>,
    /// By service.
    pub logons: BTreeMap<Text, Logons>,
    /// Network alerts of an exploit.
    pub alerts: Vec<Alert>,
    /// A command of the called one fetched something from the caller.
    pub fetched: Option<Seen>,
    /// The called one called back, on a port that is no service that others use too.
    pub back: Option<Seen>,
}

impl Pair {
    fn is_empty(&self) -> bool {
        self.contacts.is_empty()
            && self.scan.is_none()
            && self.exploit.is_none()
            && self.remote.is_empty()
            && self.drops.is_empty()
            && self.logons.is_empty()
            && self.alerts.is_empty()
            && self.fetched.is_none()
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Pairs {
    pub all: BTreeMap<(Host, Host), Pair>,
    /// Ports of this incident.
    pub ports: BTreeSet<u16>,
    /// Hosts whose log tells which of their calls are the malware's.
    pub attributed: BTreeSet<Host>,
    /// Hosts that asked many others for many services, in the hours before the window or throughout.
    pub scanners: BTreeSet<Host>,
    /// Remote runs whose caller is not known.
    pub unexplained: Vec<(Host, RemoteRun)>,
}

impl Pairs {
    /// Whether a host's call is somebody else's than the malware's, as its own log tells.
    pub(super) fn is_others(&self, from: Host, contact: &Contact) -> bool {
        contact.by_malware.is_empty() && contact.program.is_some() && self.attributed.contains(&from)
    }

    /// A scanner asks for every service, taken or not: where it asked one host for many, that is its work.
    pub(super) fn is_scanners(&self, from: Host, pair: &Pair) -> bool {
        pair.contacts.len() >= SERVICES
            && self.scanners.contains(&from)
            && pair.contacts.values().all(|it| it.by_malware.is_empty())
    }

    pub(super) fn from(&self, host: Host) -> impl Iterator<Item = (Host, &Pair)> {
        self.all.range((host, 0)..=(host, Host::MAX)).map(|(key, it)| (key.1, it))
    }
}

pub(super) fn lay(input: &Input<'_>, hosts: &mut Hosts, clocks: &Clocks, case: &Case) -> Pairs {
    let mut pairs = Pairs::default();
    let mut told: BTreeSet<u16> = BTreeSet::new();
    for ((label, target, exploit), tried) in &input.observed.tried {
        let (from, to) = (hosts.at(label, tried.seen.first), hosts.at(target, tried.seen.first));
        if from == to {
            continue;
        }
        told.extend(&tried.ports);
        let pair = pairs.all.entry((from, to)).or_default();
        let slot = if *exploit { &mut pair.exploit } else { &mut pair.scan };
        *slot = Some(tried.clone());
    }
    // Logs of SMB worms seldom write the port that they are all about.
    if told.is_empty() && !input.observed.tried.is_empty() {
        told.insert(445);
    }
    for (key, flow) in &input.observed.flows {
        if !input.rules.ports.contains_key(&key.port) && !told.contains(&key.port) {
            continue;
        }
        let reporter = if key.reporter.is_empty() { None } else { hosts.find(&key.reporter, flow.seen.first) };
        let right = |it: Option<i64>| it.map(|it| reporter.map_or(it, |host| clocks.right(host, it)));
        let (first, last) = (right(flow.seen.first), right(flow.seen.last));
        let (from, to) = (hosts.at(&key.src, first), hosts.at(&key.dst, first));
        if from == to {
            continue;
        }
        let inside = case.holds(first) || case.holds(last);
        let before = case.window.zip(first).is_some_and(|((start, _), first)| first < start);
        if !inside && !before {
            continue;
        }
        let contact = pairs.all.entry((from, to)).or_default().contacts.entry(key.port).or_default();
        contact.before |= before;
        if !inside {
            continue;
        }
        let mut seen = flow.seen.clone();
        (seen.first, seen.last) = (first, last);
        contact.seen.merge(seen);
        contact.answered += flow.answered;
        contact.refused += flow.refused;
        contact.bytes = contact.bytes.max(flow.bytes);
        contact.most = contact.most.max(flow.seen.count);
        contact.program = [contact.program.take(), key.program.clone()].into_iter().flatten().min();
        let Some(span) = first.zip(last) else { continue };
        let malware = key.program.as_ref().is_some_and(|it| case.paths.contains_key(it));
        if malware {
            pairs.attributed.insert(from);
        }
        for spans in [Some(&mut contact.spans), Some(&mut contact.by_malware).filter(|_| malware)].into_iter().flatten()
        {
            if spans.len() < SPANS {
                let at = spans.partition_point(|it| *it < span);
                spans.insert(at, span);
            }
        }
    }
    for ((label, src, service, _), logons) in &input.observed.logons {
        if !case.holds(logons.seen.first) {
            continue;
        }
        let (from, to) = (hosts.at(src, logons.seen.first), hosts.at(label, logons.seen.first));
        if from != to {
            let known = pairs.all.entry((from, to)).or_default().logons.entry(service.clone()).or_default();
            known.seen.merge(logons.seen.clone());
            known.succeeded += logons.succeeded;
            known.failed += logons.failed;
            known.by_key |= logons.by_key;
            known.first_success = [known.first_success, logons.first_success].into_iter().flatten().min();
            known.users.extend(logons.users.iter().cloned());
        }
    }
    for run in input.observed.remote.iter().filter(|it| case.holds(it.time)) {
        let to = hosts.at(&run.host, run.time);
        let mut run = run.clone();
        let caller = match &run.src {
            Some(src) => Some(hosts.at(src, run.time)),
            None => caller_of(input, &pairs, to, &run),
        };
        match caller {
            Some(from) if from != to => {
                let pair = pairs.all.entry((from, to)).or_default();
                // WinRM can have WMI's worker run things: the port tells.
                let winrm =
                    pair.contacts.keys().any(|it| matches!(it, 5985 | 5986)) && !pair.contacts.contains_key(&135);
                if winrm && &*run.method == "wmi_exec" {
                    run.method = "winrm_exec".into();
                }
                pair.remote.push(run);
            }
            Some(_) => {}
            None => pairs.unexplained.push((to, run)),
        }
    }
    for it in input.observed.drops.iter().filter(|it| case.holds(it.time)) {
        let (from, to) = (hosts.at(&it.src, it.time), hosts.at(&it.host, it.time));
        if from != to {
            pairs.all.entry((from, to)).or_default().drops.push(it.clone());
        }
    }
    for ((label, source), seen) in &input.observed.fetches {
        let (from, to) = (hosts.at(source, seen.first), hosts.at(label, seen.first));
        let first = seen.first.map(|it| clocks.right(to, it));
        if from != to && case.holds(first) {
            let mut seen = seen.clone();
            (seen.first, seen.last) = (first, seen.last.map(|it| clocks.right(to, it)));
            pairs.all.entry((from, to)).or_default().fetched.get_or_insert_default().merge(seen);
        }
    }
    for alert in input.observed.alerts.iter().filter(|it| case.holds(it.time) && is_exploit(it)) {
        let (Some(src), Some(dst)) = (&alert.src, &alert.dst) else { continue };
        let (from, to) = (hosts.at(src, alert.time), hosts.at(dst, alert.time));
        if from != to {
            pairs.all.entry((from, to)).or_default().alerts.push(alert.clone());
        }
    }
    pairs.all.retain(|_, it| {
        it.contacts.retain(|_, contact| contact.seen.count > 0);
        !it.is_empty()
    });
    let mut asked: BTreeMap<Host, usize> = BTreeMap::new();
    for ((from, _), _) in pairs.all.iter().filter(|it| it.1.contacts.len() >= SERVICES) {
        *asked.entry(*from).or_default() += 1;
    }
    pairs.scanners = asked.into_iter().filter(|it| it.1 >= SERVICES).map(|it| it.0).collect();
    called_back(input, hosts, clocks, case, &mut pairs);
    pairs.ports = told;
    pairs
}

/// Who was called, and right after calls the caller on a port that hardly anybody else calls: it fetches something.
fn called_back(input: &Input<'_>, hosts: &mut Hosts, clocks: &Clocks, case: &Case, pairs: &mut Pairs) {
    // (server, port) → caller → when
    let mut services: BTreeMap<(Host, u16), BTreeMap<Host, Seen>> = BTreeMap::new();
    for (key, flow) in &input.observed.flows {
        if input.rules.ports.contains_key(&key.port) || (flow.answered == 0 && flow.refused > 0) {
            continue;
        }
        let reporter = if key.reporter.is_empty() { None } else { hosts.find(&key.reporter, flow.seen.first) };
        let right = |it: Option<i64>| it.map(|it| reporter.map_or(it, |host| clocks.right(host, it)));
        let (Some(from), Some(to)) = (hosts.find(&key.src, flow.seen.first), hosts.find(&key.dst, flow.seen.first))
        else {
            continue;
        };
        if from != to {
            let mut seen = flow.seen.clone();
            (seen.first, seen.last) = (right(seen.first), right(seen.last));
            services.entry((to, key.port)).or_default().entry(from).or_default().merge(seen);
        }
    }
    for ((server, _), callers) in services {
        // Called before it called back, within the time that fetching takes.
        let answers = |host: Host, seen: &Seen| {
            let first = seen.first.filter(|it| case.holds(Some(*it)))?;
            let called =
                pairs.all.get(&(server, host))?.contacts.values().filter_map(|it| it.last_before(first)).max()?;
            (first - called <= BACK).then_some(())
        };
        let back: Vec<Host> = callers.iter().filter(|it| answers(*it.0, it.1).is_some()).map(|it| *it.0).collect();
        if back.is_empty() || (callers.len() - back.len()) * 2 > back.len() {
            continue;
        }
        for host in back {
            if let (Some(pair), Some(seen)) = (pairs.all.get_mut(&(server, host)), callers.get(&host)) {
                pair.back.get_or_insert_default().merge(seen.clone());
            }
        }
    }
}

/// The one host that called, on the method's ports, just before something ran.
fn caller_of(input: &Input<'_>, pairs: &Pairs, to: Host, run: &RemoteRun) -> Option<Host> {
    let time = run.time?;
    let fits = |port: &u16| {
        let winrm = matches!(port, 5985 | 5986);
        match &*run.method {
            "winrm_exec" => winrm,
            // `WSMan.Automation` runs things through WMI's worker.
            "wmi_exec" => winrm || *port == 135,
            _ => matches!(port, 445 | 135 | 139),
        }
    };
    let mut callers: Vec<(i64, Host)> = Vec::new();
    for ((from, _), pair) in pairs.all.iter().filter(|((_, it), _)| *it == to) {
        let near = pair.contacts.iter().filter(|it| fits(it.0) && input.rules.ports.contains_key(it.0));
        let near = near.flat_map(|it| &it.1.spans).filter(|it| it.0 - PROMPT <= time && time <= it.1 + PROMPT * 2);
        callers.extend(near.map(|it| ((time - it.1).abs().min((time - it.0).abs()), *from)).min());
    }
    callers.sort_unstable();
    match callers.as_slice() {
        [(_, only)] => Some(*only),
        // Two called: the nearer one, where it is much nearer.
        [(near, first), (far, _), ..] if far - near > PROMPT / 2 => Some(*first),
        _ => None,
    }
}

/// A network alert of an attack, as its words say.
pub(super) fn is_exploit(alert: &Alert) -> bool {
    let low = alert.title.to_lowercase();
    alert.cve.is_some()
        || alert.role.as_deref() == Some("exploit")
        || [
            "exploit",
            "eternalblue",
            "ms17-010",
            "ms17",
            "cve-",
            "doublepulsar",
            "attempted-admin",
            "brute",
            "rce",
            "injection",
            "overflow",
            "漏洞",
            "攻击",
            "爆破",
        ]
        .iter()
        .any(|it| low.contains(it))
}

/// The places of everything between two hosts, one of each kind first.
pub(super) fn places(pair: &Pair, ports: &BTreeSet<u16>) -> Vec<Ref> {
    let mut all: Vec<Ref> = Vec::new();
    all.extend(pair.exploit.iter().flat_map(|it| it.seen.places()));
    all.extend(pair.remote.iter().take(3).map(|it| it.at));
    all.extend(pair.fetched.iter().chain(&pair.back).flat_map(|it| it.places().take(2)));
    all.extend(pair.drops.iter().take(3).map(|it| it.at));
    all.extend(pair.scan.iter().flat_map(|it| it.seen.places()));
    all.extend(pair.alerts.iter().take(3).map(|it| it.at));
    all.extend(pair.logons.values().flat_map(|it| it.seen.places()));
    all.extend(
        pair.contacts.iter().filter(|it| ports.contains(it.0) || ports.is_empty()).flat_map(|it| it.1.seen.places()),
    );
    all.truncate(12);
    all
}
