use super::*;
use crate::label::Behaviours;
use crate::label::methods::Methods;
use ringleader_model::{Context, IndicatorKind as K};

fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A gang of facts, and another.
fn two() -> KnownGangs {
    let file = |id: &str, facts: &str| {
        let head = format!("id: {id}\nname: {id}\nkind: gang\nsince: 2019\nplatforms: [linux]\n");
        knowledge::parse(&format!("{head}{facts}\nreferences: [{{title: T, publisher: P, year: 2020}}]\n")).unwrap()
    };
    KnownGangs::of(vec![
        file(
            "red",
            "files: [zredd, {value: kredfs, only: true}, both]\ndomains: [{value: red.test, until: 2020}]\n\
             addresses: [{value: 8.8.4.4, from: 2020, until: 2020}, 8.8.4.5, 8.8.4.6]\nurl_parts: [/r3dr3d/]\n\
             commands: [--red-mode=9]\nmethods: [redis_cron_write]\n",
        ),
        file(
            "blue",
            "files: [zblue, both]\nwallets: [BLUEWALLET]\naddresses: [{value: 8.8.8.8, from: 2020}, {value: 9.9.9.9, from: 2020}, {value: 1.1.1.1, from: 2020}]\nurl_parts: [/bl00/]\n",
        ),
    ])
}

fn names(known: &KnownGangs, shown: &Shown<'_>) -> Vec<String> {
    known.suggest(shown).suggestions.iter().map(|it| known.all()[it.known].id.clone()).collect()
}

fn shown<'a>(indicators: &[(K, &'a str, Context)]) -> Shown<'a> {
    Shown { indicators: indicators.iter().map(|it| (it.0, it.1, vec![it.2])).collect(), ..Shown::default() }
}

#[test]
fn one_server_or_one_name_names_nobody() {
    let known = two();
    for one in [
        (K::Domain, "x.red.test", Context::Downloaded),
        (K::IpPort, "8.8.4.4:80", Context::Connected),
        (K::FilePath, "/tmp/zredd", Context::Executed),
        (K::Url, "http://192.0.2.1/r3dr3d/a.sh", Context::Downloaded),
    ] {
        assert_eq!(names(&known, &shown(&[one])), [""; 0], "{one:?}");
    }
    // Ports of one address are one server.
    let ports = [(K::IpPort, "8.8.8.8:80", Context::Connected), (K::IpPort, "8.8.8.8:81", Context::Connected)];
    assert_eq!(names(&known, &shown(&ports)), [""; 0]);
}

#[test]
fn two_kinds_or_three_servers_or_one_unique_fact_name_it() {
    let known = two();
    let file = (K::FilePath, "/var/tmp/zredd", Context::Executed);
    let url = (K::Url, "http://192.0.2.1/r3dr3d/a.sh", Context::Downloaded);
    assert_eq!(names(&known, &shown(&[file, url])), ["red"]);
    assert_eq!(names(&known, &shown(&[(K::FilePath, "/opt/kredfs", Context::Written)])), ["red"]);
    assert_eq!(names(&known, &shown(&[(K::Wallet, "BLUEWALLET", Context::Configured)])), ["blue"]);
    let servers = ["8.8.8.8", "9.9.9.9", "1.1.1.1"].map(|it| (K::Ip, it, Context::Connected));
    assert_eq!(names(&known, &shown(&servers)), ["blue"]);
    let command = Shown { commands: vec!["/tmp/x --red-mode=9 -t 4"], ..shown(&[file]) };
    assert_eq!(names(&known, &command), ["red"]);
}

/// One name, said in a URL, by a file and in a command, is one witness.
#[test]
fn what_says_the_same_is_no_second_witness() {
    let head = "id: red\nname: red\nkind: gang\nsince: 2019\nplatforms: [linux]\n";
    let facts = "files: [zredd.sh]\nurl_parts: [/zredd.sh]\ncommands: [sh zredd.sh -q]\n";
    let text = format!("{head}{facts}references: [{{title: T, publisher: P, year: 2020}}]\n");
    let known = KnownGangs::of(vec![knowledge::parse(&text).unwrap()]);
    let indicators =
        [(K::Url, "http://192.0.2.1/zredd.sh", Context::Downloaded), (K::FilePath, "/tmp/zredd.sh", Context::Executed)];
    assert_eq!(names(&known, &Shown { commands: vec!["sh zredd.sh -q"], ..shown(&indicators) }), [""; 0]);
}

#[test]
fn what_is_killed_or_named_says_nothing() {
    let known = two();
    for context in [Context::Killed, Context::Mentioned] {
        let rivals = [(K::FilePath, "/tmp/kredfs", context), (K::Wallet, "BLUEWALLET", context)];
        assert_eq!(known.suggest(&shown(&rivals)), Naming::default());
    }
    for command in [
        "pkill -f kredfs; rm -rf /tmp/kredfs",
        "ps aux | grep -v grep | grep 'kredfs' | awk '{print $2}' | xargs kill -9",
        "crontab -l | sed '/--red-mode=9/d' | crontab -",
        "schtasks /delete /tn --red-mode=9 /f",
    ] {
        let fights = Shown { commands: vec![command], ..Shown::default() };
        assert_eq!(known.suggest(&fights), Naming::default(), "{command}");
    }
    let runs = Shown { commands: vec!["chmod +x k; ./kredfs"], ..Shown::default() };
    assert_eq!(names(&known, &runs), ["red"]);
}

