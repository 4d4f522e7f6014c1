//! connections, one after the other → sums by pair, port, reporter and ten minutes; servers outside with their callers;
//! a sample of connections for comparing clocks.
//!
//! It takes the rows of a bucket, and flows of the wire as they are read, before they are kept anywhere: ten million take
//! no more room than their sums. Deliberately absent: what they mean.

use std::collections::HashMap;
use std::sync::Arc;

use ringleader_model::findings::Text;
use ringleader_model::hash::{fold64, hash64};
use ringleader_model::{Activity, Event, EventClass, EventId, Field, SensorRole};

use super::observe::{
    Flow, FlowKey, MAX_PAIRS, MAX_SERVERS, Observed, Ref, Seen, Server, address, is_internal, is_usual,
};
use super::observe::{MAX_CALLERS, outcome, slot, spell};
use super::rules::Rules;
use crate::collect::artefacts::kind;

/// One connection, as one reporter saw it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    /// An address, or the name of the reporter where it logs no address of its own.
    pub src: &'a str,
    pub src_port: Option<u16>,
    pub dst: &'a str,
    pub port: u16,
    pub time: Option<i64>,
    pub state: &'a str,
    pub bytes: u64,
    pub count: u64,
    pub program: Option<&'a str>,
    /// The host that logged it; none for a sensor on the wire.
    pub reporter: Option<&'a str>,
    pub at: Ref,
}

/// A label's number, in the order they came.
type Label = u32;
/// From, to, port, slot, reporter, program.
type Key = (Label, Label, u16, i64, Label, Label);
const NONE: Label = 0;

#[derive(Debug, Clone)]
struct Known {
    text: Text,
    /// Of an address; `None`: a name, or no host's address.
    internal: Option<bool>,
}

#[derive(Debug)]
pub struct Flows<'a> {
    rules: &'a Rules,
    numbers: HashMap<Box<str>, Label>,
    known: Vec<Known>,
    sums: HashMap<Key, Flow>,
    /// (server, port) → (caller, of its own clock) → when
    servers: HashMap<(Label, u16), HashMap<(Label, bool), Seen>>,
    out: Observed,
    taken: u64,
}

impl<'a> Flows<'a> {
    pub fn new(rules: &'a Rules) -> Self {
        Self {
            rules,
            numbers: HashMap::new(),
            known: vec![Known { text: Arc::from(""), internal: None }],
            sums: HashMap::new(),
            servers: HashMap::new(),
            out: Observed::default(),
            taken: 0,
        }
    }

    /// Takes an event where it is a plain flow of a sensor on the wire, and says whether it did.
    pub fn take(&mut self, event: &Event<'_>, id: EventId, source: u32, offset: u64, length: u32) -> bool {
        let plain = event.class == EventClass::Network
            && event.sensor_role == SensorRole::Network
            && matches!(event.activity, Activity::Traffic | Activity::Open)
            && event.get(Field::HostIp).is_none();
        let (Some(src), Some(dst)) = (event.get(Field::SrcIp), event.get(Field::DstIp)) else { return false };
        let state = event.get(Field::State).unwrap_or("");
        let artefact = [kind::SCAN_LOG, kind::EXPLOIT_LOG, kind::KNOWN_HOST].contains(&state);
        let Some(port) = event.get(Field::DstPort).and_then(|it| it.parse().ok()) else { return false };
        if !plain || artefact {
            return false;
        }
        let number = |field| event.get(field).and_then(|it| it.parse::<u64>().ok());
        let call = Call {
            src,
            src_port: event.get(Field::SrcPort).and_then(|it| it.parse().ok()),
            dst,
            port,
            time: event.time.map(|it| it.0),
            state,
            bytes: number(Field::BytesOut).unwrap_or(0).saturating_add(number(Field::BytesIn).unwrap_or(0)),
            count: number(Field::Count).unwrap_or(1).max(1),
            program: None,
            reporter: None,
            at: Ref { id, source, offset, length },
        };
        if let Some(time) = call.time {
            self.out.first = Some(self.out.first.map_or(time, |it| it.min(time)));
            self.out.last = Some(self.out.last.map_or(time, |it| it.max(time)));
        }
        self.add(&call);
        self.taken += 1;
        true
    }

