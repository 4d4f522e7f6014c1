//! SQL, or a ready question → rows, handed on as they come. Only reading; bounded in memory, rows and time.
//!
//! Deliberately absent: how rows are shown.

mod findings;
mod question;
mod rows;
mod tree;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::TryStreamExt;

pub use findings::{GangName, HuntFindings, Noted};
pub use question::{Ask, Question, quoted};
pub use rows::{Cell, Column};
pub use tree::{Tree, TreeConfig, TreeNode};

use super::{Error, Lake};

/// Consumers of memory that a message names.
const NAMED: usize = 3;
/// A statement that is longer is not read.
const MAX_SQL: usize = 1 << 20;

/// What a query may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Rows that are handed on; the next one is only counted as *more*.
    pub rows: Option<usize>,
    /// Bytes that sorting, grouping and joining may hold before they spill to temporary files.
    pub memory: usize,
    pub threads: usize,
    pub time: Duration,
}

/// Takes the rows of an answer.
pub trait Answer {
    fn columns(&mut self, columns: &[Column]) -> std::io::Result<()>;
    fn row(&mut self, cells: &[Cell<'_>]) -> std::io::Result<()>;
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    pub rows: usize,
    /// There were more.
    pub cut: bool,
}

/// What went wrong with a question; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum HuntError {
    #[error("only questions are answered (SELECT, WITH, EXPLAIN, SHOW, DESCRIBE), one at a time: {0}")]
    Refused(String),
    #[error("{0}; `ringleader hunt --lake DIR --tables` lists tables and columns")]
    Unclear(String),
    #[error(
        "stopped after {0} s: ask about less (--since, --until, --host, or WHERE time …), or allow more with --timeout"
    )]
    TooLong(u64),
    #[error("it needs more than {0} MiB of memory: ask about less, or allow more with --memory ({1})")]
    TooLarge(usize, String),
    #[error(
        "{0} is not a findings folder: {1}; name one with --out (`ringleader analyze --lake DIR --out DIR` makes one)"
    )]
    Findings(String, String),
    #[error("no gang of {folder} is called `{asked}`; it has {known}")]
    NoGang { folder: String, asked: String, known: String },
    #[error(transparent)]
    Lake(#[from] Error),
    #[error("cannot write the answer")]
    Write(#[from] std::io::Error),
}

impl Lake {
    /// Answers a statement. With `findings`, their tables stand beside the lake's.
    pub fn ask(
        &self,
        sql: &str,
        findings: Option<&HuntFindings>,
        bounds: &Bounds,
        answer: &mut dyn Answer,
    ) -> Result<Asked, HuntError> {
        if sql.len() > MAX_SQL {
            return Err(HuntError::Refused(format!("this one has more than {MAX_SQL} bytes")));
        }
        self.in_time(bounds, async {
            let context = self.bounded_session(bounds).await?;
            if let Some(findings) = findings {
                findings.register(&context).await?;
            }
            let plan = context.state().create_logical_plan(sql).await.map_err(|it| unclear(&it))?;
            let only_reading =
                SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
            only_reading.verify_plan(&plan).map_err(|it| HuntError::Refused(message(&it)))?;
            // What explains a plan stands at its top.
            let alone =
                matches!(plan, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) | LogicalPlan::DescribeTable(_));
            let failed = |it: DataFusionError| of_engine(&it, bounds);
            let mut frame = context.execute_logical_plan(plan).await.map_err(failed)?;
            if let Some(rows) = bounds.rows
                && !alone
            {
                frame = frame.limit(0, Some(rows.saturating_add(1))).map_err(failed)?;
            }
            let mut batches = frame.execute_stream().await.map_err(failed)?;
            let columns = rows::columns(&batches.schema());
            answer.columns(&columns)?;
            let mut asked = Asked::default();
            while let Some(batch) = batches.try_next().await.map_err(failed)? {
                let left = bounds.rows.map_or(usize::MAX, |it| it - asked.rows);
                let n = batch.num_rows().min(left);
                rows::each(&batch, n, &mut |cells| answer.row(cells))?;
                asked.rows += n;
                if batch.num_rows() > n {
                    asked.cut = true;
                    break;
                }
            }
            Ok(asked)
        })
    }

    async fn bounded_session(&self, bounds: &Bounds) -> Result<SessionContext, HuntError> {
        let some = std::num::NonZeroUsize::new(NAMED).unwrap_or(std::num::NonZeroUsize::MIN);
        let pool = TrackConsumersPool::new(FairSpillPool::new(bounds.memory), some);
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(pool))
            .build_arc()
            .map_err(|it| Error::engine("cannot start the query engine", it))?;
        let config = SessionConfig::new().with_information_schema(true).with_target_partitions(bounds.threads.max(1));
        Ok(self.make_session(SessionContext::new_with_config_rt(config, runtime)).await?)
    }

    fn in_time<T>(&self, bounds: &Bounds, future: impl Future<Output = Result<T, HuntError>>) -> Result<T, HuntError> {
        let late = || HuntError::TooLong(bounds.time.as_secs());
        self.tokio.wait(async { tokio::time::timeout(bounds.time, future).await }).unwrap_or_else(|_| Err(late()))
    }
}

/// The engine's own words, without what it wraps around them and without all columns that there are.
fn message(error: &DataFusionError) -> String {
    let text = error.strip_backtrace();
    let mut text = text.split("Valid fields are").next().unwrap_or(&text).replace("datafusion.public.", "");
    for wrapped in ["Error during planning: ", "Schema error: ", "SQL error: ", "Execution error: "] {
        if let Some(rest) = text.strip_prefix(wrapped) {
            text = rest.to_owned();
        }
    }
    super::short(text.trim_end_matches(['.', '\n', ' ']))
}

fn unclear(error: &DataFusionError) -> HuntError {
    HuntError::Unclear(message(error))
}

fn of_engine(error: &DataFusionError, bounds: &Bounds) -> HuntError {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(why) => {
            HuntError::TooLarge(bounds.memory >> 20, super::short(why.lines().next().unwrap_or_default()))
        }
        DataFusionError::Plan(_) | DataFusionError::SchemaError(..) | DataFusionError::SQL(..) => unclear(error),
        _ => HuntError::Lake(Error::engine("the query failed", message(error))),
    }
}
