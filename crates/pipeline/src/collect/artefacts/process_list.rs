//! `ps`, `tasklist`, `wmic process`, PowerShell's export → a process a row, as it ran when the command was given.
//!
//! Deliberately absent: columns that tell nothing of what ran.

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
        lines(head).take(5).any(|it| Layout::of(&it).is_some()) || is_list(head)
    }
    fn reader(&self, _context: &SourceContext, head: &[u8]) -> Box<dyn Reader> {
        if is_list(head) { Box::new(Blocks::default()) } else { Box::new(Processes { layout: None }) }
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
            // `Get-CimInstance Win32_Process | Export-Csv`: who logs processes names a time or a host beside.
            let exported =
                line.contains("ProcessId\"") && line.contains("\"ParentProcessId\"") && !line.contains("Time");
            let tool =
                exported || line.starts_with("Node,") || line.contains("Image Name") || line.contains("映像名称");
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

/// `wmic process list full`, `… /format:list`: `Name=value`, a block a process.
fn is_list(head: &[u8]) -> bool {
    let (mut all, mut named, mut pids) = (0, 0, 0);
    for line in lines(head) {
        all += 1;
        let Some((name, _)) = line.split_once('=') else { continue };
        named += usize::from(!name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric()));
        pids += usize::from(name == "ProcessId");
    }
    pids > 0 && named == all && lines(head).any(|it| it.starts_with("ExecutablePath=") || it.starts_with("Name="))
}

#[derive(Default)]
struct Blocks {
    /// Names and values of the process that is being read.
    block: Vec<(String, String)>,
}

/// Names that one process has.
const MAX_NAMES: usize = 128;

impl Blocks {
    fn flush(&mut self, sink: &mut dyn Sink) {
        let block = std::mem::take(&mut self.block);
        let all = |wanted: Column| {
            let of = block.iter().filter(move |it| column(&it.0) == wanted && !it.1.is_empty());
            of.map(|it| it.1.as_str())
        };
        let get = |wanted: Column| all(wanted).next();
        let Some(pid) = get(Column::Pid).and_then(|it| it.parse().ok()) else { return };
        let mut event = Event::new(EventClass::Process, Activity::Snapshot);
        event.pid = Some(pid);
        event.ppid = get(Column::Ppid).and_then(|it| it.parse().ok());
        // The path, where there is one, says more than the name.
        event.set(Field::FilePath, all(Column::Image).find(|it| it.contains('\\')).or_else(|| get(Column::Image)));
        event.set(Field::CmdLine, get(Column::Command));
        sink.emit(&event);
    }
}

impl Reader for Blocks {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let text = super::super::text::decode(record.bytes);
        let line = text.trim();
        let Some((name, value)) = line.split_once('=') else {
            return if line.is_empty() { Ok(()) } else { Err(Malformed::new("no line of wmic's list")) };
        };
        // wmic leaves lines empty within a block, too: a name that comes again begins the next one.
        if self.block.iter().any(|it| it.0 == name) || self.block.len() >= MAX_NAMES {
            self.flush(sink);
        }
        self.block.push((name.to_owned(), value.trim().to_owned()));
        Ok(())
    }
    fn finish(&mut self, sink: &mut dyn Sink) {
        self.flush(sink);
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
    fn wmics_list_and_power_shells_export() {
        let list = "\r\r\n\r\r\nCommandLine=\r\r\nCreationDate=20180930\r\r\nName=System\r\r\nParentProcessId=0\r\r\nProcessId=4\r\r\n\r\r\n\r\r\nCommandLine=C:\\x\\a.exe -k=1\r\r\nExecutablePath=C:\\x\\a.exe\r\r\nName=a.exe\r\r\nParentProcessId=1032\r\r\nProcessId=2208\r\r\n";
        check(
            list,
            &[
                "pid=Some(4)",
                "pid=Some(2208) ppid=Some(1032)",
                "process_cmd_line=\"C:\\\\x\\\\a.exe -k=1\"",
                "process_file_path=\"C:\\\\x\\\\a.exe\"",
            ],
        );
        let got = read_all(&ProcessList, list.as_bytes());
        assert!(got.len() == 2 && got[0].contains("pid=Some(4)") && !got[0].contains("cmd_line"), "{got:#?}");
        let short = "Name=a.exe\r\r\nProcessId=7\r\r\n\r\r\nName=b.exe\r\r\nProcessId=8\r\r\n";
        check(short, &["pid=Some(7)", "pid=Some(8)"]);
        assert!(read_all(&ProcessList, short.as_bytes())[1].contains("b.exe"));
        check(
            "\"ProcessId\",\"ParentProcessId\",\"Name\",\"ExecutablePath\",\"CommandLine\"\r\n\"2208\",\"1200\",\"a.exe\",\"C:\\x\\a.exe\",\"a.exe -k, -l\"\r\n",
            &["pid=Some(2208) ppid=Some(1200)", "process_cmd_line=\"a.exe -k, -l\""],
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
