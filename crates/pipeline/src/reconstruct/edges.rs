//! verdicts and what was seen between hosts → edges: who scanned, attacked, took whom, and by what method.
//!
//! A taken host has one taker: whoever's evidence is best, and of equals whoever called it last before it was taken.
//! Deliberately absent: edges of hosts that are not taken (a scanner, an administrator), but for the way in.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::findings::{EdgeClass, Observation, Permille, Text};

use super::Input;
use super::identity::{Host, Hosts};
use super::observe::Ref;
use super::pairs::{Pair, Pairs, places};
use super::rules::probability;
use super::verdict::{Judged, State};

#[derive(Debug, Clone)]
pub(super) struct Edge {
    pub from: Host,
    pub to: Host,
    pub class: EdgeClass,
    pub observations: BTreeSet<Observation>,
    pub first: Option<i64>,
    pub method: Option<Text>,
    pub confidence: Permille,
    pub ports: Vec<u16>,
    pub places: Vec<Ref>,
    pub why: Vec<(&'static str, i32, String)>,
}

/// A host can be called this long before it shows that it was taken.
const LATE: i64 = 2 * 3600 * 1_000_000;
/// Who was called that long before the caller was taken is always called.
const USUAL: i64 = 20 * 60 * 1_000_000;
/// How far a clock that nobody can compare may be off.
const WRONG: i64 = 15 * 60 * 1_000_000;
/// A call after the first sign is that much worse than one right before it.
const BEHIND: i64 = 3 * 60 * 1_000_000;
/// Clocks, and sensors that write late.
const TOLERANCE: i64 = 60 * 1_000_000;

/// What was seen of one pair, in time.
struct Look<'a> {
    pair: &'a Pair,
    observations: BTreeSet<Observation>,
    first: Option<i64>,
    last_before: Option<i64>,
    /// How long before the other's first sign it was called; what comes after it, or was not answered, counts as longer.
    gap: i64,
    ports: Vec<u16>,
    /// How well it speaks for having taken the other.
    strength: i32,
    why: Vec<(&'static str, i32, String)>,
    said_failed: bool,
    back: Option<i64>,
}

/// An attempt, however many signs there are of it, says nothing of success.
const TRIED: i32 = 8;

pub(super) fn draw(
    input: &Input<'_>,
    hosts: &Hosts,
    clocks: &super::clock::Clocks,
    pairs: &Pairs,
    state: &State,
) -> Vec<Edge> {
    let mut looks: BTreeMap<(Host, Host), Look<'_>> = BTreeMap::new();
    let active: BTreeMap<Host, i64> =
        state.all_taken().into_iter().filter_map(|it| Some((it, active(it, pairs, state)?))).collect();
    for from in state.all_taken() {
        for (to, pair) in pairs.from(from) {
            if let Some(look) = look(pair, pairs, from, &state.hosts[to], state, active.get(&to).copied()) {
                looks.insert((from, to), look);
            }
        }
    }
    let takers = takers(&looks, &clocks.compared, state, &active);
    let exploits = input.observed.tried.keys().any(|it| it.2);
    let mut edges = Vec::new();
    for ((from, to), look) in looks {
        let taken = state.is_taken(to);
        let is_taker = takers.get(&to).is_some_and(|it| it.0 == from);
        let tried = look.observations.contains(&Observation::ExploitTried);
        let class = match (is_taker, tried) {
            (true, _) => EdgeClass::Compromised,
            (false, true) if look.said_failed || (state.hosts[to].watched && !taken) => EdgeClass::AttackedFailed,
            (false, true) => EdgeClass::AttackedUnknown,
            (false, false) => EdgeClass::Scanned,
        };
        let mut observations = look.observations;
        if is_taker {
            observations.insert(Observation::Executed);
        }
        let sure = probability(state.hosts[to].points(state.prior));
        let confidence = match class {
            EdgeClass::Compromised => {
                let share = takers.get(&to).map_or(1000, |it| it.1);
                Permille::new(u16::try_from(u32::from(sure.thousandths()) * share / 1000).unwrap_or(0))
            }
            EdgeClass::AttackedFailed if look.said_failed => probability(15),
            EdgeClass::AttackedFailed => Permille::new(1000 - sure.thousandths().min(999)),
            EdgeClass::AttackedUnknown => probability(6),
            EdgeClass::Scanned => probability(if look.pair.scan.is_some() { 15 } else { 9 }),
        };
        let method = method(input, look.pair, &look.ports, class, exploits, state.hosts.get(to));
        edges.push(Edge {
            from,
            to,
            class,
            observations,
            first: look.first,
            method,
            confidence,
            places: places(look.pair, &state.ports),
            ports: look.ports,
            why: look.why,
        });
    }
    edges.sort_by(|a, b| {
        (a.first.is_none(), a.first, &hosts.list[a.from].shown, &hosts.list[a.to].shown).cmp(&(
            b.first.is_none(),
            b.first,
            &hosts.list[b.from].shown,
            &hosts.list[b.to].shown,
        ))
    });
    edges
}

/// When a taken host first called anybody it does not always call: it was taken by then, by the clock that saw the calls.
fn active(host: Host, pairs: &Pairs, state: &State) -> Option<i64> {
    let since = state.hosts[host].since;
    let contacts =
        pairs.from(host).flat_map(|it| &it.1.contacts).filter(|(port, it)| state.swept.contains(port) && !it.before);
    let told = pairs.from(host).flat_map(|it| it.1.contacts.values()).flat_map(|it| &it.by_malware).map(|it| it.0);
    if let Some(first) = told.min() {
        return Some(first);
    }
    contacts.flat_map(|it| &it.1.spans).map(|it| it.0).filter(|it| since.is_none_or(|since| *it >= since)).min()
}

fn look<'a>(
    pair: &'a Pair,
    pairs: &Pairs,
    from_host: Host,
    to: &Judged,
    state: &State,
    active: Option<i64>,
) -> Option<Look<'a>> {
    let from = &state.hosts[from_host];
    let mut look = Look {
        pair,
        observations: BTreeSet::new(),
        first: None,
        last_before: None,
        gap: i64::MAX,
        ports: Vec::new(),
        strength: 0,
        why: Vec::new(),
        said_failed: false,
        back: None,
    };
    let since = from.since;
    let after = |time: Option<i64>| since.zip(time).is_none_or(|(since, time)| time >= since);
    let mut times: Vec<i64> = Vec::new();
    let mut only_usual = true;
    for (port, contact) in &pair.contacts {
        if !state.ports.contains(port)
            || !after(contact.seen.last)
            || pairs.is_others(from_host, contact)
            || pairs.is_scanners(from_host, pair)
        {
            continue;
        }
        let always =
            contact.before || since.zip(contact.spans.first()).is_some_and(|(since, span)| span.0 < since - USUAL);
        only_usual &= always || !state.swept.contains(port);
        look.observations.insert(Observation::Contacted);
        if contact.answered > 0 {
            look.observations.insert(Observation::PortOpen);
        }
        look.ports.push(*port);
        let spans = contact.calls().iter().filter(|it| after(Some(it.1)));
        times.extend(spans.map(|it| since.map_or(it.0, |since| it.0.max(since))));
        if let Some(first) = to.first {
            // Its clock may be behind the one that saw the calls: then the call comes after the first sign, and before
            // its own first call.
            let latest = active.map_or(first + TOLERANCE, |active| active.min(first + WRONG).max(first));
            look.last_before = look.last_before.max(contact.last_before(latest));
            let unanswered = contact.answered == 0 && contact.refused > 0;
            let times = contact
                .calls()
                .iter()
                .flat_map(|it| [it.0, it.1])
                .filter(|it| *it <= latest && active.is_none_or(|active| *it <= active));
            let gaps = times.map(|it| if it <= first { first - it } else { BEHIND + it - first });
            look.gap = look.gap.min(gaps.min().map_or(i64::MAX, |it| it + if unanswered { 2 * LATE } else { 0 }));
        }
    }
    if let Some(tried) = &pair.scan {
        only_usual = false;
        look.observations.insert(Observation::PortOpen);
        look.ports.extend(&tried.ports);
        times.extend(tried.seen.first);
        look.why.push(("scan_log", 0, "the caller's own scan log names it".to_owned()));
    }
    if let Some(tried) = &pair.exploit {
        only_usual = false;
        look.observations.insert(Observation::ExploitTried);
        look.ports.extend(&tried.ports);
        times.extend(tried.seen.first);
        look.strength += if tried.succeeded && !tried.failed {
            30
        } else if tried.failed && !tried.succeeded {
            2
        } else {
            12
        };
        look.said_failed = tried.failed && !tried.succeeded;
        look.why.push(("exploit_log", 0, "the caller's own exploit log names it".to_owned()));
    }
    let malware = |(port, it): &(&u16, &super::pairs::Contact)| {
        state.swept.contains(*port)
            && after(it.seen.last)
            && !pairs.is_others(from_host, it)
            && !pairs.is_scanners(from_host, pair)
    };
    for (port, contact) in pair.contacts.iter().filter(malware) {
        if !contact.by_malware.is_empty() {
            only_usual = false;
            look.why.push(("called_by_malware", 0, "the malware's program called it".to_owned()));
        }
        if state.talks(from_host, contact) {
            look.observations.insert(Observation::ExploitTried);
            look.strength = look.strength.max(TRIED);
            let said = if contact.bytes > 0 {
                format!("{} bytes", contact.bytes)
            } else {
                format!("{} connections", contact.most)
            };
            look.why.push(("talked", 0, format!("more was said on port {port} than a probe says: {said}")));
        }
    }
    if let Some(seen) = pair.fetched.as_ref().filter(|it| after(it.first)) {
        only_usual = false;
        look.observations.insert(Observation::ExploitTried);
        times.extend(seen.first);
        look.strength += 40;
        look.why.push(("fetched", 0, "a command there fetched something from the caller".to_owned()));
    }
    if let Some(seen) = pair.back.as_ref().filter(|it| after(it.first)) {
        only_usual = false;
        look.observations.insert(Observation::ExploitTried);
        look.strength += 20;
        look.back = seen.first;
        look.why.push(("called_back", 0, "it called back right after, on a port of its own".to_owned()));
    }
    for run in pair.remote.iter().filter(|it| after(it.time)) {
        only_usual = false;
        look.observations.insert(Observation::Executed);
        look.observations.insert(Observation::ExploitTried);
        times.extend(run.time);
        look.strength += 40;
        look.why.push(("remote_run", 0, format!("{}: {}", run.method, run.what)));
    }
    for drop in pair.drops.iter().filter(|it| after(it.time)) {
        only_usual = false;
        look.observations.insert(Observation::ExploitTried);
        times.extend(drop.time);
        look.strength += 10;
        look.why.push(("dropped", 0, format!("{} was copied to it", drop.path)));
    }
    for alert in pair.alerts.iter().filter(|it| after(it.time)) {
        only_usual = false;
        look.observations.insert(Observation::ExploitTried);
        look.observations.insert(Observation::Alerted);
        times.extend(alert.time);
        look.ports.extend(alert.port);
        look.strength = look.strength.max(TRIED);
        look.why.push(("alert", 0, alert.title.to_string()));
    }
    for (service, logons) in &pair.logons {
        if !after(logons.seen.last) {
            continue;
        }
        if logons.failed >= 3 {
            only_usual = false;
            look.observations.insert(Observation::ExploitTried);
            look.strength = look.strength.max(TRIED);
            look.why.push(("guessed", 0, format!("{} failed logons by {service}", logons.failed)));
            times.extend(logons.seen.first);
            look.said_failed |= logons.succeeded == 0;
        }
        if logons.succeeded > 0 && after(logons.first_success) {
            only_usual = false;
            look.observations.insert(Observation::Contacted);
            look.strength += 15;
            times.extend(logons.first_success);
            look.why.push(("logon", 0, format!("a logon by {service}")));
        }
    }
    // What two hosts always do is no sign, where that is all.
    if look.observations.is_empty() || only_usual {
        return None;
    }
    look.first = times.into_iter().min();
    look.ports.sort_unstable();
    look.ports.dedup();
    Some(look)
}

