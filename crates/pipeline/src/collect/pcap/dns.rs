//! A DNS message → its question and the answers that name an address or another name.
//!
//! Deliberately absent: all but the first question, authority and additional records.

use super::super::wire;

/// The most answers that are read of one message.
const MAX_ANSWERS: usize = 64;
/// A name may point to an earlier one; so often at most.
const MAX_JUMPS: usize = 32;

pub(super) struct Message {
    pub response: bool,
    pub rcode: String,
    pub name: String,
    pub kind: String,
    pub answers: Vec<String>,
}

/// `None`: no message with one question at least.
pub(super) fn parse(bytes: &[u8]) -> Option<Message> {
    let flags = number(bytes, 2)?;
    let (questions, answers) = (number(bytes, 4)?, number(bytes, 6)?);
    if questions == 0 || questions > 16 {
        return None;
    }
    let (name, mut at) = name(bytes, 12)?;
    let kind = number(bytes, at)?;
    at += 4;
    for _ in 1..questions {
        at = self::name(bytes, at)?.1 + 4;
    }
    let mut found = Vec::new();
    for _ in 0..usize::from(answers).min(MAX_ANSWERS) {
        // A message that was cut keeps the answers before the cut.
        let Some((answer, next)) = record(bytes, at) else { break };
        found.extend(answer);
        at = next;
    }
    Some(Message {
        response: flags & 0x8000 != 0,
        rcode: match flags & 0xf {
            0 => "NOERROR".into(),
            1 => "FORMERR".into(),
            2 => "SERVFAIL".into(),
            3 => "NXDOMAIN".into(),
            4 => "NOTIMP".into(),
            5 => "REFUSED".into(),
            other => other.to_string(),
        },
        name,
        kind: match kind {
            1 => "A".into(),
            2 => "NS".into(),
            5 => "CNAME".into(),
            6 => "SOA".into(),
            12 => "PTR".into(),
            15 => "MX".into(),
            16 => "TXT".into(),
            28 => "AAAA".into(),
            33 => "SRV".into(),
            255 => "ANY".into(),
            other => other.to_string(),
        },
        answers: found,
    })
}

fn record(bytes: &[u8], at: usize) -> Option<(Option<String>, usize)> {
    let (_, at) = name(bytes, at)?;
    let (kind, length) = (number(bytes, at)?, usize::from(number(bytes, at + 8)?));
    let data = bytes.get(at + 10..at + 10 + length)?;
    let answer = match kind {
        1 => <[u8; 4]>::try_from(data).ok().map(|it| std::net::Ipv4Addr::from(it).to_string()),
        28 => <[u8; 16]>::try_from(data).ok().map(|it| std::net::Ipv6Addr::from(it).to_string()),
        2 | 5 | 12 => name(bytes, at + 10).map(|it| it.0),
        16 => data.get(1..).map(|it| wire::printable(it).into_owned()),
        _ => None,
    };
    Some((answer, at + 10 + length))
}

/// The name at a place, and where what follows it starts.
fn name(bytes: &[u8], mut at: usize) -> Option<(String, usize)> {
    let mut out = String::new();
    let mut after = None;
    let mut jumps = 0;
    loop {
        match usize::from(*bytes.get(at)?) {
            0 => return Some((out, after.unwrap_or(at + 1))),
            length @ 1..=63 => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(&wire::printable(bytes.get(at + 1..=at + length)?));
                // Four characters a byte at most: a longer name is none.
                if out.len() > 1024 {
                    return None;
                }
                at += 1 + length;
            }
            high @ 192..=255 => {
                after = after.or(Some(at + 2));
                at = ((high & 0x3f) << 8) | usize::from(*bytes.get(at + 1)?);
                jumps += 1;
                if jumps > MAX_JUMPS {
                    return None;
                }
            }
            _ => return None,
        }
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_with_a_pointer_and_a_loop() {
        let mut message =
            b"\x00\x01\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x02c2\x04test\x00\x00\x01\x00\x01".to_vec();
        message.extend(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x09");
        let got = parse(&message).unwrap();
        assert_eq!((got.name.as_str(), got.answers.join(",").as_str(), got.response), ("c2.test", "192.0.2.9", true));
        let cut = parse(&message[..message.len() - 2]).unwrap();
        assert!(cut.answers.is_empty());
        message[13..15].copy_from_slice(b"\xc0\x0c");
        message[12] = 0xc0;
        message[13] = 0x0c;
        assert!(parse(&message).is_none());
    }
}
