//! events ↔ bytes: how events wait, in memory or on disk, until their host's turn comes.
//!
//! A block is a run of events of one host bucket. A string stands in it where it first occurs, and seldom again; other
//! uses are numbers. It needs nothing from outside, so blocks can be spilled, shipped and read in any order.

use super::recent::{Mark, Recent};
use hashbrown::HashTable;
use ringleader_model::hash::hash64;
use ringleader_model::{Activity, Event, EventClass, EventId, Field, SensorRole, Timestamp};

/// A string of a `Strings`; 0 is "none".
pub type Sym = u32;

/// Where a record stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// Index into the run's list of sources.
    pub source: u32,
    pub length: u32,
    pub offset: u64,
}

/// Writes events into a block.
#[derive(Default)]
pub struct BlockWriter {
    room: usize,
    bytes: Vec<u8>,
    /// How many strings stand in it.
    strings: u32,
    /// Those that are too long for `Recent`.
    long: HashTable<Written>,
    /// By place in `Recent`: the stamp of the text that stood there, and its number in this block.
    recent: Vec<(u32, u32)>,
    last_time: i64,
    events: u32,
}

/// A long string that stands in the block.
struct Written {
    hash: u32,
    /// Its place in the block.
    start: u32,
    length: u32,
    /// How many strings stand before it.
    nth: u32,
}

impl Written {
    fn spread(hash: u32) -> u64 {
        u64::from(hash) << 32 | u64::from(hash)
    }
}

/// A block starts with how many events it has.
const COUNT: usize = size_of::<u32>();

/// How a string is written: in full, as no text, or as the number of one that stands before, plus `KNOWN`.
const IN_FULL: u64 = 0;
const EMPTY: u64 = 1;
const KNOWN: u64 = 2;

impl BlockWriter {
    /// Asks once for all the memory of a block of about this many bytes: to grow costs more than to write. To be sealed
    /// by then.
    pub fn with_room(room: usize) -> Self {
        Self { room, ..Self::default() }
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }
    pub fn is_empty(&self) -> bool {
        self.events == 0
    }
    /// Bytes held, tables included.
    pub fn footprint(&self) -> usize {
        self.bytes.capacity() + self.long.capacity() * (size_of::<Written>() + 1) + self.recent.capacity() * 8
    }

    /// `host` and `tenant` have been resolved: the record's own, else the source's.
    /// `recent` must be the same one for all events of a block.
    pub fn push(
        &mut self,
        event: &Event<'_>,
        id: EventId,
        [host, tenant]: [&str; 2],
        place: Place,
        recent: &mut Recent,
    ) {
        if self.events == 0 {
            self.bytes.reserve(self.room);
            self.bytes.extend_from_slice(&[0; COUNT]);
        }
        self.events += 1;
        let mut head = Head::default();
        head.put(&id.0.to_le_bytes());
        head.put(&[event.class as u8, event.activity as u8, event.sensor_role as u8]);
        head.number(match event.time {
            Some(Timestamp(time)) => {
                let delta = time.wrapping_sub(self.last_time);
                self.last_time = time;
                zigzag(delta).wrapping_add(1).max(1)
            }
            None => 0,
        });
        head.number(event.utc_offset_minutes.map_or(0, |it| zigzag(i64::from(it)) + 1));
        head.number(u64::from(place.source));
        head.number(place.offset);
        head.number(u64::from(place.length));
        head.number(event.pid.map_or(0, |it| u64::from(it) + 1));
        head.number(event.ppid.map_or(0, |it| u64::from(it) + 1));
        head.number(event.source_event_id.as_ref().map_or(0, |it| it.len() as u64 + 1));
        self.bytes.extend_from_slice(head.bytes());
        self.bytes.extend_from_slice(event.source_event_id.as_deref().unwrap_or("").as_bytes());
        self.string(host, recent);
        self.string(tenant, recent);
        self.number(event.fields().count() as u64);
        for (field, value) in event.fields() {
            self.bytes.push(field as u8);
            self.string(value, recent);
        }
    }

