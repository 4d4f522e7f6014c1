//! What each tenant needs to know → `notices/<tenant>.md`, in plain words.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use ringleader_ledger::{GangNotice, Notice};
use ringleader_model::hash::hash128;
use ringleader_pipeline::label::episode::Knowledge;
use ringleader_report::Lang;
use ringleader_report::escape::markdown;
use ringleader_report::mask::mask;

use super::show::minute;

const FOLDER: &str = "notices";
/// Hosts that a notice lists of one gang; the others are counted.
const MAX_HOSTS: usize = 200;
/// Behaviours that it names.
const MAX_BEHAVIOURS: usize = 20;

/// Writes them, in place of those of an earlier run.
pub(super) fn write(notices: &[Notice], lang: Lang, out: &Path) -> Result<()> {
    let folder = out.join(FOLDER);
    if let Ok(entries) = std::fs::read_dir(&folder) {
        for entry in entries.flatten().filter(|it| it.path().extension().is_some_and(|it| it == "md")) {
            std::fs::remove_file(entry.path()).with_context(|| format!("cannot remove {}", entry.path().display()))?;
        }
    }
    if notices.is_empty() {
        return Ok(());
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let knowledge = Knowledge::built_in();
    let methods: BTreeMap<&str, &str> = knowledge.methods.all().iter().map(|it| (&*it.id, &*it.name)).collect();
    let behaviours: BTreeMap<&str, &str> =
        knowledge.behaviours.all().iter().map(|it| (it.id.as_str(), it.title.as_str())).collect();
    let names = Names { methods, behaviours };
    for notice in notices {
        let path = folder.join(format!("{}.md", file_name(&notice.tenant)));
        std::fs::write(&path, text(notice, lang, &names))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

struct Names<'a> {
    methods: BTreeMap<&'a str, &'a str>,
    behaviours: BTreeMap<&'a str, &'a str>,
}

/// A tenant's name is no path; one that had to be changed gets its hash, so that two stay two.
fn file_name(tenant: &str) -> String {
    let plain: String =
        tenant.chars().take(60).map(|it| if it.is_alphanumeric() || it == '-' { it } else { '_' }).collect();
    if plain == tenant { plain } else { format!("{plain}-{:08x}", hash128(tenant.as_bytes(), 0x704) as u32) }
}

fn safe(text: &str) -> String {
    markdown(&mask(text))
}

fn text(notice: &Notice, lang: Lang, names: &Names<'_>) -> String {
    let zh = lang == Lang::Zh;
    let say = |en: &'static str, zh_: &'static str| if zh { zh_ } else { en };
    let mut hosts: Vec<&str> = notice.gangs.iter().flat_map(|it| &it.hosts).map(|it| &*it.host).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let mut out = String::new();
    let tenant = safe(&notice.tenant);
    let mut line = |text: String| writeln!(out, "{text}").expect("a String takes all");
    line(format!("# {}\n", if zh { format!("安全通知：{tenant}") } else { format!("Security notice for {tenant}") }));
    line(match (zh, hosts.len()) {
        (true, n) => format!("我们发现您的 {n} 台主机被入侵。下面说明发生了什么，以及需要您做什么。\n"),
        (false, 1) => "One of your hosts was broken into. Here is what happened, and what you need to do.\n".to_owned(),
        (false, n) => format!("{n} of your hosts were broken into. Here is what happened, and what you need to do.\n"),
    });
    line(format!("## {}\n", say("What to do now", "请立即处理")));
    for (en, zh_) in [
        (
            "Cut the hosts below off from the network, but do not switch them off: what is in memory shows what happened.",
            "断开下列主机的网络，但不要关机：内存中的内容可用于取证。",
        ),
        (
            "Close the way in that is named with each host before you put it back. A host that is only cleaned is taken again.",
            "恢复前先关闭各主机所列的入侵途径；仅清理而不修补，会再次被入侵。",
        ),
        (
            "Set the host up anew from a clean image, and restore data from a backup that is older than the first sign.",
            "用干净的镜像重装主机，并从早于首次迹象的备份恢复数据。",
        ),
        (
            "Change every password, key and token that was on these hosts, and those that may be reached from them.",
            "更换这些主机上的全部口令、密钥与令牌，以及可由其访问的凭据。",
        ),
        (
            "Block the addresses below, and look whether other hosts of yours talked to them.",
            "封堵下列地址，并检查您的其他主机是否访问过它们。",
        ),
    ] {
        line(format!("1. {}", say(en, zh_)));
    }
    line(String::new());
    for gang in &notice.gangs {
        for it in part(gang, lang, names) {
            line(it);
        }
    }
    line(say(
        "This notice speaks of your hosts alone. Times are UTC, and those of the logs that were read; hosts whose logs were not read may be affected too.",
        "本通知仅涉及您的主机。时间为 UTC，取自已读取的日志；未读取日志的主机也可能受影响。",
    )
    .to_owned());
    out
}

fn part(gang: &GangNotice, lang: Lang, names: &Names<'_>) -> Vec<String> {
    let zh = lang == Lang::Zh;
    let say = |en: &'static str, zh_: &'static str| if zh { zh_ } else { en };
    let mut lines = Vec::new();
    let name =
        if gang.name.is_empty() { say("an unnamed gang", "未命名团伙").to_owned() } else { safe(&gang.name) };
    lines.push(format!("## {}{name}\n", say("By ", "攻击者：")));
    if gang.tenants > 1 {
        let text = if zh {
            format!("该团伙还入侵了其他 {} 个客户。\n", gang.tenants - 1)
        } else {
            format!("It broke into {} other customers too.\n", gang.tenants - 1)
        };
        lines.push(text);
    }
    lines.push(format!(
        "| {} | {} | {} | {} |\n|---|---|---|---|",
        say("Your host", "您的主机"),
        say("First sign", "首次迹象"),
        say("Last sign", "最近迹象"),
        say("How they got in", "入侵途径")
    ));
    for host in gang.hosts.iter().take(MAX_HOSTS) {
        let methods: Vec<String> =
            host.methods.iter().map(|it| safe(names.methods.get(&**it).copied().unwrap_or(it))).collect();
        let methods =
            if methods.is_empty() { say("not known yet", "尚不清楚").to_owned() } else { methods.join(", ") };
        let time = |it: Option<ringleader_model::Timestamp>| it.map_or_else(|| "-".to_owned(), |it| minute(it.0));
        lines.push(format!(
            "| {} | {} | {} | {methods} |",
            safe(&host.host),
            time(host.first_seen),
            time(host.last_seen)
        ));
    }
    if gang.hosts.len() > MAX_HOSTS {
        let more = gang.hosts.len() - MAX_HOSTS;
        lines.push(if zh { format!("\n另有 {more} 台。") } else { format!("\n{more} more of your hosts.") });
    }
    if !gang.behaviours.is_empty() {
        lines.push(format!("\n{}\n", say("What they did there:", "攻击者在主机上做了：")));
        for it in gang.behaviours.iter().take(MAX_BEHAVIOURS) {
            lines.push(format!("- {}", safe(names.behaviours.get(&**it).copied().unwrap_or(it))));
        }
    }
    if !gang.block.is_empty() {
        lines.push(format!("\n{}\n", say("Block, and look for:", "请封堵并排查：")));
        lines.extend(gang.block.iter().map(|(kind, value)| format!("- {kind} {}", safe(&defanged(kind, value)))));
    }
    lines.push(String::new());
    lines
}

/// No program takes it for a link.
fn defanged(kind: &str, value: &str) -> String {
    match kind {
        "url" | "domain" | "ip" | "ip_port" | "paste" | "email" | "image" => {
            value.replace("http", "hxxp").replace('.', "[.]").replace('@', "[at]")
        }
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringleader_ledger::HostNotice;
    use ringleader_model::Timestamp;

    fn notice(tenant: &str) -> Notice {
        let host = HostNotice {
            host: "shop-1".into(),
            first_seen: Some(Timestamp::from_secs(1_800_000_000)),
            methods: vec!["redis_cron_write".into()],
            ..HostNotice::default()
        };
        let gang = GangNotice {
            name: "](http://evil.example) **Rake**".to_owned(),
            hosts: vec![host],
            behaviours: vec!["kills_rivals".into()],
            block: vec![("url".to_owned(), "http://evil.example/a".to_owned())],
            tenants: 3,
        };
        Notice { tenant: tenant.to_owned(), gangs: vec![gang] }
    }

    #[test]
    fn a_notice_is_plain_in_both_languages_and_its_name_is_no_path() {
        let dir = tempfile::tempdir().unwrap();
        for (lang, parts) in [
            (
                Lang::En,
                ["Security notice for `shop`", "One of your hosts", "2 other customers", "hxxp://evil[.]example/a"],
            ),
            (Lang::Zh, ["安全通知：`shop`", "您的 1 台主机", "其他 2 个客户", "hxxp://evil[.]example/a"]),
        ] {
            write(&[notice("shop"), notice("../../etc/x")], lang, dir.path()).unwrap();
            let text = std::fs::read_to_string(dir.path().join("notices/shop.md")).unwrap();
            for part in parts {
                assert!(text.contains(part), "{part}: {text}");
            }
            assert!(text.contains("## ") && text.contains("`](http://evil.example) **Rake**`"), "{text}");
        }
        let names: Vec<_> = std::fs::read_dir(dir.path().join("notices")).unwrap().flatten().collect();
        assert_eq!(names.len(), 2);
        assert!(!dir.path().parent().unwrap().join("etc").exists());
        // A run that finds nothing leaves no notice of an earlier one.
        write(&[], Lang::En, dir.path()).unwrap();
        assert_eq!(std::fs::read_dir(dir.path().join("notices")).unwrap().count(), 0);
    }
}
