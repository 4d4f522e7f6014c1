//! word → path, and whether its place says anything. Deliberately absent: what was done with it (`command`).

use std::sync::LazyLock;

use super::names::Names;
use super::tools;

/// The path that a word is: after `name=` too. `relative`: one without a root, if it has a directory;
/// `name`: even a bare one.
pub(super) fn path_in(text: &str, relative: bool, name: bool) -> Option<&str> {
    let mut class = classes(text.as_bytes());
    if class & (SLASH | BACKSLASH) == 0 && !name || text.is_empty() || text.len() > 1024 {
        return None;
    }
    let mut text = text;
    if class & EQUALS != 0
        && let Some((before, after)) = text.split_once('=')
        && !before.is_empty()
        && is_rooted(after)
        && before.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    {
        text = after;
        class = classes(text.as_bytes());
    }
    let bytes = text.as_bytes();
    let rooted = is_rooted(text);
    if !rooted {
        let slash = class & (SLASH | BACKSLASH) != 0;
        if !(relative && slash || name) || matches!(bytes[0], b'-' | b'%' | b'@') || class & PLUS != 0 {
            return None;
        }
        if !slash && (class & EQUALS != 0 || !bytes.iter().any(u8::is_ascii_alphabetic)) {
            return None;
        }
    }
    // `./a+b` is form-encoded; `\\xbd` an escape
    if bytes[0] == b'.' && class & PLUS != 0 || bytes[0] == b'\\' && !rooted {
        return None;
    }
    let windows = bytes[0] != b'/' && is_windows(text);
    let bad = match (windows, rooted) {
        (true, _) => NEVER,
        (false, true) => NEVER | COLON | WINDOWS | BACKSLASH,
        (false, false) => NEVER | COLON | WINDOWS,
    };
    let drive = windows && bytes[1] == b':';
    if class & bad != 0 || windows && class & COLON != 0 && bytes[if drive { 2 } else { 0 }..].contains(&b':') {
        return None;
    }
    let text = text.strip_prefix("./").or_else(|| text.strip_prefix(".\\")).unwrap_or(text);
    let text = text.trim_end_matches('/');
    (!text.is_empty() && text != "." && text != ".." && text != "~").then_some(text)
}

/// In no path.
const NEVER: u8 = 1;
/// Only in a Windows path.
const WINDOWS: u8 = 2;
const BACKSLASH: u8 = 4;
const SLASH: u8 = 8;
const EQUALS: u8 = 16;
const PLUS: u8 = 32;
const COLON: u8 = 64;

static PATH: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut b = 0usize;
    while b < 256 {
        table[b] = match b as u8 {
            b'*' | b'?' | b'$' | b'`' | b'"' | b'\'' | b'<' | b'>' | b'|' | b';' | b',' | b'{' | b'}' | b'!' | b'#'
            | b'^' | b'\n' | b'\r' | 0 | b'&' => NEVER,
            b'(' | b')' | b'[' | b']' | b' ' => WINDOWS,
            b'\\' => BACKSLASH,
            b'/' => SLASH,
            b'=' => EQUALS,
            b'+' => PLUS,
            b':' => COLON,
            _ => 0,
        };
        b += 1;
    }
    table
};

fn classes(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |class, byte| class | PATH[*byte as usize])
}

fn is_rooted(text: &str) -> bool {
    let bytes = text.as_bytes();
    match bytes {
        [b'/', next, ..] => *next != b'/',
        [b'~', b'/', ..] | [b'.', b'/', ..] | [b'.', b'.', b'/', ..] => true,
        _ => is_windows(text),
    }
}

