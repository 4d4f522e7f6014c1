//! Syslog for a SIEM: RFC 5424 around ArcSight's Common Event Format, one line a warning, over TCP or UDP.
//!
//! `CEF:0|vendor|product|version|class|name|severity|extension`: in the heading `\` and `|` are escaped, in the extension
//! `\` and `=`, and line ends are written `\n`. UDP tells nobody whether it arrived; TCP tells that it was sent.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _, UdpSocket};
use std::time::Duration;

use ringleader_report::escape::visible;

use super::Post;
use crate::Failure;
use crate::http::is_internal;
use crate::note::Note;

const TIMEOUT: Duration = Duration::from_secs(5);
/// Facility 13 (log audit), severity 4 (warning).
const PRIORITY: u8 = 13 * 8 + 4;
/// Longest value of an extension.
const MAX_VALUE: usize = 1000;
/// Longest line over UDP.
const MAX_DATAGRAM: usize = 8 << 10;

pub(super) fn send(post: &Post<'_>) -> Result<(), Failure> {
    let (scheme, server) =
        post.url.split_once("://").ok_or_else(|| Failure::never("write the receiver as tcp://host:port"))?;
    let server = server.trim_end_matches('/');
    let found: Vec<SocketAddr> =
        server.to_socket_addrs().map_err(|error| Failure::later(format!("{server}: {error}")))?.collect();
    if !post.channel.internal() && found.iter().any(|it| is_internal(it.ip())) {
        return Err(Failure::never("that is a private address, and allow_internal is false"));
    }
    let Some(address) = found.first() else { return Err(Failure::later(format!("{server}: no such host"))) };
    let time = post.now.to_string();
    let lines: Vec<String> = post
        .notes
        .iter()
        .map(|it| format!("<{PRIORITY}>1 {time} - ringleader - {} - {}", it.warning.kind.name(), cef(it)))
        .collect();
    let failed = |error: std::io::Error| Failure::later(format!("{server}: {error}"));
    match scheme {
        "tcp" => {
            let mut stream = TcpStream::connect_timeout(address, TIMEOUT).map_err(failed)?;
            stream.set_write_timeout(Some(TIMEOUT)).map_err(failed)?;
            // No line holds a line end: it is the frame (RFC 6587, 3.4.2).
            let all: String = lines.iter().flat_map(|it| [it.as_str(), "\n"]).collect();
            stream.write_all(all.as_bytes()).and_then(|()| stream.shutdown(std::net::Shutdown::Write)).map_err(failed)
        }
        "udp" => {
            let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
            let socket = UdpSocket::bind(any).map_err(failed)?;
            for line in &lines {
                let mut end = line.len().min(MAX_DATAGRAM);
                while !line.is_char_boundary(end) {
                    end -= 1;
                }
                socket.send_to(&line.as_bytes()[..end], address).map_err(failed)?;
            }
            Ok(())
        }
        _ => Err(Failure::never("a receiver begins with tcp:// or udp://")),
    }
}

fn heading(text: &str) -> String {
    visible(text).chars().take(MAX_VALUE).collect::<String>().replace('\\', "\\\\").replace('|', "\\|")
}

fn value(text: &str) -> String {
    visible(text).chars().take(MAX_VALUE).collect::<String>().replace('\\', "\\\\").replace('=', "\\=")
}

fn cef(note: &Note) -> String {
    let it = &note.warning;
    let severity = (it.rank / 10).min(10);
    let mut line = format!(
        "CEF:0|Ringleader|ringleader|{}|{}|{}|{severity}|",
        env!("CARGO_PKG_VERSION"),
        it.kind.name(),
        heading(&it.kind.name().replace('_', " ")),
    );
    let subject: Vec<&str> = it.subject.iter().map(|it| &**it).collect();
    let pairs = [
        ("rt", it.time.map_or(String::new(), |it| (it.0 / 1000).to_string())),
        ("externalId", value(&it.warning_id)),
        ("msg", value(&it.text)),
        ("cnt", it.hosts.to_string()),
        ("cs1Label", "gang".to_owned()),
        ("cs1", value(&note.gang)),
        ("cs2Label", "gangId".to_owned()),
        ("cs2", value(it.gang_id.as_deref().unwrap_or_default())),
        ("cs3Label", "subject".to_owned()),
        ("cs3", value(&subject.join(", "))),
        ("cs4Label", "toDo".to_owned()),
        ("cs4", value(&it.to_do)),
    ];
    let pairs: Vec<String> =
        pairs.iter().filter(|it| !it.1.is_empty()).map(|(name, value)| format!("{name}={value}")).collect();
    line.push_str(&pairs.join(" "));
    line
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::net::TcpListener;

    use ringleader_model::Timestamp;

    use super::*;
    use crate::channels::deliver;
    use crate::channels::testing::channel;
    use crate::note::tests::{HOSTILE, note};

    /// What a SIEM reads: unescaped fields of the heading, and the extension.
    fn read(line: &str) -> (Vec<String>, String) {
        let cef = &line[line.find("CEF:").unwrap()..];
        let (mut fields, mut field, mut escaped) = (Vec::new(), String::new(), false);
        for (at, c) in cef.char_indices() {
            match c {
                _ if escaped => {
                    field.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                '|' => fields.push(std::mem::take(&mut field)),
                c => field.push(c),
            }
            if fields.len() == 7 {
                return (fields, cef[at + 1..].to_owned());
            }
        }
        panic!("no CEF: {line}");
    }

    #[test]
    fn a_line_is_one_event_whatever_the_names_are() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("tcp://{}", listener.local_addr().unwrap());
        let taken = std::thread::spawn(move || {
            let mut text = String::new();
            listener.accept().unwrap().0.read_to_string(&mut text).unwrap();
            text
        });
        let notes = [note(HOSTILE), note("Rake")];
        deliver(&channel("syslog", &url, ""), &notes, &[], Timestamp::from_secs(1_800_000_000)).unwrap();
        let text = taken.join().unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
        for line in text.lines() {
            assert!(line.starts_with("<108>1 2027-01-15T08:00:00"), "{line}");
            let (fields, extension) = read(line);
            assert_eq!((fields[0].as_str(), fields[4].as_str()), ("CEF:0", "new_infrastructure"));
            assert!(extension.contains("externalId=test-") && extension.contains("cs1Label=gang"), "{extension}");
            assert!(!line.chars().any(ringleader_report::escape::acts));
        }
        assert!(text.contains("cs1=Rake"));
        assert_eq!(value("a=b\\c"), "a\\=b\\\\c");
        assert_eq!(heading("a|b"), "a\\|b");
    }
}
