//! MISP events → what their attributes say of whom: actors, families and botnets by galaxy tag, on the attribute or on the event; else the
//! source is a list.

use ringleader_model::IndicatorKind;
use serde_json::Value;

use super::{Item, Kind, Read, day};

const MAX_TAGS: usize = 16;

pub(super) fn is_event(json: &Value) -> bool {
    !events(json).is_empty()
}

/// One event, or as the API answers.
fn events(json: &Value) -> Vec<&Value> {
    let list = json["response"].as_array().or_else(|| json.as_array());
    let each = list.map_or(std::slice::from_ref(json), Vec::as_slice);
    each.iter().map(|it| &it["Event"]).filter(|it| it.is_object()).collect()
}

pub(super) fn read(json: &Value, confidence: u8) -> Read {
    let mut read = Read::default();
    for event in events(json) {
        let of_event = whose(event);
        let own = event["Attribute"].as_array().into_iter().flatten();
        let within =
            event["Object"].as_array().into_iter().flatten().filter_map(|it| it["Attribute"].as_array()).flatten();
        for it in own.chain(within) {
            attribute(it, &of_event, confidence, &mut read);
        }
    }
    read
}

fn attribute(it: &Value, of_event: &[(String, Kind)], confidence: u8, read: &mut Read) {
    if it["deleted"] == true {
        return read.skip("deleted");
    }
    let Some(value) = it["value"].as_str() else { return };
    let values = values(it["type"].as_str().unwrap_or_default(), value);
    if values.is_empty() {
        return read.skip("of types that are not asked for");
    }
    let whose = whose(it);
    let whose = if whose.is_empty() { of_event } else { whose.as_slice() };
    // What its author would not detect on is context.
    let confidence = if it["to_ids"] == false || it["to_ids"] == "0" { confidence / 2 } else { confidence };
    let date = |key: &str| it[key].as_str().and_then(day);
    for (kind, value) in values {
        let item = |whose: Option<(String, Kind)>| Item {
            whose,
            kind,
            value: value.clone(),
            confidence,
            from: date("first_seen"),
            until: date("last_seen"),
        };
        if whose.is_empty() {
            read.items.push(item(None));
        }
        read.items.extend(whose.iter().map(|it| item(Some(it.clone()))));
    }
}

/// `misp-galaxy:threat-actor="TeamTNT"`.
fn whose(it: &Value) -> Vec<(String, Kind)> {
    let tags = it["Tag"].as_array().into_iter().flatten().take(MAX_TAGS).filter_map(|it| it["name"].as_str());
    let named = tags.filter_map(|tag| {
        let (what, name) = tag.split_once("=\"")?;
        let kind = match what {
            "misp-galaxy:threat-actor" | "misp-galaxy:mitre-intrusion-set" | "ringleader:gang" => Kind::Gang,
            "misp-galaxy:malpedia" | "misp-galaxy:botnet" | "misp-galaxy:mitre-malware" | "misp-galaxy:tool" => {
                Kind::Family
            }
            _ => return None,
        };
        // ATT&CK's names end in their number: `Rocke - G0106`.
        let name = name.trim_end_matches('"');
        let name = name.rsplit_once(" - ").filter(|it| it.1.len() == 5).map_or(name, |it| it.0).trim();
        (!name.is_empty()).then(|| (name.to_owned(), kind))
    });
    named.collect()
}

fn values(kind: &str, value: &str) -> Vec<(IndicatorKind, String)> {
    let value = value.trim();
    let two = || value.split_once('|').unwrap_or((value, ""));
    let one = |kind| vec![(kind, value.to_owned())];
    match kind {
        "url" | "uri" | "link" => one(IndicatorKind::Url),
        "domain" | "hostname" => one(IndicatorKind::Domain),
        "ip-dst" | "ip-src" => one(IndicatorKind::Ip),
        "ip-dst|port" | "ip-src|port" => vec![(IndicatorKind::IpPort, value.replace('|', ":"))],
        "hostname|port" => vec![(IndicatorKind::Domain, two().0.to_owned())],
        "domain|ip" => vec![(IndicatorKind::Domain, two().0.to_owned()), (IndicatorKind::Ip, two().1.to_owned())],
        "md5" | "sha1" | "sha256" | "sha512" => one(IndicatorKind::Hash),
        "filename" => one(IndicatorKind::FilePath),
        "filename|md5" | "filename|sha1" | "filename|sha256" => {
            vec![(IndicatorKind::FilePath, two().0.to_owned()), (IndicatorKind::Hash, two().1.to_owned())]
        }
        "email" | "email-src" => one(IndicatorKind::Email),
        "xmr" | "btc" | "dash" => one(IndicatorKind::Wallet),
        "user-agent" => one(IndicatorKind::UserAgent),
        _ => Vec::new(),
    }
}
