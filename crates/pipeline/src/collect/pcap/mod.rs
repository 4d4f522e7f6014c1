//! Packet captures (pcap, pcapng) → a flow each, the HTTP requests and DNS queries inside.
//!
//! Deliberately absent: decryption, HTTP/2, fragments, tunnels; the bodies of responses.

mod container;
mod dns;
mod flows;

use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, TransportSlice};
use ringleader_model::{Activity, Event, EventClass, Field, Malformed, SensorRole};

use super::{Format, Framing, Reader, Record, Sink, SourceContext};
use container::Packet;
use flows::{Endpoint, Flows, Segment};

/// Captures of Ethernet, Linux cooked, loopback or raw IP.
pub struct Pcap;

impl Format for Pcap {
    fn name(&self) -> &'static str {
        "pcap"
    }
    fn summary(&self) -> &'static str {
        "Packet capture, pcap or pcapng: flows, HTTP requests, DNS"
    }
    fn framing(&self) -> Framing {
        Framing::Whole
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        container::recognizes(head)
    }
    fn reader(&self, _context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Capture)
    }
}

struct Capture;

impl Reader for Capture {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let mut flows = Flows::default();
        for packet in container::packets(record.bytes)? {
            match packet {
                Ok(packet) => {
                    if let Err(why) = take(&packet, record.offset, &mut flows, sink) {
                        sink.reject_at(record.offset + packet.offset, packet.data, why);
                    }
                }
                Err((offset, why)) => {
                    let rest = &record.bytes[usize::try_from(offset).unwrap_or(0).min(record.bytes.len())..];
                    sink.reject_at(record.offset + offset, &rest[..rest.len().min(1024)], why);
                }
            }
        }
        flows.finish(sink);
        Ok(())
    }
}

/// Files one packet under its flow. What is not TCP or UDP over IP is passed over.
fn take(packet: &Packet<'_>, base: u64, flows: &mut Flows, sink: &mut dyn Sink) -> Result<(), Malformed> {
    let Some(sliced) = slice(packet)? else { return Ok(()) };
    let (from, to) = match &sliced.net {
        Some(LaxNetSlice::Ipv4(ip)) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        Some(LaxNetSlice::Ipv6(ip)) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        _ => return Ok(()),
    };
    let place = (base + packet.offset, u32::try_from(packet.data.len()).unwrap_or(u32::MAX));
    match &sliced.transport {
        Some(TransportSlice::Tcp(tcp)) => flows.take(Segment {
            from: Endpoint(from, tcp.source_port()),
            to: Endpoint(to, tcp.destination_port()),
            time: packet.time,
            place,
            tcp: Some(flows::Tcp {
                seq: tcp.sequence_number(),
                syn: tcp.syn(),
                ack: tcp.ack(),
                fin: tcp.fin(),
                rst: tcp.rst(),
            }),
            payload: tcp.payload(),
        }),
        Some(TransportSlice::Udp(udp)) => {
            let segment = Segment {
                from: Endpoint(from, udp.source_port()),
                to: Endpoint(to, udp.destination_port()),
                time: packet.time,
                place,
                tcp: None,
                payload: udp.payload(),
            };
            if udp.source_port() == 53 || udp.destination_port() == 53 {
                query(&segment, sink);
            }
            flows.take(segment)
        }
        _ => Ok(()),
    }
}

fn slice<'a>(packet: &Packet<'a>) -> Result<Option<LaxSlicedPacket<'a>>, Malformed> {
    let data = packet.data;
    let typed = |proto: usize, payload: usize| {
        let (proto, payload) = (data.get(proto..proto + 2)?, data.get(payload..)?);
        Some(LaxSlicedPacket::from_ether_type(EtherType(u16::from_be_bytes([proto[0], proto[1]])), payload))
    };
    Ok(match packet.link {
        1 => LaxSlicedPacket::from_ethernet(data).ok(),
        113 => typed(14, 16),
        276 => typed(0, 20),
        0 | 108 => data.get(4..).and_then(|it| LaxSlicedPacket::from_ip(it).ok()),
        12 | 14 | 101 | 228 | 229 => LaxSlicedPacket::from_ip(data).ok(),
        _ => return Err(Malformed::new("packet of a link type that is not read")),
    })
}

