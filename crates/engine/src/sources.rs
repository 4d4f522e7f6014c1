//! what the user named → streams of bytes, decompressed, each with a name that finds it again.
//!
//! `logs.zip!web/access.log` is a member of an archive. Bounded: nesting, members, and what one input may unpack to.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ringleader_pipeline::collect::framing;

/// Archives inside archives, at most.
const DEPTH: usize = 3;
/// Files that one archive may hold.
const MEMBERS: usize = 100_000;
/// An archive inside an archive is unpacked in memory, up to this.
const INNER_ARCHIVE: u64 = 256 << 20;
/// One input may unpack to this many times its size (plus 64 MiB), all levels and members together; real logs stay
/// far below. Members of an archive may overlap, so a limit for each alone would not hold.
const RATIO: u64 = 1000;

/// A file, folder or stream that the user named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    Path(PathBuf),
    Stdin,
    /// Standard input, kept in this file; its name stays `-`.
    Spooled(PathBuf),
}

impl Input {
    pub fn parse(text: &str) -> Self {
        if text == "-" { Self::Stdin } else { Self::Path(PathBuf::from(text)) }
    }

    /// What it is called.
    pub fn path(&self) -> &Path {
        match self {
            Self::Path(path) => path,
            Self::Stdin | Self::Spooled(_) => Path::new("-"),
        }
    }
}

/// One stream of log bytes.
pub struct Stream {
    pub name: String,
    pub bytes: Box<dyn Read + Send>,
    /// Its size where it is known, for progress.
    pub size: Option<u64>,
}

/// What could not be opened, and why. The run goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    pub name: String,
    pub why: String,
}

/// Files below the inputs, in order of their paths, whatever the order of the inputs; one that is named twice is read
/// once. A folder that links back into itself is walked once.
pub fn walk(inputs: &[Input], unreadable: &mut Vec<Unreadable>) -> Vec<Input> {
    let mut files = Vec::new();
    let mut folders = BTreeSet::new();
    for input in inputs {
        match input {
            Input::Stdin | Input::Spooled(_) => files.push(input.clone()),
            Input::Path(path) => walk_path(path, &mut files, &mut folders, unreadable),
        }
    }
    files.sort_by(|a, b| a.path().cmp(b.path()));
    files.dedup_by(|a, b| a.path() == b.path());
    files
}

fn walk_path(path: &Path, files: &mut Vec<Input>, folders: &mut BTreeSet<PathBuf>, unreadable: &mut Vec<Unreadable>) {
    let mut problem = |error: &io::Error| {
        unreadable.push(Unreadable { name: path.display().to_string(), why: describe(error) });
    };
    let meta = match std::fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) => return problem(&error),
    };
    if !meta.is_dir() {
        // Devices and sockets would never end.
        if meta.is_file() || path.starts_with("/dev/fd") {
            files.push(Input::Path(path.to_owned()));
        } else {
            problem(&io::Error::other("neither a file nor a folder"));
        }
        return;
    }
    // Walked before: a link back into a folder above.
    if !path.canonicalize().is_ok_and(|real| folders.insert(real)) {
        return;
    }
    match std::fs::read_dir(path) {
        Ok(entries) => {
            let mut paths: Vec<PathBuf> = entries.filter_map(|it| Some(it.ok()?.path())).collect();
            paths.sort();
            for path in paths {
                walk_path(&path, files, folders, unreadable);
            }
        }
        Err(error) => problem(&error),
    }
}

/// Opens every stream of a file: itself, or what it holds.
pub fn open(input: &Input, visit: &mut dyn FnMut(Stream), unreadable: &mut Vec<Unreadable>) {
    open_within(input, MEMBERS, visit, unreadable);
}

fn open_within(input: &Input, members: usize, visit: &mut dyn FnMut(Stream), unreadable: &mut Vec<Unreadable>) {
    let name = input.path().display().to_string();
    let result = match input {
        Input::Stdin => {
            let mut opener = Opener { budget: Budget::of(None), members, in_archive: false, visit, unreadable };
            opener.stream(&name, Box::new(io::stdin()), None, DEPTH)
        }
        Input::Spooled(path) | Input::Path(path) => File::open(path).and_then(|file| {
            let size = file.metadata().map(|it| it.len()).ok();
            let mut opener = Opener { budget: Budget::of(size), members, in_archive: false, visit, unreadable };
            opener.file(&name, file, size)
        }),
    };
    if let Err(error) = result {
        unreadable.push(Unreadable { name, why: describe(&error) });
    }
}

