//! `ls -la`, `ls -laR`, `find -ls`, `dir`, `dir /s` of a folder such as a web root → a file a line.
//!
//! Deliberately absent: what the files hold.

use ringleader_model::time::TimeDefaults;
use ringleader_model::{Activity, Event, EventClass, Field, Malformed, Timestamp};

use super::super::{Format, Framing, Reader, Record, Sink, SourceContext};
use super::{kind, lines};

pub struct FileListing;

impl Format for FileListing {
    fn name(&self) -> &'static str {
        "file_listing"
    }
    fn summary(&self) -> &'static str {
        "A folder of a host as ls -la, find -ls or dir printed it, such as a web root"
    }
    fn framing(&self) -> Framing {
        Framing::Lines { stateless: false }
    }
    fn is_artefact(&self) -> bool {
        true
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        let (mut all, mut files) = (0, 0);
        for line in lines(head) {
            all += 1;
            files += usize::from(
                row(&line).is_some() || dir_row(&line).is_some() || folder(&line).is_some() || is_frame(&line),
            );
        }
        files > 1 && files * 10 >= all * 9
    }
    fn reader(&self, context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Listing { times: context.times, folder: String::new() })
    }
}

struct Listing {
    times: TimeDefaults,
    folder: String,
}

impl Reader for Listing {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let text = super::super::text::decode(record.bytes);
        let line = text.trim();
        if line.is_empty() || is_frame(line) {
            return Ok(());
        }
        if let Some(folder) = folder(line) {
            folder.clone_into(&mut self.folder);
            return Ok(());
        }
        if let Some((date, name)) = dir_row(line) {
            let mut event = Event::new(EventClass::File, Activity::Other);
            event.put(Field::State, kind::LISTING);
            let folder = self.folder.trim_end_matches('\\');
            let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}\\{name}") };
            event.set(Field::TargetPath, path);
            if let Some((time, offset)) = super::local_time(date, &self.times) {
                (event.time, event.utc_offset_minutes) = (Some(time), offset);
            }
            sink.emit(&event);
            return Ok(());
        }
        let row = row(line).ok_or(Malformed::new("no line of ls -la"))?;
        if matches!(row.name, "." | "..") || row.mode.starts_with('d') {
            return Ok(());
        }
        let mut event = Event::new(EventClass::File, Activity::Other);
        event.put(Field::State, kind::LISTING);
        let path = if row.name.starts_with('/') || self.folder.is_empty() {
            row.name.to_owned()
        } else {
            format!("{}/{}", self.folder.trim_end_matches('/'), row.name)
        };
        event.set(Field::TargetPath, path);
        event.set(Field::User, row.owner);
        if let Some((time, offset)) = row.time(&self.times) {
            (event.time, event.utc_offset_minutes) = (Some(time), offset);
        }
        sink.emit(&event);
        Ok(())
    }
}

struct Row<'a> {
    mode: &'a str,
    owner: &'a str,
    date: [&'a str; 3],
    name: &'a str,
}

impl Row<'_> {
    fn time(&self, times: &TimeDefaults) -> Option<ringleader_model::time::Parsed> {
        let [a, b, c] = self.date;
        if a.len() == 10 {
            return Timestamp::parse(format!("{a} {b} {c}").trim(), times)
                .or_else(|| Timestamp::parse(&format!("{a} {b}"), times));
        }
        // `Sep 30 09:05`, or `Sep 30  2018`, which has no hour.
        if c.contains(':') {
            return Timestamp::parse_syslog(&format!("{a} {b:>2} {c:0>5}:00"), times).map(|it| (it.0, None));
        }
        let times = TimeDefaults { year: c.parse().ok()?, ..*times };
        Timestamp::parse_syslog(&format!("{a} {b:>2} 00:00:00"), &times).map(|it| (it.0, None))
    }
}

/// What stands around the files: sums, volumes, folders of `dir`.
fn is_frame(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("total ")
        || line.starts_with("Volume in drive")
        || line.starts_with("Volume Serial Number")
        || line.starts_with("驱动器")
        || line.starts_with("卷的序列号")
        || line.starts_with("Total Files Listed")
        || line.starts_with("所列文件总数")
        || ["File(s)", "Dir(s)", "个文件", "个目录"].iter().any(|it| line.contains(it))
        || (line.contains("<DIR>") || line.contains("<JUNCTION>") || line.contains("<SYMLINKD>"))
}

/// `09/30/2018  09:05 AM                31 shell.aspx`: when, and the name. The size may have commas.
fn dir_row(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if !line.bytes().next()?.is_ascii_digit() {
        return None;
    }
    let mut rest = line;
    let date = next_of(&mut rest)?;
    if date.len() < 8
        || date.len() > 10
        || date.split(['/', '-', '.']).filter(|it| it.parse::<u32>().is_ok()).count() != 3
    {
        return None;
    }
    let clock = next_of(&mut rest)?;
    if !clock.contains(':') {
        return None;
    }
    let mut end = line.len() - rest.len();
    let mut size = next_of(&mut rest)?;
    if matches!(size, "AM" | "PM" | "am" | "pm") {
        end = line.len() - rest.len();
        size = next_of(&mut rest)?;
    }
    let is_size = size.bytes().all(|b| b.is_ascii_digit() || matches!(b, b',' | b'.'));
    (is_size && !rest.is_empty()).then(|| (line[..end].trim_end(), rest))
}