    /// Ends the block; the writer is as new.
    pub fn seal(&mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.bytes);
        if let Some(count) = bytes.first_chunk_mut() {
            *count = self.events.to_le_bytes();
        }
        if bytes.len() < bytes.capacity() / 2 {
            bytes.shrink_to_fit();
        }
        self.recent.fill((0, 0));
        self.long.clear();
        (self.strings, self.events, self.last_time) = (0, 0, 0);
        bytes
    }

    fn number(&mut self, n: u64) {
        each_seven_bits(n, |byte| self.bytes.push(byte));
    }

    fn string(&mut self, text: &str, recent: &mut Recent) {
        if text.is_empty() {
            return self.bytes.push(EMPTY as u8);
        }
        let hash = hash64(text.as_bytes());
        let mark = recent.mark(text, hash);
        let known = match mark {
            Some(mark) => self.known_by_mark(mark),
            None => self.known_by_table(text, hash as u32),
        };
        if let Some(nth) = known {
            return self.number(u64::from(nth) + KNOWN);
        }
        self.number(IN_FULL);
        self.number(text.len() as u64);
        let (start, length, nth) = (self.bytes.len() as u32, text.len() as u32, self.strings);
        self.bytes.extend_from_slice(text.as_bytes());
        self.strings += 1;
        match mark {
            Some(Mark { place, stamp }) => self.recent[usize::from(place)] = (stamp, nth),
            None => {
                let written = Written { hash: hash as u32, start, length, nth };
                self.long.insert_unique(Written::spread(written.hash), written, |it| Written::spread(it.hash));
            }
        }
    }

    /// A string that lost its place in between may be written again: that costs less than to look for it here.
    fn known_by_mark(&mut self, mark: Mark) -> Option<u32> {
        if self.recent.is_empty() {
            self.recent.resize(Recent::PLACES, (0, 0));
        }
        let (stamp, nth) = self.recent[usize::from(mark.place)];
        (stamp == mark.stamp).then_some(nth)
    }

    fn known_by_table(&self, text: &str, hash: u32) -> Option<u32> {
        let known = self.long.find(Written::spread(hash), |it| {
            it.hash == hash
                && it.length as usize == text.len()
                && &self.bytes[it.start as usize..][..text.len()] == text.as_bytes()
        });
        known.map(|it| it.nth)
    }
}

/// The numbers of one event, put together on the stack.
struct Head {
    bytes: [u8; Self::MOST],
    length: usize,
}

impl Default for Head {
    fn default() -> Self {
        Self { bytes: [0; Self::MOST], length: 0 }
    }
}

impl Head {
    /// An id, three codes and eight numbers of up to ten bytes.
    const MOST: usize = 16 + 3 + 8 * 10;

    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.length..][..bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }

    fn number(&mut self, n: u64) {
        each_seven_bits(n, |byte| {
            self.bytes[self.length] = byte;
            self.length += 1;
        });
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

fn each_seven_bits(mut n: u64, mut put: impl FnMut(u8)) {
    while n >= 0x80 {
        put(n as u8 | 0x80);
        n >>= 7;
    }
    put(n as u8);
}

fn zigzag(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)) as u64
}

fn unzigzag(n: u64) -> i64 {
    ((n >> 1) as i64) ^ -((n & 1) as i64)
}

/// Distinct strings, numbered.
#[derive(Default)]
pub struct Strings {
    bytes: String,
    ends: Vec<(usize, u64)>,
    table: HashTable<u32>,
}

impl Strings {
    pub fn intern(&mut self, text: &str) -> Sym {
        if text.is_empty() {
            return 0;
        }
        let hash = hash64(text.as_bytes());
        if let Some(sym) = self.table.find(hash, |sym| self.hash(*sym) == hash && self.get(*sym) == text) {
            return *sym;
        }
        self.bytes.push_str(text);
        self.ends.push((self.bytes.len(), hash));
        let sym = self.ends.len() as Sym;
        let ends = &self.ends;
        self.table.insert_unique(hash, sym, |sym| ends[*sym as usize - 1].1);
        sym
    }

    /// The text; "" for 0.
    pub fn get(&self, sym: Sym) -> &str {
        let Some(at) = (sym as usize).checked_sub(1) else { return "" };
        let start = if at == 0 { 0 } else { self.ends[at - 1].0 };
        &self.bytes[start..self.ends[at].0]
    }

    pub fn hash(&self, sym: Sym) -> u64 {
        (sym as usize).checked_sub(1).map_or(0, |at| self.ends[at].1)
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.table.clear();
    }

    /// How many there are; syms run from 1 to this.
    pub fn len(&self) -> usize {
        self.ends.len()
    }
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// One event, its strings in the bucket's table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub id: EventId,
    pub time: Option<Timestamp>,
    pub place: Place,
    pub class: EventClass,
    pub activity: Activity,
    pub sensor_role: SensorRole,
    pub utc_offset_minutes: Option<i16>,
    pub pid: Option<u32>,
    pub ppid: Option<u32>,
    pub host: Sym,
    pub tenant: Sym,
    own_id: (u32, u32),
    fields: (u32, u8),
}

