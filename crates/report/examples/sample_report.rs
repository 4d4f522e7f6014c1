//! Writes the findings folder of the tests' sample, to be looked at:
//! `cargo run -p ringleader-report --example sample_report -- DIR [sample|empty|many] [en|zh]`.

#[path = "../tests/sample/mod.rs"]
mod sample;

use std::path::PathBuf;

use ringleader_report::{Lang, Options, write_all};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().unwrap_or_else(|| "sample-findings".to_owned()));
    let findings = match arguments.next().as_deref() {
        Some("empty") => sample::empty(),
        Some("many") => sample::many(1000),
        _ => sample::sample(),
    };
    let lang = arguments.next().and_then(|it| Lang::from_name(&it)).unwrap_or_default();
    for path in write_all(&findings, &dir, &Options { lang })? {
        println!("{}", path.display());
    }
    Ok(())
}
