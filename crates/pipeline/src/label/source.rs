//! A rule's log source → what of ours it looks at, and what each Sigma field is called there. Deliberately absent: what
//! no format that is read brings along (registry, loaded images, raw auditd records): rules on it are refused, with
//! the reason.

use ringleader_model::{Activity, EventClass, Field};
use rsigma_eval::event::EventValue;
use rsigma_eval::matcher::CompiledMatcher;
use rsigma_eval::{CompiledDetection, CompiledDetectionItem, CompiledRule};
use rsigma_parser::{ConditionExpr, LogSource, Quantifier, SelectorPattern};

use crate::collect::rows::{Bucket, Row};

/// The operating system that a rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Os {
    Any,
    Linux,
    Windows,
    Mac,
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// Processes as they start.
    Process,
    /// Rows that start no process.
    Row(RowKind),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RowKind {
    FileWrite,
    FileDelete,
    FileRead,
    Connection,
    Query,
    Request,
    Script,
    /// Windows' channels, by their event numbers.
    Security,
    System,
    Tasks,
}

/// Where rules of this log source look, or why nowhere.
pub(super) fn place(source: &LogSource) -> Result<(Place, Os), String> {
    let os = match source.product.as_deref() {
        None => Os::Any,
        Some("linux") => Os::Linux,
        Some("windows") => Os::Windows,
        Some("macos") => Os::Mac,
        // Sensors whose flows and queries are read alike.
        Some("zeek" | "suricata") if source.category.is_some() => Os::Any,
        Some(other) => return Err(format!("product `{other}` is not looked at")),
    };
    let row = |kind| Ok((Place::Row(kind), os));
    match (source.category.as_deref(), source.service.as_deref()) {
        (Some("process_creation"), _) => Ok((Place::Process, os)),
        (Some("file_event" | "file_change" | "file_rename"), _) => row(RowKind::FileWrite),
        (Some("file_delete"), _) => row(RowKind::FileDelete),
        (Some("file_access"), _) => row(RowKind::FileRead),
        (Some("network_connection" | "firewall"), _) => row(RowKind::Connection),
        (Some("dns_query" | "dns"), _) => row(RowKind::Query),
        (Some("webserver" | "proxy"), _) => row(RowKind::Request),
        (Some("ps_script"), _) => row(RowKind::Script),
        (None, Some("security")) if os == Os::Windows => row(RowKind::Security),
        (None, Some("system")) if os == Os::Windows => row(RowKind::System),
        (None, Some("taskscheduler")) if os == Os::Windows => row(RowKind::Tasks),
        (Some(other), _) => Err(format!("log source category `{other}` is not looked at")),
        (None, Some(other)) => Err(format!("log source service `{other}` is not looked at")),
        (None, None) => Err("the log source names no category".to_owned()),
    }
}

/// What rules a row is for: a service that is installed is told by two channels.
pub(super) fn kinds(bucket: &Bucket, row: &Row) -> &'static [RowKind] {
    use {Activity as A, EventClass as C, RowKind as K};
    match (row.class, row.activity) {
        (C::File, A::Share) | (C::Authentication, _) => &[K::Security],
        (C::File, A::Delete) => &[K::FileDelete],
        (C::File, A::Read | A::Open) => &[K::FileRead],
        (C::File, _) => &[K::FileWrite],
        (C::Network, A::Query) => &[K::Query],
        (C::Network, _) => &[K::Connection],
        (C::Http, _) => &[K::Request],
        (C::Process, A::Service) => &[K::Security, K::System],
        (C::Process, A::Other) => match bucket.text(row, Field::Detail).unwrap_or_default() {
            "scheduled task created" => &[K::Security],
            "scheduled task updated" => &[K::Security, K::Tasks],
            it if it.starts_with("scheduled task") => &[K::Tasks],
            it if it.starts_with("script block") => &[K::Script],
            _ => &[],
        },
        _ => &[],
    }
}

/// Fields of a process that rules can ask for.
pub(super) const PROCESS_FIELDS: [&str; 7] =
    ["Image", "CommandLine", "ParentImage", "ParentCommandLine", "User", "CurrentDirectory", "Hashes"];

/// Where the value of a Sigma field stands in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Of(Field),
    /// Without its domain.
    Account,
    Initiated,
    /// Of a URL: in front of the question mark, and behind it.
    Stem,
    UrlQuery,
    EventId,
    Provider,
}

