//! One gang → its section of the page, and its row in the list.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ringleader_model::Timestamp;
use ringleader_model::findings::{Campaign, Gang, Novelty, Permille, Strength, Text};
use serde_json::{Map, Value, json};

use super::{chart, cut, graph, safe, safe_template};
use crate::attack;
use crate::attack::techniques;
use crate::escape::{self, Shape, html};
use crate::mask::{mask, mask_template};
use crate::messages::Msg;
use crate::number::{count, grouped, minute, percent};
use crate::view::{TACTICS, View, class, novelty, strength, words};

/// Shown of each list; the rest is counted, and stands in the files.
const HOSTS: usize = 120;
const INDICATORS: usize = 60;
const ITEMS: usize = 40;
const CAMPAIGNS: usize = 4;
const EVIDENCE: usize = 6;
const EXCERPT: usize = 1500;

/// What the whole page may still draw: past it, a thousand gangs stay readable as text.
pub(super) struct Budget {
    nodes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { nodes: 12_000 }
    }
}

/// The row of the list, as the script reads it.
pub(super) fn row(view: &View<'_>, gang: &Gang) -> Value {
    let visible = |text: &str| escape::visible(&mask(text)).into_owned();
    let mut tactics: BTreeSet<usize> = techniques(gang).into_iter().filter_map(attack::tactic).collect();
    tactics.retain(|it| *it < TACTICS.len());
    let mut found = format!("{} {} {} ", gang.gang_id, gang.name, gang.known_as.join(" "));
    let infrastructure = gang.who.infrastructure.iter().map(|it| &it.value);
    let indicators = gang.who.indicators.values().flat_map(|it| it.iter().take(20)).map(|it| &it.value);
    let behaviours = gang.what.behaviours.iter().map(|it| &it.id);
    let numbers = gang.what.behaviours.iter().filter_map(|it| it.technique.as_ref());
    let ways_in = gang.how.iter().flat_map(|it| std::iter::once(&it.method).chain(&it.cve));
    let hosts = gang.who.hosts.iter().take(HOSTS);
    for text in infrastructure.chain(indicators).chain(behaviours).chain(numbers).chain(ways_in).chain(hosts) {
        if found.len() > 6000 {
            break;
        }
        found.push_str(text);
        found.push(' ');
    }
    json!({
        "id": gang.gang_id,
        "name": visible(&gang.name),
        "hosts": gang.who.hosts.len(),
        "how": gang.how.iter().take(2).map(|it| visible(&words(&it.method))).collect::<Vec<_>>(),
        "class": gang.how.iter().map(|it| it.class.name()).collect::<BTreeSet<_>>(),
        "new": gang.how.iter().any(|it| it.novelty == Novelty::New),
        "tactics": tactics,
        "sure": percent(gang.confidence),
        "last": gang.who.last_seen.map(|it| it.0),
        "day": gang.who.last_seen.map(Timestamp::day),
        "missed": gang.who.hosts.iter().filter(|it| view.is_unalerted(it)).count(),
        "find": visible(&found).to_lowercase(),
    })
}

pub(super) fn section(view: &View<'_>, gang: &Gang, n: usize, budget: &mut Budget) -> String {
    let mut section =
        Section { view, gang, out: String::new(), nodes: Vec::new(), evidence: Vec::new(), numbers: BTreeMap::new() };
    section.write(n, budget).expect("a String takes all");
    section.out
}

struct Section<'a> {
    view: &'a View<'a>,
    gang: &'a Gang,
    out: String,
    /// What a click on a node shows; numbered through all the gang's drawings.
    nodes: Vec<Value>,
    evidence: Vec<Value>,
    /// Evidence id → its place in `evidence`.
    numbers: BTreeMap<&'a str, usize>,
}

type Written = std::fmt::Result;

