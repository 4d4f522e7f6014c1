//! text around `://` → URL, host, port. Deliberately absent: percent-decoding (`decode`) and contexts (`command`).

use std::net::IpAddr;

use super::host;

/// A URL as it stands in a text; all offsets are into that text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Url<'a> {
    pub scheme: &'static str,
    pub kind: Scheme,
    /// Where the scheme starts, where the URL ends.
    pub start: usize,
    pub end: usize,
    pub host: Host<'a>,
    pub port: Option<u16>,
    /// Userinfo included, as written.
    pub authority: &'a str,
    pub host_text: &'a str,
    /// From the first `/`, `?` or `#` on; empty where there is none.
    pub rest: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host<'a> {
    Ip(IpAddr),
    Domain(&'a str),
    /// A name of one network only: `localhost`, `db`, `web.internal`.
    Local(&'a str),
}

/// What a scheme makes of its URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Url,
    /// A class or object is loaded from there.
    Lookup,
    Pool,
    /// Only the host says anything.
    Endpoint,
}

/// Where the two that nearly every URL has stand below.
const HTTPS: usize = 0;
const HTTP: usize = 24;

const SCHEMES: &[(&str, Scheme)] = &[
    ("https", Scheme::Url),
    ("ftps", Scheme::Url),
    ("sftp", Scheme::Url),
    ("tftp", Scheme::Url),
    ("ftp", Scheme::Url),
    ("ldaps", Scheme::Lookup),
    ("ldap", Scheme::Lookup),
    ("rmi", Scheme::Lookup),
    ("iiop", Scheme::Lookup),
    ("gopher", Scheme::Url),
    ("dict", Scheme::Url),
    ("git", Scheme::Url),
    ("wss", Scheme::Url),
    ("ws", Scheme::Url),
    ("stratum+tcp", Scheme::Pool),
    ("stratum+ssl", Scheme::Pool),
    ("stratum+tls", Scheme::Pool),
    ("stratum+udp", Scheme::Pool),
    ("stratum2+tcp", Scheme::Pool),
    ("stratum1+tcp", Scheme::Pool),
    ("stratum1+ssl", Scheme::Pool),
    ("stratums", Scheme::Pool),
    ("stratum", Scheme::Pool),
    ("daemon+http", Scheme::Pool),
    ("http", Scheme::Url),
    ("tcp", Scheme::Endpoint),
    ("tls", Scheme::Endpoint),
    ("ssl", Scheme::Endpoint),
    ("udp", Scheme::Endpoint),
    ("dns", Scheme::Endpoint),
    ("ssh", Scheme::Endpoint),
    ("telnet", Scheme::Endpoint),
    ("redis", Scheme::Endpoint),
    ("mysql", Scheme::Endpoint),
    ("postgresql", Scheme::Endpoint),
    ("mongodb", Scheme::Endpoint),
    ("amqp", Scheme::Endpoint),
    ("mqtt", Scheme::Endpoint),
    ("socks4", Scheme::Endpoint),
    ("socks5h", Scheme::Endpoint),
    ("socks5", Scheme::Endpoint),
    ("smb", Scheme::Endpoint),
    ("rdp", Scheme::Endpoint),
    ("vnc", Scheme::Endpoint),
    ("rsync", Scheme::Endpoint),
    ("t3", Scheme::Endpoint),
];

impl Url<'_> {
    /// Scheme and host in lower case, the rest as written.
    pub(crate) fn value(&self) -> String {
        let mut value = String::with_capacity(self.end - self.start + 4);
        value.push_str(self.scheme);
        value.push_str("://");
        let at = memchr::memrchr(b'@', self.authority.as_bytes()).map_or(0, |at| at + 1);
        value.push_str(&self.authority[..at]);
        let host = value.len();
        value.push_str(&self.authority[at..]);
        value[host..].make_ascii_lowercase();
        value.push_str(self.rest);
        value
    }
}

/// The URL whose `://` stands at `colon`.
pub(crate) fn at(text: &str, colon: usize) -> Option<Url<'_>> {
    let bytes = text.as_bytes();
    let head = &bytes[..colon];
    let (scheme, kind) = match head {
        [.., b'h', b't', b't', b'p', b's'] => &SCHEMES[HTTPS],
        [b'h', b't', b't', b'p'] => &SCHEMES[HTTP],
        _ => scheme_before(head)?,
    };
    let start = colon - scheme.len();
    // Within percent- or plus-encoded text the end cannot be seen; the decoded layer shows it.
    if is_encoded_before(&bytes[..start]) {
        return None;
    }
    let mut url = authority(text, colon + 3)?;
    (url.scheme, url.kind, url.start) = (scheme, *kind, start);
    Some(url)
}

fn scheme_before(head: &[u8]) -> Option<&'static (&'static str, Scheme)> {
    let last = head.last()?.to_ascii_lowercase();
    // The table names the longer of two with one ending first.
    SCHEMES.iter().find(|(name, _)| {
        name.as_bytes()[name.len() - 1] == last
            && head.len() >= name.len()
            && head[head.len() - name.len()..].eq_ignore_ascii_case(name.as_bytes())
    })
}

