//! Rows and a list of columns → Parquet, a row group at a time. Deliberately absent: Arrow, nesting, and any order but the
//! caller's.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use ringleader_model::Timestamp;
use ringleader_model::findings::Permille;

/// Rows of one row group: bounds what waits and is encoded in memory at a time.
const GROUP: usize = 1 << 17;
/// Values given to a column at a time.
const BATCH: usize = 1 << 13;

pub(crate) struct Column<R> {
    pub(crate) name: &'static str,
    /// Whether no row may be without it.
    pub(crate) required: bool,
    pub(crate) get: Get<R>,
}

/// How a value is taken from a row, and so its type.
pub(crate) enum Get<R> {
    /// UTF-8.
    Text(fn(&R) -> Option<Cow<'_, str>>),
    /// INT64.
    Int(fn(&R) -> Option<u64>),
    /// DOUBLE, 0 to 1 in thousandths.
    Share(fn(&R) -> Option<Permille>),
    /// INT64, TIMESTAMP_MICROS, UTC.
    Time(fn(&R) -> Option<Timestamp>),
}

/// A table while its rows come.
pub(crate) struct Table<R, W: Write + Send> {
    columns: Vec<Column<R>>,
    /// Fewer than a row group.
    waiting: Vec<R>,
    file: State<W>,
    /// In debug builds: whether the second may follow the first.
    sorted: fn(&R, &R) -> bool,
}

/// Nothing is written before a row group is full.
enum State<W: Write + Send> {
    Unopened(W),
    Open(SerializedFileWriter<W>),
    Failed,
}

impl<R, W: Write + Send> Table<R, W> {
    pub(crate) fn new(columns: Vec<Column<R>>, sorted: fn(&R, &R) -> bool, out: W) -> Self {
        Self { columns, waiting: Vec::new(), file: State::Unopened(out), sorted }
    }

