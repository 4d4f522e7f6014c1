//! E-mail over SMTP: plain text. `smtps://` is TLS from the start, `starttls://` demands it after the greeting, `smtp://`
//! has none and is for a relay next door. The password is the secret. Sent again, a mail has the same Message-ID.

use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Message, SmtpTransport, Transport as _};
use ringleader_model::hash::hash128;

use super::Post;
use crate::Failure;
use crate::http::is_internal;
use crate::note::{title, words};

const TIMEOUT: Duration = Duration::from_secs(20);

pub(super) fn send(post: &Post<'_>) -> Result<(), Failure> {
    let channel = post.channel;
    let (scheme, server) =
        post.url.split_once("://").ok_or_else(|| Failure::never("write the relay as smtps://host:port"))?;
    let default = match scheme {
        "smtp" => 25,
        "smtps" => 465,
        "starttls" => 587,
        _ => return Err(Failure::never("a relay begins with smtps://, starttls:// or smtp://")),
    };
    let (host, port) = match server.trim_end_matches('/').rsplit_once(':') {
        Some((host, port)) => (host, port.parse().map_err(|_| Failure::never("the relay's port is no number"))?),
        None => (server.trim_end_matches('/'), default),
    };
    if !channel.internal() && resolves_inside(host, port) {
        return Err(Failure::never("that is a private address, and allow_internal is false"));
    }
    let message = message(post)?;
    let tls = || TlsParameters::new(host.to_owned()).map_err(|_| Failure::never("the relay's name is no host name"));
    let mut builder = SmtpTransport::builder_dangerous(host).port(port).timeout(Some(TIMEOUT));
    builder = match scheme {
        "smtps" => builder.tls(Tls::Wrapper(tls()?)),
        "starttls" => builder.tls(Tls::Required(tls()?)),
        _ => builder.tls(Tls::None),
    };
    if let Some(user) = &channel.user {
        let password = post.secret.ok_or_else(|| Failure::never("user needs a password: secret or secret_env"))?;
        if scheme == "smtp" {
            return Err(Failure::never("a password is not sent over smtp://, which anyone can read"));
        }
        builder = builder.credentials(Credentials::new(user.clone(), password.to_owned()));
    }
    builder.build().send(&message).map(|_| ()).map_err(|error| {
        let what: String = error.to_string().chars().take(160).collect();
        if error.is_permanent() { Failure::never(what) } else { Failure::later(what) }
    })
}

fn resolves_inside(host: &str, port: u16) -> bool {
    use std::net::ToSocketAddrs as _;
    (host, port).to_socket_addrs().is_ok_and(|mut it| it.any(|it| is_internal(it.ip())))
}

fn message(post: &Post<'_>) -> Result<Message, Failure> {
    let channel = post.channel;
    let address = |it: &str| it.parse().map_err(|_| Failure::never(format!("{it} is no mail address")));
    let mut builder = Message::builder().from(address(channel.from.as_deref().unwrap_or_default())?);
    for to in &channel.to {
        builder = builder.to(address(to)?);
    }
    let id = hash128(post.ids.join("\n").as_bytes(), 0x705);
    let mut text = String::new();
    for note in post.notes {
        let words = words(channel.lang, note);
        text.push_str(&words.head);
        text.push('\n');
        for line in &words.lines {
            text.push_str(&format!("  {line}\n"));
        }
        text.push('\n');
    }
    builder
        .subject(title(channel.lang, post.notes))
        .message_id(Some(format!("<{id:032x}@ringleader.invalid>")))
        .header(ContentType::TEXT_PLAIN)
        .body(text)
        .map_err(|error| Failure::never(error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;

    use ringleader_model::Timestamp;

    use crate::Again;
    use crate::channels::deliver;
    use crate::channels::testing::channel;
    use crate::note::tests::{HOSTILE, note};

    /// A relay that takes one mail, or refuses the receiver with a code.
    fn relay(receiver: &'static str) -> (String, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("smtp://{}", listener.local_addr().unwrap());
        let handle = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut out = stream.try_clone().unwrap();
            let mut said = Vec::new();
            let mut data = false;
            let _ = out.write_all(b"220 relay.test ESMTP\r\n");
            for line in BufReader::new(stream).lines() {
                let Ok(line) = line else { break };
                let answer = if data {
                    data = line != ".";
                    if data { "" } else { "250 taken\r\n" }
                } else {
                    match line.split(' ').next().unwrap_or_default() {
                        "EHLO" => "250 relay.test\r\n",
                        "RCPT" => receiver,
                        "DATA" => {
                            data = true;
                            "354 go on\r\n"
                        }
                        "QUIT" => "221 bye\r\n",
                        _ => "250 ok\r\n",
                    }
                };
                said.push(line);
                if out.write_all(answer.as_bytes()).is_err() {
                    break;
                }
            }
            said
        });
        (address, handle)
    }

    const MORE: &str = "from = 'ringleader@ops.test'\nto = ['team@ops.test']";

    #[test]
    fn a_mail_is_plain_text_that_no_name_can_break_out_of() {
        let (url, said) = relay("250 ok\r\n");
        deliver(&channel("mail", &url, MORE), &[note(HOSTILE)], &["a".to_owned()], Timestamp(1)).unwrap();
        let said = said.join().unwrap();
        assert!(said.iter().any(|it| it == "MAIL FROM:<ringleader@ops.test>"), "{said:?}");
        assert!(said.iter().any(|it| it == "RCPT TO:<team@ops.test>"));
        assert!(said.iter().any(|it| it.starts_with("Message-ID: <") && it.ends_with("@ringleader.invalid>")));
        assert!(said.iter().any(|it| it.starts_with("Content-Type: text/plain")));
        assert_eq!(said.iter().filter(|it| it.starts_with("DATA")).count(), 1, "{said:?}");
    }

    #[test]
    fn a_receiver_that_is_not_there_is_not_tried_again_and_a_busy_relay_is() {
        let check = |answer: &'static str, again: Again| {
            let (url, said) = relay(answer);
            let failure = deliver(&channel("mail", &url, MORE), &[note("x")], &[], Timestamp(1)).unwrap_err();
            said.join().unwrap();
            assert_eq!(failure.again, again, "{failure}");
        };
        check("550 no such user\r\n", Again::Never);
        check("451 try later\r\n", Again::Later);
        let failure = deliver(
            &channel("mail", "smtp://127.0.0.1:1", &format!("{MORE}\nuser = 'a'\nsecret = 'b'")),
            &[note("x")],
            &[],
            Timestamp(1),
        );
        assert!(failure.unwrap_err().what.contains("anyone can read"));
    }
}
