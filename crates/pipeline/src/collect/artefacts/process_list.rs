//! `ps`, `tasklist`, `wmic process` → a process a row, as it ran when the command was given.
//!
//! Deliberately absent: `wmic`'s list form, and columns that tell nothing of what ran.

use ringleader_model::{Activity, Event, EventClass, Field, Malformed};

use super::super::{Format, Framing, Reader, Record, Sink, SourceContext};
use super::lines;

pub struct ProcessList;

impl Format for ProcessList {
    fn name(&self) -> &'static str {
        "process_list"
    }
    fn summary(&self) -> &'static str {
        "Processes of a host as ps, tasklist or wmic process printed them"
    }
    fn framing(&self) -> Framing {
        Framing::Lines { stateless: false }
    }
    fn is_artefact(&self) -> bool {
        true
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        lines(head).take(5).any(|it| Layout::of(&it).is_some())
    }
    fn reader(&self, _context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Processes { layout: None })
    }
}

/// What a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Pid,
    Ppid,
    User,
    /// The image: a path or a name.
    Image,
    /// A whole command line: the rest of the row in `ps`.
    Command,
    Other,
}

fn column(name: &str) -> Column {
    match name.trim().trim_matches('"').to_ascii_lowercase().as_str() {
        "pid" | "processid" | "process id" => Column::Pid,
        "ppid" | "parentprocessid" => Column::Ppid,
        "user" | "uid" | "user name" | "owner" | "用户名" => Column::User,
        "image name" | "name" | "executablepath" | "映像名称" | "comm" | "exe" => Column::Image,
        "command" | "cmd" | "commandline" | "args" => Column::Command,
        _ => Column::Other,
    }
}

enum Layout {
    /// Separated by white space, the command last.
    Words(Vec<Column>),
    /// `tasklist /fo csv`, `wmic … /format:csv`.
    Comma(Vec<Column>),
    /// Under each name of the header, a field as wide as up to the next name (`wmic`, `tasklist`).
    Wide(Vec<(Column, usize)>),
}

impl Layout {
    fn of(line: &str) -> Option<Self> {
        let line = line.trim_end().trim_start_matches('\u{feff}');
        let has = |columns: &[Column]| {
            columns.contains(&Column::Pid) && (columns.contains(&Column::Command) || columns.contains(&Column::Image))
        };
        if line.contains(',') {
            let columns: Vec<Column> = line.split(',').map(column).collect();
            let tool = line.starts_with("Node,") || line.contains("Image Name") || line.contains("映像名称");
            return (tool && has(&columns)).then_some(Self::Comma(columns));
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let columns: Vec<Column> = words.iter().map(|it| column(it)).collect();
        let last_is_command = columns.last() == Some(&Column::Command);
        let upper = words.iter().all(|it| it.chars().all(|c| !c.is_lowercase()));
        if last_is_command
            && has(&columns)
            && upper
            && words.len() >= 3
            && words.len() <= 14
            && !line.contains("ProcessId")
        {
            return Some(Self::Words(columns));
        }
        let wide = line.starts_with("Image Name") || line.starts_with("映像名称") || line.contains("ProcessId");
        if !wide {
            return None;
        }
        // Where each name starts, in characters; `Image Name` is one name, `PID Session Name` are two.
        let letters: Vec<char> = line.chars().collect();
        let mut starts = Vec::new();
        let mut at = 0;
        while at < letters.len() {
            if letters[at].is_whitespace() {
                at += 1;
                continue;
            }
            let gap = (at..letters.len())
                .find(|it| letters[*it].is_whitespace() && letters.get(it + 1).is_none_or(|c| c.is_whitespace()));
            let end = gap.unwrap_or(letters.len());
            let name: String = letters[at..end].iter().collect();
            match name.strip_prefix("PID ") {
                Some(_) => starts.extend([(Column::Pid, at), (Column::Other, at + 4)]),
                None => starts.push((column(&name), at)),
            }
            at = end;
        }
        let columns: Vec<Column> = starts.iter().map(|it| it.0).collect();
        has(&columns).then_some(Self::Wide(starts))
    }
}

struct Processes {
    layout: Option<Layout>,
}

impl Reader for Processes {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let text = super::super::text::decode(record.bytes);
        let line = text.trim_end();
        if let Some(layout) = Layout::of(line) {
            self.layout = Some(layout);
            return Ok(());
        }
        let Some(layout) = &self.layout else { return Ok(()) };
        if line.trim().is_empty() || line.starts_with("===") {
            return Ok(());
        }
        let cells = cells(layout, line);
        let get =
            |wanted: Column| cells.iter().find(|it| it.0 == wanted).map(|it| it.1.trim()).filter(|it| !it.is_empty());
        let mut event = Event::new(EventClass::Process, Activity::Snapshot);
        event.pid = get(Column::Pid).and_then(|it| it.parse().ok());
        event.ppid = get(Column::Ppid).and_then(|it| it.parse().ok());
        if event.pid.is_none() {
            return Err(Malformed::new("no process id where the header has one"));
        }
        let command = get(Column::Command);
        let image = get(Column::Image).or_else(|| {
            // A kernel thread stands in brackets and has no image.
            command.filter(|it| !it.starts_with('[')).and_then(first_word)
        });
        event.set(Field::FilePath, image);
        event.set(Field::CmdLine, command);
        event.set(Field::User, get(Column::User));
        sink.emit(&event);
        Ok(())
    }
}

