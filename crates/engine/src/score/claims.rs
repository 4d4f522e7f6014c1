//! a findings folder → what it claims of each event, in the source's own ids.
//!
//! Memory: 24 bytes for each process, and the rows of one host; the members of gangs; the repairs.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::path::Path;

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader as _, RowGroupReader, SerializedFileReader};
use ringleader_model::hash::ByHash;

use super::truth::{Id, id};

/// What is claimed, by the findings or by anyone else.
#[derive(Default)]
pub(crate) struct Claims {
    /// `None`: nothing is said of links.
    pub(crate) links: Option<Links>,
    /// Events of gangs; the gang's number.
    pub(crate) members: HashMap<Id, u32, ByHash>,
    /// By number.
    pub(crate) gangs: Vec<Box<str>>,
    pub(crate) repairs: Vec<Repair>,
    /// Events that carry no id of their source, and so cannot be looked up in the truth.
    pub(crate) without_id: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    /// The parent, or where there is none the nearest ancestor.
    pub(crate) up: Option<Id>,
    pub(crate) is_parent: bool,
    /// Numbers in `Links::names`.
    pub(crate) how: u8,
    pub(crate) status: u8,
}

/// Links by event: sorted, with the places of the ids' first bits.
#[derive(Default)]
pub(crate) struct Links {
    rows: Vec<(Id, Link)>,
    starts: Vec<u32>,
    shift: u32,
    pub(crate) names: Vec<Box<str>>,
}

impl Links {
    pub(crate) fn new(mut rows: Vec<(Id, Link)>, names: Vec<Box<str>>) -> Self {
        rows.sort_unstable_by_key(|it| it.0);
        rows.dedup_by_key(|it| it.0);
        let bits = (rows.len() / 8).max(2).ilog2();
        let shift = 64 - bits;
        let mut starts = vec![0u32; (1 << bits) + 1];
        for row in &rows {
            starts[(row.0.get() >> shift) as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Self { rows, starts, shift, names }
    }

    pub(crate) fn get(&self, event: Id) -> Option<Link> {
        let bucket = (event.get() >> self.shift) as usize;
        let rows = &self.rows[self.starts[bucket] as usize..self.starts[bucket + 1] as usize];
        rows.iter().find(|it| it.0 == event).map(|it| it.1)
    }
}

/// One claimed process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Repair {
    pub(crate) host: String,
    pub(crate) template: String,
    pub(crate) file_path: Option<String>,
    pub(crate) structural: bool,
    pub(crate) child: Option<Id>,
    pub(crate) parent: Option<Id>,
    pub(crate) support: u64,
    pub(crate) confidence: f64,
    /// Microseconds.
    pub(crate) not_before: Option<i64>,
    pub(crate) not_after: Option<i64>,
}

impl Claims {
    pub(crate) fn read(findings: &Path) -> io::Result<Self> {
        let mut claims = Self::default();
        let mut numbers: BTreeMap<Box<str>, u32> = BTreeMap::new();
        // Repairs speak of events by the findings' own ids.
        let mut sources: HashMap<u128, Id, ByHash> = HashMap::default();
        let columns = ["event_id", "source_event_id", "gang_id"];
        read(findings, "members.parquet", |group| {
            let [events, ids, gangs] = texts(group, columns)?;
            for ((event, own), gang) in events.iter().zip(&ids).zip(&gangs) {
                let Some(own) = own else {
                    claims.without_id += 1;
                    continue;
                };
                let own = id(own.data());
                sources.extend(event.as_ref().and_then(key).map(|it| (it, own)));
                if let Some(gang) = gang {
                    let next = numbers.len() as u32;
                    let number = *numbers.entry(text(gang).into()).or_insert(next);
                    claims.members.insert(own, number);
                }
            }
            Ok(())
        })?;
        claims.gangs = vec![Box::default(); numbers.len()];
        for (name, number) in numbers {
            claims.gangs[number as usize] = name;
        }
        if findings.join("processes.parquet").exists() {
            claims.links = Some(links(findings, &mut claims.without_id)?);
        }
        claims.read_repairs(findings, &sources)?;
        Ok(claims)
    }

