//! Sysmon for Linux → processes, connections, files. Its XML stands in syslog lines or by itself, one event a line.
//!
//! Deliberately absent: forks (Sysmon logs execs alone) and Windows' own event logs.

use std::borrow::Cow;

use quick_xml::events::Event as Xml;
use ringleader_model::event::is_null;
use ringleader_model::time::TimeDefaults;
use ringleader_model::{Activity, Event, EventClass, Field, Malformed, Timestamp};

use super::{Format, Framing, Reader, Record, Sink, SourceContext, json, sshd_auth};

/// Fields of one event that are kept; Sysmon's longest has 30.
const MAX_FIELDS: usize = 128;

pub struct SysmonLinux;

impl Format for SysmonLinux {
    fn name(&self) -> &'static str {
        "sysmon_linux"
    }
    fn summary(&self) -> &'static str {
        "Sysmon for Linux: XML events in syslog or one a line; processes, connections, files"
    }
    fn framing(&self) -> Framing {
        Framing::Lines { stateless: true }
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        head.split(|b| *b == b'\n').take(400).any(|line| {
            let front = &line[..line.len().min(4096)];
            let here = memchr::memmem::find(front, b"<Event>").or_else(|| memchr::memmem::find(front, b"<Event "));
            // In front of it a syslog header, and no JSON: that is another envelope.
            here.is_some_and(|at| {
                at < 512 && !front[..at].contains(&b'{') && memchr::memmem::find(front, b"Linux-Sysmon").is_some()
            })
        })
    }
    fn reader(&self, context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Lines { times: context.times })
    }
}

struct Lines {
    times: TimeDefaults,
}

impl Reader for Lines {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let text = super::text::decode(record.bytes);
        let event = match start(&text) {
            Some(at) => of_xml(&text[at..])?,
            None => sshd_auth::of_line(&text, &self.times)?,
        };
        if let Some(event) = event {
            sink.emit(&event);
        }
        Ok(())
    }
}

/// Where an event's XML starts in a line.
pub(crate) fn start(line: &str) -> Option<usize> {
    line.find("<Event>").or_else(|| line.find("<Event "))
}

