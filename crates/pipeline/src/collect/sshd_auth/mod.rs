//! auth.log of sshd, sudo, su, cron and the account tools → logons, failures, commands. Any syslog header.
//!
//! Deliberately absent: what PAM repeats of what sshd itself says, and the lines of other programs.

mod sshd;
mod tools;

use ringleader_model::time::TimeDefaults;
use ringleader_model::{Activity, Event, EventClass, Field, Malformed};

use super::{Format, Framing, Reader, Record, Sink, SourceContext, syslog};

pub struct SshdAuth;

impl Format for SshdAuth {
    fn name(&self) -> &'static str {
        "sshd_auth"
    }
    fn summary(&self) -> &'static str {
        "auth.log or secure in syslog: sshd and dropbear logons, sudo, su, cron and account changes"
    }
    fn framing(&self) -> Framing {
        Framing::Lines { stateless: true }
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        let any_year = TimeDefaults { year: 2000, ..TimeDefaults::default() };
        let (mut yes, mut no, mut ours) = (0, 0, 0);
        for line in head.split(|b| *b == b'\n').filter(|it| !it.trim_ascii().is_empty()).take(400) {
            let text = super::text::decode(&line[..line.len().min(2048)]);
            match syslog::parse(text.trim(), &any_year) {
                Some(line) => {
                    yes += 1;
                    ours += i32::from(is_ours(line.program));
                }
                None => no += 1,
            }
        }
        ours > 0 && yes > 4 * no
    }
    fn reader(&self, context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Lines { times: context.times })
    }
}

struct Lines {
    times: TimeDefaults,
}

impl Reader for Lines {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let text = super::text::decode(record.bytes);
        if let Some(event) = of_line(&text, &self.times)? {
            sink.emit(&event);
        }
        Ok(())
    }
}

/// The event of one syslog line; `Ok(None)` for lines that are well formed and none of ours.
pub(crate) fn of_line<'a>(line: &'a str, times: &TimeDefaults) -> Result<Option<Event<'a>>, Malformed> {
    let line = syslog::parse(line, times).ok_or_else(|| syslog::malformed(line))?;
    let Some(mut event) = of_message(line.program, line.pid, line.message) else {
        return Ok(None);
    };
    (event.time, event.utc_offset_minutes) = (Some(line.time), line.utc_offset_minutes);
    event.host = line.host.map(Into::into);
    Ok(Some(event))
}

fn is_ours(program: &str) -> bool {
    is_sshd(program)
        || matches!(program, "dropbear" | "sudo" | "su" | "CRON" | "CROND" | "cron" | "crond" | "crontab")
        || is_account_tool(program)
}

/// OpenSSH 9.8 split the program that handles one connection from the listener.
fn is_sshd(program: &str) -> bool {
    matches!(program, "sshd" | "sshd-session" | "sshd-auth")
}

fn is_account_tool(program: &str) -> bool {
    matches!(program, "useradd" | "adduser" | "usermod" | "userdel" | "passwd" | "chpasswd" | "groupadd" | "gpasswd")
}

/// The event of a message, whatever envelope it came in.
pub(crate) fn of_message<'a>(program: &str, pid: Option<u32>, message: &'a str) -> Option<Event<'a>> {
    if let Some((count, inner)) = repeated(message) {
        let mut event = of_message(program, pid, inner)?;
        event.set(Field::Count, count);
        return Some(event);
    }
    let mut event = match program {
        it if is_sshd(it) => sshd::sshd(message),
        "dropbear" => sshd::dropbear(message),
        "sudo" => return tools::sudo(pid, message),
        "su" => tools::su(message),
        "CRON" | "CROND" | "cron" | "crond" | "crontab" => tools::cron(message),
        it if is_account_tool(it) => tools::account(message),
        _ => None,
    }?;
    event.pid = pid;
    Some(event)
}

/// `message repeated 5 times: [ … ]`, which rsyslog writes. An inner one is not unpacked again.
fn repeated(message: &str) -> Option<(u32, &str)> {
    let (count, inner) = message.strip_prefix("message repeated ")?.split_once(" times: [")?;
    let inner = inner.trim().strip_suffix(']')?.trim();
    Some((count.parse().ok()?, inner)).filter(|_| !inner.starts_with("message repeated "))
}

