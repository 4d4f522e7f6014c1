//! Prefetch, Amcache and ShimCache, as PECmd, WinPrefetchView, AmcacheParser and AppCompatCacheParser export them to CSV →
//! a program that ran, or lay on the disk.
//!
//! Deliberately absent: the files themselves, which only Windows' own formats have.

use std::borrow::Cow;

use ringleader_model::time::TimeDefaults;
use ringleader_model::{Activity, Event, EventClass, Field, Malformed, Timestamp};

use super::super::fields::{Fields, Header};
use super::super::{Format, Framing, Reader, Record, Sink, SourceContext};
use super::kind;

pub struct RunTraces;

impl Format for RunTraces {
    fn name(&self) -> &'static str {
        "run_traces"
    }
    fn summary(&self) -> &'static str {
        "Prefetch, Amcache and ShimCache of a Windows host as CSV (PECmd, WinPrefetchView, AmcacheParser, AppCompatCacheParser)"
    }
    fn framing(&self) -> Framing {
        Framing::Quoted
    }
    fn is_artefact(&self) -> bool {
        true
    }
    fn recognizes(&self, head: &[u8]) -> bool {
        header(head).is_some()
    }
    fn reader(&self, context: &SourceContext, head: &[u8]) -> Box<dyn Reader> {
        Box::new(Traces { times: context.times, header: header(head) })
    }
}

fn header(head: &[u8]) -> Option<Header> {
    Header::find(head, |has| {
        (has("ExecutableName") && (has("LastRun") || has("RunTime")))
            || (has("Process EXE") && has("Process Path") && has("Last Run Time"))
            || (has("CacheEntryPosition") && has("Path") && has("LastModifiedTimeUTC"))
            || (has("FullPath") && has("SHA1") && (has("FileKeyLastWriteTimestamp") || has("KeyLastWriteTimestamp")))
    })
}

struct Traces {
    times: TimeDefaults,
    header: Option<Header>,
}

impl Reader for Traces {
    fn read(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Malformed> {
        let header = self.header.as_ref().ok_or(Malformed::new("no header line"))?;
        let Some(row) = header.row(record.bytes)? else { return Ok(()) };
        let time = |name: &str| row.field(name).and_then(|it| Timestamp::parse(&it, &self.times));
        let mut event = Event::new(EventClass::Process, Activity::Other);
        if let Some(path) = row.field("Process Path").or_else(|| row.field("Process EXE")) {
            return self.viewed(&mut event, path, &row, sink);
        }
        if row.field("CacheEntryPosition").is_some() {
            // ShimCache: it lay there; its time is the file's, and Windows 10 does not say whether it ran.
            event.put(Field::State, kind::AMCACHE);
            event.set(Field::FilePath, row.field("Path").ok_or(Malformed::new("missing field `Path`"))?);
            let time = time("LastModifiedTimeUTC");
            (event.time, event.utc_offset_minutes) = (time.map(|it| it.0), time.and_then(|it| it.1));
            sink.emit(&event);
            return Ok(());
        }
        let Some(name) = row.field("ExecutableName") else {
            event.put(Field::State, kind::AMCACHE);
            let path = row.field("FullPath").ok_or(Malformed::new("missing field `FullPath`"))?;
            event.set(Field::FilePath, path);
            event.set(Field::Hash, row.field("SHA1").map(|it| it.trim_start_matches("0000").to_ascii_lowercase()));
            let time = ["FileKeyLastWriteTimestamp", "KeyLastWriteTimestamp"].iter().find_map(|it| time(it));
            (event.time, event.utc_offset_minutes) = (time.map(|it| it.0), time.and_then(|it| it.1));
            sink.emit(&event);
            return Ok(());
        };
        event.put(Field::State, kind::PREFETCH);
        event.set(Field::FilePath, loaded_path(&row, &name).map_or(name.clone(), Cow::Owned));
        event.set(Field::Count, row.field("RunCount"));
        let runs = ["LastRun", "RunTime"].into_iter().map(str::to_owned);
        let runs = runs.chain((0..7).map(|n| format!("PreviousRun{n}")));
        let mut any = false;
        for at in runs.filter_map(|it| time(&it)) {
            any = true;
            (event.time, event.utc_offset_minutes) = (Some(at.0), at.1);
            sink.emit(&event);
        }
        if !any {
            sink.emit(&event);
        }
        Ok(())
    }
}

impl Traces {
    /// A row of WinPrefetchView: the last runs stand in one cell, in the user's own way of writing times.
    fn viewed<'a>(
        &self,
        event: &mut Event<'a>,
        path: Cow<'a, str>,
        row: &'a dyn Fields,
        sink: &mut dyn Sink,
    ) -> Result<(), Malformed> {
        event.put(Field::State, kind::PREFETCH);
        event.set(Field::FilePath, path);
        event.set(Field::Count, row.field("Run Counter"));
        let runs = row.field("Last Run Time").unwrap_or_default();
        let mut any = false;
        for at in runs.split(',').take(8).filter_map(|it| super::local_time(it, &self.times)) {
            any = true;
            (event.time, event.utc_offset_minutes) = (Some(at.0), at.1);
            sink.emit(event);
        }
        if !any {
            sink.emit(event);
        }
        Ok(())
    }
}

