//! the incident → what to isolate first, what to reset, block, collect and clean, as commands for review.
//!
//! Nothing is run. What a log says stands in a command only as an address that was parsed or as a quoted word without
//! control characters. Deliberately absent: which cloud it is, and the names of its groups and
//! lists: the reader fills them in.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_model::findings::{Containment, EdgeClass, Isolate, Text, ToDo};

use super::Input;
use super::edges::Edge;
use super::identity::{Host, Hosts};
use super::observe::{address, is_internal};
use super::origin::Origin;
use super::pairs::Pairs;
use super::seeds::Case;
use super::verdict::State;

/// Entries of one list.
const LONGEST: usize = 1000;
/// Pieces of evidence of one step that concerns several hosts.
const PROOFS: usize = 12;

#[allow(clippy::too_many_arguments, reason = "each part of the incident is asked")]
pub(super) fn contain(
    input: &Input<'_>,
    hosts: &Hosts,
    case: &Case,
    pairs: &Pairs,
    state: &State,
    edges: &[Edge],
    origin: &Origin,
    evidence: &BTreeMap<Host, Vec<Text>>,
) -> Containment {
    let mut out = Containment::default();
    let ids = |host: Host| evidence.get(&host).cloned().unwrap_or_default();
    let shown = |host: Host| hosts.list[host].shown.clone();
    let mut reach: BTreeMap<Host, usize> = BTreeMap::new();
    for edge in edges {
        *reach.entry(edge.from).or_default() += 1;
    }
    let mut taken = state.all_taken();
    // Who spreads most goes first, and of those who came first.
    taken.sort_by_key(|it| {
        (std::cmp::Reverse(reach.get(it).copied().unwrap_or(0)), state.hosts[*it].first.unwrap_or(i64::MAX), shown(*it))
    });
    for (at, host) in taken.iter().enumerate().take(LONGEST) {
        let n = reach.get(host).copied().unwrap_or(0);
        let zero = origin.hosts.first() == Some(host);
        let mut because = if n > 0 { format!("taken, and called {n} hosts") } else { "taken".to_owned() };
        if zero {
            because.push_str("; likely the first");
        }
        let asset = hosts.list[*host]
            .names
            .iter()
            .chain(&hosts.list[*host].addresses)
            .find_map(|it| input.observed.assets.get(it));
        let breaks = asset.and_then(|it| {
            let parts: Vec<String> = [
                it.role.as_ref().map(|role| format!("its role: {role}")),
                it.criticality.as_ref().map(|level| format!("criticality: {level}")),
                it.owner.as_ref().map(|owner| format!("ask {owner}")),
            ]
            .into_iter()
            .flatten()
            .collect();
            (!parts.is_empty()).then(|| parts.join("; "))
        });
        let addresses: Vec<Text> =
            hosts.list[*host].addresses.iter().filter(|it| address(it).is_some()).cloned().collect();
        let mut commands = Vec::new();
        for ip in &addresses {
            let tool = if ip.contains(':') { "ip6tables" } else { "iptables" };
            commands.push(format!("{tool} -I FORWARD -s {ip} -j DROP && {tool} -I FORWARD -d {ip} -j DROP"));
            commands.extend(cloud(ip));
        }
        out.isolate.push(Isolate {
            order: at as u64 + 1,
            host: shown(*host),
            addresses,
            because,
            breaks,
            commands,
            evidence_ids: ids(*host),
        });
    }
    let ports: Vec<u16> = state.ports.iter().copied().collect();
    // Why a port is blocked: who was taken over it.
    let over = |port: u16| -> Vec<Text> {
        let taken = edges.iter().filter(|it| it.class == EdgeClass::Compromised && it.ports.contains(&port));
        some(taken.flat_map(|it| ids(it.to).into_iter().take(1)))
    };
    let everywhere = some(taken.iter().flat_map(|it| ids(*it).into_iter().take(1)));
    for port in &ports {
        out.block.push(ToDo {
            what: format!("port {port}/tcp between hosts that need not speak it"),
            host: None,
            because: "the malware spreads over it".to_owned(),
            commands: vec![
                format!("iptables -I FORWARD -p tcp --dport {port} -j DROP"),
                format!("netsh advfirewall firewall add rule name=\"incident {port}\" dir=in action=block protocol=TCP localport={port}"),
            ],
            evidence_ids: over(*port),
        });
    }
    let mut outside: BTreeSet<Text> = BTreeSet::new();
    outside.extend(origin.entry.iter().filter_map(|it| it.source.clone()));
    for at in &case.gangs {
        outside.extend(input.gangs[*at].indicators.iter().map(|it| Text::from(it.as_str())));
    }
    for source in outside.into_iter().filter_map(|it| address(&it)).filter(|it| !is_internal(it)).take(LONGEST) {
        out.block.push(ToDo {
            what: source.to_string(),
            host: None,
            because: "the malware or its way in speaks to it".to_owned(),
            commands: vec![format!(
                "iptables -I FORWARD -s {source} -j DROP && iptables -I FORWARD -d {source} -j DROP"
            )],
            evidence_ids: everywhere.clone(),
        });
    }
    for hash in case.hashes.keys().take(LONGEST) {
        out.block.push(ToDo {
            what: format!("files with the hash {hash}"),
            host: None,
            because: "a program of the incident".to_owned(),
            commands: Vec::new(),
            evidence_ids: everywhere.clone(),
        });
    }
    credentials(hosts, pairs, state, &ids, &mut out);
    files(input, hosts, case, state, &ids, &mut out);
    out
}