    /// The rows come sorted.
    pub(crate) fn push(&mut self, rows: Vec<R>) -> io::Result<()> {
        debug_assert!(
            self.waiting.last().into_iter().chain(&rows).is_sorted_by(|a, b| (self.sorted)(a, b)),
            "rows of a table come sorted"
        );
        self.waiting.extend(rows);
        while self.waiting.len() >= GROUP {
            let later = self.waiting.split_off(GROUP);
            let group = std::mem::replace(&mut self.waiting, later);
            self.write(&group).map_err(io::Error::other)?;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> io::Result<W> {
        let last = std::mem::take(&mut self.waiting);
        if !last.is_empty() {
            self.write(&last).map_err(io::Error::other)?;
        }
        self.open().and_then(SerializedFileWriter::into_inner).map_err(io::Error::other)
    }

    fn open(&mut self) -> Result<SerializedFileWriter<W>, ParquetError> {
        match std::mem::replace(&mut self.file, State::Failed) {
            State::Open(file) => Ok(file),
            State::Failed => Err(ParquetError::General("its writing failed before".to_owned())),
            State::Unopened(out) => {
                let properties = WriterProperties::builder()
                    .set_created_by("ringleader".to_owned())
                    .set_writer_version(WriterVersion::PARQUET_1_0)
                    .set_compression(Compression::SNAPPY)
                    .build();
                SerializedFileWriter::new(out, Arc::new(schema(&self.columns)?), Arc::new(properties))
            }
        }
    }

    fn write(&mut self, group: &[R]) -> Result<(), ParquetError> {
        let mut file = self.open()?;
        let mut writer = file.next_row_group()?;
        for column in &self.columns {
            let mut chunk = writer.next_column()?.expect("the schema has one column for each");
            for batch in group.chunks(BATCH) {
                write_batch(chunk.untyped(), column, batch)?;
            }
            chunk.close()?;
        }
        writer.close()?;
        self.file = State::Open(file);
        Ok(())
    }
}

fn schema<R>(columns: &[Column<R>]) -> Result<Type, ParquetError> {
    let fields = columns.iter().map(|column| {
        let (physical, logical) = match column.get {
            Get::Text(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Get::Int(_) => (Physical::INT64, None),
            Get::Share(_) => (Physical::DOUBLE, None),
            Get::Time(_) => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
        };
        let repetition = if column.required { Repetition::REQUIRED } else { Repetition::OPTIONAL };
        let field = Type::primitive_type_builder(column.name, physical);
        field.with_logical_type(logical).with_repetition(repetition).build().map(Arc::new)
    });
    Type::group_type_builder("row").with_fields(fields.collect::<Result<_, _>>()?).build()
}

fn write_batch<R>(writer: &mut ColumnWriter<'_>, column: &Column<R>, rows: &[R]) -> Result<(), ParquetError> {
    let mut levels = Vec::with_capacity(rows.len());
    let mut level = |there: bool| {
        if column.required && !there {
            return Err(ParquetError::General(format!("a row without {}", column.name)));
        }
        levels.push(i16::from(there));
        Ok(())
    };
    macro_rules! take {
        ($writer:ident, $get:ident, $convert:expr) => {{
            let mut values = Vec::with_capacity(rows.len());
            for row in rows {
                let value = $get(row);
                level(value.is_some())?;
                values.extend(value.map($convert));
            }
            $writer.write_batch(&values, (!column.required).then_some(&levels[..]), None)?;
        }};
    }
    match (&column.get, writer) {
        (Get::Text(get), ColumnWriter::ByteArrayColumnWriter(writer)) => {
            // Neighbours repeat each other (host, episode, gang): they share one buffer.
            let mut last = ByteArray::from("");
            take!(writer, get, |text: Cow<'_, str>| {
                if last.data() != text.as_bytes() {
                    last = ByteArray::from(text.as_ref());
                }
                last.clone()
            });
        }
        (Get::Int(get), ColumnWriter::Int64ColumnWriter(writer)) => {
            take!(writer, get, |n: u64| i64::try_from(n).unwrap_or(i64::MAX));
        }
        (Get::Share(get), ColumnWriter::DoubleColumnWriter(writer)) => take!(writer, get, Permille::to_f64),
        (Get::Time(get), ColumnWriter::Int64ColumnWriter(writer)) => take!(writer, get, |time: Timestamp| time.0),
        _ => return Err(ParquetError::General(format!("{} is not of its column's type", column.name))),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    type Row = (&'static str, Option<u64>);

    fn columns() -> Vec<Column<Row>> {
        vec![
            Column { name: "name", required: true, get: Get::Text(|row| Some(row.0.into())) },
            Column { name: "n", required: false, get: Get::Int(|row| row.1) },
            Column { name: "time", required: false, get: Get::Time(|row| row.1.map(|_| Timestamp(7))) },
            Column { name: "share", required: true, get: Get::Share(|_| Some(Permille::new(873))) },
        ]
    }

    fn bytes(rows: &[Row]) -> Vec<u8> {
        bytes_by(rows, rows.len().max(1))
    }

    fn bytes_by(rows: &[Row], batch: usize) -> Vec<u8> {
        let mut table = Table::new(columns(), |a, b| a <= b, Vec::new());
        for batch in rows.chunks(batch) {
            table.push(batch.to_vec()).unwrap();
        }
        table.finish().unwrap()
    }

    #[test]
    fn however_the_rows_come_the_bytes_are_the_same() {
        let rows: Vec<Row> = (0..2 * GROUP as u64).map(|n| ("a", Some(n))).collect();
        let expect = bytes(&rows);
        for batch in [1000, GROUP - 1, GROUP, GROUP + 1] {
            assert!(bytes_by(&rows, batch) == expect, "{batch}");
        }
        let reader = SerializedFileReader::new(bytes::Bytes::from(expect)).unwrap();
        assert_eq!(reader.num_row_groups(), 2, "an empty group is not written");
    }

    #[test]
    fn what_is_written_is_read_back_across_groups_and_batches() {
        let rows: Vec<Row> = (0..GROUP as u64 + BATCH as u64 + 3).map(|n| ("a", (n % 3 > 0).then_some(n))).collect();
        let mut sorted = rows.clone();
        sorted.sort();
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes(&sorted))).unwrap();
        assert_eq!(reader.num_row_groups(), 2);
        let read = reader.get_row_iter(None).unwrap().map(|row| {
            let row = row.unwrap();
            let fields: Vec<_> = row.get_column_iter().map(|(_, field)| field.clone()).collect();
            assert_eq!((&fields[0], &fields[3]), (&Field::Str("a".into()), &Field::Double(0.873)));
            match fields[1] {
                Field::Long(n) => {
                    assert_eq!(fields[2], Field::TimestampMicros(7));
                    Some(n as u64)
                }
                _ => None,
            }
        });
        assert!(read.eq(sorted.iter().map(|row| row.1)));
    }

    #[test]
    fn an_empty_table_has_its_columns_and_bytes_repeat() {
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes(&[]))).unwrap();
        assert_eq!(reader.metadata().file_metadata().schema_descr().num_columns(), 4);
        assert_eq!(bytes(&[("a", None), ("b", Some(1))]), bytes(&[("a", None), ("b", Some(1))]));
    }

    #[test]
    #[should_panic(expected = "sorted")]
    #[cfg(debug_assertions)]
    fn unsorted_rows_are_a_mistake() {
        bytes_by(&[("b", None), ("a", None)], 1);
    }
}
