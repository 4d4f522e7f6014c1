//! Secrets in command lines → `***`. Deliberately absent: guessing that a word alone is a password; a secret is
//! known by what stands before it, or by its own unmistakable shape.

use std::borrow::Cow;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::{Captures, Regex, RegexSet};
use serde::Serialize;
use serde_json::Value;

/// What replaces a secret in raw text.
pub const MASKED: &str = "***";
/// What replaces a secret in a template, where it must stay a template.
pub const MASKED_TEMPLATE: &str = "<secret>";

/// One argument: quoted, or up to white space or a shell's separator.
const ARGUMENT: &str = r#"(?P<secret>"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'|;&<>]\S*)"#;
/// A value behind `=` or `:`, which a quote, `&`, `,` or `}` ends.
const VALUE: &str = r#"(?P<secret>"(?:[^"\\]|\\.)*"|'[^']*'|\\"[^"\\]*\\"|[^\s"'&,;}|<>)]+)"#;

/// Each has a group `secret`, the part that is replaced.
fn patterns() -> Vec<String> {
    vec![
        // sshpass -p X, sshpass -pX
        format!(r"(?i)(?-u:\b)sshpass\s+(?:-[vV]\s+)?-p\s*{ARGUMENT}"),
        // mysql -pX; a bare -p asks for it
        format!(r"(?i)(?-u:\b)(?:mysql|mysqldump|mysqladmin|mysqlimport|mariadb)(?:\.exe)?\s(?:[^|;&]*?\s)?-p{ARGUMENT}"),
        format!(r"(?i)(?-u:\b)(?:docker|podman|nerdctl|helm|oc|az)\s+(?:\S+\s+)?login\s(?:[^|;&]*?\s)?-p[\s=]*{ARGUMENT}"),
        format!(r"(?i)(?-u:\b)(?:plink|pscp|psftp|putty)(?:\.exe)?\s(?:[^|;&]*?\s)?-pw\s+{ARGUMENT}"),
        format!(r"(?i)(?-u:\b)(?:hydra|medusa|ncrack|crackmapexec|netexec|nxc|psexec(?:\.py|64)?(?:\.exe)?|wmic)\s(?:[^|;&]*?\s)?-p\s+{ARGUMENT}"),
        format!(r"(?i)(?-u:\b)(?:redis-cli)\s(?:[^|;&]*?\s)?-a\s*{ARGUMENT}"),
        format!(r"(?i)(?-u:\b)(?:smbclient|curl|wget|rpcclient|smbget)(?:\.exe)?\s(?:[^|;&]*?\s)?(?:-u|-U|--user|--proxy-user)[\s=]*[^\s:%]+[:%]{ARGUMENT}"),
        format!(r"(?i)(?-u:\b)net1?(?:\.exe)?\s+user\s+(?:[^\s/]+)\s+{ARGUMENT}"),
        format!(r"(?i)(?-u:\b)net1?(?:\.exe)?\s+use\s(?:[^|;&]*?\s)?/u(?:ser)?:\S+\s+{ARGUMENT}"),
        // xfreerdp /p:X, wmic /password:X
        format!(r"(?i)\s/(?:p|pass|password):{ARGUMENT}"),
        // --password X, --password=X, -Password X
        format!(r"(?i)(?:^|\s)--?(?:[a-z0-9]+[-_])*(?:password|passwd|passphrase|secret|token|api[-_]?key|access[-_]?key|secret[-_]?key)(?:\s+|=){ARGUMENT}"),
        // password=X in a URL, a body, an environment; "password": "X" in JSON
        format!(r#"(?i)(?:password|passwd|passphrase|(?-u:\b)pass|_pass|_pwd|mysql_pwd|_auth|secret|token|api[-_]?key|access[-_]?key(?:[-_]?id)?|secret[-_]?key|private[-_]?key)\\?["']?\s*[=:]\s*{VALUE}"#),
        r#"(?i)(?-u:\b)pwd=(?P<secret>[^\s"'&,;}|<>)/~.$][^\s"'&,;}|<>)]*)"#.to_owned(),
        r#"(?i)(?-u:\b)(?:proxy-)?authorization\\?["']?\s*[:=]\s*\\?["']?(?P<secret>(?:(?:basic|bearer|digest|token|negotiate|ntlm|aws4-hmac-sha256)\s+)?[^\s"'\\]+)"#.to_owned(),
        r#"(?i)(?-u:\b)(?:set-)?cookie\s*:\s*(?P<secret>[^"'\r\n]+)"#.to_owned(),
        r#"(?i)(?-u:\b)x-(?:api-key|auth-token|amz-security-token|vault-token|gitlab-token)\\?["']?\s*:\s*(?P<secret>[^\s"'\\]+)"#.to_owned(),
        // user:X@host in a URL
        r#"(?i)(?-u:\b)[a-z][a-z0-9+.-]{1,15}://[^\s/:@"'<>]{0,128}:(?P<secret>[^\s/@"'<>]+)@"#.to_owned(),
        // echo root:X | chpasswd, and the password piped into sudo -S or passwd --stdin
        r#"(?i)(?-u:\b)echo\s+(?:-[neE]+\s+)*["']?[a-z_][\w.-]*:(?P<secret>[^\s"'|]+)["']?\s*\|\s*(?:sudo\s+)?(?:\S*/)?chpasswd"#.to_owned(),
        r#"(?i)(?-u:\b)echo\s+(?:-[neE]+\s+)*(?P<secret>"[^"]*"|'[^']*'|[^\s"'|]+)\s*\|\s*(?:(?:\S*/)?sudo\s+(?:-\w+\s+)*-S|(?:\S*/)?passwd\s+--stdin)"#.to_owned(),
        // Keys with a shape of their own
        r"(?-u:\b)(?P<secret>(?:AKIA|ASIA)[0-9A-Z]{16})(?-u:\b)".to_owned(),
        r"(?-u:\b)(?P<secret>LTAI[0-9A-Za-z]{12,20})(?-u:\b)".to_owned(),
        r"(?-u:\b)(?P<secret>(?:ghp|gho|ghu|ghs|ghr)_[0-9A-Za-z]{36,}|github_pat_\w{50,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,})".to_owned(),
        r"(?-u:\b)(?P<secret>eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,})".to_owned(),
        r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----(?P<secret>.+?)(?:-----END|$)".to_owned(),
    ]
}

/// Every pattern needs one of these; a text without any is done at the speed of a scan.
const HINTS: &[&str] = &[
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "auth",
    "cookie",
    "login",
    "plink",
    "pscp",
    "psftp",
    "putty",
    "hydra",
    "medusa",
    "ncrack",
    "mapexec",
    "netexec",
    "nxc",
    "psexec",
    "wmic",
    "redis-cli",
    "smb",
    "curl",
    "wget",
    "rpcclient",
    " use",
    "user",
    "mysql",
    "mariadb",
    "/p:",
    "://",
    "sudo",
    "akia",
    "asia",
    "ltai",
    "gh",
    "glpat",
    "xox",
    "eyj",
];

struct Patterns {
    hints: AhoCorasick,
    any: RegexSet,
    each: Vec<Regex>,
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let patterns = patterns();
    let hints = AhoCorasick::builder().ascii_case_insensitive(true).build(HINTS).expect("hints are few");
    Patterns {
        hints,
        any: RegexSet::new(&patterns).expect("patterns are tested"),
        each: patterns.iter().map(|it| Regex::new(it).expect("patterns are tested")).collect(),
    }
});

