//! taken hosts and who took them → who was first, and how the malware got in there.
//!
//! Candidates are hosts that no other took, weighed by how early they were taken and by how much hangs from them.
//! The way in is looked for among web attacks, logons, exploit alerts, the main job's methods, and calls from outside,
//! before the first sign. Where the logs hold none, `entry` is null and `look_at` says what is missing.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::findings::{EdgeClass, PatientZero, Permille, Text, WayIn};

use super::clock::Clocks;
use super::edges::{Edge, says_eternalblue};
use super::identity::{Host, Hosts};
use super::observe::{Ref, SLOT, address, is_internal};
use super::pairs::is_exploit;
use super::seeds::Case;
use super::verdict::State;
use super::{Input, moment};

/// A way in is looked for this long before the first sign.
const BEFORE: i64 = 24 * 3600 * 1_000_000;
const AFTER: i64 = 10 * 60 * 1_000_000;
/// A bare call from outside counts only this close to the first sign.
const CLOSE: i64 = 3600 * 1_000_000;
/// Candidates that are shown.
const SHOWN: usize = 5;

pub(super) struct Origin {
    pub zero: Vec<PatientZero>,
    pub hosts: Vec<Host>,
    /// The way in of the first, for the picture: (source, host, method, confidence, time, places).
    pub entry: Option<Entry>,
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub source: Option<Text>,
    pub to: Host,
    pub method: Text,
    pub confidence: Permille,
    pub time: Option<i64>,
    pub places: Vec<Ref>,
    pub says: String,
}

pub(super) fn find(
    input: &Input<'_>,
    hosts: &Hosts,
    clocks: &Clocks,
    case: &Case,
    state: &State,
    edges: &[Edge],
) -> Origin {
    let mut taker: BTreeMap<Host, Host> = BTreeMap::new();
    let mut takes: BTreeMap<Host, Vec<Host>> = BTreeMap::new();
    for edge in edges.iter().filter(|it| it.class == EdgeClass::Compromised) {
        taker.insert(edge.to, edge.from);
        takes.entry(edge.from).or_default().push(edge.to);
    }
    let taken = state.all_taken();
    let earliest = taken.iter().filter_map(|it| state.hosts[*it].first).min();
    let mut weighed: Vec<(u64, Host)> = taken
        .iter()
        .map(|host| {
            let below = 1 + below(*host, &takes) as u64;
            let first = state.hosts[*host].first;
            let late = first.zip(earliest).map_or(600_000_000, |(first, earliest)| first - earliest);
            // Half as likely for each quarter of an hour that it came later.
            let halves = u32::try_from(late / 900_000_000).unwrap_or(20).min(20);
            let root = if taker.contains_key(host) { 1 } else { 40 };
            (((below * root) << 20) >> halves, *host)
        })
        .collect();
    weighed.sort_by_key(|it| {
        (
            std::cmp::Reverse(it.0),
            state.hosts[it.1].first.is_none(),
            state.hosts[it.1].first,
            hosts.list[it.1].shown.clone(),
        )
    });
    let total: u64 = weighed.iter().map(|it| it.0).sum();
    let taken: BTreeSet<Host> = taken.into_iter().collect();
    let mut zero = Vec::new();
    let mut first_entry = None;
    let mut found = Vec::new();
    for (at, (weight, host)) in weighed.iter().take(SHOWN).enumerate() {
        let likelihood = Permille::ratio(*weight, total.max(1));
        if at > 0 && likelihood.thousandths() < 10 {
            break;
        }
        // Who was taken from inside got in from there.
        let entry = if taker.contains_key(host) { None } else { way_in(input, hosts, clocks, state, &taken, *host) };
        let look_at = if entry.is_some() || taker.contains_key(host) {
            Vec::new()
        } else {
            look_at(input, hosts, case, state, *host)
        };
        zero.push(PatientZero {
            host: hosts.list[*host].shown.clone(),
            likelihood: Permille::new(likelihood.thousandths().min(990)),
            entry: entry.as_ref().map(|it| WayIn {
                method: it.method.clone(),
                source: it.source.clone(),
                confidence: it.confidence,
            }),
            look_at,
        });
        found.push(*host);
        if at == 0 {
            first_entry = entry;
        }
    }
    Origin { zero, hosts: found, entry: first_entry }
}

