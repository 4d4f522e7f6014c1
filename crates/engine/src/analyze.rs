//! host buckets → one sketch and the records of its episodes: once per part, then one fold. Records don't stay in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ringleader_model::{EventClass, Field, SensorRole, Timestamp};
use ringleader_pipeline::collect::rows::{Bucket, Sym};
use ringleader_pipeline::connect::episodes::episodes;
use ringleader_pipeline::connect::{HostGraph, ParentStatus, Process, graphs, sort};
use ringleader_pipeline::label::episode::{Host, Knowledge, Labeller, Traced, Words, member, process_uid};
use ringleader_pipeline::label::network::flow::{At, Flow};
use ringleader_pipeline::label::network::sums::Sums;
use ringleader_pipeline::label::network::{Signal, Signals, signal};
use ringleader_pipeline::merge::Sketch;
use ringleader_pipeline::merge::record::EpisodeRecord;
use ringleader_pipeline::merge::remnant::node_times;

use crate::beside::Beside;
use crate::buckets::Buckets;
use crate::collect::Progress;
use crate::handed::hand_over;
use crate::network::NetworkSide;
use crate::records::{ProcessRecord, Records, SHARE, code_of};
use crate::runs::{Packed, Runs};
use crate::store::BUCKETS;

/// What the parts add up to.
#[derive(Default)]
pub struct Analyzed {
    pub sketch: Sketch,
    pub records: Records,
    pub processes: Option<Runs<ProcessRecord>>,
    /// Hosts that an alert names, of whatever product.
    pub alerted_hosts: BTreeSet<String>,
    /// Whether anything that alerts was among the inputs.
    pub has_alerts: bool,
    /// Addresses of monitored hosts; `None` where several claim one.
    pub own_addresses: BTreeMap<String, Option<String>>,
    pub health: BTreeMap<String, HostHealth>,
    /// Whether any record is a remnant's.
    pub has_remnants: bool,
    pub network: NetworkSide,
}

/// How well one host's log could have shown anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostHealth {
    pub events: u64,
    pub processes: u64,
    pub links: u64,
    pub missing: u64,
    pub without_command_line: u64,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    /// The longest time in which it logged nothing, microseconds.
    pub longest_silence: i64,
}

/// What one bucket adds.
#[derive(Default)]
pub struct Part {
    pub sketch: Sketch,
    pub records: Vec<EpisodeRecord>,
    pub processes: Vec<ProcessRecord>,
    pub alerted_hosts: BTreeSet<String>,
    pub has_alerts: bool,
    pub own_addresses: BTreeMap<String, Option<String>>,
    pub health: BTreeMap<String, HostHealth>,
    pub has_remnants: bool,
    pub network: NetworkSide,
}

/// The records of a part, sorted and packed: what takes time, and needs no lock.
struct PackedPart {
    rest: Part,
    records: Packed<EpisodeRecord>,
    processes: Packed<ProcessRecord>,
}

impl Part {
    fn pack(mut self) -> io::Result<PackedPart> {
        let records = Runs::pack(std::mem::take(&mut self.records))?;
        let processes = Runs::pack(std::mem::take(&mut self.processes))?;
        Ok(PackedPart { rest: self, records, processes })
    }
}

impl Analyzed {
    fn new(config: &AnalyzeConfig) -> Self {
        let share = config.memory / SHARE;
        Self { records: Runs::new(share), processes: config.processes.then(|| Runs::new(share)), ..Self::default() }
    }

