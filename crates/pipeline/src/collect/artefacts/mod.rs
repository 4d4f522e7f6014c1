//! What a responder carries away from a host, and notes that people write → events. A file per kind.
//!
//! What they say has no place in a process log, so each names its kind in `status` (see [`kind`]) and nothing takes it
//! for a process that started. Deliberately absent: any judgement (that is `reconstruct`'s).

pub mod alert_rows;
pub mod alert_text;
pub mod asset_list;
pub mod file_listing;
pub mod flow_rows;
pub mod process_list;
pub mod run_traces;
pub mod socket_list;
pub mod ssh_files;
mod table;
pub mod worm_log;

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::LazyLock;

use regex::Regex;
use ringleader_model::Timestamp;
use ringleader_model::time::{Parsed, TimeDefaults};

/// The `status` of an artefact's events.
pub mod kind {
    /// The malware's own log of its port scan.
    pub const SCAN_LOG: &str = "scan_log";
    /// The malware's own log of its exploit.
    pub const EXPLOIT_LOG: &str = "exploit_log";
    pub const KNOWN_HOST: &str = "known_host";
    pub const AUTHORIZED_KEY: &str = "authorized_key";
    /// Prefetch and Amcache: it ran, or lay there, at some time.
    pub const PREFETCH: &str = "prefetch";
    pub const AMCACHE: &str = "amcache";
    pub const LISTING: &str = "listing";
    pub const ASSET: &str = "asset";
}

/// A time anywhere in a line.
pub(crate) enum Found {
    None,
    Time(Parsed),
    /// It is written as a time, and no such time exists.
    Impossible,
}

impl Found {
    pub(crate) fn time(&self) -> Option<Parsed> {
        if let Self::Time(it) = self { Some(*it) } else { None }
    }
}

/// The first date and time of a line, in digits or as `2018年9月30日 10:21`.
pub(crate) fn find_time(line: &str, times: &TimeDefaults) -> Found {
    static DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T ]{0,3}(\d{1,2})[:：时点](\d{2})(?:[:：分](\d{2})(?:[.,](\d{1,6}))?)?)?[秒分]?\s?(Z|[+-]\d{2}:?\d{2})?",
        )
        .ok()
    });
    let Some(found) = DATE.as_ref().and_then(|it| it.captures(line)) else { return Found::None };
    let part = |n: usize| found.get(n).map_or("", |it| it.as_str());
    let text = format!(
        "{}-{:0>2}-{:0>2}T{:0>2}:{:0>2}:{:0>2}.{:0<1}{}",
        part(1),
        part(2),
        part(3),
        part(4),
        part(5),
        part(6),
        part(7),
        part(8)
    );
    match Timestamp::parse(&text, times) {
        Some(it) => Found::Time(it),
        None => Found::Impossible,
    }
}

/// `09/30/2018 09:05 AM`, `30/09/2018 09:05:10`, `2018/09/30 09:05`: as Windows prints times where the user lives. Where
/// day and month cannot be told apart, and no AM or PM says that it is America's, nothing is.
pub(crate) fn local_time(text: &str, times: &TimeDefaults) -> Option<Parsed> {
    let mut words = text.split_whitespace();
    let (date, clock, half) = (words.next()?, words.next()?, words.next());
    let mut parts = date.split(['/', '-', '.']).map(|it| it.parse::<u32>().ok());
    let (a, b, c) = (parts.next()??, parts.next()??, parts.next()??);
    let (year, month, day) = match (a, b, half) {
        (1000.., ..) => (a, b, c),
        (13.., ..) => (c, b, a),
        (_, 13.., _) => (c, a, b),
        (_, _, Some("AM" | "PM" | "am" | "pm")) => (c, a, b),
        _ => return None,
    };
    let mut parts = clock.split(':').map(|it| it.parse::<u32>().ok());
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    let hour = match half.map(str::to_ascii_lowercase).as_deref() {
        Some("pm") if hour < 12 => hour + 12,
        Some("am") if hour == 12 => 0,
        _ => hour,
    };
    Timestamp::parse(&format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"), times)
}

/// An address, where it stands, and the port written behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub ip: IpAddr,
    pub start: usize,
    pub end: usize,
    pub port: Option<u16>,
}

/// Addresses of a line, in order. Networks (`/24`), the unspecified, loopback and broadcast are none.
pub(crate) fn find_addresses(line: &str) -> Vec<Place> {
    const CUTS: &[char] =
        &[' ', '\t', ',', ';', '"', '\'', '(', ')', '|', '=', '，', '、', '。', '；', '：', '（', '）'];
    let mut found = Vec::new();
    let mut at = 0;
    for word in line.split(|c: char| CUTS.contains(&c) || (!c.is_ascii() && !c.is_whitespace())) {
        let start = at;
        at += word.len() + line[start + word.len()..].chars().next().map_or(0, char::len_utf8);
        // `a->b`, and `a-b`, which is a range and no host.
        if let Some((a, b)) = word.split_once("->") {
            found.extend(address(a).map(|(ip, port)| Place { ip, start, end: start + a.len(), port }));
            let start = start + a.len() + 2;
            found.extend(address(b).map(|(ip, port)| Place { ip, start, end: start + b.len(), port }));
            continue;
        }
        found.extend(address(word).map(|(ip, port)| Place { ip, start, end: start + word.len(), port }));
        if found.len() >= 4096 {
            break;
        }
    }
    found
}

