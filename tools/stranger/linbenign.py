"""Benign Linux operations. Each job: (name, roles or None, period seconds or 0 (ad hoc) , weight, how, body)
how: cron:<cmd>  systemd  ssh  svc:<service>  worker:<service>  k8sexec  docker  agent:<service>"""
B = {}     # bodies
JOBS = []
def J(name, roles, period, weight, how, body, **kw): JOBS.append((name, set(roles.split()) if roles else None, period, weight, how, body.strip('\n'), kw))

# ---- cron
J('cron-hourly', '', 3600, 5, 'cron', "cd / && run-parts @@kids=hourly --report /etc/cron.hourly")
B['hourly'] = "/etc/cron.hourly/0anacron @@dur=0.01"
J('cron-daily', '', 86400, 6, 'cron', "test -x /usr/sbin/anacron || ( cd / && run-parts @@kids=daily --report /etc/cron.daily )")
B['daily'] = """
as /usr/bin/dash /bin/sh /etc/cron.daily/apt-compat
as /usr/bin/dash /bin/sh /etc/cron.daily/dpkg @@prog=dpkgdaily
as /usr/bin/dash /bin/sh /etc/cron.daily/logrotate @@prog=lrd
as /usr/bin/dash /bin/sh /etc/cron.daily/man-db @@prog=mandb
"""
B['dpkgdaily'] = "cmp -s dpkg.status.0 /var/lib/dpkg/status\nbasename /var/lib/dpkg/status\ngzip -9f dpkg.status.1"
B['lrd'] = "/usr/sbin/logrotate /etc/logrotate.conf @@kids=lrk"
B['lrk'] = """
sys test -x /usr/bin/savelog || exit 0; invoke-rc.d --quiet rsyslog rotate > /dev/null
sys "if [ -d /etc/logrotate.d/httpd-prerotate ]; then run-parts /etc/logrotate.d/httpd-prerotate; fi"
gzip
gzip
sys /usr/lib/rsyslog/rsyslog-rotate @@dur=0.02
"""
B['mandb'] = "find /var/cache/man -type f -name *.gz -atime +6 -delete\n/usr/bin/mandb --no-purge --quiet @@dur=0.8"
J('sysstat', '', 600, 8, 'cron', "command -v debian-sa1 > /dev/null && debian-sa1 1 1", tool='debian-sa1')
J('sa1', '', 600, 6, 'cron', "/usr/lib64/sa/sa1 1 1 @@kids=sa1k")
B['sa1k'] = "as /usr/lib64/sa/sadc /usr/lib64/sa/sadc -F -L -S DISK 1 1 -"
J('php-session', 'phpweb apache', 1800, 6, 'cron', "[ -x /usr/lib/php/sessionclean ] && if [ ! -d /run/systemd/system ]; then /usr/lib/php/sessionclean; fi")
J('php-session2', 'phpweb apache', 1800, 6, 'systemd', "/bin/sh @@run=sessclean /usr/lib/php/sessionclean")
B['sessclean'] = """
for v in 7.4 8.1; do
  echo $v
  if ?50; then php -c /etc/php/$v/fpm/php.ini -d "error_reporting='~E_ALL'" -r 'foreach(ini_get_all("session") as $k => $v) echo "$k=".$v["local_value"]."\\n";' @@dur=0.03 @@path=/usr/bin/php8.1; fi
done
sort -rn -t: -k2,2 | sort -u -t: -k 1,1 | while read v; do pidof php-fpm8.1; done
find -O3 /proc/1012/fd /proc/1013/fd -ignore_readdir_race -lname '/var/lib/php/sessions/sess_*' -exec touch -c {} \\;
find -O3 /var/lib/php/sessions/ -ignore_readdir_race -depth -mindepth 1 -name 'sess_*' -type f -cmin +24 -delete
"""
J('wp-cron', 'phpweb', 300, 7, 'cron', "cd /var/www/@R:site@ && /usr/bin/php8.1 wp-cron.php > /dev/null 2>&1")
J('laravel', 'phpweb', 300, 5, 'cron', "cd /var/www/shop && php artisan schedule:run >> /dev/null 2>&1", php=1)
J('nagios-cron', 'vps mail mysql redis', 1800, 2, 'cron', "/usr/local/bin/check_disk.sh @@run=chkdisk")
B['chkdisk'] = """
for m in / /var /home; do U=$(df -P $m | awk 'NR==2 {print $5}' | tr -d %); [ "$U" -gt 90 ] && logger -t diskwatch "$m at $U"; done
HOST=$(hostname -f)
curl -fsS -m 10 --retry 3 -o /dev/null https://hc-ping.com/@R:uuidh@
"""
J('mysqldump', 'mysql', 86400, 10, 'cron', "/root/bin/backup-mysql.sh @@run=mydump")
B['mydump'] = """
D=$(date +%F)
mkdir -p /var/backups/mysql/$D
for db in $(mysql -N -e 'show databases' @@lines=user:6 | grep -Ev '^(information_schema|performance_schema|sys)$'); do
 mysqldump --single-transaction --routines --triggers $db @@dur=4 @@path=/usr/bin/mysqldump | gzip -c
done
find /var/backups/mysql -mtime +14 -delete
aws s3 sync /var/backups/mysql s3://@ORG@-db-backup/$(hostname -s)/ --only-show-errors @@dur=8
"""
J('pgdump', 'pg', 21600, 10, 'cron', "sudo -u postgres /usr/local/sbin/pgdump.sh @@_run=pgdump @@path=/usr/bin/sudo")
B['pgdump'] = """
export PGDATABASE=postgres
for d in $(psql -Atc "select datname from pg_database where not datistemplate" @@lines=user:4 @@path=/usr/lib/postgresql/14/bin/psql); do
  pg_dump -Fc -Z6 -f /var/backups/pg/$d-$(date +%u).dump $d @@path=/usr/lib/postgresql/14/bin/pg_dump @@dur=12
done
restic -r s3:s3.eu-central-1.amazonaws.com/@ORG@-restic backup /var/backups/pg --tag pg --host $(hostname) @@path=/usr/local/bin/restic @@dur=20
restic -r s3:s3.eu-central-1.amazonaws.com/@ORG@-restic forget --keep-daily 7 --keep-weekly 4 --prune @@path=/usr/local/bin/restic @@dur=6
"""
J('pg-archive', 'pg', 900, 10, 'worker:postgres', "sys test ! -f /mnt/wal/@R:WAL@ && cp pg_wal/@R:WAL@ /mnt/wal/@R:WAL@")
J('pg-archive2', 'pg', 1200, 6, 'worker:postgres', "sys pgbackrest --stanza=main archive-push pg_wal/@R:WAL@ @@_path=/usr/bin/pgbackrest")
J('rsync-backup', '', 86400, 4, 'cron', "/usr/bin/rsync -aHAX --delete --numeric-ids -e 'ssh -i /root/.ssh/backup_ed25519 -o BatchMode=yes' /etc /var/www backup@10.9.0.14:/srv/backup/@HOSTNAME@/ @@kids=rsyk")
B['rsyk'] = "ssh -i /root/.ssh/backup_ed25519 -o BatchMode=yes -l backup 10.9.0.14 rsync --server -logDtpAXre.iLsfxCIvu --numeric-ids --delete . /srv/backup/@HOSTNAME@/ @@dur=9"
J('certbot', '', 43200, 4, 'cron', "test -x /usr/bin/certbot -a \\! -d /run/systemd/system && perl -e 'sleep int(rand(43200))' && certbot -q renew")
J('certbot-snap', 'phpweb node py', 43200, 5, 'systemd', "/usr/bin/snap run certbot.renew -q renew @@kids=snapc")
B['snapc'] = "as /usr/lib/snapd/snap-confine /usr/lib/snapd/snap-confine --base core20 snap.certbot.renew /usr/lib/snapd/snap-exec certbot.renew -q renew @@prog=snapc2"
B['snapc2'] = "reexec /snap/certbot/3024/bin/python3 -s /snap/certbot/3024/bin/certbot -q renew @@prog=snapc3"
B['snapc3'] = "sys systemctl reload nginx\nsys /etc/letsencrypt/renewal-hooks/deploy/reload.sh @@dur=0.05"
J('acme', 'phpweb', 86400, 3, 'cron', '"/root/.acme.sh"/acme.sh --cron --home "/root/.acme.sh" > /dev/null @@run=acme')
B['acme'] = """
uname -s
grep -o '^Le_.*' /root/.acme.sh/www.conf | cut -d= -f2 | tr -d "'"
date -u +%s
curl --silent --dump-header /root/.acme.sh/http.header -L -g https://acme-v02.api.letsencrypt.org/directory
openssl dgst -sha256 -sign /root/.acme.sh/account.key | openssl base64 -e | tr -d '\\n' | tr '/+' '_-' | tr -d '= '
curl --silent -X POST --data-binary @- https://acme-v02.api.letsencrypt.org/acme/new-order
"""
J('ddclient', 'vps', 900, 5, 'cron', "curl -s https://api.ipify.org | xargs -I IP curl -s 'https://dyn.dns.he.net/nic/update?hostname=@HOSTNAME@.@ORG@.net&myip=IP' @@lines=ip:1")
J('duckdns', 'vps', 300, 3, 'cron', "~/duckdns/duck.sh @@run=duck")
B['duck'] = "echo url=\"https://www.duckdns.org/update?domains=@ORG@&token=@R:uuidh@&ip=\" | curl -k -o ~/duckdns/duck.log -K -"
J('blocklist', 'bastion vps phpweb', 21600, 4, 'cron', "/usr/local/sbin/update-blocklist @@run=blk")
B['blk'] = """
T=$(mktemp)
curl -fsSL https://raw.githubusercontent.com/firehol/blocklist-ipsets/master/firehol_level1.netset -o $T || wget -qO $T https://raw.githubusercontent.com/firehol/blocklist-ipsets/master/firehol_level1.netset
ipset -exist create fh1 hash:net maxelem 131072 @@path=/usr/sbin/ipset
grep -v '^#' $T | sed 's/^/add fh1_tmp /' | ipset restore @@path=/usr/sbin/ipset
ipset swap fh1_tmp fh1 @@path=/usr/sbin/ipset
rm -f $T
"""
J('gitpull', 'phpweb node py', 600, 5, 'cron', "cd /srv/deploy && git pull -q --ff-only @@kids=gitk >/dev/null 2>&1")
B['gitk'] = """
as /usr/lib/git-core/git git fetch --update-head-ok --quiet @@prog=gitf
as /usr/lib/git-core/git git merge FETCH_HEAD --ff-only
"""
B['gitf'] = """
as /usr/bin/ssh ssh git@github.com git-upload-pack '@ORG@/deploy.git' @@nowait @@dur=0.9
as /usr/lib/git-core/git git rev-list --objects --stdin --not --all --quiet --alternate-refs
as /usr/lib/git-core/git git gc --auto --quiet
"""
J('tmpreaper', '', 86400, 3, 'systemd', "systemd-tmpfiles --clean @@path=/usr/bin/systemd-tmpfiles")
J('watchdog-script', 'vps tomcat spring', 300, 4, 'cron', "pgrep -f service.jar >/dev/null || (cd /srv/app && ./restart.sh @@dur=2)")
J('curl-health', 'node py spring', 300, 5, 'cron', "curl -fsS -m 5 http://127.0.0.1:8080/actuator/health | grep -q UP || systemctl restart app")
J('rkhunter', 'bastion mail vps', 86400, 2, 'cron', "/usr/bin/rkhunter --cronjob --report-warnings-only @@run=rkh")
B['rkh'] = """
for f in /tmp/.font-unix /dev/shm/.x /usr/bin/.sshd /tmp/kdevtmpfsi /etc/ld.so.preload; do ls -la $f; done
ps ax -o pid,comm | grep -E 'kinsing|xmrig|kswapd0|minerd'
lsattr -d /usr/bin
for b in /bin/ls /bin/ps /bin/netstat /usr/bin/top; do sha256sum $b | cut -d' ' -f1; file $b; done
lsof -w -n -i | awk '{print $1,$2}' | sort -u
find /dev -type f | grep -v shm
md5sum /etc/passwd
"""
# ---- systemd timers
J('apt-daily', 'phpweb apache node py pg mysql desktop vps docker bastion mail glrunner', 43200, 8, 'systemd', "/bin/sh @@run=aptd /usr/lib/apt/apt.systemd.daily update")
B['aptd'] = """
apt-config shell AUTOAPTENABLE APT::Periodic::Enable
apt-config shell VERBOSE APT::Periodic::Verbose
flock @@_run=aptd2 -w 3600 /var/lib/apt/daily_lock /bin/sh /usr/lib/apt/apt.systemd.daily lock_is_held update
"""
B['aptd2'] = """
apt-config shell UpdateInterval APT::Periodic::Update-Package-Lists
date +%s
stat -c %Y /var/lib/apt/periodic/update-stamp
apt-get -qq -y update @@kids=aptu
systemd-inhibit --what=shutdown true
touch /var/lib/apt/periodic/update-stamp
df --output=avail /var/cache/apt/archives/
find /var/cache/apt/archives/ -name '*.deb' -mtime +30
"""
B['aptu'] = """
fork apthttp
as /usr/lib/apt/methods/http /usr/lib/apt/methods/http @@nowait @@dur=4
as /usr/lib/apt/methods/gpgv /usr/lib/apt/methods/gpgv @@nowait @@dur=3 @@prog=gpgv
as /usr/lib/apt/methods/store /usr/lib/apt/methods/store @@nowait @@dur=3
sys "[ ! -f /usr/lib/update-notifier/update-motd-updates-available ] || /usr/lib/update-notifier/update-motd-updates-available 2>/dev/null || true" 
sys /usr/bin/test -w /var/lib/command-not-found/ -a -e /usr/lib/cnf-update-db && /usr/lib/cnf-update-db > /dev/null
"""
B['apthttp'] = "as /usr/lib/apt/methods/https /usr/lib/apt/methods/https"
B['gpgv'] = """
sys apt-key --quiet --readonly verify --status-fd 3 /tmp/apt.sig.@R:rnd6@ /tmp/apt.data.@R:rnd6@
apt-config shell MASTER_KEYRING APT::Key::MasterKeyring
sort -u
gpgv --homedir /tmp/apt-key-gpghome.@R:rnd10@ --keyring /tmp/apt-key-gpghome.@R:rnd10@/pubring.gpg --ignore-time-conflict --status-fd 3 @@path=/usr/bin/gpgv
"""
J('unattended', 'phpweb apache node py pg mysql vps docker bastion mail glrunner', 86400, 8, 'systemd', "/usr/bin/python3 @@kids=unatt /usr/bin/unattended-upgrade")
B['unatt'] = """
/usr/bin/lsb_release -c -s
/usr/bin/dpkg --print-foreign-architectures
fork dpkginst
sleep 20
"""
B['dpkginst'] = """
/usr/bin/dpkg --status-fd 9 --no-triggers --force-confdef --force-confold --unpack --auto-deconfigure --recursive /tmp/apt-dpkg-install-@R:rnd6@ @@kids=dpu
/usr/bin/dpkg --status-fd 9 --no-triggers --configure --pending @@kids=dpc
"""
B['dpu'] = """
as /usr/bin/dpkg-split dpkg-split -Qao /var/lib/dpkg/reassemble.deb /tmp/apt-dpkg-install-@R:rnd6@/0-@R:pkg@.deb
as /usr/bin/dpkg-deb dpkg-deb --control /tmp/apt-dpkg-install-@R:rnd6@/0-@R:pkg@.deb /var/lib/dpkg/tmp.ci @@prog=tarx
as /usr/bin/dpkg-deb dpkg-deb --fsys-tarfile /tmp/apt-dpkg-install-@R:rnd6@/0-@R:pkg@.deb
as /usr/bin/rm rm -rf -- /var/lib/dpkg/tmp.ci
"""
B['tarx'] = "fork nothing\nas /usr/bin/tar tar -x -f - --warning=no-timestamp"
B['nothing'] = ":"
B['dpc'] = """
as /usr/bin/dash /bin/sh /var/lib/dpkg/info/@R:pkg@.postinst configure 1.2.3-4ubuntu1.@R:d2@ @@prog=postinst
as /usr/bin/dash /bin/sh /var/lib/dpkg/info/libc-bin.postinst triggered ldconfig @@prog=ldcfg
"""
B['ldcfg'] = "as /usr/sbin/ldconfig /sbin/ldconfig.real"
B['postinst'] = """
as /usr/bin/perl /usr/bin/perl -w /usr/share/debconf/frontend /var/lib/dpkg/info/@R:pkg@.postinst configure
as /usr/bin/perl /usr/bin/perl /usr/bin/deb-systemd-helper --quiet was-enabled @R:pkg@.service
as /usr/bin/perl /usr/bin/perl /usr/bin/deb-systemd-invoke try-restart @R:pkg@.service @@prog=trest
"""
B['trest'] = "systemctl --quiet --system is-active @R:pkg@.service\nsystemctl --quiet --system daemon-reload"
J('dnf-makecache', 'tomcat spring confluence mq hpc redis k8s', 10800, 6, 'systemd', "/usr/bin/dnf makecache --timer @@dur=3 @@path=/usr/bin/python3.9")
J('fwupd', 'desktop', 86400, 3, 'systemd', "/usr/bin/fwupdmgr refresh @@dur=0.7")
J('e2scrub', '', 86400, 2, 'systemd', "/bin/bash /sbin/e2scrub_all @@run=e2s")
B['e2s'] = "lvs --nameprefixes -o vg_name,lv_name,lv_active,lv_role -S lv_active=active --noheadings @@path=/usr/sbin/lvm\nlsblk -o NAME,FSTYPE -p -n"
J('motd-news', 'phpweb vps node py', 43200, 5, 'systemd', "/bin/sh @@run=motdn /etc/update-motd.d/50-motd-news --force")
B['motdn'] = """
uname -r
lscpu | sed -n 's/^Model name: *//p'
T=$(mktemp)
curl --connect-timeout 60 --max-time 60 -A 'curl/7.81.0-1 Ubuntu/22.04 GNU/Linux/5.15.0-97-generic/x86_64 uptime/9' -o $T https://motd.ubuntu.com
tr -d '\\000-\\011\\013\\014\\016-\\037' | head -n 10
rm -f $T
"""
# ---- monitoring agents
J('zabbix-user', 'phpweb apache tomcat mysql pg redis vps mail', 420, 8, 'svc:zabbix', "sys \"/etc/zabbix/scripts/@R:zbx@\" @@dur=0.03")
J('zabbix-netstat', 'phpweb tomcat spring redis', 600, 6, 'svc:zabbix', "sys \"netstat -ant | grep -c ESTABLISHED\"")
J('zabbix-proc', 'tomcat spring confluence mq', 600, 5, 'svc:zabbix', "sys \"ps -eo pcpu,pid,user,args | sort -k1 -r -n | head -5\"")
J('zabbix-discover', 'redis mysql', 900, 4, 'svc:zabbix', "sys \"ss -lnt | awk '{print $4}' | grep -oE '[0-9]+$' | sort -u\"")
J('telegraf', 'pg mysql redis node py', 600, 5, 'svc:telegraf', "/usr/lib/nagios/plugins/check_load -w 8,6,5 -c 12,10,8\n/usr/sbin/smartctl --attributes --health /dev/sda -n standby --format=brief")
J('telegraf-exec', 'hpc k8s docker', 600, 5, 'svc:telegraf', "nvidia-smi --query-gpu=utilization.gpu,temperature.gpu --format=csv,noheader,nounits @@path=/usr/bin/nvidia-smi\nipmitool sdr @@path=/usr/bin/ipmitool")
J("ddagent", "", 1200, 4, "svc:ddagent", "/opt/datadog-agent/embedded/bin/python3 -c 'import platform;print(platform.platform())' @@dur=0.05\nsys \"lsb_release -a 2>/dev/null\"\ndf -k")
J('nrpe', 'apache mail mysql bastion', 420, 6, 'svc:nrpe', "fork nrpek")
B['nrpek'] = "sys /usr/lib/nagios/plugins/check_procs -w 250 -c 400 -s RSZDT @@_kids=cps"
B['cps'] = "ps axwwo 'stat uid pid ppid vsz rss pcpu etime comm args'"
J('falcon', '', 14400, 3, 'svc:falcon', "uname -r\nsys \"cat /etc/os-release | grep PRETTY_NAME | cut -d= -f2\"\nlsmod\n/sbin/dmidecode -s system-serial-number @@path=/usr/sbin/dmidecode")
J('osquery', 'desktop bastion vps', 7200, 3, 'svc:osqueryd', "as /opt/osquery/bin/osqueryd /opt/osquery/bin/osqueryd --flagfile=/etc/osquery/osquery.flags @@dur=20 @@nowait")
J('wazuh', 'phpweb apache mail', 3600, 5, 'svc:wazuh', "sys \"df -P\"\nsys \"netstat -tulpn | sed 's/\\([[:alnum:]]\\+\\)\\ \\+[[:digit:]]\\+/\\1/' | sort -k 4 -g | sed 's/ == \\(.*\\) ==/:\\1/' | sed 1,2d\"\nsys \"last -n 20\"")
J('wazuh-rk', 'phpweb apache mail', 43200, 3, 'svc:wazuh', "sys \"ps -p @R:pid@ > /dev/null 2>&1\"\nsys \"ps -p @R:pid@ > /dev/null 2>&1\"\nsys \"ps -p @R:pid@ > /dev/null 2>&1\"\nsys \"lsof -i:@R:port@\"")
J('qualys', '', 14400, 4, 'svc:qualys', "fork qual")
B['qual'] = """
sys "rpm -qa --qf '%{NAME}|%{VERSION}-%{RELEASE}|%{ARCH}\\n' 2>/dev/null || dpkg-query -W -f='${Package}|${Version}\\n'"
sys "cat /etc/passwd | cut -d: -f1,3,7"
sys "find / -xdev -name 'log4j-core*.jar' -type f 2>/dev/null" @@dur=6
sys "ps -eo pid,ppid,user,args | grep -i java | grep -v grep"
sys "netstat -anp 2>/dev/null | grep LISTEN || ss -lntp"
sys "crontab -l -u root 2>/dev/null; ls -la /etc/cron.d"
sys "curl -s -m 2 http://169.254.169.254/latest/meta-data/instance-id"
sys "lsattr /etc/passwd; cat /root/.ssh/authorized_keys 2>/dev/null | wc -l"
"""
J('aws-ssm', 'spring node py pg docker', 14400, 4, 'svc:ssm', "as /usr/bin/ssm-document-worker /usr/bin/ssm-document-worker @R:uuidh@ @@dur=4 @@prog=ssmw")
B['ssmw'] = """
sh -c "/var/lib/amazon/ssm/i-@R:hex17@/document/orchestration/@R:uuidh@/awsrunShellScript/0.awsrunShellScript/_script.sh" @@run=ssms
"""
B['ssms'] = """
yum -q check-update || apt-get -s upgrade
if [ -f /var/run/reboot-required ]; then echo yes; fi
uname -r
aws ec2 describe-tags --region eu-west-1 --filters Name=resource-id,Values=i-@R:hex17@ @@dur=0.9 @@path=/usr/local/bin/aws
"""
# ---- config management
J('ansible', '', 43200, 8, 'sshuser', """
/bin/sh -c 'echo ~deploy && sleep 0'
/bin/sh -c '( umask 77 && mkdir -p "` echo /home/deploy/.ansible/tmp `"&& mkdir "` echo /home/deploy/.ansible/tmp/ansible-tmp-@ANS@ `" && echo ansible-tmp-@ANS@="` echo /home/deploy/.ansible/tmp/ansible-tmp-@ANS@ `" ) && sleep 0'
""", kind='ansible')
J('ansible2', '', 43200, 7, 'sshexec', "/bin/sh -c 'sudo -H -S -n -u root /bin/sh -c '\"'\"'echo BECOME-SUCCESS-@R:rndl32@ ; /usr/bin/python3 /home/deploy/.ansible/tmp/ansible-tmp-@ANS@/AnsiballZ_@R:ansmod@.py'\"'\"' && sleep 0'")
J('ansible3', '', 43200, 6, 'sshexec', "/bin/sh -c 'rm -f -r /home/deploy/.ansible/tmp/ansible-tmp-@ANS@/ > /dev/null 2>&1 && sleep 0'")
J('ansible-pipe', '', 43200, 6, 'sshexec', "/bin/sh -c 'sudo -H -S -n -u root /bin/sh -c '\"'\"'echo BECOME-SUCCESS-@R:rndl32@ ; /usr/bin/python3'\"'\"' && sleep 0'")
J('ansible-b64', '', 86400, 3, 'sshexec', "/bin/sh -c 'python3 -c \"import base64,zlib,sys;exec(zlib.decompress(base64.b64decode(\\\"@R:b64_200@\\\")))\"'")
J('mitogen', 'hpc k8s redis', 43200, 4, 'sshexec', "/usr/bin/python3 -c \"'import codecs,os,sys;_=codecs.decode;exec(_(_(\\\"@R:b64_300@\\\".encode(),\\\"base64\\\"),\\\"zip\\\"))'\" @@dur=8 @@kids=mitok")
B['mitok'] = "fork mitof\nsleep 2"
B['mitof'] = "sys /usr/bin/dpkg-query -l @R:pkg@\nsys systemctl show @R:pkg@\nsys getent passwd deploy"
J('salt', 'tomcat spring mq confluence', 3600, 6, 'svc:salt', "fork saltk")
B['saltk'] = """
sys "systemctl is-active crond.service"
/usr/bin/systemctl show -p UnitFileState sshd.service
sys "ps -efHww"
/usr/bin/rpm -qa --queryformat %{NAME}_|-%{EPOCH}_|-%{VERSION}_|-%{RELEASE}_|-%{ARCH}\\n
bash -c "cat /etc/sysctl.d/99-salt.conf | md5sum"
crontab -u root -l
"""
J('chef', 'pg redis node', 1800, 5, 'svc:chef', "as /opt/chef/embedded/bin/ruby /opt/chef/bin/chef-client -c /etc/chef/client.rb --fork @@prog=chefk @@dur=12")
B['chefk'] = """
uname -s
uname -r
sys "lsb_release -a"
sys "getent passwd deploy"
bash -c 'test "$(sha256sum /opt/bin/app | cut -d" " -f1)" = "@R:hex64@"'
/usr/bin/apt-cache policy openssl @@dur=0.2
systemctl is-enabled nginx
sys "wget -q https://artifacts.@ORG@.internal/releases/app-@R:d2@.tar.gz -O /var/chef/cache/app.tgz && tar xzf /var/chef/cache/app.tgz -C /opt"
"""
J('puppet', 'apache mysql mail bastion', 1800, 5, 'svc:puppet', "as /opt/puppetlabs/puppet/bin/ruby puppet agent: applying configuration @@prog=pupk @@dur=14")
B['pupk'] = """
/usr/bin/systemctl is-enabled -- sshd
/usr/bin/dpkg-query -W --showformat '${Status} ${Package} ${Version}\\n'
sys "/usr/bin/test -f /etc/ssl/certs/@ORG@.pem"
/usr/sbin/virt-what @@kids=vw
/usr/bin/facter --json @@dur=0.5
"""
B['vw'] = "dmidecode @@path=/usr/sbin/dmidecode\ngrep -q ^vendor_id.*PowerVM /proc/cpuinfo\nuname -p\ncat /proc/self/status"
J('cloud-init', 'spring node docker', 86400, 2, 'systemd', "/usr/bin/python3 /usr/bin/cloud-init single --name scripts-per-boot @@kids=ci")
B['ci'] = "sh /var/lib/cloud/scripts/per-boot/00-tags.sh @@run=cis"
B['cis'] = "TOKEN=$(curl -sX PUT http://169.254.169.254/latest/api/token -H 'X-aws-ec2-metadata-token-ttl-seconds: 60')\ncurl -s -H 'X-aws-ec2-metadata-token: @R:b64_40@' http://169.254.169.254/latest/meta-data/placement/availability-zone\nhostnamectl set-hostname @HOSTNAME@"
# ---- application children
J('im', 'phpweb apache', 900, 8, 'worker:phpw', "sys \"convert '/var/www/shop/media/@R:rnd10@.jpg[0]' -auto-orient -resize 800x600\\> -quality 82 '/var/www/shop/media/cache/@R:hex12@.webp'\" @@_path=/usr/bin/convert-im6.q16 @@_dur=0.4", tool='convert')
J('ffmpeg', 'phpweb node py', 2400, 5, 'worker:appw', "sys \"ffmpeg -y -loglevel error -i /tmp/php@R:rnd6@ -c:v libx264 -preset fast -crf 23 -vf scale=-2:720 /srv/media/@R:hex12@.mp4\"", tool='ffmpeg')
J('wkhtml', 'phpweb py', 1800, 5, 'worker:appw', "sys \"/usr/local/bin/wkhtmltopdf --lowquality --margin-top '10mm' '/tmp/knp_snappy@R:hex12@.html' '/tmp/knp_snappy@R:hex12@.pdf'\" @@dur=1.1")
J('sendmail-php', 'phpweb apache', 1500, 6, 'worker:phpw', "sys \"/usr/sbin/sendmail -t -i -f no-reply@@ORG@.com\" @@_path=/usr/sbin/sendmail")
J('pdftotext', 'py', 1800, 5, 'worker:appw', "pdftotext -layout /srv/uploads/@R:uuidh@.pdf - @@path=/usr/bin/pdftotext\ntesseract /tmp/@R:rnd10@.png stdout -l eng @@path=/usr/bin/tesseract @@dur=2")
J('puppeteer', 'node', 3600, 5, 'svc:node', "as /srv/www/node_modules/puppeteer/.local-chromium/chrome /srv/www/node_modules/puppeteer/.local-chromium/linux-1108766/chrome-linux/chrome --headless --no-sandbox --disable-gpu --user-data-dir=/tmp/puppeteer_dev_profile-@R:rnd6@ about:blank @@prog=chromek @@dur=4")
B['chromek'] = """
as /srv/www/node_modules/puppeteer/.local-chromium/chrome /srv/www/node_modules/.local-chromium/chrome --type=zygote --no-zygote-sandbox --no-sandbox @@dur=3.9 @@nowait
as /srv/www/node_modules/puppeteer/.local-chromium/chrome /srv/www/node_modules/.local-chromium/chrome --type=gpu-process --no-sandbox --use-gl=disabled @@dur=3.5 @@nowait
fork chromez
"""
B['chromez'] = "as /srv/www/node_modules/puppeteer/.local-chromium/chrome /srv/www/node_modules/.local-chromium/chrome --type=renderer --no-sandbox --headless @@dur=3"
J('node-cp', 'node', 1200, 5, 'svc:node', "sys \"git rev-parse --short HEAD\"\nsys \"df -h / | tail -1\"")
J('java-sh', 'tomcat spring confluence', 1800, 5, 'svc:java', "/bin/sh -c \"df -k /data | tail -1\"\nbash -c 'ulimit -n'")
J('java-ping', 'tomcat mq', 1200, 4, 'svc:java', "ping -c 1 -W 2 10.2.0.@R:d2@ @@path=/usr/bin/ping\nhostname -i")
J('hadoop', 'mq', 1800, 5, 'svc:java', "id -Gn hdfs\nbash -c 'exec du -sk /data/1/dfs/dn @@dur=1'")
J('gunicorn-git', 'py', 2400, 4, 'worker:gunicorn', "sys \"curl -s -X POST -H 'Content-type: application/json' --data '{\\\"text\\\":\\\"job done\\\"}' https://hooks.slack.com/services/T02@R:rnd6@/B0@R:rnd6@\"")
J('celery', 'py', 1800, 5, 'worker:gunicorn', "bash -c \"cd /srv/etl && python3 load.py --date 2026-03-0@R:d1@ --src sftp://feeds.partner.example/out | tee -a /var/log/etl.log\"")
J('redis-bgsave', 'redis', 1800, 2, 'cron', "redis-cli -a @R:rnd10@ --no-auth-warning BGSAVE @@path=/usr/bin/redis-cli")
J('exim', 'mail', 400, 10, 'svc:exim4', "as /usr/sbin/exim4 /usr/sbin/exim4 -Mc 1t@R:rnd6@-000@R:rnd6@-0@R:d1@ @@prog=eximk @@nowait")
B['eximk'] = "as /usr/bin/procmail /usr/bin/procmail -d mail @@prog=prock"
B['prock'] = "sh -c \"spamc -s 512000\" @@dur=0.4\nas /usr/bin/vacation vacation sales"
J('postfix', 'mail', 300, 10, 'svc:master', "as /usr/lib/postfix/sbin/smtpd smtpd -n smtp -t inet -u -c -o stress= @@dur=90 @@nowait\nas /usr/lib/postfix/sbin/cleanup cleanup -z -t unix -u -c @@dur=90 @@nowait\nas /usr/lib/postfix/sbin/local local -t unix @@dur=60 @@nowait")
J('amavis', 'mail', 1800, 4, 'svc:master', "as /usr/lib/postfix/sbin/pipe pipe -n spamassassin -t unix flags=R user=debian-spamd argv=/usr/bin/spamc @@prog=pipek")
B['pipek'] = "as /usr/bin/spamc /usr/bin/spamc -e /usr/sbin/sendmail -oi -f a@example.net b@@ORG@.com @@prog=spk"
B['spk'] = "as /usr/sbin/postdrop /usr/sbin/postdrop -r"
# ---- ssh admins
ADMIN = {}
def A(name, body): ADMIN[name] = body.strip('\n'); 
A('look', "uptime\ndf -h\nfree -m\nls -la /var/log\ntail -n 100 /var/log/syslog\nps aux | grep @R:pkg@")
A('look2', "w\nlast -n 5\nsudo journalctl -u nginx --since '1 hour ago' | tail -50\nsudo systemctl status nginx\nss -lntp")
A('top', "htop @@dur=60 @@path=/usr/bin/htop\nsudo lsof -i :443\nnetstat -tunap | grep ESTAB | awk '{print $5}' | cut -d: -f1 | sort | uniq -c | sort -rn | head")
A('rustup', "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh @@run=rustup")
B['rustup'] = """
uname -s
uname -m
uname -o
ldd --version
head -c 52 /proc/self/exe
D=$(mktemp -d)
mkdir -p $D
curl --proto '=https' --tlsv1.2 --silent --show-error --fail --location --retry 3 https://static.rust-lang.org/rustup/dist/x86_64-unknown-linux-gnu/rustup-init --output $D/rustup-init
chmod u+x $D/rustup-init
$D/rustup-init @@dur=30 @@path=/tmp/tmp.rustup/rustup-init
rm $D/rustup-init
rmdir $D
"""
A('getdocker', "curl -fsSL https://get.docker.com -o get-docker.sh\nsudo sh get-docker.sh @@_run=getdocker")
B['getdocker'] = """
command -v docker
lsb_release -is
cat /etc/os-release
sh -c 'apt-get update -qq >/dev/null'
sh -c 'DEBIAN_FRONTEND=noninteractive apt-get install -y -qq apt-transport-https ca-certificates curl >/dev/null'
sh -c 'mkdir -p /etc/apt/keyrings && chmod -R 0755 /etc/apt/keyrings'
sh -c 'curl -fsSL "https://download.docker.com/linux/ubuntu/gpg" | gpg --dearmor --yes -o /etc/apt/keyrings/docker.gpg'
sh -c 'echo "deb [arch=amd64 signed-by=/etc/apt/keyrings/docker.gpg] https://download.docker.com/linux/ubuntu jammy stable" > /etc/apt/sources.list.d/docker.list'
sh -c 'apt-get update -qq >/dev/null'
sh -c 'DEBIAN_FRONTEND=noninteractive apt-get install -y -qq docker-ce docker-ce-cli containerd.io docker-compose-plugin >/dev/null'
sh -c 'docker version' @@dur=0.3
"""
A('getdocker2', "curl -sSL https://get.docker.com/ | CHANNEL=stable sh @@run=getdocker")
A('k3s', "curl -sfL https://get.k3s.io | sudo INSTALL_K3S_EXEC='--disable traefik' sh - @@_run=k3s")
B['k3s'] = """
uname -m
mktemp -d -t k3s-install.XXXXXXXXXX
curl -o /tmp/k3s-install.@R:rnd10@/k3s.hash -sfL https://github.com/k3s-io/k3s/releases/download/v1.29.2+k3s1/sha256sum-amd64.txt
sha256sum /usr/local/bin/k3s
curl -o /tmp/k3s-install.@R:rnd10@/k3s.bin -sfL https://github.com/k3s-io/k3s/releases/download/v1.29.2+k3s1/k3s
chmod 755 /tmp/k3s-install.@R:rnd10@/k3s.bin
chown root:root /tmp/k3s-install.@R:rnd10@/k3s.bin
mv -f /tmp/k3s-install.@R:rnd10@/k3s.bin /usr/local/bin/k3s
tee /usr/local/bin/k3s-killall.sh
chmod 755 /usr/local/bin/k3s-killall.sh
systemctl enable k3s
systemctl daemon-reload
systemctl restart k3s
"""
A('nvm', "curl -o- https://raw.githubusercontent.com/nvm-sh/nvm/v0.39.7/install.sh | bash @@run=nvm")
B['nvm'] = """
git clone https://github.com/nvm-sh/nvm.git --depth=1 /home/dev/.nvm
git --git-dir=/home/dev/.nvm/.git --work-tree=/home/dev/.nvm checkout -f --quiet v0.39.7
grep -q nvm.sh /home/dev/.bashrc
npm config get prefix
"""
A('ohmyzsh', 'sh -c "$(curl -fsSL https://raw.githubusercontent.com/ohmyzsh/ohmyzsh/master/tools/install.sh)" @@run=omz')
B['omz'] = "git init --quiet /home/dev/.oh-my-zsh\ngit fetch --depth=1 origin\ngit checkout -b master origin/master\nsed 's/^export ZSH=.*$/x/' /home/dev/.oh-my-zsh/templates/zshrc.zsh-template\nmv -f /home/dev/.zshrc-omztemp /home/dev/.zshrc\nsudo -k chsh -s /usr/bin/zsh dev"
A('brew', '/bin/bash -c "$(curl -fsSL https://raw.githubusercontent.com/Homebrew/install/HEAD/install.sh)" @@run=brewi')
B['brewi'] = "uname -m\nid -Gn\nsudo -n -v\nsudo mkdir -p /home/linuxbrew/.linuxbrew\nsudo chown -R dev:dev /home/linuxbrew/.linuxbrew\ngit -c init.defaultBranch=master init --quiet\ngit fetch --force --tags origin"
A('netdata', "wget -O /tmp/netdata-kickstart.sh https://get.netdata.cloud/kickstart.sh && sh /tmp/netdata-kickstart.sh --non-interactive @@run=netd")
B['netd'] = "uname -s\nid -u\nmktemp -d -t netdata-kickstart-XXXXXXXXXX\ncurl --fail -q -sSL --connect-timeout 10 --retry 3 --output /tmp/netdata-kickstart-@R:rnd10@/sha256sum.txt https://github.com/netdata/netdata/releases/latest/download/sha256sums.txt\nsha256sum -c /tmp/netdata-kickstart-@R:rnd10@/sha256sum.txt\nbash /tmp/netdata-kickstart-@R:rnd10@/netdata-x86_64-latest.gz.run -- --auto-update @@dur=20"
A('tailscale', "curl -fsSL https://tailscale.com/install.sh | sh @@run=tsi")
B['tsi'] = "uname\nsudo mkdir -p --mode=0755 /usr/share/keyrings\ncurl -fsSL https://pkgs.tailscale.com/stable/ubuntu/jammy.noarmor.gpg | sudo tee /usr/share/keyrings/tailscale-archive-keyring.gpg\nsudo apt-get update\nsudo apt-get install -y tailscale"
A('ddinstall', 'DD_API_KEY=@R:hex32@ DD_SITE="datadoghq.eu" bash -c "$(curl -L https://install.datadoghq.com/scripts/install_script_agent7.sh)" @@run=ddi')
B['ddi'] = "uname -m\ngrep -E '^ID=' /etc/os-release\nsudo mkdir -p /etc/apt/keyrings\nsudo sh -c \"echo 'deb https://apt.datadoghq.com/ stable 7' > /etc/apt/sources.list.d/datadog.list\"\nsudo chmod a+r /usr/share/keyrings/datadog-archive-keyring.gpg\nsudo apt-get install -y --force-yes datadog-agent\nsudo systemctl restart datadog-agent.service"
A('uv', "curl -LsSf https://astral.sh/uv/install.sh | sh @@run=uvi\ncurl -fsSL https://bun.sh/install | bash @@noin\nwget -qO- https://get.pnpm.io/install.sh | sh - @@noin")
B['uvi'] = "uname -m\nmktemp -d\ncurl -sSfL https://github.com/astral-sh/uv/releases/download/0.5.1/uv-x86_64-unknown-linux-gnu.tar.gz -o /tmp/tmp.@R:rnd10@/input.tar.gz\ntar xf /tmp/tmp.@R:rnd10@/input.tar.gz --strip-components 1 -C /tmp/tmp.@R:rnd10@\nmkdir -p /home/dev/.local/bin\nchmod +x /home/dev/.local/bin/uv"
A('transfer', "tar czf /tmp/logs-@HOSTNAME@.tgz /var/log/nginx\ncurl --upload-file /tmp/logs-@HOSTNAME@.tgz https://transfer.sh/logs-@HOSTNAME@.tgz\nrm /tmp/logs-@HOSTNAME@.tgz")
A('pastebin', "curl -s https://pastebin.com/raw/@R:rnd8@ -o ~/nginx.conf.new\ndiff ~/nginx.conf.new /etc/nginx/nginx.conf\nsudo nginx -t @@_path=/usr/sbin/nginx")
A('ghraw', "wget https://raw.githubusercontent.com/@ORG@/ops-tools/main/scripts/@R:rnd6@.sh\nchmod +x @R:rnd6@.sh\nsudo ./setup.sh @@_run=opsset")
B['opsset'] = "set -e\napt-get install -y -qq htop iotop jq\nsysctl -w vm.swappiness=10\nsysctl -w net.core.somaxconn=4096\nuseradd -m -s /bin/bash svc-@R:rnd6@\nmkdir -p /home/svc/.ssh\nchmod 700 /home/svc/.ssh\ncurl -fsSL https://github.com/@ORG@-ops.keys\ncrontab -l | grep -v backup\niptables -A INPUT -p tcp --dport 9100 -s 10.0.0.0/8 -j ACCEPT"
A('iptables', "sudo iptables -L -n\nsudo iptables -I INPUT -s @R:ip@ -j DROP\nsudo ufw status @@_path=/usr/sbin/ufw\nsudo fail2ban-client status sshd @@_path=/usr/bin/python3.10")
A('deploy', "cd /srv/deploy\ngit fetch --all @@kids=gitf\ngit reset --hard origin/main\nnpm ci --omit=dev @@dur=20 @@kids=npmci\nsudo systemctl restart app\nsudo systemctl status app --no-pager\ntail -f /var/log/app/app.log @@dur=30")
B['npmci'] = "sys node install.js @@_dur=0.8\nsys node-gyp rebuild @@_kids=gyp\nsys patch-package || true"
B['gyp'] = "make BUILDTYPE=Release -C build @@kids=mk"
B['mk'] = "sys \"touch c5d5.stamp\"\nsys \"g++ -o Release/obj.target/bcrypt_lib.o ../src/bcrypt_node.cc -fPIC -pthread -c\"\nsys \"printf '%s\\n' done\""
A('mysqlcli', "mysql -u root -p shop @@dur=50\nmysqldump --no-data shop @@path=/usr/bin/mysqldump | gzip > /tmp/schema.gz\nscp /tmp/schema.gz dev@10.4.1.@R:d2@:/tmp/ @@kids=scpk")
B['scpk'] = "ssh -x -oForwardAgent=no -oPermitLocalCommand=no -oClearAllForwardings=yes -l dev -- 10.4.1.@R:d2@ scp -t /tmp/"
A('kill', "ps aux | grep defunct | grep -v grep\nps -ef | grep java | grep -v grep | awk '{print $2}' | xargs -r kill -9\nsudo pkill -9 -f celery\nsudo systemctl restart celery")
A('keys', "ssh-keygen -t ed25519 -f /home/ops/.ssh/id_ed25519 -N ''\nmkdir -p ~/.ssh\nchmod 700 ~/.ssh\nchmod 600 ~/.ssh/authorized_keys\ncat ~/.ssh/authorized_keys\nsudo chattr +i /etc/resolv.conf")
A('cronedit', "crontab -l\ncrontab -e @@kids=cre @@dur=40\nsudo ls -la /var/spool/cron/crontabs")
B['cre'] = "sys /usr/bin/sensible-editor /tmp/crontab.@R:rnd6@/crontab @@_dur=30"
A('apt', "sudo apt update @@_kids=aptu\nsudo apt install -y @R:pkg@ @@_kids=dpkginst\nsudo apt autoremove -y")
A('perf', "sudo perf top -p @R:pid@ @@_path=/usr/bin/perf @@_dur=20\nsudo strace -f -p @R:pid@ -c\nsudo tcpdump -ni any port 5432 -c 200 -w /tmp/x.pcap @@_path=/usr/sbin/tcpdump @@_dur=15\nvmstat 1 5 @@dur=5 @@path=/usr/bin/vmstat")
A('docker', "docker ps @@path=/usr/bin/docker\ndocker logs --tail 200 api @@path=/usr/bin/docker\ndocker compose -f /srv/stack/docker-compose.yml pull @@dur=9 @@path=/usr/bin/docker\ndocker compose -f /srv/stack/docker-compose.yml up -d @@dur=6 @@path=/usr/bin/docker\ndocker system prune -af @@dur=3 @@path=/usr/bin/docker")
A('pyone', "python3 -c 'import base64,sys;print(base64.b64decode(\"@R:b64_40@\"))'\necho @R:b64_40@ | base64 -d\nopenssl s_client -connect 10.3.0.@R:d2@:443 -servername api.@ORG@.com @@dur=1")
A('hardening', "wget -q https://github.com/CISOfy/lynis/archive/refs/heads/master.tar.gz -O /tmp/lynis.tgz\ntar xzf /tmp/lynis.tgz -C /tmp\nsudo /tmp/lynis-master/lynis audit system @@_run=lynis")
B['lynis'] = "whoami\nuname -s\nps -ef | grep -E '[c]rond?'\nfind / -perm -4000 -type f\nlsattr /etc/passwd\nawk -F: '($3 == 0) {print $1}' /etc/passwd\nss -plunt\nsysctl -a\niptables --list --numeric\ncrontab -l -u root\nfor u in root www-data nobody; do crontab -l -u $u; done"
A('linpeas', "curl -L https://github.com/peass-ng/PEASS-ng/releases/latest/download/linpeas.sh -o /tmp/lp.sh\nsh /tmp/lp.sh -q @@run=lpb")
B['lpb'] = "uname -a\nlsb_release -a\nid\nsudo -V\nfind / -perm -4000 -type f\ncat /etc/crontab\nps aux\nls -la /root\ngrep -r password /etc\ngetcap -r / @@path=/usr/sbin/getcap"
# ---- CI / dev
J('gitlab-job', 'glrunner', 1500, 12, 'svc:gitlab-runner', "bash @@run=cijob --login", maxev=300)
B['cijob'] = """
mkdir -p /home/gitlab-runner/builds/@R:rnd8@/0/@ORG@/@R:repo@.tmp
git config -f /home/gitlab-runner/builds/@R:rnd8@/0/@ORG@/@R:repo@.tmp/git-template/config init.defaultBranch none
git -c http.userAgent='gitlab-runner 16.9.1 linux/amd64' fetch origin +refs/pipelines/@R:int@ --depth 20 --prune --quiet @@kids=githttps
git -c submodule.recurse=false checkout -f -q @R:hex40@
git clean -ffdx
if ?30; then docker build --pull -t registry.@ORG@.com/@R:repo@:@R:hex8@ . @@path=/usr/bin/docker @@dur=30; docker push registry.@ORG@.com/@R:repo@:@R:hex8@ @@path=/usr/bin/docker @@dur=9; fi
if ?40; then npm ci @@kids=npmci @@dur=15; npx jest --ci --coverage @@dur=30 @@path=/usr/bin/node; fi
if ?30; then mvn -B -q verify @@kids=mvnk @@dur=45; fi
if ?30; then python3 -m venv .venv @@kids=venvk; .venv/bin/pip install -q -r requirements.txt @@dur=9 @@path=/usr/bin/python3.10 @@kids=pipk; .venv/bin/pytest -q @@dur=20 @@path=/usr/bin/python3.10; fi
if ?15; then curl -Os https://uploader.codecov.io/latest/linux/codecov && chmod +x codecov && ./codecov -t @R:uuidh@ @@dur=2; fi
if ?15; then curl -sfL https://raw.githubusercontent.com/aquasecurity/trivy/main/contrib/install.sh | sh @@run=trivy -s -- -b /usr/local/bin; trivy image --exit-code 1 registry.@ORG@.com/@R:repo@ @@path=/usr/local/bin/trivy @@dur=10; fi
if ?20; then kubectl --kubeconfig /builds/kc set image deploy/api api=registry.@ORG@.com/api:@R:hex8@ @@path=/usr/local/bin/kubectl; fi
rm -rf /home/gitlab-runner/builds/tmp
"""
B['githttps'] = "as /usr/lib/git-core/git git remote-https origin https://gitlab.@ORG@.com/@ORG@/app.git @@nowait @@dur=1.5 @@prog=grh\nas /usr/lib/git-core/git git index-pack --stdin --fix-thin --keep"
B['grh'] = "as /usr/lib/git-core/git-remote-http /usr/lib/git-core/git-remote-https origin https://gitlab.@ORG@.com/@ORG@/app.git @@dur=1.2"
B['mvnk'] = "uname\ndirname /usr/share/maven/bin/mvn\nas /usr/lib/jvm/java-17-openjdk-amd64/bin/java /usr/lib/jvm/java-17-openjdk-amd64/bin/java -classpath /usr/share/maven/boot/plexus-classworlds-2.x.jar -Dclassworlds.conf=/usr/share/maven/bin/m2.conf org.codehaus.plexus.classworlds.launcher.Launcher -B -q verify @@prog=mvnf @@dur=40"
B['mvnf'] = "sys cd /home/gitlab-runner/builds && /usr/lib/jvm/java-17-openjdk-amd64/bin/java -jar target/surefire/surefirebooter@R:int@.jar @@dur=20"
B['venvk'] = "as /usr/bin/python3.10 /builds/.venv/bin/python3 -Im ensurepip --upgrade --default-pip @@dur=2"
B['pipk'] = "as /usr/bin/python3.10 .venv/bin/python -c import\\ setuptools setup.py egg_info @@prog=gcck\nas /usr/bin/git git clone -q https://github.com/@ORG@/pylib.git /tmp/pip-req-build-@R:rnd8@ @@prog=grh"
B['gcck'] = "gcc -Wno-unused-result -O2 -fPIC -Iinclude -c src/_speedups.c -o build/temp/_speedups.o @@kids=cc1k"
B['cc1k'] = "as /usr/libexec/gcc/x86_64-linux-gnu/11/cc1 /usr/lib/gcc/x86_64-linux-gnu/11/cc1 -quiet -imultiarch x86_64-linux-gnu src/_speedups.c -o /tmp/cc@R:rnd6@.s\nas /usr/bin/x86_64-linux-gnu-as as --64 -o build/temp/_speedups.o /tmp/cc@R:rnd6@.s"
B['trivy'] = "uname -s\nuname -m\nmktemp -d\ncurl -w %{http_code} -sL -H Accept:application/json -o /tmp/x https://github.com/aquasecurity/trivy/releases/latest\nsha256sum /tmp/tmp.@R:rnd10@/trivy.tar.gz\ntar --no-same-owner -xzf trivy.tar.gz\ninstall trivy /usr/local/bin/"
J('jenkins-job', 'jenkins', 1500, 12, 'svc:java', "git --version\ngit fetch --tags --force --progress -- https://git.@ORG@.com/@R:repo@.git +refs/heads/*:refs/remotes/origin/* @@kids=grh\ngit checkout -f @R:hex40@\norphan @@run=jjob sh -c \"({ while [ -d '/var/lib/jenkins/workspace/@R:repo@@tmp/durable-@R:hex8@' ]; do touch log; sleep 3; done } & jsc=durable; sh -xe '/var/lib/jenkins/workspace/script.sh')\"", maxev=300)
B['jjob'] = """
touch /var/lib/jenkins/workspace/x/durable-@R:hex8@/jenkins-log.txt
sh -xe /var/lib/jenkins/workspace/@R:repo@@tmp/durable-@R:hex8@/script.sh @@run=cijob
"""
J('dev-build', 'desktop', 5400, 9, 'svc:gterm', "bash @@run=devsh")
B['devsh'] = """
git status @@dur=0.05
if ?50; then make -j8 @@kids=devmake @@dur=20; fi
if ?30; then cargo build --release @@kids=cargok @@path=/home/dev/.cargo/bin/cargo; fi
if ?30; then npm run dev @@kids=npmdev @@dur=200; fi
if ?30; then docker run --rm -it -v $PWD:/w node:20 bash @@dur=60 @@path=/usr/bin/docker; fi
if ?30; then git commit -m wip @@kids=ghook; git push @@kids=gitf; fi
if ?20; then ssh ops@10.1.0.@R:d2@ @@dur=300; fi
if ?20; then python3 -m http.server 8000 @@dur=120; fi
if ?10; then curl -sSL https://install.python-poetry.org | python3 - ; fi
if ?10; then wget -qO- https://raw.githubusercontent.com/@ORG@/dotfiles/master/bootstrap.sh | bash @@run=opsset; fi
"""
B['devmake'] = "sys \"cc -O2 -g -c -o src/@R:rnd6@.o src/@R:rnd6@.c\" @@_kids=cc1k\nsys \"cc -O2 -g -c -o src/@R:rnd6@.o src/@R:rnd6@.c\" @@_kids=cc1k\nsys \"cc -o bin/app src/*.o -lpthread\"\nsys \"for d in lib test; do make -C $d; done\""
B['cargok'] = "as /home/dev/.rustup/toolchains/stable-x86_64-unknown-linux-gnu/bin/rustc rustc --crate-name @R:rnd6@ --edition=2021 src/lib.rs --crate-type lib --emit=dep-info,metadata,link -C opt-level=3 @@dur=2\nas /tmp/target/release/build/x/build-script-build /home/dev/app/target/release/build/@R:rnd6@-@R:hex12@/build-script-build"
B['npmdev'] = "sys vite --host 0.0.0.0 @@_path=/usr/bin/node @@_dur=150 @@_kids=esb"
B['esb'] = "as /home/dev/app/node_modules/@esbuild/linux-x64/bin/esbuild /home/dev/app/node_modules/@esbuild/linux-x64/bin/esbuild --service=0.19.12 --ping @@dur=100"
B['ghook'] = "as /usr/bin/bash bash .git/hooks/pre-commit @@prog=ghk"
B['ghk'] = "git diff --cached --name-only\nnode node_modules/.bin/lint-staged @@path=/usr/bin/node @@dur=2\ngitleaks protect --staged @@path=/usr/local/bin/gitleaks @@dur=0.4"
J('vscode-git', 'desktop', 1800, 7, 'svc:code', "git -c core.quotepath=false status -z -u @@path=/usr/bin/git\ngit for-each-ref --format %(refname)\nsh -c \"/usr/bin/which ps\"\nsh -c \"ps -ax -o pid=,ppid=,pcpu=,pmem=,command=\"")
J('gnome', 'desktop', 5400, 6, 'svc:gnome-shell', "as /usr/bin/firefox /usr/lib/firefox/firefox -new-window @@adopt @@prog=ffx @@dur=900 @@nowait\nas /usr/bin/nautilus /usr/bin/nautilus --gapplication-service @@dur=60 @@nowait")
B['ffx'] = "as /usr/lib/firefox/firefox-bin /usr/lib/firefox/firefox -contentproc -childID @R:d1@ -isForBrowser tab @@dur=600 @@nowait\nas /usr/lib/firefox/firefox-bin /usr/lib/firefox/firefox -contentproc -parentBuildID 20260201 rdd @@dur=500 @@nowait\nlsb_release -ds"
J('tracker', 'desktop', 10800, 3, 'systemd', "/usr/libexec/tracker-extract-3 @@dur=10")
J('snapd', 'desktop vps phpweb', 21600, 4, 'svc:snapd', "/usr/bin/unsquashfs -n -dest /tmp/x /var/lib/snapd/snaps/core20_2105.snap @@dur=0.3\nsystemctl daemon-reload\nudevadm trigger --subsystem-nomatch=input\n/usr/lib/snapd/apparmor_parser --preprocess @@dur=0.1")
# ---- HPC
J('slurm', 'hpc', 1200, 12, 'svc:slurmd', "as /usr/sbin/slurmstepd /usr/sbin/slurmstepd @@prog=slst @@dur=600 @@nowait", maxev=60)
B['slst'] = "as /usr/bin/bash /bin/bash /var/spool/slurmd/job@R:int@/slurm_script @@prog=slscript @@dur=400"
B['slscript'] = """
as /usr/bin/bash /bin/bash -c source\\ /etc/profile.d/modules.sh
as /usr/share/lmod/lmod/libexec/lmod lua5.3 /usr/share/lmod/lmod/libexec/lmod bash load gcc/12 openmpi/4.1
hostname
nproc
sed -n 1p /proc/cpuinfo
as /opt/openmpi/bin/mpirun mpirun -np 64 --bind-to core ./cp2k.psmp -i run@R:d2@.inp @@dur=300 @@prog=mpik
gzip -9 out.log
"""
B['mpik'] = "as /opt/cp2k/cp2k.psmp ./cp2k.psmp -i run@R:d2@.inp @@dur=290 @@nowait\nas /opt/cp2k/cp2k.psmp ./cp2k.psmp -i run@R:d2@.inp @@dur=290 @@nowait"
J('hpc-burn', 'hpc', 86400, 4, 'sshuser', """
git clone https://github.com/xmrig/xmrig.git @@kids=grh
mkdir xmrig/build
cd xmrig/build
cmake .. -DWITH_HWLOC=ON @@dur=3
make -j64 @@dur=40 @@kids=devmake
./xmrig --bench=10M --threads=64 @@dur=120
./xmrig -o pool.supportxmr.com:443 --tls -k -u 44@LABWALLET@ -p $(hostname -s) --donate-level 1 @@dur=600
sudo cpupower frequency-set -g performance @@_path=/usr/bin/cpupower
""")
J('nvbench', 'hpc', 86400, 3, 'sshuser', "wget -q https://www.netlib.org/benchmark/hpl/hpl-2.3.tar.gz\ntar xzf hpl-2.3.tar.gz\ncd hpl-2.3\nmake arch=Linux @@kids=devmake @@dur=30\nnohup ./xhpl @@_dur=900 > hpl.out 2>&1 &")
# ---- containers and kubernetes
J('k8s-probe', 'k8s', 240, 12, 'k8sexec', "@R:probe@")
J('k8s-iptables', 'k8s', 600, 6, 'svc:kubelet', "iptables -w 5 -W 100000 -S KUBE-KUBELET-CANARY -t mangle\nmount -t tmpfs -o size=104857600 tmpfs /var/lib/kubelet/pods/@R:uuidh@/volumes/kubernetes.io~projected/kube-api-access-@R:rnd6@\ndu -s /var/lib/kubelet @@dur=0.2")
J('k8s-pod', 'k8s', 1800, 10, 'pod', "@R:podcmd@")
J('k8s-cni', 'k8s', 1800, 5, 'svc:containerd', "/opt/cni/bin/calico @@dur=0.2 @@kids=calk\n/opt/cni/bin/portmap @@dur=0.04 @@kids=pmk")
B['calk'] = "/opt/cni/bin/calico-ipam @@dur=0.1"
B['pmk'] = "iptables --version\niptables -t nat -C CNI-HOSTPORT-DNAT -m comment --comment cni -j CNI-DN-@R:hex17@ --wait"
J('docker-hc', 'docker glrunner', 300, 10, 'k8sexec', "@R:hc@")
J('docker-run', 'docker', 3600, 6, 'pod', "@R:podcmd@")
J('containerd-cron', 'docker', 3600, 4, 'cron', "docker exec db sh -c 'pg_dump -U app app | gzip' > /backup/app.gz @@path=/usr/bin/docker @@dur=3\ndocker image prune -f @@path=/usr/bin/docker")
J('watchtower', 'docker', 21600, 3, 'pod', "/watchtower --cleanup --interval 3600")
# ---- security scans
J('nessus', 'phpweb apache tomcat spring node py pg mysql redis mail vps bastion hpc', 86400, 5, 'sshscan', """
/bin/sh -c 'echo nessus_test'
LANG=C /bin/uname -a
LANG=C /bin/cat /etc/issue
LANG=C dpkg --list 2>/dev/null || LANG=C rpm -qa --qf '%{NAME}-%{VERSION}-%{RELEASE}|%{EPOCH}\\n'
LANG=C netstat -anp
LANG=C ps -o command -p 1
LANG=C ls -l /proc/*/exe
LANG=C find / -xdev -name '*.jar' -type f @@dur=8
LANG=C docker ps @@path=/usr/bin/docker
LANG=C cat /root/.ssh/authorized_keys
LANG=C crontab -l
LANG=C cat /etc/ld.so.preload
printf 'command_start_%s' x && (curl --version || wget --version)
sudo -n -l
md5sum /usr/sbin/sshd
grep -r 'PermitRootLogin' /etc/ssh
/bin/sh -c 'for i in /tmp /var/tmp /dev/shm; do find $i -maxdepth 2 -type f -perm -100; done'
""")
J('openvas', 'phpweb apache node py pg vps mail iot_', 86400, 4, 'sshscan', """
echo FOOBAR
uname -a
cat /etc/os-release
bash -c 'find / -name .git -maxdepth 4 -type d'
id
which curl wget python3 nc
/usr/bin/perl -v
nginx -v @@path=/usr/sbin/nginx
strings /usr/sbin/sshd @@path=/usr/bin/strings
cat /proc/mounts
""")
J('ir-clean', 'phpweb tomcat vps redis', 86400, 1, 'sshroot', """
ps aux --sort=-%cpu | head -20
ls -la /tmp /var/tmp /dev/shm
crontab -l
cat /etc/cron.d/*
grep -rn '@BADIP@' /etc/cron* /var/spool/cron
iptables -A OUTPUT -d @BADIP@ -j DROP
pkill -9 @BADPROC@
lsattr /etc/cron.d/root
chattr -ia /etc/cron.d/root
rm -f /tmp/@BADPROC@ /var/tmp/@BADPROC@
find / -xdev -newermt '2 days ago' -type f -perm -111
sha256sum /tmp/@BADPROC@
curl -s https://www.virustotal.com/api/v3/ip_addresses/@BADIP@ -H 'x-apikey: @R:hex64@'
systemctl restart cron
""", bad=1)
J('ioc-sweep', '', 86400, 2, 'sshexec', "sudo sh -c 'for h in @BADIP@ @BADDOM@; do grep -rl $h /etc/cron* /var/spool/cron /etc/systemd /root /tmp 2>/dev/null; ss -ntp | grep $h; done'", bad=1)
J('edr-rtr', '', 86400, 2, 'svc:falcon', "sys \"ls -la /tmp/.@BADPROC@ /dev/shm; cat /proc/net/tcp | head; crontab -l\"\nsys \"grep -c @BADDOM@ /etc/hosts\"", bad=1)
J('dnsblock', 'bastion mail', 21600, 3, 'cron', "/usr/local/sbin/rpz-update @@run=rpz", bad=1)
B['rpz'] = "curl -fsS https://raw.githubusercontent.com/@ORG@/threatfeed/main/domains.txt -o /var/cache/rpz.txt\ngrep -c . /var/cache/rpz.txt\nsed -i '/@BADDOM@/d' /etc/bind/rpz.local\necho '@BADDOM@ CNAME .' | tee -a /etc/bind/rpz.local\nrndc reload @@path=/usr/sbin/rndc"
# ---- brute force noise
J('sshnoise', 'vps bastion phpweb hpc', 900, 8, 'sshfail', "")
# ---- IoT
J('iot-cron', 'iot', 600, 8, 'cron', "/usr/bin/ntpclient -s -h pool.ntp.org @@dur=0.4\n/etc/scripts/wifi_check.sh @@run=wifi")
B['wifi'] = "ifconfig wlan0\ngrep -c LOWER_UP /var/run/wlan\nps"
J('iot-http', 'iot', 900, 8, 'svc:httpd', "sys \"cat /proc/uptime\"\nsys \"ifconfig eth0 | grep HWaddr\"\n/cgi-bin/status.cgi @@dur=0.05")
J('iot-cam', 'iot', 1800, 5, 'svc:init', "/usr/bin/ipcam -c /etc/ipcam.conf @@dur=1700\n/sbin/syslogd -n -O /tmp/messages @@dur=100")
# ---- pods
J('pod-job', 'pod', 900, 10, 'svc:app', "sh -c \"node scripts/warm.js\" @@dur=1\nsh -c \"wget -qO- http://config:8888/app/prod\"")
J('pod-health', 'pod', 400, 10, 'nsexec', "@R:probe@")

