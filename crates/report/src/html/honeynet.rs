//! What decoys saw → a section of the page.

use std::io::{self, Write};

use ringleader_model::findings::DecoyStanding;

use super::safe;
use crate::honeynet::{lines, name, standing};
use crate::messages::Msg;
use crate::number::{count, grouped};
use crate::view::View;

/// Groups of one standing that are told one by one.
const LISTED: usize = 40;

pub(super) fn section(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let Some(honeynet) = &view.findings.honeynet else { return Ok(()) };
    write!(
        out,
        "<section class=\"wide\" id=\"honeynet\"><div class=\"card\"><h3>{} <small class=\"muted\">{}</small></h3>",
        view.say(Msg::Honeynet),
        view.say(Msg::HoneynetHint)
    )?;
    for of in [DecoyStanding::Both, DecoyStanding::EarlyNews, DecoyStanding::Noise] {
        let groups: Vec<_> = honeynet.groups.iter().filter(|it| it.standing == of).collect();
        let Some(first) = groups.first() else { continue };
        write!(
            out,
            "<h4>{} <small>{}</small></h4><ul class=\"plain\">",
            view.say(standing(first)),
            grouped(count(groups.len()))
        )?;
        for group in groups.iter().take(LISTED) {
            write!(out, "<li><b>{}</b>", safe(&name(view, group)))?;
            for line in lines(view, honeynet, group, &safe) {
                write!(out, "<small>{line}</small>")?;
            }
            out.write_all(b"</li>")?;
        }
        out.write_all(b"</ul>")?;
    }
    out.write_all(b"</div></section>\n")
}
