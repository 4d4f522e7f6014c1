//! events, a scene at a time → NDJSON lines nearly in time order, and truth rows.
//!
//! Lines wait in slots of time until nothing earlier can come. Within a slot they stand as they were played: parents
//! before children, hosts mixed. That is how logs arrive: nearly ordered.

use std::collections::BTreeMap;
use std::io::{self, Write};

use ringleader_model::time::Timestamp;

use super::gangs::Gang;
use super::play::{Sink, Started};
use super::template::push_number;
use super::{Config, Counts, Faults, Truth};

const SLOT_MILLIS: i64 = 50;
/// Slots kept in a ring: about fourteen minutes. Later lines wait in a map.
const RING: usize = 1 << 14;
/// Bytes of room that a slot keeps for its next round.
const SLOT_ROOM: usize = 1 << 12;
/// Bytes gathered before they are written out.
const BLOCK: usize = 1 << 18;

pub(super) struct Log<'a> {
    ring: Vec<String>,
    /// The slot that is written next.
    first: i64,
    later: BTreeMap<i64, String>,
    out: String,
    truth: Option<Truth<'a>>,
    truth_rows: String,
    incident_rows: String,
    bot_rows: String,
    gangs: Vec<&'static str>,
    /// Seconds already put in words, by their low bits.
    seconds: Vec<(i64, [u8; 19])>,
    limit: u64,
    seed: u64,
    faults: Faults,
    counts: Counts,
    last_incident: u32,
    incidents: Vec<bool>,
}

impl<'a> Log<'a> {
    pub(super) fn new(config: &Config, start_millis: i64, gangs: &[Gang], truth: Option<Truth<'a>>) -> Self {
        Self {
            ring: vec![String::new(); RING],
            first: start_millis.div_euclid(SLOT_MILLIS),
            later: BTreeMap::new(),
            out: String::with_capacity(BLOCK + (1 << 16)),
            truth,
            truth_rows: String::new(),
            incident_rows: String::new(),
            bot_rows: String::new(),
            gangs: gangs.iter().map(|it| it.name).collect(),
            seconds: vec![(i64::MIN, [0; 19]); 1024],
            limit: config.events,
            seed: config.seed,
            faults: config.faults,
            counts: Counts::default(),
            last_incident: 0,
            incidents: Vec::new(),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.counts.written >= self.limit
    }

    /// Writes what can no longer be preceded.
    pub(super) fn flush_before(&mut self, time_millis: i64, out: &mut dyn Write) -> io::Result<()> {
        let end = time_millis.div_euclid(SLOT_MILLIS);
        while self.first < end {
            self.take_slot();
            if self.out.len() >= BLOCK {
                self.write_block(out)?;
            }
            if self.truth_rows.len() >= BLOCK {
                self.write_truth()?;
            }
        }
        Ok(())
    }

    pub(super) fn finish(mut self, out: &mut dyn Write) -> io::Result<Counts> {
        for _ in 0..RING {
            self.take_slot();
            self.write_block(out)?;
        }
        for lines in std::mem::take(&mut self.later).into_values() {
            self.out.push_str(&lines);
            self.write_block(out)?;
        }
        self.write_truth()?;
        if let Some(truth) = self.truth {
            truth.events.flush()?;
            truth.incidents.flush()?;
            truth.bots.flush()?;
        }
        out.flush()?;
        self.counts.incidents = self.incidents.iter().filter(|it| **it).count() as u64;
        Ok(self.counts)
    }

    fn take_slot(&mut self) {
        let slot = &mut self.ring[self.first as usize % RING];
        self.out.push_str(slot);
        // Cron's minutes are a hundred times as busy as the rest: their room must not stay with every slot.
        if slot.capacity() > SLOT_ROOM {
            *slot = String::new();
        } else {
            slot.clear();
        }
        self.first += 1;
        let entering = self.first + RING as i64 - 1;
        if let Some(lines) = self.later.remove(&entering) {
            self.ring[entering as usize % RING].push_str(&lines);
        }
    }

    fn write_block(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.counts.bytes += self.out.len() as u64;
        out.write_all(self.out.as_bytes())?;
        self.out.clear();
        Ok(())
    }

    fn write_truth(&mut self) -> io::Result<()> {
        if let Some(truth) = &mut self.truth {
            truth.events.write_all(self.truth_rows.as_bytes())?;
            truth.incidents.write_all(self.incident_rows.as_bytes())?;
            truth.bots.write_all(self.bot_rows.as_bytes())?;
        }
        self.truth_rows.clear();
        self.incident_rows.clear();
        self.bot_rows.clear();
        Ok(())
    }

    fn second(&mut self, second: i64) -> [u8; 19] {
        let entry = &mut self.seconds[second as usize & 1023];
        if entry.0 != second {
            let text = Timestamp::from_secs(second).to_string();
            entry.0 = second;
            entry.1.copy_from_slice(&text.as_bytes()[..19]);
        }
        entry.1
    }

    /// Where what arrives at that time waits.
    fn slot(&mut self, arrives_millis: i64) -> &mut String {
        let slot = arrives_millis.div_euclid(SLOT_MILLIS).max(self.first);
        if slot < self.first + RING as i64 {
            &mut self.ring[slot as usize % RING]
        } else {
            self.later.entry(slot).or_default()
        }
    }

    fn truth(&mut self, event: &Started<'_>) {
        if self.truth.is_none() {
            return;
        }
        let rows = &mut self.truth_rows;
        push_id(event.id, rows);
        rows.push('\t');
        match event.gang {
            Some(gang) => {
                rows.push_str(self.gangs[gang as usize]);
                rows.push('\t');
                push_number(u64::from(event.incident), rows);
            }
            None => rows.push_str("-\t-"),
        }
        rows.push('\t');
        push_optional(event.parent.event, rows);
        rows.push_str(if event.lost { "\t1\t" } else { "\t0\t" });
        rows.push_str(event.parent.status.name());
        rows.push('\t');
        push_optional(event.parent.ancestor, rows);
        rows.push('\n');
        if event.gang.is_some() {
            self.bot(event);
        }
    }

    fn bot(&mut self, event: &Started<'_>) {
        let second = self.second(event.time_millis.div_euclid(1000));
        let rows = &mut self.bot_rows;
        push_id(event.id, rows);
        rows.push('\t');
        push_number(u64::from(event.incident), rows);
        rows.push('\t');
        rows.push_str(event.scene);
        rows.push('.');
        push_number(event.node as u64, rows);
        rows.push('\t');
        rows.push_str(std::str::from_utf8(&second).unwrap_or("1970-01-01T00:00:00"));
        push_millis(event.time_millis.rem_euclid(1000) as u32, rows);
        rows.push_str("Z\t");
        push_escaped(event.image, rows);
        rows.push('\t');
        push_escaped(event.cmd_line, rows);
        rows.push('\n');
    }

    fn incident(&mut self, event: &Started<'_>) {
        let Some(gang) = event.gang else { return };
        let rows = &mut self.incident_rows;
        push_number(u64::from(event.incident), rows);
        rows.push('\t');
        rows.push_str(self.gangs[gang as usize]);
        rows.push('\t');
        push_number(u64::from(event.wave), rows);
        rows.push('\t');
        rows.push_str(event.host);
        rows.push_str(if event.one_off { "\t1\n" } else { "\t0\n" });
    }
}

impl Sink for Log<'_> {
    fn started(&mut self, event: &Started<'_>) -> bool {
        if self.is_full() {
            return false;
        }
        let arrives = event.time_millis + self.faults.delay_millis(self.seed, event.id);
        let skew = self.faults.skew_millis(self.seed, event.host);
        let event = &Started { time_millis: event.time_millis + skew, ..*event };
        self.truth(event);
        if event.gang.is_some() {
            self.counts.bot += u64::from(!event.lost);
            if self.last_incident != event.incident {
                self.last_incident = event.incident;
                let at = event.incident as usize;
                self.incidents.resize(self.incidents.len().max(at + 1), false);
                if !std::mem::replace(&mut self.incidents[at], true) {
                    self.incident(event);
                }
            }
        }
        if event.lost {
            self.counts.lost += 1;
            return true;
        }
        self.counts.written += 1;
        let second = self.second(event.time_millis.div_euclid(1000));
        push_line_at(event, &second, self.slot(arrives));
        if let Some(after) = self.faults.copy_after_millis(self.seed, event.id) {
            self.counts.copies += 1;
            push_line_at(event, &second, self.slot(arrives + after));
        }
        true
    }
}