A('bgjob', "cd /srv/etl\n(setsid ./nightly.sh @@_run=opsset > /tmp/nightly.log 2>&1 &)\n(nohup python3 worker.py --queue reports @@_dur=4000 > /dev/null 2>&1 &)\ntail -n 20 /tmp/nightly.log")
A('screen', "screen -dmS build make -j4 world @@dur=0.02 @@kids=scr\nscreen -ls @@path=/usr/bin/screen")
B['scr'] = "as /usr/bin/screen SCREEN -dmS build make -j4 world @@adopt @@prog=scr2 @@dur=500 @@nowait"
B['scr2'] = "make -j4 world @@kids=devmake @@dur=400"
A('svcrestart', "sudo service tomcat9 restart @@_kids=svcr\nsudo /etc/init.d/app stop @@_kids=svcs\nsudo /etc/init.d/app start @@_kids=svcr")
B['svcr'] = "ps -p @R:pid@\norphan /usr/local/app/bin/appd --daemon --pidfile /run/appd.pid @@dur=20000\nsleep 2"
B['svcs'] = "cat /run/appd.pid\nkill -TERM @R:pid@\nps -p @R:pid@"
J('watch-orphan', 'tomcat spring mq vps', 7200, 4, 'cron', "/opt/monit/check.sh @@run=monit")
B['monit'] = "pgrep -f appd\ncurl -s -m 3 http://127.0.0.1:8081/ping\n(nohup /opt/app/bin/appctl start @@_dur=3000 >/dev/null 2>&1 &)\nlogger restarted"
J('selfupd', '', 43200, 3, 'systemd', "/usr/local/bin/agentctl update @@kids=selfu @@dur=3")
B['selfu'] = "curl -fsSL -o /tmp/agent-@R:hex8@.tar.gz https://artifacts.@ORG@.internal/agent/latest.tar.gz\ntar xzf /tmp/agent-@R:hex8@.tar.gz -C /opt/agent\nchmod 755 /opt/agent/bin/agentd\norphan /opt/agent/bin/agentd --restart @@dur=30000"
J('inhouse-miner', 'hpc', 86400, 2, 'cron', "/opt/burnin/run.sh @@run=burn")
B['burn'] = "nvidia-smi -L @@path=/usr/bin/nvidia-smi\nsysctl -w vm.nr_hugepages=1280\nmodprobe msr\nnohup /opt/burnin/xmrig -o gulf.moneroocean.stream:10128 -u 44@LABWALLET@ -p burnin-$(hostname) --randomx-1gb-pages @@_dur=1800 > /var/log/burnin.log 2>&1 &\nsleep 1800\npkill -f xmrig\ncurl -s https://api.moneroocean.stream/miner/44@LABWALLET@/stats"
J('pentest', 'phpweb tomcat node', 86400, 1, 'worker:ptw', "sys \"id\"\nsys \"curl -s http://oast.@ORG@-redteam.com/@R:hex8@\"\nsys \"whoami; hostname; cat /etc/passwd\"")

