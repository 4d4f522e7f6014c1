//! Zeek logs, TSV or JSON → flows, HTTP requests, DNS queries, SSH logons, notices, files, TLS names.
//!
//! Deliberately absent: Zeek's other logs (weird, x509, dce_rpc …), which are passed over.

use std::borrow::Cow;

use ringleader_model::{Activity, Event, EventClass, Field, Malformed, SensorRole};
use serde_json::Value;

use super::json_format::{JsonFormat, Out};
use super::{Format, Framing, Reader, Record, Sink, SourceContext};
use super::{ids_rule, json, wire};

/// Columns beyond this are no Zeek log.
const MAX_COLUMNS: usize = 512;
/// The most elements of a set or vector that are kept.
const MAX_ELEMENTS: usize = 64;

/// Tab-separated, with `#` header lines.
pub struct Zeek;

impl Format for Zeek {
    fn name(&self) -> &'static str {
        "zeek"
    }
    fn summary(&self) -> &'static str {
        "Zeek TSV logs: conn, http, dns, ssh, notice, files, ssl"
    }
    fn framing(&self) -> Framing {
        Framing::Lines { stateless: false }
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        head.trim_ascii_start().starts_with(b"#separator ")
    }
    fn reader(&self, context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Tsv { context: context.clone(), header: Header::default() })
    }
}

struct Tsv {
    context: SourceContext,
    header: Header,
}

/// What the `#` lines said last: concatenated logs change it in the middle.
#[derive(Clone)]
struct Header {
    separator: char,
    set_separator: String,
    unset: String,
    empty: String,
    path: String,
    fields: Vec<String>,
}

impl Default for Header {
    fn default() -> Self {
        Self {
            separator: '\t',
            set_separator: ",".into(),
            unset: "-".into(),
            empty: "(empty)".into(),
            path: String::new(),
            fields: Vec::new(),
        }
    }
}

impl Header {
    fn read(&mut self, line: &str) -> Result<(), Malformed> {
        // Only this line is split by a space: it says what splits the others.
        if let Some(mark) = line.strip_prefix("#separator ") {
            *self = Self::default();
            let code = mark.trim().strip_prefix("\\x").and_then(|it| u8::from_str_radix(it, 16).ok());
            self.separator = code.map(char::from).or_else(|| mark.chars().next()).unwrap_or('\t');
            return Ok(());
        }
        let (key, value) = line.split_once(self.separator).unwrap_or((line, ""));
        match key {
            "#set_separator" => value.clone_into(&mut self.set_separator),
            "#unset_field" => value.clone_into(&mut self.unset),
            "#empty_field" => value.clone_into(&mut self.empty),
            "#path" => value.clone_into(&mut self.path),
            "#fields" => {
                self.fields = value.split(self.separator).take(MAX_COLUMNS + 1).map(str::to_owned).collect();
                if self.fields.len() > MAX_COLUMNS {
                    self.fields.clear();
                    return Err(Malformed::new("more than 512 columns"));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Reader for Tsv {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let line = super::text::decode(record.bytes);
        if line.starts_with('#') {
            return self.header.read(&line);
        }
        let header = &self.header;
        if header.fields.is_empty() {
            return Err(Malformed::new("no `#fields` line before the record"));
        }
        let row: Vec<&str> = line.split(header.separator).take(MAX_COLUMNS + 1).collect();
        if row.len() != header.fields.len() {
            return Err(Malformed::new("not as many fields as the `#fields` line has"));
        }
        let get = |name: &str| -> Option<Cow<'_, str>> {
            let value = *row.get(header.fields.iter().position(|it| it == name)?)?;
            (value != header.unset && value != header.empty && !value.is_empty()).then_some(Cow::Borrowed(value))
        };
        let list = |name: &str| -> Option<Cow<'_, str>> {
            let value = get(name)?;
            Some(value.split(header.set_separator.as_str()).take(MAX_ELEMENTS).collect::<Vec<_>>().join(",").into())
        };
        if let Some(event) = event(&header.path, &get, &list, &self.context)? {
            sink.emit(&event);
        }
        Ok(())
    }
}

/// A JSON object a line, as Zeek, Corelight and Security Onion write them.
pub const ZEEK_JSON: JsonFormat = JsonFormat {
    name: "zeek_json",
    summary: "Zeek logs as JSON, fields spelled id.orig_h or id_orig_h",
    mark: r#""ts""#,
    recognizes: |it| {
        let stream = json::any(it, &["_path", "@stream"]).is_some();
        let zeek = ["uid", "fuid", "id.orig_h", "id_orig_h", "note"].iter().any(|key| it.get(key).is_some());
        it.get("ts").is_some() && (stream || (zeek && path(it).is_some()))
    },
    read: |it: &Value, context: &SourceContext, out: &mut Out<'_>| {
        let get = |name: &str| -> Option<Cow<'_, str>> {
            let flat = || json::text(it, &name.replacen('.', "_", 1));
            let nested = || json::at(it, &name.splitn(2, '.').collect::<Vec<_>>());
            json::text(it, name).or_else(flat).or_else(nested)
        };
        let list = |name: &str| -> Option<Cow<'_, str>> {
            let Some(Value::Array(items)) = it.get(name) else { return get(name) };
            let items: Vec<_> = items.iter().take(MAX_ELEMENTS).filter_map(json::scalar).collect();
            (!items.is_empty()).then(|| items.join(",").into())
        };
        if let Some(event) = event(&path(it).unwrap_or_default(), &get, &list, context)? {
            out.emit(&event);
        }
        Ok(())
    },
};

