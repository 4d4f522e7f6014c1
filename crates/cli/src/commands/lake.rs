//! `ingest` and `analyze`: the same job over a lake.

#[cfg(not(feature = "lake"))]
pub(super) use left_out::{LEFT_OUT, analyze, ingest};
#[cfg(feature = "lake")]
pub(super) use with_lake::{analyze, ingest, is_folder, time, window};

#[cfg(feature = "lake")]
mod with_lake {
    use std::io::{self, Write as _};
    use std::path::Path;
    use std::time::Instant;

    use anyhow::{Context as _, Result, bail};
    use ringleader_engine::Config;
    use ringleader_engine::collect::{CollectConfig, Progress as _};
    use ringleader_engine::lake::{IngestReport, Lake, LakeBuckets, Noted, Window};
    use ringleader_model::Tables;
    use ringleader_model::findings::{DeadLetter, SourceSummary, Timing};
    use ringleader_model::time::{TimeDefaults, Timestamp};
    use ringleader_pipeline::collect::rows::Bucket;
    use ringleader_report::Folder;

    use crate::args::{OutputArgs, ReadArgs, RecordArgs, ResourceArgs};
    use crate::commands::ledger::Session;
    use crate::commands::{Done, collect_config, inputs, resources, run};
    use crate::progress::Bar;
    use crate::terminal::{count, safe, short};

    /// Files that are named one by one.
    const TOLD: usize = 6;

    pub(in crate::commands) fn ingest(read: &ReadArgs, lake: &Path) -> Result<Done> {
        let inputs = inputs(read)?;
        let config = collect_config(read)?;
        is_folder(lake)?;
        let bar = Bar::new();
        let report = ringleader_engine::lake::ingest(&inputs, &config, lake, &bar);
        bar.finish();
        let report = report.context("not all was ingested; run the same command again to go on")?;
        tell(&report, lake)?;
        Ok(Done::Clean)
    }

    /// Object stores would become a folder of that name.
    pub(in crate::commands) fn is_folder(lake: &Path) -> Result<()> {
        if lake.to_string_lossy().contains("://") {
            bail!("{}: a lake is a folder; object stores are not opened", lake.display());
        }
        Ok(())
    }

    fn tell(report: &IngestReport, lake: &Path) -> Result<()> {
        let mut to = anstream::stdout().lock();
        let files = |n: u64| count(n, "file", "files");
        writeln!(
            to,
            "{} new, {} already there, {} changed while being read, {} unreadable",
            files(report.ingested.len() as u64),
            files(report.already_there),
            files(report.changed.len() as u64),
            files(report.unreadable.len() as u64),
        )?;
        for name in report.changed.iter().take(TOLD) {
            writeln!(to, "  changed: {}", safe(name))?;
        }
        for it in report.unreadable.iter().take(TOLD) {
            writeln!(to, "  unreadable: {}: {}", safe(&it.name), short(&it.why, 80))?;
        }
        let more = report.changed.len().saturating_sub(TOLD) + report.unreadable.len().saturating_sub(TOLD);
        if more > 0 {
            writeln!(to, "  … and {}", count(more as u64, "more", "more"))?;
        }
        if report.changed.len() + report.unreadable.len() > 0 {
            writeln!(to, "  The next ingest tries these again.")?;
        }
        writeln!(
            to,
            "{}, {} rejected; the lake is at version {}",
            count(report.events, "event", "events"),
            count(report.rejected, "record", "records"),
            report.version
        )?;
        writeln!(to, "\x1b[2mNext:\x1b[0m   ringleader analyze --lake {}", lake.display())?;
        Ok(())
    }

    pub(in crate::commands) fn analyze(
        lake: &Path,
        since: Option<&str>,
        until: Option<&str>,
        output: &OutputArgs,
        record: &RecordArgs,
        resources_args: &ResourceArgs,
    ) -> Result<Done> {
        let start = Instant::now();
        let window = window(since, until)?;
        let (threads, memory) = resources(resources_args)?;
        let knowledge = run::knowledge(output)?;
        let mut session = Session::open(record)?;
        let config = Config {
            // Only threads and memory are asked for: nothing is read here.
            collect: CollectConfig {
                threads,
                memory,
                format: None,
                host: None,
                tenant: String::new(),
                times: TimeDefaults::default(),
            },
            processes: output.processes,
            known: session.known(output)?,
        };
        is_folder(lake)?;
        let bar = Bar::new();
        bar.stage("open");
        let lake = Lake::open(lake)?;
        let shown = Shown { buckets: lake.buckets(window)?, bar: &bar };
        bar.expect(shown.bytes());
        let mut timings = Vec::new();
        let spool = run::no_spool();
        let mut folder = Folder::new(&output.out, output.processes);
        let job = |tables: &mut dyn Tables| {
            ringleader_engine::conclude(&shown, &knowledge, &config, &spool, &bar, &mut timings, tables)
        };
        let map = run::sensors(output)?;
        let mut found = run::with_sensors(&mut folder, map.as_ref(), |tables| session.watch(tables, job))
            .context("the analysis ended early")?;
        let milliseconds = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        timings.push(Timing { stage: "whole".to_owned(), milliseconds });
        bar.stage("report");
        run::describe(&mut found.findings, &[], output, &knowledge);
        found.findings.run.timings = timings;
        found.findings.run.inputs = shown.buckets.inputs().to_vec();
        // What was found is written even where it cannot be remembered.
        let recorded = session.record(&mut found, "");
        let recorded = recorded.and_then(|()| session.notices(&found, "", output));
        let done = run::finish(found, folder, output, None, &knowledge, &bar)?;
        // `hunt` finds them again. Who may only read the lake says with --out where they are.
        if let Ok(folder) = output.out.canonicalize() {
            let noted = Noted::new(folder, shown.buckets.version(), &window);
            let _ = lake.note_findings(&noted);
        }
        recorded.map(|()| done)
    }

