//! auth.log of sshd, sudo, su, cron and the account tools → logons, failures, commands. Any syslog header.
//!
//! Deliberately absent: what PAM repeats of what sshd itself says, and the lines of other programs.

use std::net::IpAddr;

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
        it if is_sshd(it) => sshd(message),
        "dropbear" => dropbear(message),
        "sudo" => return sudo(pid, message),
        "su" => su(message),
        "CRON" | "CROND" | "cron" | "crond" | "crontab" => cron(message),
        it if is_account_tool(it) => account(message),
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

fn sshd(message: &str) -> Option<Event<'_>> {
    let message = message.strip_suffix("[preauth]").map_or(message, str::trim_end);
    let message = message.strip_prefix("error: ").or_else(|| message.strip_prefix("fatal: ")).unwrap_or(message);
    let (verb, rest) = message.split_once(' ')?;
    let mut event = match verb {
        "Accepted" | "Failed" => {
            let (method, rest) = rest.split_once(" for ")?;
            if method.contains(' ') {
                return None;
            }
            let activity = if verb == "Accepted" { Activity::Logon } else { Activity::LogonFailed };
            let mut event = Event::new(EventClass::Authentication, activity);
            let (user, tail) = peer(&mut event, rest)?;
            named(&mut event, user);
            event.set(Field::LogonType, method);
            // A key's fingerprint tells one key's owner on many hosts.
            event.set(Field::Detail, tail.trim_start().strip_prefix("ssh2: ").map(str::trim));
            event
        }
        // A password may still follow, and fail on a line of its own.
        "Invalid" | "Illegal" => {
            let mut event = state(EventClass::Authentication, "invalid_user");
            let (user, _) = peer(&mut event, rest.strip_prefix("user")?)?;
            event.set(Field::User, user.trim());
            event
        }
        "maximum" => {
            let mut event = state(EventClass::Authentication, "max_attempts");
            let (user, _) = peer(&mut event, rest.split_once(" for ")?.1)?;
            named(&mut event, user);
            event.put(Field::State, "max_attempts");
            event
        }
        // `Connection closed by authenticating user root 192.0.2.1 port 5 [preauth]`, `Disconnected from …`
        "Connection" | "Disconnected" => {
            let rest = match rest.split_once(' ')? {
                ("closed" | "reset", rest) => rest.strip_prefix("by ")?,
                ("from", rest) => return opened_or_closed(verb, rest),
                _ => return None,
            };
            opened_or_closed("closed", rest)?
        }
        "Did" => {
            let mut event = state(EventClass::Network, "no_identification");
            event.put(Field::Direction, "inbound");
            peer(&mut event, rest.strip_prefix("not receive identification string")?)?;
            event
        }
        // Web scanners and worms that speak another protocol; what they sent is what they are.
        "Bad" => {
            let (sent, from) = rest.strip_prefix("protocol version identification '")?.rsplit_once("' ")?;
            let mut event = state(EventClass::Network, "bad_protocol");
            event.put(Field::Direction, "inbound");
            peer(&mut event, from)?;
            event.set(Field::Body, sent);
            event
        }
        "Unable" => {
            let rest = rest.strip_prefix("to negotiate with ")?;
            let mut event = state(EventClass::Network, "no_common_algorithm");
            event.put(Field::Direction, "inbound");
            address(&mut event, rest.split_once(':').filter(|it| it.0.contains(" port ")).map_or(rest, |it| it.0))?;
            event
        }
        "User" => {
            let mut event = state(EventClass::Process, "fork");
            event.set(Field::Detail, rest.strip_prefix("child is on pid ")?);
            return Some(event);
        }
        "Starting" => {
            let (what, rest) = rest.strip_prefix("session: ")?.split_once(" for ")?;
            let mut event = state(EventClass::Authentication, "session_started");
            let (user, _) = peer(&mut event, rest)?;
            event.set(Field::User, user.trim());
            event.set(Field::Detail, what);
            event.set(Field::Tty, what.rsplit_once(" on ").map(|it| it.1));
            event
        }
        "pam_unix(sshd:session):" => return session(rest),
        _ => return None,
    };
    event.put(Field::Protocol, "ssh");
    Some(event)
}