impl<'a> Section<'a> {
    fn say(&self, message: Msg) -> &'static str {
        self.view.say(message)
    }
    fn with(&self, message: Msg, values: &[&str]) -> String {
        message.with(self.view.lang, values)
    }
    fn hosts(&self, n: u64) -> String {
        self.with(Msg::HostsCount, &[&grouped(n)])
    }

    fn write(&mut self, n: usize, budget: &mut Budget) -> Written {
        write!(self.out, "<article class=\"gang\" data-gang=\"{n}\">")?;
        self.title()?;
        self.out.push_str("<div class=\"three\">");
        self.who()?;
        self.how()?;
        self.what()?;
        self.out.push_str("</div>");
        self.strip()?;
        self.graphs(budget)?;
        self.activity()?;
        self.links()?;
        self.repairs()?;
        self.indicators()?;
        self.host_list()?;
        let data = json!({ "nodes": std::mem::take(&mut self.nodes), "evidence": std::mem::take(&mut self.evidence) });
        let mut text = Vec::new();
        escape::json(&data, &mut text, Shape::InHtml).map_err(|_| std::fmt::Error)?;
        let text = String::from_utf8(text).map_err(|_| std::fmt::Error)?;
        write!(self.out, "<script type=\"application/json\" class=\"data\">{text}</script></article>")
    }

    fn title(&mut self) -> Written {
        let (gang, who) = (self.gang, &self.gang.who);
        let seen = |it: Option<Timestamp>| it.map_or_else(|| "?".to_owned(), minute);
        write!(
            self.out,
            "<header class=\"title\"><div><h2>{}</h2><p class=\"muted\"><code>{}</code>",
            safe(&gang.name),
            safe(&gang.gang_id)
        )?;
        let names = |items: &[String]| items.iter().take(ITEMS).map(|it| safe(it)).collect::<Vec<_>>().join(", ");
        if !gang.known_as.is_empty() {
            write!(self.out, " · {} <b>{}</b>", self.say(Msg::KnownAs), names(&gang.known_as))?;
        }
        if let Some(family) = &gang.family {
            write!(self.out, " · {} <b>{}</b>", self.say(Msg::Family), safe(family))?;
        }
        if !gang.supersedes.is_empty() {
            let ids: Vec<String> = gang.supersedes.iter().map(|it| it.to_string()).collect();
            write!(self.out, " · {} <code>{}</code>", self.say(Msg::Supersedes), names(&ids))?;
        }
        let missed = who.hosts.iter().filter(|it| self.view.is_unalerted(it)).count();
        self.out.push_str("</p></div><dl class=\"facts\">");
        for (label, value) in [
            (Msg::Hosts, grouped(count(who.hosts.len()))),
            (Msg::NoAlertNamed, grouped(count(missed))),
            (Msg::Campaigns, grouped(count(gang.campaigns.len()))),
            (Msg::Confidence, percent(gang.confidence)),
            (Msg::FirstSeen, seen(who.first_seen)),
            (Msg::LastSeen, seen(who.last_seen)),
        ] {
            write!(self.out, "<div><dt>{}</dt><dd>{value}</dd></div>", self.say(label))?;
        }
        self.out.push_str("</dl></header>");
        Ok(())
    }

    fn who(&mut self) -> Written {
        let who = &self.gang.who;
        write!(
            self.out,
            "<section class=\"card who\"><h3>{}</h3><h4>{}</h4>",
            self.say(Msg::Who),
            self.say(Msg::Infrastructure)
        )?;
        if who.infrastructure.is_empty() {
            write!(self.out, "<p class=\"muted\">{}</p>", self.say(Msg::NoInfrastructure))?;
        }
        self.out.push_str("<ul class=\"plain\">");
        for it in who.infrastructure.iter().take(ITEMS / 4) {
            let roles: String =
                it.roles.iter().map(|it| format!("<span class=\"tag\">{}</span>", safe(&words(it)))).collect();
            let hosts = self.hosts(it.hosts);
            write!(self.out, "<li><code class=\"big\">{}</code><small>{roles} {hosts}</small></li>", safe(&it.value))?;
        }
        write!(self.out, "</ul><h4>{}</h4><ul class=\"plain\">", self.say(Msg::StrongIndicators))?;
        let served: BTreeSet<&str> = who.infrastructure.iter().map(|it| it.value.as_ref()).collect();
        let all = who.indicators.iter().flat_map(|(kind, items)| items.iter().map(move |it| (kind, it)));
        let mut strong: Vec<_> =
            all.filter(|(_, it)| it.strength == Strength::Strong && !served.contains(it.value.as_ref())).collect();
        strong.sort_by_key(|(kind, it)| (std::cmp::Reverse(it.hosts), *kind, &it.value));
        for (kind, it) in strong.into_iter().take(6) {
            let hosts = self.hosts(it.hosts);
            write!(
                self.out,
                "<li><code>{}</code><small>{} · {hosts}</small></li>",
                safe(&it.value),
                safe(&words(kind))
            )?;
        }
        self.out.push_str("</ul></section>");
        Ok(())
    }

    fn how(&mut self) -> Written {
        write!(self.out, "<section class=\"card how\"><h3>{}</h3>", self.say(Msg::How))?;
        if self.gang.how.is_empty() {
            write!(self.out, "<p class=\"muted\">{}</p>", self.say(Msg::NoMethod))?;
        }
        self.out.push_str("<ul class=\"plain\">");
        for it in self.gang.how.iter().take(ITEMS / 4) {
            let cve =
                it.cve.as_deref().map(|it| format!("<span class=\"tag hot\">{}</span>", safe(it))).unwrap_or_default();
            let new = match it.novelty {
                Novelty::Known => String::new(),
                other => format!("<span class=\"tag new\">{}</span>", self.say(novelty(other))),
            };
            let (hosts, meter, class) = (self.hosts(it.hosts), meter(it.confidence), self.say(class(it.class)));
            let first = it.first_seen.map(Timestamp::day).unwrap_or_default();
            let button = self.button(&it.evidence_ids);
            write!(
                self.out,
                "<li><p class=\"ends\"><b class=\"lead\">{}</b>{button}</p><small>{cve}{new}<span class=\"tag\">{class}</span></small><small>{meter} {hosts} · {first}</small>",
                safe(&words(&it.method)),
            )?;
            let excerpt = it.evidence_ids.iter().find_map(|id| self.view.evidence(id)?.excerpt.as_deref());
            if let Some(excerpt) = excerpt {
                write!(self.out, "<pre>{}</pre>", html(&cut(&mask(excerpt), 320)))?;
            }
            self.out.push_str("</li>");
        }
        self.out.push_str("</ul></section>");
        Ok(())
    }

    fn what(&mut self) -> Written {
        write!(self.out, "<section class=\"card what\"><h3>{}</h3>", self.say(Msg::What))?;
        if self.gang.what.behaviours.is_empty() {
            write!(self.out, "<p class=\"muted\">{}</p>", self.say(Msg::NoBehaviour))?;
        }
        let mut behaviours: Vec<_> = self.gang.what.behaviours.iter().collect();
        behaviours.sort_by_key(|it| (std::cmp::Reverse(it.hosts), &it.id));
        self.out.push_str("<ul class=\"plain tight\">");
        for it in behaviours.iter().take(ITEMS) {
            let technique = it.technique.as_deref().unwrap_or_default();
            let (hosts, button) = (grouped(it.hosts), self.button(&it.evidence_ids));
            write!(
                self.out,
                "<li>{}<span class=\"grow\">{}</span><small class=\"mono\">{}</small><small class=\"num\">{hosts}</small>{button}</li>",
                dot(technique),
                safe(&words(&it.id)),
                safe(technique),
            )?;
        }
        self.out.push_str("</ul>");
        if !self.gang.what.network_roles.is_empty() {
            write!(self.out, "<h4>{}</h4><ul class=\"plain\">", self.say(Msg::NetworkRoles))?;
            for it in self.gang.what.network_roles.iter().take(ITEMS / 4) {
                let values: Vec<String> = it.values.iter().take(4).map(|it| safe(it)).collect();
                let (hosts, button) = (self.hosts(it.hosts), self.button(&it.evidence_ids));
                let role = safe(&words(&it.role));
                write!(
                    self.out,
                    "<li class=\"row net\"><span class=\"tag\">{role}</span><small class=\"grow\">{hosts}</small>{button}<code>{}</code></li>",
                    values.join(" ")
                )?;
            }
            self.out.push_str("</ul>");
        }
        self.out.push_str("</section>");
        Ok(())
    }

    fn strip(&mut self) -> Written {
        let mut columns: BTreeMap<Option<usize>, Vec<&str>> = BTreeMap::new();
        for id in techniques(self.gang) {
            columns.entry(attack::tactic(id)).or_default().push(id);
        }
        write!(self.out, "<section class=\"card\"><h3>{}</h3><div class=\"strip\">", self.say(Msg::Attack))?;
        let other = columns.contains_key(&None).then_some((None, Msg::Unlisted));
        for (tactic, name) in TACTICS.iter().enumerate().map(|(n, it)| (Some(n), *it)).chain(other) {
            let used = columns.get(&tactic).map(Vec::as_slice).unwrap_or_default();
            let colour = tactic.map_or("tx".to_owned(), |it| format!("t{it}"));
            let state = if used.is_empty() { "off".to_owned() } else { format!("on {colour}") };
            let number = if used.is_empty() { String::new() } else { used.len().to_string() };
            write!(self.out, "<div class=\"cell {state}\"><i></i><b>{number}</b><span>{}</span>", self.say(name))?;
            for id in used.iter().take(ITEMS / 4) {
                let full = attack::technique(id).map_or("", |it| it.0);
                write!(self.out, "<em title=\"{}\">{}</em>", html(full), html(id))?;
            }
            self.out.push_str("</div>");
        }
        self.out.push_str("</div></section>");
        Ok(())
    }

    fn graphs(&mut self, budget: &mut Budget) -> Written {
        let campaigns: Vec<&Campaign> = self.view.campaigns(self.gang).collect();
        write!(
            self.out,
            "<section class=\"card\"><h3>{} <small class=\"muted\">{}</small></h3>\
             <p class=\"legend\"><span class=\"k solid\"></span>{}<span class=\"k dashed\"></span>{}</p>",
            self.say(Msg::ProcessGraph),
            self.say(Msg::GraphHint),
            self.say(Msg::Observed),
            self.say(Msg::Inferred)
        )?;
        for campaign in campaigns.iter().take(CAMPAIGNS) {
            self.graph(campaign, budget)?;
        }
        if campaigns.len() > CAMPAIGNS {
            let more = self.with(Msg::More, &[&grouped(count(campaigns.len() - CAMPAIGNS)), "campaigns.jsonl"]);
            write!(self.out, "<p class=\"muted\">{more}</p>")?;
        }
        self.out.push_str("</section>");
        Ok(())
    }

    fn graph(&mut self, campaign: &'a Campaign, budget: &mut Budget) -> Written {
        write!(
            self.out,
            "<div class=\"campaign\"><h4>{} <code>{}</code>",
            self.say(Msg::Campaign),
            safe(&campaign.campaign_id)
        )?;
        if !campaign.signature.is_empty() {
            write!(self.out, " <span class=\"muted\">{}</span>", self.say(Msg::Signature))?;
        }
        for it in campaign.signature.iter().take(ITEMS / 8) {
            write!(
                self.out,
                " <span class=\"sig\"><i>{}</i> {}</span>",
                safe(&it.kind),
                html(&cut(&mask(&it.value), 90))
            )?;
        }
        self.out.push_str("</h4>");
        let size = campaign.nodes.len().min(graph::MAX_NODES);
        if size == 0 || size > budget.nodes {
            write!(self.out, "<p class=\"muted\">{}</p>", self.say(Msg::NotDrawn))?;
        } else {
            budget.nodes -= size;
            let of_behaviour: BTreeMap<&str, &str> = self
                .gang
                .what
                .behaviours
                .iter()
                .filter_map(|it| Some((it.id.as_ref(), it.technique.as_deref()?)))
                .collect();
            let technique = |id: &str| of_behaviour.get(id).map(|it| (*it).to_owned());
            let label = format!("{} {}", self.say(Msg::ProcessGraph), campaign.campaign_id);
            let svg = graph::svg(campaign, self.nodes.len(), &label, technique);
            write!(self.out, "<div class=\"scroll\">{svg}</div>")?;
            for placed in graph::layout(campaign) {
                let node = &campaign.nodes[placed.index];
                let evidence = self.numbers(&node.evidence_ids);
                let visible = |text: &str| escape::visible(&cut(&mask(text), EXCERPT)).into_owned();
                self.nodes.push(json!({
                    "template": escape::visible(&cut(&mask_template(&node.template), EXCERPT)),
                    "sample": node.sample.as_deref().map(visible),
                    "observed": grouped(node.observed_count),
                    "inferred": grouped(node.inferred_count),
                    "hosts": grouped(node.hosts),
                    "behaviours": node.behaviours.iter().map(|it| visible(&words(it))).collect::<Vec<_>>(),
                    "roles": node.network_roles.iter().map(|it| visible(&words(it))).collect::<Vec<_>>(),
                    "first": node.first_seen.map(minute),
                    "last": node.last_seen.map(minute),
                    "evidence": evidence,
                }));
            }
            if campaign.nodes.len() > size {
                let more = self.with(Msg::MoreNodes, &[&grouped(count(campaign.nodes.len() - size))]);
                write!(self.out, "<p class=\"muted\">{more}</p>")?;
            }
        }
        if !campaign.stopped.is_empty() {
            write!(
                self.out,
                "<details><summary>{} ({})</summary><ul class=\"plain\">",
                self.say(Msg::Stopped),
                campaign.stopped.len()
            )?;
            for it in campaign.stopped.iter().take(ITEMS) {
                let hosts = self.hosts(it.hosts);
                write!(
                    self.out,
                    "<li><code>{}</code><small>{} · {} · {hosts}</small></li>",
                    safe(&it.value),
                    safe(&it.kind),
                    safe(&it.why)
                )?;
            }
            self.out.push_str("</ul></details>");
        }
        self.out.push_str("</div>");
        Ok(())
    }

    fn activity(&mut self) -> Written {
        let drawn = self.view.activity(&self.gang.gang_id).and_then(|it| chart::svg(it, self.view.lang));
        let body = drawn.unwrap_or_else(|| format!("<p class=\"muted\">{}</p>", self.say(Msg::NoActivity)));
        write!(self.out, "<section class=\"card\"><h3>{}</h3>{body}</section>", self.say(Msg::Activity))
    }

    fn links(&mut self) -> Written {
        let gang = self.gang;
        write!(self.out, "<section class=\"card\"><h3>{}</h3>", self.say(Msg::Links))?;
        if gang.links.is_empty() {
            write!(self.out, "<p class=\"muted\">{}</p>", self.say(Msg::NoLinks))?;
        }
        self.out.push_str("<ul class=\"plain\">");
        for it in gang.links.iter().take(ITEMS) {
            let weight = self.with(Msg::WeightOf, &[&it.weight.to_string(), &it.threshold.to_string()]);
            self.link(&it.from, &it.to, &weight, "", &it.evidence_ids)?;
        }
        self.out.push_str("</ul>");
        if !gang.near_misses.is_empty() {
            let (title, hint) = (self.say(Msg::NearMisses), self.say(Msg::NearMissesHint));
            write!(self.out, "<h4>{title} <small class=\"muted\">{hint}</small></h4><ul class=\"plain\">")?;
            for it in gang.near_misses.iter().take(ITEMS) {
                let weight = self.with(Msg::WeightOf, &[&it.weight.to_string(), &it.threshold.to_string()]);
                self.link(&it.from, &it.to, &weight, &it.why, &it.evidence_ids)?;
            }
            self.out.push_str("</ul>");
        }
        self.out.push_str("</section>");
        Ok(())
    }

    fn link(&mut self, from: &'a Text, to: &'a Text, weight: &str, why: &str, evidence: &'a [Text]) -> Written {
        let claim =
            evidence.iter().find_map(|id| self.view.evidence(id)).map(|it| it.claim.as_str()).unwrap_or_default();
        let button = self.button(evidence);
        let why = if why.is_empty() { claim } else { why };
        write!(
            self.out,
            "<li class=\"row\"><code>{}</code> ↔ <code>{}</code><span class=\"grow\">{}</span><small>{weight}</small>{button}</li>",
            safe(from),
            safe(to),
            safe(why)
        )
    }

    fn repairs(&mut self) -> Written {
        // One line for each node and grade: the same loss on a hundred hosts is one thing to read.
        let mut groups: BTreeMap<_, (u64, u64, u64, Permille)> = BTreeMap::new();
        for it in self.view.repairs(self.gang) {
            let entry = groups.entry((it.campaign_id.as_ref(), it.node_id.as_ref(), it.grade.name())).or_default();
            *entry =
                (entry.0 + it.times, entry.1.max(it.support), entry.2.max(it.siblings), entry.3.max(it.confidence));
        }
        if groups.is_empty() {
            return Ok(());
        }
        let template: BTreeMap<(&str, &str), &str> = self
            .view
            .repairs(self.gang)
            .map(|it| ((it.campaign_id.as_ref(), it.node_id.as_ref()), it.template.as_ref()))
            .collect();
        write!(
            self.out,
            "<section class=\"card\"><h3>{}</h3><p class=\"muted\">{}</p><table><thead><tr><th>{}</th><th>{}</th><th class=\"num\">{}</th><th class=\"num\">{}</th><th>{}</th></tr></thead><tbody>",
            self.say(Msg::Repairs),
            self.say(Msg::RepairsHint),
            self.say(Msg::Template),
            self.say(Msg::Grade),
            self.say(Msg::Repaired),
            self.say(Msg::Support),
            self.say(Msg::Confidence),
        )?;
        let total = groups.len();
        let mut sorted: Vec<_> = groups.into_iter().collect();
        sorted.sort_by_key(|(key, it)| (std::cmp::Reverse(it.0), *key));
        for ((campaign, node, grade), (n, support, siblings, sure)) in sorted.into_iter().take(ITEMS / 2) {
            let template = template.get(&(campaign, node)).copied().unwrap_or_default();
            let support = self.with(Msg::SupportOf, &[&grouped(support), &grouped(siblings)]);
            write!(
                self.out,
                "<tr><td><code>{}</code></td><td><span class=\"tag\">{grade}</span></td><td class=\"num\">{}</td><td class=\"num\">{support}</td><td>{}</td></tr>",
                safe_template(&cut(template, 200)),
                grouped(n),
                meter(sure)
            )?;
        }
        self.out.push_str("</tbody></table>");
        if total > ITEMS / 2 {
            let more = self.with(Msg::More, &[&grouped(count(total - ITEMS / 2)), "repairs.parquet"]);
            write!(self.out, "<p class=\"muted\">{more}</p>")?;
        }
        self.out.push_str("</section>");
        Ok(())
    }

    fn indicators(&mut self) -> Written {
        let indicators = &self.gang.who.indicators;
        if indicators.values().all(Vec::is_empty) {
            return Ok(());
        }
        write!(
            self.out,
            "<section class=\"card\"><h3>{} <button class=\"copy-all\">{}</button></h3><div class=\"kinds\">",
            self.say(Msg::Indicators),
            self.say(Msg::CopyAll)
        )?;
        for (kind, items) in indicators {
            let title = safe(&words(kind));
            write!(
                self.out,
                "<div class=\"kind\"><h4>{title} <small class=\"muted\">{}</small></h4><ul class=\"plain tight\">",
                items.len()
            )?;
            for it in items.iter().take(INDICATORS) {
                let contexts: Vec<_> = it.contexts.iter().map(|it| it.name()).collect();
                let hosts = self.hosts(it.hosts);
                write!(
                    self.out,
                    "<li><button class=\"copy\" title=\"{}\" aria-label=\"{}\"></button><code class=\"grow value\">{}</code>\
                     <span class=\"tag {}\">{}</span><small>{} · {hosts}</small></li>",
                    self.say(Msg::Copy),
                    self.say(Msg::Copy),
                    safe(&it.value),
                    it.strength.name(),
                    self.say(strength(it.strength)),
                    contexts.join(", ")
                )?;
            }
            self.out.push_str("</ul>");
            if items.len() > INDICATORS {
                let more = self.with(Msg::More, &[&grouped(count(items.len() - INDICATORS)), "indicators.csv"]);
                write!(self.out, "<p class=\"muted\">{more}</p>")?;
            }
            self.out.push_str("</div>");
        }
        self.out.push_str("</div></section>");
        Ok(())
    }

    fn host_list(&mut self) -> Written {
        let hosts = &self.gang.who.hosts;
        let missed = hosts.iter().filter(|it| self.view.is_unalerted(it)).count();
        write!(
            self.out,
            "<section class=\"card\"><h3>{} <small class=\"muted\">{}",
            self.say(Msg::Hosts),
            grouped(count(hosts.len()))
        )?;
        if missed > 0 {
            write!(self.out, " · {}", self.with(Msg::HostsUnalerted, &[&grouped(count(missed))]))?;
        }
        self.out.push_str("</small></h3><p class=\"hosts\">");
        for host in hosts.iter().take(HOSTS) {
            let kind = if self.view.is_unalerted(host) { " class=\"missed\"" } else { "" };
            write!(self.out, "<code{kind}>{}</code> ", safe(host))?;
        }
        self.out.push_str("</p>");
        if hosts.len() > HOSTS {
            let more = self.with(Msg::More, &[&grouped(count(hosts.len() - HOSTS)), "gangs.json"]);
            write!(self.out, "<p class=\"muted\">{more}</p>")?;
        }
        self.out.push_str("</section>");
        Ok(())
    }

    /// A button that shows these records; nothing where there are none.
    fn button(&mut self, ids: &'a [Text]) -> String {
        let numbers = self.numbers(ids);
        if numbers.is_empty() {
            return String::new();
        }
        let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
        let text = self.with(Msg::EvidenceCount, &[&grouped(count(ids.len()))]);
        format!(
            "<button class=\"ev\" data-e=\"{}\" title=\"{text}\">{}</button>",
            numbers.join(" "),
            self.say(Msg::Evidence)
        )
    }

    fn numbers(&mut self, ids: &'a [Text]) -> Vec<usize> {
        let mut out = Vec::new();
        for id in ids.iter().take(EVIDENCE) {
            let Some(it) = self.view.evidence(id) else { continue };
            let next = self.evidence.len();
            let number = *self.numbers.entry(id).or_insert(next);
            if number == next {
                let visible = |text: &str| escape::visible(&cut(&mask(text), EXCERPT)).into_owned();
                let fields: Map<String, Value> = Map::from_iter([
                    ("id".to_owned(), visible(id).into()),
                    ("claim".to_owned(), visible(&it.claim).into()),
                    ("source".to_owned(), it.source.as_deref().map(visible).into()),
                    ("offset".to_owned(), it.offset.map(grouped).into()),
                    ("length".to_owned(), it.length.map(grouped).into()),
                    ("line".to_owned(), it.excerpt.as_deref().map(visible).into()),
                    ("rule".to_owned(), it.rule.as_deref().map(visible).into()),
                    ("basis".to_owned(), it.basis.name().into()),
                ]);
                self.evidence.push(fields.into());
            }
            out.push(number);
        }
        out
    }
}

fn dot(technique: &str) -> String {
    let colour = attack::tactic(technique).map_or("tx".to_owned(), |it| format!("t{it}"));
    format!("<i class=\"dot {colour}\"></i>")
}

/// A bar for a confidence, drawn as SVG because the page allows no inline style.
fn meter(confidence: Permille) -> String {
    let width = confidence.thousandths() * 6 / 100;
    format!(
        "<svg class=\"meter\" width=\"60\" height=\"6\" aria-hidden=\"true\"><rect class=\"rail\" width=\"60\" height=\"6\" rx=\"3\"/><rect class=\"fill\" width=\"{width}\" height=\"6\" rx=\"3\"/></svg><b class=\"pc\">{}</b>",
        percent(confidence)
    )
}
