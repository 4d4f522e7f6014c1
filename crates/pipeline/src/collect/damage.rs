//! Every fixture, cut and changed in many places, read by its format: nothing may panic.

use super::testing::read_all;
use super::{FORMATS, framing, recognize};

#[test]
fn damaged_fixtures_panic_nobody() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/collect");
    let mut damaged = 0u32;
    for format in FORMATS {
        let Ok(folder) = std::fs::read_dir(root.join(format.name())) else { continue };
        for path in folder.map(|it| it.unwrap().path()).filter(|it| it.extension().is_some_and(|it| it == "in")) {
            let whole = std::fs::read(&path).unwrap();
            // About fifty places a fixture, with a step that meets every column of its lines.
            let step = (whole.len() / 50).max(1) | 1;
            for at in (0..whole.len()).step_by(step) {
                let cut = &whole[..at];
                let _ = recognize(&cut[..cut.len().min(framing::HEAD)]);
                let _ = read_all(*format, cut);
                for bytes in [&b"\xff"[..], b"\"", b"\n", b"\0", b"{", b"\\", "\u{e4}\u{6728}".as_bytes(), b"  \t"] {
                    let changed = [&whole[..at], bytes, &whole[(at + 1).min(whole.len())..]].concat();
                    let _ = recognize(&changed[..changed.len().min(framing::HEAD)]);
                    let _ = read_all(*format, &changed);
                    damaged += 1;
                }
            }
        }
    }
    assert!(damaged > 0, "no fixtures were found");
}