fn first_word(command: &str) -> Option<&str> {
    match command.strip_prefix('"') {
        Some(rest) => rest.split('"').next(),
        None => command.split_whitespace().next(),
    }
    .map(|it| it.trim_end_matches(':'))
}

fn cells(layout: &Layout, line: &str) -> Vec<(Column, String)> {
    match layout {
        Layout::Comma(columns) => match super::super::plain::fields(line.as_bytes(), b',') {
            Some(row) => columns.iter().copied().zip(row.iter().map(str::to_owned)).collect(),
            None => Vec::new(),
        },
        Layout::Words(columns) => {
            let mut rest = line.trim_start();
            let mut cells = Vec::new();
            for (at, column) in columns.iter().enumerate() {
                let end = if at + 1 == columns.len() {
                    rest.len()
                } else {
                    rest.find(char::is_whitespace).unwrap_or(rest.len())
                };
                cells.push((*column, rest[..end].to_owned()));
                rest = rest[end..].trim_start();
            }
            cells
        }
        Layout::Wide(starts) => {
            let letters: Vec<char> = line.chars().collect();
            let ends = starts.iter().skip(1).map(|it| it.1).chain([usize::MAX]);
            let cut = |from: usize, to: usize| letters.get(from..to.min(letters.len())).unwrap_or(&[]).iter().collect();
            let pid = starts.iter().position(|it| it.0 == Column::Pid);
            // `tasklist` sets numbers flush right, so they start before their heading: the first number is the id.
            if starts.first().is_some_and(|it| it.0 == Column::Image)
                && pid == Some(1)
                && starts.len() > 2
                && starts[2].1 == starts[1].1 + 4
            {
                let words: Vec<&str> = line.split_whitespace().collect();
                let Some(at) = words.iter().skip(1).position(|it| it.bytes().all(|b| b.is_ascii_digit())) else {
                    return Vec::new();
                };
                return vec![(Column::Image, words[..=at].join(" ")), (Column::Pid, words[at + 1].to_owned())];
            }
            let cells: Vec<(Column, String)> =
                starts.iter().zip(ends).map(|(it, end)| (it.0, cut(it.1, end))).collect();
            cells
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::read_all;
    use super::*;

    fn check(text: &str, expect: &[&str]) {
        assert!(ProcessList.recognizes(text.as_bytes()), "{text}");
        let got = read_all(&ProcessList, text.as_bytes());
        for part in expect {
            assert!(got.iter().any(|it| it.contains(part)), "{part}: {got:#?}");
        }
    }

    #[test]
    fn lists_of_three_tools() {
        check(
            "USER       PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\nroot         1  0.0  0.1 225868  9300 ?        Ss   09:00   0:01 /sbin/init splash\nroot      4021 99.0  0.1 225868  9300 ?        Ss   09:00   0:01 /tmp/.x/kworkerds -o pool\n",
            &[
                "pid=Some(4021) ppid=None",
                "process_file_path=\"/tmp/.x/kworkerds\" process_cmd_line=\"/tmp/.x/kworkerds -o pool\"",
            ],
        );
        check(
            "UID        PID  PPID  C STIME TTY          TIME CMD\nroot       77     1  0 09:00 ?        00:00:01 /usr/sbin/sshd -D\n",
            &["pid=Some(77) ppid=Some(1)", "process_file_path=\"/usr/sbin/sshd\""],
        );
        check(
            "\nImage Name                     PID Session Name        Session#    Mem Usage\n========================= ======== ================ =========== ============\nsvchost.exe                   2208 Services                   0     12,345 K\n",
            &["pid=Some(2208)", "process_file_path=\"svchost.exe\""],
        );
        check(
            "CommandLine                                    ExecutablePath                                    ParentProcessId  ProcessId  \nC:\\Windows\\SpeechsTracing\\Microsoft\\svchost.exe  C:\\Windows\\SpeechsTracing\\Microsoft\\svchost.exe   1032             2208       \n",
            &["pid=Some(2208) ppid=Some(1032)", "Tracing\\\\Microsoft\\\\svchost.exe"],
        );
        check(
            "Node,CommandLine,ExecutablePath,ParentProcessId,ProcessId\r\nWEB1,\"C:\\x\\a.exe -k, -l\",C:\\x\\a.exe,1032,2208\r\n",
            &["pid=Some(2208) ppid=Some(1032)", "process_cmd_line=\"C:\\\\x\\\\a.exe -k, -l\""],
        );
    }

    #[test]
    fn what_is_no_list_of_processes() {
        for text in
            ["time,host,pid,ppid,cmd_line\n", "name,role\nweb,1\n", "pid is a number\n", "PID 5 is bad COMMAND\nx\n"]
        {
            assert!(!ProcessList.recognizes(text.as_bytes()), "{text}");
        }
    }
}
