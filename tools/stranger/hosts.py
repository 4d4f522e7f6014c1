import random, heapq
from sim import *

DEB = {'ubuntu20', 'ubuntu22', 'ubuntu24', 'debian10', 'debian11', 'debian12'}
RPM = {'centos7', 'rocky8', 'rhel9', 'amzn2'}

TOOLS_COMMON = set('sh bash rm mkdir chmod touch ln mv cp chown cat ls id whoami uname hostname basename dirname true tty stty sleep kill arch nproc readlink rmdir mktemp logname date wc head tail cut tr uniq seq expr which clear getconf stat sync mkfifo chgrp grep egrep fgrep awk sed sort xargs pkill pgrep crontab chattr lsattr base64 md5sum sha256sum sha1sum getent tee diff cmp env nohup setsid pidof ip sysctl w who last uptime free df mount umount lscpu dmesg lsmod modprobe rmmod insmod od ps ss find top tar gzip gunzip zcat systemctl service iptables journalctl sudo su passwd chpasswd usermod useradd userdel groupadd loginctl hostnamectl nice ionice timeout flock stdbuf taskset chroot nsenter unshare run-parts logrotate perl dd xz bzip2 openssl ssh scp sftp ssh-keygen ssh-keyscan rsync less more vi vim lsblk blkid lspci udevadm ldconfig ldd chrt setpriv runuser printenv nl tac split comm paste fold shuf numfmt install truncate mknod logger lsb_release du echo cksum file xxd rev'.split())
IOT_TOOLS = set('sh busybox rm mkdir chmod cat ls id uname cp mv ps kill killall wget tftp grep sleep echo ftpget iptables mount dd ifconfig route telnetd nc'.split())

