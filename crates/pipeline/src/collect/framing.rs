//! bytes → records. Bounded: what is longer than `MAX_RECORD` is rejected and skipped, never held.

use ringleader_model::Malformed;

use super::{Framing, Record};

/// How much of an input a format may see to recognise it.
pub const HEAD: usize = 64 << 10;
/// The longest record that is read; a longer one is rejected, with its place.
pub const MAX_RECORD: usize = 16 << 20;
/// The longest input that is read as one record.
pub const MAX_WHOLE: usize = 256 << 20;

/// A record, or the place, first bytes and reason of what could not be one.
pub type Framed<'a> = Result<Record<'a>, (u64, &'a [u8], Malformed)>;

/// Cuts an input (or a part of one that starts and ends at a record's border) into records.
pub fn frame(framing: Framing, bytes: &[u8]) -> Box<dyn Iterator<Item = Framed<'_>> + '_> {
    match framing {
        Framing::Lines { .. } => Box::new(Cut { bytes, at: 0, end: line_end, json: false, broken: false }),
        Framing::Quoted => Box::new(Cut { bytes, at: 0, end: quoted_end, json: false, broken: false }),
        Framing::Json => Box::new(Cut { bytes, at: 0, end: json_end, json: true, broken: false }),
        Framing::Whole => Box::new(std::iter::once(if bytes.len() > MAX_WHOLE {
            Err((0, &bytes[..HEAD], Malformed::new("longer than the limit of 256 MiB for one file of this format")))
        } else {
            Ok(Record { bytes, offset: 0 })
        })),
    }
}

/// Where the last whole record of a chunk ends, so that the next chunk can start there. `None`: no border yet.
pub fn last_border(framing: Framing, chunk: &[u8]) -> Option<usize> {
    match framing {
        Framing::Lines { .. } => memchr::memrchr(b'\n', chunk).map(|at| at + 1),
        Framing::Quoted => borders(chunk, quoted_end),
        Framing::Json => borders(chunk, json_end),
        Framing::Whole => None,
    }
}

/// The end of the record that starts at the front of the bytes, its line break included; `None` where the
/// bytes end before it does.
type End = fn(&[u8]) -> Option<usize>;

struct Cut<'a> {
    bytes: &'a [u8],
    at: usize,
    end: End,
    /// The brackets and commas around JSON objects are no records.
    json: bool,
    /// A record never ended: from here on none may reach beyond the next place where one can start.
    broken: bool,
}

impl<'a> Iterator for Cut<'a> {
    type Item = Framed<'a>;

    fn next(&mut self) -> Option<Framed<'a>> {
        while self.at < self.bytes.len() {
            let rest = &self.bytes[self.at..];
            let length = self.length(rest).max(1);
            let offset = self.at as u64;
            self.at += length;
            let raw = &rest[..length];
            // A byte order mark is no part of the first record.
            let text = raw.strip_prefix(BOM).unwrap_or(raw);
            let lead = raw.len() - text.trim_ascii_start().len();
            let record = text.trim_ascii();
            if record.is_empty() || (self.json && record.iter().all(|b| is_between_objects(*b))) {
                continue;
            }
            let offset = offset + lead as u64;
            if record.len() > MAX_RECORD {
                return Some(Err((offset, &record[..HEAD], Malformed::new("record longer than the limit of 16 MiB"))));
            }
            return Some(Ok(Record { bytes: record, offset }));
        }
        None
    }
}

const BOM: &[u8] = b"\xef\xbb\xbf";

impl Cut<'_> {
    /// What never ends must not swallow the records behind it. Linear: after the first such record, no search looks
    /// further than the next start.
    fn length(&mut self, rest: &[u8]) -> usize {
        if !self.broken {
            if let Some(length) = (self.end)(rest) {
                return length;
            }
            self.broken = true;
        }
        let next = if self.json {
            memchr::memmem::find(rest.get(1..).unwrap_or_default(), b"\n{").map(|at| at + 2)
        } else {
            line_end(rest)
        };
        let most = next.unwrap_or(rest.len());
        (self.end)(&rest[..most]).unwrap_or(most)
    }
}

