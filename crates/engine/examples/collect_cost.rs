//! What it costs to read logs into host buckets and to load these again, in nanoseconds an event:
//! `cargo run --release -p ringleader-engine --no-default-features --example collect_cost -- THREADS FILE…`

use std::time::Instant;

use ringleader_engine::Buckets;
use ringleader_engine::collect::{CollectConfig, Quiet, collect};
use ringleader_engine::sources::Input;
use ringleader_model::time::TimeDefaults;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let config = CollectConfig {
        threads: args.next().ok_or("how many threads?")?.parse()?,
        memory: 4 << 30,
        format: None,
        host: None,
        tenant: String::new(),
        times: TimeDefaults::default(),
    };
    let inputs: Vec<Input> = args.map(|it| Input::parse(&it)).collect();
    let start = Instant::now();
    let collected = collect(&inputs, &config, &Quiet)?;
    let read = start.elapsed();
    let start = Instant::now();
    let mut strings = 0;
    for bucket in 0..collected.n_buckets() {
        strings += collected.load(bucket)?.strings.len();
    }
    let loaded = start.elapsed();
    let events = collected.events();
    let each = |it: std::time::Duration| it.as_nanos() / u128::from(events.max(1));
    println!("{events} events, {strings} strings: read in {} ns each, loaded in {} ns each", each(read), each(loaded));
    Ok(())
}
