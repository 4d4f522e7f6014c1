//! streams → events in host buckets, by several threads. Every record is counted, read or rejected.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::{Arc, Mutex};

use ringleader_model::findings::{DeadLetter, SourceSummary, Text};
use ringleader_model::hash::{hash64, hash128};
use ringleader_model::time::TimeDefaults;
use ringleader_model::{Event, EventId, Field, Malformed, SensorRole};
use ringleader_pipeline::collect::artefacts::host_of_artefact;
use ringleader_pipeline::collect::rows::Place;
use ringleader_pipeline::collect::{
    FORMATS, Format, Framing, Reader, Record, Sink, SourceContext, framing, recognize_named,
};

use crate::sources::{self, Input, Stream, Unreadable, describe};
use crate::store::{BUCKETS, Store, Writers};

mod hosts;
mod piece;

use hosts::Hosts;
use piece::Piece;

/// Large inputs are cut into pieces of about this size: small enough that a piece is still in the cache when it is read.
const CHUNK: usize = 1 << 20;
/// Rejected records kept verbatim per source; the rest is counted.
const DEAD_LETTERS: usize = 1000;
/// The longest piece of a rejected record that is kept.
const DEAD_LETTER_BYTES: usize = 64 << 10;

/// Where neither the record nor the file's name says which host it is of.
pub const UNKNOWN_HOST: &str = "unknown-host";

/// Buckets of one run: one a host bucket, then the network sensors'.
pub const ALL_BUCKETS: usize = BUCKETS * 2;

/// How to read.
#[derive(Debug, Clone)]
pub struct CollectConfig {
    pub threads: usize,
    /// Bytes that events may take before they go to disk.
    pub memory: usize,
    /// The format of every input, where the content is not to be asked.
    pub format: Option<String>,
    /// The host of records that name none; else the file's name, without its endings.
    pub host: Option<String>,
    pub tenant: String,
    pub times: TimeDefaults,
}

/// Progress, as bytes read of bytes known.
pub trait Progress: Sync {
    fn expect(&self, _bytes: u64) {}
    fn advance(&self, _bytes: u64, _events: u64) {}
    fn stage(&self, _name: &str) {}
}

/// No progress shown.
pub struct Quiet;
impl Progress for Quiet {}

/// Everything that was read.
pub struct Collected {
    pub store: Store,
    /// By source number.
    pub sources: Vec<SourceSummary>,
    /// The format of each source, as an index into `FORMATS`.
    pub formats: Vec<u32>,
    pub rejected: Vec<DeadLetter>,
}

impl Collected {
    pub fn events(&self) -> u64 {
        self.sources.iter().map(|it| it.read).sum()
    }
}

/// A stream that was recognised.
struct Origin {
    source: u32,
    format: &'static dyn Format,
    context: SourceContext,
    head: Vec<u8>,
}

enum Task {
    /// A piece of a stream that can be read without what came before it.
    Chunk { origin: Arc<Origin>, piece: Piece, offset: u64 },
    /// A stream that is read from its start to its end.
    Whole { origin: Arc<Origin>, bytes: Box<dyn Read + Send> },
}

#[derive(Default)]
struct Tally {
    read: u64,
    rejected: u64,
    reasons: BTreeMap<String, u64>,
}

struct Shared<'a> {
    config: &'a CollectConfig,
    progress: &'a dyn Progress,
    tap: Option<&'a dyn Tap>,
    store: &'a Store,
    tallies: Mutex<BTreeMap<u32, Tally>>,
    rejected: Mutex<BTreeMap<(u32, u64), DeadLetter>>,
    kept: Mutex<BTreeMap<u32, usize>>,
    names: Mutex<Vec<(Text, Option<u32>)>>,
    failed: Mutex<Option<io::Error>>,
    /// Pieces that were read, for their memory.
    spare: Mutex<Vec<Piece>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Takes events as they are read, before they are kept.
pub trait Tap: Sync {
    /// One for each thread; what it took is given over when it is dropped.
    fn worker(&self) -> Box<dyn Take + '_>;
}

