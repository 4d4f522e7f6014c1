//! Bytes of unknown encoding → text, without losing any.

use std::borrow::Cow;

/// The text of a record: UTF-8 as it stands; else GB 18030 (Chinese Windows) where all of it decodes; else
/// each bad byte as U+FFFD. Allocates only where the bytes are not UTF-8.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let (text, bad) = encoding_rs::GB18030.decode_without_bom_handling(bytes);
    if bad { String::from_utf8_lossy(bytes) } else { text }
}

/// Bytes in hex, as auditd and payload logs write them. `None` where a character is no hex digit.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.chunks_exact(2).map(|pair| Some((nibble(pair[0])? << 4) | nibble(pair[1])?)).collect()
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|n| u8::try_from(n).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_from_chinese_windows_is_read() {
        let (gbk, _, _) = encoding_rs::GBK.encode(r"C:\用户\木马.exe");
        assert_eq!(decode(&gbk), r"C:\用户\木马.exe");
        assert_eq!(decode(b"\xff\xfe\xfd plain"), "\u{fffd}\u{fffd}\u{fffd} plain");
    }

    #[test]
    fn hex_with_an_odd_digit_is_no_hex() {
        assert_eq!(unhex("6c73").as_deref(), Some(&b"ls"[..]));
        assert_eq!(unhex("6c7"), None);
        assert_eq!(unhex("zz"), None);
    }
}
