//! what an analyst asks most → SQL over the lake's tables and, where a question needs them, the findings' tables.
//!
//! What is asked for becomes a literal, quoted here and nowhere else, so that no value can end its quotes. Deliberately
//! absent: running it; what a value is worth.

use ringleader_model::Timestamp;

use super::super::Window;

/// Values of a gang that `Elsewhere` looks for.
pub(super) const VALUES: usize = 100;

/// One of the ready questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Where does this indicator stand?
    Ioc(String),
    /// What did this gang do? Its whole id.
    Gang(String),
    /// Which hosts that are not this gang's have to do with its infrastructure?
    Elsewhere { gang: String, values: Vec<String> },
    /// Who did this? An ATT&CK technique with those below it, or a behaviour by name.
    Technique(String),
    /// Who ran this path? A file's name alone, or `*`, will do.
    Path(String),
    /// Who talked to this port?
    Port(u16),
    /// What did this account do?
    Account(String),
    /// What happened on the host that the question names?
    Host,
}

/// A question about everything, or about one host and a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub ask: Ask,
    pub host: Option<String>,
    pub window: Window,
}

/// Texts in which an indicator may stand, the telling ones first.
const TEXTS: [&str; 27] = [
    "process_cmd_line",
    "url",
    "query_hostname",
    "http_host",
    "dst_hostname",
    "dst_ip",
    "src_ip",
    "file_hash",
    "file_path",
    "process_file_path",
    "answers",
    "http_body",
    "http_headers",
    "http_user_agent",
    "http_referrer",
    "finding_title",
    "detail",
    "service_name",
    "share_name",
    "parent_cmd_line",
    "parent_file_path",
    "working_directory",
    "container_image",
    "user_name",
    "workstation",
    "host_ip",
    "internet_ip",
];

/// What tells best of an event what it is about.
const ABOUT: &str =
    "coalesce(process_cmd_line, url, query_hostname, file_path, finding_title, service_name, share_name,
    process_file_path, detail, workstation, logon_type)";

/// Who talked to whom.
const FLOW: &str = "nullif(concat_ws(' > ', src_ip, nullif(concat_ws(':', dst_ip, dst_port), '')), '')";

/// What keeps rows apart: each event, but for snapshots of what runs on.
const ONCE: &str = "CASE WHEN activity <> 'snapshot' THEN event_id END";

impl Question {
    /// Whether it asks the findings' tables, and cannot be asked without.
    pub fn needs_findings(&self) -> bool {
        matches!(self.ask, Ask::Gang(_) | Ask::Elsewhere { .. })
    }

    /// The statement. With `findings` their tables can be asked as well.
    pub fn sql(&self, findings: bool) -> String {
        match &self.ask {
            Ask::Ioc(value) => self.ioc(value),
            Ask::Gang(id) => self.gang(id),
            Ask::Elsewhere { gang, values } => self.elsewhere(gang, values),
            Ask::Technique(technique) => self.technique(technique, findings),
            Ask::Path(path) => self.path(path),
            Ask::Port(port) => self.port(*port),
            Ask::Account(account) => self.account(account),
            Ask::Host => events(ABOUT, self.all([])),
        }
    }

    /// All conditions on rows of events.
    fn all<const N: usize>(&self, first: [String; N]) -> String {
        let mut all: Vec<String> = first.into();
        all.extend(self.host.as_deref().map(of_host));
        all.extend(self.times("time"));
        conditions(&all)
    }

    /// All conditions on rows of a table of findings.
    fn of_findings(&self, alias: &str, first: String) -> String {
        let mut all = vec![first];
        all.extend(self.host.as_deref().map(|it| is_named(&format!("{alias}.host"), it)));
        all.extend(self.times(&format!("{alias}.time")));
        conditions(&all)
    }

