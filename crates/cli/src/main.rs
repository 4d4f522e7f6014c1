//! What a user types and sees. Only here: arguments, the terminal, exit codes.

mod args;
mod args_hunt;
mod args_ledger;
mod commands;
mod progress;
mod summary;
mod terminal;

use std::process::ExitCode;

use clap::Parser as _;

/// Many small strings live long: a general-purpose allocator spends a tenth of a run on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Done, and findings were asked to fail the command.
const FOUND: u8 = 1;
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { FAILED } else { 0 });
        }
    };
    match commands::dispatch(args) {
        Ok(commands::Done::Clean) => ExitCode::SUCCESS,
        Ok(commands::Done::Found) => ExitCode::from(FOUND),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("ringleader: {}", terminal::safe(&format!("{error:#}")));
            ExitCode::from(FAILED)
        }
    }
}

/// `ringleader … | head` is no failure.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|it| it.downcast_ref::<std::io::Error>())
        .any(|it| it.kind() == std::io::ErrorKind::BrokenPipe)
}
