//! Linux audit records → processes, connections, files and logons. auditd's own log, raw or enriched, with or
//! without `node=` and a syslog header, and auoms' one-line variant.
//!
//! Deliberately absent: names for numeric user ids that the log itself does not give.

mod calls;
mod event;
pub(crate) mod fields;
mod user;

use std::collections::{HashMap, VecDeque};

use ringleader_model::{Malformed, Timestamp};

use self::fields::Header;
use super::{Format, Framing, Reader, Record, Sink, SourceContext};

/// Events that are held open at once: records of several events interleave where several CPUs log.
const MAX_OPEN: usize = 1024;
/// An event whose end was seen still waits for this many later ones, for records that come out of order.
const LAG: usize = 64;
/// Bytes of records held for one event: all arguments of one exec, in hex, are 4 MiB at the most.
const MAX_EVENT: usize = 4 << 20;
/// Bytes of records held for all open events.
const MAX_HELD: usize = 64 << 20;

pub struct Auditd;

impl Format for Auditd {
    fn name(&self) -> &'static str {
        "auditd"
    }
    fn summary(&self) -> &'static str {
        "Linux audit log (audit.log, audispd in syslog, auoms): exec, connect, file and logon records"
    }
    fn framing(&self) -> Framing {
        Framing::Lines { stateless: false }
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        let mut lines = head.split(|b| *b == b'\n').map(clean).filter(|it| !it.is_empty()).take(20).peekable();
        let some = lines.peek().is_some();
        let (yes, no) = lines.fold((0, 0), |(yes, no), line| {
            let line = super::text::decode(&line[..line.len().min(1024)]);
            let here = fields::header(&line).is_some_and(|head| {
                let before = &line[..line.len() - head.record.len()];
                before.trim().is_empty() || super::syslog::host(before).is_some()
            });
            if here { (yes + 1, no) } else { (yes, no + 1) }
        });
        some && yes > no
    }
    fn reader(&self, _context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Assembler::default())
    }
}

/// Joins the records of an event by node, time and serial, whatever order they come in.
#[derive(Default)]
struct Assembler {
    /// Oldest first.
    open: VecDeque<Group>,
    /// Where an event stands: its number minus `flushed` is its place in `open`.
    index: HashMap<Key, usize>,
    flushed: usize,
    held_bytes: usize,
}

type Key = (Option<String>, i64, u64);

/// The records of one event, so far.
struct Group {
    key: Key,
    /// As the log writes it: a serial alone starts again at every boot.
    id: String,
    host: Option<String>,
    time: Timestamp,
    /// Place of the first record; it covers them all while they follow each other without a gap.
    offset: u64,
    end: u64,
    first_end: u64,
    contiguous: bool,
    bytes: usize,
    closed: bool,
    records: Vec<String>,
}

impl Reader for Assembler {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let bytes = clean(record.bytes);
        if bytes.is_empty() {
            return Ok(());
        }
        let line = super::text::decode(bytes);
        let head = fields::header(&line).ok_or(Malformed::new("not an audit record"))?;
        let time = Timestamp::from_epoch_text(head.time).ok_or(Malformed::new("unreadable time"))?;
        match head.kind {
            "SYSCALL" | "EXECVE" | "CWD" | "PATH" | "PROCTITLE" | "SOCKADDR" | "OBJ_PID" | "EOE" => {
                self.hold(&head, time, record);
                self.flush(sink, false);
            }
            _ => {
                if let Some(event) = single(&head, time) {
                    let length = u32::try_from(record.bytes.len()).unwrap_or(u32::MAX);
                    sink.emit_at(&event, record.offset, length, head.record.as_bytes());
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self, sink: &mut dyn Sink) {
        self.flush(sink, true);
    }
}

/// The event of a record that stands alone.
pub(crate) fn single<'a>(head: &Header<'a>, time: Timestamp) -> Option<ringleader_model::Event<'a>> {
    let mut event = match head.kind {
        "AUOMS_EXECVE" | "AUOMS_SYSCALL" => event::of_auoms(head.body)?,
        _ => user::of_record(head.kind, head.body)?,
    };
    event.time = Some(time);
    event.host = event.host.or(head.host.map(Into::into));
    event.source_event_id = Some(format!("{}:{}", head.time, head.serial).into());
    Some(event)
}

impl Assembler {
    fn hold(&mut self, head: &Header<'_>, time: Timestamp, record: &Record<'_>) {
        let key = (head.host.map(str::to_owned), time.0, head.serial);
        let end = record.offset + record.bytes.len() as u64;
        let at = match self.index.get(&key) {
            Some(number) => number - self.flushed,
            None => {
                self.index.insert(key.clone(), self.flushed + self.open.len());
                self.open.push_back(Group {
                    key,
                    id: format!("{}:{}", head.time, head.serial),
                    host: head.host.map(str::to_owned),
                    time,
                    offset: record.offset,
                    end: record.offset,
                    first_end: end,
                    contiguous: true,
                    bytes: 0,
                    closed: false,
                    records: Vec::new(),
                });
                self.open.len() - 1
            }
        };
        let group = &mut self.open[at];
        group.contiguous &= record.offset - group.end <= 2;
        group.end = end;
        if head.kind == "EOE" {
            group.closed = true;
            return;
        }
        group.bytes += head.record.len();
        self.held_bytes += head.record.len();
        group.records.push(head.record.to_owned());
        if group.bytes > MAX_EVENT {
            // What comes after it is a remnant without a SYSCALL record, and so no event.
            group.closed = true;
            self.index.remove(&group.key);
        }
    }

    /// Emits the oldest events: those that are over, those that the window has no room for, or all.
    fn flush(&mut self, sink: &mut dyn Sink, all: bool) {
        while let Some(oldest) = self.open.front() {
            let over = oldest.closed && self.open.len() > LAG;
            if !(all || over || self.open.len() > MAX_OPEN || self.held_bytes > MAX_HELD) {
                return;
            }
            if let Some(mut group) = self.open.pop_front() {
                if self.index.get(&group.key) == Some(&self.flushed) {
                    self.index.remove(&group.key);
                }
                self.flushed += 1;
                self.held_bytes -= group.bytes;
                group.emit(sink);
            }
        }
    }
}

impl Group {
    fn emit(&mut self, sink: &mut dyn Sink) {
        // Sorted, so that the event and its id do not depend on how the records interleaved or were repeated.
        self.records.sort_unstable();
        self.records.dedup();
        if let Some(mut event) = event::of_records(&self.records) {
            event.time = Some(self.time);
            event.host = self.host.as_deref().map(Into::into);
            event.source_event_id = Some(self.id.as_str().into());
            let end = if self.contiguous { self.end } else { self.first_end };
            let length = u32::try_from(end - self.offset).unwrap_or(u32::MAX);
            sink.emit_at(&event, self.offset, length, self.records.join("\n").as_bytes());
        }
    }
}

/// Without the NUL bytes that a crash leaves in a log, and the blanks around them.
fn clean(line: &[u8]) -> &[u8] {
    let blank = |b: &u8| *b == 0 || b.is_ascii_whitespace();
    let start = line.iter().position(|b| !blank(b)).unwrap_or(line.len());
    let end = line.iter().rposition(|b| !blank(b)).map_or(start, |at| at + 1);
    &line[start..end]
}

#[cfg(test)]
mod tests;
