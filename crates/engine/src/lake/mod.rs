//! files of logs → one Delta table of events → buckets, SQL. ACID: what was not committed was never there.
//!
//! Here and below is the only asynchronous code; callers wait at the edge. Deliberately absent: what the stages
//! make of a bucket, and object stores (a lake is a folder).

mod buckets;
mod codec;
mod durable;
mod hunt;
mod ingest;
mod pins;
mod rows;
mod schema;
mod sketch_exec;
mod sketch_merge;

use std::collections::BTreeSet;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::Schema;
use datafusion::execution::context::SQLOptions;
use datafusion::prelude::{SessionConfig, SessionContext};
use deltalake::kernel::StructType;
use deltalake::kernel::engine::arrow_conversion::{TryIntoArrow, TryIntoKernel};
use deltalake::protocol::SaveMode;
use deltalake::{DeltaTable, DeltaTableBuilder};
use ringleader_model::EventClass;
use url::Url;

pub use buckets::{LakeBuckets, Window};
pub use codec::LakeCodec;
pub use hunt::{
    Answer, Ask, Asked, Bounds, Cell, Column, GangName, HuntError, HuntFindings, Noted, Question, Tree, TreeConfig,
    TreeNode, quoted,
};
pub use ingest::{Delivered, IngestReport, Staged, ingest};
pub use pins::PinnedFile;
pub use sketch_exec::{MakeSketchFn, SketchExec, SketchFn, SketchFns};
pub use sketch_merge::sketch_merge;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no lake at {0}: ingest makes one")]
    Missing(String),
    #[error("{path} is not a lake of events: {why}")]
    Foreign { path: String, why: String },
    #[error("the lake at {path} is damaged: {why}")]
    Damaged { path: String, why: String },
    #[error("{doing}: {why}")]
    Engine { doing: String, why: String },
    #[error("{doing}")]
    Io { doing: String, source: std::io::Error },
}

impl Error {
    /// Engines dump whole plans into their messages.
    fn engine(doing: impl Into<String>, why: impl std::fmt::Display) -> Self {
        Self::Engine { doing: doing.into(), why: short(&why.to_string()) }
    }

    fn damaged(path: &Path, why: impl std::fmt::Display) -> Self {
        Self::Damaged { path: path.display().to_string(), why: short(&why.to_string()) }
    }
}

impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}

fn short(text: &str) -> String {
    const LIMIT: usize = 600;
    match text.char_indices().nth(LIMIT) {
        Some((at, _)) => format!("{} …", &text[..at]),
        None => text.to_owned(),
    }
}

/// The threads that wait for the engine. Dropping it never blocks, so that it can be dropped anywhere.
struct Tokio(Option<tokio::runtime::Runtime>);

impl Tokio {
    fn start() -> Result<Arc<Self>, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .thread_name("lake")
            .enable_all()
            .build()
            .map_err(|source| Error::Io { doing: "cannot start threads".to_owned(), source })?;
        Ok(Arc::new(Self(Some(runtime))))
    }

    /// Not to be called from within an asynchronous task; several threads may call it at once.
    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.0.as_ref().expect("only `drop` takes the runtime out").block_on(future)
    }
}

impl Drop for Tokio {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// One Delta table of events in a folder, at the version it was opened or refreshed at.
pub struct Lake {
    root: PathBuf,
    tokio: Arc<Tokio>,
    table: DeltaTable,
}

impl Lake {
    pub fn open_or_create(path: &Path) -> Result<Self, Error> {
        let io = |source| Error::Io { doing: format!("cannot make the folder {}", path.display()), source };
        std::fs::create_dir_all(path).map_err(io)?;
        if is_table(path) {
            return Self::open(path);
        }
        let root = path.canonicalize().map_err(io)?;
        if std::fs::read_dir(&root).map_err(io)?.next().is_some() {
            let why = "the folder holds other files".to_owned();
            return Err(Error::Foreign { path: path.display().to_string(), why });
        }
        let tokio = Tokio::start()?;
        let doing = || format!("cannot make the lake at {}", path.display());
        let kernel: StructType = schema::table().as_ref().try_into_kernel().map_err(|it| Error::engine(doing(), it))?;
        let builder = builder(&root)?.build().map_err(|it| Error::engine(doing(), it))?;
        let table = tokio
            .wait(async move {
                builder
                    .create()
                    .with_table_name("ringleader_events")
                    .with_columns(kernel.fields().cloned())
                    .with_partition_columns(schema::PARTITIONS)
                    // Another process may just have made it.
                    .with_save_mode(SaveMode::Ignore)
                    .with_configuration([
                        ("delta.checkpointInterval", Some("10")),
                        ("delta.dataSkippingStatsColumns", Some("time,host_uid")),
                    ])
                    .await
            })
            .map_err(|it| Error::engine(doing(), it))?;
        Ok(Self { root, tokio, table })
    }

