//! bytes → events. One file per log format; formats recognise content, not file names.
//!
//! Deliberately absent: opening files, decompressing, threads (the engine's).

pub mod access_log;
pub mod access_log_json;
pub mod alibaba_alert_text;
pub mod alibaba_sas;
pub mod artefacts;
pub mod auditd;
pub mod az_nsg_flows;
pub mod azure_syslog;
pub mod ciscoasa;
pub mod command_list;
pub mod cowrie;
pub mod cowrie_csv;
#[cfg(test)]
mod damage;
pub mod dionaea;
pub mod docker_api_honeypot;
pub mod dshield_firewall;
pub mod dshield_web;
pub mod eql_normalized;
pub mod evtx;
pub mod falco;
pub(crate) mod fields;
pub mod framing;
pub mod heralding;
pub mod honeytrap;
pub mod http_request;
pub(crate) mod ids_rule;
pub mod json;
pub mod json_format;
pub mod m365_defender;
pub(crate) mod network_role;
pub mod osquery;
pub mod pcap;
pub mod plain;
pub mod recent;
pub mod rows;
pub mod shell_script;
pub mod sshd_auth;
pub mod suricata_eve;
pub(crate) mod syslog;
pub mod sysmon_linux;
pub mod tetragon;
pub mod text;
pub mod vm_connection;
pub(crate) mod windows_events;
pub mod windows_json;
pub mod windows_log_analytics;
pub(crate) mod wire;
pub mod zeek;

use ringleader_model::time::TimeDefaults;
use ringleader_model::{Event, Malformed};

/// How a format's bytes fall into records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// A record a line. With `stateless`, any line can be read without the ones before it, so that a large
    /// file is read by several threads; readers are then made from the same head.
    Lines { stateless: bool },
    /// CSV or TSV: a record may span lines inside double quotes.
    Quoted,
    /// JSON values: a line each, pretty-printed, or the elements of one top-level array.
    Json,
    /// The whole input is one record (EVTX, packet captures, scripts), up to `framing::MAX_WHOLE`.
    Whole,
}

/// What is known of a source besides its bytes.
#[derive(Debug, Clone, Default)]
pub struct SourceContext {
    /// Its name as given: a path, `archive.zip!member`, or `-`.
    pub name: String,
    /// The host to use where records name none.
    pub host: Option<String>,
    pub times: TimeDefaults,
}

/// One log format.
pub trait Format: Sync {
    /// Noun naming the product, `snake_case`; also its fixture folder and its page in the docs.
    fn name(&self) -> &'static str;
    /// One sentence, for `--help` and the generated table.
    fn summary(&self) -> &'static str;
    fn framing(&self) -> Framing;
    /// Whether these bytes look like the format: the first 64 KiB of an input, or one record of a mixed one.
    /// Judges content, not the file name. Must be cheap and must not panic on anything.
    fn recognizes(&self, head: &[u8]) -> bool;
    /// Whether a file of this name and these bytes is of this format though its bytes alone would not tell.
    fn recognizes_named(&self, _name: &str, _head: &[u8]) -> bool {
        false
    }
    /// Whether it was taken from one host, which then its name or its folder tells.
    fn is_artefact(&self) -> bool {
        false
    }
    /// A reader for one input, given its first bytes (the header line of a CSV, say).
    fn reader(&self, context: &SourceContext, head: &[u8]) -> Box<dyn Reader>;
}

/// Reads the records of one input, in order.
pub trait Reader: Send {
    /// Reads one record. Emitting nothing means: well formed, but nothing we model (a header, a comment).
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed>;
    /// Emits what was held back for records that never came.
    fn finish(&mut self, _sink: &mut dyn Sink) {}
}

/// One record and its place in the (decompressed) input.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    pub bytes: &'a [u8],
    pub offset: u64,
}

