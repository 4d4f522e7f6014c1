//! What leaves: the gangs as every export sees them. Secrets are masked and, below TLP:RED, victims hidden before anything gets
//! here, so that no export can tell what it was not given. Text in it is still hostile: each export escapes it for its own format.

use std::borrow::Cow;
use std::io;
use std::path::Path;
use std::str::FromStr;

use ringleader_model::findings::{Findings, Permille, Strength, Text};
use ringleader_model::hash::hash128;
use ringleader_model::{Context, IndicatorKind, Timestamp};

use super::Tlp;
use super::gather::Gather;
use super::harm::is_blockable;
use crate::escape;

/// What the caller chose.
#[derive(Debug, Clone)]
pub struct Choice {
    pub tlp: Tlp,
    /// Ids (six characters are enough) or names; none are all.
    pub gangs: Vec<String>,
    /// For lists that block and rules that alert.
    pub min_strength: Strength,
}

impl Default for Choice {
    fn default() -> Self {
        Self { tlp: Tlp::default(), gangs: Vec::new(), min_strength: Strength::Strong }
    }
}

/// What is shared.
#[derive(Debug, Default)]
pub struct Shared {
    pub(crate) tlp: Tlp,
    pub(crate) min_strength: Option<Strength>,
    /// By weight, heaviest first; then by id.
    pub(crate) gangs: Vec<SharedGang>,
    pub(crate) left_out: LeftOut,
}

/// What was not written, and why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Indicators that say something of the fleet.
    pub of_victims: u64,
    /// Names and commands in which something of the fleet was replaced.
    pub hidden: u64,
}

#[derive(Debug, Default)]
pub(crate) struct SharedGang {
    pub(crate) id: Text,
    pub(crate) name: String,
    pub(crate) known_as: Vec<String>,
    pub(crate) family: Option<String>,
    pub(crate) confidence: Permille,
    pub(crate) first: Option<Timestamp>,
    pub(crate) last: Option<Timestamp>,
    /// Names, or pseudonyms.
    pub(crate) hosts: Vec<String>,
    pub(crate) ways: Vec<Way>,
    /// ATT&CK ids of behaviours and ways in; sorted, each once.
    pub(crate) techniques: Vec<String>,
    /// Ids.
    pub(crate) behaviours: Vec<Text>,
    /// By kind, then value.
    pub(crate) signs: Vec<Sign>,
    /// By id.
    pub(crate) campaigns: Vec<SharedCampaign>,
}

/// A way in.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) method: String,
    pub(crate) cve: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct SharedCampaign {
    pub(crate) id: Text,
    pub(crate) signature: Vec<(Text, String)>,
    /// Parents before children.
    pub(crate) steps: Vec<Step>,
}

/// A process of a campaign's merged graph.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) id: Text,
    pub(crate) parent: Option<Text>,
    pub(crate) template: String,
    pub(crate) hosts: u64,
}

/// An indicator of a gang. There may be a million.
#[derive(Debug)]
pub(crate) struct Sign {
    pub(crate) kind: IndicatorKind,
    pub(crate) value: Text,
    pub(crate) strength: Strength,
    contexts: u8,
    /// A secret in it was masked: it matches nothing.
    pub(crate) masked: bool,
    /// It may stand on a list that blocks.
    pub(crate) blockable: bool,
    pub(crate) hosts: u64,
    pub(crate) first: Option<Timestamp>,
    pub(crate) last: Option<Timestamp>,
}

impl Sign {
    pub(crate) fn new(
        kind: IndicatorKind,
        value: Text,
        strength: Strength,
        contexts: &[Context],
        hosts: u64,
        is_own: bool,
    ) -> Self {
        let masked = value.contains(crate::mask::MASKED);
        let bits = contexts.iter().fold(0, |bits, it| bits | 1 << *it as u8);
        // What is only killed is a rival's, what is only mentioned nobody's.
        let used = contexts.iter().any(|it| !matches!(it, Context::Killed | Context::Mentioned));
        let blockable = used && !masked && !is_own && is_blockable(kind, &value);
        Self { kind, value, strength, contexts: bits, masked, blockable, hosts, first: None, last: None }
    }