/// The event of one XML document; `Ok(None)` for kinds that are not modelled.
pub(crate) fn of_xml<'a>(xml: &'a str) -> Result<Option<Event<'a>>, Malformed> {
    let (values, complete) = match mended(xml) {
        Cow::Borrowed(xml) => values(xml)?,
        Cow::Owned(xml) => {
            let (values, complete) = values(&xml)?;
            let own = |it: Cow<'_, str>| Cow::Owned(it.into_owned());
            (values.into_iter().map(|(name, value)| (own(name), own(value))).collect(), complete)
        }
    };
    let get = |name: &str| values.iter().find(|(it, _)| it == name).map(|(_, value)| value.clone());
    // Syslog daemons cut long messages, and the parent's command line, which is last, is what makes them long.
    if !complete && get("ProcessId").is_none() {
        return Err(Malformed::new("XML ends in the middle of an event"));
    }
    let id = get("EventID").ok_or(Malformed::new("missing field `EventID`"))?;
    let (class, activity) = match id.as_ref() {
        "1" => (EventClass::Process, Activity::Launch),
        "3" => (EventClass::Network, Activity::Open),
        "5" => (EventClass::Process, Activity::Terminate),
        "11" => (EventClass::File, Activity::Create),
        "22" => (EventClass::Network, Activity::Query),
        "23" | "26" => (EventClass::File, Activity::Delete),
        _ => return Ok(None),
    };
    let mut event = Event::new(class, activity);
    let time = get("UtcTime")
        .filter(|it| !is_null(it))
        .or_else(|| get("SystemTime"))
        .ok_or(Malformed::new("missing field `UtcTime`"))?;
    let parsed = Timestamp::parse(&time, &TimeDefaults::default()).ok_or_else(|| super::plain::bad_time(&time))?;
    (event.time, event.utc_offset_minutes) = (Some(parsed.0), Some(0));
    event.host = get("Computer");
    event.source_event_id = get("EventRecordID");
    event.pid = get("ProcessId").as_deref().and_then(json::parse_u32);
    event.ppid = get("ParentProcessId").as_deref().and_then(json::parse_u32).filter(|it| *it != 0);
    if activity == Activity::Launch && event.pid.is_none() {
        return Err(Malformed::new("missing or invalid field `ProcessId`"));
    }
    // Sysmon writes zeros for a process that it does not know; its second half too, where it knows the time alone.
    let guid =
        |name: &str| get(name).map(|it| it.to_ascii_lowercase()).filter(|it| !it.ends_with("-0000-000000000000}"));
    let ip = |name: &str| get(name).filter(|it| !matches!(it.as_ref(), "0:0:0:0:0:0:0:0" | "::"));
    event.set(Field::FilePath, get("Image").filter(|it| it != "<unknown process>"));
    event.set(Field::CmdLine, get("CommandLine"));
    event.set(Field::ProcessGuid, guid("ProcessGuid"));
    event.set(Field::ParentName, get("ParentImage"));
    event.set(Field::ParentCmdLine, get("ParentCommandLine"));
    event.set(Field::ParentGuid, guid("ParentProcessGuid"));
    event.set(Field::Cwd, get("CurrentDirectory"));
    event.set(Field::User, get("User"));
    event.set(Field::Session, get("TerminalSessionId").filter(|it| it != "4294967295"));
    event.set(Field::Hash, get("Hashes"));
    event.set(Field::TargetPath, get("TargetFilename"));
    event.set(Field::Query, get("QueryName"));
    event.set(Field::Answers, get("QueryResults"));
    event.set(Field::Protocol, get("Protocol"));
    event.set(Field::Direction, get("Initiated").map(|it| if it == "false" { "inbound" } else { "outbound" }));
    event.set(Field::SrcIp, ip("SourceIp"));
    event.set(Field::SrcPort, get("SourcePort").filter(|it| it != "0"));
    event.set(Field::DstIp, ip("DestinationIp"));
    event.set(Field::DstPort, get("DestinationPort").filter(|it| it != "0"));
    event.set(Field::DstHost, get("DestinationHostname"));
    event.set(Field::Rule, get("RuleName"));
    event.set(Field::State, (!complete).then_some("truncated"));
    Ok(Some(event))
}

/// The XML with its broken entities made whole. Log Analytics' agent turns `;` into a blank, and so `&quot;` into
/// `&quot `; no well-formed event has an `&` without its `;`.
fn mended(xml: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut done = 0;
    for (at, _) in xml.match_indices('&') {
        let rest = &xml[at + 1..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '#')).unwrap_or(rest.len());
        match (&rest[..end], rest.as_bytes().get(end)) {
            (_, Some(b';')) if end > 0 => continue,
            ("quot" | "lt" | "gt" | "amp" | "apos", Some(b' ')) => {
                out.push_str(&xml[done..=at + end]);
                out.push(';');
                done = at + end + 2;
            }
            _ => {
                out.push_str(&xml[done..at]);
                out.push_str("&amp;");
                done = at + 1;
            }
        }
    }
    if done == 0 {
        return Cow::Borrowed(xml);
    }
    out.push_str(&xml[done..]);
    Cow::Owned(out)
}