/// Takes events out of a reader.
pub trait Sink {
    /// The event's place and content are those of the record that is being read.
    fn emit(&mut self, event: &Event<'_>);
    /// The event's place is given: for records that were assembled from several lines, or that are parts of one.
    /// `content` is what the event id is derived from; it must not depend on where the lines stood.
    fn emit_at(&mut self, event: &Event<'_>, offset: u64, length: u32, content: &[u8]);
    /// Sets a part of the record aside, with its reason: the rest of it can still be read.
    fn reject_at(&mut self, offset: u64, bytes: &[u8], why: Malformed);
}

/// Every format, in the order they are tried: strictest first.
pub const FORMATS: &[&dyn Format] = &[
    &evtx::Evtx,
    &alibaba_sas::AlibabaSas,
    &alibaba_sas::AlibabaSasCsv,
    &alibaba_alert_text::AlibabaAlertText,
    &vm_connection::VmConnection,
    &az_nsg_flows::AzNsgFlows,
    &eql_normalized::EqlNormalized,
    &m365_defender::M365Defender,
    &windows_log_analytics::LogAnalyticsJson,
    &windows_log_analytics::LogAnalyticsCsv,
    &windows_json::WindowsJson,
    &tetragon::Tetragon,
    &falco::Falco,
    &osquery::Osquery,
    &azure_syslog::AzureSyslog,
    &sysmon_linux::SysmonLinux,
    &auditd::Auditd,
    &sshd_auth::SshdAuth,
    &pcap::Pcap,
    &zeek::Zeek,
    &cowrie::COWRIE,
    &suricata_eve::SURICATA_EVE,
    &honeytrap::Honeytrap,
    &dionaea::DIONAEA,
    &heralding::HERALDING,
    &docker_api_honeypot::DOCKER_API_HONEYPOT,
    &dshield_web::DSHIELD_WEB,
    &zeek::ZEEK_JSON,
    &ciscoasa::CISCOASA,
    &cowrie_csv::CowrieCsv,
    &dshield_firewall::DshieldFirewall,
    &http_request::HttpRequests,
    &access_log::AccessLog,
    &access_log_json::ACCESS_LOG_JSON,
    &plain::PlainNdjson, //
    &plain::PlainDelimited,
    &artefacts::run_traces::RunTraces,
    &artefacts::socket_list::SocketList,
    &artefacts::process_list::ProcessList,
    &artefacts::ssh_files::SshFiles,
    &artefacts::file_listing::FileListing,
    &artefacts::flow_rows::FlowCsv,
    &artefacts::flow_rows::FlowJson,
    &artefacts::alert_rows::AlertCsv,
    &artefacts::alert_rows::AlertJson,
    &artefacts::asset_list::AssetCsv,
    &artefacts::asset_list::AssetJson,
    &command_list::CommandList,
    &artefacts::worm_log::WormLog,
    &artefacts::alert_text::AlertText,
    &shell_script::ShellScript,
];

/// The format that recognises the bytes.
pub fn recognize(head: &[u8]) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.recognizes(head))
}

/// The same, where the file's name may help.
pub fn recognize_named(name: &str, head: &[u8]) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.recognizes_named(name, head)).or_else(|| recognize(head))
}

