//! `explain`: from any claim to the raw lines (source, offset, the line itself) that prove it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Value, json};

use super::Done;
use crate::terminal::{safe, short};

/// Pieces of evidence that are shown in full.
const SHOWN: usize = 12;
/// Members listed of one campaign, episode or host.
const MEMBERS: usize = 20;

struct Folder<'a> {
    dir: &'a Path,
    gangs: Vec<Value>,
    campaigns: Vec<Value>,
    evidence: BTreeMap<String, Value>,
}

pub(super) fn explain(id: &str, dir: &Path, as_json: bool) -> Result<Done> {
    let folder = Folder::open(dir)?;
    let mut answer = folder.gang(id).or_else(|| folder.evidence(id)).or_else(|| folder.campaign(id));
    if answer.is_none() {
        answer = folder.indicator(id);
    }
    if answer.is_none() {
        answer = folder.rows(id)?;
    }
    let Some(answer) = answer else {
        bail!(
            "nothing in {} is called `{id}`: ids stand in gangs.json, campaigns.jsonl and evidence.jsonl, indicators in indicators.csv",
            dir.display()
        );
    };
    let mut out = anstream::stdout().lock();
    if as_json {
        serde_json::to_writer_pretty(&mut out, &answer.json)?;
        writeln!(out)?;
    } else {
        for line in answer.lines {
            // A heading stands apart; any other line break is a log's and is shown, not obeyed.
            let heading = line.strip_prefix('\n');
            if heading.is_some() {
                writeln!(out)?;
            }
            writeln!(out, "{}", safe(heading.unwrap_or(&line)))?;
        }
    }
    Ok(Done::Clean)
}

/// What is said, for people and for machines.
struct Answer {
    lines: Vec<String>,
    json: Value,
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or("")
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

impl<'a> Folder<'a> {
    fn open(dir: &'a Path) -> Result<Self> {
        let open = |name: &str| {
            let path = dir.join(name);
            File::open(&path).with_context(|| {
                format!("{} is not there: is {} the findings folder of a run (`--out`)?", path.display(), dir.display())
            })
        };
        let gangs = serde_json::from_reader(BufReader::new(open("gangs.json")?)).context("gangs.json is damaged")?;
        let lines = |name: &str| -> Result<Vec<Value>> {
            BufReader::new(open(name)?)
                .lines()
                .map(|line| serde_json::from_str(&line?).with_context(|| format!("{name} is damaged")))
                .collect()
        };
        let campaigns = lines("campaigns.jsonl")?;
        let evidence =
            lines("evidence.jsonl")?.into_iter().map(|it| (text(&it, "evidence_id").to_owned(), it)).collect();
        Ok(Self { dir, gangs, campaigns, evidence })
    }

    fn gang(&self, id: &str) -> Option<Answer> {
        let bare = id.strip_prefix("gang ").unwrap_or(id);
        let gang = self.gangs.iter().find(|it| starts(text(it, "gang_id"), bare) || text(it, "name") == id)?;
        let who = &gang["who"];
        let mut lines = vec![
            format!("{}  (gang {}, confidence {})", text(gang, "name"), text(gang, "gang_id"), gang["confidence"]),
            format!(
                "  on {} hosts, {} to {}",
                list(who, "hosts").len(),
                text(who, "first_seen"),
                text(who, "last_seen")
            ),
        ];
        if !list(gang, "suggestions").is_empty() {
            lines.push("\nWho they may be".to_owned());
        }
        for it in list(gang, "suggestions") {
            lines.push(format!("  {} ({}), likelihood {}", text(it, "name"), text(it, "kind"), it["likelihood"]));
            lines.extend(list(it, "because").iter().filter_map(|it| it.as_str()).map(|it| format!("    {it}")));
            self.quote(&mut lines, list(it, "evidence_ids"), 2);
        }
        lines.push("\nHow they got in".to_owned());
        for it in list(gang, "how") {
            lines.push(format!(
                "  {} {} on {} hosts, confidence {}",
                text(it, "method"),
                text(it, "cve"),
                it["hosts"],
                it["confidence"]
            ));
            self.quote(&mut lines, list(it, "evidence_ids"), 2);
        }
        lines.push("\nWhat they did".to_owned());
        for it in list(&gang["what"], "behaviours") {
            lines.push(format!("  {} {} on {} hosts", text(it, "id"), text(it, "technique"), it["hosts"]));
            self.quote(&mut lines, list(it, "evidence_ids"), 1);
        }
        for it in list(&gang["what"], "network_roles") {
            lines.push(format!("  network: {} on {} hosts", text(it, "role"), it["hosts"]));
            self.quote(&mut lines, list(it, "evidence_ids"), 1);
        }
        lines.push("\nWhy these campaigns are one gang".to_owned());
        if list(gang, "links").is_empty() {
            lines.push("  it has one campaign".to_owned());
        }
        for it in list(gang, "links") {
            lines.push(format!(
                "  {} – {}: weight {} of {} needed",
                short(text(it, "from"), 9),
                short(text(it, "to"), 9),
                it["weight"],
                it["threshold"]
            ));
            self.quote(&mut lines, list(it, "evidence_ids"), 2);
        }
        for it in list(gang, "near_misses") {
            lines.push(format!(
                "  not joined to {}: {} (weight {} of {})",
                short(text(it, "to"), 9),
                text(it, "why"),
                it["weight"],
                it["threshold"]
            ));
        }
        Some(Answer { lines, json: json!({ "gang": gang, "evidence": self.all_evidence(gang) }) })
    }

