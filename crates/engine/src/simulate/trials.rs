//! Each fault and each special gang, as the log and the truth show it.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

struct Made {
    log: String,
    events: String,
    incidents: String,
    bots: String,
    counts: Counts,
}

fn made(config: &Config) -> Made {
    let (mut out, mut events, mut incidents, mut bots) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let truth = Truth { events: &mut events, incidents: &mut incidents, bots: &mut bots };
    let counts = write(config, &mut out, Some(truth)).unwrap();
    let text = |it| String::from_utf8(it).unwrap();
    Made { log: text(out), events: text(events), incidents: text(incidents), bots: text(bots), counts }
}

fn base() -> Config {
    Config { events: 60_000, ..Config::default() }
}

fn with(faults: Faults) -> Made {
    made(&Config { faults, ..base() })
}

fn field<'a>(line: &'a str, key: &str) -> &'a str {
    let at = line.find(&format!("\"{key}\":")).unwrap() + key.len() + 3;
    line[at..].trim_start_matches('"').split(['"', ',', '}']).next().unwrap()
}

fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    table.lines().map(|it| it.split('\t').collect())
}

fn millis(line: &str) -> i64 {
    let defaults = ringleader_model::time::TimeDefaults::default();
    let time = ringleader_model::time::Timestamp::parse(field(line, "time"), &defaults).unwrap().0;
    time.0 / 1000
}

/// Of a gang, what its commands say.
fn commands(made: &Made, gang: &str) -> String {
    let of: BTreeSet<&str> = rows(&made.incidents).filter(|it| it[1] == gang).map(|it| it[0]).collect();
    rows(&made.bots).filter(|it| of.contains(it[1])).map(|it| format!("{}\n", it[5])).collect()
}

#[test]
fn without_options_a_seed_gives_what_it_always_gave() {
    let loss = Loss { permille: 200, short_lived: false };
    let made = made(&Config { seed: 3, loss, one_off_permille: 100, ..base() });
    let hash = |it: &str| ringleader_model::hash::hash64(it.as_bytes());
    assert_eq!([&made.log, &made.events, &made.incidents, &made.bots].map(|it| hash(it)), PINNED);
}

const PINNED: [u64; 4] = [11287969883118791923, 12321036043870085502, 13298116882368537977, 6355660167021362352];

#[test]
fn copies_come_on_top_and_are_the_same_lines() {
    let (plain, twice) = (made(&base()), with(Faults { duplicate_permille: 100, ..Faults::default() }));
    let lines: Vec<&str> = twice.log.lines().collect();
    let distinct: BTreeSet<&str> = lines.iter().copied().collect();
    assert_eq!((lines.len() - distinct.len()) as u64, twice.counts.copies);
    assert!((5_000..7_000).contains(&twice.counts.copies), "{:?}", twice.counts);
    assert_eq!(distinct, plain.log.lines().collect());
    assert_eq!(plain.events, twice.events);
}

#[test]
fn late_events_change_their_place_and_nothing_else() {
    let (plain, late) = (made(&base()), with(Faults { disorder_secs: 600, ..Faults::default() }));
    let sorted = |made: &Made| made.log.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(sorted(&plain), sorted(&late));
    let mut latest = 0;
    let mut most = 0;
    let mut behind = 0;
    for line in late.log.lines() {
        latest = latest.max(millis(line));
        most = most.max(latest - millis(line));
        behind += u32::from(latest - millis(line) > 5_000);
    }
    assert!((500_000..=601_000).contains(&most), "{most}");
    assert!((2_000..9_000).contains(&behind), "{behind}");
}

#[test]
fn a_hosts_clock_is_off_by_the_same_all_day() {
    let (plain, skewed) = (made(&base()), with(Faults { skew_secs: 300, ..Faults::default() }));
    let times = |made: &Made| -> BTreeMap<String, (String, i64)> {
        made.log.lines().map(|it| (field(it, "id").to_owned(), (field(it, "host").to_owned(), millis(it)))).collect()
    };
    let (plain, skewed) = (times(&plain), times(&skewed));
    let mut off: BTreeMap<&str, BTreeSet<i64>> = BTreeMap::new();
    for (id, (host, time)) in &plain {
        off.entry(host).or_default().insert(skewed[id].1 - time);
    }
    assert!(off.values().all(|it| it.len() == 1 && it.iter().all(|it| it.abs() <= 300_000)), "{off:?}");
    assert!(off.values().flatten().collect::<BTreeSet<_>>().len() > 10);
}