    pub fn open(path: &Path) -> Result<Self, Error> {
        if !is_table(path) {
            return Err(Error::Missing(path.display().to_string()));
        }
        let root = path
            .canonicalize()
            .map_err(|source| Error::Io { doing: format!("cannot open {}", path.display()), source })?;
        let tokio = Tokio::start()?;
        let builder = builder(&root)?;
        let table = tokio.wait(builder.load()).map_err(|it| Error::damaged(path, it))?;
        let lake = Self { root, tokio, table };
        lake.check_columns()?;
        Ok(lake)
    }

    /// A table with other columns is somebody else's. Columns that are lacking because the lake is older are not
    /// an error: they read as null, and `ingest` adds them.
    fn check_columns(&self) -> Result<(), Error> {
        let have = self.columns()?;
        let foreign = |why: String| Err(Error::Foreign { path: self.root.display().to_string(), why });
        for name in schema::KEYS {
            if have.field_with_name(name).is_err() {
                return foreign(format!("it has no column {name}"));
            }
        }
        for field in schema::table().fields() {
            if let Ok(it) = have.field_with_name(field.name())
                && it.data_type() != field.data_type()
            {
                return foreign(format!(
                    "its column {} is {}, not {}",
                    field.name(),
                    it.data_type(),
                    field.data_type()
                ));
            }
        }
        Ok(())
    }

    fn columns(&self) -> Result<Schema, Error> {
        let kernel = self.snapshot()?.schema();
        kernel.as_ref().try_into_arrow().map_err(|it| Error::damaged(&self.root, it))
    }

    /// Adds the columns that this version knows and an older one did not.
    fn add_columns(&mut self) -> Result<(), Error> {
        let have = self.columns()?;
        let ours = schema::table();
        let lacking: Vec<_> = ours.fields().iter().filter(|it| have.field_with_name(it.name()).is_err()).collect();
        if lacking.is_empty() {
            return Ok(());
        }
        let lacking = Schema::new(lacking.into_iter().cloned().collect::<Vec<_>>());
        let doing = "cannot add the columns of this version to the lake";
        let kernel: StructType = (&lacking).try_into_kernel().map_err(|it| Error::engine(doing, it))?;
        let fields: Vec<_> = kernel.fields().cloned().collect();
        let table = self.table.clone();
        self.table = self
            .tokio
            .wait(async move { table.add_columns().with_fields(fields).await })
            .map_err(|it| Error::engine(doing, it))?;
        Ok(())
    }

    fn snapshot(&self) -> Result<&deltalake::table::state::DeltaTableState, Error> {
        self.table.snapshot().map_err(|it| Error::damaged(&self.root, it))
    }

    /// Where it is, absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn version(&self) -> u64 {
        self.table.version().unwrap_or_default()
    }

    /// Goes on to the newest version.
    pub fn refresh(&mut self) -> Result<(), Error> {
        let Self { root, tokio, table } = self;
        tokio.wait(table.update_state()).map_err(|it| Error::damaged(root, it))
    }

    /// The version an application committed last; `None`: never. A delivery's is its size in bytes.
    pub fn transaction(&self, app_id: &str) -> Result<Option<i64>, Error> {
        let snapshot = self.snapshot()?;
        self.tokio
            .wait(snapshot.transaction_version(&self.table.log_store(), app_id))
            .map_err(|it| Error::damaged(&self.root, it))
    }

    /// A session over this version: the six classes, `events` (all of them), `ingested_sources`, `dead_letters`.
    /// To be used on the caller's own runtime; `query` is the waiting form.
    pub fn session(&self) -> Result<SessionContext, Error> {
        self.tokio.wait(self.make_session(unbounded()))
    }

    /// Adds the lake's tables to a context.
    async fn make_session(&self, context: SessionContext) -> Result<SessionContext, Error> {
        let doing = "cannot read the lake's tables";
        let provider = self.table.table_provider().await.map_err(|it| Error::engine(doing, it))?;
        context.register_table("lake", provider).map_err(|it| Error::engine(doing, it))?;
        for view in schema::views(&self.columns()?) {
            let made = async { context.sql(&view).await?.collect().await };
            made.await.map_err(|it| Error::engine(doing, it))?;
        }
        Ok(context)
    }

