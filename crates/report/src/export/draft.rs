//! A gang's signature and strong indicators → what a rule may be drafted from. Deliberately absent: what a rule language looks like,
//! and any claim that a draft is a rule: somebody reads it first.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ringleader_model::IndicatorKind;

use super::harm::url_host;
use super::shared::{Shared, SharedGang};
use crate::escape;
use crate::mask::MASKED;

/// Shorter texts stand everywhere by chance.
const MIN_WORD: usize = 6;
const MAX_WORD: usize = 400;
/// Of one kind, in one gang's draft; the rest is counted.
pub(super) const MOST: usize = 200;

/// Sorted, each once.
#[derive(Debug, Default)]
pub(super) struct Draft<'s> {
    pub(super) addresses: BTreeSet<IpAddr>,
    pub(super) endpoints: BTreeSet<(IpAddr, u16)>,
    pub(super) domains: BTreeSet<&'s str>,
    pub(super) urls: BTreeSet<&'s str>,
    pub(super) agents: BTreeSet<&'s str>,
    /// What a command line shows: paths, URLs, wallets, keys, pools, rare literals.
    pub(super) words: BTreeSet<&'s str>,
    /// Of the words, those that are somebody's by themselves; the others take company.
    pub(super) telling: BTreeSet<&'s str>,
    /// How many more words there were.
    pub(super) more: usize,
}

impl<'s> Draft<'s> {
    pub(super) fn of(shared: &'s Shared, gang: &'s SharedGang) -> Self {
        let mut out = Self::default();
        let mut words: BTreeSet<(bool, &str)> = BTreeSet::new();
        for sign in gang.signs.iter().filter(|it| it.is_used() && it.is_plain() && shared.is_strong(it)) {
            let value = &*sign.value;
            match sign.kind {
                IndicatorKind::Ip if sign.blockable => out.addresses.extend(value.parse::<IpAddr>()),
                IndicatorKind::IpPort if sign.blockable => out.endpoints.extend(sign.address_and_port()),
                IndicatorKind::Domain if sign.blockable => drop(out.domains.insert(value)),
                IndicatorKind::Url if sign.blockable => {
                    out.urls.insert(value);
                    words.insert((false, value));
                }
                IndicatorKind::UserAgent => drop(out.agents.insert(value)),
                IndicatorKind::Wallet
                | IndicatorKind::SshKey
                | IndicatorKind::Pool
                | IndicatorKind::Email
                | IndicatorKind::Paste => {
                    words.insert((false, value));
                }
                IndicatorKind::FilePath | IndicatorKind::Image => drop(words.insert((true, value))),
                _ => {}
            }
        }
        for (kind, value) in gang.campaigns.iter().flat_map(|it| &it.signature) {
            let plain = !value.contains(MASKED) && !value.chars().any(escape::acts);
            match &**kind {
                // Addresses and names of the network come with the indicators, where it is known whose they are.
                _ if !plain => {}
                "url" => drop(
                    url_host(value).filter(|_| out.urls.contains(value.as_str())).map(|_| words.insert((false, value))),
                ),
                "wallet" | "ssh_key" | "pool" | "email" | "paste" => drop(words.insert((false, value))),
                "file_path" | "image" | "cron" | "literal" => drop(words.insert((true, value))),
                _ => {}
            }
        }
        words.retain(|it| (MIN_WORD..=MAX_WORD).contains(&it.1.len()));
        out.more = words.len().saturating_sub(MOST);
        for (takes_company, word) in words.into_iter().take(MOST) {
            out.words.insert(word);
            if !takes_company {
                out.telling.insert(word);
            }
        }
        out
    }
}