type Values<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// `<Data Name="X">value</Data>` and the plain elements of `<System>`, as names and values, in order. Flat: what is
/// nested deeper keeps its innermost name, so there is no depth to bound. And whether the event was all there: what was read before a
/// break is good, but of a value in the middle of it only a command line is.
fn values(xml: &str) -> Result<(Values<'_>, bool), Malformed> {
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut out: Values<'_> = Vec::new();
    let mut name: Option<Cow<'_, str>> = None;
    let mut value = Cow::Borrowed("");
    loop {
        match reader.read_event().unwrap_or(Xml::Eof) {
            Xml::Start(tag) | Xml::Empty(tag) if tag.local_name().as_ref() == b"TimeCreated" => {
                if let Some(time) = attribute(&tag, "SystemTime") {
                    out.push((Cow::Borrowed("SystemTime"), time.into()));
                }
            }
            Xml::Start(tag) => {
                let tag_name = String::from_utf8_lossy(tag.local_name().as_ref()).into_owned();
                name = if tag_name == "Data" {
                    attribute(&tag, "Name").map(Cow::Owned)
                } else {
                    Some(Cow::Owned(tag_name))
                };
                value = Cow::Borrowed("");
            }
            Xml::Text(text) => {
                let text = text.decode().map_err(|_| Malformed::new("broken XML"))?;
                if value.is_empty() { value = text } else { value.to_mut().push_str(&text) }
            }
            Xml::CData(text) => {
                let text = text.decode().map_err(|_| Malformed::new("broken XML"))?;
                value.to_mut().push_str(&text);
            }
            Xml::GeneralRef(entity) => {
                let known = match entity.resolve_char_ref() {
                    Ok(Some(c)) => Some(c),
                    _ => match &*entity {
                        b"lt" => Some('<'),
                        b"gt" => Some('>'),
                        b"amp" => Some('&'),
                        b"quot" => Some('"'),
                        b"apos" => Some('\''),
                        _ => None,
                    },
                };
                // An entity that XML does not know is kept as it stands: nothing is ever looked up.
                match known {
                    Some(c) => value.to_mut().push(c),
                    None => value.to_mut().push_str(&format!("&{};", String::from_utf8_lossy(entity.as_ref()))),
                }
            }
            Xml::End(tag) => {
                if let Some(name) = name.take() {
                    if out.len() >= MAX_FIELDS {
                        return Err(Malformed::new("more fields than the limit of 128"));
                    }
                    out.push((name, std::mem::take(&mut value)));
                }
                if tag.local_name().as_ref() == b"Event" {
                    return Ok((out, true));
                }
            }
            Xml::Eof => {
                if let Some(name) = name.filter(|it| it.ends_with("CommandLine") && !value.is_empty()) {
                    out.push((name, value));
                }
                return Ok((out, false));
            }
            _ => {}
        }
    }
}

