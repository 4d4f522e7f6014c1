//! A POST that cannot be turned against us: no redirects, no proxy, no private address (looked up once, and that address
//! is the one connected to), bounded in time and size.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use crate::{Again, Failure};

const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest answer that is read.
pub(crate) const MAX_ANSWER: u64 = 64 << 10;
/// Longest message that is sent.
pub(crate) const MAX_BODY: usize = 256 << 10;

pub(crate) struct Answer {
    pub body: String,
}

/// Posts JSON. What is no 2xx is a failure: busy or broken servers are asked again, others are not.
pub(crate) fn post(url: &str, headers: &[(&str, String)], body: &str, internal: bool) -> Result<Answer, Failure> {
    let open = internal && url.starts_with("http://");
    if !open && !url.starts_with("https://") {
        return Err(Failure::never("the address must begin with https:// (http:// only with allow_internal)"));
    }
    if body.len() > MAX_BODY {
        return Err(Failure::never(format!("the message is longer than {MAX_BODY} bytes")));
    }
    let config = Config::builder()
        .max_redirects(0)
        .http_status_as_error(false)
        .proxy(None)
        .timeout_global(Some(TIMEOUT))
        .user_agent(concat!("ringleader/", env!("CARGO_PKG_VERSION")))
        .build();
    let resolver = Guarded { inner: DefaultResolver::default(), internal };
    let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), resolver);
    let mut request = agent.post(url).header("content-type", "application/json; charset=utf-8");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let mut answer = request.send(body).map_err(|error| told(&error))?;
    let status = answer.status().as_u16();
    let retry_after =
        answer.headers().get("retry-after").and_then(|it| it.to_str().ok()).and_then(|it| it.parse().ok());
    let body = match answer.body_mut().with_config().limit(MAX_ANSWER).read_to_vec() {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(ureq::Error::BodyExceedsLimit(_)) => {
            return Err(Failure::later(format!("the answer is longer than {MAX_ANSWER} bytes")));
        }
        Err(error) => return Err(told(&error)),
    };
    let start: String = body.chars().take(120).collect();
    match status {
        200..=299 => Ok(Answer { body }),
        300..=399 => Err(Failure::never(format!("{status}: it points elsewhere, and redirects are not followed"))),
        429 => {
            Err(Failure { what: "429: too many messages".to_owned(), again: Again::After(retry_after.unwrap_or(60)) })
        }
        408 | 425 | 500.. => Err(Failure::later(format!("{status}: {start}"))),
        _ => Err(Failure::never(format!("{status}: {start}"))),
    }
}

fn told(error: &ureq::Error) -> Failure {
    match error {
        ureq::Error::Io(it) if it.kind() == std::io::ErrorKind::PermissionDenied => Failure::never(it.to_string()),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => Failure::never("that is no address"),
        // The text of others may hold the address, which is a secret.
        ureq::Error::Timeout(_) => Failure::later(format!("no answer within {} s", TIMEOUT.as_secs())),
        ureq::Error::HostNotFound => Failure::later("no such host"),
        ureq::Error::Io(it) => Failure::later(format!("the connection failed: {}", it.kind())),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => Failure::later("no secure connection could be made"),
        _ => Failure::later("the connection failed"),
    }
}

struct Guarded {
    inner: DefaultResolver,
    internal: bool,
}

impl std::fmt::Debug for Guarded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guarded").field("internal", &self.internal).finish_non_exhaustive()
    }
}

impl Resolver for Guarded {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        if !self.internal && found.iter().any(|it: &SocketAddr| is_internal(it.ip())) {
            let told = "that is a private address, which only allow_internal = true opens";
            return Err(ureq::Error::Io(std::io::Error::new(std::io::ErrorKind::PermissionDenied, told)));
        }
        Ok(found)
    }
}

/// Anything that is not out in the internet: private, local, shared, reserved, and the addresses of clouds' metadata.
pub(crate) fn is_internal(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(it) => {
            let [a, b, ..] = it.octets();
            it.is_private()
                || it.is_loopback()
                || it.is_link_local()
                || it.is_broadcast()
                || it.is_multicast()
                || a == 0
                || a >= 240
                || (a == 100 && (b & 0xc0) == 64)
                || (a == 198 && (b & 0xfe) == 18)
                || (a == 192 && b == 0 && it.octets()[2] == 0)
        }
        IpAddr::V6(it) => {
            if let Some(inner) = it.to_ipv4_mapped() {
                return is_internal(IpAddr::V4(inner));
            }
            let first = it.segments()[0];
            // 64:ff9b:: and 2002:: carry an IPv4 address.
            let carried = match (first, it.octets()) {
                (0x64, o) => Some([o[12], o[13], o[14], o[15]]),
                (0x2002, o) => Some([o[2], o[3], o[4], o[5]]),
                _ => None,
            };
            it.is_loopback()
                || it.is_unspecified()
                || it.is_unique_local()
                || it.is_unicast_link_local()
                || it.is_multicast()
                || first == 0
                || carried.is_some_and(|it| is_internal(IpAddr::from(it)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_refused_in_every_dress() {
        for it in [
            "127.0.0.1",
            "10.0.0.1",
            "169.254.169.254",
            "100.100.100.200",
            "0.0.0.0",
            "::1",
            "::ffff:10.0.0.1",
            "fd00::1",
            "fe80::1",
            "64:ff9b::a9fe:a9fe",
            "2002:0a00:0001::",
            "192.168.1.1",
            "172.16.0.1",
        ] {
            assert!(is_internal(it.parse().unwrap()), "{it}");
        }
        for it in ["8.8.8.8", "203.0.113.5", "2606:4700::1111", "100.128.0.1"] {
            assert!(!is_internal(it.parse().unwrap()), "{it}");
        }
    }

    #[test]
    fn what_is_not_allowed_is_refused_before_anything_is_sent() {
        let refused = |url: &str| post(url, &[], "{}", false).err().map(|it| (it.what, it.again));
        assert!(refused("http://example.test/x").unwrap().0.contains("https://"));
        for url in
            ["https://127.0.0.1:1/x", "https://localhost:1/x", "https://[::1]:1/x", "https://169.254.169.254/latest"]
        {
            let (what, again) = refused(url).unwrap();
            assert!(what.contains("private address") && again == Again::Never, "{url}: {what}");
        }
        assert!(post("https://x.test", &[], &"x".repeat(MAX_BODY + 1), false).is_err());
    }
}
