//! A map of decoys, and rows on their way to the folder → what decoys saw, what of it is in production, and how much later.
//! A view beside the run: rows pass through as they are, and nothing feeds back. Deliberately absent: warnings (the ledger).

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;

use ringleader_model::findings::*;
use ringleader_model::{Tables, Timestamp};
use serde::Deserialize;

/// Sensors of one map.
const MAX_SENSORS: usize = 10_000;
/// Patterns or networks of one sensor.
const MAX_PATTERNS: usize = 1_000;
/// Decoys that are told of one group.
const MAX_DECOYS: usize = 64;
/// Production episodes without a way in that are kept of one campaign, and told of one group.
const MAX_OPEN: usize = 1_000;
const MAX_LABELLED: usize = 1_000;

/// `sensors.toml`: which hosts and addresses are decoys, and what they pretend to be.
#[derive(Debug, Clone, Default)]
pub struct SensorMap {
    sensors: Vec<Sensor>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sensor {
    name: String,
    #[serde(default)]
    pretends: String,
    /// Names; `*` stands for any characters.
    #[serde(default)]
    hosts: Vec<String>,
    /// `192.0.2.7`, `192.0.2.0/24`: of logs that name hosts by address.
    #[serde(default)]
    addresses: Vec<String>,
    #[serde(skip)]
    networks: Vec<(IpAddr, u8)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    sensor: Vec<Sensor>,
}

impl SensorMap {
    /// What is wrong is told with the sensor's name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut sensors = file.sensor;
        if sensors.len() > MAX_SENSORS {
            return Err(format!("more than {MAX_SENSORS} sensors"));
        }
        if sensors.is_empty() {
            return Err("no sensor in there: write [[sensor]] with a name and hosts".to_owned());
        }
        let mut names = BTreeSet::new();
        for it in &mut sensors {
            let told = |what: String| format!("sensor {}: {what}", it.name);
            if !names.insert(it.name.clone()) {
                return Err(told("two sensors are called so".to_owned()));
            }
            if it.hosts.is_empty() && it.addresses.is_empty() {
                return Err(told("give hosts, addresses, or both".to_owned()));
            }
            if it.hosts.len() + it.addresses.len() > MAX_PATTERNS {
                return Err(told(format!("more than {MAX_PATTERNS} hosts and addresses")));
            }
            if it.hosts.iter().any(|it| it.trim_matches('*').is_empty()) {
                return Err(told("a pattern of nothing but * would make every host a decoy".to_owned()));
            }
            let networks: Result<Vec<_>, String> = it
                .addresses
                .iter()
                .map(|text| network(text).ok_or_else(|| told(format!("{text} is no address and no network"))))
                .collect();
            it.networks = networks?;
        }
        Ok(Self { sensors })
    }

    /// The sensor that this host is; the first that says so.
    fn of(&self, host: &str) -> Option<&Sensor> {
        let address: Option<IpAddr> = host.parse().ok();
        let is = |it: &&Sensor| {
            it.hosts.iter().any(|pattern| holds(pattern, host))
                || address.is_some_and(|at| it.networks.iter().any(|net| contains(*net, at)))
        };
        self.sensors.iter().find(is)
    }

    pub fn is_decoy(&self, host: &str) -> bool {
        self.of(host).is_some()
    }
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(most);
    // Everything is no network of decoys.
    (1..=most).contains(&bits).then_some((address, bits))
}

fn contains((network, bits): (IpAddr, u8), at: IpAddr) -> bool {
    match (network, at) {
        (IpAddr::V4(network), IpAddr::V4(at)) => {
            (u32::from(network) ^ u32::from(at)).checked_shr(32 - u32::from(bits)).unwrap_or(0) == 0
        }
        (IpAddr::V6(network), IpAddr::V6(at)) => {
            (u128::from(network) ^ u128::from(at)).checked_shr(128 - u32::from(bits)).unwrap_or(0) == 0
        }
        _ => false,
    }
}