fn is_windows(text: &str) -> bool {
    match text.as_bytes() {
        [drive, b':', b'\\', _, ..] => drive.is_ascii_alphabetic(),
        [b'\\', b'\\', next, ..] => next.is_ascii_alphanumeric() && text[2..].contains('\\'),
        [b'%', ..] => text[1..]
            .find("%\\")
            .is_some_and(|end| text[1..=end].bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')),
        _ => false,
    }
}

/// Where bots put what they drop; naming it is worth a mention.
pub(super) fn is_volatile(path: &str) -> bool {
    if let [b'/', next, ..] = path.as_bytes() {
        return matches!(next, b't' | b'v' | b'd')
            && ["/tmp/", "/var/tmp/", "/dev/shm/"].iter().any(|it| path.len() > it.len() && path.starts_with(it))
            && !QUIET_FILES.iter().any(|it| path.contains(it));
    }
    if is_windows(path) {
        let lower = path.to_ascii_lowercase();
        return [
            "\\temp\\",
            "%temp%\\",
            "%tmp%\\",
            "\\appdata\\",
            "%appdata%\\",
            "\\programdata\\",
            "\\users\\public\\",
            "%public%\\",
        ]
        .iter()
        .any(|it| lower.contains(it));
    }
    false
}

/// Sockets and lock folders that every host has.
const QUIET_FILES: &[&str] = &["-unix", "/systemd-private-", "/ssh-", "/hsperfdata_", "/npm-", "/pip-"];

pub(super) fn is_executable_place(path: &str, here: bool) -> bool {
    if let Some(inner) = path.strip_prefix('/') {
        let elsewhere = match inner.as_bytes().first() {
            Some(b'd') => path.starts_with("/dev/") && !path.starts_with("/dev/shm/"),
            Some(b'p') => path.starts_with("/proc/"),
            Some(b's') => path.starts_with("/sys/"),
            _ => false,
        };
        let folder =
            memchr::memchr(b'/', inner.as_bytes()).is_none() || path.len() <= 16 && DIRECTORIES.contains(&path);
        return !(elsewhere || folder || tools::is_system_program(path) || is_data_file(path));
    }
    if is_windows(path) {
        return path != "C:\\Program" && !tools::is_system_program(path) && !is_data_file(path);
    }
    // a relative path; a bare name that is a program's is that program
    !path.contains(['\\', '%', ':']) && (here || path.contains('/') || tools::tool(path.as_bytes()).is_none())
}

fn is_data_file(path: &str) -> bool {
    let slash = memchr::memrchr2(b'/', b'\\', path.as_bytes()).map_or(0, |at| at + 1);
    let name = &path[slash..];
    match memchr::memrchr(b'.', name.as_bytes()) {
        Some(at) => DATA_EXTENSIONS.get(&name.as_bytes()[at + 1..]).is_some(),
        None => matches!(name, "passwd" | "shadow" | "hosts" | "crontab"),
    }
}

static DATA_EXTENSIONS: LazyLock<Names<()>> = LazyLock::new(|| {
    const NAMES: &str = "html htm txt conf cfg log json xml css png jpg gif ico md yml yaml ini service pid sock gz zip pem key crt cab msu etl evtx";
    Names::new(NAMES.split(' ').map(|name| (name, ())))
});

pub(super) fn is_writable_place(path: &str) -> bool {
    if path.starts_with("/dev/") {
        return path.starts_with("/dev/shm/");
    }
    // `del x /q`, a named pipe
    if path.len() < 3 || path.starts_with("\\\\.\\") {
        return false;
    }
    !path.starts_with("/proc/") && !path.starts_with("/sys/") && !DIRECTORIES.contains(&path)
}

const DIRECTORIES: &[&str] = &[
    "/tmp",
    "/var",
    "/var/tmp",
    "/var/run",
    "/var/log",
    "/var/spool/cron",
    "/run",
    "/mnt",
    "/root",
    "/home",
    "/usr",
    "/usr/bin",
    "/usr/sbin",
    "/usr/local/bin",
    "/usr/lib",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/etc",
    "/opt",
    "/dev",
    "/proc",
    "/sys",
    "/srv",
    "/boot",
    "/media",
    "/data",
];
