//! name → was it drawn at random? By character statistics alone. Deliberately absent: dictionaries, and any name of
//! a bot: what all copies of a bot share must be told from what each draws anew.

/// Whether a run of letters and digits was clearly drawn at random. Errs towards no: `kdevtmpfsi` and `pty1` are names.
pub(crate) fn is_random(run: &str) -> bool {
    let bytes = run.as_bytes();
    if bytes.len() < 8 || bytes.len() > 128 || !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return false;
    }
    let shape = Shape::of(bytes);
    if shape.digits == 0 {
        return if shape.upper == 0 || shape.lower == 0 {
            is_unspeakable(bytes)
        } else {
            // CamelCase changes case once a word
            bytes.len() >= 10 && shape.case_changes * 2 >= bytes.len() && shape.upper * 4 >= bytes.len()
        };
    }
    if shape.digits == bytes.len() {
        return false; // a number
    }
    let is_hex = bytes.iter().all(u8::is_ascii_hexdigit) && (shape.upper == 0 || shape.lower == 0);
    if is_hex && shape.digits >= 2 && shape.digit_groups >= 2 {
        return true;
    }
    let mixed = shape.upper > 0 && shape.lower > 0;
    // x86_64-like names have two groups of digits at most, and they are short
    shape.digit_groups >= 3 && shape.digits >= 3
        || mixed && shape.digit_groups >= 2 && shape.changes >= 5
        || mixed && bytes.len() >= 10 && shape.case_changes >= 4 && shape.changes >= 6
        || bytes.len() >= 10 && is_unspeakable(bytes)
}

/// Whether a file name changes between capitals, small letters and digits as only drawn ones do. For folders of
/// temporary files, where most names are drawn: `Nrx68rDo`, `eAKYwKHg`.
pub(crate) fn is_shuffled(name: &str) -> bool {
    let bytes = name.as_bytes();
    if !(6..=32).contains(&bytes.len()) || !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return false;
    }
    let shape = Shape::of(bytes);
    shape.upper > 0
        && shape.lower > 0
        && (shape.changes * 2 + 1 >= bytes.len() || shape.digits > 0 && shape.upper > 1 && shape.changes >= 3)
}

#[derive(Default)]
struct Shape {
    upper: usize,
    lower: usize,
    digits: usize,
    digit_groups: usize,
    /// Between upper, lower and digits.
    changes: usize,
    case_changes: usize,
}

impl Shape {
    fn of(bytes: &[u8]) -> Self {
        let mut shape = Self::default();
        let mut last = 0;
        for byte in bytes {
            let class = match byte {
                b'0'..=b'9' => 1,
                b'A'..=b'Z' => 2,
                _ => 3,
            };
            match class {
                1 => shape.digits += 1,
                2 => shape.upper += 1,
                _ => shape.lower += 1,
            }
            if class != last {
                shape.digit_groups += usize::from(class == 1);
                shape.changes += usize::from(last != 0);
                shape.case_changes += usize::from(last > 1 && class > 1);
            }
            last = class;
        }
        shape
    }
}

/// Letters that nobody would say: many pairs that words don't have, or a long run without a vowel.
fn is_unspeakable(bytes: &[u8]) -> bool {
    let vowel = |b: u8| matches!(b.to_ascii_lowercase(), b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
    let rare = |b: u8| matches!(b.to_ascii_lowercase(), b'j' | b'q' | b'x' | b'z' | b'v');
    let letter = |b: u8| b.is_ascii_alphabetic();
    let mut run = 0;
    let mut longest = 0;
    for byte in bytes {
        run = if letter(*byte) && !vowel(*byte) { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let odd = bytes
        .windows(2)
        .filter(|pair| {
            let (a, b) = (pair[0], pair[1]);
            letter(a)
                && letter(b)
                && (!vowel(a) && !vowel(b) && (rare(a) || rare(b))
                    || a.eq_ignore_ascii_case(&b'q') && !b.eq_ignore_ascii_case(&b'u'))
        })
        .count();
    longest >= 7 || odd >= 3 && odd * 4 >= bytes.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_programs_and_bots_are_not_random() {
        for name in [
            "kdevtmpfsi",
            "pty1",
            "kinsing",
            "loop1",
            "ujuyfa5",
            "xmrig",
            "kthreaddi",
            "watchbog",
            "networkservice",
            "systemctl",
            "rsyslogd",
            "x86_64",
            "sha256sum",
            "DownloadString",
            "Win32Process",
            "base64decode",
            "Base64Decode",
            "powershell",
            "python3",
            "libc6amd64",
            "armv7l",
            "aarch64",
            "i686",
            "AbstractSingletonProxyFactoryBean",
            "deadbeef",
            "facebook",
            "20191104",
            "MSTICAlertsWin1",
            "pnscan",
            "kworkerds",
            "UseG1GC",
            "strengths",
            "log4j2",
        ] {
            assert!(!is_random(name), "{name}");
        }
    }

    #[test]
    fn what_each_copy_draws_anew_is() {
        for name in [
            "eyshcjdmzg",
            "a8f3k2m9x1",
            "GSZYg4u6KsHM",
            "3f9a1c7e",
            "d41d8cd98f00b204",
            "XbqZkTwPqLmN",
            "q7w2e9r4",
            "zxqvjkwqpz",
        ] {
            assert!(is_random(name), "{name}");
        }
    }
}
