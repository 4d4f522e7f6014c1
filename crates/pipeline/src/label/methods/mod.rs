//! payloads and process chains → how they got in: an attack method of `knowledge/methods/`, or none.
//!
//! Two witnesses: the text of a request (`identify`), and the process that the episode hangs from (`by_entry`);
//! `fuse` weighs both with logons and with the request's likeness to the victim's own command line.
//! Deliberately absent: finding the request that belongs to an episode (reconstruct), and alerts' own names for it.

mod canonical;
mod chain;
mod decode;
pub mod draft;
pub mod entry;
mod fuse;
mod grams;
mod identify;
mod knowledge;
pub(crate) mod normalize;
mod payload;
mod shape;
mod tie;

use std::collections::BTreeMap;

use include_dir::{Dir, include_dir};
use ringleader_model::Outcome;

pub use entry::{Role, entry_role};
pub use fuse::{Abstained, Evidence, Fused, LogonKind};
pub use knowledge::Literal;
pub use normalize::{MAX_PAYLOAD, normalize};
pub use payload::payload_of_line;
pub use shape::{Shape, shape};
pub use tie::ties_to_command;

macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$inner])* $variant),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.name() == name)
            }
        }
    };
}
pub(crate) use named;

named!(
    /// The kinds of the findings contract.
    MethodClass {
        WeakPassword = "weak_password",
        StolenKey = "stolen_key",
        ExposedService = "exposed_service",
        Exploit = "exploit",
        SupplyChain = "supply_chain",
        Lateral = "lateral",
        Unknown = "unknown",
    }
);

named!(
    /// How far a payload goes.
    Stage {
        /// It looks whether the hole is there.
        Probed = "probed",
        /// It carries something to run.
        Attacked = "attacked",
    }
);

/// One attack method, as its file says.
#[derive(Debug, Clone)]
pub struct Method {
    pub id: String,
    pub name: String,
    /// Other names, further CVE ids among them.
    pub names: Vec<String>,
    pub class: MethodClass,
    pub cve: Option<String>,
    /// The day on which its CVE record was published.
    pub disclosed: Option<ringleader_model::trend::Day>,
    pub product: String,
    pub ports: Vec<u16>,
    /// ATT&CK technique.
    pub technique: String,
    /// What the attacked service runs as, and the confidence (permille) when nothing but that is known.
    pub entry: BTreeMap<Role, u16>,
    /// Payload skeletons; `{{…}}` marks what the attacker chooses.
    pub requests: Vec<String>,
    /// Every group must be there, by any one of its literals.
    pub must: Vec<Vec<Literal>>,
    /// Any one shows that something is to run; where there are none, `must` shows it.
    pub attack: Vec<Literal>,
    /// Any one shows that it is something else that looks alike.
    pub unless: Vec<Literal>,
    /// First child command lines, lower case, `*` for anything.
    pub first_processes: Vec<String>,
    pub references: Vec<String>,
}

/// The place of a method in `Methods::all`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MethodIdx(pub u16);

/// A method that something speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodMatch {
    pub method: MethodIdx,
    pub confidence_permille: u16,
    pub stage: Stage,
    /// What speaks for it, quoted.
    pub matched: Vec<String>,
}

/// Everything known about ways in. Made once, shared by threads.
pub struct Methods {
    methods: Vec<Method>,
    texts: identify::Texts,
}

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../knowledge/methods");

impl Methods {
    /// The shipped knowledge.
    pub fn builtin() -> Self {
        Self::with_files(&[]).value
    }

    /// The shipped knowledge and the user's own files (name, text); a method of the same id replaces the shipped one.
    /// A file that can't be read is left out, and said.
    pub fn with_files(files: &[(String, String)]) -> Outcome<Self> {
        let read =
            crate::knowledge::read(&SHIPPED, files, (usize::from(u16::MAX), "methods"), knowledge::parse, |it| &it.id);
        let texts = identify::Texts::new(&read.value);
        Outcome { value: Self { methods: read.value, texts }, problems: read.problems }
    }

    /// These alone, for whoever tries out a file.
    fn with_only(files: &[(String, String)]) -> Self {
        let read = files.iter().filter_map(|(_, text)| knowledge::parse(text).ok()).collect::<Vec<_>>();
        let texts = identify::Texts::new(&read);
        Self { methods: read, texts }
    }

    /// Every method, by id.
    pub fn all(&self) -> &[Method] {
        &self.methods
    }

    pub fn get(&self, method: MethodIdx) -> &Method {
        &self.methods[usize::from(method.0)]
    }

    pub fn by_id(&self, id: &str) -> Option<MethodIdx> {
        let at = self.methods.binary_search_by(|method| method.id.as_str().cmp(id)).ok()?;
        u16::try_from(at).ok().map(MethodIdx)
    }

    /// The methods that a payload (a raw HTTP request, a URL, a command …) is an instance of, the likeliest first.
    /// Empty where none is likely enough. An ordinary request costs one pass.
    pub fn identify(&self, payload: &str) -> Vec<MethodMatch> {
        self.texts.identify(&self.methods, payload)
    }

