//! `knowledge/gangs/*.yml` → known gangs. Whoever adds one is told what is wrong with it, by name.

use std::net::Ipv4Addr;

use ringleader_model::time::days;
use serde::Deserialize;

use super::{Fact, FactKind, Kind, Known, Reference};

const MAX_FILE: usize = 256 * 1024;
/// Facts of one file.
const MAX_FACTS: usize = 2048;
const MAX_VALUE: usize = 512;
/// Shorter parts of URLs and command lines stand in too many texts by chance.
const MIN_PART: usize = 6;
const MIN_FILE: usize = 3;
/// Of an SSH key: what comes before tells the key's type only.
const MIN_KEY: usize = 40;
/// What every other bot calls its files, and every administrator some of theirs. Such a name says nothing of anybody.
const GENERIC: &[&str] = &[
    "1.sh",
    "a.sh",
    "bash",
    "bins.sh",
    "config.json",
    "cron",
    "init.sh",
    "install.sh",
    "kworker",
    "miner",
    "minerd",
    "run",
    "run.sh",
    "setup.sh",
    "sh",
    "sshd",
    "start.sh",
    "svchost.exe",
    "systemd",
    "update.sh",
    "x86",
    "x86_64",
    "xmr",
    "xmr.exe",
    "xmrig",
    "xmrig.exe",
    "xmrig.tar.gz",
    "arm",
    "arm5",
    "arm6",
    "arm7",
    "mips",
    "mpsl",
    "masscan",
    "zgrab",
    "pnscan",
    "python",
    "perl",
    "rsync",
    "top",
    "crond",
    "httpd",
    "nginx",
    "java",
    "spoolsv.exe",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    name: String,
    #[serde(default)]
    names: Vec<String>,
    kind: String,
    since: Text,
    platforms: Vec<String>,
    #[serde(default)]
    methods: Vec<String>,
    #[serde(default)]
    behaviours: Vec<String>,
    #[serde(default)]
    runs: Vec<String>,
    #[serde(default)]
    habits: Vec<String>,
    #[serde(default)]
    wallets: Vec<Item>,
    #[serde(default)]
    ssh_keys: Vec<Item>,
    #[serde(default)]
    hashes: Vec<Item>,
    #[serde(default)]
    emails: Vec<Item>,
    #[serde(default)]
    accounts: Vec<Item>,
    #[serde(default)]
    domains: Vec<Item>,
    #[serde(default)]
    addresses: Vec<Item>,
    #[serde(default)]
    url_parts: Vec<Item>,
    #[serde(default)]
    paths: Vec<Item>,
    #[serde(default)]
    files: Vec<Item>,
    #[serde(default)]
    commands: Vec<Item>,
    #[serde(default)]
    user_agents: Vec<Item>,
    #[serde(default)]
    images: Vec<Item>,
    references: Vec<Source>,
}

