//! The lake's columns: OCSF, flattened, snake_case; one row per event, and a few that say what was ingested.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use ringleader_model::{EventClass, Field as EventField};

/// Partition columns come last: that is where a scan of files puts them.
pub(crate) const PARTITIONS: [&str; 3] = ["class", "day", "bucket"];
/// Columns without which it is no lake of ours.
pub(crate) const KEYS: [&str; 6] = ["event_id", "source", "time", "class", "day", "bucket"];

/// `class` of rows that say what was ingested, one per file that was delivered.
pub(crate) const INGESTED: &str = "ingested_source";
/// `class` of rows that hold rejected records.
pub(crate) const DEAD_LETTER: &str = "dead_letter";
/// `bucket` of both.
pub(crate) const NO_BUCKET: i32 = -1;

pub(crate) fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// What stands in the files.
pub(crate) fn file_fields() -> Vec<FieldRef> {
    let column = |name: &str, of: DataType, nullable: bool| Arc::new(Field::new(name, of, nullable));
    let mut fields = vec![
        column("event_id", DataType::Utf8, false),
        column("source_event_id", DataType::Utf8, true),
        column("source", DataType::Utf8, false),
        column("source_format", DataType::Utf8, true),
        column("offset", DataType::Int64, true),
        column("length", DataType::Int64, true),
        column("tenant", DataType::Utf8, true),
        column("host_uid", DataType::Utf8, true),
        column("sensor_role", DataType::Utf8, true),
        column("activity", DataType::Utf8, true),
        column("time", time_type(), true),
        column("utc_offset_minutes", DataType::Int32, true),
        column("process_pid", DataType::Int64, true),
        column("parent_pid", DataType::Int64, true),
    ];
    fields.extend(EventField::ALL.iter().map(|it| column(it.name(), DataType::Utf8, true)));
    fields.push(column("ingest", DataType::Utf8, true));
    fields
}

pub(crate) fn partition_fields() -> Vec<FieldRef> {
    vec![
        Arc::new(Field::new("class", DataType::Utf8, false)),
        // Null: the time is unknown, or too far off for a folder of its own.
        Arc::new(Field::new("day", DataType::Utf8, true)),
        Arc::new(Field::new("bucket", DataType::Int32, false)),
    ]
}

pub(crate) fn table() -> SchemaRef {
    let mut fields = file_fields();
    fields.extend(partition_fields());
    Arc::new(Schema::new(fields))
}

/// The statements that make the views, over the columns that the table has.
pub(crate) fn views(have: &Schema) -> Vec<String> {
    let columns: Vec<String> = table()
        .fields()
        .iter()
        .filter(|it| it.name() != "ingest" && have.field_with_name(it.name()).is_ok())
        .map(|it| format!("\"{}\"", it.name()))
        .collect();
    let columns = columns.join(", ");
    let classes: Vec<String> = EventClass::ALL.iter().map(|it| format!("'{}'", it.name())).collect();
    let mut views =
        vec![format!("CREATE VIEW events AS SELECT {columns} FROM lake WHERE class IN ({})", classes.join(", "))];
    for class in EventClass::ALL {
        let class = class.name();
        views.push(format!("CREATE VIEW {class} AS SELECT {columns} FROM lake WHERE class = '{class}'"));
    }
    views.push(format!(
        "CREATE VIEW ingested_sources AS SELECT source, ingest AS summary FROM lake WHERE class = '{INGESTED}'"
    ));
    views.push(format!(
        "CREATE VIEW dead_letters AS SELECT source, source_format, \"offset\", length, ingest AS letter \
         FROM lake WHERE class = '{DEAD_LETTER}'"
    ));
    views
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_partitions_last() {
        let table = table();
        let names: std::collections::BTreeSet<&str> = table.fields().iter().map(|it| it.name().as_str()).collect();
        assert_eq!(names.len(), table.fields().len());
        let last: Vec<&str> = table.fields()[table.fields().len() - 3..].iter().map(|it| it.name().as_str()).collect();
        assert_eq!(last, PARTITIONS);
    }
}
