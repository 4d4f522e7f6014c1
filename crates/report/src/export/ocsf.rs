//! → OCSF detection findings (class 2004, 1.5), an object a line: one for each gang.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::net::IpAddr;

use ringleader_model::{IndicatorKind, Timestamp};
use serde_json::{Value, json};

use super::Export;
use super::shared::{Shared, SharedGang, Sign};
use super::stix::{hash_name, uuid};
use crate::attack;
use crate::escape::{self, Shape, visible};

const SCHEMA: &str = "1.5.0";
/// Artefacts and resources of one finding; the rest are counted in its description. The strongest come first.
const MOST: usize = 500;

pub(super) struct Ocsf;

impl Export for Ocsf {
    fn name(&self) -> &'static str {
        "ocsf"
    }
    fn file(&self) -> &'static str {
        "ocsf.jsonl"
    }
    fn summary(&self) -> &'static str {
        "OCSF detection findings (class 2004), one a line for each gang"
    }
    fn write(&self, shared: &Shared, out: &mut (dyn Write + Send)) -> io::Result<()> {
        for gang in &shared.gangs {
            escape::json(&finding(shared, gang), out, Shape::Line)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }
}

fn finding(shared: &Shared, gang: &SharedGang) -> Value {
    let (first, last) = gang.times();
    let mut signs: Vec<&Sign> = gang.signs.iter().filter(|it| it.is_used() && it.is_plain()).collect();
    signs.sort_by_key(|it| it.strength);
    let shown = &signs[..signs.len().min(MOST)];
    let artefacts: Vec<(Value, Value)> = shown.iter().filter_map(|it| artefact(it)).collect();
    let (observables, evidences): (Vec<_>, Vec<_>) = artefacts.into_iter().unzip();
    let attacks: Vec<_> = gang
        .techniques
        .iter()
        .map(|id| {
            let name = attack::technique(id).map_or(id.as_str(), |it| it.0);
            match id.split_once('.') {
                Some((main, _)) => json!({
                    "version": "17",
                    "technique": { "uid": main, "name": attack::technique(main).map_or(main, |it| it.0) },
                    "sub_technique": { "uid": id, "name": name },
                }),
                None => json!({ "version": "17", "technique": { "uid": id, "name": name } }),
            }
        })
        .collect();
    let cves: BTreeSet<&str> = gang.ways.iter().filter_map(|it| it.cve.as_deref()).collect();
    let hosts = &gang.hosts[..gang.hosts.len().min(MOST)];
    let confidence = gang.confidence.thousandths() / 10;
    let (confidence_id, confidence_name) = match confidence {
        0..=33 => (1, "Low"),
        34..=66 => (2, "Medium"),
        _ => (3, "High"),
    };
    let methods: Vec<&str> = gang.ways.iter().map(|it| it.method.as_str()).collect();
    let description = format!(
        "Gang {} on {} hosts; way in: {}; {} indicators, {} of them here",
        gang.shown(),
        gang.hosts.len(),
        visible(&methods.join(", ")),
        gang.signs.len(),
        observables.len()
    );
    let id = uuid("ocsf", &format!("{} {}", shared.tlp.name(), gang.id));
    let mut object = json!({
        "activity_id": 1,
        "activity_name": "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "type_uid": 200_401,
        "type_name": "Detection Finding: Create",
        "severity_id": 4,
        "severity": "High",
        "status_id": 1,
        "status": "New",
        "confidence_id": confidence_id,
        "confidence": confidence_name,
        "confidence_score": confidence,
        "time": milliseconds(last),
        "start_time": milliseconds(first),
        "end_time": milliseconds(last),
        "message": format!("{} is active on {} hosts", gang.shown(), gang.hosts.len()),
        "metadata": {
            "version": SCHEMA,
            "product": { "name": "Ringleader", "vendor_name": "Ringleader", "version": env!("CARGO_PKG_VERSION") },
            "uid": id,
            "labels": [shared.tlp.label()],
        },
        "finding_info": {
            "uid": visible(&gang.id),
            "title": format!("Gang {}", gang.shown()),
            "desc": description,
            "types": ["Bot gang"],
            "created_time": milliseconds(first),
            "first_seen_time": milliseconds(first),
            "last_seen_time": milliseconds(last),
            "attacks": attacks,
        },
        "vulnerabilities": cves.iter().map(|it| json!({ "cve": { "uid": it } })).collect::<Vec<_>>(),
        "resources": hosts.iter().map(|it| json!({ "name": visible(it), "uid": visible(it), "type": "host" })).collect::<Vec<_>>(),
        "observables": observables,
        "evidences": evidences,
    });
    if let Value::Object(fields) = &mut object {
        // An empty list is not one in OCSF: the attribute is absent.
        fields.retain(|_, it| !it.as_array().is_some_and(Vec::is_empty));
    }
    object
}

/// The same thing as an observable and as an artefact of evidence.
fn artefact(it: &Sign) -> Option<(Value, Value)> {
    let value = &*it.value;
    let observable = |name: &str, kind: u8, kind_name: &str, value: &str| json!({ "name": name, "type_id": kind, "type": kind_name, "value": value });
    Some(match it.kind {
        IndicatorKind::Ip => {
            value.parse::<IpAddr>().ok()?;
            (
                observable("evidences.dst_endpoint.ip", 2, "IP Address", value),
                json!({ "dst_endpoint": { "ip": value } }),
            )
        }
        IndicatorKind::IpPort => {
            let (ip, port) = it.address_and_port()?;
            let ip = ip.to_string();
            (
                observable("evidences.dst_endpoint.ip", 2, "IP Address", &ip),
                json!({ "dst_endpoint": { "ip": ip, "port": port } }),
            )
        }
        IndicatorKind::Domain => (
            observable("evidences.dst_endpoint.hostname", 1, "Hostname", value),
            json!({ "dst_endpoint": { "hostname": value } }),
        ),
        IndicatorKind::Url | IndicatorKind::Paste => {
            (observable("evidences.url.url_string", 6, "URL String", value), json!({ "url": { "url_string": value } }))
        }
        IndicatorKind::FilePath => {
            let name = value.rsplit(['/', '\\']).next().filter(|it| !it.is_empty()).unwrap_or(value);
            (
                observable("evidences.file.name", 7, "File Name", name),
                json!({ "file": { "name": name, "path": value, "type_id": 1, "type": "Regular File" } }),
            )
        }
        IndicatorKind::Hash => {
            let (id, name) = match hash_name(value)? {
                "MD5" => (1, "MD5"),
                "'SHA-1'" => (2, "SHA-1"),
                "'SHA-256'" => (3, "SHA-256"),
                _ => (4, "SHA-512"),
            };
            let hashes = json!([{ "algorithm_id": id, "algorithm": name, "value": value }]);
            (
                observable("evidences.file.hashes.value", 8, "Hash", value),
                json!({ "file": { "name": "?", "type_id": 0, "type": "Unknown", "hashes": hashes } }),
            )
        }
        IndicatorKind::Account => (
            observable("evidences.user.name", 4, "User Name", value),
            json!({ "user": { "name": value, "type_id": 0, "type": "Unknown" } }),
        ),
        // No attribute of its own: told by the other formats.
        IndicatorKind::Wallet
        | IndicatorKind::Pool
        | IndicatorKind::SshKey
        | IndicatorKind::Email
        | IndicatorKind::UserAgent
        | IndicatorKind::Cron
        | IndicatorKind::Image => return None,
    })
}

fn milliseconds(time: Timestamp) -> i64 {
    time.0.div_euclid(1000)
}
