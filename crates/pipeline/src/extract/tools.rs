//! program name → what it does with its arguments. Deliberately absent: parsing options (`command`).

use std::sync::LazyLock;

use super::names::Names;

/// What a program does with its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    Curl,
    Wget,
    /// Downloads its positional argument: aria2c, lwp-download, certutil, rpm …
    Download,
    Tftp,
    FtpGet,
    /// Connects to its first positional argument: nc, telnet, ping …
    Connect,
    Ssh,
    Scp,
    Socat,
    Kill,
    Remove,
    Chmod,
    /// Runs its first positional argument, or the text after `-c`.
    Interpreter,
    Copy,
    /// Writes its positional arguments: tee, touch, mkdir.
    Write,
    Dd,
    Echo,
    /// Arguments are patterns, never commands: grep, sed, awk.
    Pattern,
    UserAdd,
    UserDelete,
    Net,
    Crontab,
    Docker,
    Git,
    Firewall,
    Kubectl,
    PowerShell,
    /// Runs the rest of its line: sudo, nohup, busybox.
    Wrapper,
    /// Like `Wrapper`, after one positional argument: timeout, chroot.
    Wrapper1,
    Xargs,
    /// A shell keyword before a command.
    Keyword,
    Java,
    Miner,
    /// A well-known program with no role here.
    Plain,
}

/// By the base name in lower case, without `.exe`.
pub(crate) fn tool(name: &[u8]) -> Option<Tool> {
    if let Some(tool) = TOOLS.get(name) {
        return Some(tool);
    }
    // x.exe; python3.9, perl5.30, php7.4
    let split = name.iter().position(|b| b.is_ascii_digit() || *b == b'.').filter(|at| *at > 0)?;
    let (stem, rest) = name.split_at(split);
    if rest.eq_ignore_ascii_case(b".exe") {
        return TOOLS.get(stem);
    }
    (split >= 3 && rest.iter().all(|b| b.is_ascii_digit() || *b == b'.'))
        .then(|| TOOLS.get(stem))
        .flatten()
        .filter(|it| *it == Tool::Interpreter)
        .or_else(|| name.strip_suffix(b".exe").and_then(|stem| TOOLS.get(stem)))
}

/// The part of a path after its last `/` or `\`.
pub(crate) fn base_name(path: &str) -> &str {
    let at = memchr::memrchr2(b'/', b'\\', path.as_bytes()).map_or(0, |at| at + 1);
    &path[at..]
}

/// Whether the path's folder is one that programs of the system stand in.
pub(super) fn is_standard_folder(path: &str) -> bool {
    memchr::memrchr(b'/', path.as_bytes()).is_some_and(|at| is_standard(&path[..at]))
}

fn is_standard(folder: &str) -> bool {
    matches!(folder, "/bin" | "/usr/bin" | "/sbin" | "/usr/sbin" | "/usr/local/bin" | "/usr/local/sbin" | "/etc/init.d")
}

/// The standard place of a well-known program: running it says nothing of the attacker.
pub(crate) fn is_system_program(path: &str) -> bool {
    if let Some(at) = memchr::memrchr(b'/', path.as_bytes()) {
        let (dir, name) = (&path[..at], &path[at + 1..]);
        if is_standard(dir) {
            return tool(name.as_bytes()).is_some();
        }
        return matches!(path.as_bytes()[1], b'u' | b'l' | b's')
            && SYSTEM_TREES.iter().any(|tree| path.starts_with(tree));
    }
    let starts = |prefix: &str| path.get(..prefix.len()).is_some_and(|it| it.eq_ignore_ascii_case(prefix));
    if WINDOWS_TREES.iter().any(|it| starts(it)) {
        return true;
    }
    (starts("c:\\windows\\system32\\")
        || starts("c:\\windows\\syswow64\\")
        || path.bytes().filter(|b| *b == b'\\').count() == 2 && starts("c:\\windows\\"))
        && tool(base_name(path).as_bytes()).is_some()
}

