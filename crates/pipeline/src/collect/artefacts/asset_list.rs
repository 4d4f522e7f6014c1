//! A list of assets as CSV or JSON → host, addresses, role, owner, criticality.
//!
//! Deliberately absent: any meaning of a role beyond its words.

use ringleader_model::{Activity, Event, EventClass, Field, Malformed};

use super::super::{Format, Framing, Reader, Record, Sink, SourceContext};
use super::table::Table;
use super::{find_addresses, kind};

const HOST: &[&str] = &[
    "host",
    "hostname",
    "name",
    "asset",
    "asset_name",
    "instance",
    "instance_id",
    "server",
    "fqdn",
    "主机",
    "主机名",
    "资产",
    "实例",
];
const ADDRESS: &[&str] = &[
    "ip",
    "ips",
    "address",
    "addresses",
    "host_ip",
    "ip_address",
    "private_ip",
    "intranet_ip",
    "internal_ip",
    "ip地址",
    "内网ip",
    "地址",
];
const ROLE: &[&str] = &["role", "function", "purpose", "service", "usage", "用途", "角色", "业务"];
const OWNER: &[&str] = &["owner", "contact", "team", "department", "负责人", "责任人", "部门"];
const CRITICALITY: &[&str] = &["criticality", "importance", "critical", "tier", "priority", "重要性", "等级", "级别"];

pub struct AssetCsv;
pub struct AssetJson;

impl Format for AssetCsv {
    fn name(&self) -> &'static str {
        "asset_csv"
    }
    fn summary(&self) -> &'static str {
        "An asset list as CSV: host, addresses, role, owner, criticality"
    }
    fn framing(&self) -> Framing {
        Framing::Quoted
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        Table::is_csv(head, is_assets)
    }
    fn reader(&self, _context: &SourceContext, head: &[u8]) -> Box<dyn Reader> {
        Box::new(Rows { table: Table::csv(head) })
    }
}

impl Format for AssetJson {
    fn name(&self) -> &'static str {
        "asset_json"
    }
    fn summary(&self) -> &'static str {
        "An asset list as JSON with the same names as asset_csv"
    }
    fn framing(&self) -> Framing {
        Framing::Json
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        Table::is_json(head, is_assets)
    }
    fn reader(&self, _context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Rows { table: Table::json() })
    }
}

fn is_assets(has: &dyn Fn(&[&str]) -> bool) -> bool {
    let other = &["time", "timestamp", "pid", "cmd_line", "url", "src_ip", "dst_ip", "alert", "severity", "ts", "date"];
    let told = [ROLE, OWNER, CRITICALITY].iter().filter(|it| has(it)).count();
    (has(HOST) && (has(ADDRESS) || told >= 2) || has(ADDRESS)) && told >= 1 && !has(other)
}

struct Rows {
    table: Table,
}

impl Reader for Rows {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let Some(cells) = self.table.cells(record.bytes)? else { return Ok(()) };
        let addresses: Vec<String> =
            find_addresses(cells.get(ADDRESS).unwrap_or("")).iter().map(|it| it.ip.to_string()).collect();
        let host = cells.get(HOST).map(str::to_owned).or_else(|| addresses.first().cloned());
        let Some(host) = host else { return Err(Malformed::new("asset without a name or an address")) };
        let mut event = Event::new(EventClass::File, Activity::Other);
        event.put(Field::State, kind::ASSET);
        event.host = Some(host.into());
        event.set(Field::Answers, addresses.join(","));
        event.set(Field::ServiceName, cells.get(ROLE));
        event.set(Field::User, cells.get(OWNER));
        event.set(Field::Severity, cells.get(CRITICALITY));
        sink.emit(&event);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::read_all;
    use super::*;

    #[test]
    fn assets_with_their_roles() {
        let csv = "host,ip,role,owner,criticality\nfs1,\"192.168.0.9, 10.9.0.9\",file server,storage team,high\n";
        assert!(AssetCsv.recognizes(csv.as_bytes()));
        let got = read_all(&AssetCsv, csv.as_bytes());
        assert!(got[0].contains("answers=\"192.168.0.9,10.9.0.9\"") && got[0].contains("file server"), "{got:#?}");
        assert!(!AssetCsv.recognizes(b"host,value\nx,y\n"));
    }
}
