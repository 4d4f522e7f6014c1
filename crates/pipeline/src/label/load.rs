//! Rule texts → rules that can be asked, by where they look, and a word on each that can't, or that asks too little.
//! Deliberately absent: the asking (`sigma`, `deeds`, `correlate`).

use std::collections::BTreeSet;

use rsigma_eval::event::{Event, EventValue};
use rsigma_eval::{CompiledRule, Engine, compile_rule, evaluate_rule};
use rsigma_parser::{CorrelationRule, FilterRule, Level, SigmaCollection, SigmaRule, Status, parse_sigma_yaml};

use super::correlate::{Correlations, Counted};
use super::source::{self, Os, Place};
use super::{Behaviour, BehaviourId, Kind, Maturity, ProcessView, RuleProblem, Severity};

/// A rule text longer than this is refused: SigmaHQ's longest has 30 kB.
const MAX_RULE_BYTES: usize = 1 << 20;

/// One text as it comes from a folder: `name` is the file's name without its ending.
#[derive(Debug, Clone, Copy)]
pub(super) struct RuleText<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

/// A rule that can be asked.
pub(super) struct Rule {
    pub(super) behaviour: BehaviourId,
    pub(super) compiled: CompiledRule,
    pub(super) place: Place,
    pub(super) os: Os,
}

#[derive(Default)]
pub(super) struct Loaded {
    pub(super) rules: Vec<Rule>,
    pub(super) correlations: Correlations,
}

