//! Segments → flows, and the first bytes of each direction, put in order.
//!
//! Deliberately absent: checks of checksums and windows; what comes after the first 16 KiB of a direction.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use ringleader_model::{Activity, Event, EventClass, Field, Malformed, SensorRole, Timestamp};

use super::super::Sink;
use super::super::wire::HttpRequest;

/// The most flows of one capture; packets of further ones are rejected.
const MAX_FLOWS: usize = 1_000_000;
/// How much of a direction is put in order.
const MAX_STREAM: usize = 16 << 10;
/// How much is held for all flows together; beyond, flows are counted but not looked into.
const MAX_HELD: usize = 64 << 20;
/// Segments of one direction that wait for one before them.
const MAX_WAITING: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Endpoint(pub IpAddr, pub u16);

#[derive(Clone, Copy)]
pub(super) struct Tcp {
    pub seq: u32,
    pub syn: bool,
    pub ack: bool,
    pub fin: bool,
    pub rst: bool,
}

pub(super) struct Segment<'a> {
    pub from: Endpoint,
    pub to: Endpoint,
    pub time: Option<Timestamp>,
    /// Offset and length of the packet.
    pub place: (u64, u32),
    /// `None`: UDP.
    pub tcp: Option<Tcp>,
    pub payload: &'a [u8],
}

impl Segment<'_> {
    /// What an event's content starts with, in place of the packet's place.
    pub(super) fn key(&self) -> String {
        key(self.time, self.from, self.to)
    }
}

fn key(time: Option<Timestamp>, from: Endpoint, to: Endpoint) -> String {
    format!("packets {} {}:{} {}:{}", time.unwrap_or_default().0, from.0, from.1, to.0, to.1)
}

pub(super) fn set_endpoints(event: &mut Event<'_>, from: Endpoint, to: Endpoint, protocol: &'static str) {
    event.set(Field::SrcIp, from.0.to_string());
    event.set(Field::SrcPort, u32::from(from.1));
    event.set(Field::DstIp, to.0.to_string());
    event.set(Field::DstPort, u32::from(to.1));
    event.set(Field::Protocol, protocol);
}

pub(super) struct Flows {
    most_flows: usize,
    most_held: usize,
    /// In the order of their first packets.
    flows: Vec<Flow>,
    /// (is TCP, lower endpoint, higher one) → the flow that is under way.
    open: HashMap<(bool, Endpoint, Endpoint), usize>,
    held: usize,
    unread: u64,
}

impl Default for Flows {
    fn default() -> Self {
        Self::bounded(MAX_FLOWS, MAX_HELD)
    }
}

struct Flow {
    /// Who opened it, as far as the capture shows: the sender of the SYN, else of the first packet.
    from: Endpoint,
    to: Endpoint,
    tcp: bool,
    time: Option<Timestamp>,
    place: (u64, u32),
    bytes: [u64; 2],
    packets: [u64; 2],
    seen: Seen,
    streams: [Option<Box<Stream>>; 2],
}

#[derive(Default, Clone, Copy)]
struct Seen {
    syn: bool,
    syn_ack: bool,
    fin: bool,
    rst: bool,
}

impl Seen {
    fn state(self) -> &'static str {
        match self {
            Self { syn: true, syn_ack: false, rst: true, .. } => "refused",
            Self { syn: true, syn_ack: false, .. } => "attempt",
            Self { rst: true, .. } => "reset",
            Self { fin: true, .. } => "closed",
            Self { syn_ack: true, .. } => "established",
            Self { .. } => "midstream",
        }
    }
}

/// One direction's bytes, as far as they are in order and may be HTTP.
#[derive(Default)]
struct Stream {
    next: Option<u32>,
    bytes: Vec<u8>,
    /// Where each packet's bytes start, its time and its place.
    marks: Vec<(usize, Option<Timestamp>, (u64, u32))>,
    waiting: BTreeMap<u32, Vec<u8>>,
    done: bool,
}

impl Flows {
    fn bounded(most_flows: usize, most_held: usize) -> Self {
        Self { most_flows, most_held, flows: Vec::new(), open: HashMap::new(), held: 0, unread: 0 }
    }