pub fn by_name(name: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
pub(crate) mod testing {
    //! Reads a whole text with one format, the way the engine does, and shows what came out.

    use super::*;

    #[derive(Default)]
    pub(crate) struct Shown(pub Vec<String>);

    impl Sink for Shown {
        fn emit(&mut self, event: &Event<'_>) {
            self.0.push(show(event));
        }
        fn emit_at(&mut self, event: &Event<'_>, _offset: u64, _length: u32, _content: &[u8]) {
            self.0.push(show(event));
        }
        fn reject_at(&mut self, offset: u64, _bytes: &[u8], why: Malformed) {
            self.0.push(format!("REJECTED at {offset}: {why}"));
        }
    }

    /// One line an event: class activity time host pid ppid source_event_id {field=value …}.
    pub(crate) fn show(event: &Event<'_>) -> String {
        use std::fmt::Write as _;
        let mut out = format!(
            "{} {} {} host={} pid={:?} ppid={:?} id={}",
            event.class.name(),
            event.activity.name(),
            event.time.map_or_else(|| "-".to_owned(), |time| time.to_string()),
            event.host.as_deref().unwrap_or("-"),
            event.pid,
            event.ppid,
            event.source_event_id.as_deref().unwrap_or("-"),
        );
        for (field, value) in event.fields() {
            let _ = write!(out, " {}={value:?}", field.name());
        }
        out
    }

    pub(crate) fn read_all(format: &dyn Format, input: &[u8]) -> Vec<String> {
        let context = SourceContext {
            host: Some("given-host".into()),
            times: TimeDefaults { year: 2024, ..Default::default() },
            ..Default::default()
        };
        let head = &input[..input.len().min(framing::HEAD)];
        let mut reader = format.reader(&context, head);
        let mut shown = Shown::default();
        for framed in framing::frame(format.framing(), input) {
            match framed {
                Ok(record) => {
                    if let Err(why) = reader.read(&record, &mut shown) {
                        shown.reject_at(record.offset, record.bytes, why);
                    }
                }
                Err((offset, bytes, why)) => shown.reject_at(offset, bytes, why),
            }
        }
        reader.finish(&mut shown);
        shown.0
    }

    /// The public samples, where they are: `RINGLEADER_SAMPLES`, else `../shared/data` beside the workspace.
    /// `None`, and a word about it, where they are absent: the test that asks is skipped.
    #[allow(dead_code, reason = "formats without public samples do not ask")]
    pub(crate) fn samples() -> Option<std::path::PathBuf> {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let folder = std::env::var_os("RINGLEADER_SAMPLES").map_or_else(|| root.join("../shared/data"), Into::into);
        if folder.is_dir() {
            return Some(folder);
        }
        eprintln!("skipped: no samples");
        None
    }

    /// Every `fixtures/collect/<format>/*.in` reads as the `.snap` beside it says, and is recognised as its format.
    /// `RINGLEADER_BLESS=1` writes the snapshots; read the diff before you accept it.
    #[test]
    fn fixtures_read_as_their_snapshots_say() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/collect");
        let update = std::env::var_os("RINGLEADER_BLESS").is_some();
        let mut wrong = Vec::new();
        for format in FORMATS {
            let Ok(folder) = std::fs::read_dir(root.join(format.name())) else { continue };
            let mut inputs: Vec<_> = folder.map(|it| it.unwrap().path()).collect();
            inputs.retain(|it| it.extension().is_some_and(|it| it == "in"));
            inputs.sort();
            for path in inputs {
                let input = std::fs::read(&path).unwrap();
                let found = recognize(&input[..input.len().min(framing::HEAD)]).map_or("none", Format::name);
                if found != format.name() {
                    wrong.push(format!("{}: recognised as {found}", path.display()));
                }
                let got = read_all(*format, &input).join("\n") + "\n";
                let snap = path.with_extension("snap");
                if update {
                    std::fs::write(&snap, &got).unwrap();
                }
                let expect = std::fs::read_to_string(&snap).unwrap_or_default();
                if got != expect {
                    let at = got.lines().zip(expect.lines()).position(|(a, b)| a != b);
                    let at = at.unwrap_or_else(|| got.lines().count().min(expect.lines().count()));
                    wrong.push(format!(
                        "{}: line {}\n   got {}\nexpect {}",
                        path.display(),
                        at + 1,
                        got.lines().nth(at).unwrap_or("(nothing)"),
                        expect.lines().nth(at).unwrap_or("(nothing)"),
                    ));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// Every format meets every fixture, cut and with bytes changed. The seed is fixed.
    #[test]
    fn damaged_input_panics_nowhere() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/collect");
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        for folder in std::fs::read_dir(root).unwrap() {
            for path in std::fs::read_dir(folder.unwrap().path()).unwrap().map(|it| it.unwrap().path()) {
                if path.extension().is_none_or(|it| it != "in") {
                    continue;
                }
                let mut input = std::fs::read(&path).unwrap();
                input.truncate(16 << 10);
                for _ in 0..4 {
                    let mut bytes = input[..1 + next(input.len())].to_vec();
                    for _ in 0..next(16) {
                        let at = next(bytes.len());
                        bytes[at] = [b'"', b'{', b'\n', b'\\', 0, 0xff, b'9', b'-', b':', b'%'][next(10)];
                    }
                    let _ = recognize(&bytes);
                    for format in FORMATS {
                        let _ = read_all(*format, &bytes);
                    }
                }
            }
        }
    }

    #[test]
    fn format_names_are_unique_and_told() {
        let mut names: Vec<_> = FORMATS.iter().map(|it| it.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FORMATS.len());
        assert!(FORMATS.iter().all(|it| !it.summary().is_empty()));
    }

    /// `RINGLEADER_FILES="a.json b.evtx" cargo test -p ringleader-pipeline --lib -- --ignored --nocapture what_files`
    /// says how each file is recognised and what comes out of it.
    #[test]
    #[ignore = "looks at files that are named by hand"]
    fn what_files_hold() {
        for path in std::env::var("RINGLEADER_FILES").unwrap_or_default().split_whitespace() {
            let input = std::fs::read(path).unwrap();
            let Some(format) = recognize(&input[..input.len().min(framing::HEAD)]) else {
                println!("{path}: not recognised");
                continue;
            };
            let mut counts = std::collections::BTreeMap::new();
            let shown = read_all(format, &input);
            for line in &shown {
                let words = if line.starts_with("REJECTED") { 99 } else { 2 };
                let kind: Vec<_> = line.split(' ').take(words).filter(|it| !it.ends_with(':')).collect();
                let kind = if words == 99 { line.split_once(": ").unwrap().1.to_owned() } else { kind.join(" ") };
                *counts.entry(kind).or_insert(0) += 1;
            }
            println!("{path}: {}, {} shown {counts:?}", format.name(), shown.len());
            if std::env::var_os("RINGLEADER_SHOW").is_some() {
                println!("{}", shown.join("\n"));
            }
        }
    }
}