    /// A name and a hash for a hostile payload that resembles nothing known.
    pub fn shape(&self, payload: &str) -> Option<Shape> {
        if self.identify(payload).is_empty() { shape(payload) } else { None }
    }

    /// Whether a text is one of the ordinary ones, as far as literals can tell.
    fn ordinary_has_all(literals: &[String]) -> bool {
        identify::ordinary().any(|text| literals.iter().all(|it| text.contains(it.as_str())))
    }

    /// Methods with their place.
    fn indexed(&self) -> impl Iterator<Item = (MethodIdx, &Method)> {
        (0u16..).map(MethodIdx).zip(&self.methods)
    }

    /// The table of `docs/methods.md`.
    pub fn markdown(&self) -> String {
        use std::fmt::Write as _;
        let mut out = String::from(HEAD);
        for method in &self.methods {
            let cve = method.cve.as_deref().unwrap_or("");
            let roles: Vec<_> = method.entry.keys().map(|role| role.name()).collect();
            let _ = writeln!(
                out,
                "| `{}` | {} | {} | {cve} | {} | {} |",
                method.id,
                method.name.replace('|', "\\|"),
                method.class.name(),
                method.technique,
                roles.join(", ")
            );
        }
        out
    }
}

const HEAD: &str = "# Attack methods

How they got in. One file each in `knowledge/methods/`; this table is made from them
(`RINGLEADER_BLESS=1 cargo test -p ringleader-pipeline --lib methods` writes it anew).

| id | name | class | CVE | technique | entered through |
|---|---|---|---|---|---|
";

#[cfg(test)]
mod evaluation;

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> std::path::PathBuf {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    #[test]
    fn every_shipped_file_is_read_and_named_by_its_id() {
        let methods = Methods::with_files(&[]);
        assert_eq!(methods.problems, []);
        let mut ids: Vec<String> = std::fs::read_dir(root().join("knowledge/methods"))
            .unwrap()
            .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        ids.sort();
        let read: Vec<_> = methods.value.all().iter().map(|method| method.id.clone()).collect();
        assert_eq!(read, ids, "touch label/methods/mod.rs after adding a file");
        assert!(read.len() >= 60);
    }

    #[test]
    fn cves_and_techniques_are_well_formed() {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        for method in Methods::builtin().all() {
            if let Some(cve) = &method.cve {
                let (year, number) = cve.strip_prefix("CVE-").unwrap().split_once('-').unwrap();
                assert!(digits(year) && digits(number), "{cve}");
            }
            let (technique, sub) = method.technique.split_once('.').unwrap_or((&method.technique, "001"));
            assert!(digits(technique.strip_prefix('T').unwrap()) && digits(sub), "{}", method.technique);
            assert!(!method.references.is_empty(), "{}", method.id);
        }
    }

    #[test]
    fn a_users_file_replaces_and_a_broken_one_is_said() {
        let own = |id: &str| {
            format!(
                "id: {id}\nname: Own\nclass: exploit\ncve: null\nproduct: P\ntechnique: T1190\nrequests: [GET /zork]\nmust: [/zork]\n"
            )
        };
        let files = [
            ("own.yml".to_owned(), own("own_method")),
            ("log.yml".to_owned(), own("log4shell")),
            ("bad.yml".to_owned(), "id: x".to_owned()),
        ];
        let methods = Methods::with_files(&files);
        assert_eq!(methods.problems.len(), 1);
        assert_eq!(methods.problems[0].source, "bad.yml");
        let methods = methods.value;
        assert_eq!(methods.get(methods.by_id("log4shell").unwrap()).name, "Own");
        assert!(methods.by_id("own_method").is_some());
        assert_eq!(methods.by_id("nothing"), None);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
        #[test]
        fn nothing_panics(text in "(\\PC|[%$\\{\\}\\\\&;/=+ \u{0}-\u{1f}ÄİK]|eval-stdin.php|jndi:|\\.\\./){0,60}") {
            static METHODS: std::sync::LazyLock<Methods> = std::sync::LazyLock::new(Methods::builtin);
            for it in METHODS.identify(&text) {
                proptest::prop_assert!((500..=980).contains(&it.confidence_permille));
            }
            METHODS.shape(&text);
            shape(&text);
            entry_role(Some(&text), Some(&text));
            METHODS.by_entry(Role::Java, &[&text]);
            proptest::prop_assert!(ties_to_command(&text, &text) <= 1000);
        }
    }

    #[test]
    fn a_payload_of_nothing_but_literals_is_bounded() {
        let methods = Methods::builtin();
        let flood = "<?php eval-stdin.php ${jndi: /wls-wsat/ %24%7b getruntime ".repeat(20_000);
        let found = methods.identify(&flood);
        assert!(!found.is_empty() && found.len() <= methods.all().len());
        assert!(found.iter().flat_map(|it| &it.matched).all(|quoted| quoted.len() < 200));
    }

    #[test]
    fn the_table_in_the_docs_is_current() {
        let path = root().join("docs/methods.md");
        let made = Methods::builtin().markdown();
        if std::env::var_os("RINGLEADER_BLESS").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), made, "run with RINGLEADER_BLESS=1");
    }
}
