//! seed → a plain process log of any size, and the truth of each of its events.
//!
//! A fleet of Linux servers doing its work, and gangs that break into it in waves. What happens is written in the
//! scene files; the code only plays them. Everything is drawn from the seed, with integers alone: one configuration
//! gives the same bytes everywhere. Memory grows with hosts and incidents, not with events. docs/simulate.md has the
//! columns. Deliberately absent: contradictions in the log itself, such as a wrong ppid.

pub mod demo;
mod faults;
mod fleet;
mod gangs;
pub mod incident;
pub mod month;
mod ndjson;
mod play;
mod random;
mod scene;
mod template;
#[cfg(test)]
mod trials;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Write};

pub use faults::Faults;
use faults::{Sensor, drawn};
use fleet::{Context, Host, Live, Role};
pub use gangs::Extras;
use gangs::{Family, Gang};
use ndjson::Log;
pub use play::Loss;
use play::{Actor, Kept, Parent, Player, Sink, Started};
use random::{Random, event_id};
use scene::Scene;

const BENIGN: &str = include_str!("scenes/benign.scene");
const WINDOWS: &str = include_str!("scenes/windows.scene");
const HERRINGS: &str = include_str!("scenes/herrings.scene");
const DAY_MILLIS: u64 = 86_400_000;
/// 2026-03-01T00:00:00Z
const START_MILLIS: i64 = 1_772_323_200_000;
/// A busier log lasts longer than a day instead: pids must not come round while their processes run.
const HOST_EVENTS_A_DAY: u64 = 40_000;
/// Of all hosts, in thousandths: those that start up while the log runs, a day.
const REBOOTS: u32 = 25;

#[derive(Debug, Clone)]
pub struct Config {
    pub seed: u64,
    /// Events written; lost ones come on top.
    pub events: u64,
    /// `None`: one for each 2,500 events.
    pub hosts: Option<u64>,
    pub loss: Loss,
    /// The gangs' share of all events.
    pub bot_permille: u64,
    /// Of all incidents: those whose servers, wallet, key and pool are used by no other.
    pub one_off_permille: u32,
    pub faults: Faults,
    pub extras: Extras,
    /// Of all hosts, those that run Windows.
    pub windows_permille: u32,
    /// Honest work that looks like a bot's.
    pub herrings: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 1,
            events: 1_000_000,
            hosts: None,
            loss: Loss::default(),
            bot_permille: 15,
            one_off_permille: 0,
            faults: Faults::default(),
            extras: Extras::default(),
            windows_permille: 0,
            herrings: false,
        }
    }
}

impl Config {
    /// Events that happen, lost ones too.
    fn played(&self) -> u64 {
        self.events * 1000 / (1000 - u64::from(self.loss.permille.min(999)))
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub written: u64,
    pub lost: u64,
    /// Second copies, on top of what was written.
    pub copies: u64,
    pub bot: u64,
    pub incidents: u64,
    pub gangs: u64,
    pub hosts: u64,
    pub bytes: u64,
}

/// Where the truth goes: three tables as TSV.
pub struct Truth<'a> {
    /// A row per event, lost ones too, parents before children: event id, gang or `-`, incident or `-`, parent id or
    /// `-`, lost (0 or 1), parent status, nearest true ancestor's id or `-`.
    pub events: &'a mut dyn Write,
    /// A row per incident: incident, gang, wave, host, one-off (0 or 1).
    pub incidents: &'a mut dyn Write,
    /// A row per event of a gang, lost ones too: event id, incident, step, time, file path, command line.
    pub bots: &'a mut dyn Write,
}