    /// Runs a query. Only reading is allowed: no statement that makes, changes or copies anything.
    pub fn query(&self, sql: &str) -> Result<Vec<RecordBatch>, Error> {
        self.tokio.wait(async {
            let context = self.make_session(unbounded()).await?;
            let options = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
            let result = async { context.sql_with_options(sql, options).await?.collect().await };
            result.await.map_err(|it| Error::engine("the query failed", it))
        })
    }
}

fn unbounded() -> SessionContext {
    SessionContext::new_with_config(SessionConfig::new().with_information_schema(true))
}

/// The classes of partitions that hold events.
fn event_classes() -> BTreeSet<&'static str> {
    EventClass::ALL.iter().map(|it| it.name()).collect()
}

fn is_table(path: &Path) -> bool {
    path.join("_delta_log").is_dir()
}

fn builder(root: &Path) -> Result<DeltaTableBuilder, Error> {
    let bad = |why: String| Error::Foreign { path: root.display().to_string(), why };
    // The engine decodes paths twice.
    if root.to_str().is_none_or(|it| it.contains('%')) {
        return Err(bad("a lake cannot have a % in its path, nor what is not UTF-8".to_owned()));
    }
    let url = Url::from_directory_path(root).map_err(|()| bad("its path is not absolute".to_owned()))?;
    let store = Arc::new(durable::DurableLocal::default());
    let builder = DeltaTableBuilder::from_url(url.clone()).map_err(|it| bad(it.to_string()))?;
    Ok(builder.with_storage_backend(store, url))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::{CollectConfig, Quiet};
    use crate::sources::Input;

    /// A table with the columns of `schema`, as another version or another program would have made it.
    fn made_with(path: &Path, columns: &Schema) {
        let kernel: StructType = columns.try_into_kernel().unwrap();
        let tokio = Tokio::start().unwrap();
        let builder = builder(&path.canonicalize().unwrap()).unwrap().build().unwrap();
        tokio
            .wait(async move {
                builder.create().with_columns(kernel.fields().cloned()).with_partition_columns(schema::PARTITIONS).await
            })
            .unwrap();
    }

    fn without(names: &[&str]) -> Schema {
        let table = schema::table();
        Schema::new(
            table.fields().iter().filter(|it| !names.contains(&it.name().as_str())).cloned().collect::<Vec<_>>(),
        )
    }

    #[test]
    fn an_older_lake_is_read_and_gets_the_new_columns() {
        let folder = tempfile::tempdir().unwrap();
        let lake = folder.path().join("lake");
        std::fs::create_dir(&lake).unwrap();
        made_with(&lake, &without(&["owner_id", "tty"]));
        let mut lake = Lake::open(&lake).unwrap();
        assert!(lake.query("SELECT * FROM events").unwrap().iter().all(|it| it.num_rows() == 0));
        let log = folder.path().join("a.ndjson");
        let line = r#"{"id":1,"time":"2026-03-01 08:21:40","host":"web1","cmd_line":"ls","pid":2,"ppid":1}"#;
        std::fs::write(&log, line).unwrap();
        let config = CollectConfig {
            threads: 1,
            memory: 1 << 20,
            format: None,
            host: None,
            tenant: String::new(),
            times: ringleader_model::time::TimeDefaults::default(),
        };
        assert_eq!(lake.ingest(&[Input::Path(log)], &config, &Quiet).unwrap().events, 1);
        assert!(lake.columns().unwrap().field_with_name("tty").is_ok());
        let buckets = lake.buckets(Window::default()).unwrap();
        let bucket = crate::store::bucket_of("web1");
        assert_eq!(buckets.load(bucket).unwrap().rows.len(), 1);
        let rows: usize = lake.query("SELECT tty FROM events").unwrap().iter().map(RecordBatch::num_rows).sum();
        assert_eq!(rows, 1);
    }

    #[test]
    fn another_programs_table_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        made_with(folder.path(), &without(&["event_id"]));
        let error = Lake::open_or_create(folder.path()).err().unwrap().to_string();
        assert!(error.ends_with("is not a lake of events: it has no column event_id"), "{error}");
    }

    #[test]
    fn long_messages_are_cut_between_characters() {
        assert_eq!(short("plan"), "plan");
        assert_eq!(short(&"é".repeat(5000)).chars().count(), 602);
    }
}