/// Reads and compiles the rules. Each that can be used is appended to `all`; its index there is its id.
pub(super) fn load(texts: &[RuleText<'_>], all: &mut Vec<Behaviour>, problems: &mut Vec<RuleProblem>) -> Loaded {
    let parsed: Vec<(&str, SigmaCollection)> = texts
        .iter()
        .filter_map(|it| match parse(it) {
            Ok(collection) => Some((it.name, collection)),
            Err(what) => {
                problems.push(RuleProblem { name: it.name.to_owned(), what, used: false });
                None
            }
        })
        .collect();
    let filters: Vec<&FilterRule> = parsed.iter().flat_map(|it| &it.1.filters).collect();
    let correlations: Vec<&CorrelationRule> = parsed.iter().flat_map(|it| &it.1.correlations).collect();
    // A rule that is counted is no finding by itself, unless its correlation says so.
    let named = |generate: bool| -> BTreeSet<&str> {
        let of = correlations.iter().filter(|it| it.generate || !generate);
        of.flat_map(|it| &it.rules).map(String::as_str).collect()
    };
    let (counted, shown) = (named(false), named(true));
    let is_among = |set: &BTreeSet<&str>, rule: &SigmaRule| {
        [&rule.id, &rule.name].into_iter().flatten().any(|it| set.contains(it.as_str()))
    };
    let mut loaded = Loaded::default();
    for (name, collection) in &parsed {
        let mut tell = |what: String, used| problems.push(RuleProblem { name: (*name).to_owned(), what, used });
        collection.errors.iter().for_each(|error| tell(error.clone(), false));
        for (nth, rule) in (1..).zip(&collection.rules) {
            let id = if nth == 1 { (*name).to_owned() } else { format!("{name}_{nth}") };
            let (compiled, place, os) = match compile(rule, &filters) {
                Ok(made) => made,
                Err(what) => {
                    tell(what, false);
                    continue;
                }
            };
            if is_among(&counted, rule) {
                loaded.correlations.count(Counted { rule: rule.clone(), compiled: compiled.clone(), place, os });
                if !is_among(&shown, rule) {
                    continue;
                }
            }
            let mut behaviour = behaviour(&id, &rule.title, &rule.tags, rule.level, rule.status, Kind::Single);
            if let Some(share) = ordinary_share(&compiled, place, os) {
                tell(format!("{share} of 100 ordinary processes match it: it weighs little"), true);
                behaviour.severity = Severity::Low;
            }
            match admit(behaviour, all) {
                // A retired rule keeps its name for old reports, and is no longer looked for.
                Ok(None) => {}
                Ok(Some(behaviour)) => loaded.rules.push(Rule { behaviour, compiled, place, os }),
                Err(what) => tell(what, false),
            }
        }
        for correlation in &collection.correlations {
            let (title, tags) = (&correlation.title, &correlation.tags);
            let id = if collection.rules.is_empty() { (*name).to_owned() } else { format!("{name}_correlated") };
            let it = behaviour(&id, title, tags, correlation.level, correlation.status, Kind::Tree);
            match admit(it, all) {
                Ok(None) => {}
                Ok(Some(behaviour)) => loaded.correlations.add(correlation.clone(), behaviour, name),
                Err(what) => tell(what, false),
            }
        }
    }
    loaded.correlations.settle(problems);
    loaded
}

fn parse(it: &RuleText<'_>) -> Result<SigmaCollection, String> {
    if it.text.len() > MAX_RULE_BYTES {
        return Err(format!("longer than {MAX_RULE_BYTES} bytes"));
    }
    parse_sigma_yaml(it.text).map_err(|error| error.to_string())
}

fn compile(rule: &SigmaRule, filters: &[&FilterRule]) -> Result<(CompiledRule, Place, Os), String> {
    let (place, os) = source::place(&rule.logsource)?;
    let mut compiled = compile_rule(rule).map_err(|error| error.to_string())?;
    compiled.include_event = false;
    if !filters.is_empty() {
        let mut engine = Engine::new();
        engine.add_compiled_rule(compiled);
        for filter in filters {
            engine.apply_filter(filter).map_err(|error| error.to_string())?;
        }
        compiled = engine.rules()[0].clone();
    }
    if let Err(lacks) = source::can_match(&compiled, &|name| source::is_held(place, name)) {
        let lacks: Vec<String> = lacks.iter().take(4).map(|it| format!("`{it}`")).collect();
        return Err(format!("needs what is not kept of an event: {}", lacks.join(", ")));
    }
    if source::can_match(&compiled, &|_| false).is_ok() && evaluate_rule(&compiled, &Anything(None)).is_some()
        || evaluate_rule(&compiled, &Anything(Some("~zq~"))).is_some()
    {
        return Err("matches whatever is logged".to_owned());
    }
    Ok((compiled, place, os))
}

fn behaviour(
    id: &str,
    title: &str,
    tags: &[String],
    level: Option<Level>,
    status: Option<Status>,
    kind: Kind,
) -> Behaviour {
    Behaviour {
        id: id.to_owned(),
        title: title.to_owned(),
        technique: techniques(tags).into_iter().next().unwrap_or_default(),
        techniques: techniques(tags),
        severity: match level {
            Some(Level::Critical) => Severity::Critical,
            Some(Level::High) => Severity::High,
            Some(Level::Medium) => Severity::Medium,
            Some(Level::Low | Level::Informational) | None => Severity::Low,
        },
        kind,
        // Whoever adds a rule without a status wants to hear of it.
        maturity: match status {
            Some(Status::Stable | Status::Test) | None => Maturity::Stable,
            Some(Status::Experimental) => Maturity::Trial,
            Some(Status::Deprecated | Status::Unsupported) => Maturity::Retired,
        },
    }
}

/// Its id; none where it is not to be looked for.
fn admit(it: Behaviour, all: &mut Vec<Behaviour>) -> Result<Option<BehaviourId>, String> {
    if all.iter().any(|known| known.id == it.id) {
        return Err(format!("the name `{}` is taken", it.id));
    }
    let id = u16::try_from(all.len()).map_err(|_| "more than 65535 rules".to_owned())?;
    let used = it.maturity != Maturity::Retired;
    all.push(it);
    Ok(used.then_some(BehaviourId(id)))
}

/// Whether a rule asks for what is fetched only then: the current folder, hashes.
pub(super) fn asks_late(rule: &CompiledRule) -> bool {
    source::asks(rule, &["CurrentDirectory", "Hashes"])
}

/// The techniques among the tags. A sub-technique says more than its technique, and stands in front.
fn techniques(tags: &[String]) -> Vec<String> {
    let named = |tag: &String| {
        let rest = tag.to_ascii_uppercase().strip_prefix("ATTACK.T")?.to_owned();
        rest.starts_with(|c: char| c.is_ascii_digit()).then(|| format!("T{rest}"))
    };
    let mut all: Vec<String> = tags.iter().filter_map(named).collect();
    all.sort_by_key(|it| std::cmp::Reverse(it.len()));
    all
}

/// Processes of every day: what matches many of them says nothing.
const ORDINARY: [(&str, &str, &str); 20] = [
    ("/usr/bin/ls", "ls -la /srv/www", "/usr/bin/bash"),
    ("/usr/bin/cat", "cat /etc/hostname", "/usr/bin/bash"),
    ("/usr/sbin/sshd", "/usr/sbin/sshd -D", "/usr/lib/systemd/systemd"),
    ("/usr/bin/bash", "-bash", "/usr/sbin/sshd"),
    ("/bin/sh", "/bin/sh -c run-parts --report /etc/cron.hourly", "/usr/sbin/cron"),
    ("/usr/bin/python3", "python3 /opt/app/manage.py runserver 8000", "/usr/lib/systemd/systemd"),
    ("/usr/bin/git", "git fetch --prune origin", "/usr/bin/bash"),
    ("/usr/sbin/nginx", "nginx: worker process", "/usr/sbin/nginx"),
    ("/usr/bin/apt-get", "apt-get install -y curl", "/usr/bin/sudo"),
    ("/usr/bin/docker", "docker ps --all", "/usr/bin/bash"),
    (
        "C:\\Windows\\System32\\svchost.exe",
        "C:\\Windows\\system32\\svchost.exe -k netsvcs -p",
        "C:\\Windows\\System32\\services.exe",
    ),
    ("C:\\Windows\\System32\\cmd.exe", "cmd.exe /c dir C:\\Work", "C:\\Windows\\explorer.exe"),
    (
        "C:\\Windows\\System32\\conhost.exe",
        "\\??\\C:\\Windows\\system32\\conhost.exe 0xffffffff -ForceV1",
        "C:\\Windows\\System32\\cmd.exe",
    ),
    ("C:\\Windows\\System32\\taskhostw.exe", "taskhostw.exe", "C:\\Windows\\System32\\svchost.exe"),
    ("C:\\Windows\\explorer.exe", "C:\\Windows\\Explorer.EXE", "C:\\Windows\\System32\\userinit.exe"),
    ("C:\\Program Files\\Git\\cmd\\git.exe", "git.exe status", "C:\\Windows\\System32\\cmd.exe"),
    (
        "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe",
        "powershell.exe -File C:\\Scripts\\backup.ps1",
        "C:\\Windows\\System32\\svchost.exe",
    ),
    (
        "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
        "\"chrome.exe\" --type=renderer --lang=en",
        "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
    ),
    (
        "C:\\Windows\\System32\\wbem\\WmiPrvSE.exe",
        "C:\\Windows\\system32\\wbem\\wmiprvse.exe -Embedding",
        "C:\\Windows\\System32\\svchost.exe",
    ),
    (
        "C:\\Windows\\System32\\msiexec.exe",
        "msiexec.exe /i C:\\Install\\app.msi /qn",
        "C:\\Windows\\System32\\services.exe",
    ),
];
/// Half of the systems' own.
const MANY: usize = 5;

/// How many of a hundred ordinary processes match, where those are many.
fn ordinary_share(rule: &CompiledRule, place: Place, os: Os) -> Option<usize> {
    if place != Place::Process {
        return None;
    }
    let views = ORDINARY.iter().map(|(image, line, parent)| ProcessView {
        file_path: Some(image),
        cmd_line: Some(line),
        parent_file_path: Some(parent),
        windows: image.contains('\\'),
        ..ProcessView::default()
    });
    let views: Vec<_> = views.filter(|it| os == Os::Any || (os == Os::Windows) == it.windows).collect();
    let matching = views.iter().filter(|it| evaluate_rule(rule, *it).is_some()).count();
    (matching >= MANY).then(|| matching * 100 / views.len())
}

/// An event of whose fields each holds a text of its own that means nothing, or all are absent.
struct Anything(Option<&'static str>);

impl Event for Anything {
    fn get_field(&self, path: &str) -> Option<EventValue<'_>> {
        let own = path.bytes().map(usize::from).sum::<usize>() % 97;
        self.0.map(|it| EventValue::Str(format!("{it}{}", "~".repeat(own)).into()))
    }
    fn any_string_value(&self, pred: &dyn Fn(&str) -> bool) -> bool {
        self.0.is_some_and(pred)
    }
    fn all_string_values(&self) -> Vec<std::borrow::Cow<'_, str>> {
        self.0.into_iter().map(Into::into).collect()
    }
    fn to_json(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
}
