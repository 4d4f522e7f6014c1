//! `known_hosts` → hosts that this one called; `authorized_keys` → keys that open it.
//!
//! Deliberately absent: hashed host names (they tell nothing), and whether a key is known to be bad.

use ringleader_model::{Activity, Event, EventClass, Field, Malformed};

use super::super::{Format, Framing, Reader, Record, Sink, SourceContext};
use super::{kind, lines};

pub struct SshFiles;

impl Format for SshFiles {
    fn name(&self) -> &'static str {
        "ssh_files"
    }
    fn summary(&self) -> &'static str {
        "known_hosts and authorized_keys of a host"
    }
    fn framing(&self) -> Framing {
        Framing::Lines { stateless: false }
    }
    fn is_artefact(&self) -> bool {
        true
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        let (mut all, mut keys) = (0, 0);
        for line in lines(head).filter(|it| !it.starts_with('#')) {
            all += 1;
            keys += usize::from(entry(&line).is_some());
        }
        keys > 0 && keys * 5 >= all * 4
    }
    fn reader(&self, _context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Keys)
    }
}

struct Keys;

impl Reader for Keys {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let text = super::super::text::decode(record.bytes);
        let line = text.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let entry = entry(line).ok_or(Malformed::new("no key"))?;
        if entry.hosts.is_empty() {
            let mut event = Event::new(EventClass::File, Activity::Other);
            event.put(Field::State, kind::AUTHORIZED_KEY);
            event.set(Field::Detail, entry.key);
            event.set(Field::User, entry.comment);
            sink.emit(&event);
            return Ok(());
        }
        for host in entry.hosts.split(',').filter(|it| !it.starts_with(['|', '*', '!'])).take(64) {
            let host = host.trim_start_matches('[').split(']').next().unwrap_or("");
            let mut event = Event::new(EventClass::Network, Activity::Other);
            event.put(Field::State, kind::KNOWN_HOST);
            event.set(
                if host.parse::<std::net::IpAddr>().is_ok() { Field::DstIp } else { Field::DstHost },
                host.to_owned(),
            );
            event.put(Field::DstPort, "22");
            sink.emit(&event);
        }
        Ok(())
    }
}

struct Entry<'a> {
    /// Empty for a line of `authorized_keys`.
    hosts: &'a str,
    key: &'a str,
    comment: &'a str,
}

fn entry(line: &str) -> Option<Entry<'_>> {
    let line = line.trim();
    let start = line.match_indices("AAAA").map(|it| it.0).find(|at| *at == 0 || line.as_bytes()[at - 1] == b' ')?;
    let (front, rest) = (line[..start].trim_end(), &line[start..]);
    let (key, comment) = rest.split_once(' ').unwrap_or((rest, ""));
    let base64 = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'+' | b'/' | b'=');
    if key.len() < 32 || !key.bytes().all(base64) {
        return None;
    }
    let (before, kind) = front.rsplit_once(' ').unwrap_or(("", front));
    if !["ssh-", "ecdsa-", "sk-"].iter().any(|it| kind.starts_with(it)) {
        return None;
    }
    // Options of authorized_keys (`command="…"`, `no-pty`) are no hosts.
    let before = before.trim().trim_start_matches("@cert-authority ").trim_start_matches("@revoked ");
    let hashed = before.starts_with("|1|");
    let options = !hashed && before.contains(['"', '=']) || before.starts_with("no-") || before.starts_with("restrict");
    Some(Entry { hosts: if options || before.contains(' ') { "" } else { before }, key, comment: comment.trim() })
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::read_all;
    use super::*;

    #[test]
    fn hosts_that_were_called_and_keys_that_open() {
        let key = "AAAAC3NzaC1lZDI1NTE5AAAAIJ7m0S1p6t7T0b6k1Qh1m2n3o4p5q6r7s8t9u0v1w2x3";
        let known = format!(
            "192.0.2.9,web2 ssh-ed25519 {key}\n[192.0.2.10]:2222 ssh-ed25519 {key}\n|1|abc= ssh-ed25519 {key}\n"
        );
        assert!(SshFiles.recognizes(known.as_bytes()));
        let got = read_all(&SshFiles, known.as_bytes());
        assert_eq!(got.len(), 3, "{got:#?}");
        assert!(got[0].contains("dst_ip=\"192.0.2.9\"") && got[1].contains("dst_hostname=\"web2\""), "{got:#?}");
        let keys = format!("# mine\nssh-ed25519 {key} ops@jump\ncommand=\"/x y\",no-pty ssh-ed25519 {key}\n");
        let got = read_all(&SshFiles, keys.as_bytes());
        assert!(SshFiles.recognizes(keys.as_bytes()) && got.len() == 2);
        assert!(got[0].contains("status=\"authorized_key\"") && got[0].contains("ops@jump"), "{got:#?}");
    }
}
