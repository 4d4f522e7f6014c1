//! A WeCom (企业微信) group's robot: Markdown, or plain text where somebody is to be mentioned.
//!
//! As the vendor documents it: `POST …/cgi-bin/webhook/send?key=KEY`, and no signature: the key is the secret. Markdown
//! has 4096 bytes at most, text 2048, and only text mentions members or telephone numbers. The answer is
//! `{"errcode": 0, "errmsg": "ok"}`, with status 200 for errors too. At most 20 messages a minute.

use serde_json::{Value, json};

use super::Post;
use crate::note::{title, unmarked, words};
use crate::{Again, Failure, http};

const MAX_MARKDOWN: usize = 4096;
const MAX_PLAIN: usize = 2048;
/// Sent too fast.
const TOO_FAST: i64 = 45_009;
const BUSY: i64 = -1;
const WAIT_SECONDS: u64 = 60;

pub(super) fn send(post: &Post<'_>) -> Result<(), Failure> {
    let answer = http::post(post.url, &[], &body(post).to_string(), post.channel.internal())?;
    let told: Value = serde_json::from_str(&answer.body).map_err(|_| Failure::later("the answer is no JSON"))?;
    let what = told["errmsg"].as_str().unwrap_or_default().chars().take(120).collect::<String>();
    match told["errcode"].as_i64() {
        Some(0) => Ok(()),
        Some(TOO_FAST) => Err(Failure { what: format!("too fast: {what}"), again: Again::After(WAIT_SECONDS) }),
        Some(BUSY) | None => Err(Failure::later(format!("busy: {what}"))),
        Some(code) => Err(Failure::never(format!("refused with {code}: {what}"))),
    }
}

fn body(post: &Post<'_>) -> Value {
    let channel = post.channel;
    let is_number = |it: &&String| it.len() >= 5 && it.bytes().all(|it| it.is_ascii_digit() || b"+-".contains(&it));
    let is_member = |it: &&String| it.bytes().all(|it| it.is_ascii_alphanumeric() || b"._-".contains(&it));
    let (numbers, others): (Vec<&String>, Vec<&String>) = channel.mention.iter().partition(is_number);
    let mut members: Vec<&str> = others.into_iter().filter(is_member).map(String::as_str).collect();
    if channel.mention_all {
        members.push("@all");
    }
    if members.is_empty() && numbers.is_empty() {
        return json!({ "msgtype": "markdown", "markdown": { "content": content(post, true, MAX_MARKDOWN) } });
    }
    json!({
        "msgtype": "text",
        "text": {
            "content": content(post, false, MAX_PLAIN),
            "mentioned_list": members,
            "mentioned_mobile_list": numbers,
        },
    })
}

/// Of no more bytes than `most`, cut between lines.
fn content(post: &Post<'_>, marked: bool, most: usize) -> String {
    let lang = post.channel.lang;
    let (heading, quote, bold) = if marked { ("### ", "> ", "**") } else { ("", "", "") };
    let mut lines = vec![format!("{heading}{}", unmarked(&title(lang, post.notes)))];
    for note in post.notes {
        let words = words(lang, note);
        if post.notes.len() > 1 {
            lines.push(String::new());
            lines.push(format!("{bold}{}{bold}", unmarked(&words.head)));
        }
        lines.extend(words.lines.iter().map(|it| format!("{quote}{}", unmarked(it))));
    }
    let mut text = String::new();
    for line in &lines {
        if text.len() + line.len() + "\n…".len() + 1 > most {
            text.push('…');
            break;
        }
        text.push_str(line);
        text.push('\n');
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use ringleader_model::Timestamp;

    use super::*;
    use crate::channels::deliver;
    use crate::channels::testing::{channel, server};
    use crate::note::tests::{HOSTILE, note};

    const TAKEN: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"errcode\":0,\"errmsg\":\"ok\"}";

    fn sent(more: &str, notes: &[crate::Note]) -> Value {
        let (url, asked) = server(TAKEN);
        let channel = channel("wecom", &format!("{url}/cgi-bin/webhook/send?key=k"), more);
        deliver(&channel, notes, &[], Timestamp(1)).unwrap();
        let asked = asked.join().unwrap();
        assert_eq!(asked.line, "POST /cgi-bin/webhook/send?key=k HTTP/1.1");
        serde_json::from_str(&asked.body).unwrap()
    }

    #[test]
    fn markdown_has_the_documented_shape_and_bound() {
        let body = sent("", &[note(HOSTILE)]);
        assert_eq!((body["msgtype"].as_str(), body.as_object().unwrap().len()), (Some("markdown"), 2));
        let text = body["markdown"]["content"].as_str().unwrap();
        assert!(
            text.starts_with("### ") && !text.contains("](") && !text.contains('<') && !text.contains('@'),
            "{text}"
        );
        let many: Vec<_> = (0..100).map(|_| note("团伙")).collect();
        let body = sent("lang = 'zh'", &many);
        let text = body["markdown"]["content"].as_str().unwrap();
        assert!(text.len() <= 4096 && text.ends_with('…'), "{}", text.len());
        assert!(text.starts_with("### Ringleader：100 条预警"));
    }

    #[test]
    fn whoever_is_mentioned_gets_plain_text() {
        let body = sent("mention = ['13800000000', 'zhang.san', 'a b']\nmention_all = true", &[note("x")]);
        assert_eq!(body["msgtype"], "text");
        assert_eq!(body["text"]["mentioned_list"], json!(["zhang.san", "@all"]));
        assert_eq!(body["text"]["mentioned_mobile_list"], json!(["13800000000"]));
        let many: Vec<_> = (0..100).map(|_| note("团伙")).collect();
        let body = sent("mention_all = true", &many);
        assert!(body["text"]["content"].as_str().unwrap().len() <= 2048);
    }

    #[test]
    fn an_error_in_the_answer_is_an_error() {
        let check = |answer: &'static str, again: Again| {
            let (url, asked) = server(answer);
            let failure = deliver(&channel("wecom", &url, ""), &[note("x")], &[], Timestamp(1)).unwrap_err();
            asked.join().unwrap();
            assert_eq!(failure.again, again, "{failure}");
        };
        check(
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"errcode\":93000,\"errmsg\":\"invalid webhook url\"}",
            Again::Never,
        );
        check(
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"errcode\":45009,\"errmsg\":\"api freq out of limit\"}",
            Again::After(60),
        );
        check("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"errcode\":-1,\"errmsg\":\"system busy\"}", Again::Later);
    }
}
