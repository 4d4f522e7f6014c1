//! seed → a log for each day of a month, twelve gangs in it, and what changes when: what early warnings are measured
//! against. The gangs, their kits and the fleet are those of `write`; here a gang also begins, changes its way in, falls
//! silent, comes back, and surges, on days that are written down below. Deliberately absent: faults.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::gangs::{self, Extras, Gang};
use super::ndjson::Log;
use super::random::Random;
use super::scene;
use super::{BENIGN, Config, Counts, DAY_MILLIS, Host, START_MILLIS, Scripts, Truth, World};

const GANGS: usize = 12;
/// Servers are renewed every so many days.
const WAVE_DAYS: u64 = 10;
/// Incidents of a gang on an ordinary day.
const A_DAY: u64 = 3;
/// Of the gangs that `gangs` makes, those that are left out: two whose waves have nothing in common but the kit, and one
/// that shares its victims' Docker addresses with another, by which the two are taken for one.
const LEFT_OUT: [&str; 3] = ["cold kiln", "lantern mimic", "whale mimic"];
/// Gang, day: from then on it comes in by guessing SSH passwords, and brings what it brought before, or (where that would
/// look like an administrator's own script) this kit.
const CHANGES: [(&str, u64, Option<&str>); 5] = [
    ("red rake", 8, Some("ssh_shellbot")),
    ("javelin", 11, None),
    ("moss pool", 14, Some("worm")),
    ("phpantom", 17, None),
    ("whaleback", 21, Some("ssh_shellbot")),
];
/// Gang, first day.
const BEGIN_LATER: [(&str, u64); 3] = [("night heron", 3), ("marsh harrier", 6), ("rake mimic", 12)];
/// Gang, first silent day, day of its return.
const SILENT: (&str, u64, u64) = ("outrider", 5, 24);
/// Gang, day, incidents of that day.
const SURGE: (&str, u64, u64) = ("burrow", 19, 40);

#[derive(Debug, Clone)]
pub struct Month {
    pub seed: u64,
    pub days: u64,
    pub hosts: u64,
    /// Events of a host on a day, gangs' aside.
    pub events: u64,
    /// Ordinary days before those that are counted below: a month to compare with.
    pub lead: u64,
}

