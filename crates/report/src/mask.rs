//! Secrets in command lines → `***`. Deliberately absent: guessing that a word alone is a password; a secret is
//! known by what stands before it, or by its own unmistakable shape.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::{Captures, Regex};
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

/// Each is a regex with a group `secret`, the part that is replaced, behind what must stand in a text, in whatever case,
/// for it to match: at least one of these.
fn patterns() -> Vec<(&'static [&'static str], String)> {
    vec![
        // sshpass -p X, sshpass -pX
        (
            &["sshpass"],
            format!(r"(?i)(?-u:\b)sshpass\s+(?:-[vV]\s+)?-p\s*{ARGUMENT}"),
        ),
        // mysql -pX; a bare -p asks for it
        (
            &["mysql", "mariadb"],
            format!(r"(?i)(?-u:\b)(?:mysql|mysqldump|mysqladmin|mysqlimport|mariadb)(?:\.exe)?\s(?:[^|;&]*?\s)?-p{ARGUMENT}"),
        ),
        (
            &["login"],
            format!(r"(?i)(?-u:\b)(?:docker|podman|nerdctl|helm|oc|az)\s+(?:\S+\s+)?login\s(?:[^|;&]*?\s)?-p[\s=]*{ARGUMENT}"),
        ),
        (
            &["plink", "pscp", "psftp", "putty"],
            format!(r"(?i)(?-u:\b)(?:plink|pscp|psftp|putty)(?:\.exe)?\s(?:[^|;&]*?\s)?-pw\s+{ARGUMENT}"),
        ),
        (
            &["hydra", "medusa", "ncrack", "mapexec", "netexec", "nxc", "psexec", "wmic"],
            format!(r"(?i)(?-u:\b)(?:hydra|medusa|ncrack|crackmapexec|netexec|nxc|psexec(?:\.py|64)?(?:\.exe)?|wmic)\s(?:[^|;&]*?\s)?-p\s+{ARGUMENT}"),
        ),
        (
            &["redis-cli"],
            format!(r"(?i)(?-u:\b)(?:redis-cli)\s(?:[^|;&]*?\s)?-a\s*{ARGUMENT}"),
        ),
        (
            &["smbclient", "curl", "wget", "rpcclient", "smbget"],
            format!(r"(?i)(?-u:\b)(?:smbclient|curl|wget|rpcclient|smbget)(?:\.exe)?\s(?:[^|;&]*?\s)?(?:-u|-U|--user|--proxy-user)[\s=]*[^\s:%]+[:%]{ARGUMENT}"),
        ),
        (
            &["user"],
            format!(r"(?i)(?-u:\b)net1?(?:\.exe)?\s+user\s+(?:[^\s/]+)\s+{ARGUMENT}"),
        ),
        (
            &["/u:", "/user:"],
            format!(r"(?i)(?-u:\b)net1?(?:\.exe)?\s+use\s(?:[^|;&]*?\s)?/u(?:ser)?:\S+\s+{ARGUMENT}"),
        ),
        // xfreerdp /p:X, wmic /password:X
        (
            &["/p:", "/pass:", "/password:"],
            format!(r"(?i)\s/(?:p|pass|password):{ARGUMENT}"),
        ),
        // --password X, --password=X, -Password X
        (
            &["pass", "secret", "token", "key"],
            format!(r"(?i)(?:^|\s)--?(?:[a-z0-9]+[-_])*(?:password|passwd|passphrase|secret|token|api[-_]?key|access[-_]?key|secret[-_]?key)(?:\s+|=){ARGUMENT}"),
        ),
        // password=X in a URL, a body, an environment; "password": "X" in JSON
        (
            &["pass", "_pwd", "_auth", "secret", "token", "key"],
            format!(r#"(?i)(?:password|passwd|passphrase|(?-u:\b)pass|_pass|_pwd|mysql_pwd|_auth|secret|token|api[-_]?key|access[-_]?key(?:[-_]?id)?|secret[-_]?key|private[-_]?key)\\?["']?\s*[=:]\s*{VALUE}"#),
        ),
        (
            &["pwd="],
            r#"(?i)(?-u:\b)pwd=(?P<secret>[^\s"'&,;}|<>)/~.$][^\s"'&,;}|<>)]*)"#.to_owned(),
        ),
        (
            &["authorization"],
            r#"(?i)(?-u:\b)(?:proxy-)?authorization\\?["']?\s*[:=]\s*\\?["']?(?P<secret>(?:(?:basic|bearer|digest|token|negotiate|ntlm|aws4-hmac-sha256)\s+)?[^\s"'\\]+)"#.to_owned(),
        ),
        (
            &["cookie"],
            r#"(?i)(?-u:\b)(?:set-)?cookie\s*:\s*(?P<secret>[^"'\r\n]+)"#.to_owned(),
        ),
        (
            &["x-api-key", "x-auth-token", "x-amz-security-token", "x-vault-token", "x-gitlab-token"],
            r#"(?i)(?-u:\b)x-(?:api-key|auth-token|amz-security-token|vault-token|gitlab-token)\\?["']?\s*:\s*(?P<secret>[^\s"'\\]+)"#.to_owned(),
        ),
        // user:X@host in a URL
        (
            &["://"],
            r#"(?i)(?-u:\b)[a-z][a-z0-9+.-]{1,15}://[^\s/:@"'<>]{0,128}:(?P<secret>[^\s/@"'<>]+)@"#.to_owned(),
        ),
        // echo root:X | chpasswd, and the password piped into sudo -S or passwd --stdin
        (
            &["chpasswd"],
            r#"(?i)(?-u:\b)echo\s+(?:-[neE]+\s+)*["']?[a-z_][\w.-]*:(?P<secret>[^\s"'|]+)["']?\s*\|\s*(?:sudo\s+)?(?:\S*/)?chpasswd"#.to_owned(),
        ),
        (
            &["sudo", "--stdin"],
            r#"(?i)(?-u:\b)echo\s+(?:-[neE]+\s+)*(?P<secret>"[^"]*"|'[^']*'|[^\s"'|]+)\s*\|\s*(?:(?:\S*/)?sudo\s+(?:-\w+\s+)*-S|(?:\S*/)?passwd\s+--stdin)"#.to_owned(),
        ),
        // Keys with a shape of their own
        (
            &["akia", "asia"],
            r"(?-u:\b)(?P<secret>(?:AKIA|ASIA)[0-9A-Z]{16})(?-u:\b)".to_owned(),
        ),
        (
            &["ltai"],
            r"(?-u:\b)(?P<secret>LTAI[0-9A-Za-z]{12,20})(?-u:\b)".to_owned(),
        ),
        (
            &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox"],
            r"(?-u:\b)(?P<secret>(?:ghp|gho|ghu|ghs|ghr)_[0-9A-Za-z]{36,}|github_pat_\w{50,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,})".to_owned(),
        ),
        (
            &["eyj"],
            r"(?-u:\b)(?P<secret>eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,})".to_owned(),
        ),
        (
            &["private key-----"],
            r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----(?P<secret>.+?)(?:-----END|$)".to_owned(),
        ),
    ]
}

/// Where case does not matter to a regex, these are an `s` and a `k`; to the hints they are not.
const FOLDED: &[&str] = &["\u{17f}", "\u{212a}"];

struct Patterns {
    /// Every hint once; a text without any is done at the speed of a scan.
    hints: AhoCorasick,
    /// By hint: the patterns that it may begin, a bit each.
    hinted: Vec<u32>,
    each: Vec<Regex>,
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let patterns = patterns();
    let mut hinted: BTreeMap<&str, u32> = FOLDED.iter().map(|it| (*it, u32::MAX)).collect();
    for (nth, (hints, _)) in patterns.iter().enumerate() {
        for hint in *hints {
            *hinted.entry(hint).or_default() |= 1 << nth;
        }
    }
    let hints =
        AhoCorasick::builder().ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA)).build(hinted.keys());
    Patterns {
        hints: hints.expect("hints are few"),
        hinted: hinted.into_values().collect(),
        each: patterns.iter().map(|(_, it)| Regex::new(it).expect("patterns are tested")).collect(),
    }
});

