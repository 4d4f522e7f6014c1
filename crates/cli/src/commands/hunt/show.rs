//! rows → a table for people, lines of JSON, CSV. What acts on a terminal or a spreadsheet is shown and not obeyed.

use std::io::{self, IsTerminal as _, Write};

use ringleader_engine::lake::{Answer, Cell, Column};
use ringleader_model::Timestamp;
use ringleader_report::escape;
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::terminal::{safe, short};

/// Rows that a table holds.
pub(super) const MOST: usize = 10_000;
/// Characters of one cell of a table; JSON and CSV have all.
const WIDEST: usize = 1000;
/// A column is not squeezed below this; where all of them would be, rows are shown as records.
const NARROWEST: usize = 8;
/// The longest IPv4 address.
const ADDRESS: usize = 15;
/// A text that people read, and not a name.
const LONG: usize = 24;
/// Where nobody says how wide.
const WIDTH: usize = 160;
const GAP: usize = 2;
const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const OFF: &str = "\x1b[0m";

/// A terminal's width; elsewhere `COLUMNS`, or what a screen has.
pub(super) fn width() -> usize {
    let terminal =
        || io::stdout().is_terminal().then(terminal_size::terminal_size).flatten().map(|it| usize::from(it.0.0));
    let told = || std::env::var("COLUMNS").ok().and_then(|it| it.parse::<usize>().ok());
    terminal().or_else(told).unwrap_or(WIDTH).clamp(40, 2000)
}

/// A cell as text for people.
pub(super) fn plain(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Bool(it) => it.to_string(),
        Cell::Int(it) => it.to_string(),
        Cell::UInt(it) => it.to_string(),
        Cell::Float(it) => it.to_string(),
        Cell::Time(it) => clock(*it),
        Cell::Text(it) => short(it, WIDEST),
    }
}

/// To the millisecond, without the letters: `2026-03-01 08:21:40.272`
pub(super) fn clock(time: Timestamp) -> String {
    let text = time.to_string();
    let text = text.strip_suffix('Z').unwrap_or(&text).replacen('T', " ", 1);
    match text.rsplit_once('.') {
        Some((seconds, fraction)) if fraction.len() > 3 => match fraction.get(..3) {
            Some("000") | None => seconds.to_owned(),
            Some(part) => format!("{seconds}.{part}"),
        },
        _ => text,
    }
}

/// Columns of ready questions that a table has no room for: where there is `about`, it says the same for people.
const ASIDE: [&str; 5] = ["class", "src_ip", "dst_ip", "dst_port", "ppid"];

/// Holds rows until it is known how wide they are.
#[derive(Default)]
pub(super) struct Table {
    /// It answers a ready question.
    ready: bool,
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Answer for Table {
    fn columns(&mut self, columns: &[Column]) -> io::Result<()> {
        self.columns = columns.to_vec();
        Ok(())
    }

    fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        if self.rows.len() < MOST {
            let text = |(cell, column): (&Cell<'_>, &Column)| {
                let text = plain(cell);
                // The first characters of an id are enough for `explain`, and for people.
                let is_id = column.name.ends_with("_id") && text.len() == 32;
                if is_id && text.bytes().all(|it| it.is_ascii_hexdigit()) { text[..8].to_owned() } else { text }
            };
            self.rows.push(cells.iter().zip(&self.columns).map(text).collect());
        }
        Ok(())
    }
}

impl Table {
    pub(super) fn new(ready: bool) -> Self {
        Self { ready, ..Self::default() }
    }

    pub(super) fn print(&self, to: &mut dyn Write) -> io::Result<()> {
        self.print_within(width(), to)
    }