    fn read_repairs(&mut self, findings: &Path, sources: &HashMap<u128, Id, ByHash>) -> io::Result<()> {
        let columns = ["host", "template", "file_path", "grade", "child_event_id", "parent_event_id"];
        read(findings, "repairs.parquet", |group| {
            let [hosts, templates, paths, grades, children, parents] = texts(group, columns)?;
            let supports = ints(group, "support")?;
            let confidences = doubles(group, "confidence")?;
            let (from, until) = (ints(group, "not_before")?, ints(group, "not_after")?);
            let owned = |it: &Option<ByteArray>| it.as_ref().map(|it| text(it).to_owned());
            let source = |it: &Option<ByteArray>| it.as_ref().and_then(key).and_then(|it| sources.get(&it)).copied();
            for at in 0..hosts.len() {
                self.repairs.push(Repair {
                    host: owned(&hosts[at]).unwrap_or_default(),
                    template: owned(&templates[at]).unwrap_or_default(),
                    file_path: owned(&paths[at]),
                    structural: owned(&grades[at]).as_deref() == Some("structural"),
                    child: source(&children[at]),
                    parent: source(&parents[at]),
                    support: supports[at].unwrap_or_default().unsigned_abs(),
                    confidence: confidences[at].unwrap_or_default(),
                    not_before: from[at],
                    not_after: until[at],
                });
            }
            Ok(())
        })
    }
}

/// Rows come by host, and a process's parent is of its host: ids are translated host by host.
fn links(findings: &Path, without_id: &mut u64) -> io::Result<Links> {
    struct Process {
        event: u128,
        own: Id,
        up: Option<u128>,
        is_parent: bool,
        how: u8,
        status: u8,
    }
    fn flush(host: &mut Vec<Process>, rows: &mut Vec<(Id, Link)>) {
        let own: HashMap<u128, Id, ByHash> = host.iter().map(|it| (it.event, it.own)).collect();
        for it in host.drain(..) {
            // An ancestor that has no id of its source is still one: it is not the true one, whatever that is.
            let up = it.up.map(|up| own.get(&up).copied().unwrap_or(Id::MIN));
            rows.push((it.own, Link { up, is_parent: it.is_parent, how: it.how, status: it.status }));
        }
    }
    let mut names: Vec<Box<str>> = Vec::new();
    let (mut rows, mut host, mut name) = (Vec::new(), Vec::new(), None);
    rows.reserve_exact(rows_of(findings, "processes.parquet"));
    let columns =
        ["host", "event_id", "source_event_id", "parent_event_id", "ancestor_event_id", "parent_status", "how"];
    read(findings, "processes.parquet", |group| {
        let [hosts, events, ids, parents, ancestors, statuses, hows] = texts(group, columns)?;
        for at in 0..hosts.len() {
            if hosts[at] != name {
                flush(&mut host, &mut rows);
                name.clone_from(&hosts[at]);
            }
            let (Some(event), Some(own)) = (events[at].as_ref().and_then(key), &ids[at]) else {
                *without_id += 1;
                continue;
            };
            let parent = parents[at].as_ref().and_then(key);
            host.push(Process {
                event,
                own: id(own.data()),
                up: parent.or_else(|| ancestors[at].as_ref().and_then(key)),
                is_parent: parent.is_some(),
                how: number(&mut names, &hows[at]),
                status: number(&mut names, &statuses[at]),
            });
        }
        Ok(())
    })?;
    flush(&mut host, &mut rows);
    Ok(Links::new(rows, names))
}

/// The few names of kinds, numbered.
fn number(names: &mut Vec<Box<str>>, name: &Option<ByteArray>) -> u8 {
    let name = name.as_ref().map_or("", text);
    let at = names.iter().position(|it| &**it == name).unwrap_or_else(|| {
        names.push(name.into());
        names.len() - 1
    });
    u8::try_from(at).unwrap_or(u8::MAX)
}

fn key(hex: &ByteArray) -> Option<u128> {
    u128::from_str_radix(text(hex), 16).ok()
}

fn text(bytes: &ByteArray) -> &str {
    std::str::from_utf8(bytes.data()).unwrap_or_default()
}

/// How many rows a table says that it has.
fn rows_of(findings: &Path, name: &str) -> usize {
    let reader = File::open(findings.join(name)).ok().and_then(|it| SerializedFileReader::new(it).ok());
    reader.map_or(0, |it| usize::try_from(it.metadata().file_metadata().num_rows()).unwrap_or(0).min(1 << 32))
}

/// Calls back for each row group; a table that is not there has no rows.
fn read(
    findings: &Path,
    name: &str,
    mut each: impl FnMut(&dyn RowGroupReader) -> Result<(), ParquetError>,
) -> io::Result<()> {
    let path = findings.join(name);
    let damaged = |what: &dyn std::fmt::Display| io::Error::other(format!("{}: {what}", path.display()));
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file.map_err(|error| damaged(&error))?,
    };
    let reader = SerializedFileReader::new(file).map_err(|error| damaged(&error))?;
    for at in 0..reader.num_row_groups() {
        reader.get_row_group(at).and_then(|group| each(&*group)).map_err(|error| damaged(&error))?;
    }
    Ok(())
}

