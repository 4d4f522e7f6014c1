//! a scene on a host → events with their truth. Deliberately absent: how an event is written.

use super::fleet::{Context, Host, Live};
use super::random::{Random, event_id, scatter};
use super::scene::{Scene, Start};
use super::template::Filling;

/// One process start, before anything was lost.
#[derive(Clone, Copy)]
pub(super) struct Started<'a> {
    pub(super) id: u64,
    pub(super) time_millis: i64,
    pub(super) host: &'a str,
    pub(super) image: &'a str,
    pub(super) cmd_line: &'a str,
    pub(super) pid: u32,
    pub(super) ppid: u32,
    pub(super) parent_image: &'a str,
    pub(super) parent_cmd_line: &'a str,
    pub(super) gang: Option<u16>,
    pub(super) incident: u32,
    pub(super) wave: u8,
    pub(super) one_off: bool,
    /// Where it is written down: its scene, and which process of it.
    pub(super) scene: &'a str,
    pub(super) node: usize,
    pub(super) parent: Parent,
    /// The sensor missed it.
    pub(super) lost: bool,
}

/// What is true of the process that the logged ppid names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parent {
    /// Its start's id; `None` for a fork that never exec'd, an adopting init, and what ran before the log.
    pub(super) event: Option<u64>,
    pub(super) status: Status,
    /// The nearest process of the true lineage that has an event.
    pub(super) ancestor: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Observed,
    Missing,
    Forked,
    Reparented,
    BeforeLog,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Missing => "missing",
            Self::Forked => "forked",
            Self::Reparented => "reparented",
            Self::BeforeLog => "before_log",
        }
    }
}

pub(super) trait Sink {
    /// `false`: enough, play nothing more.
    fn started(&mut self, event: &Started<'_>) -> bool;
}

/// Who plays: an incident of a gang, or (no gang) the background.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Actor<'a> {
    pub(super) gang: Option<u16>,
    pub(super) incident: u32,
    pub(super) wave: u8,
    pub(super) one_off: bool,
    pub(super) seed: u64,
    pub(super) values: &'a [String],
    pub(super) kept: Option<&'a Kept>,
}

/// A process that a scene left running.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) live: Live,
    pub(super) image: String,
    pub(super) cmd_line: String,
}

/// How much a sensor misses.
#[derive(Debug, Clone, Copy, Default)]
pub struct Loss {
    pub permille: u32,
    /// Short-lived processes are missed more often, those that wait for others less; the mean stays about the same.
    pub short_lived: bool,
}

#[derive(Default, Clone)]
struct Frame {
    pid: u32,
    ppid: u32,
    image: String,
    cmd_line: String,
    parent_image: String,
    parent_cmd_line: String,
    /// As seen from a child.
    as_parent: Option<Parent>,
    /// As seen by itself.
    own: Option<Parent>,
}

pub(super) struct Player {
    pub(super) seed: u64,
    pub(super) hosts: u64,
    pub(super) loss: Loss,
    random: Random,
    played: u64,
    /// By depth; kept from scene to scene for their buffers.
    frames: Vec<Frame>,
    spare: Frame,
}

struct Play<'a, S> {
    scene: &'a Scene,
    host: &'a mut Host,
    actor: Actor<'a>,
    scene_seed: u64,
    clock_millis: i64,
    kept: Option<Kept>,
    sink: &'a mut S,
    full: bool,
}

impl Player {
    pub(super) fn new(seed: u64, hosts: u64, loss: Loss) -> Self {
        let random = Random::new(seed ^ 0x91a7);
        Self { seed, hosts, loss, random, played: 0, frames: vec![Frame::default(); 2], spare: Frame::default() }
    }

    /// Returns what the scene left running, and when it ended.
    pub(super) fn play<S: Sink>(
        &mut self,
        scene: &Scene,
        host: &mut Host,
        start_millis: i64,
        actor: Actor<'_>,
        sink: &mut S,
    ) -> (Option<Kept>, i64) {
        let (live, image, cmd_line) = match (scene.from, actor.kept) {
            (Context::Kept, Some(kept)) => (kept.live, kept.image.as_str(), kept.cmd_line.as_str()),
            (from, _) => match host.service(from) {
                Some(live) => (live, from.image(), from.cmd_line()),
                None => return (None, start_millis),
            },
        };
        let status = live.status();
        let frame = &mut self.frames[0];
        frame.pid = live.pid;
        frame.as_parent = Some(Parent { event: live.event, status, ancestor: live.event });
        frame.own = frame.as_parent;
        set(&mut frame.image, image);
        set(&mut frame.cmd_line, cmd_line);
        let scene_seed = self.random.next();
        let mut play =
            Play { scene, host, actor, scene_seed, clock_millis: start_millis, kept: None, sink, full: false };
        self.nodes(&mut play, 0, scene.nodes.len(), 1);
        (play.kept, play.clock_millis)
    }

