//! Flows or connections as CSV or JSON with the columns that exporters usually give them → events.
//!
//! Deliberately absent: products with a format of their own; this is for what is left.

use ringleader_model::time::TimeDefaults;
use ringleader_model::{Activity, Event, EventClass, Field, Malformed, SensorRole};

use super::super::fields::address;
use super::super::{Format, Framing, Reader, Record, Sink, SourceContext};
use super::table::{Table, moment};

const TIME: &[&str] = &[
    "time",
    "timestamp",
    "ts",
    "start_time",
    "starttime",
    "start",
    "datetime",
    "first_seen",
    "flow_start",
    "date",
    "begin_time",
    "时间",
    "开始时间",
];
const SRC: &[&str] = &[
    "src_ip",
    "src",
    "source_ip",
    "sourceip",
    "saddr",
    "src_addr",
    "srcaddr",
    "srcip",
    "source",
    "client_ip",
    "source_address",
    "from",
    "源ip",
    "源地址",
];
const DST: &[&str] = &[
    "dst_ip",
    "dst",
    "dest_ip",
    "destination_ip",
    "destip",
    "daddr",
    "dst_addr",
    "dstaddr",
    "dstip",
    "dest",
    "destination",
    "server_ip",
    "destination_address",
    "to",
    "目的ip",
    "目标ip",
    "目的地址",
];
const DST_PORT: &[&str] = &[
    "dst_port",
    "dport",
    "dest_port",
    "destination_port",
    "dstport",
    "destport",
    "server_port",
    "port",
    "目的端口",
    "目标端口",
];
const SRC_PORT: &[&str] = &["src_port", "sport", "source_port", "srcport", "client_port", "源端口"];
const HOST: &[&str] = &["host", "hostname", "reporter", "agent", "computer", "instance", "主机"];
const IMAGE: &[&str] =
    &["process", "proc_path", "process_path", "image", "file_path", "process_name", "proc_name", "program"];

pub struct FlowCsv;
pub struct FlowJson;

impl Format for FlowCsv {
    fn name(&self) -> &'static str {
        "flow_csv"
    }
    fn summary(&self) -> &'static str {
        "Flows or connections as CSV: time, src_ip, dst_ip, dst_port and the usual others"
    }
    fn framing(&self) -> Framing {
        Framing::Quoted
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        Table::is_csv(head, is_flow)
    }
    fn reader(&self, context: &SourceContext, head: &[u8]) -> Box<dyn Reader> {
        Box::new(Rows { times: context.times, table: Table::csv(head) })
    }
}

impl Format for FlowJson {
    fn name(&self) -> &'static str {
        "flow_json"
    }
    fn summary(&self) -> &'static str {
        "Flows or connections as JSON with the same names as flow_csv"
    }
    fn framing(&self) -> Framing {
        Framing::Json
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        Table::is_json(head, is_flow)
    }
    fn reader(&self, context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Rows { times: context.times, table: Table::json() })
    }
}

fn is_flow(has: &dyn Fn(&[&str]) -> bool) -> bool {
    let other = &[
        "ppid",
        "cmd_line",
        "url",
        "uri",
        "event_type",
        "eventid",
        "alert",
        "signature",
        "alert_name",
        "username",
        "user",
    ];
    has(TIME) && has(SRC) && has(DST) && has(DST_PORT) && !has(other)
}

struct Rows {
    times: TimeDefaults,
    table: Table,
}

impl Reader for Rows {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let Some(cells) = self.table.cells(record.bytes)? else { return Ok(()) };
        let time = cells.get(TIME).ok_or(Malformed::new("missing time"))?;
        let (time, offset) = moment(time, &self.times)?;
        let mut event = Event::new(EventClass::Network, Activity::Traffic);
        (event.time, event.utc_offset_minutes) = (Some(time), offset);
        let host = cells.get(HOST);
        event.sensor_role = if host.is_some() { SensorRole::Host } else { SensorRole::Network };
        event.host = host.map(|it| it.to_owned().into());
        let src = cells.get(SRC).map(|it| address(it.into()));
        let dst = cells.get(DST).map(|it| address(it.into()));
        if src.is_none() || dst.is_none() {
            return Err(Malformed::new("missing source or destination address"));
        }
        // An exporter's rows carry a direction where the host's own end stands first.
        let inbound = cells
            .get(&["direction", "dir", "net_connect_dir"])
            .is_some_and(|it| it.eq_ignore_ascii_case("in") || it.eq_ignore_ascii_case("inbound"));
        event.set(Field::Direction, if inbound { Some("inbound") } else { cells.get(&["direction", "dir"]) });
        event.set(Field::SrcIp, src);
        event.set(Field::SrcPort, cells.get(SRC_PORT));
        event.set(Field::DstIp, dst);
        event.set(Field::DstPort, cells.get(DST_PORT).map(|it| it.trim_end_matches(".0")));
        event.set(Field::Protocol, cells.get(&["protocol", "proto", "l4_proto", "协议"]));
        event.set(Field::State, cells.get(&["state", "status", "conn_state", "action", "result", "状态"]));
        event.set(Field::FilePath, cells.get(IMAGE));
        event.pid = cells.get(&["pid"]).and_then(super::super::json::parse_u32);
        event.set(Field::BytesOut, cells.get(&["bytes_out", "bytes_sent", "orig_bytes", "bytes"]));
        event.set(Field::BytesIn, cells.get(&["bytes_in", "bytes_received", "resp_bytes"]));
        event.source_event_id = cells.get(&["id", "uid", "flow_id"]).map(|it| it.to_owned().into());
        sink.emit(&event);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::read_all;
    use super::*;

    #[test]
    fn flows_under_their_usual_names() {
        let csv = "time,src_ip,src_port,dst_ip,dst_port,protocol,state\n2018-09-30 01:00:00,192.168.0.3,50123,192.168.0.4,445,tcp,SYN_SENT\n2018-09-31 01:00:00,192.168.0.3,50124,192.168.0.4,445,tcp,x\n";
        assert!(FlowCsv.recognizes(csv.as_bytes()));
        let got = read_all(&FlowCsv, csv.as_bytes());
        assert!(got[0].contains("src_ip=\"192.168.0.3\"") && got[0].contains("dst_port=\"445\""), "{got:#?}");
        assert!(got[1].contains("a date or time that does not exist"), "{got:#?}");
        let json = r#"{"@timestamp":"2018-09-30T01:00:00Z","source":{"ip":"192.168.0.3","port":50123},"destination":{"ip":"192.168.0.4","port":445}}"#;
        assert!(FlowJson.recognizes(json.as_bytes()));
        assert!(read_all(&FlowJson, json.as_bytes())[0].contains("dst_ip=\"192.168.0.4\""));
    }
}
