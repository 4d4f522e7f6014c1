//! One file a receiver: notes → its own message, sent.

mod dingtalk;
mod feishu;
mod mail;
mod slack;
mod syslog;
mod teams;
mod webhook;
mod wecom;

use ringleader_model::Timestamp;

use crate::Failure;
use crate::config::{Channel, Kind};
use crate::note::Note;

/// Several notes are one message.
pub(crate) fn deliver(channel: &Channel, notes: &[Note], ids: &[String], now: Timestamp) -> Result<(), Failure> {
    let url = channel.url().map_err(Failure::later)?;
    let secret = channel.secret().map_err(Failure::later)?;
    let post = Post { channel, url: &url, secret: secret.as_deref(), notes, ids, now };
    match channel.kind {
        Kind::Dingtalk => dingtalk::send(&post),
        Kind::Feishu => feishu::send(&post),
        Kind::Wecom => wecom::send(&post),
        Kind::Slack => slack::send(&post),
        Kind::Teams => teams::send(&post),
        Kind::Webhook => webhook::send(&post),
        Kind::Mail => mail::send(&post),
        Kind::Syslog => syslog::send(&post),
    }
}

pub(crate) struct Post<'a> {
    channel: &'a Channel,
    url: &'a str,
    secret: Option<&'a str>,
    notes: &'a [Note],
    /// Of the messages in the outbox.
    ids: &'a [String],
    now: Timestamp,
}

#[cfg(test)]
pub(crate) mod testing {
    //! A server that answers once and keeps what it was asked.

    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use crate::config::{Channel, Config};

    #[derive(Debug)]
    pub(crate) struct Asked {
        pub line: String,
        /// Names in lower case.
        pub headers: std::collections::BTreeMap<String, String>,
        pub body: String,
    }

    /// Its address, and what one request said.
    pub(crate) fn server(answer: &'static str) -> (String, JoinHandle<Asked>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let handle = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let mut headers = std::collections::BTreeMap::new();
            loop {
                let mut header = String::new();
                reader.read_line(&mut header).unwrap();
                let Some((name, value)) = header.trim_end().split_once(':') else { break };
                headers.insert(name.to_lowercase(), value.trim().to_owned());
            }
            let length: usize = headers.get("content-length").map_or(0, |it| it.parse().unwrap());
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let mut stream = stream;
            // Whoever refuses to read so much hangs up.
            let _ = stream.write_all(answer.as_bytes());
            Asked { line: line.trim_end().to_owned(), headers, body: String::from_utf8(body).unwrap() }
        });
        (address, handle)
    }

    pub(crate) fn channel(kind: &str, url: &str, more: &str) -> Channel {
        let text = format!("[[channel]]\nname = 'ops'\nkind = '{kind}'\nurl = '{url}'\nallow_internal = true\n{more}");
        Config::parse(&text).unwrap().channels.remove(0)
    }

    pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
}

#[cfg(test)]
mod tests {
    use super::testing::{channel, server};
    use super::*;
    use crate::Again;
    use crate::note::tests::note;

    fn told(answer: &'static str) -> Failure {
        let (url, asked) = server(answer);
        let failure =
            deliver(&channel("webhook", &url, ""), &[note("x")], &["id".to_owned()], Timestamp(1)).unwrap_err();
        asked.join().unwrap();
        failure
    }

    #[test]
    fn what_a_bad_server_answers_is_survived() {
        let moved = told("HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\n\r\n");
        assert!(moved.what.contains("redirects are not followed") && moved.again == Again::Never, "{moved}");
        let broken = told("HTTP/1.1 500 Oops\r\ncontent-length: 4\r\n\r\nbusy");
        assert_eq!((broken.what.as_str(), broken.again), ("500: busy", Again::Later));
        let busy = told("HTTP/1.1 429 Slow\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(busy.again, Again::After(7));
        let refused = told("HTTP/1.1 404 Gone\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(refused.again, Again::Never);
        assert_eq!(told("not http at all\r\n\r\n").again, Again::Later);
    }

    #[test]
    fn an_endless_answer_is_not_read_to_its_end() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let endless = std::thread::spawn(move || {
            use std::io::{Read as _, Write as _};
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\n");
            let mut written = 0u64;
            while stream.write_all(&[b'x'; 65_536]).is_ok() && written < 1 << 28 {
                written += 65_536;
            }
            written
        });
        let failure = deliver(&channel("slack", &url, ""), &[note("x")], &["id".to_owned()], Timestamp(1)).unwrap_err();
        assert!(failure.what.contains("longer than"), "{failure}");
        assert!(endless.join().unwrap() < 1 << 28);
    }
}
