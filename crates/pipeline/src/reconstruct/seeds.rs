//! what the case starts from → what is the malware's (paths, hashes), which hosts it was seen on, and the window.
//!
//! An alert, an indicator, a host, a path, a hash; else every alert; else the strongest finding of the main job; else
//! what hosts made each other run. It grows: a program that shares a folder or a hash with a bad one, or that ran on
//! several hosts of the case and hardly elsewhere, is bad too. Deliberately absent: verdicts.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::findings::Text;

use super::clock::Clocks;
use super::everyday::Everyday;
use super::identity::{Host, Hosts};
use super::observe::{Alert, Program, Ref, SLOT, address, is_internal, is_usual, spell};
use super::{Input, moment};
use crate::connect::link::base_name;

/// How far the window reaches around what it started from.
pub(super) const AROUND: i64 = 3600 * 1_000_000;
/// Rounds in which what is bad may grow; each takes in what the one before found.
const ROUNDS: usize = 4;

/// Why a program is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    /// An alert, the case, or the malware's own log names it.
    Named,
    /// Beside a bad one, with its hash, or on hosts of the case and hardly elsewhere.
    Same,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Case {
    pub paths: BTreeMap<Text, Why>,
    pub hashes: BTreeMap<Text, Why>,
    /// What the question names that is no host: command lines may hold it.
    pub literals: BTreeSet<String>,
    /// Hosts that the question names.
    pub asked: BTreeSet<Host>,
    /// Alerts of the case, by host.
    pub alerts: BTreeMap<Host, Vec<Alert>>,
    /// Programs that an alert names and that many have always run.
    pub everyday: BTreeSet<Text>,
    /// Gangs of the case: places in the input's list.
    pub gangs: BTreeSet<usize>,
    /// Whether what hosts made each other run is what it starts from.
    pub from_remote_runs: bool,
    pub window: Option<(i64, i64)>,
    pub because: Vec<String>,
    /// Whether anything that alerts was read at all.
    pub has_alerts: bool,
}

impl Case {
    /// Whether a time is in the window; what has no time is.
    pub(super) fn holds(&self, time: Option<i64>) -> bool {
        match (self.window, time) {
            (Some((start, end)), Some(time)) => (start..=end).contains(&time),
            _ => true,
        }
    }

    pub(super) fn bad(&self, path: &Text, program: &Program) -> Option<Why> {
        if !self.literals.is_empty()
            && program.commands.iter().any(|it| {
                let low = it.to_lowercase();
                self.literals.iter().any(|it| low.contains(it.as_str()))
            })
        {
            return Some(Why::Named);
        }
        let by_hash = program.hashes.iter().filter_map(|it| self.hashes.get(it)).min();
        self.paths.get(path).into_iter().chain(by_hash).min().copied()
    }
}

