//! a host's processes → a tree on the terminal, or a line of JSON for each.

use std::io::{self, Write};

use ringleader_engine::lake::{Tree, TreeNode};
use ringleader_report::escape;
use serde_json::json;

use super::show::{clock, width};
use crate::terminal::{count, safe, short};

/// Levels that are drawn; those below stand at the same place.
const DRAWN: usize = 24;
const ACCOUNT: usize = 12;
/// A command has at least this much room.
const COMMAND: usize = 24;
const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const YELLOW: &str = "\x1b[33m";
const OFF: &str = "\x1b[0m";

pub(super) fn draw(tree: &Tree, to: &mut dyn Write) -> io::Result<()> {
    draw_within(tree, width(), to)
}

fn draw_within(tree: &Tree, width: usize, to: &mut dyn Write) -> io::Result<()> {
    let mut host = None;
    for node in &tree.nodes {
        if host != Some(&node.host) {
            host = Some(&node.host);
            let known = count(tree.processes as u64, "process", "processes");
            writeln!(to, "{BOLD}{}{OFF}  {DIM}{known} were read; times are UTC{OFF}", safe(&node.host))?;
            writeln!(to, "{DIM} {:23}  {:>7}  {:ACCOUNT$}  command{OFF}", "start", "pid", "account")?;
        }
        line(node, width, to)?;
    }
    Ok(())
}

fn line(node: &TreeNode, width: usize, to: &mut dyn Write) -> io::Result<()> {
    // An inferred process started before what proves it: the time is that of the first that it did.
    let start = match node.start {
        Some(it) if node.inferred => format!("<{}", clock(it)),
        Some(it) => format!(" {}", clock(it)),
        None => String::new(),
    };
    let pid = node.pid.map(|it| it.to_string()).unwrap_or_default();
    let account = short(node.account.as_deref().unwrap_or(""), ACCOUNT);
    let branch = branch(node);
    let mut notes = String::new();
    if node.alike > 1 {
        notes.push_str(&format!(" ×{}", node.alike));
    }
    match node.parent_status {
        "missing" if node.parent_uid.is_none() => notes.push_str(" (its parent was not logged)"),
        "before_log" if node.parent_uid.is_none() => notes.push_str(" (its parent started before the log)"),
        "reparented" => notes.push_str(" (its parent is gone)"),
        _ => {}
    }
    if node.link == "pid" {
        notes.push_str(" (linked by pid alone)");
    }
    let inferred = if node.inferred { "inferred: " } else { "" };
    let taken = 24 + 2 + 7 + 2 + ACCOUNT + 2 + branch.chars().count() + notes.chars().count() + inferred.len();
    let command = node.cmd_line.as_deref().or(node.file_path.as_deref()).unwrap_or("(nothing is known of it)");
    let command = short(command, width.saturating_sub(taken).max(COMMAND));
    let (on, off) = if node.inferred { (YELLOW, OFF) } else { ("", "") };
    writeln!(
        to,
        "{start:24}  {pid:>7}  {account:ACCOUNT$}  {DIM}{branch}{OFF}{on}{inferred}{command}{off}{DIM}{notes}{OFF}"
    )
}

fn branch(node: &TreeNode) -> String {
    // Roots stand at the edge.
    let mut branch = String::new();
    if node.depth == 0 {
        return branch;
    }
    let levels = &node.last[..node.last.len().min(DRAWN)];
    for (level, last) in levels.iter().enumerate().skip(1) {
        let own = level == node.depth;
        branch.push_str(match (own, *last) {
            (true, true) => "└─ ",
            (true, false) => "├─ ",
            (false, true) => "   ",
            (false, false) => "│  ",
        });
    }
    if node.depth >= levels.len() {
        branch.push_str(&format!("[{}] ", node.depth));
    }
    branch
}

pub(super) fn json(tree: &Tree, to: &mut dyn Write) -> io::Result<()> {
    for it in &tree.nodes {
        let value = json!({
            "host": it.host, "depth": it.depth, "process_uid": it.uid, "parent_process_uid": it.parent_uid,
            "event_id": it.event_id, "start": it.start, "end": it.end, "pid": it.pid, "parent_pid": it.ppid,
            "account": it.account, "file_path": it.file_path, "cmd_line": it.cmd_line,
            "basis": if it.inferred { "inferred" } else { "observed" },
            "parent_status": it.parent_status, "link": it.link, "alike": it.alike,
        });
        escape::json(&value, to, escape::Shape::Line)?;
        writeln!(to)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(depth: usize, last: &[bool], cmd_line: &str) -> TreeNode {
        TreeNode {
            host: "web1".to_owned(),
            depth,
            last: last.to_vec(),
            cmd_line: Some(cmd_line.to_owned()),
            parent_status: "observed",
            link: "guid",
            alike: 1,
            ..TreeNode::default()
        }
    }

    #[test]
    fn branches_are_drawn_and_nothing_is_obeyed() {
        let nodes = vec![
            node(0, &[true], "sshd"),
            node(1, &[true, false], "sh \x1b[2J"),
            node(2, &[true, false, true], "ls"),
            TreeNode { inferred: true, alike: 3, ..node(1, &[true, true], "cron") },
        ];
        let tree = Tree { nodes, processes: 6, ..Tree::default() };
        let mut out = Vec::new();
        draw_within(&tree, 100, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let text = [BOLD, DIM, YELLOW, OFF].iter().fold(text, |text, it| text.replace(it, ""));
        assert!(!text.contains('\x1b'));
        let lines: Vec<&str> = text.lines().skip(2).map(|it| &it[49..]).collect();
        assert_eq!(lines, ["sshd", "├─ sh \\x1b[2J", "│  └─ ls", "└─ inferred: cron ×3"]);
    }

    #[test]
    fn what_lies_too_deep_to_draw_says_how_deep() {
        let deep = node(5000, &[true; 64], "x");
        assert!(branch(&deep).ends_with("[5000] "));
        assert!(branch(&deep).chars().count() < 90);
    }
}
