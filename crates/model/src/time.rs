//! Text → UTC microseconds. Deliberately absent: the clock, and any guess at a time zone.

use serde::{Serialize, Serializer};

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

/// What is needed to read a time that does not say everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimeDefaults {
    /// Minutes east of UTC for times that name no zone.
    pub utc_offset_minutes: i16,
    /// The year of syslog times, which have none.
    pub year: i32,
}

/// A time, and the offset its source wrote (`None`: it wrote none).
pub type Parsed = (Timestamp, Option<i16>);

impl Timestamp {
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1000))
    }
    /// Seconds as a decimal number, in text: `1719472214` or `1719472214.123456`.
    pub fn from_epoch_text(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let secs: i64 = whole.parse().ok()?;
        // Milliseconds and microseconds are told by their length: 13 and 16 digits.
        match whole.trim_start_matches('-').len() {
            12 | 13 => return Some(Self::from_millis(secs)),
            15 | 16 => return Some(Self(secs)),
            18 | 19 => return Some(Self(secs / 1000)),
            _ => {}
        }
        Some(Self(secs.checked_mul(1_000_000)?.checked_add(micros(fraction.as_bytes())?)?))
    }

    /// Reads RFC 3339, `2019-11-04 08:21:40.27281`, `2019/11/04 08:21:40`, and the same with `+0800`,
    /// `+08:00`, `Z` or ` UTC` behind it. A date that does not exist is `None`.
    pub fn parse(text: &str, defaults: &TimeDefaults) -> Option<Parsed> {
        let b = text.trim().as_bytes();
        if b.len() < 10 || !(b[4] == b'-' || b[4] == b'/') || b[7] != b[4] {
            return None;
        }
        let date = days(number(&b[0..4])?, number(&b[5..7])?, number(&b[8..10])?)?;
        let mut at = 10;
        let mut clock = 0i64;
        if b.len() > 10 {
            if !matches!(b[10], b'T' | b' ' | b't') || b.len() < 16 || b[13] != b':' {
                return None;
            }
            let (hour, minute) = (number(&b[11..13])?, number(&b[14..16])?);
            at = 16;
            let mut second = 0;
            if b.len() >= 19 && b[16] == b':' {
                second = number(&b[17..19])?;
                at = 19;
            }
            if hour > 23 || minute > 59 || second > 60 {
                return None;
            }
            clock = (hour * 3600 + minute * 60 + second) * 1_000_000;
            if at < b.len() && (b[at] == b'.' || b[at] == b',') {
                let end = b[at + 1..].iter().position(|c| !c.is_ascii_digit()).map_or(b.len(), |n| at + 1 + n);
                clock += micros(&b[at + 1..end])?;
                at = end;
            }
        }
        let offset = zone(&b[at..])?;
        let minutes = i64::from(offset.unwrap_or(defaults.utc_offset_minutes));
        Some((Self(date * 86_400_000_000 + clock - minutes * 60_000_000), offset))
    }

    /// Reads `Mar  2 10:11:12`, the syslog time without a year, at the front of a line; returns the rest.
    pub fn parse_syslog<'a>(line: &'a str, defaults: &TimeDefaults) -> Option<(Self, &'a str)> {
        let b = line.as_bytes();
        if b.len() < 15 || b[3] != b' ' || b[6] != b' ' || b[9] != b':' || b[12] != b':' || !line.is_char_boundary(15) {
            return None;
        }
        let month = month(&b[0..3])?;
        let day = if b[4] == b' ' { number(&b[5..6])? } else { number(&b[4..6])? };
        let (hour, minute, second) = (number(&b[7..9])?, number(&b[10..12])?, number(&b[13..15])?);
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let date = days(i64::from(defaults.year), month, day)?;
        let secs = date * 86400 + hour * 3600 + minute * 60 + second - i64::from(defaults.utc_offset_minutes) * 60;
        Some((Self::from_secs(secs), &line[15..]))
    }

    /// Reads the time of a combined access log: `10/Oct/2000:13:55:36 -0700`.
    pub fn parse_clf(text: &str) -> Option<Parsed> {
        let b = text.as_bytes();
        if b.len() < 20 || b[2] != b'/' || b[6] != b'/' || b[11] != b':' {
            return None;
        }
        let date = days(number(&b[7..11])?, month(&b[3..6])?, number(&b[0..2])?)?;
        let (hour, minute, second) = (number(&b[12..14])?, number(&b[15..17])?, number(&b[18..20])?);
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let offset = zone(&b[20..])?;
        let secs = date * 86400 + hour * 3600 + minute * 60 + second - i64::from(offset.unwrap_or(0)) * 60;
        Some((Self::from_secs(secs), offset))
    }

    /// `2019-11-04`, the day in UTC.
    pub fn day(self) -> String {
        let (year, month, day) = civil(self.0.div_euclid(86_400_000_000));
        format!("{year:04}-{month:02}-{day:02}")
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, month, day) = civil(self.0.div_euclid(86_400_000_000));
        let rest = self.0.rem_euclid(86_400_000_000);
        let secs = rest / 1_000_000;
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:06}Z",
            secs / 3600,
            secs / 60 % 60,
            secs % 60,
            rest % 1_000_000
        )
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0i64, |n, c| c.is_ascii_digit().then(|| n * 10 + i64::from(c - b'0')))
}