/// One event a DNS message: the question, and with an answer what it said.
fn query(segment: &Segment<'_>, sink: &mut dyn Sink) {
    let Some(message) = dns::parse(segment.payload) else { return };
    let mut event = Event::new(EventClass::Network, Activity::Query);
    event.sensor_role = SensorRole::Network;
    event.time = segment.time;
    // The one who asks is the source, whichever way the message goes.
    let (asker, server) = if message.response { (segment.to, segment.from) } else { (segment.from, segment.to) };
    flows::set_endpoints(&mut event, asker, server, "udp");
    event.set(Field::Query, message.name);
    event.set(Field::Answers, message.answers.join(","));
    event.set(Field::State, message.response.then_some(message.rcode));
    event.set(Field::Detail, message.kind);
    let content = [segment.key().as_bytes(), b" dns ", segment.payload].concat();
    sink.emit_at(&event, segment.place.0, segment.place.1, &content);
}

#[cfg(test)]
mod tests {
    use super::super::testing::read_all;
    use super::*;

    /// Little-endian Ethernet capture of TCP segments: (source port, destination port, seq, flags, payload).
    fn capture(segments: &[(u16, u16, u32, u8, &[u8])]) -> Vec<u8> {
        let mut out = [&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0][..], &[0; 8], &[0, 0, 4, 0, 1, 0, 0, 0]].concat();
        for (n, (from, to, seq, flags, payload)) in (0u32..).zip(segments) {
            let (source, target) =
                if from > to { ([192, 0, 2, 1], [198, 51, 100, 2]) } else { ([198, 51, 100, 2], [192, 0, 2, 1]) };
            let length = u16::try_from(40 + payload.len()).unwrap().to_be_bytes();
            let mut packet =
                [&[2; 12][..], &[8, 0, 0x45, 0], &length, &[0, 0, 0, 0, 64, 6, 0, 0], &source, &target].concat();
            packet.extend(
                [&from.to_be_bytes()[..], &to.to_be_bytes(), &seq.to_be_bytes(), &[0; 4], &[0x50, *flags]].concat(),
            );
            packet.extend([&[1, 0, 0, 0, 0, 0][..], payload].concat());
            let size = u32::try_from(packet.len()).unwrap().to_le_bytes();
            out.extend([&(1_650_000_000 + n).to_le_bytes()[..], &[0; 4], &size, &size, &packet].concat());
        }
        out
    }

    const SYN: u8 = 2;
    const SYN_ACK: u8 = 0x12;
    const ACK: u8 = 0x10;
    const FIN: u8 = 0x11;

    #[test]
    fn a_request_in_segments_out_of_order_and_twice() {
        let parts: [(u16, u16, u32, u8, &[u8]); 8] = [
            (4000, 80, u32::MAX - 3, SYN, b""),
            (80, 4000, 9, SYN_ACK, b""),
            (4000, 80, 7, ACK, b"HTTP/1.1\r\nUser-Agent: ${jndi}\r\n\r\n"),
            (4000, 80, u32::MAX - 2, ACK, b"GET /x?a=1"),
            (4000, 80, u32::MAX - 2, ACK, b"GET /x?a=1"),
            (4000, 80, 6, ACK, b"1 "),
            (80, 4000, 10, ACK, b"HTTP/1.1 200 OK\r\n\r\n"),
            (4000, 80, 50, FIN, b""),
        ];
        // The ten bytes from -2 on end at 7; "1 " at 6 repeats the last of them and brings the space.
        let mut parts = parts;
        parts[2].2 = 8;
        let got = read_all(&Pcap, &capture(&parts));
        assert_eq!(got.len(), 2, "{got:#?}");
        assert!(got[0].contains(r#"src_port="4000" dst_ip="198.51.100.2" dst_port="80""#), "{}", got[0]);
        assert!(got[0].contains(r#"status="closed""#), "{}", got[0]);
        assert!(got[1].contains(r#"http_method="GET" url="/x?a=1" http_user_agent="${jndi}""#), "{}", got[1]);
    }

    #[test]
    fn ports_used_again_are_another_flow() {
        let got = read_all(
            &Pcap,
            &capture(&[
                (4000, 80, 1, SYN, b""),
                (4000, 80, 2, FIN, b""),
                (4000, 80, 900, SYN, b""),
                (4000, 81, 1, SYN, b""),
            ]),
        );
        assert_eq!(got.len(), 3, "{got:#?}");
    }

    #[test]
    fn damage_is_told_and_nothing_panics() {
        let whole = capture(&[(4000, 80, 1, SYN, b""), (4000, 80, 2, ACK, b"GET / HTTP/1.0\r\n\r\n")]);
        for length in 0..whole.len() {
            let got = read_all(&Pcap, &whole[..length]);
            let borders = [24, 24 + 16 + 54];
            assert_eq!(
                got.iter().any(|it| it.starts_with("REJECTED")),
                !borders.contains(&length),
                "{length}: {got:?}"
            );
        }
        for at in 0..whole.len() {
            for value in [0, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                let _ = read_all(&Pcap, &damaged);
            }
        }
    }
}
