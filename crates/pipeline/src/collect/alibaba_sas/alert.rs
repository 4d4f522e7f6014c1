//! `detail` of an alert, in its three shapes → fields.
//!
//! An object with English keys; the same with the responders' keys (`ppcmdline`, …); an array of
//! `{name, type, value}` with names in Chinese or English. The whole detail is kept as text too.

use std::borrow::Cow;

use ringleader_model::{Event, Field};
use serde_json::Value;

use super::super::fields::{Fields, address, bounded};
use super::super::network_role::network_role;
use super::chain;

/// What the console and the log call the parts of an alert. Compared in lower case, without blanks.
pub(crate) const LABELS: &[(&str, Field)] = &[
    ("命令行", Field::CmdLine),
    ("cmdline", Field::CmdLine),
    ("commandline", Field::CmdLine),
    ("进程路径", Field::FilePath),
    ("processpath", Field::FilePath),
    ("proc_path", Field::FilePath),
    ("filepath", Field::FilePath),
    ("父进程路径", Field::ParentName),
    ("parentprocesspath", Field::ParentName),
    ("父进程命令行", Field::ParentCmdLine),
    ("parentprocesscommandline", Field::ParentCmdLine),
    ("ppcmdline", Field::ParentCmdLine),
    ("pcmdline", Field::ParentCmdLine),
    ("url链接", Field::Url),
    ("url", Field::Url),
    ("useragent", Field::UserAgent),
    ("域名", Field::DstHost),
    ("恶意域名", Field::DstHost),
    ("domain", Field::DstHost),
    ("目的ip", Field::DstIp),
    ("恶意ip", Field::DstIp),
    ("远程ip", Field::DstIp),
    ("dstip", Field::DstIp),
    ("dst_ip", Field::DstIp),
    ("destinationip", Field::DstIp),
    ("remoteip", Field::DstIp),
    ("目的端口", Field::DstPort),
    ("远程端口", Field::DstPort),
    ("dstport", Field::DstPort),
    ("dst_port", Field::DstPort),
    ("destinationport", Field::DstPort),
    ("remoteport", Field::DstPort),
    ("logindestinationport", Field::DstPort),
    ("源ip", Field::SrcIp),
    ("攻击源ip", Field::SrcIp),
    ("登录源ip", Field::SrcIp),
    ("srcip", Field::SrcIp),
    ("src_ip", Field::SrcIp),
    ("sourceip", Field::SrcIp),
    ("loginsourceip", Field::SrcIp),
    ("loginuser", Field::User),
    ("登录用户", Field::User),
    ("用户名", Field::User),
    ("username", Field::User),
    ("protocolname", Field::Protocol),
    ("logintimes", Field::Count),
    ("恶意文件md5", Field::Hash),
    ("文件md5", Field::Hash),
    ("md5", Field::Hash),
    ("sha256", Field::Hash),
    ("文件路径", Field::TargetPath),
    ("木马文件路径", Field::TargetPath),
    ("att&ck攻击阶段", Field::Technique),
    ("att&ckattackphase", Field::Technique),
    ("与该url有关的漏洞", Field::Cve),
    ("cve", Field::Cve),
];

pub(super) fn read<'a>(row: &'a dyn Fields, event: &mut Event<'a>) {
    event.source_event_id = row.any(&["suspicious_event_id", "unique_info"]);
    event.set(Field::RuleId, row.field("unique_info"));
    event.set(Field::Severity, row.field("level"));
    event.set(Field::State, row.field("status").map(status));
    let name = row.field("name");
    let mut role = name.as_deref().and_then(network_role);
    event.set(Field::Rule, name);
    if let Some(detail) = row.field("detail") {
        if let Ok(value) = serde_json::from_str::<Value>(&detail) {
            details(&value, event);
            if role.is_none() {
                role = super::super::json::any(&value, &["displayEventName", "type"]).as_deref().and_then(network_role);
            }
        }
        event.set(Field::Detail, bounded(&detail, MAX_DETAIL).to_owned());
    }
    event.set(Field::NetworkRole, role);
}

const MAX_DETAIL: usize = 64 << 10;

fn status(code: Cow<'_, str>) -> Cow<'_, str> {
    Cow::Borrowed(match &*code {
        "1" => "open",
        "2" => "ignored",
        "8" => "whitelisted",
        "16" => "processing",
        "32" => "handled",
        "64" => "expired",
        "513" => "auto_blocked",
        _ => return code,
    })
}

fn details(value: &Value, event: &mut Event<'_>) {
    match value {
        Value::Object(values) => {
            for (name, value) in values {
                match value {
                    Value::Array(items) => named(items, event),
                    value => part(name, value, event),
                }
            }
            grandparents(value, event);
        }
        Value::Array(items) => named(items, event),
        _ => {}
    }
}

fn named(items: &[Value], event: &mut Event<'_>) {
    let mut chain = None;
    for item in items {
        let Some(name) = super::super::json::any(item, &["name", "nameDisplay", "key"]) else { continue };
        let kind = super::super::json::text(item, "type").unwrap_or_default();
        let Some(value) = item.get("valueDisplay").or_else(|| item.get("value")) else { continue };
        if kind == "processChain" || name == "父进程关系" || name == "进程链" {
            chain = super::super::json::scalar(value);
        } else {
            part(&name, value, event);
        }
    }
    // Last, because the pids say which end of the chain is the root.
    if let Some(chain) = chain {
        event.set(Field::Chain, chain::ancestry(&chain, event.pid, event.ppid));
    }
}

fn part(name: &str, value: &Value, event: &mut Event<'_>) {
    let Some(value) = super::super::json::scalar(value) else { return };
    let name: String = name.to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    match name.as_str() {
        "进程id" | "pid" | "processid" => event.pid = super::super::json::parse_u32(&value).or(event.pid),
        "父进程id" | "ppid" | "parentprocessid" => event.ppid = super::super::json::parse_u32(&value).or(event.ppid),
        "cmd_chain" | "cmdchain" => {
            let chain = chain::ancestry(&value, event.pid, event.ppid);
            event.set(Field::Chain, chain);
        }
        name => {
            if let Some((_, field)) = LABELS.iter().find(|(label, _)| *label == name)
                && event.get(*field).is_none()
            {
                let ip = matches!(field, Field::SrcIp | Field::DstIp);
                let value = if ip { address(value) } else { value };
                event.set(*field, value.trim().to_owned());
            }
        }
    }
}

/// `ppcmdline` is the parent, `pppcmdline` its parent, and so on: a chain without pids.
fn grandparents(value: &Value, event: &mut Event<'_>) {
    let keys = ["ppppcmdline", "pppcmdline", "ppcmdline"];
    let lines: Vec<String> = keys
        .iter()
        .filter_map(|key| super::super::json::text(value, key))
        .filter(|it| !ringleader_model::event::is_null(it))
        .map(|it| format!(":::{it}"))
        .collect();
    if lines.len() > 1 && event.get(Field::Chain).is_none() {
        event.set(Field::Chain, lines.join(" &&& "));
    }
}
