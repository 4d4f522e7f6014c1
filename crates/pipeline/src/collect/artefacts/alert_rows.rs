//! Alerts as CSV or JSON with the columns that consoles export → detections.
//!
//! Deliberately absent: products with a format of their own; this is for what is left.

use std::borrow::Cow;

use ringleader_model::time::TimeDefaults;
use ringleader_model::{Activity, Event, EventClass, Field, Malformed, SensorRole};

use super::super::fields::{address, bounded};
use super::super::network_role::network_role;
use super::super::{Format, Framing, Reader, Record, Sink, SourceContext};
use super::table::{Table, moment};

const TIME: &[&str] = &[
    "time",
    "timestamp",
    "ts",
    "alert_time",
    "datetime",
    "date",
    "created",
    "created_at",
    "event_time",
    "detected_at",
    "first_seen",
    "last_time",
    "occur_time",
    "时间",
    "发生时间",
    "告警时间",
    "最新发生时间",
];
const TITLE: &[&str] = &[
    "alert",
    "alert_name",
    "alert_type",
    "alert_title",
    "title",
    "rule",
    "rule_name",
    "signature",
    "event_name",
    "detection",
    "threat",
    "threat_name",
    "malware",
    "finding",
    "alarm",
    "alarm_name",
    "告警",
    "告警名称",
    "告警类型",
    "事件名称",
    "事件类型",
    "威胁名称",
];
const HOST: &[&str] = &[
    "host",
    "hostname",
    "computer",
    "device",
    "asset",
    "asset_name",
    "instance",
    "instance_name",
    "machine",
    "target",
    "endpoint",
    "host_ip",
    "ip",
    "ip_address",
    "internal_ip",
    "intranet_ip",
    "device_ip",
    "server_ip",
    "affected_host",
    "主机",
    "主机名",
    "受影响资产",
    "资产",
    "服务器ip",
    "主机ip",
    "实例",
];
const ADDRESS: &[&str] =
    &["host_ip", "ip", "ip_address", "internal_ip", "intranet_ip", "device_ip", "server_ip", "服务器ip", "主机ip"];
const PATH: &[&str] = &[
    "file_path",
    "path",
    "file",
    "process_path",
    "proc_path",
    "image",
    "filename",
    "malware_path",
    "文件路径",
    "进程路径",
    "木马路径",
    "路径",
];
const HASH: &[&str] = &["md5", "sha1", "sha256", "hash", "file_hash", "文件md5", "恶意文件md5"];
const SRC: &[&str] = &["src_ip", "source_ip", "src", "attacker", "attacker_ip", "攻击ip", "源ip"];
const DST: &[&str] = &["dst_ip", "dest_ip", "destination_ip", "dst", "目的ip"];

pub struct AlertCsv;
pub struct AlertJson;

impl Format for AlertCsv {
    fn name(&self) -> &'static str {
        "alert_csv"
    }
    fn summary(&self) -> &'static str {
        "Alerts as CSV: time, host or ip, alert or title, and the usual others"
    }
    fn framing(&self) -> Framing {
        Framing::Quoted
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        Table::is_csv(head, is_alert)
    }
    fn reader(&self, context: &SourceContext, head: &[u8]) -> Box<dyn Reader> {
        Box::new(Rows { times: context.times, table: Table::csv(head) })
    }
}

impl Format for AlertJson {
    fn name(&self) -> &'static str {
        "alert_json"
    }
    fn summary(&self) -> &'static str {
        "Alerts as JSON with the same names as alert_csv"
    }
    fn framing(&self) -> Framing {
        Framing::Json
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        Table::is_json(head, is_alert)
    }
    fn reader(&self, context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Rows { times: context.times, table: Table::json() })
    }
}

fn is_alert(has: &dyn Fn(&[&str]) -> bool) -> bool {
    let other = &["ppid", "cmd_line", "eventid", "event_type", "dport", "user_agent", "request_uri", "channel"];
    has(TITLE) && has(HOST) && (has(TIME) || has(&["severity", "level", "等级"])) && !has(other)
}

struct Rows {
    times: TimeDefaults,
    table: Table,
}

impl Reader for Rows {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let Some(cells) = self.table.cells(record.bytes)? else { return Ok(()) };
        let mut event = Event::new(EventClass::Detection, Activity::Alert);
        event.sensor_role = SensorRole::Network;
        // An alert whose date cannot be is still an alert: the record is kept without it, and the date is told.
        if let Some(text) = cells.get(TIME) {
            match moment(text, &self.times) {
                Ok((time, offset)) => (event.time, event.utc_offset_minutes) = (Some(time), offset),
                Err(why) => sink.reject_at(record.offset, record.bytes, why),
            }
        }
        let title = cells.get(TITLE).ok_or(Malformed::new("alert without a title"))?;
        event.set(Field::Rule, title);
        event.set(Field::NetworkRole, network_role(title));
        match (cells.get(HOST), cells.get(ADDRESS)) {
            (Some(host), Some(ip)) => {
                event.set(Field::HostIp, address(ip.into()));
                event.set(Field::DstHost, Some(host).filter(|it| *it != ip));
            }
            (Some(host), None) if host.parse::<std::net::IpAddr>().is_ok() => {
                event.set(Field::HostIp, address(host.into()));
            }
            (Some(host), None) => event.set(Field::DstHost, host),
            // A sensor on the wire alerts of two ends, and of no host of its own.
            _ if cells.get(SRC).is_some() && cells.get(DST).is_some() => {}
            _ => return Err(Malformed::new("alert without a host")),
        }
        event.set(Field::FilePath, cells.get(PATH));
        event.set(Field::Hash, cells.get(HASH));
        event.set(Field::CmdLine, cells.get(&["cmd_line", "cmdline", "command_line", "command", "命令行"]));
        event.set(Field::SrcIp, cells.get(SRC).map(|it| address(it.into())));
        event.set(Field::DstIp, cells.get(DST).map(|it| address(it.into())));
        event.set(Field::DstPort, cells.get(&["dst_port", "dest_port", "port"]));
        event.set(Field::Severity, cells.get(&["severity", "level", "risk", "等级", "危险等级"]));
        event.set(Field::Cve, cells.get(&["cve"]));
        let detail = cells.get(&["detail", "details", "description", "message", "desc", "详情", "描述", "事件说明"]);
        event.set(Field::Detail, detail.map(|it| Cow::Borrowed(bounded(it, 4096))));
        event.source_event_id = cells.get(&["id", "alert_id", "event_id"]).map(|it| it.to_owned().into());
        sink.emit(&event);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::read_all;
    use super::*;

    #[test]
    fn alerts_of_consoles() {
        let csv =
            "time,host_ip,alert_name,file_path\n2018-09-31 10:00:00,192.168.0.3,木马程序,C:\\Windows\\X\\svchost.exe\n";
        assert!(AlertCsv.recognizes(csv.as_bytes()));
        let got = read_all(&AlertCsv, csv.as_bytes());
        assert!(got[0].contains("does not exist") && got[1].contains("host_ip=\"192.168.0.3\""), "{got:#?}");
        let json = r#"{"timestamp":"2018-09-30T01:00:00Z","hostname":"web1","title":"Trojan","severity":"high"}"#;
        assert!(AlertJson.recognizes(json.as_bytes()));
        assert!(read_all(&AlertJson, json.as_bytes())[0].contains("dst_hostname=\"web1\""));
    }
}
