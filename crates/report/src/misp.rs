//! Gangs → one MISP event: an attribute for each indicator, tagged with its gang.

use std::io::{self, Write};

use ringleader_model::findings::{Findings, Strength};
use ringleader_model::{IndicatorKind, Timestamp};
use serde_json::{Value, json};

use crate::blocklist::{is_blockable, is_public};
use crate::escape::{Shape, visible};
use crate::mask::mask;
use crate::stix::{hash_name, techniques, uuid};
use crate::{Options, Report, attack, escape};

pub(crate) struct Misp;

impl Report for Misp {
    fn file(&self) -> &'static str {
        "misp.json"
    }
    fn summary(&self) -> &'static str {
        "a MISP event with the indicators of all gangs"
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let gangs = &findings.gangs;
        let first = gangs.iter().filter_map(|it| it.who.first_seen).min().unwrap_or_default();
        let last = gangs.iter().filter_map(|it| it.who.last_seen).max().unwrap_or_default();
        let ids: String = gangs.iter().map(|it| format!("{}\n", it.gang_id)).collect();
        let mut tags: Vec<String> = gangs
            .iter()
            .flat_map(techniques)
            .filter_map(|id| Some(format!("misp-galaxy:mitre-attack-pattern=\"{} - {id}\"", attack::technique(id)?.0)))
            .collect();
        tags.sort();
        tags.dedup();
        let document = json!({ "Event": {
            "uuid": uuid("misp-event", &ids),
            "info": format!("Ringleader: {} gangs", gangs.len()),
            "date": first.day(),
            "timestamp": seconds(last),
            "threat_level_id": if gangs.is_empty() { "4" } else { "2" },
            "analysis": "2",
            "distribution": "0",
            "published": false,
            "Tag": tags.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>(),
            "Attribute": attributes(findings),
        }});
        escape::json(&document, out, Shape::Pretty)?;
        out.write_all(b"\n")
    }
}

fn attributes(findings: &Findings) -> Vec<Value> {
    let mut out = Vec::new();
    for gang in &findings.gangs {
        for (kind, indicators) in &gang.who.indicators {
            let Some(kind) = IndicatorKind::from_name(kind) else { continue };
            for it in indicators {
                let (kind_name, category, value) = attribute(kind, &it.value);
                let masked = mask(&it.value) != it.value.as_ref();
                out.push(json!({
                    "uuid": uuid("misp-attribute", &format!("{} {} {}", gang.gang_id, kind.name(), it.value)),
                    "type": kind_name,
                    "category": category,
                    "value": mask(&value),
                    "to_ids": !masked && it.strength == Strength::Strong && is_detectable(kind, &it.value),
                    "comment": format!("{} ({}), {} hosts", visible(&mask(&gang.name)), it.strength.name(), it.hosts),
                    "distribution": "5",
                    "timestamp": seconds(gang.who.last_seen.unwrap_or_default()),
                    "Tag": [{ "name": format!("ringleader:gang=\"{}\"", visible(&gang.gang_id).replace('"', "'")) }],
                }));
            }
        }
    }
    out
}

/// Whether a detection on this value can only hit the attacker's side.
fn is_detectable(kind: IndicatorKind, value: &str) -> bool {
    match kind {
        IndicatorKind::Url | IndicatorKind::Domain | IndicatorKind::Ip => is_blockable(kind, value),
        IndicatorKind::IpPort => {
            let ip = value.rsplit_once(':').map_or(value, |(ip, _)| ip);
            ip.trim_matches(['[', ']']).parse().is_ok_and(is_public)
        }
        IndicatorKind::Hash => hash_name(value).is_some(),
        _ => false,
    }
}

/// MISP's type and category, and the value as that type is written.
fn attribute(kind: IndicatorKind, value: &str) -> (&'static str, &'static str, String) {
    let value = value.to_owned();
    match kind {
        IndicatorKind::Url => ("url", "Network activity", value),
        IndicatorKind::Domain => ("domain", "Network activity", value),
        IndicatorKind::Ip => ("ip-dst", "Network activity", value),
        IndicatorKind::IpPort => match value.rsplit_once(':') {
            Some((ip, port)) => ("ip-dst|port", "Network activity", format!("{}|{port}", ip.trim_matches(['[', ']']))),
            None => ("text", "Other", value),
        },
        IndicatorKind::Hash => match hash_name(&value) {
            Some("MD5") => ("md5", "Payload delivery", value),
            Some("'SHA-1'") => ("sha1", "Payload delivery", value),
            Some("'SHA-256'") => ("sha256", "Payload delivery", value),
            Some("'SHA-512'") => ("sha512", "Payload delivery", value),
            _ => ("text", "Other", value),
        },
        IndicatorKind::FilePath => ("filename", "Artifacts dropped", value),
        IndicatorKind::Wallet => match value.as_bytes() {
            [b'4' | b'8', ..] if value.len() >= 95 => ("xmr", "Financial fraud", value),
            [b'1' | b'3', ..] if (26..=35).contains(&value.len()) => ("btc", "Financial fraud", value),
            [b'b', b'c', b'1', ..] => ("btc", "Financial fraud", value),
            _ => ("text", "Financial fraud", value),
        },
        IndicatorKind::Email => ("email", "Network activity", value),
        IndicatorKind::UserAgent => ("user-agent", "Network activity", value),
        IndicatorKind::Pool
        | IndicatorKind::SshKey
        | IndicatorKind::Cron
        | IndicatorKind::Account
        | IndicatorKind::Image
        | IndicatorKind::Paste => ("text", "Other", value),
    }
}

fn seconds(time: Timestamp) -> String {
    time.0.div_euclid(1_000_000).to_string()
}
