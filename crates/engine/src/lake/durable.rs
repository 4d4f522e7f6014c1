//! object store writes → the same on a local disk, and still there after the power failed.
//!
//! The local store of `object_store` never syncs. Here a data file is synced when its upload completes, and a log
//! entry, which makes them visible, is synced before it gets its name; every folder that gained a name since is
//! synced before that. Reading is the local store's own.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path as FilePath, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::object_store::local::LocalFileSystem;
use datafusion::object_store::path::Path;
use datafusion::object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result, UploadPart,
};
use futures::stream::BoxStream;

/// Rooted at `/`.
#[derive(Debug, Default)]
pub(crate) struct DurableLocal {
    inner: LocalFileSystem,
    folders: Arc<Folders>,
    sequence: AtomicU64,
}

/// Folders that gained a name and were not synced since.
#[derive(Debug, Default)]
struct Folders(Mutex<BTreeSet<PathBuf>>);

impl Folders {
    /// A new file may have made new folders: up to three partitions' and the table's own.
    fn note(&self, file: &FilePath) {
        let mut folders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        folders.extend(file.ancestors().skip(1).take(5).map(FilePath::to_owned));
    }

    fn sync(&self) -> Result<()> {
        let folders = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for folder in folders {
            match File::open(&folder).and_then(|it| it.sync_all()) {
                Ok(()) => {}
                // A folder that went away again holds nothing that must last.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }
}

impl fmt::Display for DurableLocal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DurableLocal")
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::Generic { store: "DurableLocal", source: Box::new(error) }
}

fn sync_file(path: &FilePath, folders: &Folders) -> Result<()> {
    File::open(path).and_then(|it| it.sync_all()).map_err(failed)?;
    folders.note(path);
    Ok(())
}

async fn blocking<T: Send + 'static>(f: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(f).await {
        Ok(result) => result,
        Err(error) => Err(Error::Generic { store: "DurableLocal", source: Box::new(error) }),
    }
}

/// Writes a file whole under another name, then gives it its own, unless that is taken.
fn create(path: &FilePath, nth: u64, payload: &PutPayload, folders: &Folders) -> Result<PutResult> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    // What it makes visible must be safe first.
    folders.sync()?;
    // The local store does not list names that end in `#` and a number.
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!("#{}{nth:06}", std::process::id()));
    let temporary = PathBuf::from(temporary);
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&temporary)?;
        for bytes in payload {
            file.write_all(bytes)?;
        }
        file.sync_all()
    })();
    let linked = written.and_then(|()| std::fs::hard_link(&temporary, path));
    let _ = std::fs::remove_file(&temporary);
    linked.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Error::AlreadyExists { path: path.display().to_string(), source: Box::new(error) },
        _ => failed(error),
    })?;
    folders.note(path);
    folders.sync()?;
    Ok(PutResult { e_tag: None, version: None })
}

#[async_trait::async_trait]
impl ObjectStore for DurableLocal {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let path = self.inner.path_to_filesystem(location)?;
        let folders = Arc::clone(&self.folders);
        if matches!(options.mode, PutMode::Create) {
            let nth = self.sequence.fetch_add(1, Ordering::Relaxed);
            return blocking(move || create(&path, nth, &payload, &folders)).await;
        }
        let result = self.inner.put_opts(location, payload, options).await?;
        blocking(move || sync_file(&path, &folders)).await?;
        Ok(result)
    }
    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(Upload {
            inner: self.inner.put_multipart_opts(location, options).await?,
            path: self.inner.path_to_filesystem(location)?,
            folders: Arc::clone(&self.folders),
        }))
    }
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }
    async fn get_ranges(&self, location: &Path, ranges: &[std::ops::Range<u64>]) -> Result<Vec<bytes::Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }
    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }
    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list_with_offset(prefix, offset)
    }
    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }
    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await
    }
}

#[derive(Debug)]
struct Upload {
    inner: Box<dyn MultipartUpload>,
    path: PathBuf,
    folders: Arc<Folders>,
}

#[async_trait::async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.inner.put_part(data)
    }
    async fn complete(&mut self) -> Result<PutResult> {
        let result = self.inner.complete().await?;
        let (path, folders) = (self.path.clone(), Arc::clone(&self.folders));
        blocking(move || sync_file(&path, &folders)).await?;
        Ok(result)
    }
    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await
    }
}
