//! a stream → pieces of it. The memory of a piece is used again for another: fresh memory costs more than to read into it.

use std::io::{self, Read};

/// Some bytes of a stream, in a buffer that may be longer.
#[derive(Default)]
pub(super) struct Piece {
    buffer: Vec<u8>,
    length: usize,
}

impl Piece {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[..self.length]
    }

    /// Empty, and worth being kept for another piece.
    pub(super) fn reuse(mut self, most: usize) -> Option<Self> {
        self.length = 0;
        (self.buffer.len() <= most).then_some(self)
    }

    pub(super) fn append(&mut self, bytes: &[u8]) {
        self.room(bytes.len()).copy_from_slice(bytes);
        self.length += bytes.len();
    }

    /// Leaves what stands before `at`; the rest goes to another piece.
    pub(super) fn split(&mut self, at: usize, rest: &mut Self) {
        rest.append(&self.bytes()[at..]);
        self.length = at;
    }

    /// Takes out what stands before `at`.
    pub(super) fn remove(&mut self, at: usize) {
        self.buffer.copy_within(at..self.length, 0);
        self.length -= at;
    }

    /// Reads `n` bytes more, or to the end of the stream; how many came. What came before an error is there.
    pub(super) fn read(&mut self, from: &mut dyn Read, n: usize) -> io::Result<usize> {
        let start = self.length;
        while self.length - start < n {
            let left = n - (self.length - start);
            match from.read(self.room(left)) {
                Ok(0) => break,
                Ok(more) => self.length += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.length - start)
    }

    fn room(&mut self, n: usize) -> &mut [u8] {
        let end = self.length + n;
        if self.buffer.len() < end {
            self.buffer.resize(end, 0);
        }
        &mut self.buffer[self.length..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_an_earlier_piece_shows() {
        let mut stream: &[u8] = b"one\ntwo\nthree";
        let mut piece = Piece::default();
        assert_eq!(piece.read(&mut stream, 9).unwrap(), 9);
        let mut rest = Piece::default();
        piece.split(8, &mut rest);
        assert_eq!((piece.bytes(), rest.bytes()), (&b"one\ntwo\n"[..], &b"t"[..]));
        let mut again = piece.reuse(9).unwrap();
        assert_eq!(again.bytes(), b"");
        assert_eq!(again.read(&mut stream, 9).unwrap(), 4);
        assert_eq!(again.bytes(), b"hree");
        again.remove(2);
        assert_eq!(again.bytes(), b"ee");
        assert!(again.reuse(8).is_none());
    }
}