fn attribute(tag: &quick_xml::events::BytesStart<'_>, name: &str) -> Option<String> {
    Some(tag.try_get_attribute(name).ok()??.unescape_value().ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::super::testing::read_all;
    use super::*;

    fn event(id: u32, data: &str) -> String {
        format!(
            "<Event><System><Provider Name=\"Linux-Sysmon\" Guid=\"{{ff032593-a8d3-4f13-b0d6-01fc615a0f97}}\"/><EventID>{id}</EventID>\
             <TimeCreated SystemTime=\"2024-05-11T18:10:22.003485000Z\"/><EventRecordID>9</EventRecordID><Correlation/>\
             <Computer>WEB1</Computer></System><EventData>{data}</EventData></Event>"
        )
    }

    fn data(pairs: &[(&str, &str)]) -> String {
        pairs.iter().map(|(name, value)| format!("<Data Name=\"{name}\">{value}</Data>")).collect()
    }

    #[test]
    fn a_process_in_syslog_with_entities_and_a_null_guid() {
        let line = format!(
            "May 11 18:10:22 web1 sysmon: {}\n",
            event(
                1,
                &data(&[
                    ("RuleName", "-"),
                    ("UtcTime", "2024-05-11 18:10:21.998"),
                    ("ProcessGuid", "{94325212-FC0D-627b-4874-61f901560000}"),
                    ("ProcessId", "17"),
                    ("Image", "/bin/bash"),
                    ("CommandLine", "bash -c &quot;id &amp;&amp; ls&quot; &#62; &unknown; x"),
                    ("ParentProcessGuid", "{00000000-0000-0000-0000-000000000000}"),
                    ("ParentProcessId", "0"),
                    ("ParentImage", "-"),
                    ("TerminalSessionId", "4294967295"),
                ])
            )
        );
        assert!(SysmonLinux.recognizes(line.as_bytes()));
        assert_eq!(
            read_all(&SysmonLinux, line.as_bytes()),
            ["process_activity launch 2024-05-11T18:10:21.998000Z host=WEB1 pid=Some(17) ppid=None id=9 \
              process_file_path=\"/bin/bash\" process_cmd_line=\"bash -c \\\"id && ls\\\" > &unknown; x\" \
              process_uid=\"{94325212-fc0d-627b-4874-61f901560000}\""]
        );
    }

    #[test]
    fn connections_files_and_what_is_not_modelled() {
        let log = [
            event(
                3,
                &data(&[
                    ("UtcTime", "-"),
                    ("ProcessId", "1"),
                    ("Initiated", "true"),
                    ("SourceIp", "0:0:0:0:0:0:0:0"),
                    ("DestinationIp", "192.0.2.1"),
                    ("DestinationPort", "443"),
                ]),
            ),
            event(11, &data(&[("UtcTime", "2024-05-11 18:10:21.998"), ("TargetFilename", "/tmp/x")])),
            event(4, ""),
        ];
        let got = read_all(&SysmonLinux, log[1..].join("\n").as_bytes());
        assert_eq!(
            got,
            ["file_activity create 2024-05-11T18:10:21.998000Z host=WEB1 pid=None ppid=None id=9 file_path=\"/tmp/x\""]
        );
        // The time that is no time falls back on the one of the event's envelope.
        let got = read_all(&SysmonLinux, log[0].as_bytes());
        assert_eq!(
            got,
            [
                "network_activity open 2024-05-11T18:10:22.003485Z host=WEB1 pid=Some(1) ppid=None id=9 direction=\"outbound\" dst_ip=\"192.0.2.1\" dst_port=\"443\""
            ]
        );
    }

    #[test]
    fn entities_that_lost_their_semicolon_are_mended() {
        let cases = [
            ("&lt unknown process&gt ", "<unknown process>"),
            ("a &quot b&quot  c & d &", "a \"b\" c & d &"),
            ("x&amp y; &#38; &", "x&y; & &"),
        ];
        for (raw, expect) in cases {
            let xml =
                event(5, &data(&[("UtcTime", "2024-05-11 18:10:21.998"), ("ProcessId", "1"), ("CommandLine", raw)]));
            let got = of_xml(&xml).unwrap().unwrap();
            assert_eq!((got.get(Field::CmdLine), got.get(Field::State)), (Some(expect), None), "{raw}");
        }
    }

    #[test]
    fn cut_and_hostile_xml_costs_itself_alone() {
        let fields = [
            ("UtcTime", "2024-05-11 18:10:21.998"),
            ("ProcessId", "17"),
            ("Image", "/\u{e9}"),
            ("CommandLine", "ls -l"),
        ];
        let whole = event(1, &data(&fields));
        let known = whole.find("17</Data>").unwrap() + "17</Data>".len();
        for end in (8..whole.len() - "</Event>".len()).filter(|end| whole.is_char_boundary(*end)) {
            let got = read_all(&SysmonLinux, &whole.as_bytes()[..end]);
            assert_eq!(got.len(), 1);
            let expect = if end < known { "REJECTED at 0: XML ends" } else { "truncated" };
            assert!(got[0].contains(expect) && (end < known || got[0].contains("pid=Some(17)")), "{end} {got:?}");
        }
        let cut = read_all(&SysmonLinux, &whole.as_bytes()[..whole.find(" -l<").unwrap() + 2]);
        assert!(cut[0].contains("process_cmd_line=\"ls -\""), "{cut:?}");
        let deep = format!("<Event>{}", "<a>".repeat(10_000));
        assert!(read_all(&SysmonLinux, deep.as_bytes())[0].starts_with("REJECTED"));
        let many = event(1, &data(&[("x", "y")]).repeat(200));
        assert!(read_all(&SysmonLinux, many.as_bytes())[0].contains("limit of 128"));
        let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\">]>".to_owned()
            + &event(1, &data(&[("UtcTime", "2024-05-11 18:10:21"), ("ProcessId", "1"), ("Image", "&a;&a;")]));
        assert!(read_all(&SysmonLinux, bomb.as_bytes())[0].contains("\"&a;&a;\""));
        assert!(!SysmonLinux.recognizes(b"<Event><System><Provider Name=\"Microsoft-Windows-Sysmon\"/>"));
    }
}
