//! Gangs → a STIX 2.1 bundle: an intrusion set each, its campaigns, indicators, attack patterns and vulnerabilities.
//!
//! Ids are UUIDv5 of what they name and times are those of the findings, so that the same findings are the same bundle.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::IpAddr;

use ringleader_model::findings::{Findings, Gang, GangIndicator, Strength};
use ringleader_model::{IndicatorKind, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::escape::{Shape, visible};
use crate::mask::mask;
use crate::{Options, Report, attack, escape};

/// The namespace of all ids that are made here, and in `misp.json`.
const NAMESPACE: Uuid = Uuid::from_u128(0x7a1c_5f0e_3f0b_5c65_9d0e_52d7_5e3b_9a41);

pub(crate) fn uuid(kind: &str, key: &str) -> String {
    Uuid::new_v5(&NAMESPACE, format!("{kind}\0{key}").as_bytes()).to_string()
}

pub(crate) struct Stix;

impl Report for Stix {
    fn file(&self) -> &'static str {
        "stix.json"
    }
    fn summary(&self) -> &'static str {
        "a STIX 2.1 bundle of the gangs, their campaigns, indicators and techniques"
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let mut bundle = Bundle::default();
        for gang in &findings.gangs {
            bundle.gang(gang, findings);
        }
        let objects: Vec<Value> = bundle.objects.into_values().collect();
        let key: String = objects.iter().filter_map(|it| it["id"].as_str()).collect();
        let document =
            json!({ "type": "bundle", "id": format!("bundle--{}", uuid("bundle", &key)), "objects": objects });
        escape::json(&document, out, Shape::Pretty)?;
        out.write_all(b"\n")
    }
}

#[derive(Default)]
struct Bundle {
    /// By id: what two gangs share (an attack pattern) stands once.
    objects: BTreeMap<String, Value>,
}

impl Bundle {
    fn add(&mut self, kind: &str, key: &str, times: (Timestamp, Timestamp), fields: Value) -> String {
        let id = format!("{kind}--{}", uuid(kind, key));
        let mut object = json!({
            "type": kind, "spec_version": "2.1", "id": id,
            "created": times.0.to_string(), "modified": times.1.to_string(),
        });
        if let (Value::Object(object), Value::Object(fields)) = (&mut object, fields) {
            object.extend(fields.into_iter().filter(|(_, value)| !is_empty(value)));
        }
        self.objects.entry(id.clone()).or_insert(object);
        id
    }

    fn relate(&mut self, from: &str, what: &str, to: &str, times: (Timestamp, Timestamp)) {
        let key = format!("{from} {what} {to}");
        let fields = json!({ "relationship_type": what, "source_ref": from, "target_ref": to });
        self.add("relationship", &key, times, fields);
    }

    fn gang(&mut self, gang: &Gang, findings: &Findings) {
        let first = gang.who.first_seen.unwrap_or_default();
        let times = (first, gang.who.last_seen.unwrap_or(first).max(first));
        // Attack patterns and vulnerabilities are nobody's: their times must not depend on who came first.
        let epoch = (Timestamp(0), Timestamp(0));
        let methods: Vec<&str> = gang.how.iter().map(|it| it.method.as_ref()).collect();
        let set = self.add(
            "intrusion-set",
            &gang.gang_id,
            times,
            json!({
                "name": visible(&mask(&gang.name)),
                "aliases": gang.known_as.iter().map(|it| visible(it).into_owned()).collect::<Vec<_>>(),
                "description": format!(
                    "Gang {} on {} hosts, {} campaigns; way in: {}",
                    visible(&gang.gang_id), gang.who.hosts.len(), gang.campaigns.len(), visible(&methods.join(", ")),
                ),
                "confidence": gang.confidence.thousandths() / 10,
                "first_seen": gang.who.first_seen,
                "last_seen": gang.who.first_seen.map(|_| times.1),
            }),
        );
        for id in &gang.campaigns {
            let name = format!("Campaign {}", visible(id));
            let campaign = self.add("campaign", id, times, json!({ "name": name }));
            self.relate(&campaign, "attributed-to", &set, times);
        }
        for id in techniques(gang) {
            let name = attack::technique(id).map_or(id, |it| it.0);
            let url = format!("https://attack.mitre.org/techniques/{}/", id.replace('.', "/"));
            let reference = json!([{ "source_name": "mitre-attack", "external_id": id, "url": url }]);
            let fields = json!({ "name": name, "external_references": reference });
            let pattern = self.add("attack-pattern", id, epoch, fields);
            self.relate(&set, "uses", &pattern, times);
        }
        for cve in gang.how.iter().filter_map(|it| it.cve.as_deref()) {
            let reference = json!([{ "source_name": "cve", "external_id": visible(cve) }]);
            let fields = json!({ "name": visible(cve), "external_references": reference });
            let vulnerability = self.add("vulnerability", cve, epoch, fields);
            self.relate(&set, "targets", &vulnerability, times);
        }
        let seen: BTreeMap<_, _> = findings
            .indicators
            .iter()
            .filter(|it| it.gang_id.as_ref() == Some(&gang.gang_id))
            .map(|it| ((it.kind, it.indicator.as_ref()), it.first_seen))
            .collect();
        for (kind, indicators) in &gang.who.indicators {
            let Some(kind) = IndicatorKind::from_name(kind) else { continue };
            for it in indicators {
                let Some(pattern) = pattern(kind, &it.value) else { continue };
                let from = seen.get(&(kind, it.value.as_ref())).copied().flatten().unwrap_or(first);
                let fields = indicator(kind, it, &pattern, from);
                let key = format!("{} {} {}", gang.gang_id, kind.name(), it.value);
                let indicator = self.add("indicator", &key, times, fields);
                self.relate(&indicator, "indicates", &set, times);
            }
        }
    }
}