/// A year alone is a number to YAML.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Text(String),
    Number(u16),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Item {
    Plain(String),
    Dated(Dated),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dated {
    value: String,
    #[serde(default)]
    only: bool,
    from: Option<Text>,
    until: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    title: String,
    publisher: String,
    year: u16,
}

/// Reads one file.
pub(super) fn parse(text: &str) -> Result<Known, String> {
    if text.len() > MAX_FILE {
        return Err(format!("a gang's file is at most {MAX_FILE} bytes"));
    }
    let file: File = yaml_serde::from_str(text).map_err(|why| why.to_string())?;
    if file.id.is_empty() || !file.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
        return Err(format!("id `{}` is not snake_case", file.id));
    }
    let kind = match file.kind.as_str() {
        "gang" => Kind::Gang,
        "family" => Kind::Family,
        other => return Err(format!("kind `{other}` is neither gang nor family")),
    };
    let since = file.since.text();
    date(&since)?;
    if file.references.is_empty() {
        return Err("no reference: who says so?".to_owned());
    }
    let sections = [
        (FactKind::Wallet, file.wallets),
        (FactKind::SshKey, file.ssh_keys),
        (FactKind::Hash, file.hashes),
        (FactKind::Email, file.emails),
        (FactKind::Account, file.accounts),
        (FactKind::Domain, file.domains),
        (FactKind::Address, file.addresses),
        (FactKind::UrlPart, file.url_parts),
        (FactKind::Path, file.paths),
        (FactKind::File, file.files),
        (FactKind::Command, file.commands),
        (FactKind::UserAgent, file.user_agents),
        (FactKind::Image, file.images),
    ];
    let mut facts: Vec<Fact> = Vec::new();
    for (kind, item) in sections.into_iter().flat_map(|(kind, items)| items.into_iter().map(move |it| (kind, it))) {
        let fact = fact(kind, item).map_err(|why| format!("{}: {why}", kind.name()))?;
        if facts.iter().any(|it| it.kind == kind && it.value == fact.value) {
            return Err(format!("{}: `{}` stands there twice", kind.name(), fact.value));
        }
        facts.push(fact);
    }
    if facts.is_empty() || facts.len() > MAX_FACTS {
        return Err(format!("{} facts; a file has from 1 to {MAX_FACTS}", facts.len()));
    }
    Ok(Known {
        id: file.id,
        name: file.name,
        names: file.names,
        kind,
        since,
        platforms: file.platforms,
        methods: file.methods,
        behaviours: file.behaviours,
        runs: file.runs,
        habits: file.habits,
        facts,
        references: file
            .references
            .into_iter()
            .map(|it| Reference { title: it.title, publisher: it.publisher, year: it.year })
            .collect(),
    })
}

impl Text {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(year) => year.to_string(),
        }
    }
}

fn fact(kind: FactKind, item: Item) -> Result<Fact, String> {
    let it = match item {
        Item::Plain(value) => Dated { value, only: false, from: None, until: None },
        Item::Dated(it) => it,
    };
    let value = value(kind, &it.value)?;
    let from = it.from.map(|text| date(&text.text())).transpose()?.map(|it| it.0);
    let until = it.until.map(|text| date(&text.text())).transpose()?.map(|it| it.1);
    if from.zip(until).is_some_and(|(from, until)| from > until) {
        return Err(format!("`{value}` ends before it begins"));
    }
    Ok(Fact { only: it.only, from, until, ..Fact::new(kind, value) })
}

/// As it will be asked for, if it can tell anything.
pub(super) fn value(kind: FactKind, text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > MAX_VALUE || text.chars().any(char::is_control) {
        return Err(format!("`{}` is empty, too long, or no plain text", text.escape_debug()));
    }
    let least = |n: usize| if text.len() < n { Err(format!("`{text}` is shorter than {n} bytes")) } else { Ok(()) };
    Ok(match kind {
        FactKind::Domain => {
            let lower = text.to_ascii_lowercase();
            let named = lower.contains('.') && !lower.starts_with('.') && !lower.ends_with('.');
            if !named || !lower.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-' || b == b'_') {
                return Err(format!("`{text}` is no domain"));
            }
            lower
        }
        FactKind::Address => {
            let (ip, port) = text.split_once(':').unwrap_or((text, "1"));
            let public = |ip: Ipv4Addr| !ip.is_private() && !ip.is_loopback() && !ip.is_unspecified();
            if port.parse::<u16>().is_err() || !ip.parse().is_ok_and(public) {
                return Err(format!("`{text}` is no public address"));
            }
            text.to_owned()
        }
        FactKind::File => {
            least(MIN_FILE)?;
            if text.contains(['/', '\\']) || GENERIC.contains(&text.to_ascii_lowercase().as_str()) {
                return Err(format!("`{text}` is a path, or a name that anybody could choose"));
            }
            spelled(text)
        }
        FactKind::Path => {
            least(MIN_PART)?;
            if !text.contains(['/', '\\']) {
                return Err(format!("`{text}` is no path"));
            }
            spelled(text).trim_end_matches(['/', '\\']).to_owned()
        }
        FactKind::UrlPart => {
            least(MIN_PART)?;
            if !text.starts_with('/') {
                return Err(format!("`{text}` does not start with a slash"));
            }
            text.to_owned()
        }
        FactKind::SshKey => {
            least(MIN_KEY)?;
            text.to_owned()
        }
        FactKind::Command => {
            least(MIN_PART)?;
            text.to_owned()
        }
        FactKind::Hash | FactKind::Email | FactKind::Image => text.to_ascii_lowercase(),
        FactKind::Wallet | FactKind::Account | FactKind::UserAgent => text.to_owned(),
    })
}

