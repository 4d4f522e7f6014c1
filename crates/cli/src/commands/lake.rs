//! `ingest` and `analyze`: the same job over a lake.

use std::path::Path;

use anyhow::Result;

use super::Done;
use crate::args::{OutputArgs, ReadArgs, ResourceArgs};

#[cfg(not(feature = "lake"))]
const LEFT_OUT: &str = "this build has no lake: build it with `cargo install --path crates/cli` (feature `lake`, on by default)";

#[cfg(not(feature = "lake"))]
pub(super) fn ingest(_read: &ReadArgs, _lake: &Path) -> Result<Done> {
    anyhow::bail!("{LEFT_OUT}")
}

#[cfg(not(feature = "lake"))]
pub(super) fn analyze(
    _lake: &Path,
    _since: Option<&str>,
    _until: Option<&str>,
    _output: &OutputArgs,
    _resources: &ResourceArgs,
) -> Result<Done> {
    anyhow::bail!("{LEFT_OUT}")
}