fn borders(chunk: &[u8], end: End) -> Option<usize> {
    let mut at = 0;
    while let Some(length) = end(&chunk[at..]).filter(|_| at < chunk.len()) {
        at += length.max(1);
    }
    (at > 0).then_some(at)
}

fn line_end(bytes: &[u8]) -> Option<usize> {
    memchr::memchr(b'\n', bytes).map(|at| at + 1)
}

/// A quote that is never closed must not swallow the file: after 1 MiB the record ends at its first line.
fn quoted_end(bytes: &[u8]) -> Option<usize> {
    let mut quoted = false;
    for at in memchr::memchr2_iter(b'"', b'\n', bytes) {
        if bytes[at] == b'"' {
            quoted = !quoted;
        } else if !quoted {
            return Some(at + 1);
        }
        if at > 1 << 20 {
            return line_end(bytes);
        }
    }
    None
}

/// One JSON object: balanced braces outside strings. The brackets and commas of a surrounding array are passed
/// over; anything that is no object ends at its line, to be rejected there. An object that never closes
/// (a half line) ends at its line too, where the next line starts a new object.
fn json_end(bytes: &[u8]) -> Option<usize> {
    let start = bytes.iter().position(|b| !is_between_objects(*b))?;
    if start > 0 {
        return Some(start);
    }
    if bytes[0] != b'{' {
        return line_end(bytes);
    }
    let (mut depth, mut brackets) = (0usize, 0usize);
    let mut in_string = false;
    // Where an array's element started a line: or was it the next record, behind one that was cut off in an array?
    let mut element = None;
    let mut at = 0;
    while at < bytes.len() {
        if in_string {
            match memchr::memchr3(b'"', b'\\', b'\n', &bytes[at..]) {
                Some(skip) => {
                    at += skip;
                    match bytes[at] {
                        b'"' => in_string = false,
                        b'\\' if bytes.get(at + 1) != Some(&b'\n') => at += 1,
                        b'\\' => {}
                        // A raw line break cannot stand in a JSON string: the record was cut off here.
                        _ => return Some(at + 1),
                    }
                }
                None => return None,
            }
        } else {
            match bytes[at] {
                b'"' => in_string = true,
                b'{' => depth += 1,
                b'[' => brackets += 1,
                b']' => brackets = brackets.saturating_sub(1),
                b'}' => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(at + 1);
                    }
                }
                // `{"a":1,\n{"b":2}`: inside an object no line starts with a brace, unless an array's element does.
                b'\n' if bytes.get(at + 1) == Some(&b'{') => {
                    if brackets == 0 || !matches!(before(bytes, at), b'[' | b',') {
                        return Some(element.unwrap_or(at + 1));
                    }
                    element = Some(at + 1);
                }
                _ => {}
            }
        }
        at += 1;
    }
    None
}

/// White space, a surrounding array's punctuation, or the bytes of a UTF-8 byte order mark.
fn is_between_objects(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'[' | b']' | b',' | 0xef | 0xbb | 0xbf)
}