/// Whether a name has this pattern, whatever its case; greedy from the left, so linear in the parts.
fn holds(pattern: &str, host: &str) -> bool {
    let (pattern, host) = (pattern.to_lowercase(), host.to_lowercase());
    let parts: Vec<&str> = pattern.split('*').collect();
    let [first, middle @ .., last] = &parts[..] else { return host == pattern };
    let Some(rest) = host.strip_prefix(first) else { return false };
    let Some(mut rest) = rest.strip_suffix(last) else { return false };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

/// What rows say of one campaign.
#[derive(Debug, Default)]
struct Seen {
    gang: Option<Text>,
    decoys: BTreeMap<Text, Sight>,
    production_hosts: BTreeSet<Text>,
    production_first: Option<i64>,
    /// Production episodes whose way in is not known: host, episode.
    open: Vec<(Text, Text)>,
    more_open: u64,
}

#[derive(Debug, Default, Clone)]
struct Sight {
    first: Option<i64>,
    episodes: u64,
    /// The surest.
    method: Option<(Permille, Text, Option<Text>)>,
}

fn earlier(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Passes rows on, and notes what decoys saw.
pub struct Watch<'a> {
    inner: &'a mut dyn Tables,
    map: &'a SensorMap,
    seen: BTreeMap<Text, Seen>,
    /// The host whose rows come, and whether it is a decoy.
    host: Option<(Text, bool)>,
}

impl<'a> Watch<'a> {
    pub fn new(inner: &'a mut dyn Tables, map: &'a SensorMap) -> Self {
        Self { inner, map, seen: BTreeMap::new(), host: None }
    }

    /// Rows come host after host: each host is looked up once.
    fn is_decoy(&mut self, host: &Text) -> bool {
        if let Some((known, decoy)) = &self.host
            && known == host
        {
            return *decoy;
        }
        let decoy = self.map.is_decoy(host);
        self.host = Some((host.clone(), decoy));
        decoy
    }

    /// What it came to. `findings`: whose gangs and campaigns the rows speak of.
    pub fn done(self, findings: &Findings) -> Honeynet {
        sum(self.seen, self.map, findings)
    }
}

impl Tables for Watch<'_> {
    fn episodes(&mut self, rows: Vec<EpisodeRow>) -> io::Result<()> {
        for row in &rows {
            let decoy = self.is_decoy(&row.host);
            let seen = self.seen.entry(row.campaign_id.clone()).or_default();
            if row.gang_id.is_some() {
                seen.gang.clone_from(&row.gang_id);
            }
            if decoy {
                let sight = seen.decoys.entry(row.host.clone()).or_default();
                sight.episodes += 1;
                if let (Some(method), Some(confidence)) = (&row.method, row.confidence)
                    && sight.method.as_ref().is_none_or(|it| confidence > it.0)
                {
                    sight.method = Some((confidence, method.clone(), row.cve.clone()));
                }
                continue;
            }
            seen.production_hosts.insert(row.host.clone());
            if row.method.is_none() {
                if seen.open.len() < MAX_OPEN {
                    seen.open.push((row.host.clone(), row.episode_id.clone()));
                } else {
                    seen.more_open += 1;
                }
            }
        }
        self.inner.episodes(rows)
    }
    fn members(&mut self, rows: Vec<MemberRow>) -> io::Result<()> {
        for row in &rows {
            let decoy = self.is_decoy(&row.host);
            let Some(seen) = self.seen.get_mut(&row.campaign_id) else { continue };
            let time = row.time.map(|it| it.0);
            if decoy {
                if let Some(sight) = seen.decoys.get_mut(&row.host) {
                    sight.first = earlier(sight.first, time);
                }
            } else {
                seen.production_first = earlier(seen.production_first, time);
            }
        }
        self.inner.members(rows)
    }
    fn processes(&mut self, rows: Vec<ProcessRow>) -> io::Result<()> {
        self.inner.processes(rows)
    }
    fn repairs(&mut self, rows: Vec<RepairRow>) -> io::Result<()> {
        self.inner.repairs(rows)
    }
    fn behaviours(&mut self, rows: Vec<BehaviourRow>) -> io::Result<()> {
        self.inner.behaviours(rows)
    }
}

/// What several campaigns of a gang add up to.
#[derive(Default)]
struct Sum {
    group: DecoyGroup,
    decoys: BTreeMap<Text, Sight>,
    hosts: BTreeSet<Text>,
    first: Option<i64>,
}

