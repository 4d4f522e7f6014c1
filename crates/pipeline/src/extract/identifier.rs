//! a run of hex digits and what stands around it → is it some system's own identifier, and no digest of a file?
//! Deliberately absent: telling that from the digits, which nobody can.

/// Sessions, tokens, nonces, containers, commits, devices: as long as a digest, and worth nothing to an analyst.
/// `start` and `end` are the run's place in `text`.
pub(super) fn is_identifier(text: &str, start: usize, end: usize) -> bool {
    let bytes = text.as_bytes();
    let from = text.floor_char_boundary(start.saturating_sub(REACH));
    let before = &text[from..start];
    let after = &bytes[end.min(bytes.len())..];
    // docker-….scope, 00-<trace>-<span>-01
    if after.starts_with(b".scope") || after.starts_with(b".slice") || before.ends_with("docker-") {
        return true;
    }
    if after.first() == Some(&b'-') && before.ends_with("00-") {
        return true;
    }
    let head = before.trim_end_matches(['"', '\'', ' ', '\\', '{', '(']);
    if let Some(named) = head.strip_suffix([':', '=']) {
        return is_identifier_key(last_word(named.trim_end_matches(['"', '\'', ' ', '\\'])));
    }
    // `-id X`, `commit X`
    let previous = last_word(head);
    if head.len() < before.len() && (previous == "commit" || previous.starts_with('-') && is_identifier_key(previous)) {
        return true;
    }
    let command = head.rfind(['\n', ';', '|', '&', '`']).map_or(head, |at| &head[at + 1..]);
    let program =
        command.split_ascii_whitespace().find(|it| !matches!(*it, "sudo" | "exec" | "sh" | "-c")).unwrap_or("");
    let program = program.rsplit('/').next().unwrap_or(program);
    HANDLERS.iter().any(|it| program.strip_prefix(it).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')))
}

/// How far back a command's name is looked for.
const REACH: usize = 256;

/// Programs whose arguments name containers or commits by their digests.
const HANDLERS: &[&str] =
    &["git", "docker", "podman", "nerdctl", "crictl", "ctr", "runc", "crun", "containerd", "kubectl", "buildctl"];

fn last_word(text: &str) -> &str {
    let at = text.rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')));
    at.map_or(text, |at| &text[at + text[at..].chars().next().map_or(1, char::len_utf8)..])
}

fn is_identifier_key(key: &str) -> bool {
    let key = key.trim_start_matches('-');
    if key.is_empty() || key.len() > 48 {
        return false;
    }
    let lower = key.to_ascii_lowercase();
    // a cache is told apart by it: app.css?v=…
    if matches!(lower.as_str(), "v" | "rev" | "sid" | "sig") {
        return true;
    }
    let words: &[&str] = &[
        "session",
        "token",
        "csrf",
        "xsrf",
        "nonce",
        "etag",
        "uuid",
        "guid",
        "secret",
        "cookie",
        "trace",
        "span",
        "apikey",
        "api_key",
        "api-key",
        "auth",
        "salt",
        "commit",
        "revision",
        "container",
        "cursor",
        "ticket",
        "password",
        "passwd",
    ];
    // a digest's own name wins: `md5_token`, `sha256`
    (lower.ends_with("id") && lower.len() <= 32 || words.iter().any(|it| lower.contains(it)))
        && !["md5", "sha1", "sha256", "hash"].iter().any(|it| lower.contains(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: bool) {
        let start = text.find("d41d8c").unwrap();
        let end = start + text[start..].bytes().take_while(u8::is_ascii_hexdigit).count();
        assert_eq!(is_identifier(text, start, end), want, "{text}");
    }

    #[test]
    fn the_place_tells_an_identifier_from_a_digest() {
        for text in [
            "session_id=d41d8c",
            "{\"traceId\": \"d41d8c\"}",
            "ETag: \"d41d8c\"",
            "app.css?v=d41d8c",
            "containerd-shim-runc-v2 -namespace moby -id d41d8c -address x",
            "sudo docker rm -f d41d8c",
            "cd x && git checkout d41d8c",
            "commit d41d8c",
            "docker-d41d8c.scope",
            "traceparent: 00-d41d8c-00f0-01",
        ] {
            check(text, true);
        }
        for text in [
            "d41d8c",
            "md5 d41d8c",
            "md5=d41d8c",
            "sha256: d41d8c",
            "\"hash\": \"d41d8c\"",
            "file_md5_id=d41d8c",
            "git pull; echo d41d8c",
            "found d41d8c in upload",
            "d41d8c  /tmp/x",
            "é d41d8c",
        ] {
            check(text, false);
        }
    }
}
