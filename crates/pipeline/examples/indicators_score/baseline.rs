//! text → what five regular expressions find: what is usually written first. Deliberately absent: any care.

use std::collections::BTreeSet;

use regex::Regex;

pub(crate) struct Plain {
    url: Regex,
    ip: Regex,
    domain: Regex,
    hash: Regex,
    email: Regex,
}

impl Plain {
    pub(crate) fn new() -> Result<Self, regex::Error> {
        Ok(Self {
            url: Regex::new(r#"(?i)\b(?:https?|ftp)://(?:[^/@\s'"]*@)?([^\s/:?#'"<>|;)]+)(:\d+)?[^\s'"<>|;)]*"#)?,
            ip: Regex::new(r"\b((?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d))(:\d{1,5})?\b")?,
            domain: Regex::new(r"(?i)\b(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,24}\b")?,
            hash: Regex::new(r"(?i)\b(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})\b")?,
            email: Regex::new(r"(?i)\b[a-z0-9._%+-]+@[a-z0-9.-]+\.[a-z]{2,24}\b")?,
        })
    }

    pub(crate) fn extract(&self, text: &str) -> BTreeSet<(String, String)> {
        let mut out = BTreeSet::new();
        let mut add = |kind: &str, value: &str| {
            out.insert((kind.to_owned(), value.to_owned()));
        };
        for found in self.url.find_iter(text) {
            add("url", found.as_str());
        }
        for found in self.ip.captures_iter(text) {
            add("ip", &found[1]);
            if found.get(2).is_some() {
                add("ip_port", &found[0]);
            }
        }
        for found in self.domain.find_iter(text) {
            add("domain", &found.as_str().to_ascii_lowercase());
        }
        for found in self.hash.find_iter(text) {
            add("hash", &found.as_str().to_ascii_lowercase());
        }
        for found in self.email.find_iter(text) {
            add("email", &found.as_str().to_ascii_lowercase());
        }
        out
    }
}
