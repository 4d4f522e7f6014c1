//! text → address or domain name. Deliberately absent: resolving names, and any list of addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use super::names::Names;

/// Whether the address is one of the Internet's: not private, loopback, link-local, shared, reserved, multicast
/// or documentation.
pub fn is_public_ip(text: &str) -> bool {
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => is_public_v4(ip),
        Ok(IpAddr::V6(ip)) => match ip.to_ipv4_mapped() {
            Some(v4) => is_public_v4(v4),
            None => ip.segments()[0] & 0xe000 == 0x2000 && !(ip.segments()[0] == 0x2001 && ip.segments()[1] == 0xdb8),
        },
        Err(_) => false,
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !(ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || a == 0
        || a >= 224
        || (a == 100 && b & 0xc0 == 64)
        || (a == 198 && b & 0xfe == 18)
        || (a == 192 && b == 0 && c == 0))
}

/// Four decimal parts without leading zeros, nothing else.
pub(crate) fn dotted_quad(text: &[u8]) -> Option<Ipv4Addr> {
    if !(7..=15).contains(&text.len()) || !text[0].is_ascii_digit() {
        return None;
    }
    let mut octets = [0u8; 4];
    let mut part = 0;
    let mut digits = 0;
    let mut value = 0u32;
    for byte in text.iter().chain(b".") {
        match byte {
            b'0'..=b'9' => {
                if digits > 0 && value == 0 {
                    return None;
                }
                value = value * 10 + u32::from(byte - b'0');
                digits += 1;
                if value > 255 {
                    return None;
                }
            }
            b'.' => {
                *octets.get_mut(part).filter(|_| digits > 0)? = value as u8;
                (part, digits, value) = (part + 1, 0, 0);
            }
            _ => return None,
        }
    }
    (part == 4).then(|| Ipv4Addr::from(octets))
}

/// An address in any form that `inet_aton` takes: hex, octal, one number for the last parts.
/// One bare number must be too large for a port or a count.
pub(crate) fn number_address(text: &str) -> Option<Ipv4Addr> {
    if text.is_empty() || text.len() > 40 {
        return None;
    }
    let mut parts = [0u64; 4];
    let mut count = 0;
    for part in text.split('.') {
        let slot = parts.get_mut(count)?;
        *slot = match part.as_bytes() {
            [b'0', b'x' | b'X', rest @ ..] if !rest.is_empty() && rest.iter().all(u8::is_ascii_hexdigit) => {
                u64::from_str_radix(&part[2..], 16).ok()?
            }
            [b'0', _, ..] => u64::from_str_radix(part, 8).ok()?,
            [b'0'..=b'9', ..] => part.parse().ok()?,
            _ => return None,
        };
        count += 1;
    }
    let (last, first) = parts[..count].split_last()?;
    if first.iter().any(|it| *it > 255) || *last >= 1 << (8 * (5 - count)) || (count == 1 && *last < 1 << 24) {
        return None;
    }
    let mut value = *last;
    for (at, part) in first.iter().enumerate() {
        value |= part << (24 - 8 * at);
    }
    u32::try_from(value).ok().map(Ipv4Addr::from)
}

/// `1.0.0` where a host may stand: short forms of addresses but 127.1 have a part that no version has.
pub(crate) fn is_short_version(text: &[u8]) -> bool {
    text.contains(&b'.')
        && !text.starts_with(b"127.")
        && !text.starts_with(b"0")
        && text.split(|b| *b == b'.').all(|part| (1..=3).contains(&part.len()) && part.iter().all(u8::is_ascii_digit))
        && text.split(|b| *b == b'.').count() < 4
        && text.split(|b| *b == b'.').all(|part| part.len() < 3 || part <= b"255".as_slice())
}

/// An IPv6 literal that is more than separators, and no MAC address or time.
pub(crate) fn ipv6(text: &str) -> Option<Ipv6Addr> {
    if text.len() < 3 || text.bytes().filter(|b| *b == b':').count() < 2 {
        return None;
    }
    // 01:23:45:67:89:ab:cd:ef names a device
    if text.len() == 23 && text.bytes().skip(2).step_by(3).all(|b| b == b':') {
        return None;
    }
    let ip: Ipv6Addr = text.parse().ok()?;
    (!ip.is_unspecified() && (ip.is_loopback() || text.len() > 4)).then_some(ip)
}

/// Structure only: labels of letters, digits, `-` and `_`, the last one a name.
pub(crate) fn is_domain_shaped(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 3 || bytes.len() > 253 {
        return false;
    }
    let mut labels = 0;
    let mut last: &[u8] = b"";
    for label in bytes.split(|b| *b == b'.') {
        let ok = !label.is_empty()
            && label.len() <= 63
            && label[0] != b'-'
            && label[label.len() - 1] != b'-'
            && label.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if !ok {
            return false;
        }
        labels += 1;
        last = label;
    }
    labels >= 2
        && last.len() >= 2
        && (last.iter().all(u8::is_ascii_alphabetic)
            || last.get(..4).is_some_and(|it| it.eq_ignore_ascii_case(b"xn--")))
}