    fn print_within(&self, width: usize, to: &mut dyn Write) -> io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        if self.columns.iter().map(|it| it.name.as_str()).eq(["plan_type", "plan"]) {
            return self.print_plans(to);
        }
        // Columns without any value say nothing.
        let told = self.columns.iter().any(|it| it.name == "about");
        let aside = |at: usize| {
            let name = &*self.columns[at].name;
            self.ready && if told { ASIDE.contains(&name) } else { ["direction", "user_name"].contains(&name) }
        };
        let shown: Vec<usize> = (0..self.columns.len())
            .filter(|at| !aside(*at) && self.rows.iter().any(|it| !it[*at].is_empty()))
            .collect();
        let longest = |at: usize| self.rows.iter().map(|it| it[at].chars().count()).max().unwrap_or(0);
        let title = |at: usize| short(&self.columns[at].name, WIDEST);
        let natural: Vec<usize> = shown.iter().map(|at| longest(*at).max(title(*at).chars().count())).collect();
        // Times, numbers and addresses mean something else when they are cut.
        let is_whole = |at: usize| {
            let column = &self.columns[at];
            matches!(&*column.kind, "time" | "integer") || (column.name.ends_with("_ip") && longest(at) <= ADDRESS)
        };
        let whole: Vec<bool> = shown.iter().map(|at| is_whole(*at)).collect();
        let Some(widths) = squeeze(&natural, &whole, width) else {
            return self.print_records(&shown, width, to);
        };
        let line = |to: &mut dyn Write, cells: &[String], numbers: &dyn Fn(usize) -> bool| -> io::Result<()> {
            let mut line = String::new();
            for (nth, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                let cell = short(cell, *width);
                let pad = " ".repeat(width.saturating_sub(cell.chars().count()));
                if nth > 0 {
                    line.push_str(&" ".repeat(GAP));
                }
                let (before, after) = if numbers(nth) { (pad.as_str(), "") } else { ("", pad.as_str()) };
                line.extend([before, &cell, after]);
            }
            write!(to, "{}", line.trim_end())
        };
        let titles: Vec<String> = shown.iter().map(|at| title(*at)).collect();
        let is_number = |nth: usize| self.columns[shown[nth]].kind == "integer";
        write!(to, "{BOLD}")?;
        line(to, &titles, &is_number)?;
        writeln!(to, "{OFF}")?;
        for row in &self.rows {
            let cells: Vec<String> = shown.iter().map(|at| row[*at].clone()).collect();
            line(to, &cells, &is_number)?;
            writeln!(to)?;
        }
        Ok(())
    }

    /// What EXPLAIN says has lines of its own.
    fn print_plans(&self, to: &mut dyn Write) -> io::Result<()> {
        for row in &self.rows {
            writeln!(to, "{BOLD}{}{OFF}", row[0])?;
            for line in row[1].split("\\n") {
                writeln!(to, "  {line}")?;
            }
        }
        Ok(())
    }

    /// A line for each value.
    fn print_records(&self, shown: &[usize], width: usize, to: &mut dyn Write) -> io::Result<()> {
        let title = |at: usize| short(&self.columns[at].name, 40);
        let names = shown.iter().map(|at| title(*at).chars().count()).max().unwrap_or(0);
        for (nth, row) in self.rows.iter().enumerate() {
            writeln!(to, "{DIM}-- {} --{OFF}", nth + 1)?;
            for at in shown.iter().filter(|it| !row[**it].is_empty()) {
                let room = width.saturating_sub(names + GAP).max(NARROWEST);
                writeln!(to, "{BOLD}{:names$}{OFF}  {}", title(*at), short(&row[*at], room))?;
            }
        }
        Ok(())
    }
}

/// Takes from the widest that may be cut until all fit; `None` where they cannot.
fn squeeze(natural: &[usize], whole: &[bool], width: usize) -> Option<Vec<usize>> {
    let room = width.checked_sub(GAP * natural.len().saturating_sub(1))?;
    // The last long one holds what the row is about: it counts twice.
    let telling = (0..natural.len()).rev().find(|at| natural[*at] > LONG && !whole[*at]);
    let capped = |cap: usize| -> Vec<usize> {
        let of = |at: usize| match (whole[at], telling == Some(at)) {
            (true, _) => natural[at],
            (_, true) => natural[at].min(cap * 2),
            _ => natural[at].min(cap),
        };
        (0..natural.len()).map(of).collect()
    };
    let fits = |cap: usize| capped(cap).iter().sum::<usize>() <= room;
    if !fits(NARROWEST) {
        return None;
    }
    let mut cap = natural.iter().copied().max().unwrap_or(0).max(NARROWEST);
    while cap > NARROWEST && !fits(cap) {
        cap -= 1;
    }
    let mut widths = capped(cap);
    // What the cap leaves over goes to the last that was cut: it holds what the row is about.
    let over = room.saturating_sub(widths.iter().sum());
    if let Some(at) = (0..widths.len()).rev().find(|at| natural[*at] > widths[*at]) {
        widths[at] = natural[at].min(widths[at] + over);
    }
    Some(widths)
}