const WINDOWS_TREES: &[&str] = &[
    "c:\\program files",
    "c:\\windows\\winsxs\\",
    "c:\\windows\\servicing\\",
    "c:\\windows\\microsoft.net\\",
    "c:\\windows\\systemapps\\",
];

const SYSTEM_TREES: &[&str] = &[
    "/usr/lib/systemd/",
    "/lib/systemd/",
    "/usr/libexec/",
    "/usr/lib/jvm/",
    "/usr/lib/openssh/",
    "/usr/lib/git-core/",
    "/usr/lib/apt/",
    "/usr/lib/dpkg/",
    "/usr/lib/snapd/",
    "/usr/lib/update-notifier/",
    "/usr/lib/postfix/",
    "/usr/lib/policykit-1/",
    "/usr/share/",
    "/snap/",
];

/// Whether the program's arguments are files: `touch run.me` names no host.
pub(super) fn takes_files(name: &str) -> bool {
    FILE_PROGRAMS.get(base_name(name).as_bytes()).is_some()
}

static FILE_PROGRAMS: LazyLock<Names<()>> = LazyLock::new(|| {
    const NAMES: &str = "touch mkdir md truncate mkfifo cat head tail wc sort uniq ls dir file stat readlink realpath basename \
        dirname tar gzip gunzip zcat bzip2 bunzip2 xz unxz zip unzip 7z rar unrar md5sum sha1sum sha256sum sha512sum cksum diff \
        cmp less more view vi vim nano emacs od xxd hexdump strings du chown chgrp make cmake gcc g++ cc c++ ld nm objdump strip \
        open nl tac shuf split type terraform code notepad javac rustc gpg ldd patch comm paste tree icacls takeown attrib";
    Names::new(NAMES.split_ascii_whitespace().map(|name| (name, ())))
});

static TOOLS: LazyLock<Names<Tool>> = LazyLock::new(|| {
    Names::new(NAMES.iter().flat_map(|(tool, names)| names.split_ascii_whitespace().map(|name| (name, *tool))))
});

