//! Lines of `fixtures/label/*.ndjson` → what `run` would see in them: events of a host, connected, cut into episodes,
//! labelled. For tests and benches of behaviours.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ringleader_model::{Activity, Event, EventClass, EventId, Field, Timestamp};
use serde::Deserialize;

use super::BehaviourId;
use super::episode::{Host, Knowledge, Labeller, Words};
use super::network::Signals;
use crate::collect::rows::{Bucket, Place};
use crate::connect::episodes::episodes;
use crate::connect::{graphs, sort};

/// One process of a case, and what it did.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Line {
    /// The number of an earlier line.
    pub(crate) parent: Option<usize>,
    pub(crate) file_path: Option<String>,
    pub(crate) cmd_line: Option<String>,
    pub(crate) parent_file_path: Option<String>,
    pub(crate) parent_cmd_line: Option<String>,
    #[serde(default)]
    pub(crate) files_written: Vec<String>,
    #[serde(default)]
    pub(crate) connects: Vec<String>,
    /// Seconds.
    pub(crate) start: Option<i64>,
    /// An event that starts no process: class, activity, and fields by their names in the tables.
    pub(crate) event: Option<(String, String, std::collections::BTreeMap<String, String>)>,
}

/// One case: what is expected, what it is about, and its processes, of which one may stand in the case itself.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Case {
    pub(crate) fires: Option<String>,
    pub(crate) quiet: Option<String>,
    /// It hides, and is seen all the same.
    pub(crate) evasive: Option<String>,
    /// It hides, and is not seen: why.
    pub(crate) missed: Option<String>,
    #[serde(default)]
    pub(crate) processes: Vec<Line>,
    #[serde(flatten)]
    pub(crate) alone: Line,
}

impl Case {
    pub(crate) fn lines(&self) -> &[Line] {
        if self.processes.is_empty() { std::slice::from_ref(&self.alone) } else { &self.processes }
    }

    /// What it is about, and whether the behaviour is to be seen in it.
    pub(crate) fn expects(&self) -> Option<(&str, bool)> {
        let named = [(&self.fires, true), (&self.evasive, true), (&self.quiet, false), (&self.missed, false)];
        let mut named = named.into_iter().filter_map(|(it, seen)| Some((it.as_deref()?, seen)));
        named.next().filter(|_| named.next().is_none())
    }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Vec<T> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let lines = text.lines().filter(|it| !it.is_empty());
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{path:?}: {error}: {line}"))).collect()
}

/// By behaviour: the cases of its file.
pub(crate) fn all() -> Vec<(String, Vec<Case>)> {
    let folder = std::fs::read_dir(root().join("fixtures/label")).unwrap().map(|it| it.unwrap().path());
    let mut out: Vec<_> = folder
        .filter(|it| it.extension().is_some_and(|it| it == "ndjson"))
        .map(|it| (it.file_stem().unwrap().to_string_lossy().into_owned(), read(&it)))
        .collect();
    out.sort_by(|a, b| a.0.cmp(&b.0));
    out
}

fn bucket(lines: &[Line]) -> Bucket {
    let mut bucket = Bucket::default();
    let mut n = 0;
    let mut push = |event: &Event<'_>| {
        n += 1;
        bucket.push(event, EventId(n), "web1", Place::default());
    };
    for (at, line) in lines.iter().enumerate() {
        let time = Some(Timestamp((1_700_000_000 + line.start.unwrap_or(at as i64)) * 1_000_000));
        let pid = Some(1000 + at as u32);
        if let Some((class, activity, fields)) = &line.event {
            let mut event = Event::new(EventClass::from_name(class).unwrap(), Activity::from_name(activity).unwrap());
            event.time = time;
            for (name, value) in fields {
                event.set(Field::from_name(name).unwrap(), value.as_str());
            }
            push(&event);
            continue;
        }
        let mut event = Event::new(EventClass::Process, Activity::Launch);
        (event.time, event.pid) = (time, pid);
        event.ppid = line.parent.map(|it| 1000 + it as u32);
        for (field, text) in [
            (Field::FilePath, &line.file_path),
            (Field::CmdLine, &line.cmd_line),
            (Field::ParentName, &line.parent_file_path),
            (Field::ParentCmdLine, &line.parent_cmd_line),
        ] {
            event.set(field, text.as_deref());
        }
        push(&event);
        for path in &line.files_written {
            let mut event = Event::new(EventClass::File, Activity::Create);
            (event.time, event.pid) = (time, pid);
            event.set(Field::TargetPath, path.as_str());
            push(&event);
        }
        for address in &line.connects {
            let mut event = Event::new(EventClass::Network, Activity::Open);
            (event.time, event.pid) = (time, pid);
            let (ip, port) = address.rsplit_once(':').unwrap();
            event.set(Field::DstIp, ip);
            event.set(Field::DstPort, port);
            event.set(Field::Direction, "outbound");
            push(&event);
        }
    }
    bucket
}

/// The names of everything that `run` sees in these lines.
pub(crate) fn seen(knowledge: &Knowledge, labeller: &mut Labeller<'_>, lines: &[Line]) -> Vec<String> {
    let mut bucket = bucket(lines);
    sort(&mut bucket);
    let mut words = Words::new(&bucket);
    let signals = Signals::default();
    let mut seen = BTreeSet::new();
    for graph in graphs(&bucket, &|_| 0) {
        let hits = labeller.hits(&bucket, &graph);
        seen.extend(hits.loose(&graph));
        let host = Host { name: "web1", addresses: BTreeSet::new(), signals: &signals, hits, missing: 0, links: 0 };
        for episode in episodes(&graph, &bucket) {
            let alarms = |of: &BTreeSet<BehaviourId>| -> Vec<BehaviourId> {
                let graded = of.iter().filter(|it| knowledge.behaviours.get(**it).unwrap().severity.is_alarm());
                graded.copied().collect()
            };
            let thorough = labeller.behaviours(&mut words, &graph, &episode, &host, true);
            let labelled = labeller.behaviours(&mut words, &graph, &episode, &host, false);
            assert_eq!(alarms(&thorough), alarms(&labelled), "an alarm is passed over: {lines:?}");
            seen.extend(thorough);
        }
    }
    seen.into_iter().map(|it| knowledge.behaviours.get(it).unwrap().id.clone()).collect()
}
