//! `simulate`: a seed → a synthetic process log and its truth.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use ringleader_engine::collect::Progress as _;
use ringleader_engine::score::beside;
use ringleader_engine::simulate::{self, Config, Extras, Faults, Loss, Truth};

use super::Done;
use crate::args::{LossModel, SimulateArgs, WormKind};
use crate::progress::Bar;
use crate::terminal::{count, grouped};

/// Of a line, about: for the bar's end.
const LINE_BYTES: u64 = 230;

/// Of a log, where nothing else is said.
const EVENTS: u64 = 1_000_000;

pub(super) fn simulate(args: &SimulateArgs) -> Result<Done> {
    if let Some(worm) = args.incident {
        return incident(args, worm);
    }
    if let Some(days) = args.month {
        return month(args, days);
    }
    let events = args.events.unwrap_or(EVENTS);
    let config = Config {
        seed: args.seed,
        events,
        hosts: args.hosts,
        loss: Loss { permille: args.loss, short_lived: args.loss_model == LossModel::ShortLived },
        bot_permille: args.bots,
        one_off_permille: args.one_off,
        faults: Faults {
            duplicate_permille: args.duplicate,
            disorder_secs: args.disorder,
            skew_secs: args.skew,
            rate_limit: args.rate_limit,
            outage_permille: args.outage,
            small_pids_permille: args.small_pids,
        },
        extras: Extras {
            copycats: args.copycats,
            rivals: args.rivals,
            widespread: args.widespread,
            planted: args.planted,
        },
        windows_permille: args.windows,
        herrings: args.herrings,
    };
    let paths = args.truth.as_deref().map(|it| [it.to_owned(), beside(it, "incidents"), beside(it, "bots")]);
    if paths.iter().flatten().any(|it| *it == args.out) {
        bail!("{}: the truth would be written over the log", args.out.display());
    }
    let bar = Bar::new();
    bar.stage("simulate");
    bar.expect(events.saturating_mul(LINE_BYTES));
    let to: Box<dyn Write> =
        if args.out == Path::new("-") { Box::new(io::stdout().lock()) } else { Box::new(create(&args.out)?) };
    let mut out = Shown { to, bar: &bar };
    let mut tables = match &paths {
        Some(paths) => Some(paths.iter().map(|it| Ok(BufWriter::new(create(it)?))).collect::<Result<Vec<_>>>()?),
        None => None,
    };
    let truth = tables.as_mut().and_then(|tables| match &mut tables[..] {
        [events, incidents, bots] => Some(Truth { events, incidents, bots }),
        _ => None,
    });
    let counts = simulate::write(&config, &mut out, truth).context("cannot write the log")?;
    bar.finish();
    anstream::eprintln!(
        "{} of {}, {} MB; {} lost; {} of bots in {}",
        count(counts.written, "event", "events"),
        count(counts.hosts, "host", "hosts"),
        grouped(counts.bytes >> 20),
        grouped(counts.lost),
        grouped(counts.bot),
        count(counts.incidents, "incident", "incidents"),
    );
    Ok(Done::Clean)
}

/// A folder with a log for each day.
fn month(args: &SimulateArgs, days: u64) -> Result<Done> {
    use simulate::month::{Month, month};
    if args.out == Path::new("-") {
        bail!("a month is a folder of logs: it cannot go to standard output");
    }
    if args.truth.is_some() {
        bail!("of a month, the truth is truth.tsv in its folder: leave --truth out");
    }
    let hosts = args.hosts.unwrap_or(Month::default().hosts);
    let mut month_ = Month { seed: args.seed, days: days + args.lead, hosts, lead: args.lead, ..Month::default() };
    if let Some(events) = args.events {
        month_.events = (events / month_.days / hosts).max(1);
    }
    let bar = Bar::new();
    bar.stage("simulate");
    let written =
        month(&month_, &args.out).with_context(|| format!("cannot write the month to {}", args.out.display()))?;
    bar.finish();
    anstream::eprintln!(
        "{} in {}, {} MB; {}",
        count(written.counts.written, "event", "events"),
        count(written.days.len() as u64, "day", "days"),
        grouped(written.counts.bytes >> 20),
        count(written.changes.len() as u64, "change to be told", "changes to be told"),
    );
    Ok(Done::Clean)
}

/// A folder of logs, and its truth.
fn incident(args: &SimulateArgs, worm: WormKind) -> Result<Done> {
    use simulate::incident::{Config, Worm, write};
    if args.out == Path::new("-") {
        bail!("an incident is a folder of logs: it cannot go to standard output");
    }
    if args.truth.as_ref().is_some_and(|it| it.starts_with(&args.out)) {
        bail!("the truth would lie among the logs, and be read with them");
    }
    let worm = match worm {
        WormKind::Smb => Worm::Smb,
        WormKind::Ssh => Worm::Ssh,
        WormKind::Redis => Worm::Redis,
    };
    let mut config = Config::new(args.seed, args.hosts.unwrap_or(200), worm);
    config.missing_permille = args.missing;
    config.flows_per_process = args.flows;
    config.events = args.events.unwrap_or(config.events);
    if args.skew > 0 {
        config.skew_secs = args.skew;
    }
    let bar = Bar::new();
    bar.stage("simulate");
    let counts = write(&config, &args.out, args.truth.as_deref())
        .with_context(|| format!("cannot write the incident to {}", args.out.display()))?;
    bar.finish();
    anstream::eprintln!(
        "{} of {}: {} and {}; {} lost; {} taken, {} in the truth",
        count(counts.written, "record", "records"),
        count(counts.hosts, "host", "hosts"),
        count(counts.flows, "flow", "flows"),
        count(counts.processes, "process", "processes"),
        grouped(counts.lost),
        count(counts.taken, "host", "hosts"),
        count(counts.edges, "edge", "edges"),
    );
    Ok(Done::Clean)
}

fn create(path: &Path) -> Result<File> {
    File::create(path).with_context(|| format!("cannot write {}", path.display()))
}

/// Tells the bar what went through.
struct Shown<'a> {
    to: Box<dyn Write>,
    bar: &'a Bar,
}

impl Write for Shown<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.to.write(bytes)?;
        let lines = bytes[..n].iter().filter(|it| **it == b'\n').count();
        self.bar.advance(n as u64, lines as u64);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