    fn times(&self, column: &str) -> Vec<String> {
        let literal = |it: Timestamp| format!("TIMESTAMP '{it}'");
        let since = self.window.since.map(|it| format!("{column} >= {}", literal(it)));
        let until = self.window.until.map(|it| format!("{column} < {}", literal(it)));
        since.into_iter().chain(until).collect()
    }

    fn ioc(&self, value: &str) -> String {
        let pattern = quoted(&mention(value));
        let mut found = format!("regexp_like({}, {pattern}, 'i')", joined());
        if let Some((address, port)) = value.rsplit_once(':')
            && port.parse::<u16>().is_ok()
        {
            let end = |ip: &str, number: &str| format!("{ip} = {} AND {number} = {}", quoted(address), quoted(port));
            found = format!("({found}\n    OR {} OR {})", end("dst_ip", "dst_port"), end("src_ip", "src_port"));
        } else if let Some((host, path)) = url_parts(value) {
            let below = quoted(&format!("^{}{AFTER}", regex::escape(path)));
            let host = quoted(&host.to_lowercase());
            found = format!("({found}\n    OR lower(http_host) = {host} AND regexp_like(url, {below}, 'i'))");
        }
        let mut about = "CASE".to_owned();
        // Both ends of a flow are shown anyway.
        for column in TEXTS.iter().take(14).filter(|it| !matches!(**it, "src_ip" | "dst_ip")) {
            about.push_str(&format!("\n    WHEN regexp_like({column}, {pattern}, 'i') THEN {column}"));
        }
        about.push_str(&format!("\n    ELSE {ABOUT} END"));
        events(&about, self.all([found]))
    }

    fn elsewhere(&self, gang: &str, values: &[String]) -> String {
        let any: Vec<String> = values.iter().take(VALUES).map(|it| mention(it)).collect();
        let any = if any.is_empty() { "[^\\s\\S]".to_owned() } else { any.join("|") };
        let found = format!("regexp_like({}, {}, 'i')", joined(), quoted(&any));
        let others = format!("host_uid NOT IN (SELECT host FROM members WHERE gang_id = {})", quoted(gang));
        events(ABOUT, self.all([found, others]))
    }

    fn gang(&self, id: &str) -> String {
        format!(
            "SELECT m.time, m.host, e.user_name, m.pid, m.parent_status, e.about, m.campaign_id, m.event_id
FROM members m
{}
{}
ORDER BY m.time, m.host, m.event_id",
            told("m"),
            self.of_findings("m", format!("m.gang_id = {}", quoted(id))),
        )
    }

    fn technique(&self, technique: &str, findings: bool) -> String {
        // `T1059` stands for T1059.004 too.
        let pattern = quoted(&format!("(^|[^a-z0-9]){}([^a-z0-9]|$)", regex::escape(technique)));
        let found = format!("regexp_like(attack_technique, {pattern}, 'i')");
        let alerts = format!(
            "SELECT time, host_uid AS host, attack_technique AS technique, finding_title AS behaviour, \
             CAST(NULL AS VARCHAR) AS gang_id,
    process_pid AS pid, {ABOUT} AS about, event_id
FROM detection_finding
{}",
            self.all([found])
        );
        if !findings {
            return format!("SELECT DISTINCT * FROM (\n{alerts}\n)\nORDER BY time, host, behaviour, event_id");
        }
        let is = format!(
            "(regexp_like(b.technique, {pattern}, 'i') OR lower(b.behaviour) = {})",
            quoted(&technique.to_lowercase())
        );
        format!(
            "SELECT b.time, b.host, b.technique, b.behaviour, b.gang_id,
    e.process_pid AS pid, e.about, b.event_id
FROM behaviours b
{}
{}
UNION
{alerts}
ORDER BY time, host, behaviour, event_id",
            told("b"),
            self.of_findings("b", is)
        )
    }

