//! Every export of hostile findings is still what it claims to be, says nothing of the fleet, and is the same bytes each time.
//! Consumers' own validators are asked by `.ci/exports`.

// Helpers of tests are tests too.
#![allow(clippy::unwrap_used)]

mod sample;

use std::collections::BTreeMap;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use proptest::prelude::*;
use ringleader_model::findings::{Findings, FleetHost, GangIndicator, SignaturePart, Strength};
use ringleader_model::{Context, IndicatorKind};
use ringleader_report::escape::acts;
use ringleader_report::export::{Choice, EXPORTS, Shared, Tlp, by_name, place};
use ringleader_report::{Folder, Options};
use serde_json::Value;

fn written(name: &str, shared: &Shared) -> Vec<u8> {
    let mut out = Vec::new();
    by_name(name).unwrap().write(shared, &mut out).unwrap();
    out
}

fn text(name: &str, shared: &Shared) -> String {
    String::from_utf8(written(name, shared)).unwrap_or_else(|_| panic!("{name} is no UTF-8"))
}

fn at(tlp: Tlp) -> Choice {
    Choice { tlp, ..Choice::default() }
}

/// All texts of a Parquet file.
fn parquet_texts(bytes: Vec<u8>) -> String {
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
    reader.get_row_iter(None).unwrap().map(|it| format!("{}\n", it.unwrap())).collect()
}

/// Reads each export with a reader of its format, or by the format's own rules.
fn check(shared: &Shared) {
    for export in EXPORTS.iter().filter(|it| it.name() != "parquet") {
        let text = text(export.name(), shared);
        let loud: Vec<char> = text.chars().filter(|c| acts(*c) && !matches!(c, '\n' | '\t')).collect();
        assert!(loud.is_empty(), "{}: {loud:?}", export.name());
    }
    json(shared);
    tables(shared);
    xml(&text("graphml", shared));
    sigma(&text("sigma", shared));
    for line in lines(&text("suricata", shared)) {
        suricata(line);
    }
    for line in text("dot", shared).lines() {
        assert_eq!(line.matches('"').count() % 2, 0, "{line}");
        assert!(!line.contains('\\') && !line.contains('<'), "{line}");
    }
    yara(&text("yara", shared));
    addresses(shared);
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|it| !it.starts_with('#'))
}

fn json(shared: &Shared) {
    let stix: Value = serde_json::from_slice(&written("stix", shared)).unwrap();
    let ids: Vec<&str> = stix["objects"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    let mut once = ids.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), ids.len(), "an id stands twice");
    for object in stix["objects"].as_array().unwrap() {
        for key in ["source_ref", "target_ref", "created_by_ref"] {
            assert!(object.get(key).is_none_or(|it| ids.contains(&it.as_str().unwrap())), "{object}");
        }
        let pattern = object["pattern"].as_str().unwrap_or("[]");
        let bare = pattern.replace("\\\\", "").replace("\\'", "");
        assert_eq!(bare.matches('\'').count() % 2, 0, "{pattern}");
    }
    let misp: Value = serde_json::from_slice(&written("misp", shared)).unwrap();
    assert!(misp["Event"]["Attribute"].as_array().unwrap().iter().all(|it| !it["value"].as_str().unwrap().is_empty()));
    let _: Value = serde_json::from_slice(&written("navigator", shared)).unwrap();
    assert_eq!(
        text("ocsf", shared).lines().filter(|it| serde_json::from_str::<Value>(it).is_ok()).count(),
        shared.gangs()
    );
}

fn tables(shared: &Shared) {
    for name in ["csv", "blocklist_csv"] {
        let bytes = written(name, shared);
        let mut rows = 0;
        for row in csv::Reader::from_reader(&*bytes).records() {
            let row = row.unwrap();
            rows += 1;
            for cell in &row {
                assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{name}: {cell}");
            }
        }
        assert!(name != "csv" || rows == shared.indicators());
    }
    let bytes = bytes::Bytes::from(written("parquet", shared));
    let rows = SerializedFileReader::new(bytes).unwrap().metadata().file_metadata().num_rows();
    assert_eq!(usize::try_from(rows).unwrap(), shared.indicators());
}