    fn merge(&mut self, part: PackedPart) -> io::Result<()> {
        let PackedPart { rest: part, records, processes } = part;
        self.has_remnants |= part.has_remnants;
        self.sketch = std::mem::take(&mut self.sketch).merge(part.sketch);
        self.records.add(records)?;
        if let Some(all) = &mut self.processes {
            all.add(processes)?;
        }
        self.alerted_hosts.extend(part.alerted_hosts);
        self.has_alerts |= part.has_alerts;
        for (address, host) in part.own_addresses {
            let known = self.own_addresses.entry(address).or_insert_with(|| host.clone());
            if *known != host {
                *known = None;
            }
        }
        self.health.extend(part.health);
        self.network.merge(part.network);
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub struct AnalyzeConfig {
    pub threads: usize,
    /// Bytes of the whole run; records that wait for the campaigns may take a small share of it.
    pub memory: usize,
    /// Keep a row for every process event.
    pub processes: bool,
}

/// Connects, extracts, labels and sketches every bucket.
pub fn analyze(
    buckets: &dyn Buckets,
    knowledge: &Knowledge,
    config: &AnalyzeConfig,
    progress: &dyn Progress,
) -> io::Result<Analyzed> {
    let network = network_signals(buckets)?;
    let next = AtomicUsize::new(0);
    let whole = Mutex::new(Analyzed::new(config));
    let failed: Mutex<Option<io::Error>> = Mutex::new(None);
    let work = |bucket: usize, room: &mut Bucket, labeller: &mut Labeller<'_>| -> io::Result<()> {
        buckets.load_into(bucket, room)?;
        let part = part(room, labeller, &network.signals, config, buckets.formats());
        progress.advance(0, part.sketch.counts.events);
        let packed = part.pack()?;
        whole.lock().unwrap_or_else(std::sync::PoisonError::into_inner).merge(packed)
    };
    std::thread::scope(|scope| {
        for _ in 0..config.threads.max(1) {
            scope.spawn(|| {
                let mut labeller = Labeller::new(knowledge);
                // One bucket's memory for all: fresh memory costs more than to fill it.
                let mut room = Bucket::default();
                loop {
                    let bucket = next.fetch_add(1, Ordering::Relaxed);
                    if bucket >= BUCKETS {
                        return;
                    }
                    if let Err(error) = work(bucket, &mut room, &mut labeller) {
                        *failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error);
                        return;
                    }
                }
            });
        }
    });
    if let Some(error) = failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        return Err(error);
    }
    let mut whole = whole.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    // What network sensors saw of hosts that have no log of their own.
    let mut labeller = Labeller::new(knowledge);
    for mut loaded in network.unhosted {
        name_victims(&mut loaded, &whole.own_addresses);
        let mut part = part(&mut loaded, &mut labeller, &Signals::default(), config, buckets.formats());
        // A network sensor is no host of the fleet.
        part.sketch.counts.hosts = 0;
        part.health.clear();
        whole.merge(part.pack()?)?;
    }
    whole.network.wire = network.wire.settle();
    whole.network.fleet = std::mem::take(&mut whole.network.fleet).settle();
    whole.sketch.counts.events += network.flows + buckets.tapped();
    whole.has_alerts |= network.alerts > 0;
    let signals = &network.alerted;
    whole.alerted_hosts.extend(signals.iter().filter(|it| whole.own_addresses.contains_key(*it)).cloned());
    Ok(whole)
}

struct Network {
    signals: Signals,
    alerts: u64,
    /// Addresses that alerts name.
    alerted: BTreeSet<String>,
    unhosted: Vec<Bucket>,
    flows: u64,
    wire: Sums,
}

/// Alerts and requests of network sensors, from their own buckets.
fn network_signals(buckets: &dyn Buckets) -> io::Result<Network> {
    let mut list: Vec<Signal> = Vec::new();
    let tapped = buckets.wire();
    let was_tapped = tapped.is_some();
    let mut network = Network {
        signals: Signals::default(),
        alerts: 0,
        alerted: BTreeSet::new(),
        unhosted: Vec::new(),
        flows: 0,
        wire: tapped.unwrap_or_default(),
    };
    for bucket in BUCKETS..buckets.n_buckets() {
        let mut loaded = buckets.load(bucket)?;
        for row in &loaded.rows {
            if row.class == EventClass::Detection {
                network.alerts += 1;
                for field in [Field::SrcIp, Field::DstIp] {
                    network.alerted.extend(loaded.text(row, field).map(str::to_owned));
                }
            }
        }
        list.extend(loaded.rows.iter().filter_map(|row| signal(&loaded, row)));
        if !was_tapped {
            for row in loaded.rows.iter().filter(|it| it.class == EventClass::Network) {
                let (time, at) = (row.time.map(|it| it.0), At::new(row.id, row.place));
                if let Some(flow) = Flow::of(row.class, row.activity, &(&loaded, row), time, at) {
                    network.wire.add(&flow);
                } else if let (Some(name), Some(answers)) =
                    (loaded.text(row, Field::Query), loaded.text(row, Field::Answers))
                {
                    network.wire.looked_up(name, answers);
                }
            }
        }
        network.flows += loaded.rows.iter().filter(|it| it.class == EventClass::Network).count() as u64;
        loaded.rows.retain(|it| it.class != EventClass::Network);
        if !loaded.rows.is_empty() {
            network.unhosted.push(loaded);
        }
    }
    network.signals = Signals::new(list);
    Ok(network)
}

