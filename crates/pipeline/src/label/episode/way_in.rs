//! A labelled episode → how they got in: text of requests, the chain back to the entry, logons; fused, or told why
//! not.

use ringleader_model::{EventClass, Field, Timestamp};

use super::record::member;
use super::{Host, Labeller, RECORDED_ROWS};
use crate::collect::rows::Bucket;
use crate::connect::episodes::Episode;
use crate::connect::{HostGraph, Process, text};
use crate::label::methods::entry::{Role as EntryRole, entry_role};
use crate::label::methods::{self, Evidence, Fused, LogonKind, MethodClass, MethodMatch, Stage};
use crate::label::network;
use crate::merge::record::{EpisodeRecord, MemberRecord, MethodRecord};
use crate::merge::sketch::EpisodeFacts;

/// A logon or request this long before an episode can be its way in.
const WAY_IN_MICROS: i64 = 120_000_000;

impl Labeller<'_> {
    /// How they got in: text of requests, the chain back to the entry, logons; fused, or told why not.
    pub(super) fn way_in(
        &mut self,
        bucket: &Bucket,
        graph: &HostGraph,
        episode: &Episode,
        host: &Host<'_>,
        record: &mut EpisodeRecord,
        facts: &mut EpisodeFacts,
    ) {
        let entry = &graph.processes[episode.members[0] as usize];
        let first = record.nodes.iter().filter_map(|it| it.start).min().map(Timestamp);
        let commands: Vec<&str> = episode
            .members
            .iter()
            .take(16)
            .filter_map(|it| text(bucket, graph.processes[*it as usize].cmd_line))
            .collect();
        // The entry itself, or what is above it: the service that ran the attacker's command.
        let above = episode.boundary.or(entry.parent).map(|it| &graph.processes[it as usize]);
        let role_of = |it: &Process| entry_role(text(bucket, it.file_path), text(bucket, it.cmd_line));
        let named = entry_role(text(bucket, entry.parent_name), text(bucket, entry.parent_cmd_line));
        // A shell is what was started, not what was entered.
        let service = |it: Option<EntryRole>| it.filter(|it| !matches!(it, EntryRole::UserShell | EntryRole::Init));
        let role = service(role_of(entry)).or_else(|| service(above.and_then(role_of))).or_else(|| service(named));
        // Cron starts again what someone let in: it speaks for no method, and contradicts none.
        // The service manager starts what is installed; only of what is not can it tell how that came.
        let installed =
            text(bucket, entry.file_path).is_some_and(|it| it.to_ascii_lowercase().contains("\\program files"));
        let speaks = role.filter(|it| match it {
            EntryRole::Cron => false,
            EntryRole::ServiceManager => !installed,
            _ => true,
        });
        let by_chain = speaks.map(|it| self.knowledge.methods.by_entry(it, &commands)).unwrap_or_default();
        let mut evidence = Evidence::default();
        let mut rows: Vec<u32> = Vec::new();
        let mut from = None;
        let mut by_text: Vec<MethodMatch> = Vec::new();
        for command in commands.iter().take(8) {
            by_text.extend(self.identify(command).iter().filter(|it| it.stage == Stage::Attacked).cloned());
        }
        let near = |time: Option<Timestamp>| match (time, first) {
            (Some(time), Some(first)) => (-5_000_000..=WAY_IN_MICROS).contains(&(first.0 - time.0)),
            _ => true,
        };
        let session = entry.starts.first().and_then(|it| bucket.text(&bucket.rows[*it as usize], Field::Session));
        for at in &graph.loose {
            let row = &bucket.rows[*at as usize];
            match row.class {
                EventClass::Authentication => {
                    let same_session = session.is_some() && bucket.text(row, Field::Session) == session;
                    if !same_session && (session.is_some() && record.honeypot || !near(row.time)) {
                        continue;
                    }
                    if !same_session
                        && !matches!(
                            role,
                            Some(EntryRole::SshSession | EntryRole::TelnetSession | EntryRole::RdpSession)
                        )
                    {
                        continue;
                    }
                    let count = bucket.text(row, Field::Count).and_then(|it| it.parse().ok()).unwrap_or(1u32);
                    if row.activity == ringleader_model::Activity::LogonFailed {
                        evidence.failed_logons_before = evidence.failed_logons_before.saturating_add(count);
                    } else if row.activity == ringleader_model::Activity::Logon {
                        let key = bucket.text(row, Field::LogonType).is_some_and(|it| it.contains("key"));
                        evidence.logon = Some(if key { LogonKind::PublicKey } else { LogonKind::Password });
                        from = bucket.text(row, Field::SrcIp).map(str::to_owned);
                    }
                    rows.push(*at);
                }
                EventClass::Http | EventClass::Detection if near(row.time) => {
                    let payload = network::payload(bucket, row);
                    let ties = commands.iter().any(|it| methods::ties_to_command(&payload, it) >= 500);
                    let cve = bucket.text(row, Field::Cve);
                    let by_cve = cve.and_then(|cve| self.by_cve(cve));
                    // A log without bodies shows a POST that was answered with success, and not what was in it.
                    let served = bucket.text(row, Field::Method).is_some_and(|it| it.eq_ignore_ascii_case("POST"))
                        && bucket.text(row, Field::Status).is_some_and(|it| it.starts_with('2'));
                    let attacked = |it: &&MethodMatch| it.stage == Stage::Attacked || served;
                    let found = self.identify(&payload).iter().find(attacked).cloned().or(by_cve);
                    if let Some(mut found) = found {
                        found.stage = Stage::Attacked;
                        if evidence
                            .inbound_request_match
                            .as_ref()
                            .is_none_or(|it| ties || it.confidence_permille < found.confidence_permille)
                        {
                            evidence.inbound_request_match = Some(found);
                            evidence.payload_matches_command |= ties;
                            from = bucket.text(row, Field::SrcIp).map(str::to_owned);
                        }
                        rows.push(*at);
                    }
                }
                _ => {}
            }
        }
        for signal in host.signals.inbound(&host.addresses, first, WAY_IN_MICROS) {
            let ties = commands.iter().any(|it| methods::ties_to_command(&signal.payload, it) >= 500);
            let by_cve = signal.cve.as_deref().and_then(|cve| self.by_cve(cve));
            let found =
                self.identify(&signal.payload).iter().find(|it| it.stage == Stage::Attacked).cloned().or(by_cve);
            if let Some(found) = found {
                evidence.inbound_request_match.get_or_insert(found);
                evidence.payload_matches_command |= ties;
                record.others.push(signal.member.clone());
                from = from.or_else(|| signal.from.clone());
            }
        }
        rows.truncate(RECORDED_ROWS);
        let mut members: Vec<MemberRecord> = rows.iter().map(|it| member(bucket, &bucket.rows[*it as usize])).collect();
        match self.knowledge.methods.fuse(&by_text, &by_chain, &evidence) {
            Ok(fused) => {
                facts.method = Some((fused.method.0, fused.confidence_permille));
                let shown = entry.starts.first().map(|it| member(bucket, &bucket.rows[*it as usize]));
                members.extend(record.others.iter().cloned().chain(shown));
                members.dedup();
                record.method = Some(MethodRecord {
                    method: fused.method.0,
                    confidence_permille: fused.confidence_permille,
                    succeeded: self.got_in(&fused, &by_chain, &evidence),
                    why: fused.why,
                    evidence: members,
                    from,
                });
            }
            Err(why) => record.abstained_because = Some(why.name().to_owned()),
        }
    }

    /// Whether it is shown that the method got in: the request's own command ran; or the service that was asked started
    /// what ran, right after; or the logon was accepted whose session ran it.
    fn got_in(&self, fused: &Fused, by_chain: &[MethodMatch], evidence: &Evidence) -> bool {
        let asked = evidence.inbound_request_match.as_ref().is_some_and(|it| it.method == fused.method);
        let by_service = by_chain.iter().any(|it| it.method == fused.method);
        let class = self.knowledge.methods.get(fused.method).class;
        let logs_on = matches!(class, MethodClass::WeakPassword | MethodClass::StolenKey);
        asked && (evidence.payload_matches_command || by_service) || evidence.logon.is_some() && logs_on
    }

    fn by_cve(&self, cve: &str) -> Option<MethodMatch> {
        let found = (0u16..).zip(self.knowledge.methods.all()).find(|(_, it)| {
            it.cve.as_deref().is_some_and(|it| it.eq_ignore_ascii_case(cve))
                || it.names.iter().any(|it| it.eq_ignore_ascii_case(cve))
        })?;
        Some(MethodMatch {
            method: methods::MethodIdx(found.0),
            confidence_permille: 700,
            stage: Stage::Attacked,
            matched: vec![format!("an alert names {cve}")],
        })
    }
}