fn column(group: &dyn RowGroupReader, name: &str) -> Result<(ColumnReader, usize), ParquetError> {
    let schema = group.metadata().schema_descr();
    let at = schema.columns().iter().position(|it| it.name() == name);
    let at = at.ok_or_else(|| ParquetError::General(format!("no column {name}")))?;
    Ok((group.get_column_reader(at)?, usize::try_from(group.metadata().num_rows()).unwrap_or(0)))
}

fn values<T: DataType>(mut reader: ColumnReaderImpl<T>, rows: usize) -> Result<Vec<Option<T::T>>, ParquetError> {
    let mut out = Vec::with_capacity(rows);
    let (mut found, mut levels) = (Vec::new(), Vec::new());
    while out.len() < rows {
        found.clear();
        levels.clear();
        let (read, values, _) = reader.read_records(rows - out.len(), Some(&mut levels), None, &mut found)?;
        if read == 0 {
            return Err(ParquetError::General("a column ends early".to_owned()));
        }
        let mut found = found.drain(..);
        // A required column has no levels.
        if levels.is_empty() || values == read {
            out.extend(found.map(Some));
        } else {
            out.extend(levels.iter().map(|it| if *it > 0 { found.next() } else { None }));
        }
    }
    Ok(out)
}

type Texts = Vec<Option<ByteArray>>;

fn texts<const N: usize>(group: &dyn RowGroupReader, names: [&str; N]) -> Result<[Texts; N], ParquetError> {
    let mut columns = [const { Vec::new() }; N];
    for (name, out) in names.iter().zip(&mut columns) {
        *out = match column(group, name)? {
            (ColumnReader::ByteArrayColumnReader(reader), rows) => values(reader, rows)?,
            _ => return Err(ParquetError::General(format!("{name} is not text"))),
        };
    }
    Ok(columns)
}

fn ints(group: &dyn RowGroupReader, name: &str) -> Result<Vec<Option<i64>>, ParquetError> {
    match column(group, name)? {
        (ColumnReader::Int64ColumnReader(reader), rows) => values(reader, rows),
        _ => Err(ParquetError::General(format!("{name} is not a whole number"))),
    }
}

fn doubles(group: &dyn RowGroupReader, name: &str) -> Result<Vec<Option<f64>>, ParquetError> {
    match column(group, name)? {
        (ColumnReader::DoubleColumnReader(reader), rows) => values(reader, rows),
        _ => Err(ParquetError::General(format!("{name} is not a number"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_by_their_events() {
        let link = |up| Link { up, is_parent: true, how: 0, status: 0 };
        let ids: Vec<Id> = (0..1000u64).map(|n| id(&n.to_le_bytes())).collect();
        let above = |it: &Id| Some(id(&it.get().to_le_bytes()));
        let links = Links::new(ids.iter().map(|it| (*it, link(above(it)))).collect(), Vec::new());
        assert!(ids.iter().all(|it| links.get(*it) == Some(link(above(it)))));
        assert_eq!(size_of::<(Id, Link)>(), 24);
        assert_eq!(links.get(id(b"another")), None);
        assert_eq!(Links::new(Vec::new(), Vec::new()).get(id(b"any")), None);
    }
}
