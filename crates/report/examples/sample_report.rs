//! Writes the findings folder of the tests' sample, to be looked at:
//! `cargo run -p ringleader-report --example sample_report -- DIR [sample|empty|many] [en|zh]`.

#[path = "../tests/sample/mod.rs"]
mod sample;

use std::path::PathBuf;

use ringleader_report::{Folder, Lang, Options};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().unwrap_or_else(|| "sample-findings".to_owned()));
    let findings = match arguments.next().as_deref() {
        Some("empty") => sample::empty(),
        Some("many") => sample::many(1000),
        _ => sample::sample(),
    };
    let lang = arguments.next().and_then(|it| Lang::from_name(&it)).unwrap_or_default();
    let mut folder = Folder::new(&dir, false);
    if !findings.gangs.is_empty() {
        sample::rows().give(&mut folder)?;
    }
    for path in folder.write(&findings, &Options { lang })? {
        println!("{}", path.display());
    }
    Ok(())
}
