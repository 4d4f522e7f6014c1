//! `simulate`: a seed → a synthetic process log and its truth.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use ringleader_engine::collect::Progress as _;
use ringleader_engine::score::beside;
use ringleader_engine::simulate::{self, Config, Extras, Faults, Loss, Truth};

use super::Done;
use crate::args::{LossModel, SimulateArgs};
use crate::progress::Bar;
use crate::terminal::{count, grouped};

/// Of a line, about: for the bar's end.
const LINE_BYTES: u64 = 230;

pub(super) fn simulate(args: &SimulateArgs) -> Result<Done> {
    let config = Config {
        seed: args.seed,
        events: args.events,
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
    bar.expect(args.events.saturating_mul(LINE_BYTES));
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
