//! the tables of `simulate --incident` → what is true, and what can be known of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use ringleader_model::findings::Permille;

use super::super::truth::beside;

#[derive(Debug, Clone)]
pub(super) struct Edge {
    pub class: String,
    /// Records left that show it.
    pub records: u64,
}

#[derive(Debug, Clone)]
pub(super) struct Host {
    pub state: String,
    pub alerted: bool,
    /// Records left of its own.
    pub records: u64,
}

/// name or address → address
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    pub(super) fn find(&self, label: &str) -> Option<String> {
        let label = label.to_ascii_lowercase();
        let short = label.split('.').next().unwrap_or(&label);
        self.0.get(&label).or_else(|| self.0.get(short)).cloned()
    }
}

#[derive(Debug, Default)]
pub(super) struct Truth {
    /// From, to: addresses.
    pub edges: BTreeMap<(String, String), Edge>,
    pub hosts: BTreeMap<String, Host>,
    pub names: Names,
    pub zero: String,
    /// Method and source, where anything logged it.
    pub entry: Option<(String, String)>,
    /// Addresses of a visible edge, and the strongest class into each.
    shown: BTreeSet<String>,
    into: BTreeMap<String, u8>,
}

/// What somebody claims, by address.
#[derive(Debug, Default)]
pub(super) struct Claims {
    pub edges: BTreeMap<(String, String), (&'static str, Permille)>,
    pub verdicts: BTreeMap<String, (String, Permille)>,
    pub zero: Option<String>,
    pub entry: Option<(String, Option<String>)>,
    pub not_alerted: Vec<String>,
}

/// Whether a truth is an incident's: its hosts stand beside it.
pub fn is_incident(truth: &Path) -> bool {
    beside(truth, "hosts").exists()
}

impl Truth {
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let mut it = Self::default();
        rows(path, 5, |row| {
            let records = row[4].parse().map_err(|_| "the fifth column is no number".to_owned())?;
            it.edges.insert((row[0].to_owned(), row[1].to_owned()), Edge { class: row[2].to_owned(), records });
            Ok(())
        })?;
        rows(&beside(path, "hosts"), 5, |row| {
            let records = row[4].parse().map_err(|_| "the fifth column is no number".to_owned())?;
            let host = Host { state: row[2].to_owned(), alerted: row[3] == "1", records };
            it.names.0.insert(row[0].to_ascii_lowercase(), row[0].to_owned());
            it.names.0.insert(row[1].to_ascii_lowercase(), row[0].to_owned());
            it.hosts.insert(row[0].to_owned(), host);
            Ok(())
        })?;
        rows(&beside(path, "incident"), 3, |row| {
            it.zero = row[0].to_owned();
            it.entry = (row[1] != "unknown").then(|| (row[1].to_owned(), row[2].to_owned()));
            Ok(())
        })?;
        for ((from, to), edge) in it.edges.iter().filter(|it| it.1.records > 0) {
            let rank = u8::from(edge.class != "scanned");
            it.shown.extend([from.clone(), to.clone()]);
            let known = it.into.entry(to.clone()).or_default();
            *known = (*known).max(rank);
        }
        Ok(it)
    }

    /// The verdict that can be asked for: what no record shows cannot be known.
    pub(super) fn state(&self, host: &str) -> &str {
        let Some(it) = self.hosts.get(host) else { return "unknown" };
        let untouched = if it.records > 0 { "clean_as_seen" } else { "unknown" };
        let called = self.into.get(host);
        match (it.state.as_str(), called) {
            ("compromised", _) if it.records > 0 || self.shown.contains(host) => "compromised",
            ("attacked", Some(1)) => "attacked",
            ("attacked" | "scanned", Some(_)) => "scanned",
            ("alerted_only", _) => "alerted_only",
            ("attacked" | "scanned", None) if it.alerted => "alerted_only",
            _ => untouched,
        }
    }
}

fn rows(path: &Path, columns: usize, mut each: impl FnMut(&[&str]) -> Result<(), String>) -> io::Result<()> {
    let text = fs::read_to_string(path).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
    for (line, number) in text.lines().zip(1u64..) {
        let row: Vec<&str> = line.split('\t').collect();
        let read = if row.len() < columns { Err(format!("fewer than {columns} columns")) } else { each(&row) };
        read.map_err(|what| io::Error::other(format!("{}:{number}: {what}", path.display())))?;
    }
    Ok(())
}
