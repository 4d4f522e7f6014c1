//! One port, many addresses.

use std::collections::{BTreeMap, BTreeSet};

use super::command::{Command, base_name};
use super::tree::Scene;
use super::{Pattern, Severity};

/// One process connects to the same service of many hosts.
///
/// # Looks for
/// Thirty different addresses on one port that worms look for (telnet, SMB, databases, Docker, Redis, ADB …).
/// # Why it matters
/// This host looks for the next one.
/// # Stays quiet on
/// Web ports, and SSH, which has its own pattern; monitoring and automation by name.
/// # Evidence
/// The connecting node.
/// # Source
/// ATT&CK T1046.
pub(super) struct SweepsHosts;

const PORTS: &[&str] = &[
    "23", "2323", "445", "139", "1433", "2375", "2376", "3306", "3389", "4243", "5432", "5555", "5900", "5984", "6379",
    "7001", "7547", "8088", "8291", "9200", "10250", "11211", "27017", "37215", "52869",
];
const WATCHERS: &[&str] =
    &["prometheus", "nagios", "zabbix_server", "blackbox_exporter", "telegraf", "datadog-agent", "nessusd", "openvas"];
const ADDRESSES: usize = 30;

impl Pattern for SweepsHosts {
    fn id(&self) -> &'static str {
        "sweeps_hosts"
    }
    fn title(&self) -> &'static str {
        "Connects to one service of many hosts"
    }
    fn technique(&self) -> &'static str {
        "T1046"
    }
    fn severity(&self) -> Severity {
        Severity::Medium
    }
    /// Only connections show it.
    fn signs(&self, _: &[Command<'_>]) -> u64 {
        0
    }
    fn find(&self, scene: &Scene<'_, '_>) -> Vec<Vec<usize>> {
        let mut out = Vec::new();
        for (index, node) in scene.tree.nodes.iter().enumerate().filter(|(_, node)| node.connects.len() >= ADDRESSES) {
            if WATCHERS.contains(&base_name(node.file_path.unwrap_or_default())) {
                continue;
            }
            let mut by_port: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
            for (address, port) in node.connects.iter().filter_map(|to| to.rsplit_once(':')) {
                if PORTS.contains(&port) {
                    by_port.entry(port).or_default().insert(address);
                }
            }
            if by_port.values().any(|addresses| addresses.len() >= ADDRESSES) {
                out.push(vec![index]);
            }
        }
        out
    }
}
