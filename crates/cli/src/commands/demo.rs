//! `demo`: the very path of `run`, on the sample that ships with the program.

use std::path::Path;

use anyhow::{Context as _, Result};
use include_dir::{Dir, include_dir};

use super::{Done, run};
use crate::args::{Lang, OutputArgs, ReadArgs, RecordArgs, ResourceArgs, RunArgs};

static SAMPLE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../fixtures/demo");

pub(super) fn demo(out: &Path, lang: Lang) -> Result<Done> {
    let logs = out.join("logs");
    std::fs::create_dir_all(&logs).with_context(|| format!("cannot write to {}", out.display()))?;
    SAMPLE.extract(&logs).with_context(|| format!("cannot write the sample to {}", logs.display()))?;
    // What describes the sample is not a part of it.
    for name in ["README.md", "TRUTH.json"] {
        let _ = std::fs::remove_file(logs.join(name));
    }
    anstream::println!(
        "The sample: {}, a fleet, a honeypot and network sensors of several products; 20% of its process events are missing.\n",
        logs.display()
    );
    let args = RunArgs {
        read: ReadArgs {
            inputs: vec![logs.display().to_string()],
            format: None,
            host: None,
            tenant: String::new(),
            timezone: "+00:00".to_owned(),
            year: Some(2026),
            resources: ResourceArgs { threads: None, memory: None },
        },
        output: OutputArgs {
            out: out.to_owned(),
            lang,
            processes: false,
            registry: None,
            rules: None,
            methods: None,
            intel: Vec::new(),
            intel_confidence: 70,
            sensors: None,
            fail_on_findings: false,
            json: false,
        },
        record: RecordArgs::default(),
        alert: None,
    };
    run::run(&args)
}