/// taken host → its taker, and the share of its evidence in that of all who could be, in thousandths.
fn takers(
    looks: &BTreeMap<(Host, Host), Look<'_>>,
    compared: &BTreeSet<Host>,
    state: &State,
    active: &BTreeMap<Host, i64>,
) -> BTreeMap<Host, (Host, u32)> {
    let mut candidates: BTreeMap<Host, Vec<(i32, i64, Host)>> = BTreeMap::new();
    // Where nobody fits in time, a clock is wrong, or the first sign of one of them is missing.
    let mut misfits: BTreeMap<Host, Vec<(i32, i64, Host)>> = BTreeMap::new();
    for ((from, to), look) in looks {
        if !state.is_taken(*to) {
            continue;
        }
        let (a, b) = (&state.hosts[*from], &state.hosts[*to]);
        // Nobody is taken by what was taken later, unless the log of the exploit or the session says so.
        let direct = look.strength >= 30;
        let ordered = match (active.get(from), active.get(to), a.first, b.first) {
            (Some(a), Some(b), ..) => a <= b,
            (.., Some(a), Some(b)) => a <= b + TOLERANCE,
            _ => true,
        };
        // Where both clocks were compared, signs of the caller's own log that come after the other's speak for themselves.
        let compared = compared.contains(from) && compared.contains(to);
        let ran = ["ran_known_bad", "ran_same_program", "in_gang"].iter().any(|it| a.marks.contains_key(it));
        let after = a.first.zip(b.first).is_some_and(|(a, b)| a > b + TOLERANCE);
        if compared && ran && a.watched && after && !direct {
            continue;
        }
        let called = match (look.last_before, b.first) {
            (Some(last), Some(first)) => first - last <= LATE,
            (None, Some(first)) => look.first.is_none_or(|it| it <= first + TOLERANCE),
            _ => true,
        };
        let own = match (look.gap, look.first, b.first) {
            (i64::MAX, Some(call), Some(first)) => (first - call).abs(),
            (gap, ..) => gap,
        };
        // Who called others before it was called was not taken by that call.
        let late = active.get(to).zip(look.first).is_some_and(|(active, call)| call > *active);
        if late && !direct {
            continue;
        }
        if direct || (ordered && called) {
            candidates.entry(*to).or_default().push((look.strength, own, *from));
        } else if !compared
            && look.first.zip(b.first).is_some_and(|(call, first)| (call - first).abs() <= WRONG)
            && look.pair.contacts.values().any(|it| it.answered > 0 || it.refused == 0)
        {
            misfits.entry(*to).or_default().push((
                look.strength,
                (look.first.unwrap_or(0) - b.first.unwrap_or(0)).abs(),
                *from,
            ));
        }
    }
    for (host, all) in misfits {
        candidates.entry(host).or_insert(all);
    }
    let mut order: Vec<Host> = candidates.keys().copied().collect();
    order.sort_by_key(|it| (state.hosts[*it].first.is_none(), state.hosts[*it].first, *it));
    let mut takers: BTreeMap<Host, (Host, u32)> = BTreeMap::new();
    for host in order {
        let Some(all) = candidates.get_mut(&host) else { continue };
        all.sort_by_key(|it| (-it.0, it.1, it.2));
        let total: i64 = all.iter().map(|it| i64::from(it.0) + 10).sum();
        // A circle would leave nobody who was first.
        let found = all.iter().find(|it| {
            let mut at = it.2;
            for _ in 0..=takers.len() {
                match takers.get(&at) {
                    _ if at == host => return false,
                    Some((next, _)) => at = *next,
                    None => return true,
                }
            }
            false
        });
        if let Some((strength, _, from)) = found {
            let share = u32::try_from((i64::from(*strength) + 10) * 1000 / total.max(1)).unwrap_or(1000).clamp(1, 1000);
            takers.insert(host, (*from, share));
        }
    }
    takers
}