/// Opens what one input holds.
struct Opener<'a> {
    budget: Budget,
    /// Files that one archive may hold.
    members: usize,
    /// What stands in an archive is unpacked here and now, member by member: readers run elsewhere and at any time,
    /// and which member of a bomb is cut off must not depend on that.
    in_archive: bool,
    visit: &'a mut dyn FnMut(Stream),
    unreadable: &'a mut Vec<Unreadable>,
}

impl Opener<'_> {
    fn file(&mut self, name: &str, mut file: File, size: Option<u64>) -> io::Result<()> {
        let mut magic = [0u8; 4];
        let n = file.read(&mut magic)?;
        file.rewind()?;
        if magic[..n].starts_with(ZIP) {
            return self.zip(name, BufReader::new(file), DEPTH);
        }
        self.stream(name, Box::new(file), size, DEPTH)
    }

    /// `size` is that of the bytes as they come in, before they are unpacked.
    fn stream(&mut self, name: &str, bytes: Box<dyn Read + Send>, size: Option<u64>, depth: usize) -> io::Result<()> {
        let (head, bytes) = peek(bytes, 512)?;
        let is_tar = head.len() > 262 && &head[257..262] == b"ustar";
        if !(is_tar || [GZIP, ZSTD, ZIP].iter().any(|it| head.starts_with(it))) {
            (self.visit)(Stream { name: name.to_owned(), bytes, size });
            return Ok(());
        }
        let Some(depth) = depth.checked_sub(1) else {
            return Err(io::Error::other(format!("packed more than {DEPTH} times: not read")));
        };
        if head.starts_with(GZIP) {
            let unpacked = self.unpacked(flate2::read::MultiGzDecoder::new(bytes))?;
            self.stream(name, unpacked, None, depth)
        } else if head.starts_with(ZSTD) {
            let unpacked = self.unpacked(zstd::stream::read::Decoder::new(bytes)?)?;
            self.stream(name, unpacked, None, depth)
        } else if head.starts_with(ZIP) {
            let mut held = Vec::new();
            bytes.take(INNER_ARCHIVE + 1).read_to_end(&mut held)?;
            if held.len() as u64 > INNER_ARCHIVE {
                return Err(io::Error::other("an archive in an archive, longer than the limit of 256 MiB: not read"));
            }
            self.zip(name, io::Cursor::new(held), depth)
        } else {
            self.tar(name, bytes, depth)
        }
    }

    fn unpacked(&self, bytes: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
        let mut bounded = Bounded { bytes, budget: self.budget.clone() };
        if self.in_archive { spool(&mut bounded) } else { Ok(Box::new(bounded)) }
    }

    fn zip<R: Read + Seek>(&mut self, name: &str, bytes: R, depth: usize) -> io::Result<()> {
        let mut archive = zip::ZipArchive::new(bytes).map_err(io::Error::other)?;
        self.in_archive = true;
        for index in 0..archive.len().min(self.members) {
            self.budget.check()?;
            let mut member = match archive.by_index(index) {
                Ok(member) => member,
                Err(error) => {
                    self.unreadable.push(Unreadable { name: format!("{name}!#{index}"), why: error.to_string() });
                    continue;
                }
            };
            if member.is_dir() || is_clutter(member.name()) {
                continue;
            }
            let inner = format!("{name}!{}", member.name());
            let size = Some(member.size());
            let spooled = spool(&mut Bounded { bytes: &mut member, budget: self.budget.clone() });
            let result = spooled.and_then(|bytes| self.stream(&inner, bytes, size, depth));
            if let Err(error) = result {
                self.unreadable.push(Unreadable { name: inner, why: describe(&error) });
            }
        }
        match archive.len().saturating_sub(self.members) {
            0 => Ok(()),
            more => Err(self.too_many(&format!("{more} more are"))),
        }
    }

    fn tar(&mut self, name: &str, bytes: Box<dyn Read + Send>, depth: usize) -> io::Result<()> {
        let mut archive = tar::Archive::new(bytes);
        self.in_archive = true;
        for (index, entry) in archive.entries()?.enumerate() {
            self.budget.check()?;
            let mut entry = entry?;
            if index >= self.members {
                return Err(self.too_many("the rest is"));
            }
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let member = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            if is_clutter(&member) {
                continue;
            }
            let inner = format!("{name}!{member}");
            let size = entry.size();
            let spooled = spool(&mut entry);
            if let Err(error) = spooled.and_then(|bytes| self.stream(&inner, bytes, Some(size), depth)) {
                self.unreadable.push(Unreadable { name: inner, why: describe(&error) });
            }
        }
        Ok(())
    }

    fn too_many(&self, rest: &str) -> io::Error {
        io::Error::other(format!("an archive of more than {} files: {rest} not read", self.members))
    }
}

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const ZIP: &[u8] = b"PK\x03\x04";

