//! The strings of one bucket → what was found out about each, by its number: nothing is looked up twice.

use std::rc::Rc;

use super::Labeller;
use super::hints::HintBook;
use super::said::Said;
use crate::collect::rows::{Bucket, Sym};
use crate::connect::boundary::{self, Role};
use crate::connect::{HostGraph, Process};
use crate::merge::sketch::Key;

/// What the labeller knows of the strings of a bucket. Made once a bucket, filled as they are met.
pub struct Words<'b> {
    bucket: &'b Bucket,
    words: Vec<Word>,
    // What is asked of every process lies close together.
    briefs: Vec<Option<Brief>>,
    images: Vec<Option<Image>>,
    /// What each says for the rules, by its number in the labeller's book.
    hint_ids: Vec<u32>,
}

#[derive(Clone, Default)]
struct Word {
    said: Option<Rc<Said>>,
    /// The image of this name, of which no command line was logged.
    unlogged: Option<Rc<Said>>,
}

/// Of what a process says, as much as it takes to pass over it.
#[derive(Clone, Copy)]
pub(super) struct Brief {
    pub(super) root: Key,
    pub(super) template_hash: u64,
    pub(super) n_indicators: u32,
    pub(super) notable: bool,
    pub(super) joins: bool,
    pub(super) script: bool,
    pub(super) has_features: bool,
    /// There is text within the text.
    pub(super) hides: bool,
}

impl Brief {
    fn of(said: &Said) -> Self {
        Self {
            root: said.root,
            template_hash: said.template_hash,
            n_indicators: said.indicators.len() as u32,
            notable: said.notable,
            joins: said.joins,
            script: said.is_worth_reading(false),
            has_features: !said.features.is_empty(),
            hides: !said.layers.is_empty(),
        }
    }
}

/// What a path says of the process whose image it is.
#[derive(Clone, Copy)]
pub(super) struct Image {
    role: Option<Role>,
    /// A session or its server: it says nothing of the bot.
    pub(super) session: bool,
    /// A path, and of a program that no system installs.
    pub(super) foreign: bool,
}

impl<'b> Words<'b> {
    pub fn new(bucket: &'b Bucket) -> Self {
        let n = bucket.strings.len() + 1;
        Self {
            bucket,
            words: vec![Word::default(); n],
            briefs: vec![None; n],
            images: vec![None; n],
            hint_ids: vec![UNASKED; n],
        }
    }

    pub fn bucket(&self) -> &'b Bucket {
        self.bucket
    }

    pub(super) fn text(&self, sym: Sym) -> Option<&'b str> {
        (sym != 0).then(|| self.bucket.strings.get(sym))
    }

    pub(super) fn image(&mut self, sym: Sym) -> Image {
        *self.images[sym as usize].get_or_insert_with(|| {
            let path = self.bucket.strings.get(sym);
            let role = boundary::role_of_image(path);
            Image {
                role,
                session: matches!(role, Some(Role::SshDaemon | Role::Cron)),
                foreign: path.contains(['/', '\\']) && !boundary::is_system_path(path),
            }
        })
    }

    /// The role of the process whose image this is.
    pub fn role(&mut self, sym: Sym) -> Option<Role> {
        self.image(sym).role
    }

    /// What a process says: by its command line, else by its image.
    pub(super) fn said(&mut self, labeller: &mut Labeller<'_>, process: &Process) -> &Rc<Said> {
        if process.cmd_line == 0 && process.inferred {
            let path = self.bucket.strings.get(process.file_path);
            return self.words[process.file_path as usize].unlogged.get_or_insert_with(|| {
                labeller.say(&format!("{} <unlogged>", if path.is_empty() { "unknown" } else { path }))
            });
        }
        self.text_said(labeller, if process.cmd_line == 0 { process.file_path } else { process.cmd_line })
    }

    pub(super) fn text_said(&mut self, labeller: &mut Labeller<'_>, sym: Sym) -> &Rc<Said> {
        let strings = &self.bucket.strings;
        self.words[sym as usize].said.get_or_insert_with(|| labeller.say_hashed(strings.get(sym), strings.hash(sym)))
    }

    pub(super) fn brief(&mut self, labeller: &mut Labeller<'_>, process: &Process) -> Brief {
        if process.cmd_line == 0 && process.inferred {
            return Brief::of(self.said(labeller, process));
        }
        let sym = if process.cmd_line == 0 { process.file_path } else { process.cmd_line } as usize;
        match self.briefs[sym] {
            Some(known) => known,
            None => *self.briefs[sym].insert(Brief::of(self.words[sym].said.get_or_insert_with(|| {
                let strings = &self.bucket.strings;
                labeller.say_hashed(strings.get(sym as Sym), strings.hash(sym as Sym))
            }))),
        }
    }

    /// Rules that could match a process with these texts.
    pub(super) fn candidates(&mut self, labeller: &mut Labeller<'_>, around: &Around, cmd_line: Sym) -> Rc<[u16]> {
        let syms = [around.file_path, cmd_line, around.parent_path, around.parent_cmd_line, around.user];
        let ids = syms.map(|sym| if sym == 0 { HintBook::NOTHING } else { self.hint_id(labeller, sym) });
        let behaviours = &labeller.knowledge.behaviours;
        if let Some(found) = labeller.hints.candidates(behaviours, ids) {
            return found;
        }
        // Beyond what the book holds, texts are asked themselves.
        let hints = syms.map(|sym| (sym != 0).then(|| behaviours.hints(self.bucket.strings.get(sym))));
        behaviours.candidates(hints.each_ref().map(Option::as_ref)).as_slice().into()
    }

    fn hint_id(&mut self, labeller: &mut Labeller<'_>, sym: Sym) -> u32 {
        let known = self.hint_ids[sym as usize];
        if known != UNASKED {
            return known;
        }
        let id = match &self.words[sym as usize].said {
            Some(said) => labeller.hints.id(&said.hints),
            None => labeller.hints.id(&labeller.knowledge.behaviours.hints(self.bucket.strings.get(sym))),
        };
        self.hint_ids[sym as usize] = id;
        id
    }
}

const UNASKED: u32 = u32::MAX;

/// What a rule sees of a process besides its command line.
pub(super) struct Around {
    pub(super) file_path: Sym,
    pub(super) parent_path: Sym,
    pub(super) parent_cmd_line: Sym,
    pub(super) user: Sym,
}

impl Around {
    pub(super) fn of(graph: &HostGraph, process: &Process) -> Self {
        let parent = process.parent.map(|it| &graph.processes[it as usize]);
        let or_own = |own: Sym, of: fn(&Process) -> Sym| if own != 0 { own } else { parent.map_or(0, of) };
        Self {
            file_path: process.file_path,
            parent_path: or_own(process.parent_name, |it| it.file_path),
            parent_cmd_line: or_own(process.parent_cmd_line, |it| it.cmd_line),
            user: process.user,
        }
    }
}
