//! Spread → `timeline.svg`: the incident in time. A lane for each host that was taken, attacked or alerted; red from when it
//! was taken; arrows for who took and attacked whom; ticks for its scans. Deliberately absent: what has no time, and any
//! judgement.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use ringleader_model::Timestamp;
use ringleader_model::findings::{EdgeClass, Findings, Spread, Text, Verdict};

use super::fan::order;
use crate::mask::mask;
use crate::{Options, Report, escape};

/// Lanes that are drawn: the taken in time order first.
const LANES: usize = 60;
/// Ticks and arrows that are drawn.
const MARKS: usize = 4000;

const LEFT: i64 = 210;
const TRACK: i64 = 900;
const RIGHT: i64 = 40;
const TOP: i64 = 78;
const LANE: i64 = 34;
/// Letters of a host's name.
const LETTERS: usize = 26;

pub(crate) struct TimelineSvg;

impl Report for TimelineSvg {
    fn file(&self) -> &'static str {
        "timeline.svg"
    }
    fn summary(&self) -> &'static str {
        "the same incident in time, as a picture"
    }
    fn applies(&self, findings: &Findings) -> bool {
        findings.spread.is_some()
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let Some(spread) = &findings.spread else { return Ok(()) };
        out.write_all(draw(spread).as_bytes())
    }
}

/// From the first moment to the last.
struct Axis {
    start: i64,
    span: i64,
}

impl Axis {
    fn of(times: impl Iterator<Item = Timestamp>) -> Option<Self> {
        let (mut start, mut end) = (i64::MAX, i64::MIN);
        for time in times {
            (start, end) = (start.min(time.0), end.max(time.0));
        }
        // A little room on both sides.
        let span = end.saturating_sub(start).max(1_000_000);
        (start <= end).then(|| Self { start: start.saturating_sub(span / 40), span: span.saturating_add(span / 20) })
    }

    fn x(&self, time: Timestamp) -> i64 {
        let at = i128::from(time.0.saturating_sub(self.start)) * i128::from(TRACK) / i128::from(self.span);
        LEFT + i64::try_from(at).unwrap_or(0).clamp(0, TRACK)
    }
}

pub(super) fn draw(spread: &Spread) -> String {
    let lanes = lanes(spread);
    let shown = &lanes[..lanes.len().min(LANES)];
    let rows: BTreeMap<&Text, i64> =
        shown.iter().zip(0i64..).map(|(it, at)| (&it.host, TOP + at * LANE + LANE / 2)).collect();
    let in_lanes =
        |it: &&ringleader_model::findings::SpreadEdge| rows.contains_key(&it.from) || rows.contains_key(&it.to);
    let edges: Vec<_> = spread.edges.iter().filter(in_lanes).filter(|it| it.first_seen.is_some()).collect();
    let alerts: Vec<_> =
        spread.timeline.iter().filter(|it| &*it.description == "Alert" && rows.contains_key(&it.host)).collect();
    let times = shown.iter().filter_map(|it| it.first_seen);
    let times = times.chain(edges.iter().filter_map(|it| it.first_seen)).chain(alerts.iter().map(|it| it.time));
    let axis = Axis::of(times);
    let (width, bottom) = (LEFT + TRACK + RIGHT, TOP + shown.len() as i64 * LANE);
    let height = bottom + 46;
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"the incident in time\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n<defs>",
    );
    // Two pictures may stand on one page: their marks have names of their own.
    for (name, colour) in [("tt", "#c62828"), ("ta", "#8b4513")] {
        let _ = write!(
            out,
            "<marker id=\"{name}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerUnits=\"userSpaceOnUse\" markerWidth=\"9\" markerHeight=\"9\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"{colour}\"/></marker>"
        );
    }
    out.push_str("</defs>\n");
    let undated = spread.edges.iter().filter(|it| it.first_seen.is_none()).count();
    let left_out = edges.len().saturating_sub(MARKS) + alerts.len().saturating_sub(MARKS);
    legend(lanes.len() - shown.len(), undated, left_out, &mut out);
    let Some(axis) = axis else {
        let _ =
            writeln!(out, "<text x=\"{LEFT}\" y=\"{}\" fill=\"#5b6472\">nothing of it has a time</text>\n</svg>", TOP);
        return out;
    };
    grid(&axis, bottom, &mut out);
    for host in shown {
        lane(host, rows[&host.host], &axis, &mut out);
    }
    // Scans below, who took whom on top.
    let class = |it: EdgeClass| match it {
        EdgeClass::Scanned => 0,
        EdgeClass::AttackedFailed | EdgeClass::AttackedUnknown => 1,
        EdgeClass::Compromised => 2,
    };
    let mut drawn: Vec<_> = edges.into_iter().take(MARKS).collect();
    drawn.sort_by_key(|it| class(it.class));
    for edge in drawn {
        mark(edge, &rows, &axis, &mut out);
    }
    for it in alerts.iter().take(MARKS) {
        let (x, y) = (axis.x(it.time), rows[&it.host]);
        let _ = writeln!(
            out,
            "<path d=\"M{} {}l6 -10l6 10z\" fill=\"#f2b705\" stroke=\"#8a6d00\"><title>{}</title></path>",
            x - 6,
            y - 5,
            safe(&format!("{} {}", it.time, it.message))
        );
    }
    out.push_str("</svg>\n");
    out
}