fn address(word: &str) -> Option<(IpAddr, Option<u16>)> {
    let word = word.trim_end_matches(['.', ':', '!', '?']).trim_start_matches(['\\', '/']).trim_matches(['<', '>']);
    if let Some(rest) = word.strip_prefix('[') {
        let (inner, rest) = rest.split_once(']')?;
        let ip = inner.split('%').next()?.parse().ok().filter(is_host)?;
        return Some((ip, rest.trim_start_matches(':').parse().ok()));
    }
    if let Ok(ip) = word.split('%').next()?.parse::<IpAddr>() {
        return is_host(&ip).then_some((ip, None));
    }
    let (ip, port) = word.split_once([':', '#'])?;
    let ip: IpAddr = ip.parse().ok().filter(|it: &IpAddr| it.is_ipv4() && is_host(it))?;
    let digits: String = port.chars().take_while(char::is_ascii_digit).collect();
    Some((ip, digits.parse().ok()))
}

fn is_host(ip: &IpAddr) -> bool {
    !ip.is_unspecified()
        && !ip.is_loopback()
        && !ip.is_multicast()
        && !matches!(ip, IpAddr::V4(it) if it.is_broadcast() || it.octets()[0] == 0)
}

/// The host that a file was taken from, out of its name or its folders: `192.168.0.3/stage2.txt`,
/// `web1_netstat.txt`, `case/web1/root/.ssh/known_hosts`.
pub fn host_of_artefact(name: &str) -> Option<String> {
    let parts: Vec<&str> =
        name.split(['/', '\\', '!']).filter(|it| !it.is_empty() && *it != "." && *it != "..").collect();
    let (file, folders) = parts.split_last()?;
    if let Some(ip) = address_in_name(file).or_else(|| folders.iter().rev().find_map(|it| address_in_name(it))) {
        return Some(ip);
    }
    let stem = file.split('.').find(|it| !it.is_empty()).unwrap_or("");
    let words: Vec<&str> =
        stem.split(['_', ' ', '+', '@']).flat_map(|it| it.split("--")).filter(|it| !is_artefact_word(it)).collect();
    let words = words.join("_");
    let words = words.trim_matches(['-', '_']);
    let words = ARTEFACT_WORDS
        .iter()
        .find_map(|it| {
            words
                .strip_suffix(it)
                .and_then(|rest| rest.strip_suffix('-'))
                .or_else(|| words.strip_prefix(it)?.strip_prefix('-'))
        })
        .unwrap_or(words);
    if !words.is_empty() && !is_artefact_word(words) {
        return Some(words.to_owned());
    }
    let folder = folders.iter().rev().find(|it| {
        let it = it.to_ascii_lowercase();
        !is_artefact_word(&it) && !SYSTEM_FOLDERS.contains(&it.trim_matches([':', '.'])) && it.len() > 1
    });
    folder.map(|it| (*it).to_owned())
}

/// Names of files as responders keep them, without what tells the host.
const ARTEFACT_WORDS: &[&str] = &[
    "stage1",
    "stage2",
    "known_hosts",
    "knownhosts",
    "known",
    "hosts",
    "authorized_keys",
    "authorized",
    "keys",
    "history",
    "bash_history",
    "bash",
    "crontab",
    "cron",
    "root",
    "netstat",
    "ss",
    "ps",
    "tasklist",
    "wmic",
    "process",
    "processes",
    "prefetch",
    "amcache",
    "pecmd",
    "output",
    "ls",
    "listing",
    "webroot",
    "web",
    "artefacts",
    "artifacts",
    "evidence",
    "collected",
    "triage",
    "case",
    "logs",
    "scan",
    "exploit",
    "unassociatedfileentries",
    "programentries",
    "snapshot",
    "log",
    "txt",
    "csv",
    "auth",
    "ant",
    "aux",
    "dump",
];
const SYSTEM_FOLDERS: &[&str] = &[
    "windows",
    "system32",
    "speechstracing",
    "microsoft",
    "c",
    "d",
    "etc",
    "home",
    "ssh",
    "var",
    "www",
    "html",
    "spool",
    "tmp",
    "temp",
    "users",
    "administrator",
    "programdata",
    "opt",
    "usr",
    "data",
    "files",
    "host",
    "hosts",
    "fixtures",
    "incident",
    "work",
    "mnt",
    "export",
    "input",
    "inputs",
    "samples",
];

