//! inputs → one incident, host to host: the main job, and beside it what every event says of hosts and pairs of hosts.
//!
//! Each bucket is read once: on its way to `analyze` it is observed. What is kept grows with hosts, pairs and time, not
//! with events. Deliberately absent: the reconstruction itself (`pipeline::reconstruct`).

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use ringleader_model::Tables;
use ringleader_model::findings::{
    BehaviourRow, DeadLetter, EpisodeRow, MemberRow, ProcessRow, RepairRow, SourceSummary, Strength, Text,
};
use ringleader_model::{Event, EventId};
use ringleader_pipeline::collect::rows::{Bucket, Place};
use ringleader_pipeline::label::episode::Knowledge;
use ringleader_pipeline::label::network::sums::Sums;
use ringleader_pipeline::reconstruct::{
    Flows, GangOnHost, Input as Incident, Observed, Question, Ref, Rules, observe, reconstruct,
};

use crate::buckets::Buckets;
use crate::collect::{Progress, Take, Tap, collect_with};
use crate::excerpts::quote_evidence;
use crate::sources::Input;
use crate::{Config, Run, conclude, spool_stdin, timing};

/// Places kept of one gang on one host.
const REFS: usize = 3;

/// The main job with the incident in its findings.
pub fn spread(
    inputs: &[Input],
    knowledge: &Knowledge,
    config: &Config,
    question: &Question,
    rules: &Rules,
    progress: &dyn Progress,
    tables: &mut dyn Tables,
) -> io::Result<Run> {
    let start = Instant::now();
    let (inputs, spool, _held) = spool_stdin(inputs)?;
    progress.stage("collect");
    let flows = TakingFlows { rules, observed: Mutex::default(), taken: AtomicU64::new(0) };
    let collected = collect_with(&inputs, &config.collect, progress, Some(&flows))?;
    let mut timings = vec![timing("collect", start)];
    let (observed, taken) = (flows.observed, flows.taken.into_inner());
    let observing = Observing { buckets: &collected, rules, knowledge, observed, taken };
    let mut members = Members { tables, seen: BTreeMap::new(), methods: BTreeMap::new() };
    let mut run = conclude(&observing, knowledge, config, &spool, progress, &mut timings, &mut members)?;
    let began = Instant::now();
    progress.stage("reconstruct");
    let observed = observing.observed.into_inner().unwrap_or_else(PoisonError::into_inner);
    let sources: Vec<Text> = collected.sources.iter().map(|it| it.source.clone()).collect();
    let gangs = members.gangs(&run, &sources);
    let incident = reconstruct(&Incident { observed: &observed, gangs: &gangs, question, rules, sources: &sources });
    let mut evidence = incident.evidence;
    quote_evidence(evidence.iter_mut(), &spool, |source| collected.is_unchanged(source));
    run.findings.evidence.extend(evidence);
    run.findings.evidence.sort_by(|a, b| a.evidence_id.cmp(&b.evidence_id));
    run.findings.evidence.dedup_by(|a, b| a.evidence_id == b.evidence_id);
    run.findings.spread = Some(incident.spread);
    timings.push(timing("reconstruct", began));
    timings.push(timing("whole", start));
    run.findings.run.timings = timings;
    Ok(run)
}

/// Buckets that are observed on their way.
struct Observing<'a> {
    buckets: &'a dyn Buckets,
    rules: &'a Rules,
    knowledge: &'a Knowledge,
    observed: Mutex<Observed>,
    /// Flows that went no further than their sums.
    taken: u64,
}

/// Sums flows of the wire as they are read: nothing else asks for them.
struct TakingFlows<'a> {
    rules: &'a Rules,
    observed: Mutex<Observed>,
    taken: AtomicU64,
}

struct OneThreads<'a> {
    flows: Option<Flows<'a>>,
    whole: &'a TakingFlows<'a>,
}

impl Tap for TakingFlows<'_> {
    fn worker(&self) -> Box<dyn Take + '_> {
        Box::new(OneThreads { flows: Some(Flows::new(self.rules)), whole: self })
    }
}

impl Take for OneThreads<'_> {
    fn take(&mut self, event: &Event<'_>, id: EventId, place: Place) -> bool {
        self.flows.as_mut().is_some_and(|it| it.take(event, id, place.source, place.offset, place.length))
    }
}

impl Drop for OneThreads<'_> {
    fn drop(&mut self) {
        let Some(flows) = self.flows.take() else { return };
        self.whole.taken.fetch_add(flows.taken(), Ordering::Relaxed);
        let part = flows.done();
        self.whole.observed.lock().unwrap_or_else(PoisonError::into_inner).merge(part);
    }
}

