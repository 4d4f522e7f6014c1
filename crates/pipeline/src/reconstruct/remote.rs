//! events of a host → what another host made it run, as the called host's own log shows it (WMI, WinRM, services,
//! scheduled tasks), and programs that were copied to its shares.
//!
//! The logon session ties a process, a service or a task to the host that logged on; where the log lacks the logon,
//! `src` is unknown and `reconstruct` looks for the call. Deliberately absent: whether it was an administrator.

use std::collections::HashMap;
use std::sync::Arc;

use ringleader_model::findings::Text;
use ringleader_model::{Activity, EventClass, Field};

use super::observe::{Observed, Ref, address, first_word, place, spell};
use crate::collect::rows::{Bucket, Row, Sym};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RemoteRun {
    pub time: Option<i64>,
    pub host: Text,
    /// An id of `list methods`.
    pub method: Text,
    /// The host that did it, where a logon tells.
    pub src: Option<Text>,
    /// What ran, or was set up to run.
    pub what: Text,
    /// The program's path, in one spelling.
    pub path: Option<Text>,
    pub user: Option<Text>,
    pub at: Ref,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Drop {
    pub time: Option<i64>,
    pub host: Text,
    pub src: Text,
    pub path: Text,
    pub user: Option<Text>,
    pub at: Ref,
}

/// A share's pipe and what is done through it come within this time.
const PIPE: i64 = 30 * 1_000_000;

pub(super) fn find(bucket: &Bucket, out: &mut Observed) {
    let mut sessions: HashMap<(Sym, Sym), Text> = HashMap::new();
    // (host, pipe) → who opened it, and when
    let mut pipes: Vec<(Sym, i64, bool, Text)> = Vec::new();
    for row in &bucket.rows {
        let src = || bucket.text(row, Field::SrcIp).and_then(address).map(|it| Text::from(it.to_string()));
        let machine = bucket.text(row, Field::User).is_some_and(|it| it.ends_with('$'));
        if row.class == EventClass::Authentication && row.activity == Activity::Logon && !machine {
            let session = bucket.sym(row, Field::Session);
            if session != 0
                && let Some(src) = src()
            {
                sessions.insert((row.host, session), src);
            }
        }
        if row.activity == Activity::Share && !machine {
            let name = bucket.text(row, Field::TargetPath).unwrap_or("").to_ascii_lowercase();
            if let (true, Some(src)) = (name == "svcctl" || name == "atsvc", src()) {
                pipes.push((row.host, row.time.map_or(0, |it| it.0), name == "svcctl", src));
            }
            drop_of(bucket, row, out);
        }
    }
    let opened = |row: &Row, services: bool| {
        let time = row.time?.0;
        let near = pipes.iter().filter(|it| it.0 == row.host && it.2 == services && (time - it.1).abs() <= PIPE);
        near.min_by_key(|it| (time - it.1).abs()).map(|it| it.3.clone())
    };
    for row in &bucket.rows {
        let session = bucket.sym(row, Field::Session);
        let by_session = || sessions.get(&(row.host, session)).filter(|_| session != 0).cloned();
        let command = bucket.text(row, Field::CmdLine);
        let found = match (row.class, row.activity) {
            (EventClass::Process, Activity::Launch) => started(bucket, row).map(|method| (method, by_session())),
            (EventClass::Process, Activity::Service) => {
                by_session().or_else(|| opened(row, true)).map(|src| ("smb_service_exec", Some(src)))
            }
            (EventClass::Process, Activity::Other)
                if bucket.text(row, Field::Detail).is_some_and(|it| {
                    it.starts_with("scheduled task created") || it.starts_with("scheduled task registered")
                }) =>
            {
                let local = bucket.text(row, Field::User).is_none_or(|it| it.ends_with('$') || is_service_account(it));
                let src = by_session().or_else(|| opened(row, false));
                (src.is_some() || !local).then_some(("remote_scheduled_task", src))
            }
            _ => None,
        };
        let Some((method, src)) = found else { continue };
        let path = bucket.text(row, Field::FilePath).or(command.map(first_word)).map(|it| Text::from(spell(it)));
        let what = [command, bucket.text(row, Field::FilePath), bucket.text(row, Field::ServiceName)]
            .into_iter()
            .flatten()
            .next();
        out.remote.insert(RemoteRun {
            time: row.time.map(|it| it.0),
            host: Arc::from(bucket.strings.get(row.host)),
            method: method.into(),
            src,
            what: super::observe::cut(what.unwrap_or(""), 300).into(),
            path,
            user: bucket.text(row, Field::User).map(Into::into),
            at: place(row),
        });
    }
}

fn is_service_account(user: &str) -> bool {
    let user = user.rsplit('\\').next().unwrap_or(user).to_ascii_uppercase();
    matches!(&*user, "SYSTEM" | "NETWORK SERVICE" | "LOCAL SERVICE" | "LOCALSYSTEM")
}

fn base(path: &str) -> String {
    crate::connect::link::base_name(path).to_ascii_lowercase()
}

/// The method that a program's parent, or the program itself, gives away.
fn started(bucket: &Bucket, row: &Row) -> Option<&'static str> {
    let own = base(bucket.text(row, Field::FilePath)?);
    let parent = base(bucket.text(row, Field::ParentName).unwrap_or(""));
    let user = bucket.text(row, Field::User);
    // WMI's own workers run as the system and start each other.
    let by_person = user.is_some_and(|it| !is_service_account(it) && !it.ends_with('$'));
    match (&*parent, &*own) {
        (_, "conhost.exe" | "werfault.exe") => None,
        ("wmiprvse.exe", _) if by_person => Some("wmi_exec"),
        ("wsmprovhost.exe" | "winrshost.exe", _) => Some("winrm_exec"),
        (_, "wsmprovhost.exe" | "winrshost.exe") => Some("winrm_exec"),
        (_, "psexesvc.exe" | "paexec.exe" | "remcomsvc.exe") => Some("smb_service_exec"),
        _ => None,
    }
}

/// A program written to an administrative share.
fn drop_of(bucket: &Bucket, row: &Row, out: &mut Observed) {
    let (Some(share), Some(name)) = (bucket.text(row, Field::Share), bucket.text(row, Field::TargetPath)) else {
        return;
    };
    let Some(src) = bucket.text(row, Field::SrcIp).and_then(address) else { return };
    let mask = bucket.text(row, Field::State).unwrap_or("").trim_start_matches("0x");
    // Write or append.
    if u32::from_str_radix(mask, 16).is_ok_and(|it| it & 0x6 == 0) || mask.is_empty() {
        return;
    }
    let share = share.rsplit('\\').next().unwrap_or("").to_ascii_lowercase();
    let folder = match share.as_bytes() {
        b"admin$" => "c:\\windows".to_owned(),
        [drive @ b'a'..=b'z', b'$'] => format!("{}:", char::from(*drive)),
        _ => return,
    };
    const RUNS: [&str; 9] = [".exe", ".dll", ".ps1", ".bat", ".cmd", ".vbs", ".js", ".scr", ".sys"];
    let low = name.to_lowercase();
    if !RUNS.iter().any(|it| low.ends_with(it)) {
        return;
    }
    out.drops.insert(Drop {
        time: row.time.map(|it| it.0),
        host: Arc::from(bucket.strings.get(row.host)),
        src: Arc::from(src.to_string()),
        path: Arc::from(spell(&format!("{folder}\\{low}"))),
        user: bucket.text(row, Field::User).map(Into::into),
        at: place(row),
    });
}
