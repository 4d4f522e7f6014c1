//! What analysts decide, and what is remembered from run to run: `gang`, `allow`, `case`, `ledger`, and `--ledger`.

#[cfg(feature = "ledger")]
mod admin;
#[cfg(feature = "ledger")]
mod allow;
#[cfg(feature = "ledger")]
mod case;
#[cfg(feature = "ledger")]
mod gang;
#[cfg(feature = "ledger")]
mod known;
#[cfg(feature = "ledger")]
mod notices;
#[cfg(feature = "ledger")]
mod notify;
#[cfg(feature = "ledger")]
mod report;
#[cfg(feature = "ledger")]
mod session;
#[cfg(feature = "ledger")]
mod show;

#[cfg(not(feature = "ledger"))]
pub(super) use left_out::{Session, admin, allow, case, gang, notify, report};
#[cfg(feature = "ledger")]
pub(super) use with_ledger::{Session, admin, allow, case, gang, notify, report};

#[cfg(feature = "ledger")]
mod with_ledger {
    use anyhow::{Result, bail};
    use ringleader_ledger::{Ledger, What};

    use crate::args_ledger::{ByArgs, DecideArgs, LedgerArgs};
    use crate::commands::{Done, now};
    use crate::terminal::safe;

    pub(in crate::commands) use super::admin::admin;
    pub(in crate::commands) use super::allow::allow;
    pub(in crate::commands) use super::case::case;
    pub(in crate::commands) use super::gang::gang;
    pub(in crate::commands) use super::notify::notify;
    pub(in crate::commands) use super::report::report;
    pub(in crate::commands) use super::session::Session;

    pub(in crate::commands::ledger) fn look(args: &LedgerArgs) -> Result<Ledger> {
        Ok(Ledger::open_existing(&args.ledger)?)
    }

    /// For decisions: the first one makes the ledger.
    pub(in crate::commands::ledger) fn open(args: &LedgerArgs) -> Result<Ledger> {
        Ok(Ledger::open(&args.ledger)?)
    }

    pub(in crate::commands::ledger) fn decide(ledger: &mut Ledger, args: &DecideArgs, what: What) -> Result<Done> {
        decide_by(ledger, &args.by, &args.why, what)
    }

    pub(in crate::commands::ledger) fn decide_by(
        ledger: &mut Ledger,
        by: &ByArgs,
        why: &str,
        what: What,
    ) -> Result<Done> {
        let who = match &by.who {
            Some(who) => who.clone(),
            None => match std::env::var("USER").or_else(|_| std::env::var("USERNAME")) {
                Ok(user) if !user.is_empty() => user,
                _ => bail!("who decides? give a name with --who, or in RINGLEADER_WHO"),
            },
        };
        let taken = ledger.decide(&who, why, now(), what)?;
        if by.ledger.json {
            return super::show::json(&taken.decision);
        }
        let told = taken.decision.what.told();
        let note = if taken.new { "" } else { " (as it already was)" };
        anstream::println!("decision {}: {}{note}", taken.decision.seq, safe(&told));
        Ok(Done::Clean)
    }
}

#[cfg(not(feature = "ledger"))]
mod left_out {
    use std::io;

    use anyhow::{Result, bail};
    use ringleader_engine::Run;
    use ringleader_engine::assemble::Known;
    use ringleader_model::Tables;

    use crate::args::{OutputArgs, RecordArgs};
    use crate::args_ledger::{AllowCommand, CaseCommand, GangCommand, LedgerCommand, NotifyCommand, ReportArgs};
    use crate::commands::{Done, run};

    const LEFT_OUT: &str =
        "this build has no ledger: build it with `cargo install --path crates/cli` (feature `ledger`, on by default)";

    pub(in crate::commands) fn gang(_: &GangCommand) -> Result<Done> {
        bail!("{LEFT_OUT}")
    }
    pub(in crate::commands) fn allow(_: &AllowCommand) -> Result<Done> {
        bail!("{LEFT_OUT}")
    }
    pub(in crate::commands) fn case(_: &CaseCommand) -> Result<Done> {
        bail!("{LEFT_OUT}")
    }
    pub(in crate::commands) fn notify(_: &NotifyCommand) -> Result<Done> {
        bail!("{LEFT_OUT}")
    }
    pub(in crate::commands) fn admin(_: &LedgerCommand) -> Result<Done> {
        bail!("{LEFT_OUT}")
    }
    pub(in crate::commands) fn report(_: &ReportArgs) -> Result<Done> {
        bail!("{LEFT_OUT}")
    }

    /// A run that remembers nothing.
    pub(in crate::commands) struct Session;

    impl Session {
        pub(in crate::commands) fn open(args: &RecordArgs) -> Result<Self> {
            if args.ledger.is_some() {
                bail!("{LEFT_OUT}")
            }
            Ok(Self)
        }
        pub(in crate::commands) fn known(&mut self, output: &OutputArgs) -> Result<Known> {
            run::known(output.registry.as_deref())
        }
        pub(in crate::commands) fn watch(
            &mut self,
            tables: &mut dyn Tables,
            run: impl FnOnce(&mut dyn Tables) -> io::Result<Run>,
        ) -> io::Result<Run> {
            run(tables)
        }
        pub(in crate::commands) fn record(&mut self, _: &mut Run, _: &str) -> Result<()> {
            Ok(())
        }
        pub(in crate::commands) fn notices(&mut self, _: &Run, _: &str, _: &OutputArgs) -> Result<()> {
            Ok(())
        }
    }
}