pub trait Take {
    /// Whether it took the event: then it goes nowhere else.
    fn take(&mut self, event: &Event<'_>, id: EventId, place: Place) -> bool;
}

/// Reads every input. Only a full disk (where events are spilled) ends it early.
pub fn collect(inputs: &[Input], config: &CollectConfig, progress: &dyn Progress) -> io::Result<Collected> {
    collect_with(inputs, config, progress, None)
}

/// The same, with a tap.
pub fn collect_with(
    inputs: &[Input],
    config: &CollectConfig,
    progress: &dyn Progress,
    tap: Option<&dyn Tap>,
) -> io::Result<Collected> {
    let store = Store::new(ALL_BUCKETS, config.memory / 2);
    let shared = Shared {
        config,
        progress,
        tap,
        store: &store,
        tallies: Mutex::default(),
        rejected: Mutex::default(),
        kept: Mutex::default(),
        names: Mutex::default(),
        failed: Mutex::default(),
        spare: Mutex::default(),
    };
    let mut unreadable = Vec::new();
    let files = sources::walk(inputs, &mut unreadable);
    let known =
        files.iter().filter_map(|it| if let Input::Path(path) = it { std::fs::metadata(path).ok() } else { None });
    progress.expect(known.map(|it| it.len()).sum());
    std::thread::scope(|scope| {
        let (send, receive) = crossbeam_channel::bounded::<Task>(config.threads * 2);
        for _ in 0..config.threads.max(1) {
            let receive = receive.clone();
            let shared = &shared;
            scope.spawn(move || work(&receive, shared));
        }
        drop(receive);
        for file in &files {
            sources::open(file, &mut |stream| dispatch(stream, &shared, &send), &mut unreadable);
        }
    });
    if let Some(error) = lock(&shared.failed).take() {
        return Err(error);
    }
    for Unreadable { name, why } in unreadable {
        let source = register(&shared, &name, None);
        reject(&shared, source, 0, &[], &Malformed::from(why));
    }
    let Shared { tallies, rejected, names, .. } = shared;
    let tallies = tallies.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let names = names.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let formats = names.iter().map(|(_, format)| format.unwrap_or(u32::MAX)).collect();
    let mut sources: Vec<SourceSummary> = names
        .into_iter()
        .map(|(source, format)| SourceSummary {
            source,
            format: format.and_then(|it| FORMATS.get(it as usize)).map(|it| it.name().into()),
            ..SourceSummary::default()
        })
        .collect();
    for (source, tally) in tallies {
        let summary = &mut sources[source as usize];
        (summary.read, summary.rejected, summary.reasons) = (tally.read, tally.rejected, tally.reasons);
    }
    let rejected = rejected.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).into_values().collect();
    Ok(Collected { store, sources, formats, rejected })
}

fn register(shared: &Shared<'_>, name: &str, format: Option<&'static dyn Format>) -> u32 {
    let format = format.and_then(|it| FORMATS.iter().position(|other| other.name() == it.name()));
    let mut names = lock(&shared.names);
    names.push((name.into(), format.map(|it| it as u32)));
    (names.len() - 1) as u32
}

fn reject(shared: &Shared<'_>, source: u32, offset: u64, bytes: &[u8], why: &Malformed) {
    {
        let mut tallies = lock(&shared.tallies);
        let tally = tallies.entry(source).or_default();
        tally.rejected += 1;
        *tally.reasons.entry(why.to_string()).or_default() += 1;
    }
    let mut kept = lock(&shared.kept);
    let kept = kept.entry(source).or_default();
    let mut rejected = lock(&shared.rejected);
    let (name, format) = lock(&shared.names)[source as usize].clone();
    let format = format.and_then(|it| FORMATS.get(it as usize)).map(|it| it.name().into());
    let record = &bytes[..bytes.len().min(DEAD_LETTER_BYTES)];
    let letter = DeadLetter::new(name, format, offset, bytes.len() as u64, why.to_string().into(), record);
    rejected.insert((source, offset), letter);
    *kept += 1;
    // The first ones of each source stay, whatever the order of threads.
    if *kept > DEAD_LETTERS
        && let Some(last) = rejected.range((source, 0)..=(source, u64::MAX)).next_back().map(|(key, _)| *key)
    {
        rejected.remove(&last);
        *kept -= 1;
    }
}

