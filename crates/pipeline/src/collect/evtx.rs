//! Windows' own event log files → events. Chunk by chunk, so that a damaged one costs itself alone.
//!
//! Deliberately absent: message texts (they live in DLLs on the machine), carving of deleted records.

use std::sync::Arc;

use ::evtx::err::EvtxError;
use ::evtx::{EvtxChunkData, ParserSettings};
use ringleader_model::Malformed;
use ringleader_model::time::TimeDefaults;
use serde_json::Value;

use super::{Format, Framing, Reader, Record, Sink, SourceContext, windows_events, windows_json};

const HEADER: usize = 4096;
const CHUNK: usize = 64 << 10;
const RECORD_HEADER: u64 = 24;

pub struct Evtx;

impl Format for Evtx {
    fn name(&self) -> &'static str {
        "evtx"
    }
    fn summary(&self) -> &'static str {
        "Windows event log files (.evtx): Sysmon, Security, System, PowerShell, TaskScheduler"
    }
    fn framing(&self) -> Framing {
        Framing::Whole
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        head.starts_with(b"ElfFile\0")
    }
    fn reader(&self, context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(File { times: context.times, settings: Arc::new(ParserSettings::default()) })
    }
}

struct File {
    times: TimeDefaults,
    settings: Arc<ParserSettings>,
}

impl Reader for File {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let chunks = record.bytes.get(HEADER..).filter(|it| !it.is_empty());
        let chunks = chunks.ok_or(Malformed::new("evtx file ends within its header"))?;
        for (bytes, number) in chunks.chunks(CHUNK).zip(0u64..) {
            // Windows allocates chunks ahead of their use.
            if bytes.iter().any(|b| *b != 0) {
                let offset = record.offset + HEADER as u64 + number * CHUNK as u64;
                self.chunk(bytes, offset, sink);
            }
        }
        Ok(())
    }
}

impl File {
    fn chunk(&self, bytes: &[u8], offset: u64, sink: &mut dyn Sink) {
        let mut padded = bytes.to_vec();
        padded.resize(CHUNK, 0);
        let Ok(mut chunk) = EvtxChunkData::new(padded, false) else {
            return sink.reject_at(offset, bytes, Malformed::new("evtx chunk with a damaged header"));
        };
        let Ok(mut chunk) = chunk.parse(Arc::clone(&self.settings)) else {
            return sink.reject_at(offset, bytes, Malformed::new("evtx chunk with damaged tables"));
        };
        let mut last = 0;
        for record in chunk.iter() {
            match record {
                Ok(record) => {
                    let (at, size) = (record.binxml_offset, record.binxml_size);
                    let place = offset + at.saturating_sub(RECORD_HEADER);
                    let length = size.saturating_add(28);
                    last = at + u64::from(size);
                    let raw = slice(bytes, at, size);
                    if let Err(why) = self.record(record, place, length, sink) {
                        sink.reject_at(place, raw, why);
                    }
                }
                Err(EvtxError::FailedToReadRecordAt { offset: at, .. }) => {
                    sink.reject_at(offset + at, slice(bytes, at, 4096), Malformed::new("damaged evtx record"));
                }
                Err(_) => sink.reject_at(
                    offset + last,
                    slice(bytes, last, 4096),
                    Malformed::new("evtx record that cannot be decoded"),
                ),
            }
        }
        if bytes.len() < CHUNK {
            let rest = slice(bytes, last, u32::MAX);
            sink.reject_at(offset + last, rest, Malformed::new("evtx file ends in the middle of a chunk"));
        }
    }

    fn record(
        &self,
        record: ::evtx::EvtxRecord<'_>,
        place: u64,
        length: u32,
        sink: &mut dyn Sink,
    ) -> Result<(), Malformed> {
        let json = record.into_json_bytes().map_err(|_| Malformed::new("evtx record that cannot be decoded"))?.data;
        let value: Value =
            serde_json::from_slice(&json).map_err(|_| Malformed::new("evtx record that cannot be decoded"))?;
        let event = value.get("Event").ok_or(Malformed::new("evtx record without an event"))?;
        let event = windows_json::xml_shaped(event, &self.times)?;
        if let Some(event) = windows_events::read(&event, &self.times)? {
            sink.emit_at(&event, place, length, &json);
        }
        Ok(())
    }
}

fn slice(bytes: &[u8], at: u64, length: u32) -> &[u8] {
    let start = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    let end = start.saturating_add(length as usize).min(bytes.len());
    &bytes[start..end]
}
