//! A findings folder → [`Shared`], read twice: once for the names that must not leave, once for what does. Deliberately absent:
//! holding the folder in memory; a gang, a campaign or a row is dropped once it was looked at.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::marker::PhantomData;
use std::path::Path;

use ringleader_model::findings::{Campaign, Evidence, FleetHost, Gang, Spread};
use ringleader_model::time::TimeDefaults;
use ringleader_model::{IndicatorKind, Timestamp};
use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, SeqAccess, Visitor};

use super::gather::{Gather, Look};
use super::shared::{Choice, Shared};

pub(super) fn load(dir: &Path, choice: &Choice) -> io::Result<Shared> {
    let mut look = Look::default();
    // A folder of an earlier version has no list of its fleet: what other files name is hidden still.
    lines(dir, "fleet.jsonl", false, |it: FleetHost| look.fleet(&it))?;
    elements(dir, "gangs.json", |it: Gang| look.gang(&it))?;
    lines(dir, "evidence.jsonl", true, |it: Evidence| look.evidence(&it))?;
    lines(dir, "campaigns.jsonl", true, |it: Campaign| look.campaign(&it))?;
    if dir.join("spread.json").exists() {
        let spread: Spread =
            serde_json::from_reader(open(dir, "spread.json")?).map_err(|it| damaged("spread.json", it))?;
        look.spread(&spread);
    }
    let mut gather = Gather::new(look, choice);
    elements(dir, "gangs.json", |it: Gang| gather.gang(&it))?;
    lines(dir, "campaigns.jsonl", true, |it: Campaign| gather.campaign(&it))?;
    times(dir, &mut gather)?;
    Ok(gather.finish())
}

fn open(dir: &Path, name: &str) -> io::Result<BufReader<File>> {
    let path = dir.join(name);
    let file = File::open(&path).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("{}: {error}: is {} the findings folder of a run (`--out`)?", path.display(), dir.display()),
        )
    })?;
    Ok(BufReader::with_capacity(1 << 17, file))
}

fn damaged(name: &str, error: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{name} is damaged: {error}"))
}

fn lines<T: DeserializeOwned>(dir: &Path, name: &str, required: bool, mut take: impl FnMut(T)) -> io::Result<()> {
    if !required && !dir.join(name).exists() {
        return Ok(());
    }
    let mut file = open(dir, name)?;
    let mut line = String::new();
    for n in 1u64.. {
        line.clear();
        if file.read_line(&mut line)? == 0 {
            break;
        }
        take(serde_json::from_str(&line).map_err(|error| damaged(name, format!("line {n}: {error}")))?);
    }
    Ok(())
}

/// The elements of one array, one after the other.
fn elements<T: DeserializeOwned>(dir: &Path, name: &str, take: impl FnMut(T)) -> io::Result<()> {
    struct Each<T, F>(F, PhantomData<T>);
    impl<'de, T: Deserialize<'de>, F: FnMut(T)> Visitor<'de> for Each<T, F> {
        type Value = ();
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an array")
        }
        fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
            while let Some(it) = seq.next_element()? {
                self.0(it);
            }
            Ok(())
        }
    }
    impl<'de, T: Deserialize<'de>, F: FnMut(T)> DeserializeSeed<'de> for Each<T, F> {
        type Value = ();
        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
            deserializer.deserialize_seq(self)
        }
    }
    let mut reader = serde_json::Deserializer::from_reader(open(dir, name)?);
    Each(take, PhantomData).deserialize(&mut reader).and_then(|()| reader.end()).map_err(|error| damaged(name, error))
}

/// When each gang had each indicator.
fn times(dir: &Path, gather: &mut Gather) -> io::Result<()> {
    #[derive(Deserialize)]
    struct Row<'a> {
        indicator: &'a str,
        kind: &'a str,
        gang: &'a str,
        first_seen: &'a str,
        last_seen: &'a str,
    }
    let name = "indicators.csv";
    let time = |text: &str| Timestamp::parse(text, &TimeDefaults::default()).map(|it| it.0);
    let mut csv = csv::Reader::from_reader(open(dir, name)?);
    let head = csv.headers().map_err(|error| damaged(name, error))?.clone();
    let mut record = csv::StringRecord::new();
    while csv.read_record(&mut record).map_err(|error| damaged(name, error))? {
        let row: Row<'_> = record.deserialize(Some(&head)).map_err(|error| damaged(name, error))?;
        let Some(kind) = IndicatorKind::from_name(row.kind) else { continue };
        gather.seen_spelled(row.gang, kind, row.indicator, time(row.first_seen), time(row.last_seen));
    }
    Ok(())
}
