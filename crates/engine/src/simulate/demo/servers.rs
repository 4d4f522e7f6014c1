//! the story → what two servers' own logs say: one web server's requests, and sshd's words.

use std::fmt::Write as _;

use super::{ACCESS_LOG_HOST, HOUR_MILLIS, LOADER, PHP, Random, START_MILLIS, Story};

/// Where the passwords were guessed from, and the exploit came from.
pub(super) const GUESSER: &str = "203.0.113.66";
pub(super) const WEB_ATTACKER: &str = "203.0.113.91";

const AGENTS: [&str; 5] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0",
    "Mozilla/5.0 (compatible; ExampleBot/2.1; +http://crawler.example/bot.html)",
    "Mozilla/5.0 (compatible; indexer/1.0; +http://index.example/about)",
];

pub(super) fn access_log(story: &Story) -> String {
    let mut random = Random::new(41);
    let mut rows: Vec<(i64, String)> = Vec::new();
    let mut time = START_MILLIS;
    while time < START_MILLIS + 48 * HOUR_MILLIS {
        time += random.wait(70_000) as i64;
        let agent = random.below(5) as usize;
        // A crawler has one address, a visitor any.
        let client = if agent < 3 {
            format!("198.51.100.{}", random.between(2, 250))
        } else {
            format!("192.0.2.{}", 200 + agent)
        };
        let path = match random.below(12) {
            0..=5 => format!("/article/{}", random.below(1200)),
            6 => format!(
                "/search?q={}",
                ["phpunit+tutorial", "red+shoes", "docker", "select+a+plan"][random.below(4) as usize]
            ),
            7 => "/robots.txt".to_owned(),
            8 => "/".to_owned(),
            9 => format!("/static/app.{:08x}.js", random.below(6) * 0x1357_9bdf),
            10 => format!("/tag/{}?page={}", random.below(60), random.below(9)),
            _ => "/feed.xml".to_owned(),
        };
        let status = if random.permille(40) { 404 } else { 200 };
        rows.push((time, line(time, &client, "GET", &path, status, random.between(300, 42_000), AGENTS[agent])));
    }
    // What every server is asked for by strangers.
    for (hours, path) in
        [(1, "/.env"), (5, "/wp-login.php"), (12, "/boaform/admin/formLogin"), (29, "/actuator/health")]
    {
        let time = START_MILLIS + hours * HOUR_MILLIS + 1_234_000;
        rows.push((time, line(time, "198.51.100.251", "GET", path, 404, 196, "Mozilla/5.0 zgrab/0.x")));
    }
    let entry = story.entry(PHP, ACCESS_LOG_HOST);
    for (before, method, path, status) in [
        (9_200, "GET", "/lib/phpunit/phpunit/src/Util/PHP/eval-stdin.php", 404),
        (7_900, "GET", "/laravel/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", 404),
        (6_300, "GET", "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", 200),
        (2_100, "POST", "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", 200),
    ] {
        let time = entry - before;
        rows.push((time, line(time, WEB_ATTACKER, method, path, status, 87, "python-requests/2.27.1")));
    }
    rows.sort_by_key(|it| it.0);
    rows.into_iter().map(|it| it.1).collect()
}

fn line(time: i64, client: &str, method: &str, path: &str, status: u32, bytes: u64, agent: &str) -> String {
    let text = super::rfc3339(time);
    let (year, day, clock) = (&text[..4], &text[8..10], &text[11..19]);
    format!(
        "{client} - - [{day}/Mar/{year}:{clock} +0000] \"{method} {path} HTTP/1.1\" {status} {bytes} \"-\" \"{agent}\"\n"
    )
}

pub(super) fn auth_log(story: &Story, host: &str) -> String {
    let mut random = Random::new(42);
    let mut rows: Vec<(i64, String)> = Vec::new();
    let mut say = |time: i64, pid: u64, text: String| {
        rows.push((time, format!("{} {host} sshd[{pid}]: {text}\n", super::rfc3339(time).replace('Z', "+00:00"))));
    };
    let mut pid = random.between(2000, 4000);
    for hour in 0..48 {
        for _ in 0..random.below(4) {
            pid += random.between(3, 40);
            let time = START_MILLIS + hour * HOUR_MILLIS + random.below(3_500_000) as i64;
            let (from, port) = (format!("198.51.100.{}", random.between(2, 120)), random.between(1025, 65_000));
            let user = ["admin", "test", "ubuntu", "git"][random.below(4) as usize];
            say(time, pid, format!("Invalid user {user} from {from} port {port}"));
            say(time + 1900, pid, format!("Failed password for invalid user {user} from {from} port {port} ssh2"));
        }
    }
    for it in story.events.iter().filter(|it| it.host == host && it.gang.is_none()) {
        if let Some(user) = it.cmd_line.strip_prefix("sshd: ").and_then(|it| it.strip_suffix(" [priv]")) {
            let (from, port) = (story.address("bastion-01"), random.between(32_768, 60_000));
            say(
                it.time_millis + 80,
                u64::from(it.pid),
                format!(
                    "Accepted publickey for {user} from {from} port {port} ssh2: ED25519 SHA256:{:016x}{:016x}",
                    random.next(),
                    random.next()
                ),
            );
        }
    }
    let Some(session) = story.of(LOADER, host).find(|it| it.cmd_line.starts_with("sshd:")) else {
        return String::new();
    };
    let entry = session.time_millis;
    for attempt in (1..=220).rev() {
        pid += random.between(1, 3);
        let port = random.between(1025, 65_000);
        let time = entry - attempt * 3_100 - random.below(900) as i64;
        say(time, pid, format!("Failed password for root from {GUESSER} port {port} ssh2"));
    }
    let port = random.between(1025, 65_000);
    say(entry + 210, u64::from(session.pid), format!("Accepted password for root from {GUESSER} port {port} ssh2"));
    say(
        entry + 230,
        u64::from(session.pid),
        "pam_unix(sshd:session): session opened for user root(uid=0) by (uid=0)".to_owned(),
    );
    rows.sort_by_key(|it| it.0);
    rows.into_iter().fold(String::new(), |mut out, it| {
        let _ = write!(out, "{}", it.1);
        out
    })
}
