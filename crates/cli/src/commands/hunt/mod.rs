//! `hunt`: questions to a lake, ready or in SQL.

#[cfg(feature = "lake")]
mod ask;
#[cfg(feature = "lake")]
mod show;
#[cfg(feature = "lake")]
mod tree;

#[cfg(feature = "lake")]
pub(super) use ask::hunt;

#[cfg(not(feature = "lake"))]
pub(super) fn hunt(_args: &crate::args_hunt::HuntArgs) -> anyhow::Result<super::Done> {
    anyhow::bail!("{}", super::lake::LEFT_OUT)
}