/// A few pieces of evidence of many, each once.
fn some(ids: impl Iterator<Item = Text>) -> Vec<Text> {
    ids.collect::<BTreeSet<Text>>().into_iter().take(PROOFS).collect()
}

/// Rules of two clouds' consoles that cut a host off; the group and the list are the reader's to fill in.
fn cloud(ip: &str) -> [String; 2] {
    let (net, kind, aws) = if ip.contains(':') {
        (format!("{ip}/128"), "Ipv6SourceCidrIp", "ipv6-cidr-block")
    } else {
        (format!("{ip}/32"), "SourceCidrIp", "cidr-block")
    };
    [
        format!(
            "aliyun ecs AuthorizeSecurityGroup --RegionId \"$REGION\" --SecurityGroupId \"$GROUP\" --IpProtocol all \
             --PortRange=-1/-1 --{kind} {net} --Policy drop --Priority 1"
        ),
        format!(
            "aws ec2 create-network-acl-entry --network-acl-id \"$ACL\" --ingress --rule-number 1 --protocol=-1 \
             --rule-action deny --{aws} {net}"
        ),
    ]
}

/// Accounts that a taken host used, or that were logged on where it was.
fn credentials(hosts: &Hosts, pairs: &Pairs, state: &State, ids: &dyn Fn(Host) -> Vec<Text>, out: &mut Containment) {
    // Where each was used, and from which taken host.
    let mut users: BTreeMap<Text, (BTreeSet<Text>, BTreeSet<Host>)> = BTreeMap::new();
    for ((from, to), pair) in &pairs.all {
        if !state.is_taken(*from) {
            continue;
        }
        let on = &hosts.list[*to].shown;
        let by_logon = pair.logons.values().filter(|it| it.succeeded > 0).flat_map(|it| &it.users);
        let used = by_logon
            .chain(pair.remote.iter().filter_map(|it| it.user.as_ref()))
            .chain(pair.drops.iter().filter_map(|it| it.user.as_ref()));
        for user in used {
            let known = users.entry(user.clone()).or_default();
            known.0.insert(on.clone());
            known.1.insert(*from);
        }
    }
    for (user, (on, from)) in users.into_iter().take(LONGEST) {
        let names: Vec<&str> = on.iter().take(5).map(|it| &**it).collect();
        out.reset_credentials.push(ToDo {
            what: format!("account {user}"),
            host: None,
            because: format!("a taken host used it on {}", names.join(", ")),
            commands: Vec::new(),
            evidence_ids: some(from.into_iter().flat_map(|it| ids(it).into_iter().take(1))),
        });
    }
    for host in state.all_taken().into_iter().take(LONGEST) {
        let shown = &hosts.list[host].shown;
        out.reset_credentials.push(ToDo {
            what: format!("local administrators and keys on {shown}, and every account that logged on to it"),
            host: Some(shown.clone()),
            because: "what was in its memory and files is known to the intruder".to_owned(),
            commands: Vec::new(),
            evidence_ids: ids(host),
        });
    }
}

