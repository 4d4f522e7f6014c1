//! an event that tells of a connection → who called whom, and what came of it. Deliberately absent: names for addresses.

use std::net::IpAddr;

use ringleader_model::{Activity, Event, EventClass, EventId, Field};

use crate::collect::rows::{Bucket, Place, Row};

/// What came of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Answered,
    /// Refused, dropped, or no answer at all.
    Dead,
    Unknown,
}

/// One connection, or several that the sensor put together.
#[derive(Debug, Clone, Copy)]
pub struct Flow {
    pub src: IpAddr,
    pub dst: IpAddr,
    /// Of the called service; 0 where the protocol has none.
    pub port: u16,
    pub src_port: u16,
    pub proto: Proto,
    pub time: Option<i64>,
    pub sent: Option<u64>,
    pub received: Option<u64>,
    pub outcome: Outcome,
    pub count: u64,
    pub at: At,
}

/// Where its record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
pub struct At {
    pub event: u128,
    pub source: u32,
    pub length: u32,
    pub offset: u64,
}

impl At {
    pub fn new(id: EventId, place: Place) -> Self {
        Self { event: id.0, source: place.source, length: place.length, offset: place.offset }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Proto {
    Tcp,
    Udp,
    Icmp,
    Other,
}

impl Proto {
    fn of(text: Option<&str>) -> Self {
        match text.map(str::trim) {
            None => Self::Tcp,
            Some(it) if it.eq_ignore_ascii_case("tcp") || it == "6" || it.eq_ignore_ascii_case("t") => Self::Tcp,
            Some(it) if it.eq_ignore_ascii_case("udp") || it == "17" || it.eq_ignore_ascii_case("u") => Self::Udp,
            Some("1" | "58") => Self::Icmp,
            Some(it) if it.len() >= 4 && it.is_char_boundary(4) && it[..4].eq_ignore_ascii_case("icmp") => Self::Icmp,
            Some(_) => Self::Other,
        }
    }
}

/// What an event has, whether it is being read or waits in a bucket.
pub trait Fields {
    fn field(&self, field: Field) -> Option<&str>;
}
impl Fields for Event<'_> {
    fn field(&self, field: Field) -> Option<&str> {
        self.get(field)
    }
}
impl Fields for (&Bucket, &Row) {
    fn field(&self, field: Field) -> Option<&str> {
        self.0.text(self.1, field)
    }
}

/// Ports that clients call from: a call from below them to above is an answer that the sensor took for a call.
const SERVICES: u16 = 1024;

impl Flow {
    /// Of a record of class network activity.
    pub fn of(class: EventClass, activity: Activity, it: &impl Fields, time: Option<i64>, at: At) -> Option<Self> {
        // A sensor that reads protocols tells of one connection several times: only its flow counts.
        let opened = activity == Activity::Open && it.field(Field::Session).is_none();
        if class != EventClass::Network || !(activity == Activity::Traffic || opened) {
            return None;
        }
        Self::between(it, time, at, None)
    }

    /// Of a connection that the host's own sensor logged, some only when it was closed; `own`: its address, where the
    /// record has none.
    pub fn of_host(bucket: &Bucket, row: &Row, own: IpAddr) -> Option<Self> {
        let outbound = row.class == EventClass::Network
            && matches!(row.activity, Activity::Open | Activity::Traffic | Activity::Close)
            && bucket.text(row, Field::Direction) != Some("inbound");
        let (time, at) = (row.time.map(|it| it.0), At::new(row.id, row.place));
        if outbound { Self::between(&(bucket, row), time, at, Some(own)) } else { None }
    }

    fn between(it: &impl Fields, time: Option<i64>, at: At, own: Option<IpAddr>) -> Option<Self> {
        let address = |field| it.field(field).and_then(address);
        let dst = address(Field::DstIp)?;
        let src = address(Field::SrcIp).or(own)?;
        let number = |field| it.field(field).and_then(|it| it.parse::<u64>().ok());
        let port = |field| number(field).and_then(|it| u16::try_from(it).ok());
        let proto = Proto::of(it.field(Field::Protocol));
        // Of ICMP, the ports are type and code.
        let (src_port, dst_port) = match proto {
            Proto::Icmp => (0, 0),
            _ => (port(Field::SrcPort).unwrap_or(0), port(Field::DstPort).unwrap_or(0)),
        };
        let (sent, received) = (number(Field::BytesOut), number(Field::BytesIn));
        let outcome = outcome(it.field(Field::State), sent, received);
        let flow = Self {
            src,
            dst,
            port: dst_port,
            src_port,
            proto,
            time,
            sent,
            received,
            outcome,
            count: number(Field::Count).unwrap_or(1).max(1),
            at,
        };
        (src != dst && !flow.is_answer()).then_some(flow)
    }

    fn is_answer(&self) -> bool {
        self.src_port != 0 && self.src_port < SERVICES && self.port >= SERVICES
    }