    fn path(&self, path: &str) -> String {
        let bare = !path.contains(['/', '\\']);
        // `*` stands for anything but the end of a word.
        let pieces: Vec<String> = path.split('*').map(regex::escape).collect();
        let (own, word) = (pieces.join(".*"), pieces.join(r"[^\s]*"));
        let start = if bare { r"(^|[/\\])" } else { "^" };
        let image = quoted(&format!("{start}{own}$"));
        let first = if bare { r#"^"?([^\s"]*[/\\])?"# } else { r#"^"?"# };
        let program = quoted(&format!(r#"{first}{word}"?(\s|$)"#));
        let before = if bare { r#"(^|[\s"'=;&|(/\\])"# } else { r#"(^|[\s"'=;&|(])"# };
        let named = quoted(&format!(r#"{before}{word}($|[\s"';&|)])"#));
        let ran =
            format!("(regexp_like(process_file_path, {image}, 'i') OR regexp_like(process_cmd_line, {program}, 'i'))");
        let ran = format!("coalesce({ran}, false)");
        let any = format!("({ran}\n    OR regexp_like(process_cmd_line, {named}, 'i'))");
        let mut all = vec!["activity IN ('launch', 'snapshot')".to_owned(), any];
        all.extend(self.host.as_deref().map(of_host));
        all.extend(self.times("time"));
        format!(
            "SELECT min(time) AS time, host_uid, CASE WHEN {ran} THEN 'ran' ELSE 'named' END AS what,
    user_name, process_pid AS pid, parent_pid AS ppid, parent_file_path AS parent, coalesce(process_cmd_line, process_file_path) AS about,
    count(DISTINCT event_id) AS records, min(event_id) AS event_id
FROM process_activity
{}
GROUP BY host_uid, what, user_name, process_pid, parent_pid, parent_file_path, about,
    {ONCE}
ORDER BY time, host_uid, event_id",
            conditions(&all)
        )
    }

    fn port(&self, port: u16) -> String {
        let to = format!("dst_port = '{port}'");
        format!(
            "SELECT src_ip, dst_ip, host_uid, process_file_path, user_name, direction,
    count(DISTINCT event_id) AS records, min(time) AS first, max(time) AS last
FROM network_activity
{}
GROUP BY src_ip, dst_ip, host_uid, process_file_path, user_name, direction
ORDER BY first, src_ip, dst_ip, host_uid, process_file_path",
            self.all([to, "activity <> 'listen'".to_owned()])
        )
    }

    fn account(&self, account: &str) -> String {
        let name = account.to_lowercase();
        let is = format!(
            "(lower(user_name) = {} OR ends_with(lower(user_name), {}) OR starts_with(lower(user_name), {}))",
            quoted(&name),
            quoted(&format!("\\{name}")),
            quoted(&format!("{name}@"))
        );
        events(ABOUT, self.all([is]))
    }
}

/// What the event of a row was about; a record that was delivered twice is one.
fn told(alias: &str) -> String {
    format!(
        "LEFT JOIN (
    SELECT event_id, min(user_name) AS user_name, min(process_pid) AS process_pid,
        min(coalesce(process_cmd_line, url, file_path, process_file_path, detail)) AS about
    FROM events GROUP BY event_id
) e ON e.event_id = {alias}.event_id"
    )
}

/// Events, a row each; a process that snapshots show again and again is one row, at its first.
/// Events, a row each; a process that snapshots show again and again is one row, at its first.
fn events(about: &str, conditions: String) -> String {
    format!(
        "SELECT min(time) AS time, host_uid, class, activity, user_name, process_pid AS pid, src_ip, dst_ip, dst_port,
    concat_ws('  ', {FLOW}, {about}) AS about,
    min(event_id) AS event_id
FROM events
{conditions}
GROUP BY host_uid, class, activity, user_name, process_pid, src_ip, dst_ip, dst_port, about,
    {ONCE}
ORDER BY time, host_uid, event_id"
    )
}

fn conditions(all: &[String]) -> String {
    if all.is_empty() { String::new() } else { format!("WHERE {}", all.join("\n  AND ")) }
}

/// Every text of an event, a line each.
fn joined() -> String {
    format!("concat_ws(chr(10), {})", TEXTS.join(", "))
}

/// A host by its name, short or full, or by its address: then what others say of the address, too.
pub(super) fn of_host(host: &str) -> String {
    if host.parse::<std::net::IpAddr>().is_ok() {
        let is = quoted(&host.to_lowercase());
        return format!("(host_uid = {is} OR host_ip = {is} OR src_ip = {is} OR dst_ip = {is})");
    }
    is_named("host_uid", host)
}

fn is_named(column: &str, host: &str) -> String {
    let name = host.to_lowercase();
    format!("(lower({column}) = {} OR starts_with(lower({column}), {}))", quoted(&name), quoted(&format!("{name}.")))
}

/// What may follow a whole indicator: its sentence may end, its name may not go on.
const AFTER: &str = r"\.?($|[^a-z0-9_.-])";

/// Where a text mentions the value, and not one that only begins or ends like it. A domain is mentioned by the names
/// below it, too.
fn mention(value: &str) -> String {
    let is_name = value.contains('.')
        && !value.contains(['/', '\\', ':', '@'])
        && value.parse::<std::net::IpAddr>().is_err()
        && value.chars().any(|it| it.is_alphabetic());
    let before = if is_name { "(^|[^a-z0-9_-])" } else { "(^|[^a-z0-9_.-])" };
    format!("{before}{}{AFTER}", regex::escape(value))
}

/// `http://host:port/path` → `host:port`, `/path`
fn url_parts(value: &str) -> Option<(&str, &str)> {
    let (_, rest) = value.split_once("://")?;
    let at = rest.find('/')?;
    Some(rest.split_at(at))
}

/// A literal: in this dialect nothing but a quote means anything within quotes.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use regex::RegexBuilder;

    use super::*;

    fn mentions(value: &str, text: &str) -> bool {
        RegexBuilder::new(&mention(value)).case_insensitive(true).build().unwrap().is_match(text)
    }

    #[test]
    fn an_indicator_is_mentioned_whole() {
        for (value, text) in [
            ("192.0.2.7", "wget http://192.0.2.7/x"),
            ("192.0.2.7", "It came from 192.0.2.7."),
            ("evil.example", "curl a.EVIL.example:80"),
            ("/tmp/x", "sh '/tmp/x'"),
            ("/tmp", "sh /tmp/x"),
            ("http://evil.example/x", "curl http://evil.example/x?y"),
            (r"C:\Temp\x.exe", r#""c:\temp\x.exe" -k"#),
            ("2001:db8::1", "[2001:db8::1]:80"),
        ] {
            assert!(mentions(value, text), "{value} in {text}");
        }
        for (value, text) in [
            ("192.0.2.7", "192.0.2.77"),
            ("192.0.2.7", "1192.0.2.7"),
            ("192.0.2.7", "192.0.2.7.9"),
            ("evil.example", "not-evil.example"),
            ("evil.example", "evil.example.test"),
            ("/tmp/x", "/var/tmp/x"),
            ("/tmp/x", "/tmp/x.sh"),
            ("a.b", "axb"),
        ] {
            assert!(!mentions(value, text), "{value} in {text}");
        }
    }

    #[test]
    fn a_value_stays_within_its_quotes() {
        assert_eq!(quoted("it's"), "'it''s'");
        let evil = "x') OR 1=1; DROP TABLE lake --";
        for ask in [
            Ask::Ioc(evil.into()),
            Ask::Gang(evil.into()),
            Ask::Elsewhere { gang: evil.into(), values: vec![evil.into()] },
            Ask::Technique(evil.into()),
            Ask::Path(evil.into()),
            Ask::Account(evil.into()),
            Ask::Host,
        ] {
            let sql = Question { ask, host: Some(evil.into()), window: Window::default() }.sql(true);
            // Outside of quotes nothing of it is left.
            let outside: String = sql.split('\'').step_by(2).collect();
            assert!(!outside.contains("DROP"), "{sql}");
        }
    }
}