/// Raw text without its secrets. Masking twice changes nothing.
pub fn mask(text: &str) -> Cow<'_, str> {
    replace(text, MASKED)
}

/// A template without its secrets; typed parts stay as they are.
pub fn mask_template(text: &str) -> Cow<'_, str> {
    replace(text, MASKED_TEMPLATE)
}

/// Any value as JSON, every text in it masked.
pub fn masked(value: &impl Serialize) -> serde_json::Result<Value> {
    let mut value = serde_json::to_value(value)?;
    walk(&mut value, None);
    Ok(value)
}

/// Depth is that of our own types.
fn walk(value: &mut Value, key: Option<&str>) {
    match value {
        Value::String(text) => {
            let masked = if key == Some("template") { mask_template(text) } else { mask(text) };
            if let Cow::Owned(masked) = masked {
                *text = masked;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|it| walk(it, key)),
        Value::Object(fields) => fields.iter_mut().for_each(|(key, it)| walk(it, Some(key))),
        _ => {}
    }
}

fn replace<'a>(text: &'a str, with: &str) -> Cow<'a, str> {
    let patterns = &*PATTERNS;
    if !patterns.hints.is_match(text) {
        return Cow::Borrowed(text);
    }
    let found = patterns.any.matches(text);
    let mut out = text.to_owned();
    // A pattern may begin to match only once another has masked, so it is from the first match on that all are tried.
    for pattern in patterns.each.iter().skip(found.iter().next().unwrap_or(patterns.each.len())) {
        let replaced = pattern.replace_all(&out, |found: &Captures<'_>| {
            let (whole, secret) = (found.get_match(), found.name("secret"));
            let Some(secret) = secret.filter(|it| !is_placeholder(it.as_str())) else {
                return whole.as_str().to_owned();
            };
            let (before, after) = (secret.start() - whole.start(), secret.end() - whole.start());
            format!("{}{with}{}", &whole.as_str()[..before], &whole.as_str()[after..])
        });
        if let Cow::Owned(replaced) = replaced {
            out = replaced;
        }
    }
    if out == text { Cow::Borrowed(text) } else { Cow::Owned(out) }
}

