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
const CHUNK_HEADER: u64 = 512;
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
        let mut last = CHUNK_HEADER.min(bytes.len() as u64);
        for record in chunk.iter() {
            match record {
                Ok(record) => {
                    let (at, size) = (record.binxml_offset, record.binxml_size);
                    let place = offset + at.saturating_sub(RECORD_HEADER);
                    let length = size.saturating_add(28);
                    let end = at + u64::from(size) + 4;
                    if end > bytes.len() as u64 {
                        break;
                    }
                    last = end;
                    let raw = slice(bytes, at, size);
                    if let Err(why) = self.record(record, place, length, sink) {
                        sink.reject_at(place, raw, why);
                    }
                }
                Err(EvtxError::FailedToReadRecordAt { offset: at, .. }) => {
                    sink.reject_at(offset + at, slice(bytes, at, 4096), Malformed::new("damaged evtx record"));
                }
                Err(EvtxError::FailedToParseRecord { record_id, .. }) => {
                    let at = find(bytes, record_id).unwrap_or(last);
                    if at + u64::from(length(bytes, at)) > bytes.len() as u64 {
                        continue; // The file was cut within it: told below.
                    }
                    let why = Malformed::new("evtx record that cannot be decoded");
                    sink.reject_at(offset + at, slice(bytes, at, 4096), why);
                }
                Err(_) => {
                    let why = Malformed::new("damaged evtx record");
                    sink.reject_at(offset + last, slice(bytes, last, 4096), why);
                }
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

/// What the header of the record says of its length.
fn length(chunk: &[u8], at: u64) -> u32 {
    slice(chunk, at + 4, 4).try_into().map_or(0, u32::from_le_bytes)
}

/// Where the record with this id starts in the chunk.
fn find(chunk: &[u8], id: u64) -> Option<u64> {
    memchr::memmem::find_iter(chunk, b"**\0\0")
        .find(|at| chunk.get(at + 8..at + 16) == Some(&id.to_le_bytes()[..]))
        .map(|at| at as u64)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{read_all, samples};
    use super::*;

    const SAMPLE: &[u8] = include_bytes!("../../../../fixtures/collect/evtx/two_chunks.in");

    fn check(input: &[u8], expect: &[&str]) {
        let got = read_all(&Evtx, input);
        let short = |line: &'_ String| match line.split(' ').find(|word| word.starts_with("id=")) {
            Some(id) if !line.starts_with("REJECTED") => id.to_owned(),
            _ => line.clone(),
        };
        let ids: Vec<String> = got.iter().map(short).collect();
        assert_eq!(ids, expect);
    }

    #[test]
    fn a_file_cut_anywhere_gives_what_stands_before_the_cut() {
        check(&SAMPLE[..100], &["REJECTED at 0: evtx file ends within its header"]);
        check(&SAMPLE[..4096 + 3100], &["id=1", "REJECTED at 6280: evtx file ends in the middle of a chunk"]);
        check(
            &SAMPLE[..4096 + 65536 + 520],
            &["id=1", "id=2", "id=3", "REJECTED at 70144: evtx file ends in the middle of a chunk"],
        );
        check(
            &SAMPLE[..4096 + 65536 + 20],
            &["id=1", "id=2", "id=3", "REJECTED at 69652: evtx file ends in the middle of a chunk"],
        );
    }

    #[test]
    fn a_damaged_record_costs_itself_alone() {
        let mut damaged = SAMPLE.to_vec();
        let second = 4096 + find(&SAMPLE[4096..], 2).unwrap() as usize;
        damaged[second + 24..second + 40].fill(0xff);
        let place = format!("REJECTED at {second}: evtx record that cannot be decoded");
        let end = "REJECTED at 71896: missing or invalid field `NewProcessId`";
        check(&damaged, &["id=1", &place, "id=3", "id=4", end]);
        let mut damaged = SAMPLE.to_vec();
        damaged[4096] = b'X';
        check(&damaged, &["REJECTED at 4096: evtx chunk with a damaged header", "id=4", end]);
    }

    /// Flips bytes of a file all over; the seed is fixed.
    fn shake(input: &[u8], rounds: u64) {
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        for _ in 0..rounds {
            let mut bytes = input.to_vec();
            for _ in 0..=next(8) {
                // The first chunk's tables and records: elsewhere lie mostly zeros.
                let at = HEADER + next(12_000.min(bytes.len() - HEADER));
                bytes[at] = u8::try_from(next(256)).unwrap();
            }
            let _ = read_all(&Evtx, &bytes);
        }
    }

    #[test]
    fn no_damage_panics() {
        shake(SAMPLE, 400);
    }

    #[test]
    fn the_public_samples_are_read_without_a_rejection() {
        let Some(folder) = samples().map(|it| it.join("evtx_mitre")).filter(|it| it.is_dir()) else { return };
        let mut events = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|it| it == "evtx") {
                let input = std::fs::read(&path).unwrap();
                let shown = read_all(&Evtx, &input);
                assert!(shown.iter().all(|it| !it.starts_with("REJECTED")), "{}", path.display());
                events += shown.len();
                shake(&input, 20);
            }
        }
        assert!(events >= 80, "{events}");
    }
}
