# What CI runs.
default:
    .ci/run

# Format the code.
fmt:
    cargo fmt --all

# What the compiler and clippy say against it, and the licences, sources and versions of what we depend on.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo deny check --hide-inclusion-graph licenses bans sources

# All tests, or those whose name contains a word: `just test framing`.
test *words:
    cargo test --workspace -- {{words}}

# Write snapshots and generated pages anew, and show what changed: accept by reading the diff.
review: gen
    git diff --stat -- docs fixtures
    git diff -- docs fixtures

# Generated pages (formats, behaviours, methods, gangs), snapshots of the formats and of the report.
gen:
    touch crates/pipeline/src/label/methods/mod.rs crates/pipeline/src/partition/known/mod.rs
    RINGLEADER_BLESS=1 cargo test --package ringleader-pipeline --lib --test docs -- up_to_date current snapshots
    RINGLEADER_BLESS=1 cargo test --package ringleader-report --test folder -- the_sample_is_written_as_before

# Cost per event, stage by stage. `just bench extract` runs one.
bench *which:
    cargo bench --package ringleader-pipeline {{ if which == "" { "--benches" } else { "--bench " + which } }}

# docs/ACCURACY.md anew, from these seeds or drawn ones. Takes some minutes.
accuracy *seeds:
    tools/accuracy {{seeds}}

# The main job on the shipped sample.
demo *args:
    cargo demo {{args}}

# A new behaviour, pattern, method, format or export: its file, its line in the registry, its fixtures.
new kind name:
    tools/new {{kind}} {{name}}
