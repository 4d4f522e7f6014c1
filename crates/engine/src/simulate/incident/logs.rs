//! what happens → records in the formats of products, those lost left out; counts of what is left, for the truth.
//!
//! Windows hosts write winlogbeat's JSON, Linux hosts Sysmon's syslog or a plain process log and `auth.log`; a network
//! sensor writes flows as CSV. A host's records bear its own clock. Deliberately absent: order. Records stand as they
//! were made, nearly in time.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use ringleader_model::Timestamp;

use super::super::random::Random;
use super::network::{Agent, Host, Network};

/// Files of a case, in the order of `Logs::files`.
const NAMES: [&str; 7] =
    ["flows.csv", "windows.ndjson", "sysmon.log", "processes.ndjson", "auth.log", "alerts.csv", "assets.csv"];
const FLOWS: usize = 0;
const WINDOWS: usize = 1;
const SYSMON: usize = 2;
const PLAIN: usize = 3;
const AUTH: usize = 4;
const ALERTS: usize = 5;
const ASSETS: usize = 6;

/// Whom a record is about: the worm's host and the other, for the truth's count of what is left.
pub(super) type About = Option<(u32, u32)>;

/// A program that starts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start<'a> {
    pub image: &'a str,
    pub command: &'a str,
    pub pid: u32,
    pub parent: &'a str,
    pub ppid: u32,
    pub user: &'a str,
    pub hash: &'a str,
}

/// One connection between two addresses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub src: &'a str,
    pub src_port: u16,
    pub dst: &'a str,
    pub port: u16,
    pub state: &'static str,
    pub sent: u64,
    pub received: u64,
}

pub(super) struct Logs {
    files: Vec<BufWriter<File>>,
    line: String,
    random: Random,
    host_loss: u32,
    flow_loss: u32,
    record: u64,
    pub written: u64,
    pub lost: u64,
    pub flows: u64,
    pub processes: u64,
    /// Records left that show a pair.
    pub shown: BTreeMap<(u32, u32), u64>,
    /// Records left of a host's own.
    pub own: Vec<u64>,
}