#[test]
fn a_rate_limit_drops_what_comes_in_bursts() {
    let limited = with(Faults { rate_limit: 5, ..Faults::default() });
    let mut seconds: BTreeMap<(String, i64), u32> = BTreeMap::new();
    for line in limited.log.lines() {
        *seconds.entry((field(line, "host").to_owned(), millis(line) / 1000)).or_default() += 1;
    }
    let over = seconds.values().filter(|it| **it > 5).count();
    assert!(over * 1000 < seconds.len(), "{over} of {}", seconds.len());
    assert!(limited.counts.lost > 3_000, "{:?}", limited.counts);
    let lost = rows(&limited.events).filter(|it| it[4] == "1").count() as u64;
    assert_eq!(lost, limited.counts.lost);
    assert!(rows(&limited.events).any(|it| it[5] == "missing"));
}

#[test]
fn a_host_that_is_out_says_nothing_for_an_hour() {
    let out = with(Faults { outage_permille: 1000, ..Faults::default() });
    let share = out.counts.lost * 1000 / (out.counts.lost + out.counts.written);
    assert!((25..70).contains(&share), "{share}");
    let mut last: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for line in out.log.lines() {
        let entry = last.entry(field(line, "host")).or_insert((millis(line), 0));
        *entry = (millis(line), entry.1.max(millis(line) - entry.0));
    }
    assert!(last.values().filter(|it| it.1 >= 3_500_000).count() * 10 > last.len() * 8, "{last:?}");
}

#[test]
fn small_pid_spaces_wrap_within_the_day() {
    let small = with(Faults { small_pids_permille: 1000, ..Faults::default() });
    let mut before: BTreeMap<&str, i64> = BTreeMap::new();
    let mut wraps = 0;
    for line in small.log.lines() {
        let pid: i64 = field(line, "pid").parse().unwrap();
        assert!(pid < 4_200, "{line}");
        let last = before.insert(field(line, "host"), pid).unwrap_or(pid);
        wraps += u32::from(pid < last - 3_000);
    }
    assert!(wraps as usize > before.len(), "{wraps}");
}

#[test]
fn all_faults_together_leave_the_truth_whole() {
    let faults = Faults {
        duplicate_permille: 20,
        disorder_secs: 120,
        skew_secs: 60,
        rate_limit: 20,
        outage_permille: 100,
        small_pids_permille: 300,
    };
    let loss = Loss { permille: 300, short_lived: true };
    let made = made(&Config { faults, loss, ..base() });
    assert_eq!(made.counts.written, 60_000);
    let logged: BTreeSet<&str> = made.log.lines().map(|it| field(it, "id")).collect();
    let known: BTreeSet<&str> = made
        .events
        .lines()
        .map(|it| it.split('\t').collect::<Vec<_>>())
        .filter(|it| it[4] == "0")
        .map(|it| it[0])
        .collect();
    assert_eq!(logged, known);
}

#[test]
fn copycats_share_commands_and_no_value() {
    let extras = Extras { copycats: true, ..Extras::default() };
    let made = made(&Config { extras, bot_permille: 60, events: 200_000, ..base() });
    let (one, other) = (commands(&made, "red rake"), commands(&made, "rake mimic"));
    assert!(one.contains("chattr -ia /etc/ld.so.preload") && other.contains("chattr -ia /etc/ld.so.preload"));
    let strong = |text: &str| -> BTreeSet<String> {
        let words = text.split([' ', '|', '(', ')', '\'', '"', ';']);
        words.filter(|it| it.starts_with("http://") || it.len() > 90).map(str::to_owned).collect()
    };
    // The family's own red herring.
    let shared: Vec<String> = strong(&one).intersection(&strong(&other)).cloned().collect();
    assert!(shared.iter().all(|it| it.contains("aegis.example") || it.starts_with("http://203.0.113")), "{shared:?}");
    assert!(!other.contains("/var/tmp/.rk") && !other.contains("kdevtmpfsx"));
}

