//! One incident → its files: the picture as DOT and SVG, the timeline, what to do, and the story for people.
//! Deliberately absent: any judgement, and Graphviz.

mod containment;
mod dot;
mod fan;
mod incident_html;
mod incident_md;
mod story;
mod svg;
mod timeline;
mod timeline_svg;

pub(crate) use containment::ContainmentJson;
pub(crate) use dot::Dot;
pub(crate) use incident_html::IncidentHtml;
pub(crate) use incident_md::IncidentMarkdown;
pub(crate) use svg::Svg;
pub(crate) use timeline::Timeline;
pub(crate) use timeline_svg::TimelineSvg;
