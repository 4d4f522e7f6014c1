//! Findings → what leaves for other tools, a file per format. What leaves is decided once, in [`Shared`]; an export only writes it
//! as its consumer reads it. Deliberately absent: sending anything, and any clock.
//!
//! Each is accepted by its consumer's own validator: `.ci/exports` asks them.

mod blocklist;
mod dot;
mod draft;
mod firewall;
mod gather;
mod graph;
mod graphml;
mod harm;
mod load;
mod misp;
mod navigator;
mod ocsf;
mod parquet;
mod shared;
mod sheet;
mod sigma;
mod stix;
mod suricata;
mod tlp;
mod veil;
mod yara;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::partial::Partial;
pub use shared::{Choice, LeftOut, Shared};
pub use tlp::Tlp;

/// One format that another tool reads.
pub trait Export: Sync {
    /// As on the command line; `snake_case`.
    fn name(&self) -> &'static str;
    /// Its file.
    fn file(&self) -> &'static str;
    /// One sentence, for `--list` and `--help`.
    fn summary(&self) -> &'static str;
    fn write(&self, shared: &Shared, out: &mut (dyn Write + Send)) -> io::Result<()>;
}

/// Every export, in the order of `--list`.
pub const EXPORTS: &[&dyn Export] = &[
    &blocklist::Plain,
    &blocklist::Sheet,
    &sheet::Csv,
    &dot::Dot,
    &graphml::GraphMl,
    &firewall::IpSet,
    &misp::Misp,
    &navigator::Navigator,
    &firewall::NfTables,
    &ocsf::Ocsf,
    &parquet::Parquet,
    &sigma::Sigma,
    &stix::Stix,
    &suricata::Suricata,
    &yara::Yara,
];

/// Those that a run writes into its findings folder.
pub(crate) const STIX: &dyn Export = &stix::Stix;
pub(crate) const MISP: &dyn Export = &misp::Misp;
pub(crate) const NAVIGATOR: &dyn Export = &navigator::Navigator;
pub(crate) const BLOCKLIST: &dyn Export = &blocklist::Plain;

/// Writes a file whole or not at all.
pub fn place(export: &dyn Export, shared: &Shared, dir: &Path) -> io::Result<PathBuf> {
    let path = dir.join(export.file());
    let mut out = Partial::new(&path);
    export
        .write(shared, &mut out)
        .and_then(|()| out.place())
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    Ok(path)
}

/// The export of this name.
pub fn by_name(name: &str) -> Option<&'static dyn Export> {
    EXPORTS.iter().copied().find(|it| it.name() == name)
}