    pub(in crate::commands) fn window(since: Option<&str>, until: Option<&str>) -> Result<Window> {
        let window = Window {
            since: since.map(|it| time("--since", it)).transpose()?,
            until: until.map(|it| time("--until", it)).transpose()?,
        };
        if let (Some(since), Some(until)) = (window.since, window.until)
            && since >= until
        {
            bail!("--since {since} is not before --until {until}: no event lies between them");
        }
        Ok(window)
    }

    /// A time without a zone means another hour to each reader.
    pub(in crate::commands) fn time(option: &str, text: &str) -> Result<Timestamp> {
        match Timestamp::parse(text, &TimeDefaults::default()) {
            Some((time, Some(_))) => Ok(time),
            Some((time, None)) => bail!("{option} {text}: the zone is missing: write {time} if that is UTC"),
            None => bail!("{option} {text}: write a time as 2026-03-01T08:00:00Z or 2026-03-01T16:00:00+08:00"),
        }
    }

    /// The lake's buckets; what is loaded shows on the bar.
    struct Shown<'a> {
        buckets: LakeBuckets,
        bar: &'a Bar,
    }

    impl Shown<'_> {
        fn bytes(&self) -> u64 {
            self.buckets.files().values().flatten().map(|it| it.bytes).sum()
        }
    }

    impl ringleader_engine::Buckets for Shown<'_> {
        fn n_buckets(&self) -> usize {
            ringleader_engine::Buckets::n_buckets(&self.buckets)
        }
        fn load(&self, bucket: usize) -> io::Result<Bucket> {
            let loaded = ringleader_engine::Buckets::load(&self.buckets, bucket);
            let files = self.buckets.files().get(&bucket);
            self.bar.advance(files.into_iter().flatten().map(|it| it.bytes).sum(), 0);
            loaded
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
        fn is_unchanged(&self, source: &str) -> bool {
            self.buckets.is_unchanged(source)
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_window_says_what_to_write() {
            let error = |since: &str, until: Option<&str>| window(Some(since), until).unwrap_err().to_string();
            assert_eq!(
                error("yesterday", None),
                "--since yesterday: write a time as 2026-03-01T08:00:00Z or 2026-03-01T16:00:00+08:00"
            );
            assert_eq!(
                error("2026-03-01", None),
                "--since 2026-03-01: the zone is missing: write 2026-03-01T00:00:00.000000Z if that is UTC"
            );
            let reversed = error("2026-03-01T08:00:00Z", Some("2026-03-01T16:00:00+08:00"));
            assert!(reversed.ends_with("no event lies between them"), "{reversed}");
            let window = window(Some("2026-03-01T08:00:00Z"), Some("2026-03-01T16:00:01+08:00")).unwrap();
            assert_eq!(window.until.unwrap().0 - window.since.unwrap().0, 1_000_000);
            assert!(is_folder(Path::new("s3://bucket/lake")).is_err());
        }
    }
}

#[cfg(not(feature = "lake"))]
mod left_out {
    use std::path::Path;

    use anyhow::{Result, bail};

    use crate::args::{OutputArgs, ReadArgs, RecordArgs, ResourceArgs};
    use crate::commands::Done;

    pub(in crate::commands) const LEFT_OUT: &str =
        "this build has no lake: build it with `cargo install --path crates/cli` (feature `lake`, on by default)";

    pub(in crate::commands) fn ingest(_read: &ReadArgs, _lake: &Path) -> Result<Done> {
        bail!("{LEFT_OUT}")
    }

    pub(in crate::commands) fn analyze(
        _lake: &Path,
        _since: Option<&str>,
        _until: Option<&str>,
        _output: &OutputArgs,
        _record: &RecordArgs,
        _resources: &ResourceArgs,
    ) -> Result<Done> {
        bail!("{LEFT_OUT}")
    }
}
