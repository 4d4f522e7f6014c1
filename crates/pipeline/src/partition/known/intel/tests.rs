use super::*;
use crate::partition::known::{KnownGangs, Shown};
use ringleader_model::Context;

fn read(source: &str, text: &str, confidence: u8) -> (KnownGangs, Vec<String>) {
    let given = Given { source, text, confidence };
    let out = KnownGangs::with_intel(&[], &[given]);
    (out.value, out.problems.into_iter().map(|it| it.what).collect())
}

fn names(known: &KnownGangs, shown: &[(IndicatorKind, &str)]) -> Vec<(String, &'static str)> {
    let indicators = shown
        .iter()
        .map(|it| (it.0, it.1, vec![Context::Downloaded, Context::Connected, Context::Configured]))
        .collect();
    let naming = known.suggest(&Shown { indicators, ..Shown::default() });
    let named = naming.suggestions.iter().map(|it| &known.all()[it.known]);
    named.map(|it| (it.name.clone(), it.kind.name())).collect()
}

const WALLET: &str = "47tMKHtNZyBgRrGqCZ29fbPPzQqhJ5yj5QgtdspSYmUyCbMaLcYX21PyvmE3Lv5ZcB8TLyQ3wHhYVFV5dVKqWqyQ2kVxW9f";

const HASH: &str = "0123456789abcdef0123456789abcdef";

fn bundle(confidence: &str, name: &str) -> String {
    format!(
        r#"{{"type":"bundle","id":"bundle--1","objects":[
        {{"type":"intrusion-set","id":"intrusion-set--1","name":"{name}"}},
        {{"type":"campaign","id":"campaign--1","name":"c"}},
        {{"type":"indicator","id":"indicator--1","pattern":"[url:value = 'http://198.18.7.7/very/long/path/x.sh' AND domain-name:value = 'r3d.example']"{confidence},"valid_from":"2020-01-01T00:00:00Z"}},
        {{"type":"indicator","id":"indicator--2","pattern":"[file:hashes.MD5 = '{HASH}']"{confidence}}},
        {{"type":"indicator","id":"indicator--3","pattern":"[ipv4-addr:value != '9.9.9.9']"}},
        {{"type":"indicator","id":"indicator--4","revoked":true,"pattern":"[ipv4-addr:value = '9.9.9.9']"}},
        {{"type":"indicator","id":"indicator--5","pattern":"[ipv4-addr:value = '10.0.0.9'] OR [domain-name:value = 'github.com']"}},
        {{"type":"relationship","relationship_type":"indicates","source_ref":"indicator--1","target_ref":"intrusion-set--1"}},
        {{"type":"relationship","relationship_type":"indicates","source_ref":"indicator--2","target_ref":"campaign--1"}},
        {{"type":"relationship","relationship_type":"attributed-to","source_ref":"campaign--1","target_ref":"intrusion-set--1"}}]}}"#
    )
}

#[test]
fn a_bundle_names_a_gang_by_what_it_says_and_by_how_surely() {
    let (known, problems) = read("feed.json", &bundle("", "Red Rake"), 90);
    let hash = [(IndicatorKind::Hash, HASH)];
    assert_eq!(names(&known, &hash), [("Red Rake".to_owned(), "gang")]);
    assert!(problems.iter().any(|it| it.contains("1 not used: revoked")), "{problems:?}");
    let red = known.all().iter().find(|it| it.name == "Red Rake").unwrap();
    assert!(red.facts.iter().all(|it| it.source.as_deref() == Some("feed.json") && it.confidence == 900));
    assert!(!known.knows(IndicatorKind::Domain, "github.com") && !known.knows(IndicatorKind::Ip, "9.9.9.9"));
    let (unsure, _) = read("feed.json", &bundle(",\"confidence\":20", "Red Rake"), 90);
    assert!(names(&unsure, &hash).is_empty(), "a source that is not sure names nobody");
    let (distrusted, _) = read("feed.json", &bundle("", "Red Rake"), 20);
    assert!(names(&distrusted, &hash).is_empty());
}

#[test]
fn what_is_told_of_a_known_gang_is_added_to_it() {
    let (known, _) = read("feed.json", &bundle("", "8220 gang"), 90);
    let builtin = KnownGangs::builtin();
    assert_eq!(known.all().len(), builtin.all().len(), "the gang is there already");
    assert_eq!(names(&known, &[(IndicatorKind::Hash, HASH)]).len(), 1);
    for (a, b) in builtin.all().iter().zip(known.all()) {
        assert!(a.id == b.id && a.facts.len() <= b.facts.len());
    }
}

#[test]
fn an_event_tells_whose_by_galaxy_tags_and_a_list_names_nobody() {
    let event = format!(
        r#"{{"response":[{{"Event":{{"info":"x","Tag":[{{"name":"misp-galaxy:mitre-intrusion-set=\"Rake - G0999\""}},{{"name":"tlp:green"}}],
        "Attribute":[{{"type":"xmr","value":"{WALLET}","to_ids":true}},{{"type":"comment","value":"y"}},
        {{"type":"domain|ip","value":"r3d.example|198.18.7.7","to_ids":false}}],
        "Object":[{{"Attribute":[{{"type":"sha256","value":"{}","Tag":[{{"name":"misp-galaxy:malpedia=\"RedKit\""}}]}}]}}]}}}}]}}"#,
        "ab".repeat(32)
    );
    let (known, problems) = read("event.json", &event, 90);
    assert_eq!(names(&known, &[(IndicatorKind::Wallet, WALLET)]), [("Rake".to_owned(), "gang")]);
    assert_eq!(names(&known, &[(IndicatorKind::Hash, &"ab".repeat(32))]), [("RedKit".to_owned(), "family")]);
    assert!(problems.iter().any(|it| it.contains("types that are not asked for")), "{problems:?}");
    let rake = known.all().iter().find(|it| it.name == "Rake").unwrap();
    assert!(rake.facts.iter().any(|it| it.kind == FactKind::Domain && it.confidence == 450));

    let list = format!("# feed\n198.51.100.77\nhxxp://r3d[.]example/aa/bb/cc/dd.sh , x\n{HASH}\n\n???\n10.0.0.1\n");
    let (known, problems) = read("feed.txt", &list, 80);
    assert_eq!(names(&known, &[(IndicatorKind::Domain, "r3d.example")]), [("feed.txt".to_owned(), "list")]);
    assert_eq!(names(&known, &[(IndicatorKind::Hash, HASH)]), [("feed.txt".to_owned(), "list")]);
    assert!(problems.iter().any(|it| it.starts_with("1 not used: lines that are no value")), "{problems:?}");
}

#[test]
fn what_is_damaged_is_told_and_changes_nothing() {
    for text in [
        "{",
        "[1,2",
        "{\"type\":\"bundle\"}",
        "[]",
        "{\"Event\":[]}",
        "",
        "\u{0}",
        "{\"type\":\"bundle\",\"objects\":[null,1,{\"type\":\"indicator\"}]}",
    ] {
        let (known, problems) = read("x", text, 100);
        assert!(!problems.is_empty(), "{text}");
        assert_eq!(known.all().len(), KnownGangs::builtin().all().len());
    }
    let deep = "[".repeat(100_000);
    assert!(!read("x", &deep, 100).1.is_empty());
}