/// Writes the log to `out` as NDJSON (`id, time, host, file_path, cmd_line, pid, ppid, parent`), nearly in time
/// order.
pub fn write(config: &Config, out: &mut dyn Write, truth: Option<Truth<'_>>) -> io::Result<Counts> {
    let scripts = Scripts::of(config).map_err(io::Error::other)?;
    let hosts = config.hosts.unwrap_or(config.events / 2500).clamp(8, 1 << 22);
    let span = DAY_MILLIS.max(config.events.saturating_mul(DAY_MILLIS) / (hosts * HOST_EVENTS_A_DAY));
    let fleet = (0..hosts).map(|n| Host::new(n, config.seed, config.windows_permille)).collect();
    let mut world = World::new(config, &scripts, fleet, span);
    world.plan_waves(config.played() * config.bot_permille / 1000, config.seed);
    let mut log = Log::new(config, START_MILLIS, &scripts.gangs, truth);
    while let Some(Reverse((time, actor))) = world.due.pop() {
        log.flush_before(time, out)?;
        world.act(time, actor, &mut log);
        if log.is_full() {
            break;
        }
    }
    let mut counts = log.finish(out)?;
    counts.hosts = hosts;
    counts.gangs = scripts.gangs.len() as u64;
    Ok(counts)
}

/// Everything that is written down: what the fleet does, and what the gangs do.
struct Scripts {
    benign: Vec<Scene>,
    families: Vec<Family>,
    gangs: Vec<Gang>,
}

impl Scripts {
    fn read(seed: u64) -> Result<Self, String> {
        Self::of(&Config { seed, ..Config::default() })
    }

    fn of(config: &Config) -> Result<Self, String> {
        let windows = config.windows_permille > 0;
        let mut benign = Vec::new();
        for (used, name, text) in
            [(true, "benign", BENIGN), (windows, "windows", WINDOWS), (config.herrings, "herrings", HERRINGS)]
        {
            if used {
                benign.extend(scene::parse(text, &[]).map_err(|error| format!("{name}: {error}"))?);
            }
        }
        let families = gangs::families()?;
        let gangs = gangs::gangs(&families, config.seed, windows, config.extras);
        Ok(Self { benign, families, gangs })
    }

    /// Of a role: its scenes with running sums of their weights, and the mean events of one, in thousandths.
    fn repertoire(&self, role: Role) -> Repertoire {
        let host = Host::with_role(0, role, String::new(), 0);
        let mut sum = 0;
        let mut events = 0;
        let mut scenes = Vec::new();
        for (index, scene) in self.benign.iter().enumerate() {
            if scene.roles & (1 << role as u32) != 0 && host.service(scene.from).is_some() {
                sum += scene.weight;
                events += scene.weight * scene.expected_events();
                scenes.push((sum, index));
            }
        }
        Repertoire { scenes, mean_events: events / sum.max(1) }
    }
}

struct Repertoire {
    scenes: Vec<(u64, usize)>,
    mean_events: u64,
}

struct Incident {
    gang: u16,
    wave: u8,
    host: u32,
    /// The stage to come, and how often it is still to be played.
    stage: u16,
    repeats: u16,
    boots: u32,
    kept: Option<Box<Kept>>,
}

struct World<'a> {
    scripts: &'a Scripts,
    seed: u64,
    one_off_permille: u32,
    hosts: Vec<Host>,
    repertoires: Vec<Repertoire>,
    incidents: Vec<Incident>,
    player: Player,
    /// Mean wait between two scenes of a host, by role.
    waits: Vec<u64>,
    span: u64,
    /// When, and who: hosts first, then incidents.
    due: BinaryHeap<Reverse<(i64, u32)>>,
    /// Starts of services: ids from the far end, so that they never meet those of the scenes.
    booted: u64,
}

impl<'a> World<'a> {
    /// A fleet at work, for `span` milliseconds and about as many events as `config` asks for. No gangs yet.
    fn new(config: &Config, scripts: &'a Scripts, hosts: Vec<Host>, span: u64) -> Self {
        let repertoires: Vec<Repertoire> = (0..Role::COUNT).map(|n| scripts.repertoire(Role::nth(n))).collect();
        let benign = u128::from((config.played() * (1000 - config.bot_permille.min(1000)) / 1000).max(1));
        let room = u128::from(span) * hosts.len() as u128;
        let waits = repertoires.iter().map(|it| (room * u128::from(it.mean_events) / 1000 / benign).max(1) as u64);
        let mut random = Random::new(config.seed ^ 0xf1ee7);
        let mut world = Self {
            scripts,
            seed: config.seed,
            one_off_permille: config.one_off_permille,
            waits: waits.collect(),
            repertoires,
            incidents: Vec::new(),
            player: Player::new(config.seed, hosts.len() as u64, config.loss),
            hosts,
            span,
            due: BinaryHeap::new(),
            booted: 0,
        };
        for (n, host) in world.hosts.iter_mut().enumerate() {
            host.sensor = Sensor::new(&config.faults, host.seed, START_MILLIS, span);
            host.narrow_pids(config.faults.small_pids_permille);
            let first = random.below(world.waits[host.role as usize].saturating_mul(2));
            world.due.push(Reverse((START_MILLIS + first as i64, n as u32)));
        }
        world
    }

