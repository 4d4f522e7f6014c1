//! → addresses that may be blocked, as nftables and ipset load them. Deliberately absent: names and URLs, which no packet filter knows.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::IpAddr;

use ringleader_model::IndicatorKind;

use super::Export;
use super::shared::Shared;

/// Address → whose it is, the heaviest gang's id: letters and digits alone.
fn addresses(shared: &Shared) -> [BTreeMap<IpAddr, String>; 2] {
    let mut out = [BTreeMap::new(), BTreeMap::new()];
    for (gang, it) in shared.blockable().filter(|it| it.1.kind == IndicatorKind::Ip) {
        if let Ok(ip) = it.value.parse::<IpAddr>() {
            out[usize::from(ip.is_ipv6())].entry(ip).or_insert_with(|| gang.short());
        }
    }
    out
}

pub(super) struct NfTables;

impl Export for NfTables {
    fn name(&self) -> &'static str {
        "nftables"
    }
    fn file(&self) -> &'static str {
        "blocklist.nft"
    }
    fn summary(&self) -> &'static str {
        "an nftables table that rejects what the fleet sends to the gangs' addresses"
    }
    fn write(&self, shared: &Shared, out: &mut (dyn Write + Send)) -> io::Result<()> {
        for line in shared.head() {
            writeln!(out, "# {line}")?;
        }
        writeln!(
            out,
            "# nft -c -f {0} checks it, nft -f {0} loads it, `nft delete table inet ringleader` undoes it.",
            self.file()
        )?;
        let [four, six] = addresses(shared);
        writeln!(out, "table inet ringleader {{")?;
        for (name, kind, addresses) in [("gangs4", "ipv4_addr", &four), ("gangs6", "ipv6_addr", &six)] {
            writeln!(out, "\tset {name} {{\n\t\ttype {kind}")?;
            if !addresses.is_empty() {
                writeln!(out, "\t\telements = {{")?;
                for (ip, gang) in addresses {
                    writeln!(out, "\t\t\t{ip} comment \"{gang}\",")?;
                }
                writeln!(out, "\t\t}}")?;
            }
            writeln!(out, "\t}}")?;
        }
        for hook in ["output", "forward"] {
            writeln!(out, "\tchain {hook} {{\n\t\ttype filter hook {hook} priority 0; policy accept;")?;
            writeln!(out, "\t\tip daddr @gangs4 counter reject\n\t\tip6 daddr @gangs6 counter reject\n\t}}")?;
        }
        writeln!(out, "}}")
    }
}

pub(super) struct IpSet;

impl Export for IpSet {
    fn name(&self) -> &'static str {
        "ipset"
    }
    fn file(&self) -> &'static str {
        "blocklist.ipset"
    }
    fn summary(&self) -> &'static str {
        "two sets of the gangs' addresses, for `ipset restore`"
    }
    fn write(&self, shared: &Shared, out: &mut (dyn Write + Send)) -> io::Result<()> {
        for line in shared.head() {
            writeln!(out, "# {line}")?;
        }
        let all = addresses(shared);
        for (name, family, addresses) in [("ringleader4", "inet", &all[0]), ("ringleader6", "inet6", &all[1])] {
            let most = addresses.len().max(1).next_power_of_two().max(65_536);
            writeln!(out, "create {name} hash:ip family {family} maxelem {most} comment")?;
            for (ip, gang) in addresses {
                writeln!(out, "add {name} {ip} comment \"{gang}\"")?;
            }
        }
        Ok(())
    }
}
