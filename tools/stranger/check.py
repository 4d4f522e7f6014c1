#!/usr/bin/env python3
"""consistency of one log and its truth: python3 check.py DIR/log.ndjson"""
import sys, json, os, collections
from datetime import datetime
f = sys.argv[1]; b = os.path.splitext(f)[0]
C = collections.Counter(); bad = collections.Counter(); ex = {}
def err(k, *a):
    bad[k] += 1; ex.setdefault(k, a)
log = {}; lastt = None
for i, l in enumerate(open(f)):
    d = json.loads(l)
    if d['id'] in log: err('dup id', d['id'])
    assert list(d) == ['id', 'time', 'host', 'file_path', 'cmd_line', 'pid', 'ppid', 'parent'], d
    log[d['id']] = d
    if not d['file_path'].startswith('/') and ':\\' not in d['file_path']: err('path not absolute', d)
    for x in (d['cmd_line'], d['file_path']):
        if '@R:' in x or '@@' in x or '\0' in x or 'RIV1' in x: err('placeholder', d)
        import re
        if re.search(r'@[A-Z][A-Z0-9_]+@', x): err('placeholder2', d)
tr = {}; order = []
for l in open(b + '.truth.tsv'):
    x = l.rstrip('\n').split('\t'); assert len(x) == 7, x
    id = int(x[0]); tr[id] = x; 
    if x[3] != '-':
        if int(x[3]) not in tr: err('parent after or absent', x)
    if x[6] != '-' and int(x[6]) not in tr: err('ancestor after or absent', x)
    C[x[5]] += 1; C['lost' + x[4]] += 1
    if (x[1] == '-') != (x[2] == '-'): err('gang/incident', x)
    if x[5] in ('forked', 'reparented', 'before_log') and x[3] != '-': err('status parent', x)
    if x[5] in ('observed', 'missing') and x[3] == '-': err('status no parent', x)
    if x[3] != '-' and int(x[3]) not in tr: continue
    if x[5] == 'observed' and tr[int(x[3])][4] == '1': err('observed but lost', x)
    if x[5] == 'missing' and tr[int(x[3])][4] == '0': err('missing but there', x)
    if x[5] in ('observed', 'missing') and x[6] != x[3]: err('ancestor differs', x)
if set(log) != {k for k, v in tr.items() if v[4] == '0'}: err('log and truth differ')
def T(s): return datetime.fromisoformat(s.replace('Z', '+00:00')).timestamp()
# parents: pid, image, time
ev = 0; naive = [0, 0]
for id, x in tr.items():
    d = log.get(id)
    if not d: continue
    if x[3] != '-' and int(x[3]) in log:
        p = log[int(x[3])]
        if p['host'] != d['host']: err('host of parent', p, d)
        if p['pid'] != d['ppid']: err('pid of parent', p, d)
        if p['time'] > d['time']: err('time of parent', p, d)
        a = p['file_path']; q = d['parent']
        if q != a and q != a.replace('\\', '/').rsplit('/', 1)[-1]: err('image of parent', p, d)
    if x[5] == 'reparented' and d['ppid'] != 1: C['reparented to other than 1'] += 1
    if x[6] != '-' and int(x[6]) in log and log[int(x[6])]['time'] > d['time']: err('time of ancestor', d)
    if x[1] == '-' and x[6] != '-' and tr[int(x[6])][1] != '-': err('benign under bot', d)
    if x[1] != '-' and x[6] != '-' and tr[int(x[6])][1] == '-': C['bot under benign event'] += 1
    if x[1] != '-' and x[6] != '-' and tr[int(x[6])][2] not in ('-', x[2]): err('incident under another', d)
# one pid on one host: never two at a time with overlapping? (same pid twice at a time is exec)
inc = {}
for l in open(b + '.truth.incidents.tsv'):
    x = l.rstrip('\n').split('\t'); assert len(x) == 5, x; inc[x[0]] = x
nb = 0; steps = collections.defaultdict(set)
for l in open(b + '.truth.bots.tsv'):
    x = l.rstrip('\n').split('\t'); assert len(x) == 6, x; nb += 1
    t = tr[int(x[0])]
    steps[(x[1], x[2])].add(x[0])
    if t[2] != x[1]: err('bots incident', x)
    if x[1] not in inc: err('incident absent', x); continue
    if inc[x[1]][1] != t[1]: err('incident gang', x)
    d = log.get(int(x[0]))
    if d:
        if inc[x[1]][3] != d['host']: err('incident host', x)
        if json.loads('"%s"' % x[5]) != d['cmd_line'] or json.loads('"%s"' % x[4]) != d['file_path'] or x[3] != d['time']: err('bots text', x)
if nb != sum(1 for x in tr.values() if x[1] != '-'): err('bots count')
if {x[2] for x in tr.values() if x[2] != '-'} != set(inc): err('incidents set')
G = collections.Counter(); I = collections.defaultdict(set); 
for x in tr.values():
    if x[1] != '-': G[x[1]] += 1; I[x[1]].add(x[2])
m = [len(v) for v in steps.values()]; print('events per (incident, step): %.2f, once %.3f' % (sum(m) / max(1, len(m)), sum(k == 1 for k in m) / max(1, len(m))))
print(dict(C), 'bots', nb)
for g in sorted(G): print('%-16s events %6d incidents %4d one-off %3d per incident %.1f waves %s' % (g, G[g], len(I[g]), sum(inc[i][4] == '1' for i in I[g]), G[g] / len(I[g]), sorted({inc[i][2] for i in I[g]})))
print('BAD', dict(bad))
for k, v in ex.items(): print(k, v)