impl Patterns {
    /// The patterns that may match.
    fn hinted(&self, text: &str) -> u32 {
        self.hints.find_overlapping_iter(text).fold(0, |all, hint| all | self.hinted[hint.pattern().as_usize()])
    }
}

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
    let mut hinted = patterns.hinted(text);
    let mut out = Cow::Borrowed(text);
    for (nth, pattern) in patterns.each.iter().enumerate() {
        if hinted >> nth & 1 == 0 {
            continue;
        }
        if let Cow::Owned(replaced) = replace_by(pattern, &out, with)
            && replaced != *out
        {
            // A pattern may begin to match only once another has masked.
            hinted = patterns.hinted(&replaced);
            out = Cow::Owned(replaced);
        }
    }
    out
}

fn replace_by<'a>(pattern: &Regex, text: &'a str, with: &str) -> Cow<'a, str> {
    pattern.replace_all(text, |found: &Captures<'_>| {
        let (whole, secret) = (found.get_match(), found.name("secret"));
        let Some(secret) = secret.filter(|it| !is_placeholder(it.as_str())) else {
            return whole.as_str().to_owned();
        };
        let (before, after) = (secret.start() - whole.start(), secret.end() - whole.start());
        format!("{}{with}{}", &whole.as_str()[..before], &whole.as_str()[after..])
    })
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
    use proptest::strategy::ValueTree;

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

    /// What a pattern can match, as far as a generator of text follows it.
    fn matching(pattern: &str) -> impl Strategy<Value = String> + use<> {
        let pattern =
            pattern.replace(r"(?-u:\b)", "").replace(r"(?:^|\s)", r"\s").replace("(?:-----END|$)", "-----END");
        proptest::string::string_regex(&pattern).unwrap()
    }

    #[test]
    fn a_pattern_matches_nothing_without_its_hints() {
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        for (nth, (_, pattern)) in patterns().iter().enumerate() {
            let (text, mut matched) = (matching(pattern), 0);
            for _ in 0..500 {
                let text = format!(" {} ", text.new_tree(&mut runner).unwrap().current());
                if PATTERNS.each[nth].is_match(&text) {
                    assert!(PATTERNS.hinted(&text) >> nth & 1 == 1, "{pattern} matches {text:?}");
                    matched += 1;
                }
            }
            assert!(matched > 100, "{pattern}: {matched}");
        }
    }

    #[test]
    fn hints_change_nothing() {
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let texts: Vec<_> = patterns().iter().map(|(_, it)| matching(it)).collect();
        for nth in 0..400 {
            let mut some = |step: usize| texts[nth * step % texts.len()].new_tree(&mut runner).unwrap().current();
            let text = format!("{} {}{}", some(1), some(5), some(7));
            for with in [MASKED, MASKED_TEMPLATE] {
                let all = PATTERNS.each.iter().fold(text.clone(), |text, it| replace_by(it, &text, with).into_owned());
                assert_eq!(replace(&text, with), all, "{text:?}");
            }
        }
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
