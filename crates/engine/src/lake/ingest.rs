//! files → committed rows, each file once, whatever crashes.
//!
//! A file is delivered under an application id made of its tenant, name and content. The id and the file's rows are
//! one commit; a file whose id is there is passed over. A file that grew has new content: it is read again from its
//! start, and the records that were there before are there twice under the same event ids, so that the analysis
//! takes them for one event each, and counts the others as duplicates.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use deltalake::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake::kernel::{Action, Add, Transaction};
use deltalake::parquet::basic::{Compression, ZstdLevel};
use deltalake::parquet::file::properties::WriterProperties;
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::writer::{DeltaWriter, RecordBatchWriter};
use ringleader_model::findings::{DeadLetter, SourceSummary};
use ringleader_pipeline::collect::rows::Bucket;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::rows::{self, BATCH, Days, Note};
use super::{Error, Lake, schema};
use crate::collect::{ALL_BUCKETS, CollectConfig, Collected, Progress, collect};
use crate::sources::{self, Input, Unreadable, describe};

/// Files of one commit, at most. Their bytes are bounded by the memory that is given.
const BATCH_FILES: usize = 1000;
const BATCH_BYTES: std::ops::RangeInclusive<u64> = 64 << 20..=1 << 30;
/// Rows that a writer takes before its files are ended: what it may hold in memory, whatever the input's size.
const ROWS_PER_FLUSH: usize = 1 << 20;
/// How often a batch is tried again after another writer committed some of it.
const ATTEMPTS: usize = 5;

/// What became of the inputs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IngestReport {
    /// The lake's version now.
    pub version: u64,
    /// In the order they were read.
    pub ingested: Vec<Delivered>,
    /// Files that were in the lake already.
    pub already_there: u64,
    /// Files that changed while they were read: ingested, and to be read again next time.
    pub changed: Vec<String>,
    /// What could not be opened. The lake remembers that, and it is tried again next time.
    pub unreadable: Vec<Unreadable>,
    pub events: u64,
    pub rejected: u64,
    pub commits: u64,
    pub files_written: u64,
    pub bytes_written: u64,
}

/// One file that was ingested.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivered {
    pub name: String,
    pub app_id: String,
    pub sha256: String,
    pub bytes: u64,
    pub events: u64,
    pub rejected: u64,
}

/// What the lake keeps of a delivery, beside its rows and rejected records.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub name: String,
    pub sha256: String,
    pub bytes: u64,
    pub tenant: String,
    /// The streams in it, in their order.
    pub sources: Vec<SourceSummary>,
    /// It could not be opened: one source that gave nothing, and why. Holds until the file is delivered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unreadable: bool,
}

impl Manifest {
    fn unreadable(it: &Unreadable, tenant: &str) -> Self {
        let source = SourceSummary {
            source: it.name.as_str().into(),
            rejected: 1,
            reasons: BTreeMap::from([(it.why.clone(), 1)]),
            ..SourceSummary::default()
        };
        Self {
            name: it.name.clone(),
            tenant: tenant.to_owned(),
            sources: vec![source],
            unreadable: true,
            ..Self::default()
        }
    }
}

/// Rows that are written but not committed: nobody sees them. Dropping it leaves them unseen for ever.
#[derive(Default)]
pub struct Staged {
    adds: Vec<Add>,
    transactions: Vec<Transaction>,
    delivered: Vec<Delivered>,
    changed: Vec<String>,
    unreadable: Vec<Unreadable>,
}

impl Staged {
    pub fn delivered(&self) -> &[Delivered] {
        &self.delivered
    }
    pub fn files(&self) -> usize {
        self.adds.len()
    }
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.unreadable
    }
}

/// A file at the door.
struct Delivery {
    /// Where it is read, and the name that reading gives it.
    path: PathBuf,
    read_as: String,
    /// The name under which it is kept.
    name: String,
    sha256: String,
    app_id: String,
    bytes: u64,
    /// Length and time of change when its digest was taken.
    stamp: Option<(u64, Option<SystemTime>)>,
    /// Holds a copy of what can be read only once.
    _spool: Option<Arc<tempfile::TempDir>>,
}

