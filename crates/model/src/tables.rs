//! Where the rows of the findings' tables go as they are made. Deliberately absent: what becomes of them there.
//!
//! There are as many rows as events in campaigns, so nobody holds them all: they come host after host.

use std::io;

use crate::findings::{BehaviourRow, EpisodeRow, MemberRow, ProcessRow, RepairRow};

/// Takes the rows of a run. Hosts come in order of their names; a host's rows of one table come in that table's order,
/// in one call or several.
pub trait Tables {
    /// By episode.
    fn episodes(&mut self, rows: Vec<EpisodeRow>) -> io::Result<()>;
    /// By time, then event.
    fn members(&mut self, rows: Vec<MemberRow>) -> io::Result<()>;
    /// By time, then event; only where they were asked for.
    fn processes(&mut self, rows: Vec<ProcessRow>) -> io::Result<()>;
    /// By episode, then node.
    fn repairs(&mut self, rows: Vec<RepairRow>) -> io::Result<()>;
    /// By time, then event, then behaviour.
    fn behaviours(&mut self, rows: Vec<BehaviourRow>) -> io::Result<()>;
}

/// Holds all rows: for tests and other small uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    pub episodes: Vec<EpisodeRow>,
    pub members: Vec<MemberRow>,
    pub processes: Vec<ProcessRow>,
    pub repairs: Vec<RepairRow>,
    pub behaviours: Vec<BehaviourRow>,
}

impl Rows {
    /// Hands everything on.
    pub fn give(self, tables: &mut dyn Tables) -> io::Result<()> {
        tables.episodes(self.episodes)?;
        tables.members(self.members)?;
        tables.processes(self.processes)?;
        tables.repairs(self.repairs)?;
        tables.behaviours(self.behaviours)
    }
}

impl Tables for Rows {
    fn episodes(&mut self, rows: Vec<EpisodeRow>) -> io::Result<()> {
        self.episodes.extend(rows);
        Ok(())
    }
    fn members(&mut self, rows: Vec<MemberRow>) -> io::Result<()> {
        self.members.extend(rows);
        Ok(())
    }
    fn processes(&mut self, rows: Vec<ProcessRow>) -> io::Result<()> {
        self.processes.extend(rows);
        Ok(())
    }
    fn repairs(&mut self, rows: Vec<RepairRow>) -> io::Result<()> {
        self.repairs.extend(rows);
        Ok(())
    }
    fn behaviours(&mut self, rows: Vec<BehaviourRow>) -> io::Result<()> {
        self.behaviours.extend(rows);
        Ok(())
    }
}
