//! A message of sshd or dropbear → one event.

use std::net::IpAddr;

use ringleader_model::{Activity, Event, EventClass, Field};

use super::{state, tools};

pub(super) fn sshd(message: &str) -> Option<Event<'_>> {
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
        "pam_unix(sshd:session):" => return tools::session(rest),
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

pub(super) fn dropbear(message: &str) -> Option<Event<'_>> {
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