impl Buckets for Observing<'_> {
    fn n_buckets(&self) -> usize {
        self.buckets.n_buckets()
    }
    fn load(&self, bucket: usize) -> io::Result<Bucket> {
        let bucket = self.buckets.load(bucket)?;
        let part = observe(&bucket, self.rules, &self.knowledge.methods);
        self.observed.lock().unwrap_or_else(PoisonError::into_inner).merge(part);
        Ok(bucket)
    }
    fn sources(&self) -> &[SourceSummary] {
        self.buckets.sources()
    }
    fn formats(&self) -> &[u32] {
        self.buckets.formats()
    }
    fn rejected(&self) -> &[DeadLetter] {
        self.buckets.rejected()
    }
    fn tapped(&self) -> u64 {
        self.taken
    }
    /// Who calls whom is what the reconstruction is made of: it is not summed a second time for network roles.
    fn wire(&self) -> Option<Sums> {
        Some(Sums::default())
    }
    fn is_unchanged(&self, source: &str) -> bool {
        self.buckets.is_unchanged(source)
    }
}

#[derive(Default)]
struct OnHost {
    first: Option<i64>,
    last: Option<i64>,
    /// Earliest first: time, source, place.
    places: Vec<(i64, ringleader_model::EventId, Text, u64, u64)>,
}

/// Passes rows on, and remembers which gang was on which host, from when to when, and how it got in.
struct Members<'a> {
    tables: &'a mut dyn Tables,
    /// (gang, host)
    seen: BTreeMap<(Text, Text), OnHost>,
    methods: BTreeMap<(Text, Text), (Text, u16)>,
}

impl Members<'_> {
    fn gangs(&self, run: &Run, sources: &[Text]) -> Vec<GangOnHost> {
        let number: BTreeMap<&Text, u32> = sources.iter().enumerate().rev().map(|(at, it)| (it, at as u32)).collect();
        let mut all = Vec::new();
        for gang in &run.findings.gangs {
            let strong = gang.who.indicators.values().flatten().filter(|it| it.strength != Strength::Weak);
            let indicators: BTreeSet<String> = strong.map(|it| it.value.to_string()).collect();
            for ((id, host), on) in
                self.seen.range((gang.gang_id.clone(), "".into())..).take_while(|it| it.0.0 == gang.gang_id)
            {
                let method = self.methods.get(&(id.clone(), host.clone()));
                let place = |it: &(i64, ringleader_model::EventId, Text, u64, u64)| {
                    let source = *number.get(&it.2)?;
                    Some(Ref { id: it.1, source, offset: it.3, length: u32::try_from(it.4).unwrap_or(u32::MAX) })
                };
                all.push(GangOnHost {
                    gang_id: id.clone(),
                    host: host.clone(),
                    first: on.first,
                    last: on.last,
                    method: method.map(|it| it.0.clone()),
                    confidence: method.map_or(0, |it| it.1),
                    refs: on.places.iter().filter_map(place).collect(),
                    indicators: indicators.clone(),
                });
            }
        }
        all
    }
}

impl Tables for Members<'_> {
    fn episodes(&mut self, rows: Vec<EpisodeRow>) -> io::Result<()> {
        for row in &rows {
            if let (Some(gang), Some(method)) = (&row.gang_id, &row.method) {
                let sure = row.confidence.map_or(0, |it| it.thousandths());
                let known =
                    self.methods.entry((gang.clone(), row.host.clone())).or_insert_with(|| (method.clone(), sure));
                if sure > known.1 {
                    *known = (method.clone(), sure);
                }
            }
        }
        self.tables.episodes(rows)
    }
    fn members(&mut self, rows: Vec<MemberRow>) -> io::Result<()> {
        for row in &rows {
            let Some(gang) = &row.gang_id else { continue };
            let on = self.seen.entry((gang.clone(), row.host.clone())).or_default();
            let time = row.time.map(|it| it.0);
            on.first = [on.first, time].into_iter().flatten().min();
            on.last = [on.last, time].into_iter().flatten().max();
            let place = (time.unwrap_or(i64::MAX), row.event_id, row.source.clone(), row.offset, row.length);
            let at = on.places.partition_point(|it| *it < place);
            if at < REFS {
                on.places.insert(at, place);
                on.places.truncate(REFS);
            }
        }
        self.tables.members(rows)
    }
    fn processes(&mut self, rows: Vec<ProcessRow>) -> io::Result<()> {
        self.tables.processes(rows)
    }
    fn repairs(&mut self, rows: Vec<RepairRow>) -> io::Result<()> {
        self.tables.repairs(rows)
    }
    fn behaviours(&mut self, rows: Vec<BehaviourRow>) -> io::Result<()> {
        self.tables.behaviours(rows)
    }
}