fn column(kind: RowKind, name: &str) -> Option<Column> {
    use Column::Of;
    use RowKind as K;
    let file = matches!(kind, K::FileWrite | K::FileDelete | K::FileRead);
    let windows = matches!(kind, K::Security | K::System | K::Tasks);
    Some(match name {
        "Image" | "ProcessName" => Of(Field::FilePath),
        "User" => Of(Field::User),
        "CommandLine" if !windows => Of(Field::CmdLine),
        "TargetFilename" if file => Of(Field::TargetPath),
        "DestinationIp" | "dst_ip" | "DestAddress" => Of(Field::DstIp),
        "DestinationPort" | "dst_port" | "DestPort" => Of(Field::DstPort),
        "DestinationHostname" => Of(Field::DstHost),
        "SourceIp" | "src_ip" | "c-ip" | "IpAddress" => Of(Field::SrcIp),
        "SourcePort" | "src_port" | "IpPort" => Of(Field::SrcPort),
        "Protocol" if kind == K::Connection => Of(Field::Protocol),
        "Initiated" if kind == K::Connection => Column::Initiated,
        "QueryName" | "query" if kind == K::Query => Of(Field::Query),
        "QueryResults" | "answers" | "answer" if kind == K::Query => Of(Field::Answers),
        "QueryStatus" if kind == K::Query => Of(Field::State),
        "cs-method" if kind == K::Request => Of(Field::Method),
        "c-uri" | "cs-uri" if kind == K::Request => Of(Field::Url),
        "cs-uri-stem" if kind == K::Request => Column::Stem,
        "cs-uri-query" | "c-uri-query" if kind == K::Request => Column::UrlQuery,
        "cs-user-agent" | "c-useragent" if kind == K::Request => Of(Field::UserAgent),
        "cs-host" | "r-dns" if kind == K::Request => Of(Field::HttpHost),
        "cs-referer" if kind == K::Request => Of(Field::Referrer),
        "sc-status" if kind == K::Request => Of(Field::Status),
        "ScriptBlockText" if kind == K::Script => Of(Field::Body),
        "Path" if kind == K::Script => Of(Field::TargetPath),
        "EventID" if windows => Column::EventId,
        "Provider_Name" | "Source_Name" if windows => Column::Provider,
        "ServiceName" | "TaskName" if windows => Of(Field::ServiceName),
        "ServiceFileName" | "ImagePath" if windows => Of(Field::CmdLine),
        "TaskContent" | "TaskContentNew" if windows => Of(Field::Body),
        "ShareName" if kind == K::Security => Of(Field::Share),
        "RelativeTargetName" if kind == K::Security => Of(Field::TargetPath),
        "AccessMask" | "Status" | "SubStatus" if kind == K::Security => Of(Field::State),
        "TargetUserName" | "SubjectUserName" if windows => Column::Account,
        "LogonType" if kind == K::Security => Of(Field::LogonType),
        "WorkstationName" if kind == K::Security => Of(Field::Workstation),
        "AuthenticationPackageName" if kind == K::Security => Of(Field::Protocol),
        "TargetServerName" if kind == K::Security => Of(Field::DstHost),
        "TargetLogonId" | "SubjectLogonId" if kind == K::Security => Of(Field::Session),
        _ => return None,
    })
}

/// Whether a rule that looks there can ask for the field.
pub(super) fn is_held(place: Place, name: &str) -> bool {
    match place {
        Place::Process => PROCESS_FIELDS.contains(&name),
        Place::Row(kind) => column(kind, name).is_some(),
    }
}

/// What a row holds under the name of a Sigma field.
pub(super) fn value<'b>(bucket: &'b Bucket, row: &Row, kind: RowKind, name: &str) -> Option<EventValue<'b>> {
    let text = |field| bucket.text(row, field);
    Some(match column(kind, name)? {
        Column::Of(field) => EventValue::Str(text(field)?.into()),
        Column::Account => {
            let user = text(Field::User)?;
            EventValue::Str(user.rsplit_once('\\').map_or(user, |it| it.1).into())
        }
        Column::Initiated => {
            EventValue::Str(if text(Field::Direction)? == "outbound" { "true" } else { "false" }.into())
        }
        Column::Stem => EventValue::Str(text(Field::Url).map(|it| it.split_once('?').map_or(it, |it| it.0))?.into()),
        Column::UrlQuery => EventValue::Str(text(Field::Url)?.split_once('?')?.1.into()),
        Column::EventId => EventValue::Int(event_id(bucket, row, kind)?),
        Column::Provider => EventValue::Str(
            match kind {
                RowKind::System => "Service Control Manager",
                RowKind::Tasks => "Microsoft-Windows-TaskScheduler",
                _ => "Microsoft-Windows-Security-Auditing",
            }
            .into(),
        ),
    })
}

