//! findings, and which hosts are whose → what each tenant needs to know. Pure. A tenant reads of its own hosts alone; a value
//! that others' hosts showed is told where it is what a gang is known by, or where at least three tenants show it, and never
//! where it holds the name of another's host.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::Timestamp;
use ringleader_model::findings::{Findings, Gang, Strength, Text};

use crate::memory::{Places, is_private};
use crate::seen::{GangSeen, Seen};

/// Tenants that must show a value before a fourth is told of it.
const MANY: usize = 3;
/// Values that one notice tells of one gang.
const MAX_BLOCK: usize = 100;
/// Names up to which every value is searched for each of them.
const FEW: usize = 5_000;
/// Shorter names stand in too many values by chance.
const MIN_NAME: usize = 4;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notice {
    pub tenant: String,
    /// Most of its hosts first.
    pub gangs: Vec<GangNotice>,
}

/// What a gang did to this tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GangNotice {
    pub name: String,
    /// Of this tenant, by time.
    pub hosts: Vec<HostNotice>,
    /// Ids of behaviours that were seen on these hosts.
    pub behaviours: Vec<Text>,
    /// Kind and value: what the gang is known by, and what at least three tenants saw.
    pub block: Vec<(String, String)>,
    /// Tenants that it came to, this one among them.
    pub tenants: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostNotice {
    pub host: Text,
    pub first_seen: Option<Timestamp>,
    pub last_seen: Option<Timestamp>,
    /// Ids of methods.
    pub methods: Vec<Text>,
}

/// By tenant. Hosts of no known tenant are in nobody's notice.
pub fn notices(findings: &Findings, seen: &Seen, places: &Places) -> Vec<Notice> {
    let nothing = GangSeen::default();
    let mut hosts_of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for gang in &findings.gangs {
        let rows = seen.gangs.get(&gang.gang_id).unwrap_or(&nothing);
        for host in gang.who.hosts.iter().chain(rows.hosts.keys()) {
            hosts_of.entry(places.place(host).tenant).or_default().insert(host);
        }
    }
    let tenants: Vec<&str> = hosts_of.keys().copied().filter(|it| !it.is_empty()).collect();
    let mut notices = Vec::new();
    for tenant in tenants {
        // Names that this tenant must not read, in lower case.
        let others: BTreeSet<String> = hosts_of
            .iter()
            .filter(|it| *it.0 != tenant)
            .flat_map(|it| it.1)
            .filter(|it| it.len() >= MIN_NAME)
            .map(|it| it.to_lowercase())
            .collect();
        let of_gang = |gang: &Gang| {
            let rows = seen.gangs.get(&gang.gang_id).unwrap_or(&nothing);
            notice(gang, rows, places, tenant, &others)
        };
        let mut gangs: Vec<GangNotice> = findings.gangs.iter().filter_map(of_gang).collect();
        gangs.sort_by(|a, b| b.hosts.len().cmp(&a.hosts.len()).then(a.name.cmp(&b.name)));
        notices.push(Notice { tenant: tenant.to_owned(), gangs });
    }
    notices
}

fn notice(
    gang: &Gang,
    rows: &GangSeen,
    places: &Places,
    tenant: &str,
    others: &BTreeSet<String>,
) -> Option<GangNotice> {
    let all: BTreeSet<&Text> = gang.who.hosts.iter().chain(rows.hosts.keys()).collect();
    let own: Vec<&Text> = all.iter().copied().filter(|it| places.place(it).tenant == tenant).collect();
    if own.is_empty() {
        return None;
    }
    let tenants: BTreeSet<&str> = all.iter().map(|it| places.place(it).tenant).filter(|it| !it.is_empty()).collect();
    let mut hosts: Vec<HostNotice> = own
        .iter()
        .map(|host| {
            let times = rows.hosts.get(*host).copied().flatten();
            let methods = rows.methods.iter().filter(|it| it.1.contains(*host)).map(|it| it.0.clone()).collect();
            HostNotice {
                host: (*host).clone(),
                first_seen: times.map(|it| Timestamp(it.0)),
                last_seen: times.map(|it| Timestamp(it.1)),
                methods,
            }
        })
        .collect();
    hosts.sort_by(|a, b| {
        (a.first_seen.is_none(), a.first_seen, &a.host).cmp(&(b.first_seen.is_none(), b.first_seen, &b.host))
    });
    let shown = |it: &&Text| rows.behaviours.get(*it).is_some_and(|on| own.iter().any(|host| on.contains_key(*host)));
    let behaviours = gang.what.behaviours.iter().map(|it| &it.id).filter(shown).cloned().collect();
    let is_others = |value: &str| names_any(value, others);
    // What it is known by is strong enough to tell it; the rest must be common to many.
    let known = |strength: Strength| strength != Strength::Weak || tenants.len() >= MANY;
    let block = gang
        .who
        .indicators
        .iter()
        .flat_map(|(kind, values)| values.iter().map(move |it| (kind, it)))
        .filter(|(_, it)| known(it.strength) && !is_private(&it.value) && !is_others(&it.value))
        .map(|(kind, it)| (kind.to_string(), it.value.to_string()))
        .take(MAX_BLOCK)
        .collect();
    let name = if is_others(&gang.name) { String::new() } else { gang.name.clone() };
    Some(GangNotice { name, hosts, behaviours, block, tenants: tenants.len() as u64 })
}

