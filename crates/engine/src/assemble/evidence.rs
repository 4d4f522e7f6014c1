//! claims → the records that prove them, with the raw lines quoted.

use ringleader_model::EventId;
use ringleader_model::findings::{Basis, Evidence, Text};
use ringleader_model::hash::hash128;
use ringleader_pipeline::merge::record::MemberRecord;

use super::seen::Examples;
use super::{Assembly, hex};
use crate::buckets::Buckets;
use crate::excerpts::{Spool, quote_evidence};

impl Assembly<'_> {
    pub(super) fn evidence_of(
        &mut self,
        examples: &Examples,
        kind: &str,
        claim: &str,
        rule: Option<&str>,
        weight: i64,
    ) -> Vec<Text> {
        let mut ids: Vec<Text> = examples
            .0
            .values()
            .map(|(member, inferred)| self.prove(member, *inferred, kind, claim, rule, weight))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn prove(
        &mut self,
        member: &MemberRecord,
        inferred: bool,
        kind: &str,
        claim: &str,
        rule: Option<&str>,
        weight: i64,
    ) -> Text {
        let id = hex(hash128(format!("{kind}\n{claim}\n{:032x}", member.event).as_bytes(), 0x500));
        if !self.evidence.contains_key(&id) {
            let source = self.source(member.source);
            self.evidence.insert(
                id.clone(),
                Evidence {
                    evidence_id: id.clone(),
                    claim: claim.to_owned(),
                    kind: kind.into(),
                    event_ids: vec![EventId(member.event)],
                    source: Some(source),
                    offset: Some(member.offset),
                    length: Some(u64::from(member.length)),
                    record_sha256: None,
                    excerpt: None,
                    rule: rule.map(Into::into),
                    basis: if inferred { Basis::Inferred } else { Basis::Observed },
                    weight,
                },
            );
        }
        id
    }

    pub(super) fn quote(&mut self, buckets: &dyn Buckets, spool: &Spool) {
        quote_evidence(self.evidence.values_mut(), spool, |source| buckets.is_unchanged(source));
        self.findings.evidence = std::mem::take(&mut self.evidence).into_values().collect();
    }
}
