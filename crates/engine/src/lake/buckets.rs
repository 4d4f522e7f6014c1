//! a pinned version of the lake → one host bucket's events at a time, and the plan that sketches them all.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use ringleader_model::Timestamp;
use ringleader_model::findings::{DeadLetter, InputDigest, SourceSummary};
use ringleader_pipeline::collect::FORMATS;
use ringleader_pipeline::collect::rows::Bucket;
use ringleader_pipeline::merge::sketch::Sketch;
use sha2::{Digest, Sha256};

use super::ingest::{Manifest, hex};
use super::pins::{PinnedFile, scan};
use super::rows::{SourceTable, read, text, texts};
use super::sketch_exec::{SketchExec, SketchFn};
use super::{Error, Lake, Tokio, event_classes, schema, sketch_merge};
use crate::Buckets;
use crate::collect::ALL_BUCKETS;
use crate::store::bucket_of;

/// From `since` on, before `until`. Where either is given, events without a time are left out: nothing says that
/// they lie within.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// The events of one version of a lake. What is ingested meanwhile does not show.
///
/// Sources are numbered in the order of their files' paths, as a local run that walks them would. A source that was
/// delivered several times is one source, and its counts are the sum. Counts are of all that was ingested, whatever
/// the window.
pub struct LakeBuckets {
    root: PathBuf,
    tokio: Arc<Tokio>,
    context: SessionContext,
    version: u64,
    window: Window,
    files: BTreeMap<usize, Vec<PinnedFile>>,
    table: Arc<SourceTable>,
    sources: Vec<SourceSummary>,
    formats: Vec<u32>,
    rejected: Vec<DeadLetter>,
    inputs: Vec<InputDigest>,
}

impl Lake {
    /// Pins this version.
    pub fn buckets(&self, window: Window) -> Result<LakeBuckets, Error> {
        let mut files: BTreeMap<usize, Vec<PinnedFile>> = BTreeMap::new();
        let classes = event_classes();
        let mut notes = Vec::new();
        for file in self.files()? {
            if classes.contains(file.class.as_str()) {
                let bucket = usize::try_from(file.bucket).ok().filter(|it| *it < ALL_BUCKETS);
                let Some(bucket) = bucket else {
                    return Err(Error::damaged(self.root(), format!("{} is of bucket {}", file.path, file.bucket)));
                };
                if window.may_hold(&file) {
                    files.entry(bucket).or_default().push(file);
                }
            } else {
                notes.push(file);
            }
        }
        let noted = self.notes(&notes)?;
        let table = SourceTable::new(
            noted.sources.iter().map(|it| (it.source.to_string(), it.format.as_deref().map(str::to_owned))).collect(),
        );
        let formats = noted.sources.iter().map(|it| format_number(it.format.as_deref())).collect();
        Ok(LakeBuckets {
            root: self.root.clone(),
            tokio: Arc::clone(&self.tokio),
            context: SessionContext::new(),
            version: self.version(),
            window,
            files,
            table: Arc::new(table),
            sources: noted.sources,
            formats,
            rejected: noted.rejected,
            inputs: noted.inputs,
        })
    }

