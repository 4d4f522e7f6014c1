//! → a STIX 2.1 bundle: an intrusion set each, its campaigns, indicators, attack patterns and vulnerabilities, marked with its TLP level.
//!
//! Ids are UUIDv5 of what they name and times are those of the findings, so that the same findings are the same bundle. An object is
//! written as it is made: what two gangs share (an attack pattern) stands once, before whoever uses it.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::net::IpAddr;

use ringleader_model::{IndicatorKind, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::shared::{Shared, SharedGang, Sign};
use super::{Export, Tlp};
use crate::attack;
use crate::escape::{self, Shape, visible};

/// The namespace of all ids that are made in exports.
const NAMESPACE: Uuid = Uuid::from_u128(0x7a1c_5f0e_3f0b_5c65_9d0e_52d7_5e3b_9a41);
/// The extension that OASIS published for TLP 2.0.
const TLP_EXTENSION: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";
/// At TLP:RED: victims of one gang that are named.
const VICTIMS: usize = 1000;

pub(super) fn uuid(kind: &str, key: &str) -> String {
    Uuid::new_v5(&NAMESPACE, format!("{kind}\0{key}").as_bytes()).to_string()
}

pub(super) struct Stix;

impl Export for Stix {
    fn name(&self) -> &'static str {
        "stix"
    }
    fn file(&self) -> &'static str {
        "stix.json"
    }
    fn summary(&self) -> &'static str {
        "a STIX 2.1 bundle of the gangs, their campaigns, indicators and techniques"
    }
    fn write(&self, shared: &Shared, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let id = uuid("bundle", &content(shared));
        write!(out, "{{\"type\":\"bundle\",\"id\":\"bundle--{id}\",\"objects\":[")?;
        let mut bundle = Bundle {
            out,
            tlp: shared.tlp,
            author: format!("identity--{}", uuid("identity", "ringleader")),
            written: BTreeSet::new(),
            any: false,
            buffer: Vec::new(),
        };
        bundle.head()?;
        for gang in &shared.gangs {
            bundle.gang(gang)?;
        }
        out.write_all(b"\n]}\n")
    }
}

/// A digest of what is in it.
fn content(shared: &Shared) -> String {
    let mut hasher = Sha256::new();
    hasher.update(shared.tlp.name());
    for gang in &shared.gangs {
        hasher.update(format!("\n{} {:?} {:?} {}\n", gang.id, gang.first, gang.last, gang.hosts.len()));
        for it in &gang.signs {
            hasher.update(it.kind.name());
            hasher.update(&*it.value);
            hasher.update([0]);
        }
    }
    hasher.finalize().iter().map(|it| format!("{it:02x}")).collect()
}

struct Bundle<'o> {
    out: &'o mut (dyn Write + Send),
    tlp: Tlp,
    author: String,
    /// Ids of what several gangs may share.
    written: BTreeSet<String>,
    any: bool,
    buffer: Vec<u8>,
}

type Times = (Timestamp, Timestamp);