/// Which log a JSON record is of. Plain Zeek does not say, so a field that no other log has tells.
fn path(it: &Value) -> Option<Cow<'_, str>> {
    json::any(it, &["_path", "@stream"]).or_else(|| {
        [
            ("trans_depth", "http"),
            ("conn_state", "conn"),
            ("qclass", "dns"),
            ("rcode", "dns"),
            ("auth_success", "ssh"),
            ("host_key_alg", "ssh"),
            ("note", "notice"),
            ("cipher", "ssl"),
            ("server_name", "ssl"),
            ("tx_hosts", "files"),
            ("mime_type", "files"),
            ("query", "dns"),
        ]
        .iter()
        .find(|(key, _)| it.get(key).is_some())
        .map(|(_, path)| Cow::Borrowed(*path))
    })
}

type Get<'g, 'v> = &'g dyn Fn(&str) -> Option<Cow<'v, str>>;

/// The event of one record, whatever it was written in. `None`: a log that is passed over.
fn event<'v>(
    path: &str,
    get: Get<'_, 'v>,
    list: Get<'_, 'v>,
    context: &SourceContext,
) -> Result<Option<Event<'v>>, Malformed> {
    let (class, activity) = match path {
        "conn" => (EventClass::Network, Activity::Traffic),
        "http" => (EventClass::Http, Activity::Request),
        "dns" => (EventClass::Network, Activity::Query),
        "ssh" => match get("auth_success").as_deref() {
            Some("T" | "true") => (EventClass::Authentication, Activity::Logon),
            Some("F" | "false") => (EventClass::Authentication, Activity::LogonFailed),
            _ => (EventClass::Network, Activity::Open),
        },
        "notice" => (EventClass::Detection, Activity::Alert),
        "files" => (EventClass::Network, Activity::Other),
        "ssl" => (EventClass::Network, Activity::Open),
        _ => return Ok(None),
    };
    let mut event = Event::new(class, activity);
    event.sensor_role = SensorRole::Network;
    let ts = get("ts").ok_or(Malformed::new("missing field `ts`"))?;
    let (time, offset) = wire::parse_time(&ts, context).ok_or_else(|| super::plain::bad_time(&ts))?;
    (event.time, event.utc_offset_minutes) = (Some(time), offset);
    for (field, name) in [
        (Field::SrcIp, "id.orig_h"),
        (Field::SrcPort, "id.orig_p"),
        (Field::DstIp, "id.resp_h"),
        (Field::DstPort, "id.resp_p"),
        (Field::Protocol, "proto"),
        (Field::Session, "uid"),
    ] {
        event.set(field, get(name));
    }
    match path {
        "conn" => {
            event.source_event_id = get("uid");
            event.set(Field::BytesOut, get("orig_bytes"));
            event.set(Field::BytesIn, get("resp_bytes"));
            event.set(Field::State, get("conn_state"));
            event.set(Field::Detail, list("service"));
        }
        "http" => {
            event.set(Field::Method, get("method"));
            event.set(Field::Url, url(get("host").as_deref(), get("uri").as_deref(), get("id.resp_p").as_deref()));
            event.set(Field::HttpHost, get("host"));
            event.set(Field::UserAgent, get("user_agent").map(wire::cap));
            event.set(Field::Referrer, get("referrer").map(wire::cap));
            event.set(Field::Status, get("status_code"));
            event.set(Field::BytesOut, get("request_body_len"));
            event.set(Field::BytesIn, get("response_body_len"));
            event.set(Field::User, get("username"));
            event.set(Field::Password, get("password"));
        }
        "dns" => {
            let Some(query) = get("query") else { return Ok(None) };
            event.set(Field::Query, query);
            event.set(Field::Answers, list("answers").map(wire::cap));
            event.set(Field::State, get("rcode_name"));
            event.set(Field::Detail, get("qtype_name"));
        }
        "ssh" => {
            event.set(Field::UserAgent, get("client").map(wire::cap));
            event.set(Field::Count, get("auth_attempts"));
            event.set(Field::Detail, get("server").map(wire::cap));
        }
        "notice" => {
            let note = get("note").unwrap_or_default();
            let text = get("msg").unwrap_or_default();
            if event.get(Field::SrcIp).is_none() {
                event.set(Field::SrcIp, get("src"));
                event.set(Field::DstIp, get("dst"));
                event.set(Field::DstPort, get("p"));
            }
            event.set(Field::NetworkRole, ids_rule::role(&[&camel(&note), &text]));
            event.set(Field::Cve, ids_rule::cves(&[&note, &text]));
            event.set(Field::Rule, note.clone());
            event.set(Field::RuleId, note);
            event.set(Field::Detail, wire::cap(text));
        }
        "files" => {
            if event.get(Field::SrcIp).is_none() {
                event.set(Field::SrcIp, list("tx_hosts"));
                event.set(Field::DstIp, list("rx_hosts"));
            }
            event.set(Field::Session, list("conn_uids").or_else(|| get("uid")));
            event.set(Field::Hash, get("sha256").or_else(|| get("sha1")).or_else(|| get("md5")));
            event.set(Field::TargetPath, get("filename").map(wire::cap));
            event.set(Field::BytesIn, get("seen_bytes"));
            event.set(Field::Detail, get("mime_type"));
        }
        _ => {
            event.set(Field::DstHost, get("server_name"));
            event.set(Field::State, get("validation_status"));
            event.set(Field::Detail, get("subject").map(wire::cap));
        }
    }
    Ok(Some(event))
}

