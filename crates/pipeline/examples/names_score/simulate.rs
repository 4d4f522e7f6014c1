//! facts of known gangs → gangs that show some of them, among what every gang shows.

use ringleader_model::{Context, IndicatorKind};
use ringleader_pipeline::partition::known::{Fact, FactKind, Known, Shown};

/// Splitmix64: the same gangs from the same seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        it ^ (it >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    pub(crate) fn shuffle<T>(&mut self, of: &mut [T]) {
        for at in (1..of.len()).rev() {
            of.swap(at, self.below(at + 1));
        }
    }

    pub(crate) fn word(&mut self) -> String {
        (0..4 + self.below(6)).map(|_| char::from(b'a' + self.below(26) as u8)).collect()
    }
}

/// What one simulated gang shows.
#[derive(Default)]
pub(crate) struct Gang {
    indicators: Vec<(IndicatorKind, String, Vec<Context>)>,
    commands: Vec<String>,
    methods: Vec<String>,
    behaviours: Vec<String>,
    time: Option<i64>,
}

const DAY: i64 = 86_400_000_000;
const FOLDERS: &[&str] = &["/tmp", "/var/tmp", "/dev/shm", "/usr/bin", "/root", "/opt/app"];
const COMMON_METHODS: &[&str] = &["ssh_password_guess", "redis_cron_write", "docker_api_exposed", "log4shell"];
const COMMON_BEHAVIOURS: &[&str] =
    &["starts_miner", "writes_cron", "kills_rivals", "downloads_then_runs", "scans_network"];

impl Gang {
    pub(crate) fn shown(&self) -> Shown<'_> {
        Shown {
            indicators: self.indicators.iter().map(|it| (it.0, it.1.as_str(), it.2.clone())).collect(),
            commands: self.commands.iter().map(String::as_str).collect(),
            methods: self.methods.iter().map(String::as_str).collect(),
            behaviours: self.behaviours.iter().map(String::as_str).collect(),
            first: self.time,
            last: self.time.map(|it| it + 3 * DAY),
        }
    }

    /// Facts of a gang, at a time when most of them held.
    pub(crate) fn of(known: &Known, facts: &[Fact], random: &mut Random) -> Self {
        let mut gang = Self::default();
        let mut days: Vec<i64> = facts.iter().filter_map(|it| it.from).collect();
        days.sort_unstable();
        gang.time = days.get(days.len() / 2).map(|it| (it + 30) * DAY);
        facts.iter().for_each(|it| gang.show(it, random));
        gang.methods.extend(known.methods.iter().take(1).cloned());
        gang.behaviours.extend(known.behaviours.iter().take(1).cloned());
        gang
    }

    fn add(&mut self, kind: IndicatorKind, value: String, context: Context) {
        self.indicators.push((kind, value, vec![context]));
    }

    fn show(&mut self, fact: &Fact, random: &mut Random) {
        let value = fact.value.clone();
        match fact.kind {
            FactKind::Wallet => self.add(IndicatorKind::Wallet, value, Context::Configured),
            FactKind::SshKey => self.add(IndicatorKind::SshKey, format!("{value}{}", random.word()), Context::Written),
            FactKind::Hash => self.add(IndicatorKind::Hash, value, Context::Downloaded),
            FactKind::Email => self.add(IndicatorKind::Email, value, Context::Configured),
            FactKind::Account => self.add(IndicatorKind::Account, value, Context::Written),
            FactKind::Domain => {
                let name = if random.below(2) == 0 { value } else { format!("{}.{value}", random.word()) };
                self.add(IndicatorKind::Domain, name, Context::Downloaded);
            }
            FactKind::Address if value.contains(':') => self.add(IndicatorKind::IpPort, value, Context::Connected),
            FactKind::Address => self.add(IndicatorKind::Ip, value, Context::Connected),
            FactKind::UrlPart => {
                let (host, slash) = (address(random), if value.ends_with('/') { random.word() } else { String::new() });
                self.add(IndicatorKind::Url, format!("http://{host}{value}{slash}"), Context::Downloaded);
            }
            FactKind::Path => self.add(IndicatorKind::FilePath, value, Context::Executed),
            FactKind::File => {
                let path = format!("{}/{value}", random.pick(FOLDERS));
                self.add(IndicatorKind::FilePath, path, Context::Executed);
            }
            FactKind::Command => self.commands.push(format!("/tmp/{} {value} x", random.word())),
            FactKind::UserAgent => self.add(IndicatorKind::UserAgent, value, Context::Configured),
            FactKind::Image => self.add(IndicatorKind::Image, format!("{value}:latest"), Context::Executed),
        }
    }

    /// What any gang shows: hired servers, common names, pools, rivals that it kills; now and then a server that another had.
    pub(crate) fn disguise(&mut self, others: &[&Known], random: &mut Random) {
        for _ in 0..2 + random.below(3) {
            let host = address(random);
            let (folder, word) = (random.pick(FOLDERS), random.word());
            let name = *random.pick(&["init.sh", "update.sh", "xmrig", "config.json", "x86_64", "run.sh"]);
            self.add(IndicatorKind::Url, format!("http://{host}/{name}"), Context::Downloaded);
            self.add(IndicatorKind::Ip, host, Context::Downloaded);
            self.add(IndicatorKind::FilePath, format!("{folder}/{name}"), Context::Executed);
            self.add(IndicatorKind::FilePath, format!("/tmp/{word}"), Context::Executed);
            self.add(IndicatorKind::Domain, format!("{word}.example"), Context::Downloaded);
        }
        self.add(IndicatorKind::Pool, "pool.supportxmr.com:443".to_owned(), Context::Connected);
        self.methods.push((*random.pick(COMMON_METHODS)).to_owned());
        self.behaviours.push((*random.pick(COMMON_BEHAVIOURS)).to_owned());
        for _ in 0..4 {
            let rival = random.pick(others);
            for fact in rival.facts.iter().filter(|it| matches!(it.kind, FactKind::File | FactKind::Path)).take(3) {
                self.add(IndicatorKind::FilePath, format!("/tmp/{}", fact.value), Context::Killed);
                self.commands.push(format!("pkill -f {}; rm -rf {}", fact.value, fact.value));
                self.commands.push(format!("ps aux | grep -v grep | grep '{}' | xargs kill -9", fact.value));
            }
        }
        if random.below(10) < 3 {
            let other = random.pick(others);
            let is_server = |it: &&Fact| matches!(it.kind, FactKind::Address | FactKind::Domain);
            let servers: Vec<&Fact> = other.facts.iter().filter(is_server).collect();
            if let Some(server) = servers.get(random.below(servers.len())) {
                self.show(server, random);
            }
        }
    }
}

fn address(random: &mut Random) -> String {
    format!("203.0.113.{}", random.below(255))
}