const NAMES: &[(Tool, &str)] = &[
    (Tool::Curl, "curl cdt cd1 curl1"),
    (Tool::Wget, "wget wdl wd1 wget1"),
    (
        Tool::Download,
        "fetch lwp-download lwp-request aria2c axel links lynx elinks w3m certutil bitsadmin iwr irm invoke-webrequest \
         invoke-restmethod start-bitstransfer mshta regsvr32 msiexec rpm yum dnf pip pip2 pip3 npm yarn gem go cargo httpie http \
         desktopimgdownldr esentutl hh cmstp wmic uclient-fetch snarf puf",
    ),
    (Tool::Tftp, "tftp"),
    (Tool::FtpGet, "ftpget ftpput"),
    (
        Tool::Connect,
        "nc ncat netcat telnet ping ping6 host dig nslookup traceroute tracert tracepath mtr whois ftp rsh rlogin rexec nmap masscan zmap \
         redis-cli mysql mysqldump psql mongo mongosh hydra medusa ncrack openssl proxychains proxychains4 chisel frpc ngrok \
         test-netconnection tnc arping hping3 fping zgrab zgrab2 pnscan ldapsearch smbclient rpcclient mstsc resolvectl getent",
    ),
    (Tool::Ssh, "ssh autossh ssh-copy-id ssh-keyscan mosh plink putty"),
    (Tool::Scp, "scp rsync sftp pscp"),
    (Tool::Socat, "socat"),
    (Tool::Kill, "kill pkill killall killall5 taskkill stop-process skill fuser"),
    (Tool::Remove, "rm rmdir unlink shred del erase rd remove-item chattr tntrecht srm"),
    (Tool::Chmod, "chmod"),
    (
        Tool::Interpreter,
        "sh bash dash ash zsh ksh csh tcsh fish python perl php ruby lua node nodejs source . cscript wscript rundll32 tclsh expect insmod modprobe ld-linux.so.2 ld-linux-x86-64.so.2",
    ),
    (Tool::Copy, "cp mv install ln move copy xcopy robocopy ren move-item copy-item"),
    (Tool::Write, "tee tee-object out-file set-content add-content"),
    (Tool::Dd, "dd"),
    (Tool::Echo, "echo printf print write-output write-host"),
    (
        Tool::Pattern,
        "grep egrep fgrep zgrep rgrep rg ag sed gsed awk gawk mawk nawk findstr pgrep select-string tr cut pidof",
    ),
    (Tool::UserAdd, "useradd adduser usermod"),
    (Tool::UserDelete, "userdel deluser"),
    (Tool::Net, "net net1"),
    (Tool::Crontab, "crontab"),
    (Tool::Docker, "docker podman nerdctl crictl ctr docker-compose"),
    (Tool::Git, "git"),
    (Tool::Firewall, "iptables ip6tables nft ufw firewall-cmd ipset route iptables-save iptables-restore netsh"),
    (Tool::Kubectl, "kubectl oc helm k3s"),
    (Tool::PowerShell, "powershell pwsh"),
    (
        Tool::Wrapper,
        "sudo doas nohup setsid env busybox nice ionice time exec eval command builtin stdbuf unbuffer start start-process toybox \
         cmd call conhost watch unshare nsenter at batch trap systemd-run daemonize catchsegv linux32 linux64 strace ltrace sshpass \
         invoke-expression iex forfiles tini dumb-init gosu chpst",
    ),
    (Tool::Wrapper1, "timeout chroot taskset flock chrt setarch"),
    (Tool::Xargs, "xargs parallel"),
    (Tool::Keyword, "if then else elif do while until ! { } fi done && || esac"),
    (Tool::Java, "java javaw"),
    (
        Tool::Miner,
        "xmrig xmrig-notls xmr-stak minerd cpuminer ccminer ethminer nbminer lolminer t-rex phoenixminer cnrig xmrigcc teamredminer \
         gminer srbminer srbminer-multi nanominer bminer claymore",
    ),
    (
        Tool::Plain,
        "touch open terraform mkdir md truncate mkfifo mktemp ls cat su runuser head tail wc sort uniq cd pwd id whoami who w uname hostname hostnamectl uptime date cal free df du ps top htop lscpu lsblk lspci lsusb \
         lsmod rmmod depmod dmesg mount umount find locate which whereis type file stat readlink realpath basename dirname test [ [[ true false sleep \
         usleep yes seq expr bc let read set unset export local declare typeset alias unalias hash history return exit break continue shift getopts \
         ulimit umask wait jobs fg bg disown pushd popd dirs chown chgrp getfacl setfacl passwd chpasswd login logout last lastlog lastb \
         groups groupadd groupdel groupmod gpasswd newgrp visudo chage chsh chfn getconf locale localectl timedatectl ntpdate chronyc chronyd ntpd \
         tar gzip gunzip zcat bzip2 bunzip2 xz unxz zip unzip 7z 7za rar unrar cpio ar compress base64 base32 xxd od hexdump strings md5sum sha1sum \
         sha256sum sha512sum cksum diff cmp comm patch join paste fold fmt column expand tee nl rev tac shuf split csplit less more view vi vim nano emacs \
         ed ifconfig ip ss netstat arp iwconfig ethtool tcpdump tshark lsof systemctl service chkconfig update-rc.d rc-update init telinit \
         shutdown reboot halt poweroff sync swapon swapoff mkswap fdisk parted mkfs mkfs.ext4 fsck blkid apt apt-get apt-key apt-cache aptitude dpkg \
         dpkg-query dpkg-deb zypper apk pacman snap flatpak brew make cmake gcc g++ cc c++ ld as nm objdump ldd ldconfig strip gdb perf rustc \
         javac mvn gradle ant tomcat catalina nginx httpd apache2 apachectl mysqld mysqld_safe postgres redis-server mongod memcached php-fpm sshd \
         in.telnetd telnetd vsftpd proftpd cron crond anacron atd run-parts rsyslogd syslogd syslog-ng journalctl logger logrotate auditd auditctl \
         ausearch dbus-daemon udevd udevadm polkitd agetty getty mingetty login systemd systemd-logind systemd-journald systemd-udevd systemd-resolved \
         networkmanager dhclient dhcpcd wpa_supplicant dnsmasq named unbound postfix sendmail mail mailx exim dockerd containerd containerd-shim runc \
         kubelet kube-proxy ssh-keygen ssh-agent ssh-add ssh-keysign gpg gpg-agent crypttab cryptsetup screen tmux script expect tput stty reset clear \
         tty nproc arch lsb_release dmidecode hwinfo lshw sysctl ulimit nvidia-smi rocm-smi getcap setcap sestatus setenforce getenforce restorecon \
         semanage aa-status enable system shell linuxshell help start config free cloud-init cloud-id landscape-sysinfo motd update-motd run-init \
         sa1 sa2 sadc sar iostat vmstat mpstat pidstat iotop supervisord supervisorctl pm2 gunicorn uwsgi celery java_home tasklist systeminfo ipconfig \
         whoami nltest quser query qwinsta reg regedit schtasks sc vssadmin wbadmin bcdedit wevtutil fsutil icacls cacls takeown attrib dir tree assoc \
         svchost services lsass csrss winlogon smss wininit explorer spoolsv taskhost taskhostw dllhost conhost wuauclt searchindexer rundll32 msdtc \
         notepad calc mmc w3wp inetinfo sqlservr mpcmdrun wsmprovhost wmiprvse runtimebroker sihost ctfmon consent dwm fontdrvhost logonui userinit \
         sdiagnhost trustedinstaller tiworker musnotification defrag dism sfc gpupdate gpresult backgroundtaskhost taskeng werfault wermgr aliyun-service \
         lsmod pstree pmap vmtoolsd irqbalance acpid smartd smartctl mdadm lvm pvs vgs lvs multipathd iscsid rpcbind rpc.statd nfsd smbd nmbd \
         zabbix_agentd node_exporter prometheus grafana-server telegraf filebeat metricbeat fluentd td-agent haproxy keepalived squid varnishd \
         update-alternatives update-ca-certificates ca-certificates deb-systemd-helper invoke-rc.d needrestart unattended-upgrade unattended-upgrades \
         python3-config dpkg-preconfigure sppsvc searchprotocolhost searchfilterhost searchindexer compattelrunner appcmd audiodg dashost dllhost lsaiso mousocoreworker \
         securityhealthservice sgrmbroker smartscreen wudfhost wlanext vds vssvc unsecapp upfc usoclient cleanmgr wsqmcons sdbinst lpremove man mandb apropos info whatis updatedb crontabs tzselect pkexec pkcheck gettext envsubst jq yq tzdata \
         sort uname uptime sync usermod users vdir vmstat wall write zdump zless zmore znew",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_version() {
        assert_eq!(tool(b"WGET"), Some(Tool::Wget));
        assert_eq!(tool(b"certutil.exe"), Some(Tool::Download));
        assert_eq!(tool(b"python3.9"), Some(Tool::Interpreter));
        assert_eq!(tool(b"pty1"), None);
        assert_eq!(tool(b""), None);
    }

    #[test]
    fn only_known_names_in_standard_places_are_the_systems_own() {
        for path in ["/usr/sbin/sshd", "/bin/busybox", "/usr/lib/systemd/systemd", "C:\\Windows\\System32\\svchost.exe"]
        {
            assert!(is_system_program(path), "{path}");
        }
        for path in
            ["/usr/bin/ujuyfa5", "/tmp/ls", "/bin/eyshcjdmzg", "C:\\Windows\\SpeechsTracing\\Microsoft\\svchost.exe"]
        {
            assert!(!is_system_program(path), "{path}");
        }
    }
}
