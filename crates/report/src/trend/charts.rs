//! A period's numbers → its pictures. Lengths and places are computed in whole pixels, so that they are the same everywhere.

use std::collections::BTreeMap;
use std::io;

use plotters::style::RGBColor;
use ringleader_model::trend::*;

use super::canvas::{APART, Canvas, DIM, GRID, INK, OTHER, Side, colour, draw};
use super::words::{Words, change, defanged};
use crate::number::grouped;

const WIDE: i32 = 1000;
/// Gangs that are drawn; the tables have all.
pub(super) const MAX_GANGS: usize = 14;
const ROW: i32 = 30;

/// What of the other is drawn in which colour: by name, and a number of the palette.
pub(super) type Legend = Vec<(String, RGBColor)>;

fn whole(n: u64) -> i32 {
    i32::try_from(n.min(1 << 24)).unwrap_or(i32::MAX)
}

/// A round number at or above.
fn nice(most: u64) -> u64 {
    let mut step = 1u64;
    while step < 1 << 60 {
        for times in [1, 2, 5] {
            if step * times * 4 >= most {
                return step * times * 4;
            }
        }
        step *= 10;
    }
    most
}

/// Where a day's column stands.
struct Days {
    left: i32,
    wide: i32,
    n: i32,
    from: Day,
}

impl Days {
    fn of(period: &Period, left: i32) -> Self {
        let n = whole(u64::try_from(period.to.0 - period.from.0).unwrap_or(1)).max(1);
        Self { left, wide: WIDE - left - 10, n, from: period.from }
    }
    fn edge(&self, at: i32) -> i32 {
        self.left + at * self.wide / self.n
    }
    fn place(&self, day: Day) -> i32 {
        let at = i32::try_from((day.0 - self.from.0).clamp(0, i64::from(self.n - 1))).unwrap_or(0);
        (self.edge(at) + self.edge(at + 1)) / 2
    }
    /// Labels below, as many as have room.
    fn labels(&self, canvas: &Canvas<'_>, y: i32) -> io::Result<()> {
        let every = match self.n {
            ..=10 => 1,
            11..=45 => 5,
            _ => 14,
        };
        for at in (0..self.n).step_by(every) {
            let day = Day(self.from.0 + i64::from(at)).to_string();
            let middle = (self.edge(at) + self.edge(at + 1)) / 2;
            canvas.text((middle, y), day.get(5..).unwrap_or(&day), 12.0, DIM, Side::Middle)?;
        }
        Ok(())
    }
}

fn scale(canvas: &Canvas<'_>, top: i32, base: i32, most: u64, left: i32) -> io::Result<()> {
    for n in 0..=4u64 {
        let y = base - (base - top) * whole(n) / 4;
        canvas.line((left, y), (WIDE - 10, y), GRID)?;
        canvas.text((left - 10, y), &grouped(most * n / 4), 12.0, DIM, Side::End)?;
    }
    Ok(())
}

/// Hosts a day, gang upon gang.
pub(super) fn activity(words: &Words<'_>) -> io::Result<(String, Legend)> {
    let trend = words.trend;
    let (top, base, left) = (14, 250, 52);
    let days = Days::of(&trend.period, left);
    let shown: Vec<&GangTrend> = trend.gangs.iter().filter(|it| it.now.hosts > 0).collect();
    let total = |at: usize| shown.iter().map(|it| it.days.get(at).map_or(0, |it| it.hosts)).sum::<u64>();
    let most = nice((0..usize::try_from(days.n).unwrap_or(0)).map(total).max().unwrap_or(0).max(1));
    let svg =
        draw((WIDE, base + 34), words.say("hosts a day, by gang", "每日受害主机数，按团伙"), |canvas| {
            scale(canvas, top, base, most, left)?;
            for at in 0..days.n {
                let mut below = 0u64;
                let (from, to) = (days.edge(at) + 1, (days.edge(at + 1) - 2).max(days.edge(at) + 2));
                let hosts = |it: &GangTrend| it.days.get(usize::try_from(at).unwrap_or(0)).map_or(0, |it| it.hosts);
                // Those that have no colour of their own are one.
                let (own, others) = shown.split_at(shown.len().min(APART));
                let others: u64 = others.iter().map(|it| hosts(it)).sum();
                for (n, hosts) in own.iter().map(|it| hosts(it)).chain([others]).enumerate() {
                    let y = |n: u64| base - i32::try_from(u128::from(n) * 236 / u128::from(most)).unwrap_or(0);
                    if hosts > 0 {
                        canvas.rect((from, y(below + hosts)), (to, y(below)), colour(n))?;
                    }
                    below += hosts;
                }
            }
            days.labels(canvas, base + 18)
        })?;
    let mut legend: Legend =
        shown.iter().take(APART).enumerate().map(|(n, it)| (words.gang(&it.gang_id), colour(n))).collect();
    if shown.len() > APART {
        let more = shown.len() - APART;
        legend.push((format!("{} {more}", words.say("others:", "其他：")), OTHER));
    }
    Ok((svg, legend))
}