#[test]
fn rivals_name_each_others_programs() {
    let extras = Extras { rivals: true, ..Extras::default() };
    let made = made(&Config { extras, bot_permille: 60, events: 200_000, ..base() });
    assert!(commands(&made, "night heron").contains("pkill -9 -f mharr"));
    assert!(commands(&made, "marsh harrier").contains("pkill -9 -f herond"));
    assert!(commands(&made, "marsh harrier").contains("rm -rf /var/tmp/.nh"));
}

#[test]
fn the_planter_shows_as_many_values_of_others_as_asked() {
    let extras = Extras { planted: 40, ..Extras::default() };
    let made = made(&Config { extras, bot_permille: 60, events: 300_000, ..base() });
    let said = commands(&made, "false flag");
    let scripts = Scripts::of(&Config { extras, ..base() }).unwrap();
    let planter = scripts.gangs.iter().find(|it| it.name == "false flag").unwrap();
    let shown: BTreeSet<&str> = planter.waves[0][gangs::PLANTED_FROM..].iter().map(String::as_str).collect();
    assert_eq!(shown.len(), 40);
    let told = shown.iter().filter(|it| said.contains(**it)).count();
    assert!(told > 30, "{told}");
    let of_others = scripts.gangs.iter().filter(|it| it.name != "false flag").flat_map(|it| it.waves.iter().flatten());
    let of_others: BTreeSet<&str> = of_others.map(String::as_str).collect();
    assert!(shown.iter().filter(|it| of_others.contains(**it)).count() > 25);
}

#[test]
fn the_widespread_gang_comes_to_sixty_in_a_hundred_hosts() {
    let extras = Extras { widespread: true, ..Extras::default() };
    let made = made(&Config { extras, events: 300_000, ..base() });
    let hosts: BTreeSet<&str> = rows(&made.incidents).filter(|it| it[1] == "spring tide").map(|it| it[3]).collect();
    let share = hosts.len() as u64 * 100 / made.counts.hosts;
    assert!((48..70).contains(&share), "{share}%");
}

#[test]
fn windows_hosts_work_and_are_broken_into() {
    let made = made(&Config { windows_permille: 1000, bot_permille: 40, events: 200_000, ..base() });
    for line in made.log.lines() {
        assert!(field(line, "pid").parse::<u32>().unwrap().is_multiple_of(4), "{line}");
        assert!(!field(line, "parent").contains('\\'), "{line}");
    }
    let paths = made.log.lines().filter(|it| field(it, "file_path").contains(":\\\\")).count();
    assert_eq!(paths, 200_000);
    let gangs: BTreeSet<&str> = rows(&made.incidents).map(|it| it[1]).collect();
    assert_eq!(gangs, BTreeSet::from(["bull herald", "citrus drake", "ember titan", "kingsfoil", "tin choir"]));
    assert!(commands(&made, "tin choir").contains("-NoP -NonI -W Hidden"));
}

#[test]
fn half_a_windows_fleet_has_both() {
    let made = made(&Config { windows_permille: 500, ..base() });
    let windows = made.log.lines().filter(|it| it.contains("C:\\\\Windows")).count();
    assert!((15_000..45_000).contains(&windows), "{windows}");
}

#[test]
fn herrings_are_benign_and_look_like_bots() {
    let made = made(&Config { herrings: true, bot_permille: 0, events: 100_000, ..base() });
    for what in ["| bash -s -- --token", "chattr +i /etc/passwd", "base64 -d > /run/secrets", "pkill -9 -f"] {
        assert!(made.log.contains(what), "{what}");
    }
    assert!(rows(&made.events).filter(|it| it[1] == "-").count() > 99_000);
}