fn files(
    input: &Input<'_>,
    hosts: &Hosts,
    case: &Case,
    state: &State,
    ids: &dyn Fn(Host) -> Vec<Text>,
    out: &mut Containment,
) {
    for host in state.all_taken() {
        let known = &hosts.list[host];
        let labels = || known.names.iter().chain(&known.addresses);
        let mut any = false;
        for label in labels() {
            let mine = input.observed.programs.range((label.clone(), "".into())..).take_while(|it| it.0.0 == *label);
            for ((_, path), program) in mine.filter(|((_, path), program)| case.bad(path, program).is_some()) {
                any = true;
                if out.collect.len() >= LONGEST {
                    return;
                }
                let windows = path.contains('\\');
                let quoted = if windows { powershell(&program.path) } else { shell(&program.path) };
                let collect = quoted.iter().map(|it| {
                    if windows {
                        format!("Get-FileHash -LiteralPath {it}; Copy-Item -LiteralPath {it} -Destination evidence\\")
                    } else {
                        format!("sha256sum -- {it} && cp -a -- {it} evidence/")
                    }
                });
                out.collect.push(ToDo {
                    what: program.path.to_string(),
                    host: Some(known.shown.clone()),
                    because: "it ran there".to_owned(),
                    commands: collect.collect(),
                    evidence_ids: ids(host),
                });
                let name = path.rsplit(['\\', '/']).next().unwrap_or(path);
                let clean: Vec<String> = quoted
                    .iter()
                    .map(|it| {
                        if windows {
                            format!("Get-Process | Where-Object Path -eq {it} | Stop-Process -Force; Remove-Item -LiteralPath {it}")
                        } else {
                            format!("pkill -f -- {it}; rm -- {it}")
                        }
                    })
                    .collect();
                let look = if windows {
                    vec!["Get-ScheduledTask; Get-Service; reg query HKLM\\Software\\Microsoft\\Windows\\CurrentVersion\\Run".to_owned()]
                } else {
                    vec!["crontab -l; ls -la /etc/cron.* /etc/systemd/system ~/.ssh".to_owned()]
                };
                out.clean_up.push(ToDo {
                    what: format!("stop and remove {name}, after it was collected"),
                    host: Some(known.shown.clone()),
                    because: "it ran there".to_owned(),
                    commands: clean.into_iter().chain(look).collect(),
                    evidence_ids: ids(host),
                });
            }
        }
        if !any && out.collect.len() < LONGEST {
            out.collect.push(ToDo {
                what: "memory, process list, autostarts, and the logs of the way in".to_owned(),
                host: Some(known.shown.clone()),
                because: "it is taken, and what ran there is not known".to_owned(),
                commands: Vec::new(),
                evidence_ids: ids(host),
            });
        }
    }
    // A host that was attacked and that nobody watched may be taken.
    let mut unwatched: BTreeSet<Host> = BTreeSet::new();
    for host in 0..state.hosts.len() {
        let judged = &state.hosts[host];
        if judged.marks.contains_key("exploit_was_tried") && !judged.watched && !state.is_taken(host) {
            unwatched.insert(host);
        }
    }
    for host in unwatched.into_iter().take(LONGEST) {
        out.collect.push(ToDo {
            what: "process list, event logs, and the malware's folder".to_owned(),
            host: Some(hosts.list[host].shown.clone()),
            because: "it was attacked, and no sensor says how it ended".to_owned(),
            commands: Vec::new(),
            evidence_ids: ids(host),
        });
    }
}

/// One word for a POSIX shell; `None` where it has what acts.
fn shell(text: &str) -> Option<String> {
    (!text.chars().any(char::is_control)).then(|| format!("'{}'", text.replace('\'', "'\\''")))
}

/// One string for PowerShell, which takes curly quotes for straight ones.
fn powershell(text: &str) -> Option<String> {
    let bad = text.chars().any(|c| c.is_control() || matches!(c, '\u{2018}'..='\u{201f}'));
    (!bad).then(|| format!("'{}'", text.replace('\'', "''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cloud_is_told_an_address_and_nothing_else() {
        let [aliyun, aws] = cloud("10.0.3.19");
        assert!(aliyun.ends_with("--SourceCidrIp 10.0.3.19/32 --Policy drop --Priority 1"), "{aliyun}");
        assert!(aws.ends_with("--cidr-block 10.0.3.19/32"), "{aws}");
        assert!(cloud("2001:db8::7")[0].contains("--Ipv6SourceCidrIp 2001:db8::7/128"));
    }

    #[test]
    fn a_hostile_path_stays_one_word() {
        assert_eq!(shell("/tmp/a'; rm -rf / #").as_deref(), Some("'/tmp/a'\\''; rm -rf / #'"));
        assert_eq!(powershell("C:\\a'; calc").as_deref(), Some("'C:\\a''; calc'"));
        assert_eq!(shell("a\nb"), None);
        assert_eq!(powershell("a\u{2019}; calc"), None);
    }
}
