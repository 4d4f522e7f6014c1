//! Progress on stderr: a bar with rate and time left on a terminal, plain lines elsewhere.

use std::io::IsTerminal as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use ringleader_engine::collect::Progress;

use crate::terminal::grouped;

/// Nothing is shown of work that is done sooner.
const PATIENCE: Duration = Duration::from_millis(700);
/// Plain lines come this far apart.
const LINES_APART: Duration = Duration::from_secs(10);

pub(crate) struct Bar {
    bar: Option<ProgressBar>,
    start: Instant,
    events: AtomicU64,
    bytes: AtomicU64,
    said: Mutex<Instant>,
}

impl Bar {
    pub(crate) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            let style = ProgressStyle::with_template(
                "{msg:10} {bar:32} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left  {prefix}",
            );
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar
        });
        Self {
            bar,
            start: Instant::now(),
            events: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            said: Mutex::new(Instant::now()),
        }
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Bar {
    fn expect(&self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(bytes);
        }
    }

    fn advance(&self, bytes: u64, events: u64) {
        let events = self.events.fetch_add(events, Ordering::Relaxed) + events;
        let bytes = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if self.start.elapsed() < PATIENCE {
            return;
        }
        if let Some(bar) = &self.bar {
            // Compressed inputs unpack to more than was expected.
            bar.set_length(bar.length().unwrap_or(0).max(bytes));
            bar.set_position(bytes);
            bar.set_prefix(format!("{} events", grouped(events)));
            return;
        }
        let mut said = self.said.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if said.elapsed() >= LINES_APART {
            *said = Instant::now();
            anstream::eprintln!("{} MB, {} events", grouped(bytes >> 20), grouped(events));
        }
    }

    fn stage(&self, name: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(name.to_owned());
        }
    }
}
