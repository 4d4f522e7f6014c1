//! `netstat -ano`, `netstat -antp`, `ss -antp`, `lsof -i`, `Get-NetTCPConnection` → a connection a line, as it stood when
//! the command ran.
//!
//! Deliberately absent: a time (the command prints none; `reconstruct` takes it to be within the case).

use std::net::IpAddr;

use ringleader_model::{Activity, Event, EventClass, Field, Malformed};

use super::super::{Format, Framing, Reader, Record, Sink, SourceContext};
use super::lines;

pub struct SocketList;

impl Format for SocketList {
    fn name(&self) -> &'static str {
        "socket_list"
    }
    fn summary(&self) -> &'static str {
        "Connections of a host as netstat, ss, lsof or Get-NetTCPConnection printed them"
    }
    fn framing(&self) -> Framing {
        Framing::Lines { stateless: false }
    }
    fn is_artefact(&self) -> bool {
        true
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        if lines(head).take(2).any(|it| Columns::of(&it).is_some()) {
            return true;
        }
        let (mut all, mut sockets, mut header) = (0, 0, false);
        for line in lines(head) {
            all += 1;
            sockets += usize::from(socket(&line).is_some());
            header |= is_header(&line);
        }
        sockets > 0 && (header || sockets * 3 >= all * 2)
    }
    fn reader(&self, _context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Sockets { columns: None })
    }
}

fn is_header(line: &str) -> bool {
    let low = line.to_lowercase();
    [
        "local address",
        "recv-q",
        "active connections",
        "active internet",
        "本地地址",
        "活动连接",
        "netid",
        "size/off node name",
    ]
    .iter()
    .any(|it| low.contains(it))
}

/// The columns of `Get-NetTCPConnection | Export-Csv`.
#[derive(Debug, Clone, Copy)]
struct Columns {
    local: [usize; 2],
    remote: [usize; 2],
    state: usize,
    pid: usize,
}

impl Columns {
    fn of(line: &str) -> Option<Self> {
        if !line.contains("LocalAddress") {
            return None;
        }
        let names = super::super::plain::fields(line.trim_start_matches('\u{feff}').as_bytes(), b',')?;
        let at = |name: &str| names.iter().position(|it| it == name);
        Some(Self {
            local: [at("LocalAddress")?, at("LocalPort")?],
            remote: [at("RemoteAddress")?, at("RemotePort")?],
            state: at("State")?,
            pid: at("OwningProcess")?,
        })
    }

    /// The row as `netstat` would print it.
    fn line(self, row: &str) -> Option<String> {
        let cells = super::super::plain::fields(row.as_bytes(), b',')?;
        let get = |at: usize| cells.get(at).map(str::trim);
        let end = |at: [usize; 2]| {
            let (ip, port) = (get(at[0])?, get(at[1])?);
            Some(if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") })
        };
        let state = match get(self.state)? {
            "Listen" | "2" => "LISTENING",
            "SynSent" | "3" => "SYN_SENT",
            "SynReceived" | "4" => "SYN_RECEIVED",
            "Established" | "5" => "ESTABLISHED",
            "TimeWait" | "11" => "TIME_WAIT",
            "CloseWait" | "8" => "CLOSE_WAIT",
            // `Bound` is not connected to anything.
            "Bound" | "100" => return None,
            _ => "CLOSING",
        };
        Some(format!("TCP {} {} {state} {}", end(self.local)?, end(self.remote)?, get(self.pid)?))
    }
}

struct Sockets {
    columns: Option<Columns>,
}

impl Reader for Sockets {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let text = super::super::text::decode(record.bytes);
        if let Some(columns) = Columns::of(&text) {
            self.columns = Some(columns);
            return Ok(());
        }
        let row = self.columns.and_then(|it| it.line(text.trim()));
        if self.columns.is_some() && row.is_none() {
            return Ok(());
        }
        let text = row.map_or(text, std::borrow::Cow::Owned);
        let Some(socket) = socket(text.trim()) else {
            return if is_header(&text) || !text.contains(':') || text.trim_start().starts_with(['[', 'C']) {
                Ok(())
            } else {
                Err(Malformed::new("no connection of netstat or ss"))
            };
        };
        let listens = socket.remote.is_none();
        let mut event = Event::new(EventClass::Network, if listens { Activity::Listen } else { Activity::Open });
        event.pid = socket.pid;
        event.set(Field::Protocol, socket.protocol.to_ascii_lowercase().trim_end_matches('6').to_owned());
        event.set(Field::State, socket.state.to_ascii_lowercase());
        event.set(Field::FilePath, socket.program);
        let (local, local_port) = socket.local;
        let local = local.map(|it| it.to_string());
        let Some((remote, remote_port)) = socket.remote else {
            event.set(Field::SrcIp, local);
            event.set(Field::SrcPort, u32::from(local_port));
            sink.emit(&event);
            return Ok(());
        };
        // The end with the lower port is the one that was called, unless both are high: then the host called.
        let inbound = local_port < remote_port && local_port < 32768 && !(local_port > 1023 && remote_port < 10000);
        let ends = if inbound { [Some(remote.to_string()), local] } else { [local, Some(remote.to_string())] };
        let ports = if inbound { [remote_port, local_port] } else { [local_port, remote_port] };
        event.set(Field::Direction, if inbound { "inbound" } else { "outbound" });
        let [source, target] = ends;
        event.set(Field::SrcIp, source);
        event.set(Field::SrcPort, u32::from(ports[0]));
        event.set(Field::DstIp, target);
        event.set(Field::DstPort, u32::from(ports[1]));
        sink.emit(&event);
        Ok(())
    }
}