impl Default for Month {
    fn default() -> Self {
        Self { seed: 1, days: 30, hosts: 200, events: 200, lead: 0 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    NewGang,
    NewMethod,
    NewInfrastructure,
    Surge,
    DormantBack,
}

/// Something that a warning is due for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub kind: ChangeKind,
    pub gang: &'static str,
    /// From 0.
    pub day: u64,
    /// The day on which the second host shows it.
    pub second_host_day: u64,
}

/// What was written: one log a day, the truth of each event (as `write` has it), and the changes.
#[derive(Debug, Clone, Default)]
pub struct Written {
    pub days: Vec<PathBuf>,
    pub truth: PathBuf,
    pub changes: Vec<Change>,
    pub counts: Counts,
}

/// One incident to come.
struct Planned {
    day: u64,
    host: u32,
    wave: u64,
    /// By its new way in.
    changed: bool,
}

pub fn month(month: &Month, dir: &Path) -> io::Result<Written> {
    std::fs::create_dir_all(dir)?;
    let scripts = scripts(month.seed).map_err(io::Error::other)?;
    let span = month.days * DAY_MILLIS;
    let events = month.days * month.hosts * month.events;
    let config = Config { seed: month.seed, events, hosts: Some(month.hosts), bot_permille: 0, ..Config::default() };
    let fleet = (0..month.hosts).map(|n| Host::new(n, month.seed, 0)).collect();
    let mut world = World::new(&config, &scripts, fleet, span);
    let mut changes = Vec::new();
    for at in 0..GANGS {
        let name = scripts.gangs[at].name;
        let planned = plan(&mut world, &scripts, at, month);
        changes.extend(changes_of(name, &planned, month));
        let changed = scripts.gangs[GANGS..].iter().position(|it| it.name == name).map(|n| n + GANGS);
        let mut random = Random::new(month.seed ^ 0x7135 ^ (at as u64) << 8);
        for it in &planned {
            let of_day = random.below(DAY_MILLIS - 3_600_000);
            let gang = if it.changed { changed.unwrap_or(at) } else { at };
            world.plan(gang, it.wave, it.host, START_MILLIS + (it.day * DAY_MILLIS + of_day) as i64);
        }
    }
    changes.sort_by_key(|it| (it.day, it.kind, it.gang));
    let truth = dir.join("truth.tsv");
    let mut tables = [BufWriter::new(File::create(&truth)?)];
    let (mut incidents, mut bots) = (io::sink(), io::sink());
    let [events] = &mut tables;
    // It ends with the month, not after so many events.
    let endless = Config { events: config.events * 8, ..config };
    let truth_rows = Truth { events, incidents: &mut incidents, bots: &mut bots };
    let mut log = Log::new(&endless, START_MILLIS, &scripts.gangs, Some(truth_rows));
    let mut out = ByDay::new(dir, month.days)?;
    while let Some(std::cmp::Reverse((time, actor))) = world.due.pop() {
        if time >= START_MILLIS + span as i64 {
            break;
        }
        log.flush_before(time, &mut out)?;
        world.act(time, actor, &mut log);
    }
    let counts = log.finish(&mut out)?;
    let days = out.paths.clone();
    out.flush()?;
    Ok(Written { days, truth, changes, counts })
}

/// The twelve, then once more those that change, with their new way in.
fn scripts(seed: u64) -> Result<Scripts, String> {
    let mut families = gangs::families()?;
    let extras = Extras { copycats: true, rivals: true, widespread: true, ..Extras::default() };
    let mut all = gangs::gangs(&families, seed, false, extras);
    all.retain(|it| !LEFT_OUT.contains(&it.name));
    let mut later: Vec<Gang> = Vec::new();
    for (name, _, kit) in CHANGES {
        let Some(gang) = all.iter().find(|it| it.name == name) else { continue };
        let at = kit.and_then(|kit| families.iter().position(|it| it.name == kit)).unwrap_or(families.len());
        if at == families.len() {
            families.push(gangs::over_ssh(&families[gang.family])?);
        }
        later.push(gang.with_kit(at));
    }
    all.extend(later);
    Ok(Scripts { benign: scene::parse(BENIGN, &[])?, families, gangs: all })
}

fn plan(world: &mut World<'_>, scripts: &Scripts, at: usize, month: &Month) -> Vec<Planned> {
    let name = scripts.gangs[at].name;
    let change = CHANGES.iter().find(|it| it.0 == name);
    let lead = month.lead;
    let begin = BEGIN_LATER.iter().find(|it| it.0 == name).map_or(0, |it| lead + it.1);
    let wave_days = WAVE_DAYS.max(month.days.div_ceil(gangs::WAVES));
    let able = |gang: usize| -> Vec<u32> {
        let entry = &scripts.families[scripts.gangs[gang].family].scenes[0];
        let runs = |host: &Host| host.service(entry.from).is_some() && host.service(entry.needs).is_some();
        (0u32..).zip(&world.hosts).filter(|it| runs(it.1)).map(|it| it.0).collect()
    };
    let before = able(at);
    let after = scripts.gangs[GANGS..].iter().position(|it| it.name == name).map(|n| able(n + GANGS));
    let mut random = Random::new(month.seed ^ 0x3057 ^ (at as u64) << 16);
    let mut planned = Vec::new();
    for day in begin..month.days {
        if name == SILENT.0 && (lead + SILENT.1..lead + SILENT.2).contains(&day) {
            continue;
        }
        let changed = change.is_some_and(|it| day >= lead + it.1);
        let hosts = if changed { after.as_ref().unwrap_or(&before) } else { &before };
        let count = if name == SURGE.0 && day == lead + SURGE.1 { SURGE.2 } else { A_DAY };
        // Not all renew their servers on the same day.
        let wave = ((day + at as u64) / wave_days).min(gangs::WAVES - 1);
        for _ in 0..if hosts.is_empty() { 0 } else { count } {
            let host = hosts[random.below(hosts.len() as u64) as usize];
            planned.push(Planned { day, host, wave, changed });
        }
    }
    planned
}

/// What is new in a gang's plan, and when its second host shows it.
fn changes_of(gang: &'static str, planned: &[Planned], month: &Month) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut add = |kind: ChangeKind, shows: &dyn Fn(&Planned) -> bool| {
        let mut hosts = BTreeSet::new();
        let mut first = None;
        for it in planned.iter().filter(|it| shows(it)) {
            first.get_or_insert(it.day);
            hosts.insert(it.host);
            if hosts.len() == 2 {
                changes.push(Change { kind, gang, day: first.unwrap_or(it.day), second_host_day: it.day });
                return;
            }
        }
    };
    add(ChangeKind::NewGang, &|_| true);
    add(ChangeKind::NewMethod, &|it| it.changed);
    let mut waves: BTreeMap<u64, u64> = BTreeMap::new();
    for it in planned {
        waves.entry(it.wave).or_insert(it.day);
    }
    for wave in waves.keys().skip(1) {
        add(ChangeKind::NewInfrastructure, &|it| it.wave == *wave);
    }
    if gang == SILENT.0 && month.lead + SILENT.2 < month.days {
        add(ChangeKind::DormantBack, &|it| it.day >= month.lead + SILENT.2);
    }
    if gang == SURGE.0 && month.lead + SURGE.1 < month.days {
        let day = month.lead + SURGE.1;
        changes.push(Change { kind: ChangeKind::Surge, gang, day, second_host_day: day });
    }
    changes
}

