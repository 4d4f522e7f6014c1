//! Alibaba Cloud Security Center (云安全中心, earlier 安骑士 Aegis and 态势感知) logs as exported from SLS → events.
//!
//! One object a record, all values text, the kind in `__topic__`; the field names of versions 1 and 2 and those of the
//! agent's own stream. Deliberately absent: chains that a row only names by `cmd_chain_index`, because they stand in
//! another row, perhaps of another file; vulnerabilities, baselines and account snapshots.

mod alert;
mod chain;
mod rows;

use ringleader_model::Malformed;
use ringleader_model::time::TimeDefaults;

use super::fields::{Fields, Header};
use super::{Format, Framing, Reader, Record, Sink, SourceContext};

pub(crate) use alert::LABELS;

pub struct AlibabaSas;

impl Format for AlibabaSas {
    fn name(&self) -> &'static str {
        "alibaba_sas"
    }
    fn summary(&self) -> &'static str {
        "Alibaba Cloud Security Center logs from SLS as JSON: process, network, DNS, login, HTTP, alerts"
    }
    fn framing(&self) -> Framing {
        Framing::Json
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        super::json::first_object(head).is_some_and(|it| topic(&it).is_some())
    }
    fn reader(&self, context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Json { times: context.times })
    }
}

pub struct AlibabaSasCsv;

impl Format for AlibabaSasCsv {
    fn name(&self) -> &'static str {
        "alibaba_sas_csv"
    }
    fn summary(&self) -> &'static str {
        "Alibaba Cloud Security Center logs from SLS as CSV with a header line"
    }
    fn framing(&self) -> Framing {
        Framing::Quoted
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        Header::find(head, is_header).is_some()
    }
    fn reader(&self, context: &SourceContext, head: &[u8]) -> Box<dyn Reader> {
        Box::new(Csv { times: context.times, header: Header::find(head, is_header) })
    }
}

fn is_header(has: &dyn Fn(&str) -> bool) -> bool {
    has("__topic__") && (has("uuid") || has("owner_id") || has("start_time")) || is_agent_stream(has)
}

/// The agent's own stream names no topic: it is all process start-ups.
fn is_agent_stream(has: &dyn Fn(&str) -> bool) -> bool {
    has("host_uuid") && has("cmdline") && has("pid") && (has("aliUid") || has("pid_start_time") || has("scan_time"))
}

struct Json {
    times: TimeDefaults,
}

struct Csv {
    times: TimeDefaults,
    header: Option<Header>,
}

impl Reader for Json {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        emit(&super::json::object(record.bytes)?, &self.times, sink)
    }
}

impl Reader for Csv {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let header = self.header.as_ref().ok_or(Malformed::new("no header line"))?;
        match header.row(record.bytes)? {
            Some(row) => emit(&row, &self.times, sink),
            None => Ok(()),
        }
    }
}

fn emit(row: &dyn Fields, times: &TimeDefaults, sink: &mut dyn Sink) -> Result<(), Malformed> {
    let topic = topic(row).ok_or(Malformed::new("missing or unknown `__topic__`"))?;
    if let Some(event) = rows::read(topic, row, times)? {
        sink.emit(&event);
    }
    Ok(())
}

/// What a row is about. Topics have one name in both versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Topic {
    Process,
    ProcessSnapshot,
    Network,
    PortSnapshot,
    Session,
    DnsQuery,
    Dns,
    LocalDns,
    Login,
    Crack,
    Http,
    Alert,
    NetBlock,
    Rasp,
    FileProtect,
    /// Well formed, and nothing that we model.
    Other,
}

fn topic(row: &dyn Fields) -> Option<Topic> {
    let Some(name) = row.any(&["__topic__", "topic"]) else {
        return is_agent_stream(&|name| row.field(name).is_some()).then_some(Topic::Process);
    };
    Some(match &*name {
        "aegis-log-process" => Topic::Process,
        "aegis-snapshot-process" => Topic::ProcessSnapshot,
        "aegis-log-network" => Topic::Network,
        "aegis-snapshot-port" => Topic::PortSnapshot,
        "sas-log-session" => Topic::Session,
        "aegis-log-dns-query" => Topic::DnsQuery,
        "sas-log-dns" => Topic::Dns,
        "local-dns" => Topic::LocalDns,
        "aegis-log-login" => Topic::Login,
        "aegis-log-crack" => Topic::Crack,
        "sas-log-http" => Topic::Http,
        "sas-security-log" => Topic::Alert,
        "sas-net-block" => Topic::NetBlock,
        "sas-rasp-log" => Topic::Rasp,
        "aegis-file-protect-log" => Topic::FileProtect,
        other if other.starts_with("aegis-") || other.starts_with("sas-") => Topic::Other,
        _ => return None,
    })
}
