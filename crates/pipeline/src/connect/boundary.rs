//! image → what it is on its host: above all, whether its children are separate activities.

use std::collections::HashMap;
use std::sync::LazyLock;

use smallvec::SmallVec;

use super::link::base_name;

/// What long-lived programs do for their children.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    Init,
    SshDaemon,
    Cron,
    WebServer,
    AppServer,
    Database,
    ContainerRuntime,
    /// Windows: services.exe, svchost.exe, explorer.exe and their like.
    WindowsService,
    /// Agents of the cloud vendor, monitoring, configuration management.
    Agent,
    /// Reads work from elsewhere: inetd, atd, supervisors, CI runners.
    Supervisor,
}

impl Role {
    /// Such a process usually started before the log did.
    pub fn runs_long(self) -> bool {
        true
    }
    /// It forks a copy of itself for each activity: the copy is the entry, not a boundary.
    fn forks_sessions(self) -> bool {
        matches!(self, Self::SshDaemon | Self::Cron)
    }
}

const ROLES: &[(Role, &[&str])] = &[
    (Role::Init, &["init", "systemd", "launchd", "tini", "dumb-init", "upstart", "wininit.exe", "smss.exe", "system"]),
    (Role::SshDaemon, &["sshd", "dropbear", "in.telnetd", "telnetd", "in.rshd", "sshd.exe"]),
    (Role::Cron, &["cron", "crond", "anacron", "atd", "taskeng.exe", "taskhostw.exe", "taskhost.exe"]),
    (
        Role::WebServer,
        &[
            "nginx",
            "httpd",
            "apache2",
            "lighttpd",
            "caddy",
            "php-fpm",
            "php-cgi",
            "w3wp.exe",
            "httpd.exe",
            "uwsgi",
            "gunicorn",
            "unicorn",
            "tomcat",
            "openresty",
            "tengine",
            "litespeed",
            "lshttpd",
            "openlitespeed",
            "puma",
            "haproxy",
            "tomcat9.exe",
            "tomcat8.exe",
            "nginx.exe",
            "php-cgi.exe",
            "apache.exe",
        ],
    ),
    (Role::AppServer, &["java", "node", "java.exe", "weblogic", "jsvc", "pm2", "dotnet", "javaw.exe"]),
    (
        Role::Database,
        &[
            "redis-server",
            // The same program, under the name that Debian's package gives it.
            "redis-check-rdb",
            "redis-check-aof",
            "valkey-server",
            "keydb-server",
            "mysqld",
            "mariadbd",
            "postgres",
            "postmaster",
            "mongod",
            "memcached",
            "elasticsearch",
            "clickhouse-server",
            "influxd",
            "beam.smp",
            "sqlservr.exe",
            "mysqld.exe",
            "mariadbd.exe",
            "postgres.exe",
            "redis-server.exe",
        ],
    ),
    (
        Role::ContainerRuntime,
        &[
            "dockerd",
            "containerd",
            "containerd-shim",
            "docker-containerd-shim",
            "containerd-shim-runc-v2",
            "kubelet",
            "crio",
            "conmon",
            "runc",
            "docker-containerd",
        ],
    ),
    (
        Role::WindowsService,
        &[
            "services.exe",
            "svchost.exe",
            "explorer.exe",
            "winlogon.exe",
            "wmiprvse.exe",
            "lsass.exe",
            "csrss.exe",
            "userinit.exe",
            "spoolsv.exe",
            "dllhost.exe",
            "wsmprovhost.exe",
        ],
    ),
    (
        Role::Agent,
        &[
            "aliyundun",
            "aliyun-service",
            "aliyundunupdate",
            "cloudmonitor",
            "qcloud",
            "barad_agent",
            "yd_agent",
            "amazon-ssm-agent",
            "waagent",
            "omsagent",
            "google_guest_agent",
            "zabbix_agentd",
            "telegraf",
            "node_exporter",
            "salt-minion",
            "puppet",
            "chef-client",
            "falcon-sensor",
            "osqueryd",
            "auditbeat",
            "filebeat",
            "snmpd",
            "nrpe",
            "collectd",
            "ssm-agent-worker",
            "ssm-document-worker",
            "google_osconfig_agent",
            "qualys-cloud-agent",
            "elastic-agent",
            "newrelic-infra",
            "wazuh-modulesd",
            "cf-execd",
            "ccmexec.exe",
            "agentexecutor.exe",
            "monitoringhost.exe",
            "healthservice.exe",
            "windowsazureguestagent.exe",
            "waappagent.exe",
            "ssm-agent-worker.exe",
            "ssm-document-worker.exe",
            "amazon-ssm-agent.exe",
            "salt-minion.exe",
            "besclient.exe",
            "taniumclient.exe",
        ],
    ),
    (
        Role::Supervisor,
        &[
            "xinetd",
            "inetd",
            "supervisord",
            "runsvdir",
            "s6-svscan",
            "monit",
            "gitlab-runner",
            "actions-runner",
            "slurmstepd",
            "pbs_mom",
            "sge_execd",
        ],
    ),
];

