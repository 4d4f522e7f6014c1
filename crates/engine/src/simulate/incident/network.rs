//! seed → the hosts of one network: addresses, roles, what listens where, who logs, whose clock is off.
//! Deliberately absent: what happens on it.

use super::super::random::{Random, scatter};
use super::Config;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Desktop,
    Files,
    Directory,
    Web,
    Database,
    Cache,
    Build,
    /// An administrator's, from where others are logged on to.
    Jump,
    /// Asks every host for every service, now and then.
    Scanner,
    /// Asks every host whether it is there, all day.
    Monitor,
}

impl Role {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Desktop => "workstation",
            Self::Files => "file server",
            Self::Directory => "domain controller",
            Self::Web => "web server",
            Self::Database => "database",
            Self::Cache => "cache",
            Self::Build => "build server",
            Self::Jump => "operations",
            Self::Scanner => "security",
            Self::Monitor => "monitoring",
        }
    }
}

/// What logs on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Agent {
    /// Windows with Sysmon beside the Security log.
    Sysmon,
    /// The Security log alone.
    Security,
    /// Sysmon for Linux.
    LinuxSysmon,
    /// A plain process log.
    Plain,
}

#[derive(Debug, Clone)]
pub(super) struct Host {
    pub address: String,
    pub name: String,
    pub windows: bool,
    pub role: Role,
    pub agent: Agent,
    /// No log of its own reaches anybody.
    pub silent: bool,
    /// How far its clock is ahead, milliseconds.
    pub ahead: i64,
    pub subnet: usize,
    pub open: Vec<u16>,
    /// What the worm tries works here.
    pub weak: bool,
    /// In the asset list.
    pub listed: bool,
    /// Those whose services it uses: host and port.
    pub uses: Vec<(u32, u16)>,
    pub random: Random,
    pub pid: u32,
}

impl Host {
    pub(super) fn next_pid(&mut self) -> u32 {
        self.pid = if self.pid > 60_000 { 900 } else { self.pid + 4 * (1 + self.random.below(9) as u32) };
        self.pid
    }
    pub(super) fn source_port(&mut self) -> u16 {
        let (low, high) = if self.windows { (49_152, 65_500) } else { (32_768, 60_990) };
        self.random.between(low, high) as u16
    }
}

/// Hosts of one subnet; the rest of its addresses is unused.
const IN_SUBNET: usize = 120;

#[derive(Debug)]
pub(super) struct Network {
    pub hosts: Vec<Host>,
    /// First host and number of hosts of each subnet.
    pub subnets: Vec<(u32, u32)>,
    /// Subnets whose traffic no sensor sees.
    pub blind: Vec<bool>,
}

impl Network {
    pub(super) fn new(config: &Config) -> Self {
        let mut random = Random::new(config.seed ^ 0x1e7_0a11);
        let n = config.hosts as usize;
        let mut subnets = Vec::new();
        let mut hosts: Vec<Host> = Vec::with_capacity(n);
        while hosts.len() < n {
            let size = (IN_SUBNET.min(n - hosts.len())) as u32;
            let subnet = subnets.len();
            subnets.push((hosts.len() as u32, size));
            // A few networks speak IPv6 among themselves.
            let six = n > IN_SUBNET && random.permille(80);
            for at in 0..size {
                hosts.push(host(config, &mut random, subnet, at as usize, six, hosts.len()));
            }
        }
        let blind = if subnets.len() < 4 {
            vec![false; subnets.len()]
        } else {
            subnets.iter().map(|_| random.permille(config.missing_permille / 2)).collect()
        };
        let mut it = Self { hosts, subnets, blind };
        it.services(&mut random);
        it
    }

    /// Who uses whose services, always.
    fn services(&mut self, random: &mut Random) {
        let of = |role: Role| -> Vec<u32> {
            (0u32..).zip(&self.hosts).filter(|it| it.1.role == role).map(|it| it.0).collect()
        };
        let (files, directory) = (of(Role::Files), of(Role::Directory));
        let (caches, databases, web) = (of(Role::Cache), of(Role::Database), of(Role::Web));
        let pick = |random: &mut Random, from: &[u32]| {
            (!from.is_empty()).then(|| from[random.below(from.len() as u64) as usize])
        };
        for at in 0..self.hosts.len() {
            let mut uses = Vec::new();
            let windows = self.hosts[at].windows;
            if windows {
                for _ in 0..2 {
                    uses.extend(pick(random, &files).map(|it| (it, 445)));
                }
                uses.extend(pick(random, &directory).map(|it| (it, 445)));
                uses.extend(pick(random, &directory).map(|it| (it, 389)));
            }
            if matches!(self.hosts[at].role, Role::Web | Role::Build | Role::Cache) {
                uses.extend(pick(random, &caches).map(|it| (it, 6379)));
                uses.extend(pick(random, &databases).map(|it| (it, 3306)));
            }
            if self.hosts[at].role == Role::Build {
                for _ in 0..3 {
                    uses.extend(pick(random, &web).map(|it| (it, 22)));
                }
            }
            uses.extend(pick(random, &web).map(|it| (it, 443)));
            uses.retain(|it| it.0 as usize != at && self.hosts[it.0 as usize].open.contains(&it.1));
            self.hosts[at].uses = uses;
        }
    }

