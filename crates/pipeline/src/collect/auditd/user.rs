//! Records that user-space programs write (`USER_LOGIN`, `USER_CMD`, `ADD_USER` …) → one event each.

use std::borrow::Cow;

use ringleader_model::{Activity, Event, EventClass, Field};

use super::fields::{Pair, decoded, number, pairs, raw};

/// The event of one record; `None` for the many kinds that say nothing of an intrusion.
pub(super) fn of_record<'a>(kind: &str, body: &'a str) -> Option<Event<'a>> {
    let outer = pairs(body);
    let inner = raw(&outer, "msg").map(pairs).unwrap_or_default();
    let exe = decoded(&inner, "exe").or_else(|| decoded(&outer, "exe"));
    let program = exe.as_deref().and_then(|it| it.rsplit('/').next()).unwrap_or("");
    let result = raw(&inner, "res").or_else(|| raw(&outer, "res"));
    let succeeded = matches!(result, Some("success" | "yes" | "1"));
    let outcome = if succeeded { Activity::Logon } else { Activity::LogonFailed };
    let mut event = match kind {
        "USER_LOGIN" => Event::new(EventClass::Authentication, outcome),
        // sshd has PAM's answer logged for every attempt, beside its own USER_LOGIN: one attempt is not two.
        "USER_AUTH" if program.starts_with("sshd") => state(EventClass::Authentication, result.unwrap_or("unknown")),
        "USER_AUTH" => Event::new(EventClass::Authentication, outcome),
        // cron opens a session for every job.
        "USER_START" | "USER_END" if matches!(program, "cron" | "crond") => return None,
        "USER_START" => state(EventClass::Authentication, "session_opened"),
        "USER_END" | "USER_LOGOUT" => Event::new(EventClass::Authentication, Activity::Logoff),
        "USER_CMD" => return command(&outer, &inner, exe),
        "ADD_USER" => Event::new(EventClass::Authentication, Activity::Create),
        "DEL_USER" => Event::new(EventClass::Authentication, Activity::Delete),
        "SERVICE_START" => {
            let mut event = state(EventClass::Process, "service_started");
            event.set(Field::ServiceName, decoded(&inner, "unit").or_else(|| decoded(&outer, "unit")));
            return Some(event);
        }
        _ => return None,
    };
    event.pid = number(&outer, "pid");
    event.set(Field::FilePath, exe);
    let account =
        decoded(&inner, "acct").or_else(|| decoded(&outer, "ID")).or_else(|| raw(&inner, "id").map(Into::into));
    event.set(Field::User, account);
    event.set(Field::SrcIp, raw(&inner, "addr").filter(|it| it.parse::<std::net::IpAddr>().is_ok()));
    event.set(Field::Workstation, raw(&inner, "hostname").filter(|it| it.parse::<std::net::IpAddr>().is_err()));
    event.set(Field::Tty, raw(&inner, "terminal"));
    event.set(Field::Session, session(&outer));
    event.set(Field::Detail, raw(&inner, "op"));
    Some(event)
}

/// sudo's own record of a command. It names sudo's pid; the command's exec, where it is audited, has its own.
fn command<'a>(outer: &[Pair<'a>], inner: &[Pair<'a>], exe: Option<Cow<'a, str>>) -> Option<Event<'a>> {
    let mut event = state(EventClass::Process, "sudo");
    event.pid = number(outer, "pid");
    event.set(Field::FilePath, exe);
    event.set(Field::CmdLine, decoded(inner, "cmd"));
    event.set(Field::Cwd, decoded(inner, "cwd"));
    event.set(Field::User, raw(outer, "uid"));
    event.set(Field::Tty, raw(inner, "terminal"));
    event.set(Field::Session, session(outer));
    Some(event)
}

fn state<'a>(class: EventClass, state: &'a str) -> Event<'a> {
    let mut event = Event::new(class, Activity::Other);
    event.set(Field::State, state);
    event
}

/// The audit session; the unset mark is -1 as an unsigned number.
pub(super) fn session<'a>(pairs: &[Pair<'a>]) -> Option<&'a str> {
    raw(pairs, "ses").filter(|it| !matches!(*it, "4294967295" | "-1" | "unset"))
}
