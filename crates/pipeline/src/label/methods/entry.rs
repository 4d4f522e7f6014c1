//! a process's image and command line → the role it plays as an entry: what listens, and starts what the attacker sends.
//!
//! Deliberately absent: roles learned from behaviour (connect's boundaries).

use super::named;

named!(
    /// What an episode can hang from.
    Role {
        SshSession = "ssh_session",
        TelnetSession = "telnet_session",
        RdpSession = "rdp_session",
        WinRm = "winrm",
        Wmi = "wmi",
        ServiceManager = "service_manager",
        TaskScheduler = "task_scheduler",
        Adb = "adb",
        WebServer = "web_server",
        Iis = "iis",
        PhpFpm = "php_fpm",
        DeviceWeb = "device_web",
        Java = "java",
        Tomcat = "tomcat",
        WebLogic = "weblogic",
        Solr = "solr",
        Jenkins = "jenkins",
        Confluence = "confluence",
        Jira = "jira",
        Nacos = "nacos",
        Elasticsearch = "elasticsearch",
        ActiveMq = "activemq",
        XxlJob = "xxl_job",
        Yarn = "yarn",
        Spark = "spark",
        Flink = "flink",
        GeoServer = "geoserver",
        Ofbiz = "ofbiz",
        RocketMq = "rocketmq",
        Metabase = "metabase",
        Node = "node",
        Python = "python",
        Jupyter = "jupyter",
        Ray = "ray",
        Ruby = "ruby",
        Gitlab = "gitlab",
        Redis = "redis",
        Postgres = "postgres",
        Mysql = "mysql",
        Mssql = "mssql",
        Couchdb = "couchdb",
        Consul = "consul",
        Salt = "salt",
        Docker = "docker",
        ContainerRuntime = "container_runtime",
        Kubelet = "kubelet",
        Msmq = "msmq",
        Lsass = "lsass",
        Exchange = "exchange",
        PackageManager = "package_manager",
        Cron = "cron",
        Init = "init",
        Desktop = "desktop",
        UserShell = "user_shell",
    }
);

/// By image name, lower case, without `.exe`.
const IMAGES: &[(&str, Role)] = &[
    ("sshd", Role::SshSession),
    ("sshd-session", Role::SshSession),
    ("dropbear", Role::SshSession),
    ("telnetd", Role::TelnetSession),
    ("in.telnetd", Role::TelnetSession),
    ("utelnetd", Role::TelnetSession),
    ("rdpclip", Role::RdpSession),
    ("rdpinit", Role::RdpSession),
    ("xrdp", Role::RdpSession),
    ("xrdp-sesman", Role::RdpSession),
    ("tstheme", Role::RdpSession),
    ("wsmprovhost", Role::WinRm),
    ("winrshost", Role::WinRm),
    ("wmiprvse", Role::Wmi),
    ("scrcons", Role::Wmi),
    ("services", Role::ServiceManager),
    ("psexesvc", Role::ServiceManager),
    ("paexec", Role::ServiceManager),
    ("taskeng", Role::TaskScheduler),
    ("taskhostw", Role::TaskScheduler),
    ("adbd", Role::Adb),
    ("apache2", Role::WebServer),
    ("httpd", Role::WebServer),
    ("apache", Role::WebServer),
    ("nginx", Role::WebServer),
    ("lighttpd", Role::WebServer),
    ("caddy", Role::WebServer),
    ("openresty", Role::WebServer),
    ("litespeed", Role::WebServer),
    ("lshttpd", Role::WebServer),
    ("w3wp", Role::Iis),
    ("inetinfo", Role::Iis),
    ("umworkerprocess", Role::Exchange),
    ("msexchangemailboxreplication", Role::Exchange),
    ("php-cgi", Role::PhpFpm),
    ("lsphp", Role::PhpFpm),
    ("php", Role::PhpFpm),
    ("boa", Role::DeviceWeb),
    ("goahead", Role::DeviceWeb),
    ("mini_httpd", Role::DeviceWeb),
    ("uhttpd", Role::DeviceWeb),
    ("thttpd", Role::DeviceWeb),
    ("miniupnpd", Role::DeviceWeb),
    ("alphapd", Role::DeviceWeb),
    ("minigui_httpd", Role::DeviceWeb),
    ("tomcat", Role::Tomcat),
    ("redis-server", Role::Redis),
    ("redis", Role::Redis),
    ("valkey-server", Role::Redis),
    ("keydb-server", Role::Redis),
    ("postgres", Role::Postgres),
    ("postmaster", Role::Postgres),
    ("mysqld", Role::Mysql),
    ("mariadbd", Role::Mysql),
    ("sqlservr", Role::Mssql),
    ("sqlagent", Role::Mssql),
    ("couchjs", Role::Couchdb),
    ("consul", Role::Consul),
    ("salt-minion", Role::Salt),
    ("salt-master", Role::Salt),
    ("dockerd", Role::Docker),
    ("docker", Role::Docker),
    ("containerd-shim", Role::ContainerRuntime),
    ("containerd-shim-runc-v2", Role::ContainerRuntime),
    ("docker-containerd-shim", Role::ContainerRuntime),
    ("containerd", Role::ContainerRuntime),
    ("runc", Role::ContainerRuntime),
    ("conmon", Role::ContainerRuntime),
    ("crio", Role::ContainerRuntime),
    ("kubelet", Role::Kubelet),
    ("mqsvc", Role::Msmq),
    ("lsass", Role::Lsass),
    ("npm", Role::PackageManager),
    ("pip", Role::PackageManager),
    ("pip3", Role::PackageManager),
    ("yarnpkg", Role::PackageManager),
    ("gem", Role::PackageManager),
    ("composer", Role::PackageManager),
    ("cron", Role::Cron),
    ("crond", Role::Cron),
    ("anacron", Role::Cron),
    ("atd", Role::Cron),
    ("init", Role::Init),
    ("systemd", Role::Init),
    ("explorer", Role::Desktop),
    ("userinit", Role::Desktop),
    ("jupyter", Role::Jupyter),
    ("jupyter-lab", Role::Jupyter),
    ("jupyter-notebook", Role::Jupyter),
    ("raylet", Role::Ray),
    ("puma", Role::Ruby),
    ("unicorn", Role::Ruby),
    ("gunicorn", Role::Python),
    ("uwsgi", Role::Python),
    ("bash", Role::UserShell),
    ("sh", Role::UserShell),
    ("dash", Role::UserShell),
    ("zsh", Role::UserShell),
    ("ash", Role::UserShell),
    ("cmd", Role::UserShell),
    ("powershell", Role::UserShell),
];