struct Socket<'a> {
    protocol: &'a str,
    local: (Option<IpAddr>, u16),
    remote: Option<(IpAddr, u16)>,
    state: &'a str,
    pid: Option<u32>,
    program: Option<&'a str>,
}

/// Any of the three tools' lines: the columns differ, the two ends and the state do not.
fn socket(line: &str) -> Option<Socket<'_>> {
    const STATES: [&str; 24] = [
        "ESTABLISHED",
        "LISTENING",
        "LISTEN",
        "SYN_SENT",
        "SYN_RECV",
        "SYN_RECEIVED",
        "TIME_WAIT",
        "CLOSE_WAIT",
        "FIN_WAIT1",
        "FIN_WAIT2",
        "FIN_WAIT_1",
        "FIN_WAIT_2",
        "LAST_ACK",
        "CLOSING",
        "CLOSED",
        "ESTAB",
        "SYN-SENT",
        "SYN-RECV",
        "TIME-WAIT",
        "CLOSE-WAIT",
        "FIN-WAIT-1",
        "FIN-WAIT-2",
        "LAST-ACK",
        "UNCONN",
    ];
    let words: Vec<&str> = line.split_whitespace().take(12).collect();
    if matches!(words.get(4), Some(&("IPv4" | "IPv6"))) {
        return lsof(&words);
    }
    let udp = words.first().is_some_and(|it| it.to_ascii_lowercase().starts_with("udp"));
    let state = words.iter().find(|it| STATES.iter().any(|state| it.eq_ignore_ascii_case(state)));
    // Windows gives UDP no state: it waits for whoever calls.
    let state = state.copied().or_else(|| (udp && words.contains(&"*:*")).then_some("UNCONN"))?;
    let mut ends = words.iter().filter_map(|it| end(it));
    let local = ends.next()?;
    let remote = ends.next();
    let first = words.first()?.to_ascii_lowercase();
    let protocol = if first.starts_with("tcp") || first.starts_with("udp") { words[0] } else { "tcp" };
    let last = *words.last()?;
    // `1234`, `1234/sshd`, `users:(("sshd",pid=1234,fd=3))`
    let program_of = |it: &str| -> Option<u32> { it.parse().ok() };
    let (pid, program) = if let Some((_, rest)) = line.split_once("pid=") {
        let pid: String = rest.chars().take_while(char::is_ascii_digit).collect();
        (pid.parse().ok(), line.split("((\"").nth(1).and_then(|it| it.split('"').next()))
    } else if let Some((pid, program)) =
        words.iter().find_map(|it| it.split_once('/').filter(|it| program_of(it.0).is_some()))
    {
        (pid.parse().ok(), Some(program.trim_end_matches(':')))
    } else {
        (last.parse().ok(), None)
    };
    let remote = remote.and_then(|(ip, port)| ip.filter(|it| !it.is_unspecified()).zip(Some(port)));
    let listens = state.to_ascii_uppercase().starts_with("LISTEN") || state.eq_ignore_ascii_case("UNCONN");
    Some(Socket { protocol, local, remote: remote.filter(|_| !listens), state, pid, program })
}