fn xml(text: &str) {
    let mut reader = quick_xml::Reader::from_str(text);
    let (mut depth, mut nodes) = (0i64, std::collections::BTreeSet::new());
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error} at {}", reader.error_position())) {
            quick_xml::events::Event::Start(it) => {
                depth += 1;
                let values: BTreeMap<String, String> = it
                    .attributes()
                    .map(|it| it.unwrap())
                    .map(|it| {
                        (String::from_utf8(it.key.0.to_vec()).unwrap(), String::from_utf8(it.value.to_vec()).unwrap())
                    })
                    .collect();
                match it.name().0 {
                    b"node" => assert!(nodes.insert(values["id"].clone()), "{values:?} stands twice"),
                    b"edge" => {
                        assert!(nodes.contains(&values["source"]) && nodes.contains(&values["target"]), "{values:?}")
                    }
                    b"graphml" | b"desc" | b"graph" | b"data" => {}
                    other => panic!("{:?}", String::from_utf8_lossy(other)),
                }
            }
            quick_xml::events::Event::End(_) => depth -= 1,
            quick_xml::events::Event::DocType(_)
            | quick_xml::events::Event::CData(_)
            | quick_xml::events::Event::PI(_) => panic!(),
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0);
    assert!(text.chars().all(|c| !matches!(c, '\u{fffe}' | '\u{ffff}')));
}

fn sigma(text: &str) {
    if lines(text).next().is_none() {
        return;
    }
    let mut ids = Vec::new();
    for document in yaml_serde::Deserializer::from_str(text) {
        let rule: Value = serde::Deserialize::deserialize(document).unwrap();
        let keys: Vec<&str> = rule.as_object().unwrap().keys().map(String::as_str).collect();
        let known = [
            "title",
            "id",
            "status",
            "description",
            "author",
            "date",
            "tags",
            "logsource",
            "detection",
            "falsepositives",
            "level",
        ];
        assert_eq!(keys, known);
        assert_eq!(rule["detection"].as_object().unwrap().len(), 2, "{rule}");
        assert_eq!(rule["detection"]["condition"], "selection");
        let tag = |it: &Value| {
            it.as_str().is_some_and(|it| ["attack.t", "cve.", "tlp."].iter().any(|kind| it.starts_with(kind)))
        };
        assert!(rule["tags"].as_array().unwrap().iter().all(tag), "{rule}");
        ids.push(rule["id"].as_str().unwrap().to_owned());
    }
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

/// One rule: `alert proto src port -> dst port (options)`, quotes closed, nothing behind.
fn suricata(rule: &str) {
    let (head, rest) = rule.split_once(" (").unwrap();
    let words: Vec<&str> = head.split(' ').collect();
    assert!(words.len() == 7 && words[0] == "alert" && words[2] == "$HOME_NET" && words[4] == "->", "{rule}");
    let body = rest.strip_suffix(')').unwrap();
    let (mut quoted, mut options, mut option) = (false, Vec::new(), String::new());
    for c in body.chars() {
        match c {
            '"' => quoted = !quoted,
            ';' if !quoted => options.push(std::mem::take(&mut option)),
            c => {
                assert!(!quoted || !"\";:\\".contains(c) || option.trim_start().starts_with("msg:"), "{rule}");
                option.push(c);
            }
        }
    }
    assert!(!quoted && option.is_empty(), "{rule}");
    for known in ["sid:", "rev:", "msg:"] {
        assert_eq!(options.iter().filter(|it| it.trim_start().starts_with(known)).count(), 1, "{rule}");
    }
}

fn yara(text: &str) {
    let (mut section, mut names) = ("", Vec::new());
    for line in text.lines().filter(|it| !it.starts_with("//") && !it.is_empty()) {
        // `        key = "string" ascii`, escapes removed.
        let bare = line.replace("\\\\", "").replace("\\\"", "");
        section = match (section, line) {
            ("", _) => {
                let name = line.strip_prefix("rule ringleader_").unwrap();
                assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "{line}");
                names.push(name);
                "rule"
            }
            ("rule", "{") => "{",
            ("{", "    meta:") => "meta",
            ("meta", "    strings:") => "strings",
            ("strings", "    condition:") => "condition",
            ("condition", _) => {
                assert!(line.starts_with("        filesize < 1MB and ("), "{line}");
                "end"
            }
            ("end", "}") => "",
            ("meta", _) => {
                assert!(
                    bare.matches('"').count() == 2 && bare.ends_with('"') && bare.starts_with("        "),
                    "{line}"
                );
                section
            }
            ("strings", _) => {
                assert!(
                    bare.matches('"').count() == 2 && bare.ends_with("\" ascii") && bare.starts_with("        $"),
                    "{line}"
                );
                section
            }
            _ => panic!("{section}: {line}"),
        };
    }
    assert_eq!(section, "");
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

fn addresses(shared: &Shared) {
    for line in lines(&text("blocklist", shared)) {
        assert!(!line.chars().any(char::is_whitespace) && !line.is_empty(), "{line}");
    }
    for line in lines(&text("ipset", shared)) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[0] {
            "create" => assert!(words[2] == "hash:ip", "{line}"),
            "add" => assert!(words.len() == 5 && words[2].parse::<std::net::IpAddr>().is_ok(), "{line}"),
            _ => panic!("{line}"),
        }
    }
    for line in lines(&text("nftables", shared)).filter(|it| it.contains("comment")) {
        let words: Vec<&str> = line.trim().split(' ').collect();
        let comment = words[2].strip_prefix('"').and_then(|it| it.strip_suffix("\",")).unwrap();
        assert!(
            words[0].parse::<std::net::IpAddr>().is_ok() && comment.chars().all(|c| c.is_ascii_alphanumeric()),
            "{line}"
        );
    }
}

