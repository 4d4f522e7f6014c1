//! the story → Alibaba Cloud Security Center rows, as exported from the Log Service: flat, every value text.

use super::json::{Value, object};
use super::{ALIBABA, DOCKER, LOADER, PHP, REDIS, Random, Seen, Story, scatter};

const OWNER: &str = "100000000042";

pub(super) fn logs(story: &Story) -> Vec<(String, String)> {
    let file = |topic: &str, rows: Vec<(i64, String)>| (format!("alibaba/{topic}.json"), in_order(rows));
    vec![
        file("aegis-log-process", processes(story)),
        file("aegis-log-network", connections(story)),
        file("aegis-log-login", logins(story)),
        file("sas-log-http", requests(story)),
        file("sas-security-log", alerts(story)),
    ]
}

/// Where a server of the gangs is reached: its own address, or the one that its name stands for.
pub(super) fn address_of(server: &str) -> (String, i64) {
    let (name, port) = server.split_once(':').unwrap_or((server, "80"));
    let port = port.parse().unwrap_or(80);
    if name.bytes().all(|it| it.is_ascii_digit() || it == b'.') {
        return (name.to_owned(), port);
    }
    let seed = name.bytes().fold(7, |seed, byte| scatter(seed ^ u64::from(byte)));
    (format!("203.0.113.{}", 130 + seed % 120), port)
}

/// The agent's name for a host.
pub(super) fn uuid(host: &str) -> String {
    let mut random = Random::new(host.bytes().fold(1, |seed, byte| scatter(seed ^ u64::from(byte))));
    let (a, b) = (random.next(), random.next());
    format!("{:08x}-{:04x}-4{:03x}-9{:03x}-{:012x}", a >> 32, a & 0xffff, (a >> 16) & 0xfff, b & 0xfff, b >> 16)
}

fn instance(host: &str) -> String {
    format!("i-2ze{}", &uuid(host).replace('-', "")[..14])
}

/// What every row of a host says, then its own.
fn row<'a>(
    story: &'a Story,
    topic: &'a str,
    host: &str,
    time_millis: i64,
    own: &[(&'a str, Value<'a>)],
) -> (i64, String) {
    let seconds = (time_millis / 1000).to_string();
    let (uuid, instance) = (uuid(host), instance(host));
    let mut fields: Vec<(&str, Value<'_>)> = vec![
        ("__topic__", topic.into()),
        ("__time__", (&seconds).into()),
        ("__source__", "log_service".into()),
        ("owner_id", OWNER.into()),
        ("uuid", (&uuid).into()),
        ("instance_id", (&instance).into()),
        ("host_ip", story.address(host).into()),
        ("sas_group_name", "production".into()),
        ("start_time", (&seconds).into()),
    ];
    fields.extend_from_slice(own);
    (time_millis, object(&fields))
}

