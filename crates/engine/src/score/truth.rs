//! the truth's tables → rows. docs/simulate.md has the columns. Deliberately absent: keeping them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use ringleader_model::hash::hash64;
use ringleader_model::time::{TimeDefaults, Timestamp};

const BUFFER: usize = 1 << 20;

/// A source's own id of an event, hashed: two of 100 million are alike once in 4,000 logs.
/// Not zero, so that a maybe costs no room.
pub(crate) type Id = NonZeroU64;

pub(crate) fn id(text: &[u8]) -> Id {
    Id::new(hash64(text)).unwrap_or(Id::MIN)
}

/// One event, logged or lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row<'a> {
    pub(crate) event: Id,
    /// As the source wrote it, for examples.
    pub(crate) text: &'a str,
    pub(crate) bot: Option<Bot<'a>>,
    pub(crate) parent: Option<Id>,
    pub(crate) lost: bool,
    pub(crate) status: &'a str,
    pub(crate) ancestor: Option<Id>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bot<'a> {
    pub(crate) gang: &'a str,
    pub(crate) incident: &'a str,
}

impl Row<'_> {
    /// What comes next on the way up.
    pub(crate) fn above(&self) -> Option<Id> {
        self.parent.or(self.ancestor)
    }

    /// The true parent, where it has an event in the log.
    pub(crate) fn logged_parent(&self) -> Option<Id> {
        self.parent.filter(|_| self.status == "observed")
    }
}

/// Calls back for each event. The tables are ours: what cannot be read ends the score.
pub(crate) fn for_each_event(path: &Path, mut each: impl FnMut(&Row<'_>)) -> io::Result<()> {
    for_each_line(path, |line| {
        let mut fields = line.split('\t');
        let mut next = || fields.next().unwrap_or_default();
        let (text, gang, incident, parent, lost, status, ancestor) =
            (next(), next(), next(), next(), next(), next(), next());
        if ancestor.is_empty() || !matches!(lost, "0" | "1") {
            return Err("not a row of a truth table: event, gang, incident, parent, lost, status, ancestor".to_owned());
        }
        let known = |it: &str| (it != "-").then(|| id(it.as_bytes()));
        each(&Row {
            event: id(text.as_bytes()),
            text,
            bot: (gang != "-").then_some(Bot { gang, incident }),
            parent: known(parent),
            lost: lost == "1",
            status,
            ancestor: known(ancestor),
        });
        Ok(())
    })
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Incident {
    pub(crate) gang: Box<str>,
    pub(crate) host: Box<str>,
    pub(crate) one_off: bool,
}

/// `x.truth.tsv` → `x.truth.incidents.tsv`, `x.truth.bots.tsv`.
pub fn beside(truth: &Path, table: &str) -> PathBuf {
    truth.with_extension(format!("{table}.tsv"))
}

/// By incident; `None` where the table is not there.
pub(crate) fn incidents(truth: &Path) -> io::Result<Option<BTreeMap<Box<str>, Incident>>> {
    let path = beside(truth, "incidents");
    if !path.exists() {
        return Ok(None);
    }
    let mut incidents = BTreeMap::new();
    for_each_line(&path, |line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [incident, gang, _wave, host, one_off, ..] = fields[..] else {
            return Err("not a row of an incident table: incident, gang, wave, host, one-off".to_owned());
        };
        incidents.insert(incident.into(), Incident { gang: gang.into(), host: host.into(), one_off: one_off == "1" });
        Ok(())
    })?;
    Ok(Some(incidents))
}

/// One event of a gang, logged or lost.
#[derive(Debug)]
pub(crate) struct BotEvent<'a> {
    pub(crate) event: Id,
    pub(crate) incident: &'a str,
    pub(crate) step: &'a str,
    pub(crate) time: Option<Timestamp>,
    pub(crate) file_path: String,
    pub(crate) cmd_line: String,
}

/// Calls back for each event of a gang; `false` where the table is not there.
pub(crate) fn for_each_bot(truth: &Path, mut each: impl FnMut(BotEvent<'_>)) -> io::Result<bool> {
    let path = beside(truth, "bots");
    if !path.exists() {
        return Ok(false);
    }
    for_each_line(&path, |line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [event, incident, step, time, file_path, cmd_line, ..] = fields[..] else {
            return Err("not a row of a bot table: event, incident, step, time, file path, command line".to_owned());
        };
        each(BotEvent {
            event: id(event.as_bytes()),
            incident,
            step,
            time: Timestamp::parse(time, &TimeDefaults::default()).map(|it| it.0),
            file_path: unescaped(file_path),
            cmd_line: unescaped(cmd_line),
        });
        Ok(())
    })?;
    Ok(true)
}

/// The inside of a JSON string.
fn unescaped(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    serde_json::from_str(&format!("\"{text}\"")).unwrap_or_else(|_| text.to_owned())
}

fn for_each_line(path: &Path, mut each: impl FnMut(&str) -> Result<(), String>) -> io::Result<()> {
    let in_file = |what: String| io::Error::other(format!("{}: {what}", path.display()));
    let file = File::open(path).map_err(|error| in_file(error.to_string()))?;
    let mut reader = BufReader::with_capacity(BUFFER, file);
    let mut line = Vec::new();
    let mut number = 0u64;
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        number += 1;
        let text = std::str::from_utf8(&line).map_err(|_| in_file(format!("line {number} is not UTF-8")))?;
        each(text.trim_end_matches(['\n', '\r'])).map_err(|what| in_file(format!("line {number}: {what}")))?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_they_are_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.truth.tsv");
        std::fs::write(&path, "a\tred rake\t7\tb\t0\tmissing\tb\nb\t-\t-\t-\t1\tforked\tc\n").unwrap();
        let mut rows = Vec::new();
        for_each_event(&path, |it| {
            rows.push((it.text.to_owned(), it.bot.is_some(), it.lost, it.above(), it.logged_parent()))
        })
        .unwrap();
        let (b, c) = (id(b"b"), id(b"c"));
        assert_eq!(rows, [("a".to_owned(), true, false, Some(b), None), ("b".to_owned(), false, true, Some(c), None)]);
        std::fs::write(&path, "a\tb\n").unwrap();
        let error = for_each_event(&path, |_| ()).unwrap_err().to_string();
        assert!(error.contains("x.truth.tsv: line 1: not a row"), "{error}");
        assert_eq!(beside(&path, "bots").file_name().unwrap(), "x.truth.bots.tsv");
        assert_eq!(unescaped(r#"a \"b\" \\c"#), r#"a "b" \c"#);
    }
}
