//! What a worm's tools wrote as they worked (`stage1.txt`, `stage2.txt`) → an event for each target.
//!
//! A port scanner's list in any of the usual shapes, and an exploit's log, a line a target or a block of lines under
//! each. Deliberately absent: which worm it was.

use std::net::IpAddr;

use ringleader_model::time::TimeDefaults;
use ringleader_model::{Activity, Event, EventClass, Field, Malformed};

use super::super::{Format, Framing, Reader, Record, Sink, SourceContext};
use super::{file_name, find_addresses, find_time, kind, lines};

pub struct WormLog;

/// Only an exploit's log has these.
const EXPLOIT: &[&str] = &[
    "exploit",
    "attack",
    "backdoor",
    "eternal",
    "doublepulsar",
    "ms17",
    "shellcode",
    "payload",
    "targetip",
    "core terminated",
    "pwned",
    "infect",
    "brute",
    // Hydra's and Medusa's lines: `[22][ssh] host: 192.0.2.4   login: root`, `ACCOUNT FOUND: [ssh] Host: …`.
    "] host: ",
    "account found",
    "漏洞",
    "攻击",
    "利用",
];
const SCAN: &[&str] = &["open", "scan", "alive", "discovered", "is up", "端口", "开放", "存活", "status: up"];
const WON: &[&str] = &["success", "succeed", "-win-", "installed", "pwned", "infected", "completed", "成功", "login: "];
const LOST: &[&str] = &[
    "fail",
    "error",
    "refused",
    "timeout",
    "timed out",
    "not vulnerable",
    "patched",
    "denied",
    "unreachable",
    "失败",
    "超时",
];

fn has(line: &str, words: &[&str]) -> bool {
    words.iter().any(|it| line.contains(it))
}

impl Format for WormLog {
    fn name(&self) -> &'static str {
        "worm_log"
    }
    fn summary(&self) -> &'static str {
        "A worm's own logs of its port scan (stage1.txt) and of its exploit (stage2.txt)"
    }
    fn framing(&self) -> Framing {
        Framing::Lines { stateless: false }
    }
    fn is_artefact(&self) -> bool {
        true
    }
    /// A list of addresses and little else, with a scanner's or an exploit's words.
    fn recognizes(&self, head: &[u8]) -> bool {
        let (mut all, mut with_address, mut worded, mut block) = (0, 0, 0, 0);
        for line in lines(head).filter(|it| !is_comment(it)) {
            if !reads_as_tool(&line) {
                return false;
            }
            let low = line.to_lowercase();
            all += 1;
            let found = find_addresses(&line);
            with_address += usize::from(!found.is_empty());
            worded += usize::from(!found.is_empty() && (has(&low, SCAN) || has(&low, EXPLOIT)));
            block += usize::from(
                low.starts_with("[*]") || low.starts_with("[+]") || low.starts_with("[-]") || low.starts_with("=-=-"),
            );
        }
        all > 0 && ((with_address * 5 >= all * 4 && worded * 2 >= all) || (block * 2 > all && with_address > 0))
    }
    /// By its name, a bare list of addresses will do.
    fn recognizes_named(&self, name: &str, head: &[u8]) -> bool {
        let name = file_name(name);
        let named = name.contains("stage1") || name.contains("stage2");
        named
            && !head.contains(&0)
            && !matches!(head.trim_ascii_start().first(), Some(b'{' | b'<'))
            && lines(head).any(|it| !find_addresses(&it).is_empty())
    }
    fn reader(&self, context: &SourceContext, head: &[u8]) -> Box<dyn Reader> {
        let name = file_name(&context.name);
        let exploit = if name.contains("stage2") {
            true
        } else if name.contains("stage1") {
            false
        } else {
            lines(head).any(|it| has(&it.to_lowercase(), EXPLOIT))
        };
        Box::new(Lines { times: context.times, exploit, name, open: None, with_more: 0, ends_bare: false })
    }
}

/// masscan and nmap say above and below when they were run, and on what.
fn is_comment(line: &str) -> bool {
    line.starts_with('#')
}

/// Neither a log with a program's name in it, nor markup, nor a table of flows.
fn reads_as_tool(line: &str) -> bool {
    !line.starts_with(['{', '<', '#', '|', '"']) && line.len() <= 400 && line.split_whitespace().count() <= 24
}

