//! A run with a ledger: what it knows beforehand, what it sees, what it leaves.

use std::collections::BTreeMap;
use std::io;

use anyhow::{Context as _, Result, bail};
use ringleader_engine::Run;
use ringleader_engine::assemble::Known;
use ringleader_ledger::{Ledger, RunRecord, Seen, Settings, Watch, without_hosts};
use ringleader_model::findings::Warning;
use ringleader_model::{Tables, Timestamp};
use ringleader_notify::Config;

use super::known::known;
use crate::args::{OutputArgs, RecordArgs};
use crate::commands::{now, run};

pub(in crate::commands) struct Session {
    open: Option<Open>,
}

struct Open {
    ledger: Ledger,
    settings: Settings,
    channels: Option<Config>,
    now: Timestamp,
    /// Patterns of hosts.
    allowed: Vec<String>,
    seen: Seen,
}

impl Session {
    /// Opens the ledger before anything is read: what is wrong with it is told at once.
    pub(in crate::commands) fn open(args: &RecordArgs) -> Result<Self> {
        let Some(at) = &args.ledger else { return Ok(Self { open: None }) };
        let channels = args.notify.as_deref().map(super::notify::config).transpose()?;
        let mut ledger = Ledger::open(at)?;
        let now = now();
        let allowed = ledger.decided()?.allowed_hosts(now);
        let settings = Settings { budget: args.budget, dormant_days: args.dormant_days };
        Ok(Self { open: Some(Open { ledger, settings, channels, now, allowed, seen: Seen::default() }) })
    }

    /// The gangs that are known, by the ledger or by an earlier run.
    pub(in crate::commands) fn known(&mut self, output: &OutputArgs) -> Result<Known> {
        let Some(open) = &mut self.open else { return run::known(output.registry.as_deref()) };
        if output.registry.is_some() {
            bail!("--ledger and --registry both say which gangs are known: give one of them");
        }
        let registry = open.ledger.registry()?;
        let decided = open.ledger.decided()?;
        Ok(known(&registry, &decided, open.now))
    }

    /// Runs, and watches the rows that come of it.
    pub(in crate::commands) fn watch(
        &mut self,
        tables: &mut dyn Tables,
        run: impl FnOnce(&mut dyn Tables) -> io::Result<Run>,
    ) -> io::Result<Run> {
        let Some(open) = &mut self.open else { return run(tables) };
        let mut watch = Watch::new(tables, open.allowed.iter().cloned());
        let result = run(&mut watch);
        open.seen = watch.done();
        result
    }

    /// What each tenant needs to know, where the ledger knows whose hosts are whose.
    pub(in crate::commands) fn notices(&mut self, run: &Run, tenant: &str, output: &OutputArgs) -> Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let places = open.ledger.placed(tenant)?;
        let notices = ringleader_ledger::notices(&run.findings, &open.seen, &places);
        super::notices::write(&notices, run::lang(output.lang), &output.out)
    }

    /// Records the run; its warnings take the place of those that it gave without memory.
    pub(in crate::commands) fn record(&mut self, run: &mut Run, tenant: &str) -> Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        without_hosts(&mut run.findings, &open.allowed);
        let record = RunRecord::of(&run.findings, open.now, tenant);
        let names: BTreeMap<&str, &str> =
            run.findings.gangs.iter().map(|it| (&*it.gang_id, it.name.as_str())).collect();
        let name = |id: &str| names.get(id).map_or_else(|| id.to_owned(), |it| (*it).to_owned());
        let compose = |warnings: &[Warning]| match &open.channels {
            Some(config) => ringleader_notify::compose(config, warnings, &name, open.now),
            None => Vec::new(),
        };
        let recorded = open
            .ledger
            .record(&record, &run.findings, &open.seen, &open.settings, &compose)
            .context("the findings are written, but were not recorded")?;
        if recorded.again {
            anstream::eprintln!("ledger: this run was recorded before; nothing was added");
        }
        run.findings.warnings = recorded.warnings;
        Ok(())
    }
}