/// `SSH::Password_Guessing` and `Scan::PortScan` as words.
fn camel(note: &str) -> String {
    let mut out = String::with_capacity(note.len() + 8);
    for c in note.chars() {
        if c.is_ascii_uppercase() && out.ends_with(|it: char| it.is_ascii_lowercase()) {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

fn url(host: Option<&str>, uri: Option<&str>, port: Option<&str>) -> Option<String> {
    let uri = uri?;
    let Some(host) = host.filter(|_| uri.starts_with('/')) else { return Some(wire::cap(uri).into_owned()) };
    let named = host.rsplit(':').next().is_some_and(|it| it != host && it.bytes().all(|it| it.is_ascii_digit()));
    let port = port.filter(|it| !named && *it != "80").map(|it| format!(":{it}")).unwrap_or_default();
    Some(wire::cap(format!("http://{host}{port}{uri}")).into_owned())
}

#[cfg(test)]
mod tests {
    use super::super::testing::read_all;
    use super::*;

    const CONN: &str = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n\
        #fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\torig_bytes\tresp_bytes\tconn_state\n\
        1692146028.495991\tC1\t192.0.2.1\t4000\t198.51.100.2\t53\tudp\tdns\t-\t110\tSHR\n";
    const DNS: &str = "#separator \\x09\n#path\tdns\n#fields\tts\tuid\tquery\tanswers\n1692146028.5\tC2\ta.test\t192.0.2.3,192.0.2.4\n#close\t2023\n";

    #[test]
    fn a_concatenated_log_changes_its_header_midway() {
        let got = read_all(&Zeek, (CONN.to_owned() + DNS).as_bytes());
        assert_eq!(got.len(), 2, "{got:#?}");
        assert!(
            got[0].contains(r#"traffic_bytes_in="110" status="SHR""#) && !got[0].contains("bytes_out"),
            "{}",
            got[0]
        );
        assert!(got[1].contains(r#"answers="192.0.2.3,192.0.2.4""#), "{}", got[1]);
    }

    #[test]
    fn a_cut_line_and_a_line_without_a_header_are_rejected() {
        let got = read_all(&Zeek, (CONN.to_owned() + "1692146028.4\tC1\t192.0").as_bytes());
        assert!(got[1].contains("not as many fields"), "{}", got[1]);
        assert!(read_all(&Zeek, b"1692146028.4\tC1")[0].contains("no `#fields` line"));
    }

    #[test]
    fn json_in_three_spellings() {
        for (h, ts) in [
            (r#""id.orig_h":"192.0.2.1""#, "1692146028.495991"),
            (r#""id_orig_h":"192.0.2.1","@stream":"conn""#, "\"2023-08-16T00:33:48.495991Z\""),
            (r#""id":{"orig_h":"192.0.2.1"}"#, "1692146028.495991"),
        ] {
            let log = format!("{{\"ts\":{ts},\"uid\":\"C1\",{h},\"conn_state\":\"SF\"}}");
            assert!(ZEEK_JSON.recognizes(log.as_bytes()), "{log}");
            let got = read_all(&ZEEK_JSON, log.as_bytes());
            assert!(
                got[0].contains("2023-08-16T00:33:48.495991Z") && got[0].contains(r#"src_ip="192.0.2.1""#),
                "{got:?}"
            );
        }
    }

    #[test]
    fn addresses_of_requests() {
        assert_eq!(url(Some("a.test"), Some("/x"), Some("8080")).as_deref(), Some("http://a.test:8080/x"));
        assert_eq!(url(Some("a.test:8080"), Some("/x"), Some("8080")).as_deref(), Some("http://a.test:8080/x"));
        assert_eq!(url(Some("a.test"), Some("http://b.test/x"), None).as_deref(), Some("http://b.test/x"));
        assert_eq!(url(None, Some("/x"), Some("80")).as_deref(), Some("/x"));
    }

    #[test]
    fn notices_name_their_role() {
        assert_eq!(ids_rule::role(&[&camel("SSH::Password_Guessing")]), Some("brute_force"));
        assert_eq!(ids_rule::role(&[&camel("Scan::Port_Scan")]), Some("scan"));
        assert_eq!(ids_rule::role(&[&camel("Scan::PortScan")]), Some("scan"));
    }
}
