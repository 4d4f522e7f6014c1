//! verdicts, edges, origin → the findings: hosts with their reasons, lists, what the alerts missed, what contradicts,
//! the timeline. Deliberately absent: new judgement.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::Timestamp;
use ringleader_model::findings::{
    ClockSkew, Discrepancy, EdgeClass, Observation, Permille, Reason, Spread, SpreadEdge, SpreadHost, SpreadList,
    SpreadMoment, SpreadWindow, Text, Verdict,
};

use super::clock::Clocks;
use super::contain::contain;
use super::edges::Edge;
use super::identity::{Host, Hosts};
use super::observe::Ref;
use super::origin::{self, Origin};
use super::pairs::Pairs;
use super::rules::probability;
use super::seeds::Case;
use super::verdict::State;
use super::{Input, Proof, moment};
use crate::connect::link::base_name;

/// Lines of the timeline.
const MOMENTS: usize = 200_000;

/// Adds a discrepancy: kind, host, text, places.
type Add<'a> = dyn FnMut(&str, Option<Text>, String, Vec<Ref>, &mut Proof<'_>) + 'a;

struct Telling<'a> {
    input: &'a Input<'a>,
    hosts: &'a Hosts,
    clocks: &'a Clocks,
    case: &'a Case,
    pairs: &'a Pairs,
    state: &'a State,
    edges: &'a [Edge],
    into: BTreeMap<Host, Vec<usize>>,
    origin: Origin,
    verdicts: BTreeMap<Host, Verdict>,
}

#[allow(clippy::too_many_arguments, reason = "every part of the incident comes together here")]
pub(super) fn tell(
    input: &Input<'_>,
    hosts: &Hosts,
    clocks: &Clocks,
    case: &Case,
    pairs: &Pairs,
    state: &State,
    edges: &[Edge],
    proof: &mut Proof<'_>,
) -> Spread {
    let origin = origin::find(input, hosts, clocks, case, state, edges);
    let mut into: BTreeMap<Host, Vec<usize>> = BTreeMap::new();
    for (at, edge) in edges.iter().enumerate() {
        into.entry(edge.to).or_default().push(at);
    }
    let mut it = Telling { input, hosts, clocks, case, pairs, state, edges, into, origin, verdicts: BTreeMap::new() };
    it.judge();
    let mut spread = Spread::default();
    let mut evidence: BTreeMap<Host, Vec<Text>> = BTreeMap::new();
    it.hosts(&mut spread, &mut evidence, proof);
    it.edges(&mut spread, proof);
    it.discrepancies(&mut spread, proof);
    it.lists(&mut spread);
    it.timeline(&mut spread, proof);
    spread.clocks = it
        .clocks
        .ahead
        .iter()
        .map(|(host, (ahead, pairs))| ClockSkew {
            host: it.shown(*host),
            ahead_seconds: ahead / 1_000_000,
            pairs: *pairs,
        })
        .collect();
    spread.clocks.sort_by(|a, b| a.host.cmp(&b.host));
    spread.containment = contain(input, hosts, case, pairs, state, edges, &it.origin, &evidence);
    spread.window = case.window.map(|(start, end)| SpreadWindow {
        start: Timestamp(start),
        end: Timestamp(end),
        because: case.because.clone(),
    });
    spread.patient_zero = it.origin.zero;
    spread
}