    /// What was ingested and rejected.
    fn notes(&self, files: &[PinnedFile]) -> Result<Noted, Error> {
        let mut letters: Vec<DeadLetter> = Vec::new();
        let (mut delivered, mut unreadable): (Vec<Manifest>, Vec<Manifest>) = Default::default();
        self.read_notes(files, &mut |class, _, json| {
            let told = |it: serde_json::Error| it.to_string();
            if class == schema::DEAD_LETTER {
                letters.push(serde_json::from_str(json).map_err(told)?);
                return Ok(());
            }
            let manifest: Manifest = serde_json::from_str(json).map_err(told)?;
            if manifest.unreadable {
                unreadable.push(manifest)
            } else {
                delivered.push(manifest)
            }
            Ok(())
        })?;
        // What could not be opened once, and later could, is no loss; a folder is known by what lies in it.
        let there: BTreeSet<&Path> = delivered.iter().flat_map(|it| Path::new(&it.name).ancestors()).collect();
        unreadable.retain(|it| !there.contains(Path::new(&it.name)));
        // Two writers may have noted the same.
        unreadable.sort_by(|a, b| (&a.name, reason(a)).cmp(&(&b.name, reason(b))));
        unreadable.dedup_by(|a, b| (&a.name, reason(a)) == (&b.name, reason(b)));
        for it in &unreadable {
            let why = reason(it).cloned().unwrap_or_default();
            letters.push(DeadLetter::new(it.name.as_str().into(), None, 0, 0, why.into(), &[]));
        }
        let mut inputs: Vec<InputDigest> = delivered
            .iter()
            .map(|it| InputDigest { source: it.name.as_str().into(), length: it.bytes, sha256: it.sha256.clone() })
            .collect();
        inputs.sort_by(|a, b| (&a.source, &a.sha256).cmp(&(&b.source, &b.sha256)));
        let sources = merge(delivered.into_iter().chain(unreadable));
        let rank: BTreeMap<&str, usize> = sources.iter().enumerate().map(|(n, it)| (&*it.source, n)).collect();
        let key = |it: &DeadLetter| (rank.get(&*it.source).copied(), it.offset, it.length, it.reason.clone());
        letters.sort_by_cached_key(key);
        // A file that was delivered again rejects the same records again.
        letters.dedup();
        Ok(Noted { sources, rejected: letters, inputs })
    }

    /// Calls `each` with class, id and JSON of every note.
    pub(super) fn read_notes(
        &self,
        files: &[PinnedFile],
        each: &mut dyn FnMut(&str, &str, &str) -> Result<(), String>,
    ) -> Result<(), Error> {
        let context = SessionContext::new();
        read_files(&self.tokio, &context, &self.root, files, &Window::default(), &mut |batch| {
            let (class, id, json) = (texts(batch, "class")?, texts(batch, "event_id")?, texts(batch, "ingest")?);
            for at in 0..batch.num_rows() {
                if let (Some(class), Some(id), Some(json)) = (text(class, at), text(id, at), text(json, at)) {
                    each(class, id, json)?;
                }
            }
            Ok(())
        })
    }
}

struct Noted {
    sources: Vec<SourceSummary>,
    rejected: Vec<DeadLetter>,
    inputs: Vec<InputDigest>,
}

fn reason(unreadable: &Manifest) -> Option<&String> {
    unreadable.sources.first()?.reasons.keys().next()
}

/// The sources of all deliveries, by the paths of their files; of one file, in the order in which it holds them.
fn merge(manifests: impl Iterator<Item = Manifest>) -> Vec<SourceSummary> {
    let mut merged: BTreeMap<(String, Option<String>), (PathBuf, usize, SourceSummary)> = BTreeMap::new();
    for manifest in manifests {
        for (nth, source) in manifest.sources.into_iter().enumerate() {
            let key = (source.source.to_string(), source.format.as_deref().map(str::to_owned));
            match merged.entry(key) {
                Entry::Vacant(slot) => {
                    slot.insert((PathBuf::from(&manifest.name), nth, source));
                }
                Entry::Occupied(mut slot) => {
                    let (_, rank, sum) = slot.get_mut();
                    *rank = nth.min(*rank);
                    sum.read += source.read;
                    sum.rejected += source.rejected;
                    for (reason, n) in source.reasons {
                        *sum.reasons.entry(reason).or_default() += n;
                    }
                }
            }
        }
    }
    let mut ranked: Vec<_> = merged.into_values().collect();
    ranked.sort_by(|a, b| (&a.0, a.1, &a.2.source, &a.2.format).cmp(&(&b.0, b.1, &b.2.source, &b.2.format)));
    ranked.into_iter().map(|it| it.2).collect()
}