/// `host[:port][/path]` without a scheme, as downloaders take it: HTTP.
pub(crate) fn schemeless(text: &str, start: usize) -> Option<Url<'_>> {
    let mut url = authority(text, start)?;
    (url.scheme, url.start) = ("http", start);
    Some(url)
}

fn is_encoded_before(head: &[u8]) -> bool {
    match head {
        [.., b'%', a, b] => a.is_ascii_hexdigit() && b.is_ascii_hexdigit(),
        [.., a, b'+'] => a.is_ascii_alphabetic(),
        _ => false,
    }
}

fn authority(text: &str, start: usize) -> Option<Url<'_>> {
    let bytes = text.as_bytes();
    let end = start + extent(&bytes[start..]);
    let whole = &text[start..end];
    let split = memchr::memchr3(b'/', b'?', b'#', whole.as_bytes()).unwrap_or(whole.len());
    let authority = &whole[..split];
    let after_user = memchr::memrchr(b'@', authority.as_bytes()).map_or(0, |at| at + 1);
    let host_port = &authority[after_user..];
    let (host_text, port_text) = if host_port.starts_with('[') {
        let close = host_port.find(']')?;
        (&host_port[..=close], host_port[close + 1..].strip_prefix(':'))
    } else {
        match memchr::memchr(b':', host_port.as_bytes()) {
            Some(at) => (&host_port[..at], Some(&host_port[at + 1..])),
            None => (host_port, None),
        }
    };
    let port = match port_text {
        Some(text) if !text.is_empty() && text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit()) => {
            Some(text.parse::<u16>().ok().filter(|port| *port > 0)?)
        }
        Some("") | None => None,
        Some(_) => return None,
    };
    let host_text = host_text.strip_suffix('.').unwrap_or(host_text);
    let host = host_of(host_text)?;
    Some(Url { scheme: "", kind: Scheme::Url, start, end, host, port, authority, host_text, rest: &whole[split..] })
}

/// What a host part is; `None` where it can be no host.
pub(crate) fn host_of(text: &str) -> Option<Host<'_>> {
    if let Some(inner) = text.strip_prefix('[') {
        return host::ipv6(inner.strip_suffix(']')?).map(|ip| Host::Ip(IpAddr::V6(ip)));
    }
    if let Some(ip) = host::dotted_quad(text.as_bytes()) {
        return Some(Host::Ip(IpAddr::V4(ip)));
    }
    if text.as_bytes().first().is_some_and(u8::is_ascii_digit)
        && let Some(ip) = host::number_address(text)
    {
        return Some(Host::Ip(IpAddr::V4(ip)));
    }
    if host::is_domain(text) {
        return Some(Host::Domain(text));
    }
    let local = !text.is_empty()
        && text.len() <= 253
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
        && text.bytes().any(|b| b.is_ascii_alphabetic())
        && !text.contains("..")
        && !text.starts_with(['.', '-']);
    local.then_some(Host::Local(text))
}

/// What a URL goes on with, whatever stands around it.
static PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = b'!';
    while b <= b'~' {
        table[b as usize] = b.is_ascii_alphanumeric()
            || matches!(b, b'.' | b'/' | b':' | b'-' | b'_' | b'=' | b'%' | b'+' | b'~' | b'@' | b'#' | b'!' | b'*');
        b += 1;
    }
    table
};

/// How many bytes from here on belong to the URL.
fn extent(bytes: &[u8]) -> usize {
    let mut query = false;
    let mut end = 0;
    while let Some(&byte) = bytes.get(end) {
        if PLAIN[byte as usize] {
            end += 1;
            continue;
        }
        let next = bytes.get(end + 1);
        let stop = match byte {
            // [ and ] only around an IPv6 host
            b'[' => end != 0 && bytes[end - 1] != b'@',
            b']' => !bytes[..end].contains(&b'['),
            b'&' => !query || matches!(next, None | Some(b'&' | b' ' | b'"' | b'\'')),
            b',' => {
                matches!(next, None | Some(b' ' | b'"' | b'\'' | b'\\' | b',')) || bytes[end + 1..].starts_with(b"http")
            }
            b'?' => {
                query = true;
                false
            }
            // (v2) within a path; what is closed was opened
            b'(' => match closed(&bytes[end..]) {
                Some(length) if end > 0 => {
                    end += length;
                    continue;
                }
                _ => true,
            },
            _ => true,
        };
        if stop {
            break;
        }
        end += 1;
    }
    while end > 0 && matches!(bytes[end - 1], b'.' | b',' | b':' | b'!' | b'?' | b'&' | b'*') {
        end -= 1;
    }
    end
}

/// The length of `(…)`, where a path goes on or ends behind it.
pub(super) fn closed(bytes: &[u8]) -> Option<usize> {
    let inner = bytes[1..].iter().take(64).take_while(|b| PLAIN[**b as usize]).count();
    (inner > 0 && bytes.get(1 + inner) == Some(&b')')).then_some(inner + 2)
}