    pub(crate) fn contexts(&self) -> impl Iterator<Item = &'static str> {
        let bits = self.contexts;
        Context::ALL.iter().filter(move |it| bits >> **it as u8 & 1 == 1).map(|it| it.name())
    }

    /// Whether the gang has it in use, and not its rivals.
    pub(crate) fn is_used(&self) -> bool {
        let rivals = 1 << Context::Killed as u8 | 1 << Context::Mentioned as u8;
        self.contexts & !rivals != 0
    }

    /// Whether a pattern on it can match: nothing masked, nothing that acts.
    pub(crate) fn is_plain(&self) -> bool {
        !self.masked && !self.value.is_empty() && !self.value.chars().any(escape::acts)
    }

    /// How surely it is this gang's, 0 to 100.
    pub(crate) fn confidence(&self, gang: &SharedGang) -> u16 {
        let base: u32 = match self.strength {
            Strength::Strong => 90,
            Strength::Medium => 60,
            Strength::Weak => 25,
        };
        u16::try_from(base * u32::from(gang.confidence.thousandths()) / 1000).unwrap_or(100)
    }

    /// `192.0.2.7:80` → address and port.
    pub(crate) fn address_and_port(&self) -> Option<(std::net::IpAddr, u16)> {
        let (ip, port) = self.value.rsplit_once(':')?;
        Some((ip.trim_matches(['[', ']']).parse().ok()?, u16::from_str(port).ok()?))
    }
}

impl Shared {
    /// What of these findings may leave.
    pub fn of(findings: &Findings, choice: &Choice) -> Self {
        Gather::of(findings, choice)
    }

    /// The same from a findings folder. Reads one line or gang at a time.
    pub fn load(dir: &Path, choice: &Choice) -> io::Result<Self> {
        super::load::load(dir, choice)
    }

    pub fn left_out(&self) -> LeftOut {
        self.left_out
    }
    pub fn gangs(&self) -> usize {
        self.gangs.len()
    }
    pub fn indicators(&self) -> usize {
        self.gangs.iter().map(|it| it.signs.len()).sum()
    }

    pub(crate) fn first(&self) -> Option<Timestamp> {
        self.gangs.iter().filter_map(|it| it.first).min()
    }
    pub(crate) fn last(&self) -> Option<Timestamp> {
        self.gangs.iter().filter_map(|it| it.last).max()
    }

    /// Strong enough for a rule or a list.
    pub(crate) fn is_strong(&self, sign: &Sign) -> bool {
        // Declared from strong to weak.
        sign.strength <= self.min_strength.unwrap_or(Strength::Strong)
    }

    /// What may be blocked, gang by gang.
    pub(crate) fn blockable(&self) -> impl Iterator<Item = (&SharedGang, &Sign)> {
        self.gangs
            .iter()
            .flat_map(|gang| gang.signs.iter().map(move |sign| (gang, sign)))
            .filter(|(_, sign)| sign.blockable && self.is_strong(sign))
    }

    /// For the heads of text files, a line each, without what marks a comment.
    pub(crate) fn head(&self) -> [String; 3] {
        let time = |it: Option<Timestamp>| it.map_or_else(|| "?".to_owned(), |it| it.to_string());
        [
            format!("Ringleader, {}", self.tlp.label()),
            format!("{} gangs, seen {} to {}", self.gangs.len(), time(self.first()), time(self.last())),
            "A draft for review: read it before a firewall or a sensor does.".to_owned(),
        ]
    }
}

impl SharedGang {
    /// For people, on one line.
    pub(crate) fn shown(&self) -> Cow<'_, str> {
        escape::visible(&self.name)
    }

    /// Its id, of letters and digits alone: another one where that would not be it.
    pub(crate) fn short(&self) -> String {
        let plain = !self.id.is_empty() && self.id.len() <= 32 && self.id.bytes().all(|b| b.is_ascii_alphanumeric());
        if plain { self.id.to_string() } else { format!("{:032x}", hash128(self.id.as_bytes(), 7)) }
    }

    pub(crate) fn times(&self) -> (Timestamp, Timestamp) {
        let first = self.first.unwrap_or_default();
        (first, self.last.unwrap_or(first).max(first))
    }
}
