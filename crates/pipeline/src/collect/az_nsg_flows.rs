//! Azure NSG flow logs as Traffic Analytics sums them up (`AzureNetworkAnalytics_CL`), CSV with a header line → events.

use std::borrow::Cow;

use ringleader_model::time::TimeDefaults;
use ringleader_model::{Activity, Event, EventClass, Field, Malformed, SensorRole, Timestamp};

use super::fields::{Fields, Header, address, host_name};
use super::{Format, Framing, Reader, Record, Sink, SourceContext};

pub struct AzNsgFlows;

impl Format for AzNsgFlows {
    fn name(&self) -> &'static str {
        "az_nsg_flows"
    }
    fn summary(&self) -> &'static str {
        "Azure network security group flows from Traffic Analytics, as CSV with a header line"
    }
    fn framing(&self) -> Framing {
        Framing::Quoted
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        Header::find(head, is_header).is_some()
    }
    fn reader(&self, context: &SourceContext, head: &[u8]) -> Box<dyn Reader> {
        Box::new(Flows { times: context.times, header: Header::find(head, is_header) })
    }
}

fn is_header(has: &dyn Fn(&str) -> bool) -> bool {
    ["FlowStartTime", "FlowDirection", "L4Protocol", "DestPort", "AllowedOutFlows"].iter().all(|it| has(it))
}

struct Flows {
    times: TimeDefaults,
    header: Option<Header>,
}

impl Reader for Flows {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let header = self.header.as_ref().ok_or(Malformed::new("no header line"))?;
        let Some(row) = header.row(record.bytes)? else { return Ok(()) };
        // Azure keeps UTC, whatever the zone of the other logs.
        let utc = TimeDefaults { utc_offset_minutes: 0, ..self.times };
        let time = row.any(&["FlowStartTime", "TimeGenerated"]).ok_or(Malformed::new("missing time"))?;
        let (time, _) = Timestamp::parse(&time, &utc).ok_or_else(|| super::plain::bad_time(&time))?;
        let mut event = Event::new(EventClass::Network, Activity::Traffic);
        event.sensor_role = SensorRole::Network;
        (event.time, event.utc_offset_minutes) = (Some(time), Some(0));
        event.host = row.field("VMName").and_then(|it| host_name(it.rsplit('/').next()?)).map(Cow::Owned);
        let inbound = row.field("FlowDirection").is_some_and(|it| it == "I");
        // Towards the internet only the machine and the other ends are written; `AllExtIPs` is the row's own end.
        let (vm, other) = (row.field("VMIPAddress"), row.field("AllExtIPs"));
        let (from, to) = if inbound { (other, vm.clone()) } else { (vm.clone(), other) };
        event.set(Field::HostIp, vm);
        event.set(Field::Direction, if inbound { "inbound" } else { "outbound" });
        event.set(Field::SrcIp, row.field("SrcIP").or(from).map(address));
        event.set(Field::DstIp, row.field("DestIP").or(to).map(address));
        event.set(Field::DstPort, row.field("DestPort").map(whole));
        event.set(Field::Protocol, row.field("L4Protocol").map(protocol));
        let sum = |names: [&str; 2]| -> u32 {
            names.iter().filter_map(|it| whole(row.field(it)?).parse::<u32>().ok()).fold(0, u32::saturating_add)
        };
        let allowed = sum(["AllowedInFlows", "AllowedOutFlows"]);
        let denied = sum(["DeniedInFlows", "DeniedOutFlows"]);
        event.set(Field::Count, allowed.saturating_add(denied));
        event.set(Field::State, if allowed == 0 && denied > 0 { "denied" } else { "allowed" });
        sink.emit(&event);
        Ok(())
    }
}

/// Notebooks write whole numbers as `443.0`.
fn whole(text: Cow<'_, str>) -> Cow<'_, str> {
    match text.strip_suffix(".0") {
        Some(number) => Cow::Owned(number.to_owned()),
        None => text,
    }
}

fn protocol(letter: Cow<'_, str>) -> Cow<'_, str> {
    match &*letter {
        "T" => "tcp".into(),
        "U" => "udp".into(),
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{read_all, samples};
    use super::*;

    #[test]
    fn the_public_sample_is_read() {
        let Some(folder) = samples() else { return };
        let Ok(input) = std::fs::read(folder.join("msticpy/az_net_flows.csv")) else { return };
        let shown = read_all(&AzNsgFlows, &input);
        assert_eq!(shown.len(), 460);
        assert!(shown.iter().all(|it| it.contains(" src_ip=") && it.contains(" dst_ip=")), "{shown:#?}");
    }
}