class Host:
    is_win = False
    def __init__(s, name, role, distro, rng):
        s.name = name; s.role = role; s.distro = distro; s.rng = rng
        s.procs = []; s.forks = []; s.pre = []
        s.boots = [0.0]; s.svcs = []; s.facts = {}; s.workers = {}; s.cinits = {}
        s.arch = 'aarch64' if rng.random() < 0.12 else 'x86_64'
        s.ncpu = rng.choice((1, 2, 2, 4, 4, 8, 16))
        deb = distro in DEB
        s.deb = deb
        s.usr = '' if distro in ('debian10', 'centos7_', 'alpine', 'iot', 'debian11_') else '/usr'
        if distro in ('alpine', 'iot'): s.execlast = 'none' if distro == 'iot' else 'last'
        elif distro in ('ubuntu20', 'debian10', 'centos7', 'amzn2'): s.execlast = 'single' if not deb else 'none'
        else: s.execlast = 'last'
        s.sudo_pty = distro in ('ubuntu24', 'debian12', 'rhel9')
        s.pid_max = 4194304 if distro in ('ubuntu22', 'ubuntu24', 'debian12', 'rhel9') and rng.random() < 0.4 else 32768
        if role == 'pod': s.pid_max = 4194304
        s.forkrate = rng.choice((0.03, 0.1, 0.3, 0.8, 2.0)) if role != 'pod' else 0.0005
        s.skew = rng.gauss(0, 0.4); s.delay = rng.choice((0.2, 0.5, 1.0, 5.0))
        s.pathparent = rng.random() < 0.65
        s.tools = set(IOT_TOOLS) if distro == 'iot' else set(TOOLS_COMMON)
        if distro == 'alpine':
            s.tools -= set('bash systemctl sudo iptables journalctl chattr lsattr perl rsync ssh scp useradd usermod'.split()); s.tools |= {'wget', 'busybox', 'apk'}
            if rng.random() < 0.4: s.tools |= {'curl', 'bash'}
        elif distro != 'iot':
            if deb: s.tools |= set('apt-get apt dpkg dpkg-query apt-key apt-config update-rc.d debconf-communicate netstat lsof killall busybox'.split())
            else: s.tools |= set('yum rpm chkconfig netstat lsof killall'.split()) | ({'dnf'} if distro != 'centos7' else set())
            for x, pr in (('curl', .93), ('wget', .85), ('python3', .9), ('git', .5), ('nc', .4), ('gcc', .35), ('ifconfig', .6), ('unzip', .5), ('jq', .35), ('atop', .2), ('at', .4), ('screen', .4), ('tmux', .4), ('zip', .4), ('nmap', .05), ('bc', .6), ('make', .4), ('cc', .35), ('dig', .4), ('host', .4)):
                if rng.random() < pr: s.tools.add(x)
            if distro in ('centos7', 'amzn2'): s.tools.add('python')
        if not ({'curl', 'wget'} & s.tools): s.tools.add('wget')
        s._res = {}
        s.cronpath = '/usr/sbin/cron' if deb else '/usr/sbin/crond'
    def add(s, *tools): s.tools |= set(tools)
    def has(s, x): return x in s.tools
    LINKS = {'awk': 'mawk', 'python3': None, 'vi': 'vim.basic', 'nc': 'nc.openbsd', 'python': 'python2.7'}
    def resolve(s, x):
        r = s._res.get(x)
        if r: return r
        if s.distro in ('iot',): r = '/bin/busybox'
        elif s.distro == 'alpine': r = '/bin/' + x if x in ('bash', 'busybox') else '/usr/bin/curl' if x == 'curl' else '/usr/local/bin/' + x if x in ('node', 'python3', 'npm', 'java') else '/bin/busybox'
        else:
            y = x
            if x in ('sh',): y = 'dash' if s.deb else 'bash'
            elif x == 'awk': y = 'mawk' if s.deb else 'gawk'
            elif x == 'python3': y = {'ubuntu20': 'python3.8', 'ubuntu22': 'python3.10', 'ubuntu24': 'python3.12', 'debian10': 'python3.7', 'debian11': 'python3.9', 'debian12': 'python3.11', 'centos7': 'python3.6', 'rocky8': 'python3.6', 'rhel9': 'python3.9', 'amzn2': 'python3.7'}.get(s.distro, 'python3.11')
            elif x == 'python': y = 'python2.7'
            elif x == 'nc': y = 'nc.openbsd' if s.deb else 'ncat'
            elif x == 'vi': y = 'vim.basic' if s.deb else 'vi'
            elif x in ('iptables', 'ip6tables'): y = 'xtables-nft-multi'
            elif x in ('apt-key', 'update-rc.d'): pass
            if x in ('pkill',): y = 'pgrep'
            if x == 'lsb_release': y = 'python3.8' if False else x
            sb = x in ('iptables', 'ip6tables', 'sysctl', 'modprobe', 'rmmod', 'insmod', 'logrotate', 'service', 'useradd', 'usermod', 'userdel', 'groupadd', 'chpasswd', 'update-rc.d', 'chkconfig', 'ldconfig', 'runuser', 'ifconfig', 'blkid', 'cron', 'crond', 'sshd', 'lsmod_', 'dmidecode', 'ipset', 'chroot')
            low = x in ('sh', 'bash', 'rm', 'mkdir', 'chmod', 'touch', 'ln', 'mv', 'cp', 'chown', 'cat', 'ls', 'uname', 'hostname', 'true', 'sleep', 'kill', 'readlink', 'date', 'grep', 'egrep', 'sed', 'ps', 'tar', 'gzip', 'su', 'mount', 'umount', 'systemctl', 'ip', 'ss', 'df', 'dd', 'netstat', 'busybox', 'mktemp', 'nc', 'journalctl', 'udevadm', 'lsblk', 'which', 'dmesg')
            if sb: r = (s.usr or '') + '/sbin/' + y if x in ('iptables', 'sysctl', 'modprobe', 'rmmod', 'insmod', 'ifconfig', 'ldconfig', 'blkid', 'runuser') else '/usr/sbin/' + y
            elif low: r = (s.usr or '') + '/bin/' + y
            else: r = '/usr/bin/' + y
        s._res[x] = r
        return r
    def link(s, x):
        """an absolute path, links followed"""
        if s.distro in ('alpine', 'iot'):
            if x in ('/bin/sh', '/bin/busybox', '/bin/wget', '/bin/ls', '/bin/rm'): return '/bin/busybox'
            return x
        if x == '/bin/sh' or x == '/usr/bin/sh': return s.resolve('sh')
        if x in ('/bin/bash',): return s.resolve('bash')
        if x in ('/usr/bin/python3',): return s.resolve('python3')
        if s.usr and x.startswith(('/bin/', '/sbin/')): return '/usr' + x
        return x
    # ---- time and services
    def boot_i(s, t):
        i = 0
        while i + 1 < len(s.boots) and s.boots[i + 1] <= t: i += 1
        return i
    def deadline(s, t):
        i = s.boot_i(t)
        return s.boots[i + 1] - 5 if i + 1 < len(s.boots) else s.t_end
    def svc(s, name, t):
        return s.svcs[s.boot_i(t)].get(name)
    def adopter(s, par, t):
        if s.cinits:
            q = par; n = 0
            while q is not None and n < 60:
                if q in s.cinits: return q
                q = q.true; n += 1
        return s.svcs[s.boot_i(t)]['init']
    def worker(s, name, t):
        """a pre-fork worker of a service: ran before the log, or forked since by its master"""
        b = s.boot_i(t); slot = s.rng.randrange(4); key = (b, name, slot)
        w = s.workers.get(key)
        ep = int((t - s.boots[b]) / (s.facts.get('recycle', 5 * 3600) * (1 + slot * .37)))
        if w is None: w = s.workers[key] = {}
        p = w.get(ep)
        if p is None:
            m = s.svc(name, t)
            ts = s.boots[b] + ep * (s.facts.get('recycle', 5 * 3600) * (1 + slot * .37))
            if ep == 0 and b == 0: p = s.prep(m.path, name, ts)
            else:
                if ts < m.t + 1: ts = m.t + 1
                p = P(Task(ts, s.t_end), 'f', ts, m.path, '', m, m); s.forks.append(p)
            w[ep] = p
        return p
    def prep(s, path, name='', t0=0.0, pid=None):
        p = P(Task(t0 if pid is None else t0 - 0.5, s.t_end, pid), 'b', t0, path, '', None, None)
        s.pre.append(p)
        return p
    def setup(s, services, t_end):
        """services: name → (path, cmd)"""
        s.t_end = t_end
        for b, t in enumerate(s.boots):
            d = {}
            if s.role == 'pod':
                path, cmd = services['app']
                if b == 0: d['app'] = s.prep(path, 'app', 0.0, 1)
                else:
                    p = P(Task(t, t_end, 1), 'x', t, path, cmd, None, None); s.procs.append(p); d['app'] = p
                d['init'] = d['app']
                s.svcs.append(d); continue
            init = s.prep('/sbin/init' if s.distro in ('centos6', 'iot') else '/usr/lib/systemd/systemd' if s.usr else '/lib/systemd/systemd', 'init', t, 1)
            d['init'] = init
            tt = t + s.rng.uniform(4, 9)
            for n, (path, cmd) in services.items():
                if b == 0: d[n] = s.prep(path, n)
                elif s.rng.random() < 0.25 or n in ('kthreadd',):
                    p = P(Task(tt, t_end), 'b', tt, path, cmd, None, None); s.pre.append(p); d[n] = p
                else:
                    p = P(Task(tt, t_end), 'x', tt, path, cmd, init, init); p.end = s.deadline(tt + 1); s.procs.append(p); d[n] = p
                tt += s.rng.uniform(0.02, 0.4)
            s.svcs.append(d)

    # ---- phase 2: pids
    def assign(s):
        rng = s.rng
        seen = set(); tasks = []
        for lst in (s.procs, s.forks, s.pre):
            for p in lst:
                if id(p.task) not in seen: seen.add(id(p.task)); tasks.append(p.task)
        bs = s.boots + [s.t_end + 1e9]
        for tk in tasks:
            if tk.t1 is None: tk.t1 = s.deadline(tk.t0) if tk.t0 < s.t_end else s.t_end
            b = s.boot_i(max(tk.t0, 0)); 
            if tk.t1 > bs[b + 1] and b + 1 < len(s.boots): tk.t1 = bs[b + 1] - 1
        if s.is_win: return s.assign_win(tasks, bs)
        tasks.sort(key=lambda k: k.t0)
        alive = {}; ctr = rng.randint(700, min(s.pid_max, 60000)); b = 0; lastt = 0.0
        if s.role == 'pod': ctr = rng.randint(20, 400)
        first = [t for t in tasks if t.fixed is None and t.t0 <= 0.0]
        for tk in first:
            lo, hi = (400, 3000) if rng.random() < 0.7 and s.role != 'pod' else (300 if s.role != 'pod' else 7, ctr)
            while True:
                q = rng.randint(lo, max(hi, lo + 50))
                if q not in alive: break
            tk.pid = q; alive[q] = tk.t1
        for tk in tasks:
            if tk.fixed is not None:
                continue
            if tk.pid is not None: continue
            while b + 1 < len(s.boots) and tk.t0 >= s.boots[b + 1]:
                b += 1; alive.clear(); ctr = rng.randint(320, 460) if s.role != 'pod' else 6; lastt = tk.t0
            dt = tk.t0 - lastt; lastt = tk.t0
            gap = 1
            if dt > 0:
                m = dt * s.forkrate
                gap += int(rng.expovariate(1 / m)) if m > 0.02 else 0
            ctr += gap
            lo = 300 if s.role != 'pod' else 2
            if ctr >= s.pid_max: ctr = lo + (ctr % (s.pid_max - lo))
            while alive.get(ctr, -1) >= tk.t0:
                ctr += 1
                if ctr >= s.pid_max: ctr = lo
            tk.pid = ctr; alive[ctr] = tk.t1
    def assign_win(s, tasks, bs):
        rng = s.rng
        tasks.sort(key=lambda k: k.t0)
        alive = {}; b = 0; top = rng.choice((9000, 14000, 24000))
        for tk in tasks:
            if tk.fixed is not None: alive[tk.pid] = tk.t1; continue
            while b + 1 < len(s.boots) and tk.t0 >= s.boots[b + 1]: b += 1; alive.clear()
            while True:
                q = 4 * rng.randint(110, top // 4)
                if alive.get(q, -1) < tk.t0: break
            tk.pid = q; alive[q] = tk.t1

LROLES = [  # role, weight, services, exposes, distros
    ('phpweb', 12, {'sshd': 1, 'cron': 1, 'nginx': ('/usr/sbin/nginx', 'nginx: master process /usr/sbin/nginx -g daemon on; master_process on;'), 'php-fpm': ('/usr/sbin/php-fpm8.1', 'php-fpm: master process (/etc/php/8.1/fpm/php-fpm.conf)')}, 'php ssh'),
    ('apache', 6, {'sshd': 1, 'cron': 1, 'apache2': ('/usr/sbin/apache2', '/usr/sbin/apache2 -k start')}, 'php ssh cgi'),
    ('tomcat', 8, {'sshd': 1, 'cron': 1, 'java': ('/usr/lib/jvm/java-11-openjdk-amd64/bin/java', '/usr/lib/jvm/java-11-openjdk-amd64/bin/java -Djava.util.logging.config.file=/opt/tomcat/conf/logging.properties -classpath /opt/tomcat/bin/bootstrap.jar org.apache.catalina.startup.Bootstrap start')}, 'java ssh'),
    ('spring', 8, {'sshd': 1, 'cron': 1, 'java': ('/usr/lib/jvm/java-17-openjdk/bin/java', '/usr/bin/java -Xmx2g -jar /srv/app/service.jar --spring.profiles.active=prod')}, 'java ssh'),
    ('confluence', 3, {'sshd': 1, 'cron': 1, 'java': ('/opt/atlassian/confluence/jre/bin/java', '/opt/atlassian/confluence/jre/bin/java -Xms1024m -Xmx4096m -Dconfluence.context.path= org.apache.catalina.startup.Bootstrap start')}, 'java ssh'),
    ('mq', 3, {'sshd': 1, 'cron': 1, 'java': ('/usr/lib/jvm/java-8-openjdk-amd64/jre/bin/java', '/usr/lib/jvm/java-8-openjdk-amd64/bin/java -server -Xms4g -cp /opt/rocketmq/conf:/opt/rocketmq/lib/* org.apache.rocketmq.broker.BrokerStartup')}, 'java ssh'),
    ('node', 8, {'sshd': 1, 'cron': 1, 'node': ('/usr/bin/node', 'node /srv/www/server.js'), 'nginx': ('/usr/sbin/nginx', 'nginx: master process')}, 'node ssh'),
    ('py', 7, {'sshd': 1, 'cron': 1, 'gunicorn': ('/srv/venv/bin/python3', '/srv/venv/bin/python3 /srv/venv/bin/gunicorn -w 4 app.wsgi:application')}, 'py ssh'),
    ('pg', 7, {'sshd': 1, 'cron': 1, 'postgres': ('/usr/lib/postgresql/14/bin/postgres', '/usr/lib/postgresql/14/bin/postgres -D /var/lib/postgresql/14/main -c config_file=/etc/postgresql/14/main/postgresql.conf')}, 'pg ssh'),
    ('mysql', 5, {'sshd': 1, 'cron': 1, 'mysqld': ('/usr/sbin/mysqld', '/usr/sbin/mysqld')}, 'ssh'),
    ('redis', 5, {'sshd': 1, 'cron': 1, 'redis': ('/usr/bin/redis-check-rdb', '/usr/bin/redis-server 0.0.0.0:6379')}, 'redis ssh'),
    ('docker', 8, {'sshd': 1, 'cron': 1, 'dockerd': ('/usr/bin/dockerd', '/usr/bin/dockerd -H fd:// -H tcp://0.0.0.0:2375 --containerd=/run/containerd/containerd.sock'), 'containerd': ('/usr/bin/containerd', '/usr/bin/containerd')}, 'docker ssh'),
    ('k8s', 9, {'sshd': 1, 'cron': 1, 'kubelet': ('/usr/bin/kubelet', '/usr/bin/kubelet --config=/var/lib/kubelet/config.yaml --container-runtime-endpoint=unix:///run/containerd/containerd.sock'), 'containerd': ('/usr/bin/containerd', '/usr/bin/containerd')}, 'k8s'),
    ('jenkins', 3, {'sshd': 1, 'cron': 1, 'java': ('/usr/lib/jvm/java-17-openjdk-amd64/bin/java', '/usr/bin/java -Djava.awt.headless=true -jar /usr/share/java/jenkins.war --webroot=/var/cache/jenkins/war --httpPort=8080')}, 'java jenkins'),
    ('glrunner', 4, {'sshd': 1, 'cron': 1, 'gitlab-runner': ('/usr/bin/gitlab-runner', '/usr/bin/gitlab-runner run --working-directory /home/gitlab-runner --config /etc/gitlab-runner/config.toml --service gitlab-runner'), 'dockerd': ('/usr/bin/dockerd', '/usr/bin/dockerd -H fd://'), 'containerd': ('/usr/bin/containerd', '/usr/bin/containerd')}, 'runner'),
    ('hpc', 5, {'sshd': 1, 'cron': 1, 'slurmd': ('/usr/sbin/slurmd', '/usr/sbin/slurmd -D -s')}, 'ssh'),
    ('mail', 3, {'sshd': 1, 'cron': 1, 'master': ('/usr/lib/postfix/sbin/master', '/usr/lib/postfix/sbin/master -w'), 'exim4': ('/usr/sbin/exim4', '/usr/sbin/exim4 -bd -q30m')}, 'mail ssh'),
    ('desktop', 12, {'sshd': 1, 'cron': 1, 'gnome-shell': ('/usr/bin/gnome-shell', '/usr/bin/gnome-shell'), 'gterm': ('/usr/libexec/gnome-terminal-server', '/usr/libexec/gnome-terminal-server'), 'code': ('/usr/share/code/code', '/usr/share/code/code --type=utility')}, 'dev'),
    ('bastion', 2, {'sshd': 1, 'cron': 1}, 'ssh'),
    ('vps', 10, {'sshd': 1, 'cron': 1}, 'ssh weak'),
    ('iot', 8, {'telnetd': ('/bin/busybox', 'telnetd'), 'httpd': ('/usr/sbin/httpd', '/usr/sbin/httpd -p 80'), 'cron': ('/bin/busybox', 'crond')}, 'iot'),
    ('pod', 8, {'app': None}, 'pod'),
]