fn sum(seen: BTreeMap<Text, Seen>, map: &SensorMap, findings: &Findings) -> Honeynet {
    let mut decoys: BTreeMap<Text, Sight> = BTreeMap::new();
    // A campaign that is no gang's stands for itself.
    let mut sums: BTreeMap<(Option<Text>, Text), Sum> = BTreeMap::new();
    for (campaign, seen) in seen {
        for (host, sight) in &seen.decoys {
            add(decoys.entry(host.clone()).or_default(), sight);
        }
        let alone = if seen.gang.is_some() { Text::default() } else { campaign.clone() };
        let sum = sums.entry((seen.gang.clone(), alone)).or_default();
        sum.group.gang_id.clone_from(&seen.gang);
        if !seen.decoys.is_empty() {
            sum.group.campaigns.push(campaign.clone());
        }
        sum.hosts.extend(seen.production_hosts);
        sum.first = earlier(sum.first, seen.production_first);
        for (host, sight) in &seen.decoys {
            add(sum.decoys.entry(host.clone()).or_default(), sight);
        }
        // The same graph, so the same way in: the decoy that is surest of it speaks for it.
        let surest = seen.decoys.iter().filter_map(|it| Some((it.1.method.as_ref()?, it.0)));
        let Some((method, decoy)) = surest.max_by(|a, b| (a.0.0, b.1).cmp(&(b.0.0, a.1))) else { continue };
        sum.group.more_labelled += seen.more_open;
        for (host, episode_id) in seen.open {
            if sum.group.labelled.len() >= MAX_LABELLED {
                sum.group.more_labelled += 1;
                continue;
            }
            sum.group.labelled.push(Labelled {
                host,
                episode_id,
                campaign_id: campaign.clone(),
                decoy: decoy.clone(),
                method: method.1.clone(),
                cve: method.2.clone(),
                confidence: method.0,
            });
        }
    }
    let mut honeynet = Honeynet::default();
    for it in sums.into_values() {
        if it.decoys.is_empty() {
            honeynet.production_only += 1;
        } else {
            honeynet.groups.push(group(it, findings));
        }
    }
    honeynet.groups.sort_by(|a, b| {
        let key = |it: &DecoyGroup| (it.standing, std::cmp::Reverse(it.lead_seconds.unwrap_or(i64::MIN)));
        key(a).cmp(&key(b)).then((&a.gang_id, &a.campaigns).cmp(&(&b.gang_id, &b.campaigns)))
    });
    honeynet.decoys = decoys
        .into_iter()
        .map(|(host, sight)| {
            let sensor = map.of(&host);
            Decoy {
                name: sensor.map_or("", |it| &it.name).into(),
                pretends: sensor.map_or("", |it| &it.pretends).into(),
                host,
                first_seen: sight.first.map(Timestamp),
                episodes: sight.episodes,
            }
        })
        .collect();
    honeynet
}

fn add(sum: &mut Sight, sight: &Sight) {
    sum.first = earlier(sum.first, sight.first);
    sum.episodes += sight.episodes;
    if sight.method.as_ref().map(|it| it.0) > sum.method.as_ref().map(|it| it.0) {
        sum.method.clone_from(&sight.method);
    }
}

fn group(sum: Sum, findings: &Findings) -> DecoyGroup {
    let Sum { mut group, decoys, hosts, first } = sum;
    let decoy_first = decoys.values().filter_map(|it| it.first).min();
    group.production_hosts = hosts.len() as u64;
    group.production_first = first.map(Timestamp);
    group.lead_seconds = first.zip(decoy_first).map(|(at, decoy)| at.saturating_sub(decoy).div_euclid(1_000_000));
    let own = group.gang_id.as_ref().and_then(|id| findings.gangs.iter().find(|it| it.gang_id == *id));
    group.standing = match (hosts.is_empty(), own.is_some_and(|it| !it.who.indicators.is_empty())) {
        (false, _) => DecoyStanding::Both,
        (true, true) => DecoyStanding::EarlyNews,
        (true, false) => DecoyStanding::Noise,
    };
    let mut sights: Vec<DecoySight> = decoys
        .into_iter()
        .map(|(host, it)| DecoySight {
            host,
            first_seen: it.first.map(Timestamp),
            episodes: it.episodes,
            method: it.method.as_ref().map(|it| it.1.clone()),
            cve: it.method.and_then(|it| it.2),
        })
        .collect();
    sights.sort_by(|a, b| {
        (a.first_seen.is_none(), a.first_seen, &a.host).cmp(&(b.first_seen.is_none(), b.first_seen, &b.host))
    });
    sights.truncate(MAX_DECOYS);
    group.decoys = sights;
    group
}

#[cfg(test)]
mod tests {
    use ringleader_model::{EventId, Rows};

    use super::*;

    const MAP: &str =
        "[[sensor]]\nname = 'decoy 7'\npretends = 'solr'\nhosts = ['pot-*']\naddresses = ['192.0.2.0/28']";

