//! A run with a ledger: what it knows beforehand, what it sees, what it leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use anyhow::{Context as _, Result, bail};
use ringleader_engine::Run;
use ringleader_engine::assemble::{self, Known};
use ringleader_ledger::{Allowable, Decided, Ledger, Registry, RunRecord, Seen, Settings, Watch, without_hosts};
use ringleader_model::{IndicatorKind, Tables, Timestamp};
use ringleader_pipeline::merge::sketch::feature_key;

use crate::args::{OutputArgs, RecordArgs};
use crate::commands::{now, run};

pub(in crate::commands) struct Session {
    open: Option<Open>,
}

struct Open {
    ledger: Ledger,
    settings: Settings,
    now: Timestamp,
    /// Patterns of hosts.
    allowed: Vec<String>,
    seen: Seen,
}

impl Session {
    /// Opens the ledger before anything is read: what is wrong with it is told at once.
    pub(in crate::commands) fn open(args: &RecordArgs) -> Result<Self> {
        let Some(at) = &args.ledger else { return Ok(Self { open: None }) };
        let mut ledger = Ledger::open(at)?;
        let now = now();
        let allowed = ledger.decided()?.allowed_hosts(now);
        let settings = Settings { budget: args.budget, dormant_days: args.dormant_days };
        Ok(Self { open: Some(Open { ledger, settings, now, allowed, seen: Seen::default() }) })
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

    /// Records the run; its warnings take the place of those that it gave without memory.
    pub(in crate::commands) fn record(&mut self, run: &mut Run, tenant: &str) -> Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        without_hosts(&mut run.findings, &open.allowed);
        let record = RunRecord::of(&run.findings, open.now, tenant);
        let recorded = open
            .ledger
            .record(&record, &run.findings, &open.seen, &open.settings, &|_| Vec::new())
            .context("the findings are written, but were not recorded")?;
        if recorded.again {
            anstream::eprintln!("ledger: this run was recorded before; nothing was added");
        }
        run.findings.warnings = recorded.warnings;
        Ok(())
    }
}

/// What the ledger says, in the words of the engine.
fn known(registry: &Registry, decided: &Decided, now: Timestamp) -> Known {
    let id = |text: &str| u128::from_str_radix(text, 16).ok();
    // A gang that was named, and taken in by another since, is spoken of by that one's id.
    let standing = |text: &str| id(registry.superseded.get(text).map_or(text, String::as_str));
    let mut known = Known::default();
    for (gang, features) in &registry.features {
        let Some(gang) = id(gang) else { continue };
        let keys = features.iter().filter_map(|it| Some(feature_key(IndicatorKind::from_name(&it.0)?, &it.1)));
        known.registry.insert(gang, keys.collect());
    }
    for (gang, methods) in &registry.methods {
        known.methods.extend(id(gang).map(|it| (it, methods.clone())));
    }
    let mut view = assemble::Decided::default();
    for (gang, (name, _)) in &decided.names {
        view.names.extend(standing(gang).map(|it| (it, name.clone())));
    }
    let mut aliases: BTreeMap<u128, Vec<String>> = BTreeMap::new();
    for (gang, names) in &decided.aliases {
        if let Some(gang) = standing(gang) {
            aliases.entry(gang).or_default().extend(names.iter().map(|it| it.0.clone()));
        }
    }
    view.aliases = aliases;
    for gang in decided.merged.keys() {
        if let (Some(from), Some(into)) = (standing(gang), standing(decided.standing(gang)))
            && from != into
        {
            view.merged.insert(from, into);
        }
    }
    view.dismissed = decided.dismissed.keys().filter_map(|it| standing(it)).collect();
    for split in &decided.splits {
        let (Some(gang), Some(new_gang)) = (standing(&split.gang), id(&split.new_gang)) else { continue };
        let signatures = split.campaigns.iter().flat_map(|it| &it.signature);
        let features: BTreeSet<_> =
            signatures.filter_map(|it| Some(feature_key(IndicatorKind::from_name(&it.0)?, &it.1))).collect();
        let campaigns = split.campaigns.iter().filter_map(|it| id(&it.campaign)).collect();
        view.splits.push(assemble::Split { gang, new_gang, campaigns, features });
    }
    for it in decided.allowed_at(now) {
        match it.what {
            Allowable::Indicator => drop(view.allowed.insert(it.value.clone())),
            Allowable::Template => drop(view.templates.insert(it.value.clone())),
            // Hosts are looked at row by row.
            Allowable::HostGroup => {}
        }
    }
    known.decided = view;
    known
}