fn state<'a>(class: EventClass, state: &'static str) -> Event<'a> {
    let mut event = Event::new(class, Activity::Other);
    event.put(Field::State, state);
    event
}

#[cfg(test)]
mod tests {
    use super::super::testing::read_all;
    use super::*;

    fn check(message: &str, expect: Option<&str>) {
        let log = format!("Mar  2 10:11:12 web1 {message}\n");
        let got = read_all(&SshdAuth, log.as_bytes());
        match expect {
            Some(expect) => assert_eq!(got.join("\n").replace(" 2024-03-02T10:11:12.000000Z host=web1", ""), expect),
            None => assert_eq!(got, Vec::<String>::new(), "{message}"),
        }
    }

    #[test]
    fn logons_and_failures() {
        check(
            "sshd[7]: Accepted publickey for root from 192.0.2.1 port 50 ssh2: RSA SHA256:abc",
            Some(
                "authentication logon pid=Some(7) ppid=None id=- src_ip=\"192.0.2.1\" src_port=\"50\" user_name=\"root\" logon_type=\"publickey\" detail=\"RSA SHA256:abc\" protocol_name=\"ssh\"",
            ),
        );
        check(
            "sshd[7]: Failed password for invalid user a b from 192.0.2.1 port 50 ssh2",
            Some(
                "authentication logon_failed pid=Some(7) ppid=None id=- src_ip=\"192.0.2.1\" src_port=\"50\" user_name=\"a b\" status=\"invalid_user\" logon_type=\"password\" protocol_name=\"ssh\"",
            ),
        );
        check(
            "sshd[7]: message repeated 2 times: [ Failed password for root from 2001:db8::1 port 50 ssh2]",
            Some(
                "authentication logon_failed pid=Some(7) ppid=None id=- src_ip=\"2001:db8::1\" src_port=\"50\" user_name=\"root\" logon_type=\"password\" protocol_name=\"ssh\" count=\"2\"",
            ),
        );
        check(
            "dropbear[7]: Bad password attempt for 'root' from 192.0.2.1:50",
            Some(
                "authentication logon_failed pid=Some(7) ppid=None id=- user_name=\"root\" src_ip=\"192.0.2.1\" src_port=\"50\" logon_type=\"password\" protocol_name=\"ssh\"",
            ),
        );
    }

    #[test]
    fn a_user_name_cannot_forge_the_address() {
        check(
            "sshd[7]: Failed password for invalid user x from 198.51.100.9 port 1 ssh2 from 192.0.2.1 port 50 ssh2",
            Some(
                "authentication logon_failed pid=Some(7) ppid=None id=- src_ip=\"192.0.2.1\" src_port=\"50\" user_name=\"x from 198.51.100.9 port 1 ssh2\" status=\"invalid_user\" logon_type=\"password\" protocol_name=\"ssh\"",
            ),
        );
        check(
            "sshd[7]: Invalid user  from 192.0.2.1 port 50",
            Some(
                "authentication other pid=Some(7) ppid=None id=- status=\"invalid_user\" src_ip=\"192.0.2.1\" src_port=\"50\" protocol_name=\"ssh\"",
            ),
        );
    }

    #[test]
    fn connections_that_never_logged_in() {
        let closed = "network_activity close pid=Some(7) ppid=None id=- direction=\"inbound\" protocol_name=\"ssh\" src_ip=\"192.0.2.1\" src_port=\"50\"";
        check("sshd[7]: Connection closed by 192.0.2.1 port 50 [preauth]", Some(closed));
        check(
            "sshd[7]: Connection reset by authenticating user root 192.0.2.1 port 50 [preauth]",
            Some(&format!("{closed} user_name=\"root\"")),
        );
        check(
            "sshd[7]: Disconnected from invalid user a b 192.0.2.1 port 50 [preauth]",
            Some(&format!("{closed} user_name=\"a b\" status=\"invalid_user\"")),
        );
        check(
            "sshd[7]: Did not receive identification string from 192.0.2.1",
            Some(
                "network_activity other pid=Some(7) ppid=None id=- status=\"no_identification\" direction=\"inbound\" src_ip=\"192.0.2.1\" protocol_name=\"ssh\"",
            ),
        );
        check(
            "sshd[7]: Bad protocol version identification 'GET / HTTP/1.1' from 192.0.2.1 port 50",
            Some(
                "network_activity other pid=Some(7) ppid=None id=- status=\"bad_protocol\" direction=\"inbound\" src_ip=\"192.0.2.1\" src_port=\"50\" http_body=\"GET / HTTP/1.1\" protocol_name=\"ssh\"",
            ),
        );
        check(
            "sshd[7]: Connection from 192.0.2.1 port 50 on 192.0.2.9 port 22",
            Some(
                "network_activity open pid=Some(7) ppid=None id=- direction=\"inbound\" protocol_name=\"ssh\" dst_ip=\"192.0.2.9\" dst_port=\"22\" src_ip=\"192.0.2.1\" src_port=\"50\"",
            ),
        );
    }