fn format_number(name: Option<&str>) -> u32 {
    let at = name.and_then(|name| FORMATS.iter().position(|it| it.name() == name));
    at.map_or(u32::MAX, |it| it as u32)
}

impl LakeBuckets {
    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn summaries(&self) -> &[SourceSummary] {
        &self.sources
    }

    /// The files that were delivered, by name.
    pub fn inputs(&self) -> &[InputDigest] {
        &self.inputs
    }

    /// The pinned files, by bucket.
    pub fn files(&self) -> &BTreeMap<usize, Vec<PinnedFile>> {
        &self.files
    }

    /// The events of one bucket within the window; as often as it is asked for.
    pub fn load(&self, bucket: usize) -> Result<Bucket, Error> {
        let mut loaded = Bucket::default();
        let files = self.files.get(&bucket).map_or(&[][..], Vec::as_slice);
        read_files(&self.tokio, &self.context, &self.root, files, &self.window, &mut |batch| {
            read(batch, 0..batch.num_rows(), &self.table, &mut loaded)
        })?;
        Ok(loaded)
    }

    /// The events of some hosts' own sensors; more than `most` are an error.
    pub(super) fn load_hosts(&self, hosts: &BTreeSet<String>, most: usize) -> Result<Bucket, Error> {
        let (mut loaded, mut too_many) = (Bucket::default(), false);
        let numbers: BTreeSet<usize> = hosts.iter().map(|it| bucket_of(it)).collect();
        for files in numbers.iter().filter_map(|it| self.files.get(it)) {
            read_files(&self.tokio, &self.context, &self.root, files, &self.window, &mut |batch| {
                let column = texts(batch, "host_uid")?;
                let is = |at: usize| text(column, at).is_some_and(|it| hosts.contains(it));
                let mask: BooleanArray = (0..batch.num_rows()).map(|at| Some(is(at))).collect();
                let kept = filter_record_batch(batch, &mask).map_err(|it| it.to_string())?;
                if loaded.rows.len() + kept.num_rows() > most {
                    too_many = true;
                    return Ok(());
                }
                read(&kept, 0..kept.num_rows(), &self.table, &mut loaded)
            })?;
        }
        if too_many {
            let why = format!("it has more than {most} events: ask about a time before most of them (--until)");
            return Err(Error::Engine { doing: "cannot put the host together".to_owned(), why });
        }
        Ok(loaded)
    }

    /// The plan that sketches every bucket with `function` and merges the sketches: at most `n_groups` partitions
    /// side by side, each with whole buckets. Its one row holds the bytes of the merged sketch.
    pub fn sketch_plan(&self, function: Arc<dyn SketchFn>, n_groups: usize) -> Result<Arc<dyn ExecutionPlan>, Error> {
        let mut groups: Vec<(u64, Vec<usize>)> = vec![(0, Vec::new()); n_groups.clamp(1, self.files.len().max(1))];
        let mut sized: Vec<(u64, usize)> =
            self.files.iter().map(|(bucket, files)| (files.iter().map(|it| it.bytes).sum(), *bucket)).collect();
        sized.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        for (bytes, bucket) in sized {
            if let Some(lightest) = groups.iter_mut().min_by_key(|it| it.0) {
                lightest.0 += bytes;
                lightest.1.push(bucket);
            }
        }
        let groups: Vec<Vec<&PinnedFile>> = groups
            .into_iter()
            .map(|(_, mut buckets)| {
                buckets.sort_unstable();
                buckets.iter().filter_map(|it| self.files.get(it)).flatten().collect()
            })
            .collect();
        let plan = || -> EngineResult<Arc<dyn ExecutionPlan>> {
            let rows = scan(&self.root, &groups, &self.window)?;
            let parts = SketchExec::new(rows, function, Arc::clone(&self.table))?;
            sketch_merge::merge_all(Arc::new(parts))
        };
        plan().map_err(|it| Error::engine("cannot plan the sketches", it))
    }

