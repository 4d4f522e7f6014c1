//! A program typed in, byte by byte.

use std::collections::HashMap;

use super::command::{Command, base_name};
use super::tree::{Scene, evidence};
use super::{Pattern, Severity};

/// A program is written out of text in command lines, and run.
///
/// # Looks for
/// `echo` or `printf` of `\x` escapes into a file, or base64, hex or OpenSSL decoded into a file; then a direct run of it.
/// # Why it matters
/// How a bot brings a loader onto a device that has no wget, and past filters on downloads.
/// # Stays quiet on
/// Files decoded for configuration, and scripts that are given to an interpreter.
/// # Evidence
/// The writing nodes, the running node.
/// # Source
/// ATT&CK T1140, T1027.
pub(super) struct WritesThenRuns;

impl Pattern for WritesThenRuns {
    fn id(&self) -> &'static str {
        "writes_then_runs"
    }
    fn title(&self) -> &'static str {
        "Writes a program out of text, then runs it"
    }
    fn technique(&self) -> &'static str {
        "T1140"
    }
    fn severity(&self) -> Severity {
        Severity::High
    }
    fn signs(&self, commands: &[Command<'_>]) -> u64 {
        commands.iter().any(|it| !it.writes.is_empty() && makes_bytes(it)).into()
    }
    fn find(&self, scene: &Scene<'_, '_>) -> Vec<Vec<usize>> {
        // By name: the folder is often known to the shell only. A loader takes hundreds of writes, the first counts.
        let mut written: HashMap<&str, usize> = HashMap::new();
        let mut out = Vec::new();
        for step in &scene.steps {
            let command = &step.command;
            if makes_bytes(command) {
                for path in &command.writes {
                    written.entry(base_name(path)).or_insert(step.node);
                }
                continue;
            }
            let path = command.path();
            if path.contains('/')
                && let Some(&node) = written.get(base_name(path))
            {
                out.push(evidence([node, step.node]));
            }
        }
        out
    }
}

fn makes_bytes(command: &Command<'_>) -> bool {
    match command.program() {
        "echo" | "printf" => command.args().any(|arg| arg.matches("\\x").nth(3).is_some() || arg.contains("\\x7f")),
        "base64" | "base32" => command.has_arg("-d") || command.has_arg("--decode") || command.has_arg("-D"),
        "xxd" => command.args().any(|arg| arg.starts_with('-') && arg.contains('r')),
        "openssl" => command.has_arg("-d"),
        _ => false,
    }
}
