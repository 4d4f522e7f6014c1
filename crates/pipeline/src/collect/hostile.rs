//! Every format against every fixture, broken: nothing may panic, whatever the bytes are and whoever reads them.

use super::testing::read_all;
use super::{FORMATS, framing, recognize};

/// Bytes that parsers stumble over.
const PIECES: &[&[u8]] = &[
    b"\0",
    b"\n",
    b"\"",
    b"'",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b"=",
    b"&",
    b"<",
    b">",
    b":",
    b"(",
    b")",
    b" ",
    b"\x1d",
    b"\xff",
    b"\xc3",
    "\u{e9}".as_bytes(),
    "\u{1f4a9}".as_bytes(),
    b"99999999999999999999",
    b"-1",
    b"<Event>",
    b"audit(",
    b"a0[",
    b"CMD: ",
];

/// A small deterministic generator (xorshift), so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).unwrap()
    }
}

fn broken(input: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut out = input.to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(out.len() + 1);
        match dice.below(4) {
            0 => out.truncate(at),
            1 => drop(out.drain(at..(at + dice.below(20)).min(out.len()))),
            _ => drop(out.splice(at..at, PIECES[dice.below(PIECES.len())].iter().copied())),
        }
    }
    out
}

#[test]
fn no_format_panics_on_broken_input() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/collect");
    let mut inputs: Vec<Vec<u8>> = PIECES.iter().map(|it| it.to_vec()).collect();
    let folders =
        std::fs::read_dir(root).map(|it| it.map(|it| it.unwrap().path()).collect()).unwrap_or_else(|_| Vec::new());
    let mut files: Vec<_> =
        folders.iter().flat_map(|it| std::fs::read_dir(it).unwrap().map(|it| it.unwrap().path())).collect();
    files.retain(|it| it.extension().is_some_and(|it| it == "in"));
    files.sort();
    inputs.extend(files.iter().map(|it| std::fs::read(it).unwrap()).filter(|it| it.len() < 64 << 10));
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for input in &inputs {
        for round in 0..12 {
            let bytes = if round == 0 { input.clone() } else { broken(input, &mut dice) };
            let _ = recognize(&bytes[..bytes.len().min(framing::HEAD)]);
            for format in FORMATS {
                let _ = format.recognizes(&bytes);
                let _ = read_all(*format, &bytes);
            }
        }
    }
}