/// Ingests files into the lake at `path`, which is made where there is none. Committed batch by batch; run again
/// after a crash it goes on where it was.
pub fn ingest(
    inputs: &[Input],
    config: &CollectConfig,
    path: &Path,
    progress: &dyn Progress,
) -> Result<IngestReport, Error> {
    Lake::open_or_create(path)?.ingest(inputs, config, progress)
}

impl Lake {
    /// The same for a lake that is open.
    pub fn ingest(
        &mut self,
        inputs: &[Input],
        config: &CollectConfig,
        progress: &dyn Progress,
    ) -> Result<IngestReport, Error> {
        self.refresh()?;
        self.add_columns()?;
        let mut known = self.known()?;
        let mut report = IngestReport::default();
        let files = sources::walk(inputs, &mut report.unreadable);
        progress.stage("ingest");
        let size = |it: &Input| if let Input::Path(path) = it { std::fs::metadata(path).ok() } else { None };
        progress.expect(files.iter().filter_map(size).map(|it| it.len()).sum());
        let limit = (config.memory as u64).clamp(*BATCH_BYTES.start(), *BATCH_BYTES.end());
        let mut batch: Vec<Delivery> = Vec::new();
        let mut bytes = 0;
        for input in &files {
            let delivery = match deliver(input, config) {
                Ok(it) => it,
                Err(unreadable) => {
                    report.unreadable.push(unreadable);
                    continue;
                }
            };
            // The same file may be named twice.
            if !known.insert(delivery.app_id.clone()) {
                report.already_there += 1;
                progress.advance(delivery.bytes, 0);
                continue;
            }
            if !batch.is_empty() && (bytes + delivery.bytes > limit || batch.len() >= BATCH_FILES) {
                self.ingest_batch(std::mem::take(&mut batch), config, progress, &mut report)?;
                bytes = 0;
            }
            bytes += delivery.bytes;
            batch.push(delivery);
        }
        self.ingest_batch(batch, config, progress, &mut report)?;
        let told = self.stage_unreadable(&report.unreadable, &mut known, config)?;
        report.commits += u64::from(!told.adds.is_empty());
        self.commit(told)?;
        report.version = self.version();
        Ok(report)
    }

    fn ingest_batch(
        &mut self,
        mut batch: Vec<Delivery>,
        config: &CollectConfig,
        progress: &dyn Progress,
        report: &mut IngestReport,
    ) -> Result<(), Error> {
        for attempt in 1.. {
            if batch.is_empty() {
                break;
            }
            let staged = self.stage_batch(&batch, config, progress)?;
            let (delivered, changed) = (staged.delivered.clone(), staged.changed.clone());
            let (files, bytes) = (staged.adds.len() as u64, staged.adds.iter().map(|it| it.size as u64).sum::<u64>());
            match self.commit(staged) {
                Ok(_) => {
                    report.events += delivered.iter().map(|it| it.events).sum::<u64>();
                    report.rejected += delivered.iter().map(|it| it.rejected).sum::<u64>();
                    report.ingested.extend(delivered);
                    report.changed.extend(changed);
                    report.commits += 1;
                    report.files_written += files;
                    report.bytes_written += bytes;
                    break;
                }
                Err(error) => {
                    // Another writer may have committed some of these files, or the commit succeeded and what
                    // failed came after it. Whatever is there stays; the rest is tried again.
                    let known = self.known()?;
                    let before = batch.len();
                    batch.retain(|it| !known.contains(&it.app_id));
                    if batch.len() == before || attempt >= ATTEMPTS {
                        return Err(error);
                    }
                    report.already_there += (before - batch.len()) as u64;
                }
            }
        }
        Ok(())
    }

    /// Application ids of everything that was delivered.
    fn known(&self) -> Result<BTreeSet<String>, Error> {
        let notes: Vec<_> = self.files()?.into_iter().filter(|it| it.class == schema::INGESTED).collect();
        let mut known = BTreeSet::new();
        self.read_notes(&notes, &mut |_, id, _| {
            known.insert(id.to_owned());
            Ok(())
        })?;
        Ok(known)
    }