    #[test]
    fn a_map_says_which_hosts_are_decoys_and_what_is_wrong_with_it() {
        let map = SensorMap::parse(MAP).unwrap();
        for (host, expect) in [
            ("pot-1", true),
            ("POT-2", true),
            ("web-1", false),
            ("spot-1", false),
            ("192.0.2.9", true),
            ("192.0.2.16", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(map.is_decoy(host), expect, "{host}");
        }
        let check = |text: &str, part: &str| {
            let error = SensorMap::parse(text).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        check("", "no sensor in there");
        check("[[sensor]]\nname = 'a'", "sensor a: give hosts");
        check("[[sensor]]\nname = 'a'\nhosts = ['*']", "every host a decoy");
        check("[[sensor]]\nname = 'a'\naddresses = ['0.0.0.0/0']", "no network");
        check("[[sensor]]\nname = 'a'\naddresses = ['192.0.2.0/33']", "no network");
        check(&format!("{MAP}\n{}", MAP.replace("solr", "x")), "two sensors are called so");
        check("[[sensor]]\nname = 'a'\nhost = 'b'", "unknown field");
    }

    fn give(watch: &mut Watch<'_>, host: &str, campaign: &str, gang: Option<&str>, at: i64, method: Option<&str>) {
        let episode: Text = format!("{host} {campaign} {at}").into();
        let episodes = vec![EpisodeRow {
            episode_id: episode.clone(),
            host: host.into(),
            entry: None,
            intrusion_id: None,
            campaign_id: campaign.into(),
            gang_id: gang.map(Into::into),
            method: method.map(Into::into),
            cve: method.map(|_| "CVE-2019-0193".into()),
            confidence: method.map(|_| Permille::new(900)),
            abstained_because: None,
            signature_kind: "url".into(),
        }];
        let members = vec![MemberRow {
            host: host.into(),
            event_id: EventId(at as u128),
            source_event_id: None,
            source: "log".into(),
            offset: 0,
            length: 1,
            time: Some(Timestamp::from_secs(at)),
            pid: None,
            process_uid: None,
            parent_event_id: None,
            ancestor_event_id: None,
            parent_status: ParentStatus::Root,
            episode_id: episode,
            campaign_id: campaign.into(),
            gang_id: gang.map(Into::into),
        }];
        watch.episodes(episodes).unwrap();
        watch.members(members).unwrap();
    }

    #[test]
    fn what_hits_both_has_a_lead_and_labels_production() {
        let map = SensorMap::parse(MAP).unwrap();
        let mut rows = Rows::default();
        let mut watch = Watch::new(&mut rows, &map);
        give(&mut watch, "pot-1", "c1", Some("g1"), 1_000, Some("solr_dataimport"));
        give(&mut watch, "web-1", "c1", Some("g1"), 8_200, None);
        give(&mut watch, "web-2", "c1", Some("g1"), 9_000, Some("redis_cron_write"));
        // Of another graph the decoy says nothing.
        give(&mut watch, "web-3", "c2", Some("g1"), 9_500, None);
        give(&mut watch, "pot-2", "c3", Some("g2"), 2_000, None);
        give(&mut watch, "pot-2", "c4", None, 2_500, None);
        give(&mut watch, "web-4", "c5", Some("g3"), 100, None);
        let mut findings = Findings::default();
        for id in ["g1", "g2"] {
            let mut gang = Gang { gang_id: id.into(), ..Gang::default() };
            gang.who.indicators.insert("domain".into(), Vec::new());
            findings.gangs.push(gang);
        }
        let honeynet = watch.done(&findings);
        assert_eq!(rows.episodes.len(), 7);
        assert_eq!(honeynet.production_only, 1);
        let told: Vec<_> = honeynet.groups.iter().map(|it| (it.gang_id.as_deref(), it.standing)).collect();
        use DecoyStanding as S;
        assert_eq!(told, [(Some("g1"), S::Both), (Some("g2"), S::EarlyNews), (None, S::Noise)]);
        let first = &honeynet.groups[0];
        assert_eq!((first.lead_seconds, first.production_hosts), (Some(7_200), 3));
        assert_eq!(first.campaigns, ["c1".into()]);
        let labelled: Vec<_> = first.labelled.iter().map(|it| (&*it.host, &*it.decoy, &*it.method)).collect();
        assert_eq!(labelled, [("web-1", "pot-1", "solr_dataimport")]);
        let decoys: Vec<_> = honeynet.decoys.iter().map(|it| (&*it.host, &*it.name, it.episodes)).collect();
        assert_eq!(decoys, [("pot-1", "decoy 7", 1), ("pot-2", "decoy 7", 2)]);
    }

    #[test]
    fn the_order_of_hosts_does_not_matter() {
        let map = SensorMap::parse(MAP).unwrap();
        let sum = |hosts: &[(&str, i64)]| {
            let mut rows = Rows::default();
            let mut watch = Watch::new(&mut rows, &map);
            for (host, at) in hosts {
                give(&mut watch, host, "c1", Some("g1"), *at, Some("solr_dataimport"));
            }
            watch.done(&Findings::default())
        };
        let a = sum(&[("pot-1", 50), ("web-1", 20), ("pot-2", 40)]);
        assert_eq!(a, sum(&[("pot-2", 40), ("pot-1", 50), ("web-1", 20)]));
        assert_eq!(a.groups[0].lead_seconds, Some(-20));
    }
}