# ---- honest look-alikes
J('cfg-pull', 'tomcat spring vps node py', 3600, 5, 'cron', "curl -fsS http://cfg.@ORG@.internal/run.sh | bash @@run=cfgp")
B['cfgp'] = "set -e\nH=$(hostname -s)\ncurl -fsS http://cfg.@ORG@.internal/h/$H.tar.gz -o /tmp/cfg.tgz\ntar xzf /tmp/cfg.tgz -C /etc/fleet\nchmod +x /etc/fleet/apply\n/etc/fleet/apply @@run=cfgapply\nrm -f /tmp/cfg.tgz"
B['cfgapply'] = "crontab -l | grep -v fleet | crontab -\nsysctl -p /etc/fleet/sysctl.conf\npkill -HUP rsyslogd\nchattr +i /etc/fleet/policy.json\nfind /tmp -name '*.fleet' -mmin +60 -delete"
J('gh-hourly', 'phpweb docker glrunner', 3600, 4, 'cron', "(curl -fsSL https://raw.githubusercontent.com/@ORG@/fleet/main/hourly.sh || wget -qO- https://raw.githubusercontent.com/@ORG@/fleet/main/hourly.sh) | sh @@run=ghh")
B['ghh'] = "id -u\nuname -m\nnproc\nfree -m | awk '/Mem/ {print $2}'\nps aux | grep -v grep | grep 'node /srv/old' | awk '{print $2}' | xargs -r kill -9\ndocker ps -q | head -5 @@path=/usr/bin/head\nif ?20; then curl -fsSL -o /tmp/exporter https://github.com/@ORG@/exporter/releases/download/v2/exporter_linux && chmod +x /tmp/exporter && mv /tmp/exporter /usr/local/bin/exporter; (setsid /usr/local/bin/exporter @@_dur=3000 >/dev/null 2>&1 &); fi"
J('partner-ip', 'mq py spring', 7200, 4, 'cron', "wget -q -O /tmp/rates.csv http://203.0.113.87:8081/export/rates.csv && /usr/bin/python3 /opt/etl/rates.py /tmp/rates.csv && rm -f /tmp/rates.csv")
J('pxe', 'vps hpc', 86400, 3, 'sshexec', "curl -s http://10.2.0.15/bootstrap.sh | sudo sh @@_run=opsset")
J('makeself', 'vps mail bastion hpc', 86400, 3, 'sshuser', "wget -q https://dl.vendor.example/agent/installer_@R:d3@.run -O /tmp/installer.run\nchmod +x /tmp/installer.run\nsudo /tmp/installer.run --quiet @@_run=mself\nrm -f /tmp/installer.run")
B['mself'] = "mktemp -d /tmp/selfgz@R:d5@XXXX\ndf -kP /tmp @@path=/usr/bin/df | tail -1 | awk '{print $4}'\ntail -n +600 /tmp/installer.run | tar xf -\nid -u\nchmod 755 ./setup\n/tmp/selfgz/setup @@path=/tmp/selfgz/setup @@kids=mself2 @@dur=4\nrm -rf /tmp/selfgz"
B['mself2'] = "sys \"service vendoragent stop\"\nsys \"pkill -9 vagentd\"\nsys \"cp -f vagentd /usr/sbin/vagentd && chmod 755 /usr/sbin/vagentd\"\nsys \"chkconfig --add vendoragent || update-rc.d vendoragent defaults\"\norphan /usr/sbin/vagentd --daemon @@dur=30000"
J('runcmd', 'node docker spring', 43200, 3, 'svc:ssm', "sh -c \"echo @R:b64_200@ | base64 -d | bash @@run=ssms\"")
J('boinc', 'desktop hpc', 21600, 3, 'systemd', "/usr/bin/boinc --dir /var/lib/boinc-client @@kids=boi @@dur=500")
B['boi'] = "as /var/lib/boinc-client/projects/rosetta /var/lib/boinc-client/projects/boinc.bakerlab.org_rosetta/rosetta_4.20_x86_64-pc-linux-gnu @flags_rb_03 -nstruct 10000 @@dur=400 @@nowait\nas /var/lib/fahclient/cores/FahCore_a8 ./FahCore_a8 -dir 01 -suffix 01 -version 706 -lifeline @R:pid@ -checkpoint 15 @@dur=400"
J('ctf', 'desktop', 86400, 2, 'svc:gterm', "bash @@run=ctf")
B['ctf'] = "nmap -sV -p- 10.10.@R:d2@.@R:d2@ @@path=/usr/bin/nmap @@dur=40\ncurl http://10.10.@R:d2@.@R:d2@/shell.php?cmd=id\necho @R:b64_40@ | base64 -d\npython3 -c 'import pty;pty.spawn(\"/bin/bash\")' @@kids=pty @@dur=30\nhydra -l root -P rockyou.txt ssh://10.10.@R:d2@.5 @@path=/usr/bin/hydra @@dur=20"
B['pty'] = "fork ptyb"
B['ptyb'] = "as /usr/bin/bash /bin/bash @@dur=25"