    /// Reads files and writes their rows, all of them at once, without committing. Files that are in the lake
    /// already are passed over.
    pub fn stage(
        &mut self,
        inputs: &[Input],
        config: &CollectConfig,
        progress: &dyn Progress,
    ) -> Result<Staged, Error> {
        self.add_columns()?;
        let mut known = self.known()?;
        let mut batch = Vec::new();
        let mut staged = Staged::default();
        for input in sources::walk(inputs, &mut staged.unreadable) {
            match deliver(&input, config) {
                Ok(it) if known.insert(it.app_id.clone()) => batch.push(it),
                Ok(_) => {}
                Err(it) => staged.unreadable.push(it),
            }
        }
        let told = self.stage_unreadable(&staged.unreadable, &mut known, config)?;
        let mut batch = self.stage_batch(&batch, config, progress)?;
        batch.adds.extend(told.adds);
        Ok(Staged { unreadable: staged.unreadable, ..batch })
    }

    /// What cannot be opened is noted once for each reason: a local run would tell it too. Two writers may both
    /// note it; readers take that for one.
    fn stage_unreadable(
        &self,
        list: &[Unreadable],
        known: &mut BTreeSet<String>,
        config: &CollectConfig,
    ) -> Result<Staged, Error> {
        let (mut ids, mut manifests) = (Vec::new(), Vec::new());
        for it in list {
            let id = format!("{} unreadable", id([&config.tenant, &it.name, &it.why]));
            if known.insert(id.clone()) {
                ids.push(id);
                manifests.push(Manifest::unreadable(it, &config.tenant));
            }
        }
        let adds = if ids.is_empty() { Vec::new() } else { self.write_notes(&ids, &manifests, &[])? };
        Ok(Staged { adds, ..Staged::default() })
    }