/// Who was taken, by when; then who was attacked, and who was only alerted.
fn lanes(spread: &Spread) -> Vec<&ringleader_model::findings::SpreadHost> {
    let rank = |it: Verdict| match it {
        Verdict::Compromised => Some(0),
        Verdict::Attacked => Some(1),
        Verdict::AlertedOnly => Some(2),
        _ => None,
    };
    let mut lanes: Vec<_> = spread.hosts.iter().filter(|it| rank(it.verdict).is_some()).collect();
    lanes.sort_by(|a, b| {
        let key =
            |it: &ringleader_model::findings::SpreadHost| (rank(it.verdict), it.first_seen.is_none(), it.first_seen);
        key(a).cmp(&key(b)).then_with(|| order(&a.host).cmp(&order(&b.host)))
    });
    lanes
}

fn legend(hidden: usize, undated: usize, left_out: usize, out: &mut String) {
    let mut x = 24;
    for (colour, dash, text) in
        [("#c62828", "", "taken, and by whom"), ("#8b4513", "2 4", "attacked"), ("#333333", "", "scans of others")]
    {
        let _ = writeln!(
            out,
            "<line x1=\"{x}\" y1=\"24\" x2=\"{}\" y2=\"24\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dash}\"/><text x=\"{}\" y=\"28\" fill=\"#333\">{text}</text>",
            x + 34,
            x + 42
        );
        x += 200;
    }
    let _ = writeln!(
        out,
        "<path d=\"M{x} 29l6 -10l6 10z\" fill=\"#f2b705\" stroke=\"#8a6d00\"/><text x=\"{}\" y=\"28\" fill=\"#333\">alert</text>",
        x + 20
    );
    let mut words = String::new();
    for (n, what) in [(hidden, "hosts"), (undated, "edges without a time"), (left_out, "marks")] {
        if n > 0 {
            let _ = write!(words, "{}{n} {what} are not drawn", if words.is_empty() { "" } else { "; " });
        }
    }
    let _ = writeln!(out, "<text x=\"24\" y=\"50\" fill=\"#5b6472\">{words}</text>");
}

/// Upright lines at round times, as many as can be read.
fn grid(axis: &Axis, bottom: i64, out: &mut String) {
    const STEPS: [i64; 17] =
        [1, 5, 15, 30, 60, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400, 604_800, 2_592_000, 31_536_000];
    let seconds = axis.span / 1_000_000;
    let longest = STEPS[STEPS.len() - 1];
    let step = STEPS.into_iter().find(|it| seconds / it <= 8).unwrap_or_else(|| longest.max(seconds / 8)) * 1_000_000;
    let mut day = String::new();
    let mut time = axis.start.div_euclid(step).saturating_mul(step);
    for _ in 0..12 {
        if time >= axis.start {
            let at = Timestamp(time);
            let (x, text) = (axis.x(at), at.to_string());
            let (date, clock) = text.split_once('T').unwrap_or((&text, ""));
            let clock = clock.get(..if step < 60_000_000 { 8 } else { 5 }).unwrap_or(clock);
            let label = if date == day { clock.to_owned() } else { format!("{date} {clock}") };
            date.clone_into(&mut day);
            let _ = writeln!(
                out,
                "<line x1=\"{x}\" y1=\"{}\" x2=\"{x}\" y2=\"{bottom}\" stroke=\"#e3e7ee\"/><text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" font-size=\"11\" fill=\"#5b6472\">{}</text>",
                TOP - 6,
                bottom + 18,
                escape::html(&label)
            );
        }
        time = time.saturating_add(step);
        if time > axis.start.saturating_add(axis.span) {
            break;
        }
    }
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" font-size=\"11\" fill=\"#5b6472\">UTC</text>",
        LEFT + TRACK + RIGHT - 4,
        bottom + 36
    );
}

fn lane(host: &ringleader_model::findings::SpreadHost, y: i64, axis: &Axis, out: &mut String) {
    let end = LEFT + TRACK;
    let (colour, tag) = match host.verdict {
        Verdict::Compromised if host.missed_by_alerts => ("#c62828", " (no alert)"),
        Verdict::Compromised => ("#c62828", ""),
        Verdict::Attacked => ("#8b4513", ""),
        _ => ("#8a6d00", ""),
    };
    let name: String = host.host.chars().take(LETTERS).collect();
    let name = if name.len() < host.host.len() { format!("{name}…") } else { name };
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"{colour}\">{}<tspan font-size=\"10\">{tag}</tspan></text><line x1=\"{LEFT}\" y1=\"{y}\" x2=\"{end}\" y2=\"{y}\" stroke=\"#d9dee6\"/>",
        LEFT - 12,
        y + 4,
        safe(&name)
    );
    if host.verdict == Verdict::Compromised
        && let Some(time) = host.first_seen
    {
        let x = axis.x(time);
        let _ = writeln!(
            out,
            "<line x1=\"{x}\" y1=\"{y}\" x2=\"{end}\" y2=\"{y}\" stroke=\"#c62828\" stroke-width=\"4\" stroke-opacity=\".45\"/><circle cx=\"{x}\" cy=\"{y}\" r=\"5\" fill=\"#c62828\"><title>{}</title></circle>",
            safe(&format!("{} taken, first seen {time}", host.host))
        );
    }
}

