//! what happened → tables: the edges, the hosts, and one row about the incident.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use ringleader_model::Timestamp;

use super::Config;
use super::logs::Logs;
use super::network::Network;
use super::worm::Strain;
use crate::score::beside;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Scanned,
    Attacked,
    Compromised,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Scanned => "scanned",
            Self::Attacked => "attacked",
            Self::Compromised => "compromised",
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OfHost {
    /// When, and by whom; nobody: from outside.
    pub taken: Option<(i64, Option<u32>)>,
    pub attacked: bool,
    pub scanned: bool,
    pub alerted: bool,
}

#[derive(Debug)]
pub(super) struct Truth {
    pub edges: BTreeMap<(u32, u32), (Kind, i64)>,
    /// Calls to addresses that nobody has: first time, records left.
    nobodies: BTreeMap<(u32, String), (i64, u64)>,
    pub hosts: Vec<OfHost>,
    pub zero: Option<u32>,
}

impl Truth {
    pub(super) fn new(hosts: usize) -> Self {
        let hosts = vec![OfHost::default(); hosts];
        Self { edges: BTreeMap::new(), nobodies: BTreeMap::new(), hosts, zero: None }
    }

    pub(super) fn edge(&mut self, from: u32, to: u32, kind: Kind, time: i64) {
        let edge = self.edges.entry((from, to)).or_insert((kind, time));
        edge.0 = edge.0.max(kind);
        self.hosts[to as usize].scanned = true;
    }

    pub(super) fn nobody(&mut self, from: u32, to: &str, time: i64, records: u64) {
        let edge = self.nobodies.entry((from, to.to_owned())).or_insert((time, 0));
        edge.1 += records;
    }

    pub(super) fn write(
        &self,
        path: &Path,
        config: &Config,
        network: &Network,
        strain: &Strain,
        logs: &Logs,
    ) -> io::Result<u64> {
        let mut to = BufWriter::new(File::create(path)?);
        for ((from, at), (kind, time)) in &self.edges {
            let records = logs.shown.get(&(*from, *at)).copied().unwrap_or(0);
            let (a, b) = (&network.hosts[*from as usize].address, &network.hosts[*at as usize].address);
            writeln!(to, "{a}\t{b}\t{}\t{}\t{records}", kind.name(), Timestamp(time * 1000))?;
        }
        for ((from, at), (time, records)) in &self.nobodies {
            let a = &network.hosts[*from as usize].address;
            writeln!(to, "{a}\t{at}\tscanned\t{}\t{records}", Timestamp(time * 1000))?;
        }
        to.flush()?;
        let mut to = BufWriter::new(File::create(beside(path, "hosts"))?);
        for (at, (host, it)) in network.hosts.iter().zip(&self.hosts).enumerate() {
            let state = match it {
                OfHost { taken: Some(_), .. } => "compromised",
                OfHost { attacked: true, .. } => "attacked",
                OfHost { scanned: true, .. } => "scanned",
                OfHost { alerted: true, .. } => "alerted_only",
                _ if logs.own[at] == 0 => "unknown",
                _ => "clean_as_seen",
            };
            let by = it.taken.and_then(|it| it.1).map_or("-", |it| &network.hosts[it as usize].address);
            let time = it.taken.map_or("-".to_owned(), |it| Timestamp(it.0 * 1000).to_string());
            writeln!(
                to,
                "{}\t{}\t{state}\t{}\t{}\t{time}\t{by}",
                host.address,
                host.name,
                u8::from(it.alerted),
                logs.own[at]
            )?;
        }
        to.flush()?;
        let mut to = BufWriter::new(File::create(beside(path, "incident"))?);
        let zero = self.zero.map_or("-", |it| &network.hosts[it as usize].address);
        let way = &strain.way_in;
        let source = if way.method == "unknown" { "-" } else { &way.source };
        writeln!(
            to,
            "{zero}\t{}\t{source}\t{:?}\t{}\t{}",
            way.method, config.worm, strain.port, config.missing_permille
        )?;
        to.flush()?;
        Ok((self.edges.len() + self.nobodies.len()) as u64)
    }
}
