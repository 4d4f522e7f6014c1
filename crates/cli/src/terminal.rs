//! Text from logs → text that a terminal shows and does not obey.

use std::borrow::Cow;

/// Control characters and those that reorder text, made visible.
pub(crate) fn safe(text: &str) -> Cow<'_, str> {
    ringleader_report::escape::visible(text)
}

/// At most `n` characters, the cut marked.
pub(crate) fn short(text: &str, n: usize) -> String {
    let text = safe(text);
    if text.chars().count() <= n {
        return text.into_owned();
    }
    let mut cut: String = text.chars().take(n.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// `1 host`, `2 hosts`
pub(crate) fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n), if n == 1 { one } else { many })
}

/// 1234567 → 1,234,567
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_obeys_nothing_that_a_log_says() {
        assert!(!safe("\x1b[2Jgone").contains('\x1b'));
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(short("abcdef", 4), "abc…");
    }
}
