"""Engine: hosts, tasks (pids), process images, and a small shell interpreter which emits exec events
with the process tree that the real shell would make."""
import re, random, base64, hashlib, bisect, heapq

DAY = 86400.0

class Stop(Exception): pass

class Task:
    __slots__ = ('t0', 't1', 'pid', 'fixed')
    def __init__(s, t0, t1=None, fixed=None):
        s.t0 = t0; s.t1 = t1; s.pid = fixed; s.fixed = fixed

class P:
    """one image in one task. kind: x exec event, f unlogged fork, b ran before the log / unseen by the sensor"""
    __slots__ = ('task', 'kind', 't', 'end', 'path', 'cmd', 'par', 'true', 'adopt', 'gang', 'inc', 'step', 'id', 'lost', 'seq')
    def __init__(s, task, kind, t, path, cmd, par, true, adopt=None):
        s.task = task; s.kind = kind; s.t = t; s.end = None; s.path = path; s.cmd = cmd
        s.par = par; s.true = true; s.adopt = adopt; s.gang = None; s.inc = None; s.step = None; s.id = None; s.lost = False

# ------------------------------------------------------------------ shell parser
OPS = ('&&', '||', ';;', ';', '&', '|', '(', ')')
_cache = {}

def tokenize(s):
    i = 0; n = len(s); out = []
    while i < n:
        c = s[i]
        if c in ' \t': i += 1; continue
        if c == '\\' and i + 1 < n and s[i+1] == '\n': i += 2; continue
        if c == '\n': out.append(('op', ';')); i += 1; continue
        if c == '#' :
            while i < n and s[i] != '\n': i += 1
            continue
        # redirections
        m = re.match(r'(\d?>&\d|\d?>&-|\d?>&|&>>?|\d?<>|\d?>>?|<<<|\d?<)[ \t]*', s[i:]) if c in '<>&0123456789' else None
        if m and not (c == '&' and not m.group(0).startswith('&>')) and not (c.isdigit() and m.group(1)[1:2] not in ('>', '<')):
            r = m.group(1); i += len(m.group(0))
            if not re.match(r'\d?>&[\d-]$', r):
                j = wordend(s, i); out.append(('r', (r, s[i:j]))); i = j
            continue
        for op in OPS:
            if s.startswith(op, i):
                out.append(('op', op)); i += len(op); break
        else:
            j = wordend(s, i)
            if j == i: raise SyntaxError(s[i:i+60])
            out.append(('w', s[i:j])); i = j
    return out

def wordend(s, i):
    n = len(s)
    while i < n:
        c = s[i]
        if c == '\\': i += 2; continue
        if c == "'":
            i = s.index("'", i + 1) + 1; continue
        if c == '"':
            i += 1
            while s[i] != '"':
                if s[i] == '\\': i += 2; continue
                if s.startswith('$(', i): i = paren(s, i + 2); continue
                i += 1
            i += 1; continue
        if s.startswith('$(', i): i = paren(s, i + 2); continue
        if s.startswith('${', i): i = s.index('}', i) + 1; continue
        if c == '`': i = s.index('`', i + 1) + 1; continue
        if c in ' \t\n;&|()<>': return i
        i += 1
    return n

def paren(s, i):
    d = 1
    while d:
        c = s[i]
        if c == '\\': i += 2; continue
        if c == "'": i = s.index("'", i + 1) + 1; continue
        if c == '"':
            i += 1
            while s[i] != '"':
                if s[i] == '\\': i += 2; continue
                if s.startswith('$(', i): i = paren(s, i + 2); continue
                i += 1
            i += 1; continue
        if c == '(': d += 1
        elif c == ')': d -= 1
        i += 1
    return i

RES = {'then', 'fi', 'else', 'elif', 'do', 'done', '}'}

class Parser:
    def __init__(s, text):
        s.tk = tokenize(text); s.i = 0; s.n = 0; s.seen = {}
    def peek(s):
        return s.tk[s.i] if s.i < len(s.tk) else None
    def word(s):
        p = s.peek()
        return p[1] if p and p[0] == 'w' else None
    def skip(s):
        while s.peek() == ('op', ';'): s.i += 1
    def lst(s, ends=()):
        items = []
        while True:
            s.skip()
            p = s.peek()
            if p is None or p == ('op', ')') or p == ('op', ';;') or (p[0] == 'w' and p[1] in ends): break
            a = s.pipe()
            p = s.peek(); sep = ';'
            if p and p[0] == 'op' and p[1] in ('&&', '||', '&', ';'):
                sep = p[1]; s.i += 1
                if sep in ('&&', '||'): s.skip()
            items.append((a, sep))
        return ('list', items)
    def pipe(s):
        if s.word() == '!': s.i += 1
        parts = [s.cmd()]
        while s.peek() == ('op', '|'):
            s.i += 1; s.skip(); parts.append(s.cmd())
        return parts[0] if len(parts) == 1 else ('pipe', parts)
    def expect(s, w):
        s.skip()
        if s.word() != w: raise SyntaxError('expected %s at %s' % (w, s.tk[max(0, s.i-6):s.i+4]))
        s.i += 1
    def redirs(s):
        while s.peek() and s.peek()[0] == 'r': s.i += 1
    def cmd(s):
        p = s.peek()
        if p == ('op', '('):
            s.i += 1; b = s.lst(); assert s.peek() == ('op', ')'), s.tk[max(0, s.i-5):s.i+3]; s.i += 1; s.redirs(); return ('sub', b)
        w = s.word()
        if w == '{':
            s.i += 1; b = s.lst(('}',)); s.expect('}'); s.redirs(); return ('brace', b)
        if w == 'if':
            s.i += 1; arms = []; els = None
            c = s.lst(('then',)); s.expect('then'); b = s.lst(('fi', 'else', 'elif')); arms.append((c, b))
            while s.word() == 'elif':
                s.i += 1; c = s.lst(('then',)); s.expect('then'); b = s.lst(('fi', 'else', 'elif')); arms.append((c, b))
            if s.word() == 'else':
                s.i += 1; els = s.lst(('fi',))
            s.expect('fi'); s.redirs(); return ('if', arms, els)
        if w == 'for':
            s.i += 1; v = s.word(); s.i += 1; ws = []
            s.expect('in')
            while s.peek() and s.peek()[0] == 'w': ws.append(s.word()); s.i += 1
            s.expect('do'); b = s.lst(('done',)); s.expect('done'); s.redirs(); return ('for', v, ws, b)
        if w == 'while':
            s.i += 1; c = s.lst(('do',)); s.expect('do'); b = s.lst(('done',)); s.expect('done'); s.redirs(); return ('while', c, b)
        words = []; asg = []; meta = {}
        if w and s.i + 2 < len(s.tk) and s.tk[s.i+1] == ('op', '(') and s.tk[s.i+2] == ('op', ')'):
            s.i += 3; s.skip(); b = s.cmd(); return ('func', w, b)
        while True:
            p = s.peek()
            if p is None: break
            if p[0] == 'r': s.i += 1; continue
            if p[0] != 'w': break
            x = p[1]
            if x.startswith('@@'):
                k, _, v = x[2:].partition('='); meta[k] = v; s.i += 1; continue
            m = re.match(r'([A-Za-z_]\w*)=', x)
            if m and not words: asg.append((m.group(1), x[m.end():])); s.i += 1; continue
            if words and x in RES and False: break
            words.append(x); s.i += 1
        if not words and not asg and not meta: raise SyntaxError('empty command at %s' % (s.tk[max(0, s.i-5):s.i+3],))
        raw = ' '.join(words); k = s.seen[raw] = s.seen.get(raw, 0) + 1
        if k > 1: raw += ' #%d' % k
        return ('s', words, asg, meta, raw)

