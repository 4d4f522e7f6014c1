//! events of a bucket ↔ the lake's columns.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Int32Array, Int32Builder, Int64Builder, PrimitiveArray, RecordBatch, StringArray,
    StringBuilder, TimestampMicrosecondBuilder,
};
use datafusion::arrow::datatypes::{ArrowPrimitiveType, Int32Type, Int64Type, TimestampMicrosecondType};
use datafusion::arrow::error::ArrowError;
use ringleader_model::findings::SourceSummary;
use ringleader_model::{Activity, Event, EventClass, EventId, Field, SensorRole, Timestamp};
use ringleader_pipeline::collect::rows::{Bucket, Place, Row};

use super::schema;

/// Rows per batch.
pub(crate) const BATCH: usize = 8192;
/// Folders that one bucket may open in one commit; a log with a million different days must not make a million
/// files. Events beyond it lie where those without a time do.
const FOLDERS: usize = 400;

/// The days that get folders of their own, of one bucket in one commit.
#[derive(Default)]
pub(crate) struct Days(BTreeSet<(EventClass, String)>);

impl Days {
    fn folder(&mut self, class: EventClass, time: Option<Timestamp>) -> Option<String> {
        // A year of four digits: the order of days is that of their names.
        let day = time?.day();
        if day.len() != 10 || day.starts_with('-') {
            return None;
        }
        let key = (class, day);
        if !self.0.contains(&key) {
            if self.0.len() >= FOLDERS {
                return None;
            }
            self.0.insert(key.clone());
        }
        Some(key.1)
    }
}

/// The order in which rows are written: by class and time, so that the readers' statistics can skip.
pub(crate) fn order(bucket: &Bucket) -> Vec<u32> {
    let mut order: Vec<u32> = (0..bucket.rows.len() as u32).collect();
    order.sort_unstable_by_key(|it| {
        let row = &bucket.rows[*it as usize];
        (row.class, row.time, row.id, row.place)
    });
    order
}

/// Rows of a bucket as columns.
pub(crate) fn write(
    bucket: &Bucket,
    order: &[u32],
    number: usize,
    sources: &[SourceSummary],
    days: &mut Days,
) -> Result<RecordBatch, ArrowError> {
    let mut columns = Columns::default();
    for at in order {
        let row = &bucket.rows[*at as usize];
        let source = &sources[row.place.source as usize];
        columns.event(bucket, row, number as i32, source, days.folder(row.class, row.time))?;
    }
    columns.finish()
}

/// A row that says what was ingested, or holds a rejected record.
pub(crate) struct Note<'a> {
    pub class: &'static str,
    pub id: &'a str,
    pub source: &'a str,
    pub format: Option<&'a str>,
    pub place: Option<(u64, u64)>,
    pub json: &'a str,
}

pub(crate) fn write_notes<'a>(notes: impl IntoIterator<Item = Note<'a>>) -> Result<RecordBatch, ArrowError> {
    let mut columns = Columns::default();
    for note in notes {
        columns.note(&note)?;
    }
    columns.finish()
}

#[derive(Default)]
struct Texts {
    event_id: StringBuilder,
    source_event_id: StringBuilder,
    source: StringBuilder,
    source_format: StringBuilder,
    tenant: StringBuilder,
    host_uid: StringBuilder,
    sensor_role: StringBuilder,
    activity: StringBuilder,
    ingest: StringBuilder,
    class: StringBuilder,
    day: StringBuilder,
}

struct Columns {
    texts: Texts,
    offset: Int64Builder,
    length: Int64Builder,
    time: TimestampMicrosecondBuilder,
    utc_offset_minutes: Int32Builder,
    pid: Int64Builder,
    ppid: Int64Builder,
    bucket: Int32Builder,
    fields: Vec<StringBuilder>,
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            texts: Texts::default(),
            offset: Int64Builder::default(),
            length: Int64Builder::default(),
            time: TimestampMicrosecondBuilder::new().with_data_type(schema::time_type()),
            utc_offset_minutes: Int32Builder::default(),
            pid: Int64Builder::default(),
            ppid: Int64Builder::default(),
            bucket: Int32Builder::default(),
            fields: Field::ALL.iter().map(|_| StringBuilder::default()).collect(),
        }
    }
}

