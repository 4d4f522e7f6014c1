//! rows of whole host buckets → one partial sketch per bucket, as an operator of the engine.
//!
//! What makes the sketch is a function that the operator knows by name and by the bytes of its configuration, so
//! that the plan can be encoded here and run elsewhere.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BinaryArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, exec_datafusion_err, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{
    EquivalenceProperties, LexRequirement, OrderingRequirements, Partitioning, PhysicalExpr, PhysicalSortRequirement,
};
use datafusion::physical_plan::execution_plan::{
    Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, ExecutionPlanProperties, InputDistributionRequirements,
    PlanProperties,
};
use futures::{StreamExt, stream};
use ringleader_pipeline::collect::rows::Bucket;

use super::rows::{SourceTable, bucket_numbers, read};

/// What is made of one bucket's events.
pub trait SketchFn: Send + Sync {
    /// The name under which `SketchFns` makes it again.
    fn name(&self) -> &str;
    /// What `SketchFns` makes it from.
    fn config(&self) -> Vec<u8>;
    /// The bytes of a `Sketch`.
    fn sketch(&self, bucket: usize, events: Bucket) -> std::result::Result<Vec<u8>, String>;
}

/// Makes a function from the bytes of its configuration.
pub type MakeSketchFn = fn(&[u8]) -> std::result::Result<Arc<dyn SketchFn>, String>;

/// The functions that a process can run, by name.
#[derive(Clone, Default)]
pub struct SketchFns(BTreeMap<String, MakeSketchFn>);

impl SketchFns {
    #[must_use]
    pub fn with(mut self, name: &str, make: MakeSketchFn) -> Self {
        self.0.insert(name.to_owned(), make);
        self
    }

    pub fn make(&self, name: &str, config: &[u8]) -> std::result::Result<Arc<dyn SketchFn>, String> {
        let make = self.0.get(name).ok_or_else(|| format!("no function {name} that sketches"))?;
        make(config)
    }
}

impl fmt::Debug for SketchFns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Its child's partitions hold whole buckets, one after the other; its own hold a row per bucket.
pub struct SketchExec {
    input: Arc<dyn ExecutionPlan>,
    function: Arc<dyn SketchFn>,
    sources: Arc<SourceTable>,
    by_bucket: Arc<dyn PhysicalExpr>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl SketchExec {
    /// `input` has the columns of the lake's table.
    pub(crate) fn new(
        input: Arc<dyn ExecutionPlan>,
        function: Arc<dyn SketchFn>,
        sources: Arc<SourceTable>,
    ) -> Result<Self> {
        let by_bucket = col("bucket", &input.schema())?;
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(Self::out()),
            Partitioning::UnknownPartitioning(input.output_partitioning().partition_count()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        ));
        Ok(Self { input, function, sources, by_bucket, properties, metrics: ExecutionPlanMetricsSet::new() })
    }

    fn out() -> SchemaRef {
        Arc::new(Schema::new(vec![Field::new("sketch", DataType::Binary, false)]))
    }

    pub(crate) fn function(&self) -> &Arc<dyn SketchFn> {
        &self.function
    }
    pub(crate) fn sources(&self) -> &SourceTable {
        &self.sources
    }
}

impl fmt::Debug for SketchExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SketchExec").field("function", &self.function.name()).field("input", &self.input).finish()
    }
}

impl DisplayAs for SketchExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SketchExec: function={}", self.function.name())
    }
}

impl ExecutionPlan for SketchExec {
    fn name(&self) -> &str {
        "SketchExec"
    }
    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }
    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }
    /// A planner must not tear a bucket apart.
    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::KeyPartitioned(vec![Arc::clone(&self.by_bucket)])])
    }
    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        let by_bucket = PhysicalSortRequirement::new(Arc::clone(&self.by_bucket), None);
        vec![LexRequirement::new([by_bucket]).map(OrderingRequirements::new)]
    }
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }
    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        f(&self.by_bucket)
    }
    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(child), true) => {
                Ok(Arc::new(Self::new(child, Arc::clone(&self.function), Arc::clone(&self.sources))?))
            }
            _ => internal_err!("SketchExec has one child"),
        }
    }
    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }
    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let state = Sketching {
            input: self.input.execute(partition, context)?,
            function: Arc::clone(&self.function),
            sources: Arc::clone(&self.sources),
            open: None,
            closed: BTreeSet::new(),
            ready: VecDeque::new(),
            ended: false,
            metrics: BaselineMetrics::new(&self.metrics, partition),
        };
        let sketches = stream::try_unfold(state, |mut state| async move {
            let next = state.next().await?;
            Ok(next.map(|it| (it, state)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Self::out(), sketches)))
    }
    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// One partition at work: one bucket's events are in memory at a time.
struct Sketching {
    input: SendableRecordBatchStream,
    function: Arc<dyn SketchFn>,
    sources: Arc<SourceTable>,
    open: Option<(i32, Bucket)>,
    closed: BTreeSet<i32>,
    ready: VecDeque<RecordBatch>,
    ended: bool,
    metrics: BaselineMetrics,
}

impl Sketching {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(Some(batch));
            }
            if self.ended {
                return Ok(None);
            }
            match self.input.next().await {
                Some(batch) => self.add(&batch?)?,
                None => {
                    self.ended = true;
                    self.close()?;
                }
            }
        }
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let buckets = bucket_numbers(batch).map_err(|it| exec_datafusion_err!("{it}"))?;
        let mut start = 0;
        for run in buckets.values().chunk_by(|a, b| a == b) {
            let bucket = run[0];
            if self.open.as_ref().is_none_or(|it| it.0 != bucket) {
                self.close()?;
                // Half a host would make half a graph, silently.
                if self.closed.contains(&bucket) {
                    return internal_err!("the rows of bucket {bucket} do not come one after the other");
                }
                self.open = Some((bucket, Bucket::default()));
            }
            if let Some((_, events)) = &mut self.open {
                read(batch, start..start + run.len(), &self.sources, events)
                    .map_err(|it| exec_datafusion_err!("{it}"))?;
            }
            start += run.len();
        }
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        let Some((bucket, events)) = self.open.take() else { return Ok(()) };
        self.closed.insert(bucket);
        let number = usize::try_from(bucket).map_err(|_| exec_datafusion_err!("no bucket {bucket}"))?;
        let timer = self.metrics.elapsed_compute().timer();
        let bytes = self.function.sketch(number, events).map_err(|it| exec_datafusion_err!("bucket {bucket}: {it}"))?;
        timer.done();
        self.metrics.record_output(1);
        let column: ArrayRef = Arc::new(BinaryArray::from_vec(vec![&bytes]));
        self.ready.push_back(RecordBatch::try_new(SketchExec::out(), vec![column])?);
        Ok(())
    }
}