/// A name under a public suffix (or under one of the suffixes that malware and manuals use without a registry).
pub(crate) fn is_domain(text: &str) -> bool {
    if !is_domain_shaped(text) {
        return false;
    }
    let mut lower = [0u8; 253];
    let Some(lower) = lower.get_mut(..text.len()) else { return false };
    lower.copy_from_slice(text.as_bytes());
    lower.make_ascii_lowercase();
    match psl::suffix(lower) {
        Some(suffix) if suffix.is_known() => {
            suffix.as_bytes().len() < lower.len() || (suffix.typ() == Some(psl::Type::Private) && lower.contains(&b'.'))
        }
        _ => {
            let last = lower.rsplit(|b| *b == b'.').next().unwrap_or_default();
            UNREGISTERED.contains(&last)
        }
    }
}

const UNREGISTERED: &[&[u8]] = &[b"onion", b"i2p", b"bit", b"bazar", b"coin", b"emc", b"example", b"test"];

/// A domain that stands alone in text, where nothing says that it is one. `before` and `after` are its neighbours.
pub(crate) fn is_bare_domain(text: &str, before: Option<u8>, after: Option<u8>) -> bool {
    if matches!(before, Some(b'/' | b'\\' | b'$' | b'_' | b'-' | b'%' | b'.' | b'~' | b'#'))
        || matches!(after, Some(b'(' | b'[' | b'=' | b'_' | b'\\' | b'$' | b'*'))
    {
        return false;
    }
    if text.contains('_') || text.len() < 4 {
        return false;
    }
    if KNOWN_HOSTS.contains(&text) {
        return true;
    }
    if PRODUCTS.iter().any(|it| text.eq_ignore_ascii_case(it))
        || after == Some(b'/')
            && LABEL_DOMAINS
                .iter()
                .any(|it| text.strip_suffix(it).is_some_and(|head| head.is_empty() || head.ends_with('.')))
    {
        return false;
    }
    // camelCase and Capitalised.Parts are code.
    let (upper, lower) = text
        .bytes()
        .fold((false, false), |(upper, lower), b| (upper | b.is_ascii_uppercase(), lower | b.is_ascii_lowercase()));
    if upper && lower {
        return false;
    }
    let mut labels = text.split('.');
    let (Some(first), Some(last)) = (labels.next(), text.rsplit('.').next()) else { return false };
    let count = text.bytes().filter(|b| *b == b'.').count() + 1;
    if is_code_or_file(last) && !(count >= 3 && (first == "www" || matches!(last, "pl" | "in" | "st" | "dev" | "app")))
    {
        return false;
    }
    // query.sql.in: a template of a file
    if count >= 3 && text.rsplit('.').nth(1).is_some_and(|it| FILE_ENDINGS.contains(&it)) && is_code_or_file(last) {
        return false;
    }
    // 4.11.amazon: a version
    if count >= 3 && text[..text.len() - last.len()].bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return false;
    }
    if last == "test" {
        return false;
    }
    if CODE_STARTS.contains(&first) {
        return false;
    }
    // com.example.app: a package reads backwards
    if count >= 3 && PACKAGE_STARTS.contains(&first) {
        return false;
    }
    // file.tar.gz.in, 1.2.3.in: what stands before the suffix is a version or an extension
    text.bytes().any(|b| b.is_ascii_alphabetic())
        && first.bytes().any(|b| b.is_ascii_alphabetic() || count >= 3)
        && is_domain(text)
}

/// The last label is a file extension too, and the host is not one of the few that are known under it.
pub(crate) fn ends_like_a_file(text: &str) -> bool {
    is_code_or_file(text.rsplit('.').next().unwrap_or_default()) && !KNOWN_HOSTS.contains(&text)
}

/// Short names under suffixes that are also file extensions.
const KNOWN_HOSTS: &[&str] =
    &["transfer.sh", "temp.sh", "get.sh", "bashupload.com", "oshi.at", "paste.rs", "sh.rustup.rs", "0x0.st"];

const FILE_ENDINGS: &[&str] = &[
    "sql",
    "txt",
    "conf",
    "cfg",
    "json",
    "xml",
    "html",
    "h",
    "c",
    "sh",
    "py",
    "tar",
    "log",
    "yml",
    "yaml",
    "spec",
    "pc",
    "desktop",
    "service",
    "ini",
    "js",
    "css",
    "md",
    "tmpl",
    "java",
    "properties",
    "tex",
];

/// Names of software that read as hosts.
const PRODUCTS: &[&str] = &["asp.net", "vb.net", "ado.net", "ml.net", "paint.net", "socket.io"];

