//! a number of hosts → the fleet: what each is for, which services it runs and with which pids.

use super::faults::{Sensor, drawn};
use super::random::{Random, scatter};
use super::template::push_address;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Web,
    Php,
    App,
    Database,
    Redis,
    Ci,
    Kubernetes,
    Docker,
    Bastion,
    Backup,
}

/// Role, its name, its share of a fleet in hundredths, the services it runs.
const ROLES: &[(Role, &str, u64, &[Context])] = &[
    (Role::Web, "web", 20, &[Context::Nginx]),
    (Role::Php, "php", 12, &[Context::Nginx, Context::Php]),
    (Role::App, "app", 18, &[Context::Java]),
    (Role::Database, "db", 10, &[Context::Mysql, Context::Postgres]),
    (Role::Redis, "redis", 8, &[Context::Redis]),
    (Role::Ci, "ci", 8, &[Context::Runner, Context::Dockerd, Context::Containerd]),
    (Role::Kubernetes, "k8s", 12, &[Context::Containerd, Context::Kubelet]),
    (Role::Docker, "docker", 6, &[Context::Dockerd, Context::Containerd]),
    (Role::Bastion, "bastion", 3, &[]),
    (Role::Backup, "backup", 3, &[]),
];

/// What activities hang from: long-lived processes, most of them started before the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    Init,
    Cron,
    Sshd,
    Monitor,
    Nginx,
    Php,
    Java,
    Mysql,
    Postgres,
    Redis,
    Runner,
    Dockerd,
    Containerd,
    Kubelet,
    /// What the incident's `=keep` process left running.
    Kept,
}

const CONTEXTS: usize = 15;

/// Context, its name, its program, its command line.
const PROGRAMS: [(Context, &str, &str, &str); CONTEXTS] = [
    (Context::Init, "init", "/usr/lib/systemd/systemd", "/usr/lib/systemd/systemd --switched-root --system"),
    (Context::Cron, "cron", "/usr/sbin/crond", "/usr/sbin/crond -n"),
    (Context::Sshd, "sshd", "/usr/sbin/sshd", "/usr/sbin/sshd -D"),
    (
        Context::Monitor,
        "monitor",
        "/usr/sbin/zabbix_agentd",
        "/usr/sbin/zabbix_agentd -c /etc/zabbix/zabbix_agentd.conf",
    ),
    (Context::Nginx, "nginx", "/usr/sbin/nginx", "nginx: master process /usr/sbin/nginx -c /etc/nginx/nginx.conf"),
    (Context::Php, "php", "/usr/sbin/php-fpm7.4", "php-fpm: pool www"),
    (
        Context::Java,
        "java",
        "/usr/lib/jvm/java-8-openjdk/bin/java",
        "/usr/lib/jvm/java-8-openjdk/bin/java -Xms2g -Xmx2g -Djava.awt.headless=true -jar /opt/app/app.jar",
    ),
    (Context::Mysql, "mysql", "/usr/sbin/mysqld", "/usr/sbin/mysqld --basedir=/usr --datadir=/var/lib/mysql"),
    (
        Context::Postgres,
        "postgres",
        "/usr/lib/postgresql/13/bin/postgres",
        "/usr/lib/postgresql/13/bin/postgres -D /var/lib/postgresql/13/main",
    ),
    (Context::Redis, "redis", "/usr/bin/redis-server", "/usr/bin/redis-server 0.0.0.0:6379"),
    (
        Context::Runner,
        "runner",
        "/usr/bin/gitlab-runner",
        "/usr/bin/gitlab-runner run --working-directory /home/gitlab-runner",
    ),
    (
        Context::Dockerd,
        "dockerd",
        "/usr/bin/dockerd",
        "/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock",
    ),
    (Context::Containerd, "containerd", "/usr/bin/containerd", "/usr/bin/containerd"),
    (Context::Kubelet, "kubelet", "/usr/bin/kubelet", "/usr/bin/kubelet --config=/var/lib/kubelet/config.yaml"),
    (Context::Kept, "kept", "", ""),
];

impl Context {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        PROGRAMS.iter().find(|it| it.1 == name).map(|it| it.0)
    }
    pub(super) fn image(self) -> &'static str {
        PROGRAMS[self as usize].2
    }
    pub(super) fn cmd_line(self) -> &'static str {
        PROGRAMS[self as usize].3
    }
}

impl Role {
    pub(super) const COUNT: usize = ROLES.len();

    pub(super) fn nth(n: usize) -> Self {
        ROLES[n].0
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        ROLES.iter().find(|it| it.1 == name).map(|it| it.0)
    }
    pub(super) fn name(self) -> &'static str {
        ROLES[self as usize].1
    }
    fn drawn(random: &mut Random) -> Self {
        let mut left = random.below(ROLES.iter().map(|it| it.2).sum());
        for (role, _, share, _) in ROLES {
            match left.checked_sub(*share) {
                Some(rest) => left = rest,
                None => return *role,
            }
        }
        Role::Web
    }
}

