//! A STIX 2 bundle → what its indicators say of whom: comparisons with `=` in patterns, tied to intrusion sets, actors and malware by
//! the bundle's relationships.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use ringleader_model::IndicatorKind;
use serde_json::Value;

use super::{Item, Kind, Read, day};
use crate::extract::Extractor;

/// Comparisons of one pattern.
const MAX_PARTS: usize = 64;

static COMPARISON: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"([a-z0-9-]+):([A-Za-z0-9_.'-]+)\s*(=|MATCHES)\s*(?:'((?:[^'\\]|\\.)*)'|(\d{1,6}))")
        .expect("it is tested")
});

pub(super) fn is_bundle(json: &Value) -> bool {
    json["type"] == "bundle" && json["objects"].is_array()
}

pub(super) fn read(json: &Value, confidence: u8, extractor: &Extractor) -> Read {
    let mut read = Read::default();
    let objects = json["objects"].as_array().map_or(&[][..], Vec::as_slice);
    let mut named: BTreeMap<&str, (&str, Kind)> = BTreeMap::new();
    let mut to: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for it in objects {
        let text = |key: &str| it[key].as_str().unwrap_or_default();
        let kind = match text("type") {
            "intrusion-set" | "threat-actor" => Some(Kind::Gang),
            "malware" | "tool" => Some(Kind::Family),
            "relationship" if matches!(text("relationship_type"), "indicates" | "attributed-to") => {
                to.entry(text("source_ref")).or_default().push(text("target_ref"));
                None
            }
            _ => None,
        };
        if let Some(kind) = kind.filter(|_| !text("name").trim().is_empty()) {
            named.insert(text("id"), (text("name"), kind));
        }
    }
    for it in objects.iter().filter(|it| it["type"] == "indicator") {
        if it["revoked"] == true {
            read.skip("revoked");
            continue;
        }
        let id = it["id"].as_str().unwrap_or_default();
        let parts = parts(it["pattern"].as_str().unwrap_or_default(), extractor);
        if parts.is_empty() {
            read.skip("patterns without a value that is compared with `=`");
        }
        let own = it["confidence"].as_u64().and_then(|it| u8::try_from(it).ok()).unwrap_or(100);
        let date = |key: &str| it[key].as_str().and_then(day);
        // At once, or over a campaign that it belongs to.
        let direct = to.get(id).map_or(&[][..], Vec::as_slice);
        let over = direct.iter().filter_map(|it| to.get(it)).flatten();
        let whose: Vec<_> = direct.iter().chain(over).filter_map(|it| named.get(it)).collect();
        for (kind, value) in parts {
            let item = |whose: Option<(String, Kind)>| Item {
                whose,
                kind,
                value: value.clone(),
                confidence: confidence.min(own),
                from: date("valid_from"),
                until: date("valid_until"),
            };
            if whose.is_empty() {
                read.items.push(item(None));
            }
            read.items.extend(whose.iter().take(MAX_PARTS).map(|(name, kind)| item(Some(((*name).to_owned(), *kind)))));
        }
    }
    read
}

/// The values that a pattern asks for.
fn parts(pattern: &str, extractor: &Extractor) -> Vec<(IndicatorKind, String)> {
    let mut out = Vec::new();
    // What must not be there is nobody's.
    if pattern.contains("!=") || pattern.contains(" NOT ") {
        return out;
    }
    let (mut address, mut port, mut name, mut folder) = (None, None, None, None);
    for it in COMPARISON.captures_iter(pattern).take(MAX_PARTS) {
        let (object, path, operator) = (&it[1], it[2].replace('\'', ""), &it[3]);
        let value = it.get(4).map(|it| unescape(it.as_str()));
        let Some(value) = value else {
            if path.ends_with("dst_port") {
                port = it.get(5).map(|it| it.as_str().to_owned());
            }
            continue;
        };
        match (object, path.as_str(), operator) {
            ("url", "value", "=") => out.push((IndicatorKind::Url, value)),
            ("domain-name", "value", "=") => out.push((IndicatorKind::Domain, value)),
            ("ipv4-addr", "value", "=") => out.push((IndicatorKind::Ip, value)),
            ("email-addr", "value", "=") => out.push((IndicatorKind::Email, value)),
            ("user-account", "account_login" | "user_id", "=") => out.push((IndicatorKind::Account, value)),
            ("network-traffic", "dst_ref.value", "=") => address = Some(value),
            ("network-traffic", path, "=") if path.ends_with("User-Agent") => {
                out.push((IndicatorKind::UserAgent, value))
            }
            ("file", "name", "=") => name = Some(value),
            ("file", "parent_directory_ref.path", "=") => folder = Some(value),
            ("file", path, "=") if path.starts_with("hashes.") => out.push((IndicatorKind::Hash, value)),
            ("process", "command_line", _) => {
                // A wallet or key that stands in a command line, its marks escaped for a regex.
                let text = if operator == "MATCHES" { unescape(&value) } else { value };
                let mut found = Vec::new();
                extractor.extract(&text, &mut found);
                let telling = |it: &IndicatorKind| {
                    matches!(
                        it,
                        IndicatorKind::Wallet | IndicatorKind::SshKey | IndicatorKind::Pool | IndicatorKind::Url
                    )
                };
                out.extend(found.into_iter().filter(|it| telling(&it.kind)).map(|it| (it.kind, it.value)));
            }
            _ => {}
        }
    }
    match (address, port) {
        (Some(ip), Some(port)) => out.push((IndicatorKind::IpPort, format!("{ip}:{port}"))),
        (Some(ip), None) => out.push((IndicatorKind::Ip, ip)),
        _ => {}
    }
    if let Some(name) = name {
        let path = folder.map_or_else(|| name.clone(), |folder| join(&folder, &name));
        out.push((IndicatorKind::FilePath, path));
    }
    out
}

fn join(folder: &str, name: &str) -> String {
    let mark = if folder.contains('\\') { '\\' } else { '/' };
    format!("{}{mark}{name}", folder.trim_end_matches(mark))
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    out
}
