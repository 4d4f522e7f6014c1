//! A Feishu (Lark) group's custom bot: a card of plain text, signed with the secret of its security settings.
//!
//! As the vendor documents it: `POST …/open-apis/bot/v2/hook/TOKEN` with `timestamp` (seconds, as text) and `sign` in the
//! body, where the signature is HMAC-SHA256 over nothing, with `timestamp\nsecret` as the key, in base64; the time may be
//! an hour off. The answer is `{"code": 0, "msg": "success"}`. At most 100 messages a minute, 5 a second, 20 KB each.

use serde_json::{Value, json};

use super::Post;
use crate::note::{title, words};
use crate::sign::{base64, hmac};
use crate::{Again, Failure, http};

/// Longest card, in bytes of JSON: a body has 20 KB at most.
const MAX_CARD: usize = 18_000;
/// Too many messages: the bot's own code, and that of the platform's gate.
const TOO_FAST: [i64; 2] = [11_232, 99_991_400];
const WAIT_SECONDS: u64 = 60;

pub(super) fn send(post: &Post<'_>) -> Result<(), Failure> {
    let mut body = json!({ "msg_type": "interactive", "card": card(post) });
    if let Some(secret) = post.secret {
        let seconds = (post.now.0.div_euclid(1_000_000)).to_string();
        body["sign"] = base64(&hmac(format!("{seconds}\n{secret}").as_bytes(), b"")).into();
        body["timestamp"] = seconds.into();
    }
    let answer = http::post(post.url, &[], &body.to_string(), post.channel.internal()).map_err(|failure| {
        // The gate answers 400 with a code in the body.
        let fast = TOO_FAST.iter().any(|it| failure.what.contains(&format!("{it}")));
        if fast { too_fast("busy") } else { failure }
    })?;
    let told: Value = serde_json::from_str(&answer.body).map_err(|_| Failure::later("the answer is no JSON"))?;
    let what = told["msg"].as_str().unwrap_or_default().chars().take(120).collect::<String>();
    match told["code"].as_i64() {
        Some(0) => Ok(()),
        Some(code) if TOO_FAST.contains(&code) => Err(too_fast(&what)),
        None => Err(Failure::later(format!("busy: {what}"))),
        Some(code) => Err(Failure::never(format!("refused with {code}: {what}"))),
    }
}

fn too_fast(what: &str) -> Failure {
    Failure { what: format!("too fast: {what}"), again: Again::After(WAIT_SECONDS) }
}

fn plain(text: &str) -> Value {
    json!({ "tag": "div", "text": { "tag": "plain_text", "content": text } })
}