/// One bucket: connect, then label and sketch episode by episode.
pub fn part(
    bucket: &mut Bucket,
    labeller: &mut Labeller<'_>,
    signals: &Signals,
    config: &AnalyzeConfig,
    formats: &[u32],
) -> Part {
    let mut part = Part::default();
    part.sketch.counts.events = bucket.rows.len() as u64;
    unify_hosts(bucket);
    let format_of = |source: u32| formats.get(source as usize).copied().unwrap_or(u32::MAX);
    sort(bucket);
    let bucket = &*bucket;
    let mut words = Words::new(bucket);
    for graph in graphs(bucket, &format_of) {
        host(&mut words, &graph, labeller, signals, config, &mut part);
    }
    part
}

fn host(
    words: &mut Words<'_>,
    graph: &HostGraph,
    labeller: &mut Labeller<'_>,
    signals: &Signals,
    config: &AnalyzeConfig,
    part: &mut Part,
) {
    let bucket = words.bucket();
    let name = bucket.strings.get(graph.host);
    let addresses = own_addresses(bucket, graph);
    // Long-lived services started before the log or were logged once: only links to ordinary processes tell of loss.
    let mut ordinary = |parent: u32| words.role(graph.processes[parent as usize].file_path).is_none();
    let mut tells = |it: &&Process| match it.status {
        ParentStatus::Observed => it.parent.is_some_and(&mut ordinary),
        status => status == ParentStatus::Missing,
    };
    let links = graph.processes.iter().filter(|it| !it.inferred).filter(&mut tells).count() as u64;
    let missing = graph.processes.iter().filter(|it| !it.inferred && it.status == ParentStatus::Missing).count() as u64;
    part.sketch.counts.hosts += 1;
    part.sketch.counts.duplicates += graph.duplicates;
    part.sketch.counts.parent_edges += graph.processes.iter().filter(|it| it.parent.is_some()).count() as u64;
    part.health.insert(name.to_owned(), health(graph, links, missing));
    for row in graph.loose.iter().map(|it| &bucket.rows[*it as usize]).filter(|it| it.class == EventClass::Detection) {
        part.has_alerts = true;
        if row.sensor_role == SensorRole::Host {
            part.alerted_hosts.insert(name.to_owned());
        }
    }
    let hits = labeller.hits(bucket, graph);
    let about = Host { name, addresses, signals, hits, missing, links };
    let first_record = part.records.len();
    let cut = episodes(graph, bucket);
    // A boundary is in no episode, and is a process all the same.
    let in_episodes: usize = cut.iter().map(|it| it.members.len()).sum();
    let boundaries = graph.processes.len() - in_episodes;
    part.sketch.counts.processes += boundaries as u64;
    let mut episode_of: BTreeMap<u32, u128> = BTreeMap::new();
    let mut traced = Traced::default();
    let mut beside = Beside::new(missing, links);
    for episode in &cut {
        if config.processes {
            episode_of.extend(episode.members.iter().map(|it| (*it, episode.id)));
        }
        match labeller.label(words, graph, episode, &about, &mut traced, &mut part.sketch) {
            Some(record) => {
                if record.suspicious {
                    beside.add_intrusion(words, graph, episode, &record);
                }
                part.records.push(record);
            }
            None => beside.add_plain(episode),
        }
    }
    part.records.extend(labeller.label_loose(bucket, graph, &about, &mut part.sketch));
    hand_over(&mut part.sketch, &part.records[first_record..], ringleader_model::hash::hash64(name.as_bytes()));
    let host = ringleader_model::hash::hash64(name.as_bytes());
    beside.start_together(&mut part.sketch, host);
    beside.arrive_together(&mut part.sketch, host);
    let suspicious = node_times(part.records[first_record..].iter().filter(|it| it.suspicious));
    if !suspicious.is_empty() {
        let found = beside.remnants(words, graph, labeller, &about, &suspicious, &part.records[first_record..]);
        part.has_remnants |= !found.is_empty();
        part.records.extend(found);
    }
    if part.records[first_record..].iter().any(|it| it.alerted) {
        part.has_alerts = true;
        part.alerted_hosts.insert(name.to_owned());
    }
    if config.processes {
        process_records(bucket, graph, name, &episode_of, &mut part.processes);
    }
    part.network.host(bucket, graph, name, part.records[first_record..].iter().any(|it| it.suspicious));
    part.own_addresses.extend(about.addresses.into_iter().map(|it| (it, Some(name.to_owned()))));
}

