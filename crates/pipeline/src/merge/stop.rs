//! Which values join nothing, and why. Never merely because a value is popular: the biggest worm is.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use ringleader_model::IndicatorKind;

use super::sketch::FeatureStat;

/// Values that everybody uses, from `knowledge/stop-values/`.
#[derive(Debug, Clone, Default)]
pub struct StopList {
    /// Hosts that many parties share: the host says nothing, a full URL on it still does.
    shared: BTreeSet<String>,
    /// Hosts that distribute software to everyone: neither host nor URL says anything.
    distribution: BTreeSet<String>,
    /// Addresses of the monitored hosts themselves: victims, not infrastructure.
    own: BTreeSet<String>,
}

impl StopList {
    pub fn builtin() -> Self {
        let lines = |text: &str| {
            text.lines()
                .map(|line| line.split('#').next().unwrap_or("").trim().to_ascii_lowercase())
                .filter(|line| !line.is_empty())
                .collect()
        };
        Self {
            shared: lines(include_str!("../../../../knowledge/stop-values/shared_hosts.txt")),
            distribution: lines(include_str!("../../../../knowledge/stop-values/distribution.txt")),
            own: BTreeSet::new(),
        }
    }

    /// Adds the addresses of monitored hosts.
    #[must_use]
    pub fn with_own(mut self, addresses: impl IntoIterator<Item = String>) -> Self {
        self.own.extend(addresses);
        self
    }

    /// Why the value joins nothing, or `None`.
    pub fn why(&self, feature: &FeatureStat) -> Option<&'static str> {
        let value = feature.value.as_str();
        let host = host_of(feature.kind(), value);
        if let Some(host) = &host {
            if self.own.contains(host) {
                return Some("the address of a monitored host");
            }
            if listed(&self.distribution, host) {
                return Some("listed: distributes software to everyone");
            }
            let whole_host =
                matches!(feature.kind(), IndicatorKind::Domain | IndicatorKind::Ip | IndicatorKind::IpPort);
            if whole_host && listed(&self.shared, host) {
                return Some("listed: shared by many parties");
            }
            if feature.tenants.count() > 1 && is_private(host) {
                return Some("a private address, seen in several tenants");
            }
            if host.starts_with("127.") || host == "localhost" || host == "0.0.0.0" || host == "::1" {
                return Some("the host itself");
            }
        }
        // `alpine`, `nginx:1.25`: published by the registry itself, for everyone.
        if feature.kind() == IndicatorKind::Image && !value.contains('/') {
            return Some("an official image");
        }
        if feature.hosts.count() >= 3 && feature.suspicious_hosts.count() * 2 < feature.hosts.count() {
            return Some("on most of its hosts it shows nothing suspicious");
        }
        None
    }
}

/// `gist.github.com` is listed where `github.com` is.
fn listed(list: &BTreeSet<String>, host: &str) -> bool {
    let mut rest = host;
    loop {
        if list.contains(rest) {
            return true;
        }
        match rest.split_once('.') {
            Some((_, parent)) if parent.contains('.') => rest = parent,
            _ => return false,
        }
    }
}

/// Whether a host says nothing of whoever uses it: shared by many parties, or distributing software to everyone.
pub(crate) fn is_everybodys(host: &str) -> bool {
    static LIST: LazyLock<StopList> = LazyLock::new(StopList::builtin);
    listed(&LIST.shared, host) || listed(&LIST.distribution, host)
}

/// The host that a network indicator names.
pub fn host_of(kind: IndicatorKind, value: &str) -> Option<String> {
    let host = match kind {
        IndicatorKind::Domain | IndicatorKind::Ip => value,
        IndicatorKind::IpPort | IndicatorKind::Pool => {
            let rest = value.split("://").last().unwrap_or(value);
            rest.rsplit_once(':').map_or(rest, |(host, _)| host)
        }
        IndicatorKind::Url | IndicatorKind::Paste => {
            let rest = value.split_once("://").map_or(value, |(_, rest)| rest);
            let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
            let host = authority.rsplit('@').next().unwrap_or(authority);
            if host.starts_with('[') {
                host.split(']').next().unwrap_or(host)
            } else {
                host.split(':').next().unwrap_or(host)
            }
        }
        _ => return None,
    };
    Some(host.trim_matches(['[', ']']).to_ascii_lowercase())
}

/// Whether it is, or leads to, an address that means another host in another network.
pub fn names_private(kind: IndicatorKind, value: &str) -> bool {
    let host = match kind {
        IndicatorKind::IpPort => value.rsplit_once(':').map_or(value, |it| it.0).trim_matches(['[', ']']),
        _ => value,
    };
    is_private(host)
}

/// An address that means another host in another network.
pub fn is_private(host: &str) -> bool {
    match host.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(it)) => {
            it.is_private()
                || it.is_link_local()
                || it.is_loopback()
                || (it.octets()[0] == 100 && (it.octets()[1] & 0xc0) == 64)
        }
        Ok(std::net::IpAddr::V6(it)) => it.is_unique_local() || it.is_unicast_link_local() || it.is_loopback(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::distinct::Distinct;

    fn check(kind: IndicatorKind, value: &str, episodes: u64, suspicious: u64, expect: Option<&str>) {
        let distinct = |n: u64| {
            let mut hosts = Distinct::default();
            (0..n).for_each(|it| hosts.insert(ringleader_model::hash::hash64(&it.to_le_bytes())));
            hosts
        };
        let feature = FeatureStat {
            kind: kind as u8,
            value: value.into(),
            contexts: 1,
            episodes,
            suspicious,
            hosts: distinct(episodes),
            suspicious_hosts: distinct(suspicious),
            tenants: Distinct::default(),
            first: None,
            last: None,
        };
        let list = StopList::builtin().with_own(["192.0.2.9".to_owned()]);
        assert_eq!(list.why(&feature), expect, "{value}");
    }

    #[test]
    fn stopped_by_list_by_company_never_by_popularity() {
        check(IndicatorKind::Domain, "github.com", 5, 5, Some("listed: shared by many parties"));
        check(IndicatorKind::Url, "https://raw.githubusercontent.com/x/y/run.sh", 5, 5, None);
        check(
            IndicatorKind::Url,
            "http://deb.debian.org/debian/pool/x.deb",
            5,
            5,
            Some("listed: distributes software to everyone"),
        );
        check(IndicatorKind::Ip, "203.0.113.5", 10_000, 9_900, None);
        check(IndicatorKind::Ip, "203.0.113.5", 100, 20, Some("on most of its hosts it shows nothing suspicious"));
        check(IndicatorKind::IpPort, "192.0.2.9:22", 1, 1, Some("the address of a monitored host"));
    }

    #[test]
    fn the_host_of_a_url() {
        assert_eq!(host_of(IndicatorKind::Url, "http://u:p@Evil.example:8080/x").as_deref(), Some("evil.example"));
        assert_eq!(host_of(IndicatorKind::Url, "http://[2001:db8::1]:80/x").as_deref(), Some("2001:db8::1"));
        assert_eq!(host_of(IndicatorKind::Pool, "stratum+tcp://pool.example:3333").as_deref(), Some("pool.example"));
    }
}