fn below(host: Host, takes: &BTreeMap<Host, Vec<Host>>) -> usize {
    let mut seen = BTreeSet::from([host]);
    let mut open = vec![host];
    while let Some(host) = open.pop() {
        open.extend(takes.get(&host).into_iter().flatten().filter(|it| seen.insert(**it)));
    }
    seen.len() - 1
}

fn way_in(
    input: &Input<'_>,
    hosts: &Hosts,
    clocks: &Clocks,
    state: &State,
    taken: &BTreeSet<Host>,
    host: Host,
) -> Option<Entry> {
    let observed = input.observed;
    let first = state.hosts[host].first;
    let fits = |time: Option<i64>| {
        first.zip(time).is_none_or(|(first, time)| (first - BEFORE..=first + AFTER).contains(&time))
    };
    let from_taken = |src: &Text, time| hosts.find(src, time).is_some_and(|it| taken.contains(&it));
    let mut found: Vec<(u16, Entry)> = Vec::new();
    let mut add =
        |confidence: u16, source: Option<Text>, method: &str, time: Option<i64>, places: Vec<Ref>, says: String| {
            let confidence = confidence.min(990);
            found.push((
                confidence,
                Entry {
                    source,
                    to: host,
                    method: method.into(),
                    confidence: Permille::new(confidence),
                    time,
                    places,
                    says,
                },
            ));
        };
    for attack in &observed.http {
        if fits(attack.time)
            && hosts.find(&attack.host, attack.time) == Some(host)
            && attack.src.as_ref().is_none_or(|it| !from_taken(it, attack.time))
        {
            let source = attack.src.clone();
            add(
                attack.confidence.min(900),
                source,
                &attack.method,
                attack.time,
                vec![attack.at],
                "a web request carried the attack".to_owned(),
            );
        }
    }
    for at in 0..input.gangs.len() {
        let gang = &input.gangs[at];
        if let Some(method) = &gang.method
            && hosts.find(&gang.host, gang.first) == Some(host)
            && fits(gang.first.map(|it| clocks.right(host, it)))
            && !is_lateral(method)
        {
            let same =
                observed.http.iter().find(|it| it.method == *method && hosts.find(&it.host, it.time) == Some(host));
            // From outside or after guesses, and the last before the first sign: an administrator's key is no way in.
            let logons = observed.logons.iter().filter(|((label, src, service, _), it)| {
                hosts.find(label, None) == Some(host)
                    && it.succeeded > 0
                    && method.starts_with(&**service)
                    && fits(it.first_success)
                    && (it.failed >= 3 || address(src).is_some_and(|it| !is_internal(&it)))
            });
            let logon = logons.max_by_key(|it| (it.1.failed >= 3, it.1.first_success));
            let source = same
                .and_then(|it| it.src.clone())
                .or_else(|| logon.map(|it| it.0.1.clone()))
                .or_else(|| caller(input, hosts, taken, host, method, gang.first));
            // A guessed password shows in logons: where they are logged and none fits, it was none.
            if same.is_none() && logon.is_none() && method.ends_with("_password_guess") {
                let logged = observed.logons.keys().any(|it| hosts.find(&it.0, None) == Some(host));
                if logged || gang.confidence < 600 {
                    continue;
                }
            }
            let places = same.map(|it| vec![it.at]).unwrap_or_else(|| gang.refs.clone());
            add(
                gang.confidence.max(500),
                source,
                method,
                gang.first,
                places,
                "the process graph shows the way in".to_owned(),
            );
        }
    }
    for alert in observed.alerts.iter().filter(|it| fits(it.time) && is_exploit(it)) {
        let to = alert
            .dst
            .as_ref()
            .and_then(|it| hosts.find(it, alert.time))
            .or_else(|| alert.host.as_ref().and_then(|it| hosts.find(it, alert.time)));
        if to != Some(host)
            || alert
                .src
                .as_ref()
                .is_none_or(|it| from_taken(it, alert.time) || hosts.find(it, alert.time) == Some(host))
        {
            continue;
        }
        let method = method_of_alert(alert);
        add(
            if method == "unknown" { 450 } else { 800 },
            alert.src.clone(),
            method,
            alert.time,
            vec![alert.at],
            format!("an alert: {}", alert.title),
        );
    }
    let mut tries: BTreeMap<(&Text, &Text), Tries> = BTreeMap::new();
    for ((label, src, service, _), logons) in &observed.logons {
        if hosts.find(label, logons.seen.first) == Some(host)
            && fits(logons.seen.first)
            && !from_taken(src, logons.seen.first)
        {
            let sum = tries.entry((src, service)).or_default();
            sum.0 += logons.failed;
            sum.1 += logons.succeeded;
            sum.2 = [sum.2, logons.first_success].into_iter().flatten().min();
            sum.3 |= logons.by_key;
            sum.4.extend(logons.seen.places());
        }
    }
    for ((src, service), (failed, succeeded, success, by_key, places)) in tries {
        let outside = address(src).is_some_and(|it| !is_internal(&it));
        if succeeded == 0 || (failed < 5 && !outside) {
            continue;
        }
        let method = match (&**service, failed >= 3) {
            ("ssh", false) if by_key => "ssh_stolen_key",
            ("ssh", _) => "ssh_password_guess",
            ("rdp", _) => "rdp_password_guess",
            ("smb", _) => "smb_password_guess",
            ("telnet", _) => "telnet_password_guess",
            ("mssql", _) => "mssql_xp_cmdshell",
            _ => "unknown",
        };
        let confidence = if failed >= 5 { 850 } else { 550 } + if outside { 50 } else { 0 };
        add(
            confidence,
            Some(src.clone()),
            method,
            success,
            places.into_iter().take(6).collect(),
            format!("{failed} failed logons by {service}, then one that succeeded"),
        );
    }
    // Guessed from outside without a record of success, just before.
    for (src, port, time, answered, places) in outside_calls(input, hosts, taken, host) {
        let Some(rule) = input.rules.ports.get(&port) else { continue };
        let close = first.is_none_or(|it| (it - CLOSE..=it + AFTER / 10).contains(&time));
        if !close || !answered {
            continue;
        }
        let exploits = observed.tried.keys().any(|it| it.2);
        let same = state.ports.contains(&port);
        let method = if matches!(port, 445 | 139) && exploits { "eternalblue" } else { rule.method.as_str() };
        add(
            if same { 600 } else { 350 },
            Some(src),
            method,
            Some(time),
            places,
            format!("a call from outside to port {port}, just before the first sign"),
        );
    }
    found.sort_by(|a, b| {
        (std::cmp::Reverse(a.0), a.1.time, &a.1.source).cmp(&(std::cmp::Reverse(b.0), b.1.time, &b.1.source))
    });
    found.into_iter().map(|it| it.1).find(|it| it.confidence.thousandths() >= 500)
}

