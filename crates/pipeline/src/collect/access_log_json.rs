//! Web access logs as JSON (nginx, Apache, Caddy, Traefik, load balancers) → HTTP requests.
//!
//! Deliberately absent: a fixed schema. Every site names its fields, so each is looked for under several names.

use ringleader_model::{Activity, EventClass, Field, Malformed};
use serde_json::Value;

use super::json::{any, at, text};
use super::json_format::{JsonFormat, Out};
use super::{SourceContext, access_log, wire};

const CLIENT: &[&str] =
    &["remote_addr", "client_ip", "clientip", "remote_ip", "client", "ClientHost", "remote_host", "remoteIP"];
const ADDRESS: &[&str] = &["request_uri", "uri", "RequestPath", "path", "requestUrl", "url"];
const STATUS: &[&str] = &["status", "status_code", "response", "DownstreamStatus", "code"];
const TIME: &[&str] =
    &["time_iso8601", "@timestamp", "timestamp", "time", "time_local", "msec", "StartUTC", "date", "ts"];

/// One JSON object a request.
pub const ACCESS_LOG_JSON: JsonFormat = JsonFormat {
    name: "access_log_json",
    summary: "Web access log as JSON: remote_addr, request or request_uri, status, time_iso8601 …",
    mark: "\"",
    recognizes: |it| {
        let asked =
            any(it, &["request"]).or_else(|| any(it, ADDRESS)).or_else(|| at(it, &["request", "uri"])).is_some();
        let client = any(it, CLIENT).or_else(|| at(it, &["request", "remote_ip"])).is_some();
        let answered = any(it, STATUS).is_some_and(|it| it.len() == 3 && it.bytes().all(|it| it.is_ascii_digit()));
        asked && client && answered && any(it, TIME).is_some()
    },
    read,
};

fn read(it: &Value, context: &SourceContext, out: &mut Out<'_>) -> Result<(), Malformed> {
    let mut event = wire::event_at(EventClass::Http, Activity::Request, it, TIME, context)?;
    // Caddy nests what it knows of the request.
    let nested = it.get("request").filter(|it| it.is_object()).unwrap_or(it);
    event.host = any(it, &["hostname", "server_hostname"]);
    event.set(Field::SrcIp, any(nested, CLIENT).map(|it| bare(&it).to_owned()));
    event.set(Field::SrcPort, any(nested, &["remote_port", "client_port"]));
    event.set(Field::DstIp, any(it, &["server_addr"]));
    event.set(Field::DstPort, any(it, &["server_port"]));
    event.set(Field::User, any(it, &["remote_user", "user"]));
    if let Some(line) = text(it, "request") {
        access_log::request(&mut event, line);
    }
    event.set(Field::Method, any(nested, &["request_method", "method", "RequestMethod", "verb"]));
    event.set(Field::Url, any(nested, ADDRESS).map(wire::cap));
    event.set(Field::Status, any(it, STATUS));
    event.set(Field::BytesOut, any(it, &["body_bytes_sent", "bytes_sent", "bytes", "size", "DownstreamContentSize"]));
    event.set(Field::HttpHost, any(nested, &["http_host", "vhost", "server_name", "host", "RequestHost"]));
    let user_agent = any(it, &["http_user_agent", "user_agent", "agent", "request_User-Agent", "userAgent"]);
    event.set(Field::UserAgent, user_agent.or_else(|| header(nested, "User-Agent")).map(wire::cap));
    let referrer = any(it, &["http_referer", "http_referrer", "referer", "referrer", "request_Referer"]);
    event.set(Field::Referrer, referrer.or_else(|| header(nested, "Referer")).map(wire::cap));
    event.set(Field::Body, any(it, &["request_body"]).map(wire::cap));
    event.set(Field::Detail, any(it, &["http_x_forwarded_for", "x_forwarded_for"]).map(wire::cap));
    out.emit(&event);
    Ok(())
}

/// A header, as one text or as a list of texts.
fn header<'v>(request: &'v Value, name: &str) -> Option<std::borrow::Cow<'v, str>> {
    match request.get("headers")?.get(name)? {
        Value::Array(values) => super::json::scalar(values.first()?),
        value => super::json::scalar(value),
    }
}

/// An address without the port that some proxies write behind it.
fn bare(address: &str) -> &str {
    match address.parse::<std::net::SocketAddr>() {
        Ok(_) => address.rsplit_once(':').map_or(address, |(it, _)| it.trim_matches(['[', ']'])),
        Err(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::read_all;
    use super::*;

    #[test]
    fn nginx_and_caddy_say_the_same() {
        let nginx = r#"{"time_iso8601":"2024-05-01T10:00:00+02:00","remote_addr":"192.0.2.7","request":"GET /a?b=1 HTTP/1.1","status":"404","body_bytes_sent":"9","http_user_agent":"curl/8","http_host":"www.example.test"}"#;
        let caddy = r#"{"ts":1714550400.0,"request":{"remote_ip":"192.0.2.7","method":"GET","host":"www.example.test","uri":"/a?b=1","headers":{"User-Agent":["curl/8"]}},"status":404,"size":9}"#;
        for log in [nginx, caddy] {
            assert!(super::super::Format::recognizes(&ACCESS_LOG_JSON, log.as_bytes()), "{log}");
            let got = read_all(&ACCESS_LOG_JSON, log.as_bytes()).join("\n");
            for part in [
                "2024-05-01T08:00:00.000000Z",
                r#"src_ip="192.0.2.7""#,
                r#"http_method="GET""#,
                r#"url="/a?b=1""#,
                r#"http_status="404""#,
                r#"http_user_agent="curl/8""#,
                r#"http_host="www.example.test""#,
            ] {
                assert!(got.contains(part), "{part} in {got}");
            }
        }
    }

    #[test]
    fn ports_behind_addresses_are_cut() {
        assert_eq!(bare("192.0.2.7:4000"), "192.0.2.7");
        assert_eq!(bare("[2001:db8::1]:4000"), "2001:db8::1");
        assert_eq!(bare("2001:db8::1"), "2001:db8::1");
    }
}