fn before(bytes: &[u8], at: usize) -> u8 {
    bytes[..at].iter().rev().find(|b| !b.is_ascii_whitespace()).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(framing: Framing, input: &str, expect: &[(u64, &str)]) {
        let got: Vec<(u64, String)> = frame(framing, input.as_bytes())
            .map(|it| {
                let record = it.unwrap();
                (record.offset, String::from_utf8(record.bytes.to_vec()).unwrap())
            })
            .collect();
        let expect: Vec<(u64, String)> = expect.iter().map(|(at, text)| (*at, (*text).to_owned())).collect();
        assert_eq!(got, expect, "{input:?}");
    }

    #[test]
    fn lines_keep_their_place() {
        check(Framing::Lines { stateless: true }, "a\r\n\n  b\nc", &[(0, "a"), (6, "b"), (8, "c")]);
    }

    #[test]
    fn a_quoted_field_may_hold_line_breaks() {
        check(Framing::Quoted, "a,\"x\ny\"\nb,c\n", &[(0, "a,\"x\ny\""), (8, "b,c")]);
    }

    #[test]
    fn json_objects_by_line_in_arrays_and_pretty() {
        check(Framing::Json, "{\"a\":1}\n{\"b\":\"}\"}\n", &[(0, "{\"a\":1}"), (8, "{\"b\":\"}\"}")]);
        check(Framing::Json, "[{\"a\":1},\n {\"b\":2}]", &[(1, "{\"a\":1}"), (11, "{\"b\":2}")]);
        check(Framing::Json, "\u{feff}[\r\n{\"a\":1}\r\n]\r\n", &[(6, "{\"a\":1}")]);
        check(
            Framing::Json,
            "{\n \"a\": {\n  \"b\": 1\n }\n}\n{}",
            &[(0, "{\n \"a\": {\n  \"b\": 1\n }\n}"), (24, "{}")],
        );
    }

    #[test]
    fn half_a_json_line_costs_itself_alone() {
        check(Framing::Json, "{\"a\":\"cut\n{\"b\":2}\n", &[(0, "{\"a\":\"cut"), (10, "{\"b\":2}")]);
        check(Framing::Json, "{\"a\":1,\n{\"b\":2}\n", &[(0, "{\"a\":1,"), (8, "{\"b\":2}")]);
        check(Framing::Json, "{\"a\":1\n{\"b\":2}\n", &[(0, "{\"a\":1"), (7, "{\"b\":2}")]);
        check(Framing::Json, "{\"a\":\n{\"b\":2}\n", &[(0, "{\"a\":"), (6, "{\"b\":2}")]);
        check(Framing::Json, "{\"a\":{\"c\n{\"b\":2}\n", &[(0, "{\"a\":{\"c"), (9, "{\"b\":2}")]);
        check(Framing::Json, "{\"a\":\"\\\n{\"b\":2}\n", &[(0, "{\"a\":\"\\"), (8, "{\"b\":2}")]);
        check(Framing::Json, "{\"a\":[1\n{\"b\":2}\n", &[(0, "{\"a\":[1"), (8, "{\"b\":2}")]);
        // Elements of an array, not indented.
        let array = "{\"a\":[\n{\"b\":2},\n{\"c\":3}]}";
        check(Framing::Json, array, &[(0, array)]);
        // The array was cut off behind a comma: it alone is lost.
        let cut = "{\"a\":[1,\n{\"b\":2}\n{\"c\":3}\n";
        check(Framing::Json, cut, &[(0, "{\"a\":[1,"), (9, "{\"b\":2}"), (17, "{\"c\":3}")]);
        check(Framing::Json, "{\"a\":[1,\n{\"b\":2}\n", &[(0, "{\"a\":[1,"), (9, "{\"b\":2}")]);
    }

    #[test]
    fn a_quote_that_never_closes_swallows_nothing() {
        check(Framing::Quoted, "a,\"x\nb,y\nc,z\n", &[(0, "a,\"x"), (5, "b,y"), (9, "c,z")]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_record() {
        check(Framing::Lines { stateless: true }, "\u{feff}a\nb\n", &[(3, "a"), (5, "b")]);
        check(Framing::Quoted, "\u{feff}a,b\n", &[(3, "a,b")]);
    }

    #[test]
    fn objects_that_never_close_cost_linear_time() {
        let input = "{\n".repeat(1 << 20);
        assert_eq!(frame(Framing::Json, input.as_bytes()).count(), 1 << 20);
        let input = "{ \"\\\n".repeat(1 << 18);
        assert_eq!(frame(Framing::Json, input.as_bytes()).count(), 1 << 18);
        let input = "{[\n{".repeat(1 << 18);
        assert!(frame(Framing::Json, input.as_bytes()).count() > 0);
    }

    #[test]
    fn a_chunk_ends_at_its_last_whole_record() {
        assert_eq!(last_border(Framing::Lines { stateless: true }, b"a\nb"), Some(2));
        assert_eq!(last_border(Framing::Json, b"{\"a\":1}\n{\"b\""), Some(8));
        assert_eq!(last_border(Framing::Quoted, b"a,\"x\ny"), None);
    }
}