/// Whether a value holds one of these names: as a word of it, or, where there are few, anywhere.
fn names_any(value: &str, names: &BTreeSet<String>) -> bool {
    let value = value.to_lowercase();
    let mut words = value.split(|it: char| !it.is_alphanumeric() && !"-_.".contains(it));
    let is_name = |word: &str| {
        names.contains(word) || names.contains(word.trim_matches('.')) || word.split('.').any(|it| names.contains(it))
    };
    words.any(is_name) || (names.len() <= FEW && names.iter().any(|it| value.contains(it.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;
    use ringleader_model::findings::{GangIndicator, Who};

    fn places() -> Places {
        let place = |pattern: &str, tenant: &str| Place {
            pattern: pattern.to_owned(),
            tenant: tenant.to_owned(),
            ..Place::default()
        };
        Places::new(["shop", "bank", "lab", "games"].map(|it| place(&format!("{it}-*"), it)), "")
    }

    fn gang(id: &str, hosts: &[&str], values: &[(&str, Strength)]) -> Gang {
        let one = |(value, strength): &(&str, Strength)| GangIndicator {
            value: (*value).into(),
            strength: *strength,
            contexts: Vec::new(),
            hosts: 1,
        };
        Gang {
            gang_id: id.into(),
            name: format!("gang {id}"),
            who: Who {
                hosts: hosts.iter().map(|it| (*it).into()).collect(),
                indicators: [("url".into(), values.iter().map(one).collect())].into(),
                ..Who::default()
            },
            ..Gang::default()
        }
    }

    #[test]
    fn a_tenants_notice_says_nothing_of_anothers_hosts() {
        let values = [
            ("http://evil.example/a", Strength::Strong),
            ("http://evil.example/got?h=SHOP-db-7", Strength::Strong),
            ("http://10.0.0.8/x", Strength::Strong),
            ("/tmp/x", Strength::Weak),
        ];
        let findings = Findings {
            gangs: vec![
                gang("g1", &["shop-web-1", "shop-db-7", "bank-web-1", "nobody-1"], &values),
                gang("g2", &["shop-web-1", "bank-web-2", "lab-1", "games-1"], &values),
                gang("g3", &["bank-web-9"], &values),
            ],
            ..Findings::default()
        };
        let notices = notices(&findings, &Seen::default(), &places());
        assert_eq!(notices.iter().map(|it| &*it.tenant).collect::<Vec<_>>(), ["bank", "games", "lab", "shop"]);
        let hosts =
            ["shop-web-1", "shop-db-7", "bank-web-1", "bank-web-2", "bank-web-9", "lab-1", "games-1", "nobody-1"];
        for notice in &notices {
            let text = format!("{notice:?}").to_lowercase();
            for host in hosts.iter().filter(|it| !it.starts_with(&format!("{}-", notice.tenant))) {
                assert!(!text.contains(host), "{}: {host}", notice.tenant);
            }
        }
        let bank = &notices[0];
        let of = |name: &str| bank.gangs.iter().find(|it| it.name == name).unwrap();
        let urls = |name: &str| of(name).block.iter().map(|it| it.1.clone()).collect::<Vec<_>>();
        assert_eq!(urls("gang g1"), ["http://evil.example/a"]);
        // Three tenants and more show it: it is nobody's secret.
        assert_eq!(urls("gang g2"), ["http://evil.example/a", "/tmp/x"]);
        assert_eq!((of("gang g1").tenants, of("gang g3").tenants), (2, 1));
        // To its own tenant a host's name is no secret.
        assert_eq!(notices[3].gangs[0].block.len(), 2);
    }
}
