//! pcap or pcapng → packets with their time, link type and place.
//!
//! Deliberately absent: name resolution, statistics, decryption secrets and comments.

use ringleader_model::{Malformed, Timestamp};

/// No link carries longer packets; a longer one is a damaged length.
const MAX_PACKET: usize = 1 << 20;
const CUT: Malformed = Malformed::new("capture ends in the middle of a packet");
const DAMAGED: Malformed = Malformed::new("damaged capture: a length that cannot be");

pub(super) struct Packet<'a> {
    pub time: Option<Timestamp>,
    /// The `LINKTYPE_` number of tcpdump.org's registry.
    pub link: u32,
    pub data: &'a [u8],
    /// Of the packet's first byte, in the capture.
    pub offset: u64,
}

type Item<'a> = Result<Packet<'a>, (u64, Malformed)>;

pub(super) fn recognizes(head: &[u8]) -> bool {
    classic(head).is_some() || (head.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) && section(head).is_some())
}

/// After damage no border can be trusted: the damage is told, and the capture ends there.
pub(super) fn packets(bytes: &[u8]) -> Result<Box<dyn Iterator<Item = Item<'_>> + '_>, Malformed> {
    if let Some((order, nanos)) = classic(bytes) {
        let link = order.u32(bytes, 20).ok_or(CUT)? & 0x0fff_ffff;
        return Ok(Box::new(Classic { bytes, at: 24, order, nanos, link }));
    }
    if recognizes(bytes) {
        return Ok(Box::new(Blocks { bytes, at: 0, order: Order::Little, interfaces: Vec::new() }));
    }
    Err(Malformed::new("not a packet capture"))
}

#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let raw: [u8; 2] = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(raw),
            Self::Big => u16::from_be_bytes(raw),
        })
    }
    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let raw: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(raw),
            Self::Big => u32::from_be_bytes(raw),
        })
    }
    fn length(self, bytes: &[u8], at: usize) -> Option<usize> {
        usize::try_from(self.u32(bytes, at)?).ok()
    }
}

/// Byte order, and whether fractions are nanoseconds.
fn classic(head: &[u8]) -> Option<(Order, bool)> {
    match head.get(..4)? {
        [0xd4, 0xc3, 0xb2, 0xa1] => Some((Order::Little, false)),
        [0xa1, 0xb2, 0xc3, 0xd4] => Some((Order::Big, false)),
        [0x4d, 0x3c, 0xb2, 0xa1] => Some((Order::Little, true)),
        [0xa1, 0xb2, 0x3c, 0x4d] => Some((Order::Big, true)),
        _ => None,
    }
}

struct Classic<'a> {
    bytes: &'a [u8],
    at: usize,
    order: Order,
    nanos: bool,
    link: u32,
}

impl<'a> Iterator for Classic<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let start = self.at as u64;
        Some(self.read().map_err(|why| {
            self.at = self.bytes.len();
            (start, why)
        }))
    }
}

impl<'a> Classic<'a> {
    fn read(&mut self) -> Result<Packet<'a>, Malformed> {
        let number = |at| self.order.u32(self.bytes, self.at + at).ok_or(CUT);
        let (secs, fraction) = (i64::from(number(0)?), i64::from(number(4)?));
        let length = self.order.length(self.bytes, self.at + 8).ok_or(CUT)?;
        number(12)?;
        if length > MAX_PACKET {
            return Err(DAMAGED);
        }
        let start = self.at + 16;
        let data = self.bytes.get(start..start + length).ok_or(CUT)?;
        self.at = start + length;
        let micros = if self.nanos { fraction / 1000 } else { fraction };
        let time = Some(Timestamp(secs * 1_000_000 + micros));
        Ok(Packet { time, link: self.link, data, offset: start as u64 })
    }
}

/// One capturing interface of a pcapng section.
struct Interface {
    link: u32,
    units_per_sec: u128,
    offset_secs: i64,
}

struct Blocks<'a> {
    bytes: &'a [u8],
    at: usize,
    order: Order,
    interfaces: Vec<Interface>,
}