fn health(graph: &HostGraph, links: u64, missing: u64) -> HostHealth {
    let logged = || graph.processes.iter().filter(|it| !it.inferred);
    let mut times: Vec<i64> = logged().filter_map(|it| it.start).map(|it| it.0).collect();
    times.sort_unstable();
    HostHealth {
        events: logged().map(|it| (it.starts.len() + it.deeds.len()) as u64).sum::<u64>() + graph.loose.len() as u64,
        processes: logged().count() as u64,
        links,
        missing,
        without_command_line: logged().filter(|it| it.cmd_line == 0).count() as u64,
        first: graph.first,
        last: graph.last,
        longest_silence: times.windows(2).map(|it| it[1] - it[0]).max().unwrap_or(0),
    }
}

/// A host's own addresses: told by the sensor, and the local end of what it opened itself.
fn own_addresses(bucket: &Bucket, graph: &HostGraph) -> BTreeSet<String> {
    let mut syms: BTreeSet<Sym> = BTreeSet::new();
    let rows = graph.processes.iter().flat_map(|it| it.starts.iter().take(1).chain(&it.deeds)).chain(&graph.loose);
    for row in rows.map(|it| &bucket.rows[*it as usize]) {
        let outbound = row.class == EventClass::Network
            && row.sensor_role == SensorRole::Host
            && bucket.text(row, Field::Direction) == Some("outbound");
        for (field, sym) in bucket.fields(row) {
            if crate::collect::own_address(*field) || (outbound && *field == Field::SrcIp) {
                syms.insert(*sym);
            }
        }
    }
    let name = bucket.strings.get(graph.host);
    let named = name.parse::<std::net::IpAddr>().is_ok().then(|| name.to_owned());
    let told = syms.into_iter().map(|it| bucket.strings.get(it).to_owned());
    told.filter(|it| it.parse::<std::net::IpAddr>().is_ok_and(|it| !it.is_loopback() && !it.is_unspecified()))
        .chain(named)
        .collect()
}

/// What a network sensor saw belongs to the host that it was done to: by its address, else under that address.
fn name_victims(bucket: &mut Bucket, known: &BTreeMap<String, Option<String>>) {
    for at in 0..bucket.rows.len() {
        let row = bucket.rows[at];
        let ends = [Field::DstIp, Field::SrcIp].map(|field| bucket.text(&row, field));
        let named = ends.iter().flatten().find_map(|it| known.get(*it)?.clone());
        if let Some(name) = named.or_else(|| ends[0].map(str::to_owned)) {
            bucket.rows[at].host = bucket.strings.intern(&name);
        }
    }
}

/// `web1` and `web1.corp.example` are one host, where only one full name starts so.
pub(crate) fn unify_hosts(bucket: &mut Bucket) {
    let names: BTreeSet<Sym> = bucket.rows.iter().map(|it| it.host).collect();
    let mut full: BTreeMap<String, Vec<Sym>> = BTreeMap::new();
    for sym in &names {
        let name = bucket.strings.get(*sym);
        if name.parse::<std::net::IpAddr>().is_err()
            && let Some((label, _)) = name.split_once('.')
        {
            full.entry(label.to_owned()).or_default().push(*sym);
        }
    }
    let same: BTreeMap<Sym, Sym> = names
        .iter()
        .filter_map(|short| match full.get(bucket.strings.get(*short)).map(Vec::as_slice) {
            Some([only]) => Some((*short, *only)),
            _ => None,
        })
        .collect();
    if same.is_empty() {
        return;
    }
    for row in &mut bucket.rows {
        if let Some(full) = same.get(&row.host) {
            row.host = *full;
        }
    }
}

fn process_records(
    bucket: &Bucket,
    graph: &HostGraph,
    name: &str,
    episode_of: &BTreeMap<u32, u128>,
    records: &mut Vec<ProcessRecord>,
) {
    let event_of = |at: u32| {
        let process = &graph.processes[at as usize];
        process.starts.first().map(|it| bucket.rows[*it as usize].id.0)
    };
    for (at, process) in (0u32..).zip(&graph.processes) {
        for start in &process.starts {
            let row = &bucket.rows[*start as usize];
            let parent = process.parent.filter(|it| !graph.processes[*it as usize].inferred).and_then(event_of);
            records.push(ProcessRecord {
                host: name.to_owned(),
                member: member(bucket, row),
                uid: process_uid(bucket, process),
                parent_event: parent,
                ancestor_event: if parent.is_some() { None } else { process.ancestor.and_then(event_of) },
                status: process.status as u8,
                episode: episode_of.get(&at).copied(),
                how: code_of(process.how),
            });
        }
    }
}