/// A thin bar for the period before, a thick one for this.
fn pairs(words: &Words<'_>, label: &str, rows: &[(String, u64, u64, RGBColor)]) -> io::Result<String> {
    let left = 250;
    let most = rows.iter().map(|it| it.1.max(it.2)).max().unwrap_or(0).max(1);
    let compares = words.trend.compares();
    let high = whole(rows.len() as u64) * (ROW + 6) + 8;
    draw((WIDE, high), label, |canvas| {
        for (n, (name, now, before, colour)) in (0i32..).zip(rows) {
            let y = n * (ROW + 6) + 20;
            let long =
                |n: u64| i32::try_from(u128::from(n) * 560 / u128::from(most)).unwrap_or(0).max(i32::from(n > 0));
            canvas.text((left - 14, y), &super::words::cut(name, 30), 14.0, INK, Side::End)?;
            canvas.rect((left, y - 11), (left + long(*now), y + 5), *colour)?;
            if compares {
                canvas.rect((left, y + 7), (left + long(*before), y + 11), OTHER)?;
            }
            let end = left + long((*now).max(if compares { *before } else { 0 })) + 12;
            canvas.text((end, y - 2), &grouped(*now), 14.0, INK, Side::Start)?;
            let by = if compares { change(*now, *before) } else { String::new() };
            canvas.text((end + 12 + 9 * whole(grouped(*now).len() as u64), y - 2), &by, 12.0, DIM, Side::Start)?;
        }
        Ok(())
    })
}

pub(super) fn rise(words: &Words<'_>) -> io::Result<String> {
    let colours: BTreeMap<&str, RGBColor> = by_gang(words.trend);
    let shown = words.trend.gangs.iter().take(MAX_GANGS);
    let rows: Vec<_> = shown
        .map(|it| {
            let of = colours.get(&*it.gang_id).copied().unwrap_or(OTHER);
            (words.gang(&it.gang_id), it.now.hosts, it.before.hosts, of)
        })
        .collect();
    pairs(words, words.say("hosts by gang, now and before", "各团伙受害主机数，本期与上期"), &rows)
}

/// The colours of `activity`.
fn by_gang(trend: &Trend) -> BTreeMap<&str, RGBColor> {
    let active = trend.gangs.iter().filter(|it| it.now.hosts > 0).enumerate();
    active.map(|(n, it)| (&*it.gang_id, colour(n))).collect()
}

/// What is not known has no colour of its own.
fn by_method(trend: &Trend) -> BTreeMap<&str, RGBColor> {
    let known = trend.methods.iter().filter(|it| !it.method.is_empty()).enumerate();
    known.map(|(n, it)| (&*it.method, colour(n))).collect()
}

pub(super) fn methods(words: &Words<'_>) -> io::Result<String> {
    let colours = by_method(words.trend);
    let shown = words.trend.methods.iter().take(MAX_GANGS);
    let rows: Vec<_> = shown
        .map(|it| {
            let of = colours.get(&*it.method).copied().unwrap_or(OTHER);
            (words.method(&it.method), it.hosts.0, it.hosts.1, of)
        })
        .collect();
    pairs(words, words.say("hosts by method, now and before", "各入侵方式受害主机数，本期与上期"), &rows)
}

/// A lane for each gang: its days, in the colour of its way in, and what happened on them.
pub(super) fn timeline(words: &Words<'_>) -> io::Result<(String, Legend)> {
    let trend = words.trend;
    let (left, top) = (200, 14);
    let days = Days::of(&trend.period, left);
    let colours = by_method(trend);
    let lanes: Vec<&GangTrend> = trend.gangs.iter().filter(|it| it.now.hosts > 0).take(MAX_GANGS).collect();
    let most = lanes.iter().flat_map(|it| &it.days).map(|it| it.hosts).max().unwrap_or(0).max(1);
    let tall = ROW + 10;
    let base = top + whole(lanes.len() as u64) * tall;
    let svg = draw(
        (WIDE, base + 30),
        words.say("timeline: days of each gang", "时间线：各团伙逐日活动"),
        |canvas| {
            for (n, gang) in (0i32..).zip(&lanes) {
                let y = top + n * tall + tall - 8;
                canvas.line((left, y), (WIDE - 10, y), GRID)?;
                canvas.text(
                    (left - 14, y - 9),
                    &super::words::cut(&words.gang(&gang.gang_id), 24),
                    13.0,
                    INK,
                    Side::End,
                )?;
                for (at, day) in (0i32..).zip(&gang.days) {
                    if day.hosts == 0 {
                        continue;
                    }
                    // By the root, so that a quiet day beside a surge can be seen.
                    let part = (u128::from(day.hosts) * 484 / u128::from(most)).isqrt();
                    let high = i32::try_from(part).unwrap_or(22).max(4);
                    let of = colours.get(&*day.method).copied().unwrap_or(OTHER);
                    canvas.rect((days.edge(at) + 1, y - high), (days.edge(at + 1) - 1, y), of)?;
                }
                for it in trend.timeline.iter().filter(|it| it.gang_id == gang.gang_id) {
                    let x = days.place(it.day);
                    match it.kind {
                        MomentKind::NewGang => canvas.dot((x, y - 26), 4, INK)?,
                        MomentKind::NewMethod | MomentKind::FirstUse => canvas.mark((x, y - 23), 5, INK)?,
                        MomentKind::Surge | MomentKind::Back | MomentKind::SensorFirst => {
                            canvas.dot((x, y - 26), 3, DIM)?
                        }
                        _ => {}
                    }
                }
            }
            days.labels(canvas, base + 14)
        },
    )?;
    let used: Vec<&str> = lanes.iter().flat_map(|it| &it.days).map(|it| it.method.as_str()).collect();
    let mut legend: Legend = trend
        .methods
        .iter()
        .filter(|it| !it.method.is_empty() && used.contains(&it.method.as_str()))
        .take(APART)
        .map(|it| (words.method(&it.method), colours.get(&*it.method).copied().unwrap_or(OTHER)))
        .collect();
    legend.push((words.say("not known, others", "未知及其他").to_owned(), OTHER));
    Ok((svg, legend))
}

