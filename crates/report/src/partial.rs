//! A file that appears whole or not at all: written beside its place, then renamed.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Opened once something is written; removed where it is dropped before [`Partial::place`].
pub(crate) struct Partial {
    path: PathBuf,
    partial: PathBuf,
    out: Option<BufWriter<File>>,
}

impl Partial {
    pub(crate) fn new(path: &Path) -> Self {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        Self { path: path.to_owned(), partial: PathBuf::from(partial), out: None }
    }

    fn out(&mut self) -> io::Result<&mut BufWriter<File>> {
        match &mut self.out {
            Some(out) => Ok(out),
            none => {
                if let Some(folder) = self.partial.parent() {
                    fs::create_dir_all(folder)?;
                }
                Ok(none.insert(BufWriter::with_capacity(1 << 16, File::create(&self.partial)?)))
            }
        }
    }

    /// Ends it; an empty file is one too.
    pub(crate) fn place(mut self) -> io::Result<()> {
        let out = self.out()?;
        out.flush()?;
        out.get_ref().sync_all()?;
        fs::rename(&self.partial, &self.path)?;
        self.out = None;
        Ok(())
    }
}

impl Write for Partial {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out()?.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.out.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if let Some(out) = self.out.take() {
            // What could not be written was told already; that the remains could not be removed adds nothing.
            let (_, _) = out.into_parts();
            let _ = fs::remove_file(&self.partial);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("below/a.txt");
        let names = || fs::read_dir(dir.path().join("below")).unwrap().count();
        let mut file = Partial::new(&path);
        file.write_all(b"half").unwrap();
        assert_eq!((names(), path.exists()), (1, false));
        drop(file);
        assert_eq!(names(), 0, "the remains are removed");
        drop(Partial::new(&path));
        let mut file = Partial::new(&path);
        file.write_all(b"whole").unwrap();
        file.place().unwrap();
        assert_eq!((fs::read(&path).unwrap(), names()), (b"whole".to_vec(), 1));
        Partial::new(&path).place().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"", "nothing was written: it is empty");
    }
}
