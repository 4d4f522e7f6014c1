//! A program that is built on the host by hand, and started.

use super::command::{Command, base_name};
use super::tree::{Scene, evidence};
use super::{Pattern, Severity};

/// A source file is compiled into a folder that everyone may write to, or a hidden one, and what came out is run.
///
/// # Looks for
/// `gcc`, `cc`, `clang`, `tcc`, `g++` or `go build` with an output (or `a.out`) in such a place, then that file as a program.
/// # Why it matters
/// Exploits for more rights and rootkits are built where they run, to fit the kernel.
/// # Stays quiet on
/// Builds under `make`, `cmake`, `pip`, `cargo` and the like, and outputs elsewhere.
/// # Evidence
/// The compiler, the program.
/// # Source
/// ATT&CK T1027.004.
pub(super) struct CompilesThenRuns;

const COMPILERS: &[&str] = &["gcc", "cc", "g++", "clang", "tcc", "x86_64-linux-gnu-gcc", "go"];
const BUILDERS: &[&str] =
    &["make", "cmake", "ninja", "pip", "pip3", "cargo", "npm", "bazel", "configure", "dpkg", "rpm"];
/// What the signs are made of.
const COMPILES: u64 = 1;
const RUNS: u64 = 2;

/// Where the program goes, if this compiles one.
fn output<'c>(command: &'c Command<'_>) -> Option<&'c str> {
    if !command.is(COMPILERS) {
        return None;
    }
    let words: Vec<&str> = command.words.iter().map(AsRef::as_ref).collect();
    let at = words.iter().position(|it| *it == "-o");
    let joined = || words.iter().find_map(|it| it.strip_prefix("-o").filter(|it| it.starts_with('/')));
    let named = at.and_then(|at| words.get(at + 1).copied()).or_else(joined);
    let source = || words.iter().any(|it| it.starts_with(PLACES[0]) || it.starts_with(PLACES[2]));
    named.or_else(|| source().then_some("a.out"))
}

const PLACES: [&str; 3] = ["/tmp/", "/var/tmp/", "/dev/shm/"];

fn is_open(path: &str) -> bool {
    PLACES.iter().any(|it| path.starts_with(it)) || path.contains("/.") || !path.contains('/')
}

impl Pattern for CompilesThenRuns {
    fn id(&self) -> &'static str {
        "compiles_then_runs"
    }
    fn title(&self) -> &'static str {
        "Builds a program in a temporary folder and starts it"
    }
    fn technique(&self) -> &'static str {
        "T1027.004"
    }
    fn severity(&self) -> Severity {
        Severity::High
    }
    fn signs(&self, commands: &[Command<'_>]) -> u64 {
        commands.iter().fold(0, |all, it| {
            let path = it.path();
            let runs = PLACES.iter().any(|it| path.starts_with(it)) || path.starts_with("./") || path.contains("/.");
            all | if output(it).is_some() { COMPILES } else { 0 } | if runs { RUNS } else { 0 }
        })
    }
    fn may_show(&self, signs: u64) -> bool {
        signs & (COMPILES | RUNS) == COMPILES | RUNS
    }
    fn find(&self, scene: &Scene<'_, '_>) -> Vec<Vec<usize>> {
        let mut built: Vec<(&str, usize)> = Vec::new();
        let mut found = Vec::new();
        for step in &scene.steps {
            let built_by = |node: usize| {
                let above = |it: usize| scene.tree.nodes.get(it).and_then(|it| it.parent).filter(|up| *up < it);
                std::iter::successors(above(node), |it| above(*it)).take(8).any(|it| {
                    let path = scene.tree.nodes[it].file_path.or(scene.tree.nodes[it].cmd_line).unwrap_or_default();
                    BUILDERS.contains(&base_name(path.split(' ').next().unwrap_or_default()))
                })
            };
            if let Some(path) = output(&step.command) {
                if is_open(path) && !scene.packaged[step.node] && !built_by(step.node) && built.len() < MAX_BUILT {
                    built.push((path, step.node));
                }
                continue;
            }
            let path = step.command.path();
            let open = path.contains('/') && is_open(path) || path.starts_with("./");
            if let Some((_, compiler)) = built.iter().find(|(out, _)| open && base_name(out) == base_name(path)) {
                found.push(evidence([*compiler, step.node]));
            }
        }
        found
    }
}

/// Programs of one episode that are watched for.
const MAX_BUILT: usize = 32;
