//! The records of one kernel event → the event.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ringleader_model::{Activity, Event, EventClass, Field};

use super::calls::{Call, call};
use super::fields::{Pair, bytes, decoded, header, number, pairs, raw};
use super::user::session;
use crate::collect::text;

/// Everything that the records of one event say, whoever wrote them.
#[derive(Default)]
struct Facts<'a> {
    syscall: Vec<Pair<'a>>,
    args: Args,
    /// The process title: the command line, cut at 128 bytes. After a failed exec it is the caller's.
    title: Option<Cow<'a, str>>,
    /// The command line as auoms joined it.
    joined: Option<&'a str>,
    cwd: Option<Cow<'a, str>>,
    /// By item number: name and what happened to it.
    paths: BTreeMap<u32, (Cow<'a, str>, &'a str)>,
    address: Option<Vec<u8>>,
    target: Vec<Pair<'a>>,
}

/// The event of assembled records (sorted). `None`: nothing we model, or a remnant.
pub(super) fn of_records(records: &[String]) -> Option<Event<'_>> {
    let mut facts = Facts::default();
    for record in records {
        let Some(head) = header(record) else { continue };
        let it = pairs(head.body);
        match head.kind {
            "SYSCALL" if facts.syscall.is_empty() => facts.syscall = it,
            "EXECVE" => facts.args.add(&it),
            "CWD" => facts.cwd = decoded(&it, "cwd"),
            "PROCTITLE" => facts.title = it.iter().find(|it| it.key == "proctitle").map(title),
            "PATH" => {
                if let (Some(item), Some(name)) = (number(&it, "item"), decoded(&it, "name")) {
                    let kind = raw(&it, "nametype").or_else(|| raw(&it, "objtype")).unwrap_or("");
                    facts.paths.insert(item, (name, kind));
                }
            }
            "SOCKADDR" => facts.address = raw(&it, "saddr").and_then(text::unhex),
            "OBJ_PID" => facts.target = it,
            _ => {}
        }
    }
    facts.event()
}

/// The event of auoms' one line. Its command line and process title stand unescaped, so they are cut out first:
/// what follows them is auoms' own.
pub(super) fn of_auoms(body: &str) -> Option<Event<'_>> {
    let end = body.rfind(" redactors=").unwrap_or(body.len());
    let body = &body[..end];
    let mut facts = Facts::default();
    let mut rest = body;
    // The title comes last, and only where there is no command line.
    if let Some(at) = body.find(" cmdline=\"") {
        let text = &body[at + " cmdline=\"".len()..];
        facts.joined = Some(text.strip_suffix('"').unwrap_or(text));
        rest = &body[..at];
    } else if let Some(at) = body.find(" proctitle=") {
        facts.title = Some(Cow::Borrowed(body[at + " proctitle=".len()..].trim_matches('"')));
        rest = &body[..at];
    }
    facts.syscall = pairs(rest);
    facts.cwd = decoded(&facts.syscall, "cwd");
    facts.address = raw(&facts.syscall, "saddr").and_then(text::unhex);
    if let Some(name) = decoded(&facts.syscall, "name") {
        facts.paths.insert(0, (name, raw(&facts.syscall, "nametype").unwrap_or("")));
    }
    let node = raw(&facts.syscall, "node");
    let mut event = facts.event()?;
    event.host = node.map(Into::into);
    Some(event)
}

