//! start of a line → a cron entry or a header. Deliberately absent: every other file format.

use smallvec::SmallVec;

pub(super) fn header_value<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let head = line.get(..name.len())?;
    let value = line[name.len()..].strip_prefix(':')?.trim();
    (head.eq_ignore_ascii_case(name) && !value.is_empty() && value.len() <= 512).then_some(value)
}

pub(super) fn line_end(text: &str, at: usize, nested: bool) -> usize {
    let rest = &text[at..];
    let mut end = memchr::memchr2(b'\n', b'\r', rest.as_bytes()).unwrap_or(rest.len());
    if nested && let Some(escaped) = rest[..end].find("\\n") {
        end = escaped;
    }
    at + end
}

/// A cron line, white space normalised, and where its command starts.
pub(super) fn cron(line: &str) -> Option<(String, usize)> {
    let bytes = line.as_bytes();
    let mut at = 0;
    let mut fields: SmallVec<[&str; 6]> = SmallVec::new();
    let wanted = if bytes.first() == Some(&b'@') { 1 } else { 5 };
    while fields.len() < wanted {
        let start = at;
        while bytes.get(at).is_some_and(|b| !matches!(b, b' ' | b'\t')) {
            at += 1;
        }
        let field = line.get(start..at)?;
        if !is_cron_field(field, wanted == 1) || at - start > 64 {
            return None;
        }
        fields.push(field);
        let blanks = bytes[at..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        if blanks == 0 {
            return None;
        }
        at += blanks;
    }
    if wanted == 5 && !fields.iter().any(|it| it.starts_with('*')) {
        return None;
    }
    let command = line[at..].trim_end();
    if command.is_empty() || command.starts_with(['*', '=', ')']) || !command.bytes().any(|b| b.is_ascii_alphabetic()) {
        return None;
    }
    let mut entry = fields.join(" ");
    for word in command.split_ascii_whitespace() {
        entry.push(' ');
        entry.push_str(word);
    }
    entry.truncate(entry.floor_char_boundary(MAX_CRON));
    // the system's table has a user before the command
    let user = ["root ", "www-data ", "nobody ", "daemon "].iter().find(|it| command.starts_with(**it));
    Some((entry, at + user.map_or(0, |it| it.len())))
}

const MAX_CRON: usize = 1024;

fn is_cron_field(field: &str, named: bool) -> bool {
    if named {
        return matches!(
            field,
            "@reboot" | "@yearly" | "@annually" | "@monthly" | "@weekly" | "@daily" | "@midnight" | "@hourly"
        );
    }
    let bytes = field.as_bytes();
    !bytes.is_empty()
        && (matches!(bytes[0], b'*' | b'0'..=b'9') || bytes.len() == 3 && bytes.iter().all(u8::is_ascii_alphabetic))
        && bytes.iter().all(|b| {
            b.is_ascii_digit() || matches!(b, b'*' | b'/' | b',' | b'-') || b.is_ascii_alphabetic() && bytes.len() >= 3
        })
        && !(bytes[0] == b'*' && bytes.len() > 1 && bytes[1] != b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cron_line_has_five_fields_and_a_command() {
        let check = |line: &str, want: Option<(&str, usize)>| {
            assert_eq!(cron(line).as_ref().map(|it| (it.0.as_str(), it.1)), want, "{line}");
        };
        check("*/5  * * * *\tcurl  x | sh", Some(("*/5 * * * * curl x | sh", 13)));
        check("* * * * * root /x", Some(("* * * * * root /x", 15)));
        check("@reboot /x", Some(("@reboot /x", 8)));
        check("0 */2 1-5 jan mon /x", Some(("0 */2 1-5 jan mon /x", 18)));
        for line in
            ["* * * * *", "1 2 3 4 5 six", "* * *", "@home /x", "*a * * * * x", "*.* * * * * x", "* * * * * = 3", ""]
        {
            check(line, None);
        }
    }
}