/// How it was done: what ran, what the log or the alert says, else what the port is good for.
pub(super) fn method(
    input: &Input<'_>,
    pair: &Pair,
    ports: &[u16],
    class: EdgeClass,
    exploits: bool,
    to: Option<&Judged>,
) -> Option<Text> {
    if let Some(run) = pair.remote.first() {
        return Some(run.method.clone());
    }
    if class == EdgeClass::Scanned {
        return None;
    }
    let smb = ports.iter().any(|it| matches!(it, 445 | 139)) || (ports.is_empty() && pair.exploit.is_some());
    if smb && (pair.exploit.is_some() || pair.alerts.iter().any(|it| says_eternalblue(&it.title))) {
        return Some("eternalblue".into());
    }
    if !pair.drops.is_empty() {
        return Some("smb_service_exec".into());
    }
    for (service, logons) in &pair.logons {
        let by_key = logons.by_key && logons.failed < 3;
        match &**service {
            "ssh" => return Some(if by_key { "ssh_stolen_key" } else { "ssh_password_guess" }.into()),
            "rdp" if logons.failed >= 3 => return Some("rdp_password_guess".into()),
            "smb" if logons.failed >= 3 => return Some("smb_password_guess".into()),
            _ => {}
        }
    }
    // The malware that has an exploit for the port uses it.
    if smb && exploits {
        return Some("eternalblue".into());
    }
    let of_gang = input.gangs.iter().find_map(|it| {
        let marked = to?.marks.get("in_gang")?;
        marked.places.iter().any(|place| it.refs.contains(place)).then(|| it.method.clone())?
    });
    if let Some(method) = of_gang {
        return Some(method);
    }
    let port = ports.iter().find_map(|it| input.rules.ports.get(it))?;
    Some(port.method.as_str().into())
}

pub(super) fn says_eternalblue(title: &str) -> bool {
    let low = title.to_lowercase();
    low.contains("ms17") || low.contains("eternal") || low.contains("永恒之蓝") || low.contains("doublepulsar")
}
