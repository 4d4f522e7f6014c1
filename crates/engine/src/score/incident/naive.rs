//! a case's flows and alerts → what the naive join in time order says.
//!
//! Who is alerted is compromised, from the alert on. A host that a compromised one connected to before its own alert was
//! compromised by the last such connection; any other connection of a compromised host is a scan. Who never was either
//! is clean. It reads the generator's two files by itself, and nothing of the product.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use ringleader_model::findings::Permille;

use super::truth::{Claims, Truth};

pub(super) fn claims(case: &Path, truth: &Truth) -> io::Result<Claims> {
    // Times are of one form, so that text sorts as time does.
    let mut alerted: BTreeMap<String, String> = BTreeMap::new();
    each_line(&case.join("alerts.csv"), |cells| {
        if let [time, _, address, ..] = cells
            && !address.is_empty()
        {
            let known = alerted.entry((*address).to_owned()).or_insert_with(|| (*time).to_owned());
            if known.as_str() > *time {
                *known = (*time).to_owned();
            }
        }
    })?;
    let mut claims = Claims::default();
    let mut last: BTreeMap<String, (String, String)> = BTreeMap::new();
    each_line(&case.join("flows.csv"), |cells| {
        let [time, src, _, dst, ..] = cells else { return };
        let Some(since) = alerted.get(*src) else { return };
        if *time < since.as_str() || !truth.hosts.contains_key(*src) {
            return;
        }
        claims.edges.entry(((*src).to_owned(), (*dst).to_owned())).or_insert(("scanned", Permille::ONE));
        if alerted.get(*dst).is_some_and(|it| *time <= it.as_str()) {
            let known = last.entry((*dst).to_owned()).or_default();
            if known.0.as_str() < *time {
                *known = ((*time).to_owned(), (*src).to_owned());
            }
        }
    })?;
    for (to, (_, from)) in last {
        claims.edges.insert((from, to), ("compromised", Permille::ONE));
    }
    let called: Vec<String> = claims.edges.keys().map(|it| it.1.clone()).collect();
    for host in truth.hosts.keys() {
        claims.verdicts.insert(host.clone(), ("clean_as_seen".to_owned(), Permille::ONE));
    }
    for host in called {
        claims.verdicts.insert(host, ("scanned".to_owned(), Permille::ONE));
    }
    for host in alerted.keys() {
        claims.verdicts.insert(host.clone(), ("compromised".to_owned(), Permille::ONE));
    }
    claims.zero = alerted.iter().min_by_key(|it| it.1).map(|it| it.0.clone());
    Ok(claims)
}

fn each_line(path: &Path, mut each: impl FnMut(&[&str])) -> io::Result<()> {
    let file = File::open(path).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
    for line in BufReader::new(file).lines().skip(1) {
        let line = line?;
        each(&line.split(',').collect::<Vec<_>>());
    }
    Ok(())
}