/// Already masked, a template's typed part, or a variable that holds the secret elsewhere.
fn is_placeholder(secret: &str) -> bool {
    let secret = secret.trim_matches(['"', '\'', '\\']);
    let typed = secret.strip_prefix('<').is_some_and(|it| it.starts_with(|c: char| c.is_ascii_lowercase()));
    secret.is_empty() || secret.starts_with(MASKED) || typed || secret.starts_with('$')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expect: &str) {
        assert_eq!(mask(text), expect);
        assert_eq!(mask(expect), expect, "twice");
    }

    #[test]
    fn secrets_are_masked() {
        check("sshpass -p hunter2 ssh root@192.0.2.1", "sshpass -p *** ssh root@192.0.2.1");
        check("sshpass -phunter2 scp a b", "sshpass -p*** scp a b");
        check("mysql -uroot -phunter2 -e 'select 1'", "mysql -uroot -p*** -e 'select 1'");
        check("tool --password hunter2 --x", "tool --password *** --x");
        check("tool --db-password='hunt er2' --x", "tool --db-password=*** --x");
        check("curl http://a.test/?user=a&password=hunter2&x=1", "curl http://a.test/?user=a&password=***&x=1");
        check(r#"{"password": "hunter2", "a": 1}"#, r#"{"password": ***, "a": 1}"#);
        check("curl -H 'Authorization: Bearer abc.def' http://a.test", "curl -H 'Authorization: ***' http://a.test");
        check("curl -u admin:hunter2 http://a.test", "curl -u admin:*** http://a.test");
        check("wget ftp://bob:hunter2@198.51.100.7/x", "wget ftp://bob:***@198.51.100.7/x");
        check("echo root:hunter2 | chpasswd", "echo root:*** | chpasswd");
        check("echo 'root:hunter2'|chpasswd", "echo 'root:***'|chpasswd");
        check("echo hunter2 | sudo -S id", "echo *** | sudo -S id");
        check("export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI", "export AWS_SECRET_ACCESS_KEY=***");
        check("aws AKIAIOSFODNN7EXAMPLE x", "aws *** x");
        check("MYSQL_PWD=hunter2 mysql", "MYSQL_PWD=*** mysql");
        check("net user bob Hunter2! /add", "net user bob *** /add");
        check("redis-cli -h 192.0.2.1 -a hunter2 info", "redis-cli -h 192.0.2.1 -a *** info");
        check("docker login -u bob -p hunter2", "docker login -u bob -p ***");
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "mkdir -p /tmp/x",
            "ssh -p 2222 root@192.0.2.1",
            "xmrig -o pool.evil.example:3333 -u 44wallet -p x",
            "PWD=/root OLDPWD=/",
            "passwd root",
            "cat /etc/passwd",
            "mysql -p",
            "curl http://198.51.100.7:8080/s.txt",
            "sshpass -p $PASS ssh a",
            "netstat -p tcp | grep 22",
        ] {
            assert_eq!(mask(text), text);
        }
    }

    #[test]
    fn a_masked_template_is_a_template() {
        assert_eq!(mask_template("sshpass -p hunter2 ssh <ip>"), "sshpass -p <secret> ssh <ip>");
        assert_eq!(mask_template("sshpass -p <str> ssh <ip>"), "sshpass -p <str> ssh <ip>");
    }

    proptest! {
        #[test]
        fn masking_twice_is_masking_once(text in any::<String>(), n in 0usize..4) {
            let text = format!("{} {text}", ["sshpass -p", "password=", "Authorization:", "a://b:"][n]);
            let once = mask(&text).into_owned();
            prop_assert_eq!(mask(&once).into_owned(), once.clone());
        }
    }
}