/// The program's own path stands among the files that it loaded: `\VOLUME{…}\WINDOWS\X\SVCHOST.EXE`.
fn loaded_path(row: &dyn Fields, name: &str) -> Option<String> {
    // PECmd's timeline form writes the whole path into `ExecutableName`.
    let loaded = row.any(&["FilesLoaded", "ExecutableName"])?;
    let suffix = format!("\\{}", name.rsplit('\\').next()?.to_ascii_uppercase());
    let found = loaded.split(',').map(str::trim).find(|it| it.to_ascii_uppercase().ends_with(&suffix))?;
    let rest = found.strip_prefix("\\VOLUME{").and_then(|it| it.split_once('}')).map(|it| it.1);
    let rest = rest.or_else(|| {
        found.to_ascii_uppercase().starts_with("\\DEVICE\\").then(|| found.splitn(4, '\\').nth(3)).flatten()
    })?;
    Some(format!("C:\\{}", rest.trim_start_matches('\\')))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::read_all;
    use super::*;

    #[test]
    fn a_prefetch_tells_each_run_and_the_path() {
        let csv = "Note,SourceFilename,ExecutableName,RunCount,Hash,LastRun,PreviousRun0,FilesLoaded\n,x,SVCHOST.EXE,2,AB,2018-09-30 01:10:11,2018-09-30 01:05:00,\"\\VOLUME{01d}\\WINDOWS\\SYSTEM32\\NTDLL.DLL, \\VOLUME{01d}\\WINDOWS\\SPEECHSTRACING\\MICROSOFT\\SVCHOST.EXE\"\n";
        assert!(RunTraces.recognizes(csv.as_bytes()));
        let got = read_all(&RunTraces, csv.as_bytes());
        assert_eq!(got.len(), 2, "{got:#?}");
        assert!(
            got[0].contains("2018-09-30T01:10:11")
                && got[0].contains("C:\\\\WINDOWS\\\\SPEECHSTRACING\\\\MICROSOFT\\\\SVCHOST.EXE"),
            "{got:#?}"
        );
    }

    #[test]
    fn other_exports_of_the_same() {
        let view = "Filename,Created Time,Modified Time,File Size,Process EXE,Process Path,Run Counter,Last Run Time,Missing Process\nSVCHOST.EXE-A1.pf,9/30/2018 9:45:00 AM,9/30/2018 9:46:00 AM,\"12,345\",SVCHOST.EXE,C:\\Windows\\X\\SVCHOST.EXE,3,\"9/30/2018 9:46:00 PM, 9/30/2018 9:45:00 AM\",No\n";
        let got = read_all(&RunTraces, view.as_bytes());
        assert_eq!(got.len(), 2, "{got:#?}");
        assert!(got[0].contains("2018-09-30T21:46:00") && got[0].contains("X\\\\SVCHOST.EXE"), "{got:#?}");
        let shim = "ControlSet,CacheEntryPosition,Path,LastModifiedTimeUTC,Executed,Duplicate,SourceFile\n1,0,C:\\Windows\\X\\a.exe,2018-09-30 01:05:00,Yes,False,SYSTEM\n";
        let got = read_all(&RunTraces, shim.as_bytes());
        assert!(got[0].contains("status=\"amcache\"") && got[0].contains("2018-09-30T01:05:00"), "{got:#?}");
    }

    #[test]
    fn an_amcache_tells_path_and_hash() {
        let csv = "ApplicationName,ProgramId,FileKeyLastWriteTimestamp,SHA1,IsOsComponent,FullPath,Name\nUnassociated,x,2018-09-30 01:05:00,0000da39a3ee5e6b4b0d3255bfef95601890afd80709,False,c:\\windows\\x\\a.exe,a.exe\n";
        let got = read_all(&RunTraces, csv.as_bytes());
        assert!(got[0].contains("file_hash=\"da39a3ee5e6b4b0d3255bfef95601890afd80709\""), "{got:#?}");
    }
}