    fn nodes<S: Sink>(&mut self, play: &mut Play<'_, S>, mut at: usize, end: usize, depth: usize) {
        while at < end && !play.full {
            let node = &play.scene.nodes[at];
            for _ in 0..self.random.between(node.times.0, node.times.1) {
                if node.percent == 100 || self.random.below(100) < node.percent {
                    self.node(play, at, depth);
                }
            }
            at = node.end;
        }
    }

    fn node<S: Sink>(&mut self, play: &mut Play<'_, S>, at: usize, depth: usize) {
        let scene = play.scene;
        let node = &scene.nodes[at];
        play.clock_millis += self.random.between(node.delay_millis.0, node.delay_millis.1) as i64;
        if self.frames.len() <= depth {
            self.frames.push(Frame::default());
        }
        // Filled aside, because it reads the frame above it.
        let mut frame = std::mem::take(&mut self.spare);
        let above = &self.frames[depth - 1];
        let true_parent = above.as_parent.unwrap_or(UNKNOWN);
        if node.start == Start::ExecOnly {
            (frame.pid, frame.ppid) = (above.pid, above.ppid);
            set(&mut frame.parent_image, &above.parent_image);
            set(&mut frame.parent_cmd_line, &above.parent_cmd_line);
            frame.own = above.own;
        } else {
            frame.pid = play.host.fork();
            frame.ppid = above.pid;
            set(&mut frame.parent_image, &above.image);
            set(&mut frame.parent_cmd_line, &above.cmd_line);
            frame.own = Some(true_parent);
            if node.start == Start::Daemon {
                frame.ppid = 1;
                set(&mut frame.parent_image, Context::Init.image());
                set(&mut frame.parent_cmd_line, Context::Init.cmd_line());
                frame.own = Some(Parent { event: None, status: Status::Reparented, ancestor: true_parent.ancestor });
            }
        }
        if node.start == Start::ForkOnly {
            set(&mut frame.image, &above.image);
            set(&mut frame.cmd_line, &above.cmd_line);
            frame.as_parent = Some(Parent { event: None, status: Status::Forked, ancestor: true_parent.ancestor });
        } else {
            self.exec(play, at, &mut frame);
        }
        self.spare = std::mem::replace(&mut self.frames[depth], frame);
        self.nodes(play, at + 1, node.end, depth + 1);
    }

    fn exec<S: Sink>(&mut self, play: &mut Play<'_, S>, at: usize, frame: &mut Frame) {
        let node = &play.scene.nodes[at];
        let filling = Filling {
            host: &play.host.name,
            ip: &play.host.address,
            time_millis: play.clock_millis,
            process_seed: self.random.next(),
            scene_seed: play.scene_seed,
            host_seed: play.host.seed,
            incident_seed: play.actor.seed,
            hosts: self.hosts,
            gang: play.actor.values,
        };
        frame.image.clear();
        node.image.fill(&filling, &mut self.random, &mut frame.image);
        frame.cmd_line.clear();
        node.cmd_line.fill(&filling, &mut self.random, &mut frame.cmd_line);
        let lost = self.loss.permille > 0 && {
            let waits = node.end > at + 1 || node.keep || node.start == Start::Daemon;
            let share = match (self.loss.short_lived, waits) {
                (false, _) => self.loss.permille,
                (true, true) => self.loss.permille / 2,
                (true, false) => self.loss.permille * 146 / 100,
            };
            self.random.permille(share)
        };
        let lost = lost || play.host.sensor.misses(play.clock_millis);
        let id = event_id(self.played, self.seed);
        self.played += 1;
        let event = Started {
            id,
            time_millis: play.clock_millis,
            host: &play.host.name,
            image: &frame.image,
            cmd_line: &frame.cmd_line,
            pid: frame.pid,
            ppid: frame.ppid,
            parent_image: &frame.parent_image,
            parent_cmd_line: &frame.parent_cmd_line,
            gang: play.actor.gang,
            incident: play.actor.incident,
            wave: play.actor.wave,
            one_off: play.actor.one_off,
            scene: &play.scene.name,
            node: at,
            parent: frame.own.unwrap_or(UNKNOWN),
            lost,
        };
        play.full = !play.sink.started(&event);
        let status = if lost { Status::Missing } else { Status::Observed };
        frame.as_parent = Some(Parent { event: Some(id), status, ancestor: Some(id) });
        if node.keep {
            let live = Live { pid: frame.pid, event: Some(id), lost };
            play.kept = Some(Kept { live, image: frame.image.clone(), cmd_line: frame.cmd_line.clone() });
            play.host.keep(frame.pid);
        }
    }
}

pub(super) const UNKNOWN: Parent = Parent { event: None, status: Status::BeforeLog, ancestor: None };

fn set(to: &mut String, from: &str) {
    to.clear();
    to.push_str(from);
}

/// A seed of an incident, from its number.
pub(super) fn incident_seed(seed: u64, incident: u32) -> u64 {
    scatter(seed ^ scatter(u64::from(incident) + 0x1d))
}