def parse(text):
    a = _cache.get(text)
    if a is None:
        p = Parser(text); a = p.lst()
        if p.i < len(p.tk): raise SyntaxError('left: %r in %r' % (p.tk[p.i:p.i+5], text[:200]))
        if len(_cache) > 60000: _cache.clear()
        _cache[text] = a
    return a

_wc = {}
def wparts(w):
    """word → list of (type, value, quoted)"""
    r = _wc.get(w)
    if r is not None: return r
    out = []; lit = []
    def flush(q):
        if lit: out.append(('l', ''.join(lit), q)); lit.clear()
    i = 0; n = len(w); q = False; anyq = False
    while i < n:
        c = w[i]
        if c == '\\' :
            if q and w[i+1:i+2] not in ('"', '$', '\\', '`'): lit.append(c); i += 1; continue
            lit.append(w[i+1:i+2]); i += 2; continue
        if c == "'" and not q:
            j = w.index("'", i + 1); flush(q); out.append(('l', w[i+1:j], True)); i = j + 1; continue
        if c == '"': flush(q); q = not q; anyq = True; i += 1; continue
        if w.startswith('$(', i):
            j = paren(w, i + 2); flush(q); out.append(('c', w[i+2:j-1], q)); i = j; continue
        if c == '`':
            j = w.index('`', i + 1); flush(q); out.append(('c', w[i+1:j], q)); i = j + 1; continue
        m = re.match(r'\$(\{[^}]*\}|[A-Za-z_]\w*|[0-9@#*?!$])', w[i:]) if c == '$' else None
        if m:
            flush(q); v = m.group(1).strip('{}'); out.append(('v', v, q)); i += len(m.group(0)); continue
        if c == '~' and i == 0 and not q and (n == 1 or w[1] == '/'):
            lit.append('\0HOME\0'); i += 1; continue
        lit.append(c); i += 1
    flush(q)
    if anyq and not out: out.append(('l', '', True))
    if len(_wc) > 100000: _wc.clear()
    _wc[w] = out
    return out

BUILTIN = set('cd echo export test [ true false exit return read printf kill ulimit umask set unset alias type command wait trap eval exec source . local let shift history : pwd jobs hash declare shopt bg fg disown logout'.split())
SHELLS = {'sh', 'bash', 'dash', 'ash', 'zsh', 'rbash'}
INPLACE = {'nohup', 'setsid', 'env', 'nice', 'ionice', 'stdbuf', 'chroot', 'taskset', 'chrt', 'catchsegv', 'systemd-cat', 'eatmydata', 'tini', 'dumb-init', 'gosu', 'su-exec', 'setpriv', 'unbuffer_'}
FORKWRAP = {'timeout', 'sudo', 'time', 'strace', 'flock', 'proot', 'unshare', 'nsenter', 'doas', 'systemd-inhibit', 'runuser', 'script_', 'cpulimit'}

# mean durations (seconds)
DUR = {}
def _d(v, names):
    for x in names.split(): DUR[x] = v
_d(0.0015, 'rm mkdir chmod touch ln mv cp chown cat ls id whoami uname hostname basename dirname true tty stty sleep0 kill arch nproc readlink rmdir mktemp logname date wc head tail cut tr uniq seq expr which test clear getconf stat sync mkfifo chgrp')
_d(0.004, 'grep egrep fgrep awk gawk mawk sed sort xargs pkill pgrep killall crontab chattr lsattr base64 md5sum sha256sum getent tee diff cmp env nohup setsid pidof ip ifconfig sysctl w who last uptime free df mount umount lscpu dmesg lsmod modprobe insmod file od xxd hexdump rev')
_d(0.02, 'ps netstat ss lsof systemctl service iptables ip6tables nft ipset find top tar gzip gunzip zcat unzip perl lspci dmidecode git dpkg-query rpm journalctl sudo su passwd chpasswd usermod useradd userdel groupadd loginctl hostnamectl update-rc.d chkconfig lsb_release')
_d(0.06, 'python3 python python2 node ruby php java redis-cli mysql psql openssl gpg jq kubectl docker crictl helm aws gcloud az ssh scp sftp rsync nc ncat')
_d(0.6, 'curl wget tftp ftpget lwp-download fetch ftp lftp axel git-remote-https')
_d(4.0, 'apt-get apt yum dnf make gcc cc1 cc npm mvn pip pip3 gradle go cargo cmake dpkg')

def hsh(*a):
    return int.from_bytes(hashlib.blake2b(repr(a).encode(), digest_size=8).digest(), 'big')

SUBRE = re.compile(r'@(R:\w+|B64:\w+|[A-Z][A-Z0-9_]*)@')
METARE = re.compile(r'\s*@@\w+(=[^\s;)|&\'"]+)?')

class Ctx:
    """one activity on one host: a gang's incident or a benign job"""
    def __init__(s, host, rng, t, gang=None, inc=None, subs=None, bodies=None, facts=None, deadline=None):
        s.h = host; s.rng = rng; s.gang = gang; s.inc = inc; s.subs = subs if subs is not None else {}
        s.bodies = bodies or {}; s.facts = facts or {}; s.deadline = deadline if deadline is not None else host.deadline(t)
        s.nev = 0; s.limit = 4000
    def sub(s, x):
        if '@' not in x: return x
        for _ in range(4):
            y = SUBRE.sub(s._one, x)
            if y == x: break
            x = y
        return x
    def _one(s, m):
        k = m.group(1)
        if k in s.subs: return str(s.subs[k])
        if k.startswith('B64:'):
            b = s.bodies.get(k[4:])
            if b is None: return m.group(0)
            b = METARE.sub('', s.sub(b)).strip()
            return base64.b64encode(b.encode()).decode()
        if k.startswith('R:'): return randval(k[2:], s.rng)
        if k == 'HOSTNAME': return s.h.name
        if k == 'USER': return s.facts.get('user', 'root')
        return m.group(0)

STEPS = {}      # (gang, scene) -> {key: n}
SCENES = {}     # gang -> {scene: n}
def step_of(gang, scene, key):
    sc = SCENES.setdefault(gang, {}); a = sc.setdefault(scene, len(sc) + 1)
    d = STEPS.setdefault((gang, scene), {}); b = d.setdefault(key, len(d) + 1)
    return '%d.%d' % (a, b)