    /// Runs such a plan.
    pub fn run_sketch_plan(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Sketch, Error> {
        let doing = "cannot sketch the lake";
        let batches = self
            .tokio
            .wait(async { execute_stream(plan, self.context.task_ctx())?.try_collect::<Vec<RecordBatch>>().await });
        let batches = batches.map_err(|it| Error::engine(doing, it))?;
        sketch_merge::fold(&batches).map_err(|it| Error::engine(doing, it))
    }
}

impl Buckets for LakeBuckets {
    fn n_buckets(&self) -> usize {
        ALL_BUCKETS
    }
    fn load(&self, bucket: usize) -> io::Result<Bucket> {
        Ok(Self::load(self, bucket)?)
    }
    fn sources(&self) -> &[SourceSummary] {
        &self.sources
    }
    fn formats(&self) -> &[u32] {
        &self.formats
    }
    fn rejected(&self) -> &[DeadLetter] {
        &self.rejected
    }
    /// A log may have been rotated since. One that only grew still starts with what was delivered.
    fn is_unchanged(&self, source: &str) -> bool {
        let of =
            |it: &&InputDigest| source.strip_prefix(&*it.source).is_some_and(|it| it.is_empty() || it.starts_with('!'));
        // `file!member`: the longest file that fits.
        let Some(file) = self.inputs.iter().filter(of).map(|it| &it.source).max_by_key(|it| it.len()) else {
            return false;
        };
        let mut digests: Vec<(u64, &str)> =
            self.inputs.iter().filter(|it| it.source == *file).map(|it| (it.length, it.sha256.as_str())).collect();
        digests.sort_unstable();
        starts_with(Path::new(&**file), &digests).unwrap_or(false)
    }
}

/// Whether the first bytes of a file, so many, have the digest, each time. By length.
fn starts_with(file: &Path, digests: &[(u64, &str)]) -> io::Result<bool> {
    if !file.is_file() {
        return Ok(false);
    }
    let mut bytes = BufReader::with_capacity(1 << 20, File::open(file)?);
    let (mut digest, mut at) = (Sha256::new(), 0);
    for (length, sha256) in digests {
        let mut piece = bytes.by_ref().take(length - at);
        loop {
            let read = piece.fill_buf()?;
            if read.is_empty() {
                break;
            }
            digest.update(read);
            let n = read.len();
            at += n as u64;
            piece.consume(n);
        }
        if at < *length || hex(&digest.clone().finalize()) != *sha256 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Reads files one after the other. Where one cannot be read, the error says which.
fn read_files(
    tokio: &Tokio,
    context: &SessionContext,
    root: &Path,
    files: &[PinnedFile],
    window: &Window,
    each: &mut dyn FnMut(&RecordBatch) -> Result<(), String>,
) -> Result<(), Error> {
    if files.is_empty() {
        return Ok(());
    }
    for file in files {
        match std::fs::metadata(root.join(&file.path)) {
            Ok(meta) if meta.len() == file.bytes => {}
            Ok(meta) => {
                let why = format!("{} is {} bytes long, not {}", file.path, meta.len(), file.bytes);
                return Err(Error::damaged(root, why));
            }
            Err(error) => return Err(Error::damaged(root, format!("{}: {error}", file.path))),
        }
    }
    let run = |files: &[PinnedFile], each: &mut dyn FnMut(&RecordBatch) -> Result<(), String>| -> EngineResult<()> {
        tokio.wait(async {
            let plan = scan(root, &[files.iter().collect()], window)?;
            let mut batches = execute_stream(plan, context.task_ctx())?;
            while let Some(batch) = batches.try_next().await? {
                each(&batch).map_err(DataFusionError::Execution)?;
            }
            Ok(())
        })
    };
    run(files, each).map_err(|error| {
        let culprit = files.iter().find(|it| run(std::slice::from_ref(it), &mut |_| Ok(())).is_err());
        let culprit = culprit.map_or(String::new(), |it| format!("{}: ", it.path));
        Error::damaged(root, format!("{culprit}{error}"))
    })
}