fn in_order(mut rows: Vec<(i64, String)>) -> String {
    rows.sort_by_key(|it| it.0);
    rows.into_iter().flat_map(|it| [it.1, "\n".to_owned()]).collect()
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn processes(story: &Story) -> Vec<(i64, String)> {
    let reported = story.events.iter().filter(|it| !it.lost && ALIBABA.contains(&it.host.as_str()));
    reported
        .map(|it| {
            // The agent writes local time, and its export knows no zone: this account keeps UTC.
            let started = super::rfc3339(it.time_millis)[..19].replace('T', " ");
            let (pid, ppid) = (it.pid.to_string(), it.ppid.to_string());
            let own = [
                ("pid", (&pid).into()),
                ("ppid", (&ppid).into()),
                ("cmdline", (&it.cmd_line).into()),
                ("proc_name", name(&it.image).into()),
                ("proc_path", (&it.image).into()),
                ("parent_cmd_line", (&it.parent_cmd_line).into()),
                ("parent_proc_name", name(&it.parent_image).into()),
                ("parent_proc_path", (&it.parent_image).into()),
                ("proc_start_time", (&started).into()),
                ("uid", "0".into()),
                ("username", "root".into()),
                ("cwd", "N/A".into()),
                ("tty", "N/A".into()),
            ];
            row(story, "aegis-log-process", &it.host, it.time_millis, &own)
        })
        .collect()
}

/// What a gang's process talked to, if it did: of its URLs, its pool, its C2.
pub(super) fn peer(event: &Seen) -> Option<(String, i64)> {
    if event.image == "/usr/bin/ujuyfa5" {
        return Some(("115.159.189.241".to_owned(), 48080));
    }
    let fetches = ["curl", "wget", "busybox"].contains(&name(&event.image));
    if let Some(at) = event.cmd_line.find("http://").filter(|_| fetches) {
        let server = event.cmd_line[at + 7..].split(['/', ' ', '?', '|', ')']).next()?;
        return (!server.starts_with("169.254")).then(|| address_of(server));
    }
    let pool = ["-o ", "stratum+tcp://"].iter().find_map(|it| event.cmd_line.split(it).nth(1))?.split(' ').next()?;
    (pool.contains(':') && !pool.contains('/')).then(|| address_of(pool))
}

fn connections(story: &Story) -> Vec<(i64, String)> {
    let mut random = Random::new(31);
    let mut rows = Vec::new();
    for it in story.events.iter().filter(|it| ALIBABA.contains(&it.host.as_str())) {
        let peer = match it.gang {
            Some(_) => peer(it),
            None => (name(&it.image) == "curl" || name(&it.image) == "sendmail")
                .then(|| (format!("198.51.100.{}", random.between(200, 250)), 443)),
        };
        // The sensor takes connections from a table, now and then, and misses some.
        let Some((address, port)) = peer.filter(|_| random.permille(850)) else { continue };
        let (pid, ppid, port) = (it.pid.to_string(), it.ppid.to_string(), port.to_string());
        let from = random.between(32_768, 60_999).to_string();
        let own = [
            ("src_ip", story.address(&it.host).into()),
            ("src_port", (&from).into()),
            ("dst_ip", (&address).into()),
            ("dst_port", (&port).into()),
            ("net_connect_dir", "out".into()),
            ("connection_type", "tcp".into()),
            ("type", "connect".into()),
            ("status", "5".into()),
            ("pid", (&pid).into()),
            ("ppid", (&ppid).into()),
            ("proc_name", name(&it.image).into()),
            ("proc_path", (&it.image).into()),
            ("parent_proc_name", (&it.parent_image).into()),
            ("proc_start_time", "N/A".into()),
        ];
        rows.push(row(story, "aegis-log-network", &it.host, it.time_millis + 60, &own));
    }
    rows
}

fn logins(story: &Story) -> Vec<(i64, String)> {
    let mut rows = Vec::new();
    let mut login = |topic: &str, host: &str, time: i64, from: &str, user: &str, count: u64| {
        let count = count.to_string();
        let own = [
            ("src_ip", from.into()),
            ("dst_port", "22".into()),
            ("login_type", "SSH".into()),
            ("username", user.into()),
            ("login_count", (&count).into()),
        ];
        rows.push(row(story, topic, host, time, &own));
    };
    let mut random = Random::new(32);
    for host in ["web-02", "app-01"] {
        let entry = story.entry(LOADER, host);
        for minute in (1..=14).rev() {
            let user = ["root", "admin", "root", "oracle", "root", "test"][minute as usize % 6];
            login(
                "aegis-log-crack",
                host,
                entry - minute * 60_000,
                super::servers::GUESSER,
                user,
                random.between(9, 48),
            );
        }
        login("aegis-log-login", host, entry - 400, super::servers::GUESSER, "root", 1);
    }
    for host in ALIBABA {
        for it in story.events.iter().filter(|it| it.host == host && it.gang.is_none()) {
            if let Some(user) = it.cmd_line.strip_prefix("sshd: ").and_then(|it| it.strip_suffix(" [priv]")) {
                login("aegis-log-login", host, it.time_millis - 300, story.address("bastion-01"), user, 1);
            }
        }
        // The noise that every public address hears.
        for hour in 0..48 {
            if random.permille(300) {
                let from = format!("198.51.100.{}", random.between(2, 120));
                let time = super::START_MILLIS + hour * super::HOUR_MILLIS + random.below(3_500_000) as i64;
                login("aegis-log-crack", host, time, &from, "root", random.between(1, 5));
            }
        }
    }
    rows
}

fn requests(story: &Story) -> Vec<(i64, String)> {
    let mut rows = Vec::new();
    let host = "php-02";
    let mut request = |time: i64, from: &str, method: &str, uri: &str, status: &str, agent: &str| {
        let own = [
            ("request_method", method.into()),
            ("request_uri", uri.into()),
            ("host", "shop.example".into()),
            ("status", status.into()),
            ("http_user_agent", agent.into()),
            ("http_x_forward_for", "-".into()),
            ("referer", "-".into()),
            ("src_ip", from.into()),
            ("src_port", "41822".into()),
            ("dst_ip", story.address(host).into()),
            ("dst_port", "80".into()),
            ("response_content_type", "text/html".into()),
            ("response_content_length", "1371".into()),
        ];
        rows.push(row(story, "sas-log-http", host, time, &own));
    };
    let mut random = Random::new(33);
    let entry = story.entry(PHP, host);
    for n in 0..160 {
        let time = super::START_MILLIS + n * 1_070_000 + random.below(900_000) as i64;
        let from = format!("198.51.100.{}", random.between(2, 250));
        let uri =
            format!("/{}/{}", ["product", "cart", "search", "category"][random.below(4) as usize], random.below(900));
        request(
            time,
            &from,
            "GET",
            &uri,
            "200",
            "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0",
        );
    }
    let exploit = "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php";
    request(entry - 3_000, super::servers::WEB_ATTACKER, "GET", exploit, "200", "python-requests/2.27.1");
    request(entry - 1_000, super::servers::WEB_ATTACKER, "POST", exploit, "200", "python-requests/2.27.1");
    rows
}

/// Some of the infected hosts are named; one of them for the wrong reason.
fn alerts(story: &Story) -> Vec<(i64, String)> {
    let mut rows = Vec::new();
    let mut number = 650_226_300;
    let mut alert = |host: &str, time: i64, title: &str, level: &str, detail: &str| {
        number += 7;
        let id = number.to_string();
        let own = [
            ("data_source", "aegis_suspicious_event".into()),
            ("name", title.into()),
            ("level", level.into()),
            ("operation", "new".into()),
            ("status", "1".into()),
            ("unique_info", (&id).into()),
            ("suspicious_event_id", (&id).into()),
            ("intranet_ip", story.address(host).into()),
            ("user_id", OWNER.into()),
            ("detail", detail.into()),
        ];
        rows.push(row(story, "sas-security-log", host, time, &own));
    };
    if let Some(it) = story.of(LOADER, "app-01").find(|it| it.image == "/usr/bin/ujuyfa5") {
        alert("app-01", it.time_millis + 41_000, "异常网络连接-主机与中控通信", "serious", &named_details(it));
    }
    let script = story.value(REDIS, 0, "script");
    if let Some(it) =
        story.of(REDIS, "redis-01").find(|it| it.image.ends_with("/curl") && it.cmd_line.ends_with(script))
    {
        let detail = object(&[
            ("cmdline", (&it.cmd_line).into()),
            ("ppcmdline", (&it.parent_cmd_line).into()),
            ("URL", script.into()),
            ("pid", i64::from(it.pid).into()),
        ]);
        alert("redis-01", it.time_millis + 25_000, "异常网络连接-主动连接恶意下载源", "serious", &detail);
    }
    let bot = story.value(DOCKER, 0, "bot");
    if let Some(it) = story.of(DOCKER, "docker-01").find(|it| it.image.ends_with(bot)) {
        alert("docker-01", it.time_millis + 300_000, "恶意进程（云查杀）-挖矿程序", "serious", &named_details(it));
    }
    let detail = object(&[
        ("loginSourceIp", story.address("bastion-01").into()),
        ("loginDestinationPort", 22.into()),
        ("loginUser", "deploy".into()),
        ("protocolName", "SSH".into()),
        ("loginTimes", 1.into()),
        ("type", "login_common_account".into()),
    ]);
    let time = super::START_MILLIS + 2 * super::HOUR_MILLIS;
    alert("redis-02", time, "异常登录-ECS非常用账号登录", "suspicious", &detail);
    rows
}

/// The shape that the console's own export has: an array with Chinese names.
fn named_details(it: &Seen) -> String {
    let (pid, ppid) = (it.pid.to_string(), it.ppid.to_string());
    let peer = peer(it).map(|it| it.0).unwrap_or_default();
    let chain = format!("{ppid}:::{} &&& {pid}:::{}", it.parent_cmd_line, it.cmd_line);
    let details = [
        ("进程路径", "text", it.image.as_str()),
        ("命令行", "text", &it.cmd_line),
        ("进程ID", "text", &pid),
        ("父进程路径", "text", &it.parent_image),
        ("父进程ID", "text", &ppid),
        ("恶意IP", "text", &peer),
        ("父进程关系", "processChain", &chain),
    ];
    let items = details
        .iter()
        .filter(|it| !it.2.is_empty())
        .map(|it| object(&[("name", it.0.into()), ("type", it.1.into()), ("value", it.2.into())]));
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}