/// `root 192.0.2.1 port 5`, `invalid user a b 192.0.2.1 port 5`, `192.0.2.1 port 5 on 10.0.0.1 port 22`.
fn opened_or_closed<'a>(verb: &str, rest: &'a str) -> Option<Event<'a>> {
    let mut event = Event::new(EventClass::Network, Activity::Close);
    event.put(Field::Direction, "inbound");
    event.put(Field::Protocol, "ssh");
    let mut rest = rest;
    if verb == "Connection" {
        event.activity = Activity::Open;
        let (from, on) = rest.split_once(" on ")?;
        let (ip, port) = on.split_once(" port ")?;
        event.set(Field::DstIp, ip.parse::<IpAddr>().ok().map(|_| ip));
        event.set(Field::DstPort, digits(port));
        rest = from;
    }
    let (user, from) = match rest.rfind(" port ").map(|at| rest[..at].rfind(' ')) {
        Some(Some(at)) => (&rest[..at], &rest[at + 1..]),
        Some(None) => ("", rest),
        None => rest.rsplit_once(' ').map_or(("", rest), |it| it),
    };
    address(&mut event, from)?;
    let user = user.trim();
    named(&mut event, user.strip_prefix("authenticating user").or_else(|| user.strip_prefix("user")).unwrap_or(user));
    Some(event)
}

fn dropbear(message: &str) -> Option<Event<'_>> {
    let (activity, method, rest) = if let Some(rest) = message.strip_prefix("Password auth succeeded for ") {
        (Activity::Logon, "password", rest)
    } else if let Some(rest) = message.strip_prefix("Pubkey auth succeeded for ") {
        (Activity::Logon, "publickey", rest)
    } else if let Some(rest) = message.strip_prefix("Bad password attempt for ") {
        (Activity::LogonFailed, "password", rest)
    } else if let Some(rest) = message.strip_prefix("Login attempt for nonexistent user ") {
        (Activity::LogonFailed, "password", rest)
    } else {
        return None;
    };
    let mut event = Event::new(EventClass::Authentication, activity);
    let (user, from) = rest.rsplit_once("from ")?;
    let (ip, port) = from.trim().rsplit_once(':')?;
    event.set(Field::User, user.trim().split('\'').nth(1));
    event.set(Field::SrcIp, ip.parse::<IpAddr>().ok().map(|_| ip));
    event.set(Field::SrcPort, digits(port));
    event.put(Field::LogonType, method);
    event.put(Field::Protocol, "ssh");
    Some(event)
}

/// `ubuntu : TTY=pts/0 ; PWD=/tmp ; USER=root ; COMMAND=/bin/ls -l`, where a refusal stands before `TTY=`.
fn sudo(pid: Option<u32>, message: &str) -> Option<Event<'_>> {
    if let Some(rest) = message.strip_prefix("pam_unix(sudo:session):") {
        let mut event = session(rest)?;
        event.pid = pid;
        return Some(event);
    }
    let (by, rest) = message.split_once(" : ")?;
    if let Some(more) = rest.trim_start().strip_prefix("(command continued)") {
        let mut event = state(EventClass::Process, "continued");
        event.pid = pid;
        event.set(Field::CmdLine, more.trim());
        return Some(event);
    }
    let (settings, command) = rest.split_once("COMMAND=")?;
    let refused = settings.split(';').map(str::trim).next().filter(|it| !it.contains('='));
    // Without its pid it cannot be placed among the processes.
    let activity = if pid.is_some() && refused.is_none() { Activity::Launch } else { Activity::Other };
    let mut event = Event::new(EventClass::Process, activity);
    event.pid = pid;
    event.set(Field::CmdLine, command.trim());
    event.set(Field::FilePath, command.split_whitespace().next());
    event.set(Field::State, refused.or((activity == Activity::Other).then_some("sudo")));
    event.set(Field::Detail, format!("sudo by {}", by.trim()));
    for setting in settings.split(';') {
        match setting.trim().split_once('=') {
            Some(("TTY", it)) if it != "unknown" => event.set(Field::Tty, it),
            Some(("PWD", it)) if it != "unknown" => event.set(Field::Cwd, it),
            Some(("USER", it)) => event.set(Field::User, it),
            _ => {}
        }
    }
    Some(event)
}

fn su(message: &str) -> Option<Event<'_>> {
    let (activity, rest) = if let Some(rest) = message.strip_prefix("Successful su for ") {
        (Activity::Logon, rest)
    } else if let Some(rest) = message.strip_prefix("FAILED su for ").or_else(|| message.strip_prefix("FAILED SU for "))
    {
        (Activity::LogonFailed, rest)
    } else if let Some(rest) = message.strip_prefix("FAILED SU (to ") {
        let (user, by) = rest.split_once(") ")?;
        let mut event = Event::new(EventClass::Authentication, Activity::LogonFailed);
        event.set(Field::User, user);
        event.put(Field::LogonType, "su");
        event.set(Field::Detail, format!("by {by}"));
        return Some(event);
    } else {
        return session(
            message
                .strip_prefix("pam_unix(su:session):")
                .or_else(|| message.strip_prefix("pam_unix(su-l:session):"))?,
        );
    };
    let (user, by) = rest.split_once(" by ")?;
    let mut event = Event::new(EventClass::Authentication, activity);
    event.set(Field::User, user);
    event.put(Field::LogonType, "su");
    event.set(Field::Detail, format!("by {by}"));
    Some(event)
}

