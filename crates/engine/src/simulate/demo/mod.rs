//! nothing → the files of `fixtures/demo`, byte for byte the same each time.
//!
//! A fleet of 40 Linux and 4 Windows hosts over two days, seen by several products, a fifth of its process starts
//! missing. The two seeds' own examples are in it: the loader of `/.y/pty1`, the C2 115.159.189.241 of
//! `/usr/bin/ujuyfa5`, and the worm of `SpeechsTracing`. All else is invented. README.md and `seeds/` are written by
//! hand.

mod alibaba;
mod honeypot;
mod json;
mod network;
mod servers;
mod truth;
mod windows;

use std::cmp::Reverse;
use std::io::{self, Write};
use std::path::Path;

use super::fleet::{Host, Role};
use super::gangs::{Gang, NAMES};
use super::play::{Loss, Sink, Started};
use super::random::{Random, scatter};
use super::{Config, DAY_MILLIS, START_MILLIS, Scripts, World, ndjson, scene};

const SEED: u64 = 20_191_126;
const LOST_PERMILLE: u32 = 200;
const HOUR_MILLIS: i64 = 3_600_000;

/// Role, how many.
const FLEET: [(Role, u64); 10] = [
    (Role::Web, 8),
    (Role::Php, 6),
    (Role::App, 7),
    (Role::Database, 5),
    (Role::Redis, 5),
    (Role::Ci, 2),
    (Role::Kubernetes, 2),
    (Role::Docker, 3),
    (Role::Bastion, 1),
    (Role::Backup, 1),
];

/// Gang, wave, host, hours after the start.
const INTRUSIONS: [(&str, u64, &str, i64); 18] = [
    (LOADER, 0, "web-01", 2),
    (LOADER, 0, "web-02", 3),
    (LOADER, 0, "app-01", 5),
    (LOADER, 0, "db-01", 9),
    (LOADER, 0, "web-05", 20),
    (LOADER, 0, "bastion-01", 26),
    (REDIS, 0, "redis-01", 4),
    (REDIS, 0, "redis-02", 6),
    (REDIS, 1, "redis-03", 17),
    (REDIS, 1, "redis-04", 19),
    (REDIS, 2, "redis-05", 33),
    (PHP, 0, "php-01", 7),
    (PHP, 0, "php-02", 10),
    (PHP, 1, "php-03", 22),
    (PHP, 2, "php-05", 37),
    (DOCKER, 0, "docker-01", 8),
    (DOCKER, 1, "docker-02", 18),
    (DOCKER, 1, "ci-01", 21),
];

const LOADER: &str = "loop lantern";
const REDIS: &str = "red rake";
const PHP: &str = "phpantom";
const DOCKER: &str = "whaleback";

/// Hosts whose agent reports to Alibaba Cloud; the others write plain process logs.
const ALIBABA: [&str; 6] = ["web-02", "app-01", "php-02", "redis-01", "redis-02", "docker-01"];
/// The PHP host whose access log was kept.
const ACCESS_LOG_HOST: &str = "php-01";
/// Hosts whose sshd's own log was kept.
const AUTH_LOG_HOSTS: [&str; 2] = ["web-01", "bastion-01"];

/// A process start, kept.
struct Seen {
    id: u64,
    time_millis: i64,
    host: String,
    image: String,
    cmd_line: String,
    pid: u32,
    ppid: u32,
    parent_image: String,
    parent_cmd_line: String,
    gang: Option<u16>,
    incident: u32,
    lost: bool,
}

/// What happened in the Linux fleet.
struct Story {
    gangs: Vec<Gang>,
    hosts: Vec<(String, String)>,
    /// In time order, lost ones too.
    events: Vec<Seen>,
}

