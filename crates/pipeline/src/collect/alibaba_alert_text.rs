//! An alert of Alibaba Cloud Security Center, copied from the console as text → one detection.
//!
//! Deliberately absent: several alerts in one text.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use ringleader_model::time::TimeDefaults;
use ringleader_model::{Activity, Event, EventClass, Field, Malformed, SensorRole, Timestamp};

use super::fields::bounded;
use super::network_role::network_role;
use super::{Format, Framing, Reader, Record, Sink, SourceContext};

pub struct AlibabaAlertText;

/// Labels that only an alert has, with the console's own wording.
const MARKS: [&str; 6] = ["URL链接", "事件说明", "解决方案", "恶意文件md5", "与该URL有关的漏洞", "User Agent"];
/// An alert is a page of text.
const MAX_LENGTH: usize = 64 << 10;

impl Format for AlibabaAlertText {
    fn name(&self) -> &'static str {
        "alibaba_alert_text"
    }
    fn summary(&self) -> &'static str {
        "An alert of Alibaba Cloud Security Center as text, copied from the console"
    }
    fn framing(&self) -> Framing {
        Framing::Whole
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        // JSON and CSV exports may hold the same words.
        if matches!(head.trim_ascii_start().first(), Some(b'{' | b'[')) || head.contains(&0) {
            return false;
        }
        let text = super::text::decode(&head[..head.len().min(MAX_LENGTH)]);
        text.lines().filter(|line| is_label(line)).count() >= 3 && title(&text).is_some()
    }
    fn reader(&self, context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Text { times: context.times })
    }
}

struct Text {
    times: TimeDefaults,
}

impl Reader for Text {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        if record.bytes.len() > MAX_LENGTH {
            return Err(Malformed::new("alert text longer than the limit of 64 KiB"));
        }
        let text = super::text::decode(record.bytes);
        let title = title(&text).ok_or(Malformed::new("alert text without a title"))?;
        let mut event = Event::new(EventClass::Detection, Activity::Alert);
        // The alert's own time stands above its labels; the text may go on with other things.
        let end: usize = text.split_inclusive('\n').take_while(|line| !is_label(line)).map(str::len).sum();
        let above = &text[..end];
        let time = most_precise(above).or_else(|| most_precise(&text)).ok_or(Malformed::new("missing time"))?;
        let (time, offset) = Timestamp::parse(time, &self.times).ok_or_else(|| super::plain::bad_time(time))?;
        (event.time, event.utc_offset_minutes) = (Some(time), offset);
        event.set(Field::Rule, title);
        for line in text.lines() {
            let Some((label, value)) = line.split_once([':', '：']) else { continue };
            let value = value.trim().trim_start_matches('<').trim_end_matches('>');
            let label: String = label.to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
            if label == "事件说明" {
                event.set(Field::Detail, bounded(value, 4096));
            } else if label == "受影响资产" || label == "服务器ip" || label == "实例ip" {
                event.set(Field::HostIp, value);
            } else if let Some((_, field)) = super::alibaba_sas::LABELS.iter().find(|(it, _)| *it == label)
                && event.get(*field).is_none()
            {
                event.set(*field, Cow::Borrowed(value));
            }
        }
        event.set(Field::NetworkRole, network_role(title));
        // It names no host that a log would know: it is joined by what it says, as a network sensor's alert is.
        event.sensor_role = SensorRole::Network;
        sink.emit(&event);
        Ok(())
    }
}

fn is_label(line: &str) -> bool {
    let line = line.trim_start();
    MARKS.iter().any(|mark| line.starts_with(mark))
}

/// `<type>-<subtype>` on a line of its own, above the labels, with or without the alert's state behind it.
fn title(text: &str) -> Option<&str> {
    text.lines()
        .map(|line| line.trim().trim_start_matches(['#', '*', ' ']))
        .take_while(|line| !is_label(line))
        .filter(|line| line.contains('-') && !line.contains([':', '：', '|']) && line.chars().count() <= 120)
        .filter(|line| line.chars().next().is_some_and(|c| !c.is_ascii()))
        .last()
        .map(|line| {
            const STATES: [&str; 6] = ["待处理", "已处理", "处理中", "已忽略", "已过期", "已加白"];
            STATES.iter().fold(line, |line, state| line.strip_suffix(state).unwrap_or(line)).trim()
        })
}

/// Consoles write the day first and the moment below it: the longest date-time, the first of equals.
fn most_precise(text: &str) -> Option<&str> {
    static DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"\d{4}[-/]\d{2}[-/]\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})?)?").ok()
    });
    let found = DATE.as_ref()?.find_iter(text).map(|it| it.as_str());
    found.fold(None, |best, it| if best.is_none_or(|best: &str| it.len() > best.len()) { Some(it) } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_precise_time_wins() {
        assert_eq!(most_precise("2019-11-05\n2019-11-05 08:03:33\n2019-11-06 09:00:00"), Some("2019-11-05 08:03:33"));
        assert_eq!(most_precise("no date"), None);
    }

    #[test]
    fn a_text_about_alerts_is_no_alert() {
        assert!(!AlibabaAlertText.recognizes("我们讨论了 URL链接 和 事件说明 以及 解决方案".as_bytes()));
        assert!(!AlibabaAlertText.recognizes(b"\xff\xfe\0\0"));
    }
}