    pub fn bytes(&self) -> Option<u64> {
        match (self.sent, self.received) {
            (None, None) => None,
            (sent, received) => Some(sent.unwrap_or(0).saturating_add(received.unwrap_or(0))),
        }
    }
}

/// An address that a host can have.
pub fn address(text: &str) -> Option<IpAddr> {
    let ip: IpAddr = text.trim().split('%').next()?.parse().ok()?;
    let ip = ip.to_canonical();
    let none = match ip {
        IpAddr::V4(it) => it.is_broadcast() || it.is_link_local() || it.octets()[0] == 0 || it.octets()[3] == 255,
        IpAddr::V6(it) => it.is_unicast_link_local(),
    };
    (!ip.is_loopback() && !ip.is_unspecified() && !ip.is_multicast() && !none).then_some(ip)
}

/// Whether an address is one's own network's.
pub fn is_internal(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(it) => it.is_private() || (it.octets()[0] == 100 && it.octets()[1] & 0xc0 == 64),
        IpAddr::V6(it) => it.is_unique_local(),
    }
}

/// As the sensor words it; where it does not, by what came back.
fn outcome(state: Option<&str>, sent: Option<u64>, received: Option<u64>) -> Outcome {
    let by_bytes = match (sent, received) {
        (_, Some(0)) => Outcome::Dead,
        (_, Some(_)) => Outcome::Answered,
        _ => Outcome::Unknown,
    };
    let Some(state) = state else { return by_bytes };
    let mut low = [0u8; 16];
    let Some(low) = low.get_mut(..state.len()) else { return by_bytes };
    low.copy_from_slice(state.as_bytes());
    low.make_ascii_lowercase();
    match &*low {
        b"sf" | b"s1" | b"s2" | b"s3" | b"rsto" | b"rstr" | b"established" | b"estab" | b"close_wait"
        | b"time_wait" | b"fin_wait1" | b"fin_wait2" | b"last_ack" | b"success" | b"open" => Outcome::Answered,
        b"s0" | b"rej" | b"sh" | b"rstos0" | b"rstrh" | b"shr" | b"syn_sent" | b"denied" | b"deny" | b"drop"
        | b"dropped" | b"blocked" | b"block" | b"reject" | b"rejected" | b"refused" | b"failed" | b"fail"
        | b"timeout" | b"no_reply" => Outcome::Dead,
        // A flow that ended after a handful of bytes each way: a call and its refusal.
        b"closed" if sent.is_some_and(|it| it <= 240) && received.is_some_and(|it| it <= 120) => Outcome::Dead,
        b"new" => match received {
            Some(0) | None => Outcome::Dead,
            Some(_) => Outcome::Answered,
        },
        _ => by_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(fields: &[(Field, &str)]) -> Option<Flow> {
        let mut event = Event::new(EventClass::Network, Activity::Traffic);
        fields.iter().for_each(|(field, value)| event.set(*field, (*value).to_owned()));
        Flow::of(event.class, event.activity, &event, Some(1), At::default())
    }

    #[test]
    fn what_came_of_it_in_the_words_of_each_sensor() {
        for (state, sent, received, expect) in [
            (Some("SF"), Some(10), Some(10), Outcome::Answered),
            (Some("S0"), Some(0), Some(0), Outcome::Dead),
            (Some("closed"), Some(74), Some(60), Outcome::Dead),
            (Some("closed"), Some(740), Some(6000), Outcome::Answered),
            (Some("new"), Some(60), Some(0), Outcome::Dead),
            (Some("allowed"), None, None, Outcome::Unknown),
            (Some("a state that is longer than any"), None, Some(4), Outcome::Answered),
            (None, None, None, Outcome::Unknown),
            (None, Some(9), Some(0), Outcome::Dead),
        ] {
            assert_eq!(outcome(state, sent, received), expect, "{state:?} {sent:?} {received:?}");
        }
    }

    #[test]
    fn what_is_no_call_between_hosts_is_left_out() {
        let to = |dst: &'static str| [(Field::SrcIp, "10.0.0.1"), (Field::DstIp, dst), (Field::DstPort, "80")];
        assert!(flow(&to("10.0.0.2")).is_some());
        for dst in ["10.0.0.1", "224.0.0.251", "255.255.255.255", "127.0.0.1", "10.0.0.255", "fe80::1", "host"] {
            assert!(flow(&to(dst)).is_none(), "{dst}");
        }
        // An answer that the sensor saw first.
        let mut answer = to("10.0.0.2").to_vec();
        answer[2].1 = "51000";
        answer.push((Field::SrcPort, "443"));
        assert!(flow(&answer).is_none());
        assert_eq!(flow(&[&to("::ffff:10.0.0.2")[..], &[(Field::Protocol, "ICMP")]].concat()).unwrap().port, 0);
    }
}
