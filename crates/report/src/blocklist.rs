//! Gangs → `blocklist.txt`: strong public addresses, domains and URLs, a value a line. Deliberately absent: whatever
//! could block the defender: private and local addresses, names without a dot, weaker indicators.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ringleader_model::IndicatorKind;
use ringleader_model::findings::{Findings, Strength};

use crate::mask::mask;
use crate::{Options, Report, escape};

pub(crate) struct Blocklist;

impl Report for Blocklist {
    fn file(&self) -> &'static str {
        "blocklist.txt"
    }
    fn summary(&self) -> &'static str {
        "strong public addresses, domains and URLs of the gangs, a value a line"
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let mut values = BTreeSet::new();
        for gang in &findings.gangs {
            for (kind, indicators) in &gang.who.indicators {
                let Some(kind) = IndicatorKind::from_name(kind) else { continue };
                let strong = indicators.iter().filter(|it| it.strength == Strength::Strong);
                values.extend(strong.map(|it| (kind, it.value.as_ref())).filter(|it| is_blockable(it.0, it.1)));
            }
        }
        for (_, value) in values {
            writeln!(out, "{value}")?;
        }
        Ok(())
    }
}

/// Whether blocking this value can only hit the attacker's side.
pub(crate) fn is_blockable(kind: IndicatorKind, value: &str) -> bool {
    if value.chars().any(|c| escape::acts(c) || c.is_whitespace()) || mask(value) != value {
        return false;
    }
    match kind {
        IndicatorKind::Ip => value.parse().is_ok_and(is_public),
        IndicatorKind::Domain => is_public_name(value),
        IndicatorKind::Url => url_host(value).is_some_and(|host| match host.parse() {
            Ok(ip) => is_public(ip),
            Err(_) => is_public_name(host),
        }),
        _ => false,
    }
}

/// `http://user@host:80/path` → `host`, an IPv6 one without its brackets.
fn url_host(url: &str) -> Option<&str> {
    let rest = url.split_once("://")?.1;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|(ip, _)| ip),
        None => Some(host.split_once(':').map_or(host, |(host, _)| host)),
    }
}

fn is_public_name(name: &str) -> bool {
    const LOCAL: &[&str] =
        &["local", "localhost", "localdomain", "internal", "intranet", "lan", "home", "corp", "arpa"];
    let labels: Vec<&str> = name.split('.').collect();
    let label =
        |it: &&str| !it.is_empty() && it.len() <= 63 && it.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    let last = labels.last().copied().unwrap_or_default();
    labels.len() > 1
        && name.len() <= 253
        && labels.iter().all(label)
        && !last.bytes().all(|b| b.is_ascii_digit())
        && !LOCAL.iter().any(|it| it.eq_ignore_ascii_case(last))
}

/// Documentation addresses count as public: samples and exercises are made of them.
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    let local = ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_multicast();
    let shared = a == 100 && (64..128).contains(&b);
    let benchmark = a == 198 && (b == 18 || b == 19);
    !(local || shared || benchmark || a == 0 || a >= 240)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    // Only 2000::/3 is global unicast; 64:ff9b::/96 and 2002::/16 may wrap a private IPv4 address.
    let [first, second, third, ..] = ip.segments();
    let wrapped = u32::from(second) << 16 | u32::from(third);
    first & 0xe000 == 0x2000 && (first != 0x2002 || is_public_v4(wrapped.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_public_is_blocked() {
        use IndicatorKind::{Domain, FilePath, Ip, Url};
        let check = |kind, value: &str, expect| assert_eq!(is_blockable(kind, value), expect, "{value}");
        for public in ["159.89.156.190", "203.0.113.9", "2001:db8::1"] {
            check(Ip, public, true);
        }
        for local in [
            "10.0.0.1",
            "172.16.0.1",
            "192.168.0.7",
            "127.0.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "2002:0a00:0001::",
            "x",
        ] {
            check(Ip, local, false);
        }
        check(Domain, "wml.1103bye.xyz", true);
        check(Domain, "localhost", false);
        check(Domain, "db.internal", false);
        check(Domain, "10.0.0.1", false);
        check(Domain, "a b.test", false);
        check(Url, "http://wml.1103bye.xyz:8080/s.txt", true);
        check(Url, "http://192.168.0.2/x", false);
        check(Url, "http://[fe80::1]:80/x", false);
        check(Url, "http://evil.test@10.0.0.1/x", false);
        check(Url, "http://bob:hunter2@203.0.113.9/x", false);
        check(Url, "http://evil.test/a\nb", false);
        check(FilePath, "/tmp/x", false);
    }
}