/// One event's line, without a cache of times.
pub(super) fn push_line(event: &Started<'_>, line: &mut String) {
    let mut second = [0; 19];
    let text = Timestamp::from_millis(event.time_millis).to_string();
    second.copy_from_slice(&text.as_bytes()[..19]);
    push_line_at(event, &second, line);
}

fn push_line_at(event: &Started<'_>, second: &[u8; 19], line: &mut String) {
    line.reserve(160 + event.image.len() + event.cmd_line.len() * 5 / 4);
    line.push_str("{\"id\":\"");
    push_id(event.id, line);
    line.push_str("\",\"time\":\"");
    line.push_str(std::str::from_utf8(second).unwrap_or("1970-01-01T00:00:00"));
    push_millis(event.time_millis.rem_euclid(1000) as u32, line);
    line.push_str("Z\",\"host\":\"");
    line.push_str(event.host);
    line.push_str("\",\"file_path\":\"");
    push_escaped(event.image, line);
    line.push_str("\",\"cmd_line\":\"");
    push_escaped(event.cmd_line, line);
    line.push_str("\",\"pid\":");
    push_number(u64::from(event.pid), line);
    line.push_str(",\"ppid\":");
    push_number(u64::from(event.ppid), line);
    line.push_str(",\"parent\":\"");
    push_escaped(base_name(event.parent_image), line);
    line.push_str("\"}\n");
}

fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn push_millis(millis: u32, line: &mut String) {
    line.push('.');
    for unit in [100, 10, 1] {
        line.push(char::from(b'0' + (millis / unit % 10) as u8));
    }
}

fn push_optional(id: Option<u64>, out: &mut String) {
    match id {
        Some(id) => push_id(id, out),
        None => out.push('-'),
    }
}

fn push_id(id: u64, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [0u8; 10];
    for (at, digit) in digits.iter_mut().enumerate() {
        *digit = HEX[(id >> (36 - 4 * at)) as usize & 15];
    }
    out.push_str(std::str::from_utf8(&digits).unwrap_or_default());
}

/// A JSON string's inside.
pub(super) fn push_escaped(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|it| it == b'"' || it == b'\\' || it < 0x20) {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            control => {
                out.push_str("\\u00");
                out.push(char::from(b'0' + (control >> 4)));
                out.push(char::from(b"0123456789abcdef"[usize::from(control & 15)]));
            }
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}