    pub(super) fn take(&mut self, segment: Segment<'_>) -> Result<(), Malformed> {
        let (low, high) = (segment.from.min(segment.to), segment.from.max(segment.to));
        let name = (segment.tcp.is_some(), low, high);
        let opens = segment.tcp.is_some_and(|it| it.syn && !it.ack);
        // The same ports again, after the end of the flow before.
        let known = self
            .open
            .get(&name)
            .copied()
            .filter(|it| !(opens && (self.flows[*it].seen.fin || self.flows[*it].seen.rst)));
        let at = match known {
            Some(at) => at,
            None => {
                if self.flows.len() >= self.most_flows {
                    return Err(Malformed::new("packet beyond the limit of 1,000,000 flows in one capture"));
                }
                let answers = segment.tcp.is_some_and(|it| it.syn && it.ack);
                let (from, to) = if answers { (segment.to, segment.from) } else { (segment.from, segment.to) };
                self.flows.push(Flow {
                    from,
                    to,
                    tcp: segment.tcp.is_some(),
                    time: segment.time,
                    place: segment.place,
                    bytes: [0; 2],
                    packets: [0; 2],
                    seen: Seen::default(),
                    streams: [None, None],
                });
                self.open.insert(name, self.flows.len() - 1);
                self.flows.len() - 1
            }
        };
        let flow = &mut self.flows[at];
        let side = usize::from(segment.from != flow.from);
        flow.packets[side] += 1;
        flow.bytes[side] += segment.payload.len() as u64;
        let Some(tcp) = segment.tcp else { return Ok(()) };
        flow.seen.syn |= tcp.syn && !tcp.ack;
        flow.seen.syn_ack |= tcp.syn && tcp.ack;
        flow.seen.fin |= tcp.fin;
        flow.seen.rst |= tcp.rst;
        if !tcp.syn && segment.payload.is_empty() {
            return Ok(());
        }
        let stream = flow.streams[side].get_or_insert_default();
        if self.held >= self.most_held && !stream.done {
            stream.done = true;
            self.unread += 1;
        }
        let before = stream.held();
        stream.take(tcp, &segment);
        self.held = self.held + stream.held() - before;
        Ok(())
    }

    /// Emits the flows in the order of their first packets, each followed by its requests.
    pub(super) fn finish(self, sink: &mut dyn Sink) {
        for flow in &self.flows {
            flow.emit(sink);
        }
        if self.unread > 0 {
            let why =
                format!("not looked into for HTTP requests, beyond 64 MiB of streams: {} directions", self.unread);
            sink.reject_at(0, b"", Malformed::from(why));
        }
    }
}

impl Stream {
    fn held(&self) -> usize {
        self.bytes.len() + self.waiting.values().map(Vec::len).sum::<usize>()
    }

    fn take(&mut self, tcp: Tcp, segment: &Segment<'_>) {
        if self.done {
            return;
        }
        // The SYN takes one number; where none was seen, the first bytes seen are the first.
        let seq = if tcp.syn { tcp.seq.wrapping_add(1) } else { tcp.seq };
        let next = *self.next.get_or_insert(seq);
        if segment.payload.is_empty() {
            return;
        }
        let ahead = seq.wrapping_sub(next).cast_signed();
        if ahead > 0 {
            let near = usize::try_from(ahead).is_ok_and(|it| it < MAX_STREAM);
            if near && self.waiting.len() < MAX_WAITING {
                let part = &segment.payload[..segment.payload.len().min(MAX_STREAM)];
                self.waiting.entry(seq).or_insert_with(|| part.to_vec());
            }
            return;
        }
        self.append(seq, segment.payload, segment);
        // What waited may follow now; sequence numbers wrap, so the order of the map is not that of the stream.
        while let Some(seq) = self
            .waiting
            .keys()
            .copied()
            .find(|it| self.next.is_some_and(|next| it.wrapping_sub(next).cast_signed() <= 0))
        {
            let Some(part) = self.waiting.remove(&seq) else { break };
            self.append(seq, &part, segment);
        }
        let may_be_http = HttpRequest::may_start(&self.bytes);
        if !may_be_http {
            *self = Self { done: true, ..Self::default() };
        } else if self.bytes.len() >= MAX_STREAM {
            self.bytes.truncate(MAX_STREAM);
            self.waiting.clear();
            self.done = true;
        }
    }

    /// Appends what is new of a segment that starts at or before the next expected byte.
    fn append(&mut self, seq: u32, payload: &[u8], segment: &Segment<'_>) {
        let next = self.next.unwrap_or(seq);
        let old = usize::try_from(next.wrapping_sub(seq)).unwrap_or(usize::MAX);
        let Some(new) = payload.get(old..).filter(|it| !it.is_empty()) else { return };
        self.marks.push((self.bytes.len(), segment.time, segment.place));
        self.bytes.extend_from_slice(new);
        // A segment is no longer than a packet.
        self.next = Some(next.wrapping_add(u32::try_from(new.len()).unwrap_or(0)));
    }
}

