//! `knowledge/methods/*.yml` → methods. Whoever adds one is told what is wrong with it, by name.

use std::collections::BTreeMap;

use ringleader_model::trend::Day;
use serde::Deserialize;

use super::entry::Role;
use super::normalize::normalize;
use super::{Method, MethodClass};

/// Shorter literals stand in too many texts by chance.
const MIN_LITERAL: usize = 3;
/// In one group at least, every literal must be this long: it is what makes the method be looked at.
const MIN_TELLING: usize = 4;
const MAX_FILE: usize = 64 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    name: String,
    #[serde(default)]
    names: Vec<String>,
    class: String,
    cve: Option<String>,
    disclosed: Option<String>,
    product: String,
    #[serde(default)]
    ports: Vec<u16>,
    technique: String,
    #[serde(default)]
    entry: BTreeMap<String, u16>,
    #[serde(default)]
    requests: Vec<String>,
    #[serde(default)]
    must: Vec<AnyOf>,
    #[serde(default)]
    attack: Vec<String>,
    #[serde(default)]
    unless: Vec<String>,
    #[serde(default)]
    first_processes: Vec<String>,
    #[serde(default)]
    references: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum AnyOf {
    One(String),
    Any(Vec<String>),
}

/// Reads one file.
pub(super) fn parse(text: &str) -> Result<Method, String> {
    if text.len() > MAX_FILE {
        return Err(format!("a method's file is at most {MAX_FILE} bytes"));
    }
    let file: File = yaml_serde::from_str(text).map_err(|why| why.to_string())?;
    let class = MethodClass::from_name(&file.class).ok_or_else(|| format!("unknown class `{}`", file.class))?;
    if file.id.is_empty() || !file.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
        return Err(format!("id `{}` is not snake_case", file.id));
    }
    let disclosed = match file.disclosed {
        Some(text) => Some(Day::parse(&text).ok_or_else(|| format!("disclosed `{text}` is no date like 2019-08-01"))?),
        None => None,
    };
    let mut entry = BTreeMap::new();
    for (name, permille) in file.entry {
        let role = Role::from_name(&name).ok_or_else(|| format!("unknown entry role `{name}`"))?;
        if permille > 1000 {
            return Err(format!("entry `{name}` is over 1000 permille"));
        }
        entry.insert(role, permille);
    }
    let must = file.must.into_iter().map(|group| match group {
        AnyOf::One(one) => vec![one],
        AnyOf::Any(any) => any,
    });
    let must = must.map(|group| group.iter().map(|it| literal(it)).collect()).collect::<Result<Vec<Vec<_>>, _>>()?;
    if must.iter().any(Vec::is_empty) {
        return Err("an empty choice in `must`".to_owned());
    }
    if !must.is_empty() && !must.iter().any(|group| group.iter().all(|it| it.normalized.len() >= MIN_TELLING)) {
        return Err(format!("no group of `must` has only literals of {MIN_TELLING} bytes or more"));
    }
    let attack = file.attack.iter().map(|it| literal(it)).collect::<Result<Vec<_>, _>>()?;
    let unless = file.unless.iter().map(|it| literal(it)).collect::<Result<Vec<_>, _>>()?;
    if must.is_empty() && entry.is_empty() {
        return Err("neither `must` nor `entry`: nothing could show it".to_owned());
    }
    if must.is_empty() != file.requests.is_empty() {
        return Err("`must` and `requests` need each other".to_owned());
    }
    Ok(Method {
        id: file.id,
        name: file.name,
        names: file.names,
        class,
        cve: file.cve,
        disclosed,
        product: file.product,
        ports: file.ports,
        technique: file.technique,
        entry,
        requests: file.requests,
        must,
        attack,
        unless,
        first_processes: file.first_processes.iter().map(|it| it.to_lowercase()).collect(),
        references: file.references,
    })
}

fn literal(text: &str) -> Result<Literal, String> {
    let normalized = normalize(text);
    if normalized.len() < MIN_LITERAL {
        return Err(format!("literal `{text}` is shorter than {MIN_LITERAL} bytes"));
    }
    Ok(Literal { written: text.to_owned(), normalized })
}

/// A literal as the analyst wrote it, and as payloads are searched for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    pub written: String,
    pub normalized: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "id: a_b\nname: A\nclass: exploit\ncve: null\nproduct: P\ntechnique: T1190\nrequests: [GET /abcd]\nmust: [/abcd, [efgh, ijkl]]\nentry: {php_fpm: 200}\n";

    #[test]
    fn a_file_is_read() {
        let method = parse(GOOD).unwrap();
        assert_eq!(method.must.len(), 2);
        assert_eq!(method.entry[&Role::PhpFpm], 200);
        assert_eq!(method.cve, None);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (from, to, why) in [
            ("class: exploit", "class: magic", "unknown class `magic`"),
            ("id: a_b", "id: A-b", "id `A-b` is not snake_case"),
            ("php_fpm", "toaster", "unknown entry role `toaster`"),
            ("/abcd, [", "'/a', [", "literal `/a` is shorter than 3 bytes"),
            ("requests: [GET /abcd]\n", "", "`must` and `requests` need each other"),
        ] {
            assert_eq!(parse(&GOOD.replace(from, to)).unwrap_err(), why);
        }
        assert!(parse("id: [").is_err());
        assert!(parse(&GOOD.replace("name: A", "nmae: A")).unwrap_err().contains("nmae"));
    }
}
