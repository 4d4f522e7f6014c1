//! Text from a log → text that is safe where it is shown: terminal, HTML, SVG, CSV, Markdown, JSON. The one place
//! where this is done. Deliberately absent: any attempt to tell good text from bad; all of it is treated alike.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

/// Whether a character acts instead of showing: controls, direction marks, invisible ones.
pub fn acts(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// For a terminal, or as the first step of the others: what acts is shown as an escape, `\n`, `\x1b`, `\u{202e}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if acts(c) && u32::from(c) < 0x100 => write!(out, "\\x{:02x}", u32::from(c)).expect("a String takes all"),
            c if acts(c) => write!(out, "\\u{{{:x}}}", u32::from(c)).expect("a String takes all"),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// For HTML and SVG, as text and inside a quoted attribute.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '`' => out.push_str("&#96;"),
            c => out.push(c),
        }
    }
    out
}

/// For a cell of a CSV that a spreadsheet may open: a leading `= + - @`, tab or line end gets a `'` before it.
pub fn csv(text: &str) -> Cow<'_, str> {
    const FORMULA: &[char] = &['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    let safe = visible(text);
    if text.starts_with(FORMULA) || text.trim_start().starts_with(FORMULA) {
        return Cow::Owned(format!("'{safe}"));
    }
    safe
}

/// For Markdown: a code span, in which nothing is markup. Safe in a table cell too.
pub fn markdown(text: &str) -> String {
    let text = visible(text);
    let (mut longest, mut run) = (0usize, 0usize);
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    // A pipe would end the cell even inside a code span; look-alike, since `\|` shows its backslash outside tables.
    let body = text.replace('|', "¦");
    let pad = if body.starts_with('`') || body.ends_with('`') || body.trim().is_empty() { " " } else { "" };
    format!("{fence}{pad}{body}{pad}{fence}")
}

/// JSON in which what acts stands as `\u202e`: the data is the same, and `cat` is safe.
pub fn json(value: &impl Serialize, out: &mut dyn io::Write, shape: Shape) -> io::Result<()> {
    fn write<F: Formatter>(value: &impl Serialize, out: &mut dyn io::Write, inner: F, html: bool) -> io::Result<()> {
        let mut serializer = serde_json::Serializer::with_formatter(out, Safe { inner, html });
        value.serialize(&mut serializer).map_err(io::Error::from)
    }
    match shape {
        Shape::Pretty => write(value, out, PrettyFormatter::new(), false),
        Shape::Line => write(value, out, CompactFormatter, false),
        Shape::InHtml => write(value, out, CompactFormatter, true),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Pretty,
    Line,
    /// For a `<script type="application/json">`: no `<`, `>` or `&` remains.
    InHtml,
}

struct Safe<F> {
    inner: F,
    html: bool,
}

macro_rules! pass_on {
    ($($name:ident($($arg:ident: $kind:ty),*)),+ $(,)?) => {$(
        fn $name<W: ?Sized + io::Write>(&mut self, writer: &mut W $(, $arg: $kind)*) -> io::Result<()> {
            self.inner.$name(writer $(, $arg)*)
        }
    )+};
}

impl<F: Formatter> Formatter for Safe<F> {
    pass_on!(
        begin_array(),
        end_array(),
        begin_array_value(first: bool),
        end_array_value(),
        begin_object(),
        end_object(),
        begin_object_key(first: bool),
        end_object_key(),
        begin_object_value(),
        end_object_value(),
    );

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        // Most of what is written.
        if !self.html && fragment.bytes().all(|b| matches!(b, b' '..=b'~')) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut start = 0;
        for (at, c) in fragment.char_indices() {
            if acts(c) || (self.html && matches!(c, '<' | '>' | '&')) {
                writer.write_all(&fragment.as_bytes()[start..at])?;
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
                start = at + c.len_utf8();
            }
        }
        writer.write_all(&fragment.as_bytes()[start..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOSTILE: &[&str] = &[
        "</script><script>alert(1)</script>",
        "=cmd|' /C calc'!A0",
        "\u{1b}[2J\u{1b}]0;owned\u{7}",
        "evil\u{202e}gpj.exe",
        "` | <img src=x onerror=alert(1)> [x](javascript:alert(1))",
        "\" onmouseover=\"alert(1)",
        "a\r\nb\u{9b}31m",
        "``` \n# heading",
    ];

    fn hostile() -> impl Strategy<Value = String> {
        let pieces = proptest::sample::select(HOSTILE);
        (any::<String>(), pieces, any::<String>()).prop_map(|(a, b, c)| format!("{a}{b}{c}"))
    }

    proptest! {
        #[test]
        fn nothing_that_acts_is_left(text in hostile()) {
            let csv = csv(&text).into_owned();
            for out in [visible(&text).into_owned(), html(&text), markdown(&text), csv.clone()] {
                prop_assert!(!out.chars().any(acts), "{out:?}");
            }
            prop_assert!(!csv.starts_with(['=', '+', '-', '@']));
            prop_assert!(!html(&text).contains(['<', '>', '"', '\'']));
            prop_assert!(!markdown(&text).contains('|'));
        }

        #[test]
        fn a_code_span_cannot_be_left(text in hostile()) {
            let span = markdown(&text);
            let fence = span.chars().take_while(|c| *c == '`').count();
            let inner = &span[fence..span.len() - fence];
            prop_assert!(!inner.starts_with('`') && !inner.ends_with('`'));
            prop_assert!(inner.split(|c| c != '`').all(|run| run.len() < fence));
        }

        #[test]
        fn json_is_the_same_data_and_quiet(text in hostile()) {
            for shape in [Shape::Pretty, Shape::Line, Shape::InHtml] {
                let mut out = Vec::new();
                json(&text, &mut out, shape).unwrap();
                let written = String::from_utf8(out).unwrap();
                prop_assert_eq!(&serde_json::from_str::<String>(&written).unwrap(), &text);
                prop_assert!(!written.chars().any(acts));
                prop_assert!(shape != Shape::InHtml || !written.contains(['<', '>', '&']));
            }
        }
    }

    #[test]
    fn escapes_read_well() {
        assert_eq!(visible("a\u{202e}b\u{1b}[0m\n"), "a\\u{202e}b\\x1b[0m\\n");
        assert_eq!(csv("=1+1"), "'=1+1");
        assert_eq!(csv("\tx"), "'\\tx");
        assert_eq!(csv("wget -O x"), "wget -O x");
        assert_eq!(markdown("a|b`c"), "``a¦b`c``");
    }
}