/// The byte order of the section that starts here.
fn section(bytes: &[u8]) -> Option<Order> {
    match bytes.get(8..12)? {
        [0x4d, 0x3c, 0x2b, 0x1a] => Some(Order::Little),
        [0x1a, 0x2b, 0x3c, 0x4d] => Some(Order::Big),
        _ => None,
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        while self.at < self.bytes.len() {
            let start = self.at;
            match self.block() {
                Ok(Some(packet)) => return Some(Ok(packet)),
                Ok(None) => {}
                Err(why) => {
                    // A block that is whole but wrong costs itself alone.
                    if self.at == start {
                        self.at = self.bytes.len();
                    }
                    return Some(Err((start as u64, why)));
                }
            }
        }
        None
    }
}

impl<'a> Blocks<'a> {
    fn block(&mut self) -> Result<Option<Packet<'a>>, Malformed> {
        let rest = &self.bytes[self.at..];
        if rest.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
            self.order = section(rest).ok_or(DAMAGED)?;
            self.interfaces.clear();
        }
        let order = self.order;
        let kind = order.u32(rest, 0).ok_or(CUT)?;
        let length = order.length(rest, 4).ok_or(CUT)?;
        if length < 12 || !length.is_multiple_of(4) {
            return Err(DAMAGED);
        }
        let block = rest.get(..length).ok_or(CUT)?;
        let body_at = self.at + 8;
        self.at += length;
        let body = &block[8..length - 4];
        // (where the data starts, its length, interface, clock)
        let (start, length, interface, clock) = match kind {
            1 => {
                self.interfaces.push(interface(order, body).ok_or(DAMAGED)?);
                return Ok(None);
            }
            2 | 6 => {
                let interface = if kind == 2 { order.u16(body, 0).map(u32::from) } else { order.u32(body, 0) };
                let (high, low) = (order.u32(body, 4).ok_or(DAMAGED)?, order.u32(body, 8).ok_or(DAMAGED)?);
                let length = order.length(body, 12).ok_or(DAMAGED)?;
                (20, length, interface.ok_or(DAMAGED)?, Some((u64::from(high) << 32) | u64::from(low)))
            }
            3 => {
                let length = order.length(body, 0).ok_or(DAMAGED)?;
                (4, length.min(body.len().saturating_sub(4)), 0, None)
            }
            _ => return Ok(None),
        };
        let data = body.get(start..).and_then(|it| it.get(..length)).ok_or(DAMAGED)?;
        let interface = usize::try_from(interface).ok().and_then(|it| self.interfaces.get(it));
        let interface = interface.ok_or(Malformed::new("packet of an interface that was not described"))?;
        let time = clock.map(|it| {
            let micros = u128::from(it) * 1_000_000 / interface.units_per_sec;
            let offset = interface.offset_secs.saturating_mul(1_000_000);
            Timestamp(i64::try_from(micros).unwrap_or(i64::MAX).saturating_add(offset))
        });
        Ok(Some(Packet { time, link: interface.link, data, offset: (body_at + start) as u64 }))
    }
}

fn interface(order: Order, body: &[u8]) -> Option<Interface> {
    let mut it = Interface { link: u32::from(order.u16(body, 0)?), units_per_sec: 1_000_000, offset_secs: 0 };
    let mut at = 8;
    while let (Some(code), Some(length)) = (order.u16(body, at), order.u16(body, at + 2)) {
        let value = body.get(at + 4..at + 4 + usize::from(length))?;
        match (code, value) {
            (0, _) => break,
            (9, [resolution]) => {
                let power = u32::from(resolution & 0x7f);
                let base: u128 = if resolution & 0x80 == 0 { 10 } else { 2 };
                it.units_per_sec = base.checked_pow(power)?;
            }
            (14, value) if value.len() == 8 => {
                let (low, high) = match order {
                    Order::Little => (order.u32(value, 0)?, order.u32(value, 4)?),
                    Order::Big => (order.u32(value, 4)?, order.u32(value, 0)?),
                };
                it.offset_secs = ((u64::from(high) << 32) | u64::from(low)).cast_signed();
            }
            _ => {}
        }
        at += 4 + usize::from(length).next_multiple_of(4);
    }
    Some(it)
}