/// Every generated file: its path below the folder, and its bytes.
pub fn files() -> io::Result<Vec<(String, Vec<u8>)>> {
    let story = story().map_err(io::Error::other)?;
    let worm = windows::worm();
    let mut files = Vec::new();
    for (name, hosts) in [("fleet/rack-1", 0..14), ("fleet/rack-2", 14..27), ("fleet/rack-3", 27..40)] {
        let of_rack = story.hosts.get(hosts).unwrap_or_default();
        files.push((format!("{name}.ndjson.gz"), packed(&plain_log(&story, of_rack))?));
    }
    for (name, text) in alibaba::logs(&story) {
        files.push(if text.len() > 100_000 {
            (format!("{name}.gz"), packed(&text)?)
        } else {
            (name, text.into_bytes())
        });
    }
    files.push(("windows/sysmon.json.gz".to_owned(), packed(&worm.log)?));
    files.push(("honeypot/cowrie.json".to_owned(), honeypot::cowrie(&story).into_bytes()));
    files.push(("honeypot/http.json".to_owned(), honeypot::http(&story).into_bytes()));
    files.push(("network/eve.json".to_owned(), network::eve(&story).into_bytes()));
    files.push((format!("web/{ACCESS_LOG_HOST}.access.log.gz"), packed(&servers::access_log(&story))?));
    for host in AUTH_LOG_HOSTS {
        files.push((format!("auth/{host}.log"), servers::auth_log(&story, host).into_bytes()));
    }
    files.push(("TRUTH.json".to_owned(), truth::truth(&story, &worm).into_bytes()));
    Ok(files)
}

/// Writes the generated files below `folder`.
pub fn write(folder: &Path) -> io::Result<()> {
    for (name, bytes) in files()? {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, bytes)?;
    }
    Ok(())
}

fn story() -> Result<Story, String> {
    let mut scripts = Scripts::read(SEED)?;
    let gang_at = |name: &str, gangs: &[Gang]| gangs.iter().position(|it| it.name == name);
    let loader = gang_at(LOADER, &scripts.gangs).ok_or("no loader")?;
    as_in_the_talk(&mut scripts.gangs[loader]);
    let family = scripts.gangs[loader].family;
    let extra = scene::parse(include_str!("../scenes/demo_extra.scene"), &NAMES)?;
    scripts.families[family].scenes.extend(extra);

    let mut hosts = Vec::new();
    for (role, count) in FLEET {
        for n in 1..=count {
            let at = hosts.len() as u64;
            hosts.push(Host::with_role(at, role, format!("{}-{n:02}", role.name()), scatter(SEED + at)));
        }
    }
    let named: Vec<(String, String)> = hosts.iter().map(|it| (it.name.clone(), it.address.clone())).collect();
    let loss = Loss { permille: LOST_PERMILLE, short_lived: true };
    let config = Config { seed: SEED, events: 21_000, loss, bot_permille: 60, ..Config::default() };
    let span = 2 * DAY_MILLIS;
    let mut world = World::new(&config, &scripts, hosts, span);
    let mut random = Random::new(SEED);
    for (gang, wave, host, hours) in INTRUSIONS {
        let gang = gang_at(gang, &scripts.gangs).ok_or("no such gang")?;
        let host = named.iter().position(|it| it.0 == host).ok_or("no such host")?;
        let time = START_MILLIS + hours * HOUR_MILLIS + random.below(3_000_000) as i64;
        world.plan(gang, wave, host as u32, time);
    }
    let mut kept = Keeper(Vec::new());
    let end = START_MILLIS + span as i64;
    while let Some(Reverse((time, actor))) = world.due.pop().filter(|it| it.0.0 < end) {
        world.act(time, actor, &mut kept);
    }
    let mut events = kept.0;
    events.retain(|it| it.time_millis < end);
    events.sort_by_key(|it| it.time_millis);
    drop(world);
    Ok(Story { gangs: scripts.gangs, hosts: named, events })
}

/// The first seed's loader: where it fetched its programs, and how it named them.
fn as_in_the_talk(gang: &mut Gang) {
    const VALUES: [(&str, &str); 7] = [
        ("server", "159.89.156.190"),
        ("url", "http://159.89.156.190/.y"),
        ("binary", "http://159.89.156.190/.y/pty"),
        ("dir", "/tmp"),
        ("bot", "pty"),
        ("dropper", "loop"),
        ("c2", "115.159.189.241:48080"),
    ];
    for wave in &mut gang.waves {
        for (name, value) in VALUES {
            if let Some(at) = NAMES.iter().position(|it| *it == name) {
                value.clone_into(&mut wave[at]);
            }
        }
    }
}

struct Keeper(Vec<Seen>);

impl Sink for Keeper {
    fn started(&mut self, event: &Started<'_>) -> bool {
        self.0.push(Seen {
            id: event.id,
            time_millis: event.time_millis,
            host: event.host.to_owned(),
            image: event.image.to_owned(),
            cmd_line: event.cmd_line.to_owned(),
            pid: event.pid,
            ppid: event.ppid,
            parent_image: event.parent_image.to_owned(),
            parent_cmd_line: event.parent_cmd_line.to_owned(),
            gang: event.gang,
            incident: event.incident,
            lost: event.lost,
        });
        true
    }
}