#[test]
fn hostile_findings_leave_every_format_what_it_is() {
    for tlp in [Tlp::Clear, Tlp::Red] {
        for findings in [sample::nasty::nasty(), sample::sample(), sample::empty(), Findings::default()] {
            check(&Shared::of(&findings, &at(tlp)));
        }
    }
    let shared = Shared::of(&sample::nasty::nasty(), &at(Tlp::Red));
    assert!(text("suricata", &shared).lines().count() > 50 && text("sigma", &shared).lines().count() > 500);
    assert!(text("yara", &shared).matches("rule ringleader_").count() > 30);
}

#[test]
fn every_export_is_described_once() {
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/exports.md")).unwrap();
    for it in EXPORTS {
        assert_eq!(docs.matches(&format!("| `{}` | `{}` |", it.name(), it.file())).count(), 1, "{}", it.name());
        assert!(!it.summary().is_empty() && !it.summary().ends_with('.'));
        assert_eq!(EXPORTS.iter().filter(|other| other.file() == it.file() || other.name() == it.name()).count(), 1);
    }
}

#[test]
fn no_secret_leaves() {
    for tlp in Tlp::ALL {
        let shared = Shared::of(&sample::sample(), &at(*tlp));
        for export in EXPORTS {
            let bytes = written(export.name(), &shared);
            let text =
                if export.name() == "parquet" { parquet_texts(bytes) } else { String::from_utf8(bytes).unwrap() };
            assert!(!text.contains(sample::SECRET), "{}", export.name());
            assert!(
                export.name() == "parquet"
                    || text.contains(tlp.name())
                    || text.contains(tlp.label())
                    || text.contains(tlp.word())
                    || text.contains(tlp_id(*tlp)),
                "{} has no level",
                export.name()
            );
        }
    }
}

