//! What was asked → a question to the engine, and where its answer goes.

use std::io::{BufWriter, Write as _};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use ringleader_engine::lake::{
    Answer, Ask, Asked, Bounds, Cell, Column, HuntFindings, Lake, Question, TreeConfig, Window, quoted,
};
use ringleader_pipeline::extract::deobfuscate;

use super::show::{Csv, Json, MOST, Table};
use super::tree;
use crate::args_hunt::HuntArgs;
use crate::commands::lake::{is_folder, time, window};
use crate::commands::{Done, resources};
use crate::terminal::{count, grouped, safe, short};

/// Hosts that are named where the one that was asked for is not there.
const NEAR: usize = 8;

pub(in crate::commands) fn hunt(args: &HuntArgs) -> Result<Done> {
    is_folder(&args.lake)?;
    let window = asked_window(args)?;
    let bounds = bounds(args)?;
    let lake = Lake::open(&args.lake)?;
    if args.tables {
        return tables(&lake, args, &bounds);
    }
    if args.tree {
        return tree(&lake, args, window, &bounds);
    }
    let findings = findings(&lake, args)?;
    if let Some(statement) = &args.statement {
        if args.host.is_some() || window != Window::default() {
            bail!(
                "--host, --around, --since and --until narrow ready questions: write them into the SQL (WHERE host_uid = … AND time >= …)"
            );
        }
        answer(&lake, statement, findings.as_ref(), args, &bounds)?;
        return Ok(Done::Clean);
    }
    let question = Question { ask: ask(args, findings.as_ref())?, host: args.host.clone(), window };
    if question.needs_findings() && findings.is_none() {
        bail!(
            "this question needs findings: make them with `ringleader analyze --lake {0} --out findings`, or name their folder with --out",
            args.lake.display()
        );
    }
    let sql = question.sql(findings.is_some());
    if args.sql {
        writeln!(anstream::stdout().lock(), "{}", lines(&sql))?;
        return Ok(Done::Clean);
    }
    if matches!(question.ask, Ask::Technique(_)) && findings.is_none() {
        anstream::eprintln!("only alerts can be asked: behaviours are in findings, and --out names none");
    }
    let asked = answer(&lake, &sql, findings.as_ref(), args, &bounds)?;
    if asked.rows == 0 {
        nothing(&lake, args, &bounds)?;
    }
    Ok(Done::Clean)
}

/// Line by line: what a terminal would obey is shown, but for our own line ends.
fn lines(sql: &str) -> String {
    sql.split('\n').map(|it| safe(it).into_owned()).collect::<Vec<_>>().join("\n")
}

fn ask(args: &HuntArgs, findings: Option<&HuntFindings>) -> Result<Ask> {
    let ask = if let Some(value) = &args.ioc {
        Ask::Ioc(deobfuscate(value).into_owned())
    } else if let Some(technique) = &args.technique {
        Ask::Technique(technique.clone())
    } else if let Some(path) = &args.path {
        Ask::Path(path.clone())
    } else if let Some(port) = args.port {
        Ask::Port(port)
    } else if let Some(account) = &args.account {
        let bare = account.rsplit('\\').next().unwrap_or(account);
        Ask::Account(bare.to_owned())
    } else if let Some(name) = &args.gang {
        match findings {
            Some(findings) => {
                let gang = findings.gang(name)?;
                anstream::eprintln!("gang {} ({})", short(&gang.id, 33), safe(&gang.name));
                if args.elsewhere {
                    if gang.values.is_empty() {
                        bail!("{} has no infrastructure, hash or key of its own to look for elsewhere", gang.name);
                    }
                    Ask::Elsewhere { gang: gang.id, values: gang.values }
                } else {
                    Ask::Gang(gang.id)
                }
            }
            None => Ask::Gang(name.clone()),
        }
    } else if args.host.is_some() {
        Ask::Host
    } else {
        bail!(
            "nothing is asked: give SQL, or one of --ioc, --gang, --technique, --path, --port, --account, --host, --tables; `ringleader hunt --help` has examples"
        );
    };
    Ok(ask)
}

fn bounds(args: &HuntArgs) -> Result<Bounds> {
    let (threads, memory) = resources(&args.resources)?;
    let time =
        duration(&args.timeout).with_context(|| format!("--timeout {}: write it as 90s, 5m or 1h", args.timeout))?;
    let people = !args.json && !args.csv;
    let rows = match args.limit {
        0 if people => Some(MOST),
        0 => None,
        n if people && n > MOST => {
            bail!("a table has {} rows at most: --json and --csv have no limit", grouped(MOST as u64))
        }
        n => Some(n),
    };
    Ok(Bounds { rows, memory, threads, time })
}