/// `site/id` of a paste or one-time upload.
pub(crate) fn paste(host: &str, rest: &str) -> Option<String> {
    if rest.len() < 3 {
        return None;
    }
    let host = host.strip_prefix("www.").unwrap_or(host);
    let site = PASTE_SITES.iter().find(|site| site.len() == host.len() && host.eq_ignore_ascii_case(site))?;
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    let mut parts = path.split('/').filter(|it| !it.is_empty());
    let mut id = parts.next()?;
    const VERBS: &[&str] = &["raw", "r", "p", "d", "dl", "get", "plain", "download", "view", "api", "paste", "print"];
    // a verb, or on a gist the user, comes first
    if site.starts_with("gist.") || VERBS.contains(&id) {
        id = parts.next()?;
    }
    let id = id.split('.').next().unwrap_or(id);
    let ok = (2..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    ok.then(|| format!("{site}/{id}"))
}

const PASTE_SITES: &[&str] = &[
    "pastebin.com",
    "paste.ee",
    "ix.io",
    "transfer.sh",
    "gist.githubusercontent.com",
    "gist.github.com",
    "rentry.co",
    "rentry.org",
    "hastebin.com",
    "termbin.com",
    "dpaste.com",
    "dpaste.org",
    "0x0.st",
    "sprunge.us",
    "ghostbin.com",
    "ghostbin.co",
    "controlc.com",
    "paste.rs",
    "bpa.st",
    "p.ip.fi",
    "textbin.net",
    "pastie.org",
    "paste.c-net.org",
    "file.io",
    "bashupload.com",
    "oshi.at",
    "temp.sh",
    "pst.klgrth.io",
    "paste.debian.net",
    "clbin.com",
    "pastebin.pl",
    "justpaste.it",
    "privatebin.net",
    "paste.centos.org",
    "ptpb.pw",
    "snippet.host",
    "pastetext.net",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, value: &str, host: &str) {
        let url = at(text, text.find("://").unwrap()).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(url.value(), value, "{text}");
        let got = match url.host {
            Host::Ip(ip) => ip.to_string(),
            Host::Domain(name) | Host::Local(name) => name.to_ascii_lowercase(),
        };
        assert_eq!(got, host, "{text}");
    }

    #[test]
    fn a_url_ends_where_the_shell_goes_on() {
        check("http://192.0.2.1/a.sh||wget x", "http://192.0.2.1/a.sh", "192.0.2.1");
        check("http://192.0.2.1/a.sh;sh", "http://192.0.2.1/a.sh", "192.0.2.1");
        check("(http://192.0.2.1/a.sh)", "http://192.0.2.1/a.sh", "192.0.2.1");
        check("'HTTP://Evil.Example/A'", "http://evil.example/A", "evil.example");
        check("http://evil.example/a&&b", "http://evil.example/a", "evil.example");
        check("http://evil.example/a?b=1&c=2&", "http://evil.example/a?b=1&c=2", "evil.example");
        check("see http://evil.example.", "http://evil.example", "evil.example");
        check("http://evil.example/$(uname -m)", "http://evil.example/", "evil.example");
        check("http://u:p@evil.example:8080/x", "http://u:p@evil.example:8080/x", "evil.example");
        check("http://[2001:db8::1]:80/x", "http://[2001:db8::1]:80/x", "2001:db8::1");
        check("http://0x7f000001/", "http://0x7f000001/", "127.0.0.1");
        check("stratum+tcp://pool.example:3333", "stratum+tcp://pool.example:3333", "pool.example");
        check("http://evil.example/文", "http://evil.example/", "evil.example");
    }

    #[test]
    fn the_two_common_schemes_stand_where_they_are_said_to() {
        assert_eq!((SCHEMES[HTTPS].0, SCHEMES[HTTP].0), ("https", "http"));
        for (at, (name, _)) in SCHEMES.iter().enumerate() {
            let later = SCHEMES[at + 1..].iter().find(|it| it.0.ends_with(name));
            assert_eq!(later, None, "{name}");
        }
    }

    #[test]
    fn what_is_no_url() {
        for text in [
            "http://",
            "http://$HOST/x",
            "://x.com",
            "file:///etc/passwd",
            "http://.../",
            "wget%20http://evil.example/x%20-O",
            "wget+http://evil.example/x",
            "http://evil.example:99999/",
        ] {
            assert!(at(text, text.find("://").unwrap()).is_none(), "{text}");
        }
    }

    #[test]
    fn a_paste_is_its_site_and_id() {
        assert_eq!(paste("pastebin.com", "/raw/AbCd1234").as_deref(), Some("pastebin.com/AbCd1234"));
        assert_eq!(paste("transfer.sh", "/get/AbC1/x.sh").as_deref(), Some("transfer.sh/AbC1"));
        assert_eq!(
            paste("gist.githubusercontent.com", "/u/0123abcd/raw/x").as_deref(),
            Some("gist.githubusercontent.com/0123abcd")
        );
        assert_eq!(paste("evil.example", "/raw/x1"), None);
        assert_eq!(paste("pastebin.com", "/"), None);
    }
}
