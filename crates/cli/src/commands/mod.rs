//! One file a command.

mod demo;
mod doctor;
mod explain;
mod export;
mod extract;
mod hunt;
mod identify;
mod lake;
mod ledger;
mod list;
mod methods;
mod run;
mod score;
mod simulate;
mod spread;

use anyhow::{Context as _, Result, bail};
use clap::CommandFactory as _;
use ringleader_engine::collect::CollectConfig;
use ringleader_engine::sources::Input;
use ringleader_model::time::{TimeDefaults, Timestamp};

use crate::args::{Args, Command, ReadArgs, ResourceArgs};

/// How a command ended.
pub(crate) enum Done {
    Clean,
    /// Something was found, and the user asked to be told by the exit code.
    Found,
}

pub(crate) fn dispatch(args: Args) -> Result<Done> {
    match args.command {
        Command::Demo { out, lang } => demo::demo(&out, lang),
        Command::Run(args) => run::run(&args),
        Command::Explain { id, out, json } => explain::explain(&id, &out, json),
        Command::Export(args) => export::export(&args),
        Command::Doctor { read, json } => doctor::doctor(&read, json),
        Command::Extract { file } => extract::extract(file.as_deref()),
        Command::Identify { file, methods } => identify::identify(file.as_deref(), methods.as_deref()),
        Command::Ingest { read, lake } => lake::ingest(&read, &lake),
        Command::Analyze { lake, since, until, output, record, resources } => {
            lake::analyze(&lake, since.as_deref(), until.as_deref(), &output, &record, &resources)
        }
        Command::Hunt(args) => hunt::hunt(&args),
        Command::Gang(command) => ledger::gang(&command),
        Command::Allow(command) => ledger::allow(&command),
        Command::Case(command) => ledger::case(&command),
        Command::Notify(command) => ledger::notify(&command),
        Command::Report(args) => ledger::report(&args),
        Command::Ledger(command) => ledger::admin(&command),
        Command::Spread(args) => spread::spread(&args),
        Command::Simulate(args) => simulate::simulate(&args),
        Command::Score { truth, findings, log, incident, json } => {
            score::score(&truth, &findings, log.as_deref(), incident, json)
        }
        Command::Methods(command) => methods::methods(&command),
        Command::List { what, rules, methods, json } => list::list(what, rules.as_deref(), methods.as_deref(), json),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Args::command(), "ringleader", &mut std::io::stdout());
            Ok(Done::Clean)
        }
        Command::Man => {
            clap_mangen::Man::new(Args::command()).render(&mut std::io::stdout())?;
            Ok(Done::Clean)
        }
    }
}

/// The inputs as given; one that is not there is told before anything is read.
fn inputs(args: &ReadArgs) -> Result<Vec<Input>> {
    let inputs: Vec<Input> = args.inputs.iter().map(|it| Input::parse(it)).collect();
    for input in &inputs {
        if let Input::Path(path) = input
            && !path.exists()
        {
            if path.to_string_lossy().contains("://") {
                bail!("{}: object stores are not opened: copy or mount it first", path.display());
            }
            bail!("{}: no such file or folder", path.display());
        }
    }
    if inputs.iter().filter(|it| **it == Input::Stdin).count() > 1 {
        bail!("standard input (-) can be read only once");
    }
    Ok(inputs)
}

fn collect_config(args: &ReadArgs) -> Result<CollectConfig> {
    if let Some(name) = &args.format
        && ringleader_pipeline::collect::by_name(name).is_none()
    {
        bail!("no format is called `{name}`: `ringleader list formats` names them all");
    }
    let year = match args.year {
        Some(year) => year,
        None => this_year(),
    };
    let (threads, memory) = resources(&args.resources)?;
    Ok(CollectConfig {
        threads,
        memory,
        format: args.format.clone(),
        host: args.host.clone(),
        tenant: args.tenant.clone(),
        times: TimeDefaults { utc_offset_minutes: zone(&args.timezone)?, year },
    })
}

fn resources(args: &ResourceArgs) -> Result<(usize, usize)> {
    let threads = match args.threads {
        Some(0) => bail!("--threads must be at least 1"),
        Some(n) => n,
        None => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
    };
    let memory = match &args.memory {
        Some(text) => size(text).with_context(|| format!("--memory {text}: write a size such as 512M or 4G"))?,
        None => machine_memory().map_or(1 << 30, |it| it / 4),
    };
    if memory < 16 << 20 {
        bail!("--memory must be at least 16M");
    }
    Ok((threads, memory))
}

fn size(text: &str) -> Option<usize> {
    let digits = text.trim_end_matches(|it: char| !it.is_ascii_digit());
    let unit = match text[digits.len()..].trim_end_matches(['B', 'b', 'i']).to_ascii_uppercase().as_str() {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => return None,
    };
    digits.parse::<usize>().ok()?.checked_mul(unit)
}

/// All memory of the machine, where it says so.
fn machine_memory() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|it| it.starts_with("MemTotal:"))?;
    line.split_ascii_whitespace().nth(1)?.parse::<usize>().ok()?.checked_mul(1024)
}

fn zone(text: &str) -> Result<i16> {
    Timestamp::parse(&format!("2000-01-01T00:00:00{text}"), &TimeDefaults::default())
        .and_then(|(_, offset)| offset)
        .with_context(|| format!("--timezone {text}: write it as +08:00"))
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

fn this_year() -> i32 {
    now().day()[..4].parse().unwrap_or(1970)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_zones_as_people_write_them() {
        assert_eq!(size("512M"), Some(512 << 20));
        assert_eq!(size("4GiB"), Some(4 << 30));
        assert_eq!(size("many"), None);
        assert_eq!(zone("+08:00").unwrap(), 480);
        assert_eq!(zone("-0330").unwrap(), -210);
        assert!(zone("CST").is_err());
    }

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }
}
