//! Slack's incoming webhook: blocks of plain text, so that nothing in them is markup.
//!
//! As the vendor documents it: `{"text": …, "blocks": [{"type": "header", "text": {"type": "plain_text", …}}, …]}`, at
//! most 50 blocks, headers of 150 and texts of 3000 characters; `text` is what a notification shows, in which `&`, `<`
//! and `>` are written as entities. The answer is `ok`; 429 comes with Retry-After.

use serde_json::{Value, json};

use super::Post;
use crate::note::{title, words};
use crate::{Failure, http};

const MAX_HEADER: usize = 150;
const MAX_TEXT: usize = 3000;
const MAX_BLOCKS: usize = 50;

pub(super) fn send(post: &Post<'_>) -> Result<(), Failure> {
    http::post(post.url, &[], &body(post).to_string(), post.channel.internal()).map(|_| ())
}

fn plain(text: &str, most: usize) -> Value {
    json!({ "type": "plain_text", "text": text.chars().take(most).collect::<String>(), "emoji": false })
}

/// `<!channel>` and links begin with `<`.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn body(post: &Post<'_>) -> Value {
    let lang = post.channel.lang;
    let title = title(lang, post.notes);
    let mut blocks = vec![json!({ "type": "header", "text": plain(&title, MAX_HEADER) })];
    for note in post.notes {
        let words = words(lang, note);
        let mut lines = words.lines;
        if post.notes.len() > 1 {
            lines.insert(0, words.head);
        }
        blocks.push(json!({ "type": "section", "text": plain(&lines.join("\n"), MAX_TEXT) }));
    }
    blocks.truncate(MAX_BLOCKS - 1);
    // Ids alone: nobody is mentioned by what a log says.
    let named = post.channel.mention.iter().filter(|it| it.bytes().all(|it| it.is_ascii_alphanumeric()));
    let mut mentions: Vec<String> = named.map(|it| format!("<@{it}>")).collect();
    if post.channel.mention_all {
        mentions.push("<!channel>".to_owned());
    }
    if !mentions.is_empty() {
        blocks.push(json!({ "type": "section", "text": { "type": "mrkdwn", "text": mentions.join(" ") } }));
    }
    json!({ "text": escaped(&title), "blocks": blocks })
}

#[cfg(test)]
mod tests {
    use ringleader_model::Timestamp;

    use super::*;
    use crate::channels::deliver;
    use crate::channels::testing::{OK, channel, server};
    use crate::note::tests::{HOSTILE, note};

    #[test]
    fn the_message_has_the_documented_shape_and_bounds() {
        let (url, asked) = server(OK);
        let channel = channel("slack", &format!("{url}/services/T/B/x"), "mention = ['U024BE7LH', '!channel']");
        let notes: Vec<_> = (0..80).map(|_| note(HOSTILE)).collect();
        deliver(&channel, &notes, &[], Timestamp(1)).unwrap();
        let asked = asked.join().unwrap();
        assert_eq!(asked.line, "POST /services/T/B/x HTTP/1.1");
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        let blocks = body["blocks"].as_array().unwrap();
        assert!(blocks.len() <= 50);
        assert_eq!(blocks[0]["type"], "header");
        for block in &blocks[1..blocks.len() - 1] {
            assert_eq!((block["type"].as_str(), block["text"]["type"].as_str()), (Some("section"), Some("plain_text")));
            assert!(block["text"]["text"].as_str().unwrap().chars().count() <= 3000);
        }
        assert_eq!(blocks.last().unwrap()["text"], json!({ "type": "mrkdwn", "text": "<@U024BE7LH>" }));
        assert!(!body["text"].as_str().unwrap().contains('<'));
        assert_eq!(escaped("<!channel> & co"), "&lt;!channel&gt; &amp; co");
    }
}