impl Flow {
    fn emit(&self, sink: &mut dyn Sink) {
        let protocol = if self.tcp { "tcp" } else { "udp" };
        let mut event = Event::new(EventClass::Network, Activity::Traffic);
        event.sensor_role = SensorRole::Network;
        event.time = self.time;
        set_endpoints(&mut event, self.from, self.to, protocol);
        event.set(Field::BytesOut, self.bytes[0].to_string());
        event.set(Field::BytesIn, self.bytes[1].to_string());
        event.set(Field::State, self.tcp.then(|| self.seen.state()));
        let packets = format!("packets {} out, {} in", self.packets[0], self.packets[1]);
        let content =
            format!("{} {protocol} {} {} {packets}", key(self.time, self.from, self.to), self.bytes[0], self.bytes[1]);
        event.set(Field::Detail, packets);
        sink.emit_at(&event, self.place.0, self.place.1, content.as_bytes());
        for (side, stream) in self.streams.iter().enumerate() {
            let Some(stream) = stream else { continue };
            let (from, to) = if side == 0 { (self.from, self.to) } else { (self.to, self.from) };
            let mut at = 0;
            while let Some(request) = stream.bytes.get(at..).and_then(HttpRequest::parse) {
                let mark = stream.marks.iter().rev().find(|it| it.0 <= at).copied();
                let (_, time, place) = mark.unwrap_or((0, self.time, self.place));
                let mut event = Event::new(EventClass::Http, Activity::Request);
                event.sensor_role = SensorRole::Network;
                event.time = time;
                set_endpoints(&mut event, from, to, protocol);
                request.fill(&mut event);
                let raw = &stream.bytes[at..at + request.length];
                let content = [key(time, from, to).as_bytes(), b" http ", raw].concat();
                sink.emit_at(&event, place.0, place.1, &content);
                at += request.length;
                at += stream.bytes[at..].len() - stream.bytes[at..].trim_ascii_start().len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::Shown;
    use super::*;

    fn take(flows: &mut Flows, port: u16, seq: u32, payload: &[u8]) -> Result<(), Malformed> {
        let tcp = Tcp { seq, syn: false, ack: true, fin: false, rst: false };
        let from = Endpoint([192, 0, 2, 1].into(), port);
        let to = Endpoint([198, 51, 100, 2].into(), 80);
        flows.take(Segment { from, to, time: None, place: (0, 0), tcp: Some(tcp), payload })
    }

    fn shown(flows: Flows) -> Vec<String> {
        let mut shown = Shown::default();
        flows.finish(&mut shown);
        shown.0
    }

    #[test]
    fn flows_beyond_the_limit_are_rejected_and_known_ones_go_on() {
        let mut flows = Flows::bounded(1, MAX_HELD);
        assert!(take(&mut flows, 4000, 1, b"").is_ok());
        assert!(take(&mut flows, 4001, 1, b"").is_err());
        assert!(take(&mut flows, 4000, 1, b"").is_ok());
        assert_eq!(shown(flows).len(), 1);
    }

    #[test]
    fn streams_beyond_what_is_held_are_told() {
        let mut flows = Flows::bounded(MAX_FLOWS, 10);
        take(&mut flows, 4000, 1, b"GET /a HTTP/1.1\r\n\r\n").unwrap();
        take(&mut flows, 4001, 1, b"GET /b HTTP/1.1\r\n\r\n").unwrap();
        let got = shown(flows);
        assert!(got[1].contains(r#"url="/a""#), "{got:#?}");
        assert!(got[3].starts_with("REJECTED") && got[3].ends_with("1 directions"), "{got:#?}");
        assert_eq!(got.len(), 4);
    }

    #[test]
    fn a_long_body_is_cut_at_the_stream_s_limit() {
        let mut flows = Flows::default();
        let head = b"POST /a HTTP/1.1\r\n\r\n";
        take(&mut flows, 4000, 1, head).unwrap();
        for n in 0..30u32 {
            take(&mut flows, 4000, 1 + 20 + n * 1000, &[b'x'; 1000]).unwrap();
        }
        let got = shown(flows);
        assert_eq!(got[1].matches('x').count(), MAX_STREAM - head.len());
    }
}