fn tlp_id(tlp: Tlp) -> &'static str {
    // Suricata writes words with `_`.
    if tlp == Tlp::AmberStrict { "amber_strict" } else { tlp.name() }
}

#[test]
fn victims_are_named_at_red_alone() {
    let mut findings = sample::sample();
    let gang = &mut findings.gangs[0];
    gang.name = "bot of web-001".into();
    let lists = &mut gang.who.indicators;
    let mut add = |kind: &str, value: &str| {
        let it = GangIndicator {
            value: value.into(),
            strength: Strength::Strong,
            contexts: vec![Context::Connected],
            hosts: 1,
        };
        lists.entry(kind.into()).or_default().push(it);
    };
    add("url", "http://evil.example/up?h=web-002");
    add("domain", "web-003.dns.evil.example");
    add("ip", "198.51.100.200");
    add("file_path", "/home/carol/.x/run");
    findings.fleet.push(FleetHost { host: "shop.corp.example".into(), addresses: vec!["198.51.100.200".into()] });
    findings.campaigns[0]
        .signature
        .push(SignaturePart { kind: "literal".into(), value: "--id shop.corp.example".into() });
    findings.campaigns[0].nodes[1].template = "scp <path> alice@10.20.0.2:/home/bob/web-001.tgz shop".into();
    let names = ["web-0", "10.20.0", "198.51.100.200", "shop", "corp.example", "carol", "alice@", "/home/bob"];
    for tlp in Tlp::ALL {
        let shared = Shared::of(&findings, &at(*tlp));
        let mut found = 0;
        for export in EXPORTS {
            let bytes = written(export.name(), &shared);
            let text =
                if export.name() == "parquet" { parquet_texts(bytes) } else { String::from_utf8(bytes).unwrap() };
            let leaks: Vec<_> = names.iter().filter(|it| text.contains(**it)).collect();
            found += leaks.len();
            assert!(tlp.names_victims() || leaks.is_empty(), "{} at {}: {leaks:?}", export.name(), tlp.name());
        }
        assert!(!tlp.names_victims() || found > 20, "{found}");
        // A host of ours is on no list, whoever is told.
        assert!(!text("blocklist", &shared).contains("198.51.100.200"));
    }
}

#[test]
fn a_folder_is_exported_as_its_run_was_to_the_byte() {
    for findings in [sample::sample(), sample::nasty::nasty(), sample::empty()] {
        let dir = tempfile::tempdir().unwrap();
        Folder::new(dir.path(), false).write(&findings, &Options::default()).unwrap();
        for tlp in Tlp::ALL {
            let (now, later) = (Shared::of(&findings, &at(*tlp)), Shared::load(dir.path(), &at(*tlp)).unwrap());
            for export in EXPORTS {
                assert!(written(export.name(), &now) == written(export.name(), &later), "{}", export.name());
            }
        }
        let shared = Shared::load(dir.path(), &Choice::default()).unwrap();
        for export in ["stix", "misp", "navigator", "blocklist"].map(|it| by_name(it).unwrap()) {
            let there = std::fs::read(dir.path().join(export.file())).unwrap();
            let to = tempfile::tempdir().unwrap();
            let path = place(export, &shared, to.path()).unwrap();
            assert!(there == std::fs::read(path).unwrap(), "{}", export.name());
        }
    }
}

#[test]
fn a_folder_that_is_damaged_or_none_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let told = |error: std::io::Error| error.to_string();
    assert!(told(Shared::load(dir.path(), &Choice::default()).unwrap_err()).contains("findings folder"));
    Folder::new(dir.path(), false).write(&sample::sample(), &Options::default()).unwrap();
    std::fs::write(dir.path().join("evidence.jsonl"), "{\"x").unwrap();
    assert!(
        told(Shared::load(dir.path(), &Choice::default()).unwrap_err()).contains("evidence.jsonl is damaged: line 1")
    );
    std::fs::write(dir.path().join("gangs.json"), "[{}").unwrap();
    assert!(told(Shared::load(dir.path(), &Choice::default()).unwrap_err()).contains("gangs.json is damaged"));
}