/// Before a `/` they start the name of a label, and nobody connects there.
const LABEL_DOMAINS: &[&str] = &["kubernetes.io", "k8s.io"];

/// Suffixes that end file names and program text far more often than domains.
const CODE_OR_FILE: &str = "sh shell py pl pm rs md zip mov app so cc ps mk pub box map run name \
    host cat bin dev do ac as am is in la st id ms al bz aq one \
    call data date day now new open win link click help page pid zone save select search services \
    systems tools support vi how play read mobi loan def properties property exposed school java group network cab \
    ro dat sc gdn bar foo goo fit inc ist ing to no lock menu man press prod \
    log conf txt json jar gz tgz html htm js css cpp hpp yml yaml xml cfg ini tmp bak old csv pid sock service class war go ts \
    php asp aspx jsp exe dll sys bat ps1 vbs rb swp deb rpm whl tar bz2 xz img iso pem key crt png jpg gif svg ico pdf doc timer \
    next tf prof kim pics plus post safe sale security session show sucks target tab total trust vision watch";

static CODE_OR_FILE_NAMES: LazyLock<Names<()>> =
    LazyLock::new(|| Names::new(CODE_OR_FILE.split_ascii_whitespace().map(|name| (name, ()))));

fn is_code_or_file(label: &str) -> bool {
    CODE_OR_FILE_NAMES.get(label.as_bytes()).is_some()
}

const CODE_STARTS: &[&str] = &[
    "java", "javax", "system", "sun", "os", "sys", "self", "this", "node", "process", "server", "spring", "config",
    "log", "logging", "socket", "user", "file", "module", "string", "math", "json", "http", "window", "document",
    "console", "object", "array", "list", "dict", "re", "time", "net",
];

const PACKAGE_STARTS: &[&str] = &[
    "com", "org", "net", "io", "jdk", "edu", "gov", "cn", "de", "fr", "uk", "javafx", "scala", "kotlin", "android",
    "akka",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_every_number_form() {
        for (text, want) in [
            ("0x7f000001", Some("127.0.0.1")),
            ("2130706433", Some("127.0.0.1")),
            ("0177.0.0.1", Some("127.0.0.1")),
            ("0x7f.1", Some("127.0.0.1")),
            ("192.0.2.1", Some("192.0.2.1")),
            ("8080", None),
            ("1.2.3.4.5", None),
            ("256.1.1.1", None),
            ("09.1.1.1", None),
            ("4294967296", None),
            ("", None),
            ("0x", None),
        ] {
            assert_eq!(number_address(text).map(|it| it.to_string()).as_deref(), want, "{text}");
        }
        assert!(dotted_quad(b"192.0.2.1").is_some());
        for text in ["1.2.3", "01.2.3.4", "1.2.3.400", "1..2.3", "1.2.3.4.", "a.b.c.d", "1.2.3.4.5"] {
            assert!(dotted_quad(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn ipv6_is_no_mac_and_no_time() {
        for text in ["2001:db8::1", "::1", "fe80::1", "::ffff:192.0.2.1"] {
            assert!(ipv6(text).is_some(), "{text}");
        }
        for text in ["::", "00:1a:2b:3c:4d:5e", "12:34:56", "a:b", "std::x"] {
            assert!(ipv6(text).is_none(), "{text}");
        }
    }

    #[test]
    fn public_means_of_the_internet() {
        for ip in ["8.8.8.8", "159.89.156.190", "2606:4700::1111"] {
            assert!(is_public_ip(ip), "{ip}");
        }
        for ip in [
            "10.0.0.1",
            "192.168.0.3",
            "127.0.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "192.0.2.1",
            "224.0.0.1",
            "0.0.0.0",
            "::1",
            "fe80::1",
            "2001:db8::1",
            "::ffff:10.0.0.1",
            "x",
        ] {
            assert!(!is_public_ip(ip), "{ip}");
        }
    }

    #[test]
    fn a_bare_domain_is_no_file_and_no_package() {
        for text in [
            "evil.example",
            "pool.minexmr.com",
            "wml.1103bye.xyz",
            "transfer.sh",
            "www.onet.pl",
            "198-51-100-1.dyn.example",
        ] {
            assert!(is_bare_domain(text, None, None), "{text}");
        }
        for text in [
            "install.sh",
            "run.py",
            "x.pl",
            "libc.so.6",
            "e.g",
            "1.sh",
            "java.lang",
            "com.example.app",
            "org.apache.catalina.startup",
            "u.urlopen",
            "id_rsa.pub",
            "System.Net",
            "spring.profiles.name",
            "v1.2.3",
            "a.out",
            "foo..com",
            "co.uk",
            "unit.test",
        ] {
            assert!(!is_bare_domain(text, None, None), "{text}");
        }
        assert!(!is_bare_domain("evil.com", Some(b'/'), None));
        assert!(!is_bare_domain("logging.info", None, Some(b'(')));
    }
}
