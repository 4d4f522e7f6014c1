//! `export`: a findings folder → files for other tools, at a level of sharing.

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, bail};
use ringleader_model::findings::Strength;
use ringleader_report::export::{Choice, EXPORTS, Export, Shared, Tlp, by_name, place};
use serde_json::json;

use super::Done;
use crate::args::ExportArgs;
use crate::terminal::safe;

pub(super) fn export(args: &ExportArgs) -> Result<Done> {
    if args.list {
        return list(args.json);
    }
    let exports = chosen(&args.formats)?;
    let choice = Choice {
        tlp: Tlp::from_name(&args.tlp).context("no such level")?,
        gangs: args.gang.clone(),
        min_strength: Strength::from_name(&args.min_strength).context("no such strength")?,
    };
    let to_stdout = args.to == Path::new("-");
    if to_stdout && exports.len() != 1 {
        bail!("standard output takes one format, not {}: give a folder with --to", exports.len());
    }
    let shared = Shared::load(&args.out, &choice).with_context(|| format!("cannot export {}", args.out.display()))?;
    if shared.gangs() == 0 && !args.gang.is_empty() {
        bail!("no gang in {} is called {}", args.out.display(), args.gang.join(" or "));
    }
    if to_stdout {
        // Not its lock, which no other thread may have.
        let mut out = std::io::BufWriter::with_capacity(1 << 16, std::io::stdout());
        exports[0].write(&shared, &mut out)?;
        out.flush()?;
    } else {
        write_all(&exports, &shared, &args.to)?;
    }
    tell(&shared, &exports, args, to_stdout);
    Ok(Done::Clean)
}

/// Each format by itself, as many at a time as there are cores: what is shared is only read.
fn write_all(exports: &[&dyn Export], shared: &Shared, to: &Path) -> Result<()> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(exports.len());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(it) = exports.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push(place(*it, shared, to).map(drop));
        }
        done
    };
    let done: Vec<std::io::Result<()>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for it in workers {
            match it.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    Ok(done.into_iter().collect::<std::io::Result<()>>()?)
}

/// On the terminal's other stream: what was written may be piped on.
fn tell(shared: &Shared, exports: &[&dyn Export], args: &ExportArgs, to_stdout: bool) {
    let files: Vec<&str> = exports.iter().map(|it| it.file()).collect();
    let place = if to_stdout { String::new() } else { format!(" in {}: {}", args.to.display(), files.join(", ")) };
    let level = Tlp::from_name(&args.tlp).unwrap_or_default().label();
    anstream::eprintln!(
        "{}",
        safe(&format!("{level}, {} gangs, {} indicators{place}", shared.gangs(), shared.indicators()))
    );
    let left_out = shared.left_out();
    if left_out.of_victims + left_out.hidden > 0 {
        anstream::eprintln!(
            "left out: {} indicators that tell of your hosts; hidden: your names in {} texts",
            left_out.of_victims,
            left_out.hidden
        );
    }
}

fn chosen(names: &[String]) -> Result<Vec<&'static dyn Export>> {
    if names.iter().any(|it| it == "all") {
        return Ok(EXPORTS.to_vec());
    }
    let mut out: Vec<&dyn Export> = Vec::new();
    for name in names {
        let Some(it) = by_name(name) else {
            let known: Vec<&str> = EXPORTS.iter().map(|it| it.name()).collect();
            bail!("no export is called `{name}`: there are {}", known.join(", "));
        };
        if !out.iter().any(|there| there.name() == it.name()) {
            out.push(it);
        }
    }
    Ok(out)
}

fn list(as_json: bool) -> Result<Done> {
    let mut out = std::io::stdout().lock();
    if as_json {
        let all: Vec<_> =
            EXPORTS.iter().map(|it| json!({ "name": it.name(), "file": it.file(), "summary": it.summary() })).collect();
        serde_json::to_writer_pretty(&mut out, &all)?;
        writeln!(out)?;
    } else {
        for it in EXPORTS {
            writeln!(out, "{:14} {:22} {}", it.name(), it.file(), it.summary())?;
        }
    }
    Ok(Done::Clean)
}