fn indicator(kind: IndicatorKind, it: &GangIndicator, pattern: &str, from: Timestamp) -> Value {
    let confidence = match it.strength {
        Strength::Strong => 90,
        Strength::Medium => 60,
        Strength::Weak => 25,
    };
    json!({
        "name": format!("{}: {}", kind.name(), visible(&it.value)),
        "description": format!("{} indicator, on {} hosts", it.strength.name(), it.hosts),
        "indicator_types": ["malicious-activity"],
        "pattern": pattern,
        "pattern_type": "stix",
        "valid_from": from,
        "confidence": confidence,
        "labels": it.contexts.iter().map(|it| it.name()).collect::<Vec<_>>(),
    })
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// The techniques of a gang, its ways in included; sorted, each once.
pub(crate) fn techniques(gang: &Gang) -> std::collections::BTreeSet<&str> {
    let behaviours = gang.what.behaviours.iter().filter_map(|it| it.technique.as_deref());
    let ways_in = gang.how.iter().filter_map(|it| attack::of_class(it.class));
    behaviours.chain(ways_in).filter(|it| attack::is_id(it)).collect()
}

/// `None` where a pattern would not match what was seen: a masked secret, a value that is no such thing.
fn pattern(kind: IndicatorKind, value: &str) -> Option<String> {
    if value.is_empty() || mask(value) != value {
        return None;
    }
    let address = |ip: &str| match ip.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => Some("ipv4-addr"),
        Ok(IpAddr::V6(_)) => Some("ipv6-addr"),
        Err(_) => None,
    };
    let text = literal(value);
    Some(match kind {
        IndicatorKind::Url => format!("[url:value = {text}]"),
        IndicatorKind::Domain => format!("[domain-name:value = {text}]"),
        IndicatorKind::Ip => format!("[{}:value = {text}]", address(value)?),
        IndicatorKind::IpPort => {
            let (ip, port) = value.rsplit_once(':')?;
            let (ip, port) = (ip.trim_matches(['[', ']']), port.parse::<u16>().ok()?);
            let kind = address(ip)?;
            format!(
                "[network-traffic:dst_ref.type = '{kind}' AND network-traffic:dst_ref.value = {} AND network-traffic:dst_port = {port}]",
                literal(ip)
            )
        }
        IndicatorKind::Hash => format!("[file:hashes.{} = {text}]", hash_name(value)?),
        IndicatorKind::FilePath => match value.rsplit_once(['/', '\\']) {
            Some((folder, name)) if !name.is_empty() => {
                let folder = if folder.is_empty() { "/" } else { folder };
                format!("[file:name = {} AND file:parent_directory_ref.path = {}]", literal(name), literal(folder))
            }
            _ => format!("[file:name = {text}]"),
        },
        IndicatorKind::Email => format!("[email-addr:value = {text}]"),
        IndicatorKind::Account => format!("[user-account:account_login = {text}]"),
        IndicatorKind::UserAgent => {
            format!("[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = {text}]")
        }
        // No object of its own in STIX: found where it was found here, in a command line.
        IndicatorKind::Wallet
        | IndicatorKind::Pool
        | IndicatorKind::SshKey
        | IndicatorKind::Cron
        | IndicatorKind::Image
        | IndicatorKind::Paste => format!("[process:command_line MATCHES {}]", literal(&regex::escape(value))),
    })
}

pub(crate) fn hash_name(value: &str) -> Option<&'static str> {
    if !value.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    match value.len() {
        32 => Some("MD5"),
        40 => Some("'SHA-1'"),
        64 => Some("'SHA-256'"),
        128 => Some("'SHA-512'"),
        _ => None,
    }
}

/// A string of the pattern language: `'` and `\` escaped by `\`.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for c in text.chars() {
        if matches!(c, '\'' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cannot_be_left() {
        let check = |kind, value, expect: Option<&str>| assert_eq!(pattern(kind, value).as_deref(), expect);
        check(IndicatorKind::Url, r"http://e.test/' OR '\", Some(r"[url:value = 'http://e.test/\' OR \'\\']"));
        check(IndicatorKind::Ip, "::1", Some("[ipv6-addr:value = '::1']"));
        check(IndicatorKind::Ip, "evil", None);
        check(
            IndicatorKind::FilePath,
            "/usr/bin/ujuyfa5",
            Some("[file:name = 'ujuyfa5' AND file:parent_directory_ref.path = '/usr/bin']"),
        );
        check(
            IndicatorKind::Hash,
            "d41d8cd98f00b204e9800998ecf8427e",
            Some("[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']"),
        );
        check(IndicatorKind::Hash, "d41d", None);
        check(IndicatorKind::Url, "ftp://a:hunter2@e.test/", None);
        check(IndicatorKind::Pool, "a.test:1", Some(r"[process:command_line MATCHES 'a\\.test:1']"));
    }
}