fn folder(line: &str) -> Option<&str> {
    let line = line.trim();
    if let Some(folder) = line.strip_prefix("Directory of ").or_else(|| line.strip_suffix(" 的目录")) {
        return Some(folder);
    }
    let folder = line.strip_suffix(':')?;
    folder.starts_with(['/', '.']).then_some(folder)
}

fn row(line: &str) -> Option<Row<'_>> {
    let mut line = line.trim();
    // `find -ls` writes inode and blocks before it.
    for _ in 0..2 {
        if line.bytes().next()?.is_ascii_digit() {
            let mut rest = line;
            next_of(&mut rest).filter(|it| it.bytes().all(|b| b.is_ascii_digit()))?;
            line = rest;
        }
    }
    let mode = line.split_whitespace().next()?;
    let ok = mode.len() >= 10
        && mode.is_ascii()
        && matches!(mode.as_bytes()[0], b'-' | b'd' | b'l' | b's' | b'p' | b'c' | b'b')
        && mode[1..10].bytes().all(|b| matches!(b, b'r' | b'w' | b'x' | b'-' | b's' | b'S' | b't' | b'T'));
    if !ok {
        return None;
    }
    let mut rest = line[mode.len()..].trim_start();
    let mut next = || {
        let end = rest.find(char::is_whitespace)?;
        let word = &rest[..end];
        rest = rest[end..].trim_start();
        Some(word)
    };
    let _links = next()?;
    let owner = next()?;
    let _group = next()?;
    let _size = next()?;
    let (a, b) = (next()?, next()?);
    // `2018-09-30 09:05`, `2018-09-30 09:05:00.000000000 +0800`, `Sep 30 09:05`.
    let iso = a.len() == 10 && a.as_bytes()[4] == b'-';
    let zoned = iso && rest.starts_with(['+', '-']) && rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    let c = if !iso || zoned { next_of(&mut rest)? } else { "" };
    let name = rest.split(" -> ").next()?;
    (!name.is_empty()).then_some(Row { mode, owner, date: [a, b, c], name })
}

fn next_of<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let end = rest.find(char::is_whitespace)?;
    let word = &rest[..end];
    *rest = rest[end..].trim_start();
    Some(word)
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::read_all;
    use super::*;

    #[test]
    fn listings_of_other_tools() {
        let find = "  131074      4 drwxr-xr-x   2 root     root         4096 Sep 30 09:00 /var/www/html\n  131075      4 -rw-r--r--   1 www-data www-data       31 Sep 30 09:05 /var/www/html/upload.jsp\n";
        let dir = " Volume in drive C has no label.\r\n Volume Serial Number is 1234-ABCD\r\n\r\n Directory of C:\\inetpub\\wwwroot\r\n\r\n09/30/2018  09:05 AM    <DIR>          .\r\n09/30/2018  09:05 PM             1,031 my shell.aspx\r\n               1 File(s)             31 bytes\r\n";
        for (text, expect) in [
            (find, ["2024-09-30T09:05:00", "file_path=\"/var/www/html/upload.jsp\""]),
            (dir, ["2018-09-30T21:05:00", "file_path=\"C:\\\\inetpub\\\\wwwroot\\\\my shell.aspx\""]),
        ] {
            assert!(FileListing.recognizes(text.as_bytes()), "{text}");
            let got = read_all(&FileListing, text.as_bytes());
            assert!(got.len() == 1 && expect.iter().all(|it| got[0].contains(it)), "{got:#?}");
        }
    }

    #[test]
    fn files_of_a_web_root() {
        let text = "/var/www/html:\ntotal 12\ndrwxr-xr-x 2 root root 4096 Sep 30 09:00 .\n-rw-r--r-- 1 www-data www-data 31 Sep 30 09:05 up load.jsp\n-rw-r--r-- 1 root root 31 2018-09-29 10:00 index.php\n-rw-r--r-- 1 root root 31 2018-09-29 10:00:01.000000000 +0800 a.php\n";
        assert!(FileListing.recognizes(text.as_bytes()));
        let got = read_all(&FileListing, text.as_bytes());
        assert_eq!(got.len(), 3, "{got:#?}");
        assert!(
            got[0].contains("2024-09-30T09:05:00") && got[0].contains("file_path=\"/var/www/html/up load.jsp\""),
            "{got:#?}"
        );
        assert!(got[2].contains("2018-09-29T02:00:01"), "{got:#?}");
    }
}