impl Logs {
    pub(super) fn create(folder: &Path, missing_permille: u32, network: &Network, seed: u64) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let open = |name: &&str| Ok(BufWriter::with_capacity(1 << 18, File::create(folder.join(name))?));
        let files = NAMES.iter().map(open).collect::<io::Result<Vec<_>>>()?;
        // Half of what is missing are hosts and subnets that say nothing at all; the rest is lost here and there.
        let half = missing_permille / 2;
        let rest = half * 1000 / (1000 - half).max(1);
        let blind = network.blind.iter().any(|it| *it);
        let mut logs = Self {
            files,
            line: String::new(),
            random: Random::new(seed ^ 0x1095),
            host_loss: rest,
            flow_loss: if blind || network.subnets.len() >= 4 { rest } else { missing_permille },
            record: 0,
            written: 0,
            lost: 0,
            flows: 0,
            processes: 0,
            shown: BTreeMap::new(),
            own: vec![0; network.hosts.len()],
        };
        logs.files[FLOWS]
            .write_all(b"start_time,src_ip,src_port,dst_ip,dst_port,protocol,conn_state,bytes_out,bytes_in\n")?;
        logs.files[ALERTS].write_all(b"time,host,host_ip,alert_name,file_path,sha256,src_ip,dst_ip,dst_port\n")?;
        logs.files[ASSETS].write_all(b"host,ip,role,owner,criticality\n")?;
        for host in network.hosts.iter().filter(|it| it.listed) {
            writeln!(
                logs.files[ASSETS],
                "{},{},{},team-{},",
                host.name,
                host.address,
                host.role.name(),
                host.subnet % 7
            )?;
        }
        Ok(logs)
    }

    pub(super) fn finish(mut self) -> io::Result<Self> {
        self.files.iter_mut().try_for_each(|it| it.flush())?;
        Ok(self)
    }

    fn put(&mut self, file: usize, about: About) -> io::Result<()> {
        self.line.push('\n');
        self.files[file].write_all(self.line.as_bytes())?;
        self.written += 1;
        if let Some(pair) = about {
            *self.shown.entry(pair).or_default() += 1;
        }
        Ok(())
    }

    /// Whether a host's record gets through.
    fn through(&mut self, host: &Host) -> bool {
        let lost = host.silent || self.random.permille(self.host_loss);
        self.lost += u64::from(lost);
        self.record += 1;
        !lost
    }

    /// What the sensor on the wire sees. `seen`: a subnet on the way has one.
    pub(super) fn flow(&mut self, time: i64, call: &Call<'_>, seen: bool, about: About) -> io::Result<()> {
        if !seen || self.random.permille(self.flow_loss) {
            self.lost += 1;
            return Ok(());
        }
        self.line.clear();
        let Call { src, src_port, dst, port, state, sent, received } = call;
        let _ =
            write!(self.line, "{},{src},{src_port},{dst},{port},tcp,{state},{sent},{received}", Timestamp(time * 1000));
        self.flows += 1;
        self.put(FLOWS, about)
    }

    pub(super) fn start(&mut self, time: i64, at: u32, host: &Host, it: &Start<'_>, about: About) -> io::Result<()> {
        if !self.through(host) {
            return Ok(());
        }
        self.own[at as usize] += 1;
        self.processes += 1;
        let time = Timestamp((time + host.ahead) * 1000);
        let record = self.record;
        self.line.clear();
        let (image, command, parent) = (json(it.image), json(it.command), json(it.parent));
        let Start { pid, ppid, user, hash, .. } = it;
        match host.agent {
            Agent::Sysmon => {
                let data = format!(
                    "\"UtcTime\":\"{}\",\"ProcessGuid\":\"{{{:08X}-0000-0000-{pid:04X}-{:012X}}}\",\"ProcessId\":\"{pid}\",\"Image\":\"{image}\",\"CommandLine\":\"{command}\",\"User\":\"{}\",\"Hashes\":\"SHA256={hash}\",\"ParentProcessId\":\"{ppid}\",\"ParentImage\":\"{parent}\"",
                    utc(time),
                    at + 1,
                    record,
                    json(user)
                );
                self.windows(time, host, "Microsoft-Windows-Sysmon/Operational", "Microsoft-Windows-Sysmon", 1, &data);
                self.put(WINDOWS, about)
            }
            Agent::Security => {
                let data = format!(
                    "\"SubjectUserName\":\"{}\",\"NewProcessId\":\"0x{pid:x}\",\"NewProcessName\":\"{image}\",\"CommandLine\":\"{command}\",\"ProcessId\":\"0x{ppid:x}\",\"ParentProcessName\":\"{parent}\"",
                    json(user)
                );
                self.windows(time, host, "Security", "Microsoft-Windows-Security-Auditing", 4688, &data);
                self.put(WINDOWS, about)
            }
            Agent::LinuxSysmon => {
                let data = [
                    ("UtcTime", utc(time)),
                    ("ProcessGuid", format!("{{{:08x}-0000-0000-{pid:04x}-{record:012x}}}", at + 1)),
                    ("ProcessId", pid.to_string()),
                    ("Image", xml(it.image)),
                    ("CommandLine", xml(it.command)),
                    ("User", (*user).to_owned()),
                    ("Hashes", format!("SHA256={hash}")),
                    ("ParentProcessId", ppid.to_string()),
                    ("ParentImage", xml(it.parent)),
                ];
                self.sysmon(time, host, 1, &data);
                self.put(SYSMON, about)
            }
            Agent::Plain => {
                let base = it.parent.rsplit('/').next().unwrap_or(it.parent);
                let _ = write!(
                    self.line,
                    "{{\"id\":\"{record}\",\"time\":\"{time}\",\"host\":\"{}\",\"file_path\":\"{image}\",\"cmd_line\":\"{command}\",\"pid\":{pid},\"ppid\":{ppid},\"parent\":\"{}\"}}",
                    host.name,
                    json(base)
                );
                self.put(PLAIN, about)
            }
        }
    }

    /// A connection as an end with Sysmon logs it.
    #[allow(clippy::too_many_arguments, reason = "a connection has two ends, a program and a time")]
    pub(super) fn connect(
        &mut self,
        time: i64,
        at: u32,
        host: &Host,
        image: &str,
        call: &Call<'_>,
        inbound: bool,
        about: About,
    ) -> io::Result<()> {
        if !matches!(host.agent, Agent::Sysmon | Agent::LinuxSysmon) || !self.through(host) {
            return Ok(());
        }
        self.own[at as usize] += 1;
        let time = Timestamp((time + host.ahead) * 1000);
        let data = [
            ("UtcTime", utc(time)),
            ("ProcessId", "4".to_owned()),
            ("Image", image.to_owned()),
            ("Protocol", "tcp".to_owned()),
            ("Initiated", (!inbound).to_string()),
            ("SourceIp", call.src.to_owned()),
            ("SourcePort", call.src_port.to_string()),
            ("DestinationIp", call.dst.to_owned()),
            ("DestinationPort", call.port.to_string()),
        ];
        self.line.clear();
        if host.windows {
            let data: Vec<String> = data.iter().map(|(key, it)| format!("\"{key}\":\"{}\"", json(it))).collect();
            let data = data.join(",");
            self.windows(time, host, "Microsoft-Windows-Sysmon/Operational", "Microsoft-Windows-Sysmon", 3, &data);
            return self.put(WINDOWS, about);
        }
        self.sysmon(time, host, 3, &data);
        self.put(SYSMON, about)
    }

    /// A logon over the network, or one that failed.
    #[allow(clippy::too_many_arguments, reason = "who, whence, as whom, how, and whether it worked")]
    pub(super) fn logon(
        &mut self,
        time: i64,
        at: u32,
        host: &mut Host,
        src: &str,
        user: &str,
        kind: &str,
        succeeded: bool,
        about: About,
    ) -> io::Result<()> {
        if !self.through(host) {
            return Ok(());
        }
        self.own[at as usize] += 1;
        let time = Timestamp((time + host.ahead) * 1000);
        self.line.clear();
        let port = host.random.between(33_000, 60_000);
        if host.windows {
            let session = self.record;
            let data = format!(
                "\"TargetUserName\":\"{}\",\"TargetDomainName\":\"CORP\",\"TargetLogonId\":\"0x{session:x}\",\"LogonType\":\"{kind}\",\"IpAddress\":\"{src}\",\"IpPort\":\"{port}\"",
                json(user)
            );
            let id = if succeeded { 4624 } else { 4625 };
            self.windows(time, host, "Security", "Microsoft-Windows-Security-Auditing", id, &data);
            return self.put(WINDOWS, about);
        }
        let word = if succeeded { "Accepted" } else { "Failed" };
        let pid = host.next_pid();
        let key = if kind == "publickey" && succeeded { ": RSA SHA256:4fQz7Yq0T3mEoPz" } else { "" };
        let _ = write!(
            self.line,
            "{time} {} sshd[{pid}]: {word} {kind} for {user} from {src} port {port} ssh2{key}",
            host.name
        );
        self.put(AUTH, about)
    }

    /// Windows was made to run something as a service.
    pub(super) fn service(
        &mut self,
        time: i64,
        at: u32,
        host: &Host,
        name: &str,
        image: &str,
        about: About,
    ) -> io::Result<()> {
        if !self.through(host) {
            return Ok(());
        }
        self.own[at as usize] += 1;
        let time = Timestamp((time + host.ahead) * 1000);
        self.line.clear();
        let data = format!(
            "\"ServiceName\":\"{}\",\"ImagePath\":\"{}\",\"StartType\":\"demand start\",\"AccountName\":\"LocalSystem\"",
            json(name),
            json(image)
        );
        self.windows(time, host, "System", "Service Control Manager", 7045, &data);
        self.put(WINDOWS, about)
    }

    /// A console's alert. Never lost: that it covers little is drawn before.
    #[allow(clippy::too_many_arguments, reason = "an alert's columns")]
    pub(super) fn alert(
        &mut self,
        time: i64,
        host: Option<&Host>,
        title: &str,
        path: &str,
        hash: &str,
        call: Option<(&str, &str, u16)>,
        about: About,
    ) -> io::Result<()> {
        self.line.clear();
        let (name, address) = host.map_or(("", ""), |it| (it.name.as_str(), it.address.as_str()));
        let (src, dst, port) = call
            .map_or((String::new(), String::new(), String::new()), |it| (it.0.into(), it.1.into(), it.2.to_string()));
        let _ =
            write!(self.line, "{},{name},{address},{title},{path},{hash},{src},{dst},{port}", Timestamp(time * 1000));
        self.put(ALERTS, about)
    }

    fn windows(&mut self, time: Timestamp, host: &Host, channel: &str, provider: &str, id: u32, data: &str) {
        let _ = write!(
            self.line,
            "{{\"@timestamp\":\"{time}\",\"winlog\":{{\"channel\":\"{channel}\",\"provider_name\":\"{provider}\",\"event_id\":{id},\"computer_name\":\"{}.corp.example\",\"record_id\":{},\"event_data\":{{{data}}}}}}}",
            host.name, self.record
        );
    }

    fn sysmon(&mut self, time: Timestamp, host: &Host, id: u32, data: &[(&str, String)]) {
        let _ = write!(
            self.line,
            "{time} {} sysmon: <Event><System><Provider Name=\"Linux-Sysmon\"/><EventID>{id}</EventID><TimeCreated SystemTime=\"{time}\"/><EventRecordID>{}</EventRecordID><Channel>Linux-Sysmon/Operational</Channel><Computer>{}</Computer></System><EventData>",
            host.name, self.record, host.name
        );
        for (key, value) in data {
            let _ = write!(self.line, "<Data Name=\"{key}\">{value}</Data>");
        }
        self.line.push_str("</EventData></Event>");
    }
}

/// `2026-03-01 00:00:00.000`, as Sysmon writes it.
fn utc(time: Timestamp) -> String {
    let text = time.to_string().replace('T', " ");
    text.get(..23).unwrap_or(text.trim_end_matches('Z')).to_owned()
}

fn json(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