/// `python 4021 root 4u IPv4 12346 0t0 TCP 192.168.0.3:50001->192.168.0.4:6379 (ESTABLISHED)`
fn lsof<'a>(words: &[&'a str]) -> Option<Socket<'a>> {
    let at = words.iter().position(|it| matches!(*it, "TCP" | "UDP"))?;
    let name = *words.get(at + 1)?;
    let state = words.get(at + 2).map_or("", |it| it.trim_matches(['(', ')']));
    let (local, remote) = match name.split_once("->") {
        Some((local, remote)) => (end(local)?, end(remote)),
        None => (end(name)?, None),
    };
    let remote = remote.and_then(|(ip, port)| ip.zip(Some(port)));
    let pid = words.get(1)?.parse().ok();
    Some(Socket { protocol: words[at], local, remote, state, pid, program: words.first().copied() })
}

/// `0.0.0.0:445`, `[::]:445`, `*:22`, `:::22`, `10.0.0.1%eth0:22`. A port `*` is 0.
fn end(word: &str) -> Option<(Option<IpAddr>, u16)> {
    let (ip, port) = word.rsplit_once(':')?;
    let port = if port == "*" { 0 } else { port.parse().ok()? };
    let ip = ip.trim_start_matches('[').trim_end_matches(']');
    if matches!(ip, "*" | "" | "::" | ":") {
        return Some((None, port));
    }
    let ip: IpAddr = ip.split('%').next()?.parse().ok()?;
    let ip = match ip {
        IpAddr::V6(it) => it.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    };
    Some(((!ip.is_unspecified()).then_some(ip), port))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::read_all;
    use super::*;

    #[test]
    fn three_tools_one_meaning() {
        let windows = "Active Connections\r\n\r\n  Proto  Local Address          Foreign Address        State           PID\r\n  TCP    0.0.0.0:445            0.0.0.0:0              LISTENING       4\r\n  TCP    192.168.0.3:50123      192.168.0.4:445        SYN_SENT        2208\r\n  TCP    192.168.0.3:445        192.168.0.9:50999      ESTABLISHED     4\r\n";
        let linux = "Proto Recv-Q Send-Q Local Address Foreign Address State PID/Program name\ntcp 0 1 192.168.0.3:50123 192.168.0.4:445 SYN_SENT 2208/svchost\n";
        let ss = "State Recv-Q Send-Q Local Address:Port Peer Address:Port Process\nSYN-SENT 0 1 192.168.0.3:50123 192.168.0.4:445 users:((\"svchost\",pid=2208,fd=3))\n";
        for text in [windows, linux, ss] {
            assert!(SocketList.recognizes(text.as_bytes()), "{text}");
            let got = read_all(&SocketList, text.as_bytes());
            let out: Vec<&String> = got.iter().filter(|it| it.contains("outbound")).collect();
            assert_eq!(out.len(), 1, "{got:#?}");
            assert!(
                out[0].contains("pid=Some(2208)") && out[0].contains("dst_ip=\"192.168.0.4\" dst_port=\"445\""),
                "{got:#?}"
            );
        }
        let lsof = "COMMAND   PID     USER   FD   TYPE DEVICE SIZE/OFF NODE NAME\nsshd 811 root 3u IPv4 12345 0t0 TCP *:22 (LISTEN)\nsvchost 2208 root 4u IPv4 12346 0t0 TCP 192.168.0.3:50001->192.168.0.4:445 (ESTABLISHED)\n";
        let power_shell = "#TYPE x\r\n\"LocalAddress\",\"LocalPort\",\"RemoteAddress\",\"RemotePort\",\"State\",\"OwningProcess\"\r\n\"192.168.0.3\",\"50123\",\"192.168.0.4\",\"445\",\"SynSent\",\"2208\"\r\n\"::\",\"135\",\"::\",\"0\",\"Listen\",\"880\"\r\n";
        for text in [lsof, power_shell] {
            assert!(SocketList.recognizes(text.as_bytes()), "{text}");
            let got = read_all(&SocketList, text.as_bytes());
            assert_eq!(got.len(), 2, "{got:#?}");
            let out: Vec<&String> = got.iter().filter(|it| it.contains("outbound")).collect();
            assert!(out.len() == 1 && out[0].contains("pid=Some(2208)"), "{got:#?}");
            assert!(out[0].contains("dst_ip=\"192.168.0.4\" dst_port=\"445\""), "{got:#?}");
        }
        let udp = "  Proto  Local Address          Foreign Address        State           PID\r\n  UDP    0.0.0.0:5353           *:*                                    1200\r\n";
        assert_eq!(read_all(&SocketList, udp.as_bytes()).len(), 1);
        let got = read_all(&SocketList, windows.as_bytes());
        assert!(
            got[1].contains("outbound") && got[2].contains("direction=\"inbound\" src_ip=\"192.168.0.9\""),
            "{got:#?}"
        );
    }
}
