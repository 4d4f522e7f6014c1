//! → Sigma rules, several documents in one file: for each gang what its command lines, its connections and its look-ups show.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::Export;
use super::draft::{Draft, MOST};
use super::shared::{Shared, SharedGang};
use super::stix::uuid;
use crate::escape::visible;

/// Of a name, in a title.
const TITLE: usize = 60;

pub(super) struct Sigma;

impl Export for Sigma {
    fn name(&self) -> &'static str {
        "sigma"
    }
    fn file(&self) -> &'static str {
        "ringleader-sigma.yml"
    }
    fn summary(&self) -> &'static str {
        "drafts of Sigma rules: command lines, connections and look-ups of each gang"
    }
    fn write(&self, shared: &Shared, out: &mut (dyn Write + Send)) -> io::Result<()> {
        for line in shared.head() {
            writeln!(out, "# {line}")?;
        }
        let mut any = false;
        for gang in &shared.gangs {
            for rule in rules(shared, gang) {
                out.write_all(if any { b"---\n" } else { b"" })?;
                any = true;
                out.write_all(rule.as_bytes())?;
            }
        }
        Ok(())
    }
}

fn rules(shared: &Shared, gang: &SharedGang) -> Vec<String> {
    let draft = Draft::of(shared, gang);
    let words: Vec<String> = draft.words.iter().map(|it| pattern(it)).collect();
    let mut ips: Vec<String> = draft.addresses.iter().map(ToString::to_string).collect();
    ips.extend(draft.endpoints.iter().map(|it| it.0.to_string()));
    ips.sort();
    ips.dedup();
    ips.truncate(MOST);
    let domains: Vec<String> = draft.domains.iter().take(MOST).map(|it| pattern(it)).collect();
    let sources = [
        ("process_creation", "command lines", "CommandLine|contains", words),
        ("network_connection", "connections", "DestinationIp", ips),
        ("dns_query", "look-ups", "QueryName|endswith", domains),
    ];
    let rules = sources.into_iter().filter(|it| !it.3.is_empty());
    rules.map(|(category, what, field, values)| rule(shared, gang, &draft, category, what, field, &values)).collect()
}

fn rule(
    shared: &Shared,
    gang: &SharedGang,
    draft: &Draft<'_>,
    category: &str,
    what: &str,
    field: &str,
    values: &[String],
) -> String {
    // Two gangs may bear one name, no two rules one title.
    let name: String = gang.shown().chars().take(TITLE).collect();
    let title = format!("Gang {name} ({}): {what}", &gang.short()[..gang.short().len().min(8)]);
    let more = if draft.more > 0 && category == "process_creation" {
        format!("; {} more are left out", draft.more)
    } else {
        String::new()
    };
    let mut out = String::new();
    let mut line = |text: String| {
        let _ = writeln!(out, "{text}");
    };
    line(format!("title: {}", quoted(&title)));
    line(format!("id: {}", uuid("sigma", &format!("{category} {}", gang.id))));
    line("status: experimental".to_owned());
    line(format!(
        "description: {}",
        quoted(&format!("Drafted from the signature of gang {} ({}){more}", visible(&gang.id), shared.tlp.label()))
    ));
    line("author: Ringleader".to_owned());
    line(format!("date: {}", gang.times().1.day()));
    line("tags:".to_owned());
    for id in &gang.techniques {
        line(format!("    - attack.{}", id.to_ascii_lowercase()));
    }
    for cve in gang.ways.iter().filter_map(|it| it.cve.as_deref()).collect::<std::collections::BTreeSet<_>>() {
        line(format!("    - {}", cve.to_ascii_lowercase().replacen('-', ".", 1)));
    }
    line(format!("    - tlp.{}", shared.tlp.word()));
    line(format!("logsource:\n    category: {category}"));
    line(format!("detection:\n    selection:\n        {field}:"));
    for value in values {
        line(format!("            - {}", quoted(value)));
    }
    line("    condition: selection".to_owned());
    line("falsepositives:\n    - A draft that nobody has tuned yet\nlevel: high".to_owned());
    out
}

/// What Sigma would read as a wildcard is escaped.
fn pattern(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '*' | '?') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A double-quoted scalar of YAML: only `"` and `\` act in it once what acts is shown. YAML allows no unpaired or private oddities.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in visible(text).chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_leave_its_quotes_and_is_no_wildcard() {
        assert_eq!(quoted("a\"\n- b: *x"), r#""a\"\\n- b: *x""#);
        assert_eq!(pattern(r"C:\a*?"), r"C:\\a\*\?");
    }
}