/// Up to six digits of a fraction; further ones are dropped.
fn micros(digits: &[u8]) -> Option<i64> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    (0..6).try_fold(0i64, |n, i| Some(n * 10 + i64::from(digits.get(i).map_or(0, |c| c - b'0'))))
}

fn month(name: &[u8]) -> Option<i64> {
    const NAMES: [&[u8; 3]; 12] =
        [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
    let index = NAMES.iter().position(|it| it.eq_ignore_ascii_case(name))?;
    i64::try_from(index + 1).ok()
}

/// `Some(None)` where no zone is written, `None` where what stands there is no zone.
fn zone(rest: &[u8]) -> Option<Option<i16>> {
    let rest = rest.trim_ascii();
    match rest {
        b"" => Some(None),
        b"Z" | b"z" | b"UTC" | b"GMT" => Some(Some(0)),
        [sign @ (b'+' | b'-'), digits @ ..] => {
            let (hours, minutes) = match digits {
                [a, b, b':', c, d] | [a, b, c, d] => (number(&[*a, *b])?, number(&[*c, *d])?),
                [a, b] => (number(&[*a, *b])?, 0),
                _ => return None,
            };
            if hours > 14 || minutes > 59 {
                return None;
            }
            let minutes = i16::try_from(hours * 60 + minutes).ok()?;
            Some(Some(if *sign == b'-' { -minutes } else { minutes }))
        }
        _ => None,
    }
}

/// Days since 1970-01-01, `None` for a date that does not exist.
/// Source: Howard Hinnant, "chrono-compatible low-level date algorithms".
pub fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    const LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let length = LENGTHS.get(usize::try_from(month - 1).ok()?)? + i64::from(leap && month == 2);
    if day < 1 || day > length {
        return None;
    }
    let y = year - i64::from(month <= 2);
    let era = y.div_euclid(400);
    let year_of_era = y - era * 400;
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let mp = (5 * day_of_year + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day_of_year - (153 * mp + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<&str>) {
        let got = Timestamp::parse(text, &TimeDefaults::default()).map(|(time, _)| time.to_string());
        assert_eq!(got.as_deref(), expect, "{text}");
    }

    #[test]
    fn times_as_logs_write_them() {
        check("2019-11-04 08:21:40.27281", Some("2019-11-04T08:21:40.272810Z"));
        check("2026-03-01T00:00:00.123Z", Some("2026-03-01T00:00:00.123000Z"));
        check("2011-08-12T14:52:57.716360+0200", Some("2011-08-12T12:52:57.716360Z"));
        check("2024-08-01 16:45:40", Some("2024-08-01T16:45:40.000000Z"));
        check("2020-02-29T00:00:00-07:30", Some("2020-02-29T07:30:00.000000Z"));
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        check("2018-09-31 08:00:00", None);
        check("2019-02-29 08:00:00", None);
        check("2019-13-01 08:00:00", None);
        check("N/A", None);
        check("2019-11-04 25:00:00", None);
    }

    #[test]
    fn epochs_and_other_spellings() {
        assert_eq!(Timestamp::from_epoch_text("1719472214.5"), Some(Timestamp(1_719_472_214_500_000)));
        assert_eq!(Timestamp::from_epoch_text("1719472214123"), Some(Timestamp(1_719_472_214_123_000)));
        let defaults = TimeDefaults { year: 2019, ..TimeDefaults::default() };
        let (time, rest) = Timestamp::parse_syslog("Mar  2 10:11:12 host sshd", &defaults).unwrap();
        assert_eq!((time.to_string().as_str(), rest), ("2019-03-02T10:11:12.000000Z", " host sshd"));
        let (time, offset) = Timestamp::parse_clf("10/Oct/2000:13:55:36 -0700").unwrap();
        assert_eq!((time.to_string().as_str(), offset), ("2000-10-10T20:55:36.000000Z", Some(-420)));
    }
}
