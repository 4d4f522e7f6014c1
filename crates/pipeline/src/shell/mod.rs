//! temporary
#[derive(Debug, Clone)]
pub struct Command { pub parent: Option<usize>, pub text: String, pub argv0: String, pub offset: usize, pub background: bool }
pub fn would_run(_script: &str) -> Vec<Command> { Vec::new() }