/// Recognises a stream and hands it to the workers, in pieces where its format allows.
fn dispatch(stream: Stream, shared: &Shared<'_>, send: &crossbeam_channel::Sender<Task>) {
    let name = stream.name.clone();
    let (head, bytes) = match sources::peek(stream.bytes, framing::HEAD) {
        Ok(it) => it,
        Err(error) => {
            let source = register(shared, &name, None);
            return reject(shared, source, 0, &[], &Malformed::from(describe(&error)));
        }
    };
    if head.is_empty() {
        // An empty file is read: it says nothing.
        register(shared, &name, None);
        return;
    }
    let (head, mut bytes) = match sources::as_utf8(head, bytes) {
        Ok(it) => it,
        Err(error) => {
            let source = register(shared, &name, None);
            return reject(shared, source, 0, &[], &Malformed::from(describe(&error)));
        }
    };
    let chosen = shared.config.format.as_deref().and_then(ringleader_pipeline::collect::by_name);
    let Some(format) = chosen.or_else(|| recognize_named(&name, &head)) else {
        let source = register(shared, &name, None);
        let why = if head.contains(&0) { "format not recognised: binary" } else { "format not recognised" };
        return reject(shared, source, 0, &head[..head.len().min(4096)], &Malformed::new(why));
    };
    let source = register(shared, &name, Some(format));
    let context = SourceContext {
        // A whole file (a script, a capture) is of no host that its name could tell.
        host: shared.config.host.clone().or_else(|| {
            if format.is_artefact() {
                host_of_artefact(&name)
            } else if format.framing() == Framing::Whole {
                None
            } else {
                host_of_name(&name)
            }
        }),
        name,
        times: shared.config.times,
    };
    let origin = Arc::new(Origin { source, format, context, head });
    let stateless = matches!(format.framing(), Framing::Lines { stateless: true } | Framing::Quoted | Framing::Json);
    if !stateless {
        let _ = send.send(Task::Whole { origin, bytes });
        return;
    }
    let mut offset = 0u64;
    let mut piece = spare(shared);
    loop {
        match piece.read(&mut *bytes, CHUNK) {
            Ok(CHUNK) => {}
            Ok(_) => break,
            Err(error) => {
                let at = offset + piece.bytes().len() as u64;
                reject(shared, source, at, &[], &Malformed::from(describe(&error)));
                break;
            }
        }
        let length = piece.bytes().len();
        match framing::last_border(format.framing(), piece.bytes()) {
            Some(border) => {
                let mut rest = spare(shared);
                piece.split(border, &mut rest);
                let _ = send.send(Task::Chunk { origin: origin.clone(), piece, offset });
                piece = rest;
                offset += border as u64;
            }
            // A record longer than any that is read: it is passed over, up to the next line.
            None if length > framing::MAX_RECORD + CHUNK => {
                let (skipped, rest) = skip_line(&mut *bytes);
                let why = Malformed::new("record longer than the limit of 16 MiB");
                reject(shared, source, offset, &piece.bytes()[..4096], &why);
                offset += length as u64 + skipped;
                piece = rest;
            }
            None => {}
        }
    }
    if !piece.bytes().is_empty() {
        let _ = send.send(Task::Chunk { origin, piece, offset });
    }
}

fn spare(shared: &Shared<'_>) -> Piece {
    lock(&shared.spare).pop().unwrap_or_default()
}

/// Reads on to the end of the line; what was read behind it.
fn skip_line(bytes: &mut dyn Read) -> (u64, Piece) {
    let mut skipped = 0u64;
    let mut piece = Piece::default();
    loop {
        let n = piece.read(bytes, CHUNK).unwrap_or(0);
        match piece.bytes().iter().position(|it| *it == b'\n') {
            Some(at) => {
                piece.remove(at + 1);
                return (skipped + at as u64 + 1, piece);
            }
            None if n == 0 => return (skipped, Piece::default()),
            None => {
                skipped += n as u64;
                piece.remove(n);
            }
        }
    }
}

/// `/logs/web1.ndjson.gz` is of web1 where nothing else says so.
fn host_of_name(name: &str) -> Option<String> {
    let file = name.rsplit(['/', '!', '\\']).next()?;
    let stem = file.split('.').next()?;
    (!stem.is_empty() && file != "-").then(|| stem.to_owned())
}

