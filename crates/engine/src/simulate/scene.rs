//! a scene file → scenes: trees of processes that one activity starts.
//!
//! ```text
//! scene NAME from=CONTEXT [roles=a,b] [weight=N] [on=minute] [needs=CONTEXT] [after=60-900] [times=1-9] [odds=50]
//!   /bin/sh | sh -c 'date > /tmp/x'       image | command line; two blanks of indent a level
//!     ~                                   a fork that never execs: it has a pid and no event
//!     ! /usr/bin/date | date              the parent's own pid executes this
//!     ^ /usr/sbin/x | x -d                its parent exits first: logged with ppid 1
//!     *2-9 ?50 +100-900 =keep /bin/a | a  2 to 9 times, each at 50%, after 100 to 900 ms; `=keep`: later stages
//!                                         of the incident start from it
//! ```

use super::fleet::{Context, Role};
use super::template::Template;

#[derive(Debug)]
pub(super) struct Scene {
    pub(super) name: String,
    pub(super) from: Context,
    /// Bit per role.
    pub(super) roles: u32,
    pub(super) weight: u64,
    /// A service that the host must run besides: what was broken into need not be what starts the first process.
    pub(super) needs: Context,
    /// Starts as the clock turns to a new minute.
    pub(super) on_minute: bool,
    /// Of an incident's stages: seconds after the one before (and between repeats), how often, at what percentage.
    pub(super) after_secs: (u64, u64),
    pub(super) repeats: (u64, u64),
    pub(super) odds: u64,
    /// Parents before children.
    pub(super) nodes: Vec<Node>,
}

#[derive(Debug)]
pub(super) struct Node {
    /// The first node that is no longer below this one.
    pub(super) end: usize,
    pub(super) start: Start,
    pub(super) keep: bool,
    pub(super) times: (u64, u64),
    pub(super) percent: u64,
    pub(super) delay_millis: (u64, u64),
    pub(super) image: Template,
    pub(super) cmd_line: Template,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    ForkAndExec,
    ForkOnly,
    ExecOnly,
    Daemon,
}

impl Scene {
    /// Expected number of events, in thousandths.
    pub(super) fn expected_events(&self) -> u64 {
        self.expected(0, self.nodes.len()) * (self.repeats.0 + self.repeats.1) * self.odds / 200
    }

    fn expected(&self, mut at: usize, end: usize) -> u64 {
        let mut sum = 0;
        while at < end {
            let node = &self.nodes[at];
            let own = if node.start == Start::ForkOnly { 0 } else { 1000 };
            let below = self.expected(at + 1, node.end);
            sum += (own + below) * (node.times.0 + node.times.1) * node.percent / 200;
            at = node.end;
        }
        sum
    }
}

/// Reads a scene file; the error says which line.
pub(super) fn parse(text: &str, names: &[&str]) -> Result<Vec<Scene>, String> {
    let mut scenes: Vec<Scene> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let at = |what: String| format!("line {number}: {what}");
        let trimmed = line.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        if let Some(head) = line.strip_prefix("scene ") {
            close(scenes.last_mut(), &mut open, 0);
            scenes.push(parse_head(head).map_err(at)?);
            continue;
        }
        let scene = scenes.last_mut().ok_or_else(|| at("a node before any scene".to_owned()))?;
        let level = (line.len() - trimmed.len()) / 2;
        if level == 0 || level > open.len() + 1 {
            return Err(at("indented too far, or not at all".to_owned()));
        }
        close(Some(scene), &mut open, level - 1);
        open.push(scene.nodes.len());
        scene.nodes.push(parse_node(trimmed, names).map_err(at)?);
    }
    close(scenes.last_mut(), &mut open, 0);
    match scenes.iter().find(|it| it.nodes.is_empty()) {
        Some(empty) => Err(format!("scene `{}` starts nothing", empty.name)),
        None => Ok(scenes),
    }
}

fn close(scene: Option<&mut Scene>, open: &mut Vec<usize>, level: usize) {
    let Some(scene) = scene else { return };
    let end = scene.nodes.len();
    for at in open.drain(level..) {
        scene.nodes[at].end = end;
    }
}