/// `(root) CMD (command)`; `(root) REPLACE (root)` where a crontab was written.
fn cron(message: &str) -> Option<Event<'_>> {
    let (user, rest) = message.strip_prefix('(')?.split_once(") ")?;
    let (what, text) = rest.split_once(" (")?;
    let text = text.strip_suffix(')').unwrap_or(text).trim();
    let mut event = match what {
        // The pid is that of cron's own child, which runs the command in a shell below it.
        "CMD" => {
            let mut event = state(EventClass::Process, "cron");
            event.set(Field::CmdLine, text);
            event
        }
        "REPLACE" | "DELETE" => {
            let activity = if what == "DELETE" { Activity::Delete } else { Activity::Modify };
            let mut event = Event::new(EventClass::File, activity);
            event.set(Field::Detail, format!("crontab of {text}"));
            event
        }
        _ => return None,
    };
    event.set(Field::User, user);
    Some(event)
}

fn account(message: &str) -> Option<Event<'_>> {
    let (activity, user) = if let Some(rest) = message.strip_prefix("new user: name=") {
        (Activity::Create, rest.split(',').next()?)
    } else if let Some(rest) = message.strip_prefix("delete user ") {
        (Activity::Delete, rest.trim_matches('\''))
    } else if let Some((_, user)) = message.split_once("password changed for ") {
        (Activity::Modify, user)
    } else if let Some(rest) = message.strip_prefix("add '") {
        (Activity::Modify, rest.split('\'').next()?)
    } else {
        return None;
    };
    let mut event = Event::new(EventClass::Authentication, activity);
    event.set(Field::User, user.trim());
    event.set(Field::Detail, message);
    Some(event)
}

/// `session opened for user root(uid=0) by ubuntu(uid=1000)`, `session closed for user root`.
fn session(message: &str) -> Option<Event<'_>> {
    let message = message.trim();
    let (mut event, rest) = match message.strip_prefix("session opened for user ") {
        Some(rest) => (state(EventClass::Authentication, "session_opened"), rest),
        None => {
            let rest = message.strip_prefix("session closed for user ")?;
            (Event::new(EventClass::Authentication, Activity::Logoff), rest)
        }
    };
    let (user, by) = rest.split_once(" by ").unwrap_or((rest, ""));
    event.set(Field::User, user.split('(').next().map(str::trim));
    let by = by.split('(').next().unwrap_or("").trim();
    event.set(Field::Detail, (!by.is_empty()).then(|| format!("by {by}")));
    Some(event)
}

fn state<'a>(class: EventClass, state: &'static str) -> Event<'a> {
    let mut event = Event::new(class, Activity::Other);
    event.put(Field::State, state);
    event
}

/// The user, without the mark that sshd puts before names that the host does not have.
fn named<'a>(event: &mut Event<'a>, user: &'a str) {
    let user = user.trim_start();
    match user.strip_prefix("invalid user").or_else(|| user.strip_prefix("illegal user")) {
        Some(user) => {
            event.set(Field::User, user.trim());
            event.put(Field::State, "invalid_user");
        }
        None => event.set(Field::User, user.trim()),
    }
}

/// `… from 192.0.2.1 port 5 …`: sets the peer; returns what stands before and after. The last `from` counts,
/// for the name before it is the attacker's to choose.
fn peer<'a>(event: &mut Event<'a>, text: &'a str) -> Option<(&'a str, &'a str)> {
    let at = text.rfind("from ").filter(|at| *at == 0 || text[..*at].ends_with(' '))?;
    let rest = address(event, &text[at + 5..])?;
    Some((&text[..at], rest))
}

/// `192.0.2.1[ port 5] …`: sets the address, or the name where sshd looked it up; returns the rest.
fn address<'a>(event: &mut Event<'a>, text: &'a str) -> Option<&'a str> {
    let (host, mut rest) = text.split_at(text.find(' ').unwrap_or(text.len()));
    let host = host.trim_end_matches(':');
    let ip = host.split('%').next().unwrap_or(host);
    match ip.parse::<IpAddr>() {
        Ok(_) => event.set(Field::SrcIp, ip),
        Err(_) if host.is_empty() => return None,
        Err(_) => event.set(Field::Workstation, host),
    }
    if let Some(port) = rest.strip_prefix(" port ") {
        event.set(Field::SrcPort, digits(port));
        rest = port.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    Some(rest)
}

/// The number at the front.
fn digits(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (end > 0 && end <= 5).then(|| &text[..end])
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