#[test]
fn what_expired_counts_less() {
    let known = two();
    let day = |n: i64| Some(n * 86_400_000_000);
    let file = (K::FilePath, "/tmp/zredd", Context::Executed);
    let at =
        |first: Option<i64>| Shown { first, last: first, ..shown(&[file, (K::Ip, "8.8.4.4", Context::Connected)]) };
    let (then, later) = (known.suggest(&at(day(18_400))), known.suggest(&at(day(20_000))));
    assert_eq!(then.suggestions.len(), 1);
    assert!(!then.suggestions[0].because.iter().any(|it| it.expired));
    assert_eq!(later.suggestions, []);
}

#[test]
fn who_is_meant_as_much_is_not_named() {
    let known = two();
    // What both have is half of each one's, and names neither.
    assert_eq!(names(&known, &shown(&[(K::FilePath, "/tmp/both", Context::Executed)])), [""; 0]);
    let torn = [
        (K::FilePath, "/tmp/zredd", Context::Executed),
        (K::Url, "http://192.0.2.1/r3dr3d/a", Context::Downloaded),
        (K::FilePath, "/tmp/zblue", Context::Executed),
        (K::Url, "http://192.0.2.1/bl00/a", Context::Downloaded),
    ];
    let naming = known.suggest(&shown(&torn));
    assert_eq!((naming.suggestions.len(), naming.undecided), (0, vec![0, 1]));
}

#[test]
fn the_answer_does_not_depend_on_order_and_nothing_panics() {
    let known = KnownGangs::builtin();
    let mut all: Vec<(K, &str, Context)> = vec![
        (K::Url, "http://[::1", Context::Downloaded),
        (K::Url, "", Context::Downloaded),
        (K::Domain, "....", Context::Connected),
        (K::FilePath, "\\\\\u{130}\\a.exe", Context::Executed),
        (K::FilePath, "/", Context::Executed),
        (K::Image, "a:b/c@d", Context::Executed),
        (K::Pool, "stratum+tcp://x:1", Context::Connected),
    ];
    let answer = known.suggest(&shown(&all));
    all.reverse();
    assert_eq!(answer, known.suggest(&shown(&all)));
    let long = "ü;".repeat(20_000);
    assert_eq!(known.suggest(&Shown { commands: vec![&long, "", ";;&&"], ..Shown::default() }), Naming::default());
}

#[test]
fn every_shipped_file_is_read_and_named_by_its_id() {
    let known = KnownGangs::with_files(&[]);
    assert_eq!(known.problems, []);
    let mut ids: Vec<String> = std::fs::read_dir(root().join("knowledge/gangs"))
        .unwrap()
        .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    ids.sort();
    let read: Vec<_> = known.value.all().iter().map(|it| it.id.clone()).collect();
    assert_eq!(read, ids, "touch partition/known/mod.rs after adding a file");
    assert!(read.len() >= 28);
}

#[test]
fn ids_lead_to_methods_behaviours_and_families() {
    let (known, methods, behaviours) = (KnownGangs::builtin(), Methods::builtin(), Behaviours::built_in());
    let behaviours: BTreeSet<&str> = behaviours.all().iter().map(|it| it.id.as_str()).collect();
    for it in known.all() {
        for method in &it.methods {
            assert!(methods.by_id(method).is_some(), "{}: method {method}", it.id);
        }
        for behaviour in &it.behaviours {
            assert!(behaviours.contains(behaviour.as_str()), "{}: behaviour {behaviour}", it.id);
        }
        for family in &it.runs {
            let family = known.all().iter().find(|other| other.id == *family);
            assert!(family.is_some_and(|other| other.kind == Kind::Family), "{}: runs {:?}", it.id, it.runs);
        }
    }
}

/// What is said to be its owner's alone is so, among those known.
#[test]
fn unique_facts_are_of_one() {
    let known = KnownGangs::builtin();
    for (place, fact) in facts(known.all()).filter(|it| it.1.only) {
        assert_eq!(fact.holders, 1, "{}: {}", known.all()[place.0 as usize].id, fact.value);
    }
    let pool = known.all().iter().flat_map(|it| &it.facts).filter(|it| it.kind == FactKind::Wallet);
    assert!(pool.into_iter().all(|it| it.value.len() >= 26));
}

#[test]
fn a_users_file_replaces_and_a_broken_one_is_said() {
    let own = "id: kinsing\nname: Ours\nkind: gang\nsince: 2020\nplatforms: [linux]\nfiles: [zork]\nreferences: [{title: T, publisher: P, year: 2020}]\n";
    let files = [("own.yml".to_owned(), own.to_owned()), ("bad.yml".to_owned(), "id: x".to_owned())];
    let known = KnownGangs::with_files(&files);
    assert_eq!(known.problems.len(), 1);
    assert_eq!(known.problems[0].source, "bad.yml");
    assert!(known.value.all().iter().any(|it| it.id == "kinsing" && it.name == "Ours"));
}

#[test]
fn the_page_of_known_gangs_is_current() {
    let path = root().join("docs/gangs.md");
    let made = KnownGangs::builtin().markdown();
    if std::env::var_os("RINGLEADER_BLESS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), made, "run with RINGLEADER_BLESS=1");
}