/// A line of JSON for each row.
pub(super) struct Json<W: Write> {
    pub out: W,
    names: Vec<String>,
}

impl<W: Write> Json<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, names: Vec::new() }
    }
}

impl<W: Write> Answer for Json<W> {
    fn columns(&mut self, columns: &[Column]) -> io::Result<()> {
        self.names = columns.iter().map(|it| it.name.clone()).collect();
        Ok(())
    }

    fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        escape::json(&JsonRow { names: &self.names, cells }, &mut self.out, escape::Shape::Line)?;
        writeln!(self.out)
    }
}

struct JsonRow<'a> {
    names: &'a [String],
    cells: &'a [Cell<'a>],
}

impl Serialize for JsonRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.cells.len()))?;
        for (name, cell) in self.names.iter().zip(self.cells) {
            match cell {
                Cell::Null => map.serialize_entry(name, &None::<bool>)?,
                Cell::Bool(it) => map.serialize_entry(name, it)?,
                Cell::Int(it) => map.serialize_entry(name, it)?,
                Cell::UInt(it) => map.serialize_entry(name, it)?,
                // JSON has no infinity.
                Cell::Float(it) => map.serialize_entry(name, &it.is_finite().then_some(it))?,
                Cell::Time(it) => map.serialize_entry(name, it)?,
                Cell::Text(it) => map.serialize_entry(name, it)?,
            }
        }
        map.end()
    }
}

/// CSV with a line of names.
pub(super) struct Csv<W: Write> {
    pub out: W,
}

impl<W: Write> Csv<W> {
    fn line<'a>(&mut self, cells: impl Iterator<Item = std::borrow::Cow<'a, str>>) -> io::Result<()> {
        for (nth, cell) in cells.enumerate() {
            if nth > 0 {
                self.out.write_all(b",")?;
            }
            if cell.contains(['"', ',', '\n', '\r']) {
                write!(self.out, "\"{}\"", cell.replace('"', "\"\""))?;
            } else {
                self.out.write_all(cell.as_bytes())?;
            }
        }
        self.out.write_all(b"\r\n")
    }
}

impl<W: Write> Answer for Csv<W> {
    fn columns(&mut self, columns: &[Column]) -> io::Result<()> {
        self.line(columns.iter().map(|it| escape::csv(&it.name)))
    }

    fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        self.line(cells.iter().map(|it| match it {
            Cell::Text(it) => escape::csv(it),
            Cell::Time(it) => it.to_string().into(),
            // A negative number is no formula.
            other => plain(other).into(),
        }))
    }
}