/// Resource forks that macOS adds to archives.
fn is_clutter(member: &str) -> bool {
    member.starts_with("__MACOSX/") || member.rsplit('/').next().is_some_and(|it| it.starts_with("._"))
}

/// A member borrows its archive, and readers run elsewhere: it passes through a temporary file. Where it is damaged,
/// what comes before the damage is there, and then the error.
fn spool(bytes: &mut dyn Read) -> io::Result<Box<dyn Read + Send>> {
    let mut file = tempfile::tempfile()?;
    let mut buffer = vec![0; 64 << 10];
    let damage = loop {
        match bytes.read(&mut buffer) {
            Ok(0) => break None,
            Ok(n) => file.write_all(&buffer[..n])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Some(error),
        }
    };
    file.rewind()?;
    Ok(match damage {
        None => Box::new(file),
        Some(error) => Box::new(file.chain(Damaged(error))),
    })
}

/// Fails, however often it is asked.
struct Damaged(io::Error);

impl Read for Damaged {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::new(self.0.kind(), self.0.to_string()))
    }
}

/// What one input may still unpack to, at whatever level.
#[derive(Debug, Clone)]
struct Budget(Arc<AtomicU64>);

impl Budget {
    fn of(size: Option<u64>) -> Self {
        let most = size.map_or(u64::MAX, |it| it.saturating_mul(RATIO).saturating_add(64 << 20));
        Self(Arc::new(AtomicU64::new(most)))
    }

    fn take(&self, n: u64) -> io::Result<()> {
        let take = |left: u64| Some(left.saturating_sub(n));
        let left = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).unwrap_or(0);
        if n > left { Err(Self::spent()) } else { Ok(()) }
    }

    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::Relaxed) == 0 { Err(Self::spent()) } else { Ok(()) }
    }

    fn spent() -> io::Error {
        io::Error::other(format!("unpacks to more than {RATIO} times its size: the rest is not read"))
    }
}

/// Ends with an error, not silently, where a bomb unpacks without end.
struct Bounded<R> {
    bytes: R,
    budget: Budget,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.bytes.read(buffer)?;
        self.budget.take(n as u64)?;
        Ok(n)
    }
}

/// The first bytes, and a reader that starts with them.
pub fn peek(mut bytes: Box<dyn Read + Send>, n: usize) -> io::Result<(Vec<u8>, Box<dyn Read + Send>)> {
    let mut head = vec![0; n];
    let mut filled = 0;
    while filled < n {
        match bytes.read(&mut head[filled..]) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // What was read before the damage is still read.
            Err(_) if filled > 0 => break,
            Err(error) => return Err(error),
        }
    }
    head.truncate(filled);
    let again = io::Cursor::new(head.clone());
    Ok((head, Box::new(again.chain(bytes))))
}

/// Text in UTF-16, as its byte order mark says, as UTF-8: whole, in memory. Offsets are then those in UTF-8.
pub fn as_utf8(head: Vec<u8>, bytes: Box<dyn Read + Send>) -> io::Result<(Vec<u8>, Box<dyn Read + Send>)> {
    let encoding = match head[..] {
        [0xff, 0xfe, ..] => encoding_rs::UTF_16LE,
        [0xfe, 0xff, ..] => encoding_rs::UTF_16BE,
        _ => return Ok((head, bytes)),
    };
    let mut raw = Vec::new();
    bytes.take(framing::MAX_WHOLE as u64 + 1).read_to_end(&mut raw)?;
    if raw.len() > framing::MAX_WHOLE {
        return Err(io::Error::other("UTF-16 longer than the limit of 256 MiB"));
    }
    let text = encoding.decode(&raw).0.into_owned().into_bytes();
    Ok((text[..text.len().min(framing::HEAD)].to_vec(), Box::new(io::Cursor::new(text))))
}

