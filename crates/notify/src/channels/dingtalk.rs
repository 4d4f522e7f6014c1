//! A DingTalk group's custom robot: Markdown, mentions, the signature of its security settings.
//!
//! As the vendor documents it: `POST …/robot/send?access_token=…&timestamp=MS&sign=…`, where the signature is
//! HMAC-SHA256 with the secret as key over `timestamp\nsecret`, in base64, then URL-encoded; the time may be an hour off.
//! The answer is `{"errcode": 0, "errmsg": "ok"}`, with status 200 for errors too. At most 20 messages a minute; who
//! sends more is shut out for ten minutes.

use serde_json::{Value, json};

use super::Post;
use crate::note::{title, unmarked, words};
use crate::sign::{base64, hmac, url_encoded};
use crate::{Again, Failure, http};

/// Longest text, in bytes: messages have 20,000 at most.
const MAX_TEXT: usize = 18_000;
/// Sent too fast.
const TOO_FAST: i64 = 130_101;
/// The robot's servers are busy.
const BUSY: i64 = -1;
const SHUT_OUT_SECONDS: u64 = 600;

pub(super) fn send(post: &Post<'_>) -> Result<(), Failure> {
    let mut url = post.url.to_owned();
    if let Some(secret) = post.secret {
        let millis = post.now.0 / 1000;
        let sign = base64(&hmac(secret.as_bytes(), format!("{millis}\n{secret}").as_bytes()));
        let mark = if url.contains('?') { '&' } else { '?' };
        url.push_str(&format!("{mark}timestamp={millis}&sign={}", url_encoded(&sign)));
    }
    let answer = http::post(&url, &[], &body(post).to_string(), post.channel.internal())?;
    let told: Value = serde_json::from_str(&answer.body).map_err(|_| Failure::later("the answer is no JSON"))?;
    let what = told["errmsg"].as_str().unwrap_or_default().chars().take(120).collect::<String>();
    match told["errcode"].as_i64() {
        Some(0) => Ok(()),
        Some(TOO_FAST) => Err(Failure { what: format!("too fast: {what}"), again: Again::After(SHUT_OUT_SECONDS) }),
        Some(BUSY) | None => Err(Failure::later(format!("busy: {what}"))),
        Some(code) => Err(Failure::never(format!("refused with {code}: {what}"))),
    }
}

fn body(post: &Post<'_>) -> Value {
    let lang = post.channel.lang;
    let mut text = format!("### {}\n", unmarked(&title(lang, post.notes)));
    for note in post.notes {
        let words = words(lang, note);
        let mut part = String::new();
        if post.notes.len() > 1 {
            part.push_str(&format!("\n**{}**\n", unmarked(&words.head)));
        }
        for line in &words.lines {
            part.push_str(&format!("\n- {}", unmarked(line)));
        }
        part.push('\n');
        if text.len() + part.len() > MAX_TEXT {
            text.push_str("\n…");
            break;
        }
        text.push_str(&part);
    }
    let mobiles: Vec<&String> = post
        .channel
        .mention
        .iter()
        .filter(|it| it.bytes().all(|it| it.is_ascii_digit() || b"+-".contains(&it)))
        .collect();
    // Who is mentioned must stand in the text, too.
    for mobile in &mobiles {
        text.push_str(&format!(" @{mobile}"));
    }
    json!({
        "msgtype": "markdown",
        "markdown": { "title": unmarked(&title(lang, post.notes)), "text": text },
        "at": { "atMobiles": mobiles, "isAtAll": post.channel.mention_all },
    })
}

#[cfg(test)]
mod tests {
    use ringleader_model::Timestamp;

    use super::*;
    use crate::channels::deliver;
    use crate::channels::testing::{channel, server};
    use crate::note::tests::{HOSTILE, note};

    const TAKEN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 27\r\n\r\n{\"errcode\":0,\"errmsg\":\"ok\"}";

    #[test]
    fn the_request_is_signed_and_shaped_as_the_vendor_documents_it() {
        let (url, asked) = server(TAKEN);
        let channel = channel(
            "dingtalk",
            &format!("{url}/robot/send?access_token=t"),
            "secret = 'SECx'\nmention = ['13800000000']",
        );
        deliver(&channel, &[note(HOSTILE)], &["id".to_owned()], Timestamp::from_millis(1_800_000_000_123)).unwrap();
        let asked = asked.join().unwrap();
        let query = asked.line.split(' ').nth(1).unwrap().split_once('?').unwrap().1;
        let field = |name: &str| {
            query.split('&').find_map(|it| it.strip_prefix(&format!("{name}=")).map(str::to_owned)).unwrap()
        };
        assert_eq!((field("access_token").as_str(), field("timestamp").as_str()), ("t", "1800000000123"));
        // By `printf '1800000000123\nSECx' | openssl dgst -sha256 -hmac SECx -binary | base64`, URL-encoded.
        assert_eq!(field("sign"), "T6BpEE74nQtN%2FxnHvy1Aa0U9kkewG%2FeRS9UN%2BB12gFw%3D");
        assert_eq!(asked.headers["content-type"], "application/json; charset=utf-8");
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        assert_eq!(body["msgtype"], "markdown");
        assert_eq!(body["at"], json!({ "atMobiles": ["13800000000"], "isAtAll": false }));
        let text = body["markdown"]["text"].as_str().unwrap();
        assert!(
            text.ends_with("@13800000000") && !text.contains("](") && !text.contains("@all") && !text.contains('<'),
            "{text}"
        );
        assert!(!body["markdown"]["title"].as_str().unwrap().is_empty());
    }

    #[test]
    fn an_error_in_the_answer_is_an_error() {
        let check = |answer: &'static str, again: Again| {
            let (url, asked) = server(answer);
            let failure = deliver(&channel("dingtalk", &url, ""), &[note("x")], &[], Timestamp(1)).unwrap_err();
            asked.join().unwrap();
            assert_eq!(failure.again, again, "{failure}");
        };
        check(
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"errcode\":310000,\"errmsg\":\"sign not ok\"}",
            Again::Never,
        );
        check("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"errcode\":-1,\"errmsg\":\"system busy\"}", Again::Later);
        check(
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"errcode\":130101,\"errmsg\":\"too fast\"} ",
            Again::After(600),
        );
        check("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nnope", Again::Later);
    }
}
