//! Findings → `report.html`: one page, offline. Deliberately absent: anything from outside, and any way for a log's
//! text to be more than text.
//!
//! The page forbids itself everything but its own one script and style, both by hash. What came from logs stands as
//! escaped text, or as JSON without `<`, which the script reads only into text nodes.

mod chart;
mod gang;
mod graph;
mod honeynet;
mod sections;

use std::fmt::Write as _;
use std::io::{self, Write};

use base64::Engine as _;
use ringleader_model::findings::Findings;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::escape::{Shape, html};
use crate::mask::{mask, mask_template};
use crate::messages::Msg;
use crate::view::{TACTICS, View, class};
use crate::{Options, Report, escape};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

pub(crate) struct Html;

impl Report for Html {
    fn file(&self) -> &'static str {
        "report.html"
    }
    fn summary(&self) -> &'static str {
        "the answer for people, to be looked at: offline, self-contained, safe"
    }
    fn write(&self, findings: &Findings, options: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let view = View::new(findings, options.lang);
        head(&view, out)?;
        sections::header(&view, out)?;
        if findings.gangs.is_empty() {
            sections::nothing(&view, out)?;
        } else {
            gangs(&view, out)?;
        }
        honeynet::section(&view, out)?;
        sections::spread(&view, out)?;
        sections::quality(&view, out)?;
        tail(&view, out)
    }
}

/// Text of a log as it may stand in the page.
fn safe(text: &str) -> String {
    html(&mask(text))
}

/// The same for a template, in which a masked secret is a typed part.
fn safe_template(text: &str) -> String {
    html(&mask_template(text))
}

/// At most so many characters, `…` in place of the rest.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

pub(crate) fn hash(text: &str) -> String {
    format!("'sha256-{}'", base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text.as_bytes())))
}

fn head(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    write!(
        out,
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src {}; style-src {}; img-src data:; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"dark light\">\n<title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        view.lang.name(),
        hash(SCRIPT),
        hash(STYLE),
        view.say(Msg::Title),
    )
}

fn gangs(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let findings = view.findings;
    let say = |message| view.say(message);
    write!(
        out,
        "<div class=\"work\" id=\"gangs\"><nav class=\"side\" aria-label=\"{gangs}\"><div class=\"find\">\
         <input id=\"search\" type=\"search\" placeholder=\"{}\" aria-label=\"{}\" autocomplete=\"off\" spellcheck=\"false\">\
         <div class=\"picks\"><select id=\"method\" aria-label=\"{how}\"><option value=\"\">{}</option>{}</select>\
         <select id=\"tactic\" aria-label=\"ATT&amp;CK\"><option value=\"\">{}</option>{}</select>\
         <select id=\"order\"><option value=\"weight\">{}</option><option value=\"recent\">{}</option><option value=\"name\">{}</option></select></div>\
         <div id=\"shown\" class=\"shown\" aria-live=\"polite\"></div></div>\
         <div id=\"list\" class=\"list\" role=\"listbox\" aria-label=\"{gangs}\" tabindex=\"0\"><div id=\"rows\"></div></div>\
         <noscript><p class=\"muted\">{}</p></noscript></nav>\n<main id=\"detail\">\n",
        say(Msg::Search),
        say(Msg::Search),
        say(Msg::AnyMethod),
        options(ringleader_model::findings::MethodClass::ALL.iter().map(|it| (it.name().to_owned(), say(class(*it))))),
        say(Msg::AnyTactic),
        options(TACTICS.iter().enumerate().map(|(n, it)| (n.to_string(), say(*it)))),
        say(Msg::ByWeight),
        say(Msg::ByRecent),
        say(Msg::ByName),
        say(Msg::NoScript),
        gangs = say(Msg::Gangs),
        how = say(Msg::How),
    )?;
    let mut budget = gang::Budget::default();
    for (n, it) in findings.gangs.iter().enumerate() {
        let section = gang::section(view, it, n, &mut budget);
        // The first stands there without a script; the others wait unread, which costs a browser next to nothing.
        match n {
            0 => out.write_all(section.as_bytes())?,
            1 => write!(out, "</main></div>\n<template data-g=\"1\">{section}</template>\n")?,
            n => writeln!(out, "<template data-g=\"{n}\">{section}</template>")?,
        }
    }
    if findings.gangs.len() == 1 {
        out.write_all(b"</main></div>\n")?;
    }
    let rows: Vec<Value> = findings.gangs.iter().map(|it| gang::row(view, it)).collect();
    data("rows-data", &Value::Array(rows), out)
}

fn options(items: impl Iterator<Item = (String, &'static str)>) -> String {
    items.fold(String::new(), |mut out, (value, label)| {
        write!(out, "<option value=\"{value}\">{label}</option>").expect("a String takes all");
        out
    })
}

fn data(id: &str, value: &Value, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "<script type=\"application/json\" id=\"{id}\">")?;
    escape::json(value, out, Shape::InHtml)?;
    out.write_all(b"</script>\n")
}

fn tail(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let words: serde_json::Map<String, Value> = [
        Msg::Copied,
        Msg::Shown,
        Msg::NoMatch,
        Msg::JustHosts,
        Msg::Evidence,
        Msg::NoEvidence,
        Msg::OffsetLength,
        Msg::Rule,
        Msg::Template,
        Msg::Sample,
        Msg::Observed,
        Msg::Inferred,
        Msg::Hosts,
        Msg::NetworkRoles,
        Msg::Behaviour,
        Msg::Times,
        Msg::FirstSeen,
        Msg::LastSeen,
    ]
    .iter()
    .map(|it| (it.key().to_owned(), view.say(*it).into()))
    .collect();
    let tactics: Vec<_> = TACTICS.iter().map(|it| view.say(*it)).collect();
    data("words", &json!({ "words": words, "tactics": tactics }), out)?;
    write!(
        out,
        "<aside id=\"panel\" class=\"panel\" hidden role=\"dialog\" aria-label=\"{}\"><button id=\"close\" class=\"close\" aria-label=\"{}\">×</button><div id=\"panel-body\"></div></aside>\n\
         <footer>{}</footer>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        view.say(Msg::Evidence),
        view.say(Msg::Close),
        view.say(Msg::Footer),
    )
}