class Sh:
    __slots__ = ('p', 'ctx', 'vars', 'funcs', 'mode', 'scene', 'loop', 'cwd', 'inter', 'nested', 'dead', 'upfail')
    def __init__(s, p, ctx, mode, scene, vars=None, funcs=None, cwd='/', loop=''):
        s.p = p; s.ctx = ctx; s.mode = mode; s.scene = scene; s.vars = vars if vars is not None else {}
        s.funcs = funcs if funcs is not None else {}; s.loop = loop; s.cwd = cwd; s.inter = False; s.nested = 0; s.dead = False; s.upfail = False
    def fork(s, p):
        n = Sh(p, s.ctx, s.mode, s.scene, dict(s.vars), s.funcs, s.cwd, s.loop); n.nested = s.nested
        return n

class Exit(Exception):
    def __init__(s, t, rc): s.t = t; s.rc = rc
class Ret(Exception):
    def __init__(s, t, rc): s.t = t; s.rc = rc

def sim_spawn(ctx, par, t, path, cmd, scene, key, dur=None, adopt=False, true=None):
    """fork+exec: new task"""
    h = ctx.h
    if t <= par.t: t = par.t + 0.004
    if t >= ctx.deadline or ctx.nev >= ctx.limit: raise Stop
    ad = None
    if adopt:
        i = h.adopter(par, t)
        if i is not None and i.kind == 'b': ad = i
    p = P(Task(t), 'x', t, path, ctx.sub(cmd), par, true or par, ad)
    finish(ctx, p, scene, key)
    if dur is not None: setend(p, t + dur)
    return p

def inplace(ctx, prev, t, path, cmd, scene, key, adopt=None):
    """exec in the same task"""
    if t >= ctx.deadline: raise Stop
    p = P(prev.task, 'x', t, path, ctx.sub(cmd), prev.par, prev.true if prev.kind != 'f' else prev.true, prev.adopt)
    if adopt and p.adopt is None:
        i = ctx.h.adopter(prev, t)
        if i is not None and i.kind == 'b': p.adopt = i
    if prev.kind == 'x': prev.end = t
    finish(ctx, p, scene, key)
    return p

def finish(ctx, p, scene, key):
    if '@@' in p.cmd: p.cmd = METARE.sub('', p.cmd)
    if len(p.cmd) > 4096: p.cmd = p.cmd[:4096]
    if ctx.gang:
        p.gang = ctx.gang; p.inc = ctx.inc; p.step = step_of(ctx.gang, scene, key)
    ctx.nev += 1
    ctx.h.procs.append(p)

def sim_fork(ctx, par, t):
    if t <= par.t: t = par.t + 0.002
    if t >= ctx.deadline: raise Stop
    p = P(Task(t), 'f', t, par.path, '', par, par)
    ctx.h.forks.append(p)
    return p

def setend(p, t):
    p.end = t
    if p.task.t1 is None or p.task.t1 < t: p.task.t1 = t

def jit(rng, m):
    return m * (0.35 + rng.expovariate(1.5))

_cc = {}
def ctext(w, sh):
    """a word of a program's own: nothing in it is expanded"""
    r = _cc.get(w)
    if r is None:
        out = []; i = 0; q = None
        while i < len(w):
            c = w[i]
            if q == "'":
                if c == "'": q = None
                else: out.append(c)
                i += 1; continue
            if c == '\\' and (q is None or w[i+1:i+2] in ('"', '$', '\\', '`')): out.append(w[i+1:i+2]); i += 2; continue
            if c == '"': q = None if q else '"'; i += 1; continue
            if c == "'" and q is None: q = "'"; i += 1; continue
            out.append(c); i += 1
        r = _cc[w] = ''.join(out)
    return [r]

def expand(w, sh, t):
    """→ fields, t"""
    if sh.mode == 'prog' and ('$' in w or '`' in w): return ctext(w, sh), t
    parts = wparts(w)
    if len(parts) == 1 and parts[0][0] == 'l':
        x = parts[0][1]
        if '\0' in x: x = x.replace('\0HOME\0', sh.vars.get('HOME', '/root'))
        return [x], t
    fields = ['']; started = False
    for ty, v, q in parts:
        if ty == 'l':
            fields[-1] += v.replace('\0HOME\0', sh.vars.get('HOME', '/root')); started = True; continue
        if ty == 'v':
            name = re.split(r'[:#%/-]', v, maxsplit=1)[0] if v[:1] not in '#@*?!$' else v
            x = sh.vars.get(name)
            if x is None and ':-' in v: x = v.split(':-', 1)[1]
            if x is None: x = ''
            x = str(x)
        else:
            lines, t = cmdsub(v, sh, t)
            x = '\n'.join(lines) if q else ' '.join(lines)
        if q: fields[-1] += x; started = True
        else:
            ws = x.split()
            if ws:
                fields[-1] += ws[0]; fields.extend(ws[1:]); started = True
    if not started and fields == ['']: return [], t
    return fields, t

def cmdsub(text, sh, t):
    ast = parse(text); items = ast[1]
    t += 0.0004
    if len(items) == 1 and items[0][0][0] == 's':
        l0 = sh.loop; sh.loop += '$'
        try: t, rc, out = run_simple(items[0][0], sh, t, None)
        except Exit as e: return [], e.t
        finally: sh.loop = l0
        return out or [], t
    if sh.mode == 'prog': f = sh.p
    else: f = sim_fork(sh.ctx, sh.p, t)
    s2 = sh.fork(f); s2.loop = sh.loop + '$' + text[:60]
    try: t, rc, out = run_list(ast, s2, t + 0.0003, None)
    except Exit as e: t = e.t; out = []
    if f is not sh.p: setend(f, t)
    return out or [], t

def run_list(ast, sh, t, stdin, last=False):
    """last: the shell will exit afterwards, so its last simple command may replace it"""
    rc = 0; out = []
    items = ast[1]; n = len(items); i = 0
    while i < n:
        node, sep = items[i]
        if sep == '&':
            run_async(node, sh, t)
            t += 0.0006; rc = 0; i += 1; continue
        lastone = last and i == n - 1
        t, rc, o = run_node(node, sh, t, stdin, lastone)
        if o: out = out + o
        i += 1
        while i <= n - 1 and sep in ('&&', '||') and ((sep == '&&') != (rc == 0)):
            # skip the next item of the and-or list
            sep = items[i][1]; i += 1
        if sh.dead: break
    return t, rc, out

def run_async(node, sh, t):
    ctx = sh.ctx
    try:
        if node[0] == 's':
            s2 = sh.fork(sh.p); s2.loop = sh.loop
            run_simple(node, s2, t + 0.0004, None, bg=True)
        else:
            f = sim_fork(ctx, sh.p, t); s2 = sh.fork(f)
            s2.loop = sh.loop
            e, _, _ = run_node(node, s2, t + 0.0005, None, False)
            setend(f, e)
    except Stop: pass
    except Exit as e: pass

