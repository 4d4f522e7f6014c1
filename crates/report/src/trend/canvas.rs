//! Shapes in pixels → an SVG that takes its colours from the page. Deliberately absent: what is drawn (`charts`).
//!
//! The chart library writes each colour as an attribute, `fill="#2F6BD8"`. The page's style turns each of [`PALETTE`] into
//! a colour of the reader's theme, since a rule of style outweighs an attribute.

use std::fmt::Write as _;
use std::io;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::escape::{html, visible};

/// In the light, in the dark.
pub(super) const PALETTE: [(RGBColor, &str); 13] = [
    (RGBColor(0x2F, 0x6B, 0xD8), "#6ea0ff"),
    (RGBColor(0xD8, 0x57, 0x3A), "#ff8a6b"),
    (RGBColor(0x15, 0x9A, 0x8C), "#4fd1c1"),
    (RGBColor(0x8A, 0x5B, 0xD0), "#b18cff"),
    (RGBColor(0xD9, 0x9A, 0x1B), "#f0be5a"),
    (RGBColor(0xC2, 0x3B, 0x8E), "#ee7fc4"),
    (RGBColor(0x5B, 0x8C, 0x2A), "#9ccc65"),
    (RGBColor(0x20, 0x93, 0xC4), "#58c4ee"),
    (RGBColor(0xA0, 0x62, 0x3A), "#d09a78"),
    (RGBColor(0xA9, 0xB2, 0xBD), "#5d6875"),
    (RGBColor(0x1B, 0x22, 0x30), "#e6ebf1"),
    (RGBColor(0x5F, 0x6B, 0x7A), "#9aa6b4"),
    (RGBColor(0xE3, 0xE7, 0xEC), "#29323d"),
];
/// Colours that tell things apart; the next one is for what is none of them.
pub(super) const APART: usize = 9;
pub(super) const OTHER: RGBColor = PALETTE[9].0;
pub(super) const INK: RGBColor = PALETTE[10].0;
pub(super) const DIM: RGBColor = PALETTE[11].0;
pub(super) const GRID: RGBColor = PALETTE[12].0;
/// The library divides sizes by this.
const SIZE: f64 = 1.24;

pub(super) fn colour(n: usize) -> RGBColor {
    if n < APART { PALETTE[n].0 } else { OTHER }
}

pub(super) fn hex(it: RGBColor) -> String {
    format!("#{:02X}{:02X}{:02X}", it.0, it.1, it.2)
}

/// The rules that turn the palette for a dark page.
pub(super) fn dark_rules() -> String {
    PALETTE.iter().fold(String::new(), |mut out, (light, dark)| {
        let light = hex(*light);
        write!(out, ".chart [fill=\"{light}\"]{{fill:{dark}}}.chart [stroke=\"{light}\"]{{stroke:{dark}}}")
            .expect("a String takes all");
        out
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Start,
    Middle,
    End,
}

pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

fn told(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}

/// `label`: what the picture shows, for whoever does not see it.
pub(super) fn draw(
    size: (i32, i32),
    label: &str,
    picture: impl FnOnce(&Canvas<'_>) -> io::Result<()>,
) -> io::Result<String> {
    let mut text = String::new();
    let whole = (u32::try_from(size.0).unwrap_or(1), u32::try_from(size.1).unwrap_or(1));
    {
        let canvas = Canvas { area: SVGBackend::with_string(&mut text, whole).into_drawing_area() };
        picture(&canvas)?;
        canvas.area.present().map_err(told)?;
    }
    let shapes = text.split_once('>').map_or("", |it| it.1);
    Ok(format!(
        "<svg class=\"chart\" role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {} {}\">{shapes}",
        html(label),
        size.0,
        size.1
    ))
}

impl Canvas<'_> {
    pub(super) fn rect(&self, from: (i32, i32), to: (i32, i32), colour: RGBColor) -> io::Result<()> {
        self.shade(from, to, colour, 1.0)
    }

    pub(super) fn shade(&self, from: (i32, i32), to: (i32, i32), colour: RGBColor, alpha: f64) -> io::Result<()> {
        self.area.draw(&Rectangle::new([from, to], colour.mix(alpha).filled())).map_err(told)
    }

    pub(super) fn line(&self, from: (i32, i32), to: (i32, i32), colour: RGBColor) -> io::Result<()> {
        self.area.draw(&PathElement::new([from, to], colour.stroke_width(1))).map_err(told)
    }

    pub(super) fn dot(&self, at: (i32, i32), size: i32, colour: RGBColor) -> io::Result<()> {
        self.area.draw(&Circle::new(at, size, colour.filled())).map_err(told)
    }

    /// A triangle that points down to a place.
    pub(super) fn mark(&self, (x, y): (i32, i32), size: i32, colour: RGBColor) -> io::Result<()> {
        let corners = vec![(x - size, y - size - 2), (x + size, y - size - 2), (x, y)];
        self.area.draw(&Polygon::new(corners, colour.filled())).map_err(told)
    }

    pub(super) fn text(&self, at: (i32, i32), text: &str, size: f64, colour: RGBColor, side: Side) -> io::Result<()> {
        let at_side = match side {
            Side::Start => HPos::Left,
            Side::Middle => HPos::Center,
            Side::End => HPos::Right,
        };
        let style = TextStyle::from(("sans-serif", size * SIZE).into_font())
            .color(&colour)
            .pos(Pos::new(at_side, VPos::Center));
        // The library escapes what is markup; what acts is ours to show.
        self.area.draw_text(&visible(text), &style, at).map_err(told)
    }
}
