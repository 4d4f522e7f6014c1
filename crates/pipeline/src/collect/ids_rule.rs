//! The title and class of an intrusion detection rule → what it says of the process behind the traffic, and the CVEs it names.
//!
//! Deliberately absent: addresses and ports. What an alert does not say, it does not say.

use std::sync::LazyLock;

use regex::Regex;

/// Roles and the words that tell them, most telling first: a coin miner's check-in is a pool, not a C2.
/// A word stands between spaces; a phrase may span several. Written for the rule names and classes of
/// Emerging Threats, Suricata and Snort, and for Zeek's notices.
const WORDS: &[(&str, &[&str])] = &[
    (
        "mining_pool",
        &[
            "coinminer",
            "coin miner",
            "coin mining",
            "cryptominer",
            "crypto miner",
            "cryptocurrency miner",
            "cryptocurrency mining",
            "cryptomining",
            "stratum",
            "xmrig",
            "monero miner",
            "bitcoin miner",
            "minergate",
            "mining pool",
            "miner checkin",
            "miner login",
            "minerd",
            "coin mining activity detected",
        ],
    ),
    (
        "c2",
        &[
            "cnc",
            "c2",
            "c c",
            "command and control",
            "checkin",
            "check in",
            "beacon",
            "beaconing",
            "callback",
            "bot nick",
            "irc bot",
            "privmsg",
            "backdoor family",
            "domain observed used for c2 detected",
            "meterpreter",
            "cobalt strike",
            "reverse shell",
        ],
    ),
    ("ddos", &["ddos", "dos attack", "denial of service", "flood", "amplification", "amplifier"]),
    (
        "brute_force",
        &[
            "brute force",
            "bruteforce",
            "brute forcing",
            "password guessing",
            "excessive login",
            "guessing",
            "multiple failed logins",
            "login attempts",
        ],
    ),
    ("exploit", &["cve", "exploit", "web server", "web specific apps", "shellcode", "shell code", "injection", "rce"]),
    (
        "download_source",
        &[
            "download",
            "downloader",
            "dropper",
            "payload delivery",
            "file download",
            "exe or dll",
            "elf file",
            "elf executable",
            "executable served",
            "executable retrieved",
            "binary requested",
            "second stage",
            "suspicious filename was detected",
            "dotted quad host",
        ],
    ),
    (
        "scan",
        &[
            "scan",
            "scanner",
            "scanning",
            "masscan",
            "nmap",
            "zmap",
            "zgrab",
            "nikto",
            "sipvicious",
            "portscan",
            "port scan",
            "port sweep",
            "address scan",
            "probe",
            "attempted information leak",
            "network scan",
        ],
    ),
    (
        "exploit",
        &[
            "web application attack",
            "attempted administrator privilege gain",
            "attempted user privilege gain",
            "successful administrator privilege gain",
            "successful user privilege gain",
            "executable code was detected",
        ],
    ),
];

/// What the alert's texts (title, class, tags) say; the title has the first word.
pub(crate) fn role(texts: &[&str]) -> Option<&'static str> {
    texts.iter().find_map(|text| {
        let text = spaced(text);
        WORDS.iter().find(|(_, words)| words.iter().any(|word| has(&text, word))).map(|(role, _)| *role)
    })
}

/// Lowercase, every run of other characters than letters and digits one space, a space at both ends.
fn spaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(' ');
    for c in text.chars().take(512) {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
    if !out.ends_with(' ') {
        out.push(' ');
    }
    out
}

fn has(spaced: &str, word: &str) -> bool {
    spaced.match_indices(word).any(|(at, _)| {
        // Words are ASCII, and every space is, so the neighbours are bytes.
        spaced.as_bytes()[at - 1] == b' ' && spaced.as_bytes()[at + word.len()] == b' '
    })
}

static CVE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)\bCVE[-_ ](\d{4})[-_ ](\d{4,7})\b").expect("a constant pattern"));

/// The CVEs that the texts name, each once, comma-joined: `CVE-2021-44228`.
pub(crate) fn cves(texts: &[&str]) -> Option<String> {
    let mut found: Vec<String> = Vec::new();
    for text in texts {
        for hit in CVE.captures_iter(text).take(16) {
            let cve = format!("CVE-{}-{}", &hit[1], &hit[2]);
            if !found.contains(&cve) {
                found.push(cve);
            }
        }
    }
    (!found.is_empty()).then(|| found.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_of_titles_and_classes() {
        for (title, class, expect) in [
            ("ET MALWARE ELF/Mirai Variant CnC Checkin", "A Network Trojan was detected", Some("c2")),
            ("ET MALWARE CoinMiner Checkin", "Coin Mining Activity Detected", Some("mining_pool")),
            ("ET SCAN Potential SSH Scan", "Attempted Information Leak", Some("scan")),
            ("ET SCAN LibSSH Based Frequent SSH Connections Likely BruteForce Attack", "", Some("brute_force")),
            ("ET WEB_SERVER Possible CVE-2014-6271 Attempt", "Attempted Administrator Privilege Gain", Some("exploit")),
            ("ET POLICY PE EXE or DLL Windows file download HTTP", "", Some("download_source")),
            ("ET DOS Possible NTP DDoS Inbound Frequent Un-Authed MON_LIST", "", Some("ddos")),
            ("SURICATA TLS invalid record type", "Generic Protocol Command Decode", None),
            ("ET CINS Active Threat Intelligence Poor Reputation IP TCP group 1", "Misc Attack", None),
            ("ET POLICY GNU/Linux APT User-Agent Outbound", "Not Suspicious Traffic", None),
            ("", "", None),
        ] {
            assert_eq!(role(&[title, class]), expect, "{title}");
        }
    }

    #[test]
    fn cves_are_spelled_one_way() {
        assert_eq!(
            cves(&["Log4j CVE-2021-44228, cve_2021_44228", "CVE_2014_6271"]).as_deref(),
            Some("CVE-2021-44228,CVE-2014-6271")
        );
        assert_eq!(cves(&["CVE-2021", "MS08-067"]), None);
    }
}
