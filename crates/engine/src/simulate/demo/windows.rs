//! nothing → Sysmon events of four Windows hosts, as nxlog writes them, and the second seed's worm among them.

use super::json::{Value, object};
use super::{HOUR_MILLIS, LOST_PERMILLE, Random, START_MILLIS};

/// Name, address, minutes after the worm's first appearance at which it came here; from where.
pub(super) const HOSTS: [(&str, &str, i64, Option<&str>); 4] = [
    ("WIN-DEV03", "192.168.0.3", 0, None),
    ("WIN-DEV04", "192.168.0.4", 14, Some("192.168.0.3")),
    ("WIN-APP04", "192.168.4.4", 31, Some("192.168.0.4")),
    ("WIN-APP19", "192.168.4.19", 37, Some("192.168.0.4")),
];
/// Attacked, and held.
const RESISTED: [(&str, &str); 3] =
    [("192.168.0.3", "192.168.0.6"), ("192.168.0.4", "192.168.0.201"), ("192.168.4.4", "192.168.4.227")];

const FOLDER: &str = r"C:\Windows\SpeechsTracing\Microsoft\";
const WORM_START: i64 = START_MILLIS + 34 * HOUR_MILLIS;
const POOL: &str = "198.51.100.177";

pub(super) struct Worm {
    pub(super) log: String,
    /// Host, first event that was logged.
    pub(super) infected: Vec<(&'static str, i64)>,
}

/// Every connection to port 445 that the worm opened: time, from, to.
pub(super) fn attacks() -> Vec<(i64, &'static str, &'static str)> {
    let came = |minutes: i64| WORM_START + minutes * 60_000 - 45_000;
    let won = HOSTS.iter().filter_map(|it| Some((came(it.2), it.3?, it.1)));
    let held = RESISTED.iter().zip(0..).map(|(it, n)| (came(12 + 16 * n), it.0, it.1));
    won.chain(held).collect()
}

pub(super) fn worm() -> Worm {
    let mut log: Vec<(i64, String)> = Vec::new();
    let mut infected = Vec::new();
    for (n, (name, address, minutes, _)) in HOSTS.into_iter().enumerate() {
        let mut host =
            Host { name, address, random: Random::new(81 + n as u64), pid: 1200, record: 40_000, log: Vec::new() };
        host.work();
        host.infect(WORM_START + minutes * 60_000);
        let first = host.log.iter().filter(|it| it.1.contains("SpeechsTracing")).map(|it| it.0).min();
        infected.push((name, first.unwrap_or(WORM_START)));
        log.append(&mut host.log);
    }
    log.sort_by_key(|it| it.0);
    Worm { log: log.into_iter().flat_map(|it| [it.1, "\n".to_owned()]).collect(), infected }
}

struct Host {
    name: &'static str,
    address: &'static str,
    random: Random,
    pid: i64,
    record: i64,
    log: Vec<(i64, String)>,
}

#[derive(Clone)]
struct Process {
    guid: String,
    pid: i64,
    image: String,
    cmd_line: String,
    user: &'static str,
}

impl Host {
    fn event(&mut self, id: i64, time: i64, own: &[(&str, Value<'_>)]) {
        self.record += 1;
        let stamp = super::rfc3339(time);
        let (seconds, utc) = (stamp[..19].replace('T', " "), stamp[..23].replace('T', " "));
        let host = format!("{}.corp.example", self.name);
        let mut fields: Vec<(&str, Value<'_>)> = vec![
            ("Channel", "Microsoft-Windows-Sysmon/Operational".into()),
            ("SourceName", "Microsoft-Windows-Sysmon".into()),
            ("EventID", id.into()),
            ("Hostname", (&host).into()),
            ("EventTime", (&seconds).into()),
            ("@timestamp", (&stamp).into()),
            ("RecordNumber", self.record.into()),
            ("RuleName", "-".into()),
            ("UtcTime", (&utc).into()),
        ];
        fields.extend_from_slice(own);
        self.log.push((time, object(&fields)));
    }

    /// A process that ran before the log did.
    fn known(&mut self, pid: i64, image: &str, cmd_line: &str, user: &'static str) -> Process {
        Process {
            guid: self.guid(START_MILLIS - HOUR_MILLIS),
            pid,
            image: image.to_owned(),
            cmd_line: cmd_line.to_owned(),
            user,
        }
    }

    fn guid(&mut self, time: i64) -> String {
        let low = self.random.next();
        format!(
            "{{49a15388-{:04x}-{:04x}-{:04x}-{:012x}}}",
            time & 0xffff,
            (time >> 16) & 0xffff,
            low & 0xffff,
            low >> 20
        )
    }

    fn start(&mut self, time: i64, parent: &Process, image: &str, cmd_line: &str) -> Process {
        self.pid += 4 * self.random.between(1, 40) as i64;
        let it = Process {
            guid: self.guid(time),
            pid: self.pid,
            image: image.to_owned(),
            cmd_line: cmd_line.to_owned(),
            user: parent.user,
        };
        if self.random.permille(LOST_PERMILLE) {
            return it;
        }
        let folder = image.rfind('\\').map_or("", |at| &image[..=at]).to_owned();
        self.event(
            1,
            time,
            &[
                ("ProcessGuid", (&it.guid).into()),
                ("ProcessId", it.pid.into()),
                ("Image", image.into()),
                ("CommandLine", cmd_line.into()),
                ("CurrentDirectory", (&folder).into()),
                ("User", it.user.into()),
                ("ParentProcessGuid", (&parent.guid).into()),
                ("ParentProcessId", parent.pid.into()),
                ("ParentImage", (&parent.image).into()),
                ("ParentCommandLine", (&parent.cmd_line).into()),
            ],
        );
        it
    }

    fn connect(&mut self, time: i64, from: &Process, to: &str, port: i64) {
        let local = self.random.between(49_152, 65_535) as i64;
        let address = self.address;
        self.event(
            3,
            time,
            &[
                ("ProcessGuid", (&from.guid).into()),
                ("ProcessId", from.pid.into()),
                ("Image", (&from.image).into()),
                ("User", from.user.into()),
                ("Protocol", "tcp".into()),
                ("Initiated", "true".into()),
                ("SourceIp", address.into()),
                ("SourcePort", local.into()),
                ("DestinationIp", to.into()),
                ("DestinationPort", port.into()),
            ],
        );
    }

    fn create(&mut self, time: i64, by: &Process, path: &str) {
        self.event(
            11,
            time,
            &[
                ("ProcessGuid", (&by.guid).into()),
                ("ProcessId", by.pid.into()),
                ("Image", (&by.image).into()),
                ("TargetFilename", path.into()),
            ],
        );
    }

    fn work(&mut self) {
        let services = self.known(
            620,
            r"C:\Windows\System32\services.exe",
            r"C:\Windows\system32\services.exe",
            r"NT AUTHORITY\SYSTEM",
        );
        let explorer = self.known(4100, r"C:\Windows\explorer.exe", r"C:\Windows\Explorer.EXE", r"CORP\amy");
        for _ in 0..110 {
            let time = START_MILLIS + self.random.below(48 * HOUR_MILLIS as u64) as i64;
            match self.random.below(6) {
                0 => {
                    let service =
                        ["netsvcs -p -s wuauserv", "netsvcs -p -s BITS", "LocalService -p", "NetworkService -p"];
                    let name = service[self.random.below(4) as usize];
                    let it = self.start(
                        time,
                        &services,
                        r"C:\Windows\System32\svchost.exe",
                        &format!(r"C:\Windows\system32\svchost.exe -k {name}"),
                    );
                    self.connect(time + 900, &it, "198.51.100.240", 443);
                }
                1 => {
                    let browser = r"C:\Program Files\Google\Chrome\Application\chrome.exe";
                    let it = self.start(time, &explorer, browser, &format!("\"{browser}\""));
                    for n in 0..self.random.between(1, 4) as i64 {
                        let line = format!(
                            "\"{browser}\" --type=renderer --lang=en-US --renderer-client-id={} --launch-time-ticks={}",
                            n + 4,
                            time % 1_000_000_007
                        );
                        self.start(time + 200 + n * 31, &it, browser, &line);
                    }
                    self.connect(time + 1200, &it, "198.51.100.241", 443);
                }
                2 => {
                    let it = self.start(
                        time,
                        &services,
                        r"C:\Windows\System32\taskhostw.exe",
                        "taskhostw.exe Install $(Arg0)",
                    );
                    self.start(
                        time + 300,
                        &it,
                        r"C:\Windows\System32\conhost.exe",
                        r"\??\C:\Windows\system32\conhost.exe 0xffffffff -ForceV1",
                    );
                }
                3 => {
                    let script = r"powershell.exe -NoProfile -ExecutionPolicy AllSigned -File C:\Scripts\Inventory.ps1";
                    self.start(time, &services, r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe", script);
                }
                4 => {
                    let file = format!(
                        r#""C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE" "C:\Users\amy\Documents\forecast-{}.xlsx""#,
                        self.random.below(40)
                    );
                    self.start(time, &explorer, r"C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE", &file);
                }
                _ => {
                    let it =
                        self.start(time, &explorer, r"C:\Windows\System32\cmd.exe", r#""C:\Windows\system32\cmd.exe""#);
                    let line = ["ipconfig /all", "ping -n 2 fileserver", r"net use Z: \\fileserver\share", "hostname"]
                        [self.random.below(4) as usize];
                    let image = format!(r"C:\Windows\System32\{}.exe", line.split(' ').next().unwrap_or("hostname"));
                    self.start(time + 4000, &it, &image, line);
                }
            }
        }
    }

    /// The worm arrives through the exploited service, scans, attacks, installs itself, mines.
    fn infect(&mut self, time: i64) {
        let lsass =
            self.known(700, r"C:\Windows\System32\lsass.exe", r"C:\Windows\system32\lsass.exe", r"NT AUTHORITY\SYSTEM");
        let shell = r"C:\Windows\System32\cmd.exe";
        let first = self.start(
            time,
            &lsass,
            r"C:\Windows\System32\rundll32.exe",
            r"C:\Windows\system32\rundll32.exe C:\Windows\System32\wmassrv.dll,ServiceMain",
        );
        self.create(time + 300, &first, r"C:\Windows\System32\MsraReportDataCache32.tlb");
        self.create(time + 420, &first, &format!("{FOLDER}svchost.exe"));
        self.create(time + 480, &first, &format!("{FOLDER}spoolsv.exe"));
        let install = self.start(time + 700, &first, shell, "cmd.exe /c sc create wmassrv binPath= \"svchost.exe -k netsvcs\" start= auto & netsh advfirewall firewall add rule name=wmas dir=in action=allow protocol=tcp localport=65531");
        self.start(
            time + 760,
            &install,
            r"C:\Windows\System32\sc.exe",
            "sc create wmassrv binPath= \"svchost.exe -k netsvcs\" start= auto",
        );
        self.start(
            time + 810,
            &install,
            r"C:\Windows\System32\netsh.exe",
            "netsh advfirewall firewall add rule name=wmas dir=in action=allow protocol=tcp localport=65531",
        );
        let scan = self.start(time + 1500, &first, shell, &format!("cmd.exe /c {FOLDER}svchost.exe > stage1.txt"));
        let scan = self.start(time + 1560, &scan, &format!("{FOLDER}svchost.exe"), &format!("{FOLDER}svchost.exe"));
        self.create(time + 1600, &scan, &format!("{FOLDER}stage1.txt"));
        let net = &self.address[..self.address.rfind('.').unwrap_or(0)];
        for n in 0..24 {
            let to = format!("{net}.{}", 5 + n * 9);
            self.connect(time + 2000 + n * 140, &scan, &to, 445);
        }
        let attack = self.start(time + 60_000, &first, shell, &format!("cmd.exe /c {FOLDER}spoolsv.exe > stage2.txt"));
        let attack =
            self.start(time + 60_070, &attack, &format!("{FOLDER}spoolsv.exe"), &format!("{FOLDER}spoolsv.exe"));
        self.create(time + 60_120, &attack, &format!("{FOLDER}stage2.txt"));
        for (when, from, to) in attacks() {
            if from == self.address {
                self.connect(when, &attack, to, 445);
            }
        }
        let mine = self.start(
            time + 90_000,
            &first,
            r"C:\Windows\System32\dllhostex.exe",
            &format!("dllhostex.exe -o stratum+tcp://{POOL}:14444 -u worm --donate-level 1"),
        );
        self.connect(time + 91_000, &mine, POOL, 14_444);
    }
}