#[test]
fn one_gang_can_be_chosen_and_weaker_indicators_asked_for() {
    let findings = sample::sample();
    let one = Shared::of(&findings, &Choice { gangs: vec!["ujuyfa5".into()], ..Choice::default() });
    assert_eq!(
        (one.gangs(), Shared::of(&findings, &Choice { gangs: vec!["g-7f3".into()], ..Choice::default() }).gangs()),
        (1, 0)
    );
    let strong = text("blocklist", &one);
    assert!(strong.contains("115.159.189.241") && !strong.contains("192.168."), "{strong}");
    let weak = Shared::of(&findings, &Choice { min_strength: Strength::Weak, ..Choice::default() });
    assert!(
        text("blocklist_csv", &weak).lines().count()
            >= text("blocklist_csv", &Shared::of(&findings, &Choice::default())).lines().count()
    );
}

#[test]
fn what_is_everybodys_or_a_rivals_is_on_no_list() {
    let mut findings = sample::sample();
    let lists = &mut findings.gangs[0].who.indicators;
    let add = |value: &str, contexts: &[Context]| GangIndicator {
        value: value.into(),
        strength: Strength::Strong,
        contexts: contexts.to_vec(),
        hosts: 9,
    };
    for (kind, value) in [
        ("ip", "8.8.8.8"),
        ("ip", "10.0.0.9"),
        ("ip", "fd00::9"),
        ("ip_port", "1.1.1.1:53"),
        ("domain", "github.com"),
        ("domain", "mirrors.aliyun.com"),
        ("url", "http://archive.ubuntu.com/x"),
    ] {
        lists.entry(kind.into()).or_default().push(add(value, &[Context::Connected]));
    }
    lists.entry("domain".into()).or_default().push(add("rival.evil.example", &[Context::Killed, Context::Mentioned]));
    lists
        .entry("url".into())
        .or_default()
        .push(add("https://raw.githubusercontent.com/evil/x", &[Context::Downloaded]));
    let shared = Shared::of(&findings, &at(Tlp::Red));
    for name in ["blocklist", "blocklist_csv", "nftables", "ipset", "suricata"] {
        let text = text(name, &shared);
        for value in [
            "8.8.8.8",
            "10.0.0.9",
            "fd00::9",
            "1.1.1.1",
            "github.com,",
            "\ngithub.com",
            "aliyun",
            "ubuntu.com",
            "rival",
        ] {
            assert!(!text.contains(value), "{name}: {value}");
        }
    }
    assert!(text("blocklist", &shared).contains("https://raw.githubusercontent.com/evil/x"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_text_leaves_every_format_what_it_is(name in any::<String>(), value in any::<String>(), nth in 0..IndicatorKind::ALL.len(), red in any::<bool>()) {
        let mut findings = sample::sample();
        let gang = &mut findings.gangs[0];
        gang.name = name.clone();
        gang.gang_id = name.clone().into();
        gang.who.hosts.push(value.clone().into());
        gang.how[0].method = name.clone().into();
        let kind = IndicatorKind::ALL[nth];
        for value in [value.clone(), format!("http://e.test/{value}"), format!("198.51.100.9:{value}")] {
            let it = GangIndicator { value: value.into(), strength: Strength::Strong, contexts: vec![Context::Executed], hosts: 1 };
            gang.who.indicators.entry(kind.name().into()).or_default().push(it);
        }
        findings.campaigns[0].gang_id = Some(name.into());
        findings.campaigns[0].signature.push(SignaturePart { kind: "literal".into(), value: value.into() });
        check(&Shared::of(&findings, &at(if red { Tlp::Red } else { Tlp::Green })));
    }
}
