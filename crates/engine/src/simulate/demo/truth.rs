//! the story → TRUTH.json: what a run on the sample should find.

use std::collections::BTreeSet;

use super::alibaba::uuid;
use super::json::{Value, object, strings};
use super::windows::{HOSTS, Worm};
use super::{ALIBABA, DOCKER, INTRUSIONS, LOADER, PHP, REDIS, Story};

/// Hosts that an alert names as its subject, rightly.
const ALERTED: [&str; 5] = ["app-01", "redis-01", "docker-01", "redis-02", "WIN-DEV04"];

pub(super) fn truth(story: &Story, worm: &Worm) -> String {
    let mut gangs = Vec::new();
    for (gang, method, cve) in [
        (LOADER, "ssh_password_guess", None),
        (REDIS, "redis_cron_write", None),
        (PHP, "phpunit_eval_stdin", Some("CVE-2017-9841")),
        (DOCKER, "docker_api_exposed", None),
    ] {
        let intrusions: Vec<String> = INTRUSIONS
            .iter()
            .filter(|it| it.0 == gang)
            .map(|(_, wave, host, _)| intrusion(story, gang, *wave, host))
            .collect();
        let waves: BTreeSet<u64> = INTRUSIONS.iter().filter(|it| it.0 == gang).map(|it| it.1).collect();
        let campaigns: Vec<String> = waves
            .iter()
            .map(|wave| {
                let of = |name| story.value(gang, *wave, name).into();
                object(&[("wave", (*wave as i64).into()), ("server", of("server")), ("url", of("url"))])
            })
            .collect();
        let own = |name| story.value(gang, 0, name).into();
        gangs.push(object(&[
            ("name", gang.into()),
            ("method", method.into()),
            ("cve", cve.map_or(Value::Json("null"), Value::Text)),
            ("wallet", if gang == LOADER { Value::Json("null") } else { own("wallet") }),
            ("pool", if gang == LOADER { Value::Json("null") } else { own("pool") }),
            ("campaigns", Value::Json(&format!("[{}]", campaigns.join(",")))),
            ("intrusions", Value::Json(&format!("[{}]", intrusions.join(",\n  ")))),
        ]));
    }
    let spread: Vec<String> = HOSTS
        .iter()
        .map(|(name, address, _, from)| {
            let first = worm.infected.iter().find(|it| it.0 == *name).map_or(0, |it| it.1);
            object(&[
                ("host", (*name).into()),
                ("host_in_log", (&format!("{}.corp.example", name.to_lowercase())).into()),
                ("address", (*address).into()),
                ("from", from.map_or(Value::Json("null"), Value::Text)),
                ("alerted", Value::Json(if ALERTED.contains(name) { "true" } else { "false" })),
                ("first_seen", (&super::rfc3339(first)).into()),
            ])
        })
        .collect();
    gangs.push(object(&[
        ("name", "speechs worm".into()),
        ("method", "eternalblue".into()),
        ("cve", "CVE-2017-0144".into()),
        ("patient_zero", "192.168.0.3".into()),
        ("patient_zero_method", Value::Json("null")),
        ("intrusions", Value::Json(&format!("[{}]", spread.join(",\n  ")))),
    ]));
    let infected: BTreeSet<&str> = INTRUSIONS.iter().map(|it| it.2).chain(HOSTS.iter().map(|it| it.0)).collect();
    let unnamed = strings(infected.iter().copied().filter(|it| !ALERTED.contains(it)));
    let clean = strings(story.hosts.iter().map(|it| it.0.as_str()).filter(|it| !infected.contains(it)));
    let lost = story.events.iter().filter(|it| it.lost).count() as i64;
    let numbers = object(&[
        ("linux_process_starts", (story.events.len() as i64).into()),
        ("linux_process_starts_missing", lost.into()),
        ("linux_process_starts_of_gangs", (story.events.iter().filter(|it| it.gang.is_some()).count() as i64).into()),
    ]);
    format!(
        "{{\"gangs\":[\n{}\n],\n\"infected_hosts_no_alert_names\":{unnamed},\n\"clean_hosts\":{clean},\n\"numbers\":{numbers}}}\n",
        gangs.join(",\n")
    )
}

fn intrusion(story: &Story, gang: &str, wave: u64, host: &str) -> String {
    let in_log = if ALIBABA.contains(&host) { uuid(host) } else { host.to_owned() };
    let events = story.of(gang, host).count() as i64;
    let seen = story.of(gang, host).filter(|it| !it.lost).count() as i64;
    object(&[
        ("host", host.into()),
        ("host_in_log", (&in_log).into()),
        ("address", story.address(host).into()),
        ("wave", (wave as i64).into()),
        ("alerted", Value::Json(if ALERTED.contains(&host) { "true" } else { "false" })),
        ("entered", (&super::rfc3339(story.entry(gang, host))).into()),
        ("process_starts", events.into()),
        ("process_starts_seen", seen.into()),
    ])
}