/// The events of one host bucket, ready to be connected.
#[derive(Default)]
pub struct Bucket {
    pub rows: Vec<Row>,
    pub strings: Strings,
    fields: Vec<(Field, Sym)>,
    own_ids: String,
}

/// A block that was not written by `BlockWriter`, or was damaged on disk.
#[derive(Debug, thiserror::Error)]
#[error("damaged block of events")]
pub struct Damaged;

/// How many events a block says it has.
fn count(block: &[u8]) -> Result<usize, Damaged> {
    block.first_chunk().map(|it| u32::from_le_bytes(*it) as usize).ok_or(Damaged)
}

impl Bucket {
    /// The events of blocks. Each block's memory is given back once it was read.
    pub fn of(blocks: Vec<Vec<u8>>) -> Result<Self, Damaged> {
        let mut bucket = Self::default();
        bucket.refill(blocks)?;
        Ok(bucket)
    }

    /// The same, in the memory of another bucket, whose events are forgotten.
    pub fn refill(&mut self, blocks: Vec<Vec<u8>>) -> Result<(), Damaged> {
        self.rows.clear();
        self.strings.clear();
        self.fields.clear();
        self.own_ids.clear();
        let events = blocks.iter().map(|it| count(it)).sum::<Result<usize, Damaged>>()?;
        // No event is shorter than its id.
        let most = blocks.iter().map(Vec::len).sum::<usize>() / size_of::<EventId>();
        self.rows.reserve_exact(events.min(most));
        blocks.into_iter().try_for_each(|it| self.load(&it))
    }

    /// Adds a block's events.
    pub fn load(&mut self, block: &[u8]) -> Result<(), Damaged> {
        let mut cursor = Cursor { bytes: block, at: COUNT };
        let expected = self.rows.len() + count(block)?;
        let mut local: Vec<Sym> = Vec::new();
        let mut last_time = 0i64;
        while cursor.at < block.len() {
            let id = EventId(u128::from_le_bytes(cursor.take(16)?.try_into().map_err(|_| Damaged)?));
            let codes = cursor.take(3)?;
            let class = EventClass::from_code(codes[0]).ok_or(Damaged)?;
            let activity = Activity::from_code(codes[1]).ok_or(Damaged)?;
            let sensor_role = SensorRole::from_code(codes[2]).ok_or(Damaged)?;
            let time = match cursor.number()? {
                0 => None,
                n => {
                    last_time = last_time.wrapping_add(unzigzag(n - 1));
                    Some(Timestamp(last_time))
                }
            };
            let utc_offset_minutes = match cursor.number()? {
                0 => None,
                n => Some(unzigzag(n - 1) as i16),
            };
            let place =
                Place { source: cursor.number()? as u32, offset: cursor.number()?, length: cursor.number()? as u32 };
            let pid = cursor.number()?.checked_sub(1).map(|it| it as u32);
            let ppid = cursor.number()?.checked_sub(1).map(|it| it as u32);
            let length = cursor.number()?.checked_sub(1);
            let own_id = cursor.text(length.unwrap_or(0))?;
            let start = self.own_ids.len() as u32;
            self.own_ids.push_str(own_id);
            let host = cursor.string(&mut local, &mut self.strings)?;
            let tenant = cursor.string(&mut local, &mut self.strings)?;
            let first_field = self.fields.len() as u32;
            let n_fields = cursor.number()?;
            for _ in 0..n_fields {
                let field = Field::from_code(cursor.take(1)?[0]).ok_or(Damaged)?;
                let sym = cursor.string(&mut local, &mut self.strings)?;
                self.fields.push((field, sym));
            }
            self.rows.push(Row {
                id,
                time,
                place,
                class,
                activity,
                sensor_role,
                utc_offset_minutes,
                pid,
                ppid,
                host,
                tenant,
                own_id: (start, length.map_or(u32::MAX, |it| it as u32)),
                fields: (first_field, n_fields as u8),
            });
        }
        if self.rows.len() == expected { Ok(()) } else { Err(Damaged) }
    }

    /// Adds one event whose parts are at hand (from the lake's columns).
    pub fn push(&mut self, event: &Event<'_>, id: EventId, host: &str, place: Place) {
        let start = self.own_ids.len() as u32;
        let own_id = event.source_event_id.as_deref();
        self.own_ids.push_str(own_id.unwrap_or(""));
        let first_field = self.fields.len() as u32;
        for (field, value) in event.fields() {
            let sym = self.strings.intern(value);
            self.fields.push((field, sym));
        }
        self.rows.push(Row {
            id,
            time: event.time,
            place,
            class: event.class,
            activity: event.activity,
            sensor_role: event.sensor_role,
            utc_offset_minutes: event.utc_offset_minutes,
            pid: event.pid,
            ppid: event.ppid,
            host: self.strings.intern(host),
            tenant: self.strings.intern(event.tenant.as_deref().unwrap_or("")),
            own_id: (start, own_id.map_or(u32::MAX, |it| it.len() as u32)),
            fields: (first_field, (self.fields.len() as u32 - first_field) as u8),
        });
    }