/// New ones upwards, last seen ones downwards.
pub(super) fn churn(words: &Words<'_>) -> io::Result<String> {
    let trend = words.trend;
    let (top, middle, base, left) = (14, 104, 194, 52);
    let days = Days::of(&trend.period, left);
    // On the last day everything that lives was last seen.
    let last = trend.held.map_or(trend.period.last(), |it| it.1.min(trend.period.last()));
    let gone = |(day, it): (Day, &(u64, u64))| (it.0, if day < last { it.1 } else { 0 });
    let bars: Vec<(u64, u64)> = trend.period.days().zip(&trend.churn.days).map(gone).collect();
    let most = bars.iter().map(|it| it.0.max(it.1)).max().unwrap_or(0).max(1);
    let most = nice(most);
    draw(
        (WIDE, base + 34),
        words.say("indicators: new and last seen, a day", "指标：每日新增与最后出现"),
        |canvas| {
            for (y, text) in [(top, grouped(most)), (middle, "0".to_owned()), (base, grouped(most))] {
                canvas.line((left, y), (WIDE - 10, y), GRID)?;
                canvas.text((left - 10, y), &text, 12.0, DIM, Side::End)?;
            }
            for (at, (new, gone)) in (0i32..).zip(&bars) {
                let long = |n: u64| i32::try_from(u128::from(n) * 90 / u128::from(most)).unwrap_or(0);
                let (from, to) = (days.edge(at) + 1, (days.edge(at + 1) - 2).max(days.edge(at) + 2));
                if *new > 0 {
                    canvas.rect((from, middle - long(*new)), (to, middle), colour(0))?;
                }
                if *gone > 0 {
                    canvas.rect((from, middle + 1), (to, middle + 1 + long(*gone)), colour(1))?;
                }
            }
            days.labels(canvas, base + 18)
        },
    )
}

/// From first to last sight, over both periods.
pub(super) fn lifelines(words: &Words<'_>, lines: &[Lifeline]) -> io::Result<String> {
    let period = words.trend.period;
    let (left, row) = (340, 22);
    let days = Days {
        left,
        wide: WIDE - left - 10,
        n: whole(u64::try_from(period.to.0 - period.before.0).unwrap_or(1)).max(1),
        from: period.before,
    };
    let base = 10 + whole(lines.len() as u64) * row;
    draw((WIDE, base + 30), words.say("indicators from first to last sight", "指标的首末出现时间"), |canvas| {
        let border = days.edge(i32::try_from(period.from.0 - period.before.0).unwrap_or(0));
        canvas.shade((border, 0), (WIDE - 10, base), GRID, 0.45)?;
        let kinds: Vec<&str> = {
            let mut kinds: Vec<&str> = lines.iter().map(|it| &*it.kind).collect();
            kinds.sort_unstable();
            kinds.dedup();
            kinds
        };
        for (n, it) in (0i32..).zip(lines) {
            let y = 10 + n * row + row / 2;
            let text = super::words::cut(&defanged(&it.kind, &it.value), 40);
            canvas.text((left - 14, y), &text, 11.5, INK, Side::End)?;
            let of = kinds.iter().position(|kind| *kind == it.kind).map_or(OTHER, colour);
            let edge = |day: Day, on: i64| {
                let at = (day.0 + on - period.before.0).clamp(0, i64::from(days.n));
                days.edge(i32::try_from(at).unwrap_or(0))
            };
            let (from, to) = (edge(it.first_seen, 0), edge(it.last_seen, 1));
            canvas.rect((from, y - 5), (to.max(from + 3), y + 5), of)?;
        }
        let text = period.from.to_string();
        canvas.line((border, 0), (border, base), DIM)?;
        canvas.text((border, base + 14), &text, 12.0, DIM, Side::Middle)?;
        canvas.text((left, base + 14), &period.before.to_string(), 12.0, DIM, Side::Start)?;
        canvas.text((WIDE - 10, base + 14), &period.last().to_string(), 12.0, DIM, Side::End)
    })
}