    /// Events that were taken.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    fn label(&mut self, text: &str, name: bool) -> Label {
        if let Some(label) = self.numbers.get(text) {
            return *label;
        }
        let label = self.known.len() as Label;
        let known = match address(text).filter(|_| !name) {
            Some(ip) => Known { text: Arc::from(ip.to_string()), internal: Some(is_internal(&ip)) },
            None => Known { text: Arc::from(text), internal: None },
        };
        self.numbers.insert(text.into(), label);
        self.known.push(known);
        label
    }

    pub(super) fn add(&mut self, call: &Call<'_>) {
        let dst = self.label(call.dst, false);
        let Some(inside) = self.known[dst as usize].internal else { return };
        let of_host = call.reporter.is_some();
        let src = self.label(call.src, false);
        let spreads = self.rules.ports.contains_key(&call.port);
        match self.known[src as usize].internal {
            None if !of_host || call.reporter != Some(call.src) => return,
            None => {}
            Some(own) => {
                if self.known[src as usize].text == self.known[dst as usize].text {
                    return;
                }
                if of_host || spreads {
                    self.pair(call, src, dst);
                }
                if own && !inside && call.port < 49152 {
                    self.server(call, src, dst, of_host);
                }
                if !own && !inside && !spreads {
                    return;
                }
            }
        }
        // To the internet, only what malware spreads over matters here; high ports are a call's own end.
        if (!inside && !spreads) || call.port >= 49152 {
            return;
        }
        let reporter = call.reporter.map_or(NONE, |it| self.label(it, true));
        let program = call.program.filter(|it| it.contains(['/', '\\']));
        let program = program.map_or(NONE, |it| self.label(it, true));
        let flow = self.sums.entry((src, dst, call.port, slot(call.time), reporter, program)).or_default();
        flow.seen.add(call.time, call.count, call.at);
        flow.seen.refs.truncate(1);
        flow.bytes = flow.bytes.max(call.bytes);
        match outcome(call.state) {
            Some(true) => flow.answered += call.count,
            Some(false) => flow.refused += call.count,
            None => {}
        }
    }

    fn pair(&mut self, call: &Call<'_>, src: Label, dst: Label) {
        let (Some(src_port), Some(time)) = (call.src_port.filter(|it| *it > 1023), call.time) else { return };
        let (src, dst) = (&self.known[src as usize].text, &self.known[dst as usize].text);
        let parts = [src, dst].map(|it| hash64(it.as_bytes()));
        let hash = fold64([parts[0], u64::from(src_port), parts[1], u64::from(call.port)]);
        // Most of ten million connections are not among those that are kept.
        let full = self.out.pairs.len() >= MAX_PAIRS && self.out.pairs.last_key_value().is_some_and(|it| it.0.0 < hash);
        if !full {
            let reporter = Arc::from(call.reporter.unwrap_or(""));
            self.out.add_pair((hash, (src.clone(), src_port, dst.clone(), call.port)), reporter, time);
        }
    }

    fn server(&mut self, call: &Call<'_>, src: Label, dst: Label, own_clock: bool) {
        let server = (dst, call.port);
        if self.servers.len() >= 4 * MAX_SERVERS && !self.servers.contains_key(&server) {
            return;
        }
        let callers = self.servers.entry(server).or_default();
        // One more than can be told apart, so that it is known to be popular.
        if callers.len() <= MAX_CALLERS || callers.contains_key(&(src, own_clock)) {
            let seen = callers.entry((src, own_clock)).or_default();
            seen.add(call.time, 1, call.at);
            seen.refs.truncate(1);
        }
    }

    /// The sums, with what stands in `out` already.
    pub fn done(mut self) -> Observed {
        let text = |label: Label| self.known[label as usize].text.clone();
        let mut sums: Vec<(Key, Flow)> = std::mem::take(&mut self.sums).into_iter().collect();
        sums.sort_unstable_by_key(|it| it.0);
        let mut programs: HashMap<Label, Option<Text>> = HashMap::from([(NONE, None)]);
        for ((src, dst, port, slot, reporter, program), flow) in sums {
            let program = programs.entry(program).or_insert_with(|| {
                let path = text(program);
                (!is_usual(&path)).then(|| Text::from(spell(&path)))
            });
            let key = FlowKey {
                src: text(src),
                dst: text(dst),
                port,
                slot,
                reporter: text(reporter),
                program: program.clone(),
            };
            self.out.add_flow(key, flow);
        }
        let mut servers: Vec<_> = std::mem::take(&mut self.servers).into_iter().collect();
        servers.sort_unstable_by_key(|it| it.0);
        for ((server, port), callers) in servers {
            let server = text(server);
            let callers = callers.into_iter().map(|((caller, own), it)| ((text(caller), own), it)).collect();
            let hash = hash64(server.as_bytes()) ^ u64::from(port);
            self.out.servers.entry((hash, server, port)).or_default().merge(Server { callers, popular: false });
        }
        while self.out.servers.len() > MAX_SERVERS {
            self.out.servers.pop_last();
        }
        self.out
    }
}
