//! a findings folder → tables beside the lake's, and the gangs by name. Deliberately absent: what findings mean.

use std::path::{Path, PathBuf};

use datafusion::prelude::{ParquetReadOptions, SessionContext};
use ringleader_model::Timestamp;
use ringleader_model::findings::{Gang, Strength};
use serde::{Deserialize, Serialize};

use super::super::{Error, Lake, Window};
use super::question::VALUES;
use super::{HuntError, message};

/// Files that become tables of their names.
const TABLES: [&str; 5] = ["members", "episodes", "behaviours", "repairs", "processes"];
/// What the lake remembers of the last analysis. A name with `_` in front is no data file to any Delta tool.
const NOTE: &str = "_last_analyze.json";
/// Of a file that is no note of ours, so much is read.
const NOTE_BYTES: u64 = 64 << 10;
/// Gangs that a message names.
const NAMED: usize = 8;
/// Kinds of indicators that others can meet: not paths and accounts, which many share.
const KINDS: [&str; 7] = ["url", "domain", "ip", "ip_port", "hash", "wallet", "ssh_key"];

/// A findings folder that questions can be asked of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HuntFindings {
    pub folder: PathBuf,
    tables: Vec<&'static str>,
}

/// A gang as its folder names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GangName {
    pub id: String,
    pub name: String,
    /// Its infrastructure, the strongest first.
    pub values: Vec<String>,
}

/// Where the last analysis of a lake left its findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    pub folder: PathBuf,
    /// Of the lake, when it was analysed.
    pub version: u64,
    pub since: Option<i64>,
    pub until: Option<i64>,
}

impl Noted {
    pub fn new(folder: PathBuf, version: u64, window: &Window) -> Self {
        Self { folder, version, since: window.since.map(|it| it.0), until: window.until.map(|it| it.0) }
    }

    pub fn window(&self) -> Window {
        Window { since: self.since.map(Timestamp), until: self.until.map(Timestamp) }
    }
}

impl Lake {
    /// Remembers where the findings of an analysis are.
    pub fn note_findings(&self, noted: &Noted) -> Result<(), Error> {
        let doing = || format!("cannot note the findings in {}", self.root().display());
        let io = |source| Error::Io { doing: doing(), source };
        let text = serde_json::to_vec(noted).map_err(|it| Error::engine(doing(), it))?;
        let mut file = tempfile::NamedTempFile::new_in(self.root()).map_err(io)?;
        std::io::Write::write_all(&mut file, &text).map_err(io)?;
        file.persist(self.root().join(NOTE)).map_err(|it| io(it.error))?;
        Ok(())
    }

    /// What `note_findings` remembered last.
    pub fn noted_findings(&self) -> Option<Noted> {
        let path = self.root().join(NOTE);
        let length = path.metadata().ok().filter(|it| it.is_file())?.len();
        (length <= NOTE_BYTES)
            .then(|| std::fs::read(path).ok())
            .flatten()
            .and_then(|it| serde_json::from_slice(&it).ok())
    }
}

impl HuntFindings {
    pub fn open(folder: &Path) -> Result<Self, HuntError> {
        let is = |name: &str| folder.join(name).is_file();
        let wrong = |why: &str| HuntError::Findings(folder.display().to_string(), why.to_owned());
        if !folder.is_dir() {
            return Err(wrong("there is no such folder"));
        }
        if !is("gangs.json") || !is("members.parquet") {
            return Err(wrong("gangs.json and members.parquet are not in it"));
        }
        let folder = folder.canonicalize().map_err(|it| wrong(&it.to_string()))?;
        let tables = TABLES.into_iter().filter(|it| is(&format!("{it}.parquet"))).collect();
        Ok(Self { folder, tables })
    }

    /// Names of the tables that it adds.
    pub fn tables(&self) -> &[&'static str] {
        &self.tables
    }

    pub(super) async fn register(&self, context: &SessionContext) -> Result<(), HuntError> {
        for table in &self.tables {
            let path = self.folder.join(format!("{table}.parquet"));
            let path = path.to_string_lossy();
            context.register_parquet(*table, path, ParquetReadOptions::default()).await.map_err(|it| {
                let why = format!("{table}.parquet cannot be read: {}", message(&it));
                HuntError::Findings(self.folder.display().to_string(), why)
            })?;
        }
        Ok(())
    }

    /// The gang of this name, id, or beginning of an id.
    pub fn gang(&self, asked: &str) -> Result<GangName, HuntError> {
        let folder = self.folder.display().to_string();
        let wrong = |why: String| HuntError::Findings(folder.clone(), why);
        let file = std::fs::File::open(self.folder.join("gangs.json")).map_err(|it| wrong(it.to_string()))?;
        let gangs: Vec<Gang> = serde_json::from_reader(std::io::BufReader::new(file))
            .map_err(|it| wrong(format!("gangs.json is damaged: {it}")))?;
        let begins = |it: &Gang| asked.len() >= 4 && it.gang_id.starts_with(asked);
        let whole: Vec<&Gang> =
            gangs.iter().filter(|it| *it.gang_id == *asked || it.name.eq_ignore_ascii_case(asked)).collect();
        let found = if whole.is_empty() { gangs.iter().filter(|it| begins(it)).collect() } else { whole };
        let [gang] = found[..] else {
            let listed = if found.is_empty() { gangs.iter().collect() } else { found };
            let mut known: Vec<String> = listed
                .iter()
                .take(NAMED)
                .map(|it| format!("{} ({})", it.gang_id.chars().take(9).collect::<String>(), it.name))
                .collect();
            if listed.len() > NAMED {
                known.push(format!("{} more", listed.len() - NAMED));
            }
            let known = if known.is_empty() { "no gangs".to_owned() } else { known.join(", ") };
            return Err(HuntError::NoGang { folder, asked: asked.to_owned(), known });
        };
        Ok(GangName { id: gang.gang_id.to_string(), name: gang.name.clone(), values: infrastructure(gang) })
    }
}

/// The servers that it ran, then what else identifies it.
fn infrastructure(gang: &Gang) -> Vec<String> {
    let servers = gang.who.infrastructure.iter().map(|it| &it.value);
    let others = KINDS.iter().filter_map(|it| gang.who.indicators.get(*it)).flatten();
    let strong = others.filter(|it| it.strength == Strength::Strong).map(|it| &it.value);
    let mut values: Vec<String> = Vec::new();
    for value in servers.chain(strong) {
        // A flow has address and port apart, and who asks only for the address is of interest too.
        let bare = match value.rsplit_once(':') {
            Some((address, port)) if port.parse::<u16>().is_ok() => address.trim_matches(['[', ']']),
            _ => value,
        };
        if values.len() < VALUES && !values.iter().any(|it| it == bare) {
            values.push(bare.to_owned());
        }
    }
    values
}