    /// Makes staged rows and the ids of their files visible, together or not at all.
    pub fn commit(&mut self, staged: Staged) -> Result<u64, Error> {
        if staged.adds.is_empty() {
            return Ok(self.version());
        }
        let doing = "cannot commit to the lake";
        let Staged { adds, transactions, delivered, .. } = staged;
        let events: u64 = delivered.iter().map(|it| it.events).sum();
        let properties = CommitProperties::default()
            .with_application_transactions(transactions)
            .with_metadata([(
                "ringleader".to_owned(),
                serde_json::json!({ "files": delivered.len(), "events": events }),
            )])
            .with_max_retries(15);
        let operation = DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: Some(schema::PARTITIONS.map(str::to_owned).to_vec()),
            predicate: None,
        };
        let result = self.tokio.wait(async {
            CommitBuilder::from(properties)
                .with_actions(adds.into_iter().map(Action::Add).collect())
                .build(Some(self.table.snapshot()?), self.table.log_store(), operation)
                .await
        });
        let refreshed = self.refresh();
        let version = result.map_err(|it| Error::engine(doing, it))?.version();
        refreshed?;
        Ok(version)
    }

    fn stage_batch(
        &self,
        batch: &[Delivery],
        config: &CollectConfig,
        progress: &dyn Progress,
    ) -> Result<Staged, Error> {
        if batch.is_empty() {
            return Ok(Staged::default());
        }
        let inputs: Vec<Input> = batch.iter().map(|it| Input::Path(it.path.clone())).collect();
        let mut collected = collect(&inputs, config, &Forward(progress))
            .map_err(|source| Error::Io { doing: "cannot set events aside".to_owned(), source })?;
        let owners = own(batch, &mut collected);
        let mut staged = Staged::default();
        let mut manifests: Vec<Manifest> = Vec::new();
        for delivery in batch {
            manifests.push(Manifest {
                name: delivery.name.clone(),
                sha256: delivery.sha256.clone(),
                bytes: delivery.bytes,
                tenant: config.tenant.clone(),
                ..Manifest::default()
            });
        }
        for (source, owner) in collected.sources.iter().zip(&owners) {
            manifests[*owner].sources.push(source.clone());
        }
        staged.adds = self.write_events(&collected, config.threads)?;
        let mut ids = Vec::new();
        for (delivery, manifest) in batch.iter().zip(&manifests) {
            let changed = stamp(&delivery.path) != delivery.stamp;
            if changed {
                staged.changed.push(delivery.name.clone());
                // What was read is not what the digest is of: it does not count as delivered.
                ids.push(format!("{} changed", delivery.app_id));
            } else {
                let version = i64::try_from(delivery.bytes).unwrap_or(i64::MAX);
                staged.transactions.push(Transaction::new(&delivery.app_id, version));
                ids.push(delivery.app_id.clone());
            }
            staged.delivered.push(Delivered {
                name: delivery.name.clone(),
                app_id: delivery.app_id.clone(),
                sha256: delivery.sha256.clone(),
                bytes: delivery.bytes,
                events: manifest.sources.iter().map(|it| it.read).sum(),
                rejected: manifest.sources.iter().map(|it| it.rejected).sum(),
            });
        }
        staged.adds.extend(self.write_notes(&ids, &manifests, &collected.rejected)?);
        staged.adds.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(staged)
    }

    /// A bucket at a time and thread, a block of it in memory at a time.
    fn write_events(&self, collected: &Collected, threads: usize) -> Result<Vec<Add>, Error> {
        let next = AtomicUsize::new(0);
        let work = || -> Result<Vec<Add>, Error> {
            let mut adds = Vec::new();
            loop {
                let bucket = next.fetch_add(1, Ordering::Relaxed);
                if bucket >= ALL_BUCKETS {
                    return Ok(adds);
                }
                adds.extend(self.write_bucket(collected, bucket)?);
            }
        };
        let results: Vec<Result<Vec<Add>, Error>> = std::thread::scope(|scope| {
            let running: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
            running.into_iter().map(|it| it.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        });
        let mut adds = Vec::new();
        for result in results {
            adds.extend(result?);
        }
        Ok(adds)
    }

    fn write_bucket(&self, collected: &Collected, bucket: usize) -> Result<Vec<Add>, Error> {
        let mut writer: Option<RecordBatchWriter> = None;
        let mut days = Days::default();
        let (mut adds, mut rows_held) = (Vec::new(), 0);
        let spill = |source| Error::Io { doing: "cannot read events back".to_owned(), source };
        while let Some(block) = collected.store.pop(bucket).map_err(spill)? {
            let mut loaded = Bucket::default();
            loaded.load(&block).map_err(|it| spill(io::Error::other(it)))?;
            drop(block);
            for order in rows::order(&loaded).chunks(BATCH) {
                let batch = rows::write(&loaded, order, bucket, &collected.sources, &mut days).map_err(unwritten)?;
                let mut open = match writer.take() {
                    Some(it) => it,
                    None => self.writer()?,
                };
                self.tokio.wait(open.write(batch)).map_err(unwritten)?;
                rows_held += order.len();
                if rows_held >= ROWS_PER_FLUSH {
                    adds.extend(self.tokio.wait(open.flush()).map_err(unwritten)?);
                    rows_held = 0;
                }
                writer = Some(open);
            }
        }
        if let Some(mut open) = writer {
            adds.extend(self.tokio.wait(open.flush()).map_err(unwritten)?);
        }
        Ok(adds)
    }

    fn write_notes(&self, ids: &[String], manifests: &[Manifest], letters: &[DeadLetter]) -> Result<Vec<Add>, Error> {
        let mut writer = self.writer()?;
        for (id, manifest) in ids.iter().zip(manifests) {
            let json = serde_json::to_string(manifest).map_err(unwritten)?;
            let (class, source) = (schema::INGESTED, manifest.name.as_str());
            let note = Note { class, id, source, format: None, place: None, json: &json };
            self.tokio.wait(writer.write(rows::write_notes([note]).map_err(unwritten)?)).map_err(unwritten)?;
        }
        // Of 64 KiB each at most.
        for letters in letters.chunks(256) {
            let jsons = letters.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>().map_err(unwritten)?;
            let notes = letters.iter().zip(&jsons).map(|(letter, json)| Note {
                class: schema::DEAD_LETTER,
                id: "",
                source: &letter.source,
                format: letter.format.as_deref(),
                place: Some((letter.offset, letter.length)),
                json,
            });
            self.tokio.wait(writer.write(rows::write_notes(notes).map_err(unwritten)?)).map_err(unwritten)?;
        }
        self.tokio.wait(writer.flush()).map_err(unwritten)
    }

    fn writer(&self) -> Result<RecordBatchWriter, Error> {
        let level = ZstdLevel::try_new(3).map_err(unwritten)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(Some(128 << 10))
            .build();
        Ok(RecordBatchWriter::for_table(&self.table).map_err(unwritten)?.with_writer_properties(properties))
    }
}

