//! a network's ordinary day → records: people and services at work, administrators, a scanner, a monitor, a tool that
//! deploys, guesses from outside, alerts that are wrong. Deliberately absent: the worm.

use std::io;

use super::network::{Agent, Role};
use super::{Act, MINUTE, World, hash_of};

/// Image, command, parent.
type Program = (&'static str, &'static str, &'static str);

const WINDOWS: [Program; 12] = [
    ("C:\\Program Files\\Office\\winword.exe", "winword.exe /n report.docx", "C:\\Windows\\explorer.exe"),
    ("C:\\Program Files\\Browser\\browser.exe", "browser.exe --tab", "C:\\Windows\\explorer.exe"),
    ("C:\\Windows\\System32\\taskhostw.exe", "taskhostw.exe", "C:\\Windows\\System32\\svchost.exe"),
    ("C:\\Windows\\System32\\svchost.exe", "svchost.exe -k netsvcs -p", "C:\\Windows\\System32\\services.exe"),
    ("C:\\Windows\\System32\\conhost.exe", "conhost.exe 0x4", "C:\\Windows\\System32\\cmd.exe"),
    ("C:\\Windows\\System32\\backgroundTaskHost.exe", "backgroundTaskHost.exe", "C:\\Windows\\System32\\svchost.exe"),
    ("C:\\Windows\\System32\\cmd.exe", "cmd.exe /c logon.bat", "C:\\Windows\\System32\\userinit.exe"),
    ("C:\\Program Files\\Backup\\agent.exe", "agent.exe --incremental", "C:\\Windows\\System32\\services.exe"),
    (
        "C:\\Windows\\System32\\SearchProtocolHost.exe",
        "SearchProtocolHost.exe",
        "C:\\Windows\\System32\\SearchIndexer.exe",
    ),
    ("C:\\Users\\amy\\AppData\\Local\\Chat\\chat.exe", "chat.exe --hidden", "C:\\Windows\\explorer.exe"),
    (
        "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe",
        "powershell.exe -File C:\\ops\\inventory.ps1",
        "C:\\Windows\\System32\\svchost.exe",
    ),
    ("C:\\Windows\\System32\\wbem\\WmiPrvSE.exe", "wmiprvse.exe -secured", "C:\\Windows\\System32\\svchost.exe"),
];

const LINUX: [Program; 12] = [
    ("/usr/sbin/logrotate", "/usr/sbin/logrotate /etc/logrotate.conf", "/usr/sbin/cron"),
    ("/usr/bin/python3", "python3 /srv/app/worker.py", "/usr/lib/systemd/systemd"),
    ("/bin/sh", "/bin/sh -c run-parts /etc/cron.hourly", "/usr/sbin/cron"),
    ("/usr/bin/apt-get", "apt-get -qq update", "/usr/bin/apt"),
    ("/usr/bin/df", "df -P", "/usr/bin/telegraf"),
    ("/usr/bin/curl", "curl -s http://127.0.0.1:8080/health", "/bin/sh"),
    ("/usr/bin/node", "node /srv/app/server.js", "/usr/lib/systemd/systemd"),
    ("/usr/bin/git", "git fetch --prune", "/usr/bin/jenkins"),
    ("/usr/bin/find", "find /var/log -mtime +14", "/usr/sbin/cron"),
    ("/opt/metrics/collect", "/opt/metrics/collect --once", "/usr/lib/systemd/systemd"),
    ("/usr/bin/tar", "tar czf /backup/day.tgz /etc", "/bin/sh"),
    ("/usr/bin/psql", "psql -c analyze", "/bin/sh"),
];

/// Ports that a vulnerability scanner asks for.
const ASKED: [u16; 8] = [22, 80, 135, 443, 445, 3306, 3389, 6379];

impl World<'_> {
    pub(super) fn work(&mut self, time: i64, at: u32) -> io::Result<()> {
        let wait = self.network.hosts[at as usize].random.wait(self.wait) as i64 + 1;
        self.later(time + wait, Act::Work(at));
        let host = &mut self.network.hosts[at as usize];
        let programs = if host.windows { &WINDOWS } else { &LINUX };
        let (image, command, parent) = programs[host.random.below(12) as usize];
        let ppid = 400 + 4 * host.random.below(100) as u32;
        let user = if host.windows { "CORP\\amy" } else { "root" };
        let hash =
            if matches!(host.agent, Agent::Sysmon | Agent::LinuxSysmon) { hash_of(image, 0) } else { String::new() };
        self.run(time, at, image, command, parent, ppid, user, &hash, None)?;
        for n in 0..self.config.flows_per_process {
            let host = &mut self.network.hosts[at as usize];
            let when = time + host.random.below(20_000) as i64 + n as i64;
            let uses = host.uses.len() as u64;
            let bytes = (200 + host.random.below(4_000), 300 + host.random.below(90_000));
            let windows = host.windows;
            if uses > 0 && host.random.permille(700) {
                let (to, port) = host.uses[host.random.below(uses) as usize];
                let by = if windows { "System" } else { image };
                self.call(when, at, to, port, "SF", bytes, by, None)?;
                // Shares are logged on to, now and then.
                let host = &mut self.network.hosts[at as usize];
                if port == 445 && host.random.permille(250) {
                    let src = host.address.clone();
                    let user = format!("user{}", at % 500);
                    let ok = host.random.permille(970);
                    let server = &mut self.network.hosts[to as usize];
                    self.logs.logon(when + 40, to, server, &src, &user, "3", ok, None)?;
                } else if port == 22 {
                    let src = host.address.clone();
                    let server = &mut self.network.hosts[to as usize];
                    self.logs.logon(when + 40, to, server, &src, "deploy", "publickey", true, None)?;
                }
            } else {
                let n = host.random.below(60);
                let by = if windows { "C:\\Program Files\\Browser\\browser.exe" } else { image };
                self.outside(when, at, &format!("192.0.2.{}", 1 + n), 443, false, "SF", bytes, by)?;
            }
        }
        Ok(())
    }

    /// A scanner asks one host for every service, and tries a password where it finds a logon.
    pub(super) fn sweep(&mut self, time: i64, at: u32, n: u32) -> io::Result<()> {
        let hosts = self.network.hosts.len() as u32;
        if n >= hosts.min(1_500) {
            self.later(time + 90 * MINUTE, Act::Sweep(at, 0));
            return Ok(());
        }
        let to = (n * 7 + at) % hosts;
        if to != at {
            let src = self.network.hosts[at as usize].address.clone();
            for (k, port) in ASKED.iter().enumerate() {
                let when = time + k as i64 * 60;
                let open = self.network.hosts[to as usize].open.contains(port);
                let bytes =
                    if open { (400 + self.random.below(3_000), 500 + self.random.below(5_000)) } else { (0, 0) };
                let state = if open { "SF" } else { "REJ" };
                self.call(when, at, to, *port, state, bytes, "/opt/scan/bin/scand", None)?;
                if open && (*port == 22 || *port == 445) && self.random.permille(300) {
                    let kind = if *port == 22 { "password" } else { "3" };
                    let host = &mut self.network.hosts[to as usize];
                    self.logs.logon(when + 20, to, host, &src, "scan", kind, false, None)?;
                }
            }
        }
        let wait = 300 + self.random.below(2_000) as i64;
        self.later(time + wait, Act::Sweep(at, n + 1));
        Ok(())
    }

    pub(super) fn poll(&mut self, time: i64, at: u32, n: u32) -> io::Result<()> {
        let hosts = self.network.hosts.len() as u32;
        // It knows a part of the hosts, always the same.
        let to = n % hosts.min(300);
        if to != at {
            let host = &self.network.hosts[to as usize];
            let port = if host.windows { 135 } else { 22 };
            let (state, bytes) = if host.open.contains(&port) { ("SF", (60, 90)) } else { ("REJ", (0, 0)) };
            self.call(time, at, to, port, state, bytes, "/usr/bin/check_host", None)?;
        }
        self.later(time + 300_000 / i64::from(hosts.min(300)), Act::Poll(at, n + 1));
        Ok(())
    }

    /// An administrator logs on to a host by the means of its system, and looks around.
    pub(super) fn visit(&mut self, time: i64, at: u32) -> io::Result<()> {
        let hosts = self.network.hosts.len() as u64;
        let to = self.random.below(hosts) as u32;
        if to != at {
            let src = self.network.hosts[at as usize].address.clone();
            let windows = self.network.hosts[to as usize].windows;
            let by =
                if self.network.hosts[at as usize].windows { "C:\\Windows\\System32\\mmc.exe" } else { "/usr/bin/ssh" };
            let port = if windows { if self.random.permille(500) { 445 } else { 3389 } } else { 22 };
            if self.network.hosts[to as usize].open.contains(&port) {
                self.call(time, at, to, port, "SF", (9_000, 60_000), by, None)?;
                let kind = match port {
                    22 => "publickey",
                    445 => "3",
                    _ => "10",
                };
                let host = &mut self.network.hosts[to as usize];
                self.logs.logon(time + 300, to, host, &src, "admin-li", kind, true, None)?;
                if windows && port == 445 && self.random.permille(400) {
                    let host = &self.network.hosts[to as usize];
                    self.logs.service(time + 700, to, host, "RemoteTools", "C:\\Windows\\RemoteTools.exe", None)?;
                    let image = "C:\\Windows\\RemoteTools.exe";
                    let hash = hash_of(image, 0);
                    self.run(
                        time + 900,
                        to,
                        image,
                        image,
                        "C:\\Windows\\System32\\services.exe",
                        640,
                        "SYSTEM",
                        &hash,
                        None,
                    )?;
                } else if !windows {
                    self.run(time + 900, to, "/bin/bash", "-bash", "/usr/sbin/sshd", 810, "admin-li", "", None)?;
                    self.run(time + 5_000, to, "/usr/bin/top", "top -b -n 1", "/bin/bash", 811, "admin-li", "", None)?;
                }
            }
        }
        let wait = self.random.wait(12 * MINUTE as u64) as i64 + 1_000;
        self.later(time + wait, Act::Visit(at));
        Ok(())
    }

    /// The same piece of software goes to every third host.
    pub(super) fn deploy(&mut self, time: i64, at: u32, n: u32) -> io::Result<()> {
        let hosts = self.network.hosts.len() as u32;
        if n >= hosts.min(600) {
            return Ok(());
        }
        let to = n;
        let windows = self.network.hosts[to as usize].windows;
        let port = if windows { 445 } else { 22 };
        if to != at && self.network.hosts[to as usize].open.contains(&port) {
            let src = self.network.hosts[at as usize].address.clone();
            let by = "/usr/bin/python3";
            self.call(time, at, to, port, "SF", (220_000, 8_000), by, None)?;
            let kind = if windows { "3" } else { "publickey" };
            let host = &mut self.network.hosts[to as usize];
            self.logs.logon(time + 100, to, host, &src, "deploy", kind, true, None)?;
            let (image, parent) = if windows {
                ("C:\\Deploy\\cache\\update-7.exe", "C:\\Deploy\\service.exe")
            } else {
                ("/opt/deploy/update-7", "/usr/sbin/sshd")
            };
            let hash = hash_of(image, 0);
            self.run(time + 1_000, to, image, image, parent, 700, "deploy", &hash, None)?;
        }
        let wait = 900 + self.random.below(1_500) as i64;
        self.later(time + wait, Act::Deploy(at, n + 3));
        Ok(())
    }

    /// Somebody outside tries passwords on what stands at the border, all day, and gets nowhere.
    pub(super) fn noise(&mut self, time: i64) -> io::Result<()> {
        let border: Vec<u32> = (0u32..)
            .zip(&self.network.hosts)
            .filter(|it| it.1.role == Role::Web && it.0 % 5 == 0)
            .map(|it| it.0)
            .collect();
        if !border.is_empty() {
            let at = border[self.random.below(border.len() as u64) as usize];
            let source = format!("203.0.113.{}", 1 + self.random.below(250));
            if !self.network.hosts[at as usize].windows {
                for n in 0..3 + self.random.below(9) {
                    let when = time + n as i64 * 2_000;
                    self.outside(when, at, &source, 22, true, "SF", (2_100, 2_900), "/usr/sbin/sshd")?;
                    let host = &mut self.network.hosts[at as usize];
                    self.logs.logon(when + 400, at, host, &source, "test", "password", false, None)?;
                }
            }
        }
        let wait = self.random.wait(6 * MINUTE as u64) as i64 + 1_000;
        self.later(time + wait, Act::Noise);
        Ok(())
    }

    pub(super) fn false_alarm(&mut self, time: i64) -> io::Result<()> {
        let hosts = self.network.hosts.len() as u64;
        let at = self.random.below(hosts) as u32;
        if self.truth.hosts[at as usize].taken.is_some() {
            return Ok(());
        }
        self.truth.hosts[at as usize].alerted = true;
        let windows = self.network.hosts[at as usize].windows;
        let (title, path) = match (self.random.below(3), windows) {
            (0, _) => ("Unusual logon time", ""),
            (1, true) => ("Potentially unwanted program", "C:\\Users\\amy\\AppData\\Local\\Chat\\chat.exe"),
            (1, false) => ("Potentially unwanted program", "/opt/metrics/collect"),
            (_, _) => ("Account locked out", ""),
        };
        let host = &self.network.hosts[at as usize];
        self.logs.alert(time, Some(host), title, path, "", None, None)
    }
}
