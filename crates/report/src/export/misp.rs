//! → one MISP event: an attribute for each indicator, tagged with its gang, and the level tagged on the event.

use std::collections::BTreeSet;
use std::io::{self, Write};

use ringleader_model::{IndicatorKind, Timestamp};
use serde_json::{Value, json};

use super::shared::{Shared, SharedGang, Sign};
use super::stix::{hash_name, uuid};
use super::{Export, Tlp};
use crate::attack;
use crate::escape::{self, Shape, visible};

/// At TLP:RED: victims of one gang that are named.
const VICTIMS: usize = 1000;

pub(super) struct Misp;

impl Export for Misp {
    fn name(&self) -> &'static str {
        "misp"
    }
    fn file(&self) -> &'static str {
        "misp.json"
    }
    fn summary(&self) -> &'static str {
        "a MISP event with the indicators of all gangs"
    }
    fn write(&self, shared: &Shared, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let gangs = &shared.gangs;
        let ids: String = gangs.iter().map(|it| format!("{}\n", it.id)).collect();
        let techniques: BTreeSet<&str> = gangs.iter().flat_map(|it| it.techniques.iter().map(String::as_str)).collect();
        let mut tags = vec![json!({ "name": format!("tlp:{}", shared.tlp.name()) })];
        tags.extend(techniques.into_iter().filter_map(|id| {
            let name = attack::technique(id)?.0;
            Some(json!({ "name": format!("misp-galaxy:mitre-attack-pattern=\"{name} - {id}\"") }))
        }));
        let head = json!({
            "uuid": uuid("misp-event", &format!("{} {ids}", shared.tlp.name())),
            "info": format!("Ringleader: {} gangs", gangs.len()),
            "date": shared.first().unwrap_or_default().day(),
            "timestamp": seconds(shared.last().unwrap_or_default()),
            "threat_level_id": if gangs.is_empty() { "4" } else { "2" },
            "analysis": "2",
            "distribution": if shared.tlp <= Tlp::Green { "1" } else { "0" },
            "published": false,
            "Tag": tags,
        });
        let mut text = Vec::new();
        escape::json(&head, &mut text, Shape::Line)?;
        // The object stays open for its attributes, of which there may be a million.
        text.pop();
        out.write_all(b"{\"Event\":")?;
        out.write_all(&text)?;
        out.write_all(b",\n\"Attribute\":[")?;
        let mut any = false;
        for gang in gangs {
            for it in attributes(shared, gang) {
                out.write_all(if any { b",\n" } else { b"\n" })?;
                any = true;
                escape::json(&it, out, Shape::Line)?;
            }
        }
        out.write_all(b"\n]}}\n")
    }
}

fn attributes<'s>(shared: &'s Shared, gang: &'s SharedGang) -> impl Iterator<Item = Value> + 's {
    let tag = json!([{ "name": format!("ringleader:gang=\"{}\"", visible(&gang.id).replace('"', "'")) }]);
    let tag_of_victims = tag.clone();
    let signs = gang.signs.iter().map(move |it| {
        let (kind, category, value) = attribute(it);
        json!({
            "uuid": uuid("misp-attribute", &format!("{} {} {}", gang.id, it.kind.name(), it.value)),
            "type": kind,
            "category": category,
            "value": value,
            "to_ids": shared.is_strong(it) && is_detectable(it),
            "comment": format!("{} ({}), {} hosts", gang.shown(), it.strength.name(), it.hosts),
            "distribution": "5",
            "timestamp": seconds(gang.last.unwrap_or_default()),
            "first_seen": it.first,
            "last_seen": it.last,
            "Tag": tag,
        })
    });
    let named = if shared.tlp.names_victims() { &gang.hosts[..gang.hosts.len().min(VICTIMS)] } else { &[] };
    let victims = named.iter().filter(|it| !it.is_empty()).map(move |host| {
        json!({
            "uuid": uuid("misp-attribute", &format!("{} host {host}", gang.id)),
            "type": "target-machine",
            "category": "Targeting data",
            "value": visible(host),
            "to_ids": false,
            "comment": gang.shown(),
            "distribution": "0",
            "timestamp": seconds(gang.last.unwrap_or_default()),
            "Tag": tag_of_victims,
        })
    });
    signs.chain(victims)
}

/// Whether a detection on this value can only hit the attacker's side.
fn is_detectable(it: &Sign) -> bool {
    match it.kind {
        IndicatorKind::Hash => it.is_plain() && it.is_used() && hash_name(&it.value).is_some(),
        _ => it.blockable,
    }
}

/// MISP's type and category, and the value as that type is written.
fn attribute(it: &Sign) -> (&'static str, &'static str, String) {
    let value = if it.value.is_empty() { "?".to_owned() } else { visible(&it.value).into_owned() };
    match it.kind {
        _ if !it.is_plain() => ("text", "Other", value),
        IndicatorKind::Url => ("url", "Network activity", value),
        IndicatorKind::Domain => ("domain", "Network activity", value),
        IndicatorKind::Ip if value.parse::<std::net::IpAddr>().is_ok() => ("ip-dst", "Network activity", value),
        IndicatorKind::IpPort => match it.address_and_port() {
            Some((ip, port)) => ("ip-dst|port", "Network activity", format!("{ip}|{port}")),
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
        IndicatorKind::Ip
        | IndicatorKind::Pool
        | IndicatorKind::SshKey
        | IndicatorKind::Cron
        | IndicatorKind::Account
        | IndicatorKind::Image
        | IndicatorKind::Paste => ("text", "Other", value),
    }
}

fn seconds(time: Timestamp) -> String {
    time.0.div_euclid(1_000_000).max(0).to_string()
}