impl Telling<'_> {
    fn shown(&self, host: Host) -> Text {
        self.hosts.list[host].shown.clone()
    }

    /// Every host that there is anything to say of: of the case, or with a log of its own.
    fn judge(&mut self) {
        let mut all: BTreeSet<Host> = self.edges.iter().flat_map(|it| [it.from, it.to]).collect();
        all.extend((0..self.state.hosts.len()).filter(|it| !self.state.hosts[*it].marks.is_empty()));
        all.extend(self.case.asked.iter().copied());
        all.extend(self.case.alerts.iter().filter(|it| it.1.iter().any(|it| self.case.holds(it.time))).map(|it| *it.0));
        let observed = self.input.observed;
        let logged = observed.telemetry.keys().chain(observed.assets.keys());
        all.extend(logged.filter_map(|it| self.hosts.find(it, None)));
        // Whoever the flows name on the inside is there too, and unknown.
        all.extend(
            self.pairs.all.keys().flat_map(|it| [it.0, it.1]).filter(|it| super::verdict::is_inner(self.hosts, *it)),
        );
        for host in all {
            let verdict = self.verdict(host);
            self.verdicts.insert(host, verdict);
        }
    }

    fn verdict(&self, host: Host) -> Verdict {
        let known = &self.hosts.list[host];
        let labels = known.names.iter().chain(&known.addresses).chain([&known.shown]);
        if let Some(verdict) = labels.into_iter().find_map(|it| self.input.question.decided.get(&**it)) {
            return *verdict;
        }
        let classes = || self.into.get(&host).into_iter().flatten().map(|it| self.edges[*it].class);
        let judged = &self.state.hosts[host];
        if self.state.is_taken(host) {
            Verdict::Compromised
        } else if judged.marks.contains_key("exploit_was_tried") || classes().any(|it| it != EdgeClass::Scanned) {
            Verdict::Attacked
        } else if classes().any(|it| it == EdgeClass::Scanned) {
            Verdict::Scanned
        } else if judged.marks.contains_key("alerted") {
            Verdict::AlertedOnly
        } else if judged.watched {
            Verdict::CleanAsSeen
        } else {
            Verdict::Unknown
        }
    }

    fn hosts(&self, spread: &mut Spread, evidence: &mut BTreeMap<Host, Vec<Text>>, proof: &mut Proof<'_>) {
        for (host, verdict) in &self.verdicts {
            let judged = &self.state.hosts[*host];
            let known = &self.hosts.list[*host];
            let mut reasons: Vec<Reason> = judged
                .marks
                .iter()
                .map(|(rule, mark)| Reason {
                    rule: (*rule).into(),
                    points: mark.points,
                    text: mark.text.clone(),
                    evidence_ids: proof.add(
                        &format!("{}: {}", known.shown, mark.text),
                        "host",
                        Some(rule),
                        mark.points,
                        mark.places.iter().copied(),
                    ),
                })
                .collect();
            if judged.decided.is_some() {
                let text = "an analyst decided it: that goes before the sum".to_owned();
                reasons.push(Reason { rule: "decided".into(), points: 0, text, evidence_ids: Vec::new() });
            }
            reasons.sort_by(|a, b| (-a.points.abs(), &a.rule).cmp(&(-b.points.abs(), &b.rule)));
            let mut ids: Vec<Text> = reasons.iter().flat_map(|it| it.evidence_ids.clone()).collect();
            let incoming: Vec<&Edge> = self.into.get(host).into_iter().flatten().map(|it| &self.edges[*it]).collect();
            let taker = incoming.iter().find(|it| it.class == EdgeClass::Compromised);
            let bare = ids.is_empty();
            for edge in incoming.iter().filter(|it| bare || it.class == EdgeClass::Compromised) {
                ids.extend(self.edge_evidence(edge, proof));
            }
            ids.sort();
            ids.dedup();
            ids.truncate(24);
            let alerted = judged.marks.contains_key("alerted");
            let sum = judged.points(self.state.prior);
            let confidence = match verdict {
                _ if judged.decided.is_some() => Permille::new(1000),
                Verdict::Compromised => probability(sum),
                Verdict::Unknown => Permille::default(),
                Verdict::Attacked | Verdict::Scanned => {
                    incoming.iter().map(|it| it.confidence).max().unwrap_or(probability(6))
                }
                Verdict::AlertedOnly => Permille::new(1000 - probability(sum).thousandths()),
                Verdict::CleanAsSeen => Permille::new(
                    1000 - probability(self.state.prior + self.input.rules.points("nothing_ran")).thousandths(),
                ),
            };
            let entry = self.origin.entry.as_ref().filter(|it| it.to == *host);
            let method = taker.and_then(|it| it.method.clone()).or_else(|| entry.map(|it| it.method.clone()));
            let method = method.or_else(|| {
                (*verdict == Verdict::Attacked).then(|| incoming.iter().find_map(|it| it.method.clone())).flatten()
            });
            let asset = known
                .names
                .iter()
                .chain(&known.addresses)
                .find_map(|it| self.input.observed.assets.get(it))
                .cloned()
                .unwrap_or_default();
            evidence.insert(*host, ids.clone());
            let marked = judged.marks.values().filter_map(|it| it.time);
            let first = judged.first.or_else(|| incoming.iter().filter_map(|it| it.first).chain(marked).min());
            spread.hosts.push(SpreadHost {
                host: known.shown.clone(),
                addresses: known.addresses.iter().cloned().collect(),
                verdict: *verdict,
                confidence,
                alerted,
                missed_by_alerts: *verdict == Verdict::Compromised && self.case.has_alerts && !alerted,
                first_seen: first.map(Timestamp),
                method: method.filter(|_| matches!(verdict, Verdict::Compromised | Verdict::Attacked)),
                evidence_ids: ids,
                names: known.names.iter().filter(|it| **it != known.shown).cloned().collect(),
                role: asset.role,
                owner: asset.owner,
                criticality: asset.criticality,
                reasons,
            });
        }
        if let Some(entry) = &self.origin.entry
            && let Some(source) = &entry.source
            && !spread
                .hosts
                .iter()
                .any(|it| it.host == *source || it.addresses.contains(source) || it.names.contains(source))
        {
            let ids = proof.add(
                &format!("{} came in from {source}: {}", self.hosts.list[entry.to].shown, entry.says),
                "entry",
                None,
                0,
                entry.places.iter().copied(),
            );
            spread.hosts.push(SpreadHost {
                host: source.clone(),
                addresses: vec![source.clone()],
                verdict: Verdict::Unknown,
                confidence: Permille::default(),
                alerted: false,
                missed_by_alerts: false,
                first_seen: entry.time.map(Timestamp),
                method: None,
                evidence_ids: ids,
                names: Vec::new(),
                role: None,
                owner: None,
                criticality: None,
                reasons: Vec::new(),
            });
        }
        spread.hosts.sort_by(|a, b| a.host.cmp(&b.host));
    }

    fn edge_evidence(&self, edge: &Edge, proof: &mut Proof<'_>) -> Vec<Text> {
        let what = edge.class.name();
        let claim = format!("{} → {}: {what}", self.hosts.list[edge.from].shown, self.hosts.list[edge.to].shown);
        proof.add(&claim, "edge", edge.why.first().map(|it| it.0), 0, edge.places.iter().copied())
    }

    fn edges(&self, spread: &mut Spread, proof: &mut Proof<'_>) {
        for edge in self.edges {
            let ids = self.edge_evidence(edge, proof);
            spread.edges.push(SpreadEdge {
                from: self.shown(edge.from),
                to: self.shown(edge.to),
                class: edge.class,
                observations: names(&edge.observations),
                first_seen: edge.first.map(Timestamp),
                method: edge.method.clone(),
                confidence: edge.confidence,
                reasons: edge
                    .why
                    .iter()
                    .take(12)
                    .map(|(rule, points, text)| Reason {
                        rule: (*rule).into(),
                        points: *points,
                        text: text.clone(),
                        evidence_ids: Vec::new(),
                    })
                    .collect(),
                evidence_ids: ids,
                ports: edge.ports.clone(),
            });
        }
        if let Some(entry) = &self.origin.entry
            && let Some(source) = &entry.source
        {
            let from = self.hosts.find(source, entry.time).map_or_else(|| source.clone(), |it| self.shown(it));
            let ids = proof.add(
                &format!("{} came in from {source}: {}", self.hosts.list[entry.to].shown, entry.says),
                "entry",
                None,
                0,
                entry.places.iter().copied(),
            );
            spread.edges.push(SpreadEdge {
                from,
                to: self.shown(entry.to),
                class: EdgeClass::Compromised,
                observations: names(&[Observation::Contacted, Observation::ExploitTried, Observation::Executed].into()),
                first_seen: entry.time.map(Timestamp),
                method: Some(entry.method.clone()),
                confidence: entry.confidence,
                reasons: vec![Reason {
                    rule: "entry".into(),
                    points: 0,
                    text: entry.says.clone(),
                    evidence_ids: ids.clone(),
                }],
                evidence_ids: ids,
                ports: Vec::new(),
            });
            spread.edges.sort_by(|a, b| {
                (a.first_seen.is_none(), a.first_seen, &a.from, &a.to).cmp(&(
                    b.first_seen.is_none(),
                    b.first_seen,
                    &b.from,
                    &b.to,
                ))
            });
        }
    }

    fn discrepancies(&self, spread: &mut Spread, proof: &mut Proof<'_>) {
        let mut all: Vec<Discrepancy> = Vec::new();
        let mut add = |kind: &str, host: Option<Text>, text: String, places: Vec<Ref>, proof: &mut Proof<'_>| {
            let ids = proof.add(&text, "discrepancy", None, 0, places.into_iter().take(6));
            all.push(Discrepancy { kind: kind.into(), host, text, evidence_ids: ids });
        };
        for (host, verdict) in &self.verdicts {
            let judged = &self.state.hosts[*host];
            let shown = self.shown(*host);
            let alert = judged.marks.get("alerted");
            let incoming = self.into.get(host).is_some_and(|it| !it.is_empty());
            match verdict {
                Verdict::AlertedOnly if !incoming => {
                    let logged = self.hosts.list[*host]
                        .names
                        .iter()
                        .chain(&self.hosts.list[*host].addresses)
                        .any(|it| self.input.observed.telemetry.contains_key(it));
                    let seen = logged || self.pairs.all.keys().any(|it| it.0 == *host || it.1 == *host);
                    let text = if seen {
                        format!("{shown} was alerted, and its logs show nothing of the incident")
                    } else {
                        format!(
                            "{shown} was alerted, and is in no other log: neither a flow, nor a process, nor the malware's own log names it"
                        )
                    };
                    add(
                        "alerted_without_evidence",
                        Some(shown.clone()),
                        text,
                        alert.map(|it| it.places.clone()).unwrap_or_default(),
                        proof,
                    );
                }
                Verdict::Compromised if self.case.has_alerts && alert.is_none() => {
                    let best = judged.marks.values().max_by_key(|it| it.points);
                    let why = best.map_or_else(String::new, |it| format!(" ({})", it.text));
                    add(
                        "taken_not_alerted",
                        Some(shown.clone()),
                        format!("{shown} was taken and never alerted{why}"),
                        best.map(|it| it.places.clone()).unwrap_or_default(),
                        proof,
                    );
                }
                _ => {}
            }
            if *verdict == Verdict::Compromised && judged.marks.contains_key("nothing_ran") {
                add(
                    "contradiction",
                    Some(shown.clone()),
                    format!(
                        "{shown} counts as taken, though its processes are logged and nothing of the incident ran there"
                    ),
                    Vec::new(),
                    proof,
                );
            }
            if *verdict != Verdict::Compromised && judged.marks.contains_key("exploit_said_success") {
                let places = judged.marks["exploit_said_success"].places.clone();
                add(
                    "contradiction",
                    Some(shown.clone()),
                    format!("the malware's log says that it took {shown}; the processes logged there do not show it"),
                    places,
                    proof,
                );
            }
            if *verdict == Verdict::Attacked && !judged.watched {
                let places = judged.marks.get("exploit_was_tried").map(|it| it.places.clone()).unwrap_or_default();
                add(
                    "no_telemetry",
                    Some(shown.clone()),
                    format!("{shown} was attacked, and no sensor says how it ended: it may be taken"),
                    places,
                    proof,
                );
            }
        }
        for edge in self.edges.iter().filter(|it| it.class == EdgeClass::Compromised) {
            let (a, b) = (self.state.hosts[edge.from].first, self.state.hosts[edge.to].first);
            if let Some((a, b)) = a.zip(b).filter(|(a, b)| *a > b + 60_000_000) {
                let text = format!(
                    "{} took {}, but shows its first sign later ({}, {}): a clock is wrong, or an earlier sign is missing",
                    self.shown(edge.from),
                    self.shown(edge.to),
                    moment(a),
                    moment(b)
                );
                add("order", Some(self.shown(edge.from)), text, edge.places.clone(), proof);
            }
        }
        for (ip, (names, refs)) in &self.hosts.clashes {
            let names: Vec<String> = names.iter().map(|it| it.to_string()).collect();
            add(
                "address_clash",
                Some(ip.clone()),
                format!(
                    "{ip} belonged to {} at the same time: what is said of the address counts for none of them",
                    names.join(" and ")
                ),
                refs.clone(),
                proof,
            );
        }
        for (host, (ahead, pairs)) in &self.clocks.ahead {
            let shown = self.shown(*host);
            let text = format!(
                "the clock of {shown} is {} seconds {}, by connections that both ends logged ({pairs}); its times are put right",
                ahead.abs() / 1_000_000,
                if *ahead > 0 { "ahead" } else { "behind" }
            );
            add("clock", Some(shown), text, Vec::new(), proof);
        }
        for (host, run) in &self.pairs.unexplained {
            if self.state.is_taken(*host) || self.case.from_remote_runs {
                let shown = self.shown(*host);
                add(
                    "unknown_caller",
                    Some(shown.clone()),
                    format!(
                        "something on another host made {shown} run {} ({}), and no log says which",
                        run.what, run.method
                    ),
                    vec![run.at],
                    proof,
                );
            }
        }
        let undated = self.case.alerts.values().flatten().filter(|it| it.time.is_none());
        let places: Vec<Ref> = undated.map(|it| it.at).collect();
        if !places.is_empty() {
            add(
                "undated_alert",
                None,
                format!("{} alerts have no time that can be: they count for whatever the window is", places.len()),
                places,
                proof,
            );
        }
        for path in &self.case.everyday {
            let on = self.input.observed.programs.keys().filter(|it| it.1 == *path).count();
            let text = format!(
                "an alert names {path}, which {on} hosts have run since the logs begin: it counts as no malware; name it with --alert if it is"
            );
            add("everyday_program", None, text, Vec::new(), proof);
        }
        self.look_alikes(&mut add, proof);
        if self.state.all_taken().is_empty() && self.case.alerts.is_empty() {
            let logged = self.input.observed.telemetry.len();
            let text = format!(
                "no alert, no indicator and no finding to start from: {} of the hosts log for themselves ({} flows by address, port and ten minutes were read); what a network log alone shows is who called whom, so no host can be called taken, and none clean. Name a host, an address, a path or a hash with --alert",
                logged,
                self.input.observed.flows.len()
            );
            add("nothing_to_start_from", None, text, Vec::new(), proof);
        }
        if self.input.observed.dropped > 0 {
            add(
                "limits",
                None,
                format!("{} observations were beyond the limits and are not counted", self.input.observed.dropped),
                Vec::new(),
                proof,
            );
        }
        all.sort_by(|a, b| (&a.kind, &a.host, &a.text).cmp(&(&b.kind, &b.host, &b.text)));
        spread.discrepancies = all;
    }

    /// Programs that share a bad one's name and run from where that name belongs: told once, with how many hosts.
    fn look_alikes(&self, add: &mut Add<'_>, proof: &mut Proof<'_>) {
        let bad: BTreeMap<&str, &Text> = self.case.paths.keys().map(|it| (base_name(it), it)).collect();
        let mut twins: BTreeMap<&Text, (u64, Vec<Ref>)> = BTreeMap::new();
        for ((_, path), program) in &self.input.observed.programs {
            if bad.contains_key(base_name(path)) && self.case.bad(path, program).is_none() && path.contains(['/', '\\'])
            {
                let twin = twins.entry(path).or_default();
                twin.0 += 1;
                twin.1.extend(program.seen.places().take(1));
            }
        }
        for (path, (hosts, places)) in twins.into_iter().take(20) {
            let text =
                format!("{path} is not {}: it ran on {hosts} hosts and counts for nothing", bad[base_name(path)]);
            add("look_alike", None, text, places, proof);
        }
    }

    fn lists(&self, spread: &mut Spread) {
        let ports: Vec<String> = self.state.ports.iter().filter(|it| **it != 139).map(u16::to_string).collect();
        let ports =
            if ports.is_empty() { "the incident's ports".to_owned() } else { format!("port {}", ports.join(", ")) };
        let list = |list: &str, says: String, hosts: BTreeSet<Host>| {
            let mut hosts: Vec<Text> = hosts.into_iter().map(|it| self.shown(it)).collect();
            hosts.sort_by_key(order_of);
            SpreadList { list: list.into(), says, hosts }
        };
        let with = |wanted: &[Observation]| {
            self.edges
                .iter()
                .filter(|it| wanted.iter().any(|o| it.observations.contains(o)))
                .map(|it| it.to)
                .collect::<BTreeSet<Host>>()
        };
        let callers = self.edges.iter().map(|it| it.from).collect();
        let called = with(&[Observation::Contacted, Observation::PortOpen, Observation::ExploitTried]);
        let tried = with(&[Observation::ExploitTried]);
        let open: BTreeSet<Host> = self
            .edges
            .iter()
            .filter(|it| self.pairs.all.get(&(it.from, it.to)).is_some_and(|it| it.scan.is_some()))
            .map(|it| it.to)
            .filter(|it| !tried.contains(it) && !self.state.is_taken(*it))
            .collect();
        let executed = self.state.all_taken().into_iter().collect();
        let alerted =
            self.verdicts.keys().copied().filter(|it| self.state.hosts[*it].marks.contains_key("alerted")).collect();
        spread.lists = vec![
            list("connected", format!("hosts of the incident that called {ports}"), callers),
            list(
                "scanned_or_attacked",
                format!("hosts that were called on {ports}, or that the malware's exploit log names"),
                called,
            ),
            list("executed", "hosts on which the malware ran: taken".to_owned(), executed),
            list(
                "open_not_exploited",
                "hosts that the malware's scan log names and its exploit log does not: port open, not taken".to_owned(),
                open,
            ),
            list("exploit_tried", "hosts on which the exploit was tried".to_owned(), tried),
            list("alerted", "hosts that an alert names".to_owned(), alerted),
        ];
    }

    fn timeline(&self, spread: &mut Spread, proof: &mut Proof<'_>) {
        let mut all: Vec<SpreadMoment> = Vec::new();
        let mut add = |time: Option<i64>, host: Text, description: &str, message: String, ids: Vec<Text>| {
            if let Some(time) = time
                && all.len() < MOMENTS
            {
                all.push(SpreadMoment {
                    time: Timestamp(time),
                    host,
                    description: description.into(),
                    message,
                    evidence_ids: ids,
                });
            }
        };
        for (host, alerts) in &self.case.alerts {
            for alert in alerts.iter().filter(|it| self.case.holds(it.time)) {
                let ids = proof.add(&format!("alert: {}", alert.title), "alert", None, 0, [alert.at]);
                add(
                    alert.time,
                    self.shown(*host),
                    "Alert",
                    format!("Alert on {}: {}", self.shown(*host), alert.title),
                    ids,
                );
            }
        }
        for (host, judged) in self.state.hosts.iter().enumerate() {
            let shown = self.shown(host);
            for (rule, mark) in &judged.marks {
                if mark.time.is_some() && *rule != "alerted" {
                    let ids = proof.add(
                        &format!("{shown}: {}", mark.text),
                        "host",
                        Some(rule),
                        mark.points,
                        mark.places.iter().copied(),
                    );
                    add(mark.time, shown.clone(), "First sign", format!("{shown}: {}", mark.text), ids);
                }
            }
        }
        for edge in &spread.edges {
            let verb = match edge.class {
                EdgeClass::Compromised => "took",
                EdgeClass::AttackedFailed => "attacked, without success,",
                EdgeClass::AttackedUnknown => "attacked",
                EdgeClass::Scanned => "scanned",
            };
            let by = edge.method.as_ref().map_or_else(String::new, |it| format!(" by {it}"));
            let message = format!(
                "{} {verb} {}{by} ({})",
                edge.from,
                edge.to,
                edge.observations.iter().map(|it| it.to_string()).collect::<Vec<_>>().join(", ")
            );
            add(edge.first_seen.map(|it| it.0), edge.to.clone(), "Spread", message, edge.evidence_ids.clone());
        }
        all.sort_by(|a, b| (a.time, &a.host, &a.message).cmp(&(b.time, &b.host, &b.message)));
        all.dedup();
        spread.timeline = all;
    }
}

fn names(all: &BTreeSet<Observation>) -> Vec<Text> {
    let mut names: Vec<Text> = all.iter().map(|it| it.name().into()).collect();
    names.sort();
    names
}

/// Addresses by number, then names.
fn order_of(host: &Text) -> (Option<std::net::IpAddr>, Text) {
    (host.parse().ok(), host.clone())
}
