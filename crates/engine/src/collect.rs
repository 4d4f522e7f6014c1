//! streams → events in host buckets, by several threads. Every record is counted, read or rejected.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Mutex;

use ringleader_model::findings::{DeadLetter, SourceSummary, Text};
use ringleader_model::hash::{hash64, hash128};
use ringleader_model::time::TimeDefaults;
use ringleader_model::{Event, EventId, Field, Malformed, SensorRole};
use ringleader_pipeline::collect::rows::Place;
use ringleader_pipeline::collect::{FORMATS, Format, Framing, Reader, Record, Sink, SourceContext, framing, recognize};

use crate::sources::{self, Input, Stream, Unreadable, describe};
use crate::store::{BUCKETS, Store, Writers, bucket_of};

/// Large inputs are cut into pieces of about this size.
const CHUNK: usize = 4 << 20;
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

enum Task {
    /// A piece of a stream that can be read without what came before it.
    Chunk {
        source: u32,
        format: &'static dyn Format,
        context: SourceContext,
        head: Vec<u8>,
        bytes: Vec<u8>,
        offset: u64,
    },
    /// A stream that is read from its start to its end.
    Whole {
        source: u32,
        format: &'static dyn Format,
        context: SourceContext,
        head: Vec<u8>,
        bytes: Box<dyn Read + Send>,
    },
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
    store: &'a Store,
    tallies: Mutex<BTreeMap<u32, Tally>>,
    rejected: Mutex<BTreeMap<(u32, u64), DeadLetter>>,
    kept: Mutex<BTreeMap<u32, usize>>,
    names: Mutex<Vec<(Text, Option<u32>)>>,
    failed: Mutex<Option<io::Error>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Reads every input. Only a full disk (where events are spilled) ends it early.
pub fn collect(inputs: &[Input], config: &CollectConfig, progress: &dyn Progress) -> io::Result<Collected> {
    let store = Store::new(ALL_BUCKETS, config.memory / 2);
    let shared = Shared {
        config,
        progress,
        store: &store,
        tallies: Mutex::default(),
        rejected: Mutex::default(),
        kept: Mutex::default(),
        names: Mutex::default(),
        failed: Mutex::default(),
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
    let Some(format) = chosen.or_else(|| recognize(&head)) else {
        let source = register(shared, &name, None);
        let why = if head.contains(&0) { "format not recognised: binary" } else { "format not recognised" };
        return reject(shared, source, 0, &head[..head.len().min(4096)], &Malformed::new(why));
    };
    let source = register(shared, &name, Some(format));
    let context = SourceContext {
        // A whole file (a script, a capture) is of no host that its name could tell.
        host: shared
            .config
            .host
            .clone()
            .or_else(|| if format.framing() == Framing::Whole { None } else { host_of_name(&name) }),
        name,
        times: shared.config.times,
    };
    let stateless = matches!(format.framing(), Framing::Lines { stateless: true } | Framing::Quoted | Framing::Json);
    if !stateless {
        let _ = send.send(Task::Whole { source, format, context, head, bytes });
        return;
    }
    let mut offset = 0u64;
    let mut buffer: Vec<u8> = Vec::new();
    loop {
        let start = buffer.len();
        buffer.resize(start + CHUNK, 0);
        let n = match read_full(&mut *bytes, &mut buffer[start..]) {
            Ok(n) => n,
            Err((n, error)) => {
                reject(shared, source, offset + (start + n) as u64, &[], &Malformed::from(describe(&error)));
                buffer.truncate(start + n);
                break;
            }
        };
        buffer.truncate(start + n);
        if n < CHUNK {
            break;
        }
        match framing::last_border(format.framing(), &buffer) {
            Some(border) => {
                let rest = buffer[border..].to_vec();
                buffer.truncate(border);
                let piece = std::mem::replace(&mut buffer, rest);
                let length = piece.len() as u64;
                let (context, head) = (context.clone(), head.clone());
                let _ = send.send(Task::Chunk { source, format, context, head, bytes: piece, offset });
                offset += length;
            }
            // A record longer than any that is read: it is passed over, up to the next line.
            None if buffer.len() > framing::MAX_RECORD + CHUNK => {
                let (skipped, rest) = skip_line(&mut *bytes);
                let why = Malformed::new("record longer than the limit of 16 MiB");
                reject(shared, source, offset, &buffer[..4096], &why);
                offset += buffer.len() as u64 + skipped;
                buffer = rest;
            }
            None => {}
        }
    }
    if !buffer.is_empty() {
        let _ = send.send(Task::Chunk { source, format, context, head, bytes: buffer, offset });
    }
}

/// Reads on to the end of the line; what was read behind it.
fn skip_line(bytes: &mut dyn Read) -> (u64, Vec<u8>) {
    let mut skipped = 0u64;
    let mut piece = vec![0; 1 << 20];
    loop {
        match read_full(bytes, &mut piece) {
            Ok(0) | Err(_) => return (skipped, Vec::new()),
            Ok(n) => match piece[..n].iter().position(|it| *it == b'\n') {
                Some(at) => return (skipped + at as u64 + 1, piece[at + 1..n].to_vec()),
                None => skipped += n as u64,
            },
        }
    }
}

fn read_full(bytes: &mut dyn Read, buffer: &mut [u8]) -> Result<usize, (usize, io::Error)> {
    let mut filled = 0;
    while filled < buffer.len() {
        match bytes.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((filled, error)),
        }
    }
    Ok(filled)
}

/// `/logs/web1.ndjson.gz` is of web1 where nothing else says so.
fn host_of_name(name: &str) -> Option<String> {
    let file = name.rsplit(['/', '!', '\\']).next()?;
    let stem = file.split('.').next()?;
    (!stem.is_empty() && file != "-").then(|| stem.to_owned())
}

fn work(tasks: &crossbeam_channel::Receiver<Task>, shared: &Shared<'_>) {
    let share = shared.config.memory / 4 / shared.config.threads.max(1);
    let mut writers = Writers::new(shared.store, ALL_BUCKETS, share);
    for task in tasks {
        let result = match task {
            Task::Chunk { source, format, context, head, bytes, offset } => {
                read_piece(shared, &mut writers, source, format, &context, &head, &bytes, offset)
            }
            Task::Whole { source, format, context, head, bytes } => {
                read_whole(shared, &mut writers, source, format, &context, &head, bytes)
            }
        };
        if let Err(error) = result {
            *lock(&shared.failed) = Some(error);
        }
    }
    if let Err(error) = writers.seal() {
        *lock(&shared.failed) = Some(error);
    }
}

#[expect(clippy::too_many_arguments, reason = "the parts of one task")]
fn read_piece(
    shared: &Shared<'_>,
    writers: &mut Writers<'_>,
    source: u32,
    format: &'static dyn Format,
    context: &SourceContext,
    head: &[u8],
    bytes: &[u8],
    offset: u64,
) -> io::Result<()> {
    let mut readers = Readers::new(format, context, head);
    let mut sink = Collector::new(shared, writers, source, context);
    readers.read(bytes, offset, &mut sink);
    readers.main.finish(&mut sink);
    let result = sink.done();
    shared.progress.advance(bytes.len() as u64, 0);
    result
}

fn read_whole(
    shared: &Shared<'_>,
    writers: &mut Writers<'_>,
    source: u32,
    format: &'static dyn Format,
    context: &SourceContext,
    head: &[u8],
    mut bytes: Box<dyn Read + Send>,
) -> io::Result<()> {
    let mut readers = Readers::new(format, context, head);
    let mut sink = Collector::new(shared, writers, source, context);
    let whole = format.framing() == Framing::Whole;
    let limit = if whole { framing::MAX_WHOLE + 1 } else { CHUNK };
    let mut offset = 0u64;
    let mut buffer: Vec<u8> = Vec::new();
    loop {
        let start = buffer.len();
        let want = if whole { CHUNK.min(limit - start.min(limit)) } else { CHUNK };
        buffer.resize(start + want, 0);
        let n = match read_full(&mut *bytes, &mut buffer[start..]) {
            Ok(n) => n,
            Err((n, error)) => {
                sink.reject_at(offset + (start + n) as u64, &[], Malformed::from(describe(&error)));
                buffer.truncate(start + n);
                break;
            }
        };
        buffer.truncate(start + n);
        shared.progress.advance(n as u64, 0);
        if n < want || (whole && buffer.len() >= limit) {
            break;
        }
        if whole {
            continue;
        }
        if let Some(border) = framing::last_border(format.framing(), &buffer) {
            readers.read(&buffer[..border], offset, &mut sink);
            offset += border as u64;
            buffer.drain(..border);
        } else if buffer.len() > framing::MAX_RECORD + CHUNK {
            sink.reject_at(offset, &buffer[..4096], Malformed::new("record longer than the limit of 16 MiB"));
            let (skipped, rest) = skip_line(&mut *bytes);
            offset += buffer.len() as u64 + skipped;
            buffer = rest;
        }
    }
    readers.read(&buffer, offset, &mut sink);
    readers.main.finish(&mut sink);
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
    fn new(format: &'static dyn Format, context: &'c SourceContext, head: &[u8]) -> Self {
        Self { format, main: format.reader(context, head), others: BTreeMap::new(), context }
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
    writers: &'a mut Writers<'w>,
    source: u32,
    default_host: String,
    place: (u64, u32),
    /// 128 bits of the record that is being read; how many events it gave.
    content: (u128, u64),
    /// The same, for events whose content is given.
    given: (u128, u64),
    host: String,
    read: u64,
    failed: Option<io::Error>,
}

impl<'a, 'w> Collector<'a, 'w> {
    fn new(shared: &'a Shared<'a>, writers: &'a mut Writers<'w>, source: u32, context: &SourceContext) -> Self {
        let default_host = context.host.clone().unwrap_or_else(|| UNKNOWN_HOST.to_owned());
        Self {
            shared,
            writers,
            source,
            default_host,
            place: (0, 0),
            content: (0, 0),
            given: (0, 0),
            host: String::new(),
            read: 0,
            failed: None,
        }
    }

    fn begin(&mut self, record: &Record<'_>) {
        self.place = (record.offset, record.bytes.len() as u32);
        self.content = (hash128(record.bytes, 0), 0);
    }

    fn push(&mut self, event: &Event<'_>, place: (u64, u32), content: u128, nth: u64) {
        self.read += 1;
        self.host.clear();
        let named = event.host.as_deref().unwrap_or(&self.default_host);
        push_canonical(&mut self.host, named);
        let tenant = event.tenant.as_deref().unwrap_or(&self.shared.config.tenant);
        // The host and the tenant are part of the name: two hosts may log the same line.
        let seed = hash64(self.host.as_bytes()) ^ hash64(tenant.as_bytes()).rotate_left(17) ^ nth;
        let id = EventId(hash128(&content.to_le_bytes(), seed));
        let bucket = bucket_of(&self.host) + if event.sensor_role == SensorRole::Network { BUCKETS } else { 0 };
        let place = Place { source: self.source, offset: place.0, length: place.1 };
        let event = match &event.tenant {
            Some(_) => Cow::Borrowed(event),
            None if tenant.is_empty() => Cow::Borrowed(event),
            None => {
                let mut event = event.clone();
                event.tenant = Some(tenant.into());
                Cow::Owned(event)
            }
        };
        self.writers.writer(bucket).push(&event, id, &self.host, place);
        if let Err(error) = self.writers.check(bucket) {
            self.failed = Some(error);
        }
    }

    fn done(self) -> io::Result<()> {
        let mut tallies = lock(&self.shared.tallies);
        tallies.entry(self.source).or_default().read += self.read;
        self.shared.progress.advance(0, self.read);
        self.failed.map_or(Ok(()), Err)
    }
}

/// Host names are compared in lower case, without the root's dot.
fn push_canonical(out: &mut String, name: &str) {
    let name = name.trim().trim_end_matches('.');
    out.extend(name.chars().map(|it| it.to_ascii_lowercase()));
    if out.is_empty() {
        out.push_str(UNKNOWN_HOST);
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
        reject(self.shared, self.source, offset, bytes, &why);
    }
}

/// Addresses that an event says are its own host's.
pub fn own_address(field: Field) -> bool {
    matches!(field, Field::HostIp | Field::InternetIp)
}