    /// One gang's entry to one host. All hosts come before all incidents in `due`.
    fn plan(&mut self, gang: usize, wave: u64, host: u32, time: i64) {
        self.due.push(Reverse((time, (self.hosts.len() + self.incidents.len()) as u32)));
        let (gang, wave) = (gang as u16, wave as u8);
        self.incidents.push(Incident { gang, wave, host, stage: 0, repeats: 1, boots: 0, kept: None });
    }

    /// Incidents of every gang, for as many events in sum. Waves follow each other, and die out slowly.
    fn plan_waves(&mut self, events: u64, seed: u64) {
        let mut random = Random::new(seed ^ 0x3a7e5);
        let scripts = self.scripts;
        let weights: u64 = scripts.gangs.iter().map(|it| it.weight).sum();
        for (at, gang) in scripts.gangs.iter().enumerate() {
            let family = &scripts.families[gang.family];
            let entry = &family.scenes[0];
            let runs = |host: &Host| host.service(entry.from).is_some() && host.service(entry.needs).is_some();
            let able: Vec<u32> = (0u32..).zip(&self.hosts).filter(|it| runs(it.1)).map(|it| it.0).collect();
            let able_count = able.len() as u64;
            let count = (events * 1000 * gang.weight / weights).div_ceil(family.expected_events().max(1));
            for _ in 0..if able.is_empty() { 0 } else { count } {
                let wave = random.below(gangs::WAVES);
                let begin = self.span * wave / gangs::WAVES + self.span / 50;
                let time = START_MILLIS + (begin + random.wait(self.span / 10) % (self.span * 3 / 4)) as i64;
                self.plan(at, wave, able[random.below(able.len() as u64) as usize], time);
            }
            for host in able.into_iter().filter(|_| gang.widespread) {
                // Windows hosts cannot be entered: the others make up for them.
                if drawn(seed, u64::from(host), 0x71de, able_count) < self.hosts.len() as u64 * 6 / 10 {
                    let after = drawn(seed, u64::from(host), 0x71df, self.span * 9 / 10);
                    let wave = (after * gangs::WAVES / self.span).min(gangs::WAVES - 1);
                    self.plan(at, wave, host, START_MILLIS + after as i64);
                }
            }
        }
    }

    fn act<S: Sink>(&mut self, time: i64, actor: u32, sink: &mut S) {
        match (actor as usize).checked_sub(self.hosts.len()) {
            None => self.work(time, actor as usize, sink),
            Some(incident) => self.attack(time, incident, sink),
        }
    }

    /// A host's next piece of ordinary work.
    fn work<S: Sink>(&mut self, time: i64, at: usize, sink: &mut S) {
        let host = &mut self.hosts[at];
        let role = host.role as usize;
        let wait = self.waits[role];
        let next = time + 1 + host.random.wait(wait) as i64;
        self.due.push(Reverse((next, at as u32)));
        // A chance a day, asked at each piece of work.
        let asked = u64::from(REBOOTS) * wait.saturating_mul(1000) / DAY_MILLIS;
        if host.random.below(1_000_000) < asked {
            self.booted += boot(host, time, self.seed, self.booted, sink);
            return;
        }
        let repertoire = &self.repertoires[role];
        let Some((sum, _)) = repertoire.scenes.last() else { return };
        let drawn = host.random.below(*sum);
        let chosen = repertoire.scenes.partition_point(|it| it.0 <= drawn);
        let scene = &self.scripts.benign[repertoire.scenes[chosen].1];
        let start = if scene.on_minute { next_minute(time, &mut host.random) } else { time };
        self.player.play(scene, host, start, Actor::default(), sink);
    }