def run_node(node, sh, t, stdin, last=False):
    k = node[0]; ctx = sh.ctx
    if k == 's': return run_simple(node, sh, t, stdin, last=last)
    if k == 'list': return run_list(node, sh, t, stdin, last)
    if k == 'brace': return run_list(node[1], sh, t, stdin, False)
    if k == 'pipe': return run_pipe(node, sh, t, stdin)
    if k == 'sub':
        items = node[1][1]
        f = sim_fork(ctx, sh.p, t); s2 = sh.fork(f)
        if len(items) == 1 and items[0][1] == '&':      # ( cmd & ): the fork exits at once
            inner = items[0][0]
            adopt = ctx.rng.random() < 0.7
            setend(f, t + 0.0015)
            try:
                if inner[0] == 's': run_simple(inner, s2, t + 0.002, None, bg=True, adopt=adopt)
                else:
                    f2 = sim_fork(ctx, f, t + 0.001); e, _, _ = run_node(inner, s2.fork(f2), t + 0.002, None); setend(f2, e)
            except (Stop, Exit): pass
            return t + 0.002, 0, []
        try: e, rc, out = run_list(node[1], s2, t + 0.0005, stdin, ctx.h.execlast != 'none')
        except Exit as x: e, rc, out = x.t, x.rc, []
        setend(f, e)
        return e, rc, out
    if k == 'if':
        for c, b in node[1]:
            t, rc, _ = run_list(c, sh, t, None)
            if rc == 0: return run_list(b, sh, t, stdin)
        if node[2]: return run_list(node[2], sh, t, stdin)
        return t, 0, []
    if k == 'for':
        items = []; fixed = True
        for w in node[2]:
            pr = wparts(w)
            if any(x[0] != 'l' for x in pr): fixed = False
            f, t = expand(w, sh, t)
            for x in f: items.append(x)
        l0 = sh.loop; out = []; rc = 0
        for ix, x in enumerate(items):
            sh.vars[node[1]] = x
            sh.loop = l0 + ('/' + x if fixed else '/*%d' % ix)
            t, rc, o = run_list(node[3], sh, t, stdin)
            if o: out += o
            if sh.dead: break
        sh.loop = l0
        return t, rc, out
    if k == 'while':
        l0 = sh.loop; out = []; rc = 0
        c = node[1][1]
        isread = c and c[0][0][0] == 's' and c[0][0][1][:1] == ['read']
        sh.loop = l0 + '/w'
        if isread:
            var = [w for w in c[0][0][1][1:] if not w.startswith('-')]
            for ix, line in enumerate((stdin or [])[:60]):
                sh.loop = l0 + '/w%d' % ix
                ws = line.split(None, len(var) - 1) if len(var) > 1 else [line]
                for v, x in zip(var, ws): sh.vars[v] = x
                t, rc, o = run_list(node[2], sh, t, None)
                if sh.dead: break
        else:
            for ix in range(int(sh.ctx.facts.get('loops', 3))):
                sh.loop = l0 + '/w%d' % ix
                t, rc, _o = run_list(node[1], sh, t, None)
                if rc: break
                t, rc, _o = run_list(node[2], sh, t, None)
                if sh.dead: break
        sh.loop = l0
        return t, 0, out
    if k == 'func':
        sh.funcs[node[1]] = node[2]; return t, 0, []
    raise ValueError(k)

def run_pipe(node, sh, t, stdin):
    parts = node[1]; ctx = sh.ctx; data = stdin; rc = 0; tt = t; end = t; ups = []
    for j, c in enumerate(parts):
        st = tt + 0.0003 * (1 + ctx.rng.random())
        if c[0] == 's' and not is_internal(c, sh):
            # a reader shell runs its lines only once the feed has come
            feed = end if j else None
            sh.upfail = j > 0 and rc in (7, 127)
            try: e, rc, o = run_simple(c, sh, st, data if j else stdin, feed=feed, piped=True)
            finally: sh.upfail = False
        elif c[0] == 's' :
            # a builtin at the head of a pipe: forked, nothing exec'd (seen by nobody), unless it is a substitution
            f = sim_fork(ctx, sh.p, st); s2 = sh.fork(f)
            try: e, rc, o = run_simple(c, s2, st + 0.0002, data)
            except Exit as x: e, rc, o = x.t, x.rc, []
            setend(f, e)
        else:
            f = sim_fork(ctx, sh.p, st); s2 = sh.fork(f)
            b0 = max(st + 0.0003, end if j and c[0] in ('while', 'for') else 0)
            try:
                if c[0] == 'sub': e, rc, o = run_list(c[1], s2, b0, data, ctx.h.execlast != 'none')
                else: e, rc, o = run_node(c, s2, b0, data)
            except Exit as x: e, rc, o = x.t, x.rc, []
            setend(f, e)
        data = o or []
        tt = st
        end = max(end, e) + 0.0003
    return end, rc, data

def is_internal(c, sh):
    w = c[1]
    if not w: return True
    return w[0] in BUILTIN or w[0] in sh.funcs or w[0].startswith('?')

def cond(name, sh):
    ctx = sh.ctx
    neg = name.startswith('!')
    if neg: name = name[1:]
    if name.isdigit(): r = ctx.rng.random() * 100 < int(name)
    elif name.startswith('has:'): r = ctx.h.has(name[4:])
    elif name in ctx.facts: r = bool(ctx.facts[name])
    elif name in ctx.h.facts: r = bool(ctx.h.facts[name])
    else: r = False
    return r != neg

def run_simple(node, sh, t, stdin, last=False, bg=False, feed=None, piped=False, adopt=False):
    _, words, asg, meta, raw = node
    ctx = sh.ctx
    if words and words[0].startswith('?'):
        return t, 0 if cond(words[0][1:], sh) else 1, []
    argv = []
    for w in words:
        f, t = expand(w, sh, t)
        argv.extend(f)
    rc = 0
    for k, w in asg:
        f, t = expand(w, sh, t)
        if not words: sh.vars[k] = ' '.join(f)
    if not argv: return t, 0, []
    a0 = argv[0]
    if a0 in sh.funcs and sh.mode != 'prog':
        s = sh; old = {k: s.vars.get(k) for k in '123456'}
        for i, x in enumerate(argv[1:7]): s.vars[str(i + 1)] = x
        ol = sh.loop; sh.loop += '/f:' + raw
        try: t, rc, o = run_node(sh.funcs[a0], sh, t, stdin)
        except Ret as r: t, rc, o = r.t, r.rc, []
        sh.loop = ol
        for k, x in old.items():
            if x is None: s.vars.pop(k, None)
            else: s.vars[k] = x
        return t, rc, o
    if sh.mode == 'prog' and a0 in PROG: return PROG[a0](argv, sh, t, meta, raw)
    if a0 in BUILTIN and sh.mode != 'prog': return builtin(argv, sh, t, stdin, meta, raw, last, bg)
    return launch(argv, sh, t, stdin, meta, raw + sh.loop, last=last, bg=bg, feed=feed, adopt=adopt)