    #[test]
    fn commands_of_sudo_and_cron() {
        check(
            "sudo[9]:   bob : TTY=pts/0 ; PWD=/tmp ; USER=root ; COMMAND=/bin/sh -c a; b",
            Some(
                "process_activity launch pid=Some(9) ppid=None id=- process_cmd_line=\"/bin/sh -c a; b\" process_file_path=\"/bin/sh\" detail=\"sudo by bob\" tty=\"pts/0\" working_directory=\"/tmp\" user_name=\"root\"",
            ),
        );
        check(
            "sudo:   bob : command not allowed ; TTY=pts/0 ; PWD=/tmp ; USER=root ; COMMAND=/bin/su",
            Some(
                "process_activity other pid=None ppid=None id=- process_cmd_line=\"/bin/su\" process_file_path=\"/bin/su\" status=\"command not allowed\" detail=\"sudo by bob\" tty=\"pts/0\" working_directory=\"/tmp\" user_name=\"root\"",
            ),
        );
        check(
            "CRON[9]: (root) CMD (  cd / && (run-parts /etc/cron.hourly))",
            Some(
                "process_activity other pid=Some(9) ppid=None id=- status=\"cron\" process_cmd_line=\"cd / && (run-parts /etc/cron.hourly)\" user_name=\"root\"",
            ),
        );
        check(
            "crontab[9]: (root) REPLACE (root)",
            Some("file_activity modify pid=Some(9) ppid=None id=- detail=\"crontab of root\" user_name=\"root\""),
        );
    }

    #[test]
    fn accounts() {
        check(
            "useradd[9]: new user: name=eve, UID=0, GID=0, home=/root, shell=/bin/sh",
            Some(
                "authentication create pid=Some(9) ppid=None id=- user_name=\"eve\" detail=\"new user: name=eve, UID=0, GID=0, home=/root, shell=/bin/sh\"",
            ),
        );
        check(
            "su[9]: Successful su for root by bob",
            Some(
                "authentication logon pid=Some(9) ppid=None id=- user_name=\"root\" logon_type=\"su\" detail=\"by bob\"",
            ),
        );
        check(
            "sshd[7]: pam_unix(sshd:session): session closed for user root",
            Some("authentication logoff pid=Some(7) ppid=None id=- user_name=\"root\""),
        );
    }

    #[test]
    fn other_lines_are_passed_over_and_other_logs_are_not_ours() {
        for line in [
            "systemd-logind[1]: New session 1 of user root.",
            "kernel: [1.0] x",
            "sshd[1]: Server listening on :: port 22.",
            "sshd[1]: Failed x",
            "sshd[1]: Connection",
            "sudo: x",
            "CRON[1]: (",
        ] {
            check(line, None);
        }
        assert!(read_all(&SshdAuth, b"hello\n")[0].starts_with("REJECTED at 0"));
        assert!(!SshdAuth.recognizes(b"Mar  2 10:11:12 web1 kernel: [1.0] x\n"));
        assert!(!SshdAuth.recognizes(b"") && !SshdAuth.recognizes(b"sshd[1]: Accepted password for root\n"));
        assert!(SshdAuth.recognizes(b"2024-03-02T10:11:12.123456+00:00 web1 sshd[1]: x\n"));
    }

    #[test]
    fn any_cut_of_a_line_is_read() {
        let line = "Mar  2 10:11:12 w sshd[7]: message repeated 2 times: [ Failed password for invalid user \u{e9} from 192.0.2.1 port 50 ssh2]";
        for end in (0..line.len()).filter(|end| line.is_char_boundary(*end)) {
            let _ = read_all(&SshdAuth, &line.as_bytes()[..end]);
        }
    }
}