impl Columns {
    fn event(
        &mut self,
        bucket: &Bucket,
        row: &Row,
        number: i32,
        source: &SourceSummary,
        day: Option<String>,
    ) -> Result<(), ArrowError> {
        let offset = i64::try_from(row.place.offset)
            .map_err(|_| ArrowError::InvalidArgumentError("offset past 2^63".to_owned()))?;
        let texts = &mut self.texts;
        texts.event_id.append_value(row.id.to_string());
        texts.source_event_id.append_option(bucket.source_event_id(row));
        texts.source.append_value(&source.source);
        texts.source_format.append_option(source.format.as_deref());
        texts.tenant.append_option(Some(bucket.strings.get(row.tenant)).filter(|it| !it.is_empty()));
        texts.host_uid.append_value(bucket.strings.get(row.host));
        texts.sensor_role.append_value(row.sensor_role.name());
        texts.activity.append_value(row.activity.name());
        texts.ingest.append_null();
        texts.class.append_value(row.class.name());
        texts.day.append_option(day);
        self.offset.append_value(offset);
        self.length.append_value(i64::from(row.place.length));
        self.time.append_option(row.time.map(|it| it.0));
        self.utc_offset_minutes.append_option(row.utc_offset_minutes.map(i32::from));
        self.pid.append_option(row.pid.map(i64::from));
        self.ppid.append_option(row.ppid.map(i64::from));
        self.bucket.append_value(number);
        let mut values: [Option<&str>; 256] = [None; 256];
        for (field, sym) in bucket.fields(row) {
            values[*field as usize] = (*sym != 0).then(|| bucket.strings.get(*sym));
        }
        for (column, value) in self.fields.iter_mut().zip(values) {
            column.append_option(value);
        }
        Ok(())
    }

    fn note(&mut self, note: &Note<'_>) -> Result<(), ArrowError> {
        let texts = &mut self.texts;
        texts.event_id.append_value(note.id);
        texts.source_event_id.append_null();
        texts.source.append_value(note.source);
        texts.source_format.append_option(note.format);
        texts.tenant.append_null();
        texts.host_uid.append_null();
        texts.sensor_role.append_null();
        texts.activity.append_null();
        texts.ingest.append_value(note.json);
        texts.class.append_value(note.class);
        texts.day.append_null();
        let number = |it: u64| i64::try_from(it).unwrap_or(i64::MAX);
        self.offset.append_option(note.place.map(|it| number(it.0)));
        self.length.append_option(note.place.map(|it| number(it.1)));
        self.time.append_null();
        self.utc_offset_minutes.append_null();
        self.pid.append_null();
        self.ppid.append_null();
        self.bucket.append_value(schema::NO_BUCKET);
        for column in &mut self.fields {
            column.append_null();
        }
        Ok(())
    }

    /// In the order of `schema::table`.
    fn finish(self) -> Result<RecordBatch, ArrowError> {
        let Self {
            texts,
            mut offset,
            mut length,
            mut time,
            mut utc_offset_minutes,
            mut pid,
            mut ppid,
            mut bucket,
            fields,
        } = self;
        let text = |mut it: StringBuilder| -> ArrayRef { Arc::new(it.finish()) };
        let mut columns: Vec<ArrayRef> = vec![
            text(texts.event_id),
            text(texts.source_event_id),
            text(texts.source),
            text(texts.source_format),
            Arc::new(offset.finish()),
            Arc::new(length.finish()),
            text(texts.tenant),
            text(texts.host_uid),
            text(texts.sensor_role),
            text(texts.activity),
            Arc::new(time.finish()),
            Arc::new(utc_offset_minutes.finish()),
            Arc::new(pid.finish()),
            Arc::new(ppid.finish()),
        ];
        columns.extend(fields.into_iter().map(text));
        columns.extend([text(texts.ingest), text(texts.class), text(texts.day), Arc::new(bucket.finish())]);
        RecordBatch::try_new(schema::table(), columns)
    }
}

/// The numbers of sources: a row names its source and the format that read it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SourceTable {
    /// By number.
    pub list: Vec<(String, Option<String>)>,
    numbers: BTreeMap<String, Vec<(Option<String>, u32)>>,
}

impl SourceTable {
    pub(crate) fn new(list: Vec<(String, Option<String>)>) -> Self {
        let mut numbers: BTreeMap<String, Vec<(Option<String>, u32)>> = BTreeMap::new();
        for (number, (name, format)) in (0..).zip(&list) {
            numbers.entry(name.clone()).or_default().push((format.clone(), number));
        }
        Self { list, numbers }
    }

