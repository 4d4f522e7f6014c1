//! What decoys saw → its sentences, for the pages and texts that tell of it.

use ringleader_model::findings::{DecoyGroup, DecoyStanding, Honeynet};

use crate::messages::{Lang, Msg};
use crate::number::grouped;
use crate::view::View;

pub(crate) fn standing(group: &DecoyGroup) -> Msg {
    match group.standing {
        DecoyStanding::Both => Msg::HoneynetBoth,
        DecoyStanding::EarlyNews => Msg::HoneynetEarly,
        DecoyStanding::Noise => Msg::HoneynetNoise,
    }
}

/// Of the gang; of a campaign that is no gang's, its id.
pub(crate) fn name(view: &View<'_>, group: &DecoyGroup) -> String {
    let gang = group.gang_id.as_ref();
    let named = gang.and_then(|id| view.findings.gangs.iter().find(|it| it.gang_id == *id)).map(|it| it.name.clone());
    named.unwrap_or_else(|| {
        let id = gang.or(group.campaigns.first()).map_or("", |it| &**it);
        id.get(..8).unwrap_or(id).to_owned()
    })
}

/// `safe`: makes text of a log or of the map safe where it will stand.
pub(crate) fn lines(
    view: &View<'_>,
    honeynet: &Honeynet,
    group: &DecoyGroup,
    safe: &dyn Fn(&str) -> String,
) -> Vec<String> {
    let lang = view.lang;
    let called = |host: &str| {
        let decoy = honeynet.decoys.iter().find(|it| &*it.host == host);
        let (name, pretends) = decoy.map_or((host, ""), |it| (&*it.name, &*it.pretends));
        match pretends {
            "" => safe(&format!("{name} ({host})")),
            pretends => safe(&format!("{name} ({host}, {pretends})")),
        }
    };
    let mut lines = Vec::new();
    let Some(first) = group.decoys.first() else { return lines };
    let decoy = called(&first.host);
    lines.push(match group.lead_seconds {
        _ if group.production_hosts == 0 => decoy.clone(),
        Some(lead) if lead >= 0 => Msg::HoneynetBefore.with(lang, &[&decoy, &spell(lead, lang)]),
        Some(lead) => Msg::HoneynetAfter.with(lang, &[&decoy, &spell(lead.saturating_neg(), lang)]),
        None => Msg::HoneynetUntimed.with(lang, &[&decoy]),
    });
    if group.production_hosts > 0 {
        lines.push(Msg::HoneynetProduction.with(lang, &[&grouped(group.production_hosts)]));
    }
    if let Some(label) = group.labelled.first() {
        let all = grouped(group.labelled.len() as u64 + group.more_labelled);
        let entry =
            label.cve.as_deref().map_or_else(|| safe(&label.method), |cve| safe(&format!("{} {cve}", label.method)));
        lines.push(Msg::HoneynetLabelled.with(lang, &[&all, &called(&label.decoy), &entry]));
    } else if let Some(method) = group.decoys.iter().find_map(|it| it.method.as_deref()) {
        lines.push(safe(method));
    }
    lines
}

/// `3 h`, `2 d 4 h`.
fn spell(seconds: i64, lang: Lang) -> String {
    let [day, hour, minute] = match lang {
        Lang::En => ["d", "h", "min"],
        Lang::Zh => ["天", "小时", "分钟"],
    };
    match (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60) {
        (0, 0, minutes) => format!("{minutes} {minute}"),
        (0, hours, 0) => format!("{hours} {hour}"),
        (0, hours, minutes) => format!("{hours} {hour} {minutes} {minute}"),
        (days, 0, _) => format!("{days} {day}"),
        (days, hours, _) => format!("{days} {day} {hours} {hour}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringleader_model::Timestamp;
    use ringleader_model::findings::{Decoy, DecoySight, Findings, Gang, Labelled, Permille};

    pub(crate) fn findings() -> Findings {
        let hostile = "x](http://evil.example)<img src=x>|";
        let label = Labelled {
            host: "web-1".into(),
            episode_id: "e".into(),
            campaign_id: "c".into(),
            decoy: "pot-1".into(),
            method: "solr_dataimport".into(),
            cve: Some("CVE-2019-0193".into()),
            confidence: Permille::new(900),
        };
        let group = DecoyGroup {
            gang_id: Some("g".into()),
            campaigns: vec!["c".into()],
            standing: DecoyStanding::Both,
            decoys: vec![DecoySight { host: "pot-1".into(), episodes: 1, ..DecoySight::default() }],
            production_hosts: 3,
            production_first: Some(Timestamp(1)),
            lead_seconds: Some(93_600),
            labelled: vec![label],
            more_labelled: 0,
        };
        let decoy = Decoy { host: "pot-1".into(), name: hostile.into(), pretends: "solr".into(), ..Decoy::default() };
        Findings {
            gangs: vec![Gang { gang_id: "g".into(), name: "Rake".into(), ..Gang::default() }],
            honeynet: Some(Honeynet { decoys: vec![decoy], groups: vec![group], production_only: 1 }),
            ..Findings::default()
        }
    }

    #[test]
    fn a_lead_is_told_in_both_languages() {
        assert_eq!(spell(93_600, Lang::En), "1 d 2 h");
        assert_eq!(spell(59, Lang::En), "0 min");
        assert_eq!(spell(3_660, Lang::Zh), "1 小时 1 分钟");
        let findings = findings();
        for (lang, part) in [(Lang::En, "1 d 2 h before production"), (Lang::Zh, "早于生产环境 1 天 2 小时")] {
            let view = View::new(&findings, lang);
            let honeynet = findings.honeynet.as_ref().unwrap();
            let lines = lines(&view, honeynet, &honeynet.groups[0], &|it| it.to_owned());
            assert!(lines[0].contains(part), "{lines:?}");
            assert!(lines[2].contains("CVE-2019-0193") && lines[2].contains("pot-1"), "{lines:?}");
        }
    }

    #[test]
    fn the_page_and_the_text_show_it_and_nothing_acts() {
        let findings = findings();
        for output in ["report.html", "report.md", "honeynet.json"] {
            let report = crate::OUTPUTS.iter().find(|it| it.file() == output).unwrap();
            let crate::Output::Report(report) = report else { panic!() };
            let mut out = Vec::new();
            report.write(&findings, &crate::Options::default(), &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(text.contains("CVE-2019-0193"), "{output}");
            // In Markdown it stands in a code span.
            assert!(!text.contains("<img") || output != "report.html", "{output}");
        }
    }
}