fn asked_window(args: &HuntArgs) -> Result<Window> {
    let Some(around) = &args.around else { return window(args.since.as_deref(), args.until.as_deref()) };
    let at = time("--around", around)?;
    let within =
        duration(&args.within).with_context(|| format!("--within {}: write it as 90s, 30m, 1h or 2d", args.within))?;
    let micros = i64::try_from(within.as_micros()).unwrap_or(i64::MAX);
    let moved = |by: i64| ringleader_model::Timestamp(at.0.saturating_add(by));
    // Both ends belong to it.
    Ok(Window { since: Some(moved(-micros)), until: Some(moved(micros.saturating_add(1))) })
}

/// `90s`, `30m`, `1h`, `2d`, `1h30m`
fn duration(text: &str) -> Option<Duration> {
    let (mut total, mut number) = (0u64, None::<u64>);
    for c in text.trim().chars() {
        match (c, number) {
            ('0'..='9', it) => {
                number = Some(it.unwrap_or(0).checked_mul(10)?.checked_add(u64::from(c.to_digit(10)?))?);
            }
            (unit, Some(n)) => {
                let seconds = match unit.to_ascii_lowercase() {
                    's' => 1,
                    'm' => 60,
                    'h' => 3600,
                    'd' => 86_400,
                    _ => return None,
                };
                total = total.checked_add(n.checked_mul(seconds)?)?;
                number = None;
            }
            _ => return None,
        }
    }
    // A number needs its unit; a century is long enough.
    (number.is_none() && total > 0 && total <= 100 * 366 * 86_400).then(|| Duration::from_secs(total))
}

/// The folder that was named; else the one that the lake's last analysis left, where it is still there.
fn findings(lake: &Lake, args: &HuntArgs) -> Result<Option<HuntFindings>> {
    if let Some(folder) = &args.out {
        return Ok(Some(HuntFindings::open(folder)?));
    }
    let Some(noted) = lake.noted_findings() else { return Ok(None) };
    let Ok(findings) = HuntFindings::open(&noted.folder) else { return Ok(None) };
    if noted.version != lake.version() && (args.gang.is_some() || args.technique.is_some()) {
        anstream::eprintln!(
            "the findings in {} are of the lake's version {}; it is at {} now: `ringleader analyze` makes them anew",
            noted.folder.display(),
            noted.version,
            lake.version()
        );
    }
    Ok(Some(findings))
}

/// Asks, shows, and says what was left out.
fn answer(lake: &Lake, sql: &str, findings: Option<&HuntFindings>, args: &HuntArgs, bounds: &Bounds) -> Result<Asked> {
    let asked = if args.json {
        let mut out = Json::new(BufWriter::new(std::io::stdout().lock()));
        let asked = lake.ask(sql, findings, bounds, &mut out)?;
        out.out.flush()?;
        asked
    } else if args.csv {
        let mut out = Csv { out: BufWriter::new(std::io::stdout().lock()) };
        let asked = lake.ask(sql, findings, bounds, &mut out)?;
        out.out.flush()?;
        asked
    } else {
        let mut table = Table::new(args.statement.is_none());
        let asked = lake.ask(sql, findings, bounds, &mut table)?;
        table.print(&mut anstream::stdout().lock())?;
        asked
    };
    if asked.cut {
        let all =
            if args.json || args.csv { "--limit 0 gives all" } else { "--limit N gives more, --json --limit 0 all" };
        anstream::eprintln!("{} shown, and there are more: {all}", count(asked.rows as u64, "row is", "rows are"));
    }
    Ok(asked)
}

fn tree(lake: &Lake, args: &HuntArgs, window: Window, bounds: &Bounds) -> Result<Done> {
    let config = TreeConfig {
        host: args.host.clone().unwrap_or_default(),
        window,
        about: args.about.clone(),
        pid: args.pid,
        nodes: (args.limit > 0).then_some(args.limit),
    };
    let tree = lake.tree(&config, bounds)?;
    let mut to = BufWriter::new(anstream::stdout().lock());
    if args.json {
        tree::json(&tree, &mut to)?;
    } else {
        tree::draw(&tree, &mut to)?;
    }
    to.flush()?;
    if tree.left > 0 {
        anstream::eprintln!(
            "{} not shown: --limit N shows more, --around, --about or --pid less",
            count(tree.left as u64, "more process is", "more processes are")
        );
    }
    if tree.nodes.is_empty() {
        if tree.processes > 0 {
            anstream::eprintln!(
                "{} of this host are known, and none that was asked for",
                count(tree.processes as u64, "process", "processes")
            );
        }
        nothing(lake, args, bounds)?;
    }
    Ok(Done::Clean)
}