    fn attack<S: Sink>(&mut self, time: i64, number: usize, sink: &mut S) {
        let incident = &mut self.incidents[number];
        let gang = &self.scripts.gangs[incident.gang as usize];
        let scenes = &self.scripts.families[gang.family].scenes;
        let scene = &scenes[incident.stage as usize];
        let host = &mut self.hosts[incident.host as usize];
        if incident.stage == 0 {
            incident.boots = host.boots;
        } else if incident.boots != host.boots && scene.from == Context::Kept {
            // The machine was restarted and the bot is gone; what cron holds comes back.
            incident.kept = None;
        }
        let mut end = time;
        if scene.from != Context::Kept || incident.kept.is_some() {
            let number = number as u32 + 1;
            let seed = play::incident_seed(self.seed, number);
            // Its own stream: the share of such incidents changes nothing else.
            let own_values = Random::new(seed ^ 0x10ff)
                .permille(self.one_off_permille)
                .then(|| gangs::one_off_values(gang, self.seed, seed));
            let actor = Actor {
                gang: Some(incident.gang),
                incident: number,
                wave: incident.wave,
                one_off: own_values.is_some(),
                seed,
                values: own_values.as_deref().unwrap_or(&gang.waves[incident.wave as usize]),
                kept: incident.kept.as_deref(),
            };
            let start = if scene.on_minute { next_minute(time, &mut host.random) } else { time };
            let (kept, ended) = self.player.play(scene, host, start, actor, sink);
            end = ended;
            if let Some(kept) = kept {
                incident.kept = Some(Box::new(kept));
            }
        }
        incident.repeats = incident.repeats.saturating_sub(1);
        while incident.repeats == 0 {
            incident.stage += 1;
            let Some(scene) = scenes.get(incident.stage as usize) else {
                if let Some(kept) = incident.kept.take() {
                    host.release(kept.live.pid);
                }
                return;
            };
            if host.random.below(100) < scene.odds {
                incident.repeats = host.random.between(scene.repeats.0, scene.repeats.1) as u16;
            }
        }
        let after = scenes[incident.stage as usize].after_secs;
        let wait = host.random.between(after.0 * 1000, after.1 * 1000) as i64;
        self.due.push(Reverse((end + 1 + wait, (self.hosts.len() + number) as u32)));
    }
}

/// Restarts a host: init starts its services anew, with small pids. Returns how many events that made.
fn boot<S: Sink>(host: &mut Host, time: i64, seed: u64, booted: u64, sink: &mut S) -> u64 {
    host.reboot();
    let mut made = 0;
    let mut clock = time + 20_000;
    for context in host.contexts() {
        let pid = host.fork();
        let starter = host.starter(context);
        let above = host.service(starter).unwrap_or_default();
        clock += host.random.between(20, 400) as i64;
        let id = event_id((1 << 40) - 1 - booted - made, seed);
        made += 1;
        let lost = host.sensor.misses(clock);
        sink.started(&Started {
            id,
            time_millis: clock,
            host: &host.name,
            image: context.image(),
            cmd_line: context.cmd_line(),
            pid,
            ppid: above.pid,
            parent_image: starter.image(),
            parent_cmd_line: starter.cmd_line(),
            gang: None,
            incident: 0,
            wave: 0,
            one_off: false,
            scene: "boot",
            node: 0,
            parent: Parent { event: above.event, status: above.status(), ancestor: above.event },
            lost,
        });
        host.set_service(context, Live { pid, event: Some(id), lost });
    }
    made
}