/// Failed, succeeded, first success, by a key, places.
type Tries = (u64, u64, Option<i64>, bool, Vec<Ref>);

fn is_lateral(method: &str) -> bool {
    matches!(method, "wmi_exec" | "winrm_exec" | "smb_service_exec" | "remote_scheduled_task")
}

/// Calls from outside: (source, port, first time, answered or not told, places).
fn outside_calls(
    input: &Input<'_>,
    hosts: &Hosts,
    taken: &BTreeSet<Host>,
    host: Host,
) -> Vec<(Text, u16, i64, bool, Vec<Ref>)> {
    let mut calls = Vec::new();
    for (key, flow) in &input.observed.flows {
        if hosts.find(&key.dst, flow.seen.first) == Some(host)
            && address(&key.src).is_some_and(|it| !is_internal(&it))
            && hosts.find(&key.src, flow.seen.first).is_none_or(|it| !taken.contains(&it))
            && let Some(first) = flow.seen.first
        {
            calls.push((
                key.src.clone(),
                key.port,
                first,
                flow.answered > 0 || flow.refused == 0,
                flow.seen.places().collect(),
            ));
        }
    }
    calls
}

/// The one other host that called just before, on a port of the method where it has one.
fn caller(
    input: &Input<'_>,
    hosts: &Hosts,
    taken: &BTreeSet<Host>,
    host: Host,
    method: &str,
    time: Option<i64>,
) -> Option<Text> {
    let service = method.split('_').next().unwrap_or(method);
    let of_method = |port: u16| input.rules.ports.get(&port).is_none_or(|it| it.service == service);
    let has_port = input.rules.ports.values().any(|it| it.service == service);
    let time = time?;
    let mut callers: BTreeSet<&Text> = BTreeSet::new();
    for (key, flow) in input.observed.flows.range(..) {
        let near = flow
            .seen
            .first
            .zip(flow.seen.last)
            .is_some_and(|(first, last)| first <= time + SLOT / 10 && last >= time - SLOT);
        if near
            && of_method(key.port)
            && (!has_port || input.rules.ports.contains_key(&key.port))
            && hosts.find(&key.dst, flow.seen.first) == Some(host)
            && hosts.find(&key.src, flow.seen.first).is_none_or(|it| it != host && !taken.contains(&it))
        {
            callers.insert(&key.src);
        }
    }
    if callers.len() == 1 { callers.into_iter().next().cloned() } else { None }
}