    /// An address that nobody has, of a subnet.
    pub(super) fn unused(&self, subnet: usize, n: u64) -> String {
        let (first, size) = self.subnets[subnet];
        let six = self.hosts[first as usize].address.contains(':');
        address(subnet, size as usize + (n as usize % 100), six)
    }
}

fn address(subnet: usize, at: usize, six: bool) -> String {
    if six {
        format!("fd00:{:x}::{:x}", subnet + 1, at + 16)
    } else {
        format!("10.{}.{}.{}", 20 + subnet / 200, subnet % 200, at + 5)
    }
}

fn host(config: &Config, random: &mut Random, subnet: usize, at: usize, six: bool, number: usize) -> Host {
    let windows_permille = if config.worm == super::Worm::Smb { 750 } else { 250 };
    let drawn = random.below(1000);
    let windows = random.permille(windows_permille);
    let role = match (number, windows, drawn) {
        // Every network has these.
        (1, ..) => Role::Jump,
        (3, ..) => Role::Scanner,
        (5, ..) => Role::Monitor,
        (7, ..) => Role::Files,
        (9, ..) => Role::Directory,
        (_, true, ..40) => Role::Files,
        (_, true, ..60) => Role::Directory,
        (_, false, ..300) => Role::Cache,
        (_, false, ..450) => Role::Database,
        (_, false, ..500) => Role::Build,
        (_, _, 500..504) => Role::Jump,
        (_, false, _) => Role::Web,
        _ => Role::Desktop,
    };
    let windows = match role {
        Role::Files | Role::Directory => true,
        Role::Scanner | Role::Monitor => false,
        _ => windows,
    };
    let mut open = if windows { vec![445, 135, 3389] } else { vec![22] };
    match role {
        Role::Desktop if random.permille(200) => open.clear(),
        Role::Web => open.extend([80, 443]),
        Role::Database => open.push(3306),
        Role::Cache => open.push(6379),
        Role::Directory => open.extend([389, 88]),
        _ => {}
    }
    // Caches that nobody meant to open to others.
    if !windows && role != Role::Cache && config.worm == super::Worm::Redis && random.permille(350) {
        open.push(6379);
    }
    let agent = match (windows, random.below(10)) {
        (true, ..6) => Agent::Sysmon,
        (true, _) => Agent::Security,
        (false, ..5) => Agent::LinuxSysmon,
        _ => Agent::Plain,
    };
    let talks = matches!(agent, Agent::Sysmon | Agent::LinuxSysmon);
    let word = ["amber", "birch", "cedar", "delta", "ember", "fjord"][random.below(6) as usize];
    let kind = match role {
        Role::Desktop => "pc",
        Role::Files => "fs",
        Role::Directory => "dc",
        Role::Web => "web",
        Role::Database => "db",
        Role::Cache => "kv",
        Role::Build => "ci",
        Role::Jump => "ops",
        Role::Scanner => "sec",
        Role::Monitor => "mon",
    };
    let skewed = config.skew_secs > 0 && random.permille(300);
    let ahead = random.below(u64::from(config.skew_secs) * 2000 + 1) as i64 - i64::from(config.skew_secs) * 1000;
    Host {
        address: address(subnet, at, six),
        name: format!("{kind}-{word}-{number}"),
        windows,
        role,
        agent,
        silent: random.permille(config.missing_permille / 2),
        ahead: if skewed { ahead } else { ahead % 800 },
        subnet,
        open,
        weak: random.permille(config.weak_permille),
        listed: !(talks && random.permille(100)),
        uses: Vec::new(),
        random: Random::new(config.seed ^ scatter(number as u64 + 1)),
        pid: 1000 + 4 * random.below(9000) as u32,
    }
}