def builtin(argv, sh, t, stdin, meta, raw, last, bg):
    ctx = sh.ctx; a0 = argv[0]; t += 0.00005
    if a0 == 'cd':
        d = argv[1] if len(argv) > 1 else sh.vars.get('HOME', '/root')
        if 'fail' in meta and ctx.rng.random() * 100 < float(meta['fail']): return t, 1, []
        sh.cwd = d if d.startswith('/') or d.startswith('@') else sh.cwd.rstrip('/') + '/' + d
        return t, 0, []
    if a0 in ('echo', 'printf'): return t, 0, [' '.join(x for x in argv[1:] if not x.startswith('-'))]
    if a0 == 'exit':
        raise Exit(t, int(argv[1]) if len(argv) > 1 and argv[1].isdigit() else 0)
    if a0 == 'return': raise Ret(t, 0)
    if a0 in ('false',): return t, 1, []
    if a0 in ('type', 'command', 'hash'):
        x = [y for y in argv[1:] if not y.startswith('-')]
        if a0 == 'command' and x and '-v' not in argv: return launch(x, sh, t, stdin, meta, raw + sh.loop, last=last, bg=bg)
        ok = ctx.h.has(x[0]) if x else True
        return t, 0 if ok else 1, [ctx.h.resolve(x[0])] if ok and x else []
    if a0 == 'eval': return run_list(parse(' '.join(argv[1:])), sh, t, stdin)
    if a0 in ('source', '.'):
        b = meta.get('run')
        if b: return run_list(parse(ctx.bodies[b]), sh, t, stdin)
        return t, 0, []
    if a0 == 'exec':
        r = argv[1:]; name = None
        if not r: return t, 0, []
        if r[0] == '-a': name = r[1]; r = r[2:]
        out = launch(r, sh, t, stdin, meta, raw + sh.loop, last=True, force=True, argv0=name)
        sh.dead = True
        return out
    if a0 in ('export', 'local', 'declare'):
        for x in argv[1:]:
            if '=' in x: k, v = x.split('=', 1); sh.vars[k] = v
        return t, 0, []
    if a0 in ('[', 'test'):
        if 'fail' in meta: return t, 1 if ctx.rng.random() * 100 < float(meta['fail']) else 0, []
        return t, 0, []
    if a0 == 'read': return t, 0 if stdin else 1, []
    if a0 == 'sleep0': return t, 0, []
    return t, 0, []

def fdur(rng, name, meta, argv):
    if 'dur' in meta:
        v = meta['dur']
        if '-' in v: a, b = v.split('-'); return rng.uniform(float(a), float(b))
        return float(v)
    if name == 'sleep':
        try: return float(re.sub(r'[^\d.]', '', argv[1]) or 1) * (60 if argv[1].endswith('m') else 3600 if argv[1].endswith('h') else 1)
        except Exception: return 1.0
    return jit(rng, DUR.get(name, 0.03))