pub(super) fn open(input: &Input<'_>, hosts: &mut Hosts, clocks: &Clocks) -> Case {
    let mut case = Case { has_alerts: !input.observed.alerts.is_empty(), ..Case::default() };
    let mut names: BTreeSet<String> = BTreeSet::new();
    for seed in &input.question.seeds {
        asked(seed, hosts, &mut case, &mut names);
    }
    let explicit = !input.question.seeds.is_empty();
    // Every alert that names a host, with that host.
    let alerts: Vec<(Host, &Alert)> =
        input.observed.alerts.iter().filter_map(|it| Some((host_of(it, hosts)?, it))).collect();
    let mut joined: BTreeSet<usize> = BTreeSet::new();
    if !explicit {
        joined.extend(0..alerts.len());
    }
    named_by_logs(input, &mut case);
    let everyday = Everyday::of(input);
    case.everyday = everyday.paths.clone();
    for _ in 0..ROUNDS {
        let before = (joined.len(), case.paths.len(), case.hashes.len(), case.gangs.len());
        let on = seen_on(input, hosts, &case);
        for (at, (host, alert)) in alerts.iter().enumerate() {
            let path = alert.path.as_deref().map(spell);
            let shares = path.as_deref().is_some_and(|it| case.paths.contains_key(it))
                || alert.hash.as_ref().is_some_and(|it| case.hashes.contains_key(it))
                || alerts.iter().enumerate().any(|(other, it)| joined.contains(&other) && it.1.title == alert.title);
            if shares || on.contains(host) || case.asked.contains(host) {
                joined.insert(at);
            }
        }
        for at in &joined {
            let (host, alert) = alerts[*at];
            from_alert(input, hosts, host, alert, &everyday, &mut case, &mut names);
        }
        let core: BTreeSet<Host> =
            on.into_iter().chain(joined.iter().map(|it| alerts[*it].0)).chain(case.asked.iter().copied()).collect();
        by_name(input, hosts, &names, &core, &mut case);
        grow(input, hosts, &core, &mut case);
        for (at, gang) in input.gangs.iter().enumerate() {
            let here = hosts.find(&gang.host, gang.first).is_some_and(|it| core.contains(&it));
            let holds = gang
                .indicators
                .iter()
                .any(|it| case.paths.contains_key(it.as_str()) || names.contains(&it.to_lowercase()));
            if here || holds || gang_joined(input, &case, &gang.gang_id) {
                case.gangs.insert(at);
            }
        }
        if before == (joined.len(), case.paths.len(), case.hashes.len(), case.gangs.len()) {
            break;
        }
    }
    for at in joined {
        let (host, alert) = alerts[at];
        case.alerts.entry(host).or_default().push(alert.clone());
    }
    let nothing = case.paths.is_empty() && case.gangs.is_empty() && input.observed.tried.is_empty();
    if nothing && let Some(first) = input.gangs.first() {
        let ids: Vec<usize> = (0..input.gangs.len()).filter(|it| input.gangs[*it].gang_id == first.gang_id).collect();
        case.gangs.extend(ids);
        case.because.push(format!(
            "it starts from the strongest finding, gang {}",
            first.gang_id.get(..8).unwrap_or(&first.gang_id)
        ));
    }
    // With nothing that names a program, what hosts made each other run is all there is to start from.
    case.from_remote_runs = case.paths.is_empty() && case.literals.is_empty() && input.observed.tried.is_empty();
    window(input, hosts, clocks, &mut case);
    case
}

fn gang_joined(input: &Input<'_>, case: &Case, gang: &Text) -> bool {
    case.gangs.iter().any(|it| input.gangs[*it].gang_id == *gang)
}

/// What a seed is: an address or a host's name, a path, a hash, else a program's name.
fn asked(seed: &str, hosts: &Hosts, case: &mut Case, names: &mut BTreeSet<String>) {
    let seed = seed.trim();
    let label: Text = address(seed).map_or_else(|| seed.to_ascii_lowercase(), |it| it.to_string()).into();
    if let Some(host) = hosts.find(&label, None) {
        case.asked.insert(host);
    } else if matches!(seed.len(), 32 | 40 | 64) && seed.bytes().all(|b| b.is_ascii_hexdigit()) {
        case.hashes.insert(seed.to_ascii_lowercase().into(), Why::Named);
    } else if seed.contains(['/', '\\']) && !seed.contains("://") {
        case.paths.insert(spell(seed).into(), Why::Named);
    }
    if hosts.find(&label, None).is_none() && seed.len() >= 5 {
        case.literals.insert(seed.to_lowercase());
    }
    names.insert(seed.to_lowercase());
}

fn host_of(alert: &Alert, hosts: &mut Hosts) -> Option<Host> {
    if let Some(host) = &alert.host {
        return Some(hosts.at(host, alert.time));
    }
    // A network sensor's alert of what a host calls (C2, a pool, a download) is about the inner end.
    let calls = alert.role.as_deref().is_some_and(|it| !matches!(it, "scan" | "brute_force" | "exploit"));
    let inner = |ip: &Option<Text>| ip.clone().filter(|it| address(it).is_some_and(|it| is_internal(&it)));
    let label = inner(&alert.src).filter(|_| calls)?;
    Some(hosts.at(&label, alert.time))
}