    fn campaign(&self, id: &str) -> Option<Answer> {
        let campaign = self.campaigns.iter().find(|it| starts(text(it, "campaign_id"), id))?;
        let mut lines = vec![
            format!("campaign {} of gang {}", text(campaign, "campaign_id"), text(campaign, "gang_id")),
            "\nSignature".to_owned(),
        ];
        for it in list(campaign, "signature") {
            lines.push(format!("  {} {}", text(it, "kind"), text(it, "value")));
        }
        lines.push("\nMerged graph (observed + inferred, hosts)".to_owned());
        let mut depth: BTreeMap<&str, usize> = BTreeMap::new();
        for it in list(campaign, "nodes") {
            let above = depth.get(text(it, "parent")).map_or(0, |it| it + 1);
            depth.insert(text(it, "node_id"), above);
            lines.push(format!(
                "  {}{}  ({} + {}, {})",
                "  ".repeat(above.min(20)),
                short(text(it, "template"), 100),
                it["observed_count"],
                it["inferred_count"],
                it["hosts"]
            ));
            self.quote(&mut lines, list(it, "evidence_ids"), 1);
        }
        for it in list(campaign, "stopped") {
            lines.push(format!("  joins nothing: {} {} ({})", text(it, "kind"), text(it, "value"), text(it, "why")));
        }
        Some(Answer { lines, json: json!({ "campaign": campaign, "evidence": self.all_evidence(campaign) }) })
    }

    fn evidence(&self, id: &str) -> Option<Answer> {
        let (_, it) = self.evidence.iter().find(|(key, _)| starts(key, id))?;
        let mut lines = Vec::new();
        quote_one(&mut lines, it, "");
        Some(Answer { lines, json: it.clone() })
    }

    fn indicator(&self, value: &str) -> Option<Answer> {
        let mut lines = Vec::new();
        let mut found = Vec::new();
        for gang in &self.gangs {
            for (kind, values) in gang["who"]["indicators"].as_object().into_iter().flatten() {
                for it in values.as_array().into_iter().flatten().filter(|it| text(it, "value") == value) {
                    lines.push(format!(
                        "{kind} {value}: {} of {}, on {} hosts, {}",
                        text(it, "strength"),
                        text(gang, "name"),
                        it["hosts"],
                        it["contexts"]
                    ));
                    found.push(json!({ "gang_id": gang["gang_id"], "kind": kind, "indicator": it }));
                }
            }
        }
        let quoted: Vec<&Value> =
            self.evidence.values().filter(|it| text(it, "excerpt").contains(value)).take(SHOWN).collect();
        if found.is_empty() && quoted.is_empty() {
            return None;
        }
        for it in &quoted {
            quote_one(&mut lines, it, "  ");
        }
        Some(Answer { lines, json: json!({ "indicator": value, "gangs": found, "evidence": quoted }) })
    }