def outputs(name, argv, ctx, meta, stdin):
    rng = ctx.rng; h = ctx.h
    if 'lines' in meta:
        kind, _, n = meta['lines'].partition(':'); n = int(n or 1)
        return [gen_line(kind, ctx, i) for i in range(rng.randint(max(0, n // 2), n))]
    if 'out' in meta: return [meta['out']]
    if name == 'uname':
        if '-m' in argv: return [h.arch]
        return ['Linux']
    if name == 'arch': return [h.arch]
    if name == 'nproc': return [str(h.ncpu)]
    if name == 'id': return ['0' if ctx.facts.get('root') else '33'] if '-u' in argv else ['uid=0(root)']
    if name == 'whoami': return [ctx.facts.get('user', 'root' if ctx.facts.get('root') else 'www-data')]
    if name == 'hostname': return [h.name]
    if name == 'date': return [str(1772323200 + rng.randint(0, 300000))]
    if name in ('mktemp',): return ['/tmp/tmp.' + rname(rng, 10, 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789')]
    if name in ('pgrep', 'pidof'): return [str(rng.randint(300, 32000))] if rng.random() < 0.3 else []
    if name in ('awk', 'gawk', 'mawk', 'cut') and stdin is not None:
        if ctx.facts.get('pids', True): return [str(rng.randint(300, 32000)) for _ in range(rng.choice((0, 0, 1, 1, 2)))]
    if name in ('grep', 'egrep', 'sort', 'uniq', 'sed', 'tr', 'head', 'tail', 'cat', 'tee', 'base64', 'xargs', 'gunzip') and stdin is not None: return stdin
    if name in ('ps', 'netstat', 'ss'): return ['x']
    if name == 'cat': return [str(rng.randint(300, 32000))]
    if name in ('basename', 'dirname'): return [argv[1].rsplit('/', 1)[-1] if len(argv) > 1 else '']
    if name == 'which': return [h.resolve(argv[1])] if len(argv) > 1 and h.has(argv[1]) else []
    if name == 'free': return ['7821']
    return []

def rname(rng, n, al='abcdefghijklmnopqrstuvwxyz'):
    return ''.join(rng.choice(al) for _ in range(n))

def gen_line(kind, ctx, i):
    rng = ctx.rng
    if kind == 'lan': return '10.%d.%d.%d' % (rng.randint(0, 60), rng.randint(0, 255), rng.randint(1, 254))
    if kind == 'ip': return '%d.%d.%d.%d' % (rng.randint(11, 220), rng.randint(0, 255), rng.randint(0, 255), rng.randint(1, 254))
    if kind == 'user': return rng.choice(['root', 'ubuntu', 'deploy', 'git', 'jenkins', 'ec2-user', 'oracle', 'hadoop'])
    if kind == 'pid': return str(rng.randint(300, 32000))
    if kind == 'hex12': return rname(rng, 12, '0123456789abcdef')
    if kind == 'hex64': return rname(rng, 64, '0123456789abcdef')
    if kind == 'key': return '/home/%s/.ssh/id_rsa' % rng.choice(['ubuntu', 'deploy', 'git', 'dev'])
    if kind == 'log': return '/var/log/%s.log.%d' % (rng.choice(['app', 'access', 'error', 'audit']), i + 2)
    if kind == 'pkg': return rng.choice(['openssl', 'curl', 'libc6', 'nginx', 'sudo', 'vim', 'bash', 'systemd'])
    if kind == 'file': return 'src/%s/%s.c' % (rname(rng, 4), rname(rng, 6))
    if kind == 'pod': return '%s-%s-%s' % (rng.choice(['api', 'web', 'auth', 'cart', 'mail', 'pay']), rname(rng, 9, 'bcdf456789'), rname(rng, 5, 'bcdfghjklmnpqrstvwxz'))
    return 'x'

def launch(argv, sh, t, stdin, meta, key, last=False, bg=False, feed=None, force=False, argv0=None, adopt=False):
    """execute an external program; → (t_end, rc, out)"""
    ctx = sh.ctx; h = ctx.h; rng = ctx.rng
    a0 = argv[0]; name = a0.rsplit('/', 1)[-1]
    if '/' not in a0 and not a0.startswith('@') and 'path' not in meta and not h.has(a0.lstrip('-')): return t + 0.001, 127, []
    path = meta.get('path') or fullpath(a0, sh)
    cmd = ' '.join([argv0] + argv[1:]) if argv0 else ' '.join(argv)
    t += 0.0004 + rng.random() * 0.0006
    script = 'run' in meta and name not in SHELLS and name.lstrip('-') not in SHELLS and not (name == 'busybox')
    if script:      # a script by its name: the kernel runs its interpreter
        ib = 'bash' if h.has('bash') and hsh(meta['run']) % 2 else 'sh'
        path = '/bin/busybox' if h.distro in ('iot', 'alpine') and ib == 'sh' else h.resolve(ib)
        cmd = '/bin/%s %s' % (ib, cmd)
    inpl = force or (last and sh.mode != 'prog' and not bg)
    if inpl and sh.p.kind != 'b':
        p = inplace(ctx, sh.p, t, path, cmd, sh.scene, key, adopt=adopt)
    else:
        inpl = False
        p = sim_spawn(ctx, sh.p, t, path, cmd, sh.scene, key, adopt=adopt)
    r = continue_exec(p, argv, name, sh, t, stdin, meta, key, feed, bg)
    if inpl: sh.p = p
    return r

def fullpath(a0, sh):
    if a0.startswith('./'): return sh.ctx.sub((sh.cwd.rstrip('/') + '/' + a0[2:]))
    if '/' in a0 or a0.startswith('@'):
        x = sh.ctx.sub(a0)
        if not x.startswith('/'): x = sh.cwd.rstrip('/') + '/' + x
        return sh.ctx.h.link(x)
    ct = sh.vars.get('_CT')
    if ct == 'alpine': return '/bin/bash' if a0 == 'bash' else '/usr/bin/curl' if a0 == 'curl' else '/usr/local/bin/' + a0 if a0 in ('node', 'npm', 'python3') else '/bin/busybox'
    return sh.ctx.h.resolve(a0)

WRAPSKIP = {'timeout': 1, 'chroot': 1, 'taskset': 2, 'flock': 1, 'nice': 0, 'gosu': 1, 'su-exec': 1, 'cpulimit': 0}

def wrapped(name, argv):
    """the inner argv of a wrapper"""
    i = 1; n = len(argv); skip = WRAPSKIP.get(name, 0)
    takes = {'nice': '-n', 'ionice': '-c', 'sudo': '-u -g -p', 'timeout': '-k -s', 'env': '-u', 'chrt': '', 'runuser': '-u -c', 'nsenter': '-t', 'flock': '-w', 'systemd-cat': '-t', 'cpulimit': '-l'}.get(name, '').split()
    while i < n:
        a = argv[i]
        if a == '--': i += 1; break
        if a.startswith('-'):
            i += 2 if a in takes else 1; continue
        if name in ('env', 'sudo') and '=' in a: i += 1; continue
        if skip: skip -= 1; i += 1; continue
        break
    return argv[i:]

def continue_exec(p, argv, name, sh, t, stdin, meta, key, feed, bg):
    ctx = sh.ctx; h = ctx.h; rng = ctx.rng
    if 'prog' in meta:
        d = fdur(rng, name, {'dur': meta.get('dur', '1.5')}, argv)
        e = run_prog(p, meta['prog'], sh, t + 0.01 + rng.random() * 0.03, bg)
        if p.end is None: setend(p, max(e, t + d))
        return p.end, 0, []
    base = name
    if 'run' in meta and base not in SHELLS and base.lstrip('-') not in SHELLS and base != 'busybox':
        base = 'bash' if h.has('bash') and hsh(meta['run']) % 2 else 'sh'; argv = [base] + argv
    if base == 'busybox' and len(argv) > 1 and argv[1] in SHELLS: base = argv[1]; argv = argv[1:]
    if base in SHELLS or base.lstrip('-') in SHELLS:
        return run_shell(p, argv, base, sh, t, stdin, meta, key, feed)
    if base in INPLACE and 'prog' not in meta:
        inner = wrapped(base, argv)
        if inner:
            iname = inner[0].rsplit('/', 1)[-1]
            if '/' not in inner[0] and not inner[0].startswith('@') and '_path' not in meta and not h.has(inner[0]): setend(p, t + 0.002); return p.end, 127, []
            t2 = t + 0.0007 + rng.random() * 0.001
            m2 = {k[1:] if k.startswith('_') else k: v for k, v in meta.items()}
            if base == 'chroot' and '_CT' in sh.vars: sh = sh.fork(sh.p); sh.vars.pop('_CT')
            q = inplace(ctx, p, t2, m2.get('path') or fullpath(inner[0], sh), ' '.join(inner), sh.scene, key + '>' + base)
            return continue_exec(q, inner, iname, sh, t2, stdin, m2, key + '>' + base, feed, bg)
    if base in FORKWRAP:
        inner = wrapped(base, argv)
        if base == 'flock' and '-c' in argv: inner = ['sh', '-c', argv[argv.index('-c') + 1]]
        if inner:
            iname = inner[0].rsplit('/', 1)[-1]
            par = p
            t2 = t + (0.012 if base == 'sudo' else 0.001) * (0.6 + rng.random())
            if base == 'sudo' and h.sudo_pty: par = sim_fork(ctx, p, t2); t2 += 0.0006
            if base == 'sudo' and '/' not in inner[0] and '_path' not in meta and not h.has(inner[0]): setend(p, t + 0.02); return p.end, 1, []
            s2 = sh.fork(par)
            if base == 'sudo' and '-i' in argv: inner = ['-bash', '-c', ' '.join(inner)] if False else inner
            m2 = {k[1:] if k.startswith('_') else k: v for k, v in meta.items()}
            e, rc, o = launch(inner, s2, t2, stdin, m2, key + '>' + base, bg=bg)
            setend(p, e + 0.001)
            if par is not p: setend(par, e)
            return p.end, rc, o
    if base in ('apt-get', 'yum', 'apk', 'dnf') and 'curl' in argv and 'install' in argv + ['install' if base == 'apk' else '']: h.add('curl')
    if base == 'xargs': return run_xargs(p, argv, sh, t, stdin, meta, key, feed)
    if base == 'find' and '-exec' in argv:
        i = argv.index('-exec'); cmdv = [x for x in argv[i+1:] if x not in (';', '+')]
        tt = t + 0.01; s2 = sh.fork(p); s2.mode = 'prog'
        for j in range(int(meta.get('n', 2))):
            r = [('/var/%s/%s' % (rname(rng, 4), rname(rng, 6)) if x == '{}' else x) for x in cmdv]
            tt, _, _ = launch(r, s2, tt, None, {}, key + '>exec%d' % j)
            if '+' in argv[-1]: break
        setend(p, tt + 0.002); return p.end, 0, []
    if 'sys' in meta or 'kids' in meta:
        b = meta.get('sys') or meta.get('kids')
        e = run_prog(p, b, sh, t + jit(rng, 0.02), bg)
        d = fdur(rng, name, meta, argv)
        if p.end is None: setend(p, max(e + 0.003, t + (d if 'dur' in meta else 0.005)))
        rc = 0
        if 'fail' in meta and rng.random() * 100 < float(meta['fail']): rc = 1
        return p.end, rc, outputs(name, argv, ctx, meta, stdin)
    d = fdur(rng, name, meta, argv)
    rc = 0
    if name in ('curl', 'wget', 'tftp', 'ftpget', 'lwp-download') or (name == 'busybox' and len(argv) > 1 and argv[1] in ('wget', 'tftp', 'ftpget')):
        if ctx.gang:
            if 'ok' not in meta and rng.random() < ctx.facts.get('dlfail', 0.12):
                rc = 7; d = rng.choice((0.05, 1.2, 5.0, 10.0)) * (0.7 + rng.random())
    if 'fail' in meta and rng.random() * 100 < float(meta['fail']): rc = 1
    e = t + d
    if feed is not None: e = max(e, feed + 0.0005)
    setend(p, e)
    if stdin is not None and name in ('grep', 'egrep', 'fgrep') and not stdin: rc = 1
    return e, rc, outputs(name, argv, ctx, meta, stdin)

def run_xargs(p, argv, sh, t, stdin, meta, key, feed):
    ctx = sh.ctx; rng = ctx.rng
    t2 = max(t + 0.001, feed or 0)
    i = 1; rep = None; per = None; noempty = False
    while i < len(argv) and argv[i].startswith('-'):
        a = argv[i]
        if a.startswith('-I'):
            if len(a) > 2: rep = a[2:]
            else: i += 1; rep = argv[i]
        elif a in ('-i',): rep = '{}'
        elif a in ('-n', '-L', '-P', '-d'): 
            i += 1
            if a in ('-n', '-L'): per = int(argv[i])
        elif a.startswith('-n'): per = int(a[2:])
        elif a in ('-r', '--no-run-if-empty'): noempty = True
        i += 1
    base = argv[i:] or ['echo']
    lines = list(stdin or [])
    s2 = sh.fork(p); s2.mode = 'prog'
    runs = []
    if rep:
        runs = [[x.replace(rep, l) for x in base] for l in lines]
    elif not lines:
        runs = [] if noempty else [base]
    else:
        ws = [w for l in lines for w in l.split()]
        per = per or len(ws) or 1
        runs = [base + ws[j:j + per] for j in range(0, len(ws), per)]
    for ix, r in enumerate(runs[:40]):
        t2, rc, _ = launch(r, s2, t2 + 0.0004, None, {k: v for k, v in meta.items() if k in ('run', 'sys', 'dur', 'ok')}, key + '>xargs%d' % ix)
    setend(p, t2 + 0.0005)
    return p.end, 0, []

def run_shell(p, argv, base, sh, t, stdin, meta, key, feed):
    ctx = sh.ctx; h = ctx.h
    body = None; scene = sh.scene; isc = False; args = argv[1:]; last = False
    mode = 'dash' if base in ('sh', 'dash', 'ash') else 'bash'
    loop = sh.loop; vars2 = dict(sh.vars)
    if 'run' in meta and sh.upfail: pass
    elif 'run' in meta:
        body = ctx.bodies[meta['run']]; scene = meta['run']; loop = ''
        if '-c' in args: isc = True
    else:
        ci = next((i for i, x in enumerate(args) if re.match(r'-[a-z]*c$', x)), None)
        if ci is not None and ci + 1 < len(args):
            body = args[ci + 1]; isc = True; loop = key + '>c'
            for i, x in enumerate(args[ci+3:]): vars2[str(i + 1)] = x
        elif stdin and not [a for a in args if not a.startswith('-')] and 'noin' not in meta:
            body = '\n'.join(stdin) if 'feedcmd' in meta else None
    e = max(t + 0.0015, (feed or 0) + 0.0005)
    rc = 0; out = []
    if body:
        s2 = Sh(p, ctx, mode, scene, vars2, {} if 'run' in meta else dict(sh.funcs), sh.cwd, loop)
        s2.nested = sh.nested + 1
        if s2.nested > 25: raise RecursionError(key)
        ast = parse(body)
        if isc:
            single = len(ast[1]) == 1 and ast[1][0][0][0] == 's'
            last = h.execlast == 'last' or (h.execlast == 'single' and single)
        try:
            e, rc, out = run_list(ast, s2, e + 0.0004, None, last)
        except Exit as x: e = x.t; rc = x.rc; out = []
        p2 = s2.p
        if p2 is not p and p2.end is not None and p.task is p2.task:
            e = max(e, p2.end)
            return e, rc, out
        e += 0.0005
    elif 'dur' in meta: e = t + fdur(ctx.rng, base, meta, argv)
    else: e += jit(ctx.rng, 0.004)
    setend(p, max(e, p.task.t1 or 0) if p.end is None and False else e)
    if 'fail' in meta and ctx.rng.random() * 100 < float(meta['fail']): rc = 1
    return e, rc, out

# ------------------------------------------------------------------ programs (not shells)
def run_prog(p, body, sh, t, bg=False):
    ctx = sh.ctx
    s2 = Sh(p, ctx, 'prog', body, dict(sh.vars), {}, sh.cwd, '')
    s2.nested = sh.nested + 1
    if s2.nested > 25: raise RecursionError(body)
    try: t, rc, _ = run_list(parse(ctx.bodies[body]), s2, t, None)
    except Exit as x: t = x.t
    except Stop:
        setend(p, min(ctx.deadline, t + 60)); raise
    if s2.p is not p: setend(s2.p, max(t, s2.p.task.t1 or 0))
    return p.end if s2.p is not p else t

def pg_sys(argv, sh, t, meta, raw):
    """system(3): sh -c"""
    x = ' '.join(argv[1:]); m = {}
    for k, v in meta.items():
        if k.startswith('_'): x += ' @@%s=%s' % (k[1:], v)
        else: m[k] = v
    return launch(['sh', '-c', x], sh, t, None, m, raw + sh.loop)
def pg_sleep(argv, sh, t, meta, raw):
    v = argv[1]
    if '-' in v: a, b = v.split('-'); d = sh.ctx.rng.uniform(float(a), float(b))
    else: d = float(v)
    if t + d >= sh.ctx.deadline: raise Stop
    return t + d, 0, []
def pg_daemon(argv, sh, t, meta, raw):
    f = sim_fork(sh.ctx, sh.p, t); setend(sh.p, t + 0.001)
    sh.p = f
    return t + 0.002, 0, []
def pg_fork(argv, sh, t, meta, raw):
    """run a named body in a forked child, in parallel"""
    f = sim_fork(sh.ctx, sh.p, t)
    s2 = Sh(f, sh.ctx, 'prog', argv[1], dict(sh.vars), {}, sh.cwd, '')
    s2.nested = sh.nested + 1
    try:
        e, _, _ = run_list(parse(sh.ctx.bodies[argv[1]]), s2, t + 0.001, None); setend(f, e)
    except Stop: setend(f, sh.ctx.deadline)
    except Exit as x: setend(f, x.t)
    return t + 0.001, 0, []
def pg_orphan(argv, sh, t, meta, raw):
    """double fork, then exec: init adopts"""
    try: launch(argv[1:], sh, t + 0.002, None, meta, raw + sh.loop, adopt=True, bg=True)
    except Stop: pass
    return t + 0.003, 0, []
def pg_bg(argv, sh, t, meta, raw):
    try: launch(argv[1:], sh, t + 0.0005, None, meta, raw + sh.loop, bg=True)
    except Stop: pass
    return t + 0.001, 0, []
def pg_reexec(argv, sh, t, meta, raw):
    p = inplace(sh.ctx, sh.p, t, meta.get('path') or fullpath(argv[1], sh), ' '.join(argv[1:]), sh.scene, raw + sh.loop)
    sh.p = p
    if 'prog' in meta:
        try: e = run_prog(p, meta['prog'], sh, t + 0.01)
        except Stop: setend(p, sh.ctx.deadline); return t, 0, []
    setend(p, t + fdur(sh.ctx.rng, '', {'dur': meta.get('dur', '3')}, argv))
    return p.end, 0, []
def pg_as(argv, sh, t, meta, raw):
    """as NAME…: exec with a false argv: as PATH argv…"""
    p = sim_spawn(sh.ctx, sh.p, t + 0.001, sh.ctx.sub(argv[1]), ' '.join(argv[2:]), sh.scene, raw + sh.loop, adopt='adopt' in meta)
    e = t
    if 'prog' in meta:
        try: e = run_prog(p, meta['prog'], sh, t + 0.01)
        except Stop: setend(p, sh.ctx.deadline); return t + 0.002, 0, []
    setend(p, max(e, t + fdur(sh.ctx.rng, '', {'dur': meta.get('dur', '3')}, argv)))
    return (t + 0.002 if 'nowait' in meta else p.end), 0, []
def pg_true(argv, sh, t, meta, raw): return t, 0, []
def pg_exit(argv, sh, t, meta, raw): raise Exit(t, 0)
PROG = {'sys': pg_sys, 'sleep': pg_sleep, 'daemon': pg_daemon, 'fork': pg_fork, 'orphan': pg_orphan, 'bg': pg_bg, 'reexec': pg_reexec, 'as': pg_as, ':': pg_true, 'exit': pg_exit}

B64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
def randval(k, r):
    if k.startswith('b64_'): return rname(r, int(k[4:]) // 4 * 4, B64)
    m = re.match(r'([a-zA-Z]+?)_?(\d+)?$', k); n = int(m.group(2) or 8); w = m.group(1)
    if w == 'hex': return rname(r, n, '0123456789abcdef')
    if w == 'rnd': return rname(r, n, 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789')
    if w == 'rndl': return rname(r, n)
    if k.startswith('b64_'): return rname(r, n // 4 * 4, B64)
    if w == 'd': return rname(r, n, '123456789')
    if w == 'uuidh': x = rname(r, 32, '0123456789abcdef'); return '-'.join((x[:8], x[8:12], x[12:16], x[16:20], x[20:]))
    if w == 'int': return str(r.randint(1000, 999999))
    if w == 'pid': return str(r.randint(400, 32000))
    if w == 'port': return str(r.choice((22, 80, 443, 31337, 6667, 4444, 2375, r.randint(1024, 65000))))
    if w == 'ip': return gen_ip(r)
    if w == 'WAL': return '0000000100000%s000000%s' % (rname(r, 3, '0123456789ABCDEF'), rname(r, 2, '0123456789ABCDEF')) 
    if w == 'site': return r.choice(('blog', 'shop', 'www', 'intranet', 'docs', 'forum'))
    if w == 'repo': return r.choice(('api', 'web', 'billing', 'infra', 'etl', 'mobile-bff', 'auth', 'search'))
    if w == 'pkg': return r.choice(('openssl', 'curl', 'libssl3', 'nginx', 'sudo', 'vim-common', 'tzdata', 'linux-base', 'ca-certificates', 'libxml2', 'bind9-host', 'python3-apt'))
    if w == 'zbx': return r.choice(('nginx_status.sh', 'mysql_slave.sh', 'raid.pl', 'ssl_expiry.sh www', 'redis.sh used_memory', 'queue.sh mail', 'pg_locks.sh main'))
    if w == 'ansmod': return r.choice(('setup', 'apt', 'copy', 'template', 'service', 'systemd', 'command', 'stat', 'lineinfile', 'user', 'authorized_key', 'cron', 'file', 'shell'))
    if w == 'probe': return r.choice(('cat /tmp/healthy', 'sh -c "wget -q -O /dev/null http://127.0.0.1:8080/healthz"', '/bin/grpc_health_probe -addr=:50051', 'redis-cli ping @@path=/usr/local/bin/redis-cli', 'sh -c "pg_isready -U app @@path=/usr/bin/pg_isready"', 'sh -c "curl -sf localhost:3000/ready || exit 1"', '/bin/calico-node -felix-live -bird-live', '/coredns-check', 'bash -c "/opt/bitnami/scripts/rabbitmq/healthcheck.sh"'))
    if w == 'hc': return r.choice(('/bin/sh -c "curl -f http://localhost/ || exit 1"', '/bin/sh -c "mysqladmin ping -h localhost @@path=/usr/bin/mysqladmin"', '/bin/sh -c "wget --spider -q http://localhost:9000/-/healthy"', 'pg_isready -U postgres @@path=/usr/bin/pg_isready', '/bin/sh -c "nc -z localhost 5672 @@path=/bin/busybox"'))
    if w == 'podcmd': return r.choice(('/bin/sh -c "python manage.py migrate @@path=/usr/local/bin/python3.11 @@dur=4 && exec gunicorn app.wsgi -b :8000 @@path=/usr/local/bin/python3.11 @@dur=3000"', '/usr/local/bin/docker-entrypoint.sh nginx -g daemon\\ off\\; @@dur=4000', 'node dist/main.js @@path=/usr/local/bin/node @@dur=5000', '/bin/sh -c "apk add --no-cache curl @@path=/sbin/apk && curl -sf http://api:8080/cron/reports"', 'java -jar /app.jar @@path=/opt/java/bin/java @@dur=6000', '/bin/bash -c "aws s3 cp s3://data/in.csv - @@path=/usr/local/bin/aws | python3 /job/transform.py @@path=/usr/local/bin/python3.11 | gzip | aws s3 cp - s3://data/out.gz @@path=/usr/local/bin/aws"', '/velero backup create nightly'))
    if w == 'usr': return r.choice(('a.meier', 'jsmith', 'p.dubois', 'l.rossi', 'kchen', 'n.patel', 'tnovak', 's.berg'))
    return k

_ips = set()
def uniq_ip(r):
    while True:
        x = gen_ip(r)
        if x not in _ips: _ips.add(x); return x

def gen_ip(r):
    x = r.random()
    if x < 0.18: return '%s.%d' % (r.choice(('192.0.2', '198.51.100', '203.0.113')), r.randint(1, 254))
    while True:
        a = r.choice((5, 23, 31, 37, 45, 46, 47, 51, 62, 64, 77, 78, 79, 80, 81, 83, 85, 87, 89, 91, 92, 93, 94, 95, 101, 103, 104, 107, 109, 110, 114, 116, 121, 123, 128, 129, 134, 135, 138, 139, 142, 144, 146, 147, 149, 152, 154, 157, 158, 159, 161, 162, 165, 167, 172, 176, 178, 179, 182, 185, 188, 193, 194, 195, 198, 199, 202, 205, 206, 207, 209, 212, 213, 216, 217, 220))
        b = r.randint(0, 255)
        if a == 172 and 16 <= b < 32 or a == 192 and b == 168 or a == 198 and b in (18, 19, 51): continue
        return '%d.%d.%d.%d' % (a, b, r.randint(0, 255), r.randint(1, 254))