/// The program that wrote the malware's own logs: its command line sends its output there.
fn named_by_logs(input: &Input<'_>, case: &mut Case) {
    let files: BTreeSet<String> =
        input.observed.tried.values().filter_map(|it| it.file.as_ref()).map(|it| it.to_string()).collect();
    if files.is_empty() {
        return;
    }
    let usual = ["stage1.txt", "stage2.txt"];
    for ((_, path), program) in &input.observed.programs {
        let writes = program.commands.iter().any(|it| {
            let low = it.to_lowercase();
            low.contains('>')
                && (usual.iter().any(|it| low.contains(it)) || files.iter().any(|it| low.contains(it.as_str())))
        });
        // A shell redirects for the program that it runs.
        if writes && !is_usual(path) {
            case.paths.insert(path.clone(), Why::Named);
        }
        if writes && is_usual(path) {
            for command in &program.commands {
                let word =
                    command.split(['>', ' ', '"']).find(|it| it.contains('\\') && it.contains('.') && !is_usual(it));
                case.paths.extend(word.map(|it| (Text::from(spell(it)), Why::Named)));
            }
        }
    }
}

fn from_alert(
    input: &Input<'_>,
    hosts: &Hosts,
    host: Host,
    alert: &Alert,
    everyday: &Everyday,
    case: &mut Case,
    names: &mut BTreeSet<String>,
) {
    if let Some(hash) = alert.hash.as_ref().filter(|it| !everyday.hashes.contains(*it)) {
        case.hashes.entry(hash.clone()).or_insert(Why::Named);
    }
    let path = alert.path.as_deref().map(spell);
    if path.as_deref().is_some_and(|it| everyday.paths.contains(it)) {
        return;
    }
    if let Some(path) = &path
        && path.contains(['/', '\\'])
        && (!is_usual(path) || is_rare(input, path))
        && !input.question.good_paths.contains(path)
    {
        case.paths.insert(path.as_str().into(), Why::Named);
        return;
    }
    // It names a program without its folder, or none: a masquerade on that host is what it means.
    let name = path.as_deref().map(|it| base_name(it).to_owned());
    for (label, path) in input.observed.programs.keys() {
        let fits = name.as_deref().is_none_or(|it| base_name(path) == it) && input.rules.masquerades(path);
        if fits && !case.paths.contains_key(path) && hosts.find(label, alert.time) == Some(host) {
            case.paths.insert(path.clone(), if name.is_some() { Why::Named } else { Why::Same });
        }
    }
    names.extend(name.filter(|it| !it.is_empty() && path.as_deref().is_some_and(|path| !is_usual(path))));
}

/// In a system folder, but no system's program: few hosts run it, and it runs no other program's text.
fn is_rare(input: &Input<'_>, path: &str) -> bool {
    const RUN_OTHERS: [&str; 22] = [
        "sh",
        "bash",
        "dash",
        "ash",
        "zsh",
        "busybox",
        "python",
        "python3",
        "perl",
        "php",
        "java",
        "node",
        "curl",
        "wget",
        "ssh",
        "cmd.exe",
        "powershell.exe",
        "rundll32.exe",
        "regsvr32.exe",
        "mshta.exe",
        "wscript.exe",
        "cscript.exe",
    ];
    let name = base_name(path);
    if RUN_OTHERS.contains(&name) || input.rules.system_programs.windows.iter().any(|it| it == name) {
        return false;
    }
    let on = input.observed.programs.keys().filter(|it| *it.1 == *path).count();
    let hosts = input
        .observed
        .telemetry
        .values()
        .filter(|it| !it.process_slots.is_empty() || !it.snapshot_slots.is_empty())
        .count();
    on <= (hosts / 4).max(3)
}

/// A program that is named without its folder, on a host of the case, from an unusual place.
fn by_name(input: &Input<'_>, hosts: &Hosts, names: &BTreeSet<String>, core: &BTreeSet<Host>, case: &mut Case) {
    for ((label, path), program) in &input.observed.programs {
        if names.contains(&base_name(path).to_lowercase())
            && !is_usual(path)
            && path.contains(['/', '\\'])
            && hosts.find(label, program.seen.first).is_some_and(|it| core.contains(&it))
        {
            case.paths.entry(path.clone()).or_insert(Why::Named);
        }
    }
}