fn next_minute(time: i64, random: &mut Random) -> i64 {
    (time / 60_000 + 1) * 60_000 + random.between(5, 900) as i64
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn written(config: &Config) -> (String, String, Counts) {
        let (log, [truth, ..], counts) = all_written(config);
        (log, truth, counts)
    }

    fn all_written(config: &Config) -> (String, [String; 3], Counts) {
        let (mut out, mut events, mut incidents, mut bots) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let truth = Truth { events: &mut events, incidents: &mut incidents, bots: &mut bots };
        let counts = write(config, &mut out, Some(truth)).unwrap();
        let text = |it| String::from_utf8(it).unwrap();
        (text(out), [events, incidents, bots].map(text), counts)
    }

    #[test]
    fn the_three_tables_of_truth_agree() {
        let loss = Loss { permille: 200, short_lived: false };
        let config = Config { events: 100_000, loss, one_off_permille: 250, ..Config::default() };
        let (log, [events, incidents, bots], counts) = all_written(&config);
        let incidents: BTreeMap<&str, Vec<&str>> =
            incidents.lines().map(|it| it.split('\t').collect::<Vec<_>>()).map(|it| (it[0], it)).collect();
        assert_eq!(incidents.len() as u64, counts.incidents);
        let bots: BTreeMap<&str, Vec<&str>> =
            bots.lines().map(|it| it.split('\t').collect::<Vec<_>>()).map(|it| (it[0], it)).collect();
        let mut known = 0;
        for row in events.lines().map(|it| it.split('\t').collect::<Vec<_>>()).filter(|it| it[1] != "-") {
            known += 1;
            assert_eq!((bots[row[0]][1], incidents[row[2]][1]), (row[2], row[1]));
        }
        assert_eq!(bots.len(), known);
        for line in log.lines() {
            let Some(bot) = bots.get(field(line, "id")) else { continue };
            assert_eq!((bot[3], bot[4]), (field(line, "time"), field(line, "file_path")));
            assert_eq!(incidents[bot[1]][3], field(line, "host"));
        }
    }

    #[test]
    fn one_off_incidents_share_nothing_and_leave_the_others_as_they_are() {
        let config = Config { events: 100_000, ..Config::default() };
        let one_off = Config { one_off_permille: 300, ..config.clone() };
        let (log, [_, incidents, _], _) = all_written(&config);
        assert!(incidents.lines().all(|it| it.ends_with("\t0")));
        let (other_log, [truth, incidents, bots], _) = all_written(&one_off);
        let one_off: BTreeSet<&str> =
            incidents.lines().filter(|it| it.ends_with("\t1")).map(|it| it.split('\t').next().unwrap()).collect();
        let share = one_off.len() * 100 / incidents.lines().count();
        assert!((15..45).contains(&share), "{share}%");
        let mut changed = 0;
        for (line, other) in log.lines().zip(other_log.lines()).filter(|it| it.0 != it.1) {
            let row = truth.lines().find(|it| it.starts_with(field(other, "id"))).unwrap();
            assert!(one_off.contains(row.split('\t').nth(2).unwrap()), "{line}");
            changed += 1;
        }
        assert!(changed > 50, "{changed}");
        // Whose addresses are named by which incidents.
        let mut users: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for row in bots.lines().map(|it| it.split('\t').collect::<Vec<_>>()).filter(|it| one_off.contains(it[1])) {
            for url in row[5].split([' ', '|', '(', ')', ';', '\'', '"']).filter(|it| it.starts_with("http://")) {
                users.entry(url).or_default().insert(row[1]);
            }
        }
        // A few names are the family's own, not the gang's.
        let shared = users.iter().filter(|it| it.1.len() > 1).map(|it| *it.0).collect::<Vec<_>>();
        assert!(users.len() > 20 && shared.len() <= 3, "{shared:?} of {}", users.len());
    }

    fn field<'a>(line: &'a str, key: &str) -> &'a str {
        let at = line.find(&format!("\"{key}\":")).unwrap() + key.len() + 3;
        line[at..].trim_start_matches('"').split(['"', ',', '}']).next().unwrap()
    }

    #[test]
    fn a_seed_gives_the_same_bytes_and_another_seed_gives_others() {
        let config = Config { events: 20_000, ..Config::default() };
        let (log, truth, _) = written(&config);
        assert_eq!((log.as_str(), truth.as_str()), (written(&config).0.as_str(), written(&config).1.as_str()));
        assert_ne!(log, written(&Config { seed: 2, ..config }).0);
    }

    #[test]
    fn the_log_has_as_many_events_as_asked_and_the_truth_knows_each() {
        let config = Config { events: 60_000, ..Config::default() };
        let (log, truth, counts) = written(&config);
        assert_eq!(log.lines().count(), 60_000);
        assert_eq!((counts.written, counts.bytes), (60_000, log.len() as u64));
        let logged: BTreeSet<&str> = log.lines().map(|it| field(it, "id")).collect();
        let known: BTreeSet<&str> = truth.lines().map(|it| it.split('\t').next().unwrap()).collect();
        assert_eq!((logged.len(), logged), (60_000, known));
        assert!((300..2400).contains(&counts.bot), "{counts:?}");
    }

    /// The latest earlier start of the parent's pid is the true parent, but where only `parent` tells a fork apart.
    #[test]
    fn the_logged_parent_pids_lead_to_the_true_parents() {
        let (log, truth, _) = written(&Config { events: 100_000, seed: 5, ..Config::default() });
        let parents: BTreeMap<&str, &str> =
            truth.lines().map(|it| it.split('\t').collect::<Vec<_>>()).map(|it| (it[0], it[3])).collect();
        type Start<'a> = (&'a str, &'a str, &'a str);
        let mut starts: BTreeMap<(&str, &str), Vec<Start<'_>>> = BTreeMap::new();
        for line in log.lines() {
            let image = field(line, "file_path").rsplit('/').next().unwrap();
            starts.entry((field(line, "host"), field(line, "pid"))).or_default().push((
                field(line, "time"),
                field(line, "id"),
                image,
            ));
        }
        let mut wrong = 0;
        for line in log.lines() {
            let (id, time) = (field(line, "id"), field(line, "time"));
            let same_pid = starts.get(&(field(line, "host"), field(line, "ppid")));
            let found = same_pid
                .and_then(|it| it.iter().filter(|it| it.0 <= time && it.1 != id && it.2 == field(line, "parent")).max())
                .map_or("-", |it| it.1);
            wrong += u32::from(found != parents[id]);
        }
        assert!(wrong < 200, "{wrong} of 100000");
    }

    #[test]
    fn what_is_lost_is_short_lived_more_often_and_stays_in_the_truth() {
        let loss = Loss { permille: 300, short_lived: true };
        let (log, truth, counts) = written(&Config { events: 50_000, loss, ..Config::default() });
        assert_eq!(log.lines().count(), 50_000);
        let share = counts.lost * 100 / (counts.lost + counts.written);
        assert!((27..33).contains(&share), "{share}%");
        assert_eq!(truth.lines().filter(|it| it.split('\t').nth(4) == Some("1")).count() as u64, counts.lost);
        assert!(truth.lines().any(|it| it.contains("\tmissing\t")));
    }

    #[test]
    fn every_gang_has_several_hosts_and_every_host_mostly_works() {
        let (_, truth, counts) = written(&Config { events: 400_000, ..Config::default() });
        let mut incidents: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for row in truth.lines().map(|it| it.split('\t').collect::<Vec<_>>()).filter(|it| it[1] != "-") {
            incidents.entry(row[1]).or_default().insert(row[2]);
        }
        assert_eq!(incidents.len() as u64, counts.gangs);
        assert!(incidents.values().all(|it| it.len() >= 3), "{incidents:?}");
        assert!((4000..8000).contains(&counts.bot), "{counts:?}");
    }

    #[test]
    fn the_text_differs_as_that_of_real_fleets() {
        let (log, _, _) = written(&Config { events: 100_000, ..Config::default() });
        let bytes = log.len() / 100_000;
        assert!((200..270).contains(&bytes), "{bytes} bytes a line");
        let of = |it: &str| it[it.find("cmd_line").unwrap()..it.rfind("\",\"pid").unwrap()].to_owned();
        let distinct = log.lines().map(of).collect::<BTreeSet<_>>().len() / 1000;
        assert!((8..22).contains(&distinct), "{distinct}%");
    }
}