    pub fn fields(&self, row: &Row) -> &[(Field, Sym)] {
        let start = row.fields.0 as usize;
        &self.fields[start..start + usize::from(row.fields.1)]
    }

    /// 0 where the event does not have the field.
    pub fn sym(&self, row: &Row, field: Field) -> Sym {
        self.fields(row).iter().find(|(it, _)| *it == field).map_or(0, |(_, sym)| *sym)
    }

    pub fn text(&self, row: &Row, field: Field) -> Option<&str> {
        match self.sym(row, field) {
            0 => None,
            sym => Some(self.strings.get(sym)),
        }
    }

    pub fn source_event_id(&self, row: &Row) -> Option<&str> {
        let (start, length) = row.own_id;
        (length != u32::MAX).then(|| &self.own_ids[start as usize..(start + length) as usize])
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], Damaged> {
        let end = self.at.checked_add(n).ok_or(Damaged)?;
        let slice = self.bytes.get(self.at..end).ok_or(Damaged)?;
        self.at = end;
        Ok(slice)
    }

    fn number(&mut self) -> Result<u64, Damaged> {
        let mut n = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = *self.bytes.get(self.at).ok_or(Damaged)?;
            self.at += 1;
            n |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte < 0x80 {
                return Ok(n);
            }
        }
        Err(Damaged)
    }

    fn text(&mut self, length: u64) -> Result<&'a str, Damaged> {
        let length = usize::try_from(length).map_err(|_| Damaged)?;
        std::str::from_utf8(self.take(length)?).map_err(|_| Damaged)
    }

    fn string(&mut self, local: &mut Vec<Sym>, strings: &mut Strings) -> Result<Sym, Damaged> {
        match self.number()? {
            IN_FULL => {
                let length = self.number()?;
                let sym = strings.intern(self.text(length)?);
                local.push(sym);
                Ok(sym)
            }
            EMPTY => Ok(0),
            n => local.get((n - KNOWN) as usize).copied().ok_or(Damaged),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut recent = Recent::default();
        let mut writer = BlockWriter::default();
        let mut event = Event::new(EventClass::Process, Activity::Launch);
        event.time = Some(Timestamp(1_572_855_700_272_810));
        event.utc_offset_minutes = Some(-420);
        event.pid = Some(0);
        event.source_event_id = Some("".into());
        event.set(Field::CmdLine, "wget -O /tmp/x 192.0.2.1/x");
        event.set(Field::FilePath, "/usr/bin/wget");
        let place = Place { source: 3, offset: 1 << 40, length: 200 };
        writer.push(&event, EventId(7), ["web1", ""], place, &mut recent);
        event.time = None;
        event.source_event_id = None;
        writer.push(&event, EventId(u128::MAX), ["web1", ""], place, &mut recent);
        let mut bucket = Bucket::default();
        bucket.load(&writer.seal()).unwrap();
        assert!(writer.is_empty());
        let [first, second] = &bucket.rows[..] else { panic!("two rows") };
        assert_eq!(first.time, Some(Timestamp(1_572_855_700_272_810)));
        assert_eq!((first.pid, first.ppid, first.utc_offset_minutes), (Some(0), None, Some(-420)));
        assert_eq!(first.place, place);
        assert_eq!(bucket.source_event_id(first), Some(""));
        assert_eq!(bucket.source_event_id(second), None);
        assert_eq!((second.time, second.id), (None, EventId(u128::MAX)));
        assert_eq!(bucket.text(second, Field::FilePath), Some("/usr/bin/wget"));
        assert_eq!(bucket.text(second, Field::User), None);
    }

    #[test]
    fn a_damaged_block_is_told_not_trusted() {
        let mut writer = BlockWriter::default();
        writer.push(
            &Event::new(EventClass::Http, Activity::Request),
            EventId(1),
            ["h", "t"],
            Place::default(),
            &mut Recent::default(),
        );
        let block = writer.seal();
        for cut in 1..block.len() {
            assert!(Bucket::default().load(&block[..cut]).is_err(), "cut at {cut}");
        }
    }
}