/// Windows does not tell `A` from `a`.
pub(super) fn spelled(path: &str) -> String {
    let windows = path.contains('\\') || path.to_ascii_lowercase().ends_with(".exe");
    if windows { path.to_ascii_lowercase() } else { path.to_owned() }
}

/// `2021`, `2021-03` or `2021-03-14` → its first and its last day.
fn date(text: &str) -> Result<(i64, i64), String> {
    let parts = text.split('-').map(str::parse).collect::<Result<Vec<i64>, _>>().unwrap_or_default();
    let span = match parts[..] {
        [year, ..] if !(1990..2100).contains(&year) => None,
        [year] => days(year, 1, 1).zip(days(year, 12, 31)),
        [year, 12] => days(year, 12, 1).zip(days(year, 12, 31)),
        [year, month @ 1..12] => days(year, month, 1).zip(days(year, month + 1, 1).map(|it| it - 1)),
        [year, month, day] => days(year, month, day).map(|it| (it, it)),
        _ => None,
    };
    span.ok_or_else(|| format!("`{text}` is no date like 2021, 2021-03 or 2021-03-14"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "id: a_b\nname: A\nkind: gang\nsince: 2019-05\nplatforms: [linux]\nfiles: [zzhx, {value: kdrv, only: true}]\naddresses: [{value: 8.8.4.4, from: 2020, until: 2020-02}]\nreferences: [{title: T, publisher: P, year: 2020}]\n";

    #[test]
    fn a_file_is_read() {
        let known = parse(GOOD).unwrap();
        assert_eq!((known.kind, known.facts.len(), known.since.as_str()), (Kind::Gang, 3, "2019-05"));
        let address = &known.facts[0];
        assert_eq!((address.from, address.until), (Some(18_262), Some(18_321)));
        assert!(known.facts[2].only && !known.facts[1].only);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (from, to, why) in [
            ("kind: gang", "kind: club", "kind `club` is neither gang nor family"),
            ("id: a_b", "id: A-b", "id `A-b` is not snake_case"),
            ("zzhx", "xmrig", "files: `xmrig` is a path, or a name that anybody could choose"),
            ("8.8.4.4", "10.0.0.1", "addresses: `10.0.0.1` is no public address"),
            ("2020-02}", "2019-12}", "addresses: `8.8.4.4` ends before it begins"),
            ("since: 2019-05", "since: 2019-15", "`2019-15` is no date like 2021, 2021-03 or 2021-03-14"),
            ("zzhx", "kdrv", "files: `kdrv` stands there twice"),
            ("references: [{title: T, publisher: P, year: 2020}]", "references: []", "no reference: who says so?"),
        ] {
            assert_eq!(parse(&GOOD.replace(from, to)).unwrap_err(), why);
        }
        assert!(parse("id: [").is_err());
        assert!(parse(&GOOD.replace("name: A", "nmae: A")).unwrap_err().contains("nmae"));
    }

    #[test]
    fn days_are_counted_as_the_calendar_does() {
        assert_eq!(date("1970"), Err("`1970` is no date like 2021, 2021-03 or 2021-03-14".to_owned()));
        assert!(date("2021-02-30").is_err() && date("9223372036854775807").is_err());
        assert_eq!(date("2000-02").map(|it| it.1 - it.0), Ok(28));
        assert_eq!(date("2000-03-01").map(|it| it.0), Ok(11_017));
        assert_eq!(date("2023").map(|it| it.1 - it.0), Ok(364));
    }
}