fn work(tasks: &crossbeam_channel::Receiver<Task>, shared: &Shared<'_>) {
    let share = shared.config.memory / 4 / shared.config.threads.max(1);
    let mut writers =
        Tapped { writers: Writers::new(shared.store, ALL_BUCKETS, share), tap: shared.tap.map(Tap::worker) };
    let mut hosts = Hosts::new();
    for task in tasks {
        let result = match task {
            Task::Chunk { origin, piece, offset } => {
                let result = read_piece(shared, &mut writers, &mut hosts, &origin, piece.bytes(), offset);
                lock(&shared.spare).extend(piece.reuse(CHUNK * 2));
                result
            }
            Task::Whole { origin, bytes } => read_whole(shared, &mut writers, &mut hosts, &origin, bytes),
        };
        if let Err(error) = result {
            *lock(&shared.failed) = Some(error);
        }
    }
    if let Err(error) = writers.writers.seal() {
        *lock(&shared.failed) = Some(error);
    }
}

/// Where events go: to the tap where it takes them, else to the buckets.
struct Tapped<'a> {
    writers: Writers<'a>,
    tap: Option<Box<dyn Take + 'a>>,
}

fn read_piece(
    shared: &Shared<'_>,
    writers: &mut Tapped<'_>,
    hosts: &mut Hosts,
    origin: &Origin,
    bytes: &[u8],
    offset: u64,
) -> io::Result<()> {
    let mut readers = Readers::new(origin);
    let mut sink = Collector::new(shared, writers, hosts, origin);
    readers.read(bytes, offset, &mut sink);
    readers.main.finish(&mut sink);
    let result = sink.done();
    shared.progress.advance(bytes.len() as u64, 0);
    result
}

fn read_whole(
    shared: &Shared<'_>,
    writers: &mut Tapped<'_>,
    hosts: &mut Hosts,
    origin: &Origin,
    mut bytes: Box<dyn Read + Send>,
) -> io::Result<()> {
    let mut readers = Readers::new(origin);
    let mut sink = Collector::new(shared, writers, hosts, origin);
    let framing = origin.format.framing();
    let whole = framing == Framing::Whole;
    let limit = if whole { framing::MAX_WHOLE + 1 } else { CHUNK };
    let mut offset = 0u64;
    let mut piece = spare(shared);
    loop {
        let start = piece.bytes().len();
        let want = if whole { CHUNK.min(limit - start.min(limit)) } else { CHUNK };
        let n = match piece.read(&mut *bytes, want) {
            Ok(n) => n,
            Err(error) => {
                sink.reject_at(offset + piece.bytes().len() as u64, &[], Malformed::from(describe(&error)));
                break;
            }
        };
        shared.progress.advance(n as u64, 0);
        let length = piece.bytes().len();
        if n < want || (whole && length >= limit) {
            break;
        }
        if whole {
            continue;
        }
        if let Some(border) = framing::last_border(framing, piece.bytes()) {
            readers.read(&piece.bytes()[..border], offset, &mut sink);
            offset += border as u64;
            piece.remove(border);
        } else if length > framing::MAX_RECORD + CHUNK {
            let why = Malformed::new("record longer than the limit of 16 MiB");
            sink.reject_at(offset, &piece.bytes()[..4096], why);
            let (skipped, rest) = skip_line(&mut *bytes);
            offset += length as u64 + skipped;
            piece = rest;
        }
    }
    readers.read(piece.bytes(), offset, &mut sink);
    readers.main.finish(&mut sink);
    lock(&shared.spare).extend(piece.reuse(CHUNK * 2));
    sink.done()
}

/// The reader of the recognised format, and readers of others for the odd record of a mixed file.
struct Readers<'c> {
    format: &'static dyn Format,
    main: Box<dyn Reader>,
    others: BTreeMap<usize, Box<dyn Reader>>,
    context: &'c SourceContext,
}

impl<'c> Readers<'c> {
    fn new(Origin { format, context, head, .. }: &'c Origin) -> Self {
        Self { format: *format, main: format.reader(context, head), others: BTreeMap::new(), context }
    }

