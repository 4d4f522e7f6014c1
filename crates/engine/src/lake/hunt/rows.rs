//! record batches → cells of plain kinds, so that who shows them need not know Arrow.

use std::borrow::Cow;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{
    DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Schema, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::arrow::util::display::array_value_to_string;
use ringleader_model::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// As SQL calls it, for people.
    pub kind: String,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Time(Timestamp),
    Text(Cow<'a, str>),
}

pub(super) fn columns(schema: &Schema) -> Vec<Column> {
    let kind = |it: &DataType| match it {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => "text".to_owned(),
        DataType::Timestamp(..) => "time".to_owned(),
        it if it.is_integer() => "integer".to_owned(),
        it => it.to_string().to_lowercase(),
    };
    schema.fields().iter().map(|it| Column { name: it.name().clone(), kind: kind(it.data_type()) }).collect()
}

/// Hands on the first `n` rows.
pub(super) fn each(
    batch: &RecordBatch,
    n: usize,
    take: &mut dyn FnMut(&[Cell<'_>]) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut cells = Vec::with_capacity(batch.num_columns());
    for at in 0..n {
        cells.clear();
        cells.extend(batch.columns().iter().map(|it| cell(it, at)));
        take(&cells)?;
    }
    Ok(())
}

fn cell(column: &dyn Array, at: usize) -> Cell<'_> {
    if column.is_null(at) {
        return Cell::Null;
    }
    macro_rules! number {
        ($kind:ty, $as:ident) => {
            Cell::$as(column.as_primitive::<$kind>().value(at).into())
        };
    }
    match column.data_type() {
        DataType::Boolean => Cell::Bool(column.as_boolean().value(at)),
        DataType::Int8 => number!(Int8Type, Int),
        DataType::Int16 => number!(Int16Type, Int),
        DataType::Int32 => number!(Int32Type, Int),
        DataType::Int64 => number!(Int64Type, Int),
        DataType::UInt8 => number!(UInt8Type, UInt),
        DataType::UInt16 => number!(UInt16Type, UInt),
        DataType::UInt32 => number!(UInt32Type, UInt),
        DataType::UInt64 => number!(UInt64Type, UInt),
        DataType::Float32 => number!(Float32Type, Float),
        DataType::Float64 => number!(Float64Type, Float),
        DataType::Utf8 => Cell::Text(column.as_string::<i32>().value(at).into()),
        DataType::LargeUtf8 => Cell::Text(column.as_string::<i64>().value(at).into()),
        DataType::Utf8View => Cell::Text(column.as_string_view().value(at).into()),
        DataType::Timestamp(unit, _) => Cell::Time(Timestamp(match unit {
            TimeUnit::Second => column.as_primitive::<TimestampSecondType>().value(at).saturating_mul(1_000_000),
            TimeUnit::Millisecond => column.as_primitive::<TimestampMillisecondType>().value(at).saturating_mul(1000),
            TimeUnit::Microsecond => column.as_primitive::<TimestampMicrosecondType>().value(at),
            TimeUnit::Nanosecond => column.as_primitive::<TimestampNanosecondType>().value(at).div_euclid(1000),
        })),
        // Lists, structs, durations, what SQL can make: as text.
        _ => Cell::Text(array_value_to_string(column, at).unwrap_or_else(|_| "?".to_owned()).into()),
    }
}