impl<'a> Facts<'a> {
    fn event(self) -> Option<Event<'a>> {
        let it = &self.syscall;
        let argument =
            |n: usize| raw(it, ["a0", "a1", "a2", "a3"].get(n)?).and_then(|it| u64::from_str_radix(it, 16).ok());
        if it.is_empty() {
            return self.without_syscall();
        }
        let (arch, syscall) = (raw(it, "arch").unwrap_or(""), raw(it, "syscall").or_else(|| raw(it, "SYSCALL"))?);
        let found = call(arch, syscall, argument(0));
        // Only an exec has an EXECVE record, so it is one on machines that we have no numbers for, too.
        let (what, name) = if self.args.any() { (Call::Exec, "execve") } else { found? };
        let failed = raw(it, "success") == Some("no");
        let exit: Option<i64> = raw(it, "exit").and_then(|it| it.parse().ok());
        let mut event = Event::new(EventClass::Process, Activity::Other);
        event.pid = number(it, "pid");
        event.ppid = number(it, "ppid");
        event.pid?;
        match what {
            // The probes of a PATH search: the program is not there, and the caller goes on to the next folder.
            Call::Exec if failed => {
                event.put(Field::State, "failed");
                event.set(Field::TargetPath, self.paths.get(&0).map(|it| it.0.clone()));
                event.set(Field::CmdLine, self.title.clone());
                event.set(Field::ExitCode, raw(it, "exit"));
            }
            Call::Exec => {
                event.activity = Activity::Launch;
                self.command_line(&mut event);
                event.set(Field::Cwd, self.cwd.clone());
            }
            Call::Fork => {
                event.put(Field::State, "fork");
                event.set(Field::Detail, exit.filter(|it| *it > 0 && !failed)?.to_string());
            }
            Call::Exit => {
                event.activity = Activity::Terminate;
                event.set(Field::ExitCode, argument(0).map(|code| (code & 0xff).to_string()));
            }
            Call::Kill => {
                event.put(Field::State, "kill");
                let pid = raw(&self.target, "opid")?;
                let name = decoded(&self.target, "ocomm").unwrap_or_default();
                event.set(Field::Detail, format!("pid {pid} {name}").trim_end().to_owned());
                event.set(Field::CmdLine, self.title.clone());
            }
            Call::Connect | Call::Accept | Call::Bind => {
                event.class = EventClass::Network;
                let (ip, port) = endpoint(self.address.as_deref()?)?;
                match what {
                    Call::Connect => {
                        event.activity = Activity::Open;
                        event.put(Field::Direction, "outbound");
                        event.set(Field::DstIp, ip);
                        event.set(Field::DstPort, port);
                        // A socket that does not wait answers EINPROGRESS.
                        let state = if exit == Some(-115) { "in_progress" } else { "failed" };
                        event.set(Field::State, failed.then_some(state));
                    }
                    Call::Accept if !failed => {
                        event.activity = Activity::Open;
                        event.put(Field::Direction, "inbound");
                        event.set(Field::SrcIp, ip);
                        event.set(Field::SrcPort, port);
                    }
                    Call::Bind if !failed && port > 0 => {
                        event.activity = Activity::Listen;
                        event.set(Field::SrcIp, ip);
                        event.set(Field::SrcPort, port);
                    }
                    _ => return None,
                }
            }
            Call::Open(_) | Call::Delete | Call::Rename | Call::Chmod => {
                if failed {
                    return None;
                }
                event.class = EventClass::File;
                let named = |kind: &str| self.paths.values().find(|it| it.1 == kind).map(|it| it.0.as_ref());
                let any = || self.paths.values().rev().find(|it| it.1 != "PARENT").map(|it| it.0.as_ref());
                let path = match what {
                    Call::Open(flags) => {
                        let flags = argument(flags).unwrap_or(1);
                        event.activity = match named("CREATE") {
                            Some(_) => Activity::Create,
                            None if flags & 3 != 0 => Activity::Modify,
                            None => Activity::Read,
                        };
                        named("CREATE").or_else(any)
                    }
                    Call::Delete => {
                        event.activity = Activity::Delete;
                        named("DELETE").or_else(any)
                    }
                    Call::Rename => {
                        event.activity = Activity::Create;
                        event.set(Field::Detail, named("DELETE").map(|from| format!("renamed from {from}")));
                        named("CREATE")
                    }
                    _ => {
                        event.activity = Activity::Modify;
                        event.put(Field::Detail, "chmod");
                        any()
                    }
                };
                // `…at` calls with a folder's descriptor: what their names are relative to is not logged.
                let here =
                    !name.contains("at") || name == "creat" || argument(0).is_none_or(|it| it as u32 as i32 == -100);
                event.set(Field::TargetPath, absolute(path?, self.cwd.as_deref().filter(|_| here)));
                event.set(Field::Cwd, self.cwd.clone());
                event.set(Field::CmdLine, self.title.clone());
            }
        }
        event.set(Field::FilePath, decoded(it, "exe"));
        if event.activity == Activity::Launch && event.get(Field::FilePath).is_none() {
            event.set(Field::FilePath, self.paths.get(&0).map(|it| it.0.clone()));
        }
        event.set(Field::User, raw(it, "user").or_else(|| raw(it, "UID")).or_else(|| raw(it, "uid")));
        event.set(Field::Tty, decoded(it, "tty"));
        event.set(Field::Session, session(it));
        event.set(Field::Container, raw(it, "containerid"));
        let login = raw(it, "auid").filter(|it| !matches!(*it, "4294967295" | "-1" | "unset"));
        if event.get(Field::Detail).is_none() && login != raw(it, "uid") {
            event.set(Field::Detail, login.map(|it| format!("auid={it}")));
        }
        Some(event)
    }

    /// The SYSCALL record was lost, and with it the pid: the command still ran on this host.
    fn without_syscall(self) -> Option<Event<'a>> {
        if !self.args.any() {
            return None;
        }
        let mut event = Event::new(EventClass::Process, Activity::Other);
        self.command_line(&mut event);
        event.put(Field::State, "incomplete");
        event.set(Field::FilePath, self.paths.get(&0).map(|it| it.0.clone()));
        event.set(Field::Cwd, self.cwd);
        Some(event)
    }

    /// The arguments, as `ps` would show them; where some were lost, whichever of them and the title says more.
    fn command_line(&self, event: &mut Event<'a>) {
        if let Some(joined) = self.joined {
            event.set(Field::CmdLine, joined);
            return;
        }
        let (args, complete) = self.args.joined();
        let title = self.title.as_deref().unwrap_or("");
        if complete || args.len() >= title.len() {
            event.set(Field::CmdLine, args);
        } else {
            event.set(Field::CmdLine, title.to_owned());
        }
        if self.args.any() && !complete {
            event.put(Field::State, "incomplete");
        }
    }
}