/// What an interpreter runs, by words of its command line. The more particular stands first.
const JAVA: &[(&str, Role)] = &[
    ("weblogic.server", Role::WebLogic),
    ("weblogic.name", Role::WebLogic),
    ("weblogic.jar", Role::WebLogic),
    ("solr.solr.home", Role::Solr),
    ("solr.install.dir", Role::Solr),
    ("jenkins.war", Role::Jenkins),
    ("jenkins", Role::Jenkins),
    ("confluence", Role::Confluence),
    ("jira", Role::Jira),
    ("nacos", Role::Nacos),
    ("org.elasticsearch", Role::Elasticsearch),
    ("activemq", Role::ActiveMq),
    ("xxl-job", Role::XxlJob),
    ("hadoop.yarn", Role::Yarn),
    ("resourcemanager", Role::Yarn),
    ("nodemanager", Role::Yarn),
    ("org.apache.spark", Role::Spark),
    ("org.apache.flink", Role::Flink),
    ("geoserver", Role::GeoServer),
    ("ofbiz", Role::Ofbiz),
    ("rocketmq", Role::RocketMq),
    ("metabase.jar", Role::Metabase),
    ("catalina", Role::Tomcat),
    ("tomcat", Role::Tomcat),
];
const PYTHON: &[(&str, Role)] = &[
    ("jupyter", Role::Jupyter),
    ("ipykernel", Role::Jupyter),
    ("salt-m", Role::Salt),
    ("ray/dashboard", Role::Ray),
    ("raylet", Role::Ray),
    ("default_worker.py", Role::Ray),
    ("pip install", Role::PackageManager),
];
const NODE: &[(&str, Role)] = &[("npm install", Role::PackageManager), ("npm-cli.js", Role::PackageManager)];
const RUBY: &[(&str, Role)] = &[("gitlab", Role::Gitlab)];

/// A command line's words beyond this don't name the program.
const MAX_LOOK: usize = 8 * 1024;

/// The role of a process by its image (or, without one, the first word of its command line).
pub fn entry_role(file_path: Option<&str>, cmd_line: Option<&str>) -> Option<Role> {
    let cmd_line = cmd_line.unwrap_or("");
    let looked = cmd_line[..cmd_line.floor_char_boundary(MAX_LOOK)].to_lowercase();
    let by_path = file_path.map(image_name).filter(|it| !it.is_empty());
    by_path.and_then(|image| by_image(&image, &looked)).or_else(|| by_image(&first_word(&looked), &looked))
}

fn by_image(image: &str, cmd_line: &str) -> Option<Role> {
    if let Some(role) = interpreter(image, cmd_line) {
        return Some(role);
    }
    match image {
        // Login shells of telnet carry `login`; of a console they do, too: the weaker claim is left to evidence.
        "login" => return Some(Role::TelnetSession),
        "busybox" => return applet(cmd_line),
        "svchost" if cmd_line.contains("schedule") => return Some(Role::TaskScheduler),
        "svchost" if cmd_line.contains("termsvcs") || cmd_line.contains("termservice") => {
            return Some(Role::RdpSession);
        }
        // Names its connection: `containerd-shim-runc-v2 -namespace k8s.io`.
        _ if image.starts_with("containerd-shim") => return Some(Role::ContainerRuntime),
        _ if image.starts_with("php-fpm") => return Some(Role::PhpFpm),
        _ if image.starts_with("gitlab-") => return Some(Role::Gitlab),
        _ => {}
    }
    IMAGES.iter().find(|(name, _)| *name == image).map(|&(_, role)| role)
}