impl Story {
    fn address(&self, host: &str) -> &str {
        self.hosts.iter().find(|it| it.0 == host).map_or("", |it| &it.1)
    }
    fn gang(&self, name: &str) -> Option<u16> {
        self.gangs.iter().position(|it| it.name == name).map(|at| at as u16)
    }
    /// A value of a gang's wave.
    fn value(&self, gang: &str, wave: u64, name: &str) -> &str {
        let gang = self.gangs.iter().find(|it| it.name == gang);
        let at = NAMES.iter().position(|it| *it == name);
        gang.zip(at).map_or("", |(gang, at)| &gang.waves[wave as usize][at])
    }
    /// The events of a gang on a host, lost ones too.
    fn of<'a>(&'a self, gang: &str, host: &'a str) -> impl Iterator<Item = &'a Seen> {
        let gang = self.gang(gang);
        self.events.iter().filter(move |it| it.gang.is_some() && it.gang == gang && it.host == host)
    }
    fn entry(&self, gang: &str, host: &str) -> i64 {
        self.of(gang, host).next().map_or(START_MILLIS, |it| it.time_millis)
    }
}

fn plain_log(story: &Story, hosts: &[(String, String)]) -> String {
    let logged =
        |it: &&Seen| !it.lost && !ALIBABA.contains(&it.host.as_str()) && hosts.iter().any(|(name, _)| *name == it.host);
    let mut out = String::new();
    for event in story.events.iter().filter(logged) {
        ndjson::push_line(&event.as_started(), &mut out);
    }
    out
}

impl Seen {
    fn as_started(&self) -> Started<'_> {
        Started {
            id: self.id,
            time_millis: self.time_millis,
            host: &self.host,
            image: &self.image,
            cmd_line: &self.cmd_line,
            pid: self.pid,
            ppid: self.ppid,
            parent_image: &self.parent_image,
            parent_cmd_line: &self.parent_cmd_line,
            gang: self.gang,
            incident: self.incident,
            wave: 0,
            one_off: false,
            scene: "",
            node: 0,
            parent: super::play::UNKNOWN,
            lost: self.lost,
        }
    }
}

fn packed(text: &str) -> io::Result<Vec<u8>> {
    // The header must hold neither time nor system.
    let builder = flate2::GzBuilder::new().mtime(0).operating_system(255);
    let mut packer = builder.write(Vec::new(), flate2::Compression::best());
    packer.write_all(text.as_bytes())?;
    packer.finish()
}

/// `2026-03-01T00:00:00.123Z`
fn rfc3339(time_millis: i64) -> String {
    let text = ringleader_model::time::Timestamp::from_millis(time_millis).to_string();
    format!("{}.{:03}Z", &text[..19], time_millis.rem_euclid(1000))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::Read;
    use std::path::PathBuf;

    use super::*;

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/demo")
    }

    /// Unpacked: which compressor is linked depends on the features that are built.
    fn content(name: &str, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        if name.ends_with(".gz") {
            flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).unwrap();
        } else {
            out.extend_from_slice(bytes);
        }
        out
    }

    #[test]
    fn the_shipped_sample_is_what_the_generator_writes() {
        let mut size = 0;
        for (name, bytes) in files().unwrap() {
            let shipped = std::fs::read(folder().join(&name)).unwrap_or_default();
            size += shipped.len();
            assert!(
                content(&name, &shipped) == content(&name, &bytes),
                "{name} differs: `cargo run --release -p ringleader-engine --example demo_sample`"
            );
        }
        assert!(size < 2_000_000, "{size} bytes");
    }

    #[test]
    fn a_fifth_of_the_process_starts_is_missing_and_short_ones_more() {
        let story = story().unwrap();
        let lost = story.events.iter().filter(|it| it.lost).count() * 1000 / story.events.len();
        assert!((170..230).contains(&lost), "{lost} in a thousand");
        assert!((20_000..40_000).contains(&story.events.len()), "{}", story.events.len());
    }

    #[test]
    fn every_intrusion_happened_and_was_seen_at_least_in_part() {
        let story = story().unwrap();
        for (gang, _, host, _) in INTRUSIONS {
            let seen = story.of(gang, host).filter(|it| !it.lost).count();
            assert!(seen >= 12, "{gang} on {host}: {seen}");
        }
        let infected: BTreeSet<&str> = INTRUSIONS.iter().map(|it| it.2).collect();
        assert_eq!(infected.len(), INTRUSIONS.len());
    }
}