/// The arguments of an exec, out of one or more EXECVE records, long ones in parts.
#[derive(Default)]
struct Args {
    argc: Option<u32>,
    parts: BTreeMap<(u32, u32), Vec<u8>>,
    /// For arguments in parts: how long they should be and how long the parts are, both as written.
    lengths: BTreeMap<u32, (usize, usize)>,
}

impl Args {
    fn any(&self) -> bool {
        !self.parts.is_empty()
    }

    fn add(&mut self, pairs: &[Pair<'_>]) {
        self.argc = self.argc.or(number(pairs, "argc"));
        for pair in pairs {
            let Some(name) = pair.key.strip_prefix('a') else { continue };
            if let Some(arg) = name.strip_suffix("_len").and_then(|it| it.parse().ok()) {
                self.lengths.entry(arg).or_default().0 = pair.raw.parse().unwrap_or(0);
                continue;
            }
            // `a12`, or `a12[3]` for the fourth part of it.
            let (arg, part) = match name.strip_suffix(']').and_then(|it| it.split_once('[')) {
                Some((arg, part)) => (arg, part),
                None => (name, "0"),
            };
            if let (Ok(arg), Ok(part)) = (arg.parse(), part.parse())
                && !self.parts.contains_key(&(arg, part))
            {
                self.parts.insert((arg, part), bytes(pair).into_owned());
                self.lengths.entry(arg).or_default().1 += pair.raw.len();
            }
        }
    }

    /// The arguments in front of the first gap, and whether that is all of them.
    fn joined(&self) -> (String, bool) {
        let mut out = Vec::new();
        let mut last: Option<(u32, u32)> = None;
        let mut complete = self.any();
        for (&(arg, part), bytes) in &self.parts {
            let follows = match last {
                None => (arg, part) == (0, 0),
                Some((a, p)) => {
                    (a == arg && p.checked_add(1) == Some(part))
                        || (self.whole(a) && a.checked_add(1) == Some(arg) && part == 0)
                }
            };
            if !follows {
                complete = false;
                break;
            }
            if part == 0 && arg > 0 {
                out.push(b' ');
            }
            out.extend_from_slice(bytes);
            last = Some((arg, part));
        }
        complete &=
            last.is_some_and(|(arg, _)| self.whole(arg) && self.argc.is_none_or(|argc| argc == arg.saturating_add(1)));
        (text::decode(&out).into_owned(), complete)
    }

    fn whole(&self, arg: u32) -> bool {
        self.lengths.get(&arg).is_none_or(|(expected, got)| got >= expected)
    }
}

/// A title's NUL bytes stand between the arguments.
fn title<'a>(pair: &Pair<'a>) -> Cow<'a, str> {
    match bytes(pair) {
        Cow::Borrowed(_) => Cow::Borrowed(pair.raw),
        Cow::Owned(mut bytes) => {
            while bytes.last() == Some(&0) {
                bytes.pop();
            }
            bytes.iter_mut().filter(|b| **b == 0).for_each(|b| *b = b' ');
            Cow::Owned(text::decode(&bytes).into_owned())
        }
    }
}

/// The address and port of a `struct sockaddr`; `None` for sockets that are not of the internet.
fn endpoint(address: &[u8]) -> Option<(String, u32)> {
    let port = u32::from(u16::from_be_bytes(*address.get(2..4)?.first_chunk()?));
    let ip = match address.get(..2)? {
        [2, 0] | [0, 2] => IpAddr::V4(Ipv4Addr::from(*address.get(4..8)?.first_chunk::<4>()?)),
        [10, 0] | [0, 10] => IpAddr::V6(Ipv6Addr::from(*address.get(8..24)?.first_chunk::<16>()?)).to_canonical(),
        _ => return None,
    };
    Some((ip.to_string(), port))
}

fn absolute(path: &str, cwd: Option<&str>) -> String {
    match cwd {
        Some(cwd) if !path.starts_with('/') => {
            format!("{}/{}", cwd.trim_end_matches('/'), path.trim_start_matches("./"))
        }
        _ => path.to_owned(),
    }
}
