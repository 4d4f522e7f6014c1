//! The pages of `docs/` say what the code says: the table of formats, the limits, and where their links lead.
//!
//! `RINGLEADER_BLESS=1 cargo test -p ringleader-pipeline --test docs` writes the generated page anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ringleader_pipeline::collect::FORMATS;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

const FORMATS_HEAD: &str = "# Formats

A format is recognised by what is in an input, never by the file's name, and an input may mix formats. They are tried
in this order; `--format NAME` skips that. gz, zst, zip and tar are opened on the way. Each page says what is read,
how to export it, and what to beware of.

This page is generated from the registry; a test keeps it up to date.

| format | what it is |
|---|---|
";

#[test]
fn the_table_of_formats_is_current() {
    let mut made = FORMATS_HEAD.to_owned();
    for it in FORMATS {
        let name = it.name();
        let _ = writeln!(made, "| [`{name}`]({name}.md) | {} |", it.summary().replace('|', "\\|"));
    }
    let path = root().join("docs/formats/README.md");
    if std::env::var_os("RINGLEADER_BLESS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    assert_eq!(read(&path), made, "run with RINGLEADER_BLESS=1");
}

#[test]
fn every_format_has_a_page_and_every_page_a_format() {
    let pages = std::fs::read_dir(root().join("docs/formats")).unwrap().map(|it| it.unwrap().path());
    let pages: BTreeSet<String> =
        pages.map(|it| it.file_stem().unwrap().to_str().unwrap().to_owned()).filter(|it| it != "README").collect();
    let names: BTreeSet<String> = FORMATS.iter().map(|it| it.name().to_owned()).collect();
    assert_eq!(pages, names);
    for name in &names {
        let page = read(&root().join(format!("docs/formats/{name}.md")));
        assert!(page.starts_with("# ") && page.len() > 300, "docs/formats/{name}.md says next to nothing");
    }
}

/// The last cell of each row in `docs/limits.md` names a file and the constants in it, with their values.
#[test]
fn every_limit_is_the_one_in_the_code() {
    let page = read(&root().join("docs/limits.md"));
    let mut wrong = Vec::new();
    let mut checked = 0;
    for row in page.lines().filter(|it| it.starts_with("| ") && it.contains(".rs`")) {
        let cell = row.trim_end_matches([' ', '|']).rsplit(" | ").next().unwrap();
        let mut spans = cell.split('`').skip(1).step_by(2);
        let file = spans.next().unwrap();
        let code = read(&root().join(file));
        for constant in spans {
            let (name, value) = constant.split_once(" = ").unwrap_or_else(|| panic!("no value: {row}"));
            let (declared, ends) = (format!("const {name}: "), format!(" = {value};"));
            if !code.lines().any(|line| line.contains(&declared) && line.trim_end().ends_with(&ends)) {
                wrong.push(format!("{file}: {name} is not {value}"));
            }
            checked += 1;
        }
    }
    assert!(wrong.is_empty(), "docs/limits.md\n{}", wrong.join("\n"));
    assert!(checked >= 50, "only {checked} limits were found in docs/limits.md");
}

/// ARCHITECTURE.md shows the function to read first, as it is.
#[test]
fn the_run_function_is_shown_as_it_is() {
    let page = read(&root().join("ARCHITECTURE.md"));
    let shown = page.split("```rust\n").nth(1).and_then(|it| it.split("\n```").next()).unwrap();
    assert!(shown.starts_with("pub fn run("), "{shown}");
    let code = read(&root().join("crates/engine/src/lib.rs"));
    assert!(code.contains(shown), "copy `run` from crates/engine/src/lib.rs anew");
}

/// Paths in `[text](path)` and `![text](path)`, of pages in the project itself.
fn links(page: &str) -> impl Iterator<Item = &str> {
    page.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|it| !it.starts_with('#') && !it.contains("://") && !it.contains(' '))
}

#[test]
fn links_lead_somewhere() {
    let mut pages: Vec<PathBuf> = Vec::new();
    for folder in ["", "docs", "docs/formats"] {
        let files = std::fs::read_dir(root().join(folder)).unwrap().map(|it| it.unwrap().path());
        pages.extend(files.filter(|it| it.extension().is_some_and(|it| it == "md")));
    }
    let mut broken = Vec::new();
    for page in &pages {
        let text = read(page);
        for link in links(&text) {
            let path = link.split('#').next().unwrap();
            if !page.parent().unwrap().join(path).exists() {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(pages.len() > 30 && broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}
