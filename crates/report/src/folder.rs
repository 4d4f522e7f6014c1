//! Rows as they come, then the findings → the findings folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ringleader_model::Tables;
use ringleader_model::findings::{BehaviourRow, EpisodeRow, Findings, MemberRow, ProcessRow, RepairRow};

use crate::export::{Choice, Shared};
use crate::partial::Partial;
use crate::table::Table;
use crate::{OUTPUTS, Options, Output, tables};

/// The findings folder of one run. Rows are taken while the run goes on and wait in files beside their places; nothing of
/// an earlier run is touched before [`Folder::write`].
pub struct Folder {
    dir: PathBuf,
    episodes: Table<EpisodeRow, Partial>,
    members: Table<MemberRow, Partial>,
    /// Where they were asked for.
    processes: Option<Table<ProcessRow, Partial>>,
    repairs: Table<RepairRow, Partial>,
    behaviours: Table<BehaviourRow, Partial>,
}

impl Folder {
    /// Touches no file.
    pub fn new(dir: &Path, processes: bool) -> Self {
        let partial = |file: &str| Partial::new(&dir.join(file));
        Self {
            dir: dir.to_owned(),
            episodes: tables::episodes(partial(tables::EPISODES.file)),
            members: tables::members(partial(tables::MEMBERS.file)),
            processes: processes.then(|| tables::processes(partial(tables::PROCESSES.file))),
            repairs: tables::repairs(partial(tables::REPAIRS.file)),
            behaviours: tables::behaviours(partial(tables::BEHAVIOURS.file)),
        }
    }

    /// Writes every file that applies; returns their paths in the order of [`OUTPUTS`].
    ///
    /// A file appears whole or not at all. A file of an earlier run that no longer applies is removed, so that the folder
    /// never mixes two runs.
    pub fn write(self, findings: &Findings, options: &Options) -> io::Result<Vec<PathBuf>> {
        let Self { dir, episodes, members, processes, repairs, behaviours } = self;
        fs::create_dir_all(&dir).map_err(|error| at(&dir, &error))?;
        let mut waiting = vec![
            (tables::EPISODES.file, episodes.finish()),
            (tables::MEMBERS.file, members.finish()),
            (tables::REPAIRS.file, repairs.finish()),
            (tables::BEHAVIOURS.file, behaviours.finish()),
        ];
        waiting.extend(processes.map(|it| (tables::PROCESSES.file, it.finish())));
        let mut written = Vec::new();
        let shared = Shared::of(findings, &Choice::default());
        for output in OUTPUTS {
            let path = dir.join(output.file());
            let made = match output {
                Output::Export(export) => {
                    let mut out = Partial::new(&path);
                    Some(export.write(&shared, &mut out).and_then(|()| out.place()))
                }
                Output::Table(table) => {
                    let place = waiting.iter().position(|it| it.0 == table.file);
                    place.map(|it| waiting.swap_remove(it).1.and_then(Partial::place))
                }
                Output::Report(report) => report.applies(findings).then(|| {
                    let mut out = Partial::new(&path);
                    report.write(findings, options, &mut out)?;
                    out.place()
                }),
            };
            match made {
                Some(result) => {
                    result.map_err(|error| at(&path, &error))?;
                    written.push(path);
                }
                None if path.exists() => fs::remove_file(&path).map_err(|error| at(&path, &error))?,
                None => {}
            }
        }
        Ok(written)
    }

    fn at(&self, table: &tables::TableFile, result: io::Result<()>) -> io::Result<()> {
        result.map_err(|error| at(&self.dir.join(table.file), &error))
    }
}

impl Tables for Folder {
    fn episodes(&mut self, rows: Vec<EpisodeRow>) -> io::Result<()> {
        let result = self.episodes.push(rows);
        self.at(&tables::EPISODES, result)
    }
    fn members(&mut self, rows: Vec<MemberRow>) -> io::Result<()> {
        let result = self.members.push(rows);
        self.at(&tables::MEMBERS, result)
    }
    fn processes(&mut self, rows: Vec<ProcessRow>) -> io::Result<()> {
        let result = self.processes.as_mut().map_or(Ok(()), |it| it.push(rows));
        self.at(&tables::PROCESSES, result)
    }
    fn repairs(&mut self, rows: Vec<RepairRow>) -> io::Result<()> {
        let result = self.repairs.push(rows);
        self.at(&tables::REPAIRS, result)
    }
    fn behaviours(&mut self, rows: Vec<BehaviourRow>) -> io::Result<()> {
        let result = self.behaviours.push(rows);
        self.at(&tables::BEHAVIOURS, result)
    }
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
