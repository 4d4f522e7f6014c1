//! A gang's activity → SVG bars, one for each step of time. Deliberately absent: smoothing; an empty step is empty.

use std::fmt::Write as _;

use ringleader_model::Timestamp;
use ringleader_model::findings::{GangActivity, Step};

use super::safe;
use crate::messages::{Lang, Msg};
use crate::number::{grouped, minute};

const WIDTH: i64 = 960;
const HEIGHT: i64 = 110;
const MAX_BARS: i64 = 160;
const HOUR: i64 = 3_600_000_000;

/// Bars over equal steps: `(start, events)`, and the hours of a step. Long spans get longer steps.
fn bars(activity: &GangActivity) -> Option<(Vec<(Timestamp, u64)>, i64)> {
    let step = match activity.step {
        Step::Hour => 1,
        Step::Day => 24,
    };
    let first = activity.buckets.iter().map(|it| it.start.0).min()?.div_euclid(step * HOUR);
    let last = activity.buckets.iter().map(|it| it.start.0).max()?.div_euclid(step * HOUR);
    let span = last - first + 1;
    let join = (span + MAX_BARS - 1) / MAX_BARS;
    let n = (span + join - 1) / join;
    let start = |bar: i64| Timestamp((first + bar * join).saturating_mul(step * HOUR));
    let mut out: Vec<_> = (0..n).map(|bar| (start(bar), 0u64)).collect();
    for bucket in &activity.buckets {
        let bar = (bucket.start.0.div_euclid(step * HOUR) - first) / join;
        if let Some(it) = usize::try_from(bar).ok().and_then(|bar| out.get_mut(bar)) {
            it.1 = it.1.saturating_add(bucket.events);
        }
    }
    Some((out, step * join))
}

pub(crate) fn svg(activity: &GangActivity, lang: Lang) -> Option<String> {
    let (bars, hours) = bars(activity)?;
    let n = i64::try_from(bars.len()).unwrap_or(MAX_BARS);
    let most = bars.iter().map(|it| it.1).max().unwrap_or(0).max(1);
    let per = match hours {
        1 => Msg::PerHour.text(lang).to_owned(),
        24 => Msg::PerDay.text(lang).to_owned(),
        hours => Msg::PerSteps.with(lang, &[&grouped(hours.unsigned_abs())]),
    };
    let mut out = format!(
        "<svg class=\"bars\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{per}\"><text class=\"axis\" x=\"0\" y=\"12\">{} {per}</text>\
         <line class=\"grid\" x1=\"0\" x2=\"{WIDTH}\" y1=\"18\" y2=\"18\"/><line class=\"grid\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{base}\" y2=\"{base}\"/>",
        HEIGHT + 38,
        safe(&grouped(most)),
        base = HEIGHT + 18,
    );
    let wide = (WIDTH / n).min(36);
    for (at, (start, events)) in (0i64..).zip(&bars) {
        if *events == 0 {
            continue;
        }
        let tall = i64::try_from(u128::from(*events) * 110 / u128::from(most)).unwrap_or(HEIGHT).max(2);
        write!(
            out,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{tall}\" rx=\"1\"><title>{}: {}</title></rect>",
            at * wide,
            HEIGHT + 18 - tall,
            (wide - 1).max(1),
            minute(*start),
            grouped(*events)
        )
        .expect("a String takes all");
    }
    let (first, last) = (bars.first()?.0, bars.last()?.0);
    write!(
        out,
        "<text class=\"axis\" x=\"0\" y=\"{y}\">{}</text><text class=\"axis end\" x=\"{}\" y=\"{y}\">{}</text></svg>",
        minute(first),
        (n * wide).max(300),
        minute(last),
        y = HEIGHT + 34,
    )
    .expect("a String takes all");
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringleader_model::findings::ActivityBucket;

    fn check(step: Step, starts: &[i64], expect: Option<(usize, i64)>) {
        let bucket = |it: &i64| ActivityBucket { start: Timestamp(*it), events: 2, hosts: 1 };
        let activity = GangActivity { gang_id: "g".into(), step, buckets: starts.iter().map(bucket).collect() };
        let got = bars(&activity);
        let events: u64 = got.iter().flat_map(|it| &it.0).map(|it| it.1).sum();
        assert_eq!(events, 2 * starts.len() as u64, "no event is lost");
        assert_eq!(got.map(|it| (it.0.len(), it.1)), expect);
        assert_eq!(svg(&activity, Lang::En).is_some(), expect.is_some());
    }

    #[test]
    fn gaps_stay_and_long_spans_are_joined() {
        check(Step::Hour, &[], None);
        check(Step::Hour, &[0, 3 * HOUR], Some((4, 1)));
        check(Step::Day, &[0, 24 * HOUR * 3200], Some((153, 24 * 21)));
        check(Step::Hour, &[i64::MIN, 0, i64::MAX], Some((160, 32_025_598)));
    }
}