/// The operating system's words without its number.
pub fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(at) => text[..at].to_ascii_lowercase(),
        None => text,
    }
}

/// Opens one stream again by its name: to quote a record.
pub fn reopen(name: &str) -> io::Result<Box<dyn Read + Send>> {
    let path = name.split('!').next().unwrap_or(name);
    // An archive is opened member by member; members are spooled, so taking one out is enough.
    let mut found = None;
    let mut unreadable = Vec::new();
    open(
        &Input::Path(PathBuf::from(path)),
        &mut |stream| {
            if found.is_none() && stream.name == name {
                found = Some(stream.bytes);
            }
        },
        &mut unreadable,
    );
    found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("{name} is not there any more")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streams(path: &Path) -> (Vec<(String, String)>, Vec<Unreadable>) {
        let (mut got, mut unreadable) = (Vec::new(), Vec::new());
        for input in walk(&[Input::Path(path.to_owned())], &mut unreadable) {
            let mut more = Vec::new();
            open(
                &input,
                &mut |mut stream| {
                    let mut text = String::new();
                    if let Err(error) = stream.bytes.read_to_string(&mut text) {
                        text = format!("ERROR {error}");
                    }
                    got.push((stream.name.rsplit('/').next().unwrap_or("").to_owned(), text));
                },
                &mut more,
            );
            unreadable.extend(more);
        }
        (got, unreadable)
    }

    #[test]
    fn folders_gz_zip_and_a_loop() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.log"), "plain").unwrap();
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(b"packed").unwrap();
        std::fs::write(dir.path().join("b.gz"), gz.finish().unwrap()).unwrap();
        let mut archive = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        archive.start_file("in.log", zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(b"inner").unwrap();
        std::fs::write(dir.path().join("c.zip"), archive.finish().unwrap().into_inner()).unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("d")).unwrap();
        std::os::unix::fs::symlink("/nowhere", dir.path().join("e")).unwrap();
        let named = [Input::Path(dir.path().join("c.zip")), Input::Stdin, Input::Path(dir.path().to_owned())];
        let names: Vec<PathBuf> = walk(&named, &mut Vec::new()).iter().map(|it| it.path().to_owned()).collect();
        let expect = ["a.log", "b.gz", "c.zip"].map(|it| dir.path().join(it));
        assert_eq!(names, [&expect[..], &[PathBuf::from("-")]].concat());
        let (got, unreadable) = streams(dir.path());
        let expect = [("a.log", "plain"), ("b.gz", "packed"), ("c.zip!in.log", "inner")];
        assert_eq!(got, expect.map(|(name, text)| (name.to_owned(), text.to_owned())));
        assert_eq!(unreadable.len(), 1);
        assert_eq!(unreadable[0].why, "no such file or directory");
    }

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gz.write_all(bytes).unwrap();
        gz.finish().unwrap()
    }

    fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        for (name, bytes) in members {
            archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(bytes).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    #[test]
    fn a_bomb_ends_with_an_error_however_many_layers_hide_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut layer = gz(&vec![b'a'; 200 << 20]);
        for layers in 1..=3 {
            let path = dir.path().join("bomb.gz");
            std::fs::write(&path, &layer).unwrap();
            let limit = layer.len() as u64 * RATIO + (64 << 20);
            let (got, _) = streams(&path);
            if limit < 200 << 20 {
                assert!(got[0].1.starts_with("ERROR unpacks to more than 1000 times"), "{layers}: {}", got[0].1);
            } else {
                assert_eq!(got[0].1.len(), 200 << 20);
            }
            layer = gz(&layer);
        }
        // The third layer is a kilobyte or less, so the limit must have bitten.
        assert!((layer.len() as u64) < 100 << 10, "{}", layer.len());
    }

    #[test]
    fn members_of_an_archive_share_one_limit() {
        let dir = tempfile::tempdir().unwrap();
        let block = vec![b'a'; 30 << 20];
        let inner = zipped(&[("a", &block), ("b", &block), ("c", &block), ("d", &block)]);
        // Packed once more, so that the input is small.
        std::fs::write(dir.path().join("bomb.zip"), zipped(&[("inner.zip", &inner), ("after.log", b"x")])).unwrap();
        let (got, unreadable) = streams(dir.path());
        let whole = got.iter().filter(|it| it.1.len() == 30 << 20).count();
        assert!((1..4).contains(&whole), "{whole}");
        let cut = got.iter().filter(|it| it.1.starts_with("ERROR unpacks to more than 1000 times")).count();
        assert_eq!(whole + cut, got.len());
        assert!(unreadable.iter().all(|it| it.why.contains("unpacks to more than 1000 times")), "{unreadable:?}");
        assert!(unreadable.iter().any(|it| it.name.ends_with("bomb.zip")), "{unreadable:?}");
    }

    #[test]
    fn what_comes_before_the_damage_in_a_member_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let mut text = String::new();
        for n in 0..20_000u64 {
            text.push_str(&format!("line {}\n", ringleader_model::hash::hash64(&n.to_le_bytes())));
        }
        let mut packed = gz(text.as_bytes());
        packed.truncate(packed.len() / 2);
        std::fs::write(dir.path().join("a.zip"), zipped(&[("cut.gz", &packed), ("whole.log", b"whole")])).unwrap();
        let (mut got, mut unreadable) = (Vec::new(), Vec::new());
        open(
            &Input::Path(dir.path().join("a.zip")),
            &mut |mut stream| {
                let mut bytes = Vec::new();
                let ended = stream.bytes.read_to_end(&mut bytes).is_ok();
                got.push((stream.name.ends_with("cut.gz"), bytes.len(), ended));
            },
            &mut unreadable,
        );
        assert!(got[0].0 && got[0].1 > text.len() / 3 && !got[0].2, "{got:?}");
        assert_eq!(got[1], (false, 5, true));
        assert_eq!(unreadable, []);
    }

    #[test]
    fn what_is_packed_too_often_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let mut archive = zipped(&[("deep.log", b"deep")]);
        for layer in ["three.zip", "two.zip", "one.zip"] {
            archive = zipped(&[(layer, &archive), ("beside.log", b"beside")]);
        }
        std::fs::write(dir.path().join("four.zip"), &archive).unwrap();
        std::fs::write(dir.path().join("x.zip"), zipped(&[("five.zip", &archive)])).unwrap();
        let (got, unreadable) = streams(dir.path());
        let names: Vec<&str> = got.iter().map(|it| it.0.as_str()).collect();
        assert_eq!(names.iter().filter(|it| it.ends_with("deep.log")).count(), 1, "{names:?}");
        assert_eq!(names.iter().filter(|it| it.ends_with("beside.log")).count(), 6, "{names:?}");
        assert_eq!(unreadable.len(), 1, "{unreadable:?}");
        assert!(unreadable[0].name.ends_with("x.zip!five.zip!one.zip!two.zip!three.zip"), "{}", unreadable[0].name);
        assert_eq!(unreadable[0].why, "packed more than 3 times: not read");
    }

    #[test]
    fn members_beyond_the_limit_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.zip");
        std::fs::write(&path, zipped(&[("1", b"a"), ("2", b"b"), ("3", b"c")])).unwrap();
        let mut tar = tar::Builder::new(Vec::new());
        for name in ["1", "2", "3"] {
            let mut header = tar::Header::new_ustar();
            header.set_size(1);
            tar.append_data(&mut header, name, &b"x"[..]).unwrap();
        }
        let tarred = dir.path().join("a.tar");
        std::fs::write(&tarred, tar.into_inner().unwrap()).unwrap();
        for (path, why) in [
            (path, "an archive of more than 2 files: 1 more are not read"),
            (tarred, "an archive of more than 2 files: the rest is not read"),
        ] {
            let (mut n, mut unreadable) = (0, Vec::new());
            open_within(&Input::Path(path.clone()), 2, &mut |_| n += 1, &mut unreadable);
            assert_eq!((n, unreadable.len()), (2, 1));
            assert_eq!((&*unreadable[0].name, &*unreadable[0].why), (&*path.display().to_string(), why));
            open(&Input::Path(path), &mut |_| n += 1, &mut unreadable);
            assert_eq!((n, unreadable.len()), (5, 1));
        }
    }
}