/// An arrow between two lanes; a tick where only one end has a lane.
fn mark(edge: &ringleader_model::findings::SpreadEdge, rows: &BTreeMap<&Text, i64>, axis: &Axis, out: &mut String) {
    let Some(time) = edge.first_seen else { return };
    let x = axis.x(time);
    let by = edge.method.as_ref().map_or_else(String::new, |it| format!(" by {it}"));
    let title = safe(&format!("{time} {} → {}: {}{by}", edge.from, edge.to, edge.class.name()));
    match (rows.get(&edge.from), rows.get(&edge.to), edge.class) {
        (Some(from), Some(to), class) if class != EdgeClass::Scanned && from != to => {
            let (colour, dash, wide, head) = if class == EdgeClass::Compromised {
                ("#c62828", "", "2.2", "tt")
            } else {
                ("#8b4513", "2 4", "1.6", "ta")
            };
            // Stops short of the dot.
            let short = if to > from { to - 6 } else { to + 6 };
            let _ = writeln!(
                out,
                "<path d=\"M{x} {from}L{x} {short}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{wide}\" stroke-dasharray=\"{dash}\" marker-end=\"url(#{head})\"><title>{title}</title></path>"
            );
        }
        // From outside: down onto the lane.
        (None, Some(to), EdgeClass::Compromised) => {
            let _ = writeln!(
                out,
                "<path d=\"M{x} {}L{x} {}\" fill=\"none\" stroke=\"#c62828\" stroke-width=\"2.2\" marker-end=\"url(#tt)\"><title>{title}</title></path>",
                TOP - 16,
                to - 6
            );
        }
        (Some(y), _, _) | (_, Some(y), _) => {
            let _ = writeln!(
                out,
                "<line x1=\"{x}\" y1=\"{}\" x2=\"{x}\" y2=\"{}\" stroke=\"#333333\" stroke-opacity=\".55\"><title>{title}</title></line>",
                y + 3,
                y + 11
            );
        }
        (None, None, _) => {}
    }
}

fn safe(text: &str) -> String {
    escape::html(&mask(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(n: usize) -> Spread {
        let host = |at: usize| {
            serde_json::json!({
                "host": format!("h{at}<script>"), "addresses": [], "verdict": "compromised", "confidence": 0.99,
                "alerted": false, "missed_by_alerts": at == 1, "first_seen": null, "method": null, "evidence_ids": [],
            })
        };
        let edge = |at: usize| {
            serde_json::json!({
                "from": format!("h{}<script>", at), "to": format!("h{}<script>", at + 1), "class": "compromised",
                "observations": [], "first_seen": null, "method": "ssh_password_guess", "confidence": 0.9, "evidence_ids": [],
            })
        };
        let all = serde_json::json!({
            "hosts": (0..n).map(host).collect::<Vec<_>>(), "edges": (0..n - 1).map(edge).collect::<Vec<_>>(),
            "patient_zero": [], "discrepancies": [],
        });
        let mut spread: Spread = serde_json::from_value(all).unwrap();
        for (at, host) in (0i64..).zip(&mut spread.hosts) {
            host.first_seen = Some(Timestamp::from_secs(1_538_270_000 + at * 600));
        }
        for (at, edge) in (1i64..).zip(&mut spread.edges) {
            edge.first_seen = Some(Timestamp::from_secs(1_538_270_000 + at * 600));
        }
        spread
    }

    #[test]
    fn lanes_in_time_order_and_nothing_of_a_log_acts() {
        let picture = draw(&spread(3));
        assert!(!picture.contains("<script>"));
        assert_eq!(picture.matches("marker-end").count(), 2);
        assert_eq!(picture.matches("(no alert)").count(), 1);
        let at = |name: &str| picture.find(name).unwrap();
        assert!(at("h0&lt;") < at("h1&lt;") && at("h1&lt;") < at("h2&lt;"));
    }

    #[test]
    fn many_hosts_are_told_and_no_time_breaks_it() {
        let mut many = spread(500);
        assert!(draw(&many).contains("440 hosts are not drawn"));
        many.hosts[0].first_seen = Some(Timestamp(i64::MIN));
        many.hosts[1].first_seen = Some(Timestamp(i64::MAX));
        assert!(draw(&many).ends_with("</svg>\n"));
        for host in &mut many.hosts {
            host.first_seen = None;
        }
        many.edges.clear();
        assert!(draw(&many).contains("nothing of it has a time"));
    }
}