/// The number of the Windows event that a row was made from, as the channel counts.
fn event_id(bucket: &Bucket, row: &Row, kind: RowKind) -> Option<i64> {
    use {Activity as A, EventClass as C};
    let detail = || bucket.text(row, Field::Detail).unwrap_or_default();
    Some(match (kind, row.class, row.activity) {
        (RowKind::System, _, _) => 7045,
        (RowKind::Tasks, _, _) => match detail() {
            "scheduled task registered" => 106,
            "scheduled task updated" => 140,
            "scheduled task deleted" => 141,
            _ => 200,
        },
        (_, C::Process, A::Service) => 4697,
        (_, C::Process, _) => {
            if detail() == "scheduled task created" {
                4698
            } else {
                4702
            }
        }
        (_, C::File, _) if detail().starts_with("share ") => 5142,
        (_, C::File, _) => {
            if bucket.text(row, Field::TargetPath).is_some() {
                5145
            } else {
                5140
            }
        }
        // A logon of another system has no number.
        (_, C::Authentication, _) if bucket.text(row, Field::LogonType).is_some_and(|it| it.parse::<u8>().is_err()) => {
            return None;
        }
        (_, C::Authentication, A::Logon) => 4624,
        (_, C::Authentication, A::LogonFailed) => 4625,
        (_, C::Authentication, A::Logoff) => 4634,
        (_, C::Authentication, A::Other) => 4648,
        _ => return None,
    })
}

/// Whether a rule asks for one of these fields anywhere, filters included.
pub(super) fn asks(rule: &CompiledRule, names: &[&str]) -> bool {
    rule.detections.values().any(|it| detection_asks(it, names))
}

fn detection_asks(it: &CompiledDetection, names: &[&str]) -> bool {
    let is_one = |it: &str| names.contains(&it);
    match it {
        CompiledDetection::AllOf(items) => items.iter().any(|it| {
            it.field.as_deref().is_some_and(is_one)
                || matches!(&it.matcher, CompiledMatcher::FieldRef { field, .. } if is_one(field))
        }),
        CompiledDetection::AnyOf(parts) | CompiledDetection::And(parts) => {
            parts.iter().any(|it| detection_asks(it, names))
        }
        // Values of all fields are meant, or none of ours.
        CompiledDetection::Keywords(_) => true,
        CompiledDetection::ArrayMatch { .. } | CompiledDetection::Conditional { .. } => false,
    }
}

/// Whether a rule can match where only some fields are held; else the fields it lacks.
pub(super) fn can_match(rule: &CompiledRule, held: &dyn Fn(&str) -> bool) -> Result<(), Vec<String>> {
    let mut lacks = Vec::new();
    if rule.conditions.iter().any(|it| condition(rule, it, held, &mut lacks)) {
        return Ok(());
    }
    lacks.sort();
    lacks.dedup();
    Err(lacks)
}

fn condition(rule: &CompiledRule, it: &ConditionExpr, held: &dyn Fn(&str) -> bool, lacks: &mut Vec<String>) -> bool {
    match it {
        ConditionExpr::And(parts) => parts.iter().all(|it| condition(rule, it, held, lacks)),
        ConditionExpr::Or(parts) => parts.iter().any(|it| condition(rule, it, held, lacks)),
        // What is absent is never the thing that is to be left out.
        ConditionExpr::Not(_) => true,
        ConditionExpr::Identifier(name) => rule.detections.get(name).is_none_or(|it| detection(it, held, lacks)),
        ConditionExpr::Selector { quantifier, pattern } => {
            let named = |name: &str| match pattern {
                SelectorPattern::Them => !name.starts_with('_'),
                SelectorPattern::Pattern(pattern) => {
                    pattern.strip_suffix('*').map_or(name == pattern, |front| name.starts_with(front))
                }
            };
            let found: Vec<bool> = rule
                .detections
                .iter()
                .filter(|(name, _)| named(name))
                .map(|(_, it)| detection(it, held, lacks))
                .collect();
            match quantifier {
                Quantifier::All => found.iter().all(|it| *it),
                Quantifier::Any => found.iter().any(|it| *it),
                Quantifier::Count(n) => found.iter().filter(|it| **it).count() as u64 >= *n,
            }
        }
    }
}

fn detection(it: &CompiledDetection, held: &dyn Fn(&str) -> bool, lacks: &mut Vec<String>) -> bool {
    match it {
        CompiledDetection::AllOf(items) => items.iter().all(|it| item(it, held, lacks)),
        CompiledDetection::AnyOf(parts) => parts.iter().any(|it| detection(it, held, lacks)),
        CompiledDetection::And(parts) => parts.iter().all(|it| detection(it, held, lacks)),
        CompiledDetection::Keywords(_) | CompiledDetection::Conditional { .. } => true,
        CompiledDetection::ArrayMatch { field, .. } => {
            lacks.push(field.clone());
            false
        }
    }
}

fn item(it: &CompiledDetectionItem, held: &dyn Fn(&str) -> bool, lacks: &mut Vec<String>) -> bool {
    let Some(name) = &it.field else { return true };
    if held(name) || it.exists == Some(false) || wants_absence(&it.matcher) {
        return true;
    }
    lacks.push(name.clone());
    false
}

fn wants_absence(it: &CompiledMatcher) -> bool {
    match it {
        CompiledMatcher::Null | CompiledMatcher::Exists(false) | CompiledMatcher::Not(_) => true,
        CompiledMatcher::AnyOf(parts) => parts.iter().any(wants_absence),
        _ => false,
    }
}
