//! An indicator → whether a rule or a list on it can only hit the attacker's side. Deliberately absent: looking anything up.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use ringleader_model::IndicatorKind;

use crate::escape;
use crate::mask::MASKED;

struct Lists {
    /// The host is everybody's; a full URL on it may be one party's.
    shared: BTreeSet<&'static str>,
    /// Neither host nor URL is anybody's.
    distribution: BTreeSet<&'static str>,
    addresses: BTreeSet<IpAddr>,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let lines = |text: &'static str| {
        text.lines().map(|it| it.split('#').next().unwrap_or("").trim()).filter(|it| !it.is_empty())
    };
    Lists {
        shared: lines(include_str!("../../../../knowledge/stop-values/shared_hosts.txt")).collect(),
        distribution: lines(include_str!("../../../../knowledge/stop-values/distribution.txt")).collect(),
        addresses: lines(include_str!("../../../../knowledge/stop-values/public_addresses.txt"))
            .filter_map(|it| it.parse().ok())
            .collect(),
    }
});

fn listed(list: &BTreeSet<&'static str>, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    std::iter::successors(Some(host.as_str()), |it| it.split_once('.').map(|it| it.1)).any(|it| list.contains(it))
}

/// Whether a name says nothing of whoever stands below it: a cloud's, a registry's, `com.cn`.
pub(super) fn is_anybodys(name: &str) -> bool {
    let second = name.split_once('.').filter(|it| !it.1.contains('.'));
    let of_country =
        second.is_some_and(|(a, b)| b.len() == 2 && matches!(a, "co" | "com" | "net" | "org" | "gov" | "edu" | "ac"));
    of_country || listed(&LISTS.shared, name) || listed(&LISTS.distribution, name)
}

/// Whether blocking this value can only hit the attacker's side.
pub(crate) fn is_blockable(kind: IndicatorKind, value: &str) -> bool {
    if value.chars().any(|c| escape::acts(c) || c.is_whitespace()) || value.contains(MASKED) {
        return false;
    }
    match kind {
        IndicatorKind::Ip => value.parse().is_ok_and(is_nobodys_friend),
        IndicatorKind::IpPort => {
            let ip = value.rsplit_once(':').map_or(value, |it| it.0);
            ip.trim_matches(['[', ']']).parse().is_ok_and(is_nobodys_friend)
        }
        IndicatorKind::Domain => {
            is_public_name(value) && !listed(&LISTS.shared, value) && !listed(&LISTS.distribution, value)
        }
        IndicatorKind::Url => url_host(value).is_some_and(|host| match host.parse() {
            Ok(ip) => is_nobodys_friend(ip),
            Err(_) => {
                is_public_name(host)
                    && !listed(&LISTS.distribution, host)
                    && !(listed(&LISTS.shared, host) && is_bare(value))
            }
        }),
        _ => false,
    }
}

/// The host or address that an indicator of the network names.
pub(super) fn host_of(kind: IndicatorKind, value: &str) -> Option<&str> {
    match kind {
        IndicatorKind::Ip | IndicatorKind::Domain => Some(value),
        IndicatorKind::IpPort | IndicatorKind::Pool => {
            let rest = value.split_once("://").map_or(value, |it| it.1);
            Some(rest.rsplit_once(':').map_or(rest, |it| it.0).trim_matches(['[', ']']))
        }
        IndicatorKind::Url | IndicatorKind::Paste => url_host(value),
        _ => None,
    }
}

/// A URL without a path is its host.
fn is_bare(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |it| it.1);
    rest.split_once('/').is_none_or(|(_, path)| path.is_empty())
}

/// `http://user@host:80/path` → `host`, an IPv6 one without its brackets.
pub(super) fn url_host(url: &str) -> Option<&str> {
    let rest = url.split_once("://")?.1;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|(ip, _)| ip),
        None => Some(host.split_once(':').map_or(host, |(host, _)| host)),
    }
}

pub(super) fn is_public_name(name: &str) -> bool {
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

fn is_nobodys_friend(ip: IpAddr) -> bool {
    is_public(ip) && !LISTS.addresses.contains(&ip)
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
    fn only_what_is_public_and_one_partys_is_blocked() {
        use IndicatorKind::{Domain, FilePath, Ip, IpPort, Url};
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
            "8.8.8.8",
            "1.1.1.1",
            "114.114.114.114",
            "2606:4700:4700::1111",
        ] {
            check(Ip, local, false);
        }
        check(IpPort, "203.0.113.9:80", true);
        check(IpPort, "[2001:db8::1]:80", true);
        check(IpPort, "10.0.0.1:80", false);
        check(Domain, "wml.1103bye.xyz", true);
        check(Domain, "localhost", false);
        check(Domain, "db.internal", false);
        check(Domain, "10.0.0.1", false);
        check(Domain, "a b.test", false);
        check(Domain, "raw.githubusercontent.com", false);
        check(Domain, "mirrors.aliyun.com", false);
        check(Url, "http://wml.1103bye.xyz:8080/s.txt", true);
        check(Url, "https://raw.githubusercontent.com/evil/x", true);
        check(Url, "https://github.com", false);
        check(Url, "https://github.com/", false);
        check(Url, "http://mirrors.aliyun.com/repo/x", false);
        check(Url, "http://192.168.0.2/x", false);
        check(Url, "http://[fe80::1]:80/x", false);
        check(Url, "http://evil.test@10.0.0.1/x", false);
        check(Url, "http://bob:***@203.0.113.9/x", false);
        check(Url, "http://evil.test/a\nb", false);
        check(FilePath, "/tmp/x", false);
    }
}