fn folder(path: &str) -> &str {
    path.rfind(['\\', '/']).map_or("", |at| &path[..at])
}

/// Folders that much else lies in: a bad neighbour says nothing there.
fn is_common_folder(folder: &str) -> bool {
    let depth = folder.matches(['\\', '/']).count();
    let ends = [
        "\\temp",
        "\\tmp",
        "\\desktop",
        "\\downloads",
        "\\documents",
        "/tmp",
        "/shm",
        "/bin",
        "/sbin",
        "/root",
        "/lib",
        "/home",
        "\\public",
        "\\startup",
    ];
    folder.is_empty()
        || (folder.contains('\\') && depth < 2)
        || (folder.starts_with('/') && depth < 2)
        || ends.iter().any(|it| folder.ends_with(it))
        || (folder.starts_with("/home/") && depth < 3)
}

/// Hosts that a bad program was seen on, or that hold the malware's log.
fn seen_on(input: &Input<'_>, hosts: &Hosts, case: &Case) -> BTreeSet<Host> {
    let ran = input.observed.programs.iter().filter(|((_, path), program)| case.bad(path, program).is_some());
    let ran = ran.filter_map(|((label, _), program)| hosts.find(label, program.seen.first));
    let logs = input.observed.tried.keys().filter_map(|it| hosts.find(&it.0, None));
    let gangs = case.gangs.iter().filter_map(|it| hosts.find(&input.gangs[*it].host, input.gangs[*it].first));
    ran.chain(logs).chain(gangs).collect()
}

fn grow(input: &Input<'_>, hosts: &Hosts, core: &BTreeSet<Host>, case: &mut Case) {
    let folders: BTreeSet<String> = case
        .paths
        .keys()
        .map(|it| folder(it).to_owned())
        .filter(|it| !is_common_folder(it) && !is_usual(&format!("{it}\\x")))
        .collect();
    let mut on: BTreeMap<&Text, BTreeSet<Host>> = BTreeMap::new();
    let mut hashes: Vec<Text> = Vec::new();
    for ((label, path), program) in &input.observed.programs {
        if is_usual(path) || !path.contains(['/', '\\']) || input.question.good_paths.contains(&**path) {
            continue;
        }
        if case.paths.contains_key(path) {
            hashes.extend(program.hashes.iter().cloned());
        } else if folders.contains(folder(path)) || program.hashes.iter().any(|it| case.hashes.contains_key(it)) {
            case.paths.insert(path.clone(), Why::Same);
        } else if let Some(host) = hosts.find(label, program.seen.first) {
            on.entry(path).or_default().insert(host);
        }
    }
    for hash in hashes {
        case.hashes.entry(hash).or_insert(Why::Same);
    }
    // On at least two hosts of the case, and on hardly any other: only where the hosts of others are known too, or
    // everything that everybody runs would count.
    let others =
        input.observed.telemetry.iter().filter(|(_, it)| !it.process_slots.is_empty() || !it.snapshot_slots.is_empty());
    let others = others.filter(|(label, _)| hosts.find(label, None).is_some_and(|it| !core.contains(&it))).count();
    for (path, on) in on {
        let inside = on.intersection(core).count();
        let outside = on.len() - inside;
        let strange = input.rules.masquerades(path);
        let rare = inside >= 2 && outside * 3 <= inside && others >= 2 * core.len().max(2);
        if rare || (strange && inside >= 1) {
            case.paths.insert(path.clone(), Why::Same);
        }
    }
}