/// Tables with their columns; those that have the same ones stand together.
pub(super) fn tables(columns: &[Vec<String>], classes: &[Vec<String>], to: &mut dyn Write) -> io::Result<()> {
    type Columns = Vec<(String, String)>;
    let mut tables: Vec<(String, Columns)> = Vec::new();
    for row in columns {
        let [table, column, kind] = &row[..] else { continue };
        let kind = match kind.as_str() {
            it if it.starts_with("Timestamp") => "time",
            it if it.starts_with("Int") || it.starts_with("UInt") => "integer",
            it if it.starts_with("Float") => "float",
            it if it.contains("Utf8") => "",
            it => it,
        };
        if tables.last().is_none_or(|it| it.0 != *table) {
            tables.push((table.clone(), Vec::new()));
        }
        if let Some((_, list)) = tables.last_mut() {
            list.push((column.clone(), kind.to_owned()));
        }
    }
    let mut groups: Vec<(Vec<String>, Columns)> = Vec::new();
    for (table, columns) in tables {
        match groups.iter_mut().find(|it| it.1 == columns) {
            Some(group) => group.0.push(table),
            None => groups.push((vec![table], columns)),
        }
    }
    // The widest is what most questions are about.
    groups.sort_by_key(|it| std::cmp::Reverse(it.1.len()));
    let width = width();
    for (names, columns) in &groups {
        writeln!(to, "{BOLD}{}{OFF}", safe(&names.join(", ")))?;
        let mut line = String::new();
        for (nth, (column, kind)) in columns.iter().enumerate() {
            let mut word = safe(column).into_owned();
            if !kind.is_empty() {
                word.push_str(&format!(" ({})", safe(kind)));
            }
            if nth + 1 < columns.len() {
                word.push(',');
            }
            if !line.is_empty() && line.chars().count() + word.chars().count() + 3 > width {
                writeln!(to, "  {line}")?;
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
        writeln!(to, "  {line}")?;
    }
    writeln!(
        to,
        "{DIM}Columns are text where nothing else is said; \"offset\" needs its quotes. Times are UTC.{OFF}\n"
    )?;
    for row in classes {
        if let [class, events, hosts, first, last] = &row[..] {
            writeln!(to, "{class:18} {events:>12} events of {hosts} hosts, {first} to {last}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, kind: &str) -> Column {
        Column { name: name.to_owned(), kind: kind.to_owned() }
    }

    fn rows(answer: &mut dyn Answer) {
        answer
            .columns(&[column("time", "time"), column("n", "integer"), column("about", "text"), column("none", "text")])
            .unwrap();
        let time = Cell::Time(Timestamp(1_572_855_700_272_810));
        answer
            .row(&[time, Cell::Int(-7), Cell::Text("=cmd|'/c calc'!A0 \x1b[2J \"q\", é".into()), Cell::Null])
            .unwrap();
    }

    #[test]
    fn a_table_is_as_wide_as_the_screen_and_shows_what_acts() {
        let mut table = Table::default();
        rows(&mut table);
        let print = |width: usize| {
            let mut out = Vec::new();
            table.print_within(width, &mut out).unwrap();
            String::from_utf8(out).unwrap().replace(BOLD, "").replace(OFF, "").replace(DIM, "")
        };
        let wide = print(120);
        assert_eq!(
            wide,
            "time                      n  about\n2019-11-04 08:21:40.272  -7  =cmd|'/c calc'!A0 \\x1b[2J \"q\", é\n"
        );
        assert!(print(50).lines().all(|it| it.chars().count() <= 50), "{}", print(50));
        let records = print(20);
        assert!(records.starts_with("-- 1 --\ntime   2019-11-04"), "{records}");
    }

    #[test]
    fn json_and_csv_are_whole_and_safe() {
        let mut json = Json::new(Vec::new());
        rows(&mut json);
        let line = String::from_utf8(json.out).unwrap();
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["time"], "2019-11-04T08:21:40.272810Z");
        assert_eq!(value["about"], "=cmd|'/c calc'!A0 \x1b[2J \"q\", é");
        assert!(!line.contains('\x1b') && value["none"].is_null() && value["n"] == -7);
        let mut csv = Csv { out: Vec::new() };
        rows(&mut csv);
        assert_eq!(
            String::from_utf8(csv.out).unwrap(),
            "time,n,about,none\r\n2019-11-04T08:21:40.272810Z,-7,\"'=cmd|'/c calc'!A0 \\x1b[2J \"\"q\"\", é\",\r\n"
        );
    }

    #[test]
    fn the_widest_column_gives_way() {
        let squeeze = |natural: &[usize], width| super::squeeze(natural, &vec![false; natural.len()], width);
        assert_eq!(squeeze(&[10, 10], 30), Some(vec![10, 10]));
        assert_eq!(squeeze(&[10, 100], 30), Some(vec![9, 19]));
        assert_eq!(squeeze(&[50, 100], 32), Some(vec![10, 20]));
        assert_eq!(squeeze(&[8, 8, 8, 8], 30), None);
        assert_eq!(super::squeeze(&[23, 100], &[true, false], 42), Some(vec![23, 17]));
    }
}
