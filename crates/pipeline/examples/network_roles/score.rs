//! What is told of each caller, against the truth: by role, by kind, and by counting instead.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::IpAddr;

use ringleader_pipeline::label::network::NetworkRole;
use ringleader_pipeline::label::network::flow::{Flow, is_internal};
use ringleader_pipeline::label::network::roles::{About, Fleet, Kept, roles};
use ringleader_pipeline::label::network::sums::{Settled, Sums};
use ringleader_pipeline::label::network::thresholds::{LOGIN, LOGIN_OF_APPS, POOL, REMOTE_CONTROL};

use super::traffic::World;

const ROLES: &[NetworkRole] = &[
    NetworkRole::Scan,
    NetworkRole::BruteForce,
    NetworkRole::Ddos,
    NetworkRole::C2,
    NetworkRole::Exfiltration,
    NetworkRole::Lateral,
    NetworkRole::MiningPool,
];

#[derive(Default)]
pub(crate) struct Page {
    ours: Tally,
    /// Nobody is known to be suspicious.
    blind: Tally,
    counting: Tally,
    /// (role, kind) → told, of how many.
    kinds: BTreeMap<(NetworkRole, &'static str), (u64, u64)>,
    /// Guesses that got in: told so, of how many; and those said to have that did not.
    got_in: (u64, u64, u64),
    fetched: (u64, u64),
    wrong: BTreeMap<(NetworkRole, String), u64>,
    flows: u64,
}

#[derive(Default)]
struct Tally(BTreeMap<NetworkRole, [u64; 3]>);

impl Tally {
    fn add(
        &mut self,
        told: &BTreeSet<(IpAddr, NetworkRole)>,
        truth: &BTreeSet<(IpAddr, NetworkRole)>,
        roles: &[NetworkRole],
    ) {
        for role in roles {
            let of = |set: &BTreeSet<(IpAddr, NetworkRole)>| {
                set.iter().filter(|it| it.1 == *role).map(|it| it.0).collect::<BTreeSet<_>>()
            };
            let (told, truth) = (of(told), of(truth));
            let slot = self.0.entry(*role).or_default();
            slot[0] += told.intersection(&truth).count() as u64;
            slot[1] += told.len() as u64;
            slot[2] += truth.len() as u64;
        }
    }

    fn of(&self, role: NetworkRole) -> (f64, f64) {
        let [right, told, truth] = self.0.get(&role).copied().unwrap_or_default();
        (right as f64 / told.max(1) as f64, right as f64 / truth.max(1) as f64)
    }

    fn macro_of(&self) -> (f64, f64) {
        let all: Vec<(f64, f64)> = self.0.keys().map(|it| self.of(*it)).collect();
        let n = all.len().max(1) as f64;
        (all.iter().map(|it| it.0).sum::<f64>() / n, all.iter().map(|it| it.1).sum::<f64>() / n)
    }
}

fn settled(flows: &[Flow]) -> Settled {
    let mut sums = Sums::default();
    flows.iter().for_each(|it| sums.add(it));
    sums.settle()
}

impl Page {
    pub(crate) fn add(&mut self, world: &World) {
        self.flows += world.flows.len() as u64;
        let settled = settled(&world.flows);
        let fleet = Fleet::of(&settled, |it| world.suspicious.contains(it));
        let mut told = BTreeSet::new();
        let mut blind = BTreeSet::new();
        for caller in settled.callers() {
            let src = caller[0].0.src;
            let suspicious = world.suspicious.contains(&src);
            for knows in [true, false] {
                let about = About { suspicious: suspicious && knows, fleet: Some(&fleet), ..About::default() };
                for found in roles(caller, Kept::of(&settled), &about) {
                    let Some(role) = found.role() else { continue };
                    if !knows {
                        blind.insert((src, role));
                        continue;
                    }
                    told.insert((src, role));
                    if !world.truth.contains(&(src, role)) {
                        *self.wrong.entry((role, format!("{} at {src}", found.kind.name()))).or_default() += 1;
                    }
                    if role == NetworkRole::BruteForce {
                        let gets_in = world.kinds.iter().any(|it| it.0 == src && it.2.contains("gets in"));
                        self.got_in.0 += u64::from(gets_in && found.succeeded);
                        self.got_in.2 += u64::from(!gets_in && found.succeeded);
                    }
                }
            }
        }
        for (src, role, kind) in &world.kinds {
            let slot = self.kinds.entry((*role, kind)).or_default();
            slot.0 += u64::from(told.contains(&(*src, *role)));
            slot.1 += 1;
            self.got_in.1 += u64::from(kind.contains("gets in"));
        }
        self.ours.add(&told, &world.truth, ROLES);
        self.blind.add(&blind, &world.truth, &ROLES[..3]);
        self.counting.add(&counted(world), &world.truth, ROLES);
        let process = self::settled(&world.fetched);
        let about = About { suspicious: true, of_process: true, fetches: true, fleet: Some(&fleet) };
        let found = process.callers().flat_map(|it| roles(it, Kept::ALL, &about));
        self.fetched.0 += found.filter(|it| it.role() == Some(NetworkRole::DownloadSource)).count() as u64;
        self.fetched.1 += world.fetched.len() as u64;
    }

