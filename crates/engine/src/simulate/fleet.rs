//! a number of hosts → the fleet: what each is for, which services it runs and with which pids.

use super::faults::{Sensor, drawn};
use super::play::Status;
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
    Desktop,
    Iis,
    Sql,
    WindowsApp,
    Build,
    Domain,
}

/// Role, its name, its share of a system's hosts in hundredths, the services it runs. Windows begins with the desktops.
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
    (Role::Desktop, "pc", 44, &[Context::Spooler, Context::Explorer]),
    (Role::Iis, "iis", 15, &[Context::Spooler, Context::Iis]),
    (Role::Sql, "sql", 13, &[Context::Spooler, Context::Mssql]),
    (Role::WindowsApp, "winapp", 14, &[Context::Spooler, Context::Tomcat]),
    (Role::Build, "build", 6, &[Context::Jenkins]),
    (Role::Domain, "dc", 8, &[]),
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
    Wininit,
    Services,
    Schedule,
    Wmi,
    Agent,
    Spooler,
    Explorer,
    Iis,
    Mssql,
    Tomcat,
    Jenkins,
}

const CONTEXTS: usize = 26;

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
    (Context::Wininit, "wininit", r"C:\Windows\System32\wininit.exe", "wininit.exe"),
    (Context::Services, "services", r"C:\Windows\System32\services.exe", r"C:\Windows\system32\services.exe"),
    (
        Context::Schedule,
        "schedule",
        r"C:\Windows\System32\svchost.exe",
        r"C:\Windows\system32\svchost.exe -k netsvcs -p -s Schedule",
    ),
    (
        Context::Wmi,
        "wmi",
        r"C:\Windows\System32\wbem\WmiPrvSE.exe",
        r"C:\Windows\system32\wbem\wmiprvse.exe -secured -Embedding",
    ),
    (Context::Agent, "agent", r"C:\Windows\CCM\CcmExec.exe", r"C:\Windows\CCM\CcmExec.exe"),
    (Context::Spooler, "spooler", r"C:\Windows\System32\spoolsv.exe", r"C:\Windows\System32\spoolsv.exe"),
    (Context::Explorer, "explorer", r"C:\Windows\explorer.exe", r"C:\Windows\Explorer.EXE"),
    (
        Context::Iis,
        "iis",
        r"C:\Windows\System32\inetsrv\w3wp.exe",
        r#"c:\windows\system32\inetsrv\w3wp.exe -ap "DefaultAppPool" -v "v4.0" -l "webengine4.dll""#,
    ),
    (
        Context::Mssql,
        "mssql",
        r"C:\Program Files\Microsoft SQL Server\MSSQL14.MSSQLSERVER\MSSQL\Binn\sqlservr.exe",
        r#""C:\Program Files\Microsoft SQL Server\MSSQL14.MSSQLSERVER\MSSQL\Binn\sqlservr.exe" -sMSSQLSERVER"#,
    ),
    (
        Context::Tomcat,
        "tomcat",
        r"C:\Program Files\Apache Software Foundation\Tomcat 8.5\bin\Tomcat8.exe",
        r#""C:\Program Files\Apache Software Foundation\Tomcat 8.5\bin\Tomcat8.exe" //RS//Tomcat8"#,
    ),
    (
        Context::Jenkins,
        "jenkins",
        r"C:\Program Files\Java\jre1.8.0_291\bin\java.exe",
        r#""C:\Program Files\Java\jre1.8.0_291\bin\java.exe" -Xrs -jar "C:\jenkins\agent.jar""#,
    ),
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
    pub(super) fn is_windows(self) -> bool {
        self as usize >= Self::Desktop as usize
    }
    fn drawn(windows: bool, random: &mut Random) -> Self {
        let roles = || ROLES.iter().filter(|it| it.0.is_windows() == windows);
        let mut left = random.below(roles().map(|it| it.2).sum());
        for (role, _, share, _) in roles() {
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

impl Live {
    /// As its children's parent.
    pub(super) fn status(self) -> Status {
        match (self.event, self.lost) {
            (None, _) => Status::BeforeLog,
            (_, true) => Status::Missing,
            _ => Status::Observed,
        }
    }
}

const SMALL_PIDS: u32 = 4096;
const WINDOWS_PIDS: u32 = 8192;

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
    pub(super) fn new(n: u64, seed: u64, windows_permille: u32) -> Self {
        let windows = drawn(seed, n, 0x3195, 1000) < u64::from(windows_permille);
        let seed = scatter(seed ^ scatter(n + 1));
        let mut random = Random::new(seed);
        let role = Role::drawn(windows, &mut random);
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
        host.services[host.root() as usize].pid = host.root_pid();
        for context in host.contexts() {
            let pid = host.random.between(300, 3000) as u32 * host.pid_step();
            host.services[context as usize] = Live { pid: host.free(pid), ..Live::default() };
        }
        host
    }

    /// At that chance, gives the host so few pids that they come round several times a day.
    pub(super) fn narrow_pids(&mut self, permille: u32) {
        if !self.role.is_windows() && drawn(self.seed, 0, 0x91d5, 1000) < u64::from(permille) {
            self.max_pid = SMALL_PIDS;
            self.last_pid %= SMALL_PIDS;
        }
    }

    /// The services of this host, init aside, in the order in which they start.
    pub(super) fn contexts(&self) -> Vec<Context> {
        const LINUX: &[Context] = &[Context::Sshd, Context::Cron, Context::Monitor];
        const WINDOWS: &[Context] = &[Context::Services, Context::Schedule, Context::Wmi, Context::Agent];
        let common = if self.role.is_windows() { WINDOWS } else { LINUX };
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

    /// What was there first.
    fn root(&self) -> Context {
        if self.role.is_windows() { Context::Wininit } else { Context::Init }
    }

    fn root_pid(&self) -> u32 {
        if self.role.is_windows() { 580 } else { 1 }
    }

    /// What starts a service.
    pub(super) fn starter(&self, context: Context) -> Context {
        match context {
            Context::Services | Context::Explorer => Context::Wininit,
            _ if self.role.is_windows() => Context::Services,
            _ => Context::Init,
        }
    }

    fn pid_step(&self) -> u32 {
        if self.role.is_windows() { 4 } else { 1 }
    }

    pub(super) fn fork(&mut self) -> u32 {
        if self.role.is_windows() {
            // Windows hands out what is free, in no order; here none twice within the table's length.
            self.last_pid = (self.last_pid + 1) % WINDOWS_PIDS;
            let stride = (self.seed as u32 % WINDOWS_PIDS) | 1;
            return self.free(4 * (200 + self.last_pid.wrapping_mul(stride) % WINDOWS_PIDS));
        }
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
            pid += self.pid_step();
        }
        pid
    }

    /// Everything ends; pids start over.
    pub(super) fn reboot(&mut self) {
        self.boots += 1;
        self.kept.clear();
        self.services = Default::default();
        self.services[self.root() as usize].pid = self.root_pid();
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
        let roles: BTreeSet<&str> = (0..800).map(|n| Host::new(n, 1, 500).role.name()).collect();
        assert_eq!(roles.len(), Role::COUNT);
    }
}