/// Lines go to the file of their day.
struct ByDay {
    paths: Vec<PathBuf>,
    files: Vec<BufWriter<File>>,
    /// What came without its line's end.
    rest: Vec<u8>,
}

impl ByDay {
    fn new(dir: &Path, days: u64) -> io::Result<Self> {
        let paths: Vec<PathBuf> = (1..=days).map(|it| dir.join(format!("day-{it:02}.ndjson"))).collect();
        let files = paths.iter().map(|it| File::create(it).map(BufWriter::new)).collect::<io::Result<Vec<_>>>()?;
        Ok(Self { paths, files, rest: Vec::new() })
    }

    fn line(&mut self, line: &[u8]) -> io::Result<()> {
        const TIME: &[u8] = b"\"time\":\"";
        let at = line.windows(TIME.len()).position(|it| it == TIME).map(|it| it + TIME.len());
        let text = at.and_then(|it| line.get(it..it + 19)).and_then(|it| std::str::from_utf8(it).ok());
        let time = text.and_then(|it| ringleader_model::Timestamp::parse(it, &Default::default()));
        let day = time.map_or(0, |it| (it.0.0 / 1000 - START_MILLIS) / DAY_MILLIS as i64);
        // What an incident of the last evening does after midnight is not part of the month.
        match self.files.get_mut(usize::try_from(day).unwrap_or(0)) {
            Some(file) => file.write_all(line),
            None => Ok(()),
        }
    }
}

impl Write for ByDay {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut all = std::mem::take(&mut self.rest);
        all.extend_from_slice(bytes);
        let mut from = 0;
        while let Some(n) = all[from..].iter().position(|it| *it == b'\n') {
            self.line(&all[from..=from + n])?;
            from += n + 1;
        }
        self.rest = all.split_off(from);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.files.iter_mut().try_for_each(Write::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_has_its_days_and_says_what_changes() {
        let dir = tempfile::tempdir().unwrap();
        let small = Month { days: 10, hosts: 60, events: 20, ..Month::default() };
        let written = month(&small, dir.path()).unwrap();
        assert_eq!(written.days.len(), 10);
        for (n, day) in written.days.iter().enumerate() {
            let text = std::fs::read_to_string(day).unwrap();
            let date = format!("\"time\":\"2026-03-{:02}", n + 1);
            assert!(text.lines().count() > 300 && text.lines().all(|it| it.contains(&date)), "{}", day.display());
        }
        let of = |kind: ChangeKind| written.changes.iter().filter(|it| it.kind == kind).count();
        assert_eq!(of(ChangeKind::NewGang), 11, "{:?}", written.changes);
        assert_eq!(of(ChangeKind::NewMethod), 1);
        assert!(written.changes.iter().all(|it| it.day <= it.second_host_day && it.second_host_day < 10));
    }
}
