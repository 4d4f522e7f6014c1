//! Figures of `ringleader score --json` → docs/ACCURACY.md on standard output. `tools/accuracy` calls it:
//! `accuracy_page EVENTS ONE_OFF SEEDS "SETTING=score.json"...`, one argument for each seed of each setting.

use std::fmt::Write as _;

use serde_json::Value;

/// What the figure should be, in which settings.
enum Aim {
    None,
    AtLeast(f64),
    AtMost(f64),
    /// Without loss, and with it.
    AtLeastBoth(f64, f64),
}

struct Row {
    what: &'static str,
    aim: Aim,
    /// In the score; `{}` stands for the findings or the baseline.
    path: &'static str,
    /// Digits after the point.
    digits: usize,
}

const fn row(what: &'static str, path: &'static str, digits: usize, aim: Aim) -> Row {
    Row { what, aim, path, digits }
}

use Aim::{AtLeast, AtLeastBoth, AtMost};

const SECTIONS: [(&str, &str, &[Row]); 7] = [
    (
        "Parent links",
        "Of all events: whose parent is the true one, or none where the true one has no event; and whose is another.",
        &[
            row("right", "/{}/links/right_share", 6, AtLeast(0.9999)),
            row("wrong", "/{}/links/wrong_share", 6, AtMost(0.0001)),
            row("status of the parent is right", "/{}/links/status_right_share", 4, Aim::None),
        ],
    ),
    (
        "Events of bots",
        "An event counts as found where it is in any gang.",
        &[
            row("precision", "/{}/events/precision", 4, AtLeast(0.99)),
            row("recall", "/{}/events/recall", 4, AtLeast(0.97)),
            row("precision, mean of gangs", "/{}/events/macro_precision", 4, Aim::None),
            row("recall, mean of gangs", "/{}/events/macro_recall", 4, Aim::None),
            row("benign events swallowed, of 100,000", "/{}/events/benign_swallowed_per_100_000", 2, AtMost(1.0)),
        ],
    ),
    (
        "Incidents",
        "One host, one gang's visit. Those with infrastructure of their own are counted apart, below.",
        &[
            row("adjusted Rand index", "/{}/incidents/without_one_off/ari", 4, AtLeastBoth(0.99, 0.96)),
            row("pairs: F1", "/{}/incidents/without_one_off/pair_f1", 4, Aim::None),
            row("B-cubed: precision", "/{}/incidents/without_one_off/b_cubed_precision", 4, Aim::None),
            row("B-cubed: recall", "/{}/incidents/without_one_off/b_cubed_recall", 4, Aim::None),
            row("B-cubed, mean of gangs: precision", "/{}/incidents/macro_b_cubed_precision", 4, Aim::None),
            row("B-cubed, mean of gangs: recall", "/{}/incidents/macro_b_cubed_recall", 4, Aim::None),
        ],
    ),
    (
        "Gangs",
        "Nine in truth; five on Windows; 16 with copy-cats, rivals, the planter and the widespread one. Fused: a second true gang is in a found one. Torn: a true gang is in several found ones.",
        &[
            row("found", "/{}/gangs/found", 1, Aim::None),
            row("fused", "/{}/gangs/fused", 1, AtMost(0.0)),
            row("torn", "/{}/gangs/torn", 1, Aim::None),
            row("of benign events only", "/{}/gangs/of_benign_only", 1, Aim::None),
        ],
    ),
    (
        "Incidents with one-off infrastructure",
        "Servers, wallet, key and pool that no other incident uses: what is left to know them by is names, paths and habits.",
        &[
            row("attached to their gang", "/{}/incidents/one_off/attached_share", 4, AtLeast(0.8)),
            row("attached to a wrong one", "/{}/incidents/one_off/wrong_share", 4, AtMost(0.02)),
        ],
    ),
    (
        "Repairs",
        "Lost processes of gangs. Recall is over those whose step at least three other incidents of the gang show; \
         precision over claims that at least three siblings support.",
        &[
            row("structural: precision", "/repairs/structural/supported_precision", 4, AtLeast(0.99)),
            row("structural: recall", "/repairs/structural/recall", 4, AtLeast(0.97)),
            row("structural: calibration error", "/repairs/structural/calibration_error", 4, AtMost(0.03)),
            row("statistical: precision", "/repairs/statistical/supported_precision", 4, AtLeast(0.95)),
            row("statistical: recall", "/repairs/statistical/recall", 4, Aim::None),
            row("statistical: calibration error", "/repairs/statistical/calibration_error", 4, AtMost(0.03)),
        ],
    ),
    (
        "Compression",
        "Nodes and edges before merging, to those after. It grows with the size of the log.",
        &[row("ratio", "/compression/ratio", 1, Aim::None)],
    ),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [events, one_off, seeds, scores @ ..] = &args[..] else { return Err("too few arguments".into()) };
    let mut settings: Vec<(&str, Vec<Value>)> = Vec::new();
    for it in scores {
        let (name, path) = it.split_once('=').ok_or("an argument is not SETTING=FILE")?;
        let score = serde_json::from_slice(&std::fs::read(path)?)?;
        match settings.iter_mut().find(|it| it.0 == name) {
            Some(setting) => setting.1.push(score),
            None => settings.push((name, vec![score])),
        }
    }
    let mut page = String::new();
    head(&mut page, events, one_off, seeds)?;
    let mut missed = Vec::new();
    for (title, about, rows) in &SECTIONS {
        section(&mut page, title, about, rows, &settings, &mut missed)?;
    }
    writeln!(page, "## Below the aims\n")?;
    if missed.is_empty() {
        writeln!(page, "Nothing: every aim is reached by every seed.")?;
    }
    for it in &missed {
        writeln!(page, "- {it}")?;
    }
    print!("{page}");
    Ok(())
}