struct Target {
    ip: IpAddr,
    port: Option<u16>,
    offset: u64,
    length: u32,
    outcome: Option<&'static str>,
    time: Option<ringleader_model::time::Parsed>,
    line: String,
}

struct Lines {
    times: TimeDefaults,
    exploit: bool,
    name: String,
    /// The target whose lines are being read: a block's outcome comes after its address.
    open: Option<Target>,
    /// Lines on which something stands behind the address, and whether the last line ends with its address.
    with_more: usize,
    ends_bare: bool,
}

impl Lines {
    fn flush(&mut self, sink: &mut dyn Sink) {
        let Some(target) = self.open.take() else { return };
        let mut event = Event::new(EventClass::Network, Activity::Other);
        event.put(Field::State, if self.exploit { kind::EXPLOIT_LOG } else { kind::SCAN_LOG });
        event.set(Field::DstIp, target.ip.to_string());
        event.set(Field::DstPort, target.port.map(u32::from));
        event.set(Field::Rule, target.outcome);
        event.set(Field::TargetPath, self.name.as_str());
        event.set(Field::Detail, target.line.as_str());
        if let Some((time, offset)) = target.time {
            (event.time, event.utc_offset_minutes) = (Some(time), offset);
        }
        let content = format!("{} {} {}", self.exploit, target.ip, target.line);
        sink.emit_at(&event, target.offset, target.length, content.as_bytes());
    }
}

impl Reader for Lines {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let text = super::super::text::decode(record.bytes);
        let line = super::super::fields::bounded(text.trim().trim_start_matches('\u{feff}'), 1024);
        if is_comment(line) {
            return Ok(());
        }
        let low = line.to_lowercase();
        // A line that says both ("failed: no success code") says nothing sure.
        let outcome = match (has(&low, WON), has(&low, LOST)) {
            (true, false) => Some("success"),
            (false, true) => Some("failed"),
            _ => None,
        };
        let found = find_addresses(line);
        // `a -> b`, `from a to b`: the target stands last.
        let directed = low.contains("->") || low.contains(" to ") || low.contains("=>");
        let target = if directed { found.last() } else { found.first() };
        let Some(target) = target else {
            // A date alone, a banner, half a line: its words belong to the block above.
            if let (Some(open), Some(outcome)) = (&mut self.open, outcome) {
                open.outcome = Some(outcome);
            }
            return Ok(());
        };
        self.ends_bare = target.end >= line.len();
        self.with_more += usize::from(!self.ends_bare);
        let time = find_time(line, &self.times).time();
        let port = target.port.or_else(|| port_beside(line)).or_else(|| port_before(line));
        if let Some(open) = self.open.as_mut().filter(|it| it.ip == target.ip) {
            open.outcome = outcome.or(open.outcome);
            open.port = open.port.or(port);
            return Ok(());
        }
        self.flush(sink);
        let length = u32::try_from(record.bytes.len()).unwrap_or(u32::MAX);
        self.open =
            Some(Target { ip: target.ip, port, offset: record.offset, length, outcome, time, line: line.to_owned() });
        Ok(())
    }
    fn finish(&mut self, sink: &mut dyn Sink) {
        // Where all other lines go on behind the address, the last one was cut, and so may its address be:
        // `192.168.4.2` is no host of the log when `192.168.4.227` was.
        if self.ends_bare
            && self.with_more > 0
            && let Some(cut) = self.open.take()
        {
            sink.reject_at(cut.offset, cut.line.as_bytes(), Malformed::new("the log ends in the middle of a line"));
        }
        self.flush(sink);
    }
}

/// `445/open`, `445/tcp on`, `port 445`, `,445,`: a number by itself that can be a port and is no part of a date.
fn port_beside(line: &str) -> Option<u16> {
    let words = line.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '(' | ')' | '='));
    let mut ports = words.filter_map(|word| {
        let number = word.trim_end_matches(['.', ':']).split('/').next()?;
        (number.len() <= 5 && number.bytes().all(|b| b.is_ascii_digit())).then(|| number.parse::<u16>().ok())?
    });
    ports.find(|it| *it > 0)
}