fn is_artefact_word(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    word.is_empty() || ARTEFACT_WORDS.contains(&&*word) || word.bytes().all(|b| b.is_ascii_digit())
}

/// `stage2-192.168.0.3.txt`, `192_168_0_3`: an IPv4 address in a name, dotted ones first.
fn address_in_name(name: &str) -> Option<String> {
    static IP: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        let with = |it: &str| {
            Regex::new(&format!(r"(?:^|[^0-9])(\d{{1,3}}){it}(\d{{1,3}}){it}(\d{{1,3}}){it}(\d{{1,3}})(?:[^0-9]|$)"))
                .ok()
        };
        [r"\.", "-", "_"].into_iter().filter_map(with).collect()
    });
    let found = IP.iter().find_map(|it| it.captures(name))?;
    let text = format!("{}.{}.{}.{}", &found[1], &found[2], &found[3], &found[4]);
    text.parse::<IpAddr>().ok().map(|it| it.to_string())
}

/// The file's own name, in lower case.
pub(crate) fn file_name(name: &str) -> String {
    name.rsplit(['/', '\\', '!']).next().unwrap_or("").to_ascii_lowercase()
}

/// The lines of a head that say anything, each cut to what is worth looking at.
pub(crate) fn lines(head: &[u8]) -> impl Iterator<Item = Cow<'_, str>> {
    head.split(|b| *b == b'\n')
        .map(|it| it.trim_ascii())
        .filter(|it| !it.is_empty())
        .take(200)
        .map(|it| super::text::decode(&it[..it.len().min(1024)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_in_the_name_or_the_folder() {
        let check = |name: &str, host: Option<&str>| assert_eq!(host_of_artefact(name).as_deref(), host, "{name}");
        check("/case/192.168.0.3/stage2.txt", Some("192.168.0.3"));
        check("/case/192.168.0.3/c/windows/SpeechsTracing/Microsoft/stage2.txt", Some("192.168.0.3"));
        check("/case/stage2_192.168.0.3.txt", Some("192.168.0.3"));
        check("case.zip!192-168-0-3/netstat.txt", Some("192.168.0.3"));
        check("/case/web1/root/.ssh/known_hosts", Some("web1"));
        check("/case/web1_netstat.txt", Some("web1"));
        check("/case/db-07-netstat.txt", Some("db-07"));
        check("stage1.txt", None);
    }

    #[test]
    fn addresses_stand_in_prose_and_in_tables() {
        let check = |line: &str, expect: &[&str]| {
            let got: Vec<String> = find_addresses(line).iter().map(|it| it.ip.to_string()).collect();
            assert_eq!(got, expect, "{line}");
        };
        check(
            "192.168.0.4,192.168.4.4,192.168.4.10，10.0.3.19都有告警",
            &["192.168.0.4", "192.168.4.4", "192.168.4.10", "10.0.3.19"],
        );
        check("[+] 192.168.0.4:445 open", &["192.168.0.4"]);
        check("scanning 192.168.0.0/24 and 10.0.0.1-10.0.0.9", &[]);
        check("192.168.0.3->192.168.0.4:445", &["192.168.0.3", "192.168.0.4"]);
        check("[2001:db8::7]:445 up, v1.2.3, 0.0.0.0, 127.0.0.1", &["2001:db8::7"]);
        assert_eq!(find_addresses("x 10.0.0.1:445")[0].port, Some(445));
    }

    #[test]
    fn a_day_that_never_was_is_told() {
        let times = TimeDefaults::default();
        assert!(matches!(find_time("2018年9月31日 上午", &times), Found::Impossible));
        let time = find_time("于2018年9月30日 9:05 发现", &times).time().map(|it| it.0.to_string());
        assert_eq!(time.as_deref(), Some("2018-09-30T09:05:00.000000Z"));
        assert!(matches!(find_time("nothing", &times), Found::None));
    }

    #[test]
    fn times_as_windows_prints_them_for_people() {
        let check = |text: &str, expect: Option<&str>| {
            let time = local_time(text, &TimeDefaults::default()).map(|it| it.0.to_string());
            assert_eq!(time.as_deref(), expect, "{text}");
        };
        check("09/30/2018  09:05 PM", Some("2018-09-30T21:05:00.000000Z"));
        check("9/3/2018 12:05:10 AM", Some("2018-09-03T00:05:10.000000Z"));
        check("30.09.2018 09:05", Some("2018-09-30T09:05:00.000000Z"));
        check("2018/09/30  09:05", Some("2018-09-30T09:05:00.000000Z"));
        check("09/03/2018 09:05", None);
        check("09/31/2018 09:05 AM", None);
        check("99999999999/1/1 1:1", None);
    }
}