fn card(post: &Post<'_>) -> Value {
    let lang = post.channel.lang;
    let mut elements: Vec<Value> = Vec::new();
    let mut room = MAX_CARD;
    for note in post.notes {
        let words = words(lang, note);
        let mut lines = words.lines;
        if post.notes.len() > 1 {
            lines.insert(0, words.head);
        }
        let part = plain(&lines.join("\n"));
        let size = part.to_string().len() + 16;
        if size > room {
            elements.push(plain("…"));
            break;
        }
        room -= size;
        if !elements.is_empty() {
            elements.push(json!({ "tag": "hr" }));
        }
        elements.push(part);
    }
    // Ids alone: nobody is mentioned by what a log says.
    let named = post.channel.mention.iter().filter(|it| it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_'));
    let mut mentions: Vec<String> = named.map(|it| format!("<at id={it}></at>")).collect();
    if post.channel.mention_all {
        mentions.push("<at id=all></at>".to_owned());
    }
    if !mentions.is_empty() {
        elements.push(json!({ "tag": "div", "text": { "tag": "lark_md", "content": mentions.join(" ") } }));
    }
    let colour = match post.notes.iter().map(|it| it.warning.rank).max() {
        Some(80..) => "red",
        Some(60..80) => "orange",
        _ => "blue",
    };
    json!({
        "config": { "wide_screen_mode": true },
        "header": { "title": { "tag": "plain_text", "content": title(lang, post.notes) }, "template": colour },
        "elements": elements,
    })
}

#[cfg(test)]
mod tests {
    use ringleader_model::Timestamp;

    use super::*;
    use crate::channels::deliver;
    use crate::channels::testing::{Asked, channel, server};
    use crate::note::tests::{HOSTILE, note};

    const TAKEN: &str =
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"StatusCode\":0,\"code\":0,\"data\":{},\"msg\":\"success\"}";

    fn sent(more: &str, notes: &[crate::Note]) -> Asked {
        let (url, asked) = server(TAKEN);
        let channel = channel("feishu", &format!("{url}/open-apis/bot/v2/hook/t"), more);
        deliver(&channel, notes, &[], Timestamp::from_millis(1_599_360_473_123)).unwrap();
        asked.join().unwrap()
    }

    /// What the vendor's checks ask of a card: no key that it does not know, no text without a tag.
    fn check_card(card: &Value) {
        let keys: std::collections::BTreeSet<&str> = card.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys.into_iter().collect::<Vec<_>>(), ["config", "elements", "header"]);
        assert_eq!(card["header"]["title"]["tag"], "plain_text");
        for element in card["elements"].as_array().unwrap() {
            match element["tag"].as_str() {
                Some("hr") => {}
                Some("div") => assert!(["plain_text", "lark_md"].contains(&element["text"]["tag"].as_str().unwrap())),
                other => panic!("no such element: {other:?}"),
            }
        }
    }

    #[test]
    fn the_request_is_signed_and_shaped_as_the_vendor_documents_it() {
        let asked = sent("secret = 'demo'\nmention = ['ou_18eac8', 'a>b']", &[note(HOSTILE)]);
        assert_eq!(asked.line, "POST /open-apis/bot/v2/hook/t HTTP/1.1");
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        assert_eq!(body["timestamp"], "1599360473");
        // By `printf '' | openssl dgst -sha256 -hmac $'1599360473\ndemo' -binary | base64`.
        assert_eq!(body["sign"], "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=");
        assert_eq!(body["msg_type"], "interactive");
        check_card(&body["card"]);
        let elements = body["card"]["elements"].as_array().unwrap();
        let last = elements.last().unwrap();
        assert_eq!(last["text"], json!({ "tag": "lark_md", "content": "<at id=ou_18eac8></at>" }));
        // What a log says stands in plain text alone.
        for element in &elements[..elements.len() - 1] {
            assert_eq!(element["text"]["tag"], "plain_text", "{element}");
        }
    }

    #[test]
    fn both_languages_without_a_secret_and_within_the_bound() {
        let zh: Value = serde_json::from_str(&sent("lang = 'zh'", &[note("Rake")]).body).unwrap();
        assert!(zh["sign"].is_null() && zh["timestamp"].is_null());
        assert_eq!(zh["card"]["header"]["title"]["content"], "[1] 新基础设施：Rake");
        let many: Vec<_> = (0..400).map(|_| note(&"团".repeat(150))).collect();
        let asked = sent("lang = 'zh'\nmention_all = true", &many);
        assert!(asked.body.len() <= 20_000, "{}", asked.body.len());
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        check_card(&body["card"]);
        let elements = body["card"]["elements"].as_array().unwrap();
        assert_eq!(elements[elements.len() - 2], plain("…"));
        assert_eq!(elements.last().unwrap()["text"]["content"], "<at id=all></at>");
    }

    #[test]
    fn an_error_in_the_answer_is_an_error() {
        let check = |answer: &'static str, again: Again| {
            let (url, asked) = server(answer);
            let failure = deliver(&channel("feishu", &url, ""), &[note("x")], &[], Timestamp(1)).unwrap_err();
            asked.join().unwrap();
            assert_eq!(failure.again, again, "{failure}");
        };
        check(
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"code\":19021,\"msg\":\"sign match fail or timestamp is not within one hour from current time\"}",
            Again::Never,
        );
        check(
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"code\":11232,\"msg\":\"frequency limited\"}",
            Again::After(60),
        );
        check(
            "HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n{\"code\":99991400,\"msg\":\"request trigger frequency limit\"}",
            Again::After(60),
        );
        check("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", Again::Later);
    }
}