    pub(crate) fn markdown(&self, seeds: u64) -> String {
        let mut out = format!(
            "# Network roles, measured\n\nMade by `cargo run --release -p ringleader-pipeline --example network_roles -- {seeds}`: {seeds} seeds, \
             {} flows. A fleet at work for four days (clocks, monitoring, health checks, telemetry, updates, a crawler, builds, a mail \
             server, a swarm, backups, playbooks, phones …); half of it infected, each with one trade, beside its honest work; four \
             more are suspicious and do nothing on the network. The traffic is made from what is public of tools and programs, not \
             from the thresholds, and these seeds were not looked at while the rules were written; 2% of the flows are lost. A role counts once for each caller. \
             The traffic and the rules have one author, and its honest part is finite: expect less of a network that neither has seen. \
             What was wrong on public samples stands in [network-roles.md](network-roles.md).\n\n\
             *Flows alone*: nobody is known to be suspicious. *Counting*: more than so many calls, targets or bytes, of the same suspicious \
             hosts (for scans, guesses and floods of all).\n\n\
             | role | precision | recall | flows alone | counting |\n|---|---|---|---|---|\n",
            self.flows
        );
        let two = |it: (f64, f64)| format!("{:.3} / {:.3}", it.0, it.1);
        for role in ROLES {
            let (precision, recall) = self.ours.of(*role);
            let blind = if self.blind.0.contains_key(role) { two(self.blind.of(*role)) } else { "not told".to_owned() };
            let counting = two(self.counting.of(*role));
            let _ = writeln!(out, "| `{}` | {precision:.3} | {recall:.3} | {blind} | {counting} |", role.name());
        }
        let (precision, recall) = self.ours.macro_of();
        let _ = writeln!(
            out,
            "| macro | {precision:.3} | {recall:.3} | {} | {} |\n",
            two(self.blind.macro_of()),
            two(self.counting.macro_of())
        );
        let (right, of, wrong) = self.got_in;
        let _ = writeln!(out, "Guesses that got in: {right} of {of} told, {wrong} told that did not.");
        let _ = writeln!(
            out,
            "`download_source`, of the process that fetched: {} of {}.\n",
            self.fetched.0, self.fetched.1
        );
        out.push_str("| kind | told |\n|---|---|\n");
        for ((role, kind), (told, of)) in &self.kinds {
            let _ = writeln!(out, "| {}: {kind} | {told} of {of} |", role.name());
        }
        out.push_str("\nWhat was told wrongly, and of whom (`10.20.0.x` below 31 are servers with one task each):\n\n| role | what | times |\n|---|---|---|\n");
        for ((role, what), times) in &self.wrong {
            let _ = writeln!(out, "| {} | {what} | {times} |", role.name());
        }
        out
    }
}

/// More than so many.
fn counted(world: &World) -> BTreeSet<(IpAddr, NetworkRole)> {
    let mut told = BTreeSet::new();
    let mut targets: BTreeMap<(IpAddr, u16), BTreeSet<IpAddr>> = BTreeMap::new();
    let mut ports: BTreeMap<(IpAddr, IpAddr), BTreeSet<u16>> = BTreeMap::new();
    let mut calls: BTreeMap<(IpAddr, IpAddr, u16), (u64, u64)> = BTreeMap::new();
    for flow in &world.flows {
        targets.entry((flow.src, flow.port)).or_default().insert(flow.dst);
        ports.entry((flow.src, flow.dst)).or_default().insert(flow.port);
        let slot = calls.entry((flow.src, flow.dst, flow.port)).or_default();
        slot.0 += 1;
        slot.1 += flow.sent.unwrap_or(0);
    }
    told.extend(targets.iter().filter(|it| it.1.len() > 100).map(|it| (it.0.0, NetworkRole::Scan)));
    told.extend(ports.iter().filter(|it| it.1.len() > 100).map(|it| (it.0.0, NetworkRole::Scan)));
    for ((src, dst, port), (n, sent)) in &calls {
        let login = LOGIN.contains(port) || LOGIN_OF_APPS.contains(port);
        if login && *n > 20 {
            told.insert((*src, NetworkRole::BruteForce));
        }
        if *n > 5_000 {
            told.insert((*src, NetworkRole::Ddos));
        }
        if !world.suspicious.contains(src) {
            continue;
        }
        let roles = [
            (NetworkRole::C2, !is_internal(dst) && *n > 100),
            (NetworkRole::Exfiltration, !is_internal(dst) && *sent > 20 << 20),
            (NetworkRole::Lateral, is_internal(dst) && REMOTE_CONTROL.contains(port)),
            (NetworkRole::MiningPool, POOL.contains(port)),
        ];
        told.extend(roles.into_iter().filter(|it| it.1).map(|it| (*src, it.0)));
    }
    told
}
