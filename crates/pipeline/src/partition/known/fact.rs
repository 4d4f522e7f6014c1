//! what is known of a gang → how much it says, and until when.

use std::sync::Arc;

use crate::label::methods::named;

named!(
    /// What kind of thing is known. The names are the sections of a file.
    FactKind {
        Wallet = "wallets",
        /// The beginning of its base64 text.
        SshKey = "ssh_keys",
        Hash = "hashes",
        Email = "emails",
        Account = "accounts",
        /// With everything below it.
        Domain = "domains",
        /// `ip` or `ip:port`.
        Address = "addresses",
        /// A part of a URL's path.
        UrlPart = "url_parts",
        /// A file or folder where it chose to put it.
        Path = "paths",
        /// A file's name, wherever it lies.
        File = "files",
        /// A part of a command line.
        Command = "commands",
        UserAgent = "user_agents",
        Image = "images",
    }
);

/// Facts of one group hang together: an address is what a name resolves to. Two groups are two witnesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Identity,
    Server,
    File,
    Url,
    Command,
    Other,
}

impl FactKind {
    pub const fn group(self) -> Group {
        match self {
            Self::Wallet | Self::SshKey | Self::Hash | Self::Email => Group::Identity,
            Self::Domain | Self::Address => Group::Server,
            Self::UrlPart => Group::Url,
            Self::Path | Self::File => Group::File,
            Self::Command => Group::Command,
            Self::Account | Self::UserAgent | Self::Image => Group::Other,
        }
    }

    /// The chance, in thousandths, that who shows it is the one, if nothing else is known.
    const fn weight(self) -> u32 {
        match self {
            Self::Wallet | Self::SshKey => 950,
            Self::Hash => 900,
            Self::Email => 650,
            Self::Domain => 600,
            Self::Path | Self::UrlPart | Self::Image => 500,
            Self::Command | Self::Address => 450,
            Self::File | Self::Account => 400,
            Self::UserAgent => 350,
        }
    }

    /// It is its owner's alone, whoever may rent or copy the rest.
    const fn is_identity(self) -> bool {
        matches!(self, Self::Wallet | Self::SshKey | Self::Hash)
    }
}

/// From here on a fact may name by itself, thousandths.
const SURE: u16 = 600;
/// What nobody else is known to have.
const ONLY: u32 = 850;
/// What is left, in thousandths, of the weight of an address or a name that somebody else may have by now.
const EXPIRED_ADDRESS: u32 = 250;
const EXPIRED_DOMAIN: u32 = 400;
const OLD_ADDRESS: u32 = 400;
const OLD_DOMAIN: u32 = 600;
const UNDATED_ADDRESS: u32 = 700;
const TOO_EARLY: u32 = 500;
const DAY: i64 = 86_400_000_000;
/// A report comes after the deed, and a server outlives its report.
const BEFORE: i64 = 365;
const AFTER: i64 = 60;
const ADDRESS_LASTS: i64 = 365;
const DOMAIN_LASTS: i64 = 3 * 365;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    pub kind: FactKind,
    pub value: String,
    /// Nobody else is known to use it.
    pub only: bool,
    /// Days since 1970, the first and the last on which it was seen to be theirs.
    pub from: Option<i64>,
    pub until: Option<i64>,
    /// How many of the same kind, gangs or families, have it.
    pub holders: u16,
    /// How surely, in thousandths, whoever says so.
    pub confidence: u16,
    /// Who says so, where it is not the shipped knowledge.
    pub source: Option<Arc<str>>,
}

impl Fact {
    pub fn new(kind: FactKind, value: impl Into<String>) -> Self {
        Self {
            kind,
            value: value.into(),
            only: false,
            from: None,
            until: None,
            holders: 1,
            confidence: 1000,
            source: None,
        }
    }

    /// It names its gang by itself, shared facts and hired servers excepted.
    pub(super) fn is_unique(&self) -> bool {
        self.confidence >= SURE
            && self.holders <= 1
            && (self.only || self.kind.is_identity())
            && self.kind.group() != Group::Server
    }

    /// Its weight for one who was active from `first` to `last` (microseconds), and whether it had expired by then.
    pub(super) fn weight(&self, first: Option<i64>, last: Option<i64>) -> (u32, bool) {
        let base = if self.only { self.kind.weight().max(ONLY) } else { self.kind.weight() };
        let (left, expired) = self.left(first.map(|it| it.div_euclid(DAY)), last.map(|it| it.div_euclid(DAY)));
        let sure = u32::from(self.confidence.min(1000));
        (base * left / 1000 * sure / 1000 / u32::from(self.holders.max(1)), expired)
    }

    fn left(&self, first: Option<i64>, last: Option<i64>) -> (u32, bool) {
        let address = match self.kind {
            FactKind::Address => true,
            FactKind::Domain => false,
            // What is chosen stays theirs.
            _ => return (1000, false),
        };
        if let (Some(first), Some(until)) = (first, self.until)
            && first > until + AFTER
        {
            return (if address { EXPIRED_ADDRESS } else { EXPIRED_DOMAIN }, true);
        }
        if let (Some(last), Some(from)) = (last, self.from)
            && last < from - BEFORE
        {
            return (TOO_EARLY, true);
        }
        let lasts = if address { ADDRESS_LASTS } else { DOMAIN_LASTS };
        match (first, self.from, self.until) {
            (Some(first), Some(from), None) if first > from + lasts => {
                (if address { OLD_ADDRESS } else { OLD_DOMAIN }, true)
            }
            (_, None, None) if address => (UNDATED_ADDRESS, false),
            _ => (1000, false),
        }
    }
}
