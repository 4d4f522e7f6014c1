//! JSON object → events: what the formats of JSON records share, so that each is a test and a mapping.
//!
//! Deliberately absent: field names of any product.

use ringleader_model::{Event, Malformed};
use serde_json::Value;

use super::{Format, Framing, Reader, Record, Sink, SourceContext};

/// A log format whose records are JSON objects: a line each, pretty-printed, in an array, or inside the
/// `_source` of an Elasticsearch export.
pub struct JsonFormat {
    pub name: &'static str,
    pub summary: &'static str,
    /// What stands in every record: heads without it are not parsed.
    pub mark: &'static str,
    /// Whether one object is a record of the format.
    pub recognizes: fn(&Value) -> bool,
    /// Reads one object.
    pub read: fn(&Value, &SourceContext, &mut Out<'_>) -> Result<(), Malformed>,
}

impl Format for JsonFormat {
    fn name(&self) -> &'static str {
        self.name
    }
    fn summary(&self) -> &'static str {
        self.summary
    }
    fn framing(&self) -> Framing {
        Framing::Json
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        memchr::memmem::find(head, self.mark.as_bytes()).is_some()
            && super::json::first_object(head).is_some_and(|it| (self.recognizes)(source(&it)))
    }
    fn reader(&self, context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Objects { context: context.clone(), read: self.read })
    }
}

struct Objects {
    context: SourceContext,
    read: fn(&Value, &SourceContext, &mut Out<'_>) -> Result<(), Malformed>,
}

impl Reader for Objects {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let object = super::json::object(record.bytes)?;
        (self.read)(source(&object), &self.context, &mut Out::new(record, sink))
    }
}

/// The record itself, where an export wrapped it.
fn source(value: &Value) -> &Value {
    value.get("_source").filter(|it| it.is_object()).unwrap_or(value)
}

/// Takes the events of one record. The first is the record's own; the id of each further one is derived from
/// the record and its ordinal, so that two events of one record are two events.
pub struct Out<'a> {
    record: &'a Record<'a>,
    sink: &'a mut dyn Sink,
    count: u32,
}

impl<'a> Out<'a> {
    pub fn new(record: &'a Record<'a>, sink: &'a mut dyn Sink) -> Self {
        Self { record, sink, count: 0 }
    }

    pub fn emit(&mut self, event: &Event<'_>) {
        if self.count == 0 {
            self.sink.emit(event);
        } else {
            let content = [self.record.bytes, b"\0", self.count.to_string().as_bytes()].concat();
            self.emit_part(event, &content);
        }
        self.count = self.count.saturating_add(1);
    }

    /// An event made from a part of the record that could have been a record of its own.
    pub fn emit_part(&mut self, event: &Event<'_>, content: &[u8]) {
        let length = u32::try_from(self.record.bytes.len()).unwrap_or(u32::MAX);
        self.sink.emit_at(event, self.record.offset, length, content);
    }

    /// Sets the record aside for a reason, where parts of it were read.
    pub fn reject(&mut self, why: Malformed) {
        self.sink.reject_at(self.record.offset, self.record.bytes, why);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ringleader_model::{Activity, EventClass};

    use super::*;

    #[derive(Default)]
    struct Contents(BTreeSet<Vec<u8>>);

    impl Sink for Contents {
        fn emit(&mut self, _event: &Event<'_>) {
            self.0.insert(b"the record".to_vec());
        }
        fn emit_at(&mut self, _event: &Event<'_>, _offset: u64, _length: u32, content: &[u8]) {
            self.0.insert(content.to_vec());
        }
        fn reject_at(&mut self, _offset: u64, _bytes: &[u8], _why: Malformed) {}
    }

    #[test]
    fn events_of_one_record_have_contents_of_their_own() {
        let mut sink = Contents::default();
        let record = Record { bytes: b"the record", offset: 7 };
        let mut out = Out::new(&record, &mut sink);
        for _ in 0..3 {
            out.emit(&Event::new(EventClass::Network, Activity::Open));
        }
        assert_eq!(sink.0.len(), 3);
    }

    #[test]
    fn an_export_is_unwrapped() {
        let wrapped: Value = serde_json::from_str(r#"{"_index":"logs","_source":{"a":1}}"#).unwrap();
        assert_eq!(source(&wrapped), &serde_json::json!({"a": 1}));
        let text: Value = serde_json::from_str(r#"{"_source":"a"}"#).unwrap();
        assert_eq!(source(&text), &text);
    }
}
