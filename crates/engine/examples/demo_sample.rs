//! Rewrites the shipped sample: nothing → the files of `fixtures/demo`.

use std::path::Path;

fn main() -> std::io::Result<()> {
    ringleader_engine::simulate::demo::write(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/demo"))
}
