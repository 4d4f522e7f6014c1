//! Writes the findings folder of the tests' sample, to be looked at:
//! `cargo run -p ringleader-report --example sample_report -- DIR [sample|empty|many|nasty|GANGSxINDICATORS] [en|zh]`.

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
        Some("nasty") => sample::nasty::nasty(),
        // For measuring: `10000x1000000`.
        Some(size) if size.contains('x') => {
            let n = |it: Option<&str>| it.and_then(|it| it.parse().ok()).unwrap_or(1000);
            sample::nasty::large(n(size.split('x').next()), n(size.split('x').nth(1)))
        }
        _ => sample::sample(),
    };
    let lang = arguments.next().and_then(|it| Lang::from_name(&it)).unwrap_or_default();
    let mut folder = Folder::new(&dir, false);
    if findings.evidence.iter().any(|it| !it.evidence_id.is_empty()) {
        sample::rows().give(&mut folder)?;
    }
    for path in folder.write(&findings, &Options { lang })? {
        println!("{}", path.display());
    }
    Ok(())
}
