//! partial sketches → their merge, as an aggregate of the engine: the law, in any split and order.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};
use datafusion::physical_expr::aggregate::AggregateExprBuilder;
use datafusion::physical_expr::expressions::col;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use ringleader_pipeline::merge::sketch::Sketch;

pub(crate) const NAME: &str = "sketch_merge";

/// `sketch_merge(Binary) -> Binary`. Nulls are passed over; of nothing it is the empty sketch.
pub fn sketch_merge() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(SketchMerge {
        signature: Signature::exact(vec![DataType::Binary], Volatility::Immutable),
    }))
}

/// Merges the one column of `parts`, in each partition and then over all.
pub(crate) fn merge_all(parts: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = parts.schema();
    let merge = AggregateExprBuilder::new(sketch_merge(), vec![col("sketch", &schema)?])
        .schema(Arc::clone(&schema))
        .alias("sketch")
        .build()?;
    let merge = vec![Arc::new(merge)];
    let group = PhysicalGroupBy::new_single(Vec::new());
    let partial = AggregateExec::try_new(
        AggregateMode::Partial,
        group.clone(),
        merge.clone(),
        vec![None],
        parts,
        Arc::clone(&schema),
    )?;
    let all = Arc::new(CoalescePartitionsExec::new(Arc::new(partial)));
    Ok(Arc::new(AggregateExec::try_new(AggregateMode::Final, group.as_final(), merge, vec![None], all, schema)?))
}

/// The merge of every sketch in the batches' first columns.
pub(crate) fn fold(batches: &[RecordBatch]) -> Result<Sketch> {
    let mut merge = Merge::default();
    for batch in batches {
        merge.add(batch.column(0))?;
    }
    Ok(merge.sketch)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct SketchMerge {
    signature: Signature,
}

impl AggregateUDFImpl for SketchMerge {
    fn name(&self) -> &str {
        NAME
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Binary)
    }
    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Merge::default()))
    }
    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format!("{}[sketch]", arguments.name), DataType::Binary, true))])
    }
}

#[derive(Debug, Default)]
struct Merge {
    sketch: Sketch,
    /// Encoded bytes that went in: what the sketch takes, up to a factor.
    bytes: usize,
}

impl Merge {
    fn add(&mut self, parts: &ArrayRef) -> Result<()> {
        let parts = parts.as_binary_opt::<i32>().ok_or_else(|| exec_datafusion_err!("a sketch is Binary"))?;
        for part in parts.iter().flatten() {
            let part_sketch = Sketch::from_bytes(part).map_err(|it| exec_datafusion_err!("damaged sketch: {it}"))?;
            self.bytes += part.len();
            self.sketch = std::mem::take(&mut self.sketch).merge(part_sketch);
        }
        Ok(())
    }
}

impl Accumulator for Merge {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        values.first().map_or(Ok(()), |it| self.add(it))
    }
    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }
    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Binary(Some(self.sketch.to_bytes())))
    }
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }
    fn size(&self) -> usize {
        size_of_val(self) + self.bytes
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::BinaryArray;

    use super::*;

    #[test]
    fn nulls_are_passed_over_and_damage_is_told() {
        let mut sketch = Sketch::default();
        sketch.counts.events = 3;
        let bytes = sketch.to_bytes();
        let mut merge = Merge::default();
        let parts: ArrayRef = Arc::new(BinaryArray::from_opt_vec(vec![Some(&bytes), None, Some(&bytes)]));
        merge.update_batch(&[parts]).unwrap();
        assert_eq!(merge.sketch.counts.events, 6);
        let damaged: ArrayRef = Arc::new(BinaryArray::from_vec(vec![&bytes[..bytes.len() - 1]]));
        assert!(merge.merge_batch(&[damaged]).unwrap_err().to_string().contains("damaged sketch"));
    }
}
