//! what the user named → streams of bytes, decompressed, each with a name that finds it again.
//!
//! `logs.zip!web/access.log` is a member of an archive. Bounded: nesting, members, and what one input may unpack to.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Archives inside archives, at most.
const DEPTH: usize = 3;
/// Files that one archive may hold.
const MEMBERS: usize = 100_000;
/// An archive inside an archive is unpacked in memory, up to this.
const INNER_ARCHIVE: u64 = 256 << 20;
/// One compressed input may unpack to this many times its size (plus 64 MiB); real logs stay far below.
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
    let result = match input {
        Input::Stdin => visit_stream("-", Box::new(io::stdin()), None, DEPTH, visit, unreadable),
        Input::Spooled(path) => File::open(path).and_then(|file| {
            let size = file.metadata().map(|it| it.len()).ok();
            visit_file("-", file, size, visit, unreadable)
        }),
        Input::Path(path) => File::open(path).and_then(|file| {
            let size = file.metadata().map(|it| it.len()).ok();
            visit_file(&path.display().to_string(), file, size, visit, unreadable)
        }),
    };
    if let Err(error) = result {
        unreadable.push(Unreadable { name: input.path().display().to_string(), why: describe(&error) });
    }
}

fn visit_file(
    name: &str,
    mut file: File,
    size: Option<u64>,
    visit: &mut dyn FnMut(Stream),
    unreadable: &mut Vec<Unreadable>,
) -> io::Result<()> {
    let mut magic = [0u8; 4];
    let n = file.read(&mut magic)?;
    file.rewind()?;
    if magic[..n].starts_with(b"PK\x03\x04") {
        return visit_zip(name, BufReader::new(file), DEPTH, visit, unreadable);
    }
    visit_stream(name, Box::new(file), size, DEPTH, visit, unreadable)
}

/// `size` is that of the bytes as they come in, before they are unpacked.
fn visit_stream(
    name: &str,
    bytes: Box<dyn Read + Send>,
    size: Option<u64>,
    depth: usize,
    visit: &mut dyn FnMut(Stream),
    unreadable: &mut Vec<Unreadable>,
) -> io::Result<()> {
    let (head, bytes) = peek(bytes, 512)?;
    if depth > 0 && head.starts_with(&[0x1f, 0x8b]) {
        let unpacked = bounded(Box::new(flate2::read::MultiGzDecoder::new(bytes)), size);
        return visit_stream(name, unpacked, None, depth - 1, visit, unreadable);
    }
    if depth > 0 && head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let unpacked = bounded(Box::new(zstd::stream::read::Decoder::new(bytes)?), size);
        return visit_stream(name, unpacked, None, depth - 1, visit, unreadable);
    }
    if depth > 0 && head.starts_with(b"PK\x03\x04") {
        let mut held = Vec::new();
        bytes.take(INNER_ARCHIVE).read_to_end(&mut held)?;
        return visit_zip(name, io::Cursor::new(held), depth - 1, visit, unreadable);
    }
    if depth > 0 && head.len() > 262 && &head[257..262] == b"ustar" {
        return visit_tar(name, bytes, depth - 1, visit, unreadable);
    }
    visit(Stream { name: name.to_owned(), bytes, size });
    Ok(())
}

fn visit_zip<R: Read + Seek>(
    name: &str,
    bytes: R,
    depth: usize,
    visit: &mut dyn FnMut(Stream),
    unreadable: &mut Vec<Unreadable>,
) -> io::Result<()> {
    let mut archive = zip::ZipArchive::new(bytes).map_err(io::Error::other)?;
    for index in 0..archive.len().min(MEMBERS) {
        let mut member = match archive.by_index(index) {
            Ok(member) => member,
            Err(error) => {
                unreadable.push(Unreadable { name: format!("{name}!#{index}"), why: error.to_string() });
                continue;
            }
        };
        if member.is_dir() || is_clutter(member.name()) {
            continue;
        }
        let inner = format!("{name}!{}", member.name());
        let limit = limit(Some(member.compressed_size()));
        // A member borrows its archive, and readers run elsewhere: it passes through a temporary file.
        let spooled = spool(&mut (&mut member).take(limit + 1), limit);
        let result = spooled.and_then(|file| {
            let size = file.metadata().map(|it| it.len()).ok();
            visit_stream(&inner, Box::new(file), size, depth, visit, unreadable)
        });
        if let Err(error) = result {
            unreadable.push(Unreadable { name: inner, why: describe(&error) });
        }
    }
    Ok(())
}

fn visit_tar(
    name: &str,
    bytes: Box<dyn Read + Send>,
    depth: usize,
    visit: &mut dyn FnMut(Stream),
    unreadable: &mut Vec<Unreadable>,
) -> io::Result<()> {
    let mut archive = tar::Archive::new(bytes);
    for entry in archive.entries()?.take(MEMBERS) {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let member = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if is_clutter(&member) {
            continue;
        }
        let inner = format!("{name}!{member}");
        let size = entry.size();
        let file = spool(&mut entry, u64::MAX)?;
        if let Err(error) = visit_stream(&inner, Box::new(file), Some(size), depth, visit, unreadable) {
            unreadable.push(Unreadable { name: inner, why: describe(&error) });
        }
    }
    Ok(())
}

/// Resource forks that macOS adds to archives.
fn is_clutter(member: &str) -> bool {
    member.starts_with("__MACOSX/") || member.rsplit('/').next().is_some_and(|it| it.starts_with("._"))
}

fn spool(bytes: &mut dyn Read, limit: u64) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    let n = io::copy(bytes, &mut file)?;
    if n > limit {
        return Err(io::Error::other(format!("unpacks to more than {RATIO} times its size: not read")));
    }
    file.flush()?;
    file.rewind()?;
    Ok(file)
}

fn limit(compressed: Option<u64>) -> u64 {
    compressed.map_or(u64::MAX - 1, |it| it.saturating_mul(RATIO).saturating_add(64 << 20))
}

fn bounded(bytes: Box<dyn Read + Send>, compressed: Option<u64>) -> Box<dyn Read + Send> {
    Box::new(Bounded { bytes, left: limit(compressed) })
}

/// Ends with an error, not silently, where a bomb unpacks without end.
struct Bounded {
    bytes: Box<dyn Read + Send>,
    left: u64,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.bytes.read(buffer)?;
        self.left = self.left.checked_sub(n as u64).ok_or_else(|| {
            io::Error::other(format!("unpacks to more than {RATIO} times its size: the rest is not read"))
        })?;
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

    #[test]
    fn a_bomb_ends_with_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        for _ in 0..200 {
            gz.write_all(&vec![b'a'; 1 << 20]).unwrap();
        }
        let packed = gz.finish().unwrap();
        // Two layers: the outer one hides how small the whole is.
        let mut outer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        outer.write_all(&packed).unwrap();
        std::fs::write(dir.path().join("bomb.gz"), packed).unwrap();
        let (got, _) = streams(dir.path());
        assert!(got[0].1.len() <= 200 << 20);
        let mut bounded = Bounded { bytes: Box::new(io::repeat(b'a')), left: 1000 };
        let error = io::copy(&mut bounded, &mut io::sink()).unwrap_err();
        assert!(error.to_string().contains("unpacks to more than"), "{error}");
    }
}
