//! x
#[derive(Debug)]
pub struct Command;
pub fn would_run(_: &str) -> Vec<Command> {
    Vec::new()
}