    /// Events of an event id, an episode or a host.
    fn rows(&self, id: &str) -> Result<Option<Answer>> {
        let path = self.dir.join("members.parquet");
        let file = File::open(&path).with_context(|| format!("{} is not there", path.display()))?;
        let reader = SerializedFileReader::new(file).context("members.parquet is damaged")?;
        let mut rows: Vec<BTreeMap<String, String>> = Vec::new();
        let mut more = 0u64;
        for row in reader.get_row_iter(None).context("members.parquet is damaged")? {
            let row = row.context("members.parquet is damaged")?;
            let named = |key: &str| {
                row.get_column_iter().find(|(name, _)| *name == key).map(|(_, it)| plain(it)).unwrap_or_default()
            };
            let is = named("host") == id
                || named("source_event_id") == id
                || ["event_id", "episode_id", "process_uid"].iter().any(|key| starts(&named(key), id));
            if !is {
                continue;
            }
            if rows.len() >= MEMBERS {
                more += 1;
                continue;
            }
            rows.push(row.get_column_iter().map(|(name, it)| (name.clone(), plain(it))).collect());
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let mut lines = Vec::new();
        let mut wanted: BTreeMap<std::sync::Arc<str>, Vec<(u64, u64)>> = BTreeMap::new();
        let place = |row: &BTreeMap<String, String>| -> (u64, u64) {
            (row["offset"].parse().unwrap_or(0), row["length"].parse().unwrap_or(0))
        };
        for row in &rows {
            wanted.entry(row["source"].as_str().into()).or_default().push(place(row));
        }
        let quoted = ringleader_engine::excerpts::quote(&wanted, &super::run::no_spool());
        for row in &rows {
            lines.push(format!(
                "event {} on {} (gang {}, campaign {})",
                row["event_id"],
                row["host"],
                short(&row["gang_id"], 9),
                short(&row["campaign_id"], 9)
            ));
            lines.push(format!("  parent {} {}", row["parent_status"], row["parent_event_id"]));
            lines.push(format!("  {} at byte {}", row["source"], row["offset"]));
            let (offset, length) = place(row);
            if let Some(it) = quoted.get(&(row["source"].as_str().into(), offset, length)) {
                lines.push(format!("  {}", short(&ringleader_report::mask::mask(&it.excerpt), 400)));
            }
        }
        if more > 0 {
            lines.push(format!("… and {more} more events"));
        }
        Ok(Some(Answer { lines, json: json!({ "events": rows, "more": more }) }))
    }

    fn quote(&self, lines: &mut Vec<String>, ids: &[Value], n: usize) {
        for it in ids.iter().filter_map(Value::as_str).filter_map(|it| self.evidence.get(it)).take(n) {
            quote_one(lines, it, "    ");
        }
    }

    /// Every piece of evidence that the value points to, however deep.
    fn all_evidence(&self, value: &Value) -> Vec<&Value> {
        let mut ids = Vec::new();
        collect_ids(value, &mut ids, 0);
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter().filter_map(|it| self.evidence.get(it)).collect()
    }
}

fn collect_ids<'v>(value: &'v Value, ids: &mut Vec<&'v str>, depth: usize) {
    if depth > 16 {
        return;
    }
    match value {
        Value::Object(map) => {
            for (key, it) in map {
                if key == "evidence_ids" {
                    ids.extend(it.as_array().into_iter().flatten().filter_map(Value::as_str));
                } else {
                    collect_ids(it, ids, depth + 1);
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|it| collect_ids(it, ids, depth + 1)),
        _ => {}
    }
}

/// Enough characters that an id is meant, and not an indicator.
fn starts(id: &str, given: &str) -> bool {
    given.len() >= 6 && id.starts_with(given)
}

fn plain(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        other => other.to_string(),
    }
}

fn quote_one(lines: &mut Vec<String>, it: &Value, indent: &str) {
    let claim = format!("{indent}{} [{} {}]", text(it, "claim"), text(it, "basis"), short(text(it, "evidence_id"), 9));
    lines.push(claim);
    lines.push(format!(
        "{indent}  {} at byte {}, {} bytes, sha256 {}",
        text(it, "source"),
        it["offset"],
        it["length"],
        short(text(it, "record_sha256"), 17)
    ));
    let excerpt = text(it, "excerpt");
    if excerpt.is_empty() {
        lines.push(format!("{indent}  (the source is not there any more: the record cannot be quoted)"));
    } else {
        lines.push(format!("{indent}  {}", short(excerpt, 600)));
    }
}
