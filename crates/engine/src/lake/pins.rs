//! a version of the table → the list of its files, and a plan that reads exactly those.
//!
//! A plan over a pinned list can be encoded and sent elsewhere, and does not see what is committed meanwhile.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::ScalarValue;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::Operator;
use datafusion::object_store::path::Path as StorePath;
use datafusion::physical_expr::expressions::{BinaryExpr, col, lit};
use datafusion::physical_expr::{LexOrdering, Partitioning, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExec;

use super::buckets::Window;
use super::{Error, Lake, schema};

/// A data file of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedFile {
    /// Relative to the lake's folder.
    pub path: String,
    pub bytes: u64,
    pub rows: Option<usize>,
    pub class: String,
    pub day: Option<String>,
    pub bucket: i32,
}

impl Lake {
    /// The files of this version, by bucket, then path.
    pub fn files(&self) -> Result<Vec<PinnedFile>, Error> {
        let mut files = Vec::new();
        for file in self.snapshot()?.log_data().iter() {
            let path = file.object_store_path().to_string();
            let mut values = file.partition_values_map();
            let mut value = |name: &str| values.remove(name).flatten();
            let (class, day, bucket) = (value("class"), value("day"), value("bucket"));
            let (Some(class), Some(bucket)) = (class, bucket.and_then(|it| it.parse().ok())) else {
                return Err(Error::damaged(self.root(), format!("{path} is of no class and bucket")));
            };
            let bytes = u64::try_from(file.size()).unwrap_or_default();
            files.push(PinnedFile { path, bytes, rows: file.num_records(), class, day, bucket });
        }
        files.sort_by(|a, b| (a.bucket, &a.path).cmp(&(b.bucket, &b.path)));
        Ok(files)
    }
}

/// Reads files, a group per output partition, in the order in which they stand. Groups must not share a bucket.
///
/// It declares that it is partitioned by bucket: the engine would else let idle partitions steal each other's
/// files, or cut them, and a host's events would come apart.
pub(crate) fn scan(root: &Path, groups: &[Vec<&PinnedFile>], window: &Window) -> EngineResult<Arc<dyn ExecutionPlan>> {
    let table = schema::table();
    let predicate = window.predicate(&table)?;
    let columns = TableSchema::builder(Arc::new(Schema::new(schema::file_fields())))
        .with_table_partition_cols(schema::partition_fields())
        .build();
    let mut source = ParquetSource::new(columns);
    if let Some(predicate) = &predicate {
        source = source.with_predicate(Arc::clone(predicate));
    }
    let mut file_groups = Vec::with_capacity(groups.len());
    for group in groups {
        let files = group.iter().map(|it| located(root, it)).collect::<EngineResult<Vec<_>>>()?;
        file_groups.push(FileGroup::new(files));
    }
    let bucket = col("bucket", &table)?;
    let n_groups = file_groups.len();
    let mut config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), Arc::new(source))
        .with_file_groups(file_groups)
        .with_output_partitioning(Some(Partitioning::Hash(vec![Arc::clone(&bucket)], n_groups)));
    if let Some(ordering) = LexOrdering::new([PhysicalSortExpr::new_default(bucket)]) {
        config = config.with_output_ordering(vec![ordering]);
    }
    let plan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(config.build());
    match predicate {
        Some(predicate) => Ok(Arc::new(FilterExec::try_new(predicate, plan)?)),
        None => Ok(plan),
    }
}

fn located(root: &Path, file: &PinnedFile) -> EngineResult<PartitionedFile> {
    let location =
        StorePath::from_absolute_path(root.join(&file.path)).map_err(|it| DataFusionError::External(Box::new(it)))?;
    let mut located = PartitionedFile::new("", file.bytes).with_partition_values(vec![
        ScalarValue::Utf8(Some(file.class.clone())),
        ScalarValue::Utf8(file.day.clone()),
        ScalarValue::Int32(Some(file.bucket)),
    ]);
    located.object_meta.location = location;
    Ok(located)
}

impl Window {
    /// Whether a file can hold events of it. Files of no day hold events of any.
    pub(crate) fn may_hold(&self, file: &PinnedFile) -> bool {
        let Some(day) = file.day.as_deref() else { return true };
        let since = self.since.is_none_or(|it| clamp(it.day()).as_str() <= day);
        since && self.until.is_none_or(|it| day <= clamp(it.day()).as_str())
    }

    fn predicate(&self, table: &Schema) -> EngineResult<Option<Arc<dyn PhysicalExpr>>> {
        let bound = |at: i64| lit(ScalarValue::TimestampMicrosecond(Some(at), Some("UTC".into())));
        let compare = |operator: Operator, at: i64| -> EngineResult<Arc<dyn PhysicalExpr>> {
            Ok(Arc::new(BinaryExpr::new(col("time", table)?, operator, bound(at))))
        };
        let since = self.since.map(|it| compare(Operator::GtEq, it.0)).transpose()?;
        let until = self.until.map(|it| compare(Operator::Lt, it.0)).transpose()?;
        Ok(match (since, until) {
            (Some(since), Some(until)) => Some(Arc::new(BinaryExpr::new(since, Operator::And, until))),
            (since, until) => since.or(until),
        })
    }
}

/// Folders' days have years of four digits; times that do not lie before or behind them all.
fn clamp(day: String) -> String {
    match day.len() {
        10 if !day.starts_with('-') => day,
        _ if day.starts_with('-') => String::new(),
        _ => "9999-12-31".to_owned(),
    }
}
