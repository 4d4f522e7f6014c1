//! `cmd_chain` in its shapes → `pid:::command line` joined by ` &&& `, root first.

use serde_json::Value;

/// The most ancestors that are kept; the nearest ones.
const MAX: usize = 64;

type Link = (String, String);

/// Reads a chain that is written as an array of one-key objects, as one object, as bare pairs without brackets, or
/// already joined. The process itself is no ancestor and is left out.
///
/// Nothing says which end is the root: the parent's pid tells, else pid 1 does. Where neither stands at an end, the
/// chain is taken to be written from the root.
pub(super) fn ancestry(text: &str, pid: Option<u32>, ppid: Option<u32>) -> Option<String> {
    let mut links =
        if text.contains(":::") && !text.trim_start().starts_with(['[', '{']) { joined(text) } else { pairs(text)? };
    let is = |link: Option<&Link>, pid: Option<u32>| {
        link.zip(pid).is_some_and(|((number, _), pid)| number.parse() == Ok(pid))
    };
    let nearest_first = is(links.first(), pid)
        || (!is(links.last(), pid)
            && (is(links.first(), ppid) || (!is(links.last(), ppid) && is(links.last(), Some(1))))
            && links.len() > 1);
    if nearest_first {
        links.reverse();
    }
    if is(links.last(), pid) {
        links.pop();
    }
    let skip = links.len().saturating_sub(MAX);
    let parts: Vec<String> = links[skip..].iter().map(|(pid, cmd)| format!("{pid}:::{cmd}")).collect();
    (!parts.is_empty()).then(|| parts.join(" &&& "))
}

fn joined(text: &str) -> Vec<Link> {
    text.split(" &&& ")
        .filter_map(|part| part.split_once(":::"))
        .map(|(pid, cmd)| (pid.trim().to_owned(), cmd.trim().to_owned()))
        .collect()
}

fn pairs(text: &str) -> Option<Vec<Link>> {
    let text = text.trim();
    let value = serde_json::from_str::<Value>(text)
        .ok()
        .filter(|it| it.is_array() || it.is_object())
        .or_else(|| serde_json::from_str(&format!("{{{text}}}")).ok())?;
    let mut links = Vec::new();
    let objects = match &value {
        Value::Array(items) => items.as_slice(),
        object => std::slice::from_ref(object),
    };
    for (pid, cmd) in objects.iter().filter_map(Value::as_object).flatten() {
        links.push((pid.clone(), cmd.as_str().unwrap_or_default().to_owned()));
    }
    Some(links)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<&str>) {
        assert_eq!(ancestry(text, Some(30), Some(20)).as_deref(), expect, "{text}");
    }

    #[test]
    fn every_shape_and_either_direction() {
        let chain = Some("1:::init &&& 20:::sh -c x");
        check(r#"[{"1":"init"},{"20":"sh -c x"}]"#, chain);
        check(r#"[{"20":"sh -c x"},{"1":"init"}]"#, chain);
        check(r#"[{"30":"x"},{"20":"sh -c x"},{"1":"init"}]"#, chain);
        check(r#"{"1":"init","20":"sh -c x"}"#, chain);
        check(r#""1":"init","20":"sh -c x""#, chain);
        check("1:::init &&& 20:::sh -c x &&& 30:::x", chain);
        check(r#""20":"\"C:\\a b\\x.exe\"""#, Some("20:::\"C:\\a b\\x.exe\""));
        check("[]", None);
        check("not a chain", None);
    }

    #[test]
    fn a_chain_without_end_is_bounded() {
        let text: Vec<String> = (100..100_000).map(|n| format!("{{\"{n}\":\"x\"}}")).collect();
        let got = ancestry(&format!("[{}]", text.join(",")), None, None).unwrap();
        assert_eq!(got.matches(":::").count(), MAX);
    }
}