    fn number(&self, name: &str, format: Option<&str>) -> Option<u32> {
        self.numbers.get(name)?.iter().find(|it| it.0.as_deref() == format).map(|it| it.1)
    }
}

/// Adds rows of a batch (in the columns of `schema::table`) to a bucket. What cannot be is told.
pub(crate) fn read(
    batch: &RecordBatch,
    range: Range<usize>,
    sources: &SourceTable,
    into: &mut Bucket,
) -> Result<(), String> {
    let event_id = texts(batch, "event_id")?;
    let source_event_id = texts(batch, "source_event_id")?;
    let source = texts(batch, "source")?;
    let source_format = texts(batch, "source_format")?;
    let tenant = texts(batch, "tenant")?;
    let host_uid = texts(batch, "host_uid")?;
    let sensor_role = texts(batch, "sensor_role")?;
    let activity = texts(batch, "activity")?;
    let class = texts(batch, "class")?;
    let offset = numbers::<Int64Type>(batch, "offset")?;
    let length = numbers::<Int64Type>(batch, "length")?;
    let time = numbers::<TimestampMicrosecondType>(batch, "time")?;
    let utc_offset = numbers::<Int32Type>(batch, "utc_offset_minutes")?;
    let pid = numbers::<Int64Type>(batch, "process_pid")?;
    let ppid = numbers::<Int64Type>(batch, "parent_pid")?;
    let mut fields = Vec::new();
    for field in Field::ALL {
        // Most classes leave most columns empty.
        let column = texts(batch, field.name())?;
        if column.null_count() < column.len() {
            fields.push((*field, column));
        }
    }
    let mut known: Option<(&str, Option<&str>, u32)> = None;
    let mut event = Event::new(EventClass::Process, Activity::Other);
    for at in range {
        let class = named(class, at, EventClass::from_name)?;
        event.reset(class, named(activity, at, Activity::from_name)?);
        event.sensor_role = named(sensor_role, at, SensorRole::from_name)?;
        event.time = value(time, at).map(Timestamp);
        event.utc_offset_minutes = value(utc_offset, at).map(fit).transpose()?;
        event.pid = value(pid, at).map(fit).transpose()?;
        event.ppid = value(ppid, at).map(fit).transpose()?;
        event.tenant = text(tenant, at).map(Into::into);
        event.source_event_id = text(source_event_id, at).map(Into::into);
        for (field, column) in &fields {
            if let Some(value) = text(column, at) {
                event.put(*field, value);
            }
        }
        let id = text(event_id, at).and_then(|it| it.parse::<EventId>().ok()).ok_or("an event without an id")?;
        let name = text(source, at).ok_or("an event without a source")?;
        let format = text(source_format, at);
        let number = match known {
            Some((a, b, number)) if a == name && b == format => number,
            _ => sources.number(name, format).ok_or_else(|| format!("no summary of the source {name}"))?,
        };
        known = Some((name, format, number));
        let place = Place {
            source: number,
            length: fit(value(length, at).ok_or("an event without a length")?)?,
            offset: fit(value(offset, at).ok_or("an event without an offset")?)?,
        };
        into.push(&event, id, text(host_uid, at).ok_or("an event without a host")?, place);
    }
    Ok(())
}

/// Which bucket each row is of.
pub(crate) fn bucket_numbers(batch: &RecordBatch) -> Result<&Int32Array, String> {
    let column = numbers::<Int32Type>(batch, "bucket")?;
    if column.null_count() > 0 {
        return Err("a row without a bucket".to_owned());
    }
    Ok(column)
}

pub(crate) fn texts<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray, String> {
    let column = batch.column_by_name(name).and_then(|it| it.as_string_opt::<i32>());
    column.ok_or_else(|| format!("no text column {name}"))
}

pub(crate) fn text(column: &StringArray, at: usize) -> Option<&str> {
    column.is_valid(at).then(|| column.value(at))
}

fn numbers<'a, T: ArrowPrimitiveType>(batch: &'a RecordBatch, name: &str) -> Result<&'a PrimitiveArray<T>, String> {
    let column = batch.column_by_name(name).and_then(|it| it.as_primitive_opt::<T>());
    column.ok_or_else(|| format!("no column {name} of type {}", T::DATA_TYPE))
}

