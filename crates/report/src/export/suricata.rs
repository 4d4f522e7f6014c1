//! → Suricata rules: addresses, endpoints, names, URLs and user agents of each gang, as alerts.
//!
//! A rule's number comes from what it looks for, so that it keeps it from export to export; of two that would share one, the later takes
//! the next.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::IpAddr;

use ringleader_model::hash::hash64;

use super::Export;
use super::draft::Draft;
use super::harm::url_host;
use super::shared::{Shared, SharedGang};

/// Numbers from here on are nobody's: below 3 000 000 000 those of public rule sets stand.
const FIRST: u64 = 3_000_000_000;
const NUMBERS: u64 = 1_000_000_000;
/// Of one address list.
const TOGETHER: usize = 64;
/// Suricata refuses longer ones.
const MAX_CONTENT: usize = 250;

pub(super) struct Suricata;

impl Export for Suricata {
    fn name(&self) -> &'static str {
        "suricata"
    }
    fn file(&self) -> &'static str {
        "suricata.rules"
    }
    fn summary(&self) -> &'static str {
        "drafts of Suricata rules: addresses, names, URLs and user agents of each gang"
    }
    fn write(&self, shared: &Shared, out: &mut (dyn Write + Send)) -> io::Result<()> {
        for line in shared.head() {
            writeln!(out, "# {line}")?;
        }
        let mut taken = BTreeSet::new();
        for gang in &shared.gangs {
            let draft = Draft::of(shared, gang);
            for (what, head, body) in rules(&draft) {
                let key = format!("{} {head} {body}", gang.id);
                let mut sid = FIRST + hash64(key.as_bytes()) % NUMBERS;
                while !taken.insert(sid) {
                    sid = FIRST + (sid + 1 - FIRST) % NUMBERS;
                }
                writeln!(
                    out,
                    "alert {head} ({}; {body}{} sid:{sid}; rev:1;)",
                    message(gang, what),
                    tail(shared, gang)
                )?;
            }
        }
        Ok(())
    }
}

fn message(gang: &SharedGang, what: &str) -> String {
    let name: String = gang
        .name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || " _-.".contains(c) { c } else { '_' })
        .take(60)
        .collect();
    format!("msg:\"Ringleader gang {name}: {what}\"")
}

fn tail(shared: &Shared, gang: &SharedGang) -> String {
    let level = shared.tlp.word().replace('-', "_");
    format!(" classtype:trojan-activity; metadata:ringleader_gang {}, tlp {level};", gang.short())
}

/// What it says, its head, its options.
fn rules(draft: &Draft<'_>) -> Vec<(&'static str, String, String)> {
    const QUIET: &str = "threshold:type limit, track by_src, seconds 600, count 1;";
    let mut out = Vec::new();
    let addresses: Vec<&IpAddr> = draft.addresses.iter().collect();
    for some in addresses.chunks(TOGETHER) {
        let list: Vec<String> = some.iter().map(ToString::to_string).collect();
        out.push(("traffic to its address", format!("ip $HOME_NET any -> [{}] any", list.join(",")), QUIET.to_owned()));
    }
    for (ip, port) in draft.endpoints.iter().filter(|it| !draft.addresses.contains(&it.0)) {
        out.push((
            "connection to its server",
            format!("tcp $HOME_NET any -> [{ip}] {port}"),
            format!("flow:to_server; {QUIET}"),
        ));
    }
    for name in &draft.domains {
        let Some(name) = content(&format!(".{}", name.to_ascii_lowercase())) else { continue };
        out.push((
            "look-up of its name",
            "dns $HOME_NET any -> any any".to_owned(),
            format!("dns.query; dotprefix; content:\"{name}\"; nocase; endswith; {QUIET}"),
        ));
        out.push((
            "its name in TLS",
            "tls $HOME_NET any -> any any".to_owned(),
            format!("tls.sni; dotprefix; content:\"{name}\"; nocase; endswith; {QUIET}"),
        ));
    }
    for url in &draft.urls {
        let Some((host, path)) = host_and_path(url) else { continue };
        let (Some(host), Some(path)) = (content(&host.to_ascii_lowercase()), content(path)) else { continue };
        out.push((
            "request for its URL",
            "http $HOME_NET any -> any any".to_owned(),
            format!("flow:established,to_server; http.host; content:\"{host}\"; startswith; endswith; http.uri.raw; content:\"{path}\"; startswith;"),
        ));
    }
    for agent in draft.agents.iter().filter(|it| it.len() >= 6) {
        let Some(agent) = content(agent) else { continue };
        out.push((
            "its user agent",
            "http $HOME_NET any -> any any".to_owned(),
            format!("flow:established,to_server; http.user_agent; content:\"{agent}\";"),
        ));
    }
    out
}

/// Of a URL that goes in clear; one without a path is its host's rule.
fn host_and_path(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("http://")?;
    let path = rest.get(rest.find('/')?..)?.split('#').next()?;
    (path.len() > 1).then(|| url_host(url).map(|host| (host, path)))?
}

/// What stands between the quotes of `content`: letters, digits and a few marks as they are, all else as hex.
fn content(text: &str) -> Option<String> {
    if text.is_empty() || text.len() > MAX_CONTENT {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut hex = false;
    for b in text.bytes() {
        let plain = b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/' | b'_' | b'-' | b'=' | b'%' | b'&');
        if plain == hex {
            out.push('|');
            hex = !plain;
        } else if !plain {
            out.push(' ');
        }
        if plain {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "{b:02x}");
        }
    }
    if hex {
        out.push('|');
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_cannot_be_left() {
        assert_eq!(content("a\"; b|c").unwrap(), "a|22 3b 20|b|7c|c");
        assert_eq!(content(";;é").unwrap(), "|3b 3b c3 a9|");
        assert_eq!(content("/x.sh").unwrap(), "/x.sh");
        assert_eq!(content(&"a".repeat(300)), None);
        assert_eq!(host_and_path("http://e.test:8080/a?b#c"), Some(("e.test", "/a?b")));
        assert_eq!(host_and_path("http://e.test/"), None);
        assert_eq!(host_and_path("https://e.test/a"), None);
    }
}
