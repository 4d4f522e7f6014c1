//! Numbers and times → text for people.

use ringleader_model::Timestamp;
use ringleader_model::findings::Permille;

/// `1204567` → `1,204,567`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `2019-11-04 08:21:40`, UTC.
pub(crate) fn minute(time: Timestamp) -> String {
    let text = time.to_string();
    // The year may have more than four digits, or a sign; then the whole text stands.
    match (text.get(..19), text.as_bytes().get(10)) {
        (Some(front), Some(b'T')) => front.replace('T', " "),
        _ => text,
    }
}

pub(crate) fn percent(confidence: Permille) -> String {
    format!("{}%", (confidence.thousandths() + 5) / 10)
}

pub(crate) fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1000, 1_204_567].map(grouped), ["0", "999", "1,000", "1,204,567"]);
        assert_eq!(minute(Timestamp(0)), "1970-01-01 00:00:00");
        assert!(!minute(Timestamp(i64::MAX)).is_empty());
        assert_eq!(percent(Permille::new(995)), "100%");
    }
}