/// A process that something may still be started from.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Live {
    /// 0: not running.
    pub(super) pid: u32,
    /// Its start, unless that was before the log or was lost.
    pub(super) event: Option<u64>,
    pub(super) lost: bool,
}

const SMALL_PIDS: u32 = 4096;

#[derive(Debug)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) role: Role,
    pub(super) seed: u64,
    pub(super) random: Random,
    /// Counts reboots, so that an incident learns that its processes are gone.
    pub(super) boots: u32,
    last_pid: u32,
    max_pid: u32,
    /// How many pids threads take for each process.
    threads: u64,
    services: [Live; CONTEXTS],
    kept: Vec<u32>,
    pub(super) sensor: Sensor,
}

impl Host {
    pub(super) fn new(n: u64, seed: u64) -> Self {
        let seed = scatter(seed ^ scatter(n + 1));
        let mut random = Random::new(seed);
        let role = Role::drawn(&mut random);
        Self::with_role(n, role, format!("{}-{n:04}", role.name()), seed)
    }

    pub(super) fn with_role(n: u64, role: Role, name: String, seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x5eed);
        let mut address = String::new();
        push_address(n, &mut address);
        // Large machines are often configured with the largest pid space.
        let large = matches!(role, Role::Ci | Role::Kubernetes) || random.permille(100);
        let max_pid = if large { 4_194_304 } else { 32_768 };
        let mut host = Self {
            name,
            address,
            role,
            seed,
            boots: 0,
            last_pid: random.between(400, u64::from(max_pid) - 1) as u32,
            max_pid,
            threads: random.between(1, 9),
            services: Default::default(),
            kept: Vec::new(),
            sensor: Sensor::default(),
            random,
        };
        host.services[Context::Init as usize].pid = 1;
        for context in host.contexts() {
            let pid = host.random.between(300, 3000) as u32;
            host.services[context as usize] = Live { pid: host.free(pid), ..Live::default() };
        }
        host
    }

    /// At that chance, gives the host so few pids that they come round several times a day.
    pub(super) fn narrow_pids(&mut self, permille: u32) {
        if drawn(self.seed, 0, 0x91d5, 1000) < u64::from(permille) {
            self.max_pid = SMALL_PIDS;
            self.last_pid %= SMALL_PIDS;
        }
    }

    /// The services of this host, init aside, in the order in which they start.
    pub(super) fn contexts(&self) -> Vec<Context> {
        let common = [Context::Sshd, Context::Cron, Context::Monitor];
        common.iter().chain(ROLES[self.role as usize].3).copied().collect()
    }

    pub(super) fn service(&self, context: Context) -> Option<Live> {
        let live = self.services[context as usize];
        (live.pid != 0).then_some(live)
    }

    pub(super) fn set_service(&mut self, context: Context, live: Live) {
        self.services[context as usize] = live;
    }

    /// Keeps a pid from being given out again.
    pub(super) fn keep(&mut self, pid: u32) {
        self.kept.push(pid);
    }

    pub(super) fn release(&mut self, pid: u32) {
        self.kept.retain(|it| *it != pid);
    }

    pub(super) fn fork(&mut self) -> u32 {
        let step = 1 + self.random.below(self.threads) as u32;
        self.last_pid += step;
        if self.last_pid > self.max_pid {
            // The kernel keeps the first 300 for what starts at boot.
            self.last_pid = 300 + self.random.below(8) as u32;
        }
        self.last_pid = self.free(self.last_pid);
        self.last_pid
    }

    fn free(&self, mut pid: u32) -> u32 {
        while self.services.iter().any(|it| it.pid == pid) || self.kept.contains(&pid) {
            pid += 1;
        }
        pid
    }

    /// Everything ends; pids start over.
    pub(super) fn reboot(&mut self) {
        self.boots += 1;
        self.kept.clear();
        self.services = Default::default();
        self.services[Context::Init as usize].pid = 1;
        self.last_pid = 300;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn tables_stand_in_the_order_of_their_enums() {
        for (index, it) in PROGRAMS.iter().enumerate() {
            assert_eq!(it.0 as usize, index);
        }
        for (index, it) in ROLES.iter().enumerate() {
            assert_eq!(it.0 as usize, index);
        }
    }

    #[test]
    fn pids_wrap_and_spare_what_is_still_running() {
        let mut host = Host::with_role(1, Role::Web, "web-1".to_owned(), 9);
        host.max_pid = 32_768;
        host.keep(500);
        let services: BTreeSet<u32> =
            host.contexts().into_iter().filter_map(|it| host.service(it)).map(|it| it.pid).collect();
        let pids: Vec<u32> = (0..100_000).map(|_| host.fork()).collect();
        assert!(pids.windows(2).any(|it| it[1] < it[0]), "no wrap");
        assert!(pids.iter().all(|it| *it <= 32_770 && *it != 500 && !services.contains(it)));
    }

    #[test]
    fn every_role_occurs_in_a_fleet() {
        let roles: BTreeSet<&str> = (0..400).map(|n| Host::new(n, 1).role.name()).collect();
        assert_eq!(roles.len(), Role::COUNT);
    }
}