/// From what was asked for, then by what lies in it, until it stands still.
fn window(input: &Input<'_>, hosts: &Hosts, clocks: &Clocks, case: &mut Case) {
    if let Some((start, end)) = input.question.window {
        case.window = Some((start, end));
        case.because.push("the case gives it".to_owned());
        return;
    }
    let mut times: Vec<(i64, String)> = Vec::new();
    for (host, alerts) in &case.alerts {
        let shown = &hosts.list[*host].shown;
        times.extend(alerts.iter().filter_map(|it| Some((it.time?, format!("an alert on {shown}")))));
    }
    let mut evidence: Vec<(i64, String)> = Vec::new();
    for ((label, path), program) in &input.observed.programs {
        if let Some(why) = case.bad(path, program)
            && let Some(host) = hosts.find(label, program.seen.first)
        {
            let shown = &hosts.list[host].shown;
            let word = if why == Why::Named { "ran" } else { "also ran" };
            // That it still runs hours later is no new sign.
            if let Some(time) = program.seen.first {
                // An alert may come long after what it is about.
                if case.alerts.get(&host).is_some_and(|it| it.iter().any(|it| names_it(it, path, program))) {
                    times.push((clocks.right(host, time), format!("{} first ran on {shown}", base_name(path))));
                }
                evidence.push((clocks.right(host, time), format!("{} {word} on {shown}", base_name(path))));
            }
        }
    }
    for at in &case.gangs {
        let gang = &input.gangs[*at];
        let host = hosts.find(&gang.host, gang.first);
        let right = |time: i64| host.map_or(time, |it| clocks.right(it, time));
        evidence.extend(gang.first.map(|it| {
            (right(it), format!("a bot's processes on {}", host.map_or(&gang.host, |it| &hosts.list[it].shown)))
        }));
    }
    for ((label, target, _), tried) in &input.observed.tried {
        evidence.extend(
            [tried.seen.first, tried.seen.last]
                .into_iter()
                .flatten()
                .map(|it| (it, format!("the malware's log on {label} names {target}"))),
        );
    }
    if case.from_remote_runs {
        for run in &input.observed.remote {
            let host = hosts.find(&run.host, run.time);
            evidence.extend(
                run.time.map(|it| {
                    (host.map_or(it, |host| clocks.right(host, it)), format!("{} on {}", run.method, run.host))
                }),
            );
        }
        evidence.extend(
            input.observed.drops.iter().filter_map(|it| Some((it.time?, format!("a program copied to {}", it.host)))),
        );
    }
    evidence.sort();
    // An asked-for host without an alert: what ran there is the start.
    if times.is_empty() {
        times.extend(evidence.iter().min().cloned());
    }
    let (Some(first), Some(last)) = (times.iter().min().cloned(), times.iter().max().cloned()) else { return };
    let (mut start, mut end) = (first.0 - AROUND, last.0 + AROUND);
    case.because.push(format!("an hour around {} at {}", first.1, moment(first.0)));
    if last.0 != first.0 {
        case.because.push(format!("up to an hour after {} at {}", last.1, moment(last.0)));
    }
    let mut grown: Option<(i64, String)> = None;
    loop {
        let before = (start, end);
        for (time, what) in &evidence {
            if (start..=end).contains(time) && (time - AROUND < start || time + AROUND > end) {
                (start, end) = (start.min(time - AROUND), end.max(time + AROUND));
                grown = Some((*time, what.clone()));
            }
        }
        if before == (start, end) {
            break;
        }
    }
    if let Some((time, what)) = grown {
        case.because
            .push(format!("grown to an hour around all that follows from it, up to {what} at {}", moment(time)));
    }
    let outside = evidence.iter().filter(|it| it.0 < start || it.0 > end).count();
    if outside > 0 {
        case.because.push(format!("{outside} more signs lie further away in time and are not counted"));
    }
    case.window = Some((start, end));
}

/// Whether an alert is of a program.
fn names_it(alert: &Alert, path: &Text, program: &Program) -> bool {
    alert.path.as_deref().is_some_and(|it| spell(it) == **path)
        || alert.hash.as_ref().is_some_and(|it| program.hashes.contains(it))
}

/// The start of what a snapshot shows: it may have run since the snapshot before.
pub(super) fn since_snapshot(slots: &BTreeSet<i64>, time: i64) -> Option<i64> {
    slots.range(..time.div_euclid(SLOT)).next_back().map(|it| it * SLOT)
}

/// The places of a program's rows.
pub(super) fn places(program: &Program) -> Vec<Ref> {
    program.seen.places().collect()
}
