//! places of records → their text and digest, read back from the sources. Each source is opened once.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;

use ringleader_model::findings::{Evidence, Text};
use ringleader_pipeline::collect::text::decode;
use sha2::{Digest, Sha256};

use crate::sources;

/// The longest quotation.
const EXCERPT: usize = 2000;
/// The longest record that is read back to take its digest.
const RECORD: u64 = 64 << 20;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quoted {
    pub sha256: Text,
    pub excerpt: Text,
}

/// Where standard input was kept, so that its records can be quoted.
#[derive(Debug, Clone, Default)]
pub struct Spool {
    pub stdin: Option<PathBuf>,
}

/// (source name, offset, length) → the record. What is not there any more is left out.
pub fn quote(wanted: &BTreeMap<Text, Vec<(u64, u64)>>, spool: &Spool) -> BTreeMap<(Text, u64, u64), Quoted> {
    let mut quoted = BTreeMap::new();
    for (source, places) in wanted {
        let mut places = places.clone();
        places.sort_unstable();
        places.dedup();
        let opened = match (&**source, &spool.stdin) {
            ("-", Some(path)) => std::fs::File::open(path).map(|it| Box::new(it) as Box<dyn Read + Send>),
            (name, _) => sources::reopen(name),
        };
        // Offsets are those of the text that was read.
        let opened = opened.and_then(|bytes| sources::peek(bytes, 2)).and_then(|(head, it)| sources::as_utf8(head, it));
        let Ok((_, bytes)) = opened else { continue };
        let _ = quote_stream(bytes, source, &places, &mut quoted);
    }
    quoted
}

/// Puts the records that evidence points to beside it, of the sources that may be quoted.
pub fn quote_evidence<'e>(
    evidence: impl Iterator<Item = &'e mut Evidence>,
    spool: &Spool,
    may_quote: impl Fn(&str) -> bool,
) {
    let mut placed: Vec<((Text, u64, u64), &mut Evidence)> =
        evidence.filter_map(|it| Some(((it.source.clone()?, it.offset?, it.length?), it))).collect();
    let mut wanted: BTreeMap<Text, Vec<(u64, u64)>> = BTreeMap::new();
    for ((source, offset, length), _) in placed.iter().filter(|it| may_quote(&it.0.0)) {
        wanted.entry(source.clone()).or_default().push((*offset, *length));
    }
    let quoted = quote(&wanted, spool);
    for (place, it) in &mut placed {
        if let Some(found) = quoted.get(place) {
            it.record_sha256 = Some(found.sha256.clone());
            it.excerpt = Some(found.excerpt.clone());
        }
    }
}

fn quote_stream(
    bytes: Box<dyn Read + Send>,
    source: &Text,
    places: &[(u64, u64)],
    quoted: &mut BTreeMap<(Text, u64, u64), Quoted>,
) -> io::Result<()> {
    let mut reader = io::BufReader::with_capacity(1 << 20, bytes);
    let mut at = 0u64;
    let mut last: Option<(u64, Vec<u8>)> = None;
    for (offset, length) in places {
        // Records may overlap: several events of one whole file.
        let mut record = Vec::new();
        if let Some((start, held)) = &last
            && offset >= start
            && *offset < start + held.len() as u64
        {
            record.extend_from_slice(&held[(offset - start) as usize..]);
        }
        if record.is_empty() && *offset > at {
            let skipped = io::copy(&mut reader.by_ref().take(offset - at), &mut io::sink())?;
            at += skipped;
        }
        let want = (*length).min(RECORD).saturating_sub(record.len() as u64);
        at += reader.by_ref().take(want).read_to_end(&mut record)? as u64;
        record.truncate(usize::try_from((*length).min(RECORD)).unwrap_or(usize::MAX));
        if record.len() as u64 == (*length).min(RECORD) {
            let digest = Sha256::digest(&record);
            let sha256: String = digest.iter().map(|it| format!("{it:02x}")).collect();
            quoted.insert(
                (source.clone(), *offset, *length),
                Quoted { sha256: sha256.into(), excerpt: excerpt(&record).into() },
            );
        }
        if last.as_ref().is_none_or(|(start, held)| start + (held.len() as u64) < offset + record.len() as u64) {
            last = Some((*offset, record));
        }
    }
    Ok(())
}

/// Text as it stands, cut; of binary records, what can be printed.
fn excerpt(record: &[u8]) -> String {
    let cut = &record[..record.len().min(EXCERPT)];
    let text = match std::str::from_utf8(cut) {
        Ok(text) => text.to_owned(),
        Err(error) if error.valid_up_to() + 4 > cut.len() => {
            String::from_utf8_lossy(&cut[..error.valid_up_to()]).into_owned()
        }
        Err(_) if cut.contains(&0) => {
            cut.iter().filter(|it| it.is_ascii_graphic() || **it == b' ').map(|it| char::from(*it)).collect()
        }
        Err(_) => decode(cut).into_owned(),
    };
    if record.len() > EXCERPT { text + " …" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_quoted_from_their_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        std::fs::write(&path, "first\nsecond\nthird\n").unwrap();
        let name: Text = path.display().to_string().into();
        let wanted =
            BTreeMap::from([(name.clone(), vec![(13, 5), (0, 5), (6, 6), (8, 2)]), ("gone".into(), vec![(0, 1)])]);
        let quoted = quote(&wanted, &Spool::default());
        let texts: Vec<&str> = quoted.values().map(|it| &*it.excerpt).collect();
        assert_eq!(texts, ["first", "second", "co", "third"]);
        let digest = &quoted[&(name, 0, 5)].sha256;
        assert_eq!(&**digest, "a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e");
    }
}