fn head(page: &mut String, events: &str, one_off: &str, seeds: &str) -> std::fmt::Result {
    writeln!(
        page,
        "# Accuracy\n\n\
         Generated by `tools/accuracy {seeds}`. Do not edit.\n\n\
         For each of the seeds {seeds} and each setting, {events} events are simulated, run and scored:\n\n\
         ```sh\n\
         ringleader simulate --events {events} --seed SEED --one-off {one_off} [OPTIONS of the setting, in tools/accuracy] \\\n    \
         --out log.ndjson --truth log.truth.tsv\n\
         ringleader run log.ndjson --processes --out findings\n\
         ringleader score log.truth.tsv findings --log log.ndjson --json\n\
         ```\n\n\
         A cell is the mean over the seeds, and in brackets the worst of them, or where there is no aim the lowest and highest. \
         An aim is reached where the worst seed reaches it. \
         The baseline is what a short script of an analyst finds in the same log. What each figure means: \
         [score.md](score.md). The log: [simulate.md](simulate.md). One fleet with few gangs is not the world: read the \
         figures as a comparison of versions, not as a promise.\n"
    )
}

fn section(
    page: &mut String,
    title: &str,
    about: &str,
    rows: &[Row],
    settings: &[(&str, Vec<Value>)],
    missed: &mut Vec<String>,
) -> std::fmt::Result {
    writeln!(page, "## {title}\n\n{about}\n")?;
    let with_baseline = rows.iter().any(|it| it.path.contains("{}"));
    write!(page, "| | aim |")?;
    let columns = settings.iter().map(|it| it.0.to_owned());
    let columns = columns.flat_map(|it| {
        let peer = with_baseline.then(|| format!("{it}: baseline"));
        std::iter::once(it).chain(peer)
    });
    let columns: Vec<String> = columns.collect();
    for it in &columns {
        write!(page, " {it} |")?;
    }
    writeln!(page, "\n|---|---|{}", "---|".repeat(columns.len()))?;
    for row in rows {
        write!(page, "| {} | {} |", row.what, aim(row))?;
        for (setting, scores) in settings {
            let values = values(scores, &row.path.replace("{}", "findings"));
            write!(page, " {} |", cell(row, &values))?;
            let (worst, limit) = (worst(row, &values), limit(row, !setting.contains("lost")));
            if let (Some(worst), Some(limit)) = (worst, limit)
                && !reaches(row, worst, limit)
            {
                let digits = row.digits;
                missed.push(format!(
                    "{title}, {}, {setting}: {worst:.digits$} where {} was aimed at",
                    row.what,
                    shown(row, limit)
                ));
            }
            if with_baseline {
                write!(page, " {} |", cell(row, &self::values(scores, &row.path.replace("{}", "baseline"))))?;
            }
        }
        writeln!(page)?;
    }
    writeln!(page)
}

fn values(scores: &[Value], path: &str) -> Vec<f64> {
    scores.iter().filter_map(|it| it.pointer(path).and_then(Value::as_f64)).collect()
}

fn worst(row: &Row, values: &[f64]) -> Option<f64> {
    let low = !matches!(row.aim, AtMost(_));
    values.iter().copied().reduce(|a, b| if (a < b) == low { a } else { b })
}

fn limit(row: &Row, without_loss: bool) -> Option<f64> {
    match row.aim {
        Aim::None => None,
        AtLeast(limit) | AtMost(limit) => Some(limit),
        AtLeastBoth(without, with) => Some(if without_loss { without } else { with }),
    }
}

fn reaches(row: &Row, value: f64, limit: f64) -> bool {
    if matches!(row.aim, AtMost(_)) { value <= limit } else { value >= limit }
}

fn shown(row: &Row, limit: f64) -> String {
    format!("{} {limit}", if matches!(row.aim, AtMost(_)) { "at most" } else { "at least" })
}

fn aim(row: &Row) -> String {
    match row.aim {
        Aim::None => String::new(),
        AtLeast(limit) | AtMost(limit) => shown(row, limit),
        AtLeastBoth(without, with) => format!("at least {without}; with loss {with}"),
    }
}

fn cell(row: &Row, values: &[f64]) -> String {
    let Some(worst) = worst(row, values) else { return "-".to_owned() };
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let digits = row.digits;
    if matches!(row.aim, Aim::None) {
        let highest = values.iter().copied().fold(worst, f64::max);
        return format!("{mean:.digits$} ({worst:.digits$} to {highest:.digits$})");
    }
    format!("{mean:.digits$} ({worst:.digits$})")
}