/// The role of a bare name or path, wherever the file lies.
pub fn role_of_name(name: &str) -> Option<Role> {
    let base = base_name(name).trim_end_matches(':');
    if base.len() > LONGEST_NAME && !base.to_ascii_lowercase().starts_with("php-") {
        return None;
    }
    let lower: SmallVec<[u8; 32]> = base.bytes().map(|it| it.to_ascii_lowercase()).collect();
    let known = BY_NAME.get(&lower[..]).copied();
    // `php-fpm7.4`, `php-fpm: pool www`
    let versioned = || (lower.starts_with(b"php-fpm") || lower.starts_with(b"php-cgi")).then_some(Role::WebServer);
    known.or_else(versioned)
}

const LONGEST_NAME: usize = 32;

static BY_NAME: LazyLock<HashMap<&[u8], Role>> = LazyLock::new(|| {
    ROLES.iter().flat_map(|(role, names)| names.iter().map(|name| (name.as_bytes(), *role))).collect()
});

/// The role of a process by its image. A bot that calls itself `/tmp/sshd` has none.
pub fn role_of_image(file_path: &str) -> Option<Role> {
    if file_path.contains(['/', '\\']) && !is_system_path(file_path) {
        return None;
    }
    role_of_name(file_path)
}

/// Where operating systems and administrators install programs.
pub fn is_system_path(path: &str) -> bool {
    const UNIX: &[&str] =
        &["/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/opt/", "/srv/", "/snap/", "/app/", "/nix/", "/home/admin/"];
    if path.starts_with('/') {
        return UNIX.iter().any(|it| path.starts_with(it)) && !path.contains("/.");
    }
    let lower = path.to_ascii_lowercase();
    let lower = lower.trim_start_matches('"').replace('/', "\\");
    let rest = lower
        .strip_prefix("\\device\\harddiskvolume")
        .map_or(lower.as_str(), |it| it.split_once('\\').map_or(it, |(_, rest)| rest));
    [
        "c:\\windows\\system32\\",
        "c:\\windows\\syswow64\\",
        "c:\\program files",
        "windows\\system32\\",
        "program files",
        "c:\\windows\\explorer.exe",
    ]
    .iter()
    .any(|it| rest.starts_with(it))
}

/// Whether the children of a process are separate activities, given its own role and its parent's.
pub fn is_boundary(own: Option<Role>, parent: Option<Role>) -> bool {
    match own {
        Some(role) if role.forks_sessions() => parent != Some(role),
        Some(_) => true,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bot_that_calls_itself_sshd_is_no_listener() {
        assert_eq!(role_of_image("/usr/sbin/sshd"), Some(Role::SshDaemon));
        assert_eq!(role_of_image("sshd"), Some(Role::SshDaemon));
        assert_eq!(role_of_image("/tmp/sshd"), None);
        assert_eq!(role_of_image("/usr/bin/.x/crond"), None);
        assert_eq!(role_of_image(r"C:\Windows\System32\svchost.exe"), Some(Role::WindowsService));
        assert_eq!(role_of_image(r"C:\Windows\SpeechsTracing\Microsoft\svchost.exe"), None);
    }

    #[test]
    fn a_session_of_sshd_is_an_entry_a_web_servers_worker_is_not() {
        assert!(is_boundary(Some(Role::SshDaemon), Some(Role::Init)));
        assert!(!is_boundary(Some(Role::SshDaemon), Some(Role::SshDaemon)));
        assert!(is_boundary(Some(Role::WebServer), Some(Role::WebServer)));
        assert_eq!(role_of_name("php-fpm7.4"), Some(Role::WebServer));
    }
}