/// `[22][ssh] host: 192.0.2.4`
fn port_before(line: &str) -> Option<u16> {
    let (port, rest) = line.strip_prefix('[')?.split_once("][")?;
    port.parse().ok().filter(|_| rest.contains("] host: "))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::read_all;
    use super::*;

    fn targets(log: &str) -> Vec<String> {
        let field = |line: &str, name: &str| {
            line.split(&format!(" {name}=\""))
                .nth(1)
                .map_or("-".to_owned(), |it| it.split('"').next().unwrap().to_owned())
        };
        read_all(&WormLog, log.as_bytes())
            .iter()
            .map(|it| {
                format!(
                    "{} {} {} {}",
                    field(it, "status"),
                    field(it, "dst_ip"),
                    field(it, "dst_port"),
                    field(it, "finding_title")
                )
            })
            .collect()
    }

    #[test]
    fn scans_in_the_shapes_that_scanners_write() {
        for line in [
            "192.168.0.4:445 open",
            "192.168.0.4 445 open",
            "[+] 192.168.0.4:445 is open\r",
            "Discovered open port 445/tcp on 192.168.0.4",
            "open tcp 445 192.168.0.4 1538301720",
            "192.168.0.4,445,open,2018-09-30 10:00:00",
            "Host: 192.168.0.4 ()  Ports: 445/open/tcp//microsoft-ds///",
        ] {
            assert!(WormLog.recognizes(line.as_bytes()), "{line}");
            assert_eq!(targets(line), ["scan_log 192.168.0.4 445 -"], "{line}");
        }
    }

    #[test]
    fn an_exploit_tells_how_it_ended_on_the_line_or_below() {
        assert_eq!(
            targets("attack 192.168.0.4:445 success\r\nattack 192.168.0.6:445 failed\r\nattack 192.168.0.2")[..2],
            ["exploit_log 192.168.0.4 445 success", "exploit_log 192.168.0.6 445 failed"]
        );
        let block = "[*] TargetIp 192.168.0.4\n[*] Connecting to target for exploitation.\n[+] Backdoor not installed, game on.\n[+] ETERNALBLUE overwrite completed successfully\n[*] TargetIp 192.168.0.6\n[-] Error connecting\n";
        assert!(WormLog.recognizes(block.as_bytes()));
        assert_eq!(targets(block), ["exploit_log 192.168.0.4 - success", "exploit_log 192.168.0.6 - failed"]);
    }

    #[test]
    fn scanners_and_guessers_by_other_names() {
        let nmap = "# Nmap 7.60 scan initiated as: nmap -p445 -oG - 192.168.0.0/24\nHost: 192.168.0.4 ()\tStatus: Up\nHost: 192.168.0.4 ()\tPorts: 445/open/tcp//microsoft-ds///\n# Nmap done -- 256 IP addresses (1 host up)\n";
        let masscan = "#masscan\nopen tcp 6379 192.168.0.4 1538301720\n# end\n";
        let hydra = "# Hydra v9.0 run at 2018-09-30 09:50:00 on 192.168.0.4 ssh\n[22][ssh] host: 192.168.0.4   login: root   password: 123456\n";
        let medusa = "ACCOUNT FOUND: [ssh] Host: 192.168.0.4 User: root Password: 123456 [SUCCESS]\n";
        for (text, expect) in [
            (nmap, "scan_log 192.168.0.4 445 -"),
            (masscan, "scan_log 192.168.0.4 6379 -"),
            (hydra, "exploit_log 192.168.0.4 22 success"),
            (medusa, "exploit_log 192.168.0.4 - success"),
        ] {
            assert!(WormLog.recognizes(text.as_bytes()), "{text}");
            assert_eq!(targets(text), [expect], "{text}");
        }
    }

    #[test]
    fn what_is_no_tools_log() {
        for text in [
            "Sep 30 10:00:00 web1 sshd[1]: Failed password for root from 192.0.2.1 port 22 ssh2 and much more of this kind of line that goes on for long\n",
            "{\"ip\":\"192.0.2.1\",\"open\":1}\n",
            "192.0.2.1\n192.0.2.2\n",
            "The host 192.0.2.1 was attacked.\nWe then looked at it.\nIt was clean.\n",
        ] {
            assert!(!WormLog.recognizes(text.as_bytes()), "{text}");
        }
        assert!(WormLog.recognizes_named("/c/192.168.0.3/stage2.txt", b"192.168.0.4\r\n192.168.0.6\r\n"));
    }
}