fn interpreter(image: &str, cmd_line: &str) -> Option<Role> {
    let versioned =
        |name: &str| image.strip_prefix(name).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    let (programs, otherwise) = if versioned("java") || image == "javaw" || image == "jsvc" {
        (JAVA, Role::Java)
    } else if image.starts_with("tomcat") && image.len() <= 10 {
        (JAVA, Role::Tomcat)
    } else if versioned("python") {
        (PYTHON, Role::Python)
    } else if image == "node" || image == "nodejs" || image == "next-server" {
        (NODE, Role::Node)
    } else if versioned("ruby") || image == "puma" || image == "bundle" {
        (RUBY, Role::Ruby)
    } else if versioned("php") {
        return Some(Role::PhpFpm);
    } else {
        return None;
    };
    Some(programs.iter().find(|(word, _)| cmd_line.contains(word)).map_or(otherwise, |&(_, role)| role))
}

fn applet(cmd_line: &str) -> Option<Role> {
    let name = image_name(cmd_line.split_whitespace().nth(1)?);
    match name.as_str() {
        "telnetd" => Some(Role::TelnetSession),
        "httpd" => Some(Role::DeviceWeb),
        "crond" => Some(Role::Cron),
        "sh" | "ash" => Some(Role::UserShell),
        _ => None,
    }
}

/// The last part of a path, lower case, without `.exe`, a login shell's `-`, and a daemon's `:`.
fn image_name(path: &str) -> String {
    let name = path.trim_matches(['"', ' ']).rsplit(['/', '\\']).next().unwrap_or("").to_lowercase();
    let name = name.strip_suffix(".exe").unwrap_or(&name);
    name.trim_start_matches('-').trim_end_matches(':').to_owned()
}

fn first_word(cmd_line: &str) -> String {
    let word = match cmd_line.trim_start().strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => cmd_line.split_whitespace().next(),
    };
    image_name(word.unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file_path: &str, cmd_line: &str, expect: Option<Role>) {
        let given = |text: &'static str| (!text.is_empty()).then_some(text);
        // Leaks in a test only: the helper reads better with plain strings.
        let (file_path, cmd_line) = (
            given(Box::leak(file_path.to_owned().into_boxed_str())),
            given(Box::leak(cmd_line.to_owned().into_boxed_str())),
        );
        assert_eq!(entry_role(file_path, cmd_line), expect, "{file_path:?} {cmd_line:?}");
    }

    #[test]
    fn services_are_told_by_image_or_first_word() {
        check("/usr/sbin/sshd", "", Some(Role::SshSession));
        check("", "sshd: root@pts/0", Some(Role::SshSession));
        check("/usr/bin/redis-server", "redis-server *:6379", Some(Role::Redis));
        check("/usr/local/bin/redis-server", "", Some(Role::Redis));
        check("", "php-fpm: pool www", Some(Role::PhpFpm));
        check("/usr/sbin/php-fpm7.4", "", Some(Role::PhpFpm));
        check("", "\"C:\\Program Files\\Microsoft SQL Server\\MSSQL\\Binn\\sqlservr.exe\" -sX", Some(Role::Mssql));
        check(r"C:\Windows\System32\wbem\WmiPrvSE.exe", "", Some(Role::Wmi));
        check(r"C:\Windows\System32\svchost.exe", "svchost.exe -k netsvcs -p -s Schedule", Some(Role::TaskScheduler));
        check("/bin/busybox", "busybox telnetd -p 23", Some(Role::TelnetSession));
        check("", "/usr/bin/containerd-shim-runc-v2 -namespace moby", Some(Role::ContainerRuntime));
        check("", "-bash", Some(Role::UserShell));
        check("/opt/thing/worker", "", None);
        check("", "", None);
    }

    #[test]
    fn an_interpreter_is_what_it_runs() {
        check("/usr/bin/java", "java -Dweblogic.Name=AdminServer weblogic.Server", Some(Role::WebLogic));
        check("/usr/bin/java", "java -jar /opt/jenkins.war", Some(Role::Jenkins));
        check("/usr/bin/java", "java -Dcatalina.base=/opt/atlassian/confluence x", Some(Role::Confluence));
        check("/usr/bin/java", "java org.apache.catalina.startup.Bootstrap start", Some(Role::Tomcat));
        check(
            "/usr/bin/java",
            "java -cp /etc/hadoop org.apache.hadoop.yarn.server.nodemanager.NodeManager",
            Some(Role::Yarn),
        );
        check("/usr/bin/java", "java -jar app.jar", Some(Role::Java));
        check("/usr/bin/python3.9", "python3 /usr/bin/salt-minion", Some(Role::Salt));
        check("/usr/bin/python3", "python3 -m ipykernel_launcher", Some(Role::Jupyter));
        check("/usr/bin/node", "node server.js", Some(Role::Node));
    }

    #[test]
    fn names_are_unique_and_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(*role));
        }
    }
}