fn parse_head(head: &str) -> Result<Scene, String> {
    let mut words = head.split_whitespace();
    let name = words.next().unwrap_or_default().to_owned();
    let mut needs = None;
    let mut scene = Scene {
        name,
        from: Context::Init,
        roles: u32::MAX,
        weight: 0,
        needs: Context::Init,
        on_minute: false,
        after_secs: (0, 0),
        repeats: (1, 1),
        odds: 100,
        nodes: Vec::new(),
    };
    for word in words {
        let (key, value) = word.split_once('=').ok_or_else(|| format!("`{word}` is not key=value"))?;
        match key {
            "from" => scene.from = Context::from_name(value).ok_or_else(|| format!("no context `{value}`"))?,
            "needs" => needs = Some(Context::from_name(value).ok_or_else(|| format!("no context `{value}`"))?),
            "weight" => scene.weight = value.parse().map_err(|_| format!("`{value}` is no number"))?,
            "after" => scene.after_secs = range(value)?,
            "times" => scene.repeats = range(value)?,
            "odds" => scene.odds = range(value)?.0,
            "on" if value == "minute" => scene.on_minute = true,
            "roles" => {
                scene.roles = 0;
                for role in value.split(',') {
                    scene.roles |= 1 << Role::from_name(role).ok_or_else(|| format!("no role `{role}`"))? as u32;
                }
            }
            _ => return Err(format!("unknown key `{key}`")),
        }
    }
    scene.needs = needs.unwrap_or(scene.from);
    Ok(scene)
}

fn parse_node(text: &str, names: &[&str]) -> Result<Node, String> {
    let mut node = Node {
        end: 0,
        start: Start::ForkAndExec,
        keep: false,
        times: (1, 1),
        percent: 100,
        delay_millis: (1, 24),
        image: Template::default(),
        cmd_line: Template::default(),
    };
    let mut rest = text;
    loop {
        let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
        match word.as_bytes().first() {
            Some(b'~') => node.start = Start::ForkOnly,
            Some(b'!') => node.start = Start::ExecOnly,
            Some(b'^') => node.start = Start::Daemon,
            Some(b'*') => node.times = range(&word[1..])?,
            Some(b'?') => node.percent = range(&word[1..])?.0,
            Some(b'+') => node.delay_millis = range(&word[1..])?,
            Some(b'=') => node.keep = true,
            _ => break,
        }
        rest = after.trim_start();
    }
    if node.start != Start::ForkOnly {
        let (image, cmd_line) = rest.split_once(" | ").ok_or_else(|| format!("no ` | ` in `{text}`"))?;
        node.image = Template::parse(image.trim(), names)?;
        node.cmd_line = Template::parse(cmd_line.trim(), names)?;
    }
    Ok(node)
}

fn range(text: &str) -> Result<(u64, u64), String> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let number = |it: &str| it.parse().map_err(|_| format!("`{text}` is no range"));
    let (low, high) = (number(low)?, number(high)?);
    if low > high { Err(format!("`{text}` runs backwards")) } else { Ok((low, high)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_read_with_its_marks() {
        let text = "# a note\nscene job from=cron roles=web,db weight=3 on=minute\n  ~\n    /bin/sh | sh -c x\n      *2-4 ?50 +5-9 /bin/x | x\n    ^ =keep /bin/y | y\n";
        let scenes = parse(text, &[]).unwrap();
        let scene = &scenes[0];
        assert_eq!((scene.name.as_str(), scene.weight, scene.on_minute), ("job", 3, true));
        assert_eq!(scene.nodes.iter().map(|it| it.end).collect::<Vec<_>>(), [4, 3, 3, 4]);
        assert_eq!(scene.nodes[0].start, Start::ForkOnly);
        assert_eq!((scene.nodes[2].times, scene.nodes[2].percent, scene.nodes[2].delay_millis), ((2, 4), 50, (5, 9)));
        assert!(scene.nodes[3].keep && scene.nodes[3].start == Start::Daemon);
        assert_eq!(scene.expected_events(), 1000 + 1500 + 1000);
    }

    #[test]
    fn an_unreadable_line_is_named() {
        for (text, want) in [
            ("scene a from=cron", "scene `a` starts nothing"),
            ("scene a from=moon", "line 1: no context `moon`"),
            ("  /bin/a | a", "line 1: a node before any scene"),
            ("scene a\n      /bin/a | a", "line 2: indented too far, or not at all"),
            ("scene a\n  /bin/a", "line 2: no ` | ` in `/bin/a`"),
            ("scene a\n  *9-2 /bin/a | a", "line 2: `9-2` runs backwards"),
        ] {
            assert_eq!(parse(text, &[]).unwrap_err(), want);
        }
    }
}
