//! `knowledge/spread/rules.yml` → the points of each rule, the ports, the lists of names. Deliberately absent: the sums.

use std::collections::BTreeMap;

use ringleader_model::findings::Permille;
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    pub prior: i32,
    pub taken: i32,
    pub host: BTreeMap<String, Rule>,
    pub ports: BTreeMap<u16, Port>,
    pub system_programs: SystemPrograms,
    pub scanner_roles: Vec<String>,
    pub admin_roles: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub points: i32,
    pub says: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Port {
    pub service: String,
    pub method: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemPrograms {
    pub windows: Vec<String>,
    pub windows_folders: Vec<String>,
}

const SHIPPED: &str = include_str!("../../../../knowledge/spread/rules.yml");

impl Rules {
    /// Those that ship with the program; a test reads them.
    pub fn built_in() -> Self {
        Self::parse(SHIPPED).expect("a test reads the shipped rules")
    }

    pub fn parse(text: &str) -> Result<Self, String> {
        let rules: Self = yaml_serde::from_str(text).map_err(|error| error.to_string())?;
        match NAMES.iter().find(|it| !rules.host.contains_key(**it)) {
            Some(missing) => Err(format!("no rule `{missing}`")),
            None => Ok(rules),
        }
    }

    pub fn points(&self, rule: &str) -> i32 {
        self.host.get(rule).map_or(0, |it| it.points)
    }

    pub fn says(&self, rule: &str) -> &str {
        self.host.get(rule).map_or("", |it| &it.says)
    }

    /// A system program's name, in a folder where it never is.
    pub fn masquerades(&self, path: &str) -> bool {
        let low = path.to_lowercase();
        let Some((folder, name)) = low.rsplit_once('\\') else { return false };
        let folder = format!("{folder}\\");
        self.system_programs.windows.iter().any(|it| it == name)
            && !self
                .system_programs
                .windows_folders
                .iter()
                .any(|it| folder.ends_with(it.as_str()) || folder.contains("\\winsxs\\"))
    }
}

/// Every rule that the code asks for.
pub(super) const NAMES: &[&str] = &[
    "ran_known_bad",
    "ran_same_program",
    "masquerades",
    "in_gang",
    "left_by_malware",
    "run_from_taken_host",
    "dropped_then_ran",
    "made_others_run",
    "strange_program_calls_out",
    "spreads_after_contact",
    "spreads",
    "exploit_said_success",
    "exploit_was_tried",
    "attacked_then_logged_on",
    "logon_from_taken_host",
    "passed_it_on",
    "fetched_from_taken_host",
    "called_back",
    "calls_incident_server",
    "alerted",
    "nothing_ran",
    "known_good",
];

/// Tenths of a ban → a probability, in whole thousandths. 10^(n/10) by its ten roots, so that no float is in it.
pub fn probability(points: i32) -> Permille {
    // 10^(0/10) to 10^(9/10), times 10^6.
    const ROOTS: [u64; 10] =
        [1_000_000, 1_258_925, 1_584_893, 1_995_262, 2_511_886, 3_162_278, 3_981_072, 5_011_872, 6_309_573, 7_943_282];
    let points = points.clamp(-60, 60);
    let (whole, tenth) = (points.unsigned_abs() / 10, points.unsigned_abs() as usize % 10);
    let odds = ROOTS[tenth] * 10u64.pow(whole);
    let (for_it, against) = if points >= 0 { (odds, 1_000_000) } else { (1_000_000, odds) };
    // Nothing that was only seen in logs is certain.
    Permille::new(Permille::ratio(for_it, for_it + against).thousandths().clamp(1, 999))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_tenths_of_a_ban() {
        let check = |points, expect| assert_eq!(probability(points).thousandths(), expect, "{points}");
        check(0, 500);
        check(10, 909);
        check(-10, 90);
        check(3, 666);
        check(200, 999);
        check(-200, 1);
    }

    #[test]
    fn a_look_alike_is_told_from_the_real_one() {
        let rules = Rules::built_in();
        for (path, bad) in [
            ("c:\\windows\\system32\\svchost.exe", false),
            ("c:\\windows\\speechstracing\\microsoft\\svchost.exe", true),
            ("c:\\windows\\winsxs\\amd64_x\\svchost.exe", false),
            ("c:\\users\\a\\spoolsv.exe", true),
            ("c:\\users\\a\\notepad.exe", false),
            ("svchost.exe", false),
        ] {
            assert_eq!(rules.masquerades(path), bad, "{path}");
        }
    }

    #[test]
    fn a_rule_that_is_missing_is_told() {
        assert!(Rules::parse("prior: 1").is_err());
        for name in NAMES {
            assert!(!Rules::built_in().says(name).is_empty(), "{name}");
        }
    }
}