    fn read(&mut self, bytes: &[u8], base: u64, sink: &mut Collector<'_, '_>) {
        for framed in framing::frame(self.format.framing(), bytes) {
            match framed {
                Ok(record) => {
                    let record = Record { offset: base + record.offset, ..record };
                    sink.begin(&record);
                    if let Err(why) = self.main.read(&record, sink)
                        && !self.other(&record, sink)
                    {
                        sink.reject_at(record.offset, record.bytes, why);
                    }
                }
                Err((offset, bytes, why)) => sink.reject_at(base + offset, bytes, why),
            }
        }
    }

    /// Whether another format of single records could read it.
    fn other(&mut self, record: &Record<'_>, sink: &mut Collector<'_, '_>) -> bool {
        let sample = &record.bytes[..record.bytes.len().min(framing::HEAD)];
        let found = FORMATS.iter().enumerate().find(|(_, it)| {
            it.name() != self.format.name()
                && matches!(it.framing(), Framing::Lines { stateless: true } | Framing::Json)
                && it.recognizes(sample)
        });
        let Some((index, format)) = found else { return false };
        let reader = self.others.entry(index).or_insert_with(|| format.reader(self.context, sample));
        reader.read(record, sink).is_ok()
    }
}

/// Gives events their host, id and bucket.
struct Collector<'a, 'w> {
    shared: &'a Shared<'a>,
    writers: &'a mut Tapped<'w>,
    hosts: &'a mut Hosts,
    origin: &'a Origin,
    place: (u64, u32),
    /// 128 bits of the record that is being read; how many events it gave.
    content: (u128, u64),
    /// The same, for events whose content is given.
    given: (u128, u64),
    read: u64,
    failed: Option<io::Error>,
}

impl<'a, 'w> Collector<'a, 'w> {
    fn new(shared: &'a Shared<'a>, writers: &'a mut Tapped<'w>, hosts: &'a mut Hosts, origin: &'a Origin) -> Self {
        let (place, content, given) = ((0, 0), (0, 0), (0, 0));
        Self { shared, writers, hosts, origin, place, content, given, read: 0, failed: None }
    }

    fn begin(&mut self, record: &Record<'_>) {
        self.place = (record.offset, record.bytes.len() as u32);
        self.content = (hash128(record.bytes, 0), 0);
    }

    fn push(&mut self, event: &Event<'_>, place: (u64, u32), content: u128, nth: u64) {
        self.read += 1;
        let host = event.host.as_deref().or(self.origin.context.host.as_deref()).unwrap_or(UNKNOWN_HOST);
        let host = self.hosts.get(host);
        let tenant = event.tenant.as_deref().unwrap_or(&self.shared.config.tenant);
        // The host and the tenant are part of the name: two hosts may log the same line.
        let seed = host.hash ^ hash64(tenant.as_bytes()).rotate_left(17) ^ nth;
        let id = EventId(hash128(&content.to_le_bytes(), seed));
        let bucket = host.bucket + if event.sensor_role == SensorRole::Network { BUCKETS } else { 0 };
        let place = Place { source: self.origin.source, offset: place.0, length: place.1 };
        if self.writers.tap.as_mut().is_some_and(|it| it.take(event, id, place)) {
            return;
        }
        if let Err(error) = self.writers.writers.push(bucket, event, id, [&host.name, tenant], place) {
            self.failed = Some(error);
        }
    }

    fn done(self) -> io::Result<()> {
        let mut tallies = lock(&self.shared.tallies);
        tallies.entry(self.origin.source).or_default().read += self.read;
        self.shared.progress.advance(0, self.read);
        self.failed.map_or(Ok(()), Err)
    }
}

impl Sink for Collector<'_, '_> {
    fn emit(&mut self, event: &Event<'_>) {
        let (content, nth) = self.content;
        self.content.1 += 1;
        self.push(event, self.place, content, nth);
    }

    fn emit_at(&mut self, event: &Event<'_>, offset: u64, length: u32, content: &[u8]) {
        let content = hash128(content, 1);
        self.given = if self.given.0 == content { (content, self.given.1 + 1) } else { (content, 0) };
        self.push(event, (offset, length), content, self.given.1);
    }

    fn reject_at(&mut self, offset: u64, bytes: &[u8], why: Malformed) {
        reject(self.shared, self.origin.source, offset, bytes, &why);
    }
}

/// Addresses that an event says are its own host's.
pub fn own_address(field: Field) -> bool {
    matches!(field, Field::HostIp | Field::InternetIp)
}
