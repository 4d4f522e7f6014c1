//! A message of sudo, su, cron or an account tool → one event.

use ringleader_model::{Activity, Event, EventClass, Field};

use super::state;

/// `ubuntu : TTY=pts/0 ; PWD=/tmp ; USER=root ; COMMAND=/bin/ls -l`, where a refusal stands before `TTY=`.
pub(super) fn sudo(pid: Option<u32>, message: &str) -> Option<Event<'_>> {
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

pub(super) fn su(message: &str) -> Option<Event<'_>> {
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
pub(super) fn cron(message: &str) -> Option<Event<'_>> {
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

pub(super) fn account(message: &str) -> Option<Event<'_>> {
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
pub(super) fn session(message: &str) -> Option<Event<'_>> {
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