impl Bundle<'_> {
    fn put(&mut self, object: &impl Serialize) -> io::Result<()> {
        self.out.write_all(if self.any { b",\n" } else { b"\n" })?;
        self.any = true;
        // In one piece: a million objects are many small writes.
        self.buffer.clear();
        escape::json(object, &mut self.buffer, Shape::Line)?;
        self.out.write_all(&self.buffer)
    }

    /// Whoever made it, and how far it may travel.
    fn head(&mut self) -> io::Result<()> {
        let epoch = Timestamp(0);
        self.put(&json!({
            "type": "marking-definition", "spec_version": "2.1", "id": self.tlp.stix(),
            "created": "2022-10-01T00:00:00.000Z", "name": self.tlp.label(),
            "extensions": { TLP_EXTENSION: { "extension_type": "property-extension", "tlp_2_0": self.tlp.name() } },
        }))?;
        let author = self.author.clone();
        self.put(&json!({
            "type": "identity", "spec_version": "2.1", "id": author, "created": epoch, "modified": epoch,
            "name": "Ringleader", "identity_class": "system",
        }))
    }

    fn add(&mut self, kind: &str, id: String, times: Times, fields: Value) -> io::Result<String> {
        let id = format!("{kind}--{id}");
        let mut object = json!({
            "type": kind, "spec_version": "2.1", "id": id, "created": times.0, "modified": times.1,
            "created_by_ref": self.author, "object_marking_refs": [self.tlp.stix()],
        });
        if let (Value::Object(object), Value::Object(fields)) = (&mut object, fields) {
            object.extend(fields.into_iter().filter(|(_, value)| !is_empty(value)));
        }
        self.put(&object)?;
        Ok(id)
    }

    /// What is nobody's alone is written once; its times must not depend on who came first.
    fn common(&mut self, kind: &str, key: &str, fields: Value) -> io::Result<String> {
        let id = uuid(kind, key);
        let shown = format!("{kind}--{id}");
        if self.written.insert(shown.clone()) {
            self.add(kind, id, (Timestamp(0), Timestamp(0)), fields)?;
        }
        Ok(shown)
    }

    fn relate(&mut self, from: &str, what: &str, to: &str, times: Times) -> io::Result<()> {
        let id = format!("relationship--{}", uuid("relationship", &format!("{from} {what} {to}")));
        let author = std::mem::take(&mut self.author);
        let common = Common::new("relationship", &id, times, &author, self.tlp);
        let done = self.put(&Relationship { common, relationship_type: what, source_ref: from, target_ref: to });
        self.author = author;
        done
    }

    /// As many as there are indicators: written without building a tree of each.
    fn indicator(&mut self, gang: &SharedGang, it: &Sign, pattern: &str, times: Times) -> io::Result<String> {
        let id = format!("indicator--{}", uuid("indicator", &format!("{} {} {}", gang.id, it.kind.name(), it.value)));
        let author = std::mem::take(&mut self.author);
        let done = self.put(&Indicator {
            common: Common::new("indicator", &id, times, &author, self.tlp),
            name: format!("{}: {}", it.kind.name(), visible(&it.value)),
            description: format!("{} indicator, on {} hosts", it.strength.name(), it.hosts),
            indicator_types: ["malicious-activity"],
            pattern,
            pattern_type: "stix",
            pattern_version: "2.1",
            valid_from: it.first.unwrap_or(times.0),
            confidence: it.confidence(gang),
            labels: it.contexts().collect(),
        });
        self.author = author;
        done.map(|()| id)
    }

    fn gang(&mut self, gang: &SharedGang) -> io::Result<()> {
        let times = gang.times();
        let methods: Vec<&str> = gang.ways.iter().map(|it| it.method.as_str()).collect();
        let name = if gang.name.is_empty() { "?" } else { &*gang.shown() };
        let fields = json!({
            "name": name,
            "aliases": gang.known_as.iter().map(|it| visible(it)).filter(|it| !it.is_empty()).collect::<Vec<_>>(),
            "description": format!(
                "Gang {} on {} hosts, {} campaigns; way in: {}",
                visible(&gang.id), gang.hosts.len(), gang.campaigns.len(), visible(&methods.join(", ")),
            ),
            "confidence": gang.confidence.thousandths() / 10,
            "first_seen": gang.first,
            "last_seen": gang.first.map(|_| times.1),
        });
        let set = self.add("intrusion-set", uuid("intrusion-set", &gang.id), times, fields)?;
        for it in &gang.campaigns {
            let fields = json!({ "name": format!("Campaign {}", visible(&it.id)) });
            let campaign = self.add("campaign", uuid("campaign", &it.id), times, fields)?;
            self.relate(&campaign, "attributed-to", &set, times)?;
        }
        if let Some(family) = gang.family.as_deref().filter(|it| !it.is_empty()) {
            let malware = self.common("malware", family, json!({ "name": visible(family), "is_family": true }))?;
            self.relate(&set, "uses", &malware, times)?;
        }
        for id in &gang.techniques {
            let name = attack::technique(id).map_or(id.as_str(), |it| it.0);
            let url = format!("https://attack.mitre.org/techniques/{}/", id.replace('.', "/"));
            let reference = json!([{ "source_name": "mitre-attack", "external_id": id, "url": url }]);
            let pattern =
                self.common("attack-pattern", id, json!({ "name": name, "external_references": reference }))?;
            self.relate(&set, "uses", &pattern, times)?;
        }
        let cves: BTreeSet<&str> = gang.ways.iter().filter_map(|it| it.cve.as_deref()).collect();
        for cve in cves {
            let reference = json!([{ "source_name": "cve", "external_id": cve }]);
            let vulnerability =
                self.common("vulnerability", cve, json!({ "name": cve, "external_references": reference }))?;
            self.relate(&set, "targets", &vulnerability, times)?;
        }
        for it in &gang.signs {
            let Some(pattern) = pattern(it) else { continue };
            let indicator = self.indicator(gang, it, &pattern, times)?;
            self.relate(&indicator, "indicates", &set, times)?;
        }
        if self.tlp.names_victims() {
            for host in gang.hosts.iter().filter(|it| !it.is_empty()).take(VICTIMS) {
                let fields = json!({ "name": visible(host), "identity_class": "system" });
                let victim = self.common("identity", &format!("host {host}"), fields)?;
                self.relate(&set, "targets", &victim, times)?;
            }
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Common<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    spec_version: &'a str,
    id: &'a str,
    created: Timestamp,
    modified: Timestamp,
    created_by_ref: &'a str,
    object_marking_refs: [&'a str; 1],
}

impl<'a> Common<'a> {
    fn new(kind: &'a str, id: &'a str, times: Times, author: &'a str, tlp: Tlp) -> Self {
        let (created, modified) = times;
        let object_marking_refs = [tlp.stix()];
        Self { kind, spec_version: "2.1", id, created, modified, created_by_ref: author, object_marking_refs }
    }
}

#[derive(Serialize)]
struct Relationship<'a> {
    #[serde(flatten)]
    common: Common<'a>,
    relationship_type: &'a str,
    source_ref: &'a str,
    target_ref: &'a str,
}

#[derive(Serialize)]
struct Indicator<'a> {
    #[serde(flatten)]
    common: Common<'a>,
    name: String,
    description: String,
    indicator_types: [&'a str; 1],
    pattern: &'a str,
    pattern_type: &'a str,
    pattern_version: &'a str,
    valid_from: Timestamp,
    confidence: u16,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels: Vec<&'a str>,
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// `None` where a pattern would not match what was seen: a masked secret, a value that is no such thing.
fn pattern(sign: &Sign) -> Option<String> {
    if !sign.is_plain() {
        return None;
    }
    let value = &*sign.value;
    let address = |ip: IpAddr| if ip.is_ipv4() { "ipv4-addr" } else { "ipv6-addr" };
    let text = literal(value);
    Some(match sign.kind {
        IndicatorKind::Url => format!("[url:value = {text}]"),
        IndicatorKind::Domain => format!("[domain-name:value = {text}]"),
        IndicatorKind::Ip => format!("[{}:value = {text}]", address(value.parse().ok()?)),
        IndicatorKind::IpPort => {
            let (ip, port) = sign.address_and_port()?;
            let (kind, ip) = (address(ip), literal(&ip.to_string()));
            format!(
                "[network-traffic:dst_ref.type = '{kind}' AND network-traffic:dst_ref.value = {ip} AND network-traffic:dst_port = {port}]"
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

pub(super) fn hash_name(value: &str) -> Option<&'static str> {
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
    use ringleader_model::Context;
    use ringleader_model::findings::Strength;

    #[test]
    fn patterns_cannot_be_left() {
        let check = |kind, value: &str, expect: Option<&str>| {
            let sign =
                Sign::new(kind, crate::mask::mask(value).into(), Strength::Strong, &[Context::Executed], 1, false);
            assert_eq!(pattern(&sign).as_deref(), expect);
        };
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
