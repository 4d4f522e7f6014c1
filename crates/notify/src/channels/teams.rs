//! A Teams channel's webhook, of the Workflows app or of the older connector: an adaptive card of text runs, which know
//! no Markdown.
//!
//! As the vendor documents it: `{"type": "message", "attachments": [{"contentType":
//! "application/vnd.microsoft.card.adaptive", "content": CARD}]}`, 28 KB at most, four a second; who is mentioned stands
//! as `<at>…</at>` in a text block and in the card's `msteams.entities`. Workflows answer 202 and nothing else; the
//! connector answers 200 and `1`, and tells of errors under 200 too. No signature: the address is the secret.

use serde_json::{Value, json};

use super::Post;
use crate::note::{title, words};
use crate::{Again, Failure, http};

/// Longest message, in bytes: 28 KB is said, less is taken.
const MAX_BODY: usize = 20_000;
const WAIT_SECONDS: u64 = 60;

pub(super) fn send(post: &Post<'_>) -> Result<(), Failure> {
    let answer = http::post(post.url, &[], &body(post).to_string(), post.channel.internal())?;
    // Only the connector has anything to say.
    let Some(at) = answer.body.find("HTTP error ") else {
        let refused = answer.body.contains("delivery failed") || answer.body.contains("is required");
        let start: String = answer.body.chars().take(120).collect();
        return if refused { Err(Failure::never(start)) } else { Ok(()) };
    };
    let code: String =
        answer.body[at + "HTTP error ".len()..].chars().take_while(char::is_ascii_digit).take(3).collect();
    let what = format!("the channel answered {code}");
    match code.as_str() {
        "429" => Err(Failure { what, again: Again::After(WAIT_SECONDS) }),
        it if it.starts_with('4') => Err(Failure::never(what)),
        _ => Err(Failure::later(what)),
    }
}

/// Text that is only text: runs have no Markdown.
fn runs(text: &str, bold: bool) -> Value {
    let weight = if bold { "Bolder" } else { "Default" };
    json!({ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": text, "weight": weight }] })
}

fn body(post: &Post<'_>) -> Value {
    let lang = post.channel.lang;
    let head = json!({
        "type": "RichTextBlock",
        "inlines": [{ "type": "TextRun", "text": title(lang, post.notes), "weight": "Bolder", "size": "Medium" }],
    });
    let mut blocks = vec![head];
    let mut room = MAX_BODY;
    for note in post.notes {
        let words = words(lang, note);
        let mut part = Vec::new();
        if post.notes.len() > 1 {
            part.push(runs(&words.head, true));
        }
        part.extend(words.lines.iter().map(|it| runs(it, false)));
        if let Some(first) = part.first_mut() {
            first["separator"] = true.into();
        }
        let size: usize = part.iter().map(|it| it.to_string().len() + 1).sum();
        if size > room {
            blocks.push(runs("…", false));
            break;
        }
        room -= size;
        blocks.extend(part);
    }
    // Addresses from the configuration alone: nobody is mentioned by what a log says.
    let is_name =
        |it: &&String| !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphanumeric() || b"@._+-".contains(&it));
    let named: Vec<&String> = post.channel.mention.iter().filter(is_name).take(20).collect();
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": { "width": "Full" },
    });
    if !named.is_empty() {
        let text = named.iter().map(|it| format!("<at>{it}</at>")).collect::<Vec<_>>().join(" ");
        blocks.push(json!({ "type": "TextBlock", "text": text, "wrap": true }));
        let entity = |it: &&String| json!({ "type": "mention", "text": format!("<at>{it}</at>"), "mentioned": { "id": it, "name": it } });
        card["msteams"]["entities"] = named.iter().map(entity).collect();
    }
    card["body"] = blocks.into();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": card,
        }],
    })
}

#[cfg(test)]
mod tests {
    use ringleader_model::Timestamp;

    use super::*;
    use crate::channels::deliver;
    use crate::channels::testing::{channel, server};
    use crate::note::tests::{HOSTILE, note};

    const TAKEN: &str = "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

    fn sent(more: &str, notes: &[crate::Note]) -> (usize, Value) {
        let (url, asked) = server(TAKEN);
        let channel = channel("teams", &format!("{url}/workflows/x/triggers/manual/paths/invoke?sig=s"), more);
        deliver(&channel, notes, &[], Timestamp(1)).unwrap();
        let asked = asked.join().unwrap();
        assert!(asked.headers["content-type"].starts_with("application/json"));
        (asked.body.len(), serde_json::from_str(&asked.body).unwrap())
    }

    /// What the documentation asks of a message, and of an adaptive card.
    fn check_shape(body: &Value) -> &Value {
        assert_eq!(body["type"], "message");
        let attachments = body["attachments"].as_array().unwrap();
        assert_eq!(attachments.len(), 1);
        assert_eq!(attachments[0]["contentType"], "application/vnd.microsoft.card.adaptive");
        let card = &attachments[0]["content"];
        assert_eq!((card["type"].as_str(), card["version"].as_str()), (Some("AdaptiveCard"), Some("1.4")));
        for block in card["body"].as_array().unwrap() {
            match block["type"].as_str() {
                Some("RichTextBlock") => {
                    assert!(block["inlines"].as_array().unwrap().iter().all(|it| it["type"] == "TextRun"));
                }
                Some("TextBlock") => assert!(block["text"].as_str().unwrap().starts_with("<at>")),
                other => panic!("no such block: {other:?}"),
            }
        }
        card
    }

    #[test]
    fn the_card_has_the_documented_shape_and_mentions_only_who_is_configured() {
        let (_, body) = sent("mention = ['soc@ops.test', 'x</at>']", &[note(&format!("<at>all</at>{HOSTILE}"))]);
        let card = check_shape(&body);
        let entities = card["msteams"]["entities"].as_array().unwrap();
        assert_eq!(entities.len(), 1);
        assert_eq!(entities[0]["mentioned"]["id"], "soc@ops.test");
        let last = card["body"].as_array().unwrap().last().unwrap();
        // The text of the mention is that of the entity, or it mentions nobody.
        assert_eq!(last["text"], entities[0]["text"]);
    }

    #[test]
    fn a_digest_stays_within_the_bound_in_both_languages() {
        for lang in ["en", "zh"] {
            let many: Vec<_> = (0..300).map(|_| note(&"团".repeat(100))).collect();
            let (size, body) = sent(&format!("lang = '{lang}'"), &many);
            assert!(size <= 28_000, "{size}");
            let card = check_shape(&body);
            assert_eq!(card["body"].as_array().unwrap().last().unwrap()["inlines"][0]["text"], "…");
        }
    }

    #[test]
    fn an_error_in_the_answer_is_an_error() {
        let check = |answer: &'static str, again: Again| {
            let (url, asked) = server(answer);
            let failure = deliver(&channel("teams", &url, ""), &[note("x")], &[], Timestamp(1)).unwrap_err();
            asked.join().unwrap();
            assert_eq!(failure.again, again, "{failure}");
        };
        check(
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nWebhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId x",
            Again::After(60),
        );
        check(
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nWebhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 413 with ContextId x",
            Again::Never,
        );
        check("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\nSummary or Text is required.", Again::Never);
        check("HTTP/1.1 429 Slow\r\nretry-after: 9\r\ncontent-length: 0\r\n\r\n", Again::After(9));
        let (url, asked) = server("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n1");
        deliver(&channel("teams", &url, ""), &[note("x")], &[], Timestamp(1)).unwrap();
        asked.join().unwrap();
    }
}
