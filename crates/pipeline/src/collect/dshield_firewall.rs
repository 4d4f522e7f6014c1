//! DShield sensor's firewall log, and Linux netfilter lines in syslog → connections that were tried.
//!
//! Deliberately absent: packets without an address (ARP, link-local noise of the kernel's other messages).

use std::borrow::Cow;

use ringleader_model::{Activity, Event, EventClass, Field, Malformed, SensorRole, Timestamp};

use super::{Format, Framing, Reader, Record, Sink, SourceContext, text};

/// `1714550400 host kernel:[…] DSHIELDINPUT IN=eth0 … SRC=… DST=… PROTO=TCP SPT=… DPT=…`.
pub struct DshieldFirewall;

impl Format for DshieldFirewall {
    fn name(&self) -> &'static str {
        "dshield_firewall"
    }
    fn summary(&self) -> &'static str {
        "DShield sensor firewall log (netfilter lines)"
    }
    fn framing(&self) -> Framing {
        Framing::Lines { stateless: true }
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        let line = head.trim_ascii_start().split(|it| *it == b'\n').next().unwrap_or_default();
        [&b" IN="[..], b" SRC=", b" DST=", b" PROTO=", b"kernel"]
            .iter()
            .all(|it| memchr::memmem::find(line, it).is_some())
    }
    fn reader(&self, context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Lines { context: context.clone() })
    }
}

struct Lines {
    context: SourceContext,
}

impl Reader for Lines {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let line = text::decode(record.bytes);
        let (time, rest) = time(&line, &self.context).ok_or(Malformed::new("unreadable time"))?;
        let get =
            |key: &str| rest.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('=')).map(Cow::Borrowed);
        let Some(source) = get("SRC") else { return Err(Malformed::new("missing field `SRC`")) };
        let mut event = Event::new(EventClass::Network, Activity::Open);
        event.time = Some(time);
        let ours = rest.contains("DSHIELDINPUT");
        event.sensor_role = if ours { SensorRole::Honeypot } else { SensorRole::Host };
        event.host = rest.split_whitespace().next().filter(|it| !it.starts_with("kernel")).map(Cow::Borrowed);
        event.set(Field::SrcIp, source);
        event.set(Field::SrcPort, get("SPT"));
        event.set(Field::DstIp, get("DST"));
        event.set(Field::DstPort, get("DPT"));
        event.set(Field::Protocol, get("PROTO").map(|it| it.to_ascii_lowercase()));
        event.set(Field::Direction, if get("IN").is_some_and(|it| !it.is_empty()) { "inbound" } else { "outbound" });
        sink.emit(&event);
        Ok(())
    }
}

/// Seconds since 1970, RFC 3339, or syslog's own time without a year, at the front of the line.
fn time<'a>(line: &'a str, context: &SourceContext) -> Option<(Timestamp, &'a str)> {
    let (first, rest) = line.split_once(' ')?;
    if first.len() >= 9 && first.bytes().all(|it| it.is_ascii_digit() || it == b'.') {
        return Timestamp::from_epoch_text(first).map(|it| (it, rest));
    }
    Timestamp::parse(first, &context.times)
        .map(|(time, _)| (time, rest))
        .or_else(|| Timestamp::parse_syslog(line, &context.times))
}

#[cfg(test)]
mod tests {
    use super::super::testing::read_all;
    use super::*;

    #[test]
    fn three_clocks_one_meaning() {
        for front in ["1714550400", "2024-05-01T08:00:00+00:00", "May  1 08:00:00"] {
            let log = format!(
                "{front} pot1 kernel:[12.5] DSHIELDINPUT IN=eth0 OUT= SRC=192.0.2.1 DST=198.51.100.2 PROTO=TCP SPT=4000 DPT=23 SYN"
            );
            assert!(DshieldFirewall.recognizes(log.as_bytes()));
            assert_eq!(
                read_all(&DshieldFirewall, log.as_bytes()),
                [
                    "network_activity open 2024-05-01T08:00:00.000000Z host=pot1 pid=None ppid=None id=- src_ip=\"192.0.2.1\" \
                  src_port=\"4000\" dst_ip=\"198.51.100.2\" dst_port=\"23\" protocol_name=\"tcp\" direction=\"inbound\""
                ]
            );
        }
    }
}
