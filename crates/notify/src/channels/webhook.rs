//! Any webhook: the warnings as JSON, signed. docs/notify.md has the fields.
//!
//! `x-ringleader-signature: v1=HEX`, HMAC-SHA256 with the secret as key over `TIMESTAMP.BODY`, where the timestamp
//! (seconds) is that of `x-ringleader-timestamp`: whoever takes the message checks both, and throws old ones away.
//! `idempotency-key` is the same whenever the same messages are sent again.

use ringleader_model::hash::hash128;
use serde_json::json;

use super::Post;
use crate::note::words;
use crate::sign::{hex, hmac};
use crate::{Failure, http};

pub(super) fn send(post: &Post<'_>) -> Result<(), Failure> {
    let lang = post.channel.lang;
    let items: Vec<_> = post
        .notes
        .iter()
        .map(|it| {
            let words = words(lang, it);
            json!({ "gang": it.gang, "warning": it.warning, "title": words.head, "lines": words.lines })
        })
        .collect();
    let body =
        json!({ "version": 1, "channel": post.channel.name, "message_ids": post.ids, "warnings": items }).to_string();
    let seconds = post.now.0.div_euclid(1_000_000).to_string();
    let key = format!("{:032x}", hash128(post.ids.join("\n").as_bytes(), 0x704));
    let mut headers = vec![("x-ringleader-timestamp", seconds.clone()), ("idempotency-key", key)];
    if let Some(secret) = post.secret {
        let signature = hex(&hmac(secret.as_bytes(), format!("{seconds}.{body}").as_bytes()));
        headers.push(("x-ringleader-signature", format!("v1={signature}")));
    }
    http::post(post.url, &headers, &body, post.channel.internal()).map(|_| ())
}

#[cfg(test)]
mod tests {
    use ringleader_model::Timestamp;
    use serde_json::Value;

    use super::*;
    use crate::channels::deliver;
    use crate::channels::testing::{OK, channel, server};
    use crate::note::tests::{HOSTILE, note};

    #[test]
    fn a_receiver_can_check_who_sent_it_and_whether_it_came_before() {
        let ids = ["a".to_owned(), "b".to_owned()];
        let once = || {
            let (url, asked) = server(OK);
            let channel = channel("webhook", &url, "secret = 'k'");
            deliver(&channel, &[note(HOSTILE)], &ids, Timestamp::from_secs(1_800_000_000)).unwrap();
            asked.join().unwrap()
        };
        let asked = once();
        assert_eq!(asked.headers["x-ringleader-timestamp"], "1800000000");
        let signed = format!("1800000000.{}", asked.body);
        assert_eq!(asked.headers["x-ringleader-signature"], format!("v1={}", hex(&hmac(b"k", signed.as_bytes()))));
        assert_eq!(asked.headers["idempotency-key"], once().headers["idempotency-key"]);
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        assert_eq!(body["message_ids"], json!(["a", "b"]));
        // Data is data: whoever shows it escapes it, as a JSON string it is what it was.
        assert_eq!(body["warnings"][0]["gang"], HOSTILE);
        assert_eq!(body["warnings"][0]["warning"]["kind"], "new_infrastructure");
    }
}