fn value<T: ArrowPrimitiveType>(column: &PrimitiveArray<T>, at: usize) -> Option<T::Native> {
    column.is_valid(at).then(|| column.value(at))
}

fn fit<A: Copy + std::fmt::Display, B: TryFrom<A>>(number: A) -> Result<B, String> {
    B::try_from(number).map_err(|_| format!("{number} is out of range"))
}

fn named<T>(column: &StringArray, at: usize, from: impl Fn(&str) -> Option<T>) -> Result<T, String> {
    let name = text(column, at).ok_or("an event without a class, activity or sensor role")?;
    from(name).ok_or_else(|| format!("unknown name {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket() -> (Bucket, Vec<SourceSummary>) {
        let mut bucket = Bucket::default();
        let mut event = Event::new(EventClass::Process, Activity::Launch);
        event.time = Some(Timestamp(1_572_855_700_272_810));
        event.utc_offset_minutes = Some(-420);
        event.pid = Some(u32::MAX);
        event.source_event_id = Some("".into());
        event.tenant = Some("t1".into());
        event.set(Field::CmdLine, "wget -O /tmp/x 192.0.2.1/x");
        bucket.push(&event, EventId(7), "web1", Place { source: 1, offset: 1 << 40, length: 200 });
        let mut event = Event::new(EventClass::Http, Activity::Request);
        event.sensor_role = SensorRole::Network;
        event.set(Field::Url, "/x");
        bucket.push(&event, EventId(u128::MAX), "web2", Place { source: 0, offset: 0, length: 0 });
        let source = |name: &str, format: Option<&str>| SourceSummary {
            source: name.into(),
            format: format.map(Into::into),
            ..SourceSummary::default()
        };
        (bucket, vec![source("a", None), source("b", Some("plain_csv"))])
    }

    #[test]
    fn what_is_written_is_read() {
        let (bucket, sources) = bucket();
        let batch = write(&bucket, &order(&bucket), 3, &sources, &mut Days::default()).unwrap();
        let table = SourceTable::new(vec![
            ("b".to_owned(), Some("other".to_owned())),
            ("b".to_owned(), Some("plain_csv".to_owned())),
            ("a".to_owned(), None),
        ]);
        let mut back = Bucket::default();
        read(&batch, 0..2, &table, &mut back).unwrap();
        let [first, second] = &back.rows[..] else { panic!("two rows") };
        assert_eq!((first.time, first.id), (Some(Timestamp(1_572_855_700_272_810)), EventId(7)));
        assert_eq!((first.pid, first.ppid, first.utc_offset_minutes), (Some(u32::MAX), None, Some(-420)));
        assert_eq!(first.place, Place { source: 1, offset: 1 << 40, length: 200 });
        assert_eq!(back.source_event_id(first), Some(""));
        assert_eq!((back.strings.get(first.host), back.strings.get(first.tenant)), ("web1", "t1"));
        assert_eq!(back.text(first, Field::CmdLine), Some("wget -O /tmp/x 192.0.2.1/x"));
        assert_eq!((second.time, second.id, second.place.source), (None, EventId(u128::MAX), 2));
        assert_eq!((second.sensor_role, back.source_event_id(second)), (SensorRole::Network, None));
        assert_eq!(back.fields(second).len(), 1);
        assert_eq!(bucket_numbers(&batch).unwrap().values(), &[3, 3]);
    }

    #[test]
    fn a_row_of_an_unknown_source_is_told() {
        let (bucket, sources) = bucket();
        let batch = write(&bucket, &[0], 3, &sources, &mut Days::default()).unwrap();
        let table = SourceTable::new(vec![("a".to_owned(), None)]);
        let error = read(&batch, 0..1, &table, &mut Bucket::default()).unwrap_err();
        assert_eq!(error, "no summary of the source b");
    }

    #[test]
    fn days_without_end_share_a_folder() {
        let mut days = Days::default();
        let at = |day: i64| Some(Timestamp::from_secs(day * 86_400));
        let own = (0..1000).filter(|it| days.folder(EventClass::Process, at(*it)).is_some()).count();
        assert_eq!(own, FOLDERS);
        assert_eq!(days.folder(EventClass::Process, at(0)).as_deref(), Some("1970-01-01"));
        assert_eq!(Days::default().folder(EventClass::Process, Some(Timestamp(i64::MAX))), None);
        assert_eq!(Days::default().folder(EventClass::Process, Some(Timestamp(i64::MIN))), None);
    }
}