/// Collects an answer of few rows.
#[derive(Default)]
struct Few(Vec<Vec<String>>);

impl Answer for Few {
    fn columns(&mut self, _: &[Column]) -> std::io::Result<()> {
        Ok(())
    }
    fn row(&mut self, cells: &[Cell<'_>]) -> std::io::Result<()> {
        self.0.push(cells.iter().map(super::show::plain).collect());
        Ok(())
    }
}

fn few(lake: &Lake, sql: &str, bounds: &Bounds) -> Result<Vec<Vec<String>>> {
    let mut few = Few::default();
    lake.ask(sql, None, bounds, &mut few)?;
    Ok(few.0)
}

const CLASSES: &str = "SELECT class, count(DISTINCT event_id), count(DISTINCT host_uid), min(time), max(time) FROM events GROUP BY class ORDER BY class";

/// An empty answer says how well the lake could have given one.
fn nothing(lake: &Lake, args: &HuntArgs, bounds: &Bounds) -> Result<()> {
    anstream::eprintln!("Nothing found.");
    if let Some(host) = &args.host {
        let name = host.to_lowercase();
        let label = name.split('.').next().unwrap_or(&name);
        let sql = format!(
            "SELECT DISTINCT host_uid FROM events WHERE strpos(lower(host_uid), {0}) > 0 OR starts_with(lower(host_uid), {1}) \
             OR host_ip = {2} ORDER BY host_uid",
            quoted(if host.parse::<std::net::IpAddr>().is_ok() { &name } else { label }),
            quoted(&name.chars().take(3).collect::<String>()),
            quoted(&name)
        );
        let near = few(lake, &sql, &Bounds { rows: Some(NEAR), ..*bounds })?;
        let near: Vec<String> = near.into_iter().flatten().map(|it| short(&it, 60)).collect();
        if near.is_empty() {
            anstream::eprintln!("No host of the lake is called {}.", short(host, 60));
        } else {
            anstream::eprintln!("Hosts of such a name: {}", near.join(", "));
        }
    }
    anstream::eprintln!("The lake has:");
    for row in few(lake, CLASSES, &Bounds { rows: None, ..*bounds })? {
        if let [class, events, hosts, first, last] = &row[..] {
            anstream::eprintln!("  {class:18} {events:>12} events of {hosts} hosts, {first} to {last}");
        }
    }
    if args.around.is_some() || args.since.is_some() || args.until.is_some() {
        anstream::eprintln!("Times are UTC.");
    }
    Ok(())
}

/// What there is to ask.
fn tables(lake: &Lake, args: &HuntArgs, bounds: &Bounds) -> Result<Done> {
    let findings = findings(lake, args)?;
    let sql = "SELECT table_name, column_name, data_type FROM information_schema.columns \
               WHERE table_schema = 'public' AND table_name <> 'lake' ORDER BY table_name, ordinal_position";
    if args.json {
        answer(lake, sql, findings.as_ref(), args, &Bounds { rows: None, ..*bounds })?;
        return Ok(Done::Clean);
    }
    let mut all = Few::default();
    lake.ask(sql, findings.as_ref(), &Bounds { rows: None, ..*bounds }, &mut all)?;
    let classes = few(lake, CLASSES, &Bounds { rows: None, ..*bounds })?;
    let mut to = BufWriter::new(anstream::stdout().lock());
    super::show::tables(&all.0, &classes, &mut to)?;
    if let Some(findings) = &findings {
        writeln!(to, "\nfindings: {}", safe(&findings.folder.display().to_string()))?;
    }
    to.flush()?;
    Ok(Done::Clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        for (text, seconds) in [("90s", 90), ("30m", 1800), ("1h", 3600), ("2d", 172_800), ("1h30m", 5400)] {
            assert_eq!(duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "1", "h", "1w", "-1h", "0s", "99999999999999999999s", "9999999d"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
