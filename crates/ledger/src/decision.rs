//! What an analyst decides: who, when, why, and what. Deliberately absent: whether it may be decided (`decided`).

use ringleader_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Longest name of a gang.
pub(crate) const MAX_NAME: usize = 80;
/// Longest reason, note or allowed value.
pub(crate) const MAX_TEXT: usize = 4096;
/// Gangs or campaigns of one decision.
pub(crate) const MAX_LISTED: usize = 1000;

/// A row of the ledger's decisions. Never changed: a later one takes an earlier one back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// From 1, without gaps.
    pub seq: i64,
    /// Of its content: the same decision sent twice is one.
    pub decision_id: String,
    pub at: Timestamp,
    pub who: String,
    pub why: String,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    NameGang { gang: String, name: String },
    AliasGang { gang: String, alias: String },
    MergeGangs { into: String, gangs: Vec<String> },
    SplitGang { gang: String, new_gang: String, campaigns: Vec<CampaignRef> },
    DismissGang { gang: String },
    ConfirmMethod { gang: String, method: String },
    Allow { what: Allowable, value: String, until: Timestamp },
    OpenCase { title: String, gangs: Vec<String>, hosts: Vec<String> },
    NoteCase { case: i64, text: String },
    CloseCase { case: i64, outcome: String },
    Undo { decision: i64 },
}

/// A campaign, and what it is known by when its id has changed: it grows, and so may its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignRef {
    pub campaign: String,
    /// Kind and value.
    pub signature: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allowable {
    Indicator,
    /// A command template, as campaigns.jsonl writes it.
    Template,
    /// Host names; `*` stands for any characters.
    HostGroup,
}

impl Allowable {
    pub const ALL: [Self; 3] = [Self::Indicator, Self::Template, Self::HostGroup];

    pub fn name(self) -> &'static str {
        match self {
            Self::Indicator => "indicator",
            Self::Template => "template",
            Self::HostGroup => "host-group",
        }
    }
}

impl What {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NameGang { .. } => "name_gang",
            Self::AliasGang { .. } => "alias_gang",
            Self::MergeGangs { .. } => "merge_gangs",
            Self::SplitGang { .. } => "split_gang",
            Self::DismissGang { .. } => "dismiss_gang",
            Self::ConfirmMethod { .. } => "confirm_method",
            Self::Allow { .. } => "allow",
            Self::OpenCase { .. } => "open_case",
            Self::NoteCase { .. } => "note_case",
            Self::CloseCase { .. } => "close_case",
            Self::Undo { .. } => "undo",
        }
    }

    /// In words, for lists and messages.
    pub fn told(&self) -> String {
        let short = |id: &str| id.chars().take(8).collect::<String>();
        match self {
            Self::NameGang { gang, name } => format!("{} is called {name}", short(gang)),
            Self::AliasGang { gang, alias } => format!("{} is also called {alias}", short(gang)),
            Self::MergeGangs { into, gangs } => {
                let gangs: Vec<String> = gangs.iter().map(|it| short(it)).collect();
                format!("{} took in {}", short(into), gangs.join(", "))
            }
            Self::SplitGang { gang, new_gang, campaigns } => {
                format!("{} was cut out of {}, with {} campaigns", short(new_gang), short(gang), campaigns.len())
            }
            Self::DismissGang { gang } => format!("{} is dismissed", short(gang)),
            Self::ConfirmMethod { gang, method } => format!("{} does use {method}", short(gang)),
            Self::Allow { what, value, until } => format!("{} {value} is allowed until {until}", what.name()),
            Self::OpenCase { title, .. } => format!("a case: {title}"),
            Self::NoteCase { case, text } => format!("case {case}: {text}"),
            Self::CloseCase { case, outcome } => format!("case {case} is closed: {outcome}"),
            Self::Undo { decision } => format!("decision {decision} is taken back"),
        }
    }

    /// What is wrong with it whatever else was decided.
    pub(crate) fn check(&self) -> Result<()> {
        let text = |what: &str, text: &str, most: usize| {
            if text.trim().is_empty() {
                return Err(refused(format!("{what} is empty")));
            }
            if text.chars().count() > most {
                return Err(refused(format!("{what} has more than {most} characters")));
            }
            if text.chars().any(char::is_control) {
                return Err(refused(format!("{what} has control characters in it")));
            }
            Ok(())
        };
        let many = |what: &str, n: usize| match n {
            0 => Err(refused(format!("no {what} is named"))),
            n if n > MAX_LISTED => Err(refused(format!("more than {MAX_LISTED} {what} at once"))),
            _ => Ok(()),
        };
        match self {
            Self::NameGang { name: it, .. } | Self::AliasGang { alias: it, .. } => text("the name", it, MAX_NAME),
            Self::MergeGangs { gangs, .. } => many("gangs", gangs.len()),
            Self::SplitGang { campaigns, .. } => many("campaigns", campaigns.len()),
            Self::ConfirmMethod { method, .. } => text("the method", method, MAX_NAME),
            Self::Allow { value, .. } => text("the value", value, MAX_TEXT),
            Self::OpenCase { title, gangs, hosts } => {
                text("the title", title, MAX_NAME * 2)?;
                many("gangs and hosts", gangs.len() + hosts.len())
            }
            Self::NoteCase { text: it, .. } => text("the note", it, MAX_TEXT),
            Self::CloseCase { outcome, .. } => text("the outcome", outcome, MAX_TEXT),
            Self::DismissGang { .. } | Self::Undo { .. } => Ok(()),
        }
    }

    /// Two with the same words that differ in nothing but when they were said.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            // The id of what is cut out is made anew each time.
            (Self::SplitGang { gang: a, campaigns: b, .. }, Self::SplitGang { gang: c, campaigns: d, .. }) => {
                a == c && b.iter().map(|it| &it.campaign).eq(d.iter().map(|it| &it.campaign))
            }
            _ => self == other,
        }
    }
}

pub(crate) fn refused(text: impl Into<String>) -> Error {
    Error::Refused(text.into())
}