fn unwritten(error: impl std::fmt::Display) -> Error {
    Error::engine("cannot write to the lake", error)
}

/// Passes on what was done; the caller knows better how much there is to do.
struct Forward<'a>(&'a dyn Progress);

impl Progress for Forward<'_> {
    fn advance(&self, bytes: u64, events: u64) {
        self.0.advance(bytes, events);
    }
    fn stage(&self, name: &str) {
        self.0.stage(name);
    }
}

/// Which delivery each source is of. Sources of copies get the name under which the file is kept.
fn own(batch: &[Delivery], collected: &mut Collected) -> Vec<usize> {
    let exact: BTreeMap<&str, usize> = batch.iter().enumerate().map(|(at, it)| (it.read_as.as_str(), at)).collect();
    let find = |name: &str| {
        if let Some(at) = exact.get(name) {
            return *at;
        }
        // `file!member`: the longest file that fits.
        let mut files = name.match_indices('!').filter_map(|(at, _)| exact.get(&name[..at]));
        files.next_back().copied().unwrap_or_default()
    };
    let rename = |name: &str, owner: usize| {
        let it = &batch[owner];
        name.strip_prefix(&it.read_as).map(|rest| format!("{}{rest}", it.name))
    };
    let mut owners = Vec::with_capacity(collected.sources.len());
    for source in &mut collected.sources {
        let owner = find(&source.source);
        if let Some(name) = rename(&source.source, owner) {
            source.source = name.into();
        }
        owners.push(owner);
    }
    for letter in &mut collected.rejected {
        let owner = find(&letter.source);
        if let Some(name) = rename(&letter.source, owner) {
            letter.source = name.into();
        }
    }
    owners
}

fn stamp(path: &Path) -> Option<(u64, Option<SystemTime>)> {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.len(), meta.modified().ok()))
}

/// Takes the digest of a file. What can be read only once is copied first.
fn deliver(input: &Input, config: &CollectConfig) -> Result<Delivery, Unreadable> {
    let name = input.path().display().to_string();
    let unreadable = |error: io::Error| Unreadable { name: name.clone(), why: describe(&error) };
    let (path, spool) = match input {
        Input::Stdin => spool(&mut io::stdin(), Path::new("-")).map_err(unreadable)?,
        Input::Spooled(path) => (path.clone(), None),
        Input::Path(path) if path.is_file() => (path.clone(), None),
        Input::Path(path) => {
            let mut bytes = File::open(path).map_err(unreadable)?;
            spool(&mut bytes, path).map_err(unreadable)?
        }
    };
    let stamp = stamp(&path);
    let (sha256, bytes) = digest(&path).map_err(unreadable)?;
    Ok(Delivery {
        read_as: path.display().to_string(),
        path,
        app_id: id([&config.tenant, &name, &sha256]),
        name,
        sha256,
        bytes,
        stamp,
        _spool: spool,
    })
}

fn id(parts: [&str; 3]) -> String {
    let mut id = Sha256::new();
    for part in parts {
        id.update((part.len() as u64).to_le_bytes());
        id.update(part.as_bytes());
    }
    hex(&id.finalize())
}

type Spooled = (PathBuf, Option<Arc<tempfile::TempDir>>);

/// A copy under the same file name: that may be the host's.
fn spool(bytes: &mut dyn Read, name: &Path) -> io::Result<Spooled> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join(name.file_name().unwrap_or(name.as_os_str()));
    io::copy(bytes, &mut File::create(&path)?)?;
    Ok((path, Some(Arc::new(folder))))
}

fn digest(path: &Path) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut piece = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok((hex(&digest.finalize()), bytes)),
            Ok(n) => {
                digest.update(&piece[..n]);
                bytes += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|it| format!("{it:02x}")).collect()
}
