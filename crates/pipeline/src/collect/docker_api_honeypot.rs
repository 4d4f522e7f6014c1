//! Docker API honeypot JSON → HTTP requests, bodies decoded.
//!
//! Deliberately absent: a time. The records have none; the hour that the file's name may give is all there is.

use std::sync::LazyLock;

use base64::Engine as _;
use regex::Regex;
use ringleader_model::{Activity, Event, EventClass, Field, Malformed, SensorRole, Timestamp};
use serde_json::Value;

use super::json::{at, scalar, text};
use super::json_format::{JsonFormat, Out};
use super::{SourceContext, wire};

/// One JSON object a request, in hourly files.
pub const DOCKER_API_HONEYPOT: JsonFormat = JsonFormat {
    name: "docker_api_honeypot",
    summary: "Docker API honeypot JSON: view_args, method, source, data in base64",
    mark: r#""view_args""#,
    recognizes: |it| {
        at(it, &["view_args", "catchall"]).is_some() && it.get("method").is_some() && it.get("source").is_some()
    },
    read,
};

static HOUR: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(\d{4})_(\d{2})_(\d{2})_(\d{2})\D").expect("a constant pattern"));

fn read(it: &Value, context: &SourceContext, out: &mut Out<'_>) -> Result<(), Malformed> {
    let mut event = Event::new(EventClass::Http, Activity::Request);
    event.sensor_role = SensorRole::Honeypot;
    if let Some(hour) = HOUR.captures(&context.name) {
        let text = format!("{}-{}-{}T{}:00:00", &hour[1], &hour[2], &hour[3], &hour[4]);
        event.time = Timestamp::parse(&text, &context.times).map(|(time, _)| time);
    }
    event.set(Field::SrcIp, text(it, "source"));
    event.set(Field::Direction, "inbound");
    event.set(Field::Method, text(it, "method"));
    let path = || at(it, &["view_args", "catchall"]).map(|it| format!("/{}", it.trim_start_matches('/')).into());
    event.set(Field::Url, text(it, "url").or_else(path).map(wire::cap));
    if let Some(Value::Array(headers)) = it.get("headers") {
        let pair = |it: &Value| Some((scalar(it.get(0)?)?.into_owned(), scalar(it.get(1)?)?.into_owned()));
        let pairs: Vec<(String, String)> = headers.iter().take(256).filter_map(pair).collect();
        let find = |name: &str| pairs.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, it)| it.clone());
        event.set(Field::HttpHost, find("host"));
        event.set(Field::UserAgent, find("user-agent").map(wire::cap));
        let lines: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        event.set(Field::Headers, wire::cap(lines.join("\n")));
    }
    if let Some(data) = text(it, "data") {
        // A body that is no base64 stands as it is.
        match base64::engine::general_purpose::STANDARD.decode(data.trim()) {
            Ok(bytes) => event.set(Field::Body, wire::printable(&bytes).into_owned()),
            Err(_) => event.set(Field::Body, wire::cap(data)),
        }
    }
    out.emit(&event);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Format, Record, SourceContext};
    use super::*;

    #[test]
    fn the_files_name_gives_the_hour() {
        let log = br#"{"view_args":{"catchall":"v1.24/containers/create"},"method":"POST","source":"192.0.2.1","headers":[["Host","198.51.100.2:2375"]],"data":"eyJJbWFnZSI6ImFscGluZSJ9"}"#;
        let named = |name: &str| SourceContext { name: name.into(), ..SourceContext::default() };
        for (name, expect) in [
            ("port_2375/dockerapi.2375.2024_05_01_07.log", Some("2024-05-01T07:00:00.000000Z")),
            ("port_2375/dockerapi.2375.2024_13_01_07.log", None),
            ("-", None),
        ] {
            struct Times(Vec<Option<String>>);
            impl super::super::Sink for Times {
                fn emit(&mut self, event: &Event<'_>) {
                    assert_eq!(event.get(Field::Body), Some(r#"{"Image":"alpine"}"#));
                    self.0.push(event.time.map(|it| it.to_string()));
                }
                fn emit_at(&mut self, _: &Event<'_>, _: u64, _: u32, _: &[u8]) {}
                fn reject_at(&mut self, _: u64, _: &[u8], _: Malformed) {}
            }
            let mut times = Times(Vec::new());
            let mut reader = DOCKER_API_HONEYPOT.reader(&named(name), log);
            reader.read(&Record { bytes: log, offset: 0 }, &mut times).unwrap();
            assert_eq!(times.0, [expect.map(str::to_owned)], "{name}");
        }
    }
}