fn method_of_alert(alert: &super::observe::Alert) -> &'static str {
    let low = alert.title.to_lowercase();
    let any = |words: &[&str]| words.iter().any(|it| low.contains(it));
    if says_eternalblue(&low) || alert.cve.as_deref().is_some_and(|it| it.to_uppercase().starts_with("CVE-2017-014")) {
        "eternalblue"
    } else if any(&["log4j", "log4shell", "jndi"]) {
        "log4shell"
    } else if any(&["rdp", "3389"]) && any(&["brute", "爆破", "暴力"]) {
        "rdp_password_guess"
    } else if any(&["ssh"]) && any(&["brute", "爆破", "暴力"]) {
        "ssh_password_guess"
    } else if any(&["redis"]) {
        "redis_cron_write"
    } else if any(&["struts"]) {
        "struts2_s2_045"
    } else if any(&["weblogic"]) {
        "weblogic_wls_wsat"
    } else if any(&["webshell"]) {
        "webshell_upload"
    } else {
        "unknown"
    }
}

/// What would answer the question, and is not in the logs.
fn look_at(input: &Input<'_>, hosts: &Hosts, case: &Case, state: &State, host: Host) -> Vec<String> {
    let observed = input.observed;
    let shown = &hosts.list[host].shown;
    let before = match (state.hosts[host].first, case.window) {
        (Some(first), _) => format!("before {}", moment(first)),
        (None, Some((start, _))) => format!("around {}", moment(start)),
        _ => "before the first sign".to_owned(),
    };
    let mut look = Vec::new();
    let logons = observed.logons.keys().any(|it| hosts.find(&it.0, None) == Some(host));
    if !logons {
        look.push(format!("logons on {shown} {before}: the Security log (4624, 4625) or auth.log, for guessed or stolen passwords and remote desktop"));
    }
    let inbound = observed.flows.iter().any(|(key, it)| {
        hosts.find(&key.dst, it.seen.first) == Some(host) && address(&key.src).is_some_and(|it| !is_internal(&it))
    });
    if !inbound {
        look.push(format!("what called {shown} from outside {before}: flows at the border, security groups, load balancer and NAT logs"));
    }
    if !observed.http.iter().any(|it| hosts.find(&it.host, it.time) == Some(host)) {
        look.push(format!(
            "requests to web services on {shown} {before}: access logs and web roots, for exploits and web shells"
        ));
    }
    look.push(format!("what was installed, opened or plugged in on {shown} {before}: downloads, mail, removable media, Prefetch, Amcache, the event log of PowerShell"));
    if state.hosts[host].since.is_some() && !observed.telemetry.keys().any(|it| hosts.find(it, None) == Some(host)) {
        look.push(format!("processes on {shown}: no sensor logged any, so an earlier sign may be missing"));
    }
    look.push(format!(
        "hosts that may have been taken before {shown} and are not in these logs: everything that called it {before}"
    ));
    look
}
